/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leases: fences, late results, losses, failures by class, forming of tasks, reuse. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/forming.h"
#include "scheduler/view.h"
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

/* A lease, copied so that it outlives the next one. */
struct held {
    int64_t fence;
    enum task_kind kind;
    size_t count;
    int64_t units[8];
    int64_t memory;
    bool may_replace;
    int attempt;
    struct task_report report; /* a good one */
};

static void hold(struct held *held, const struct task *task) {
    *held = (struct held){.fence = task->fence,
                          .kind = task->kind,
                          .count = task->unit_count,
                          .memory = task->memory_bytes,
                          .may_replace = task->units[0].may_replace,
                          .attempt = task->attempt};
    for (size_t i = 0; i < task->unit_count && i < 8; i++) {
        held->units[i] = task->units[i].id;
    }
    fixture_report(&held->report, task, 0);
}

static void take(struct held *held, const char *who) {
    hold(held, fixture_lease_one(&farm, who));
}

static void drop(struct held *held) {
    task_report_finish(&held->report);
}

/* Takes tasks, and makes them, until one of the kind comes. */
static void take_kind(struct held *held, const char *who, enum task_kind kind) {
    for (;;) {
        const struct task *task = fixture_lease_one(&farm, who);
        if (task->kind == kind) {
            hold(held, task);
            return;
        }
        fixture_make(&farm, task);
    }
}

/* ---- a title's life --------------------------------------------------------------------- */

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
    struct held probe, video;
    struct task_report report;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 2, session);
    take(&probe, session);
    fixture_probe_report(&report, FRAMES, "pin-1", "");
    ck_assert_int_eq(fixture_early_source(&farm, "t", &report), 0);
    ck_assert_str_eq(state(), "running");

    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_AUDIO);
    ck_assert_str_eq(task->units[0].folder, "");
    ck_assert_str_eq(task->source.identity, "");
    hold(&video, task);
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
    drop(&probe);
    drop(&video);
}
END_TEST

START_TEST(a_source_that_changes_fails_the_title) {
    struct held probe;
    struct task_report report;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 2, session);
    take(&probe, session);
    fixture_probe_report(&report, FRAMES, "pin-0", "");
    fixture_early_source(&farm, "t", &report);
    ck_assert_int_eq(fixture_complete(&farm, probe.fence, &probe.report), ANSWER_ACCEPTED);
    ck_assert_str_eq(state(), "failed"); /* at once: nothing had a folder */
    ck_assert_ptr_nonnull(strstr(error, "bad_source: /media/clip.mp4 changed while it was read"));
    task_report_finish(&report);
    drop(&probe);
}
END_TEST

START_TEST(a_source_is_remembered) {
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_submit(&farm, "u", "fast", false);
    struct held probe;
    take_kind(&probe, session, TASK_PROBE);
    ck_assert_str_eq(farm.tasks[0].title, "u");
    ck_assert_str_eq(farm.tasks[0].source.pin, "pin-1");
    ck_assert_str_eq(farm.tasks[0].source.identity, "sha256:one");
    ck_assert_int_eq(farm.tasks[0].source.size, 1000 * FRAMES);
    drop(&probe);
}
END_TEST

START_TEST(a_title_that_runs_is_not_taken_again) {
    fixture_run_title(&farm, "t", "h264", 2, session);
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), ERR_CONFLICT);
    ck_assert_str_eq(farm.err.message, "title t is running; wait for its end or cancel it first");
}
END_TEST

START_TEST(without_an_encoder_a_title_says_so) {
    struct held probe;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 2, session);
    take(&probe, session);
    fixture_leave(&farm, session); /* the only one with encoders */
    ck_assert_int_eq(fixture_complete(&farm, probe.fence, &probe.report), ANSWER_ACCEPTED);
    ck_assert_str_eq(state(), "failed");
    ck_assert_int_eq(strncmp(error, "unsupported: ", 13), 0);
    drop(&probe);
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

/* ---- fences ------------------------------------------------------------------------------- */

START_TEST(the_first_result_wins) {
    struct held video;
    struct task_report other;
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&video, session, TASK_VIDEO);
    fixture_report(&other, &farm.tasks[0], 1);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_DROPPED);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &other), ANSWER_CONFLICT);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_DROPPED);
    ck_assert_int_eq(fixture_complete(&farm, 4711, &video.report), ANSWER_DROPPED);
    ck_assert_int_eq(farm.err.code, ERR_NOT_FOUND);
    task_report_finish(&other);
    drop(&video);
}
END_TEST

START_TEST(a_report_must_fit_its_lease) {
    struct held video;
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&video, session, TASK_VIDEO);
    video.report.unit_count--;
    fixture_complete(&farm, video.fence, &video.report);
    ck_assert_int_eq(farm.err.code, ERR_INVALID);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_LEASED);
    video.report.unit_count++;
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    drop(&video);
}
END_TEST

/* Lets a session fall silent for longer than the lease time. */
static void lose(const char *who) {
    (void)who;
    farm.now_ms += farm.farm.ttl_ms * 7 / 6 + 1;
    ck_assert_int_eq(fixture_sweep(&farm), 0);
}

START_TEST(a_late_result_is_taken_and_stops_the_other) {
    struct held first, second;
    char other[ID_TEXT];
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&first, session, TASK_VIDEO);
    lose(session);
    ck_assert_int_eq(fixture_unit(&farm, first.units[0]).state, UNIT_READY);
    fixture_join(&farm, "w2", "host2", 2, other);
    take(&second, other);
    ck_assert_int_eq(second.units[0], first.units[0]);
    ck_assert_int_eq(second.attempt, 2);

    ck_assert_int_eq(fixture_complete(&farm, first.fence, &first.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_unit(&farm, first.units[0]).state, UNIT_DONE);
    fixture_beat(&farm, other, &second.fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
    ck_assert_int_eq(farm.stop[0], second.fence);
    ck_assert_int_eq(fixture_complete(&farm, second.fence, &second.report), ANSWER_DROPPED);
    drop(&first);
    drop(&second);
}
END_TEST

START_TEST(a_late_result_is_taken_by_a_ready_unit) {
    struct held video;
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&video, session, TASK_VIDEO);
    lose(session);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_DONE);
    drop(&video);
}
END_TEST

START_TEST(late_failures_and_late_packages_count_for_nothing) {
    struct held video, package;
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&video, session, TASK_VIDEO);
    lose(session);
    ck_assert_int_eq(fixture_fail(&farm, video.fence, FAILURE_BAD_SOURCE, "late"), ANSWER_CONFLICT);
    ck_assert_str_eq(state(), "running");
    fixture_join(&farm, "w2", "host2", 2, session);
    take_kind(&package, session, TASK_PACKAGE);
    lose(session);
    ck_assert_int_eq(fixture_complete(&farm, package.fence, &package.report), ANSWER_CONFLICT);
    fixture_join(&farm, "w3", "host3", 2, session);
    ck_assert_int_eq(fixture_work(&farm, session), 2); /* package again, swap */
    ck_assert_str_eq(state(), "done");
    drop(&video);
    drop(&package);
}
END_TEST

/* ---- sessions ------------------------------------------------------------------------------ */

START_TEST(heartbeats_keep_a_session) {
    struct held video;
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&video, session, TASK_VIDEO);
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
    lose(session);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_READY);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).failures, 0);
    ck_assert_int_eq(fixture_beat(&farm, session, &video.fence, 1), ERR_NOT_FOUND);
    ck_assert_int_eq(fixture_lease(&farm, session, 1), ERR_NOT_FOUND);
    drop(&video);
}
END_TEST

START_TEST(four_hosts_lost_are_poison_but_not_four_losses) {
    struct held video;
    char name[16];
    fixture_run_title(&farm, "t", "h264", 1, session);
    take_kind(&video, session, TASK_VIDEO);
    drop(&video);
    for (int i = 0; i < 6; i++) { /* one bad host, again and again */
        lose(session);
        ck_assert_str_eq(state(), "running");
        fixture_join(&farm, "w1", "host1", 1, session);
        take(&video, session);
        drop(&video);
    }
    for (int i = 2; i <= 4; i++) {
        lose(session);
        ck_assert_str_eq(state(), "running");
        snprintf(name, sizeof(name), "host%d", i);
        fixture_join(&farm, name, name, 1, session);
        take(&video, session);
        drop(&video);
    }
    lose(session);
    ck_assert_str_eq(state(), "failing");
    ck_assert_ptr_nonnull(strstr(error, "poison: chunk 0 of h264-720p was running on 4 hosts"));
}
END_TEST

START_TEST(leaving_is_no_loss) {
    struct held video;
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&video, session, TASK_VIDEO);
    ck_assert_int_eq(fixture_leave(&farm, session), 0);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_READY);
    ck_assert_int_eq(fixture_leave(&farm, session), ERR_NOT_FOUND);
    drop(&video);
}
END_TEST

START_TEST(a_lease_that_never_arrived_comes_back) {
    struct held lost, heard;
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&lost, session, TASK_VIDEO);
    take(&heard, session);
    for (int i = 0; i < 4; i++) {
        farm.now_ms += farm.farm.ttl_ms / 3;
        fixture_beat(&farm, session, &heard.fence, 1);
    }
    ck_assert_int_eq(fixture_unit(&farm, lost.units[0]).state, UNIT_READY);
    ck_assert_int_eq(fixture_unit(&farm, heard.units[0]).state, UNIT_LEASED);
    drop(&lost);
    drop(&heard);
}
END_TEST

START_TEST(a_worker_that_comes_back_keeps_its_task) {
    struct held video;
    char again[ID_TEXT], other[ID_TEXT];
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&video, session, TASK_VIDEO);
    lose(session);
    fixture_join(&farm, "w2", "host2", 1, other);
    fixture_beat(&farm, other, &video.fence, 1); /* not its own: stop */
    ck_assert_int_eq(farm.stop_count, 1);
    fixture_join(&farm, "w1", "host1", 2, again);
    fixture_beat(&farm, again, &video.fence, 1);
    ck_assert_int_eq(farm.stop_count, 0);
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_LEASED);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    fixture_beat(&farm, again, &video.fence, 1); /* nobody wants it any more */
    ck_assert_int_eq(farm.stop_count, 1);
    drop(&video);
}
END_TEST

START_TEST(a_restart_forgets_nothing) {
    struct held video, next;
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&video, session, TASK_VIDEO);
    fixture_farm_restart(&farm);
    ck_assert_int_eq(fixture_beat(&farm, session, &video.fence, 1), 0);
    ck_assert_int_eq(farm.stop_count, 0);
    take(&next, session);
    ck_assert_int_gt(next.fence, video.fence);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_complete(&farm, next.fence, &next.report), ANSWER_ACCEPTED);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
    drop(&video);
    drop(&next);
}
END_TEST

/* ---- failures -------------------------------------------------------------------------------- */

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
};

START_TEST(each_class_has_its_budget) {
    struct held sound;
    char want[64];
    fixture_run_title(&farm, "t", "h264", 1, session);
    for (int i = 1; i <= classes[_i].attempts; i++) {
        ck_assert_str_eq(state(), "running");
        farm.now_ms += 60000; /* pauses are over */
        fixture_beat(&farm, session, NULL, 0);
        take_kind(&sound, session, TASK_AUDIO);
        ck_assert_int_eq(sound.attempt, i);
        ck_assert_int_eq(fixture_fail(&farm, sound.fence, classes[_i].class, "it broke"),
                         ANSWER_ACCEPTED);
        drop(&sound);
    }
    ck_assert_str_eq(state(), "failing");
    snprintf(want, sizeof(want), "%s: audio-und-aac-2", classes[_i].recorded);
    ck_assert_msg(strncmp(error, want, strlen(want)) == 0, "%s", error);
    ck_assert_ptr_nonnull(strstr(error, "it broke"));
}
END_TEST

START_TEST(pauses_grow_and_are_kept) {
    static const int64_t pauses[] = {1000, 2000, 4000};
    struct held sound;
    fixture_run_title(&farm, "t", "h264", 1, session);
    for (int i = 0; i < 3; i++) {
        take_kind(&sound, session, TASK_AUDIO);
        fixture_fail(&farm, sound.fence, FAILURE_IO, "it broke");
        ck_assert_int_eq(fixture_unit(&farm, sound.units[0]).ready_at, farm.now_ms + pauses[i]);
        farm.now_ms += pauses[i] - 1;
        ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
        ck_assert_int_eq(farm.tasks[0].kind, TASK_VIDEO); /* others go first meanwhile */
        fixture_make(&farm, &farm.tasks[0]);
        farm.now_ms += 1;
        drop(&sound);
    }
}
END_TEST

START_TEST(a_worker_with_nothing_to_do_knows_when_to_ask) {
    struct held probe;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 1, session);
    take(&probe, session);
    fixture_fail(&farm, probe.fence, FAILURE_IO, "it broke");
    fixture_lease(&farm, session, 1);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_int_eq(farm.retry_at, farm.now_ms + 1000);
    drop(&probe);
}
END_TEST

START_TEST(another_worker_is_tried_where_there_is_one) {
    struct held sound, again;
    char other[ID_TEXT];
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_join(&farm, "w2", "host2", 1, other);
    take_kind(&sound, session, TASK_AUDIO);
    fixture_fail(&farm, sound.fence, FAILURE_IO, "it broke");
    farm.now_ms += 1000;
    fixture_lease(&farm, session, 1);
    ck_assert_int_eq(farm.tasks[0].kind, TASK_VIDEO); /* not the one it failed */
    take(&again, other);
    ck_assert_int_eq(again.units[0], sound.units[0]);
    fixture_fail(&farm, again.fence, FAILURE_IO, "it broke");
    fixture_leave(&farm, session);
    farm.now_ms += 2000;
    drop(&again);
    take(&again, other); /* there is nobody else any more */
    ck_assert_int_eq(again.units[0], sound.units[0]);
    drop(&sound);
    drop(&again);
}
END_TEST

START_TEST(a_retry_after_memory_or_crash_is_alone_and_larger) {
    struct held whole, part;
    fixture_run_title(&farm, "t", "h264", 1, session);
    take_kind(&whole, session, TASK_VIDEO);
    ck_assert_int_eq(whole.count, RUNGS);
    fixture_fail(&farm, whole.fence, FAILURE_OOM, "too little memory");
    farm.now_ms += 1000;
    take(&part, session);
    ck_assert_int_eq(part.count, 1);
    ck_assert_int_eq(part.units[0], whole.units[0]);
    ck_assert_int_eq(part.attempt, 2);
    struct unit_row unit = fixture_unit(&farm, part.units[0]);
    ck_assert_int_eq(unit.doublings, 1);
    ck_assert_int_eq(part.memory % 2, 0);
    drop(&whole);
    int64_t memory = part.memory;
    fixture_fail(&farm, part.fence, FAILURE_OOM, "too little memory");
    drop(&part);
    farm.now_ms += 2000;
    fixture_beat(&farm, session, NULL, 0);
    do {
        take(&part, session);
        drop(&part);
    } while (part.units[0] != unit.id);
    ck_assert_int_eq(part.memory, 2 * memory);
}
END_TEST

START_TEST(a_failure_without_blame_keeps_the_task_together) {
    struct held whole, again;
    fixture_run_title(&farm, "t", "h264", 1, session);
    take_kind(&whole, session, TASK_VIDEO);
    fixture_fail(&farm, whole.fence, FAILURE_IO, "the source did not answer");
    farm.now_ms += 1000;
    take(&again, session);
    ck_assert_int_eq(again.count, RUNGS);
    ck_assert_int_eq(again.units[0], whole.units[0]);
    drop(&whole);
    drop(&again);
}
END_TEST

START_TEST(only_the_blamed_rung_fails) {
    struct held whole;
    fixture_run_title(&farm, "t", "h264", 1, session);
    take_kind(&whole, session, TASK_VIDEO);
    fixture_fail_units(&farm, whole.fence, FAILURE_NONDETERMINISTIC, &whole.units[1], 1);
    ck_assert(!fixture_unit(&farm, whole.units[0]).may_replace);
    ck_assert(fixture_unit(&farm, whole.units[1]).may_replace);
    ck_assert(fixture_unit(&farm, whole.units[1]).alone);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(fixture_unit(&farm, whole.units[i]).state, UNIT_READY);
    }
    struct held next;
    take(&next, session); /* without the one in the middle, two tasks: 720 alone ... */
    ck_assert(!next.may_replace);
    drop(&next);
    take(&next, session); /* ... then the blamed one */
    ck_assert_int_eq(next.count, 1);
    ck_assert_int_eq(next.units[0], whole.units[1]);
    ck_assert(next.may_replace);
    drop(&next);
    drop(&whole);
}
END_TEST

START_TEST(package_sends_lost_objects_back_once) {
    struct held video, package;
    fixture_run_title(&farm, "t", "h264", 1, session);
    take_kind(&video, session, TASK_VIDEO);
    fixture_complete(&farm, video.fence, &video.report);
    take_kind(&package, session, TASK_PACKAGE);
    ck_assert_int_eq(fixture_fail_units(&farm, package.fence, FAILURE_MISSING, video.units, 2),
                     ANSWER_ACCEPTED);
    ck_assert_str_eq(state(), "running");
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_READY);
    ck_assert_int_eq(fixture_unit(&farm, video.units[2]).state, UNIT_DONE);
    ck_assert_int_eq(fixture_unit(&farm, package.units[0]).state, UNIT_BLOCKED);
    drop(&package);
    take_kind(&package, session, TASK_PACKAGE); /* made again on the way */
    ck_assert_int_eq(fixture_unit(&farm, video.units[0]).state, UNIT_DONE);
    fixture_fail_units(&farm, package.fence, FAILURE_MISSING, video.units, 2);
    ck_assert_str_eq(state(), "failing");
    ck_assert_int_eq(strncmp(error, "missing: it did not work", 24), 0);
    drop(&package);
    drop(&video);
}
END_TEST

START_TEST(too_many_repaired_frames_fail_the_title) {
    struct held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    take_kind(&video, session, TASK_VIDEO);
    video.report.stats.frames_repaired = 120; /* 5 % */
    fixture_complete(&farm, video.fence, &video.report);
    ck_assert_str_eq(state(), "running"); /* four rungs of one chunk count once */
    drop(&video);
    take_kind(&video, session, TASK_VIDEO);
    video.report.stats.frames_repaired = 1;
    fixture_complete(&farm, video.fence, &video.report);
    ck_assert_str_eq(state(), "failing");
    ck_assert_ptr_nonnull(strstr(error, "bad_source: /media/clip.mp4 is too damaged: 121 of its "
                                        "2400 frames"));
    drop(&video);
}
END_TEST

START_TEST(too_many_missing_frames_fail_at_the_plan) {
    struct held probe;
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 1, session);
    take(&probe, session);
    probe.report.source.missing = 121;
    fixture_complete(&farm, probe.fence, &probe.report);
    ck_assert_str_eq(state(), "failed");
    ck_assert_ptr_nonnull(strstr(error, "bad_source"));
    drop(&probe);
}
END_TEST

/* ---- ends ---------------------------------------------------------------------------------------
 */

START_TEST(a_failing_title_stops_its_tasks_then_removes) {
    struct held first, second;
    fixture_run_title(&farm, "t", "h264", 2, session);
    take_kind(&first, session, TASK_VIDEO);
    take(&second, session);
    int64_t both[] = {first.fence, second.fence};
    fixture_beat(&farm, session, both, 2);
    ck_assert_int_eq(farm.stop_count, 0);
    fixture_fail(&farm, first.fence, FAILURE_BAD_SOURCE, "it is damaged");
    ck_assert_str_eq(state(), "failing");
    ck_assert_str_eq(error, "bad_source: chunk 0 of h264-720p: it is damaged");
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
    drop(&first);
    drop(&second);
}
END_TEST

START_TEST(a_removal_that_fails_holds_nothing_up) {
    struct held video, remove;
    fixture_run_title(&farm, "t", "h264", 1, session);
    take_kind(&video, session, TASK_VIDEO);
    fixture_fail(&farm, video.fence, FAILURE_BAD_SOURCE, "it is damaged");
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(state(), "failing");
        farm.now_ms += 60000;
        fixture_beat(&farm, session, NULL, 0);
        take(&remove, session);
        ck_assert_int_eq(remove.kind, TASK_REMOVE);
        fixture_fail(&farm, remove.fence, FAILURE_REFUSED, "permission denied");
        drop(&remove);
    }
    ck_assert_str_eq(state(), "failed");
    ck_assert_str_eq(error, "bad_source: chunk 0 of h264-720p: it is damaged");
    drop(&video);
}
END_TEST

START_TEST(cancel_stops_and_keeps) {
    struct held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    take_kind(&video, session, TASK_VIDEO);
    fixture_complete(&farm, video.fence, &video.report);
    drop(&video);
    take(&video, session);
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    ck_assert_str_eq(state(), "cancelled");
    fixture_beat(&farm, session, &video.fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
    fixture_lease(&farm, session, 5);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_int_eq(fixture_cancel(&farm, "t"), ERR_CONFLICT);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_DROPPED);
    drop(&video);

    fixture_submit(&farm, "t", "h264", false); /* goes on from what is made */
    fixture_make(&farm, fixture_lease_one(&farm, session));
    ck_assert_int_eq(fixture_count(&farm, "t", "done"), 1 + 1 + RUNGS); /* probe, sound, chunk 0 */
    fixture_beat(&farm, session, &video.fence, 1);                      /* of the run before */
    ck_assert_int_eq(farm.stop_count, 1);
}
END_TEST

/* ---- reuse
 * ---------------------------------------------------------------------------------------- */

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
    struct held probe;
    fixture_run_title(&farm, "t", "h264", 1, session);
    int all = fixture_work(&farm, session);
    fixture_submit(&farm, "t", "h264", false);
    take(&probe, session);
    snprintf(probe.report.identity, sizeof(probe.report.identity), "sha256:two");
    fixture_complete(&farm, probe.fence, &probe.report);
    ck_assert_int_eq(fixture_work(&farm, session), all);
    drop(&probe);
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
    struct held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    take_kind(&video, session, TASK_VIDEO); /* the sound is done */
    fixture_fail(&farm, video.fence, FAILURE_REFUSED, "no space");
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "failed");
    fixture_submit(&farm, "t", "h264", false);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    ck_assert_int_eq(fixture_count(&farm, "t", "done"), 1); /* the probe alone */
    drop(&video);
}
END_TEST

START_TEST(a_failed_run_keeps_what_a_version_names) {
    struct held package;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_work(&farm, session);
    fixture_submit(&farm, "t", "h264", false);
    take_kind(&package, session, TASK_PACKAGE);
    fixture_fail(&farm, package.fence, FAILURE_REFUSED, "no space");
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "failed");
    ck_assert_int_eq(again("h264", false), 3);
    drop(&package);
}
END_TEST

/* ---- forming
 * --------------------------------------------------------------------------------------- */

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
        {100, "0123"}, {10, "0123"}, {8, "0123"}, /* the rest is not worth a decode of its own */
        {7, "01"},     {6.4, "023"}, {4, "0"},    {0.1, "0"},
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
    struct held parts[RUNGS + 1];
    fixture_run_title(&farm, "t", "h264", 1, session);
    for (int i = 0; i < CHUNKS; i++) { /* the sound and all chunks but one */
        fixture_make(&farm, fixture_lease_one(&farm, session));
    }
    ck_assert_int_eq(fixture_count(&farm, "t", "ready"), RUNGS);
    fixture_join(&farm, "w2", "host2", 3, other);
    take(&parts[0], session);
    ck_assert_int_eq(parts[0].count, 1); /* four free slots: the costliest rung alone */
    ck_assert_ptr_nonnull(strstr(fixture_unit(&farm, parts[0].units[0]).rendition_id, "720p"));
    fixture_lease(&farm, other, 3);
    ck_assert_int_ge(farm.task_count, 2);
    ck_assert_int_eq(fixture_count(&farm, "t", "ready"), 0);
    drop(&parts[0]);
}
END_TEST

START_TEST(one_slot_never_splits) {
    fixture_run_title(&farm, "t", "h264", 1, session);
    ck_assert_int_eq(fixture_work(&farm, session), 1 + CHUNKS + 2);
}
END_TEST

START_TEST(near_the_end_the_longest_goes_first) {
    struct form_group groups[5] = {{0, 1, 3}, {1, 1, 1}, {2, 1, 5}, {3, 1, 5}, {4, 1, 2}};
    ck_assert_int_eq(forming_next(groups, 5, 2), 0); /* five tasks are more than 2 x 2 */
    ck_assert_int_eq(forming_next(groups, 5, 3), 2);
    ck_assert_int_eq(forming_next(groups, 4, 2), 2);
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
    tcase_add_test(life, a_source_that_changes_fails_the_title);
    tcase_add_test(life, a_source_is_remembered);
    tcase_add_test(life, a_title_that_runs_is_not_taken_again);
    tcase_add_test(life, without_an_encoder_a_title_says_so);
    tcase_add_test(life, only_workers_with_the_pinned_build_get_units);
    tcase_add_test(life, titles_are_served_in_order);
    TCase *fences = group(suite, "fences");
    tcase_add_test(fences, the_first_result_wins);
    tcase_add_test(fences, a_report_must_fit_its_lease);
    tcase_add_test(fences, a_late_result_is_taken_and_stops_the_other);
    tcase_add_test(fences, a_late_result_is_taken_by_a_ready_unit);
    tcase_add_test(fences, late_failures_and_late_packages_count_for_nothing);
    TCase *sessions = group(suite, "sessions");
    tcase_add_test(sessions, heartbeats_keep_a_session);
    tcase_add_test(sessions, four_hosts_lost_are_poison_but_not_four_losses);
    tcase_add_test(sessions, leaving_is_no_loss);
    tcase_add_test(sessions, a_lease_that_never_arrived_comes_back);
    tcase_add_test(sessions, a_worker_that_comes_back_keeps_its_task);
    tcase_add_test(sessions, a_restart_forgets_nothing);
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
    tcase_add_test(failures, too_many_repaired_frames_fail_the_title);
    tcase_add_test(failures, too_many_missing_frames_fail_at_the_plan);
    TCase *ends = group(suite, "ends");
    tcase_add_test(ends, a_failing_title_stops_its_tasks_then_removes);
    tcase_add_test(ends, a_removal_that_fails_holds_nothing_up);
    tcase_add_test(ends, cancel_stops_and_keeps);
    TCase *reuse = group(suite, "reuse");
    tcase_add_test(reuse, a_finished_title_is_done_again_at_once);
    tcase_add_test(reuse, another_source_is_made_anew);
    tcase_add_test(reuse, a_rung_more_or_less_touches_no_other);
    tcase_add_test(reuse, a_failed_title_leaves_nothing_to_reuse);
    tcase_add_test(reuse, a_failed_run_keeps_what_a_version_names);
    TCase *forming = group(suite, "forming");
    tcase_add_loop_test(forming, budgets_spread_the_work, 0, 7);
    tcase_add_loop_test(forming, shares_fit_their_budget, 0, 7);
    tcase_add_test(forming, the_last_chunk_is_split_among_free_slots);
    tcase_add_test(forming, one_slot_never_splits);
    tcase_add_test(forming, near_the_end_the_longest_goes_first);
    tcase_add_test(forming, memory_limits_what_a_worker_is_given);
    return suite;
}
