/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Edit lists: what is read of true and of lying ones, and which pictures are shown. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/fs.h"
#include "common/mem.h"
#include "encoder/edits.h"
#include "fixture.h"
#include "source_fixture.h"

Suite *edits_suite(void);

enum { RATE_ONE = 1 << 16, MANY = EDITS_MAX + 1 };

/* A row of an elst box: ticks of the movie and of the track. */
struct row {
    uint64_t length;
    int64_t start; /* -1: nothing is shown */
    uint32_t rate;
};

static void append_rows(struct buf *buf, const struct row *rows, size_t count, int version) {
    buf_u8(buf, (uint8_t)version);
    buf_u24(buf, 0);
    buf_u32(buf, (uint32_t)count);
    for (size_t i = 0; i < count; i++) {
        if (version == 1) {
            buf_u64(buf, rows[i].length);
            buf_u64(buf, (uint64_t)rows[i].start);
        } else {
            buf_u32(buf, (uint32_t)rows[i].length);
            buf_u32(buf, (uint32_t)rows[i].start);
        }
        buf_u32(buf, rows[i].rate);
    }
}

/* ---- Reading the list -------------------------------------------------------- */

struct memory {
    struct source_io io;
    const struct buf *bytes;
};

static int64_t read_memory(void *context, int64_t offset, void *data, size_t size,
                           struct err *err) {
    (void)err;
    const struct memory *memory = context;
    int64_t left = (int64_t)memory->bytes->size - offset;
    if (left <= 0) {
        return 0;
    }
    size = (int64_t)size < left ? size : (size_t)left;
    memcpy(data, memory->bytes->data + offset, size);
    return (int64_t)size;
}

static size_t open_box(struct buf *buf, const char *type) {
    size_t at = buf->size;
    buf_u32(buf, 0);
    buf_append(buf, type, 4);
    return at;
}

static void close_box(struct buf *buf, size_t at) {
    buf_put_u32(buf, at, (uint32_t)(buf->size - at));
}

/* An mvhd or mdhd of version 0 or 1, as far as its timescale. */
static void append_header(struct buf *buf, const char *type, int version, uint32_t timescale) {
    size_t at = open_box(buf, type);
    buf_u8(buf, (uint8_t)version);
    buf_zero(buf, version == 1 ? 3 + 8 + 8 : 3 + 4 + 4);
    buf_u32(buf, timescale);
    buf_zero(buf, version == 1 ? 8 : 4);
    close_box(buf, at);
}

struct file {
    uint32_t movie;
    uint32_t media;
    const struct row *rows;
    size_t count;
    int version;
    bool fragmented;
    uint32_t claimed; /* count that the box claims; 0: the true one */
};

/* Two tracks, of which the second has the list. */
static void append_file(struct buf *buf, const struct file *file) {
    close_box(buf, open_box(buf, "ftyp"));
    size_t moov = open_box(buf, "moov");
    append_header(buf, "mvhd", file->version, file->movie);
    close_box(buf, open_box(buf, "trak"));
    size_t trak = open_box(buf, "trak");
    size_t edts = open_box(buf, "edts");
    size_t elst = open_box(buf, "elst");
    append_rows(buf, file->rows, file->count, file->version);
    if (file->claimed > 0) {
        buf_put_u32(buf, elst + 12, file->claimed);
    }
    close_box(buf, elst);
    close_box(buf, edts);
    size_t mdia = open_box(buf, "mdia");
    append_header(buf, "mdhd", file->version, file->media);
    close_box(buf, mdia);
    close_box(buf, trak);
    if (file->fragmented) {
        close_box(buf, open_box(buf, "mvex"));
    }
    close_box(buf, moov);
}

static struct edit_list list_of(const struct buf *bytes, int track) {
    struct memory memory = {.bytes = bytes};
    memory.io =
        (struct source_io){.context = &memory, .read = read_memory, .size = (int64_t)bytes->size};
    struct edit_list list = {0};
    struct err err = {0};
    ck_assert_msg(edits_read(&list, &memory.io, track, &err) == 0, "%s", err.message);
    return list;
}

static const struct {
    struct file file;
    struct row rows[4];
    size_t expected;
    struct edit edits[3];
} lists[] = {
    {{.movie = 1000, .media = 90000, .count = 1},
     {{2000, 300, RATE_ONE}},
     1,
     {{300, 180300, -300}}},
    {{.movie = 1000, .media = 90000, .count = 1, .version = 1},
     {{2000, 300, RATE_ONE}},
     1,
     {{300, 180300, -300}}},
    {{.movie = 1000, .media = 90000, .count = 3},
     {{700, -1, RATE_ONE}, {1000, 0, RATE_ONE}, {500, 45000, RATE_ONE}},
     2,
     {{0, 90000, 63000}, {45000, 90000, 108000}}},
    /* Back in the media, and a third of a second that no tick keeps. */
    {{.movie = 3, .media = 25, .count = 3},
     {{1, 100, RATE_ONE}, {1, 50, RATE_ONE}, {1, 100, RATE_ONE}},
     3,
     {{100, 108, -100}, {50, 59, -42}, {100, 108, -83}}},
    /* A last row without a length lasts to the end. */
    {{.movie = 600, .media = 600, .count = 2},
     {{60, 30, RATE_ONE}, {0, 600, RATE_ONE}},
     2,
     {{30, 90, -30}, {600, 600 + 60000000000 - 60, -540}}},
    {{.movie = 600, .media = 600, .count = 2},
     {{0, 30, RATE_ONE}, {60, 600, RATE_ONE}},
     1,
     {{600, 660, -600}}},
    {{.movie = 600, .media = 600, .count = 1}, {{60, -1, RATE_ONE}}, 0, {{0, 0, 0}}},
    /* Left to libavformat. */
    {{.movie = 600, .media = 600, .count = 1, .fragmented = true},
     {{60, 30, RATE_ONE}},
     0,
     {{0, 0, 0}}},
    {{.movie = 600, .media = 600, .count = 1}, {{60, 30, 0}}, 0, {{0, 0, 0}}},
    {{.movie = 600, .media = 600, .count = 2},
     {{60, 30, RATE_ONE}, {60, 90, 2 * RATE_ONE}},
     0,
     {{0, 0, 0}}},
    {{.movie = 600, .media = 600, .count = 1}, {{60, -2, RATE_ONE}}, 0, {{0, 0, 0}}},
    {{.movie = 0, .media = 600, .count = 1}, {{60, 0, RATE_ONE}}, 0, {{0, 0, 0}}},
    {{.movie = 600, .media = 0, .count = 1}, {{60, 0, RATE_ONE}}, 0, {{0, 0, 0}}},
    /* Numbers that are none. */
    {{.movie = 600, .media = 600, .count = 1, .version = 1},
     {{UINT64_MAX, 0, RATE_ONE}},
     0,
     {{0, 0, 0}}},
    {{.movie = 600, .media = 600, .count = 1, .version = 1},
     {{60, INT64_MAX, RATE_ONE}},
     0,
     {{0, 0, 0}}},
    {{.movie = 600, .media = 600, .count = 1, .version = 1},
     {{60, INT64_MIN, RATE_ONE}},
     0,
     {{0, 0, 0}}},
    {{.movie = 1, .media = UINT32_MAX, .count = 2, .version = 1},
     {{INT64_MAX / 2, 0, RATE_ONE}, {INT64_MAX / 2, 0, RATE_ONE}},
     0,
     {{0, 0, 0}}},
    {{.movie = 600, .media = 600, .count = 1, .claimed = 2}, {{60, 30, RATE_ONE}}, 0, {{0, 0, 0}}},
    {{.movie = 600, .media = 600, .count = 1, .claimed = UINT32_MAX},
     {{60, 30, RATE_ONE}},
     0,
     {{0, 0, 0}}},
};

START_TEST(a_list_says_what_is_shown_and_when) {
    struct buf bytes = {0};
    struct file file = lists[_i].file;
    file.rows = lists[_i].rows;
    append_file(&bytes, &file);
    struct edit_list list = list_of(&bytes, 1);
    ck_assert_uint_eq(list.count, lists[_i].expected);
    for (size_t i = 0; i < list.count; i++) {
        ck_assert_int_eq(list.edits[i].start, lists[_i].edits[i].start);
        ck_assert_int_eq(list.edits[i].end, lists[_i].edits[i].end);
        ck_assert_int_eq(list.edits[i].shift, lists[_i].edits[i].shift);
    }
    edits_finish(&list);
    for (int track = 0; track < 4; track += track == 0 ? 2 : 1) {
        list = list_of(&bytes, track);
        ck_assert_uint_eq(list.count, 0);
        edits_finish(&list);
    }
    buf_finish(&bytes);
}
END_TEST

START_TEST(a_list_cut_anywhere_is_none) {
    static const struct row row = {2000, 300, RATE_ONE};
    const struct file file = {
        .movie = 1000, .media = 90000, .rows = &row, .count = 1, .version = 1};
    struct buf bytes = {0};
    append_file(&bytes, &file);
    struct buf part = bytes;
    for (part.size = 0; part.size < bytes.size; part.size++) {
        struct edit_list list = list_of(&part, 1);
        ck_assert_uint_eq(list.count, 0);
        edits_finish(&list);
    }
    buf_finish(&bytes);
}
END_TEST

START_TEST(boxes_of_any_size_are_read_within_bounds) {
    static const struct row row = {2000, 300, RATE_ONE};
    static const uint32_t sizes[] = {0, 1, 7, 8, 9, 15, 16, 17, 1 << 20, UINT32_MAX};
    const struct file file = {.movie = 1000, .media = 90000, .rows = &row, .count = 1};
    struct buf bytes = {0};
    append_file(&bytes, &file);
    for (size_t at = 0; at + 4 <= bytes.size; at++) {
        uint8_t kept[4];
        memcpy(kept, bytes.data + at, 4);
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            buf_put_u32(&bytes, at, sizes[i]);
            struct edit_list list = list_of(&bytes, 1);
            ck_assert_uint_le(list.count, 1);
            edits_finish(&list);
        }
        memcpy(bytes.data + at, kept, 4);
    }
    buf_finish(&bytes);
}
END_TEST

START_TEST(a_list_of_thousands_is_left_alone) {
    struct row *rows = mem_zero(MANY, sizeof(*rows));
    for (int i = 0; i < MANY; i++) {
        rows[i] = (struct row){10, i, RATE_ONE};
    }
    for (size_t count = MANY - 1; count <= MANY; count++) {
        const struct file file = {
            .movie = 600, .media = 600, .rows = rows, .count = count, .version = 1};
        struct buf bytes = {0};
        append_file(&bytes, &file);
        struct edit_list list = list_of(&bytes, 1);
        ck_assert_uint_eq(list.count, count == MANY ? 0 : count);
        edits_finish(&list);
        buf_finish(&bytes);
    }
    mem_free(rows);
}
END_TEST

START_TEST(an_edit_is_found_by_its_shift) {
    struct edit edits[] = {{10, 20, 5}, {40, 50, 5}, {15, 25, 40}};
    const struct edit_list list = {edits, 3, 0};
    ck_assert_uint_eq(edits_find(&list, 5, 0), 0);
    ck_assert_uint_eq(edits_find(&list, 5, 19), 0);
    ck_assert_uint_eq(edits_find(&list, 5, 20), 1);
    ck_assert_uint_eq(edits_find(&list, 40, 24), 2);
    ck_assert_uint_eq(edits_find(&list, 40, 25), 3);
    ck_assert_uint_eq(edits_find(&list, 41, 0), 3);
}
END_TEST

/* ---- What is shown ------------------------------------------------------------ */

/* Puts the rows into the edit list of the file's only track. */
static void set_edits(const char *folder, const char *from, const char *to, const struct row *rows,
                      size_t count) {
    static const char *const path[] = {"moov", "trak", "edts", "elst"};
    char *source = mem_format("%s/%s", folder, from);
    char *target = mem_format("%s/%s", folder, to);
    struct buf bytes = {0};
    struct buf list = {0};
    struct err err = {0};
    ck_assert_int_eq(fs_read(&bytes, source, 1 << 24, &err), 0);
    const uint8_t *elst = memmem(bytes.data, bytes.size, "elst", 4);
    ck_assert_ptr_nonnull(elst);
    size_t at = (size_t)(elst - bytes.data) - 4;
    size_t old = (size_t)elst[-2] << 8 | elst[-1];
    buf_append(&list, bytes.data, at);
    size_t box = open_box(&list, "elst");
    append_rows(&list, rows, count, 0);
    close_box(&list, box);
    size_t grown = list.size - at - old;
    buf_append(&list, bytes.data + at + old, bytes.size - at - old);
    for (size_t i = 0; i < 3; i++) {
        const uint8_t *type = memmem(list.data, list.size, path[i], 4);
        struct bytes size = bytes_of(type - 4, 4);
        buf_put_u32(&list, (size_t)(type - list.data) - 4, bytes_u32(&size) + (uint32_t)grown);
    }
    ck_assert_int_eq(fs_replace(target, list.data, list.size, 0600, &err), 0);
    buf_finish(&bytes);
    buf_finish(&list);
    mem_free(source);
    mem_free(target);
}

/* Of 120 pictures at 25 a second: of 512 ticks each, the first at 1024. */
#define AT(picture) ((int64_t)(1024 + 512 * (picture)))

static const struct {
    struct row rows[5];
    int shown[5][2]; /* pictures, from one to before another; with one alone: as often */
    double start_s;
    enum { PLAIN, HELD } kind; /* HELD: shown[1] is a picture, and how often it is shown */
} cuts[] = {
    /* In the middle of a picture, of each type. */
    {{{2000, AT(33.25), RATE_ONE}}, {{33, 84}}, .start_s = -0.01},
    {{{2000, AT(34.5), RATE_ONE}}, {{34, 85}}, .start_s = -0.02},
    {{{2000, AT(35.75), RATE_ONE}}, {{35, 86}}, .start_s = -0.03},
    {{{600, -1, RATE_ONE}, {2000, AT(36.75), RATE_ONE}}, {{36, 87}}, .start_s = 0.57},
    /* Whole pictures: one after the other, back, twice the same, many. */
    {{{2000, AT(10), RATE_ONE}, {1000, AT(71), RATE_ONE}}, {{10, 60}, {71, 96}}, .start_s = 0},
    {{{1000, AT(90), RATE_ONE}, {2000, AT(33), RATE_ONE}}, {{90, 115}, {33, 83}}, .start_s = 0},
    {{{1000, AT(33), RATE_ONE}, {1000, AT(33), RATE_ONE}}, {{33, 58}, {33, 58}}, .start_s = 0},
    {{{600, -1, RATE_ONE}, {1000, AT(30), RATE_ONE}, {1000, AT(80), RATE_ONE}},
     {{30, 55}, {80, 105}},
     .start_s = 0.6},
    {{{1000, AT(10), RATE_ONE},
      {1000, AT(75), RATE_ONE},
      {1000, AT(20), RATE_ONE},
      {80, AT(0), RATE_ONE}},
     {{10, 35}, {75, 100}, {20, 45}, {0, 2}},
     .start_s = 0},
    /* A second edit in the middle of a picture, which stays for more or less than half its
     * time. */
    {{{2000, AT(10), RATE_ONE}, {1000, AT(71.25), RATE_ONE}}, {{10, 60}, {71, 97}}, .start_s = 0},
    {{{2000, AT(10), RATE_ONE}, {1000, AT(71.75), RATE_ONE}}, {{10, 60}, {72, 97}}, .start_s = 0},
    /* Nothing between two edits: the last picture stays. */
    {{{1000, AT(30), RATE_ONE}, {400, -1, RATE_ONE}, {1000, AT(80), RATE_ONE}},
     {{30, 55}, {54, 10}, {80, 105}},
     .start_s = 0,
     .kind = HELD},
};

static int64_t expected_of(int index, int *expected) {
    int64_t count = 0;
    for (int i = 0; i < 5 && cuts[index].shown[i][1] > 0; i++) {
        bool held = cuts[index].kind == HELD && i == 1;
        int first = cuts[index].shown[i][0];
        int pictures = held ? cuts[index].shown[i][1] : cuts[index].shown[i][1] - first;
        for (int k = 0; k < pictures; k++) {
            expected[count++] = held ? first : first + k;
        }
    }
    return count;
}

START_TEST(each_frame_shows_what_its_edit_says) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    int expected[240];
    int64_t count = expected_of(_i, expected);
    size_t rows = 0;
    while (rows < 5 && cuts[_i].rows[rows].length > 0) {
        rows++;
    }
    source_shell(folder, "25", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 all.mp4");
    set_edits(folder, "all.mp4", "cut.mp4", cuts[_i].rows, rows);
    source_open(&source, folder, "cut.mp4");
    source_probe(&document, &source, DEINTERLACE_FRAME);
    ck_assert_int_eq(document.timeline.rate.num, 25);
    ck_assert_int_eq(document.timeline.rate.den, 1);
    ck_assert_double_eq_tol(rational_value(document.timeline.start), cuts[_i].start_s, 0.0005);
    ck_assert_int_eq(document.timeline.frames, count);
    static const int64_t chunks[] = {7, 25, 1000};
    struct shown whole = {0};
    source_read(&whole, &document, &source, 0, count, 1000, DEINTERLACE_FRAME);
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        struct shown shown;
        source_read(&shown, &document, &source, 0, count, chunks[i], DEINTERLACE_FRAME);
        ck_assert_int_eq(shown.count, count);
        for (int64_t frame = 0; frame < count; frame++) {
            ck_assert_int_eq(shown.counters[frame], expected[frame]);
            ck_assert_str_eq(shown.hashes[frame], whole.hashes[frame]);
        }
        ck_assert_int_eq(shown.stats.repaired, 0);
        shown_finish(&shown);
    }
    shown_finish(&whole);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

/* Lists that no author made: the first picture is there, or a sentence. */
START_TEST(senseless_lists_do_no_harm) {
    static const struct row rows[][3] = {
        {{1000, AT(5000), RATE_ONE}},
        {{1000, INT32_MAX, RATE_ONE}, {1000, INT32_MAX, RATE_ONE}},
        {{1, AT(30), RATE_ONE}, {1, AT(60), RATE_ONE}, {1, AT(30), RATE_ONE}},
        {{UINT32_MAX, -1, RATE_ONE}, {1000, AT(3), RATE_ONE}},
        {{UINT32_MAX, AT(3), RATE_ONE}, {UINT32_MAX, AT(5), RATE_ONE}},
        {{1000, -5, RATE_ONE}, {1000, AT(5), RATE_ONE}},
        {{1000, AT(119.5), RATE_ONE}, {1000, 0, RATE_ONE}},
    };
    char *folder = fixture_folder();
    source_shell(folder, "25", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 all.mp4");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct source_document document = {0};
        struct file_source source;
        struct err err = {0};
        const struct probe_options options = probe_options_default();
        size_t count = 1;
        while (count < 3 && rows[i][count].length > 0) {
            count++;
        }
        set_edits(folder, "all.mp4", "cut.mp4", rows[i], count);
        source_open(&source, folder, "cut.mp4");
        if (encoder_probe(&document, &source.io, &options, NULL, NULL, &err) == 0) {
            struct shown shown;
            int64_t end = document.timeline.frames < 50 ? document.timeline.frames : 50;
            source_read(&shown, &document, &source, 0, end, 20, DEINTERLACE_FRAME);
            ck_assert_int_eq(shown.count, end);
            shown_finish(&shown);
            source_document_finish(&document);
        } else {
            ck_assert_str_ne(err.message, "");
        }
        file_source_close(&source);
    }
    fixture_folder_drop(folder);
}
END_TEST

Suite *edits_suite(void) {
    Suite *suite = suite_create("edits");
    TCase *edits = tcase_create("edits");
    tcase_set_timeout(edits, 120);
    tcase_add_loop_test(edits, a_list_says_what_is_shown_and_when, 0,
                        sizeof(lists) / sizeof(lists[0]));
    tcase_add_test(edits, a_list_cut_anywhere_is_none);
    tcase_add_test(edits, boxes_of_any_size_are_read_within_bounds);
    tcase_add_test(edits, a_list_of_thousands_is_left_alone);
    tcase_add_test(edits, an_edit_is_found_by_its_shift);
    tcase_add_loop_test(edits, each_frame_shows_what_its_edit_says, 0,
                        sizeof(cuts) / sizeof(cuts[0]));
    tcase_add_test(edits, senseless_lists_do_no_harm);
    suite_add_tcase(suite, edits);
    return suite;
}
