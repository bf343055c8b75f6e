/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leases: a title's way, fences, late results, losses, forming of tasks. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/api/view.h"
#include "scheduler/forming.h"
#include "scheduler/session.h"
#include "scheduler_fixture.h"

Suite *lease_suite(void);

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

/* ---- a title's life ---------------------------------------------------------- */

START_TEST(a_title_goes_from_submission_to_done) {
    fixture_run_title(&farm, "t", "h264", 2, session);
    ck_assert_int_eq(fixture_count(&farm, "t", "ready"), 1 + RUNGS * CHUNKS);
    ck_assert_int_eq(fixture_count(&farm, "t", "blocked"), 2); /* package and swap */
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_AUDIO); /* sound first */
    ck_assert_str_eq(task->source.pin, "pin-1");
    ck_assert_str_eq(task->source.identity, "sha256:one");
    ck_assert_int_eq(strncmp(task->units[0].folder, "audio/", 6), 0);
    fixture_make(&farm, task);
    for (int chunk = 0; chunk < CHUNKS - 4; chunk++) { /* in title order, all rungs at once */
        task = fixture_lease_one(&farm, session);
        ck_assert_int_eq(task->kind, TASK_VIDEO);
        ck_assert_int_eq(task->unit_count, RUNGS);
        ck_assert_int_eq(task->spec.rung_count, RUNGS);
        ck_assert_int_eq(fixture_unit(&farm, task->units[0].id).chunk, chunk);
        fixture_make(&farm, task);
    }
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
    struct json *tree = fixture_look(&farm, view_title, "t");
    struct reader reader = reader_of(tree, "title", &farm.err);
    int64_t encoded = 0, total = 0;
    const char *version = "";
    reader_int(&reader, "encoded_frames", 0, INT64_MAX, &encoded);
    reader_int(&reader, "encoded_total", 0, INT64_MAX, &total);
    reader_string(&reader, "version", &version);
    ck_assert_msg(reader_ok(&reader), "%s", farm.err.message);
    ck_assert_int_eq(encoded, RUNGS * FRAMES);
    ck_assert_int_eq(total, RUNGS * FRAMES);
    ck_assert_str_eq(version, "0123456789abcdef");
    json_tree_destroy(tree);
}
END_TEST

START_TEST(the_plan_stands_before_the_identity_is_known) {
    struct fixture_held probe, video;
    struct task_report report;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 2, session);
    fixture_take(&farm, &probe, session);
    fixture_probe_report(&report, FRAMES, "pin-1", "");
    ck_assert_int_eq(fixture_early_source(&farm, "t", &report), 0);
    ck_assert_str_eq(state(), "running");

    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_AUDIO);
    ck_assert_str_eq(task->units[0].folder, "");
    ck_assert_str_eq(task->source.identity, "");
    video.fence = task->fence;
    fixture_report(&video.report, task, 0);
    fixture_complete(&farm, video.fence, &video.report); /* it has put nothing: where to? */
    ck_assert_int_eq(farm.err.code, ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(farm.err.message, "before the source's identity was known"));

    ck_assert_int_eq(fixture_complete(&farm, probe.fence, &probe.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(strncmp(task->units[0].folder, "video/h264-720p-", 16), 0);
    fixture_make(&farm, task);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
    task_report_finish(&report);
    fixture_drop(&probe);
    fixture_drop(&video);
}
END_TEST

/* Results are held back until the source's identity is known: while nobody reads it, what
 * would wait for it must not take the slots. */
START_TEST(a_probe_that_stops_early_comes_before_its_title) {
    struct fixture_held probe;
    struct task_report report;
    char other[ID_TEXT];
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 1, session);
    fixture_take(&farm, &probe, session);
    fixture_probe_report(&report, FRAMES, "pin-1", "");
    ck_assert_int_eq(fixture_early_source(&farm, "t", &report), 0);
    fixture_join(&farm, "w2", "host2", 9, other);
    fixture_lease(&farm, other, 1);
    ck_assert_int_eq(farm.task_count, 1);

    fixture_fail(&farm, probe.fence, FAILURE_IO, "it broke");
    fixture_drop(&probe);
    fixture_lease(&farm, other, 8);
    ck_assert_int_eq(farm.task_count, 0); /* the probe pauses */
    farm.now_ms += 1000;
    fixture_take(&farm, &probe, other);
    ck_assert_int_eq(fixture_complete(&farm, probe.fence, &probe.report), ANSWER_ACCEPTED);
    fixture_drop(&probe);
    ck_assert_int_eq(fixture_lease_one(&farm, other)->kind, TASK_VIDEO);
    task_report_finish(&report);
}
END_TEST

START_TEST(a_source_that_changes_fails_the_title) {
    struct fixture_held probe;
    struct task_report report;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 2, session);
    fixture_take(&farm, &probe, session);
    fixture_probe_report(&report, FRAMES, "pin-0", "");
    fixture_early_source(&farm, "t", &report);
    ck_assert_int_eq(fixture_complete(&farm, probe.fence, &probe.report), ANSWER_ACCEPTED);
    ck_assert_str_eq(state(), "failed"); /* at once: nothing had a folder */
    ck_assert_ptr_nonnull(strstr(error, "bad_source: /media/clip.mp4 changed while it was read"));
    task_report_finish(&report);
    fixture_drop(&probe);
}
END_TEST

START_TEST(a_source_is_remembered) {
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_submit(&farm, "u", "fast", false);
    struct fixture_held probe;
    fixture_take_kind(&farm, &probe, session, TASK_PROBE);
    ck_assert_str_eq(farm.tasks[0].title, "u");
    ck_assert_str_eq(farm.tasks[0].source.pin, "pin-1");
    ck_assert_str_eq(farm.tasks[0].source.identity, "sha256:one");
    ck_assert_int_eq(farm.tasks[0].source.size, 1000 * FRAMES);
    fixture_drop(&probe);
}
END_TEST

START_TEST(a_title_that_runs_is_not_taken_again) {
    fixture_run_title(&farm, "t", "h264", 2, session);
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), 0); /* which runs already */
    ck_assert_int_eq(fixture_submit(&farm, "t", "fast", false), ERR_CONFLICT);
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", true), ERR_CONFLICT);
    ck_assert_str_eq(farm.err.message, "title t is running; wait for its end or cancel it first");
}
END_TEST

START_TEST(without_an_encoder_a_title_says_so) {
    struct fixture_held probe;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 2, session);
    fixture_take(&farm, &probe, session);
    fixture_leave(&farm, session); /* the only one with encoders */
    ck_assert_int_eq(fixture_complete(&farm, probe.fence, &probe.report), ANSWER_ACCEPTED);
    ck_assert_str_eq(state(), "failed");
    ck_assert_int_eq(strncmp(error, "unsupported: ", 13), 0);
    fixture_drop(&probe);
}
END_TEST

START_TEST(only_workers_with_the_pinned_build_get_units) {
    char other[ID_TEXT];
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_join_with(&farm, "w2", "x264 newer layout=1", other);
    fixture_lease(&farm, other, 5);
    ck_assert_int_eq(farm.task_count, 1);
    ck_assert_int_eq(farm.tasks[0].kind, TASK_AUDIO);
}
END_TEST

/* Two ways in which a worker takes nothing new. */
enum { DRAINED, STOPPING, WAYS };

static void take_nothing(int way, const char *worker, const char *its_session) {
    if (way == DRAINED) {
        ck_assert_int_eq(fixture_drain(&farm, worker, true), 0);
    } else {
        farm.stopping = true;
        ck_assert_int_eq(fixture_beat(&farm, its_session, NULL, 0), 0);
        farm.stopping = false;
    }
}

/* A rolling update: most workers are of the older build still, and finish what they have. */
START_TEST(no_title_is_pinned_to_those_that_take_no_work) {
    char first[ID_TEXT], second[ID_TEXT], other[ID_TEXT];
    fixture_join(&farm, "w1", "host1", 1, first);
    fixture_join(&farm, "w2", "host2", 1, second);
    farm.farm.sandbox_required = SANDBOX_NO_LANDLOCK;
    fixture_join_walled(&farm, "w3", SANDBOX_NONE, other);
    take_nothing(_i, "w1", first);
    take_nothing(_i, "w2", second);
    fixture_join_with(&farm, "w4", "x264 newer layout=1", session);
    fixture_submit(&farm, "t", "h264", false);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
}
END_TEST

/* ---- fences ------------------------------------------------------------------ */

START_TEST(the_first_result_wins) {
    struct fixture_held video;
    struct task_report other;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_report(&other, &farm.tasks[0], 1);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_DROPPED);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &other), ANSWER_CONFLICT);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_DROPPED);
    ck_assert_int_eq(fixture_complete(&farm, 4711, &video.report), ANSWER_DROPPED);
    ck_assert_int_eq(farm.err.code, ERR_NOT_FOUND);
    task_report_finish(&other);
    fixture_drop(&video);
}
END_TEST

static void other_init(struct unit_report *unit) {
    unit->init_sha256[0] = unit->init_sha256[0] == '0' ? '1' : '0';
}

static void one_less(struct unit_report *unit) {
    unit->segment_count--;
}

static void other_last(struct unit_report *unit) {
    char *digit = unit->segments[unit->segment_count - 1].sha256;
    *digit = *digit == '0' ? '1' : '0';
}

/* In whatever a second result differs, it is no repetition of the first. */
START_TEST(a_result_that_differs_is_none) {
    static void (*const changes[])(struct unit_report *) = {other_init, one_less, other_last};
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_DROPPED);
    changes[_i](&video.report.units[video.count - 1]);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_CONFLICT);
    fixture_drop(&video);
}
END_TEST

START_TEST(a_report_must_fit_its_lease) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    video.report.unit_count--;
    fixture_complete(&farm, video.fence, &video.report);
    ck_assert_int_eq(farm.err.code, ERR_INVALID);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_LEASED);
    video.report.unit_count++;
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    fixture_drop(&video);
}
END_TEST

START_TEST(a_late_result_is_taken_and_stops_the_other) {
    struct fixture_held first, second;
    char other[ID_TEXT];
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &first, session, TASK_VIDEO);
    fixture_lose(&farm);
    ck_assert_int_eq(fixture_unit(&farm, first.units[0]).state, UNIT_READY);
    fixture_join(&farm, "w2", "host2", 2, other);
    fixture_take(&farm, &second, other);
    ck_assert_int_eq(second.units[0], first.units[0]);
    ck_assert_int_eq(second.attempt, 2);

    ck_assert_int_eq(fixture_complete(&farm, first.fence, &first.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_unit(&farm, first.units[0]).state, UNIT_DONE);
    fixture_beat(&farm, other, &second.fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
    ck_assert_int_eq(farm.stop[0], second.fence);
    ck_assert_int_eq(fixture_complete(&farm, second.fence, &second.report), ANSWER_DROPPED);
    fixture_drop(&first);
    fixture_drop(&second);
}
END_TEST

START_TEST(a_late_result_is_taken_by_a_ready_unit) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_lose(&farm);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_DONE);
    fixture_drop(&video);
}
END_TEST

START_TEST(late_failures_and_late_packages_count_for_nothing) {
    struct fixture_held video, package;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_lose(&farm);
    ck_assert_int_eq(fixture_fail(&farm, video.fence, FAILURE_BAD_SOURCE, "late"), ANSWER_CONFLICT);
    ck_assert_str_eq(state(), "running");
    fixture_join(&farm, "w2", "host2", 2, session);
    fixture_take_kind(&farm, &package, session, TASK_PACKAGE);
    fixture_lose(&farm);
    ck_assert_int_eq(fixture_complete(&farm, package.fence, &package.report), ANSWER_CONFLICT);
    fixture_join(&farm, "w3", "host3", 2, session);
    ck_assert_int_eq(fixture_work(&farm, session), 2); /* package again, swap */
    ck_assert_str_eq(state(), "done");
    fixture_drop(&video);
    fixture_drop(&package);
}
END_TEST

/* ---- sessions ---------------------------------------------------------------- */

START_TEST(heartbeats_keep_a_session) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    for (int i = 0; i < 20; i++) {
        farm.now_ms += farm.farm.ttl_ms / 3;
        ck_assert_int_eq(fixture_beat(&farm, session, &video.fence, 1), 0);
        ck_assert_int_eq(farm.stop_count, 0);
        fixture_sweep(&farm);
    }
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_LEASED);
    farm.now_ms += farm.farm.ttl_ms - 1; /* not yet */
    fixture_sweep(&farm);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_LEASED);
    farm.now_ms += 2;
    fixture_sweep(&farm);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_READY);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).failures, 0);
    ck_assert_int_eq(fixture_beat(&farm, session, &video.fence, 1), ERR_NOT_FOUND);
    ck_assert_int_eq(fixture_lease(&farm, session, 1), ERR_NOT_FOUND);
    fixture_drop(&video);
}
END_TEST

START_TEST(heartbeats_that_are_not_written_keep_it_as_long) {
    struct fixture_held video;
    farm.farm.heartbeat_ms = farm.farm.ttl_ms / 100;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    for (int i = 0; i < 50; i++) {
        farm.now_ms += farm.farm.heartbeat_ms;
        ck_assert_int_eq(fixture_beat(&farm, session, &video.fence, 1), 0);
    }
    farm.now_ms += farm.farm.ttl_ms - 1;
    fixture_sweep(&farm);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_LEASED);
    fixture_lose(&farm);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_READY);
    fixture_drop(&video);
}
END_TEST

START_TEST(four_hosts_lost_are_poison_but_not_four_losses) {
    struct fixture_held video;
    char name[16];
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_drop(&video);
    for (int i = 0; i < 6; i++) { /* one bad host, again and again */
        fixture_lose(&farm);
        ck_assert_str_eq(state(), "running");
        fixture_join(&farm, "w1", "host1", 1, session);
        fixture_take(&farm, &video, session);
        fixture_drop(&video);
    }
    for (int i = 2; i <= 4; i++) {
        fixture_lose(&farm);
        ck_assert_str_eq(state(), "running");
        snprintf(name, sizeof(name), "host%d", i);
        fixture_join(&farm, name, name, 1, session);
        fixture_take(&farm, &video, session);
        fixture_drop(&video);
    }
    fixture_lose(&farm);
    ck_assert_str_eq(state(), "failing");
    ck_assert_ptr_nonnull(strstr(error, "poison: chunk 1 of h264-720p was running on 4 hosts"));
}
END_TEST

START_TEST(leaving_is_no_loss) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    ck_assert_int_eq(fixture_leave(&farm, session), 0);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_READY);
    ck_assert_int_eq(fixture_leave(&farm, session), ERR_NOT_FOUND);
    fixture_drop(&video);
}
END_TEST

START_TEST(a_drained_worker_gets_nothing_new) {
    struct fixture_held held;
    char again[ID_TEXT];
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &held, session, TASK_VIDEO);
    ck_assert_int_eq(fixture_drain(&farm, "nobody", true), ERR_NOT_FOUND);
    ck_assert_int_eq(fixture_drain(&farm, "w1", true), 0);
    ck_assert_int_eq(fixture_drain(&farm, "w1", true), 0);
    fixture_lease(&farm, session, 2);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_int_eq(fixture_beat(&farm, session, &held.fence, 1), 0);
    ck_assert(farm.drains);
    ck_assert_int_eq(farm.stop_count, 0); /* what runs goes on */
    ck_assert_int_eq(fixture_complete(&farm, held.fence, &held.report), ANSWER_ACCEPTED);
    fixture_leave(&farm, session);
    fixture_farm_restart(&farm);
    fixture_join(&farm, "w1", "host1", 2, again); /* started again, it is drained still */
    fixture_lease(&farm, again, 2);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_int_eq(fixture_drain(&farm, "w1", false), 0);
    fixture_beat(&farm, again, NULL, 0);
    ck_assert(!farm.drains);
    fixture_work(&farm, again);
    ck_assert_str_eq(state(), "done");
    fixture_drop(&held);
}
END_TEST

START_TEST(a_stopping_worker_gets_nothing_new) {
    struct fixture_held held;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &held, session, TASK_VIDEO);
    farm.stopping = true;
    ck_assert_int_eq(fixture_beat(&farm, session, &held.fence, 1), 0);
    ck_assert(!farm.drains); /* that is people's to say, and its name's */
    ck_assert_int_eq(farm.stop_count, 0);
    fixture_farm_restart(&farm);
    fixture_lease(&farm, session, 2);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_int_eq(fixture_complete(&farm, held.fence, &held.report), ANSWER_ACCEPTED);
    fixture_drop(&held);
}
END_TEST

START_TEST(a_failed_unit_does_not_wait_for_who_takes_nothing) {
    struct fixture_held video;
    char other[ID_TEXT];
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_join(&farm, "w2", "host2", 1, other);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_fail(&farm, video.fence, FAILURE_IO, "broken");
    farm.now_ms += 30000; /* past the pause, not past the time that others are waited for */
    ck_assert_int_ne(fixture_lease_one(&farm, session)->units[0].id, video.units[0]);
    take_nothing(_i, "w2", other);
    ck_assert_int_eq(fixture_lease_one(&farm, session)->units[0].id, video.units[0]);
    fixture_drop(&video);
}
END_TEST

START_TEST(a_lease_that_never_arrived_comes_back) {
    struct fixture_held lost, heard;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &lost, session, TASK_VIDEO);
    fixture_take(&farm, &heard, session);
    for (int i = 0; i < 4; i++) {
        farm.now_ms += farm.farm.ttl_ms / 3;
        fixture_beat(&farm, session, &heard.fence, 1);
    }
    ck_assert_int_eq(fixture_unit(&farm, lost.units[0]).state, UNIT_READY);
    ck_assert_int_eq(fixture_unit(&farm, heard.units[0]).state, UNIT_LEASED);
    fixture_drop(&lost);
    fixture_drop(&heard);
}
END_TEST

START_TEST(a_worker_that_comes_back_keeps_its_task) {
    struct fixture_held video;
    char again[ID_TEXT], other[ID_TEXT];
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_lose(&farm);
    for (int i = 0; i < 2; i++) { /* others that list it, here or elsewhere, are told to stop */
        fixture_join(&farm, i == 0 ? "w2" : "w1", i == 0 ? "host1" : "host2", 1, other);
        fixture_beat(&farm, other, &video.fence, 1);
        ck_assert_int_eq(farm.stop_count, 1);
    }
    fixture_join(&farm, "w1", "host1", 2, again);
    fixture_beat(&farm, again, &video.fence, 1);
    ck_assert_int_eq(farm.stop_count, 0);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_LEASED);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    fixture_beat(&farm, again, &video.fence, 1); /* nobody wants it any more */
    ck_assert_int_eq(farm.stop_count, 1);
    fixture_drop(&video);
}
END_TEST

START_TEST(a_heartbeat_behind_a_failure_revives_nothing) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    ck_assert_int_eq(fixture_fail(&farm, video.fence, FAILURE_IO, "a cut line"), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_beat(&farm, session, &video.fence, 1), 0); /* written before that */
    ck_assert_int_eq(farm.stop_count, 1);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_READY);
    ck_assert_int_eq(fixture_fail(&farm, video.fence, FAILURE_IO, "again"), ANSWER_CONFLICT);
    fixture_drop(&video);
}
END_TEST

START_TEST(a_restart_forgets_nothing) {
    struct fixture_held video, next;
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_farm_restart(&farm);
    ck_assert_int_eq(fixture_beat(&farm, session, &video.fence, 1), 0);
    ck_assert_int_eq(farm.stop_count, 0);
    fixture_take(&farm, &next, session);
    ck_assert_int_gt(next.fence, video.fence);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_complete(&farm, next.fence, &next.report), ANSWER_ACCEPTED);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
    fixture_drop(&video);
    fixture_drop(&next);
}
END_TEST

/* ---- forming ----------------------------------------------------------------- */

START_TEST(budgets_spread_the_work) {
    static const struct {
        double busy[4];
        size_t busy_count, slots;
        double work, budget;
    } cases[] = {
        {{0}, 0, 1, 10, 10},     {{0}, 0, 2, 10, 5},         {{5}, 1, 2, 10, 7.5},
        {{100}, 1, 2, 10, 10},                               /* a long task takes no share */
        {{100, 8}, 2, 3, 10, 9}, {{100, 10, 1}, 3, 4, 3, 2}, /* leaving out one lowers it under the
                                                                next */
        {{0, 0, 0}, 3, 4, 4, 1},
    };
    double budget =
        forming_budget(cases[_i].busy, cases[_i].busy_count, cases[_i].slots, cases[_i].work);
    ck_assert_double_eq_tol(budget, cases[_i].budget, 1e-9);
}
END_TEST

START_TEST(shares_fit_their_budget) {
    static const struct {
        double budget;
        const char *chosen;
    } cases[] = {
        {100, "0123"}, {10, "0123"}, {9.2, "0123"}, /* the rest is not worth a decode of its own */
        {8, "01"},     {7, "023"},   {4, "0"},      {0.1, "0"},
    };
    /* costs of 5, 3.5, 1, 0.5 */
    struct unit_row units[4] = {{.cost_s = 5}, {.cost_s = 3.5}, {.cost_s = 1}, {.cost_s = 0.5}};
    size_t chosen[FORM_RUNGS_MAX];
    char text[8] = "";
    size_t count = forming_share(units, 4, cases[_i].budget, chosen);
    for (size_t i = 0; i < count; i++) {
        text[i] = (char)('0' + chosen[i]);
    }
    ck_assert_str_eq(text, cases[_i].chosen);
}
END_TEST

START_TEST(the_last_chunk_is_split_among_free_slots) {
    char other[ID_TEXT];
    struct fixture_held parts[RUNGS + 1];
    fixture_run_title(&farm, "t", "h264", 1, session);
    for (int i = 0; i < CHUNKS; i++) { /* the sound and all chunks but one */
        fixture_make(&farm, fixture_lease_one(&farm, session));
    }
    ck_assert_int_eq(fixture_count(&farm, "t", "ready"), RUNGS);
    fixture_join(&farm, "w2", "host2", 3, other);
    fixture_take(&farm, &parts[0], session);
    ck_assert_int_eq(parts[0].count, 1); /* four free slots: the costliest rung alone */
    ck_assert_ptr_nonnull(strstr(fixture_unit(&farm, parts[0].units[0]).rendition_id, "720p"));
    fixture_lease(&farm, other, 3);
    ck_assert_int_ge(farm.task_count, 2);
    ck_assert_int_eq(fixture_count(&farm, "t", "ready"), 0);
    fixture_drop(&parts[0]);
}
END_TEST

START_TEST(with_plenty_tasks_are_whole_and_in_order) {
    static const char *const titles[] = {"a", "b", "c", "d", "e"};
    for (int i = 0; i < 5; i++) {
        fixture_submit(&farm, titles[i], "h264", false);
    }
    fixture_join(&farm, "w1", "host1", 1, session);
    ck_assert_int_eq(fixture_lease(&farm, session, 5), 0);
    for (int i = 0; i < 5; i++) {
        fixture_make(&farm, &farm.tasks[i]);
    }
    for (int i = 0; i < 1 + CHUNKS; i++) {
        const struct task *task = fixture_lease_one(&farm, session);
        ck_assert_str_eq(task->title, "a");
        ck_assert_int_eq(task->kind, i == 0 ? TASK_AUDIO : TASK_VIDEO);
        ck_assert_uint_eq(task->unit_count, i == 0 ? 1 : RUNGS);
        ck_assert_int_eq(fixture_unit(&farm, task->units[0].id).chunk, i == 0 ? -1 : i - 1);
    }
    ck_assert_str_eq(fixture_lease_one(&farm, session)->title, "b");
}
END_TEST

START_TEST(one_slot_never_splits) {
    fixture_run_title(&farm, "t", "h264", 1, session);
    ck_assert_int_eq(fixture_work(&farm, session), 1 + CHUNKS + 2);
}
END_TEST

START_TEST(near_the_end_the_longest_goes_first) {
    struct form_group groups[5] = {{0, 1, 3}, {1, 1, 1}, {2, 1, 5}, {3, 1, 5}, {4, 1, 2}};
    struct unit_row units[5];
    for (int i = 0; i < 5; i++) {
        units[i] = (struct unit_row){.kind = TASK_VIDEO};
    }
    ck_assert_int_eq(forming_next(units, groups, 5, 2), 0); /* five tasks are more than 2 x 2 */
    ck_assert_int_eq(forming_next(units, groups, 5, 3), 2);
    ck_assert_int_eq(forming_next(units, groups, 4, 2), 2);
    units[4].kind = TASK_PROBE;
    ck_assert_int_eq(forming_next(units, groups, 5, 3), 4);
    ck_assert_int_eq(forming_next(units, groups, 5, 2), 4);
}
END_TEST

START_TEST(memory_limits_what_a_worker_is_given) {
    fixture_run_title(&farm, "t", "h264", 4, session);
    farm.memory_bytes = 1;
    fixture_lease(&farm, session, 4);
    ck_assert_int_eq(farm.task_count, 1); /* idle: better than nobody */
    fixture_lease(&farm, session, 4);
    ck_assert_int_eq(farm.task_count, 0);
    farm.memory_bytes = INT64_C(1) << 36;
    fixture_lease(&farm, session, 3);
    ck_assert_int_eq(farm.task_count, 3);
}
END_TEST

/* ---- ahead of a free slot ------------------------------------------------------ */

/* Leases ahead of the end of a task, 0 for one that nobody names; its title, or "". Borrowed. */
static const char *lease_ahead(int64_t ends) {
    farm.ahead = true;
    farm.ends = ends;
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    farm.ahead = false;
    return farm.task_count > 0 ? farm.tasks[0].title : "";
}

/* A title of a tenant that is past its probe and its sound. */
static void run_for(const char *title, const char *tenant) {
    struct title_request request = {.title = title, .tenant = tenant};
    ck_assert_int_eq(fixture_submit_as(&farm, &request, "h264"), 0);
    for (int i = 0; i < 2; i++) {
        const struct task *task = fixture_lease_one(&farm, session);
        ck_assert_str_eq(task->title, title);
        ck_assert_int_ne(task->kind, TASK_VIDEO);
        fixture_make(&farm, task);
    }
}

/* While many more chunks are ready than there are slots. */
START_TEST(a_chunk_is_leased_ahead_where_there_is_plenty) {
    int count = 0;
    fixture_run_title(&farm, "t", "h264", 2, session);
    ck_assert_str_eq(lease_ahead(0), ""); /* its sound goes first, and a slot that always asks
                                             ahead would never come to it */
    fixture_make(&farm, fixture_lease_one(&farm, session));
    for (; *lease_ahead(0) != '\0'; count++) {
        ck_assert_int_eq(farm.tasks[0].kind, TASK_VIDEO);
        fixture_make(&farm, &farm.tasks[0]);
    }
    ck_assert_int_eq(count, CHUNKS - 3 * 2);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
}
END_TEST

static void all_sessions(struct tx *tx, struct farm *scheduler, const char *title,
                         struct writer *w) {
    (void)title;
    writer_object(w, NULL);
    sessions_write(tx, scheduler, w);
    writer_object_end(w);
}

/* How many of the first worker's slots are said to be busy. */
static int64_t busy(void) {
    int64_t count = -1;
    struct json *tree = fixture_look(&farm, all_sessions, NULL);
    struct reader r = reader_of(tree, "workers", &farm.err);
    struct reader list = reader_array(&r, "workers");
    struct reader first = reader_item(&list, 0);
    reader_int(&first, "busy", 0, INT64_MAX, &count);
    ck_assert_msg(reader_ok(&r), "%s", farm.err.message);
    json_tree_destroy(tree);
    return count;
}

/* What was leased ahead waits in no slot. */
START_TEST(no_more_slots_are_busy_than_there_are) {
    fixture_run_title(&farm, "t", "h264", 2, session);
    ck_assert_int_eq(busy(), 0);
    fixture_lease_one(&farm, session);
    ck_assert_int_eq(busy(), 1);
    fixture_lease_one(&farm, session);
    farm.ahead = true;
    fixture_lease_one(&farm, session);
    ck_assert_int_eq(busy(), 2);
}
END_TEST

/* How loud the sound is, wherever it lies. */
START_TEST(a_title_that_is_done_tells_how_loud_it_is) {
    static const char *const outputs[] = {"/out", "/out/", "s3://b/films/"};
    char *ladder = fixture_ladder("h264");
    struct title_request request = {
        .title = "t", .source = "/media/clip.mp4", .output = outputs[_i], .ladder = ladder};
    struct fixture_held sound;
    ck_assert_int_eq(fixture_submit_whole(&farm, &request), 0);
    fixture_join(&farm, "w1", "host1", 1, session);
    fixture_take_kind(&farm, &sound, session, TASK_AUDIO);
    sound.report.units[0].has_loudness = true;
    sound.report.units[0].loudness = (struct loudness){-23, 7, -1};
    ck_assert_int_eq(fixture_complete(&farm, sound.fence, &sound.report), ANSWER_ACCEPTED);
    fixture_work(&farm, session);
    struct json *tree = fixture_look(&farm, view_title, "t");
    struct reader r = reader_of(tree, "title", &farm.err);
    struct reader list = reader_array(&r, "renditions");
    int told = 0;
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *kind = "";
        reader_string(&item, "kind", &kind);
        bool tells = reader_has(&item, "loudness");
        ck_assert_int_eq(tells, strcmp(kind, "audio") == 0);
        told += tells ? 1 : 0;
    }
    ck_assert_msg(reader_ok(&r), "%s", farm.err.message);
    ck_assert_int_eq(told, 1);
    json_tree_destroy(tree);
    fixture_drop(&sound);
    mem_free(ladder);
}
END_TEST

/* A title that is more urgent waits for the next slot, though plenty of others is there. */
START_TEST(who_comes_first_is_not_passed_by_ahead) {
    struct title_request urgent = {.title = "u", .names_priority = true, .priority = 5};
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 1, session), 0);
    run_for("t", "");
    ck_assert_str_eq(lease_ahead(0), "t");
    ck_assert_int_eq(fixture_submit_as(&farm, &urgent, "h264"), 0);
    ck_assert_str_eq(lease_ahead(0), "");
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_str_eq(task->title, "u");
    ck_assert_int_eq(task->kind, TASK_PROBE);
}
END_TEST

/* Of two that have the same, the one whose task ends has less then. */
START_TEST(ahead_is_as_fair_as_the_slot_will_be) {
    struct title_request a = {.title = "a", .tenant = "a"}, b = {.title = "b", .tenant = "b"};
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 2, session), 0);
    ck_assert_int_eq(fixture_submit_as(&farm, &a, "h264"), 0);
    ck_assert_int_eq(fixture_submit_as(&farm, &b, "h264"), 0);
    for (int step = 0; step < 3; step++) { /* probes, sound, chunks */
        ck_assert_int_eq(fixture_lease(&farm, session, 2), 0);
        ck_assert_int_eq(farm.task_count, 2);
        for (int i = 0; step < 2 && i < 2; i++) {
            fixture_make(&farm, &farm.tasks[i]);
        }
    }
    ck_assert_str_eq(farm.tasks[_i].title, _i == 0 ? "a" : "b");
    ck_assert_str_eq(lease_ahead(farm.tasks[_i].fence), _i == 0 ? "a" : "b");
}
END_TEST

/* A tenant that has little ready is given nothing ahead of its slot, and nobody in its place. */
START_TEST(nothing_is_leased_ahead_of_another_tenant) {
    struct title_request request = {.title = "u", .tenant = "news"};
    struct fixture_held held;
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 1, session), 0);
    run_for("t", "");
    fixture_take(&farm, &held, session);
    ck_assert_int_eq(fixture_submit_as(&farm, &request, "h264"), 0);
    ck_assert_str_eq(lease_ahead(0), "");
    ck_assert_str_eq(lease_ahead(held.fence), "t"); /* whose turn it is when that has ended */
    ck_assert_str_eq(fixture_lease_one(&farm, session)->title, "u");
    fixture_drop(&held);
}
END_TEST

/* Who watches a title while it is encoded waits for playlists that list the chunk which ends. */
START_TEST(nothing_is_leased_ahead_of_playlists) {
    struct title_request request = {.title = "t", .early = _i == 1};
    struct fixture_held held;
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 1, session), 0);
    ck_assert_int_eq(fixture_submit_as(&farm, &request, "h264"), 0);
    fixture_make(&farm, fixture_lease_one(&farm, session)); /* the probe */
    fixture_make(&farm, fixture_lease_one(&farm, session)); /* sound */
    fixture_take(&farm, &held, session);
    ck_assert_str_eq(lease_ahead(held.fence), _i == 1 ? "" : "t");
    fixture_drop(&held);
}
END_TEST

/* Both tasks are the tenant's until one has ended. */
START_TEST(ahead_is_within_a_cap) {
    struct fixture_held held;
    char rule[] = "x=1:0";
    rule[strlen(rule) - 1] = (char)('1' + _i);
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 1, session), 0);
    run_for("x", "x");
    ck_assert_int_eq(tenant_rules_parse(&farm.farm.tenants, rule, &farm.err), 0);
    fixture_take(&farm, &held, session);
    ck_assert_str_eq(lease_ahead(held.fence), _i == 0 ? "" : "x");
    ck_assert_int_eq(fixture_complete(&farm, held.fence, &held.report), ANSWER_ACCEPTED);
    ck_assert_str_eq(lease_ahead(held.fence), "x");
    fixture_drop(&held);
}
END_TEST

/* ---- threads, walls, order ---------------------------------------------------- */

/* An encoder's threads are as many slots, of those that the worker has. */
START_TEST(threads_take_slots) {
    static const struct {
        int threads, slots, tasks;
    } cases[] = {{1, 5, 5}, {2, 4, 2}, {2, 5, 3}, {4, 5, 2}, {4, 2, 1}, {4, 1, 1}};
    struct title_request request = {.title = "t"};
    ck_assert_int_eq(fixture_submit_threads(&farm, &request, cases[_i].threads), 0);
    fixture_join(&farm, "w1", "host1", cases[_i].slots, session);
    fixture_make(&farm, fixture_lease_one(&farm, session)); /* the probe */
    fixture_make(&farm, fixture_lease_one(&farm, session)); /* sound */
    ck_assert_int_eq(fixture_lease(&farm, session, cases[_i].slots), 0);
    ck_assert_int_eq(farm.task_count, cases[_i].tasks);
    ck_assert_int_eq(farm.tasks[0].kind, TASK_VIDEO);
}
END_TEST

/* What reads a source is for who is walled in as the farm asks; the rest is for all. */
START_TEST(a_weak_sandbox_is_given_no_source) {
    char weak[ID_TEXT];
    struct fixture_held held;
    farm.farm.sandbox_required = SANDBOX_NO_LANDLOCK;
    farm.farm.hedge_after = 3;
    farm.farm.hedge_least_ms = 1000;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join_walled(&farm, "w2", SANDBOX_NONE, weak);
    fixture_lease(&farm, weak, 4);
    ck_assert_int_eq(farm.task_count, 0); /* no probe, */
    fixture_join_walled(&farm, "w1", SANDBOX_NO_LANDLOCK, session);
    fixture_take_kind(&farm, &held, session, TASK_VIDEO);
    fixture_lease(&farm, weak, 4);
    ck_assert_int_eq(farm.task_count, 0); /* no picture, no sound, */
    farm.now_ms += 1000000;
    fixture_beat(&farm, session, &held.fence, 1);
    fixture_beat(&farm, weak, NULL, 0);
    fixture_lease(&farm, weak, 4);
    ck_assert_int_eq(farm.task_count, 0); /* no straggler, */
    ck_assert_int_eq(fixture_complete(&farm, held.fence, &held.report), ANSWER_ACCEPTED);
    fixture_drop(&held);
    fixture_take_kind(&farm, &held, session, TASK_PACKAGE);
    ck_assert_int_eq(fixture_fail(&farm, held.fence, FAILURE_IO, "it broke"), ANSWER_ACCEPTED);
    farm.now_ms += 2000;
    ck_assert_int_eq(fixture_lease_one(&farm, weak)->kind, TASK_PACKAGE);
    fixture_drop(&held);
}
END_TEST

START_TEST(titles_are_served_in_order) {
    fixture_run_title(&farm, "a", "fast", 1, session);
    fixture_submit(&farm, "b", "fast", false);
    const struct task *task = fixture_lease_one(&farm, session);
    while (task->kind != TASK_PROBE) {
        ck_assert_str_eq(task->title, "a");
        fixture_make(&farm, task);
        task = fixture_lease_one(&farm, session);
    }
    ck_assert_str_eq(task->title, "b");
    fixture_make(&farm, task);
    fixture_work(&farm, session);
    ck_assert_str_eq(fixture_state(&farm, "a", error, sizeof(error)), "done");
    ck_assert_str_eq(fixture_state(&farm, "b", error, sizeof(error)), "done");
}
END_TEST

static TCase *group(Suite *suite, const char *name) {
    TCase *tests = tcase_create(name);
    tcase_add_checked_fixture(tests, open_farm, close_farm);
    suite_add_tcase(suite, tests);
    return tests;
}

Suite *lease_suite(void) {
    Suite *suite = suite_create("lease");
    TCase *life = group(suite, "life");
    tcase_add_test(life, a_title_goes_from_submission_to_done);
    tcase_add_test(life, the_plan_stands_before_the_identity_is_known);
    tcase_add_test(life, a_probe_that_stops_early_comes_before_its_title);
    tcase_add_test(life, a_source_that_changes_fails_the_title);
    tcase_add_test(life, a_source_is_remembered);
    tcase_add_test(life, a_title_that_runs_is_not_taken_again);
    tcase_add_test(life, without_an_encoder_a_title_says_so);
    tcase_add_test(life, only_workers_with_the_pinned_build_get_units);
    tcase_add_loop_test(life, no_title_is_pinned_to_those_that_take_no_work, 0, WAYS);
    tcase_add_test(life, titles_are_served_in_order);
    tcase_add_loop_test(life, a_title_that_is_done_tells_how_loud_it_is, 0, 3);
    TCase *fences = group(suite, "fences");
    tcase_add_test(fences, the_first_result_wins);
    tcase_add_loop_test(fences, a_result_that_differs_is_none, 0, 3);
    tcase_add_test(fences, a_report_must_fit_its_lease);
    tcase_add_test(fences, a_late_result_is_taken_and_stops_the_other);
    tcase_add_test(fences, a_late_result_is_taken_by_a_ready_unit);
    tcase_add_test(fences, late_failures_and_late_packages_count_for_nothing);
    TCase *sessions = group(suite, "sessions");
    tcase_add_test(sessions, heartbeats_keep_a_session);
    tcase_add_test(sessions, heartbeats_that_are_not_written_keep_it_as_long);
    tcase_add_test(sessions, four_hosts_lost_are_poison_but_not_four_losses);
    tcase_add_test(sessions, leaving_is_no_loss);
    tcase_add_test(sessions, a_drained_worker_gets_nothing_new);
    tcase_add_test(sessions, a_stopping_worker_gets_nothing_new);
    tcase_add_loop_test(sessions, a_failed_unit_does_not_wait_for_who_takes_nothing, 0, WAYS);
    tcase_add_test(sessions, a_lease_that_never_arrived_comes_back);
    tcase_add_test(sessions, a_worker_that_comes_back_keeps_its_task);
    tcase_add_test(sessions, a_heartbeat_behind_a_failure_revives_nothing);
    tcase_add_test(sessions, a_restart_forgets_nothing);
    TCase *forming = group(suite, "forming");
    tcase_add_loop_test(forming, budgets_spread_the_work, 0, 7);
    tcase_add_loop_test(forming, shares_fit_their_budget, 0, 7);
    tcase_add_test(forming, the_last_chunk_is_split_among_free_slots);
    tcase_add_test(forming, with_plenty_tasks_are_whole_and_in_order);
    tcase_add_test(forming, one_slot_never_splits);
    tcase_add_test(forming, near_the_end_the_longest_goes_first);
    tcase_add_test(forming, memory_limits_what_a_worker_is_given);
    tcase_add_test(forming, no_more_slots_are_busy_than_there_are);
    tcase_add_loop_test(forming, threads_take_slots, 0, 6);
    tcase_add_test(forming, a_weak_sandbox_is_given_no_source);
    TCase *ahead = group(suite, "ahead");
    tcase_add_test(ahead, a_chunk_is_leased_ahead_where_there_is_plenty);
    tcase_add_test(ahead, who_comes_first_is_not_passed_by_ahead);
    tcase_add_loop_test(ahead, ahead_is_as_fair_as_the_slot_will_be, 0, 2);
    tcase_add_test(ahead, nothing_is_leased_ahead_of_another_tenant);
    tcase_add_loop_test(ahead, nothing_is_leased_ahead_of_playlists, 0, 2);
    tcase_add_loop_test(ahead, ahead_is_within_a_cap, 0, 2);
    return suite;
}
