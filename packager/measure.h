/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What manifests declare of a track, measured from real sizes. Private to packager/. */
#ifndef PACKAGER_MEASURE_H
#define PACKAGER_MEASURE_H

#include "packager/packager.h"

/* Bytes that must be there while `ticks` of the title are shown. */
struct measured_piece {
    int64_t bytes;
    int64_t ticks;
};

/*
 * The largest rate in bits a second, rounded up, over any run of consecutive
 * pieces that lasts 0.5 to 1.5 times `target_ticks` (STANDARDS section 1, from
 * Apple's rule on BANDWIDTH). Where no run is that long, the rate of all pieces.
 */
int64_t measure_peak_bps(const struct measured_piece *pieces, size_t count, int64_t target_ticks,
                         int64_t timescale);

/* The rate over all pieces, rounded up. */
int64_t measure_average_bps(const struct measured_piece *pieces, size_t count, int64_t timescale);

/*
 * The least initial buffering in ticks, rounded up, with which playing from the
 * start of any piece never runs dry while bytes arrive at `bps`, every piece being
 * needed whole at its start (DASH @minBufferTime, ISO/IEC 23009-1 5.3.1.2).
 */
int64_t measure_buffer_ticks(const struct measured_piece *pieces, size_t count, int64_t bps,
                             int64_t timescale);

/* Fills the rates of every track, and the presentation's target duration and
 * buffer. */
void presentation_measure(struct presentation *presentation);

#endif
