/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small readers of what others package: records of real encoders, and ones that lie. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "packager/dolby.h"
#include "packager/flac.h"
#include "packager/hevc.h"
#include "packager/opus.h"

Suite *foreign_records_suite(void);

enum { RECORD_BYTES_MAX = 1024 };

/* hvcC payloads that x265 and ffmpeg made; what they say was told to them. */
static const struct {
    const char *name;
    const char *hex;
    int idc, level;
    bool high_tier;
    struct hevc_sps sps; /* but for its profile and the size before cropping */
} records[] = {
    {"320x180 Main, BT.709",
     "0101600000009000000000003cf000fcfdf8f800000f03a00001001840010c01ffff016000000300"
     "90000003000003003c959809a10001002c42010101600000030090000003000003003ca00a080b9f"
     "796566924caf016a0202020800001f480002ee0040a2000100074401c172b42240",
     1,
     60,
     false,
     {.chroma = CHROMA_420,
      .bit_depth = 8,
      .chroma_bit_depth = 8,
      .width = 320,
      .height = 180,
      .signal = {true, 1, 1, 1, false}}},
    {"PQ in ten bits, High tier",
     "01222000000090000000000078f000fcfdfafa00000f03a00001001840010c01ffff222000000300"
     "900000030000030078959809a10001002c420101222000000300900000030000030078a005020169"
     "365959a4932bc05a84880482000007d20000bb8010a2000100074401c172b42240",
     2,
     120,
     true,
     {.chroma = CHROMA_420,
      .bit_depth = 10,
      .chroma_bit_depth = 10,
      .width = 640,
      .height = 360,
      .signal = {true, 9, 16, 9, false}}},
    {"cropped, full range, SAR 64:45",
     "0101600000009000000000005af000fcfdf8f800000f03a00001001840010c01ffff016000000300"
     "90000003000003005a959809a10001002c42010101600000030090000003000003005aa006b201e1"
     "d565959a4932bc11b82808282000007d20000bb801a2000100074401c172b42240",
     1,
     90,
     false,
     {.chroma = CHROMA_420,
      .bit_depth = 8,
      .chroma_bit_depth = 8,
      .width = 854,
      .height = 478,
      .signal = {false, 5, 1, 5, true}}},
    {"scaling lists, many references, nothing of colours",
     "0121600000009000000000007bf000fcfdf8f800000f03a00001001940010c01ffff216000000300"
     "90000003000003007b998a0240a10001002842010121600000030090000003000003007ba00a080f"
     "165998a924e5780b40400000fa4000177002a2000100074401c172b42240",
     1,
     123,
     true,
     {.chroma = CHROMA_420,
      .bit_depth = 8,
      .chroma_bit_depth = 8,
      .width = 320,
      .height = 240,
      .signal = {true, 2, 2, 2, false}}},
    {"4:2:2 of ten bits",
     "0104080000009d08000000005af000fcfefafa00000f03a00001001740010c01ffff040800000300"
     "9d0800000300005a959809a1000100274201010408000003009d0800000300005ab00a080f136595"
     "9a4932bc05a02000007d20000bb801a2000100074401c172b42240",
     4,
     90,
     false,
     {.chroma = CHROMA_422,
      .bit_depth = 10,
      .chroma_bit_depth = 10,
      .width = 320,
      .height = 240,
      .signal = {true, 2, 2, 2, false}}},
    {"4:4:4 with PCM and temporal layers",
     "0104080000009e08000000005af000fcfff8f800001303a00001001b40010c02ffff040800000300"
     "9e0800000300005a00009594aca048a10001002b4201020408000003009e0800000300005a000090"
     "014101e2cb2b295964932bc05a02000007d20000bb8010a2000100084401c172860c4224",
     4,
     90,
     false,
     {.chroma = CHROMA_444,
      .bit_depth = 8,
      .chroma_bit_depth = 8,
      .width = 320,
      .height = 240,
      .signal = {true, 2, 2, 2, false}}},
};

enum { RECORDS = sizeof(records) / sizeof(records[0]) };

static size_t unhex(const char *hex, uint8_t out[RECORD_BYTES_MAX]) {
    size_t size = 0;
    for (; hex[0] != '\0'; hex += 2) {
        char pair[3] = {hex[0], hex[1], '\0'};
        ck_assert_uint_lt(size, RECORD_BYTES_MAX);
        out[size++] = (uint8_t)strtoul(pair, NULL, 16);
    }
    return size;
}

/* A copy in memory of just its size, so that a reader that goes beyond is noticed. */
static int read_copy(struct hevc_record *out, const uint8_t *data, size_t size) {
    uint8_t *copy = mem_zero(size + 1, 1);
    memcpy(copy, data, size);
    int failed = hevc_record_read(out, copy, size, NULL);
    mem_free(copy);
    return failed;
}

START_TEST(test_hevc) {
    uint8_t data[RECORD_BYTES_MAX];
    size_t size = unhex(records[_i].hex, data);
    const struct hevc_sps *wanted = &records[_i].sps;
    struct hevc_record record;
    struct err err = {0};
    ck_assert_msg(hevc_record_read(&record, data, size, &err) == 0, "%s: %s", records[_i].name,
                  err.message);
    const struct hevc_sps *sps = &record.sps;
    const int pairs[][2] = {
        {record.profile.idc, records[_i].idc},
        {record.profile.level_idc, records[_i].level},
        {record.profile.high_tier, records[_i].high_tier},
        {sps->profile.idc, records[_i].idc},
        {sps->profile.level_idc, records[_i].level},
        {(int)sps->chroma, (int)wanted->chroma},
        {sps->bit_depth, wanted->bit_depth},
        {sps->chroma_bit_depth, wanted->chroma_bit_depth},
        {sps->width, wanted->width},
        {sps->height, wanted->height},
        {sps->signal.square_pixels, wanted->signal.square_pixels},
        {sps->signal.primaries, wanted->signal.primaries},
        {sps->signal.transfer, wanted->signal.transfer},
        {sps->signal.matrix, wanted->signal.matrix},
        {sps->signal.full_range, wanted->signal.full_range},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        ck_assert_msg(pairs[i][0] == pairs[i][1], "%s: field %zu is %d and must be %d",
                      records[_i].name, i, pairs[i][0], pairs[i][1]);
    }
    ck_assert_msg(hevc_record_fault(&record) == NULL && record.has_all, "%s: %s", records[_i].name,
                  hevc_record_fault(&record));
    for (size_t cut = 0; cut < size; cut++) {
        ck_assert_int_ne(read_copy(&record, data, cut), 0);
    }
}
END_TEST

/* Records with bits turned over are read or refused, and nothing else. */
START_TEST(test_hevc_noise) {
    uint8_t data[RECORD_BYTES_MAX];
    size_t size = unhex(records[_i].hex, data);
    struct hevc_record record;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (read_copy(&record, data, size) == 0) {
            hevc_record_fault(&record);
        }
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}
END_TEST

/* RFC 6716 table 2 and 3.2: what is coded, how many frames of it, samples at 48 kHz. */
START_TEST(test_opus) {
    static const struct {
        uint8_t packet[2];
        size_t size;
        int samples; /* 0: no packet */
    } packets[] = {
        {{0 << 3}, 1, 480},       {{3 << 3}, 1, 2880},         {{11 << 3 | 1}, 1, 5760},
        {{12 << 3}, 1, 480},      {{15 << 3 | 2}, 1, 1920},    {{16 << 3}, 1, 120},
        {{31 << 3}, 1, 960},      {{31 << 3 | 3, 6}, 2, 5760}, {{31 << 3 | 3, 7}, 2, 0},
        {{31 << 3 | 3, 0}, 2, 0}, {{31 << 3 | 3}, 1, 0},       {{0}, 0, 0},
    };
    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        int samples = 0;
        int failed = opus_packet_samples(packets[i].packet, packets[i].size, &samples, NULL);
        ck_assert_int_eq(failed == 0, packets[i].samples > 0);
        ck_assert_int_eq(samples, packets[i].samples);
    }
    struct opus_config config;
    static const uint8_t surround[] = {0, 6, 1, 56, 0, 0, 187, 128, 0, 0,
                                       1, 4, 2, 0,  4, 1, 2,   3,   5};
    ck_assert_int_eq(opus_config_read(&config, surround, sizeof(surround), NULL), 0);
    ck_assert(config.channels == 6 && config.pre_skip == 312);
    for (size_t cut = 0; cut < sizeof(surround); cut++) {
        ck_assert_int_ne(opus_config_read(&config, surround, cut, NULL), 0);
    }
}
END_TEST

/* ETSI TS 102 366 table 4.13, of each rate the least and the most. */
START_TEST(test_dolby) {
    static const struct {
        uint8_t record[3];
        uint8_t codes; /* fscod and frmsizecod */
        size_t size;
    } frames[] = {
        {{0x10, 0x10, 0x00}, 0x00, 128},  {{0x10, 0x10, 0x00}, 0x25, 2560},
        {{0x50, 0x10, 0x00}, 0x40, 138},  {{0x50, 0x10, 0x00}, 0x41, 140},
        {{0x50, 0x10, 0x00}, 0x65, 2788}, {{0x90, 0x10, 0x00}, 0xa5, 3840},
    };
    uint8_t frame[4096] = {0x0b, 0x77, 0, 0, 0, 0x40, 0x40};
    struct dolby_config config;
    int samples = 0;
    for (size_t i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        frame[4] = frames[i].codes;
        ck_assert_int_eq(dolby_ac3_read(&config, frames[i].record, 3, NULL), 0);
        ck_assert_int_eq(dolby_ac3_sample(&config, frame, frames[i].size, &samples, NULL), 0);
        ck_assert_int_eq(samples, 1536);
        ck_assert_int_ne(dolby_ac3_sample(&config, frame, frames[i].size - 2, &samples, NULL), 0);
    }
    static const uint8_t surround[] = {0x10, 0x3d, 0xe0}; /* 3/2 with a low frequency */
    ck_assert_int_eq(dolby_ac3_read(&config, surround, sizeof(surround), NULL), 0);
    ck_assert_int_eq(config.channels, 6);
    static const uint8_t dependent[] = {0x02, 0x00, 0x20, 0x0f, 0x02, 0x00}; /* 7.1 and more */
    ck_assert_int_eq(dolby_eac3_read(&config, dependent, sizeof(dependent), NULL), 0);
    ck_assert_int_eq(config.channels, 0);
    ck_assert_int_ne(dolby_eac3_read(&config, dependent, 5, NULL), 0);
}
END_TEST

/* One sample of so many frames that a count of its samples ends. */
START_TEST(test_dolby_endless) {
    static const uint8_t record[] = {0x02, 0x00, 0x20, 0x04, 0x00};
    static const uint8_t frame[] = {0x0b, 0x77, 0x00, 0x02, 0x34, 0x80};
    enum { MANY = INT32_MAX / 1536 + 1 };
    struct dolby_config config;
    struct buf sample = {0};
    int samples = 0;
    ck_assert_int_eq(dolby_eac3_read(&config, record, sizeof(record), NULL), 0);
    for (int i = 0; i < MANY; i++) {
        buf_append(&sample, frame, sizeof(frame));
    }
    size_t most = (MANY - 1) * sizeof(frame);
    ck_assert_int_eq(dolby_eac3_sample(&config, sample.data, most, &samples, NULL), 0);
    ck_assert_int_eq(samples, (MANY - 1) * 1536);
    ck_assert_int_eq(dolby_eac3_sample(&config, sample.data, sample.size, &samples, NULL),
                     ERR_CORRUPT);
    buf_finish(&sample);
}
END_TEST

Suite *foreign_records_suite(void) {
    Suite *suite = suite_create("foreign_records");
    TCase *tests = tcase_create("records");
    tcase_add_loop_test(tests, test_hevc, 0, RECORDS);
    tcase_add_loop_test(tests, test_hevc_noise, 0, RECORDS);
    tcase_add_test(tests, test_opus);
    tcase_add_test(tests, test_dolby);
    tcase_add_test(tests, test_dolby_endless);
    suite_add_tcase(suite, tests);
    return suite;
}
