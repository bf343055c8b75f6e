/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots as they are taken by tasks, and which of them will be free soon: pure, under the lock of
 * the slots.
 */
#ifndef WORKERS_TURNS_H
#define WORKERS_TURNS_H

#include "slot.h"

/* How many slots a slot's task takes, as the scheduler counts (lease.h there): as many as its
 * encoders have threads, at most all; 0: it is idle. Its own thread needs no lock. */
size_t turns_of(const struct slot *slot);

/* How many are taken by tasks of these, those that wait for their turn with them. */
size_t turns_taken(const struct slot *slots, size_t count);

/* The fence of the task for whose slot another is to be asked for now, at `now_ms` of the
 * monotonic clock; 0: none. That is one that is about to end, if none is free before and one is
 * then, for what waits already too. Of each task it says so once. The slots share turns. */
int64_t turns_foresee(struct slot *slots, size_t count, int64_t now_ms);

#endif
