/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One picture as an AVIF file, by libavif with libaom. Private to encoder/. */
#ifndef ENCODER_IMAGE_AVIF_H
#define ENCODER_IMAGE_AVIF_H

#include "common/buf.h"
#include "picture.h"

/* Appends the file. The image is 8-bit 4:2:0 of this format; its colour is told in the file. */
int image_avif_write(const struct image_format *format, const struct image *image, struct buf *out,
                     struct err *err);

/* "libavif 0.11.1 aom=v3.6.0": borrowed. */
const char *image_avif_library(void);

#endif
