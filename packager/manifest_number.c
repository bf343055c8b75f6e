/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of manifests: see manifest_number.h. */
#include "manifest_number.h"

#include <string.h>

enum { NANOSECONDS = 1000000000 };

/* Reads digits from *at on, within [0, max]; false where there are none. */
static bool digits(const char **at, int64_t max, int64_t *out) {
    const char *from = *at;
    int64_t value = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        int digit = **at - '0';
        if (value > (max - digit) / 10) {
            return false;
        }
        value = value * 10 + digit;
    }
    *out = value;
    return *at > from;
}

bool manifest_int(const char *text, int64_t max, int64_t *out) {
    int64_t value;
    if (!digits(&text, max, &value) || *text != '\0' || value > max) {
        return false;
    }
    *out = value;
    return true;
}

/* Seconds with or without a fraction, from *at on. */
static bool seconds(const char **at, int64_t *nanoseconds, int *decimals) {
    int64_t whole;
    int64_t part = 0;
    int64_t unit = NANOSECONDS;
    int count = 0;
    if (!digits(at, MANIFEST_SECONDS_MAX, &whole)) {
        return false;
    }
    if (**at == '.') {
        for ((*at)++; **at >= '0' && **at <= '9'; (*at)++, count++) {
            unit /= 10;
            part += unit * (**at - '0');
        }
        if (count == 0) {
            return false;
        }
    }
    *nanoseconds = whole * NANOSECONDS + part;
    *decimals = count;
    return true;
}

bool manifest_seconds(const char *text, int64_t *nanoseconds, int *decimals) {
    int64_t value;
    int count;
    if (!seconds(&text, &value, &count) || *text != '\0') {
        return false;
    }
    *nanoseconds = value;
    *decimals = count;
    return true;
}

bool manifest_duration(const char *text, int64_t *nanoseconds) {
    static const struct {
        char letter;
        bool of_day;
        int64_t seconds;
    } parts[] = {{'D', false, 86400}, {'H', true, 3600}, {'M', true, 60}, {'S', true, 1}};
    bool in_day = false;
    bool any = false;
    int64_t sum = 0;
    size_t next = 0;
    if (*text++ != 'P') {
        return false;
    }
    while (*text != '\0') {
        int64_t value;
        int decimals;
        if (*text == 'T' && !in_day) {
            in_day = true;
            any = false;
            text++;
            continue;
        }
        if (!seconds(&text, &value, &decimals)) {
            return false;
        }
        while (next < sizeof(parts) / sizeof(parts[0]) && parts[next].letter != *text) {
            next++;
        }
        if (next == sizeof(parts) / sizeof(parts[0]) || parts[next].of_day != in_day ||
            (decimals > 0 && *text != 'S') ||
            value / NANOSECONDS > MANIFEST_SECONDS_MAX / parts[next].seconds) {
            return false;
        }
        sum += value * parts[next++].seconds;
        any = true;
        text++;
    }
    if (!any || sum / NANOSECONDS > MANIFEST_SECONDS_MAX) {
        return false;
    }
    *nanoseconds = sum;
    return true;
}

bool manifest_fraction(const char *text, struct rational *out) {
    int64_t num;
    int64_t den = 1;
    if (!digits(&text, UINT32_MAX, &num)) {
        return false;
    }
    if (*text == '/') {
        text++;
        if (!digits(&text, UINT32_MAX, &den)) {
            return false;
        }
    }
    if (*text != '\0' || num == 0 || den == 0) {
        return false;
    }
    *out = rational_of(num, den);
    return true;
}
