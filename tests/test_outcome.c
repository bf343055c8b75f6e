/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of units: failures by class, titles that fail or are cancelled, reuse. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/api/view.h"
#include "scheduler_fixture.h"

Suite *outcome_suite(void);

/* The ladder h264 at 1280x720 gives 720, 540, 360 and 240 and one sound track; 2,400
 * frames give 25 segments in chunks of 1, 1, 2, 2, ... */
enum { RUNGS = 4, CHUNKS = 14, FRAMES = 2400 };

static struct fixture_farm farm;
static char session[ID_TEXT];
static char error[1200];

static void open_farm(void) {
    fixture_farm_open(&farm);
}

static void close_farm(void) {
    fixture_farm_close(&farm);
}

static const char *state(void) {
    return fixture_state(&farm, "t", error, sizeof(error));
}

/* ---- failures ---------------------------------------------------------------- */

static const struct {
    enum failure_class class;
    int attempts; /* until the title fails */
    const char *recorded;
} classes[] = {
    {FAILURE_BAD_SOURCE, 1, "bad_source"},
    {FAILURE_UNSUPPORTED, 1, "unsupported"},
    {FAILURE_FRAME_COUNT, 1, "frame_count"},
    {FAILURE_REFUSED, 1, "refused"},
    {FAILURE_IO, 4, "io"},
    {FAILURE_KILLED, 4, "killed"},
    {FAILURE_TIMEOUT, 4, "timeout"},
    {FAILURE_OOM, 4, "oom"},
    {FAILURE_CRASH, 3, "poison"},
    {FAILURE_LIES, 3, "poison"},
    {FAILURE_NONDETERMINISTIC, 2, "nondeterministic"},
    {FAILURE_MISSING, 4, "missing"},
    {FAILURE_ENDPOINT, 4, "endpoint"},
};

START_TEST(each_class_has_its_budget) {
    struct fixture_held sound;
    char want[64];
    fixture_run_title(&farm, "t", "h264", 1, session);
    for (int i = 1; i <= classes[_i].attempts; i++) {
        ck_assert_str_eq(state(), "running");
        farm.now_ms += 60000; /* pauses are over */
        fixture_beat(&farm, session, NULL, 0);
        fixture_take_kind(&farm, &sound, session, TASK_AUDIO);
        ck_assert_int_eq(sound.attempt, i);
        ck_assert_int_eq(fixture_fail(&farm, sound.fence, classes[_i].class, "it broke"),
                         ANSWER_ACCEPTED);
        fixture_drop(&sound);
    }
    ck_assert_str_eq(state(), "failing");
    snprintf(want, sizeof(want), "%s: audio-und-aac-2", classes[_i].recorded);
    ck_assert_msg(strncmp(error, want, strlen(want)) == 0, "%s", error);
    ck_assert_ptr_nonnull(strstr(error, "it broke"));
}
END_TEST

START_TEST(pauses_grow_and_are_kept) {
    static const int64_t pauses[] = {1000, 2000, 4000};
    struct fixture_held sound;
    fixture_run_title(&farm, "t", "h264", 1, session);
    for (int i = 0; i < 3; i++) {
        fixture_take_kind(&farm, &sound, session, TASK_AUDIO);
        fixture_fail(&farm, sound.fence, FAILURE_IO, "it broke");
        ck_assert_int_eq(fixture_unit(&farm, sound.units[0]).ready_at, farm.now_ms + pauses[i]);
        farm.now_ms += pauses[i] - 1;
        ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
        ck_assert_int_eq(farm.tasks[0].kind, TASK_VIDEO); /* others go first meanwhile */
        fixture_make(&farm, &farm.tasks[0]);
        farm.now_ms += 1;
        fixture_drop(&sound);
    }
}
END_TEST

START_TEST(a_worker_with_nothing_to_do_knows_when_to_ask) {
    struct fixture_held probe;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 1, session);
    fixture_take(&farm, &probe, session);
    fixture_fail(&farm, probe.fence, FAILURE_IO, "it broke");
    fixture_lease(&farm, session, 1);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_int_eq(farm.retry_at, farm.now_ms + 1000);
    fixture_drop(&probe);
}
END_TEST

START_TEST(another_worker_is_tried_where_there_is_one) {
    struct fixture_held sound, again;
    char other[ID_TEXT];
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_join(&farm, "w2", "host2", 1, other);
    fixture_take_kind(&farm, &sound, session, TASK_AUDIO);
    fixture_fail(&farm, sound.fence, FAILURE_IO, "it broke");
    farm.now_ms += 1000;
    fixture_lease(&farm, session, 1);
    ck_assert_int_eq(farm.tasks[0].kind, TASK_VIDEO); /* not the one it failed */
    fixture_take(&farm, &again, other);
    ck_assert_int_eq(again.units[0], sound.units[0]);
    fixture_fail(&farm, again.fence, FAILURE_IO, "it broke");
    fixture_leave(&farm, session);
    farm.now_ms += 2000;
    fixture_drop(&again);
    fixture_take(&farm, &again, other); /* there is nobody else any more */
    ck_assert_int_eq(again.units[0], sound.units[0]);
    fixture_drop(&sound);
    fixture_drop(&again);
}
END_TEST

START_TEST(a_retry_after_memory_or_crash_is_alone_and_larger) {
    struct fixture_held whole, part;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &whole, session, TASK_VIDEO);
    ck_assert_int_eq(whole.count, RUNGS);
    fixture_fail(&farm, whole.fence, FAILURE_OOM, "too little memory");
    farm.now_ms += 1000;
    fixture_take(&farm, &part, session);
    ck_assert_int_eq(part.count, 1);
    ck_assert_int_eq(part.units[0], whole.units[0]);
    ck_assert_int_eq(part.attempt, 2);
    struct unit_row unit = fixture_unit(&farm, part.units[0]);
    ck_assert_int_eq(unit.doublings, 1);
    ck_assert_int_eq(part.memory_bytes % 2, 0);
    fixture_drop(&whole);
    int64_t memory = part.memory_bytes;
    fixture_fail(&farm, part.fence, FAILURE_OOM, "too little memory");
    fixture_drop(&part);
    farm.now_ms += 2000;
    fixture_beat(&farm, session, NULL, 0);
    do {
        fixture_take(&farm, &part, session);
        fixture_drop(&part);
    } while (part.units[0] != unit.id);
    ck_assert_int_eq(part.memory_bytes, 2 * memory);
}
END_TEST

START_TEST(a_failure_without_blame_keeps_the_task_together) {
    struct fixture_held whole, again;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &whole, session, TASK_VIDEO);
    fixture_fail(&farm, whole.fence, FAILURE_IO, "the source did not answer");
    farm.now_ms += 1000;
    fixture_take(&farm, &again, session);
    ck_assert_int_eq(again.count, RUNGS);
    ck_assert_int_eq(again.units[0], whole.units[0]);
    fixture_drop(&whole);
    fixture_drop(&again);
}
END_TEST

START_TEST(only_the_blamed_rung_fails) {
    struct fixture_held whole;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &whole, session, TASK_VIDEO);
    fixture_fail_units(&farm, whole.fence, FAILURE_NONDETERMINISTIC, &whole.units[1], 1);
    ck_assert(!fixture_unit(&farm, whole.units[0]).may_replace);
    ck_assert(fixture_unit(&farm, whole.units[1]).may_replace);
    ck_assert(fixture_unit(&farm, whole.units[1]).alone);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(fixture_unit(&farm, whole.units[i]).state, UNIT_READY);
    }
    struct fixture_held next;
    fixture_take(&farm, &next,
                 session); /* without the one in the middle, two tasks: 720 alone ... */
    ck_assert(!next.may_replace);
    fixture_drop(&next);
    fixture_take(&farm, &next, session); /* ... then the blamed one */
    ck_assert_int_eq(next.count, 1);
    ck_assert_int_eq(next.units[0], whole.units[1]);
    ck_assert(next.may_replace);
    fixture_drop(&next);
    fixture_drop(&whole);
}
END_TEST

START_TEST(package_sends_lost_objects_back_once) {
    struct fixture_held video, package;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_complete(&farm, video.fence, &video.report);
    fixture_take_kind(&farm, &package, session, TASK_PACKAGE);
    ck_assert_int_eq(fixture_fail_units(&farm, package.fence, FAILURE_MISSING, video.units, 2),
                     ANSWER_ACCEPTED);
    ck_assert_str_eq(state(), "running");
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_READY);
    ck_assert_int_eq(fixture_unit(&farm, video.units[2]).state, UNIT_DONE);
    ck_assert_int_eq(fixture_unit(&farm, package.units[0]).state, UNIT_BLOCKED);
    fixture_drop(&package);
    fixture_take_kind(&farm, &package, session, TASK_PACKAGE); /* made again on the way */
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_DONE);
    fixture_fail_units(&farm, package.fence, FAILURE_MISSING, video.units, 2);
    ck_assert_str_eq(state(), "failing");
    ck_assert_int_eq(strncmp(error, "missing: it did not work", 24), 0);
    fixture_drop(&package);
    fixture_drop(&video);
}
END_TEST

/* It names what it likes: of its own title alone anything is made again. */
START_TEST(package_sends_nothing_of_another_title_back) {
    struct fixture_held video, package;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_complete(&farm, video.fence, &video.report);
    ck_assert_int_eq(fixture_submit(&farm, "u", "h264", false), 0);
    fixture_take_kind(&farm, &package, session, TASK_PACKAGE); /* of t */
    fixture_make(&farm, &farm.tasks[0]);
    fixture_drop(&package);
    fixture_take_kind(&farm, &package, session, TASK_PACKAGE);
    ck_assert_str_eq(farm.tasks[0].title, "u");
    fixture_fail_units(&farm, package.fence, FAILURE_MISSING, video.units, 2);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_DONE);
    ck_assert_str_eq(state(), "done");
    fixture_drop(&package);
    fixture_drop(&video);
}
END_TEST

START_TEST(too_many_repaired_frames_fail_the_title) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    video.report.stats.frames_repaired = 120; /* 5 % */
    fixture_complete(&farm, video.fence, &video.report);
    ck_assert_str_eq(state(), "running"); /* four rungs of one chunk count once */
    fixture_drop(&video);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    video.report.stats.frames_repaired = 1;
    fixture_complete(&farm, video.fence, &video.report);
    ck_assert_str_eq(state(), "failing");
    ck_assert_ptr_nonnull(strstr(error, "bad_source: /media/clip.mp4 is too damaged: 121 of its "
                                        "2400 frames"));
    fixture_drop(&video);
}
END_TEST

START_TEST(too_many_missing_frames_fail_at_the_plan) {
    struct fixture_held probe;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 1, session);
    fixture_take(&farm, &probe, session);
    probe.report.source.missing = 121;
    fixture_complete(&farm, probe.fence, &probe.report);
    ck_assert_str_eq(state(), "failed");
    ck_assert_ptr_nonnull(strstr(error, "bad_source"));
    fixture_drop(&probe);
}
END_TEST

/* ---- ends -------------------------------------------------------------------- */

START_TEST(a_failing_title_stops_its_tasks_then_removes) {
    struct fixture_held first, second;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &first, session, TASK_VIDEO);
    fixture_take(&farm, &second, session);
    int64_t both[] = {first.fence, second.fence};
    fixture_beat(&farm, session, both, 2);
    ck_assert_int_eq(farm.stop_count, 0);
    fixture_fail(&farm, first.fence, FAILURE_BAD_SOURCE, "it is damaged");
    ck_assert_str_eq(state(), "failing");
    ck_assert_str_eq(error, "bad_source: chunk 1 of h264-720p: it is damaged");
    fixture_lease(&farm, session, 1);
    ck_assert_int_eq(farm.task_count, 0); /* the second may still be writing */
    fixture_beat(&farm, session, &both[1], 1);
    ck_assert_int_eq(farm.stop_count, 1);
    ck_assert_int_eq(farm.stop[0], second.fence);
    fixture_beat(&farm, session, NULL, 0); /* it has stopped */
    const struct task *remove = fixture_lease_one(&farm, session);
    ck_assert_int_eq(remove->kind, TASK_REMOVE);
    ck_assert_str_eq(remove->output, "/out");
    fixture_make(&farm, remove);
    ck_assert_str_eq(state(), "failed");
    ck_assert_int_eq(fixture_complete(&farm, second.fence, &second.report), ANSWER_DROPPED);
    fixture_drop(&first);
    fixture_drop(&second);
}
END_TEST

START_TEST(a_stopped_task_that_ends_by_itself_lets_the_removal_go) {
    struct fixture_held first, second;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &first, session, TASK_VIDEO);
    fixture_take(&farm, &second, session);
    fixture_fail(&farm, first.fence, FAILURE_BAD_SOURCE, "it is damaged");
    fixture_beat(&farm, session, NULL, 0); /* the second may be on its way to the worker */
    fixture_lease(&farm, session, 1);
    ck_assert_int_eq(farm.task_count, 0);
    if (_i == 0) {
        ck_assert_int_eq(fixture_complete(&farm, second.fence, &second.report), ANSWER_DROPPED);
    } else if (_i == 1) {
        ck_assert_int_eq(fixture_fail(&farm, second.fence, FAILURE_KILLED, "stopped"),
                         ANSWER_DROPPED);
    } else { /* it never got there */
        farm.now_ms += farm.farm.ttl_ms + 1;
        fixture_beat(&farm, session, NULL, 0);
    }
    ck_assert_int_eq(fixture_lease_one(&farm, session)->kind, TASK_REMOVE);
    fixture_drop(&first);
    fixture_drop(&second);
}
END_TEST

START_TEST(a_removal_that_fails_holds_nothing_up) {
    struct fixture_held video, remove;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_fail(&farm, video.fence, FAILURE_BAD_SOURCE, "it is damaged");
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(state(), "failing");
        farm.now_ms += 60000;
        fixture_beat(&farm, session, NULL, 0);
        fixture_take(&farm, &remove, session);
        ck_assert_int_eq(remove.kind, TASK_REMOVE);
        fixture_fail(&farm, remove.fence, FAILURE_REFUSED, "permission denied");
        fixture_drop(&remove);
    }
    ck_assert_str_eq(state(), "failed");
    ck_assert_str_eq(error, "bad_source: chunk 1 of h264-720p: it is damaged");
    fixture_drop(&video);
}
END_TEST

START_TEST(cancel_stops_and_keeps) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_complete(&farm, video.fence, &video.report);
    fixture_drop(&video);
    fixture_take(&farm, &video, session);
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    ck_assert_str_eq(state(), "cancelled");
    fixture_beat(&farm, session, &video.fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
    fixture_lease(&farm, session, 5);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_int_eq(fixture_cancel(&farm, "t"), ERR_CONFLICT);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_DROPPED);
    fixture_drop(&video);

    fixture_submit(&farm, "t", "h264", false); /* goes on from what is made */
    fixture_make(&farm, fixture_lease_one(&farm, session));
    ck_assert_int_eq(fixture_count(&farm, "t", "done"), 1 + 1 + RUNGS); /* probe, sound, chunk 0 */
    fixture_beat(&farm, session, &video.fence, 1);                      /* of the run before */
    ck_assert_int_eq(farm.stop_count, 1);
}
END_TEST

/* ---- reuse ------------------------------------------------------------------- */

/* Submits again and does all; how many tasks that took. */
static int again(const char *ladder, bool force) {
    ck_assert_int_eq(fixture_submit(&farm, "t", ladder, force), 0);
    int count = fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
    return count;
}

START_TEST(a_finished_title_is_done_again_at_once) {
    fixture_run_title(&farm, "t", "h264", 1, session);
    int all = 1 + fixture_work(&farm, session);
    ck_assert_int_eq(again("h264", false), 3); /* probe, package, swap */
    fixture_farm_restart(&farm);
    ck_assert_int_eq(again("h264", false), 3);
    ck_assert_int_eq(again("h264", true), all);
}
END_TEST

START_TEST(another_source_is_made_anew) {
    struct fixture_held probe;
    fixture_run_title(&farm, "t", "h264", 1, session);
    int all = fixture_work(&farm, session);
    fixture_submit(&farm, "t", "h264", false);
    fixture_take(&farm, &probe, session);
    snprintf(probe.report.identity, sizeof(probe.report.identity), "sha256:two");
    fixture_complete(&farm, probe.fence, &probe.report);
    ck_assert_int_eq(fixture_work(&farm, session), all);
    fixture_drop(&probe);
}
END_TEST

/* A ladder's text without the line that holds `gone`. */
static char *without(const char *name, const char *gone) {
    char *text = mem_string(ladder_builtin_text(name));
    char *at = strstr(text, gone);
    ck_assert_ptr_nonnull(at);
    while (at[-1] != '\n') {
        at--;
    }
    char *end = strchr(at, '\n') + 1;
    memmove(at, end, strlen(end) + 1);
    return text;
}

START_TEST(a_rung_more_or_less_touches_no_other) {
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_work(&farm, session);
    char *fewer = without("h264", "height: 360");
    ck_assert_int_eq(again(fewer, false), 3);
    ck_assert_int_eq(again("h264", false), 3); /* what it made before is still there */
    mem_free(fewer);
    char *less = without("h264", "height: 720");
    ck_assert_int_eq(fixture_submit(&farm, "u", less, false), 0);
    ck_assert_int_gt(fixture_work(&farm, session), CHUNKS); /* another title has its own places */
    ck_assert_int_eq(fixture_submit(&farm, "u", "h264", false), 0);
    int tasks = fixture_work(&farm, session);
    ck_assert_int_eq(tasks, 3 + CHUNKS); /* the one rung that was not there */
    mem_free(less);
}
END_TEST

START_TEST(a_failed_title_leaves_nothing_to_reuse) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO); /* the sound is done */
    fixture_fail(&farm, video.fence, FAILURE_REFUSED, "no space");
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "failed");
    fixture_submit(&farm, "t", "h264", false);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    ck_assert_int_eq(fixture_count(&farm, "t", "done"), 1); /* the probe alone */
    fixture_drop(&video);
}
END_TEST

START_TEST(a_failed_run_keeps_what_a_version_names) {
    struct fixture_held package;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_work(&farm, session);
    fixture_submit(&farm, "t", "h264", false);
    fixture_take_kind(&farm, &package, session, TASK_PACKAGE);
    fixture_fail(&farm, package.fence, FAILURE_REFUSED, "no space");
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "failed");
    ck_assert_int_eq(again("h264", false), 3);
    fixture_drop(&package);
}
END_TEST

static TCase *group(Suite *suite, const char *name) {
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, open_farm, close_farm);
    suite_add_tcase(suite, tests);
    return tests;
}

Suite *outcome_suite(void) {
    Suite *suite = suite_create("outcome");
    TCase *failures = group(suite, "failures");
    tcase_add_loop_test(failures, each_class_has_its_budget, 0,
                        (int)(sizeof(classes) / sizeof(classes[0])));
    tcase_add_test(failures, pauses_grow_and_are_kept);
    tcase_add_test(failures, a_worker_with_nothing_to_do_knows_when_to_ask);
    tcase_add_test(failures, another_worker_is_tried_where_there_is_one);
    tcase_add_test(failures, a_retry_after_memory_or_crash_is_alone_and_larger);
    tcase_add_test(failures, a_failure_without_blame_keeps_the_task_together);
    tcase_add_test(failures, only_the_blamed_rung_fails);
    tcase_add_test(failures, package_sends_lost_objects_back_once);
    tcase_add_test(failures, package_sends_nothing_of_another_title_back);
    tcase_add_test(failures, too_many_repaired_frames_fail_the_title);
    tcase_add_test(failures, too_many_missing_frames_fail_at_the_plan);
    TCase *ends = group(suite, "ends");
    tcase_add_test(ends, a_failing_title_stops_its_tasks_then_removes);
    tcase_add_loop_test(ends, a_stopped_task_that_ends_by_itself_lets_the_removal_go, 0, 3);
    tcase_add_test(ends, a_removal_that_fails_holds_nothing_up);
    tcase_add_test(ends, cancel_stops_and_keeps);
    TCase *reuse = group(suite, "reuse");
    tcase_add_test(reuse, a_finished_title_is_done_again_at_once);
    tcase_add_test(reuse, another_source_is_made_anew);
    tcase_add_test(reuse, a_rung_more_or_less_touches_no_other);
    tcase_add_test(reuse, a_failed_title_leaves_nothing_to_reuse);
    tcase_add_test(reuse, a_failed_run_keeps_what_a_version_names);
    return suite;
}
