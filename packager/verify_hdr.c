/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures of high dynamic range, and the colours that all tell. See verify.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "av1.h"
#include "verify.h"

/* ITU-T H.273: BT.2020, and the ICtCp of BT.2100. */
enum { PRIMARIES_2020 = 9, MATRIX_2020 = 9, MATRIX_ICTCP = 14 };

static bool is_high(const struct codec_facts *codec) {
    return codec->signal.transfer == TRANSFER_PQ || codec->signal.transfer == TRANSFER_HLG;
}

/* ---- Colours ----------------------------------------------------------------------- */

static void check_told(struct verify *v, const struct real_track *track) {
    const struct picture_signal *signal = &track->codec.signal;
    if (signal->primaries == COLOUR_UNKNOWN || signal->transfer == COLOUR_UNKNOWN ||
        signal->matrix == COLOUR_UNKNOWN) {
        verify_found(v, RULE_VIDEO_COLOUR_TOLD, track->init,
                     "its parameter sets say %d/%d/%d of its colours, and %d is unknown",
                     signal->primaries, signal->transfer, signal->matrix, COLOUR_UNKNOWN);
    }
}

static void check_signal(struct verify *v, const struct real_track *track) {
    const struct picture_signal *signal = &track->codec.signal;
    bool matrix_fits = signal->matrix == MATRIX_2020 || signal->matrix == MATRIX_ICTCP;
    const char *fault = signal->primaries != PRIMARIES_2020 || !matrix_fits
                            ? "not of BT.2020 colours"
                        : track->codec.bit_depth < 10 ? "of less than 10 bits"
                        : track->facts.codec->codec == CODEC_H264
                            ? "of H.264, whose players know SDR alone"
                            : NULL;
    if (fault != NULL) {
        verify_found(v, RULE_HDR_SIGNAL, track->init, "it is %s (%d/%d/%d) and %s",
                     signal->transfer == TRANSFER_PQ ? "PQ" : "HLG", signal->primaries,
                     signal->transfer, signal->matrix, fault);
    }
    if (signal->full_range || signal->matrix == MATRIX_ICTCP) {
        verify_found(v, RULE_HDR_RANGE, track->init, "it is %s (%d/%d/%d) and %s",
                     signal->transfer == TRANSFER_PQ ? "PQ" : "HLG", signal->primaries,
                     signal->transfer, signal->matrix,
                     signal->full_range ? "of full range" : "of ICtCp");
    }
}

/* ---- Metadata ---------------------------------------------------------------------- */

/* Within one of its units, which may be lost where it was told in another. */
static bool near(int64_t told, int64_t unit, int64_t said, int64_t said_unit) {
    int64_t wanted = (told * said_unit + unit / 2) / unit;
    return llabs(wanted - said) <= 1;
}

/* Colours of the box are green, blue and red, in 1/50000; those of OBUs red, green and blue, in
 * 1/65536. Luminance is in 1/10000 cd/m2, and the greatest in 1/256, the least in 1/16384. */
static bool mastering_fits(const struct init_facts *facts, const struct av1_metadata *said) {
    static const int place_of[] = {2, 3, 4, 5, 0, 1, 6, 7};
    bool fits = near(facts->luminance[0], 10000, said->luminance[0], 256) &&
                near(facts->luminance[1], 10000, said->luminance[1], 16384);
    for (int i = 0; i < 8; i++) {
        fits = fits && near(facts->mastering[i], 50000, said->mastering[place_of[i]], 65536);
    }
    return fits;
}

static void check_metadata(struct verify *v, const struct real_track *track, const char *path,
                           const struct av1_metadata *said) {
    const struct init_facts *facts = &track->facts;
    if (said->has_mastering && (!facts->has_mastering || !mastering_fits(facts, said))) {
        verify_found(v, RULE_HDR_METADATA, path,
                     facts->has_mastering
                         ? "its OBUs tell of another mastering display than mdcv"
                         : "its OBUs tell of a mastering display, and there is no mdcv");
    }
    if (said->has_light && (!facts->has_light || facts->light[0] != said->light[0] ||
                            facts->light[1] != said->light[1])) {
        verify_found(v, RULE_HDR_METADATA, path,
                     "its OBUs tell of light of %d and %d cd/m2, and clli of %d and %d (0: none)",
                     said->light[0], said->light[1], facts->light[0], facts->light[1]);
    }
}

void verify_hdr_sample(struct verify *v, const struct real_track *track, const char *path,
                       const uint8_t *data, size_t size) {
    struct av1_metadata said;
    if (track->facts.codec->codec == CODEC_AV1) {
        av1_metadata_read(&said, data, size);
        check_metadata(v, track, path, &said);
    }
}

static void check_record(struct verify *v, const struct real_track *track) {
    struct av1_record record;
    struct av1_metadata said;
    const struct init_facts *facts = &track->facts;
    if (facts->codec->codec != CODEC_AV1 ||
        av1_record_read(&record, facts->record, facts->record_size, NULL) != 0) {
        return;
    }
    av1_metadata_read(&said, record.metadata, record.metadata_size);
    check_metadata(v, track, track->init, &said);
}

void verify_hdr_track(struct verify *v, const struct real_track *track) {
    const struct init_facts *facts = &track->facts;
    check_told(v, track);
    check_record(v, track);
    if (facts->foreign_mastering) {
        verify_found(v, RULE_HDR_METADATA, track->init,
                     "its sample entry has SmDm or CoLL, which players of MP4 do not know");
    }
    if (!is_high(&track->codec)) {
        return;
    }
    check_signal(v, track);
    if (track->codec.signal.transfer == TRANSFER_PQ &&
        (!facts->has_mastering || !facts->has_light)) {
        verify_found(v, RULE_HDR_METADATA_MISSING, track->init, "it is PQ, and has no %s",
                     facts->has_mastering ? "clli" : "mdcv");
    }
}

/* ---- Variants ---------------------------------------------------------------------- */

void verify_hdr_variants(struct verify *v) {
    const struct m3u8_item *high = NULL;
    bool plain = false;
    for (size_t i = 0; i < v->master.variants.count; i++) {
        const struct m3u8_item *variant = &v->master.variants.items[i];
        const struct real_track *track = verify_track_of(v, variant);
        if (track == NULL || !track->facts.video) {
            continue;
        }
        high = is_high(&track->codec) ? variant : high;
        plain = plain || !is_high(&track->codec);
    }
    if (high != NULL && !plain) {
        verify_found(v, RULE_HDR_ALONE, "master.m3u8",
                     "the variant of line %d is of PQ or HLG, and none is of SDR", high->line);
    }
}
