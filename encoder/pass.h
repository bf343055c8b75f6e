/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass over the packets of the picture track: the time of each picture that is
 * shown, and the places from which decoding is exact. No pixel is decoded.
 */
#ifndef ENCODER_PASS_H
#define ENCODER_PASS_H

#include "outline.h"
#include "reader.h"

struct access_candidate {
    int64_t pts; /* of its packet, ticks */
    int64_t dts; /* as stored, or the stored pts */
    int64_t position;
    int64_t exact_pts; /* pictures from this time on are exact; INT64_MIN: all after it */
    int64_t data;      /* where its bytes lie, and how many; -1 unknown */
    int data_size;
};

struct pass {
    int64_t *pts; /* owned; of the pictures that are shown, rising */
    size_t count;
    size_t capacity;
    struct access_candidate *accesses; /* owned; in decode order; at least one */
    size_t access_count;
    size_t access_capacity;
    bool has_access; /* false: nothing promises exact pictures; the one access is the first
                        packet */
    int64_t bytes;   /* of its packets */
    int64_t last_pts;
    int64_t first_pts;     /* of all pictures, hidden by an edit list or not */
    int64_t last_duration; /* ticks; 0 unknown */
    int64_t undecodable;   /* shown pictures before the first access, which are left out */
    int64_t missing;       /* pictures whose bytes lie past the source's end */
    int64_t damaged;       /* packets that the container calls damaged */
    int64_t cuts;          /* borders between edits */
    int joins;             /* parts with a clock of their own after the first */
};

struct pass_limits {
    int64_t max_pictures;
    progress_fn progress; /* bytes; may be NULL */
    void *context;
};

/* Runs it. CORRUPT where there is no picture. */
int pass_run(struct pass *pass, const struct reader_options *options,
             const struct pass_limits *limits, struct err *err);
void pass_finish(struct pass *pass);

#endif
