/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Publishing as a saga: the life of a title, in which scheduler and worker, or the scheduler alone,
 * are killed at the same step of each thing that people ask for; once for every step. The end of
 * each is what was asked for. That nothing is listed which is not there, and that catalog, edges
 * and origin keep their order, is checked after each step by the fixture.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "publish_fixture.h"
#include "scheduler/removal.h"

Suite *saga_suite(void);

static struct world world;

static void ask_remove(struct tx *tx, struct farm *farm, const char *title, const char *endpoint,
                       const char *version) {
    (void)farm;
    (void)endpoint;
    (void)version;
    title_remove(tx, title, false);
}

static void must(world_ask *ask, const char *endpoint, const char *version) {
    ck_assert_msg(world_call(&world, ask, "t", endpoint, version) == 0, "%s",
                  world.farm.err.message);
    world.farm.now_ms += 1000; /* versions are told apart by when they were replaced */
}

static void submit_a(void) {
    world_submit(&world, "t", 0, PUBLISH_A);
    world.farm.now_ms += 1000;
}

static void submit_b(void) {
    world_submit(&world, "t", 1, PUBLISH_B);
    world.farm.now_ms += 1000;
}

static void submit_c(void) {
    world_submit(&world, "t", 2, PUBLISH_C);
    world.farm.now_ms += 1000;
}

static void publish(void) {
    must(ask_publish, NULL, NULL);
}

static void publish_edge(void) {
    must(ask_publish, "e1", NULL);
}

static void unpublish(void) {
    must(ask_unpublish, NULL, NULL);
}

static void unpublish_edge(void) {
    must(ask_unpublish, "e1", NULL);
}

static void unpublish_b(void) {
    must(ask_unpublish, NULL, PUBLISH_B);
}

static void roll_back(void) {
    must(ask_roll_back, NULL, NULL);
}

static void remove_all(void) {
    must(ask_remove, NULL, NULL);
}

static void unpublish_and_publish(void) {
    unpublish();
    publish();
}

static void submit_b_and_unpublish(void) {
    submit_b();
    unpublish();
}

/* The life of a title: what is asked for, one after another, and the versions that the origin,
 * either edge and the catalog have then, the current one first. */
static const struct chapter {
    void (*ask)(void);
    const char *origin, *first_edge, *second_edge, *catalog;
    bool edge_alone;         /* catalog and edges have another order */
    void (*meanwhile)(void); /* asked for in the middle of the first push; NULL: nothing */
} life[] = {
    {submit_a, "A", "A", "A", "A", false, NULL},
    {submit_b, "BA", "BA", "BA", "B", false, NULL},
    {roll_back, "AB", "AB", "AB", "A", false, NULL},
    {unpublish_edge, "AB", "", "AB", "A", true, NULL},
    {publish_edge, "AB", "A", "AB", "A", true, NULL},
    {unpublish_b, "A", "A", "A", "A", false, NULL},
    {submit_c, "CA", "CA", "CA", "C", false, NULL},
    {unpublish, "CA", "", "", "", false, NULL},
    {publish, "CA", "C", "C", "C", false, NULL},
    {publish, "CA", "C", "C", "C", false, publish},
    {publish, "CA", "", "", "", true, unpublish},
    {publish, "CA", "C", "C", "C", false, NULL},
    {unpublish_and_publish, "CA", NULL, NULL, "C", true, NULL},
    {submit_b_and_unpublish, "BCA", "", "", "", false, NULL},
    {publish, "BCA", "B", "B", "B", false, NULL},
    {remove_all, "", "", "", "", false, NULL},
};

enum { CHAPTERS = sizeof(life) / sizeof(life[0]), STEPS = 64, MIDDLE = 2 };

static void expect(const char *site, const char *letters) {
    if (letters != NULL) {
        world_expect(&world, "t", world_site(&world, site), letters);
    }
}

static void expect_end(const struct chapter *chapter) {
    world_expect(&world, "t", &world.origin, chapter->origin);
    expect("e1", chapter->first_edge);
    expect("e2", chapter->second_edge);
    expect("cat", chapter->catalog);
    ck_assert_int_eq(world_has(&world, "t"), chapter->origin[0] != '\0');
    if (chapter->origin[0] != '\0') {
        ck_assert_int_eq(world_published(&world, "t"), chapter->catalog[0] != '\0');
    }
}

/* Does what is asked for, killed after `step` steps, or as soon as all is asked; whether there were
 * so many. */
static bool live(const struct chapter *chapter, int step, bool worker_too) {
    world.check_order = !chapter->edge_alone;
    world.steps = 0;
    chapter->ask();
    if (chapter->meanwhile != NULL) {
        world.stop_at = MIDDLE;
        ck_assert(!world_work(&world));
        chapter->meanwhile();
    }
    world.stop_at = step;
    bool killed = !world_work(&world);
    if (killed) {
        world_kill(&world, worker_too);
        world.stop_at = -1;
        ck_assert(world_work(&world));
    }
    expect_end(chapter);
    return killed;
}

/* Each loop takes every second step, with and without the worker by turns. */
START_TEST(killed_at_any_step_it_ends_as_it_should) {
    bool killed = true;
    if (access("/dev/shm", W_OK) == 0) { /* thousands of commits: no disk need take them */
        setenv("TMPDIR", "/dev/shm", 1);
    }
    world_open(&world, publish_two_edges);
    for (int step = _i; killed; step += 2) {
        killed = false;
        for (int chapter = 0; chapter < CHAPTERS; chapter++) {
            bool worker_too = (step / 2 + chapter) % 2 == 0;
            killed = live(&life[chapter], step, worker_too) || killed;
        }
        ck_assert_int_lt(step, STEPS);
    }
    world_close(&world);
}
END_TEST

Suite *saga_suite(void) {
    Suite *suite = suite_create("saga");
    TCase *tests = tcase_create("saga");
    tcase_set_timeout(tests, 300);
    tcase_add_loop_test(tests, killed_at_any_step_it_ends_as_it_should, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
