/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a sample entry says of how its pictures are to be shown: see cmaf_reader.h. */
#include <string.h>

#include "cmaf_reader.h"

static int colour_read(struct init_facts *out, const struct mp4_box *entry, struct err *err) {
    struct mp4_box box;
    int failed = mp4_child_maybe(entry, "colr", &box, &out->has_colour, err);
    if (failed != 0 || !out->has_colour) {
        return failed;
    }
    const uint8_t *kind = bytes_take(&box.body, 4);
    out->signal.primaries = bytes_u16(&box.body);
    out->signal.transfer = bytes_u16(&box.body);
    out->signal.matrix = bytes_u16(&box.body);
    out->signal.full_range = (bytes_u8(&box.body) & 0x80) != 0;
    if (kind == NULL || memcmp(kind, "nclx", 4) != 0) {
        return err_set(err, ERR_CORRUPT, "box colr is not of kind nclx");
    }
    return mp4_done(&box, err);
}

static int aspect_read(struct init_facts *out, const struct mp4_box *entry, struct err *err) {
    struct mp4_box box;
    int failed = mp4_child_maybe(entry, "pasp", &box, &out->has_aspect, err);
    if (failed != 0 || !out->has_aspect) {
        return failed;
    }
    out->aspect_wide = bytes_u32(&box.body);
    out->aspect_high = bytes_u32(&box.body);
    out->signal.square_pixels = out->aspect_wide == out->aspect_high;
    return mp4_done(&box, err);
}

/* SMPTE ST 2086: in the order of the box, green, blue, red and the white point. */
static int mastering_read(struct init_facts *out, const struct mp4_box *entry, struct err *err) {
    struct mp4_box box;
    int failed = mp4_child_maybe(entry, "mdcv", &box, &out->has_mastering, err);
    if (failed != 0 || !out->has_mastering) {
        return failed;
    }
    for (int i = 0; i < 8; i++) {
        out->mastering[i] = bytes_u16(&box.body);
    }
    out->luminance[0] = bytes_u32(&box.body);
    out->luminance[1] = bytes_u32(&box.body);
    return mp4_done(&box, err);
}

static int light_read(struct init_facts *out, const struct mp4_box *entry, struct err *err) {
    struct mp4_box box;
    int failed = mp4_child_maybe(entry, "clli", &box, &out->has_light, err);
    if (failed != 0 || !out->has_light) {
        return failed;
    }
    out->light[0] = bytes_u16(&box.body);
    out->light[1] = bytes_u16(&box.body);
    return mp4_done(&box, err);
}

/* Boxes of the same meaning in other units, which the files of WebM brought here. */
static int foreign_read(struct init_facts *out, const struct mp4_box *entry, struct err *err) {
    static const char *const names[] = {"SmDm", "CoLL"};
    int failed = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && failed == 0; i++) {
        struct mp4_box box;
        bool found = false;
        failed = mp4_child_maybe(entry, names[i], &box, &found, err);
        out->foreign_mastering |= found;
    }
    return failed;
}

int picture_boxes_read(struct init_facts *out, const struct mp4_box *entry, struct err *err) {
    static int (*const reads[])(struct init_facts *, const struct mp4_box *, struct err *) = {
        colour_read, aspect_read, mastering_read, light_read, foreign_read};
    int failed = 0;
    out->signal = picture_signal_silent();
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]) && failed == 0; i++) {
        failed = reads[i](out, entry, err);
    }
    return failed;
}
