/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads CSV text as RFC 4180 has it: records a line each, fields between commas, quoted where
 * they hold commas, quotes (doubled) or line ends. Lines end with CR LF, LF or CR; a byte order
 * mark at the start and empty lines are passed over.
 */
#ifndef COMMON_CSV_H
#define COMMON_CSV_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

enum { CSV_FIELDS_MAX = 64 }; /* of a record */

/* Stands before a record. */
struct csv {
    const char *text; /* borrowed */
    size_t size;
    size_t at;
    int64_t line; /* from 1 */
};

/* Starts zeroed, may be used again and again, ends with csv_record_finish. */
struct csv_record {
    int64_t line; /* where it begins */
    size_t count; /* of fields */
    struct buf text;
    size_t starts[CSV_FIELDS_MAX]; /* of the fields in `text`, each ended by a NUL */
};

/* A reader that stands before the first record; the text is borrowed. */
struct csv csv_of(const void *text, size_t size);

/*
 * The next record. 1, or 0 at the end. INVALID with a sentence that names no line
 * (`record->line` is it) for a quote where none may be, one without an end, bytes that are
 * no UTF-8, or too many fields; the next call goes on behind that record's line.
 */
int csv_next(struct csv *csv, struct csv_record *record, struct err *err);

/* A field, borrowed until the next record; "" where the record is too short. */
const char *csv_field(const struct csv_record *record, size_t index);

void csv_record_finish(struct csv_record *record);

#endif
