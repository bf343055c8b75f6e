/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The encoders that a ladder can name: see encoders.h. */
#include "encoders.h"

#include <stdio.h>
#include <string.h>

static const char *const x264_presets[] = {"ultrafast", "superfast", "veryfast", "faster",
                                           "fast",      "medium",    "slow",     "slower",
                                           "veryslow",  "placebo",   NULL};
static const char *const x264_tunes[] = {"none",       "film", "animation", "grain",
                                         "stillimage", "psnr", "ssim",      NULL};
static const char *const x264_profiles[] = {"baseline", "main", "high", NULL};

/* Numbers, from the smallest file to the quickest encode. */
static const char *const svt_presets[] = {"0", "1", "2",  "3",  "4",  "5",  "6", "7",
                                          "8", "9", "10", "11", "12", "13", NULL};
static const char *const aom_presets[] = {"0", "1", "2", "3", "4", "5", "6", NULL};
static const char *const svt_tunes[] = {"none", "visual", NULL};
static const char *const aom_tunes[] = {"none", "ssim", NULL};
static const char *const av1_profiles[] = {"main", NULL};

static const struct encoder_row rows[] = {
    {
        .name = "x264",
        .codec = CODEC_H264,
        .preset = "medium",
        .profile = "high",
        .crf_hundredths = 2300,
        .crf_max_hundredths = 5100,
        .lossless_profile = "high444",
        .capped = true,
        .bits_max = 8,
        .threads_max = 16,
        .side_min = PICTURE_SIDE_MIN,
        .presets = x264_presets,
        .tunes = x264_tunes,
        .profiles = x264_profiles,
    },
    {
        .name = "svt",
        .codec = CODEC_AV1,
        .preset = "8",
        .profile = "main",
        .crf_hundredths = 3500,
        .crf_max_hundredths = 6300,
        .bits_max = 10,
        .threads_max = 1,
        .side_min = 64,
        .presets = svt_presets,
        .tunes = svt_tunes,
        .profiles = av1_profiles,
    },
    {
        .name = "aom",
        .codec = CODEC_AV1,
        .preset = "4",
        .profile = "main",
        .crf_hundredths = 3500,
        .crf_max_hundredths = 6300,
        .bits_max = 10,
        .threads_max = 16,
        .side_min = PICTURE_SIDE_MIN,
        .presets = aom_presets,
        .tunes = aom_tunes,
        .profiles = av1_profiles,
    },
    {.name = "aac", .codec = CODEC_AAC},
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const struct encoder_row *encoder_row_of(const char *name) {
    for (size_t i = 0; i < ROWS; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

const struct encoder_row *encoder_row_for(enum codec_id codec) {
    for (size_t i = 0; i < ROWS; i++) {
        if (rows[i].codec == codec) {
            return &rows[i];
        }
    }
    return NULL;
}

void encoder_codecs(bool video, char *out, size_t size) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < ROWS && used < size; i++) {
        if (codec_is_video(rows[i].codec) == video && encoder_row_for(rows[i].codec) == &rows[i]) {
            used += (size_t)snprintf(out + used, size - used, "%s%s", used > 0 ? ", " : "",
                                     codec_name(rows[i].codec));
        }
    }
}
