/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API.md's calls: see routes.h. */
#include "routes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "events.h"
#include "lease.h"
#include "outcome.h"
#include "session.h"
#include "titles.h"
#include "view.h"

enum {
    WAIT_MS_MAX = 20000, /* the server hears nothing of a client that waits: not for long */
    IDLE_MS = 60000,
    UNITS_PAGE = 100,
    UNITS_PAGE_MAX = 500,
    TITLES_PAGE = 100,
    TITLES_PAGE_MAX = 1000,
    TASKS_MAX = 1024, /* of a heartbeat, and of a lease */
    ENCODERS_MAX = 64,
    MISSING_MAX = 100000,
    URL_MAX = 8192,
    BUILD_LINE_MAX = 1024,
    MESSAGE_MAX = 4096,
};

/* One API call on its way through the store's thread. */
struct call {
    struct routes *routes;
    struct exchange *exchange;
    const struct route *route;
    char argument[WIRE_TITLE_TEXT]; /* the path's variable part */
    struct json *body;              /* NULL where the call has none */
    struct buf answer;
    struct writer writer; /* of the answer */
    int status;
    /* waiting */
    unsigned topics;     /* 0: the answer is ready */
    int64_t deadline_ms; /* monotonic; when it is answered in any case */
    int64_t retry_ms;    /* monotonic; when it is worth another try; 0: at news alone */
    bool expired;
    struct call *next;
};

struct route {
    const char *method;
    const char *path; /* '*' stands for one part */
    bool open;        /* needs no token */
    bool has_body;
    void (*run)(struct tx *tx, struct call *call);
};

/* ---- what calls share -------------------------------------------------------- */

static struct reader read_body(struct tx *tx, struct call *call) {
    return reader_of(call->body, "the request", tx_err(tx));
}

static int64_t query_number(struct call *call, const char *name, int64_t otherwise, int64_t most) {
    const char *text = exchange_query(call->exchange, name);
    if (text == NULL) {
        return otherwise;
    }
    char *end = NULL;
    long long value = strtoll(text, &end, 10);
    if (end == text || *end != '\0' || value < 0) {
        return otherwise;
    }
    return value < most ? value : most;
}

static int64_t fence_of(struct call *call) {
    return strtoll(call->argument, NULL, 10);
}

/* Lets the call wait for news of these topics. What it wrote is dropped. */
static void wait_for(struct call *call, unsigned topics, int64_t wait_ms, int64_t retry_in_ms) {
    int64_t now = clock_monotonic_ms();
    if (call->deadline_ms == 0) {
        call->deadline_ms = now + wait_ms;
    }
    call->retry_ms = retry_in_ms > 0 ? now + retry_in_ms : 0;
    call->topics = topics;
}

/* A part of a name that people and logs see. */
static void check_word(struct reader *r, const char *name, const char *text) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    if (reader_ok(r) && (text[0] == '\0' || strspn(text, allowed) != strlen(text))) {
        reader_fail(r, name, "must be letters, digits, '.', '_' and '-'");
    }
}

static void check_length(struct reader *r, const char *name, const char *text, size_t most) {
    if (reader_ok(r) && (text[0] == '\0' || strlen(text) > most)) {
        reader_fail(r, name, "must have 1 to %zu bytes", most);
    }
}

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
        check_word(&item, "name", encoder->name);
        check_length(&item, "build_line", encoder->build_line, BUILD_LINE_MAX);
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

static void add_session(struct tx *tx, struct call *call) {
    struct reader r = read_body(tx, call);
    char worker[WORKER_TEXT] = "", host[HOST_TEXT] = "", id[ID_TEXT];
    struct session_encoder encoders[ENCODERS_MAX] = {{0}};
    struct session_request request = {.worker = worker, .host = host, .encoders = encoders};
    int64_t slots = 0;
    reader_text(&r, "worker", worker, sizeof(worker));
    reader_text(&r, "host", host, sizeof(host));
    check_word(&r, "worker", worker);
    check_word(&r, "host", host);
    reader_int(&r, "pid", 0, INT64_MAX, &request.pid);
    reader_int(&r, "slots", 1, TASKS_MAX, &slots);
    reader_int(&r, "memory_bytes", 0, INT64_MAX, &request.memory_bytes);
    request.slots = (int)slots;
    request.encoder_count = read_encoders(&r, encoders);
    if (!reader_ok(&r)) {
        return;
    }
    session_add(tx, &request, id);
    call->status = 201;
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "session", id);
    writer_int(&call->writer, "heartbeat_ms", call->routes->farm->heartbeat_ms);
    writer_int(&call->writer, "ttl_ms", call->routes->farm->ttl_ms);
    writer_object_end(&call->writer);
}

static void heartbeat(struct tx *tx, struct call *call) {
    struct reader r = read_body(tx, call);
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
    if (reader_ok(&r)) {
        writer_object(&call->writer, NULL);
        writer_array(&call->writer, "stop");
        session_heartbeat(tx, call->routes->farm, call->argument, tasks, count, &call->writer);
        writer_array_end(&call->writer);
        writer_bool(&call->writer, "drain", false);
        writer_object_end(&call->writer);
    }
    mem_free(tasks);
}

static void drop_session(struct tx *tx, struct call *call) {
    session_leave(tx, call->routes->farm, call->argument);
    call->status = 204;
}

static void list_workers(struct tx *tx, struct call *call) {
    writer_object(&call->writer, NULL);
    sessions_write(tx, &call->writer);
    writer_object_end(&call->writer);
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

static void grant_leases(struct tx *tx, struct call *call) {
    struct reader r = read_body(tx, call);
    struct lease_request request = {.session = ""};
    int64_t slots = 0, wait_ms = 0, retry_at = 0;
    reader_string(&r, "session", &request.session);
    reader_int(&r, "slots", 1, TASKS_MAX, &slots);
    reader_int(&r, "memory_bytes", 0, INT64_MAX, &request.memory_bytes);
    reader_int(&r, "wait_ms", 0, WAIT_MS_MAX, &wait_ms);
    read_kinds(&r, request.kinds);
    request.slots = (int)slots;
    if (!reader_ok(&r)) {
        return;
    }
    if (exchange_gone(call->exchange)) {
        err_set(tx_err(tx), ERR_CANCELLED, "the worker has hung up"); /* it would hold a lease */
        return;
    }
    writer_object(&call->writer, NULL);
    writer_array(&call->writer, "tasks");
    int granted = lease_grant(tx, call->routes->farm, &request, &call->writer, &retry_at);
    writer_array_end(&call->writer);
    writer_object_end(&call->writer);
    if (granted == 0 && tx_ok(tx)) {
        wait_for(call, TOPIC_LEASES, wait_ms, retry_at > 0 ? retry_at - tx_now(tx) + 1 : 0);
    }
}

static bool read_report(struct tx *tx, struct call *call, struct task_report *report) {
    struct reader r = read_body(tx, call);
    task_report_read(report, &r);
    return reader_ok(&r);
}

static void early_source(struct tx *tx, struct call *call) {
    struct task_report report = {0};
    struct lease_row lease;
    if (read_report(tx, call, &report)) {
        if (!lease_find(tx, fence_of(call), &lease)) {
            err_set(tx_err(tx), ERR_NOT_FOUND, "there is no lease %s", call->argument);
        } else if (lease.kind != TASK_PROBE || !report.has_source) {
            err_set(tx_err(tx), ERR_INVALID,
                    "lease %s is not of a probe, or its report has no "
                    "source document",
                    call->argument);
        } else if (lease.state == LEASE_LIVE) {
            title_source(tx, call->routes->farm, lease.title, &report);
        }
    }
    task_report_finish(&report);
    call->status = 204;
}

static void complete_lease(struct tx *tx, struct call *call) {
    struct task_report report = {0};
    enum answer answer = ANSWER_DROPPED;
    if (read_report(tx, call, &report)) {
        answer = outcome_complete(tx, call->routes->farm, fence_of(call), &report);
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

static void fail_lease(struct tx *tx, struct call *call) {
    struct reader r = read_body(tx, call);
    const char *class = "";
    struct failure failure = {.message = ""};
    reader_string(&r, "class", &class);
    reader_string(&r, "message", &failure.message);
    check_length(&r, "message", failure.message, MESSAGE_MAX);
    int64_t *units = read_ids(&r, "missing", &failure.unit_count);
    failure.units = units;
    int found = failure_class_from_name(class);
    if (reader_ok(&r) && found < 0) {
        reader_fail(&r, "class", "'%.20s' is no class of failure", class);
    }
    if (reader_ok(&r)) {
        failure.class = (enum failure_class)found;
        enum answer answer = outcome_fail(tx, call->routes->farm, fence_of(call), &failure);
        call->status = answer == ANSWER_CONFLICT ? 409 : 200;
        writer_object(&call->writer, NULL);
        writer_object_end(&call->writer);
    }
    mem_free(units);
}

/* ---- titles ------------------------------------------------------------------ */

static void submit_title(struct tx *tx, struct call *call) {
    struct reader r = read_body(tx, call);
    struct title_request request = {.title = "", .source = "", .output = ""};
    struct ladder ladder;
    struct buf text = {0};
    reader_string(&r, "title", &request.title);
    reader_string(&r, "source", &request.source);
    reader_string(&r, "output", &request.output);
    reader_bool(&r, "force", &request.force);
    check_length(&r, "source", request.source, URL_MAX);
    check_length(&r, "output", request.output, PLAN_PLACE_TEXT / 2);
    if (reader_ok(&r) && !title_id_valid(request.title)) {
        reader_fail(&r, "title",
                    "must be 1 to 128 of a-z, 0-9, '.', '_', '-', the first a "
                    "letter or digit");
    }
    struct reader below = reader_object(&r, "ladder");
    if (reader_ok(&r) && ladder_read(&ladder, &below, tx_err(tx)) == 0) {
        struct writer writer = writer_of(&text);
        ladder_write(&ladder, &writer, NULL);
        request.ladder = buf_text(&text);
        bool is_new = title_submit(tx, &request);
        call->status = is_new ? 201 : 200;
        writer_object(&call->writer, NULL);
        writer_string(&call->writer, "title", request.title);
        writer_bool(&call->writer, "new", is_new);
        writer_object_end(&call->writer);
    }
    buf_finish(&text);
}

static void list_titles(struct tx *tx, struct call *call) {
    const char *state = exchange_query(call->exchange, "state");
    int64_t limit = query_number(call, "limit", TITLES_PAGE, TITLES_PAGE_MAX);
    if (state != NULL && state_from_name(MACHINE_TITLE, state) < 0) {
        err_set(
            tx_err(tx), ERR_INVALID,
            "'%.40s' is no state of a title; write submitted, running, done, failing, failed or "
            "cancelled",
            state);
        return;
    }
    view_titles(tx, query_number(call, "before", INT64_MAX, INT64_MAX), state != NULL ? state : "",
                (int)(limit < 1 ? 1 : limit), &call->writer);
}

static void show_title(struct tx *tx, struct call *call) {
    view_title(tx, call->routes->farm, call->argument, &call->writer);
}

static void show_plan(struct tx *tx, struct call *call) {
    view_plan(tx, call->routes->farm, call->argument, &call->writer);
}

static void show_units(struct tx *tx, struct call *call) {
    int64_t limit = query_number(call, "limit", UNITS_PAGE, UNITS_PAGE_MAX);
    view_units(tx, call->argument, query_number(call, "after", 0, INT64_MAX),
               (int)(limit < 1 ? 1 : limit), &call->writer);
}

static void show_identity(struct tx *tx, struct call *call) {
    if (!view_identity(tx, call->routes->farm, call->argument, &call->writer) && tx_ok(tx)) {
        if (call->expired && !call->routes->stopping &&
            sql_integer(tx, SQL_UNITS_PROBING, VALUES(TEXT(call->argument)), 0) == 0) {
            err_set(tx_err(tx), ERR_CONFLICT, "nobody reads the source of %s at the moment",
                    call->argument);
            return;
        }
        call->status = 204;
        wait_for(call, TOPIC_TITLES, query_number(call, "wait_ms", 0, WAIT_MS_MAX), 0);
    }
}

static void cancel_title(struct tx *tx, struct call *call) {
    title_cancel(tx, call->argument, "it was cancelled");
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "state", state_name(MACHINE_TITLE, TITLE_CANCELLED));
    writer_object_end(&call->writer);
}

static void list_events(struct tx *tx, struct call *call) {
    writer_object(&call->writer, NULL);
    int count = events_write(tx, query_number(call, "after", 0, INT64_MAX), &call->writer);
    writer_object_end(&call->writer);
    if (count == 0) {
        wait_for(call, TOPIC_EVENTS, query_number(call, "wait_ms", 0, WAIT_MS_MAX), 0);
    }
}

/* ---- the table --------------------------------------------------------------- */

static const struct route table[] = {
    {"POST", "/v1/sessions", false, true, add_session},
    {"POST", "/v1/sessions/*/heartbeat", false, true, heartbeat},
    {"DELETE", "/v1/sessions/*", false, false, drop_session},
    {"POST", "/v1/leases", false, true, grant_leases},
    {"POST", "/v1/leases/*/source", false, true, early_source},
    {"POST", "/v1/leases/*/complete", false, true, complete_lease},
    {"POST", "/v1/leases/*/fail", false, true, fail_lease},
    {"POST", "/v1/titles", false, true, submit_title},
    {"GET", "/v1/titles", false, false, list_titles},
    {"GET", "/v1/titles/*", false, false, show_title},
    {"GET", "/v1/titles/*/plan", false, false, show_plan},
    {"GET", "/v1/titles/*/units", false, false, show_units},
    {"GET", "/v1/titles/*/identity", false, false, show_identity},
    {"POST", "/v1/titles/*/cancel", false, false, cancel_title},
    {"GET", "/v1/events", false, false, list_events},
    {"GET", "/v1/workers", false, false, list_workers},
    {"GET", "/healthz", true, false, NULL},
};

enum { ROUTE_COUNT = sizeof(table) / sizeof(table[0]) };

/* Whether a path is of this shape; the part at '*' goes to `argument`. */
static bool matches(const char *pattern, const char *path, char argument[WIRE_TITLE_TEXT]) {
    while (*pattern != '\0' && *pattern != '*') {
        if (*pattern++ != *path++) {
            return false;
        }
    }
    if (*pattern == '\0') {
        return *path == '\0';
    }
    size_t length = strcspn(path, "/");
    if (length == 0 || length >= WIRE_TITLE_TEXT || strcmp(path + length, pattern + 1) != 0) {
        return false;
    }
    memcpy(argument, path, length);
    argument[length] = '\0';
    return true;
}

/* ---- the way of a call ------------------------------------------------------- */

static void destroy_call(struct call *call) {
    json_tree_destroy(call->body);
    buf_finish(&call->answer);
    mem_free(call);
}

static int status_of(enum err_code code) {
    static const struct {
        enum err_code code;
        int status;
    } statuses[] = {
        {ERR_INVALID, 400},  {ERR_NOT_FOUND, 404},   {ERR_CONFLICT, 409},
        {ERR_NO_SPACE, 507}, {ERR_UNAVAILABLE, 503}, {ERR_CANCELLED, 503},
    };
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].code == code) {
            return statuses[i].status;
        }
    }
    return 500;
}

static void run_call(struct tx *tx, void *context) {
    struct call *call = context;
    buf_clear(&call->answer);
    call->writer = writer_of(&call->answer);
    call->status = 200;
    call->topics = 0;
    call->route->run(tx, call);
}

static void answer_call(struct call *call, const struct err *err) {
    if (err->code != ERR_NONE) {
        http_answer_problem(call->exchange, status_of(err->code), err);
    } else if (call->status == 409) {
        struct err conflict = {.code = ERR_CONFLICT};
        snprintf(conflict.message, sizeof(conflict.message),
                 "lease %s is not live, or another result was accepted before", call->argument);
        http_answer_problem(call->exchange, call->status, &conflict);
    } else if (call->status == 204) {
        http_answer(call->exchange, call->status, NULL, NULL);
    } else {
        http_answer(call->exchange, call->status, "application/json", &call->answer);
    }
    destroy_call(call);
}

static void end_call(void *context, const struct err *err) {
    struct call *call = context;
    struct routes *routes = call->routes;
    if (err->code != ERR_NONE) {
        farm_plans_forget(routes->farm);
    }
    bool waits = err->code == ERR_NONE && call->topics != 0 && !call->expired &&
                 !routes->stopping && clock_monotonic_ms() < call->deadline_ms;
    if (waits) {
        call->next = routes->waiting;
        routes->waiting = call;
    } else {
        answer_call(call, err);
    }
}

int64_t routes_after(struct routes *routes, unsigned topics) {
    int64_t now = clock_monotonic_ms();
    int64_t next = now + IDLE_MS;
    struct call **link = &routes->waiting;
    struct call *woken = NULL;
    while (*link != NULL) {
        struct call *call = *link;
        int64_t due = call->deadline_ms;
        if (call->retry_ms != 0 && call->retry_ms < due) {
            due = call->retry_ms;
        }
        call->expired = routes->stopping || now >= call->deadline_ms;
        if (call->expired || now >= due || (call->topics & topics) != 0) {
            *link = call->next;
            call->next = woken;
            woken = call; /* the list is newest first: this turns it round, oldest first */
        } else {
            next = due < next ? due : next;
            link = &call->next;
        }
    }
    while (woken != NULL) {
        struct call *call = woken;
        woken = call->next;
        store_submit(routes->store, run_call, end_call, call);
    }
    return next - now;
}

static void refuse(struct exchange *exchange, int status, enum err_code code, const char *message) {
    struct err err = {.code = code};
    snprintf(err.message, sizeof(err.message), "%s", message);
    http_answer_problem(exchange, status, &err);
}

/* The route of a path and method; answers the exchange where there is none. */
static const struct route *find_route(struct exchange *exchange, char argument[WIRE_TITLE_TEXT]) {
    const struct route *other = NULL;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        if (matches(table[i].path, exchange->path, argument)) {
            if (strcmp(table[i].method, exchange->method) == 0) {
                return &table[i];
            }
            other = &table[i];
        }
    }
    if (!exchange->authorised && (other == NULL || !other->open)) {
        refuse(exchange, 401, ERR_INVALID, "the call needs the scheduler's token");
    } else if (other != NULL) {
        exchange->allow = other->method;
        refuse(exchange, 405, ERR_INVALID, "the path has no such method");
    } else {
        refuse(exchange, 404, ERR_NOT_FOUND, "there is no such path; API.md lists them");
    }
    return NULL;
}

/* Parses the body; answers the exchange where it is not a JSON object. */
static bool parse_body(struct exchange *exchange, struct json **body) {
    struct err err = {0};
    if (json_tree_parse(body, exchange->body.data, exchange->body.size, &err) != 0) {
        http_answer_problem(exchange, 400, &err);
        return false;
    }
    buf_finish(&exchange->body);
    return true;
}

void routes_handle(void *context, struct exchange *exchange) {
    struct routes *routes = context;
    char argument[WIRE_TITLE_TEXT] = "";
    struct json *body = NULL;
    const struct route *route = find_route(exchange, argument);
    if (route == NULL) {
        return;
    }
    if (!route->open && !exchange->authorised) {
        refuse(exchange, 401, ERR_INVALID, "the call needs the scheduler's token");
    } else if (route->run == NULL) {
        struct buf healthy = {0};
        buf_string(&healthy, "{\"status\":\"ok\"}");
        http_answer(exchange, 200, "application/json", &healthy);
    } else if (routes->stopping) {
        refuse(exchange, 503, ERR_UNAVAILABLE, "the scheduler is stopping; try again later");
    } else if (!route->has_body || parse_body(exchange, &body)) {
        struct call *call = mem_zero(1, sizeof(*call));
        call->routes = routes;
        call->exchange = exchange;
        call->route = route;
        call->body = body;
        memcpy(call->argument, argument, sizeof(argument));
        store_submit(routes->store, run_call, end_call, call);
    }
}
