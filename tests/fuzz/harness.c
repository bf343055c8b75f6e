/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What fuzz targets share: see harness.h. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads the text and appends what it is written as to `again`; the error's code. */
static int take(const void *text, size_t size, fuzz_read *read, struct buf *again,
                struct err *err) {
    struct json *root = NULL;
    if (json_tree_parse(&root, text, size, err) == 0) {
        struct reader r = reader_of(root, "fuzz", err);
        struct writer w = writer_of(again);
        read(&r, &w);
        json_tree_destroy(root);
    }
    return err->code;
}

void fuzz_json(const uint8_t *data, size_t size, fuzz_read *read) {
    struct buf first = {0};
    struct buf second = {0};
    struct err err = {0};
    if (take(data, size, read, &first, &err) == 0) {
        if (take(first.data, first.size, read, &second, &err) != 0 || first.size != second.size ||
            memcmp(first.data, second.data, first.size) != 0) {
            fprintf(stderr, "does not come back: %s\n%s\n%s\n", err.message, buf_text(&first),
                    buf_text(&second));
            abort();
        }
    }
    buf_finish(&first);
    buf_finish(&second);
}
