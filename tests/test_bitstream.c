/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random access points told from header bits, boxes on the top level, language tags:
 * the parsers of the source that read bytes from outside themselves. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "encoder/bitstream.h"
#include "encoder/language.h"
#include "encoder/outline.h"

Suite *bitstream_suite(void);

/* ---- Pictures -------------------------------------------------------------- */

#define START 0, 0, 0, 1

/* slice headers: first_mb 0 is "1", slice_type 7 (I) "0001000", 5 (P) "00110", 0 (P) "1". */
static const struct {
    enum AVCodecID codec;
    int length_size;
    bool key;
    uint8_t data[40];
    size_t size;
    enum access_kind access;
    int recovery;
    bool reference;
    bool hidden;
} pictures[] = {
    /* AUD, IDR slice. */
    {AV_CODEC_ID_H264,
     0,
     true,
     {START, 9, 0xf0, START, 0x65, 0x88, 0x80},
     13,
     ACCESS_CLOSED,
     0,
     true,
     false},
    /* The same with lengths. */
    {AV_CODEC_ID_H264,
     4,
     true,
     {0, 0, 0, 2, 9, 0xf0, 0, 0, 0, 3, 0x65, 0x88, 0x80},
     13,
     ACCESS_CLOSED,
     0,
     true,
     false},
    /* A last NAL unit that the packet cuts off is enough. */
    {AV_CODEC_ID_H264,
     4,
     true,
     {0, 0, 0x40, 0, 0x65, 0x88, 0x80},
     7,
     ACCESS_CLOSED,
     0,
     true,
     false},
    /* Recovery point, 0 frames: "1", exact 1, broken 0, slice group 00; then an I slice. */
    {AV_CODEC_ID_H264,
     0,
     true,
     {START, 6, 6, 1, 0xc4, 0x80, START, 0x61, 0x88, 0x80},
     16,
     ACCESS_LEADING,
     0,
     true,
     false},
    /* Recovery point, 8 frames: "0001001", exact: a P slice in an intra refresh. */
    {AV_CODEC_ID_H264,
     0,
     true,
     {START, 6, 6, 2, 0x13, 0x20, 0x80, START, 0x61, 0xe0, 0x80},
     17,
     ACCESS_RECOVERY,
     8,
     true,
     false},
    /* The same, not exact. */
    {AV_CODEC_ID_H264,
     0,
     true,
     {START, 6, 6, 2, 0x12, 0x20, 0x80, START, 0x61, 0xe0, 0x80},
     17,
     ACCESS_NONE,
     0,
     true,
     false},
    /* An I slice that promises nothing, though the container calls it key. */
    {AV_CODEC_ID_H264, 0, true, {START, 0x61, 0x88, 0x80}, 7, ACCESS_NONE, 0, true, false},
    /* A P slice that nobody refers to. */
    {AV_CODEC_ID_H264, 0, false, {START, 0x01, 0xe0, 0x80}, 7, ACCESS_NONE, 0, false, false},
    /* An SEI that claims more than there is. */
    {AV_CODEC_ID_H264, 0, true, {START, 6, 6, 0xff, 0xff, 0xff}, 9, ACCESS_NONE, 0, false, false},
    {AV_CODEC_ID_H264, 4, true, {0xff, 0xff, 0xff, 0xff}, 4, ACCESS_NONE, 0, false, false},
    {AV_CODEC_ID_H264, 4, true, {0, 0}, 2, ACCESS_NONE, 0, false, false},
    {AV_CODEC_ID_H264, 0, true, {0}, 0, ACCESS_NONE, 0, false, false},
    /* HEVC: IDR_W_RADL 19, CRA 21, BLA 16, TRAIL_R 1. */
    {AV_CODEC_ID_HEVC,
     0,
     true,
     {START, 40, 1, START, 38, 1, 0x80},
     13,
     ACCESS_CLOSED,
     0,
     false,
     false},
    {AV_CODEC_ID_HEVC, 0, true, {START, 42, 1, 0x80}, 7, ACCESS_LEADING, 0, false, false},
    {AV_CODEC_ID_HEVC, 0, true, {START, 32, 1, 0x80}, 7, ACCESS_LEADING, 0, false, false},
    {AV_CODEC_ID_HEVC, 0, true, {START, 2, 1, 0x80}, 7, ACCESS_NONE, 0, false, false},
    /* MPEG-2: sequence header and I picture; I without header; P. */
    {AV_CODEC_ID_MPEG2VIDEO,
     0,
     true,
     {0, 0, 1, 0xb3, 1, 2, 3, 4, 0, 0, 1, 0, 0, 0x08},
     14,
     ACCESS_LEADING,
     0,
     false,
     false},
    {AV_CODEC_ID_MPEG2VIDEO, 0, true, {0, 0, 1, 0, 0, 0x08, 0}, 7, ACCESS_NONE, 0, false, false},
    {AV_CODEC_ID_MPEG2VIDEO,
     0,
     true,
     {0, 0, 1, 0xb3, 0, 0, 1, 0, 0, 0x10, 0},
     11,
     ACCESS_NONE,
     0,
     false,
     false},
    /* VP8: key and shown; inter and hidden. */
    {AV_CODEC_ID_VP8, 0, true, {0x10}, 1, ACCESS_CLOSED, 0, false, false},
    {AV_CODEC_ID_VP8, 0, false, {0x01}, 1, ACCESS_NONE, 0, false, true},
    /* VP9 profile 0: marker 10, key shown; inter hidden; hidden in a superframe. */
    {AV_CODEC_ID_VP9, 0, true, {0x82, 0}, 2, ACCESS_CLOSED, 0, false, false},
    {AV_CODEC_ID_VP9, 0, false, {0x84, 0}, 2, ACCESS_NONE, 0, false, true},
    {AV_CODEC_ID_VP9, 0, false, {0x84, 0, 0xc1}, 3, ACCESS_NONE, 0, false, false},
    /* AV1: temporal delimiter, sequence header (cut short), frame: key and shown; inter. */
    {AV_CODEC_ID_AV1,
     0,
     true,
     {0x12, 0, 0x0a, 1, 0, 0x32, 2, 0x10, 0},
     9,
     ACCESS_CLOSED,
     0,
     false,
     false},
    {AV_CODEC_ID_AV1, 0, true, {0x12, 0, 0x32, 2, 0x30, 0}, 6, ACCESS_NONE, 0, false, false},
    {AV_CODEC_ID_AV1,
     0,
     true,
     {0x0a, 0xff, 0xff, 0xff, 0xff, 0xff},
     6,
     ACCESS_NONE,
     0,
     false,
     false},
    /* Others go by the container's word. */
    {AV_CODEC_ID_MPEG4, 0, true, {0, 0, 1, 0xb6}, 4, ACCESS_LEADING, 0, false, false},
    {AV_CODEC_ID_MPEG4, 0, false, {0, 0, 1, 0xb6}, 4, ACCESS_NONE, 0, false, false},
    {AV_CODEC_ID_MPEG4, 0, false, {0}, 0, ACCESS_NONE, 0, false, true},
};

START_TEST(a_picture_is_known_by_its_header) {
    struct bitstream stream = {.codec = pictures[_i].codec,
                               .nal_length_size = pictures[_i].length_size};
    struct picture_look look =
        bitstream_look(&stream, pictures[_i].data, pictures[_i].size, pictures[_i].key);
    ck_assert_int_eq(look.access, pictures[_i].access);
    ck_assert_int_eq(look.recovery, pictures[_i].recovery);
    ck_assert_int_eq(look.reference, pictures[_i].reference);
    ck_assert_int_eq(look.hidden, pictures[_i].hidden);
}
END_TEST

/* No bytes make it read past their end (the sanitizer would tell) or run for long. */
START_TEST(noise_is_read_within_its_bounds) {
    static const enum AVCodecID codecs[] = {
        AV_CODEC_ID_H264, AV_CODEC_ID_HEVC, AV_CODEC_ID_VVC, AV_CODEC_ID_MPEG2VIDEO,
        AV_CODEC_ID_VP8,  AV_CODEC_ID_VP9,  AV_CODEC_ID_AV1, AV_CODEC_ID_MPEG4};
    unsigned state = 7;
    for (int turn = 0; turn < 20000; turn++) {
        struct buf data = {0};
        state = state * 1103515245u + 12345u;
        size_t size = state >> 16 & 63;
        for (size_t i = 0; i < size; i++) {
            state = state * 1103515245u + 12345u;
            /* Zeros and ones make start codes. */
            buf_u8(&data, (uint8_t)((state >> 28 & 1) == 0 ? state >> 16 : state >> 16 & 1));
        }
        struct bitstream stream = {.codec = codecs[turn % 8], .nal_length_size = turn / 8 % 5};
        struct picture_look look = bitstream_look(&stream, data.data, data.size, turn % 2 == 0);
        ck_assert_int_ge(look.recovery, 0);
        buf_finish(&data);
    }
}
END_TEST

/* ---- Boxes ----------------------------------------------------------------- */

static int64_t read_buf(void *context, int64_t offset, void *data, size_t size, struct err *err) {
    const struct buf *buf = context;
    (void)err;
    if (offset >= (int64_t)buf->size) {
        return 0;
    }
    size_t left = buf->size - (size_t)offset;
    /* A few bytes at a time, as a slow store gives them. */
    size_t got = left < size ? left : size;
    got = got < 5 ? got : 5;
    memcpy(data, buf->data + offset, got);
    return (int64_t)got;
}

static void add_box(struct buf *buf, const char *type, size_t payload, const char *text) {
    buf_u32(buf, (uint32_t)(8 + payload));
    buf_append(buf, type, 4);
    size_t used = strlen(text);
    buf_append(buf, text, used);
    buf_zero(buf, payload - used);
}

START_TEST(the_outline_tells_what_is_there) {
    struct buf file = {0};
    struct outline outline = {0};
    struct err err = {0};
    add_box(&file, "ftyp", 16, "isom");
    add_box(&file, "moov", 100, "....mvhd");
    add_box(&file, "mdat", 1000, "");
    struct source_io io = {read_buf, (int64_t)file.size, &file};
    ck_assert_int_eq(outline_read(&outline, &io, &err), 0);
    ck_assert(outline.iso && outline.moov && !outline.fragmented && !outline.cut);
    ck_assert_int_eq(outline.moov_end, 24 + 108);
    io.size -= 1;
    ck_assert_int_eq(outline_read(&outline, &io, &err), 0);
    ck_assert(outline.moov && outline.cut);
    io.size = 60;
    ck_assert_int_eq(outline_read(&outline, &io, &err), 0);
    ck_assert(outline.iso && !outline.moov && outline.cut);
    buf_finish(&file);
    add_box(&file, "ftyp", 16, "isom");
    add_box(&file, "moov", 100, "..encv..mvex");
    io.size = (int64_t)file.size;
    ck_assert_int_eq(outline_read(&outline, &io, &err), 0);
    ck_assert(outline.fragmented && outline.encrypted);
    ck_assert_int_eq(outline_refusal(&io, "no", &err), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "encrypted"));
    buf_finish(&file);
    buf_string(&file, "a letter and no film, long enough for a header");
    io.size = (int64_t)file.size;
    ck_assert_int_eq(outline_read(&outline, &io, &err), 0);
    ck_assert(!outline.iso && !outline.moov);
    buf_finish(&file);
}
END_TEST

/* Sizes that lie, and none that goes round for ever. */
START_TEST(boxes_that_lie_end_the_outline) {
    static const uint8_t lies[][16] = {
        {0, 0, 0, 0, 'm', 'd', 'a', 't'},
        {0, 0, 0, 1, 'm', 'd', 'a', 't', 0, 0, 0, 0, 0, 0, 0, 0},
        {0, 0, 0, 1, 'm', 'o', 'o', 'v', 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
        {0, 0, 0, 7, 'm', 'o', 'o', 'v'},
        {0xff, 0xff, 0xff, 0xff, 'm', 'o', 'o', 'v'},
    };
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct buf file = {0};
        struct outline outline = {0};
        struct err err = {0};
        add_box(&file, "ftyp", 16, "isom");
        buf_append(&file, lies[i], sizeof(lies[i]));
        struct source_io io = {read_buf, (int64_t)file.size, &file};
        ck_assert_int_eq(outline_read(&outline, &io, &err), 0);
        ck_assert(outline.iso && !outline.moov);
        ck_assert_int_eq(outline_refusal(&io, "no", &err), ERR_CORRUPT);
        buf_finish(&file);
    }
}
END_TEST

/* The bytes come in pieces of any size, and some of mdat not at all. */
START_TEST(fragments_are_learned_from_what_goes_by) {
    struct buf file = {0};
    int64_t expected[20];
    for (int i = 0; i < 20; i++) {
        if (i % 7 == 3) {
            add_box(&file, "free", 0, ""); /* a header alone */
        }
        expected[i] = (int64_t)file.size;
        add_box(&file, "moof", 50, "");
        if (i == 10) {
            buf_u32(&file, 1); /* a 64-bit size */
            buf_string(&file, "mdat");
            buf_u64(&file, 16 + 300);
            buf_zero(&file, 300);
        } else {
            add_box(&file, "mdat", 300, "");
        }
    }
    for (size_t piece = 1; piece < 400; piece += 7) {
        struct fragment_trail trail;
        fragment_trail_start(&trail, 1000);
        for (size_t at = 0; at < file.size; at += piece) {
            size_t size = file.size - at < piece ? file.size - at : piece;
            fragment_trail_see(&trail, 1000 + (int64_t)at, file.data + at, size);
        }
        ck_assert_uint_eq(trail.count, 20);
        for (int i = 0; i < 20; i++) {
            ck_assert_int_eq(trail.fragments[i], 1000 + expected[i]);
            ck_assert_int_eq(fragment_trail_before(&trail, 1000 + expected[i]), trail.fragments[i]);
            ck_assert_int_eq(fragment_trail_before(&trail, 1000 + expected[i] + 100),
                             trail.fragments[i]);
        }
        ck_assert_int_eq(fragment_trail_before(&trail, 999), -1);
        fragment_trail_finish(&trail);
    }
    buf_finish(&file);
}
END_TEST

/* ---- Languages ------------------------------------------------------------- */

START_TEST(languages_are_bcp_47) {
    static const char *const cases[][2] = {
        {"eng", "en"},
        {"deu", "de"},
        {"ger", "de"},
        {"fre", "fr"},
        {"zul", "zu"},
        {"aar", "aa"},
        {"und", "und"},
        {"", "und"},
        {"ENG", "en"},
        {"pt-BR", "pt-BR"},
        {"en_US", "en-US"},
        {"zh-Hant-TW", "zh-Hant-TW"},
        {"gsw", "gsw"},
        {"x", "und"},
        {"english", "und"},
        {"```", "und"},
        {"\xff\xfe", "und"},
        {"en-../../etc", "en"},
        {"en-Latn-US-posix-more", "en-Latn-US"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char tag[MAX_LANGUAGE];
        language_tag(tag, cases[i][0]);
        ck_assert_str_eq(tag, cases[i][1]);
    }
}
END_TEST

Suite *bitstream_suite(void) {
    Suite *suite = suite_create("bitstream");
    TCase *parsers = tcase_create("parsers");
    tcase_add_loop_test(parsers, a_picture_is_known_by_its_header, 0,
                        sizeof(pictures) / sizeof(pictures[0]));
    tcase_add_test(parsers, noise_is_read_within_its_bounds);
    tcase_add_test(parsers, the_outline_tells_what_is_there);
    tcase_add_test(parsers, boxes_that_lie_end_the_outline);
    tcase_add_test(parsers, fragments_are_learned_from_what_goes_by);
    tcase_add_test(parsers, languages_are_bcp_47);
    suite_add_tcase(suite, parsers);
    return suite;
}
