/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way through a title, and what all checks use: see verify.h. */
#include "verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "title_path.h"

/* Texts of a title may end up on a terminal. */
static void make_printable(char *text) {
    for (; *text != '\0'; text++) {
        if (*text < 0x20 || *text > 0x7e) {
            *text = '?';
        }
    }
}

static void tell(struct verify *v, enum rule rule, const char *path, char *message) {
    const struct verify_rule *row = verify_rule_at(rule);
    char printable[TITLE_PATH_TEXT];
    snprintf(printable, sizeof(printable), "%s", path);
    make_printable(printable);
    make_printable(message);
    struct finding finding = {row->weight, row->id, printable, message};
    v->found(v->found_context, &finding);
}

void verify_found(struct verify *v, enum rule rule, const char *path, const char *format, ...) {
    int64_t *const counts[] = {[FINDING_MUST] = &v->summary->musts,
                               [FINDING_ADVICE] = &v->summary->advice,
                               [FINDING_UNCHECKED] = &v->summary->unchecked};
    if (v->waived[rule]) {
        v->summary->waived++;
        return;
    }
    *counts[verify_rule_at(rule)->weight] += 1;
    if (++v->broken[rule] > VERIFY_TOLD_MAX) {
        return;
    }
    char message[512];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    tell(v, rule, path, message);
}

/* One line for all breaches of a rule past the first few. */
static void tell_the_rest(struct verify *v) {
    for (int rule = 0; rule < RULE_COUNT; rule++) {
        if (v->broken[rule] > VERIFY_TOLD_MAX) {
            char message[64];
            bool unchecked = verify_rule_at((size_t)rule)->weight == FINDING_UNCHECKED;
            snprintf(message, sizeof(message),
                     unchecked ? "not checked: %" PRId64 " more of these"
                               : "%" PRId64 " more breaches of this rule",
                     v->broken[rule] - VERIFY_TOLD_MAX);
            tell(v, (enum rule)rule, ".", message);
        }
    }
}

bool verify_has_room(struct verify *v, const char *manifest, const char *label, size_t count) {
    if (count == 0 || count > VERIFY_LISTED_MAX - v->listed) {
        verify_found(v, RULE_TITLE_BOUNDS, manifest,
                     "%s lists %zu segments: it must list at least one, and all lists together at "
                     "most %d",
                     label, count, VERIFY_LISTED_MAX);
        return false;
    }
    v->listed += count;
    return true;
}

static struct listing *add_listing(struct verify *v) {
    if (v->listing_count == v->listing_room) {
        v->listing_room = v->listing_room > 0 ? 2 * v->listing_room : 16;
        v->listings = mem_resize(v->listings, v->listing_room, sizeof(*v->listings));
    }
    struct listing *listing = arena_zero(&v->arena, 1, sizeof(*listing));
    v->listings[v->listing_count++] = listing;
    return listing;
}

struct listing *verify_list(struct verify *v, const char *manifest, const char *label,
                            size_t count) {
    if (!verify_has_room(v, manifest, label, count)) {
        return NULL;
    }
    struct listing *listing = add_listing(v);
    listing->manifest = manifest;
    listing->label = label;
    listing->stretches = 1;
    listing->init = "";
    listing->count = count;
    listing->paths = arena_zero(&v->arena, count, sizeof(*listing->paths));
    listing->segments = arena_zero(&v->arena, count, sizeof(*listing->segments));
    return listing;
}

struct listing *verify_cut(struct verify *v, struct listing *listing, size_t count) {
    struct listing *rest = add_listing(v);
    *rest = *listing;
    rest->first += count;
    rest->count -= count;
    rest->paths += count;
    rest->segments += count;
    listing->count = count;
    return rest;
}

static void finish(struct verify *v) {
    for (size_t i = 0; i < v->playlist_count; i++) {
        buf_finish(&v->playlists[i].bytes);
        m3u8_finish(&v->playlists[i].text);
    }
    for (size_t i = 0; i < v->track_count; i++) {
        buf_finish(&v->tracks[i].bytes);
    }
    m3u8_finish(&v->master);
    mpd_finish(&v->mpd);
    buf_finish(&v->master_bytes);
    buf_finish(&v->mpd_bytes);
    json_tree_destroy(v->document);
    buf_finish(&v->document_bytes);
    buf_finish(&v->held);
    mem_free(v->listings);
    arena_finish(&v->arena);
}

/* Reads the two documents that players begin with; false where neither is there. */
static bool read_tops(struct verify *v, struct err *err) {
    static const char *const paths[] = {"master.m3u8", "manifest.mpd"};
    struct buf *const texts[] = {&v->master_bytes, &v->mpd_bytes};
    struct err why[2] = {0};
    int there = 0;
    for (int i = 0; i < 2; i++) {
        struct served served = {0};
        if (v->fetch(v->fetch_context, paths[i], texts[i], &served, &why[i]) == 0) {
            verify_served(v, paths[i], &served, texts[i]->size);
            there++;
        }
    }
    if (there == 0) {
        err_set(err, why[0].code, "there is neither a master.m3u8 nor a manifest.mpd: %s",
                why[0].message);
        return false;
    }
    v->summary->objects += there;
    v->no_master = why[0];
    v->no_mpd = why[1];
    return true;
}

int verify_title(fetch_fn fetch, void *context, finding_fn found, void *found_context,
                 struct verify_summary *summary, struct err *err) {
    struct verify v = {
        .fetch = fetch,
        .fetch_context = context,
        .found = found,
        .found_context = found_context,
        .summary = summary,
    };
    struct err why = {0};
    *summary = (struct verify_summary){0};
    verify_document_read(&v);
    if (read_tops(&v, &why)) {
        verify_hls_read(&v);
        verify_dash_read(&v);
        verify_tracks(&v);
        verify_hls(&v);
        verify_dash(&v);
        verify_texts(&v);
        verify_document(&v);
        verify_tiles(&v);
        verify_early(&v);
        verify_unchecked(&v);
        verify_served_error(&v);
        tell_the_rest(&v);
    }
    finish(&v);
    return why.code == ERR_NONE ? 0 : err_set(err, why.code, "%s", why.message);
}
