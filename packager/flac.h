/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FLAC in ISO base media files (Encapsulation of FLAC in ISO Base Media File Format 3.3.2): its
 * record, and the head of a frame. Private to packager/. */
#ifndef PACKAGER_FLAC_H
#define PACKAGER_FLAC_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct flac_config {
    int sample_rate; /* Hz */
    int channels;    /* 1 to 8 */
};

/* The payload of dfLa, its version and flags included: CORRUPT unless its first block is a
 * STREAMINFO. */
int flac_config_read(struct flac_config *out, const uint8_t *data, size_t size, struct err *err);

/* CORRUPT for what does not begin as a frame. */
int flac_frame_check(const uint8_t *data, size_t size, struct err *err);

#endif
