/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Common encryption: {u8 count of samples, moof}, with what a sample entry's sinf says of it. */
#include "common/buf.h"
#include "harness.h"
#include "packager/protection.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct run_sample samples[255];
    struct bytes in = bytes_of(data, size);
    size_t count = bytes_u8(&in);
    struct mp4_box entry = {.type = "encv", .body = bytes_of(data + in.at, size - in.at)};
    struct protection_facts facts = {.there = true, .iv_bytes = 8};
    if (protection_read(&facts, &entry, NULL) == 0) {
        protection_fault(&facts);
    }
    protection_fragment_fault(&facts, data + in.at, size - in.at, samples, count);
    return 0;
}
