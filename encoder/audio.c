/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of audio encoders and the checks that all rows share: see audio.h. */
#include "audio.h"

#include <string.h>

enum { RATE_MIN = 8000, RATE_MAX = 96000, BITRATE_MIN = 8000, BITRATE_MAX = 576000 };

static const struct audio_codec *const table[] = {&audio_aac};

enum { TABLE_COUNT = sizeof(table) / sizeof(table[0]) };

const struct audio_codec *audio_codec_at(size_t index) {
    return index < TABLE_COUNT ? table[index] : NULL;
}

const struct audio_codec *audio_codec_find(const char *name) {
    for (size_t i = 0; i < TABLE_COUNT; i++) {
        if (strcmp(table[i]->name, name) == 0) {
            return table[i];
        }
    }
    return NULL;
}

int audio_codec_check(const struct audio_codec **codec, const struct audio_spec *spec,
                      struct err *err) {
    const struct audio_codec *row = audio_codec_find(spec->encoder);
    if (row == NULL) {
        return err_set(err, ERR_UNSUPPORTED,
                       "this build has no audio encoder called '%s'; `reelfarm version` lists them",
                       spec->encoder);
    }
    if (spec->codec != row->codec) {
        return err_set(err, ERR_INVALID, "the encoder %s makes %s, not %s; name another encoder",
                       row->name, codec_name(row->codec), codec_name(spec->codec));
    }
    if (spec->channels < 1 || spec->channels > AUDIO_CHANNELS_MAX) {
        return err_set(err, ERR_UNSUPPORTED, "sound of %d channels can't be made; 1 or 2 can",
                       spec->channels);
    }
    if (spec->sample_rate < RATE_MIN || spec->sample_rate > RATE_MAX) {
        return err_set(err, ERR_INVALID, "sound can't be made at %d Hz; %d to %d Hz can",
                       spec->sample_rate, RATE_MIN, RATE_MAX);
    }
    if (spec->bitrate_bps < BITRATE_MIN || spec->bitrate_bps > BITRATE_MAX) {
        return err_set(err, ERR_INVALID, "sound can't be made at %lld b/s; %d to %d b/s can",
                       (long long)spec->bitrate_bps, BITRATE_MIN, BITRATE_MAX);
    }
    *codec = row;
    return 0;
}
