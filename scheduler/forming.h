/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tasks from ready units, as pure functions (ARCHITECTURE section 5): all rungs of
 * one codec of one chunk are one task, so that it is decoded once, while there is
 * work for every slot; near the end a slot takes only as many rungs as keep it busy
 * until all would be done, so that others don't stand idle.
 */
#ifndef SCHEDULER_FORMING_H
#define SCHEDULER_FORMING_H

#include <stdbool.h>
#include <stddef.h>

#include "rows.h"

/* Ready units [first, first + count) that could be one task. */
struct form_group {
    size_t first;
    size_t count;
    double cost_s;
};

enum { FORM_RUNGS_MAX = 32 };

/* Whether two units could be of one task. */
bool forming_same_task(const struct unit_row *a, const struct unit_row *b);

/* Finds the groups of units in the order of leasing; `out` has room for `count`.
 * Returns how many there are. */
size_t forming_groups(const struct unit_row *units, size_t count, struct form_group *out);

/* The group to lease next: a probe, since all else of its title hangs on it; else the first;
 * the costliest (of equals the first) where at most 2 x slots are left. count > 0. */
size_t forming_next(const struct unit_row *units, const struct form_group *groups, size_t count,
                    size_t slots);

/*
 * Seconds of work that a free slot should take: when all slots would be done if
 * `work_s` were spread over them, those left out that are busy for longer anyway.
 * `busy_s` is what remains of each running task; `slots` counts all and is more than `busy`.
 */
double forming_budget(const double *busy_s, size_t busy, size_t slots, double work_s);

/*
 * Which units of a group to take for a budget: the costliest, then what still fits
 * in; all of them where that is not much more than the budget, since a part costs a
 * decode of its own. Fills `chosen` with their indexes from `units`, rising; returns
 * how many, 1 to min(count, FORM_RUNGS_MAX).
 */
size_t forming_share(const struct unit_row *units, size_t count, double budget_s,
                     size_t chosen[FORM_RUNGS_MAX]);

#endif
