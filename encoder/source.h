/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a source for encoding: the picture of each frame of a chunk, and the
 * decoded sound of a track, both by absolute source timestamps (ARCHITECTURE
 * section 4). Private to encoder/.
 */
#ifndef ENCODER_SOURCE_H
#define ENCODER_SOURCE_H

#include <libavutil/frame.h>

#include "encoder/encoder.h"

/* Reads pictures of frames [first, end) of the timeline. */
struct picture_source;

struct picture_source_options {
    const struct source_document *document; /* borrowed */
    const struct source_io *io;             /* borrowed */
    int64_t first;
    int64_t end;
    enum deinterlace deinterlace;
};

/* `*out` is owned. Seeks to the last exact random access point at or before `first`
 * of the document's index. */
int picture_source_open(struct picture_source **out, const struct picture_source_options *options,
                        struct err *err);
void picture_source_close(struct picture_source *source);

/*
 * The picture that is on screen at the next frame: 1 and `*picture`, borrowed
 * until the next call, as decoded (not rotated, not scaled; deinterlaced where
 * the options say so); 0 when `end` is reached. `*same` tells that it is the very
 * picture of the frame before. A frame whose own picture is missing, or does
 * not come out of the decoder, gets the one before and is counted in `repaired`; one that
 * the decoder says is damaged is shown as it conceals it, and counted in `concealed`.
 * Negative on errors.
 */
int picture_source_next(struct picture_source *source, const AVFrame **picture, bool *same,
                        struct err *err);

struct picture_source_stats {
    int64_t decoded;
    int64_t repaired;
    int64_t concealed;
    int64_t packets;
    double decode_cpu_s; /* demux + decode + deinterlace, CPU seconds */
};
struct picture_source_stats picture_source_stats(const struct picture_source *source);

/* Reads a whole audio track in the order of time. */
struct sound_source;

int sound_source_open(struct sound_source **out, const struct source_document *document, int track,
                      const struct source_io *io, struct err *err);
void sound_source_close(struct sound_source *source);

/*
 * The next decoded samples: 1 and `*samples`, borrowed until the next call;
 * `*start` is the time of their first sample in seconds after the timeline's
 * start (negative before it), edit lists and codec delay already applied; 0 at
 * the track's end. Damaged packets leave a gap in time. Negative on errors.
 */
int sound_source_next(struct sound_source *source, const AVFrame **samples, struct rational *start,
                      struct err *err);

#endif
