/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Levels of H.264: see level.h. */
#include "level.h"

#include <string.h>

enum { REFERENCES = 4 };

/* ITU-T H.264 table A-1; level 1b is left out. */
static const struct level {
    int idc;
    int64_t macroblocks_a_second; /* MaxMBPS */
    int64_t macroblocks;          /* MaxFS, of a frame */
    int64_t stored_macroblocks;   /* MaxDpbMbs */
    int64_t rate;                 /* MaxBR, times cpbBrVclFactor bits a second */
    int64_t buffer;               /* MaxCPB, times cpbBrVclFactor bits */
} levels[] = {
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

int h264_level(const struct video_spec *spec) {
    int64_t across = (spec->width + 15) / 16;
    int64_t down = (spec->height + 15) / 16;
    int64_t size = across * down;
    int64_t a_second = ticks_scale(size, spec->rate.num, spec->rate.den, ROUND_UP);
    int64_t longest = across > down ? across : down;
    int64_t factor = rate_factor(spec->profile);
    for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
        const struct level *level = &levels[i];
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
