/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is there and no rule reads: it is said, so that silence means that all is well. See
 * verify.h; what is encrypted is told in verify_protection.c, codecs where tracks are read. */
#include <string.h>

#include "verify.h"

static const char mpd_path[] = "manifest.mpd";

static void tell_strangers(struct verify *v, const char *path, const char *const *names,
                           size_t count, size_t most) {
    struct buf list = {0};
    for (size_t i = 0; i < count; i++) {
        buf_format(&list, "%s%s", i == 0 ? "" : ", ", names[i]);
    }
    if (count > 0) {
        verify_found(v, RULE_UNCHECKED_MANIFEST, path, "not checked: %s%s", buf_text(&list),
                     count == most ? ", and maybe more" : "");
    }
    buf_finish(&list);
}

static void tell_playlist(struct verify *v, const struct verify_playlist *playlist) {
    const struct m3u8 *text = &playlist->text;
    tell_strangers(v, playlist->path, text->strangers, text->stranger_count, M3U8_STRANGERS_MAX);
    if (text->parts.count > 0) {
        verify_found(v, RULE_UNCHECKED_MANIFEST, playlist->path,
                     "not checked: the bytes of %zu EXT-X-PART, which are not fetched",
                     text->parts.count);
    }
    if (playlist->is_text && text->map_count > 0) {
        verify_found(v, RULE_UNCHECKED_TEXT, playlist->path,
                     "not checked: the text in its fragments, which are only looked for");
    }
}

static void tell_text(struct verify *v, const struct mpd_text *text, const char *place) {
    if (strcmp(text->own.mime_type, "text/vtt") != 0) {
        verify_found(
            v, RULE_UNCHECKED_TEXT, mpd_path,
            "not checked: the text of Representation %.60s%s, '%.40s' of '%.40s', which is "
            "only looked for",
            text->own.id, place, text->own.codecs, text->own.mime_type);
    } else if (text->own.timeline || text->own.nominal || text->own.indexed || text->own.listed) {
        verify_found(v, RULE_UNCHECKED_TEXT, mpd_path,
                     "not checked: the text of Representation %.60s%s, which lies in segments, and "
                     "these are only looked for",
                     text->own.id, place);
    }
}

static void tell_mpd(struct verify *v) {
    const struct mpd *mpd = &v->mpd;
    tell_strangers(v, mpd_path, mpd->strangers, mpd->stranger_count, MPD_STRANGERS_MAX);
    if (mpd->elsewhere_count > 0) {
        verify_found(
            v, RULE_UNCHECKED_PERIOD, mpd_path,
            "not checked: %zu Periods of other documents (xlink:href), where Periods begin "
            "and end, nor whether HLS lists what all of them do",
            mpd->elsewhere_count);
    }
    for (size_t i = 0; i < mpd->unread_count; i++) {
        const struct mpd_unread *unread = &mpd->unread[i];
        verify_found(v, unread->past_bound ? RULE_TITLE_BOUNDS : RULE_UNCHECKED_PERIOD, mpd_path,
                     "not checked: Period %zu, nor whether HLS lists what all of them do: %s",
                     unread->number, unread->why);
    }
    for (size_t p = 0; p < mpd->period_count; p++) {
        for (size_t i = 0; i < mpd->periods[p].text_count; i++) {
            tell_text(v, &mpd->periods[p].texts[i], v->periods[p].place);
        }
    }
}

void verify_unchecked(struct verify *v) {
    const struct m3u8 *master = &v->master;
    if (v->has_hls) {
        tell_strangers(v, "master.m3u8", master->strangers, master->stranger_count,
                       M3U8_STRANGERS_MAX);
    }
    for (size_t i = 0; i < v->playlist_count; i++) {
        if (v->playlists[i].readable) {
            tell_playlist(v, &v->playlists[i]);
        }
    }
    if (v->has_dash) {
        tell_mpd(v);
    }
}
