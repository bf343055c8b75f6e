/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The index of a file of fragments (sidx, ISO/IEC 14496-12 8.16.3): what it says of the
 * subsegments behind it. Private to packager/.
 */
#ifndef PACKAGER_SEGMENT_INDEX_H
#define PACKAGER_SEGMENT_INDEX_H

#include "mp4_box.h"

struct segment_index {
    uint32_t track_id;
    uint32_t timescale;
    uint64_t earliest;     /* presentation time of the first subsegment, ticks */
    uint64_t first_offset; /* bytes from the box's end to the first subsegment */
    size_t count;          /* > 0 */
    struct bytes entries;  /* of 12 bytes each; borrowed */
};

struct segment_index_entry {
    bool is_index;      /* what it refers to is another index */
    bool starts_at_key; /* with a SAP of type 1 or 2, which nothing of it is decoded before, or of a
                           type that is not told (0) */
    uint32_t size;      /* bytes */
    uint32_t duration;  /* ticks */
};

/* Reads the box, which borrows its bytes; CORRUPT where it breaks off or refers to nothing. */
int segment_index_read(struct segment_index *out, struct mp4_box *box, struct err *err);

/* Takes the next entry off index->entries, of which there are `count`. */
struct segment_index_entry segment_index_next(struct bytes *entries);

#endif
