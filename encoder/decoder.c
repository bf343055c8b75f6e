/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decoders that repeat themselves: see decoder.h. */
#include "decoder.h"

enum { LONGEST_REORDER = 16 };

/* PLATFORM: MPEG-4 ASP decoding differs by SIMD without these two; threads change what
 * is concealed. Corrupt pictures are wanted: picture_source decides about them. */
static void set_flags(AVCodecContext *decoder) {
    decoder->thread_count = 1;
    decoder->flags |= AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_OUTPUT_CORRUPT;
    decoder->idct_algo = FF_IDCT_SIMPLE;
    if (decoder->codec_type == AVMEDIA_TYPE_AUDIO) {
        /* Whole samples are cut by us: timestamps of some containers are too coarse. */
        decoder->flags2 |= AV_CODEC_FLAG2_SKIP_MANUAL;
    } else if (decoder->codec_id == AV_CODEC_ID_H264) {
        /* Without it a stream that does not tell its reorder depth loses pictures. */
        decoder->strict_std_compliance = FF_COMPLIANCE_STRICT;
    }
}

int decoder_open(AVCodecContext **out, const AVCodecParameters *parameters, AVRational time_base,
                 const char *codec, struct err *err) {
    enum AVCodecID id = parameters->codec_id;
    if (id == AV_CODEC_ID_NONE && codec != NULL) {
        const AVCodecDescriptor *descriptor = avcodec_descriptor_get_by_name(codec);
        id = descriptor != NULL ? descriptor->id : AV_CODEC_ID_NONE;
    }
    const AVCodec *found = avcodec_find_decoder(id);
    if (found == NULL) {
        return err_set(err, ERR_UNSUPPORTED, "no decoder for %s is in this build",
                       id == AV_CODEC_ID_NONE ? "an unknown codec" : avcodec_get_name(id));
    }
    AVCodecContext *decoder = avcodec_alloc_context3(found);
    if (decoder == NULL || avcodec_parameters_to_context(decoder, parameters) < 0) {
        avcodec_free_context(&decoder);
        return err_set(err, ERR_INTERNAL, "out of memory for a decoder");
    }
    decoder->codec_id = found->id;
    decoder->pkt_timebase = time_base;
    set_flags(decoder);
    int status = avcodec_open2(decoder, found, NULL);
    if (status < 0) {
        avcodec_free_context(&decoder);
        int rc = decoder_check(status, err);
        return rc < 0 ? rc
                      : err_set(err, ERR_CORRUPT, "the decoder for %s refuses its headers",
                                avcodec_get_name(id));
    }
    *out = decoder;
    return 0;
}

int decoder_check(int status, struct err *err) {
    return status == AVERROR(ENOMEM) ? err_set(err, ERR_INTERNAL, "out of memory while decoding")
                                     : 0;
}

int decoder_reorder_limit(const AVCodecContext *decoder) {
    const AVCodecDescriptor *descriptor = avcodec_descriptor_get(decoder->codec_id);
    if (descriptor != NULL && (descriptor->props & AV_CODEC_PROP_REORDER) == 0) {
        return 0;
    }
    int depth = decoder->has_b_frames;
    return depth < 1 ? 1 : depth > LONGEST_REORDER ? LONGEST_REORDER : depth;
}
