/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * push to a webhook: tells it of events, one after another, or many in one request. Of one title
 * none goes behind one that was not taken. An endpoint that does not answer, or wants no more for
 * now, is left at once. How each was taken is the report; the task itself fails only where nothing
 * can be sent from here, or nothing may be: an endpoint that is to be asked first gave no leave.
 */
#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/mem.h"
#include "task.h"
#include "workers/edges/edge.h"

enum {
    LEASE_MS = 20000, /* after which the rest is left to another lease */
    STALL_S = 30,
    ERROR_BYTES = 500,
    MINUTE_MS = 60000,
};

enum standing { STANDING_NEW, STANDING_TAKEN, STANDING_FAILED };

struct hook_state {
    struct edge_secret secret;
    struct edge_target target;
    struct edge *edge;        /* owned */
    enum standing *standings; /* owned; of each event */
    bool ended;               /* nothing more is sent */
    char *refused;   /* owned; by which error many in one request were; NULL: they were not */
    int rate;        /* requests a minute; 0: any */
    int64_t next_ms; /* monotonic: none is sent before it */
};

static int secret_read(struct task_run *run, struct err *err) {
    struct hook_state *state = mem_zero(1, sizeof(*state));
    const struct push_endpoint *endpoint = &run->task->push.endpoint;
    run->state = state;
    int failed =
        edge_secret_load(&state->secret, run->tools->endpoint_secrets, endpoint->name, err);
    return failed == 0 ? 0 : task_fail(run, FAILURE_REFUSED, failed);
}

static int endpoint_open(struct task_run *run, struct err *err) {
    struct hook_state *state = run->state;
    const struct hook_task *hook = &run->task->hook;
    state->target = (struct edge_target){.endpoint = &run->task->push.endpoint,
                                         .secret = &state->secret,
                                         .origin = "",
                                         .title = run->task->title,
                                         .trace = run->task->trace,
                                         .cancel = run->cancel,
                                         .until_ms = run->tools->lease_until_ms,
                                         .stall_s = STALL_S};
    state->standings = mem_zero(hook->event_count + 1, sizeof(*state->standings));
    run->report.hook.results =
        arena_zero(&run->report.arena, hook->event_count + 1, sizeof(struct hook_result));
    atomic_store(&run->progress->total, (int64_t)hook->event_count);
    int failed = edge_open(&state->edge, &state->target, err);
    return failed == 0 ? 0 : task_fail(run, FAILURE_REFUSED, failed);
}

/* Once for all that this lease carries, and for as long as the scheduler thinks that it holds. */
static int leave_ask(struct task_run *run, struct err *err) {
    const struct hook_task *hook = &run->task->hook;
    struct hook_state *state = run->state;
    const struct edge_asking asking = {hook->leave.origin, hook->timeout_ms};
    state->rate = hook->leave.rate;
    if (!hook->has_leave || !hook->leave.ask) {
        return 0;
    }
    int failed = state->edge->driver->ask(state->edge, &asking, &state->rate, err);
    if (failed != 0) {
        return task_fail(run, state->edge->failure, failed);
    }
    run->report.hook.has_grant = true;
    run->report.hook.grant.rate = state->rate;
    return 0;
}

/* ---- Sending -------------------------------------------------------------------------------- */

/* Whether an earlier event of its title was not taken. */
static bool is_behind(const struct task_run *run, size_t index) {
    const struct hook_event *events = run->task->hook.events;
    const struct hook_state *state = run->state;
    for (size_t i = 0; i < index; i++) {
        if (state->standings[i] == STANDING_FAILED &&
            strcmp(events[i].title, events[index].title) == 0) {
            return true;
        }
    }
    return false;
}

static void note(struct task_run *run, size_t index, enum hook_verdict verdict, const char *error) {
    const struct hook_event *event = &run->task->hook.events[index];
    struct hook_state *state = run->state;
    struct hook_report *report = &run->report.hook;
    bool taken = verdict == HOOK_TAKEN;
    report->results[report->result_count++] = (struct hook_result){
        .event = event->event,
        .verdict = verdict,
        .status = state->edge->response.status,
        .error = arena_format(&run->report.arena, "%.*s", ERROR_BYTES, taken ? "" : error)};
    state->standings[index] = taken ? STANDING_TAKEN : STANDING_FAILED;
    if (taken) {
        run->report.push.objects++;
        run->report.push.bytes += (int64_t)strlen(event->body);
        atomic_fetch_add(&run->progress->done, 1);
    }
}

static void write_body(const struct hook_task *hook, size_t first, size_t count, struct buf *out) {
    buf_string(out, hook->batch ? "[" : "");
    for (size_t i = 0; i < count; i++) {
        buf_string(out, i > 0 ? "," : "");
        buf_string(out, hook->events[first + i].body);
    }
    buf_string(out, hook->batch ? "]" : "");
}

/* Sends so many in one request, and notes how they were taken: what many failed by is an attempt
 * of the first alone, and where they are refused each may not be. */
static void events_post(struct task_run *run, size_t first, size_t count) {
    const struct hook_task *hook = &run->task->hook;
    struct hook_state *state = run->state;
    const struct http_response *response = &state->edge->response;
    struct buf body = {0};
    struct err err = {0};
    write_body(hook, first, count, &body);
    const struct edge_post post = {.body = body.data,
                                   .body_size = body.size,
                                   .is_batch = hook->batch,
                                   .origin = hook->has_leave ? hook->leave.origin : NULL,
                                   .timeout_ms = hook->timeout_ms};
    state->edge->driver->post(state->edge, &post, &err);
    enum hook_verdict verdict = hook_judge(response->status);
    if (verdict == HOOK_TAKEN) {
        for (size_t i = 0; i < count; i++) {
            note(run, first + i, verdict, "");
        }
    } else if (!atomic_load(run->cancel) && (verdict != HOOK_REFUSED || count == 1)) {
        note(run, first, verdict, err.message); /* a stop is no fault of the receiver's */
        run->report.hook.retry_after_s = response->retry_after_s;
    } else if (!atomic_load(run->cancel)) {
        state->refused = mem_string(err.message);
    }
    state->ended = verdict != HOOK_TAKEN && verdict != HOOK_REFUSED;
    buf_finish(&body);
}

/* Waits until one more may be sent, which is never where that is too late for this lease. */
static bool turn_take(struct task_run *run, int64_t until_ms) {
    struct hook_state *state = run->state;
    int64_t wait_ms = state->next_ms - clock_monotonic_ms();
    bool may = !state->ended && !atomic_load(run->cancel) && state->next_ms < until_ms &&
               (wait_ms <= 0 || clock_sleep_ms(wait_ms, run->cancel)) &&
               clock_monotonic_ms() < until_ms && !edge_is_late(&state->target);
    if (may && state->rate > 0) {
        state->next_ms = clock_monotonic_ms() + MINUTE_MS / state->rate;
    }
    return may;
}

static int events_send(struct task_run *run, struct err *err) {
    const struct hook_task *hook = &run->task->hook;
    struct hook_state *state = run->state;
    int64_t until_ms = clock_monotonic_ms() + LEASE_MS;
    (void)err;
    if (hook->batch && hook->event_count > 1 && turn_take(run, until_ms)) {
        events_post(run, 0, hook->event_count);
    }
    for (size_t i = 0; i < hook->event_count; i++) {
        if (state->standings[i] == STANDING_NEW && !is_behind(run, i)) {
            if (!turn_take(run, until_ms)) {
                break;
            }
            events_post(run, i, 1);
        }
    }
    if (state->refused != NULL && run->report.hook.result_count == 0 && !state->ended &&
        !atomic_load(run->cancel)) { /* at this pace none comes to be sent by itself, ever */
        note(run, 0, HOOK_REFUSED, state->refused);
    }
    return 0;
}

static int report_make(struct task_run *run, struct err *err) {
    const struct hook_state *state = run->state;
    const struct edge_traffic *traffic = &state->edge->traffic;
    struct push_report *report = &run->report.push;
    (void)err;
    if (traffic->requests > 0) {
        report->request_ms = (double)traffic->busy_ms / (double)traffic->requests;
    }
    log_info("told",
             "endpoint=%s events=%zu taken=%" PRId64 " requests=%" PRId64 " request_ms=%.1f",
             run->task->push.endpoint.name, run->task->hook.event_count, report->objects,
             traffic->requests, report->request_ms);
    return 0;
}

static void hook_finish(struct task_run *run) {
    struct hook_state *state = run->state;
    if (state != NULL) {
        edge_close(state->edge);
        edge_secret_finish(&state->secret);
        mem_free(state->standings);
        mem_free(state->refused);
        mem_free(state);
    }
    run->state = NULL;
}

static const struct step steps[] = {
    {"read secret", secret_read}, {"open endpoint", endpoint_open}, {"ask for leave", leave_ask},
    {"send events", events_send}, {"report", report_make},          {NULL, NULL},
};

const struct task_kind_row task_hook_row = {steps, hook_finish};
