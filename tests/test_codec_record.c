/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small readers of H.264 and AAC: records of real encoders, and ones that lie. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "packager/aac.h"
#include "packager/av1.h"
#include "packager/avc.h"
#include "packager/bits.h"

Suite *codec_record_suite(void);

/* avcC payloads that x264 made; what they say was told to it. */
static const struct {
    const char *name;
    const char *hex;
    struct avc_sps sps;
} records[] = {
    {"main things: 320x180 High, two B-frames deep, BT.709",
     "0164001effe1001b6764001eacd941419f9f016a02020280000"
     "1f480005dc0078b16cb01000468ef8fcbfdf8f800",
     {100, 0, 30, 0, CHROMA_420, 8, 8, 320, 180, true, {true, 1, 1, 1, false}, 0, 2, 4}},
    {"no B-frames",
     "0164001effe1001b6764001eacb40a0cfcf80b5010101400000fa40002ee003c58ba8001000468ef0fcbfdf8f800",
     {100, 0, 30, 0, CHROMA_420, 8, 8, 320, 180, true, {true, 1, 1, 1, false}, 0, 0, 1}},
    {"cropped, BT.470BG, full range, chroma location 2, one B-frame",
     "0164001fffe1001d6764001facec0d83de6ac05b828282db8000000300800000"
     "19078c189c01000468ef8fcbfdf8f800",
     {100, 0, 31, 0, CHROMA_420, 8, 8, 854, 478, true, {true, 5, 5, 5, true}, 2, 1, 2}},
    {"sample aspect ratio 64:45",
     "0164001effe1001d6764001eacd940b4126ffc010000b440000003004000000c83c58b658001000468ef8fcbfdf8f"
     "8"
     "00",
     {100, 0, 30, 0, CHROMA_420, 8, 8, 720, 576, true, {false, 2, 2, 2, false}, 0, 2, 4}},
    {"HRD, 1080 lines cropped from 1088",
     "01640028ffe100266764002"
     "8acd940780227e5c04400000300040000030"
     "0c9920003d090007a12930c01e30632c001000468ef8fcbfdf8f800",
     {100, 0, 40, 0, CHROMA_420, 8, 8, 1920, 1080, true, {true, 2, 2, 2, false}, 0, 2, 4}},
    {"4:2:2, 10 bits",
     "017a001effe1001b677a001eb6cd940a02ff89c0440000030004000003"
     "00c83c58b65801000468ef8fcbfefafa00",
     {122, 0, 30, 0, CHROMA_422, 10, 10, 640, 360, true, {true, 2, 2, 2, false}, 0, 2, 4}},
    {"4:4:4, lossless",
     "01f4001effe1001967f4001e91d680a02ff89c044000000300400000"
     "0c83c58ba801000568ef01af2cfff8f800",
     {244, 0, 30, 0, CHROMA_444, 8, 8, 640, 360, true, {true, 2, 2, 2, false}, 0, 0, 1}},
    {"MBAFF",
     "0164001effe100186764001eacd940b424d8088000000300800000190f8a14cb01000468fe8fcbfdf8f800",
     {100, 0, 30, 0, CHROMA_420, 8, 8, 720, 576, false, {true, 2, 2, 2, false}, 0, 2, 4}},
    {"scaling matrix in the PPS",
     "0164000dffe100196764000dacd94141fb011000000300100000030320f14299600100056"
     "8ef8fcc03fdf8f800",
     {100, 0, 13, 0, CHROMA_420, 8, 8, 320, 240, true, {true, 2, 2, 2, false}, 0, 2, 4}},
    {"Baseline: no extension after the parameter sets",
     "0142c00dffe100166742c00dda0507ec0440000003004000000c83c50aa801000468ce0fc8",
     {66, 0xc0, 13, 0, CHROMA_420, 8, 8, 320, 240, true, {true, 2, 2, 2, false}, 0, 0, 1}},
    {"all intra: nothing said, 0 inferred",
     "017a101effe10016677a101eb6cb81405ff138088000000300800000190201000468ee0fcbfefafa00",
     {122, 0x10, 30, 0, CHROMA_422, 10, 10, 640, 360, true, {true, 2, 2, 2, false}, 0, 0, 0}},
};

enum { RECORDS = sizeof(records) / sizeof(records[0]) };

static size_t from_hex(const char *hex, uint8_t *out, size_t room) {
    size_t size = strlen(hex) / 2;
    ck_assert_uint_le(size, room);
    for (size_t i = 0; i < size; i++) {
        char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (uint8_t)strtol(pair, NULL, 16);
    }
    return size;
}

START_TEST(test_record) {
    uint8_t data[256];
    size_t size = from_hex(records[_i].hex, data, sizeof(data));
    const struct avc_sps *want = &records[_i].sps;
    struct avc_record record;
    struct err err = {0};
    ck_assert_msg(avc_record_read(&record, data, size, &err) == 0, "%s: %s", records[_i].name,
                  err.message);
    const struct avc_sps *sps = &record.sps;
    ck_assert_int_eq(record.profile, want->profile_idc);
    ck_assert_int_eq(record.level, want->level_idc);
    ck_assert_int_eq(record.compatibility, want->constraint_flags);
    ck_assert_int_eq(sps->width, want->width);
    ck_assert_int_eq(sps->height, want->height);
    ck_assert_int_eq(sps->chroma, want->chroma);
    ck_assert_int_eq(sps->bit_depth, want->bit_depth);
    ck_assert_int_eq(sps->chroma_bit_depth, want->chroma_bit_depth);
    ck_assert_int_eq(sps->frames_only, want->frames_only);
    ck_assert_int_eq(sps->signal.square_pixels, want->signal.square_pixels);
    ck_assert_int_eq(sps->signal.primaries, want->signal.primaries);
    ck_assert_int_eq(sps->signal.transfer, want->signal.transfer);
    ck_assert_int_eq(sps->signal.matrix, want->signal.matrix);
    ck_assert_int_eq(sps->signal.full_range, want->signal.full_range);
    ck_assert_int_eq(sps->chroma_location, want->chroma_location);
    ck_assert_int_eq(sps->reorder_frames, want->reorder_frames);
    ck_assert_int_eq(sps->stored_frames, want->stored_frames);
}
END_TEST

/* Cut anywhere, or longer, it is refused: but for the extension, which old writers
 * leave out. */
START_TEST(test_record_cut) {
    uint8_t data[256];
    size_t size = from_hex(records[_i].hex, data, sizeof(data) - 1);
    struct avc_record record;
    bool high = records[_i].sps.profile_idc >= 100;
    for (size_t cut = 0; cut < size; cut++) {
        uint8_t *copy = mem_try(cut + 1); /* so that ASan sees a byte too far */
        memcpy(copy, data, cut);
        int failed = avc_record_read(&record, copy, cut, NULL);
        ck_assert_msg(failed == (high && cut == size - 4 ? 0 : ERR_CORRUPT), "cut at %zu", cut);
        mem_free(copy);
    }
    data[size] = 0;
    ck_assert_int_eq(avc_record_read(&record, data, size + 1, NULL), ERR_CORRUPT);
}
END_TEST

START_TEST(test_record_lies) {
    static const struct {
        const char *what;
        size_t at;
        uint8_t byte;
    } lies[] = {
        {"version", 0, 2},
        {"profile unlike the SPS", 1, 77},
        {"level below it", 3, 13},
        {"three-byte lengths", 4, 0xfe},
        {"two SPSs", 5, 0xe2},
        {"no SPS", 5, 0xe0},
        {"SPS too long", 7, 200},
        {"NAL type", 8, 0x68},
        {"forbidden bit", 8, 0xe7},
        {"no PPS", 35, 0},
        {"PPS is an SPS", 38, 0x67},
        {"PPS of another SPS", 39, 0x80},
        {"chroma format", 42, 0xfe},
        {"bit depth", 43, 0xfa},
        {"flags of no SPS", 2, 0x40},
        {"SPS extensions", 45, 1},
    };
    uint8_t data[256];
    struct avc_record record;
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        size_t size = from_hex(records[0].hex, data, sizeof(data));
        data[lies[i].at] = lies[i].byte;
        ck_assert_msg(avc_record_read(&record, data, size, NULL) == ERR_CORRUPT, "%s",
                      lies[i].what);
    }
}
END_TEST

/* Legal, and none of ours: lengths of 2 bytes, a level above the SPS's, two SPSs of which each PPS
 * names one, an extension. */
START_TEST(test_record_of_others) {
    static const char *const hex[] = {
        "0142c015fde100176742c015bb40f047f5808800000303200000bb5478b17501000468ce32c8",
        "0164001fffe1001b6764001eacd941419f9f016a02020280000"
        "1f480005dc0078b16cb01000468ef8fcbfdf8f800",
        "0142c00dffe200166742c00dda0507ec0440000003004000000c83c50aa8"
        "00176742c015ba40f047f5808800000303200000bb5478b17501000468ce0fc8",
        "0164001effe1001b6764001eacd941419f9f016a02020280000"
        "1f480005dc0078b16cb01000468ef8fcbfdf8f80100026d80",
    };
    static const struct {
        int failed, length_size, sps_count;
    } wanted[] = {{0, 2, 1}, {0, 4, 1}, {ERR_CORRUPT, 0, 0}, {0, 4, 1}};
    uint8_t data[256];
    for (size_t i = 0; i < sizeof(hex) / sizeof(hex[0]); i++) {
        size_t size = from_hex(hex[i], data, sizeof(data));
        struct avc_record record = {0};
        struct err err = {0};
        ck_assert_msg(avc_record_read(&record, data, size, &err) == wanted[i].failed, "%s: %s",
                      hex[i], err.message);
        ck_assert_int_eq(record.length_size, wanted[i].length_size);
        ck_assert_int_eq(record.sps_count, wanted[i].sps_count);
        if (wanted[i].failed != 0) { /* a level for both */
            data[3] = 0x15;
            ck_assert_msg(avc_record_read(&record, data, size, &err) == 0, "%s", err.message);
            ck_assert_int_eq(record.sps_count, 2);
            ck_assert_int_eq(record.sps.width, 320);
        }
    }
}
END_TEST

START_TEST(test_record_noise) {
    uint8_t data[256];
    struct avc_record record;
    srand(7);
    for (int round = 0; round < 20000; round++) {
        size_t size = from_hex(records[round % RECORDS].hex, data, sizeof(data));
        for (int i = rand() % 4; i >= 0; i--) {
            data[8 + (size_t)rand() % (size - 8)] = (uint8_t)rand();
        }
        if (avc_record_read(&record, data, size, NULL) == 0) {
            ck_assert_int_gt(record.sps.width, 0);
            ck_assert_int_le(record.sps.reorder_frames, 16);
        }
    }
}
END_TEST

/* A picture of 2^32 macroblocks, crops larger than it, endless lists. */
START_TEST(test_sps_absurd) {
    static const char *const hex[] = {
        "6742c00d80000000",                 /* breaks off */
        "6742c00d9c0000000100000001f0",     /* sides of 2^31 */
        "6742c00dda0507ffffffffffffffffff", /* ones: all codes are 0 */
        "67640000ffffffffffffffffffffffff",
        "6764001e000000000000000000000000", /* zeros: a code without end */
        "67",
        "",
        "68ee0fcb"};
    uint8_t data[64];
    struct avc_sps sps;
    for (size_t i = 0; i < sizeof(hex) / sizeof(hex[0]); i++) {
        size_t size = from_hex(hex[i], data, sizeof(data));
        int failed = avc_sps_read(&sps, data, size, NULL);
        ck_assert_msg(failed == ERR_CORRUPT || (sps.width <= 65535 && sps.height <= 65535), "%s",
                      hex[i]);
    }
    static uint8_t large[5000] = {0x67, 100, 0, 30};
    memset(large + 4, 0xff, sizeof(large) - 4);
    ck_assert_int_eq(avc_sps_read(&sps, large, sizeof(large), NULL), ERR_CORRUPT);
}
END_TEST

START_TEST(test_samples) {
    static const struct {
        const char *what;
        const char *hex;
        int failed;
        bool idr, reference;
    } cases[] = {
        {"an IDR", "00000002650a", 0, true, true},
        {"SEI, then an IDR of two slices", "0000000206050000000265ff0000000165", 0, true, true},
        {"a picture that others need", "000000024101", 0, false, true},
        {"one that none needs", "000000020101", 0, false, false},
        {"nothing", "", ERR_CORRUPT, false, false},
        {"SEI alone", "000000020605", ERR_CORRUPT, false, false},
        {"IDR and other slices", "00000001650000000141", ERR_CORRUPT, false, false},
        {"slices needed and not", "00000001410000000101", ERR_CORRUPT, false, false},
        {"an SPS before the IDR", "000000026764000000016500", ERR_CORRUPT, false, false},
        {"forbidden bit", "00000001e5", ERR_CORRUPT, false, false},
        {"a length of 0", "000000000000000165", ERR_CORRUPT, false, false},
        {"one byte short", "000000036501", ERR_CORRUPT, false, false},
        {"one byte over", "000000016500", ERR_CORRUPT, false, false},
        {"length of 2^32-1", "ffffffff65", ERR_CORRUPT, false, false},
        {"start codes", "0000000165888400", ERR_CORRUPT, false, false},
    };
    uint8_t data[64];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size = from_hex(cases[i].hex, data, sizeof(data));
        struct avc_sample sample = {0};
        ck_assert_msg(avc_sample_read(&sample, data, size, 4, NULL) == cases[i].failed, "%s",
                      cases[i].what);
        ck_assert_msg(sample.idr == cases[i].idr && sample.reference == cases[i].reference, "%s",
                      cases[i].what);
        ck_assert_msg(!sample.foreign && !sample.filler, "%s", cases[i].what);
    }
}
END_TEST

/* What ours never hold, and may stand in those of others. */
START_TEST(test_samples_of_others) {
    static const struct {
        const char *what;
        const char *hex;
        int length_size;
        bool good, foreign, filler;
    } cases[] = {
        {"a delimiter", "0000000209f00000000165", 4, true, true, false},
        {"SEI before it", "0000000206050000000209f00000000165", 4, true, true, false},
        {"a delimiter behind", "00000001650000000209f0", 4, false, false, false},
        {"filler", "0000000165000000020c80", 4, true, true, true},
        {"filler before", "000000020c800000000165", 4, false, false, false},
        {"an auxiliary slice", "00000001650000000113", 4, true, true, false},
        {"the end", "0000000165000000010a000000010b", 4, true, true, false},
        {"more behind the end", "0000000165000000010a0000000165", 4, false, false, false},
        {"lengths of 2", "00020605000165", 2, true, false, false},
        {"lengths of 1", "0165", 1, true, false, false},
        {"lengths of 4 for 2", "00020605000165", 4, false, false, false},
    };
    uint8_t data[64];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t size = from_hex(cases[i].hex, data, sizeof(data));
        struct avc_sample sample = {0};
        int failed = avc_sample_read(&sample, data, size, cases[i].length_size, NULL);
        ck_assert_msg(failed == (cases[i].good ? 0 : ERR_CORRUPT), "%s", cases[i].what);
        ck_assert_msg(sample.idr == cases[i].good && sample.foreign == cases[i].foreign &&
                          sample.filler == cases[i].filler,
                      "%s", cases[i].what);
    }
}
END_TEST

START_TEST(test_aac) {
    static const struct {
        const char *hex;
        int failed;
        struct aac_config config;
    } cases[] = {
        {"1190", 0, {2, 48000, 2}},
        {"1190"
         "56e500",
         0,
         {2, 48000, 2}},
        {"120856e500", 0, {2, 44100, 1}},
        {"13f8", ERR_CORRUPT, {0}},
        {"11b0", 0, {2, 48000, 6}},
        {"11", ERR_CORRUPT, {0}},
        {"", ERR_CORRUPT, {0}},
        {"1180", ERR_UNSUPPORTED, {0}},
        {"1194", ERR_UNSUPPORTED, {0}},
        {"fff1", ERR_CORRUPT, {0}},
        {"0190", ERR_CORRUPT, {0}},
        {"11c8", ERR_CORRUPT, {0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t data[16];
        size_t size = from_hex(cases[i].hex, data, sizeof(data));
        struct aac_config config = {0};
        ck_assert_msg(aac_config_read(&config, data, size, NULL) == cases[i].failed, "%s",
                      cases[i].hex);
        ck_assert_int_eq(config.object_type, cases[i].config.object_type);
        ck_assert_int_eq(config.sample_rate, cases[i].config.sample_rate);
        ck_assert_int_eq(config.channels, cases[i].config.channels);
    }
    ck_assert_int_eq(aac_frame_check((const uint8_t *)"\x21\x10", 2, NULL), 0);
    ck_assert_int_eq(aac_frame_check((const uint8_t *)"\xff\xf1", 2, NULL), ERR_CORRUPT);
    ck_assert_int_eq(aac_frame_check((const uint8_t *)"\x21", 1, NULL), ERR_CORRUPT);
}
END_TEST

/* av1C payloads that libaom, SVT-AV1 and ffmpeg made; what they say was told to them. */
static const struct {
    const char *name;
    const char *hex;
    struct av1_sequence sequence;
} av1_records[] = {
    {"SVT-AV1, 1280x720, 3.1, chroma on the left",
     "81050d000a0e0000002d4cffb3cfbf9901010124",
     {0, 5, 0, 8, CHROMA_420, 1, 1280, 720, {true, 1, 1, 1, false}, false, false}},
    {"libaom, 160x96",
     "81000c000a0d00000003b4fdf36be440404041",
     {0, 0, 0, 8, CHROMA_420, 0, 160, 96, {true, 1, 1, 1, false}, false, false}},
};

enum { AV1_RECORDS = sizeof(av1_records) / sizeof(av1_records[0]) };

START_TEST(test_av1_record) {
    uint8_t data[256];
    size_t size = from_hex(av1_records[_i].hex, data, sizeof(data) - 1);
    struct av1_record record;
    struct err err = {0};
    ck_assert_msg(av1_record_read(&record, data, size, &err) == 0, "%s: %s", av1_records[_i].name,
                  err.message);
    const struct av1_sequence *found = &record.sequence;
    const struct av1_sequence *want = &av1_records[_i].sequence;
    ck_assert_int_eq(found->profile, want->profile);
    ck_assert_int_eq(found->level, want->level);
    ck_assert_int_eq(found->tier, want->tier);
    ck_assert_int_eq(found->bit_depth, want->bit_depth);
    ck_assert_int_eq(found->chroma, want->chroma);
    ck_assert_int_eq(found->chroma_position, want->chroma_position);
    ck_assert_int_eq(found->width, want->width);
    ck_assert_int_eq(found->height, want->height);
    ck_assert_int_eq(found->signal.primaries, want->signal.primaries);
    ck_assert_int_eq(found->signal.transfer, want->signal.transfer);
    ck_assert_int_eq(found->signal.matrix, want->signal.matrix);
    ck_assert_int_eq(found->signal.full_range, want->signal.full_range);
    ck_assert_int_eq(found->still, want->still);
    ck_assert_int_eq(found->timing, want->timing);
    ck_assert_ptr_eq(record.header, data + 4);
    ck_assert_uint_eq(record.header_size, size - 4);
    /* cut anywhere, or longer, it is refused */
    data[size] = 0;
    ck_assert_int_eq(av1_record_read(&record, data, size + 1, NULL), ERR_CORRUPT);
    for (size_t cut = 0; cut < size; cut++) { /* behind four bytes there may be nothing */
        ck_assert_int_eq(av1_record_read(&record, data, cut, NULL), cut == 4 ? 0 : ERR_CORRUPT);
    }
    ck_assert_int_eq(av1_record_read(&record, data, 4, NULL), 0);
    ck_assert_ptr_null(record.header);
    ck_assert_int_eq(record.sequence.level, want->level);
    ck_assert_int_eq(record.sequence.chroma_position, want->chroma_position);
    struct av1_sample begun = {.header = data + 4, .header_size = size - 4};
    ck_assert(av1_record_fits(&record, &begun));
    record.sequence.bit_depth = 10;
    ck_assert(!av1_record_fits(&record, &begun));
    /* whatever a byte is changed to, it is read or refused, and nothing worse */
    srand(1);
    for (int i = 0; i < 20000; i++) {
        uint8_t noise[256];
        memcpy(noise, data, size);
        for (int k = rand() % 3; k >= 0; k--) {
            noise[(size_t)rand() % size] = (uint8_t)rand();
        }
        av1_record_read(&record, noise, size, NULL);
        struct av1_sample sample;
        av1_sample_read(&sample, noise + 4, size - 4, NULL);
    }
}
END_TEST

/* What a temporal unit may hold, as OBUs of made-up payloads. */
START_TEST(test_av1_samples) {
    static const struct {
        const char *hex;
        bool good, key, header;
    } cases[] = {
        {"0a0100 320110", true, true, true},         /* sequence header, shown key frame */
        {"0a0100 1a0110 220100", true, true, true},  /* frame header and tile group */
        {"320110", true, false, false},              /* a key frame without its header */
        {"320130", true, false, false},              /* a shown inter frame */
        {"320120 320130", true, false, false},       /* a hidden one before it */
        {"1a0180", true, false, false},              /* one that exists is shown */
        {"2a020100 320130", true, false, false},     /* metadata */
        {"0a0100 320100 1a0180", true, false, true}, /* a hidden key frame, shown later */
        {"0a0100", false, false, false},             /* nothing is shown */
        {"320130 320130", false, false, false},      /* two are */
        {"120100 320130", false, false, false},      /* a delimiter that is not empty */
        {"320130 1200", false, false, false},        /* one that comes too late */
        {"420100 320130", false, false, false},      /* a tile list */
        {"08 320110", false, false, false},          /* another one without */
        {"320230", false, false, false},             /* past the end */
        {"b20130", false, false, false},             /* the forbidden bit */
        {"3200", false, false, false},               /* an empty frame */
        {"320130 0a0100", false, false, false},      /* the header comes too late */
        {"0a0100 0a0100 320110", false, false, false},
        {"32ffffffffffffffffff", false, false, false},
        {"", false, false, false},
    };
    uint8_t data[64];
    char packed[64];
    size_t used = 0;
    for (const char *at = cases[_i].hex; *at != '\0'; at++) {
        if (*at != ' ') {
            packed[used++] = *at;
        }
    }
    packed[used] = '\0';
    size_t size = from_hex(packed, data, sizeof(data));
    struct av1_sample sample = {0};
    int rc = av1_sample_read(&sample, data, size, NULL);
    ck_assert_int_eq(rc, cases[_i].good ? 0 : ERR_CORRUPT);
    ck_assert_int_eq(sample.key, cases[_i].key);
    ck_assert_int_eq(sample.header != NULL, cases[_i].header);
    ck_assert(!sample.spare && !sample.unsized);
}
END_TEST

START_TEST(test_av1_samples_of_others) {
    static const struct {
        uint8_t data[8];
        size_t size;
        bool spare, unsized;
    } cases[] = {
        {{0x12, 0, 0x32, 1, 0x30}, 5, true, false},       /* a temporal delimiter */
        {{0x32, 1, 0x30, 0x7a, 1, 0x80}, 6, true, false}, /* padding */
        {{0x32, 1, 0x30, 0x3a, 1, 0x30}, 6, true, false}, /* a redundant header */
        {{0x0a, 1, 0, 0x30, 0x10}, 5, false, true},       /* the last one without a size */
        {{0x0a, 1, 0, 0x34, 0, 0x10}, 6, false, true},    /* with an extension */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct av1_sample sample = {0};
        ck_assert_int_eq(av1_sample_read(&sample, cases[i].data, cases[i].size, NULL), 0);
        ck_assert_int_eq(sample.spare, cases[i].spare);
        ck_assert_int_eq(sample.unsized, cases[i].unsized);
        ck_assert_int_eq(sample.key, cases[i].unsized);
    }
}
END_TEST

START_TEST(test_bits) {
    static const uint8_t data[] = {0xa6, 0x42, 0x98, 0xe2, 0x04, 0x8a};
    struct bits bits = bits_of(data, sizeof(data)); /* 9.1: 1 010 011 00100 00101 ... */
    for (uint32_t i = 0; i < 9; i++) {
        ck_assert_uint_eq(bits_ue(&bits), i);
    }
    ck_assert(!bits.short_read);
    bits = bits_of(data, sizeof(data));
    static const int32_t codes[] = {0, 1, -1, 2, -2, 3, -3, 4, -4};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        ck_assert_int_eq(bits_se(&bits), codes[i]);
    }
    bits = bits_of(data, 4);
    ck_assert_uint_eq(bits_u(&bits, 32), 0xa64298e2);
    ck_assert(!bits.short_read);
    ck_assert_uint_eq(bits_u(&bits, 1), 0);
    ck_assert(bits.short_read);
    static const uint8_t zeros[8];
    bits = bits_of(zeros, sizeof(zeros));
    ck_assert_uint_eq(bits_ue(&bits), 0);
    ck_assert(bits.short_read);
}
END_TEST

Suite *codec_record_suite(void) {
    Suite *suite = suite_create("codec_record");
    TCase *tests = tcase_create("records");
    tcase_add_loop_test(tests, test_record, 0, RECORDS);
    tcase_add_loop_test(tests, test_record_cut, 0, RECORDS);
    tcase_add_test(tests, test_record_lies);
    tcase_add_test(tests, test_record_of_others);
    tcase_add_test(tests, test_record_noise);
    tcase_add_test(tests, test_sps_absurd);
    tcase_add_test(tests, test_samples);
    tcase_add_test(tests, test_samples_of_others);
    tcase_add_test(tests, test_aac);
    tcase_add_loop_test(tests, test_av1_record, 0, AV1_RECORDS);
    tcase_add_loop_test(tests, test_av1_samples, 0, 21);
    tcase_add_test(tests, test_av1_samples_of_others);
    tcase_add_test(tests, test_bits);
    suite_add_tcase(suite, tests);
    return suite;
}
