/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon's parts put together: see scheduler.h. */
#include "scheduler.h"

#include <stdio.h>
#include <string.h>

#include "auth.h"
#include "common/clock.h"
#include "common/http_server.h"
#include "common/id.h"
#include "common/log.h"
#include "common/mem.h"
#include "farm.h"
#include "metrics.h"
#include "scheduler/api/page.h"
#include "scheduler/api/routes.h"
#include "scheduler/publishing/public_outputs.h"
#include "scheduler/publishing/publication.h"
#include "session.h"
#include "standby.h"
#include "store.h"
#include "sweep.h"
#include "titles.h"
#include "tokens.h"

enum {
    PUBLISH_MS = 1000,    /* how often time alone may change what is to be published */
    PUBLISH_MORE_MS = 20, /* after a sweep that did not do all */
};

struct scheduler {
    struct store *store;
    struct http_server *server;
    struct farm farm;
    struct routes routes;
    bool private_mode;
    char *url;
    char *token;
    char *sources; /* NULL: none given */
    char *outputs;
    char *public_outputs;
    char *backups; /* folder */
    struct auth *auth;
    struct sweep sweep;
    struct endpoints endpoints;
    int64_t sweep_at_ms;   /* monotonic */
    int64_t publish_at_ms; /* likewise, of what is to be published */
    bool publishing;       /* such a sweep is on its way */
    bool publishes_more;   /* the last one left something to do */
    void (*on_loss)(void *context);
    void *on_loss_context;
};

struct scheduler_options scheduler_options_default(void) {
    struct http_server_options server = http_server_options_default();
    return (struct scheduler_options){
        .connections = server.connections,
        .strangers = server.strangers,
        .strangers_per_address = server.strangers_per_address,
        .request_ms = server.request_ms,
        .listen_host = "127.0.0.1",
        .heartbeat_ms = 10000,
        .ttl_ms = 30000,
        .comment_ms = 12000,
        .keep_versions_ms = INT64_MAX,
        .hedge_least_ms = 30000,
        .sandbox_required = SANDBOX_NONE,
        .limits = plan_limits_default(),
    };
}

/* ---- on the store's thread --------------------------------------------------- */

static void publish(struct tx *tx, void *context) {
    struct scheduler *scheduler = context;
    scheduler->publishes_more = publication_sweep(tx, &scheduler->farm);
    if (!tx_ok(tx)) {
        farm_forget(&scheduler->farm);
    }
}

static void publish_done(void *context, const struct err *err) {
    struct scheduler *scheduler = context;
    scheduler->publishing = false;
    if (err->code != ERR_NONE) {
        farm_forget(&scheduler->farm);
        log_error("a look at what is to be published failed", "error=\"%s\"", err->message);
    } else if (scheduler->publishes_more) {
        scheduler->publish_at_ms = clock_monotonic_ms() + PUBLISH_MORE_MS;
    }
}

/* Sees to what is published, so often. Answers in how many ms it is to be asked again. */
static int64_t publish_by_time(struct scheduler *scheduler, int64_t now) {
    if (now >= scheduler->publish_at_ms && !scheduler->publishing) {
        scheduler->publishing = true;
        scheduler->publish_at_ms = now + PUBLISH_MS;
        store_submit(scheduler->store, publish, publish_done, scheduler);
    }
    return scheduler->publish_at_ms - now;
}

static int64_t after_group(void *context, unsigned topics) {
    struct scheduler *scheduler = context;
    int64_t now = clock_monotonic_ms();
    int64_t wait_ms = routes_after(&scheduler->routes, topics);
    if (now >= scheduler->sweep_at_ms) {
        scheduler->sweep_at_ms = now + scheduler->farm.ttl_ms / 10 + 1;
        sweep_begin(&scheduler->sweep);
    }
    int64_t sweep_in_ms = scheduler->sweep_at_ms - now;
    int64_t publish_in_ms = publish_by_time(scheduler, now);
    wait_ms = publish_in_ms < wait_ms ? publish_in_ms : wait_ms;
    return wait_ms < sweep_in_ms ? wait_ms : sweep_in_ms;
}

static void store_lost(void *context) {
    const struct scheduler *scheduler = context;
    if (scheduler->on_loss != NULL) {
        scheduler->on_loss(scheduler->on_loss_context);
    }
}

/* What a private scheduler's predecessor left running waits for a new submission. */
static void cancel_left(struct tx *tx) {
    char(*ids)[WIRE_TITLE_TEXT] = NULL;
    size_t count = 0;
    struct query query = sql_query(tx, SQL_TITLES_UNFINISHED, NULL, 0);
    while (query_next(&query)) {
        ids = mem_resize(ids, count + 1, sizeof(*ids));
        snprintf(ids[count++], sizeof(*ids), "%s", query_text(&query, 0));
    }
    for (size_t i = 0; i < count; i++) {
        title_cancel(tx, ids[i], "reelfarm was stopped before it was done; run it again");
    }
    mem_free(ids);
}

static void begin(struct tx *tx, void *context) {
    struct scheduler *scheduler = context;
    tokens_load(tx, scheduler->auth);
    /* A store that was put back from a copy must give no fence again that it gave after it:
     * workers may hold it still. By the clock it is past them all, at up to a million a second. */
    tx_numbers_pass(tx, "fence", 1000 * tx_now(tx));
    metrics_load(tx);
    publication_begin(tx, &scheduler->farm);
    if (scheduler->private_mode) {
        session_leave_worker(tx, &scheduler->farm, NULL);
        cancel_left(tx);
    } else {
        session_keep_all(tx);
    }
}

struct dead_worker {
    struct scheduler *scheduler;
    const char *name;
};

static void bury(struct tx *tx, void *context) {
    const struct dead_worker *dead = context;
    session_leave_worker(tx, &dead->scheduler->farm, dead->name);
    if (!tx_ok(tx)) {
        farm_forget(&dead->scheduler->farm);
    }
}

static void nothing(struct tx *tx, void *context) {
    (void)tx;
    (void)context;
}

/* ---- start and stop ---------------------------------------------------------- */

static bool authorise(void *context, const char *token, char caller[HTTP_CALLER_TEXT]) {
    const struct routes *routes = context;
    return auth_check(routes->auth, token, caller);
}

static struct http_server_options server_options(struct scheduler *scheduler,
                                                 const struct scheduler_options *options) {
    struct http_server_options server = http_server_options_default();
    server.host = options->listen_host;
    server.port = options->port;
    server.handle = routes_handle;
    server.most_body = routes_most_body;
    server.context = &scheduler->routes;
    server.authorise = authorise;
    server.certificate = options->certificate;
    server.key = options->key;
    server.client_ca = options->worker_ca;
    server.connections = options->connections;
    server.strangers = options->strangers;
    server.strangers_per_address = options->strangers_per_address;
    server.request_ms = options->request_ms;
    return server;
}

/* Whether to try again to open the store, after what kept it from being opened. */
static bool goes_on(const struct scheduler_options *options, const struct err *why) {
    return options->stand_by != NULL && (why->code == ERR_CONFLICT || err_is_transient(why->code));
}

static int open_store(struct scheduler *scheduler, const struct scheduler_options *options,
                      struct err *err) {
    struct store_options store = {.path = options->store_path,
                                  .after = after_group,
                                  .on_loss = store_lost,
                                  .context = scheduler};
    struct http_server_options server = server_options(scheduler, options);
    struct standby *standby = NULL;
    struct err why = {0};
    while (store_open(&scheduler->store, &store, &why) != 0 && goes_on(options, &why)) {
        struct err refused = {0};
        if (standby == NULL && standby_start(&standby, &server, &refused) != 0) {
            why = refused;
            break;
        }
        standby_say(standby, &why);
        err_clear(&why);
        if (!options->stand_by(options->context)) {
            err_set(&why, ERR_CANCELLED, "it was stopped while it stood by");
            break;
        }
    }
    standby_stop(standby);
    scheduler->routes.store = scheduler->store;
    scheduler->sweep = (struct sweep){
        .store = scheduler->store, .farm = &scheduler->farm, .auth = scheduler->auth};
    return err_pass(err, &why);
}

static int start_server(struct scheduler *scheduler, const struct scheduler_options *options,
                        struct err *err) {
    struct http_server_options server = server_options(scheduler, options);
    scheduler->routes.vouches_workers = options->worker_ca != NULL;
    int result = http_server_start(&scheduler->server, &server, err);
    if (result == 0) {
        bool six = strchr(options->listen_host, ':') != NULL;
        scheduler->url = mem_format("http%s://%s%s%s:%d", options->certificate != NULL ? "s" : "",
                                    six ? "[" : "", options->listen_host, six ? "]" : "",
                                    http_server_port(scheduler->server));
    }
    return result;
}

static char *find_backups(const struct scheduler_options *options) {
    const char *slash = strrchr(options->store_path, '/');
    return options->backup_folder != NULL ? mem_string(options->backup_folder)
           : slash == NULL                ? mem_string("./backups")
                           : mem_format("%.*s/backups", (int)(slash - options->store_path),
                                        options->store_path);
}

/* An edge at the output's own address would take away, with what it holds, the only copy; also one
 * that falls back. A cache before the output keeps nothing: players are to read there. */
static int load_endpoints(struct scheduler *scheduler, const char *path, struct err *err) {
    int result = endpoints_load(&scheduler->endpoints, path, err);
    for (size_t i = 0; result == 0 && i < scheduler->endpoints.count; i++) {
        const struct endpoint *endpoint = &scheduler->endpoints.list[i];
        bool keeps = !endpoint->is_catalog && !endpoint->is_hook &&
                     strcmp(endpoint->push.driver, "pull") != 0;
        if (keeps && public_outputs_has(scheduler->public_outputs, endpoint->push.url)) {
            result = err_set(err, ERR_INVALID,
                             "endpoint '%s' is the output itself, by public_outputs: '%s'; give it "
                             "a place of its own, or leave it out",
                             endpoint->push.name, endpoint->push.url);
        }
    }
    return result;
}

int scheduler_start(struct scheduler **out, const struct scheduler_options *options,
                    struct err *err) {
    struct scheduler *scheduler = mem_zero(1, sizeof(*scheduler));
    char token[ID_TOKEN_TEXT];
    id_token(token);
    scheduler->token = mem_string(options->token != NULL ? options->token : token);
    scheduler->private_mode = options->private_mode;
    scheduler->on_loss = options->on_loss;
    scheduler->on_loss_context = options->context;
    scheduler->auth = scheduler->routes.auth = auth_create(scheduler->token);
    farm_init(&scheduler->farm);
    scheduler->farm.heartbeat_ms = options->heartbeat_ms;
    scheduler->farm.ttl_ms = options->ttl_ms;
    scheduler->farm.limits = options->limits;
    scheduler->farm.keep_versions_ms = options->keep_versions_ms;
    scheduler->farm.keep_versions = options->keep_versions;
    scheduler->farm.sandbox_required = options->sandbox_required;
    scheduler->farm.hedge_after = options->hedge_after;
    scheduler->farm.hedge_least_ms = options->hedge_least_ms;
    scheduler->sources = options->sources == NULL ? NULL : mem_string(options->sources);
    scheduler->outputs = options->outputs == NULL ? NULL : mem_string(options->outputs);
    scheduler->public_outputs =
        options->public_outputs == NULL ? NULL : mem_string(options->public_outputs);
    scheduler->farm.public_outputs = scheduler->public_outputs;
    page_policy(scheduler->public_outputs, &scheduler->routes.page_policy);
    scheduler->farm.sources = scheduler->sources;
    scheduler->backups = find_backups(options);
    scheduler->routes.backups = scheduler->backups;
    scheduler->farm.outputs = scheduler->outputs;
    scheduler->routes.farm = &scheduler->farm;
    scheduler->routes.comment_ms = options->comment_ms;
    scheduler->routes.lease_news = 1;
    traffic_init(&scheduler->routes.traffic);
    int result = tenant_rules_parse(&scheduler->farm.tenants, options->tenants, err);
    if (result == 0) {
        result = load_endpoints(scheduler, options->endpoints, err);
        scheduler->farm.endpoints = &scheduler->endpoints;
    }
    if (result == 0) {
        result = open_store(scheduler, options, err);
    }
    if (result == 0) {
        result = store_call(scheduler->store, begin, scheduler, err);
    }
    if (result == 0) {
        result = start_server(scheduler, options, err);
    }
    if (result != 0) {
        scheduler_stop(scheduler);
        return result;
    }
    *out = scheduler;
    return 0;
}

void scheduler_stop(struct scheduler *scheduler) {
    if (scheduler == NULL) {
        return;
    }
    scheduler->routes.stopping = true;
    if (scheduler->store != NULL) {
        store_call(scheduler->store, nothing, NULL,
                   NULL); /* calls that wait are answered after it */
    }
    http_server_stop(scheduler->server);
    store_close(scheduler->store);
    farm_finish(&scheduler->farm);
    endpoints_finish(&scheduler->endpoints);
    auth_destroy(scheduler->auth);
    traffic_finish(&scheduler->routes.traffic);
    mem_free(scheduler->url);
    mem_free(scheduler->token);
    mem_free(scheduler->sources);
    mem_free(scheduler->outputs);
    mem_free(scheduler->public_outputs);
    buf_finish(&scheduler->routes.page_policy);
    mem_free(scheduler->backups);
    mem_free(scheduler);
}

const char *scheduler_url(const struct scheduler *scheduler) {
    return scheduler->url;
}

const char *scheduler_token(const struct scheduler *scheduler) {
    return scheduler->token;
}

bool scheduler_is_full(const struct scheduler *scheduler) {
    return store_is_full(scheduler->store);
}

int scheduler_loss(const struct scheduler *scheduler, struct err *err) {
    return store_loss(scheduler->store, err);
}

int scheduler_worker_died(struct scheduler *scheduler, const char *worker, struct err *err) {
    struct dead_worker dead = {.scheduler = scheduler, .name = worker};
    return store_call(scheduler->store, bury, &dead, err);
}
