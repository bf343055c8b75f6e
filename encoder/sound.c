/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sound on the title's timeline: see sound.h. Positions are samples of the source's
 * rate after the timeline's start. Samples wait in `queue` until half a second of what
 * follows them is known, then go to the resampler where there is one, then to blocks.
 */
#include "sound.h"

#include <libavutil/channel_layout.h>
#include <libavutil/opt.h>
#include <libswresample/swresample.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "mix.h"

enum {
    WAIT_PER_SECOND = 2,         /* the queue holds 1/2 s */
    TOLERANCE_PER_SECOND = 2000, /* 1/2 ms */
    SMALL_PER_SECOND = 100,      /* up to 10 ms is mended without a hole */
    FADE = 64,                   /* samples */
    PART = 4096,                 /* samples resampled at a time */
    HEADROOM_BITS = 2,           /* of the resampler's integers: sums up to 4 survive */
    RATE_MAX = 768000,
};

static const double far_away_s = 1e7; /* no title lasts so long */

/* Samples that wait. */
struct piece {
    int64_t start; /* position that their timestamp says */
    int count;
    float *planes[AUDIO_CHANNELS_MAX]; /* one allocation, owned through planes[0] */
};

struct sound {
    struct sound_options options;
    int rate; /* Hz, of the source; 0 before the first samples */
    AVChannelLayout layout;
    struct mix mix;
    struct SwrContext *resampler; /* owned; NULL where rates are equal */
    bool begun;                   /* the first piece is committed */
    int64_t at;                   /* position of the next sample that is committed */
    struct piece *queue;          /* owned */
    size_t queue_count;
    size_t queue_capacity;
    int64_t queued;                   /* samples in the queue */
    float last[AUDIO_CHANNELS_MAX];   /* samples before `at` */
    float *block[AUDIO_CHANNELS_MAX]; /* owned through block[0] */
    int block_used;
    int64_t written; /* samples that went into blocks */
};

struct sound *sound_create(const struct sound_options *options) {
    struct sound *sound = mem_zero(1, sizeof(*sound));
    sound->options = *options;
    size_t block = (size_t)options->block;
    sound->block[0] = mem_zero(block * (size_t)options->channels, sizeof(float));
    for (int c = 1; c < options->channels; c++) {
        sound->block[c] = sound->block[0] + block * (size_t)c;
    }
    return sound;
}

void sound_destroy(struct sound *sound) {
    if (sound == NULL) {
        return;
    }
    for (size_t i = 0; i < sound->queue_count; i++) {
        mem_free(sound->queue[i].planes[0]);
    }
    mem_free(sound->queue);
    mem_free(sound->block[0]);
    swr_free(&sound->resampler);
    av_channel_layout_uninit(&sound->layout);
    mem_free(sound);
}

static int fail(int code, struct err *err) {
    if (code == AVERROR(ENOMEM)) {
        return err_set(err, ERR_INTERNAL, "out of memory for sound");
    }
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof(text));
    return err_set(err, ERR_INTERNAL, "libswresample failed: %s", text);
}

/* Puts samples at the output's rate into blocks; NULL planes are silence. What passes
 * the title's end is left out. */
static int write_samples(struct sound *sound, float *const *planes, int64_t count,
                         struct err *err) {
    const struct sound_options *options = &sound->options;
    int64_t room = options->samples - sound->written;
    count = count < room ? count : room;
    for (int64_t done = 0; done < count;) {
        int part = options->block - sound->block_used;
        part = count - done < part ? (int)(count - done) : part;
        for (int c = 0; c < options->channels; c++) {
            float *out = sound->block[c] + sound->block_used;
            if (planes == NULL) {
                memset(out, 0, (size_t)part * sizeof(float));
            } else {
                memcpy(out, planes[c] + done, (size_t)part * sizeof(float));
            }
        }
        done += part;
        sound->written += part;
        sound->block_used += part;
        if (sound->block_used == options->block) {
            sound->block_used = 0;
            int rc = options->emit(options->context, sound->block, err);
            if (rc < 0) {
                return rc;
            }
        }
    }
    return 0;
}

/* Full scale 1 becomes 2^29: room for sums, and 29 bits are more than AAC keeps. */
static int32_t to_integer(float sample) {
    const float scale = (float)(1u << (31 - HEADROOM_BITS));
    float value = sample * scale;
    if (value >= 2147483520.0f) {
        return 2147483520;
    }
    return value <= -2147483520.0f ? -2147483520 : (int32_t)value;
}

static float to_float(int32_t sample) {
    return (float)sample / (float)(1u << (31 - HEADROOM_BITS));
}

/* Passes up to PART samples through the resampler; count 0 drains it. It works on
 * integers since its float kernels round differently from processor to processor. */
static int resample_part(struct sound *sound, float *const *planes, int count, struct err *err) {
    int channels = sound->options.channels;
    int room = swr_get_out_samples(sound->resampler, count) + 1;
    size_t per_channel = (size_t)count + 2 * (size_t)room;
    uint8_t *memory = mem_try(per_channel * (size_t)channels * sizeof(int32_t));
    if (memory == NULL) {
        return fail(AVERROR(ENOMEM), err);
    }
    int32_t *in[AUDIO_CHANNELS_MAX];
    int32_t *out[AUDIO_CHANNELS_MAX];
    float *floats[AUDIO_CHANNELS_MAX];
    for (int c = 0; c < channels; c++) {
        uint8_t *own = memory + per_channel * (size_t)c * sizeof(int32_t);
        floats[c] = (float *)own;
        out[c] = (int32_t *)(own + (size_t)room * sizeof(float));
        in[c] = out[c] + room;
        for (int i = 0; i < count; i++) {
            in[c][i] = to_integer(planes[c][i]);
        }
    }
    int made = swr_convert(sound->resampler, (uint8_t **)out, room,
                           count > 0 ? (const uint8_t **)in : NULL, count);
    for (int c = 0; c < channels; c++) {
        for (int i = 0; i < made; i++) {
            floats[c][i] = to_float(out[c][i]);
        }
    }
    int rc = made < 0 ? fail(made, err) : write_samples(sound, floats, made, err);
    mem_free(memory);
    return rc;
}

/* Sends samples at the source's rate on; NULL planes are silence. Positions before 0
 * are cut here. */
static int send(struct sound *sound, float *const *planes, int64_t count, struct err *err) {
    static float zeros[PART];
    int64_t skip = sound->at < 0 ? -sound->at : 0;
    skip = skip < count ? skip : count;
    sound->at += count;
    if (sound->resampler == NULL && planes == NULL) {
        return write_samples(sound, NULL, count - skip, err);
    }
    int rc = 0;
    for (int64_t done = skip; rc == 0 && done < count;) {
        int part = count - done < PART ? (int)(count - done) : PART;
        float *from[AUDIO_CHANNELS_MAX];
        for (int c = 0; c < sound->options.channels; c++) {
            from[c] = planes == NULL ? zeros : planes[c] + done;
        }
        rc = sound->resampler == NULL ? write_samples(sound, from, part, err)
                                      : resample_part(sound, from, part, err);
        done += part;
    }
    return rc;
}

static bool is_over(const struct sound *sound) {
    return sound->written >= sound->options.samples;
}

/* Fills a small hole by a straight line from the last sample to the next. */
static int bridge(struct sound *sound, const struct piece *piece, int count, struct err *err) {
    float *planes[AUDIO_CHANNELS_MAX];
    planes[0] = mem_zero((size_t)count * (size_t)sound->options.channels, sizeof(float));
    for (int c = 0; c < sound->options.channels; c++) {
        planes[c] = planes[0] + (size_t)c * (size_t)count;
        float from = sound->last[c];
        float step = (piece->planes[c][0] - from) / (float)(count + 1);
        for (int i = 0; i < count; i++) {
            planes[c][i] = from + step * (float)(i + 1);
        }
    }
    int rc = send(sound, planes, count, err);
    mem_free(planes[0]);
    return rc;
}

/* Takes `count` samples off the head of a piece, fading over what follows. */
static void cut_head(struct sound *sound, struct piece *piece, int count) {
    int fade = piece->count - count < FADE ? piece->count - count : FADE;
    bool small = count <= sound->rate / SMALL_PER_SECOND;
    for (int c = 0; c < sound->options.channels; c++) {
        float *samples = piece->planes[c];
        for (int i = 0; small && i < fade; i++) {
            float weight = (float)(i + 1) / (float)(fade + 1);
            samples[count + i] = samples[i] * (1 - weight) + samples[count + i] * weight;
        }
        memmove(samples, samples + count, (size_t)(piece->count - count) * sizeof(float));
    }
    piece->count -= count;
}

/* How far the queue's first piece must be moved: the smallest of the differences that
 * it and all that wait behind it have, 0 where they do not agree. */
static int64_t lasting_difference(const struct sound *sound) {
    int64_t tolerance = sound->rate / TOLERANCE_PER_SECOND;
    int64_t least = sound->queue[0].start - sound->at;
    int64_t position = sound->at;
    for (size_t i = 0; i < sound->queue_count; i++) {
        int64_t difference = sound->queue[i].start - position;
        if (llabs(difference) <= tolerance || (difference < 0) != (least < 0)) {
            return 0;
        }
        least = llabs(difference) < llabs(least) ? difference : least;
        position += sound->queue[i].count;
    }
    return least;
}

/* Lays the queue's first piece on the timeline. */
static int commit_first(struct sound *sound, struct err *err) {
    struct piece *piece = &sound->queue[0];
    int64_t move = lasting_difference(sound);
    if (!sound->begun) { /* nothing comes before it that could be continued */
        sound->begun = true;
        move = piece->start > 0 ? piece->start : 0;
        sound->at = piece->start < 0 ? piece->start : 0;
    }
    sound->queued -= piece->count;
    int rc = 0;
    if (move > 0 && sound->at > 0 && move <= sound->rate / SMALL_PER_SECOND) {
        rc = bridge(sound, piece, (int)move, err);
    } else if (move > 0) {
        rc = send(sound, NULL, move, err);
    } else if (move < 0) {
        cut_head(sound, piece, -move < piece->count ? (int)-move : piece->count);
    }
    if (rc == 0 && piece->count > 0) {
        rc = send(sound, piece->planes, piece->count, err);
        for (int c = 0; c < sound->options.channels; c++) {
            sound->last[c] = piece->planes[c][piece->count - 1];
        }
    }
    mem_free(piece->planes[0]);
    sound->queue_count--;
    memmove(sound->queue, sound->queue + 1, sound->queue_count * sizeof(*sound->queue));
    return rc;
}

static int commit_all(struct sound *sound, struct err *err) {
    int rc = 0;
    while (rc == 0 && sound->queue_count > 0) {
        rc = commit_first(sound, err);
    }
    return rc;
}

static int drain_resampler(struct sound *sound, struct err *err) {
    if (sound->resampler == NULL) {
        return 0;
    }
    int rc = resample_part(sound, NULL, 0, err);
    swr_free(&sound->resampler);
    return rc;
}

static int open_resampler(struct sound *sound, struct err *err) {
    if (sound->rate == sound->options.sample_rate) {
        return 0;
    }
    AVChannelLayout layout = {0};
    av_channel_layout_default(&layout, sound->options.channels);
    int rc = swr_alloc_set_opts2(&sound->resampler, &layout, AV_SAMPLE_FMT_S32P,
                                 sound->options.sample_rate, &layout, AV_SAMPLE_FMT_S32P,
                                 sound->rate, 0, NULL);
    if (rc >= 0) {
        rc = av_opt_set_sample_fmt(sound->resampler, "internal_sample_fmt", AV_SAMPLE_FMT_S32P, 0);
    }
    if (rc >= 0) {
        rc = swr_init(sound->resampler);
    }
    av_channel_layout_uninit(&layout);
    return rc < 0 ? fail(rc, err) : 0;
}

/* Readies for samples of another rate or layout; positions go over to the new rate. */
static int adopt(struct sound *sound, const AVFrame *frame, struct err *err) {
    if (frame->sample_rate < 1000 || frame->sample_rate > RATE_MAX) {
        return err_set(err, ERR_UNSUPPORTED,
                       "its sound has %d samples a second; 1000 to %d can be "
                       "read",
                       frame->sample_rate, RATE_MAX);
    }
    int rc = commit_all(sound, err);
    if (rc == 0) {
        rc = drain_resampler(sound, err);
    }
    if (rc < 0) {
        return rc;
    }
    if (sound->rate > 0) {
        sound->at = ticks_scale(sound->at, frame->sample_rate, sound->rate, ROUND_NEAR);
    }
    sound->rate = frame->sample_rate;
    rc = mix_init(&sound->mix, &frame->ch_layout, sound->options.channels, sound->rate, err);
    if (rc < 0) {
        return rc;
    }
    av_channel_layout_uninit(&sound->layout);
    if (av_channel_layout_copy(&sound->layout, &frame->ch_layout) < 0) {
        return fail(AVERROR(ENOMEM), err);
    }
    return open_resampler(sound, err);
}

static int enqueue(struct sound *sound, const AVFrame *frame, int64_t start, struct err *err) {
    struct piece piece = {.start = start, .count = frame->nb_samples};
    size_t samples = (size_t)frame->nb_samples;
    piece.planes[0] = mem_try(samples * (size_t)sound->options.channels * sizeof(float));
    if (piece.planes[0] == NULL) {
        return fail(AVERROR(ENOMEM), err);
    }
    for (int c = 1; c < sound->options.channels; c++) {
        piece.planes[c] = piece.planes[0] + samples * (size_t)c;
    }
    int rc = mix_frame(&sound->mix, frame, piece.planes, err);
    if (rc < 0) {
        mem_free(piece.planes[0]);
        return rc;
    }
    if (sound->queue_count == sound->queue_capacity) {
        sound->queue_capacity = sound->queue_capacity * 2 + 64;
        sound->queue = mem_resize(sound->queue, sound->queue_capacity, sizeof(*sound->queue));
    }
    sound->queue[sound->queue_count++] = piece;
    sound->queued += piece.count;
    return 0;
}

int sound_add(struct sound *sound, const AVFrame *frame, struct rational start, struct err *err) {
    if (is_over(sound) || frame->nb_samples <= 0 || rational_value(start) > far_away_s ||
        rational_value(start) < -far_away_s) {
        return 0;
    }
    int rc = 0;
    if (frame->sample_rate != sound->rate ||
        av_channel_layout_compare(&frame->ch_layout, &sound->layout) != 0) {
        rc = adopt(sound, frame, err);
        if (rc < 0) {
            return rc;
        }
    }
    rc = enqueue(sound, frame, ticks_scale(start.num, sound->rate, start.den, ROUND_NEAR), err);
    while (rc == 0 && sound->queue_count > 1 &&
           sound->queued - sound->queue[0].count >= sound->rate / WAIT_PER_SECOND) {
        rc = commit_first(sound, err);
    }
    return rc;
}

int sound_finish(struct sound *sound, struct err *err) {
    int rc = commit_all(sound, err);
    if (rc == 0) {
        rc = drain_resampler(sound, err);
    }
    if (rc == 0) {
        rc = write_samples(sound, NULL, sound->options.samples, err);
    }
    if (rc == 0 && sound->block_used > 0) {
        for (int c = 0; c < sound->options.channels; c++) {
            memset(sound->block[c] + sound->block_used, 0,
                   (size_t)(sound->options.block - sound->block_used) * sizeof(float));
        }
        sound->block_used = 0;
        rc = sound->options.emit(sound->options.context, sound->block, err);
    }
    return rc;
}

const char *sound_library(void) {
    static char text[48];
    if (text[0] == '\0') {
        unsigned version = swresample_version();
        snprintf(text, sizeof(text), "libswresample %u.%u.%u", version >> 16, version >> 8 & 255,
                 version & 255);
    }
    return text;
}
