/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CSV text, record by record: see csv.h. */
#include "csv.h"

#include <stdbool.h>
#include <string.h>

static const char byte_order_mark[] = "\xef\xbb\xbf";

struct csv csv_of(const void *text, size_t size) {
    struct csv csv = {.text = text, .size = size, .line = 1};
    size_t mark = sizeof(byte_order_mark) - 1;
    if (size >= mark && memcmp(text, byte_order_mark, mark) == 0) {
        csv.at = mark;
    }
    return csv;
}

/* The byte at hand; -1 at the end. */
static int peek(const struct csv *csv) {
    return csv->at < csv->size ? (unsigned char)csv->text[csv->at] : -1;
}

static bool at_line_end(const struct csv *csv) {
    int c = peek(csv);
    return c == '\n' || c == '\r' || c < 0;
}

/* Passes over one line end, if there is one. */
static void end_line(struct csv *csv) {
    int c = peek(csv);
    if (c < 0) {
        return;
    }
    csv->at++;
    csv->at += c == '\r' && peek(csv) == '\n' ? 1 : 0;
    csv->line++;
}

static void skip_line(struct csv *csv) {
    while (!at_line_end(csv)) {
        csv->at++;
    }
    end_line(csv);
}

/* ---- characters ----------------------------------------------------------------- */

/* Bytes of the UTF-8 character at hand; 0 where it is none (RFC 3629 4), or a NUL. */
static size_t character_size(const unsigned char *at, size_t left) {
    size_t size = at[0] < 0x80 ? 1 : at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (at[0] == 0 || (at[0] >= 0x80 && at[0] < 0xc2) || at[0] > 0xf4 || size > left) {
        return 0;
    }
    for (size_t i = 1; i < size; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    bool overlong = (at[0] == 0xe0 && at[1] < 0xa0) || (at[0] == 0xf0 && at[1] < 0x90);
    bool surrogate = at[0] == 0xed && at[1] > 0x9f;
    bool beyond = at[0] == 0xf4 && at[1] > 0x8f;
    return overlong || surrogate || beyond ? 0 : size;
}

/* Takes one character into the field. */
static int take(struct csv *csv, struct csv_record *record, struct err *err) {
    const char *from = csv->text + csv->at;
    size_t size = character_size((const unsigned char *)from, csv->size - csv->at);
    if (size == 0) {
        return err_set(err, ERR_INVALID, "it is not UTF-8 text; save the file as UTF-8");
    }
    buf_append(&record->text, from, size);
    csv->at += size;
    return 0;
}

/* ---- fields ---------------------------------------------------------------------- */

/* From behind the opening quote to behind the closing one. */
static int read_quoted(struct csv *csv, struct csv_record *record, struct err *err) {
    for (;;) {
        int c = peek(csv);
        if (c < 0) {
            return err_set(err, ERR_INVALID, "a field's opening quote has no closing one");
        }
        if (c == '"') {
            csv->at++;
            if (peek(csv) != '"') {
                break;
            }
        }
        bool ends_line = c == '\n' || (c == '\r' && !(csv->at + 1 < csv->size &&
                                                      csv->text[csv->at + 1] == '\n'));
        csv->line += ends_line ? 1 : 0;
        if (take(csv, record, err) != 0) {
            return ERR_INVALID;
        }
    }
    if (peek(csv) != ',' && !at_line_end(csv)) {
        return err_set(err, ERR_INVALID,
                       "there is text behind a field's closing quote; a quote within a quoted "
                       "field is written twice");
    }
    return 0;
}

static int read_plain(struct csv *csv, struct csv_record *record, struct err *err) {
    while (peek(csv) != ',' && !at_line_end(csv)) {
        if (peek(csv) == '"') {
            return err_set(err, ERR_INVALID,
                           "there is a quote within a field that does not begin with one; put "
                           "the field in quotes and write those within it twice");
        }
        if (take(csv, record, err) != 0) {
            return ERR_INVALID;
        }
    }
    return 0;
}

static int read_field(struct csv *csv, struct csv_record *record, struct err *err) {
    if (record->count == CSV_FIELDS_MAX) {
        return err_set(err, ERR_INVALID, "it has more than %d fields", CSV_FIELDS_MAX);
    }
    record->starts[record->count++] = record->text.size;
    int result = 0;
    if (peek(csv) == '"') {
        csv->at++;
        result = read_quoted(csv, record, err);
    } else {
        result = read_plain(csv, record, err);
    }
    buf_append(&record->text, "", 1);
    return result;
}

int csv_next(struct csv *csv, struct csv_record *record, struct err *err) {
    while (at_line_end(csv) && peek(csv) >= 0) {
        end_line(csv);
    }
    record->line = csv->line;
    record->count = 0;
    buf_clear(&record->text);
    if (peek(csv) < 0) {
        return 0;
    }
    bool more = true;
    while (more) {
        if (read_field(csv, record, err) != 0) {
            skip_line(csv);
            return ERR_INVALID;
        }
        more = peek(csv) == ',';
        csv->at += more ? 1 : 0;
    }
    end_line(csv);
    return 1;
}

const char *csv_field(const struct csv_record *record, size_t index) {
    return index < record->count ? (const char *)record->text.data + record->starts[index] : "";
}

void csv_record_finish(struct csv_record *record) {
    buf_finish(&record->text);
}
