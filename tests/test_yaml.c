/* SPDX-License-Identifier: GPL-2.0-or-later */
/* YAML as people write it, what is refused of it, and files made to do harm. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/yaml.h"
#include "fixture.h"

Suite *yaml_suite(void);

static const struct {
    const char *text;
    const char *json;
} good[] = {
    {"a: 1\nb: two\n", "{\"a\":1,\"b\":\"two\"}"},
    {"- 1\n- [2, 3]\n- {x: y}\n", "[1,[2,3],{\"x\":\"y\"}]"},
    {"[~, null, NULL, '', \"null\"]", "[null,null,null,\"\",\"null\"]"},
    {"a:\nb: ", "{\"a\":null,\"b\":null}"},
    {"[true, False, yes, on, 'true']", "[true,false,\"yes\",\"on\",\"true\"]"},
    {"[0, -7, +7, 010, 0x1F, 0o17]", "[0,-7,7,10,31,15]"},
    {"[.5, 1., 1e3, -2.5E-1, 1_000, 0x, 1e, '.']",
     "[0.5,1,1000,-0.25,\"1_000\",\"0x\",\"1e\",\".\"]"},
    {"[1.2.3, 24000/1001, 12:30]", "[\"1.2.3\",\"24000/1001\",\"12:30\"]"},
    {"# note\n---\na: |\n  x\n  y\n...\n", "{\"a\":\"x\\ny\\n\"}"},
    {"1080: p\n", "{\"1080\":\"p\"}"},
    {"a: \"\\u00e9\"", "{\"a\":\"\xc3\xa9\"}"},
    {"\xef\xbb\xbf"
     "a: 1",
     "{\"a\":1}"},
};

START_TEST(what_people_write_is_understood) {
    struct json *root = NULL;
    struct err err = {0};
    struct buf out = {0};
    int code = yaml_tree_parse(&root, good[_i].text, strlen(good[_i].text), "x.yaml", &err);
    ck_assert_msg(code == 0, "%s", err.message);
    json_tree_write(root, &out);
    ck_assert_str_eq(buf_text(&out), good[_i].json);
    json_tree_destroy(root);
    buf_finish(&out);
}
END_TEST

static const struct {
    const char *text;
    const char *message; /* how it begins */
} bad[] = {
    {"", "x.yaml:1: the file is empty"},
    {"# nothing\n", "x.yaml:2: the file is empty"},
    {"a: 1\nb: 2\na: 3\n", "x.yaml:3: 'a' stands here twice; line 1 has it too"},
    {"a: &x 1\n", "x.yaml:1: anchors are not taken"},
    {"a: &x [1]\n", "x.yaml:1: anchors are not taken"},
    {"a: &x {b: 1}\n", "x.yaml:1: anchors are not taken"},
    {"a: 1\nb: *x\n", "x.yaml:2: aliases are not taken"},
    {"a: !!python/object:os.system x\n", "x.yaml:1: tags are not taken"},
    {"a: !include [x]\n", "x.yaml:1: tags are not taken"},
    {"---\na: 1\n---\nb: 2\n", "x.yaml:3: a second document"},
    {"? [a]\n: 1\n", "x.yaml:1: a key must be a plain name"},
    {"a: \"\\0\"\n", "x.yaml:1: a string holds a zero byte"},
    {"\"a\\0b\": 1\n", "x.yaml:1: a string holds a zero byte"},
    {"a: 1\n\tb: 2\n", "x.yaml:2: "},
    {"a: [1\nb: 2\n", "x.yaml:2: did not find expected"},
    {"a: 'x\n", "x.yaml:2: found unexpected end of stream"},
    {"a: \xff\n", "x.yaml: invalid leading UTF-8 octet at byte 3"},
    {"a: \x01\n", "x.yaml: control characters are not allowed at byte 3"},
    {"@", "x.yaml:1: found character that cannot start any token"},
};

START_TEST(what_is_wrong_is_named_by_line) {
    struct json *root = NULL;
    struct err err = {0};
    int code = yaml_tree_parse(&root, bad[_i].text, strlen(bad[_i].text), "x.yaml", &err);
    ck_assert_int_eq(code, ERR_INVALID);
    ck_assert_ptr_null(root);
    ck_assert_msg(strncmp(err.message, bad[_i].message, strlen(bad[_i].message)) == 0, "%s",
                  err.message);
}
END_TEST

/* Patterns repeated up to a MiB: each ends at once, well or with a sentence. The
 * brackets kept libyaml's own loader busy for minutes. */
static const struct {
    const char *pattern;
    const char *message; /* a part; NULL: it is fine */
} floods[] = {
    {"[", "deeper than 64 levels"},
    {"{a: ", "deeper than 64 levels"},
    {"- ", "deeper than 64 levels"},
    {"? ", "a key must be a plain name"},
    {"a: &a [*a]\n", "anchors are not taken"},
    {"\n", "the file is empty"},
    {"x", NULL},
    {"- 1\n", "more than 100,000 values"},
    {"\"", "x.yaml:1: "},
    {"- - ", "deeper than 64 levels"},
};

START_TEST(a_flood_ends_soon) {
    struct json *root = NULL;
    struct err err = {0};
    struct buf text = {0};
    while (text.size + strlen(floods[_i].pattern) <= 1024 * 1024) {
        buf_string(&text, floods[_i].pattern);
    }
    int64_t from = clock_monotonic_ms();
    int code = yaml_tree_parse(&root, text.data, text.size, "x.yaml", &err);
    ck_assert_int_lt(clock_monotonic_ms() - from, 2000);
    ck_assert_int_eq(code, floods[_i].message != NULL ? ERR_INVALID : 0);
    if (floods[_i].message != NULL) {
        ck_assert_msg(strstr(err.message, floods[_i].message) != NULL, "%s", err.message);
    }
    buf_u8(&text, 'x');
    buf_zero(&text, 1024 * 1024);
    err_clear(&err);
    json_tree_destroy(root);
    ck_assert_int_eq(yaml_tree_parse(&root, text.data, text.size, "x.yaml", &err), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "at most 1048576 are taken"));
    buf_finish(&text);
}
END_TEST

START_TEST(readers_name_file_and_line) {
    static const char text[] = "name: test\nrungs:\n  - height: 720\n  - height: tall\n";
    struct json *root = NULL;
    struct err err = {0};
    int64_t height = 0;
    char *folder = fixture_folder();
    fixture_write(folder, "l.yaml", text, strlen(text));
    char *path = mem_format("%s/l.yaml", folder);
    ck_assert_int_eq(yaml_tree_load(&root, path, &err), 0);
    struct reader r = yaml_reader(root, "l.yaml", &err);
    struct reader rungs = reader_array(&r, "rungs");
    for (size_t i = 0; i < reader_count(&rungs); i++) {
        struct reader rung = reader_item(&rungs, i);
        reader_int(&rung, "height", 2, 8192, &height);
    }
    ck_assert_int_eq(height, 720);
    ck_assert_str_eq(err.message, "l.yaml:4: rungs[1].height: must be a whole number from 2 to "
                                  "8192, not a string");
    err_clear(&err);
    const char *missing = NULL;
    reader_string(&r, "codec", &missing);
    ck_assert_str_eq(err.message, "l.yaml:1: codec: is missing");
    err_clear(&err);
    static const char *const known[] = {"name", NULL};
    reader_only(&r, known);
    ck_assert_str_eq(err.message, "l.yaml:2: rungs: is not a field of this place; known are name");
    json_tree_destroy(root);
    mem_free(path);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(a_file_that_is_not_there_is_named) {
    struct json *root = NULL;
    struct err err = {0};
    ck_assert_int_eq(yaml_tree_load(&root, "/nowhere/l.yaml", &err), ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "'/nowhere/l.yaml'"));
}
END_TEST

Suite *yaml_suite(void) {
    Suite *suite = suite_create("yaml");
    TCase *tcase = tcase_create("yaml");
    tcase_add_loop_test(tcase, what_people_write_is_understood, 0, sizeof(good) / sizeof(good[0]));
    tcase_add_loop_test(tcase, what_is_wrong_is_named_by_line, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(tcase, a_flood_ends_soon, 0, sizeof(floods) / sizeof(floods[0]));
    tcase_add_test(tcase, readers_name_file_and_line);
    tcase_add_test(tcase, a_file_that_is_not_there_is_named);
    suite_add_tcase(suite, tcase);
    return suite;
}
