/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interlaced pictures into whole ones by libavfilter's bwdif, which looks at one
 * neighbour on each side. */
#ifndef ENCODER_DEINTERLACE_H
#define ENCODER_DEINTERLACE_H

#include <libavutil/frame.h>
#include <stdbool.h>

#include "common/err.h"

struct deinterlacer;

/* `fields`: two pictures for each frame, one a field; else one. Never fails. */
struct deinterlacer *deinterlacer_create(AVRational time_base, bool fields);
void deinterlacer_destroy(struct deinterlacer *deinterlacer);

/* Gives it the next decoded picture (it takes a reference of its own), or NULL at the
 * end. UNSUPPORTED for pixel formats that it cannot do. */
int deinterlacer_push(struct deinterlacer *deinterlacer, AVFrame *frame, struct err *err);

/* The next finished picture, with pts in half ticks: 1, 0 where it needs more. */
int deinterlacer_pull(struct deinterlacer *deinterlacer, AVFrame *out, struct err *err);

#endif
