/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AV1: configuration records, sequence headers, samples. */
#include "harness.h"
#include "packager/av1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct av1_record record;
    struct av1_sequence sequence;
    struct av1_sample sample;
    struct av1_metadata metadata;
    int failed = av1_record_read(&record, data, size, NULL);
    av1_sequence_read(&sequence, data, size, NULL);
    if (av1_sample_read(&sample, data, size, NULL) == 0 && failed == 0 && sample.header != NULL) {
        av1_record_fits(&record, &sample);
    }
    av1_metadata_read(&metadata, data, size);
    return 0;
}
