/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What tasks are expected to take, and the learning of it from their reports: model.h over the
 * store, which outlives the scheduler. All calls run inside a transaction.
 */
#ifndef SCHEDULER_ESTIMATE_H
#define SCHEDULER_ESTIMATE_H

#include "farm.h"

/* The number of the class that a rendition's units are of, given at its first use. */
int64_t estimate_class(struct tx *tx, struct farm *farm, const struct rendition_plan *rendition);

/* Corrects the cost of units, which is the table's, by what their classes are known to take. */
void estimate_costs(struct tx *tx, struct farm *farm, struct unit_list *units);

/* What a second of the table takes of the farm as it is, for units of a rendition; `slow` is
 * estimate_farm_slowness. Whether the farm has reports of such units: else it is 1. Writes
 * nothing. */
bool estimate_rendition(double *factor, struct tx *tx, struct farm *farm,
                        const struct rendition_plan *rendition, double slow);

/* How much longer than others the workers take that are there, by the slots that each has; 1 where
 * nothing is known of them. */
double estimate_farm_slowness(struct tx *tx, struct farm *farm);

/* Who runs a task; borrowed. */
struct estimate_place {
    const char *host;
    const char *worker;
};

struct estimate {
    double wall_s;         /* by the clock, there */
    double spread;         /* most such tasks are within this factor of it */
    int64_t table_bytes;   /* what the table says */
    int64_t reserve_bytes; /* to set aside for it: at most table_bytes */
};

/* Of a task of these units at a worker; `table_bytes` without what failures doubled. */
struct estimate estimate_task(struct tx *tx, struct farm *farm, const struct unit_row *units,
                              size_t count, const struct estimate_place *place,
                              int64_t table_bytes);

/* Takes in what an accepted result of a task with pictures or sound says. `units` as they are in
 * the store. */
void estimate_learn(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                    const struct unit_list *units, const struct task_stats *stats);

#endif
