/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AV1 by SVT-AV1, on its own API (1.4 and 2.3). Bytes are a function of spec and pictures at
 * one level of parallelism alone: with two, equal runs give different files.
 *
 * The library works in threads of its own: a picture is only handed over, and its packet
 * comes when it is done, in the order in which pictures are shown.
 */
#include <EbSvtAv1Enc.h>
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "av1_config.h"
#include "common/mem.h"
#include "cpu.h"
#include "video.h"

/*
 * The temporal filter looks past key pictures, both ways. Without the next chunk's first
 * pictures the last GOP of a chunk can differ from one pass: 7 of them were enough for every
 * preset of 1.4 (5 for preset 8), 8 for 2.3. Without the last ones of the chunk before, its
 * first GOP can differ, in 1.4 from preset 9 on: 4 of them were enough.
 */
#if SVT_AV1_CHECK_VERSION(2, 0, 0)
enum { TAIL_FRAMES = 8, LEAD_FRAMES = 8, LEAD_FROM_PRESET = ENC_M0 };
#else
enum { TAIL_FRAMES = 7, LEAD_FRAMES = 4, LEAD_FROM_PRESET = ENC_M9 };
#endif

enum {
    SIDE_MIN = 64, /* EbSvtAv1EncConfiguration.source_width */
    TUNE_VISUAL = 0,
    TUNE_PSNR = 1,
    FRESH_MEMORY = 0xff,    /* what is allocated holds its complement */
    BASELINE_CPU_FLAGS = 7, /* MMX, SSE and SSE2 of x86, which version 2 does not name here */
    LONGEST_GOP = 1 << 20,  /* frames: longer than any of the grid's */
};

struct svt {
    const struct video_spec *spec; /* borrowed */
    struct coded_config *config;   /* borrowed; empty until the first packet */
    EbComponentType *handle;       /* owned */
    bool ending;                   /* it was told that no picture follows */
    bool ended;                    /* and has given all packets */
    int64_t first;                 /* frame of the first picture; -1 before it */
    EbSvtIOFormat planes;
    EbBufferHeaderType input;
    struct buf sample;
};

static int fail(const struct svt *svt, EbErrorType code, const char *doing, struct err *err) {
    if (code == EB_ErrorInsufficientResources) {
        return err_set(err, ERR_INTERNAL, "out of memory in SVT-AV1 while %s %dx%d", doing,
                       svt->spec->width, svt->spec->height);
    }
    return err_set(err, code == EB_ErrorBadParameter ? ERR_INVALID : ERR_INTERNAL,
                   "SVT-AV1 failed while %s %dx%d (code %#x)", doing, svt->spec->width,
                   svt->spec->height, (unsigned)code);
}

static const char *library(void) {
    static char text[64];
    const char *version = svt_av1_get_version();
    version += *version == 'v';
    snprintf(text, sizeof(text), "libSvtAv1Enc %.*s", (int)strcspn(version, "-"), version);
    return text;
}

static void set_thread_params(EbSvtAv1EncConfiguration *config) {
#if SVT_AV1_CHECK_VERSION(2, 3, 0)
    config->level_of_parallelism = 1;
#else
    config->logical_processors = 1;
#endif
    config->pin_threads = 0;
    config->use_cpu_flags = cpu_is_baseline() ? BASELINE_CPU_FLAGS : EB_CPU_FLAGS_ALL;
}

/* Key pictures stand where the grid puts them, and nowhere else. */
static void set_grid_params(EbSvtAv1EncConfiguration *config, const struct video_spec *spec) {
    config->intra_period_length = LONGEST_GOP; /* without one, forced key pictures are not made */
    config->intra_refresh_type = SVT_AV1_KF_REFRESH;
    config->force_key_frames = TRUE;
    config->scene_change_detection = 0;
    config->frame_rate_numerator = (uint32_t)spec->rate.num;
    config->frame_rate_denominator = (uint32_t)spec->rate.den;
}

static void set_picture_params(EbSvtAv1EncConfiguration *config, const struct video_spec *spec) {
    config->source_width = (uint32_t)spec->width;
    config->source_height = (uint32_t)spec->height;
    config->encoder_bit_depth = (uint32_t)spec->bit_depth;
    config->encoder_color_format = EB_YUV420;
    config->profile = MAIN_PROFILE;
    /* What 1.4 finds by itself is by a rate of whole frames, and too low near a limit. */
    config->level = (uint32_t)spec->level;
    config->color_primaries = (EbColorPrimaries)spec->colour.primaries;
    config->transfer_characteristics = (EbTransferCharacteristics)spec->colour.transfer;
    config->matrix_coefficients = (EbMatrixCoefficients)spec->colour.matrix;
    config->color_range = spec->colour.full_range ? EB_CR_FULL_RANGE : EB_CR_STUDIO_RANGE;
    config->chroma_sample_position =
        (EbChromaSamplePosition)chroma_position_av1(spec->colour.chroma_location);
}

/* -1 where the spec's is none that there is. */
static int preset_of(const struct video_spec *spec) {
    char *end = NULL;
    long preset = strtol(spec->preset, &end, 10);
    bool known = end != spec->preset && *end == '\0' && preset >= ENC_M0 &&
                 preset <= MAX_ENC_PRESET;
    return known ? (int)preset : -1;
}

static int64_t lead_frames(const struct video_spec *spec) {
    return preset_of(spec) >= LEAD_FROM_PRESET ? LEAD_FRAMES : 0;
}

static int set_quality_params(EbSvtAv1EncConfiguration *config, const struct video_spec *spec,
                              struct err *err) {
    int preset = preset_of(spec);
    if (preset < 0) {
        return err_set(err, ERR_INVALID, "SVT-AV1 has no preset '%s'; it has %d to %d",
                       spec->preset, ENC_M0, MAX_ENC_PRESET);
    }
    if (spec->tune[0] != '\0' && strcmp(spec->tune, "visual") != 0) {
        return err_set(err, ERR_INVALID, "SVT-AV1 has no tune '%s'", spec->tune);
    }
    config->enc_mode = (int8_t)preset;
    config->tune = spec->tune[0] != '\0' ? TUNE_VISUAL : TUNE_PSNR;
    config->rate_control_mode = SVT_AV1_RC_MODE_CQP_OR_CRF;
    config->qp = (uint32_t)spec->crf_hundredths / 100;
    return 0;
}

static int check_spec(const struct video_spec *spec, struct err *err) {
    if (spec->threads > 1) {
        return err_set(err, ERR_INVALID, "SVT-AV1's bytes are repeatable with one thread alone");
    }
    if (spec->width < SIDE_MIN || spec->height < SIDE_MIN) {
        return err_set(err, ERR_INVALID, "SVT-AV1 can't code a picture of %dx%d; sides from %d can",
                       spec->width, spec->height, SIDE_MIN);
    }
    return 0;
}

static EbErrorType end_input(struct svt *svt) {
    EbBufferHeaderType end = {.size = sizeof(end), .flags = EB_BUFFERFLAG_EOS};
    EbErrorType code = svt->ending ? EB_ErrorNone : svt_av1_enc_send_picture(svt->handle, &end);
    svt->ending = true;
    return code;
}

static void close_svt(void *state) {
    struct svt *svt = state;
    if (svt == NULL) {
        return;
    }
    if (svt->first >= 0) {
        end_input(svt); /* or it complains */
        svt_av1_enc_deinit(svt->handle);
    }
    if (svt->handle != NULL) {
        svt_av1_enc_deinit_handle(svt->handle);
    }
    buf_finish(&svt->sample);
    mem_free(svt);
}

static int configure(struct svt *svt, struct err *err) {
    EbSvtAv1EncConfiguration config;
    EbErrorType code = svt_av1_enc_init_handle(&svt->handle, NULL, &config);
    if (code != EB_ErrorNone) {
        return fail(svt, code, "starting on", err);
    }
    set_thread_params(&config);
    set_grid_params(&config, svt->spec);
    set_picture_params(&config, svt->spec);
    int rc = set_quality_params(&config, svt->spec, err);
    if (rc < 0) {
        return rc;
    }
    code = svt_av1_enc_set_parameter(svt->handle, &config);
    return code == EB_ErrorNone ? 0 : fail(svt, code, "starting on", err);
}

/* Version 2.3 has been seen to give other bytes, from preset 10 on, where its memory had been
 * used before in the same process; where what it gets holds zeros it has not. 1.4 has not, and
 * filling its memory would make a fifth more of it resident. */
static void prepare(const struct video_spec *spec) {
    (void)spec;
#if SVT_AV1_CHECK_VERSION(2, 0, 0)
    mallopt(M_PERTURB, FRESH_MEMORY);
#endif
}

static int open_svt(void **state, const struct video_options *options, struct coded_config *config,
                    struct err *err) {
    int rc = check_spec(options->spec, err);
    if (rc < 0) {
        return rc;
    }
    setenv("SVT_LOG", "1", 0); /* errors alone: it tells its settings on stderr otherwise */
    struct svt *svt = mem_zero(1, sizeof(*svt));
    svt->spec = options->spec;
    svt->config = config;
    svt->first = -1;
    rc = configure(svt, err);
    if (rc < 0) {
        close_svt(svt);
        return rc;
    }
    svt->planes = (EbSvtIOFormat){
        .width = (uint32_t)svt->spec->width,
        .height = (uint32_t)svt->spec->height,
        .color_fmt = EB_YUV420,
        .bit_depth = svt->spec->bit_depth > 8 ? EB_TEN_BIT : EB_EIGHT_BIT,
    };
    svt->input = (EbBufferHeaderType){
        .size = sizeof(svt->input),
        .p_buffer = (uint8_t *)&svt->planes,
        .n_filled_len = (uint32_t)(svt->spec->width * svt->spec->height * 3 / 2 *
                                   (svt->spec->bit_depth > 8 ? 2 : 1)),
    };
    *state = svt;
    return 0;
}

static int emit_packet(struct svt *svt, const EbBufferHeaderType *output, video_emit_fn emit,
                       void *context, struct err *err) {
    buf_clear(&svt->sample);
    int rc = av1_sample_append(&svt->sample, output->p_buffer, output->n_filled_len, err);
    if (rc == 0 && svt->config->record_size == 0) {
        rc = av1_config_make(svt->config, svt->spec, svt->sample.data, svt->sample.size, err);
    }
    if (rc < 0) {
        return rc;
    }
    const struct coded_packet packet = {
        .data = svt->sample.data,
        .size = svt->sample.size,
        .frame = svt->first + output->pts,
        .key = output->pic_type == EB_AV1_KEY_PICTURE,
    };
    return emit(context, &packet, err);
}

/* Emits what is done, or with `wait` all that is to come. */
static int take_packets(struct svt *svt, bool wait, video_emit_fn emit, void *context,
                        struct err *err) {
    int rc = 0;
    while (rc == 0 && !svt->ended) {
        EbBufferHeaderType *output = NULL;
        EbErrorType code = svt_av1_enc_get_packet(svt->handle, &output, wait);
        if (code == EB_NoErrorEmptyQueue) {
            return 0;
        }
        if (code != EB_ErrorNone) {
            return fail(svt, code, "encoding", err);
        }
        svt->ended = (output->flags & EB_BUFFERFLAG_EOS) != 0;
        if (output->n_filled_len > 0) {
            rc = emit_packet(svt, output, emit, context, err);
        }
        svt_av1_enc_release_out_buffer(&output);
    }
    return rc;
}

/* At the first picture, not before: the library can't be ended that was given none. Nor can one
 * that ran short of memory halfway: its end waits for threads that wait for ever for those that
 * could not be made. It is left behind, for the process to end. */
static int start(struct svt *svt, int64_t first, struct err *err) {
    EbErrorType code = svt_av1_enc_init(svt->handle);
    if (code != EB_ErrorNone) {
        svt->handle = NULL;
        return fail(svt, code, "starting on", err);
    }
    svt->first = first;
    return 0;
}

static int encode_svt(void *state, const struct video_picture *picture, video_emit_fn emit,
                      void *context, struct err *err) {
    struct svt *svt = state;
    int sample_bytes = svt->spec->bit_depth > 8 ? 2 : 1;
    svt->planes.luma = (uint8_t *)picture->plane[0]; /* the library only reads them */
    svt->planes.cb = (uint8_t *)picture->plane[1];
    svt->planes.cr = (uint8_t *)picture->plane[2];
    svt->planes.y_stride = (uint32_t)(picture->stride[0] / sample_bytes);
    svt->planes.cb_stride = (uint32_t)(picture->stride[1] / sample_bytes);
    svt->planes.cr_stride = (uint32_t)(picture->stride[2] / sample_bytes);
    int rc = svt->first < 0 ? start(svt, picture->frame, err) : 0;
    if (rc < 0) {
        return rc;
    }
    svt->input.pts = picture->frame - svt->first;
    svt->input.pic_type = picture->key ? EB_AV1_KEY_PICTURE : EB_AV1_INVALID_PICTURE;
    EbErrorType code = svt_av1_enc_send_picture(svt->handle, &svt->input);
    if (code != EB_ErrorNone) {
        return fail(svt, code, "encoding", err);
    }
    rc = take_packets(svt, false, emit, context, err);
    return rc < 0 ? rc : 0;
}

static int flush_svt(void *state, video_emit_fn emit, void *context, struct err *err) {
    struct svt *svt = state;
    EbErrorType code = end_input(svt);
    if (code != EB_ErrorNone) {
        return fail(svt, code, "encoding", err);
    }
    int rc = take_packets(svt, true, emit, context, err);
    return rc < 0 ? rc : 0;
}

const struct video_codec video_svt = {
    .name = "svt",
    .codec = CODEC_AV1,
    .capabilities = VIDEO_10_BIT,
    .tail_frames = TAIL_FRAMES,
    .lead_frames = lead_frames,
    .library = library,
    .prepare = prepare,
    .open = open_svt,
    .encode = encode_svt,
    .flush = flush_svt,
    .close = close_svt,
};
