/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reports, as a worker sends them. */
#include "common/wire.h"
#include "harness.h"

static void read_one(struct reader *r, struct writer *again) {
    struct task_report value = {0};
    task_report_read(&value, r);
    if (reader_ok(r)) {
        task_report_write(&value, again, NULL);
    }
    task_report_finish(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_json(data, size, read_one);
    return 0;
}
