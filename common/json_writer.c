/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compact JSON text, the same bytes for the same calls: see json.h. */
#include "common/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/utf8.h"

/* Above 2^53 a double is whole by accident and its digits mean nothing. */
#define WHOLE_MAX 9007199254740992.0

struct writer writer_of(struct buf *out) {
    return (struct writer){.out = out};
}

static void append_escaped(struct buf *out, unsigned char c) {
    static const char shorts[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (size_t i = 0; i + 1 < sizeof(shorts); i += 2) {
        if ((unsigned char)shorts[i] == c) {
            buf_u8(out, '\\');
            buf_u8(out, (uint8_t)shorts[i + 1]);
            return;
        }
    }
    buf_format(out, "\\u%04x", c);
}

/* Bytes that are not UTF-8 (a name in an old file) become U+FFFD, so that what we write can be
 * read. */
static void append_quoted(struct buf *out, const char *text) {
    const unsigned char *at = (const unsigned char *)text;
    buf_u8(out, '"');
    while (*at != '\0') {
        const unsigned char *from = at;
        while (*at >= 0x20 && *at < 0x80 && *at != '"' && *at != '\\') {
            at++;
        }
        buf_append(out, from, (size_t)(at - from));
        if (*at == '\0') {
            break;
        }
        size_t length = utf8_length(at);
        if (*at < 0x80) {
            append_escaped(out, *at);
            length = 1;
        } else if (length > 0) {
            buf_append(out, at, length);
        } else {
            buf_string(out, "\xef\xbf\xbd");
            length = 1;
        }
        at += length;
    }
    buf_u8(out, '"');
}

static void begin_value(struct writer *w, const char *name) {
    if (w->comma) {
        buf_u8(w->out, ',');
    }
    w->comma = true;
    if (name != NULL) {
        append_quoted(w->out, name);
        buf_u8(w->out, ':');
    }
}

static void open_container(struct writer *w, const char *name, char bracket) {
    begin_value(w, name);
    buf_u8(w->out, (uint8_t)bracket);
    w->comma = false;
}

static void close_container(struct writer *w, char bracket) {
    buf_u8(w->out, (uint8_t)bracket);
    w->comma = true;
}

void writer_object(struct writer *w, const char *name) {
    open_container(w, name, '{');
}

void writer_object_end(struct writer *w) {
    close_container(w, '}');
}

void writer_array(struct writer *w, const char *name) {
    open_container(w, name, '[');
}

void writer_array_end(struct writer *w) {
    close_container(w, ']');
}

void writer_null(struct writer *w, const char *name) {
    begin_value(w, name);
    buf_string(w->out, "null");
}

void writer_string(struct writer *w, const char *name, const char *value) {
    if (value == NULL) {
        writer_null(w, name);
        return;
    }
    begin_value(w, name);
    append_quoted(w->out, value);
}

void writer_int(struct writer *w, const char *name, int64_t value) {
    begin_value(w, name);
    char digits[24];
    int length = snprintf(digits, sizeof(digits), "%" PRId64, value);
    buf_append(w->out, digits, (size_t)length);
}

void writer_number(struct writer *w, const char *name, double value) {
    if (!isfinite(value)) {
        writer_null(w, name); /* JSON has no such numbers */
        return;
    }
    if (value == floor(value) && fabs(value) <= WHOLE_MAX) {
        writer_int(w, name, (int64_t)value);
        return;
    }
    char digits[40];
    for (int precision = 15; precision <= 17; precision++) {
        snprintf(digits, sizeof(digits), "%.*g", precision, value);
        if (strtod(digits, NULL) == value) {
            break;
        }
    }
    begin_value(w, name);
    buf_string(w->out, digits);
}

void writer_bool(struct writer *w, const char *name, bool value) {
    begin_value(w, name);
    buf_string(w->out, value ? "true" : "false");
}

void writer_raw(struct writer *w, const char *name, const char *json, size_t size) {
    begin_value(w, name);
    buf_append(w->out, json, size);
}
