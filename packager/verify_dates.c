/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dates and parts in media playlists, which ours do not have. See verify.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_number.h"
#include "verify.h"

/* ---- EXT-X-DATERANGE --------------------------------------------------------------- */

/* How far a splice may be from a segment's start: dates have milliseconds, at the best. */
enum { SPLICE_MS = 50 };

static bool is_hexadecimal(const char *text) {
    return text[0] == '0' && (text[1] == 'x' || text[1] == 'X') && text[2] != '\0' &&
           text[2 + strspn(text + 2, "0123456789abcdefABCDEF")] == '\0';
}

/* Whether a segment begins at that date. The clock that stands before one goes on until the next
 * that is told. */
static bool is_segment_start(const struct m3u8 *text, int64_t date_ms) {
    int64_t clock_ms = 0;
    int64_t since_ns = 0; /* apart: nanoseconds since 1970 have more than 63 bits from 2262 on */
    bool known = false;
    for (size_t i = 0; i < text->segment_count; i++) {
        const struct m3u8_segment *segment = &text->segments[i];
        if (segment->has_clock) {
            clock_ms = segment->clock_ms;
            since_ns = 0;
            known = true;
        }
        if (known && llabs(clock_ms + since_ns / 1000000 - date_ms) <= SPLICE_MS) {
            return true;
        }
        since_ns += segment->nanoseconds;
    }
    return known && llabs(clock_ms + since_ns / 1000000 - date_ms) <= SPLICE_MS;
}

static bool has_clock(const struct m3u8 *text) {
    for (size_t i = 0; i < text->segment_count; i++) {
        if (text->segments[i].has_clock) {
            return true;
        }
    }
    return false;
}

/* What is wrong with one; NULL for nothing. */
static const char *range_fault(const struct m3u8_item *range) {
    const char *start_text = m3u8_attribute(range, "START-DATE");
    const char *end_text = m3u8_attribute(range, "END-DATE");
    const char *duration = m3u8_attribute(range, "DURATION");
    const char *on_next = m3u8_attribute(range, "END-ON-NEXT");
    static const char *const splices[] = {"SCTE35-OUT", "SCTE35-IN", "SCTE35-CMD"};
    int64_t start = 0;
    int64_t end = 0;
    int64_t nanoseconds;
    int decimals;
    if (m3u8_attribute(range, "ID") == NULL) {
        return "has no ID";
    }
    if (start_text == NULL || !manifest_date(start_text, &start)) {
        return "has no START-DATE";
    }
    if (end_text != NULL && (!manifest_date(end_text, &end) || end < start)) {
        return "has an END-DATE that is none, or is before its START-DATE";
    }
    if (duration != NULL && !manifest_seconds(duration, &nanoseconds, &decimals)) {
        return "has a DURATION that is no count of seconds";
    }
    if (on_next != NULL && (strcmp(on_next, "YES") != 0 || duration != NULL || end_text != NULL ||
                            m3u8_attribute(range, "CLASS") == NULL)) {
        return "has END-ON-NEXT, and no CLASS or another end too";
    }
    for (size_t i = 0; i < sizeof(splices) / sizeof(splices[0]); i++) {
        const char *splice = m3u8_attribute(range, splices[i]);
        if (splice != NULL && !is_hexadecimal(splice)) {
            return "has a SCTE35 that is no hexadecimal sequence";
        }
    }
    return NULL;
}

static void advise_splice(struct verify *v, const struct verify_playlist *playlist,
                          const struct m3u8_item *range) {
    const char *start_text = m3u8_attribute(range, "START-DATE");
    int64_t start = 0;
    if (m3u8_attribute(range, "SCTE35-OUT") != NULL && start_text != NULL &&
        manifest_date(start_text, &start) && !is_segment_start(&playlist->text, start)) {
        verify_found(v, RULE_HLS_SPLICE, playlist->path,
                     "EXT-X-DATERANGE in line %d leaves the programme where no segment begins",
                     range->line);
    }
}

static void check_date_ranges(struct verify *v, const struct verify_playlist *playlist) {
    enum { RANGES_MAX = 1024 }; /* each may be looked for in all segments */
    const struct m3u8 *text = &playlist->text;
    if (text->date_ranges.count > RANGES_MAX) {
        verify_found(v, RULE_TITLE_BOUNDS, playlist->path,
                     "it has %zu EXT-X-DATERANGE, and %d are the most that are read",
                     text->date_ranges.count, RANGES_MAX);
        return;
    }
    bool has_dates = has_clock(text);
    if (text->date_ranges.count > 0 && !has_dates) {
        verify_found(v, RULE_HLS_DATERANGE, playlist->path,
                     "it has EXT-X-DATERANGE, and no EXT-X-PROGRAM-DATE-TIME that tells when that "
                     "is");
    }
    for (size_t i = 0; i < text->date_ranges.count; i++) {
        const struct m3u8_item *range = &text->date_ranges.items[i];
        const char *fault = range_fault(range);
        if (has_dates) {
            advise_splice(v, playlist, range);
        }
        if (fault != NULL) {
            verify_found(v, RULE_HLS_DATERANGE, playlist->path, "EXT-X-DATERANGE in line %d %s",
                         range->line, fault);
        }
    }
}

/* ---- Parts of segments ------------------------------------------------------------- */

static int64_t seconds_of(const struct m3u8_list *list, const char *name) {
    const char *text = list->count > 0 ? m3u8_attribute(&list->items[0], name) : NULL;
    int64_t nanoseconds = -1;
    int decimals;
    return text != NULL && manifest_seconds(text, &nanoseconds, &decimals) ? nanoseconds : -1;
}

/* Hints at parts to come and reports on other renditions. */
static void check_named(struct verify *v, const struct verify_playlist *playlist) {
    for (size_t i = 0; i < playlist->text.hints.count; i++) {
        const struct m3u8_item *hint = &playlist->text.hints.items[i];
        const char *type = m3u8_attribute(hint, "TYPE");
        bool known = type != NULL && (strcmp(type, "PART") == 0 || strcmp(type, "MAP") == 0);
        if (!known || hint->uri == NULL) {
            verify_found(v, RULE_HLS_PARTS, playlist->path,
                         "EXT-X-PRELOAD-HINT in line %d has no URI, or no TYPE of PART or MAP",
                         hint->line);
        }
    }
    for (size_t i = 0; i < playlist->text.reports.count; i++) {
        if (playlist->text.reports.items[i].uri == NULL) {
            verify_found(v, RULE_HLS_PARTS, playlist->path,
                         "EXT-X-RENDITION-REPORT in line %d has no URI",
                         playlist->text.reports.items[i].line);
        }
    }
}

/* Segments begin with key pictures, and so do their first parts. */
static void advise_independent(struct verify *v, const struct verify_playlist *playlist) {
    const struct m3u8 *text = &playlist->text;
    size_t segment = 0;
    for (size_t i = 0; i < text->parts.count; i++) {
        const struct m3u8_item *part = &text->parts.items[i];
        const char *independent = m3u8_attribute(part, "INDEPENDENT");
        bool first = i == 0;
        while (segment < text->segment_count && text->segments[segment].line < part->line) {
            first = true;
            segment++;
        }
        if (first && (independent == NULL || strcmp(independent, "YES") != 0)) {
            verify_found(v, RULE_HLS_LOW_LATENCY, playlist->path,
                         "EXT-X-PART in line %d is the first of its segment, and does not say "
                         "INDEPENDENT=YES",
                         part->line);
            return;
        }
    }
}

/* What keeps players of a live stream near its end. */
static void advise_live(struct verify *v, const struct verify_playlist *playlist) {
    const struct m3u8 *text = &playlist->text;
    const struct m3u8_list *controls = &text->controls;
    const char *block =
        controls->count > 0 ? m3u8_attribute(&controls->items[0], "CAN-BLOCK-RELOAD") : NULL;
    const char *lack = block == NULL || strcmp(block, "YES") != 0 ? "CAN-BLOCK-RELOAD=YES"
                       : text->hints.count == 0                   ? "EXT-X-PRELOAD-HINT"
                       : text->reports.count == 0 && v->playlist_count > 1
                           ? "EXT-X-RENDITION-REPORT"
                           : NULL;
    if (!text->ended && lack != NULL) {
        verify_found(v, RULE_HLS_LOW_LATENCY, playlist->path,
                     "it has parts, and goes on, and has no %s", lack);
    }
}

static void check_parts(struct verify *v, const struct verify_playlist *playlist) {
    const struct m3u8 *text = &playlist->text;
    check_named(v, playlist);
    if (text->parts.count == 0) {
        return;
    }
    advise_independent(v, playlist);
    advise_live(v, playlist);
    int64_t target = seconds_of(&text->part_facts, "PART-TARGET");
    int64_t hold_back = seconds_of(&text->controls, "PART-HOLD-BACK");
    bool must = target <= 0 || hold_back < 2 * target;
    if (must || hold_back < 3 * target) {
        verify_found(
            v, must ? RULE_HLS_PARTS : RULE_HLS_PART_HOLD_BACK, playlist->path,
            "PART-TARGET is %.3f s and PART-HOLD-BACK %.3f s (-1: missing), which %s of it",
            target < 0 ? -1.0 : (double)target / 1e9,
            hold_back < 0 ? -1.0 : (double)hold_back / 1e9,
            must ? "must be two" : "should be three");
    }
    if (must) {
        return;
    }
    for (size_t i = 0; i < text->parts.count; i++) {
        const struct m3u8_item *part = &text->parts.items[i];
        const char *duration = m3u8_attribute(part, "DURATION");
        int64_t nanoseconds = 0;
        int decimals;
        bool good = duration != NULL && manifest_seconds(duration, &nanoseconds, &decimals) &&
                    nanoseconds <= target;
        if (!good || part->uri == NULL) {
            verify_found(v, RULE_HLS_PARTS, playlist->path,
                         "EXT-X-PART in line %d has no URI, or lasts longer than PART-TARGET",
                         part->line);
        }
    }
}

void verify_playlist_extras(struct verify *v, const struct verify_playlist *playlist) {
    check_date_ranges(v, playlist);
    check_parts(v, playlist);
}
