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

/* Whether the rendition is a sound of that group. */
static bool in_group(const struct m3u8_item *media, const char *group) {
    return equals(m3u8_attribute(media, "TYPE"), "AUDIO") && group != NULL &&
           equals(m3u8_attribute(media, "GROUP-ID"), group);
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
    if (average_text == NULL || !manifest_int(average_text, INT64_MAX / 100, &declared)) {
        verify_found(v, RULE_HLS_AVERAGE_BANDWIDTH, master_path, "line %d has no AVERAGE-BANDWIDTH",
                     item->line);
    } else if (10 * llabs(declared - average) > average) {
        verify_found(v, RULE_HLS_AVERAGE_BANDWIDTH, master_path,
                     "line %d declares AVERAGE-BANDWIDTH=%" PRId64 ", and %" PRId64
                     " b/s are measured",
                     item->line, declared, average);
    }
}

/* Whether the comma list `codecs` holds the codec. */
static bool names_codec(const char *codecs, const char *codec) {
    size_t length = strlen(codec);
    while (codecs != NULL) {
        const char *comma = strchr(codecs, ',');
        size_t size = comma != NULL ? (size_t)(comma - codecs) : strlen(codecs);
        if (size == length && memcmp(codecs, codec, length) == 0) {
            return true;
        }
        codecs = comma != NULL ? comma + 1 : NULL;
    }
    return false;
}

static size_t count_codecs(const char *codecs) {
    size_t count = 1;
    for (; *codecs != '\0'; codecs++) {
        count += *codecs == ',' ? 1 : 0;
    }
    return count;
}

/* CODECS names the picture's codec, those of the group's sounds, and nothing else. */
static void check_codecs(struct verify *v, const struct m3u8_item *item, const char *group) {
    const char *codecs = m3u8_attribute(item, "CODECS");
    const struct real_track *picture = verify_track_of(v, item);
    const char *known[8] = {NULL};
    size_t count = 0;
    bool all_known = picture != NULL;
    if (codecs == NULL) {
        verify_found(v, RULE_HLS_CODECS, master_path, "line %d has no CODECS", item->line);
        return;
    }
    if (picture != NULL) {
        known[count++] = picture->codecs;
    }
    for (size_t i = 0; i < v->master.media.count; i++) {
        if (!in_group(&v->master.media.items[i], group)) {
            continue;
        }
        const struct real_track *sound = verify_track_of(v, &v->master.media.items[i]);
        bool listed = sound == NULL;
        all_known = all_known && sound != NULL;
        for (size_t k = 0; k < count; k++) {
            listed = listed || strcmp(known[k], sound->codecs) == 0;
        }
        if (!listed && count < sizeof(known) / sizeof(known[0])) {
            known[count++] = sound->codecs;
        }
    }
    bool all = true;
    for (size_t k = 0; k < count; k++) {
        all = all && names_codec(codecs, known[k]);
    }
    if (all_known && (!all || count_codecs(codecs) != count)) {
        verify_found(v, RULE_HLS_CODECS, master_path,
                     "line %d declares CODECS=\"%.80s\", and its renditions have %s%s%s",
                     item->line, codecs, known[0], count > 1 ? "," : "", count > 1 ? known[1] : "");
    }
}

static void check_resolution(struct verify *v, const struct m3u8_item *item,
                             const struct real_track *track) {
    const char *text = m3u8_attribute(item, "RESOLUTION");
    char real[32];
    snprintf(real, sizeof(real), "%dx%d", track->codec.width, track->codec.height);
    if (!equals(text, real)) {
        verify_found(v, RULE_HLS_RESOLUTION, master_path,
                     "line %d declares RESOLUTION=%.16s, and the pictures are %s", item->line,
                     text != NULL ? text : "", real);
    }
}

static void check_frame_rate(struct verify *v, const struct m3u8_item *item,
                             const struct real_track *track) {
    const char *text = m3u8_attribute(item, "FRAME-RATE");
    struct rational rate = real_rate(track);
    int64_t declared;
    int decimals;
    bool good = text != NULL && manifest_seconds(text, &declared, &decimals);
    if (good) {
        int64_t milli = ticks_scale(rate.num, 1000, rate.den, ROUND_NEAR);
        good = declared == milli * 1000000;
    }
    if (!good) {
        verify_found(v, RULE_HLS_FRAME_RATE, master_path,
                     "line %d declares FRAME-RATE=%.16s, and %.3f pictures a second are there",
                     item->line, text != NULL ? text : "", rational_value(rate));
    }
}

static void check_range(struct verify *v, const struct m3u8_item *item,
                        const struct real_track *track) {
    const char *text = m3u8_attribute(item, "VIDEO-RANGE");
    int transfer = track->codec.transfer;
    const char *real = transfer == 16 ? "PQ" : transfer == 18 ? "HLG" : "SDR";
    if (!equals(text, real)) {
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
        if (!in_group(media, group)) {
            continue;
        }
        const struct listing *sound = verify_measured(v, media);
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
    const struct listing *listing = verify_measured(v, item);
    int64_t peak = 0;
    int64_t average = 0;
    if (listing != NULL && group_rates(v, group, &peak, &average)) {
        check_rates(v, item, listing->peak_bps + peak, listing->average_bps + average);
    }
    check_codecs(v, item, group);
    bool grouped = group == NULL;
    for (size_t i = 0; i < v->master.media.count; i++) {
        grouped = grouped || in_group(&v->master.media.items[i], group);
    }
    if (!grouped) {
        verify_found(v, RULE_HLS_GROUP, master_path,
                     "line %d names the audio group '%.40s', "
                     "which has no rendition",
                     item->line, group);
    }
    if (track != NULL && track->facts.video) {
        check_resolution(v, item, track);
        check_range(v, item, track);
        if (track->frame_ticks > 0) {
            check_frame_rate(v, item, track);
        }
    }
    if (!equals(m3u8_attribute(item, "CLOSED-CAPTIONS"), "NONE")) {
        verify_found(v, RULE_HLS_CLOSED_CAPTIONS, master_path,
                     "line %d does not say CLOSED-CAPTIONS=NONE", item->line);
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
    check_resolution(v, item, track);
    check_range(v, item, track);
    for (size_t l = 0; l < v->listing_count; l++) {
        const struct listing *listing = v->listings[l];
        if (listing != playlist->listing && listing->track == track && listing->whole) {
            check_rates(v, item, listing->key_peak_bps, listing->key_average_bps);
            return;
        }
    }
}

/* ---- Groups ---------------------------------------------------------------------- */

static void check_rendition(struct verify *v, const struct m3u8_item *media) {
    const char *type = m3u8_attribute(media, "TYPE");
    if (!equals(type, "AUDIO") || m3u8_attribute(media, "GROUP-ID") == NULL ||
        m3u8_attribute(media, "NAME") == NULL || media->uri == NULL) {
        verify_found(v, RULE_HLS_GROUP, master_path,
                     "EXT-X-MEDIA in line %d is no sound with GROUP-ID, NAME and URI", media->line);
        return;
    }
    const struct real_track *track = verify_track_of(v, media);
    const char *channels = m3u8_attribute(media, "CHANNELS");
    int64_t declared = 0;
    if (track != NULL && !track->facts.video &&
        (channels == NULL || !manifest_int(channels, 64, &declared) ||
         declared != track->codec.channels)) {
        verify_found(v, RULE_HLS_CHANNELS, master_path,
                     "line %d declares CHANNELS=\"%.16s\", and the sound has %d", media->line,
                     channels != NULL ? channels : "", track->codec.channels);
    }
}

static void check_language(struct verify *v, const struct m3u8_item *media) {
    const struct real_track *track = verify_track_of(v, media);
    const char *declared = m3u8_attribute(media, "LANGUAGE");
    const char *real = track != NULL ? track->facts.language_tag : "und";
    if (track != NULL && strcmp(declared != NULL ? declared : "und", real) != 0) {
        verify_found(v, RULE_AUDIO_LANGUAGE, master_path,
                     "line %d declares LANGUAGE=\"%.40s\", and the track says '%s'", media->line,
                     declared != NULL ? declared : "", real);
    }
}

/* A rendition of the group with that one's NAME and LANGUAGE. */
static bool group_has(const struct verify *v, const char *group, const struct m3u8_item *like) {
    for (size_t i = 0; i < v->master.media.count; i++) {
        const struct m3u8_item *media = &v->master.media.items[i];
        const char *language = m3u8_attribute(media, "LANGUAGE");
        const char *wanted = m3u8_attribute(like, "LANGUAGE");
        if (in_group(media, group) &&
            equals(m3u8_attribute(media, "NAME"), m3u8_attribute(like, "NAME")) &&
            (language != NULL ? equals(wanted, language) : wanted == NULL)) {
            return true;
        }
    }
    return false;
}

/* What one group offers, each of the others does: a player keeps its choice where it changes
 * the group (RFC 8216 4.3.4.1.1). */
static void check_alike(struct verify *v, const struct m3u8_item *media) {
    const char *group = m3u8_attribute(media, "GROUP-ID");
    for (size_t i = 0; i < v->master.media.count; i++) {
        const struct m3u8_item *other = &v->master.media.items[i];
        if (in_group(media, group) && !in_group(other, group) &&
            in_group(other, m3u8_attribute(other, "GROUP-ID")) &&
            m3u8_attribute(other, "NAME") != NULL && !group_has(v, group, other)) {
            verify_found(v, RULE_HLS_GROUP_ALIKE, master_path,
                         "the audio group '%.40s' has no rendition like that of line %d", group,
                         other->line);
            return;
        }
    }
}

/* Told at the first rendition of each group. */
static void check_group(struct verify *v, size_t index) {
    const struct m3u8_list *all = &v->master.media;
    const char *group = m3u8_attribute(&all->items[index], "GROUP-ID");
    int defaults = 0;
    for (size_t i = 0; i < all->count; i++) {
        const struct m3u8_item *media = &all->items[i];
        if (!in_group(media, group)) {
            continue;
        }
        if (i < index) {
            return;
        }
        bool is_default = equals(m3u8_attribute(media, "DEFAULT"), "YES");
        defaults += is_default ? 1 : 0;
        if (is_default && !equals(m3u8_attribute(media, "AUTOSELECT"), "YES")) {
            verify_found(v, RULE_HLS_GROUP, master_path,
                         "line %d has DEFAULT=YES and not AUTOSELECT=YES", media->line);
        }
        for (size_t j = i + 1; j < all->count; j++) {
            if (in_group(&all->items[j], group) &&
                equals(m3u8_attribute(media, "NAME"), m3u8_attribute(&all->items[j], "NAME"))) {
                verify_found(v, RULE_HLS_GROUP, master_path,
                             "lines %d and %d have one NAME in one group", media->line,
                             all->items[j].line);
            }
        }
    }
    check_alike(v, &all->items[index]);
    if (group != NULL && defaults != 1) {
        verify_found(v, RULE_HLS_GROUP, master_path, "the audio group '%.40s' has %d defaults",
                     group, defaults);
    }
}

void verify_hls(struct verify *v) {
    if (!v->has_hls) {
        return;
    }
    verify_playlists(v);
    verify_playlist_header(v, master_path, &v->master, 1);
    for (size_t i = 0; i < v->master.media.count; i++) {
        check_rendition(v, &v->master.media.items[i]);
        check_language(v, &v->master.media.items[i]);
        check_group(v, i);
    }
    for (size_t i = 0; i < v->master.variants.count; i++) {
        check_variant(v, &v->master.variants.items[i]);
    }
    for (size_t i = 0; i < v->master.iframe_variants.count; i++) {
        check_iframe_variant(v, &v->master.iframe_variants.items[i]);
    }
    verify_variants(v);
}
