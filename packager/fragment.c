/* SPDX-License-Identifier: GPL-2.0-or-later */
/* styp, moof and mdat: see fragment.h. */
#include "fragment.h"

#include <assert.h>

#include "mp4_box.h"

enum {
    TFHD_DEFAULT_BASE_IS_MOOF = 0x020000,
    TRUN_DATA_OFFSET = 0x001,
    TRUN_SIZES = 0x200,
    TRUN_FLAGS = 0x400,
    TRUN_OFFSETS = 0x800,
};

void segment_type_write(struct buf *out) {
    size_t box = mp4_open(out, "styp");
    buf_string(out, "msdh");
    buf_u32(out, 0);
    buf_string(out, "msdh");
    buf_string(out, "cmfs");
    mp4_close(out, box);
}

static void track_fragment_header_write(struct buf *out) {
    size_t box = mp4_full_open(out, "tfhd", 0, TFHD_DEFAULT_BASE_IS_MOOF);
    buf_u32(out, TRACK_ID);
    mp4_close(out, box);
}

static void decode_time_write(int64_t decode_time, struct buf *out) {
    size_t box = mp4_full_open(out, "tfdt", 1, 0);
    buf_u64(out, (uint64_t)decode_time);
    mp4_close(out, box);
}

/* Returns where the data offset stands: it is known once the moof is closed. */
static size_t run_write(const struct fragment *fragment, struct buf *out) {
    uint32_t flags = TRUN_DATA_OFFSET | TRUN_SIZES;
    flags |= (fragment->flags ? TRUN_FLAGS : 0) | (fragment->offsets ? TRUN_OFFSETS : 0);
    size_t box = mp4_full_open(out, "trun", 1, flags);
    buf_u32(out, (uint32_t)fragment->count);
    size_t data_offset = out->size;
    buf_u32(out, 0);
    for (size_t i = 0; i < fragment->count; i++) {
        const struct run_sample *sample = &fragment->samples[i];
        buf_u32(out, sample->size);
        if (fragment->flags) {
            buf_u32(out, sample->flags);
        }
        if (fragment->offsets) {
            buf_u32(out, (uint32_t)sample->offset);
        }
    }
    mp4_close(out, box);
    return data_offset;
}

void fragment_header_write(const struct fragment *fragment, struct buf *out) {
    uint64_t payload = 0;
    for (size_t i = 0; i < fragment->count; i++) {
        payload += fragment->samples[i].size;
    }
    assert(payload < INT32_MAX);
    size_t moof = mp4_open(out, "moof");
    size_t box = mp4_full_open(out, "mfhd", 0, 0);
    buf_u32(out, fragment->sequence);
    mp4_close(out, box);
    size_t traf = mp4_open(out, "traf");
    track_fragment_header_write(out);
    decode_time_write(fragment->decode_time, out);
    size_t data_offset = run_write(fragment, out);
    mp4_close(out, traf);
    mp4_close(out, moof);
    buf_put_u32(out, data_offset, (uint32_t)(out->size - moof + 8));
    buf_u32(out, (uint32_t)(payload + 8));
    buf_string(out, "mdat");
}
