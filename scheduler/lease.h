/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving out work: ready units become tasks under new fences.
 */
#ifndef SCHEDULER_LEASE_H
#define SCHEDULER_LEASE_H

#include "common/json.h"
#include "farm.h"

struct lease_request {
    const char *session;
    int slots;            /* that are free */
    int64_t memory_bytes; /* free on the worker */
    bool ahead;           /* none is free yet, one is about to be */
    int64_t ends;         /* the fence of the task in that slot; 0: not known */
    bool kinds[TASK_KIND_COUNT];
};

/* Whether any unit is ready now, whoever could run it. */
bool lease_any_ready(struct tx *tx);

/*
 * Leases tasks for these slots and writes them as elements of the array that is open
 * in `w`; returns how many. A task whose encoders have several threads takes as many slots, at
 * most all of the worker's: such a one is leased where one is free, since it would else wait for
 * ever behind others, and none more until what it takes is free again.
 *
 * A request `ahead` gets what the slot would be given if it were free: the task that ends counts
 * no more for its tenant's share, but for its cap. The next task is held by the worker until the
 * other ends, so it is given only if it is a chunk, and more than three a slot of the farm are
 * ready that are as near: of the same tenant, priority and build line. Then whoever is free before
 * finds one that is as good. If something else is next, a probe, sound, a tenant with little, one
 * at its cap, nothing is given at all, and the slot asks when it is free: were what comes behind
 * it given instead, a slot that always asks ahead would never come to it. Nor is anything given
 * where the task that ends is of a title that is watched meanwhile: its playlists are next then.
 *
 * Where there are none, `*retry_at` is the store's time at which there may be (a pause ends), 0 for
 * none. NOT_FOUND where the session is gone.
 */
int lease_grant(struct tx *tx, struct farm *farm, const struct lease_request *request,
                struct writer *w, int64_t *retry_at);

#endif
