/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Publishing as a saga: scheduler and worker, or the scheduler alone, are killed after each step
 * of each thing that people ask for, and the end is always what was asked for. That nothing is
 * listed which is not there, and that catalog, edges and origin keep their order, is checked after
 * every step by the fixture.
 */
#include <check.h>
#include <string.h>

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
}

static void publish(void) {
    world_submit(&world, "t", 2, PUBLISH_C);
}

static void unpublish(void) {
    must(ask_unpublish, NULL, NULL);
}

static void unpublish_edge(void) {
    must(ask_unpublish, "e1", NULL);
}

static void unpublish_old(void) {
    must(ask_unpublish, NULL, PUBLISH_A);
}

static void roll_back(void) {
    must(ask_roll_back, NULL, NULL);
}

static void remove_all(void) {
    must(ask_remove, NULL, NULL);
}

static void publish_and_unpublish(void) {
    world_submit(&world, "t", 2, PUBLISH_C);
    must(ask_unpublish, NULL, NULL);
}

static void unpublish_and_publish(void) {
    must(ask_unpublish, NULL, NULL);
    must(ask_publish, NULL, NULL);
}

/* From A and then B, both kept, what a thing leads to at the origin, the edges and the catalog:
 * the current version and another. */
static const struct saga {
    const char *name;
    void (*ask)(void);
    const char *origin[2], *edges[2], *first_edge[2], *catalog;
    bool is_gone;
} sagas[] = {
    {"publish", publish, {PUBLISH_C, "AB"}, {PUBLISH_C, "AB"}, {PUBLISH_C, "AB"}, PUBLISH_C, false},
    {"unpublish", unpublish, {PUBLISH_B, PUBLISH_A}, {"", ""}, {"", ""}, "", false},
    {"unpublish --endpoint",
     unpublish_edge,
     {PUBLISH_B, PUBLISH_A},
     {PUBLISH_B, PUBLISH_A},
     {"", ""},
     PUBLISH_B,
     false},
    {"unpublish --version",
     unpublish_old,
     {PUBLISH_B, ""},
     {PUBLISH_B, ""},
     {PUBLISH_B, ""},
     PUBLISH_B,
     false},
    {"rollback",
     roll_back,
     {PUBLISH_A, PUBLISH_B},
     {PUBLISH_A, PUBLISH_B},
     {PUBLISH_A, PUBLISH_B},
     PUBLISH_A,
     false},
    {"remove", remove_all, {"", ""}, {"", ""}, {"", ""}, "", true},
    {"publish, unpublish", publish_and_unpublish, {PUBLISH_C, "AB"}, {"", ""}, {"", ""}, "", false},
    {"unpublish, publish",
     unpublish_and_publish,
     {PUBLISH_B, PUBLISH_A},
     {PUBLISH_B, NULL},
     {PUBLISH_B, NULL},
     PUBLISH_B,
     false},
};

enum { SAGAS = sizeof(sagas) / sizeof(sagas[0]) };

/* Three versions where the table says "AB", else one or two; any other where it says NULL. */
static void expect(struct site *site, const char *const versions[2]) {
    if (versions[1] == NULL || strcmp(versions[1], "AB") == 0) {
        ck_assert_msg(strcmp(site->stable, versions[0]) == 0, "%s has %s, not %s", site->name,
                      site->stable, versions[0]);
    } else {
        world_expect(&world, "t", site, versions[0], versions[1]);
    }
}

static void expect_end(const struct saga *saga) {
    expect(&world.origin, saga->origin);
    expect(world_site(&world, "e1"), saga->first_edge);
    expect(world_site(&world, "e2"), saga->edges);
    ck_assert_str_eq(world_site(&world, "cat")->stable, saga->catalog);
    ck_assert_int_eq(world_has(&world, "t"), !saga->is_gone);
    if (!saga->is_gone) {
        ck_assert_int_eq(world_published(&world, "t"), saga->catalog[0] != '\0');
    }
}

/* Of an unpublish edge by edge, and of two things at once, the catalog may lack an order. */
static void open_world(const struct saga *saga) {
    world_open(&world, publish_two_edges);
    world_run(&world, "t", 0, PUBLISH_A);
    world.farm.now_ms += 1000;
    world_run(&world, "t", 1, PUBLISH_B);
    world_expect(&world, "t", &world.origin, PUBLISH_B, PUBLISH_A);
    world_expect(&world, "t", world_site(&world, "e1"), PUBLISH_B, PUBLISH_A);
    ck_assert(world_published(&world, "t"));
    world.check_order = saga->ask != unpublish_edge && saga->ask != unpublish_and_publish;
    world.steps = 0;
}

/* Without a kill: how many steps it takes. */
static int count_steps(const struct saga *saga) {
    open_world(saga);
    saga->ask();
    ck_assert(world_work(&world));
    expect_end(saga);
    int steps = world.steps;
    world_close(&world);
    return steps;
}

static void kill_after(const struct saga *saga, int step, bool worker_too) {
    open_world(saga);
    world.stop_at = step;
    saga->ask();
    ck_assert(!world_work(&world));
    world_kill(&world, worker_too);
    world.stop_at = -1;
    ck_assert(world_work(&world));
    expect_end(saga);
    world_close(&world);
}

START_TEST(killed_at_every_step_it_ends_as_it_should) {
    const struct saga *saga = &sagas[_i];
    int steps = count_steps(saga);
    ck_assert_int_gt(steps, 1);
    for (int step = 0; step < steps; step++) {
        kill_after(saga, step, true);
        if (saga->ask != publish && saga->ask != publish_and_unpublish) {
            kill_after(saga, step, false);
        }
    }
}
END_TEST

Suite *saga_suite(void) {
    Suite *suite = suite_create("saga");
    TCase *tests = tcase_create("saga");
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, killed_at_every_step_it_ends_as_it_should, 0, SAGAS);
    suite_add_tcase(suite, tests);
    return suite;
}
