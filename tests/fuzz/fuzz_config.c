/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What encoders give: AV1 temporal units, and H.264 parameter sets with the size of the
 * first in a byte before them. */
#include "encoder/av1_config.h"
#include "encoder/h264_config.h"
#include "harness.h"

/* The parameter sets lie in memory of just their sizes too: the second ends with the input. */
static void make_h264(const uint8_t *data, size_t size) {
    if (size > 0 && data[0] < size) {
        struct coded_config config;
        h264_config_make(&config, data + 1, data[0], data + 1 + data[0], size - 1 - data[0], NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct video_spec spec = {.codec = CODEC_AV1, .bit_depth = 8, .chroma = CHROMA_420};
    struct coded_config config;
    struct buf sample = {0};
    av1_config_make(&config, &spec, data, size, NULL);
    av1_sample_append(&sample, data, size, NULL);
    buf_finish(&sample);
    make_h264(data, size);
    return 0;
}
