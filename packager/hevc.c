/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration records, parameter sets and NAL units of H.265: see hevc.h. */
#include "hevc.h"

#include <string.h>

#include "bits.h"
#include "common/buf.h"

/* Types of NAL units, table 7-1. */
enum {
    NAL_NON_REFERENCE_MAX = 14, /* up to here even ones are no reference in their sub-layer */
    NAL_IRAP_MIN = 16,
    NAL_IRAP_MAX = 23,
    NAL_SLICE_MAX = 31,
    NAL_VPS = 32,
    NAL_SPS = 33,
    NAL_PPS = 34,
};

enum {
    PARAMETER_SET_BYTES = 4096,
    PICTURE_SIDE = 65535,
    REFERENCE_SETS_MAX = 64,
    REFERENCES_MAX = 16,
    LONG_TERM_MAX = 32,
    STORED_FRAMES_MAX = 16,
};

static int nal_type(const uint8_t *nal) {
    return nal[0] >> 1 & 0x3f;
}

static int nal_layer(const uint8_t *nal) {
    return (nal[0] & 1) << 5 | nal[1] >> 3;
}

/* ---- SPS ------------------------------------------------------------------------- */

static void read_profile(struct hevc_profile *out, struct bits *bits, int sub_layers) {
    bool has_profile[8] = {false};
    bool has_level[8] = {false};
    out->space = (int)bits_u(bits, 2);
    out->high_tier = bits_flag(bits);
    out->idc = (int)bits_u(bits, 5);
    out->compatible = bits_u(bits, 32);
    for (int i = 0; i < 6; i++) {
        out->constraints[i] = (uint8_t)bits_u(bits, 8);
    }
    out->level_idc = (int)bits_u(bits, 8);
    for (int i = 0; i < sub_layers - 1; i++) {
        has_profile[i] = bits_flag(bits);
        has_level[i] = bits_flag(bits);
    }
    for (int i = sub_layers - 1; sub_layers > 1 && i < 8; i++) {
        bits_u(bits, 2);
    }
    for (int i = 0; i < sub_layers - 1; i++) {
        for (int words = has_profile[i] ? 11 : 0; words > 0; words--) {
            bits_u(bits, 8);
        }
        bits_u(bits, has_level[i] ? 8 : 0);
    }
}

static void read_size(struct hevc_sps *sps, struct bits *bits) {
    uint32_t chroma = bits_ue(bits);
    bool separate_planes = chroma == CHROMA_444 && bits_flag(bits);
    uint32_t wide = bits_ue(bits);
    uint32_t high = bits_ue(bits);
    uint64_t unit_x = !separate_planes && (chroma == CHROMA_420 || chroma == CHROMA_422) ? 2 : 1;
    uint64_t unit_y = !separate_planes && chroma == CHROMA_420 ? 2 : 1;
    uint64_t crop_x = 0;
    uint64_t crop_y = 0;
    if (bits_flag(bits)) {
        crop_x = (uint64_t)bits_ue(bits);
        crop_x = unit_x * (crop_x + bits_ue(bits));
        crop_y = (uint64_t)bits_ue(bits);
        crop_y = unit_y * (crop_y + bits_ue(bits));
    }
    if (chroma > CHROMA_444 || wide == 0 || high == 0 || wide > PICTURE_SIDE ||
        high > PICTURE_SIDE || crop_x >= wide || crop_y >= high) {
        bits->short_read = true;
        return;
    }
    sps->chroma = (enum chroma)chroma;
    sps->coded_width = (int)wide;
    sps->coded_height = (int)high;
    sps->width = (int)(wide - crop_x);
    sps->height = (int)(high - crop_y);
}

static void read_depths(struct hevc_sps *sps, struct bits *bits) {
    uint32_t luma = bits_ue(bits);
    uint32_t chroma = bits_ue(bits);
    if (luma > 8 || chroma > 8) {
        bits->short_read = true;
        return;
    }
    sps->bit_depth = 8 + (int)luma;
    sps->chroma_bit_depth = 8 + (int)chroma;
}

/* Of the highest sub-layer, which stands last. */
static void read_stored(struct hevc_sps *sps, struct bits *bits, int sub_layers) {
    bool each = bits_flag(bits);
    for (int i = each ? 0 : sub_layers - 1; i < sub_layers && !bits->short_read; i++) {
        uint32_t stored = bits_ue(bits);
        bits_ue(bits); /* sps_max_num_reorder_pics */
        bits_ue(bits); /* sps_max_latency_increase_plus1 */
        if (stored >= STORED_FRAMES_MAX) {
            bits->short_read = true;
            return;
        }
        sps->stored_frames = (int)stored + 1;
    }
}

/* 7.3.4. */
static void skip_scaling_lists(struct bits *bits) {
    for (int size = 0; size < 4; size++) {
        for (int matrix = 0; matrix < 6 && !bits->short_read; matrix += size == 3 ? 3 : 1) {
            if (!bits_flag(bits)) {
                bits_ue(bits);
                continue;
            }
            int count = size == 0 ? 16 : 64;
            for (int i = size > 1 ? -1 : 0; i < count && !bits->short_read; i++) {
                bits_se(bits);
            }
        }
    }
}

/* 7.3.7: how many pictures the set names, where the one before it names `before`. */
static uint32_t skip_reference_set(struct bits *bits, uint32_t index, uint32_t before) {
    uint32_t count = 0;
    if (index > 0 && bits_flag(bits)) {
        bits_flag(bits);
        bits_ue(bits);
        for (uint32_t i = 0; i <= before && !bits->short_read; i++) {
            bool used = bits_flag(bits);
            count += used || bits_flag(bits) ? 1 : 0;
        }
        return count;
    }
    uint32_t negative = bits_ue(bits);
    uint32_t positive = bits_ue(bits);
    if (negative > REFERENCES_MAX || positive > REFERENCES_MAX) {
        bits->short_read = true;
        return 0;
    }
    count = negative + positive;
    for (uint32_t i = 0; i < count && !bits->short_read; i++) {
        bits_ue(bits);
        bits_flag(bits);
    }
    return count;
}

static void skip_references(struct bits *bits, uint32_t order_bits) {
    uint32_t sets = bits_ue(bits);
    uint32_t count = 0;
    bits->short_read |= sets > REFERENCE_SETS_MAX;
    for (uint32_t i = 0; i < sets && !bits->short_read; i++) {
        count = skip_reference_set(bits, i, count);
    }
    if (bits_flag(bits)) {
        uint32_t long_terms = bits_ue(bits);
        bits->short_read |= long_terms > LONG_TERM_MAX;
        for (uint32_t i = 0; i < long_terms && !bits->short_read; i++) {
            bits_u(bits, (int)order_bits);
            bits_flag(bits);
        }
    }
}

/* From the sizes of blocks to what follows the pictures that others refer to. */
static void skip_tools(struct bits *bits, uint32_t order_bits) {
    for (int i = 0; i < 6; i++) {
        bits_ue(bits);
    }
    if (bits_flag(bits) && bits_flag(bits)) {
        skip_scaling_lists(bits);
    }
    bits_u(bits, 2);
    if (bits_flag(bits)) { /* pcm_enabled_flag */
        bits_u(bits, 8);
        bits_ue(bits);
        bits_ue(bits);
        bits_flag(bits);
    }
    skip_references(bits, order_bits);
    bits_u(bits, 2);
}

int hevc_sps_read(struct hevc_sps *out, const uint8_t *nal, size_t size, struct err *err) {
    uint8_t rbsp[PARAMETER_SET_BYTES];
    if (size < 2 || nal[0] >= 0x80 || nal_type(nal) != NAL_SPS || nal_layer(nal) != 0) {
        return err_set(err, ERR_CORRUPT, "the NAL unit is no SPS of the base layer");
    }
    struct bits bits = bits_of(rbsp, bits_unescape(rbsp, sizeof(rbsp), nal + 2, size - 2));
    struct hevc_sps sps = {.signal = picture_signal_silent()};
    bits_u(&bits, 4);
    int sub_layers = (int)bits_u(&bits, 3) + 1;
    bits_flag(&bits); /* sps_temporal_id_nesting_flag */
    read_profile(&sps.profile, &bits, sub_layers);
    uint32_t id = bits_ue(&bits);
    read_size(&sps, &bits);
    read_depths(&sps, &bits);
    uint32_t order_bits = bits_ue(&bits) + 4;
    bits.short_read |= order_bits > 16 || sub_layers > 7;
    if (!bits.short_read) {
        read_stored(&sps, &bits, sub_layers);
        skip_tools(&bits, order_bits);
    }
    if (bits_flag(&bits)) {
        sps.signal = picture_signal_read(&bits); /* what follows in the VUI is not read */
    }
    if (bits.short_read || id > 15) {
        return err_set(err, ERR_CORRUPT, "the SPS breaks off or holds a value out of range");
    }
    *out = sps;
    return 0;
}

/* ---- Records --------------------------------------------------------------------- */

static void read_record_head(struct hevc_record *record, struct bytes *in) {
    int first = bytes_u8(in);
    record->profile.space = first >> 6;
    record->profile.high_tier = (first & 0x20) != 0;
    record->profile.idc = first & 0x1f;
    record->profile.compatible = bytes_u32(in);
    for (int i = 0; i < 6; i++) {
        record->profile.constraints[i] = bytes_u8(in);
    }
    record->profile.level_idc = bytes_u8(in);
    bytes_u16(in); /* min_spatial_segmentation_idc */
    bytes_u8(in);  /* parallelismType */
    record->chroma = bytes_u8(in) & 3;
    record->bit_depth = 8 + (bytes_u8(in) & 7);
    record->chroma_bit_depth = 8 + (bytes_u8(in) & 7);
    bytes_u16(in); /* avgFrameRate */
}

/* The arrays of parameter sets; `*sps` is the first SPS of the base layer. */
static int read_arrays(struct hevc_record *record, struct bytes *in, const uint8_t **sps,
                       size_t *sps_size, struct err *err) {
    int whole = 0; /* kinds that are there and complete, a bit each */
    int arrays = bytes_u8(in);
    for (int i = 0; i < arrays; i++) {
        int head = bytes_u8(in);
        int type = head & 0x3f;
        int count = bytes_u16(in);
        for (int n = 0; n < count; n++) {
            size_t size = bytes_u16(in);
            const uint8_t *nal = bytes_take(in, size);
            if (nal == NULL || size < 3 || nal_type(nal) != type) {
                return err_set(err, ERR_CORRUPT, "hvcC holds what is no NAL unit of its array");
            }
            if (type == NAL_SPS && nal_layer(nal) == 0 && *sps == NULL) {
                *sps = nal;
                *sps_size = size;
            }
        }
        bool counts = type >= NAL_VPS && type <= NAL_PPS && count > 0 && (head & 0x80) != 0;
        whole |= counts ? 1 << (type - NAL_VPS) : 0;
    }
    record->has_all = whole == 7;
    if (in->short_read || bytes_left(in) > 0) {
        return err_set(err, ERR_CORRUPT, "hvcC breaks off, or has bytes after its arrays");
    }
    return 0;
}

int hevc_record_read(struct hevc_record *out, const uint8_t *data, size_t size, struct err *err) {
    struct bytes in = bytes_of(data, size);
    struct hevc_record record = {0};
    const uint8_t *sps = NULL;
    size_t sps_size = 0;
    int version = bytes_u8(&in);
    read_record_head(&record, &in);
    int length_size = (bytes_u8(&in) & 3) + 1;
    if (in.short_read || version != 1) {
        return err_set(err, ERR_CORRUPT, "hvcC is no record of version 1");
    }
    int failed = read_arrays(&record, &in, &sps, &sps_size, err);
    if (failed == 0 && (length_size != 4 || sps == NULL)) {
        failed = err_set(err, ERR_UNSUPPORTED, "%s, is not read",
                         sps == NULL ? "HEVC without an SPS in its hvcC"
                                     : "HEVC with lengths of other than 4 bytes");
    }
    if (failed == 0) {
        failed = hevc_sps_read(&record.sps, sps, sps_size, err);
    }
    if (failed == 0) {
        *out = record;
    }
    return failed;
}

/* 14496-15 8.3.3.1.3: a record may ask for more than the stream needs, never for less. */
const char *hevc_record_fault(const struct hevc_record *record) {
    const struct hevc_profile *told = &record->profile;
    const struct hevc_profile *real = &record->sps.profile;
    bool conforms = told->idc == real->idc || (real->compatible >> (31 - told->idc) & 1) != 0;
    bool tier_fits = told->high_tier || !real->high_tier;
    bool level_fits = told->high_tier != real->high_tier || told->level_idc >= real->level_idc;
    bool promises = (told->compatible & ~real->compatible) != 0;
    for (int i = 0; i < 6; i++) {
        promises = promises || (told->constraints[i] & ~real->constraints[i]) != 0;
    }
    return told->space != real->space || !conforms ? "tells of a profile that is not its SPS's"
           : !tier_fits || !level_fits             ? "tells of a lower tier or level than its SPS"
           : promises ? "has flags of compatibility or constraint that its SPS has not"
           : record->chroma != (int)record->sps.chroma ||
                   record->bit_depth != record->sps.bit_depth ||
                   record->chroma_bit_depth != record->sps.chroma_bit_depth
               ? "and its SPS differ in chroma format or bit depth"
               : NULL;
}

/* ---- Samples --------------------------------------------------------------------- */

int hevc_sample_read(struct hevc_sample *out, const uint8_t *data, size_t size, struct err *err) {
    struct bytes in = bytes_of(data, size);
    struct hevc_sample sample = {0};
    int slice = -1; /* the type of all of them */
    while (bytes_left(&in) > 0) {
        size_t length = bytes_u32(&in);
        const uint8_t *nal = bytes_take(&in, length);
        if (nal == NULL || length < 2) {
            return err_set(err, ERR_CORRUPT, "the NAL unit lengths do not fill the sample");
        }
        if (nal[0] >= 0x80 || (nal[1] & 7) == 0) {
            return err_set(err, ERR_CORRUPT, "a NAL unit has no header of H.265");
        }
        int type = nal_type(nal);
        sample.has_sets |= type >= NAL_VPS && type <= NAL_PPS;
        if (type > NAL_SLICE_MAX || nal_layer(nal) != 0) {
            continue;
        }
        if (slice >= 0 && slice != type) { /* 7.4.2.2 */
            return err_set(err, ERR_CORRUPT, "a sample holds slices of the types %d and %d", slice,
                           type);
        }
        slice = type;
    }
    if (slice < 0) {
        return err_set(err, ERR_CORRUPT, "a sample holds no slice");
    }
    sample.key = slice >= NAL_IRAP_MIN && slice <= NAL_IRAP_MAX;
    sample.reference = slice > NAL_NON_REFERENCE_MAX || slice % 2 == 1;
    *out = sample;
    return 0;
}
