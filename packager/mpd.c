/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DASH manifests: see mpd.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_number.h"
#include "mpd_reading.h"

void mpd_fail(struct mpd_reading *r, const char *why, const char *name) {
    err_set(&r->inner, ERR_CORRUPT, "%s %s", name, why);
}

void mpd_exceed(struct mpd_reading *r, const char *why, const char *name) {
    r->past_bound = r->past_bound || !mpd_failed(r);
    mpd_fail(r, why, name);
}

bool mpd_failed(const struct mpd_reading *r) {
    return r->inner.code != ERR_NONE;
}

/* ---- Values ---------------------------------------------------------------------- */

const char *mpd_value(const struct xml_node *node, const char *name) {
    const char *text = xml_attribute(node, name);
    return text != NULL ? text : "";
}

/* The attribute of that name behind any prefix: that of its name space is the MPD's choice. NULL
 * for none. */
static const char *prefixed_attribute(const struct xml_node *node, const char *name) {
    const char *value = NULL;
    for (size_t i = 0; i < node->attribute_count; i++) {
        const struct xml_attribute *at = &node->attributes[i];
        const char *colon = strchr(at->name, ':');
        value = colon != NULL && strcmp(colon, name) == 0 ? at->value : value;
    }
    return value;
}

void mpd_int(struct mpd_reading *r, const char *text, const char *name, int64_t *out) {
    if (text != NULL && !manifest_int(text, INT64_MAX / 4, out)) {
        mpd_fail(r, "is no whole number", name);
    }
}

static void get_duration(struct mpd_reading *r, const struct xml_node *node, const char *name,
                         int64_t *out) {
    const char *text = xml_attribute(node, name);
    *out = -1;
    if (text != NULL && !manifest_duration(text, out)) {
        mpd_fail(r, "is no duration in days to seconds", name);
    }
}

/* Elements that are read, or that tell players nothing. */
static const char *const known[LEVELS][20] = {
    [LEVEL_MPD] = {"BaseURL", "Period", "ProgramInformation", "Location"},
    [LEVEL_PERIOD] = {"BaseURL", "AdaptationSet", "SegmentBase", "SegmentTemplate", "SegmentList"},
    [LEVEL_SET] = {"BaseURL", "Representation", "SegmentBase", "SegmentTemplate", "SegmentList",
                   "Role", "Accessibility", "AudioChannelConfiguration", "EssentialProperty",
                   "SupplementalProperty", "ContentProtection", "Label"},
    [LEVEL_REPRESENTATION] = {"BaseURL", "SegmentBase", "SegmentTemplate", "SegmentList",
                              "AudioChannelConfiguration", "EssentialProperty",
                              "SupplementalProperty", "ContentProtection", "Label"},
};

static bool is_known(enum mpd_level level, const struct xml_node *node) {
    for (size_t i = 0; known[level][i] != NULL; i++) {
        if (strcmp(known[level][i], node->name) == 0) {
            return true;
        }
    }
    return false;
}

static void note_stranger(struct mpd *out, const struct xml_node *parent, const char *name) {
    char path[80];
    snprintf(path, sizeof(path), "%.32s/%.40s", parent->name, name);
    for (size_t i = 0; i < out->stranger_count; i++) {
        if (strcmp(out->strangers[i], path) == 0) {
            return;
        }
    }
    if (out->stranger_count < MPD_STRANGERS_MAX) {
        out->strangers[out->stranger_count++] = arena_string(&out->arena, path);
    }
}

/* What stands in the element that is entered and is not read: other elements, and all BaseURLs but
 * the first, which are of other servers. */
static void note_strangers(struct mpd_reading *r, enum mpd_level level,
                           const struct xml_node *node) {
    const struct xml_node *base = xml_child(node, "BaseURL");
    for (const struct xml_node *at = node->first; at != NULL; at = at->next) {
        if (!is_known(level, at)) {
            note_stranger(r->out, node, at->name);
        }
    }
    if (base != NULL && xml_again(base) != NULL) {
        note_stranger(r->out, node, "BaseURL behind the first");
    }
}

static void enter(struct mpd_reading *r, enum mpd_level level, const struct xml_node *node) {
    struct mpd_inherited *at = &r->levels[level];
    const struct xml_node *base = xml_child(node, "BaseURL");
    note_strangers(r, level, node);
    at->node = node;
    at->template = xml_child(node, "SegmentTemplate");
    at->timeline = at->template != NULL ? xml_child(at->template, "SegmentTimeline") : NULL;
    at->index = xml_child(node, "SegmentBase");
    at->list = xml_child(node, "SegmentList");
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

/* ---- Elements -------------------------------------------------------------------- */

static const struct xml_node *find_scheme(const struct xml_node *node, const char *element,
                                          const char *scheme) {
    const struct xml_node *at = xml_child(node, element);
    while (at != NULL && strcmp(mpd_value(at, "schemeIdUri"), scheme) != 0) {
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
        mpd_int(r, xml_attribute(property, "value"), name, out);
    }
}

/* @value of a property that names AdaptationSets; "" where there is none. */
static const char *read_set_ids(struct mpd_reading *r, const struct xml_node *node,
                                const char *scheme) {
    const struct xml_node *property = find_property(node, scheme);
    const char *ids = property != NULL ? mpd_value(property, "value") : "";
    if (property != NULL && ids[0] == '\0') {
        mpd_fail(r, "names no AdaptationSet", scheme);
    }
    return ids;
}

/* Of ISO/IEC 23091-3 table 1; -1 where the layout does not tell them. In 23003-3 before it 8 is two
 * channels apart, and some take it for a count. */
static int64_t channels_of_layout(int64_t layout, bool older) {
    static const signed char counts[] = {-1, 1, 2,  3, 4,  5,  6,  8,  2,  3, 4,
                                         7,  8, 24, 8, 12, 10, 12, 14, 12, 14};
    bool told = layout < (int64_t)sizeof(counts) && !(older && layout == 8);
    return told ? counts[layout] : -1;
}

/* The channels of ETSI TS 102 366 table E.1.4, a bit each, the first one highest; some are pairs.
 */
static int64_t channels_of_mask(const char *text) {
    static const char counts[16] = {1, 1, 1, 1, 1, 2, 2, 1, 1, 2, 2, 2, 1, 2, 1, 1};
    char *end = NULL;
    unsigned long mask = strtoul(text, &end, 16);
    int64_t channels = 0;
    for (int i = 0; i < 16 && *end == '\0'; i++) {
        channels += (mask >> (15 - i) & 1) != 0 ? counts[i] : 0;
    }
    return channels;
}

static void read_channels(struct mpd_reading *r, const struct xml_node *node, int64_t *out) {
    static const struct {
        const char *scheme;
        bool mask;
    } schemes[] = {{"urn:mpeg:mpegB:cicp:ChannelConfiguration", false},
                   {"urn:mpeg:dash:23003:3:audio_channel_configuration:2011", false},
                   {"tag:dolby.com,2014:dash:audio_channel_configuration:2011", true},
                   {"urn:dolby:dash:audio_channel_configuration:2011", true}};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        const struct xml_node *at =
            find_scheme(node, "AudioChannelConfiguration", schemes[i].scheme);
        int64_t layout = 0;
        if (at != NULL && schemes[i].mask) {
            *out = channels_of_mask(mpd_value(at, "value"));
            return;
        }
        if (at != NULL) {
            mpd_int(r, xml_attribute(at, "value"), "AudioChannelConfiguration", &layout);
            *out = channels_of_layout(layout, i == 1);
            return;
        }
    }
}

static const char mp4_protection[] = "urn:mpeg:dash:mp4protection:2011";

/* Its default_KID, "" for none. */
static const char *default_key(const struct xml_node *node) {
    const char *key = prefixed_attribute(node, ":default_KID");
    return key != NULL ? key : "";
}

/* What child elements say, of a Representation or of an AdaptationSet for all its own. */
static void read_descriptors(struct mpd_reading *r, const struct xml_node *node,
                             struct mpd_representation *out) {
    read_property(r, node, "ColourPrimaries", &out->primaries);
    read_property(r, node, "TransferCharacteristics", &out->transfer);
    out->essential_transfer |= find_scheme(node, "EssentialProperty",
                                           "urn:mpeg:mpegB:cicp:TransferCharacteristics") != NULL;
    read_property(r, node, "MatrixCoefficients", &out->matrix);
    read_channels(r, node, &out->channels);
    const struct xml_node *protection = find_scheme(node, "ContentProtection", mp4_protection);
    if (protection != NULL) {
        out->protection_scheme = mpd_value(protection, "value");
        out->default_key = default_key(protection);
    }
}

static void read_representation(struct mpd_reading *r, const struct xml_node *node,
                                struct mpd_representation *out) {
    enter(r, LEVEL_REPRESENTATION, node);
    *out = r->defaults;
    out->id = mpd_value(node, "id");
    out->mime_type = inherited_text(r, "mimeType");
    out->codecs = inherited_text(r, "codecs");
    out->sample_aspect = inherited_text(r, "sar");
    mpd_int(r, xml_attribute(node, "bandwidth"), "Representation@bandwidth", &out->bandwidth);
    mpd_int(r, inherited(r, "width"), "@width", &out->width);
    mpd_int(r, inherited(r, "height"), "@height", &out->height);
    mpd_int(r, inherited(r, "audioSamplingRate"), "@audioSamplingRate", &out->sampling_rate);
    const char *rate = inherited(r, "frameRate");
    if (rate != NULL && !manifest_fraction(rate, &out->frame_rate)) {
        mpd_fail(r, "is no fraction", "@frameRate");
    }
    out->trick_rate = inherited(r, "maxPlayoutRate") != NULL &&
                      strcmp(inherited_text(r, "codingDependency"), "false") == 0;
    read_descriptors(r, node, out);
    for (int level = LEVEL_MPD; level < LEVELS; level++) {
        out->bases[level] = r->levels[level].base;
    }
    mpd_segments_read(r, out);
}

static void begin_defaults(struct mpd_reading *r, const struct xml_node *node, int set) {
    r->defaults = (struct mpd_representation){
        .set = set,
        .frame_rate = {0, 1},
        .primaries = -1,
        .transfer = -1,
        .matrix = -1,
        .initialization = "",
        .odd_addressing = "",
        .default_key = "",
    };
    read_descriptors(r, node, &r->defaults);
}

/* One element says how all is encrypted, others are of key systems (DASH-IF IOP 7.7). */
static const char *protection_fault(const struct xml_node *node) {
    if (xml_child(node, "ContentProtection") == NULL) {
        return "";
    }
    const struct xml_node *common = find_scheme(node, "ContentProtection", mp4_protection);
    return common == NULL ? "names key systems, and not urn:mpeg:dash:mp4protection:2011"
           : default_key(common)[0] == '\0' ? "has no default_KID"
                                            : "";
}

/* Whether it is sound that tells what the pictures show, by either of two schemes. */
static bool is_described(const struct xml_node *node) {
    const struct xml_node *role = xml_child(node, "Role");
    const struct xml_node *purpose =
        find_scheme(node, "Accessibility", "urn:tva:metadata:cs:AudioPurposeCS:2007");
    const struct xml_node *access = find_scheme(node, "Accessibility", "urn:mpeg:dash:role:2011");
    bool described = (purpose != NULL && strcmp(mpd_value(purpose, "value"), "1") == 0) ||
                     (access != NULL && strcmp(mpd_value(access, "value"), "description") == 0);
    for (; role != NULL && !described; role = xml_again(role)) {
        described = strcmp(mpd_value(role, "schemeIdUri"), "urn:mpeg:dash:role:2011") == 0 &&
                    strcmp(mpd_value(role, "value"), "description") == 0;
    }
    return described;
}

static void read_set(struct mpd_reading *r, const struct xml_node *node) {
    static const char trick_mode[] = "http://dashif.org/guidelines/trickmode";
    struct mpd_period *out = r->period;
    enter(r, LEVEL_SET, node);
    begin_defaults(r, node, (int)out->set_count);
    const struct xml_node *role = find_scheme(node, "Role", "urn:mpeg:dash:role:2011");
    out->sets[out->set_count] = (struct mpd_set){
        .id = mpd_value(node, "id"),
        .content_type = mpd_value(node, "contentType"),
        .language = mpd_value(node, "lang"),
        .aspect = mpd_value(node, "par"),
        .switches_with = read_set_ids(r, node, "urn:mpeg:dash:adaptation-set-switching:2016"),
        .trick_of = read_set_ids(r, node, trick_mode),
        .trick_essential = find_scheme(node, "EssentialProperty", trick_mode) != NULL,
        .described = is_described(node),
        .protection = protection_fault(node),
        .role = role != NULL ? mpd_value(role, "value") : "",
        .aligned = strcmp(mpd_value(node, "segmentAlignment"), "true") == 0,
        .starts_with_sap = strcmp(mpd_value(node, "startWithSAP"), "1") == 0,
    };
    const struct xml_node *entry = xml_child(node, "Representation");
    for (; entry != NULL && !mpd_failed(r); entry = xml_again(entry)) {
        if (r->representations++ >= MPD_REPRESENTATIONS_MAX) {
            mpd_exceed(r, "holds too many Representations", "MPD");
            break;
        }
        read_representation(r, entry, &out->representations[out->representation_count]);
        out->representation_count++;
    }
    out->set_count++;
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
        .id = mpd_value(node, "id"),
        .mime_type = inherited_text(r, "mimeType"),
        .tile = tile != NULL ? mpd_value(tile, "value") : "",
    };
    mpd_int(r, xml_attribute(node, "bandwidth"), "Representation@bandwidth", &out->bandwidth);
    mpd_int(r, inherited(r, "width"), "@width", &out->width);
    mpd_int(r, inherited(r, "height"), "@height", &out->height);
    for (int level = LEVEL_MPD; level < LEVELS; level++) {
        out->bases[level] = r->levels[level].base;
    }
    mpd_sheets_read(r, out);
}

static void read_image_set(struct mpd_reading *r, const struct xml_node *node) {
    struct mpd_period *out = r->period;
    enter(r, LEVEL_SET, node);
    const struct xml_node *entry = xml_child(node, "Representation");
    for (; entry != NULL && !mpd_failed(r); entry = xml_again(entry)) {
        if (out->tiles_count == MPD_TILES_MAX) {
            mpd_exceed(r, "holds too many Representations of images", "MPD");
            break;
        }
        read_tiles(r, entry, mpd_value(node, "id"), &out->tiles[out->tiles_count]);
        out->tiles_count++;
    }
}

/* ---- Text -------------------------------------------------------------------------- */

static bool says_text(const struct xml_node *node) {
    const char *mime_type = mpd_value(node, "mimeType");
    const char *codecs = mpd_value(node, "codecs");
    return strcmp(mpd_value(node, "contentType"), "text") == 0 ||
           strncmp(mime_type, "text/", 5) == 0 || strcmp(mime_type, "application/ttml+xml") == 0 ||
           strncmp(codecs, "wvtt", 4) == 0 || strncmp(codecs, "stpp", 4) == 0;
}

static bool is_text(const struct xml_node *set) {
    const struct xml_node *first = xml_child(set, "Representation");
    return says_text(set) || (first != NULL && says_text(first));
}

/* The Role that says what kind of text it is; others may stand beside it. */
static const char *text_role(const struct xml_node *set) {
    static const char *const roles[] = {"subtitle", "caption", "forced-subtitle",
                                        "forced_subtitle"};
    for (const struct xml_node *role = xml_child(set, "Role"); role != NULL;
         role = xml_again(role)) {
        const char *value = mpd_value(role, "value");
        bool own = strcmp(mpd_value(role, "schemeIdUri"), "urn:mpeg:dash:role:2011") == 0;
        for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]) && own; i++) {
            if (strcmp(value, roles[i]) == 0) {
                return value;
            }
        }
    }
    return "";
}

static bool has_offset(const struct mpd_reading *r) {
    static const char name[] = "presentationTimeOffset";
    bool found = mpd_template_attribute(r, name) != NULL;
    for (int level = LEVEL_PERIOD; level < LEVELS; level++) {
        const struct xml_node *index = r->levels[level].index;
        found = found || (index != NULL && xml_attribute(index, name) != NULL);
    }
    return found;
}

static void read_text_set(struct mpd_reading *r, const struct xml_node *node) {
    struct mpd_period *out = r->period;
    enter(r, LEVEL_SET, node);
    begin_defaults(r, node, -1);
    const struct xml_node *entry = xml_child(node, "Representation");
    for (; entry != NULL && !mpd_failed(r); entry = xml_again(entry)) {
        if (out->text_count == MPD_TEXTS_MAX) {
            mpd_exceed(r, "holds too many Representations of text", "MPD");
            break;
        }
        struct mpd_text *text = &out->texts[out->text_count++];
        read_representation(r, entry, &text->own);
        text->set_id = mpd_value(node, "id");
        text->language = mpd_value(node, "lang");
        text->role = text_role(node);
        text->offset = has_offset(r);
    }
}

/* ---- Periods ------------------------------------------------------------------------ */

static size_t count_children(const struct xml_node *node, const char *name) {
    size_t count = 0;
    for (const struct xml_node *at = xml_child(node, name); at != NULL; at = xml_again(at)) {
        count++;
    }
    return count;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

/* Room for what stands in it, as far as that is read. */
static void make_room(struct mpd_reading *r, const struct xml_node *node) {
    struct mpd_period *out = r->period;
    struct arena *arena = &r->out->arena;
    size_t count = 0;
    const struct xml_node *set = xml_child(node, "AdaptationSet");
    for (; set != NULL; set = xml_again(set)) {
        count += count_children(set, "Representation");
    }
    out->sets = arena_zero(arena, least(count_children(node, "AdaptationSet"), MPD_SETS_MAX),
                           sizeof(*out->sets));
    size_t left = MPD_REPRESENTATIONS_MAX - least(r->representations, MPD_REPRESENTATIONS_MAX);
    out->representations = arena_zero(arena, least(count, left), sizeof(*out->representations));
    out->tiles = arena_zero(arena, least(count, MPD_TILES_MAX), sizeof(*out->tiles));
    out->texts = arena_zero(arena, least(count, MPD_TEXTS_MAX), sizeof(*out->texts));
}

static void read_period(struct mpd_reading *r, const struct xml_node *node) {
    enter(r, LEVEL_PERIOD, node);
    make_room(r, node);
    r->period->id = mpd_value(node, "id");
    const struct xml_node *set = xml_child(node, "AdaptationSet");
    for (; set != NULL && !mpd_failed(r); set = xml_again(set)) {
        if (strcmp(mpd_value(set, "contentType"), "image") == 0) {
            read_image_set(r, set);
            continue;
        }
        if (is_text(set)) {
            read_text_set(r, set);
            continue;
        }
        if (r->period->set_count == MPD_SETS_MAX) {
            mpd_exceed(r, "holds too many AdaptationSets", "Period");
            break;
        }
        read_set(r, set);
    }
}

/* A Period starts where the one before ends, and lasts until the next one starts, the last one as
 * long as the whole, where it does not say otherwise (ISO/IEC 23009-1 5.3.2.1). */
static void read_times(struct mpd_reading *r, const struct xml_node *node, int64_t before_ends_ns,
                       struct mpd_period *out) {
    const struct xml_node *next = xml_again(node);
    int64_t end_ns = r->out->duration_ns;
    get_duration(r, node, "start", &out->start_ns);
    get_duration(r, node, "duration", &out->duration_ns);
    if (next != NULL) {
        get_duration(r, next, "start", &end_ns);
    }
    out->start_ns = out->start_ns >= 0 ? out->start_ns : before_ends_ns;
    if (out->duration_ns < 0 && out->start_ns >= 0 && end_ns > out->start_ns) {
        out->duration_ns = end_ns - out->start_ns;
    }
}

/* Passes over the Period that could not be read, where that is its own fault alone. */
static void pass_over(struct mpd_reading *r, size_t number) {
    struct mpd *out = r->out;
    if (mpd_failed(r) && (r->past_bound || r->inner.code == ERR_UNSUPPORTED)) {
        const char *why = arena_string(&out->arena, r->inner.message);
        out->unread[out->unread_count++] = (struct mpd_unread){number, r->past_bound, why};
        out->period_count--;
        r->inner = (struct err){0};
        r->past_bound = false;
    }
}

static void read_periods(struct mpd_reading *r, const struct xml_node *root) {
    struct mpd *out = r->out;
    struct err first = {0};
    int64_t ends_ns = 0;
    size_t number = 0;
    size_t count = count_children(root, "Period");
    if (count == 0 || count > MPD_PERIODS_MAX) {
        mpd_fail(r, count == 0 ? "is not there" : "is there too often", "Period");
        return;
    }
    out->periods = arena_zero(&out->arena, count, sizeof(*out->periods));
    out->unread = arena_zero(&out->arena, count, sizeof(*out->unread));
    const struct xml_node *at = xml_child(root, "Period");
    for (; at != NULL && !mpd_failed(r); at = xml_again(at)) {
        struct mpd_period *period = &out->periods[out->period_count];
        *period = (struct mpd_period){.number = ++number};
        read_times(r, at, ends_ns, period);
        bool told = period->start_ns >= 0 && period->duration_ns >= 0;
        ends_ns = told ? period->start_ns + period->duration_ns : -1;
        if (prefixed_attribute(at, ":href") != NULL) {
            out->elsewhere_count++;
            continue;
        }
        r->period = period;
        out->period_count++;
        read_period(r, at);
        first = first.code == ERR_NONE ? r->inner : first;
        pass_over(r, number);
    }
    if (out->period_count + out->elsewhere_count == 0 && !mpd_failed(r)) {
        r->inner = first;
    }
}

size_t mpd_passed_over(const struct mpd *mpd) {
    return mpd->elsewhere_count + mpd->unread_count;
}

static void read_root(struct mpd_reading *r, const struct xml_node *root) {
    struct mpd *out = r->out;
    enter(r, LEVEL_MPD, root);
    if (strcmp(root->name, "MPD") != 0) {
        mpd_fail(r, "is not its root element", "MPD");
        return;
    }
    out->type = mpd_value(root, "type");
    out->profiles = mpd_value(root, "profiles");
    get_duration(r, root, "mediaPresentationDuration", &out->duration_ns);
    get_duration(r, root, "minBufferTime", &out->min_buffer_ns);
    read_periods(r, root);
}

int mpd_read(struct mpd *out, const void *data, size_t size, struct err *err) {
    struct mpd mpd = {0};
    struct mpd_reading r = {.out = &mpd};
    struct xml_node *root = NULL;
    if (xml_read(&root, &mpd.arena, data, size, &r.inner) == 0) {
        read_root(&r, root);
    }
    if (mpd_failed(&r)) {
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
