/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Mixing in plain float sums of fixed order, the same on every processor: see mix.h. */
#include "mix.h"

#include <libavutil/channel_layout.h>
#include <math.h>
#include <string.h>

#define HALF_POWER 0.70710678f /* -3 dB */

/* What a channel gives to the left and the right, ITU-R BS.775-3 table 2 and, for
 * channels that it does not know, their neighbours'. */
static const struct {
    enum AVChannel channel;
    float left;
    float right;
} gains[] = {
    {AV_CHAN_FRONT_LEFT, 1, 0},
    {AV_CHAN_FRONT_RIGHT, 0, 1},
    {AV_CHAN_FRONT_CENTER, HALF_POWER, HALF_POWER},
    {AV_CHAN_LOW_FREQUENCY, 0, 0},
    {AV_CHAN_LOW_FREQUENCY_2, 0, 0},
    {AV_CHAN_BACK_LEFT, HALF_POWER, 0},
    {AV_CHAN_BACK_RIGHT, 0, HALF_POWER},
    {AV_CHAN_SIDE_LEFT, HALF_POWER, 0},
    {AV_CHAN_SIDE_RIGHT, 0, HALF_POWER},
    {AV_CHAN_BACK_CENTER, 0.5f, 0.5f},
    {AV_CHAN_FRONT_LEFT_OF_CENTER, 1, 0},
    {AV_CHAN_FRONT_RIGHT_OF_CENTER, 0, 1},
    {AV_CHAN_WIDE_LEFT, 1, 0},
    {AV_CHAN_WIDE_RIGHT, 0, 1},
    {AV_CHAN_STEREO_LEFT, 1, 0},
    {AV_CHAN_STEREO_RIGHT, 0, 1},
    {AV_CHAN_TOP_FRONT_LEFT, HALF_POWER, 0},
    {AV_CHAN_TOP_FRONT_RIGHT, 0, HALF_POWER},
    {AV_CHAN_TOP_FRONT_CENTER, 0.5f, 0.5f},
    {AV_CHAN_TOP_CENTER, 0.5f, 0.5f},
    {AV_CHAN_TOP_BACK_LEFT, HALF_POWER, 0},
    {AV_CHAN_TOP_BACK_RIGHT, 0, HALF_POWER},
    {AV_CHAN_TOP_BACK_CENTER, 0.5f, 0.5f},
    {AV_CHAN_TOP_SIDE_LEFT, HALF_POWER, 0},
    {AV_CHAN_TOP_SIDE_RIGHT, 0, HALF_POWER},
};

enum { GAIN_COUNT = sizeof(gains) / sizeof(gains[0]) };

static bool add_channel(struct mix *mix, int input, enum AVChannel channel) {
    for (int i = 0; i < GAIN_COUNT; i++) {
        if (gains[i].channel == channel) {
            mix->gains[0][input] = gains[i].left;
            mix->gains[1][input] = gains[i].right;
            return true;
        }
    }
    return false;
}

static bool add_layout(struct mix *mix, const AVChannelLayout *layout) {
    if (layout->order != AV_CHANNEL_ORDER_NATIVE && layout->order != AV_CHANNEL_ORDER_CUSTOM) {
        return false;
    }
    bool known = false;
    for (int i = 0; i < mix->inputs; i++) {
        enum AVChannel channel = av_channel_layout_channel_from_index(layout, (unsigned)i);
        known = add_channel(mix, i, channel) || known;
    }
    return known;
}

static void take_first_two(struct mix *mix) {
    mix->gains[0][0] = 1;
    mix->gains[1][mix->inputs > 1 ? 1 : 0] = 1;
}

/* Mono in two places at full level, since a centre channel alone is no surround. */
static void settle_outputs(struct mix *mix) {
    if (mix->inputs == 1) {
        mix->gains[0][0] = 1;
        mix->gains[1][0] = 1;
    }
    if (mix->outputs == 1 && mix->inputs > 1) {
        for (int i = 0; i < mix->inputs; i++) {
            mix->gains[0][i] = (mix->gains[0][i] + mix->gains[1][i]) / 2;
        }
    }
    for (int o = 0; o < mix->outputs; o++) {
        float sum = 0;
        for (int i = 0; i < mix->inputs; i++) {
            sum += mix->gains[o][i];
        }
        mix->downmix = mix->downmix || sum > 1.0001f;
    }
}

int mix_init(struct mix *mix, const AVChannelLayout *layout, int outputs, int sample_rate,
             struct err *err) {
    if (layout->nb_channels < 1 || layout->nb_channels > MIX_INPUTS_MAX) {
        return err_set(err, ERR_UNSUPPORTED, "its sound has %d channels; 1 to %d can be read",
                       layout->nb_channels, MIX_INPUTS_MAX);
    }
    *mix = (struct mix){.inputs = layout->nb_channels, .outputs = outputs, .level = 1};
    mix->release = 10.0f / (float)sample_rate;
    AVChannelLayout guess = {0};
    av_channel_layout_default(&guess, layout->nb_channels);
    if (!add_layout(mix, layout) && !add_layout(mix, &guess)) {
        take_first_two(mix);
    }
    av_channel_layout_uninit(&guess);
    settle_outputs(mix);
    return 0;
}

/* `count` samples of one channel, `step` samples apart, as float. */
static bool read_samples(float *out, const uint8_t *in, int step, int count,
                         enum AVSampleFormat packed) {
    switch (packed) {
    case AV_SAMPLE_FMT_U8:
        for (int i = 0; i < count; i++) {
            out[i] = ((float)in[(size_t)i * (size_t)step] - 128.0f) / 128.0f;
        }
        return true;
    case AV_SAMPLE_FMT_S16:
        for (int i = 0; i < count; i++) {
            out[i] = (float)((const int16_t *)in)[(size_t)i * (size_t)step] / 32768.0f;
        }
        return true;
    case AV_SAMPLE_FMT_S32:
        for (int i = 0; i < count; i++) {
            out[i] = (float)((const int32_t *)in)[(size_t)i * (size_t)step] / 2147483648.0f;
        }
        return true;
    case AV_SAMPLE_FMT_S64:
        for (int i = 0; i < count; i++) {
            out[i] = (float)((const int64_t *)in)[(size_t)i * (size_t)step] /
                     9223372036854775808.0f;
        }
        return true;
    case AV_SAMPLE_FMT_FLT:
        for (int i = 0; i < count; i++) {
            out[i] = ((const float *)in)[(size_t)i * (size_t)step];
        }
        return true;
    case AV_SAMPLE_FMT_DBL:
        for (int i = 0; i < count; i++) {
            out[i] = (float)((const double *)in)[(size_t)i * (size_t)step];
        }
        return true;
    default:
        return false;
    }
}

/* Samples that are no number, or absurdly loud, come from damage. */
static void remove_damage(float *samples, int count) {
    for (int i = 0; i < count; i++) {
        if (!(fabsf(samples[i]) <= 64.0f)) {
            samples[i] = 0;
        }
    }
}

static void limit(struct mix *mix, float *const *planes, int count) {
    for (int i = 0; i < count; i++) {
        float peak = 0;
        for (int o = 0; o < mix->outputs; o++) {
            float size = fabsf(planes[o][i]);
            peak = size > peak ? size : peak;
        }
        mix->level = mix->level + mix->release < 1 ? mix->level + mix->release : 1;
        if (peak * mix->level > 1) {
            mix->level = 1 / peak;
        }
        for (int o = 0; o < mix->outputs; o++) {
            planes[o][i] *= mix->level;
        }
    }
}

static void add_scaled(float *out, const float *in, float gain, int count) {
    for (int i = 0; i < count; i++) {
        out[i] += in[i] * gain;
    }
}

int mix_frame(struct mix *mix, const AVFrame *frame, float *const *planes, struct err *err) {
    enum { PART = 1024 };
    float channel[PART];
    bool planar = av_sample_fmt_is_planar(frame->format);
    enum AVSampleFormat packed = av_get_packed_sample_fmt(frame->format);
    size_t bytes = (size_t)av_get_bytes_per_sample(frame->format);
    for (int done = 0; done < frame->nb_samples; done += PART) {
        int count = frame->nb_samples - done < PART ? frame->nb_samples - done : PART;
        for (int o = 0; o < mix->outputs; o++) {
            memset(planes[o] + done, 0, (size_t)count * sizeof(float));
        }
        for (int i = 0; i < mix->inputs; i++) {
            const uint8_t *in = planar
                                    ? frame->extended_data[i] + (size_t)done * bytes
                                    : frame->extended_data[0] +
                                          ((size_t)done * (size_t)mix->inputs + (size_t)i) * bytes;
            if (!read_samples(channel, in, planar ? 1 : mix->inputs, count, packed)) {
                return err_set(err, ERR_UNSUPPORTED,
                               "its sound decodes to samples of the format "
                               "%s, which can't be read",
                               av_get_sample_fmt_name(frame->format));
            }
            remove_damage(channel, count);
            for (int o = 0; o < mix->outputs; o++) {
                if (mix->gains[o][i] != 0) {
                    add_scaled(planes[o] + done, channel, mix->gains[o][i], count);
                }
            }
        }
    }
    if (mix->downmix) {
        limit(mix, planes, frame->nb_samples);
    }
    return 0;
}
