/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The true scheduler on loopback: the API's calls, waiting calls, and bad clients. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api_fixture.h"
#include "common/clock.h"
#include "common/http.h"
#include "common/json.h"
#include "common/mem.h"
#include "fixture.h"
#include "scheduler/scheduler.h"
#include "scheduler_fixture.h"

Suite *api_suite(void);

/* ---- the way of a title ------------------------------------------------------ */

START_TEST(a_title_goes_all_the_way_over_http) {
    struct task probe = {0}, video = {0};
    struct task_report early;
    api_join("w1");
    ck_assert_int_eq(api_submit("t"), 201);
    ck_assert_int_eq(api_submit("t"), 200);
    ck_assert_str_eq(api_title_state("t"), "submitted");
    ck_assert_int_eq(api_call("GET", "/v1/titles/t/plan", NULL), 404);
    ck_assert(api_lease(&probe, 0));
    ck_assert_int_eq(probe.kind, TASK_PROBE);
    ck_assert_int_eq(probe.spec.max_width, 16384);

    fixture_probe_report(&early, 2400, "pin-1", "");
    ck_assert_int_eq(api_report(&probe, "source", &early), 204);
    task_report_finish(&early);
    ck_assert_str_eq(api_title_state("t"), "running");
    ck_assert_int_eq(api_call("GET", "/v1/titles/t/identity", NULL), 204);
    ck_assert(api_lease(&video, 0));
    ck_assert_int_eq(api_beat(&video), 200);
    ck_assert_int_eq(api_count_of("stop"), 0);

    ck_assert_int_eq(api_complete(&probe), 200);
    ck_assert_int_eq(api_call("GET", "/v1/titles/t/identity", NULL), 200);
    ck_assert_int_eq(api_count_of("renditions"), 3);
    ck_assert_int_eq(api_complete(&video), 200);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"accepted\":true"));
    ck_assert_int_eq(api_complete(&video), 200);
    ck_assert_ptr_nonnull(strstr(buf_text(&api_answer.body), "\"accepted\":false"));
    ck_assert_int_gt(api_work(), 10);
    ck_assert_str_eq(api_title_state("t"), "done");

    ck_assert_int_eq(api_call("GET", "/v1/titles/t/plan", NULL), 200);
    struct json *tree = api_tree_of_answer();
    struct err err = {0};
    struct reader reader = reader_of(tree, "plan", &err);
    struct title_plan plan = {0};
    title_plan_read(&plan, &reader);
    ck_assert_msg(reader_ok(&reader), "%s", err.message);
    ck_assert_str_eq(plan.identity, "sha256:one");
    title_plan_finish(&plan);
    json_tree_destroy(tree);
    ck_assert_int_eq(api_call("GET", "/v1/workers", NULL), 200);
    ck_assert_int_eq(api_count_of("workers"), 1);
    task_finish(&probe);
    task_finish(&video);
}
END_TEST

START_TEST(units_come_in_pages) {
    api_join("w1");
    api_submit("t");
    api_work();
    int64_t after = 0, total = 0;
    struct err err = {0};
    while (after >= 0) {
        char *path = mem_format("/v1/titles/t/units?after=%lld&limit=7", (long long)after);
        ck_assert_int_eq(api_call("GET", path, NULL), 200);
        struct json *tree = api_tree_of_answer();
        struct reader reader = reader_of(tree, "units", &err);
        struct reader list = reader_array(&reader, "units");
        ck_assert_int_le(reader_count(&list), 7);
        for (size_t i = 0; i < reader_count(&list); i++) {
            int64_t id = 0;
            const char *rendition = "";
            struct reader item = reader_item(&list, i);
            reader_int(&item, "id", after + 1, INT64_MAX, &id);
            reader_string(&item, "rendition", &rendition);
            ck_assert(reader_has(&item, "report") == (rendition[0] != '\0'));
        }
        total += (int64_t)reader_count(&list);
        after = -1;
        if (reader_has(&reader, "next")) {
            reader_int(&reader, "next", 0, INT64_MAX, &after);
        }
        ck_assert_msg(reader_ok(&reader), "%s", err.message);
        json_tree_destroy(tree);
        mem_free(path);
    }
    ck_assert_int_eq(total, 1 + 1 + 2 * 14 + 2);
}
END_TEST

START_TEST(events_tell_what_happened_in_order) {
    api_join("w1");
    api_submit("t");
    api_work();
    ck_assert_int_eq(api_call("GET", "/v1/events?after=0", NULL), 200);
    struct json *tree = api_tree_of_answer();
    struct err err = {0};
    struct reader reader = reader_of(tree, "events", &err);
    struct reader list = reader_array(&reader, "events");
    int64_t last = 0, last_at = 0, leases = 0, ends = 0;
    for (size_t i = 0; i < reader_count(&list); i++) {
        const char *kind = "";
        int64_t fence = 0;
        struct reader item = reader_item(&list, i);
        reader_int(&item, "seq", last + 1, last + 1, &last);
        reader_int(&item, "at", last_at, INT64_MAX, &last_at);
        reader_string(&item, "kind", &kind);
        if (strcmp(kind, "unit.lease") == 0 || strcmp(kind, "unit.complete") == 0) {
            struct reader detail = reader_object(&item, "detail");
            reader_int(&detail, "fence", 1, INT64_MAX, &fence);
            leases += strcmp(kind, "unit.lease") == 0 ? 1 : 0;
            ends += strcmp(kind, "unit.complete") == 0 ? 1 : 0;
        }
    }
    ck_assert_msg(reader_ok(&reader), "%s", err.message);
    ck_assert_int_eq(leases, 1 + 1 + 2 * 14 + 2);
    ck_assert_int_eq(ends, leases);
    json_tree_destroy(tree);
}
END_TEST

START_TEST(a_private_scheduler_leaves_the_past_behind) {
    struct task task = {0};
    api_join("w1");
    api_submit("t");
    ck_assert(api_lease(&task, 0));
    api_complete(&task);
    task_finish(&task);
    ck_assert(api_lease(&task, 0)); /* runs when the parent is killed */
    api_restart(true);
    ck_assert_str_eq(api_title_state("t"), "cancelled");
    ck_assert_int_eq(api_beat(&task), 404);
    api_join("w1");
    ck_assert_int_eq(api_submit("t"), 201);
    api_work();
    ck_assert_str_eq(api_title_state("t"), "done");
    task_finish(&task);
}
END_TEST

START_TEST(a_shared_scheduler_goes_on) {
    struct task task = {0};
    api_join("w1");
    api_submit("t");
    ck_assert(api_lease(&task, 0));
    api_restart(false);
    ck_assert_int_eq(api_beat(&task), 200);
    ck_assert_int_eq(api_complete(&task), 200);
    api_work();
    ck_assert_str_eq(api_title_state("t"), "done");
    task_finish(&task);
}
END_TEST

START_TEST(a_scheduler_that_was_away_gives_everybody_time) {
    struct task task = {0};
    scheduler_stop(api_scheduler);
    api_start(false, 600);
    api_join("w1");
    api_submit("t");
    ck_assert(api_lease(&task, 0));
    scheduler_stop(api_scheduler);
    clock_sleep_ms(800, NULL);
    api_start(false, 600);
    clock_sleep_ms(200, NULL); /* sweeps have run */
    ck_assert_int_eq(api_beat(&task), 200);
    ck_assert_int_eq(api_complete(&task), 200);
    task_finish(&task);
}
END_TEST

START_TEST(a_dead_worker_gives_back_at_once) {
    struct task first = {0}, again = {0};
    api_join("w1");
    api_submit("t");
    ck_assert(api_lease(&first, 0));
    ck_assert_int_eq(scheduler_worker_died(api_scheduler, "nobody", NULL), 0);
    ck_assert_int_eq(api_beat(&first), 200);
    ck_assert_int_eq(scheduler_worker_died(api_scheduler, "w1", NULL), 0);
    ck_assert_int_eq(api_beat(&first), 404);
    api_join("w1");
    ck_assert(api_lease(&again, 0));
    ck_assert_int_eq(again.units[0].id, first.units[0].id);
    ck_assert_int_eq(again.attempt, 2);
    task_finish(&first);
    task_finish(&again);
}
END_TEST

START_TEST(a_silent_worker_is_lost_by_itself) {
    struct task first = {0}, again = {0};
    scheduler_stop(api_scheduler);
    api_start(false, 300);
    api_join("w1");
    api_submit("t");
    ck_assert(api_lease(&first, 0));
    char silent[64];
    memcpy(silent, api_session, sizeof(silent));
    clock_sleep_ms(250, NULL);
    api_join("w2");
    ck_assert(api_lease(&again, 5000)); /* waits until the other is given up */
    ck_assert_int_eq(again.units[0].id, first.units[0].id);
    memcpy(api_session, silent, sizeof(silent));
    ck_assert_int_eq(api_beat(&first), 404);
    task_finish(&first);
    task_finish(&again);
}
END_TEST

START_TEST(leaving_hands_back) {
    struct task first = {0}, again = {0};
    api_join("w1");
    api_submit("t");
    ck_assert(api_lease(&first, 0));
    char *path = mem_format("/v1/sessions/%s", api_session);
    ck_assert_int_eq(api_call("DELETE", path, NULL), 204);
    ck_assert_int_eq(api_call("DELETE", path, NULL), 404);
    api_join("w2");
    ck_assert(api_lease(&again, 0));
    mem_free(path);
    task_finish(&first);
    task_finish(&again);
}
END_TEST

START_TEST(failures_and_cancel_over_http) {
    struct task task = {0};
    api_join("w1");
    api_submit("t");
    ck_assert(api_lease(&task, 0));
    char *path = mem_format("/v1/leases/%lld/fail", (long long)task.fence);
    ck_assert_int_eq(api_call("POST", path, "{\"class\":\"odd\",\"message\":\"x\"}"), 400);
    ck_assert_ptr_nonnull(strstr(api_problem(), "odd"));
    ck_assert_int_eq(
        api_call("POST", path, "{\"class\":\"unsupported\",\"message\":\"It is HDR.\"}"), 200);
    ck_assert_int_eq(api_call("POST", path, "{\"class\":\"unsupported\",\"message\":\"x\"}"), 409);
    ck_assert_str_eq(api_title_state("t"), "failed");
    char text[64];
    ck_assert_str_eq(api_text_of("error", text, sizeof(text)), "It is HDR.");
    ck_assert_str_eq(api_text_of("class", text, sizeof(text)), "unsupported");
    ck_assert_int_eq(api_call("POST", "/v1/titles/t/cancel", NULL), 409);
    api_submit("t");
    ck_assert_int_eq(api_call("POST", "/v1/titles/t/cancel", NULL), 200);
    ck_assert_str_eq(api_title_state("t"), "cancelled");
    mem_free(path);
    task_finish(&task);
}
END_TEST

/* ---- titles ------------------------------------------------------------------ */

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
    ck_assert(api_lease(&web, 0));
    ck_assert_str_eq(web.source.places, sources);
    ck_assert_int_eq(submit_from("u", "/media/a.mp4"), 201);
    ck_assert(api_lease(&file, 0));
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
    ck_assert(api_lease(&task, 0));
    ck_assert(!api_lease(&task, 0)); /* one probe for both */
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
        "{\"title\":\"a\",\"new\":true,\"state\":\"submitted\",",
        "{\"code\":\"conflict\",",
        "{\"code\":\"invalid\",",
        "{\"code\":\"invalid\",",
        "{\"title\":\"a\",\"new\":false,\"state\":\"submitted\",",
        "{\"title\":\"b\",\"new\":true,\"state\":\"submitted\","};
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
    ck_assert(api_lease(&task, 0));
    ck_assert_str_eq(task.title, "a"); /* its priority is as it was */
    ck_assert_str_eq(task.source.url, "s3://b/s");
    task_finish(&task);
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

/* ---- what is refused --------------------------------------------------------- */

START_TEST(the_token_is_needed) {
    static const char *const paths[] = {"/v1/workers", "/v1/titles/t", "/nowhere", "/v1/leases"};
    const char *token = scheduler_token(api_scheduler);
    char *wrong = mem_string(token);
    char *longer = mem_format("%s0", token);
    wrong[63] = wrong[63] == '0' ? '1' : '0';
    const char *const bad[] = {NULL, wrong, longer, "", "x"};
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        for (size_t j = 0; j < sizeof(bad) / sizeof(bad[0]); j++) {
            ck_assert_int_eq(api_call_by(api_client, &api_answer, "GET", paths[i], bad[j], NULL),
                             401);
            ck_assert_str_eq(http_response_header(&api_answer, "www-authenticate"), "Bearer");
        }
    }
    ck_assert_int_eq(api_call_by(api_client, &api_answer, "GET", "/healthz", NULL, NULL), 200);
    ck_assert_str_eq(buf_text(&api_answer.body), "{\"status\":\"ok\"}");
    ck_assert_int_eq(api_call("GET", "/v1/workers", NULL), 200);
    mem_free(wrong);
    mem_free(longer);
}
END_TEST

static const struct {
    const char *method, *path, *body;
    int status;
    const char *detail; /* a part of the sentence */
} refusals[] = {
    {"GET", "/none", NULL, 404, "no such path"},
    {"GET", "/v1/titles/", NULL, 404, "no such path"},
    {"GET", "/v1/titles/a/b/c", NULL, 404, "no such path"},
    {"GET", "/v1/titles/none", NULL, 404, "there is no title 'none'"},
    {"GET", "/v1/titles/none/units", NULL, 404, "there is no title"},
    {"GET", "/v1/titles/none/identity?wait_ms=5000", NULL, 404, "there is no title"},
    {"POST", "/v1/titles/none/cancel", NULL, 404, "there is no title"},
    {"DELETE", "/v1/titles", NULL, 405, "no such method"},
    {"PUT", "/v1/sessions", "{}", 405, "no such method"},
    {"POST", "/v1/sessions", "", 400, ""},
    {"POST", "/v1/sessions", "{\"worker\":", 400, ""},
    {"POST", "/v1/sessions", "[]", 400, "the request"},
    {"POST", "/v1/sessions", "{\"worker\":7}", 400, "worker"},
    {"POST", "/v1/sessions", "{\"worker\":\"a b\",\"host\":\"h\"}", 400, "worker"},
    {"POST", "/v1/sessions/nobody/heartbeat", "{\"tasks\":[]}", 404, "register anew"},
    {"POST", "/v1/sessions/nobody/heartbeat", "{\"tasks\":[{\"fence\":-1}]}", 400, "fence"},
    {"POST", "/v1/leases", "{\"session\":\"x\",\"slots\":0}", 400, "slots"},
    {"POST", "/v1/leases",
     "{\"session\":\"x\",\"slots\":1,\"memory_bytes\":1,\"wait_ms\":0,"
     "\"kinds\":[\"cook\"]}",
     400, "cook"},
    {"POST", "/v1/leases",
     "{\"session\":\"x\",\"slots\":1,\"memory_bytes\":1,\"wait_ms\":20001,"
     "\"kinds\":[]}",
     400, "wait_ms"},
    {"POST", "/v1/leases",
     "{\"session\":\"x\",\"slots\":1,\"memory_bytes\":1,\"wait_ms\":20000,"
     "\"kinds\":[\"video\"]}",
     404, "register anew"},
    {"POST", "/v1/leases/1/complete", "{}", 400, "stats"},
    {"POST", "/v1/leases/1/fail", "{\"class\":\"io\",\"message\":\"x\"}", 404, "no lease 1"},
    {"POST", "/v1/leases/1/fail", "{\"class\":\"io\",\"message\":\"\"}", 400, "message"},
    {"POST", "/v1/titles", "{\"title\":\"../x\",\"source\":\"s\",\"output\":\"o\",\"force\":false}",
     400, "title"},
    {"POST", "/v1/titles",
     "{\"title\":\"x\",\"source\":\"s\",\"output\":\"o\",\"force\":false,"
     "\"ladder\":{\"name\":1}}",
     400, "name"},
    {"POST", "/v1/titles", "{\"title\":\"x\",\"source\":\"\",\"output\":\"o\",\"force\":false}",
     400, "source"},
};

START_TEST(what_is_wrong_is_said) {
    int status = api_call(refusals[_i].method, refusals[_i].path, refusals[_i].body);
    ck_assert_msg(status == refusals[_i].status, "%d %s", status, buf_text(&api_answer.body));
    ck_assert_msg(strstr(api_problem(), refusals[_i].detail) != NULL, "%s", api_problem());
    if (status == 405) {
        ck_assert_ptr_nonnull(http_response_header(&api_answer, "allow"));
    }
    ck_assert_int_eq(api_call("GET", "/v1/workers", NULL), 200);
    ck_assert_int_eq(api_count_of("workers"), 0);
}
END_TEST

/* ---- waiting calls ----------------------------------------------------------- */

struct waiting {
    const char *method;
    char *path;
    char *body;
    struct http_response response;
    int64_t took_ms;
    pthread_t thread;
};

static void *wait_for_answer(void *context) {
    struct waiting *waiting = context;
    struct http_client *own = NULL;
    ck_assert_int_eq(http_client_create(&own, NULL), 0);
    int64_t since = clock_monotonic_ms();
    api_call_by(own, &waiting->response, waiting->method, waiting->path,
                scheduler_token(api_scheduler), waiting->body);
    waiting->took_ms = clock_monotonic_ms() - since;
    http_client_destroy(own);
    return NULL;
}

/* Starts a call that shall wait, and lets it get there. */
static void begin_wait(struct waiting *waiting, const char *method, char *path, char *body) {
    *waiting = (struct waiting){.method = method, .path = path, .body = body};
    ck_assert_int_eq(pthread_create(&waiting->thread, NULL, wait_for_answer, waiting), 0);
    clock_sleep_ms(200, NULL);
}

/* Its api_answer's text, borrowed until end_wait. */
static const char *end_wait(struct waiting *waiting) {
    pthread_join(waiting->thread, NULL);
    ck_assert_int_ge(waiting->took_ms, 150);  /* it did wait */
    ck_assert_int_lt(waiting->took_ms, 5000); /* and was woken */
    return buf_text(&waiting->response.body);
}

static void drop_wait(struct waiting *waiting) {
    http_response_finish(&waiting->response);
    mem_free(waiting->path);
    mem_free(waiting->body);
}

START_TEST(waiting_calls_are_woken) {
    struct waiting lease_wait, identity_wait, event_wait;
    struct task probe = {0};
    api_join("w1");
    begin_wait(&lease_wait, "POST", mem_string("/v1/leases"), api_lease_body(20000));
    api_submit("t");
    ck_assert_ptr_nonnull(strstr(end_wait(&lease_wait), "\"kind\":\"probe\""));

    struct json *tree = NULL;
    ck_assert_int_eq(
        json_tree_parse(&tree, lease_wait.response.body.data, lease_wait.response.body.size, NULL),
        0);
    struct err err = {0};
    struct reader reader = reader_of(tree, "answer", &err);
    struct reader list = reader_array(&reader, "tasks");
    struct reader item = reader_item(&list, 0);
    task_read(&probe, &item);
    json_tree_destroy(tree);

    begin_wait(&identity_wait, "GET", mem_string("/v1/titles/t/identity?wait_ms=20000"), NULL);
    api_call("GET", "/v1/events?after=0", NULL);
    char *path = mem_format("/v1/events?after=%zu&wait_ms=20000", api_count_of("events"));
    begin_wait(&event_wait, "GET", path, NULL);
    ck_assert_int_eq(api_complete(&probe), 200);
    ck_assert_ptr_nonnull(strstr(end_wait(&identity_wait), "sha256:one"));
    ck_assert_ptr_nonnull(strstr(end_wait(&event_wait), "unit.complete"));
    drop_wait(&lease_wait);
    drop_wait(&identity_wait);
    drop_wait(&event_wait);
    task_finish(&probe);
}
END_TEST

START_TEST(waits_run_out) {
    struct task task = {0};
    api_join("w1");
    int64_t since = clock_monotonic_ms();
    ck_assert(!api_lease(&task, 300));
    ck_assert_int_ge(clock_monotonic_ms() - since, 300);
    ck_assert_int_lt(clock_monotonic_ms() - since, 3000);
    api_submit("t");
    since = clock_monotonic_ms();
    /* nobody has leased its probe */
    ck_assert_int_eq(api_call("GET", "/v1/titles/t/identity?wait_ms=200", NULL), 409);
    ck_assert_int_ge(clock_monotonic_ms() - since, 200);
}
END_TEST

/* ---- by raw sockets ---------------------------------------------------------- */

static int open_socket(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port =
        htons((uint16_t)strtol(strrchr(scheduler_url(api_scheduler), ':') + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_text(int fd, const char *text) {
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until the server closes or `ms` pass; returns the status, 0 for none. */
static int status_from(int fd, int ms) {
    char text[4096];
    size_t have = 0;
    int64_t until = clock_monotonic_ms() + ms;
    while (have < sizeof(text) - 1 && clock_monotonic_ms() < until) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (poll(&poll_fd, 1, 50) > 0) {
            ssize_t got = recv(fd, text + have, sizeof(text) - 1 - have, 0);
            if (got <= 0) {
                break;
            }
            have += (size_t)got;
            text[have] = '\0';
            if (strstr(text, "\r\n\r\n") != NULL) {
                break;
            }
        }
    }
    text[have] = '\0';
    int status = 0;
    return sscanf(text, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

static char *lease_request(int wait_ms) {
    char *body = api_lease_body(wait_ms);
    char *text = mem_format("POST /v1/leases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            scheduler_token(api_scheduler), strlen(body), body);
    mem_free(body);
    return text;
}

START_TEST(two_hundred_calls_wait_at_no_cost) {
    enum { COUNT = 200 };
    int fds[COUNT];
    struct rusage before, after;
    api_join("w1");
    char *text = lease_request(20000);
    for (int i = 0; i < COUNT; i++) {
        fds[i] = open_socket();
        send_text(fds[i], text);
    }
    clock_sleep_ms(500, NULL);
    getrusage(RUSAGE_SELF, &before);
    clock_sleep_ms(1000, NULL);
    getrusage(RUSAGE_SELF, &after);
    int64_t used_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                      (after.ru_utime.tv_usec - before.ru_utime.tv_usec);
    ck_assert_int_lt(used_us, 200000);
    int64_t since = clock_monotonic_ms();
    ck_assert_int_eq(api_call("GET", "/v1/workers", NULL), 200);
    ck_assert_int_lt(clock_monotonic_ms() - since, 1000);
    api_submit("t"); /* one of them gets the probe, the others wait on */
    int served = 0;
    for (int i = 0; i < COUNT; i++) {
        served += status_from(fds[i], i == 0 ? 1000 : 0) == 200 ? 1 : 0;
    }
    struct pollfd polls[COUNT];
    for (int i = 0; i < COUNT; i++) {
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    served += poll(polls, COUNT, 0);
    ck_assert_int_eq(served, 1);
    scheduler_stop(api_scheduler); /* answers them all */
    for (int i = 0; i < COUNT; i++) {
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    ck_assert_int_eq(poll(polls, COUNT, 1000), COUNT);
    for (int i = 0; i < COUNT; i++) {
        close(fds[i]);
    }
    api_start(false, 30000);
    mem_free(text);
}
END_TEST

START_TEST(who_hangs_up_gets_no_lease) {
    struct task task = {0};
    api_join("w1");
    char *text = lease_request(20000);
    int fd = open_socket();
    send_text(fd, text);
    clock_sleep_ms(200, NULL);
    close(fd);
    clock_sleep_ms(50, NULL);
    api_submit("t");
    ck_assert(api_lease(&task, 2000));
    ck_assert_int_eq(task.attempt, 1);
    mem_free(text);
    task_finish(&task);
}
END_TEST

static const struct {
    const char *request; /* $ stands for the token */
    int status;          /* 0: closed without a word, or 400 */
} unruly[] = {
    {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03 not TLS here\r\n\r\n", 0},
    {"GET\r\n\r\n", 0},
    {"GET /healthz%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"GET /v1/titles/%2e%2e HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\n\r\n", 400},
    {"GET /v1/\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"GET /v1/workers HTTP/1.1\r\nHost: x\r\nX: a\x07"
     "b\r\n\r\n",
     400},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\nContent-Length: 5\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\nContent-Length: 2\r\n"
     "Content-Length: 3\r\n\r\n{}",
     400},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\n"
     "Content-Length: 99999999999\r\n\r\n",
     413},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\n"
     "Content-Length: -1\r\n\r\n",
     400},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\n"
     "Transfer-Encoding: gzip\r\n\r\n",
     501},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\n"
     "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
     400},
    {"GET /v1/workers HTTP/1.1\r\nHost: x\r\nAuthorization: Basic $\r\n\r\n", 401},
};

START_TEST(unruly_requests_are_refused) {
    const char *template = unruly[_i].request;
    const char *mark = strchr(template, '$');
    char *text = mark == NULL ? mem_string(template)
                              : mem_format("%.*s%s%s", (int)(mark - template), template,
                                           scheduler_token(api_scheduler), mark + 1);
    int fd = open_socket();
    send_text(fd, text);
    int status = status_from(fd, 3000);
    /* libmicrohttpd 1.0 knows some of them before we do, as bad requests. */
    bool known_before = status == 400 && (unruly[_i].status == 0 || unruly[_i].status == 501);
    if (!known_before) {
        ck_assert_int_eq(status, unruly[_i].status);
    }
    close(fd);
    mem_free(text);
    ck_assert_int_eq(api_call("GET", "/healthz", NULL), 200);
}
END_TEST

START_TEST(long_heads_and_targets_are_refused) {
    char *much = mem_zero(70001, 1);
    memset(much, 'a', 70000);
    char *header = mem_format("GET /healthz HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", much);
    char *target = mem_format("GET /%.6000s HTTP/1.1\r\nHost: x\r\n\r\n", much);
    int fd = open_socket();
    send(fd, header, strlen(header), MSG_NOSIGNAL);
    ck_assert_int_eq(status_from(fd, 3000), 431);
    close(fd);
    fd = open_socket();
    send_text(fd, target);
    ck_assert_int_eq(status_from(fd, 3000), 414);
    close(fd);
    mem_free(header);
    mem_free(target);
    mem_free(much);
}
END_TEST

START_TEST(garbage_does_no_harm) {
    unsigned state = 12345;
    for (int round = 0; round < 60; round++) {
        char bytes[600];
        int fd = open_socket();
        size_t size = 1 + (size_t)round * 9;
        for (size_t i = 0; i < size; i++) {
            state = state * 1103515245u + 12345u;
            bytes[i] = (char)(state >> 16);
        }
        if (round % 3 == 0) { /* a good beginning */
            memcpy(bytes, "POST /v1/leases HTTP/1.1\r\n", size < 26 ? size : 26);
        }
        send(fd, bytes, size, MSG_NOSIGNAL);
        if (round % 2 == 0) {
            shutdown(fd, SHUT_WR);
        }
        close(fd);
    }
    ck_assert_int_eq(api_call("GET", "/healthz", NULL), 200);
    ck_assert_int_eq(api_submit("t"), 201);
}
END_TEST

START_TEST(a_head_that_drips_is_cut) {
    /* The library's limit is of inactivity: this one never is inactive for long. */
    static const char head[] = "GET /healthz HTTP/1.1\r\nHost: abcdefghijklmnopqrstuvwxyz";
    int fd = open_socket();
    int64_t since = clock_monotonic_ms();
    bool cut = false;
    for (size_t i = 0; i < sizeof(head) - 1 && !cut; i++) {
        char byte;
        cut = send(fd, &head[i], 1, MSG_NOSIGNAL) < 0 || recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
        clock_sleep_ms(300, NULL);
    }
    ck_assert(cut);
    ck_assert_int_gt(clock_monotonic_ms() - since, 9000);
    ck_assert_int_lt(clock_monotonic_ms() - since, 13000);
    close(fd);
}
END_TEST

Suite *api_suite(void) {
    Suite *suite = suite_create("api");
    TCase *life = tcase_create("life");
    tcase_add_checked_fixture(life, api_set_up, api_tear_down);
    tcase_add_test(life, a_title_goes_all_the_way_over_http);
    tcase_add_test(life, units_come_in_pages);
    tcase_add_test(life, events_tell_what_happened_in_order);
    tcase_add_test(life, a_private_scheduler_leaves_the_past_behind);
    tcase_add_test(life, a_shared_scheduler_goes_on);
    tcase_add_test(life, a_scheduler_that_was_away_gives_everybody_time);
    tcase_add_test(life, a_dead_worker_gives_back_at_once);
    tcase_add_test(life, a_silent_worker_is_lost_by_itself);
    tcase_add_test(life, leaving_hands_back);
    tcase_add_test(life, failures_and_cancel_over_http);
    tcase_add_test(life, a_submission_may_be_repeated);
    tcase_add_test(life, a_task_of_a_web_server_says_where_sources_may_lie);
    tcase_add_test(life, titles_are_listed_newest_first);
    tcase_add_test(life, titles_have_an_order_and_labels);
    tcase_add_test(life, a_submission_is_known_by_its_key);
    tcase_add_test(life, a_batch_is_answered_title_by_title);
    tcase_add_test(life, a_batch_is_bounded);
    tcase_add_test(life, a_cancelled_title_is_tried_again_as_it_was);
    tcase_add_loop_test(life, an_order_is_checked, 0, 7);
    suite_add_tcase(suite, life);
    TCase *refused = tcase_create("refused");
    tcase_add_checked_fixture(refused, api_set_up, api_tear_down);
    tcase_add_test(refused, the_token_is_needed);
    tcase_add_loop_test(refused, what_is_wrong_is_said, 0,
                        (int)(sizeof(refusals) / sizeof(refusals[0])));
    tcase_add_loop_test(refused, unruly_requests_are_refused, 0,
                        (int)(sizeof(unruly) / sizeof(unruly[0])));
    tcase_add_test(refused, long_heads_and_targets_are_refused);
    tcase_add_test(refused, garbage_does_no_harm);
    tcase_add_test(refused, a_head_that_drips_is_cut);
    suite_add_tcase(suite, refused);
    TCase *waits = tcase_create("waits");
    tcase_add_checked_fixture(waits, api_set_up, api_tear_down);
    tcase_add_test(waits, waiting_calls_are_woken);
    tcase_add_test(waits, waits_run_out);
    tcase_add_test(waits, two_hundred_calls_wait_at_no_cost);
    tcase_add_test(waits, who_hangs_up_gets_no_lease);
    suite_add_tcase(suite, waits);
    return suite;
}
