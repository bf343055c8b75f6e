/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boxes on the top level of an ISO media file: see outline.h. */
#include "outline.h"

#include <string.h>

#include "common/buf.h"
#include "common/mem.h"

enum {
    BOX_HEADER = 16,
    MAX_BOXES = 4096,
    SCAN_BYTES = 1 << 20, /* of moov, to find encrypted sample entries and fragments */
};

static const char *const first_boxes[] = {"ftyp", "moov", "mdat", "free", "skip", "wide",
                                          "styp", "sidx", "pnot", "uuid", "emsg", NULL};

int outline_read_exact(const struct source_io *io, int64_t offset, uint8_t *data, size_t size,
                       struct err *err) {
    size_t done = 0;
    while (done < size) {
        int64_t got = io->read(io->context, offset + (int64_t)done, data + done, size - done, err);
        if (got < 0) {
            return err_set(err, (enum err_code)got, "cannot read the source");
        }
        if (got == 0) {
            return 0;
        }
        done += (size_t)got;
    }
    return 1;
}

/* Looks for what changes how the file is read. */
static int scan_moov(struct outline *outline, const struct source_io *io, int64_t offset,
                     int64_t size, struct err *err) {
    size_t length = size < SCAN_BYTES ? (size_t)size : SCAN_BYTES;
    uint8_t *data = mem_try(length);
    if (data == NULL) {
        return 0;
    }
    int status = outline_read_exact(io, offset, data, length, err);
    if (status > 0) {
        outline->encrypted = memmem(data, length, "encv", 4) != NULL;
        outline->fragmented = memmem(data, length, "mvex", 4) != NULL;
    }
    mem_free(data);
    return status < 0 ? status : 0;
}

static bool is_first_box(const uint8_t *type) {
    for (int i = 0; first_boxes[i] != NULL; i++) {
        if (memcmp(type, first_boxes[i], 4) == 0) {
            return true;
        }
    }
    return false;
}

/* The size of a box with the header at `header`, which ends the file where it says 0. */
static int64_t box_size(const uint8_t *header, int64_t left) {
    struct bytes bytes = bytes_of(header, BOX_HEADER);
    uint64_t size = bytes_u32(&bytes);
    bytes_take(&bytes, 4);
    if (size == 1) {
        size = bytes_u64(&bytes);
    } else if (size == 0) {
        return left;
    }
    return size > INT64_MAX ? INT64_MAX : (int64_t)size;
}

int outline_find(struct box_span *out, const struct source_io *io, struct box_span within,
                 const char *type, int index, struct err *err) {
    int64_t offset = within.start;
    for (int i = 0; i < MAX_BOXES && offset + 8 <= within.end; i++) {
        uint8_t header[BOX_HEADER] = {0};
        int64_t left = within.end - offset;
        size_t wanted = left < BOX_HEADER ? (size_t)left : BOX_HEADER;
        int status = outline_read_exact(io, offset, header, wanted, err);
        if (status <= 0) {
            return status;
        }
        int64_t size = box_size(header, left);
        bool wide = memcmp(header, "\0\0\0\1", 4) == 0; /* with a size of 64 bits */
        int64_t skip = wide ? BOX_HEADER : BOX_HEADER / 2;
        if (size < skip || size > left) {
            return 0;
        }
        if (memcmp(header + 4, type, 4) == 0 && index-- == 0) {
            *out = (struct box_span){offset + skip, offset + size};
            return 1;
        }
        offset += size;
    }
    return 0;
}

int outline_read(struct outline *out, const struct source_io *io, struct err *err) {
    struct outline outline = {0};
    int64_t offset = 0;
    int status = 0;
    for (int i = 0; i < MAX_BOXES && offset + 8 <= io->size && !outline.fragmented; i++) {
        uint8_t header[BOX_HEADER] = {0};
        int64_t left = io->size - offset;
        status = outline_read_exact(io, offset, header,
                                    left < BOX_HEADER ? (size_t)left : BOX_HEADER, err);
        if (status <= 0) {
            break;
        }
        const uint8_t *type = header + 4;
        outline.iso = outline.iso || (i == 0 && is_first_box(type));
        int64_t size = box_size(header, left);
        if (!outline.iso || size < 8) {
            break;
        }
        outline.cut = size > left;
        if (outline.cut) {
            break;
        }
        if (memcmp(type, "moov", 4) == 0) {
            outline.moov = true;
            outline.moov_end = offset + size;
            status = scan_moov(&outline, io, offset, size, err);
            if (status < 0) {
                break;
            }
        }
        offset += size;
    }
    if (status < 0) {
        return status;
    }
    *out = outline;
    return 0;
}

int outline_refusal(const struct source_io *io, const char *otherwise, struct err *err) {
    struct outline outline = {0};
    int status = outline_read(&outline, io, err);
    if (status != 0) {
        return status;
    }
    if (outline.encrypted) {
        status = err_set(err, ERR_UNSUPPORTED,
                         "its pictures are encrypted (Common Encryption); give the clear file");
    } else if (outline.iso && !outline.moov && outline.cut) {
        status = err_set(err, ERR_CORRUPT,
                         "it ends before its header (the moov box): the file was cut off; upload "
                         "it again from the original");
    } else if (outline.iso && !outline.moov) {
        status = err_set(err, ERR_CORRUPT,
                         "it has no header (no readable moov box): the recording was not finished "
                         "or the file is damaged; upload it again from the original");
    } else {
        status = err_set(err, ERR_CORRUPT, "%s; check that it plays elsewhere, and upload it again",
                         otherwise);
    }
    return status;
}

/* ---- Fragments -------------------------------------------------------------- */

void fragment_trail_start(struct fragment_trail *trail, int64_t moov_end) {
    *trail = (struct fragment_trail){.next = moov_end};
}

void fragment_trail_finish(struct fragment_trail *trail) {
    mem_free(trail->fragments);
    *trail = (struct fragment_trail){0};
}

static void add_fragment(struct fragment_trail *trail, int64_t offset) {
    size_t count = trail->count;
    if ((count & (count - 1)) == 0) {
        size_t capacity = count == 0 ? 1 : 2 * count;
        trail->fragments = mem_resize(trail->fragments, capacity, sizeof(int64_t));
    }
    trail->fragments[trail->count++] = offset;
}

/* Of the box whose header is being seen: a longer one tells so with its first four bytes. No
 * more is waited for, since the next box may begin right behind. */
static size_t header_bytes(const struct fragment_trail *trail) {
    bool wide = trail->seen >= BOX_HEADER / 2 && memcmp(trail->header, "\0\0\0\1", 4) == 0;
    return wide ? BOX_HEADER : BOX_HEADER / 2;
}

void fragment_trail_see(struct fragment_trail *trail, int64_t offset, const uint8_t *data,
                        size_t size) {
    for (;;) {
        int64_t wanted = trail->next + (int64_t)trail->seen;
        if (wanted < offset || wanted >= offset + (int64_t)size) {
            return;
        }
        while (trail->seen < header_bytes(trail) && wanted < offset + (int64_t)size) {
            trail->header[trail->seen++] = data[wanted++ - offset];
        }
        int64_t shortest = (int64_t)header_bytes(trail);
        if ((int64_t)trail->seen < shortest) {
            return;
        }
        int64_t length = box_size(trail->header, INT64_MAX);
        if (memcmp(trail->header + 4, "moof", 4) == 0) {
            add_fragment(trail, trail->next);
        }
        trail->seen = 0;
        trail->next = length < shortest || length > INT64_MAX - trail->next ? INT64_MAX / 2
                                                                            : trail->next + length;
    }
}

int64_t fragment_trail_before(const struct fragment_trail *trail, int64_t position) {
    size_t low = 0;
    size_t high = trail->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (trail->fragments[middle] <= position) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low == 0 ? -1 : trail->fragments[low - 1];
}
