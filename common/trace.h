/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Trace ids, by which all that is done for one run of a title is found again: in logs, in the
 * feed, and in the logs of servers that it is sent to ("Trace Context", W3C, 2021).
 */
#ifndef COMMON_TRACE_H
#define COMMON_TRACE_H

#include <stdbool.h>

enum {
    TRACE_TEXT = 33,        /* an id with its NUL: 32 lower-case hex digits, not all 0 */
    TRACE_PARENT_TEXT = 56, /* a traceparent header's value with its NUL */
};

/* A new id. Fills `out`. */
void trace_make(char out[TRACE_TEXT]);

/* Whether it is an id. */
bool trace_valid(const char *text);

/* The id of a traceparent header's value, which may be NULL. False where that is none, or has
 * none in it: `out` is left alone. */
bool trace_read(char out[TRACE_TEXT], const char *traceparent);

/* The value of a traceparent header for one request of this id, under a span of its own. */
void trace_parent(char out[TRACE_PARENT_TEXT], const char *trace);

#endif
