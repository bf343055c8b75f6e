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

void index_build(struct source_document *document, const struct access_candidate *candidates,
                 size_t count, const struct frame_clock *clock) {
    int64_t spacing = (int64_t)(rational_value(document->timeline.rate) / 2);
    int64_t fewest = document->timeline.frames / INDEX_MAX + 1;
    spacing = spacing > fewest ? spacing : fewest;
    document->access = arena_zero(&document->arena, count, sizeof(*document->access));
    document->access_count = 0;
    for (size_t i = 0; i < count; i++) {
        struct random_access access = access_of(&candidates[i], clock);
        size_t kept = document->access_count;
        if (kept > 0 && access.frame - document->access[kept - 1].frame < spacing) {
            continue;
        }
        document->access[document->access_count++] = access;
    }
}
