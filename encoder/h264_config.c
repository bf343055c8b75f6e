/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads a sequence parameter set (ITU-T H.264 7.3.2.1, E.1.1) as far as the
 * configuration record needs it, and writes the record: see h264_config.h. */
#include "h264_config.h"

#include <stdbool.h>
#include <string.h>

#include "common/buf.h"

enum { SPS_BYTES_MAX = 200, PPS_BYTES_MAX = 200, REORDER_MAX = 16, EXTENDED_SAR = 255 };

struct bits {
    uint8_t data[SPS_BYTES_MAX]; /* without emulation prevention */
    size_t size;
    size_t at; /* next bit */
    bool short_read;
};

static void bits_init(struct bits *bits, const uint8_t *nal, size_t size) {
    *bits = (struct bits){0};
    int zeros = 0;
    for (size_t i = 1; i < size; i++) { /* byte 0 is the NAL header */
        if (zeros >= 2 && nal[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = nal[i] == 0 ? zeros + 1 : 0;
        bits->data[bits->size++] = nal[i];
    }
}

static unsigned bits_u(struct bits *bits, int count) {
    unsigned value = 0;
    for (int i = 0; i < count; i++) {
        if (bits->at >= bits->size * 8) {
            bits->short_read = true;
            return 0;
        }
        value = value << 1 | (bits->data[bits->at / 8] >> (7 - bits->at % 8) & 1);
        bits->at++;
    }
    return value;
}

static unsigned bits_ue(struct bits *bits) {
    int zeros = 0;
    while (bits_u(bits, 1) == 0) {
        if (bits->short_read || ++zeros > 31) {
            bits->short_read = true;
            return 0;
        }
    }
    return (1u << zeros) - 1 + bits_u(bits, zeros);
}

static int bits_se(struct bits *bits) {
    unsigned code = bits_ue(bits);
    return code % 2 != 0 ? (int)(code / 2 + 1) : -(int)(code / 2);
}

/* A delta_scale out of -128 to 127 (7.4.2.1.1.1) is taken modulo 256, which is no overflow. */
static void skip_scaling_list(struct bits *bits, int count) {
    int last = 8;
    int next = 8;
    for (int i = 0; i < count && !bits->short_read; i++) {
        if (next != 0) {
            next = (last + (bits_se(bits) & 255)) & 255;
        }
        last = next == 0 ? last : next;
    }
}

struct sps {
    unsigned profile;
    unsigned constraints;
    unsigned level;
    unsigned chroma_format;
    unsigned luma_depth_minus8;
    unsigned chroma_depth_minus8;
    int reorder_frames; /* -1: not said */
};

static bool has_chroma_fields(unsigned profile) {
    return profile != 66 && profile != 77 && profile != 88;
}

static void read_chroma_fields(struct bits *bits, struct sps *sps) {
    sps->chroma_format = bits_ue(bits);
    if (sps->chroma_format == 3) {
        bits_u(bits, 1); /* separate_colour_plane_flag */
    }
    sps->luma_depth_minus8 = bits_ue(bits);
    sps->chroma_depth_minus8 = bits_ue(bits);
    bits_u(bits, 1); /* qpprime_y_zero_transform_bypass_flag */
    if (bits_u(bits, 1)) {
        int lists = sps->chroma_format == 3 ? 12 : 8;
        for (int i = 0; i < lists; i++) {
            if (bits_u(bits, 1)) {
                skip_scaling_list(bits, i < 6 ? 16 : 64);
            }
        }
    }
}

static void skip_order_count(struct bits *bits) {
    unsigned type = bits_ue(bits);
    if (type == 0) {
        bits_ue(bits);
    } else if (type == 1) {
        bits_u(bits, 1);
        bits_se(bits);
        bits_se(bits);
        unsigned cycle = bits_ue(bits);
        for (unsigned i = 0; i < cycle && !bits->short_read; i++) {
            bits_se(bits);
        }
    }
}

static void skip_hrd(struct bits *bits) {
    unsigned count = bits_ue(bits) + 1;
    bits_u(bits, 8);
    for (unsigned i = 0; i < count && !bits->short_read; i++) {
        bits_ue(bits);
        bits_ue(bits);
        bits_u(bits, 1);
    }
    bits_u(bits, 20);
}

static void read_vui(struct bits *bits, struct sps *sps) {
    if (bits_u(bits, 1) && bits_u(bits, 8) == EXTENDED_SAR) {
        bits_u(bits, 32);
    }
    if (bits_u(bits, 1)) {
        bits_u(bits, 1); /* overscan_appropriate_flag */
    }
    if (bits_u(bits, 1)) {
        bits_u(bits, 4); /* video_format, full range */
        if (bits_u(bits, 1)) {
            bits_u(bits, 24);
        }
    }
    if (bits_u(bits, 1)) {
        bits_ue(bits); /* chroma sample location, twice */
        bits_ue(bits);
    }
    if (bits_u(bits, 1)) {
        bits_u(bits, 32); /* timing */
        bits_u(bits, 32);
        bits_u(bits, 1);
    }
    bool nal_hrd = bits_u(bits, 1);
    if (nal_hrd) {
        skip_hrd(bits);
    }
    bool vcl_hrd = bits_u(bits, 1);
    if (vcl_hrd) {
        skip_hrd(bits);
    }
    if (nal_hrd || vcl_hrd) {
        bits_u(bits, 1);
    }
    bits_u(bits, 1); /* pic_struct_present_flag */
    if (bits_u(bits, 1)) {
        bits_u(bits, 1); /* motion_vectors_over_pic_boundaries_flag */
        for (int i = 0; i < 4; i++) {
            bits_ue(bits);
        }
        unsigned reorder = bits_ue(bits);
        sps->reorder_frames = reorder <= REORDER_MAX ? (int)reorder : -1;
    }
}

static bool read_sps(struct sps *sps, const uint8_t *nal, size_t size) {
    struct bits bits;
    bits_init(&bits, nal, size);
    *sps = (struct sps){.chroma_format = 1, .reorder_frames = -1};
    sps->profile = bits_u(&bits, 8);
    sps->constraints = bits_u(&bits, 8);
    sps->level = bits_u(&bits, 8);
    bits_ue(&bits);
    if (has_chroma_fields(sps->profile)) {
        read_chroma_fields(&bits, sps);
    }
    bits_ue(&bits); /* log2_max_frame_num_minus4 */
    skip_order_count(&bits);
    bits_ue(&bits); /* max_num_ref_frames */
    bits_u(&bits, 1);
    bits_ue(&bits); /* size in macroblocks */
    bits_ue(&bits);
    if (!bits_u(&bits, 1)) {
        bits_u(&bits, 1); /* mb_adaptive_frame_field_flag */
    }
    bits_u(&bits, 1); /* direct_8x8_inference_flag */
    if (bits_u(&bits, 1)) {
        for (int i = 0; i < 4; i++) {
            bits_ue(&bits); /* cropping */
        }
    }
    if (bits_u(&bits, 1)) {
        read_vui(&bits, sps);
    }
    return !bits.short_read && sps->reorder_frames >= 0;
}

int h264_config_make(struct coded_config *config, const uint8_t *sps, size_t sps_size,
                     const uint8_t *pps, size_t pps_size, struct err *err) {
    struct sps parsed;
    if (sps_size < 4 || sps_size > SPS_BYTES_MAX || pps_size < 1 || pps_size > PPS_BYTES_MAX ||
        (sps[0] & 31) != 7 || (pps[0] & 31) != 8 || !read_sps(&parsed, sps, sps_size)) {
        return err_set(err, ERR_CORRUPT, "the encoder's H.264 parameter sets can't be read");
    }
    struct buf record = {0};
    buf_u8(&record, 1); /* configurationVersion */
    buf_u8(&record, (uint8_t)parsed.profile);
    buf_u8(&record, (uint8_t)parsed.constraints);
    buf_u8(&record, (uint8_t)parsed.level);
    buf_u8(&record, 0xfc | 3); /* lengthSizeMinusOne */
    buf_u8(&record, 0xe0 | 1); /* one SPS */
    buf_u16(&record, (uint16_t)sps_size);
    buf_append(&record, sps, sps_size);
    buf_u8(&record, 1); /* one PPS */
    buf_u16(&record, (uint16_t)pps_size);
    buf_append(&record, pps, pps_size);
    if (has_chroma_fields(parsed.profile)) {
        buf_u8(&record, (uint8_t)(0xfc | parsed.chroma_format));
        buf_u8(&record, (uint8_t)(0xf8 | parsed.luma_depth_minus8));
        buf_u8(&record, (uint8_t)(0xf8 | parsed.chroma_depth_minus8));
        buf_u8(&record, 0); /* no SPS extensions */
    }
    *config =
        (struct coded_config){.record_size = record.size, .reorder_frames = parsed.reorder_frames};
    memcpy(config->record, record.data, record.size); /* 18 + 2 * 200 at most, below 512 */
    buf_finish(&record);
    return 0;
}
