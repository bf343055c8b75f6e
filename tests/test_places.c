/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which names are within which places. */
#include <check.h>
#include <string.h>

#include "common/places.h"

Suite *places_suite(void);

static const char rule[] = "s3://masters  https://media.example/films/, /srv/media";

static const struct {
    const char *place;
    bool is_within;
} cases[] = {
    {"s3://masters/a.mov", true},
    {"s3://masters/a..b/..c/c..", true},
    {"s3://masters", true},
    {"s3://masters-old/a.mov", false},
    {"s3://master", false},
    {"S3://masters/a.mov", false},
    {"s3://masters/../other/a.mov", false},
    {"https://media.example/films/a.mp4", true},
    {"https://media.example/films/a.mp4?key=x", true},
    {"https://media.example/films", true},
    {"https://media.example/filmsx", false},
    {"https://media.example/", false},
    {"https://media.example@evil.example/films/a.mp4", false},
    {"https://media.example.evil.example/films/a.mp4", false},
    {"http://media.example/films/a.mp4", false},
    {"https://media.example/films/../secret", false},
    {"https://media.example/films/%2e%2E/secret", false},
    {"https://media.example/films/.%2e/secret", false},
    {"https://media.example/films%2f..%2fsecret", false},
    {"https://media.example/films/x%2f..%2fsecret", false},
    {"https://media.example/films/..\\secret", false},
    {"https://media.example/films/..?x", false},
    {"/srv/media/a.mov", true},
    {"/srv/media/..", false},
    {"/srv/mediax/a.mov", false},
    {"/etc/passwd", false},
    {"", false},
};

START_TEST(the_table_is_right) {
    struct err err = {0};
    int result = places_check(rule, "source", cases[_i].place, &err);
    ck_assert_msg(result == (cases[_i].is_within ? 0 : ERR_FORBIDDEN), "%s", cases[_i].place);
    ck_assert(cases[_i].is_within ||
              strstr(err.message, "sources are within s3://masters") != NULL);
}
END_TEST

START_TEST(no_rule_allows_all) {
    ck_assert_int_eq(places_check(NULL, "source", "/etc/passwd", NULL), 0);
    ck_assert_int_eq(places_check("", "source", "s3://x/../y", NULL), 0);
    ck_assert_int_eq(places_check("  ", "source", "", NULL), 0);
    ck_assert_int_eq(places_check("/", "source", "/any", NULL), 0);
    ck_assert_int_eq(places_check("/", "source", "s3://x", NULL), ERR_FORBIDDEN);
}
END_TEST

Suite *places_suite(void) {
    Suite *suite = suite_create("places");
    TCase *table = tcase_create("table");
    tcase_add_loop_test(table, the_table_is_right, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(table, no_rule_allows_all);
    suite_add_tcase(suite, table);
    return suite;
}
