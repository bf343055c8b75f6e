/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Common encryption: see protection.h. */
#include "protection.h"

#include <string.h>

static void letters(char out[5], const uint8_t *from) {
    for (int i = 0; i < 4; i++) {
        out[i] = '?';
        if (from != NULL && from[i] >= 0x20 && from[i] < 0x7f) {
            out[i] = (char)from[i];
        }
    }
    out[4] = '\0';
}

/* 23001-7 8.2. */
static int track_encryption_read(struct protection_facts *out, const struct mp4_box *information,
                                 struct err *err) {
    struct mp4_box box;
    int failed = mp4_child(information, "tenc", &box, err);
    if (failed != 0) {
        return failed;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    bytes_u8(&box.body);
    uint8_t pattern = bytes_u8(&box.body);
    out->crypt_blocks = version > 0 ? pattern >> 4 : 0;
    out->skip_blocks = version > 0 ? pattern & 15 : 0;
    out->is_default = bytes_u8(&box.body) == 1;
    out->iv_bytes = bytes_u8(&box.body);
    const uint8_t *key_id = bytes_take(&box.body, KEY_ID_BYTES);
    if (key_id != NULL) {
        memcpy(out->key_id, key_id, KEY_ID_BYTES);
    }
    if (out->is_default && out->iv_bytes == 0) {
        out->constant_iv_bytes = bytes_u8(&box.body);
        bytes_take(&box.body, (size_t)out->constant_iv_bytes);
    }
    return mp4_done(&box, err);
}

int protection_read(struct protection_facts *out, const struct mp4_box *entry, struct err *err) {
    struct protection_facts facts = {.there = true};
    struct mp4_box scheme;
    struct mp4_box box;
    int failed = mp4_child(entry, "sinf", &scheme, err);
    if (failed == 0) {
        failed = mp4_child(&scheme, "frma", &box, err);
    }
    if (failed == 0) {
        letters(facts.original, bytes_take(&box.body, 4));
        failed = mp4_done(&box, err);
    }
    if (failed == 0) {
        failed = mp4_child(&scheme, "schm", &box, err);
    }
    if (failed == 0) {
        bytes_u32(&box.body);
        letters(facts.scheme, bytes_take(&box.body, 4));
        bytes_u32(&box.body);
        failed = box.body.short_read
                     ? err_set(err, ERR_CORRUPT, "box schm is too short for its fields")
                     : mp4_child(&scheme, "schi", &box, err);
    }
    if (failed == 0) {
        failed = track_encryption_read(&facts, &box, err);
    }
    if (failed == 0) {
        *out = facts;
    }
    return failed;
}

/* 23001-7 10: which schemes there are, and what each asks of tenc; 9.1: sizes of vectors. */
const char *protection_fault(const struct protection_facts *facts) {
    bool counter = strcmp(facts->scheme, "cenc") == 0;
    bool blocks = strcmp(facts->scheme, "cbcs") == 0;
    bool pattern = facts->crypt_blocks != 0 || facts->skip_blocks != 0;
    int iv_bytes = facts->iv_bytes != 0 ? facts->iv_bytes : facts->constant_iv_bytes;
    return !counter && !blocks
               ? "has a scheme that is neither cenc nor cbcs, which CMAF knows alone"
           : !facts->is_default                  ? NULL
           : iv_bytes != 8 && iv_bytes != 16     ? "has vectors of other than 8 or 16 bytes"
           : counter && facts->iv_bytes == 0     ? "is of cenc and has one vector for all samples"
           : counter && pattern                  ? "is of cenc and has a pattern"
           : pattern && facts->crypt_blocks == 0 ? "has a pattern that encrypts nothing"
                                                 : NULL;
}

/* ---- Fragments ------------------------------------------------------------------- */

/* Whether the traf describes groups of samples that may have keys of their own. */
static bool has_groups(const struct mp4_box *traf) {
    struct bytes in = traf->body;
    struct mp4_box box;
    bool has = false;
    while (bytes_left(&in) > 0 && mp4_next(&in, &box, NULL) == 0) {
        has = has || mp4_is(&box, "sgpd") || mp4_is(&box, "sbgp");
    }
    return has;
}

/* The clear and encrypted bytes of a sample's subsamples; 0 where they break off. */
static uint64_t subsample_bytes(struct bytes *in) {
    uint64_t all = 0;
    int count = bytes_u16(in);
    for (int i = 0; i < count && !in->short_read; i++) {
        all += bytes_u16(in);
        all += bytes_u32(in);
    }
    return in->short_read ? 0 : all;
}

/* 23001-7 7.2 and 9.5. */
const char *protection_fragment_fault(const struct protection_facts *facts, const uint8_t *moof,
                                      size_t size, const struct run_sample *samples, size_t count) {
    enum { HAS_SUBSAMPLES = 2 };
    struct bytes in = bytes_of(moof, size);
    struct mp4_box outer;
    struct mp4_box traf;
    struct mp4_box box;
    bool found = false;
    if (mp4_next(&in, &outer, NULL) != 0 || mp4_child(&outer, "traf", &traf, NULL) != 0 ||
        has_groups(&traf)) {
        return NULL;
    }
    if (mp4_child_maybe(&traf, "senc", &box, &found, NULL) != 0 || !found) {
        return found ? "holds two senc" : NULL;
    }
    uint8_t version;
    uint32_t flags;
    mp4_full(&box, &version, &flags);
    if (bytes_u32(&box.body) != count) {
        return "has a senc of more or fewer samples than its trun";
    }
    for (size_t i = 0; i < count && !box.body.short_read; i++) {
        bytes_take(&box.body, (size_t)facts->iv_bytes);
        bool divided = (flags & HAS_SUBSAMPLES) != 0;
        if (divided && subsample_bytes(&box.body) != samples[i].size && !box.body.short_read) {
            return "has a senc whose subsamples are not as many bytes as their sample";
        }
    }
    return mp4_done(&box, NULL) != 0 ? "has a senc that is cut short, or too long" : NULL;
}
