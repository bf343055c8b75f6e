/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is published where, and by which pushes: rules, order, breakers, dead endpoints, resuming.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "publish_fixture.h"
#include "scheduler/api/view.h"
#include "scheduler/publishing/publication_parts.h"
#include "scheduler/removal.h"
#include "scheduler/versions.h"
#include "scheduler/why.h"

Suite *publication_suite(void);

enum { HOUR_MS = 3600000 };

static struct world world;

static void close_world(void) {
    world_close(&world);
}

static void open_world(void) {
    world_open(&world, publish_two_edges);
}

/* The one push that is due, which the test fails without. */
static const struct task *lease_push(const char *endpoint) {
    ck_assert_int_eq(world_lease_pushes(&world, 1), 1);
    const struct task *task = &world.farm.tasks[0];
    ck_assert_str_eq(task->push.endpoint.name, endpoint);
    return task;
}

/* Makes a version, up to the first push, which is leased. */
static void make(const char *title, int ladder, const char *version) {
    world_submit(&world, title, ladder, version);
    while (fixture_lease(&world.farm, world.session, 1) == 0 && world.farm.task_count > 0 &&
           world.farm.tasks[0].kind != TASK_PUSH) {
        world_do(&world, &world.farm.tasks[0]);
    }
}

/* So much time, and what comes of it. */
static void pass(int64_t time_ms) {
    world.farm.now_ms += time_ms;
    fixture_beat(&world.farm, world.session, NULL, 0);
    ck_assert(world_work(&world));
}

static void must(world_ask *ask, const char *endpoint, const char *version) {
    ck_assert_msg(world_call(&world, ask, "t", endpoint, version) == 0, "%s",
                  world.farm.err.message);
}

static void ask_remove(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                       const char *version) {
    (void)farm;
    (void)endpoint;
    title_remove(tx, title, version != NULL);
}

static void ask_reset(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                      const char *version) {
    (void)title;
    (void)version;
    endpoint_reset(tx, farm, endpoint);
}

/* What a run made goes to the edges, and then to the catalog. */
START_TEST(a_title_goes_to_edges_and_then_to_the_catalog) {
    make("t", 0, PUBLISH_A);
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
    world_do(&world, lease_push("e2"));
    ck_assert(!world_published(&world, "t"));
    world_do(&world, lease_push("cat"));
    ck_assert(world_published(&world, "t"));
    ck_assert_int_eq(world_lease_pushes(&world, 4), 0);
}
END_TEST

/* Encoders and pushes ask for themselves alone. */
START_TEST(pushes_have_a_lane_of_their_own) {
    world_run(&world, "t", 0, PUBLISH_A);
    world_submit(&world, "u", 0, PUBLISH_A);
    ck_assert_int_eq(world_lease_pushes(&world, 4), 0);
    must(ask_publish, "e1", NULL);
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

/* What is on its way is pending; what failed three times, or was refused, is so no more, until it
 * is held. */
START_TEST(what_is_pending_is_told) {
    static const struct {
        enum failure_class class;
        int times;
    } cases[] = {{FAILURE_ENDPOINT, PUBLICATION_PATIENCE}, {FAILURE_REFUSED, 1}};
    make("t", 0, PUBLISH_A);
    ck_assert(world_pending(&world, "t", "e1"));  /* runs */
    ck_assert(world_pending(&world, "t", "e2"));  /* is due */
    ck_assert(world_pending(&world, "t", "cat")); /* comes after those */
    fixture_make(&world.farm, &world.farm.tasks[0]);
    ck_assert(!world_pending(&world, "t", "e1"));
    for (int i = 0; i < cases[_i].times; i++) {
        ck_assert(world_pending(&world, "t", "e2"));
        ck_assert_str_eq(lease_push("e2")->title, "t");
        fixture_fail(&world.farm, world.farm.tasks[0].fence, cases[_i].class, "no");
        world.farm.now_ms += i + 1 < cases[_i].times ? 20000 : 0;
    }
    ck_assert(!world_pending(&world, "t", "e2"));
    ck_assert_str_eq(world_state(&world, "t", "e2"), "waiting");
    ck_assert(world_pending(&world, "t", "cat"));
    fixture_make(&world.farm, lease_push("cat"));
    ck_assert(!world_pending(&world, "t", "cat"));
}
END_TEST

/* However many slots ask: an open breaker gives none, a half open one one, a closed one as many
 * as its limit says. */
START_TEST(a_breaker_says_how_many_may_run) {
    static const char one[] = "endpoints:\n  - {name: e1, driver: dav, url: 'http://e1.example'}\n";
    char title[16];
    world_list(&world, one);
    for (int i = 0; i < 12; i++) {
        snprintf(title, sizeof(title), "t%d", i);
        make(title, 0, PUBLISH_A);
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

/* The one with fewer that run goes first, so none waits on another's slots. */
START_TEST(endpoints_take_turns) {
    make("t", 0, PUBLISH_A);
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
    make("t", 0, PUBLISH_A);
    world_kill(&world, true);
    make("u", 0, PUBLISH_A);
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
    make("t", 0, PUBLISH_A);
    const struct push *push = &world.farm.tasks[0].push;
    ck_assert(push->has_sweep);
    ck_assert_uint_eq(push->sweep.version_count, 1);
    ck_assert_str_eq(push->sweep.versions[0].version, PUBLISH_A);
    ck_assert_uint_eq(push->sweep.folder_count, 3);
    world_do(&world, &world.farm.tasks[0]);
    make("t", 1, PUBLISH_B);
    push = &world.farm.tasks[0].push;
    ck_assert_uint_eq(push->sweep.version_count + push->old_version_count, 2);
    ck_assert_uint_eq(push->sweep.folder_count + push->old_folder_count, 4);
    world_do(&world, &world.farm.tasks[0]);
    ck_assert_int_eq(world_call(&world, ask_unpublish, "t", "b", NULL), 0);
    ck_assert_int_eq(world_lease_pushes(&world, 1), 1);
    ck_assert(!world.farm.tasks[0].push.has_sweep);
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
    make("t", 0, PUBLISH_A);
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
    task = lease_push("e1");
    ck_assert_int_eq(task->push.skip, 0);
}
END_TEST

/* A push that runs has no part in the title's runs: it neither holds them up nor is ended. */
START_TEST(a_new_run_leaves_a_push_alone) {
    make("t", 0, PUBLISH_A);
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

/* However often it fails, a push fails neither its title nor itself for good. */
START_TEST(a_push_is_tried_for_ever) {
    char error[200];
    make("t", 0, PUBLISH_A);
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

static const char *asks_as; /* a tenant; "": nobody's */

static void view_publications(struct tx *tx, struct farm *farm, const char *title,
                              struct writer *w) {
    writer_object(w, NULL);
    publications_show(tx, farm, title, asks_as, w);
    writer_object_end(w);
}

static void view_endpoints(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    (void)title;
    writer_object(w, NULL);
    endpoint_rows_write(tx, farm, w);
    writer_object_end(w);
}

/* Whether people are told so of a title. */
static bool is_told_of(const char *title, fixture_view *view, const char *sentence) {
    struct buf said = {0};
    struct writer w = writer_of(&said);
    struct json *tree = fixture_look(&world.farm, view, title);
    writer_node(&w, NULL, tree);
    json_tree_destroy(tree);
    bool told = strstr(buf_text(&said), sentence) != NULL;
    buf_finish(&said);
    return told;
}

static bool is_told(fixture_view *view, const char *sentence) {
    return is_told_of("t", view, sentence);
}

static void view_as_tenant(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    view_title_to(tx, farm, title, "news", w);
}

static void why_as_tenant(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    why_title_to(tx, farm, title, "news", w);
}

/* Whether the title t is told to wait so, beside one of its endpoints. */
static bool is_told_to_wait(const char *what, int64_t since, int64_t until, const char *reason) {
    char text[256], times[2][32] = {"null", "null"};
    const int64_t all[] = {since, until};
    for (int i = 0; i < 2; i++) {
        if (all[i] > 0) {
            snprintf(times[i], sizeof(times[i]), "%" PRId64, all[i]);
        }
    }
    snprintf(text, sizeof(text),
             "\"waits\":{\"for\":\"%s\",\"since\":%s,\"until\":%s,\"reason\":\"%s\"}", what,
             times[0], times[1], reason);
    return is_told(view_title, text);
}

static void view_versions(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    versions_write(tx, farm, title, w);
}

/* What is told of the title t, which the farm has forgotten and e1 has not; and of e1. */
static void expect_left(bool is_left) {
    struct err err = {0};
    const char *state = "", *endpoint = "", *of_it = "", *error = "", *leaving = "";
    asks_as = "";
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
    tree = fixture_look(&world.farm, view_endpoints, "");
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
    must(ask_remove, NULL, NULL);
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
    must(ask_remove, NULL, "keep");
    ck_assert(!world_has(&world, "t"));
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_site(&world, "e1")->stable, PUBLISH_A);
    ck_assert_str_eq(world_site(&world, "cat")->stable, PUBLISH_A);
}
END_TEST

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
    ck_assert(is_told(view_versions, "\"edges\":[{\"endpoint\":\"e1\",\"version\":\"" PUBLISH_A
                                     "\",\"kept_until\":null,\"leaving\":false}]"));
    late->fails = FAILURE_COUNT;
    pass(HOUR_MS);
    world_expect(&world, "t", late, "BA");
    ck_assert(is_told(view_versions, "{\"endpoint\":\"e1\",\"version\":\"" PUBLISH_A));
    ck_assert(!is_told(view_versions, "\"" PUBLISH_A "\",\"kept_until\":null"));
    pass(keep_ms - 3 * HOUR_MS); /* it waited for an hour, and another one for its breaker */
    world_expect(&world, "t", late, "BA");
    pass(3 * HOUR_MS);
    world_expect(&world, "t", late, "B");
    ck_assert(is_told(view_versions, "\"edges\":[]"));
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
}
END_TEST

/* One that is only slow is waited for: what it lacks it may fetch from there. */
START_TEST(the_origin_keeps_versions_until_edges_have_left_them) {
    int64_t keep_ms = world.farm.farm.keep_versions_ms;
    world_run(&world, "t", 0, PUBLISH_A);
    world.farm.now_ms += 1000;
    make("t", 1, PUBLISH_B);
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

#define RULED(fill)                                                                                \
    "endpoints:\n"                                                                                 \
    "  - {name: e1, driver: dav, url: 'http://e1.example', fill: " fill "}\n"

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
    must(ask_publish, "e1", NULL);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    must(ask_unpublish, "e1", NULL);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "gone");
    expect_left(false);
    world_list(&world, RULED("always"));
    ck_assert(world_work(&world)); /* whoever took it from there meant that */
    ck_assert_str_eq(world_state(&world, "t", "e1"), "gone");
    must(ask_publish, NULL, NULL);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    world_list(&world, RULED("score >= 0.5"));
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "none");
    must(ask_score, NULL, "popular");
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    must(ask_score, NULL, NULL);
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
    must(ask_unpublish, NULL, NULL);
    world_run(&world, "t", 1, PUBLISH_B);
    ck_assert_str_eq(world_site(&world, "e1")->stable, "");
    ck_assert(!world_published(&world, "t"));
    must(ask_publish, NULL, NULL);
    ck_assert(world_work(&world));
    ck_assert(world_published(&world, "t"));
    world_expect(&world, "t", world_site(&world, "e1"), "B");
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
    must(ask_unpublish, NULL, PUBLISH_A);
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
    must(ask_roll_back, NULL, NULL);
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
    must(ask_roll_back, NULL, NULL);
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
    must(ask_roll_back, NULL, NULL);
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
    must(ask_roll_back, NULL, NULL); /* nobody has begun with it: the run goes before it */
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
    must(ask_roll_back, NULL, NULL);
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

/* What is told of the window of e1. */
static void expect_window(bool open, int64_t turns_at) {
    struct err err = {0};
    const char *name = "";
    struct json *tree = fixture_look(&world.farm, view_endpoints, "");
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
    ck_assert(is_told_to_wait("window", 0, world.farm.retry_at, ""));
    ck_assert(is_told(why_title, "at which that may be filled, in 10 h 0 min."));
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
    make("t", 0, PUBLISH_A);
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "e1");
    int64_t fences[] = {world.farm.tasks[0].fence, lease_push("e2")->fence};
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
        ck_assert_int_eq(lease_push("e1")->push.skip, 1);
        return;
    }
    must(ask_unpublish, "e1", NULL); /* at ten past six */
    world.farm.now_ms += hour / 6;
    const struct task *leaves = lease_push("e1");
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
        make(i == 0 ? "t" : "u", 0, PUBLISH_A);
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

/* A push to which something else is wanted by its end brings the next after it; one of which
 * nothing is wanted is told to stop. */
START_TEST(a_push_that_is_overtaken) {
    world_run(&world, "t", 0, PUBLISH_A);
    must(ask_publish, "e1", NULL);
    int64_t fence = lease_push("e1")->fence;
    fixture_beat(&world.farm, world.session, &fence, 1);
    must(ask_unpublish, NULL, NULL);
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
    make("t", 0, PUBLISH_A);
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
    make("t", 0, PUBLISH_A);
    int64_t fence = world.farm.tasks[0].fence;
    fixture_beat(&world.farm, world.session, &fence, 1);
    must(ask_publish, _i == 0 ? NULL : "e1", NULL);
    must(ask_publish, "e1", NULL);
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

static void spoil_notes(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                        const char *version) {
    (void)farm;
    (void)endpoint;
    sql_run(tx, SQL_VERSION_FOLDER_ADD,
            VALUES(TEXT(title), TEXT(version), INTEGER(0), TEXT("h264-999p"),
                   TEXT("video/h264-999p-0123456789"), INTEGER(7)));
}

/* What a version is made of was noted wrongly by an older scheduler: it is put right by what the
 * version is kept with; when an endpoint comes, when it is published, and when a push fails by it.
 */
START_TEST(wrong_notes_of_a_version_are_put_right) {
    static const char none[] = "endpoints: []\n";
    if (_i < 2) {
        world_list(&world, none);
        world_run(&world, "t", 0, PUBLISH_A);
        must(spoil_notes, NULL, PUBLISH_A);
        if (_i == 0) {
            world_list(&world, publish_two_edges);
        } else {
            must(ask_publish, NULL, NULL);
            world_list(&world, publish_two_edges);
        }
    } else {
        make("t", 0, PUBLISH_A);
        must(spoil_notes, NULL, PUBLISH_A);
        fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_IO, "it lacks 00001.m4s");
    }
    ck_assert(world_work(&world));
    ck_assert_int_eq(world.origin.folders.count, 3);
    world_expect(&world, "t", &world.origin, "A"); /* whose folders are from before */
    world_expect(&world, "t", world_site(&world, "e1"), "A");
}
END_TEST

#define ONE_EDGE "endpoints:\n  - {name: e1, driver: dav, url: 'http://e1.example'}\n"

static void forget_version(struct tx *tx, struct farm *farm, const char *title,
                           const char *endpoint, const char *version) {
    (void)farm;
    (void)endpoint;
    (void)version;
    sql_run(tx, SQL_VERSIONS_DROP, VALUES(TEXT(title)));
}

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
    world_list(&world, ONE_EDGE);
    make("t", 0, PUBLISH_A);
    fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_REFUSED, "422");
    for (int i = 0; i < 8 && _i > 0; i++) {
        world.farm.now_ms += 3600000;
        fixture_beat(&world.farm, world.session, NULL, 0);
        ck_assert_str_eq(lease_push("e1")->title, "t");
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
        must(forget_version, NULL, NULL);
        ck_assert_int_eq(world_call(&world, ask_publish, "u", "e1", NULL), 0); /* now the later */
    }
    if (_i == 2) { /* and so they are told */
        ck_assert(is_told_of("u", view_title, "\"for\":\"breaker\",") &&
                  is_told_of("u", view_title, "\"until\":null,\"reason\":\"422\""));
        ck_assert(is_told_of("u", why_title, ", and is tried again now. What failed there last: "));
        ck_assert(is_told(view_title, "\"for\":\"breaker\",") &&
                  !is_told(view_title, "\"until\":null"));
    }
    ck_assert_str_eq(lease_push("e1")->title, "u");
    fixture_make(&world.farm, &world.farm.tasks[0]);
    ck_assert_str_eq(breaker_of("e1"), "closed");
}
END_TEST

/* One that hangs until a push's time is over is shut as one that says no is; one that is slow, and
 * takes more each time, is not. */
START_TEST(an_endpoint_that_keeps_pushes_waiting_is_shut) {
    char title[16];
    world_list(&world, ONE_EDGE);
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        snprintf(title, sizeof(title), "t%d", i);
        make(title, 0, PUBLISH_A);
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

/* By titles t0 to t4. */
static void break_off(char error[32]) {
    char title[16];
    world_list(&world, ONE_EDGE);
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        snprintf(title, sizeof(title), "t%d", i);
        snprintf(error, 32, "PUT %s/x: 500", title);
        make(title, 0, PUBLISH_A);
        fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_ENDPOINT, error);
    }
}

/* It never failed there itself; a tenant is told of no other title. Once it has, that is told. */
START_TEST(a_title_is_told_of_an_endpoint_that_is_broken_off) {
    char error[32];
    break_off(error);
    const int64_t now = world.farm.now_ms;
    make("t", 0, PUBLISH_A);
    ck_assert_int_eq(world.farm.task_count, 0);
    ck_assert(is_told_to_wait("breaker", now, now + BREAKER_PAUSE_FIRST_MS, error));
    ck_assert(is_told(why_title,
                      "e1 is to have it: the endpoint has been broken off for 0 s, and "
                      "is tried again in 5 s. What failed there last: PUT t4/x: 500.\""));
    ck_assert(is_told(view_as_tenant, "\"for\":\"breaker\"") && !is_told(view_as_tenant, "t4"));
    ck_assert(is_told(why_as_tenant, "tried again in 5 s.\"") && !is_told(why_as_tenant, "t4"));
    world.farm.now_ms += BREAKER_PAUSE_FIRST_MS;
    world_sweep(&world);
    ck_assert(is_told_to_wait("trial", now, 0, error));
    ck_assert(is_told(why_title, "the endpoint was broken off 5 s ago, and is on trial"));
    fixture_fail(&world.farm, lease_push("e1")->fence, FAILURE_ENDPOINT, "PUT t/x: 502");
    int64_t again = world.farm.now_ms + 2 * BREAKER_PAUSE_FIRST_MS;
    ck_assert(is_told_to_wait("breaker", now, again, "PUT t/x: 502"));
    ck_assert(is_told(view_as_tenant, "\"reason\":\"PUT t/x: 502\""));
    ck_assert(is_told(why_as_tenant, "It failed with this title 1 time. The last time: PUT t/x"));
}
END_TEST

/* What the origin lacks is no failure there: neither counted, nor a reason why it is broken off. */
START_TEST(what_the_origin_lacks_is_no_failure_of_an_endpoint) {
    char error[32];
    break_off(error);
    make("t", 0, PUBLISH_A);
    must(forget_version, NULL, NULL);
    world.farm.now_ms += BREAKER_PAUSE_FIRST_MS;
    world_lease_pushes(&world, 1); /* and then one of the others */
    ck_assert(is_told(view_as_tenant, "the origin keeps this version no more"));
    ck_assert(is_told(view_as_tenant, "\"for\":\"trial\",") &&
              is_told(view_as_tenant, "\"reason\":\"\"}"));
}
END_TEST

START_TEST(a_title_that_the_origin_lacks_is_told_when_it_is_tried) {
    make("t", 0, PUBLISH_A);
    must(forget_version, NULL, NULL);
    ck_assert_int_eq(world_lease_pushes(&world, 1), 0);
    ck_assert(is_told_to_wait("pause", 0, world.farm.now_ms + 60000, ""));
    ck_assert(is_told(view_title, "\"retry_at\":null"));
    ck_assert(is_told(why_title, "e2 is to have it: it is tried again in 1 min. The last time: the "
                                 "origin keeps this version no more; publish the title again."));
}
END_TEST

START_TEST(a_title_is_told_that_nobody_pushes) {
    make("t", 0, PUBLISH_A);
    int64_t fence = world.farm.tasks[0].fence;
    ck_assert(is_told(view_title, "\"state\":\"running\"") &&
              is_told(view_title, "\"waits\":null"));
    ck_assert(is_told_to_wait("turn", 0, 0, ""));
    ck_assert(is_told_to_wait("others", 0, 0, ""));
    fixture_fail(&world.farm, fence, FAILURE_ENDPOINT, "500");
    ck_assert(is_told(view_title, "\"for\":\"pause\""));
    ck_assert(!is_told(view_title, "\"for\":\"worker\""));
    ck_assert_int_eq(fixture_drain(&world.farm, "w1", true), 0);
    ck_assert(is_told_to_wait("worker", 0, 0, "all workers are drained"));
    fixture_leave(&world.farm, world.session);
    ck_assert(is_told_to_wait("worker", 0, 0, "no worker is there"));
    ck_assert(is_told(why_title, "e2 is to have it: it waits for a worker: no worker is there."));
}
END_TEST

/* An endpoint that five titles have shut is tried by one that has not failed; and then those five
 * shut it no more. */
START_TEST(an_endpoint_is_tried_by_what_has_not_failed) {
    char title[16];
    world_list(&world, ONE_EDGE);
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        snprintf(title, sizeof(title), "t%d", i);
        make(title, 0, PUBLISH_A);
        fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_REFUSED, "422");
    }
    make("u", 0, PUBLISH_A);
    ck_assert_int_eq(world.farm.task_count, 0);
    world.farm.now_ms += 3600000;
    fixture_beat(&world.farm, world.session, NULL, 0);
    ck_assert_str_eq(lease_push("e1")->title, "u");
    fixture_make(&world.farm, &world.farm.tasks[0]);
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        ck_assert_int_eq(world_lease_pushes(&world, 1), 1);
        fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_REFUSED, "422");
    }
    make("v", 0, PUBLISH_A);
    ck_assert_int_eq(world.farm.task_count, 1);
    ck_assert_str_eq(world.farm.tasks[0].title, "v");
}
END_TEST

/* A worker that was lost may wake, and end the request that it was at: the edge is brought once
 * more when it can't any longer, and once. */
START_TEST(what_a_lost_worker_does_late_is_put_right) {
    struct site *edge = world_site(&world, "e1");
    world_run(&world, "t", 0, PUBLISH_A);
    struct site before = *edge;
    world.farm.now_ms += 1000;
    make("t", 1, PUBLISH_B);
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "e1");
    fixture_lose(&world.farm);
    ck_assert_int_eq(fixture_join(&world.farm, "w2", "host2", 4, world.session), 0);
    if (_i == 1) {
        world.check_order = false;
        must(ask_remove, NULL, NULL);
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
    make("t", 0, PUBLISH_A);
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

/* A cache may fetch from the origin again what was taken from it, for as long as that has it. */
static const struct task *let_it_fetch(bool ends_first, const struct site *before) {
    const struct task *task = lease_push("e1");
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
        must(ask_unpublish, "e1", NULL);
        let_it_fetch(true, &before);
    }
    must(ask_remove, NULL, NULL);
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
    make("t", 0, PUBLISH_A);
    world.farm.old = true;
    fixture_join(&world.farm, "old", "old", 8, old);
    world.farm.old = false;
    fixture_leave(&world.farm, world.session);
    memcpy(world.session, old, sizeof(old));
    ck_assert_int_eq(world_lease_pushes(&world, 8), 3);
    for (int i = 0; i < 3; i++) {
        ck_assert_str_ne(world.farm.tasks[i].push.endpoint.name, "falls");
    }
    ck_assert(is_told(view_endpoints, "no worker is there that knows of edges that fall back"));
    ck_assert(is_told(why_title, "falls is to have it: it waits for a worker that knows edges"));
    ck_assert(
        is_told_to_wait("worker", 0, 0, "no worker that is there knows edges that fall back"));
    fixture_join(&world.farm, "new", "new", 8, world.session);
    ck_assert(!is_told(view_endpoints, "no worker is there"));
    ck_assert(is_told(why_title, "falls is to have it: it waits for its turn"));
    ck_assert_int_eq(world_lease_pushes(&world, 8), 1);
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "falls");
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
    tcase_add_test(tests, a_dead_edge_holds_nothing_back_and_is_caught_up);
    tcase_add_test(tests, a_catalog_that_is_down_for_an_hour);
    tcase_add_loop_test(tests, what_is_pending_is_told, 0, 2);
    tcase_add_loop_test(tests, a_breaker_says_how_many_may_run, 0, 3);
    tcase_add_test(tests, endpoints_take_turns);
    tcase_add_test(tests, a_version_goes_to_edges_together);
    tcase_add_test(tests, a_bucket_s_push_says_what_is_no_orphan);
    tcase_add_loop_test(tests, a_push_goes_on_where_it_stopped, 0, 3);
    tcase_add_test(tests, a_new_run_leaves_a_push_alone);
    tcase_add_loop_test(tests, a_push_is_tried_for_ever, 0, 4);
    tcase_add_loop_test(tests, a_catalog_that_is_away_for_hours, 0, 2);
    tcase_add_loop_test(tests, a_removed_title_is_taken_from_an_edge_that_was_away, 0, 3);
    tcase_add_test(tests, files_that_are_kept_are_kept_everywhere);
    tcase_add_test(tests, edges_keep_versions_as_long_as_the_origin);
    tcase_add_test(tests, an_edge_that_comes_late_keeps_versions_as_long);
    tcase_add_test(tests, the_origin_keeps_versions_until_edges_have_left_them);
    tcase_add_test(tests, an_edge_that_is_new_in_the_file_is_caught_up);
    tcase_add_test(tests, rules_and_people_decide);
    tcase_add_test(tests, what_is_unpublished_stays_so);
    tcase_add_test(tests, a_rollback_is_refused_with_a_reason);
    tcase_add_test(tests, the_current_version_does_not_go_alone);
    tcase_add_test(tests, a_rollback_that_fails_changes_nothing);
    tcase_add_test(tests, a_run_waits_for_a_rollback);
    tcase_add_test(tests, leftovers_wait_for_a_rollback);
    tcase_add_test(tests, a_window_is_kept_to);
    tcase_add_loop_test(tests, a_push_stops_when_its_window_shuts, 0, 2);
    tcase_add_test(tests, all_pushes_stop_when_their_window_shuts);
    tcase_add_loop_test(tests, a_push_that_is_overtaken, 0, 3);
    tcase_add_loop_test(tests, what_is_published_during_its_push_is_pushed_once_more, 0, 2);
    tcase_add_loop_test(tests, what_a_lost_worker_does_late_is_put_right, 0, 2);
    tcase_add_test(tests, a_lost_worker_has_no_say);
    tcase_add_loop_test(tests, wrong_notes_of_a_version_are_put_right, 0, 3);
    tcase_add_loop_test(tests, one_title_delays_no_other_of_a_healthy_endpoint, 0, 3);
    tcase_add_loop_test(tests, an_endpoint_that_keeps_pushes_waiting_is_shut, 0, 2);
    tcase_add_test(tests, an_endpoint_is_tried_by_what_has_not_failed);
    tcase_add_test(tests, a_title_is_told_of_an_endpoint_that_is_broken_off);
    tcase_add_test(tests, what_the_origin_lacks_is_no_failure_of_an_endpoint);
    tcase_add_test(tests, a_title_that_the_origin_lacks_is_told_when_it_is_tried);
    tcase_add_test(tests, a_title_is_told_that_nobody_pushes);
    tcase_add_test(tests, an_edge_that_falls_back_is_for_workers_that_know_of_it);
    tcase_add_test(tests, a_push_that_is_late_is_followed_by_another);
    tcase_add_loop_test(tests, a_cache_is_told_once_more_when_the_origin_has_dropped_a_version, 0,
                        2);
    tcase_add_loop_test(tests, a_cache_is_told_once_more_when_the_origin_has_dropped_the_title, 0,
                        2);
    suite_add_tcase(suite, tests);
    return suite;
}
