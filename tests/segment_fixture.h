/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Made-up samples and what the segment writer makes of them: one video track (320x180) and
 * one sound track over one chunk that is the whole title. Tests alter the specifications and
 * write again.
 */
#ifndef TESTS_SEGMENT_FIXTURE_H
#define TESTS_SEGMENT_FIXTURE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/grid.h"
#include "packager/packager.h"

enum { PRIMING = 1024, SEGMENTS_MAX = 64, GOPS_MAX = 16 };

extern struct video_spec video;
extern struct audio_spec audio;
extern struct track_config video_track;
extern struct track_config audio_track;
extern struct grid *grid;
extern struct chunk_grid chunk;

/* A segment as it was emitted. `report.fragments` is `fragments` of the take it came to: set
 * it anew in a copy. */
struct take {
    struct buf bytes;
    struct segment_report report;
    struct fragment_report fragments[GOPS_MAX];
};

/* Those of the last write_video or write_audio, from 0 on. */
extern struct take takes[SEGMENTS_MAX];
extern size_t take_count;

/* Functions for Check's fixtures. H.264 with two frames of reordering, stereo AAC; 33 frames
 * at 24000/1001 in GOPs of 6 6 6 6 6 3, segments of two. */
void segment_setup(void);
void segment_teardown(void);

/* From setup's pictures to the same in AV1. */
void be_av1(void);

/* A grid of GOPs of about gop_ms, segment_gops a segment, in one chunk that is the title. */
void make_grid(struct rational rate, int64_t frames, int gop_ms, int segment_gops);

/* A sample of `size` bytes in `data`: one NAL unit whose bytes tell its frame. */
struct sample picture(uint8_t *data, size_t size, int64_t frame, bool key, bool disposable);

/* Sample `i` of the chunk in decode order, in `data`. */
struct sample chunk_sample(uint8_t data[64], int64_t i);

/* Packet `i` of the sound, in `data`. */
struct sample packet(uint8_t data[64], int64_t i);

/* All packets that the sound has, its priming included. */
int64_t all_packets(void);

/* Takes the segment; `context` is `takes`. */
int take_segment(void *context, const struct segment_report *report, const uint8_t *data,
                 size_t size, struct err *err);

/* Write the chunk's pictures, or so many packets, to `takes`: what the writer says. */
int write_video(struct err *err);
int write_audio(int64_t packets, struct err *err);

/* What the gate says of a take. */
int check_take(const struct take *take, bool is_video, struct err *err);

#endif
