/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trace ids: see trace.h. */
#include "common/trace.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/id.h"

enum {
    TRACE_BYTES = 16,
    SPAN_BYTES = 8,
    SPAN_DIGITS = 16,
    FLAG_DIGITS = 2,
    SPAN_AT = 36, /* in a header's value: VERSION-TRACE-SPAN-FLAGS */
    FLAGS_AT = 53,
    VALUE_END = 55,
};

static const char hex[] = "0123456789abcdef";

/* A field of so many hex digits, of which one at least is not 0 where it must be more. */
static bool is_field(const char *text, size_t digits, bool not_zero) {
    return strspn(text, hex) >= digits && (!not_zero || strspn(text, "0") < digits);
}

void trace_make(char out[TRACE_TEXT]) {
    uint8_t bytes[TRACE_BYTES];
    do {
        id_bytes(bytes, sizeof(bytes));
        id_hex(bytes, sizeof(bytes), out);
    } while (!trace_valid(out));
}

bool trace_valid(const char *text) {
    return strlen(text) == TRACE_TEXT - 1 && is_field(text, TRACE_TEXT - 1, true);
}

/* Later versions may add fields behind those of version 00; ff is none (section 3.2.2). */
bool trace_read(char out[TRACE_TEXT], const char *traceparent) {
    size_t length = traceparent == NULL ? 0 : strlen(traceparent);
    if (length < VALUE_END || !is_field(traceparent, 2, false) ||
        strncmp(traceparent, "ff", 2) == 0 || traceparent[2] != '-' ||
        !is_field(traceparent + 3, TRACE_TEXT - 1, true) || traceparent[SPAN_AT - 1] != '-' ||
        !is_field(traceparent + SPAN_AT, SPAN_DIGITS, true) || traceparent[FLAGS_AT - 1] != '-' ||
        !is_field(traceparent + FLAGS_AT, FLAG_DIGITS, false)) {
        return false;
    }
    bool is_first = strncmp(traceparent, "00", 2) == 0;
    if (length > VALUE_END && (is_first || traceparent[VALUE_END] != '-')) {
        return false;
    }
    memcpy(out, traceparent + 3, TRACE_TEXT - 1);
    out[TRACE_TEXT - 1] = '\0';
    return true;
}

void trace_parent(char out[TRACE_PARENT_TEXT], const char *trace) {
    uint8_t span[SPAN_BYTES];
    char digits[SPAN_DIGITS + 1];
    do {
        id_bytes(span, sizeof(span));
        id_hex(span, sizeof(span), digits);
    } while (!is_field(digits, SPAN_DIGITS, true));
    snprintf(out, TRACE_PARENT_TEXT, "00-%.32s-%s-01", trace, digits);
}
