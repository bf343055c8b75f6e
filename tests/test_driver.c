/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The driver by itself: statements that are posted, and transactions that break in the middle of
 * them. The store's own use of it: test_store.c. */
#include <check.h>
#include <stdio.h>

#include "common/mem.h"
#include "database/driver.h"
#include "fixture.h"
#include "scheduler/store.h"

Suite *driver_suite(void);

/* Statements, by number. */
enum { ADD, ADD_AGAIN, COUNT, BREAK, STATEMENTS };

static char *folder;
static char *path;
static struct driver *driver;
static struct err err;

static void script(const char *sql) {
    ck_assert_msg(driver_script(driver, sql, &err) == 0, "%s", err.message);
}

static void word(enum driver_word which) {
    ck_assert_msg(driver_transact(driver, which, &err) == 0, "%s", err.message);
}

static void setup(void) {
    struct driver_options options = store_driver_options();
    options.statement_count = STATEMENTS;
    folder = fixture_folder();
    path = fixture_store(folder);
    err = (struct err){0};
    ck_assert_msg(driver_open(&driver, path, &options, &err) == 0, "%s", err.message);
    script("CREATE TABLE number (n BIGINT PRIMARY KEY)");
}

static void teardown(void) {
    driver_close(driver);
    mem_free(path);
    fixture_folder_drop(folder);
}

static int post(int64_t number) {
    return driver_post(driver, ADD, "INSERT INTO number (n) VALUES ($1)", VALUES(INTEGER(number)),
                       &err);
}

static int64_t count_numbers(void) {
    ck_assert_msg(driver_start(driver, COUNT, "SELECT count(*) FROM number", NULL, 0, &err) == 0,
                  "%s", err.message);
    ck_assert_int_eq(driver_step(driver, COUNT, &err), 1);
    int64_t count = driver_integer(driver, COUNT, 0);
    driver_reset(driver, COUNT);
    return count;
}

START_TEST(what_is_posted_is_done_in_order) {
    word(DRIVER_BEGIN);
    word(DRIVER_SAVE);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(post(i), 0);
        ck_assert(i % 300 != 0 || count_numbers() == i + 1); /* who reads sees what was posted */
    }
    word(DRIVER_KEEP);
    ck_assert_int_eq(driver_posted(driver), 1000);
    ck_assert_int_eq(driver_posted(driver), 0);
    word(DRIVER_COMMIT);
    ck_assert(!driver_in_transaction(driver));
    ck_assert_int_eq(count_numbers(), 1000);
    ck_assert_int_eq(post(1000), 0); /* a transaction of its own */
    ck_assert_int_eq(driver_posted(driver), 1);
}
END_TEST

/* The part that posted it is undone, whatever was posted behind it, and no other. */
START_TEST(what_fails_is_of_its_part) {
    static const int behind[] = {0, 1, 100};
    word(DRIVER_BEGIN);
    word(DRIVER_SAVE);
    ck_assert_int_eq(post(-1), 0);
    word(DRIVER_KEEP);
    word(DRIVER_SAVE);
    ck_assert_int_eq(post(-2), 0);
    int failed = post(-1);
    for (int i = 0; failed == 0 && i < behind[_i]; i++) {
        failed = driver_post(driver, ADD_AGAIN, "INSERT INTO number (n) VALUES ($1 + 0)",
                             VALUES(INTEGER(i)), &err);
    }
    failed = failed == 0 ? driver_transact(driver, DRIVER_KEEP, &err) : failed;
    ck_assert_int_eq(failed, ERR_INTERNAL);
    ck_assert(driver_in_transaction(driver));
    err_clear(&err);
    word(DRIVER_UNDO);
    word(DRIVER_KEEP);
    word(DRIVER_SAVE);
    ck_assert_int_eq(driver_post(driver, ADD_AGAIN, "INSERT INTO number (n) VALUES ($1 + 0)",
                                 VALUES(INTEGER(-3)), &err),
                     0); /* which was left out before */
    word(DRIVER_KEEP);
    word(DRIVER_COMMIT);
    ck_assert_int_eq(count_numbers(), 2);
}
END_TEST

/* A savepoint within another: who is told of a failure may not undo more than was told. */
START_TEST(what_fails_is_told_before_the_next_part_begins) {
    word(DRIVER_BEGIN);
    word(DRIVER_SAVE);
    ck_assert_int_eq(post(1), 0);
    int failed = post(1);
    failed = failed == 0 ? driver_transact(driver, DRIVER_SAVE, &err) : failed;
    ck_assert_int_eq(failed, ERR_INTERNAL);
    err_clear(&err);
    word(DRIVER_UNDO);
    word(DRIVER_KEEP);
    word(DRIVER_COMMIT);
    ck_assert_int_eq(count_numbers(), 0);
}
END_TEST

START_TEST(what_was_posted_is_undone) {
    word(DRIVER_BEGIN);
    word(DRIVER_SAVE);
    ck_assert_int_eq(post(1), 0);
    post(1);
    err_clear(&err);
    word(DRIVER_UNDO);
    word(DRIVER_KEEP);
    word(DRIVER_SAVE);
    ck_assert_int_eq(post(2), 0);
    word(DRIVER_ROLLBACK);
    ck_assert(!driver_in_transaction(driver));
    ck_assert_int_eq(count_numbers(), 0);
}
END_TEST

/* ---- a server's own ways to break ------------------------------------------------ */

/* Whether the store is a server's: by tests/farm/postgres it is. Else there is nothing to see. */
static bool has_server(void) {
    return store_is_shared(path);
}

static int post_break(const char *sql) {
    return driver_post(driver, BREAK, sql, NULL, 0, &err);
}

/* Nobody knows what the parts of it are then. */
START_TEST(a_word_that_fails_undoes_all) {
    if (!has_server()) {
        return;
    }
    word(DRIVER_BEGIN);
    ck_assert_int_eq(post(1), 0);
    word(DRIVER_SAVE);
    script("RELEASE call");
    word(DRIVER_KEEP);
    word(DRIVER_SAVE);
    ck_assert_int_lt(driver_start(driver, COUNT, "SELECT count(*) FROM number", NULL, 0, &err), 0);
    ck_assert(!driver_in_transaction(driver));
    ck_assert_int_lt(driver_transact(driver, DRIVER_COMMIT, NULL), 0);
    err_clear(&err);
    word(DRIVER_BEGIN);
    ck_assert_int_eq(count_numbers(), 0);
    word(DRIVER_COMMIT);
}
END_TEST

START_TEST(a_full_disk_is_told_as_such) {
    static const char raise[] = "RAISE EXCEPTION 'no room' USING ERRCODE = '53100'";
    char text[512];
    if (!has_server()) {
        return;
    }
    snprintf(text, sizeof(text),
             "CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN %s; END $$; "
             "CREATE CONSTRAINT TRIGGER full_disk AFTER INSERT ON number %s "
             "FOR EACH ROW EXECUTE FUNCTION fill()",
             raise, _i == 0 ? "" : "DEFERRABLE INITIALLY DEFERRED");
    script(text);
    word(DRIVER_BEGIN);
    word(DRIVER_SAVE);
    ck_assert_int_eq(post(1), 0);
    int failed = driver_transact(driver, DRIVER_KEEP, &err);
    failed = failed == 0 ? driver_transact(driver, DRIVER_COMMIT, &err) : failed;
    ck_assert_int_eq(failed, ERR_NO_SPACE);
    if (driver_in_transaction(driver)) {
        err_clear(&err);
        word(DRIVER_ROLLBACK);
    }
    ck_assert(!driver_is_lost(driver));
    ck_assert_int_eq(count_numbers(), 0);
}
END_TEST

START_TEST(a_connection_may_end_among_them) {
    if (!has_server()) {
        return;
    }
    word(DRIVER_BEGIN);
    word(DRIVER_SAVE);
    ck_assert_int_eq(post(1), 0);
    ck_assert_int_eq(post_break("SELECT pg_terminate_backend(pg_backend_pid())"), 0);
    ck_assert_int_eq(post(2), 0);
    ck_assert_int_eq(driver_transact(driver, DRIVER_KEEP, &err), ERR_UNAVAILABLE);
    ck_assert(driver_is_lost(driver));
    ck_assert(!driver_in_transaction(driver));
    for (int i = 0; i < DRIVER_WORD_COUNT; i++) {
        ck_assert_int_lt(driver_transact(driver, (enum driver_word)i, NULL), 0);
    }
    ck_assert_int_lt(post(3), 0);
}
END_TEST

Suite *driver_suite(void) {
    Suite *suite = suite_create("driver");
    TCase *tests = tcase_create("posted");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, what_is_posted_is_done_in_order);
    tcase_add_loop_test(tests, what_fails_is_of_its_part, 0, 3);
    tcase_add_test(tests, what_fails_is_told_before_the_next_part_begins);
    tcase_add_test(tests, what_was_posted_is_undone);
    tcase_add_test(tests, a_word_that_fails_undoes_all);
    tcase_add_loop_test(tests, a_full_disk_is_told_as_such, 0, 2);
    tcase_add_test(tests, a_connection_may_end_among_them);
    suite_add_tcase(suite, tests);
    return suite;
}
