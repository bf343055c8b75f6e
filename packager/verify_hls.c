/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HLS multivariant playlist: what it declares against facts. See verify.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_number.h"
#include "verify.h"

static const char master_path[] = "master.m3u8";

/* ---- Reading --------------------------------------------------------------------- */

void verify_hls_read(struct verify *v) {
    struct err err = {0};
    if (v->master_bytes.data == NULL) {
        return;
    }
    int failed = m3u8_read(&v->master, v->master_bytes.data, v->master_bytes.size, &err);
    size_t items = v->master.variants.count + v->master.media.count +
                   v->master.iframe_variants.count;
    if (failed == 0 && (v->master.variants.count == 0 || items > VERIFY_PLAYLISTS_MAX)) {
        failed = err_set(&err, ERR_CORRUPT,
                         "it has %zu EXT-X-STREAM-INF and names %zu playlists; 1 is the least and "
                         "%d are the most",
                         v->master.variants.count, items, VERIFY_PLAYLISTS_MAX);
    }
    if (failed != 0) {
        verify_found(v, RULE_HLS_SYNTAX, master_path, "%s", err.message);
        return;
    }
    v->has_hls = true;
    v->playlists = arena_zero(&v->arena, items, sizeof(*v->playlists));
    verify_playlists_read(v, &v->master.variants, false);
    verify_playlists_read(v, &v->master.media, false);
    verify_playlists_read(v, &v->master.iframe_variants, true);
}

/* ---- Multivariant playlist ------------------------------------------------------- */

static bool equals(const char *text, const char *value) {
    return text != NULL && strcmp(text, value) == 0;
}

bool verify_has_attribute(struct verify *v, const struct m3u8_item *item, const char *name) {
    bool has = m3u8_attribute(item, name) != NULL;
    if (!has) {
        verify_found(v, RULE_HLS_OPTIONAL, master_path, "the tag in line %d has no %s", item->line,
                     name);
    }
    return has;
}

static void check_rates(struct verify *v, const struct m3u8_item *item, int64_t peak,
                        int64_t average) {
    const char *peak_text = m3u8_attribute(item, "BANDWIDTH");
    const char *average_text = m3u8_attribute(item, "AVERAGE-BANDWIDTH");
    int64_t declared = 0;
    if (peak_text == NULL || !manifest_int(peak_text, INT64_MAX / 100, &declared)) {
        verify_found(v, RULE_HLS_BANDWIDTH, master_path, "line %d has no BANDWIDTH", item->line);
    } else if (declared < peak || 10 * (declared - peak) > peak) {
        verify_found(v, RULE_HLS_BANDWIDTH, master_path,
                     "line %d declares BANDWIDTH=%" PRId64 ", and %" PRId64 " b/s are measured",
                     item->line, declared, peak);
    }
    if (verify_has_attribute(v, item, "AVERAGE-BANDWIDTH") &&
        (!manifest_int(average_text, INT64_MAX / 100, &declared) ||
         10 * llabs(declared - average) > average)) {
        verify_found(v, RULE_HLS_AVERAGE_BANDWIDTH, master_path,
                     "line %d declares AVERAGE-BANDWIDTH=%.20s, and %" PRId64 " b/s are measured",
                     item->line, average_text, average);
    }
}

/* Codecs of tracks, each once. */
struct codecs {
    size_t count;
    const char *names[8];
    bool brief[8]; /* of no playlist's longest stretch: its sample entry alone need be named */
    bool all;      /* no track was unreadable, and none too many */
};

/* False where there are too many. */
static bool add_codec(struct codecs *out, const char *name, bool brief) {
    for (size_t i = 0; i < out->count; i++) {
        if (strcmp(out->names[i], name) == 0) {
            out->brief[i] = out->brief[i] && brief;
            return true;
        }
    }
    if (out->count == sizeof(out->names) / sizeof(out->names[0])) {
        return false;
    }
    out->brief[out->count] = brief;
    out->names[out->count++] = name;
    return true;
}

/* Adds those of all stretches of an item's playlist. */
static void add_codecs(const struct verify *v, const struct m3u8_item *item, struct codecs *out) {
    const struct verify_playlist *playlist = verify_playlist_at(v, item->uri);
    size_t stretches = playlist != NULL ? playlist->stretch_count : 0;
    out->all = out->all && stretches > 0;
    for (size_t s = 0; s < stretches && out->all; s++) {
        const struct real_track *track = playlist->stretches[s]->track;
        bool brief = strcmp(track->codecs, playlist->main->track->codecs) != 0;
        out->all = track->readable && add_codec(out, track->codecs, brief);
    }
}

/* Whether a name in CODECS is that of the codec, or at another profile or level if that will do. */
static bool is_named(const struct codecs *real, size_t i, const char *name, size_t size) {
    const char *own = real->names[i];
    size_t entry = strcspn(own, ".");
    bool same_entry = size >= entry && strncmp(name, own, entry) == 0 &&
                      (size == entry || name[entry] == '.');
    return verify_same_codec(name, size, own) || (real->brief[i] && same_entry);
}

/* Whether a comma list names each of the codecs, and nothing else but text where the variant offers
 * text. */
static bool names_codecs(const char *codecs, bool with_text, const struct codecs *real) {
    bool named[sizeof(real->names) / sizeof(real->names[0])] = {false};
    size_t count = 0;
    while (codecs != NULL) {
        bool text = strncmp(codecs, "wvtt", 4) == 0 || strncmp(codecs, "stpp", 4) == 0;
        const char *comma = strchr(codecs, ',');
        size_t size = comma != NULL ? (size_t)(comma - codecs) : strlen(codecs);
        bool known = text && with_text;
        count += known ? 0 : 1;
        for (size_t i = 0; i < real->count; i++) {
            bool own = is_named(real, i, codecs, size);
            named[i] = named[i] || own;
            known = known || own;
        }
        if (!known) {
            return false;
        }
        codecs = comma != NULL ? comma + 1 : NULL;
    }
    bool all = count <= real->count;
    for (size_t i = 0; i < real->count; i++) {
        all = all && named[i];
    }
    return all;
}

/* CODECS names the codecs of the pictures, those of the group's sounds, and nothing else. */
static void check_codecs(struct verify *v, const struct m3u8_item *item, const char *group) {
    const char *codecs = m3u8_attribute(item, "CODECS");
    struct codecs real = {.all = true};
    if (!verify_has_attribute(v, item, "CODECS")) {
        return;
    }
    add_codecs(v, item, &real);
    for (size_t i = 0; i < v->master.media.count; i++) {
        if (verify_in_group(&v->master.media.items[i], group)) {
            add_codecs(v, &v->master.media.items[i], &real);
        }
    }
    bool with_text = m3u8_attribute(item, "SUBTITLES") != NULL;
    if (real.all && !names_codecs(codecs, with_text, &real)) {
        verify_found(v, RULE_HLS_CODECS, master_path,
                     "line %d declares CODECS=\"%.80s\", and its renditions have %s%s%s",
                     item->line, codecs, real.names[0], real.count > 1 ? "," : "",
                     real.count > 1 ? real.names[1] : "");
    }
}

/* Of pictures of several sizes it is one at which all can be shown: that of some of them. */
static void check_resolution(struct verify *v, const struct m3u8_item *item,
                             const struct verify_playlist *playlist) {
    const char *text = m3u8_attribute(item, "RESOLUTION");
    char real[32] = "";
    if (!verify_has_attribute(v, item, "RESOLUTION")) {
        return;
    }
    for (size_t s = 0; s < playlist->stretch_count && !equals(text, real); s++) {
        const struct codec_facts *codec = &playlist->stretches[s]->track->codec;
        snprintf(real, sizeof(real), "%dx%d", codec->width, codec->height);
    }
    if (!equals(text, real)) {
        const struct codec_facts *most = &playlist->main->track->codec;
        verify_found(v, RULE_HLS_RESOLUTION, master_path,
                     "line %d declares RESOLUTION=%.16s, and the pictures are %dx%d", item->line,
                     text, most->width, most->height);
    }
}

/* The highest of all stretches; {0, 1} where none is known. */
static struct rational fastest(const struct verify_playlist *playlist) {
    struct rational most = {0, 1};
    for (size_t s = 0; s < playlist->stretch_count; s++) {
        const struct real_track *track = playlist->stretches[s]->track;
        bool known = track->readable && track->facts.video && track->frame_ticks > 0;
        if (known && rational_compare(real_rate(track), most) > 0) {
            most = real_rate(track);
        }
    }
    return most;
}

static void check_frame_rate(struct verify *v, const struct m3u8_item *item,
                             const struct verify_playlist *playlist) {
    const char *text = m3u8_attribute(item, "FRAME-RATE");
    struct rational rate = fastest(playlist);
    int64_t declared;
    int decimals;
    if (rate.num == 0 || !verify_has_attribute(v, item, "FRAME-RATE")) {
        return;
    }
    bool good = manifest_seconds(text, &declared, &decimals);
    if (good) {
        int64_t milli = ticks_scale(rate.num, 1000, rate.den, ROUND_NEAR);
        good = declared == milli * 1000000;
    }
    if (!good) {
        verify_found(v, RULE_HLS_FRAME_RATE, master_path,
                     "line %d declares FRAME-RATE=%.16s, and %.3f pictures a second are there",
                     item->line, text, rational_value(rate));
    }
}

/* The transfer characteristics of all stretches, of which PQ counts before HLG, and that before
 * all of SDR (RFC 8216bis 4.4.6.2). */
static int transfer_of(const struct verify_playlist *playlist) {
    int transfer = playlist->main->track->codec.signal.transfer;
    for (size_t s = 0; s < playlist->stretch_count && transfer != TRANSFER_PQ; s++) {
        const struct real_track *track = playlist->stretches[s]->track;
        int own = track->facts.video ? track->codec.signal.transfer : transfer;
        transfer = own == TRANSFER_PQ || own == TRANSFER_HLG ? own : transfer;
    }
    return transfer;
}

static bool is_high(int transfer) {
    return transfer == TRANSFER_PQ || transfer == TRANSFER_HLG;
}

/* Where all variants are of SDR, none need say so (RFC 8216bis 4.4.6.2). */
static bool all_of_sdr(const struct verify *v) {
    for (size_t i = 0; i < v->master.variants.count; i++) {
        const struct m3u8_item *item = &v->master.variants.items[i];
        const struct real_track *track = verify_track_of(v, item);
        if (track != NULL && track->facts.video &&
            is_high(transfer_of(verify_playlist_at(v, item->uri)))) {
            return false;
        }
    }
    return true;
}

static void check_range(struct verify *v, const struct m3u8_item *item,
                        const struct verify_playlist *playlist) {
    const char *text = m3u8_attribute(item, "VIDEO-RANGE");
    int transfer = transfer_of(playlist);
    const char *real = transfer == TRANSFER_PQ ? "PQ" : transfer == TRANSFER_HLG ? "HLG" : "SDR";
    bool need_not = text == NULL && !is_high(transfer) && all_of_sdr(v);
    if (!need_not && !equals(text, real)) {
        verify_found(v, RULE_HLS_VIDEO_RANGE, master_path,
                     "line %d declares VIDEO-RANGE=%.16s, and transfer characteristics %d are %s",
                     item->line, text != NULL ? text : "", transfer, real);
    }
}

/* The largest rates of the group's sounds; false where one is not known. */
static bool group_rates(const struct verify *v, const char *group, int64_t *peak,
                        int64_t *average) {
    for (size_t i = 0; i < v->master.media.count; i++) {
        const struct m3u8_item *media = &v->master.media.items[i];
        if (!verify_in_group(media, group)) {
            continue;
        }
        const struct verify_playlist *sound = verify_measured(v, media);
        if (sound == NULL) {
            return false;
        }
        *peak = sound->peak_bps > *peak ? sound->peak_bps : *peak;
        *average = sound->average_bps > *average ? sound->average_bps : *average;
    }
    return true;
}

static void check_variant(struct verify *v, const struct m3u8_item *item) {
    const char *group = m3u8_attribute(item, "AUDIO");
    const struct real_track *track = verify_track_of(v, item);
    const struct verify_playlist *playlist = verify_playlist_at(v, item->uri);
    const struct verify_playlist *measured = verify_measured(v, item);
    int64_t peak = 0;
    int64_t average = 0;
    if (measured != NULL && group_rates(v, group, &peak, &average)) {
        check_rates(v, item, measured->peak_bps + peak, measured->average_bps + average);
    }
    check_codecs(v, item, group);
    if (track != NULL && track->facts.video) {
        check_resolution(v, item, playlist);
        check_range(v, item, playlist);
        check_frame_rate(v, item, playlist);
    }
    if (m3u8_attribute(item, "CLOSED-CAPTIONS") == NULL) {
        verify_found(v, RULE_HLS_CLOSED_CAPTIONS, master_path,
                     "line %d does not say CLOSED-CAPTIONS=NONE, nor which they are", item->line);
    }
}

static void check_iframe_variant(struct verify *v, const struct m3u8_item *item) {
    static const char *const foreign[] = {"FRAME-RATE", "AUDIO", "SUBTITLES", "CLOSED-CAPTIONS"};
    const struct verify_playlist *playlist = verify_playlist_at(v, item->uri);
    const struct real_track *track = verify_track_of(v, item);
    for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
        if (m3u8_attribute(item, foreign[i]) != NULL) {
            verify_found(v, RULE_HLS_IFRAME_ATTRIBUTES, master_path,
                         "EXT-X-I-FRAME-STREAM-INF in line %d has %s", item->line, foreign[i]);
        }
    }
    if (item->uri == NULL) {
        verify_found(v, RULE_HLS_IFRAME_ATTRIBUTES, master_path,
                     "EXT-X-I-FRAME-STREAM-INF in line %d has no URI", item->line);
    }
    if (track == NULL || !track->facts.video) {
        return;
    }
    check_codecs(v, item, NULL);
    check_resolution(v, item, playlist);
    check_range(v, item, playlist);
    if (playlist->measured && playlist->main->iframes) {
        check_rates(v, item, playlist->peak_bps, playlist->average_bps);
    }
}

void verify_hls(struct verify *v) {
    if (!v->has_hls) {
        return;
    }
    verify_playlists(v);
    verify_groups(v);
    for (size_t i = 0; i < v->master.variants.count; i++) {
        check_variant(v, &v->master.variants.items[i]);
    }
    for (size_t i = 0; i < v->master.iframe_variants.count; i++) {
        check_iframe_variant(v, &v->master.iframe_variants.items[i]);
    }
    verify_variants(v);
}
