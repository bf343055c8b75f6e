/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets in, whole media segments with their reports out. One segment is held at
 * a time: the samples of the open CMAF chunk in `payload`, closed ones in `segment`.
 */
#include <inttypes.h>
#include <string.h>

#include "common/mem.h"
#include "fragment.h"
#include "track_codec.h"

/* Offsets in moof and trun have 31 bits. */
enum { SEGMENT_BYTES_MAX = 1 << 30 };

struct segment_writer {
    struct track_layout layout;
    int reorder_frames;
    segment_fn emit;
    void *context;

    const struct chunk_grid *chunk; /* pictures */
    size_t gop;                     /* in the chunk: the open one */
    int gops_left;                  /* of the open segment, the open one counted */
    bool *shown;                    /* frames of the open GOP that came */

    const struct grid *grid; /* sound */

    int64_t taken;              /* samples so far */
    int64_t first;              /* of them before the open segment */
    size_t number;              /* segments emitted */
    struct buf segment;         /* styp and closed CMAF chunks */
    struct buf payload;         /* samples of the open CMAF chunk */
    struct run_sample *samples; /* theirs */
    size_t sample_count;
    size_t sample_room;
    struct fragment_report *fragments; /* of the open segment */
    size_t fragment_count;
};

static int64_t decode_time_of(const struct segment_writer *w, int64_t sample) {
    int64_t origin = w->chunk != NULL ? w->chunk->first : 0;
    return (origin + sample) * w->layout.sample_duration;
}

/* ---- What both kinds do --------------------------------------------------------- */

static int sample_add(struct segment_writer *w, const struct sample *sample,
                      const struct run_sample *entry, struct err *err) {
    if (sample->size == 0 || sample->size > SEGMENT_BYTES_MAX ||
        w->segment.size + w->payload.size + sample->size > SEGMENT_BYTES_MAX) {
        return err_set(err, ERR_INVALID,
                       "a packet of %zu bytes fits no segment: one holds at most %d bytes",
                       sample->size, SEGMENT_BYTES_MAX);
    }
    if (w->sample_count == w->sample_room) {
        w->sample_room = w->sample_room > 0 ? 2 * w->sample_room : 256;
        w->samples = mem_resize(w->samples, w->sample_room, sizeof(*w->samples));
    }
    if (w->segment.size == 0) {
        segment_type_write(&w->segment);
    }
    w->samples[w->sample_count++] = *entry;
    buf_append(&w->payload, sample->data, sample->size);
    w->taken++;
    return 0;
}

static void fragment_close(struct segment_writer *w, uint32_t sequence) {
    struct fragment fragment = {
        .flags = w->layout.video,
        .offsets = w->layout.codec->reorders,
        .sequence = sequence,
        .decode_time = decode_time_of(w, w->taken - (int64_t)w->sample_count),
        .samples = w->samples,
        .count = w->sample_count,
    };
    fragment_header_write(&fragment, &w->segment);
    buf_append(&w->segment, w->payload.data, w->payload.size);
    buf_clear(&w->payload);
    w->sample_count = 0;
}

static int segment_close(struct segment_writer *w, struct err *err) {
    int64_t before = w->chunk != NULL ? w->chunk->first_segment : 1;
    struct segment_report report = {
        .number = before + (int64_t)w->number,
        .bytes = (int64_t)w->segment.size,
        .samples = w->taken - w->first,
        .decode_time = decode_time_of(w, w->first),
        .duration = (w->taken - w->first) * w->layout.sample_duration,
        .fragment_count = w->fragment_count,
        .fragments = w->fragment_count > 0 ? w->fragments : NULL,
    };
    int failed = w->emit(w->context, &report, w->segment.data, w->segment.size, err);
    buf_clear(&w->segment);
    w->fragment_count = 0;
    w->first = w->taken;
    w->number++;
    return failed;
}

/* ---- Pictures ------------------------------------------------------------------- */

static int64_t gop_first(const struct segment_writer *w) {
    return w->chunk->gops[w->gop];
}

static int64_t gop_frames(const struct segment_writer *w) {
    return w->chunk->gops[w->gop + 1] - gop_first(w);
}

/* The rules by which packet `taken` of the chunk may be this one. */
static int video_sample_check(const struct segment_writer *w, const struct sample *sample,
                              struct err *err) {
    int64_t decoded = w->chunk->first + w->taken;
    int64_t head = gop_first(w);
    if (sample->key != (decoded == head) || (sample->key && sample->frame != head)) {
        return err_set(err, ERR_INTERNAL,
                       "the GOP at frame %" PRId64 " does not begin with its only IDR: packet "
                       "%" PRId64 " of the chunk is %s of frame %" PRId64,
                       head, w->taken, sample->key ? "an IDR" : "a picture", sample->frame);
    }
    if (sample->frame < head || sample->frame >= head + gop_frames(w)) {
        return err_set(err, ERR_INTERNAL,
                       "frame %" PRId64 " is not of the GOP at frame %" PRId64
                       ", whose packets come now",
                       sample->frame, head);
    }
    if (w->shown[sample->frame - head]) {
        return err_set(err, ERR_INTERNAL, "frame %" PRId64 " came twice", sample->frame);
    }
    int64_t delay = sample->frame - decoded + w->reorder_frames;
    if (delay < 0 || delay > INT32_MAX / w->layout.sample_duration) {
        return err_set(err, ERR_INTERNAL,
                       "frame %" PRId64 " is packet %" PRId64
                       " of the title: %d frames of reordering, as the SPS says, are too few",
                       sample->frame, decoded, w->reorder_frames);
    }
    return 0;
}

static void gop_open(struct segment_writer *w) {
    memset(w->shown, 0, (size_t)gop_frames(w) * sizeof(*w->shown));
}

/* Closes what a picture ends: the CMAF chunk of an IDR, a GOP, a segment. */
static int video_sample_after(struct segment_writer *w, bool key, struct err *err) {
    bool gop_ends = w->chunk->first + w->taken == w->chunk->gops[w->gop + 1];
    if (!key && !gop_ends) {
        return 0;
    }
    uint32_t sequence = (uint32_t)(2 * (w->chunk->first_gop + (int64_t)w->gop) + 1);
    uint32_t at = (uint32_t)w->segment.size;
    fragment_close(w, key ? sequence : sequence + 1);
    uint32_t size = (uint32_t)w->segment.size - at;
    if (key) {
        w->fragments[w->fragment_count++] = (struct fragment_report){at, size, size};
    } else {
        w->fragments[w->fragment_count - 1].size += size;
    }
    if (!gop_ends) {
        return 0;
    }
    w->gop++;
    if (w->gop < w->chunk->gop_count) {
        gop_open(w);
    }
    if (--w->gops_left > 0) {
        return 0;
    }
    if (w->number + 1 < w->chunk->segment_count) {
        w->gops_left = w->chunk->segment_gops[w->number + 1];
    }
    return segment_close(w, err);
}

static int video_sample(struct segment_writer *w, const struct sample *sample, struct err *err) {
    if (w->gop == w->chunk->gop_count) {
        return err_set(err, ERR_INTERNAL,
                       "frame %" PRId64 " comes after the last packet of a chunk of %" PRId64,
                       sample->frame, w->taken);
    }
    int failed = video_sample_check(w, sample, err);
    if (failed != 0) {
        return failed;
    }
    int64_t delay = sample->frame - w->chunk->first - w->taken + w->reorder_frames;
    uint32_t flags = sample->disposable ? SAMPLE_FLAGS_DISPOSABLE : SAMPLE_FLAGS_NON_SYNC;
    struct run_sample entry = {
        .size = (uint32_t)sample->size,
        .flags = sample->key ? SAMPLE_FLAGS_SYNC : flags,
        .offset = (int32_t)(delay * w->layout.sample_duration),
    };
    failed = sample_add(w, sample, &entry, err);
    if (failed != 0) {
        return failed;
    }
    w->shown[sample->frame - gop_first(w)] = true;
    return video_sample_after(w, sample->key, err);
}

/* Bounds of what the writer indexes and adds: the lists of a chunk come from afar. */
static int chunk_check(const struct chunk_grid *chunk, struct err *err) {
    int64_t gops = 0;
    bool rising = chunk->gop_count > 0 && chunk->gops[0] == chunk->first && chunk->first >= 0 &&
                  chunk->gops[chunk->gop_count] == chunk->end && chunk->end < INT32_MAX;
    for (size_t i = 0; rising && i < chunk->gop_count; i++) {
        rising = chunk->gops[i] < chunk->gops[i + 1];
    }
    for (size_t i = 0; rising && i < chunk->segment_count; i++) {
        rising = chunk->segment_gops[i] > 0;
        gops += chunk->segment_gops[i];
    }
    if (!rising || gops != (int64_t)chunk->gop_count || chunk->first_segment < 1 ||
        chunk->first_gop < 0 || chunk->first_gop > INT32_MAX / 2) {
        return err_set(err, ERR_INVALID,
                       "the GOPs and segments of the chunk at frame %" PRId64 " are no grid",
                       chunk->first);
    }
    return 0;
}

int segment_writer_create_video(struct segment_writer **out, const struct track_config *track,
                                const struct chunk_grid *chunk, segment_fn emit, void *context,
                                struct err *err) {
    struct track_layout layout;
    int failed = track_layout_of(&layout, track, err);
    if (failed == 0) {
        failed = chunk_check(chunk, err);
    }
    if (failed == 0 && !layout.video) {
        failed = err_set(err, ERR_INVALID, "a track of sound has no pictures to write");
    }
    if (failed != 0) {
        return failed;
    }
    int64_t longest = 0;
    int most_gops = 0;
    for (size_t i = 0; i < chunk->gop_count; i++) {
        int64_t frames = chunk->gops[i + 1] - chunk->gops[i];
        longest = frames > longest ? frames : longest;
    }
    for (size_t i = 0; i < chunk->segment_count; i++) {
        most_gops = chunk->segment_gops[i] > most_gops ? chunk->segment_gops[i] : most_gops;
    }
    struct segment_writer *w = mem_zero(1, sizeof(*w));
    w->layout = layout;
    w->reorder_frames = track->reorder_frames;
    w->emit = emit;
    w->context = context;
    w->chunk = chunk;
    w->gops_left = chunk->segment_gops[0];
    w->shown = mem_zero((size_t)longest, sizeof(*w->shown));
    w->fragments = mem_zero((size_t)most_gops, sizeof(*w->fragments));
    *out = w;
    return 0;
}

/* ---- Sound ---------------------------------------------------------------------- */

static int sound_sample(struct segment_writer *w, const struct sample *sample, struct err *err) {
    if (w->number == w->grid->segment_count) {
        return err_set(err, ERR_INTERNAL, "packet %" PRId64 " of sound comes after the title's end",
                       w->taken);
    }
    if (sample->duration != w->layout.sample_duration) {
        return err_set(err, ERR_INTERNAL,
                       "packet %" PRId64 " of sound has %" PRId64 " samples instead of %" PRIu32,
                       w->taken, sample->duration, w->layout.sample_duration);
    }
    struct run_sample entry = {.size = (uint32_t)sample->size, .flags = SAMPLE_FLAGS_SYNC};
    int failed = sample_add(w, sample, &entry, err);
    if (failed != 0 || w->taken < sound_packets_before(&w->layout, w->grid, w->number + 1)) {
        return failed;
    }
    fragment_close(w, (uint32_t)w->number + 1);
    return segment_close(w, err);
}

int segment_writer_create_audio(struct segment_writer **out, const struct track_config *track,
                                const struct grid *grid, segment_fn emit, void *context,
                                struct err *err) {
    struct track_layout layout;
    int failed = track_layout_of(&layout, track, err);
    if (failed != 0) {
        return failed;
    }
    struct timeline title = {.rate = grid->rate, .frames = grid->frames};
    if (layout.video || title_audio_samples(&title, (int)layout.timescale) != track->duration) {
        return err_set(err, ERR_INVALID, "a sound of %" PRId64 " samples is not of this title",
                       track->duration);
    }
    for (size_t i = 0; i < grid->segment_count; i++) {
        if (sound_packets_before(&layout, grid, i) >= sound_packets_before(&layout, grid, i + 1)) {
            return err_set(err, ERR_INVALID, "segment %zu is shorter than one packet of sound",
                           i + 1);
        }
    }
    struct segment_writer *w = mem_zero(1, sizeof(*w));
    w->layout = layout;
    w->emit = emit;
    w->context = context;
    w->grid = grid;
    *out = w;
    return 0;
}

/* ---- Both ----------------------------------------------------------------------- */

int segment_writer_sample(struct segment_writer *writer, const struct sample *sample,
                          struct err *err) {
    return writer->layout.video ? video_sample(writer, sample, err)
                                : sound_sample(writer, sample, err);
}

int segment_writer_end(struct segment_writer *writer, struct err *err) {
    size_t wanted = writer->layout.video ? writer->chunk->segment_count
                                         : writer->grid->segment_count;
    if (writer->number != wanted) {
        return err_set(
            err, ERR_INTERNAL, "the %s ended after %" PRId64 " packets, within segment %zu of %zu",
            writer->layout.video ? "pictures" : "sound", writer->taken, writer->number + 1, wanted);
    }
    return 0;
}

void segment_writer_destroy(struct segment_writer *writer) {
    if (writer != NULL) {
        mem_free(writer->shown);
        mem_free(writer->samples);
        mem_free(writer->fragments);
        buf_finish(&writer->segment);
        buf_finish(&writer->payload);
        mem_free(writer);
    }
}
