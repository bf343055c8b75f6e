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

/* Exactly `count` digits and then, unless it is 0, that mark. */
static bool fixed(const char **at, int count, char mark, int64_t *out) {
    const char *from = *at;
    bool good = digits(at, 9999, out) && *at - from == count && (mark == '\0' || **at == mark);
    *at += good && mark != '\0' ? 1 : 0;
    return good;
}

/* Days from 1970 on, of the Gregorian calendar; false for a day that is none. */
static bool days_since_1970(int64_t year, int64_t month, int64_t day, int64_t *out) {
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1970 || month < 1 || month > 12 || day < 1 ||
        day > before[month] - before[month - 1] + (leap && month == 2)) {
        return false;
    }
    int64_t past = year - 1;
    int64_t leaps = past / 4 - past / 100 + past / 400 - (1969 / 4 - 1969 / 100 + 1969 / 400);
    *out = 365 * (year - 1970) + leaps + before[month - 1] + (leap && month > 2) + day - 1;
    return true;
}

/* "Z", "+01:00" or "+0100", in minutes. */
static bool zone(const char *at, int64_t *minutes) {
    int64_t hour = 0;
    int64_t minute = 0;
    *minutes = 0;
    if (strcmp(at, "Z") == 0) {
        return true;
    }
    int sign = *at == '-' ? -1 : 1;
    bool good = *at == '+' || *at == '-';
    if (good && strlen(++at) == 4) {
        good = fixed(&at, 4, '\0', &hour);
        minute = hour % 100;
        hour /= 100;
    } else {
        good = good && fixed(&at, 2, ':', &hour) && fixed(&at, 2, '\0', &minute);
    }
    *minutes = sign * (60 * hour + minute);
    return good && *at == '\0' && hour < 24 && minute < 60;
}

bool manifest_date(const char *text, int64_t *ms) {
    int64_t year, month, day, hour, minute, days, second_ns, offset;
    int decimals;
    if (!fixed(&text, 4, '-', &year) || !fixed(&text, 2, '-', &month) ||
        !fixed(&text, 2, 'T', &day) || !fixed(&text, 2, ':', &hour) ||
        !fixed(&text, 2, ':', &minute) || !seconds(&text, &second_ns, &decimals) ||
        !zone(text, &offset) || !days_since_1970(year, month, day, &days) || hour > 23 ||
        minute > 59 || second_ns / NANOSECONDS > 60) {
        return false;
    }
    int64_t minutes = (days * 24 + hour) * 60 + minute - offset;
    *ms = minutes * 60 * 1000 + second_ns / (NANOSECONDS / 1000);
    return true;
}
