/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sidx: see segment_index.h. */
#include "segment_index.h"

enum { ENTRY_BYTES = 12, SAP_TYPE_MAX = 2 };

int segment_index_read(struct segment_index *out, struct mp4_box *box, struct err *err) {
    struct segment_index index = {0};
    mp4_full(box);
    index.track_id = bytes_u32(&box->body);
    index.timescale = bytes_u32(&box->body);
    index.earliest = box->version == 0 ? bytes_u32(&box->body) : bytes_u64(&box->body);
    index.first_offset = box->version == 0 ? bytes_u32(&box->body) : bytes_u64(&box->body);
    bytes_u16(&box->body);
    index.count = bytes_u16(&box->body);
    const uint8_t *entries = bytes_take(&box->body, index.count * ENTRY_BYTES);
    int failed = mp4_done(box, err);
    if (failed == 0 && (index.count == 0 || index.timescale == 0)) {
        failed = err_set(err, ERR_CORRUPT, "box sidx refers to nothing, or has a timescale of 0");
    }
    if (failed == 0) {
        index.entries = bytes_of(entries, index.count * ENTRY_BYTES);
        *out = index;
    }
    return failed;
}

struct segment_index_entry segment_index_next(struct bytes *entries) {
    uint32_t head = bytes_u32(entries);
    uint32_t duration = bytes_u32(entries);
    uint32_t access = bytes_u32(entries);
    uint32_t type = access >> 28 & 7;
    return (struct segment_index_entry){
        .is_index = head >> 31 != 0,
        .starts_at_key = access >> 31 != 0 && type <= SAP_TYPE_MAX,
        .size = head & 0x7fffffff,
        .duration = duration,
    };
}
