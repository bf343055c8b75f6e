/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify over pictures of high dynamic range: those of AV1 in ten bits break no rule, and what
 * their signals can get wrong is told.
 */
#include <check.h>
#include <string.h>

#include "common/mem.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_hdr_suite(void);

#define MODERN "video/av1-180p-9876543210/"

/* ---- Of PQ ----------------------------------------------------------------------- */

/* SDR in H.264, PQ in AV1 of ten bits. */
static void make(void) {
    struct title_fixture_options options = title_fixture_options_av1();
    options.rungs[2].colour = 9;
    options.rungs[2].pixel_format = "yuv420p10le";
    options.rungs[2].width = 160; /* ten bits take an encoder long */
    options.rungs[2].height = 90;
    title_fixture_make(&whole, &options);
}

/* A mastering display of P3 in the order of the box, 1000 and 0.005 cd/m2; MaxCLL 1000, MaxFALL
 * 400. */
static const uint8_t mdcv[32] = {0,    0,    0,    32,   'm',  'd',  'c',  'v',  0x33, 0xc2, 0x86,
                                 0xc4, 0x1d, 0x4c, 0x0b, 0xb8, 0x84, 0xd0, 0x3e, 0x80, 0x3d, 0x13,
                                 0x40, 0x42, 0x00, 0x98, 0x96, 0x80, 0x00, 0x00, 0x00, 0x32};
static const uint8_t clli[12] = {0, 0, 0, 12, 'c', 'l', 'l', 'i', 0x03, 0xe8, 0x01, 0x90};

/* The same in OBUs: R, G, B and white in 1/65536, light in 1/256 and 1/16384 cd/m2. */
static const uint8_t obus[] = {5 << 3 | 2, 6,    1,    0x03, 0xe8, 0x01, 0x90, 0x80, 5 << 3 | 2,
                               26,         2,    0xae, 0x14, 0x51, 0xec, 0x43, 0xd7, 0xb0,
                               0xa4,       0x26, 0x66, 0x0f, 0x5c, 0x50, 0x0d, 0x54, 0x39,
                               0x00,       0x03, 0xe8, 0x00, 0x00, 0x00, 0x00, 0x52, 0x80};

/* Boxes at the end of the sample entry of AV1, before its pasp. */
static void put_boxes(const uint8_t *first, size_t first_size, const uint8_t *second,
                      size_t second_size) {
    box_insert(&damaged, MODERN "init.mp4", box_of(&damaged, MODERN "init.mp4", "pasp", 0) - 8,
               first, first_size);
    box_insert(&damaged, MODERN "init.mp4", box_of(&damaged, MODERN "init.mp4", "pasp", 0) - 8,
               second, second_size);
}

/* OBUs at the end of av1C. */
static void put_obus(void) {
    uint8_t *record = box_of(&damaged, MODERN "init.mp4", "av1C", 0);
    size_t size = get_u32(record - 8);
    box_insert(&damaged, MODERN "init.mp4", record - 8 + size, obus, sizeof(obus));
    put_u32(box_of(&damaged, MODERN "init.mp4", "av1C", 0) - 8, (uint32_t)(size + sizeof(obus)));
}

static void boxes_true(void) {
    put_boxes(mdcv, sizeof(mdcv), clli, sizeof(clli));
    put_obus();
}

static void boxes_gone(void) {
    put_obus();
}

static void display_other(void) {
    boxes_true();
    box_of(&damaged, MODERN "init.mp4", "mdcv", 0)[1] ^= 0x10;
}

static void display_darker(void) {
    boxes_true();
    put_u32(box_of(&damaged, MODERN "init.mp4", "mdcv", 0) + 16, 5000000);
}

static void light_other(void) {
    boxes_true();
    box_of(&damaged, MODERN "init.mp4", "clli", 0)[1] ^= 1;
}

static void boxes_of_others(void) {
    uint8_t other[sizeof(mdcv)];
    memcpy(other, mdcv, sizeof(mdcv));
    memcpy(other + 4, "SmDm", 4);
    put_boxes(other, sizeof(other), clli, sizeof(clli));
}

static const struct damage damages[] = {
    {"hdr-metadata-missing", "", NULL, MPD, "cicp:ColourPrimaries", "cicp:ColourPrimaries", false},
    {"hdr-metadata", " title-document hdr-metadata-missing ", boxes_gone, NULL, NULL, NULL, false},
    {"hdr-metadata", " title-document ", display_other, NULL, NULL, NULL, false},
    {"hdr-metadata", " title-document ", display_darker, NULL, NULL, NULL, false},
    {"hdr-metadata", " title-document ", light_other, NULL, NULL, NULL, false},
    {"hdr-metadata", " title-document hdr-metadata-missing ", boxes_of_others, NULL, NULL, NULL,
     false},
    {"dash-colour-essential", " hdr-metadata-missing ", NULL, MPD,
     "EssentialProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:Transfer",
     "SupplementalProperty schemeIdUri=\"urn:mpeg:mpegB:cicp:Transfer", false},
    {"hls-video-range", " hdr-metadata-missing ", NULL, MASTER, "VIDEO-RANGE=PQ", "VIDEO-RANGE=SDR",
     false},
    {"hls-video-range", " hdr-metadata-missing ", NULL, MASTER, ",VIDEO-RANGE=PQ,URI", ",URI",
     false},
    {"dash-colour", " hdr-metadata-missing ", NULL, MPD, "TransferCharacteristics\" value=\"16\"",
     "TransferCharacteristics\" value=\"18\"", false},
    {"video-colour", " hdr-metadata-missing ", NULL, MODERN "init.mp4", NULL, NULL, false},
};

enum { DAMAGES = sizeof(damages) / sizeof(damages[0]) };

START_TEST(test_damage) {
    struct damage damage = damages[_i];
    if (damage.change == NULL && damage.find == NULL) {
        box_of(&damaged, damage.path, "nclx", 0)[3] = 1; /* BT.709's transfer */
        damage.path = MASTER;
        damage.find = damage.put = "#EXTM3U";
    }
    damage_check(&damage, _i);
}
END_TEST

/* With all its boxes it is told only that the init segment is longer than title.json says. */
START_TEST(test_whole) {
    struct verdict verdict;
    boxes_true();
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(verdict.summary.musts == 1 && verdict.summary.advice == 0 &&
                      verdict_tells(&verdict, "title-document"),
                  "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* ---- Of H.264 -------------------------------------------------------------------- */

static const struct {
    int colour;
    bool full_range;
    const char *rules; /* all that are told */
} others[] = {
    {9, false, " hdr-signal hdr-metadata-missing hdr-alone "},
    {9, true, " hdr-signal hdr-range hdr-metadata-missing hdr-alone "},
    {2, false, " video-colour-told "},
};

/* H.264 in PQ, alone and in eight bits; and in colours that nothing tells. */
START_TEST(test_h264) {
    struct title_fixture title;
    struct title_fixture_options options = title_fixture_options_default();
    options.rung_count = 1;
    options.rungs[0].colour = others[_i].colour;
    options.rungs[0].full_range = others[_i].full_range;
    title_fixture_make(&title, &options);
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &title), 0);
    char *rest = NULL;
    char *wanted = mem_string(others[_i].rules);
    size_t count = 0;
    for (char *rule = strtok_r(wanted, " ", &rest); rule != NULL;
         rule = strtok_r(NULL, " ", &rest)) {
        ck_assert_msg(verdict_tells(&verdict, rule), "%s is not told:\n%s", rule,
                      verdict_lines(&verdict));
        count++;
    }
    ck_assert_msg(verdict.summary.musts + verdict.summary.advice == (int64_t)count, "%s",
                  verdict_lines(&verdict));
    mem_free(wanted);
    verdict_finish(&verdict);
    title_fixture_finish(&title);
}
END_TEST

Suite *verify_hdr_suite(void) {
    Suite *suite = suite_create("verify_hdr");
    TCase *titles = tcase_create("titles of PQ");
    tcase_set_timeout(titles, 120);
    tcase_add_unchecked_fixture(titles, make, whole_drop);
    tcase_add_checked_fixture(titles, damaged_make, damaged_drop);
    tcase_add_test(titles, test_whole);
    tcase_add_loop_test(titles, test_damage, 0, DAMAGES);
    suite_add_tcase(suite, titles);
    TCase *others_case = tcase_create("H.264 that is none");
    tcase_set_timeout(others_case, 120);
    tcase_add_loop_test(others_case, test_h264, 0, sizeof(others) / sizeof(others[0]));
    suite_add_tcase(suite, others_case);
    return suite;
}
