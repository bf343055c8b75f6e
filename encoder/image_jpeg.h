/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One picture as a JPEG file, by libavcodec's encoder. Private to encoder/. */
#ifndef ENCODER_IMAGE_JPEG_H
#define ENCODER_IMAGE_JPEG_H

#include "common/buf.h"
#include "picture.h"

/* Appends the file. The image is 8-bit 4:2:0, full range, with BT.601's matrix and chroma in the
 * centre, as JFIF has it; only its planes are read. `quality` is the quantiser's scale, from 2
 * (best) to 31. */
int image_jpeg_write(int width, int height, const struct image *image, int quality, struct buf *out,
                     struct err *err);

#endif
