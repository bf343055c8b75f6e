/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rationals, names of codecs, and the end of a source document: see media.h. */
#include "common/media.h"

#include <assert.h>
#include <string.h>

__extension__ typedef __int128 wide;

static wide wide_gcd(wide a, wide b) {
    while (b != 0) {
        wide rest = a % b;
        a = b;
        b = rest;
    }
    return a < 0 ? -a : a;
}

struct rational rational_of(int64_t num, int64_t den) {
    wide n = num;
    wide d = den;
    wide divisor = wide_gcd(n, d);
    if (d == 0) {
        return (struct rational){0, 1};
    }
    if (d < 0) {
        divisor = -divisor;
    }
    n /= divisor;
    d /= divisor;
    if (n > INT64_MAX || d > INT64_MAX) {
        return (struct rational){0, 1}; /* a lone INT64_MIN turned positive does not fit */
    }
    return (struct rational){(int64_t)n, (int64_t)d};
}

int rational_compare(struct rational a, struct rational b) {
    wide left = (wide)a.num * b.den;
    wide right = (wide)b.num * a.den;
    return left < right ? -1 : left > right;
}

double rational_value(struct rational r) {
    return (double)r.num / (double)r.den;
}

int64_t ticks_scale(int64_t value, int64_t mul, int64_t div, enum rounding rounding) {
    assert(div > 0);
    wide product = (wide)value * mul;
    if (rounding == ROUND_UP) {
        product += (wide)div - 1;
    } else if (rounding == ROUND_NEAR) {
        product += div / 2; /* for an odd div no product lies on the half */
    }
    wide quotient = product / div;
    if (product % div < 0) {
        quotient--; /* C rounds towards zero; ticks round towards the past */
    }
    assert(quotient >= INT64_MIN && quotient <= INT64_MAX);
    return (int64_t)quotient;
}

static const struct {
    const char *name;
    bool video;
} codecs[CODEC_COUNT] = {
    [CODEC_NONE] = {"none", false}, [CODEC_H264] = {"h264", true},  [CODEC_AV1] = {"av1", true},
    [CODEC_AAC] = {"aac", false},   [CODEC_OPUS] = {"opus", false},
};

const char *codec_name(enum codec_id codec) {
    return codecs[codec].name;
}

enum codec_id codec_from_name(const char *name) {
    for (int codec = CODEC_NONE + 1; codec < CODEC_COUNT; codec++) {
        if (strcmp(codecs[codec].name, name) == 0) {
            return (enum codec_id)codec;
        }
    }
    return CODEC_NONE;
}

/* The longer sides of posters beside the largest, which goes without those near its own. */
static const int poster_sides[IMAGE_POSTER_SIZES - 1] = {320, 640};

int image_poster_sizes(int width, int height) {
    int largest = width > height ? width : height;
    int sizes = 1;
    while (sizes < IMAGE_POSTER_SIZES && poster_sides[sizes - 1] * 5 <= largest * 4) {
        sizes++;
    }
    return sizes;
}

int image_sheets(const struct image_spec *spec) {
    int places = spec->columns * spec->rows;
    return spec->kind == IMAGE_POSTER ? 2 * spec->count - 1 : (spec->count + places - 1) / places;
}

/* Rounded to an even number. */
static int scaled(int size, int side, int largest) {
    int half = (int)ticks_scale(size, side, 2 * (int64_t)largest, ROUND_NEAR);
    return half > 1 ? 2 * half : 2;
}

void image_object_size(const struct image_spec *spec, int64_t number, int *width, int *height) {
    int largest = spec->width > spec->height ? spec->width : spec->height;
    if (spec->kind == IMAGE_STORYBOARD) {
        *width = spec->width * spec->columns;
        *height = spec->height * spec->rows;
    } else if (number < 2 || number >= 2 * IMAGE_POSTER_SIZES) {
        *width = spec->width;
        *height = spec->height;
    } else {
        *width = scaled(spec->width, poster_sides[number / 2 - 1], largest);
        *height = scaled(spec->height, poster_sides[number / 2 - 1], largest);
    }
}

bool codec_is_video(enum codec_id codec) {
    return codecs[codec].video;
}

int chroma_position_av1(int chroma_location) {
    return chroma_location == 0 ? 1 : chroma_location == 2 ? 2 : 0;
}

bool colour_is_hdr(const struct colour *colour) {
    return colour->transfer == 16 || colour->transfer == 18; /* ITU-T H.273 table 3 */
}

void source_document_finish(struct source_document *document) {
    arena_finish(&document->arena);
    *document = (struct source_document){0};
}

int64_t title_audio_samples(const struct timeline *timeline, int sample_rate) {
    return ticks_scale(timeline->frames * timeline->rate.den, sample_rate, timeline->rate.num,
                       ROUND_UP);
}
