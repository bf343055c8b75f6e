/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media segments: the size of an init segment in two bytes, it, and a segment; read as verify
 * does, then held to the gate with a spec and a report that agree with what was read. */
#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "packager/verify.h"

/* Each sample's own bytes. */
static void look(const struct init_facts *init, const struct media_facts *media) {
    for (size_t c = 0; c < media->chunk_count; c++) {
        const uint8_t *at = media->chunks[c].payload;
        for (size_t i = 0; i < media->chunks[c].sample_count; i++) {
            size_t size = media->samples[media->chunks[c].first_sample + i].size;
            struct sample_look said;
            init->codec->sample_read(init->record, init->record_size, at, size, &said, NULL);
            at += size;
        }
    }
}

static void video_spec_of(struct video_spec *out, const struct init_facts *init,
                          const struct codec_facts *codec) {
    *out = (struct video_spec){
        .codec = init->codec->codec,
        .width = codec->width,
        .height = codec->height,
        .chroma = CHROMA_420,
        .bit_depth = 8,
        .colour = {.primaries = codec->signal.primaries,
                   .transfer = codec->signal.transfer,
                   .matrix = codec->signal.matrix,
                   .full_range = codec->signal.full_range},
        .rate = {init->timescale, init->defaults.duration},
    };
    snprintf(out->profile, sizeof(out->profile), "high");
}

/* Two CMAF chunks a GOP, as many as there are; false where there is an odd one. */
static bool grid_of(struct chunk_grid *grid, struct segment_report *report,
                    const struct media_facts *media, int64_t first, struct arena *arena) {
    size_t count = media->chunk_count / 2;
    if (count == 0 || media->chunk_count % 2 != 0) {
        return false;
    }
    *grid = (struct chunk_grid){.first = first, .first_segment = 1, .segment_count = 1};
    grid->gop_count = count;
    grid->gops = arena_zero(arena, count + 1, sizeof(*grid->gops));
    grid->segment_gops = arena_zero(arena, 1, sizeof(*grid->segment_gops));
    grid->segment_gops[0] = (int)count;
    grid->gops[0] = first;
    report->fragment_count = count;
    report->fragments = arena_zero(arena, count, sizeof(*report->fragments));
    for (size_t g = 0; g < count; g++) {
        const struct chunk_facts *pair = &media->chunks[2 * g];
        grid->gops[g + 1] = grid->gops[g] + (int64_t)(pair[0].sample_count + pair[1].sample_count);
        report->fragments[g] = (struct fragment_report){(uint32_t)pair[0].offset,
                                                        (uint32_t)(pair[0].size + pair[1].size),
                                                        (uint32_t)pair[0].size};
    }
    grid->end = grid->gops[count];
    grid->first_gop = ((int64_t)media->chunks[0].sequence - 1) / 2;
    return true;
}

static void gate(const struct init_facts *init, const struct codec_facts *codec,
                 const struct media_facts *media, const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct chunk_grid grid;
    struct video_spec video;
    struct audio_spec audio = {.codec = CODEC_AAC,
                               .sample_rate = codec->sample_rate,
                               .channels = codec->channels,
                               .language = "und"};
    struct track_config track = {.record_size = init->record_size, .reorder_frames = 2};
    int64_t decode_time = (int64_t)(media->chunks[0].decode_time & INT64_MAX);
    struct segment_report report = {.number = 1,
                                    .bytes = (int64_t)size,
                                    .samples = (int64_t)media->sample_count,
                                    .decode_time = decode_time};
    uint32_t ticks = init->video ? init->defaults.duration : (uint32_t)init->codec->packet_samples;
    report.duration = (int64_t)media->sample_count * ticks;
    memcpy(track.record, init->record, init->record_size);
    if (!init->video) {
        track.audio = &audio;
        track.duration = decode_time / 2 + report.duration;
        segment_check(data, size, &track, NULL, &report, NULL);
    } else if (ticks > 0 && grid_of(&grid, &report, media, decode_time / ticks, &arena)) {
        video_spec_of(&video, init, codec);
        track.video = &video;
        track.reorder_frames = codec->reorder_frames;
        segment_check(data, size, &track, &grid, &report, NULL);
    }
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes bytes = bytes_of(data, size);
    size_t init_size = bytes_u16(&bytes);
    const uint8_t *init_data = bytes_take(&bytes, init_size);
    struct init_facts init;
    struct codec_facts codec;
    struct media_facts media = {0};
    if (init_data == NULL || init_segment_read(&init, init_data, init_size, NULL) != 0) {
        return 0;
    }
    const uint8_t *segment = data + bytes.at;
    size_t segment_size = bytes_left(&bytes);
    if (media_segment_read(&media, segment, segment_size, &init.defaults, NULL) == 0) {
        look(&init, &media);
        struct rational rate = {24, 1};
        if (codec_facts_read(&codec, &init, rate, NULL) == 0 &&
            init.record_size <= sizeof(((struct track_config *)NULL)->record)) {
            gate(&init, &codec, &media, segment, segment_size);
        }
        media_facts_finish(&media);
    }
    return 0;
}
