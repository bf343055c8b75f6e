/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From decoded sound with timestamps to blocks of float samples that cover the title
 * without a hole: mixed to mono or stereo, laid on the timeline, resampled. Private
 * to encoder/.
 */
#ifndef ENCODER_SOUND_H
#define ENCODER_SOUND_H

#include <libavutil/frame.h>

#include "audio.h"

/* Takes `block` samples of each channel, borrowed during the call; negative ends the
 * call that emits with that error. */
typedef int (*sound_block_fn)(void *context, float *const *planes, struct err *err);

struct sound_options {
    int sample_rate; /* Hz, of the output */
    int channels;    /* 1 or 2 */
    int block;       /* samples of each channel a block */
    int64_t samples; /* that the title lasts at sample_rate */
    sound_block_fn emit;
    void *context;
};

struct sound;

/* Never fails; free with sound_destroy. */
struct sound *sound_create(const struct sound_options *options);
void sound_destroy(struct sound *sound); /* takes NULL */

/*
 * Adds decoded samples whose first is `start` seconds after the timeline's start. What
 * lies before the start is cut, what is missing is silence, what overlaps is dropped.
 * A difference between timestamps and samples counts only while it lasts: it is made
 * good where it begins once all samples of the half second that follows agree on it
 * by more than half a millisecond, so jitter moves nothing and drift stays inaudible.
 * UNSUPPORTED for samples that can't be read.
 */
int sound_add(struct sound *sound, const AVFrame *frame, struct rational start, struct err *err);

/* Pads with silence to the title's end, then to a whole block. */
int sound_finish(struct sound *sound, struct err *err);

/* "libswresample 4.7.100": borrowed. */
const char *sound_library(void);

#endif
