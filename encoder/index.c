/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random access points as frames of the timeline: see index.h. */
#include "index.h"

static struct random_access access_of(const struct access_candidate *candidate,
                                      const struct frame_clock *clock) {
    int64_t exact = candidate->exact_pts != INT64_MIN ? candidate->exact_pts : candidate->pts;
    return (struct random_access){
        .frame = frame_clock_slot(clock, exact),
        .pts = candidate->pts,
        .dts = candidate->dts,
        .position = candidate->position,
    };
}

void index_build(struct source_document *document, const struct pass *pass,
                 const struct frame_clock *clock) {
    int64_t spacing = (int64_t)(rational_value(document->timeline.rate) / 2);
    int64_t fewest = document->timeline.frames / INDEX_MAX + 1;
    spacing = spacing > fewest ? spacing : fewest;
    document->access = arena_zero(&document->arena, pass->access_count, sizeof(*document->access));
    document->access[0] = access_of(&pass->accesses[0], clock);
    document->access_count = 1;
    /* Nothing is before the first, and pictures shown before its own may be exact. */
    int64_t first = frame_clock_slot(clock, pass->pts[0]);
    if (first < document->access[0].frame) {
        document->access[0].frame = first;
    }
    for (size_t i = 1; i < pass->access_count; i++) {
        struct random_access access = access_of(&pass->accesses[i], clock);
        size_t kept = document->access_count;
        if (access.frame - document->access[kept - 1].frame >= spacing) {
            document->access[document->access_count++] = access;
        }
    }
}
