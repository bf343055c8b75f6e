/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CMAF segments from made-up samples: trees by golden text, and the rules of the writer.
 * REELFARM_GOLDEN_WRITE=1 writes the golden texts anew, for a person to read.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "packager/cmaf_reader.h"
#include "segment_fixture.h"

Suite *segment_suite(void);

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

Suite *segment_suite(void) {
    Suite *suite = suite_create("segment");
    TCase *tests = tcase_create("segment");
    tcase_add_checked_fixture(tests, segment_setup, segment_teardown);
    tcase_add_test(tests, test_golden);
    tcase_add_test(tests, test_golden_av1);
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
    suite_add_tcase(suite, tests);
    return suite;
}
