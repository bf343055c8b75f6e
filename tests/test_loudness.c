/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loudness of made-up sines against what EBU Tech 3341 and Tech 3342 ask of a meter, and of a
 * whole track against ffmpeg's meter. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "common/fs.h"
#include "common/mem.h"
#include "encoder/loudness.h"
#include "fixture.h"
#include "source_fixture.h"

Suite *loudness_suite(void);

enum { BLOCK = 1000, STEPS_MAX = 5 };

/* A sine for so long, at a level of its peak. */
struct step {
    double seconds;
    double dbfs;
};

/* Rises to its level in `rise_s`. */
static void sine(struct loudness_meter *meter, int rate, int channels, double turns, double phase,
                 double rise_s, const struct step *step) {
    const double pi = acos(-1);
    double amplitude = pow(10, step->dbfs / 20);
    int64_t count = (int64_t)(step->seconds * rate);
    float block[BLOCK];
    float *const planes[2] = {block, block};
    struct err err = {0};
    ck_assert_int_le(channels, 2);
    for (int64_t first = 0; first < count; first += BLOCK) {
        int size = count - first < BLOCK ? (int)(count - first) : BLOCK;
        for (int i = 0; i < size; i++) {
            double at = (double)(first + i);
            double risen = rise_s > 0 ? fmin(at / (rise_s * rate), 1) : 1;
            block[i] = (float)(amplitude * risen * sin(2 * pi * turns * at + phase * pi / 180));
        }
        ck_assert_msg(loudness_meter_add(meter, planes, size, &err) == 0, "%s", err.message);
    }
}

static struct loudness result_of(struct loudness_meter *meter) {
    struct loudness out = {0};
    struct err err = {0};
    ck_assert_msg(loudness_meter_read(meter, &out, &err) == 0, "%s", err.message);
    loudness_meter_destroy(meter);
    return out;
}

static struct loudness_meter *meter_of(int rate, int channels) {
    struct loudness_meter *meter = NULL;
    struct err err = {0};
    ck_assert_msg(loudness_meter_create(&meter, rate, channels, &err) == 0, "%s", err.message);
    return meter;
}

/* Tech 3341 table 1, cases 1 to 5, and Tech 3342 table 1, cases 1 to 4, at 1 kHz. */
static const struct {
    const char *name;
    int rate, channels;
    struct step steps[STEPS_MAX];
    double integrated, range; /* NAN: not told by the case */
} cases[] = {
    {"3341-1", 48000, 2, {{20, -23}}, -23, 0},
    {"3341-1 at 44.1 kHz", 44100, 2, {{20, -23}}, -23, 0},
    {"3341-1 at 96 kHz", 96000, 2, {{20, -23}}, -23, 0},
    {"one channel", 48000, 1, {{20, -23}}, -26, 0},
    {"3341-2", 48000, 2, {{20, -33}}, -33, 0},
    {"3341-3", 48000, 2, {{10, -36}, {60, -23}, {10, -36}}, -23, NAN},
    {"3341-4", 48000, 2, {{10, -72}, {10, -36}, {60, -23}, {10, -36}, {10, -72}}, -23, NAN},
    {"3341-5", 48000, 2, {{20, -26}, {20.1, -20}, {20, -26}}, -23, NAN},
    {"3342-1", 48000, 2, {{20, -20}, {20, -30}}, NAN, 10},
    {"3342-2", 48000, 2, {{20, -20}, {20, -15}}, NAN, 5},
    {"3342-3", 48000, 2, {{20, -40}, {20, -20}}, NAN, 20},
    {"3342-4", 48000, 2, {{20, -50}, {20, -35}, {20, -20}, {20, -35}, {20, -50}}, NAN, 15},
    {"nothing above the gate", 48000, 2, {{2, -80}}, -70, 0},
    {"shorter than a block", 48000, 2, {{0.3, -23}}, -70, 0},
};

START_TEST(sines_are_as_loud_as_ebu_says) {
    struct loudness_meter *meter = meter_of(cases[_i].rate, cases[_i].channels);
    for (int i = 0; i < STEPS_MAX; i++) {
        sine(meter, cases[_i].rate, cases[_i].channels, 1000.0 / cases[_i].rate, 0, 0,
             &cases[_i].steps[i]);
    }
    struct loudness found = result_of(meter);
    ck_assert_msg(isnan(cases[_i].integrated) ||
                      fabs(found.integrated_lufs - cases[_i].integrated) <= 0.1,
                  "%s: %.2f LUFS", cases[_i].name, found.integrated_lufs);
    ck_assert_msg(isnan(cases[_i].range) || fabs(found.range_lu - cases[_i].range) <= 1,
                  "%s: a range of %.2f LU", cases[_i].name, found.range_lu);
}
END_TEST

/* Tech 3341 table 1, cases 15 to 19: peaks between samples. */
static const struct {
    double turns, phase, amplitude, peak;
} peaks[] = {
    {1.0 / 4, 0, 0.5, -6},    {1.0 / 4, 45, 0.5, -6}, {1.0 / 6, 60, 0.5, -6},
    {1.0 / 8, 67.5, 0.5, -6}, {1.0 / 4, 45, 1.41, 3},
};

START_TEST(peaks_between_samples_are_found) {
    struct loudness_meter *meter = meter_of(48000, 2);
    struct step step = {1, 20 * log10(peaks[_i].amplitude)};
    sine(meter, 48000, 2, peaks[_i].turns, peaks[_i].phase, 0.1,
         &step); /* a jump would overshoot */
    double found = result_of(meter).true_peak_dbtp;
    ck_assert_msg(found <= peaks[_i].peak + 0.2 && found >= peaks[_i].peak - 0.4, "%.2f dBTP",
                  found);
}
END_TEST

START_TEST(silence_has_numbers_too) {
    struct loudness_meter *meter = meter_of(48000, 2);
    float zero[BLOCK] = {0};
    float *const planes[2] = {zero, zero};
    for (int i = 0; i < 96; i++) {
        ck_assert_int_eq(loudness_meter_add(meter, planes, BLOCK, NULL), 0);
    }
    struct loudness found = result_of(meter);
    ck_assert(found.integrated_lufs == LOUDNESS_GATE_LUFS && found.range_lu == 0 &&
              found.true_peak_dbtp == LOUDNESS_SILENCE_DBTP);
    found = result_of(meter_of(48000, 1)); /* nothing at all */
    ck_assert(found.true_peak_dbtp == LOUDNESS_SILENCE_DBTP);
}
END_TEST

/* Left and right are two channels, in this order. */
START_TEST(channels_are_kept_apart) {
    struct loudness_meter *meter = meter_of(48000, 2);
    float loud[BLOCK], zero[BLOCK] = {0};
    const double pi = acos(-1);
    float *const planes[2] = {loud, zero};
    for (int i = 0; i < BLOCK; i++) {
        loud[i] = (float)(pow(10, -23.0 / 20) * sin(2 * pi * i * 20 / BLOCK));
    }
    for (int i = 0; i < 480; i++) {
        ck_assert_int_eq(loudness_meter_add(meter, planes, BLOCK, NULL), 0);
    }
    ck_assert_double_eq_tol(result_of(meter).integrated_lufs, -26, 0.15); /* of 960 Hz */
}
END_TEST

START_TEST(what_no_meter_can_take_is_refused) {
    struct loudness_meter *meter = NULL;
    ck_assert_int_eq(loudness_meter_create(&meter, 48000, 0, NULL), ERR_UNSUPPORTED);
    ck_assert_int_eq(loudness_meter_create(&meter, 48000, 3, NULL), ERR_UNSUPPORTED);
    ck_assert_int_eq(loudness_meter_create(&meter, 0, 2, NULL), ERR_UNSUPPORTED);
    ck_assert_ptr_null(meter);
    loudness_meter_destroy(NULL);
}
END_TEST

/* ---- A whole track ---------------------------------------------------------------- */

static int pass_config(void *context, int rung, const struct coded_config *config,
                       struct err *err) {
    (void)context, (void)rung, (void)config, (void)err;
    return 0;
}

static int pass_packet(void *context, int rung, const struct coded_packet *packet,
                       struct err *err) {
    (void)context, (void)rung, (void)packet, (void)err;
    return 0;
}

static void encode(const char *path, struct encode_stats *stats) {
    struct source_document document = {0};
    struct file_source source;
    struct err err = {0};
    ck_assert(file_source_open(&source, path));
    struct probe_options options = probe_options_default();
    int rc = encoder_probe(&document, &source.io, &options, NULL, NULL, &err);
    ck_assert_msg(rc == 0, "%s", err.message);
    const struct encode_audio_task task = {
        .source = &document,
        .spec = {CODEC_AAC, .encoder = "aac", .sample_rate = 48000, .channels = 2,
                 .bitrate_bps = 128000},
    };
    const struct coded_sink sink = {pass_config, pass_packet, NULL};
    rc = encoder_encode_audio(&task, &source.io, &sink, stats, &err);
    ck_assert_msg(rc == 0, "%s", err.message);
    source_document_finish(&document);
    file_source_close(&source);
}

/* The number that ffmpeg's summary has behind `name`. */
static double told(const char *summary, const char *name) {
    const char *at = strstr(summary, name);
    double value = NAN;
    ck_assert_msg(at != NULL && sscanf(at + strlen(name), "%lf", &value) == 1, "%s", summary);
    return value;
}

/* Noise that grows, in a clip whose sound ends before its pictures: what fills it up counts as
 * silence, which the gate leaves out. */
START_TEST(a_track_is_as_loud_as_ffmpeg_says) {
    char *folder = fixture_folder();
    source_shell(folder, "25",
                 "ffmpeg -f lavfi -i \"$CLIP\" -f lavfi -i \"anoisesrc=c=pink:r=48000:seed=1:d=14,"
                 "volume='0.02+0.02*t':eval=frame\" -t 15 $X264 -c:a pcm_s16le -ac 2 a.mov\n"
                 "ffmpeg -hide_banner -nostats -v info -i a.mov -af "
                 "ebur128=peak=true:framelog=verbose -f null - 2>&1 | "
                 "sed -n '/Summary/,$p' >summary");
    char *path = mem_format("%s/a.mov", folder);
    struct encode_stats stats = {0};
    struct buf summary = {0};
    struct err err = {0};
    encode(path, &stats);
    mem_free(path);
    path = mem_format("%s/summary", folder);
    ck_assert_msg(fs_read(&summary, path, 65536, &err) == 0, "%s", err.message);
    mem_free(path);
    const char *text = buf_text(&summary);
    ck_assert(stats.has_loudness);
    ck_assert_double_eq_tol(stats.loudness.integrated_lufs, told(text, "I:"), 0.11);
    ck_assert_double_eq_tol(stats.loudness.range_lu, told(text, "LRA:"), 0.5);
    ck_assert_double_eq_tol(stats.loudness.true_peak_dbtp, told(text, "Peak:"), 0.2);
    ck_assert_double_lt(stats.loudness.integrated_lufs, -10);
    ck_assert_double_gt(stats.loudness.range_lu, 2);
    buf_finish(&summary);
    fixture_folder_drop(folder);
}
END_TEST

#define ADD_ALL(tcase, test, table)                                                                \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof((table)[0]))

Suite *loudness_suite(void) {
    Suite *suite = suite_create("loudness");
    TCase *meter = tcase_create("meter");
    ADD_ALL(meter, sines_are_as_loud_as_ebu_says, cases);
    ADD_ALL(meter, peaks_between_samples_are_found, peaks);
    tcase_add_test(meter, silence_has_numbers_too);
    tcase_add_test(meter, channels_are_kept_apart);
    tcase_add_test(meter, what_no_meter_can_take_is_refused);
    suite_add_tcase(suite, meter);
    TCase *tracks = tcase_create("tracks");
    tcase_add_test(tracks, a_track_is_as_loud_as_ffmpeg_says);
    suite_add_tcase(suite, tracks);
    return suite;
}
