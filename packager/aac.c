/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AudioSpecificConfig: see aac.h. */
#include "aac.h"

#include "bits.h"

static const int sample_rates[] = {96000, 88200, 64000, 48000, 44100, 32000, 24000,
                                   22050, 16000, 12000, 11025, 8000,  7350};

int aac_config_read(struct aac_config *out, const uint8_t *data, size_t size, struct err *err) {
    static const int channel_counts[] = {0, 1, 2, 3, 4, 5, 6, 8};
    struct bits bits = bits_of(data, size);
    struct aac_config config = {0};
    config.object_type = (int)bits_u(&bits, 5);
    uint32_t rate = bits_u(&bits, 4);
    uint32_t channels = bits_u(&bits, 4);
    bool short_frames = bits_flag(&bits);
    if (bits.short_read || config.object_type == 0 || config.object_type == 31 ||
        rate >= sizeof(sample_rates) / sizeof(sample_rates[0]) || channels > 7) {
        return err_set(err, ERR_CORRUPT,
                       "the AudioSpecificConfig breaks off or holds a value out of range");
    }
    if (channels == 0 || short_frames) {
        return err_set(err, ERR_UNSUPPORTED,
                       "the AudioSpecificConfig has %s, which this version does not do",
                       short_frames ? "frames of 960 samples" : "a program config element");
    }
    config.sample_rate = sample_rates[rate];
    config.channels = channel_counts[channels];
    *out = config;
    return 0;
}

int aac_frame_check(const uint8_t *data, size_t size, struct err *err) {
    /* 4.4.2.1: a frame ends with ID_END (7), so none begins with it; an ADTS header does. */
    if (size < 2 || data[0] >> 5 == 7) {
        return err_set(err, ERR_CORRUPT, "a sound packet is no raw AAC frame");
    }
    return 0;
}
