/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of a source: codec, flags and size of the extradata in a byte each, extradata,
 * packet. */
#include "common/buf.h"
#include "encoder/bitstream.h"
#include "harness.h"

static const enum AVCodecID codecs[] = {
    AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_AV1,    AV_CODEC_ID_MPEG2VIDEO,
    AV_CODEC_ID_VP9,  AV_CODEC_ID_VP8,  AV_CODEC_ID_PRORES, AV_CODEC_ID_MPEG4,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes bytes = bytes_of(data, size);
    AVCodecParameters parameters = {
        .codec_type = AVMEDIA_TYPE_VIDEO,
        .codec_id = codecs[bytes_u8(&bytes) % (sizeof(codecs) / sizeof(codecs[0]))],
    };
    bool key = (bytes_u8(&bytes) & 1) != 0;
    parameters.extradata_size = bytes_u8(&bytes);
    parameters.extradata = (uint8_t *)bytes_take(&bytes, (size_t)parameters.extradata_size);
    if (!bytes.short_read) {
        struct bitstream stream = bitstream_of(&parameters);
        bitstream_look(&stream, bytes.data + bytes.at, bytes_left(&bytes), key);
    }
    return 0;
}
