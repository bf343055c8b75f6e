/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a ladder may say about each encoder: its presets, tunes and profiles. A row
 * here and one in the encoder's own table make a codec known. Private to ladders/.
 */
#ifndef LADDERS_ENCODERS_H
#define LADDERS_ENCODERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/media.h"

struct encoder_row {
    const char *name; /* "x264" */
    enum codec_id codec;
    const char *preset; /* what a rung has that names none */
    const char *profile;
    int crf_hundredths;
    int crf_max_hundredths;
    const char *lossless_profile; /* NULL: it has no lossless mode */
    bool capped;                  /* it keeps to maxrate and bufsize_s */
    int bits_max;                 /* a sample */
    int threads_max;              /* with more its bytes would not be repeatable */
    int side_min;                 /* pixels of the smallest picture that it codes */
    const char *const *presets;   /* NULL at the end, as all lists here */
    const char *const *tunes;     /* "none" is first, and the default */
    const char *const *profiles;
};

/* The row of that name; NULL for an unknown one. */
const struct encoder_row *encoder_row_of(const char *name);

/* The first row of the codec: its default encoder; NULL where there is none. */
const struct encoder_row *encoder_row_for(enum codec_id codec);

/* The codecs of pictures or of sound that have an encoder, "h264, av1", for messages. */
void encoder_codecs(bool video, char *out, size_t size);

#endif
