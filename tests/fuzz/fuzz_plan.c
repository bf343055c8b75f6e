/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plans of titles, as a package task fetches them. */
#include "common/wire.h"
#include "harness.h"

static void read_one(struct reader *r, struct writer *again) {
    struct title_plan value = {0};
    title_plan_read(&value, r);
    if (reader_ok(r)) {
        title_plan_write(&value, again, NULL);
    }
    title_plan_finish(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    fuzz_json(data, size, read_one);
    return 0;
}
