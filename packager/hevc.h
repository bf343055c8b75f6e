/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Just enough of H.265 (ISO/IEC 23008-2) and its storage (14496-15 clause 8) to know what a track
 * of others says of itself: the configuration record with its SPS, and the NAL units of a sample.
 * Bytes may lie; nothing is decoded. Private to packager/.
 */
#ifndef PACKAGER_HEVC_H
#define PACKAGER_HEVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "picture_signal.h"

/* The general part of profile_tier_level (7.3.3). */
struct hevc_profile {
    int space; /* 0 to 3 */
    bool high_tier;
    int idc;                /* 1 Main, 2 Main 10 */
    uint32_t compatible;    /* flag 0 first */
    uint8_t constraints[6]; /* progressive_source_flag first */
    int level_idc;          /* 93 is 3.1 */
};

struct hevc_sps {
    struct hevc_profile profile;
    enum chroma chroma;
    int bit_depth; /* of luma */
    int chroma_bit_depth;
    int coded_width, coded_height;
    int width; /* after cropping */
    int height;
    struct picture_signal signal;
    int stored_frames; /* that a decoder keeps: sps_max_dec_pic_buffering */
};

/* HEVCDecoderConfigurationRecord, 14496-15 8.3.3.1. */
struct hevc_record {
    struct hevc_profile profile;
    int chroma;
    int bit_depth;
    int chroma_bit_depth;
    bool has_all;        /* VPS, SPS and PPS, and each array says that there are no others */
    struct hevc_sps sps; /* the first of the base layer */
};

/* Reads an SPS NAL unit of the base layer, its header included. CORRUPT where it breaks off or
 * holds values out of range. */
int hevc_sps_read(struct hevc_sps *out, const uint8_t *nal, size_t size, struct err *err);

/* Reads the payload of hvcC. UNSUPPORTED for lengths of other than 4 bytes, and where no SPS is in
 * it, which hev1 may do; else CORRUPT. */
int hevc_record_read(struct hevc_record *out, const uint8_t *data, size_t size, struct err *err);

/* In what the record and its SPS contradict each other; NULL for nothing. */
const char *hevc_record_fault(const struct hevc_record *record);

/* What the NAL unit headers of one sample say. */
struct hevc_sample {
    bool key;       /* its slices are those of an IRAP picture: IDR, CRA or BLA */
    bool reference; /* it is no sub-layer non-reference picture */
    bool has_sets;  /* VPS, SPS or PPS stand in it */
};

/* CORRUPT unless the lengths fill it exactly and the slices of the base layer are of one kind. */
int hevc_sample_read(struct hevc_sample *out, const uint8_t *data, size_t size, struct err *err);

#endif
