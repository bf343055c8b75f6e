/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One slot of a worker: a thread that does one task at a time and says how it went. Its
 * heartbeat is told elsewhere (heart.c), from fields that may be read at any time.
 */
#ifndef WORKERS_SLOT_H
#define WORKERS_SLOT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "task.h"

/* What all slots share; outlives them. */
struct slot_shared {
    struct api_access access;
    struct box_options box_options;
    double stall_limit_s;
    bool private_sources;
    const char *endpoint_secrets; /* a file; NULL: none */
    struct share *share;          /* of pushes (edge_share.h) */
    struct pool_memory push_memory;
    struct headers *headers; /* of sources (headers.h) */
    int64_t keep_ms; /* results of pure tasks are kept so long for a scheduler that is away */
    _Atomic int64_t ttl_ms; /* of the session: how long results of other tasks are worth telling */
    _Atomic int64_t lease_until_ms; /* monotonic: what is not pure is ours till then for sure */
    _Atomic int64_t keep_until_ms;  /* the same: nothing that is pure is put from then on */
    pthread_mutex_t lock;           /* of every slot's `task` */
    pthread_cond_t changed;         /* a slot got a task, or became idle, or is to end */
    bool ending;                    /* under the lock: idle slots end */
};

/* What slots share that encode: there is a thread more than slots, which takes a task ahead. A
 * task's turn comes when any slot is free, though it takes more than one. Under the lock. */
struct slot_turns {
    size_t most;
    size_t taken; /* by tasks that have begun */
};

struct slot {
    struct slot_shared *shared;
    pthread_t thread;
    bool childless;           /* none of its tasks needs a child: none is started ahead */
    bool late;                /* nor before its first one, which may never come */
    struct slot_turns *turns; /* borrowed; NULL: it need not wait for one */
    struct task *task;        /* under the lock; owned; NULL: idle */
    int64_t began_ms;         /* under the lock: its turn, on the monotonic clock; 0: not yet */
    bool foreseen;            /* under the lock: its end was, once */
    atomic_bool cancel;       /* stops the task, and all that it waits for */
    struct task_progress progress;
};

/* Starts the thread. */
int slot_start(struct slot *slot, struct slot_shared *shared, struct err *err);

/* Under the lock: gives an idle slot a task, which it takes. */
void slot_give(struct slot *slot, struct task *task);

/* After `ending` is set and `changed` told: waits for the thread's end. */
void slot_join(struct slot *slot);

#endif
