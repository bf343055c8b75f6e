/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies at an edge in vain: what a listing is judged to be, that nothing goes which was not
 * listed or is wanted meanwhile, and that no push runs beside. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "publish_fixture.h"
#include "scheduler/api/view.h"
#include "scheduler/publishing/endpoint_rows.h"
#include "scheduler/publishing/orphans.h"
#include "scheduler/removal.h"

Suite *orphans_suite(void);

static const char edges[] = "endpoints:\n"
                            "  - {name: e1, driver: dav, url: 'http://e1.example', lists: true}\n"
                            "  - {name: same, driver: dav, url: 'http://e1.example/', lists: true,"
                            " fill: on-demand}\n"
                            "  - {name: e2, driver: dav, url: 'http://e2.example'}\n";

enum { LANE = 7 }; /* slots of a worker: one an endpoint, and four */

static struct world world;

static void open_world(void) {
    world_open(&world, edges);
    world.check_order = false;
}

static void close_world(void) {
    world_close(&world);
}

/* ---- calls ---------------------------------------------------------------------------------- */

static void ask_list(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                     const char *version) {
    (void)title;
    (void)version;
    orphans_ask(tx, farm, endpoint, &(struct orphans_wish){.removes = false});
}

/* `title` says whether also what is unknown. */
static void ask_remove(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                       const char *version) {
    (void)version;
    orphans_ask(tx, farm, endpoint,
                &(struct orphans_wish){.removes = true, .unknown = title != NULL});
}

/* `title` is the number of the listing that showed what is to go. */
static void ask_remove_listed(struct tx *tx, struct farm *farm, const char *title,
                              const char *endpoint, const char *version) {
    (void)version;
    orphans_ask(tx, farm, endpoint,
                &(struct orphans_wish){.removes = true, .listing = strtoll(title, NULL, 10)});
}

static int ask(world_ask *call, const char *title, const char *endpoint) {
    return world_call(&world, call, title, endpoint, NULL);
}

struct telling {
    int64_t fence;
    const struct sweep_page *page;
};

static void run_found(struct tx *tx, void *context) {
    struct telling *telling = context;
    struct lease_row lease;
    ck_assert(lease_find(tx, telling->fence, &lease) && orphans_have_lease(&lease));
    orphans_found(tx, &world.farm.farm, &lease, telling->page);
}

static int tell(int64_t fence, struct sweep_group *groups, size_t count) {
    const struct sweep_page page = {count, groups};
    struct telling telling = {fence, &page};
    world.farm.err = (struct err){0};
    return store_call(world.farm.store, run_found, &telling, &world.farm.err);
}

/* What is known of an edge: its state, and the orphans as "title/path " of known titles and
 * "title/path? " of others. */
struct told {
    const char *endpoint;
    char state[16];
    char error[128];
    struct buf orphans;
    int64_t objects; /* looked at */
    bool more;
};

static void run_look(struct tx *tx, void *context) {
    struct told *answer = context;
    struct buf text = {0};
    struct json *tree = NULL;
    struct err err = {0};
    struct writer w = writer_of(&text);
    writer_object(&w, NULL);
    orphans_write(tx, &world.farm.farm, answer->endpoint, &w);
    writer_object_end(&w);
    ck_assert_int_eq(json_tree_parse(&tree, text.data, text.size, &err), 0);
    struct reader r = reader_of(tree, "sweep", &err);
    const char *state = "none", *error = "";
    if (tx_ok(tx)) {
        reader_string(&r, "state", &state);
        reader_string(&r, "error", &error);
        reader_int(&r, "objects", 0, INT64_MAX, &answer->objects);
        reader_bool(&r, "more", &answer->more);
        struct reader list = reader_array(&r, "orphans");
        for (size_t i = 0; i < reader_count(&list); i++) {
            struct reader item = reader_item(&list, i);
            const char *title = "", *path = "";
            bool known = false;
            reader_string(&item, "title", &title);
            reader_string(&item, "path", &path);
            reader_bool(&item, "known", &known);
            buf_format(&answer->orphans, "%s/%s%s ", title, path, known ? "" : "?");
        }
        ck_assert_msg(reader_ok(&r), "%s", err.message);
    }
    snprintf(answer->state, sizeof(answer->state), "%s", state);
    snprintf(answer->error, sizeof(answer->error), "%s", error);
    json_tree_destroy(tree);
    buf_finish(&text);
}

static void expect(const char *endpoint, const char *state, const char *orphans) {
    struct told answer = {.endpoint = endpoint};
    store_call(world.farm.store, run_look, &answer, NULL);
    ck_assert_msg(strcmp(answer.state, state) == 0, "%s: %s", answer.state, answer.error);
    ck_assert_str_eq(buf_text(&answer.orphans), orphans);
    buf_finish(&answer.orphans);
}

/* Whether there are more than are kept, and how much was looked at. */
static void expect_amount(bool more, int64_t objects) {
    struct told answer = {.endpoint = "e1"};
    store_call(world.farm.store, run_look, &answer, NULL);
    ck_assert_int_eq(answer.more, more);
    ck_assert_int_eq(answer.objects, objects);
    buf_finish(&answer.orphans);
}

/* ---- sweeps --------------------------------------------------------------------------------- */

/* The sweep that is due, which the test fails without. */
static const struct task *lease_sweep(void) {
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, LANE), 0);
    ck_assert_int_eq(world.farm.task_count, 1);
    const struct task *task = &world.farm.tasks[0];
    ck_assert_int_eq(task->kind, TASK_SWEEP);
    return task;
}

static void complete(int64_t fence) {
    struct task_report report = {.push = {.objects = 7, .bytes = 70}};
    ck_assert_int_eq(fixture_complete(&world.farm, fence, &report), ANSWER_ACCEPTED);
}

static struct sweep_group group(const char *title, const char *path) {
    struct sweep_group made = {.objects = 2, .bytes = 20};
    snprintf(made.title, sizeof(made.title), "%s", title);
    snprintf(made.path, sizeof(made.path), "%s", path);
    return made;
}

#define OLD_FOLDER "video/h264-360p-0123456789"

/* Has e1 listed: version B of t, and OLD_FOLDER, and all of a title that nobody knows. */
static void list(void) {
    struct sweep_group groups[] = {group("t", PUBLISH_B), group("t", OLD_FOLDER),
                                   group("ghost", PUBLISH_B), group("ghost", "title.json")};
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    int64_t fence = lease_sweep()->fence;
    ck_assert_int_eq(tell(fence, groups, 4), 0);
    complete(fence);
}

static const char all[] = "t/" PUBLISH_B " t/" OLD_FOLDER " ghost/" PUBLISH_B
                          "? ghost/title.json? ";

START_TEST(what_is_named_is_no_orphan) {
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    expect("e1", "waiting", "");
    const struct task *task = lease_sweep();
    int64_t fence = task->fence;
    ck_assert_str_eq(task->sweep.endpoint.name, "e1");
    ck_assert(!task->sweep.removes);
    struct names *folders = &world_site(&world, "e1")->folders;
    ck_assert_int_gt(folders->count, 0);
    for (int i = 0; i < folders->count; i++) {
        struct sweep_group lies = group("t", folders->list[i] + strlen("t"));
        ck_assert_int_eq(tell(fence, &lies, 1), 0);
    }
    struct sweep_group others[] = {group("t", PUBLISH_A), group("t", "master.m3u8"),
                                   group("t", PUBLISH_B)};
    ck_assert_int_eq(tell(fence, others, 3), 0);
    expect("e1", "running", "t/" PUBLISH_B " ");
    complete(fence);
    expect("e1", "done", "t/" PUBLISH_B " ");
    world.farm.now_ms += 3600001;
    expect("e1", "none", "");
}
END_TEST

/* More titles than are asked of at a time: each is judged by what is its own. */
START_TEST(a_page_has_many_titles) {
    struct sweep_group *groups = mem_zero(SWEEP_PAGE_MAX, sizeof(*groups));
    struct buf wanted = {0};
    world_run(&world, "t", 0, PUBLISH_A);
    for (int i = 0; i < SWEEP_PAGE_MAX; i++) {
        char *title = mem_format("%c%d", i < SWEEP_PAGE_MAX / 2 ? 's' : 'u', i);
        groups[i] = group(i == 400 ? "t" : title, i % 2 == 0 ? PUBLISH_A : "title.json");
        if (i != 400) {
            buf_format(&wanted, "%s/%s? ", title, groups[i].path);
        }
        mem_free(title);
    }
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    int64_t fence = lease_sweep()->fence;
    ck_assert_int_eq(tell(fence, groups, SWEEP_PAGE_MAX), 0);
    complete(fence);
    expect("e1", "done", buf_text(&wanted));
    ck_assert_int_eq(ask(ask_remove, "unknown", "e1"), 0);
    ck_assert_uint_eq(lease_sweep()->sweep.group_count, SWEEP_PAGE_MAX - 1);
    buf_finish(&wanted);
    mem_free(groups);
}
END_TEST

/* What is more than one removal takes is told of; on the way, how far it is. */
START_TEST(what_is_too_much_is_said_to_be) {
    struct sweep_group *groups = mem_zero(SWEEP_PAGE_MAX, sizeof(*groups));
    for (int i = 0; i < SWEEP_PAGE_MAX; i++) {
        groups[i] = group("ghost", "title.json");
    }
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    int64_t fence = lease_sweep()->fence;
    for (int sent = 0; sent < SWEEP_GROUPS_MAX; sent += SWEEP_PAGE_MAX) {
        ck_assert_int_eq(tell(fence, groups, SWEEP_PAGE_MAX), 0);
    }
    fixture_beat(&world.farm, world.session, &fence, 1);
    expect_amount(false, 1);
    ck_assert_int_eq(tell(fence, groups, 1), 0);
    complete(fence);
    expect_amount(true, 7);
    mem_free(groups);
}
END_TEST

/* Of an edge to which nothing was brought it is as it should be; else not all can be well there. */
START_TEST(a_listing_without_anything_is_believed_before_the_first_push) {
    struct task_report report = {0};
    bool pushed = _i != 0;
    if (pushed) {
        world_run(&world, "t", 0, PUBLISH_A);
    }
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    int64_t fence = lease_sweep()->fence;
    ck_assert_int_eq(fixture_complete(&world.farm, fence, &report), ANSWER_ACCEPTED);
    struct told answer = {.endpoint = "e1"};
    store_call(world.farm.store, run_look, &answer, NULL);
    ck_assert_str_eq(answer.state, pushed ? "failed" : "done");
    ck_assert_str_eq(answer.error, !pushed ? ""
                                           : "endpoint 'e1' lists nothing at all, and 1 title was "
                                             "brought there; see its `url` and its disk");
    ck_assert_int_eq(ask(ask_remove, NULL, "e1"), pushed ? ERR_CONFLICT : 0);
    buf_finish(&answer.orphans);
}
END_TEST

/* By whichever name of the place; and what the title's output has is its output's. */
START_TEST(another_name_of_the_place_counts) {
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(ask(ask_list, NULL, "same"), 0);
    int64_t fence = lease_sweep()->fence;
    struct sweep_group groups[] = {group("t", PUBLISH_A), group("t", "title.json")};
    ck_assert_int_eq(tell(fence, groups, 2), 0);
    complete(fence);
    expect("same", "done", "");
}
END_TEST

START_TEST(nothing_goes_that_was_not_listed) {
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(ask(ask_remove, NULL, "e1"), ERR_CONFLICT);
    ck_assert_int_eq(ask(ask_list, NULL, "e2"), ERR_CONFLICT); /* it lists nothing */
    ck_assert_int_eq(ask(ask_list, NULL, "e3"), ERR_NOT_FOUND);
    list();
    expect("e1", "done", all);
    ck_assert_int_eq(ask(ask_remove, NULL, "e1"), 0);
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), ERR_CONFLICT);
    const struct task *task = lease_sweep();
    ck_assert(task->sweep.removes);
    ck_assert_uint_eq(task->sweep.group_count, 2); /* what is unknown stays */
    ck_assert_str_eq(task->sweep.groups[0].path, PUBLISH_B);
    ck_assert_str_eq(task->sweep.groups[1].path, OLD_FOLDER);
    complete(task->fence);
    ck_assert_int_eq(ask(ask_remove, NULL, "e1"), ERR_CONFLICT); /* that was it */
    list();
    world.farm.now_ms += 3600000;
    fixture_beat(&world.farm, world.session, NULL, 0);
    ck_assert_int_eq(ask(ask_remove, NULL, "e1"), ERR_CONFLICT); /* too long ago */
    list();
    ck_assert_int_eq(ask(ask_remove, "unknown", "e1"), 0);
    ck_assert_uint_eq(lease_sweep()->sweep.group_count, 4);
}
END_TEST

/* What somebody else had listed meanwhile nobody who asks has seen. */
START_TEST(what_goes_is_of_the_listing_that_was_seen) {
    world_run(&world, "t", 0, PUBLISH_A);
    list();
    char *first = mem_format("%lld", (long long)world.farm.tasks[0].fence);
    list();
    char *second = mem_format("%lld", (long long)world.farm.tasks[0].fence);
    ck_assert_int_eq(ask(ask_remove_listed, first, "e1"), ERR_CONFLICT);
    expect("e1", "done", all);
    ck_assert_int_eq(ask(ask_remove_listed, second, "e1"), 0);
    ck_assert(lease_sweep()->sweep.removes);
    mem_free(first);
    mem_free(second);
}
END_TEST

/* Whether the title's pushes are told to wait for it. */
static bool waits_for_sweep(const char *title) {
    struct buf said = {0};
    struct json *tree = fixture_look(&world.farm, view_title, title);
    json_tree_write(tree, &said);
    json_tree_destroy(tree);
    bool waits = strstr(buf_text(&said), "\"waits\":{\"for\":\"sweep\"") != NULL;
    buf_finish(&said);
    return waits;
}

/* A version that became wanted since is no orphan any more; and while others go, none comes. */
START_TEST(no_push_goes_there_meanwhile) {
    world_run(&world, "t", 0, PUBLISH_A);
    list();
    world_submit(&world, "t", 1, PUBLISH_B);
    while (fixture_lease(&world.farm, world.session, 1) == 0 && world.farm.task_count > 0 &&
           world.farm.tasks[0].kind != TASK_PUSH) {
        world_do(&world, &world.farm.tasks[0]);
    }
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "e1");
    int64_t push = world.farm.tasks[0].fence;
    ck_assert_int_eq(ask(ask_remove, NULL, "e1"), 0);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, LANE), 0);
    ck_assert_int_eq(world.farm.task_count, 1); /* the removal waits for the push */
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "e2");
    world_do(&world, &world.farm.tasks[0]);
    ck_assert_int_eq(fixture_fail(&world.farm, push, FAILURE_IO, "away"), ANSWER_ACCEPTED);
    const struct task *task = lease_sweep();
    ck_assert_uint_eq(task->sweep.group_count, 1);
    ck_assert_str_eq(task->sweep.groups[0].path, OLD_FOLDER);
    int64_t fence = task->fence;
    ck_assert_int_eq(world_call(&world, ask_publish, "t", "same", NULL), 0);
    world.farm.now_ms += 5000;
    ck_assert_int_eq(world_lease_pushes(&world, 4), 0);
    ck_assert(waits_for_sweep("t"));
    complete(fence);
    ck_assert(!waits_for_sweep("t"));
    ck_assert_int_eq(world_lease_pushes(&world, 4), 2); /* by either name */
}
END_TEST

/* A scheduler that starts has forgotten the sweep, and not that it runs. */
START_TEST(pushes_wait_for_a_removal_that_outlived_its_scheduler) {
    world_run(&world, "t", 0, PUBLISH_A);
    list();
    ck_assert_int_eq(ask(ask_remove, NULL, "e1"), 0);
    int64_t fence = lease_sweep()->fence;
    world_kill(&world, false);
    expect("e1", "none", "");
    ck_assert_int_eq(world_call(&world, ask_publish, "t", "e1", NULL), 0);
    ck_assert_int_eq(world_lease_pushes(&world, 4), 0);
    struct task_report report = {.push = {.objects = 1}};
    ck_assert_int_eq(fixture_complete(&world.farm, fence, &report), ANSWER_DROPPED);
    ck_assert_int_eq(world_lease_pushes(&world, 4), 1);
}
END_TEST

/* What a lost worker sent may arrive still. */
START_TEST(a_lost_removal_is_told_and_pushes_wait_a_moment) {
    world_run(&world, "t", 0, PUBLISH_A);
    list();
    ck_assert_int_eq(ask(ask_remove, NULL, "e1"), 0);
    lease_sweep();
    fixture_lose(&world.farm);
    expect("e1", "failed", "t/" PUBLISH_B " t/" OLD_FOLDER " ");
    ck_assert_int_eq(fixture_join(&world.farm, "w2", "h2", 2, world.session), 0);
    ck_assert_int_eq(world_call(&world, ask_publish, "t", "e1", NULL), 0);
    ck_assert_int_eq(world_call(&world, ask_publish, "t", "same", NULL), 0);
    ck_assert_int_eq(world_lease_pushes(&world, 4), 0);
    ck_assert(waits_for_sweep("t"));
    world.farm.now_ms = world.farm.retry_at;
    ck_assert(!waits_for_sweep("t"));
    ck_assert_int_eq(world_lease_pushes(&world, 4), 2);
}
END_TEST

/* Another worker lists it from the start, thrice; pushes need not wait for that. */
START_TEST(a_lost_listing_is_begun_anew) {
    struct sweep_group lies = group("ghost", "title.json");
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(tell(lease_sweep()->fence, &lies, 1), 0);
        expect("e1", "running", "ghost/title.json? ");
        if (_i == 0 && i == 2) {
            complete(world.farm.tasks[0].fence);
            expect("e1", "done", "ghost/title.json? ");
            return;
        }
        fixture_lose(&world.farm);
        expect("e1", i == 2 ? "failed" : "waiting", "ghost/title.json? ");
        ck_assert_int_eq(fixture_join(&world.farm, "w2", "h2", 2, world.session), 0);
    }
    ck_assert_int_eq(world_call(&world, ask_publish, "t", "e1", NULL), 0);
    ck_assert_int_eq(world_lease_pushes(&world, 4), 1);
}
END_TEST

/* However long it takes, while somebody waits: who asks for it or looks. */
START_TEST(a_listing_that_is_waited_for_goes_on) {
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    int64_t fence = lease_sweep()->fence;
    for (int i = 0; i < 4; i++) {
        world.farm.now_ms += 20000;
        fixture_beat(&world.farm, world.session, &fence, 1);
        world.farm.now_ms += 20000;
        fixture_beat(&world.farm, world.session, &fence, 1);
        if (_i == 0) {
            expect("e1", "running", "");
        } else {
            ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
        }
    }
    complete(fence);
    expect("e1", "done", "");
}
END_TEST

/* Slots of endpoints that have none are no sweep's, nor of a second one. */
START_TEST(sweeps_take_what_is_over) {
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    ck_assert_int_eq(ask(ask_list, NULL, "same"), 0);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, 4), 0);
    ck_assert_int_eq(world.farm.task_count, 1);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, 3), 0);
    ck_assert_int_eq(world.farm.task_count, 0);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, 4), 0);
    ck_assert_int_eq(world.farm.task_count, 1);
}
END_TEST

START_TEST(a_listing_that_nobody_waits_for_is_given_up) {
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    int64_t fence = lease_sweep()->fence;
    world.farm.now_ms += 1000;
    expect("e1", "running", "");
    world.farm.now_ms += 61000;
    expect("e1", "failed", "");
    struct sweep_group lies = group("t", PUBLISH_B);
    ck_assert_int_eq(tell(fence, &lies, 1), ERR_CONFLICT);
    fixture_beat(&world.farm, world.session, &fence, 1);
    ck_assert_int_eq(world.farm.stop_count, 1);
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    fence = lease_sweep()->fence;
    ck_assert_int_eq(fixture_fail(&world.farm, fence, FAILURE_ENDPOINT, "500"), ANSWER_ACCEPTED);
    expect("e1", "failed", "");
}
END_TEST

/* Its worker may end when another has begun the next. */
START_TEST(a_listing_that_was_given_up_takes_no_later_one_along) {
    struct task_report report = {.push = {.objects = 1}};
    struct sweep_group lies = group("t", PUBLISH_B);
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    int64_t first = lease_sweep()->fence;
    world.farm.now_ms += 61000;
    expect("e1", "failed", "");
    ck_assert_int_eq(ask(ask_list, NULL, "e1"), 0);
    int64_t second = lease_sweep()->fence;
    ck_assert_int_eq(fixture_complete(&world.farm, first, &report), ANSWER_DROPPED);
    ck_assert_int_eq(tell(second, &lies, 1), 0);
    expect("e1", "running", "t/" PUBLISH_B "? ");
}
END_TEST

/* Pushes wait for no worker that may never come. */
START_TEST(a_removal_that_nobody_takes_is_given_up) {
    world_run(&world, "t", 0, PUBLISH_A);
    list();
    ck_assert_int_eq(ask(ask_remove, NULL, "e1"), 0);
    ck_assert_int_eq(world_call(&world, ask_publish, "t", "e1", NULL), 0);
    world.farm.now_ms += 299000;
    expect("e1", "waiting", "t/" PUBLISH_B " t/" OLD_FOLDER " ");
    world.farm.now_ms += 1001;
    ck_assert_int_eq(world_lease_pushes(&world, 4), 1);
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "e1");
    expect("e1", "failed", "t/" PUBLISH_B " t/" OLD_FOLDER " ");
}
END_TEST

static void forget(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                   const char *version) {
    (void)farm;
    (void)endpoint;
    (void)version;
    ck_assert(title_remove(tx, title, true));
}

/* A title that was forgotten, and whose files were to stay, is none of this farm's any more. */
START_TEST(what_was_to_stay_is_unknown) {
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(ask(forget, "t", NULL), 0);
    list();
    expect("e1", "done",
           "t/" PUBLISH_B "? t/" OLD_FOLDER "? ghost/" PUBLISH_B "? ghost/title.json? ");
}
END_TEST

Suite *orphans_suite(void) {
    Suite *suite = suite_create("orphans");
    TCase *tests = tcase_create("orphans");
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, what_is_named_is_no_orphan);
    tcase_add_test(tests, a_page_has_many_titles);
    tcase_add_test(tests, what_is_too_much_is_said_to_be);
    tcase_add_loop_test(tests, a_listing_without_anything_is_believed_before_the_first_push, 0, 2);
    tcase_add_test(tests, another_name_of_the_place_counts);
    tcase_add_test(tests, nothing_goes_that_was_not_listed);
    tcase_add_test(tests, what_goes_is_of_the_listing_that_was_seen);
    tcase_add_test(tests, no_push_goes_there_meanwhile);
    tcase_add_test(tests, pushes_wait_for_a_removal_that_outlived_its_scheduler);
    tcase_add_test(tests, a_lost_removal_is_told_and_pushes_wait_a_moment);
    tcase_add_loop_test(tests, a_lost_listing_is_begun_anew, 0, 2);
    tcase_add_loop_test(tests, a_listing_that_is_waited_for_goes_on, 0, 2);
    tcase_add_test(tests, sweeps_take_what_is_over);
    tcase_add_test(tests, a_listing_that_nobody_waits_for_is_given_up);
    tcase_add_test(tests, a_listing_that_was_given_up_takes_no_later_one_along);
    tcase_add_test(tests, a_removal_that_nobody_takes_is_given_up);
    tcase_add_test(tests, what_was_to_stay_is_unknown);
    suite_add_tcase(suite, tests);
    return suite;
}
