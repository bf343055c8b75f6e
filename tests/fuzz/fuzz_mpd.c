/* SPDX-License-Identifier: GPL-2.0-or-later */
/* DASH manifests, and the XML below them, as verify reads them. */
#include "harness.h"
#include "packager/mpd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct mpd mpd;
    if (mpd_read(&mpd, data, size, NULL) == 0) {
        mpd_finish(&mpd);
    }
    return 0;
}
