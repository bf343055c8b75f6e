/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values of request headers that have a grammar of their own: Range, of so many bytes as the first
 * byte says, and traceparent. */
#include <assert.h>

#include "cli/media_file.h"
#include "common/mem.h"
#include "common/trace.h"
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    char *text = mem_format("%.*s", (int)(size - 1), (const char *)data + 1);
    int64_t whole = (int64_t)data[0] * data[0];
    int64_t first = 0;
    int64_t length = 0;
    if (media_range_parse(text, whole, &first, &length) == MEDIA_PART) {
        assert(first >= 0 && length > 0 && first <= whole - length);
    }
    char trace[TRACE_TEXT];
    if (trace_read(trace, text)) {
        assert(trace_valid(trace));
    }
    mem_free(text);
    return 0;
}
