/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A webhook's task against a receiver that wants to be asked first: leave is asked before anything
 * is sent, and its pace is kept. The sending itself: test_task_hook.c; a farm: tests/edges/hooks.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/mem.h"
#include "fixture.h"
#include "workers/task.h"

Suite *hook_leave_suite(void);

#define ANSWER(status, headers) "HTTP/1.1 " status " So\r\n" headers "Content-Length: 0\r\n\r\n"

enum { EVENTS = 4 };

static char *folder;
static char *secrets;
static struct err err;
static bool batch; /* whether the receiver takes many in one request */
static atomic_bool cancel;
static _Atomic int64_t ours_until;
static struct hook_event events[EVENTS] = {
    {1, "t", "{}"}, {2, "t", "{}"}, {3, "u", "{}"}, {4, "u", "{}"}};

static void setup(void) {
    static const char text[] = "h: {hmac: 0123456789abcdef}\n";
    folder = fixture_folder();
    secrets = mem_format("%s/secrets.yaml", folder);
    err = (struct err){0};
    batch = false;
    atomic_store(&cancel, false);
    atomic_store(&ours_until, INT64_MAX);
    fixture_write(folder, "secrets.yaml", text, strlen(text));
    ck_assert_int_eq(chmod(secrets, 0600), 0);
}

static void teardown(void) {
    mem_free(secrets);
    fixture_folder_drop(folder);
}

struct outcome {
    int code;
    enum failure_class failure; /* where it failed, as is `err` */
    int64_t taken;              /* events */
    size_t tried;               /* events that are an attempt more by it */
};

/* Does the task as a slot would. `leave` NULL: there is nobody to ask. */
static struct outcome perform(const char *url, const struct hook_leave *leave) {
    struct task_progress progress = {0};
    struct task task = {.kind = TASK_PUSH, .title = "t", .output = "", .version = ""};
    const struct task_tools tools = {.lease_until_ms = &ours_until, .endpoint_secrets = secrets};
    struct task_run run = {
        .task = &task, .tools = &tools, .cancel = &cancel, .progress = &progress};
    task.push.endpoint = (struct push_endpoint){
        .name = "h", .driver = "webhook", .url = url, .serves = "", .connections = 1};
    task.hook = (struct hook_task){.batch = batch,
                                   .timeout_ms = 10000,
                                   .event_count = EVENTS,
                                   .events = events,
                                   .has_leave = leave != NULL};
    if (leave != NULL) {
        task.hook.leave = *leave;
    }
    int code = task_perform(&run, &err);
    struct outcome outcome = {code, run.failure, run.report.push.objects,
                              run.report.hook.result_count};
    task_run_finish(&run);
    return outcome;
}

START_TEST(a_receiver_that_need_not_be_asked_is_not) {
    const struct fixture_answer answer = {ANSWER("204", ""), 0};
    struct fixture_stub stub;
    fixture_stub_start(&stub, &answer, 1);
    struct outcome outcome = perform(stub.url, NULL);
    ck_assert_int_eq(outcome.code, 0);
    ck_assert_int_eq(outcome.taken, EVENTS);
    ck_assert_int_eq(stub.taken, EVENTS);
    for (int i = 0; i < EVENTS; i++) {
        ck_assert_int_eq(strncmp(stub.requests[i], "POST ", 5), 0);
        ck_assert_ptr_null(strstr(stub.requests[i], "WebHook-Request-Origin"));
    }
    fixture_stub_stop(&stub);
}
END_TEST

START_TEST(with_leave_all_goes_in_the_farm_s_name) {
    static const char *const methods[] = {"OPTIONS ", "POST "};
    const struct fixture_answer answers[] = {
        {ANSWER("405", "webhook-allowed-origin: *\r\nWebHook-Allowed-Rate: 60000\r\n"), 0},
        {ANSWER("204", ""), 0}};
    const struct hook_leave leave = {"farm.example.com", true, 0};
    struct fixture_stub stub;
    fixture_stub_start(&stub, answers, 2);
    struct outcome outcome = perform(stub.url, &leave);
    ck_assert_msg(outcome.code == 0, "%s", err.message);
    ck_assert_int_eq(outcome.taken, EVENTS);
    ck_assert_int_eq(stub.taken, 1 + EVENTS);
    for (int i = 0; i < 1 + EVENTS; i++) {
        const char *method = methods[i > 0];
        ck_assert_int_eq(strncmp(stub.requests[i], method, strlen(method)), 0);
        ck_assert_ptr_nonnull(
            strstr(stub.requests[i], "WebHook-Request-Origin: farm.example.com\r\n"));
    }
    fixture_stub_stop(&stub);
}
END_TEST

/* Answers to the question, and whose fault the failure is. */
static const struct {
    const char *answer;
    enum failure_class failure;
    const char *words;
} refusals[] = {
    {ANSWER("200", ""), FAILURE_REFUSED, "answered 200, and its answer has no WebHook-Allowed-O"},
    {ANSWER("405", ""), FAILURE_REFUSED, "let it allow 'farm.example.com' there"},
    {ANSWER("501", ""), FAILURE_REFUSED, "no leave"},
    {ANSWER("401", ""), FAILURE_REFUSED, "answered 401"},
    {ANSWER("200", "WebHook-Allowed-Origin: other.example\r\n"), FAILURE_REFUSED, "lets another"},
    {ANSWER("200", "WebHook-Allowed-Origin: *\r\nWebHook-Allowed-Rate: 0\r\n"), FAILURE_REFUSED,
     "no rate"},
    {ANSWER("302", "Location: /x\r\n"), FAILURE_REFUSED, "answered 302"},
    {ANSWER("503", ""), FAILURE_ENDPOINT, "503"},
    {"", FAILURE_ENDPOINT, "endpoint 'h'"},
};

START_TEST(without_leave_nothing_is_sent) {
    const struct fixture_answer answer = {refusals[_i].answer, 0};
    const struct hook_leave leave = {"farm.example.com", true, 0};
    struct fixture_stub stub;
    fixture_stub_start(&stub, &answer, 1);
    struct outcome outcome = perform(stub.url, &leave);
    ck_assert_int_ne(outcome.code, 0);
    ck_assert_int_eq(outcome.failure, refusals[_i].failure);
    ck_assert_msg(strstr(err.message, refusals[_i].words) != NULL, "%s", err.message);
    for (int i = 0; i < stub.taken; i++) { /* a cut line may be tried on a new one */
        ck_assert_int_eq(strncmp(stub.requests[i], "OPTIONS ", 8), 0);
    }
    fixture_stub_stop(&stub);
}
END_TEST

/* By a rate that was given before, and one that is given now. */
START_TEST(the_pace_is_kept) {
    enum { RATE = 600 };
    const struct fixture_answer answers[] = {
        {ANSWER("200", "WebHook-Allowed-Origin: *\r\nWebHook-Allowed-Rate: 600\r\n"), 0},
        {ANSWER("204", ""), 0}};
    const struct hook_leave leave = {"farm.example.com", _i == 0, _i == 0 ? 0 : RATE};
    struct fixture_stub stub;
    fixture_stub_start(&stub, &answers[_i], 2 - _i);
    int64_t began = clock_monotonic_ms();
    struct outcome outcome = perform(stub.url, &leave);
    ck_assert_int_eq(outcome.code, 0);
    ck_assert_int_ge(clock_monotonic_ms() - began, (EVENTS - 1) * 60000 / RATE);
    ck_assert_int_eq(outcome.taken, EVENTS);
    fixture_stub_stop(&stub);
}
END_TEST

/* Once a minute is once in this lease; the rest is left to a later one. */
START_TEST(what_the_lease_has_no_time_for_is_left) {
    const struct fixture_answer answer = {ANSWER("204", ""), 0};
    const struct hook_leave leave = {"farm.example.com", false, 1};
    struct fixture_stub stub;
    fixture_stub_start(&stub, &answer, 1);
    struct outcome outcome = perform(stub.url, &leave);
    ck_assert_int_eq(outcome.code, 0);
    ck_assert_int_eq(outcome.taken, 1);
    ck_assert_int_eq(stub.taken, 1);
    fixture_stub_stop(&stub);
}
END_TEST

/* One request in a lease is the batch, and what is refused may be any of it: without an attempt
 * that counts the same would be sent for ever. */
START_TEST(a_batch_that_is_refused_at_a_slow_pace_is_an_attempt) {
    const struct fixture_answer answer = {ANSWER("400", ""), 0};
    const struct hook_leave leave = {"farm.example.com", false, 1};
    struct fixture_stub stub;
    batch = true;
    fixture_stub_start(&stub, &answer, 1);
    struct outcome outcome = perform(stub.url, &leave);
    ck_assert_int_eq(outcome.code, 0);
    ck_assert_int_eq(outcome.taken, 0);
    ck_assert_uint_eq(outcome.tried, 1);
    ck_assert_int_eq(stub.taken, 1);
    fixture_stub_stop(&stub);
}
END_TEST

Suite *hook_leave_suite(void) {
    Suite *suite = suite_create("hook_leave");
    TCase *tcase = tcase_create("hook_leave");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, a_receiver_that_need_not_be_asked_is_not);
    tcase_add_test(tcase, with_leave_all_goes_in_the_farm_s_name);
    tcase_add_loop_test(tcase, without_leave_nothing_is_sent, 0,
                        sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_loop_test(tcase, the_pace_is_kept, 0, 2);
    tcase_add_test(tcase, what_the_lease_has_no_time_for_is_left);
    tcase_add_test(tcase, a_batch_that_is_refused_at_a_slow_pace_is_an_attempt);
    suite_add_tcase(suite, tcase);
    return suite;
}
