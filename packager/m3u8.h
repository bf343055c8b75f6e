/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A strict, bounded reader for HLS playlists (RFC 8216 section 4): what they say,
 * without an opinion on it. Tags that verify does not judge are passed over, as
 * players must, and the first few of their names kept. Time and memory are linear in the input.
 * Private to packager/.
 */
#ifndef PACKAGER_M3U8_H
#define PACKAGER_M3U8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/mem.h"

enum {
    M3U8_BYTES_MAX = 16 << 20,
    M3U8_ATTRIBUTES_MAX = 32, /* of one tag */
    M3U8_STRANGERS_MAX = 8,
};

struct m3u8_attribute {
    const char *name;
    const char *value; /* without its quotes */
    bool quoted;
};

/* A tag with an attribute list, and the URI that belongs to it. */
struct m3u8_item {
    int line;
    size_t attribute_count;
    struct m3u8_attribute *attributes;
    const char *uri; /* of the next line, or the URI attribute; NULL for none */
};

struct m3u8_list {
    size_t count;
    struct m3u8_item *items; /* owned */
};

/* EXT-X-MAP: the init segment of all segments behind it, up to the next one. */
struct m3u8_map {
    int line;
    const char *uri; /* NULL where it has none */
    bool has_range;
    int64_t range_size;
    int64_t range_offset;
};

struct m3u8_segment {
    const char *uri;
    int line;            /* of that */
    size_t map;          /* how many EXT-X-MAP stand before it: the last of them is its own */
    int64_t nanoseconds; /* EXTINF */
    int decimals;        /* of EXTINF */
    bool discontinuity;  /* EXT-X-DISCONTINUITY before it */
    bool has_clock;      /* EXT-X-PROGRAM-DATE-TIME before it: */
    int64_t clock_ms;    /* since 1970 */
    bool has_range;
    int64_t range_size;
    int64_t range_offset;
};

/* Texts live in `arena`. */
struct m3u8 {
    struct arena arena;
    bool multivariant; /* it has EXT-X-STREAM-INF */
    int64_t version;   /* 1 where none is said */
    bool independent;
    struct m3u8_list starts; /* EXT-X-START */
    size_t stranger_count;   /* names of tags that are passed over, each once */
    const char *strangers[M3U8_STRANGERS_MAX];
    /* multivariant */
    struct m3u8_list variants;
    struct m3u8_list iframe_variants;
    struct m3u8_list media;    /* EXT-X-MEDIA */
    struct m3u8_list steering; /* EXT-X-CONTENT-STEERING */
    /* media */
    int64_t target_s; /* -1 where none is said */
    int64_t media_sequence;
    int64_t discontinuity_sequence;
    const char *type; /* of EXT-X-PLAYLIST-TYPE; "" for none */
    bool iframes_only;
    bool ended;
    struct m3u8_list date_ranges; /* EXT-X-DATERANGE */
    struct m3u8_list controls;    /* EXT-X-SERVER-CONTROL */
    struct m3u8_list part_facts;  /* EXT-X-PART-INF */
    struct m3u8_list parts;       /* EXT-X-PART */
    struct m3u8_list hints;       /* EXT-X-PRELOAD-HINT */
    struct m3u8_list reports;     /* EXT-X-RENDITION-REPORT */
    struct m3u8_list keys;        /* EXT-X-KEY */
    size_t map_count;
    struct m3u8_map *maps; /* owned */
    size_t segment_count;
    struct m3u8_segment *segments; /* owned */
};

/* CORRUPT with the line that breaks a rule; `out` is untouched then, else freed by
 * m3u8_finish. */
int m3u8_read(struct m3u8 *out, const void *data, size_t size, struct err *err);
void m3u8_finish(struct m3u8 *playlist);

/* The attribute's value; NULL where it is not there. */
const char *m3u8_attribute(const struct m3u8_item *item, const char *name);

#endif
