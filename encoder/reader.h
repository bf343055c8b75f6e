/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The packets of the picture track, each with a sure timestamp. Probe and chunks read
 * through this one door, so a picture has the same time in both: stored timestamps
 * alone are believed, what lacks is worked out from the pictures' order, parts with
 * clocks of their own are joined, an edit list is applied, and a clock that wraps is moved onto the
 * probe's by the packet of the random access point where reading begins.
 */
#ifndef ENCODER_READER_H
#define ENCODER_READER_H

#include "bitstream.h"
#include "demux.h"
#include "edits.h"

struct reader_options {
    const struct source_io *io;
    const char *container; /* the document's name for it */
    int stream;
    bool pair_fields;     /* pictures may come as two packets, one a field */
    struct rational rate; /* pictures a second, for packets without any time; {0, 1} unknown */
    const struct random_access *access; /* where to begin; NULL: at the first packet */
    bool linear;                        /* a fragmented MP4, read from its first fragment on */
    struct fragment_trail *trail;       /* borrowed; see demux_options; or NULL */
    struct header_notes *header;        /* borrowed; see demux_options; or NULL */
    bool ghost;                         /* times and places alone: see demux_ghost */
};

/* Where a picture lies in the edit that it is read for. */
enum reader_cut {
    CUT_NOT,
    CUT_BEFORE, /* it begins before, and is shown from the edit's start on if it is the last such */
    CUT_AFTER,  /* it is not shown */
};

struct reader_item {
    AVPacket *packet; /* borrowed until the next call; pts is set where it is a picture */
    bool picture;     /* false: the second field of the one before, or never shown */
    bool shown;       /* false: decoded only, for an edit list hides it */
    bool stored_time; /* its own timestamp, not one worked out */
    int64_t place;    /* where demux_seek finds it again; -1 by its time. In a fragmented MP4
                         the position of its data */
    int64_t stored;   /* its decode time, else its presentation time, as stored */
    int64_t floor;    /* no later picture is shown before; AV_NOPTS_VALUE where nobody knows */
    enum reader_cut cut;
    bool restarts;            /* another edit begins, to be decoded on its own */
    int64_t uncut;            /* its presentation time if the edit did not cut it */
    struct picture_look look; /* of key pictures, and where `look_at_all` is set */
};

struct reader;

/* `*out` is owned. CORRUPT where the random access point is not found again. */
int reader_open(struct reader **out, const struct reader_options *options, struct err *err);
void reader_close(struct reader *reader);

/* Looks at the headers of each picture from now on, to count references. */
void reader_look_at_all(struct reader *reader, bool all);

/* The next packet in decode order: 1, 0 at the end, negative on errors. */
int reader_next(struct reader *reader, struct reader_item *item, struct err *err);

/* Parts with a clock of their own that were joined to the first so far. */
int reader_joins(const struct reader *reader);

/* The edit list that the times follow; empty where libavformat applies it, or there is none. */
const struct edit_list *reader_edits(const struct reader *reader);

/* The stream; NULL before its first packet in a container without a header. */
AVStream *reader_stream(const struct reader *reader);

#endif
