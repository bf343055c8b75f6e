/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots that lease tasks of their own kinds, by a loop of their own: pushes never wait for
 * encoders, nor encoders for pushes. A task takes as many slots as its encoders have threads, at
 * most all; a lane asks for more while one is free, and where none is and one is about to be, for
 * a task that waits for it: there is a thread more than slots.
 *
 * The lane of pushes grows by a slot for each endpoint that the farm has, beside those that all
 * share: a push mostly waits for its endpoint, and none may wait for another's (the scheduler keeps
 * to that: push_lane.h there). What pushes hold in memory is one budget, beside which each may hold
 * one object.
 */
#ifndef WORKERS_LANE_H
#define WORKERS_LANE_H

#include "node.h"

struct lane {
    struct node *node; /* borrowed, as are the slots */
    const atomic_bool *leaving;
    const char *name;
    unsigned kinds; /* of bits 1 << enum task_kind */
    unsigned newer; /* those of them that an older scheduler does not know */
    struct slot *slots;
    size_t slot_count;
    size_t thread_count; /* of slots, those for tasks ahead with them */
    size_t shared;       /* slots without those for endpoints */
    size_t endpoints;    /* for which it may have slots, at most */
    bool is_stunted;     /* the last try to grow failed */
    struct slot_turns turns;
    int64_t ahead_from_ms; /* no task is asked for ahead before then */
    struct api *api;
    int failures;                   /* of leasing, one after another */
    char retired[API_SESSION_TEXT]; /* the session whose scheduler does not know some of them: */
    unsigned unknown;               /* these */
};

/* Leases until `*leaving` or until the scheduler refuses this worker; a lane, as threads have it.
 * Returns NULL. */
void *lane_run(void *context);

#endif
