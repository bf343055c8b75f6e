/* SPDX-License-Identifier: GPL-2.0-or-later */
/* FLAC: see flac.h. */
#include "flac.h"

#include "bits.h"
#include "common/buf.h"

enum { STREAM_INFO_BYTES = 34, BLOCK_TYPE = 0x7f, LAST_BLOCK = 0x80 };

int flac_config_read(struct flac_config *out, const uint8_t *data, size_t size, struct err *err) {
    struct bytes in = bytes_of(data, size);
    const uint8_t *info = NULL;
    bool last = false;
    bytes_u32(&in); /* version and flags */
    while (!last && !in.short_read) {
        int head = bytes_u8(&in);
        size_t length = bytes_u24(&in);
        const uint8_t *block = bytes_take(&in, length);
        last = (head & LAST_BLOCK) != 0;
        if (info == NULL && ((head & BLOCK_TYPE) != 0 || length != STREAM_INFO_BYTES)) {
            break;
        }
        info = info == NULL ? block : info;
    }
    if (info == NULL || in.short_read || bytes_left(&in) > 0) {
        return err_set(err, ERR_CORRUPT,
                       "box dfLa does not begin with a STREAMINFO, or breaks off");
    }
    struct bits bits = bits_of(info, STREAM_INFO_BYTES);
    bits_u(&bits, 32); /* least and most samples of a block */
    bits_u(&bits, 24);
    bits_u(&bits, 24); /* and bytes of a frame */
    out->sample_rate = (int)bits_u(&bits, 20);
    out->channels = (int)bits_u(&bits, 3) + 1;
    return 0;
}

int flac_frame_check(const uint8_t *data, size_t size, struct err *err) {
    bool synced = size >= 6 && data[0] == 0xff && (data[1] & 0xfe) == 0xf8;
    return synced ? 0 : err_set(err, ERR_CORRUPT, "it does not begin as a frame of FLAC");
}
