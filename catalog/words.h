/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people type into a search, as an expression of SQLite's FTS5. Pure. Private to catalog/. */
#ifndef CATALOG_WORDS_H
#define CATALOG_WORDS_H

#include "common/buf.h"
#include "common/err.h"

enum { WORDS_MAX = 16, WORDS_BYTES_MAX = 256 };

/*
 * Appends an expression that finds what has all the words, of which the last may go on: each word
 * is a string of FTS5, in which nothing is syntax. Words without a letter or digit are left out.
 * INVALID where none is left, or where there are more than WORDS_MAX, or of more than
 * WORDS_BYTES_MAX bytes.
 */
int words_expression(const char *text, struct buf *out, struct err *err);

/* Appends a text of `size` bytes as FTS5 has strings: a quote within is doubled. Its words must
 * stand one behind another. */
void words_phrase(const char *text, size_t size, struct buf *out);

#endif
