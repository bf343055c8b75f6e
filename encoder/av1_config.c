/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AV1's configuration record and samples: see av1_config.h. */
#include "av1_config.h"

#include <stdbool.h>
#include <string.h>

/* AV1 6.2.2 */
enum {
    OBU_SEQUENCE_HEADER = 1,
    OBU_TEMPORAL_DELIMITER = 2,
    OBU_REDUNDANT_FRAME_HEADER = 7,
    OBU_PADDING = 15,
};

enum { RECORD_HEAD = 4, LEVEL_WITH_TIER = 8 };

struct obu {
    int type;
    const uint8_t *data; /* its header included */
    size_t size;
    size_t payload; /* offset in `data` */
};

/* The OBU at the start of the bytes; false where it tells no size or ends past them. */
static bool obu_read(struct obu *out, const uint8_t *data, size_t size) {
    bool extended = size > 0 && (data[0] & 0x04) != 0;
    bool sized = size > 0 && (data[0] & 0x02) != 0;
    size_t at = extended ? 2 : 1;
    uint64_t length = 0;
    bool more = true;
    for (int i = 0; sized && more && i < 8; i++) { /* leb128(), 4.10.5 */
        if (at >= size) {
            return false;
        }
        length |= (uint64_t)(data[at] & 0x7f) << (7 * i);
        more = (data[at++] & 0x80) != 0;
    }
    if (!sized || more || length > size - at) {
        return false;
    }
    *out = (struct obu){data[0] >> 3 & 15, data, at + (size_t)length, at};
    return true;
}

struct sequence {
    unsigned profile;
    unsigned level;
    unsigned tier;
};

static unsigned bits_at(const uint8_t *data, int first, int count) {
    unsigned value = 0;
    for (int i = first; i < first + count; i++) {
        value = value << 1 | (data[i / 8] >> (7 - i % 8) & 1);
    }
    return value;
}

/* The head of sequence_header_obu() (5.5.1) with neither timing nor a decoder model: then
 * the first operating point's level stands at a fixed place. */
static bool sequence_read(struct sequence *out, const struct obu *obu) {
    enum { STILL_AT = 3, TIMING_AT = 5, LEVEL_AT = 24, TIER_AT = 29, BYTES = 4 };
    const uint8_t *payload = obu->data + obu->payload;
    if (obu->size - obu->payload < BYTES || bits_at(payload, STILL_AT, 2) != 0 ||
        bits_at(payload, TIMING_AT, 1) != 0) {
        return false;
    }
    out->profile = bits_at(payload, 0, 3);
    out->level = bits_at(payload, LEVEL_AT, 5);
    out->tier = out->level >= LEVEL_WITH_TIER ? bits_at(payload, TIER_AT, 1) : 0;
    return true;
}

/* The first sequence header of a sample; false where there is none. */
static bool find_header(struct obu *out, const uint8_t *sample, size_t size) {
    size_t at = 0;
    while (at < size && obu_read(out, sample + at, size - at)) {
        if (out->type == OBU_SEQUENCE_HEADER) {
            return true;
        }
        at += out->size;
    }
    return false;
}

int av1_config_make(struct coded_config *config, const struct video_spec *spec,
                    const uint8_t *sample, size_t size, struct err *err) {
    struct obu header;
    struct sequence sequence;
    if (!find_header(&header, sample, size) || header.size > sizeof(config->record) - RECORD_HEAD ||
        !sequence_read(&sequence, &header)) {
        return err_set(err, ERR_INTERNAL, "the encoder's AV1 sequence header can't be read");
    }
    bool mono = spec->chroma == CHROMA_400;
    bool half_wide = spec->chroma != CHROMA_444;
    bool half_high = mono || spec->chroma == CHROMA_420;
    unsigned position = spec->chroma == CHROMA_420
                            ? (unsigned)chroma_position_av1(spec->colour.chroma_location)
                            : 0;
    *config = (struct coded_config){.record_size = RECORD_HEAD + header.size};
    config->record[0] = 0x80 | 1; /* marker, version */
    config->record[1] = (uint8_t)(sequence.profile << 5 | sequence.level);
    config->record[2] = (uint8_t)(sequence.tier << 7 | (unsigned)(spec->bit_depth > 8) << 6 |
                                  (unsigned)(spec->bit_depth > 10) << 5 | (unsigned)mono << 4 |
                                  (unsigned)half_wide << 3 | (unsigned)half_high << 2 | position);
    config->record[3] = 0; /* no initial_presentation_delay */
    memcpy(config->record + RECORD_HEAD, header.data, header.size);
    return 0;
}

int av1_sample_append(struct buf *out, const uint8_t *data, size_t size, struct err *err) {
    size_t at = 0;
    while (at < size) {
        struct obu obu;
        if (!obu_read(&obu, data + at, size - at)) {
            return err_set(err, ERR_INTERNAL, "the encoder's OBUs do not fill a temporal unit");
        }
        at += obu.size;
        if (obu.type != OBU_TEMPORAL_DELIMITER && obu.type != OBU_PADDING &&
            obu.type != OBU_REDUNDANT_FRAME_HEADER) {
            buf_append(out, obu.data, obu.size);
        }
    }
    return 0;
}
