/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1) and raw AAC frames. Private to packager/. */
#ifndef PACKAGER_AAC_H
#define PACKAGER_AAC_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { AAC_FRAME_SAMPLES = 1024 };

struct aac_config {
    int object_type; /* 2 is AAC-LC */
    int sample_rate; /* Hz */
    int channels;    /* 1 to 8 */
};

/* Reads the part that all players need; what follows (the flag that there is no
 * SBR) may be there or not. CORRUPT where it breaks off or holds reserved values;
 * UNSUPPORTED for frames of 960 samples and channels told by a PCE. */
int aac_config_read(struct aac_config *out, const uint8_t *data, size_t size, struct err *err);

/* CORRUPT for a frame that is empty or begins with an ADTS header. */
int aac_frame_check(const uint8_t *data, size_t size, struct err *err);

#endif
