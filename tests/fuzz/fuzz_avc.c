/* SPDX-License-Identifier: GPL-2.0-or-later */
/* H.264: configuration records, parameter sets, samples. */
#include "harness.h"
#include "packager/avc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct avc_record record;
    struct avc_sps sps;
    struct avc_sample sample;
    avc_record_read(&record, data, size, NULL);
    avc_sps_read(&sps, data, size, NULL);
    for (int length_size = 1; length_size <= 4; length_size *= 2) {
        avc_sample_read(&sample, data, size, length_size, NULL);
    }
    return 0;
}
