/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a title waits: each kind of sentence, of a farm where it is true; the rest are not said. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "scheduler/tenants.h"
#include "scheduler/why.h"
#include "scheduler_fixture.h"

Suite *why_suite(void);

static struct fixture_farm farm;
static char session[ID_TEXT];
static struct buf said;

static void open_farm(void) {
    fixture_farm_open(&farm);
}

static void close_farm(void) {
    fixture_farm_close(&farm);
    buf_finish(&said);
}

static void read_sentences(const struct json *tree) {
    struct err err = {0};
    struct reader reader = reader_of(tree, "why", &err);
    struct reader list = reader_array(&reader, "sentences");
    buf_clear(&said);
    for (size_t i = 0; i < reader_count(&list); i++) {
        const char *about = "", *text = "";
        struct reader item = reader_item(&list, i);
        reader_string(&item, "about", &about);
        reader_string(&item, "text", &text);
        buf_format(&said, "%s: %s\n", about, text);
    }
    ck_assert_msg(err.code == ERR_NONE, "%s", err.message);
}

/* The answer, each sentence as "about: text" in a line. Borrowed until the next call. */
static const char *why(const char *title) {
    struct json *tree = fixture_look(&farm, why_title, title);
    read_sentences(tree);
    json_tree_destroy(tree);
    return buf_text(&said);
}

static void ck_says(const char *title, const char *sentence) {
    const char *text = why(title);
    ck_assert_msg(strstr(text, sentence) != NULL, "'%s' is not in:\n%s", sentence, text);
}

static void submit(const char *title, int priority, const char *tenant) {
    struct title_request request = {
        .title = title, .names_priority = true, .priority = priority, .tenant = tenant};
    ck_assert_int_eq(fixture_submit_as(&farm, &request, "h264"), 0);
}

/* ---- workers ----------------------------------------------------------------- */

START_TEST(nobody_is_there) {
    fixture_submit(&farm, "t", "h264", false);
    ck_assert_str_eq(why("t"), "state: t is at its first step, the reading of its source, but "
                               "something holds it up: 0 of 1 piece of "
                               "work done, 0 running, 1 to come.\n"
                               "workers: There is no worker; start one by `reelfarm worker`.\n");
}
END_TEST

START_TEST(its_source_is_read) {
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 1, session);
    fixture_lease_one(&farm, session);
    farm.now_ms += 75000;
    ck_assert_str_eq(why("t"), "state: t is at its first step, the reading of its source, and all "
                               "is well: 0 of 1 piece of work "
                               "done, 1 running, 0 to come.\n"
                               "running: Its source is being read by w1 for 1 min, 0 % done.\n");
}
END_TEST

START_TEST(what_runs_where) {
    fixture_run_title(&farm, "t", "h264", 2, session);
    struct fixture_held held;
    fixture_take_kind(&farm, &held, session, TASK_VIDEO);
    farm.now_ms += 5000;
    fixture_beat(&farm, session, &held.fence, 1);
    fixture_drop(&held);
    ck_says("t", "state: t is being made, and all is well: 2 of ");
    ck_says("t", "running: video of chunk 1 for h264-720p");
    ck_assert_ptr_null(strstr(why("t"), "queue: ")); /* its own tasks take the slots */
    ck_says("t", " runs on w1 for 5 s, 50 % done; it is expected to take ");
    ck_says("t", " GiB of memory there. w1 was the first to ask of 1 worker that could do it, of 1 "
                 "in all.\n");
}
END_TEST

START_TEST(a_straggler_is_doubled) {
    struct fixture_held held;
    char other[ID_TEXT];
    farm.farm.hedge_after = 3;
    farm.farm.hedge_least_ms = 1000;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &held, session, TASK_VIDEO);
    fixture_join(&farm, "w2", "host2", 2, other);
    fixture_work(&farm, other);
    ck_assert_ptr_null(strstr(why("t"), "second to run it"));
    farm.now_ms = farm.retry_at;
    fixture_lease_one(&farm, other);
    ck_says("t", "It is the second to run it, since w1 takes much longer than expected: the first "
                 "result counts, and the other is stopped.\n");
    ck_assert_int_eq(fixture_complete(&farm, held.fence, &held.report), ANSWER_ACCEPTED);
    ck_assert_ptr_null(strstr(why("t"), "second to run it"));
    fixture_drop(&held);
}
END_TEST

START_TEST(their_sandbox_is_too_weak) {
    farm.farm.sandbox_required = SANDBOX_NO_LANDLOCK;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join_walled(&farm, "w1", SANDBOX_NONE, session);
    ck_says("t", "but something holds it up");
    ck_says("t", "sandbox: 1 worker, such as w1, could do some of its work but for its sandbox, "
                 "which is weaker than the scheduler's option sandbox_required ('no-landlock') ");
    ck_assert_ptr_null(strstr(why("t"), "drained: "));
    ck_assert_ptr_null(strstr(why("t"), "encoder: "));
    fixture_join_walled(&farm, "w2", SANDBOX_NO_LANDLOCK, session);
    ck_says("t", "and all is well");
    fixture_drain(&farm, "w2", true);
    ck_says("t", "drained: All workers that could do 1 piece of work are drained (1); `reelfarm "
                 "drain w2 --undo`");
}
END_TEST

START_TEST(nobody_has_the_encoder) {
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_leave(&farm, session);
    fixture_join_with(&farm, "w2", "x264 other layout=1", session);
    ck_says("t", "but something holds it up");
    ck_says("t", "encoder: 56 pieces of work can be made by the encoder '" FIXTURE_BUILD
                 "' alone, which the plan has pinned and no worker has; ");
    ck_assert_ptr_null(strstr(why("t"), FIXTURE_SOUND)); /* which w2 has */
    fixture_join_with(&farm, "w3", FIXTURE_BUILD, session);
    ck_assert_ptr_null(strstr(why("t"), "encoder: "));
}
END_TEST

START_TEST(those_who_could_are_drained) {
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 1, session);
    fixture_drain(&farm, "w1", true);
    ck_says("t", "drained: All workers that could do 1 piece of work are drained (1); `reelfarm "
                 "drain w1 --undo` lets one take work again.\n");
    fixture_join(&farm, "w2", "host2", 1, session);
    ck_assert_ptr_null(strstr(why("t"), "drained: "));
}
END_TEST

/* ---- failures ---------------------------------------------------------------- */

START_TEST(a_pause_after_a_failure) {
    struct fixture_held held;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &held, session, TASK_VIDEO);
    ck_assert_int_gt(held.count, 1); /* which is one failure all the same */
    fixture_fail(&farm, held.fence, FAILURE_IO, "the output hung up");
    fixture_drop(&held);
    ck_says("t", " pieces of work that failed are tried again within 1 s; nobody needs to do ");
    ck_says("t", "failures: w1 failed 1 task, the last one 0 s ago (io): the output hung up.\n");
    farm.now_ms += 2000;
    ck_assert_ptr_null(strstr(why("t"), "pause: "));
    ck_says("t", "and all is well");
    fixture_take(&farm, &held, session);
    fixture_fail(&farm, held.fence, FAILURE_IO, "It hung up again.");
    fixture_drop(&held);
    ck_says("t", "failures: w1 failed 2 tasks, the last one 0 s ago (io): It hung up again.\n");
}
END_TEST

START_TEST(a_worker_that_was_lost) {
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_lease_one(&farm, session);
    fixture_lose(&farm);
    ck_says("t", "failures: w1 was lost with, or gave back, 1 task, to be done again.\n");
}
END_TEST

START_TEST(it_failed) {
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 1, session);
    const struct task *task = fixture_lease_one(&farm, session);
    fixture_fail(&farm, task->fence, FAILURE_BAD_SOURCE, "it is no film");
    fixture_work(&farm, session); /* what was made is removed */
    ck_assert_str_eq(why("t"),
                     "state: t failed.\n"
                     "error: It failed (bad_source): it is no film.\n"
                     "remedy: Put a sound source in its place; then `reelfarm retry t`, or a new "
                     "submission, runs it again.\n"
                     "failures: w1 failed 1 task, the last one 0 s ago, for that reason.\n");
    fixture_submit(&farm, "t", "h264", false);
    ck_assert_ptr_null(strstr(why("t"), "failures: ")); /* this run has none */
}
END_TEST

START_TEST(it_was_cancelled_or_is_done) {
    farm.images = true; /* else they were missing */
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_cancel(&farm, "t");
    ck_says("t", "state: t stopped: it was cancelled; `reelfarm retry t` goes on");
    fixture_submit(&farm, "t", "h264", false);
    fixture_work(&farm, session);
    ck_says("t", "state: t is done, as version ");
    ck_assert_str_eq(strchr(why("t"), '\n'), "\n"); /* one sentence */
}
END_TEST

/* ---- the queue --------------------------------------------------------------- */

START_TEST(who_comes_first) {
    fixture_join(&farm, "w1", "host1", 1, session);
    submit("first", 0, "x");
    fixture_lease_one(&farm, session);
    submit("urgent", 1, "x");
    submit("other", 0, "y");
    submit("second", 0, "x");
    ck_says("second", "queue: 1 piece of its work is ready, and all slots that could take it are "
                      "busy; 1 title of higher priority, 1 title of tenants with a smaller share, "
                      "1 title of its tenant with an earlier deadline or submission come first; ");
    ck_says("urgent", "queue: 1 piece of its work is ready, and all slots that could take it are "
                      "busy; no title comes before it.\n");
    fixture_join(&farm, "w2", "host2", 1, session);
    ck_assert_ptr_null(strstr(why("second"), "queue: "));
}
END_TEST

START_TEST(its_tenant_is_at_its_cap) {
    ck_assert_int_eq(tenant_rules_parse(&farm.farm.tenants, "x=1:1", &farm.err), 0);
    fixture_join(&farm, "w1", "host1", 4, session);
    submit("first", 0, "x");
    submit("second", 0, "x");
    fixture_lease_one(&farm, session);
    ck_says("second", "cap: Its tenant 'x' takes 1 slot, as many as it may (1); the scheduler's "
                      "option `tenants` says so.\n");
    ck_assert_ptr_null(strstr(why("first"), "cap: "));
}
END_TEST

START_TEST(its_tenant_has_no_room_for_a_task_of_several_slots) {
    struct title_request request = {.title = "large", .tenant = "x"};
    fixture_join(&farm, "w1", "host1", 4, session);
    ck_assert_int_eq(fixture_submit_threads(&farm, &request, 4), 0);
    for (int i = 0; i < 2; i++) { /* the probe, sound */
        fixture_make(&farm, fixture_lease_one(&farm, session));
    }
    submit("small", 1, "x");
    fixture_lease_one(&farm, session);
    ck_assert_ptr_null(strstr(why("large"), "cap: "));
    ck_assert_int_eq(tenant_rules_parse(&farm.farm.tenants, "x=1:4", &farm.err), 0);
    ck_says("large", "cap: Its tenant 'x' takes 1 slot, of those that it may (4), and a task of "
                     "this title takes 4; the scheduler's option `tenants` says so.\n");
}
END_TEST

/* ---- of made-up facts -------------------------------------------------------- */

/* What a title that runs is like, where one line of units is ready. */
static struct why facts(void) {
    return (struct why){.title = "t",
                        .state = TITLE_RUNNING,
                        .version = "",
                        .class = "",
                        .error = "",
                        .tenant = "",
                        .units = {[UNIT_READY] = 3, [UNIT_DONE] = 1},
                        .line_count = 1,
                        .workers = {.count = 1, .slots = 2, .free_slots = 2},
                        .lines = {{.line = "x264",
                                   .units = 3,
                                   .memory_bytes = INT64_C(3) << 30,
                                   .able = {.count = 1,
                                            .drained_worker = "",
                                            .slots = 2,
                                            .free_slots = 2,
                                            .memory_bytes = INT64_C(4) << 30}}}};
}

static const char *say(const struct why *why) {
    struct buf text = {0};
    struct writer writer = writer_of(&text);
    struct json *tree = NULL;
    struct err err = {0};
    why_write(why, &writer);
    ck_assert_int_eq(json_tree_parse(&tree, buf_text(&text), text.size, &err), 0);
    read_sentences(tree);
    json_tree_destroy(tree);
    buf_finish(&text);
    return buf_text(&said);
}

START_TEST(its_work_is_larger_than_any_worker) {
    struct why why = facts();
    ck_assert_str_eq(say(&why), "state: t is being made, and all is well: 1 of 4 pieces of work "
                                "done, 0 running, 3 to come.\n");
    why.lines[0].able.memory_bytes = INT64_C(1) << 30;
    ck_assert_ptr_nonnull(strstr(say(&why), "memory: Some of its work takes up to 3.0 GiB of "
                                            "memory, and the largest worker that could do it has "
                                            "1.0 GiB: "));
}
END_TEST

START_TEST(its_source_is_to_be_read_again) {
    struct why why = facts();
    why.unnamed = 2;
    ck_assert_ptr_nonnull(strstr(say(&why), "identity: 2 pieces of work wait for its source to be "
                                            "read to the end, which nobody does now.\n"));
}
END_TEST

START_TEST(more_runs_than_is_shown) {
    struct why why = facts();
    why.task_count = WHY_TASKS_SHOWN + 1;
    for (int i = 0; i < WHY_TASKS_SHOWN; i++) {
        why.tasks[i] = (struct why_task){.hedges = "",
                                         .kind = TASK_PACKAGE,
                                         .worker = "w",
                                         .for_ms = 7500000,
                                         .chunk = -1,
                                         .renditions = ""};
    }
    say(&why);
    ck_assert_ptr_nonnull(
        strstr(buf_text(&said), "running: package runs on w for 2 h 5 min, 0 % done.\n"));
    ck_assert_ptr_nonnull(strstr(buf_text(&said), "running: 1 more task is running.\n"));
}
END_TEST

/* Of what a model knows, it is said what it is expected to take; of the rest nobody knows. */
START_TEST(what_is_learned_of_is_foretold) {
    static const bool foretold[TASK_KIND_COUNT] = {
        [TASK_VIDEO] = true, [TASK_AUDIO] = true, [TASK_IMAGES] = true};
    struct why why = facts();
    why.task_count = 1;
    why.tasks[0] = (struct why_task){.hedges = "",
                                     .kind = (enum task_kind)_i,
                                     .worker = "w",
                                     .chunk = -1,
                                     .renditions = "",
                                     .expected_s = 90};
    bool tells = strstr(say(&why), "; it is expected to take ") != NULL;
    ck_assert_int_eq(tells, foretold[_i]);
}
END_TEST

Suite *why_suite(void) {
    Suite *suite = suite_create("why");
    TCase *tests = tcase_create("farm");
    tcase_add_checked_fixture(tests, open_farm, close_farm);
    tcase_add_test(tests, nobody_is_there);
    tcase_add_test(tests, its_source_is_read);
    tcase_add_test(tests, what_runs_where);
    tcase_add_test(tests, a_straggler_is_doubled);
    tcase_add_test(tests, their_sandbox_is_too_weak);
    tcase_add_test(tests, nobody_has_the_encoder);
    tcase_add_test(tests, those_who_could_are_drained);
    tcase_add_test(tests, a_pause_after_a_failure);
    tcase_add_test(tests, a_worker_that_was_lost);
    tcase_add_test(tests, it_failed);
    tcase_add_test(tests, it_was_cancelled_or_is_done);
    tcase_add_test(tests, who_comes_first);
    tcase_add_test(tests, its_tenant_is_at_its_cap);
    tcase_add_test(tests, its_tenant_has_no_room_for_a_task_of_several_slots);
    suite_add_tcase(suite, tests);
    TCase *pure = tcase_create("pure");
    tcase_add_test(pure, its_work_is_larger_than_any_worker);
    tcase_add_test(pure, its_source_is_to_be_read_again);
    tcase_add_test(pure, more_runs_than_is_shown);
    tcase_add_loop_test(pure, what_is_learned_of_is_foretold, 0, TASK_KIND_COUNT);
    suite_add_tcase(suite, pure);
    return suite;
}
