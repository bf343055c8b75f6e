/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The gate for media, in the worker: the child that made a segment decodes
 * untrusted bytes, so nothing it says is believed. The segment is read with bounds,
 * what it may choose (sizes, order within a GOP) is checked against the spec and
 * its own NAL units, and from that the boxes are written anew: they must be equal
 * byte for byte, so no field escapes.
 */
#include <inttypes.h>
#include <string.h>

#include "cmaf_reader.h"
#include "common/mem.h"

/* CORRUPT with the box and byte at which `data` is not what it must be. */
static int equal_check(const uint8_t *data, size_t size, const struct buf *wanted,
                       struct err *err) {
    size_t at = 0;
    size_t least = size < wanted->size ? size : wanted->size;
    if (size == wanted->size && memcmp(data, wanted->data, size) == 0) {
        return 0;
    }
    while (at < least && data[at] == wanted->data[at]) {
        at++;
    }
    char path[64];
    mp4_path_at(wanted->data, wanted->size, at, path, sizeof(path));
    if (at == least) {
        return err_set(err, ERR_CORRUPT, "it has %zu bytes and must have %zu", size, wanted->size);
    }
    return err_set(err, ERR_CORRUPT, "box %s: byte %zu of the segment is 0x%02x and must be 0x%02x",
                   path, at, data[at], wanted->data[at]);
}

int init_segment_check(const uint8_t *data, size_t size, const struct track_config *track,
                       struct err *err) {
    struct buf wanted = {0};
    struct err inner = {0};
    int failed = init_segment_write(track, &wanted, &inner);
    if (failed != 0) { /* the configuration itself lies */
        failed = err_set(err, ERR_CORRUPT, "init segment: %s", inner.message);
    } else if ((failed = equal_check(data, size, &wanted, err)) != 0) {
        err_wrap(err, "init segment");
    }
    buf_finish(&wanted);
    return failed;
}

/* ---- Media segments ------------------------------------------------------------- */

struct checker {
    const struct track_config *track;
    struct track_layout layout;
    const uint8_t *data;
    const struct chunk_grid *chunk; /* NULL for sound */
    const struct segment_report *report;
    struct media_facts facts;
    struct buf wanted; /* the header that a CMAF chunk must have */
};

struct expectation {
    const char *what;
    int64_t found, wanted;
};

static int expectations_check(const struct expectation *list, size_t count, struct err *err) {
    for (size_t i = 0; i < count; i++) {
        if (list[i].found != list[i].wanted) {
            return err_set(err, ERR_CORRUPT, "%s is %" PRId64 " and must be %" PRId64, list[i].what,
                           list[i].found, list[i].wanted);
        }
    }
    return 0;
}

static int type_check(struct checker *c, struct err *err) {
    buf_clear(&c->wanted);
    segment_type_write(&c->wanted);
    size_t size = c->facts.chunks[0].offset;
    return equal_check(c->data, size, &c->wanted, err);
}

/* Reads each sample's own bytes and sets the flags that it must have. */
static int samples_look(struct checker *c, const struct chunk_facts *chunk, bool key,
                        struct err *err) {
    const uint8_t *at = chunk->payload;
    for (size_t i = 0; i < chunk->sample_count; i++) {
        struct run_sample *sample = &c->facts.samples[chunk->first_sample + i];
        struct sample_look look;
        int failed = c->layout.codec->sample_read(c->track->record, c->track->record_size, at,
                                                  sample->size, &look, err);
        if (failed != 0) {
            err_wrap(err, "sample %zu of the fragment at byte %zu", i, chunk->offset);
            return failed;
        }
        if (look.foreign) {
            return err_set(err, ERR_CORRUPT,
                           "sample %zu of the fragment at byte %zu holds more than its picture", i,
                           chunk->offset);
        }
        if (look.key != key) {
            return err_set(err, ERR_CORRUPT,
                           "sample %zu of the fragment at byte %zu is %s key picture", i,
                           chunk->offset, key ? "no" : "a");
        }
        uint32_t flags = look.disposable ? SAMPLE_FLAGS_DISPOSABLE : SAMPLE_FLAGS_NON_SYNC;
        sample->flags = key ? SAMPLE_FLAGS_SYNC : flags;
        at += sample->size;
    }
    return 0;
}

/* Writes the header that this CMAF chunk must have, and compares. */
static int header_check(struct checker *c, const struct chunk_facts *chunk, int64_t sequence,
                        int64_t decode_time, struct err *err) {
    struct fragment fragment = {
        .flags = c->layout.video,
        .offsets = c->layout.codec->reorders,
        .sequence = (uint32_t)sequence,
        .decode_time = decode_time,
        .samples = c->facts.samples + chunk->first_sample,
        .count = chunk->sample_count,
    };
    buf_clear(&c->wanted);
    fragment_header_write(&fragment, &c->wanted);
    int failed = equal_check(c->data + chunk->offset, chunk->header_size, &c->wanted, err);
    if (failed != 0) {
        err_wrap(err, "fragment at byte %zu", chunk->offset);
    }
    return failed;
}

/* Each frame of [first, end) is shown once, an IDR at `first`; `shown` has a place
 * for each. Composition offsets count from packet `first`'s decode time. */
static int order_check(const struct checker *c, const struct run_sample *samples, int64_t count,
                       bool *shown, struct err *err) {
    memset(shown, 0, (size_t)count * sizeof(*shown));
    for (int64_t i = 0; i < count; i++) {
        int64_t offset = samples[i].offset;
        int64_t frame = i + offset / c->layout.sample_duration - c->track->reorder_frames;
        if (offset < 0 || offset % c->layout.sample_duration != 0 || frame < 0 || frame >= count ||
            shown[frame] || (i == 0 && frame != 0)) {
            return err_set(err, ERR_CORRUPT,
                           "the composition offset %" PRId64 " of picture %" PRId64
                           " of a GOP gives no frame, or one that has a picture",
                           offset, i);
        }
        shown[frame] = true;
    }
    return 0;
}

/* GOP `gop` of the chunk in one or two CMAF chunks from `at` on. */
static int gop_check(struct checker *c, size_t gop, const struct chunk_facts *at,
                     const struct fragment_report *report, bool *shown, struct err *err) {
    int64_t first = c->chunk->gops[gop];
    int64_t frames = c->chunk->gops[gop + 1] - first;
    int64_t sequence = 2 * (c->chunk->first_gop + (int64_t)gop) + 1;
    size_t rest = frames > 1 ? at[1].sample_count : 0;
    size_t size = at->size + (frames > 1 ? at[1].size : 0);
    const struct expectation list[] = {
        {"the count of pictures in an IDR's fragment", (int64_t)at->sample_count, 1},
        {"the count of pictures in the rest of a GOP", (int64_t)rest, frames - 1},
        {"the report's offset of a GOP", report->offset, (int64_t)at->offset},
        {"the report's size of a GOP", report->size, (int64_t)size},
        {"the report's size of an IDR", report->idr_size, (int64_t)at->size},
    };
    int failed = expectations_check(list, sizeof(list) / sizeof(list[0]), err);
    if (failed == 0) {
        failed = order_check(c, c->facts.samples + at->first_sample, frames, shown, err);
    }
    for (int i = 0; failed == 0 && i < (frames > 1 ? 2 : 1); i++) {
        failed = samples_look(c, &at[i], i == 0, err);
        if (failed == 0) {
            failed =
                header_check(c, &at[i], sequence + i, (first + i) * c->layout.sample_duration, err);
        }
    }
    if (failed != 0) {
        err_wrap(err, "GOP %" PRId64, c->chunk->first_gop + (int64_t)gop);
    }
    return failed;
}

static int gops_check(struct checker *c, size_t first_gop, size_t gop_count, struct err *err) {
    const struct chunk_grid *chunk = c->chunk;
    int64_t longest = 0;
    size_t fragments = 0;
    for (size_t g = first_gop; g < first_gop + gop_count; g++) {
        int64_t frames = chunk->gops[g + 1] - chunk->gops[g];
        longest = frames > longest ? frames : longest;
        fragments += frames > 1 ? 2 : 1;
    }
    if (c->facts.chunk_count != fragments) {
        return err_set(err, ERR_CORRUPT, "it has %zu fragments (moof and mdat) and must have %zu",
                       c->facts.chunk_count, fragments);
    }
    bool *shown = mem_zero((size_t)longest, sizeof(*shown));
    const struct chunk_facts *at = c->facts.chunks;
    int failed = 0;
    for (size_t g = 0; failed == 0 && g < gop_count; g++) {
        size_t gop = first_gop + g;
        failed = gop_check(c, gop, at, &c->report->fragments[g], shown, err);
        at += chunk->gops[gop + 1] - chunk->gops[gop] > 1 ? 2 : 1;
    }
    mem_free(shown);
    return failed;
}

static int video_check(struct checker *c, struct err *err) {
    const struct chunk_grid *chunk = c->chunk;
    int64_t index = c->report->number - chunk->first_segment;
    if (index < 0 || index >= (int64_t)chunk->segment_count) {
        return err_set(err, ERR_CORRUPT, "its number is not of the chunk at frame %" PRId64,
                       chunk->first);
    }
    size_t gop = 0;
    for (int64_t s = 0; s < index; s++) {
        gop += (size_t)chunk->segment_gops[s];
    }
    size_t gops = (size_t)chunk->segment_gops[index];
    int64_t first = chunk->gops[gop];
    int64_t frames = chunk->gops[gop + gops] - first;
    const struct expectation list[] = {
        {"the report's count of pictures", c->report->samples, frames},
        {"the report's decode time", c->report->decode_time, first * c->layout.sample_duration},
        {"the report's duration", c->report->duration, frames * c->layout.sample_duration},
        {"the report's count of GOPs", (int64_t)c->report->fragment_count, (int64_t)gops},
        {"the count of pictures", (int64_t)c->facts.sample_count, frames},
    };
    int failed = expectations_check(list, sizeof(list) / sizeof(list[0]), err);
    return failed == 0 ? gops_check(c, gop, gops, err) : failed;
}

/* Where segments of sound end is known from the whole title: the gate for
 * manifests compares it with the pictures. Here it lies within the track. */
static int sound_check(struct checker *c, struct err *err) {
    const struct segment_report *report = c->report;
    const struct chunk_facts *chunk = c->facts.chunks;
    int64_t packet = c->layout.sample_duration;
    int64_t first = report->decode_time / packet;
    int64_t all = ticks_scale(c->track->priming + c->track->duration, 1, packet, ROUND_UP);
    const struct expectation list[] = {
        {"the count of fragments (moof and mdat)", (int64_t)c->facts.chunk_count, 1},
        {"the report's count of GOPs", (int64_t)report->fragment_count, 0},
        {"the report's count of packets", report->samples, (int64_t)chunk->sample_count},
        {"the report's duration", report->duration, (int64_t)chunk->sample_count * packet},
        {"the report's decode time", report->decode_time, first * packet},
        {"the report's decode time of the first segment", report->number == 1 ? first : 0, 0},
    };
    int failed = expectations_check(list, sizeof(list) / sizeof(list[0]), err);
    if (failed == 0 &&
        (first < report->number - 1 || first > all || (int64_t)chunk->sample_count > all - first)) {
        failed = err_set(err, ERR_CORRUPT,
                         "packets %" PRId64 " to %" PRId64 " are not within the track's %" PRId64,
                         first, first + (int64_t)chunk->sample_count - 1, all);
    }
    if (failed == 0) {
        failed = samples_look(c, chunk, true, err);
    }
    return failed == 0 ? header_check(c, chunk, report->number, first * packet, err) : failed;
}

int segment_check(const uint8_t *data, size_t size, const struct track_config *track,
                  const struct chunk_grid *chunk, const struct segment_report *report,
                  struct err *err) {
    struct checker c = {.track = track, .data = data, .chunk = chunk, .report = report};
    struct err inner = {0};
    int failed = track_layout_of(&c.layout, track, &inner);
    if (failed == 0 && c.layout.video != (chunk != NULL)) {
        failed = err_set(&inner, ERR_INVALID, "a chunk of pictures and a track of sound");
    }
    if (failed == 0 &&
        (report->number < 1 || report->number > UINT32_MAX || report->bytes != (int64_t)size ||
         size > INT32_MAX || report->decode_time < 0)) {
        failed = err_set(&inner, ERR_CORRUPT, "its report tells of %" PRId64 " bytes, not %zu",
                         report->bytes, size);
    }
    struct sample_defaults defaults = {
        .track_id = TRACK_ID,
        .duration = c.layout.sample_duration,
        .flags = c.layout.default_flags,
    };
    if (failed == 0) {
        failed = media_segment_read(&c.facts, data, size, &defaults, &inner);
    }
    if (failed == 0 && c.facts.extra != NULL) {
        failed =
            err_set(&inner, ERR_CORRUPT, "it holds a box %s, which ours never do", c.facts.extra);
    }
    if (failed == 0) {
        failed = type_check(&c, &inner);
    }
    if (failed == 0) {
        failed = c.layout.video ? video_check(&c, &inner) : sound_check(&c, &inner);
    }
    media_facts_finish(&c.facts);
    buf_finish(&c.wanted);
    return failed == 0 ? 0
                       : err_set(err, ERR_CORRUPT, "segment %" PRId64 ": %s", report->number,
                                 inner.message);
}
