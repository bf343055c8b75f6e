/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images by zimg: see picture.h. Bytes must not hang on the processor: zimg's integer
 * kernels (resize, and the changes of depth and range that is_exact lists) give equal
 * results at every cpu_type, tried over every sample value; its float kernels (matrix,
 * transfer, primaries) do not, so those conversions run on the portable ones. Spline36
 * because it keeps as much detail as Lanczos at the same cost, and its coefficients are
 * polynomials, which no processor's sin() can change.
 */
#include "picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zimg.h>

#include "common/mem.h"
#include "cpu.h"

enum { PASSES_MAX = 2, DEPTH_BETWEEN = 16 };

/* One conversion into planes of its own. */
struct pass {
    zimg_filter_graph *graph; /* owned */
    void *scratch;            /* owned */
    uint8_t *memory;          /* owned: the planes of `image` */
    struct image_format to;
    struct image image;
};

struct picture {
    struct image_format from;
    int pass_count;
    struct pass passes[PASSES_MAX];
};

static int chroma_shift_x(enum chroma chroma) {
    return chroma == CHROMA_420 || chroma == CHROMA_422;
}

static int chroma_shift_y(enum chroma chroma) {
    return chroma == CHROMA_420;
}

static int plane_count(const struct image_format *format) {
    return format->chroma == CHROMA_400 ? 1 : 3;
}

int image_rows(const struct image_format *format, int i) {
    return i == 0 ? format->stored_height : format->stored_height >> chroma_shift_y(format->chroma);
}

size_t image_row_bytes(const struct image_format *format, int i) {
    int columns = i == 0 ? format->stored_width
                         : format->stored_width >> chroma_shift_x(format->chroma);
    return (size_t)columns * (format->bit_depth > 8 ? 2 : 1);
}

/* Code points with the same meaning (ITU-T H.273) count as one; an unknown one needs
 * no conversion. */
static bool is_same_code(const int *same, int a, int b) {
    if (a == b || a == COLOUR_UNKNOWN || b == COLOUR_UNKNOWN) {
        return true;
    }
    bool has_a = false;
    bool has_b = false;
    for (; *same != 0; same++) {
        has_a = has_a || *same == a;
        has_b = has_b || *same == b;
    }
    return has_a && has_b;
}

static bool is_same_colour(const struct image_format *a, const struct image_format *b) {
    static const int primaries[] = {6, 7, 0};
    static const int transfers[] = {1, 6, 14, 15, 0};
    static const int matrices[] = {5, 6, 0};
    if (a->chroma == CHROMA_400 || b->chroma == CHROMA_400) {
        return a->rgb == b->rgb;
    }
    return a->rgb == b->rgb && is_same_code(primaries, a->colour.primaries, b->colour.primaries) &&
           is_same_code(transfers, a->colour.transfer, b->colour.transfer) &&
           (a->rgb || is_same_code(matrices, a->colour.matrix, b->colour.matrix));
}

static int chroma_location(const struct image_format *format) {
    return format->colour.chroma_location < 0 ? 0 : format->colour.chroma_location;
}

static bool is_same_shape(const struct image_format *a, const struct image_format *b) {
    bool same_sites = a->chroma == CHROMA_400 || a->chroma == CHROMA_444 ||
                      chroma_location(a) == chroma_location(b);
    return a->width == b->width && a->height == b->height && a->left == b->left &&
           a->top == b->top && a->stored_width == b->stored_width &&
           a->stored_height == b->stored_height && a->chroma == b->chroma && same_sites;
}

bool image_format_equal(const struct image_format *a, const struct image_format *b) {
    return is_same_shape(a, b) && a->bit_depth == b->bit_depth &&
           a->colour.full_range == b->colour.full_range && is_same_colour(a, b);
}

struct image_format image_format_of_spec(const struct video_spec *spec) {
    struct image_format format = {
        .width = spec->width,
        .height = spec->height,
        .stored_width = spec->width,
        .stored_height = spec->height,
        .chroma = spec->chroma,
        .rgb = spec->colour.matrix == 0 && spec->chroma == CHROMA_444,
        .bit_depth = spec->bit_depth,
        .colour = spec->colour,
    };
    return format;
}

static zimg_image_format describe(const struct image_format *format, bool grey, bool coloured) {
    zimg_image_format out;
    zimg_image_format_default(&out, ZIMG_API_VERSION);
    out.width = (unsigned)format->stored_width;
    out.height = (unsigned)format->stored_height;
    out.active_region.left = format->left;
    out.active_region.top = format->top;
    out.active_region.width = format->width;
    out.active_region.height = format->height;
    out.pixel_type = format->bit_depth > 8 ? ZIMG_PIXEL_WORD : ZIMG_PIXEL_BYTE;
    out.depth = (unsigned)format->bit_depth;
    out.pixel_range = format->colour.full_range ? ZIMG_RANGE_FULL : ZIMG_RANGE_LIMITED;
    if (grey) {
        out.color_family = ZIMG_COLOR_GREY;
        return out;
    }
    out.color_family = format->rgb ? ZIMG_COLOR_RGB : ZIMG_COLOR_YUV;
    out.subsample_w = (unsigned)chroma_shift_x(format->chroma);
    out.subsample_h = (unsigned)chroma_shift_y(format->chroma);
    out.chroma_location = (zimg_chroma_location_e)chroma_location(format);
    if (coloured) {
        out.matrix_coefficients = (zimg_matrix_coefficients_e)format->colour.matrix;
        out.transfer_characteristics = (zimg_transfer_characteristics_e)format->colour.transfer;
        out.color_primaries = (zimg_color_primaries_e)format->colour.primaries;
    }
    if (format->rgb) {
        out.matrix_coefficients = ZIMG_MATRIX_RGB;
    }
    return out;
}

static zimg_cpu_type_e kernels(bool exact) {
    if (!exact) {
        return ZIMG_CPU_NONE;
    }
#if defined(__x86_64__)
    if (cpu_is_baseline()) {
        return ZIMG_CPU_X86_SSE2;
    }
#endif
    return cpu_is_baseline() ? ZIMG_CPU_NONE : ZIMG_CPU_AUTO_64B;
}

static int fail(const char *what, struct err *err) {
    char text[256] = "";
    int code = zimg_get_last_error(text, sizeof(text));
    zimg_clear_last_error();
    if (code == ZIMG_ERROR_OUT_OF_MEMORY) {
        return err_set(err, ERR_INTERNAL, "out of memory while %s", what);
    }
    return err_set(err, ERR_UNSUPPORTED, "zimg failed while %s: %s", what, text);
}

static void *aligned(size_t size) {
    size_t rounded = (size + IMAGE_ALIGN - 1) / IMAGE_ALIGN * IMAGE_ALIGN;
    return aligned_alloc(IMAGE_ALIGN, rounded > 0 ? rounded : IMAGE_ALIGN);
}

/* Sets samples that no conversion writes: the chroma of a grey source. */
static void fill_neutral(const struct image_format *format, uint8_t *plane, size_t size) {
    if (format->bit_depth == 8) {
        memset(plane, 128, size);
        return;
    }
    uint16_t neutral = (uint16_t)(1u << (format->bit_depth - 1));
    for (size_t i = 0; i + 1 < size; i += 2) {
        memcpy(plane + i, &neutral, sizeof(neutral));
    }
}

static int allocate_planes(struct pass *pass, struct err *err) {
    size_t sizes[3] = {0};
    size_t total = 0;
    for (int i = 0; i < plane_count(&pass->to); i++) {
        size_t stride = (image_row_bytes(&pass->to, i) + IMAGE_ALIGN - 1) / IMAGE_ALIGN *
                        IMAGE_ALIGN;
        pass->image.stride[i] = (ptrdiff_t)stride;
        sizes[i] = stride * (size_t)image_rows(&pass->to, i);
        total += sizes[i];
    }
    pass->memory = aligned(total);
    if (pass->memory == NULL) {
        return err_set(err, ERR_INTERNAL, "out of memory for pictures of %dx%d", pass->to.width,
                       pass->to.height);
    }
    size_t offset = 0;
    for (int i = 0; i < plane_count(&pass->to); i++) {
        pass->image.plane[i] = pass->memory + offset;
        if (i > 0) {
            fill_neutral(&pass->to, pass->memory + offset, sizes[i]);
        }
        offset += sizes[i];
    }
    return 0;
}

static int add_pass(struct picture *picture, const struct image_format *from,
                    const struct image_format *to, bool exact, struct err *err) {
    struct pass *pass = &picture->passes[picture->pass_count++];
    pass->to = *to;
    bool grey = from->chroma == CHROMA_400 || to->chroma == CHROMA_400;
    bool coloured = !is_same_colour(from, to);
    zimg_image_format source = describe(from, grey, coloured);
    zimg_image_format target = describe(to, grey, coloured);
    zimg_graph_builder_params params;
    zimg_graph_builder_params_default(&params, ZIMG_API_VERSION);
    params.resample_filter = ZIMG_RESIZE_SPLINE36;
    params.resample_filter_uv = ZIMG_RESIZE_SPLINE36;
    params.dither_type = ZIMG_DITHER_NONE; /* ordered: 0.04 dB less SSIM after x264, equal bits */
    params.cpu_type = kernels(exact);
    pass->graph = zimg_filter_graph_build(&source, &target, &params);
    size_t scratch;
    if (pass->graph == NULL || zimg_filter_graph_get_tmp_size(pass->graph, &scratch) != 0) {
        return fail("preparing to convert pictures", err);
    }
    pass->scratch = aligned(scratch);
    if (pass->scratch == NULL) {
        return err_set(err, ERR_INTERNAL, "out of memory for pictures of %dx%d", to->width,
                       to->height);
    }
    return allocate_planes(pass, err);
}

/* Whether zimg converts depth and range the same on every processor. */
static bool is_exact(const struct image_format *from, const struct image_format *to) {
    if (!is_same_colour(from, to)) {
        return false;
    }
    if (!from->colour.full_range) {
        return !to->colour.full_range;
    }
    if (to->colour.full_range) {
        return from->bit_depth == to->bit_depth || to->bit_depth == 8;
    }
    return from->bit_depth <= 10;
}

/* All that is stored, shown or not. */
static struct image_format whole_of(const struct image_format *format) {
    struct image_format whole = *format;
    whole.left = 0;
    whole.top = 0;
    whole.width = format->stored_width;
    whole.height = format->stored_height;
    return whole;
}

static int add_passes(struct picture *picture, const struct image_format *from,
                      const struct image_format *to, struct err *err) {
    bool exact = is_exact(from, to);
    if (!exact || from->colour.full_range == to->colour.full_range) {
        return add_pass(picture, from, to, exact, err);
    }
    /* a change of range together with one of size would be done in float */
    struct image_format whole = whole_of(from);
    struct image_format between = whole;
    between.bit_depth = DEPTH_BETWEEN;
    between.colour.full_range = to->colour.full_range;
    int rc = add_pass(picture, &whole, &between, exact, err);
    if (rc < 0) {
        return rc;
    }
    struct image_format shown = *from;
    shown.bit_depth = between.bit_depth;
    shown.colour.full_range = between.colour.full_range;
    return add_pass(picture, &shown, to, exact, err);
}

int picture_create(struct picture **out, const struct image_format *from,
                   const struct image_format *to, struct err *err) {
    struct picture *picture = mem_zero(1, sizeof(*picture));
    picture->from = *from;
    int rc = add_passes(picture, from, to, err);
    if (rc < 0) {
        picture_destroy(picture);
        return rc;
    }
    *out = picture;
    return 0;
}

void picture_destroy(struct picture *picture) {
    if (picture == NULL) {
        return;
    }
    for (int i = 0; i < picture->pass_count; i++) {
        zimg_filter_graph_free(picture->passes[i].graph);
        free(picture->passes[i].scratch);
        free(picture->passes[i].memory);
    }
    mem_free(picture);
}

/* Where zimg's plane i of a format lies: it wants R, G, B. */
static int plane_index(const struct image_format *format, int i) {
    return format->rgb ? (i + 2) % 3 : i;
}

static int run_pass(const struct pass *pass, const struct image_format *from,
                    const struct image *in, struct err *err) {
    zimg_image_buffer_const source = {.version = ZIMG_API_VERSION};
    zimg_image_buffer target = {.version = ZIMG_API_VERSION};
    int count = plane_count(from) < plane_count(&pass->to) ? plane_count(from)
                                                           : plane_count(&pass->to);
    for (int i = 0; i < count; i++) {
        int a = plane_index(from, i);
        source.plane[i].data = in->plane[a];
        source.plane[i].stride = in->stride[a];
        source.plane[i].mask = ZIMG_BUFFER_MAX;
        int b = plane_index(&pass->to, i);
        target.plane[i].data = pass->memory + (pass->image.plane[b] - pass->image.plane[0]);
        target.plane[i].stride = pass->image.stride[b];
        target.plane[i].mask = ZIMG_BUFFER_MAX;
    }
    if (zimg_filter_graph_process(pass->graph, &source, &target, pass->scratch, NULL, NULL, NULL,
                                  NULL) != 0) {
        return fail("converting a picture", err);
    }
    return 0;
}

int picture_convert(struct picture *picture, const struct image *in, struct image *out,
                    struct err *err) {
    const struct image *from = in;
    for (int i = 0; i < picture->pass_count; i++) {
        struct pass *pass = &picture->passes[i];
        int rc = run_pass(pass, i == 0 ? &picture->from : &picture->passes[i - 1].to, from, err);
        if (rc < 0) {
            return rc;
        }
        from = &pass->image;
    }
    *out = *from;
    return 0;
}

const char *picture_library(void) {
    static char text[32];
    if (text[0] == '\0') {
        unsigned major;
        unsigned minor;
        unsigned micro;
        zimg_get_version_info(&major, &minor, &micro);
        snprintf(text, sizeof(text), "libzimg %u.%u.%u", major, minor, micro);
    }
    return text;
}
