/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source documents with their index, as the child of a probe sends them. */
#include "common/wire.h"
#include "harness.h"

static void read_one(struct reader *r, struct writer *again) {
    struct source_document value = {0};
    source_document_read(&value, r);
    if (reader_ok(r)) {
        source_document_write(&value, again, NULL);
    }
    source_document_finish(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_json(data, size, read_one);
    return 0;
}
