/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Manifests are pure functions of the model, so their tests are golden texts; and
 * the gate refuses every report that does not join to one gapless title.
 * REELFARM_GOLDEN_WRITE=1 writes the golden texts anew, for a person to read.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grid.h"
#include "packager/packager.h"

Suite *manifest_suite(void);

/* The rungs of H.264 come first: a title has RUNGS of them alone, or all. */
enum { FRAMES = 250, RUNGS = 2, ALL_RUNGS = 4, PRIMING = 1024, RATE = 48000 };

/* A 1280x720 High@3.1 configuration record. */
static const uint8_t avc_record[] = {
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x00, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0x00,
};
/* SVT-AV1, 1280x720 Main@3.1 of BT.709 in 8 bits; libaom, 256x144 Main@2.0 in 10 bits that
 * tells where its chroma samples lie. */
static const uint8_t av1_record[] = {0x81, 0x05, 0x0c, 0x00, 0x0a, 0x0e, 0x00, 0x00, 0x00, 0x2d,
                                     0x4c, 0xff, 0xb3, 0xc0, 0x2f, 0x81, 0x01, 0x01, 0x01, 0x04};
static const uint8_t av1_record_deep[] = {0x81, 0x00, 0x4d, 0x00, 0x0a, 0x0e, 0x00,
                                          0x00, 0x00, 0x03, 0xbf, 0xfc, 0x79, 0xb5,
                                          0xf2, 0xa0, 0x20, 0x20, 0x24, 0x80};
static const uint8_t aac_record[] = {0x11, 0x90};

static const struct {
    enum codec_id codec;
    const char *encoder, *preset, *profile;
    const char *id, *folder;
    int width, height;
    int bit_depth, level, chroma_location;
    const uint8_t *record;
    size_t record_size;
    int reorder_frames;
    int bytes_per_frame;
} rungs[ALL_RUNGS] = {
    {CODEC_H264, "x264", "medium", "high", "h264-720p", "video/h264-720p-0123456789", 1280, 720, 8,
     31, -1, avc_record, sizeof(avc_record), 2, 12000},
    {CODEC_H264, "x264", "medium", "high", "h264-360p", "video/h264-360p-abcdef0123", 640, 360, 8,
     31, -1, avc_record, sizeof(avc_record), 2, 3000},
    {CODEC_AV1, "svt", "8", "", "av1-720p", "video/av1-720p-9876543210", 1280, 720, 8, 31, -1,
     av1_record, sizeof(av1_record), 0, 6000},
    {CODEC_AV1, "aom", "6", "", "av1-144p", "video/av1-144p-fedcba9876", 256, 144, 10, 20, 0,
     av1_record_deep, sizeof(av1_record_deep), 0, 500},
};

static struct title_plan plan;
static struct rendition_report reports[ALL_RUNGS + 1 + IMAGE_KIND_COUNT];

static void fill_rendition(size_t index) {
    struct rendition_plan *rendition = &plan.renditions[index];
    snprintf(rendition->id, sizeof(rendition->id), "%s", rungs[index].id);
    snprintf(rendition->folder, sizeof(rendition->folder), "%s", rungs[index].folder);
    memset(rendition->key, 'a' + (int)index, sizeof(rendition->key) - 1);
    rendition->build_line = "encoder=x264 layout=1";
    rendition->is_video = true;
    rendition->video = (struct video_spec){
        .codec = rungs[index].codec,
        .width = rungs[index].width,
        .height = rungs[index].height,
        .chroma = CHROMA_420,
        .bit_depth = rungs[index].bit_depth,
        .colour = {.primaries = 1,
                   .transfer = 1,
                   .matrix = 1,
                   .chroma_location = rungs[index].chroma_location},
        .rate = plan.source.timeline.rate,
        .crf_hundredths = 2300,
        .level = rungs[index].level,
        .gop_frames = 48,
        .threads = 1,
    };
    struct video_spec *video = &rendition->video;
    snprintf(video->encoder, sizeof(video->encoder), "%s", rungs[index].encoder);
    snprintf(video->preset, sizeof(video->preset), "%s", rungs[index].preset);
    snprintf(video->profile, sizeof(video->profile), "%s", rungs[index].profile);
}

static void fill_video_report(size_t index) {
    struct unit_report *report = &reports[index].joined;
    int bytes_per_frame = rungs[index].bytes_per_frame;
    memcpy(report->record, rungs[index].record, rungs[index].record_size);
    report->record_size = rungs[index].record_size;
    report->reorder_frames = rungs[index].reorder_frames;
    report->init_bytes = 800;
    report->segment_count = plan.grid->segment_count;
    report->segments = arena_zero(&plan.arena, report->segment_count, sizeof(*report->segments));
    for (size_t s = 0; s < report->segment_count; s++) {
        struct segment_report *segment = &report->segments[s];
        int64_t first = grid_segment_frame(plan.grid, s);
        segment->number = (int64_t)s + 1;
        segment->samples = grid_segment_frame(plan.grid, s + 1) - first;
        segment->decode_time = first * plan.grid->rate.den;
        segment->duration = segment->samples * plan.grid->rate.den;
        size_t head = plan.grid->segments[s];
        segment->fragment_count = plan.grid->segments[s + 1] - head;
        segment->fragments =
            arena_zero(&plan.arena, segment->fragment_count, sizeof(*segment->fragments));
        segment->bytes = 24;
        for (size_t g = 0; g < segment->fragment_count; g++) {
            int64_t frames = plan.grid->gops[head + g + 1] - plan.grid->gops[head + g];
            segment->fragments[g] = (struct fragment_report){
                .offset = (uint32_t)segment->bytes,
                .size = (uint32_t)(frames * bytes_per_frame * (s == 1 ? 2 : 1)),
                .idr_size = (uint32_t)(8 * bytes_per_frame),
            };
            segment->bytes += segment->fragments[g].size;
        }
    }
}

static void fill_audio_report(struct unit_report *report) {
    memcpy(report->record, aac_record, sizeof(aac_record));
    report->record_size = sizeof(aac_record);
    report->priming = PRIMING;
    report->has_loudness = true;
    report->loudness = (struct loudness){-23.04, 7.5, -1};
    report->init_bytes = 700;
    snprintf(report->init_sha256, WIRE_HASH_TEXT, "%064x", 0);
    report->segment_count = plan.grid->segment_count;
    report->segments = arena_zero(&plan.arena, report->segment_count, sizeof(*report->segments));
    int64_t next = 0;
    for (size_t s = 0; s < report->segment_count; s++) {
        struct timeline until = plan.source.timeline;
        until.frames = grid_segment_frame(plan.grid, s + 1);
        int64_t end = title_audio_samples(&until, RATE) + PRIMING;
        int64_t packets = (end - next + 1023) / 1024;
        report->segments[s] = (struct segment_report){
            .number = (int64_t)s + 1,
            .bytes = packets * 340,
            .samples = packets,
            .decode_time = next,
            .duration = packets * 1024,
        };
        snprintf(report->segments[s].sha256, WIRE_HASH_TEXT, "%064zx", s + 1);
        next += packets * 1024;
    }
}

static void fill_title(size_t rung_count) {
    memset(&plan, 0, sizeof(plan));
    memset(reports, 0, sizeof(reports));
    plan.title = "a-title";
    plan.ladder = "h264";
    plan.identity = "sha256:00ff";
    plan.source.container = "mov,mp4";
    plan.source.size = 123456;
    plan.source.timeline = (struct timeline){{24000, 1001}, FRAMES, {0, 1}};
    plan.source.has_video = true;
    struct grid_options options = grid_options_default();
    options.frames = FRAMES;
    options.rate = plan.source.timeline.rate;
    struct err err = {0};
    ck_assert_msg(grid_create(&plan.grid, &options, &err) == 0, "%s", err.message);
    plan.rendition_count = rung_count + 1;
    plan.renditions = arena_zero(&plan.arena, plan.rendition_count, sizeof(*plan.renditions));
    for (size_t i = 0; i < rung_count; i++) {
        fill_rendition(i);
        fill_video_report(i);
    }
    struct rendition_plan *audio = &plan.renditions[rung_count];
    *audio = (struct rendition_plan){
        .id = "audio-und-aac-2",
        .folder = "audio/und-aac-2-1122334455",
        .build_line = "encoder=x264 layout=1",
        .audio = {CODEC_AAC, .encoder = "aac", .sample_rate = RATE, .channels = 2,
                  .bitrate_bps = 128000, .language = "und"},
    };
    memset(audio->key, 'a' + (int)rung_count, sizeof(audio->key) - 1);
    fill_audio_report(&reports[rung_count].joined);
}

static void fill_images(struct rendition_plan *rendition, struct unit_report *report,
                        enum image_kind kind) {
    static const struct image_spec specs[] = {
        [IMAGE_POSTER] = {IMAGE_POSTER, 1280, 720, DEINTERLACE_FRAME, FRAMES, 3, 1, 1},
        [IMAGE_STORYBOARD] = {IMAGE_STORYBOARD, 320, 180, DEINTERLACE_FRAME, 48, 6, 2, 2},
    };
    *rendition = (struct rendition_plan){
        .is_image = true, .image = specs[kind], .build_line = "encoder=images media=1 layout=1"};
    const char *name = kind == IMAGE_POSTER ? "poster" : "storyboard";
    snprintf(rendition->id, sizeof(rendition->id), "%s", name);
    snprintf(rendition->folder, sizeof(rendition->folder), "images/%s-aabbccddee", name);
    memset(rendition->key, 'e', sizeof(rendition->key) - 1);
    report->init_bytes = 9000;
    snprintf(report->init_sha256, WIRE_HASH_TEXT, "%064x", 7);
    report->segment_count = (size_t)image_sheets(&specs[kind]);
    report->segments = arena_zero(&plan.arena, report->segment_count, sizeof(*report->segments));
    for (size_t s = 0; s < report->segment_count; s++) {
        report->segments[s] = (struct segment_report){
            .number = (int64_t)s + 1, .bytes = 20000 - (int64_t)s, .samples = 1};
        snprintf(report->segments[s].sha256, WIRE_HASH_TEXT, "%064zx", s + 8);
    }
}

static void setup(void) {
    fill_title(RUNGS);
}

/* In the plan images come last; here first, to see that places are not mixed up. */
static void setup_images(void) {
    fill_title(RUNGS);
    struct rendition_plan *all =
        arena_zero(&plan.arena, plan.rendition_count + IMAGE_KIND_COUNT, sizeof(*plan.renditions));
    memcpy(all + IMAGE_KIND_COUNT, plan.renditions, plan.rendition_count * sizeof(*all));
    memmove(reports + IMAGE_KIND_COUNT, reports, plan.rendition_count * sizeof(*reports));
    memset(reports, 0, IMAGE_KIND_COUNT * sizeof(*reports));
    plan.renditions = all;
    plan.rendition_count += IMAGE_KIND_COUNT;
    for (int kind = 0; kind < IMAGE_KIND_COUNT; kind++) {
        fill_images(&all[kind], &reports[kind].joined, (enum image_kind)kind);
    }
}

static void setup_all(void) {
    fill_title(ALL_RUNGS);
}

static void teardown(void) {
    title_plan_finish(&plan);
}

/* ---- Golden texts ------------------------------------------------------------- */

static void compare_golden(struct buf *text, const char *name) {
    char path[512];
    snprintf(path, sizeof(path), "%s/tests/golden/%s", REELFARM_SOURCE_DIR, name);
    if (getenv("REELFARM_GOLDEN_WRITE") != NULL) {
        FILE *file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(text->data, 1, text->size, file), text->size);
        fclose(file);
    }
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "no golden text %s", path);
    static char want[1 << 16];
    size_t size = fread(want, 1, sizeof(want) - 1, file);
    want[size] = '\0';
    fclose(file);
    ck_assert_str_eq(buf_text(text), want);
    buf_finish(text);
}

START_TEST(test_golden) {
    struct presentation p;
    struct err err = {0};
    ck_assert_msg(presentation_build(&p, &plan, reports, &err) == 0, "%s", err.message);
    presentation_name_version(&p, &plan, reports);
    ck_assert_uint_eq(strlen(p.version), 16);
    struct buf text = {0};
    hls_multivariant_write(&p, &text);
    compare_golden(&text, "master.m3u8");
    dash_write(&p, &text);
    compare_golden(&text, "manifest.mpd");
    const struct presented_track *tracks = p.periods[0].tracks;
    ck_assert_str_eq(tracks[0].id, "h264-360p");
    hls_media_write(&p, &tracks[1], &text);
    compare_golden(&text, "h264-720p.m3u8");
    hls_iframes_write(&p, &tracks[1], &text);
    compare_golden(&text, "h264-720p-iframes.m3u8");
    hls_media_write(&p, &tracks[2], &text);
    compare_golden(&text, "audio.m3u8");
    title_document_write(&p, &plan, reports, &text);
    compare_golden(&text, "title.json");
    presentation_finish(&p);
}
END_TEST

/* Images change nothing of what is played. */
START_TEST(test_golden_images) {
    struct presentation p;
    struct err err = {0};
    ck_assert_msg(presentation_build(&p, &plan, reports, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(p.periods[0].track_count, RUNGS + 1);
    presentation_name_version(&p, &plan, reports);
    struct buf text = {0};
    hls_media_write(&p, &p.periods[0].tracks[2], &text);
    compare_golden(&text, "audio.m3u8");
    dash_write(&p, &text);
    compare_golden(&text, "images-manifest.mpd");
    title_document_write(&p, &plan, reports, &text);
    compare_golden(&text, "images-title.json");
    presentation_finish(&p);
    reports[IMAGE_STORYBOARD].joined.segment_count--;
    ck_assert_int_eq(presentation_build(&p, &plan, reports, &err), ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "storyboard"));
}
END_TEST

/* Both codecs: the variants of each, their sets joined for switching. */
START_TEST(test_golden_av1) {
    struct presentation p;
    struct err err = {0};
    ck_assert_msg(presentation_build(&p, &plan, reports, &err) == 0, "%s", err.message);
    presentation_name_version(&p, &plan, reports);
    struct buf text = {0};
    hls_multivariant_write(&p, &text);
    compare_golden(&text, "both-master.m3u8");
    dash_write(&p, &text);
    compare_golden(&text, "both-manifest.mpd");
    const struct presented_track *track = &p.periods[0].tracks[3];
    ck_assert_str_eq(track->id, "av1-720p");
    hls_media_write(&p, track, &text);
    compare_golden(&text, "av1-720p.m3u8");
    hls_iframes_write(&p, track, &text);
    compare_golden(&text, "av1-720p-iframes.m3u8");
    presentation_finish(&p);
}
END_TEST

/* The head of a title with both codecs: H.264 and AAC alone, rates by their caps, and the
 * target of the whole. */
START_TEST(test_golden_early) {
    struct presentation p;
    struct err err = {0};
    struct buf text = {0};
    size_t chunks = _i == 0 ? 1 : plan.grid->chunk_count;
    for (size_t i = 0; i < ALL_RUNGS; i++) {
        plan.renditions[i].video.maxrate_bps = i == 0 ? 4000000 : 1200000;
        plan.renditions[i].video.bufsize_bits = 2 * plan.renditions[i].video.maxrate_bps;
        reports[i].joined.segment_count = i < RUNGS ? plan.grid->chunks[chunks] : 0;
    }
    ck_assert_msg(early_build(&p, &plan, reports, chunks, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(p.periods[0].track_count, RUNGS + 1);
    early_multivariant_write(&p, "early/17", &text);
    compare_golden(&text, "early.m3u8");
    early_media_write(&p, &p.periods[0].tracks[1], _i == 1, &text);
    compare_golden(&text, _i == 0 ? "early-h264-720p.m3u8" : "early-h264-720p-end.m3u8");
    early_media_write(&p, &p.periods[0].tracks[2], _i == 1, &text);
    compare_golden(&text, _i == 0 ? "early-audio.m3u8" : "early-audio-end.m3u8");
    presentation_finish(&p);
}
END_TEST

/* A rung without a cap has a rate all the same; what is not there is refused. */
START_TEST(test_early_gate) {
    struct presentation p = {0};
    struct err err = {0};
    for (size_t i = 0; i < RUNGS; i++) {
        reports[i].joined.segment_count = plan.grid->chunks[1];
    }
    ck_assert_int_eq(early_build(&p, &plan, reports, 1, &err), 0);
    ck_assert_int_gt(p.periods[0].tracks[0].peak_bps, 0);
    presentation_finish(&p);
    ck_assert_int_eq(early_build(&p, &plan, reports, 2, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "h264-720p of a-title") != NULL, "%s", err.message);
    ck_assert_ptr_null(p.periods);
}
END_TEST

START_TEST(test_version_follows_bytes) {
    struct presentation p;
    ck_assert_int_eq(presentation_build(&p, &plan, reports, NULL), 0);
    presentation_name_version(&p, &plan, reports);
    char first[17];
    memcpy(first, p.version, sizeof(first));
    presentation_name_version(&p, &plan, reports);
    ck_assert_str_eq(first, p.version);
    presentation_finish(&p);
    reports[0].joined.segments[0].fragments[0].idr_size += 1;
    ck_assert_int_eq(presentation_build(&p, &plan, reports, NULL), 0);
    presentation_name_version(&p, &plan, reports);
    ck_assert_str_ne(first, p.version);
    presentation_finish(&p);
}
END_TEST

/* The declared rates hold over the bytes: segment 2 is twice the others. */
START_TEST(test_measured) {
    struct presentation p;
    ck_assert_int_eq(presentation_build(&p, &plan, reports, NULL), 0);
    const struct presented_track *track = &p.periods[0].tracks[1];
    ck_assert_str_eq(track->id, "h264-720p");
    const struct presented_segment *loud = &track->segments[1];
    int64_t own = 8 * loud->bytes * track->timescale / loud->duration;
    ck_assert_int_ge(track->peak_bps, own);
    ck_assert_int_le(track->peak_bps, own + 1);
    ck_assert_int_lt(track->average_bps, track->peak_bps);
    ck_assert_int_eq(p.target_duration_s, 4);
    ck_assert_int_gt(p.min_buffer_ms, 0);
    presentation_finish(&p);
}
END_TEST

/* ---- The gate ------------------------------------------------------------------- */

static void wrong_number(void) {
    reports[0].joined.segments[1].number = 3;
}
static void segment_missing(void) {
    reports[1].joined.segment_count--;
}
static void gap(void) {
    reports[0].joined.segments[1].decode_time += 1001;
}
static void frame_short(void) {
    reports[0].joined.segments[1].samples--;
    reports[0].joined.segments[1].duration -= 1001;
}
static void gop_missing(void) {
    reports[0].joined.segments[0].fragment_count = 1;
}
static void fragment_overlap(void) {
    reports[0].joined.segments[0].fragments[1].offset -= 4;
}
static void idr_past_fragment(void) {
    reports[0].joined.segments[0].fragments[0].idr_size =
        reports[0].joined.segments[0].fragments[0].size + 1;
}
static void audio_gap(void) {
    reports[RUNGS].joined.segments[1].decode_time += 1024;
}
static void audio_short(void) {
    struct unit_report *report = &reports[RUNGS].joined;
    report->segments[report->segment_count - 1].samples -= 2;
    report->segments[report->segment_count - 1].duration -= 2048;
}
static void audio_long(void) {
    struct unit_report *report = &reports[RUNGS].joined;
    report->segments[report->segment_count - 1].samples += 2;
    report->segments[report->segment_count - 1].duration += 2048;
}
static void no_init(void) {
    reports[0].joined.record_size = 0;
}
static void no_folder(void) {
    plan.renditions[1].folder[0] = '\0';
}

static const struct {
    void (*damage)(void);
    const char *names; /* what the sentence must name */
} damages[] = {
    {wrong_number, "segment 3"},
    {segment_missing, "segments"},
    {gap, "segment 2"},
    {frame_short, "segment 2"},
    {gop_missing, "GOPs"},
    {fragment_overlap, "fragment 1"},
    {idr_past_fragment, "fragment"},
    {audio_gap, "segment 2"},
    {audio_short, "boundary"},
    {audio_long, "boundary"},
    {no_init, "init"},
    {no_folder, "init"},
};

START_TEST(test_gate) {
    damages[_i].damage();
    struct presentation p = {0};
    struct err err = {0};
    ck_assert_int_eq(presentation_build(&p, &plan, reports, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, damages[_i].names) != NULL, "%s", err.message);
    ck_assert_msg(strstr(err.message, "a-title") != NULL, "%s", err.message);
    ck_assert_ptr_null(p.periods);
}
END_TEST

Suite *manifest_suite(void) {
    Suite *suite = suite_create("manifest");
    TCase *texts = tcase_create("texts");
    tcase_add_checked_fixture(texts, setup, teardown);
    tcase_add_test(texts, test_golden);
    tcase_add_test(texts, test_version_follows_bytes);
    tcase_add_test(texts, test_measured);
    suite_add_tcase(suite, texts);
    TCase *pictured = tcase_create("images");
    tcase_add_checked_fixture(pictured, setup_images, teardown);
    tcase_add_test(pictured, test_golden_images);
    suite_add_tcase(suite, pictured);
    TCase *both = tcase_create("both codecs");
    tcase_add_checked_fixture(both, setup_all, teardown);
    tcase_add_test(both, test_golden_av1);
    tcase_add_loop_test(both, test_golden_early, 0, 2);
    tcase_add_test(both, test_early_gate);
    suite_add_tcase(suite, both);
    TCase *gate = tcase_create("gate");
    tcase_add_checked_fixture(gate, setup, teardown);
    tcase_add_loop_test(gate, test_gate, 0, sizeof(damages) / sizeof(damages[0]));
    suite_add_tcase(suite, gate);
    return suite;
}
