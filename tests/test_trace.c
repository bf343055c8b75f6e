/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Trace ids and their header. */
#include <check.h>
#include <string.h>

#include "common/trace.h"

Suite *trace_suite(void);

#define ID   "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"

static const struct {
    const char *header;
    bool good;
} headers[] = {
    {"00-" ID "-" SPAN "-01", true},
    {"00-" ID "-" SPAN "-00", true},
    {"01-" ID "-" SPAN "-01-what-comes-later", true},
    {"01-" ID "-" SPAN "-01", true},
    {"00-" ID "-" SPAN "-01-more", false},
    {"01-" ID "-" SPAN "-01more", false},
    {"ff-" ID "-" SPAN "-01", false},
    {"00-00000000000000000000000000000000-" SPAN "-01", false},
    {"00-" ID "-0000000000000000-01", false},
    {"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", false},
    {"00-" ID "-" SPAN "-0", false},
    {"00-" ID "_" SPAN "-01", false},
    {"0x-" ID "-" SPAN "-01", false},
    {"00-" ID "-00f067aa0ba902bg-01", false},
    {"", false},
    {NULL, false},
};

START_TEST(a_header_is_read_or_refused) {
    char id[TRACE_TEXT] = "left alone";
    ck_assert_int_eq(trace_read(id, headers[_i].header), headers[_i].good);
    ck_assert_str_eq(id, headers[_i].good ? ID : "left alone");
}
END_TEST

START_TEST(ids_and_their_headers_are_what_is_read) {
    char id[TRACE_TEXT];
    char other[TRACE_TEXT];
    char header[TRACE_PARENT_TEXT];
    char next[TRACE_PARENT_TEXT];
    trace_make(id);
    trace_make(other);
    ck_assert(trace_valid(id));
    ck_assert_str_ne(id, other);
    trace_parent(header, id);
    trace_parent(next, id);
    ck_assert_str_ne(header, next);
    ck_assert(trace_read(other, header));
    ck_assert_str_eq(other, id);
}
END_TEST

START_TEST(what_is_no_id_is_told) {
    static const char *const wrong[] = {"", ID "0", "00000000000000000000000000000000",
                                        "4bf92f3577b34da6a3ce929d0e0e473",
                                        "4Bf92f3577b34da6a3ce929d0e0e4736"};
    ck_assert(trace_valid(ID));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_msg(!trace_valid(wrong[i]), "%s", wrong[i]);
    }
}
END_TEST

Suite *trace_suite(void) {
    Suite *suite = suite_create("trace");
    TCase *tests = tcase_create("trace");
    tcase_add_loop_test(tests, a_header_is_read_or_refused, 0,
                        sizeof(headers) / sizeof(headers[0]));
    tcase_add_test(tests, ids_and_their_headers_are_what_is_read);
    tcase_add_test(tests, what_is_no_id_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
