/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Texts of help, as lines of a width that terminals and people like. */
#ifndef COMMON_WRAP_H
#define COMMON_WRAP_H

#include <stddef.h>

#include "common/buf.h"

enum { WRAP_COLUMNS = 88 };

/* Appends a text as lines of at most WRAP_COLUMNS, where its words are not longer, indented by
 * `indent`, and ends the last. What is there ends in column `at`; where that is beyond, the text
 * begins on a line of its own. */
void wrap_text(struct buf *out, const char *text, size_t at, size_t indent);

#endif
