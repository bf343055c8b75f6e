/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A reader for static DASH manifests (ISO/IEC 23009-1) whose segments are named by
 * SegmentTemplate or SegmentList, with a SegmentTimeline or @duration, or lie in one file with an
 * index: what they say, without an opinion on it. Attributes that a Representation takes from its
 * AdaptationSet are filled in. AdaptationSets of images are read as sheets of thumbnails, by
 * @duration, and those of text as such, apart from the others.
 * Private to packager/.
 */
#ifndef PACKAGER_MPD_H
#define PACKAGER_MPD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/media.h"

enum {
    MPD_PERIODS_MAX = 256,
    MPD_SETS_MAX = 64,              /* of a Period; so are those of tiles and texts */
    MPD_REPRESENTATIONS_MAX = 4096, /* of all Periods */
    MPD_SEGMENTS_MAX = 1 << 18,     /* of all Representations */
    MPD_BASES_MAX = 4,              /* BaseURLs above a segment: MPD to Representation */
    MPD_TILES_MAX = 16,             /* Representations of images */
    MPD_SHEETS_MAX = 4096,          /* of all of them */
    MPD_TEXTS_MAX = 64,             /* Representations of text */
    MPD_STRANGERS_MAX = 8,
};

/* Bytes of a file, as @indexRange tells them. */
struct mpd_range {
    bool told;
    int64_t first, last;
};

struct mpd_segment {
    const char *reference;  /* @media filled in; "" in a list: the BaseURL itself */
    struct mpd_range range; /* SegmentURL@mediaRange */
    int64_t time;           /* ticks */
    int64_t duration;
};

struct mpd_representation {
    const char *id; /* "" where it has none */
    int set;        /* index of its AdaptationSet in the Period */
    int64_t bandwidth;
    const char *mime_type; /* "" where not said; so are the other texts */
    const char *codecs;
    int64_t width, height;      /* 0 where not said */
    struct rational frame_rate; /* {0, 1} where not said */
    const char *sample_aspect;  /* @sar */
    int64_t sampling_rate;      /* 0 where not said */
    int64_t channels;           /* of AudioChannelConfiguration; 0 where not said, -1 where it tells
                                   no count */
    int64_t primaries, transfer; /* CICP properties; -1 where not said */
    int64_t matrix;
    const char *bases[MPD_BASES_MAX]; /* BaseURLs from the MPD inwards, "" where there is none */
    bool timeline;                    /* it has a SegmentTimeline */
    bool by_duration;                 /* it has @duration and @media in its place */
    bool nominal;                     /* it is listed by those, in a Period that has an end: times
                                         are rounded ones */
    bool indexed;                     /* it has a SegmentBase: its file tells of its segments, and
                                         none is listed here */
    bool listed;                      /* it has a SegmentList */
    struct mpd_range index, header;   /* SegmentBase@indexRange, Initialization@range */
    bool essential_transfer;          /* its transfer is told by an EssentialProperty */
    const char *protection_scheme;    /* @value of ContentProtection mp4protection:2011; NULL where
                                         there is none */
    const char *default_key;          /* its default_KID; "" where not said */
    bool trick_rate;                  /* @maxPlayoutRate, and @codingDependency is false */
    const char *odd_addressing;       /* an attribute of its template or timeline that players
                                         of this profile need not know; "" for none */
    int64_t timescale;
    int64_t presentation_offset;
    const char *initialization; /* filled in */
    size_t segment_count;
    struct mpd_segment *segments;
};

/* Sheets of thumbnails (DASH-IF IOP 4.3, 6.2.6). */
struct mpd_tiles {
    const char *set_id;
    const char *id;
    const char *mime_type;
    const char *tile;      /* of its EssentialProperty thumbnail_tile: "5x5"; "" for none */
    int64_t width, height; /* of a sheet */
    int64_t bandwidth;
    const char *bases[MPD_BASES_MAX];
    int64_t timescale;
    int64_t duration;    /* of a sheet, ticks */
    size_t sheet_count;  /* that begin in the Period, but for one that begins at its very end; 0
                            where @media or @duration is missing */
    const char **sheets; /* @media filled in */
};

/* Subtitles or captions. */
struct mpd_text {
    const char *set_id;
    const char *language;
    const char *role; /* subtitle, caption or forced-subtitle of DASH's own scheme; "" for none */
    bool offset;      /* @presentationTimeOffset is there */
    struct mpd_representation own;
};

struct mpd_set {
    const char *id;
    const char *content_type;
    const char *language;
    const char *aspect;        /* @par */
    const char *switches_with; /* ids of sets to switch to, by its property; "" for none */
    const char *trick_of;      /* ids of the sets that this one is the trick mode of; "" for none */
    const char *role;          /* of the first Role of DASH's own scheme; "" for none */
    bool trick_essential;      /* that is told by an EssentialProperty */
    bool described;            /* Role description, or Accessibility that describes pictures */
    const char *protection;    /* what is wrong with its ContentProtection; "" for nothing */
    bool aligned;              /* @segmentAlignment */
    bool starts_with_sap;      /* @startWithSAP is 1: closed GOPs */
};

struct mpd_period {
    size_t number; /* from 1 on, in the document */
    const char *id;
    int64_t start_ns;    /* @start, else where the one before ends; -1 where nothing tells it */
    int64_t duration_ns; /* @duration, else up to the next one's @start, or to the end of the whole;
                            -1 where nothing tells it */
    size_t set_count;
    struct mpd_set *sets;
    size_t representation_count;
    struct mpd_representation *representations; /* in the order of the document */
    size_t tiles_count;
    struct mpd_tiles *tiles;
    size_t text_count;
    struct mpd_text *texts;
};

/* A Period that is passed over, since it is not read. */
struct mpd_unread {
    size_t number;
    bool past_bound; /* else it holds what is not supported */
    const char *why;
};

struct mpd {
    struct arena arena;
    const char *type;
    const char *profiles;
    int64_t duration_ns; /* -1 where not said; so is the next one */
    int64_t min_buffer_ns;
    size_t stranger_count;                    /* elements that are passed over, each name once */
    const char *strangers[MPD_STRANGERS_MAX]; /* "Period/EventStream" */
    size_t elsewhere_count; /* Periods that lie in other documents (xlink:href), passed over too */
    size_t unread_count;
    struct mpd_unread *unread;
    size_t period_count;
    struct mpd_period *periods;
};

/* CORRUPT with a sentence for what is no MPD or holds a value that is none, and for what is past a
 * bound; UNSUPPORTED for a repeat count that depends on an end of the Period that is not told.
 * What is past a bound or UNSUPPORTED costs its Period alone where another one can be read. `out`
 * is untouched then, else freed by mpd_finish. */
int mpd_read(struct mpd *out, const void *data, size_t size, struct err *err);

/* How many Periods the document has besides `periods`. */
size_t mpd_passed_over(const struct mpd *mpd);
void mpd_finish(struct mpd *mpd);

#endif
