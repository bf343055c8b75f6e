/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boxes of ISO/IEC 14496-12: see mp4_box.h. */
#include "mp4_box.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

size_t mp4_open(struct buf *out, const char *type) {
    size_t mark = out->size;
    buf_u32(out, 0);
    buf_append(out, type, 4);
    return mark;
}

size_t mp4_full_open(struct buf *out, const char *type, uint8_t version, uint32_t flags) {
    size_t mark = mp4_open(out, type);
    buf_u8(out, version);
    buf_u24(out, flags);
    return mark;
}

void mp4_close(struct buf *out, size_t mark) {
    assert(out->size - mark >= 8 && out->size - mark <= UINT32_MAX);
    buf_put_u32(out, mark, (uint32_t)(out->size - mark));
}

int mp4_next(struct bytes *from, struct mp4_box *out, struct err *err) {
    size_t left = bytes_left(from);
    if (left < 8) {
        return err_set(err, ERR_CORRUPT, "a box header is cut short: %zu bytes are left", left);
    }
    struct mp4_box box = {.start = from->data + from->at};
    uint64_t size = bytes_u32(from);
    const uint8_t *type = bytes_take(from, 4);
    size_t header = 8;
    if (size == 1) {
        size = bytes_u64(from);
        header = 16;
    }
    for (int i = 0; i < 4; i++) {
        box.type[i] = type[i] >= 0x20 && type[i] < 0x7f ? (char)type[i] : '?';
    }
    if (size < header || size > left) {
        return err_set(err, ERR_CORRUPT, "box %s says it has %" PRIu64 " bytes and %zu are left",
                       box.type, size, left);
    }
    box.size = (size_t)size;
    box.body = bytes_of(box.start + header, box.size - header);
    bytes_take(from, box.size - header);
    *out = box;
    return 0;
}

bool mp4_is(const struct mp4_box *box, const char *type) {
    return memcmp(box->type, type, 4) == 0;
}

void mp4_full(struct mp4_box *box) {
    box->version = bytes_u8(&box->body);
    box->flags = bytes_u24(&box->body);
}

int mp4_child_maybe(const struct mp4_box *parent, const char *type, struct mp4_box *out,
                    bool *found, struct err *err) {
    struct bytes in = parent->body;
    struct mp4_box child;
    *found = false;
    while (bytes_left(&in) > 0) {
        int failed = mp4_next(&in, &child, err);
        if (failed != 0) {
            err_wrap(err, "in box %s", parent->type);
            return failed;
        }
        if (!mp4_is(&child, type)) {
            continue;
        }
        if (*found) {
            return err_set(err, ERR_CORRUPT, "box %s holds two %s", parent->type, type);
        }
        *out = child;
        *found = true;
    }
    return 0;
}

int mp4_child(const struct mp4_box *parent, const char *type, struct mp4_box *out,
              struct err *err) {
    bool found;
    int failed = mp4_child_maybe(parent, type, out, &found, err);
    if (failed == 0 && !found) {
        failed = err_set(err, ERR_CORRUPT, "box %s holds no %s", parent->type, type);
    }
    return failed;
}

int mp4_full_child(const struct mp4_box *parent, const char *type, struct mp4_box *out,
                   struct err *err) {
    int failed = mp4_child(parent, type, out, err);
    if (failed == 0) {
        mp4_full(out);
    }
    return failed;
}

int mp4_done(const struct mp4_box *box, struct err *err) {
    if (box->body.short_read) {
        return err_set(err, ERR_CORRUPT, "box %s is too short for its fields", box->type);
    }
    if (bytes_left(&box->body) > 0) {
        return err_set(err, ERR_CORRUPT, "box %s has %zu bytes after its last field", box->type,
                       bytes_left(&box->body));
    }
    return 0;
}

void mp4_path_at(const uint8_t *data, size_t size, size_t offset, char *out, size_t out_size) {
    static const char *const containers[] = {"moov", "trak", "edts", "mdia", "minf",
                                             "dinf", "stbl", "mvex", "moof", "traf"};
    struct bytes in = bytes_of(data, size);
    struct mp4_box box;
    size_t used = 0;
    out[0] = '\0';
    while (bytes_left(&in) > 0 && mp4_next(&in, &box, NULL) == 0) {
        size_t at = (size_t)(box.start - data);
        if (offset < at || offset - at >= box.size) {
            continue;
        }
        int more = snprintf(out + used, out_size - used, "%s%s", used > 0 ? "/" : "", box.type);
        used += (size_t)more < out_size - used ? (size_t)more : 0;
        in = bytes_of(NULL, 0);
        for (size_t i = 0; i < sizeof(containers) / sizeof(containers[0]); i++) {
            if (mp4_is(&box, containers[i])) {
                in = box.body;
            }
        }
    }
}
