/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scheduler's HTTP API as a worker speaks it: see api.h. */
#include "api.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/http.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/urls.h"

enum {
    PAGE_UNITS = 100,
    ANSWER_BYTES = 64 << 20, /* a plan with the index of a long source */
    ANSWER_MS = 30000,       /* for an answer that waits for nothing and may be large */
    PROMPT_MS = 10000,       /* for a small one: a worker waits no longer for a dead connection */
    PATH_TEXT = 256,
};

struct api {
    struct http_client *client;
    const struct api_access *access;
    struct urls urls; /* of access->url */
    const atomic_bool *cancel;
    const char *trace;
    struct http_response response;
};

int api_create(struct api **out, const struct api_access *access, const atomic_bool *cancel,
               struct err *err) {
    struct http_client *client = NULL;
    int failed = http_client_create(&client, err);
    if (failed != 0) {
        return failed;
    }
    *out = mem_zero(1, sizeof(**out));
    **out = (struct api){.client = client, .access = access, .cancel = cancel};
    urls_init(&(*out)->urls, access->url);
    return 0;
}

void api_destroy(struct api *api) {
    if (api != NULL) {
        http_response_finish(&api->response);
        http_client_destroy(api->client);
        urls_finish(&api->urls);
        mem_free(api);
    }
}

void api_set_trace(struct api *api, const char *trace) {
    api->trace = trace;
}

bool api_refused(const struct api *api) {
    return api->response.status == 401 || api->response.status == 403;
}

bool api_is_final(const struct api *api, int failed) {
    int status = api->response.status;
    return failed == ERR_CANCELLED || (status >= 400 && status <= 499 && !http_may_retry(failed));
}

/* The error of a problem document (RFC 9457), or of the bare status. */
static int problem(const struct api *api, const struct http_request *request, struct err *err) {
    struct err unread = {0};
    struct json *tree = NULL;
    const char *detail = NULL;
    const char *code = NULL;
    if (json_tree_parse(&tree, api->response.body.data, api->response.body.size, &unread) == 0) {
        struct reader r = reader_of(tree, "problem document", &unread);
        reader_string(&r, "detail", &detail);
        reader_string(&r, "code", &code);
    }
    int status = http_check(request, &api->response, NULL);
    int failed = unread.code != ERR_NONE
                     ? http_check(request, &api->response, err)
                     : err_set(err,
                               err_is_transient((enum err_code)status) ? (enum err_code)status
                                                                       : err_code_from_name(code),
                               "%s", detail);
    json_tree_destroy(tree);
    return failed;
}

/* Sends it to the scheduler that is asked now, and on to the next where that one is away or
 * stands by. What came to no answer in time is not sent again, but the next call goes on. */
static int send_around(struct api *api, struct http_request *request, const char *path,
                       struct err *err) {
    struct err why = {0};
    int failed = 0;
    bool passes = true;
    for (size_t i = 0; i < api->urls.count && passes; i++) {
        char *url = mem_format("%s%s", urls_now(&api->urls), path);
        request->url = url;
        err_clear(&why);
        failed = http_send(api->client, request, &api->response, &why);
        passes = failed == ERR_UNAVAILABLE || (failed == 0 && api->response.status == 503);
        if (passes || failed == ERR_TIMEOUT) {
            urls_go_on(&api->urls);
        }
        if (failed == 0 && http_check(request, &api->response, NULL) != 0) {
            failed = problem(api, request, &why);
        }
        mem_free(url);
    }
    return failed == 0 ? 0 : err_pass(err, &why);
}

/* One call, which takes `limit_ms` at most. `body` may be NULL; `tree` gets the answer's JSON
 * (owned), NULL where it has none or `tree` is NULL. */
static int call(struct api *api, const char *method, int64_t limit_ms, const struct buf *body,
                struct json **tree, struct err *err, const char *path, ...)
    __attribute__((format(printf, 7, 8)));

static int call(struct api *api, const char *method, int64_t limit_ms, const struct buf *body,
                struct json **tree, struct err *err, const char *path, ...) {
    static const struct http_header type = {"Content-Type", "application/json"};
    char rest[PATH_TEXT];
    va_list args;
    va_start(args, path);
    vsnprintf(rest, sizeof(rest), path, args);
    va_end(args);
    struct http_request request = http_request_default();
    request.method = method;
    request.bearer = api->access->token;
    request.trust = api->access->trust;
    request.max_body = ANSWER_BYTES;
    request.total_ms = (int)limit_ms;
    request.stall_s = (int)limit_ms / 1000 + 1;
    request.cancel = api->cancel;
    request.trace = api->trace;
    if (body != NULL) {
        request.headers = &type;
        request.header_count = 1;
        request.body = body->data;
        request.body_size = body->size;
    }
    int failed = send_around(api, &request, rest, err);
    if (failed == 0 && tree != NULL && api->response.body.size > 0) {
        failed = json_tree_parse(tree, api->response.body.data, api->response.body.size, err);
        err_wrap(failed != 0 ? err : NULL, "the scheduler's answer to %s %s", method, rest);
    }
    return failed;
}

/* ---- Sessions and leases --------------------------------------------------------- */

static void encoders_write(const struct api_worker *worker, struct writer *w) {
    writer_array(w, "encoders");
    for (size_t i = 0; i < worker->encoder_count; i++) {
        writer_object(w, NULL);
        writer_string(w, "name", worker->encoders[i].name);
        writer_string(w, "codec", codec_name(worker->encoders[i].codec));
        writer_string(w, "build_line", worker->encoders[i].build_line);
        writer_int(w, "tail_frames", worker->encoders[i].tail_frames);
        writer_object_end(w);
    }
    writer_array_end(w);
}

int api_session_open(struct api *api, const struct api_worker *worker, struct api_session *out,
                     struct err *err) {
    struct buf body = {0};
    struct json *tree = NULL;
    struct err unread = {0};
    struct writer w = writer_of(&body);
    writer_object(&w, NULL);
    writer_string(&w, "worker", worker->name);
    writer_string(&w, "host", worker->host);
    writer_int(&w, "pid", worker->pid);
    writer_int(&w, "slots", worker->slots);
    writer_int(&w, "memory_bytes", worker->memory_bytes);
    writer_int(&w, "cores", worker->cores);
    writer_int(&w, "keep_ms", worker->keep_ms);
    writer_string(&w, "sandbox", sandbox_level_names[worker->sandbox]);
    encoders_write(worker, &w);
    writer_object_end(&w);
    int failed = call(api, "POST", PROMPT_MS, &body, &tree, err, "/v1/sessions");
    if (failed == 0) {
        struct reader r = reader_of(tree, "session", &unread);
        struct api_session session = {0};
        reader_text(&r, "session", session.id, sizeof(session.id));
        reader_int(&r, "heartbeat_ms", 10, 3600000, &session.heartbeat_ms);
        reader_int(&r, "ttl_ms", 10, 3600000, &session.ttl_ms);
        failed = err_pass(err, &unread);
        *out = failed == 0 ? session : *out;
    }
    json_tree_destroy(tree);
    buf_finish(&body);
    return failed;
}

int api_session_close(struct api *api, const char *session, struct err *err) {
    return call(api, "DELETE", ANSWER_MS, NULL, NULL, err, "/v1/sessions/%s", session);
}

static void orders_read(struct api_orders *out, struct reader *r) {
    struct reader stops = reader_array(r, "stop");
    int64_t endpoints = 0;
    out->stop_count = 0;
    for (size_t i = 0; i < reader_count(&stops) && i < API_STOPS_MAX && reader_ok(r); i++) {
        reader_item_int(&stops, i, 0, INT64_MAX, &out->stop[out->stop_count++]);
    }
    reader_bool(r, "drain", &out->drain);
    if (reader_has(r, "endpoints")) { /* of an older scheduler they are not known */
        reader_int(r, "endpoints", 0, INT64_MAX, &endpoints);
    }
    out->endpoints = endpoints < API_ENDPOINTS_MAX ? (size_t)endpoints : API_ENDPOINTS_MAX;
}

int api_heartbeat(struct api *api, const char *session, const struct api_heartbeat *heartbeat,
                  int64_t limit_ms, struct api_orders *out, struct err *err) {
    struct buf body = {0};
    struct json *tree = NULL;
    struct err unread = {0};
    struct writer w = writer_of(&body);
    writer_object(&w, NULL);
    writer_array(&w, "tasks");
    for (size_t i = 0; i < heartbeat->count; i++) {
        writer_object(&w, NULL);
        writer_int(&w, "fence", heartbeat->beats[i].fence);
        writer_int(&w, "done", heartbeat->beats[i].done);
        writer_int(&w, "total", heartbeat->beats[i].total);
        writer_object_end(&w);
    }
    writer_array_end(&w);
    writer_bool(&w, "stopping", heartbeat->stopping);
    writer_object_end(&w);
    int failed =
        call(api, "POST", limit_ms, &body, &tree, err, "/v1/sessions/%s/heartbeat", session);
    if (failed == 0) {
        struct reader r = reader_of(tree, "heartbeat answer", &unread);
        orders_read(out, &r);
        failed = err_pass(err, &unread);
    }
    json_tree_destroy(tree);
    buf_finish(&body);
    return failed;
}

void task_free(struct task *task) {
    if (task != NULL) {
        task_finish(task);
        mem_free(task);
    }
}

static void tasks_read(struct reader *r, struct task **tasks, size_t most, size_t *count) {
    struct reader items = reader_array(r, "tasks");
    for (size_t i = 0; i < reader_count(&items) && i < most && reader_ok(r); i++) {
        struct reader item = reader_item(&items, i);
        tasks[i] = mem_zero(1, sizeof(**tasks));
        *count = i + 1;
        task_read(tasks[i], &item);
    }
}

int api_lease_tasks(struct api *api, const char *session, const struct api_wish *wish,
                    struct api_given *out, struct err *err) {
    struct buf body = {0};
    struct json *tree = NULL;
    struct err unread = {0};
    struct writer w = writer_of(&body);
    out->count = 0;
    writer_object(&w, NULL);
    writer_string(&w, "session", session);
    writer_int(&w, "slots", wish->slots);
    writer_int(&w, "memory_bytes", wish->memory_bytes);
    writer_array(&w, "kinds");
    for (int kind = 0; kind < TASK_KIND_COUNT; kind++) {
        if ((wish->kinds & 1U << kind) != 0) {
            writer_string(&w, NULL, task_kind_name((enum task_kind)kind));
        }
    }
    writer_array_end(&w);
    writer_int(&w, "wait_ms", wish->wait_ms);
    if (wish->ahead) {
        writer_bool(&w, "ahead", true);
        writer_int(&w, "ends", wish->ends);
    }
    writer_object_end(&w);
    int failed = call(api, "POST", wish->wait_ms + PROMPT_MS, &body, &tree, err, "/v1/leases");
    if (failed == 0) {
        struct reader r = reader_of(tree, "lease", &unread);
        tasks_read(&r, out->tasks, (size_t)wish->slots, &out->count);
        failed = err_pass(err, &unread);
    }
    for (; failed != 0 && out->count > 0; out->count--) {
        task_free(out->tasks[out->count - 1]);
    }
    json_tree_destroy(tree);
    buf_finish(&body);
    return failed;
}

/* ---- Results ----------------------------------------------------------------------- */

static int report_post(struct api *api, int64_t fence, const char *what,
                       const struct task_report *report, struct json **tree, struct err *err) {
    struct buf body = {0};
    struct writer w = writer_of(&body);
    task_report_write(report, &w, NULL);
    int failed =
        call(api, "POST", ANSWER_MS, &body, tree, err, "/v1/leases/%" PRId64 "/%s", fence, what);
    buf_finish(&body);
    return failed;
}

int api_source(struct api *api, int64_t fence, const struct task_report *report, struct err *err) {
    return report_post(api, fence, "source", report, NULL, err);
}

int api_found(struct api *api, int64_t fence, const struct sweep_page *page, struct err *err) {
    struct buf body = {0};
    struct writer w = writer_of(&body);
    sweep_page_write(page, &w, NULL);
    int failed =
        call(api, "POST", ANSWER_MS, &body, NULL, err, "/v1/leases/%" PRId64 "/found", fence);
    buf_finish(&body);
    return failed;
}

int api_complete_task(struct api *api, int64_t fence, const struct task_report *report,
                      bool *accepted, struct err *err) {
    struct json *tree = NULL;
    struct err unread = {0};
    int failed = report_post(api, fence, "complete", report, &tree, err);
    if (failed == 0) {
        struct reader r = reader_of(tree, "answer to a result", &unread);
        reader_bool(&r, "accepted", accepted);
        failed = err_pass(err, &unread);
    }
    json_tree_destroy(tree);
    return failed;
}

int api_fail(struct api *api, int64_t fence, enum failure_class failure, const char *message,
             const int64_t *missing, size_t missing_count, struct err *err) {
    struct buf body = {0};
    struct writer w = writer_of(&body);
    writer_object(&w, NULL);
    writer_string(&w, "class", failure_class_name(failure));
    writer_string(&w, "message", message);
    if (missing_count > 0) {
        writer_array(&w, "missing");
        for (size_t i = 0; i < missing_count; i++) {
            writer_int(&w, NULL, missing[i]);
        }
        writer_array_end(&w);
    }
    writer_object_end(&w);
    int failed =
        call(api, "POST", ANSWER_MS, &body, NULL, err, "/v1/leases/%" PRId64 "/fail", fence);
    buf_finish(&body);
    return failed;
}

/* ---- Titles -------------------------------------------------------------------------- */

static void folders_read(struct task *task, struct reader *r) {
    struct reader items = reader_array(r, "renditions");
    for (size_t i = 0; i < reader_count(&items) && reader_ok(r); i++) {
        struct reader item = reader_item(&items, i);
        char id[WIRE_RENDITION_TEXT] = "";
        char folder[WIRE_FOLDER_TEXT] = "";
        reader_text(&item, "id", id, sizeof(id));
        reader_text(&item, "folder", folder, sizeof(folder));
        for (size_t u = 0; u < task->unit_count; u++) {
            if (strcmp(task->units[u].rendition, id) == 0 && task->units[u].folder[0] == '\0') {
                memcpy(task->units[u].folder, folder, sizeof(folder));
            }
        }
    }
}

static bool folders_known(const struct task *task) {
    for (size_t u = 0; u < task->unit_count; u++) {
        if (task->units[u].folder[0] == '\0') {
            return false;
        }
    }
    return true;
}

int api_folders(struct api *api, struct task *task, int64_t wait_ms, bool *known, struct err *err) {
    struct json *tree = NULL;
    struct err unread = {0};
    int failed = 0;
    if (!folders_known(task)) {
        failed = call(api, "GET", wait_ms + ANSWER_MS, NULL, &tree, err,
                      "/v1/titles/%s/identity?wait_ms=%" PRId64, task->title, wait_ms);
        if (failed == 0 && tree != NULL) { /* 204: not known yet */
            struct reader r = reader_of(tree, "identity", &unread);
            folders_read(task, &r);
            failed = err_pass(err, &unread);
        }
    }
    if (failed == 0) {
        *known = folders_known(task);
    }
    json_tree_destroy(tree);
    return failed;
}

int api_plan(struct api *api, const char *title, struct title_plan *out, struct err *err) {
    struct json *tree = NULL;
    struct err unread = {0};
    int failed = call(api, "GET", ANSWER_MS, NULL, &tree, err, "/v1/titles/%s/plan", title);
    if (failed == 0) {
        struct reader r = reader_of(tree, "plan", &unread);
        title_plan_read(out, &r);
        failed = err_pass(err, &unread);
    }
    json_tree_destroy(tree);
    return failed;
}

static int unit_visit(struct reader *r, struct arena *arena, api_unit_fn visit, void *context,
                      struct err *err) {
    struct api_unit unit = {.rendition = "", .state = "", .chunk = -1};
    const char *kind = "";
    reader_int(r, "id", 0, INT64_MAX, &unit.id);
    reader_string(r, "kind", &kind);
    reader_string(r, "state", &unit.state);
    if (reader_has(r, "rendition")) {
        reader_string(r, "rendition", &unit.rendition);
    }
    if (reader_has(r, "chunk")) {
        reader_int(r, "chunk", -1, INT64_MAX, &unit.chunk);
    }
    if (reader_has(r, "report")) {
        struct reader report = reader_object(r, "report");
        unit.has_report = true;
        unit_report_read(&unit.report, arena, &report);
    }
    int known = task_kind_from_name(kind);
    if (!reader_ok(r) || known < 0) {
        return err_set(err, ERR_CORRUPT, "a unit of the scheduler's answer can't be read: %s",
                       reader_ok(r) ? kind : r->err->message);
    }
    unit.kind = (enum task_kind)known;
    return visit(context, &unit, err);
}

static int units_page(struct api *api, const char *title, struct arena *arena, int64_t *after,
                      api_unit_fn visit, void *context, struct err *err) {
    struct json *tree = NULL;
    struct err unread = {0};
    int failed = call(api, "GET", ANSWER_MS, NULL, &tree, err,
                      "/v1/titles/%s/units?after=%" PRId64 "&limit=%d", title, *after, PAGE_UNITS);
    if (failed == 0) {
        struct reader r = reader_of(tree, "units", &unread);
        struct reader items = reader_array(&r, "units");
        for (size_t i = 0; i < reader_count(&items) && failed == 0; i++) {
            struct reader item = reader_item(&items, i);
            failed = unit_visit(&item, arena, visit, context, err);
        }
        int64_t next = -1;
        if (reader_has(&r, "next")) {
            reader_int(&r, "next", *after + 1, INT64_MAX, &next);
        }
        *after = next;
        if (failed == 0) {
            failed = err_pass(err, &unread);
        }
    }
    json_tree_destroy(tree);
    return failed;
}

int api_units(struct api *api, const char *title, struct arena *arena, api_unit_fn visit,
              void *context, struct err *err) {
    int failed = 0;
    for (int64_t after = 0; failed == 0 && after >= 0;) {
        failed = units_page(api, title, arena, &after, visit, context, err);
    }
    return failed;
}

/* ---- Objects of a version ------------------------------------------------------------------- */

static void objects_read(struct api_objects *out, struct reader *r) {
    struct reader items = reader_array(r, "objects");
    size_t count = reader_count(&items);
    out->list = count > 0 ? arena_zero(&out->arena, count, sizeof(*out->list)) : NULL;
    for (; out->count < count && reader_ok(r); out->count++) {
        struct reader item = reader_item(&items, out->count);
        struct api_object *object = &out->list[out->count];
        const char *path = "";
        const char *sha256 = "";
        reader_string(&item, "key", &path);
        reader_string(&item, "sha256", &sha256);
        reader_int(&item, "bytes", 0, INT64_MAX, &object->bytes);
        object->path = arena_string(&out->arena, path);
        object->sha256 = arena_string(&out->arena, sha256);
    }
    out->next = -1;
    if (reader_has(r, "next")) {
        reader_int(r, "next", 0, INT64_MAX, &out->next);
    }
}

int api_objects(struct api *api, const char *title, const char *version, int64_t from,
                struct api_objects *out, struct err *err) {
    struct json *tree = NULL;
    struct err unread = {0};
    int failed = call(api, "GET", ANSWER_MS, NULL, &tree, err,
                      "/v1/titles/%s/versions/%s/objects?from=%" PRId64, title, version, from);
    if (failed == 0) {
        struct reader r = reader_of(tree, "objects", &unread);
        objects_read(out, &r);
        if (reader_ok(&r) && out->next >= 0 && (out->next <= from || out->count == 0)) {
            reader_fail(&r, "next", "must go on");
        }
        failed = err_pass(err, &unread);
    }
    json_tree_destroy(tree);
    if (failed != 0) {
        api_objects_finish(out);
    }
    return failed;
}

void api_objects_finish(struct api_objects *objects) {
    arena_finish(&objects->arena);
    *objects = (struct api_objects){0};
}
