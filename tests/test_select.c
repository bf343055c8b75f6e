/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which rungs a source gets: sizes, levels, sound, and the reasons of what is left out. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "ladders/ladders.h"

Suite *select_suite(void);

static struct source_document source_of(int width, int height) {
    return (struct source_document){
        .timeline = {.rate = {24, 1}, .frames = 480, .start = {0, 1}},
        .has_video = true,
        .video = {.width = width,
                  .height = height,
                  .sample_aspect = {1, 1},
                  .chroma = CHROMA_420,
                  .bit_depth = 8,
                  .colour = {.primaries = 1, .transfer = 1, .matrix = 1, .chroma_location = 0}},
    };
}

static struct ladder ladder_of(const char *text) {
    struct ladder ladder;
    struct err err = {0};
    ck_assert_msg(ladder_parse(&ladder, "mine.yaml", text, strlen(text), &err) == 0, "%s",
                  err.message);
    return ladder;
}

static struct ladder builtin(const char *name) {
    struct ladder ladder;
    ck_assert_int_eq(ladder_load(&ladder, name, NULL), 0);
    return ladder;
}

static struct ladder_selection select_rungs(const struct ladder *ladder,
                                            const struct source_document *source) {
    struct ladder_selection selection;
    struct err err = {0};
    ck_assert_msg(ladder_select(&selection, ladder, source, &err) == 0, "%s", err.message);
    return selection;
}

/* "1280x720 960x540 ..." */
static const char *sizes(const struct ladder_selection *selection, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < selection->video_count; i++) {
        used += (size_t)snprintf(out + used, size - used, "%s%dx%d", i > 0 ? " " : "",
                                 selection->video[i].width, selection->video[i].height);
    }
    return out;
}

static const struct {
    int width, height;
    const char *ladder;
    const char *want;
} cases[] = {
    {1920, 1080, "h264", "1920x1080 1280x720 960x540 640x360 426x240"},
    {3840, 2160, "h264", "1920x1080 1280x720 960x540 640x360 426x240"},
    {1280, 720, "h264", "1280x720 960x540 640x360 426x240"},
    {720, 1280, "h264", "720x1280 540x960 360x640 240x426"},           /* portrait */
    {1920, 800, "h264", "1920x800 1728x720 1296x540 864x360 576x240"}, /* scope film */
    {1280, 738, "h264", "1248x720 936x540 624x360 416x240"},           /* 720 covers it */
    {1278, 718, "h264", "1278x718 962x540 640x360 428x240"},           /* nearly 720 */
    {853, 480, "h264", "852x480 640x360 426x240"},                     /* odd: down, not up */
    {640, 480, "h264", "640x480 480x360 320x240"},
    {160, 120, "h264", "160x120"},
    {161, 121, "h264", "160x120"},
    {16, 16, "h264", "16x16"},
    {17, 17, "h264", "16x16"},
    {8192, 64, "h264", "8192x64"},
    {1280, 720, "fast", "640x360 320x180"},
    {320, 240, "fast", "320x240 240x180"},
    {320, 180, "fast", "320x180"},
    {1280, 720, "standard",
     "1280x720 960x540 640x360 426x240 1280x720 960x540 640x360"}, /* H.264, then AV1 */
    {160, 120, "standard", "160x120 160x120"},
    {96, 54, "standard", "96x54"}, /* SVT-AV1 begins at 64 */
    {96, 54, "av1-slow", "96x54"}, /* libaom does not */
    {1280, 720, "lossless", "1280x720"},
    {853, 481, "lossless", "852x480"},
};

START_TEST(sizes_fit_the_source) {
    struct ladder ladder = builtin(cases[_i].ladder);
    struct source_document source = source_of(cases[_i].width, cases[_i].height);
    struct ladder_selection selection = select_rungs(&ladder, &source);
    char got[256];
    ck_assert_str_eq(sizes(&selection, got, sizeof(got)), cases[_i].want);
    ck_assert_int_eq(selection.video_count + selection.dropped_count,
                     ladder.video_count + ladder.audio_count);
    for (int i = 0; i < selection.dropped_count; i++) {
        ck_assert_int_gt(strlen(selection.dropped[i].reason), 15);
    }
}
END_TEST

START_TEST(any_size_is_sound) {
    struct ladder ladder = builtin("h264");
    int wrong = 0;
    for (int width = 16; width < 2500; width += 13) {
        for (int height = 16; height < 2500; height += 37) {
            struct source_document source = source_of(width, height);
            struct ladder_selection s = select_rungs(&ladder, &source);
            wrong += s.video_count < 1;
            for (int i = 0; i < s.video_count; i++) {
                const struct video_spec *spec = &s.video[i];
                wrong += spec->width % 2 != 0 || spec->height % 2 != 0;
                wrong += spec->width > width || spec->height > height;
                wrong += spec->level == 0;
                wrong += i > 0 &&
                         spec->width * spec->height >= s.video[i - 1].width * s.video[i - 1].height;
                /* the shape stays within what rounding to even numbers does to it */
                double want = (double)width / height * spec->height;
                double slack = 1.001 + (double)width / height * (spec->height == height - 1) +
                               (spec->width == width - 1);
                wrong += spec->height > 16 && spec->width > 16 &&
                         (spec->width > want + slack * 2 || spec->width < want - slack * 2);
            }
        }
    }
    ck_assert_int_eq(wrong, 0);
}
END_TEST

START_TEST(names_are_codec_and_lines) {
    struct ladder ladder = builtin("h264");
    struct source_document source = source_of(800, 1920);
    struct ladder_selection selection = select_rungs(&ladder, &source);
    ck_assert_str_eq(selection.video_names[0], "h264-800p");
    ck_assert_str_eq(selection.video_names[1], "h264-720p");
    ck_assert_str_eq(selection.dropped[0].name, "audio-aac");
    source = source_of(1280, 720);
    selection = select_rungs(&ladder, &source);
    ck_assert_str_eq(selection.dropped[0].name, "h264-1080p");
    ck_assert_ptr_nonnull(strstr(selection.dropped[0].reason, "1280x720"));
}
END_TEST

START_TEST(settings_come_from_the_rung) {
    struct ladder ladder =
        ladder_of("preset: slow\ntune: grain\ncrf: 20.5\nmaxrate: 5M\nthreads: 3\n"
                  "gop_s: 1\nrungs:\n  - {height: 360}\n  - {height: 720, crf: 22}\n");
    struct source_document source = source_of(1280, 720);
    struct ladder_selection s = select_rungs(&ladder, &source);
    ck_assert_int_eq(s.video[0].crf_hundredths, 2200);
    ck_assert_int_eq(s.video[1].crf_hundredths, 2050);
    ck_assert_str_eq(s.video[1].preset, "slow");
    ck_assert_str_eq(s.video[1].tune, "grain");
    ck_assert_str_eq(s.video[1].encoder, "x264");
    ck_assert(s.video[1].maxrate_bps == 5000000 && s.video[1].bufsize_bits == 10000000);
    ck_assert(s.video[1].vbv_init_percent == 50 && s.video[1].threads == 3);
    ck_assert(s.video[1].chroma == CHROMA_420 && s.video[1].bit_depth == 8);
    ck_assert_int_eq(s.video[1].gop_frames, 24);
    ck_assert(s.video[1].rate.num == 24 && s.video[1].rate.den == 1);
}
END_TEST

START_TEST(a_rung_does_not_depend_on_the_others) {
    struct ladder all = builtin("h264");
    struct ladder fewer = all;
    fewer.video_count = 4; /* without 240 */
    struct source_document source = source_of(1920, 1080);
    struct ladder_selection a = select_rungs(&all, &source);
    struct ladder_selection b = select_rungs(&fewer, &source);
    ck_assert_int_eq(memcmp(a.video, b.video, 4 * sizeof(a.video[0])), 0);
}
END_TEST

START_TEST(near_equals_are_dropped) {
    struct ladder ladder = ladder_of("rungs:\n  - {height: 720}\n  - {height: 706}\n"
                                     "  - {height: source}\n  - {height: 600}\n");
    struct source_document source = source_of(1280, 720);
    struct ladder_selection s = select_rungs(&ladder, &source);
    char got[256];
    ck_assert_str_eq(sizes(&s, got, sizeof(got)), "1280x720 1066x600");
    ck_assert_int_eq(s.dropped_count, 2);
    ck_assert_ptr_nonnull(strstr(s.dropped[0].reason, "h264-720p"));
}
END_TEST

static const struct {
    int width, height;
    struct rational rate;
    int level; /* STANDARDS section 4, ITU-T H.264 table A-1 */
} levels[] = {
    {640, 360, {30, 1}, 30},   {960, 540, {30, 1}, 31},   {1280, 720, {30000, 1001}, 31},
    {1280, 720, {60, 1}, 32},  {1920, 1080, {30, 1}, 40}, {1920, 1080, {60, 1}, 42},
    {426, 240, {30, 1}, 21},   {176, 144, {15, 1}, 10},   {3840, 2160, {30, 1}, 51},
    {3840, 2160, {60, 1}, 52}, {7680, 4320, {60, 1}, 61}, {16000, 64, {24, 1}, 60},
};

START_TEST(levels_are_the_lowest) {
    struct ladder ladder = ladder_of("rungs: [{height: source}]\n");
    struct source_document source = source_of(levels[_i].width, levels[_i].height);
    source.timeline.rate = levels[_i].rate;
    struct ladder_selection s = select_rungs(&ladder, &source);
    ck_assert_int_eq(s.video[0].level, levels[_i].level);
}
END_TEST

/* AV1 annex A.3 */
static const struct {
    int width, height;
    struct rational rate;
    int level;
} av1_levels[] = {
    {426, 240, {30, 1}, 20},       {640, 360, {24, 1}, 21},   {854, 480, {30, 1}, 30},
    {960, 540, {30000, 1001}, 30}, {1280, 720, {30, 1}, 31},  {1280, 720, {60, 1}, 40},
    {1920, 1080, {30, 1}, 40},     {1920, 1080, {60, 1}, 41}, {3840, 2160, {30, 1}, 50},
    {3840, 2160, {60, 1}, 51},     {7680, 4320, {60, 1}, 61}, {4400, 100, {24, 1}, 31},
};

START_TEST(levels_of_av1_are_the_lowest) {
    struct ladder ladder = ladder_of("codec: av1\nrungs: [{height: source}]\n");
    struct source_document source = source_of(av1_levels[_i].width, av1_levels[_i].height);
    source.timeline.rate = av1_levels[_i].rate;
    struct ladder_selection s = select_rungs(&ladder, &source);
    ck_assert_int_eq(s.video[0].level, av1_levels[_i].level);
    ck_assert_str_eq(s.video[0].profile, "main");
    ck_assert_str_eq(s.video[0].encoder, "svt");
}
END_TEST

/* AV1 knows left and top left; chroma that lies elsewhere is moved, and 10 bits are asked for
 * by the ladder, whatever the source has. */
START_TEST(av1_says_where_chroma_lies) {
    static const int locations[][2] = {{-1, 0}, {0, 0}, {1, 0}, {2, 2}, {3, 0}};
    struct ladder ladder = ladder_of("codec: av1\nencoder: aom\nbit_depth: 10\n"
                                     "rungs: [{height: 360}]\n");
    struct source_document source = source_of(1280, 720);
    source.video.colour.chroma_location = locations[_i][0];
    struct ladder_selection s = select_rungs(&ladder, &source);
    ck_assert_int_eq(s.video[0].colour.chroma_location, locations[_i][1]);
    ck_assert_int_eq(s.video[0].bit_depth, 10);
    ck_assert_int_eq(s.video[0].chroma, CHROMA_420);
}
END_TEST

START_TEST(the_cap_raises_the_level) {
    struct source_document source = source_of(1280, 720);
    struct ladder ladder = ladder_of("maxrate: 17M\nbufsize_s: 1\nrungs: [{height: 720}]\n");
    ck_assert_int_eq(select_rungs(&ladder, &source).video[0].level, 31); /* 14M x 1.25 */
    ladder = ladder_of("maxrate: 18M\nbufsize_s: 1\nrungs: [{height: 720}]\n");
    ck_assert_int_eq(select_rungs(&ladder, &source).video[0].level, 32);
    ladder = ladder_of("maxrate: 17M\nbufsize_s: 2\nrungs: [{height: 720}]\n");
    ck_assert_int_eq(select_rungs(&ladder, &source).video[0].level, 41); /* the buffer */
    ladder = ladder_of("maxrate: 17M\nbufsize_s: 1\nprofile: main\nrungs: [{height: 720}]\n");
    ck_assert_int_eq(select_rungs(&ladder, &source).video[0].level, 32);
}
END_TEST

START_TEST(what_no_level_holds_is_dropped) {
    struct ladder ladder = ladder_of("rungs:\n  - {height: source}\n  - {height: 1080}\n");
    struct source_document source = source_of(12000, 9000);
    struct ladder_selection s = select_rungs(&ladder, &source);
    ck_assert_int_eq(s.video_count, 1);
    ck_assert_ptr_nonnull(strstr(s.dropped[0].reason, "12000x9000"));
    ladder = ladder_of("rungs: [{height: source}]\n");
    struct ladder_selection none;
    struct err err = {0};
    ck_assert_int_eq(ladder_select(&none, &ladder, &source, &err), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "12000x9000"));
}
END_TEST

START_TEST(lossless_keeps_the_pixel_format) {
    struct ladder ladder = builtin("lossless");
    struct source_document source = source_of(719, 575);
    source.video.chroma = CHROMA_444;
    source.video.bit_depth = 10;
    source.video.scan = SCAN_TOP_FIRST;
    struct ladder_selection s = select_rungs(&ladder, &source);
    ck_assert(s.video[0].width == 719 && s.video[0].height == 575);
    ck_assert(s.video[0].chroma == CHROMA_444 && s.video[0].bit_depth == 10);
    ck_assert(s.video[0].lossless && s.video[0].deinterlace == DEINTERLACE_NONE);
    ck_assert_str_eq(s.video[0].profile, "high444");
    source.video.bit_depth = 12;
    struct err err = {0};
    ck_assert_int_eq(ladder_select(&s, &ladder, &source, &err), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "12 bits"));
}
END_TEST

START_TEST(other_rungs_are_8_bit_420) {
    struct ladder ladder = builtin("h264");
    struct source_document source = source_of(1280, 720);
    source.video.chroma = CHROMA_444;
    source.video.bit_depth = 12;
    source.video.colour.matrix = 0; /* RGB */
    source.video.colour.full_range = true;
    source.video.colour.has_light_level = true;
    source.video.colour.max_content_light = 1000;
    struct video_spec spec = select_rungs(&ladder, &source).video[0];
    ck_assert(spec.chroma == CHROMA_420 && spec.bit_depth == 8);
    ck_assert_int_eq(spec.colour.matrix, 1);
    ck_assert_int_eq(spec.colour.chroma_location, 0);
    ck_assert(spec.colour.full_range); /* kept and signalled */
    ck_assert(!spec.colour.has_light_level && spec.colour.max_content_light == 0);
}
END_TEST

START_TEST(deinterlacing_is_for_interlaced_sources) {
    struct ladder ladder = builtin("h264");
    struct source_document source = source_of(720, 576);
    ck_assert_int_eq(select_rungs(&ladder, &source).video[0].deinterlace, DEINTERLACE_NONE);
    source.video.scan = SCAN_BOTTOM_FIRST;
    ck_assert_int_eq(select_rungs(&ladder, &source).video[0].deinterlace, DEINTERLACE_FRAME);
}
END_TEST

START_TEST(hdr_is_refused_with_a_sentence) {
    static const int transfers[] = {16, 18};
    struct ladder ladder = builtin(_i == 0 ? "h264" : "lossless");
    struct source_document source = source_of(1920, 1080);
    source.video.colour.transfer = transfers[_i];
    struct ladder_selection s;
    struct err err = {0};
    ck_assert_int_eq(ladder_select(&s, &ladder, &source, &err), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, _i == 0 ? "PQ" : "HLG"));
}
END_TEST

START_TEST(tiny_pictures_are_refused) {
    struct ladder ladder = builtin("h264");
    struct source_document source = source_of(_i == 0 ? 15 : 640, _i == 0 ? 640 : 15);
    struct ladder_selection s;
    struct err err = {0};
    ck_assert_int_eq(ladder_select(&s, &ladder, &source, &err), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "too small"));
}
END_TEST

/* ---- sound ------------------------------------------------------------------------ */

static const struct {
    int rate, channels;
    const char *language;
    int want_rate, want_channels;
    int64_t want_bitrate;
    const char *want_name;
} sounds[] = {
    {48000, 2, "und", 48000, 2, 128000, "audio-und-aac-2"},
    {44100, 2, "de", 44100, 2, 128000, "audio-de-aac-2"},
    {22050, 1, "", 48000, 1, 64000, "audio-und-aac-1"},
    {96000, 6, "en-GB", 48000, 2, 128000, "audio-en-GB-aac-2"},
};

START_TEST(sound_fits_the_first_track) {
    struct ladder ladder = builtin("h264");
    struct source_document source = source_of(640, 360);
    struct audio_facts tracks[2] = {
        {.sample_rate = sounds[_i].rate, .channels = sounds[_i].channels},
        {.sample_rate = 32000, .channels = 1},
    };
    snprintf(tracks[0].language, sizeof(tracks[0].language), "%s", sounds[_i].language);
    source.audio = tracks;
    source.audio_count = 2;
    struct ladder_selection s = select_rungs(&ladder, &source);
    ck_assert_int_eq(s.audio_count, 1);
    ck_assert_int_eq(s.audio[0].sample_rate, sounds[_i].want_rate);
    ck_assert_int_eq(s.audio[0].channels, sounds[_i].want_channels);
    ck_assert_int_eq(s.audio[0].bitrate_bps, sounds[_i].want_bitrate);
    ck_assert_str_eq(s.audio_names[0], sounds[_i].want_name);
    ck_assert_int_eq(s.audio[0].codec, CODEC_AAC);
}
END_TEST

START_TEST(mono_is_not_made_twice) {
    struct ladder ladder =
        ladder_of("rungs: [{height: 360}]\n"
                  "audio:\n  - {channels: 2}\n  - {channels: 1, bitrate: 48k}\n");
    struct source_document source = source_of(640, 360);
    struct audio_facts track = {.sample_rate = 48000, .channels = 1};
    source.audio = &track;
    source.audio_count = 1;
    struct ladder_selection s = select_rungs(&ladder, &source);
    ck_assert_int_eq(s.audio_count, 1);
    ck_assert_int_eq(s.dropped_count, 1);
    track.channels = 2;
    s = select_rungs(&ladder, &source);
    ck_assert_int_eq(s.audio_count, 2);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *select_suite(void) {
    Suite *suite = suite_create("select");
    TCase *tc = tcase_create("pictures");
    tcase_add_loop_test(tc, sizes_fit_the_source, 0, COUNT(cases));
    tcase_add_test(tc, any_size_is_sound);
    tcase_add_test(tc, names_are_codec_and_lines);
    tcase_add_test(tc, settings_come_from_the_rung);
    tcase_add_test(tc, a_rung_does_not_depend_on_the_others);
    tcase_add_test(tc, near_equals_are_dropped);
    tcase_add_loop_test(tc, levels_are_the_lowest, 0, COUNT(levels));
    tcase_add_loop_test(tc, levels_of_av1_are_the_lowest, 0,
                        sizeof(av1_levels) / sizeof(av1_levels[0]));
    tcase_add_loop_test(tc, av1_says_where_chroma_lies, 0, 5);
    tcase_add_test(tc, the_cap_raises_the_level);
    tcase_add_test(tc, what_no_level_holds_is_dropped);
    tcase_add_test(tc, lossless_keeps_the_pixel_format);
    tcase_add_test(tc, other_rungs_are_8_bit_420);
    tcase_add_test(tc, deinterlacing_is_for_interlaced_sources);
    tcase_add_loop_test(tc, hdr_is_refused_with_a_sentence, 0, 2);
    tcase_add_loop_test(tc, tiny_pictures_are_refused, 0, 2);
    suite_add_tcase(suite, tc);
    tc = tcase_create("sound");
    tcase_add_loop_test(tc, sound_fits_the_first_track, 0, COUNT(sounds));
    tcase_add_test(tc, mono_is_not_made_twice);
    suite_add_tcase(suite, tc);
    return suite;
}
