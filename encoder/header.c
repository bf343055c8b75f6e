/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes that opening a container reads: see header.h. */
#include "header.h"

#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum {
    NEAR_BYTES = 4096, /* between two that are fetched as one */
    NOTES_MAX = 1 << 20,
};

void header_notes_add(struct header_notes *notes, int64_t from, int64_t to) {
    if (to <= from || notes->count >= NOTES_MAX) {
        return;
    }
    if ((notes->count & (notes->count - 1)) == 0) {
        size_t capacity = notes->count == 0 ? 1 : 2 * notes->count;
        notes->ranges = mem_resize(notes->ranges, capacity, sizeof(*notes->ranges));
    }
    notes->ranges[notes->count++] = (struct byte_range){from, to - from};
}

static int compare(const void *a, const void *b) {
    const struct byte_range *one = a;
    const struct byte_range *other = b;
    return (one->offset > other->offset) - (one->offset < other->offset);
}

/* Sorts them and makes one of those that touch or nearly do. */
static void join(struct header_notes *notes) {
    struct byte_range *ranges = notes->ranges;
    size_t kept = 0;
    if (notes->count == 0) {
        return;
    }
    qsort(ranges, notes->count, sizeof(*ranges), compare);
    for (size_t i = 1; i < notes->count; i++) {
        int64_t end = ranges[kept].offset + ranges[kept].size;
        if (ranges[i].offset > end + NEAR_BYTES) {
            ranges[++kept] = ranges[i];
        } else if (ranges[i].offset + ranges[i].size > end) {
            ranges[kept].size = ranges[i].offset + ranges[i].size - ranges[kept].offset;
        }
    }
    notes->count = kept + 1;
}

void header_notes_give(struct header_notes *notes, struct source_document *document) {
    int64_t bytes = 0;
    join(notes);
    for (size_t i = 0; i < notes->count; i++) {
        bytes += notes->ranges[i].size;
    }
    if (notes->count == 0 || notes->count > HEADER_RANGES_MAX || bytes > HEADER_BYTES_MAX) {
        return;
    }
    document->header_count = notes->count;
    document->header = arena_zero(&document->arena, notes->count, sizeof(*document->header));
    memcpy(document->header, notes->ranges, notes->count * sizeof(*document->header));
}

void header_notes_finish(struct header_notes *notes) {
    mem_free(notes->ranges);
    *notes = (struct header_notes){0};
}
