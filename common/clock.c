/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clocks and their one test seam: see clock.h. */
#include "common/clock.h"

#include <stdio.h>
#include <string.h>
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

/* The offset behind a time, "Z" or "+01:30", in seconds; whether it is one. */
static bool parse_offset(const char *text, int64_t *seconds) {
    int hours = 0, minutes = 0, used = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
        *seconds = 0;
        return true;
    }
    if ((text[0] != '+' && text[0] != '-') || strlen(text) != strlen("+00:00") ||
        strspn(text + 1, "0123456789:") != 5 ||
        sscanf(text + 1, "%2d:%2d%n", &hours, &minutes, &used) != 2 || used != 5 || hours > 23 ||
        minutes > 59) {
        return false;
    }
    *seconds = (text[0] == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
    return true;
}

bool clock_parse(const char *text, int64_t *ms) {
    static const char shape[] = "0000-00-00T00:00:00";
    struct tm utc = {0};
    int64_t offset = 0, part = 0;
    for (size_t i = 0; shape[i] != '\0'; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        if (shape[i] == '0' ? !is_digit : text[i] != shape[i]) {
            return false;
        }
    }
    sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &utc.tm_year, &utc.tm_mon, &utc.tm_mday, &utc.tm_hour,
           &utc.tm_min, &utc.tm_sec);
    utc.tm_year -= 1900;
    utc.tm_mon -= 1;
    struct tm given = utc;
    const char *end = text + strlen(shape);
    if (*end == '.') {
        size_t digits = strspn(end + 1, "0123456789");
        for (size_t i = 0, scale = 100; i < digits && i < 3; i++, scale /= 10) {
            part += (int64_t)scale * (end[1 + i] - '0');
        }
        end += 1 + digits;
        if (digits == 0) {
            return false;
        }
    }
    int64_t seconds = timegm(&utc); /* which moves the 31st of June to July */
    if (utc.tm_mon != given.tm_mon || utc.tm_mday != given.tm_mday ||
        utc.tm_hour != given.tm_hour || utc.tm_min != given.tm_min || !parse_offset(end, &offset)) {
        return false;
    }
    *ms = (seconds - offset) * 1000 + part;
    return true;
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
