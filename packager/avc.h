/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Just enough of H.264 (ISO/IEC 14496-10) and its storage (14496-15) to know what
 * a track says of itself: the configuration record with its SPS, and the NAL units
 * of a sample. Bytes may lie; nothing is decoded. Private to packager/.
 */
#ifndef PACKAGER_AVC_H
#define PACKAGER_AVC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "picture_signal.h"

struct avc_sps {
    int profile_idc;      /* 66, 77, 100, ... */
    int constraint_flags; /* the byte after profile_idc */
    int level_idc;        /* 31 is 3.1 */
    int id;
    enum chroma chroma;
    int bit_depth; /* of luma */
    int chroma_bit_depth;
    int width; /* after cropping */
    int height;
    bool frames_only; /* no field or MBAFF coding */
    struct picture_signal signal;
    int chroma_location; /* 0 where the VUI is silent, as the standard infers */
    int reorder_frames;  /* max_num_reorder_frames; -1 where neither said nor inferred as 0 */
    int stored_frames;   /* that a decoder keeps: max_dec_frame_buffering, or max_num_ref_frames
                            where the VUI is silent */
};

/* AVCDecoderConfigurationRecord, 14496-15 5.3.3. */
struct avc_record {
    int profile; /* the three bytes that the codecs string shows */
    int compatibility;
    int level;
    int length_size; /* bytes before each NAL unit of a sample: 1, 2 or 4 */
    int sps_count;
    int extensions;     /* SPS extensions, of auxiliary pictures */
    struct avc_sps sps; /* the first */
};

/* Reads an SPS NAL unit, its header byte included. CORRUPT where it breaks off or
 * holds values out of range. */
int avc_sps_read(struct avc_sps *out, const uint8_t *nal, size_t size, struct err *err);

/* Reads the payload of avcC: SPSs that the record speaks for (one at least of its profile, none of
 * a higher level) and PPSs that each name one of them; else CORRUPT. */
int avc_record_read(struct avc_record *out, const uint8_t *data, size_t size, struct err *err);

/* What the NAL unit headers of one sample say. */
struct avc_sample {
    bool idr;       /* all its slices are IDR slices */
    bool reference; /* nal_ref_idc is not 0 */
    bool foreign;   /* it holds what ours never do: a delimiter, or what stands below */
    bool filler;    /* NAL units that are there to fill a channel (14496-15 5.2 bans them) */
    bool ended;     /* the end of the sequence or of the stream */
};

/*
 * Reads the NAL unit headers of a sample, each behind its length of that many bytes. CORRUPT unless
 * the lengths fill it exactly and it holds slices of one kind, and besides no more than a
 * delimiter before them all, SEI messages, auxiliary slices, filler and the end of the sequence (a
 * sample of an avc1 track holds no parameter sets).
 */
int avc_sample_read(struct avc_sample *out, const uint8_t *data, size_t size, int length_size,
                    struct err *err);

#endif
