/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time. Durations and deadlines use the monotonic clock; wall time is for people
 * and for records. Nothing here reaches a published byte.
 */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_TEXT = 25 }; /* bytes of clock_text's text with its NUL */

/* Time since some fixed moment of this boot. Never goes back. */
int64_t clock_monotonic_ns(void);
int64_t clock_monotonic_ms(void);

/* Milliseconds since 1970-01-01T00:00:00Z. May jump. */
int64_t clock_wall_ms(void);

/* "2026-11-21T07:06:29.005Z" (RFC 3339, UTC) for a wall time from year 0 to 9999. */
void clock_text(int64_t wall_ms, char out[CLOCK_TEXT]);

/* Reads an RFC 3339 time, such as clock_text writes or "2026-12-01T19:00:00+01:00"; whether it is
 * one. What is finer than a millisecond is passed over. */
bool clock_parse(const char *text, int64_t *wall_ms);

/* Sleeps so long, or until `*cancel` becomes true (looked at every 50 ms; may be
 * NULL). Returns whether the whole time has passed. Returns at once under a test
 * clock, having moved it. */
bool clock_sleep_ms(int64_t ms, const atomic_bool *cancel);

/*
 * For tests: from now on both clocks stand still at the given times, until they
 * are moved by clock_test_advance_ms or a sleep. clock_test_end brings back the
 * real ones. Not to be called while other threads read the time.
 */
void clock_test_begin(int64_t monotonic_ns, int64_t wall_ms);
void clock_test_advance_ms(int64_t ms);
void clock_test_end(void);

#endif
