/* SPDX-License-Identifier: GPL-2.0-or-later */
/* title.json, the version's own copies of the three stable documents, and its name.
 * See verify.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/hash.h"
#include "verify.h"

static const char document_path[] = "title.json";

enum {
    VERSION_LETTERS = 16, /* hex digits of a version's name */
    KEY_LETTERS = 10,     /* of a rendition's key, behind its id */
    RATE_DEN_MAX = 100000,
};

/* ---- title.json ------------------------------------------------------------------ */

/* One rendition as title.json tells it. */
struct told {
    const char *id, *folder, *codecs;
    const char *checksum; /* NULL: it is not told */
    int64_t peak_bps, average_bps, segments, bytes;
    struct told_cap cap; /* of pictures */
};

static bool is_listing_of(const struct listing *listing, const struct told *told) {
    size_t length = strlen(told->folder);
    return !listing->iframes && listing->whole &&
           strncmp(listing->init, told->folder, length) == 0 && listing->init[length] == '/' &&
           strchr(listing->init + length + 1, '/') == NULL;
}

/* As title_document_write makes it. */
static void check_checksum(struct verify *v, const struct told *told,
                           const struct listing *listing) {
    struct buf sums = {0};
    char hex[SHA256_TEXT];
    sha256_hex_of(listing->track->bytes.data, listing->track->bytes.size, hex);
    buf_format(&sums, "%s\n", hex);
    for (size_t i = 0; i < listing->count; i++) {
        buf_format(&sums, "%s\n", listing->segments[i]->sha256);
    }
    sha256_hex_of(sums.data, sums.size, hex);
    buf_finish(&sums);
    if (told->checksum != NULL && strcmp(told->checksum, hex) != 0) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                     "the checksum of rendition %.60s is %.64s, and must be %s", told->id,
                     told->checksum, hex);
    }
}

static void check_rendition(struct verify *v, const struct told *told) {
    const struct listing *listing = NULL;
    for (size_t l = 0; l < v->listing_count && listing == NULL; l++) {
        listing = is_listing_of(v->listings[l], told) ? v->listings[l] : NULL;
    }
    if (listing == NULL) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                     "rendition %.60s is told to lie in %.80s, where no manifest lists a whole "
                     "track",
                     told->id, told->folder);
        return;
    }
    int64_t bytes = (int64_t)listing->track->bytes.size;
    for (size_t i = 0; i < listing->count; i++) {
        bytes += listing->segments[i]->bytes;
    }
    const struct {
        const char *name;
        int64_t told, real;
    } numbers[] = {
        {"segments", told->segments, (int64_t)listing->count},
        {"bytes", told->bytes, bytes},
        {"peak_bps", told->peak_bps, listing->peak_bps},
        {"average_bps", told->average_bps, listing->average_bps},
    };
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (numbers[i].told != numbers[i].real) {
            verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                         "%s of rendition %.60s is %" PRId64 ", and must be %" PRId64,
                         numbers[i].name, told->id, numbers[i].told, numbers[i].real);
        }
    }
    if (strcmp(told->codecs, listing->track->codecs) != 0) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                     "rendition %.60s is told to be '%.40s', and is '%s'", told->id, told->codecs,
                     listing->track->codecs);
    }
    check_checksum(v, told, listing);
    if (listing->track->facts.video) {
        verify_cap(v, told->id, listing, &told->cap);
    }
}

static void read_cap(struct reader *item, struct told_cap *out) {
    if (!reader_has(item, "spec")) {
        return;
    }
    struct reader spec = reader_object(item, "spec");
    if (reader_has(&spec, "maxrate_bps")) {
        reader_int(&spec, "maxrate_bps", 0, INT32_MAX, &out->maxrate_bps);
        reader_int(&spec, "bufsize_bits", 0, INT32_MAX, &out->bufsize_bits);
    }
    if (reader_has(&spec, "vbv_init_percent")) {
        reader_int(&spec, "vbv_init_percent", 0, 100, &out->init_percent);
    }
}

static void check_renditions(struct verify *v, struct reader *root) {
    struct reader list = reader_array(root, "renditions");
    size_t tracks = 0;
    for (size_t i = 0; i < reader_count(&list) && i < VERIFY_PLAYLISTS_MAX; i++) {
        struct reader item = reader_item(&list, i);
        struct told told = {"", "", "", NULL, 0, 0, 0, 0, {0}};
        reader_string(&item, "id", &told.id);
        reader_string(&item, "folder", &told.folder);
        reader_string(&item, "codecs", &told.codecs);
        reader_int(&item, "peak_bps", 0, INT64_MAX, &told.peak_bps);
        reader_int(&item, "average_bps", 0, INT64_MAX, &told.average_bps);
        reader_int(&item, "segments", 0, INT64_MAX, &told.segments);
        reader_int(&item, "bytes", 0, INT64_MAX, &told.bytes);
        if (reader_has(&item, "checksum")) {
            reader_string(&item, "checksum", &told.checksum);
        }
        read_cap(&item, &told.cap);
        if (reader_ok(&item)) {
            check_rendition(v, &told);
        }
    }
    for (size_t t = 0; t < v->track_count; t++) {
        tracks += v->tracks[t].readable ? 1 : 0;
    }
    if (reader_ok(root) && reader_count(&list) != tracks) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                     "it tells of %zu renditions, and manifests list %zu tracks",
                     reader_count(&list), tracks);
    }
}

static void check_timing(struct verify *v, struct reader *root) {
    struct rational rate = {0, 1};
    int64_t frames = 0;
    rational_read(&rate, root, "rate");
    reader_int(root, "frames", 1, INT64_MAX, &frames);
    if (!reader_ok(root)) {
        return;
    }
    if (frames <= GRID_FRAMES_MAX && rate.num > 0 && rate.num <= INT32_MAX &&
        rate.den <= RATE_DEN_MAX) {
        v->timeline = (struct timeline){.rate = rate, .frames = frames, .start = {0, 1}};
    }
    if (v->reference == NULL || !verify_is_of_all(v->reference)) {
        return; /* of a part alone nobody knows whether it is all that is told of */
    }
    const struct real_track *track = v->reference->track;
    struct rational real = real_rate(track);
    int64_t end = real_end(track, v->reference->segments[v->reference->count - 1]);
    if (rational_compare(rate, real) != 0 || frames != end / track->frame_ticks) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                     "it tells of %" PRId64 " frames at %" PRId64 "/%" PRId64 ", and there are "
                     "%" PRId64 " at %" PRId64 "/%" PRId64,
                     frames, rate.num, rate.den, end / track->frame_ticks, real.num, real.den);
    }
}

/* ---- The version ----------------------------------------------------------------- */

static bool is_version(const char *text) {
    return strlen(text) == VERSION_LETTERS && strspn(text, "0123456789abcdef") == VERSION_LETTERS;
}

static void check_copy(struct verify *v, const char *version, const char *ending,
                       const char *stable_path, const struct buf *stable) {
    struct buf copy = {0};
    char path[VERSION_LETTERS + 8];
    snprintf(path, sizeof(path), "%s%s", version, ending);
    if (stable->data != NULL && verify_fetch(v, path, &copy) == 0 &&
        (copy.size != stable->size || memcmp(copy.data, stable->data, copy.size) != 0)) {
        verify_found(v, RULE_VERSION_COPY, stable_path, "it differs from %s", path);
    }
    buf_finish(&copy);
}

/* Adds the text to the hash as it was before the version had its name. */
static void add_unnamed(struct sha256 *hash, const struct buf *text, const char *version) {
    const uint8_t *at = text->data;
    size_t left = text->size;
    const uint8_t *name;
    while (left > 0 && (name = memmem(at, left, version, VERSION_LETTERS)) != NULL) {
        sha256_add(hash, at, (size_t)(name - at));
        left -= (size_t)(name - at) + VERSION_LETTERS;
        at = name + VERSION_LETTERS;
    }
    sha256_add(hash, at, left);
}

/* Adds the playlist <version>/<id><ending>; false where it was not read. */
static bool add_playlist(const struct verify *v, struct sha256 *hash, const char *version,
                         const char *id, const char *ending) {
    char uri[256];
    snprintf(uri, sizeof(uri), "%s/%.120s%s", version, id, ending);
    const struct verify_playlist *playlist = verify_playlist_at(v, uri);
    if (playlist != NULL) {
        sha256_add(hash, playlist->bytes.data, playlist->bytes.size);
    }
    return playlist != NULL;
}

/* Of all Representations of a Period. */
static bool add_playlists(const struct verify *v, struct sha256 *hash, const char *version,
                          const struct dash_period *period) {
    bool all = true;
    for (size_t i = 0; i < period->told->representation_count; i++) {
        const struct listing *listing = period->listings[i];
        bool video = listing != NULL && listing->track->facts.video;
        const char *id = period->told->representations[i].id;
        all = add_playlist(v, hash, version, id, ".m3u8") && all;
        all = (!video || add_playlist(v, hash, version, id, "-iframes.m3u8")) && all;
    }
    return all;
}

/* ARCHITECTURE section 8: the hash of the media playlists, in the order of the
 * Representations, and of the top documents written with an empty version. */
static void check_name(struct verify *v, const char *version, const struct buf *document) {
    struct sha256 hash;
    bool all = true;
    sha256_init(&hash);
    for (size_t p = 0; p < v->mpd.period_count; p++) {
        all = add_playlists(v, &hash, version, &v->periods[p]) && all;
    }
    add_unnamed(&hash, &v->master_bytes, version);
    add_unnamed(&hash, &v->mpd_bytes, version);
    add_unnamed(&hash, document, version);
    uint8_t digest[SHA256_BYTES];
    char hex[SHA256_TEXT];
    sha256_end(&hash, digest);
    sha256_hex(digest, hex);
    if (!all || strncmp(hex, version, VERSION_LETTERS) != 0) {
        verify_found(v, RULE_VERSION_NAME, document_path,
                     "version %s is not the hash of its playlists and documents, which is %.16s",
                     version, hex);
    }
}

static void check_version(struct verify *v, const char *version, const struct buf *document) {
    if (!is_version(version)) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                     "its version '%.40s' is not %d hex digits", version, VERSION_LETTERS);
        return;
    }
    check_copy(v, version, ".m3u8", "master.m3u8", &v->master_bytes);
    check_copy(v, version, ".mpd", "manifest.mpd", &v->mpd_bytes);
    check_copy(v, version, ".json", document_path, document);
    if (v->has_hls && v->has_dash) {
        check_name(v, version, document);
    }
}

/* Whether the id is that of a rule of advice, which is then waived. */
static bool waive(struct verify *v, const char *id) {
    if (verify_check_waivable(id, NULL) != 0) {
        return false;
    }
    v->waived[verify_rule_find(id) - verify_rule_at(0)] = true;
    return true;
}

static void read_waived(struct verify *v, struct reader *root) {
    if (!reader_has(root, "waived")) {
        return;
    }
    struct reader list = reader_array(root, "waived");
    size_t count = reader_count(&list);
    if (count > RULE_COUNT) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path, "it waives %zu rules, and there are %d",
                     count, (int)RULE_COUNT);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        const char *id = "";
        reader_item_string(&list, i, &id);
        if (!reader_ok(root)) {
            return;
        }
        if (!waive(v, id)) {
            verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                         "it waives '%.40s', which is no rule of advice", id);
        }
    }
}

/* Where it is missing, so may all of the title be, which is another finding or none. */
void verify_document_read(struct verify *v) {
    struct buf *text = &v->document_bytes;
    struct served served = {0};
    struct err err = {0};
    v->summary->objects++;
    if (v->fetch(v->fetch_context, document_path, text, &served, &v->no_document) != 0) {
        return;
    }
    if (json_tree_parse(&v->document, text->data, text->size, &err) == 0) {
        struct reader root = reader_of(v->document, document_path, &err);
        read_waived(v, &root);
    }
    if (err.code != ERR_NONE) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path, "%s", err.message);
    }
    verify_served(v, document_path, &served, text->size);
}

/* Whether it is a track of ours by its path: (video or audio)/<id>-<key>/init.mp4. */
static bool is_track_of_ours(const char *init) {
    static const char ending[] = "/init.mp4";
    size_t length = strlen(init);
    if (length < 6 + 1 + KEY_LETTERS + sizeof(ending) - 1 ||
        (strncmp(init, "video/", 6) != 0 && strncmp(init, "audio/", 6) != 0)) {
        return false;
    }
    const char *end = init + length - (sizeof(ending) - 1);
    const char *key = end - KEY_LETTERS;
    return strcmp(end, ending) == 0 && key[-1] == '-' &&
           strspn(key, "0123456789abcdef") == KEY_LETTERS;
}

/* Whether encode published it: others have no title.json, playlists elsewhere than in a folder
 * of the version's name, and tracks in folders without a key. */
static bool is_ours(const struct verify *v) {
    for (size_t l = 0; l < v->listing_count; l++) {
        if (is_track_of_ours(v->listings[l]->init)) {
            return true;
        }
    }
    for (size_t i = 0; i < v->playlist_count; i++) {
        const char *path = v->playlists[i].path;
        if (strspn(path, "0123456789abcdef") == VERSION_LETTERS && path[VERSION_LETTERS] == '/') {
            return true;
        }
    }
    return v->document_bytes.size > 0;
}

/* Whether others may lack it: it is not there, or servers that list nothing forbid to ask. */
static bool is_absent(const struct err *why) {
    return why->code == ERR_NOT_FOUND || why->code == ERR_INVALID;
}

/* The three documents of stable names. Of others one manifest is enough. */
static void check_stable(struct verify *v) {
    const struct {
        const char *path;
        const struct err *why;
    } documents[] = {{"master.m3u8", &v->no_master},
                     {"manifest.mpd", &v->no_mpd},
                     {document_path, &v->no_document}};
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        const struct err *why = documents[i].why;
        bool may_lack = is_absent(why) || documents[i].path == document_path;
        if (why->code != ERR_NONE && (!may_lack || is_ours(v))) {
            verify_found(v, RULE_OBJECT_MISSING, documents[i].path, "it could not be read: %s",
                         why->message);
        }
    }
}

void verify_document(struct verify *v) {
    struct err err = {0};
    check_stable(v);
    if (v->document == NULL) {
        return;
    }
    struct reader root = reader_of(v->document, document_path, &err);
    const char *version = "";
    reader_string(&root, "version", &version);
    if (reader_ok(&root)) {
        check_version(v, version, &v->document_bytes);
    }
    check_timing(v, &root);
    check_renditions(v, &root);
    verify_images(v, &root);
    if (err.code != ERR_NONE) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path, "%s", err.message);
    }
}
