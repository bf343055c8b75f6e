/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks, as a scheduler answers a lease. */
#include "common/wire.h"
#include "harness.h"

static void read_one(struct reader *r, struct writer *again) {
    struct task value = {0};
    task_read(&value, r);
    if (reader_ok(r)) {
        task_write(&value, again, NULL);
    }
    task_finish(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_json(data, size, read_one);
    return 0;
}
