/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title document, as a worker reads it that pushes the version to an edge. */
#include <assert.h>

#include "common/mem.h"
#include "harness.h"
#include "workers/edges/push_order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct push_version version = {0};
    if (push_version_read(&version, "0123456789abcdef", data, size, 720, NULL) == 0) {
        for (size_t i = 0; i < version.count; i++) {
            size_t rendition = version.count;
            int64_t number = -1;
            char *path = mem_format("%s/00001.m4s", version.renditions[i].folder);
            if (push_place(&version, path, &rendition, &number)) {
                assert(rendition < version.count && number >= 0);
            }
            mem_free(path);
        }
    }
    push_version_finish(&version);
    return 0;
}
