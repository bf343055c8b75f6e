/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Verify over posters and storyboards: the MPD's tiles, the list of thumbnails and the files. */
#include <check.h>
#include <string.h>

#include "common/hash.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_images_suite(void);

#define POSTER   "images/poster-33445566aa/"
#define BOARD    "images/storyboard-33445566aa/"
#define DOCUMENT "title.json"
#define CUES     BOARD "thumbnails.vtt"

static void make(void) {
    struct title_fixture_options options = title_fixture_options_default();
    options.images = true;
    title_fixture_make(&whole, &options);
}

static void drop_object(const char *path) {
    struct title_fixture_object *objects = damaged.objects;
    size_t i = 0;
    while (strcmp(objects[i].path, path) != 0) {
        ck_assert_uint_lt(++i, damaged.count);
    }
    buf_finish(&objects[i].bytes);
    memmove(&objects[i], &objects[i + 1], (--damaged.count - i) * sizeof(*objects));
}

static void missing_sheet(void) {
    drop_object(BOARD "00002.jpg");
}

static void missing_poster(void) {
    drop_object(POSTER "poster-320.avif");
}

static void cut_sheet(void) {
    title_fixture_bytes(&damaged, BOARD "00001.jpg")->size--;
}

static void no_avif(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, POSTER "poster.avif");
    memcpy(bytes->data + 8, "heic", 4);
}

/* As one who made it all anew would tell of it: by its own hash. */
static void tell_anew(const char *path, const struct buf *before) {
    char old[SHA256_TEXT], new[SHA256_TEXT];
    const struct buf *after = title_fixture_bytes(&damaged, path);
    sha256_hex_of(before->data, before->size, old);
    sha256_hex_of(after->data, after->size, new);
    ck_assert(text_replace(title_fixture_bytes(&damaged, DOCUMENT), old, new, true));
}

static void damage_and_tell(const char *path, const char *find, const char *put) {
    struct buf before = {0};
    struct buf *bytes = title_fixture_bytes(&damaged, path);
    buf_append(&before, bytes->data, bytes->size);
    ck_assert(text_replace(bytes, find, put, false));
    tell_anew(path, &before);
    buf_finish(&before);
}

static void cue_elsewhere(void) {
    damage_and_tell(CUES, "xywh=64,0,64,36", "xywh=0,36,64,36");
}

static void cue_late(void) {
    damage_and_tell(CUES, "00:00:01.001 --> ", "00:00:01.002 --> ");
}

static void cue_of_no_sheet(void) {
    damage_and_tell(CUES, "00002.jpg", "00003.jpg");
}

/* A sheet of another size under the same name, and told as such. */
static void sheet_of_other_size(void) {
    struct buf before = {0};
    struct buf *bytes = title_fixture_bytes(&damaged, BOARD "00002.jpg");
    buf_append(&before, bytes->data, bytes->size);
    bytes->data[10] = 64; /* its width, which was 128 */
    tell_anew(BOARD "00002.jpg", &before);
    buf_finish(&before);
}

/* Of no lines, or of more pixels across than an int has. */
static void sheet_of_no_lines(void) {
    struct buf before = {0};
    struct buf *bytes = title_fixture_bytes(&damaged, BOARD "00002.jpg");
    buf_append(&before, bytes->data, bytes->size);
    memset(bytes->data + 7, 0, 2);
    tell_anew(BOARD "00002.jpg", &before);
    buf_finish(&before);
}

static void avif_of_no_size(void) {
    struct buf before = {0};
    struct buf *bytes = title_fixture_bytes(&damaged, POSTER "poster.avif");
    buf_append(&before, bytes->data, bytes->size);
    box_of(&damaged, POSTER "poster.avif", "ispe", 0)[4] = 0xff;
    tell_anew(POSTER "poster.avif", &before);
    buf_finish(&before);
}

static void no_tiles(void) {
    struct buf *bytes = title_fixture_bytes(&damaged, MPD);
    char *from = strstr(buf_text(bytes), "    <AdaptationSet id=\"3\" contentType=\"image\"");
    ck_assert_ptr_nonnull(from);
    bytes->size = (size_t)((uint8_t *)from - bytes->data);
    buf_string(bytes, "  </Period>\n</MPD>\n");
}

static void poster_colourless(void) {
    memcpy(box_of(&damaged, POSTER "poster.avif", "colr", 0), "xxxx", 4);
}

const struct damage image_damages[] = {
    {"image-colour", " title-document ", poster_colourless, NULL, NULL, NULL, false},
    {"dash-tiles", "", NULL, MPD, "thumbnail_tile\" value=\"2x2\"",
     "thumbnail_tile\" value=\"2by2\"", false},
    {"dash-tiles", "", NULL, MPD, "guidelines/thumbnail_tile", "guidelines/thumbnails", false},
    {"dash-tiles", " storyboard-agree ", NULL, MPD, "value=\"2x2\"", "value=\"3x2\"", false},
    {"dash-tiles", "", NULL, MPD, "image/jpeg", "image/png", false},
    {"dash-tiles", "", NULL, MPD, "width=\"128\" height=\"72\"", "width=\"256\" height=\"72\"",
     false},
    {"dash-tiles", "", NULL, MPD, "\"storyboard\" bandwidth=\"*\"",
     "\"storyboard\" bandwidth=\"1\"", false},
    {"dash-tiles", "", NULL, MPD, "media=\"$Number%05d$.jpg\"", "", false},
    {"storyboard-agree", "", NULL, MPD, "value=\"2x2\"", "value=\"4x1\"", false},
    {"storyboard-agree", "", NULL, MPD, "duration=\"96096\" media", "duration=\"97097\" media",
     false},
    {"storyboard-agree", " object-missing dash-tiles ", NULL, MPD, "duration=\"96096\" media",
     "duration=\"48048\" media", false},
    {"storyboard-agree", " dash-tiles object-missing ", NULL, MPD, "$Number%05d$.jpg",
     "$Number%04d$.jpg", false},
    {"storyboard-agree", " object-missing ", NULL, MPD, "startNumber=\"1\" duration=\"96096\"",
     "startNumber=\"2\" duration=\"96096\"", false},
    {"storyboard-agree", " object-missing image-file ", NULL, MPD, "<BaseURL>images/storyboard-",
     "<BaseURL>images/storybook-", false},
    {"storyboard-agree", "", no_tiles, NULL, NULL, NULL, false},
    {"storyboard-agree", "", NULL, DOCUMENT, "\"images\":", "\"pictures\":", false},
    {"storyboard-agree", " title-document storyboard-cues ", NULL, DOCUMENT, "\"columns\":2",
     "\"columns\":3", false},
    {"storyboard-cues", " storyboard-agree ", NULL, DOCUMENT, "\"interval_frames\":24",
     "\"interval_frames\":25", false},
    {"storyboard-cues", " storyboard-agree ", NULL, DOCUMENT, "\"interval_frames\":24",
     "\"interval_frames\":999999999", false},
    {"storyboard-cues", "", cue_elsewhere, NULL, NULL, NULL, false},
    {"storyboard-cues", "", cue_late, NULL, NULL, NULL, false},
    {"storyboard-cues", "", cue_of_no_sheet, NULL, NULL, NULL, false},
    {"dash-tiles", " title-document ", sheet_of_other_size, NULL, NULL, NULL, false},
    {"dash-id", "", NULL, MPD, "AdaptationSet id=\"3\"", "AdaptationSet id=\"2\"", false},
    {"dash-syntax", " hls-dash-agree ", NULL, MPD, "duration=\"96096\" media",
     "duration=\"1\" media", false},
    {"dash-syntax", " hls-dash-agree ", NULL, MPD, "duration=\"96096\" media",
     "duration=\"0\" media", false},
    {"object-missing", "", missing_sheet, NULL, NULL, NULL, false},
    {"object-missing", "", missing_poster, NULL, NULL, NULL, false},
    {"image-file", " title-document ", cut_sheet, NULL, NULL, NULL, false},
    {"image-file", " title-document ", no_avif, NULL, NULL, NULL, false},
    {"image-file", " title-document ", sheet_of_no_lines, NULL, NULL, NULL, false},
    {"image-file", "", avif_of_no_size, NULL, NULL, NULL, false},
    {"title-document", "", NULL, DOCUMENT, "\"width\":320,\"height\":180,\"bytes\"",
     "\"width\":320,\"height\":178,\"bytes\"", false},
    {"image-missing", "", NULL, DOCUMENT,
     "\"waived\":", "\"missing\":[{\"id\":\"poster\",\"class\":\"timeout\"}],\"waived\":", false},
};
const size_t image_damage_count = sizeof(image_damages) / sizeof(image_damages[0]);

START_TEST(test_damage) {
    damage_check(&image_damages[_i], _i);
}
END_TEST

/* Each picture is read once, though both the MPD and title.json tell of it. */
START_TEST(test_good) {
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_str_eq(verdict_lines(&verdict), "");
    ck_assert_int_eq(verdict.summary.objects, (int64_t)whole.count);
    verdict_finish(&verdict);
}
END_TEST

Suite *verify_images_suite(void) {
    Suite *suite = suite_create("verify_images");
    TCase *tcase = tcase_create("images");
    tcase_add_unchecked_fixture(tcase, make, whole_drop);
    tcase_add_checked_fixture(tcase, damaged_make, damaged_drop);
    tcase_add_test(tcase, test_good);
    tcase_add_loop_test(tcase, test_damage, 0, (int)image_damage_count);
    suite_add_tcase(suite, tcase);
    return suite;
}
