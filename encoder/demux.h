/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container opened over struct source_io: libavformat with our bytes alone. No
 * protocol, file or socket is within its reach, and the container must be one of a
 * table of those that hold titles.
 */
#ifndef ENCODER_DEMUX_H
#define ENCODER_DEMUX_H

#include <libavformat/avformat.h>

#include "encoder/encoder.h"

/* How a chunk is reached in a container. */
enum reach {
    REACH_TIME,    /* by the container's own index, to a decode time */
    REACH_TABLES,  /* MP4: the same; where it is fragmented the position of a moof */
    REACH_BYTE,    /* by byte: the position of the packet before, whose rest comes first */
    REACH_RAW,     /* by byte: its own position, since packets have no other mark */
    REACH_CLUSTER, /* Matroska: the position of a cluster, handed over as an index entry */
};

struct container {
    const char *name;   /* as in the source document */
    const char *format; /* libavformat's name of the demuxer */
    enum reach reach;
    bool exact_times; /* each packet has its presentation time, and gaps are the author's */
};

/* NULL for a name that the table lacks. */
const struct container *container_of_name(const char *name);

/* Whether sources of this kind may be joined from parts with a clock of their own each. */
bool demux_has_parts(const struct container *container);

/* Hides bytes [from, to): libavformat sees one free box there (ISO/IEC 14496-12 8.1.2).
 * Nothing is hidden where from == to. */
struct byte_hole {
    int64_t from;
    int64_t to;
};

struct fragment_trail;
struct header_notes;

struct demux_options {
    const char *container; /* name of the document; NULL: find out */
    int max_streams;
    bool analyse;      /* read on until the codec of every stream is known */
    bool stored_times; /* give timestamps as they are stored, never inferred ones */
    bool ignore_edits; /* MP4: give the times of the media, as if there were no edit list */
    bool linear;       /* fragmented MP4: do not look for fragments ahead */
    struct byte_hole hole;
    struct fragment_trail *trail; /* borrowed; told of every byte that is read; or NULL */
    struct header_notes *header;  /* borrowed; made anew of what opening reads; or NULL */
};

struct demux {
    const struct source_io *io; /* borrowed */
    const struct container *container;
    AVFormatContext *format;
    AVIOContext *avio;
    int64_t position; /* next byte for libavformat */
    struct byte_hole hole;
    struct fragment_trail *trail;
    struct header_notes *header; /* NULL once it is open */
    int64_t run_from;            /* what libavformat uses of the bytes that it reads in order */
    int64_t run_to;
    bool ghost;        /* reads give no bytes, just counts: see demux_ghost */
    int failures;      /* packets in a row that could not be read */
    struct err io_err; /* of a read that failed; libavformat may call it an end */
};

/* `*out` is owned. CORRUPT or UNSUPPORTED with a sentence for the user where it is no
 * container of ours. */
int demux_open(struct demux **out, const struct source_io *io, const struct demux_options *options,
               struct err *err);
void demux_close(struct demux *demux);

/* The next packet, owned by the caller's `packet`: 1, 0 at the end, negative where
 * reading bytes failed. Unreadable packets are passed over. */
int demux_read(struct demux *demux, AVPacket *packet, struct err *err);

/* Lets only the packets of these two streams be read; they may be the same. */
void demux_keep_streams(struct demux *demux, int stream, int other);

/* From now on packets hold no true bytes, and no byte of the source is read: their
 * times and places alone count. For containers whose header holds the sample tables. */
void demux_ghost(struct demux *demux);

/* Moves to a random access point, or a little before; false where the container refuses. The caller
 * checks where it has landed. */
bool demux_seek(struct demux *demux, int stream, const struct random_access *access);

/* Moves to the last key packet of the stream that is decoded at or before the time; false
 * where the container refuses. */
bool demux_seek_time(struct demux *demux, int stream, int64_t time);

#endif
