/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verify over early playlists: whole ones, ones that still grow, and ones that lie. */
#include <check.h>
#include <string.h>

#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_early_suite(void);

#define EARLY "early.m3u8"
#define LIST  "early/1/h264-180p.m3u8"
#define HEAR  "early/1/audio-und-aac-2.m3u8"

static void make(size_t chunks) {
    struct title_fixture_options options = title_fixture_options_default();
    options.early_chunks = chunks;
    title_fixture_make(&whole, &options);
}

static void make_whole(void) {
    make(3);
}

static void make_growing(void) {
    make(2);
}

/* All that is listed belongs to renditions which the version does not have. */
static void other_renditions(void) {
    static const char *const paths[] = {LIST, "early/1/h264-90p.m3u8", HEAR};
    for (size_t i = 0; i < 3; i++) {
        ck_assert(
            text_replace(title_fixture_bytes(&damaged, paths[i]), "-*/", "-0000000000/", true));
    }
}

static void one_shorter(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, LIST);
    char *last = strstr(buf_text(bytes), "#EXTINF");
    for (char *next = last; next != NULL; next = strstr(next + 1, "#EXTINF")) {
        last = next;
    }
    bytes->size = (size_t)(last - (char *)bytes->data);
}

/* Over a whole one. */
const struct damage early_damages[] = {
    {"early-event", "", NULL, LIST, "TYPE:EVENT", "TYPE:VOD", false},
    {"early-event", "", NULL, LIST, "SEQUENCE:1", "SEQUENCE:2", false},
    {"early-head", "", NULL, LIST, "00002.m4s", "00003.m4s", false},
    {"early-head", "", NULL, HEAR, "EXTINF:2", "EXTINF:1", false},
    {"early-end", " early-together ", NULL, LIST, "#EXT-X-ENDLIST\n", "", false},
    {"early-together", "", one_shorter, NULL, NULL, NULL, false},
    {"early-start", "", NULL, EARLY, "#EXT-X-START:TIME-OFFSET=0\n", "", false},
    {"early-start", "", NULL, EARLY, "OFFSET=0", "OFFSET=-8", false},
    {"early-variant", "", NULL, EARLY, "RESOLUTION=320x180", "RESOLUTION=322x180", false},
    {"early-variant", "", NULL, EARLY, "CODECS=\"avc1", "CODECS=\"avc3", false},
    {"early-bandwidth", "", NULL, EARLY, "BANDWIDTH=*", "BANDWIDTH=1000", true},
    {"object-missing", "", other_renditions, NULL, NULL, NULL, false},
    {"object-missing", "", NULL, EARLY, "early/1/h264-90p", "early/1/h264-91p", false},
    {"hls-syntax", "", NULL, EARLY, "#EXTM3U", "#EXTM4U", false},
    {"hls-targetduration", "", NULL, LIST, "TARGETDURATION:2", "TARGETDURATION:1", false},
    {"hls-map", "object-missing", NULL, LIST, "#EXT-X-MAP", "#EXT-X-NAP", false},
    {"hls-version", "", NULL, LIST, "VERSION:7", "VERSION:5", false},
    {"object-reference", "", NULL, EARLY, "early/1/h264-90p", "http://elsewhere", false},
};
const size_t early_damage_count = sizeof(early_damages) / sizeof(early_damages[0]);

START_TEST(test_damage) {
    damage_check(&early_damages[_i], _i);
}
END_TEST

START_TEST(test_good) {
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_str_eq(verdict_lines(&verdict), "");
    verdict_finish(&verdict);
}
END_TEST

/* What still grows must not say that it has ended. */
START_TEST(test_ended_too_soon) {
    static const char *const paths[] = {LIST, "early/1/h264-90p.m3u8", HEAR};
    for (size_t i = 0; i < 3; i++) {
        buf_string(title_fixture_bytes(&damaged, paths[i]), "#EXT-X-ENDLIST\n");
    }
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_int_eq(verdict.summary.musts, 3);
    ck_assert(verdict_tells(&verdict, "early-end"));
    verdict_finish(&verdict);
}
END_TEST

Suite *verify_early_suite(void) {
    Suite *suite = suite_create("verify_early");
    TCase *ended = tcase_create("whole");
    tcase_add_unchecked_fixture(ended, make_whole, whole_drop);
    tcase_add_checked_fixture(ended, damaged_make, damaged_drop);
    tcase_add_test(ended, test_good);
    tcase_add_loop_test(ended, test_damage, 0, (int)early_damage_count);
    suite_add_tcase(suite, ended);
    TCase *growing = tcase_create("growing");
    tcase_add_unchecked_fixture(growing, make_growing, whole_drop);
    tcase_add_checked_fixture(growing, damaged_make, damaged_drop);
    tcase_add_test(growing, test_good);
    tcase_add_test(growing, test_ended_too_soon);
    suite_add_tcase(suite, growing);
    return suite;
}
