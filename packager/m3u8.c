/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HLS playlists, read in place: a copy is cut into strings. See m3u8.h. */
#include "m3u8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "manifest_number.h"

struct m3u8_reading {
    struct m3u8 *out;
    int line;
    bool has_segment; /* EXTINF or another tag of the next segment came */
    bool has_extinf;
    bool needs_offset; /* its EXT-X-BYTERANGE goes on where the one before ended */
    struct m3u8_segment segment;
    int64_t nanoseconds; /* of all segments so far */
    bool has_variant;
    unsigned once; /* rows of `tags` that came */
    struct err *err;
};

static int fail(const struct m3u8_reading *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int fail(const struct m3u8_reading *r, const char *format, ...) {
    char why[256];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof(why), format, args);
    va_end(args);
    return err_set(r->err, ERR_CORRUPT, "line %d: %s", r->line, why);
}

/* The array with room for one more: it is doubled whenever its count is a power of two. */
static void *with_room(void *items, size_t count, size_t size) {
    bool full = (count & (count - 1)) == 0;
    return full ? mem_resize(items, count > 0 ? 2 * count : 1, size) : items;
}

/* ---- Attribute lists ------------------------------------------------------------- */

/* Cuts NAME=VALUE off `*at`; leaves it behind the comma, or at the end. */
static int read_attribute(const struct m3u8_reading *r, char **at, struct m3u8_attribute *out) {
    char *name = *at;
    size_t length = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (length == 0 || name[length] != '=') {
        return fail(r, "an attribute is not NAME=VALUE");
    }
    char *value = name + length + 1;
    bool quoted = *value == '"';
    value += quoted ? 1 : 0;
    size_t size = strcspn(value, quoted ? "\"" : ", \t\"");
    char *end = value + size;
    char *after = end + (quoted ? 1 : 0);
    if ((quoted ? *end != '"' : size == 0) || (*after != ',' && *after != '\0') ||
        (*after == ',' && after[1] == '\0')) {
        return fail(r, "the value of an attribute does not end as it must");
    }
    *at = after + (*after == ',' ? 1 : 0);
    name[length] = '\0';
    *end = '\0';
    *out = (struct m3u8_attribute){name, value, quoted};
    return 0;
}

/* The attributes of a tag, into the item's room for M3U8_ATTRIBUTES_MAX of them. */
static int read_attributes(const struct m3u8_reading *r, char *value, struct m3u8_item *item) {
    item->line = r->line;
    item->attribute_count = 0;
    do {
        if (item->attribute_count == M3U8_ATTRIBUTES_MAX) {
            return fail(r, "a tag has too many attributes");
        }
        struct m3u8_attribute *attribute = &item->attributes[item->attribute_count];
        int failed = read_attribute(r, &value, attribute);
        if (failed != 0) {
            return failed;
        }
        for (size_t i = 0; i < item->attribute_count; i++) {
            if (strcmp(item->attributes[i].name, attribute->name) == 0) {
                return fail(r, "a tag has the attribute %.32s twice", attribute->name);
            }
        }
        item->attribute_count++;
    } while (*value != '\0');
    item->uri = m3u8_attribute(item, "URI");
    return 0;
}

static int read_item(struct m3u8_reading *r, char *value, struct m3u8_list *list) {
    struct m3u8_attribute attributes[M3U8_ATTRIBUTES_MAX];
    struct m3u8_item item = {.attributes = attributes};
    int failed = read_attributes(r, value, &item);
    if (failed != 0) {
        return failed;
    }
    size_t bytes = item.attribute_count * sizeof(*attributes);
    item.attributes = arena_zero(&r->out->arena, 1, bytes);
    memcpy(item.attributes, attributes, bytes);
    list->items = with_room(list->items, list->count, sizeof(*list->items));
    list->items[list->count++] = item;
    return 0;
}

const char *m3u8_attribute(const struct m3u8_item *item, const char *name) {
    for (size_t i = 0; i < item->attribute_count; i++) {
        if (strcmp(item->attributes[i].name, name) == 0) {
            return item->attributes[i].value;
        }
    }
    return NULL;
}

/* ---- Tags ------------------------------------------------------------------------ */

static int read_whole(const struct m3u8_reading *r, const char *value, int64_t *out) {
    return manifest_int(value, INT64_MAX / 2, out) ? 0 : fail(r, "its number is no whole number");
}

static int read_version(struct m3u8_reading *r, char *value) {
    return read_whole(r, value, &r->out->version);
}

static int read_target(struct m3u8_reading *r, char *value) {
    return read_whole(r, value, &r->out->target_s);
}

static int read_media_sequence(struct m3u8_reading *r, char *value) {
    return read_whole(r, value, &r->out->media_sequence);
}

static int read_discontinuity_sequence(struct m3u8_reading *r, char *value) {
    return read_whole(r, value, &r->out->discontinuity_sequence);
}

static int read_type(struct m3u8_reading *r, char *value) {
    r->out->type = value;
    return 0;
}

static int read_independent(struct m3u8_reading *r, char *value) {
    (void)value;
    r->out->independent = true;
    return 0;
}

static int read_start(struct m3u8_reading *r, char *value) {
    return read_item(r, value, &r->out->starts);
}

static int read_iframes_only(struct m3u8_reading *r, char *value) {
    (void)value;
    r->out->iframes_only = true;
    return 0;
}

static int read_end(struct m3u8_reading *r, char *value) {
    (void)value;
    r->out->ended = true;
    return 0;
}

static int read_discontinuity(struct m3u8_reading *r, char *value) {
    (void)value;
    r->has_segment = true;
    r->segment.discontinuity = true;
    return 0;
}

/* SIZE@OFFSET, or SIZE alone; false for what is neither, or for no bytes at all. */
static bool read_byte_range(const char *text, int64_t *size, int64_t *offset, bool *has_offset) {
    char copy[48];
    snprintf(copy, sizeof(copy), "%s", text);
    char *at = strchr(copy, '@');
    *has_offset = at != NULL;
    if (at != NULL) {
        *at = '\0';
    }
    return manifest_int(copy, INT64_MAX / 4, size) && *size > 0 &&
           (at == NULL || manifest_int(at + 1, INT64_MAX / 4, offset));
}

static int read_map(struct m3u8_reading *r, char *value) {
    struct m3u8 *out = r->out;
    struct m3u8_attribute attributes[M3U8_ATTRIBUTES_MAX];
    struct m3u8_item item = {.attributes = attributes};
    int failed = read_attributes(r, value, &item);
    if (failed != 0) {
        return failed;
    }
    struct m3u8_map map = {.line = r->line, .uri = item.uri};
    const char *range = m3u8_attribute(&item, "BYTERANGE");
    bool has_offset;
    map.has_range = range != NULL;
    if (range != NULL && !read_byte_range(range, &map.range_size, &map.range_offset, &has_offset)) {
        return fail(r, "BYTERANGE of EXT-X-MAP is not SIZE@OFFSET");
    }
    out->maps = with_room(out->maps, out->map_count, sizeof(*out->maps));
    out->maps[out->map_count++] = map;
    return 0;
}

static int read_variant(struct m3u8_reading *r, char *value) {
    if (r->has_variant) {
        return fail(r, "EXT-X-STREAM-INF stands where the URI of the one before belongs");
    }
    r->out->multivariant = true;
    r->has_variant = true;
    return read_item(r, value, &r->out->variants);
}

static int read_iframe_variant(struct m3u8_reading *r, char *value) {
    r->out->multivariant = true;
    return read_item(r, value, &r->out->iframe_variants);
}

static int read_media(struct m3u8_reading *r, char *value) {
    r->out->multivariant = true;
    return read_item(r, value, &r->out->media);
}

static int read_steering(struct m3u8_reading *r, char *value) {
    return read_item(r, value, &r->out->steering);
}

static int read_key(struct m3u8_reading *r, char *value) {
    return read_item(r, value, &r->out->keys);
}

static int read_date_range(struct m3u8_reading *r, char *value) {
    return read_item(r, value, &r->out->date_ranges);
}

static int read_control(struct m3u8_reading *r, char *value) {
    return read_item(r, value, &r->out->controls);
}

static int read_part_facts(struct m3u8_reading *r, char *value) {
    return read_item(r, value, &r->out->part_facts);
}

static int read_part(struct m3u8_reading *r, char *value) {
    return read_item(r, value, &r->out->parts);
}

static int read_hint(struct m3u8_reading *r, char *value) {
    return read_item(r, value, &r->out->hints);
}

static int read_report(struct m3u8_reading *r, char *value) {
    return read_item(r, value, &r->out->reports);
}

static int read_clock(struct m3u8_reading *r, char *value) {
    if (!manifest_date(value, &r->segment.clock_ms)) {
        return fail(r, "EXT-X-PROGRAM-DATE-TIME is no date with a time and a zone");
    }
    r->has_segment = true;
    r->segment.has_clock = true;
    return 0;
}

static int read_extinf(struct m3u8_reading *r, char *value) {
    char *comma = strchr(value, ',');
    if (comma != NULL) {
        *comma = '\0'; /* a title follows it */
    }
    if (r->has_extinf || !manifest_seconds(value, &r->segment.nanoseconds, &r->segment.decimals)) {
        return fail(r, "EXTINF has no duration, or a segment has two");
    }
    r->has_segment = true;
    r->has_extinf = true;
    return 0;
}

static int read_range(struct m3u8_reading *r, char *value) {
    bool has_offset = false;
    if (r->segment.has_range ||
        !read_byte_range(value, &r->segment.range_size, &r->segment.range_offset, &has_offset)) {
        return fail(r, "EXT-X-BYTERANGE is not SIZE@OFFSET, or a segment has two");
    }
    r->needs_offset = !has_offset;
    r->has_segment = true;
    r->segment.has_range = true;
    return 0;
}

static const struct {
    const char *name;
    bool once;    /* in a playlist */
    bool segment; /* has a place in media playlists alone */
    int (*read)(struct m3u8_reading *r, char *value);
} tags[] = {
    {"#EXT-X-VERSION", true, false, read_version},
    {"#EXT-X-INDEPENDENT-SEGMENTS", true, false, read_independent},
    {"#EXT-X-START", true, false, read_start},
    {"#EXT-X-TARGETDURATION", true, true, read_target},
    {"#EXT-X-MEDIA-SEQUENCE", true, true, read_media_sequence},
    {"#EXT-X-DISCONTINUITY-SEQUENCE", true, true, read_discontinuity_sequence},
    {"#EXT-X-PLAYLIST-TYPE", true, true, read_type},
    {"#EXT-X-I-FRAMES-ONLY", true, true, read_iframes_only},
    {"#EXT-X-ENDLIST", true, true, read_end},
    {"#EXT-X-DISCONTINUITY", false, true, read_discontinuity},
    {"#EXT-X-KEY", false, true, read_key},
    {"#EXT-X-MAP", false, true, read_map},
    {"#EXTINF", false, true, read_extinf},
    {"#EXT-X-BYTERANGE", false, true, read_range},
    {"#EXT-X-STREAM-INF", false, false, read_variant},
    {"#EXT-X-I-FRAME-STREAM-INF", false, false, read_iframe_variant},
    {"#EXT-X-MEDIA", false, false, read_media},
    {"#EXT-X-CONTENT-STEERING", true, false, read_steering},
    {"#EXT-X-PROGRAM-DATE-TIME", false, true, read_clock},
    {"#EXT-X-DATERANGE", false, true, read_date_range},
    {"#EXT-X-SERVER-CONTROL", true, true, read_control},
    {"#EXT-X-PART-INF", true, true, read_part_facts},
    {"#EXT-X-PART", false, true, read_part},
    {"#EXT-X-PRELOAD-HINT", false, true, read_hint},
    {"#EXT-X-RENDITION-REPORT", false, true, read_report},
};

/* ---- Lines ----------------------------------------------------------------------- */

/* The name of a tag that no reader is of; what else begins so is a comment. */
static void note_stranger(struct m3u8 *out, const char *line, size_t length) {
    if (strncmp(line, "#EXT", 4) != 0 || out->stranger_count == M3U8_STRANGERS_MAX) {
        return;
    }
    for (size_t i = 0; i < out->stranger_count; i++) {
        if (strlen(out->strangers[i]) == length && strncmp(out->strangers[i], line, length) == 0) {
            return;
        }
    }
    out->strangers[out->stranger_count++] =
        arena_format(&out->arena, "%.*s", (int)(length < 64 ? length : 64), line);
}

static int read_tag(struct m3u8_reading *r, char *line) {
    size_t length = strcspn(line, ":");
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        if (strlen(tags[i].name) != length || strncmp(line, tags[i].name, length) != 0) {
            continue;
        }
        if (tags[i].once && (r->once & 1u << i) != 0) {
            return fail(r, "%s stands twice", tags[i].name);
        }
        r->once |= 1u << i;
        return tags[i].read(r, line + length + (line[length] == ':' ? 1 : 0));
    }
    note_stranger(r->out, line, length);
    return 0;
}

static int read_segment_uri(struct m3u8_reading *r, const char *uri) {
    struct m3u8 *out = r->out;
    struct m3u8_segment *before = out->segment_count > 0 ? &out->segments[out->segment_count - 1]
                                                         : NULL;
    if (!r->has_extinf) {
        return fail(r, "a segment has no EXTINF");
    }
    if (r->segment.has_range && r->needs_offset) {
        if (before == NULL || !before->has_range || strcmp(before->uri, uri) != 0) {
            return fail(r, "EXT-X-BYTERANGE has no offset and no range before it");
        }
        r->segment.range_offset = before->range_offset / 2 + before->range_size / 2 < INT64_MAX / 4
                                      ? before->range_offset + before->range_size
                                      : INT64_MAX / 2;
    }
    r->nanoseconds += r->segment.nanoseconds;
    if (r->nanoseconds / 1000000000 > MANIFEST_SECONDS_MAX) {
        return fail(r, "the segments last longer than %d s", MANIFEST_SECONDS_MAX);
    }
    r->segment.uri = uri;
    r->segment.line = r->line;
    r->segment.map = out->map_count;
    out->segments = with_room(out->segments, out->segment_count, sizeof(*out->segments));
    out->segments[out->segment_count++] = r->segment;
    r->segment = (struct m3u8_segment){0};
    r->has_segment = false;
    r->has_extinf = false;
    return 0;
}

static int read_line(struct m3u8_reading *r, char *line) {
    if (r->line == 1) {
        return strcmp(line, "#EXTM3U") == 0 ? 0 : fail(r, "it does not begin with #EXTM3U");
    }
    if (line[0] == '\0') {
        return 0;
    }
    if (r->has_variant && line[0] != '#') {
        r->out->variants.items[r->out->variants.count - 1].uri = line;
        r->has_variant = false;
        return 0;
    }
    return line[0] == '#' ? read_tag(r, line) : read_segment_uri(r, line);
}

/* What only shows at the end. */
static int read_end_of_text(struct m3u8_reading *r) {
    const char *stray = NULL;
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        stray = tags[i].segment && (r->once & 1u << i) != 0 ? tags[i].name : stray;
    }
    if (r->line == 0) {
        return fail(r, "it is empty");
    }
    if (r->has_variant || r->has_segment) {
        return fail(r, "the URI is missing after the last tag");
    }
    if (r->out->multivariant && (stray != NULL || r->out->segment_count > 0)) {
        return fail(r, "a multivariant playlist holds %s of a media playlist",
                    stray != NULL ? stray : "a segment");
    }
    return 0;
}

static int read_text(struct m3u8_reading *r, char *text, size_t size) {
    char *end = text + size;
    for (char *at = text; at < end;) {
        char *newline = memchr(at, '\n', (size_t)(end - at));
        char *stop = newline != NULL ? newline : end;
        r->line++;
        char *last = stop > at && stop[-1] == '\r' ? stop - 1 : stop;
        *last = '\0';
        for (char *c = at; c < last; c++) {
            if ((unsigned char)*c < 0x20) {
                return fail(r, "it holds a control character");
            }
        }
        int failed = read_line(r, at);
        if (failed != 0) {
            return failed;
        }
        at = stop + 1;
    }
    return read_end_of_text(r);
}

int m3u8_read(struct m3u8 *out, const void *data, size_t size, struct err *err) {
    if (size > M3U8_BYTES_MAX) {
        return err_set(err, ERR_CORRUPT, "it has %zu bytes, and %d are the most", size,
                       M3U8_BYTES_MAX);
    }
    struct m3u8 playlist = {.version = 1, .target_s = -1, .type = ""};
    struct m3u8_reading r = {.out = &playlist, .err = err};
    char *text = arena_zero(&playlist.arena, size + 1, 1);
    if (size > 0) {
        memcpy(text, data, size);
    }
    int failed = read_text(&r, text, size);
    if (failed != 0) {
        m3u8_finish(&playlist);
        return failed;
    }
    *out = playlist;
    return 0;
}

void m3u8_finish(struct m3u8 *playlist) {
    struct m3u8_list *const lists[] = {
        &playlist->starts,     &playlist->variants,    &playlist->iframe_variants, &playlist->media,
        &playlist->steering,   &playlist->date_ranges, &playlist->controls,        &playlist->parts,
        &playlist->part_facts, &playlist->hints,       &playlist->reports,         &playlist->keys,
    };
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        mem_free(lists[i]->items);
    }
    mem_free(playlist->maps);
    mem_free(playlist->segments);
    arena_finish(&playlist->arena);
    *playlist = (struct m3u8){0};
}
