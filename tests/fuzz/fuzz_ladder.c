/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ladders, as people write them. */
#include <assert.h>

#include "harness.h"
#include "ladders/ladders.h"

/* What was taken is written, and read again, the same. */
static void come_back(const struct ladder *ladder) {
    struct buf text = {0};
    struct json *root = NULL;
    struct ladder again = {0};
    struct err err = {0};
    struct writer w = writer_of(&text);
    ladder_write(ladder, &w, NULL);
    int failed = json_tree_parse(&root, text.data, text.size, &err);
    assert(failed == 0);
    struct reader r = reader_of(root, "fuzz", &err);
    failed = ladder_read(&again, &r, &err);
    assert(failed == 0);
    json_tree_destroy(root);
    buf_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct ladder ladder;
    if (ladder_parse(&ladder, "fuzz.yaml", data, size, NULL) == 0) {
        come_back(&ladder);
    }
    return 0;
}
