/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tokens and roles against the true scheduler: who may make which call, and from when to when. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api_fixture.h"
#include "common/mem.h"
#include "fixture.h"
#include "scheduler/auth.h"
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

/* ---- every call by every role ------------------------------------------------ */

enum { V = 1 << ROLE_VIEWER, S = 1 << ROLE_SUBMITTER, W = 1 << ROLE_WORKER, A = 1 << ROLE_ADMIN };

static const struct {
    const char *method;
    const char *path;
    int roles; /* who may, as ARCHITECTURE has it */
} calls[] = {
    {"POST", "/v1/sessions", W | A},
    {"POST", "/v1/sessions/s/heartbeat", W | A},
    {"DELETE", "/v1/sessions/s", W | A},
    {"POST", "/v1/leases", W | A},
    {"POST", "/v1/leases/1/source", W | A},
    {"POST", "/v1/leases/1/complete", W | A},
    {"POST", "/v1/leases/1/fail", W | A},
    {"POST", "/v1/titles", S | A},
    {"POST", "/v1/plans", S | A},
    {"GET", "/v1/titles", V | S | A},
    {"GET", "/v1/titles/t", V | S | A},
    {"GET", "/v1/titles/t/why", V | S | A},
    {"GET", "/v1/titles/t/versions", V | S | A},
    {"GET", "/v1/titles/t/plan", V | S | W | A},
    {"GET", "/v1/titles/t/units", V | S | W | A},
    {"GET", "/v1/titles/t/identity", V | S | W | A},
    {"POST", "/v1/titles/t/cancel", S | A},
    {"POST", "/v1/titles/t/retry", S | A},
    {"DELETE", "/v1/titles/t", S | A},
    {"GET", "/v1/events", V | S | A},
    {"GET", "/v1/workers", V | S | A},
    {"POST", "/v1/workers/w/drain", A},
    {"DELETE", "/v1/workers/w/drain", A},
    {"POST", "/v1/tokens", A},
    {"GET", "/v1/tokens", A},
    {"DELETE", "/v1/tokens/nothing", A},
    {"GET", "/v1/caller", V | S | W | A},
};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

START_TEST(every_call_is_of_its_roles_alone) {
    for (int role = 0; role < ROLE_COUNT; role++) {
        char *body = mem_format("{\"role\":\"%s\"}", role_name((enum role)role));
        struct token token = create(body);
        mem_free(body);
        for (int i = 0; i < CALLS; i++) {
            bool has_body = strcmp(calls[i].method, "POST") == 0;
            int status =
                call_as(token.text, calls[i].method, calls[i].path, has_body ? "{}" : NULL);
            bool may = (calls[i].roles & 1 << role) != 0;
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
    static const char *const wrong[] = {
        NULL, "", "x", "reelfarm_00000000000000000000000000_",
        "reelfarm_00000000000000000000000000_"
        "0000000000000000000000000000000000000000000000000000000000000000"};
    for (size_t j = 0; j < sizeof(wrong) / sizeof(wrong[0]); j++) {
        for (int i = 0; i < CALLS; i++) {
            ck_assert_int_eq(call_as(wrong[j], calls[i].method, calls[i].path, NULL), 401);
        }
        ck_assert_int_eq(call_as(wrong[j], "GET", "/healthz", NULL), 200);
    }
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
    ck_assert_int_eq(call_as(hall.text, "GET", "/v1/titles", NULL), 200);
    ck_assert_int_eq(api_count_of("titles"), 1);
    ck_assert_int_eq(call_as(hall.text, "GET", "/v1/titles?tenant=films", NULL), 200);
    ck_assert_int_eq(api_count_of("titles"), 1);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"title\":\"t\""));
    ck_assert_int_eq(api_call("GET", "/v1/titles", NULL), 200);
    ck_assert_int_eq(api_count_of("titles"), 3);
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
    suite_add_tcase(suite, book);
    TCase *live = tcase_create("live");
    tcase_add_checked_fixture(live, api_set_up, api_tear_down);
    tcase_set_timeout(live, 60);
    tcase_add_test(live, every_call_is_of_its_roles_alone);
    tcase_add_test(live, no_call_is_anybodys);
    tcase_add_test(live, a_tenant_sees_its_own_titles_alone);
    tcase_add_test(live, a_tenant_hears_of_its_own_titles_alone);
    tcase_add_test(live, a_tenant_can_have_neither_anothers_name_nor_the_farm);
    tcase_add_test(live, a_token_is_good_until_it_is_revoked);
    tcase_add_test(live, a_bound_token_submits_for_its_tenant);
    tcase_add_test(live, a_token_expires);
    tcase_add_loop_test(live, a_wrong_request_makes_no_token, 0,
                        sizeof(wrongs) / sizeof(wrongs[0]));
    suite_add_tcase(suite, live);
    return suite;
}
