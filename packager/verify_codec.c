/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What verify reads out of configuration records: one row a codec. See verify.h. */
#include <string.h>
#include <strings.h>

#include "aac.h"
#include "av1.h"
#include "avc.h"
#include "dolby.h"
#include "flac.h"
#include "hevc.h"
#include "opus.h"
#include "verify.h"

/* ISO/IEC 14496-10 table A-1, by level_idc. */
static const struct h264_level {
    int level;
    int64_t rate;   /* MaxMBPS, macroblocks a second */
    int64_t frame;  /* MaxFS, macroblocks */
    int64_t stored; /* MaxDpbMbs, those of all pictures that a decoder keeps */
    int64_t kbps;   /* MaxBR, before its profile's factor */
} h264_levels[] = {
    {9, 1485, 99, 396, 128},
    {10, 1485, 99, 396, 64},
    {11, 3000, 396, 900, 192},
    {12, 6000, 396, 2376, 384},
    {13, 11880, 396, 2376, 768},
    {20, 11880, 396, 2376, 2000},
    {21, 19800, 792, 4752, 4000},
    {22, 20250, 1620, 8100, 4000},
    {30, 40500, 1620, 8100, 10000},
    {31, 108000, 3600, 18000, 14000},
    {32, 216000, 5120, 20480, 20000},
    {40, 245760, 8192, 32768, 20000},
    {41, 245760, 8192, 32768, 50000},
    {42, 522240, 8704, 34816, 50000},
    {50, 589824, 22080, 110400, 135000},
    {51, 983040, 36864, 184320, 240000},
    {52, 2073600, 36864, 184320, 240000},
    {60, 4177920, 139264, 696320, 240000},
    {61, 8355840, 139264, 696320, 480000},
    {62, 16711680, 139264, 696320, 800000},
};

enum {
    H264_LEVELS = sizeof(h264_levels) / sizeof(h264_levels[0]),
    SPARE_LEVEL_MIN = 30, /* every player has the levels below */
    SPARE_STORED_MIN = 4, /* levels are chosen before an encoder tells how many it refers to */
};

static bool h264_level_holds(const struct h264_level *level, const struct avc_sps *sps, int stored,
                             struct rational rate) {
    int64_t wide = (sps->width + 15) / 16;
    int64_t high = (sps->height + 15) / 16;
    struct rational most = {level->rate, wide * high};
    /* A.3.1: no side is longer than sqrt(8 x MaxFS). */
    return wide * high <= level->frame && wide * wide <= 8 * level->frame &&
           high * high <= 8 * level->frame && wide * high * stored <= level->stored &&
           rational_compare(rate, most) <= 0;
}

/* cpbBrVclFactor, table A-2: of High, High 10, those above, and those below. */
static int64_t h264_rate_factor(int profile_idc) {
    return profile_idc == 100                                              ? 1250
           : profile_idc == 110                                            ? 3000
           : profile_idc == 122 || profile_idc == 244 || profile_idc == 44 ? 4000
                                                                           : 1000;
}

/* The levels of the SPS: whether its own holds, with how many bits a second, and the most of
 * those among the ones below that hold too. */
static void h264_levels_judge(struct codec_facts *out, const struct avc_sps *sps,
                              struct rational rate) {
    int stored = sps->stored_frames;
    int spare = stored > SPARE_STORED_MIN ? stored : SPARE_STORED_MIN;
    for (size_t i = 0; i < H264_LEVELS; i++) {
        const struct h264_level *level = &h264_levels[i];
        int64_t bps = h264_rate_factor(sps->profile_idc) * level->kbps;
        if (level->level == sps->level_idc) {
            out->level_holds = h264_level_holds(level, sps, stored, rate);
            out->level_bps = bps;
        } else if (level->level >= SPARE_LEVEL_MIN && level->level < sps->level_idc &&
                   h264_level_holds(level, sps, spare, rate)) {
            out->level_below_bps = bps;
        }
    }
}

static int h264_facts(struct codec_facts *out, const struct init_facts *init, struct rational rate,
                      struct err *err) {
    struct avc_record record;
    int failed = avc_record_read(&record, init->record, init->record_size, err);
    if (failed != 0) {
        return failed;
    }
    const struct avc_sps *sps = &record.sps;
    *out = (struct codec_facts){
        .width = sps->width,
        .height = sps->height,
        .signal = sps->signal,
        .bit_depth = sps->bit_depth,
        .reorder_frames = sps->reorder_frames,
        .plain = sps->profile_idc <= 100 && sps->level_idc <= 42 && sps->frames_only &&
                 sps->chroma == CHROMA_420 && sps->bit_depth == 8 && sps->chroma_bit_depth == 8,
    };
    h264_levels_judge(out, sps, rate);
    return 0;
}

/* AV1 annex A.3, by seq_level_idx; a picture of 0 stands for levels that are not defined. */
static const struct {
    int64_t picture; /* MaxPicSize, samples of luma */
    int64_t wide;    /* MaxHSize */
    int64_t high;    /* MaxVSize */
    int64_t rate;    /* MaxDisplayRate, samples a second */
    int64_t decoded; /* MaxDecodeRate, with frames that are not shown */
    int64_t kbps[2]; /* MaxBitrate of the main profile, by tier; levels below 4.0 have one */
} av1_levels[] = {
    [0] = {147456, 2048, 1152, 4423680, 5529600, {1500, 1500}},
    [1] = {278784, 2816, 1584, 8363520, 10454400, {3000, 3000}},
    [4] = {665856, 4352, 2448, 19975680, 24969600, {6000, 6000}},
    [5] = {1065024, 5504, 3096, 31950720, 39938400, {10000, 10000}},
    [8] = {2359296, 6144, 3456, 70778880, 77856768, {12000, 30000}},
    [9] = {2359296, 6144, 3456, 141557760, 155713536, {20000, 50000}},
    [12] = {8912896, 8192, 4352, 267386880, 273715200, {30000, 100000}},
    [13] = {8912896, 8192, 4352, 534773760, 547430400, {40000, 160000}},
    [14] = {8912896, 8192, 4352, 1069547520, 1094860800, {60000, 240000}},
    [15] = {8912896, 8192, 4352, 1069547520, 1176502272, {60000, 240000}},
    [16] = {35651584, 16384, 8704, 1069547520, 1176502272, {60000, 240000}},
    [17] = {35651584, 16384, 8704, 2139095040, 2189721600, {100000, 480000}},
    [18] = {35651584, 16384, 8704, 4278190080, 4379443200, {160000, 800000}},
    [19] = {35651584, 16384, 8704, 4278190080, 4706009088, {160000, 800000}},
};

enum { AV1_LEVELS = sizeof(av1_levels) / sizeof(av1_levels[0]) };

static bool av1_level_holds(const struct av1_sequence *sequence, int level, struct rational rate) {
    if (level >= AV1_LEVELS) {
        return false;
    }
    int64_t picture = (int64_t)sequence->width * sequence->height;
    struct rational most = {av1_levels[level].rate, picture};
    return picture <= av1_levels[level].picture && sequence->width <= av1_levels[level].wide &&
           sequence->height <= av1_levels[level].high && rational_compare(rate, most) <= 0;
}

/* MaxBitrate by BitrateProfileFactor, which is 1 of the main profile, 2 of high, 3 of the last. */
static int64_t av1_level_bps(const struct av1_sequence *sequence, int level) {
    return 1000 * (1 + sequence->profile) * av1_levels[level].kbps[sequence->tier];
}

/* The most bits a second among the levels below that hold the pictures at that rate. */
static int64_t av1_level_below_bps(const struct av1_sequence *sequence, struct rational rate) {
    int64_t bps = 0;
    for (int level = 0; level < sequence->level && level < AV1_LEVELS; level++) {
        if (av1_level_holds(sequence, level, rate)) {
            bps = av1_level_bps(sequence, level);
        }
    }
    return bps;
}

static int av1_facts(struct codec_facts *out, const struct init_facts *init, struct rational rate,
                     struct err *err) {
    struct av1_record record;
    int failed = av1_record_read(&record, init->record, init->record_size, err);
    if (failed != 0) {
        return failed;
    }
    struct av1_sequence *sequence = &record.sequence;
    if (record.header == NULL) {
        sequence->width = init->entry_width;
        sequence->height = init->entry_height;
    }
    *out = (struct codec_facts){
        .width = sequence->width,
        .height = sequence->height,
        /* Without a header the container has to tell (AV1 in ISOBMFF 2.3.4). */
        .signal = record.header != NULL ? sequence->signal : init->signal,
        .bit_depth = sequence->bit_depth,
        .level_holds = av1_level_holds(sequence, sequence->level, rate),
        .level_decoded = sequence->level < AV1_LEVELS ? av1_levels[sequence->level].decoded : 0,
        .level_bps = sequence->level < AV1_LEVELS ? av1_level_bps(sequence, sequence->level) : 0,
        .level_below_bps = av1_level_below_bps(sequence, rate),
        .still = sequence->still,
        .timing = sequence->timing,
        .plain = sequence->profile == 0,
    };
    return 0;
}

static int aac_facts(struct codec_facts *out, const struct init_facts *init, struct rational rate,
                     struct err *err) {
    struct aac_config config;
    (void)rate;
    int failed = aac_config_read(&config, init->record, init->record_size, err);
    if (failed == 0) {
        *out = (struct codec_facts){
            .sample_rate = config.sample_rate,
            .channels = config.channels,
            .priming = -1,
        };
    }
    return failed;
}

/* ---- HEVC ------------------------------------------------------------------------ */

/* ISO/IEC 23008-2 tables A.8 and A.9, by general_level_idc. */
static const struct hevc_level {
    int level;
    int64_t picture; /* MaxLumaPs, samples of luma */
    int64_t rate;    /* MaxLumaSr, samples of luma a second */
    int64_t kbps[2]; /* MaxBR of Main and Main 10, by tier; levels below 4 have one */
} hevc_levels[] = {
    {30, 36864, 552960, {128, 128}},
    {60, 122880, 3686400, {1500, 1500}},
    {63, 245760, 7372800, {3000, 3000}},
    {90, 552960, 16588800, {6000, 6000}},
    {93, 983040, 33177600, {10000, 10000}},
    {120, 2228224, 66846720, {12000, 30000}},
    {123, 2228224, 133693440, {20000, 50000}},
    {150, 8912896, 267386880, {25000, 100000}},
    {153, 8912896, 534773760, {40000, 160000}},
    {156, 8912896, 1069547520, {60000, 240000}},
    {180, 35651584, 1069547520, {60000, 240000}},
    {183, 35651584, 2139095040, {120000, 480000}},
    {186, 35651584, 4278190080, {240000, 800000}},
};

enum { HEVC_LEVELS = sizeof(hevc_levels) / sizeof(hevc_levels[0]), HEVC_STORED = 6 };

/* A.4.2: MaxDpbSize grows where pictures are smaller than the level allows. */
static int64_t hevc_stored_max(const struct hevc_level *level, int64_t picture) {
    return picture <= level->picture / 4       ? 16
           : picture <= level->picture / 2     ? 2 * HEVC_STORED
           : 4 * picture <= 3 * level->picture ? 4 * HEVC_STORED / 3
                                               : HEVC_STORED;
}

static void hevc_level_judge(struct codec_facts *out, const struct hevc_record *record,
                             struct rational rate) {
    const struct hevc_sps *sps = &record->sps;
    int64_t picture = (int64_t)sps->coded_width * sps->coded_height;
    int64_t wide = sps->coded_width;
    int64_t high = sps->coded_height;
    out->level_holds = true; /* one that is not known limits nothing */
    for (size_t i = 0; i < HEVC_LEVELS; i++) {
        const struct hevc_level *level = &hevc_levels[i];
        if (level->level == record->profile.level_idc) {
            out->level_holds = picture <= level->picture && wide * wide <= 8 * level->picture &&
                               high * high <= 8 * level->picture &&
                               sps->stored_frames <= hevc_stored_max(level, picture) &&
                               rational_compare(rate, (struct rational){level->rate, picture}) <= 0;
            out->level_bps = out->plain ? 1000 * level->kbps[record->profile.high_tier] : 0;
        }
    }
}

/* How often pictures are reordered is an upper bound in an SPS of HEVC: edit lists are compared
 * with the samples alone. */
static int hevc_facts(struct codec_facts *out, const struct init_facts *init, struct rational rate,
                      struct err *err) {
    struct hevc_record record;
    int failed = hevc_record_read(&record, init->record, init->record_size, err);
    if (failed != 0) {
        return failed;
    }
    const struct hevc_sps *sps = &record.sps;
    *out = (struct codec_facts){
        .width = sps->width,
        .height = sps->height,
        .signal = sps->signal,
        .bit_depth = sps->bit_depth,
        .reorder_frames = -1,
        .plain = sps->profile.idc == 1 || sps->profile.idc == 2,
        .sets_elsewhere = !record.has_all || init->codec == &track_codec_hev1,
        .fault = hevc_record_fault(&record),
    };
    hevc_level_judge(out, &record, rate);
    return 0;
}

/* ---- Sounds of others ------------------------------------------------------------ */

static int opus_facts(struct codec_facts *out, const struct init_facts *init, struct rational rate,
                      struct err *err) {
    struct opus_config config;
    (void)rate;
    int failed = opus_config_read(&config, init->record, init->record_size, err);
    if (failed == 0) {
        *out = (struct codec_facts){
            .sample_rate = OPUS_RATE, .channels = config.channels, .priming = config.pre_skip};
    }
    return failed;
}

static int dolby_facts(struct codec_facts *out, const struct init_facts *init, struct rational rate,
                       struct err *err) {
    struct dolby_config config;
    (void)rate;
    bool plain = init->codec == &track_codec_ac3;
    int failed = plain ? dolby_ac3_read(&config, init->record, init->record_size, err)
                       : dolby_eac3_read(&config, init->record, init->record_size, err);
    if (failed == 0) {
        *out = (struct codec_facts){
            .sample_rate = config.sample_rate, .channels = config.channels, .priming = -1};
    }
    return failed;
}

static int flac_facts(struct codec_facts *out, const struct init_facts *init, struct rational rate,
                      struct err *err) {
    struct flac_config config;
    (void)rate;
    int failed = flac_config_read(&config, init->record, init->record_size, err);
    if (failed == 0) {
        *out = (struct codec_facts){
            .sample_rate = config.sample_rate, .channels = config.channels, .priming = -1};
    }
    return failed;
}

/* ---- The table ------------------------------------------------------------------- */

static const struct {
    const struct track_codec *codec;
    int (*read)(struct codec_facts *out, const struct init_facts *init, struct rational rate,
                struct err *err);
} codecs[] = {
    {&track_codec_h264, h264_facts}, {&track_codec_av1, av1_facts},
    {&track_codec_aac, aac_facts},   {&track_codec_hvc1, hevc_facts},
    {&track_codec_hev1, hevc_facts}, {&track_codec_opus, opus_facts},
    {&track_codec_ac3, dolby_facts}, {&track_codec_eac3, dolby_facts},
    {&track_codec_flac, flac_facts},
};

int codec_facts_read(struct codec_facts *out, const struct init_facts *init, struct rational rate,
                     struct err *err) {
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        if (codecs[i].codec == init->codec) {
            return codecs[i].read(out, init, rate, err);
        }
    }
    return err_set(err, ERR_UNSUPPORTED, "this version verifies no %s", init->codec->sample_entry);
}

/* ---- Codecs strings -------------------------------------------------------------- */

/* Without the bytes of constraints that are 0 at its end, which may be left out (14496-15 E.3). */
static size_t trimmed(const char *codec, size_t length) {
    bool is_hevc = length > 4 && (memcmp(codec, "hvc1", 4) == 0 || memcmp(codec, "hev1", 4) == 0);
    for (bool more = is_hevc; more;) {
        size_t zeros = 0;
        while (zeros < length && codec[length - 1 - zeros] == '0') {
            zeros++;
        }
        more = (zeros == 1 || zeros == 2) && length > zeros && codec[length - 1 - zeros] == '.';
        length -= more ? zeros + 1 : 0;
    }
    return length;
}

/* Sample entries are letters as they are, but that players know Opus and FLAC by small ones too;
 * digits behind them may be of either case. */
bool verify_same_codec(const char *a, size_t length, const char *b) {
    static const char *const either[] = {"opus", "flac"};
    size_t size = trimmed(b, strlen(b));
    length = trimmed(a, length);
    for (size_t i = 0; i < sizeof(either) / sizeof(either[0]); i++) {
        if (length == size && size == 4 && strncasecmp(a, either[i], 4) == 0) {
            return strncasecmp(b, either[i], 4) == 0;
        }
    }
    return length == size && strncmp(a, b, size < 4 ? size : 4) == 0 &&
           strncasecmp(a, b, size) == 0;
}
