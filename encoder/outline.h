/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The outline of an ISO media file: its boxes on the top level, read without
 * libavformat (ISO/IEC 14496-12 4.2). It tells where fragments lie, and why a file
 * cannot be opened.
 */
#ifndef ENCODER_OUTLINE_H
#define ENCODER_OUTLINE_H

#include "encoder/encoder.h"

struct outline {
    bool iso;       /* it begins like an ISO media file */
    bool moov;      /* the whole header is there */
    bool mdat;
    bool cut;       /* a box runs past the end of the source */
    bool encrypted; /* a picture track is (ISO/IEC 23001-7) */
    int64_t moov_end;
    size_t fragment_count;
    int64_t *fragments; /* owned; where each moof begins, rising */
};

/* Reads it, no further than the header where `header_only`; only a failing read is an
 * error. `out` is freed with outline_finish. */
int outline_read(struct outline *out, const struct source_io *io, bool header_only,
                 struct err *err);
void outline_finish(struct outline *outline);

/* Sets `err` to the sentence that says best why the source was not understood:
 * `otherwise` where the outline knows nothing better. Returns the code. */
int outline_refusal(const struct source_io *io, const char *otherwise, struct err *err);

#endif
