/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AAC: AudioSpecificConfig and frames. */
#include "harness.h"
#include "packager/aac.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct aac_config config;
    aac_config_read(&config, data, size, NULL);
    aac_frame_check(data, size, NULL);
    return 0;
}
