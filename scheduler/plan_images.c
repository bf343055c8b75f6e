/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The poster and the storyboard of a title: their sizes, and how many pictures. */
#include <stdio.h>

#include "plan_parts.h"

enum {
    POSTER_SIDE = 1280,
    STORYBOARD_SIDE = 320,
    SHEET_SIDE = 5,        /* pictures in a row, and rows */
    STORYBOARD_S = 10,     /* seconds of a picture */
    STORYBOARD_MOST = 200, /* pictures: of longer titles each stands for more */
};

/* The source's size within a square of that side, as even numbers. */
static void fit(struct image_spec *spec, const struct video_facts *video, int side) {
    int largest = video->width > video->height ? video->width : video->height;
    int to = largest < side ? largest : side;
    int width = (int)ticks_scale(video->width, to, 2 * (int64_t)largest, ROUND_NEAR) * 2;
    int height = (int)ticks_scale(video->height, to, 2 * (int64_t)largest, ROUND_NEAR) * 2;
    spec->width = width > 2 ? width : 2;
    spec->height = height > 2 ? height : 2;
}

static void lay_out(struct image_spec *spec, const struct timeline *timeline) {
    int64_t second = ticks_scale(timeline->rate.num, 1, timeline->rate.den, ROUND_UP);
    int64_t least = (timeline->frames + STORYBOARD_MOST - 1) / STORYBOARD_MOST;
    spec->interval_frames =
        ticks_scale(timeline->rate.num, STORYBOARD_S, timeline->rate.den, ROUND_NEAR);
    if (spec->interval_frames < least) { /* whole seconds, as people count */
        spec->interval_frames = (least + second - 1) / second * second;
    }
    spec->count = (int)((timeline->frames + spec->interval_frames - 1) / spec->interval_frames);
    spec->columns = spec->count < SHEET_SIDE ? spec->count : SHEET_SIDE;
    int rows = (spec->count + SHEET_SIDE - 1) / SHEET_SIDE;
    spec->rows = rows < SHEET_SIDE ? rows : SHEET_SIDE;
}

const char *plan_image_id(enum image_kind kind) {
    static const char *const ids[] = {[IMAGE_POSTER] = "poster", [IMAGE_STORYBOARD] = "storyboard"};
    return ids[kind];
}

void plan_images(struct title_plan *title, const struct ladder *ladder,
                 const struct announced_encoder *row) {
    static const int sides[] = {[IMAGE_POSTER] = POSTER_SIDE, [IMAGE_STORYBOARD] = STORYBOARD_SIDE};
    for (int kind = 0; row != NULL && kind < IMAGE_KIND_COUNT; kind++) {
        struct rendition_plan *rendition = &title->renditions[title->rendition_count++];
        rendition->is_image = true;
        rendition->build_line = arena_string(&title->arena, row->build_line);
        rendition->image = (struct image_spec){.kind = (enum image_kind)kind,
                                               .deinterlace = ladder->deinterlace,
                                               .interval_frames = title->source.timeline.frames,
                                               .count = 1,
                                               .columns = 1,
                                               .rows = 1};
        snprintf(rendition->id, sizeof(rendition->id), "%s", plan_image_id((enum image_kind)kind));
        fit(&rendition->image, &title->source.video, sides[kind]);
        if (kind == IMAGE_STORYBOARD) {
            lay_out(&rendition->image, &title->source.timeline);
        } else {
            rendition->image.count =
                image_poster_sizes(rendition->image.width, rendition->image.height);
        }
    }
}
