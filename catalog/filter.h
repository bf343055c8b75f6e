/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What titles must be, beside having the words of a search: exactly, byte by byte. Pure. Private to
 * catalog/. */
#ifndef CATALOG_FILTER_H
#define CATALOG_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "common/wire.h"
#include "entry.h"

enum {
    FILTER_LABELS_MAX = 4,
    FILTER_HEIGHT_MAX = 65535,
    FILTER_HEIGHTS_MAX = 64, /* that an expression names */
    FILTER_MARKS_MAX = FILTER_LABELS_MAX + 3,
    FILTER_TEXT = 4 * ENTRY_CODEC_MAX + 1,
};

/* What is asked, as it came: "" is any. Borrowed. */
struct filter_texts {
    const char *labels;   /* "NAME=VALUE,NAME": all of them; of a name alone, any value */
    const char *language; /* of the sound */
    const char *codec;    /* "h264" */
    const char *tenant;
    const char *min_height;    /* of the largest rung */
    const char *updated_since; /* RFC 3339: when the catalog took the last change in, or later */
};

/* The zero value lets all through. */
struct filter {
    char labels[FILTER_LABELS_MAX][LABEL_MAX + 1];
    char language[FILTER_TEXT];
    char codec[FILTER_TEXT];
    char tenant[TENANT_TEXT];
    int64_t min_height;
    int64_t updated_since; /* ms of the wall clock */
};

/* INVALID with a sentence that names the filter. */
int filter_read(struct filter *out, const struct filter_texts *texts, struct err *err);

/* Whether every title is such. */
bool filter_is_any(const struct filter *filter);

/* A row that the table `mark` has of each such title. Borrowed. */
struct filter_mark {
    const char *kind; /* "label", "tenant", "language" or "codec" */
    const char *value;
};

/* Those that the filter asks for, by how few titles should have them; how many. Borrowed from
 * `filter`. */
size_t filter_marks(const struct filter *filter, struct filter_mark out[FILTER_MARKS_MAX]);

/* As filter_expression, of that mark alone. */
void filter_mark_expression(const struct filter_mark *mark, struct buf *out);

/*
 * Appends an expression of SQLite's FTS5 that finds all such titles, and few others: the index of
 * words folds cases. `heights` are those that titles have above min_height; none are named where
 * there are more than FILTER_HEIGHTS_MAX. Nothing is appended where no word is to be found by.
 */
void filter_expression(const struct filter *filter, const int64_t *heights, size_t count,
                       struct buf *out);

#endif
