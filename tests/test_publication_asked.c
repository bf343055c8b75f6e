/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people ask for, and rules: that titles be published, withdrawn, rolled back and removed,
 * also in the midst of a push. */
#include <check.h>
#include <string.h>

#include "common/buf.h"
#include "publication_fixture.h"

Suite *publication_asked_suite(void);

static struct world world;

static void close_world(void) {
    world_close(&world);
}

static void open_world(void) {
    world_open(&world, publish_two_edges);
}

#define RULED(fill)                                                                                \
    "endpoints:\n"                                                                                 \
    "  - {name: e1, driver: dav, url: 'http://e1.example', fill: " fill "}\n"

static void view_publications(struct tx *tx, struct farm *farm, const char *title,
                              struct writer *w) {
    writer_object(w, NULL);
    publications_show(tx, farm, title, "", w);
    writer_object_end(w);
}

/* What is told of the title t, which the farm has forgotten and e1 has not; and of e1. */
static void expect_left(bool is_left) {
    struct err err = {0};
    const char *state = "", *endpoint = "", *of_it = "", *error = "", *leaving = "";
    struct json *tree = is_left ? fixture_look(&world.farm, view_publications, "t") : NULL;
    if (is_left) {
        struct reader r = reader_of(tree, "publications", &err);
        struct reader list = reader_array(&r, "publications");
        struct reader item = reader_item(&list, 0);
        reader_string(&r, "state", &state);
        reader_string(&item, "endpoint", &endpoint);
        reader_string(&item, "state", &of_it);
        reader_string(&item, "error", &error);
        ck_assert_uint_eq(reader_count(&list), 1);
        ck_assert_str_eq(state, "removed");
        ck_assert_str_eq(endpoint, "e1");
        ck_assert_str_eq(of_it, "withdrawing");
        ck_assert_str_eq(error, "it answers 500");
    }
    json_tree_destroy(tree);
    tree = fixture_look(&world.farm, world_view_endpoints, "");
    struct reader r = reader_of(tree, "endpoints", &err);
    struct reader list = reader_array(&r, "endpoints");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        struct reader titles = reader_array(&item, "leaving");
        reader_string(&item, "name", &endpoint);
        size_t wanted = is_left && strcmp(endpoint, "e1") == 0 ? 1 : 0;
        ck_assert_uint_eq(reader_count(&titles), wanted);
        if (wanted > 0) {
            reader_item_string(&titles, 0, &leaving);
            ck_assert_str_eq(leaving, "t");
        }
    }
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    json_tree_destroy(tree);
}

static void ask_score(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                      const char *version) {
    (void)endpoint;
    ck_assert(publication_score(tx, farm, title, version == NULL ? 0.1 : 0.7));
    ck_assert(!publication_score(tx, farm, "stranger", 1));
}

START_TEST(rules_and_people_decide) {
    world.check_order = false;
    world_list(&world, RULED("on-demand"));
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "none");
    world_must(&world, ask_publish, "e1", NULL);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    world_must(&world, ask_unpublish, "e1", NULL);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "gone");
    expect_left(false);
    world_list(&world, RULED("always"));
    ck_assert(world_work(&world)); /* whoever took it from there meant that */
    ck_assert_str_eq(world_state(&world, "t", "e1"), "gone");
    world_must(&world, ask_publish, NULL, NULL);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    world_list(&world, RULED("score >= 0.5"));
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "none");
    world_must(&world, ask_score, NULL, "popular");
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    world_must(&world, ask_score, NULL, NULL);
    ck_assert(world_work(&world));
    world_expect(&world, "t", world_site(&world, "e1"), "");
    world_list(&world, RULED("never"));
    ck_assert_int_eq(world_call(&world, ask_publish, "t", "e1", NULL), ERR_CONFLICT);
    ck_assert_int_eq(world_call(&world, ask_publish, "t", "e9", NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(world_call(&world, ask_publish, "u", NULL, NULL), ERR_NOT_FOUND);
}
END_TEST

/* A withheld title stays so when it is made anew, and at edges to come. */
START_TEST(what_is_unpublished_stays_so) {
    world.check_order = false;
    world_run(&world, "t", 0, PUBLISH_A);
    world_must(&world, ask_unpublish, NULL, NULL);
    world_run(&world, "t", 1, PUBLISH_B);
    ck_assert_str_eq(world_site(&world, "e1")->stable, "");
    ck_assert(!world_published(&world, "t"));
    world_must(&world, ask_publish, NULL, NULL);
    ck_assert(world_work(&world));
    ck_assert(world_published(&world, "t"));
    world_expect(&world, "t", world_site(&world, "e1"), "B");
}
END_TEST

/* To whom: whoever could see it last. */
static void ask_seen(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                     const char *version) {
    struct buf out = {0};
    struct writer w = writer_of(&out);
    (void)version;
    writer_object(&w, NULL);
    publications_show(tx, farm, title, endpoint, &w);
    writer_object_end(&w);
    buf_finish(&out);
}

/* Removed while an edge is away: the origin goes, and the edge is cleaned when it is back, also
 * after a restart; its row in the store goes then. Who had a title of the name before sees nothing
 * of it. */
START_TEST(a_removed_title_is_taken_from_an_edge_that_was_away) {
    struct site *away = world_site(&world, "e1");
    struct title_request request = {.title = "t", .tenant = "news"};
    ck_assert_int_eq(fixture_submit_as(&world.farm, &request, "h264"), 0);
    ck_assert(fixture_remove(&world.farm, "t", true));
    request.tenant = "films";
    ck_assert_int_eq(fixture_submit_as(&world.farm, &request, "h264"), 0);
    ck_assert(world_work(&world));
    world.check_order = false;
    away->fails = FAILURE_ENDPOINT;
    world_must(&world, ask_remove, NULL, NULL);
    ck_assert_int_eq(world_has(&world, "t"), true);
    ck_assert(world_work(&world));
    ck_assert_int_eq(world_has(&world, "t"), false);
    ck_assert_str_eq(world.origin.stable, "");
    ck_assert_str_eq(away->stable, PUBLISH_A);
    ck_assert_str_eq(world_site(&world, "cat")->stable, "");
    expect_left(true);
    ck_assert_int_eq(world_call(&world, ask_seen, "t", "news", NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(world_call(&world, ask_seen, "t", "films", NULL), 0);
    if (_i == 1) {
        world_kill(&world, true);
    }
    if (_i == 2) { /* its name is taken anew meanwhile */
        world_run(&world, "t", 1, PUBLISH_B);
        away->fails = FAILURE_COUNT;
        ck_assert(world_work(&world));
        world_expect(&world, "t", away, "B");
        return;
    }
    away->fails = FAILURE_COUNT;
    ck_assert(world_work(&world));
    world_expect(&world, "t", away, "");
    expect_left(false);
    ck_assert_int_eq(world_call(&world, ask_seen, "t", "", NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
    ck_assert_int_eq(world.farm.retry_at, 0);
}
END_TEST

START_TEST(files_that_are_kept_are_kept_everywhere) {
    world_run(&world, "t", 0, PUBLISH_A);
    world_must(&world, ask_remove, NULL, "keep");
    ck_assert(!world_has(&world, "t"));
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_site(&world, "e1")->stable, PUBLISH_A);
    ck_assert_str_eq(world_site(&world, "cat")->stable, PUBLISH_A);
}
END_TEST

START_TEST(a_rollback_is_refused_with_a_reason) {
    world_submit(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(world_call(&world, ask_roll_back, "t", NULL, NULL), ERR_CONFLICT);
    ck_assert(world_work(&world));
    ck_assert_int_eq(world_call(&world, ask_roll_back, "t", NULL, NULL), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(world.farm.err.message, "no older version"));
    world.farm.now_ms += 1000;
    world_run(&world, "t", 1, PUBLISH_B);
    ck_assert_int_eq(world_call(&world, ask_roll_back, "t", NULL, PUBLISH_C), ERR_NOT_FOUND);
    ck_assert_int_eq(world_call(&world, ask_roll_back, "t", NULL, PUBLISH_B), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(world.farm.err.message, "is the current one"));
    world_must(&world, ask_unpublish, NULL, PUBLISH_A);
    ck_assert_int_eq(world_call(&world, ask_roll_back, "t", NULL, PUBLISH_A), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(world.farm.err.message, "is being dropped"));
    ck_assert_int_eq(world_call(&world, ask_unpublish, "t", NULL, PUBLISH_C), ERR_NOT_FOUND);
}
END_TEST

/* Nobody who names one version means the whole title: players would find nothing. */
START_TEST(the_current_version_does_not_go_alone) {
    world_run(&world, "t", 0, PUBLISH_A);
    world.farm.now_ms += 1000;
    world_run(&world, "t", 1, PUBLISH_B);
    ck_assert_int_eq(world_call(&world, ask_unpublish, "t", NULL, PUBLISH_B), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(world.farm.err.message, "is the current one"));
    ck_assert_ptr_nonnull(strstr(world.farm.err.message, "`reelfarm rollback t`"));
    ck_assert_int_eq(world_call(&world, ask_unpublish, "t", "e1", PUBLISH_B), ERR_CONFLICT);
    ck_assert(world_work(&world));
    world_expect(&world, "t", world_site(&world, "e1"), "BA");
    ck_assert(world_published(&world, "t"));
}
END_TEST

/* A rollback that can't be done leaves the title as it was. */
START_TEST(a_rollback_that_fails_changes_nothing) {
    char error[200];
    world_run(&world, "t", 0, PUBLISH_A);
    world.farm.now_ms += 1000;
    world_run(&world, "t", 1, PUBLISH_B);
    world_must(&world, ask_roll_back, NULL, NULL);
    ck_assert_int_eq(world_call(&world, ask_roll_back, "t", NULL, NULL), ERR_CONFLICT);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(fixture_lease(&world.farm, world.session, 1), 0);
        ck_assert_int_eq(world.farm.tasks[0].kind, TASK_SWAP);
        fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_IO, "no");
        world.farm.now_ms += 120000;
    }
    ck_assert(world_work(&world));
    ck_assert_str_eq(fixture_state(&world.farm, "t", error, sizeof(error)), "done");
    ck_assert_str_eq(world_site(&world, "e1")->stable, PUBLISH_B);
    world_must(&world, ask_roll_back, NULL, NULL);
    ck_assert(world_work(&world));
    world_expect(&world, "t", world_site(&world, "e1"), "AB");
    ck_assert_str_eq(world_site(&world, "cat")->stable, PUBLISH_A);
}
END_TEST

/* A new run would not know whether the older version became current. */
START_TEST(a_run_waits_for_a_rollback) {
    world_run(&world, "t", 0, PUBLISH_A);
    world.farm.now_ms += 1000;
    world_run(&world, "t", 1, PUBLISH_B);
    world_must(&world, ask_roll_back, NULL, NULL);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, 1), 0);
    struct task swap = world.farm.tasks[0];
    world.farm.task_count = 0;
    ck_assert_int_eq(swap.kind, TASK_SWAP);
    ck_assert_int_eq(fixture_submit(&world.farm, "t", "rungs:\n  - {height: 180}\n", false),
                     ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(world.farm.err.message, "is being rolled back"));
    world_do(&world, &swap);
    task_finish(&swap);
    ck_assert(world_work(&world));
    world_expect(&world, "t", &world.origin, "AB");
    world_must(&world, ask_roll_back, NULL, NULL); /* nobody begins: the run goes before it */
    world_run(&world, "t", 2, PUBLISH_C);
    ck_assert_str_eq(world.origin.stable, PUBLISH_C);
    ck_assert_str_eq(world_site(&world, "e1")->stable, PUBLISH_C);
}
END_TEST

/* What a lost worker left at the output is not removed beside a task of the title. */
START_TEST(leftovers_wait_for_a_rollback) {
    world.horizon_ms = 1; /* their time has not come */
    world_submit(&world, "t", 0, PUBLISH_A);
    while (fixture_lease(&world.farm, world.session, 1) == 0 &&
           world.farm.tasks[0].kind != TASK_VIDEO) {
        world_do(&world, &world.farm.tasks[0]);
    }
    fixture_lose(&world.farm);
    ck_assert_int_eq(fixture_join(&world.farm, "w2", "host2", 4, world.session), 0);
    ck_assert(world_work(&world));
    world.farm.now_ms += 1000;
    world_run(&world, "t", 1, PUBLISH_B);
    world_must(&world, ask_roll_back, NULL, NULL);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, 1), 0);
    struct task swap = world.farm.tasks[0];
    world.farm.task_count = 0;
    ck_assert_int_eq(swap.kind, TASK_SWAP);
    world.farm.now_ms += FIXTURE_KEEP_MS + 120000;
    fixture_beat(&world.farm, world.session, &swap.fence, 1);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, 1), 0);
    ck_assert_int_eq(world.farm.task_count, 0);
    ck_assert_int_gt(world.farm.retry_at, world.farm.now_ms);
    world_do(&world, &swap);
    task_finish(&swap);
    world.farm.now_ms += 60000;
    fixture_beat(&world.farm, world.session, NULL, 0);
    ck_assert_int_eq(fixture_lease(&world.farm, world.session, 1), 0);
    ck_assert_int_eq(world.farm.task_count, 1);
    ck_assert_int_eq(world.farm.tasks[0].kind, TASK_REMOVE);
}
END_TEST

/* A push to which something else is wanted by its end brings the next after it; one of which
 * nothing is wanted is told to stop. */
START_TEST(a_push_that_is_overtaken) {
    world_run(&world, "t", 0, PUBLISH_A);
    world_must(&world, ask_publish, "e1", NULL);
    int64_t fence = world_lease_push(&world, "e1")->fence;
    fixture_beat(&world.farm, world.session, &fence, 1);
    world_must(&world, ask_unpublish, NULL, NULL);
    fixture_beat(&world.farm, world.session, &fence, 1);
    ck_assert_int_eq(world.farm.stop_count, 1);
    world.check_order = false;
    if (_i == 0) {
        fixture_beat(&world.farm, world.session, NULL, 0);
    } else if (_i == 2) { /* no fault of anybody's */
        ck_assert_int_eq(fixture_fail(&world.farm, fence, FAILURE_ENDPOINT, "it was stopped"),
                         ANSWER_DROPPED);
    } else {
        struct task_report report = {.pin = "", .source_size = -1};
        ck_assert_int_eq(fixture_complete(&world.farm, fence, &report), ANSWER_CONFLICT);
    }
    ck_assert(world_work(&world));
    world_expect(&world, "t", world_site(&world, "e1"), "");
    world_expect(&world, "t", world_site(&world, "e2"), "");
}
END_TEST

/* What is wanted by its end comes after it. */
START_TEST(a_push_that_is_late_is_followed_by_another) {
    world_make(&world, "t", 0, PUBLISH_A);
    int64_t fence = world.farm.tasks[0].fence;
    world.check_order = false;
    world_run(&world, "t", 1, PUBLISH_B);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "running");
    struct task_report report = {.pin = "", .source_size = -1};
    ck_assert_int_eq(fixture_complete(&world.farm, fence, &report), ANSWER_ACCEPTED);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_site(&world, "e1")->stable, PUBLISH_B);
}
END_TEST

/* Published once more while a push runs: that may have passed by what the edge has lost, so all is
 * brought again after it, and a catalog waits for that. */
START_TEST(what_is_published_during_its_push_is_pushed_once_more) {
    world_make(&world, "t", 0, PUBLISH_A);
    int64_t fence = world.farm.tasks[0].fence;
    fixture_beat(&world.farm, world.session, &fence, 1);
    world_must(&world, ask_publish, _i == 0 ? NULL : "e1", NULL);
    world_must(&world, ask_publish, "e1", NULL);
    fixture_beat(&world.farm, world.session, &fence, 1);
    ck_assert_int_eq(world.farm.stop_count, 0);
    if (_i == 0) {
        struct task_report report = {.pin = "", .source_size = -1};
        ck_assert_int_eq(fixture_complete(&world.farm, fence, &report), ANSWER_ACCEPTED);
    } else { /* its failure is not the end either */
        fixture_fail(&world.farm, fence, FAILURE_ENDPOINT, "500");
        world.farm.now_ms += 600000;
    }
    ck_assert_str_eq(world_state(&world, "t", "e1"), "waiting");
    world.check_order = false;
    world_site(&world, "e2")->fails = FAILURE_ENDPOINT;
    ck_assert_int_eq(world_lease_pushes(&world, 8), 2);
    const struct task *task = &world.farm.tasks[0];
    task = strcmp(task->push.endpoint.name, "e1") == 0 ? task : &world.farm.tasks[1];
    ck_assert_str_eq(task->push.endpoint.name, "e1");
    ck_assert_int_eq(task->push.skip, 0);
    fixture_make(&world.farm, task);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held"); /* however often it was asked for */
}
END_TEST

Suite *publication_asked_suite(void) {
    Suite *suite = suite_create("publication_asked");
    TCase *tests = tcase_create("publication_asked");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_test(tests, rules_and_people_decide);
    tcase_add_test(tests, what_is_unpublished_stays_so);
    tcase_add_loop_test(tests, a_removed_title_is_taken_from_an_edge_that_was_away, 0, 3);
    tcase_add_test(tests, files_that_are_kept_are_kept_everywhere);
    tcase_add_test(tests, a_rollback_is_refused_with_a_reason);
    tcase_add_test(tests, the_current_version_does_not_go_alone);
    tcase_add_test(tests, a_rollback_that_fails_changes_nothing);
    tcase_add_test(tests, a_run_waits_for_a_rollback);
    tcase_add_test(tests, leftovers_wait_for_a_rollback);
    tcase_add_loop_test(tests, a_push_that_is_overtaken, 0, 3);
    tcase_add_test(tests, a_push_that_is_late_is_followed_by_another);
    tcase_add_loop_test(tests, what_is_published_during_its_push_is_pushed_once_more, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
