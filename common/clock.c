/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clocks and their one test seam: see clock.h. */
#include "common/clock.h"

#include <stdio.h>
#include <time.h>

enum { SLICE_MS = 50 };

static const int64_t ns_per_ms = 1000000;

static struct {
    bool active;
    _Atomic int64_t monotonic_ns;
    _Atomic int64_t wall_ms;
} test_clock;

static int64_t read_ns(clockid_t id) {
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000 * ns_per_ms + now.tv_nsec;
}

int64_t clock_monotonic_ns(void) {
    return test_clock.active ? test_clock.monotonic_ns : read_ns(CLOCK_MONOTONIC);
}

int64_t clock_monotonic_ms(void) {
    return clock_monotonic_ns() / ns_per_ms;
}

int64_t clock_wall_ms(void) {
    return test_clock.active ? test_clock.wall_ms : read_ns(CLOCK_REALTIME) / ns_per_ms;
}

void clock_text(int64_t wall_ms, char out[CLOCK_TEXT]) {
    int64_t ms = wall_ms % 1000;
    time_t seconds = (time_t)(wall_ms / 1000);
    if (ms < 0) {
        ms += 1000;
        seconds--;
    }
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    char text[64];
    size_t used = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text + used, sizeof(text) - used, ".%03dZ", (int)ms);
    snprintf(out, CLOCK_TEXT, "%.24s", text);
}

static void sleep_slice(int64_t ms) {
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * ns_per_ms};
    nanosleep(&pause, NULL); /* a signal ends a slice early; the caller looks at the time */
}

bool clock_sleep_ms(int64_t ms, const atomic_bool *cancel) {
    if (test_clock.active) {
        clock_test_advance_ms(ms);
        return cancel == NULL || !*cancel;
    }
    int64_t until = clock_monotonic_ms() + ms;
    for (;;) {
        if (cancel != NULL && *cancel) {
            return false;
        }
        int64_t left = until - clock_monotonic_ms();
        if (left <= 0) {
            return true;
        }
        sleep_slice(cancel != NULL && left > SLICE_MS ? SLICE_MS : left);
    }
}

void clock_test_begin(int64_t monotonic_ns, int64_t wall_ms) {
    test_clock.monotonic_ns = monotonic_ns;
    test_clock.wall_ms = wall_ms;
    test_clock.active = true;
}

void clock_test_advance_ms(int64_t ms) {
    test_clock.monotonic_ns += ms * ns_per_ms;
    test_clock.wall_ms += ms;
}

void clock_test_end(void) {
    test_clock.active = false;
}
