/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracks beside each other, and against what players are good at. See verify.h. */
#include <inttypes.h>
#include <string.h>

#include "manifest_number.h"
#include "verify.h"

enum {
    RATE_MAX = 60,          /* pictures a second */
    KEY_DISTANCE_MAX_S = 3, /* about 2 s, at any rate */
    SEGMENT_MAX_S = 6,
};

/* ---- Advice -------------------------------------------------- */

/* The highest rate that is measured of a track, of which a Period may show a quiet part. */
static int64_t highest_bps(const struct verify *v, const struct real_track *track) {
    int64_t highest = 0;
    for (size_t l = 0; l < v->listing_count; l++) {
        const struct listing *listing = v->listings[l];
        bool more = listing->whole && listing->track == track && listing->peak_bps > highest;
        highest = more ? listing->peak_bps : highest;
    }
    return highest;
}

/* Whether the level fits what was measured: what exceeds it need not play everywhere, and what
 * stays under it is kept from players that could. */
static void advise_level(struct verify *v, const struct listing *listing) {
    const struct real_track *track = listing->track;
    struct codec_facts codec;
    if (codec_facts_read(&codec, &track->facts, real_rate(track), NULL) != 0 ||
        !codec.level_holds) {
        return;
    }
    if (codec.level_bps > 0 && listing->peak_bps > codec.level_bps) {
        verify_found(v, RULE_CODEC_LEVEL_RATE, track->init,
                     "the level in %s allows %" PRId64 " b/s, and the peak is %" PRId64,
                     track->codecs, codec.level_bps, listing->peak_bps);
    }
    int64_t most_bps = highest_bps(v, track);
    if (codec.level_below_bps > 0 && most_bps <= codec.level_below_bps) {
        verify_found(v, RULE_CODEC_LEVEL_SPARE, track->init,
                     "a lower level than that in %s allows %dx%d at %.3f pictures and %" PRId64
                     " bits a second",
                     track->codecs, codec.width, codec.height, rational_value(real_rate(track)),
                     most_bps);
    }
}

static void advise_rate(struct verify *v, const struct listing *listing) {
    struct rational rate = real_rate(listing->track);
    if (rate.num > 0 && rational_compare(rate, (struct rational){RATE_MAX, 1}) > 0) {
        verify_found(v, RULE_VIDEO_RATE, listing->manifest, "it has %.3f pictures a second",
                     rational_value(rate));
    }
}

/* All but the last GOP, which is what was left of the title. */
static void advise_key_distance(struct verify *v, const struct listing *listing) {
    uint32_t timescale = listing->track->facts.timescale;
    for (size_t i = 0; i < listing->count; i++) {
        const struct real_segment *segment = listing->segments[i];
        size_t count = segment->gop_count - (i + 1 == listing->count && segment->gop_count > 0);
        for (size_t g = 0; g < count; g++) {
            if (segment->gops[g].ticks > (int64_t)KEY_DISTANCE_MAX_S * timescale) {
                verify_found(v, RULE_VIDEO_KEY_DISTANCE, segment->path,
                             "its GOP %zu lasts %.3f s, which a player that seeks may have to wait "
                             "for",
                             g + 1, (double)segment->gops[g].ticks / timescale);
                return;
            }
        }
    }
}

/* PQ, HLG, or 0 for all of SDR. */
static int range_of(const struct listing *listing) {
    int transfer = listing->track->codec.signal.transfer;
    return transfer == TRANSFER_PQ || transfer == TRANSFER_HLG ? transfer : 0;
}

/* Against the first of the same range: a player that goes from one to the other may not show
 * the same colours. */
static void advise_colour(struct verify *v, const struct listing *listing) {
    const struct picture_signal *own = &listing->track->codec.signal;
    for (size_t l = 0; v->listings[l] != listing; l++) {
        const struct listing *other = v->listings[l];
        if (!other->whole || !other->track->facts.video || !verify_same_place(other, listing) ||
            range_of(other) != range_of(listing)) {
            continue;
        }
        const struct picture_signal *its = &other->track->codec.signal;
        if (!picture_signal_same_colours(own, its)) {
            verify_found(v, RULE_VIDEO_ONE_COLOUR, listing->track->init,
                         "its colours are %d/%d/%d, and those of %s %d/%d/%d", own->primaries,
                         own->transfer, own->matrix, other->track->init, its->primaries,
                         its->transfer, its->matrix);
        }
        return;
    }
}

static void advise_length(struct verify *v, const struct listing *listing) {
    if (v->target_s > SEGMENT_MAX_S) {
        verify_found(v, RULE_SEGMENT_LENGTH, listing->manifest,
                     "its segments last up to %" PRId64 " s, rounded", v->target_s);
    }
}

/* ---- Boundaries ---------------------------------------------------------------- */

/* < 0, 0, > 0 as tick `a` of one timescale is before, at, after tick `b` of another. */
static int compare_ticks(int64_t a, uint32_t a_scale, int64_t b, uint32_t b_scale) {
    return rational_compare((struct rational){a, a_scale}, (struct rational){b, b_scale});
}

/* Whether the GOPs of two segments of equal boundaries begin at equal times. */
static bool gops_align(const struct listing *listing, const struct listing *reference, size_t i) {
    const struct real_segment *a = listing->segments[i];
    const struct real_segment *b = reference->segments[i];
    bool align = a->gop_count == b->gop_count;
    for (size_t g = 0; g < a->gop_count && align; g++) {
        align = compare_ticks(a->gops[g].start, listing->track->facts.timescale, b->gops[g].start,
                              reference->track->facts.timescale) == 0;
    }
    return align;
}

static void check_video_boundaries(struct verify *v, const struct listing *listing,
                                   const struct listing *reference) {
    if (listing->count != reference->count) {
        verify_found(v, RULE_VIDEO_BOUNDARIES, listing->manifest,
                     "%s has %zu segments, and %s of %s has %zu", listing->label, listing->count,
                     reference->label, reference->manifest, reference->count);
        return;
    }
    for (size_t i = 0; i < listing->count; i++) {
        int64_t end = real_end(listing->track, listing->segments[i]) - listing->origin;
        int64_t wanted = real_end(reference->track, reference->segments[i]) - reference->origin;
        if (compare_ticks(end, listing->track->facts.timescale, wanted,
                          reference->track->facts.timescale) != 0) {
            verify_found(v, RULE_VIDEO_BOUNDARIES, listing->segments[i]->path,
                         "segment %zu ends at another time than that of %s", listing->first + i + 1,
                         reference->segments[i]->path);
            return;
        }
        if (!gops_align(listing, reference, i)) {
            verify_found(v, RULE_VIDEO_BOUNDARIES, listing->segments[i]->path,
                         "the GOPs of segment %zu begin at other times than those of %s",
                         listing->first + i + 1, reference->segments[i]->path);
            return;
        }
    }
}

/* By how much a segment of sound ends after segment `index` of the pictures, whose end is rounded
 * up to whole ticks of sound; both in their Period or stretch. */
static int64_t lateness(const struct listing *listing, const struct real_segment *segment,
                        const struct listing *pictures, size_t index) {
    const struct real_track *track = pictures->track;
    int64_t end = real_end(track, pictures->segments[index]) - pictures->origin;
    return real_end(listing->track, segment) - listing->origin -
           ticks_scale(end, listing->track->facts.timescale, track->facts.timescale, ROUND_UP);
}

/* Whether the first segment of sound shows less than a packet in its Period: it is listed for that
 * part of it alone, and is the last one of the Period before too. */
static bool begins_before(const struct listing *listing) {
    const struct real_track *track = listing->track;
    return listing->period != NULL && listing->count > 1 &&
           real_end(track, listing->segments[0]) - listing->origin < track->frame_ticks;
}

/* A packet border lies at or after the picture's, and less than a packet after it. Where the Period
 * or stretch does not begin with its tracks, the one place was rounded to the other's ticks. Before
 * a stretch sound may be cut on a grid of its own: only where it ends, it must be the pictures'. */
static void check_audio_boundaries(struct verify *v, const struct listing *listing,
                                   const struct listing *pictures) {
    const struct real_track *track = listing->track;
    size_t before = begins_before(listing) ? 1 : 0;
    const struct real_segment **segments = listing->segments + before;
    size_t count = listing->count - before;
    int64_t rounding = listing->origin != 0 ? 1 : 0;
    if (count != pictures->count) {
        verify_found(v, RULE_AUDIO_BOUNDARY, listing->manifest,
                     "%s has %zu segments, and the picture %zu", listing->label, count,
                     pictures->count);
    }
    for (size_t i = 0; i + 1 < count && count == pictures->count; i++) {
        int64_t late = lateness(listing, segments[i], pictures, i);
        if (late < -rounding || late >= track->frame_ticks) {
            verify_found(v, RULE_AUDIO_BOUNDARY, segments[i]->path,
                         "segment %zu ends %" PRId64 " samples after the picture's, and a packet "
                         "has %" PRId64,
                         listing->first + i + 1, late, track->frame_ticks);
        }
    }
    int64_t late = lateness(listing, segments[count - 1], pictures, pictures->count - 1);
    if (late < -rounding || late >= track->frame_ticks) {
        bool ends = listing->stretch + 1 == listing->stretches;
        verify_found(v, ends ? RULE_AUDIO_LENGTH : RULE_AUDIO_BOUNDARY, segments[count - 1]->path,
                     "the sound %s %" PRId64 " samples after the picture, and a packet has "
                     "%" PRId64,
                     ends ? "ends" : "of a stretch ends", late, track->frame_ticks);
    }
}

/* Sound has a first packet of priming, which is not to be heard, and padding: an edit of no
 * duration shows all that comes (ISO/IEC 14496-12 8.6.6.1). */
static void check_audio_edit(struct verify *v, const struct listing *listing,
                             const struct listing *pictures) {
    const struct init_facts *facts = &listing->track->facts;
    const struct real_track *track = pictures->track;
    int64_t end = ticks_scale(real_end(track, pictures->segments[pictures->count - 1]),
                              facts->timescale, track->facts.timescale, ROUND_UP);
    int64_t most = MANIFEST_SECONDS_MAX * (int64_t)facts->timescale;
    int64_t shown = 0;
    if (facts->has_edit && facts->movie_timescale > 0 && facts->edit_duration <= (uint64_t)most) {
        shown = ticks_scale((int64_t)facts->edit_duration, facts->timescale, facts->movie_timescale,
                            ROUND_NEAR);
    }
    int priming = listing->track->codec.priming;
    if (!facts->codec->primes && !facts->has_edit) {
        return;
    }
    if (priming >= 0 && (facts->has_edit ? facts->edit_media_time : 0) != priming) {
        verify_found(v, RULE_CMAF_EDIT_LIST, listing->track->init,
                     "the edit list skips %" PRId64 " samples of sound, and its record asks to "
                     "skip %d",
                     facts->has_edit ? facts->edit_media_time : 0, priming);
    } else if (facts->codec->primes && priming < 0 &&
               (!facts->has_edit || facts->edit_media_time == 0)) {
        verify_found(v, RULE_CMAF_EDIT_LIST, listing->track->init,
                     "no edit list skips the priming of the sound");
    } else if (facts->edit_duration > 0 && verify_is_of_all(listing) &&
               (shown < end - 1 || shown > end + 1)) {
        verify_found(v, RULE_CMAF_EDIT_LIST, listing->track->init,
                     "the edit list shows %" PRId64 " samples of sound, and the picture lasts "
                     "%" PRId64,
                     shown, end);
    }
}

/* The first whole listing of pictures in the same place; NULL for none. */
static const struct listing *find_pictures(const struct verify *v, const struct listing *listing) {
    for (size_t l = 0; l < v->listing_count; l++) {
        const struct listing *other = v->listings[l];
        if (other->whole && other->track->facts.video && verify_same_place(other, listing)) {
            return other;
        }
    }
    return NULL;
}

/* Whether HLS lists the track of which a Period has this part. */
static bool is_advised(const struct verify *v, const struct listing *part) {
    for (size_t l = 0; l < v->listing_count && part->period != NULL; l++) {
        const struct listing *other = v->listings[l];
        if (other->whole && other->period == NULL && other->track == part->track) {
            return true;
        }
    }
    return false;
}

static void advise(struct verify *v, const struct listing *listing) {
    advise_level(v, listing);
    advise_rate(v, listing);
    advise_key_distance(v, listing);
    advise_colour(v, listing);
}

static void check_boundaries(struct verify *v, const struct listing *listing) {
    const struct listing *pictures = find_pictures(v, listing);
    if (pictures == NULL || pictures == listing) {
        return;
    }
    if (listing->track->facts.video) {
        check_video_boundaries(v, listing, pictures);
    } else {
        check_audio_boundaries(v, listing, pictures);
        check_audio_edit(v, listing, pictures);
    }
}

void verify_side_by_side(struct verify *v) {
    if (v->reference != NULL) {
        advise_length(v, v->reference);
    }
    for (size_t l = 0; l < v->listing_count; l++) {
        const struct listing *listing = v->listings[l];
        const struct listing *same = listing->same;
        if (listing->whole && same == NULL && listing->track->facts.video &&
            !is_advised(v, listing)) {
            advise(v, listing);
        }
        if (listing->whole && (same == NULL || !verify_same_place(same, listing))) {
            check_boundaries(v, listing);
        }
    }
}
