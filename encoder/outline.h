/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outline of an ISO media file: its boxes on the top level, read without
 * libavformat (ISO/IEC 14496-12 4.2). It tells whether there are fragments, where they
 * lie, and why a file cannot be opened.
 */
#ifndef ENCODER_OUTLINE_H
#define ENCODER_OUTLINE_H

#include "encoder/encoder.h"

struct outline {
    bool iso;        /* it begins like an ISO media file */
    bool moov;       /* the whole header is there */
    bool fragmented; /* the header announces fragments */
    bool cut;        /* a box runs past the end of the source */
    bool encrypted;  /* a picture track is (ISO/IEC 23001-7) */
    int64_t moov_end;
};

/* Reads it, in a fragmented file no further than the header; only a failing read is an
 * error. */
int outline_read(struct outline *out, const struct source_io *io, struct err *err);

/* The content of a box, in bytes of the source. */
struct box_span {
    int64_t start;
    int64_t end;
};

/* Finds the `index`th box of this type, from 0, among those that lie in `within`: 1, 0
 * where it is not there whole, negative where reading failed. */
int outline_find(struct box_span *out, const struct source_io *io, struct box_span within,
                 const char *type, int index, struct err *err);

/* Reads exactly `size` bytes: 1, 0 where the source ends before, negative on errors. */
int outline_read_exact(const struct source_io *io, int64_t offset, uint8_t *data, size_t size,
                       struct err *err);

/* Sets `err` to the sentence that says best why the source was not understood:
 * `otherwise` where the outline knows nothing better. Returns the code. */
int outline_refusal(const struct source_io *io, const char *otherwise, struct err *err);

/*
 * Where fragments lie, learned from the bytes that go by while the file is read from
 * its header on.
 */
struct fragment_trail {
    int64_t next;       /* where the next box begins */
    uint8_t header[16]; /* what was seen of its header */
    size_t seen;
    size_t count;
    int64_t *fragments; /* owned; where each moof begins, rising */
};

void fragment_trail_start(struct fragment_trail *trail, int64_t moov_end);
void fragment_trail_finish(struct fragment_trail *trail);

/* Tells of bytes that were read. */
void fragment_trail_see(struct fragment_trail *trail, int64_t offset, const uint8_t *data,
                        size_t size);

/* The last fragment that begins at or before the position; -1 without one. */
int64_t fragment_trail_before(const struct fragment_trail *trail, int64_t position);

#endif
