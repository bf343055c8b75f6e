/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chunks through the video encoders: see video_fixture.h. */
#include "video_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "fixture.h"
#include "packager/av1.h"

/* ---- Collecting ------------------------------------------------------------------- */

static int take_config(void *context, int rung, const struct coded_config *config,
                       struct err *err) {
    struct made *made = context;
    struct rung_out *out = &made->rungs[rung];
    (void)err;
    if (out->configs++ > 0) { /* each chunk of a rendition says the same */
        ck_assert_uint_eq(out->config.record_size, config->record_size);
        ck_assert_int_eq(memcmp(out->config.record, config->record, config->record_size), 0);
        ck_assert_int_eq(out->config.reorder_frames, config->reorder_frames);
    }
    out->config = *config;
    return 0;
}

/* Puts the record's parameter sets, each behind a start code, in front of a key picture. */
static void append_parameters(struct made *made) {
    const uint8_t *record = made->rungs[0].config.record;
    size_t sps_size = (size_t)record[6] << 8 | record[7];
    const uint8_t *pps = record + 8 + sps_size + 1;
    buf_u32(&made->stream, 1);
    buf_append(&made->stream, record + 8, sps_size);
    buf_u32(&made->stream, 1);
    buf_append(&made->stream, pps + 2, (size_t)pps[0] << 8 | pps[1]);
}

/* A packet is NAL units behind 4-byte lengths: slices, and nothing but slices. */
static void check_slices(struct made *made, int rung, const struct coded_packet *packet) {
    struct bytes left = bytes_of(packet->data, packet->size);
    ck_assert_uint_gt(bytes_left(&left), 0);
    while (bytes_left(&left) > 0) {
        uint32_t size = bytes_u32(&left);
        const uint8_t *nal = bytes_take(&left, size);
        ck_assert_ptr_nonnull(nal);
        ck_assert_uint_ge(size, 2);
        ck_assert_int_eq(nal[0] & 31, packet->key ? 5 : 1);
        ck_assert_int_eq((nal[0] >> 5 & 3) == 0, packet->disposable);
        if (rung == 0) {
            buf_u32(&made->stream, 1);
            buf_append(&made->stream, nal, size);
        }
    }
}

/* A packet is a temporal unit as the packager wants it; ffmpeg wants its delimiter back. */
static void check_obus(struct made *made, int rung, const struct coded_packet *packet) {
    static const uint8_t delimiter[] = {0x12, 0};
    const struct coded_config *config = &made->rungs[rung].config;
    struct av1_record record;
    struct av1_sample sample;
    struct err err = {0};
    ck_assert_msg(av1_record_read(&record, config->record, config->record_size, &err) == 0, "%s",
                  err.message);
    ck_assert_msg(av1_sample_read(&sample, packet->data, packet->size, &err) == 0, "%s",
                  err.message);
    ck_assert_int_eq(sample.key, packet->key);
    ck_assert(!packet->disposable);
    if (sample.header != NULL) {
        ck_assert_uint_eq(sample.header_size, record.header_size);
        ck_assert_int_eq(memcmp(sample.header, record.header, record.header_size), 0);
    }
    if (rung == 0) {
        buf_append(&made->stream, delimiter, sizeof(delimiter));
        buf_append(&made->stream, packet->data, packet->size);
    }
}

static int take_packet(void *context, int rung, const struct coded_packet *packet,
                       struct err *err) {
    struct made *made = context;
    struct rung_out *out = &made->rungs[rung];
    if (made->fail_at > 0 && rung == 0 && out->packets == made->fail_at) {
        return err_set(err, ERR_NO_SPACE, "the sink is full");
    }
    ck_assert_int_lt(rung, made->rung_count);
    ck_assert_int_lt(out->packets, VIDEO_FRAMES_MAX);
    ck_assert_int_gt(out->configs, 0);
    if (made->codec == CODEC_AV1) {
        check_obus(made, rung, packet);
    } else {
        if (rung == 0 && packet->key) {
            append_parameters(made);
        }
        check_slices(made, rung, packet);
    }
    buf_append(&out->bytes, packet->data, packet->size);
    out->frames[out->packets] = packet->frame;
    out->keys[out->packets] = packet->key;
    out->disposable[out->packets] = packet->disposable;
    out->packets++;
    return 0;
}

static int watch(void *context, int64_t done, int64_t total) {
    const struct made *made = context;
    ck_assert_int_le(done, total);
    return made->cancel_at > 0 && done >= made->cancel_at;
}

void made_finish(struct made *made) {
    for (int i = 0; i < VIDEO_RUNGS_MAX; i++) {
        buf_finish(&made->rungs[i].bytes);
    }
    buf_finish(&made->stream);
}

/* ---- Encoding --------------------------------------------------------------------- */

struct video_spec video_spec_of(const char *encoder, int width, int height, const char *preset) {
    bool x264 = strcmp(encoder, "x264") == 0 || strcmp(encoder, "null") == 0;
    struct video_spec spec = {
        .codec = x264 ? CODEC_H264 : CODEC_AV1,
        .width = width,
        .height = height,
        .chroma = CHROMA_420,
        .bit_depth = 8,
        .colour = {.primaries = 1, .transfer = 1, .matrix = 1, .chroma_location = -1},
        .rate = {24, 1},
        .crf_hundredths = x264 ? 2300 : 3500,
        .maxrate_bps = x264 ? 400000 : 0,
        .bufsize_bits = x264 ? 800000 : 0,
        .vbv_init_percent = x264 ? 50 : 0,
        .level = x264 ? 30 : 20,
        .gop_frames = 24,
        .threads = 1,
    };
    snprintf(spec.encoder, sizeof(spec.encoder), "%s", encoder);
    snprintf(spec.preset, sizeof(spec.preset), "%s", preset);
    snprintf(spec.profile, sizeof(spec.profile), "%s", x264 ? "high" : "main");
    return spec;
}

void opened_open(struct opened *opened, const char *folder, const char *name) {
    struct probe_options options = probe_options_default();
    struct err err = {0};
    char *path = mem_format("%s/%s", folder, name);
    *opened = (struct opened){0};
    ck_assert_msg(file_source_open(&opened->source, path), "%s", path);
    int rc = encoder_probe(&opened->document, &opened->source.io, &options, NULL, NULL, &err);
    ck_assert_msg(rc == 0, "%s: %s", name, err.message);
    mem_free(path);
}

void opened_close(struct opened *opened) {
    source_document_finish(&opened->document);
    file_source_close(&opened->source);
}

int video_encode_chunk(struct made *made, struct opened *opened, const struct video_spec *rungs,
                       int rung_count, const int64_t *gops, size_t gop_count, int64_t tail,
                       struct err *err) {
    int64_t starts[VIDEO_FRAMES_MAX];
    memcpy(starts, gops, (gop_count + 1) * sizeof(*gops));
    const struct encode_video_task task = {
        .source = &opened->document,
        .chunk = {.first = gops[0],
                  .end = gops[gop_count],
                  .tail = tail,
                  .gop_count = gop_count,
                  .gops = starts},
        .rung_count = rung_count,
        .rungs = rungs,
        .progress = watch,
        .progress_context = made,
    };
    const struct coded_sink sink = {take_config, take_packet, made};
    made->rung_count = rung_count;
    made->codec = rungs[0].codec;
    return encoder_encode_video(&task, &opened->source.io, &sink, &made->stats, err);
}

void video_encode_title(struct made *made, struct opened *opened, const struct video_spec *rungs,
                        int rung_count, int64_t chunk, int64_t gop, int64_t tail) {
    int64_t frames = opened->document.timeline.frames;
    *made = (struct made){0};
    for (int64_t first = 0; first < frames; first += chunk) {
        int64_t end = first + chunk < frames ? first + chunk : frames;
        int64_t gops[VIDEO_FRAMES_MAX];
        size_t count = 0;
        for (int64_t at = first; at < end; at += gop) {
            gops[count++] = at;
        }
        gops[count] = end;
        struct err err = {0};
        int64_t left = frames - end;
        int rc = video_encode_chunk(made, opened, rungs, rung_count, gops, count,
                                    tail < left ? tail : left, &err);
        ck_assert_msg(rc == 0, "frames [%lld, %lld): %s", (long long)first, (long long)end,
                      err.message);
    }
}

bool video_bytes_equal(const struct buf *a, const struct buf *b) {
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

void video_check_order(const struct rung_out *out, const int64_t *gops, size_t gop_count) {
    int64_t first = gops[0];
    int64_t end = gops[gop_count];
    bool seen[VIDEO_FRAMES_MAX] = {false};
    size_t next = 0;
    ck_assert_int_eq(out->packets, end - first);
    for (int64_t i = 0; i < out->packets; i++) {
        int64_t frame = out->frames[i];
        ck_assert(frame >= first && frame < end && !seen[frame - first]);
        seen[frame - first] = true;
        bool starts = next < gop_count && frame == gops[next];
        ck_assert_int_eq(out->keys[i], starts);
        ck_assert_msg(!starts || i == frame - first, "frame %lld does not lead its GOP",
                      (long long)frame);
        next += starts;
        /* its decode time is never past the time it is shown, D frames later */
        ck_assert_int_ge(frame + out->config.reorder_frames, first + i);
    }
    ck_assert_uint_eq(next, gop_count);
}

void video_check_repeatable(const struct video_spec rungs[3], int frames, int64_t tail) {
    char *folder = fixture_folder();
    struct opened opened;
    struct made all, one, baseline;
    char *command =
        mem_format("ffmpeg -f lavfi -i \"testsrc2=s=322x182:r=24,noise=alls=20:all_seed=1\" "
                   "-frames:v %d -pix_fmt yuv420p $X264 a.mp4",
                   frames);
    source_shell(folder, "24", command);
    opened_open(&opened, folder, "a.mp4");
    video_encode_title(&all, &opened, rungs, 3, 48, 24, tail);
    video_encode_title(&one, &opened, &rungs[1], 1, 48, 24, tail);
    encoder_use_baseline_cpu();
    video_encode_title(&baseline, &opened, rungs, 3, 48, 24, tail);
    for (int i = 0; i < 3; i++) {
        ck_assert(video_bytes_equal(&all.rungs[i].bytes, &baseline.rungs[i].bytes));
    }
    ck_assert(video_bytes_equal(&all.rungs[1].bytes, &one.rungs[0].bytes));
    made_finish(&all);
    made_finish(&one);
    made_finish(&baseline);
    opened_close(&opened);
    mem_free(command);
    fixture_folder_drop(folder);
}
