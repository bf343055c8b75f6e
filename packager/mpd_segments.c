/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which segments the Representations of an MPD have: see mpd_reading.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "manifest_number.h"
#include "mpd_reading.h"
#include "title_path.h"

/* A packet of sound, in which a Period may end after the last picture. */
enum { NANOSECONDS = 1000000000, SLACK_NS = 50 * 1000 * 1000 };

/* The innermost SegmentTemplate that has the attribute. */
const char *mpd_template_attribute(const struct mpd_reading *r, const char *name) {
    const char *value = NULL;
    for (int level = LEVEL_PERIOD; level < LEVELS; level++) {
        const struct xml_node *node = r->levels[level].template;
        const char *here = node != NULL ? xml_attribute(node, name) : NULL;
        value = here != NULL ? here : value;
    }
    return value;
}

static const struct xml_node *timeline_of(const struct mpd_reading *r) {
    const struct xml_node *timeline = NULL;
    for (int level = LEVEL_PERIOD; level < LEVELS; level++) {
        const struct xml_node *here = r->levels[level].timeline;
        timeline = here != NULL ? here : timeline;
    }
    return timeline;
}

struct identifiers {
    const char *id;
    int64_t number, time, bandwidth;
};

/* Appends what stands between two dollars: "" is a dollar, "Number%05d" padded. */
static size_t put_identifier(char *to, size_t room, const char *from, size_t length,
                             const struct identifiers *ids) {
    const struct {
        const char *name;
        int64_t value;
    } numbers[] = {{"Number", ids->number}, {"Time", ids->time}, {"Bandwidth", ids->bandwidth}};
    static const char id[] = "RepresentationID";
    if (length == 0) {
        return (size_t)snprintf(to, room, "$");
    }
    if (length == sizeof(id) - 1 && memcmp(from, id, length) == 0) {
        return (size_t)snprintf(to, room, "%s", ids->id);
    }
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        size_t name = strlen(numbers[i].name);
        if (length < name || memcmp(from, numbers[i].name, name) != 0) {
            continue;
        }
        const char *tag = from + name;
        int width = 1;
        bool padded = length == name + 4 && memcmp(tag, "%0", 2) == 0 && tag[2] >= '1' &&
                      tag[2] <= '9' && tag[3] == 'd';
        if (padded) {
            width = tag[2] - '0';
        }
        return padded || length == name
                   ? (size_t)snprintf(to, room, "%0*" PRId64, width, numbers[i].value)
                   : room;
    }
    return room;
}

/* @media or @initialization with its identifiers replaced; "" once something is wrong. */
static const char *fill_template(struct mpd_reading *r, const char *text, const char *name,
                                 const struct identifiers *ids) {
    char filled[TITLE_PATH_TEXT];
    size_t used = 0;
    while (*text != '\0' && used < sizeof(filled)) {
        const char *dollar = strchr(text, '$');
        size_t plain = dollar == text ? 0 : strcspn(text, "$");
        if (plain > 0) {
            plain = plain < sizeof(filled) - used ? plain : sizeof(filled) - used;
            memcpy(filled + used, text, plain);
            used += plain;
            text += plain;
            continue;
        }
        const char *end = strchr(text + 1, '$');
        if (end == NULL) {
            used = sizeof(filled);
            break;
        }
        used += put_identifier(filled + used, sizeof(filled) - used, text + 1,
                               (size_t)(end - text - 1), ids);
        text = end + 1;
    }
    if (used >= sizeof(filled)) {
        mpd_fail(r, "is no template of a name that could be filled in", name);
        return "";
    }
    filled[used] = '\0';
    return arena_string(&r->out->arena, filled);
}

/* ---- SegmentTimeline ------------------------------------------------------------- */

/* The ticks that a Period lasts. One that ends in the last packet of sound does not begin a segment
 * of pictures. */
static int64_t ticks_of_period(const struct mpd_reading *r, int64_t timescale) {
    int64_t lasts_ns = r->period->duration_ns - SLACK_NS;
    return ticks_scale(lasts_ns > 0 ? lasts_ns : 1, timescale, NANOSECONDS, ROUND_UP);
}

/* What an S element tells of: so many segments, one after the other. */
struct stretch {
    int64_t time;
    int64_t duration; /* of each; > 0 */
    int64_t count;
};

/* With an @r below 0: as many as begin before the time of the next S, or else before the end of the
 * Period, and one at least. */
static int64_t count_open(struct mpd_reading *r, const struct xml_node *entry,
                          const struct mpd_representation *from, const struct stretch *at) {
    const struct xml_node *next = xml_again(entry);
    int64_t end = 0;
    if (next != NULL && xml_attribute(next, "t") != NULL) {
        mpd_int(r, xml_attribute(next, "t"), "S@t", &end);
    } else if (next == NULL && r->period->duration_ns > 0) {
        end = ticks_of_period(r, from->timescale) + from->presentation_offset;
    } else {
        err_set(&r->inner, ERR_UNSUPPORTED,
                "S@r is below 0, and neither an S@t behind it nor an end of the Period tells how "
                "often");
    }
    return end > at->time ? (end - at->time + at->duration - 1) / at->duration : 1;
}

/* Goes on to what the element tells; its count is 0 once something is wrong. */
static void next_stretch(struct mpd_reading *r, const struct xml_node *entry,
                         const struct mpd_representation *from, struct stretch *at) {
    int64_t most = MANIFEST_SECONDS_MAX * from->timescale;
    const char *repeat = xml_attribute(entry, "r");
    bool is_open = repeat != NULL && repeat[0] == '-';
    int64_t more = 0;
    at->time += at->count * at->duration;
    at->duration = 0;
    at->count = 0;
    mpd_int(r, xml_attribute(entry, "t"), "S@t", &at->time);
    mpd_int(r, xml_attribute(entry, "d"), "S@d", &at->duration);
    mpd_int(r, is_open ? NULL : repeat, "S@r", &more);
    if (!mpd_failed(r) && at->duration == 0) {
        mpd_fail(r, "is missing or 0", "S@d");
    } else if (!mpd_failed(r) && (at->duration > most || at->time > most)) {
        mpd_exceed(r, "tells of a title too long to be read", "SegmentTimeline");
    }
    if (mpd_failed(r)) {
        return;
    }
    int64_t count = is_open ? count_open(r, entry, from, at) : more + 1;
    if (count > MPD_SEGMENTS_MAX) {
        mpd_exceed(r, "tells of too many segments", "S@r");
    } else if (count - 1 > (most - at->time) / at->duration) {
        mpd_exceed(r, "tells of a title too long to be read", "SegmentTimeline");
    }
    at->count = mpd_failed(r) ? 0 : count;
}

static size_t count_segments(struct mpd_reading *r, const struct xml_node *timeline,
                             const struct mpd_representation *from) {
    struct stretch at = {0};
    int64_t count = 0;
    const struct xml_node *entry = xml_child(timeline, "S");
    for (; entry != NULL && !mpd_failed(r); entry = xml_again(entry)) {
        next_stretch(r, entry, from, &at);
        count += at.count;
        if (count > MPD_SEGMENTS_MAX - (int64_t)r->segments) {
            mpd_exceed(r, "tells of too many segments", "SegmentTimeline");
        }
    }
    return mpd_failed(r) ? 0 : (size_t)count;
}

static void read_timeline(struct mpd_reading *r, const struct xml_node *timeline,
                          struct mpd_representation *out) {
    const char *media = mpd_template_attribute(r, "media");
    struct identifiers ids = {.id = out->id, .number = 1, .bandwidth = out->bandwidth};
    mpd_int(r, mpd_template_attribute(r, "startNumber"), "SegmentTemplate@startNumber",
            &ids.number);
    size_t count = count_segments(r, timeline, out);
    struct stretch at = {0};
    r->segments += count;
    out->segments = arena_zero(&r->out->arena, count, sizeof(*out->segments));
    const struct xml_node *entry = xml_child(timeline, "S");
    for (; entry != NULL && !mpd_failed(r); entry = xml_again(entry)) {
        next_stretch(r, entry, out, &at);
        for (int64_t i = 0; i < at.count && !mpd_failed(r); i++) {
            ids.time = at.time + i * at.duration;
            out->segments[out->segment_count++] = (struct mpd_segment){
                .reference = fill_template(r, media != NULL ? media : "", "@media", &ids),
                .time = ids.time,
                .duration = at.duration,
            };
            ids.number++;
        }
    }
}

/* Numbers of segments of their own, and times that shift what the timeline says (DASH-IF Timing
 * Model asks for none of them). */
static const char *find_odd_addressing(struct mpd_reading *r, const struct xml_node *timeline) {
    static const char *const odd[] = {"eptDelta", "presentationDuration"};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        if (mpd_template_attribute(r, odd[i]) != NULL) {
            return odd[i];
        }
    }
    const struct xml_node *entry = xml_child(timeline, "S");
    while (entry != NULL && xml_attribute(entry, "n") == NULL) {
        entry = xml_again(entry);
    }
    return entry != NULL ? "S@n" : "";
}

/* By @duration: as many as begin in the Period, each where it would begin if all were as long. */
static void read_nominal(struct mpd_reading *r, const char *duration_text,
                         struct mpd_representation *out) {
    const char *media = mpd_template_attribute(r, "media");
    struct identifiers ids = {.id = out->id, .number = 1, .bandwidth = out->bandwidth};
    int64_t duration = 0;
    mpd_int(r, mpd_template_attribute(r, "startNumber"), "SegmentTemplate@startNumber",
            &ids.number);
    mpd_int(r, duration_text, "SegmentTemplate@duration", &duration);
    if (mpd_failed(r) || media == NULL || r->period->duration_ns <= 0) {
        return;
    }
    if (duration == 0 || duration / out->timescale > MANIFEST_SECONDS_MAX) {
        mpd_fail(r, "is out of range", "SegmentTemplate@duration");
        return;
    }
    int64_t count = (ticks_of_period(r, out->timescale) + duration - 1) / duration;
    if (count > MPD_SEGMENTS_MAX - (int64_t)r->segments) {
        mpd_exceed(r, "tells of too many segments", "SegmentTemplate@duration");
        return;
    }
    out->nominal = true;
    r->segments += (size_t)count;
    out->segments = arena_zero(&r->out->arena, (size_t)count, sizeof(*out->segments));
    for (; out->segment_count < (size_t)count && !mpd_failed(r); out->segment_count++) {
        out->segments[out->segment_count] = (struct mpd_segment){
            .reference = fill_template(r, media, "@media", &ids),
            .time = ids.time + out->presentation_offset,
            .duration = duration,
        };
        ids.time += duration;
        ids.number++;
    }
}

/* "800-1203", both included. */
static void read_range(struct mpd_reading *r, const char *text, const char *name,
                       struct mpd_range *out) {
    char copy[48];
    if (text == NULL) {
        return;
    }
    snprintf(copy, sizeof(copy), "%s", text);
    char *dash = strchr(copy, '-');
    if (dash != NULL) {
        *dash = '\0';
    }
    if (dash == NULL || !manifest_int(copy, INT64_MAX / 4, &out->first) ||
        !manifest_int(dash + 1, INT64_MAX / 4, &out->last) || out->last < out->first) {
        mpd_fail(r, "is no range of bytes", name);
    }
    out->told = true;
}

/* By the innermost SegmentBase. */
static void read_index(struct mpd_reading *r, const struct xml_node *node,
                       struct mpd_representation *out) {
    const struct xml_node *header = xml_child(node, "Initialization");
    out->indexed = true;
    mpd_int(r, xml_attribute(node, "timescale"), "SegmentBase@timescale", &out->timescale);
    mpd_int(r, xml_attribute(node, "presentationTimeOffset"), "SegmentBase@presentationTimeOffset",
            &out->presentation_offset);
    read_range(r, xml_attribute(node, "indexRange"), "SegmentBase@indexRange", &out->index);
    if (header != NULL) {
        read_range(r, xml_attribute(header, "range"), "Initialization@range", &out->header);
    }
}

static const struct xml_node *index_of(const struct mpd_reading *r) {
    const struct xml_node *index = NULL;
    for (int level = LEVEL_PERIOD; level < LEVELS; level++) {
        const struct xml_node *here = r->levels[level].index;
        index = here != NULL ? here : index;
    }
    return index;
}

/* ---- SegmentList ----------------------------------------------------------------- */

static bool has_list(const struct mpd_reading *r) {
    bool has = false;
    for (int level = LEVEL_PERIOD; level < LEVELS; level++) {
        has = has || r->levels[level].list != NULL;
    }
    return has;
}

/* The attribute of the innermost SegmentList that has it; NULL for none. */
static const char *list_attribute(const struct mpd_reading *r, const char *name) {
    const char *value = NULL;
    for (int level = LEVEL_PERIOD; level < LEVELS; level++) {
        const struct xml_node *node = r->levels[level].list;
        const char *here = node != NULL ? xml_attribute(node, name) : NULL;
        value = here != NULL ? here : value;
    }
    return value;
}

/* The child of the innermost SegmentList that has such a one; NULL for none. */
static const struct xml_node *list_child(const struct mpd_reading *r, const char *name) {
    const struct xml_node *child = NULL;
    for (int level = LEVEL_PERIOD; level < LEVELS; level++) {
        const struct xml_node *node = r->levels[level].list;
        const struct xml_node *here = node != NULL ? xml_child(node, name) : NULL;
        child = here != NULL ? here : child;
    }
    return child;
}

static size_t count_urls(struct mpd_reading *r, const struct xml_node *first) {
    size_t count = 0;
    for (const struct xml_node *at = first; at != NULL; at = xml_again(at)) {
        count++;
    }
    if (count > MPD_SEGMENTS_MAX - r->segments) {
        mpd_exceed(r, "tells of too many segments", "SegmentList");
        return 0;
    }
    return count;
}

/* Times of a list's segments by its SegmentTimeline, which tells of as many. */
static void time_by_timeline(struct mpd_reading *r, const struct xml_node *timeline,
                             struct mpd_representation *out) {
    struct stretch at = {0};
    size_t count = 0;
    if (count_segments(r, timeline, out) != out->segment_count && !mpd_failed(r)) {
        mpd_fail(r, "does not tell of as many segments as its SegmentList names",
                 "SegmentTimeline");
    }
    const struct xml_node *entry = xml_child(timeline, "S");
    for (; entry != NULL && !mpd_failed(r); entry = xml_again(entry)) {
        next_stretch(r, entry, out, &at);
        for (int64_t i = 0; i < at.count; i++) {
            out->segments[count].time = at.time + i * at.duration;
            out->segments[count++].duration = at.duration;
        }
    }
}

static void time_by_duration(struct mpd_reading *r, struct mpd_representation *out) {
    int64_t duration = 0;
    mpd_int(r, list_attribute(r, "duration"), "SegmentList@duration", &duration);
    if (mpd_failed(r) || duration == 0) {
        return;
    }
    if (duration / out->timescale > MANIFEST_SECONDS_MAX / (int64_t)(out->segment_count + 1)) {
        mpd_fail(r, "is out of range", "SegmentList@duration");
        return;
    }
    out->nominal = true;
    for (size_t i = 0; i < out->segment_count; i++) {
        out->segments[i].time = out->presentation_offset + (int64_t)i * duration;
        out->segments[i].duration = duration;
    }
}

/* Whether the timescale is one, and the Period begins at a time that can be read. */
static bool times_fit(struct mpd_reading *r, const struct mpd_representation *of) {
    if (of->timescale == 0 || of->timescale > UINT32_MAX) {
        mpd_fail(r, "is out of range", "@timescale");
    } else if (of->presentation_offset / of->timescale > MANIFEST_SECONDS_MAX) {
        mpd_exceed(r, "is out of range", "@presentationTimeOffset");
    }
    return !mpd_failed(r);
}

/* By SegmentLists, of which inner ones inherit what they lack (ISO/IEC 23009-1 5.3.9.1): each
 * SegmentURL names a file, or bytes of one. */
static void read_list(struct mpd_reading *r, struct mpd_representation *out) {
    const struct xml_node *header = list_child(r, "Initialization");
    const struct xml_node *timeline = list_child(r, "SegmentTimeline");
    const struct xml_node *first = list_child(r, "SegmentURL");
    mpd_int(r, list_attribute(r, "timescale"), "SegmentList@timescale", &out->timescale);
    mpd_int(r, list_attribute(r, "presentationTimeOffset"), "SegmentList@presentationTimeOffset",
            &out->presentation_offset);
    if (!times_fit(r, out)) {
        return;
    }
    if (header != NULL) {
        out->initialization = mpd_value(header, "sourceURL");
        read_range(r, xml_attribute(header, "range"), "Initialization@range", &out->header);
    }
    out->listed = true;
    out->timeline = timeline != NULL;
    size_t count = count_urls(r, first);
    r->segments += count;
    out->segments = arena_zero(&r->out->arena, count, sizeof(*out->segments));
    for (const struct xml_node *at = first; at != NULL && !mpd_failed(r); at = xml_again(at)) {
        struct mpd_segment *segment = &out->segments[out->segment_count++];
        segment->reference = mpd_value(at, "media");
        read_range(r, xml_attribute(at, "mediaRange"), "SegmentURL@mediaRange", &segment->range);
    }
    if (timeline != NULL) {
        time_by_timeline(r, timeline, out);
    } else {
        time_by_duration(r, out);
    }
}

/* ---- The one that it has --------------------------------------------------------- */

void mpd_segments_read(struct mpd_reading *r, struct mpd_representation *out) {
    const struct xml_node *index = index_of(r);
    const char *duration = mpd_template_attribute(r, "duration");
    const struct xml_node *timeline = timeline_of(r);
    const char *initialization = mpd_template_attribute(r, "initialization");
    struct identifiers ids = {.id = out->id, .bandwidth = out->bandwidth};
    out->timescale = 1;
    if (has_list(r) && index == NULL && duration == NULL && timeline == NULL) {
        read_list(r, out);
        return;
    }
    mpd_int(r, mpd_template_attribute(r, "timescale"), "SegmentTemplate@timescale",
            &out->timescale);
    mpd_int(r, mpd_template_attribute(r, "presentationTimeOffset"),
            "SegmentTemplate@presentationTimeOffset", &out->presentation_offset);
    if (index != NULL) {
        read_index(r, index, out);
    }
    if (!times_fit(r, out)) {
        return;
    }
    out->initialization =
        fill_template(r, initialization != NULL ? initialization : "", "@initialization", &ids);
    out->timeline = timeline != NULL;
    if (timeline != NULL) {
        out->odd_addressing = find_odd_addressing(r, timeline);
        read_timeline(r, timeline, out);
    } else if (duration != NULL) {
        out->by_duration = mpd_template_attribute(r, "media") != NULL;
        read_nominal(r, duration, out);
    }
}

/* ---- Sheets ---------------------------------------------------------------------- */

/* A Period may end with a packet of sound, after the last picture: no sheet begins there. */
static int64_t count_sheets(struct mpd_reading *r, const struct mpd_tiles *tiles) {
    int64_t lasts_ns = r->period->duration_ns - SLACK_NS;
    int64_t sheet_ns = ticks_scale(tiles->duration, NANOSECONDS, tiles->timescale, ROUND_UP);
    int64_t count = lasts_ns <= 0 ? 1 : (lasts_ns + sheet_ns - 1) / sheet_ns;
    if (count > MPD_SHEETS_MAX - (int64_t)r->sheets) {
        mpd_exceed(r, "tells of too many sheets", "SegmentTemplate@duration");
        return 0;
    }
    return count;
}

void mpd_sheets_read(struct mpd_reading *r, struct mpd_tiles *out) {
    const char *media = mpd_template_attribute(r, "media");
    const char *duration = mpd_template_attribute(r, "duration");
    struct identifiers ids = {.id = out->id, .number = 1, .bandwidth = out->bandwidth};
    out->timescale = 1;
    mpd_int(r, mpd_template_attribute(r, "startNumber"), "SegmentTemplate@startNumber",
            &ids.number);
    mpd_int(r, mpd_template_attribute(r, "timescale"), "SegmentTemplate@timescale",
            &out->timescale);
    mpd_int(r, duration, "SegmentTemplate@duration", &out->duration);
    if (mpd_failed(r) || media == NULL || duration == NULL) {
        return;
    }
    if (out->timescale == 0 || out->timescale > UINT32_MAX || out->duration == 0 ||
        out->duration / out->timescale > MANIFEST_SECONDS_MAX) {
        mpd_fail(r, "or @timescale is out of range", "SegmentTemplate@duration");
        return;
    }
    int64_t count = count_sheets(r, out);
    r->sheets += (size_t)count;
    out->sheets = arena_zero(&r->out->arena, (size_t)count, sizeof(*out->sheets));
    for (; out->sheet_count < (size_t)count && !mpd_failed(r); out->sheet_count++) {
        out->sheets[out->sheet_count] = fill_template(r, media, "@media", &ids);
        ids.number++;
        ids.time += out->duration;
    }
}
