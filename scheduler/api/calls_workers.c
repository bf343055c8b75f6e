/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API calls of workers: sessions, leases and their outcomes. */
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "common/clock.h"
#include "common/mem.h"
#include "scheduler/hedge.h"
#include "scheduler/lease.h"
#include "scheduler/outcome.h"
#include "scheduler/probes.h"
#include "scheduler/publishing/orphans.h"
#include "scheduler/session.h"
#include "scheduler/titles.h"

enum {
    TASKS_MAX = 1024, /* of a heartbeat, and of a lease */
    ENCODERS_MAX = 64,
    CORES_MAX = 1 << 20,
    MISSING_MAX = 100000,
    BUILD_LINE_MAX = 1024,
    MESSAGE_MAX = 4096,
    KEEP_MS = 600000, /* of workers that do not say */
    KEEP_MS_MAX = 86400000,
};

/* ---- sessions ---------------------------------------------------------------- */

static size_t read_encoders(struct reader *r, struct session_encoder out[ENCODERS_MAX]) {
    struct reader list = reader_array(r, "encoders");
    size_t count = reader_count(&list);
    if (count > ENCODERS_MAX) {
        reader_fail(r, "encoders", "has more than %d entries", ENCODERS_MAX);
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        struct reader item = reader_item(&list, i);
        struct session_encoder *encoder = &out[i];
        reader_string(&item, "name", &encoder->name);
        reader_string(&item, "codec", &encoder->codec);
        reader_string(&item, "build_line", &encoder->build_line);
        reader_int(&item, "tail_frames", 0, 100000, &encoder->tail_frames);
        if (!reader_ok(r)) {
            return 0;
        }
        call_check_word(&item, "name", encoder->name);
        call_check_length(&item, "build_line", encoder->build_line, BUILD_LINE_MAX);
        if (reader_ok(r) && codec_from_name(encoder->codec) == CODEC_NONE) {
            reader_fail(&item, "codec", "must be a codec's name, not '%.20s'", encoder->codec);
        }
        for (size_t j = 0; j < i; j++) {
            if (reader_ok(r) && strcmp(out[j].name, encoder->name) == 0) {
                reader_fail(&item, "name", "is there twice: '%.40s'", encoder->name);
            }
        }
    }
    return count;
}

/* Workers before this version do not say: they are taken for the weakest. */
static void read_machine(struct reader *r, struct session_request *out) {
    const char *sandbox = sandbox_level_names[SANDBOX_NONE];
    if (reader_has(r, "cores")) {
        reader_int(r, "cores", 0, CORES_MAX, &out->cores);
    }
    if (reader_has(r, "keep_ms")) {
        reader_int(r, "keep_ms", 0, KEEP_MS_MAX, &out->keep_ms);
    }
    if (reader_has(r, "sandbox")) {
        reader_string(r, "sandbox", &sandbox);
    }
    out->sandbox = sandbox_level_find(sandbox);
    if (reader_ok(r) && out->sandbox == SANDBOX_LEVEL_COUNT) {
        reader_fail(r, "sandbox", "must be full, no-landlock or none, not '%.20s'", sandbox);
    }
}

void call_add_session(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    char worker[WORKER_TEXT] = "", host[HOST_TEXT] = "", id[ID_TEXT];
    struct session_encoder encoders[ENCODERS_MAX] = {{0}};
    struct session_request request = {
        .worker = worker, .host = host, .encoders = encoders, .keep_ms = KEEP_MS};
    int64_t slots = 0;
    reader_text(&r, "worker", worker, sizeof(worker));
    reader_text(&r, "host", host, sizeof(host));
    call_check_word(&r, "worker", worker);
    call_check_word(&r, "host", host);
    reader_int(&r, "pid", 0, INT64_MAX, &request.pid);
    reader_int(&r, "slots", 1, TASKS_MAX, &slots);
    reader_int(&r, "memory_bytes", 0, INT64_MAX, &request.memory_bytes);
    read_machine(&r, &request);
    request.slots = (int)slots;
    request.encoder_count = read_encoders(&r, encoders);
    if (!reader_ok(&r)) {
        return;
    }
    session_add(tx, call->routes->farm, &request, id);
    call->status = 201;
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "session", id);
    writer_int(&call->writer, "heartbeat_ms", call->routes->farm->heartbeat_ms);
    writer_int(&call->writer, "ttl_ms", call->routes->farm->ttl_ms);
    writer_object_end(&call->writer);
}

void call_heartbeat(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    struct reader list = reader_array(&r, "tasks");
    size_t count = reader_count(&list);
    if (count > TASKS_MAX) {
        reader_fail(&r, "tasks", "has more than %d entries", TASKS_MAX);
        return;
    }
    struct heard_task *tasks = mem_zero(count + 1, sizeof(*tasks));
    for (size_t i = 0; i < count; i++) {
        struct reader item = reader_item(&list, i);
        reader_int(&item, "fence", 0, INT64_MAX, &tasks[i].fence);
        reader_int(&item, "done", 0, INT64_MAX, &tasks[i].done);
        reader_int(&item, "total", 0, INT64_MAX, &tasks[i].total);
    }
    struct heartbeat beat = {.tasks = tasks, .count = count};
    if (reader_has(&r, "stopping")) { /* of older workers it is not known */
        reader_bool(&r, "stopping", &beat.stopping);
    }
    if (reader_ok(&r)) {
        const struct endpoints *endpoints = call->routes->farm->endpoints;
        writer_object(&call->writer, NULL);
        writer_array(&call->writer, "stop");
        bool drains =
            session_heartbeat(tx, call->routes->farm, call->argument, &beat, &call->writer);
        writer_array_end(&call->writer);
        writer_bool(&call->writer, "drain", drains);
        writer_int(&call->writer, "endpoints", endpoints == NULL ? 0 : (int64_t)endpoints->count);
        writer_object_end(&call->writer);
    }
    mem_free(tasks);
}

void call_drop_session(struct tx *tx, struct call *call) {
    session_leave(tx, call->routes->farm, call->argument);
    call->status = 204;
}

void call_list_workers(struct tx *tx, struct call *call) {
    writer_object(&call->writer, NULL);
    sessions_write(tx, call->routes->farm, &call->writer);
    writer_object_end(&call->writer);
}

static void answer_drain(struct tx *tx, struct call *call, bool drains) {
    session_drain(tx, call->routes->farm, call->argument, drains);
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "worker", call->argument);
    writer_bool(&call->writer, "drain", drains);
    writer_object_end(&call->writer);
}

void call_drain_worker(struct tx *tx, struct call *call) {
    answer_drain(tx, call, true);
}

void call_undrain_worker(struct tx *tx, struct call *call) {
    answer_drain(tx, call, false);
}

/* ---- leases ------------------------------------------------------------------ */

static void read_kinds(struct reader *r, bool kinds[TASK_KIND_COUNT]) {
    struct reader list = reader_array(r, "kinds");
    for (size_t i = 0; i < reader_count(&list) && reader_ok(r); i++) {
        const char *name = "";
        reader_item_string(&list, i, &name);
        int kind = task_kind_from_name(name);
        if (reader_ok(r) && kind < 0) {
            reader_fail(r, "kinds", "has '%.20s', which is no kind of task", name);
        } else if (kind >= 0) {
            kinds[kind] = true;
        }
    }
}

/* Of thousands that wait for one unit, one gets it and one more looks. A straggler may be for
 * others than who found nothing: then each looks. */
static void note_idle(struct tx *tx, struct routes *routes, int64_t retry_in_ms) {
    if (!lease_any_ready(tx) && !hedge_any(tx) && !probes_any_waiting(routes->farm)) {
        routes->idle_news = routes->lease_news;
        routes->idle_until = retry_in_ms > 0 ? clock_monotonic_ms() + retry_in_ms : 0;
    }
}

/* Does not look where others that wait have just found nothing. */
static void wait_on(struct call *call, int64_t wait_ms, int64_t now_ms) {
    int64_t until = call->routes->idle_until;
    call_wait(call, TOPIC_LEASES, wait_ms, until > now_ms ? until - now_ms : 0);
}

/* Who asks for pushes alone hears of those alone: thousands of encoders do not look for each. */
static unsigned topics_of(const struct lease_request *request) {
    bool encodes = false;
    for (int i = 0; i < TASK_KIND_COUNT; i++) {
        encodes = encodes || (request->kinds[i] && i != TASK_PUSH && i != TASK_SWEEP);
    }
    return (encodes ? TOPIC_LEASES : 0U) | (request->kinds[TASK_PUSH] ? TOPIC_PUSHES : 0U);
}

static void grant_or_wait(struct tx *tx, struct call *call, const struct lease_request *request,
                          int64_t wait_ms) {
    int64_t retry_at = 0;
    writer_object(&call->writer, NULL);
    writer_array(&call->writer, "tasks");
    int granted = lease_grant(tx, call->routes->farm, request, &call->writer, &retry_at);
    writer_array_end(&call->writer);
    writer_object_end(&call->writer);
    if (granted == 0 && tx_ok(tx)) {
        int64_t retry_in_ms = retry_at > 0 ? retry_at - tx_now(tx) + 1 : 0;
        if (topics_of(request) == TOPIC_LEASES) {
            note_idle(tx, call->routes, retry_in_ms);
        }
        call_wait(call, topics_of(request), wait_ms, retry_in_ms);
    }
}

void call_grant_leases(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    struct lease_request request = {.session = ""};
    int64_t slots = 0, wait_ms = 0, now_ms = clock_monotonic_ms();
    reader_string(&r, "session", &request.session);
    reader_int(&r, "slots", 1, TASKS_MAX, &slots);
    reader_int(&r, "memory_bytes", 0, INT64_MAX, &request.memory_bytes);
    reader_int(&r, "wait_ms", 0, CALL_WAIT_MS_MAX, &wait_ms);
    read_kinds(&r, request.kinds);
    if (reader_has(&r, "ahead")) {
        reader_bool(&r, "ahead", &request.ahead);
    }
    if (reader_has(&r, "ends")) {
        reader_int(&r, "ends", 0, INT64_MAX, &request.ends);
    }
    request.slots = (int)slots;
    if (!reader_ok(&r)) {
        return;
    }
    bool waited = call->paused_ns != 0 && topics_of(&request) == TOPIC_LEASES;
    call->looked = call->routes->lease_news;
    if (waited && !call->expired && routes_are_idle(call->routes, now_ms)) {
        wait_on(call, wait_ms, now_ms);
    } else if (exchange_gone(call->exchange)) {
        err_set(tx_err(tx), ERR_CANCELLED, "the worker has hung up"); /* it would hold a lease */
    } else {
        grant_or_wait(tx, call, &request, wait_ms);
    }
}

static bool read_report(struct tx *tx, struct call *call, struct task_report *report) {
    struct reader r = call_body(tx, call);
    task_report_read(report, &r);
    return reader_ok(&r);
}

void call_early_source(struct tx *tx, struct call *call) {
    struct task_report report = {0};
    struct lease_row lease;
    if (read_report(tx, call, &report)) {
        if (!lease_find(tx, call_fence(call), &lease)) {
            err_set(tx_err(tx), ERR_NOT_FOUND, "there is no lease %s", call->argument);
        } else if (lease.kind != TASK_PROBE || !report.has_source) {
            err_set(tx_err(tx), ERR_INVALID,
                    "lease %s is not of a probe, or its report has no "
                    "source document",
                    call->argument);
        } else if (probe_has_lease(&lease)) {
            probe_found(tx, call->routes->farm, &lease, &report);
        } else if (lease.state == LEASE_LIVE) {
            title_source(tx, call->routes->farm, lease.title, &report);
        }
    }
    task_report_finish(&report);
    call->status = 204;
}

void call_add_orphans(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    struct arena arena = {0};
    struct sweep_page page;
    struct lease_row lease;
    sweep_page_read(&page, &arena, &r);
    if (reader_ok(&r) && !lease_find(tx, call_fence(call), &lease)) {
        err_set(tx_err(tx), ERR_NOT_FOUND, "there is no lease %s", call->argument);
    } else if (reader_ok(&r) && !orphans_have_lease(&lease)) {
        err_set(tx_err(tx), ERR_INVALID, "lease %s is not of a sweep", call->argument);
    } else if (reader_ok(&r)) {
        orphans_found(tx, call->routes->farm, &lease, &page);
    }
    arena_finish(&arena);
    call->status = 204;
}

void call_complete_lease(struct tx *tx, struct call *call) {
    struct task_report report = {0};
    enum answer answer = ANSWER_DROPPED;
    if (read_report(tx, call, &report)) {
        answer = outcome_complete(tx, call->routes->farm, call_fence(call), &report);
    }
    task_report_finish(&report);
    call->status = answer == ANSWER_CONFLICT ? 409 : 200;
    writer_object(&call->writer, NULL);
    writer_bool(&call->writer, "accepted", answer == ANSWER_ACCEPTED);
    writer_object_end(&call->writer);
}

static int64_t *read_ids(struct reader *r, const char *name, size_t *count) {
    *count = 0;
    if (!reader_has(r, name)) {
        return NULL;
    }
    struct reader list = reader_array(r, name);
    size_t size = reader_count(&list);
    if (size > MISSING_MAX) {
        reader_fail(r, name, "has more than %d entries", MISSING_MAX);
        return NULL;
    }
    int64_t *ids = mem_zero(size + 1, sizeof(*ids));
    for (size_t i = 0; i < size; i++) {
        reader_item_int(&list, i, 0, INT64_MAX, &ids[i]);
    }
    *count = size;
    return ids;
}

void call_fail_lease(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    const char *class = "";
    struct failure failure = {.message = ""};
    reader_string(&r, "class", &class);
    reader_string(&r, "message", &failure.message);
    call_check_length(&r, "message", failure.message, MESSAGE_MAX);
    int64_t *units = read_ids(&r, "missing", &failure.unit_count);
    failure.units = units;
    int found = failure_class_from_name(class);
    if (reader_ok(&r) && found < 0) {
        reader_fail(&r, "class", "'%.20s' is no class of failure", class);
    }
    if (reader_ok(&r)) {
        failure.class = (enum failure_class)found;
        enum answer answer = outcome_fail(tx, call->routes->farm, call_fence(call), &failure);
        call->status = answer == ANSWER_CONFLICT ? 409 : 200;
        writer_object(&call->writer, NULL);
        writer_object_end(&call->writer);
    }
    mem_free(units);
}
