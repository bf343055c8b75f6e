/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sound on the title's timeline, sample by sample: holes, overlaps, jitter, drift, rates,
 * layouts; and whole tracks through the encoder and back. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "encoder/mix.h"
#include "encoder/sound.h"
#include "fixture.h"
#include "source_fixture.h"

Suite *audio_suite(void);

enum { RATE = 48000, BLOCK = 1024, MS = RATE / 1000 };

/* ck_assert_msg for loops over millions of samples. */
#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            ck_abort_msg(__VA_ARGS__);                                                             \
        }                                                                                          \
    } while (0)

/* ---- Collecting ----------------------------------------------------------------- */

/* What comes out of a sound. */
struct heard {
    struct sound *sound;
    int channels;
    int64_t count;
    float *samples[2];
};

static int hear(void *context, float *const *planes, struct err *err) {
    struct heard *heard = context;
    (void)err;
    for (int c = 0; c < heard->channels; c++) {
        if (heard->count % (64 * BLOCK) == 0) {
            heard->samples[c] =
                mem_resize(heard->samples[c], (size_t)(heard->count + 64 * BLOCK), sizeof(float));
        }
        memcpy(heard->samples[c] + heard->count, planes[c], BLOCK * sizeof(float));
    }
    heard->count += BLOCK;
    return 0;
}

static void heard_start(struct heard *heard, int channels, int64_t samples) {
    *heard = (struct heard){.channels = channels};
    const struct sound_options options = {
        .sample_rate = RATE,
        .channels = channels,
        .block = BLOCK,
        .samples = samples,
        .emit = hear,
        .context = heard,
    };
    heard->sound = sound_create(&options);
}

static void heard_end(struct heard *heard) {
    struct err err = {0};
    ck_assert_msg(sound_finish(heard->sound, &err) == 0, "%s", err.message);
    sound_destroy(heard->sound);
    heard->sound = NULL;
}

static void heard_finish(struct heard *heard) {
    mem_free(heard->samples[0]);
    mem_free(heard->samples[1]);
}

/* ---- Playing -------------------------------------------------------------------- */

/* A source's own sample n: a soft tone with a click every tenth of a second. */
static float sample_of(int64_t n, int rate) {
    int64_t tenth = rate / 10;
    return n % tenth == tenth / 2 ? 0.9f : 0.01f;
}

/* Where the click of tenth k lies, in seconds. */
static double click_time(int k) {
    return 0.05 + k * 0.1;
}

static AVFrame *make_frame(int format, int rate, int channels, int count) {
    AVFrame *frame = av_frame_alloc();
    frame->format = format;
    frame->sample_rate = rate;
    frame->nb_samples = count;
    av_channel_layout_default(&frame->ch_layout, channels);
    ck_assert_int_eq(av_frame_get_buffer(frame, 0), 0);
    return frame;
}

/* Adds source samples [first, first + count), which begin at `start`. */
static void play(struct heard *heard, int rate, int64_t first, int count, struct rational start) {
    AVFrame *frame = make_frame(AV_SAMPLE_FMT_FLTP, rate, 1, count);
    struct err err = {0};
    for (int i = 0; i < count; i++) {
        ((float *)frame->data[0])[i] = sample_of(first + i, rate);
    }
    ck_assert_msg(sound_add(heard->sound, frame, start, &err) == 0, "%s", err.message);
    av_frame_free(&frame);
}

/* Seconds of the click nearest to `wanted`, or NAN where there is none within 40 ms. */
static double find_click(const struct heard *heard, double wanted) {
    double best = NAN;
    int64_t from = (int64_t)((wanted - 0.04) * RATE);
    for (int64_t i = from < 0 ? 0 : from; i < (int64_t)((wanted + 0.04) * RATE); i++) {
        if (i >= heard->count) {
            break;
        }
        float level = heard->samples[0][i];
        if (level > 0.4f && (isnan(best) || level > heard->samples[0][(int64_t)(best * RATE)])) {
            best = (double)i / RATE;
        }
    }
    return best;
}

/* ---- Timeline ------------------------------------------------------------------- */

START_TEST(sound_in_time_passes_untouched) {
    struct heard heard;
    heard_start(&heard, 1, 10 * BLOCK + 100);
    for (int i = 0; i < 20; i++) {
        play(&heard, RATE, i * BLOCK, BLOCK, rational_of(i * BLOCK, RATE));
    }
    heard_end(&heard);
    ck_assert_int_eq(heard.count, 11 * BLOCK);
    for (int64_t i = 0; i < heard.count; i++) {
        float want = i < 10 * BLOCK + 100 ? sample_of(i, RATE) : 0;
        EXPECT(heard.samples[0][i] == want, "sample %lld", (long long)i);
    }
    heard_finish(&heard);
}
END_TEST

/* Where samples of the source begin, where they end, in samples of the output. */
static const struct {
    const char *what;
    int64_t start; /* of the first */
    int blocks;
    int64_t total;
    int64_t silent_until; /* then the source's sample `first` */
    int64_t first;
    int64_t silent_from;
} edges[] = {
    {"late", 12000, 10, 30000, 12000, 0, 12000 + 10 * BLOCK},
    {"early", -4800, 40, 30000, 0, 4800, 30000},
    {"before the title alone", -40 * BLOCK, 40, 5000, 0, 0, 0},
    {"after the title alone", 9000, 40, 5000, 5000, 0, 5000},
    {"none", 0, 0, 5000, 0, 0, 0},
    {"one sample late", 1, 10, 5000, 1, 0, 5000},
};

START_TEST(edges_are_cut_and_filled) {
    struct heard heard;
    heard_start(&heard, 1, edges[_i].total);
    for (int i = 0; i < edges[_i].blocks; i++) {
        play(&heard, RATE, i * BLOCK, BLOCK, rational_of(edges[_i].start + i * BLOCK, RATE));
    }
    heard_end(&heard);
    ck_assert_int_eq(heard.count, (edges[_i].total + BLOCK - 1) / BLOCK * BLOCK);
    for (int64_t i = 0; i < heard.count; i++) {
        bool silent = i < edges[_i].silent_until || i >= edges[_i].silent_from ||
                      i >= edges[_i].total;
        float want = silent ? 0 : sample_of(i - edges[_i].silent_until + edges[_i].first, RATE);
        EXPECT(heard.samples[0][i] == want, "%s: sample %lld is %f, not %f", edges[_i].what,
               (long long)i, heard.samples[0][i], want);
    }
    heard_finish(&heard);
}
END_TEST

START_TEST(a_hole_is_silence_of_its_own_length) {
    struct heard heard;
    heard_start(&heard, 1, 100 * BLOCK);
    for (int i = 0; i < 100; i++) {
        if (i < 40 || i >= 45) { /* five packets are lost */
            play(&heard, RATE, i * BLOCK, BLOCK, rational_of(i * BLOCK, RATE));
        }
    }
    heard_end(&heard);
    for (int64_t i = 0; i < heard.count; i++) {
        bool silent = i >= 40 * BLOCK && i < 45 * BLOCK;
        EXPECT(heard.samples[0][i] == (silent ? 0 : sample_of(i, RATE)), "sample %lld",
               (long long)i);
    }
    heard_finish(&heard);
}
END_TEST

START_TEST(what_comes_twice_is_heard_once) {
    struct heard heard;
    heard_start(&heard, 1, 100 * BLOCK);
    for (int i = 0; i < 100; i++) {
        play(&heard, RATE, i * BLOCK, BLOCK, rational_of(i * BLOCK, RATE));
        if (i % 10 == 5) {
            play(&heard, RATE, i * BLOCK, BLOCK, rational_of(i * BLOCK, RATE));
        }
    }
    heard_end(&heard);
    for (int k = 0; k < 20; k++) {
        ck_assert_msg(fabs(find_click(&heard, click_time(k)) - click_time(k)) < 0.001, "click %d",
                      k);
    }
    heard_finish(&heard);
}
END_TEST

/* Timestamps that are off by so much, and never for long. */
static const struct {
    const char *what;
    int64_t unit_per_second; /* to which they are rounded */
    enum rounding rounding;
    int swing; /* in samples: every third is off by it */
} jitters[] = {
    {"milliseconds", 1000, ROUND_NEAR, 0},    {"whole milliseconds", 1000, ROUND_DOWN, 0},
    {"90 kHz", 90000, ROUND_DOWN, 0},         {"8 ms up", RATE, ROUND_NEAR, 8 * MS},
    {"8 ms down", RATE, ROUND_NEAR, -8 * MS}, {"200 ms up", RATE, ROUND_NEAR, 200 * MS},
};

START_TEST(jitter_moves_nothing) {
    struct heard heard;
    int blocks = 20 * RATE / BLOCK;
    heard_start(&heard, 1, blocks * BLOCK);
    for (int i = 0; i < blocks; i++) {
        int64_t unit = jitters[_i].unit_per_second;
        int64_t start = i * BLOCK + (i % 3 == 1 ? jitters[_i].swing : 0);
        int64_t ticks = ticks_scale(start, unit, RATE, jitters[_i].rounding);
        play(&heard, RATE, i * BLOCK, BLOCK, rational_of(ticks, unit));
    }
    heard_end(&heard);
    for (int64_t i = 0; i < heard.count; i++) {
        EXPECT(heard.samples[0][i] == sample_of(i, RATE), "%s: sample %lld", jitters[_i].what,
               (long long)i);
    }
    heard_finish(&heard);
}
END_TEST

/* A clock that is off by this much in a million, with stamps in milliseconds or not. */
static const struct {
    int parts;
    int64_t unit;
} drifts[] = {{1000, 1000000}, {-1000, 1000000}, {200, 1000},
              {-200, 1000},    {20000, 1000000}, {-20000, 1000000}};

START_TEST(drift_never_passes_a_millisecond) {
    struct heard heard;
    int blocks = 30 * RATE / BLOCK;
    double factor = 1 + drifts[_i].parts * 1e-6;
    double rounding = drifts[_i].unit == 1000 ? 0.0006 : 0;
    heard_start(&heard, 1, blocks * BLOCK);
    for (int i = 0; i < blocks; i++) {
        double start = (double)i * BLOCK / RATE * factor;
        play(&heard, RATE, i * BLOCK, BLOCK,
             rational_of((int64_t)(start * (double)drifts[_i].unit + 0.5), drifts[_i].unit));
    }
    heard_end(&heard);
    int found = 0;
    for (int k = 0; k < 280; k++) {
        double click = find_click(&heard, click_time(k) * factor);
        if (!isnan(click)) { /* one may fall to a sample that is dropped */
            ck_assert_msg(fabs(click - click_time(k) * factor) <= 0.001 + rounding,
                          "click %d at %.6f, not %.6f", k, click, click_time(k) * factor);
            found++;
        }
    }
    ck_assert_int_ge(found, 260);
    int64_t last = (int64_t)((double)(heard.count - BLOCK) * (factor < 1 ? factor : 1));
    for (int64_t i = 1; i < last - BLOCK; i++) { /* mended without a hole */
        EXPECT(heard.samples[0][i] > 0.005f, "sample %lld", (long long)i);
    }
    heard_finish(&heard);
}
END_TEST

START_TEST(absurd_times_are_passed_over) {
    static const struct rational absurd[] = {
        {INT64_MAX, 1}, {-INT64_MAX, 1}, {INT64_MAX, 3}, {1000000000, 1}, {-1000000000, 1}};
    struct heard heard;
    heard_start(&heard, 1, 50 * BLOCK);
    for (int i = 0; i < 50; i++) {
        play(&heard, RATE, 0, BLOCK, absurd[i % 5]);
        play(&heard, RATE, i * BLOCK, BLOCK, rational_of(i * BLOCK, RATE));
    }
    heard_end(&heard);
    for (int64_t i = 0; i < heard.count; i++) {
        EXPECT(heard.samples[0][i] == sample_of(i, RATE), "sample %lld", (long long)i);
    }
    heard_finish(&heard);
}
END_TEST

/* ---- Rates ---------------------------------------------------------------------- */

static const int rates[] = {8000, 11025, 22050, 32000, 44100, 96000, 192000};

START_TEST(resampling_keeps_time_and_level) {
    struct heard heard;
    int rate = rates[_i];
    heard_start(&heard, 1, 4 * RATE);
    for (int at = 0; at < 5 * rate; at += 1000) {
        AVFrame *frame = make_frame(AV_SAMPLE_FMT_FLTP, rate, 1, 1000);
        struct err err = {0};
        for (int i = 0; i < 1000; i++) { /* a whole period every 10 ms, rising through 0 */
            ((float *)frame->data[0])[i] =
                (float)(0.5 * sin(2 * M_PI * 100 * (double)(at + i) / rate));
        }
        ck_assert_int_eq(sound_add(heard.sound, frame, rational_of(at, rate), &err), 0);
        av_frame_free(&frame);
    }
    heard_end(&heard);
    for (int64_t i = RATE / 10; i < 4 * RATE - RATE / 10; i++) {
        double want = 0.5 * sin(2 * M_PI * 100 * (double)i / RATE);
        EXPECT(fabs(heard.samples[0][i] - want) < 0.002, "%d Hz: sample %lld is %f, not %f", rate,
               (long long)i, heard.samples[0][i], want);
    }
    heard_finish(&heard);
}
END_TEST

START_TEST(the_rate_may_change_on_the_way) {
    struct heard heard;
    heard_start(&heard, 1, 4 * RATE);
    static const int steps[] = {48000, 32000, 44100, 48000};
    for (int s = 0; s < 4; s++) {
        for (int at = 0; at < steps[s]; at += 100) {
            play(&heard, steps[s], at, 100, rational_of(s * steps[s] + at, steps[s]));
        }
    }
    heard_end(&heard);
    for (int k = 0; k < 40; k++) {
        ck_assert_msg(fabs(find_click(&heard, click_time(k)) - click_time(k)) < 0.0005,
                      "click %d at %f", k, find_click(&heard, click_time(k)));
    }
    heard_finish(&heard);
}
END_TEST

START_TEST(strange_rates_are_refused) {
    static const int strange[] = {0, -1, 999, 768001};
    for (int i = 0; i < 4; i++) {
        struct heard heard;
        struct err err = {0};
        heard_start(&heard, 1, 4 * RATE);
        AVFrame *frame = make_frame(AV_SAMPLE_FMT_FLTP, 48000, 1, 10);
        frame->sample_rate = strange[i];
        ck_assert_int_eq(sound_add(heard.sound, frame, (struct rational){0, 1}, &err),
                         ERR_UNSUPPORTED);
        av_frame_free(&frame);
        sound_destroy(heard.sound);
        heard_finish(&heard);
    }
}
END_TEST

static float resampled_sum(void) {
    struct heard heard;
    float sum = 0;
    heard_start(&heard, 2, RATE);
    for (int at = 0; at < 32000; at += 1000) {
        AVFrame *frame = make_frame(AV_SAMPLE_FMT_S16, 32000, 6, 1000);
        struct err err = {0};
        for (int i = 0; i < 6000; i++) {
            ((int16_t *)frame->data[0])[i] = (int16_t)(i * 7919 % 20000 - 10000);
        }
        ck_assert_int_eq(sound_add(heard.sound, frame, rational_of(at, 32000), &err), 0);
        av_frame_free(&frame);
    }
    heard_end(&heard);
    for (int64_t i = 0; i < heard.count; i++) {
        sum = sum * 0.99f + heard.samples[0][i] + heard.samples[1][i] * 3; /* order counts */
    }
    heard_finish(&heard);
    return sum;
}

START_TEST(samples_do_not_hang_on_the_processor) {
    float here = resampled_sum();
    encoder_use_baseline_cpu();
    ck_assert(here == resampled_sum());
    ck_assert(fabsf(here) > 0.01f);
}
END_TEST

/* ---- Mixing --------------------------------------------------------------------- */

#define CENTRE 0.70710678f

/* Layouts, and what channel i alone at 0.5 gives left and right, over 0.5. */
static const struct {
    const char *what;
    uint64_t mask; /* 0: only a number of channels is known */
    int channels;
    int outputs;
    float left[8];
    float right[8];
} mixes[] = {
    {"mono", AV_CH_LAYOUT_MONO, 1, 1, {1}, {0}},
    {"mono on two", AV_CH_LAYOUT_MONO, 1, 2, {1}, {1}},
    {"stereo", AV_CH_LAYOUT_STEREO, 2, 2, {1, 0}, {0, 1}},
    {"stereo on one", AV_CH_LAYOUT_STEREO, 2, 1, {0.5f, 0.5f}, {0}},
    {"5.1",
     AV_CH_LAYOUT_5POINT1_BACK,
     6,
     2,
     {1, 0, CENTRE, 0, CENTRE, 0},
     {0, 1, CENTRE, 0, 0, CENTRE}},
    {"5.1(side)",
     AV_CH_LAYOUT_5POINT1,
     6,
     2,
     {1, 0, CENTRE, 0, CENTRE, 0},
     {0, 1, CENTRE, 0, 0, CENTRE}},
    {"5.0", AV_CH_LAYOUT_5POINT0_BACK, 5, 2, {1, 0, CENTRE, CENTRE, 0}, {0, 1, CENTRE, 0, CENTRE}},
    {"7.1",
     AV_CH_LAYOUT_7POINT1,
     8,
     2,
     {1, 0, CENTRE, 0, CENTRE, 0, CENTRE, 0},
     {0, 1, CENTRE, 0, 0, CENTRE, 0, CENTRE}},
    {"4.0", AV_CH_LAYOUT_4POINT0, 4, 2, {1, 0, CENTRE, 0.5f}, {0, 1, CENTRE, 0.5f}},
    {"six of no name", 0, 6, 2, {1, 0, CENTRE, 0, CENTRE, 0}, {0, 1, CENTRE, 0, 0, CENTRE}},
    {"two of no name", 0, 2, 2, {1, 0}, {0, 1}},
    {"one of no name", 0, 1, 2, {1}, {1}},
};

static void set_layout(AVChannelLayout *layout, uint64_t mask, int channels) {
    *layout = (AVChannelLayout){.order = AV_CHANNEL_ORDER_UNSPEC, .nb_channels = channels};
    if (mask != 0) {
        ck_assert_int_eq(av_channel_layout_from_mask(layout, mask), 0);
        ck_assert_int_eq(layout->nb_channels, channels);
    }
}

START_TEST(channels_are_mixed_by_the_table) {
    AVChannelLayout layout;
    set_layout(&layout, mixes[_i].mask, mixes[_i].channels);
    for (int channel = 0; channel < mixes[_i].channels; channel++) {
        AVFrame *frame = make_frame(AV_SAMPLE_FMT_FLTP, RATE, mixes[_i].channels, 1500);
        struct err err = {0};
        struct mix mix;
        float left[1500];
        float right[1500];
        float *const planes[] = {left, right};
        for (int c = 0; c < mixes[_i].channels; c++) {
            for (int i = 0; i < 1500; i++) {
                ((float *)frame->extended_data[c])[i] = c == channel ? 0.5f : 0;
            }
        }
        ck_assert_int_eq(mix_init(&mix, &layout, mixes[_i].outputs, RATE, &err), 0);
        ck_assert_int_eq(mix_frame(&mix, frame, planes, &err), 0);
        ck_assert_msg(fabsf(left[1499] - 0.5f * mixes[_i].left[channel]) < 1e-6f,
                      "%s: channel %d gives left %f", mixes[_i].what, channel, left[1499]);
        ck_assert_msg(mixes[_i].outputs == 1 ||
                          fabsf(right[1499] - 0.5f * mixes[_i].right[channel]) < 1e-6f,
                      "%s: channel %d gives right %f", mixes[_i].what, channel, right[1499]);
        av_frame_free(&frame);
    }
}
END_TEST

START_TEST(too_many_channels_are_refused) {
    struct mix mix;
    for (int channels = 0; channels < 300; channels++) {
        struct err err = {0};
        AVChannelLayout layout = {.order = AV_CHANNEL_ORDER_UNSPEC, .nb_channels = channels};
        int rc = mix_init(&mix, &layout, 2, RATE, &err);
        ck_assert_int_eq(rc, channels >= 1 && channels <= MIX_INPUTS_MAX ? 0 : ERR_UNSUPPORTED);
        if (rc == 0) { /* something is heard */
            ck_assert(mix.gains[0][0] > 0.4f && mix.gains[1][channels > 1 ? 1 : 0] > 0.4f);
        }
    }
}
END_TEST

START_TEST(a_loud_downmix_is_held_at_full_scale) {
    AVFrame *frame = make_frame(AV_SAMPLE_FMT_FLTP, RATE, 6, RATE);
    struct err err = {0};
    struct mix mix;
    float *planes[2];
    for (int o = 0; o < 2; o++) {
        planes[o] = mem_zero(RATE, sizeof(float));
    }
    for (int c = 0; c < 6; c++) {
        for (int i = 0; i < RATE; i++) { /* half a second at full scale, then -20 dB */
            ((float *)frame->extended_data[c])[i] =
                (float)((i < RATE / 2 ? 1 : 0.1) * sin(2 * M_PI * 500 * i / RATE));
        }
    }
    ck_assert_int_eq(mix_init(&mix, &frame->ch_layout, 2, RATE, &err), 0);
    ck_assert_int_eq(mix_frame(&mix, frame, planes, &err), 0);
    float loud = 0;
    float soft = 0;
    for (int i = 0; i < RATE; i++) {
        float size = fabsf(planes[1][i]);
        EXPECT(size <= 1.000001f, "sample %d is %f", i, size);
        loud = i < RATE / 2 && size > loud ? size : loud;
        soft = i > RATE * 3 / 4 && size > soft ? size : soft;
    }
    ck_assert(loud > 0.99f);
    ck_assert(fabsf(soft - 0.1f * (1 + 2 * CENTRE)) < 0.001f); /* it has let go */
    mem_free(planes[0]);
    mem_free(planes[1]);
    av_frame_free(&frame);
}
END_TEST

START_TEST(all_sample_formats_mean_the_same) {
    for (int format = 0; format < AV_SAMPLE_FMT_NB; format++) {
        enum { CHANNELS = 2, COUNT = 3000 };
        AVFrame *frame = make_frame(format, RATE, CHANNELS, COUNT);
        struct err err = {0};
        struct mix mix;
        float left[COUNT];
        float right[COUNT];
        float *const planes[] = {left, right};
        for (int c = 0; c < CHANNELS; c++) {
            for (int i = 0; i < COUNT; i++) {
                bool planar = frame->data[1] != NULL;
                uint8_t *data = planar ? frame->data[c] : frame->data[0];
                int at = planar ? i : i * CHANNELS + c;
                double value = c == 0 ? 0.5 : -0.25;
                switch (frame->format) {
                case AV_SAMPLE_FMT_U8:
                case AV_SAMPLE_FMT_U8P:
                    data[at] = (uint8_t)(128 + value * 128);
                    break;
                case AV_SAMPLE_FMT_S16:
                case AV_SAMPLE_FMT_S16P:
                    ((int16_t *)data)[at] = (int16_t)(value * 32768);
                    break;
                case AV_SAMPLE_FMT_S32:
                case AV_SAMPLE_FMT_S32P:
                    ((int32_t *)data)[at] = (int32_t)(value * 2147483648.0);
                    break;
                case AV_SAMPLE_FMT_S64:
                case AV_SAMPLE_FMT_S64P:
                    ((int64_t *)data)[at] = (int64_t)(value * 9223372036854775808.0);
                    break;
                case AV_SAMPLE_FMT_FLT:
                case AV_SAMPLE_FMT_FLTP:
                    ((float *)data)[at] = (float)value;
                    break;
                default:
                    ((double *)data)[at] = value;
                    break;
                }
            }
        }
        ck_assert_int_eq(mix_init(&mix, &frame->ch_layout, 2, RATE, &err), 0);
        ck_assert_int_eq(mix_frame(&mix, frame, planes, &err), 0);
        for (int i = 0; i < COUNT; i += 17) {
            ck_assert_msg(left[i] == 0.5f && right[i] == -0.25f, "format %d, sample %d: %f %f",
                          format, i, left[i], right[i]);
        }
        av_frame_free(&frame);
    }
}
END_TEST

START_TEST(samples_that_are_no_numbers_are_silence) {
    AVFrame *frame = make_frame(AV_SAMPLE_FMT_FLTP, RATE, 1, 6);
    const float bad[6] = {NAN, INFINITY, -INFINITY, 1e30f, 0.5f, -0.5f};
    const float want[6] = {0, 0, 0, 0, 0.5f, -0.5f};
    float out[6];
    float *const planes[] = {out};
    struct err err = {0};
    struct mix mix;
    memcpy(frame->data[0], bad, sizeof(bad));
    ck_assert_int_eq(mix_init(&mix, &frame->ch_layout, 1, RATE, &err), 0);
    ck_assert_int_eq(mix_frame(&mix, frame, planes, &err), 0);
    ck_assert_int_eq(memcmp(out, want, sizeof(want)), 0);
    av_frame_free(&frame);
}
END_TEST

/* ---- Whole tracks ---------------------------------------------------------------- */

/* An encoded track. */
struct track {
    struct buf adts;
    struct coded_config config;
    int64_t packets;
    int64_t samples;
    int stop_at;     /* packet at which the sink fails; 0: never */
    int cancel_from; /* samples at which progress cancels; 0: never */
    struct encode_stats stats;
};

static int take_config(void *context, int rung, const struct coded_config *config,
                       struct err *err) {
    struct track *track = context;
    (void)err;
    ck_assert_int_eq(rung, 0);
    ck_assert_int_eq(track->packets, 0);
    track->config = *config;
    return 0;
}

/* Keeps the packet behind an ADTS header (ISO/IEC 13818-7 6.2), which ffmpeg can read. */
static int take_packet(void *context, int rung, const struct coded_packet *packet,
                       struct err *err) {
    struct track *track = context;
    if (track->stop_at > 0 && track->packets == track->stop_at) {
        return err_set(err, ERR_NO_SPACE, "the sink is full");
    }
    ck_assert_int_eq(rung, 0);
    int index = track->config.record[0] << 1 & 0xe;
    index |= track->config.record[1] >> 7;
    int channels = track->config.record[1] >> 3 & 15;
    unsigned size = (unsigned)packet->size + 7;
    buf_u16(&track->adts, 0xfff1);
    buf_u8(&track->adts, (uint8_t)(1 << 6 | index << 2));
    buf_u32(&track->adts, (uint32_t)channels << 30 | size << 13 | 0x1ffc);
    buf_append(&track->adts, packet->data, packet->size);
    track->packets++;
    track->samples += packet->duration;
    return 0;
}

static int watch(void *context, int64_t done, int64_t total) {
    const struct track *track = context;
    ck_assert_int_le(done, total);
    return track->cancel_from > 0 && done >= track->cancel_from;
}

static int encode(struct track *track, const char *folder, const char *name, int rate, int channels,
                  struct err *err) {
    struct source_document document = {0};
    struct file_source source;
    char *path = mem_format("%s/%s", folder, name);
    ck_assert_msg(file_source_open(&source, path), "%s", path);
    mem_free(path);
    struct probe_options options = probe_options_default();
    int rc = encoder_probe(&document, &source.io, &options, NULL, NULL, err);
    ck_assert_msg(rc == 0, "%s", err->message);
    ck_assert_uint_ge(document.audio_count, 1);
    const struct encode_audio_task task = {
        .source = &document,
        .spec = {.codec = CODEC_AAC,
                 .encoder = "aac",
                 .sample_rate = rate,
                 .channels = channels,
                 .bitrate_bps = 128000},
        .progress = watch,
        .progress_context = track,
    };
    const struct coded_sink sink = {take_config, take_packet, track};
    rc = encoder_encode_audio(&task, &source.io, &sink, &track->stats, err);
    if (rc == 0) {
        int64_t wanted = title_audio_samples(&document.timeline, rate);
        ck_assert_int_eq(track->samples, track->packets * BLOCK);
        ck_assert_int_eq(track->packets, (wanted + track->config.priming + BLOCK - 1) / BLOCK);
    }
    source_document_finish(&document);
    file_source_close(&source);
    return rc;
}

static void encode_well(struct track *track, const char *folder, const char *name, int rate,
                        int channels) {
    struct err err = {0};
    *track = (struct track){0};
    int rc = encode(track, folder, name, rate, channels, &err);
    ck_assert_msg(rc == 0, "%s: %s", name, err.message);
    ck_assert_int_eq(track->config.priming, BLOCK);
}

/* ffmpeg's decoding of the track as 16-bit samples, priming cut; returns how many of each
 * channel. */
static size_t decode(struct track *track, const char *folder, int channels, int16_t **samples) {
    fixture_write(folder, "track.aac", track->adts.data, track->adts.size);
    source_shell(folder, "25", "ffmpeg -i track.aac -f s16le track.raw");
    char *path = mem_format("%s/track.raw", folder);
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    size_t room = (size_t)track->samples * (size_t)channels;
    *samples = mem_zero(room, sizeof(int16_t));
    size_t skip = (size_t)track->config.priming * (size_t)channels;
    ck_assert_int_eq(fseek(file, (long)(skip * sizeof(int16_t)), SEEK_SET), 0);
    size_t count = fread(*samples, sizeof(int16_t), room, file);
    fclose(file);
    mem_free(path);
    return count / (size_t)channels;
}

/* First sample at or after `from` seconds whose size passes a third of full scale. */
static double onset(const int16_t *samples, size_t count, int channels, int rate, double from) {
    for (size_t i = (size_t)(from * rate); i < count; i++) {
        if (abs(samples[i * (size_t)channels]) > 10000) {
            return (double)i / rate;
        }
    }
    return NAN;
}

/* 4 s of pictures; beeps at 1 s and 3 s. */
static const char make_beeps[] =
    "ffmpeg -f lavfi -i \"$CLIP\" -f lavfi -i \"aevalsrc=exprs='0.9*(between(t,1,1.05)+between(t,3,"
    "3.05))*sin(2*PI*1000*t)':s=48000:d=4\" -t 4 $X264 -c:a pcm_s16le av.mov\n";

static const struct {
    const char *name;
    const char *command;
    int rate;
    int channels;
} beeps[] = {
    {"av.mov", "true", 48000, 1},
    {"two.mov", "ffmpeg -i av.mov -c:v copy -c:a pcm_s16le -ac 2 two.mov", 48000, 2},
    {"cd.mov", "ffmpeg -i av.mov -c:v copy -c:a pcm_s24le -ar 44100 cd.mov", 44100, 2},
    {"low.mov", "ffmpeg -i av.mov -c:v copy -c:a pcm_u8 -ar 22050 low.mov", 48000, 2},
    {"high.mov", "ffmpeg -i av.mov -c:v copy -c:a pcm_f32le -ar 96000 high.mov", 48000, 2},
    {"aac.mp4", "ffmpeg -i av.mov -c:v copy -c:a aac -b:a 192k aac.mp4", 48000, 2},
    {"aac.ts", "ffmpeg -i av.mov -c:v copy -c:a aac -b:a 192k aac.ts", 48000, 2},
    {"mp3.mkv", "ffmpeg -i av.mov -c:v copy -c:a libmp3lame -b:a 192k mp3.mkv", 48000, 2},
    {"flac.mkv", "ffmpeg -i av.mov -c:v copy -c:a flac flac.mkv", 48000, 1},
};

START_TEST(beeps_stay_where_they_are) {
    char *folder = fixture_folder();
    struct track track;
    int16_t *samples;
    source_shell(folder, "25", make_beeps);
    source_shell(folder, "25", beeps[_i].command);
    encode_well(&track, folder, beeps[_i].name, beeps[_i].rate, beeps[_i].channels);
    size_t count = decode(&track, folder, beeps[_i].channels, &samples);
    ck_assert_uint_ge(count, (size_t)(4 * beeps[_i].rate));
    for (int at = 1; at <= 3; at += 2) {
        double found = onset(samples, count, beeps[_i].channels, beeps[_i].rate, at - 0.5);
        /* the sine takes 0.06 ms to a third */
        ck_assert_msg(fabs(found - 0.00006 - at) <= 0.001, "%s: the beep of %d s is at %.6f s",
                      beeps[_i].name, at, found);
    }
    mem_free(samples);
    buf_finish(&track.adts);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(sound_shorter_than_the_pictures_is_filled_up) {
    char *folder = fixture_folder();
    struct track track;
    int16_t *samples;
    source_shell(folder, "25", make_beeps);
    source_shell(folder, "25",
                 "ffmpeg -i av.mov -af atrim=0:1.5 -c:v copy -c:a aac short.mp4\n"
                 "ffmpeg -i av.mov -an -c:v copy none.mp4");
    encode_well(&track, folder, "short.mp4", 48000, 1);
    size_t count = decode(&track, folder, 1, &samples);
    ck_assert_uint_ge(count, 4 * 48000);
    ck_assert(isnan(onset(samples, count, 1, 48000, 1.6)));
    mem_free(samples);
    buf_finish(&track.adts);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(tracks_are_the_same_on_each_run_and_processor) {
    char *folder = fixture_folder();
    struct track first, second, baseline;
    source_shell(folder, "25",
                 "ffmpeg -f lavfi -i \"$CLIP\" -f lavfi -i \"anoisesrc=d=4:c=pink:r=32000:seed=1\" "
                 "-t 4 $X264 -c:a aac -ac 2 av.mp4");
    encode_well(&first, folder, "av.mp4", 48000, 2);
    encode_well(&second, folder, "av.mp4", 48000, 2);
    encoder_use_baseline_cpu();
    encode_well(&baseline, folder, "av.mp4", 48000, 2);
    ck_assert_uint_eq(first.adts.size, second.adts.size);
    ck_assert_int_eq(memcmp(first.adts.data, second.adts.data, first.adts.size), 0);
    ck_assert_uint_eq(first.adts.size, baseline.adts.size);
    ck_assert_int_eq(memcmp(first.adts.data, baseline.adts.data, first.adts.size), 0);
    buf_finish(&first.adts);
    buf_finish(&second.adts);
    buf_finish(&baseline.adts);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(tracks_stop_when_told) {
    char *folder = fixture_folder();
    source_shell(folder, "25", make_beeps);
    struct err err = {0};
    struct track full = {.stop_at = 20};
    ck_assert_int_eq(encode(&full, folder, "av.mov", 48000, 1, &err), ERR_NO_SPACE);
    ck_assert_str_eq(err.message, "the sink is full");
    ck_assert_int_eq(full.packets, 20);
    buf_finish(&full.adts);
    err_clear(&err);
    struct track cancelled = {.cancel_from = 48000};
    ck_assert_int_eq(encode(&cancelled, folder, "av.mov", 48000, 1, &err), ERR_CANCELLED);
    ck_assert_int_lt(cancelled.samples, 3 * 48000);
    buf_finish(&cancelled.adts);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- Specs ----------------------------------------------------------------------- */

static const struct {
    const char *encoder;
    enum codec_id codec;
    int rate, channels;
    int64_t bitrate;
    int code;
} specs[] = {
    {"aac", CODEC_AAC, 48000, 2, 128000, 0},
    {"aac", CODEC_AAC, 44100, 1, 64000, 0},
    {"aac", CODEC_OPUS, 48000, 2, 128000, ERR_INVALID},
    {"opus", CODEC_OPUS, 48000, 2, 128000, ERR_UNSUPPORTED},
    {"", CODEC_AAC, 48000, 2, 128000, ERR_UNSUPPORTED},
    {"aac", CODEC_AAC, 48000, 0, 128000, ERR_UNSUPPORTED},
    {"aac", CODEC_AAC, 48000, 6, 128000, ERR_UNSUPPORTED},
    {"aac", CODEC_AAC, 0, 2, 128000, ERR_INVALID},
    {"aac", CODEC_AAC, 7999, 2, 128000, ERR_INVALID},
    {"aac", CODEC_AAC, 192000, 2, 128000, ERR_INVALID},
    {"aac", CODEC_AAC, 48000, 2, 0, ERR_INVALID},
    {"aac", CODEC_AAC, 48000, 2, 1000000000, ERR_INVALID},
};

START_TEST(specs_are_checked) {
    struct audio_spec spec = {.codec = specs[_i].codec,
                              .sample_rate = specs[_i].rate,
                              .channels = specs[_i].channels,
                              .bitrate_bps = specs[_i].bitrate};
    snprintf(spec.encoder, sizeof(spec.encoder), "%s", specs[_i].encoder);
    struct err err = {0};
    const struct audio_codec *codec = NULL;
    ck_assert_int_eq(audio_codec_check(&codec, &spec, &err), specs[_i].code);
    ck_assert((codec != NULL) == (specs[_i].code == 0));
}
END_TEST

#define ADD_ALL(tcase, test, table)                                                                \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof((table)[0]))

Suite *audio_suite(void) {
    Suite *suite = suite_create("audio");
    TCase *timeline = tcase_create("timeline");
    tcase_add_test(timeline, sound_in_time_passes_untouched);
    ADD_ALL(timeline, edges_are_cut_and_filled, edges);
    tcase_add_test(timeline, a_hole_is_silence_of_its_own_length);
    tcase_add_test(timeline, what_comes_twice_is_heard_once);
    ADD_ALL(timeline, jitter_moves_nothing, jitters);
    ADD_ALL(timeline, drift_never_passes_a_millisecond, drifts);
    tcase_add_test(timeline, absurd_times_are_passed_over);
    suite_add_tcase(suite, timeline);
    TCase *rating = tcase_create("rates");
    ADD_ALL(rating, resampling_keeps_time_and_level, rates);
    tcase_add_test(rating, the_rate_may_change_on_the_way);
    tcase_add_test(rating, strange_rates_are_refused);
    tcase_add_test(rating, samples_do_not_hang_on_the_processor);
    suite_add_tcase(suite, rating);
    TCase *mixing = tcase_create("mixing");
    ADD_ALL(mixing, channels_are_mixed_by_the_table, mixes);
    tcase_add_test(mixing, too_many_channels_are_refused);
    tcase_add_test(mixing, a_loud_downmix_is_held_at_full_scale);
    tcase_add_test(mixing, all_sample_formats_mean_the_same);
    tcase_add_test(mixing, samples_that_are_no_numbers_are_silence);
    suite_add_tcase(suite, mixing);
    TCase *tracks = tcase_create("tracks");
    ADD_ALL(tracks, beeps_stay_where_they_are, beeps);
    tcase_add_test(tracks, sound_shorter_than_the_pictures_is_filled_up);
    tcase_add_test(tracks, tracks_are_the_same_on_each_run_and_processor);
    tcase_add_test(tracks, tracks_stop_when_told);
    ADD_ALL(tracks, specs_are_checked, specs);
    suite_add_tcase(suite, tracks);
    return suite;
}
