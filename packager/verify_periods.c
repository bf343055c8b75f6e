/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Periods: where in its tracks each begins, one after the other, and whether HLS lists what all of
 * them do. See verify.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

static const char mpd_path[] = "manifest.mpd";

enum { SECOND_NS = 1000000000 };

static int64_t larger(int64_t a, int64_t b) {
    return a > b ? a : b;
}

/* ---- Where a Period lies in its tracks -------------------------------------------- */

static bool is_readable(const struct listing *listing) {
    return listing != NULL && listing->track->readable && listing->count > 0;
}

/* Times of an MPD, and with them @presentationTimeOffset, may count what the edit list skips or
 * not: that is taken with which those of the listing come nearer to the media's. */
static int64_t origin_of(const struct listing *listing) {
    const struct mpd_representation *told = listing->told;
    const struct real_track *track = listing->track;
    size_t first = 0;
    while (first < listing->count && !listing->segments[first]->readable) {
        first++;
    }
    if (told->presentation_offset == 0 || first == listing->count) {
        return 0;
    }
    uint32_t timescale = track->facts.timescale;
    int64_t offset = ticks_scale(told->presentation_offset, timescale, told->timescale, ROUND_NEAR);
    int64_t skipped = track->facts.has_edit ? track->facts.edit_media_time : 0;
    int64_t end = ticks_scale(told->segments[first].time + told->segments[first].duration,
                              timescale, told->timescale, ROUND_NEAR) -
                  offset;
    int64_t wanted = real_end(track, listing->segments[first]) - end;
    bool counted = llabs(offset - skipped - wanted) < llabs(offset - wanted);
    return counted ? offset - skipped : offset;
}

static struct ending ending_of(const struct dash_period *period) {
    struct ending last = {0};
    for (size_t i = 0; i < period->told->representation_count; i++) {
        const struct listing *listing = period->listings[i];
        if (!is_readable(listing) || !listing->segments[listing->count - 1]->readable) {
            continue;
        }
        const struct real_track *track = listing->track;
        int64_t end = real_end(track, listing->segments[listing->count - 1]) - listing->origin;
        int64_t at_ns = ticks_scale(end, SECOND_NS, track->facts.timescale, ROUND_NEAR);
        if (at_ns > last.at_ns) {
            last.at_ns = at_ns;
            last.frame_ns = real_frame_ns(track);
        }
    }
    bool is_cut = !period->last && period->told->duration_ns > 0 &&
                  last.at_ns > period->told->duration_ns;
    last.at_ns = is_cut ? period->told->duration_ns : last.at_ns;
    return last;
}

void verify_dash_places(struct verify *v) {
    for (size_t l = 0; l < v->listing_count; l++) {
        struct listing *listing = v->listings[l];
        listing->origin = listing->told != NULL ? origin_of(listing) : 0;
    }
    for (size_t p = 0; p < v->mpd.period_count; p++) {
        v->periods[p].ending = ending_of(&v->periods[p]);
    }
}

/* Tracks of one timeline begin with the Period at one time of it. Others may begin at any; but none
 * of those is less than a frame or packet away, as where priming was forgotten. */
static void check_together(struct verify *v, const struct dash_period *period) {
    const struct listing *first = NULL;
    for (size_t i = 0; i < period->told->representation_count; i++) {
        const struct listing *listing = period->listings[i];
        if (!is_readable(listing) || listing->told->nominal) {
            continue;
        }
        first = first == NULL ? listing : first;
        uint32_t timescale = listing->track->facts.timescale;
        uint32_t other = first->track->facts.timescale;
        int64_t late_ns = ticks_scale(listing->origin, SECOND_NS, timescale, ROUND_NEAR) -
                          ticks_scale(first->origin, SECOND_NS, other, ROUND_NEAR);
        if (llabs(late_ns) > SECOND_NS / timescale + SECOND_NS / other + ROUNDING_NS &&
            llabs(late_ns) <= real_frame_ns(listing->track)) {
            verify_found(v, RULE_DASH_TIMELINE, mpd_path,
                         "by @presentationTimeOffset %s begins %.6f s %s in its track than %s does",
                         listing->label, (double)llabs(late_ns) / 1e9,
                         late_ns > 0 ? "later" : "earlier", first->label);
        }
    }
}

/* ---- One after the other ---------------------------------------------------------- */

/* Where the Period is said to begin, for the length of the whole: the first one at 0, whatever it
 * says. */
static int64_t start_of(const struct mpd_period *told) {
    return told->number == 1 ? 0 : told->start_ns;
}

/* Where it is said to end; -1 where that is not known. */
static int64_t end_of(const struct mpd_period *told) {
    return told->start_ns < 0 || told->duration_ns < 0 ? -1 : told->start_ns + told->duration_ns;
}

/* Beside Periods that are not at hand, an end that is not told may be theirs to tell. */
static const char *period_fault(const struct mpd_period *told, bool all) {
    bool no_end = told->duration_ns < 0 && all;
    return told->number == 1 && told->start_ns > 0 ? "does not start at 0"
           : told->duration_ns == 0                ? "lasts no time"
           : no_end ? "has no end: no @duration, no next Period with a @start behind its own, no "
                      "end of the MPD"
           : told->set_count + told->tiles_count + told->text_count == 0 ? "has no AdaptationSet"
                                                                         : NULL;
}

/* Each starts where the one before ends, give or take a frame. */
static void check_period(struct verify *v, size_t index) {
    const struct mpd_period *told = &v->mpd.periods[index];
    const char *fault = period_fault(told, mpd_passed_over(&v->mpd) == 0);
    if (fault != NULL) {
        verify_found(v, RULE_DASH_PERIOD, mpd_path, "Period %zu %s", told->number, fault);
    }
    bool follows = index > 0 && told[-1].number + 1 == told->number;
    int64_t before_ns = follows ? end_of(&told[-1]) : -1;
    int64_t start_ns = told->start_ns;
    if (before_ns < 0 || start_ns < 0) {
        return; /* told of the one before, or that one is not at hand */
    }
    int64_t slack_ns = larger(v->periods[index - 1].ending.frame_ns, PERIOD_ROUNDING_NS);
    if (llabs(start_ns - before_ns) > slack_ns) {
        verify_found(v, RULE_DASH_PERIOD, mpd_path,
                     "Period %zu starts at %.6f s, and the one before it ends at %.6f s",
                     told->number, (double)start_ns / 1e9, (double)before_ns / 1e9);
    }
}

/* What a Period or the MPD is said to last against what is there. Behind any Period but the last
 * one the next follows, which plays what may overlap, or wait, by a frame. */
static void check_duration(struct verify *v, const char *name, int64_t declared_ns, int64_t real_ns,
                           int64_t slack_ns) {
    int64_t beyond_ns = declared_ns - real_ns;
    if (declared_ns >= 0 && (beyond_ns < -larger(slack_ns, ROUNDING_NS) ||
                             beyond_ns > larger(slack_ns, PERIOD_ROUNDING_NS))) {
        verify_found(v, RULE_DASH_DURATION, mpd_path, "%s is %.6f s, and %.6f s are there", name,
                     (double)declared_ns / 1e9, (double)real_ns / 1e9);
    }
}

static void check_durations(struct verify *v) {
    for (size_t i = 0; i < v->mpd.period_count; i++) {
        const struct dash_period *period = &v->periods[i];
        struct ending real = period->ending;
        int64_t declared_ns = period->told->duration_ns;
        if (real.at_ns == 0) {
            continue;
        }
        int64_t start_ns = start_of(period->told);
        if (period->last && start_ns >= 0) {
            check_duration(v, "MPD@mediaPresentationDuration", v->mpd.duration_ns,
                           start_ns + real.at_ns, 0);
        }
        bool is_told = period->last && start_ns + declared_ns == v->mpd.duration_ns;
        if (!is_told) {
            char *name =
                arena_format(&v->arena, "the duration of Period %zu", period->told->number);
            check_duration(v, name, declared_ns, real.at_ns, period->last ? 0 : real.frame_ns);
        }
    }
}

void verify_periods(struct verify *v) {
    for (size_t i = 0; i < v->mpd.period_count; i++) {
        check_together(v, &v->periods[i]);
    }
    for (size_t i = 0; i < v->mpd.period_count; i++) {
        check_period(v, i);
    }
    check_durations(v);
}

/* ---- HLS and DASH ---------------------------------------------------------------- */

/* Whether the segments of a part, each of which is of its track, stand in the playlist from `at`
 * on: those of all its stretches lie one behind the other. */
static bool stands_at(const struct listing *part, const struct verify_playlist *whole, size_t at) {
    return part != NULL && part->count <= whole->text.segment_count - at &&
           memcmp(part->segments, whole->stretches[0]->segments + at,
                  part->count * sizeof(*part->segments)) == 0;
}

/* How many segments of a playlist, from `at` on, are those of the part. A segment over the border
 * of its Period may be listed on both sides of it. */
static size_t extent(const struct listing *part, const struct verify_playlist *whole, size_t at) {
    bool over = at > 0 && stands_at(part, whole, at - 1);
    return over ? part->count - 1 : stands_at(part, whole, at) ? part->count : 0;
}

/* The same of the Representation of the Period that has the most; those with fewer do not agree. */
static size_t agree(const struct dash_period *period, const struct verify_playlist *whole,
                    size_t at) {
    size_t count = 0;
    for (size_t i = 0; i < period->told->representation_count; i++) {
        size_t own = extent(period->listings[i], whole, at);
        count = own > count ? own : count;
    }
    for (size_t i = 0; i < period->told->representation_count; i++) {
        struct listing *part = period->listings[i];
        if (count > 0 && extent(part, whole, at) == count) {
            part->agrees = true;
        }
    }
    return count;
}

/* Whether it is of media whose every EXT-X-MAP can be read: of others nobody knows the tracks. */
static bool has_maps(const struct verify_playlist *playlist) {
    bool all = playlist->stretch_count > 0;
    for (size_t s = 0; s < playlist->stretch_count; s++) {
        all = all && playlist->stretches[s]->init[0] != '\0';
    }
    return all;
}

/* What a playlist of media lists, Representations list, Period by Period. */
static void check_playlist(struct verify *v, const struct verify_playlist *playlist) {
    size_t at = 0;
    for (size_t p = 0; p < v->mpd.period_count; p++) {
        at += agree(&v->periods[p], playlist, at);
    }
    if (at != playlist->text.segment_count && has_maps(playlist)) {
        verify_found(v, RULE_HLS_DASH_AGREE, playlist->path,
                     "this playlist lists objects that DASH does not list so");
    }
}

/* The other way round, where no playlist lacks a map, which may be that of what no other lists. */
void verify_agreement(struct verify *v) {
    bool maps = true;
    if (mpd_passed_over(&v->mpd) > 0) {
        return;
    }
    for (size_t i = 0; i < v->playlist_count; i++) {
        const struct verify_playlist *playlist = &v->playlists[i];
        maps = maps && (playlist->is_text || playlist->iframes || has_maps(playlist));
        if (playlist->stretch_count > 0 && !playlist->main->iframes) {
            check_playlist(v, playlist);
        }
    }
    for (size_t l = 0; l < v->listing_count; l++) {
        const struct listing *listing = v->listings[l];
        if (listing->told != NULL && !listing->agrees && maps) {
            verify_found(v, RULE_HLS_DASH_AGREE, listing->manifest,
                         "%s lists objects that HLS does not list so", listing->label);
        }
    }
}
