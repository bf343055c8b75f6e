/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Decoded frames made upright and planar: see upright.h. At most two copies a frame,
 * none for what most decoders give: `unpacked` makes planes of 4:0:0 to 4:4:4 from any
 * other layout, `stored` turns them.
 */
#include "upright.h"

#include <libavutil/pixdesc.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum { BLOCK = 64, SIDE_MIN = 2 };

struct planes {
    uint8_t *data[3]; /* owned */
    ptrdiff_t stride[3];
};

/* What lies beside the samples of one axis, so that chroma samples are whole and their
 * site has a name. */
struct axis {
    int size;   /* luma samples shown */
    int left;   /* samples before the first, in luma and in chroma */
    int stored; /* luma samples in all */
    int site;   /* of chroma sample 0 to luma sample 0, in half luma samples */
};

struct upright {
    const struct video_facts *facts; /* borrowed */
    int width;                       /* of the last frame; 0 before it */
    int height;
    int pixel_format;
    const AVPixFmtDescriptor *desc;
    int repeat_x; /* chroma is repeated 1 << repeat times: 4:1:1, 4:4:0, turned 4:2:2 */
    int repeat_y;
    bool must_unpack;
    bool must_store;
    enum chroma chroma;
    struct axis x;
    struct axis y;
    struct image_format format;
    struct planes unpacked; /* as decoded */
    struct planes stored;   /* upright */
};

struct upright *upright_create(const struct video_facts *facts) {
    struct upright *upright = mem_zero(1, sizeof(*upright));
    upright->facts = facts;
    return upright;
}

static void planes_free(struct planes *planes) {
    for (int i = 0; i < 3; i++) {
        free(planes->data[i]);
        planes->data[i] = NULL;
    }
}

void upright_destroy(struct upright *upright) {
    if (upright == NULL) {
        return;
    }
    planes_free(&upright->unpacked);
    planes_free(&upright->stored);
    mem_free(upright);
}

static bool is_rgb(const AVPixFmtDescriptor *desc) {
    return (desc->flags & (AV_PIX_FMT_FLAG_RGB | AV_PIX_FMT_FLAG_PAL)) != 0;
}

static bool is_understood(const AVPixFmtDescriptor *desc) {
    return desc != NULL &&
           (desc->flags &
            (AV_PIX_FMT_FLAG_HWACCEL | AV_PIX_FMT_FLAG_FLOAT | AV_PIX_FMT_FLAG_BAYER)) == 0 &&
           strncmp(desc->name, "xyz", 3) != 0 && strncmp(desc->name, "mono", 4) != 0 &&
           desc->comp[0].depth <= 16;
}

/* Whether the samples of each colour lie side by side in words of this machine. */
static bool is_planar(const AVPixFmtDescriptor *desc) {
    int bytes = desc->comp[0].depth > 8 ? 2 : 1;
    bool big = (desc->flags & AV_PIX_FMT_FLAG_BE) != 0;
    if ((desc->flags & (AV_PIX_FMT_FLAG_PAL | AV_PIX_FMT_FLAG_BITSTREAM)) != 0 ||
        (bytes == 2 && big != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))) {
        return false;
    }
    for (int i = 0; i < (desc->nb_components >= 3 ? 3 : 1); i++) {
        const AVComponentDescriptor *comp = &desc->comp[i];
        if (comp->step != bytes || comp->shift != 0 || comp->offset != 0 || comp->depth < 8 ||
            comp->depth != desc->comp[0].depth) {
            return false;
        }
    }
    return true;
}

/* Component of libavutil's descriptor that is our plane i: G, B, R or Y, Cb, Cr. */
static int component_of(const AVPixFmtDescriptor *desc, int i) {
    return is_rgb(desc) ? (i + 1) % 3 : i;
}

static int colours(const struct upright *upright) {
    return upright->chroma == CHROMA_400 ? 1 : 3;
}

static int sample_bytes(const struct upright *upright) {
    return upright->format.bit_depth > 8 ? 2 : 1;
}

static int halvings_x(enum chroma chroma) {
    return chroma == CHROMA_420 || chroma == CHROMA_422;
}

static int halvings_y(enum chroma chroma) {
    return chroma == CHROMA_420;
}

/* One axis of `size` luma samples with chroma sample 0 at `site`. Where turning brings
 * it to a site that H.264 has no name for (0 to `last` have one), the axis begins one
 * luma sample earlier. What has no whole chroma sample is left out. */
static struct axis make_axis(int size, bool halved, int site, int last, bool flipped) {
    struct axis axis = {.size = size, .stored = size};
    if (!halved) {
        return axis;
    }
    axis.size = size / 2 * 2;
    axis.site = flipped ? 2 - site : site;
    axis.left = axis.site > last;
    axis.stored = axis.size + 2 * axis.left;
    axis.site -= 2 * axis.left;
    return axis;
}

/* Sites of H.264's chroma locations 0 to 5, across and down (ITU-T H.264 figure E-1). */
static const int sites[6][2] = {{0, 1}, {1, 1}, {0, 0}, {1, 0}, {0, 2}, {1, 2}};

static int location_of(int across, int down) {
    for (int i = 0; i < 6; i++) {
        if (sites[i][0] == across && sites[i][1] == down) {
            return i;
        }
    }
    return 0;
}

static void make_axes(struct upright *upright) {
    const struct video_facts *facts = upright->facts;
    int location = facts->colour.chroma_location;
    const int *site = sites[location >= 0 && location < 6 ? location : 0];
    bool halved_x = halvings_x(upright->chroma);
    bool halved_y = halvings_y(upright->chroma);
    bool quarter = facts->rotation == 90 || facts->rotation == 270;
    /* the picture is mirrored in the source's own axes, then turned clockwise */
    bool flip_x = facts->mirrored != (facts->rotation == 180 || facts->rotation == 270);
    bool flip_y = facts->rotation == 180 || facts->rotation == 90;
    if (quarter) {
        upright->x = make_axis(upright->height, halved_y, site[1], 1, flip_y);
        upright->y = make_axis(upright->width, halved_x, site[0], 2, flip_x);
    } else {
        upright->x = make_axis(upright->width, halved_x, site[0], 1, flip_x);
        upright->y = make_axis(upright->height, halved_y, site[1], 2, flip_y);
    }
}

static void make_format(struct upright *upright) {
    const AVPixFmtDescriptor *desc = upright->desc;
    struct image_format *format = &upright->format;
    *format = (struct image_format){
        .width = upright->x.size,
        .height = upright->y.size,
        .left = upright->x.left,
        .top = upright->y.left,
        .stored_width = upright->x.stored,
        .stored_height = upright->y.stored,
        .chroma = upright->chroma,
        .rgb = is_rgb(desc),
        .bit_depth = desc->comp[0].depth > 8 ? desc->comp[0].depth : 8,
        .colour = upright->facts->colour,
    };
    if (strncmp(desc->name, "yuvj", 4) == 0 || format->rgb) {
        format->colour.full_range = true;
    }
    if (upright->chroma == CHROMA_420) {
        format->colour.chroma_location = location_of(upright->x.site, upright->y.site);
    } else if (upright->chroma == CHROMA_422) {
        format->colour.chroma_location = upright->x.site;
    }
}

static int planes_allocate(struct planes *planes, const struct upright *upright, int width,
                           int height, struct err *err) {
    planes_free(planes);
    for (int i = 0; i < colours(upright); i++) {
        int columns = i == 0 ? width : (width + 1) >> halvings_x(upright->chroma);
        int rows = i == 0 ? height : (height + 1) >> halvings_y(upright->chroma);
        size_t stride = (size_t)columns * (size_t)sample_bytes(upright);
        stride = (stride + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
        planes->stride[i] = (ptrdiff_t)stride;
        planes->data[i] = aligned_alloc(IMAGE_ALIGN, stride * (size_t)rows);
        if (planes->data[i] == NULL) {
            return err_set(err, ERR_INTERNAL, "out of memory for pictures of %dx%d", width, height);
        }
    }
    return 0;
}

/* Settles how frames of this size and pixel format are treated. */
static int adopt(struct upright *upright, const AVFrame *frame, struct err *err) {
    const AVPixFmtDescriptor *desc = av_pix_fmt_desc_get(frame->format);
    if (!is_understood(desc)) {
        return err_set(err, ERR_UNSUPPORTED,
                       "its pictures have the pixel format %s, which can't be "
                       "encoded",
                       desc != NULL ? desc->name : "unknown");
    }
    if (frame->width < SIDE_MIN || frame->height < SIDE_MIN) {
        return err_set(err, ERR_UNSUPPORTED, "its pictures are %dx%d, which is too small to encode",
                       frame->width, frame->height);
    }
    bool turned = upright->facts->rotation != 0 || upright->facts->mirrored;
    bool quarter = upright->facts->rotation == 90 || upright->facts->rotation == 270;
    int halve_x = desc->log2_chroma_w > 0;
    int halve_y = desc->log2_chroma_h > 0 && halve_x;
    if (quarter && halve_x != halve_y) {
        halve_x = 0; /* turned 4:2:2 would be 4:4:0 */
    }
    bool grey = desc->nb_components < 3 && !is_rgb(desc);
    upright->desc = desc;
    upright->width = frame->width;
    upright->height = frame->height;
    upright->pixel_format = frame->format;
    upright->repeat_x = desc->log2_chroma_w - halve_x;
    upright->repeat_y = desc->log2_chroma_h - halve_y;
    upright->chroma = grey ? CHROMA_400 : halve_y ? CHROMA_420 : halve_x ? CHROMA_422 : CHROMA_444;
    make_axes(upright);
    make_format(upright);
    upright->must_unpack = !is_planar(desc) || upright->repeat_x > 0 || upright->repeat_y > 0;
    upright->must_store = turned;
    planes_free(&upright->unpacked);
    planes_free(&upright->stored);
    if (upright->must_unpack) {
        return planes_allocate(&upright->unpacked, upright, frame->width, frame->height, err);
    }
    return 0;
}

/* Widens a sample of a shallow format, such as RGB565's, to 8 bits. */
static unsigned widen(unsigned value, int depth) {
    unsigned most = (1u << depth) - 1;
    return depth >= 8 ? value : (value * 255 + most / 2) / most;
}

/* Palette indices to samples of plane i; entries are native words of A, R, G, B. */
static void look_up(const AVFrame *frame, int i, uint16_t *row, int columns) {
    static const int shifts[] = {8, 0, 16};
    for (int x = 0; x < columns; x++) {
        uint32_t entry;
        memcpy(&entry, frame->data[1] + 4 * (row[x] & 255), sizeof(entry));
        row[x] = (entry >> shifts[i]) & 255;
    }
}

static void unpack_row(const struct upright *upright, const AVFrame *frame, int i, int y,
                       uint16_t *row) {
    const AVPixFmtDescriptor *desc = upright->desc;
    bool palette = (desc->flags & AV_PIX_FMT_FLAG_PAL) != 0;
    int component = palette ? 0 : component_of(desc, i);
    int depth = palette ? 8 : desc->comp[component].depth;
    int source_columns = i == 0 ? frame->width : -(-frame->width >> desc->log2_chroma_w);
    av_read_image_line2(row, (const uint8_t **)frame->data, frame->linesize, desc, 0,
                        i == 0 ? y : y >> upright->repeat_y, component, source_columns, 0, 2);
    if (palette) {
        look_up(frame, i, row, source_columns);
    }
    int repeat = i == 0 ? 0 : upright->repeat_x;
    int columns = i == 0 ? frame->width : (frame->width + 1) >> halvings_x(upright->chroma);
    if (i > 0 && halvings_x(upright->chroma) == 0) {
        columns = frame->width;
    }
    uint8_t *out = upright->unpacked.data[i] + y * upright->unpacked.stride[i];
    for (int x = 0; x < columns; x++) {
        unsigned value = widen(row[x >> repeat], depth);
        if (upright->format.bit_depth > 8) {
            uint16_t word = (uint16_t)value;
            memcpy(out + 2 * x, &word, sizeof(word));
        } else {
            out[x] = (uint8_t)value;
        }
    }
}

static int unpack(struct upright *upright, const AVFrame *frame, struct err *err) {
    uint16_t *row = mem_try(((size_t)frame->width + 8) * sizeof(*row));
    if (row == NULL) {
        return err_set(err, ERR_INTERNAL, "out of memory for a row of %d pixels", frame->width);
    }
    for (int i = 0; i < colours(upright); i++) {
        bool halved = i > 0 && halvings_y(upright->chroma) > 0;
        int rows = halved ? (frame->height + 1) / 2 : frame->height;
        for (int y = 0; y < rows; y++) {
            unpack_row(upright, frame, i, y, row);
        }
    }
    mem_free(row);
    return 0;
}

/* Copies columns x rows samples to `to`, reading from `from` on in steps of step_x and
 * step_y bytes, in blocks since turned rows are columns. */
static void copy_turned(uint8_t *to, ptrdiff_t to_stride, const uint8_t *from, ptrdiff_t step_x,
                        ptrdiff_t step_y, int columns, int rows, int bytes) {
    for (int left = 0; left < columns; left += BLOCK) {
        int right = left + BLOCK < columns ? left + BLOCK : columns;
        for (int y = 0; y < rows; y++) {
            const uint8_t *source = from + y * step_y + left * step_x;
            uint8_t *target = to + y * to_stride + left * bytes;
            for (int x = left; x < right; x++) {
                target[0] = source[0];
                if (bytes == 2) {
                    target[1] = source[1];
                }
                target += bytes;
                source += step_x;
            }
        }
    }
}

/* Repeats the outermost samples into what lies beside them. */
static void fill_edges(uint8_t *plane, ptrdiff_t stride, int left, int columns, int stored_columns,
                       int top, int rows, int stored_rows, int bytes) {
    for (int y = top; y < top + rows; y++) {
        uint8_t *row = plane + y * stride;
        for (int x = 0; x < stored_columns; x++) {
            if (x < left || x >= left + columns) {
                int nearest = x < left ? left : left + columns - 1;
                memcpy(row + x * bytes, row + nearest * bytes, (size_t)bytes);
            }
        }
    }
    for (int y = 0; y < stored_rows; y++) {
        if (y < top || y >= top + rows) {
            int nearest = y < top ? top : top + rows - 1;
            memcpy(plane + y * stride, plane + nearest * stride,
                   (size_t)stored_columns * (size_t)bytes);
        }
    }
}

static void store_plane(struct upright *upright, int i, const uint8_t *data, ptrdiff_t stride) {
    const struct video_facts *facts = upright->facts;
    int bytes = sample_bytes(upright);
    int halve_x = i > 0 && halvings_x(upright->chroma);
    int halve_y = i > 0 && halvings_y(upright->chroma);
    bool quarter = facts->rotation == 90 || facts->rotation == 270;
    int columns = upright->x.size >> halve_x;
    int rows = upright->y.size >> halve_y;
    int width = quarter ? rows : columns; /* as decoded */
    int height = quarter ? columns : rows;
    ptrdiff_t across = facts->mirrored ? -bytes : bytes; /* to the right, as seen mirrored */
    const uint8_t *corner = data + (facts->mirrored ? (width - 1) * bytes : 0);
    ptrdiff_t step_x = across;
    ptrdiff_t step_y = stride;
    if (facts->rotation == 90) {
        corner += (height - 1) * stride;
        step_x = -stride;
        step_y = across;
    } else if (facts->rotation == 180) {
        corner += (height - 1) * stride + (width - 1) * across;
        step_x = -across;
        step_y = -stride;
    } else if (facts->rotation == 270) {
        corner += (width - 1) * across;
        step_x = stride;
        step_y = -across;
    }
    int left = upright->x.left;
    int top = upright->y.left;
    uint8_t *plane = upright->stored.data[i];
    ptrdiff_t to_stride = upright->stored.stride[i];
    copy_turned(plane + top * to_stride + left * bytes, to_stride, corner, step_x, step_y, columns,
                rows, bytes);
    fill_edges(plane, to_stride, left, columns, upright->x.stored >> halve_x, top, rows,
               upright->y.stored >> halve_y, bytes);
}

static bool is_aligned(const struct upright *upright, const struct image *image) {
    for (int i = 0; i < colours(upright); i++) {
        if ((uintptr_t)image->plane[i] % IMAGE_ALIGN != 0 || image->stride[i] % IMAGE_ALIGN != 0) {
            return false;
        }
    }
    return true;
}

/* The frame's own planes, or those that were unpacked from it. */
static struct image source_image(const struct upright *upright, const AVFrame *frame) {
    struct image image = {0};
    for (int i = 0; i < colours(upright); i++) {
        int plane = upright->desc->comp[component_of(upright->desc, i)].plane;
        image.plane[i] = upright->must_unpack ? upright->unpacked.data[i] : frame->data[plane];
        image.stride[i] = upright->must_unpack ? upright->unpacked.stride[i]
                                               : frame->linesize[plane];
    }
    return image;
}

static int store(struct upright *upright, struct image *image, bool same, struct err *err) {
    if (upright->stored.data[0] == NULL) {
        int rc =
            planes_allocate(&upright->stored, upright, upright->x.stored, upright->y.stored, err);
        if (rc < 0) {
            upright->width = 0;
            return rc;
        }
        same = false;
    }
    for (int i = 0; i < colours(upright); i++) {
        if (!same) {
            store_plane(upright, i, image->plane[i], image->stride[i]);
        }
        image->plane[i] = upright->stored.data[i];
        image->stride[i] = upright->stored.stride[i];
    }
    return 0;
}

int upright_convert(struct upright *upright, const AVFrame *frame, bool same,
                    const struct image_format **format, struct image *image, struct err *err) {
    int rc = 0;
    if (frame->width != upright->width || frame->height != upright->height ||
        frame->format != upright->pixel_format) {
        same = false;
        rc = adopt(upright, frame, err);
        if (rc < 0) {
            upright->width = 0; /* nothing is settled */
            return rc;
        }
    }
    if (upright->must_unpack && !same) {
        rc = unpack(upright, frame, err);
        if (rc < 0) {
            return rc;
        }
    }
    struct image source = source_image(upright, frame);
    if (upright->must_store || !is_aligned(upright, &source)) {
        rc = store(upright, &source, same, err);
        if (rc < 0) {
            return rc;
        }
    }
    *format = &upright->format;
    *image = source;
    return 0;
}
