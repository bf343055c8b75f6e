/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks from ready units: see forming.h. */
#include "forming.h"

#include <string.h>

/* A part of a chunk costs a decode and a start of its own, some 4 % of it at 720p, more with
 * fast presets: less than this much imbalance is not worth one. */
static const double slack = 1.1;

bool forming_same_task(const struct unit_row *a, const struct unit_row *b) {
    return a->kind == TASK_VIDEO && b->kind == TASK_VIDEO && !a->alone && !b->alone &&
           a->chunk == b->chunk && a->build == b->build && strcmp(a->title, b->title) == 0;
}

size_t forming_groups(const struct unit_row *units, size_t count, struct form_group *out) {
    size_t groups = 0;
    for (size_t i = 0; i < count; i++) {
        struct form_group *last = groups > 0 ? &out[groups - 1] : NULL;
        if (last == NULL || last->count == FORM_RUNGS_MAX ||
            !forming_same_task(&units[last->first], &units[i])) {
            last = &out[groups++];
            *last = (struct form_group){.first = i};
        }
        last->count++;
        last->cost_s += units[i].cost_s;
    }
    return groups;
}

size_t forming_next(const struct unit_row *units, const struct form_group *groups, size_t count,
                    size_t slots) {
    size_t next = 0;
    for (size_t i = 0; i < count; i++) {
        if (units[groups[i].first].kind == TASK_PROBE) {
            return i;
        }
    }
    for (size_t i = 1; count <= 2 * slots && i < count; i++) {
        if (groups[i].cost_s > groups[next].cost_s) {
            next = i;
        }
    }
    return next;
}

double forming_budget(const double *busy_s, size_t busy, size_t slots, double work_s) {
    double budget = 1e300;
    double before = 0;
    while (budget != before) { /* leaving out a long task lowers it, which may leave out more */
        double total = work_s;
        size_t sharing = slots - busy;
        for (size_t i = 0; i < busy; i++) {
            if (busy_s[i] <= budget) {
                total += busy_s[i];
                sharing++;
            }
        }
        before = budget;
        budget = total / (double)sharing;
    }
    return budget;
}

/* The unit of the greatest cost that is not taken and costs at most `most_s`;
 * `count` where there is none. */
static size_t costliest(const struct unit_row *units, size_t count, const bool *taken,
                        double most_s) {
    size_t best = count;
    for (size_t i = 0; i < count; i++) {
        if (!taken[i] && units[i].cost_s <= most_s &&
            (best == count || units[i].cost_s > units[best].cost_s)) {
            best = i;
        }
    }
    return best;
}

size_t forming_share(const struct unit_row *units, size_t count, double budget_s,
                     size_t chosen[FORM_RUNGS_MAX]) {
    bool taken[FORM_RUNGS_MAX] = {false};
    count = count < FORM_RUNGS_MAX ? count : FORM_RUNGS_MAX;
    double most = budget_s * slack;
    size_t at = costliest(units, count, taken, 1e300);
    while (at < count) {
        taken[at] = true;
        most -= units[at].cost_s;
        at = costliest(units, count, taken, most);
    }
    size_t result = 0;
    for (size_t i = 0; i < count; i++) {
        if (taken[i]) {
            chosen[result++] = i;
        }
    }
    return result;
}
