/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Titles that are watched while they are encoded: when their playlists are written, by how many
 * tasks at a time, and when they go. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/api/view.h"
#include "scheduler/early.h"
#include "scheduler/versions.h"
#include "scheduler_fixture.h"

Suite *early_suite(void);

enum { KEEP_MS = 1000000, PACE_MS = 2000, CHUNKS_HELD = 8 };

/* One rung, so that each task of pictures is one chunk; two of them; and what nobody watches. */
#define LADDER(rungs)                                                                              \
    "rungs:\n" rungs "codec: h264\n"                                                               \
    "audio:\n"                                                                                     \
    "  - {codec: aac, channels: 2, bitrate: 96k}\n"
static const char one_rung[] = LADDER("  - {height: 360, maxrate: 1200k}\n");
static const char other_rung[] = LADDER("  - {height: 360, maxrate: 900k}\n");
static const char two_rungs[] = LADDER("  - {height: 360, maxrate: 1200k}\n"
                                       "  - {height: 180, maxrate: 400k}\n");

static struct fixture_farm farm;
static char session[ID_TEXT];
static struct fixture_held sound, video[CHUNKS_HELD];

static void open_farm(void) {
    fixture_farm_open(&farm);
    farm.farm.keep_versions_ms = KEEP_MS;
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 1, session), 0);
    memset(&sound, 0, sizeof(sound));
    memset(video, 0, sizeof(video));
}

static void close_farm(void) {
    fixture_drop(&sound);
    for (int i = 0; i < CHUNKS_HELD; i++) {
        fixture_drop(&video[i]);
    }
    fixture_farm_close(&farm);
}

static void submit(const char *ladder, bool early, bool force) {
    struct title_request request = {.title = "t", .early = early, .force = force};
    ck_assert_int_eq(fixture_submit_as(&farm, &request, ladder), 0);
}

/* Leases the sound and the first chunks, in the order in which they are given out. */
static void begin(const char *ladder) {
    submit(ladder, true, false);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    fixture_take(&farm, &sound, session);
    ck_assert_int_eq(sound.kind, TASK_AUDIO);
    for (int i = 0; i < CHUNKS_HELD; i++) {
        fixture_take(&farm, &video[i], session);
        ck_assert_int_eq(video[i].kind, TASK_VIDEO);
    }
}

static void complete(const struct fixture_held *held) {
    ck_assert_int_eq(fixture_complete(&farm, held->fence, &held->report), ANSWER_ACCEPTED);
}

/* The next task where it is an early one; else none is taken. */
static const struct task *lease_early(void) {
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    return farm.task_count == 1 && farm.tasks[0].kind == TASK_EARLY ? &farm.tasks[0] : NULL;
}

static enum answer list(int64_t fence, int64_t chunks) {
    struct task_report report = {.pin = "", .source_size = -1, .early_chunks = chunks};
    return fixture_complete(&farm, fence, &report);
}

/* Does the early task that is to be had, which lists so many; what it had listed before. */
static int64_t write_lists(int64_t chunks) {
    const struct task *task = lease_early();
    ck_assert_ptr_nonnull(task);
    int64_t before = task->early.chunks;
    ck_assert_int_eq(list(task->fence, chunks), ANSWER_ACCEPTED);
    return before;
}

static void run_sweep(struct tx *tx, void *context) {
    (void)context;
    early_sweep(tx, &farm.farm);
    versions_sweep(tx, &farm.farm);
}

static void pass_ms(int64_t ms) {
    farm.now_ms += ms;
    fixture_beat(&farm, session, NULL, 0);
    ck_assert_int_eq(store_call(farm.store, run_sweep, NULL, NULL), 0);
}

static const char *state(void) {
    static char error[512];
    return fixture_state(&farm, "t", error, sizeof(error));
}

/* What clients see: "12.0", with a full stop where it is whole; "-" where nobody asked. */
static const char *seen(void) {
    static char text[64];
    struct json *tree = fixture_look(&farm, view_title, "t");
    struct reader r = reader_of(tree, "title", &farm.err);
    snprintf(text, sizeof(text), "-");
    if (reader_has(&r, "early")) {
        struct reader early = reader_object(&r, "early");
        const char *playlist = "";
        double seconds = 0;
        bool whole = false;
        reader_string(&early, "playlist", &playlist);
        reader_number(&early, "seconds", 0, 1e9, &seconds);
        reader_bool(&early, "whole", &whole);
        ck_assert_str_eq(playlist, "/out/t/early.m3u8");
        snprintf(text, sizeof(text), "%.1f%s", seconds, whole ? "." : "");
    }
    ck_assert(reader_ok(&r));
    json_tree_destroy(tree);
    return text;
}

/* ---- when a task is given out -------------------------------------------------- */

START_TEST(nothing_before_the_sound_and_the_head) {
    begin(one_rung);
    ck_assert_str_eq(seen(), "0.0");
    const struct fixture_held *order[] = {&sound, &video[0]};
    complete(order[_i]);
    ck_assert_int_eq(fixture_count(&farm, "t", "blocked"), 3); /* early, package, swap */
    complete(order[1 - _i]);
    ck_assert_int_eq(fixture_count(&farm, "t", "blocked"), 2);
    ck_assert_int_eq(write_lists(1), 0);
    ck_assert_str_eq(seen(), "4.0");
}
END_TEST

/* A hole holds back what comes behind it. */
START_TEST(it_goes_on_with_the_run_of_chunks_alone) {
    begin(one_rung);
    complete(&sound);
    complete(&video[0]);
    write_lists(1);
    complete(&video[2]);
    complete(&video[3]);
    ck_assert_int_eq(fixture_count(&farm, "t", "blocked"), 3);
    complete(&video[1]);
    ck_assert_int_eq(fixture_count(&farm, "t", "blocked"), 2);
    farm.now_ms += PACE_MS;
    ck_assert_int_eq(write_lists(4), 1);
    ck_assert_str_eq(seen(), "24.0"); /* 1, 1, 2 and 2 segments */
}
END_TEST

START_TEST(all_rungs_go_on_together) {
    submit(two_rungs, true, false);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    int64_t units = 0;
    while (units < 3) { /* of the sound and the first chunk, of which each rung may be a task */
        const struct task *task = fixture_lease_one(&farm, session);
        ck_assert_int_ne(task->kind, TASK_EARLY);
        units += (int64_t)task->unit_count;
        ck_assert_int_eq(fixture_count(&farm, "t", "blocked"), 3);
        fixture_make(&farm, task);
    }
    ck_assert_ptr_nonnull(lease_early());
}
END_TEST

START_TEST(never_two_at_a_time_and_not_too_often) {
    begin(one_rung);
    complete(&sound);
    complete(&video[0]);
    const struct task *task = lease_early();
    ck_assert_ptr_nonnull(task);
    int64_t fence = task->fence;
    complete(&video[1]); /* it may have looked already */
    ck_assert_ptr_null(lease_early());
    farm.now_ms += 10;
    ck_assert_int_eq(list(fence, 1), ANSWER_ACCEPTED);
    ck_assert_ptr_null(lease_early());
    farm.now_ms += 99;
    ck_assert_ptr_null(lease_early());
    farm.now_ms += 1;
    ck_assert_int_eq(write_lists(2), 1);
    ck_assert_int_eq(farm.task_count, 1);
}
END_TEST

START_TEST(a_report_that_can_not_be_is_refused) {
    static const int64_t told[] = {0, 1, 1000};
    begin(one_rung);
    complete(&sound);
    complete(&video[0]);
    complete(&video[1]);
    write_lists(2);
    complete(&video[2]);
    farm.now_ms += PACE_MS;
    const struct task *task = lease_early();
    ck_assert_ptr_nonnull(task);
    list(task->fence, told[_i]);
    ck_assert_int_eq(farm.err.code, ERR_INVALID);
}
END_TEST

/* ---- its end ------------------------------------------------------------------- */

static int64_t chunks_of_title(void) {
    int64_t chunks = 0;
    struct json *tree = fixture_look(&farm, view_title, "t");
    struct reader r = reader_of(tree, "title", &farm.err);
    struct reader renditions = reader_array(&r, "renditions");
    struct reader first = reader_item(&renditions, 0);
    reader_int(&first, "units", 0, 1000, &chunks);
    json_tree_destroy(tree);
    return chunks;
}

/* The version is swapped in after the playlists have ended, whatever else is done. */
START_TEST(the_swap_waits_for_the_last_of_it) {
    submit(one_rung, true, false);
    int64_t held = 0;
    while (held == 0) {
        const struct task *task = fixture_lease_one(&farm, session);
        if (task->kind == TASK_EARLY) {
            held = task->fence;
        } else {
            fixture_make(&farm, task);
        }
    }
    while (fixture_lease(&farm, session, 1) == 0 && farm.task_count > 0) {
        ck_assert_int_ne(farm.tasks[0].kind, TASK_SWAP);
        ck_assert_int_ne(farm.tasks[0].kind, TASK_EARLY);
        fixture_make(&farm, &farm.tasks[0]);
    }
    ck_assert_str_eq(state(), "running");
    ck_assert_int_eq(list(held, chunks_of_title()), ANSWER_ACCEPTED);
    ck_assert_str_eq(seen(), "100.0.");
    const struct task *swap = fixture_lease_one(&farm, session);
    ck_assert_int_eq(swap->kind, TASK_SWAP);
    fixture_make(&farm, swap);
    ck_assert_str_eq(state(), "done");
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
}
END_TEST

/* A version of its own for each ladder. */
static void package(const struct task *task, const char *ladder) {
    struct task_report report;
    fixture_report(&report, task, 0);
    memset(report.version, ladder == one_rung ? 'a' : 'b', 16);
    ck_assert_int_eq(fixture_complete(&farm, task->fence, &report), ANSWER_ACCEPTED);
    task_report_finish(&report);
}

static void publish(const char *ladder, bool early) {
    submit(ladder, early, false);
    while (fixture_lease(&farm, session, 1) == 0) {
        if (farm.task_count == 0 && strcmp(state(), "done") == 0) {
            return;
        }
        if (farm.task_count > 0 && farm.tasks[0].kind == TASK_PACKAGE) {
            package(&farm.tasks[0], ladder);
        } else if (farm.task_count > 0) {
            fixture_make(&farm, &farm.tasks[0]);
        }
        farm.now_ms += PACE_MS;
        fixture_beat(&farm, session, NULL, 0);
    }
}

START_TEST(what_is_made_is_listed_at_once) {
    publish(one_rung, false);
    ck_assert_str_eq(seen(), "-");
    submit(one_rung, true, false);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    write_lists(chunks_of_title());
    ck_assert_str_eq(seen(), "100.0.");
}
END_TEST

/* ---- kills ---------------------------------------------------------------------- */

/* Whoever writes them is lost, or fails, or the scheduler restarts: they are written anew. */
START_TEST(a_task_that_is_lost_is_given_out_anew) {
    begin(one_rung);
    complete(&sound);
    complete(&video[0]);
    const struct task *task = lease_early();
    ck_assert_ptr_nonnull(task);
    int64_t fence = task->fence, run = task->early.run;
    if (_i == 0) {
        fixture_fail(&farm, fence, FAILURE_IO, "the store is away");
        farm.now_ms += 60000;
        fixture_beat(&farm, session, NULL, 0);
    } else {
        fixture_lose(&farm);
        ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
        ck_assert_int_eq(list(fence, 1), ANSWER_CONFLICT);
    }
    if (_i == 2) {
        fixture_farm_restart(&farm);
    }
    task = lease_early();
    ck_assert_ptr_nonnull(task);
    ck_assert_int_eq(task->early.run, run);
    ck_assert_int_eq(task->early.chunks, 0);
    ck_assert_int_eq(list(task->fence, 1), ANSWER_ACCEPTED);
}
END_TEST

/* Failures are counted from one success to the next, or a long title would fail by chance. */
START_TEST(a_success_forgives_failures) {
    begin(one_rung);
    complete(&sound);
    for (int i = 0; i < 6; i++) {
        complete(&video[i]);
        farm.now_ms += PACE_MS;
        const struct task *task = lease_early();
        ck_assert_ptr_nonnull(task);
        fixture_fail(&farm, task->fence, FAILURE_IO, "the store is away");
        farm.now_ms += 60000;
        fixture_beat(&farm, session, NULL, 0);
        write_lists(i + 1);
    }
    ck_assert_str_eq(state(), "running");
}
END_TEST

/* Objects that are gone are made again, and the playlists wait for them. */
START_TEST(what_is_missing_is_made_again) {
    begin(one_rung);
    complete(&sound);
    complete(&video[0]);
    complete(&video[1]);
    const struct task *task = lease_early();
    ck_assert_ptr_nonnull(task);
    ck_assert_int_eq(fixture_fail_units(&farm, task->fence, FAILURE_MISSING, video[1].units, 1),
                     ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_count(&farm, "t", "blocked"), 3);
    fixture_drop(&video[1]);
    fixture_take(&farm, &video[1], session);
    complete(&video[1]);
    write_lists(2);
}
END_TEST

/* Both who write manifests find it out at one time, whoever tells first. */
START_TEST(early_and_package_may_both_miss_it) {
    publish(one_rung, false);
    submit(one_rung, true, false);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    struct fixture_held both[2] = {0};
    fixture_take(&farm, &both[0], session);
    fixture_take(&farm, &both[1], session);
    ck_assert_int_eq(both[0].kind, TASK_EARLY);
    ck_assert_int_eq(both[1].kind, TASK_PACKAGE);
    int64_t gone = both[1].units[0] - 1; /* the last chunk */
    for (int i = 0; i < 2; i++) {
        fixture_fail_units(&farm, both[_i == 0 ? i : 1 - i].fence, FAILURE_MISSING, &gone, 1);
    }
    ck_assert_str_eq(state(), "running");
    fixture_drop(&both[0]);
    fixture_drop(&both[1]);
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_VIDEO);
    fixture_make(&farm, task);
    write_lists(chunks_of_title());
    ck_assert_str_eq(seen(), "100.0.");
}
END_TEST

/* A chunk takes longer to make again than the pauses after four failures. */
START_TEST(what_is_made_again_is_waited_for) {
    publish(one_rung, false);
    submit(one_rung, true, false);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    struct fixture_held early, package, chunk;
    fixture_take(&farm, &early, session);
    fixture_take(&farm, &package, session);
    int64_t gone = package.units[0] - chunks_of_title(); /* the first chunk */
    fixture_fail_units(&farm, package.fence, FAILURE_MISSING, &gone, 1);
    fixture_take(&farm, &chunk, session);
    ck_assert_int_eq(chunk.units[0], gone);
    fixture_fail(&farm, early.fence, FAILURE_IO, "0 chunks are done");
    farm.now_ms += 60000;
    fixture_beat(&farm, session, &chunk.fence, 1);
    ck_assert_ptr_null(lease_early());
    complete(&chunk);
    write_lists(chunks_of_title());
    fixture_drop(&early);
    fixture_drop(&package);
    fixture_drop(&chunk);
}
END_TEST

/* ---- failure, cancel, new runs ---------------------------------------------------- */

static void break_title(void) {
    fixture_fail(&farm, video[7].fence, FAILURE_BAD_SOURCE, "it is torn");
    ck_assert_str_eq(state(), "failing");
}

START_TEST(a_title_that_fails_takes_them_away_first) {
    begin(one_rung);
    complete(&sound);
    complete(&video[0]);
    int64_t run = 0, fence = 0;
    const struct task *task = lease_early();
    run = task->early.run;
    fence = task->fence;
    if (_i == 0) {
        list(fence, 1);
    }
    break_title();
    if (_i == 1) { /* half written: it is waited for, and goes too */
        ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
        ck_assert_int_eq(farm.task_count, 0);
        ck_assert_int_eq(list(fence, 1), ANSWER_CONFLICT);
    }
    fixture_beat(&farm, session, NULL, 0);
    farm.now_ms += farm.farm.ttl_ms + 1;
    fixture_beat(&farm, session, NULL, 0);
    task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_REMOVE);
    char name[24];
    snprintf(name, sizeof(name), "%lld", (long long)run);
    ck_assert_uint_eq(task->early.run_count, 1);
    ck_assert_str_eq(task->early.runs[0], name);
    ck_assert(task->early.top && !task->early.alone);
    fixture_make(&farm, task);
    ck_assert_str_eq(state(), "failed");
    ck_assert_str_eq(seen(), "0.0");
}
END_TEST

/* Cancelled and taken up again, the playlists grow on; made anew, they begin anew. */
START_TEST(a_run_goes_on_with_what_did_not_end) {
    static const struct {
        const char *ladder;
        bool force, goes_on;
    } cases[] = {{one_rung, false, true}, {one_rung, true, false}, {other_rung, false, false}};
    begin(one_rung);
    complete(&sound);
    complete(&video[0]);
    complete(&video[1]);
    const struct task *task = lease_early();
    int64_t run = task->early.run;
    list(task->fence, 2);
    complete(&video[2]);
    fixture_cancel(&farm, "t");
    farm.now_ms += farm.farm.ttl_ms + 1;
    fixture_beat(&farm, session, NULL, 0);
    submit(cases[_i].ladder, true, cases[_i].force);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    while ((task = lease_early()) == NULL) {
        fixture_make(&farm, &farm.tasks[0]);
    }
    ck_assert_int_eq(task->early.run == run, cases[_i].goes_on);
    ck_assert_int_eq(task->early.chunks, cases[_i].goes_on ? 2 : 0);
}
END_TEST

/* What the run before still writes is waited for. */
START_TEST(a_run_and_an_old_early_task_are_never_at_once) {
    begin(one_rung);
    complete(&sound);
    complete(&video[0]);
    const struct task *task = lease_early();
    int64_t fence = task->fence;
    fixture_beat(&farm, session, &fence, 1);
    fixture_cancel(&farm, "t");
    submit(one_rung, true, false);
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
    fixture_beat(&farm, session, &fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
    fixture_beat(&farm, session, NULL, 0);
    ck_assert_int_eq(fixture_lease_one(&farm, session)->kind, TASK_PROBE);
}
END_TEST

/* ---- their time is past ------------------------------------------------------------ */

START_TEST(they_go_when_their_time_is_past) {
    publish(one_rung, true);
    pass_ms(KEEP_MS / 2);
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
    if (_i == 1) {
        fixture_farm_restart(&farm);
        farm.farm.keep_versions_ms = KEEP_MS;
    }
    pass_ms(KEEP_MS / 2);
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_REMOVE);
    ck_assert(task->early.alone && task->early.top && !task->everything);
    ck_assert_uint_eq(task->early.run_count, 1);
    ck_assert_uint_eq(task->version_count, 0);
    if (_i == 2) { /* given up, and tried again later */
        for (int i = 0; i < 4; i++) {
            fixture_fail(&farm, task->fence, FAILURE_REFUSED, "permission denied");
            pass_ms(60000);
            fixture_lease(&farm, session, 1);
            task = &farm.tasks[0];
        }
        ck_assert_int_eq(farm.task_count, 0);
        pass_ms(60 * 60 * 1000);
        task = fixture_lease_one(&farm, session);
        ck_assert(task->early.alone && task->early.top);
    }
    fixture_make(&farm, task);
    pass_ms(10 * KEEP_MS);
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_str_eq(state(), "done");
}
END_TEST

/* What a lost worker puts may be listed early, so it goes after such playlists. */
START_TEST(leftovers_go_after_the_playlists) {
    begin(one_rung);
    fixture_lose(&farm);
    ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
    while (strcmp(state(), "done") != 0) {
        fixture_make(&farm, fixture_lease_one(&farm, session));
        farm.now_ms += PACE_MS;
        fixture_beat(&farm, session, NULL, 0);
    }
    farm.now_ms += FIXTURE_KEEP_MS + KEEP_MS;
    fixture_beat(&farm, session, NULL, 0);
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
    pass_ms(1);
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert(task->kind == TASK_REMOVE && task->early.alone);
    fixture_make(&farm, task);
    pass_ms(60000);
    task = fixture_lease_one(&farm, session);
    ck_assert(task->kind == TASK_REMOVE && !task->early.alone && !task->everything);
    fixture_make(&farm, task);
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
}
END_TEST

/* Those of a later run keep their name, and a version goes after what may list it. */
START_TEST(the_older_go_alone_and_before_versions) {
    publish(one_rung, true);
    pass_ms(KEEP_MS / 2);
    publish(other_rung, true);
    pass_ms(KEEP_MS / 2);
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_REMOVE);
    ck_assert(task->early.alone && !task->early.top);
    ck_assert_uint_eq(task->early.run_count, 1);
    fixture_make(&farm, task);
    submit(one_rung, true, true); /* and is cancelled: it may go on, so no version goes */
    while ((task = lease_early()) == NULL) {
        fixture_make(&farm, &farm.tasks[0]);
    }
    list(task->fence, 1);
    fixture_cancel(&farm, "t");
    farm.now_ms += farm.farm.ttl_ms + 1;
    fixture_beat(&farm, session, NULL, 0);
    pass_ms(KEEP_MS / 2); /* the second run's time is past, and the first version's */
    task = fixture_lease_one(&farm, session);
    ck_assert(task->kind == TASK_REMOVE && task->early.alone && !task->early.top);
    ck_assert_uint_eq(task->early.run_count, 1);
    fixture_make(&farm, task);
    pass_ms(1);
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
    pass_ms(KEEP_MS / 2);
    task = fixture_lease_one(&farm, session);
    ck_assert(task->kind == TASK_REMOVE && task->early.alone && task->early.top);
    fixture_make(&farm, task);
    pass_ms(1);
    task = fixture_lease_one(&farm, session);
    ck_assert(task->kind == TASK_REMOVE && !task->early.alone);
}
END_TEST

Suite *early_suite(void) {
    Suite *suite = suite_create("early");
    TCase *tc = tcase_create("early");
    tcase_add_checked_fixture(tc, open_farm, close_farm);
    tcase_add_loop_test(tc, nothing_before_the_sound_and_the_head, 0, 2);
    tcase_add_test(tc, it_goes_on_with_the_run_of_chunks_alone);
    tcase_add_test(tc, all_rungs_go_on_together);
    tcase_add_test(tc, never_two_at_a_time_and_not_too_often);
    tcase_add_loop_test(tc, a_report_that_can_not_be_is_refused, 0, 3);
    tcase_add_test(tc, the_swap_waits_for_the_last_of_it);
    tcase_add_test(tc, what_is_made_is_listed_at_once);
    tcase_add_loop_test(tc, a_task_that_is_lost_is_given_out_anew, 0, 3);
    tcase_add_test(tc, a_success_forgives_failures);
    tcase_add_test(tc, what_is_missing_is_made_again);
    tcase_add_loop_test(tc, early_and_package_may_both_miss_it, 0, 2);
    tcase_add_test(tc, what_is_made_again_is_waited_for);
    tcase_add_loop_test(tc, a_title_that_fails_takes_them_away_first, 0, 2);
    tcase_add_loop_test(tc, a_run_goes_on_with_what_did_not_end, 0, 3);
    tcase_add_test(tc, a_run_and_an_old_early_task_are_never_at_once);
    tcase_add_loop_test(tc, they_go_when_their_time_is_past, 0, 3);
    tcase_add_test(tc, leftovers_go_after_the_playlists);
    tcase_add_test(tc, the_older_go_alone_and_before_versions);
    suite_add_tcase(suite, tc);
    return suite;
}
