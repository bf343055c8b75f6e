/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HLS media playlists: into listings, then what they declare against facts. See verify.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_number.h"
#include "title_path.h"
#include "verify.h"

static const char master_path[] = "master.m3u8";

/* ---- Reading --------------------------------------------------------------------- */

const struct verify_playlist *verify_playlist_at(const struct verify *v, const char *uri) {
    char path[TITLE_PATH_TEXT];
    if (uri == NULL || title_path_resolve(path, master_path, uri, NULL) != 0) {
        return NULL;
    }
    for (size_t i = 0; i < v->playlist_count; i++) {
        if (strcmp(v->playlists[i].path, path) == 0) {
            return &v->playlists[i];
        }
    }
    return NULL;
}

/* Where I-frames in a file are looked for: from the segment of the last one on, and no more once
 * several lay in none. */
struct iframe_search {
    size_t count; /* 0: they are ranges of segments' own files */
    const char *const *paths;
    const struct m3u8_segment *entries; /* of each path */
    size_t at;
    int misses;
};

enum { MISSES_MAX = 8 };

/* Whether a stretch of media is over the same init segment, and its segments lie in one file. */
static bool may_hold(const struct verify_playlist *playlist, const struct listing *media,
                     const struct listing *iframes) {
    return media != NULL && !media->iframes && strcmp(media->init, iframes->init) == 0 &&
           playlist->text.segments[media->first].has_range;
}

/* So many segments of a playlist, from that of the listing on. */
static struct iframe_search search_of(const struct verify_playlist *playlist,
                                      const struct listing *from, size_t count) {
    return (struct iframe_search){count, from->paths, playlist->text.segments + from->first, 0, 0};
}

/* In the stretch in the same place; or, as a playlist may be cut otherwise, from the first one on
 * that may hold them. */
static struct iframe_search search_for(const struct verify *v, const struct listing *listing) {
    for (size_t i = 0; i < v->playlist_count && listing->iframes; i++) {
        const struct verify_playlist *playlist = &v->playlists[i];
        const struct listing *media = verify_beside(playlist, listing);
        if (may_hold(playlist, media, listing)) {
            return search_of(playlist, media, media->count);
        }
    }
    for (size_t i = 0; i < v->playlist_count && listing->iframes; i++) {
        const struct verify_playlist *playlist = &v->playlists[i];
        for (size_t s = 0; s < playlist->stretch_count; s++) {
            const struct listing *media = playlist->stretches[s];
            if (may_hold(playlist, media, listing)) {
                return search_of(playlist, media, playlist->text.segment_count - media->first);
            }
        }
    }
    return (struct iframe_search){0};
}

/* The segment that holds the I-frame, whose place becomes one in it; an address of its own where
 * there is none. */
static const char *find_segment(struct verify *v, struct iframe_search *search, const char *path,
                                struct m3u8_segment *entry) {
    for (size_t i = search->at; i < search->count && search->misses < MISSES_MAX; i++) {
        const struct m3u8_segment *segment = &search->entries[i];
        int64_t offset = entry->range_offset - segment->range_offset;
        if (offset >= 0 && offset + entry->range_size <= segment->range_size &&
            verify_is_range_of(search->paths[i], path)) {
            search->at = i;
            entry->range_offset = offset;
            return search->paths[i];
        }
    }
    const char *own = verify_range(v, path, entry->range_offset, entry->range_size);
    entry->range_offset = 0;
    search->misses++;
    return own;
}

static void list_segments(struct verify *v, const struct verify_playlist *playlist,
                          struct listing *listing) {
    struct m3u8_segment *entries = playlist->text.segments + listing->first;
    struct iframe_search search = search_for(v, listing);
    const char *path = NULL;
    for (size_t i = 0; i < listing->count; i++) {
        struct m3u8_segment *entry = &entries[i];
        if (i == 0 || strcmp(entry->uri, entries[i - 1].uri) != 0) {
            path = verify_resolve(v, playlist->path, entry->uri);
        }
        listing->paths[i] = path != NULL ? path : "";
        if (path != NULL && entry->has_range && search.count > 0) {
            listing->paths[i] = find_segment(v, &search, path, entry);
        } else if (path != NULL && entry->has_range && !listing->iframes) {
            listing->paths[i] = verify_range(v, path, entry->range_offset, entry->range_size);
        }
    }
}

static void read_playlist(struct verify *v, struct verify_playlist *playlist) {
    struct err err = {0};
    if (verify_fetch(v, playlist->path, &playlist->bytes) != 0) {
        return;
    }
    v->text_bytes += playlist->bytes.size;
    if (v->text_bytes > VERIFY_TEXT_MAX) {
        verify_found(v, RULE_TITLE_BOUNDS, playlist->path,
                     "all playlists together have more than %d bytes", VERIFY_TEXT_MAX);
        return;
    }
    int failed = m3u8_read(&playlist->text, playlist->bytes.data, playlist->bytes.size, &err);
    if (failed == 0 && playlist->text.multivariant) {
        failed = err_set(&err, ERR_CORRUPT, "it is a multivariant playlist, not a media playlist");
    }
    if (failed != 0) {
        verify_found(v, RULE_HLS_SYNTAX, playlist->path, "%s", err.message);
        return;
    }
    playlist->readable = true;
    for (size_t i = 1; i < playlist->text.segment_count; i++) {
        playlist->discontinuities += playlist->text.segments[i].discontinuity ? 1 : 0;
    }
    if (!playlist->is_text && verify_stretches_list(v, playlist)) {
        for (size_t s = 0; s < playlist->stretch_count; s++) {
            list_segments(v, playlist, playlist->stretches[s]);
        }
    }
}

static bool is_subtitles(const struct m3u8_item *item) {
    const char *type = m3u8_attribute(item, "TYPE");
    return type != NULL && strcmp(type, "SUBTITLES") == 0;
}

void verify_playlists_read(struct verify *v, const struct m3u8_list *list, bool iframes) {
    for (size_t i = 0; i < list->count; i++) {
        const char *uri = list->items[i].uri;
        const char *path = uri != NULL ? verify_resolve(v, master_path, uri) : NULL;
        if (path == NULL || verify_playlist_at(v, uri) != NULL) {
            continue;
        }
        struct verify_playlist *playlist = &v->playlists[v->playlist_count++];
        playlist->path = path;
        playlist->iframes = iframes;
        playlist->is_text = list == &v->master.media && is_subtitles(&list->items[i]);
        read_playlist(v, playlist);
    }
}

/* ---- Media playlists ------------------------------------------------------------- */

void verify_playlist_version(struct verify *v, const char *path, const struct m3u8 *text,
                             int64_t least_version) {
    if (text->version < least_version) {
        verify_found(v, RULE_HLS_VERSION, path,
                     "EXT-X-VERSION is %" PRId64 " and must be at least %" PRId64, text->version,
                     least_version);
    }
}

static void check_media_tags(struct verify *v, const struct verify_playlist *playlist) {
    const struct m3u8 *text = &playlist->text;
    const char *path = playlist->path;
    if (!playlist->is_text) {
        verify_playlist_version(v, path, text, 6);
    }
    if (strcmp(text->type, "VOD") != 0) {
        verify_found(v, RULE_HLS_VOD, path, "EXT-X-PLAYLIST-TYPE is '%.16s'", text->type);
    }
    if (!text->ended) {
        verify_found(v, RULE_HLS_ENDLIST, path, "EXT-X-ENDLIST is missing");
    }
    if (text->iframes_only != playlist->iframes) {
        verify_found(v, RULE_HLS_IFRAME_LIST, path,
                     "master.m3u8 names it as %s playlist, and EXT-X-I-FRAMES-ONLY is %s",
                     playlist->iframes ? "an I-frame" : "a media",
                     text->iframes_only ? "there" : "missing");
    }
}

void verify_playlist_target(struct verify *v, const char *path, const struct m3u8 *text) {
    if (text->target_s < 0) {
        verify_found(v, RULE_HLS_TARGETDURATION, path, "EXT-X-TARGETDURATION is missing");
        return;
    }
    for (size_t i = 0; i < text->segment_count; i++) {
        int64_t rounded = ticks_scale(text->segments[i].nanoseconds, 1, 1000000000, ROUND_NEAR);
        if (rounded > text->target_s) {
            verify_found(v, RULE_HLS_TARGETDURATION, path,
                         "segment %zu lasts %" PRId64 " s, rounded, and EXT-X-TARGETDURATION is "
                         "%" PRId64,
                         i + 1, rounded, text->target_s);
        }
    }
}

/* Real times of entry `i` of a stretch, in ticks: a segment, or the GOP of an I-frame. */
struct entry_times {
    bool known;
    int64_t start, end;
};

/* Where declared times of entries drift away from real ones. */
struct extinf_check {
    struct verify *v;
    const struct verify_playlist *playlist;
    const struct listing *listing;
    bool drifts;         /* told once */
    int64_t begin;       /* tick from which on EXTINFs are added up */
    int64_t declared_ns; /* sum of EXTINF so far */
};

/* A EXTINF is exact to its last digit and has three or more, unless whole ones do;
 * their sum stays within a millisecond of the real time. */
static void check_extinf(struct extinf_check *c, size_t i, struct entry_times times) {
    size_t place = c->listing->first + i;
    const struct m3u8_segment *entry = &c->playlist->text.segments[place];
    uint32_t timescale = c->listing->track->facts.timescale;
    int64_t unit = 1000000000;
    for (int d = 0; d < entry->decimals && unit > 1; d++) {
        unit /= 10;
    }
    c->declared_ns += entry->nanoseconds;
    if (!times.known) {
        c->drifts = true; /* sums tell nothing any more */
        return;
    }
    c->begin = i == 0 && c->listing->stretch > 0 ? times.start : c->begin;
    int64_t real_ns = ticks_scale(times.end - times.start, 1000000000, timescale, ROUND_NEAR);
    int64_t off = llabs(entry->nanoseconds - real_ns);
    if (off > unit || off > 1000000) {
        verify_found(c->v, RULE_HLS_EXTINF, c->playlist->path,
                     "EXTINF %zu is %.6f s, and %.6f s are there", place + 1,
                     (double)entry->nanoseconds / 1e9, (double)real_ns / 1e9);
    }
    int64_t end_ns = ticks_scale(times.end - c->begin, 1000000000, timescale, ROUND_NEAR);
    if (!c->drifts && llabs(c->declared_ns - end_ns) > 1000000) {
        verify_found(c->v, RULE_HLS_EXTINF_SUM, c->playlist->path,
                     "EXTINF %zu to %zu add up to %.6f s, and %.6f s are there",
                     c->listing->first + 1, place + 1, (double)c->declared_ns / 1e9,
                     (double)end_ns / 1e9);
        c->drifts = true;
    }
}

static void check_durations(struct verify *v, const struct verify_playlist *playlist,
                            const struct listing *listing) {
    const struct real_track *track = listing->track;
    struct extinf_check check = {v, playlist, listing, false, 0, 0};
    for (size_t i = 0; i < listing->count; i++) {
        const struct real_segment *segment = listing->segments[i];
        struct entry_times times = {.known = segment->readable};
        if (times.known) {
            times.start = real_start(track, segment);
            times.end = real_end(track, segment);
        }
        check_extinf(&check, i, times);
    }
}

/* ---- I-frame playlists ----------------------------------------------------------- */

static int compare_offset(const void *key, const void *item) {
    size_t offset = *(const size_t *)key;
    const struct real_gop *gop = item;
    return offset < gop->offset ? -1 : offset > gop->offset;
}

/* The GOP whose key picture's chunk is exactly that range; NULL for none. */
static const struct real_gop *find_gop(const struct real_segment *segment,
                                       const struct m3u8_segment *entry) {
    size_t offset = (size_t)entry->range_offset;
    if (!entry->has_range || segment->gop_count == 0) {
        return NULL;
    }
    const struct real_gop *gop =
        bsearch(&offset, segment->gops, segment->gop_count, sizeof(*segment->gops), compare_offset);
    bool whole = gop != NULL && gop->key_size > 0 && entry->range_size == (int64_t)gop->key_size;
    return whole ? gop : NULL;
}

/* Whether entry `i` is the key picture right after `before`, that of the entry before:
 * no GOP of either segment is passed over. True where one of them is not known. */
static bool is_next(const struct listing *listing, size_t i, const struct real_gop *gop,
                    const struct real_gop *before) {
    const struct real_segment *segment = listing->segments[i];
    const struct real_segment *last = i > 0 ? listing->segments[i - 1] : NULL;
    if (gop == NULL || (last != NULL && before == NULL)) {
        return true;
    }
    if (last == segment) {
        return gop == before + 1;
    }
    return gop == segment->gops && (last == NULL || before == &last->gops[last->gop_count - 1]);
}

/* How many key pictures the media playlists over the same init segment list. */
static size_t count_keys(const struct verify *v, const struct listing *iframes) {
    const struct listing *media = verify_media_of(v, iframes);
    size_t keys = 0;
    for (size_t i = 0; media != NULL && i < media->count; i++) {
        keys += media->segments[i]->gop_count;
    }
    return keys;
}

static void check_iframes(struct verify *v, const struct verify_playlist *playlist,
                          const struct listing *listing) {
    const struct real_track *track = listing->track;
    struct extinf_check check = {v, playlist, listing, false, 0, 0};
    const struct real_gop *before = NULL;
    for (size_t i = 0; i < listing->count; i++) {
        const struct real_segment *segment = listing->segments[i];
        const struct m3u8_segment *entry = &playlist->text.segments[listing->first + i];
        const struct real_gop *gop = segment->readable ? find_gop(segment, entry) : NULL;
        if (gop == NULL && segment->readable) {
            verify_found(v, RULE_HLS_IFRAME_RANGE, playlist->path,
                         "entry %zu, %" PRId64 " bytes at %" PRId64 " of %s, does not begin with "
                         "a moof and end with its key picture",
                         listing->first + i + 1, entry->range_size, entry->range_offset,
                         segment->path);
        }
        if (!is_next(listing, i, gop, before)) {
            verify_found(v, RULE_HLS_IFRAME_LIST, playlist->path,
                         "entry %zu, at byte %zu of %s, is not the key picture after that of the "
                         "entry before",
                         listing->first + i + 1, gop->offset, segment->path);
        }
        struct entry_times times = {.known = gop != NULL};
        if (gop != NULL) {
            times.start = real_start(track, segment) + gop->start;
            times.end = times.start + gop->ticks;
        }
        check_extinf(&check, i, times);
        before = gop;
    }
    size_t keys = count_keys(v, listing);
    if (keys > 0 && keys != listing->count) {
        verify_found(v, RULE_HLS_IFRAME_LIST, playlist->path,
                     "%s lists %zu key pictures, and the segments hold %zu", listing->label,
                     listing->count, keys);
    }
}

static void check_playlist(struct verify *v, const struct verify_playlist *playlist) {
    check_media_tags(v, playlist);
    verify_playlist_target(v, playlist->path, &playlist->text);
    verify_playlist_extras(v, playlist);
    verify_playlist_keys(v, playlist);
    for (size_t s = 0; s < playlist->stretch_count; s++) {
        const struct listing *listing = playlist->stretches[s];
        if (listing->track->readable && listing->iframes) {
            check_iframes(v, playlist, listing);
        } else if (listing->track->readable) {
            check_durations(v, playlist, listing);
        }
    }
}

/* Says it for the others too (RFC 8216 4.3.5.1). */
static void advise_independent(struct verify *v) {
    for (size_t i = 0; i < v->playlist_count && !v->master.independent; i++) {
        const struct verify_playlist *playlist = &v->playlists[i];
        if (playlist->readable && !playlist->is_text && !playlist->text.independent) {
            verify_found(v, RULE_HLS_INDEPENDENT, master_path,
                         "neither it nor %s has EXT-X-INDEPENDENT-SEGMENTS", playlist->path);
            return;
        }
    }
}

/* What must be equal in all media playlists but those of subtitles, the target not in those of
 * I-frames either: RFC 8216 6.2.4. */
static void check_equal(struct verify *v) {
    const struct verify_playlist *first = NULL;
    for (size_t i = 0; i < v->playlist_count; i++) {
        const struct verify_playlist *playlist = &v->playlists[i];
        if (!playlist->readable || playlist->is_text) {
            continue;
        }
        first = first == NULL ? playlist : first;
        if (playlist->text.target_s != first->text.target_s && !playlist->text.iframes_only) {
            verify_found(v, RULE_HLS_TARGET_EQUAL, playlist->path,
                         "EXT-X-TARGETDURATION is %" PRId64 ", and in %s it is %" PRId64,
                         playlist->text.target_s, first->path, first->text.target_s);
        }
        if (playlist->text.media_sequence != first->text.media_sequence ||
            playlist->text.discontinuity_sequence != first->text.discontinuity_sequence) {
            verify_found(v, RULE_HLS_SEQUENCE, playlist->path,
                         "its sequence numbers begin at %" PRId64 " and %" PRId64
                         ", and those of %s at %" PRId64 " and %" PRId64,
                         playlist->text.media_sequence, playlist->text.discontinuity_sequence,
                         first->path, first->text.media_sequence,
                         first->text.discontinuity_sequence);
        }
        if (playlist->discontinuities != first->discontinuities) {
            verify_found(v, RULE_HLS_SEQUENCE, playlist->path,
                         "between its segments stand %zu EXT-X-DISCONTINUITY, and in %s %zu",
                         playlist->discontinuities, first->path, first->discontinuities);
        }
    }
}

void verify_playlists(struct verify *v) {
    for (size_t i = 0; i < v->playlist_count; i++) {
        if (v->playlists[i].readable) {
            check_playlist(v, &v->playlists[i]);
        }
    }
    verify_stretches(v);
    advise_independent(v);
    check_equal(v);
}
