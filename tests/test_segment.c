/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CMAF segments from made-up samples: trees by golden text, the rules of the writer,
 * and the gate against every kind of lie. REELFARM_GOLDEN_WRITE=1 writes the golden
 * texts anew, for a person to read.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/grid.h"
#include "common/mem.h"
#include "packager/cmaf_reader.h"
#include "packager/packager.h"

Suite *segment_suite(void);

enum { PRIMING = 1024, SEGMENTS_MAX = 64, GOPS_MAX = 16 };

/* x264, 320x180 High@3.0 BT.709 with two frames of reordering, and with none. */
static const uint8_t avc_record[] = {
    0x01, 0x64, 0x00, 0x1e, 0xff, 0xe1, 0x00, 0x1b, 0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x41, 0x41,
    0x9f, 0x9f, 0x01, 0x6a, 0x02, 0x02, 0x02, 0x80, 0x00, 0x01, 0xf4, 0x80, 0x00, 0x5d, 0xc0, 0x07,
    0x8b, 0x16, 0xcb, 0x01, 0x00, 0x04, 0x68, 0xef, 0x8f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
};
static const uint8_t avc_record_straight[] = {
    0x01, 0x64, 0x00, 0x1e, 0xff, 0xe1, 0x00, 0x1b, 0x67, 0x64, 0x00, 0x1e, 0xac, 0xb4, 0x0a, 0x0c,
    0xfc, 0xf8, 0x0b, 0x50, 0x10, 0x10, 0x14, 0x00, 0x00, 0x0f, 0xa4, 0x00, 0x02, 0xee, 0x00, 0x3c,
    0x58, 0xba, 0x80, 0x01, 0x00, 0x04, 0x68, 0xef, 0x0f, 0xcb, 0xfd, 0xf8, 0xf8, 0x00,
};
/* SVT-AV1, 320x180 Main@2.0 BT.709: four bytes, then the sequence header OBU. */
static const uint8_t av1_record[] = {0x81, 0x00, 0x0c, 0x00, 0x0a, 0x0e, 0x00, 0x00, 0x00, 0x04,
                                     0x3c, 0xfe, 0xcc, 0x02, 0xf8, 0x10, 0x10, 0x10, 0x10, 0x40};
static const uint8_t aac_record[] = {0x11, 0x90};

static struct video_spec video;
static struct audio_spec audio;
static struct track_config video_track;
static struct track_config audio_track;
static struct grid *grid;
static struct chunk_grid chunk;

/* A grid of GOPs of about gop_ms, and one chunk that is the whole title. */
static void make_grid(struct rational rate, int64_t frames, int gop_ms, int segment_gops) {
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

static void setup(void) {
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

/* The pictures of setup, in AV1. */
static void be_av1(void) {
    video.codec = CODEC_AV1;
    snprintf(video.encoder, sizeof(video.encoder), "svt");
    video.profile[0] = '\0';
    video.level = 20;
    video_track.record_size = sizeof(av1_record);
    video_track.reorder_frames = 0;
    memcpy(video_track.record, av1_record, sizeof(av1_record));
}

/* ---- Made-up samples ------------------------------------------------------------- */

struct take {
    struct buf bytes;
    struct segment_report report;
    struct fragment_report fragments[GOPS_MAX];
};

static struct take takes[SEGMENTS_MAX];
static size_t take_count;

static void teardown(void) {
    for (size_t i = 0; i < SEGMENTS_MAX; i++) {
        buf_finish(&takes[i].bytes);
    }
    take_count = 0;
    grid_destroy(grid);
    grid = NULL;
    chunk_grid_finish(&chunk);
}

static int take_segment(void *context, const struct segment_report *report, const uint8_t *data,
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

/* A sample of `size` bytes in `data`: one NAL unit whose bytes tell its frame. */
static struct sample picture(uint8_t *data, size_t size, int64_t frame, bool key, bool disposable) {
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

static struct sample chunk_sample(uint8_t data[64], int64_t i) {
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

static int write_video(struct err *err) {
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

static struct sample packet(uint8_t data[64], int64_t i) {
    size_t size = 5 + (size_t)(i % 3);
    memset(data, (int)i, size);
    data[0] = 0x21;
    return (struct sample){.data = data, .size = size, .duration = 1024};
}

static int write_audio(int64_t packets, struct err *err) {
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

static int64_t all_packets(void) {
    return (audio_track.priming + audio_track.duration + 1023) / 1024;
}

static int check_take(const struct take *take, bool is_video, struct err *err) {
    return segment_check(take->bytes.data, take->bytes.size, is_video ? &video_track : &audio_track,
                         is_video ? &chunk : NULL, &take->report, err);
}

/* ---- Golden trees ---------------------------------------------------------------- */

static void dump_bytes(struct buf *text, int depth, struct bytes in) {
    for (int column = 0; bytes_left(&in) > 0; column = (column + 1) % 32) {
        if (column == 0) {
            buf_format(text, "\n%*s", 2 * depth + 2, "");
        }
        buf_format(text, "%s%02x", column > 0 && column % 4 == 0 ? " " : "", bytes_u8(&in));
    }
    buf_string(text, "\n");
}

static void dump_boxes(struct buf *text, int depth, struct bytes in) {
    static const char *const containers[] = {"moov", "trak", "edts", "mdia", "minf",
                                             "dinf", "stbl", "mvex", "moof", "traf"};
    while (bytes_left(&in) > 0) {
        struct mp4_box box;
        ck_assert_int_eq(mp4_next(&in, &box, NULL), 0);
        buf_format(text, "%*s%s %zu", 2 * depth, "", box.type, box.size);
        bool container = false;
        for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
            container |= mp4_is(&box, containers[i]);
        }
        if (container) {
            buf_string(text, "\n");
            dump_boxes(text, depth + 1, box.body);
        } else {
            dump_bytes(text, depth, box.body);
        }
    }
}

static void compare_golden(const struct buf *bytes, const char *name) {
    char path[512];
    struct buf text = {0};
    dump_boxes(&text, 0, bytes_of(bytes->data, bytes->size));
    snprintf(path, sizeof(path), "%s/tests/golden/%s", REELFARM_SOURCE_DIR, name);
    if (getenv("REELFARM_GOLDEN_WRITE") != NULL) {
        FILE *file = fopen(path, "wb");
        ck_assert_ptr_nonnull(file);
        ck_assert_uint_eq(fwrite(text.data, 1, text.size, file), text.size);
        fclose(file);
    }
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "no golden text %s", path);
    static char wanted[1 << 16];
    size_t size = fread(wanted, 1, sizeof(wanted) - 1, file);
    wanted[size] = '\0';
    fclose(file);
    ck_assert_str_eq(buf_text(&text), wanted);
    buf_finish(&text);
}

START_TEST(test_golden) {
    struct buf init = {0};
    struct err err = {0};
    ck_assert_msg(init_segment_write(&video_track, &init, &err) == 0, "%s", err.message);
    compare_golden(&init, "init-video.txt");
    buf_clear(&init);
    ck_assert_msg(init_segment_write(&audio_track, &init, &err) == 0, "%s", err.message);
    compare_golden(&init, "init-sound.txt");
    buf_finish(&init);
    ck_assert_msg(write_video(&err) == 0, "%s", err.message);
    ck_assert_uint_eq(take_count, 3);
    compare_golden(&takes[1].bytes, "segment-video.txt");
    ck_assert_msg(write_audio(all_packets(), &err) == 0, "%s", err.message);
    ck_assert_uint_eq(take_count, 3);
    compare_golden(&takes[1].bytes, "segment-sound.txt");
}
END_TEST

START_TEST(test_golden_av1) {
    struct buf init = {0};
    struct err err = {0};
    be_av1();
    ck_assert_msg(init_segment_write(&video_track, &init, &err) == 0, "%s", err.message);
    compare_golden(&init, "init-av1.txt");
    buf_finish(&init);
    ck_assert_msg(write_video(&err) == 0, "%s", err.message);
    ck_assert_uint_eq(take_count, 3);
    ck_assert_msg(check_take(&takes[1], true, &err) == 0, "%s", err.message);
    compare_golden(&takes[1].bytes, "segment-av1.txt");
}
END_TEST

/* ---- Init segments ----------------------------------------------------------------- */

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
    ck_assert_uint_eq(facts.record_size, sizeof(avc_record));
    ck_assert_mem_eq(facts.record, avc_record, sizeof(avc_record));
    ck_assert_int_eq(facts.width, 320);
    ck_assert_int_eq(facts.entry_height, 180);
    ck_assert_int_eq(facts.primaries + facts.transfer + facts.matrix, 3);
    ck_assert_uint_eq(facts.aspect_wide, facts.aspect_high);
    ck_assert_uint_eq(facts.defaults.duration, 1001);

    audio.language[0] = 'p'; /* "pnd": mdhd has room for three letters */
    buf_clear(&init);
    ck_assert_int_eq(init_segment_write(&audio_track, &init, &err), 0);
    ck_assert_msg(init_segment_read(&facts, init.data, init.size, &err) == 0, "%s", err.message);
    ck_assert(!facts.video && !facts.has_colour && facts.has_edit);
    ck_assert_str_eq(facts.language, "pnd");
    ck_assert_uint_eq(facts.timescale, 48000);
    ck_assert_int_eq(facts.edit_media_time, PRIMING);
    ck_assert_uint_eq(facts.edit_duration, (uint64_t)audio_track.duration);
    ck_assert_int_eq(facts.channels, 2);
    ck_assert_int_eq(facts.sample_rate, 48000);
    ck_assert_uint_eq(facts.record_size, 2);
    ck_assert_mem_eq(facts.record, aac_record, 2);
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
    buf_finish(&init);
}
END_TEST

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

/* ---- The writer -------------------------------------------------------------------- */

START_TEST(test_video_facts) {
    static const uint32_t flags[] = {0x02000000, 0x01010000, 0x01010000,
                                     0x01810000, 0x01810000, 0x01010000};
    static const int32_t frames[] = {0, 4, 2, 1, 3, 5};
    struct sample_defaults defaults = {.track_id = 1, .duration = 1001};
    struct err err = {0};
    ck_assert_msg(write_video(&err) == 0, "%s", err.message);
    int64_t next = 0;
    uint32_t sequence = 1;
    for (size_t i = 0; i < take_count; i++) {
        struct media_facts facts;
        const struct take *take = &takes[i];
        ck_assert_int_eq(take->report.number, (int64_t)i + 1);
        ck_assert_int_eq(take->report.decode_time, next);
        ck_assert_int_eq(
            media_segment_read(&facts, take->bytes.data, take->bytes.size, &defaults, NULL), 0);
        ck_assert(facts.has_type && brands_have(facts.brands, "cmfs"));
        ck_assert_uint_eq(facts.chunk_count, 2 * take->report.fragment_count);
        for (size_t c = 0; c < facts.chunk_count; c++) {
            const struct chunk_facts *at = &facts.chunks[c];
            ck_assert_uint_eq(at->sequence, sequence++);
            ck_assert_uint_eq(at->decode_time, (uint64_t)next);
            next += (int64_t)at->duration;
            const struct run_sample *run = &facts.samples[at->first_sample];
            for (size_t s = 0; s < at->sample_count; s++) {
                size_t in_gop = s + c % 2;
                ck_assert_uint_eq(run[s].flags, take->report.samples == 9 && c > 1 && s + c > 2
                                                    ? 0x01010000
                                                    : flags[in_gop]);
                if (take->report.samples == 12) {
                    int32_t delay = frames[in_gop] - (int32_t)in_gop + 2;
                    ck_assert_int_eq(run[s].offset, delay * 1001);
                }
            }
        }
        for (size_t g = 0; g < take->report.fragment_count; g++) {
            const struct fragment_report *report = &take->fragments[g];
            ck_assert_uint_eq(report->offset, facts.chunks[2 * g].offset);
            ck_assert_uint_eq(report->idr_size, facts.chunks[2 * g].size);
            ck_assert_uint_eq(report->size,
                              facts.chunks[2 * g].size + facts.chunks[2 * g + 1].size);
        }
        ck_assert_msg(check_take(take, true, &err) == 0, "%s", err.message);
        media_facts_finish(&facts);
    }
    ck_assert_int_eq(next, 33 * 1001);
}
END_TEST

/* GOPs of one frame are one moof with the odd number alone. */
START_TEST(test_one_frame_gops) {
    struct err err = {0};
    make_grid((struct rational){25, 1}, 7, 1, 3);
    ck_assert_msg(write_video(&err) == 0, "%s", err.message);
    ck_assert_uint_eq(take_count, 3);
    for (size_t i = 0; i < take_count; i++) {
        struct media_facts facts;
        struct sample_defaults defaults = {.track_id = 1, .duration = 1};
        ck_assert_msg(check_take(&takes[i], true, &err) == 0, "%s", err.message);
        ck_assert_int_eq(
            media_segment_read(&facts, takes[i].bytes.data, takes[i].bytes.size, &defaults, NULL),
            0);
        ck_assert_uint_eq(facts.chunk_count, i == 2 ? 1 : 3);
        for (size_t c = 0; c < facts.chunk_count; c++) {
            ck_assert_uint_eq(facts.chunks[c].sequence, 2 * (3 * i + c) + 1);
            ck_assert_uint_eq(takes[i].fragments[c].idr_size, takes[i].fragments[c].size);
        }
        media_facts_finish(&facts);
    }
}
END_TEST

/* A chunk in the middle of a title writes the same segments as the whole title. */
START_TEST(test_chunks_agree) {
    static struct take whole[3];
    ck_assert_int_eq(write_video(NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        whole[i].bytes = (struct buf){0};
        buf_append(&whole[i].bytes, takes[i].bytes.data, takes[i].bytes.size);
        whole[i].report = takes[i].report;
    }
    struct chunk_grid all = chunk;
    for (size_t i = 0; i < 3; i++) {
        size_t first = i * 2;
        chunk = (struct chunk_grid){
            .first = all.gops[first],
            .end = all.gops[first + 2],
            .first_gop = (int64_t)first,
            .gop_count = 2,
            .gops = all.gops + first,
            .first_segment = (int64_t)i + 1,
            .segment_count = 1,
            .segment_gops = all.segment_gops + i,
        };
        ck_assert_int_eq(write_video(NULL), 0);
        ck_assert_uint_eq(take_count, 1);
        ck_assert_int_eq(takes[0].report.number, whole[i].report.number);
        ck_assert_int_eq(takes[0].report.decode_time, whole[i].report.decode_time);
        /* Sample sizes of the test follow the place in the chunk, so compare where equal. */
        if (i == 0) {
            ck_assert_uint_eq(takes[0].bytes.size, whole[i].bytes.size);
            ck_assert_mem_eq(takes[0].bytes.data, whole[i].bytes.data, whole[i].bytes.size);
        }
        ck_assert_int_eq(check_take(&takes[0], true, NULL), 0);
        buf_finish(&whole[i].bytes);
    }
    chunk = all;
}
END_TEST

/* One sample of a chunk changed: which, how, and a part of the sentence. */
static void no_key(struct sample *s) {
    s->key = false;
}
static void key(struct sample *s) {
    s->key = true;
}
static void next_frame(struct sample *s) {
    s->frame += 1;
}
static void first_frame(struct sample *s) {
    s->frame = 0;
}
static void next_gop(struct sample *s) {
    s->frame = 6;
}
static void far_frame(struct sample *s) {
    s->frame = INT64_MAX;
}
static void far_past(struct sample *s) {
    s->frame = INT64_MIN;
}
static void last_in_gop(struct sample *s) {
    s->frame = 5;
}
static void no_bytes(struct sample *s) {
    s->size = 0;
}
static void huge(struct sample *s) {
    s->size = (size_t)1 << 31;
}

static const struct {
    int64_t at;
    void (*change)(struct sample *);
    const char *says;
} slips[] = {
    {0, no_key, "does not begin with its only IDR"},
    {6, no_key, "does not begin with its only IDR"},
    {3, key, "does not begin with its only IDR"},
    {0, next_frame, "does not begin with its only IDR"},
    {3, first_frame, "frame 0 came twice"},
    {2, next_gop, "frame 6 is not of the GOP at frame 0"},
    {2, far_frame, "is not of the GOP"},
    {2, far_past, "is not of the GOP"},
    {8, first_frame, "frame 0 is not of the GOP at frame 6"},
    {3, last_in_gop, NULL}, /* 5 came early: then 1 is missing, and 5 comes twice */
    {2, no_bytes, "0 bytes"},
    {2, huge, "2147483648 bytes"},
};

START_TEST(test_slips) {
    struct segment_writer *writer = NULL;
    uint8_t data[64];
    struct err err = {0};
    int failed =
        segment_writer_create_video(&writer, &video_track, &chunk, take_segment, takes, &err);
    int64_t i = 0;
    for (; failed == 0 && i < chunk.end; i++) {
        struct sample sample = chunk_sample(data, i);
        if (i == slips[_i].at) {
            slips[_i].change(&sample);
        }
        failed = segment_writer_sample(writer, &sample, &err);
    }
    ck_assert_int_lt(failed, 0);
    if (slips[_i].says != NULL) {
        ck_assert_int_eq(i - 1, slips[_i].at);
        ck_assert_msg(strstr(err.message, slips[_i].says) != NULL, "%s", err.message);
    }
    segment_writer_destroy(writer);
}
END_TEST

/* A picture shown before it is decoded: D of the track is too small for it. */
START_TEST(test_negative_offset) {
    static const int64_t frames[] = {0, 5, 4, 3, 1};
    struct segment_writer *writer = NULL;
    uint8_t data[64];
    struct err err = {0};
    ck_assert_int_eq(
        segment_writer_create_video(&writer, &video_track, &chunk, take_segment, takes, &err), 0);
    for (size_t i = 0; i < 4; i++) {
        struct sample sample = picture(data, 10, frames[i], i == 0, false);
        ck_assert_int_eq(segment_writer_sample(writer, &sample, &err), 0);
    }
    struct sample sample = picture(data, 10, frames[4], false, false);
    ck_assert_int_eq(segment_writer_sample(writer, &sample, &err), ERR_INTERNAL);
    ck_assert_msg(strstr(err.message, "2 frames of reordering") != NULL, "%s", err.message);
    segment_writer_destroy(writer);
}
END_TEST

START_TEST(test_counts) {
    struct segment_writer *writer = NULL;
    uint8_t data[64];
    struct err err = {0};
    ck_assert_int_eq(
        segment_writer_create_video(&writer, &video_track, &chunk, take_segment, takes, &err), 0);
    for (int64_t i = 0; i < chunk.end - 1; i++) {
        struct sample sample = chunk_sample(data, i);
        ck_assert_int_eq(segment_writer_sample(writer, &sample, &err), 0);
    }
    ck_assert_int_eq(segment_writer_end(writer, &err), ERR_INTERNAL);
    ck_assert_msg(strstr(err.message, "after 32 packets, within segment 3 of 3") != NULL, "%s",
                  err.message);
    err_clear(&err);
    struct sample sample = chunk_sample(data, chunk.end - 1);
    ck_assert_int_eq(segment_writer_sample(writer, &sample, &err), 0);
    ck_assert_int_eq(segment_writer_end(writer, &err), 0);
    ck_assert_int_eq(segment_writer_sample(writer, &sample, &err), ERR_INTERNAL);
    ck_assert_msg(strstr(err.message, "after the last packet") != NULL, "%s", err.message);
    segment_writer_destroy(writer);
    segment_writer_destroy(NULL);

    err_clear(&err);
    ck_assert_int_eq(write_audio(all_packets() - 1, &err), ERR_INTERNAL);
    err_clear(&err);
    ck_assert_int_eq(write_audio(all_packets() + 1, &err), ERR_INTERNAL);
    ck_assert_msg(strstr(err.message, "after the title's end") != NULL, "%s", err.message);
}
END_TEST

static int refuse(void *context, const struct segment_report *report, const uint8_t *data,
                  size_t size, struct err *err) {
    (void)context, (void)report, (void)data, (void)size;
    return err_set(err, ERR_NO_SPACE, "full");
}

START_TEST(test_emit_fails) {
    struct segment_writer *writer = NULL;
    uint8_t data[64];
    struct err err = {0};
    int failed = segment_writer_create_video(&writer, &video_track, &chunk, refuse, NULL, &err);
    int64_t i = 0;
    for (; failed == 0; i++) {
        struct sample sample = chunk_sample(data, i);
        failed = segment_writer_sample(writer, &sample, &err);
    }
    ck_assert_int_eq(failed, ERR_NO_SPACE);
    ck_assert_int_eq(i, 12);
    segment_writer_destroy(writer);
}
END_TEST

START_TEST(test_bad_chunks) {
    struct segment_writer *writer = NULL;
    struct chunk_grid good = chunk;
    int64_t gops[7];
    int lengths[3];
    for (int lie = 0; lie < 7; lie++) {
        chunk = good;
        memcpy(gops, good.gops, sizeof(gops));
        memcpy(lengths, good.segment_gops, sizeof(lengths));
        chunk.gops = gops;
        chunk.segment_gops = lengths;
        chunk.first += lie == 0;
        chunk.end += lie == 1;
        gops[2] = lie == 2 ? gops[1] : gops[2];
        lengths[1] += lie == 3;
        lengths[0] = lie == 4 ? 0 : lengths[0];
        chunk.first_segment -= lie == 5;
        chunk.gop_count = lie == 6 ? 0 : chunk.gop_count;
        ck_assert_msg(segment_writer_create_video(&writer, &video_track, &chunk, take_segment,
                                                  takes, NULL) == ERR_INVALID,
                      "%d", lie);
    }
    chunk = good;
}
END_TEST

/* ---- Sound -------------------------------------------------------------------------- */

static const struct {
    struct rational rate;
    int sample_rate;
    int64_t frames;
    int priming;
} sounds[] = {
    {{24, 1}, 48000, 1000, 1024},        {{24000, 1001}, 48000, 1000, 1024},
    {{30000, 1001}, 44100, 1799, 1024},  {{25, 1}, 44100, 251, 1024},
    {{60000, 1001}, 48000, 3599, 2112},  {{50, 1}, 44100, 2501, 0},
    {{24000, 1001}, 44100, 86314, 1024}, {{60, 1}, 48000, 1, 1024},
    {{15, 2}, 44100, 77, 1024},
};

/* Each boundary against its definition in exact fractions: the first packet border at
 * or after the picture's; no gap, no overlap, all packets, sequence = number. */
START_TEST(test_sound_boundaries) {
    struct err err = {0};
    audio.sample_rate = sounds[_i].sample_rate;
    audio_track.record[0] = audio.sample_rate == 48000 ? 0x11 : 0x12;
    audio_track.record[1] = audio.sample_rate == 48000 ? 0x90 : 0x10;
    audio_track.priming = sounds[_i].priming;
    struct rational rate = sounds[_i].rate;
    make_grid(rate, sounds[_i].frames, sounds[_i].frames > 5000 ? 30000 : 2000, 2);
    ck_assert_msg(write_audio(all_packets(), &err) == 0, "%s", err.message);
    ck_assert_uint_eq(take_count, grid->segment_count);
    int64_t next = 0;
    for (size_t i = 0; i < take_count; i++) {
        const struct segment_report *report = &takes[i].report;
        ck_assert_int_eq(report->number, (int64_t)i + 1);
        ck_assert_int_eq(report->decode_time, next);
        ck_assert_int_eq(report->duration, report->samples * 1024);
        ck_assert_uint_eq(report->fragment_count, 0);
        next += report->duration;
        __int128 boundary = (__int128)grid_segment_frame(grid, i + 1) * rate.den *
                            audio.sample_rate; /* samples x rate.num */
        __int128 end = (__int128)(next - audio_track.priming) * rate.num;
        ck_assert(end >= boundary);
        ck_assert(end - (__int128)1024 * rate.num < boundary);
        ck_assert_msg(check_take(&takes[i], false, &err) == 0, "%s", err.message);
    }
    ck_assert_int_eq(next, all_packets() * 1024);
}
END_TEST

START_TEST(test_sound_refused) {
    struct segment_writer *writer = NULL;
    uint8_t data[64];
    struct err err = {0};
    make_grid((struct rational){60, 1}, 60, 1, 1); /* segments of one frame, 800 samples */
    ck_assert_int_eq(write_audio(1, &err), ERR_INVALID);
    ck_assert_msg(strstr(err.message, "shorter than one packet") != NULL, "%s", err.message);
    make_grid((struct rational){25, 1}, 100, 1000, 1);
    audio_track.duration++;
    ck_assert_int_eq(write_audio(1, NULL), ERR_INVALID);
    audio_track.duration--;
    ck_assert_int_eq(
        segment_writer_create_audio(&writer, &audio_track, grid, take_segment, takes, NULL), 0);
    struct sample sample = packet(data, 0);
    sample.duration = 960;
    err_clear(&err);
    ck_assert_int_eq(segment_writer_sample(writer, &sample, &err), ERR_INTERNAL);
    ck_assert_msg(strstr(err.message, "960 samples instead of 1024") != NULL, "%s", err.message);
    segment_writer_destroy(writer);
    ck_assert_int_eq(
        segment_writer_create_audio(&writer, &video_track, grid, take_segment, takes, NULL),
        ERR_INVALID);
    ck_assert_int_eq(
        segment_writer_create_video(&writer, &audio_track, &chunk, take_segment, takes, NULL),
        ERR_INVALID);
}
END_TEST

/* ---- The gate ------------------------------------------------------------------------ */

static const size_t report_fields[] = {
    offsetof(struct segment_report, number),   offsetof(struct segment_report, bytes),
    offsetof(struct segment_report, samples),  offsetof(struct segment_report, decode_time),
    offsetof(struct segment_report, duration),
};

START_TEST(test_report_lies) {
    bool is_video = _i == 0;
    ck_assert_int_eq(is_video ? write_video(NULL) : write_audio(all_packets(), NULL), 0);
    static const int64_t values[] = {0, -1, INT64_MAX, INT64_MIN, UINT32_MAX, 1};
    for (size_t f = 0; f < sizeof(report_fields) / sizeof(report_fields[0]); f++) {
        for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
            struct take lying = takes[1];
            int64_t *field = (int64_t *)((char *)&lying.report + report_fields[f]);
            *field = v == 5 ? *field + 1 : values[v];
            struct err err = {0};
            ck_assert_msg(check_take(&lying, is_video, &err) == ERR_CORRUPT, "field %zu value %zu",
                          f, v);
            ck_assert_ptr_nonnull(strstr(err.message, "segment "));
        }
    }
    struct take lying = takes[1];
    lying.report.fragments = lying.fragments;
    lying.report.fragment_count++;
    ck_assert_int_eq(check_take(&lying, is_video, NULL), ERR_CORRUPT);
    for (int part = 0; is_video && part < 6; part++) {
        lying = takes[1];
        lying.report.fragments = lying.fragments;
        uint32_t *numbers = (uint32_t *)&lying.fragments[part / 3];
        numbers[part % 3]++;
        ck_assert_int_eq(check_take(&lying, true, NULL), ERR_CORRUPT);
    }
    /* Another segment's bytes under this number. */
    lying = takes[2];
    lying.report.number = 2;
    lying.report.fragments = lying.fragments;
    ck_assert_int_eq(check_take(&lying, is_video, NULL), ERR_CORRUPT);
}
END_TEST

/* Whether byte `at` of a segment is the encoder's own choice: no gate can know what a
 * coded picture should be, nor where a packet of sound ends. NAL unit lengths and
 * headers are not. */
static bool is_payload(const struct media_facts *facts, bool is_video, size_t at) {
    for (size_t c = 0; c < facts->chunk_count; c++) {
        const struct chunk_facts *chunk_facts = &facts->chunks[c];
        size_t start = chunk_facts->offset + chunk_facts->header_size;
        if (!is_video && at < start - 8 && at >= start - 8 - 4 * chunk_facts->sample_count) {
            return true; /* sizes, which must add up to the mdat */
        }
        for (size_t s = 0; s < chunk_facts->sample_count; s++) {
            size_t size = facts->samples[chunk_facts->first_sample + s].size;
            if (at >= start && at < start + size) {
                return is_video ? at >= start + 5 : at != start;
            }
            start += size;
        }
    }
    return false;
}

static bool same_but_payload(const struct media_facts *facts, bool is_video, const struct buf *good,
                             const uint8_t *data) {
    for (size_t i = 0; i < good->size; i++) {
        bool harmless = false;
        if (is_video && i > 0) { /* other values of nal_ref_idc that say the same */
            harmless = (good->data[i] == 0x65 || good->data[i] == 0x41) &&
                       (good->data[i] & 0x9f) == (data[i] & 0x9f) && (data[i] & 0x60) != 0;
        }
        if (data[i] != good->data[i] && !is_payload(facts, is_video, i) && !harmless &&
            !(!is_video && good->data[i] == 0x21)) {
            return false;
        }
    }
    return true;
}

static struct media_facts gate_setup(bool is_video) {
    struct media_facts facts;
    struct sample_defaults defaults = {.track_id = 1, .duration = is_video ? 1001 : 1024};
    ck_assert_int_eq(is_video ? write_video(NULL) : write_audio(all_packets(), NULL), 0);
    ck_assert_int_eq(check_take(&takes[1], is_video, NULL), 0);
    ck_assert_int_eq(
        media_segment_read(&facts, takes[1].bytes.data, takes[1].bytes.size, &defaults, NULL), 0);
    return facts;
}

START_TEST(test_cut) {
    bool is_video = _i == 0;
    struct media_facts facts = gate_setup(is_video);
    struct take *take = &takes[1];
    for (size_t cut = 0; cut < take->bytes.size; cut++) {
        uint8_t *copy = mem_try(cut + 1); /* so that ASan sees a byte too far */
        memcpy(copy, take->bytes.data, cut);
        struct segment_report report = take->report;
        report.bytes = (int64_t)cut;
        struct err err = {0};
        int failed = segment_check(copy, cut, is_video ? &video_track : &audio_track,
                                   is_video ? &chunk : NULL, &report, &err);
        ck_assert_msg(failed == ERR_CORRUPT && err.message[0] != '\0', "cut at %zu", cut);
        mem_free(copy);
    }
    struct segment_report none = take->report;
    none.bytes = 0;
    ck_assert_int_eq(segment_check(NULL, 0, is_video ? &video_track : &audio_track,
                                   is_video ? &chunk : NULL, &none, NULL),
                     ERR_CORRUPT);
    struct init_facts init;
    ck_assert_int_eq(init_segment_read(&init, NULL, 0, NULL), ERR_CORRUPT);
    buf_u8(&take->bytes, 0);
    take->report.bytes++;
    ck_assert_int_eq(check_take(take, is_video, NULL), ERR_CORRUPT);
    media_facts_finish(&facts);
}
END_TEST

START_TEST(test_every_bit) {
    bool is_video = _i == 0;
    struct media_facts facts = gate_setup(is_video);
    struct take *take = &takes[1];
    for (size_t bit = 0; bit < take->bytes.size * 8; bit++) {
        size_t at = bit / 8;
        uint8_t good = take->bytes.data[at];
        take->bytes.data[at] ^= (uint8_t)(1 << bit % 8);
        int failed = check_take(take, is_video, NULL);
        bool size = !is_video && at < facts.chunks[0].offset + facts.chunks[0].header_size;
        if (size || !is_payload(&facts, is_video, at)) {
            bool same_kind = is_video && (good == 0x65 || good == 0x41) &&
                             (take->bytes.data[at] & 0x60) != 0 && (bit % 8 == 5 || bit % 8 == 6);
            bool raw = !is_video && good == 0x21;
            ck_assert_msg(failed == ERR_CORRUPT || same_kind || raw, "bit %zu of byte %zu", bit % 8,
                          at);
        }
        take->bytes.data[at] = good;
    }
    media_facts_finish(&facts);
}
END_TEST

/* Seeded noise: bytes set, runs copied, words of tempting values. */
static void mutate(uint8_t *data, size_t size) {
    static const uint32_t words[] = {0, 1, 7, 8, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff8};
    for (int i = rand() % 4; i >= 0; i--) {
        size_t at = (size_t)rand() % size;
        if (rand() % 3 == 0 && at + 4 <= size) {
            uint32_t word = words[(size_t)rand() % (sizeof(words) / sizeof(words[0]))];
            for (int b = 0; b < 4; b++) {
                data[at + (size_t)b] = (uint8_t)(word >> (24 - 8 * b));
            }
        } else if (rand() % 3 == 0) {
            size_t from = (size_t)rand() % size;
            size_t most = size - (at > from ? at : from);
            memmove(data + at, data + from, (size_t)rand() % 24 % most);
        } else {
            data[at] = (uint8_t)rand();
        }
    }
}

START_TEST(test_noise) {
    bool is_video = _i == 0;
    struct media_facts facts = gate_setup(is_video);
    struct take *take = &takes[1];
    size_t size = take->bytes.size;
    struct buf good = {0};
    buf_append(&good, take->bytes.data, size);
    int passed = 0;
    srand(1);
    for (int round = 0; round < 20000; round++) {
        mutate(take->bytes.data, size);
        if (check_take(take, is_video, NULL) == 0) {
            passed++;
            ck_assert_msg(same_but_payload(&facts, is_video, &good, take->bytes.data), "round %d",
                          round);
        }
        memcpy(take->bytes.data, good.data, size);
    }
    ck_assert_int_gt(passed, 0); /* noise in coded pictures alone */
    buf_finish(&good);
    media_facts_finish(&facts);
}
END_TEST

/* The composition offsets of two pictures swapped, their order doubled, or off the
 * frame grid: structure and sums are right, and the GOP is not. */
START_TEST(test_order_lies) {
    struct media_facts facts = gate_setup(true);
    struct take *take = &takes[1];
    const struct chunk_facts *rest = &facts.chunks[1];
    uint8_t *run = take->bytes.data + rest->offset + rest->header_size - 8 -
                   12 * rest->sample_count; /* the entries end where mdat begins */
    uint8_t first[4];
    memcpy(first, run + 8, 4);
    struct err err = {0};
    memcpy(run + 8, run + 12 + 8, 4);
    ck_assert_int_eq(check_take(take, true, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "composition offset") != NULL, "%s", err.message);
    memcpy(run + 8, first, 4);
    run[11] ^= 1; /* one tick off */
    err_clear(&err);
    ck_assert_int_eq(check_take(take, true, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "composition offset") != NULL, "%s", err.message);
    run[11] ^= 1;
    run[8] |= 0x80; /* far below 0 */
    ck_assert_int_eq(check_take(take, true, NULL), ERR_CORRUPT);
    run[8] ^= 0x80;
    ck_assert_int_eq(check_take(take, true, NULL), 0);
    media_facts_finish(&facts);
}
END_TEST

/* A sum that a box tree can't hold, many small fragments, many small boxes: all in
 * time and memory that are linear in the input. */
START_TEST(test_large_lies) {
    struct sample_defaults defaults = {.track_id = 1, .duration = 1};
    struct media_facts facts;
    struct run_sample one = {.size = 1};
    struct buf bytes = {0};
    enum { MANY = 100000 };
    for (uint32_t i = 0; i < MANY; i++) {
        struct fragment fragment = {.sequence = i, .samples = &one, .count = 1};
        fragment_header_write(&fragment, &bytes);
        buf_u8(&bytes, 0);
    }
    ck_assert_int_eq(media_segment_read(&facts, bytes.data, bytes.size, &defaults, NULL), 0);
    ck_assert_uint_eq(facts.chunk_count, MANY);
    ck_assert_uint_eq(facts.sample_count, MANY);
    media_facts_finish(&facts);

    buf_clear(&bytes);
    size_t moof = mp4_open(&bytes, "moof");
    for (uint32_t i = 0; i < MANY; i++) {
        mp4_close(&bytes, mp4_open(&bytes, "free"));
    }
    mp4_close(&bytes, moof);
    ck_assert_int_eq(media_segment_read(&facts, bytes.data, bytes.size, &defaults, NULL),
                     ERR_CORRUPT);

    buf_clear(&bytes);
    struct fragment fragment = {.samples = &one, .count = 1};
    fragment_header_write(&fragment, &bytes);
    buf_u8(&bytes, 0);
    buf_put_u32(&bytes, bytes.size - 9 - 12, UINT32_MAX); /* sample_count of trun */
    struct err err = {0};
    ck_assert_int_eq(media_segment_read(&facts, bytes.data, bytes.size, &defaults, &err),
                     ERR_CORRUPT);
    ck_assert_str_eq(err.message, "box trun tells of 4294967295 samples in 4 bytes");
    buf_finish(&bytes);
}
END_TEST

Suite *segment_suite(void) {
    Suite *suite = suite_create("segment");
    TCase *tests = tcase_create("segments");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, test_golden);
    tcase_add_test(tests, test_golden_av1);
    tcase_add_test(tests, test_init_facts);
    tcase_add_test(tests, test_no_reordering);
    tcase_add_test(tests, test_codecs_strings);
    tcase_add_loop_test(tests, test_track_lies, 0, sizeof(lies) / sizeof(lies[0]));
    tcase_add_loop_test(tests, test_init_bits, 0, 2);
    tcase_add_test(tests, test_video_facts);
    tcase_add_test(tests, test_one_frame_gops);
    tcase_add_test(tests, test_chunks_agree);
    tcase_add_loop_test(tests, test_slips, 0, sizeof(slips) / sizeof(slips[0]));
    tcase_add_test(tests, test_negative_offset);
    tcase_add_test(tests, test_counts);
    tcase_add_test(tests, test_emit_fails);
    tcase_add_test(tests, test_bad_chunks);
    tcase_add_loop_test(tests, test_sound_boundaries, 0, sizeof(sounds) / sizeof(sounds[0]));
    tcase_add_test(tests, test_sound_refused);
    tcase_add_loop_test(tests, test_report_lies, 0, 2);
    tcase_add_loop_test(tests, test_cut, 0, 2);
    tcase_add_loop_test(tests, test_every_bit, 0, 2);
    tcase_add_loop_test(tests, test_noise, 0, 2);
    tcase_add_test(tests, test_order_lies);
    tcase_add_test(tests, test_large_lies);
    suite_add_tcase(suite, tests);
    return suite;
}
