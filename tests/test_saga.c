/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Publishing as a saga: the life of a title, in which scheduler and worker, or the scheduler alone,
 * are killed at the same step of each thing that people ask for; once for every step. The end of
 * each is what was asked for. That nothing is listed which is not there, that catalog, edges and
 * origin keep their order, and that what is told of each is so, is checked after each step by the
 * fixture. The same again with an edge or a catalog that does not do its part, and then does.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "publication_fixture.h"

Suite *saga_suite(void);

static struct world world;

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
    world_check(&world);
    bool killed = !world_work(&world);
    if (killed) {
        world_kill(&world, worker_too);
        world_check(&world);
        world.stop_at = -1;
        ck_assert(world_work(&world));
    }
    return killed;
}

static void open_world(const char *file) {
    if (access("/dev/shm", W_OK) == 0) { /* thousands of commits: no disk need take them */
        setenv("TMPDIR", "/dev/shm", 1);
    }
    world_open(&world, file);
    world.check_told = true;
}

/* Each loop takes every second step, with and without the worker by turns. */
START_TEST(killed_at_any_step_it_ends_as_it_should) {
    bool killed = true;
    open_world(publish_two_edges);
    for (int step = _i; killed; step += 2) {
        killed = false;
        for (int chapter = 0; chapter < CHAPTERS; chapter++) {
            bool worker_too = (step / 2 + chapter) % 2 == 0;
            killed = live(&life[chapter], step, worker_too) || killed;
            expect_end(&life[chapter]);
        }
        ck_assert_int_lt(step, STEPS);
    }
    world_close(&world);
}
END_TEST

/* ---- in trouble ------------------------------------------------------------------------------ */

static const struct fault {
    const char *site;
    enum failure_class fails;
    int after; /* so many steps */
    int64_t hangs_ms;
} faults[] = {
    {"e1", FAILURE_REFUSED, 1, 0},      /* it is full, with a part of the media */
    {"e1", FAILURE_ENDPOINT, 0, 0},     /* it answers 500 */
    {"e1", FAILURE_ENDPOINT, 3, 60000}, /* it takes all, and hangs where that is read back */
    {"cat", FAILURE_ENDPOINT, 0, 0},    /* it is down */
    {"cat", FAILURE_REFUSED, 0, 0},     /* it refuses the document */
    {"cat", FAILURE_ENDPOINT, 1, 0},    /* it takes it, and its answer is lost */
    {"hook", FAILURE_ENDPOINT, 0, 0},   /* nobody listens */
};

static const char with_a_hook[] =
    "endpoints:\n"
    "  - {name: e1, driver: dav, url: 'http://e1.example'}\n"
    "  - {name: e2, driver: dav, url: 'http://e2.example'}\n"
    "  - {name: cat, driver: catalog, url: 'http://cat.example', serves: 'http://play.example'}\n"
    "  - {name: hook, driver: webhook, url: 'http://hook.example'}\n";

static void heal(void) {
}

/* Each is asked for while a site is in trouble; then that is over. */
static const struct chapter troubled[] = {
    {submit_a, "A", "A", "A", "A", false, NULL},    {heal, "A", "A", "A", "A", true, NULL},
    {submit_b, "BA", "BA", "BA", "B", false, NULL}, {heal, "BA", "BA", "BA", "B", true, NULL},
    {unpublish, "BA", "", "", "", true, NULL},      {heal, "BA", "", "", "", true, NULL},
    {publish, "BA", "B", "B", "B", false, NULL},    {heal, "BA", "B", "B", "B", true, NULL},
    {remove_all, "", "", "", "", true, NULL},       {heal, "", "", "", "", true, NULL},
};

enum {
    TROUBLED = sizeof(troubled) / sizeof(troubled[0]),
    FAULTS = sizeof(faults) / sizeof(faults[0]),
    TROUBLE_MS = 180000, /* in which it is tried some times */
    HEALED_MS = 7200000, /* who refused is asked again after an hour */
};

static void set_fault(const struct fault *fault, bool fails) {
    struct site *site = world_site(&world, fault->site);
    site->fails = fails ? fault->fails : FAILURE_COUNT;
    site->fails_after = fault->after;
    site->hangs_ms = fault->hangs_ms;
    world.horizon_ms = fails ? TROUBLE_MS : HEALED_MS;
}

/* Nobody else waits for it, and what it holds by then nobody knows but by what is told. */
static void expect_others(const struct chapter *chapter, const struct fault *fault) {
    world_expect(&world, "t", &world.origin, chapter->origin);
    expect("e1", strcmp(fault->site, "e1") == 0 ? NULL : chapter->first_edge);
    expect("e2", chapter->second_edge);
    expect("cat", strcmp(fault->site, "cat") == 0 ? NULL : chapter->catalog);
    ck_assert_int_eq(world_has(&world, "t"), chapter->origin[0] != '\0');
}

/* At all steps of each fault in the full form; else the faults share them. */
static int stride(void) {
    const char *form = getenv("REELFARM_FORM");
    return form != NULL && strcmp(form, "full") == 0 ? 1 : FAULTS;
}

START_TEST(killed_at_any_step_of_a_trouble_it_ends_as_it_should) {
    const struct fault *fault = &faults[_i];
    bool killed = true, has_hook = strcmp(fault->site, "hook") == 0;
    open_world(has_hook ? with_a_hook : publish_two_edges);
    for (int step = _i % stride(); killed && step < STEPS; step += stride()) {
        killed = false;
        for (int at = 0; at < TROUBLED; at++) {
            bool fails = at % 2 == 0;
            set_fault(fault, fails);
            killed = live(&troubled[at], step, (step + at) % 2 == 0) || killed;
            if (fails) {
                expect_others(&troubled[at], fault);
            } else {
                expect_end(&troubled[at]);
                ck_assert(!has_hook || world_heard_all(&world, world_site(&world, "hook")));
            }
        }
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
    TCase *trouble = tcase_create("trouble");
    tcase_set_timeout(trouble, 300);
    tcase_add_loop_test(trouble, killed_at_any_step_of_a_trouble_it_ends_as_it_should, 0, FAULTS);
    suite_add_tcase(suite, trouble);
    return suite;
}
