/* SPDX-License-Identifier: GPL-2.0-or-later */
/* H.265: configuration records, parameter sets, samples. */
#include "harness.h"
#include "packager/hevc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct hevc_record record;
    struct hevc_sps sps;
    struct hevc_sample sample;
    if (hevc_record_read(&record, data, size, NULL) == 0) {
        hevc_record_fault(&record);
    }
    hevc_sps_read(&sps, data, size, NULL);
    hevc_sample_read(&sample, data, size, NULL);
    return 0;
}
