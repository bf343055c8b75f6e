/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fails, hangs or is lost, at endpoints, at workers and in the store: breakers, tries, pushes
 * that go on where they stopped. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "publication_fixture.h"
#include "scheduler/api/view.h"
#include "scheduler/why.h"

Suite *publication_fails_suite(void);

static struct world world;

static void close_world(void) {
    world_close(&world);
}

static void open_world(void) {
    world_open(&world, publish_two_edges);
}

START_TEST(a_dead_edge_holds_nothing_back_and_is_caught_up) {
    struct site *dead = world_site(&world, "e1");
    dead->fails = FAILURE_ENDPOINT;
    world.check_order = false;
    for (int i = 0; i < 6; i++) { /* its breaker opens on the way */
        world_run(&world, "t", i % 3, i % 3 == 0 ? PUBLISH_A : i % 3 == 1 ? PUBLISH_B : PUBLISH_C);
    }
    ck_assert(world_published(&world, "t"));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "waiting");
    ck_assert_str_eq(world_state(&world, "t", "e2"), "held");
    ck_assert_str_eq(dead->stable, "");
    dead->fails = FAILURE_COUNT;
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    world_expect(&world, "t", dead, "C"); /* no version before it ever came there */
}
END_TEST

/* A catalog that is down for an hour, its scheduler killed meanwhile: what is told is true all the
 * time, and when it is back it has the newest version within minutes, and never had one between. */
START_TEST(a_catalog_that_is_down_for_an_hour) {
    struct site *catalog = world_site(&world, "cat");
    world_run(&world, "t", 0, PUBLISH_A);
    catalog->fails = FAILURE_ENDPOINT;
    int64_t down_at = world.farm.now_ms;
    world_submit(&world, "t", 1, PUBLISH_B);
    ck_assert(!world_pending(&world, "t", "cat")); /* it has A, and nothing is made yet */
    for (int i = 0; i < 2; i++) {
        ck_assert(world_work(&world)); /* up to an hour */
        ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
        ck_assert_str_eq(world_state(&world, "t", "cat"), "waiting");
        ck_assert(!world_pending(&world, "t", "cat"));
        ck_assert(!world_published(&world, "t"));
        ck_assert_str_eq(catalog->stable, PUBLISH_A);
        if (i == 0) {
            world_kill(&world, true);
            world_submit(&world, "t", 2, PUBLISH_C);
        }
    }
    ck_assert_int_ge(world.farm.now_ms - down_at, 3600000);
    catalog->fails = FAILURE_COUNT;
    int64_t back_at = world.farm.now_ms;
    int64_t revision = catalog->revision;
    ck_assert(world_work(&world));
    ck_assert_int_le(world.farm.now_ms - back_at, 2 * BREAKER_PAUSE_MOST_MS);
    ck_assert_str_eq(catalog->stable, PUBLISH_C);
    ck_assert_int_gt(catalog->revision, revision);
    ck_assert(world_published(&world, "t"));
    ck_assert_str_eq(world_state(&world, "t", "cat"), "held");
    ck_assert(!world_pending(&world, "t", "cat"));
}
END_TEST

/* However often it fails, a push fails neither its title nor itself for good. */
START_TEST(a_push_is_tried_for_ever) {
    char error[200];
    world_make(&world, "t", 0, PUBLISH_A);
    enum failure_class classes[] = {FAILURE_ENDPOINT, FAILURE_IO, FAILURE_REFUSED, FAILURE_TIMEOUT};
    world_site(&world, "e1")->fails = classes[_i];
    world_site(&world, "e2")->fails = classes[_i];
    world_site(&world, "cat")->fails = classes[_i];
    fixture_fail(&world.farm, world.farm.tasks[0].fence, classes[_i], "no");
    int64_t since = world.farm.now_ms;
    ck_assert(world_work(&world)); /* an hour */
    ck_assert_int_ge(world.farm.now_ms, since + 1500000);
    ck_assert_str_eq(fixture_state(&world.farm, "t", error, sizeof(error)), "done");
    for (int i = 0; i < world.site_count; i++) {
        world.sites[i].fails = FAILURE_COUNT;
    }
    world.check_order = false; /* nobody waits for what failed so often */
    for (int i = 0; i < 4; i++) {
        ck_assert(world_work(&world));
        world.farm.now_ms += 1800000;
    }
    ck_assert(world_published(&world, "t"));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
}
END_TEST

enum { TRIES_AN_HOUR = 40 }; /* of what is away: a pause grows to five minutes */

/* A catalog that is away for hours, or refuses all, holds neither the title nor its edges up; it is
 * asked seldom, and told of the newest version when it takes some again. */
START_TEST(a_catalog_that_is_away_for_hours) {
    static const enum failure_class classes[] = {FAILURE_ENDPOINT, FAILURE_REFUSED};
    struct site *catalog = world_site(&world, "cat");
    char error[200];
    catalog->fails = classes[_i];
    world_run(&world, "t", 0, PUBLISH_A);
    world_run(&world, "t", 1, PUBLISH_B);
    int steps = world.steps;
    ck_assert(world_work(&world)); /* an hour more */
    ck_assert_int_gt(world.steps, steps);
    ck_assert_int_lt(world.steps, steps + TRIES_AN_HOUR);
    ck_assert_str_eq(fixture_state(&world.farm, "t", error, sizeof(error)), "done");
    world_expect(&world, "t", world_site(&world, "e1"), "BA");
    ck_assert_str_eq(world_state(&world, "t", "cat"), "waiting");
    ck_assert(!world_published(&world, "t"));
    catalog->fails = FAILURE_COUNT;
    ck_assert(world_work(&world));
    ck_assert(world_published(&world, "t"));
    ck_assert_str_eq(catalog->stable, PUBLISH_B);
}
END_TEST

static void ask_reset(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                      const char *version) {
    (void)title;
    (void)version;
    endpoint_reset(tx, farm, endpoint);
}

/* However many slots ask: an open breaker gives none, a half open one one, a closed one as many
 * as its limit says. */
START_TEST(a_breaker_says_how_many_may_run) {
    char title[16];
    world_list(&world, publish_one_edge);
    for (int i = 0; i < 12; i++) {
        snprintf(title, sizeof(title), "t%d", i);
        world_make(&world, title, 0, PUBLISH_A);
        if (world.farm.task_count > 0) { /* a push that was leased on the way */
            fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_IO, "origin");
        }
    }
    world.farm.now_ms += 600000;
    int fails = 0;
    for (int most = 2; fails < 5; most = 1) {
        ck_assert_int_eq(world_lease_pushes(&world, 64), most);
        for (int i = 0; i < world.farm.task_count; i++) {
            fixture_fail(&world.farm, world.farm.tasks[i].fence, FAILURE_ENDPOINT, "500");
            fails++;
        }
    }
    ck_assert_int_eq(world_lease_pushes(&world, 64), 0);
    int64_t retry_at = world.farm.retry_at;
    ck_assert_int_eq(retry_at, world.farm.now_ms + BREAKER_PAUSE_FIRST_MS);
    if (_i == 0) {
        world.farm.now_ms = retry_at;
        ck_assert_int_eq(world_lease_pushes(&world, 64), 1);
        fixture_make(&world.farm, &world.farm.tasks[0]);
        ck_assert_int_eq(world_lease_pushes(&world, 64), 1);
        fixture_make(&world.farm, &world.farm.tasks[0]);
        ck_assert_int_eq(world_lease_pushes(&world, 64), 1);
        fixture_make(&world.farm, &world.farm.tasks[0]);
        ck_assert_int_ge(world_lease_pushes(&world, 64), 1); /* closed again */
    } else if (_i == 1) {
        ck_assert_int_eq(world_call(&world, ask_reset, "", "e1", NULL), 0);
        ck_assert_int_eq(world_lease_pushes(&world, 64), 2);
    } else { /* it is the store's */
        world_kill(&world, false);
        ck_assert_int_eq(world_lease_pushes(&world, 64), 0);
    }
}
END_TEST

static void read_breaker(struct tx *tx, void *context) {
    struct endpoint_list list = {0};
    endpoint_list_read(tx, &world.farm.farm, &list);
    const char **state = context;
    *state = breaker_state_name(endpoint_list_find(&list, *state)->breaker.state);
    endpoint_list_finish(&list);
}

static const char *breaker_of(const char *endpoint) {
    const char *state = endpoint;
    ck_assert_int_eq(store_call(world.farm.store, read_breaker, &state, &world.farm.err), 0);
    return state;
}

/* One title that can't be brought is no reason for another to wait: neither where it is put off
 * when a worker asks, nor where it is refused again and again, nor where it has shut the endpoint,
 * which seemed not to be there. */
START_TEST(one_title_delays_no_other_of_a_healthy_endpoint) {
    world_list(&world, publish_one_edge);
    world_make(&world, "t", 0, PUBLISH_A);
    fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_REFUSED, "422");
    for (int i = 0; i < 8 && _i > 0; i++) {
        world.farm.now_ms += 3600000;
        fixture_beat(&world.farm, world.session, NULL, 0);
        ck_assert_str_eq(world_lease_push(&world, "e1")->title, "t");
        fixture_fail(&world.farm, world.farm.tasks[0].fence,
                     _i == 1 ? FAILURE_REFUSED : FAILURE_ENDPOINT, "422");
    }
    ck_assert_str_eq(breaker_of("e1"), _i == 2 ? "open" : "closed");
    world_submit(&world, "u", 0, PUBLISH_A);
    while (fixture_lease(&world.farm, world.session, 1) == 0 &&
           world.farm.tasks[0].kind != TASK_SWAP) {
        world_do(&world, &world.farm.tasks[0]);
    }
    world_do(&world, &world.farm.tasks[0]);
    world.farm.now_ms += _i == 0 ? 3600000 : 0; /* then both are due */
    if (_i == 0) {
        world_must(&world, ask_forget_version, NULL, NULL);
        ck_assert_int_eq(world_call(&world, ask_publish, "u", "e1", NULL), 0); /* now the later */
    }
    if (_i == 2) { /* and so they are told */
        ck_assert(world_is_told(&world, "u", view_title, "\"for\":\"breaker\",") &&
                  world_is_told(&world, "u", view_title, "\"until\":null,\"reason\":\"422\""));
        ck_assert(world_is_told(&world, "u", why_title,
                                ", and is tried again now. What failed there last: "));
        ck_assert(world_is_told(&world, "t", view_title, "\"for\":\"breaker\",") &&
                  !world_is_told(&world, "t", view_title, "\"until\":null"));
    }
    ck_assert_str_eq(world_lease_push(&world, "e1")->title, "u");
    fixture_make(&world.farm, &world.farm.tasks[0]);
    ck_assert_str_eq(breaker_of("e1"), "closed");
}
END_TEST

/* One that hangs until a push's time is over is shut as one that says no is; one that is slow, and
 * takes more each time, is not. */
START_TEST(an_endpoint_that_keeps_pushes_waiting_is_shut) {
    char title[16];
    world_list(&world, publish_one_edge);
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        snprintf(title, sizeof(title), "t%d", i);
        world_make(&world, title, 0, PUBLISH_A);
        ck_assert_int_eq(world.farm.tasks[0].kind, TASK_PUSH);
        ck_assert_str_eq(breaker_of("e1"), "closed");
        int64_t fence = world.farm.tasks[0].fence;
        if (_i == 1) {
            fixture_beat(&world.farm, world.session, &fence, 1); /* 1 of 2 */
        }
        fixture_fail(&world.farm, fence, FAILURE_TIMEOUT, "it was not done in its time");
    }
    ck_assert_str_eq(breaker_of("e1"), _i == 0 ? "open" : "closed");
}
END_TEST

/* An endpoint that five titles have shut is tried by one that has not failed; and then those five
 * shut it no more. */
START_TEST(an_endpoint_is_tried_by_what_has_not_failed) {
    char title[16];
    world_list(&world, publish_one_edge);
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        snprintf(title, sizeof(title), "t%d", i);
        world_make(&world, title, 0, PUBLISH_A);
        fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_REFUSED, "422");
    }
    world_make(&world, "u", 0, PUBLISH_A);
    ck_assert_int_eq(world.farm.task_count, 0);
    world.farm.now_ms += 3600000;
    fixture_beat(&world.farm, world.session, NULL, 0);
    ck_assert_str_eq(world_lease_push(&world, "e1")->title, "u");
    fixture_make(&world.farm, &world.farm.tasks[0]);
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        ck_assert_int_eq(world_lease_pushes(&world, 1), 1);
        fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_REFUSED, "422");
    }
    world_make(&world, "v", 0, PUBLISH_A);
    ck_assert_int_eq(world.farm.task_count, 1);
    ck_assert_str_eq(world.farm.tasks[0].title, "v");
}
END_TEST

/* A number that the view of the title t has of e1; -1: null. */
static int64_t told_number(const char *name) {
    int64_t number = -1;
    struct json *tree = fixture_look(&world.farm, view_title, "t");
    struct reader r = reader_of(tree, "title", &world.farm.err);
    struct reader list = reader_array(&r, "publications");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *endpoint = "";
        reader_string(&item, "endpoint", &endpoint);
        if (strcmp(endpoint, "e1") == 0 && reader_has(&item, name)) {
            reader_int(&item, name, 0, INT64_MAX, &number);
        }
    }
    ck_assert_msg(reader_ok(&r), "%s", world.farm.err.message);
    json_tree_destroy(tree);
    return number;
}

/* In whatever way an attempt ends, the next one skips what it is known to have brought. */
START_TEST(a_push_goes_on_where_it_stopped) {
    world_make(&world, "t", 0, PUBLISH_A);
    int64_t fence = world.farm.tasks[0].fence;
    ck_assert_int_eq(told_number("done"), 0);
    ck_assert_int_eq(fixture_beat(&world.farm, world.session, &fence, 1), 0); /* 1 of 2 */
    ck_assert_int_eq(told_number("done"), 1);
    ck_assert_int_eq(told_number("total"), 2);
    ck_assert_int_eq(told_number("retry_at"), -1);
    if (_i == 0) {
        fixture_fail(&world.farm, fence, FAILURE_ENDPOINT, "500");
        ck_assert_str_eq(world_state(&world, "t", "e1"), "waiting");
        ck_assert_int_gt(told_number("retry_at"), world.farm.now_ms);
        ck_assert_int_eq(told_number("failures"), 1);
        world.farm.now_ms += 600000;
    } else if (_i == 1) {
        fixture_lose(&world.farm);
        ck_assert_int_eq(fixture_join(&world.farm, "w2", "host2", 1, world.session), 0);
        world.farm.now_ms += 1000;
    } else {
        ck_assert_int_eq(fixture_leave(&world.farm, world.session), 0);
        ck_assert_int_eq(fixture_join(&world.farm, "w2", "host2", 1, world.session), 0);
    }
    world_site(&world, "e2")->fails = FAILURE_ENDPOINT;
    ck_assert_int_eq(world_lease_pushes(&world, 8), 2);
    const struct task *task = &world.farm.tasks[0];
    task = strcmp(task->push.endpoint.name, "e1") == 0 ? task : &world.farm.tasks[1];
    ck_assert_int_eq(task->push.skip, 1);
    /* got no further: begins anew */
    ck_assert_int_eq(fixture_beat(&world.farm, world.session, &task->fence, 1), 0);
    fixture_fail(&world.farm, task->fence, FAILURE_ENDPOINT, "it has another hash");
    world.farm.now_ms += 600000;
    task = world_lease_push(&world, "e1");
    ck_assert_int_eq(task->push.skip, 0);
}
END_TEST

/* A worker that was lost may wake, and end the request that it was at: the edge is brought once
 * more when it can't any longer, and once. */
START_TEST(what_a_lost_worker_does_late_is_put_right) {
    struct site *edge = world_site(&world, "e1");
    world_run(&world, "t", 0, PUBLISH_A);
    struct site before = *edge;
    world.farm.now_ms += 1000;
    world_make(&world, "t", 1, PUBLISH_B);
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "e1");
    fixture_lose(&world.farm);
    ck_assert_int_eq(fixture_join(&world.farm, "w2", "host2", 4, world.session), 0);
    if (_i == 1) {
        world.check_order = false;
        world_must(&world, ask_remove, NULL, NULL);
    }
    world.farm.now_ms += 1000;
    ck_assert(world_work(&world));
    world_expect(&world, "t", edge, _i == 1 ? "" : "BA");
    snprintf(edge->stable, sizeof(edge->stable), "%s", before.stable); /* late */
    world_sweep(&world);
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
    world.check_order = false;
    world.farm.now_ms += 180000;
    fixture_beat(&world.farm, world.session, NULL, 0);
    ck_assert(world_work(&world));
    ck_assert_str_eq(edge->stable, _i == 1 ? "" : PUBLISH_B);
    world.farm.now_ms += 180000;
    fixture_beat(&world.farm, world.session, NULL, 0);
    world_sweep(&world);
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
}
END_TEST

/* What it tells of then is another's to tell: of its push, which goes on, or has ended. */
START_TEST(a_lost_worker_has_no_say) {
    struct task_report report = {.pin = "", .source_size = -1};
    world_make(&world, "t", 0, PUBLISH_A);
    int64_t lost = world.farm.tasks[0].fence;
    fixture_lose(&world.farm);
    ck_assert_int_eq(fixture_join(&world.farm, "w2", "host2", 1, world.session), 0);
    ck_assert_int_ne(fixture_complete(&world.farm, lost, &report), ANSWER_ACCEPTED);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "waiting");
    world.farm.now_ms += 600000;
    fixture_beat(&world.farm, world.session, NULL, 0);
    ck_assert_int_eq(world_lease_pushes(&world, 8), 2);
    ck_assert_int_ne(fixture_complete(&world.farm, lost, &report), ANSWER_ACCEPTED);
    ck_assert_int_ne(fixture_fail(&world.farm, lost, FAILURE_ENDPOINT, "late"), ANSWER_ACCEPTED);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "running");
    fixture_make(&world.farm, &world.farm.tasks[0]);
    fixture_make(&world.farm, &world.farm.tasks[1]);
    ck_assert_int_ne(fixture_fail(&world.farm, lost, FAILURE_ENDPOINT, "late"), ANSWER_ACCEPTED);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
}
END_TEST

static void spoil_notes(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                        const char *version) {
    (void)farm;
    (void)endpoint;
    sql_run(tx, SQL_VERSION_FOLDER_ADD,
            VALUES(TEXT(title), TEXT(version), INTEGER(0), TEXT("h264-999p"),
                   TEXT("video/h264-999p-0123456789"), INTEGER(7)));
}

/* What a version is made of was noted wrongly by an older scheduler: it is put right by what the
 * version is kept with; when an endpoint comes, when it is published, when a push fails by it. */
START_TEST(wrong_notes_of_a_version_are_put_right) {
    static const char none[] = "endpoints: []\n";
    if (_i < 2) {
        world_list(&world, none);
        world_run(&world, "t", 0, PUBLISH_A);
        world_must(&world, spoil_notes, NULL, PUBLISH_A);
        if (_i == 0) {
            world_list(&world, publish_two_edges);
        } else {
            world_must(&world, ask_publish, NULL, NULL);
            world_list(&world, publish_two_edges);
        }
    } else {
        world_make(&world, "t", 0, PUBLISH_A);
        world_must(&world, spoil_notes, NULL, PUBLISH_A);
        fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_IO, "it lacks 00001.m4s");
    }
    ck_assert(world_work(&world));
    ck_assert_int_eq(world.origin.folders.count, 3);
    world_expect(&world, "t", &world.origin, "A"); /* whose folders are from before */
    world_expect(&world, "t", world_site(&world, "e1"), "A");
}
END_TEST

Suite *publication_fails_suite(void) {
    Suite *suite = suite_create("publication_fails");
    TCase *tests = tcase_create("publication_fails");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_test(tests, a_dead_edge_holds_nothing_back_and_is_caught_up);
    tcase_add_test(tests, a_catalog_that_is_down_for_an_hour);
    tcase_add_loop_test(tests, a_push_is_tried_for_ever, 0, 4);
    tcase_add_loop_test(tests, a_catalog_that_is_away_for_hours, 0, 2);
    tcase_add_loop_test(tests, a_breaker_says_how_many_may_run, 0, 3);
    tcase_add_loop_test(tests, one_title_delays_no_other_of_a_healthy_endpoint, 0, 3);
    tcase_add_loop_test(tests, an_endpoint_that_keeps_pushes_waiting_is_shut, 0, 2);
    tcase_add_test(tests, an_endpoint_is_tried_by_what_has_not_failed);
    tcase_add_loop_test(tests, a_push_goes_on_where_it_stopped, 0, 3);
    tcase_add_loop_test(tests, what_a_lost_worker_does_late_is_put_right, 0, 2);
    tcase_add_test(tests, a_lost_worker_has_no_say);
    tcase_add_loop_test(tests, wrong_notes_of_a_version_are_put_right, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}
