/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Posters and sheets, JPEG and AVIF, as their gate and verify read them. */
#include <assert.h>

#include "harness.h"
#include "packager/images.h"

enum { SIDE_MAX = 65535 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int wide = 0;
    int high = 0;
    if (jpeg_size(data, size, &wide, &high, NULL) == 0) {
        assert(wide > 0 && wide <= SIDE_MAX && high > 0 && high <= SIDE_MAX);
    }
    if (avif_size(data, size, &wide, &high, NULL) == 0) {
        assert(wide > 0 && high > 0);
    }
    avif_tells_colour(data, size);
    return 0;
}
