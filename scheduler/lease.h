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
    int slots;            /* tasks wanted at most */
    int64_t memory_bytes; /* free on the worker */
    bool kinds[TASK_KIND_COUNT];
};

/* Whether any unit is ready now, whoever could run it. */
bool lease_any_ready(struct tx *tx);

/*
 * Leases up to `slots` tasks and writes them as elements of the array that is open
 * in `w`; returns how many. Where there are none, `*retry_at` is the store's time
 * at which there may be (a pause ends), 0 for none. NOT_FOUND where the session is
 * gone.
 */
int lease_grant(struct tx *tx, struct farm *farm, const struct lease_request *request,
                struct writer *w, int64_t *retry_at);

#endif
