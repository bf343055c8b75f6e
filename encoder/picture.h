/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From an upright source image to the planes of one rung: size, chroma, bit depth,
 * range and colour. A rung's pictures depend on the source and that rung alone.
 * Private to encoder/.
 */
#ifndef ENCODER_PICTURE_H
#define ENCODER_PICTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "encoder/encoder.h"

enum { IMAGE_ALIGN = 64 }; /* bytes, of planes and strides that picture_convert takes and makes */

/* How the samples of an image lie and what they mean. */
struct image_format {
    int width; /* of what is shown, pixels */
    int height;
    int left; /* of what is shown within what is stored */
    int top;
    int stored_width;
    int stored_height;
    enum chroma chroma;
    bool rgb;             /* planes are G, B, R, as in H.264 with matrix 0; chroma is 444 */
    int bit_depth;        /* 8: bytes; 9 to 16: native 16-bit words */
    struct colour colour; /* chroma_location as it is after turning */
};

/* Planes Y, Cb, Cr; only the first for CHROMA_400. Borrowed. */
struct image {
    const uint8_t *plane[3];
    ptrdiff_t stride[3]; /* bytes */
};

/* Rows and bytes of plane `i` of a stored image. */
int image_rows(const struct image_format *format, int i);
size_t image_row_bytes(const struct image_format *format, int i);

/* Whether two formats mean the same samples, so that no conversion is needed. */
bool image_format_equal(const struct image_format *a, const struct image_format *b);

/* The format that a rung's encoder reads. */
struct image_format image_format_of_spec(const struct video_spec *spec);

struct picture;

/*
 * Makes what turns images of format `from` into images of format `to`. `*out` is
 * owned. Sizes are scaled by spline36; deeper samples are rounded. Equal formats
 * need no picture: use the image itself.
 * UNSUPPORTED for colours that can't be converted, INTERNAL ("out of memory ...").
 */
int picture_create(struct picture **out, const struct image_format *from,
                   const struct image_format *to, struct err *err);
void picture_destroy(struct picture *picture); /* takes NULL */

/* Converts one image; `*out` is borrowed until the next call. Planes and strides of
 * `in` are multiples of IMAGE_ALIGN. */
int picture_convert(struct picture *picture, const struct image *in, struct image *out,
                    struct err *err);

/* "libzimg 3.0.4": borrowed. */
const char *picture_library(void);

#endif
