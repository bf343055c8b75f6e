/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Endpoints whose lines in the scheduler's file change, or go: they are at another place, are not
 * listed any more, are forgotten; and those from which a title never really goes. */
#include <check.h>
#include <string.h>

#include "common/mem.h"
#include "publication_fixture.h"
#include "scheduler/publishing/publication_parts.h"

Suite *listed_suite(void);

static struct world world;

static void open_world(void) {
    world_open(&world, publish_two_edges);
    world.check_order = false;
}

static void close_world(void) {
    world_close(&world);
}

static void ask_forget(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                       const char *version) {
    (void)title;
    (void)version;
    publication_forget_endpoint(tx, farm, endpoint);
}

/* As of a store that knew of no places. */
static void ask_no_places(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                          const char *version) {
    (void)title;
    (void)endpoint;
    (void)version;
    for (size_t i = 0; i < farm->endpoints->count; i++) {
        sql_run(tx, SQL_ENDPOINT_SET_PLACE,
                VALUES(TEXT(farm->endpoints->list[i].push.name), TEXT("")));
    }
}

/* NOT_FOUND where neither the title is there nor any endpoint is to lose it. */
static void ask_seen(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                     const char *version) {
    struct buf out = {0};
    struct writer w = writer_of(&out);
    (void)endpoint;
    (void)version;
    writer_object(&w, NULL);
    publications_show(tx, farm, title, "", &w);
    writer_object_end(&w);
    buf_finish(&out);
}

/* CONFLICT where it was told that the title's version is published. */
static void ask_told(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                     const char *version) {
    (void)farm;
    (void)endpoint;
    if (sql_run(tx, SQL_TITLE_SET_TOLD, VALUES(TEXT(title), TEXT(version))) == 0) {
        err_set(tx_err(tx), ERR_CONFLICT, "it was");
    }
}

/* CONFLICT where it is known what the title's version is made of. */
static void ask_folders(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                        const char *version) {
    (void)farm;
    (void)endpoint;
    if (sql_integer(tx, SQL_VERSION_FOLDERS_COUNT, VALUES(TEXT(title), TEXT(version)), 0) > 0) {
        err_set(tx_err(tx), ERR_CONFLICT, "it is");
    }
}

/* CONFLICT where an edge has another version than it is to have. */
static void ask_older(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                      const char *version) {
    (void)farm;
    (void)version;
    struct query query = sql_query(tx, SQL_PUBLICATION_VERSIONS_OLD, VALUES(TEXT(title)));
    bool has = false;
    while (query_next(&query)) {
        has = has || strcmp(query_text(&query, 0), endpoint) == 0;
    }
    if (has) {
        err_set(tx_err(tx), ERR_CONFLICT, "it has");
    }
}

static void read_breaker(struct tx *tx, void *context) {
    struct endpoint_list list = {0};
    const char **state = context;
    endpoint_list_read(tx, &world.farm.farm, &list);
    *state = breaker_state_name(endpoint_list_find(&list, *state)->breaker.state);
    endpoint_list_finish(&list);
}

static const char *breaker_of(const char *endpoint) {
    const char *state = endpoint;
    ck_assert_int_eq(store_call(world.farm.store, read_breaker, &state, &world.farm.err), 0);
    return state;
}

/* ---- another place -------------------------------------------------------------------------- */

#define E1(driver, url)  "  - {name: e1, driver: " driver ", url: '" url "'}\n"
#define E2               "  - {name: e2, driver: dav, url: 'http://e2.example'}\n"
#define CAT(url, serves) "  - {name: cat, driver: catalog, url: '" url "', serves: '" serves "'}\n"
#define FIRST            E1("dav", "http://e1.example")
#define LAST             CAT("http://cat.example", "http://play.example")
#define LIST(lines)      "endpoints:\n" lines

/* Files in which one endpoint is elsewhere than in publish_two_edges. */
static const struct {
    const char *file;
    const char *name;
} moves[] = {
    {LIST(E1("dav", "http://new.example") E2 LAST), "e1"},
    {LIST(E1("pull", "http://e1.example") E2 LAST), "e1"},
    {LIST(FIRST E2 CAT("http://new.example", "http://play.example")), "cat"},
    {LIST(FIRST E2 CAT("http://cat.example", "http://new.example")), "cat"},
};

/* Nothing is there: all goes there once more, and is told as it is meanwhile. */
START_TEST(what_moved_is_filled_anew) {
    struct site *site = world_site(&world, moves[_i].name);
    world_run(&world, "t", 0, PUBLISH_A);
    int64_t revision = site->revision;
    site->stable[0] = '\0';
    site->versions.count = site->folders.count = 0;
    world.check_told = true;
    world_list(&world, moves[_i].file);
    world_check(&world);
    ck_assert_str_eq(world_state(&world, "t", site->name), "waiting");
    ck_assert_str_eq(world_state(&world, "t", "e2"), "held");
    ck_assert_int_eq(world_published(&world, "t"), !site->is_catalog);
    ck_assert(world_work(&world));
    world_expect(&world, "t", site, "A");
    ck_assert(world_published(&world, "t"));
    ck_assert(!site->is_catalog || site->revision > revision);
    world_list(&world, moves[_i].file); /* it stays there */
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
}
END_TEST

/* A catalog at another place waits for edges that are too, as ever. */
START_TEST(edges_that_moved_come_before_catalogs) {
    world_run(&world, "t", 0, PUBLISH_A);
    world_list(&world, LIST(E1("dav", "http://new.example")
                                E2 CAT("http://new.example", "http://play.example")));
    ck_assert_int_eq(world_lease_pushes(&world, 8), 1);
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "e1");
    world_do(&world, &world.farm.tasks[0]);
    ck_assert(world_work(&world));
    ck_assert(world_published(&world, "t"));
}
END_TEST

/* Older versions are not there, and are not said to be; where it is the same place by another name,
 * they go from there. */
START_TEST(older_versions_are_not_at_another_place) {
    struct site *site = world_site(&world, "e1");
    world_run(&world, "t", 0, PUBLISH_A);
    world_run(&world, "t", 1, PUBLISH_B);
    world_expect(&world, "t", site, "BA");
    ck_assert_int_eq(world_call(&world, ask_older, "t", "e1", NULL), ERR_CONFLICT);
    if (_i == 0) {
        site->stable[0] = '\0';
        site->versions.count = site->folders.count = 0;
    }
    world_list(&world, moves[0].file);
    ck_assert(world_work(&world));
    world_expect(&world, "t", site, "B");
    ck_assert_int_eq(world_call(&world, ask_older, "t", "e1", NULL), 0);
    ck_assert_int_eq(world_call(&world, ask_older, "t", "e2", NULL), ERR_CONFLICT);
}
END_TEST

/* A store that never noted places takes those that it finds for the old ones. */
START_TEST(places_are_noted_silently_at_first) {
    world_run(&world, "t", 0, PUBLISH_A);
    world_must(&world, ask_no_places, NULL, NULL);
    world_list(&world, moves[0].file);
    ck_assert_int_eq(world_lease_pushes(&world, 8), 0);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    world_list(&world, publish_two_edges);
    ck_assert_int_eq(world_lease_pushes(&world, 8), 1);
}
END_TEST

/* What runs brings it to the old place: it is stopped, and what was brought does not count. */
START_TEST(a_push_to_the_old_place_is_stopped) {
    world_submit(&world, "t", 0, PUBLISH_A);
    while (fixture_lease(&world.farm, world.session, 1) == 0 &&
           world.farm.tasks[0].kind != TASK_PUSH) {
        world_do(&world, &world.farm.tasks[0]);
    }
    int64_t fence = world.farm.tasks[0].fence;
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "e1");
    fixture_beat(&world.farm, world.session, &fence, 1); /* 1 of 2 */
    world_list(&world, moves[0].file);
    fixture_beat(&world.farm, world.session, &fence, 1);
    ck_assert_int_eq(world.farm.stop_count, 1);
    fixture_beat(&world.farm, world.session, NULL, 0);
    ck_assert_int_ge(world_lease_pushes(&world, 8), 1);
    const struct task *task = &world.farm.tasks[0];
    task = strcmp(task->push.endpoint.name, "e1") == 0 ? task : &world.farm.tasks[1];
    ck_assert_str_eq(task->push.endpoint.url, "http://new.example");
    ck_assert_int_eq(task->push.skip, 0);
}
END_TEST

/* What the old place did says nothing of the new one. */
START_TEST(a_breaker_is_the_place_s) {
    char title[2] = "t";
    world_site(&world, "e1")->fails = FAILURE_ENDPOINT;
    for (; title[0] < 't' + 6; title[0]++) {
        world_run(&world, title, 0, PUBLISH_A);
    }
    ck_assert_str_ne(breaker_of("e1"), "closed");
    world_list(&world, publish_two_edges);
    ck_assert_str_ne(breaker_of("e1"), "closed");
    world_list(&world, moves[0].file);
    ck_assert_str_eq(breaker_of("e1"), "closed");
}
END_TEST

/* ---- not listed any more --------------------------------------------------------------------- */

static const char edges_alone[] = LIST(FIRST E2);

/* A catalog that the file has no more holds up nobody: neither who is new, nor who waited for it.
 */
START_TEST(a_catalog_that_is_not_listed_holds_nothing_up) {
    struct site *catalog = world_site(&world, "cat");
    catalog->fails = _i == 0 ? FAILURE_COUNT : FAILURE_REFUSED;
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(world_published(&world, "t"), _i == 0);
    world_list(&world, edges_alone);
    if (_i == 0) {
        world_run(&world, "t", 1, PUBLISH_B);
    }
    ck_assert(world_work(&world));
    ck_assert(world_published(&world, "t"));
    const char *version = _i == 0 ? PUBLISH_B : PUBLISH_A;
    ck_assert_int_eq(world_call(&world, ask_told, "t", NULL, version), ERR_CONFLICT);
    ck_assert(!world_pending(&world, "t", "cat"));
    ck_assert_str_eq(catalog->stable, _i == 0 ? PUBLISH_A : "");
    catalog->fails = FAILURE_COUNT; /* and is right again when it is back */
    world_list(&world, publish_two_edges);
    ck_assert(world_work(&world));
    ck_assert_str_eq(catalog->stable, version);
}
END_TEST

#define CATALOG_RULED(fill)                                                                        \
    LIST("  - {name: cat, driver: catalog, url: 'http://cat.example', "                            \
         "serves: 'http://play.example', fill: " fill "}\n")

/* Nor one that is to hold nothing, though somebody once published to it by name. */
START_TEST(a_catalog_that_is_to_hold_nothing_is_not_waited_for) {
    world_list(&world, CATALOG_RULED("on-demand"));
    world_run(&world, "t", 0, PUBLISH_A);
    world_must(&world, ask_publish, "cat", NULL);
    ck_assert(!world_published(&world, "t"));
    ck_assert(world_work(&world));
    ck_assert(world_published(&world, "t"));
    world_list(&world, CATALOG_RULED("never"));
    ck_assert(world_work(&world));
    world_expect(&world, "t", world_site(&world, "cat"), "");
    ck_assert(world_published(&world, "t"));
}
END_TEST

START_TEST(what_is_not_listed_can_be_forgotten) {
    static const char without[] = LIST(E2 LAST);
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(world_call(&world, ask_forget, "", "e1", NULL), ERR_CONFLICT);
    ck_assert_int_eq(world_call(&world, ask_forget, "", "e9", NULL), ERR_NOT_FOUND);
    world_list(&world, without);
    ck_assert_int_eq(world_call(&world, ask_publish, "t", "e1", NULL), ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(world.farm.err.message, "`reelfarm endpoints forget`"));
    if (_i == 0) {
        world_must(&world, ask_forget, "e1", NULL);
        ck_assert_str_eq(world_state(&world, "t", "e1"), "none");
    }
    world_must(&world, ask_remove, NULL, NULL);
    ck_assert(world_work(&world));
    ck_assert(!world_has(&world, "t"));
    if (_i !=
        0) { /* it has the title, as far as is known, until somebody says that it is no more */
        ck_assert_int_eq(world_call(&world, ask_seen, "t", NULL, NULL), 0);
        ck_assert_int_eq(world_call(&world, ask_folders, "t", NULL, PUBLISH_A), ERR_CONFLICT);
        world_must(&world, ask_forget, "e1", NULL);
    }
    ck_assert_int_eq(world_call(&world, ask_seen, "t", NULL, NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(world_call(&world, ask_folders, "t", NULL, PUBLISH_A), 0);
    ck_assert_int_eq(world_call(&world, ask_forget, "", "e1", NULL), ERR_NOT_FOUND);
    world_list(&world, publish_two_edges); /* a new one of that name */
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
}
END_TEST

/* Nothing is said to be on its way to one that is forgotten, and what comes of it changes nothing.
 */
START_TEST(a_push_to_what_is_forgotten_ends_in_vain) {
    struct task_report report = {.pin = "", .source_size = -1};
    world_submit(&world, "t", 0, PUBLISH_A);
    while (fixture_lease(&world.farm, world.session, 1) == 0 &&
           world.farm.tasks[0].kind != TASK_PUSH) {
        world_do(&world, &world.farm.tasks[0]);
    }
    int64_t fence = world.farm.tasks[0].fence;
    world_list(&world, LIST(E2 LAST));
    world_must(&world, ask_forget, "e1", NULL);
    fixture_beat(&world.farm, world.session, &fence, 1);
    ck_assert_int_eq(world.farm.stop_count, 1);
    ck_assert_int_ne(fixture_complete(&world.farm, fence, &report), ANSWER_ACCEPTED);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "none");
    ck_assert(world_published(&world, "t"));
}
END_TEST

/* ---- fetched from the output ----------------------------------------------------------------- */

static const char *const fetching[] = {
    LIST(E1("pull", "http://e1.example")),
    LIST("  - {name: e1, driver: dav, url: 'http://e1.example', falls_back: true}\n"),
};

/* What was taken from an edge that fetches is given on by it for as long as the output has it, and
 * that is told; removed, it is really gone. */
START_TEST(what_an_edge_fetches_is_not_gone) {
    world_list(&world, fetching[_i]);
    world.check_told = true;
    world_run(&world, "t", 0, PUBLISH_A);
    world_must(&world, ask_unpublish, "e1", NULL);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "fetches");
    ck_assert(!world_pending(&world, "t", "e1"));
    world_must(&world, ask_publish, "e1", NULL);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "held");
    world_must(&world, ask_unpublish, NULL, NULL);
    ck_assert(world_work(&world));
    world_must(&world, ask_unpublish, "e1", NULL);
    ck_assert(world_work(&world));
    ck_assert_str_eq(world_state(&world, "t", "e1"), "fetches");
    world_must(&world, ask_remove, NULL, NULL);
    ck_assert(world_work(&world));
    ck_assert(!world_has(&world, "t"));
    ck_assert_int_eq(world_call(&world, ask_seen, "t", NULL, NULL), ERR_NOT_FOUND);
    world_expect(&world, "t", world_site(&world, "e1"), "");
}
END_TEST

#define LOOP(tests, test, table)                                                                   \
    tcase_add_loop_test(tests, test, 0, sizeof(table) / sizeof(*(table)))

Suite *listed_suite(void) {
    Suite *suite = suite_create("listed");
    TCase *tests = tcase_create("listed");
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, open_world, close_world);
    LOOP(tests, what_moved_is_filled_anew, moves);
    tcase_add_test(tests, edges_that_moved_come_before_catalogs);
    tcase_add_loop_test(tests, older_versions_are_not_at_another_place, 0, 2);
    tcase_add_test(tests, places_are_noted_silently_at_first);
    tcase_add_test(tests, a_push_to_the_old_place_is_stopped);
    tcase_add_test(tests, a_breaker_is_the_place_s);
    tcase_add_loop_test(tests, a_catalog_that_is_not_listed_holds_nothing_up, 0, 2);
    tcase_add_test(tests, a_catalog_that_is_to_hold_nothing_is_not_waited_for);
    tcase_add_loop_test(tests, what_is_not_listed_can_be_forgotten, 0, 2);
    tcase_add_test(tests, a_push_to_what_is_forgotten_ends_in_vain);
    LOOP(tests, what_an_edge_fetches_is_not_gone, fetching);
    suite_add_tcase(suite, tests);
    return suite;
}
