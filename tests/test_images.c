/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Posters and storyboards: how their objects are called, what the gate lets pass, and the
 * pictures that are made, read again by ffmpeg. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/fs.h"
#include "common/mem.h"
#include "common/wire.h"
#include "encoder/encoder.h"
#include "fixture.h"
#include "packager/packager.h"
#include "source_fixture.h"

Suite *images_suite(void);

enum { WIDTH = 160, HEIGHT = 96, FILES_MAX = 16, DIGITS = 10, BLOCK = 16 };

/* ---- Names ------------------------------------------------------------------------ */

static const struct {
    const char *folder;
    int64_t number;
    const char *name;
} names[] = {
    {"video/h264-720p-0123456789", 0, "init.mp4"},
    {"video/h264-720p-0123456789", 7, "00007.m4s"},
    {"audio/und-aac-2-0123456789", 123456, "123456.m4s"},
    {"images/poster-0123456789", 0, "poster.avif"},
    {"images/poster-0123456789", 1, "poster.jpg"},
    {"images/poster-0123456789", 2, "poster-320.avif"},
    {"images/poster-0123456789", 5, "poster-640.jpg"},
    {"images/storyboard-0123456789", 0, "thumbnails.vtt"},
    {"images/storyboard-0123456789", 3, "00003.jpg"},
};

START_TEST(objects_have_names) {
    char name[WIRE_OBJECT_TEXT];
    rendition_object_name(names[_i].folder, names[_i].number, name);
    ck_assert_str_eq(name, names[_i].name);
    ck_assert_int_eq(rendition_object_number(names[_i].folder, name), names[_i].number);
}
END_TEST

static const struct {
    const char *folder;
    const char *name;
} no_names[] = {
    {"video/h264-720p-0123456789", "00000.m4s"},     {"video/h264-720p-0123456789", "1.m4s"},
    {"video/h264-720p-0123456789", "00001.jpg"},     {"video/h264-720p-0123456789", "poster.jpg"},
    {"video/h264-720p-0123456789", "00001.m4s.x"},   {"video/h264-720p-0123456789", ""},
    {"video/x", "100000000000000000000000000.m4s"},  {"images/poster-0123456789", "init.mp4"},
    {"images/poster-0123456789", "poster-1280.jpg"}, {"images/poster-0123456789", "00001.jpg"},
    {"images/storyboard-0123456789", "poster.jpg"},  {"images/storyboard-0123456789", "00001.m4s"},
    {"images/storyboard-0123456789", "00000.jpg"},
};

START_TEST(other_names_are_of_no_object) {
    ck_assert_int_eq(rendition_object_number(no_names[_i].folder, no_names[_i].name), -1);
}
END_TEST

/* ---- Sizes ------------------------------------------------------------------------ */

/* A poster's largest, how many there are, and the two others. */
static const struct {
    int width, height, sizes;
    int small_width, small_height;
    int middle_width, middle_height;
} sizes[] = {
    {1280, 720, 3, 320, 180, 640, 360},
    {720, 1280, 3, 180, 320, 360, 640},
    {1280, 534, 3, 320, 134, 640, 268},
    {800, 450, 3, 320, 180, 640, 360},
    {798, 448, 2, 320, 180, 0, 0},
    {640, 360, 2, 320, 180, 0, 0},
    {400, 224, 2, 320, 180, 0, 0},
    {398, 224, 1, 0, 0, 0, 0},
    {16, 16, 1, 0, 0, 0, 0},
    {1280, 2, 3, 320, 2, 640, 2},
};

START_TEST(posters_are_smaller_and_never_larger) {
    struct image_spec spec = {
        .kind = IMAGE_POSTER, .width = sizes[_i].width, .height = sizes[_i].height};
    int width = 0, height = 0;
    spec.count = image_poster_sizes(spec.width, spec.height);
    ck_assert_int_eq(spec.count, sizes[_i].sizes);
    ck_assert_int_eq(image_sheets(&spec), 2 * spec.count - 1);
    for (int number = 0; number < 2 * spec.count; number++) {
        int place = number / 2;
        image_object_size(&spec, number, &width, &height);
        ck_assert_int_eq(width, place == 0   ? spec.width
                                : place == 1 ? sizes[_i].small_width
                                             : sizes[_i].middle_width);
        ck_assert_int_eq(height, place == 0   ? spec.height
                                 : place == 1 ? sizes[_i].small_height
                                              : sizes[_i].middle_height);
    }
}
END_TEST

/* ---- Text ------------------------------------------------------------------------- */

static const struct image_spec board = {.kind = IMAGE_STORYBOARD,
                                        .width = WIDTH,
                                        .height = HEIGHT,
                                        .interval_frames = 250,
                                        .count = 5,
                                        .columns = 2,
                                        .rows = 2};
static const struct timeline pal = {.rate = {25, 1}, .frames = 1051, .start = {0, 1}};

START_TEST(thumbnails_say_when_and_where) {
    struct buf text = {0};
    thumbnails_write(&board, &pal, &text);
    ck_assert_str_eq(buf_text(&text), "WEBVTT\n\n"
                                      "00:00:00.000 --> 00:00:10.000\n"
                                      "00001.jpg#xywh=0,0,160,96\n\n"
                                      "00:00:10.000 --> 00:00:20.000\n"
                                      "00001.jpg#xywh=160,0,160,96\n\n"
                                      "00:00:20.000 --> 00:00:30.000\n"
                                      "00001.jpg#xywh=0,96,160,96\n\n"
                                      "00:00:30.000 --> 00:00:40.000\n"
                                      "00001.jpg#xywh=160,96,160,96\n\n"
                                      "00:00:40.000 --> 00:00:42.040\n"
                                      "00002.jpg#xywh=0,0,160,96\n");
    ck_assert_int_eq(image_object_check(&board, &pal, 0, text.data, text.size, NULL), 0);
    text.data[text.size - 2] ^= 1;
    ck_assert_int_eq(image_object_check(&board, &pal, 0, text.data, text.size, NULL), ERR_CORRUPT);
    ck_assert_int_eq(image_sheets(&board), 2);
    buf_finish(&text);
}
END_TEST

/* ---- Making ------------------------------------------------------------------------ */

struct made {
    size_t count;
    int64_t numbers[FILES_MAX];
    struct buf files[FILES_MAX];
    struct encode_stats stats;
    struct timeline timeline;
};

static int keep(void *context, int64_t number, const uint8_t *data, size_t size, struct err *err) {
    struct made *made = context;
    (void)err;
    ck_assert_uint_lt(made->count, FILES_MAX);
    made->numbers[made->count] = number;
    buf_append(&made->files[made->count++], data, size);
    return 0;
}

static void made_finish(struct made *made) {
    for (size_t i = 0; i < made->count; i++) {
        buf_finish(&made->files[i]);
    }
}

static void make(struct made *made, const char *folder, const char *name, struct image_spec spec) {
    struct source_document document;
    struct file_source source;
    struct err err = {0};
    *made = (struct made){0};
    source_open(&source, folder, name);
    source_probe(&document, &source, DEINTERLACE_FRAME);
    const struct encode_images_task task = {.source = &document, .spec = spec};
    int rc = encoder_make_images(&task, &source.io, keep, made, &made->stats, &err);
    ck_assert_msg(rc == 0, "%s", err.message);
    made->timeline = document.timeline;
    for (size_t i = 0; i < made->count; i++) {
        rc = image_object_check(&spec, &document.timeline, made->numbers[i], made->files[i].data,
                                made->files[i].size, &err);
        ck_assert_msg(rc == 0, "object %zu: %s", i, err.message);
    }
    source_document_finish(&document);
    file_source_close(&source);
}

/* Luma of a file as ffmpeg decodes it: bytes, a row of `width` after the other. */
static struct buf luma_of(const char *folder, const struct buf *file, const char *ending) {
    struct buf out = {0};
    struct err err = {0};
    char *name = mem_format("read.%s", ending);
    char *command = mem_format("ffmpeg -i read.%s -f rawvideo -pix_fmt gray read.raw", ending);
    fixture_write(folder, name, file->data, file->size);
    source_shell(folder, "25", command);
    char *path = mem_format("%s/read.raw", folder);
    ck_assert_msg(fs_read(&out, path, 1 << 24, &err) == 0, "%s", err.message);
    mem_free(path);
    mem_free(command);
    mem_free(name);
    return out;
}

/* The number that a picture of $CLIP shows, its left top corner at (x, y), and larger by that. */
static int counter_scaled(const struct buf *luma, int width, int x, int y, int scale) {
    int counter = 0;
    for (int bit = 0; bit < DIGITS; bit++) {
        int half = scale * BLOCK / 2;
        int at = (y + half) * width + x + bit * 2 * half + half;
        counter |= (luma->data[at] > 128) << bit;
    }
    return counter;
}

static int counter_at(const struct buf *luma, int width, int x, int y) {
    return counter_scaled(luma, width, x, y, 1);
}

/* 12 s with a key picture a second; every fourth second is asked for, of which the third lies
 * between two key pictures. */
START_TEST(storyboards_show_the_nearest_key_pictures) {
    static const int wanted[] = {0, 100, 200};
    char *folder = fixture_folder();
    struct made made;
    struct image_spec spec = board;
    spec.interval_frames = 98;
    spec.count = 3;
    spec.rows = 1;
    source_shell(folder, "25", "ffmpeg -f lavfi -i \"$CLIP\" -t 12 $X264 -g 25 a.mp4");
    make(&made, folder, "a.mp4", spec);
    ck_assert_uint_eq(made.count, 2);
    for (int i = 0; i < 3; i++) {
        struct buf luma = luma_of(folder, &made.files[i / 2], "jpg");
        ck_assert_uint_eq(luma.size, 2 * WIDTH * HEIGHT);
        ck_assert_int_eq(made.numbers[i / 2], i / 2 + 1);
        ck_assert_int_eq(counter_at(&luma, 2 * WIDTH, i % 2 * WIDTH, 0), wanted[i]);
        if (i == 2) { /* past the last picture nothing is left of the sheet before */
            ck_assert_int_eq(counter_at(&luma, 2 * WIDTH, WIDTH, 0), 0);
        }
        buf_finish(&luma);
    }
    ck_assert_int_le(made.stats.frames_decoded, 30); /* of 300 */
    made_finish(&made);
    fixture_folder_drop(folder);
}
END_TEST

/* Black until 2.4 s, blurred until 3.2, then sharp: key pictures of all three lie in the part of
 * the title that is looked at. */
START_TEST(posters_are_neither_black_nor_blurred) {
    char *folder = fixture_folder();
    struct made made;
    const struct image_spec spec = {.kind = IMAGE_POSTER,
                                    .width = WIDTH,
                                    .height = HEIGHT,
                                    .interval_frames = 1,
                                    .count = 1,
                                    .columns = 1,
                                    .rows = 1};
    source_shell(folder, "25",
                 "ffmpeg -f lavfi -i \"$CLIP\" -t 10 -vf \"drawbox=t=fill:c=black:enable="
                 "'lt(t,2.4)',gblur=sigma=9:enable='between(t,2.4,3.19)'\" $X264 -g 10 a.mp4");
    make(&made, folder, "a.mp4", spec);
    ck_assert_uint_eq(made.count, 2);
    ck_assert(made.numbers[0] == 0 && made.numbers[1] == 1);
    struct buf luma = luma_of(folder, &made.files[1], "jpg");
    ck_assert_uint_eq(luma.size, WIDTH * HEIGHT);
    int frame = counter_at(&luma, WIDTH, 0, 0);
    ck_assert_msg(frame >= 80 && frame <= 100, "frame %d", frame);
    struct buf other = luma_of(folder, &made.files[0], "avif");
    ck_assert_uint_eq(other.size, WIDTH * HEIGHT);
    ck_assert_int_eq(counter_at(&other, WIDTH, 0, 0), frame);
    buf_finish(&other);
    buf_finish(&luma);
    made_finish(&made);
    fixture_folder_drop(folder);
}
END_TEST

/* A poster three times as large as the clip, and one twice as large. */
START_TEST(smaller_posters_show_the_same_picture) {
    static const struct {
        const char *ending;
        int scale;
    } files[] = {{"avif", 3}, {"jpg", 3}, {"avif", 2}, {"jpg", 2}};
    char *folder = fixture_folder();
    struct made made;
    int first = -1;
    const struct image_spec spec = {.kind = IMAGE_POSTER,
                                    .width = 3 * WIDTH,
                                    .height = 3 * HEIGHT,
                                    .interval_frames = 1,
                                    .count = 2,
                                    .columns = 1,
                                    .rows = 1};
    source_shell(folder, "25", "ffmpeg -f lavfi -i \"$CLIP\" -t 6 $X264 -g 10 a.mp4");
    make(&made, folder, "a.mp4", spec);
    ck_assert_uint_eq(made.count, 4);
    for (int i = 0; i < 4; i++) {
        int scale = files[i].scale;
        struct buf luma = luma_of(folder, &made.files[i], files[i].ending);
        ck_assert_int_eq(made.numbers[i], i);
        ck_assert_uint_eq(luma.size, scale * WIDTH * scale * HEIGHT);
        int frame = counter_scaled(&luma, scale * WIDTH, 0, 0, scale);
        ck_assert_int_eq(frame % 10, 0);
        ck_assert_int_eq(frame, first < 0 ? frame : first);
        first = frame;
        buf_finish(&luma);
    }
    made_finish(&made);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(images_are_the_same_on_each_run_and_processor) {
    char *folder = fixture_folder();
    struct made runs[3];
    struct image_spec spec = board;
    spec.interval_frames = 25;
    spec.count = 4;
    source_shell(folder, "25",
                 "ffmpeg -f lavfi -i \"$CLIP\" -t 4 -vf scale=320:-2 $X264 -g 10 a.mp4");
    for (int i = 0; i < 3; i++) {
        if (i == 2) {
            encoder_use_baseline_cpu();
        }
        spec.kind = IMAGE_STORYBOARD;
        make(&runs[i], folder, "a.mp4", spec);
        struct made poster;
        spec.kind = IMAGE_POSTER;
        spec.columns = spec.rows = spec.count = 1;
        make(&poster, folder, "a.mp4", spec);
        spec.columns = spec.rows = 2;
        spec.count = 4;
        for (size_t k = 0; k < poster.count; k++) {
            keep(&runs[i], (int64_t)k, poster.files[k].data, poster.files[k].size, NULL);
        }
        made_finish(&poster);
    }
    for (int i = 1; i < 3; i++) {
        ck_assert_uint_eq(runs[i].count, runs[0].count);
        for (size_t k = 0; k < runs[0].count; k++) {
            ck_assert_uint_eq(runs[i].files[k].size, runs[0].files[k].size);
            ck_assert_int_eq(
                memcmp(runs[i].files[k].data, runs[0].files[k].data, runs[0].files[k].size), 0);
        }
    }
    for (int i = 0; i < 3; i++) {
        made_finish(&runs[i]);
    }
    fixture_folder_drop(folder);
}
END_TEST

/* ---- The gate ------------------------------------------------------------------------ */

START_TEST(other_files_do_not_pass) {
    char *folder = fixture_folder();
    struct made made;
    struct image_spec spec = board;
    spec.interval_frames = 25;
    spec.count = 4;
    source_shell(folder, "25", "ffmpeg -f lavfi -i \"$CLIP\" -t 4 $X264 a.mp4");
    make(&made, folder, "a.mp4", spec);
    const struct buf *sheet = &made.files[0];
    ck_assert_int_eq(image_object_check(&spec, &pal, 1, sheet->data, sheet->size, NULL), 0);
    ck_assert_int_eq(image_object_check(&spec, &pal, 1, sheet->data, sheet->size - 1, NULL),
                     ERR_CORRUPT);
    ck_assert_int_eq(image_object_check(&spec, &pal, 1, sheet->data, 3, NULL), ERR_CORRUPT);
    ck_assert_int_eq(image_object_check(&spec, &pal, 1, (const uint8_t *)"", 0, NULL), ERR_CORRUPT);
    struct image_spec wider = spec, taller = spec;
    wider.columns = taller.rows = 3;
    ck_assert_int_eq(image_object_check(&wider, &pal, 1, sheet->data, sheet->size, NULL),
                     ERR_CORRUPT);
    ck_assert_int_eq(image_object_check(&taller, &pal, 1, sheet->data, sheet->size, NULL),
                     ERR_CORRUPT);
    struct image_spec poster = {
        .kind = IMAGE_POSTER, .width = 2 * WIDTH, .height = 2 * HEIGHT, .count = 1};
    ck_assert_int_eq(image_object_check(&poster, &pal, 1, sheet->data, sheet->size, NULL), 0);
    ck_assert_int_eq(image_object_check(&poster, &pal, 0, sheet->data, sheet->size, NULL),
                     ERR_CORRUPT); /* no AVIF */
    made_finish(&made);
    fixture_folder_drop(folder);
}
END_TEST

#define ADD_ALL(tcase, test, table)                                                                \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof((table)[0]))

Suite *images_suite(void) {
    Suite *suite = suite_create("images");
    TCase *objects = tcase_create("objects");
    ADD_ALL(objects, objects_have_names, names);
    ADD_ALL(objects, other_names_are_of_no_object, no_names);
    ADD_ALL(objects, posters_are_smaller_and_never_larger, sizes);
    tcase_add_test(objects, thumbnails_say_when_and_where);
    suite_add_tcase(suite, objects);
    TCase *making = tcase_create("making");
    tcase_add_test(making, storyboards_show_the_nearest_key_pictures);
    tcase_add_test(making, posters_are_neither_black_nor_blurred);
    tcase_add_test(making, smaller_posters_show_the_same_picture);
    tcase_add_test(making, images_are_the_same_on_each_run_and_processor);
    tcase_add_test(making, other_files_do_not_pass);
    suite_add_tcase(suite, making);
    return suite;
}
