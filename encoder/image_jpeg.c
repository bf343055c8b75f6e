/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Baseline JPEG: see image_jpeg.h. */
#include "image_jpeg.h"

#include <libavcodec/avcodec.h>
#include <libavutil/imgutils.h>

static int fail(int code, struct err *err) {
    if (code == AVERROR(ENOMEM)) {
        return err_set(err, ERR_INTERNAL, "out of memory while a JPEG picture is written");
    }
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(code, text, sizeof(text));
    return err_set(err, ERR_INTERNAL, "libavcodec failed while writing a JPEG picture: %s", text);
}

static int open_encoder(AVCodecContext **out, int width, int height, int quality, struct err *err) {
    const AVCodec *codec = avcodec_find_encoder(AV_CODEC_ID_MJPEG);
    if (codec == NULL) {
        return err_set(err, ERR_UNSUPPORTED, "this libavcodec was built without its JPEG encoder");
    }
    AVCodecContext *context = avcodec_alloc_context3(codec);
    if (context == NULL) {
        return fail(AVERROR(ENOMEM), err);
    }
    context->width = width;
    context->height = height;
    context->pix_fmt = AV_PIX_FMT_YUVJ420P;
    context->color_range = AVCOL_RANGE_JPEG;
    context->time_base = (AVRational){1, 25};
    context->sample_aspect_ratio = (AVRational){1, 1};
    context->thread_count = 1;
    context->flags = AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT;
    context->global_quality = FF_QP2LAMBDA * quality;
    context->dct_algo = FF_DCT_INT;
    int status = avcodec_open2(context, codec, NULL);
    if (status < 0) {
        avcodec_free_context(&context);
        return fail(status, err);
    }
    *out = context;
    return 0;
}

static int fill_frame(AVFrame *frame, int width, int height, const struct image *image,
                      int quality) {
    frame->format = AV_PIX_FMT_YUVJ420P;
    frame->width = width;
    frame->height = height;
    frame->quality = FF_QP2LAMBDA * quality;
    int status = av_frame_get_buffer(frame, 0);
    if (status == 0) {
        const uint8_t *planes[4] = {image->plane[0], image->plane[1], image->plane[2]};
        int strides[4] = {(int)image->stride[0], (int)image->stride[1], (int)image->stride[2]};
        av_image_copy(frame->data, frame->linesize, planes, strides, AV_PIX_FMT_YUVJ420P, width,
                      height);
    }
    return status;
}

int image_jpeg_write(int width, int height, const struct image *image, int quality, struct buf *out,
                     struct err *err) {
    AVCodecContext *context = NULL;
    AVFrame *frame = av_frame_alloc();
    AVPacket *packet = av_packet_alloc();
    int status = frame == NULL || packet == NULL ? AVERROR(ENOMEM) : 0;
    int rc = status < 0 ? fail(status, err) : open_encoder(&context, width, height, quality, err);
    if (rc < 0) {
        goto out;
    }
    status = fill_frame(frame, width, height, image, quality);
    status = status < 0 ? status : avcodec_send_frame(context, frame);
    status = status < 0 ? status : avcodec_receive_packet(context, packet);
    if (status < 0) {
        rc = fail(status, err);
    } else {
        buf_append(out, packet->data, (size_t)packet->size);
    }
out:
    av_packet_free(&packet);
    av_frame_free(&frame);
    avcodec_free_context(&context);
    return rc;
}
