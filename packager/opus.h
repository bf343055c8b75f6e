/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opus in ISO base media files (Encapsulation of Opus in ISO Base Media File Format 4.3.2, RFC
 * 6716): its record, and how long a packet lasts. Private to packager/. */
#ifndef PACKAGER_OPUS_H
#define PACKAGER_OPUS_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { OPUS_RATE = 48000 };

struct opus_config {
    int channels; /* 1 to 255 */
    int pre_skip; /* samples at OPUS_RATE */
};

/* The payload of dOps. CORRUPT where it breaks off or contradicts itself. */
int opus_config_read(struct opus_config *out, const uint8_t *data, size_t size, struct err *err);

/* Samples, at OPUS_RATE, that a packet decodes to (RFC 6716 3.1, 3.2.5); CORRUPT for none, or for
 * more than 120 ms. */
int opus_packet_samples(const uint8_t *data, size_t size, int *samples, struct err *err);

#endif
