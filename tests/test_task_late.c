/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A worker that slept and wakes when its lease has run out, and another has its task: it puts
 * nothing in place of what came since, and takes nothing of it away. What is pure may end, for as
 * long as somebody counts on it. Pushes: suites push and task_hook. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blob.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/mem.h"
#include "fixture.h"
#include "workers/task.h"

Suite *task_late_suite(void);

#define VERSION "0123456789abcdef"

static char *folder;
static atomic_bool cancel;
static _Atomic int64_t ours_until;
static _Atomic int64_t kept_until;
static struct task_run run;
static struct err err;

static void write_file(const char *name, const char *text) {
    char *path = mem_format("t/%s", name);
    fixture_write(folder, path, text, strlen(text));
    mem_free(path);
}

/* A version that is not current, and one that is, of which the stable names tell. */
static void setup(void) {
    static const char *const extensions[] = {"m3u8", "mpd", "json"};
    folder = fixture_folder();
    for (int i = 0; i < 3; i++) {
        char *name = mem_format(VERSION ".%s", extensions[i]);
        write_file(name, "old");
        mem_free(name);
    }
    write_file("master.m3u8", "new");
    write_file("manifest.mpd", "new");
    write_file("title.json", "{\"renditions\":[]}");
    err = (struct err){0};
}

static void teardown(void) {
    task_run_finish(&run);
    fixture_folder_drop(folder);
}

static int perform(struct task *task) {
    const struct task_tools tools = {.lease_until_ms = &ours_until, .keep_until_ms = &kept_until};
    struct task_progress progress = {0};
    snprintf(task->title, sizeof(task->title), "t");
    task->output = folder;
    run =
        (struct task_run){.task = task, .tools = &tools, .cancel = &cancel, .progress = &progress};
    int failed = task_perform(&run, &err);
    run.task = NULL;
    run.tools = NULL;
    run.progress = NULL;
    return failed;
}

/* Whether the file has that text; NULL: whether it is not there. */
static bool has(const char *name, const char *text) {
    struct buf found = {0};
    char *path = mem_format("%s/t/%s", folder, name);
    int failed = fs_read(&found, path, 1000, NULL);
    bool same = failed == 0 ? text != NULL && strcmp(buf_text(&found), text) == 0 : text == NULL;
    mem_free(path);
    buf_finish(&found);
    return same;
}

static void set_time(_Atomic int64_t *until, bool late) {
    atomic_store(until, clock_monotonic_ms() + (late ? -1 : 3600000));
}

static void set_lease(bool late) {
    set_time(&ours_until, late);
}

START_TEST(a_late_swap_brings_no_old_version_back) {
    struct task task = {.kind = TASK_SWAP, .version = VERSION};
    bool late = _i == 1;
    set_lease(late);
    ck_assert_int_eq(perform(&task), late ? ERR_CANCELLED : 0);
    ck_assert(has("master.m3u8", late ? "new" : "old"));
    ck_assert(has("manifest.mpd", late ? "new" : "old"));
    ck_assert(has("title.json", late ? "{\"renditions\":[]}" : "old"));
}
END_TEST

START_TEST(a_late_removal_takes_nothing_new_away) {
    struct task task = {.kind = TASK_REMOVE, .everything = true};
    bool late = _i == 1;
    set_lease(late);
    ck_assert_int_eq(perform(&task), late ? ERR_CANCELLED : 0);
    ck_assert(has("master.m3u8", late ? "new" : NULL));
    ck_assert(has(VERSION ".json", late ? "old" : NULL));
}
END_TEST

/* As of any root: nothing is changed from then on, and reading goes on. */
START_TEST(a_root_is_changed_in_its_time_alone) {
    struct blob_options options = blob_options_default();
    struct blob *blob = NULL;
    struct buf text = {0};
    options.until_ms = &ours_until;
    ck_assert_int_eq(blob_open(&blob, folder, &options, &err), 0);
    set_lease(false);
    ck_assert_int_eq(blob_put(blob, "a/b", "x", 1, BLOB_CREATE, &err), 0);
    set_lease(true);
    ck_assert_int_eq(blob_put(blob, "a/c", "x", 1, BLOB_CREATE, NULL), ERR_CANCELLED);
    ck_assert_int_eq(blob_put(blob, "a/b", "y", 1, BLOB_REPLACE, NULL), ERR_CANCELLED);
    ck_assert_int_eq(blob_remove(blob, "a/b", NULL), ERR_CANCELLED);
    ck_assert_int_eq(blob_abandon(blob, "a/", NULL), ERR_CANCELLED);
    ck_assert_int_eq(blob_get(blob, "a/b", 10, &text, NULL), 0);
    ck_assert_str_eq(buf_text(&text), "x");
    set_lease(false); /* the session goes on, as a heartbeat's answer told */
    ck_assert_int_eq(blob_remove(blob, "a/b", &err), 0);
    buf_finish(&text);
    blob_close(blob);
}
END_TEST

#define TEXT_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nnew"
#define BUSY                                                                                       \
    "HTTP/1.1 503 Slow Down\r\nConnection: close\r\n\r\n<Error><Code>SlowDown</Code></Error>"

/* Three documents of the version, three of the title with the same bytes, and then a store that
 * can't list its uploads: what is published has not failed. What is removed has, and is tried
 * again. */
START_TEST(a_published_title_fails_for_no_leftovers) {
    static const struct fixture_answer answers[] = {
        {TEXT_ANSWER, 0}, {TEXT_ANSWER, 0}, {TEXT_ANSWER, 0}, {TEXT_ANSWER, 0},
        {TEXT_ANSWER, 0}, {TEXT_ANSWER, 0}, {BUSY, 0}};
    static struct fixture_stub stub;
    char *files = folder;
    struct task task = {.kind = TASK_SWAP, .version = VERSION};
    fixture_store_unknown(folder);
    clock_test_begin(clock_monotonic_ns(), clock_wall_ms()); /* pauses of retries take no time */
    fixture_stub_start(&stub, answers, 7);
    setenv("AWS_ENDPOINT_URL", stub.url, 1);
    setenv("AWS_ACCESS_KEY_ID", "KEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
    set_lease(false);
    folder = "s3://bucket/out";
    fixture_log_begin();
    int failed = perform(&task);
    const char *said = fixture_log_end();
    folder = files;
    ck_assert_msg(failed == 0, "%s", err.message);
    ck_assert_msg(strstr(said, "level=warn msg=\"uploads that were broken off stay") != NULL &&
                      strstr(said, "SlowDown") != NULL,
                  "it said '%s'", said);
    ck_assert_int_gt(stub.taken, 7); /* it was asked again */
    ck_assert_ptr_nonnull(strstr(stub.requests[5], "GET /bucket/out/t/title.json HTTP"));
    ck_assert_ptr_nonnull(strstr(stub.requests[6], "GET /bucket/?prefix=out%2Ft%2F&uploads= HTTP"));
    run.task = &task;
    ck_assert_int_eq(task_abandon_puts(&run, &err), ERR_UNAVAILABLE);
    run.task = NULL;
    fixture_stub_stop(&stub);
    clock_test_end();
}
END_TEST

/* Each kind has its own time for what it puts. */
START_TEST(pure_tasks_may_be_finished_for_longer) {
    static const bool pure[TASK_KIND_COUNT] = {
        [TASK_PROBE] = true, [TASK_VIDEO] = true, [TASK_AUDIO] = true, [TASK_IMAGES] = true};
    const struct task_tools tools = {.lease_until_ms = &ours_until, .keep_until_ms = &kept_until};
    struct task task = {.kind = (enum task_kind)_i, .output = folder};
    ck_assert_int_eq(task_is_pure(task.kind), pure[_i]);
    run = (struct task_run){.task = &task, .tools = &tools, .cancel = &cancel};
    ck_assert_int_eq(task_open_output(&run, &err), 0);
    set_time(&ours_until, pure[_i]);
    set_time(&kept_until, !pure[_i]);
    ck_assert_int_eq(blob_put(run.output, "t/a", "x", 1, BLOB_CREATE, &err), 0);
    set_time(&ours_until, !pure[_i]);
    set_time(&kept_until, pure[_i]);
    ck_assert_int_eq(blob_put(run.output, "t/b", "x", 1, BLOB_CREATE, NULL), ERR_CANCELLED);
}
END_TEST

Suite *task_late_suite(void) {
    Suite *suite = suite_create("task_late");
    TCase *tests = tcase_create("task_late");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, a_late_swap_brings_no_old_version_back, 0, 2);
    tcase_add_loop_test(tests, a_late_removal_takes_nothing_new_away, 0, 2);
    tcase_add_test(tests, a_root_is_changed_in_its_time_alone);
    tcase_add_test(tests, a_published_title_fails_for_no_leftovers);
    tcase_add_loop_test(tests, pure_tasks_may_be_finished_for_longer, 0, TASK_KIND_COUNT);
    suite_add_tcase(suite, tests);
    return suite;
}
