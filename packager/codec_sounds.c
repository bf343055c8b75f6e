/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opus, AC-3, E-AC-3 and FLAC as others package them: rows of track_codec.h that are read, and
 * never written. */
#include <stdio.h>

#include "dolby.h"
#include "flac.h"
#include "opus.h"
#include "track_codec.h"

/* The whole payload of the box is the record. */
static int record_of(const struct mp4_box *box, const uint8_t **record, size_t *record_size) {
    *record = box->body.data;
    *record_size = box->body.size;
    return 0;
}

static int name_of(const char *name, char *out, size_t size) {
    snprintf(out, size, "%s", name);
    return 0;
}

/* ---- Opus ------------------------------------------------------------------------ */

static int opus_configuration_read(const struct mp4_box *box, const uint8_t **record,
                                   size_t *record_size, struct err *err) {
    struct opus_config config;
    int failed = opus_config_read(&config, box->body.data, box->body.size, err);
    return failed == 0 ? record_of(box, record, record_size) : failed;
}

static int opus_codecs_string(const uint8_t *record, size_t record_size, char *out, size_t size,
                              struct err *err) {
    (void)record;
    (void)record_size;
    (void)err;
    return name_of("Opus", out, size);
}

static int opus_sample_read(const uint8_t *record, size_t record_size, const uint8_t *data,
                            size_t size, struct sample_look *look, struct err *err) {
    (void)record; /* nothing in a packet hangs on it */
    (void)record_size;
    *look = (struct sample_look){.key = true};
    return opus_packet_samples(data, size, &look->samples, err);
}

const struct track_codec track_codec_opus = {
    .sample_entry = "Opus",
    .configuration_box = "dOps",
    .primes = true,
    .ends_short = true,
    .configuration_read = opus_configuration_read,
    .codecs_string = opus_codecs_string,
    .sample_read = opus_sample_read,
};

/* ---- AC-3 ------------------------------------------------------------------------ */

static int ac3_configuration_read(const struct mp4_box *box, const uint8_t **record,
                                  size_t *record_size, struct err *err) {
    struct dolby_config config;
    int failed = dolby_ac3_read(&config, box->body.data, box->body.size, err);
    return failed == 0 ? record_of(box, record, record_size) : failed;
}

static int ac3_codecs_string(const uint8_t *record, size_t record_size, char *out, size_t size,
                             struct err *err) {
    (void)record;
    (void)record_size;
    (void)err;
    return name_of("ac-3", out, size);
}

static int ac3_sample_read(const uint8_t *record, size_t record_size, const uint8_t *data,
                           size_t size, struct sample_look *look, struct err *err) {
    struct dolby_config config;
    *look = (struct sample_look){.key = true};
    int failed = dolby_ac3_read(&config, record, record_size, err);
    return failed == 0 ? dolby_ac3_sample(&config, data, size, &look->samples, err) : failed;
}

/* TS 102 366 annex F.3: the sample entry's count of channels is ignored. */
const struct track_codec track_codec_ac3 = {
    .sample_entry = "ac-3",
    .configuration_box = "dac3",
    .any_channels = true,
    .configuration_read = ac3_configuration_read,
    .codecs_string = ac3_codecs_string,
    .sample_read = ac3_sample_read,
};

/* ---- E-AC-3 ---------------------------------------------------------------------- */

static int eac3_configuration_read(const struct mp4_box *box, const uint8_t **record,
                                   size_t *record_size, struct err *err) {
    struct dolby_config config;
    int failed = dolby_eac3_read(&config, box->body.data, box->body.size, err);
    return failed == 0 ? record_of(box, record, record_size) : failed;
}

static int eac3_codecs_string(const uint8_t *record, size_t record_size, char *out, size_t size,
                              struct err *err) {
    (void)record;
    (void)record_size;
    (void)err;
    return name_of("ec-3", out, size);
}

static int eac3_sample_read(const uint8_t *record, size_t record_size, const uint8_t *data,
                            size_t size, struct sample_look *look, struct err *err) {
    struct dolby_config config;
    *look = (struct sample_look){.key = true};
    int failed = dolby_eac3_read(&config, record, record_size, err);
    return failed == 0 ? dolby_eac3_sample(&config, data, size, &look->samples, err) : failed;
}

const struct track_codec track_codec_eac3 = {
    .sample_entry = "ec-3",
    .configuration_box = "dec3",
    .any_channels = true,
    .configuration_read = eac3_configuration_read,
    .codecs_string = eac3_codecs_string,
    .sample_read = eac3_sample_read,
};

/* ---- FLAC ------------------------------------------------------------------------ */

static int flac_configuration_read(const struct mp4_box *box, const uint8_t **record,
                                   size_t *record_size, struct err *err) {
    struct flac_config config;
    int failed = flac_config_read(&config, box->body.data, box->body.size, err);
    return failed == 0 ? record_of(box, record, record_size) : failed;
}

static int flac_codecs_string(const uint8_t *record, size_t record_size, char *out, size_t size,
                              struct err *err) {
    (void)record;
    (void)record_size;
    (void)err;
    return name_of("fLaC", out, size);
}

static int flac_sample_read(const uint8_t *record, size_t record_size, const uint8_t *data,
                            size_t size, struct sample_look *look, struct err *err) {
    (void)record; /* nothing in a frame's head hangs on it */
    (void)record_size;
    *look = (struct sample_look){.key = true};
    return flac_frame_check(data, size, err);
}

const struct track_codec track_codec_flac = {
    .sample_entry = "fLaC",
    .configuration_box = "dfLa",
    .ends_short = true,
    .configuration_read = flac_configuration_read,
    .codecs_string = flac_codecs_string,
    .sample_read = flac_sample_read,
};
