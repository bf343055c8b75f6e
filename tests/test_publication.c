/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which pushes are given out, in which order, and at which time of the day. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "publication_fixture.h"
#include "scheduler/publishing/publication_parts.h"
#include "scheduler/why.h"

Suite *publication_suite(void);

static struct world world;

static void close_world(void) {
    world_close(&world);
}

static void open_world(void) {
    world_open(&world, publish_two_edges);
}

/* What a run made goes to the edges, and then to the catalog. */
START_TEST(a_title_goes_to_edges_and_then_to_the_catalog) {
    world_make(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(world.farm.task_count, 1);
    const struct task *task = &world.farm.tasks[0];
    ck_assert_str_eq(task->push.endpoint.name, "e1");
    ck_assert_str_eq(task->push.endpoint.driver, "dav");
    ck_assert_str_eq(task->push.endpoint.url, "http://e1.example");
    ck_assert_str_eq(task->title, "t");
    ck_assert_str_eq(task->version, PUBLISH_A);
    ck_assert_str_eq(task->output, "/out");
    ck_assert_int_eq(task->push.skip, 0);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "running");
    ck_assert_str_eq(world_state(&world, "t", "e2"), "waiting");
    ck_assert(!world_published(&world, "t"));
    world_do(&world, task);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    world_do(&world, world_lease_push(&world, "e2"));
    ck_assert(!world_published(&world, "t"));
    world_do(&world, world_lease_push(&world, "cat"));
    ck_assert(world_published(&world, "t"));
    ck_assert_int_eq(world_lease_pushes(&world, 4), 0);
}
END_TEST

/* Encoders and pushes ask for themselves alone. */
START_TEST(pushes_have_a_lane_of_their_own) {
    world_run(&world, "t", 0, PUBLISH_A);
    world_submit(&world, "u", 0, PUBLISH_A);
    ck_assert_int_eq(world_lease_pushes(&world, 4), 0);
    world_must(&world, ask_publish, "e1", NULL);
    ck_assert_int_eq(world_lease_pushes(&world, 4), 1);
    ck_assert_int_eq(world.farm.tasks[0].kind, TASK_PUSH);
}
END_TEST

/* Nor does who asks for pushes look when there may be something to encode, or for that at all. */
START_TEST(who_asks_for_pushes_looks_for_nothing_else) {
    world_submit(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, 1), 0);
    ck_assert_int_eq(world.farm.tasks[0].kind, TASK_PROBE);
    fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_IO, "away");
    ck_assert_int_eq(world_lease_pushes(&world, 4), 0);
    ck_assert_int_eq(world.farm.retry_at, 0);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, 1), 0);
    ck_assert_int_gt(world.farm.retry_at, world.farm.now_ms);
}
END_TEST

/* The one with fewer that run goes first, so none waits on another's slots. */
START_TEST(endpoints_take_turns) {
    world_make(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(world_lease_pushes(&world, 4), 1);
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "e2");
}
END_TEST

/* As if it had been due since `version` ms. */
static void ask_due(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                    const char *version) {
    struct publication_list list = {0};
    (void)farm;
    publication_list_read(tx, title, &list);
    const struct publication_row *row = publication_of(&list, endpoint);
    sql_run(tx, SQL_PUBLICATION_LEFT,
            VALUES(INTEGER(row->id), INTEGER(0), INTEGER(0), INTEGER(0), TEXT(""), TEXT(""),
                   INTEGER(strtoll(version, NULL, 10))));
    publication_list_finish(&list);
}

/* What is next at one edge is not at the other; the worker reads the output once all the same. */
START_TEST(a_version_goes_to_edges_together) {
    static const char *const due[][3] = {
        {"t", "e1", "2"}, {"u", "e1", "1"}, {"t", "e2", "1"}, {"u", "e2", "2"}};
    world_make(&world, "t", 0, PUBLISH_A);
    world_kill(&world, true);
    world_make(&world, "u", 0, PUBLISH_A);
    world_kill(&world, true);
    for (size_t i = 0; i < sizeof(due) / sizeof(due[0]); i++) {
        ck_assert_int_eq(world_call(&world, ask_due, due[i][0], due[i][1], due[i][2]), 0);
    }
    ck_assert_int_eq(world_lease_pushes(&world, 2), 2);
    ck_assert_str_ne(world.farm.tasks[0].push.endpoint.name,
                     world.farm.tasks[1].push.endpoint.name);
    ck_assert_str_eq(world.farm.tasks[0].title, world.farm.tasks[1].title);
}
END_TEST

/* What may lie at a bucket is told with each push: all that the rows know of. */
START_TEST(a_bucket_s_push_says_what_is_no_orphan) {
    world_close(&world);
    world_open(&world, "endpoints:\n  - {name: b, driver: s3, url: 's3://b'}\n");
    world_make(&world, "t", 0, PUBLISH_A);
    const struct push *push = &world.farm.tasks[0].push;
    ck_assert(push->has_sweep);
    ck_assert_uint_eq(push->sweep.version_count, 1);
    ck_assert_str_eq(push->sweep.versions[0].version, PUBLISH_A);
    ck_assert_uint_eq(push->sweep.folder_count, 3);
    world_do(&world, &world.farm.tasks[0]);
    world_make(&world, "t", 1, PUBLISH_B);
    push = &world.farm.tasks[0].push;
    ck_assert_uint_eq(push->sweep.version_count + push->old_version_count, 2);
    ck_assert_uint_eq(push->sweep.folder_count + push->old_folder_count, 4);
    world_do(&world, &world.farm.tasks[0]);
    ck_assert_int_eq(world_call(&world, ask_unpublish, "t", "b", NULL), 0);
    ck_assert_int_eq(world_lease_pushes(&world, 1), 1);
    ck_assert(!world.farm.tasks[0].push.has_sweep);
}
END_TEST

/* A push that runs has no part in the title's runs: it neither holds them up nor is ended. */
START_TEST(a_new_run_leaves_a_push_alone) {
    world_make(&world, "t", 0, PUBLISH_A);
    struct fixture_held push = {.fence = world.farm.tasks[0].fence};
    world_submit(&world, "t", 1, PUBLISH_B);
    ck_assert_int_eq(fixture_beat(&world.farm, world.session, &push.fence, 1), 0);
    ck_assert_int_eq(world.farm.stop_count, 0);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, 1), 0);
    ck_assert_int_eq(world.farm.tasks[0].kind, TASK_PROBE);
    struct task_report report = {.pin = "", .source_size = -1};
    ck_assert_int_eq(fixture_complete(&world.farm, push.fence, &report), ANSWER_ACCEPTED);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
}
END_TEST

START_TEST(an_edge_that_is_new_in_the_file_is_caught_up) {
    static const char none[] = "endpoints: []\n";
    world_list(&world, none);
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "none");
    world_list(&world, publish_two_edges);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    world_list(&world, none); /* what it holds there is remembered, and nothing done */
    world_run(&world, "t", 1, PUBLISH_B);
    ck_assert_str_eq(world_site(&world, "e1")->stable, PUBLISH_A);
    world_list(&world, publish_two_edges);
    ck_assert(world_work(&world));
    world_expect(&world, "t", world_site(&world, "e1"), "BA");
}
END_TEST

/* What is told of the window of e1. */
static void expect_window(bool open, int64_t turns_at) {
    struct err err = {0};
    const char *name = "";
    struct json *tree = fixture_look(&world.farm, world_view_endpoints, "");
    struct reader r = reader_of(tree, "endpoints", &err);
    struct reader list = reader_array(&r, "endpoints");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        bool told_open = !open;
        int64_t told_at = 0;
        reader_string(&item, "name", &name);
        if (strcmp(name, "e1") == 0) {
            reader_bool(&item, "window_open", &told_open);
            reader_int(&item, "window_turns_at", 0, INT64_MAX, &told_at);
            ck_assert_int_eq(told_open, open);
            ck_assert_int_eq(told_at, turns_at);
        }
    }
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    json_tree_destroy(tree);
}

/* A window that is shut holds its edge's pushes, and neither the catalog nor other edges. */
START_TEST(a_window_is_kept_to) {
    static const char file[] =
        "endpoints:\n"
        "  - {name: e1, driver: dav, url: 'http://e1.example', window: '22:00-06:00'}\n"
        "  - {name: cat, driver: catalog, url: 'http://cat.example', "
        "serves: 'http://play.example'}\n";
    world.check_order = false;
    world_list(&world, file);
    world.farm.now_ms = INT64_C(20000) * DAY_MS + INT64_C(12) * 3600000;
    fixture_beat(&world.farm, world.session, NULL, 0);
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert(world_published(&world, "t"));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "waiting");
    ck_assert_int_eq(world_lease_pushes(&world, 1), 0);
    ck_assert_int_eq(world.farm.retry_at, INT64_C(20000) * DAY_MS + INT64_C(22) * 3600000);
    ck_assert(world_is_told_to_wait(&world, "window", 0, world.farm.retry_at, ""));
    ck_assert(world_is_told(&world, "t", why_title, "at which that may be filled, in 10 h 0 min."));
    expect_window(false, world.farm.retry_at);
    world.farm.now_ms = world.farm.retry_at;
    expect_window(true, INT64_C(20001) * DAY_MS + INT64_C(6) * 3600000);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
}
END_TEST

static void read_publication(struct tx *tx, void *context) {
    struct publication_row *row = context;
    struct publication_list list = {0};
    publication_list_read(tx, "t", &list);
    *row = *publication_of(&list, row->endpoint);
    publication_list_finish(&list);
}

/* What runs when the window shuts stops, and goes on in the next one where it was; nobody has
 * failed. What is to go from there goes at any time. */
START_TEST(a_push_stops_when_its_window_shuts) {
    static const char file[] =
        "endpoints:\n"
        "  - {name: e1, driver: dav, url: 'http://e1.example', window: '22:00-06:00'}\n"
        "  - {name: e2, driver: dav, url: 'http://e2.example'}\n";
    struct publication_row row = {.endpoint = "e1"};
    const int64_t day = INT64_C(20000) * DAY_MS, hour = 3600000;
    world.check_order = false;
    world_list(&world, file);
    world.farm.now_ms = day + 5 * hour;
    world_make(&world, "t", 0, PUBLISH_A);
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "e1");
    int64_t fences[] = {world.farm.tasks[0].fence, world_lease_push(&world, "e2")->fence};
    fixture_beat(&world.farm, world.session, fences, 2); /* 1 of 2 objects */
    world.farm.now_ms = day + 6 * hour - 1;
    world_sweep(&world);
    fixture_beat(&world.farm, world.session, fences, 2);
    ck_assert_int_eq(world.farm.stop_count, 0);
    world.farm.now_ms = day + 6 * hour;
    world_sweep(&world);
    fixture_beat(&world.farm, world.session, fences, 2);
    ck_assert_int_eq(world.farm.stop_count, 1);
    ck_assert_int_eq(world.farm.stop[0], fences[0]);
    fixture_beat(&world.farm, world.session, &fences[1], 1); /* it did */
    ck_assert_str_eq(world_state(&world, "t", "e1"), "waiting");
    ck_assert_str_eq(world_state(&world, "t", "e2"), "running");
    ck_assert_int_eq(store_call(world.farm.store, read_publication, &row, NULL), 0);
    ck_assert_int_eq(row.failures, 0);
    ck_assert_str_eq(row.error, "");
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
    ck_assert_int_eq(world.farm.retry_at, day + 22 * hour);
    if (_i == 0) {
        world.farm.now_ms = day + 22 * hour;
        fixture_beat(&world.farm, world.session, &fences[1], 1);
        ck_assert_int_eq(world_lease_push(&world, "e1")->push.skip, 1);
        return;
    }
    world_must(&world, ask_unpublish, "e1", NULL); /* at ten past six */
    world.farm.now_ms += hour / 6;
    const struct task *leaves = world_lease_push(&world, "e1");
    world_sweep(&world);
    fixture_beat(&world.farm, world.session, &leaves->fence, 1);
    ck_assert_int_eq(world.farm.stop_count, 0);
    world_do(&world, leaves);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "gone");
}
END_TEST

/* However many run there. */
START_TEST(all_pushes_stop_when_their_window_shuts) {
    int64_t fences[2];
    world_list(&world, "endpoints:\n  - {name: e1, driver: dav, url: 'http://e1.example', "
                       "window: '02:00-06:00'}\n");
    world.farm.now_ms = INT64_C(20000) * DAY_MS + INT64_C(5) * 3600000;
    for (int i = 0; i < 2; i++) {
        world_make(&world, i == 0 ? "t" : "u", 0, PUBLISH_A);
        ck_assert_int_eq(world.farm.task_count, 1);
        fences[i] = world.farm.tasks[0].fence;
    }
    world.farm.now_ms += 3600000 - 1;
    world_sweep(&world);
    fixture_beat(&world.farm, world.session, fences, 2);
    ck_assert_int_eq(world.farm.stop_count, 0);
    world.farm.now_ms += 1;
    world_sweep(&world);
    fixture_beat(&world.farm, world.session, fences, 2);
    ck_assert_int_eq(world.farm.stop_count, 2);
}
END_TEST

Suite *publication_suite(void) {
    Suite *suite = suite_create("publication");
    TCase *tests = tcase_create("publication");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_test(tests, a_title_goes_to_edges_and_then_to_the_catalog);
    tcase_add_test(tests, pushes_have_a_lane_of_their_own);
    tcase_add_test(tests, who_asks_for_pushes_looks_for_nothing_else);
    tcase_add_test(tests, endpoints_take_turns);
    tcase_add_test(tests, a_version_goes_to_edges_together);
    tcase_add_test(tests, a_bucket_s_push_says_what_is_no_orphan);
    tcase_add_test(tests, a_new_run_leaves_a_push_alone);
    tcase_add_test(tests, an_edge_that_is_new_in_the_file_is_caught_up);
    tcase_add_test(tests, a_window_is_kept_to);
    tcase_add_loop_test(tests, a_push_stops_when_its_window_shuts, 0, 2);
    tcase_add_test(tests, all_pushes_stop_when_their_window_shuts);
    suite_add_tcase(suite, tests);
    return suite;
}
