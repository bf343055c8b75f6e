/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections of one push at work: a bounded queue of objects, and threads with an edge each,
 * as many at a time as the endpoint bears (edge_flow.h) and memory allows. It is used by one
 * thread, which adds objects phase by phase.
 */
#ifndef WORKERS_EDGES_EDGE_POOL_H
#define WORKERS_EDGES_EDGE_POOL_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/err.h"
#include "common/wire.h"
#include "edge.h"

struct pool;

/* Of all pools of a worker: bytes that their objects on their way may take together, of which each
 * has an equal part; one object of each always may. So none waits for what a slow one holds. */
struct pool_memory {
    int64_t bytes;
    _Atomic int64_t pools; /* that there are */
};

struct pool_options {
    struct edge_target target;  /* its cancel and speed are filled in by the pool */
    const atomic_bool *cancel;  /* borrowed */
    int64_t until_ms;           /* of clock_monotonic_ms: TIMEOUT after it; 0: never */
    struct pool_memory *memory; /* borrowed */
};

/* Does one object, in a thread of the pool's. */
typedef int pool_act(void *context, struct edge *edge, const struct edge_object *object,
                     struct err *err);

/* Starts no thread and asks nothing yet. */
struct pool *pool_create(const struct pool_options *options);

/* Begins a phase: what is added from here on is done by `act`, and `*done` (NULL: nobody asks)
 * grows by each object before which all of the phase are done. After pool_wait. */
void pool_begin(struct pool *pool, pool_act *act, void *context, _Atomic int64_t *done);

/* Adds an object, which is copied; waits for room. Those that are `unread` begin first, the others
 * as suits who pushes the same (edge_share.h). The first failure of the pool's, if there was one:
 * nothing is done any more then. */
int pool_add(struct pool *pool, const struct edge_object *object, struct err *err);

/* Waits until all that was added is done: 0, or the first failure. */
int pool_wait(struct pool *pool, struct err *err);

/* Whose fault the first failure was. */
enum failure_class pool_failure(const struct pool *pool);

/* What all connections met. After pool_wait. */
struct edge_traffic pool_traffic(const struct pool *pool);

/* Ends the threads; takes NULL. */
void pool_destroy(struct pool *pool);

#endif
