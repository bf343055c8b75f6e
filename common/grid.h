/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The grid of a title: where its GOPs, segments and chunks start, in frames. It
 * is a function of the title and the ladder alone: slots, workers and machines
 * never change it. Planner, encoder and packager share this one list, and no
 * other code multiplies (ARCHITECTURE section 4).
 */
#ifndef COMMON_GRID_H
#define COMMON_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/media.h"

enum {
    GRID_FRAMES_MAX = 1 << 30, /* of a title */
    GRID_GOPS_MAX = 1 << 22,   /* of a title: 97 days of 2 s */
};

struct grid_options {
    int64_t frames; /* of the title; > 0 */
    struct rational rate;
    int gop_ms;            /* wanted GOP length; default 2000 */
    int segment_gops;      /* GOPs in a segment; default 2 */
    int chunk_ms;          /* longest chunk; default 16000 */
    const int64_t *access; /* rising: frames from which decoding is exact; may be NULL */
    size_t access_count;
};

struct grid_options grid_options_default(void);

/*
 * GOP g covers [gops[g], gops[g + 1]); segment s covers GOPs [segments[s],
 * segments[s + 1]); chunk c covers segments [chunks[c], chunks[c + 1]). Each list
 * has one entry more than its count.
 */
struct grid {
    int64_t frames;
    struct rational rate;
    size_t gop_count;
    int64_t *gops;
    size_t segment_count;
    size_t *segments;
    size_t chunk_count;
    size_t *chunks;
};

/*
 * GOP = round(gop_ms x rate) frames, at least 1. A last GOP shorter than half a
 * GOP is joined to the one before, so a last segment is never less than half a
 * GOP. With S segments a body chunk has b = clamp(S / 12, 1, chunk_ms / segment)
 * segments, a segment counted at its wanted length, segment_gops x gop_ms; the
 * head is 1, 1, 2, 4 segments, none longer than b. Where the last random access
 * point at or before a chunk's start (else frame 0) lies further back than the
 * chunk is long, the chunk grows by whole segments until it does not; a last chunk
 * that can't is joined to the one before.
 * `*out` is owned. INVALID for frames or rates out of bounds.
 */
int grid_create(struct grid **out, const struct grid_options *options, struct err *err);
void grid_destroy(struct grid *grid);

/* First frame of a segment or chunk; index may equal the count: the end. */
int64_t grid_segment_frame(const struct grid *grid, size_t segment);
int64_t grid_chunk_frame(const struct grid *grid, size_t chunk);

/* The longest GOP and the longest segment, in frames. */
int64_t grid_longest_gop(const struct grid *grid);
int64_t grid_longest_segment(const struct grid *grid);

/* One chunk's part of the grid, as a task carries it. */
struct chunk_grid {
    int64_t first; /* frames [first, end) are written */
    int64_t end;
    int64_t tail;      /* frames after end that the encoder is shown, never written */
    int64_t first_gop; /* number of the first GOP in the title, from 0 */
    size_t gop_count;
    int64_t *gops;         /* first frames; gop_count + 1 entries, the last is end */
    int64_t first_segment; /* number of the first segment in the title, from 1: its file name */
    size_t segment_count;
    int *segment_gops; /* GOPs in each segment */
};

/* Frames before a chunk's first that an encoder may be shown at most, never written: what a
 * task is told of its source reaches back so far. */
enum { CHUNK_LEAD_MAX = 8 };

/* The part of chunk `chunk`; a tail of at most `tail` frames, cut at the title's
 * end. Lists are owned by `out`; free with chunk_grid_finish. */
void grid_chunk(const struct grid *grid, size_t chunk, int64_t tail, struct chunk_grid *out);
void chunk_grid_finish(struct chunk_grid *chunk);

#endif
