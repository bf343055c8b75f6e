/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits end by a signal or by the monotonic clock. */
#include <check.h>

#include "common/clock.h"
#include "common/condition.h"

Suite *condition_suite(void);

enum { SHORT_MS = 30, LONG_MS = 3600 * 1000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition;
static bool said;

static void setup(void) {
    said = false;
    condition_init(&condition);
}

static void teardown(void) {
    pthread_cond_destroy(&condition);
}

/* Whether somebody spoke before the deadline. */
static bool listen_until(const struct timespec *deadline) {
    bool early = true;
    pthread_mutex_lock(&mutex);
    while (!said && early) {
        early = condition_wait_until(&condition, &mutex, deadline);
    }
    bool heard = said;
    pthread_mutex_unlock(&mutex);
    return heard;
}

static void *speak(void *context) {
    pthread_mutex_lock(&mutex);
    said = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&mutex);
    return context;
}

START_TEST(a_wait_lasts_its_time) {
    int64_t from_ms = clock_monotonic_ms();
    const struct timespec deadline = condition_deadline(SHORT_MS);
    ck_assert(!listen_until(&deadline));
    ck_assert_int_ge(clock_monotonic_ms() - from_ms, SHORT_MS - 1);
    ck_assert(!listen_until(&deadline)); /* which has passed */
}
END_TEST

START_TEST(a_signal_ends_it) {
    pthread_t thread;
    const struct timespec deadline = condition_deadline(LONG_MS);
    ck_assert_int_eq(pthread_create(&thread, NULL, speak, NULL), 0);
    ck_assert(listen_until(&deadline));
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}
END_TEST

START_TEST(so_long_and_no_longer) {
    int64_t from_ms = clock_monotonic_ms();
    pthread_mutex_lock(&mutex);
    while (condition_wait_ms(&condition, &mutex, SHORT_MS)) {
    }
    pthread_mutex_unlock(&mutex);
    ck_assert_int_ge(clock_monotonic_ms() - from_ms, SHORT_MS - 1);
}
END_TEST

Suite *condition_suite(void) {
    Suite *suite = suite_create("condition");
    TCase *tcase = tcase_create("condition");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, a_wait_lasts_its_time);
    tcase_add_test(tcase, a_signal_ends_it);
    tcase_add_test(tcase, so_long_and_no_longer);
    suite_add_tcase(suite, tcase);
    return suite;
}
