/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalog's calls, as rows of a table: what comes in is checked on the server's thread, done
 * at the desk (desk.h), and answered from there. See catalog.h. */
#include "catalog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/http_server.h"
#include "common/mem.h"
#include "common/signature.h"
#include "desk.h"
#include "documents.h"
#include "entry.h"
#include "words.h"

enum {
    BODY_MAX = (1 << 20) + (64 << 10), /* a title document of 1 MiB, and what goes with it */
    BODIES_MAX = 64 << 20,             /* all that are on their way */
    PAGE = 50,                         /* where no limit is named */
    TARGET_MAX = 4200,
    ALLOW_TEXT = 64,
};

struct catalog {
    struct http_server *http;
    struct desk *desk;
    char *secret;
    bool wants_token;
    uint8_t token[SHA256_BYTES]; /* its hash: compared in a time that tells nothing of it */
    char *allow_origin;
    char *url;
};

/* One call on its way. */
struct call {
    struct job job; /* first: the desk hands it back */
    struct catalog *catalog;
    struct exchange *exchange;
    const struct route *route;
    char title[WIRE_TITLE_TEXT];
    struct json *body;
    struct entry entry;
    int64_t revision;
    int64_t kept;         /* the revision that a refused change met */
    struct search search; /* its filter and limit are of a list, too */
    const char *after;
    struct buf labels; /* of the filter, as they came */
    struct buf expression;
    int status;
    struct buf answer;
    char tag[SHELF_TAG_TEXT]; /* "": the answer has none */
};

enum need {
    NEEDS_NOTHING,
    NEEDS_TOKEN, /* where the catalog wants one */
    NEEDS_SIGNATURE,
};

struct route {
    const char *method;
    const char *path; /* '*' stands for a title's id */
    enum need need;
    bool changes;
    /* On the server's thread: reads what is asked for; the status of a refusal, or 0. */
    int (*read)(struct call *call, struct err *err);
    void (*run)(struct job *job, struct shelf *shelf);
    const char *document; /* where the answer is a text that does not change */
};

/* ---- reading requests ------------------------------------------------------------------ */

/* A number of the query; `otherwise` where it is not there. */
static int read_number(const struct exchange *exchange, const char *name, int64_t least,
                       int64_t most, int64_t otherwise, int64_t *out, struct err *err) {
    const char *text = exchange_query(exchange, name);
    char *end = NULL;
    *out = otherwise;
    if (text == NULL) {
        return 0;
    }
    size_t digits = strspn(text, "0123456789");
    *out = digits > 0 && digits < 20 ? strtoll(text, &end, 10) : -1;
    if (end == NULL || *end != '\0' || *out < least || *out > most) {
        err_set(err, ERR_INVALID, "%s must be a number from %" PRId64 " to %" PRId64, name, least,
                most);
        return 400;
    }
    return 0;
}

static const char *query_or_none(const struct call *call, const char *name) {
    const char *value = exchange_query(call->exchange, name);
    return value != NULL ? value : "";
}

static int read_limit(struct call *call, struct err *err) {
    int64_t limit = 0;
    int refused = read_number(call->exchange, "limit", 1, SHELF_PAGE_MAX, PAGE, &limit, err);
    call->search.limit = (int)limit;
    return refused;
}

static int read_filter(struct call *call, struct err *err) {
    exchange_query_list(call->exchange, "label", &call->labels);
    struct filter_texts texts = {
        .labels = buf_text(&call->labels),
        .language = query_or_none(call, "language"),
        .codec = query_or_none(call, "codec"),
        .tenant = query_or_none(call, "tenant"),
        .min_height = query_or_none(call, "min_height"),
        .updated_since = query_or_none(call, "updated_since"),
    };
    return filter_read(&call->search.filter, &texts, err) == 0 ? 0 : 400;
}

static int read_list(struct call *call, struct err *err) {
    call->after = query_or_none(call, "cursor");
    int refused = read_filter(call, err);
    return refused == 0 ? read_limit(call, err) : refused;
}

static int read_search(struct call *call, struct err *err) {
    struct search *search = &call->search;
    search->title = query_or_none(call, "q");
    int refused = read_filter(call, err);
    if (refused != 0) {
        return refused;
    }
    bool has_words = search->title[0] != '\0' || filter_is_any(&search->filter);
    if (has_words && words_expression(search->title, &call->expression, err) != 0) {
        return 400;
    }
    search->expression = buf_text(&call->expression);
    if (cursor_read(&search->from, query_or_none(call, "cursor"), err) != 0) {
        return 400;
    }
    return read_limit(call, err);
}

static int read_put(struct call *call, struct err *err) {
    struct buf *body = &call->exchange->body;
    if (json_tree_parse(&call->body, body->data, body->size, err) != 0) {
        return 400;
    }
    return entry_read(&call->entry, call->body, call->title, err) == 0 ? 0 : 422;
}

static int read_drop(struct call *call, struct err *err) {
    if (exchange_query(call->exchange, "revision") == NULL) {
        err_set(err, ERR_INVALID, "the query must have the revision, as ?revision=7");
        return 400;
    }
    return read_number(call->exchange, "revision", 0, INT64_MAX, 0, &call->revision, err);
}

/* ---- at the desk -------------------------------------------------------------------------- */

static void run_put(struct job *job, struct shelf *shelf) {
    struct call *call = (struct call *)job;
    enum shelf_change change = SHELF_SAME;
    if (shelf_put(shelf, &call->entry, clock_wall_ms(), &change, &call->kept, &job->err) != 0) {
        return;
    }
    struct writer w = writer_of(&call->answer);
    writer_object(&w, NULL);
    writer_string(&w, "title", call->entry.title);
    writer_int(&w, "revision", call->entry.revision);
    writer_bool(&w, "changed", change != SHELF_SAME);
    writer_object_end(&w);
    call->status = change == SHELF_ADDED ? 201 : 200;
}

static void run_drop(struct job *job, struct shelf *shelf) {
    struct call *call = (struct call *)job;
    shelf_drop(shelf, call->title, call->revision, &call->kept, &job->err);
    call->status = 204;
}

/* Whether the client has what has this tag: If-None-Match is "*" or a list of tags (RFC 9110
 * 13.1.2), compared weakly. */
static bool has_it(const struct call *call) {
    const char *known = exchange_header(call->exchange, "If-None-Match");
    return known != NULL && call->tag[0] != '\0' &&
           (strcmp(known, "*") == 0 || strstr(known, call->tag) != NULL);
}

static void run_get(struct job *job, struct shelf *shelf) {
    struct call *call = (struct call *)job;
    if (shelf_get(shelf, call->title, call->tag, &call->answer, &job->err) == 0) {
        call->status = has_it(call) ? 304 : 200;
    }
}

static void run_list(struct job *job, struct shelf *shelf) {
    struct call *call = (struct call *)job;
    if (shelf_tag(shelf, call->tag, &job->err) != 0) {
        return;
    }
    call->status = has_it(call) ? 304 : 200;
    if (call->status == 200) {
        shelf_list(shelf, &call->search.filter, call->after, call->search.limit, &call->answer,
                   &job->err);
    }
}

static void run_search(struct job *job, struct shelf *shelf) {
    struct call *call = (struct call *)job;
    if (shelf_tag(shelf, call->tag, &job->err) != 0) {
        return;
    }
    call->status = has_it(call) ? 304 : 200;
    if (call->status == 200) {
        shelf_search(shelf, &call->search, &call->answer, &job->err);
    }
}

/* Whether the store can be read. */
static void run_ready(struct job *job, struct shelf *shelf) {
    struct call *call = (struct call *)job;
    char tag[SHELF_TAG_TEXT];
    if (shelf_tag(shelf, tag, &job->err) == 0) {
        buf_string(&call->answer, "{\"status\":\"ok\"}");
        call->status = 200;
    }
}

static const struct route table[] = {
    {"PUT", "/titles/*", NEEDS_SIGNATURE, true, read_put, run_put, NULL},
    {"DELETE", "/titles/*", NEEDS_SIGNATURE, true, read_drop, run_drop, NULL},
    {"GET", "/titles", NEEDS_TOKEN, false, read_list, run_list, NULL},
    {"GET", "/titles/*", NEEDS_TOKEN, false, NULL, run_get, NULL},
    {"GET", "/search", NEEDS_TOKEN, false, read_search, run_search, NULL},
    {"GET", "/schema/title.json", NEEDS_NOTHING, false, NULL, NULL, title_schema_document},
    {"GET", "/openapi.json", NEEDS_NOTHING, false, NULL, NULL, catalog_openapi_document},
    {"GET", "/healthz", NEEDS_NOTHING, false, NULL, NULL, "{\"status\":\"ok\"}"},
    {"GET", "/readyz", NEEDS_NOTHING, false, NULL, run_ready, NULL},
};

enum { ROUTES = sizeof(table) / sizeof(table[0]) };

/* ---- answers ------------------------------------------------------------------------------- */

/* The heads that every answer to a reader has. */
static struct http_reply reply_of(const struct call *call, int status, const char *type) {
    struct http_reply reply = {.status = status, .type = type};
    int count = 0;
    if (call->tag[0] != '\0' && status < 400) {
        reply.cache_control = call->catalog->wants_token ? "private, no-cache" : "no-cache";
        reply.headers[count].name = "ETag";
        reply.headers[count++].value = call->tag;
    }
    if (call->catalog->allow_origin != NULL && !call->route->changes) {
        reply.headers[count].name = "Access-Control-Allow-Origin";
        reply.headers[count++].value = call->catalog->allow_origin;
        reply.headers[count].name = "Access-Control-Expose-Headers";
        reply.headers[count].value = "ETag";
    }
    return reply;
}

static void call_destroy(struct call *call) {
    json_tree_destroy(call->body);
    buf_finish(&call->labels);
    buf_finish(&call->expression);
    buf_finish(&call->answer);
    mem_free(call);
}

/* As http_answer_problem, with the revision that is kept: who is told to be late needs it. */
static void answer_conflict(struct call *call) {
    struct buf body = {0};
    struct writer w = writer_of(&body);
    struct http_reply reply = {.status = 409, .type = "application/problem+json"};
    writer_object(&w, NULL);
    writer_string(&w, "type", "about:blank");
    writer_string(&w, "title", "Conflict");
    writer_int(&w, "status", 409);
    writer_string(&w, "detail", call->job.err.message);
    writer_string(&w, "code", err_code_name(ERR_CONFLICT));
    writer_int(&w, "revision", call->kept);
    writer_object_end(&w);
    http_answer_reply(call->exchange, &reply, &body);
}

static int status_of(enum err_code code) {
    static const struct {
        enum err_code code;
        int status;
    } statuses[] = {{ERR_NOT_FOUND, 404}, {ERR_NO_SPACE, 507}, {ERR_UNAVAILABLE, 503}};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].code == code) {
            return statuses[i].status;
        }
    }
    return 500;
}

static void end_call(struct job *job) {
    struct call *call = (struct call *)job;
    if (job->err.code == ERR_CONFLICT) {
        answer_conflict(call);
    } else if (job->err.code != ERR_NONE) {
        http_answer_problem(call->exchange, status_of(job->err.code), &job->err);
    } else {
        bool has_body = call->status != 304 && call->status != 204;
        struct http_reply reply =
            reply_of(call, call->status, has_body ? "application/json" : NULL);
        http_answer_reply(call->exchange, &reply, has_body ? &call->answer : NULL);
    }
    call_destroy(call);
}

static void refuse(struct exchange *exchange, int status, enum err_code code, const char *message) {
    struct err err = {0};
    err_set(&err, code, "%s", message);
    http_answer_problem(exchange, status, &err);
}

/* ---- the table ------------------------------------------------------------------------------- */

/* HEAD is GET, whose body stays behind. */
static const char *method_of(const struct exchange *exchange) {
    return strcmp(exchange->method, "HEAD") == 0 ? "GET" : exchange->method;
}

/* Whether the path is the route's; its title where it has one. */
static bool matches(const struct route *route, const char *path, char title[WIRE_TITLE_TEXT]) {
    size_t head = strcspn(route->path, "*");
    title[0] = '\0';
    if (route->path[head] == '\0') {
        return strcmp(route->path, path) == 0;
    }
    if (strncmp(route->path, path, head) != 0 || !title_id_valid(path + head)) {
        return false;
    }
    snprintf(title, WIRE_TITLE_TEXT, "%s", path + head);
    return true;
}

/* The route; answers where there is none. */
static const struct route *find_route(struct exchange *exchange, char title[WIRE_TITLE_TEXT]) {
    char allow[ALLOW_TEXT] = "";
    for (int i = 0; i < ROUTES; i++) {
        if (!matches(&table[i], exchange->path, title)) {
            continue;
        }
        if (strcmp(table[i].method, method_of(exchange)) == 0) {
            return &table[i];
        }
        size_t length = strlen(allow);
        snprintf(allow + length, sizeof(allow) - length, "%s%s", length > 0 ? ", " : "",
                 table[i].method);
    }
    if (allow[0] != '\0') {
        exchange->allow = allow;
        refuse(exchange, 405, ERR_INVALID, "the path has no such method");
    } else {
        refuse(exchange, 404, ERR_NOT_FOUND, "there is no such path; /openapi.json lists them");
    }
    return NULL;
}

static int check_signature(const struct catalog *catalog, struct exchange *exchange,
                           struct err *err) {
    char target[TARGET_MAX];
    bool has_query = exchange->query[0] != '\0';
    snprintf(target, sizeof(target), "%s%s%s", exchange->path, has_query ? "?" : "",
             exchange->query);
    struct signature_request request = {exchange->method, target, exchange->body.data,
                                        exchange->body.size};
    return signature_check(&request, exchange_header(exchange, SIGNATURE_HEADER), catalog->secret,
                           strlen(catalog->secret), clock_wall_ms() / 1000, err);
}

/* Whether who sent it may have it; answers where not. */
static bool admit(const struct catalog *catalog, const struct route *route,
                  struct exchange *exchange) {
    struct err err = {0};
    if (route->need == NEEDS_TOKEN && catalog->wants_token && !exchange->authorised) {
        err_set(&err, ERR_FORBIDDEN,
                "reading needs the catalog's token, as Authorization: Bearer TOKEN");
    } else if (route->need == NEEDS_SIGNATURE) {
        check_signature(catalog, exchange, &err);
    }
    if (err.code != ERR_NONE) {
        http_answer_problem(exchange, 401, &err);
    }
    return err.code == ERR_NONE;
}

static void handle(void *context, struct exchange *exchange) {
    struct catalog *catalog = context;
    char title[WIRE_TITLE_TEXT];
    struct err err = {0};
    const struct route *route = find_route(exchange, title);
    if (route == NULL || !admit(catalog, route, exchange)) {
        return;
    }
    struct call *call = mem_zero(1, sizeof(*call));
    call->catalog = catalog;
    call->exchange = exchange;
    call->route = route;
    memcpy(call->title, title, sizeof(title));
    call->job = (struct job){.changes = route->changes, .run = route->run, .done = end_call};
    int refused = route->read != NULL ? route->read(call, &err) : 0;
    if (refused != 0) {
        http_answer_problem(exchange, refused, &err);
        call_destroy(call);
    } else if (route->document != NULL) {
        buf_string(&call->answer, route->document);
        call->status = 200;
        end_call(&call->job);
    } else {
        desk_submit(catalog->desk, &call->job);
    }
}

/* ---- start and stop ---------------------------------------------------------------------------
 */

static bool authorise(void *context, const char *token, char caller[HTTP_CALLER_TEXT]) {
    const struct catalog *catalog = context;
    uint8_t hash[SHA256_BYTES];
    sha256_of(token, strlen(token), hash);
    snprintf(caller, HTTP_CALLER_TEXT, "reader");
    return catalog->wants_token && memcmp(hash, catalog->token, sizeof(hash)) == 0;
}

struct catalog_options catalog_options_default(void) {
    return (struct catalog_options){
        .listen_host = "127.0.0.1",
        .port = 7440,
        .connections = 1024,
        .connections_per_address = 256,
        .request_ms = 10000,
    };
}

static int start_server(struct catalog *catalog, const struct catalog_options *options,
                        struct err *err) {
    struct http_server_options http = http_server_options_default();
    http.host = options->listen_host;
    http.port = options->port;
    http.authorise = authorise;
    http.certificate = options->certificate;
    http.key = options->key;
    http.max_body = BODY_MAX;
    http.stranger_bytes = BODIES_MAX;
    http.escapes = true;
    http.request_ms = options->request_ms;
    http.connections = options->connections;
    http.strangers = options->connections - 1; /* readers show no token, nor do publishers */
    http.strangers_per_address = options->connections_per_address;
    http.handle = handle;
    http.context = catalog;
    int failed = http_server_start(&catalog->http, &http, err);
    if (failed == 0) {
        bool is_six = strchr(options->listen_host, ':') != NULL;
        catalog->url = mem_format("http%s://%s%s%s:%d", options->certificate != NULL ? "s" : "",
                                  is_six ? "[" : "", options->listen_host, is_six ? "]" : "",
                                  http_server_port(catalog->http));
    }
    return failed;
}

int catalog_start(struct catalog **out, const struct catalog_options *options, struct err *err) {
    struct catalog *catalog = mem_zero(1, sizeof(*catalog));
    catalog->secret = mem_string(options->secret);
    catalog->allow_origin = mem_string(options->allow_origin);
    catalog->wants_token = options->token != NULL;
    if (catalog->wants_token) {
        sha256_of(options->token, strlen(options->token), catalog->token);
    }
    int failed = desk_open(&catalog->desk, options->store, options->on_loss, options->context, err);
    if (failed == 0) {
        failed = start_server(catalog, options, err);
    }
    if (failed != 0) {
        catalog_stop(catalog);
        return failed;
    }
    *out = catalog;
    return 0;
}

const char *catalog_url(const struct catalog *catalog) {
    return catalog->url;
}

int catalog_loss(const struct catalog *catalog, struct err *err) {
    return desk_loss(catalog->desk, err);
}

void catalog_stop(struct catalog *catalog) {
    if (catalog == NULL) {
        return;
    }
    http_server_stop(catalog->http);
    desk_close(catalog->desk);
    mem_free(catalog->secret);
    mem_free(catalog->allow_origin);
    mem_free(catalog->url);
    mem_free(catalog);
}
