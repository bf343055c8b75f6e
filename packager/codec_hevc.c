/* SPDX-License-Identifier: GPL-2.0-or-later */
/* H.265 as others package it: rows of track_codec.h that are read, and never written. */
#include <stdio.h>
#include <string.h>

#include "hevc.h"
#include "track_codec.h"

static int hevc_configuration_read(const struct mp4_box *box, const uint8_t **record,
                                   size_t *record_size, struct err *err) {
    struct hevc_record parsed;
    int failed = hevc_record_read(&parsed, box->body.data, box->body.size, err);
    if (failed == 0) {
        *record = box->body.data;
        *record_size = box->body.size;
    }
    return failed;
}

static uint32_t reversed(uint32_t bits) {
    uint32_t out = 0;
    for (int i = 0; i < 32; i++) {
        out = out << 1 | (bits >> i & 1);
    }
    return out;
}

/* ISO/IEC 14496-15 annex E.3: the bytes of constraints up to the last that is not 0. */
static int codecs_string(const char *entry, const uint8_t *record, size_t record_size, char *out,
                         size_t size, struct err *err) {
    static const char *const spaces[] = {"", "A", "B", "C"};
    struct hevc_record parsed;
    int failed = hevc_record_read(&parsed, record, record_size, err);
    if (failed != 0) {
        return failed;
    }
    const struct hevc_profile *profile = &parsed.profile;
    int used = snprintf(out, size, "%s.%s%d.%X.%c%d", entry, spaces[profile->space], profile->idc,
                        (unsigned)reversed(profile->compatible), profile->high_tier ? 'H' : 'L',
                        profile->level_idc);
    int last = 5;
    while (last >= 0 && profile->constraints[last] == 0) {
        last--;
    }
    for (int i = 0; i <= last && (size_t)used < size; i++) {
        used += snprintf(out + used, size - (size_t)used, ".%X", (unsigned)profile->constraints[i]);
    }
    return 0;
}

static int hvc1_codecs_string(const uint8_t *record, size_t record_size, char *out, size_t size,
                              struct err *err) {
    return codecs_string("hvc1", record, record_size, out, size, err);
}

static int hev1_codecs_string(const uint8_t *record, size_t record_size, char *out, size_t size,
                              struct err *err) {
    return codecs_string("hev1", record, record_size, out, size, err);
}

static int hev1_sample_read(const uint8_t *record, size_t record_size, const uint8_t *data,
                            size_t size, struct sample_look *look, struct err *err) {
    struct hevc_sample sample;
    (void)record; /* nothing in a sample hangs on it */
    (void)record_size;
    int failed = hevc_sample_read(&sample, data, size, err);
    if (failed == 0) {
        *look = (struct sample_look){.key = sample.key, .disposable = !sample.reference};
    }
    return failed;
}

/* Parameter sets stand in the record alone (14496-15 8.4.1). */
static int hvc1_sample_read(const uint8_t *record, size_t record_size, const uint8_t *data,
                            size_t size, struct sample_look *look, struct err *err) {
    struct hevc_sample sample;
    int failed = hevc_sample_read(&sample, data, size, err);
    if (failed == 0 && sample.has_sets) {
        failed = err_set(err, ERR_CORRUPT, "a sample of hvc1 holds parameter sets");
    }
    return failed == 0 ? hev1_sample_read(record, record_size, data, size, look, err) : failed;
}

const struct track_codec track_codec_hvc1 = {
    .video = true,
    .sample_entry = "hvc1",
    .configuration_box = "hvcC",
    .reorders = true,
    .configuration_read = hevc_configuration_read,
    .codecs_string = hvc1_codecs_string,
    .sample_read = hvc1_sample_read,
};

const struct track_codec track_codec_hev1 = {
    .video = true,
    .sample_entry = "hev1",
    .configuration_box = "hvcC",
    .reorders = true,
    .configuration_read = hevc_configuration_read,
    .codecs_string = hev1_codecs_string,
    .sample_read = hev1_sample_read,
};
