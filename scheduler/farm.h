/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the store's thread keeps in memory between calls, all of it a cache or
 * soft: options, the plans of running titles, the progress of tasks. Only that
 * thread touches it, so nothing is locked.
 */
#ifndef SCHEDULER_FARM_H
#define SCHEDULER_FARM_H

#include <stdbool.h>
#include <stdint.h>

#include "model.h"
#include "plan.h"
#include "rows.h"
#include "scheduler/publishing/endpoints.h"
#include "store.h"
#include "tenants.h"

enum {
    FARM_PLANS = 4, /* plans kept parsed; a long title's takes some MB */
    FARM_FLOORS = 16,
    FARM_UNMADE = 8, /* build lines that missing.h's sweep looks at at a time */
};

/* What heartbeats said about a task. */
struct progress {
    int64_t fence;
    int64_t done; /* of total, in a unit of the worker's */
    int64_t total;
    int64_t heard_at; /* when it was last listed; 0: never */
};

struct farm_plan {
    char title[WIRE_TITLE_TEXT];
    int64_t submission;
    bool identified;
    struct plan *plan;
    uint64_t used; /* larger is later */
};

/* What order.h knows of the length of a queue. */
struct ready_floor {
    char tenant[TENANT_TEXT];
    int64_t priority;
    int64_t build;
    int64_t count; /* that were ready at least; 0: not known */
    int64_t tally; /* tx_tally then */
};

/* A build line that no worker there has, and for which images alone keep their titles. */
struct unmade_line {
    int64_t build;
    int64_t since;
};

struct farm {
    int64_t heartbeat_ms;
    int64_t ttl_ms;
    struct plan_limits limits;
    const char *sources; /* places.h: where sources may come from; borrowed; NULL: anywhere */
    const char *outputs; /* where outputs may go */
    const char *public_outputs; /* public_outputs.h: where players read them; borrowed */
    int64_t keep_versions_ms;   /* so long after it was replaced a version is kept */
    int64_t keep_versions;      /* so many of those that were replaced last stay longer */
    struct tenant_rules tenants;
    struct probe_book *probes;           /* of probes.h; NULL: none was asked for */
    struct orphan_book *orphans;         /* of orphans.h; likewise */
    const struct endpoints *endpoints;   /* where titles are published; borrowed; NULL: nowhere */
    int64_t behind_seen;                 /* of publication.h's sweep: how far it has looked; */
    bool behind_again;                   /* whether it is to look at all that wait for others */
    enum sandbox_level sandbox_required; /* of workers that are given a source's bytes */
    int hedge_after;        /* times its expected time, after which a task is hedged; 0: never */
    int64_t hedge_least_ms; /* and not before */
    uint64_t (*draw)(uint64_t bound); /* a random number in [0, bound) */
    struct progress *progress;        /* by fence */
    size_t progress_count;
    size_t progress_capacity;
    struct farm_plan plans[FARM_PLANS];
    struct model model; /* of the store; estimate.h loads it */
    uint64_t uses;
    int64_t slots; /* of farm_slots; -1: not known */
    struct ready_floor floors[FARM_FLOORS];
    size_t floor_next;                      /* the oldest of them */
    struct unmade_line unmade[FARM_UNMADE]; /* as missing.h's last sweep found them */
    size_t unmade_count;
};

/* Sets what is not asked of the store; farm_finish frees what has come to be kept. */
void farm_init(struct farm *farm);
void farm_finish(struct farm *farm);

/* The progress of a lease; NULL where no heartbeat has listed it. */
struct progress *farm_progress(struct farm *farm, int64_t fence);

/* The same, made where it is not there. Borrowed until the next call. */
struct progress *farm_progress_make(struct farm *farm, int64_t fence);
void farm_progress_drop(struct farm *farm, int64_t fence);

/* The share that is done, from 0 to 1. */
double farm_progress_share(struct farm *farm, int64_t fence);

/* The plan of a title that has one, borrowed until the call ends; NULL with the
 * transaction's error where it can't be read. */
const struct plan *farm_plan(struct tx *tx, struct farm *farm, const struct title_row *title);

/* The same without the title's row, where it is in memory; else NULL. `identified`: the source's
 * identity is known. */
const struct plan *farm_plan_kept(struct farm *farm, const char *title, int64_t submission,
                                  bool identified);

/* Reads the stored plan into an own copy; owned by the caller. NULL as above. */
struct plan *farm_plan_load(struct tx *tx, const struct title_row *title);

/* Plans by the encoders that sessions announce, idle where their worker is drained or its sandbox
 * weaker than the farm asks for; those of `options` are not looked at. As plan_create. */
int farm_plan_make(struct tx *tx, const struct farm *farm, const struct plan_options *options,
                   struct plan **out, struct err *err);

/* Reads the title's ladder. */
int farm_ladder(const struct title_row *title, struct ladder *out, struct err *err);

/* How many tasks the sessions of workers that are not drained run at a time. */
size_t farm_slots(struct tx *tx, struct farm *farm);

/* Sessions or drained workers are about to be others. */
void farm_slots_forget(struct farm *farm);

/* Forgets all that was read: after a transaction that failed, whose writes it may hold. */
void farm_forget(struct farm *farm);

/* The number by which the store knows a build line, given at its first use. */
int64_t farm_build_number(struct tx *tx, const char *line);

#endif
