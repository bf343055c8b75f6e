/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AAC in CMAF: the row of track_codec.h. */
#include <stdio.h>

#include "aac.h"
#include "track_codec.h"

/* Descriptors of ISO/IEC 14496-1 7.2.2 and 8.6. */
enum {
    TAG_ES = 3,
    TAG_DECODER_CONFIG = 4,
    TAG_DECODER_SPECIFIC = 5,
    TAG_SL_CONFIG = 6,
    OBJECT_MPEG4_AUDIO = 0x40,
    STREAM_AUDIO = 0x15,   /* stream type 5, the reserved bit set */
    FRAME_BITS_MAX = 6144, /* a channel, a frame: ISO/IEC 14496-3 4.5.3.3 */
    DECODER_CONFIG_SIZE = 13,
};

static int aac_track_check(const struct track_config *track, struct err *err) {
    const struct audio_spec *spec = track->audio;
    struct aac_config config;
    int failed = aac_config_read(&config, track->record, track->record_size, err);
    if (failed != 0) {
        return failed;
    }
    if (config.object_type != 2 || config.sample_rate != spec->sample_rate ||
        config.channels != spec->channels) {
        return err_set(err, ERR_INVALID,
                       "its AudioSpecificConfig says object type %d, %d Hz and %d channels, and "
                       "its spec 2, %d Hz and %d",
                       config.object_type, config.sample_rate, config.channels, spec->sample_rate,
                       spec->channels);
    }
    if (track->record_size > 64) { /* all descriptor lengths then fit one byte */
        return err_set(err, ERR_INVALID, "its AudioSpecificConfig has %zu bytes",
                       track->record_size);
    }
    return 0;
}

static void aac_configuration_write(const struct track_config *track, struct buf *out) {
    uint8_t record_size = (uint8_t)track->record_size;
    uint8_t config_size = (uint8_t)(DECODER_CONFIG_SIZE + 2 + record_size);
    uint32_t frame_bits = (uint32_t)(FRAME_BITS_MAX * track->audio->channels);
    size_t box = mp4_full_open(out, "esds", 0, 0);
    buf_u8(out, TAG_ES);
    buf_u8(out, (uint8_t)(3 + 2 + config_size + 3));
    buf_u16(out, 0); /* ES_ID: 0 in files, 14496-14 4.1.2 */
    buf_u8(out, 0);
    buf_u8(out, TAG_DECODER_CONFIG);
    buf_u8(out, config_size);
    buf_u8(out, OBJECT_MPEG4_AUDIO);
    buf_u8(out, STREAM_AUDIO);
    buf_u24(out, frame_bits / 8);
    /* The largest rate is the standard's bound: a measured one would not be known
     * before the last packet. */
    buf_u32(out, (uint32_t)((uint64_t)frame_bits * (uint64_t)track->audio->sample_rate /
                            AAC_FRAME_SAMPLES));
    buf_u32(out, (uint32_t)track->audio->bitrate_bps);
    buf_u8(out, TAG_DECODER_SPECIFIC);
    buf_u8(out, record_size);
    buf_append(out, track->record, record_size);
    buf_u8(out, TAG_SL_CONFIG);
    buf_u8(out, 1);
    buf_u8(out, 2); /* predefined: MP4 file */
    mp4_close(out, box);
}

/* Reads tag and length (7 bits a byte, at most four bytes) and gives the body. */
static struct bytes descriptor(struct bytes *in, int tag) {
    bool right = bytes_u8(in) == tag;
    size_t size = 0;
    for (int i = 0; i < 4; i++) {
        uint8_t byte = bytes_u8(in);
        size = size << 7 | (byte & 0x7f);
        if (byte < 0x80) {
            break;
        }
    }
    const uint8_t *data = bytes_take(in, size);
    struct bytes body = bytes_of(data != NULL ? data : in->data, data != NULL ? size : 0);
    body.short_read = data == NULL || !right;
    return body;
}

static int aac_configuration_read(const struct mp4_box *box, const uint8_t **record,
                                  size_t *record_size, struct err *err) {
    struct bytes in = box->body;
    bytes_u32(&in); /* version and flags */
    struct bytes stream = descriptor(&in, TAG_ES);
    bytes_u16(&stream);
    bool plain = bytes_u8(&stream) == 0; /* no dependency, URL or clock reference */
    struct bytes config = descriptor(&stream, TAG_DECODER_CONFIG);
    bool is_aac = bytes_u8(&config) == OBJECT_MPEG4_AUDIO;
    bytes_take(&config, DECODER_CONFIG_SIZE - 1);
    struct bytes specific = descriptor(&config, TAG_DECODER_SPECIFIC);
    if (stream.short_read || config.short_read || specific.short_read || !plain || !is_aac) {
        return err_set(err, ERR_CORRUPT, "box esds holds no descriptor of MPEG-4 audio");
    }
    struct aac_config parsed;
    int failed = aac_config_read(&parsed, specific.data, specific.size, err);
    if (failed == 0) {
        *record = specific.data;
        *record_size = specific.size;
    }
    return failed;
}

static int aac_codecs_string(const uint8_t *record, size_t record_size, char *out, size_t size,
                             struct err *err) {
    struct aac_config config;
    int failed = aac_config_read(&config, record, record_size, err);
    if (failed == 0) {
        snprintf(out, size, "mp4a.40.%d", config.object_type);
    }
    return failed;
}

static int aac_sample_read(const uint8_t *record, size_t record_size, const uint8_t *data,
                           size_t size, struct sample_look *look, struct err *err) {
    (void)record; /* nothing in a packet hangs on it */
    (void)record_size;
    *look = (struct sample_look){.key = true};
    return aac_frame_check(data, size, err);
}

const struct track_codec track_codec_aac = {
    .codec = CODEC_AAC,
    .sample_entry = "mp4a",
    .configuration_box = "esds",
    .packet_samples = AAC_FRAME_SAMPLES,
    .ends_short = true,
    .primes = true,
    .track_check = aac_track_check,
    .configuration_write = aac_configuration_write,
    .configuration_read = aac_configuration_read,
    .codecs_string = aac_codecs_string,
    .sample_read = aac_sample_read,
};
