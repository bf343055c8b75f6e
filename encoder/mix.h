/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoded samples of any format and layout, mixed to one or two channels of float.
 * Private to encoder/. */
#ifndef ENCODER_MIX_H
#define ENCODER_MIX_H

#include <libavutil/frame.h>
#include <stdbool.h>

#include "audio.h"

enum { MIX_INPUTS_MAX = 64 };

/* How the channels of a layout make those that are wanted. */
struct mix {
    int inputs;
    int outputs;
    float gains[AUDIO_CHANNELS_MAX][MIX_INPUTS_MAX];
    bool downmix;  /* several channels fall into one, so that full scale may be passed */
    float level;   /* gain of the limiter now */
    float release; /* what its gain rises by a sample */
};

/*
 * Surround to stereo by ITU-R BS.775-3 table 2: centre and surrounds at -3 dB, LFE left
 * out; mono to two channels unchanged on both; stereo to one as their mean. Unknown
 * layouts are taken by their number of channels, strange ones as their first two.
 * UNSUPPORTED for more than MIX_INPUTS_MAX channels.
 */
int mix_init(struct mix *mix, const AVChannelLayout *layout, int outputs, int sample_rate,
             struct err *err);

/* Writes frame->nb_samples samples into each of mix->outputs planes. Sums above full
 * scale are held down by a limiter that lets go within a tenth of a second.
 * UNSUPPORTED for sample formats that are no PCM. */
int mix_frame(struct mix *mix, const AVFrame *frame, float *const *planes, struct err *err);

#endif
