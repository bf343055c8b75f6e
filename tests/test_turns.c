/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many slots are taken by threads, and when the next task is asked for before one is free. */
#include <check.h>
#include <string.h>

#include "workers/turns.h"

Suite *turns_suite(void);

enum { SLOTS = 4, THREADS = SLOTS + 1, NOW_MS = 10000 };

static struct task tasks[THREADS];
static struct video_spec specs[THREADS];
static struct slot slots[THREADS];
static struct slot_turns turns;

static void setup(void) {
    memset(slots, 0, sizeof(slots));
    turns = (struct slot_turns){.most = SLOTS};
    for (int i = 0; i < THREADS; i++) {
        slots[i].turns = &turns;
    }
}

/* Puts a chunk of so many encoder threads into a slot, of which so many frames of 100 are made
 * after 9 s; -1: it waits for its turn. */
static void put(int slot, int threads, int done) {
    specs[slot] = (struct video_spec){.threads = threads};
    tasks[slot] =
        (struct task){.fence = 100 + slot,
                      .kind = TASK_VIDEO,
                      .spec = {.kind = TASK_VIDEO, .rung_count = 1, .rungs = &specs[slot]}};
    slots[slot].task = &tasks[slot];
    slots[slot].began_ms = done < 0 ? 0 : NOW_MS - 9000;
    atomic_store(&slots[slot].progress.done, done < 0 ? 0 : done);
    atomic_store(&slots[slot].progress.total, 100);
}

START_TEST(threads_are_slots) {
    static const struct {
        int threads[THREADS]; /* of the tasks there */
        size_t taken;
    } cases[] = {
        {{0}, 0},      {{1}, 1},    {{1, 1, 1, 1}, 4}, {{2, 1}, 3},    {{4}, 4},
        {{16}, SLOTS}, {{2, 2}, 4}, {{2, 2, 2}, 6},    {{0, 0, 3}, 3}, {{1, 1, 1, 1, 1}, 5}};
    for (int i = 0; i < THREADS; i++) {
        if (cases[_i].threads[i] > 0) {
            put(i, cases[_i].threads[i], 0);
        }
    }
    ck_assert_uint_eq(turns_taken(slots, THREADS), cases[_i].taken);
}
END_TEST

/* Sound, and whatever has no encoder with threads, is one slot; so is each push. */
START_TEST(what_encodes_no_pictures_is_one_slot) {
    put(0, 4, 0);
    tasks[0].spec.rung_count = 0;
    ck_assert_uint_eq(turns_taken(slots, THREADS), 1);
    put(0, 4, 0);
    slots[0].turns = NULL;
    ck_assert_uint_eq(turns_taken(slots, THREADS), 1);
}
END_TEST

START_TEST(an_end_is_foreseen_where_it_frees_a_slot) {
    static const struct {
        struct {
            int threads, done; /* percent after 9 s */
        } tasks[THREADS];
        int64_t fence; /* of which it is foreseen */
    } cases[] = {
        {{{1, 50}, {1, 50}, {1, 50}, {1, 95}}, 103}, /* half a second is left */
        {{{1, 50}, {1, 50}, {1, 50}, {1, 85}}, 0},   /* more than one */
        {{{1, 50}, {1, 50}, {1, 50}, {1, 0}}, 0},    /* nobody knows */
        {{{1, 95}, {1, 50}, {1, 50}}, 0},            /* a slot is free */
        {{{4, 95}}, 100},                            /* all four slots are its */
        {{{2, 50}, {2, 95}}, 101},
        {{{2, 95}}, 0},                                     /* two are free */
        {{{3, 50}, {2, 95}}, 101},                          /* five of four: one is free then */
        {{{3, 50}, {1, 50}, {1, 95}}, 0},                   /* five of four: none */
        {{{1, 95}, {1, 50}, {1, 50}, {1, 50}, {1, -1}}, 0}, /* one waits already */
        {{{4, 95}, {4, -1}}, 0},
    };
    for (int i = 0; i < THREADS; i++) {
        if (cases[_i].tasks[i].threads > 0) {
            put(i, cases[_i].tasks[i].threads, cases[_i].tasks[i].done);
        }
    }
    ck_assert_int_eq(turns_foresee(slots, THREADS, NOW_MS), cases[_i].fence);
    ck_assert_int_eq(turns_foresee(slots, THREADS, NOW_MS), 0); /* once */
}
END_TEST

Suite *turns_suite(void) {
    Suite *suite = suite_create("turns");
    TCase *tests = tcase_create("slots");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, threads_are_slots, 0, 10);
    tcase_add_test(tests, what_encodes_no_pictures_is_one_slot);
    tcase_add_loop_test(tests, an_end_is_foreseen_where_it_frees_a_slot, 0, 11);
    suite_add_tcase(suite, tests);
    return suite;
}
