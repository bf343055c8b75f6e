/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of video encoders and the checks that all rows share: see video.h. */
#include "video.h"

#include <string.h>

#include "common/mem.h"

static const struct video_codec *const table[] = {&video_x264, &video_svt, &video_aom, &video_null};

enum { TABLE_COUNT = sizeof(table) / sizeof(table[0]) };

struct video_encoder {
    const struct video_codec *codec;
    void *state; /* the row's own, owned */
    struct coded_config config;
    int64_t lead_frames;
};

const struct video_codec *video_codec_at(size_t index) {
    return index < TABLE_COUNT ? table[index] : NULL;
}

const struct video_codec *video_codec_find(const char *name) {
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (strcmp(table[i]->name, name) == 0) {
            return table[i];
        }
    }
    return NULL;
}

/* The capability that a chroma format asks for; 0 for 4:2:0. */
static unsigned chroma_capability(enum chroma chroma) {
    static const unsigned capabilities[] = {
        [CHROMA_400] = VIDEO_CHROMA_400,
        [CHROMA_420] = 0,
        [CHROMA_422] = VIDEO_CHROMA_422,
        [CHROMA_444] = VIDEO_CHROMA_444,
    };
    return capabilities[chroma];
}

static int check_size(const struct video_spec *spec, struct err *err) {
    bool even_width = spec->chroma == CHROMA_420 || spec->chroma == CHROMA_422;
    bool even_height = spec->chroma == CHROMA_420;
    if (spec->width < PICTURE_SIDE_MIN || spec->width > PICTURE_SIDE_MAX ||
        spec->height < PICTURE_SIDE_MIN || spec->height > PICTURE_SIDE_MAX) {
        return err_set(err, ERR_INVALID,
                       "a picture of %dx%d can't be encoded; sides from %d to %d can", spec->width,
                       spec->height, PICTURE_SIDE_MIN, PICTURE_SIDE_MAX);
    }
    if ((even_width && spec->width % 2 != 0) || (even_height && spec->height % 2 != 0)) {
        return err_set(
            err, ERR_INVALID,
            "a picture of %dx%d can't be encoded with halved chroma; make its sides even",
            spec->width, spec->height);
    }
    return 0;
}

static int check_spec(const struct video_codec *codec, const struct video_spec *spec,
                      struct err *err) {
    if (spec->codec != codec->codec) {
        return err_set(err, ERR_INVALID, "the encoder %s makes %s, not %s; name another encoder",
                       codec->name, codec_name(codec->codec), codec_name(spec->codec));
    }
    if (spec->bit_depth != 8 && !(spec->bit_depth == 10 && (codec->capabilities & VIDEO_10_BIT))) {
        return err_set(err, ERR_UNSUPPORTED, "the encoder %s can't code %d bits a sample",
                       codec->name, spec->bit_depth);
    }
    if (spec->chroma < CHROMA_400 || spec->chroma > CHROMA_444 ||
        (chroma_capability(spec->chroma) & ~codec->capabilities) != 0) {
        return err_set(err, ERR_UNSUPPORTED, "the encoder %s can't code this chroma format",
                       codec->name);
    }
    if (spec->lossless && !(codec->capabilities & VIDEO_LOSSLESS)) {
        return err_set(err, ERR_UNSUPPORTED, "the encoder %s has no lossless mode", codec->name);
    }
    if (spec->maxrate_bps > 0 && !(codec->capabilities & VIDEO_CAPPED)) {
        return err_set(err, ERR_UNSUPPORTED, "the encoder %s can't cap the rate; take maxrate out",
                       codec->name);
    }
    if (spec->rate.num <= 0 || spec->rate.den <= 0 || spec->rate.num > INT32_MAX ||
        spec->rate.den > INT32_MAX) {
        return err_set(err, ERR_INVALID, "%lld/%lld frames a second can't be signalled",
                       (long long)spec->rate.num, (long long)spec->rate.den);
    }
    return check_size(spec, err);
}

void video_encoder_prepare(const struct video_spec *spec) {
    const struct video_codec *codec = video_codec_find(spec->encoder);
    if (codec != NULL && codec->prepare != NULL) {
        codec->prepare(spec);
    }
}

int video_encoder_open(struct video_encoder **out, const struct video_options *options,
                       struct err *err) {
    const struct video_spec *spec = options->spec;
    const struct video_codec *codec = video_codec_find(spec->encoder);
    if (codec == NULL) {
        return err_set(err, ERR_UNSUPPORTED,
                       "this build has no video encoder called '%s'; `reelfarm version` lists them",
                       spec->encoder);
    }
    int rc = check_spec(codec, spec, err);
    if (rc < 0) {
        return rc;
    }
    struct video_encoder *encoder = mem_zero(1, sizeof(*encoder));
    encoder->codec = codec;
    encoder->lead_frames = codec->lead_frames != NULL ? codec->lead_frames(spec) : 0;
    rc = codec->open(&encoder->state, options, &encoder->config, err);
    if (rc < 0) {
        video_encoder_close(encoder);
        return rc;
    }
    *out = encoder;
    return 0;
}

const struct coded_config *video_encoder_config(const struct video_encoder *encoder) {
    return &encoder->config;
}

int64_t video_encoder_lead(const struct video_encoder *encoder) {
    return encoder->lead_frames;
}

int video_encoder_encode(struct video_encoder *encoder, const struct video_picture *picture,
                         video_emit_fn emit, void *context, struct err *err) {
    return encoder->codec->encode(encoder->state, picture, emit, context, err);
}

int video_encoder_flush(struct video_encoder *encoder, video_emit_fn emit, void *context,
                        struct err *err) {
    return encoder->codec->flush(encoder->state, emit, context, err);
}

void video_encoder_close(struct video_encoder *encoder) {
    if (encoder == NULL) {
        return;
    }
    encoder->codec->close(encoder->state);
    mem_free(encoder);
}
