/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AC-3 and E-AC-3 (ETSI TS 102 366): records and the heads of frames. Private to packager/. */
#ifndef PACKAGER_DOLBY_H
#define PACKAGER_DOLBY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { DOLBY_BLOCK_SAMPLES = 256 };

struct dolby_config {
    int rate_code; /* fscod */
    int mode;      /* acmod */
    bool low_frequency;
    int sample_rate; /* Hz */
    int channels;    /* 0 where substreams or objects add some */
};

/* The payloads of dac3 (annex F.4) and of dec3 (F.6). CORRUPT where they break off or hold
 * reserved values. */
int dolby_ac3_read(struct dolby_config *out, const uint8_t *data, size_t size, struct err *err);
int dolby_eac3_read(struct dolby_config *out, const uint8_t *data, size_t size, struct err *err);

/* The sound that a sample decodes to, in samples. CORRUPT unless it is one frame of AC-3, or whole
 * frames of E-AC-3, as the record says. */
int dolby_ac3_sample(const struct dolby_config *config, const uint8_t *data, size_t size,
                     int *samples, struct err *err);
int dolby_eac3_sample(const struct dolby_config *config, const uint8_t *data, size_t size,
                      int *samples, struct err *err);

#endif
