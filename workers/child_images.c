/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The child of an images task: a poster, or a storyboard's sheets with their list. */
#include "child.h"

#include "common/buf.h"
#include "packager/packager.h"

/* Object 0 goes as an init segment does, without a codec's record. */
static int object_send(void *context, int64_t number, const uint8_t *data, size_t size,
                       struct err *err) {
    struct child *child = context;
    if (number == 0) {
        const struct coded_config none = {0};
        const struct buf object = {.data = (uint8_t *)data, .size = size};
        return child_send_init(child, 0, &none, &object, err);
    }
    const struct segment_report report = {.number = number, .bytes = (int64_t)size, .samples = 1};
    return child_send_segment(child, 0, &report, data, size, err);
}

static int thumbnails_send(struct child *child, struct err *err) {
    struct buf text = {0};
    thumbnails_write(&child->spec.image, &child->spec.source.timeline, &text);
    int failed = object_send(child, 0, text.data, text.size, err);
    buf_finish(&text);
    return failed;
}

int child_images(struct child *child, struct err *err) {
    const struct child_spec *spec = &child->spec;
    struct encode_images_task task = {
        .source = &spec->source,
        .spec = spec->image,
        .progress = child_progress,
        .progress_context = child,
    };
    struct encode_stats stats = {0};
    int failed = spec->image.kind == IMAGE_STORYBOARD ? thumbnails_send(child, err) : 0;
    if (failed == 0) {
        failed = encoder_make_images(&task, &child->io, object_send, child, &stats, err);
    }
    child_count(child, &stats);
    return failed;
}
