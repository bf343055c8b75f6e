/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a title waits for and why, in sentences for people: the facts of the store, gathered by
 * why_load, and the sentences made of them, a pure function of the facts.
 */
#ifndef SCHEDULER_WHY_H
#define SCHEDULER_WHY_H

#include "common/json.h"
#include "farm.h"
#include "missing.h"
#include "scheduler/publishing/publication_waits.h"

enum {
    WHY_TASKS_SHOWN = 16,
    WHY_LINES_MAX = 16,    /* build lines that one plan pins, of which a few are usual */
    WHY_WORKERS_SHOWN = 8, /* of those with failures, the latest first */
    WHY_PUBLICATIONS_SHOWN = 8,
};

/* A task that runs. */
struct why_task {
    enum task_kind kind;
    const char *worker;
    int64_t for_ms;         /* since when */
    int chunk;              /* -1: none */
    const char *renditions; /* "h264-720p, h264-540p"; "" of kinds without */
    double share;           /* done, from 0 to 1 */
    double expected_s;      /* all of it, there */
    int64_t reserve_bytes;
    int64_t able;       /* workers that could have been given it */
    const char *hedges; /* worker of the straggler that it doubles; "" for none */
};

/* What the workers are that could run something; drained ones are given nothing, and those with a
 * weaker sandbox than the farm asks for nothing that reads a source. */
struct why_workers {
    int64_t count;
    int64_t drained;
    const char *drained_worker; /* one of those; "" for none */
    int64_t weak;               /* by their sandbox, whether drained or not */
    const char *weak_worker;    /* one of those */
    int64_t slots;              /* of those that are neither, as are: */
    int64_t free_slots;
    int64_t memory_bytes; /* of the largest */
};

/* Units that are ready now and need one build line. */
struct why_line {
    int64_t build;
    const char *line; /* "" for none: any worker will do */
    int64_t units;
    int64_t memory_bytes; /* the most that one of them takes */
    int64_t slots;        /* the least, of their tenant's cap; a worker may have fewer */
    struct why_workers able;
};

/* What failed on a worker in this run of the title. */
struct why_failures {
    const char *worker;
    int64_t fence;       /* of the task that was counted last */
    bool fence_returned; /* it is counted as returned */
    int64_t failed;      /* tasks */
    int64_t returned;    /* tasks that it gave back or was lost with */
    int64_t ago_ms;      /* since the last failure */
    const char *class;   /* of the last failure; "" for none */
    const char *message;
};

/* What an edge or catalog has still to be brought, or to lose. */
struct why_publication {
    const char *endpoint;
    bool leaves; /* nothing of the title is wanted there */
    bool listed; /* it stands in the scheduler's file */
    struct publication_waits waits;
    int64_t for_ms;   /* since when; 0: not known */
    int64_t again_ms; /* until it may go on; 0: not known */
    int64_t failures;
    const char *error; /* of the last one; "" for none */
};

struct why {
    struct arena arena;   /* of all texts */
    const char *shown_to; /* a tenant, who is told of no other title; "": anybody */
    const char *title;
    enum title_state state;
    const char *version; /* current one; "" for none */
    const char *class;   /* why it failed; "" otherwise */
    const char *error;
    struct missing_list missing; /* what it goes without */
    int64_t units[UNIT_STATE_COUNT];
    int64_t unnamed;   /* ready but for the source's identity, for which nobody reads it */
    int64_t paused;    /* in back-off */
    int64_t pause_ms;  /* until the last of these may be tried again */
    size_t task_count; /* that run */
    struct why_task tasks[WHY_TASKS_SHOWN];
    size_t line_count;
    struct why_line lines[WHY_LINES_MAX];
    struct why_workers workers; /* of the farm */
    enum sandbox_level sandbox_required;
    const char *tenant;
    int64_t tenant_running;   /* slots that tasks of all its titles take */
    int64_t tenant_cap;       /* 0: none */
    int64_t above;            /* titles of higher priority that have not ended */
    int64_t smaller;          /* of its priority, of tenants that have a smaller share */
    int64_t earlier;          /* of its priority and tenant, before it by deadline or age */
    size_t publication_count; /* that are not as they shall be */
    struct why_publication publications[WHY_PUBLICATIONS_SHOWN];
    size_t failure_count;
    struct why_failures failures[WHY_WORKERS_SHOWN];
};

/* Gathers the facts; NOT_FOUND of the transaction where there is no such title. Reads through
 * indexes: the units, leases and failures of this title, the sessions, the titles that have not
 * ended. `out` is zeroed but for `shown_to`, and owned by the caller: why_finish, in any case. */
void why_load(struct why *out, struct tx *tx, struct farm *farm, const char *title);
void why_finish(struct why *why);

/* Writes {title, state, sentences: [{about, text}]}, the most important sentence first. */
void why_write(const struct why *why, struct writer *w);

/* GET /v1/titles/T/why: both, as who sees the whole farm is told; and as a tenant's caller is, who
 * is told of no other title ("": one who sees the whole farm). */
void why_title(struct tx *tx, struct farm *farm, const char *title, struct writer *w);
void why_title_to(struct tx *tx, struct farm *farm, const char *title, const char *tenant,
                  struct writer *w);

#endif
