/* SPDX-License-Identifier: GPL-2.0-or-later */
/* XML of any kind. */
#include "common/xml.h"
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct arena arena = {0};
    struct xml_node *root = NULL;
    xml_read(&root, &arena, data, size, NULL);
    arena_finish(&arena);
    return 0;
}
