/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of video encoders. To add one: write video_<name>.c with a const
 * struct video_codec, and add its row to the table in video.c. Private to encoder/.
 */
#ifndef ENCODER_VIDEO_H
#define ENCODER_VIDEO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encoder/encoder.h"

/* What a row can do beyond 8-bit 4:2:0. */
enum video_capability {
    VIDEO_LOSSLESS = 1 << 0,
    VIDEO_CAPPED = 1 << 1, /* maxrate and bufsize together with crf */
    VIDEO_10_BIT = 1 << 2,
    VIDEO_CHROMA_400 = 1 << 3,
    VIDEO_CHROMA_422 = 1 << 4,
    VIDEO_CHROMA_444 = 1 << 5,
    VIDEO_FAKE = 1 << 6, /* makes nothing that plays: for tests, not announced */
};

/* A picture as the encoder reads it: planes Y, Cb, Cr; samples deeper than 8 bits
 * lie in native 16-bit words. Borrowed during a call. */
struct video_picture {
    const uint8_t *plane[3];
    ptrdiff_t stride[3]; /* bytes */
    int64_t frame;       /* number in the title's timeline */
    bool key;            /* must become an IDR; others must not */
};

struct video_options {
    const struct video_spec *spec; /* borrowed until close */
    int longest_gop;               /* frames from one key picture to the next, at most */
};

/* Takes a packet, borrowed during the call. 0 goes on; 1 says that no more are
 * needed; a negative err_code ends the call that emits with it. */
typedef int (*video_emit_fn)(void *context, const struct coded_packet *packet, struct err *err);

struct video_codec {
    const char *name; /* as in video_spec.encoder */
    enum codec_id codec;
    unsigned capabilities; /* of enum video_capability */
    int64_t tail_frames;   /* frames past a chunk's end that it is shown at most */

    /* Frames before a chunk's start that it is shown, at most CHUNK_LEAD_MAX: a GOP of their own,
     * whose packets are dropped. NULL: none. */
    int64_t (*lead_frames)(const struct video_spec *spec);

    /* "libx264 0.164.3095": borrowed, constant. */
    const char *(*library)(void);

    /* Told of every rung of a task before the first is opened; NULL where the row does not
     * care. */
    void (*prepare)(const struct video_spec *spec);

    /* Starts a chunk; `*state` is owned and ends with close. `*config` outlives it and is
     * filled before the first packet is emitted, with what depends on the spec alone, never
     * on the chunk or its pictures. The spec has passed the table's checks. */
    int (*open)(void **state, const struct video_options *options, struct coded_config *config,
                struct err *err);

    /* Encodes the next picture; emits packets in decode order, none or several. */
    int (*encode)(void *state, const struct video_picture *picture, video_emit_fn emit,
                  void *context, struct err *err);

    /* No picture follows: emits the packets that are held back, until the answer 1. */
    int (*flush)(void *state, video_emit_fn emit, void *context, struct err *err);

    void (*close)(void *state); /* takes NULL */
};

extern const struct video_codec video_x264;
extern const struct video_codec video_svt;
extern const struct video_codec video_aom;
extern const struct video_codec video_null;

/* Row i of the table, fakes included; NULL at the end. */
const struct video_codec *video_codec_at(size_t index);

/* The row of that name; NULL where there is none. */
const struct video_codec *video_codec_find(const char *name);

/* One encoder at work on one chunk of one rendition. */
struct video_encoder;

/* To be called for every rung of a task before the first is opened. */
void video_encoder_prepare(const struct video_spec *spec);

/*
 * Checks the spec against its row and starts it. `*out` is owned. INVALID or UNSUPPORTED for
 * settings that the row can't meet, INTERNAL ("out of memory ...") where memory is gone.
 */
int video_encoder_open(struct video_encoder **out, const struct video_options *options,
                       struct err *err);

/* The track's facts, borrowed; equal in all chunks of a rendition. They are known once a
 * packet was emitted. */
const struct coded_config *video_encoder_config(const struct video_encoder *encoder);

/* Frames before the chunk's first that it wants to be shown. */
int64_t video_encoder_lead(const struct video_encoder *encoder);

int video_encoder_encode(struct video_encoder *encoder, const struct video_picture *picture,
                         video_emit_fn emit, void *context, struct err *err);
int video_encoder_flush(struct video_encoder *encoder, video_emit_fn emit, void *context,
                        struct err *err);

/* Ends it without a flush; takes NULL. */
void video_encoder_close(struct video_encoder *encoder);

#endif
