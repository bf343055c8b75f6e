/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Boxes: what the writer writes the reader reads, and sizes that lie are refused. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "packager/mp4_box.h"

Suite *mp4_box_suite(void);

START_TEST(test_written) {
    static const uint8_t wanted[] = {0,   0,   0, 28, 'm', 'o', 'o', 'f', 0, 0, 0,   12,  't', 'f',
                                     'h', 'd', 1, 2,  0,   1,   0,   0,   0, 8, 'f', 'r', 'e', 'e'};
    struct buf out = {0};
    size_t outer = mp4_open(&out, "moof");
    size_t inner = mp4_full_open(&out, "tfhd", 1, 0x020001);
    mp4_close(&out, inner);
    mp4_close(&out, mp4_open(&out, "free"));
    mp4_close(&out, outer);
    ck_assert_uint_eq(out.size, sizeof(wanted));
    ck_assert_mem_eq(out.data, wanted, sizeof(wanted));

    struct bytes in = bytes_of(out.data, out.size);
    struct mp4_box moof;
    struct mp4_box tfhd;
    ck_assert_int_eq(mp4_next(&in, &moof, NULL), 0);
    ck_assert_uint_eq(bytes_left(&in), 0);
    ck_assert_str_eq(moof.type, "moof");
    ck_assert_uint_eq(moof.size, 28);
    ck_assert_int_eq(mp4_full_child(&moof, "tfhd", &tfhd, NULL), 0);
    ck_assert_int_eq(tfhd.version, 1);
    ck_assert_uint_eq(tfhd.flags, 0x020001);
    ck_assert_int_eq(mp4_done(&tfhd, NULL), 0);
    ck_assert_uint_eq((size_t)(tfhd.start - out.data), 8);
    buf_finish(&out);
}
END_TEST

START_TEST(test_path) {
    struct buf out = {0};
    mp4_close(&out, mp4_open(&out, "styp"));
    size_t moof = mp4_open(&out, "moof");
    size_t traf = mp4_open(&out, "traf");
    size_t tfdt = mp4_full_open(&out, "tfdt", 1, 0);
    buf_u64(&out, 7);
    mp4_close(&out, tfdt);
    mp4_close(&out, traf);
    mp4_close(&out, moof);
    static const struct {
        size_t at;
        const char *path;
    } cases[] = {{0, "styp"},
                 {7, "styp"},
                 {8, "moof"},
                 {15, "moof"},
                 {16, "moof/traf"},
                 {44, ""},
                 {24, "moof/traf/tfdt"},
                 {43, "moof/traf/tfdt"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[64];
        mp4_path_at(out.data, out.size, cases[i].at, path, sizeof(path));
        ck_assert_str_eq(path, cases[i].path);
    }
    char small[8];
    mp4_path_at(out.data, out.size, 30, small, sizeof(small));
    ck_assert_uint_lt(strlen(small), sizeof(small));
    buf_finish(&out);
}
END_TEST

/* Bytes, and how many of their boxes can be read before one is refused; -1: all. */
static const struct {
    const char *what;
    size_t size;
    uint8_t bytes[24];
    int read;
} cases[] = {
    {"one whole box", 8, {0, 0, 0, 8, 'f', 'r', 'e', 'e'}, -1},
    {"a large size where it fits",
     18,
     {0, 0, 0, 1, 'm', 'd', 'a', 't', 0, 0, 0, 0, 0, 0, 0, 18, 1, 2},
     -1},
    {"a size under its header", 8, {0, 0, 0, 7, 'f', 'r', 'e', 'e'}, 0},
    {"to the end", 8, {0, 0, 0, 0, 'f', 'r', 'e', 'e'}, 0},
    {"one byte beyond the end", 8, {0, 0, 0, 9, 'f', 'r', 'e', 'e'}, 0},
    {"4 GiB", 8, {255, 255, 255, 255, 'f', 'r', 'e', 'e'}, 0},
    {"a large size under its header",
     16,
     {0, 0, 0, 1, 'm', 'd', 'a', 't', 0, 0, 0, 0, 0, 0, 0, 15},
     0},
    {"2^64 - 1 bytes",
     16,
     {0, 0, 0, 1, 'm', 'd', 'a', 't', 255, 255, 255, 255, 255, 255, 255, 255},
     0},
    {"a large size cut short", 12, {0, 0, 0, 1, 'm', 'd', 'a', 't', 0, 0, 0, 0}, 0},
    {"seven bytes", 7, {0, 0, 0, 8, 'f', 'r', 'e'}, 0},
    {"a good one and three bytes", 11, {0, 0, 0, 8, 'f', 'r', 'e', 'e', 0, 0, 0}, 1},
};

START_TEST(test_sizes) {
    uint8_t *data = mem_try(cases[_i].size); /* so that ASan sees a byte too far */
    memcpy(data, cases[_i].bytes, cases[_i].size);
    struct bytes in = bytes_of(data, cases[_i].size);
    struct mp4_box box;
    int read = 0;
    while (bytes_left(&in) > 0) {
        struct err err = {0};
        if (mp4_next(&in, &box, &err) != 0) {
            ck_assert_int_eq(err.code, ERR_CORRUPT);
            ck_assert_msg(read == cases[_i].read, "%s: %s", cases[_i].what, err.message);
            mem_free(data);
            return;
        }
        read++;
    }
    ck_assert_msg(cases[_i].read == -1, "%s", cases[_i].what);
    mem_free(data);
}
END_TEST

START_TEST(test_children) {
    struct buf out = {0};
    size_t moov = mp4_open(&out, "moov");
    mp4_close(&out, mp4_open(&out, "trak"));
    mp4_close(&out, mp4_open(&out, "trak"));
    size_t leaf = mp4_full_open(&out, "mehd", 0, 0);
    mp4_close(&out, leaf);
    mp4_close(&out, moov);
    struct bytes in = bytes_of(out.data, out.size);
    struct mp4_box parent;
    struct mp4_box child;
    bool found;
    struct err err = {0};
    ck_assert_int_eq(mp4_next(&in, &parent, NULL), 0);
    ck_assert_int_eq(mp4_child(&parent, "trak", &child, &err), ERR_CORRUPT);
    ck_assert_str_eq(err.message, "box moov holds two trak");
    err_clear(&err);
    ck_assert_int_eq(mp4_child(&parent, "mvex", &child, &err), ERR_CORRUPT);
    ck_assert_str_eq(err.message, "box moov holds no mvex");
    err_clear(&err);
    ck_assert_int_eq(mp4_child_maybe(&parent, "mvex", &child, &found, &err), 0);
    ck_assert(!found);
    ck_assert_int_eq(mp4_child(&parent, "mehd", &child, &err), 0);
    ck_assert_int_eq(mp4_done(&child, &err), ERR_CORRUPT); /* four bytes were not read */
    bytes_u64(&child.body);
    err_clear(&err);
    ck_assert_int_eq(mp4_done(&child, &err), ERR_CORRUPT);
    ck_assert_str_eq(err.message, "box mehd is too short for its fields");
    out.data[out.size - 9] = 200; /* the last child reaches beyond its parent */
    ck_assert_int_eq(mp4_child_maybe(&parent, "trak", &child, &found, NULL), ERR_CORRUPT);
    buf_finish(&out);
}
END_TEST

START_TEST(test_type_is_printable) {
    static const uint8_t data[] = {0, 0, 0, 8, 0, 0x1b, '[', 0xff};
    struct bytes in = bytes_of(data, sizeof(data));
    struct mp4_box box;
    ck_assert_int_eq(mp4_next(&in, &box, NULL), 0);
    ck_assert_str_eq(box.type, "??[?");
}
END_TEST

Suite *mp4_box_suite(void) {
    Suite *suite = suite_create("mp4_box");
    TCase *tests = tcase_create("boxes");
    tcase_add_test(tests, test_written);
    tcase_add_test(tests, test_path);
    tcase_add_loop_test(tests, test_sizes, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(tests, test_children);
    tcase_add_test(tests, test_type_is_printable);
    suite_add_tcase(suite, tests);
    return suite;
}
