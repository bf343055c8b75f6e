/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header that signs a request, against codes made by Python's hmac, and what must not pass. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/signature.h"

Suite *signature_suite(void);

static const char secret[] = "0123456789abcdef0123456789abcdef";
static const int64_t now_s = 1700000000;

/* hmac.new(secret, b"1700000000.METHOD.TARGET." + body, hashlib.sha256).hexdigest() */
static const struct {
    struct signature_request request;
    const char *value;
} made[] = {
    {{"PUT", "/titles/a-title", "{\"title\":\"a-title\"}", 19},
     "t=1700000000,v1=5017d30e7ab885548c1640dbaf3288f97d49645fd8f028170703a688504d7ae6"},
    {{"DELETE", "/titles/a-title?revision=3", NULL, 0},
     "t=1700000000,v1=457b54770845fd9266fecee7b1b068564b1425f787160ad53e7835e926e2ae3f"},
    {{"PUT", "/titles/a-title", "a\0b", 3},
     "t=1700000000,v1=758170db27a5269c0339d1ff3ec5c9ca4a50e24bb2d17254d5f0cd85f34184ae"},
};

static int check_at(const struct signature_request *request, const char *value, int64_t at_s,
                    struct err *err) {
    return signature_check(request, value, secret, strlen(secret), at_s, err);
}

START_TEST(test_made) {
    char value[SIGNATURE_TEXT];
    signature_make(&made[_i].request, secret, strlen(secret), now_s, value);
    ck_assert_str_eq(value, made[_i].value);
    ck_assert_int_eq(check_at(&made[_i].request, value, now_s, NULL), 0);
}
END_TEST

/* No part of a request may be another's. */
static const struct signature_request others[] = {
    {"DELETE", "/titles/a-title", "{\"title\":\"a-title\"}", 19},
    {"PUT", "/titles/a-titlf", "{\"title\":\"a-title\"}", 19},
    {"PUT", "/titles/a-title?x=1", "{\"title\":\"a-title\"}", 19},
    {"PUT", "/titles/a-title", "{\"title\":\"a-titlf\"}", 19},
    {"PUT", "/titles/a-title", "{\"title\":\"a-title\"}", 18},
    {"PUT", "/titles/a-title", NULL, 0},
};

START_TEST(test_of_another_request) {
    struct err err = {0};
    ck_assert_int_eq(check_at(&others[_i], made[0].value, now_s, &err), ERR_FORBIDDEN);
    ck_assert_ptr_nonnull(strstr(err.message, "not by this secret"));
}
END_TEST

START_TEST(test_of_another_secret) {
    ck_assert_int_eq(signature_check(&made[0].request, made[0].value, "another secret, as long", 23,
                                     now_s, NULL),
                     ERR_FORBIDDEN);
}
END_TEST

/* Each digit of the code counts, and so does the time. */
START_TEST(test_each_digit) {
    for (size_t i = 2; i < strlen(made[0].value); i++) {
        char value[SIGNATURE_TEXT];
        snprintf(value, sizeof(value), "%s", made[0].value);
        value[i] = value[i] == '0' ? '1' : '0';
        ck_assert_int_eq(check_at(&made[0].request, value, now_s, NULL), ERR_FORBIDDEN);
    }
}
END_TEST

static const struct {
    int64_t off_s;
    int code;
} times[] = {{0, 0},
             {300, 0},
             {301, ERR_FORBIDDEN},
             {86400, ERR_FORBIDDEN},
             {-300, 0},
             {-301, ERR_FORBIDDEN},
             {-1700000000, ERR_FORBIDDEN}};

START_TEST(test_window) {
    struct err err = {0};
    int code = check_at(&made[0].request, made[0].value, now_s + times[_i].off_s, &err);
    ck_assert_int_eq(code, times[_i].code);
    ck_assert(code == 0 || strstr(err.message, "set the clocks") != NULL);
}
END_TEST

static const char *const unreadable[] = {
    "",
    "t=",
    "t=1700000000",
    "t=1700000000,v1=",
    "v1=00,t=1700000000",
    "t=-1,v1=5017d30e7ab885548c1640dbaf3288f97d49645fd8f028170703a688504d7ae6",
    "t=99999999999999999999,v1=5017d30e7ab885548c1640dbaf3288f97d49645fd8f028170703a688504d7ae6",
    "t=1700000000, v1=5017d30e7ab885548c1640dbaf3288f97d49645fd8f028170703a688504d7ae6",
    "t=1700000000,v1=5017d30e7ab885548c1640dbaf3288f97d49645fd8f028170703a688504d7ae60",
    "t=1700000000,v1=5017D30E7AB885548C1640DBAF3288F97D49645FD8F028170703A688504D7AE6",
};

START_TEST(test_unreadable) {
    struct err err = {0};
    ck_assert_int_eq(check_at(&made[0].request, unreadable[_i], now_s, &err), ERR_FORBIDDEN);
    ck_assert_ptr_nonnull(strstr(err.message, "hex digits"));
}
END_TEST

START_TEST(test_missing) {
    struct err err = {0};
    ck_assert_int_eq(check_at(&made[0].request, NULL, now_s, &err), ERR_FORBIDDEN);
    ck_assert_ptr_nonnull(strstr(err.message, "no signature"));
}
END_TEST

#define COUNT(list) (int)(sizeof(list) / sizeof((list)[0]))

Suite *signature_suite(void) {
    Suite *suite = suite_create("signature");
    TCase *all = tcase_create("signature");
    tcase_add_loop_test(all, test_made, 0, COUNT(made));
    tcase_add_loop_test(all, test_of_another_request, 0, COUNT(others));
    tcase_add_test(all, test_of_another_secret);
    tcase_add_test(all, test_each_digit);
    tcase_add_loop_test(all, test_window, 0, COUNT(times));
    tcase_add_loop_test(all, test_unreadable, 0, COUNT(unreadable));
    tcase_add_test(all, test_missing);
    suite_add_tcase(suite, all);
    return suite;
}
