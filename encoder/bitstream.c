/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random access points from header bits: see bitstream.h. */
#include "bitstream.h"

#include <string.h>

enum {
    NAL_H264_SLICE = 1,
    NAL_H264_PARTITION = 2,
    NAL_H264_IDR = 5,
    NAL_H264_SEI = 6,
    SEI_RECOVERY_POINT = 6,
    UNESCAPED_BYTES = 512, /* of an SEI that are looked at */
};

/* ---- Bits ----------------------------------------------------------------- */

struct bits {
    const uint8_t *data;
    size_t count; /* bits */
    size_t at;
};

static unsigned read_bits(struct bits *bits, int count) {
    unsigned value = 0;
    for (int i = 0; i < count; i++) {
        unsigned bit = 0;
        if (bits->at < bits->count) {
            bit = (bits->data[bits->at / 8] >> (7 - bits->at % 8)) & 1;
        }
        bits->at++;
        value = value << 1 | bit;
    }
    return value;
}

/* ue(v), ITU-T H.264 9.1; a code longer than 16 bits reads as its largest. */
static unsigned read_golomb(struct bits *bits) {
    int zeros = 0;
    while (zeros < 16 && bits->at < bits->count && read_bits(bits, 1) == 0) {
        zeros++;
    }
    return (1U << zeros) - 1 + read_bits(bits, zeros);
}

/* ---- NAL units ------------------------------------------------------------- */

struct nal_walk {
    const uint8_t *data;
    size_t size;
    size_t at;
    int length_size;
};

/* Where the next start code's payload begins at or after `at`; size where none does. */
static size_t find_start_code(const uint8_t *data, size_t size, size_t at) {
    while (at + 3 <= size) {
        const uint8_t *one = memchr(data + at + 2, 1, size - at - 2);
        if (one == NULL) {
            break;
        }
        size_t place = (size_t)(one - data);
        if (data[place - 1] == 0 && data[place - 2] == 0) {
            return place + 1;
        }
        at = place - 1;
    }
    return size;
}

/* The next NAL unit; its end is only known where lengths are stored, else it is the
 * packet's: headers alone are read. */
static bool next_nal(struct nal_walk *walk, const uint8_t **nal, size_t *size) {
    if (walk->length_size == 0) {
        size_t start = find_start_code(walk->data, walk->size, walk->at);
        if (start >= walk->size) {
            return false;
        }
        *nal = walk->data + start;
        *size = walk->size - start;
        walk->at = start;
        return true;
    }
    size_t length = 0;
    if (walk->size - walk->at <= (size_t)walk->length_size) {
        return false;
    }
    for (int i = 0; i < walk->length_size; i++) {
        length = length << 8 | walk->data[walk->at++];
    }
    size_t left = walk->size - walk->at;
    if (length == 0 || left == 0) {
        return false;
    }
    length = length < left ? length : left; /* the packet may be cut off: headers are enough */
    *nal = walk->data + walk->at;
    *size = length;
    walk->at += length;
    return true;
}

/* Copies payload bytes without emulation prevention (H.264 7.4.1), up to a start code. */
static size_t unescape(const uint8_t *nal, size_t size, uint8_t *out, size_t capacity) {
    size_t used = 0;
    int zeros = 0;
    for (size_t i = 0; i < size && used < capacity; i++) {
        if (zeros >= 2 && nal[i] <= 1) {
            break;
        }
        if (zeros >= 2 && nal[i] == 3) {
            zeros = 0;
            continue;
        }
        zeros = nal[i] == 0 ? zeros + 1 : 0;
        out[used++] = nal[i];
    }
    return used;
}

/* ---- H.264 ---------------------------------------------------------------- */

/* Finds a recovery point among the messages of an SEI: its frame count, or -1 without
 * one, or one that does not promise exact pictures. */
static int find_recovery_point(const uint8_t *nal, size_t size) {
    uint8_t payload[UNESCAPED_BYTES];
    size_t used = unescape(nal + 1, size - 1, payload, sizeof(payload));
    size_t at = 0;
    while (at + 2 < used) {
        unsigned type = 0;
        unsigned length = 0;
        while (at < used && payload[at] == 0xff) {
            type += 255;
            at++;
        }
        type += at < used ? payload[at++] : 0;
        while (at < used && payload[at] == 0xff) {
            length += 255;
            at++;
        }
        length += at < used ? payload[at++] : 0;
        if (length > used - at) {
            break;
        }
        if (type == SEI_RECOVERY_POINT) {
            struct bits bits = {payload + at, 8 * (size_t)length, 0};
            unsigned count = read_golomb(&bits);
            bool exact = read_bits(&bits, 1) == 1;
            return exact || count == 0 ? (int)count : -1;
        }
        at += length;
    }
    return -1;
}

static struct picture_look look_h264(const struct bitstream *stream, const uint8_t *data,
                                     size_t size) {
    struct picture_look look = {0};
    struct nal_walk walk = {data, size, 0, stream->nal_length_size};
    const uint8_t *nal = NULL;
    size_t length = 0;
    int recovery = -1;
    while (next_nal(&walk, &nal, &length)) {
        int type = nal[0] & 0x1f;
        if (type == NAL_H264_SEI && length > 1 && recovery < 0) {
            recovery = find_recovery_point(nal, length);
        }
        if (type != NAL_H264_SLICE && type != NAL_H264_PARTITION && type != NAL_H264_IDR) {
            continue;
        }
        struct bits bits = {nal + 1, 8 * (length - 1), 0};
        read_golomb(&bits); /* first_mb_in_slice */
        unsigned slice_type = read_golomb(&bits) % 5;
        bool intra = slice_type == 2 || slice_type == 4;
        look.reference = (nal[0] & 0x60) != 0;
        look.restarts = type == NAL_H264_IDR;
        if (type == NAL_H264_IDR) {
            look.access = ACCESS_CLOSED;
        } else if (recovery == 0 && intra) {
            look.access = ACCESS_LEADING;
        } else if (recovery > 0) {
            look.access = ACCESS_RECOVERY;
            look.recovery = recovery;
        }
        break;
    }
    return look;
}

/* ---- Others --------------------------------------------------------------- */

/* ITU-T H.265 table 7-1 and H.266 table 5: intra random access pictures. */
static struct picture_look look_hevc(const struct bitstream *stream, const uint8_t *data,
                                     size_t size) {
    struct picture_look look = {0};
    struct nal_walk walk = {data, size, 0, stream->nal_length_size};
    const uint8_t *nal = NULL;
    size_t length = 0;
    bool vvc = stream->codec == AV_CODEC_ID_VVC;
    while (next_nal(&walk, &nal, &length)) {
        int type = vvc ? (length > 1 ? nal[1] >> 3 : 0) : (nal[0] >> 1) & 0x3f;
        if (vvc ? type > 11 : type > 31) {
            continue; /* parameter sets, messages */
        }
        bool idr = vvc ? type == 7 || type == 8 : type == 19 || type == 20;
        bool random = vvc ? type == 9 : type >= 16 && type <= 21;
        look.restarts = idr || (!vvc && type >= 16 && type <= 18);
        look.access = idr ? ACCESS_CLOSED : random ? ACCESS_LEADING : ACCESS_NONE;
        break;
    }
    return look;
}

/* ISO/IEC 13818-2 6.2.3: an I picture, where a sequence header came with it. */
static struct picture_look look_mpeg12(const struct bitstream *stream, const uint8_t *data,
                                       size_t size) {
    struct picture_look look = {0};
    bool header = stream->has_headers;
    for (size_t at = find_start_code(data, size, 0); at + 2 < size;
         at = find_start_code(data, size, at)) {
        if (data[at] == 0xb3) {
            header = true;
        } else if (data[at] == 0x00) {
            bool intra = ((data[at + 2] >> 3) & 7) == 1;
            look.access = intra && header ? ACCESS_LEADING : ACCESS_NONE;
            break;
        }
    }
    return look;
}

/* RFC 6386 9.1. */
static struct picture_look look_vp8(const uint8_t *data, size_t size) {
    struct picture_look look = {0};
    if (size > 0) {
        look.access = (data[0] & 1) == 0 ? ACCESS_CLOSED : ACCESS_NONE;
        look.hidden = (data[0] & 0x10) == 0;
    }
    return look;
}

/* VP9 bitstream specification 6.2; a superframe shows its last picture. */
static struct picture_look look_vp9(const uint8_t *data, size_t size) {
    struct picture_look look = {0};
    struct bits bits = {data, 8 * size, 0};
    if (size == 0 || read_bits(&bits, 2) != 2) {
        return look;
    }
    unsigned low = read_bits(&bits, 1);
    unsigned profile = low | read_bits(&bits, 1) << 1;
    if (profile == 3) {
        read_bits(&bits, 1);
    }
    if (read_bits(&bits, 1) == 1) {
        return look; /* shows an existing picture */
    }
    bool inter = read_bits(&bits, 1) == 1;
    bool shown = read_bits(&bits, 1) == 1;
    bool superframe = (data[size - 1] & 0xe0) == 0xc0;
    look.access = inter ? ACCESS_NONE : ACCESS_CLOSED;
    look.hidden = !shown && !superframe;
    return look;
}

/* AV1 bitstream specification 5.3 to 5.9: a key picture that is shown. */
static struct picture_look look_av1(const uint8_t *data, size_t size) {
    struct picture_look look = {0};
    size_t at = 0;
    while (at < size) {
        unsigned type = (data[at] >> 3) & 0xf;
        bool extension = (data[at] & 4) != 0;
        bool sized = (data[at] & 2) != 0;
        at += extension ? 2 : 1;
        uint64_t length = 0;
        for (int i = 0; sized && i < 8 && at < size; i++) {
            length |= (uint64_t)(data[at] & 0x7f) << (7 * i);
            if ((data[at++] & 0x80) == 0) {
                break;
            }
        }
        if (at >= size || (sized && length > size - at)) {
            break;
        }
        if (type == 3 || type == 6) { /* a frame header, or a frame */
            struct bits bits = {data + at, 8 * (size - at), 0};
            bool existing = read_bits(&bits, 1) == 1;
            bool key = read_bits(&bits, 2) == 0;
            bool shown = read_bits(&bits, 1) == 1;
            look.access = !existing && key && shown ? ACCESS_CLOSED : ACCESS_NONE;
            break;
        }
        if (!sized) {
            break;
        }
        at += (size_t)length;
    }
    return look;
}

struct bitstream bitstream_of(const AVCodecParameters *parameters) {
    const AVCodecDescriptor *descriptor = avcodec_descriptor_get(parameters->codec_id);
    struct bitstream stream = {.codec = parameters->codec_id};
    const uint8_t *extradata = parameters->extradata;
    int size = parameters->extradata_size;
    stream.has_headers = size > 0;
    stream.intra_only = descriptor != NULL && (descriptor->props & AV_CODEC_PROP_INTRA_ONLY) != 0;
    /* ISO/IEC 14496-15: avcC, hvcC and vvcC; what begins with a start code is Annex B. */
    if (stream.codec == AV_CODEC_ID_H264 && size >= 7 && extradata[0] == 1) {
        stream.nal_length_size = (extradata[4] & 3) + 1;
    } else if (stream.codec == AV_CODEC_ID_HEVC && size >= 23 &&
               (extradata[0] != 0 || extradata[1] != 0 || extradata[2] > 1)) {
        stream.nal_length_size = (extradata[21] & 3) + 1;
    } else if (stream.codec == AV_CODEC_ID_VVC && size >= 4 &&
               (extradata[0] != 0 || extradata[1] != 0)) {
        stream.nal_length_size = ((extradata[0] >> 1) & 3) + 1;
    }
    return stream;
}

struct picture_look bitstream_look(const struct bitstream *stream, const uint8_t *data, size_t size,
                                   bool key) {
    struct picture_look look = {0};
    switch (stream->codec) {
    case AV_CODEC_ID_H264:
        return look_h264(stream, data, size);
    case AV_CODEC_ID_HEVC:
    case AV_CODEC_ID_VVC:
        return look_hevc(stream, data, size);
    case AV_CODEC_ID_MPEG1VIDEO:
    case AV_CODEC_ID_MPEG2VIDEO:
        return look_mpeg12(stream, data, size);
    case AV_CODEC_ID_VP8:
        return look_vp8(data, size);
    case AV_CODEC_ID_VP9:
        return look_vp9(data, size);
    case AV_CODEC_ID_AV1:
        return look_av1(data, size);
    default:
        break;
    }
    look.hidden = size == 0;
    look.access = stream->intra_only ? ACCESS_CLOSED : key ? ACCESS_LEADING : ACCESS_NONE;
    return look;
}
