/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chunks through both encoders of AV1: seams, repeatable bytes, tails, 10 bits, facts in the
 * stream, and what is refused. The grid is tested with the other encoders, in test_video.c. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "fixture.h"
#include "ladders/level.h"
#include "packager/av1.h"
#include "video_fixture.h"

Suite *av1_suite(void);

static const struct {
    const char *encoder;
    const char *preset;
    int depth;
} encoders[] = {
    {"svt", "8", 8},
    {"svt", "10", 10},
    {"aom", "6", 8},
    {"aom", "6", 10},
};

enum { ENCODERS = sizeof(encoders) / sizeof(encoders[0]) };

static struct video_spec spec_at(int index, int width, int height) {
    struct video_spec spec =
        video_spec_of(encoders[index].encoder, width, height, encoders[index].preset);
    spec.bit_depth = encoders[index].depth;
    return spec;
}

static int64_t tail_of(const struct video_spec *spec) {
    return video_codec_find(spec->encoder)->tail_frames;
}

/* Joined chunks decode to each frame once, in order, without a complaint. */
START_TEST(joined_chunks_decode_without_a_seam) {
    char *folder = fixture_folder();
    struct opened opened;
    struct made made;
    source_shell(folder, "24", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 100 $X264 a.mp4");
    opened_open(&opened, folder, "a.mp4");
    struct video_spec spec = spec_at(_i, 160, 96);
    spec.crf_hundredths = 1500;
    video_encode_title(&made, &opened, &spec, 1, 48, 24, tail_of(&spec));
    fixture_write(folder, "out.obu", made.stream.data, made.stream.size);
    source_shell(folder, "24",
                 "ffmpeg -err_detect explode -i out.obu -c:v ffv1 out.mkv 2>complaints\n"
                 "test ! -s complaints\n");
    struct opened decoded;
    struct shown shown;
    opened_open(&decoded, folder, "out.mkv");
    ck_assert_int_eq(decoded.document.timeline.frames, 100);
    ck_assert_int_eq(decoded.document.video.bit_depth, encoders[_i].depth);
    if (encoders[_i].depth == 8) {
        source_read(&shown, &decoded.document, &decoded.source, 0, 100, 100, DEINTERLACE_NONE);
        for (int i = 0; i < 100; i++) {
            ck_assert_int_eq(shown.counters[i], i);
        }
        shown_finish(&shown);
    }
    opened_close(&decoded);
    made_finish(&made);
    opened_close(&opened);
    fixture_folder_drop(folder);
}
END_TEST

/* SVT-AV1 in chunks makes the pictures of one pass: with the tail of its row no join can be
 * seen. (Bytes differ in their order hints. libaom's rate control looks ahead over key
 * pictures; tests/bench measures it.) */
START_TEST(chunks_of_svt_are_one_pass) {
    static const char *const presets[] = {"6", "8", "10", "12"};
    char *folder = fixture_folder();
    struct opened opened;
    struct made chunks, whole;
    source_shell(folder, "24",
                 "ffmpeg -f lavfi -i \"testsrc2=s=256x144:r=24,noise=alls=20:all_seed=1,"
                 "hue=h=floor(n/40)*90\" -frames:v 200 -pix_fmt yuv420p $X264 a.mp4");
    opened_open(&opened, folder, "a.mp4");
    struct video_spec spec = video_spec_of("svt", 256, 144, presets[_i]);
    video_encode_title(&chunks, &opened, &spec, 1, 48, 24, tail_of(&spec));
    video_encode_title(&whole, &opened, &spec, 1, 200, 24, 0);
    ck_assert_int_eq(chunks.rungs[0].packets, 200);
    fixture_write(folder, "chunks.obu", chunks.stream.data, chunks.stream.size);
    fixture_write(folder, "whole.obu", whole.stream.data, whole.stream.size);
    source_shell(folder, "24",
                 "for which in chunks whole; do\n"
                 "    ffmpeg -i $which.obu -f framemd5 $which.md5\n"
                 "done\n"
                 "test $(grep -vc '^#' whole.md5) = 200\n"
                 "cmp chunks.md5 whole.md5\n");
    made_finish(&chunks);
    made_finish(&whole);
    opened_close(&opened);
    fixture_folder_drop(folder);
}
END_TEST

/* More tail than the table asks for changes nothing. */
START_TEST(the_tail_of_the_table_is_enough) {
    static const int64_t gops[] = {24, 48, 72};
    char *folder = fixture_folder();
    struct opened opened;
    source_shell(folder, "24", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 160 $X264 a.mp4");
    opened_open(&opened, folder, "a.mp4");
    struct video_spec spec = video_spec_of("svt", 160, 96, "8");
    struct made row = {0};
    struct made more = {0};
    struct err err = {0};
    ck_assert_int_eq(video_encode_chunk(&row, &opened, &spec, 1, gops, 2, tail_of(&spec), &err), 0);
    ck_assert_int_eq(video_encode_chunk(&more, &opened, &spec, 1, gops, 2, 80, &err), 0);
    ck_assert(video_bytes_equal(&row.rungs[0].bytes, &more.rungs[0].bytes));
    ck_assert_int_eq(row.rungs[0].packets, 48);
    made_finish(&row);
    made_finish(&more);
    opened_close(&opened);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(bytes_are_a_function_of_source_and_rung) {
    const struct video_spec rungs[] = {spec_at(_i, 112, 66), spec_at(_i, 96, 70),
                                       spec_at(_i, 80, 64)};
    video_check_repeatable(rungs, 60, tail_of(&rungs[0]));
}
END_TEST

static int drop_packet(void *context, const struct coded_packet *packet, struct err *err) {
    (void)context;
    (void)packet;
    (void)err;
    return 0;
}

/* One picture of one shade, after which the encoder has told its headers. */
static void encode_grey(struct video_encoder *encoder, const struct video_spec *spec) {
    size_t bytes = (size_t)spec->width * (size_t)spec->height * 2;
    uint8_t *samples = mem_zero(1, bytes);
    struct video_picture picture = {.key = true};
    struct err err = {0};
    for (int i = 0; i < 3; i++) {
        picture.plane[i] = samples;
        picture.stride[i] = (ptrdiff_t)spec->width * 2;
    }
    int rc = video_encoder_encode(encoder, &picture, drop_packet, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.message);
    rc = video_encoder_flush(encoder, drop_packet, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.message);
    mem_free(samples);
}

/* Level, colour and chroma position come out as they were asked for, at the sizes of a ladder. */
START_TEST(the_stream_says_what_the_spec_says) {
    static const struct {
        int width, height;
        struct rational rate;
        int level; /* seq_level_idx */
        struct colour colour;
        int position;
    } cases[] = {
        {426, 240, {30, 1}, 0, {.primaries = 1, .transfer = 1, .matrix = 1}, 1},
        {640, 360, {30000, 1001}, 1, {1, 1, 1, .chroma_location = 2}, 2},
        {960, 540, {25, 1}, 4, {5, 6, 5, true, .chroma_location = -1}, 0},
        {1280, 720, {24000, 1001}, 5, {6, 6, 6, .chroma_location = -1}, 0},
        {1920, 1080, {30, 1}, 8, {1, 13, 1, true, .chroma_location = 0}, 1},
        {608, 1080, {60, 1}, 8, {1, 1, 1, .chroma_location = -1}, 0},
        /* by whole frames a second these would fit the level below */
        {1000, 540, {60000, 1001}, 8, {1, 1, 1, .chroma_location = -1}, 0},
        {704, 480, {60000, 1001}, 5, {1, 1, 1, .chroma_location = -1}, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct video_spec spec = spec_at(_i, cases[i].width, cases[i].height);
        struct video_encoder *encoder = NULL;
        struct err err = {0};
        spec.rate = cases[i].rate;
        spec.colour = cases[i].colour;
        spec.level = level_of(&spec);
        const struct video_options options = {&spec, 48};
        ck_assert_msg(video_encoder_open(&encoder, &options, &err) == 0, "%s", err.message);
        encode_grey(encoder, &spec);
        const struct coded_config *config = video_encoder_config(encoder);
        struct av1_record record;
        ck_assert_msg(av1_record_read(&record, config->record, config->record_size, &err) == 0,
                      "%dx%d: %s", spec.width, spec.height, err.message);
        const struct av1_sequence *sequence = &record.sequence;
        ck_assert_int_eq(sequence->width, spec.width);
        ck_assert_int_eq(sequence->height, spec.height);
        ck_assert_int_eq(sequence->level, cases[i].level);
        ck_assert_int_eq(sequence->tier, 0);
        ck_assert_int_eq(sequence->profile, 0);
        ck_assert_int_eq(sequence->bit_depth, spec.bit_depth);
        ck_assert_int_eq(sequence->chroma, CHROMA_420);
        ck_assert_int_eq(sequence->signal.primaries, spec.colour.primaries);
        ck_assert_int_eq(sequence->signal.transfer, spec.colour.transfer);
        ck_assert_int_eq(sequence->signal.matrix, spec.colour.matrix);
        ck_assert_int_eq(sequence->signal.full_range, spec.colour.full_range);
        ck_assert_int_eq(sequence->chroma_position, cases[i].position);
        ck_assert(!sequence->still && !sequence->timing);
        ck_assert_int_eq(config->reorder_frames, 0);
        video_encoder_close(encoder);
    }
}
END_TEST

START_TEST(specs_are_checked) {
    static const struct {
        const char *encoder;
        const char *preset;
        const char *tune;
        int width, height, threads;
        const char *word;
    } cases[] = {
        {"svt", "14", "", 160, 96, 1, "14"},      {"svt", "fast", "", 160, 96, 1, "fast"},
        {"svt", "8", "ssim", 160, 96, 1, "ssim"}, {"svt", "8", "", 160, 96, 2, "thread"},
        {"svt", "8", "", 62, 96, 1, "62x96"},     {"aom", "7", "", 160, 96, 1, "7"},
        {"aom", "", "", 160, 96, 1, "''"},        {"aom", "6", "film", 160, 96, 1, "film"},
    };
    struct video_spec spec =
        video_spec_of(cases[_i].encoder, cases[_i].width, cases[_i].height, cases[_i].preset);
    snprintf(spec.tune, sizeof(spec.tune), "%s", cases[_i].tune);
    spec.threads = cases[_i].threads;
    struct video_encoder *encoder = NULL;
    struct err err = {0};
    const struct video_options options = {&spec, 48};
    ck_assert_int_eq(video_encoder_open(&encoder, &options, &err), ERR_INVALID);
    ck_assert_ptr_null(encoder);
    ck_assert_msg(strstr(err.message, cases[_i].word) != NULL, "%s", err.message);
}
END_TEST

/* An encoder that is closed before its end, or before its first picture, ends. */
START_TEST(encoding_stops_when_told) {
    static const int64_t gops[] = {0, 24, 48};
    char *folder = fixture_folder();
    struct opened opened;
    source_shell(folder, "24", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 100 $X264 a.mp4");
    opened_open(&opened, folder, "a.mp4");
    struct video_spec spec = spec_at(_i, 160, 96);
    struct made full = {.fail_at = 3};
    struct made told = {.cancel_at = 20};
    struct err err = {0};
    ck_assert_int_eq(video_encode_chunk(&full, &opened, &spec, 1, gops, 2, 0, &err), ERR_NO_SPACE);
    err = (struct err){0};
    ck_assert_int_eq(video_encode_chunk(&told, &opened, &spec, 1, gops, 2, 0, &err), ERR_CANCELLED);
    made_finish(&full);
    made_finish(&told);
    opened_close(&opened);
    fixture_folder_drop(folder);
}
END_TEST

Suite *av1_suite(void) {
    Suite *suite = suite_create("av1");
    TCase *tests = tcase_create("av1");
    tcase_set_timeout(tests, 240);
    tcase_add_loop_test(tests, joined_chunks_decode_without_a_seam, 0, ENCODERS);
    tcase_add_loop_test(tests, chunks_of_svt_are_one_pass, 0, 4);
    tcase_add_test(tests, the_tail_of_the_table_is_enough);
    tcase_add_loop_test(tests, bytes_are_a_function_of_source_and_rung, 0, ENCODERS);
    tcase_add_loop_test(tests, the_stream_says_what_the_spec_says, 0, ENCODERS);
    tcase_add_loop_test(tests, specs_are_checked, 0, 8);
    tcase_add_loop_test(tests, encoding_stops_when_told, 0, ENCODERS);
    suite_add_tcase(suite, tests);
    return suite;
}
