/* SPDX-License-Identifier: GPL-2.0-or-later */
/* libavif behind our error type: see image_avif.h. */
#include "image_avif.h"

#include <avif/avif.h>
#include <stdio.h>
#include <string.h>

enum {
    SPEED = 6,          /* 1280x720 in a few tenths of a second */
    QUANTIZER_MIN = 20, /* of libaom: near to JPEG at QUALITY of image_jpeg.c, */
    QUANTIZER_MAX = 32, /* in half of its bytes */
    LIBRARY_TEXT = 64,
};

static int fail(avifResult result, struct err *err) {
    if (result == AVIF_RESULT_OUT_OF_MEMORY) {
        return err_set(err, ERR_INTERNAL, "out of memory while an AVIF picture is written");
    }
    return err_set(err, ERR_INTERNAL, "libavif failed while writing a picture: %s",
                   avifResultToString(result));
}

/* Borrows the planes. */
static avifImage *describe(const struct image_format *format, const struct image *image) {
    avifImage *out = avifImageCreate((uint32_t)format->width, (uint32_t)format->height, 8,
                                     AVIF_PIXEL_FORMAT_YUV420);
    if (out == NULL) {
        return NULL;
    }
    out->yuvRange = format->colour.full_range ? AVIF_RANGE_FULL : AVIF_RANGE_LIMITED;
    out->colorPrimaries = (avifColorPrimaries)format->colour.primaries;
    out->transferCharacteristics = (avifTransferCharacteristics)format->colour.transfer;
    out->matrixCoefficients = (avifMatrixCoefficients)format->colour.matrix;
    for (int i = 0; i < 3; i++) {
        out->yuvPlanes[i] = (uint8_t *)image->plane[i]; /* which libavif only reads */
        out->yuvRowBytes[i] = (uint32_t)image->stride[i];
    }
    out->imageOwnsYUVPlanes = AVIF_FALSE;
    return out;
}

int image_avif_write(const struct image_format *format, const struct image *image, struct buf *out,
                     struct err *err) {
    avifRWData data = AVIF_DATA_EMPTY;
    avifImage *picture = describe(format, image);
    avifEncoder *encoder = avifEncoderCreate();
    avifResult result = AVIF_RESULT_OUT_OF_MEMORY;
    if (picture != NULL && encoder != NULL) {
        encoder->codecChoice = AVIF_CODEC_CHOICE_AOM;
        encoder->maxThreads = 1;
        encoder->speed = SPEED;
        encoder->minQuantizer = QUANTIZER_MIN;
        encoder->maxQuantizer = QUANTIZER_MAX;
        result = avifEncoderWrite(encoder, picture, &data);
    }
    if (result == AVIF_RESULT_OK) {
        buf_append(out, data.data, data.size);
    }
    avifRWDataFree(&data);
    if (encoder != NULL) {
        avifEncoderDestroy(encoder);
    }
    if (picture != NULL) {
        avifImageDestroy(picture);
    }
    return result == AVIF_RESULT_OK ? 0 : fail(result, err);
}

const char *image_avif_library(void) {
    static char text[LIBRARY_TEXT];
    if (text[0] == '\0') {
        char codecs[256] = "";
        avifCodecVersions(codecs);
        const char *aom = strstr(codecs, "aom ");
        const char *version = aom != NULL ? strchr(aom, ':') : NULL;
        snprintf(text, sizeof(text), "libavif %s aom=%.*s", avifVersion(),
                 version != NULL ? (int)strcspn(version + 1, ",(") : 0,
                 version != NULL ? version + 1 : "");
    }
    return text;
}
