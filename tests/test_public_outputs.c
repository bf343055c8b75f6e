/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where players read what lies in outputs. */
#include <check.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/publishing/public_outputs.h"

Suite *public_outputs_suite(void);

static const char rules[] =
    "s3://films=https://cdn.example/films/, s3://films/new=https://new.example "
    "/srv/streams/=http://10.0.0.5:8080/media  /=http://10.0.0.5:8080/all";

static const struct {
    const char *output;
    const char *url; /* NULL: none */
} cases[] = {
    {"s3://films", "https://cdn.example/films/t"},
    {"s3://films/", "https://cdn.example/films/t"},
    {"s3://films/a/b/", "https://cdn.example/films/a/b/t"},
    {"s3://films/new", "https://new.example/t"},
    {"s3://films/new/x", "https://new.example/x/t"},
    {"s3://films/newer", "https://cdn.example/films/newer/t"},
    {"s3://films?region=x", "https://cdn.example/films/t"},
    {"s3://films-old", NULL},
    {"s3://film", NULL},
    {"/srv/streams", "http://10.0.0.5:8080/media/t"},
    {"/srv/streamsx", "http://10.0.0.5:8080/all/srv/streamsx/t"},
    {"", NULL},
};

START_TEST(the_longest_place_says_where) {
    struct buf url = {0};
    bool found = public_outputs_url(rules, cases[_i].output, "t", &url);
    ck_assert_msg(found == (cases[_i].url != NULL), "%s", cases[_i].output);
    ck_assert_str_eq(buf_text(&url), cases[_i].url != NULL ? cases[_i].url : "");
    buf_finish(&url);
}
END_TEST

START_TEST(an_address_is_a_rule_s_or_none) {
    ck_assert(public_outputs_has(rules, "https://cdn.example/films"));
    ck_assert(public_outputs_has(rules, "http://10.0.0.5:8080/media/"));
    ck_assert(!public_outputs_has(rules, "https://cdn.example"));
    ck_assert(!public_outputs_has(rules, "https://cdn.example/films/new"));
    ck_assert(!public_outputs_has(NULL, "https://cdn.example"));
}
END_TEST

START_TEST(each_origin_is_named_once) {
    struct buf origins = {0};
    public_outputs_origins(NULL, &origins);
    ck_assert_uint_eq(origins.size, 0);
    public_outputs_origins(rules, &origins);
    ck_assert_str_eq(buf_text(&origins),
                     " https://cdn.example https://new.example http://10.0.0.5:8080");
    buf_finish(&origins);
}
END_TEST

static const struct {
    const char *rules;
    bool is_sound;
} texts[] = {
    {NULL, true},
    {"", true},
    {rules, true},
    {"s3://b=http://[::1]:80/x", true},
    {"s3://b", false},
    {"s3://b=", false},
    {"s3://b=ftp://x", false},
    {"=https://x", false},
    {"s3://b=https://", false},
    {"s3://b=https:///x", false},
    {"s3://b=https://x;script-src", false},
    {"s3://b=https://*", false},
    {"s3://b=https://user@x/", false},
    {"s3://b=https://x/y?z", false},
    {"s3://b=https://x/y#z", false},
    {"s3://b=https://x s3://c", false},
};

START_TEST(what_would_break_a_header_is_refused) {
    struct err err = {0};
    int result = public_outputs_check(texts[_i].rules, &err);
    ck_assert_msg(result == (texts[_i].is_sound ? 0 : ERR_INVALID), "%s: %s", texts[_i].rules,
                  err.message);
}
END_TEST

Suite *public_outputs_suite(void) {
    Suite *suite = suite_create("public_outputs");
    TCase *tcase = tcase_create("public_outputs");
    tcase_add_loop_test(tcase, the_longest_place_says_where, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tcase, an_address_is_a_rule_s_or_none);
    tcase_add_test(tcase, each_origin_is_named_once);
    tcase_add_loop_test(tcase, what_would_break_a_header_is_refused, 0,
                        sizeof(texts) / sizeof(texts[0]));
    suite_add_tcase(suite, tcase);
    return suite;
}
