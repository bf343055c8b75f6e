/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Media segments of CMAF (ISO/IEC 23000-19 7.3.2): styp, then chunks of moof and
 * mdat. Private to packager/.
 */
#ifndef PACKAGER_FRAGMENT_H
#define PACKAGER_FRAGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

enum { TRACK_ID = 1 };

/* Sample flags, ISO/IEC 14496-12 8.8.3.1. */
enum {
    SAMPLE_FLAGS_SYNC = 0x02000000,       /* depends on no other */
    SAMPLE_FLAGS_NON_SYNC = 0x01010000,   /* depends on others */
    SAMPLE_FLAGS_DISPOSABLE = 0x01810000, /* and no other depends on it */
};

/* One sample in a trun. */
struct run_sample {
    uint32_t size; /* bytes */
    uint32_t flags;
    uint32_t duration; /* ticks */
    int32_t offset;    /* composition offset, ticks */
};

struct fragment {
    bool flags;   /* of samples stand in the trun, */
    bool offsets; /* and so do composition offsets */
    uint32_t sequence;
    int64_t decode_time;
    const struct run_sample *samples; /* borrowed */
    size_t count;
};

/* Appends styp. It has no lmsg brand: a chunk's writer does not know the title's
 * end, a static presentation does not need it, and each segment's bytes stay a
 * function of its own frames. */
void segment_type_write(struct buf *out);

/* Appends moof and the header of mdat; the samples' bytes must follow. The sizes
 * must add up to less than 2^31. */
void fragment_header_write(const struct fragment *fragment, struct buf *out);

#endif
