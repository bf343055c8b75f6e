/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * H.264 by libx264, on its own API. Bytes are a function of spec and pictures: no
 * choice hangs on the processor (b_cpu_independent), on the number of frames or on
 * content seen at the start (b_stitchable), or on a clock.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <x264.h>

#include "common/mem.h"
#include "cpu.h"
#include "h264_config.h"
#include "video.h"

/*
 * Pictures that x264 holds before it decides on one: at most the lookahead of its
 * slowest presets, 60, which also covers the reordering (x264_encoder_maximum_delayed_frames
 * says 62), plus a margin for frame threads.
 */
enum { TAIL_FRAMES = 64 };

enum {
    DPB_MIN = 4,      /* pictures that references with a B-pyramid need */
    DISTANCE_MIN = 2, /* with 1 x264 would write other parameter sets */
    CRF_MIN = 1,      /* below it x264 would be lossless */
};

struct x264 {
    const struct video_spec *spec; /* borrowed */
    x264_t *handle;                /* owned */
    x264_picture_t picture;
    int key_distance; /* after which x264 makes an IDR by itself */
    int64_t first;    /* frame of the first picture; -1 before it */
    int64_t last_key;
    float crf;           /* of all pictures but the first; 0: of that too */
    char complaint[256]; /* x264's first error */
};

static void take_log(void *context, int level, const char *format, va_list args) {
    struct x264 *x264 = context;
    if (level <= X264_LOG_ERROR && x264->complaint[0] == '\0') {
        vsnprintf(x264->complaint, sizeof(x264->complaint), format, args);
        x264->complaint[strcspn(x264->complaint, "\n")] = '\0';
    }
}

/* x264 complains about what it refuses; without a complaint it lacked memory. */
static int fail(const struct x264 *x264, const char *doing, struct err *err) {
    if (x264->complaint[0] == '\0') {
        return err_set(err, ERR_INTERNAL, "out of memory in x264 while %s %dx%d", doing,
                       x264->spec->width, x264->spec->height);
    }
    return err_set(err, ERR_INVALID, "x264 failed while %s %dx%d: %s", doing, x264->spec->width,
                   x264->spec->height, x264->complaint);
}

/* "x264 - core 164 r3095 baee400 - H.264..." in the version SEI is the only place where
 * the library that runs, not the one compiled against, says its revision. */
static bool read_version(const x264_nal_t *sei, char *text, size_t size) {
    static const char mark[] = "x264 - core ";
    const char *found = memmem(sei->p_payload, (size_t)sei->i_payload, mark, strlen(mark));
    if (found == NULL) {
        return false;
    }
    size_t left = (size_t)sei->i_payload - (size_t)(found - (const char *)sei->p_payload);
    char copy[64] = "";
    memcpy(copy, found, left < sizeof(copy) - 1 ? left : sizeof(copy) - 1);
    int core;
    int revision;
    if (sscanf(copy, "x264 - core %d r%d", &core, &revision) != 2) {
        return false;
    }
    snprintf(text, size, "libx264 0.%d.%d", core, revision);
    return true;
}

static const char *library(void) {
    static char text[64];
    if (text[0] != '\0') {
        return text;
    }
    snprintf(text, sizeof(text), "libx264 0.%d", X264_BUILD);
    x264_param_t param;
    x264_param_default_preset(&param, "ultrafast", NULL);
    param.i_width = 16;
    param.i_height = 16;
    param.i_threads = 1;
    param.i_csp = X264_CSP_I420;
    param.i_log_level = X264_LOG_NONE;
    x264_t *handle = x264_encoder_open(&param);
    x264_nal_t *nals;
    int count;
    if (handle != NULL && x264_encoder_headers(handle, &nals, &count) >= 0) {
        for (int i = 0; i < count; i++) {
            if (nals[i].i_type == NAL_SEI && read_version(&nals[i], text, sizeof(text))) {
                break;
            }
        }
    }
    if (handle != NULL) {
        x264_encoder_close(handle);
    }
    return text;
}

static int csp_of(const struct video_spec *spec) {
    static const int csps[] = {
        [CHROMA_400] = X264_CSP_I400,
        [CHROMA_420] = X264_CSP_I420,
        [CHROMA_422] = X264_CSP_I422,
        [CHROMA_444] = X264_CSP_I444,
    };
    return csps[spec->chroma] | (spec->bit_depth > 8 ? X264_CSP_HIGH_DEPTH : 0);
}

/* The distance after which x264 makes an IDR by itself. One that leaves no room for the
 * preset's B-pictures would change the parameter sets: then every IDR is forced. */
static int key_distance(const x264_param_t *param, int longest_gop) {
    return longest_gop > param->i_bframe + 1 ? longest_gop : X264_KEYINT_MAX_INFINITE;
}

static void set_grid_params(x264_param_t *param, const struct video_spec *spec, int longest_gop) {
    param->i_threads = spec->threads > 0 ? spec->threads : 1;
    param->b_sliced_threads = 0;
    param->i_sync_lookahead = 0;
    param->b_deterministic = 1;
    param->b_cpu_independent = 1;
    param->b_stitchable = 1;
    param->i_keyint_max = key_distance(param, longest_gop);
    param->i_scenecut_threshold = 0;
    param->b_intra_refresh = 0;
    param->b_open_gop = 0;
    param->b_repeat_headers = 0;
    param->b_annexb = 0;
    param->b_aud = 0;
    param->i_nal_hrd = X264_NAL_HRD_NONE;
    param->b_vfr_input = 0;
    param->i_fps_num = (uint32_t)spec->rate.num;
    param->i_fps_den = (uint32_t)spec->rate.den;
    param->i_timebase_num = (uint32_t)spec->rate.den;
    param->i_timebase_den = (uint32_t)spec->rate.num;
}

static void set_picture_params(x264_param_t *param, const struct video_spec *spec) {
    param->i_width = spec->width;
    param->i_height = spec->height;
    param->i_csp = csp_of(spec) & X264_CSP_MASK;
    param->i_bitdepth = spec->bit_depth;
    param->vui.i_sar_width = 1;
    param->vui.i_sar_height = 1;
    param->vui.b_fullrange = spec->colour.full_range;
    param->vui.i_colorprim = spec->colour.primaries;
    param->vui.i_transfer = spec->colour.transfer;
    param->vui.i_colmatrix = spec->colour.matrix;
    param->vui.i_chroma_loc = spec->colour.chroma_location > 0 ? spec->colour.chroma_location : 0;
}

static void set_rate_params(x264_param_t *param, const struct video_spec *spec) {
    if (spec->lossless) {
        param->rc.i_rc_method = X264_RC_CQP;
        param->rc.i_qp_constant = 0;
        return;
    }
    param->rc.i_rc_method = X264_RC_CRF;
    param->rc.f_rf_constant = (float)spec->crf_hundredths / 100.0f;
    if (spec->maxrate_bps > 0) {
        param->rc.i_vbv_max_bitrate = (int)(spec->maxrate_bps / 1000);
        param->rc.i_vbv_buffer_size = (int)(spec->bufsize_bits / 1000);
        param->rc.f_vbv_buffer_init = (float)spec->vbv_init_percent / 100.0f;
    }
}

/* Forces the level and keeps the references within its picture buffer (ITU-T H.264
 * table A-1). Level 0 leaves the choice to x264. */
static int set_level(x264_param_t *param, const struct video_spec *spec, struct err *err) {
    if (spec->level == 0) {
        return 0;
    }
    const x264_level_t *level = x264_levels;
    while (level->level_idc != 0 && level->level_idc != spec->level) {
        level++;
    }
    if (level->level_idc == 0) {
        return err_set(err, ERR_INVALID, "H.264 has no level %d.%d", spec->level / 10,
                       spec->level % 10);
    }
    int macroblocks = (spec->width + 15) / 16 * ((spec->height + 15) / 16);
    int64_t a_second = ticks_scale(macroblocks, spec->rate.num, spec->rate.den, ROUND_UP);
    int pictures = level->dpb / macroblocks;
    if (macroblocks > level->frame_size || a_second > level->mbps || pictures < DPB_MIN) {
        return err_set(err, ERR_INVALID,
                       "level %d.%d of H.264 is too low for %dx%d at %.3f frames "
                       "a second; take a higher one",
                       spec->level / 10, spec->level % 10, spec->width, spec->height,
                       rational_value(spec->rate));
    }
    param->i_level_idc = spec->level;
    if (param->i_frame_reference > pictures) {
        param->i_frame_reference = pictures;
    }
    return 0;
}

static int make_params(x264_param_t *param, const struct video_spec *spec, int longest_gop,
                       struct err *err) {
    const char *tune = spec->tune[0] != '\0' ? spec->tune : NULL;
    if (x264_param_default_preset(param, spec->preset, tune) < 0) {
        return err_set(err, ERR_INVALID, "x264 has no preset '%s' with tune '%s'", spec->preset,
                       spec->tune);
    }
    set_grid_params(param, spec, longest_gop);
    set_picture_params(param, spec);
    set_rate_params(param, spec);
    int rc = set_level(param, spec, err);
    if (rc < 0) {
        return rc;
    }
    if (cpu_is_baseline()) {
        param->cpu &= X264_CPU_MMX | X264_CPU_MMX2 | X264_CPU_SSE | X264_CPU_SSE2;
    }
    const char *profile = spec->lossless ? "high444" : spec->profile; /* lossless is of no other */
    if (profile[0] != '\0' && x264_param_apply_profile(param, profile) < 0) {
        return err_set(err, ERR_INVALID,
                       "x264 can't code this chroma format and bit depth in "
                       "profile '%s'",
                       profile);
    }
    return 0;
}

/* The track's facts from x264's own parameter sets; its version SEI is left out. */
static int read_headers(struct x264 *x264, struct coded_config *config, struct err *err) {
    x264_nal_t *nals;
    int count;
    if (x264_encoder_headers(x264->handle, &nals, &count) < 0) {
        return fail(x264, "starting on", err);
    }
    const x264_nal_t *sps = NULL;
    const x264_nal_t *pps = NULL;
    for (int i = 0; i < count; i++) {
        if (nals[i].i_type == NAL_SPS) {
            sps = &nals[i];
        } else if (nals[i].i_type == NAL_PPS) {
            pps = &nals[i];
        }
    }
    if (sps == NULL || pps == NULL) {
        return err_set(err, ERR_INTERNAL, "x264 gave no parameter sets");
    }
    return h264_config_make(config, sps->p_payload + 4, (size_t)sps->i_payload - 4,
                            pps->p_payload + 4, (size_t)pps->i_payload - 4, err);
}

/*
 * With macroblock-tree x264 gives its first picture the quantiser of a P picture, every
 * later IDR a finer one, by ip_factor: a chunk's first GOP would come out coarser than in one
 * pass (0.45 dB, +2 % of bits at equal SSIM). So the first picture has a crf of its own, and a
 * chunk comes out as in one pass, bit for bit where the cap does not bite. With frame threads
 * the next ones would have begun before it is known to be out.
 */
static void refine_first(struct x264 *x264, x264_param_t *param) {
    if (param->rc.i_rc_method != X264_RC_CRF || !param->rc.b_mb_tree || param->i_threads != 1) {
        return;
    }
    float finer = param->rc.f_rf_constant - 6.0f * log2f(param->rc.f_ip_factor);
    x264->crf = param->rc.f_rf_constant;
    param->rc.f_rf_constant = finer > CRF_MIN ? finer : CRF_MIN;
}

/* The first picture is out: the others' crf. */
static int end_first(struct x264 *x264, struct err *err) {
    x264_param_t param;
    if (x264->crf == 0) {
        return 0;
    }
    x264_encoder_parameters(x264->handle, &param);
    param.rc.f_rf_constant = x264->crf;
    x264->crf = 0;
    return x264_encoder_reconfig(x264->handle, &param) < 0 ? fail(x264, "encoding", err) : 0;
}

static void close_x264(void *state) {
    struct x264 *x264 = state;
    if (x264 == NULL) {
        return;
    }
    if (x264->handle != NULL) {
        x264_encoder_close(x264->handle);
    }
    mem_free(x264);
}

static int open_x264(void **state, const struct video_options *options, struct coded_config *config,
                     struct err *err) {
    const struct video_spec *spec = options->spec;
    struct x264 *x264 = mem_zero(1, sizeof(*x264));
    x264->spec = spec;
    x264->first = -1;
    x264_param_t param;
    int rc = make_params(&param, spec, options->longest_gop, err);
    if (rc < 0) {
        goto out;
    }
    x264->key_distance = param.i_keyint_max;
    refine_first(x264, &param);
    param.i_log_level = X264_LOG_ERROR;
    param.pf_log = take_log;
    param.p_log_private = x264;
    x264->handle = x264_encoder_open(&param);
    if (x264->handle == NULL) {
        rc = fail(x264, "starting on", err);
        goto out;
    }
    x264_picture_init(&x264->picture);
    x264->picture.img.i_csp = csp_of(spec);
    x264->picture.img.i_plane = spec->chroma == CHROMA_400 ? 1 : 3;
    rc = read_headers(x264, config, err);
out:
    if (rc < 0) {
        close_x264(x264);
        return rc;
    }
    *state = x264;
    return 0;
}

/* One coded picture: its slices lie one after another; SEI before them is left out. */
static int emit_nals(struct x264 *x264, const x264_nal_t *nals, int count, int size,
                     const x264_picture_t *coded, video_emit_fn emit, void *context,
                     struct err *err) {
    int first = 0;
    int skipped = 0;
    while (first < count && nals[first].i_type == NAL_SEI) {
        skipped += nals[first].i_payload;
        first++;
    }
    for (int i = first; i < count; i++) {
        if (nals[i].i_type != NAL_SLICE && nals[i].i_type != NAL_SLICE_IDR) {
            return err_set(err, ERR_INTERNAL, "x264 put a NAL unit of type %d among slices",
                           nals[i].i_type);
        }
    }
    if (first == count) {
        return err_set(err, ERR_INTERNAL, "x264 gave a picture without a slice");
    }
    const struct coded_packet packet = {
        .data = nals[first].p_payload,
        .size = (size_t)(size - skipped),
        .frame = x264->first + coded->i_pts,
        .key = nals[first].i_type == NAL_SLICE_IDR,
        .disposable = nals[first].i_ref_idc == NAL_PRIORITY_DISPOSABLE,
    };
    return emit(context, &packet, err);
}

/* Gives x264 the picture, or NULL to drain it, and emits what comes out. */
static int advance(struct x264 *x264, x264_picture_t *picture, video_emit_fn emit, void *context,
                   struct err *err) {
    x264_picture_t coded;
    x264_nal_t *nals;
    int count;
    int size = x264_encoder_encode(x264->handle, &nals, &count, picture, &coded);
    if (size < 0) {
        return fail(x264, "encoding", err);
    }
    if (size == 0) {
        return 0;
    }
    int rc = end_first(x264, err);
    return rc < 0 ? rc : emit_nals(x264, nals, count, size, &coded, emit, context, err);
}

/*
 * An IDR that comes when x264 expects it is left to x264: one that is forced makes it
 * spend bits on the picture before, which nothing refers to (1.0 % of all bits at equal
 * SSIM, mean of four clips).
 */
static int type_of(struct x264 *x264, const struct video_picture *picture) {
    if (!picture->key) {
        return X264_TYPE_AUTO;
    }
    bool expected = picture->frame > x264->first &&
                    picture->frame - x264->last_key == x264->key_distance;
    x264->last_key = picture->frame;
    return expected ? X264_TYPE_AUTO : X264_TYPE_IDR;
}

static int encode_x264(void *state, const struct video_picture *picture, video_emit_fn emit,
                       void *context, struct err *err) {
    struct x264 *x264 = state;
    for (int i = 0; i < x264->picture.img.i_plane; i++) {
        x264->picture.img.plane[i] = (uint8_t *)picture->plane[i]; /* x264 only reads it */
        x264->picture.img.i_stride[i] = (int)picture->stride[i];
    }
    if (x264->first < 0) {
        x264->first = picture->frame;
    }
    x264->picture.i_pts = picture->frame - x264->first;
    x264->picture.i_type = type_of(x264, picture);
    int rc = advance(x264, &x264->picture, emit, context, err);
    return rc < 0 ? rc : 0;
}

static int flush_x264(void *state, video_emit_fn emit, void *context, struct err *err) {
    struct x264 *x264 = state;
    int rc = 0;
    while (rc == 0 && x264_encoder_delayed_frames(x264->handle) > 0) {
        rc = advance(x264, NULL, emit, context, err);
    }
    return rc < 0 ? rc : 0;
}

const struct video_codec video_x264 = {
    .name = "x264",
    .codec = CODEC_H264,
    .capabilities = VIDEO_LOSSLESS | VIDEO_CAPPED | VIDEO_10_BIT | VIDEO_CHROMA_400 |
                    VIDEO_CHROMA_422 | VIDEO_CHROMA_444,
    .tail_frames = TAIL_FRAMES,
    .library = library,
    .open = open_x264,
    .encode = encode_x264,
    .flush = flush_x264,
    .close = close_x264,
};
