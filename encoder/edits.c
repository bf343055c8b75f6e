/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which parts of a track's media are shown, and when: see edits.h. */
#include "edits.h"

#include "common/buf.h"
#include "common/mem.h"
#include "outline.h"

enum {
    EMPTY = -1,
    HEADER_BYTES = 32,     /* of mvhd and mdhd, up to the timescale */
    ELST_HEADER = 8,       /* version, flags, count */
    LONGEST_S = 100000000, /* three years: ticks of any timescale then fit 60 bits */
    SLACK_PER_S = 1000,
};

static const int64_t normal_rate = 1 << 16;

/* Of all that the list's numbers count in. */
struct scales {
    int64_t movie;
    int64_t media;
};

/* The timescale of an mvhd or mdhd box, which have it at the same place (8.2.2, 8.4.2):
 * 1, 0 where it says none. */
static int read_timescale(int64_t *out, const struct source_io *io, struct box_span box,
                          struct err *err) {
    uint8_t header[HEADER_BYTES] = {0};
    int64_t length = box.end - box.start;
    size_t size = length < HEADER_BYTES ? (size_t)length : HEADER_BYTES;
    int status = outline_read_exact(io, box.start, header, size, err);
    struct bytes bytes = bytes_of(header, size);
    bool wide = bytes_u8(&bytes) == 1;
    bytes_take(&bytes, wide ? 3 + 8 + 8 : 3 + 4 + 4);
    int64_t scale = bytes_u32(&bytes);
    if (status <= 0 || bytes.short_read || scale == 0) {
        return status < 0 ? status : 0;
    }
    *out = scale;
    return 1;
}

static bool fits(int64_t ticks, int64_t scale) {
    return ticks >= 0 && ticks / scale < LONGEST_S;
}

/* Takes the rows of an elst box (8.6.6.2): false where they make no sense here. */
static bool take_rows(struct edit_list *list, struct bytes *bytes, struct scales scales) {
    bool wide = bytes_u8(bytes) == 1;
    bytes_take(bytes, 3);
    size_t rows = bytes_u32(bytes);
    int64_t before = 0; /* duration of the rows so far, of the movie's ticks */
    for (size_t i = 0; i < rows; i++) {
        uint64_t duration = wide ? bytes_u64(bytes) : bytes_u32(bytes);
        int64_t start = wide ? (int64_t)bytes_u64(bytes) : (int32_t)bytes_u32(bytes);
        int64_t rate = bytes_u32(bytes);
        bool last = i + 1 == rows;
        if (bytes->short_read || duration > INT64_MAX / 2 || rate != normal_rate ||
            !fits(before + (int64_t)duration, scales.movie) ||
            (start != EMPTY && !fits(start, scales.media))) {
            return false;
        }
        int64_t shown = ticks_scale(before, scales.media, scales.movie, ROUND_NEAR);
        before += (int64_t)duration;
        int64_t end = duration == 0 && last
                          ? LONGEST_S * scales.media
                          : ticks_scale(before, scales.media, scales.movie, ROUND_NEAR);
        if (start != EMPTY && end > shown) {
            list->edits[list->count++] = (struct edit){start, start + end - shown, shown - start};
        }
    }
    return true;
}

/* Reads an elst box. */
static int read_list(struct edit_list *list, const struct source_io *io, struct box_span box,
                     struct scales scales, struct err *err) {
    enum { ROW_BYTES = 20 };
    int64_t length = box.end - box.start;
    if (length < ELST_HEADER || length > ELST_HEADER + EDITS_MAX * ROW_BYTES) {
        return 0;
    }
    uint8_t *data = mem_zero((size_t)length, 1);
    int status = outline_read_exact(io, box.start, data, (size_t)length, err);
    if (status > 0) {
        struct bytes bytes = bytes_of(data, (size_t)length);
        list->edits = mem_zero((size_t)length / 12 + 1, sizeof(*list->edits));
        list->slack = scales.media / SLACK_PER_S;
        if (!take_rows(list, &bytes, scales)) {
            edits_finish(list);
        }
    }
    mem_free(data);
    return status < 0 ? status : 0;
}

/* Narrows the box down to the first of each type on the path: 1, 0, negative as
 * outline_find. */
static int descend(struct box_span *box, const struct source_io *io, const char *const *path,
                   struct err *err) {
    int status = 1;
    for (int i = 0; path[i] != NULL && status > 0; i++) {
        status = outline_find(box, io, *box, path[i], 0, err);
    }
    return status;
}

/* The header of a file without fragments. */
static int find_movie(struct box_span *movie, const struct source_io *io, struct err *err) {
    struct box_span fragments;
    *movie = (struct box_span){0, io->size};
    int status = outline_find(movie, io, *movie, "moov", 0, err);
    if (status <= 0) {
        return status;
    }
    status = outline_find(&fragments, io, *movie, "mvex", 0, err);
    return status < 0 ? status : !status;
}

static int find_scales(struct scales *scales, const struct source_io *io, struct box_span movie,
                       struct box_span track, struct err *err) {
    static const char *const to_movie[] = {"mvhd", NULL};
    static const char *const to_media[] = {"mdia", "mdhd", NULL};
    int status = descend(&movie, io, to_movie, err);
    if (status > 0) {
        status = read_timescale(&scales->movie, io, movie, err);
    }
    if (status > 0) {
        status = descend(&track, io, to_media, err);
    }
    return status > 0 ? read_timescale(&scales->media, io, track, err) : status;
}

int edits_read(struct edit_list *out, const struct source_io *io, int track, struct err *err) {
    static const char *const to_list[] = {"edts", "elst", NULL};
    struct box_span movie;
    struct box_span box;
    struct scales scales;
    struct edit_list list = {0};
    int status = find_movie(&movie, io, err);
    if (status > 0) {
        status = outline_find(&box, io, movie, "trak", track, err);
    }
    if (status > 0) {
        status = find_scales(&scales, io, movie, box, err);
    }
    if (status > 0) {
        status = descend(&box, io, to_list, err);
    }
    if (status > 0) {
        status = read_list(&list, io, box, scales, err);
    }
    if (status < 0) {
        return status;
    }
    *out = list;
    return 0;
}

void edits_finish(struct edit_list *list) {
    mem_free(list->edits);
    *list = (struct edit_list){0};
}

size_t edits_find(const struct edit_list *list, int64_t shift, int64_t time) {
    size_t i = 0;
    while (i < list->count && (list->edits[i].shift != shift || list->edits[i].end <= time)) {
        i++;
    }
    return i;
}
