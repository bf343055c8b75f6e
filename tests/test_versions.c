/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Versions: how long they are kept, what goes with them, and that nothing races their removal. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/versions.h"
#include "scheduler_fixture.h"

Suite *versions_suite(void);

#define A "aaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbb"
#define C "cccccccccccccccc"

enum { KEEP_MS = 100000 };

static const char first[] = FIXTURE_LADDER("400k");
static const char second[] = FIXTURE_LADDER("500k");
static const char third[] = FIXTURE_LADDER("600k");

static struct fixture_farm farm;
static char session[ID_TEXT];
static int removals_due; /* of what a run that was cancelled made in vain */

static void open_farm(void) {
    fixture_farm_open(&farm);
    removals_due = 0;
    farm.farm.keep_versions_ms = KEEP_MS;
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 1, session), 0);
}

static void close_farm(void) {
    fixture_farm_close(&farm);
}

static void run_sweep(struct tx *tx, void *context) {
    (void)context;
    versions_sweep(tx, &farm.farm);
}

static void sweep(void) {
    ck_assert_int_eq(store_call(farm.store, run_sweep, NULL, NULL), 0);
}

static void pass_ms(int64_t ms) {
    farm.now_ms += ms;
    fixture_beat(&farm, session, NULL, 0);
    sweep();
}

/* Does the task; a package makes this version. */
static void make(const struct task *task, const char *version) {
    struct task_report report;
    fixture_report(&report, task, 0);
    if (task->kind == TASK_PACKAGE) {
        snprintf(report.version, sizeof(report.version), "%s", version);
    }
    ck_assert_int_eq(fixture_complete(&farm, task->fence, &report), ANSWER_ACCEPTED);
    task_report_finish(&report);
}

/* Does all that there is to do; how many pieces of pictures and sound that were. */
static int64_t work(const char *version) {
    int64_t count = 0;
    while (fixture_lease(&farm, session, 1) == 0 && farm.task_count > 0) {
        const struct task *task = &farm.tasks[0];
        removals_due -= task->kind == TASK_REMOVE;
        ck_assert_int_ge(removals_due, 0);
        bool media = task->kind == TASK_VIDEO || task->kind == TASK_AUDIO;
        count += media ? (int64_t)task->unit_count : 0;
        make(task, version);
    }
    return count;
}

static int64_t publish(const char *ladder, const char *version) {
    ck_assert_int_eq(fixture_submit(&farm, "t", ladder, false), 0);
    return work(version);
}

static int leased(void) {
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    return farm.task_count;
}

/* The task that drops just this version, and with it one rung. */
static const struct task *lease_drop(const char *version) {
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_REMOVE);
    ck_assert(!task->everything);
    ck_assert_uint_eq(task->version_count, 1);
    ck_assert_str_eq(task->versions[0], version);
    ck_assert_uint_eq(task->folder_count, 1);
    ck_assert_int_eq(strncmp(task->folders[0], "video/h264-180p-", 16), 0);
    return task;
}

static void look(struct tx *tx, struct farm *caches, const char *title, struct writer *w) {
    versions_write(tx, caches, title, w);
}

/* "bbbb aaaa": the current one first. */
static const char *versions(void) {
    static char text[200];
    struct json *tree = fixture_look(&farm, look, "t");
    struct reader r = reader_of(tree, "versions", &farm.err);
    struct reader list = reader_array(&r, "versions");
    text[0] = '\0';
    for (size_t i = 0; i < reader_count(&list); i++) {
        const char *version = "";
        bool current = false;
        struct reader item = reader_item(&list, i);
        reader_string(&item, "version", &version);
        reader_bool(&item, "current", &current);
        ck_assert(current == (i == 0));
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%.4s", i > 0 ? " " : "",
                 version);
    }
    ck_assert(reader_ok(&r));
    json_tree_destroy(tree);
    return text;
}

START_TEST(one_that_was_replaced_is_dropped_after_its_time) {
    publish(first, A);
    pass_ms(10 * KEEP_MS); /* the current one stays for ever */
    ck_assert_int_eq(leased(), 0);
    publish(second, B);
    ck_assert_str_eq(versions(), "bbbb aaaa");
    pass_ms(KEEP_MS - 1);
    ck_assert_int_eq(leased(), 0);
    if (_i == 1) { /* times are in the store */
        fixture_farm_restart(&farm);
        farm.farm.keep_versions_ms = KEEP_MS;
    }
    pass_ms(1);
    make(lease_drop(A), "");
    ck_assert_str_eq(versions(), "bbbb");
    pass_ms(10 * KEEP_MS);
    ck_assert_int_eq(leased(), 0);
}
END_TEST

START_TEST(some_are_kept_by_their_number) {
    farm.farm.keep_versions = 1;
    publish(first, A);
    pass_ms(1);
    publish(second, B);
    pass_ms(10 * KEEP_MS);
    ck_assert_int_eq(leased(), 0);
    publish(third, C);
    ck_assert_str_eq(versions(), "cccc bbbb aaaa");
    pass_ms(1);
    make(lease_drop(A), ""); /* its time had been past already */
    ck_assert_str_eq(versions(), "cccc bbbb");
}
END_TEST

/* What is dropped is made anew, and what others name is not. */
START_TEST(a_run_counts_on_nothing_that_is_dropped) {
    publish(first, A);
    ck_assert_int_eq(publish(first, A), 0);
    int64_t rung = publish(second, B);
    ck_assert_int_eq(publish(first, A), 0); /* back again: all is there still */
    pass_ms(KEEP_MS);
    make(lease_drop(B), "");
    ck_assert_str_eq(versions(), "aaaa");
    ck_assert_int_eq(publish(first, A), 0);
    ck_assert_int_eq(publish(second, B), rung);
}
END_TEST

/* Submitted at each moment of a removal: it waits for that one's end, and makes the rung anew. */
START_TEST(a_run_and_a_removal_are_never_at_once) {
    publish(first, A);
    int64_t rung = publish(second, B);
    pass_ms(KEEP_MS);
    int64_t fence = 0;
    if (_i > 0) {
        fence = lease_drop(A)->fence;
        fixture_beat(&farm, session, &fence, 1);
    }
    ck_assert_int_eq(fixture_submit(&farm, "t", first, false), 0);
    if (_i > 0) {
        ck_assert_int_eq(leased(), 0);
        fixture_beat(&farm, session, &fence, 1);
        ck_assert_int_eq(farm.stop_count, 1);
        ck_assert_int_eq(leased(), 0);
    }
    if (_i == 1) {
        fixture_beat(&farm, session, NULL, 0);
    } else if (_i == 2) { /* too late to count */
        struct task_report report = {.pin = "", .source_size = -1};
        ck_assert_int_eq(fixture_complete(&farm, fence, &report), ANSWER_CONFLICT);
    } else if (_i == 3) {
        fixture_lose(&farm);
        ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
    }
    sweep(); /* of a title that runs nothing is dropped */
    ck_assert_int_eq(work(A), rung);
    ck_assert_str_eq(versions(), "aaaa bbbb");
    sweep();
    ck_assert_int_eq(leased(), 0);
}
END_TEST

/* What a run that was stopped has made stays; the removal goes on when the title is at rest. */
START_TEST(a_removal_that_a_run_stopped_is_taken_up) {
    struct fixture_held video;
    publish(first, A);
    publish(second, B);
    pass_ms(KEEP_MS);
    fixture_beat(&farm, session, NULL, 0);
    lease_drop(A);
    ck_assert_int_eq(fixture_submit(&farm, "t", third, false), 0);
    pass_ms(farm.farm.ttl_ms + 1); /* the task was never heard of */
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    sweep();
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    sweep();
    make(lease_drop(A), "");
    ck_assert_str_eq(versions(), "bbbb");
    ck_assert_int_gt(fixture_count(&farm, "t", "done"), 0);
    removals_due = 1;
    int64_t all = publish(third, C);
    ck_assert_int_gt(all, 0);
    ck_assert_int_eq(removals_due, 0);
    ck_assert_int_eq(publish(third, C), 0);
    ck_assert_int_eq(all + (int64_t)video.count, publish(first, A)); /* a rung each */
    fixture_drop(&video);
}
END_TEST

START_TEST(a_worker_lost_half_way_is_made_up_for) {
    publish(first, A);
    publish(second, B);
    pass_ms(KEEP_MS);
    lease_drop(A);
    fixture_farm_restart(&farm);
    farm.farm.keep_versions_ms = 10 * KEEP_MS; /* what has begun goes on all the same */
    fixture_lose(&farm);
    ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
    make(lease_drop(A), "");
    ck_assert_str_eq(versions(), "bbbb");
}
END_TEST

START_TEST(one_that_can_not_be_removed_is_tried_again_later) {
    publish(first, A);
    publish(second, B);
    pass_ms(KEEP_MS);
    for (int i = 0; i < 4; i++) {
        fixture_fail(&farm, lease_drop(A)->fence, FAILURE_REFUSED, "permission denied");
        pass_ms(60000);
    }
    ck_assert_int_eq(leased(), 0);
    ck_assert_str_eq(versions(), "bbbb aaaa");
    pass_ms(60 * 60 * 1000);
    make(lease_drop(A), "");
    ck_assert_str_eq(versions(), "bbbb");
}
END_TEST

static int submit_to(const char *output, const char *text) {
    char *ladder = fixture_ladder(text);
    struct title_request request = {
        .title = "t", .source = "/media/clip.mp4", .output = output, .ladder = ladder};
    int result = fixture_submit_whole(&farm, &request);
    mem_free(ladder);
    return result;
}

/* A title at two places: none is dropped by itself, and both go with the title. */
START_TEST(another_output_is_left_alone_until_the_title_goes) {
    publish(first, A);
    ck_assert_int_eq(submit_to("/other", first), 0);
    work(A);
    pass_ms(10 * KEEP_MS);
    ck_assert_int_eq(leased(), 0);
    fixture_remove(&farm, "t", false);
    static const char *const outputs[] = {"/out", "/other"};
    for (int i = 0; i < 2; i++) {
        const struct task *task = fixture_lease_one(&farm, session);
        ck_assert(task->kind == TASK_REMOVE && task->everything);
        ck_assert_str_eq(task->output, outputs[i]);
        make(task, "");
    }
    ck_assert_int_eq(leased(), 0);
    ck_assert_int_eq(publish(first, A) > 0, 1);
    ck_assert_str_eq(versions(), "aaaa");
}
END_TEST

/* A version of one name at two places, of which one can't be removed. */
START_TEST(a_removal_is_of_one_output) {
    publish(first, A);
    publish(second, B);
    pass_ms(KEEP_MS);
    for (int i = 0; i < 4; i++) {
        fixture_fail(&farm, lease_drop(A)->fence, FAILURE_REFUSED, "permission denied");
        pass_ms(60000);
    }
    ck_assert_int_eq(submit_to("/other", first), 0);
    work(A);
    ck_assert_int_eq(submit_to("/other", second), 0);
    work(B);
    pass_ms(KEEP_MS);
    const struct task *task = lease_drop(A);
    ck_assert_str_eq(task->output, "/other");
    make(task, "");
    ck_assert_int_eq(leased(), 0);
    fixture_remove(&farm, "t", false);
    task = fixture_lease_one(&farm, session);
    ck_assert(task->everything);
    ck_assert_str_eq(task->output, "/out");
}
END_TEST

Suite *versions_suite(void) {
    Suite *suite = suite_create("versions");
    TCase *tcase = tcase_create("kept and dropped");
    tcase_add_checked_fixture(tcase, open_farm, close_farm);
    tcase_add_loop_test(tcase, one_that_was_replaced_is_dropped_after_its_time, 0, 2);
    tcase_add_test(tcase, some_are_kept_by_their_number);
    tcase_add_test(tcase, a_run_counts_on_nothing_that_is_dropped);
    tcase_add_loop_test(tcase, a_run_and_a_removal_are_never_at_once, 0, 4);
    tcase_add_test(tcase, a_removal_that_a_run_stopped_is_taken_up);
    tcase_add_test(tcase, a_worker_lost_half_way_is_made_up_for);
    tcase_add_test(tcase, one_that_can_not_be_removed_is_tried_again_later);
    tcase_add_test(tcase, another_output_is_left_alone_until_the_title_goes);
    tcase_add_test(tcase, a_removal_is_of_one_output);
    suite_add_tcase(suite, tcase);
    return suite;
}
