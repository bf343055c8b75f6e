/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stretches of media playlists: a playlist is cut where its EXT-X-MAP changes and at each
 * EXT-X-DISCONTINUITY, and every stretch is a listing of its own, with one init segment and one
 * timeline. Then what changes from one to the next, and what they are together. See verify.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"

enum { SECOND_NS = 1000000000 };

/* ---- Maps ------------------------------------------------------------------------ */

static bool same_map(const struct m3u8_map *a, const struct m3u8_map *b) {
    bool same_range = a->has_range == b->has_range && a->range_size == b->range_size &&
                      a->range_offset == b->range_offset;
    return same_range &&
           (a->uri == b->uri || (a->uri != NULL && b->uri != NULL && strcmp(a->uri, b->uri) == 0));
}

/* Whether segment `i`, > 0, stands behind another map than the one before it. One that is told
 * once more is the same. */
static bool map_changes(const struct m3u8 *text, size_t i) {
    size_t map = text->segments[i].map;
    size_t before = text->segments[i - 1].map;
    return map != before &&
           (before == 0 || !same_map(&text->maps[map - 1], &text->maps[before - 1]));
}

/* The address of the init segment; "" where the map names none that will do. */
static const char *read_map(struct verify *v, const struct verify_playlist *playlist,
                            const struct m3u8_map *map) {
    if (map->uri == NULL) {
        verify_found(v, RULE_HLS_MAP, playlist->path, "EXT-X-MAP in line %d has no URI", map->line);
        return "";
    }
    const char *path = verify_resolve(v, playlist->path, map->uri);
    if (path != NULL && map->has_range) {
        path = verify_range(v, path, map->range_offset, map->range_size);
    }
    return path != NULL ? path : "";
}

/* What is wrong with the maps as a whole. Packagers of others write one at each discontinuity;
 * tracks of ours have one configuration from end to end. */
static void check_maps(struct verify *v, const struct verify_playlist *playlist,
                       const char *const *inits) {
    const struct m3u8 *text = &playlist->text;
    bool none_first = text->segments[0].map == 0;
    if (none_first || (text->map_count > 1 && v->document_bytes.size > 0)) {
        verify_found(v, RULE_HLS_MAP, playlist->path, "it has %zu EXT-X-MAP, and must have %s",
                     text->map_count,
                     none_first ? "one before its segments" : "one alone, as it has a title.json");
    }
    for (size_t m = 1; m <= text->map_count; m++) {
        if (inits[m] == NULL) {
            verify_found(v, RULE_HLS_MAP_UNUSED, playlist->path,
                         "between EXT-X-MAP in line %d and the next one stands no segment",
                         text->maps[m - 1].line);
        }
    }
}

/* The init segment of each map that segments stand behind, from 1 on, and "" for none before
 * them; NULL of the other maps, which may be many. */
static const char *const *read_maps(struct verify *v, const struct verify_playlist *playlist) {
    const struct m3u8 *text = &playlist->text;
    const char **inits = arena_zero(&v->arena, text->map_count + 1, sizeof(*inits));
    inits[0] = "";
    for (size_t i = 0; i < text->segment_count; i++) {
        size_t map = text->segments[i].map;
        if (inits[map] == NULL) {
            bool again = i > 0 && !map_changes(text, i);
            inits[map] = again ? inits[text->segments[i - 1].map]
                               : read_map(v, playlist, &text->maps[map - 1]);
        }
    }
    return inits;
}

/* ---- Cutting --------------------------------------------------------------------- */

/* Whether another stretch begins with segment `i`, > 0. */
static bool is_cut(const struct m3u8 *text, size_t i) {
    return text->segments[i].discontinuity || map_changes(text, i);
}

/* Cuts the one listing of all segments. */
static void cut(struct verify *v, struct verify_playlist *playlist, const char *const *inits,
                struct listing *listing) {
    const struct m3u8 *text = &playlist->text;
    for (size_t s = 0; s < playlist->stretch_count; s++) {
        size_t end = listing->first + 1;
        while (end < text->segment_count && !is_cut(text, end)) {
            end++;
        }
        listing->init = inits[text->segments[listing->first].map];
        listing->iframes = text->iframes_only || playlist->iframes;
        listing->sealed = verify_is_sealed(text);
        listing->stretch = s;
        listing->stretches = playlist->stretch_count;
        if (playlist->stretch_count > 1) {
            listing->label =
                arena_format(&v->arena, "the stretch from segment %zu on", listing->first + 1);
        }
        playlist->stretches[s] = listing;
        listing = end < text->segment_count ? verify_cut(v, listing, end - listing->first) : NULL;
    }
}

bool verify_stretches_list(struct verify *v, struct verify_playlist *playlist) {
    const struct m3u8 *text = &playlist->text;
    size_t cuts = 0;
    for (size_t i = 1; i < text->segment_count; i++) {
        cuts += is_cut(text, i) ? 1 : 0;
    }
    if (cuts > VERIFY_CUTS_MAX - v->cuts) {
        verify_found(v, RULE_TITLE_BOUNDS, playlist->path,
                     "EXT-X-MAP or EXT-X-DISCONTINUITY begin %zu stretches of it, and all "
                     "playlists together may have %d",
                     cuts, VERIFY_CUTS_MAX);
        return false;
    }
    struct listing *listing = verify_list(v, playlist->path, "this playlist", text->segment_count);
    if (listing == NULL) {
        return false;
    }
    const char *const *inits = read_maps(v, playlist);
    check_maps(v, playlist, inits);
    v->cuts += cuts;
    playlist->stretch_count = cuts + 1;
    playlist->stretches =
        arena_zero(&v->arena, playlist->stretch_count, sizeof(*playlist->stretches));
    cut(v, playlist, inits, listing);
    return true;
}

/* ---- Beside each other ----------------------------------------------------------- */

bool verify_same_place(const struct listing *a, const struct listing *b) {
    return a->period == b->period && a->stretch == b->stretch && a->stretches == b->stretches;
}

bool verify_is_of_all(const struct listing *listing) {
    return listing->period == NULL && listing->stretches == 1;
}

const struct listing *verify_beside(const struct verify_playlist *playlist,
                                    const struct listing *listing) {
    return playlist->stretch_count == listing->stretches ? playlist->stretches[listing->stretch]
                                                         : NULL;
}

bool verify_same_tracks(const struct verify_playlist *a, const struct verify_playlist *b) {
    bool same = a != NULL && b != NULL && a->stretch_count > 0 &&
                a->stretch_count == b->stretch_count;
    for (size_t s = 0; same && s < a->stretch_count; s++) {
        same = a->stretches[s]->track == b->stretches[s]->track;
    }
    return same;
}

const struct verify_playlist *verify_pictures(const struct verify *v) {
    for (size_t i = 0; i < v->playlist_count; i++) {
        const struct verify_playlist *playlist = &v->playlists[i];
        if (playlist->measured && !playlist->main->iframes && playlist->main->track->facts.video) {
            return playlist;
        }
    }
    return NULL;
}

/* ---- From one to the next -------------------------------------------------------- */

/* The first entry of a listing, or its last one. */
static const struct real_segment *entry_of(const struct listing *listing, bool last) {
    return listing->segments[last ? listing->count - 1 : 0];
}

static bool is_known(const struct listing *before, const struct listing *after) {
    return before->track->readable && after->track->readable && entry_of(before, true)->readable &&
           entry_of(after, false)->readable;
}

/* When the one ends, and the other begins. */
static int64_t end_ns(const struct listing *before) {
    return ticks_scale(real_end(before->track, entry_of(before, true)), SECOND_NS,
                       before->track->facts.timescale, ROUND_NEAR);
}

static int64_t start_ns(const struct listing *after) {
    return ticks_scale(real_start(after->track, entry_of(after, false)), SECOND_NS,
                       after->track->facts.timescale, ROUND_NEAR);
}

/* Whether the times go on: in another timescale to within a tick of each. */
static bool goes_on(const struct listing *before, const struct listing *after) {
    int64_t one = before->track->facts.timescale;
    int64_t other = after->track->facts.timescale;
    int64_t slack_ns = one == other ? 0 : SECOND_NS / one + SECOND_NS / other + ROUNDING_NS;
    return llabs(start_ns(after) - end_ns(before)) <= slack_ns;
}

static bool same_coding(const struct init_facts *a, const struct init_facts *b) {
    return a->codec == b->codec && a->timescale == b->timescale &&
           a->record_size == b->record_size && memcmp(a->record, b->record, a->record_size) == 0;
}

/* What must not change without EXT-X-DISCONTINUITY, and what should not (RFC 8216 4.3.2.3). */
static void check_unmarked(struct verify *v, const struct listing *before,
                           const struct listing *after) {
    const struct init_facts *old = &before->track->facts;
    const struct init_facts *new = &after->track->facts;
    if (old->video != new->video || old->track_id != new->track_id) {
        verify_found(v, RULE_HLS_DISCONTINUITY, after->manifest,
                     "no EXT-X-DISCONTINUITY stands before segment %zu, whose track %" PRIu32
                     " of %s is another than track %" PRIu32 " of %s before it",
                     after->first + 1, new->track_id, new->video ? "pictures" : "sound",
                     old->track_id, old->video ? "pictures" : "sound");
    } else if (!goes_on(before, after)) {
        verify_found(v, RULE_HLS_DISCONTINUITY, after->manifest,
                     "no EXT-X-DISCONTINUITY stands before segment %zu, which begins at %.6f s of "
                     "its track, and the one before it ends at %.6f s",
                     after->first + 1, (double)start_ns(after) / 1e9, (double)end_ns(before) / 1e9);
    } else if (!same_coding(old, new)) {
        verify_found(v, RULE_HLS_CODING_CHANGE, after->manifest,
                     "no EXT-X-DISCONTINUITY stands before segment %zu, from which on the codec "
                     "configuration or the timescale is another",
                     after->first + 1);
    }
}

bool verify_is_marked(const struct verify_playlist *playlist, size_t stretch) {
    return playlist->text.segments[playlist->stretches[stretch]->first].discontinuity;
}

/* Whether there is a reason for each discontinuity, which playlists with as many share: those of
 * all are at the same places, and where their maps change is their own affair (RFC 8216 6.2.4). */
static void find_changes(struct verify *v, struct verify_playlist *playlist) {
    for (size_t i = 0; i < v->playlist_count && playlist->changes == NULL; i++) {
        const struct verify_playlist *other = &v->playlists[i];
        bool alike = other->discontinuities == playlist->discontinuities;
        playlist->changes = alike ? other->changes : NULL;
    }
    if (playlist->changes == NULL) {
        playlist->changes =
            arena_zero(&v->arena, playlist->discontinuities + 1, sizeof(*playlist->changes));
    }
    size_t mark = 0;
    for (size_t s = 1; s < playlist->stretch_count; s++) {
        const struct listing *before = playlist->stretches[s - 1];
        const struct listing *after = playlist->stretches[s];
        bool known = is_known(before, after);
        if (verify_is_marked(playlist, s)) {
            bool *changes = &playlist->changes[++mark];
            *changes = *changes || strcmp(before->init, after->init) != 0 || !known ||
                       !goes_on(before, after);
        } else if (known) {
            check_unmarked(v, before, after);
        }
    }
}

static void check_marks(struct verify *v, const struct verify_playlist *playlist) {
    size_t mark = 0;
    for (size_t s = 0; s < playlist->stretch_count; s++) {
        bool marked = verify_is_marked(playlist, s);
        mark += marked && s > 0 ? 1 : 0;
        if (marked && !playlist->changes[mark]) {
            verify_found(v, RULE_HLS_DISCONTINUITY, playlist->path,
                         "EXT-X-DISCONTINUITY stands before segment %zu, where nothing changes",
                         playlist->stretches[s]->first + 1);
        }
    }
}

/* Playlists with as many discontinuities as that of the pictures, and another count of maps, can't
 * be laid beside it stretch by stretch. */
static void tell_uncompared(struct verify *v, const struct verify_playlist *playlist) {
    const struct verify_playlist *pictures = verify_pictures(v);
    if (pictures != NULL && playlist->stretch_count != pictures->stretch_count &&
        playlist->discontinuities == pictures->discontinuities) {
        verify_found(v, RULE_UNCHECKED_MANIFEST, playlist->path,
                     "not checked: where its segments begin and end beside those of %s, whose "
                     "EXT-X-MAP changes at other places",
                     pictures->path);
    }
}

void verify_stretches(struct verify *v) {
    for (size_t i = 0; i < v->playlist_count; i++) {
        if (v->playlists[i].stretch_count > 0) {
            find_changes(v, &v->playlists[i]);
        }
    }
    for (size_t i = 0; i < v->playlist_count; i++) {
        if (v->playlists[i].stretch_count > 0) {
            check_marks(v, &v->playlists[i]);
            tell_uncompared(v, &v->playlists[i]);
        }
    }
}

/* ---- All together ---------------------------------------------------------------- */

/* The whole pictures in the place of a stretch, by whose first all that is beside them is timed;
 * without any, the stretch itself. */
static const struct listing *timed_by(const struct verify *v, const struct listing *listing) {
    for (size_t i = 0; i < v->playlist_count; i++) {
        const struct verify_playlist *playlist = &v->playlists[i];
        const struct listing *other = verify_beside(playlist, listing);
        if (other != NULL && other->whole && other->track->facts.video) {
            return other;
        }
    }
    return listing;
}

static void place(const struct verify *v, struct listing *listing) {
    const struct listing *by = timed_by(v, listing);
    if (listing->track->readable && by->track->readable && entry_of(by, false)->readable) {
        listing->origin = ticks_scale(real_start(by->track, entry_of(by, false)),
                                      listing->track->facts.timescale, by->track->facts.timescale,
                                      ROUND_NEAR);
    }
}

/* How long it is said to last. */
static int64_t told_ns(const struct verify_playlist *playlist, const struct listing *listing) {
    int64_t nanoseconds = 0;
    for (size_t i = 0; i < listing->count; i++) {
        nanoseconds += playlist->text.segments[listing->first + i].nanoseconds;
    }
    return nanoseconds;
}

static const struct listing *longest_of(const struct verify_playlist *playlist) {
    const struct listing *longest = playlist->stretches[0];
    int64_t most_ns = told_ns(playlist, longest);
    for (size_t s = 1; s < playlist->stretch_count; s++) {
        int64_t own_ns = told_ns(playlist, playlist->stretches[s]);
        longest = own_ns > most_ns ? playlist->stretches[s] : longest;
        most_ns = own_ns > most_ns ? own_ns : most_ns;
    }
    return longest;
}

const struct listing *verify_media_of(const struct verify *v, const struct listing *iframes) {
    for (size_t l = 0; l < v->listing_count; l++) {
        const struct listing *listing = v->listings[l];
        if (!listing->iframes && listing->whole && listing->track == iframes->track &&
            verify_same_place(listing, iframes)) {
            return listing;
        }
    }
    return NULL;
}

static void measure(struct verify *v, struct verify_playlist *playlist) {
    bool keys = playlist->main->iframes;
    const struct listing **parts = mem_zero(playlist->stretch_count, sizeof(*parts));
    bool all = true;
    for (size_t s = 0; s < playlist->stretch_count && all; s++) {
        parts[s] = keys ? verify_media_of(v, playlist->stretches[s]) : playlist->stretches[s];
        all = parts[s] != NULL && parts[s]->whole &&
              (!keys || (parts[s]->track->facts.video && verify_has_gops(v, parts[s])));
    }
    playlist->measured = all && verify_rates(v, parts, playlist->stretch_count,
                                             keys ? PIECES_KEYS : PIECES_SEGMENTS,
                                             &playlist->peak_bps, &playlist->average_bps);
    mem_free(parts);
}

void verify_stretches_join(struct verify *v) {
    for (size_t i = 0; i < v->playlist_count; i++) {
        struct verify_playlist *playlist = &v->playlists[i];
        for (size_t s = 1; s < playlist->stretch_count; s++) {
            place(v, playlist->stretches[s]);
        }
        if (playlist->stretch_count > 0) {
            playlist->main = longest_of(playlist);
            measure(v, playlist);
        }
    }
}
