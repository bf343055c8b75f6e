/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CSV text as people's programs write it, and as they must not. */
#include <check.h>
#include <string.h>

#include "common/csv.h"

Suite *csv_suite(void);

/* Records as one text: fields in [], a record a line with its number; errors by a '!'. */
static void show(const void *text, size_t size, struct buf *out) {
    struct csv csv = csv_of(text, size);
    struct csv_record record = {0};
    for (;;) {
        struct err err = {0};
        int result = csv_next(&csv, &record, &err);
        if (result == 0) {
            break;
        }
        buf_format(out, "%d", (int)record.line);
        if (result < 0) {
            ck_assert_int_eq(result, ERR_INVALID);
            ck_assert_int_eq(err.code, ERR_INVALID);
            buf_string(out, "!");
        }
        for (size_t i = 0; result > 0 && i < record.count; i++) {
            buf_format(out, "[%s]", csv_field(&record, i));
        }
        buf_string(out, ";");
    }
    csv_record_finish(&record);
}

static const struct {
    const char *text;
    const char *records;
} cases[] = {
    {"", ""},
    {"a", "1[a];"},
    {"a,b\n", "1[a][b];"},
    {"a,b\nc,d", "1[a][b];2[c][d];"},
    {"a,b\r\nc,d\r\n", "1[a][b];2[c][d];"},
    {"a\rb\r", "1[a];2[b];"},
    {"\xef\xbb\xbf"
     "a,b\n",
     "1[a][b];"},
    {"\xef\xbb\xbf", ""},
    {"\xef\xbb", "1!;"},
    {",\n", "1[][];"},
    {"a,\n,b\n", "1[a][];2[][b];"},
    {"\n\r\n\na\n\n", "4[a];"},
    {" a , b ", "1[ a ][ b ];"},
    {"\"a\"", "1[a];"},
    {"\"\"", "1[];"},
    {"\"\",\"\"\n", "1[][];"},
    {"\"a,b\",c", "1[a,b][c];"},
    {"\"a \"\"b\"\" c\"", "1[a \"b\" c];"},
    {"\"\"\"\"", "1[\"];"},
    {"\"a\nb\",c\nd", "1[a\nb][c];3[d];"},
    {"\"a\r\nb\"\r\nd", "1[a\r\nb];3[d];"},
    {"\"a\rb\"\rd", "1[a\rb];3[d];"},
    {"\xc3\xa9t\xc3\xa9,\xf0\x9f\x8e\xac\n", "1[\xc3\xa9t\xc3\xa9][\xf0\x9f\x8e\xac];"},
    /* wrong, and what goes on behind it */
    {"\"a", "1!;"},
    {"\"a\nb\nc", "1!;"},
    {"a\n\"b\" c\nd", "1[a];2!;3[d];"},
    {"\"b\" ,c\nd", "1!;2[d];"},
    {"b\"c\nd", "1!;2[d];"},
    {"b\"\"c\r\nd", "1!;2[d];"},
    {"\xe9t\xe9\nd", "1!;2[d];"},    /* ISO 8859-1 */
    {"\xc0\xaf\nd", "1!;2[d];"},     /* overlong */
    {"\xe0\x80\xaf\nd", "1!;2[d];"}, /* overlong */
    {"\xf0\x80\x80\xaf\nd", "1!;2[d];"},
    {"\xed\xa0\x80\nd", "1!;2[d];"}, /* a surrogate */
    {"\xf4\x90\x80\x80\nd", "1!;2[d];"},
    {"\xf5\x80\x80\x80\nd", "1!;2[d];"},
    {"\x80\nd", "1!;2[d];"},
    {"\"\xe9\"\nd", "1!;2[d];"},
    {"a\xc3", "1!;"},
};

START_TEST(test_records) {
    struct buf out = {0};
    show(cases[_i].text, strlen(cases[_i].text), &out);
    ck_assert_str_eq(buf_text(&out), cases[_i].records);
    buf_finish(&out);
}
END_TEST

/* Whatever the text is cut to, nothing behind it is looked at: the sanitizers see to that. */
START_TEST(test_cut) {
    const char *text = cases[_i].text;
    for (size_t size = 0; size <= strlen(text); size++) {
        struct buf copy = {0}, out = {0};
        buf_append(&copy, text, size);
        show(copy.data, size, &out);
        buf_finish(&copy);
        buf_finish(&out);
    }
}
END_TEST

START_TEST(test_nul) {
    struct buf out = {0};
    show("a\0b\nc", 5, &out);
    ck_assert_str_eq(buf_text(&out), "1!;2[c];");
    buf_finish(&out);
}
END_TEST

START_TEST(test_many_fields) {
    struct buf text = {0}, out = {0};
    for (int i = 0; i < CSV_FIELDS_MAX - 1; i++) {
        buf_string(&text, ",");
    }
    buf_string(&text, "last\n");
    struct csv csv = csv_of(text.data, text.size);
    struct csv_record record = {0};
    ck_assert_int_eq(csv_next(&csv, &record, NULL), 1);
    ck_assert_uint_eq(record.count, CSV_FIELDS_MAX);
    ck_assert_str_eq(csv_field(&record, CSV_FIELDS_MAX - 1), "last");
    ck_assert_str_eq(csv_field(&record, CSV_FIELDS_MAX), "");
    csv_record_finish(&record);
    text.data[text.size - 1] = ',';
    show(text.data, text.size, &out);
    ck_assert_str_eq(buf_text(&out), "1!;");
    buf_finish(&text);
    buf_finish(&out);
}
END_TEST

Suite *csv_suite(void) {
    Suite *suite = suite_create("csv");
    TCase *all = tcase_create("csv");
    tcase_add_loop_test(all, test_records, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_loop_test(all, test_cut, 0, sizeof(cases) / sizeof(cases[0]));
    tcase_add_test(all, test_nul);
    tcase_add_test(all, test_many_fields);
    suite_add_tcase(suite, all);
    return suite;
}
