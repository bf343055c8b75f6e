/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opus, AC-3, E-AC-3 and FLAC: {u8 size, record, sample}, for each of them. */
#include "common/buf.h"
#include "harness.h"
#include "packager/track_codec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const struct track_codec *const codecs[] = {&track_codec_opus, &track_codec_ac3,
                                                       &track_codec_eac3, &track_codec_flac};
    struct bytes in = bytes_of(data, size);
    size_t record_size = bytes_u8(&in);
    const uint8_t *record = bytes_take(&in, record_size);
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]) && record != NULL; i++) {
        struct mp4_box box = {.type = "dOps", .body = bytes_of(record, record_size)};
        struct sample_look look;
        const uint8_t *own;
        size_t own_size;
        if (codecs[i]->configuration_read(&box, &own, &own_size, NULL) == 0) {
            codecs[i]->sample_read(own, own_size, data + in.at, size - in.at, &look, NULL);
        }
    }
    return 0;
}
