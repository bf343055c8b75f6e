/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Titles from files, as people write them and as they must not. */
#include <check.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cli/batch.h"
#include "cli/scores.h"
#include "common/wire.h"

Suite *batch_suite(void);

static const int64_t now_ms = 1000;

static struct batch batch;
static struct batch_faults faults;
static struct batch_defaults defaults;

static void set_up(void) {
    batch = (struct batch){0};
    faults = (struct batch_faults){0};
    defaults = (struct batch_defaults){.out = "s3://streams/films", .ladder = "h264"};
}

static void tear_down(void) {
    batch_finish(&batch);
    batch_faults_finish(&faults);
}

static bool read_text(const char *text) {
    struct buf buf = {0};
    buf_string(&buf, text);
    bool fits = batch_read(&batch, &faults, "titles", &buf, &defaults, now_ms);
    buf_finish(&buf);
    return fits;
}

/* The batch has read one row, and it says all this. */
static void check_full_row(void) {
    ck_assert_msg(faults.count == 0, "%s", buf_text(&faults.text));
    ck_assert_uint_eq(batch.count, 1);
    const struct batch_row *row = &batch.rows[0];
    ck_assert_str_eq(row->title, "a-title");
    ck_assert_str_eq(row->source, "s3://masters/a, b.mxf");
    ck_assert_str_eq(row->out, "s3://streams/news");
    ck_assert_str_eq(batch.ladders[row->ladder].name, "av1");
    ck_assert(row->order.has_priority);
    ck_assert_int_eq(row->order.priority, -7);
    ck_assert_str_eq(row->order.tenant, "news");
    ck_assert_int_eq(row->order.deadline_ms, now_ms + 90 * 60000);
    ck_assert_str_eq(row->order.labels, "show=x,Season=2");
}

START_TEST(test_csv_row) {
    ck_assert(
        read_text("title,Source,out,ladder,priority,deadline,tenant,label.show,label.Season\r\n"
                  "a-title,\"s3://masters/a, b.mxf\",s3://streams/news/,av1,-7,+90m,news,x,2"
                  "\r\n"));
    check_full_row();
    ck_assert_int_eq(batch.rows[0].line, 2);
}
END_TEST

START_TEST(test_json_row) {
    ck_assert(read_text("\n{\"title\":\"a-title\",\"source\":\"s3://masters/a, b.mxf\","
                        "\"out\":\"s3://streams/news\",\"ladder\":\"av1\",\"priority\":-7,"
                        "\"deadline\":\"+90m\",\"tenant\":\"news\",\"label.show\":\"x\","
                        "\"label.Season\":\"2\"}\r\n \n"));
    check_full_row();
    ck_assert_int_eq(batch.rows[0].line, 2);
}
END_TEST

/* A row of the file says less than the options do, or more. */
START_TEST(test_defaults) {
    defaults.order = (struct title_order){.has_priority = true,
                                          .priority = 3,
                                          .tenant = "films",
                                          .deadline_ms = 77,
                                          .labels = "show=y,kind=film"};
    ck_assert(read_text("source,priority,label.show\n/nas/One.mov,,\n/nas/two.mov,4,x\n"));
    const struct batch_row *row = batch.rows;
    ck_assert_uint_eq(batch.count, 2);
    ck_assert_str_eq(row[0].title, "one");
    ck_assert_str_eq(row[0].source, "/nas/One.mov");
    ck_assert_str_eq(row[0].out, "s3://streams/films");
    ck_assert_int_eq(row[0].order.priority, 3);
    ck_assert_str_eq(row[0].order.tenant, "films");
    ck_assert_int_eq(row[0].order.deadline_ms, 77);
    ck_assert_str_eq(row[0].order.labels, "show=y,kind=film");
    ck_assert_int_eq(row[1].order.priority, 4);
    ck_assert_str_eq(row[1].order.labels, "show=x,kind=film");
    ck_assert_uint_eq(row[0].ladder, row[1].ladder);
    ck_assert_uint_eq(batch.ladder_count, 1);
}
END_TEST

/* The key is the same for the same title, source, output and ladder, and for nothing else. */
START_TEST(test_keys) {
    static const char *const files[] = {
        "source,title,out,ladder,priority\n/s,t,/o,h264,1\n",
        "source,title,out,ladder,priority\n/s,t,/o,h264,2\n",
        "source,title,out,ladder\n/s2,t,/o,h264\n",
        "source,title,out,ladder\n/s,t2,/o,h264\n",
        "source,title,out,ladder\n/s,t,/o2,h264\n",
        "source,title,out,ladder\n/s,t,/o,av1\n",
    };
    char keys[6][SHA256_TEXT];
    for (size_t i = 0; i < 6; i++) {
        tear_down();
        set_up();
        ck_assert(read_text(files[i]));
        memcpy(keys[i], batch.rows[0].key, sizeof(keys[i]));
    }
    ck_assert_str_eq(keys[0], keys[1]);
    for (size_t i = 2; i < 6; i++) {
        for (size_t j = 0; j < i; j++) {
            ck_assert_int_eq(strcmp(keys[i], keys[j]) == 0, i == 1 && j == 0);
        }
    }
}
END_TEST

static const struct {
    const char *text;
    size_t count;      /* of faults */
    const char *words; /* in the first */
} lies[] = {
    {"", 1, "line 1: there is no title in it"},
    {"source\n", 1, "there is no title in it"},
    {"{}", 1, "line 1: it names no source"},
    {"[{\"source\":\"a\"}]", 1, "one object a line"},
    {"title\na\n", 1, "line 1: there is no column 'source'"},
    {"source;title\na;b\n", 1, "'source;title' is no column"},
    {"source,Source\na,b\n", 1, "two columns"},
    {"source,label.\na,b\n", 1, "'label.' is no column"},
    {"source,title\na,\n,x\nb\nc,y,z\n", 3, "line 3: it names no source"},
    {"source,title\na\nb,y,z\n", 2, "line 2: it has 1 fields, and the first line names 2"},
    {"source\na\n\"b\n", 1, "line 3: a field's opening quote has no closing one"},
    {"source\n\"a\" b\nb\n", 1, "line 2: there is text behind"},
    {"source\n\xe9\n", 1, "line 2: it is not UTF-8"},
    {"source,title\na,A\n", 1, "line 2: title 'A' must be"},
    {"source,priority\na,101\n", 1, "priority must be a whole number from -100 to 100"},
    {"source,priority\na,x\n", 1, "not 'x'"},
    {"source,deadline\na,tomorrow\n", 1, "'tomorrow' is no deadline"},
    {"source,tenant\na,b c\n", 1, "tenant 'b c' must be"},
    {"source,label.x\na,b c\n", 1, "label x='b c' must be"},
    {"source,label.x=y\na,b\n", 1, "label x=y='b' must be"},
    {"source,ladder\na,/none.yaml\nb,/none.yaml\n", 2, "line 2: "},
    {"source,out\na,ftp://x/y\n", 1, "streams can't be written to 'ftp://x/y'"},
    {"source\n/x/a.mov\n/y/a.mp4\n", 1, "line 3: its title would be a, as that of line 2"},
    {"{\"source\":\"a\"}\n{\"source\":\"a\"}", 1, "line 2: its title would be a"},
    {"{\"source\":\"a\"\n}", 2, "line 1: each line must be one JSON object: not JSON"},
    {"{\"source\":\"a\"} {}", 1, "line 1: each line must be one JSON object"},
    {"{\"source\":\"a\"}\n7", 1, "line 2: each line must be one JSON object"},
    {"{\"source\":\"a\",\"output\":\"b\"}", 1, "line 1: 'output' is no field"},
    {"{\"source\":7}", 1, "source"},
    {"{\"source\":\"a\",\"priority\":101}", 1, "priority"},
    {"{\"source\":\"a\",\"priority\":1.5}", 1, "priority"},
    {"{\"source\":\"a\",\"label.x\":1}", 1, "label.x"},
    {"{\"source\":\"a\",\"source\":\"b\"}", 1, "line 1: "},
};

START_TEST(test_lies) {
    ck_assert(!read_text(lies[_i].text));
    ck_assert_msg(faults.count == lies[_i].count, "%zu: %s", faults.count, buf_text(&faults.text));
    char *end = strchr(buf_text(&faults.text), '\n');
    ck_assert_ptr_nonnull(end);
    *end = '\0';
    ck_assert_msg(strstr(buf_text(&faults.text), lies[_i].words) != NULL, "%s",
                  (const char *)faults.text.data);
}
END_TEST

START_TEST(test_no_output) {
    defaults.out = NULL;
    ck_assert(!read_text("source,out\na,\nb,/o\n"));
    ck_assert_uint_eq(faults.count, 1);
    ck_assert_ptr_nonnull(strstr(buf_text(&faults.text), "line 2: it names no out"));
}
END_TEST

/* Null is what is not there; bytes of a mark go before either kind of file. */
START_TEST(test_left_out) {
    ck_assert(read_text("\xef\xbb\xbf{\"source\":\"/a\",\"title\":null,\"priority\":\"9\"}\n"));
    ck_assert_uint_eq(batch.count, 1);
    ck_assert_str_eq(batch.rows[0].title, "a");
    ck_assert_int_eq(batch.rows[0].order.priority, 9);
}
END_TEST

START_TEST(test_many_faults) {
    struct buf text = {0};
    buf_string(&text, "source,priority\n");
    for (int i = 0; i < 50; i++) {
        buf_format(&text, "s%d,x\n", i);
    }
    ck_assert(!read_text(buf_text(&text)));
    ck_assert_uint_eq(faults.count, 50);
    size_t lines = 0;
    for (const char *at = buf_text(&faults.text); (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    ck_assert_uint_eq(lines, BATCH_FAULTS_SHOWN + 1);
    ck_assert_ptr_nonnull(strstr(buf_text(&faults.text), "and 30 more"));
    buf_finish(&text);
}
END_TEST

START_TEST(test_too_many_labels) {
    struct buf head = {0};
    buf_string(&head, "source");
    for (int i = 0; i < LABELS_MAX; i++) {
        buf_format(&head, ",label.n%d", i);
    }
    buf_string(&head, "\na");
    for (int i = 0; i < LABELS_MAX; i++) {
        buf_string(&head, ",x");
    }
    ck_assert(read_text(buf_text(&head)));
    tear_down();
    set_up();
    defaults.order.labels = "other=x";
    ck_assert(!read_text(buf_text(&head)));
    ck_assert_ptr_nonnull(strstr(buf_text(&faults.text), "17 labels"));
    buf_finish(&head);
}
END_TEST

/* Files of scores: how many, the sum, and what is said where one is wrong. */
static const struct {
    const char *text;
    size_t count;
    double sum;
    const char *says; /* NULL: nothing is wrong */
} score_files[] = {
    {"title,score\na,0.5\nb,2\n", 2, 2.5, NULL},
    {"views,Score,TITLE\r\n9,1e3,a\r\n", 1, 1000, NULL},
    {"{\"title\": \"a\", \"score\": 0.25, \"views\": 9}\n\n{\"title\":\"b\",\"score\":1}", 2, 1.25,
     NULL},
    {"title,score\n", 0, 0, NULL},
    {"", 0, 0, "line 1: the first line names no columns 'title' and 'score'"},
    {"title,views\na,1\n", 0, 0, "line 1: the first line names no columns"},
    {"title,score\na,0.5\nb,much\n", 0, 0, "line 3: score 'much' is no number"},
    {"title,score\na,\n", 0, 0, "line 2: score '' is no number"},
    {"title,score\na,-1\n", 0, 0, "line 2: a score is a number from 0 to"},
    {"title,score\na,nan\n", 0, 0, "line 2: a score is a number from 0 to"},
    {"title,score\nA/b,1\n", 0, 0, "line 2: 'A/b' is no title's id"},
    {"title,score\na,\"1\n", 0, 0, "line 2: "},
    {"{\"title\": \"a\"}\n", 0, 0, "line 1: "},
    {"{\"title\": \"a\", \"score\": 1}\n{\"title\": \"a\", \"score\": true}\n", 0, 0, "line 2: "},
    {"{\"title\": \"a\", \"score\": 1}\nrubbish\n", 0, 0, "line 2: "},
};

START_TEST(a_file_of_scores_is_read_or_its_first_wrong_line_is_named) {
    struct scores scores = {0};
    struct buf text = {0};
    struct err err = {0};
    double sum = 0;
    buf_string(&text, score_files[_i].text);
    int failed = scores_read(&scores, &text, &err);
    if (score_files[_i].says != NULL) {
        ck_assert_int_eq(failed, ERR_INVALID);
        ck_assert_msg(strncmp(err.message, score_files[_i].says, strlen(score_files[_i].says)) == 0,
                      "%s", err.message);
    } else {
        ck_assert_msg(failed == 0, "%s", err.message);
        ck_assert_uint_eq(scores.count, score_files[_i].count);
        for (size_t i = 0; i < scores.count; i++) {
            sum += scores.list[i].value;
        }
        ck_assert_double_eq(sum, score_files[_i].sum);
    }
    scores_finish(&scores);
    buf_finish(&text);
}
END_TEST

Suite *batch_suite(void) {
    Suite *suite = suite_create("batch");
    TCase *all = tcase_create("batch");
    tcase_add_checked_fixture(all, set_up, tear_down);
    tcase_add_test(all, test_csv_row);
    tcase_add_test(all, test_json_row);
    tcase_add_test(all, test_defaults);
    tcase_add_test(all, test_keys);
    tcase_add_loop_test(all, test_lies, 0, sizeof(lies) / sizeof(lies[0]));
    tcase_add_test(all, test_no_output);
    tcase_add_test(all, test_left_out);
    tcase_add_test(all, test_many_faults);
    tcase_add_test(all, test_too_many_labels);
    tcase_add_loop_test(all, a_file_of_scores_is_read_or_its_first_wrong_line_is_named, 0,
                        sizeof(score_files) / sizeof(score_files[0]));
    suite_add_tcase(suite, all);
    return suite;
}
