/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Titles from a file, for `submit --from`: CSV whose first line names the columns, or an object
 * a line (JSON Lines) of the same names. Each is checked as far as that can be done without a
 * scheduler, and told of by its line where it is wrong. Private to cli/.
 */
#ifndef CLI_BATCH_H
#define CLI_BATCH_H

#include "common/hash.h"
#include "common/mem.h"
#include "title_order.h"

struct batch_ladder {
    const char *name; /* as the file or the command line has it */
    const char *text; /* JSON; NULL: it can't be loaded */
    const char *why;  /* of that, the sentence */
};

/* Strings live in the batch. */
struct batch_row {
    int64_t line; /* from 1 */
    const char *title;
    const char *source; /* URL or path from the root on */
    const char *out;    /* as workers find it */
    size_t ladder;      /* index in `ladders` */
    struct title_order order;
    /* Of title, source, output and ladder: a submission that is made again is known by it. */
    char key[SHA256_TEXT];
};

/* Starts zeroed, ends with batch_finish. */
struct batch {
    struct arena arena;
    struct batch_row *rows; /* in the order of the file */
    size_t count;
    size_t capacity;
    struct batch_ladder *ladders;
    size_t ladder_count;
};

/* What goes for rows that don't say it. Borrowed during the call. */
struct batch_defaults {
    const char *out; /* NULL: each row must say it */
    const char *ladder;
    struct title_order order;
};

enum { BATCH_FAULTS_SHOWN = 20 };

/* What is wrong with rows: a sentence each, ended by a newline, of the first ones. */
struct batch_faults {
    struct buf text; /* owned */
    size_t count;
};

/* Reads all rows of the text, whose name is for sentences, and checks them. Whether nothing is
 * wrong; `faults` says what is. Deadlines count from `now_ms` (since 1970). */
bool batch_read(struct batch *out, struct batch_faults *faults, const char *name,
                const struct buf *text, const struct batch_defaults *defaults, int64_t now_ms);

void batch_finish(struct batch *batch);
void batch_faults_finish(struct batch_faults *faults);

#endif
