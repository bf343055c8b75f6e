/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CMAF headers: what is read back of them, and what is refused to be written in one. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "packager/cmaf_reader.h"
#include "segment_fixture.h"

Suite *init_segment_suite(void);

START_TEST(test_init_facts) {
    struct buf init = {0};
    struct init_facts facts;
    struct err err = {0};
    video.colour.full_range = false;
    ck_assert_int_eq(init_segment_write(&video_track, &init, &err), 0);
    ck_assert_msg(init_segment_read(&facts, init.data, init.size, &err) == 0, "%s", err.message);
    ck_assert_str_eq(facts.major_brand, "iso6");
    ck_assert(brands_have(facts.brands, "cmfc") && !brands_have(facts.brands, "cmf2"));
    ck_assert(!facts.clock && facts.video && facts.has_colour && facts.has_aspect);
    ck_assert_uint_eq(facts.timescale, 24000);
    ck_assert_uint_eq(facts.movie_timescale, 24000);
    ck_assert_uint_eq(facts.movie_duration + facts.track_duration + facts.media_duration, 0);
    ck_assert(facts.has_edit);
    ck_assert_int_eq(facts.edit_media_time, 2002);
    ck_assert_uint_eq(facts.edit_duration, 0);
    ck_assert_ptr_eq(facts.codec, &track_codec_h264);
    ck_assert_uint_eq(facts.record_size, video_track.record_size);
    ck_assert_mem_eq(facts.record, video_track.record, video_track.record_size);
    ck_assert_int_eq(facts.width, 320);
    ck_assert_int_eq(facts.entry_height, 180);
    ck_assert_int_eq(facts.signal.primaries + facts.signal.transfer + facts.signal.matrix, 3);
    ck_assert_uint_eq(facts.aspect_wide, facts.aspect_high);
    ck_assert_uint_eq(facts.defaults.duration, 1001);

    audio.language[0] = 'p'; /* "pnd": mdhd has room for three letters */
    buf_clear(&init);
    ck_assert_int_eq(init_segment_write(&audio_track, &init, &err), 0);
    ck_assert_msg(init_segment_read(&facts, init.data, init.size, &err) == 0, "%s", err.message);
    ck_assert(!facts.video && !facts.has_colour && facts.has_edit);
    ck_assert_str_eq(facts.language, "pnd");
    ck_assert_str_eq(facts.language_tag, "pnd");
    ck_assert_uint_eq(facts.timescale, 48000);
    ck_assert_int_eq(facts.edit_media_time, PRIMING);
    ck_assert_uint_eq(facts.edit_duration, (uint64_t)audio_track.duration);
    ck_assert_int_eq(facts.channels, 2);
    ck_assert_int_eq(facts.sample_rate, 48000);
    ck_assert_uint_eq(facts.record_size, 2);
    ck_assert_mem_eq(facts.record, audio_track.record, 2);
    ck_assert_uint_eq(facts.defaults.duration, 1024);

    audio_track.duration = 5000000000; /* 29 hours: the edit list needs 64 bits */
    snprintf(audio.language, sizeof(audio.language), "pt-BR");
    buf_clear(&init);
    ck_assert_int_eq(init_segment_write(&audio_track, &init, &err), 0);
    ck_assert_msg(init_segment_read(&facts, init.data, init.size, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(facts.edit_duration, 5000000000);
    ck_assert_int_eq(facts.edit_media_time, PRIMING);
    ck_assert_str_eq(facts.language, "und");
    ck_assert_ptr_nonnull(memmem(init.data, init.size, "elng\0\0\0\0pt-BR", 14));
    ck_assert_str_eq(facts.language_tag, "pt-BR");
    uint8_t *tag = memmem(init.data, init.size, "pt-BR", 6);
    tag[5] = 'x'; /* no end */
    ck_assert_int_eq(init_segment_read(&facts, init.data, init.size, &err), ERR_CORRUPT);
    memcpy(tag, "pt\x1b[1", 6); /* no letters of a tag */
    ck_assert_int_eq(init_segment_read(&facts, init.data, init.size, &err), ERR_CORRUPT);
    buf_finish(&init);
}
END_TEST

/* x264, as the fixture's record, without reordering. */
static const uint8_t avc_record_straight[] = {
    0x01, 0x64, 0x00, 0x1e, 0xff, 0xe1, 0x00, 0x1b, 0x67, 0x64, 0x00, 0x1e, 0xac, 0xb4, 0x0a, 0x0c,
    0xfc, 0xf8, 0x0b, 0x50, 0x10, 0x10, 0x14, 0x00, 0x00, 0x0f, 0xa4, 0x00, 0x02, 0xee, 0x00, 0x3c,
    0x58, 0xba, 0x80, 0x01, 0x00, 0x04, 0x68, 0xef, 0x0f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
};

START_TEST(test_no_reordering) {
    struct buf init = {0};
    struct init_facts facts;
    struct err err = {0};
    memcpy(video_track.record, avc_record_straight, sizeof(avc_record_straight));
    video_track.reorder_frames = 0;
    ck_assert_msg(init_segment_write(&video_track, &init, &err) == 0, "%s", err.message);
    ck_assert_int_eq(init_segment_read(&facts, init.data, init.size, &err), 0);
    ck_assert(!facts.has_edit);
    buf_finish(&init);
    ck_assert_msg(write_video(&err) == 0, "%s", err.message);
    ck_assert_msg(check_take(&takes[0], true, &err) == 0, "%s", err.message);
}
END_TEST

START_TEST(test_codecs_strings) {
    char text[32];
    ck_assert_int_eq(track_codecs_string(&video_track, text, sizeof(text), NULL), 0);
    ck_assert_str_eq(text, "avc1.64001e");
    ck_assert_int_eq(track_codecs_string(&audio_track, text, sizeof(text), NULL), 0);
    ck_assert_str_eq(text, "mp4a.40.2");
    struct err err = {0};
    audio.codec = CODEC_OPUS;
    ck_assert_int_eq(track_codecs_string(&audio_track, text, sizeof(text), &err), ERR_UNSUPPORTED);
    ck_assert_str_eq(err.message, "this version packages no opus");
}
END_TEST

/* Tracks whose record, spec and timing do not agree: no writer starts, and the gate
 * refuses the init segment that belongs to the true track. */
static void lie_reorder(void) {
    video_track.reorder_frames = 1;
}
static void lie_width(void) {
    video.width = 322;
}
static void lie_level(void) {
    video.level = 31;
}
static void lie_profile(void) {
    snprintf(video.profile, sizeof(video.profile), "main");
}
static void lie_depth(void) {
    video.bit_depth = 10;
}
static void lie_chroma(void) {
    video.chroma = CHROMA_422;
}
static void lie_primaries(void) {
    video.colour.primaries = 9;
}
static void lie_transfer(void) {
    video.colour.transfer = 16;
}
static void lie_matrix(void) {
    video.colour.matrix = 6;
}
static void lie_range(void) {
    video.colour.full_range = true;
}
static void lie_chroma_location(void) {
    video.colour.chroma_location = 2;
}
static void lie_rate(void) {
    video.rate.num = 0;
}
static void lie_record(void) {
    video_track.record_size--;
}
static void lie_codec(void) {
    video.codec = CODEC_AAC;
}
static void lie_sample_rate(void) {
    audio.sample_rate = 44100;
}
static void lie_channels(void) {
    audio.channels = 1;
}
static void lie_priming(void) {
    audio_track.priming = -1;
}
static void lie_duration(void) {
    audio_track.duration = 0;
}
static void lie_audio_record(void) {
    audio_track.record[0] = 0x2b; /* HE-AAC */
}

static const struct {
    bool video;
    void (*tell)(void);
    const char *says; /* a part of the sentence */
} lies[] = {
    {true, lie_reorder, "max_num_reorder_frames"},
    {true, lie_width, "320 for width and its spec 322"},
    {true, lie_level, "level"},
    {true, lie_profile, "profile 100"},
    {true, lie_depth, "bit depth"},
    {true, lie_chroma, "chroma format"},
    {true, lie_primaries, "colour primaries"},
    {true, lie_transfer, "transfer"},
    {true, lie_matrix, "matrix"},
    {true, lie_range, "full range"},
    {true, lie_chroma_location, "chroma location"},
    {true, lie_rate, "rate of 0/1001"},
    {true, lie_record, "avcC"},
    {true, lie_codec, "aac"},
    {false, lie_sample_rate, "48000 Hz"},
    {false, lie_channels, "2 channels"},
    {false, lie_priming, "-1 samples of priming"},
    {false, lie_duration, "0 of sound"},
    {false, lie_audio_record, "object type 5"},
};

START_TEST(test_track_lies) {
    const struct track_config *track = lies[_i].video ? &video_track : &audio_track;
    struct buf init = {0};
    struct buf none = {0};
    struct err err = {0};
    ck_assert_int_eq(init_segment_write(track, &init, NULL), 0);
    lies[_i].tell();
    ck_assert_int_lt(init_segment_write(track, &none, &err), 0);
    ck_assert_msg(strstr(err.message, lies[_i].says) != NULL, "%s", err.message);
    ck_assert_uint_eq(none.size, 0);
    err_clear(&err);
    ck_assert_int_eq(init_segment_check(init.data, init.size, track, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, lies[_i].says) != NULL, "%s", err.message);
    ck_assert_int_lt(lies[_i].video ? write_video(NULL) : write_audio(1, NULL), 0);
    ck_assert_uint_eq(take_count, 0);
    buf_finish(&init);
}
END_TEST

/* Every bit of an init segment counts. */
START_TEST(test_init_bits) {
    const struct track_config *track = _i == 0 ? &video_track : &audio_track;
    struct buf init = {0};
    struct err err = {0};
    ck_assert_int_eq(init_segment_write(track, &init, NULL), 0);
    ck_assert_msg(init_segment_check(init.data, init.size, track, &err) == 0, "%s", err.message);
    for (size_t bit = 0; bit < init.size * 8; bit++) {
        init.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct init_facts facts;
        init_segment_read(&facts, init.data, init.size, NULL);
        ck_assert_msg(init_segment_check(init.data, init.size, track, NULL) == ERR_CORRUPT,
                      "bit %zu", bit);
        init.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < init.size; cut++) {
        uint8_t *copy = mem_try(cut + 1); /* so that ASan sees a byte too far */
        memcpy(copy, init.data, cut);
        struct init_facts facts;
        ck_assert_int_lt(init_segment_read(&facts, copy, cut, NULL), 0);
        ck_assert_int_eq(init_segment_check(copy, cut, track, NULL), ERR_CORRUPT);
        mem_free(copy);
    }
    init.data[60] ^= 1; /* creation time */
    ck_assert_int_eq(init_segment_check(init.data, init.size, track, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "init segment: box moov/") != NULL, "%s", err.message);
    buf_finish(&init);
}
END_TEST

Suite *init_segment_suite(void) {
    Suite *suite = suite_create("init_segment");
    TCase *tests = tcase_create("init segment");
    tcase_add_checked_fixture(tests, segment_setup, segment_teardown);
    tcase_add_test(tests, test_init_facts);
    tcase_add_test(tests, test_no_reordering);
    tcase_add_test(tests, test_codecs_strings);
    tcase_add_loop_test(tests, test_track_lies, 0, sizeof(lies) / sizeof(lies[0]));
    tcase_add_loop_test(tests, test_init_bits, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}
