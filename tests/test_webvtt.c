/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of WebVTT files: what it takes, what it refuses, and the times that it finds. */
#include <check.h>
#include <string.h>

#include "packager/webvtt.h"

Suite *webvtt_suite(void);

static const struct {
    const char *text;
    int64_t cues;
    int64_t first_start, last_start, first_end, last_end, shift;
} good[] = {
    {"WEBVTT", 0, 0, 0, 0, 0, 0},
    {"\xef\xbb\xbfWEBVTT - a film\n", 0, 0, 0, 0, 0, 0},
    {"WEBVTT\n\n00:01.000 --> 00:02.500\nHello.\n", 1, 1000, 1000, 2500, 2500, 0},
    {"WEBVTT\r\n\r\none\r\n00:00:01.000 --> 01:00:02.500 align:start line:0\r\nHello.\r\n", 1, 1000,
     1000, 3602500, 3602500, 0},
    {"WEBVTT\n\n00:01.000 --> 00:09.000\na\n\n00:01.000 \t--> 00:02.000\nb\nc\n\n\n"
     "00:03.000 --> 00:04.000\n",
     3, 1000, 3000, 2000, 9000, 0},
    {"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:900000,LOCAL:00:00:00.000\n\n00:01.000 --> 00:02.000\na", 1,
     1000, 1000, 2000, 2000, 10000},
    {"WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:03.000,MPEGTS:90000\n", 0, 0, 0, 0, 0, -2000},
    {"WEBVTT\r\r00:01.000 --> 00:02.000\ra\r\r00:03.000 --> 00:04.000\n", 2, 1000, 3000, 2000, 4000,
     0},
    {"WEBVTT\n\nNOTE what\nstands here\n\nSTYLE\n::cue {}\n\nREGION\nid:a\n\n"
     "123:00:01.000 --> 123:00:02.000\na\n",
     1, 442801000, 442801000, 442802000, 442802000, 0},
};

static const struct {
    const char *text;
    const char *why;
} bad[] = {
    {"", "it is empty, or holds a byte of 0"},
    {"WEBVTTX\n", "line 1: it does not begin with WEBVTT"},
    {"\nWEBVTT\n", "line 1: it does not begin with WEBVTT"},
    {"WEBVTT\n00:01.000 --> 00:02.000\na\n", "line 2: a cue stands in the head of the file"},
    {"WEBVTT\n\n00:02.000 --> 00:02.000\na\n", "line 3: a cue ends before it starts"},
    {"WEBVTT\n\n00:01.00 --> 00:02.000\na\n", "line 3: a cue's times are not START --> END"},
    {"WEBVTT\n\n00:01.000-->00:02.000\na\n", "line 3: a cue's times are not START --> END"},
    {"WEBVTT\n\n1:00:01.000 --> 00:02.000\n", "line 3: a cue's times are not START --> END"},
    {"WEBVTT\n\n00:61.000 --> 01:02.000\n", "line 3: a cue's times are not START --> END"},
    {"WEBVTT\n\n00:01.000 --> 00:02.000x\n", "line 3: a cue's times are not START --> END"},
    {"WEBVTT\n\n99999999:00:01.000 --> 99999999:00:02.000\n",
     "line 3: a cue's times are not START --> END"},
    {"WEBVTT\n\n00:02.000 --> 00:03.000\na\n\n00:01.000 --> 00:04.000\nb\n",
     "line 6: a cue starts before the one above it"},
    {"WEBVTT\n\n00:01.000 --> 00:02.000\na\n00:03.000 --> 00:04.000\nb\n",
     "line 5: no empty line stands before a cue"},
    {"WEBVTT\r\r\n\r00:02.000 --> 00:02.000", "line 4: a cue ends before it starts"},
    {"WEBVTT\n\nlost words\nand more\n",
     "line 4: a block is neither a cue nor a note, a style or a region"},
    {"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:x,LOCAL:00:00.000\n",
     "line 2: X-TIMESTAMP-MAP is not MPEGTS:ticks,LOCAL:time"},
    {"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:1,MPEGTS:1\n",
     "line 2: X-TIMESTAMP-MAP is not MPEGTS:ticks,LOCAL:time"},
    {"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:9000000000,LOCAL:00:00.000\n",
     "line 2: MPEGTS of X-TIMESTAMP-MAP has more than 33 bits"},
    {"WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00.000\nX-TIMESTAMP-MAP=MPEGTS:0,LOCAL:00:00.000\n",
     "line 3: X-TIMESTAMP-MAP stands twice"},
};

enum { GOOD = sizeof(good) / sizeof(good[0]), BAD = sizeof(bad) / sizeof(bad[0]) };

START_TEST(test_good) {
    struct webvtt facts = {0};
    struct err err = {0};
    int failed = webvtt_read(&facts, good[_i].text, strlen(good[_i].text), &err);
    ck_assert_msg(failed == 0, "%d: %s", _i, err.message);
    ck_assert_int_eq(facts.cue_count, good[_i].cues);
    ck_assert_int_eq(facts.first_start_ms, good[_i].first_start);
    ck_assert_int_eq(facts.last_start_ms, good[_i].last_start);
    ck_assert_int_eq(facts.first_end_ms, good[_i].first_end);
    ck_assert_int_eq(facts.last_end_ms, good[_i].last_end);
    ck_assert_int_eq(facts.shift_ms, good[_i].shift);
}
END_TEST

START_TEST(test_bad) {
    struct webvtt facts = {.cue_count = 7};
    struct err err = {0};
    ck_assert_int_eq(webvtt_read(&facts, bad[_i].text, strlen(bad[_i].text), &err), ERR_CORRUPT);
    ck_assert_str_eq(err.message, bad[_i].why);
    ck_assert_int_eq(facts.cue_count, 7);
}
END_TEST

/* Cut anywhere, a file is read or refused, and nothing is read behind its end. */
START_TEST(test_cut) {
    const char *text = good[_i].text;
    for (size_t size = 0; size < strlen(text); size++) {
        char copy[256];
        struct webvtt facts;
        ck_assert_uint_lt(size, sizeof(copy));
        memset(copy, '-', sizeof(copy));
        memcpy(copy, text, size);
        int failed = webvtt_read(&facts, copy, size, NULL);
        ck_assert(failed == 0 || failed == ERR_CORRUPT);
    }
}
END_TEST

Suite *webvtt_suite(void) {
    Suite *suite = suite_create("webvtt");
    TCase *files = tcase_create("files");
    tcase_add_loop_test(files, test_good, 0, GOOD);
    tcase_add_loop_test(files, test_bad, 0, BAD);
    tcase_add_loop_test(files, test_cut, 0, GOOD);
    suite_add_tcase(suite, files);
    return suite;
}
