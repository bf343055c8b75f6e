/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One slot of a worker: see slot.h. */
#include "slot.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/http.h"
#include "common/log.h"
#include "common/mem.h"
#include "turns.h"

enum { CONTEXT_TEXT = 384 };

/* One answer to the scheduler, told until it is heard or worth nothing any more. */
struct tale {
    struct api *api;
    const struct task_run *run;
    const struct err *why; /* NULL: the task is done */
    bool accepted;
};

static int tell_once(struct tale *tale, struct err *err) {
    const struct task_run *run = tale->run;
    int64_t fence = run->task->fence;
    return tale->why == NULL
               ? api_complete_task(tale->api, fence, &run->report, &tale->accepted, err)
               : api_fail(tale->api, fence, run->failure, tale->why->message, run->missing,
                          run->missing_count, err);
}

static int tell(struct slot *slot, struct tale *tale, struct err *err) {
    static const struct http_retry retry = {
        .attempts = 0, .first_ms = 500, .most_ms = API_PAUSE_MS};
    bool pure = task_is_pure(tale->run->task->kind);
    int64_t until = clock_monotonic_ms() +
                    (pure ? slot->shared->keep_ms : atomic_load(&slot->shared->ttl_ms));
    for (int failures = 1;; failures++) {
        struct err why = {0};
        int failed = tell_once(tale, &why);
        bool again = failed != 0 && !api_is_final(tale->api, failed) &&
                     clock_monotonic_ms() < until;
        if (!again ||
            !clock_sleep_ms(http_retry_pause_ms(&retry, failures, 0, NULL), &slot->cancel)) {
            return failed == 0 ? 0 : err_pass(err, &why);
        }
    }
}

static void log_result(const struct task_run *run, const struct err *why, const struct tale *tale,
                       const struct err *untold) {
    const struct task_stats *stats = &run->report.stats;
    if (untold->code != ERR_NONE) {
        log_warn("a result could not be told", "why=\"%s\"", untold->message);
    }
    if (why->code != ERR_NONE) {
        log_warn("task failed", "class=%s why=\"%s\"", failure_class_name(run->failure),
                 why->message);
        return;
    }
    log_info("task done",
             "accepted=%s wall_s=%.3f cpu_s=%.3f source_bytes=%" PRId64 " peak_memory=%" PRId64,
             tale->accepted ? "yes" : "no", stats->wall_s, stats->cpu_s, stats->source_bytes,
             stats->peak_memory);
}

static void context_set(const struct task *task) {
    char context[CONTEXT_TEXT];
    snprintf(context, sizeof(context),
             "trace=%s title=%s kind=%s fence=%" PRId64 " attempt=%d units=%zu rendition=%s",
             task->trace, task->title, task_kind_name(task->kind), task->fence, task->attempt,
             task->unit_count, task->unit_count > 0 ? task->units[0].rendition : "");
    log_context(context);
}

/* Waits for its turn, which another's end gives; at a stop without one. */
static void turn_take(struct slot *slot) {
    struct slot_shared *shared = slot->shared;
    struct slot_turns *turns = slot->turns;
    pthread_mutex_lock(&shared->lock);
    while (turns != NULL && turns->taken >= turns->most && !atomic_load(&slot->cancel)) {
        pthread_cond_wait(&shared->changed, &shared->lock);
    }
    if (turns != NULL) {
        turns->taken += turns_of(slot);
    }
    slot->began_ms = clock_monotonic_ms();
    pthread_mutex_unlock(&shared->lock);
}

/* Before the result is told: that takes a round trip. */
static void turn_give(struct slot *slot) {
    pthread_mutex_lock(&slot->shared->lock);
    if (slot->turns != NULL) {
        slot->turns->taken -= turns_of(slot);
        pthread_cond_broadcast(&slot->shared->changed);
    }
    pthread_mutex_unlock(&slot->shared->lock);
}

/* A stopped task is told nothing of: nobody wants it, or the whole worker leaves. */
static void work(struct slot *slot, const struct task_tools *tools, struct box *spare) {
    struct err why = {0};
    struct err untold = {0};
    struct task_run run = {
        .task = slot->task,
        .tools = tools,
        .cancel = &slot->cancel,
        .progress = &slot->progress,
    };
    context_set(slot->task);
    api_set_trace(tools->api, slot->task->trace);
    log_debug("task begins", "");
    if (slot->task->kind == TASK_VIDEO && tools->box->proc.pid == 0) {
        box_open(tools->box, tools->box_options, NULL); /* links while it waits for its turn */
    }
    turn_take(slot);
    if (slot->task->kind == TASK_VIDEO && spare->proc.pid == 0) {
        box_open(spare, tools->box_options, NULL); /* links while this task encodes */
    }
    int failed = task_perform(&run, &why);
    turn_give(slot);
    if (tools->box->proc.pid == 0 && spare->proc.pid != 0) {
        *tools->box = *spare;
        *spare = BOX_CLOSED;
    } else if (tools->box->proc.pid == 0 && !slot->childless && !atomic_load(&slot->cancel)) {
        box_open(tools->box, tools->box_options, NULL); /* ready before the next task is leased */
    }
    if (failed == ERR_CANCELLED) {
        log_info("task stopped", "");
    } else {
        struct tale tale = {.api = tools->api, .run = &run, .why = failed == 0 ? NULL : &why};
        tell(slot, &tale, &untold);
        log_result(&run, &why, &tale, &untold);
    }
    log_context(NULL);
    api_set_trace(tools->api, NULL);
    task_run_finish(&run);
}

static bool next_task(struct slot *slot) {
    struct slot_shared *shared = slot->shared;
    pthread_mutex_lock(&shared->lock);
    while (slot->task == NULL && !shared->ending) {
        pthread_cond_wait(&shared->changed, &shared->lock);
    }
    bool got = slot->task != NULL;
    pthread_mutex_unlock(&shared->lock);
    return got;
}

static void rest(struct slot *slot) {
    struct slot_shared *shared = slot->shared;
    pthread_mutex_lock(&shared->lock);
    struct task *done = slot->task;
    slot->task = NULL;
    pthread_cond_broadcast(&shared->changed);
    pthread_mutex_unlock(&shared->lock);
    task_free(done);
}

static void *slot_run(void *context) {
    struct slot *slot = context;
    struct slot_shared *shared = slot->shared;
    struct box box = BOX_CLOSED;
    struct box spare = BOX_CLOSED; /* the next task's child */
    struct task_tools tools = {
        .access = &shared->access,
        .box = &box,
        .box_options = &shared->box_options,
        .lease_until_ms = &shared->lease_until_ms,
        .keep_until_ms = &shared->keep_until_ms,
        .stall_limit_s = shared->stall_limit_s,
        .private_sources = shared->private_sources,
        .endpoint_secrets = shared->endpoint_secrets,
        .share = shared->share,
        .push_memory = &shared->push_memory,
        .headers = shared->headers,
    };
    struct err err = {0};
    if (api_create(&tools.api, &shared->access, &slot->cancel, &err) != 0) {
        log_error("a slot can't begin", "why=\"%s\"", err.message);
        return NULL;
    }
    if (!slot->childless && !slot->late) {
        box_open(&box, &shared->box_options, NULL); /* where it fails, the first task says why */
    }
    while (next_task(slot)) {
        work(slot, &tools, &spare);
        rest(slot);
    }
    box_close(&box);
    box_close(&spare);
    api_destroy(tools.api);
    return NULL;
}

int slot_start(struct slot *slot, struct slot_shared *shared, struct err *err) {
    sigset_t all;
    sigset_t before;
    slot->shared = shared;
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&slot->thread, NULL, slot_run, slot);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed == 0 ? 0 : err_set_errno(err, failed, "cannot start a slot's thread");
}

void slot_give(struct slot *slot, struct task *task) {
    atomic_store(&slot->cancel, false);
    atomic_store(&slot->progress.done, 0);
    atomic_store(&slot->progress.total, 0);
    slot->began_ms = 0;
    slot->foreseen = false;
    slot->task = task;
    pthread_cond_broadcast(&slot->shared->changed);
}

void slot_join(struct slot *slot) {
    pthread_join(slot->thread, NULL);
}
