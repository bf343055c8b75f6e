/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The feed: what happened, in order. An event is written in the transaction of
 * what it tells, so that nobody sees event n before all below it are committed.
 */
#ifndef SCHEDULER_EVENTS_H
#define SCHEDULER_EVENTS_H

#include <stdint.h>

#include "common/json.h"
#include "store.h"

/* Appends an event of kind "thing.event". `unit` is 0 for the title as a whole;
 * `detail` is a JSON object or "". */
void event_add(struct tx *tx, const char *title, int64_t unit, const char *thing, const char *event,
               const char *detail);

/* Writes the events after number `after`, at most 500, as an array called
 * "events"; returns how many there were. */
int events_write(struct tx *tx, int64_t after, struct writer *w);

#endif
