/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Levels of H.264 and AV1: see level.h. */
#include "level.h"

#include <string.h>

enum { REFERENCES = 4 };

/* ITU-T H.264 table A-1; level 1b is left out. */
static const struct h264_level {
    int idc;
    int64_t macroblocks_a_second; /* MaxMBPS */
    int64_t macroblocks;          /* MaxFS, of a frame */
    int64_t stored_macroblocks;   /* MaxDpbMbs */
    int64_t rate;                 /* MaxBR, times cpbBrVclFactor bits a second */
    int64_t buffer;               /* MaxCPB, times cpbBrVclFactor bits */
} h264_levels[] = {
    {10, 1485, 99, 396, 64, 175},
    {11, 3000, 396, 900, 192, 500},
    {12, 6000, 396, 2376, 384, 1000},
    {13, 11880, 396, 2376, 768, 2000},
    {20, 11880, 396, 2376, 2000, 2000},
    {21, 19800, 792, 4752, 4000, 4000},
    {22, 20250, 1620, 8100, 4000, 4000},
    {30, 40500, 1620, 8100, 10000, 10000},
    {31, 108000, 3600, 18000, 14000, 14000},
    {32, 216000, 5120, 20480, 20000, 20000},
    {40, 245760, 8192, 32768, 20000, 25000},
    {41, 245760, 8192, 32768, 50000, 62500},
    {42, 522240, 8704, 34816, 50000, 62500},
    {50, 589824, 22080, 110400, 135000, 135000},
    {51, 983040, 36864, 184320, 240000, 240000},
    {52, 2073600, 36864, 184320, 240000, 240000},
    {60, 4177920, 139264, 696320, 240000, 240000},
    {61, 8355840, 139264, 696320, 480000, 480000},
    {62, 16711680, 139264, 696320, 800000, 800000},
};

/* cpbBrVclFactor, table A-2 */
static int64_t rate_factor(const char *profile) {
    return strcmp(profile, "high444") == 0 ? 4000 : strcmp(profile, "high") == 0 ? 1250 : 1000;
}

static int h264_level(const struct video_spec *spec) {
    int64_t across = (spec->width + 15) / 16;
    int64_t down = (spec->height + 15) / 16;
    int64_t size = across * down;
    int64_t a_second = ticks_scale(size, spec->rate.num, spec->rate.den, ROUND_UP);
    int64_t longest = across > down ? across : down;
    int64_t factor = rate_factor(spec->profile);
    for (size_t i = 0; i < sizeof(h264_levels) / sizeof(h264_levels[0]); i++) {
        const struct h264_level *level = &h264_levels[i];
        if (a_second <= level->macroblocks_a_second && size <= level->macroblocks &&
            longest * longest <= 8 * level->macroblocks && /* A.3.1 e, f */
            size * REFERENCES <= level->stored_macroblocks &&
            spec->maxrate_bps <= level->rate * factor &&
            spec->bufsize_bits <= level->buffer * factor) {
            return level->idc;
        }
    }
    return 0;
}

/* AV1 annex A.3; levels that differ from the one before in the rate of bits alone are left
 * out. */
static const struct av1_level {
    int level;       /* 31 is 3.1 */
    int64_t samples; /* MaxPicSize, of luma */
    int64_t wide;    /* MaxHSize */
    int64_t high;    /* MaxVSize */
    int64_t rate;    /* MaxDisplayRate, samples a second */
} av1_levels[] = {
    {20, 147456, 2048, 1152, 4423680},       {21, 278784, 2816, 1584, 8363520},
    {30, 665856, 4352, 2448, 19975680},      {31, 1065024, 5504, 3096, 31950720},
    {40, 2359296, 6144, 3456, 70778880},     {41, 2359296, 6144, 3456, 141557760},
    {50, 8912896, 8192, 4352, 267386880},    {51, 8912896, 8192, 4352, 534773760},
    {52, 8912896, 8192, 4352, 1069547520},   {60, 35651584, 16384, 8704, 1069547520},
    {61, 35651584, 16384, 8704, 2139095040}, {62, 35651584, 16384, 8704, 4278190080},
};

static int av1_level(const struct video_spec *spec) {
    int64_t samples = (int64_t)spec->width * spec->height;
    int64_t a_second = ticks_scale(samples, spec->rate.num, spec->rate.den, ROUND_UP);
    for (size_t i = 0; i < sizeof(av1_levels) / sizeof(av1_levels[0]); i++) {
        const struct av1_level *level = &av1_levels[i];
        if (samples <= level->samples && spec->width <= level->wide &&
            spec->height <= level->high && a_second <= level->rate) {
            return level->level;
        }
    }
    return 0;
}

int level_of(const struct video_spec *spec) {
    return spec->codec == CODEC_H264 ? h264_level(spec) : av1_level(spec);
}
