/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Media segments of CMAF as facts: see cmaf_reader.h. */
#include <inttypes.h>
#include <string.h>

#include "cmaf_reader.h"
#include "common/mem.h"

enum {
    TFHD_BASE_OFFSET = 0x000001,
    TFHD_DESCRIPTION = 0x000002,
    TFHD_DURATION = 0x000008,
    TFHD_SIZE = 0x000010,
    TFHD_FLAGS = 0x000020,
    TFHD_EMPTY = 0x010000,
    TFHD_BASE_IS_MOOF = 0x020000,
    TRUN_DATA_OFFSET = 0x001,
    TRUN_FIRST_FLAGS = 0x004,
    TRUN_DURATIONS = 0x100,
    TRUN_SIZES = 0x200,
    TRUN_FLAGS = 0x400,
    TRUN_OFFSETS = 0x800,
    RUN_SAMPLES_MAX = 1 << 22, /* a day of AAC */
};

static int fragment_header_read(struct sample_defaults *defaults, uint32_t *told,
                                const struct mp4_box *traf, struct err *err) {
    struct mp4_box box;
    int failed = mp4_full_child(traf, "tfhd", &box, err);
    if (failed != 0) {
        return failed;
    }
    uint32_t track_id = bytes_u32(&box.body);
    if ((box.flags & TFHD_BASE_IS_MOOF) == 0 ||
        (box.flags & (TFHD_BASE_OFFSET | TFHD_EMPTY)) != 0) {
        return err_set(err, ERR_CORRUPT, "box tfhd does not count offsets from its moof");
    }
    if (track_id != defaults->track_id) {
        return err_set(err, ERR_CORRUPT, "box tfhd is of track %" PRIu32 " and not %" PRIu32,
                       track_id, defaults->track_id);
    }
    if ((box.flags & TFHD_DESCRIPTION) != 0 && bytes_u32(&box.body) != 1) {
        return err_set(err, ERR_CORRUPT, "box tfhd names a sample description that is not there");
    }
    *told = box.flags;
    if ((box.flags & TFHD_DURATION) != 0) {
        defaults->duration = bytes_u32(&box.body);
    }
    if ((box.flags & TFHD_SIZE) != 0) {
        defaults->size = bytes_u32(&box.body);
    }
    if ((box.flags & TFHD_FLAGS) != 0) {
        defaults->flags = bytes_u32(&box.body);
    }
    return mp4_done(&box, err);
}

static int decode_time_read(struct chunk_facts *chunk, const struct mp4_box *traf,
                            struct err *err) {
    struct mp4_box box;
    int failed = mp4_full_child(traf, "tfdt", &box, err);
    if (failed != 0) {
        return failed;
    }
    if (box.version != 1) {
        return err_set(err, ERR_CORRUPT, "box tfdt is not of version 1");
    }
    chunk->decode_time = bytes_u64(&box.body);
    if (chunk->decode_time > INT64_MAX / 2) {
        return err_set(err, ERR_CORRUPT, "box tfdt is out of range");
    }
    return mp4_done(&box, err);
}

/* Room for `extra` more items, doubled as it grows: many small chunks stay linear. */
static void *grown(void *items, size_t *room, size_t count, size_t extra, size_t size) {
    if (count + extra <= *room) {
        return items;
    }
    *room = 2 * *room > count + extra ? 2 * *room : count + extra;
    return mem_resize(items, *room, size);
}

static void samples_read(struct media_facts *out, struct chunk_facts *chunk, struct mp4_box *box,
                         const struct sample_defaults *defaults, uint32_t first_flags) {
    out->samples = grown(out->samples, &out->sample_room, out->sample_count, chunk->sample_count,
                         sizeof(*out->samples));
    for (size_t i = 0; i < chunk->sample_count; i++) {
        struct run_sample sample = {.duration = defaults->duration, .flags = defaults->flags};
        if ((box->flags & TRUN_DURATIONS) != 0) {
            sample.duration = bytes_u32(&box->body);
        }
        sample.size = (box->flags & TRUN_SIZES) != 0 ? bytes_u32(&box->body) : defaults->size;
        if ((box->flags & TRUN_FLAGS) != 0) {
            sample.flags = bytes_u32(&box->body);
        } else if (i == 0 && (box->flags & TRUN_FIRST_FLAGS) != 0) {
            sample.flags = first_flags;
        }
        if ((box->flags & TRUN_OFFSETS) != 0) {
            sample.offset = (int32_t)bytes_u32(&box->body);
        }
        chunk->duration += sample.duration;
        chunk->payload_size += sample.size; /* as the trun says; compared with mdat later */
        out->samples[out->sample_count++] = sample;
    }
}

static int run_read(struct media_facts *out, struct chunk_facts *chunk, const struct mp4_box *traf,
                    const struct sample_defaults *defaults, uint32_t told, size_t room,
                    uint32_t *data_offset, struct err *err) {
    struct mp4_box box;
    int failed = mp4_full_child(traf, "trun", &box, err);
    if (failed != 0) {
        return failed;
    }
    uint32_t count = bytes_u32(&box.body);
    if (box.version > 1) {
        return err_set(err, ERR_CORRUPT, "box trun is of version %d", box.version);
    }
    out->unsigned_offsets |= box.version == 0;
    bool sized = (box.flags & TRUN_SIZES) != 0;
    if ((box.flags & TRUN_DATA_OFFSET) == 0 || (!sized && defaults->size == 0)) {
        return err_set(err, ERR_CORRUPT, "box trun lacks its data offset or its samples' sizes");
    }
    *data_offset = bytes_u32(&box.body);
    uint32_t first_flags = (box.flags & TRUN_FIRST_FLAGS) != 0 ? bytes_u32(&box.body) : 0;
    static const uint32_t fields[] = {TRUN_DURATIONS, TRUN_SIZES, TRUN_FLAGS, TRUN_OFFSETS};
    size_t entry = 0;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        entry += (box.flags & fields[i]) != 0 ? 4 : 0;
    }
    /* Before anything is allocated: a count is believed only with the bytes to match. */
    if (box.body.short_read || count == 0 || count > RUN_SAMPLES_MAX ||
        (entry > 0 && count > bytes_left(&box.body) / entry) ||
        (!sized && count > room / defaults->size)) {
        return err_set(err, ERR_CORRUPT, "box trun tells of %" PRIu32 " samples in %zu bytes",
                       count, bytes_left(&box.body));
    }
    out->leans_on_header |= (box.flags & TRUN_DURATIONS) == 0 && (told & TFHD_DURATION) == 0;
    out->leans_on_header |= (box.flags & TRUN_FLAGS) == 0 && (told & TFHD_FLAGS) == 0;
    chunk->sample_count = count;
    chunk->first_sample = out->sample_count;
    samples_read(out, chunk, &box, defaults, first_flags);
    return mp4_done(&box, err);
}

static int moof_read(struct media_facts *out, struct chunk_facts *chunk, const struct mp4_box *moof,
                     const struct sample_defaults *defaults, size_t room, uint32_t *data_offset,
                     struct err *err) {
    struct sample_defaults own = *defaults;
    uint32_t told = 0;
    struct mp4_box header;
    struct mp4_box traf;
    int failed = mp4_child(moof, "mfhd", &header, err);
    if (failed != 0) {
        return failed;
    }
    bytes_u32(&header.body);
    chunk->sequence = bytes_u32(&header.body);
    failed = mp4_done(&header, err);
    if (failed == 0) {
        failed = mp4_child(moof, "traf", &traf, err);
    }
    if (failed == 0) {
        failed = fragment_header_read(&own, &told, &traf, err);
    }
    if (failed == 0) {
        failed = decode_time_read(chunk, &traf, err);
    }
    return failed == 0 ? run_read(out, chunk, &traf, &own, told, room, data_offset, err) : failed;
}

/* Reads the moof in `moof` and the mdat after it. */
static int chunk_read(struct media_facts *out, const uint8_t *data, struct bytes *in,
                      const struct mp4_box *moof, const struct sample_defaults *defaults,
                      struct err *err) {
    struct chunk_facts chunk = {.offset = (size_t)(moof->start - data)};
    struct mp4_box mdat;
    uint32_t data_offset = 0;
    int failed = moof_read(out, &chunk, moof, defaults, bytes_left(in), &data_offset, err);
    if (failed == 0) {
        failed = mp4_next(in, &mdat, err);
    }
    if (failed != 0) {
        return failed;
    }
    if (!mp4_is(&mdat, "mdat")) {
        return err_set(err, ERR_CORRUPT, "box %s stands where mdat belongs", mdat.type);
    }
    chunk.payload = mdat.body.data;
    chunk.header_size = (size_t)(chunk.payload - moof->start);
    chunk.size = moof->size + mdat.size;
    if (data_offset != chunk.header_size || chunk.payload_size != mdat.body.size) {
        return err_set(err, ERR_CORRUPT,
                       "the samples of trun (%zu bytes at offset %" PRIu32
                       ") are not those of mdat (%zu bytes at %zu)",
                       chunk.payload_size, data_offset, mdat.body.size, chunk.header_size);
    }
    out->chunks = grown(out->chunks, &out->chunk_room, out->chunk_count, 1, sizeof(*out->chunks));
    out->chunks[out->chunk_count++] = chunk;
    return 0;
}

/* emsg of version 0 counts its time from a segment, which players of CMAF do not (ISO/IEC
 * 23000-19 7.4.5). */
static int event_read(struct media_facts *out, struct mp4_box *box, struct err *err) {
    mp4_full(box);
    if (box->body.short_read) {
        return err_set(err, ERR_CORRUPT, "box emsg is too short for its fields");
    }
    if (box->version != 1) {
        out->event_fault = "is not of version 1";
    }
    return 0;
}

/* What may stand before a moof. */
static int extra_read(struct media_facts *out, const uint8_t *data, struct mp4_box *box,
                      struct err *err) {
    static const char *const names[] = {"sidx", "emsg", "prft"};
    size_t i = 0;
    while (i < sizeof(names) / sizeof(names[0]) && !mp4_is(box, names[i])) {
        i++;
    }
    if (i == sizeof(names) / sizeof(names[0])) {
        return err_set(err, ERR_CORRUPT, "box %s has no place at byte %zu of a segment", box->type,
                       (size_t)(box->start - data));
    }
    out->extra = out->extra == NULL ? names[i] : out->extra;
    out->producer_time |= mp4_is(box, "prft");
    if (mp4_is(box, "emsg")) {
        return event_read(out, box, err);
    }
    if (mp4_is(box, "sidx") && out->index_count++ == 0) {
        out->index_end = (size_t)(box->start - data) + box->size;
        return segment_index_read(&out->index, box, err);
    }
    return 0;
}

int media_segment_read(struct media_facts *out, const uint8_t *data, size_t size,
                       const struct sample_defaults *defaults, struct err *err) {
    struct bytes in = bytes_of(data, size);
    struct media_facts facts = {0};
    struct mp4_box box = {0};
    int failed = 0;
    while (failed == 0 && bytes_left(&in) > 0) {
        failed = mp4_next(&in, &box, err);
        if (failed != 0) {
            break;
        }
        if (mp4_is(&box, "styp") && box.start == data) {
            facts.has_type = true;
            failed = cmaf_type_read(&box, NULL, &facts.brands, err);
        } else if (mp4_is(&box, "moof")) {
            failed = chunk_read(&facts, data, &in, &box, defaults, err);
        } else {
            failed = extra_read(&facts, data, &box, err);
        }
    }
    if (failed == 0 && facts.chunk_count == 0) {
        failed = err_set(err, ERR_CORRUPT, "a segment holds no fragment");
    }
    if (failed == 0 && mp4_is(&box, "emsg")) {
        facts.event_fault = "stands behind the last fragment";
    }
    if (failed != 0) {
        media_facts_finish(&facts);
        return failed;
    }
    *out = facts;
    return 0;
}

void media_facts_finish(struct media_facts *facts) {
    mem_free(facts->chunks);
    mem_free(facts->samples);
    *facts = (struct media_facts){0};
}
