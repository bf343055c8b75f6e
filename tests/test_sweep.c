/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Periodic work: a part that fails undoes no other, and is tried again. */
#include <check.h>
#include <string.h>

#include "common/hash.h"
#include "scheduler/auth.h"
#include "scheduler/sweep.h"
#include "scheduler_fixture.h"

Suite *sweep_suite(void);

static struct fixture_farm farm;
static struct sweep sweep;
static char session[ID_TEXT];
static char token[TOKEN_TEXT], token_id[ID_TEXT];

static void open_farm(void) {
    fixture_farm_open(&farm);
    sweep = (struct sweep){
        .store = farm.store, .farm = &farm.farm, .auth = auth_create("the operator's own token")};
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 1, session), 0);
}

static void close_farm(void) {
    fixture_farm_close(&farm);
    auth_destroy(sweep.auth);
}

static void begin(struct tx *tx, void *context) {
    (void)tx;
    (void)context;
    sweep_begin(&sweep);
}

static void nothing(struct tx *tx, void *context) {
    (void)tx;
    (void)context;
}

/* Calls are run in their order: what comes after the parts ends after them, and what comes then
 * after what those submitted. */
static void sweep_now(void) {
    ck_assert_int_eq(store_call(farm.store, begin, NULL, &farm.err), 0);
    ck_assert_int_eq(store_call(farm.store, nothing, NULL, &farm.err), 0);
    ck_assert_int_eq(store_call(farm.store, nothing, NULL, &farm.err), 0);
    ck_assert_uint_eq(sweep.under_way, 0);
}

static void run_sweep(void) {
    farm.now_ms += 2 * farm.farm.ttl_ms;
    sweep_now();
}

/* A session that is silent and holds a lease that nobody can read. */
static void spoil(struct tx *tx, void *context) {
    (void)context;
    sql_run(tx, SQL_LEASE_ADD,
            VALUES(INTEGER(1), TEXT(session), TEXT("w1"), TEXT("host1"), TEXT("t"), TEXT("dance"),
                   TEXT("live"), INTEGER(1), INTEGER(0), REAL(1), INTEGER(0), INTEGER(0),
                   INTEGER(0), INTEGER(0), INTEGER(0), INTEGER(1)));
}

static void mend(struct tx *tx, void *context) {
    (void)context;
    sql_run(tx, SQL_LEASES_DROP, VALUES(TEXT("t")));
}

/* By another process. */
static void add_token(struct tx *tx, void *context) {
    char hash[SHA256_TEXT];
    (void)context;
    auth_make(token, token_id);
    sha256_hex_of(token, strlen(token), hash);
    sql_run(tx, SQL_TOKEN_ADD,
            VALUES(TEXT(token_id), TEXT("one"), TEXT("viewer"), TEXT(""), TEXT(hash), INTEGER(0),
                   INTEGER(0)));
}

/* The view of workers tells of their leases, of which one can't be read. */
static void count(struct tx *tx, void *context) {
    int64_t *sessions = context;
    struct query query = sql_query(tx, SQL_SESSIONS, NULL, 0);
    while (query_next(&query)) {
        (*sessions)++;
    }
}

static int64_t count_sessions(void) {
    int64_t sessions = 0;
    ck_assert_int_eq(store_call(farm.store, count, &sessions, &farm.err), 0);
    return sessions;
}

START_TEST(a_part_that_fails_undoes_no_other) {
    char caller[ID_TEXT];
    ck_assert_int_eq(store_call(farm.store, spoil, NULL, &farm.err), 0);
    ck_assert_int_eq(store_call(farm.store, add_token, NULL, &farm.err), 0);
    run_sweep();
    ck_assert_int_eq(count_sessions(), 1); /* its worker could not be given up */
    ck_assert(auth_check(sweep.auth, token, caller));
    ck_assert_str_eq(caller, token_id);
    ck_assert_int_eq(store_call(farm.store, mend, NULL, &farm.err), 0);
    run_sweep();
    ck_assert_int_eq(count_sessions(), 0);
}
END_TEST

/* Of sessions that are silent, one that can't be given up holds up no other. */
START_TEST(a_session_that_fails_undoes_no_other) {
    char others[2][ID_TEXT];
    ck_assert_int_eq(store_call(farm.store, spoil, NULL, &farm.err), 0);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(fixture_join(&farm, i == 0 ? "w2" : "w3", "host1", 1, others[i]), 0);
    }
    run_sweep();
    ck_assert_int_eq(count_sessions(), 1);
    run_sweep();
    ck_assert_int_eq(count_sessions(), 1);
}
END_TEST

static void lose(struct tx *tx, void *context) {
    (void)context;
    session_lose(tx, &farm.farm, session);
}

static void hear(struct tx *tx, void *context) {
    (void)context;
    sql_run(tx, SQL_SESSION_SEEN, VALUES(TEXT(session), INTEGER(tx_now(tx)), INTEGER(tx_now(tx))));
}

/* Between a look at who is silent and the session's end there may be a heartbeat. */
START_TEST(a_session_that_is_heard_again_is_kept) {
    farm.now_ms += 2 * farm.farm.ttl_ms;
    ck_assert_int_eq(store_call(farm.store, hear, NULL, &farm.err), 0);
    ck_assert_int_eq(store_call(farm.store, lose, NULL, &farm.err), 0);
    ck_assert_int_eq(count_sessions(), 1);
    farm.now_ms += 2 * farm.farm.ttl_ms;
    ck_assert_int_eq(store_call(farm.store, lose, NULL, &farm.err), 0);
    ck_assert_int_eq(count_sessions(), 0);
}
END_TEST

/* As missing.h has it: suite missing. */
START_TEST(images_that_nobody_makes_are_given_up) {
    struct fixture_held held;
    char maker[ID_TEXT];
    farm.images = true;
    fixture_run_title(&farm, "t", "h264", 1, maker);
    fixture_take_kind(&farm, &held, maker, TASK_IMAGES);
    fixture_drop(&held);
    fixture_leave(&farm, maker);
    sweep_now();
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 0);
    farm.now_ms += 3600000;
    fixture_beat(&farm, session, NULL, 0);
    sweep_now();
    ck_assert_int_eq(fixture_count(&farm, "t", "failed"), 2);
}
END_TEST

Suite *sweep_suite(void) {
    Suite *suite = suite_create("sweep");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, open_farm, close_farm);
    tcase_add_test(all, a_part_that_fails_undoes_no_other);
    tcase_add_test(all, a_session_that_fails_undoes_no_other);
    tcase_add_test(all, a_session_that_is_heard_again_is_kept);
    tcase_add_test(all, images_that_nobody_makes_are_given_up);
    suite_add_tcase(suite, all);
    return suite;
}
