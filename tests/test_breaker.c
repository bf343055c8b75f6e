/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Breakers and limits: the whole table of moves, and sequences of what endpoints do. */
#include <check.h>

#include "scheduler/publishing/breaker.h"

Suite *breaker_suite(void);

/* What each event leads to from closed, open and half open; -1: not allowed. */
static const int expected[BREAKER_EVENT_COUNT][BREAKER_STATE_COUNT] = {
    [BREAKER_SUCCEED] = {BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN},
    [BREAKER_FAIL] = {BREAKER_CLOSED, BREAKER_OPEN, -1},
    [BREAKER_TRIP] = {BREAKER_OPEN, -1, BREAKER_OPEN},
    [BREAKER_WAKE] = {-1, BREAKER_HALF_OPEN, -1},
    [BREAKER_MEND] = {-1, -1, BREAKER_CLOSED},
    [BREAKER_RESET] = {BREAKER_CLOSED, BREAKER_CLOSED, BREAKER_CLOSED},
};

START_TEST(the_table_is_walked) {
    for (int event = 0; event < BREAKER_EVENT_COUNT; event++) {
        for (int state = 0; state < BREAKER_STATE_COUNT; state++) {
            ck_assert_int_eq(breaker_next((enum breaker_state)state, (enum breaker_event)event),
                             expected[event][state]);
        }
    }
}
END_TEST

START_TEST(states_have_names) {
    for (int state = 0; state < BREAKER_STATE_COUNT; state++) {
        const char *name = breaker_state_name((enum breaker_state)state);
        ck_assert_int_eq(breaker_state_from_name(name), state);
    }
    ck_assert_int_eq(breaker_state_from_name("ajar"), -1);
}
END_TEST

/* What endpoints do, a letter each: s, f, a success or failure; p, the pause ends; r, reset; and
 * the state after it all. */
static const struct {
    const char *events;
    enum breaker_state state;
} sequences[] = {
    {"", BREAKER_CLOSED},
    {"ffff", BREAKER_CLOSED},
    {"fffff", BREAKER_OPEN},
    {"ffffsffff", BREAKER_CLOSED},
    {"sfsfsfsfsfsfsfsfsf", BREAKER_CLOSED},        /* 9 of 18 */
    {"sfsfsfsfsfsfsfsfsfsf", BREAKER_OPEN},        /* 10 of 20 */
    {"ffffsffffsssssssssssssssf", BREAKER_CLOSED}, /* the first ones are forgotten */
    {"fffffs", BREAKER_OPEN},                      /* late news */
    {"fffffp", BREAKER_HALF_OPEN},
    {"fffffpss", BREAKER_HALF_OPEN},
    {"fffffpsss", BREAKER_CLOSED},
    {"fffffpssf", BREAKER_OPEN},
    {"fffffpsssffff", BREAKER_CLOSED}, /* what was before is forgotten */
    {"fffffr", BREAKER_CLOSED},
    {"fffffpr", BREAKER_CLOSED},
};

START_TEST(sequences_end_as_they_should) {
    struct breaker breaker = {0};
    int64_t now = 1000;
    for (const char *event = sequences[_i].events; *event != '\0'; event++) {
        if (*event == 'p') {
            ck_assert(!breaker_wake(&breaker, breaker.retry_at - 1));
            now = breaker.retry_at;
            ck_assert(breaker_wake(&breaker, now));
        } else if (*event == 'r') {
            breaker_reset(&breaker);
        } else {
            breaker_report(&breaker, *event == 's', false, now);
        }
    }
    ck_assert_int_eq(breaker.state, sequences[_i].state);
    ck_assert_int_eq(breaker.opened_at != 0, sequences[_i].state != BREAKER_CLOSED);
}
END_TEST

START_TEST(its_pause_doubles_until_it_is_well) {
    struct breaker breaker = {0};
    int64_t now = 5, pause = BREAKER_PAUSE_FIRST_MS;
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        breaker_report(&breaker, false, false, now);
    }
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(breaker.retry_at - now, pause);
        ck_assert_int_eq(breaker.opened_at, 5);
        now = breaker.retry_at;
        ck_assert(breaker_wake(&breaker, now));
        breaker_report(&breaker, true, false, now);
        breaker_report(&breaker, false, false, now);
        pause = 2 * pause < BREAKER_PAUSE_MOST_MS ? 2 * pause : BREAKER_PAUSE_MOST_MS;
    }
    ck_assert_int_eq(pause, BREAKER_PAUSE_MOST_MS);
    breaker_wake(&breaker, breaker.retry_at);
    for (int i = 0; i < BREAKER_MENDS; i++) {
        breaker_report(&breaker, true, false, now);
    }
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        breaker_report(&breaker, false, false, now);
    }
    ck_assert_int_eq(breaker.retry_at - now, BREAKER_PAUSE_FIRST_MS);
}
END_TEST

/* Of a title that failed before, a failure counts only where nothing tells that the endpoint is
 * well: where it is tried, and nothing succeeded. */
START_TEST(what_failed_before_counts_where_nothing_succeeds) {
    struct breaker breaker = {0};
    ck_assert(breaker_counts(&breaker, false));
    ck_assert(!breaker_counts(&breaker, true));
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        breaker_report(&breaker, false, false, 1);
    }
    ck_assert(breaker_wake(&breaker, breaker.retry_at));
    ck_assert(breaker_counts(&breaker, true));
    breaker_report(&breaker, true, false, 1);
    ck_assert(!breaker_counts(&breaker, true));
    ck_assert(breaker_counts(&breaker, false));
}
END_TEST

/* A few titles, each tried again and again, shut a dead endpoint too, after a minute; one push that
 * is brought opens it again, and the pause between trials stays short, since it may have been the
 * titles' fault. */
START_TEST(nothing_but_failures_for_a_minute_open_it) {
    struct breaker breaker = {0};
    breaker_report(&breaker, false, false, 1000);
    ck_assert_int_eq(breaker.failing_at, 1000);
    breaker_report(&breaker, false, true, 1000 + BREAKER_SILENT_MS - 1);
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
    breaker_report(&breaker, false, true, 1000 + BREAKER_SILENT_MS);
    ck_assert_int_eq(breaker.state, BREAKER_OPEN);
    ck_assert_int_eq(breaker.opened_at, 1000 + BREAKER_SILENT_MS);
    ck_assert(breaker.by_time);
    for (int i = 0; i < 10; i++) {
        int64_t now = breaker.retry_at;
        ck_assert(breaker_wake(&breaker, now));
        breaker_report(&breaker, false, true, now);
        ck_assert_int_eq(breaker.state, BREAKER_OPEN);
        ck_assert_int_le(breaker.retry_at - now, BREAKER_PAUSE_SILENT_MS);
    }
    ck_assert_int_eq(breaker.failing_at, 1000);
    ck_assert(breaker_wake(&breaker, breaker.retry_at));
    breaker_report(&breaker, true, false, breaker.retry_at);
    ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
    ck_assert_int_eq(breaker.failing_at, 0);
}
END_TEST

/* While others succeed, one title may fail for ever. */
START_TEST(a_title_that_fails_for_ever_opens_nothing_beside_others) {
    struct breaker breaker = {0};
    for (int64_t now = 1; now < 100 * BREAKER_SILENT_MS; now += BREAKER_SILENT_MS / 2) {
        breaker_report(&breaker, false, now > 1, now);
        ck_assert_int_eq(breaker.state, BREAKER_CLOSED);
        breaker_report(&breaker, true, false, now + 1);
    }
}
END_TEST

/* Results, each a mean time of requests or 0 for a failure, and how many are allowed then. */
static const struct {
    double ms[8];
    int allowed;
} limits[] = {
    {{-1}, 2},
    {{10, -1}, 3},
    {{10, 10, 10, 10, 10, 10, -1}, 6}, /* no more than the file says */
    {{10, 10, 10, 10, 0, -1}, 3},
    {{0, 0, 0, 0, -1}, 1},
    {{10, 10, 10, 10, 25, -1}, 3}, /* slow */
    {{10, 10, 15, 15, -1}, 6},     /* not so slow */
    {{25, 10, 10, -1}, 5},         /* its best is not its first */
    {{1, 1, 4, 4, -1}, 6},         /* nor is anything slow that is so short */
};

/* Of requests that are alike. */
static void report(struct limit *limit, bool success, double ms, int most) {
    limit_report(limit, success, (struct pace){ms, ms}, most);
}

START_TEST(the_limit_grows_by_one_and_is_halved) {
    struct breaker breaker = {0};
    struct limit limit = limit_default(6);
    for (const double *ms = limits[_i].ms; *ms >= 0; ms++) {
        report(&limit, *ms > 0, *ms, 6);
    }
    ck_assert_int_eq(breaker_allows(&breaker, &limit), limits[_i].allowed);
    breaker.state = BREAKER_HALF_OPEN;
    ck_assert_int_eq(breaker_allows(&breaker, &limit), 1);
    breaker.state = BREAKER_OPEN;
    ck_assert_int_eq(breaker_allows(&breaker, &limit), 0);
}
END_TEST

START_TEST(a_road_that_became_longer_is_taken_for_normal_in_time) {
    struct limit limit = limit_default(8);
    report(&limit, true, 10, 8);
    for (int i = 0; i < 60; i++) {
        report(&limit, true, 25, 8);
    }
    ck_assert_int_eq((int)limit.pushes, 8);
    ck_assert_int_eq((int)limit_default(1).pushes, 1);
}
END_TEST

/* A push that had nothing to ask tells nothing of the road, nor does one that was refused soon. */
START_TEST(what_asked_nothing_or_failed_tells_no_time) {
    struct limit limit = limit_default(8);
    report(&limit, true, 10, 8);
    report(&limit, true, 0, 8);
    ck_assert_double_eq(limit.best_ms, 10);
    ck_assert_double_eq(limit.last_ms, 10);
    ck_assert_int_eq((int)limit.pushes, 4);
    report(&limit, true, 25, 8); /* slow beside that */
    ck_assert_int_eq((int)limit.pushes, 2);
    double best_ms = limit.best_ms;
    report(&limit, false, 1, 8);
    ck_assert_double_eq(limit.best_ms, best_ms);
    ck_assert_double_eq(limit.last_ms, 25);
}
END_TEST

/* What small requests take, a HEAD or a DELETE each, is no measure for those that bring something;
 * people are told both. */
START_TEST(pushes_are_compared_by_what_they_cost) {
    struct limit limit = limit_default(8);
    limit_report(&limit, true, (struct pace){.request_ms = 30, .cost_ms = 10}, 8);
    limit_report(&limit, true, (struct pace){.request_ms = 1, .cost_ms = 0}, 8);
    ck_assert_double_eq(limit.last_ms, 1);
    limit_report(&limit, true, (struct pace){.request_ms = 30, .cost_ms = 11}, 8);
    limit_report(&limit, true, (struct pace){.request_ms = 90, .cost_ms = 12}, 8);
    ck_assert_double_eq(limit.last_ms, 90);
    ck_assert_int_eq((int)limit.pushes, 6);
    limit_report(&limit, true, (struct pace){.request_ms = 30, .cost_ms = 25}, 8);
    ck_assert_int_eq((int)limit.pushes, 3);
}
END_TEST

Suite *breaker_suite(void) {
    Suite *suite = suite_create("breaker");
    TCase *tests = tcase_create("breaker");
    tcase_add_test(tests, the_table_is_walked);
    tcase_add_test(tests, states_have_names);
    tcase_add_loop_test(tests, sequences_end_as_they_should, 0,
                        sizeof(sequences) / sizeof(sequences[0]));
    tcase_add_test(tests, what_failed_before_counts_where_nothing_succeeds);
    tcase_add_test(tests, nothing_but_failures_for_a_minute_open_it);
    tcase_add_test(tests, a_title_that_fails_for_ever_opens_nothing_beside_others);
    tcase_add_test(tests, its_pause_doubles_until_it_is_well);
    tcase_add_loop_test(tests, the_limit_grows_by_one_and_is_halved, 0,
                        sizeof(limits) / sizeof(limits[0]));
    tcase_add_test(tests, what_asked_nothing_or_failed_tells_no_time);
    tcase_add_test(tests, pushes_are_compared_by_what_they_cost);
    tcase_add_test(tests, a_road_that_became_longer_is_taken_for_normal_in_time);
    suite_add_tcase(suite, tests);
    return suite;
}
