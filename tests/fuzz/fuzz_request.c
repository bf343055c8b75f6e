/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bodies of the API's calls, each done on a true store that has a title at work; what it did is
 * then undone. The first byte says which call, the rest is its body. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/fs.h"
#include "common/mem.h"
#include "harness.h"
#include "ladders/ladders.h"
#include "scheduler/api/call.h"
#include "scheduler/publishing/endpoints.h"

/* All calls that have a body: tests/fuzz/run holds them against routes.c. */
static const struct {
    void (*run)(struct tx *tx, struct call *call);
    const char *argument; /* of the path; NULL: the session */
} calls[] = {
    {call_add_session, NULL},  {call_heartbeat, NULL},        {call_grant_leases, NULL},
    {call_early_source, "1"},  {call_complete_lease, "1"},    {call_fail_lease, "1"},
    {call_submit_title, ""},   {call_create_token, ""},       {call_submit_titles, ""},
    {call_plan_title, ""},     {call_add_orphans, "1"},       {call_ask_probe, ""},
    {call_publish_title, "t"}, {call_unpublish_title, "t"},   {call_roll_back_title, "t"},
    {call_set_popularity, ""}, {call_sweep_endpoint, "edge"}, {call_replay_events, "hook"},
    {call_begin_backup, ""},
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]), ADD_SESSION = 0, GRANT = 2, SUBMIT = 6 };

static const char places[] = "endpoints:\n"
                             "  - {name: edge, driver: dav, url: 'http://edge.example'}\n"
                             "  - {name: hook, driver: webhook, url: 'http://hook.example/'}\n";

static struct store *store;
static struct farm farm;
static struct endpoints endpoints;
static struct routes routes = {.farm = &farm, .backups = "/dev/null"}; /* where none is begun */
static char folder[] = "/tmp/fuzz_request.XXXXXX";
static char session[ID_TEXT];

/* In the place of the server's functions, by the linker: there is no connection here. */
bool __wrap_exchange_gone(const struct exchange *exchange);
const char *__wrap_exchange_header(const struct exchange *exchange, const char *name);
const char *__wrap_exchange_header(const struct exchange *exchange, const char *name) {
    (void)exchange;
    (void)name;
    return NULL;
}
bool __wrap_exchange_gone(const struct exchange *exchange) {
    (void)exchange;
    return false;
}

struct doing {
    size_t which;
    struct json *body;
    bool keep;
    char answer[8192];
};

static void run(struct tx *tx, void *context) {
    struct doing *doing = context;
    struct call call = {.routes = &routes, .body = doing->body, .caller = {.role = ROLE_ADMIN}};
    const char *argument = calls[doing->which].argument;
    snprintf(call.argument, sizeof(call.argument), "%s", argument == NULL ? session : argument);
    snprintf(call.caller.token, sizeof(call.caller.token), "operator");
    call.writer = writer_of(&call.answer);
    calls[doing->which].run(tx, &call);
    if (tx_ok(tx)) {
        snprintf(doing->answer, sizeof(doing->answer), "%s", buf_text(&call.answer));
    }
    if (!doing->keep) {
        err_set(tx_err(tx), ERR_CANCELLED, "undone"); /* where it had no error of its own */
    }
    buf_finish(&call.answer);
}

static int perform(struct doing *doing, const void *text, size_t size) {
    struct err err = {0};
    int failed = json_tree_parse(&doing->body, text, size, &err);
    if (failed == 0) {
        failed = store_call(store, run, doing, &err);
        farm_forget(&farm);
        json_tree_destroy(doing->body);
    }
    if (doing->keep && failed != 0) {
        fprintf(stderr, "can't begin: %s\n", err.message);
        abort();
    }
    return failed;
}

static void begin_with(size_t which, const char *text, char answer[8192]) {
    struct doing doing = {.which = which, .keep = true};
    perform(&doing, text, strlen(text));
    memcpy(answer, doing.answer, sizeof(doing.answer));
}

static void leave(void) {
    store_close(store);
    farm_finish(&farm);
    endpoints_finish(&endpoints);
    auth_destroy(routes.auth);
    fs_remove_tree(folder, NULL);
}

static char *submission_of(const char *ladder_name) {
    struct ladder ladder;
    struct buf text = {0};
    struct writer writer = writer_of(&text);
    if (ladder_load(&ladder, ladder_name, NULL) != 0) {
        abort();
    }
    ladder_write(&ladder, &writer, NULL);
    char *submission =
        mem_format("{\"title\":\"t\",\"source\":\"/s.mp4\",\"output\":\"/o\",\"force\":false,"
                   "\"ladder\":%s}",
                   buf_text(&text));
    buf_finish(&text);
    return submission;
}

/* A worker, and a title whose probe it has: lease 1. */
static void begin(void) {
    static char answer[8192];
    struct err err = {0};
    if (mkdtemp(folder) == NULL) {
        abort();
    }
    char *path = mem_format("%s/store.db", folder);
    struct store_options options = {.path = path};
    farm_init(&farm);
    farm.ttl_ms = 3600000;
    routes.auth = auth_create("operator's");
    farm.limits = plan_limits_default();
    char *edges = mem_format("%s/endpoints.yaml", folder);
    if (fs_create(edges, places, strlen(places), 0600, &err) != 0 ||
        endpoints_load(&endpoints, edges, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    farm.endpoints = &endpoints;
    mem_free(edges);
    if (store_open(&store, &options, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    atexit(leave);
    begin_with(ADD_SESSION,
               "{\"worker\":\"w\",\"host\":\"h\",\"pid\":1,\"slots\":2,\"memory_bytes\":9000000000,"
               "\"sandbox\":\"full\",\"encoders\":[{\"name\":\"x264\",\"codec\":\"h264\","
               "\"build_line\":\"b\",\"tail_frames\":0}]}",
               answer);
    const char *id = strstr(answer, "\"session\":\"");
    snprintf(session, sizeof(session), "%s", id == NULL ? "" : id + strlen("\"session\":\""));
    session[strcspn(session, "\"")] = '\0';
    char *submission = submission_of("fast");
    begin_with(SUBMIT, submission, answer);
    mem_free(submission);
    char *lease = mem_format("{\"session\":\"%s\",\"slots\":1,\"memory_bytes\":9000000000,"
                             "\"wait_ms\":0,\"kinds\":[\"probe\",\"video\"]}",
                             session);
    begin_with(GRANT, lease, answer);
    if (strstr(answer, "\"fence\":1,") == NULL) {
        fprintf(stderr, "no lease 1: %s\n", answer);
        abort();
    }
    mem_free(lease);
    mem_free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (store == NULL) {
        begin();
    }
    if (size > 0) {
        struct doing doing = {.which = data[0] % CALLS};
        perform(&doing, data + 1, size - 1);
    }
    return 0;
}
