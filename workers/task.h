/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Doing one leased task: each kind is a table of steps, gone through in order until
 * one fails.
 */
#ifndef WORKERS_TASK_H
#define WORKERS_TASK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "api.h"
#include "box.h"
#include "broker.h"
#include "common/blob.h"
#include "common/wire.h"
#include "headers.h"
#include "workers/edges/edge_pool.h"
#include "workers/edges/edge_share.h"

/* What a slot lends its tasks, one after the other. */
struct task_tools {
    const struct api_access *access; /* borrowed, as all here */
    struct api *api;                 /* of the slot's thread */
    struct box *box;                 /* closed, or a child that was started ahead */
    const struct box_options *box_options;
    double stall_limit_s;
    const _Atomic int64_t *lease_until_ms; /* monotonic: the lease is ours till then for sure */
    const _Atomic int64_t *keep_until_ms;  /* the same for what is pure: nobody counts on it then */
    bool private_sources;            /* http sources may be at addresses that are not public */
    const char *endpoint_secrets;    /* a file; NULL: none (edge_secrets.h) */
    struct share *share;             /* of all pushes (edge_share.h); NULL: each reads by itself */
    struct pool_memory *push_memory; /* of all pushes */
    struct headers *headers;         /* of all sources (headers.h); NULL: none is kept */
};

/* How far a task is, for the heartbeat; in any unit, total 0 where unknown. */
struct task_progress {
    _Atomic int64_t done;
    _Atomic int64_t total;
};

struct task_run {
    struct task *task;              /* borrowed */
    const struct task_tools *tools; /* borrowed */
    const atomic_bool *cancel;      /* borrowed */
    struct task_progress *progress; /* borrowed */
    /* Results. */
    struct task_report report;  /* owned */
    enum failure_class failure; /* where it failed */
    int64_t *missing;           /* owned: units whose objects are not there */
    size_t missing_count;
    /* What steps hand to each other; owned. */
    struct blob_source *source;
    struct header *header; /* of the source, in use; or NULL */
    struct blob *output;
    void *state; /* of the kind; freed by its last step, which always runs */
};

/* Goes through the task's steps: 0, and the report is whole; or a negative code, a sentence
 * for the user, and run->failure. CANCELLED where `cancel` became true. */
int task_perform(struct task_run *run, struct err *err);

/* Frees what it owns; takes a zeroed one. */
void task_run_finish(struct task_run *run);

/* Whether a task of this kind may be finished under a lost lease (ARCHITECTURE section 7). What
 * it puts is refused from tools->keep_until_ms on, what the others put and take away from
 * tools->lease_until_ms on. */
bool task_is_pure(enum task_kind kind);

/* ---- For the kinds ----------------------------------------------------------------- */

struct step {
    const char *name; /* for the log; NULL ends a table */
    int (*perform)(struct task_run *run, struct err *err);
};

struct task_kind_row {
    const struct step *steps;
    void (*finish)(struct task_run *run); /* frees run->state, also half made; may be NULL */
};

extern const struct task_kind_row task_probe_row;
extern const struct task_kind_row task_encode_row;
extern const struct task_kind_row task_package_row;
extern const struct task_kind_row task_swap_row;
extern const struct task_kind_row task_remove_row;
extern const struct task_kind_row task_push_row;
extern const struct task_kind_row task_hook_row; /* of pushes to a webhook */
extern const struct task_kind_row task_early_row;
extern const struct task_kind_row task_sweep_row;

/* Sets the class and returns `code`, so that a step may end with it. */
int task_fail(struct task_run *run, enum failure_class failure, int code);

/* Of a source of so many bytes those that a chunk's child reads: from the random access point at
 * which it begins to the first one behind the chunk, or to the source's end; as if all pictures
 * were of a size where the index does not know of both. */
int64_t task_chunk_bytes(const struct child_spec *spec, int64_t size);

/* Steps that several kinds share. */
int task_open_source(struct task_run *run, struct err *err); /* pinned where the pin is known */
int task_open_output(struct task_run *run, struct err *err);

/* Runs the child over run->source; what it says is told of `verb` ("read", "encode") and the
 * source's name. The box is closed at the end. */
int task_run_child(struct task_run *run, const char *verb, const struct broker_sink *sink,
                   struct err *err);

/* The class of an output that can't be read or written; adds what to do to the sentence. */
enum failure_class output_failure(const struct blob *output, int code, struct err *err);

/* Puts a small document under `key`; one that is there with the same bytes is fine, another
 * gives way where `mode` is BLOB_REPLACE. */
int task_put_document(struct task_run *run, const char *key, const void *data, size_t size,
                      enum blob_put_mode mode, struct err *err);

/* A step: takes back what workers that died were storing below the title's folder. For when
 * nobody needs to put anything there any more. A store that can't be asked just now fails it. */
int task_abandon_puts(struct task_run *run, struct err *err);

#endif
