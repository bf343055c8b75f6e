/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a worker is told that leases units: spec, source, where objects go, limits.
 */
#ifndef SCHEDULER_TASK_MAKE_H
#define SCHEDULER_TASK_MAKE_H

#include "estimate.h"
#include "farm.h"

/*
 * Fills a zeroed task with all but its fence, and what it is expected to take at `place`. The
 * units are of one title and one group of forming.h. Finish the task in any case. The plan's
 * error where they make none; the transaction's where the plan can't be read.
 */
int task_make(struct task *out, struct estimate *estimate, struct tx *tx, struct farm *farm,
              const struct title_row *title, const struct unit_row *units, size_t count,
              const struct estimate_place *place, struct err *err);

/* Fills in what the probe of a source is told and may take, as for titles of this ladder. `source`
 * is borrowed by the task. */
void task_make_probe(struct task *task, const struct farm *farm, const struct task_source *source,
                     const struct ladder *ladder);

/* Fills in what a push may take, which runs in the worker's daemon. */
void task_make_push(struct task *task);

/* The same of a sweep, with all that a push alone is told left empty. */
void task_make_sweep(struct task *task);

/* All of a removal of what no kept version of the title names at an output, which is borrowed. */
void task_make_removal(struct task *task, const char *title, const char *output);

#endif
