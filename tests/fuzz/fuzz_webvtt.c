/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files of subtitles, as verify reads them. */
#include <assert.h>

#include "harness.h"
#include "packager/webvtt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct webvtt facts;
    if (webvtt_read(&facts, data, size, NULL) == 0 && facts.cue_count > 0) {
        assert(facts.first_start_ms <= facts.last_start_ms);
        assert(facts.first_end_ms <= facts.last_end_ms && facts.last_end_ms > facts.last_start_ms);
    }
    return 0;
}
