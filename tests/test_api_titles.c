/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The true scheduler on loopback: calls about titles, one by one and many at once. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "api_fixture.h"
#include "common/clock.h"
#include "common/json.h"
#include "common/mem.h"
#include "scheduler_fixture.h"

Suite *api_titles_suite(void);

static int submit_from(const char *title, const char *source) {
    return api_submit_with(title, source, "s3://b/o", "h264", "");
}

/* A worker holds redirects to them: where the source itself lies was looked at before. */
START_TEST(a_task_of_a_web_server_says_where_sources_may_lie) {
    static const char sources[] = "https://media.example/films /media";
    struct scheduler_options options = scheduler_options_default();
    struct task web = {0}, file = {0};
    scheduler_stop(api_scheduler);
    options.store_path = api_store_path;
    options.sources = sources;
    ck_assert_int_eq(scheduler_start(&api_scheduler, &options, NULL), 0);
    api_join("w1");
    ck_assert_int_eq(submit_from("x", "https://media.example/other"), 403);
    ck_assert_int_eq(submit_from("t", "https://media.example/films/a.mp4"), 201);
    ck_assert(api_lease_task(&web, 0));
    ck_assert_str_eq(web.source.places, sources);
    ck_assert_int_eq(submit_from("u", "/media/a.mp4"), 201);
    ck_assert(api_lease_task(&file, 0));
    ck_assert_str_eq(file.source.places, "");
    task_finish(&web);
    task_finish(&file);
}
END_TEST

START_TEST(a_submission_may_be_repeated) {
    ck_assert_int_eq(submit_from("t", "s3://b/one"), 201);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"new\":true"));
    ck_assert_int_eq(submit_from("t", "s3://b/one"), 200);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"new\":false"));
    ck_assert_int_eq(submit_from("t", "s3://b/two"), 409);
    api_join("w1");
    struct task task = {0};
    ck_assert(api_lease_task(&task, 0));
    ck_assert(!api_lease_task(&task, 0)); /* one probe for both */
    ck_assert_int_eq(api_call("POST", "/v1/titles/t/cancel", NULL), 200);
    ck_assert_int_eq(submit_from("t", "s3://b/two"), 201);
    task_finish(&task);
}
END_TEST

/* Ids in the order of the api_answer, and what it says of going on. */
static void check_titles(const char *path, const char *ids, int64_t *next) {
    struct buf got = {0};
    struct err err = {0};
    ck_assert_int_eq(api_call("GET", path, NULL), 200);
    struct json *tree = api_tree_of_answer();
    struct reader reader = reader_of(tree, "answer", &err);
    struct reader list = reader_array(&reader, "titles");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *title = "";
        reader_string(&item, "title", &title);
        buf_format(&got, "%s ", title);
    }
    *next = -1;
    if (reader_has(&reader, "next")) {
        reader_int(&reader, "next", 0, INT64_MAX, next);
    }
    ck_assert_msg(err.code == ERR_NONE, "%s", err.message);
    ck_assert_str_eq(buf_text(&got), ids);
    json_tree_destroy(tree);
    buf_finish(&got);
}

/* A submission with these members, each with a comma behind. */
static int submit_with(const char *title, const char *members) {
    char *ladder = fixture_ladder("h264");
    char *body = mem_format("{\"title\":\"%s\",\"source\":\"s3://b/s\",\"output\":\"s3://b/o\","
                            "%s\"ladder\":%s,\"force\":false}",
                            title, members, ladder);
    int status = api_call("POST", "/v1/titles", body);
    mem_free(ladder);
    mem_free(body);
    return status;
}

/* Whatever became of the title since, and though all be made anew. */
START_TEST(a_submission_is_known_by_its_key) {
    ck_assert_int_eq(submit_with("t", "\"key\":\"first\","), 201);
    ck_assert_int_eq(submit_with("t", "\"key\":\"first\",\"priority\":5,"), 200);
    ck_assert_int_eq(api_call("GET", "/v1/titles/t", NULL), 200);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"priority\":5"));
    ck_assert_int_eq(api_call("POST", "/v1/titles/t/cancel", NULL), 200);
    ck_assert_int_eq(submit_with("t", "\"key\":\"first\","), 200);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"state\":\"cancelled\""));
    ck_assert_str_eq(api_title_state("t"), "cancelled");
    ck_assert_int_eq(submit_with("t", "\"key\":\"second\","), 201);
    ck_assert_int_eq(api_call("POST", "/v1/titles/t/cancel", NULL), 200);
    ck_assert_int_eq(submit_with("t", ""), 201); /* by nothing: a new run */
    ck_assert_int_eq(api_call("POST", "/v1/titles/t/cancel", NULL), 200);
    ck_assert_int_eq(submit_with("t", "\"key\":\"second\","), 201); /* it was not the last */
    ck_assert_int_eq(submit_with("u", "\"key\":\"\","), 400);
    ck_assert_int_eq(submit_with("u", "\"key\":\"a b\","), 400);
}
END_TEST

/* Titles of a batch, each with these members, a comma behind each. */
static int submit_batch(const char *titles) {
    char *ladder = fixture_ladder("h264");
    char *body = mem_format("{\"ladders\":[%s],\"titles\":[%s]}", ladder, titles);
    int status = api_call("POST", "/v1/titles/batch", body);
    mem_free(ladder);
    mem_free(body);
    return status;
}

#define BATCH_REST "\"output\":\"s3://b/o\",\"ladder\":0,\"force\":false}"
#define BATCH_A    "{\"title\":\"a\",\"source\":\"s3://b/s\"," BATCH_REST
#define BATCH_B    "{\"title\":\"b\",\"source\":\"s3://b/s\"," BATCH_REST

/* Each is answered by itself; one that is wrong undoes no other. */
START_TEST(a_batch_is_answered_title_by_title) {
    ck_assert_int_eq(submit_from("busy", "s3://b/one"), 201);
    ck_assert_int_eq(submit_batch(BATCH_A
                                  ",{\"title\":\"busy\",\"source\":\"s3://b/two\"," BATCH_REST
                                  ",{\"title\":\"NO\",\"source\":\"s3://b/s\"," BATCH_REST
                                  ",{\"title\":\"c\",\"source\":\"s3://b/s\",\"output\":\"o\","
                                  "\"ladder\":1,\"force\":false}," BATCH_A "," BATCH_B),
                     200);
    static const char *const expected[] = {
        "{\"title\":\"a\",\"new\":true,\"repeated\":false,\"own\":true,\"state\":\"submitted\",",
        "{\"code\":\"conflict\",",
        "{\"code\":\"invalid\",",
        "{\"code\":\"invalid\",",
        "{\"title\":\"a\",\"new\":false,\"repeated\":false,\"own\":false,\"state\":\"submitted\",",
        "{\"title\":\"b\",\"new\":true,\"repeated\":false,\"own\":true,\"state\":\"submitted\","};
    const char *at = buf_text(&api_answer.body);
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        at = strstr(at, expected[i]);
        ck_assert_msg(at != NULL, "%s: %s", expected[i], buf_text(&api_answer.body));
    }
    ck_assert_uint_eq(api_count_of("results"), 6);
    int64_t next = 0;
    check_titles("/v1/titles", "b a busy ", &next);
    api_join("w1");
    ck_assert_int_eq(api_work() > 0, 1);
    ck_assert_str_eq(api_title_state("b"), "done");
    ck_assert_int_eq(api_call("GET", "/v1/titles/c", NULL), 404);
}
END_TEST

/* Of a key that several have, the sender who began the run is told that it is his. */
START_TEST(a_sender_knows_his_own_submission) {
    static const struct {
        const char *sender, *told;
    } calls[] = {{"\"sender\":\"me\",", "\"new\":true,\"repeated\":false,\"own\":true,"},
                 {"\"sender\":\"me\",", "\"new\":false,\"repeated\":true,\"own\":true,"},
                 {"\"sender\":\"other\",", "\"new\":false,\"repeated\":true,\"own\":false,"},
                 {"\"sender\":\"me\",", "\"new\":false,\"repeated\":true,\"own\":true,"},
                 {"", "\"new\":false,\"repeated\":true,\"own\":false,"}};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        char *row = mem_format("{\"key\":\"k\",%s\"title\":\"a\","
                               "\"source\":\"s3://b/s\"," BATCH_REST,
                               calls[i].sender);
        ck_assert_int_eq(submit_batch(row), 200);
        ck_assert_msg(strstr(buf_text(&api_answer.body), calls[i].told) != NULL, "%s: %s",
                      calls[i].told, buf_text(&api_answer.body));
        mem_free(row);
    }
}
END_TEST

/* What `verify` would find fault with later is refused now, with what was meant, perhaps. */
START_TEST(a_ladder_waives_advice_alone) {
    static const struct {
        const char *name;
        int status;
        const char *words;
    } cases[] = {
        {"rung-peak", 201, ""},
        {"rung-peek", 400, "ladder.waive: 'rung-peek' is no advice (is it rung-peak?); `reelfarm"},
        {"hls-endlist", 400, "'hls-endlist' is a must, and no advice"},
        {"x", 400, "'x' is no advice; `reelfarm verify --rules`"},
    };
    char *text = mem_format("waive: [%s]\nrungs:\n  - {height: 180}\n", cases[_i].name);
    char *ladder = fixture_ladder(text);
    char *body = mem_format("{\"title\":\"t\",\"source\":\"s3://b/s\",\"output\":\"s3://b/o\","
                            "\"ladder\":%s,\"force\":false}",
                            ladder);
    ck_assert_int_eq(api_call("POST", "/v1/titles", body), cases[_i].status);
    ck_assert_msg(strstr(buf_text(&api_answer.body), cases[_i].words) != NULL, "%s",
                  buf_text(&api_answer.body));
    mem_free(body);
    mem_free(ladder);
    mem_free(text);
}
END_TEST

START_TEST(a_batch_is_bounded) {
    struct buf titles = {0};
    ck_assert_int_eq(submit_batch(""), 400);
    ck_assert_int_eq(api_call("POST", "/v1/titles/batch", "{\"ladders\":[],\"titles\":[]}"), 400);
    ck_assert_int_eq(submit_batch("7"), 400);
    ck_assert_int_eq(submit_batch(BATCH_A ",7"), 400);
    ck_assert_int_eq(api_call("GET", "/v1/titles/a", NULL), 404);
    for (int i = 0; i < 201; i++) {
        buf_format(&titles, "%s{\"title\":\"t%d\",\"source\":\"s3://b/s\"," BATCH_REST,
                   i > 0 ? "," : "", i);
    }
    ck_assert_int_eq(submit_batch(buf_text(&titles)), 400);
    ck_assert_int_eq(api_call("GET", "/v1/titles/t0", NULL), 404);
    buf_finish(&titles);
}
END_TEST

static const char *const no_labels[] = {
    "show",
    "show=",
    "=x",
    "show=x,",
    ",show=x",
    "show=x,,show=y",
    "a/b=c",
    "a=1,b=2,c=3,d=4,e=5",
    "a=1&label=b=2,c=3&label=d=4,e=5",
};

START_TEST(a_list_wants_labels_that_are_some) {
    char *path = mem_format("/v1/titles?label=%s", no_labels[_i]);
    ck_assert_int_eq(api_call("GET", path, NULL), 400);
    ck_assert_ptr_nonnull(strstr(api_problem(), "label must be 1 to 4 of NAME=VALUE"));
    mem_free(path);
}
END_TEST

/* Pages of a label that many have, and another: none is on two of them, or on none. */
START_TEST(titles_of_two_labels_come_in_pages) {
    int64_t next = 0;
    for (char c = 'a'; c <= 'f'; c++) {
        bool odd = (c - 'a') % 2 == 1;
        ck_assert_int_eq(submit_with((char[]){c, '\0'}, odd ? "\"labels\":[\"k=1\",\"odd=1\"],"
                                                            : "\"labels\":[\"k=1\"],"),
                         201);
    }
    check_titles("/v1/titles?label=k=1&label=odd=1&limit=2", "f d ", &next);
    char *path =
        mem_format("/v1/titles?label=k=1&label=odd=1&limit=2&before=%lld", (long long)next);
    check_titles(path, "b ", &next);
    ck_assert_int_eq(next, -1);
    mem_free(path);
}
END_TEST

START_TEST(titles_have_an_order_and_labels) {
    int64_t next = 0;
    ck_assert_int_eq(submit_with("a", "\"priority\":7,\"tenant\":\"news\",\"deadline\":5000,"
                                      "\"labels\":[\"show=x\",\"season=2\"],"),
                     201);
    ck_assert_int_eq(submit_with("b", "\"tenant\":\"news\",\"labels\":[\"show=y\"],"), 201);
    ck_assert_int_eq(submit_with("c", ""), 201);
    static const char expected[] = "\"priority\":7,\"tenant\":\"news\",\"deadline\":5000,"
                                   "\"labels\":[\"season=2\",\"show=x\"]";
    ck_assert_int_eq(api_call("GET", "/v1/titles/a", NULL), 200);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), expected));
    ck_assert_int_eq(api_call("GET", "/v1/titles", NULL), 200);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), expected));
    ck_assert_int_eq(api_call("GET", "/v1/titles/c", NULL), 200);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"deadline\":null,\"labels\":[]"));
    check_titles("/v1/titles?tenant=news", "b a ", &next);
    check_titles("/v1/titles?label=show=x", "a ", &next);
    check_titles("/v1/titles?label=show=y&tenant=news", "b ", &next);
    check_titles("/v1/titles?label=show=z", "", &next);
    check_titles("/v1/titles?label=show=x,season=2", "a ", &next);
    check_titles("/v1/titles?label=season=2&label=show=x&tenant=news", "a ", &next);
    check_titles("/v1/titles?label=season=2,show=y", "", &next);
    check_titles("/v1/titles?label=show=x,season=2,show=x,season=3", "", &next);
    ck_assert_int_eq(submit_with("a", "\"labels\":[\"show=z\"],"), 200); /* the last word counts */
    check_titles("/v1/titles?label=show=z", "a ", &next);
    check_titles("/v1/titles?label=show=x", "", &next);
    check_titles("/v1/titles?tenant=news", "b a ", &next); /* what is left out stays */
    ck_assert_int_eq(submit_with("a", "\"tenant\":\"\",\"labels\":[],"), 200);
    check_titles("/v1/titles?tenant=news", "b ", &next);
    check_titles("/v1/titles?label=show=z", "", &next);
}
END_TEST

START_TEST(a_cancelled_title_is_tried_again_as_it_was) {
    struct task task = {0};
    int64_t next = 0;
    ck_assert_int_eq(submit_with("a", "\"priority\":7,\"tenant\":\"news\",\"deadline\":5000,"
                                      "\"labels\":[\"show=x\"],"),
                     201);
    ck_assert_int_eq(api_call("POST", "/v1/titles/a/retry", NULL), 409);
    ck_assert_ptr_nonnull(strstr(api_problem(), "title a is submitted; only one that failed"));
    ck_assert_int_eq(api_call("POST", "/v1/titles/a/cancel", NULL), 200);
    ck_assert_int_eq(submit_with("b", ""), 201);
    ck_assert_int_eq(api_call("POST", "/v1/titles/a/retry", NULL), 200);
    ck_assert_int_eq(api_call("POST", "/v1/titles/none/retry", NULL), 404);
    check_titles("/v1/titles?state=submitted&tenant=news&label=show=x", "a ", &next);
    check_titles("/v1/titles", "a b ", &next); /* a new submission, of which the age counts */
    api_join("w1");
    ck_assert(api_lease_task(&task, 0));
    ck_assert_str_eq(task.title, "a"); /* its priority is as it was */
    ck_assert_str_eq(task.source.url, "s3://b/s");
    task_finish(&task);
}
END_TEST

/* Of the title a, as a call about it says; 0: it says none. */
static int64_t submitted_at(const char *path) {
    static const char name[] = "\"submitted_at\":";
    ck_assert_int_eq(api_call("GET", path, NULL), 200);
    const char *found = strstr(buf_text(&api_answer.body), name);
    ck_assert_ptr_nonnull(found);
    return strtoll(found + strlen(name), NULL, 10);
}

/* A call about a run that is there already is none. */
START_TEST(when_a_title_was_submitted_is_told) {
    int64_t before = clock_wall_ms();
    ck_assert_int_eq(submit_with("a", ""), 201);
    int64_t first = submitted_at("/v1/titles/a");
    ck_assert_int_ge(first, before);
    ck_assert_int_le(first, clock_wall_ms());
    ck_assert_int_eq(submitted_at("/v1/titles"), first);
    clock_sleep_ms(5, NULL);
    ck_assert_int_eq(submit_with("a", "\"priority\":7,"), 200);
    ck_assert_int_eq(submitted_at("/v1/titles/a"), first);
    ck_assert_int_eq(api_call("POST", "/v1/titles/a/cancel", NULL), 200);
    ck_assert_int_eq(submitted_at("/v1/titles/a"), first);
    ck_assert_int_eq(api_call("POST", "/v1/titles/a/retry", NULL), 200);
    int64_t second = submitted_at("/v1/titles/a");
    ck_assert_int_gt(second, first);
    ck_assert_int_eq(submitted_at("/v1/titles"), second);
}
END_TEST

START_TEST(an_order_is_checked) {
    static const struct {
        const char *members;
        const char *wrong;
    } cases[] = {
        {"\"priority\":101,", "priority"},
        {"\"priority\":-101,", "priority"},
        {"\"deadline\":0,", "deadline"},
        {"\"tenant\":\"a b\",", "tenant: must be at most 64 letters"},
        {"\"labels\":[\"show\"],", "labels: must be NAME=VALUE"},
        {"\"labels\":[\"show=\"],", "labels: must be NAME=VALUE"},
        {"\"labels\":[\"a=1\",\"a=2\"],", "labels: names 'a' twice"},
    };
    ck_assert_int_eq(submit_with("t", cases[_i].members), 400);
    ck_assert_msg(strstr(api_problem(), cases[_i].wrong) != NULL, "%s", api_problem());
}
END_TEST

START_TEST(titles_are_listed_newest_first) {
    int64_t next = 0;
    check_titles("/v1/titles", "", &next);
    ck_assert_int_eq(next, -1);
    submit_from("a", "https://user:pass@host/a.mp4?signature=1");
    ck_assert_int_eq(api_call("GET", "/v1/titles", NULL), 200);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"source\":\"https://host/a.mp4\""));
    submit_from("b", "s3://b/b");
    submit_from("c", "s3://b/c");
    ck_assert_int_eq(api_call("POST", "/v1/titles/b/cancel", NULL), 200);
    check_titles("/v1/titles", "c b a ", &next);
    ck_assert_int_eq(next, -1);
    check_titles("/v1/titles?limit=2", "c b ", &next);
    ck_assert_int_gt(next, 0);
    char *path = mem_format("/v1/titles?limit=2&before=%lld", (long long)next);
    check_titles(path, "a ", &next);
    ck_assert_int_eq(next, -1);
    check_titles("/v1/titles?state=cancelled", "b ", &next);
    check_titles("/v1/titles?state=submitted&limit=1", "c ", &next);
    ck_assert_int_eq(submit_from("b", "s3://b/b"), 201);
    check_titles("/v1/titles", "b c a ", &next);
    ck_assert_int_eq(api_call("GET", "/v1/titles?state=odd", NULL), 400);
    ck_assert_ptr_nonnull(strstr(api_problem(), "'odd' is no state of a title"));
    mem_free(path);
}
END_TEST

Suite *api_titles_suite(void) {
    Suite *suite = suite_create("api_titles");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, api_set_up, api_tear_down);
    tcase_add_test(all, a_submission_may_be_repeated);
    tcase_add_test(all, a_task_of_a_web_server_says_where_sources_may_lie);
    tcase_add_test(all, titles_are_listed_newest_first);
    tcase_add_test(all, titles_have_an_order_and_labels);
    tcase_add_test(all, when_a_title_was_submitted_is_told);
    tcase_add_test(all, titles_of_two_labels_come_in_pages);
    tcase_add_loop_test(all, a_list_wants_labels_that_are_some, 0,
                        sizeof(no_labels) / sizeof(no_labels[0]));
    tcase_add_test(all, a_submission_is_known_by_its_key);
    tcase_add_test(all, a_batch_is_answered_title_by_title);
    tcase_add_test(all, a_sender_knows_his_own_submission);
    tcase_add_test(all, a_batch_is_bounded);
    tcase_add_loop_test(all, a_ladder_waives_advice_alone, 0, 4);
    tcase_add_test(all, a_cancelled_title_is_tried_again_as_it_was);
    tcase_add_loop_test(all, an_order_is_checked, 0, 7);
    suite_add_tcase(suite, all);
    return suite;
}
