/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Inside of the task push (task_push.c): what its steps hand to each other, and those that bring a
 * version (push_bring.c) and take one away (push_remove.c). Each is a step as task.h has it, and
 * does nothing where there is nothing of its kind to do.
 */
#ifndef WORKERS_PUSH_STEPS_H
#define WORKERS_PUSH_STEPS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "task.h"
#include "workers/edges/edge.h"
#include "workers/edges/edge_pool.h"
#include "workers/edges/push_order.h"

/* What is known of a rendition at the endpoint. */
struct standing {
    atomic_bool absent;  /* an object of it is not there: no more looks */
    atomic_bool damaged; /* what was read back was not what was brought */
};

struct push_state {
    struct task_run *run;
    struct edge_secret secret;
    struct edge_target target;
    const struct edge_driver *driver;
    struct pool *pool;
    struct buf document; /* VERSION.json, as it lies at the origin */
    struct push_version version;
    struct standing *standings; /* of each rendition */
    atomic_int_fast64_t objects;
    atomic_int_fast64_t bytes;
    atomic_int_fast64_t requests; /* by which those were brought, and their time */
    atomic_int_fast64_t busy_ms;
    atomic_bool fetches; /* players are given from the output what went from there */
};

/* Whether a version is brought, as files. */
bool push_brings(const struct push_state *push);

/* Waits for the end of a phase of the pool's: 0, or the first failure, of `failed` or the pool. */
int push_phase_end(struct push_state *push, int failed, struct err *err);

/* Nothing is listed before it is there. */
int push_media_bring(struct task_run *run, struct err *err);
int push_playlists_bring(struct task_run *run, struct err *err);
int push_version_bring(struct task_run *run, struct err *err);
int push_names_bring(struct task_run *run, struct err *err);

/* Reads back as players do, and brings once more what is not as it was brought. */
int push_media_verify(struct task_run *run, struct err *err);
int push_documents_verify(struct task_run *run, struct err *err);

/* A title that goes, goes by its stable names first: who plays it plays on, nobody begins. */
int push_names_remove(struct task_run *run, struct err *err);

/* What lists before what is listed. */
int push_old_versions_remove(struct task_run *run, struct err *err);
int push_old_folders_remove(struct task_run *run, struct err *err);

/* Folders that are empty now, and what no list named: of a title that goes, all. */
int push_rest_remove(struct task_run *run, struct err *err);

/* What lies there and is of no version that may. */
int push_orphans_remove(struct task_run *run, struct err *err);

/* Whether players find a title that went: an edge that fetches from the output what it lacks may
 * give it on. Of one that the output has no more, that is a failure of the edge's. */
int push_gone_verify(struct task_run *run, struct err *err);

#endif
