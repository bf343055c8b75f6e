/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of audio encoders. To add one: write audio_<name>.c with a const struct
 * audio_codec, and add its row to the table in audio.c. Private to encoder/.
 */
#ifndef ENCODER_AUDIO_H
#define ENCODER_AUDIO_H

#include <stdint.h>

#include "encoder/encoder.h"

enum { AUDIO_CHANNELS_MAX = 2 };

/* Takes a packet, borrowed during the call; a negative err_code ends the call that
 * emits with it. */
typedef int (*audio_emit_fn)(void *context, const struct coded_packet *packet, struct err *err);

struct audio_codec {
    const char *name; /* as in audio_spec.encoder */
    enum codec_id codec;
    int block; /* samples of each channel that encode takes, and of each packet */

    /* "libavcodec 59.37.100": borrowed, constant. */
    const char *(*library)(void);

    /* `*state` is owned and ends with close. Fills `*config` from the spec alone. */
    int (*open)(void **state, const struct audio_spec *spec, struct coded_config *config,
                struct err *err);

    /* Encodes `block` samples of each channel, full scale at 1. */
    int (*encode)(void *state, float *const *planes, audio_emit_fn emit, void *context,
                  struct err *err);

    /* Nothing follows: emits what is held back. */
    int (*flush)(void *state, audio_emit_fn emit, void *context, struct err *err);

    void (*close)(void *state); /* takes NULL */
};

extern const struct audio_codec audio_aac;

/* Row i of the table; NULL at the end. */
const struct audio_codec *audio_codec_at(size_t index);

/* The row of that name; NULL where there is none. */
const struct audio_codec *audio_codec_find(const char *name);

/* INVALID or UNSUPPORTED where no row can meet the spec; else `*codec` is its row. */
int audio_codec_check(const struct audio_codec **codec, const struct audio_spec *spec,
                      struct err *err);

#endif
