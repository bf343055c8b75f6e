/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few header bits of coded pictures that decide from where decoding is exact:
 * IDR, open GOPs, recovery points and intra refresh (ITU-T H.264 D.2.8, H.265 8.1.3).
 * Reads packets that may lie; never past their end.
 */
#ifndef ENCODER_BITSTREAM_H
#define ENCODER_BITSTREAM_H

#include <libavcodec/avcodec.h>
#include <stdbool.h>

enum access_kind {
    ACCESS_NONE,     /* decoding may not start here */
    ACCESS_LEADING,  /* exact from this picture on; those shown before it are not (open GOP) */
    ACCESS_CLOSED,   /* exact, with all that follow in decode order */
    ACCESS_RECOVERY, /* exact some reference pictures later (intra refresh) */
};

struct picture_look {
    enum access_kind access;
    int recovery;   /* ACCESS_RECOVERY: reference pictures until all is exact */
    bool reference; /* H.264: others refer to it */
    bool restarts;  /* picture order counts begin anew */
    bool hidden;    /* coded, never shown */
};

struct bitstream {
    enum AVCodecID codec;
    int nal_length_size; /* of AVCC and HVCC; 0: Annex B */
    bool intra_only;
    bool has_headers; /* out of band: extradata */
};

struct bitstream bitstream_of(const AVCodecParameters *parameters);

/* What the picture in the packet is. `key`: the container calls it a key picture. */
struct picture_look bitstream_look(const struct bitstream *stream, const uint8_t *data, size_t size,
                                   bool key);

#endif
