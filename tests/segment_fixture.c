/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "segment_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/grid.h"

/* x264, 320x180 High@3.0 BT.709 with two frames of reordering. */
static const uint8_t avc_record[] = {
    0x01, 0x64, 0x00, 0x1e, 0xff, 0xe1, 0x00, 0x1b, 0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x41, 0x41,
    0x9f, 0x9f, 0x01, 0x6a, 0x02, 0x02, 0x02, 0x80, 0x00, 0x01, 0xf4, 0x80, 0x00, 0x5d, 0xc0, 0x07,
    0x8b, 0x16, 0xcb, 0x01, 0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
};
/* SVT-AV1, 320x180 Main@2.0 BT.709: four bytes, then the sequence header OBU. */
static const uint8_t av1_record[] = {0x81, 0x00, 0x0c, 0x00, 0x0a, 0x0e, 0x00, 0x00, 0x00, 0x04,
                                     0x3c, 0xfe, 0xcc, 0x02, 0xf8, 0x10, 0x10, 0x10, 0x10, 0x40};
static const uint8_t aac_record[] = {0x11, 0x90};

struct video_spec video;
struct audio_spec audio;
struct track_config video_track;
struct track_config audio_track;
struct grid *grid;
struct chunk_grid chunk;

void make_grid(struct rational rate, int64_t frames, int gop_ms, int segment_gops) {
    struct grid_options options = grid_options_default();
    options.frames = frames;
    options.rate = rate;
    options.gop_ms = gop_ms;
    options.segment_gops = segment_gops;
    struct err err = {0};
    grid_destroy(grid);
    chunk_grid_finish(&chunk);
    ck_assert_msg(grid_create(&grid, &options, &err) == 0, "%s", err.message);
    grid->chunk_count = 1;
    grid->chunks[1] = grid->segment_count;
    grid_chunk(grid, 0, 0, &chunk);
    video.rate = rate;
    struct timeline timeline = {.rate = rate, .frames = frames};
    audio_track.duration = title_audio_samples(&timeline, audio.sample_rate);
}

void segment_setup(void) {
    video = (struct video_spec){
        .codec = CODEC_H264,
        .encoder = "x264",
        .width = 320,
        .height = 180,
        .chroma = CHROMA_420,
        .bit_depth = 8,
        .colour = {.primaries = 1, .transfer = 1, .matrix = 1, .chroma_location = -1},
        .profile = "high",
        .level = 30,
    };
    audio = (struct audio_spec){CODEC_AAC,     .encoder = "aac",      .sample_rate = 48000,
                                .channels = 2, .bitrate_bps = 128000, .language = "und"};
    video_track = (struct track_config){
        .video = &video, .record_size = sizeof(avc_record), .reorder_frames = 2};
    memcpy(video_track.record, avc_record, sizeof(avc_record));
    audio_track = (struct track_config){
        .audio = &audio, .record_size = sizeof(aac_record), .priming = PRIMING};
    memcpy(audio_track.record, aac_record, sizeof(aac_record));
    make_grid((struct rational){24000, 1001}, 33, 250, 2); /* GOPs 6 6 6 6 6 3: segments of two */
}

void be_av1(void) {
    video.codec = CODEC_AV1;
    snprintf(video.encoder, sizeof(video.encoder), "svt");
    video.profile[0] = '\0';
    video.level = 20;
    video_track.record_size = sizeof(av1_record);
    video_track.reorder_frames = 0;
    memcpy(video_track.record, av1_record, sizeof(av1_record));
}

/* ---- Made-up samples ------------------------------------------------------------- */

struct take takes[SEGMENTS_MAX];
size_t take_count;

void segment_teardown(void) {
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        buf_finish(&takes[i].bytes);
    }
    take_count = 0;
    grid_destroy(grid);
    grid = NULL;
    chunk_grid_finish(&chunk);
}

int take_segment(void *context, const struct segment_report *report, const uint8_t *data,
                 size_t size, struct err *err) {
    (void)err;
    ck_assert_ptr_eq(context, takes);
    ck_assert_uint_lt(take_count, SEGMENTS_MAX);
    ck_assert_uint_le(report->fragment_count, GOPS_MAX);
    ck_assert_int_eq(report->bytes, (int64_t)size);
    struct take *take = &takes[take_count++];
    take->report = *report;
    for (size_t i = 0; i < report->fragment_count; i++) {
        take->fragments[i] = report->fragments[i];
    }
    take->report.fragments = take->fragments;
    buf_clear(&take->bytes);
    buf_append(&take->bytes, data, size);
    return 0;
}

/* Sample `i` of a GOP in decode order: with B-frames 0 4 2 1 3 8 6 5 7, else 0 1 2. */
static int64_t decode_order(int64_t i, int64_t frames, bool reordered) {
    static const int64_t step[] = {3, 0, -2, -1};
    int64_t group = (i - 1) / 4 * 4 + 1;
    if (!reordered || i == 0 || group + 3 >= frames) {
        return i;
    }
    return i + step[(i - 1) % 4];
}

struct sample picture(uint8_t *data, size_t size, int64_t frame, bool key, bool disposable) {
    memset(data, (int)frame, size);
    data[0] = 0;
    data[1] = 0;
    data[2] = (uint8_t)((size - 4) >> 8);
    data[3] = (uint8_t)(size - 4);
    data[4] = key ? 0x65 : disposable ? 0x01 : 0x41;
    return (struct sample){
        .data = data, .size = size, .frame = frame, .key = key, .disposable = disposable};
}

/* The same of AV1: the sequence header where it is a key picture, and a frame OBU whose
 * first byte says what it is, shown (AV1 5.9.2). */
static struct sample picture_av1(uint8_t data[64], size_t size, int64_t frame, bool key) {
    size_t at = 0;
    if (key) {
        at = sizeof(av1_record) - 4;
        memcpy(data, av1_record + 4, at);
    }
    memset(data + at, (int)frame, size);
    data[at] = 0x32; /* a frame, with its size */
    data[at + 1] = (uint8_t)(size - 2);
    data[at + 2] = key ? 0x10 : 0x30;
    return (struct sample){.data = data, .size = at + size, .frame = frame, .key = key};
}

struct sample chunk_sample(uint8_t data[64], int64_t i) {
    size_t gop = 0;
    while (chunk.gops[gop + 1] <= chunk.first + i) {
        gop++;
    }
    int64_t at = chunk.first + i - chunk.gops[gop];
    int64_t frames = chunk.gops[gop + 1] - chunk.gops[gop];
    int64_t shown = decode_order(at, frames, video_track.reorder_frames > 0);
    bool disposable = at > 0 && shown != at && shown % 2 == 1;
    if (video.codec == CODEC_AV1) {
        return picture_av1(data, 8 + (size_t)(i % 5), chunk.gops[gop] + shown, at == 0);
    }
    return picture(data, 8 + (size_t)(i % 5), chunk.gops[gop] + shown, at == 0, disposable);
}

int write_video(struct err *err) {
    struct segment_writer *writer = NULL;
    uint8_t data[64];
    take_count = 0;
    int failed =
        segment_writer_create_video(&writer, &video_track, &chunk, take_segment, takes, err);
    for (int64_t i = 0; failed == 0 && i < chunk.end - chunk.first; i++) {
        struct sample sample = chunk_sample(data, i);
        failed = segment_writer_sample(writer, &sample, err);
    }
    if (failed == 0) {
        failed = segment_writer_end(writer, err);
    }
    segment_writer_destroy(writer);
    return failed;
}

struct sample packet(uint8_t data[64], int64_t i) {
    size_t size = 5 + (size_t)(i % 3);
    memset(data, (int)i, size);
    data[0] = 0x21;
    return (struct sample){.data = data, .size = size, .duration = 1024};
}

int write_audio(int64_t packets, struct err *err) {
    struct segment_writer *writer = NULL;
    uint8_t data[64];
    take_count = 0;
    int failed = segment_writer_create_audio(&writer, &audio_track, grid, take_segment, takes, err);
    for (int64_t i = 0; failed == 0 && i < packets; i++) {
        struct sample sample = packet(data, i);
        failed = segment_writer_sample(writer, &sample, err);
    }
    if (failed == 0) {
        failed = segment_writer_end(writer, err);
    }
    segment_writer_destroy(writer);
    return failed;
}

int64_t all_packets(void) {
    return (audio_track.priming + audio_track.duration + 1023) / 1024;
}

int check_take(const struct take *take, bool is_video, struct err *err) {
    return segment_check(take->bytes.data, take->bytes.size, is_video ? &video_track : &audio_track,
                         is_video ? &chunk : NULL, &take->report, err);
}
