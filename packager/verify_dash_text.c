/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subtitles and captions of DASH: files that stand alone, and segments. See verify.h. */
#include <inttypes.h>
#include <string.h>

#include "verify.h"
#include "webvtt.h"

static const char mpd_path[] = "manifest.mpd";

/* The path of a Representation's file, or of the folder of its segments; NULL where a BaseURL is
 * no path of the title. */
static const char *base_of(struct verify *v, const struct mpd_representation *from) {
    const char *base = mpd_path;
    for (int i = 0; i < MPD_BASES_MAX && base != NULL; i++) {
        if (from->bases[i][0] != '\0') {
            base = verify_resolve(v, base, from->bases[i]);
        }
    }
    return base;
}

static bool is_alone(const struct mpd_text *text) {
    return !text->own.timeline && !text->own.nominal && !text->own.indexed && !text->own.listed;
}

/* What is wrong with how it is told; NULL for nothing. */
static const char *told_fault(const struct mpd_text *text) {
    const char *mime_type = text->own.mime_type;
    bool in_file = strcmp(mime_type, "text/vtt") == 0 ||
                   strcmp(mime_type, "application/ttml+xml") == 0;
    bool in_fragments = strcmp(mime_type, "application/mp4") == 0;
    return text->language[0] == '\0' ? "has no @lang"
           : text->role[0] == '\0'   ? "has no Role of subtitle, caption or forced-subtitle"
           : !in_file && !in_fragments
               ? "has a @mimeType that is none of text/vtt, application/ttml+xml, application/mp4"
           : in_file && is_alone(text) && text->offset
               ? "stands alone and has a @presentationTimeOffset, but its times are the Period's"
           : in_fragments && text->own.codecs[0] == '\0' ? "is in fragments and has no @codecs"
                                                         : NULL;
}

/* Its times are those of the Period. */
static void check_file(struct verify *v, const struct dash_period *period,
                       const struct mpd_text *text, const char *path) {
    struct webvtt facts = {0};
    if (!verify_text_read(v, path, &facts)) {
        return;
    }
    int64_t end_ms = period->told->duration_ns / 1000000;
    if (facts.shift_ms != 0) {
        verify_found(
            v, RULE_TEXT_TIME, path,
            "X-TIMESTAMP-MAP shifts its cues by %.3f s, and in Representation %.60s%s their "
            "times are the Period's",
            (double)facts.shift_ms / 1e3, text->own.id, period->place);
    } else if (facts.cue_count > 0 && end_ms > 0 && facts.last_start_ms > end_ms) {
        verify_found(
            v, RULE_TEXT_TIME, path,
            "a cue begins at %.3f s, and the Period of Representation %.60s%s lasts %.3f s",
            (double)facts.last_start_ms / 1e3, text->own.id, period->place, (double)end_ms / 1e3);
    }
}

/* One after the other: a template that has neither $Number$ nor $Time$ names one object again and
 * again. */
static void look_for_segments(struct verify *v, const struct mpd_representation *from,
                              const char *base) {
    const char *before = NULL;
    for (size_t i = 0; i < from->segment_count; i++) {
        const char *reference = from->segments[i].reference;
        if (before == NULL || strcmp(before, reference) != 0) {
            verify_look_for(v, reference[0] != '\0' ? verify_resolve(v, base, reference) : base);
        }
        before = reference;
    }
}

static void check_objects(struct verify *v, const struct dash_period *period,
                          const struct mpd_text *text) {
    const struct mpd_representation *from = &text->own;
    const char *base = base_of(v, from);
    if (base == NULL) {
        return;
    }
    if (is_alone(text) && strcmp(from->mime_type, "text/vtt") == 0) {
        check_file(v, period, text, base);
    } else if (is_alone(text) || from->indexed) {
        verify_look_for(v, base);
    } else if (verify_has_room(v, mpd_path, from->id, from->segment_count)) {
        bool has_header = from->initialization[0] != '\0';
        verify_look_for(v, has_header ? verify_resolve(v, base, from->initialization) : NULL);
        look_for_segments(v, from, base);
    }
}

static void check_text(struct verify *v, const struct dash_period *period,
                       const struct mpd_text *text) {
    const char *fault = told_fault(text);
    if (fault != NULL) {
        verify_found(v, RULE_DASH_TEXT, mpd_path, "Representation %.60s%s %s", text->own.id,
                     period->place, fault);
    }
    check_objects(v, period, text);
}

void verify_dash_texts(struct verify *v) {
    for (size_t p = 0; p < v->mpd.period_count; p++) {
        for (size_t i = 0; i < v->mpd.periods[p].text_count; i++) {
            check_text(v, &v->periods[p], &v->mpd.periods[p].texts[i]);
        }
    }
}
