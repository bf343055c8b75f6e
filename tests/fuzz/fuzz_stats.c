/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a child says when it is done, and what it says when it failed. */
#include "common/wire.h"
#include "harness.h"
#include "workers/pipe.h"

static void read_one(struct reader *r, struct writer *again) {
    struct task_stats stats = {0};
    task_stats_read(&stats, r);
    if (reader_ok(r)) {
        task_stats_write(&stats, again, NULL);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct err said = {0};
    fuzz_json(data, size, read_one);
    pipe_error_read(data, size, &said);
    return 0;
}
