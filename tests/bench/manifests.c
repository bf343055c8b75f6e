/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What it takes to write all manifests of a 2-hour title with 6 rungs and one sound from
 * the reports of its units: made-up reports in, one line of JSON out. Reading the reports'
 * own JSON is timed apart. The figures are medians of RUNS.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/grid.h"
#include "packager/packager.h"

enum { RUNGS = 6, RATE = 48000, PRIMING = 1024, BLOCK = 1024, RUNS = 15, HOURS = 2 };

/* A High@3.1 configuration record of 1280x720. */
static const uint8_t avc_record[] = {
    0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x1a, 0x67, 0x64, 0x00, 0x1f, 0xac, 0xd9, 0x40, 0x50,
    0x05, 0xbb, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00, 0x00, 0x03, 0x03, 0x00, 0xf1, 0x83,
    0x19, 0x60, 0x01, 0x00, 0x06, 0x68, 0xeb, 0xe3, 0xcb, 0x22, 0xc0, 0xfd, 0xf8, 0xf8, 0x00,
};
static const uint8_t aac_record[] = {0x11, 0x90};

static const struct {
    int height;
    int frame_bytes;
} rungs[RUNGS] = {{1080, 20000}, {720, 12000}, {540, 7000}, {432, 4500}, {360, 3000}, {240, 1500}};

static struct title_plan plan;
static struct rendition_report reports[RUNGS + 1];

static double cpu_ms(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e3 +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e3;
}

static void make_rendition(int i) {
    struct rendition_plan *rendition = &plan.renditions[i];
    int height = rungs[i].height;
    snprintf(rendition->id, sizeof(rendition->id), "h264-%dp", height);
    snprintf(rendition->folder, sizeof(rendition->folder), "video/h264-%dp-0123456789", height);
    memset(rendition->key, 'a', sizeof(rendition->key) - 1);
    rendition->build_line = "encoder=x264 layout=1";
    rendition->is_video = true;
    rendition->video = (struct video_spec){
        .codec = CODEC_H264,
        .encoder = "x264",
        .width = height * 16 / 9 / 2 * 2,
        .height = height,
        .chroma = CHROMA_420,
        .bit_depth = 8,
        .colour = {.primaries = 1, .transfer = 1, .matrix = 1, .chroma_location = -1},
        .rate = plan.source.timeline.rate,
        .crf_hundredths = 2300,
        .preset = "medium",
        .profile = "high",
        .level = 40,
        .gop_frames = 48,
        .threads = 1,
    };
}

/* Sizes differ from GOP to GOP as those of real pictures do. */
static uint32_t gop_size(int64_t frames, int frame_bytes, size_t g) {
    return (uint32_t)(frames * frame_bytes) / 2 + (uint32_t)(g * 2654435761u % 1000) * 97;
}

static void make_segment(struct segment_report *out, size_t s, int frame_bytes) {
    const struct grid *grid = plan.grid;
    size_t head = grid->segments[s];
    out->number = (int64_t)s + 1;
    out->samples = grid_segment_frame(grid, s + 1) - grid_segment_frame(grid, s);
    out->decode_time = grid_segment_frame(grid, s) * grid->rate.den;
    out->duration = out->samples * grid->rate.den;
    memset(out->sha256, 'c', sizeof(out->sha256) - 1);
    out->fragment_count = grid->segments[s + 1] - head;
    out->fragments = arena_zero(&plan.arena, out->fragment_count, sizeof(*out->fragments));
    out->bytes = 24;
    for (size_t g = 0; g < out->fragment_count; g++) {
        uint32_t size =
            gop_size(grid->gops[head + g + 1] - grid->gops[head + g], frame_bytes, head + g);
        out->fragments[g] = (struct fragment_report){(uint32_t)out->bytes, size, size / 6};
        out->bytes += size;
    }
}

static void make_video_report(struct unit_report *report, int frame_bytes) {
    memcpy(report->record, avc_record, sizeof(avc_record));
    report->record_size = sizeof(avc_record);
    report->reorder_frames = 2;
    report->init_bytes = 800;
    memset(report->init_sha256, 'd', sizeof(report->init_sha256) - 1);
    report->segment_count = plan.grid->segment_count;
    report->segments = arena_zero(&plan.arena, report->segment_count, sizeof(*report->segments));
    for (size_t s = 0; s < report->segment_count; s++) {
        make_segment(&report->segments[s], s, frame_bytes);
    }
}

static void make_audio_report(struct unit_report *report) {
    memcpy(report->record, aac_record, sizeof(aac_record));
    report->record_size = sizeof(aac_record);
    report->priming = PRIMING;
    report->init_bytes = 700;
    report->segment_count = plan.grid->segment_count;
    report->segments = arena_zero(&plan.arena, report->segment_count, sizeof(*report->segments));
    int64_t next = 0;
    for (size_t s = 0; s < report->segment_count; s++) {
        struct timeline until = plan.source.timeline;
        until.frames = grid_segment_frame(plan.grid, s + 1);
        int64_t end = title_audio_samples(&until, RATE) + PRIMING;
        int64_t packets = (end - next + BLOCK - 1) / BLOCK;
        report->segments[s] = (struct segment_report){
            .number = (int64_t)s + 1,
            .bytes = packets * 340,
            .samples = packets,
            .decode_time = next,
            .duration = packets * BLOCK,
        };
        memset(report->segments[s].sha256, 'e', sizeof(report->segments[s].sha256) - 1);
        next += packets * BLOCK;
    }
}

static int make_title(struct err *err) {
    struct rational rate = {24000, 1001};
    plan.title = "two-hours";
    plan.ladder = "six";
    plan.identity = "sha256:00ff";
    plan.source.container = "mov,mp4";
    plan.source.size = 1;
    plan.source.has_video = true;
    plan.source.timeline = (struct timeline){rate, HOURS * 3600 * 24000 / 1001, {0, 1}};
    struct grid_options options = grid_options_default();
    options.frames = plan.source.timeline.frames;
    options.rate = rate;
    int failed = grid_create(&plan.grid, &options, err);
    if (failed != 0) {
        return failed;
    }
    plan.rendition_count = RUNGS + 1;
    plan.renditions = arena_zero(&plan.arena, plan.rendition_count, sizeof(*plan.renditions));
    for (int i = 0; i < RUNGS; i++) {
        make_rendition(i);
        make_video_report(&reports[i].joined, rungs[i].frame_bytes);
    }
    struct rendition_plan *audio = &plan.renditions[RUNGS];
    make_rendition(RUNGS - 1);
    *audio = plan.renditions[RUNGS - 1];
    snprintf(audio->id, sizeof(audio->id), "audio-und-aac-2");
    snprintf(audio->folder, sizeof(audio->folder), "audio/und-aac-2-0123456789");
    audio->is_video = false;
    audio->audio = (struct audio_spec){CODEC_AAC,     .encoder = "aac",      .sample_rate = RATE,
                                       .channels = 2, .bitrate_bps = 128000, .language = "und"};
    make_audio_report(&reports[RUNGS].joined);
    return 0;
}

/* As the package task does it: model, name, every document. */
static int write_all(struct buf *out, struct err *err) {
    struct presentation model = {0};
    int failed = presentation_build(&model, &plan, reports, err);
    if (failed == 0) {
        presentation_name_version(&model, &plan, reports);
        hls_multivariant_write(&model, out);
        dash_write(&model, out);
        title_document_write(&model, &plan, reports, out);
        for (size_t i = 0; i < model.periods[0].track_count; i++) {
            const struct presented_track *track = &model.periods[0].tracks[i];
            hls_media_write(&model, track, out);
            if (track->video) {
                hls_iframes_write(&model, track, out);
            }
        }
    }
    presentation_finish(&model);
    return failed;
}

static int read_all(struct buf *texts, struct err *err) {
    struct arena arena = {0};
    int failed = 0;
    for (int i = 0; i <= RUNGS && failed == 0; i++) {
        struct json *tree = NULL;
        struct unit_report report = {0};
        failed = json_tree_parse(&tree, texts[i].data, texts[i].size, err);
        if (failed == 0) {
            struct err found = {0};
            struct reader r = reader_of(tree, "report", &found);
            unit_report_read(&report, &arena, &r);
            failed = found.code == ERR_NONE ? 0 : err_set(err, found.code, "%s", found.message);
        }
        json_tree_destroy(tree);
    }
    arena_finish(&arena);
    return failed;
}

static int by_value(const void *a, const void *b) {
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(void) {
    struct err err = {0};
    struct buf texts[RUNGS + 1] = {{0}};
    double write_ms[RUNS];
    double read_ms[RUNS];
    size_t bytes = 0;
    int failed = make_title(&err);
    for (int i = 0; i <= RUNGS && failed == 0; i++) {
        struct writer w = writer_of(&texts[i]);
        unit_report_write(&reports[i].joined, &w, NULL);
    }
    for (int i = 0; i < RUNS && failed == 0; i++) {
        struct buf out = {0};
        double before = cpu_ms();
        failed = write_all(&out, &err);
        write_ms[i] = cpu_ms() - before;
        bytes = out.size;
        buf_finish(&out);
        before = cpu_ms();
        failed = failed == 0 ? read_all(texts, &err) : failed;
        read_ms[i] = cpu_ms() - before;
    }
    if (failed == 0) {
        qsort(write_ms, RUNS, sizeof(write_ms[0]), by_value);
        qsort(read_ms, RUNS, sizeof(read_ms[0]), by_value);
        printf("{\"write_ms\": %.2f, \"read_ms\": %.2f, \"bytes\": %zu, \"gops\": %zu}\n",
               write_ms[RUNS / 2], read_ms[RUNS / 2], bytes, plan.grid->gop_count);
    } else {
        fprintf(stderr, "bench-manifests: %s\n", err.message);
    }
    for (int i = 0; i <= RUNGS; i++) {
        buf_finish(&texts[i]);
    }
    title_plan_finish(&plan);
    return failed != 0;
}
