/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON of any kind. */
#include "harness.h"

static void read_one(struct reader *r, struct writer *again) {
    writer_node(again, NULL, r->node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_json(data, size, read_one);
    return 0;
}
