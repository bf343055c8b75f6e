/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title's place in the queue, from options: see title_order.h. */
#include "title_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/wire.h"

enum { AMOUNT_MAX = 1000000 };

/* "+90m"; whether it is one. */
static bool parse_span(const char *text, int64_t *ms) {
    static const struct {
        char letter;
        int64_t ms;
    } units[] = {{'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    char *end = NULL;
    if (text[0] != '+' || text[1] < '0' || text[1] > '9') {
        return false;
    }
    long amount = strtol(text + 1, &end, 10);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (end[0] == units[i].letter && end[1] == '\0' && amount > 0 && amount <= AMOUNT_MAX) {
            *ms = amount * units[i].ms;
            return true;
        }
    }
    return false;
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

bool title_time_parse(const char *text, int64_t *ms) {
    static const char shape[] = "0000-00-00T00:00:00";
    struct tm utc = {0};
    int64_t offset = 0;
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
    *ms = (seconds - offset) * 1000;
    return true;
}

int title_deadline_parse(const char *text, int64_t now_ms, int64_t *out, struct err *err) {
    int64_t ms = 0;
    if (parse_span(text, &ms)) {
        *out = now_ms + ms;
    } else if (title_time_parse(text, &ms) && ms > 0) {
        *out = ms;
    } else {
        return err_set(err, ERR_INVALID,
                       "'%.60s' is no deadline; write it as 2026-12-01T18:00:00Z, or as +90m, "
                       "+12h or +2d from now",
                       text);
    }
    return 0;
}

int title_order_read(struct title_order *out, const struct invocation *invocation,
                     struct err *err) {
    const char *deadline = option_value(invocation, "deadline");
    struct title_order order = {.tenant = option_value(invocation, "tenant"),
                                .labels = option_value(invocation, "label"),
                                .has_priority = option_value(invocation, "priority") != NULL};
    int failed =
        option_int(invocation, "priority", PRIORITY_MIN, PRIORITY_MAX, 0, &order.priority, err);
    if (failed == 0 && deadline != NULL) {
        failed = title_deadline_parse(deadline, clock_wall_ms(), &order.deadline_ms, err);
    }
    if (failed == 0) {
        *out = order;
    }
    return failed;
}

static void write_labels(const char *labels, struct writer *w) {
    writer_array(w, "labels");
    for (const char *at = labels + strspn(labels, ","); *at != '\0'; at += strspn(at, ",")) {
        size_t length = strcspn(at, ",");
        char *label = mem_format("%.*s", (int)length, at);
        writer_string(w, NULL, label);
        mem_free(label);
        at += length;
    }
    writer_array_end(w);
}

void title_order_write(const struct title_order *order, struct writer *w) {
    if (order->has_priority) {
        writer_int(w, "priority", order->priority);
    }
    if (order->tenant != NULL) {
        writer_string(w, "tenant", order->tenant);
    }
    if (order->deadline_ms != 0) {
        writer_int(w, "deadline", order->deadline_ms);
    }
    if (order->labels != NULL) {
        write_labels(order->labels, w);
    }
}
