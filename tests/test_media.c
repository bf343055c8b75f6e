/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rationals and ticks at their limits, names of codecs. */
#include <check.h>
#include <math.h>

#include "common/media.h"

Suite *media_suite(void);

static const struct {
    int64_t num, den;
    struct rational want;
} reductions[] = {
    {24000, 1001, {24000, 1001}},
    {50, 2, {25, 1}},
    {0, 7, {0, 1}},
    {6, -4, {-3, 2}},
    {-6, -4, {3, 2}},
    {5, 0, {0, 1}},
    {INT64_MAX, INT64_MAX, {1, 1}},
    {INT64_MIN, 2, {INT64_MIN / 2, 1}},
    {1, INT64_MIN, {0, 1}},
    {INT64_MIN, INT64_MIN, {1, 1}},
};

START_TEST(rational_is_in_lowest_terms) {
    struct rational r = rational_of(reductions[_i].num, reductions[_i].den);
    ck_assert_int_eq(r.num, reductions[_i].want.num);
    ck_assert_int_eq(r.den, reductions[_i].want.den);
}
END_TEST

START_TEST(rational_compares_exactly) {
    struct rational a = {INT64_MAX, INT64_MAX - 1};
    struct rational b = {INT64_MAX - 1, INT64_MAX - 2};
    ck_assert_int_lt(rational_compare(a, b), 0); /* equal as doubles */
    ck_assert_int_gt(rational_compare(b, a), 0);
    ck_assert_int_eq(rational_compare(a, a), 0);
    ck_assert(fabs(rational_value((struct rational){24000, 1001}) - 23.976) < 0.001);
}
END_TEST

static const struct {
    int64_t value, mul, div;
    int64_t down, near, up;
} scalings[] = {
    {7, 1, 2, 3, 4, 4},
    {-7, 1, 2, -4, -3, -3},
    {6, 1, 4, 1, 2, 2},
    {5, 1, 3, 1, 2, 2},
    {-5, 1, 3, -2, -2, -1},
    {9, 1, 3, 3, 3, 3},
    {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX},
    {1LL << 40, 1LL << 40, 1LL << 50, 1LL << 30, 1LL << 30, 1LL << 30},
};

START_TEST(ticks_round_as_asked) {
    int64_t v = scalings[_i].value;
    ck_assert_int_eq(ticks_scale(v, scalings[_i].mul, scalings[_i].div, ROUND_DOWN),
                     scalings[_i].down);
    ck_assert_int_eq(ticks_scale(v, scalings[_i].mul, scalings[_i].div, ROUND_NEAR),
                     scalings[_i].near);
    ck_assert_int_eq(ticks_scale(v, scalings[_i].mul, scalings[_i].div, ROUND_UP), scalings[_i].up);
}
END_TEST

START_TEST(codecs_have_names) {
    for (int codec = CODEC_NONE + 1; codec < CODEC_COUNT; codec++) {
        ck_assert_int_eq(codec_from_name(codec_name((enum codec_id)codec)), codec);
    }
    ck_assert_int_eq(codec_from_name("none"), CODEC_NONE);
    ck_assert_int_eq(codec_from_name("H264"), CODEC_NONE);
    ck_assert(codec_is_video(CODEC_AV1) && !codec_is_video(CODEC_OPUS));
}
END_TEST

START_TEST(samples_cover_the_title) {
    struct timeline whole = {.rate = {24, 1}, .frames = 24};
    ck_assert_int_eq(title_audio_samples(&whole, 48000), 48000);
    struct timeline part = {.rate = {24000, 1001}, .frames = 1};
    ck_assert_int_eq(title_audio_samples(&part, 44100), 1840); /* 1839.3 */
}
END_TEST

Suite *media_suite(void) {
    Suite *suite = suite_create("media");
    TCase *tc = tcase_create("words");
    tcase_add_loop_test(tc, rational_is_in_lowest_terms, 0,
                        sizeof(reductions) / sizeof(reductions[0]));
    tcase_add_test(tc, rational_compares_exactly);
    tcase_add_loop_test(tc, ticks_round_as_asked, 0, sizeof(scalings) / sizeof(scalings[0]));
    tcase_add_test(tc, codecs_have_names);
    tcase_add_test(tc, samples_cover_the_title);
    suite_add_tcase(suite, tc);
    return suite;
}
