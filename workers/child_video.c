/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child of a video task: one chunk decoded once, each rung's packets into CMAF segments. */
#include "child.h"

#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "packager/packager.h"

struct rung {
    struct child *child;
    int index;
    struct track_config track;
    struct segment_writer *writer; /* owned; NULL before its config has come */
};

static int rung_segment(void *context, const struct segment_report *report, const uint8_t *data,
                        size_t size, struct err *err) {
    struct rung *rung = context;
    return child_send_segment(rung->child, rung->index, report, data, size, err);
}

static int rung_config(void *context, int index, const struct coded_config *config,
                       struct err *err) {
    struct rung *rung = (struct rung *)context + index;
    struct buf init = {0};
    rung->track.record_size = config->record_size;
    memcpy(rung->track.record, config->record, config->record_size);
    rung->track.reorder_frames = config->reorder_frames;
    int failed = init_segment_write(&rung->track, &init, err);
    if (failed == 0) {
        failed = child_send_init(rung->child, index, config, &init, err);
    }
    if (failed == 0) {
        failed = segment_writer_create_video(&rung->writer, &rung->track, &rung->child->spec.chunk,
                                             rung_segment, rung, err);
    }
    buf_finish(&init);
    return failed;
}

static int rung_packet(void *context, int index, const struct coded_packet *packet,
                       struct err *err) {
    struct rung *rung = (struct rung *)context + index;
    struct sample sample = {
        .data = packet->data,
        .size = packet->size,
        .frame = packet->frame,
        .key = packet->key,
        .disposable = packet->disposable,
    };
    return segment_writer_sample(rung->writer, &sample, err);
}

static int rungs_end(struct rung *rungs, int count, struct err *err) {
    for (int i = 0; i < count; i++) {
        if (rungs[i].writer == NULL) {
            return err_set(err, ERR_INTERNAL, "the encoder gave nothing for rung %d", i);
        }
        int failed = segment_writer_end(rungs[i].writer, err);
        if (failed != 0) {
            return failed;
        }
    }
    return 0;
}

int child_video(struct child *child, struct err *err) {
    const struct child_spec *spec = &child->spec;
    struct rung *rungs = mem_zero((size_t)spec->rung_count, sizeof(*rungs));
    for (int i = 0; i < spec->rung_count; i++) {
        rungs[i] = (struct rung){.child = child, .index = i, .track.video = &spec->rungs[i]};
    }
    struct encode_video_task task = {
        .source = &spec->source,
        .chunk = spec->chunk,
        .rung_count = spec->rung_count,
        .rungs = spec->rungs,
        .progress = child_progress,
        .progress_context = child,
        .last_of_process = true,
    };
    struct coded_sink sink = {.config = rung_config, .packet = rung_packet, .context = rungs};
    struct encode_stats stats = {0};
    int failed = encoder_encode_video(&task, &child->io, &sink, &stats, err);
    if (failed == 0) {
        failed = rungs_end(rungs, spec->rung_count, err);
    }
    child_count(child, &stats);
    for (int i = 0; i < spec->rung_count; i++) {
        segment_writer_destroy(rungs[i].writer);
    }
    mem_free(rungs);
    return failed;
}
