/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One task child that encodes a clip within so much address space, and how it ended: a line
 * "done", or the class of its failure and the sentence. tests/farm/memory builds and runs it.
 *   farm-memory-child WORKER CLIP ENCODER PRESET MIB [SIGNAL, sent once it encodes]
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "encoder/encoder.h"
#include "workers/broker.h"

enum { FRAMES = 24 };

static struct box box = BOX_CLOSED;
static int signal_number;

static int64_t read_file(void *context, int64_t offset, void *data, size_t size, struct err *err) {
    ssize_t got = pread(*(int *)context, data, size, offset);
    return got < 0 ? err_set(err, ERR_UNAVAILABLE, "the clip can't be read") : got;
}

static void take_progress(void *context, int64_t done, int64_t total) {
    (void)context;
    (void)total;
    if (done > 0 && signal_number != 0) {
        kill(box.proc.pid, signal_number);
        signal_number = 0;
    }
}

static void take_made(void *context, struct made *made) {
    (void)context;
    made_destroy(made);
}

static struct video_spec spec_of(char **argv) {
    bool x264 = strcmp(argv[3], "x264") == 0;
    struct video_spec spec = {
        .codec = x264 ? CODEC_H264 : CODEC_AV1,
        .width = 640,
        .height = 360,
        .chroma = CHROMA_420,
        .bit_depth = 8,
        .colour = {.primaries = 1, .transfer = 1, .matrix = 1, .chroma_location = -1},
        .rate = {24, 1},
        .crf_hundredths = 3000,
        .level = x264 ? 30 : 21,
        .gop_frames = FRAMES,
        .threads = 1,
    };
    snprintf(spec.encoder, sizeof(spec.encoder), "%s", argv[3]);
    snprintf(spec.preset, sizeof(spec.preset), "%s", argv[4]);
    snprintf(spec.profile, sizeof(spec.profile), "%s", x264 ? "high" : "main");
    return spec;
}

static int run(char **argv, int fd, struct broker_result *result, struct err *err) {
    struct stat status;
    struct source_document document = {0};
    struct probe_options probe = probe_options_default();
    struct video_spec rung = spec_of(argv);
    int64_t gops[] = {0, FRAMES};
    int one = 1;
    struct box_options box_options = {.program = argv[1]};
    if (fstat(fd, &status) != 0) {
        return err_set(err, ERR_NOT_FOUND, "no clip %s", argv[2]);
    }
    struct source_io io = {read_file, status.st_size, &fd};
    int failed = encoder_probe(&document, &io, &probe, NULL, NULL, err);
    failed = failed != 0 ? failed : box_open(&box, &box_options, err);
    if (failed == 0) {
        struct child_spec spec = {
            .kind = TASK_VIDEO,
            .source_size = status.st_size,
            .source = document,
            .chunk = {.end = FRAMES,
                      .gop_count = 1,
                      .gops = gops,
                      .first_segment = 1,
                      .segment_count = 1,
                      .segment_gops = &one},
            .rung_count = 1,
            .rungs = &rung,
        };
        struct broker_options options = {
            .spec = &spec,
            .source = {read_file, &fd},
            .sink = {.made = take_made, .progress = take_progress, .wake_fd = -1},
            .memory_bytes = (int64_t)strtol(argv[5], NULL, 10) << 20,
            .wall_limit_s = 60,
        };
        failed = broker_run(&box, &options, result, err);
    }
    source_document_finish(&document);
    return failed;
}

int main(int argc, char **argv) {
    struct broker_result result = {0};
    struct err err = {0};
    if (argc < 6) {
        return 2;
    }
    signal_number = argc > 6 ? (int)strtol(argv[6], NULL, 10) : 0;
    int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
    if (run(argv, fd, &result, &err) == 0) {
        puts("done");
    } else {
        printf("%s: %s\n", failure_class_name(result.failure), err.message);
    }
    return 0;
}
