/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people are told of a title that is on its way: that it is, and what it waits for. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "publication_fixture.h"
#include "scheduler/api/view.h"
#include "scheduler/why.h"

Suite *publication_told_suite(void);

static struct world world;

static void close_world(void) {
    world_close(&world);
}

static void open_world(void) {
    world_open(&world, publish_two_edges);
}

/* What is on its way is pending; what failed three times, or was refused, is so no more, until it
 * is held. */
START_TEST(what_is_pending_is_told) {
    static const struct {
        enum failure_class class;
        int times;
    } cases[] = {{FAILURE_ENDPOINT, PUBLICATION_PATIENCE}, {FAILURE_REFUSED, 1}};
    world_make(&world, "t", 0, PUBLISH_A);
    ck_assert(world_pending(&world, "t", "e1"));  /* runs */
    ck_assert(world_pending(&world, "t", "e2"));  /* is due */
    ck_assert(world_pending(&world, "t", "cat")); /* comes after those */
    fixture_make(&world.farm, &world.farm.tasks[0]);
    ck_assert(!world_pending(&world, "t", "e1"));
    for (int i = 0; i < cases[_i].times; i++) {
        ck_assert(world_pending(&world, "t", "e2"));
        ck_assert_str_eq(world_lease_push(&world, "e2")->title, "t");
        fixture_fail(&world.farm, world.farm.tasks[0].fence, cases[_i].class, "no");
        world.farm.now_ms += i + 1 < cases[_i].times ? 20000 : 0;
    }
    ck_assert(!world_pending(&world, "t", "e2"));
    ck_assert_str_eq(world_state(&world, "t", "e2"), "waiting");
    ck_assert(world_pending(&world, "t", "cat"));
    fixture_make(&world.farm, world_lease_push(&world, "cat"));
    ck_assert(!world_pending(&world, "t", "cat"));
}
END_TEST

static void view_as_tenant(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    view_title_to(tx, farm, title, "news", w);
}

static void why_as_tenant(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    why_title_to(tx, farm, title, "news", w);
}

/* By titles t0 to t4. */
static void break_off(char error[32]) {
    char title[16];
    world_list(&world, publish_one_edge);
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        snprintf(title, sizeof(title), "t%d", i);
        snprintf(error, 32, "PUT %s/x: 500", title);
        world_make(&world, title, 0, PUBLISH_A);
        fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_ENDPOINT, error);
    }
}

/* It never failed there itself; a tenant is told of no other title. Once it has, that is told. */
START_TEST(a_title_is_told_of_an_endpoint_that_is_broken_off) {
    char error[32];
    break_off(error);
    const int64_t now = world.farm.now_ms;
    world_make(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(world.farm.task_count, 0);
    ck_assert(world_is_told_to_wait(&world, "breaker", now, now + BREAKER_PAUSE_FIRST_MS, error));
    ck_assert(world_is_told(&world, "t", why_title,
                            "e1 is to have it: the endpoint has been broken off for 0 s, and "
                            "is tried again in 5 s. What failed there last: PUT t4/x: 500.\""));
    ck_assert(world_is_told(&world, "t", view_as_tenant, "\"for\":\"breaker\"") &&
              !world_is_told(&world, "t", view_as_tenant, "t4"));
    ck_assert(world_is_told(&world, "t", why_as_tenant, "tried again in 5 s.\"") &&
              !world_is_told(&world, "t", why_as_tenant, "t4"));
    world.farm.now_ms += BREAKER_PAUSE_FIRST_MS;
    world_sweep(&world);
    ck_assert(world_is_told_to_wait(&world, "trial", now, 0, error));
    ck_assert(world_is_told(&world, "t", why_title,
                            "the endpoint was broken off 5 s ago, and is on trial"));
    fixture_fail(&world.farm, world_lease_push(&world, "e1")->fence, FAILURE_ENDPOINT,
                 "PUT t/x: 502");
    int64_t again = world.farm.now_ms + 2 * BREAKER_PAUSE_FIRST_MS;
    ck_assert(world_is_told_to_wait(&world, "breaker", now, again, "PUT t/x: 502"));
    ck_assert(world_is_told(&world, "t", view_as_tenant, "\"reason\":\"PUT t/x: 502\""));
    ck_assert(world_is_told(&world, "t", why_as_tenant,
                            "It failed with this title 1 time. The last time: PUT t/x"));
}
END_TEST

/* What the origin lacks is no failure there: neither counted, nor a reason why it is broken off. */
START_TEST(what_the_origin_lacks_is_no_failure_of_an_endpoint) {
    char error[32];
    break_off(error);
    world_make(&world, "t", 0, PUBLISH_A);
    world_must(&world, ask_forget_version, NULL, NULL);
    world.farm.now_ms += BREAKER_PAUSE_FIRST_MS;
    world_lease_pushes(&world, 1); /* and then one of the others */
    ck_assert(world_is_told(&world, "t", view_as_tenant, "the origin keeps this version no more"));
    ck_assert(world_is_told(&world, "t", view_as_tenant, "\"for\":\"trial\",") &&
              world_is_told(&world, "t", view_as_tenant, "\"reason\":\"\"}"));
}
END_TEST

START_TEST(a_title_that_the_origin_lacks_is_told_when_it_is_tried) {
    world_make(&world, "t", 0, PUBLISH_A);
    world_must(&world, ask_forget_version, NULL, NULL);
    ck_assert_int_eq(world_lease_pushes(&world, 1), 0);
    ck_assert(world_is_told_to_wait(&world, "pause", 0, world.farm.now_ms + 60000, ""));
    ck_assert(world_is_told(&world, "t", view_title, "\"retry_at\":null"));
    ck_assert(world_is_told(&world, "t", why_title,
                            "e2 is to have it: it is tried again in 1 min. The last time: the "
                            "origin keeps this version no more; publish the title again."));
}
END_TEST

START_TEST(a_title_is_told_that_nobody_pushes) {
    world_make(&world, "t", 0, PUBLISH_A);
    int64_t fence = world.farm.tasks[0].fence;
    ck_assert(world_is_told(&world, "t", view_title, "\"state\":\"running\"") &&
              world_is_told(&world, "t", view_title, "\"waits\":null"));
    ck_assert(world_is_told_to_wait(&world, "turn", 0, 0, ""));
    ck_assert(world_is_told_to_wait(&world, "others", 0, 0, ""));
    fixture_fail(&world.farm, fence, FAILURE_ENDPOINT, "500");
    ck_assert(world_is_told(&world, "t", view_title, "\"for\":\"pause\""));
    ck_assert(!world_is_told(&world, "t", view_title, "\"for\":\"worker\""));
    ck_assert_int_eq(fixture_drain(&world.farm, "w1", true), 0);
    ck_assert(world_is_told_to_wait(&world, "worker", 0, 0, "all workers are drained or stopping"));
    fixture_leave(&world.farm, world.session);
    ck_assert(world_is_told_to_wait(&world, "worker", 0, 0, "no worker is there"));
    ck_assert(world_is_told(&world, "t", why_title,
                            "e2 is to have it: it waits for a worker: no worker is there."));
}
END_TEST

/* It would tell an older worker that it has everything; one that caches by height tells of that in
 * words which that one knows. */
START_TEST(an_edge_that_falls_back_is_for_workers_that_know_of_it) {
    char old[ID_TEXT];
    world_list(&world, "endpoints:\n"
                       "  - {name: falls, driver: dav, url: 'http://f.example', falls_back: true}\n"
                       "  - {name: low, driver: dav, url: 'http://l.example', falls_back: true, "
                       "max_height: 720}\n"
                       "  - {name: plain, driver: dav, url: 'http://p.example'}\n"
                       "  - {name: cache, driver: pull, url: 'http://c.example'}\n");
    world_make(&world, "t", 0, PUBLISH_A);
    world.farm.old = true;
    fixture_join(&world.farm, "old", "old", 8, old);
    world.farm.old = false;
    fixture_leave(&world.farm, world.session);
    memcpy(world.session, old, sizeof(old));
    ck_assert_int_eq(world_lease_pushes(&world, 8), 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_ne(world.farm.tasks[i].push.endpoint.name, "falls");
    }
    ck_assert(world_is_told(&world, "t", world_view_endpoints,
                            "no worker is there that knows of edges that fall back"));
    ck_assert(world_is_told(&world, "t", why_title,
                            "falls is to have it: it waits for a worker that knows edges"));
    ck_assert(world_is_told_to_wait(&world, "worker", 0, 0,
                                    "no worker that is there knows edges that fall back"));
    fixture_join(&world.farm, "new", "new", 8, world.session);
    ck_assert(!world_is_told(&world, "t", world_view_endpoints, "no worker is there"));
    ck_assert(world_is_told(&world, "t", why_title, "falls is to have it: it waits for its turn"));
    ck_assert_int_eq(world_lease_pushes(&world, 8), 1);
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "falls");
}
END_TEST

Suite *publication_told_suite(void) {
    Suite *suite = suite_create("publication_told");
    TCase *tests = tcase_create("publication_told");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_loop_test(tests, what_is_pending_is_told, 0, 2);
    tcase_add_test(tests, a_title_is_told_of_an_endpoint_that_is_broken_off);
    tcase_add_test(tests, what_the_origin_lacks_is_no_failure_of_an_endpoint);
    tcase_add_test(tests, a_title_that_the_origin_lacks_is_told_when_it_is_tried);
    tcase_add_test(tests, a_title_is_told_that_nobody_pushes);
    tcase_add_test(tests, an_edge_that_falls_back_is_for_workers_that_know_of_it);
    suite_add_tcase(suite, tests);
    return suite;
}
