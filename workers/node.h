/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the threads of the encode node share: its slots, and the session with the scheduler, which
 * the heart (heart.h) keeps and by which lanes (lane.h) lease.
 */
#ifndef WORKERS_NODE_H
#define WORKERS_NODE_H

#include <pthread.h>
#include <stdbool.h>

#include "api.h"
#include "slot.h"

struct node {
    struct slot_shared shared; /* its lock guards what follows too */
    struct api_worker worker;  /* what is announced; does not change */
    struct slot *slots;        /* of all lanes; owned by the daemon, as is what they have */
    size_t slot_count;         /* that have a thread; under the lock */
    size_t slot_most;          /* for which there is room; does not change */
    size_t endpoints;          /* of the farm, as the last heartbeat was told */
    struct api_session session;
    bool has_session;
    bool listed;         /* the session knows what runs here */
    bool refused;        /* by the scheduler, for good */
    pthread_cond_t beat; /* the heart is to look at once, or to end */
};

/* Makes the lock and what is waited for, by the monotonic clock. */
void node_init(struct node *node);

/* Under the lock: waits for a condition of the node, so long at most. */
void node_wait(struct node *node, pthread_cond_t *condition, int64_t ms);

/* Whether the scheduler has refused this worker for good. */
bool node_is_refused(struct node *node);

/* Whether any slot has a task. */
bool node_is_busy(struct node *node);

/* Starts a thread that takes no signal: those are the main thread's. Returns 0 or an errno. */
int node_thread(pthread_t *out, void *(*run)(void *), void *context);

#endif
