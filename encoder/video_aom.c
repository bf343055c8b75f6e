/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AV1 by libaom, on its own API: slower and smaller than SVT-AV1. Bytes are a function of
 * spec and pictures.
 *
 * Where key pictures stand is left to the library's fixed interval, the longest GOP of the
 * chunk: one that is forced while it looks ahead gets a second one behind it (3.6). A GOP that
 * is shorter, which only the end of a title has, ends the encoder, and the next begins anew.
 */
#include <aom/aom_encoder.h>
#include <aom/aomcx.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "av1_config.h"
#include "common/mem.h"
#include "cpu.h"
#include "video.h"

enum {
    LOOKAHEAD_FRAMES = 35, /* the library's own default for good quality */
    KEY_DISTANCE_MIN = 4,  /* with an interval of 1 or 2 version 3.6 crashes */
    KEY_DISTANCE_NONE = 1 << 20,
    SPEED_MAX = 6, /* of those for good quality; faster ones are for calls */
};

struct aom {
    const struct video_spec *spec; /* borrowed */
    struct coded_config *config;   /* borrowed; empty until the first packet */
    aom_codec_ctx_t codec;
    bool started;
    int speed;
    int key_distance; /* frames after which the library makes a key picture by itself */
    int64_t first;    /* frame of the first picture since it was started */
    int64_t last_key; /* frame; -1 before the first picture */
    aom_image_t image;
    struct buf sample;
};

static int fail(struct aom *aom, const char *doing, struct err *err) {
    const char *detail = aom_codec_error_detail(&aom->codec);
    enum err_code code = aom->codec.err == AOM_CODEC_INVALID_PARAM ? ERR_INVALID : ERR_INTERNAL;
    /* Of some refused allocations it tells no more than that something went wrong. */
    bool refused = aom->codec.err == AOM_CODEC_ERROR && errno == ENOMEM;
    if (aom->codec.err == AOM_CODEC_MEM_ERROR || refused) {
        return err_set(err, code, "out of memory in libaom while %s %dx%d", doing, aom->spec->width,
                       aom->spec->height);
    }
    return err_set(err, code, "libaom failed while %s %dx%d: %s", doing, aom->spec->width,
                   aom->spec->height, detail != NULL ? detail : aom_codec_error(&aom->codec));
}

static const char *library(void) {
    static char text[64];
    int version = aom_codec_version();
    snprintf(text, sizeof(text), "libaom %d.%d.%d", version >> 16 & 255, version >> 8 & 255,
             version & 255);
    return text;
}

static void set_config(aom_codec_enc_cfg_t *config, const struct video_spec *spec,
                       int key_distance) {
    config->g_w = (unsigned)spec->width;
    config->g_h = (unsigned)spec->height;
    config->g_timebase = (struct aom_rational){(int)spec->rate.den, (int)spec->rate.num};
    config->g_threads = spec->threads > 0 ? (unsigned)spec->threads : 1;
    config->g_bit_depth = spec->bit_depth > 8 ? AOM_BITS_10 : AOM_BITS_8;
    config->g_input_bit_depth = (unsigned)spec->bit_depth;
    config->g_lag_in_frames = LOOKAHEAD_FRAMES;
    config->g_pass = AOM_RC_ONE_PASS;
    config->rc_end_usage = AOM_Q;
    config->kf_mode = AOM_KF_AUTO;
    config->kf_min_dist = (unsigned)key_distance;
    config->kf_max_dist = (unsigned)key_distance;
    config->fwd_kf_enabled = 0;
}

static int set_controls(struct aom *aom, struct err *err) {
    const struct video_spec *spec = aom->spec;
    const struct colour *colour = &spec->colour;
    int tune = strcmp(spec->tune, "ssim") == 0 ? AOM_TUNE_SSIM : AOM_TUNE_PSNR;
    aom_codec_ctx_t *codec = &aom->codec;
    bool good =
        aom_codec_control(codec, AOME_SET_CPUUSED, aom->speed) == AOM_CODEC_OK &&
        aom_codec_control(codec, AOME_SET_CQ_LEVEL, (unsigned)spec->crf_hundredths / 100) ==
            AOM_CODEC_OK &&
        aom_codec_control(codec, AOME_SET_TUNING, tune) == AOM_CODEC_OK &&
        aom_codec_control(codec, AV1E_SET_ROW_MT, spec->threads > 1) == AOM_CODEC_OK &&
        aom_codec_control(codec, AV1E_SET_COLOR_PRIMARIES, colour->primaries) == AOM_CODEC_OK &&
        aom_codec_control(codec, AV1E_SET_TRANSFER_CHARACTERISTICS, colour->transfer) ==
            AOM_CODEC_OK &&
        aom_codec_control(codec, AV1E_SET_MATRIX_COEFFICIENTS, colour->matrix) == AOM_CODEC_OK &&
        aom_codec_control(codec, AV1E_SET_COLOR_RANGE, colour->full_range) == AOM_CODEC_OK &&
        aom_codec_control(codec, AV1E_SET_CHROMA_SAMPLE_POSITION,
                          chroma_position_av1(colour->chroma_location)) == AOM_CODEC_OK;
    return good ? 0 : fail(aom, "starting on", err);
}

static void close_aom(void *state) {
    struct aom *aom = state;
    if (aom == NULL) {
        return;
    }
    if (aom->started) {
        aom_codec_destroy(&aom->codec);
    }
    buf_finish(&aom->sample);
    mem_free(aom);
}

static int read_settings(int *speed, const struct video_spec *spec, struct err *err) {
    char *end = NULL;
    long preset = strtol(spec->preset, &end, 10);
    if (end == spec->preset || *end != '\0' || preset < 0 || preset > SPEED_MAX) {
        return err_set(err, ERR_INVALID, "libaom has no preset '%s'; it has 0 to %d", spec->preset,
                       SPEED_MAX);
    }
    if (spec->tune[0] != '\0' && strcmp(spec->tune, "ssim") != 0) {
        return err_set(err, ERR_INVALID, "libaom has no tune '%s'", spec->tune);
    }
    *speed = (int)preset;
    return 0;
}

/*
 * The library looks once a process at what the processor has, and at what of it this mask
 * leaves. With more than 8 bits its model of temporal dependency (TPL) differs where there is
 * AVX2 (3.6): without, it takes 8 % more CPU and gives the same bytes everywhere.
 */
static void prepare(const struct video_spec *spec) {
    if (cpu_is_baseline()) {
        setenv("AOM_SIMD_CAPS_MASK", "0x7", 1); /* MMX, SSE, SSE2 */
    } else if (spec->bit_depth > 8) {
        setenv("AOM_SIMD_CAPS_MASK", "0x7f", 1); /* and up to AVX */
    }
}

static int start(struct aom *aom, struct err *err) {
    const struct video_spec *spec = aom->spec;
    aom_codec_iface_t *iface = aom_codec_av1_cx();
    aom_codec_enc_cfg_t config;
    aom_codec_flags_t flags = spec->bit_depth > 8 ? AOM_CODEC_USE_HIGHBITDEPTH : 0;
    if (aom_codec_enc_config_default(iface, &config, AOM_USAGE_GOOD_QUALITY) != AOM_CODEC_OK) {
        return err_set(err, ERR_INTERNAL, "libaom has no defaults for good quality");
    }
    set_config(&config, spec, aom->key_distance);
    if (aom_codec_enc_init(&aom->codec, iface, &config, flags) != AOM_CODEC_OK) {
        return fail(aom, "starting on", err);
    }
    aom->started = true;
    return set_controls(aom, err);
}

static int open_aom(void **state, const struct video_options *options, struct coded_config *config,
                    struct err *err) {
    struct aom *aom = mem_zero(1, sizeof(*aom));
    aom->spec = options->spec;
    aom->config = config;
    aom->key_distance = options->longest_gop >= KEY_DISTANCE_MIN ? options->longest_gop
                                                                 : KEY_DISTANCE_NONE;
    aom->last_key = -1;
    int rc = read_settings(&aom->speed, aom->spec, err);
    if (rc == 0) {
        rc = start(aom, err);
    }
    if (rc < 0) {
        close_aom(aom);
        return rc;
    }
    static unsigned char none; /* the planes are set for each picture */
    aom_img_wrap(&aom->image, aom->spec->bit_depth > 8 ? AOM_IMG_FMT_I42016 : AOM_IMG_FMT_I420,
                 (unsigned)aom->spec->width, (unsigned)aom->spec->height, 1, &none);
    aom->image.bit_depth = (unsigned)aom->spec->bit_depth;
    *state = aom;
    return 0;
}

static int emit_packet(struct aom *aom, const aom_codec_cx_pkt_t *output, video_emit_fn emit,
                       void *context, struct err *err) {
    buf_clear(&aom->sample);
    int rc = av1_sample_append(&aom->sample, output->data.frame.buf, output->data.frame.sz, err);
    if (rc == 0 && aom->config->record_size == 0) {
        rc = av1_config_make(aom->config, aom->spec, aom->sample.data, aom->sample.size, err);
    }
    if (rc < 0) {
        return rc;
    }
    const struct coded_packet packet = {
        .data = aom->sample.data,
        .size = aom->sample.size,
        .frame = aom->first + output->data.frame.pts,
        .key = (output->data.frame.flags & AOM_FRAME_IS_KEY) != 0,
    };
    return emit(context, &packet, err);
}

/* Gives libaom the picture, or NULL to drain it, and emits what comes out. 1 where the sink
 * wants no more, or nothing is left to drain. */
static int advance(struct aom *aom, const aom_image_t *image, int64_t pts, video_emit_fn emit,
                   void *context, struct err *err) {
    if (aom_codec_encode(&aom->codec, image, pts, 1, 0) != AOM_CODEC_OK) {
        return fail(aom, "encoding", err);
    }
    const aom_codec_cx_pkt_t *output;
    aom_codec_iter_t at = NULL;
    int rc = image == NULL ? 1 : 0;
    while ((output = aom_codec_get_cx_data(&aom->codec, &at)) != NULL) {
        if (output->kind == AOM_CODEC_CX_FRAME_PKT) {
            rc = emit_packet(aom, output, emit, context, err);
        }
        if (rc != 0) {
            break;
        }
    }
    return rc;
}

static int flush_aom(void *state, video_emit_fn emit, void *context, struct err *err) {
    struct aom *aom = state;
    int rc = 0;
    while (rc == 0) {
        rc = advance(aom, NULL, 0, emit, context, err);
    }
    return rc < 0 ? rc : 0;
}

/* The key picture comes where the library would make none. */
static int restart(struct aom *aom, video_emit_fn emit, void *context, struct err *err) {
    int rc = flush_aom(aom, emit, context, err);
    if (rc < 0) {
        return rc;
    }
    aom->started = false;
    aom_codec_destroy(&aom->codec);
    return start(aom, err);
}

static int encode_aom(void *state, const struct video_picture *picture, video_emit_fn emit,
                      void *context, struct err *err) {
    struct aom *aom = state;
    if (picture->key) {
        bool expected = picture->frame - aom->last_key == aom->key_distance;
        int rc = aom->last_key < 0 || expected ? 0 : restart(aom, emit, context, err);
        if (rc < 0) {
            return rc;
        }
        aom->first = aom->last_key < 0 || !expected ? picture->frame : aom->first;
        aom->last_key = picture->frame;
    }
    for (int i = 0; i < 3; i++) {
        aom->image.planes[i] = (uint8_t *)picture->plane[i]; /* libaom only reads it */
        aom->image.stride[i] = (int)picture->stride[i];
    }
    int rc = advance(aom, &aom->image, picture->frame - aom->first, emit, context, err);
    return rc < 0 ? rc : 0;
}

const struct video_codec video_aom = {
    .name = "aom",
    .codec = CODEC_AV1,
    .capabilities = VIDEO_10_BIT,
    .tail_frames = 0,
    .library = library,
    .prepare = prepare,
    .open = open_aom,
    .encode = encode_aom,
    .flush = flush_aom,
    .close = close_aom,
};
