/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The gate for media: a sound track that is as it must be passes, in order and whole; what
 * lies, comes twice, too early or not at all does not. */
#include <check.h>
#include <string.h>

#include "common/buf.h"
#include "common/grid.h"
#include "common/hash.h"
#include "common/mem.h"
#include "workers/gate.h"

Suite *gate_suite(void);

enum { RATE = 24, FRAMES = 288, PACKET = 1024, MOST = 8 };

static const uint8_t record[] = {0x11, 0x90};

static struct child_spec spec;
static struct task_report report;
static struct unit_report unit;
static struct gate gate;
static struct made made[MOST]; /* the init, then the segments */
static struct buf bytes[MOST];
static size_t count;

static int take(void *context, const struct segment_report *said, const uint8_t *data, size_t size,
                struct err *err) {
    (void)context;
    (void)err;
    ck_assert_uint_lt(count, MOST);
    buf_append(&bytes[count], data, size);
    made[count] = (struct made){.report = *said, .data = bytes[count].data, .size = size};
    count++;
    return 0;
}

/* All that an honest child would send of twelve seconds of sound. */
static void make_track(void) {
    struct track_config track = {
        .audio = &spec.audio,
        .record_size = sizeof(record),
        .priming = PACKET,
        .duration = title_audio_samples(&spec.source.timeline, spec.audio.sample_rate),
    };
    struct segment_writer *writer = NULL;
    struct err err = {0};
    memcpy(track.record, record, sizeof(record));
    ck_assert_int_eq(init_segment_write(&track, &bytes[0], NULL), 0);
    made[0] = (struct made){.is_init = true,
                            .record_size = sizeof(record),
                            .priming = PACKET,
                            .data = bytes[0].data,
                            .size = bytes[0].size};
    memcpy(made[0].record, record, sizeof(record));
    count = 1;
    ck_assert_int_eq(segment_writer_create_audio(&writer, &track, spec.grid, take, NULL, NULL), 0);
    for (int64_t at = 0; at < track.duration + PACKET; at += PACKET) {
        uint8_t packet[64];
        memset(packet, (int)(at / PACKET), sizeof(packet));
        packet[0] = 0x21; /* a channel pair, as raw AAC begins */
        struct sample sample = {
            .data = packet, .size = sizeof(packet), .key = true, .duration = PACKET};
        ck_assert_msg(segment_writer_sample(writer, &sample, &err) == 0, "%s", err.message);
    }
    ck_assert_msg(segment_writer_end(writer, &err) == 0, "%s", err.message);
    segment_writer_destroy(writer);
    ck_assert_uint_eq(count, 4);
}

static void setup(void) {
    spec = (struct child_spec){
        .kind = TASK_AUDIO,
        .source.timeline = {.rate = {RATE, 1}, .frames = FRAMES},
        .audio = {CODEC_AAC, .encoder = "aac", .sample_rate = 48000, .channels = 2,
                  .bitrate_bps = 96000, .language = "und"},
    };
    struct grid_options options = grid_options_default();
    options.frames = FRAMES;
    options.rate = (struct rational){RATE, 1};
    ck_assert_int_eq(grid_create(&spec.grid, &options, NULL), 0);
    make_track();
    gate_init(&gate, &spec, 0, &unit, &report.arena);
}

static void teardown(void) {
    for (size_t i = 0; i < MOST; i++) {
        buf_finish(&bytes[i]);
    }
    task_report_finish(&report);
    grid_destroy(spec.grid);
    unit = (struct unit_report){0};
}

static int pass(size_t piece) {
    char name[GATE_NAME];
    return gate_pass(&gate, &made[piece], name, NULL);
}

START_TEST(an_honest_track_passes_and_is_counted) {
    static const char *const names[] = {"init.mp4", "00001.m4s", "00002.m4s", "00003.m4s"};
    struct err err = {0};
    for (size_t i = 0; i < count; i++) {
        char name[GATE_NAME];
        ck_assert_msg(gate_pass(&gate, &made[i], name, &err) == 0, "%s", err.message);
        ck_assert_str_eq(name, names[i]);
    }
    ck_assert_int_eq(gate_end(&gate, NULL), 0);
    ck_assert_uint_eq(unit.segment_count, 3);
    ck_assert_int_eq(unit.init_bytes, (int64_t)made[0].size);
    ck_assert_int_eq(unit.priming, PACKET);
    for (size_t i = 0; i < 3; i++) {
        char hash[SHA256_TEXT];
        sha256_hex_of(made[i + 1].data, made[i + 1].size, hash);
        ck_assert_str_eq(unit.segments[i].sha256, hash);
        ck_assert_int_eq(unit.segments[i].bytes, (int64_t)made[i + 1].size);
    }
}
END_TEST

/* Pieces in the order of arrival, ended by -1: the last one is refused. */
static const int orders[][6] = {
    {1, -1},             /* no init */
    {0, 0, -1},          /* two */
    {0, 2, -1},          /* a segment left out */
    {0, 1, 1, -1},       /* one twice */
    {0, 1, 2, 1, -1},    /* backwards */
    {0, 1, 2, 3, 3, -1}, /* more than there are */
};

START_TEST(pieces_come_once_and_in_order) {
    const int *order = orders[_i];
    for (; order[1] >= 0; order++) {
        ck_assert_int_eq(pass((size_t)*order), 0);
    }
    ck_assert_int_eq(pass((size_t)*order), ERR_CORRUPT);
}
END_TEST

START_TEST(nothing_may_be_missing_at_the_end) {
    for (size_t i = 0; i < count; i++) {
        struct err err = {0};
        ck_assert_int_eq(gate_end(&gate, &err), ERR_CORRUPT);
        ck_assert_msg(err.message[0] != '\0', "no sentence");
        ck_assert_int_eq(pass(i), 0);
    }
    ck_assert_int_eq(gate_end(&gate, NULL), 0);
}
END_TEST

static void lie_samples(void) {
    made[1].report.samples++;
}

static void lie_time(void) {
    made[1].report.decode_time += PACKET;
}

static void lie_duration(void) {
    made[1].report.duration -= 1;
}

static void lie_bytes(void) {
    made[1].report.bytes -= 1;
}

static void cut(void) {
    made[1].size -= 1;
}

static void nothing(void) {
    made[1].size = 0;
}

static void damage_box(void) {
    bytes[1].data[4] ^= 1;
}

static void other_segment(void) {
    made[1].data = made[2].data;
    made[1].size = made[2].size;
}

static void (*const lies[])(void) = {
    lie_samples, lie_time, lie_duration, lie_bytes, cut, nothing, damage_box, other_segment,
};

START_TEST(a_lie_about_a_segment_is_found) {
    struct err err = {0};
    char name[GATE_NAME];
    lies[_i]();
    ck_assert_int_eq(pass(0), 0);
    ck_assert_int_eq(gate_pass(&gate, &made[1], name, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "segment 1") != NULL, "%s", err.message);
    ck_assert_uint_eq(unit.segment_count, 0);
}
END_TEST

START_TEST(an_init_that_is_not_the_specs_is_refused) {
    switch (_i) {
    case 0:
        made[0].priming++;
        break;
    case 1:
        made[0].record[1] ^= 0x40;
        break;
    case 2:
        made[0].size--;
        break;
    default:
        spec.audio.sample_rate = 44100;
    }
    ck_assert_int_eq(pass(0), ERR_CORRUPT);
    ck_assert(!gate.has_init);
}
END_TEST

Suite *gate_suite(void) {
    Suite *suite = suite_create("gate");
    TCase *tc = tcase_create("gate");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, an_honest_track_passes_and_is_counted);
    tcase_add_loop_test(tc, pieces_come_once_and_in_order, 0,
                        (int)(sizeof(orders) / sizeof(orders[0])));
    tcase_add_test(tc, nothing_may_be_missing_at_the_end);
    tcase_add_loop_test(tc, a_lie_about_a_segment_is_found, 0,
                        (int)(sizeof(lies) / sizeof(lies[0])));
    tcase_add_loop_test(tc, an_init_that_is_not_the_specs_is_refused, 0, 4);
    suite_add_tcase(suite, tc);
    return suite;
}
