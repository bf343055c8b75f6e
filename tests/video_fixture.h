/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chunks of a probed file through the video encoders, and what came out of them. */
#ifndef TESTS_VIDEO_FIXTURE_H
#define TESTS_VIDEO_FIXTURE_H

#include "common/buf.h"
#include "encoder/video.h"
#include "source_fixture.h"

enum { VIDEO_RUNGS_MAX = 3, VIDEO_FRAMES_MAX = 400 };

/* What came out for one rung. */
struct rung_out {
    struct coded_config config;
    int configs;
    struct buf bytes; /* of all packets */
    int64_t packets;
    int64_t frames[VIDEO_FRAMES_MAX]; /* of packet i, in decode order */
    bool keys[VIDEO_FRAMES_MAX];
    bool disposable[VIDEO_FRAMES_MAX];
};

struct made {
    enum codec_id codec;
    int rung_count;
    struct rung_out rungs[VIDEO_RUNGS_MAX];
    struct buf stream; /* of rung 0: a raw stream that ffmpeg reads */
    int64_t fail_at;   /* packet of rung 0 at which the sink fails; 0: never */
    int64_t cancel_at; /* frames at which progress cancels; 0: never */
    struct encode_stats stats;
};

void made_finish(struct made *made);

/* A probed file. */
struct opened {
    struct source_document document;
    struct file_source source;
};

/* Opens and probes <folder>/<name>; fails the test where it can't. */
void opened_open(struct opened *opened, const char *folder, const char *name);
void opened_close(struct opened *opened);

/* 8-bit pictures of 24 frames a second and BT.709; for H.264 by x264, else AV1 by `encoder`. */
struct video_spec video_spec_of(const char *encoder, int width, int height, const char *preset);

/* One chunk with these GOP starts, the last of which is its end. Each packet is looked into
 * and fails the test where it is no sample of its codec. */
int video_encode_chunk(struct made *made, struct opened *opened, const struct video_spec *rungs,
                       int rung_count, const int64_t *gops, size_t gop_count, int64_t tail,
                       struct err *err);

/* The whole title in chunks of `chunk` frames and GOPs of `gop`. */
void video_encode_title(struct made *made, struct opened *opened, const struct video_spec *rungs,
                        int rung_count, int64_t chunk, int64_t gop, int64_t tail);

/* Three rungs of a noisy clip of so many frames come out with the same bytes again, by no more of
 * the processor than its architecture's baseline, and one of them alone. (libaom looks at the
 * processor once a process: tests/farm/determinism masks it from a child's start.) */
void video_check_repeatable(const struct video_spec rungs[3], int frames, int64_t tail);

bool video_bytes_equal(const struct buf *a, const struct buf *b);

/* Packets of [first, end) in decode order: each frame once, keys at the GOPs alone, and no
 * frame later than the reorder depth says. */
void video_check_order(const struct rung_out *out, const int64_t *gops, size_t gop_count);

#endif
