/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DASH manifests: see mpd.h. */
#include "mpd.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/xml.h"
#include "manifest_number.h"
#include "title_path.h"

/* The levels at which attributes and templates may stand. */
enum level { LEVEL_MPD, LEVEL_PERIOD, LEVEL_SET, LEVEL_REPRESENTATION, LEVELS };

/* An element that Representations inherit from, its children looked up once. */
struct inherited {
    const struct xml_node *node;
    const struct xml_node *template; /* SegmentTemplate; NULL for none */
    const struct xml_node *timeline; /* its SegmentTimeline */
    const char *base;                /* BaseURL; "" for none */
};

/* Getters do nothing once an error is held. */
struct mpd_reading {
    struct mpd *out;
    struct inherited levels[LEVELS];
    struct mpd_representation defaults; /* what the open AdaptationSet says of all its own */
    size_t segments;                    /* so far */
    size_t sheets;                      /* likewise */
    struct err inner;
};

static void fail(struct mpd_reading *r, const char *why, const char *name) {
    err_set(&r->inner, ERR_CORRUPT, "%s %s", name, why);
}

static bool failed(const struct mpd_reading *r) {
    return r->inner.code != ERR_NONE;
}

/* ---- Values ---------------------------------------------------------------------- */

static const char *get_text(const struct xml_node *node, const char *name) {
    const char *text = xml_attribute(node, name);
    return text != NULL ? text : "";
}

static void get_int(struct mpd_reading *r, const char *text, const char *name, int64_t *out) {
    if (text != NULL && !manifest_int(text, INT64_MAX / 4, out)) {
        fail(r, "is no whole number", name);
    }
}

static void get_duration(struct mpd_reading *r, const struct xml_node *node, const char *name,
                         int64_t *out) {
    const char *text = xml_attribute(node, name);
    *out = -1;
    if (text != NULL && !manifest_duration(text, out)) {
        fail(r, "is no duration in days to seconds", name);
    }
}

static void enter(struct mpd_reading *r, enum level level, const struct xml_node *node) {
    struct inherited *at = &r->levels[level];
    const struct xml_node *base = xml_child(node, "BaseURL");
    at->node = node;
    at->template = xml_child(node, "SegmentTemplate");
    at->timeline = at->template != NULL ? xml_child(at->template, "SegmentTimeline") : NULL;
    at->base = base != NULL ? base->text : "";
}

/* The attribute of the Representation, else of its AdaptationSet. */
static const char *inherited(const struct mpd_reading *r, const char *name) {
    const char *own = xml_attribute(r->levels[LEVEL_REPRESENTATION].node, name);
    return own != NULL ? own : xml_attribute(r->levels[LEVEL_SET].node, name);
}

static const char *inherited_text(const struct mpd_reading *r, const char *name) {
    const char *text = inherited(r, name);
    return text != NULL ? text : "";
}

/* ---- Segments -------------------------------------------------------------------- */

/* The innermost SegmentTemplate that has the attribute. */
static const char *template_attribute(const struct mpd_reading *r, const char *name) {
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
        fail(r, "is no template of a name that could be filled in", name);
        return "";
    }
    filled[used] = '\0';
    return arena_string(&r->out->arena, filled);
}

/* Segments that an S element tells of; 0 once something is wrong. */
static int64_t repeats(struct mpd_reading *r, const struct xml_node *entry) {
    int64_t more = 0;
    const char *text = xml_attribute(entry, "r");
    if (text != NULL && text[0] == '-') {
        err_set(&r->inner, ERR_UNSUPPORTED, "S@r is below 0, which this version does not read");
    }
    get_int(r, text, "S@r", &more);
    if (!failed(r) && more >= MPD_SEGMENTS_MAX) {
        fail(r, "tells of too many segments", "S@r");
    }
    return failed(r) ? 0 : more + 1;
}

static size_t count_segments(struct mpd_reading *r, const struct xml_node *timeline) {
    int64_t count = 0;
    const struct xml_node *entry = xml_child(timeline, "S");
    for (; entry != NULL && !failed(r); entry = xml_again(entry)) {
        count += repeats(r, entry);
        if (count > MPD_SEGMENTS_MAX - (int64_t)r->segments) {
            fail(r, "tells of too many segments", "SegmentTimeline");
        }
    }
    return failed(r) ? 0 : (size_t)count;
}

static void read_timeline(struct mpd_reading *r, const struct xml_node *timeline,
                          struct mpd_representation *out) {
    const char *media = template_attribute(r, "media");
    struct identifiers ids = {.id = out->id, .number = 1, .bandwidth = out->bandwidth};
    get_int(r, template_attribute(r, "startNumber"), "SegmentTemplate@startNumber", &ids.number);
    int64_t most = MANIFEST_SECONDS_MAX * out->timescale;
    size_t count = count_segments(r, timeline);
    r->segments += count;
    out->segments = arena_zero(&r->out->arena, count, sizeof(*out->segments));
    const struct xml_node *entry = xml_child(timeline, "S");
    for (; entry != NULL && !failed(r); entry = xml_again(entry)) {
        int64_t duration = 0;
        get_int(r, xml_attribute(entry, "t"), "S@t", &ids.time);
        get_int(r, xml_attribute(entry, "d"), "S@d", &duration);
        int64_t left = repeats(r, entry);
        if (duration == 0 || duration > most) {
            fail(r, "is missing or out of range", "S@d");
        }
        for (; left > 0 && !failed(r); left--) {
            if (ids.time > most) {
                fail(r, "tells of a title too long to be read", "SegmentTimeline");
                break;
            }
            out->segments[out->segment_count++] = (struct mpd_segment){
                .reference = fill_template(r, media != NULL ? media : "", "@media", &ids),
                .time = ids.time,
                .duration = duration,
            };
            ids.time += duration;
            ids.number++;
        }
    }
}

/* Numbers of segments of their own, and times that shift what the timeline says (DASH-IF Timing
 * Model asks for none of them). */
static const char *find_odd_addressing(struct mpd_reading *r, const struct xml_node *timeline) {
    static const char *const odd[] = {"eptDelta", "presentationDuration"};
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        if (template_attribute(r, odd[i]) != NULL) {
            return odd[i];
        }
    }
    const struct xml_node *entry = xml_child(timeline, "S");
    while (entry != NULL && xml_attribute(entry, "n") == NULL) {
        entry = xml_again(entry);
    }
    return entry != NULL ? "S@n" : "";
}

static void read_template(struct mpd_reading *r, struct mpd_representation *out) {
    const struct xml_node *timeline = timeline_of(r);
    const char *initialization = template_attribute(r, "initialization");
    struct identifiers ids = {.id = out->id, .bandwidth = out->bandwidth};
    out->timescale = 1;
    get_int(r, template_attribute(r, "timescale"), "SegmentTemplate@timescale", &out->timescale);
    get_int(r, template_attribute(r, "presentationTimeOffset"),
            "SegmentTemplate@presentationTimeOffset", &out->presentation_offset);
    if (out->timescale == 0 || out->timescale > UINT32_MAX ||
        out->presentation_offset / out->timescale > MANIFEST_SECONDS_MAX) {
        fail(r, "or @presentationTimeOffset is out of range", "SegmentTemplate@timescale");
        return;
    }
    out->initialization =
        fill_template(r, initialization != NULL ? initialization : "", "@initialization", &ids);
    out->timeline = timeline != NULL;
    if (timeline != NULL) {
        out->odd_addressing = find_odd_addressing(r, timeline);
        read_timeline(r, timeline, out);
    }
}

/* ---- Elements -------------------------------------------------------------------- */

static const struct xml_node *find_scheme(const struct xml_node *node, const char *element,
                                          const char *scheme) {
    const struct xml_node *at = xml_child(node, element);
    while (at != NULL && strcmp(get_text(at, "schemeIdUri"), scheme) != 0) {
        at = xml_again(at);
    }
    return at;
}

/* The property of that scheme, which may be supplemental or essential; NULL for none. */
static const struct xml_node *find_property(const struct xml_node *node, const char *scheme) {
    const struct xml_node *essential = find_scheme(node, "EssentialProperty", scheme);
    return essential != NULL ? essential : find_scheme(node, "SupplementalProperty", scheme);
}

/* @value of the CICP property; `out` stays where there is none. */
static void read_property(struct mpd_reading *r, const struct xml_node *node, const char *name,
                          int64_t *out) {
    char scheme[64];
    snprintf(scheme, sizeof(scheme), "urn:mpeg:mpegB:cicp:%s", name);
    const struct xml_node *property = find_property(node, scheme);
    if (property != NULL) {
        get_int(r, xml_attribute(property, "value"), name, out);
    }
}

/* @value of a property that names AdaptationSets; "" where there is none. */
static const char *read_set_ids(struct mpd_reading *r, const struct xml_node *node,
                                const char *scheme) {
    const struct xml_node *property = find_property(node, scheme);
    const char *ids = property != NULL ? get_text(property, "value") : "";
    if (property != NULL && ids[0] == '\0') {
        fail(r, "names no AdaptationSet", scheme);
    }
    return ids;
}

/* What child elements say, of a Representation or of an AdaptationSet for all its own. */
static void read_descriptors(struct mpd_reading *r, const struct xml_node *node,
                             struct mpd_representation *out) {
    const struct xml_node *channels =
        find_scheme(node, "AudioChannelConfiguration", "urn:mpeg:mpegB:cicp:ChannelConfiguration");
    read_property(r, node, "ColourPrimaries", &out->primaries);
    read_property(r, node, "TransferCharacteristics", &out->transfer);
    read_property(r, node, "MatrixCoefficients", &out->matrix);
    if (channels != NULL) {
        get_int(r, xml_attribute(channels, "value"), "AudioChannelConfiguration", &out->channels);
    }
}

static void read_representation(struct mpd_reading *r, const struct xml_node *node,
                                struct mpd_representation *out) {
    enter(r, LEVEL_REPRESENTATION, node);
    *out = r->defaults;
    out->id = get_text(node, "id");
    out->mime_type = inherited_text(r, "mimeType");
    out->codecs = inherited_text(r, "codecs");
    out->sample_aspect = inherited_text(r, "sar");
    get_int(r, xml_attribute(node, "bandwidth"), "Representation@bandwidth", &out->bandwidth);
    get_int(r, inherited(r, "width"), "@width", &out->width);
    get_int(r, inherited(r, "height"), "@height", &out->height);
    get_int(r, inherited(r, "audioSamplingRate"), "@audioSamplingRate", &out->sampling_rate);
    const char *rate = inherited(r, "frameRate");
    if (rate != NULL && !manifest_fraction(rate, &out->frame_rate)) {
        fail(r, "is no fraction", "@frameRate");
    }
    read_descriptors(r, node, out);
    for (int level = LEVEL_MPD; level < LEVELS; level++) {
        out->bases[level] = r->levels[level].base;
    }
    read_template(r, out);
}

static void read_set(struct mpd_reading *r, const struct xml_node *node) {
    struct mpd *out = r->out;
    enter(r, LEVEL_SET, node);
    r->defaults = (struct mpd_representation){
        .set = (int)out->set_count,
        .frame_rate = {0, 1},
        .primaries = -1,
        .transfer = -1,
        .matrix = -1,
        .initialization = "",
        .odd_addressing = "",
    };
    read_descriptors(r, node, &r->defaults);
    const struct xml_node *role = find_scheme(node, "Role", "urn:mpeg:dash:role:2011");
    out->sets[out->set_count] = (struct mpd_set){
        .id = get_text(node, "id"),
        .content_type = get_text(node, "contentType"),
        .language = get_text(node, "lang"),
        .aspect = get_text(node, "par"),
        .switches_with = read_set_ids(r, node, "urn:mpeg:dash:adaptation-set-switching:2016"),
        .trick_of = read_set_ids(r, node, "http://dashif.org/guidelines/trickmode"),
        .role = role != NULL ? get_text(role, "value") : "",
        .aligned = strcmp(get_text(node, "segmentAlignment"), "true") == 0,
        .starts_with_sap = strcmp(get_text(node, "startWithSAP"), "1") == 0,
    };
    const struct xml_node *entry = xml_child(node, "Representation");
    for (; entry != NULL && !failed(r); entry = xml_again(entry)) {
        if (out->representation_count == MPD_REPRESENTATIONS_MAX) {
            fail(r, "holds too many Representations", "MPD");
            break;
        }
        read_representation(r, entry, &out->representations[out->representation_count]);
        out->representation_count++;
    }
    out->set_count++;
}

/* A Period may end with a packet of sound, after the last picture: no sheet begins there. */
static int64_t count_sheets(struct mpd_reading *r, const struct mpd_tiles *tiles) {
    const int64_t slack_ns = 50 * 1000 * 1000;
    int64_t lasts_ns = r->out->period_duration_ns - slack_ns;
    int64_t sheet_ns = ticks_scale(tiles->duration, 1000000000, tiles->timescale, ROUND_UP);
    int64_t count = lasts_ns <= 0 ? 1 : (lasts_ns + sheet_ns - 1) / sheet_ns;
    if (count > MPD_SHEETS_MAX - (int64_t)r->sheets) {
        fail(r, "tells of too many sheets", "SegmentTemplate@duration");
        return 0;
    }
    return count;
}

static void read_sheets(struct mpd_reading *r, struct mpd_tiles *out) {
    const char *media = template_attribute(r, "media");
    const char *duration = template_attribute(r, "duration");
    struct identifiers ids = {.id = out->id, .number = 1, .bandwidth = out->bandwidth};
    out->timescale = 1;
    get_int(r, template_attribute(r, "startNumber"), "SegmentTemplate@startNumber", &ids.number);
    get_int(r, template_attribute(r, "timescale"), "SegmentTemplate@timescale", &out->timescale);
    get_int(r, duration, "SegmentTemplate@duration", &out->duration);
    if (failed(r) || media == NULL || duration == NULL) {
        return;
    }
    if (out->timescale == 0 || out->timescale > UINT32_MAX || out->duration == 0 ||
        out->duration / out->timescale > MANIFEST_SECONDS_MAX) {
        fail(r, "or @timescale is out of range", "SegmentTemplate@duration");
        return;
    }
    int64_t count = count_sheets(r, out);
    r->sheets += (size_t)count;
    out->sheets = arena_zero(&r->out->arena, (size_t)count, sizeof(*out->sheets));
    for (; out->sheet_count < (size_t)count && !failed(r); out->sheet_count++) {
        out->sheets[out->sheet_count] = fill_template(r, media, "@media", &ids);
        ids.number++;
        ids.time += out->duration;
    }
}

static void read_tiles(struct mpd_reading *r, const struct xml_node *node, const char *set_id,
                       struct mpd_tiles *out) {
    static const char scheme[] = "http://dashif.org/guidelines/thumbnail_tile";
    enter(r, LEVEL_REPRESENTATION, node);
    const struct xml_node *tile = find_scheme(node, "EssentialProperty", scheme);
    tile = tile != NULL ? tile
                        : find_scheme(r->levels[LEVEL_SET].node, "EssentialProperty", scheme);
    *out = (struct mpd_tiles){
        .set_id = set_id,
        .id = get_text(node, "id"),
        .mime_type = inherited_text(r, "mimeType"),
        .tile = tile != NULL ? get_text(tile, "value") : "",
    };
    get_int(r, xml_attribute(node, "bandwidth"), "Representation@bandwidth", &out->bandwidth);
    get_int(r, inherited(r, "width"), "@width", &out->width);
    get_int(r, inherited(r, "height"), "@height", &out->height);
    for (int level = LEVEL_MPD; level < LEVELS; level++) {
        out->bases[level] = r->levels[level].base;
    }
    read_sheets(r, out);
}

static void read_image_set(struct mpd_reading *r, const struct xml_node *node) {
    struct mpd *out = r->out;
    enter(r, LEVEL_SET, node);
    const struct xml_node *entry = xml_child(node, "Representation");
    for (; entry != NULL && !failed(r); entry = xml_again(entry)) {
        if (out->tiles_count == MPD_TILES_MAX) {
            fail(r, "holds too many Representations of images", "MPD");
            break;
        }
        read_tiles(r, entry, get_text(node, "id"), &out->tiles[out->tiles_count]);
        out->tiles_count++;
    }
}

static void read_period(struct mpd_reading *r, const struct xml_node *node) {
    struct mpd *out = r->out;
    enter(r, LEVEL_PERIOD, node);
    out->period_id = get_text(node, "id");
    get_duration(r, node, "start", &out->period_start_ns);
    get_duration(r, node, "duration", &out->period_duration_ns);
    out->sets = arena_zero(&out->arena, MPD_SETS_MAX, sizeof(*out->sets));
    out->representations =
        arena_zero(&out->arena, MPD_REPRESENTATIONS_MAX, sizeof(*out->representations));
    out->tiles = arena_zero(&out->arena, MPD_TILES_MAX, sizeof(*out->tiles));
    const struct xml_node *set = xml_child(node, "AdaptationSet");
    for (; set != NULL && !failed(r); set = xml_again(set)) {
        if (strcmp(get_text(set, "contentType"), "image") == 0) {
            read_image_set(r, set);
            continue;
        }
        if (out->set_count == MPD_SETS_MAX) {
            fail(r, "holds too many AdaptationSets", "Period");
            break;
        }
        read_set(r, set);
    }
}

static void read_root(struct mpd_reading *r, const struct xml_node *root) {
    struct mpd *out = r->out;
    enter(r, LEVEL_MPD, root);
    if (strcmp(root->name, "MPD") != 0) {
        fail(r, "is not its root element", "MPD");
        return;
    }
    out->type = get_text(root, "type");
    out->profiles = get_text(root, "profiles");
    get_duration(r, root, "mediaPresentationDuration", &out->duration_ns);
    get_duration(r, root, "minBufferTime", &out->min_buffer_ns);
    const struct xml_node *period = xml_child(root, "Period");
    for (const struct xml_node *at = period; at != NULL; at = xml_again(at)) {
        out->period_count++;
    }
    if (period == NULL) {
        fail(r, "is not there", "Period");
        return;
    }
    read_period(r, period);
}

int mpd_read(struct mpd *out, const void *data, size_t size, struct err *err) {
    struct mpd mpd = {0};
    struct mpd_reading r = {.out = &mpd};
    struct xml_node *root = NULL;
    if (xml_read(&root, &mpd.arena, data, size, &r.inner) == 0) {
        read_root(&r, root);
    }
    if (failed(&r)) {
        mpd_finish(&mpd);
        return err_set(err, r.inner.code, "%s", r.inner.message);
    }
    *out = mpd;
    return 0;
}

void mpd_finish(struct mpd *mpd) {
    arena_finish(&mpd->arena);
    *mpd = (struct mpd){0};
}
