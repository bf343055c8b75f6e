/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subtitles of HLS: files of WebVTT, segment by segment. See verify.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "verify.h"
#include "webvtt.h"

enum {
    ROUNDING_MS = 1,
    BEYOND_S = 1, /* that subtitles may last longer than the pictures */
};

static const int64_t second_ns = 1000000000;

bool verify_text_read(struct verify *v, const char *path, struct webvtt *out) {
    struct buf bytes = {0};
    struct err err = {0};
    if (v->text_bytes > VERIFY_TEXT_MAX) {
        return false; /* which is told */
    }
    bool read = verify_fetch(v, path, &bytes) == 0;
    v->text_bytes += bytes.size;
    if (read && v->text_bytes > VERIFY_TEXT_MAX) {
        verify_found(v, RULE_TITLE_BOUNDS, path,
                     "all playlists and files of text together have more than %d bytes",
                     VERIFY_TEXT_MAX);
        read = false;
    }
    if (read && webvtt_read(out, bytes.data, bytes.size, &err) != 0) {
        verify_found(v, RULE_TEXT_SYNTAX, path, "%s", err.message);
        read = false;
    }
    buf_finish(&bytes);
    return read;
}

/* ---- Segments ---------------------------------------------------------------------- */

/* A segment of text, and when it is: those of one file are looked at together. */
struct text_entry {
    const char *path;
    size_t index;
    int64_t start_ns, end_ns;
};

static int compare_entries(const void *left, const void *right) {
    const struct text_entry *a = left;
    const struct text_entry *b = right;
    int order = strcmp(a->path, b->path);
    return order != 0 ? order : (a->index > b->index) - (a->index < b->index);
}

/* A cue stands in each segment in whose time it is shown. One that stands in another too is of no
 * use there; and where all that a segment has are too early, or all too late, its map is wrong. */
static void check_cues(struct verify *v, const struct verify_playlist *playlist,
                       const struct text_entry *entry, const struct webvtt *text) {
    int64_t start_ms = entry->start_ns / 1000000;
    int64_t end_ms = entry->end_ns / 1000000;
    int64_t latest_ms = text->last_start_ms + text->shift_ms;
    int64_t soonest_ms = text->first_end_ms + text->shift_ms;
    bool all_late = text->first_start_ms + text->shift_ms > end_ms + ROUNDING_MS;
    bool all_early = text->last_end_ms + text->shift_ms < start_ms - ROUNDING_MS;
    bool late = latest_ms > end_ms + ROUNDING_MS;
    if (text->cue_count > 0 && (late || soonest_ms < start_ms - ROUNDING_MS)) {
        verify_found(v, all_late || all_early ? RULE_TEXT_TIME : RULE_TEXT_STRAY, entry->path,
                     "a cue %s at %.3f s, and segment %zu of %s lasts from %.3f to %.3f s",
                     late ? "begins" : "ends", (double)(late ? latest_ms : soonest_ms) / 1e3,
                     entry->index + 1, playlist->path, (double)start_ms / 1e3,
                     (double)end_ms / 1e3);
    }
}

/* The next stretch behind a discontinuity, of which there is one more. */
static size_t next_marked(const struct verify_playlist *playlist, size_t stretch) {
    do {
        stretch++;
    } while (!verify_is_marked(playlist, stretch));
    return stretch;
}

/* Cues are timed as the pictures are: behind a discontinuity from where their stretch behind theirs
 * begins, if both have as many. */
static size_t list_entries(struct verify *v, const struct verify_playlist *playlist,
                           struct text_entry *entries) {
    const struct m3u8 *text = &playlist->text;
    const struct verify_playlist *pictures = verify_pictures(v);
    bool alike = pictures != NULL && pictures->discontinuities == playlist->discontinuities;
    int64_t at_ns = 0;
    size_t count = 0;
    size_t stretch = 0;
    for (size_t i = 0; i < text->segment_count; i++) {
        const struct m3u8_segment *segment = &text->segments[i];
        if (i > 0 && segment->discontinuity && alike) {
            stretch = next_marked(pictures, stretch);
            const struct listing *listing = pictures->stretches[stretch];
            at_ns = ticks_scale(listing->origin, second_ns, listing->track->facts.timescale,
                                ROUND_NEAR);
        }
        const char *path = verify_resolve(v, playlist->path, segment->uri);
        if (path != NULL && segment->has_range) {
            path = verify_range(v, path, segment->range_offset, segment->range_size);
        }
        if (path != NULL) {
            entries[count++] = (struct text_entry){path, i, at_ns, at_ns + segment->nanoseconds};
        }
        at_ns += segment->nanoseconds;
    }
    qsort(entries, count, sizeof(*entries), compare_entries);
    return count;
}

static void check_segments(struct verify *v, const struct verify_playlist *playlist) {
    const struct m3u8 *text = &playlist->text;
    bool in_fragments = text->map_count > 0;
    if (!verify_has_room(v, playlist->path, "this playlist", text->segment_count)) {
        return;
    }
    struct text_entry *entries = arena_zero(&v->arena, text->segment_count, sizeof(*entries));
    size_t count = list_entries(v, playlist, entries);
    struct webvtt facts = {0};
    bool readable = false;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(entries[i].path, entries[i - 1].path) != 0) {
            v->summary->segments++;
            readable = !in_fragments && verify_text_read(v, entries[i].path, &facts);
            if (in_fragments) {
                verify_look_for(v, entries[i].path); /* see verify_unchecked.c */
            }
        }
        if (readable) {
            check_cues(v, playlist, &entries[i], &facts);
        }
    }
}

/* ---- The whole --------------------------------------------------------------------- */

/* Half a unit of an EXTINF's last digit, by which it may be rounded. */
static int64_t rounding_of(const struct m3u8_segment *segment) {
    int64_t unit = second_ns;
    for (int d = 0; d < segment->decimals && unit > 1; d++) {
        unit /= 10;
    }
    return unit / 2;
}

/* How long the pictures of the whole title last; 0 where that is not known. */
static struct ending ending_of_pictures(const struct verify *v) {
    const struct verify_playlist *playlist = verify_pictures(v);
    const struct listing *reference = v->reference;
    struct ending all = {0};
    if (playlist == NULL && (reference == NULL || !verify_is_of_all(reference))) {
        return all; /* a part's pictures alone are not those of the title */
    }
    size_t count = playlist != NULL ? playlist->stretch_count : 1;
    for (size_t s = 0; s < count; s++) {
        const struct listing *listing = playlist != NULL ? playlist->stretches[s] : reference;
        const struct real_track *track = listing->track;
        /* where the stretch itself begins, not what it is timed by: what is measured is bounded */
        int64_t begin = s > 0 ? real_start(track, listing->segments[0]) : listing->origin;
        int64_t ticks = real_end(track, listing->segments[listing->count - 1]) - begin;
        all.at_ns += ticks_scale(ticks, second_ns, track->facts.timescale, ROUND_NEAR);
        all.frame_ns = real_frame_ns(track);
    }
    return all;
}

/* From the start to the picture's end, to within a frame and what EXTINFs are rounded by. */
static void check_coverage(struct verify *v, const struct verify_playlist *playlist) {
    struct ending pictures = ending_of_pictures(v);
    int64_t lasts_ns = 0;
    int64_t rounding_ns = 0;
    for (size_t i = 0; i < playlist->text.segment_count; i++) {
        lasts_ns += playlist->text.segments[i].nanoseconds;
        rounding_ns += rounding_of(&playlist->text.segments[i]);
    }
    if (pictures.at_ns > 0 && (lasts_ns < pictures.at_ns - pictures.frame_ns - rounding_ns ||
                               lasts_ns > pictures.at_ns + BEYOND_S * second_ns + rounding_ns)) {
        verify_found(v, RULE_TEXT_COVERAGE, playlist->path,
                     "its segments last %.3f s, and the pictures %.3f s", (double)lasts_ns / 1e9,
                     (double)pictures.at_ns / 1e9);
    }
}

/* ---- HLS and DASH ------------------------------------------------------------------ */

static bool same_language(const char *a, const char *b) {
    return strcmp(a != NULL ? a : "und", b != NULL && b[0] != '\0' ? b : "und") == 0;
}

static bool is_subtitles(const struct m3u8_item *media) {
    const char *type = m3u8_attribute(media, "TYPE");
    return type != NULL && strcmp(type, "SUBTITLES") == 0;
}

static bool hls_has(const struct verify *v, const char *language) {
    bool has = false;
    for (size_t i = 0; i < v->master.media.count; i++) {
        const struct m3u8_item *media = &v->master.media.items[i];
        has = has ||
              (is_subtitles(media) && same_language(m3u8_attribute(media, "LANGUAGE"), language));
    }
    return has;
}

static bool dash_has(const struct verify *v, const char *language) {
    bool has = false;
    for (size_t p = 0; p < v->mpd.period_count; p++) {
        const struct mpd_period *period = &v->mpd.periods[p];
        for (size_t i = 0; i < period->text_count; i++) {
            has = has || same_language(language, period->texts[i].language);
        }
    }
    return has;
}

static void advise_in_hls(struct verify *v, const struct dash_period *period) {
    for (size_t i = 0; i < period->told->text_count; i++) {
        const struct mpd_text *text = &period->told->texts[i];
        if (!hls_has(v, text->language)) {
            verify_found(v, RULE_TEXT_AGREE, "manifest.mpd",
                         "HLS has no subtitles of the language '%.40s' of AdaptationSet %.40s%s",
                         text->language, text->set_id, period->place);
        }
    }
}

static void advise_agreement(struct verify *v) {
    for (size_t i = 0; i < v->master.media.count; i++) {
        const struct m3u8_item *media = &v->master.media.items[i];
        const char *language = m3u8_attribute(media, "LANGUAGE");
        if (is_subtitles(media) && !dash_has(v, language)) {
            verify_found(v, RULE_TEXT_AGREE, "master.m3u8",
                         "DASH has no text of the language '%.40s' of line %d",
                         language != NULL ? language : "und", media->line);
        }
    }
    for (size_t p = 0; p < v->mpd.period_count; p++) {
        advise_in_hls(v, &v->periods[p]);
    }
}

void verify_texts(struct verify *v) {
    for (size_t i = 0; i < v->playlist_count; i++) {
        if (v->playlists[i].is_text && v->playlists[i].readable) {
            check_segments(v, &v->playlists[i]);
            check_coverage(v, &v->playlists[i]);
        }
    }
    verify_dash_texts(v);
    if (v->has_hls && v->has_dash) {
        advise_agreement(v);
    }
}
