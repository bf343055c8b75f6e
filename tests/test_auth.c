/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens and roles against the true scheduler: who may make which call, and from when to when. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "api_fixture.h"
#include "common/clock.h"
#include "common/json_tree.h"
#include "common/mem.h"
#include "fixture.h"
#include "scheduler/api/call.h"
#include "scheduler/auth.h"
#include "scheduler/publishing/endpoint_rows.h"
#include "scheduler/tokens.h"
#include "scheduler_fixture.h"

Suite *auth_suite(void);

struct token {
    char text[TOKEN_TEXT];
    char id[ID_TEXT];
};

static struct token create(const char *body) {
    struct token token;
    ck_assert_int_eq(api_call("POST", "/v1/tokens", body), 201);
    api_text_of("token", token.text, sizeof(token.text));
    api_text_of("id", token.id, sizeof(token.id));
    return token;
}

static int call_as(const char *token, const char *method, const char *path, const char *body) {
    return api_call_by(api_client, &api_answer, method, path, token, body);
}

/* Submits by the operator's token, with these members, each with a comma behind. */
static int submit_with(const char *title, const char *members) {
    return api_submit_with(title, "s3://b/s", "s3://b/o", "h264", members);
}

/* ---- the book alone ---------------------------------------------------------- */

START_TEST(the_book_knows_good_tokens_alone) {
    struct auth *auth = auth_create("the operator's own token");
    struct auth_token *tokens = mem_zero(2, sizeof(*tokens));
    char text[2][TOKEN_TEXT], id[ID_TEXT];
    struct caller caller;
    for (int i = 0; i < 2; i++) {
        auth_make(text[i], tokens[i].caller.token);
        tokens[i].caller.role = ROLE_WORKER;
        sha256_hex_of(text[i], strlen(text[i]), tokens[i].hash);
    }
    tokens[1].expires = 1; /* 1970 */
    if (strcmp(tokens[0].caller.token, tokens[1].caller.token) > 0) {
        struct auth_token first = tokens[0];
        tokens[0] = tokens[1];
        tokens[1] = first;
    }
    ck_assert(!auth_check(auth, text[0], id));
    auth_fill(auth, tokens, 2);
    ck_assert(auth_check(auth, "the operator's own token", id));
    ck_assert(auth_find(auth, id, &caller) && caller.role == ROLE_ADMIN);
    ck_assert(auth_check(auth, text[0], id));
    ck_assert(auth_find(auth, id, &caller) && caller.role == ROLE_WORKER);
    ck_assert(!auth_check(auth, text[1], id)); /* its time is over */
    ck_assert(!auth_check(auth, "", id));
    ck_assert(!auth_check(auth, "reelfarm_", id));
    for (size_t at = 0; at < strlen(text[0]); at++) { /* each byte counts, also of the id */
        char wrong[TOKEN_TEXT];
        memcpy(wrong, text[0], sizeof(wrong));
        wrong[at] = wrong[at] == 'x' ? 'y' : 'x';
        ck_assert(!auth_check(auth, wrong, id));
        wrong[at] = '\0';
        ck_assert(!auth_check(auth, wrong, id));
    }
    auth_fill(auth, NULL, 0);
    ck_assert(!auth_check(auth, text[0], id));
    ck_assert(!auth_find(auth, id, &caller));
    auth_destroy(auth);
}
END_TEST

struct making {
    struct auth *auth;
    struct buf answer;
    char id[ID_TEXT];
};

static void make_hourly(struct tx *tx, void *context) {
    struct making *making = context;
    struct token_request request = {
        .name = "", .tenant = "", .role = ROLE_VIEWER, .expires_in_ms = 3600000};
    struct writer writer = writer_of(&making->answer);
    token_create(tx, making->auth, &request, making->id, &writer);
}

static int64_t a_week_ahead(void *context) {
    (void)context;
    return clock_wall_ms() + INT64_C(7) * 24 * 3600 * 1000;
}

/* Though the store's clock is ahead, as after a start with a clock that was wrong. */
START_TEST(a_token_lives_as_long_as_was_asked_for) {
    struct making making = {.auth = auth_create("the operator's own token")};
    struct store *store = NULL;
    struct caller caller;
    struct err err = {0};
    char *folder = fixture_folder();
    char *path = fixture_store(folder);
    struct store_options options = {.path = path, .now_ms = a_week_ahead};
    clock_test_begin(clock_monotonic_ns(), clock_wall_ms());
    ck_assert_msg(store_open(&store, &options, &err) == 0, "%s", err.message);
    ck_assert_int_eq(store_call(store, make_hourly, &making, &err), 0);
    store_close(store);
    clock_test_advance_ms(3600000 - 1);
    ck_assert(auth_find(making.auth, making.id, &caller));
    clock_test_advance_ms(1);
    ck_assert(!auth_find(making.auth, making.id, &caller));
    clock_test_end();
    buf_finish(&making.answer);
    auth_destroy(making.auth);
    mem_free(path);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- every call by everybody -------------------------------------------------- */

enum {
    V = 1 << ROLE_VIEWER,
    S = 1 << ROLE_SUBMITTER,
    W = 1 << ROLE_WORKER,
    A = 1 << ROLE_ADMIN,
    ALL = V | S | W | A,
    NOBODY_ASKED = 0, /* no token is needed */
};

/* What a caller who is bound to a tenant is told. */
enum bound {
    FARM,  /* that it is about the whole farm */
    TITLE, /* of another tenant's title, that there is none */
    OWN,   /* what is its own */
};

/* As ARCHITECTURE section 9 has it; `t` is a title of the tenant news. */
static const struct {
    const char *method;
    const char *path;
    int roles; /* who may */
    enum bound bound;
} calls[] = {
    {"POST", "/v1/sessions", W | A, FARM},
    {"POST", "/v1/sessions/s/heartbeat", W | A, FARM},
    {"DELETE", "/v1/sessions/s", W | A, FARM},
    {"POST", "/v1/leases", W | A, FARM},
    {"POST", "/v1/leases/1/source", W | A, FARM},
    {"POST", "/v1/leases/1/found", W | A, FARM},
    {"POST", "/v1/leases/1/complete", W | A, FARM},
    {"POST", "/v1/leases/1/fail", W | A, FARM},
    {"POST", "/v1/titles", S | A, OWN},
    {"POST", "/v1/titles/batch", S | A, OWN},
    {"POST", "/v1/plans", S | A, OWN},
    {"POST", "/v1/probes", S | A, OWN},
    {"GET", "/v1/probes/p", S | A, TITLE}, /* none of its own */
    {"GET", "/v1/titles", V | S | A, OWN},
    {"GET", "/v1/titles/t", V | S | A, TITLE},
    {"GET", "/v1/titles/t/why", V | S | A, TITLE},
    {"GET", "/v1/titles/t/publications", V | S | A, TITLE},
    {"GET", "/v1/titles/t/versions", V | S | A, TITLE},
    {"GET", "/v1/titles/t/plan", ALL, TITLE},
    {"GET", "/v1/titles/t/units", ALL, TITLE},
    {"GET", "/v1/titles/t/identity", ALL, TITLE},
    {"POST", "/v1/titles/t/cancel", S | A, TITLE},
    {"POST", "/v1/titles/t/retry", S | A, TITLE},
    {"DELETE", "/v1/titles/t", S | A, TITLE},
    {"GET", "/v1/titles/t/versions/v/objects", ALL, TITLE},
    {"POST", "/v1/titles/t/publish", S | A, TITLE},
    {"POST", "/v1/titles/t/unpublish", S | A, TITLE},
    {"POST", "/v1/titles/t/rollback", S | A, TITLE},
    {"PUT", "/v1/popularity", A, FARM},
    {"GET", "/v1/endpoints", V | S | A, FARM},
    {"DELETE", "/v1/endpoints/e", A, FARM},
    {"POST", "/v1/endpoints/e/reset", A, FARM},
    {"POST", "/v1/endpoints/e/sweep", A, FARM},
    {"GET", "/v1/endpoints/e/sweep", V | S | A, FARM},
    {"GET", "/v1/endpoints/e/deliveries", V | S | A, FARM},
    {"POST", "/v1/endpoints/e/replay", A, FARM},
    {"GET", "/v1/ladders", V | S | A, OWN},
    {"GET", "/v1/events", V | S | A, OWN},
    {"GET", "/v1/workers", V | S | A, FARM},
    {"POST", "/v1/workers/w/drain", A, FARM},
    {"DELETE", "/v1/workers/w/drain", A, FARM},
    {"POST", "/v1/tokens", A, FARM},
    {"GET", "/v1/tokens", A, FARM},
    {"DELETE", "/v1/tokens/nothing", A, FARM},
    {"POST", "/v1/backup", A, FARM},
    {"GET", "/v1/backup", A, FARM},
    {"GET", "/v1/backups/one.db", A, FARM},
    {"DELETE", "/v1/backups/one.db", A, FARM},
    {"GET", "/v1/caller", ALL, OWN},
    {"GET", "/metrics", V | S | A, FARM},
    {"GET", "/v1/openapi.json", NOBODY_ASKED, OWN},
    {"GET", "/healthz", NOBODY_ASKED, OWN},
    {"GET", "/readyz", NOBODY_ASKED, OWN},
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

static int make_call(const char *token, int index) {
    return call_as(token, calls[index].method, calls[index].path,
                   strcmp(calls[index].method, "POST") == 0 ? "{}" : NULL);
}

/* Whether a path of the table is of a shape such as "/v1/titles/{title}/why". */
static bool has_shape(const char *path, const char *shape) {
    while (*path != '\0' && *path == *shape) {
        path++;
        shape++;
    }
    if (*shape != '{') {
        return *path == '\0' && *shape == '\0';
    }
    return has_shape(path + strcspn(path, "/"), shape + strcspn(shape, "/"));
}

static int count_rows(const char *method, const char *shape) {
    int count = 0;
    for (int i = 0; i < CALLS; i++) {
        count += strcasecmp(calls[i].method, method) == 0 && has_shape(calls[i].path, shape);
    }
    return count;
}

/* The document names every route: tests/farm/openapi holds it against routes.c. */
START_TEST(the_table_has_every_route) {
    struct json *tree = NULL;
    int routes = 0;
    ck_assert_int_eq(json_tree_parse(&tree, openapi_document, strlen(openapi_document), NULL), 0);
    for (size_t i = 0; i < tree->count; i++) {
        const struct json *paths = &tree->items[i];
        for (size_t j = 0; strcmp(paths->name, "paths") == 0 && j < paths->count; j++) {
            const struct json *methods = &paths->items[j];
            for (size_t k = 0; k < methods->count; k++) {
                const char *method = methods->items[k].name;
                bool is_method = strcmp(method, "parameters") != 0;
                ck_assert_msg(!is_method || count_rows(method, methods->name) == 1,
                              "%s %s has no row here", method, methods->name);
                routes += is_method;
            }
        }
    }
    ck_assert_int_eq(routes, CALLS);
    json_tree_destroy(tree);
}
END_TEST

START_TEST(every_call_is_of_its_roles_alone) {
    for (int role = 0; role < ROLE_COUNT; role++) {
        char *body = mem_format("{\"role\":\"%s\"}", role_name((enum role)role));
        struct token token = create(body);
        mem_free(body);
        for (int i = 0; i < CALLS; i++) {
            int status = make_call(token.text, i);
            bool may = calls[i].roles == NOBODY_ASKED || (calls[i].roles & 1 << role) != 0;
            ck_assert_msg((status != 403) == may && status != 401, "%s %s by a %s is %d",
                          calls[i].method, calls[i].path, role_name((enum role)role), status);
            if (!may) {
                ck_assert_ptr_nonnull(strstr(api_problem(), role_name((enum role)role)));
            }
        }
    }
}
END_TEST

START_TEST(no_call_is_anybodys) {
    struct token revoked = create("{\"role\":\"admin\"}");
    struct token expired = create("{\"role\":\"admin\",\"expires_in_ms\":1}");
    char *path = mem_format("/v1/tokens/%s", revoked.id);
    ck_assert_int_eq(api_call("DELETE", path, NULL), 204);
    usleep(2000);
    const char *const wrong[] = {
        NULL,
        "",
        "x",
        "reelfarm_00000000000000000000000000_",
        "reelfarm_00000000000000000000000000_"
        "0000000000000000000000000000000000000000000000000000000000000000",
        revoked.text,
        expired.text,
        revoked.id,
        "operator",
    };
    for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++) {
        for (int i = 0; i < CALLS; i++) {
            int expected = calls[i].roles == NOBODY_ASKED ? 200 : 401;
            ck_assert_msg(make_call(wrong[j], i) == expected, "%s %s by '%s' is %d",
                          calls[i].method, calls[i].path, wrong[j], api_answer.status);
        }
    }
    mem_free(path);
}
END_TEST

/* What another tenant's caller is told of each call; of the roles that may make it. */
START_TEST(a_bound_token_reaches_its_tenants_own_alone) {
    static const enum role roles[] = {ROLE_VIEWER, ROLE_SUBMITTER};
    ck_assert_int_eq(submit_with("t", "\"tenant\":\"news\","), 201);
    for (size_t k = 0; k < 2; k++) {
        char *body = mem_format("{\"role\":\"%s\",\"tenant\":\"films\"}", role_name(roles[k]));
        struct token films = create(body);
        for (int i = 0; i < CALLS; i++) {
            bool is_free = calls[i].roles == NOBODY_ASKED;
            bool may = is_free || (calls[i].roles & 1 << roles[k]) != 0;
            int status = make_call(films.text, i);
            bool is_refused = !may || calls[i].bound == FARM;
            bool is_hidden = may && calls[i].bound == TITLE;
            ck_assert_msg((status == 403) == is_refused && (status == 404) == is_hidden,
                          "%s %s by another tenant's %s is %d", calls[i].method, calls[i].path,
                          role_name(roles[k]), status);
            ck_assert(is_free || strstr(buf_text(&api_answer.body), "news") == NULL);
        }
        mem_free(body);
    }
    ck_assert_str_eq(api_title_state("t"), "submitted");
}
END_TEST

/* All methods of a path, not of one of its rows. */
START_TEST(a_wrong_method_hears_of_all_right_ones) {
    static const struct {
        const char *method, *path, *allow;
    } cases[] = {
        {"PUT", "/v1/titles", "POST, GET, HEAD"},
        {"DELETE", "/v1/tokens", "POST, GET, HEAD"},
        {"GET", "/v1/workers/w/drain", "POST, DELETE"},
        {"PUT", "/v1/backup", "POST, GET, HEAD"},
        {"POST", "/v1/caller", "GET, HEAD"},
        {"PUT", "/v1/titles/t", "GET, HEAD, DELETE"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        ck_assert_int_eq(api_call(cases[i].method, cases[i].path, NULL), 405);
        ck_assert_str_eq(http_response_header(&api_answer, "allow"), cases[i].allow);
        ck_assert_int_eq(call_as(NULL, cases[i].method, cases[i].path, NULL), 401);
        ck_assert_ptr_null(http_response_header(&api_answer, "allow"));
    }
    ck_assert_int_eq(call_as(NULL, "POST", "/healthz", NULL), 405);
    ck_assert_str_eq(http_response_header(&api_answer, "allow"), "GET, HEAD");
}
END_TEST

/* ---- tenants ----------------------------------------------------------------- */

START_TEST(a_bound_token_submits_for_its_tenant) {
    struct token token = create("{\"role\":\"submitter\",\"tenant\":\"news\"}");
    static const struct {
        const char *member;
        int status;
    } cases[] = {{"", 201}, {"\"tenant\":\"news\",", 200}, {"\"tenant\":\"films\",", 403}};
    char *ladder = fixture_ladder("h264");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *body = mem_format("{\"title\":\"t\",\"source\":\"s3://b/s\",\"output\":\"s3://b/o\","
                                "%s\"ladder\":%s,\"force\":false}",
                                cases[i].member, ladder);
        ck_assert_int_eq(call_as(token.text, "POST", "/v1/titles", body), cases[i].status);
        mem_free(body);
    }
    mem_free(ladder);
    ck_assert_int_eq(api_call("GET", "/v1/titles/t", NULL), 200);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"tenant\":\"news\""));
}
END_TEST

static int submit_as(const char *token, const char *title) {
    char *ladder = fixture_ladder("fast");
    char *body = mem_format("{\"title\":\"%s\",\"source\":\"/media/clip.mp4\",\"output\":\"/out\","
                            "\"ladder\":%s,\"force\":false}",
                            title, ladder);
    int status = call_as(token, "POST", "/v1/titles", body);
    mem_free(ladder);
    mem_free(body);
    return status;
}

START_TEST(a_tenant_sees_its_own_titles_alone) {
    struct token news = create("{\"role\":\"submitter\",\"tenant\":\"news\"}");
    struct token hall = create("{\"role\":\"viewer\",\"tenant\":\"news\"}");
    struct token films = create("{\"role\":\"submitter\",\"tenant\":\"films\"}");
    static const char *const of_title[] = {"", "/units", "/identity", "/plan", "/why"};
    ck_assert_int_eq(submit_as(news.text, "t"), 201);
    ck_assert_int_eq(submit_as(films.text, "f"), 201);
    ck_assert_int_eq(api_submit("nobodys"), 201);
    for (size_t i = 0; i < sizeof(of_title) / sizeof(of_title[0]); i++) {
        char *path = mem_format("/v1/titles/t%s", of_title[i]);
        call_as(hall.text, "GET", path, NULL);
        bool is_there = api_answer.status < 300 ||
                        strstr(buf_text(&api_answer.body), "plan") != NULL;
        ck_assert_msg(is_there, "%s: %d %s", path, api_answer.status, buf_text(&api_answer.body));
        ck_assert_int_eq(call_as(films.text, "GET", path, NULL), 404);
        ck_assert_str_eq(api_problem(), "there is no title 't'; submit it first");
        mem_free(path);
    }
    ck_assert_int_eq(call_as(films.text, "POST", "/v1/titles/t/cancel", NULL), 404);
    ck_assert_int_eq(call_as(films.text, "POST", "/v1/titles/nobodys/cancel", NULL), 404);
    ck_assert_str_eq(api_title_state("t"), "submitted");
    char tenant[TENANT_TEXT];
    ck_assert_int_eq(call_as(hall.text, "GET", "/v1/caller", NULL), 200);
    ck_assert_str_eq(api_text_of("tenant", tenant, sizeof(tenant)), "news");
    ck_assert_int_eq(call_as(hall.text, "GET", "/v1/titles", NULL), 200);
    ck_assert_int_eq(api_count_of("titles"), 1);
    ck_assert_int_eq(call_as(hall.text, "GET", "/v1/titles?tenant=films", NULL), 200);
    ck_assert_int_eq(api_count_of("titles"), 1);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"title\":\"t\""));
    ck_assert_int_eq(api_call("GET", "/v1/titles", NULL), 200);
    ck_assert_int_eq(api_count_of("titles"), 3);
}
END_TEST

/* An answer about a source is for who asked: of the same source another is told by its own. */
START_TEST(a_tenant_sees_its_own_probes_alone) {
    struct token news = create("{\"role\":\"submitter\",\"tenant\":\"news\"}");
    struct token films = create("{\"role\":\"submitter\",\"tenant\":\"films\"}");
    char *ladder = fixture_ladder("h264");
    char *body = mem_format("{\"source\":\"s3://b/s\",\"ladder\":%s}", ladder);
    char ids[2][ID_TEXT];
    ck_assert_int_eq(call_as(news.text, "POST", "/v1/probes", body), 201);
    api_text_of("probe", ids[0], ID_TEXT);
    ck_assert_int_eq(call_as(films.text, "POST", "/v1/probes", body), 201);
    api_text_of("probe", ids[1], ID_TEXT);
    for (int i = 0; i < 2; i++) {
        char *path = mem_format("/v1/probes/%s", ids[i]);
        ck_assert_int_eq(call_as(news.text, "GET", path, NULL), i == 0 ? 200 : 404);
        ck_assert_int_eq(call_as(films.text, "GET", path, NULL), i == 1 ? 200 : 404);
        ck_assert_int_eq(api_call("GET", path, NULL), 200);
        mem_free(path);
    }
    mem_free(ladder);
    mem_free(body);
}
END_TEST

START_TEST(a_tenant_hears_of_its_own_titles_alone) {
    struct token hall = create("{\"role\":\"viewer\",\"tenant\":\"news\"}");
    struct token news = create("{\"role\":\"submitter\",\"tenant\":\"news\"}");
    ck_assert_int_eq(api_submit("nobodys"), 201);
    ck_assert_int_eq(call_as(hall.text, "GET", "/v1/events", NULL), 200);
    ck_assert_int_eq(api_count_of("events"), 0);
    ck_assert_int_eq(submit_as(news.text, "t"), 201);
    ck_assert_int_eq(call_as(hall.text, "GET", "/v1/events", NULL), 200);
    ck_assert_int_eq(api_count_of("events"), 1);
    ck_assert_int_eq(call_as(hall.text, "GET", "/v1/events?title=nobodys", NULL), 200);
    ck_assert_int_eq(api_count_of("events"), 0);
    ck_assert_int_eq(api_call("GET", "/v1/events", NULL), 200);
    ck_assert_int_eq(api_count_of("events"), 2);
}
END_TEST

/* As another's title did, by which its error is. */
static void break_off(struct tx *tx, void *context) {
    const int64_t now = tx_now(tx);
    struct endpoint_list list = {0};
    endpoint_list_read(tx, context, &list);
    ck_assert_uint_eq(list.count, 1);
    list.rows[0].breaker = (struct breaker){.state = BREAKER_OPEN,
                                            .pause_ms = BREAKER_PAUSE_MOST_MS,
                                            .opened_at = now,
                                            .retry_at = now + BREAKER_PAUSE_MOST_MS};
    snprintf(list.rows[0].error, sizeof(list.rows[0].error), "PUT films-next-hit/x: 500");
    endpoint_save(tx, &list.rows[0]);
    endpoint_list_finish(&list);
}

/* Also where that has shut an endpoint to which this tenant's are to go. */
START_TEST(a_tenant_is_told_of_no_other_title_that_failed) {
    static const char file[] = "endpoints:\n  - {name: e1, driver: dav, url: 'http://e.example'}\n";
    static const struct {
        const char *method, *path, *body;
        const char *words; /* which the answer has, whoever asks */
    } asked[] = {
        {"GET", "/v1/titles/t", NULL, "\"for\":\"breaker\""},
        {"GET", "/v1/titles/t/why", NULL, "broken off"},
        {"GET", "/v1/titles/t/publications", NULL, "\"for\":\"breaker\""},
        {"POST", "/v1/titles/t/publish", "{}", "\"for\":\"breaker\""},
    };
    struct farm farm = {0};
    struct store *store = NULL;
    struct err err = {0};
    char *place = fixture_folder();
    char *endpoints = mem_format("%s/endpoints.yaml", place);
    fixture_write(place, "endpoints.yaml", file, sizeof(file) - 1);
    api_endpoints = endpoints;
    api_restart(false);
    struct token news = create("{\"role\":\"submitter\",\"tenant\":\"news\"}");
    ck_assert_int_eq(submit_with("t", "\"tenant\":\"news\","), 201);
    api_join("w1");
    api_work();
    scheduler_stop(api_scheduler);
    struct store_options options = {.path = api_store_path};
    ck_assert_msg(store_open(&store, &options, &err) == 0, "%s", err.message);
    ck_assert_int_eq(store_call(store, break_off, &farm, &err), 0);
    store_close(store);
    api_start(false, 30000);
    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        ck_assert_int_eq(call_as(news.text, asked[i].method, asked[i].path, asked[i].body), 200);
        const char *told = buf_text(&api_answer.body);
        ck_assert_msg(strstr(told, asked[i].words) != NULL, "%s", told);
        ck_assert_msg(strstr(told, "films") == NULL, "%s", told);
        ck_assert_int_eq(api_call(asked[i].method, asked[i].path, asked[i].body), 200);
        ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "films-next-hit"));
    }
    mem_free(endpoints);
    fixture_folder_drop(place);
}
END_TEST

START_TEST(a_tenant_can_have_neither_anothers_name_nor_the_farm) {
    static const char *const farm[] = {"/v1/workers", "/metrics"};
    struct token news = create("{\"role\":\"submitter\",\"tenant\":\"news\"}");
    struct token films = create("{\"role\":\"submitter\",\"tenant\":\"films\"}");
    ck_assert_int_eq(submit_as(news.text, "t"), 201);
    ck_assert_int_eq(submit_as(news.text, "t"), 200);
    ck_assert_int_eq(submit_as(films.text, "t"), 409);
    ck_assert_str_eq(api_problem(), "the name t is taken; choose another");
    ck_assert_int_eq(call_as(news.text, "POST", "/v1/titles/t/cancel", NULL), 200);
    ck_assert_int_eq(submit_as(films.text, "t"), 409); /* it has ended, and is news' still */
    ck_assert_int_eq(submit_as(news.text, "t"), 201);
    for (size_t i = 0; i < sizeof(farm) / sizeof(farm[0]); i++) {
        ck_assert_int_eq(call_as(news.text, "GET", farm[i], NULL), 403);
        ck_assert_ptr_nonnull(strstr(api_problem(), "about the whole farm"));
    }
}
END_TEST

/* ---- from when to when ------------------------------------------------------- */

START_TEST(a_token_is_good_until_it_is_revoked) {
    struct token token = create("{\"role\":\"viewer\",\"name\":\"a screen in the hall\"}");
    char text[64];
    ck_assert_int_eq(call_as(token.text, "GET", "/v1/caller", NULL), 200);
    ck_assert_str_eq(api_text_of("role", text, sizeof(text)), "viewer");
    ck_assert_str_eq(api_text_of("token", text, sizeof(text)), token.id);
    api_restart(false); /* the store remembers it */
    ck_assert_int_eq(call_as(token.text, "GET", "/v1/titles", NULL), 200);
    ck_assert_int_eq(api_call("GET", "/v1/tokens", NULL), 200);
    ck_assert_int_eq(api_count_of("tokens"), 1);
    ck_assert_ptr_null(strstr(buf_text(&api_answer.body), token.text + ID_TEXT + 9));
    char *path = mem_format("/v1/tokens/%s", token.id);
    ck_assert_int_eq(api_call("DELETE", path, NULL), 204);
    ck_assert_int_eq(api_call("DELETE", path, NULL), 204); /* a repeat is as good */
    ck_assert_int_eq(call_as(token.text, "GET", "/v1/titles", NULL), 401);
    api_restart(false);
    ck_assert_int_eq(call_as(token.text, "GET", "/v1/titles", NULL), 401);
    ck_assert_int_eq(api_call("GET", "/v1/tokens", NULL), 200);
    ck_assert_int_eq(api_count_of("tokens"), 1); /* it is remembered as revoked */
    ck_assert_int_eq(api_call("DELETE", "/v1/tokens/nothing", NULL), 404);
    mem_free(path);
}
END_TEST

START_TEST(a_token_expires) {
    struct token token = create("{\"role\":\"viewer\",\"expires_in_ms\":400}");
    ck_assert_int_eq(call_as(token.text, "GET", "/v1/titles", NULL), 200);
    usleep(450000);
    ck_assert_int_eq(call_as(token.text, "GET", "/v1/titles", NULL), 401);
}
END_TEST

static void happen_tomorrow(struct tx *tx, void *context) {
    (void)context;
    sql_run(tx, SQL_EVENT_ADD,
            VALUES(INTEGER(tx_numbers(tx, "event", 1)), INTEGER(tx_now(tx) + 86400000), TEXT("t"),
                   INTEGER(0), TEXT("k"), TEXT(""), TEXT("")));
}

/* By which `reelfarm doctor` compares clocks: a store that was written while this machine's was
 * wrong goes on from there, and the machine is right all the same. */
START_TEST(a_caller_is_told_the_machines_time) {
    struct store *store = NULL;
    struct err err = {0};
    int64_t now = 0;
    scheduler_stop(api_scheduler);
    struct store_options options = {.path = api_store_path};
    ck_assert_msg(store_open(&store, &options, &err) == 0, "%s", err.message);
    ck_assert_int_eq(store_call(store, happen_tomorrow, NULL, &err), 0);
    store_close(store);
    api_start(false, 30000);
    int64_t before = clock_wall_ms();
    ck_assert_int_eq(api_call("GET", "/v1/caller", NULL), 200);
    struct json *tree = api_tree_of_answer();
    struct reader reader = reader_of(tree, "answer", &err);
    reader_int(&reader, "now", before, clock_wall_ms(), &now);
    ck_assert_msg(reader_ok(&reader), "%s", err.message);
    json_tree_destroy(tree);
}
END_TEST

static const struct {
    const char *body;
    const char *says;
} wrongs[] = {
    {"{}", "role"},
    {"{\"role\":\"king\"}", "viewer, submitter, worker or admin"},
    {"{\"role\":\"worker\",\"tenant\":\"news\"}", "is for viewers and submitters"},
    {"{\"role\":\"viewer\",\"tenant\":\"no/slash\"}", "tenant"},
    {"{\"role\":\"viewer\",\"expires_in_ms\":-1}", "expires_in_ms"},
    {"{\"role\":\"viewer\",\"expires_in_ms\":9000000000000}", "expires_in_ms"},
};

START_TEST(a_wrong_request_makes_no_token) {
    ck_assert_int_eq(api_call("POST", "/v1/tokens", wrongs[_i].body), 400);
    ck_assert_msg(strstr(api_problem(), wrongs[_i].says) != NULL, "%s", api_problem());
    ck_assert_int_eq(api_call("GET", "/v1/tokens", NULL), 200);
    ck_assert_int_eq(api_count_of("tokens"), 0);
}
END_TEST

Suite *auth_suite(void) {
    Suite *suite = suite_create("auth");
    TCase *book = tcase_create("book");
    tcase_add_test(book, the_book_knows_good_tokens_alone);
    tcase_add_test(book, a_token_lives_as_long_as_was_asked_for);
    tcase_add_test(book, the_table_has_every_route);
    suite_add_tcase(suite, book);
    TCase *live = tcase_create("live");
    tcase_add_checked_fixture(live, api_set_up, api_tear_down);
    tcase_set_timeout(live, 60);
    tcase_add_test(live, every_call_is_of_its_roles_alone);
    tcase_add_test(live, no_call_is_anybodys);
    tcase_add_test(live, a_bound_token_reaches_its_tenants_own_alone);
    tcase_add_test(live, a_wrong_method_hears_of_all_right_ones);
    tcase_add_test(live, a_tenant_sees_its_own_titles_alone);
    tcase_add_test(live, a_tenant_sees_its_own_probes_alone);
    tcase_add_test(live, a_tenant_hears_of_its_own_titles_alone);
    tcase_add_test(live, a_tenant_is_told_of_no_other_title_that_failed);
    tcase_add_test(live, a_tenant_can_have_neither_anothers_name_nor_the_farm);
    tcase_add_test(live, a_token_is_good_until_it_is_revoked);
    tcase_add_test(live, a_bound_token_submits_for_its_tenant);
    tcase_add_test(live, a_token_expires);
    tcase_add_test(live, a_caller_is_told_the_machines_time);
    tcase_add_loop_test(live, a_wrong_request_makes_no_token, 0,
                        sizeof(wrongs) / sizeof(wrongs[0]));
    suite_add_tcase(suite, live);
    return suite;
}
