/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child of an audio task: one whole track into CMAF segments on the title's grid. */
#include "child.h"

#include <string.h>

#include "common/buf.h"
#include "packager/packager.h"

struct track {
    struct child *child;
    struct track_config config;
    struct segment_writer *writer; /* owned; NULL before its config has come */
};

static int track_segment(void *context, const struct segment_report *report, const uint8_t *data,
                         size_t size, struct err *err) {
    struct track *track = context;
    return child_send_segment(track->child, 0, report, data, size, err);
}

static int track_begin(void *context, int rung, const struct coded_config *config,
                       struct err *err) {
    struct track *track = context;
    const struct child_spec *spec = &track->child->spec;
    struct buf init = {0};
    track->config.record_size = config->record_size;
    memcpy(track->config.record, config->record, config->record_size);
    track->config.priming = config->priming;
    int failed = init_segment_write(&track->config, &init, err);
    if (failed == 0) {
        failed = child_send_init(track->child, rung, config, &init, err);
    }
    if (failed == 0) {
        failed = segment_writer_create_audio(&track->writer, &track->config, spec->grid,
                                             track_segment, track, err);
    }
    buf_finish(&init);
    return failed;
}

static int track_packet(void *context, int rung, const struct coded_packet *packet,
                        struct err *err) {
    struct track *track = context;
    (void)rung; /* a sound track is alone in its task */
    struct sample sample = {
        .data = packet->data,
        .size = packet->size,
        .key = packet->key,
        .duration = packet->duration,
    };
    return segment_writer_sample(track->writer, &sample, err);
}

int child_audio(struct child *child, struct err *err) {
    const struct child_spec *spec = &child->spec;
    struct track track = {
        .child = child,
        .config = {.audio = &spec->audio,
                   .duration =
                       title_audio_samples(&spec->source.timeline, spec->audio.sample_rate)},
    };
    struct encode_audio_task task = {
        .source = &spec->source,
        .track = spec->audio_track,
        .spec = spec->audio,
        .progress = child_progress,
        .progress_context = child,
    };
    struct coded_sink sink = {.config = track_begin, .packet = track_packet, .context = &track};
    struct encode_stats stats = {0};
    int failed = encoder_encode_audio(&task, &child->io, &sink, &stats, err);
    if (failed == 0 && track.writer == NULL) {
        failed = err_set(err, ERR_INTERNAL, "the encoder gave no sound");
    }
    if (failed == 0) {
        failed = segment_writer_end(track.writer, err);
    }
    child_count(child, &stats);
    segment_writer_destroy(track.writer);
    return failed;
}
