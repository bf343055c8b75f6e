/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wire: what hostile children and careless people may write is refused, with a
 * message that names the field. */
#include <check.h>
#include <string.h>

#include "common/wire.h"

Suite *wire_lies_suite(void);

static struct json *parse(const char *text, size_t size) {
    struct json *root = NULL;
    struct err err = {0};
    ck_assert_msg(json_tree_parse(&root, text, size, &err) == 0, "%s", err.message);
    return root;
}

static int read_report(const char *text, struct err *err) {
    struct json *root = parse(text, strlen(text));
    struct reader r = reader_of(root, "report", err);
    struct task_report report = {0};
    task_report_read(&report, &r);
    task_report_finish(&report);
    json_tree_destroy(root);
    return err->code;
}

#define STATS                                                                                      \
    "\"stats\":{\"frames_decoded\":1,\"frames_repaired\":0,\"frames_concealed\":0,"                \
    "\"source_bytes\":1,\"cpu_s\":0,"                                                              \
    "\"decode_cpu_s\":0,\"scale_cpu_s\":0,\"encode_cpu_s\":0,\"wall_s\":0.5,\"peak_memory\":1}"
#define END_OF_REPORT                                                                              \
    "\"identity\":\"\",\"pin\":\"\",\"source_size\":-1,\"version\":\"\",\"output_bytes\":0}"
#define SEGMENT(number, bytes, hash, gops)                                                         \
    "{\"number\":" number ",\"bytes\":" bytes ",\"samples\":1,\"decode_time\":0,\"duration\":1,"   \
    "\"sha256\":" hash ",\"gops\":" gops "}"
#define UNIT(record, segments)                                                                     \
    "{\"record\":" record ",\"reorder_frames\":2,\"priming\":0,\"init_bytes\":9,"                  \
    "\"init_sha256\":\"\",\"segments\":[" segments "]}"
#define REPORT(units) "{" STATS ",\"units\":[" units "]," END_OF_REPORT

static const struct {
    const char *text;
    const char *names; /* what the message must name; NULL where the text is right */
} lies[] = {
    {REPORT(UNIT("\"01ff\"", SEGMENT("1", "9", "\"\"", "[0,5,3]"))), NULL},
    {REPORT(""), NULL},
    {"{}", "stats"},
    {"[]", "object"},
    {REPORT("7"), "units[0]"},
    {REPORT(UNIT("\"01f\"", "")), "record"},
    {REPORT(UNIT("\"01FG\"", "")), "record"},
    {REPORT(UNIT("12", "")), "record"},
    {REPORT(UNIT("\"\"", SEGMENT("0", "9", "\"\"", "[]"))), "number"},
    {REPORT(UNIT("\"\"", SEGMENT("1", "-1", "\"\"", "[]"))), "bytes"},
    {REPORT(UNIT("\"\"", SEGMENT("1", "9223372036854775807", "\"\"", "[]"))), "bytes"},
    {REPORT(UNIT("\"\"", SEGMENT("1", "9", "\"abc\"", "[]"))), "sha256"},
    {REPORT(UNIT("\"\"", SEGMENT("1", "9", "null", "[]"))), "sha256"},
    {REPORT(UNIT("\"\"", SEGMENT("1", "9", "\"\"", "[0,5]"))), "gops"},
    {REPORT(UNIT("\"\"", SEGMENT("1", "9", "\"\"", "[0,5,4294967296]"))), "gops"},
    {REPORT(UNIT("\"\"", SEGMENT("1", "9", "\"\"", "[0,5,\"x\"]"))), "gops"},
    {REPORT(UNIT("\"\"", SEGMENT("1", "9", "\"\"", "{}"))), "gops"},
    {"{" STATS ",\"units\":[],\"source\":7," END_OF_REPORT, "source"},
};

START_TEST(lies_are_refused) {
    struct err err = {0};
    int rc = read_report(lies[_i].text, &err);
    ck_assert_msg((rc == 0) == (lies[_i].names == NULL), "%d %s", rc, err.message);
    if (lies[_i].names != NULL) {
        ck_assert_int_eq(rc, ERR_INVALID);
        ck_assert_msg(strstr(err.message, lies[_i].names) != NULL, "%s", err.message);
    }
}
END_TEST

/* Replaces the first `from` in a good source document by `to`. */
static int read_source(const char *from, const char *to, struct err *err) {
    static const char good[] =
        "{\"container\":\"mov\",\"size\":9,\"timeline\":{\"rate\":\"24/1\",\"frames\":10,"
        "\"start\":\"0/1\"},\"audio\":[{\"stream\":1,\"codec\":\"aac\",\"sample_rate\":48000,"
        "\"channels\":2,\"layout\":\"stereo\",\"language\":\"und\",\"start\":\"-1/3\","
        "\"duration\":\"5/1\"}],\"left_out\":[],\"defects\":[\"it is torn\"],\"missing\":0,"
        "\"access\":[0,0,0,-1,5,9,9,-1],\"access_unit_bytes\":0,\"header\":[0,5,9,1]}";
    struct buf text = {0};
    const char *at = strstr(good, from);
    ck_assert_ptr_nonnull(at);
    buf_append(&text, good, (size_t)(at - good));
    buf_string(&text, to);
    buf_string(&text, at + strlen(from));
    struct json *root = parse((const char *)text.data, text.size);
    struct reader r = reader_of(root, "source", err);
    struct source_document document;
    source_document_read(&document, &r);
    source_document_finish(&document);
    json_tree_destroy(root);
    buf_finish(&text);
    return err->code;
}

static const struct {
    const char *from, *to;
    int want;
} source_lies[] = {
    {"mov", "mov", 0},
    {"\"24/1\"", "\"0/1\"", ERR_INVALID},
    {"\"24/1\"", "\"24/0\"", ERR_INVALID},
    {"\"24/1\"", "\"/1\"", ERR_INVALID},
    {"\"24/1\"", "\"24\"", ERR_INVALID},
    {"\"24/1\"", "\"24/1 \"", ERR_INVALID},
    {"\"24/1\"", "\"48/-2\"", ERR_INVALID},
    {"\"24/1\"", "\"99999999999999999999/1\"", ERR_INVALID},
    {"\"24/1\"", "24", ERR_INVALID},
    {"\"frames\":10", "\"frames\":0", ERR_INVALID},
    {"\"frames\":10", "\"frames\":1e99", ERR_INVALID},
    {"\"und\"", "\"../../etc\"", ERR_INVALID},
    {"\"und\"", "\"a/b\"", ERR_INVALID},
    {"\"und\"", "\"\"", 0},
    {"\"und\"", "\"overlong-language-tag\"", ERR_INVALID},
    {"[0,0,0,-1,5,9,9,-1]", "[5,0,0,-1,0,9,9,-1]", ERR_INVALID},
    {"[0,0,0,-1,5,9,9,-1]", "[0,0,0]", ERR_INVALID},
    {"[0,0,0,-1,5,9,9,-1]", "[0,0,0,-2]", ERR_INVALID},
    {",\"header\":[0,5,9,1]", "", 0},
    {"[0,5,9,1]", "[0,5,5,8388603]", 0},
    {"[0,5,9,1]", "[0,5,5,8388604]", ERR_INVALID},
    {"[0,5,9,1]", "[0,5,4,1]", ERR_INVALID},
    {"[0,5,9,1]", "[0,5,9,0]", ERR_INVALID},
    {"[0,5,9,1]", "[-1,5]", ERR_INVALID},
    {"[0,5,9,1]", "[0,5,9]", ERR_INVALID},
    {"\"channels\":2", "\"channels\":-2", ERR_INVALID},
    {"it is torn", "it is\\ntorn", 0},
};

START_TEST(source_lies_are_refused) {
    struct err err = {0};
    ck_assert_int_eq(read_source(source_lies[_i].from, source_lies[_i].to, &err),
                     source_lies[_i].want);
}
END_TEST

START_TEST(texts_are_of_one_line) {
    static const char text[] = "{\"container\":\"a\\nb\\u001bc\",\"size\":9}";
    struct json *root = parse(text, sizeof(text) - 1);
    struct err err = {0};
    struct reader r = reader_of(root, "source", &err);
    struct source_document document;
    source_document_read(&document, &r);
    ck_assert_str_eq(document.container, "a b c");
    source_document_finish(&document);
    json_tree_destroy(root);
}
END_TEST

static const struct {
    const char *text;
    const char *names;
} grid_lies[] = {
    {"\"gops\":[1,48]", NULL},
    {"\"gops\":[4194305,1]", "gops"},
    {"\"gops\":[4194304,1000000]", "gops"},
    {"\"gops\":[1]", "gops"},
    {"\"gops\":[]", "gops"},
    {"\"gops\":[0,48]", "gops"},
    {"\"gops\":[1,0]", "gops"},
    {"\"gops\":[2,48]", "fit"},
    {"\"gops\":[4194304,1,4194304,1]", "gops"},
};

START_TEST(grid_lies_are_refused) {
    struct buf text = {0};
    buf_format(&text,
               "{\"kind\":\"audio\",\"source_size\":1,\"source\":{\"container\":\"mov\",\"size\":9,"
               "\"timeline\":{\"rate\":\"24/1\",\"frames\":48,\"start\":\"0/1\"},\"audio\":[{"
               "\"stream\":1,\"codec\":\"aac\",\"sample_rate\":48000,\"channels\":2,"
               "\"layout\":\"stereo\",\"language\":\"und\",\"start\":\"0/1\",\"duration\":\"5/1\"}"
               "],\"left_out\":[],\"defects\":[],\"missing\":0,\"access\":[],"
               "\"access_unit_bytes\":0},\"audio_track\":0,\"audio\":{\"codec\":\"aac\","
               "\"encoder\":\"aac\",\"sample_rate\":48000,\"channels\":2,\"bitrate_bps\":128000,"
               "\"language\":\"und\"},\"grid\":{\"rate\":\"24/1\",%s,\"segments\":[1,1],"
               "\"chunks\":[1,1]}}",
               grid_lies[_i].text);
    struct json *root = parse((const char *)text.data, text.size);
    struct err err = {0};
    struct reader r = reader_of(root, "spec", &err);
    struct arena arena = {0};
    struct child_spec spec;
    child_spec_read(&spec, &arena, &r);
    ck_assert_msg(reader_ok(&r) == (grid_lies[_i].names == NULL), "%s", err.message);
    if (grid_lies[_i].names != NULL) {
        ck_assert_msg(strstr(err.message, grid_lies[_i].names) != NULL, "%s", err.message);
    }
    child_spec_finish(&spec);
    arena_finish(&arena);
    json_tree_destroy(root);
    buf_finish(&text);
}
END_TEST

/* ---- names ------------------------------------------------------------------------ */

static const struct {
    const char *text;
    bool valid;
} titles[] = {
    {"a", true},         {"9.mov", true}, {"big_buck-bunny.1", true},
    {"", false},         {".a", false},   {"-a", false},
    {"A", false},        {"a/b", false},  {"a b", false},
    {"\xc3\xbc", false},
};

START_TEST(titles_have_safe_names) {
    ck_assert_msg(title_id_valid(titles[_i].text) == titles[_i].valid, "%s", titles[_i].text);
}
END_TEST

START_TEST(titles_have_128_letters_at_most) {
    char text[WIRE_TITLE_TEXT + 1];
    memset(text, 'a', sizeof(text));
    text[WIRE_TITLE_TEXT - 1] = '\0';
    ck_assert(title_id_valid(text));
    text[WIRE_TITLE_TEXT - 1] = 'a';
    text[WIRE_TITLE_TEXT] = '\0';
    ck_assert(!title_id_valid(text));
}
END_TEST

START_TEST(names_lead_back) {
    for (int i = 0; i < FAILURE_COUNT; i++) {
        ck_assert_int_eq(failure_class_from_name(failure_class_name((enum failure_class)i)), i);
    }
    for (int i = 0; i < TASK_KIND_COUNT; i++) {
        ck_assert_int_eq(task_kind_from_name(task_kind_name((enum task_kind)i)), i);
    }
    ck_assert_int_eq(failure_class_from_name("worse"), -1);
    ck_assert_int_eq(task_kind_from_name(""), -1);
}
END_TEST

#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

Suite *wire_lies_suite(void) {
    Suite *suite = suite_create("wire_lies");
    TCase *tc = tcase_create("lies");
    tcase_add_loop_test(tc, lies_are_refused, 0, COUNT(lies));
    tcase_add_loop_test(tc, source_lies_are_refused, 0, COUNT(source_lies));
    tcase_add_test(tc, texts_are_of_one_line);
    tcase_add_loop_test(tc, grid_lies_are_refused, 0, COUNT(grid_lies));
    tcase_add_loop_test(tc, titles_have_safe_names, 0, COUNT(titles));
    tcase_add_test(tc, titles_have_128_letters_at_most);
    tcase_add_test(tc, names_lead_back);
    suite_add_tcase(suite, tc);
    return suite;
}
