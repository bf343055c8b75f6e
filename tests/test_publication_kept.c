/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long versions are kept at edges, and at the origin for these; and what becomes of them at
 * caches. */
#include <check.h>

#include "publication_fixture.h"
#include "scheduler/versions.h"

Suite *publication_kept_suite(void);

enum { HOUR_MS = 3600000 };

static struct world world;

static void close_world(void) {
    world_close(&world);
}

static void open_world(void) {
    world_open(&world, publish_two_edges);
}

/* So much time, and what comes of it. */
static void pass(int64_t time_ms) {
    world.farm.now_ms += time_ms;
    fixture_beat(&world.farm, world.session, NULL, 0);
    ck_assert(world_work(&world));
}

static void view_versions(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    versions_write(tx, farm, title, w);
}

/* Old versions go from edges as from the origin, and what others name stays. */
START_TEST(edges_keep_versions_as_long_as_the_origin) {
    world_run(&world, "t", 0, PUBLISH_A);
    world.farm.now_ms += 1000;
    world_run(&world, "t", 1, PUBLISH_B);
    world_expect(&world, "t", world_site(&world, "e1"), "BA");
    world.farm.now_ms += world.farm.farm.keep_versions_ms + 1;
    fixture_beat(&world.farm, world.session, NULL, 0);
    ck_assert(world_work(&world));
    world_expect(&world, "t", &world.origin, "B");
    world_expect(&world, "t", world_site(&world, "e1"), "B");
    world_expect(&world, "t", world_site(&world, "e2"), "B");
}
END_TEST

/* An edge that was away gives what is old as the current one for as long, and so keeps it as long
 * from when it has another: who plays it there plays on. The origin has not waited for it. */
START_TEST(an_edge_that_comes_late_keeps_versions_as_long) {
    int64_t keep_ms = world.farm.farm.keep_versions_ms;
    struct site *late = world_site(&world, "e1");
    world_run(&world, "t", 0, PUBLISH_A);
    world.farm.now_ms += 1000;
    late->fails = FAILURE_ENDPOINT;
    world_run(&world, "t", 1, PUBLISH_B);
    pass(keep_ms + 1);
    world_expect(&world, "t", &world.origin, "B");
    world_expect(&world, "t", world_site(&world, "e2"), "B");
    world_expect(&world, "t", late, "A");
    ck_assert(world_is_told(&world, "t", view_versions,
                            "\"edges\":[{\"endpoint\":\"e1\",\"version\":\"" PUBLISH_A
                            "\",\"kept_until\":null,\"leaving\":false}]"));
    late->fails = FAILURE_COUNT;
    pass(HOUR_MS);
    world_expect(&world, "t", late, "BA");
    ck_assert(
        world_is_told(&world, "t", view_versions, "{\"endpoint\":\"e1\",\"version\":\"" PUBLISH_A));
    ck_assert(!world_is_told(&world, "t", view_versions, "\"" PUBLISH_A "\",\"kept_until\":null"));
    pass(keep_ms - 3 * HOUR_MS); /* it waited for an hour, and another one for its breaker */
    world_expect(&world, "t", late, "BA");
    pass(3 * HOUR_MS);
    world_expect(&world, "t", late, "B");
    ck_assert(world_is_told(&world, "t", view_versions, "\"edges\":[]"));
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
}
END_TEST

/* One that is only slow is waited for: what it lacks it may fetch from there. */
START_TEST(the_origin_keeps_versions_until_edges_have_left_them) {
    int64_t keep_ms = world.farm.farm.keep_versions_ms;
    world_run(&world, "t", 0, PUBLISH_A);
    world.farm.now_ms += 1000;
    world_make(&world, "t", 1, PUBLISH_B);
    struct task slow = world.farm.tasks[0];
    world.farm.task_count = 0;
    ck_assert_str_eq(slow.push.endpoint.name, "e1");
    for (int i = 0; i < 2; i++) {
        world.farm.now_ms += keep_ms + 1;
        fixture_beat(&world.farm, world.session, &slow.fence, 1);
        world_sweep(&world);
        ck_assert_int_eq(fixture_lease(&world.farm, world.session, 1), 0);
        ck_assert_int_eq(world.farm.task_count, i == 0 ? 1 : 0); /* to e2 */
        if (i == 0) {
            world_do(&world, &world.farm.tasks[0]);
        }
        world_expect(&world, "t", &world.origin, "BA");
    }
    world_do(&world, &slow);
    task_finish(&slow);
    pass(keep_ms - HOUR_MS);
    world_expect(&world, "t", &world.origin, "BA");
    world_expect(&world, "t", world_site(&world, "e1"), "BA");
    pass(HOUR_MS + 1);
    world_expect(&world, "t", &world.origin, "B");
    world_expect(&world, "t", world_site(&world, "e1"), "B");
}
END_TEST

/* A cache may fetch from the origin again what was taken from it, for as long as that has it. */
static const struct task *let_it_fetch(bool ends_first, const struct site *before) {
    const struct task *task = world_lease_push(&world, "e1");
    ck_assert_int_gt(task->push.old_version_count, 0);
    if (ends_first) {
        world_do(&world, task);
    }
    *world_site(&world, "e1") = *before;
    return task;
}

static void end_late(bool ended_first, int64_t fence) {
    struct task_report report = {.pin = "", .source_size = -1};
    struct site *edge = world_site(&world, "e1");
    ck_assert(world_work(&world)); /* at the origin */
    if (!ended_first) {
        ck_assert_int_ne(edge->versions.count, 0);
        ck_assert_int_eq(fixture_complete(&world.farm, fence, &report), ANSWER_ACCEPTED);
        ck_assert(world_work(&world));
    }
}

static const char one_cache[] =
    "endpoints:\n  - {name: e1, driver: pull, url: 'http://e1.example'}\n";

START_TEST(a_cache_is_told_once_more_when_the_origin_has_dropped_a_version) {
    bool ends_first = _i == 0;
    world_list(&world, one_cache);
    world_run(&world, "t", 0, PUBLISH_A);
    world.farm.now_ms += 1000;
    world_run(&world, "t", 1, PUBLISH_B);
    struct site before = *world_site(&world, "e1");
    world.farm.now_ms += world.farm.farm.keep_versions_ms + 1;
    fixture_beat(&world.farm, world.session, NULL, 0);
    world_sweep(&world);
    int64_t fence = let_it_fetch(ends_first, &before)->fence;
    end_late(ends_first, fence);
    world_expect(&world, "t", &world.origin, "B");
    world_expect(&world, "t", world_site(&world, "e1"), "B");
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
}
END_TEST

START_TEST(a_cache_is_told_once_more_when_the_origin_has_dropped_the_title) {
    world.check_order = false;
    world_list(&world, one_cache);
    world_run(&world, "t", 0, PUBLISH_A);
    struct site before = *world_site(&world, "e1");
    if (_i == 1) { /* what was taken from it by hand, before */
        world_must(&world, ask_unpublish, "e1", NULL);
        let_it_fetch(true, &before);
    }
    world_must(&world, ask_remove, NULL, NULL);
    if (_i == 0) {
        let_it_fetch(true, &before);
    }
    ck_assert(world_work(&world));
    ck_assert(!world_has(&world, "t"));
    world_expect(&world, "t", world_site(&world, "e1"), "");
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
    world_run(&world, "t", 0, PUBLISH_A); /* nothing is left that would take it away again */
    world_expect(&world, "t", world_site(&world, "e1"), "A");
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
}
END_TEST

Suite *publication_kept_suite(void) {
    Suite *suite = suite_create("publication_kept");
    TCase *tests = tcase_create("publication_kept");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_test(tests, edges_keep_versions_as_long_as_the_origin);
    tcase_add_test(tests, an_edge_that_comes_late_keeps_versions_as_long);
    tcase_add_test(tests, the_origin_keeps_versions_until_edges_have_left_them);
    tcase_add_loop_test(tests, a_cache_is_told_once_more_when_the_origin_has_dropped_a_version, 0,
                        2);
    tcase_add_loop_test(tests, a_cache_is_told_once_more_when_the_origin_has_dropped_the_title, 0,
                        2);
    suite_add_tcase(suite, tests);
    return suite;
}
