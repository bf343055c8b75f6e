/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libavcodec's decoders, opened so that equal bytes give equal pictures and sound on
 * every machine of one architecture. */
#ifndef ENCODER_DECODER_H
#define ENCODER_DECODER_H

#include <libavcodec/avcodec.h>

#include "common/err.h"

/* `*out` is owned, freed with avcodec_free_context. `codec` is libavcodec's name of the
 * codec, used where the stream does not know its own; NULL: the stream knows.
 * UNSUPPORTED where no decoder is there. */
int decoder_open(AVCodecContext **out, const AVCodecParameters *parameters, AVRational time_base,
                 const char *codec, struct err *err);

/* What a decoder refuses as damaged is missing, and no failure. But for want of memory it refuses
 * what is sound: INTERNAL for that status of libavcodec, else 0. */
int decoder_check(int status, struct err *err);

/* How many pictures may be decoded before one that is shown earlier. */
int decoder_reorder_limit(const AVCodecContext *decoder);

#endif
