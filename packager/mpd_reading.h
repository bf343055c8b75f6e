/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of the reader of MPDs share: mpd.c reads the elements, mpd_segments.c which
 * segments each Representation has. Private to these two.
 */
#ifndef PACKAGER_MPD_READING_H
#define PACKAGER_MPD_READING_H

#include "common/xml.h"
#include "mpd.h"

/* The levels at which attributes and templates may stand. */
enum mpd_level { LEVEL_MPD, LEVEL_PERIOD, LEVEL_SET, LEVEL_REPRESENTATION, LEVELS };

/* An element that Representations inherit from, its children looked up once. */
struct mpd_inherited {
    const struct xml_node *node;
    const struct xml_node *template; /* SegmentTemplate; NULL for none */
    const struct xml_node *timeline; /* its SegmentTimeline */
    const struct xml_node *index;    /* SegmentBase; NULL for none */
    const struct xml_node *list;     /* SegmentList; NULL for none */
    const char *base;                /* BaseURL; "" for none */
};

/* Getters do nothing once an error is held. */
struct mpd_reading {
    struct mpd *out;
    struct mpd_period *period; /* that is read */
    struct mpd_inherited levels[LEVELS];
    struct mpd_representation defaults; /* what the open AdaptationSet says of all its own */
    size_t representations;             /* of pictures and sound, so far */
    size_t segments;                    /* so far */
    size_t sheets;                      /* likewise */
    struct err inner;
    bool past_bound; /* so is what the error is of */
};

/* Holds an error, CORRUPT: "NAME WHY". The first one stays. */
void mpd_fail(struct mpd_reading *r, const char *why, const char *name);

/* The same of what is past a bound, which is its Period's fault alone. */
void mpd_exceed(struct mpd_reading *r, const char *why, const char *name);
bool mpd_failed(const struct mpd_reading *r);

/* The attribute's value; "" where it is not there. */
const char *mpd_value(const struct xml_node *node, const char *name);

/* A whole number into `out`, which stays where `text` is NULL. */
void mpd_int(struct mpd_reading *r, const char *text, const char *name, int64_t *out);

/* The attribute of the innermost SegmentTemplate that has it; NULL for none. */
const char *mpd_template_attribute(const struct mpd_reading *r, const char *name);

/* Fills in which segments the open Representation has, by a SegmentTimeline, by @duration or by
 * an index; its id and its bandwidth are read. */
void mpd_segments_read(struct mpd_reading *r, struct mpd_representation *out);

/* The same of sheets of thumbnails, by @duration. */
void mpd_sheets_read(struct mpd_reading *r, struct mpd_tiles *out);

#endif
