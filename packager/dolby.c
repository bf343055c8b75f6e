/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AC-3 and E-AC-3: see dolby.h. */
#include "dolby.h"

#include <limits.h>

#include "bits.h"

enum {
    SYNC_WORD = 0x0b77,
    RATES = 3,
    AC3_BSID_MAX = 8, /* TS 102 366 4.4.2.1: what decoders of AC-3 know */
    EAC3_BSID_MIN = 11,
    EAC3_BSID_MAX = 16,
    FRAME_BLOCKS = 6,
    STREAM_DEPENDENT = 1, /* strmtyp */
    HEAD_BYTES = 8,       /* of a frame, up to lfeon of either kind */
};

static const int rates[RATES] = {48000, 44100, 32000};
static const int channels_of[] = {2, 1, 2, 3, 3, 4, 4, 5}; /* by acmod */

static void config_fill(struct dolby_config *out) {
    out->sample_rate = rates[out->rate_code];
    out->channels = channels_of[out->mode] + out->low_frequency;
}

int dolby_ac3_read(struct dolby_config *out, const uint8_t *data, size_t size, struct err *err) {
    struct bits bits = bits_of(data, size);
    struct dolby_config config = {.rate_code = (int)bits_u(&bits, 2)};
    int bsid = (int)bits_u(&bits, 5);
    bits_u(&bits, 3); /* bsmod */
    config.mode = (int)bits_u(&bits, 3);
    config.low_frequency = bits_flag(&bits);
    bits_u(&bits, 10);
    if (bits.short_read || config.rate_code >= RATES || bsid > AC3_BSID_MAX) {
        return err_set(err, ERR_CORRUPT, "box dac3 breaks off or holds a reserved value");
    }
    config_fill(&config);
    *out = config;
    return 0;
}

int dolby_eac3_read(struct dolby_config *out, const uint8_t *data, size_t size, struct err *err) {
    struct bits bits = bits_of(data, size);
    struct dolby_config config = {0};
    bool more = false; /* channels that are not counted here */
    bits_u(&bits, 13); /* data_rate */
    int streams = (int)bits_u(&bits, 3) + 1;
    for (int i = 0; i < streams; i++) {
        int rate_code = (int)bits_u(&bits, 2);
        bits_u(&bits, 10); /* bsid, a reserved bit, asvc, bsmod */
        int mode = (int)bits_u(&bits, 3);
        bool low_frequency = bits_flag(&bits);
        bits_u(&bits, 3);
        int dependents = (int)bits_u(&bits, 4);
        bits_u(&bits, dependents > 0 ? 9 : 1);
        more = more || dependents > 0 || i > 0;
        if (i == 0) {
            config = (struct dolby_config){
                .rate_code = rate_code, .mode = mode, .low_frequency = low_frequency};
        }
    }
    if (bits.short_read || config.rate_code >= RATES) {
        return err_set(err, ERR_CORRUPT, "box dec3 breaks off or holds a reserved value");
    }
    bool objects = bits.size - bits.at >= 16 && (bits_u(&bits, 8) & 1) != 0;
    config_fill(&config);
    config.channels = more || objects ? 0 : config.channels;
    *out = config;
    return 0;
}

/* ---- Samples --------------------------------------------------------------------- */

/* Bytes of a frame of AC-3, table 4.13; 0 for a code that is reserved. */
static size_t ac3_frame_size(int rate_code, int size_code) {
    static const int kbps[] = {32,  40,  48,  56,  64,  80,  96,  112, 128, 160,
                               192, 224, 256, 320, 384, 448, 512, 576, 640};
    if (size_code / 2 >= (int)(sizeof(kbps) / sizeof(kbps[0]))) {
        return 0;
    }
    int rate = kbps[size_code / 2];
    int words = rate_code == 0   ? 2 * rate
                : rate_code == 2 ? 3 * rate
                                 : rate * 320 / 147 + size_code % 2;
    return 2 * (size_t)words;
}

int dolby_ac3_sample(const struct dolby_config *config, const uint8_t *data, size_t size,
                     int *samples, struct err *err) {
    struct bits bits = bits_of(data, size < HEAD_BYTES ? size : HEAD_BYTES);
    bool synced = bits_u(&bits, 16) == SYNC_WORD;
    bits_u(&bits, 16); /* crc1 */
    int rate_code = (int)bits_u(&bits, 2);
    size_t frame = ac3_frame_size(rate_code, (int)bits_u(&bits, 6));
    bits_u(&bits, 8); /* bsid, bsmod */
    int mode = (int)bits_u(&bits, 3);
    bits_u(&bits, (mode & 1) != 0 && mode != 1 ? 2 : 0); /* cmixlev */
    bits_u(&bits, (mode & 4) != 0 ? 2 : 0);              /* surmixlev */
    bits_u(&bits, mode == 2 ? 2 : 0);                    /* dsurmod */
    bool low_frequency = bits_flag(&bits);
    if (bits.short_read || !synced || frame != size) {
        return err_set(err, ERR_CORRUPT, "it is not one frame of AC-3");
    }
    if (rate_code != config->rate_code || mode != config->mode ||
        low_frequency != config->low_frequency) {
        return err_set(err, ERR_CORRUPT, "dac3 tells of another rate or of other channels");
    }
    *samples = FRAME_BLOCKS * DOLBY_BLOCK_SAMPLES;
    return 0;
}

/* The head of a frame of E-AC-3, TS 102 366 annex E.1.2. */
struct eac3_head {
    int type;
    int substream;
    size_t size; /* bytes */
    int rate_code;
    int blocks;
    int mode;
    bool low_frequency;
    int bsid;
};

static bool read_head(struct eac3_head *out, const uint8_t *data, size_t size) {
    static const int blocks_of[] = {1, 2, 3, FRAME_BLOCKS};
    struct bits bits = bits_of(data, size < HEAD_BYTES ? size : HEAD_BYTES);
    bool synced = bits_u(&bits, 16) == SYNC_WORD;
    out->type = (int)bits_u(&bits, 2);
    out->substream = (int)bits_u(&bits, 3);
    out->size = 2 * ((size_t)bits_u(&bits, 11) + 1);
    out->rate_code = (int)bits_u(&bits, 2);
    int code = (int)bits_u(&bits, 2); /* of blocks, or of half the rate */
    out->blocks = out->rate_code == RATES ? FRAME_BLOCKS : blocks_of[code];
    out->mode = (int)bits_u(&bits, 3);
    out->low_frequency = bits_flag(&bits);
    out->bsid = (int)bits_u(&bits, 5);
    return synced && !bits.short_read && out->size <= size;
}

/* The frames of the first independent substream follow each other in time; dependent ones, and
 * other independent ones, sound with them. */
int dolby_eac3_sample(const struct dolby_config *config, const uint8_t *data, size_t size,
                      int *samples, struct err *err) {
    int blocks = 0;
    for (size_t at = 0; at < size;) {
        struct eac3_head head = {0};
        if (!read_head(&head, data + at, size - at) || head.bsid < EAC3_BSID_MIN ||
            head.bsid > EAC3_BSID_MAX) {
            return err_set(err, ERR_CORRUPT, "it is not whole frames of E-AC-3");
        }
        bool first = head.type != STREAM_DEPENDENT && head.substream == 0;
        if (at == 0 && (!first || head.rate_code != config->rate_code ||
                        head.mode != config->mode || head.low_frequency != config->low_frequency)) {
            return err_set(err, ERR_CORRUPT, "dec3 tells of another rate or of other channels");
        }
        blocks += first ? head.blocks : 0;
        at += head.size;
    }
    if (blocks == 0 || blocks > INT_MAX / DOLBY_BLOCK_SAMPLES) {
        return err_set(err, ERR_CORRUPT, "it is not whole frames of E-AC-3");
    }
    *samples = blocks * DOLBY_BLOCK_SAMPLES;
    return 0;
}
