/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration records, parameter sets and NAL units of H.264: see avc.h. */
#include "avc.h"

#include "bits.h"
#include "common/buf.h"

enum {
    NAL_SLICE = 1,
    NAL_IDR = 5,
    NAL_SEI = 6,
    NAL_SPS = 7,
    NAL_PPS = 8,
    NAL_DELIMITER = 9,
    NAL_SEQUENCE_END = 10,
    NAL_STREAM_END = 11,
    NAL_FILLER = 12,
    NAL_SPS_EXTENSION = 13,
    NAL_AUXILIARY = 19,
};
enum { PARAMETER_SET_BYTES = 1024, PICTURE_SIDE = 65535, STORED_FRAMES_MAX = 16, SPS_MAX = 32 };

/* Profiles whose SPS tells chroma format and bit depth (7.3.2.1.1). */
static bool is_high(int profile_idc) {
    static const int high[] = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135};
    for (size_t i = 0; i < sizeof(high) / sizeof(high[0]); i++) {
        if (profile_idc == high[i]) {
            return true;
        }
    }
    return false;
}

static void skip_scaling_list(struct bits *bits, int count) {
    int32_t last = 8;
    int32_t next = 8;
    for (int i = 0; i < count && !bits->short_read; i++) {
        if (next != 0) {
            next = (last + bits_se(bits) % 256 + 256) % 256;
        }
        last = next == 0 ? last : next;
    }
}

static void read_high_fields(struct avc_sps *sps, struct bits *bits, bool *separate_planes) {
    uint32_t chroma = bits_ue(bits);
    if (chroma == CHROMA_444) {
        *separate_planes = bits_flag(bits);
    }
    uint32_t luma_depth = bits_ue(bits);
    uint32_t chroma_depth = bits_ue(bits);
    if (chroma > CHROMA_444 || luma_depth > 6 || chroma_depth > 6) {
        bits->short_read = true;
        return;
    }
    sps->chroma = (enum chroma)chroma;
    sps->bit_depth = 8 + (int)luma_depth;
    sps->chroma_bit_depth = 8 + (int)chroma_depth;
    bits_flag(bits); /* qpprime_y_zero_transform_bypass_flag */
    if (bits_flag(bits)) {
        int lists = chroma == CHROMA_444 ? 12 : 8;
        for (int i = 0; i < lists; i++) {
            if (bits_flag(bits)) {
                skip_scaling_list(bits, i < 6 ? 16 : 64);
            }
        }
    }
}

static void skip_picture_order(struct bits *bits) {
    uint32_t type = bits_ue(bits);
    if (type == 0) {
        bits_ue(bits);
    } else if (type == 1) {
        bits_flag(bits);
        bits_se(bits);
        bits_se(bits);
        uint32_t count = bits_ue(bits);
        for (uint32_t i = 0; i < count && !bits->short_read; i++) {
            bits_se(bits);
        }
    }
}

static void read_size(struct avc_sps *sps, struct bits *bits, bool separate_planes) {
    uint64_t width = ((uint64_t)bits_ue(bits) + 1) * 16;
    uint64_t height = ((uint64_t)bits_ue(bits) + 1) * 16;
    sps->frames_only = bits_flag(bits);
    uint64_t fields = sps->frames_only ? 1 : 2;
    height *= fields;
    if (!sps->frames_only) {
        bits_flag(bits); /* mb_adaptive_frame_field_flag */
    }
    bits_flag(bits); /* direct_8x8_inference_flag */
    if (bits_flag(bits)) {
        bool half_wide = !separate_planes && sps->chroma != CHROMA_444 && sps->chroma != CHROMA_400;
        bool half_high = !separate_planes && sps->chroma == CHROMA_420;
        uint64_t unit_x = half_wide ? 2 : 1;
        uint64_t unit_y = (half_high ? 2 : 1) * fields;
        uint64_t crop_x = (uint64_t)bits_ue(bits);
        crop_x += bits_ue(bits);
        uint64_t crop_y = (uint64_t)bits_ue(bits);
        crop_y += bits_ue(bits);
        width -= crop_x * unit_x < width ? crop_x * unit_x : width;
        height -= crop_y * unit_y < height ? crop_y * unit_y : height;
    }
    if (width == 0 || height == 0 || width > PICTURE_SIDE || height > PICTURE_SIDE) {
        bits->short_read = true;
        return;
    }
    sps->width = (int)width;
    sps->height = (int)height;
}

static void skip_hrd(struct bits *bits) {
    uint32_t count = bits_ue(bits) + 1;
    bits_u(bits, 8);
    for (uint32_t i = 0; i < count && !bits->short_read; i++) {
        bits_ue(bits);
        bits_ue(bits);
        bits_flag(bits);
    }
    bits_u(bits, 20);
}

/* Annex E.1.1. */
static void read_vui(struct avc_sps *sps, struct bits *bits) {
    sps->signal = picture_signal_read(bits);
    if (bits_flag(bits)) {
        sps->chroma_location = (int)(bits_ue(bits) & 0xff);
        bits_ue(bits);
    }
    if (bits_flag(bits)) {
        bits_u(bits, 32);
        bits_u(bits, 32);
        bits_flag(bits);
    }
    bool nal_hrd = bits_flag(bits);
    if (nal_hrd) {
        skip_hrd(bits);
    }
    bool vcl_hrd = bits_flag(bits);
    if (vcl_hrd) {
        skip_hrd(bits);
    }
    if (nal_hrd || vcl_hrd) {
        bits_flag(bits);
    }
    bits_flag(bits); /* pic_struct_present_flag */
    if (bits_flag(bits)) {
        bits_flag(bits);
        for (int i = 0; i < 4; i++) {
            bits_ue(bits);
        }
        uint32_t reorder = bits_ue(bits);
        uint32_t buffering = bits_ue(bits);
        if (reorder > buffering || buffering > STORED_FRAMES_MAX) {
            bits->short_read = true;
            return;
        }
        sps->reorder_frames = (int)reorder;
        sps->stored_frames = (int)buffering;
    }
}

int avc_sps_read(struct avc_sps *out, const uint8_t *nal, size_t size, struct err *err) {
    uint8_t rbsp[PARAMETER_SET_BYTES];
    if (size == 0 || (nal[0] & 0x9f) != NAL_SPS) {
        return err_set(err, ERR_CORRUPT, "the NAL unit is no SPS");
    }
    struct bits bits = bits_of(rbsp, bits_unescape(rbsp, sizeof(rbsp), nal + 1, size - 1));
    struct avc_sps sps = {
        .chroma = CHROMA_420,
        .bit_depth = 8,
        .chroma_bit_depth = 8,
        .signal = picture_signal_silent(),
    };
    bool separate_planes = false;
    sps.profile_idc = (int)bits_u(&bits, 8);
    sps.constraint_flags = (int)bits_u(&bits, 8);
    sps.level_idc = (int)bits_u(&bits, 8);
    /* E.2.1: with constraint_set3_flag these profiles are all intra, and 0 is inferred. */
    bool intra = is_high(sps.profile_idc) && (sps.constraint_flags & 0x10) != 0;
    sps.reorder_frames = intra ? 0 : -1;
    uint32_t id = bits_ue(&bits);
    if (is_high(sps.profile_idc)) {
        read_high_fields(&sps, &bits, &separate_planes);
    }
    bits_ue(&bits); /* log2_max_frame_num_minus4 */
    skip_picture_order(&bits);
    uint32_t references = bits_ue(&bits);
    sps.stored_frames = (int)references;
    bits_flag(&bits); /* gaps_in_frame_num_value_allowed_flag */
    read_size(&sps, &bits, separate_planes);
    if (bits_flag(&bits)) {
        read_vui(&sps, &bits);
    }
    if (bits.short_read || id > 31 || references > STORED_FRAMES_MAX) {
        return err_set(err, ERR_CORRUPT, "the SPS breaks off or holds a value out of range");
    }
    sps.id = (int)id;
    *out = sps;
    return 0;
}

/* `known` has a bit for the id of each SPS. */
static int check_pps(uint32_t known, const uint8_t *nal, size_t size, struct err *err) {
    uint8_t rbsp[PARAMETER_SET_BYTES];
    if (size == 0 || (nal[0] & 0x9f) != NAL_PPS) {
        return err_set(err, ERR_CORRUPT, "the NAL unit is no PPS");
    }
    struct bits bits = bits_of(rbsp, bits_unescape(rbsp, sizeof(rbsp), nal + 1, size - 1));
    uint32_t id = bits_ue(&bits);
    uint32_t names = bits_ue(&bits);
    if (bits.short_read || id > 255 || names >= SPS_MAX || (known >> names & 1) == 0) {
        return err_set(err, ERR_CORRUPT, "a PPS belongs to no SPS");
    }
    return 0;
}

/* The SPSs of avcC: the first is the track's, and the others' ids are told in `known`. What the
 * record says holds for all of them (14496-15 5.3.3.1.2). */
static int read_sps_list(struct avc_record *record, struct bytes *in, uint32_t *known,
                         struct err *err) {
    bool same_profile = false;
    bool fits = true;
    int failed = 0;
    for (int i = 0; i < record->sps_count && failed == 0; i++) {
        struct avc_sps sps;
        size_t size = bytes_u16(in);
        const uint8_t *nal = bytes_take(in, size);
        failed = avc_sps_read(&sps, nal, nal == NULL ? 0 : size, err);
        if (failed == 0) {
            record->sps = i == 0 ? sps : record->sps;
            *known |= UINT32_C(1) << sps.id;
            same_profile = same_profile || sps.profile_idc == record->profile;
            fits = fits && sps.level_idc <= record->level &&
                   (record->compatibility & ~sps.constraint_flags) == 0;
        }
    }
    return failed == 0 && !(same_profile && fits)
               ? err_set(err, ERR_CORRUPT, "avcC and its SPS differ in profile or level")
               : failed;
}

/* The four bytes after the parameter sets; older writers leave them out. */
static int read_extension(struct avc_record *record, struct bytes *in, struct err *err) {
    const struct avc_sps *sps = &record->sps;
    if (!is_high(sps->profile_idc) || bytes_left(in) == 0) {
        return 0;
    }
    int chroma = bytes_u8(in) & 3;
    int luma_depth = 8 + (bytes_u8(in) & 7);
    int chroma_depth = 8 + (bytes_u8(in) & 7);
    record->extensions = bytes_u8(in);
    if (in->short_read || chroma != (int)sps->chroma || luma_depth != sps->bit_depth ||
        chroma_depth != sps->chroma_bit_depth) {
        return err_set(err, ERR_CORRUPT, "avcC and its SPS differ in chroma format or bit depth");
    }
    for (int i = 0; i < record->extensions; i++) {
        size_t size = bytes_u16(in);
        const uint8_t *nal = bytes_take(in, size);
        if (nal == NULL || size == 0 || (nal[0] & 0x9f) != NAL_SPS_EXTENSION) {
            return err_set(err, ERR_CORRUPT, "the NAL unit is no extension of an SPS");
        }
    }
    return 0;
}

int avc_record_read(struct avc_record *out, const uint8_t *data, size_t size, struct err *err) {
    struct bytes in = bytes_of(data, size);
    struct avc_record record = {0};
    int version = bytes_u8(&in);
    record.profile = bytes_u8(&in);
    record.compatibility = bytes_u8(&in);
    record.level = bytes_u8(&in);
    record.length_size = (bytes_u8(&in) & 3) + 1;
    record.sps_count = bytes_u8(&in) & 31;
    if (in.short_read || version != 1 || record.length_size == 3 || record.sps_count == 0) {
        return err_set(err, ERR_CORRUPT,
                       "avcC is no version 1 record with lengths of 1, 2 or 4 bytes and an SPS");
    }
    uint32_t known = 0;
    int failed = read_sps_list(&record, &in, &known, err);
    int pps_count = failed == 0 ? bytes_u8(&in) : 0;
    if (failed == 0 && pps_count == 0) {
        failed = err_set(err, ERR_CORRUPT, "avcC has no PPS");
    }
    for (int i = 0; i < pps_count && failed == 0; i++) {
        size_t pps_size = bytes_u16(&in);
        const uint8_t *pps = bytes_take(&in, pps_size);
        failed = check_pps(known, pps, pps == NULL ? 0 : pps_size, err);
    }
    if (failed == 0) {
        failed = read_extension(&record, &in, err);
    }
    if (failed != 0) {
        return failed;
    }
    if (bytes_left(&in) > 0) {
        return err_set(err, ERR_CORRUPT, "avcC has %zu bytes too many", bytes_left(&in));
    }
    *out = record;
    return 0;
}

/* The next NAL unit of a sample; NULL where the lengths do not fill it. */
static const uint8_t *next_nal(struct bytes *in, int length_size) {
    size_t length = 0;
    for (int i = 0; i < length_size; i++) {
        length = length << 8 | bytes_u8(in);
    }
    const uint8_t *nal = bytes_take(in, length);
    return length == 0 ? NULL : nal;
}

/* What is no slice of the picture: whether it has its place behind so many slices (7.4.1.2.3). A
 * delimiter should be the first of all, and ffmpeg puts the SEI of x264 before it. */
static bool take_other(struct avc_sample *sample, int type, int slices) {
    bool ends = type == NAL_SEQUENCE_END || type == NAL_STREAM_END;
    sample->foreign |= type != NAL_SEI;
    sample->filler |= type == NAL_FILLER;
    sample->ended |= ends;
    return type == NAL_SEI || (type == NAL_DELIMITER && slices == 0) ||
           ((ends || type == NAL_FILLER || type == NAL_AUXILIARY) && slices > 0);
}

int avc_sample_read(struct avc_sample *out, const uint8_t *data, size_t size, int length_size,
                    struct err *err) {
    struct bytes in = bytes_of(data, size);
    struct avc_sample sample = {0};
    int slices = 0;
    while (bytes_left(&in) > 0) {
        const uint8_t *nal = next_nal(&in, length_size);
        if (nal == NULL) {
            return err_set(err, ERR_CORRUPT, "the NAL unit lengths do not fill the sample");
        }
        int type = nal[0] & 0x1f;
        bool reference = (nal[0] & 0x60) != 0;
        bool slice = (type == NAL_SLICE || type == NAL_IDR) && !sample.ended;
        if (nal[0] >= 0x80 || (!slice && !take_other(&sample, type, slices))) {
            return err_set(err, ERR_CORRUPT, "a NAL unit of type %d has no place in a sample",
                           type);
        }
        if (!slice) {
            continue;
        }
        bool same = sample.idr == (type == NAL_IDR) && sample.reference == reference;
        if (slices > 0 && !same) {
            return err_set(err, ERR_CORRUPT, "a sample holds slices of different kinds");
        }
        sample.idr = type == NAL_IDR;
        sample.reference = reference;
        slices++;
    }
    if (slices == 0) {
        return err_set(err, ERR_CORRUPT, "a sample holds no slice");
    }
    *out = sample;
    return 0;
}
