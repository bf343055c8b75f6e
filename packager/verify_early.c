/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Early playlists: by themselves, and against the version's playlists of the same media, whose
 * objects are read already. A title that lists other media early, since it was made anew since,
 * has these looked for. See verify.h.
 */
#include <inttypes.h>
#include <string.h>

#include "manifest_number.h"
#include "verify.h"

static const char early_path[] = "early.m3u8";

struct early_list {
    const char *path;
    struct m3u8 text;
    const char *init;                      /* "" where it names none that will do */
    const struct verify_playlist *version; /* of the same media; NULL for none */
};

struct early {
    struct verify *v;
    struct m3u8 top;
    size_t count; /* of those that could be read */
    struct early_list *lists;
};

/* ---- Reading --------------------------------------------------------------------- */

static int read_text(struct verify *v, const char *path, struct buf *bytes, struct m3u8 *out,
                     bool multivariant) {
    struct err err = {0};
    int failed = m3u8_read(out, bytes->data, bytes->size, &err);
    v->text_bytes += bytes->size;
    if (failed == 0 && out->multivariant != multivariant) {
        failed =
            err_set(&err, ERR_CORRUPT, "it is %s multivariant playlist", multivariant ? "no" : "a");
        m3u8_finish(out);
    }
    if (failed != 0) {
        verify_found(v, RULE_HLS_SYNTAX, path, "%s", err.message);
    } else {
        verify_playlist_version(v, path, out, 6);
    }
    return failed;
}

/* False where there is no early.m3u8, as of most titles, or none that can be read. */
static bool read_top(struct early *early) {
    struct verify *v = early->v;
    struct buf bytes = {0};
    struct err err = {0};
    struct served served = {0};
    int failed = v->fetch(v->fetch_context, early_path, &bytes, &served, &err);
    if (failed != 0 && failed != ERR_NOT_FOUND) {
        verify_found(v, RULE_OBJECT_MISSING, early_path, "it could not be read: %s", err.message);
    }
    if (failed == 0) {
        v->summary->objects++;
        verify_served(v, early_path, &served, bytes.size);
        failed = read_text(v, early_path, &bytes, &early->top, true);
    }
    buf_finish(&bytes);
    size_t items = early->top.variants.count + early->top.media.count;
    if (failed == 0 && items > VERIFY_PLAYLISTS_MAX) {
        verify_found(v, RULE_TITLE_BOUNDS, early_path,
                     "it names %zu playlists, and %d are the most", items, VERIFY_PLAYLISTS_MAX);
        failed = ERR_CORRUPT;
    }
    early->lists = arena_zero(&v->arena, items + 1, sizeof(*early->lists));
    return failed == 0;
}

static const char *read_map(struct verify *v, const char *path, const struct m3u8 *text) {
    const char *init = NULL;
    bool first = text->segment_count == 0 || text->segments[0].map > 0;
    if (text->map_count == 1 && first && text->maps[0].uri != NULL) {
        init = verify_resolve(v, path, text->maps[0].uri);
    } else {
        verify_found(v, RULE_HLS_MAP, path,
                     "it has %zu EXT-X-MAP, and must have one before its segments",
                     text->map_count);
    }
    return init != NULL ? init : "";
}

static const struct verify_playlist *find_version(const struct verify *v, const char *init) {
    for (size_t i = 0; i < v->playlist_count; i++) {
        const struct verify_playlist *playlist = &v->playlists[i];
        if (playlist->stretch_count == 1 && !playlist->main->iframes && init[0] != '\0' &&
            strcmp(playlist->main->init, init) == 0) {
            return playlist;
        }
    }
    return NULL;
}

static void read_lists(struct early *early, const struct m3u8_list *items) {
    struct verify *v = early->v;
    for (size_t i = 0; i < items->count && v->text_bytes <= VERIFY_TEXT_MAX; i++) {
        struct early_list *list = &early->lists[early->count];
        const char *uri = items->items[i].uri;
        const char *path = uri != NULL ? verify_resolve(v, early_path, uri) : NULL;
        struct buf bytes = {0};
        if (path != NULL && verify_fetch(v, path, &bytes) == 0 &&
            read_text(v, path, &bytes, &list->text, false) == 0) {
            list->path = path;
            list->init = read_map(v, path, &list->text);
            list->version = find_version(v, list->init);
            early->count++;
        }
        buf_finish(&bytes);
    }
}

/* ---- Media playlists ------------------------------------------------------------- */

static void check_tags(struct early *early, const struct early_list *list) {
    const struct m3u8 *text = &list->text;
    bool discontinuous = false;
    for (size_t i = 0; i < text->segment_count; i++) {
        discontinuous = discontinuous || text->segments[i].discontinuity;
    }
    if (strcmp(text->type, "EVENT") != 0 || text->iframes_only || discontinuous ||
        text->media_sequence != early->lists[0].text.media_sequence || text->segment_count == 0) {
        verify_found(early->v, RULE_EARLY_EVENT, list->path,
                     "EXT-X-PLAYLIST-TYPE is '%.16s', and it lists %zu segments from number "
                     "%" PRId64 " on",
                     text->type, text->segment_count, text->media_sequence);
    }
    verify_playlist_target(early->v, list->path, text);
    if (text->segment_count != early->lists[0].text.segment_count ||
        text->ended != early->lists[0].text.ended) {
        verify_found(
            early->v, RULE_EARLY_TOGETHER, list->path, "it lists %zu segments%s, and %s has %zu%s",
            text->segment_count, text->ended ? " and ends" : "", early->lists[0].path,
            early->lists[0].text.segment_count, early->lists[0].text.ended ? " and ends" : "");
    }
}

/* Against the version's playlist: the same objects, for as long. */
static void check_head(struct verify *v, const struct early_list *list) {
    const struct m3u8 *text = &list->text;
    const struct m3u8 *whole = &list->version->text;
    for (size_t i = 0; i < text->segment_count; i++) {
        const char *path = verify_resolve(v, list->path, text->segments[i].uri);
        bool same = path != NULL && i < whole->segment_count &&
                    strcmp(path, list->version->main->paths[i]) == 0 &&
                    text->segments[i].nanoseconds == whole->segments[i].nanoseconds;
        if (!same) {
            verify_found(v, RULE_EARLY_HEAD, list->path,
                         "segment %zu, %.80s, is not that of %s in its place", i + 1,
                         text->segments[i].uri, list->version->path);
            return;
        }
    }
    if (text->ended != (text->segment_count == whole->segment_count)) {
        verify_found(v, RULE_EARLY_END, list->path,
                     "EXT-X-ENDLIST is %s, and it lists %zu of %zu segments",
                     text->ended ? "there" : "missing", text->segment_count, whole->segment_count);
    }
}

static void look_for(struct verify *v, const char *path) {
    struct buf bytes = {0};
    if (path != NULL && path[0] != '\0') {
        verify_fetch(v, path, &bytes);
    }
    buf_finish(&bytes);
}

/* Of another version: all that it lists must be there. */
static void look_for_all(struct verify *v, const struct early_list *list) {
    if (list->text.segment_count > VERIFY_LISTED_MAX - v->listed) {
        verify_found(v, RULE_TITLE_BOUNDS, list->path, "all lists together are too long");
        return;
    }
    v->listed += list->text.segment_count;
    look_for(v, list->init);
    for (size_t i = 0; i < list->text.segment_count; i++) {
        look_for(v, verify_resolve(v, list->path, list->text.segments[i].uri));
    }
}

/* ---- The multivariant playlist ----------------------------------------------------- */

/* The playlist of the version over the media of an early variant; NULL for none. */
static const struct verify_playlist *version_of(const struct early *early,
                                                const struct m3u8_item *item) {
    const char *path = item->uri != NULL ? verify_resolve(early->v, early_path, item->uri) : NULL;
    for (size_t i = 0; i < early->count && path != NULL; i++) {
        if (strcmp(early->lists[i].path, path) == 0) {
            return early->lists[i].version;
        }
    }
    return NULL;
}

static bool same_attribute(const struct m3u8_item *a, const struct m3u8_item *b, const char *name,
                           const char *until) {
    const char *x = m3u8_attribute(a, name);
    const char *y = m3u8_attribute(b, name);
    size_t size = x != NULL ? strcspn(x, until) : 0;
    return x != NULL && y != NULL && size == strcspn(y, until) && strncmp(x, y, size) == 0;
}

static int64_t bandwidth_of(const struct m3u8_item *item) {
    const char *text = m3u8_attribute(item, "BANDWIDTH");
    int64_t bps = 0;
    return text != NULL && manifest_int(text, INT64_MAX / 100, &bps) ? bps : 0;
}

static void check_variant(const struct early *early, const struct m3u8_item *item) {
    struct verify *v = early->v;
    const struct verify_playlist *version = version_of(early, item);
    for (size_t i = 0; i < v->master.variants.count && version != NULL; i++) {
        const struct m3u8_item *whole = &v->master.variants.items[i];
        if (verify_playlist_at(v, whole->uri) != version) {
            continue;
        }
        if (!same_attribute(item, whole, "CODECS", ",") || /* sound may be another */
            !same_attribute(item, whole, "RESOLUTION", "") ||
            !same_attribute(item, whole, "FRAME-RATE", "") ||
            !same_attribute(item, whole, "VIDEO-RANGE", "")) {
            verify_found(v, RULE_EARLY_VARIANT, early_path,
                         "line %d declares another CODECS, RESOLUTION, FRAME-RATE or VIDEO-RANGE "
                         "than line %d of master.m3u8",
                         item->line, whole->line);
        }
        if (bandwidth_of(item) < bandwidth_of(whole)) {
            verify_found(v, RULE_EARLY_BANDWIDTH, early_path,
                         "line %d declares BANDWIDTH=%" PRId64 ", and master.m3u8 %" PRId64,
                         item->line, bandwidth_of(item), bandwidth_of(whole));
        }
    }
}

static void check_start(struct verify *v, const struct m3u8 *top) {
    const char *offset =
        top->starts.count == 1 ? m3u8_attribute(&top->starts.items[0], "TIME-OFFSET") : NULL;
    int64_t nanoseconds = 1;
    int decimals = 0;
    if (offset == NULL || !manifest_seconds(offset, &nanoseconds, &decimals) || nanoseconds != 0) {
        verify_found(v, RULE_EARLY_START, early_path,
                     "EXT-X-START is missing or does not begin at 0, so that players join near the "
                     "end of what is there");
    }
}

void verify_early(struct verify *v) {
    struct early early = {.v = v};
    if (read_top(&early)) {
        check_start(v, &early.top);
        read_lists(&early, &early.top.variants);
        read_lists(&early, &early.top.media);
        for (size_t i = 0; i < early.count; i++) {
            check_tags(&early, &early.lists[i]);
            if (early.lists[i].version != NULL) {
                check_head(v, &early.lists[i]);
            } else {
                look_for_all(v, &early.lists[i]);
            }
        }
        for (size_t i = 0; i < early.top.variants.count; i++) {
            check_variant(&early, &early.top.variants.items[i]);
        }
    }
    for (size_t i = 0; i < early.count; i++) {
        m3u8_finish(&early.lists[i].text);
    }
    m3u8_finish(&early.top);
}
