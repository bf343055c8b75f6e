/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How loud a track is, measured block by block while it is encoded: ITU-R BS.1770-4, EBU
 * R 128 with Tech 3341 and 3342. Private to encoder/.
 */
#ifndef ENCODER_LOUDNESS_H
#define ENCODER_LOUDNESS_H

#include "common/err.h"
#include "common/media.h"

struct loudness_meter;

/* `*out` is owned. Mono counts as one channel, as BS.1770 has it. UNSUPPORTED for a rate or a
 * number of channels that can't be measured. */
int loudness_meter_create(struct loudness_meter **out, int sample_rate, int channels,
                          struct err *err);
void loudness_meter_destroy(struct loudness_meter *meter); /* takes NULL */

/* Adds `count` samples of each channel, full scale at 1, borrowed during the call. */
int loudness_meter_add(struct loudness_meter *meter, float *const *planes, int count,
                       struct err *err);

/* Of all that was added, in whole hundredths. */
int loudness_meter_read(struct loudness_meter *meter, struct loudness *out, struct err *err);

#endif
