/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The error type: first message wins, context goes in front, codes keep their names. */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "common/err.h"

Suite *err_suite(void);

START_TEST(the_first_message_wins) {
    struct err err = {0};
    ck_assert_int_eq(err_set(&err, ERR_CORRUPT, "box '%s' is short", "moov"), ERR_CORRUPT);
    ck_assert_int_eq(err_set(&err, ERR_TIMEOUT, "later"), ERR_TIMEOUT);
    ck_assert_int_eq(err.code, ERR_CORRUPT);
    ck_assert_str_eq(err.message, "box 'moov' is short");
}
END_TEST

START_TEST(an_error_is_handed_on) {
    struct err err = {0}, none = {0}, other = {0};
    err_set(&other, ERR_CORRUPT, "it is 100 %% broken");
    ck_assert_int_eq(err_pass(&err, &none), 0);
    ck_assert_int_eq(err.code, ERR_NONE);
    ck_assert_int_eq(err_pass(NULL, &other), ERR_CORRUPT);
    ck_assert_int_eq(err_pass(&err, &other), ERR_CORRUPT);
    ck_assert_str_eq(err.message, "it is 100 % broken");
    err_clear(&other);
    err_set(&other, ERR_TIMEOUT, "late");
    ck_assert_int_eq(err_pass(&err, &other), ERR_TIMEOUT);
    ck_assert_int_eq(err.code, ERR_CORRUPT); /* the first one wins */
}
END_TEST

START_TEST(context_goes_in_front) {
    struct err err = {0};
    ck_assert_int_eq(err_wrap(&err, "nothing"), ERR_NONE);
    ck_assert_str_eq(err.message, "");
    err_set(&err, ERR_NOT_FOUND, "it is not there");
    ck_assert_int_eq(err_wrap(&err, "opening %d", 7), ERR_NOT_FOUND);
    ck_assert_str_eq(err.message, "opening 7: it is not there");
}
END_TEST

START_TEST(no_struct_is_no_crash) {
    ck_assert_int_eq(err_set(NULL, ERR_INVALID, "x"), ERR_INVALID);
    ck_assert_int_eq(err_set_errno(NULL, ENOSPC, "x"), ERR_NO_SPACE);
    err_wrap(NULL, "x");
    err_clear(NULL);
}
END_TEST

START_TEST(a_long_message_is_cut_and_ended) {
    struct err err = {0};
    char text[3000];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    err_set_errno(&err, ENOENT, "%s", text);
    ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
    err_wrap(&err, "%s", text);
    ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
}
END_TEST

static const struct {
    int value;
    enum err_code code;
} errnos[] = {
    {ENOENT, ERR_NOT_FOUND},    {EEXIST, ERR_CONFLICT}, {ENOSPC, ERR_NO_SPACE},
    {EACCES, ERR_INVALID},      {EDQUOT, ERR_NO_SPACE}, {ECONNREFUSED, ERR_UNAVAILABLE},
    {ETIMEDOUT, ERR_TIMEOUT},   {EIO, ERR_UNAVAILABLE}, {EMFILE, ERR_UNAVAILABLE},
    {ECANCELED, ERR_CANCELLED}, {EXDEV, ERR_INTERNAL},
};

START_TEST(errno_becomes_a_code_and_a_text) {
    struct err err = {0};
    ck_assert_int_eq(err_set_errno(&err, errnos[_i].value, "doing"), errnos[_i].code);
    ck_assert(strncmp(err.message, "doing: ", 7) == 0);
    ck_assert_str_eq(err.message + 7, strerror(errnos[_i].value));
}
END_TEST

START_TEST(names_go_round) {
    for (int code = ERR_FORBIDDEN; code <= ERR_NONE; code++) {
        ck_assert_int_eq(err_code_from_name(err_code_name((enum err_code)code)), code);
    }
    ck_assert_int_eq(err_code_from_name("no such name"), ERR_INTERNAL);
    ck_assert_str_eq(err_code_name((enum err_code) - 99), "internal");
}
END_TEST

START_TEST(what_may_pass_is_transient) {
    ck_assert(err_is_transient(ERR_UNAVAILABLE) && err_is_transient(ERR_TIMEOUT));
    ck_assert(!err_is_transient(ERR_INVALID) && !err_is_transient(ERR_CORRUPT));
    ck_assert(!err_is_transient(ERR_CANCELLED) && !err_is_transient(ERR_NONE));
}
END_TEST

Suite *err_suite(void) {
    Suite *suite = suite_create("err");
    TCase *tcase = tcase_create("err");
    tcase_add_test(tcase, the_first_message_wins);
    tcase_add_test(tcase, an_error_is_handed_on);
    tcase_add_test(tcase, context_goes_in_front);
    tcase_add_test(tcase, no_struct_is_no_crash);
    tcase_add_test(tcase, a_long_message_is_cut_and_ended);
    tcase_add_loop_test(tcase, errno_becomes_a_code_and_a_text, 0,
                        sizeof(errnos) / sizeof(errnos[0]));
    tcase_add_test(tcase, names_go_round);
    tcase_add_test(tcase, what_may_pass_is_transient);
    suite_add_tcase(suite, tcase);
    return suite;
}
