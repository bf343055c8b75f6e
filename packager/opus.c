/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opus: see opus.h. */
#include "opus.h"

#include "common/buf.h"

enum { PACKET_SAMPLES_MAX = OPUS_RATE * 120 / 1000, PLAIN_CHANNELS_MAX = 2 };

int opus_config_read(struct opus_config *out, const uint8_t *data, size_t size, struct err *err) {
    struct bytes in = bytes_of(data, size);
    int version = bytes_u8(&in);
    struct opus_config config = {.channels = bytes_u8(&in)};
    config.pre_skip = bytes_u16(&in);
    bytes_u32(&in); /* InputSampleRate */
    bytes_u16(&in); /* OutputGain */
    int family = bytes_u8(&in);
    int streams = 1;
    int coupled = 0;
    if (family != 0) {
        streams = bytes_u8(&in);
        coupled = bytes_u8(&in);
        bytes_take(&in, (size_t)config.channels); /* ChannelMapping */
    }
    if (in.short_read || bytes_left(&in) > 0 || version != 0) {
        return err_set(err, ERR_CORRUPT, "box dOps is not of version 0, or of another size");
    }
    if (config.channels == 0 || (family == 0 && config.channels > PLAIN_CHANNELS_MAX) ||
        streams == 0 || coupled > streams) {
        return err_set(err, ERR_CORRUPT, "box dOps tells of channels that its mapping has not");
    }
    *out = config;
    return 0;
}

/* Of one frame, by the five bits of its configuration: RFC 6716 table 2. */
static int frame_samples(int config) {
    static const int silk[] = {480, 960, 1920, 2880};
    static const int hybrid[] = {480, 960};
    static const int celt[] = {120, 240, 480, 960};
    return config < 12 ? silk[config % 4] : config < 16 ? hybrid[config % 2] : celt[config % 4];
}

int opus_packet_samples(const uint8_t *data, size_t size, int *samples, struct err *err) {
    static const int counts[] = {1, 2, 2};
    if (size == 0) {
        return err_set(err, ERR_CORRUPT, "a packet of Opus is empty");
    }
    int code = data[0] & 3;
    int count = code < 3 ? counts[code] : size > 1 ? data[1] & 0x3f : 0;
    int all = count * frame_samples(data[0] >> 3);
    if (all == 0 || all > PACKET_SAMPLES_MAX) {
        return err_set(err, ERR_CORRUPT, "a packet of Opus has no frames, or more than 120 ms");
    }
    *samples = all;
    return 0;
}
