/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How coded pictures say that their samples are meant: of which shape, and as which colours
 * (ITU-T H.273). The parameter sets of H.264 and H.265 say it alike; sequence headers of AV1 and
 * sample entries say the same in ways of their own. Private to packager/.
 */
#ifndef PACKAGER_PICTURE_SIGNAL_H
#define PACKAGER_PICTURE_SIGNAL_H

#include <stdbool.h>

#include "bits.h"
#include "common/media.h"

struct picture_signal {
    bool square_pixels; /* sample aspect ratio 1:1 or not said */
    int primaries;      /* COLOUR_UNKNOWN where not said; so are the other two */
    int transfer;
    int matrix;
    bool full_range;
};

/* What is meant where nothing is said. */
struct picture_signal picture_signal_silent(void);

/* What the VUI of H.264 (ISO/IEC 14496-10 E.1.1) and of H.265 (23008-2 E.2.1) begins with. */
struct picture_signal picture_signal_read(struct bits *bits);

/* Whether both mean the same colours. */
bool picture_signal_same_colours(const struct picture_signal *a, const struct picture_signal *b);

#endif
