/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AAC-LC by libavcodec's own encoder. */
#include <libavcodec/avcodec.h>
#include <stdio.h>
#include <string.h>

#include "audio.h"
#include "common/mem.h"

enum { BLOCK = 1024 };

struct aac {
    AVCodecContext *context; /* owned */
    AVFrame *frame;          /* owned */
    AVPacket *packet;        /* owned */
};

static const char *library(void) {
    static char text[48];
    if (text[0] == '\0') {
        unsigned version = avcodec_version();
        snprintf(text, sizeof(text), "libavcodec %u.%u.%u", version >> 16, version >> 8 & 255,
                 version & 255);
    }
    return text;
}

static int fail(int code, const char *doing, struct err *err) {
    if (code == AVERROR(ENOMEM)) {
        return err_set(err, ERR_INTERNAL, "out of memory while %s AAC", doing);
    }
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof(text));
    return err_set(err, ERR_INTERNAL, "libavcodec failed while %s AAC: %s", doing, text);
}

static void close_aac(void *state) {
    struct aac *aac = state;
    if (aac == NULL) {
        return;
    }
    avcodec_free_context(&aac->context);
    av_frame_free(&aac->frame);
    av_packet_free(&aac->packet);
    mem_free(aac);
}

static int open_context(struct aac *aac, const struct audio_spec *spec, struct err *err) {
    const AVCodec *codec = avcodec_find_encoder_by_name("aac");
    if (codec == NULL) {
        return err_set(err, ERR_UNSUPPORTED, "this libavcodec was built without its AAC encoder");
    }
    aac->context = avcodec_alloc_context3(codec);
    aac->frame = av_frame_alloc();
    aac->packet = av_packet_alloc();
    if (aac->context == NULL || aac->frame == NULL || aac->packet == NULL) {
        return fail(AVERROR(ENOMEM), "starting", err);
    }
    aac->context->sample_fmt = AV_SAMPLE_FMT_FLTP;
    aac->context->sample_rate = spec->sample_rate;
    aac->context->bit_rate = spec->bitrate_bps;
    aac->context->time_base = (AVRational){1, spec->sample_rate};
    aac->context->thread_count = 1;
    aac->context->flags = AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;
    av_channel_layout_default(&aac->context->ch_layout, spec->channels);
    int rc = avcodec_open2(aac->context, codec, NULL);
    if (rc < 0) {
        return fail(rc, "starting", err);
    }
    aac->frame->format = AV_SAMPLE_FMT_FLTP;
    aac->frame->sample_rate = spec->sample_rate;
    aac->frame->nb_samples = BLOCK;
    rc = av_channel_layout_copy(&aac->frame->ch_layout, &aac->context->ch_layout);
    if (rc >= 0) {
        rc = av_frame_get_buffer(aac->frame, 0);
    }
    return rc < 0 ? fail(rc, "starting", err) : 0;
}

static int open_aac(void **state, const struct audio_spec *spec, struct coded_config *config,
                    struct err *err) {
    struct aac *aac = mem_zero(1, sizeof(*aac));
    int rc = open_context(aac, spec, err);
    if (rc < 0) {
        goto out;
    }
    int size = aac->context->extradata_size;
    if (aac->context->frame_size != BLOCK || size < 2 || size > (int)sizeof(config->record)) {
        rc = err_set(err, ERR_INTERNAL,
                     "libavcodec's AAC encoder has blocks of %d samples and a "
                     "configuration of %d bytes",
                     aac->context->frame_size, size);
        goto out;
    }
    *config = (struct coded_config){.record_size = (size_t)size,
                                    .priming = aac->context->initial_padding};
    memcpy(config->record, aac->context->extradata, (size_t)size);
out:
    if (rc < 0) {
        close_aac(aac);
        return rc;
    }
    *state = aac;
    return 0;
}

static int emit_ready(struct aac *aac, audio_emit_fn emit, void *context, struct err *err) {
    for (;;) {
        int rc = avcodec_receive_packet(aac->context, aac->packet);
        if (rc == AVERROR(EAGAIN) || rc == AVERROR_EOF) {
            return 0;
        }
        if (rc < 0) {
            return fail(rc, "encoding", err);
        }
        const struct coded_packet packet = {
            .data = aac->packet->data,
            .size = (size_t)aac->packet->size,
            .key = true,
            .duration = BLOCK,
        };
        rc = emit(context, &packet, err);
        av_packet_unref(aac->packet);
        if (rc < 0) {
            return rc;
        }
    }
}

static int encode_aac(void *state, float *const *planes, audio_emit_fn emit, void *context,
                      struct err *err) {
    struct aac *aac = state;
    int rc = av_frame_make_writable(aac->frame);
    if (rc < 0) {
        return fail(rc, "encoding", err);
    }
    for (int i = 0; i < aac->context->ch_layout.nb_channels; i++) {
        memcpy(aac->frame->data[i], planes[i], BLOCK * sizeof(float));
    }
    rc = avcodec_send_frame(aac->context, aac->frame);
    if (rc < 0) {
        return fail(rc, "encoding", err);
    }
    return emit_ready(aac, emit, context, err);
}

static int flush_aac(void *state, audio_emit_fn emit, void *context, struct err *err) {
    struct aac *aac = state;
    int rc = avcodec_send_frame(aac->context, NULL);
    if (rc < 0) {
        return fail(rc, "encoding", err);
    }
    return emit_ready(aac, emit, context, err);
}

const struct audio_codec audio_aac = {
    .name = "aac",
    .codec = CODEC_AAC,
    .block = BLOCK,
    .library = library,
    .open = open_aac,
    .encode = encode_aac,
    .flush = flush_aac,
    .close = close_aac,
};
