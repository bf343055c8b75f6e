/* SPDX-License-Identifier: GPL-2.0-or-later */
/* JSON both ways, readers and their sentences, and text that is not to be trusted. */
#include <check.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"

Suite *json_suite(void);

static struct json *parse(const char *text) {
    struct json *root = NULL;
    struct err err = {0};
    ck_assert_msg(json_tree_parse(&root, text, strlen(text), &err) == 0, "%s", err.message);
    return root;
}

/* ---- Text in ------------------------------------------------------------------- */

static const struct {
    const char *text;
    const char *message; /* a part of it */
} broken[] = {
    {"", "not JSON at line"},
    {"{", "not JSON at line 1"},
    {"{\n\"a\": 1,\n\"a\": 2}", "line 3"},
    {"[1] x", "end of file expected"},
    {"[1,]", "not JSON"},
    {"{'a':1}", "not JSON"},
    {"[01]", "not JSON"},
    {"[NaN]", "not JSON"},
    {"[1e999]", "real number overflow"},
    {"[99999999999999999999]", "too big integer"},
    {"[\"\xc3(\"]", "unable to decode byte 0xc3"},
    {"[\"\\ud800\"]", "not JSON"},
    {"[\"\\u0000\"]", "not JSON"},
    {"[\"a\nb\"]", "not JSON"},
    {"\xef\xbb\xbf[]", "not JSON"},
};

START_TEST(text_that_is_not_json_is_refused) {
    struct json *root = NULL;
    struct err err = {0};
    int code = json_tree_parse(&root, broken[_i].text, strlen(broken[_i].text), &err);
    ck_assert_int_eq(code, ERR_CORRUPT);
    ck_assert_ptr_null(root);
    ck_assert_msg(strstr(err.message, broken[_i].message) != NULL, "%s", err.message);
}
END_TEST

static int parse_nested(int levels, struct err *err) {
    struct buf text = {0};
    struct json *root = NULL;
    for (int i = 0; i < levels; i++) {
        buf_string(&text, i % 2 == 0 ? "[" : "{\"a\":");
    }
    buf_string(&text, "1");
    for (int i = levels - 1; i >= 0; i--) {
        buf_string(&text, i % 2 == 0 ? "]" : "}");
    }
    int code = json_tree_parse(&root, text.data, text.size, err);
    json_tree_destroy(root);
    buf_finish(&text);
    return code;
}

START_TEST(depth_is_bounded) {
    struct err err = {0};
    ck_assert_int_eq(parse_nested(63, NULL), 0); /* and the number in it is the 64th level */
    ck_assert_int_eq(parse_nested(64, &err), ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "64 levels"));
    ck_assert_int_eq(parse_nested(100000, NULL), ERR_CORRUPT);
}
END_TEST

START_TEST(size_is_bounded) {
    struct json *root = NULL;
    struct err err = {0};
    size_t size = 64 * 1024 * 1024 + 1;
    char *text = mem_try(size);
    memset(text, ' ', size);
    ck_assert_int_eq(json_tree_parse(&root, text, size, &err), ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "at most 67108864"));
    mem_free(text);
}
END_TEST

/* A text of so many parts, one after another in one array. */
static int parse_many(const char *part, size_t count, struct err *err) {
    struct buf text = {0};
    struct json *tree = NULL;
    buf_string(&text, "[");
    for (size_t i = 0; i < count; i++) {
        buf_format(&text, "%s%s", i > 0 ? "," : "", part);
    }
    buf_string(&text, "]");
    int result = json_tree_parse(&tree, text.data, text.size, err);
    json_tree_destroy(tree);
    buf_finish(&text);
    return result;
}

/* Few bytes must not become much memory; and all that is longest of ours is taken. */
START_TEST(parts_are_bounded_by_bytes) {
    static const struct {
        const char *part;
        size_t count;
        bool well;
    } cases[] = {
        {"[]", 5000, true}, /* what is short may be as dense as it likes */
        {"[]", 100000, false},
        {"{}", 100000, false},
        {"1", 50000, true},
        {"1", 200000, false},
        {"\"[,{,[\\\",[[[[[[\"", 30000, true},            /* in strings they are letters */
        {"\"\\\\\",[]", 100000, false},                   /* which this one ends */
        {"86399,3455960,3455960,911234567", 60000, true}, /* a source of a day of key frames */
        {"{\"bytes\":123456,\"sha256\":\"0123456789012345678901234567890123456789012345678901234"
         "567890123\"}",
         20000, true}, /* segments of a report */
        {"{\"title\":\"t1\",\"source\":\"s3://b/1\",\"output\":\"s3://o\",\"ladder\":0,"
         "\"labels\":[\"a=b\"],\"force\":false}",
         10000, true},                                        /* a batch */
        {"{\"fence\":1,\"done\":0,\"total\":0}", 1024, true}, /* a heartbeat */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct err err = {0};
        int result = parse_many(cases[i].part, cases[i].count, &err);
        ck_assert_msg(result == (cases[i].well ? 0 : ERR_CORRUPT), "%s: %s", cases[i].part,
                      err.message);
        ck_assert(cases[i].well || strstr(err.message, "too many parts") != NULL);
    }
}
END_TEST

START_TEST(a_zero_byte_does_not_end_the_text) {
    struct json *root = NULL;
    ck_assert_int_eq(json_tree_parse(&root, "[1]\0[2]", 7, NULL), ERR_CORRUPT);
}
END_TEST

/* ---- Text out ------------------------------------------------------------------- */

static const char *const same[] = {
    "{\"a\":[1,-2,{\"b\":null}],\"c\":true,\"d\":false,\"e\":\"x\"}",
    "[]",
    "{}",
    "[[],{},\"\"]",
    "[9223372036854775807,-9223372036854775808]",
    "[0.1,-1.5,1e+300,123456.789,4.94065645841247e-324,0.98]",
    "\"alone\"",
    "\"\\\"\\\\\\n\\t\\r\\b\\f\\u0001/\xc3\xa9\xf0\x9f\x8e\xac\"",
    "7",
};

START_TEST(what_was_read_is_written_as_it_was) {
    struct buf out = {0};
    struct json *root = parse(same[_i]);
    json_tree_write(root, &out);
    ck_assert_str_eq(buf_text(&out), same[_i]);
    json_tree_destroy(root);
    buf_finish(&out);
}
END_TEST

static const struct {
    double value;
    const char *text;
} numbers[] = {
    {0, "0"},
    {-0.0, "0"},
    {48000, "48000"},
    {9007199254740992.0, "9007199254740992"},
    {1e21, "1e+21"},
    {0.1, "0.1"},
    {1.0 / 3, "0.3333333333333333"},
    {29.97, "29.97"},
    {0.1 + 0.2, "0.30000000000000004"},
    {INFINITY, "null"},
    {NAN, "null"},
};

START_TEST(numbers_are_short_and_exact) {
    struct buf out = {0};
    struct writer w = writer_of(&out);
    writer_number(&w, NULL, numbers[_i].value);
    ck_assert_str_eq(buf_text(&out), numbers[_i].text);
    buf_finish(&out);
}
END_TEST

START_TEST(the_writer_places_commas_and_names) {
    struct buf out = {0};
    struct writer w = writer_of(&out);
    writer_object(&w, NULL);
    writer_array(&w, "empty");
    writer_array_end(&w);
    writer_array(&w, "list");
    writer_int(&w, NULL, INT64_MIN);
    writer_object(&w, NULL);
    writer_null(&w, "n");
    writer_object_end(&w);
    writer_raw(&w, NULL, "[0]", 3);
    writer_array_end(&w);
    writer_strings(&w, "words", (const char *const[]){"a", "b"}, 2);
    writer_positive(&w, "at", 7);
    writer_positive(&w, "never", 0);
    writer_string(&w, "none", NULL);
    writer_bool(&w, "yes", true);
    writer_object_end(&w);
    ck_assert_str_eq(buf_text(&out),
                     "{\"empty\":[],\"list\":[-9223372036854775808,{\"n\":null},[0]],"
                     "\"words\":[\"a\",\"b\"],\"at\":7,\"never\":null,"
                     "\"none\":null,\"yes\":true}");
    buf_finish(&out);
}
END_TEST

static const struct {
    const char *text;
    const char *written;
} foreign[] = {
    {"caf\xe9", "\"caf\xef\xbf\xbd\""},                           /* Latin-1 */
    {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                 /* overlong */
    {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
    {"\xf0\x9f\x8e", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* cut short */
    {"\x7f", "\"\x7f\""},
};

START_TEST(bytes_that_are_no_utf8_are_replaced) {
    struct buf out = {0};
    struct writer w = writer_of(&out);
    writer_string(&w, NULL, foreign[_i].text);
    ck_assert_str_eq(buf_text(&out), foreign[_i].written);
    json_tree_destroy(parse(buf_text(&out)));
    buf_finish(&out);
}
END_TEST

/* ---- Readers -------------------------------------------------------------------- */

static const char *const kinds[] = {"video", "audio", "text", NULL};
static const char *const known[] = {"id", "kind", NULL};

/* Each reads one thing of {"id":7,"real":2.5,"kind":"video","on":true,"list":[1,"x",{}],
 * "deep":{"list":[{"n":1}]},"none":null}. */
enum probe {
    MISSING,
    INT_OF_STRING,
    INT_TOO_BIG,
    INT_OF_REAL,
    STRING_OF_INT,
    BOOL_OF_INT,
    NUMBER_TOO_SMALL,
    CHOICE_UNKNOWN,
    TEXT_TOO_LONG,
    ARRAY_OF_OBJECT,
    OBJECT_OF_NULL,
    ITEM_MISSING,
    ITEM_OF_STRING,
    ITEM_DEEP,
    ONLY_KNOWN,
    OWN_FAILURE,
};

static void provoke(enum probe what, struct reader *r) {
    const char *text = NULL;
    int64_t integer = 0;
    double number = 0;
    bool flag = false;
    int choice = 0;
    char small[4];
    struct reader below = {.err = r->err};
    switch (what) {
    case MISSING:
        reader_string(r, "title", &text);
        break;
    case INT_OF_STRING:
        reader_int(r, "kind", 1, 5, &integer);
        break;
    case INT_TOO_BIG:
        reader_int(r, "id", 1, 5, &integer);
        break;
    case INT_OF_REAL:
        reader_int(r, "real", 1, 5, &integer);
        break;
    case STRING_OF_INT:
        reader_string(r, "id", &text);
        break;
    case BOOL_OF_INT:
        reader_bool(r, "id", &flag);
        break;
    case NUMBER_TOO_SMALL:
        reader_number(r, "real", 3, 4, &number);
        break;
    case CHOICE_UNKNOWN:
        reader_choice(r, "kind", known, &choice);
        break;
    case TEXT_TOO_LONG:
        reader_text(r, "kind", small, sizeof(small));
        break;
    case ARRAY_OF_OBJECT:
        reader_array(r, "deep");
        break;
    case OBJECT_OF_NULL:
        reader_object(r, "none");
        break;
    case ITEM_MISSING:
        below = reader_array(r, "list");
        reader_item_int(&below, 3, 0, 9, &integer);
        break;
    case ITEM_OF_STRING:
        below = reader_array(r, "list");
        reader_item(&below, 1);
        break;
    case ITEM_DEEP:
        below = reader_object(r, "deep");
        below = reader_array(&below, "list");
        below = reader_item(&below, 0);
        reader_int(&below, "n", 2, 3, &integer);
        break;
    case ONLY_KNOWN:
        reader_only(r, known);
        break;
    case OWN_FAILURE:
        reader_fail(r, "id", "is %d, which is odd", 7);
        break;
    }
}

static const char *const sentences[] = {
    [MISSING] = "lease: title: is missing",
    [INT_OF_STRING] = "lease: kind: must be a whole number from 1 to 5, not a string",
    [INT_TOO_BIG] = "lease: id: must be from 1 to 5, not 7",
    [INT_OF_REAL] = "lease: real: must be a whole number from 1 to 5, not 2.5",
    [STRING_OF_INT] = "lease: id: must be a string, not a number",
    [BOOL_OF_INT] = "lease: id: must be true or false, not a number",
    [NUMBER_TOO_SMALL] = "lease: real: must be from 3 to 4, not 2.5",
    [CHOICE_UNKNOWN] = "lease: kind: must be id or kind, not 'video'",
    [TEXT_TOO_LONG] = "lease: kind: has 5 bytes; at most 3 are allowed",
    [ARRAY_OF_OBJECT] = "lease: deep: must be a list, not an object",
    [OBJECT_OF_NULL] = "lease: none: must be an object, not null",
    [ITEM_MISSING] = "lease: list[3]: is missing",
    [ITEM_OF_STRING] = "lease: list[1]: must be an object or a list, not a string",
    [ITEM_DEEP] = "lease: deep.list[0].n: must be from 2 to 3, not 1",
    [ONLY_KNOWN] = "lease: real: is not a field of this place; known are id or kind",
    [OWN_FAILURE] = "lease: id: is 7, which is odd",
};

static const char document[] = "{\"id\":7,\"real\":2.5,\"kind\":\"video\",\"on\":true,"
                               "\"list\":[1,\"x\",{}],\"deep\":{\"list\":[{\"n\":1}]},"
                               "\"none\":null}";

START_TEST(a_wrong_field_gives_its_sentence) {
    struct err err = {0};
    struct json *root = parse(document);
    struct reader r = reader_of(root, "lease", &err);
    provoke((enum probe)_i, &r);
    ck_assert_int_eq(err.code, ERR_INVALID);
    ck_assert_str_eq(err.message, sentences[_i]);
    ck_assert(!reader_ok(&r));
    json_tree_destroy(root);
}
END_TEST

START_TEST(right_fields_are_read) {
    struct err err = {0};
    struct json *root = parse(document);
    struct reader r = reader_of(root, "lease", &err);
    const char *text = NULL;
    int64_t integer = 0;
    double number = 0;
    bool flag = false;
    int choice = -1;
    char copy[6];
    reader_int(&r, "id", 7, 7, &integer);
    reader_number(&r, "id", 0, 10, &number);
    ck_assert(integer == 7 && number == 7);
    reader_number(&r, "real", 2.5, 2.5, &number);
    reader_string(&r, "kind", &text);
    reader_text(&r, "kind", copy, sizeof(copy));
    reader_bool(&r, "on", &flag);
    reader_choice(&r, "kind", kinds, &choice);
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    ck_assert(number == 2.5 && flag && choice == 0);
    ck_assert_str_eq(text, "video");
    ck_assert_str_eq(copy, "video");
    ck_assert(reader_has(&r, "id") && !reader_has(&r, "none") && !reader_has(&r, "other"));
    struct reader list = reader_array(&r, "list");
    ck_assert_uint_eq(reader_count(&list), 3);
    ck_assert_uint_eq(reader_count(&r), 0);
    reader_item_int(&list, 0, 0, 9, &integer);
    reader_item_string(&list, 1, &text);
    ck_assert(integer == 1);
    ck_assert_str_eq(text, "x");
    ck_assert(reader_ok(&r));
    json_tree_destroy(root);
}
END_TEST

START_TEST(after_an_error_nothing_is_read) {
    struct err err = {0};
    struct json *root = parse(document);
    struct reader r = reader_of(root, "lease", &err);
    int64_t integer = 99;
    const char *text = "before";
    struct reader lost = reader_object(&r, "nowhere");
    reader_int(&r, "id", 0, 10, &integer);
    reader_string(&lost, "kind", &text);
    struct reader item = reader_item(&lost, 0);
    reader_item_int(&item, 0, 0, 1, &integer);
    ck_assert_int_eq(integer, 99);
    ck_assert_str_eq(text, "before");
    ck_assert(!reader_has(&r, "id") && reader_count(&lost) == 0);
    ck_assert_str_eq(err.message, "lease: nowhere: is missing");
    json_tree_destroy(root);
}
END_TEST

START_TEST(a_root_of_the_wrong_kind_is_refused) {
    struct err err = {0};
    struct json *root = parse("[1]");
    struct reader r = reader_of(root, "lease", &err);
    int64_t integer = 0;
    reader_int(&r, "id", 0, 10, &integer);
    ck_assert_str_eq(err.message, "lease: must be an object");
    json_tree_destroy(root);
}
END_TEST

START_TEST(a_long_path_is_cut) {
    struct err err = {0};
    char name[201];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    char *text = mem_format("{\"%s\":{\"%s\":{}}}", name, name);
    struct json *root = parse(text);
    struct reader r = reader_of(root, "lease", &err);
    struct reader below = reader_object(&r, name);
    below = reader_object(&below, name);
    const char *value = NULL;
    reader_string(&below, "x", &value);
    ck_assert_msg(strstr(err.message, "...: is missing") != NULL, "%s", err.message);
    json_tree_destroy(root);
    mem_free(text);
}
END_TEST

Suite *json_suite(void) {
    Suite *suite = suite_create("json");
    TCase *tcase = tcase_create("json");
    tcase_add_loop_test(tcase, text_that_is_not_json_is_refused, 0,
                        sizeof(broken) / sizeof(broken[0]));
    tcase_add_test(tcase, depth_is_bounded);
    tcase_add_test(tcase, size_is_bounded);
    tcase_add_test(tcase, parts_are_bounded_by_bytes);
    tcase_add_test(tcase, a_zero_byte_does_not_end_the_text);
    tcase_add_loop_test(tcase, what_was_read_is_written_as_it_was, 0,
                        sizeof(same) / sizeof(same[0]));
    tcase_add_loop_test(tcase, numbers_are_short_and_exact, 0,
                        sizeof(numbers) / sizeof(numbers[0]));
    tcase_add_test(tcase, the_writer_places_commas_and_names);
    tcase_add_loop_test(tcase, bytes_that_are_no_utf8_are_replaced, 0,
                        sizeof(foreign) / sizeof(foreign[0]));
    tcase_add_loop_test(tcase, a_wrong_field_gives_its_sentence, 0,
                        sizeof(sentences) / sizeof(sentences[0]));
    tcase_add_test(tcase, right_fields_are_read);
    tcase_add_test(tcase, after_an_error_nothing_is_read);
    tcase_add_test(tcase, a_root_of_the_wrong_kind_is_refused);
    tcase_add_test(tcase, a_long_path_is_cut);
    suite_add_tcase(suite, tcase);
    return suite;
}
