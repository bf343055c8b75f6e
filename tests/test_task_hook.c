/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A webhook's task on a worker, against a receiver that answers as it is told: what is sent, in how
 * many requests, and that a worker whose lease has run out sends nothing more. Real receivers:
 * tests/edges/hooks. */
#include <check.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "common/clock.h"
#include "common/mem.h"
#include "fixture.h"
#include "workers/task.h"

Suite *task_hook_suite(void);

#define ANSWER(status) "HTTP/1.1 " status " So\r\nContent-Length: 0\r\n\r\n"
#define EVENT(title)   "{\"subject\":\"" title "\"}"

enum { EVENTS = 4, WAIT_MS = 20000 };

/* Two of each of two titles. */
static struct hook_event events[EVENTS] = {
    {.event = 1, .title = "t", .body = EVENT("t")},
    {.event = 2, .title = "u", .body = EVENT("u")},
    {.event = 3, .title = "t", .body = EVENT("t")},
    {.event = 4, .title = "u", .body = EVENT("u")},
};

static char *folder, *secrets;
static struct fixture_stub stub;
static atomic_bool cancel;
static _Atomic int64_t ours_until; /* the end of the lease */
static struct task_run run;
static struct err err;

static void setup(void) {
    static const char text[] = "h: {hmac: 0123456789abcdef}\n";
    folder = fixture_folder();
    secrets = mem_format("%s/secrets.yaml", folder);
    fixture_write(folder, "secrets.yaml", text, sizeof(text) - 1);
    ck_assert_int_eq(chmod(secrets, 0600), 0);
    atomic_store(&ours_until, INT64_MAX);
    err = (struct err){0};
}

static void teardown(void) {
    task_run_finish(&run);
    fixture_stub_stop(&stub);
    mem_free(secrets);
    fixture_folder_drop(folder);
}

/* Does the task; `answers` are the receiver's, in order. */
static void tell(const struct fixture_answer *answers, int count, bool batch) {
    fixture_stub_start(&stub, answers, count);
    struct task task = {
        .kind = TASK_PUSH,
        .title = "t",
        .push.endpoint = {.name = "h", .driver = "webhook", .url = stub.url, .serves = ""},
        .hook = {.batch = batch, .timeout_ms = WAIT_MS, .event_count = EVENTS, .events = events}};
    const struct task_tools tools = {.endpoint_secrets = secrets, .lease_until_ms = &ours_until};
    struct task_progress progress = {0};
    run =
        (struct task_run){.task = &task, .tools = &tools, .cancel = &cancel, .progress = &progress};
    ck_assert_msg(task_perform(&run, &err) == 0, "%s", err.message);
    run.task = NULL;
    run.tools = NULL;
    run.progress = NULL;
}

/* "1 2" for events 1 and 2 that were taken, "3!" for one that was not. */
static void expect(const char *told, int requests) {
    struct buf text = {0};
    for (size_t i = 0; i < run.report.hook.result_count; i++) {
        const struct hook_result *result = &run.report.hook.results[i];
        buf_format(&text, "%s%d%s", i == 0 ? "" : " ", (int)result->event,
                   result->verdict == HOOK_TAKEN ? "" : "!");
    }
    ck_assert_str_eq(buf_text(&text), told);
    ck_assert_int_eq(stub.taken, requests);
    buf_finish(&text);
}

START_TEST(each_event_is_told_in_order) {
    static const struct fixture_answer taken = {ANSWER("204"), 0};
    tell(&taken, 1, false);
    expect("1 2 3 4", EVENTS);
    for (int i = 0; i < EVENTS; i++) {
        ck_assert_ptr_nonnull(strstr(stub.requests[i], events[i].body));
    }
}
END_TEST

START_TEST(a_batch_is_one_request) {
    static const struct fixture_answer taken = {ANSWER("204"), 0};
    tell(&taken, 1, true);
    expect("1 2 3 4", 1);
    ck_assert_ptr_nonnull(
        strstr(stub.requests[0], "[" EVENT("t") "," EVENT("u") "," EVENT("t") "," EVENT("u") "]"));
}
END_TEST

/* One of a batch is not what was wanted, and by themselves it is known which. */
START_TEST(a_batch_that_is_refused_is_told_one_by_one) {
    static const struct fixture_answer answers[] = {
        {ANSWER("422"), 0}, {ANSWER("422"), 0}, {ANSWER("204"), 0}};
    tell(answers, 3, true);
    expect("1! 2 4", 4); /* 3 comes after 1, which is tried again */
}
END_TEST

static const struct {
    const char *status;
    const char *told;
    int requests;
} ends[] = {
    {ANSWER("500"), "1!", 1}, /* away: the rest waits */
    {ANSWER("429"), "1!", 1},
    {ANSWER("410"), "1!", 1},
    {ANSWER("422"), "1! 2!", 2}, /* refused: others go on */
};

START_TEST(what_is_not_taken_ends_it_or_its_title) {
    const struct fixture_answer answer = {ends[_i].status, 0};
    tell(&answer, 1, false);
    expect(ends[_i].told, ends[_i].requests);
}
END_TEST

/* It was stopped before it began, and another has its events by now. */
START_TEST(a_worker_that_wakes_late_tells_nothing) {
    static const struct fixture_answer taken = {ANSWER("204"), 0};
    atomic_store(&ours_until, clock_monotonic_ms() - 1);
    tell(&taken, 1, _i == 1);
    expect("", 0);
}
END_TEST

/* Lets the lease run out while the first request is answered, and then the answer end. */
static void *end_lease(void *context) {
    (void)context;
    while (stub.taken == 0) {
        clock_sleep_ms(1, NULL);
    }
    atomic_store(&ours_until, 1);
    stub.stopping = true;
    return NULL;
}

START_TEST(a_worker_that_is_late_meanwhile_tells_no_more) {
    static const struct fixture_answer endless = {"HTTP/1.1 200 So\r\n\r\nwell", WAIT_MS};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, end_lease, NULL), 0);
    tell(&endless, 1, false);
    pthread_join(thread, NULL);
    expect("1", 1); /* which it knows was taken */
}
END_TEST

Suite *task_hook_suite(void) {
    Suite *suite = suite_create("task_hook");
    TCase *tests = tcase_create("task_hook");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, each_event_is_told_in_order);
    tcase_add_test(tests, a_batch_is_one_request);
    tcase_add_test(tests, a_batch_that_is_refused_is_told_one_by_one);
    tcase_add_loop_test(tests, what_is_not_taken_ends_it_or_its_title, 0,
                        sizeof(ends) / sizeof(ends[0]));
    tcase_add_loop_test(tests, a_worker_that_wakes_late_tells_nothing, 0, 2);
    tcase_add_test(tests, a_worker_that_is_late_meanwhile_tells_no_more);
    suite_add_tcase(suite, tests);
    return suite;
}
