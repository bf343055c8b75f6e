/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Titles that are taken away: what stops, what is removed where and when, what is forgotten. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/api/view.h"
#include "scheduler/events.h"
#include "scheduler_fixture.h"

Suite *removal_suite(void);

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

static void find_title(struct tx *tx, void *context) {
    struct title_row row = {0};
    *(bool *)context = title_find(tx, "t", &row);
    title_row_finish(&row);
}

static bool is_there(void) {
    bool found = false;
    ck_assert_int_eq(store_call(farm.store, find_title, &found, NULL), 0);
    return found;
}

/* The next task, which is to remove all of the title. */
static const struct task *lease_removal(const char *output) {
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_REMOVE);
    ck_assert(task->everything);
    ck_assert_str_eq(task->output, output);
    return task;
}

static int leased(void) {
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    return farm.task_count;
}

static void make_title(void) {
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_work(&farm, session);
    ck_assert_str_eq(state(), "done");
}

START_TEST(a_title_goes_when_its_files_have) {
    make_title();
    ck_assert(!fixture_remove(&farm, "t", false));
    ck_assert_str_eq(state(), "removing");
    ck_assert(!fixture_remove(&farm, "t", false)); /* once more is as good as once */
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), ERR_CONFLICT);
    ck_assert_int_eq(fixture_cancel(&farm, "t"), ERR_CONFLICT);
    fixture_make(&farm, lease_removal("/out"));
    ck_assert(!is_there());
    ck_assert_int_eq(leased(), 0);
    fixture_remove(&farm, "t", false);
    ck_assert_int_eq(farm.err.code, ERR_NOT_FOUND);
}
END_TEST

/* All is made anew: nothing counts on what was removed. */
START_TEST(nothing_of_it_is_reused) {
    make_title();
    int units = fixture_count(&farm, "t", "done");
    fixture_remove(&farm, "t", _i != 0);
    if (_i == 0) {
        fixture_make(&farm, lease_removal("/out"));
    }
    ck_assert(!is_there());
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), 0);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    ck_assert_int_eq(fixture_count(&farm, "t", "done"), 1);
    fixture_work(&farm, session);
    ck_assert_int_eq(fixture_count(&farm, "t", "done"), units);
}
END_TEST

/* In whatever way the task that runs ends, nothing is removed before. */
START_TEST(what_runs_stops_first) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_beat(&farm, session, &video.fence, 1);
    fixture_remove(&farm, "t", false);
    ck_assert_int_eq(leased(), 0);
    fixture_beat(&farm, session, &video.fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
    ck_assert_int_eq(leased(), 0);
    if (_i == 0) {
        fixture_beat(&farm, session, NULL, 0);
    } else if (_i == 1) {
        ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_DROPPED);
    } else {
        fixture_lose(&farm);
        ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
    }
    fixture_make(&farm, lease_removal("/out"));
    ck_assert(!is_there());
    fixture_drop(&video);
}
END_TEST

/* Work of a title that came before is ready all the while. */
START_TEST(it_waits_for_no_other_title_s_work) {
    fixture_run_title(&farm, "other", "h264", 1, session);
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), 0);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    fixture_remove(&farm, "t", false);
    fixture_make(&farm, lease_removal("/out"));
    ck_assert(!is_there());
    ck_assert_int_ne(fixture_lease_one(&farm, session)->kind, TASK_REMOVE);
}
END_TEST

START_TEST(half_way_it_is_taken_up_again) {
    make_title();
    fixture_remove(&farm, "t", false);
    int64_t lost = lease_removal("/out")->fence;
    if (_i == 1) {
        fixture_farm_restart(&farm);
    }
    fixture_lose(&farm);
    ck_assert_str_eq(state(), "removing");
    ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
    const struct task *task = lease_removal("/out");
    ck_assert_int_ne(task->fence, lost);
    fixture_make(&farm, task);
    ck_assert(!is_there());
}
END_TEST

START_TEST(one_that_is_refused_may_be_asked_for_again) {
    make_title();
    fixture_remove(&farm, "t", false);
    for (int i = 0; i < 4; i++) {
        ck_assert_str_eq(state(), "removing");
        farm.now_ms += 60000;
        fixture_beat(&farm, session, NULL, 0);
        fixture_fail(&farm, lease_removal("/out")->fence, FAILURE_REFUSED, "permission denied");
    }
    ck_assert_str_eq(state(), "failed");
    ck_assert_ptr_nonnull(strstr(error, "its files can't be removed: "));
    ck_assert_ptr_nonnull(strstr(error, "permission denied"));
    if (_i == 0) {
        ck_assert(!fixture_remove(&farm, "t", false));
        farm.now_ms += 60000;
        fixture_beat(&farm, session, NULL, 0);
        fixture_make(&farm, lease_removal("/out"));
    } else {
        ck_assert(fixture_remove(&farm, "t", true));
    }
    ck_assert(!is_there());
}
END_TEST

/* Where no worker comes, or runs it without end. */
START_TEST(files_are_kept_of_one_whose_removal_waits_too) {
    make_title();
    fixture_remove(&farm, "t", false);
    if (_i == 0) {
        ck_assert(fixture_remove(&farm, "t", true));
    } else {
        int64_t fence = lease_removal("/out")->fence;
        fixture_beat(&farm, session, &fence, 1);
        ck_assert(!fixture_remove(&farm, "t", true));
        fixture_beat(&farm, session, &fence, 1);
        ck_assert_int_eq(farm.stop_count, 1);
        ck_assert(is_there());
        fixture_beat(&farm, session, NULL, 0);
    }
    ck_assert(!is_there());
    ck_assert_int_eq(leased(), 0);
}
END_TEST

/* The task that removes what a failed run made is told to stop before another removes all. */
START_TEST(a_failing_title_goes_too) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_fail(&farm, video.fence, FAILURE_BAD_SOURCE, "it is damaged");
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert(!task->everything);
    int64_t fence = task->fence;
    ck_assert_int_eq(task->kind, TASK_REMOVE);
    fixture_beat(&farm, session, &fence, 1);
    fixture_remove(&farm, "t", false);
    ck_assert_int_eq(leased(), 0);
    fixture_beat(&farm, session, NULL, 0);
    fixture_make(&farm, lease_removal("/out"));
    ck_assert(!is_there());
    fixture_drop(&video);
}
END_TEST

/* A new run writes nothing while a removal that was told to stop may go on. */
START_TEST(a_run_waits_for_the_end_of_a_removal) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    fixture_fail(&farm, video.fence, FAILURE_BAD_SOURCE, "it is damaged");
    int64_t fence = fixture_lease_one(&farm, session)->fence;
    fixture_beat(&farm, session, &fence, 1);
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), 0);
    ck_assert_int_eq(leased(), 0);
    if (_i == 0) {
        fixture_beat(&farm, session, NULL, 0);
    } else {
        fixture_lose(&farm);
        ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
    }
    ck_assert_int_eq(fixture_lease_one(&farm, session)->kind, TASK_PROBE);
    fixture_drop(&video);
}
END_TEST

/* The next task, which is to remove what no kept version names. */
static const struct task *lease_leftovers(void) {
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_REMOVE);
    ck_assert(!task->everything && !task->early.alone);
    ck_assert_str_eq(task->title, "t");
    ck_assert_str_eq(task->output, "/out");
    return task;
}

/* Does all of the title's run, of which nothing is removed meanwhile. */
static void run_to_its_end(void) {
    while (strcmp(state(), "done") != 0) {
        const struct task *task = fixture_lease_one(&farm, session);
        ck_assert_int_ne(task->kind, TASK_REMOVE);
        fixture_make(&farm, task);
    }
}

/* A worker is lost with a task of the title, and another comes. */
static void lose_one_with(enum task_kind kind) {
    struct fixture_held held;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &held, session, kind);
    fixture_lose(&farm);
    ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
    fixture_drop(&held);
}

static void lose_one_that_encodes(void) {
    lose_one_with(TASK_VIDEO);
}

/* The title is gone, or has failed, while the lost worker's child goes on. */
static void end_title(bool goes) {
    if (goes) {
        fixture_remove(&farm, "t", false);
        fixture_make(&farm, lease_removal("/out"));
        ck_assert(!is_there());
    } else {
        int64_t fence = fixture_lease_one(&farm, session)->fence;
        fixture_fail(&farm, fence, FAILURE_BAD_SOURCE, "it is damaged");
        fixture_make(&farm, fixture_lease_one(&farm, session));
        ck_assert_str_eq(state(), "failed");
    }
}

static void find_lease(struct tx *tx, void *context) {
    struct lease_row lease;
    int64_t *fence = context;
    *fence = lease_find(tx, *fence, &lease) ? *fence : 0;
}

/* What it puts until it stops by itself is removed then, also by a scheduler that began since. */
START_TEST(what_a_lost_worker_puts_goes_too) {
    lose_one_with(_i == 1 ? TASK_AUDIO : TASK_VIDEO);
    end_title(_i < 2);
    ck_assert_int_eq(leased(), 0);
    int64_t due = farm.retry_at;
    ck_assert_int_gt(due, farm.now_ms + FIXTURE_KEEP_MS);
    farm.now_ms = due - 1;
    ck_assert_int_eq(leased(), 0);
    if (_i == 1) {
        fixture_farm_restart(&farm);
    }
    farm.now_ms = due;
    const struct task *task = lease_leftovers();
    int64_t fence = task->fence;
    fixture_make(&farm, task);
    ck_assert_int_eq(store_call(farm.store, find_lease, &fence, NULL), 0);
    ck_assert_int_eq(fence != 0, _i == 2); /* nothing is kept of a title that is gone */
    farm.now_ms += 86400000;
    ck_assert_int_eq(leased(), 0);
}
END_TEST

/* What is removed with the title once that worker has stopped needs no other removal. */
START_TEST(what_a_lost_worker_put_goes_with_the_title) {
    lose_one_that_encodes();
    farm.now_ms += 86400000;
    fixture_make(&farm, fixture_lease_one(&farm, session)); /* none of it while the title runs */
    if (_i == 0) {
        fixture_remove(&farm, "t", false);
        fixture_make(&farm, lease_removal("/out"));
    } else {
        end_title(false);
    }
    farm.now_ms += 86400000;
    ck_assert_int_eq(leased(), 0);
}
END_TEST

/* After a loss and a cancelled run the next one fails: what is put till then goes then. */
START_TEST(what_a_lost_worker_puts_goes_after_later_runs) {
    lose_one_that_encodes();
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    ck_assert_int_eq(leased(), 0);
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", true), 0);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    end_title(false);
    ck_assert_int_eq(leased(), 0);
    ck_assert_int_gt(farm.retry_at, farm.now_ms + FIXTURE_KEEP_MS);
    farm.now_ms = farm.retry_at;
    fixture_make(&farm, lease_leftovers());
}
END_TEST

/* What waits for a next run stands in nobody's way, and the earliest that is due is waited for. */
START_TEST(titles_do_not_wait_for_each_other) {
    struct fixture_held video;
    char other[ID_TEXT];
    fixture_run_title(&farm, "c", "h264", 1, session);
    ck_assert_int_eq(fixture_cancel(&farm, "c"), 0);
    lose_one_that_encodes();
    end_title(true);
    ck_assert_int_eq(leased(), 0);
    int64_t due = farm.retry_at;
    farm.now_ms += 60000;
    fixture_beat(&farm, session, NULL, 0);
    fixture_run_title(&farm, "u", "h264", 1, other);
    fixture_take_kind(&farm, &video, other, TASK_VIDEO);
    fixture_lose(&farm);
    ck_assert_int_eq(fixture_join(&farm, "w4", "host4", 1, session), 0);
    fixture_remove(&farm, "u", false);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    ck_assert_int_eq(leased(), 0);
    ck_assert_int_eq(farm.retry_at, due);
    farm.now_ms = due;
    fixture_make(&farm, lease_leftovers());
    fixture_drop(&video);
}
END_TEST

/* Nothing was put by a run that had not even read its source. */
START_TEST(a_run_that_was_cancelled_at_once_left_nothing) {
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 1, session), 0);
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), 0);
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), 0);
    while (strcmp(state(), "done") != 0) {
        fixture_make(&farm, fixture_lease_one(&farm, session));
    }
    ck_assert_int_eq(leased(), 0);
}
END_TEST

static const char other_ladder[] = "codec: h264\n"
                                   "rungs:\n"
                                   "  - {height: 180}\n"
                                   "audio:\n"
                                   "  - {codec: aac}\n";

/* What the cancelled run made and the next did not want is removed, and counted on no more. */
START_TEST(a_later_run_counts_on_no_leftovers) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    fixture_drop(&video);
    int made = fixture_count(&farm, "t", "done");
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    ck_assert_int_eq(fixture_submit(&farm, "t", other_ladder, false), 0);
    while (strcmp(state(), "done") != 0) {
        fixture_make(&farm, fixture_lease_one(&farm, session));
    }
    fixture_make(&farm, lease_leftovers());
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), 0);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    ck_assert_int_lt(fixture_count(&farm, "t", "done"), made);
}
END_TEST

/* Its title's removal is given up, and it goes all the same. */
START_TEST(leftovers_go_where_the_title_s_removal_was_refused) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    fixture_drop(&video);
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    fixture_remove(&farm, "t", false);
    for (int i = 0; i < 4; i++) {
        farm.now_ms += 60000;
        fixture_beat(&farm, session, NULL, 0);
        fixture_fail(&farm, lease_removal("/out")->fence, FAILURE_REFUSED, "permission denied");
    }
    ck_assert_str_eq(state(), "failed");
    fixture_make(&farm, lease_leftovers());
}
END_TEST

/* Nor does a run that was cancelled before keep that waiting for a next one, which never comes. */
START_TEST(what_a_lost_worker_puts_goes_after_a_cancelled_run) {
    lose_one_that_encodes();
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    end_title(true);
    farm.now_ms += 86400000;
    fixture_make(&farm, lease_leftovers());
    ck_assert_int_eq(leased(), 0);
}
END_TEST

/* An older worker may misread what versions name. */
START_TEST(leftovers_are_for_workers_that_know_titles) {
    char older[ID_TEXT];
    lose_one_that_encodes();
    end_title(true);
    farm.now_ms += 86400000;
    farm.old = true;
    ck_assert_int_eq(fixture_join(&farm, "older", "older", 1, older), 0);
    farm.old = false;
    ck_assert_int_eq(fixture_lease(&farm, older, 1), 0);
    ck_assert_int_eq((int)farm.task_count, 0);
    fixture_make(&farm, lease_leftovers());
}
END_TEST

START_TEST(what_a_lost_worker_puts_stays_where_files_are_kept) {
    lose_one_that_encodes();
    ck_assert(fixture_remove(&farm, "t", true));
    farm.now_ms += 86400000;
    ck_assert_int_eq(leased(), 0);
}
END_TEST

/* Nor is anything put by a new title of the name while it is removed; and where that can't be done
 * it is tried again, some times. */
START_TEST(leftovers_are_tried_again_and_waited_for) {
    lose_one_that_encodes();
    end_title(true);
    farm.now_ms += 86400000;
    fixture_fail(&farm, lease_leftovers()->fence, FAILURE_IO, "the store is away");
    ck_assert_int_eq(leased(), 0);
    farm.now_ms = farm.retry_at;
    struct fixture_held removal;
    fixture_take(&farm, &removal, session);
    ck_assert_int_eq(removal.kind, TASK_REMOVE);
    ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), 0);
    ck_assert_int_eq(leased(), 0);
    if (_i == 0) {
        fixture_lose(&farm);
        ck_assert_int_ne(fixture_complete(&farm, removal.fence, &removal.report), ANSWER_ACCEPTED);
        ck_assert_int_eq(fixture_join(&farm, "w3", "host3", 1, session), 0);
        fixture_work(&farm, session);
        farm.now_ms += 86400000; /* after a run as well */
        fixture_make(&farm, lease_leftovers());
        ck_assert_int_eq(leased(), 0);
    } else {
        ck_assert_int_eq(fixture_complete(&farm, removal.fence, &removal.report), ANSWER_ACCEPTED);
        ck_assert_int_gt(fixture_work(&farm, session), 0);
    }
    ck_assert_str_eq(state(), "done");
    fixture_drop(&removal);
}
END_TEST

START_TEST(leftovers_are_given_up_at_last) {
    int tries = 0;
    lose_one_that_encodes();
    end_title(true);
    for (farm.now_ms += 86400000; leased() > 0; farm.now_ms += 86400000) {
        ck_assert_int_lt(tries++, 100);
        fixture_fail(&farm, farm.tasks[0].fence, FAILURE_REFUSED, "permission denied");
    }
    ck_assert_int_ge(tries, 4);
    farm.now_ms += 86400000;
    ck_assert_int_eq(leased(), 0);
}
END_TEST

/* What is lost next is tried as often, however often that before was. */
START_TEST(each_loss_has_its_own_tries) {
    lose_one_that_encodes();
    end_title(true);
    for (int tries = 0; tries < 20; tries++) {
        if (tries == 10) {
            lose_one_that_encodes();
            end_title(true);
        }
        farm.now_ms += 86400000;
        fixture_fail(&farm, lease_leftovers()->fence, FAILURE_REFUSED, "permission denied");
    }
}
END_TEST

/* Of the title, as people are told. */
static int64_t failures(void) {
    int64_t count = -1;
    struct json *tree = fixture_look(&farm, view_title, "t");
    struct reader r = reader_of(tree, "title", &farm.err);
    struct reader stats = reader_object(&r, "stats");
    reader_int(&stats, "failures", 0, INT64_MAX, &count);
    ck_assert_msg(reader_ok(&r), "%s", farm.err.message);
    json_tree_destroy(tree);
    return count;
}

/* What a run that was cancelled made stays for the next one, and goes where that made others; what
 * a lost worker puts while the title runs on goes when that has ended, too. */
START_TEST(what_no_run_names_goes_after_the_last) {
    struct fixture_held video;
    if (_i == 0) {
        fixture_run_title(&farm, "t", "h264", 1, session);
        fixture_take_kind(&farm, &video, session, TASK_VIDEO);
        ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
        fixture_drop(&video);
        ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
        farm.now_ms += 86400000;
        ck_assert_int_eq(leased(), 0);
        ck_assert_int_eq(fixture_submit(&farm, "t", "h264", false), 0);
    } else {
        lose_one_that_encodes();
        farm.now_ms += 86400000;
    }
    run_to_its_end();
    fixture_fail(&farm, lease_leftovers()->fence, FAILURE_IO, "the store is away");
    ck_assert_int_eq(failures(), 0); /* none of its runs */
    farm.now_ms += 86400000;
    fixture_make(&farm, lease_leftovers());
    ck_assert_int_eq(leased(), 0);
}
END_TEST

/* A worker that is cut off hears neither that its run was cancelled nor that the next one began: it
 * may go on for as long as any that is lost, and what it puts goes after that, from where its run
 * put things. */
START_TEST(what_a_cut_off_worker_puts_goes_after_the_next_run) {
    static const struct {
        const char *output; /* of the next run */
        int64_t late_ms;    /* it is busy with something else so long */
        bool is_lost;       /* the worker, in the scheduler's view: else it goes on to be silent */
    } cases[] = {
        {"/out", 0, true}, {"/out", 0, false}, {"/other", 0, true}, {"/out", 86400000, true}};
    char *ladder = fixture_ladder("h264");
    struct title_request request = {
        .title = "t", .source = "/media/clip.mp4", .output = cases[_i].output, .ladder = ladder};
    struct fixture_held video;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    ck_assert_int_eq(fixture_submit_whole(&farm, &request), 0);
    int64_t began_ms = farm.now_ms;
    if (cases[_i].is_lost) {
        fixture_lose(&farm);
    }
    ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
    farm.now_ms += cases[_i].late_ms;
    fixture_beat(&farm, session, NULL, 0);
    run_to_its_end();
    if (cases[_i].late_ms == 0) {
        ck_assert_int_eq(leased(), 0);
        ck_assert_int_gt(farm.retry_at, began_ms + farm.farm.ttl_ms + FIXTURE_KEEP_MS);
        farm.now_ms = farm.retry_at;
    }
    fixture_make(&farm, lease_leftovers());
    farm.now_ms += 86400000;
    ck_assert_int_eq(leased(), 0);
    fixture_drop(&video);
    mem_free(ladder);
}
END_TEST

struct feed {
    const char *tenant;
    int count;
};

static void count_events(struct tx *tx, void *context) {
    struct feed *feed = context;
    struct event_page page = {.title = "t", .tenant = feed->tenant};
    struct buf text = {0};
    events_stream(tx, &page, &text);
    feed->count = page.count;
    buf_finish(&text);
}

static int events_of(const char *tenant) {
    struct feed feed = {.tenant = tenant};
    ck_assert_int_eq(store_call(farm.store, count_events, &feed, NULL), 0);
    return feed.count;
}

/* Whoever takes the name next sees nothing of the one before, who sees the end of its own. */
START_TEST(its_events_stay_its_tenants) {
    struct title_request request = {.title = "t", .tenant = "films"};
    ck_assert_int_eq(fixture_submit_as(&farm, &request, "h264"), 0);
    ck_assert_int_eq(events_of("films"), 1);
    ck_assert(fixture_remove(&farm, "t", true));
    int films = events_of("films");
    ck_assert_int_ge(films, 3); /* submitted, to be removed, gone */
    request.tenant = "news";
    ck_assert_int_eq(events_of("news"), 0);
    ck_assert_int_eq(fixture_submit_as(&farm, &request, "h264"), 0);
    ck_assert_int_eq(events_of("news"), 1);
    ck_assert_int_eq(events_of("films"), films);
}
END_TEST

Suite *removal_suite(void) {
    Suite *suite = suite_create("removal");
    TCase *tcase = tcase_create("taken away");
    tcase_add_checked_fixture(tcase, open_farm, close_farm);
    tcase_add_test(tcase, a_title_goes_when_its_files_have);
    tcase_add_loop_test(tcase, nothing_of_it_is_reused, 0, 2);
    tcase_add_loop_test(tcase, what_runs_stops_first, 0, 3);
    tcase_add_test(tcase, it_waits_for_no_other_title_s_work);
    tcase_add_loop_test(tcase, half_way_it_is_taken_up_again, 0, 2);
    tcase_add_loop_test(tcase, one_that_is_refused_may_be_asked_for_again, 0, 2);
    tcase_add_loop_test(tcase, files_are_kept_of_one_whose_removal_waits_too, 0, 2);
    tcase_add_test(tcase, a_failing_title_goes_too);
    tcase_add_loop_test(tcase, a_run_waits_for_the_end_of_a_removal, 0, 2);
    tcase_add_loop_test(tcase, what_a_lost_worker_puts_goes_too, 0, 3);
    tcase_add_loop_test(tcase, what_a_lost_worker_put_goes_with_the_title, 0, 2);
    tcase_add_test(tcase, what_a_lost_worker_puts_goes_after_later_runs);
    tcase_add_test(tcase, titles_do_not_wait_for_each_other);
    tcase_add_test(tcase, a_run_that_was_cancelled_at_once_left_nothing);
    tcase_add_test(tcase, a_later_run_counts_on_no_leftovers);
    tcase_add_test(tcase, leftovers_go_where_the_title_s_removal_was_refused);
    tcase_add_test(tcase, each_loss_has_its_own_tries);
    tcase_add_test(tcase, what_a_lost_worker_puts_stays_where_files_are_kept);
    tcase_add_loop_test(tcase, leftovers_are_tried_again_and_waited_for, 0, 2);
    tcase_add_test(tcase, leftovers_are_given_up_at_last);
    tcase_add_test(tcase, what_a_lost_worker_puts_goes_after_a_cancelled_run);
    tcase_add_test(tcase, leftovers_are_for_workers_that_know_titles);
    tcase_add_loop_test(tcase, what_no_run_names_goes_after_the_last, 0, 2);
    tcase_add_loop_test(tcase, what_a_cut_off_worker_puts_goes_after_the_next_run, 0, 4);
    tcase_add_test(tcase, its_events_stay_its_tenants);
    suite_add_tcase(suite, tcase);
    return suite;
}
