/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a child is told: the first frame of its pipe. */
#include "common/mem.h"
#include "common/wire.h"
#include "harness.h"

static void read_one(struct reader *r, struct writer *again) {
    struct arena arena = {0};
    struct child_spec spec = {0};
    child_spec_read(&spec, &arena, r);
    if (reader_ok(r)) {
        child_spec_write(&spec, again, NULL);
    }
    child_spec_finish(&spec);
    arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_json(data, size, read_one);
    return 0;
}
