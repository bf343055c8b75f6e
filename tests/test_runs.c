/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs: tasks of several chunks that follow each other, from lease to report. */
#include <check.h>
#include <string.h>

#include "scheduler/forming.h"
#include "scheduler/view.h"
#include "scheduler_fixture.h"

Suite *runs_suite(void);

#define LADDER(codec)                                                                              \
    codec "\ncrf: 35\nrungs:\n  - {height: 720}\n  - {height: 360}\n"                              \
          "audio:\n  - {codec: aac, channels: 2, bitrate: 96k}\n"

static const char av1[] = LADDER("codec: av1\nencoder: svt\npreset: 8");
static const char h264[] = LADDER("codec: h264\nmaxrate: 2M");

/* 2,400 frames are 25 segments in chunks of 1, 1, 2, 2, ... */
enum { RUNGS = 2, CHUNKS = 14, FIRST_RUN_SEGMENTS = 1 + 1 + 2 + 2, SEGMENT_FRAMES = 96 };

static struct fixture_farm farm;
static char session[ID_TEXT];

static void open_farm(void) {
    fixture_farm_open(&farm);
    farm.has_av1 = true;
    farm.run_chunks = 32;
    farm.farm.run_chunks = 4;
}

static void close_farm(void) {
    fixture_farm_close(&farm);
}

/* ---- how long a run is --------------------------------------------------------- */

enum { GROUPS = 6 };

/* Six chunks of two rungs, each of 10 seconds. */
static void make_groups(struct unit_row *units, struct form_group *groups) {
    for (int i = 0; i < GROUPS * RUNGS; i++) {
        units[i] = (struct unit_row){
            .kind = TASK_VIDEO, .chunk = i / RUNGS, .rendition = i % RUNGS, .cost_s = 5};
    }
    ck_assert_uint_eq(forming_groups(units, (size_t)GROUPS * RUNGS, groups), GROUPS);
}

static const struct {
    double budget_s;
    size_t chunks;
    size_t length;
} lengths[] = {
    {1e12, 4, 4},                           /* plenty: as many as may be */
    {1e12, 32, 6},                          /* as there are */
    {1e12, 1, 1},                           /* never */
    {80, 32, 4},                            /* half of the budget */
    {79, 32, 3},   {20, 32, 1}, {1, 32, 1}, /* one at least */
};

START_TEST(a_run_is_half_of_what_is_left_at_most) {
    struct unit_row units[GROUPS * RUNGS];
    struct form_group groups[GROUPS * RUNGS];
    make_groups(units, groups);
    ck_assert_uint_eq(forming_run(units, groups, GROUPS, lengths[_i].budget_s, lengths[_i].chunks),
                      lengths[_i].length);
}
END_TEST

START_TEST(a_run_is_five_minutes_at_most) {
    struct unit_row units[GROUPS * RUNGS];
    struct form_group groups[GROUPS * RUNGS];
    make_groups(units, groups);
    for (int i = 0; i < GROUPS; i++) {
        groups[i].cost_s = 100;
    }
    ck_assert_uint_eq(forming_run(units, groups, GROUPS, 1e12, 32), 3);
}
END_TEST

/* Of what is changed in the fourth chunk a run ends before it. */
START_TEST(a_run_is_of_whole_chunks_that_follow_each_other) {
    struct unit_row units[GROUPS * RUNGS];
    struct form_group groups[GROUPS * RUNGS];
    size_t rungs = 0;
    make_groups(units, groups);
    struct unit_row *changed = &units[3 * RUNGS];
    switch (_i) {
    case 0:
        changed->attempts = 1; /* by itself, so that blame and loss stay small */
        break;
    case 1:
        changed[1].may_replace = true;
        break;
    case 2:
        changed[0].rendition = 7;
        break;
    case 3:
        changed[0].chunk = changed[1].chunk = 9;
        break;
    default:
        groups[3].count = 1;
    }
    ck_assert_uint_eq(forming_run(units, groups, GROUPS, 1e12, 32), 3);
    ck_assert_uint_eq(forming_run(units, &groups[3], 1, 1e12, 32), 1);
    ck_assert(forming_is_run(units, (size_t)3 * RUNGS, &rungs));
    ck_assert_uint_eq(rungs, RUNGS);
    ck_assert(_i != 3 || !forming_is_run(units, (size_t)4 * RUNGS, &rungs));
}
END_TEST

/* ---- from lease to report -------------------------------------------------------- */

START_TEST(a_run_is_one_task_of_many_units) {
    static const int64_t segments[] = {1, 1, 2, 2};
    fixture_run_title(&farm, "t", av1, 1, session);
    fixture_make(&farm, fixture_lease_one(&farm, session)); /* the sound */
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_uint_eq(task->unit_count, 4 * RUNGS);
    ck_assert_int_eq(task->spec.rung_count, RUNGS);
    ck_assert_int_eq(task->spec.chunk.first, 0);
    ck_assert_int_eq(task->spec.chunk.end, FIRST_RUN_SEGMENTS * SEGMENT_FRAMES);
    ck_assert_int_eq(task->spec.chunk.tail, 7);
    ck_assert_uint_eq(task->spec.chunk.segment_count, FIRST_RUN_SEGMENTS);
    for (size_t i = 0; i < task->unit_count; i++) {
        ck_assert_int_eq(fixture_unit(&farm, task->units[i].id).chunk, (int)(i / RUNGS));
        ck_assert_int_eq(task->units[i].segment_count, segments[i / RUNGS]);
    }
    int64_t memory = task->memory_bytes;
    fixture_make(&farm, task);
    farm.farm.run_chunks = 1;
    task = fixture_lease_one(&farm, session);
    ck_assert_uint_eq(task->unit_count, RUNGS);
    ck_assert_int_eq(task->units[0].segment_count, 0);
    ck_assert_int_eq(task->memory_bytes, memory); /* a run has the encoders of one chunk */
    ck_assert_int_eq(fixture_count(&farm, "t", "done"), 1 + 1 + 4 * RUNGS);
}
END_TEST

START_TEST(runs_get_shorter_and_all_is_done) {
    char error[200];
    size_t before = 100;
    fixture_run_title(&farm, "t", av1, 1, session);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    const struct task *task = fixture_lease_one(&farm, session);
    int tasks = 0;
    for (; task->kind == TASK_VIDEO; task = fixture_lease_one(&farm, session)) {
        ck_assert_uint_le(task->unit_count, before);
        before = task->unit_count;
        fixture_make(&farm, task);
        tasks++;
    }
    ck_assert_uint_eq(before, RUNGS); /* the last one is a chunk by itself */
    ck_assert_int_le(tasks, CHUNKS / 2);
    fixture_make(&farm, task);
    fixture_work(&farm, session);
    ck_assert_str_eq(fixture_state(&farm, "t", error, sizeof(error)), "done");
}
END_TEST

/* Workers before runs do not say how many chunks they take, and x264's rate control goes on from
 * chunk to chunk. */
START_TEST(some_tasks_are_never_runs) {
    farm.run_chunks = _i == 0 ? 1 : 32;
    fixture_run_title(&farm, "t", _i == 0 ? av1 : h264, 1, session);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_uint_eq(task->unit_count, RUNGS);
    ck_assert_int_eq(task->units[0].segment_count, 0);
}
END_TEST

START_TEST(a_lost_run_is_made_chunk_by_chunk) {
    struct fixture_held held;
    fixture_run_title(&farm, "t", av1, 1, session);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    fixture_take(&farm, &held, session);
    ck_assert_uint_eq(held.count, 4 * RUNGS);
    fixture_lose(&farm);
    ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_uint_eq(task->unit_count, RUNGS);
    ck_assert_int_eq(fixture_unit(&farm, task->units[0].id).chunk, 0);
    fixture_make(&farm, task);
    /* what the lost one has made after all is taken, of all chunks */
    ck_assert_int_ne(fixture_complete(&farm, held.fence, &held.report), ANSWER_DROPPED);
    fixture_drop(&held);
}
END_TEST

START_TEST(a_run_counts_what_it_repaired_once) {
    struct fixture_held held;
    int64_t repaired = 0;
    fixture_run_title(&farm, "t", av1, 1, session);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    fixture_take(&farm, &held, session);
    held.report.stats.frames_repaired = 5;
    ck_assert_int_eq(fixture_complete(&farm, held.fence, &held.report), ANSWER_ACCEPTED);
    struct json *tree = fixture_look(&farm, view_title, "t");
    struct reader reader = reader_of(tree, "title", &farm.err);
    reader_int(&reader, "frames_repaired", 0, INT64_MAX, &repaired);
    ck_assert_msg(reader_ok(&reader), "%s", farm.err.message);
    ck_assert_int_eq(repaired, 5);
    json_tree_destroy(tree);
    fixture_drop(&held);
}
END_TEST

START_TEST(a_run_that_hangs_is_given_to_another_as_a_run) {
    struct fixture_held held;
    char other[ID_TEXT];
    farm.farm.hedge_after = 3;
    farm.farm.hedge_least_ms = 1000;
    fixture_run_title(&farm, "t", av1, 1, session);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    fixture_take(&farm, &held, session);
    ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, other), 0);
    farm.run_chunks = 1; /* all else chunk by chunk, and all of it done */
    for (const struct task *task = NULL; fixture_count(&farm, "t", "ready") > 0;) {
        task = fixture_lease_one(&farm, other);
        fixture_make(&farm, task);
    }
    farm.now_ms += 3600 * 1000;
    fixture_beat(&farm, session, &held.fence, 1);
    fixture_beat(&farm, other, NULL, 0);
    const struct task *task = fixture_lease_one(&farm, other);
    ck_assert_uint_eq(task->unit_count, 4 * RUNGS);
    ck_assert_uint_eq(task->spec.chunk.segment_count, FIRST_RUN_SEGMENTS);
    fixture_make(&farm, task);
    fixture_drop(&held);
}
END_TEST

Suite *runs_suite(void) {
    Suite *suite = suite_create("runs");
    TCase *tests = tcase_create("forming");
    tcase_add_loop_test(tests, a_run_is_half_of_what_is_left_at_most, 0,
                        (int)(sizeof(lengths) / sizeof(lengths[0])));
    tcase_add_test(tests, a_run_is_five_minutes_at_most);
    tcase_add_loop_test(tests, a_run_is_of_whole_chunks_that_follow_each_other, 0, 5);
    suite_add_tcase(suite, tests);
    tests = tcase_create("leasing");
    tcase_add_checked_fixture(tests, open_farm, close_farm);
    tcase_add_test(tests, a_run_is_one_task_of_many_units);
    tcase_add_test(tests, runs_get_shorter_and_all_is_done);
    tcase_add_loop_test(tests, some_tasks_are_never_runs, 0, 2);
    tcase_add_test(tests, a_lost_run_is_made_chunk_by_chunk);
    tcase_add_test(tests, a_run_counts_what_it_repaired_once);
    tcase_add_test(tests, a_run_that_hangs_is_given_to_another_as_a_run);
    suite_add_tcase(suite, tests);
    return suite;
}
