/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A fake encoder: tiny packets of H.264's outer shape at once, each told from the
 * others by its frame's number. It shows what a row must do, and makes tests of all
 * around it fast. Nothing decodes them.
 */
#include "h264_config.h"
#include "video.h"

#include "common/buf.h"
#include "common/mem.h"

enum { NAL_SLICE = 0x41, NAL_SLICE_IDR = 0x65, DELAY = 2 };

struct null_encoder {
    int held; /* frames not yet emitted, at most DELAY */
    struct {
        int64_t frame;
        bool key;
    } queue[DELAY + 1];
};

struct bit_writer {
    struct buf bytes;
    uint8_t byte;
    int used;
};

static void put_bits(struct bit_writer *writer, unsigned value, int count) {
    for (int i = count - 1; i >= 0; i--) {
        writer->byte = (uint8_t)(writer->byte << 1 | (value >> i & 1));
        if (++writer->used == 8) {
            buf_u8(&writer->bytes, writer->byte);
            writer->byte = 0;
            writer->used = 0;
        }
    }
}

static void put_ue(struct bit_writer *writer, unsigned value) {
    int length = 0;
    while ((value + 1) >> (length + 1) != 0) {
        length++;
    }
    put_bits(writer, 0, length);
    put_bits(writer, value + 1, length + 1);
}

/* A sequence parameter set of the spec's size (ITU-T H.264 7.3.2.1.1). */
static struct buf make_sps(const struct video_spec *spec) {
    struct bit_writer writer = {0};
    int level = spec->level > 0 ? spec->level : 31;
    unsigned wide = ((unsigned)spec->width + 15) / 16;
    unsigned high = ((unsigned)spec->height + 15) / 16;
    put_bits(&writer, 0x67, 8);
    put_bits(&writer, 100, 8); /* High */
    put_bits(&writer, 0, 8);
    put_bits(&writer, (unsigned)level, 8);
    put_ue(&writer, 0);
    put_ue(&writer, 1); /* 4:2:0 */
    put_ue(&writer, 0);
    put_ue(&writer, 0);
    put_bits(&writer, 0, 2);
    put_ue(&writer, 0); /* frame numbers of 4 bits */
    put_ue(&writer, 2); /* pictures are shown in decode order */
    put_ue(&writer, 1);
    put_bits(&writer, 0, 1);
    put_ue(&writer, wide - 1);
    put_ue(&writer, high - 1);
    put_bits(&writer, 3, 2); /* frames only, direct 8x8 inference */
    put_bits(&writer, 1, 1);
    put_ue(&writer, 0);
    put_ue(&writer, (wide * 16 - (unsigned)spec->width) / 2);
    put_ue(&writer, 0);
    put_ue(&writer, (high * 16 - (unsigned)spec->height) / 2);
    put_bits(&writer, 1, 1); /* VUI: nothing but the bitstream restriction */
    put_bits(&writer, 0, 8);
    put_bits(&writer, 3, 2);
    put_ue(&writer, 0);
    put_ue(&writer, 0);
    put_ue(&writer, 16);
    put_ue(&writer, 16);
    put_ue(&writer, 0); /* max_num_reorder_frames */
    put_ue(&writer, 1);
    put_bits(&writer, 1, 1);
    put_bits(&writer, 0, (8 - writer.used) % 8);
    return writer.bytes;
}

static const char *library(void) {
    return "null 1";
}

static int open_null(void **state, const struct video_options *options, struct coded_config *config,
                     struct err *err) {
    static const uint8_t pps[] = {0x68, 0xee, 0x3c, 0x80};
    struct buf sps = make_sps(options->spec);
    int rc = h264_config_make(config, sps.data, sps.size, pps, sizeof(pps), err);
    buf_finish(&sps);
    if (rc == 0) {
        *state = mem_zero(1, sizeof(struct null_encoder));
    }
    return rc;
}

static int emit_oldest(struct null_encoder *encoder, video_emit_fn emit, void *context,
                       struct err *err) {
    struct buf data = {0};
    buf_u32(&data, 9);
    buf_u8(&data, encoder->queue[0].key ? NAL_SLICE_IDR : NAL_SLICE);
    buf_u64(&data, (uint64_t)encoder->queue[0].frame);
    const struct coded_packet packet = {
        .data = data.data,
        .size = data.size,
        .frame = encoder->queue[0].frame,
        .key = encoder->queue[0].key,
    };
    int rc = emit(context, &packet, err);
    buf_finish(&data);
    encoder->held--;
    for (int i = 0; i < encoder->held; i++) {
        encoder->queue[i] = encoder->queue[i + 1];
    }
    return rc;
}

static int encode_null(void *state, const struct video_picture *picture, video_emit_fn emit,
                       void *context, struct err *err) {
    struct null_encoder *encoder = state;
    encoder->queue[encoder->held].frame = picture->frame;
    encoder->queue[encoder->held].key = picture->key;
    encoder->held++;
    int rc = encoder->held > DELAY ? emit_oldest(encoder, emit, context, err) : 0;
    return rc < 0 ? rc : 0;
}

static int flush_null(void *state, video_emit_fn emit, void *context, struct err *err) {
    struct null_encoder *encoder = state;
    int rc = 0;
    while (rc == 0 && encoder->held > 0) {
        rc = emit_oldest(encoder, emit, context, err);
    }
    return rc < 0 ? rc : 0;
}

const struct video_codec video_null = {
    .name = "null",
    .codec = CODEC_H264,
    .capabilities = VIDEO_CAPPED | VIDEO_FAKE,
    .tail_frames = DELAY,
    .library = library,
    .open = open_null,
    .encode = encode_null,
    .flush = flush_null,
    .close = mem_free,
};
