/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The true scheduler on loopback: a title's way through the API's calls, and what is refused. */
#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api_fixture.h"
#include "common/clock.h"
#include "common/http.h"
#include "common/json.h"
#include "common/mem.h"
#include "scheduler/auth.h"
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
    ck_assert(api_lease_task(&probe, 0));
    ck_assert_int_eq(probe.kind, TASK_PROBE);
    ck_assert_int_eq(probe.spec.max_width, 16384);

    fixture_probe_report(&early, 2400, "pin-1", "");
    ck_assert_int_eq(api_report(&probe, "source", &early), 204);
    task_report_finish(&early);
    ck_assert_str_eq(api_title_state("t"), "running");
    ck_assert_int_eq(api_call("GET", "/v1/titles/t/identity", NULL), 204);
    ck_assert(api_lease_task(&video, 0));
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
    ck_assert(api_lease_task(&task, 0));
    api_complete(&task);
    task_finish(&task);
    ck_assert(api_lease_task(&task, 0)); /* runs when the parent is killed */
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
    ck_assert(api_lease_task(&task, 0));
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
    ck_assert(api_lease_task(&task, 0));
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
    ck_assert(api_lease_task(&first, 0));
    ck_assert_int_eq(scheduler_worker_died(api_scheduler, "nobody", NULL), 0);
    ck_assert_int_eq(api_beat(&first), 200);
    ck_assert_int_eq(scheduler_worker_died(api_scheduler, "w1", NULL), 0);
    ck_assert_int_eq(api_beat(&first), 404);
    api_join("w1");
    ck_assert(api_lease_task(&again, 0));
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
    ck_assert(api_lease_task(&first, 0));
    char silent[64];
    memcpy(silent, api_session, sizeof(silent));
    clock_sleep_ms(250, NULL);
    api_join("w2");
    ck_assert(api_lease_task(&again, 5000)); /* waits until the other is given up */
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
    ck_assert(api_lease_task(&first, 0));
    char *path = mem_format("/v1/sessions/%s", api_session);
    ck_assert_int_eq(api_call("DELETE", path, NULL), 204);
    ck_assert_int_eq(api_call("DELETE", path, NULL), 404);
    api_join("w2");
    ck_assert(api_lease_task(&again, 0));
    mem_free(path);
    task_finish(&first);
    task_finish(&again);
}
END_TEST

START_TEST(failures_and_cancel_over_http) {
    struct task task = {0};
    api_join("w1");
    api_submit("t");
    ck_assert(api_lease_task(&task, 0));
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

/* The status that comes though no byte of the body was sent. */
static int answer_before_body(const char *path, const char *token, size_t size) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    char text[1024];
    int status = 0;
    const char *port = strrchr(scheduler_url(api_scheduler), ':') + 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)strtol(port, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    int length = snprintf(text, sizeof(text),
                          "POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                          "Content-Length: %zu\r\n\r\n",
                          path, token, size);
    ck_assert_int_eq(send(fd, text, (size_t)length, MSG_NOSIGNAL), length);
    ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
    text[got < 0 ? 0 : got] = '\0';
    close(fd);
    return sscanf(text, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* Before it is parsed, and before it is kept where the call is not the caller's to make. */
START_TEST(a_body_is_measured_by_its_call) {
    enum { LONG = 70 << 10, LONGER = 2 << 20 };
    static const struct {
        const char *path;
        size_t size;
        bool viewers; /* token */
        int status;
    } cases[] = {
        {"/v1/tokens", LONG, false, 413},         {"/v1/leases", LONG, false, 413},
        {"/v1/titles", LONG, false, 400},         {"/v1/titles", LONGER, false, 413},
        {"/v1/titles/batch", LONGER, false, 400}, {"/v1/titles/batch", LONGER, true, 403},
        {"/v1/backups/x", LONGER, true, 405},     {"/v1/nothing", LONGER, true, 404},
    };
    char token[TOKEN_TEXT];
    char *body = mem_zero(LONGER + 1, 1);
    ck_assert_int_eq(api_call("POST", "/v1/tokens", "{\"role\":\"viewer\"}"), 201);
    api_text_of("token", token, sizeof(token));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memset(body, ' ', LONGER);
        body[cases[i].size] = '\0';
        const char *by = cases[i].viewers ? token : scheduler_token(api_scheduler);
        int status = cases[i].status == 413
                         ? answer_before_body(cases[i].path, by, cases[i].size)
                         : api_call_by(api_client, &api_answer, "POST", cases[i].path, by, body);
        ck_assert_msg(status == cases[i].status, "%s of %zu: %d %s", cases[i].path, cases[i].size,
                      status, buf_text(&api_answer.body));
    }
    mem_free(body);
}
END_TEST

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
    suite_add_tcase(suite, life);
    TCase *refused = tcase_create("refused");
    tcase_add_checked_fixture(refused, api_set_up, api_tear_down);
    tcase_add_test(refused, the_token_is_needed);
    tcase_add_test(refused, a_body_is_measured_by_its_call);
    tcase_add_loop_test(refused, what_is_wrong_is_said, 0,
                        (int)(sizeof(refusals) / sizeof(refusals[0])));
    suite_add_tcase(suite, refused);
    return suite;
}
