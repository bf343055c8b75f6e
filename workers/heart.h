/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The node's session with the scheduler: a thread opens it, tells of the tasks by heartbeats
 * (ARCHITECTURE section 7), follows the orders that come back, and opens another where it is lost.
 */
#ifndef WORKERS_HEART_H
#define WORKERS_HEART_H

#include "node.h"

struct heart {
    struct node *node; /* borrowed */
    pthread_t thread;
    bool started;
    bool ends;          /* under the node's lock */
    bool leaves;        /* likewise */
    atomic_bool cancel; /* ends its calls */
    int64_t heard_ms;   /* when the latest heartbeat was sent that the scheduler answered */
    int unheard;        /* heartbeats since */
    bool is_drained;    /* as the scheduler last said */
    int64_t warned_ms;  /* when the log was last told that it is away */
};

/* Starts the thread for a node whose slots all have theirs; `heart` is zeroed. Returns 0 or an
 * errno. */
int heart_start(struct heart *heart, struct node *node);

/* The scheduler is told, at once and from then on, that the node takes nothing new. Takes one that
 * was not started. */
void heart_leave(struct heart *heart);

/* Under the node's lock: its thread is to end. */
void heart_end(struct heart *heart);

/* After that: waits for it. Takes one that was not started. */
void heart_join(struct heart *heart);

#endif
