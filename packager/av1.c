/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration records, sequence headers and OBUs of AV1: see av1.h. */
#include "av1.h"

#include <string.h>

#include "bits.h"
#include "common/buf.h"

/* 6.2.2 */
enum {
    OBU_SEQUENCE_HEADER = 1,
    OBU_TEMPORAL_DELIMITER = 2,
    OBU_FRAME_HEADER = 3,
    OBU_TILE_GROUP = 4,
    OBU_METADATA = 5,
    OBU_FRAME = 6,
    OBU_REDUNDANT_FRAME_HEADER = 7,
    OBU_PADDING = 15,
};

enum {
    LEVEL_WITH_TIER = 8, /* 4.0 */
    PROFILE_MAX = 2,
    SELECT = 2, /* SELECT_SCREEN_CONTENT_TOOLS */
    SIZE_BYTES_MAX = 8,
    KEY_FRAME = 0,
    INTRA_ONLY_FRAME = 2,
    COLOUR_BT709 = 1, /* ITU-T H.273 */
    TRANSFER_SRGB = 13,
    MATRIX_IDENTITY = 0,
};

struct obu {
    int type;
    bool sized;           /* else it reaches to the end */
    const uint8_t *start; /* of its header; borrowed */
    size_t size;          /* header included */
    const uint8_t *payload;
    size_t payload_size;
};

/* leb128(), 4.10.5 */
static uint64_t read_size(struct bytes *in) {
    uint64_t value = 0;
    for (int i = 0; i < SIZE_BYTES_MAX; i++) {
        uint8_t byte = bytes_u8(in);
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            return value;
        }
    }
    in->short_read = true;
    return 0;
}

static int obu_next(struct bytes *in, struct obu *out, struct err *err) {
    size_t before = bytes_left(in);
    const uint8_t *start = in->data + in->at;
    int header = bytes_u8(in);
    bool extended = (header & 0x04) != 0;
    bool sized = (header & 0x02) != 0;
    if (extended) {
        bytes_u8(in);
    }
    uint64_t size = sized ? read_size(in) : bytes_left(in);
    if (header >= 0x80 || (header & 0x01) != 0 || in->short_read || size > bytes_left(in)) {
        return err_set(err, ERR_CORRUPT, "the sizes of the OBUs do not fill their place");
    }
    out->type = header >> 3 & 15;
    out->sized = sized;
    out->start = start;
    out->payload_size = (size_t)size;
    out->payload = bytes_take(in, (size_t)size);
    out->size = before - bytes_left(in);
    return 0;
}

/* ---- Sequence headers -------------------------------------------------------------- */

static void skip_uvlc(struct bits *bits) {
    int zeros = 0;
    while (!bits->short_read && !bits_flag(bits)) {
        zeros++;
    }
    if (zeros < 32) {
        bits_u(bits, zeros);
    }
}

/* timing_info and decoder_model_info, 5.5.3 and 5.5.4; returns the length of the delays
 * that a decoder model tells, 0 without one. */
static int read_timing(struct av1_sequence *sequence, struct bits *bits) {
    sequence->timing = bits_flag(bits);
    if (!sequence->timing) {
        return 0;
    }
    bits_u(bits, 32);
    bits_u(bits, 32);
    if (bits_flag(bits)) {
        skip_uvlc(bits);
    }
    if (!bits_flag(bits)) {
        return 0;
    }
    int delay_bits = (int)bits_u(bits, 5) + 1;
    bits_u(bits, 32);
    bits_u(bits, 10);
    return delay_bits;
}

static void read_operating_points(struct av1_sequence *sequence, struct bits *bits) {
    int delay_bits = read_timing(sequence, bits);
    bool display_delay = bits_flag(bits);
    int points = (int)bits_u(bits, 5) + 1;
    for (int i = 0; i < points && !bits->short_read; i++) {
        bits_u(bits, 12); /* operating_point_idc */
        int level = (int)bits_u(bits, 5);
        int tier = level >= LEVEL_WITH_TIER ? (int)bits_u(bits, 1) : 0;
        if (i == 0) {
            sequence->level = level;
            sequence->tier = tier;
        }
        if (delay_bits > 0 && bits_flag(bits)) {
            bits_u(bits, delay_bits);
            bits_u(bits, delay_bits);
            bits_flag(bits);
        }
        if (display_delay && bits_flag(bits)) {
            bits_u(bits, 4);
        }
    }
}

/* The tools that only sequences of more than a picture may have. */
static void skip_inter_tools(struct bits *bits) {
    bits_u(bits, 4); /* interintra, masked, warped, dual filter */
    bool order_hint = bits_flag(bits);
    if (order_hint) {
        bits_u(bits, 2);
    }
    uint32_t screen_tools = bits_flag(bits) ? SELECT : bits_u(bits, 1);
    if (screen_tools > 0 && !bits_flag(bits)) {
        bits_u(bits, 1); /* seq_force_integer_mv */
    }
    if (order_hint) {
        bits_u(bits, 3);
    }
}

static void read_chroma(struct av1_sequence *sequence, struct bits *bits) {
    if (sequence->profile == 0) {
        sequence->chroma = CHROMA_420;
    } else if (sequence->profile == 1) {
        sequence->chroma = CHROMA_444;
    } else if (sequence->bit_depth < 12) {
        sequence->chroma = CHROMA_422;
    } else {
        bool half_wide = bits_flag(bits);
        bool half_high = half_wide && bits_flag(bits);
        sequence->chroma = half_high ? CHROMA_420 : half_wide ? CHROMA_422 : CHROMA_444;
    }
    if (sequence->chroma == CHROMA_420) {
        sequence->chroma_position = (int)bits_u(bits, 2);
    }
}

/* color_config(), 5.5.2 */
static void read_colour(struct av1_sequence *sequence, struct bits *bits) {
    bool deep = bits_flag(bits);
    sequence->bit_depth = !deep ? 8 : sequence->profile == 2 && bits_flag(bits) ? 12 : 10;
    bool mono = sequence->profile != 1 && bits_flag(bits);
    struct picture_signal *signal = &sequence->signal;
    *signal = picture_signal_silent();
    if (bits_flag(bits)) {
        signal->primaries = (int)bits_u(bits, 8);
        signal->transfer = (int)bits_u(bits, 8);
        signal->matrix = (int)bits_u(bits, 8);
    }
    if (mono) {
        signal->full_range = bits_flag(bits);
        sequence->chroma = CHROMA_400;
        return;
    }
    if (signal->primaries == COLOUR_BT709 && signal->transfer == TRANSFER_SRGB &&
        signal->matrix == MATRIX_IDENTITY) {
        signal->full_range = true;
        sequence->chroma = CHROMA_444;
    } else {
        signal->full_range = bits_flag(bits);
        read_chroma(sequence, bits);
    }
    bits_flag(bits); /* separate_uv_delta_q */
}

int av1_sequence_read(struct av1_sequence *out, const uint8_t *data, size_t size, struct err *err) {
    struct bits bits = bits_of(data, size);
    struct av1_sequence sequence = {0};
    sequence.profile = (int)bits_u(&bits, 3);
    sequence.still = bits_flag(&bits);
    bool reduced = bits_flag(&bits);
    if (reduced) {
        sequence.level = (int)bits_u(&bits, 5);
    } else {
        read_operating_points(&sequence, &bits);
    }
    int width_bits = (int)bits_u(&bits, 4) + 1;
    int height_bits = (int)bits_u(&bits, 4) + 1;
    sequence.width = (int)bits_u(&bits, width_bits) + 1;
    sequence.height = (int)bits_u(&bits, height_bits) + 1;
    if (!reduced && bits_flag(&bits)) {
        bits_u(&bits, 7); /* lengths of frame ids */
    }
    bits_u(&bits, 3); /* superblocks of 128, filter intra, intra edge filter */
    if (!reduced) {
        skip_inter_tools(&bits);
    }
    bits_u(&bits, 3); /* superres, cdef, restoration */
    read_colour(&sequence, &bits);
    bits_flag(&bits); /* film_grain_params_present */
    if (bits.short_read || sequence.profile > PROFILE_MAX || sequence.chroma_position == 3 ||
        (reduced && !sequence.still)) {
        return err_set(err, ERR_CORRUPT,
                       "the sequence header breaks off or holds a value out of range");
    }
    *out = sequence;
    return 0;
}

/* ---- Records ------------------------------------------------------------------------ */

/* The two bytes after the version, which repeat the sequence header. */
static void record_head(const struct av1_sequence *sequence, uint8_t out[2]) {
    bool mono = sequence->chroma == CHROMA_400;
    bool half_wide = mono || sequence->chroma == CHROMA_420 || sequence->chroma == CHROMA_422;
    bool half_high = mono || sequence->chroma == CHROMA_420;
    out[0] = (uint8_t)(sequence->profile << 5 | sequence->level);
    out[1] = (uint8_t)(sequence->tier << 7 | (sequence->bit_depth > 8) << 6 |
                       (sequence->bit_depth > 10) << 5 | mono << 4 | half_wide << 3 |
                       half_high << 2 | sequence->chroma_position);
}

/* What those two bytes tell where no sequence header does. */
static struct av1_sequence record_head_read(const uint8_t said[2]) {
    bool deep = (said[1] & 0x40) != 0;
    bool deeper = (said[1] & 0x20) != 0;
    bool mono = (said[1] & 0x10) != 0;
    bool half_wide = (said[1] & 0x08) != 0;
    bool half_high = (said[1] & 0x04) != 0;
    return (struct av1_sequence){
        .profile = said[0] >> 5,
        .level = said[0] & 31,
        .tier = said[1] >> 7,
        .bit_depth = deeper ? 12
                     : deep ? 10
                            : 8,
        .chroma = mono        ? CHROMA_400
                  : half_high ? CHROMA_420
                  : half_wide ? CHROMA_422
                              : CHROMA_444,
        .chroma_position = said[1] & 3,
        .signal = picture_signal_silent(),
    };
}

/* One of configOBUs, which tell their sizes all (2.3.3). */
static int config_next(struct bytes *in, struct obu *out, struct err *err) {
    int failed = obu_next(in, out, err);
    if (failed == 0 && !out->sized) {
        failed = err_set(err, ERR_CORRUPT, "an OBU does not tell its size");
    }
    if (failed != 0) {
        err_wrap(err, "configOBUs");
    }
    return failed;
}

/* A sequence header, where there is one, stands first. */
static int record_header_read(struct av1_record *record, struct bytes *in, struct err *err) {
    struct bytes after = *in;
    struct obu obu;
    if (bytes_left(in) == 0) {
        return 0;
    }
    int failed = config_next(&after, &obu, err);
    if (failed == 0 && obu.type == OBU_SEQUENCE_HEADER) {
        record->header = obu.start;
        record->header_size = obu.size;
        *in = after;
        failed = av1_sequence_read(&record->sequence, obu.payload, obu.payload_size, err);
    }
    return failed;
}

static int record_rest_read(struct av1_record *record, struct bytes *in, struct err *err) {
    record->metadata = in->data + in->at;
    record->metadata_size = bytes_left(in);
    while (bytes_left(in) > 0) {
        struct obu obu;
        int failed = config_next(in, &obu, err);
        if (failed != 0) {
            return failed;
        }
        if (obu.type != OBU_METADATA) {
            return err_set(err, ERR_CORRUPT,
                           "av1C holds more than one sequence header and metadata");
        }
    }
    return 0;
}

int av1_record_read(struct av1_record *out, const uint8_t *data, size_t size, struct err *err) {
    struct bytes in = bytes_of(data, size);
    struct av1_record record = {0};
    int version = bytes_u8(&in);
    uint8_t said[2];
    said[0] = bytes_u8(&in);
    said[1] = bytes_u8(&in);
    int delay = bytes_u8(&in);
    if (in.short_read || version != 0x81 || delay >= 0x20) {
        return err_set(err, ERR_CORRUPT, "av1C is no version 1 record");
    }
    record.sequence = record_head_read(said);
    int failed = record_header_read(&record, &in, err);
    if (failed == 0) {
        failed = record_rest_read(&record, &in, err);
    }
    if (failed != 0) {
        return failed;
    }
    uint8_t wanted[2];
    record_head(&record.sequence, wanted);
    if (said[0] != wanted[0] || said[1] != wanted[1] || record.sequence.profile > PROFILE_MAX) {
        return err_set(err, ERR_CORRUPT,
                       "av1C and its sequence header differ in profile, level, tier, bit depth or "
                       "chroma format");
    }
    *out = record;
    return 0;
}

bool av1_record_fits(const struct av1_record *record, const struct av1_sample *sample) {
    if (record->header != NULL) {
        return record->header_size == sample->header_size &&
               memcmp(record->header, sample->header, sample->header_size) == 0;
    }
    struct bytes in = bytes_of(sample->header, sample->header_size);
    struct av1_sequence sequence;
    struct obu obu;
    uint8_t said[2];
    uint8_t real[2];
    if (obu_next(&in, &obu, NULL) != 0 ||
        av1_sequence_read(&sequence, obu.payload, obu.payload_size, NULL) != 0) {
        return false;
    }
    record_head(&record->sequence, said);
    record_head(&sequence, real);
    return memcmp(said, real, sizeof(said)) == 0;
}

/* ---- Samples ------------------------------------------------------------------------ */

struct frame_head {
    bool decoded;
    bool shown;
    bool key;
    bool intra; /* intra-only */
};

/* The head of uncompressed_header(), 5.9.2, of a sequence that is no still picture. */
static struct frame_head frame_head_read(const struct obu *obu) {
    struct bits bits = bits_of(obu->payload, obu->payload_size);
    if (bits_flag(&bits)) { /* show_existing_frame */
        return (struct frame_head){.shown = true};
    }
    uint32_t type = bits_u(&bits, 2);
    bool shown = bits_flag(&bits);
    return (struct frame_head){
        .decoded = true,
        .shown = shown,
        .key = type == KEY_FRAME && shown,
        .intra = type == INTRA_ONLY_FRAME,
    };
}

/* What is no part of a picture: whether a sample may hold it. A file should not (2.4), and tile
 * lists it must not. */
static bool take_other(struct av1_sample *sample, const struct obu *obu, const uint8_t *data) {
    bool delimiter = obu->type == OBU_TEMPORAL_DELIMITER && obu->start == data &&
                     obu->payload_size == 0;
    bool spare = delimiter || obu->type == OBU_PADDING || obu->type == OBU_REDUNDANT_FRAME_HEADER;
    sample->spare |= spare;
    return spare || obu->type == OBU_TILE_GROUP || obu->type == OBU_METADATA;
}

int av1_sample_read(struct av1_sample *out, const uint8_t *data, size_t size, struct err *err) {
    struct bytes in = bytes_of(data, size);
    struct av1_sample sample = {0};
    int frames = 0;
    int shown = 0;
    while (bytes_left(&in) > 0) {
        struct obu obu;
        int failed = obu_next(&in, &obu, err);
        if (failed != 0) {
            return failed;
        }
        sample.unsized |= !obu.sized;
        if (obu.type == OBU_SEQUENCE_HEADER) {
            if (frames > 0 || sample.header != NULL) {
                return err_set(err, ERR_CORRUPT,
                               "a sequence header stands behind a frame or another one");
            }
            sample.header = obu.start;
            sample.header_size = obu.size;
        } else if (obu.type == OBU_FRAME || obu.type == OBU_FRAME_HEADER) {
            if (obu.payload_size == 0 || shown > 0) {
                return err_set(err, ERR_CORRUPT,
                               obu.payload_size == 0 ? "a frame header is empty"
                                                     : "a frame stands behind the shown one");
            }
            struct frame_head head = frame_head_read(&obu);
            sample.key = frames == 0 && head.key && sample.header != NULL;
            sample.intra = (frames == 0 || sample.intra) && head.intra;
            sample.frames += head.decoded;
            shown += head.shown;
            frames++;
        } else if (!take_other(&sample, &obu, data)) {
            return err_set(err, ERR_CORRUPT, "an OBU of type %d has no place in a sample",
                           obu.type);
        }
    }
    if (shown != 1) {
        return err_set(err, ERR_CORRUPT, "a sample shows no frame");
    }
    *out = sample;
    return 0;
}

/* ---- Metadata ------------------------------------------------------------------------ */

enum { METADATA_LIGHT = 1, METADATA_MASTERING = 2 };

static void metadata_take(struct av1_metadata *out, const struct obu *obu) {
    struct bytes in = bytes_of(obu->payload, obu->payload_size);
    struct av1_metadata found = *out;
    uint64_t type = read_size(&in);
    if (type == METADATA_LIGHT) {
        found.has_light = true;
        found.light[0] = bytes_u16(&in);
        found.light[1] = bytes_u16(&in);
    } else if (type == METADATA_MASTERING) {
        found.has_mastering = true;
        for (int i = 0; i < 8; i++) {
            found.mastering[i] = bytes_u16(&in);
        }
        found.luminance[0] = bytes_u32(&in);
        found.luminance[1] = bytes_u32(&in);
    }
    if (!in.short_read) {
        *out = found;
    }
}

void av1_metadata_read(struct av1_metadata *out, const uint8_t *data, size_t size) {
    struct bytes in = bytes_of(data, size);
    struct obu obu;
    *out = (struct av1_metadata){0};
    while (bytes_left(&in) > 0 && obu_next(&in, &obu, NULL) == 0 && obu.type != OBU_FRAME &&
           obu.type != OBU_FRAME_HEADER) {
        if (obu.type == OBU_METADATA) {
            metadata_take(out, &obu);
        }
    }
}
