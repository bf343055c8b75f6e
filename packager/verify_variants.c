/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Variants of the multivariant playlist beside each other: advice. See verify.h. */
#include <inttypes.h>
#include <stdlib.h>

#include "verify.h"

static const char master_path[] = "master.m3u8";

/* What Apple asks players to be started on (the packager's own rule too). */
enum { FIRST_VARIANT_BPS = 2000000 };

/* The rate of the lowest rung in Apple's table (STANDARDS section 6): what lies below it, as
 * still pictures do, every player can take, and its spacing does not matter. */
enum { LOWEST_RUNG_BPS = 145000 };

const struct verify_playlist *verify_measured(const struct verify *v,
                                              const struct m3u8_item *item) {
    const struct verify_playlist *playlist = verify_playlist_at(v, item->uri);
    return playlist != NULL && playlist->measured && !playlist->main->iframes ? playlist : NULL;
}

const struct real_track *verify_track_of(const struct verify *v, const struct m3u8_item *item) {
    const struct verify_playlist *playlist = verify_playlist_at(v, item->uri);
    const struct listing *main = playlist != NULL ? playlist->main : NULL;
    return main != NULL && main->track->readable ? main->track : NULL;
}

static int64_t off_first(const struct verify_playlist *playlist) {
    return llabs(playlist->average_bps - FIRST_VARIANT_BPS);
}

static bool is_codec(const struct verify_playlist *playlist, enum codec_id codec) {
    return playlist != NULL && playlist->main->track->facts.codec->codec == codec;
}

/* H.264 is what a player of unknown kind is started on, and the neighbour that other codecs
 * want. */
static void advise_codecs(struct verify *v) {
    const struct m3u8_list *variants = &v->master.variants;
    const struct verify_playlist *plain = NULL;
    for (size_t i = 0; i < variants->count && plain == NULL; i++) {
        const struct verify_playlist *playlist = verify_measured(v, &variants->items[i]);
        plain = is_codec(playlist, CODEC_H264) ? playlist : NULL;
    }
    for (size_t i = 0; i < variants->count; i++) {
        const struct verify_playlist *playlist = verify_measured(v, &variants->items[i]);
        if (is_codec(playlist, CODEC_AV1) && (plain == NULL || i == 0)) {
            verify_found(v, RULE_CODEC_NEIGHBOUR, master_path,
                         plain == NULL ? "line %d is of AV1, and no variant is of H.264"
                                       : "line %d is of AV1, and stands before all of H.264",
                         variants->items[i].line);
            return;
        }
    }
}

/* A variant whose rates are measured. */
struct rung {
    const struct m3u8_item *item;
    const struct verify_playlist *playlist;
};

/* All of pictures, each once where it stands in the list with several groups of sound. */
struct rungs {
    size_t count;
    struct rung rungs[VERIFY_PLAYLISTS_MAX];
};

static bool has_tracks(const struct rungs *all, const struct verify_playlist *playlist) {
    for (size_t i = 0; i < all->count; i++) {
        if (verify_same_tracks(all->rungs[i].playlist, playlist)) {
            return true;
        }
    }
    return false;
}

static void gather_rungs(const struct verify *v, struct rungs *all) {
    for (size_t i = 0; i < v->master.variants.count; i++) {
        const struct m3u8_item *item = &v->master.variants.items[i];
        const struct verify_playlist *playlist = verify_measured(v, item);
        if (playlist != NULL && playlist->main->track->facts.video && !has_tracks(all, playlist)) {
            all->rungs[all->count++] = (struct rung){item, playlist};
        }
    }
}

static bool same_codec(const struct verify_playlist *a, const struct verify_playlist *b) {
    return a->main->track->facts.codec == b->main->track->facts.codec;
}

static void advise_first(struct verify *v, const struct rung *rung) {
    const struct verify_playlist *first = verify_measured(v, &v->master.variants.items[0]);
    if (first != NULL && same_codec(first, rung->playlist) &&
        off_first(rung->playlist) < off_first(first)) {
        verify_found(v, RULE_HLS_FIRST_VARIANT, master_path,
                     "line %d, at %" PRId64 " b/s, is nearer to 2 Mb/s than the first variant",
                     rung->item->line, rung->playlist->average_bps);
    }
}

static void advise_peak(struct verify *v, const struct verify_playlist *playlist) {
    if (playlist->peak_bps / 2 > playlist->average_bps) {
        verify_found(v, RULE_RUNG_PEAK, playlist->path,
                     "its peak of %" PRId64 " b/s is more than twice its average of %" PRId64,
                     playlist->peak_bps, playlist->average_bps);
    }
}

/* The rung of the same codec that is next above in average rate; of two of one rate the later
 * in the list is above. NULL where there is none. */
static const struct verify_playlist *rung_above(const struct rungs *all, size_t index) {
    const struct verify_playlist *playlist = all->rungs[index].playlist;
    const struct verify_playlist *above = NULL;
    for (size_t i = 0; i < all->count; i++) {
        const struct verify_playlist *other = all->rungs[i].playlist;
        bool higher = other->average_bps > playlist->average_bps ||
                      (other->average_bps == playlist->average_bps && i > index);
        if (higher && same_codec(other, playlist) &&
            (above == NULL || other->average_bps < above->average_bps)) {
            above = other;
        }
    }
    return above;
}

static void advise_spacing(struct verify *v, const struct rungs *all, size_t index) {
    const struct verify_playlist *playlist = all->rungs[index].playlist;
    const struct verify_playlist *above = rung_above(all, index);
    if (above == NULL || above->average_bps < LOWEST_RUNG_BPS) {
        return;
    }
    if (10 * above->average_bps < 13 * playlist->average_bps) {
        verify_found(v, RULE_RUNG_SPACING, playlist->path,
                     "its average of %" PRId64 " b/s is within 1.3 x of %" PRId64 " b/s of %s",
                     playlist->average_bps, above->average_bps, above->path);
    } else if (playlist->average_bps >= LOWEST_RUNG_BPS &&
               10 * above->average_bps > 25 * playlist->average_bps) {
        verify_found(v, RULE_RUNG_GAP, playlist->path,
                     "from its average of %" PRId64 " b/s the next one up is %" PRId64
                     " b/s of %s, more than 2.5 x",
                     playlist->average_bps, above->average_bps, above->path);
    }
}

static void advise_iframes(struct verify *v) {
    for (size_t i = 0; i < v->master.variants.count; i++) {
        const struct m3u8_item *item = &v->master.variants.items[i];
        const struct real_track *track = verify_track_of(v, item);
        const struct verify_playlist *playlist = verify_playlist_at(v, item->uri);
        bool listed = track == NULL || !track->facts.video;
        for (size_t j = 0; j < v->master.iframe_variants.count && !listed; j++) {
            listed = verify_same_tracks(
                playlist, verify_playlist_at(v, v->master.iframe_variants.items[j].uri));
        }
        if (!listed) {
            verify_found(v, RULE_HLS_IFRAME_MISSING, master_path,
                         "the variant of line %d has no I-frame playlist", item->line);
        }
    }
}

void verify_variants(struct verify *v) {
    struct rungs all = {0};
    gather_rungs(v, &all);
    for (size_t i = 0; i < all.count; i++) {
        advise_first(v, &all.rungs[i]);
        advise_peak(v, all.rungs[i].playlist);
        advise_spacing(v, &all, i);
    }
    advise_codecs(v);
    advise_iframes(v);
    verify_hdr_variants(v);
}
