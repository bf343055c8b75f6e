/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the planner share. Private to plan*.c. */
#ifndef SCHEDULER_PLAN_PARTS_H
#define SCHEDULER_PLAN_PARTS_H

#include "plan.h"

/* Copies a document into a zeroed one: its index from entry `from` to before `to`,
 * its sentences for people only where asked. */
void plan_copy_source(struct source_document *out, const struct source_document *source,
                      size_t from, size_t to, bool sentences);

/* Expected CPU seconds of a unit: for pictures, its encoder's and its share of the
 * decoding that the rungs of its chunk have in common. */
double plan_unit_cost(const struct title_plan *title, const struct unit_plan *unit);

/* Appends the title's poster and storyboard to its renditions, for which there is room; none
 * where `row` is NULL: no worker makes them. */
void plan_images(struct title_plan *title, const struct ladder *ladder,
                 const struct announced_encoder *row);

#endif
