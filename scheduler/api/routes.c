/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of the API's calls: see routes.h. */
#include "routes.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "call.h"
#include "common/clock.h"
#include "common/mem.h"
#include "page.h"

enum {
    ALLOW_TEXT = 64,
    IDLE_MS = 60000,
    LOOKERS = 64,    /* calls that look for a task at a time, of those that wait */
    GATHER_MS = 100, /* who follows the feed hears of what happens within so long at once */
};

static const char no_certificate[] =
    "workers of this scheduler show a certificate that its worker_ca vouches for; start the "
    "worker with --certificate and --key-file";

static const char no_token[] =
    "the call needs a good token of this scheduler; `reelfarm token create` makes one";

/* What a caller who is bound to a tenant may see by a call. */
enum reach {
    WHOLE_FARM, /* nothing: it is about all tenants */
    ITS_TITLE,  /* the path's title, if it is the tenant's */
    ITS_OWN,    /* what is the tenant's: the call itself sees to that */
};

struct route {
    const char *method;
    const char *path; /* '*' stands for one part */
    unsigned roles;   /* who may call it; 0: anybody, without a token */
    enum reach reach;
    int most_body; /* bytes; NONE: it has no body */
    void (*run)(struct tx *tx, struct call *call);
};

/* Of bodies. What is LARGE tells of a whole title, or of thousands. */
enum { NONE = 0, SMALL = 64 << 10, MEDIUM = 1 << 20, LARGE = 32 << 20 };

enum {
    ANYBODY = 0,
    VIEWERS = 1 << ROLE_VIEWER | 1 << ROLE_SUBMITTER | 1 << ROLE_ADMIN,
    SUBMITTERS = 1 << ROLE_SUBMITTER | 1 << ROLE_ADMIN,
    WORKERS = 1 << ROLE_WORKER | 1 << ROLE_ADMIN,
    ADMINS = 1 << ROLE_ADMIN,
    EVERYBODY = VIEWERS | WORKERS,
};

/* ---- the table --------------------------------------------------------------- */

static const struct route table[] = {
    {"POST", "/v1/sessions", WORKERS, WHOLE_FARM, MEDIUM, call_add_session},
    {"POST", "/v1/sessions/*/heartbeat", WORKERS, WHOLE_FARM, MEDIUM, call_heartbeat},
    {"DELETE", "/v1/sessions/*", WORKERS, WHOLE_FARM, NONE, call_drop_session},
    {"POST", "/v1/leases", WORKERS, WHOLE_FARM, SMALL, call_grant_leases},
    {"POST", "/v1/leases/*/source", WORKERS, WHOLE_FARM, LARGE, call_early_source},
    {"POST", "/v1/leases/*/found", WORKERS, WHOLE_FARM, LARGE, call_add_orphans},
    {"POST", "/v1/leases/*/complete", WORKERS, WHOLE_FARM, LARGE, call_complete_lease},
    {"POST", "/v1/leases/*/fail", WORKERS, WHOLE_FARM, LARGE, call_fail_lease},
    {"POST", "/v1/titles", SUBMITTERS, ITS_OWN, MEDIUM, call_submit_title},
    {"POST", "/v1/plans", SUBMITTERS, ITS_OWN, LARGE, call_plan_title},
    {"POST", "/v1/probes", SUBMITTERS, ITS_OWN, SMALL, call_ask_probe},
    {"GET", "/v1/probes/*", SUBMITTERS, ITS_OWN, NONE, call_show_probe},
    {"POST", "/v1/titles/batch", SUBMITTERS, ITS_OWN, LARGE, call_submit_titles},
    {"GET", "/v1/titles", VIEWERS, ITS_OWN, NONE, call_list_titles},
    {"GET", "/v1/titles/*", VIEWERS, ITS_TITLE, NONE, call_show_title},
    {"DELETE", "/v1/titles/*", SUBMITTERS, ITS_TITLE, NONE, call_remove_title},
    {"GET", "/v1/titles/*/why", VIEWERS, ITS_TITLE, NONE, call_show_why},
    {"GET", "/v1/titles/*/versions", VIEWERS, ITS_TITLE, NONE, call_show_versions},
    {"GET", "/v1/titles/*/publications", VIEWERS, ITS_OWN, NONE, call_show_publications},
    {"GET", "/v1/titles/*/plan", EVERYBODY, ITS_TITLE, NONE, call_show_plan},
    {"GET", "/v1/titles/*/units", EVERYBODY, ITS_TITLE, NONE, call_show_units},
    {"GET", "/v1/titles/*/identity", EVERYBODY, ITS_TITLE, NONE, call_show_identity},
    {"POST", "/v1/titles/*/cancel", SUBMITTERS, ITS_TITLE, NONE, call_cancel_title},
    {"POST", "/v1/titles/*/retry", SUBMITTERS, ITS_TITLE, NONE, call_retry_title},
    {"GET", "/v1/titles/*/versions/*/objects", EVERYBODY, ITS_TITLE, NONE, call_show_objects},
    {"POST", "/v1/titles/*/publish", SUBMITTERS, ITS_TITLE, SMALL, call_publish_title},
    {"POST", "/v1/titles/*/unpublish", SUBMITTERS, ITS_TITLE, SMALL, call_unpublish_title},
    {"POST", "/v1/titles/*/rollback", SUBMITTERS, ITS_TITLE, SMALL, call_roll_back_title},
    {"PUT", "/v1/popularity", ADMINS, WHOLE_FARM, LARGE, call_set_popularity},
    {"GET", "/v1/endpoints", VIEWERS, WHOLE_FARM, NONE, call_list_endpoints},
    {"DELETE", "/v1/endpoints/*", ADMINS, WHOLE_FARM, NONE, call_forget_endpoint},
    {"POST", "/v1/endpoints/*/reset", ADMINS, WHOLE_FARM, NONE, call_reset_endpoint},
    {"POST", "/v1/endpoints/*/sweep", ADMINS, WHOLE_FARM, SMALL, call_sweep_endpoint},
    {"GET", "/v1/endpoints/*/sweep", VIEWERS, WHOLE_FARM, NONE, call_show_sweep},
    {"GET", "/v1/endpoints/*/deliveries", VIEWERS, WHOLE_FARM, NONE, call_list_deliveries},
    {"POST", "/v1/endpoints/*/replay", ADMINS, WHOLE_FARM, SMALL, call_replay_events},
    {"GET", "/v1/ladders", VIEWERS, ITS_OWN, NONE, call_list_ladders},
    {"GET", "/v1/events", VIEWERS, ITS_OWN, NONE, call_list_events},
    {"GET", "/v1/workers", VIEWERS, WHOLE_FARM, NONE, call_list_workers},
    {"POST", "/v1/workers/*/drain", ADMINS, WHOLE_FARM, NONE, call_drain_worker},
    {"DELETE", "/v1/workers/*/drain", ADMINS, WHOLE_FARM, NONE, call_undrain_worker},
    {"POST", "/v1/tokens", ADMINS, WHOLE_FARM, SMALL, call_create_token},
    {"GET", "/v1/tokens", ADMINS, WHOLE_FARM, NONE, call_list_tokens},
    {"DELETE", "/v1/tokens/*", ADMINS, WHOLE_FARM, NONE, call_revoke_token},
    {"POST", "/v1/backup", ADMINS, WHOLE_FARM, SMALL, call_begin_backup},
    {"GET", "/v1/backup", ADMINS, WHOLE_FARM, NONE, call_show_backup},
    {"GET", "/v1/backups/*", ADMINS, WHOLE_FARM, NONE, call_fetch_backup},
    {"DELETE", "/v1/backups/*", ADMINS, WHOLE_FARM, NONE, call_drop_backup},
    {"GET", "/v1/caller", EVERYBODY, ITS_OWN, NONE, call_show_caller},
    {"GET", "/v1/openapi.json", ANYBODY, WHOLE_FARM, NONE, call_show_document},
    {"GET", "/metrics", VIEWERS, WHOLE_FARM, NONE, call_show_metrics},
    {"GET", "/healthz", ANYBODY, WHOLE_FARM, NONE, NULL},
    {"GET", "/readyz", ANYBODY, WHOLE_FARM, NONE, call_show_ready},
};

/* What is counted besides the routes: what is none of them, and the page's files. */
enum { ROUTE_COUNT = sizeof(table) / sizeof(table[0]), NO_ROUTE = ROUTE_COUNT, PAGE, COUNTED };

_Static_assert((int)COUNTED <= (int)TRAFFIC_ROUTES_MAX, "all of them are counted");

/* Whether a path is of this shape; the parts at '*' go to `arguments`, one after another. */
static bool matches(const char *pattern, const char *path,
                    char arguments[CALL_ARGUMENTS][WIRE_TITLE_TEXT]) {
    size_t count = 0;
    while (*pattern != '\0') {
        size_t length = strcspn(path, "/");
        if (*pattern != '*') {
            if (*pattern++ != *path++) {
                return false;
            }
        } else if (length == 0 || length >= WIRE_TITLE_TEXT) {
            return false;
        } else {
            memcpy(arguments[count], path, length);
            arguments[count++][length] = '\0';
            path += length;
            pattern++;
        }
    }
    return *path == '\0';
}

/* ---- what is counted --------------------------------------------------------- */

/* Counts an answer; `route` is NULL where there is no such. */
static void count_answer(struct routes *routes, const struct route *route, int status,
                         int64_t since_ns) {
    traffic_count(&routes->traffic, route == NULL ? NO_ROUTE : (int)(route - table), status,
                  1e-9 * (double)(clock_monotonic_ns() - since_ns));
}

void routes_write_traffic(struct routes *routes, struct buf *out) {
    struct traffic_route names[COUNTED];
    for (int i = 0; i < ROUTE_COUNT; i++) {
        names[i] = (struct traffic_route){.method = table[i].method, .path = table[i].path};
    }
    names[NO_ROUTE] = (struct traffic_route){.method = "other", .path = "other"};
    names[PAGE] = (struct traffic_route){.method = "GET", .path = "/"};
    traffic_write(&routes->traffic, names, COUNTED, out);
}

/* ---- the way of a call ------------------------------------------------------- */

static void destroy_call(struct call *call) {
    if (call->sends_file) {
        close(call->file);
    }
    json_tree_destroy(call->body);
    buf_finish(&call->answer);
    mem_free(call);
}

static int status_of(enum err_code code) {
    static const struct {
        enum err_code code;
        int status;
    } statuses[] = {
        {ERR_INVALID, 400},     {ERR_NOT_FOUND, 404}, {ERR_CONFLICT, 409},  {ERR_NO_SPACE, 507},
        {ERR_UNAVAILABLE, 503}, {ERR_CANCELLED, 503}, {ERR_FORBIDDEN, 403}, {ERR_UNSUPPORTED, 501},
    };
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].code == code) {
            return statuses[i].status;
        }
    }
    return 500;
}

/* A stream's next piece is a call of its own; see http_stream. */
static void go_on(void *context);
static void end_stream(void *context);

/* Begins an answer without an end. */
static void begin_stream(struct call *call) {
    struct http_reply head = {.status = 200,
                              .type = "text/event-stream",
                              .headers = {{"X-Accel-Buffering", "no"}}}; /* nginx would keep it */
    struct http_stream stream = {.more = go_on, .end = end_stream, .context = call};
    call->streams = true;
    call->routes->followers++;
    http_answer_stream(call->exchange, &head, &stream, &call->answer);
}

static void continue_stream(struct call *call, const struct err *err) {
    if (err->code != ERR_NONE) {
        buf_clear(&call->answer); /* ends it: the client comes back to where it was */
    }
    http_stream_write(call->exchange, &call->answer);
}

/* Whether what it did, where it fails, may be in what is kept in memory. */
static bool may_write(const struct call *call) {
    return strcmp(call->route->method, "GET") != 0;
}

static void run_call(struct tx *tx, void *context) {
    struct call *call = context;
    buf_clear(&call->answer);
    call->writer = writer_of(&call->answer);
    call->status = 200;
    call->topics = 0;
    if (call->route->reach == ITS_TITLE) {
        call_check_title(tx, call);
    }
    if (tx_ok(tx)) {
        call->route->run(tx, call);
    }
    if (!tx_ok(tx) && may_write(call)) { /* before the next call of its group reads */
        farm_forget(call->routes->farm);
    }
}

/* What a call that did well is refused for all the same. */
static void check_answer(const struct call *call, struct err *err) {
    if (call->status == 409) {
        err_set(err, ERR_CONFLICT, "lease %s is not live, or another result was accepted before",
                call->argument);
    } else if (call->follows && call->routes->followers >= FOLLOWERS_MAX) {
        err_set(err, ERR_UNAVAILABLE,
                "%d clients follow the feed, and no more may; call without text/event-stream",
                FOLLOWERS_MAX);
    }
}

static void answer_call(struct call *call, const struct err *failure) {
    struct err err = *failure;
    if (call->streams) {
        continue_stream(call, &err);
        return;
    }
    check_answer(call, &err);
    bool is_well = err.code == ERR_NONE;
    /* Whoever asks whether to send calls here hears yes or no, whatever the reason. */
    int refusal = call->route->run == call_show_ready ? 503 : status_of(err.code);
    int status = is_well ? call->status : refusal;
    count_answer(call->routes, call->route, status, call->since_ns);
    if (is_well && call->follows) {
        begin_stream(call);
        return;
    }
    if (!is_well) {
        http_answer_problem(call->exchange, status, &err);
    } else if (call->sends_file) {
        struct http_reply head = {.status = status, .type = call->type};
        call->sends_file = false; /* the server closes it */
        http_answer_file(call->exchange, &head, call->file, 0, call->file_size);
    } else if (status == 204) {
        http_answer(call->exchange, status, NULL, NULL);
    } else {
        http_answer(call->exchange, status, call->type != NULL ? call->type : "application/json",
                    &call->answer);
    }
    destroy_call(call);
}

static void end_call(void *context, const struct err *err) {
    struct call *call = context;
    struct routes *routes = call->routes;
    if (err->code != ERR_NONE) {
        if (may_write(call)) {
            farm_forget(routes->farm);
        }
        routes->proved_ms = 0;
        routes->idle_news = 0;
    }
    bool waits = err->code == ERR_NONE && call->topics != 0 && !call->expired &&
                 !routes->stopping && clock_monotonic_ms() < call->deadline_ms;
    if (waits) {
        call->paused_ns = clock_monotonic_ns();
        call->next = routes->waiting;
        routes->waiting = call;
        routes->awaited |= call->topics;
        routes->due_ms = 0; /* it may be due before the others */
    } else {
        answer_call(call, err);
    }
}

static void go_on(void *context) {
    struct call *call = context;
    call->deadline_ms = 0;
    call->expired = false;
    store_submit(call->routes->store, run_call, end_call, call);
}

static void end_stream(void *context) {
    struct call *call = context;
    call->routes->followers--;
    destroy_call(call);
}

bool routes_are_idle(const struct routes *routes, int64_t now_ms) {
    return routes->idle_news == routes->lease_news &&
           (routes->idle_until == 0 || now_ms < routes->idle_until);
}

/* Whether the call waits for a task and has not looked since there was news. */
static bool may_lease(const struct routes *routes, const struct call *call) {
    return (call->topics & TOPIC_LEASES) != 0 && call->looked != routes->lease_news;
}

/* How many of those that wait for a task, the newest of them, are let wait while the others
 * look: it is enough that some do. SIZE_MAX: all, since there is none. */
static size_t count_patient(const struct routes *routes, int64_t now) {
    size_t count = 0;
    if (routes_are_idle(routes, now)) {
        return SIZE_MAX;
    }
    for (const struct call *call = routes->waiting; call != NULL; call = call->next) {
        count += may_lease(routes, call) ? 1 : 0;
    }
    return count > LOOKERS ? count - LOOKERS : 0;
}

/* Whether the call is for one of these topics. Events come by the thousand and may have
 * hundreds of followers: they are woken for what was gathered, not for each. */
static bool has_news(struct routes *routes, struct call *call, unsigned topics, size_t *patient,
                     int64_t now) {
    if (may_lease(routes, call)) {
        bool looks = *patient == 0;
        *patient -= looks ? 0 : 1;
        return looks;
    }
    bool is_news = (call->topics & topics & ~(unsigned)TOPIC_LEASES) != 0;
    if (is_news && call->topics == TOPIC_EVENTS) {
        if (call->retry_ms == 0) {
            call->retry_ms = now + GATHER_MS;
        }
        return false;
    }
    return is_news;
}

int64_t routes_after(struct routes *routes, unsigned topics) {
    int64_t now = clock_monotonic_ms();
    int64_t next = now + IDLE_MS;
    struct call **link = &routes->waiting;
    struct call *woken = NULL;
    routes->lease_news += (topics & TOPIC_LEASES) != 0 ? 1 : 0;
    if ((topics & routes->awaited) == 0 && !routes->lease_owed && now < routes->due_ms &&
        !routes->stopping) {
        return routes->due_ms - now;
    }
    size_t patient = count_patient(routes, now);
    bool idle = patient == SIZE_MAX;
    routes->lease_owed = patient > 0 && !idle;
    routes->awaited = 0;
    while (*link != NULL) {
        struct call *call = *link;
        bool is_news = has_news(routes, call, topics, &patient, now);
        int64_t due = call->deadline_ms;
        if (call->retry_ms != 0 && call->retry_ms < due) {
            due = call->retry_ms;
        }
        call->expired = routes->stopping || now >= call->deadline_ms;
        if (call->expired || now >= due || is_news) {
            *link = call->next;
            call->next = woken;
            woken = call; /* the list is newest first: this turns it round, oldest first */
        } else {
            next = due < next ? due : next;
            routes->awaited |= call->topics;
            link = &call->next;
        }
    }
    if (idle && routes->idle_until != 0 && routes->idle_until < next) {
        next = routes->idle_until;
    }
    routes->due_ms = next;
    while (woken != NULL) {
        struct call *call = woken;
        woken = call->next;
        call->since_ns += clock_monotonic_ns() - call->paused_ns;
        store_submit(routes->store, run_call, end_call, call);
    }
    return next - now;
}

/* Refuses what never becomes a call; `route` is NULL where there is no such. */
static void refuse(struct routes *routes, const struct route *route, struct exchange *exchange,
                   int status, enum err_code code, const char *message) {
    struct err err = {.code = code};
    snprintf(err.message, sizeof(err.message), "%s", message);
    count_answer(routes, route, status, clock_monotonic_ns());
    http_answer_problem(exchange, status, &err);
}

/* Whether the route is one of this method. HEAD is answered as GET, of which the server sends the
 * head alone (RFC 9110 9.3.2). */
static bool takes(const struct route *route, const char *method) {
    return strcmp(route->method, strcmp(method, "HEAD") == 0 ? "GET" : method) == 0;
}

/* All methods of a path, as the header Allow has them: "POST, GET, HEAD"; empty where there is no
 * such path. What anybody may call needs no token to hear of. */
static void list_methods(const char *path, char allow[ALLOW_TEXT], bool *anybodys) {
    char arguments[CALL_ARGUMENTS][WIRE_TITLE_TEXT];
    allow[0] = '\0';
    *anybodys = false;
    for (int i = 0; i < ROUTE_COUNT; i++) {
        if (matches(table[i].path, path, arguments)) {
            size_t length = strlen(allow);
            snprintf(allow + length, ALLOW_TEXT - length, "%s%s%s", length > 0 ? ", " : "",
                     table[i].method, takes(&table[i], "HEAD") ? ", HEAD" : "");
            *anybodys = *anybodys || table[i].roles == ANYBODY;
        }
    }
}

/* The route of a path and method; NULL where there is none. */
static const struct route *route_of(const struct exchange *exchange,
                                    char arguments[CALL_ARGUMENTS][WIRE_TITLE_TEXT]) {
    for (int i = 0; i < ROUTE_COUNT; i++) {
        if (takes(&table[i], exchange->method) &&
            matches(table[i].path, exchange->path, arguments)) {
            return &table[i];
        }
    }
    return NULL;
}

/* The same; answers the exchange where there is none. */
static const struct route *find_route(struct routes *routes, struct exchange *exchange,
                                      char arguments[CALL_ARGUMENTS][WIRE_TITLE_TEXT]) {
    char allow[ALLOW_TEXT];
    bool anybodys = false;
    const struct route *route = route_of(exchange, arguments);
    if (route != NULL) {
        return route;
    }
    list_methods(exchange->path, allow, &anybodys);
    if (!exchange->authorised && !anybodys) {
        refuse(routes, NULL, exchange, 401, ERR_FORBIDDEN, no_token);
    } else if (allow[0] != '\0') {
        exchange->allow = allow;
        refuse(routes, NULL, exchange, 405, ERR_INVALID, "the path has no such method");
    } else {
        refuse(routes, NULL, exchange, 404, ERR_NOT_FOUND,
               "there is no such path; /v1/openapi.json lists them");
    }
    return NULL;
}

/* Parses the body; answers the exchange where it is not a JSON object. */
static bool parse_body(struct routes *routes, const struct route *route, struct exchange *exchange,
                       struct json **body) {
    struct err err = {0};
    if (json_tree_parse(body, exchange->body.data, exchange->body.size, &err) != 0) {
        refuse(routes, route, exchange, 400, err.code, err.message);
        return false;
    }
    buf_finish(&exchange->body);
    return true;
}

static void refuse_role(struct routes *routes, const struct route *route, struct exchange *exchange,
                        const struct caller *caller) {
    struct err err = {0};
    struct buf roles = {0};
    for (int role = 0; role < ROLE_COUNT; role++) {
        if ((route->roles & 1U << role) != 0) {
            buf_format(&roles, "%s%s", roles.size > 0 ? " or " : "", role_name((enum role)role));
        }
    }
    err_set(&err, ERR_FORBIDDEN,
            "the token is a %s's, and %s %s needs one of role %s; ask who runs the farm for one",
            role_name(caller->role), route->method, route->path, buf_text(&roles));
    refuse(routes, route, exchange, 403, err.code, err.message);
    buf_finish(&roles);
}

/* Whether who sent it may make this call; answers the exchange where not. */
static bool admit(struct routes *routes, const struct route *route, struct exchange *exchange,
                  struct caller *caller) {
    struct err err = {0};
    if (route->roles == ANYBODY) {
        return true;
    }
    if (!exchange->authorised || !auth_find(routes->auth, exchange->caller, caller)) {
        refuse(routes, route, exchange, 401, ERR_FORBIDDEN, no_token);
        return false;
    }
    bool is_worker = route->roles == WORKERS || caller->role == ROLE_WORKER;
    if (is_worker && routes->vouches_workers && !exchange->vouched) {
        refuse(routes, route, exchange, 403, ERR_FORBIDDEN, no_certificate);
        return false;
    }
    if ((route->roles & 1U << caller->role) == 0) {
        refuse_role(routes, route, exchange, caller);
        return false;
    }
    if (route->reach == WHOLE_FARM && caller->tenant[0] != '\0') {
        err_set(&err, ERR_FORBIDDEN,
                "the token is for tenant %s alone, and %s %s is about the whole farm; ask who runs "
                "it for another",
                caller->tenant, route->method, route->path);
        refuse(routes, route, exchange, 403, err.code, err.message);
        return false;
    }
    return true;
}

/* The page's files are no calls of the API: anybody may read them, and no store is asked. */
static bool answer_page(struct routes *routes, struct exchange *exchange) {
    int64_t since_ns = clock_monotonic_ns();
    int status = 0;
    bool is_page = page_answer(exchange, buf_text(&routes->page_policy), &status);
    if (is_page) {
        traffic_count(&routes->traffic, PAGE, status,
                      1e-9 * (double)(clock_monotonic_ns() - since_ns));
    }
    return is_page;
}

int64_t routes_most_body(void *context, const struct exchange *exchange) {
    const struct routes *routes = context;
    char arguments[CALL_ARGUMENTS][WIRE_TITLE_TEXT];
    struct caller caller;
    const struct route *route = route_of(exchange, arguments);
    bool may = route != NULL && route->most_body != NONE && exchange->authorised &&
               auth_find(routes->auth, exchange->caller, &caller) &&
               (route->roles & 1U << caller.role) != 0;
    return may ? route->most_body : -1;
}

void routes_handle(void *context, struct exchange *exchange) {
    struct routes *routes = context;
    char arguments[CALL_ARGUMENTS][WIRE_TITLE_TEXT] = {""};
    struct caller caller = {.token = ""};
    struct json *body = NULL;
    if (answer_page(routes, exchange)) {
        return;
    }
    const struct route *route = find_route(routes, exchange, arguments);
    if (route == NULL) {
        return;
    }
    if (!admit(routes, route, exchange, &caller)) {
        return;
    }
    if (route->run == NULL) {
        struct buf healthy = {0};
        count_answer(routes, route, 200, clock_monotonic_ns());
        buf_string(&healthy, "{\"status\":\"ok\"}");
        http_answer(exchange, 200, "application/json", &healthy);
    } else if (routes->stopping) {
        refuse(routes, route, exchange, 503, ERR_UNAVAILABLE,
               "the scheduler is stopping; try again later");
    } else if (route->most_body == NONE || parse_body(routes, route, exchange, &body)) {
        struct call *call = mem_zero(1, sizeof(*call));
        call->routes = routes;
        call->exchange = exchange;
        call->route = route;
        call->since_ns = clock_monotonic_ns();
        call->body = body;
        call->caller = caller;
        memcpy(call->argument, arguments[0], sizeof(call->argument));
        memcpy(call->second, arguments[1], sizeof(call->second));
        store_submit(routes->store, run_call, end_call, call);
    }
}
