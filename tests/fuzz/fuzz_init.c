/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CMAF init segments, and the codec configuration in them. */
#include "harness.h"
#include "packager/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct init_facts facts;
    if (init_segment_read(&facts, data, size, NULL) == 0) {
        struct codec_facts codec;
        char codecs[64];
        codec_facts_read(&codec, &facts, (struct rational){24, 1}, NULL);
        facts.codec->codecs_string(facts.record, facts.record_size, codecs, sizeof(codecs), NULL);
    }
    return 0;
}
