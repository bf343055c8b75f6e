/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The task child: reelfarm-worker --task. It reads one spec and source bytes from the
 * pipe and answers segments and a report on it; it opens no file and no socket.
 */
#ifndef WORKERS_CHILD_H
#define WORKERS_CHILD_H

#include <pthread.h>
#include <stdbool.h>

#include "common/err.h"
#include "common/wire.h"
#include "encoder/encoder.h"
#include "pipe.h"
#include "sandbox.h"

struct child {
    int fd;
    const uint8_t *window; /* source bytes lie here after a READ: */
    int64_t window_offset; /* of the first, in the source */
    size_t window_size;
    size_t ahead; /* bytes that the last READ asked for */
    struct child_spec spec;
    struct arena arena; /* what the spec holds */
    struct source_io io;
    struct pipe_inbox inbox;
    pthread_mutex_t reading; /* one question and its answer */
    pthread_mutex_t sending; /* one frame */
    int64_t progress_at;     /* monotonic ms of the last PROGRESS */
    struct task_stats stats;
};

/* Does the one task that comes by the pipe, inside the walls of `level`; ends the process.
 * `mask_cpu`: as if the processor had nothing beyond the architecture's baseline (tests). */
int child_main(enum sandbox_level level, bool mask_cpu);

/* For struct probe_options and the encode tasks: tells the worker, a few times a second. */
int child_progress(void *context, int64_t done, int64_t total);

/* Frames to the worker. */
int child_send_json(struct child *child, enum pipe_type type, const struct buf *json,
                    struct err *err);
int child_send_init(struct child *child, int rung, const struct coded_config *config,
                    const struct buf *init, struct err *err);
int child_send_segment(struct child *child, int rung, const struct segment_report *report,
                       const uint8_t *data, size_t size, struct err *err);

/* Puts what an encode met into the child's stats. */
void child_count(struct child *child, const struct encode_stats *stats);

/* The kinds of task. */
int child_probe(struct child *child, struct err *err);
int child_video(struct child *child, struct err *err);
int child_audio(struct child *child, struct err *err);
int child_images(struct child *child, struct err *err);

#endif
