/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HLS playlists, as verify reads them. */
#include "harness.h"
#include "packager/m3u8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct m3u8 playlist;
    if (m3u8_read(&playlist, data, size, NULL) == 0) {
        m3u8_finish(&playlist);
    }
    return 0;
}
