/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Just enough of AV1 (bitstream specification 5.3 to 5.9) and its storage ("AV1 Codec ISO
 * Media File Format Binding") to know what a track says of itself: the configuration record
 * with its sequence header, and the OBUs of a sample. Bytes may lie; nothing is decoded.
 * Private to packager/.
 */
#ifndef PACKAGER_AV1_H
#define PACKAGER_AV1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "picture_signal.h"

struct av1_sequence {
    int profile; /* 0 main, 1 high, 2 professional */
    int level;   /* seq_level_idx of the first operating point: 5 is 3.1 */
    int tier;    /* 1 is high */
    int bit_depth;
    enum chroma chroma;
    int chroma_position; /* chroma_sample_position, 6.4.2; 0 unknown */
    int width;           /* the largest of its pictures */
    int height;
    struct picture_signal signal; /* of square pixels: it knows no others */
    bool still;                   /* one picture alone */
    bool timing;                  /* it tells times, which in a file are the container's to tell */
};

/* AV1CodecConfigurationRecord, 2.3.3. */
struct av1_record {
    struct av1_sequence sequence; /* without a header no more than the format, and no size */
    const uint8_t *header;        /* the sequence header OBU, borrowed; NULL where it has none */
    size_t header_size;
    const uint8_t *metadata; /* the other OBUs, of metadata alone; borrowed */
    size_t metadata_size;
};

/* Reads the payload of a sequence header OBU. CORRUPT where it breaks off or holds
 * reserved values. */
int av1_sequence_read(struct av1_sequence *out, const uint8_t *data, size_t size, struct err *err);

/* Reads the payload of av1C: version 1, and as configOBUs at most one sequence header that
 * agrees with the record, behind which metadata may stand; else CORRUPT. */
int av1_record_read(struct av1_record *out, const uint8_t *data, size_t size, struct err *err);

/* What the OBUs of one sample say. */
struct av1_sample {
    bool key;              /* its first frame is a shown key frame, after a sequence header */
    bool intra;            /* no key, and its frames are intra-only: no other is needed for them */
    int frames;            /* to be decoded, those not shown too */
    const uint8_t *header; /* the sequence header OBU, borrowed; NULL where it has none */
    size_t header_size;
    bool unsized; /* the last OBU tells no size */
    bool spare;   /* it holds what a file should not (2.4): a temporal delimiter, padding, a
                     redundant header */
};

/*
 * Reads the OBU headers of a sample, a temporal unit, and the head of each frame's. CORRUPT
 * unless OBUs fill it exactly, they are of the types that a sample may hold (2.4: no tile
 * list), and exactly one frame is shown, the last.
 */
int av1_sample_read(struct av1_sample *out, const uint8_t *data, size_t size, struct err *err);

/* Whether the sequence header of a sample, which has one, is that of the record, or one of its
 * format where it has none. */
bool av1_record_fits(const struct av1_record *record, const struct av1_sample *sample);

/* Static metadata of high dynamic range, 5.8.3 and 5.8.4, in the units of its OBUs. */
struct av1_metadata {
    bool has_light;
    uint16_t light[2]; /* of the brightest sample, and of the brightest picture, in cd/m2 */
    bool has_mastering;
    uint16_t mastering[8]; /* x and y of red, green, blue and white, in 1/65536 */
    uint32_t luminance[2]; /* the greatest in 1/256 cd/m2, the least in 1/16384 */
};

/* Looks for it in OBUs, up to the first frame; what is no whole OBU ends the search. */
void av1_metadata_read(struct av1_metadata *out, const uint8_t *data, size_t size);

#endif
