/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How popular titles are, from a file: CSV whose first line names the columns `title` and `score`
 * among others, or an object a line (JSON Lines) with these members among others. Private to cli/.
 */
#ifndef CLI_SCORES_H
#define CLI_SCORES_H

#include <stddef.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/wire.h"

struct score {
    char title[WIRE_TITLE_TEXT];
    double value; /* 0 or more */
};

/* Starts zeroed, ends with scores_finish. */
struct scores {
    size_t count;
    struct score *list; /* owned; in the order of the file */
};

/* Reads all of the text. INVALID with a sentence that names the first line that is wrong. */
int scores_read(struct scores *out, const struct buf *text, struct err *err);

void scores_finish(struct scores *scores);

#endif
