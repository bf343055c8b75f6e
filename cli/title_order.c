/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title's place in the queue, from options: see title_order.h. */
#include "title_order.h"

#include <stdlib.h>
#include <string.h>

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

int title_deadline_parse(const char *text, int64_t now_ms, int64_t *out, struct err *err) {
    int64_t ms = 0;
    if (parse_span(text, &ms)) {
        *out = now_ms + ms;
    } else if (clock_parse(text, &ms) && ms > 0) {
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
