/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a submission would make: against what it makes then, to the piece; and nothing is kept. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/dry_run.h"
#include "scheduler_fixture.h"

Suite *dry_run_suite(void);

static const char three_rungs[] = "rungs:\n"
                                  "  - {height: 720, maxrate: 3000k}\n"
                                  "  - {height: 360, maxrate: 1200k}\n"
                                  "  - {height: 180, maxrate: 450k}\n"
                                  "codec: h264\n"
                                  "crf: 25\n"
                                  "audio:\n"
                                  "  - {codec: aac, channels: 2, bitrate: 96k}\n";

static const char one_edited[] = "rungs:\n"
                                 "  - {height: 720, maxrate: 3000k}\n"
                                 "  - {height: 360, maxrate: 1400k}\n"
                                 "  - {height: 180, maxrate: 450k}\n"
                                 "codec: h264\n"
                                 "crf: 25\n"
                                 "audio:\n"
                                 "  - {codec: aac, channels: 2, bitrate: 96k}\n";

static struct fixture_farm farm;
static char session[ID_TEXT];

static void open_farm(void) {
    fixture_farm_open(&farm);
}

static void close_farm(void) {
    fixture_farm_close(&farm);
}

/* What an answer says. */
struct said {
    char source[16];
    bool runs, checked, exact;
    int64_t encoded, reused;
    double encoded_s, table_s;
    int64_t rendition_encoded[8]; /* of each */
    size_t renditions;
};

/* A question: the request but for what all have in common. */
struct question {
    const char *ladder;
    bool force;
    const char *pin; /* with the size of the fixture's source */
    const char *identity;
    bool sends;
    const char *source;
    struct said said;
    int64_t events; /* numbers that were given when it was asked */
};

static void take(struct said *out, const struct buf *text) {
    struct json *tree = NULL;
    struct err err = {0};
    const char *source = "";
    ck_assert_int_eq(json_tree_parse(&tree, text->data, text->size, &err), 0);
    struct reader r = reader_of(tree, "answer", &err);
    *out = (struct said){.runs = false};
    reader_string(&r, "source", &source);
    snprintf(out->source, sizeof(out->source), "%s", source);
    reader_bool(&r, "runs", &out->runs);
    reader_bool(&r, "checked", &out->checked);
    if (strcmp(source, "unknown") != 0) {
        reader_bool(&r, "exact", &out->exact);
        reader_int(&r, "encoded", 0, 10000, &out->encoded);
        reader_int(&r, "reused", 0, 10000, &out->reused);
        reader_number(&r, "encoded_s", 0, 1e9, &out->encoded_s);
        reader_number(&r, "table_s", 0, 1e9, &out->table_s);
        struct reader list = reader_array(&r, "renditions");
        out->renditions = reader_count(&list);
        for (size_t i = 0; i < out->renditions; i++) {
            struct reader item = reader_item(&list, i);
            reader_int(&item, "encoded", 0, 10000, &out->rendition_encoded[i]);
        }
    }
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    json_tree_destroy(tree);
}

static void run_question(struct tx *tx, void *context) {
    struct question *question = context;
    struct ladder ladder;
    struct json *tree = NULL;
    struct buf text = {0};
    struct source_document document = {0};
    char *name = fixture_ladder(question->ladder);
    struct err err = {0};
    ck_assert_int_eq(json_tree_parse(&tree, name, strlen(name), &err), 0);
    struct reader r = reader_of(tree, "ladder", &err);
    ck_assert_int_eq(ladder_read(&ladder, &r, &err), 0);
    struct title_request request = {.title = "t",
                                    .source = question->source != NULL ? question->source
                                                                       : "/media/clip.mp4",
                                    .output = "/out",
                                    .ladder = name,
                                    .force = question->force};
    struct dry_run run = {.request = &request,
                          .ladder = &ladder,
                          .size = question->pin != NULL ? 2400000 : -1,
                          .pin = question->pin != NULL ? question->pin : "",
                          .identity = question->identity != NULL ? question->identity : ""};
    if (question->sends) {
        fixture_source(&document, 2400, 1);
        run.document = &document;
    }
    struct writer w = writer_of(&text);
    int64_t before = tx_numbers(tx, "event", 0);
    dry_run_write(tx, &farm.farm, &run, &w);
    if (tx_ok(tx)) {
        ck_assert_int_eq(tx_numbers(tx, "event", 0), before);
        take(&question->said, &text);
    }
    buf_finish(&text);
    json_tree_destroy(tree);
    mem_free(name);
    source_document_finish(&document);
}

static struct said ask(struct question question) {
    farm.err = (struct err){0};
    ck_assert_msg(store_call(farm.store, run_question, &question, &farm.err) == 0, "%s",
                  farm.err.message);
    return question.said;
}

static int refuse(struct question question) {
    farm.err = (struct err){0};
    return store_call(farm.store, run_question, &question, &farm.err);
}

static void make_title(void) {
    fixture_run_title(&farm, "t", three_rungs, 1, session);
    fixture_work(&farm, session);
}

/* Submits it for good; how many pieces were leased. */
static int64_t count_made(const char *ladder, bool force) {
    int64_t count = 0;
    ck_assert_int_eq(fixture_submit(&farm, "t", ladder, force), 0);
    while (fixture_lease(&farm, session, 1) == 0 && farm.task_count > 0) {
        const struct task *task = &farm.tasks[0];
        bool media = task->kind == TASK_VIDEO || task->kind == TASK_AUDIO;
        count += media ? (int64_t)task->unit_count : 0;
        fixture_make(&farm, task);
    }
    return count;
}

/* The core of it: what it says is what is made then. */
START_TEST(it_is_right_to_the_piece) {
    static const struct {
        const char *ladder;
        bool force;
        size_t renditions; /* of which something is encoded */
    } cases[] = {{three_rungs, false, 0}, {one_edited, false, 1}, {three_rungs, true, 4}};
    make_title();
    struct said said = ask((struct question){.ladder = cases[_i].ladder, .force = cases[_i].force});
    size_t renditions = 0;
    ck_assert_str_eq(said.source, "recorded");
    ck_assert(said.exact && !said.checked && !said.runs);
    for (size_t i = 0; i < said.renditions; i++) {
        renditions += said.rendition_encoded[i] > 0;
    }
    ck_assert_uint_eq(renditions, cases[_i].renditions);
    ck_assert((said.encoded_s > 0) == (said.encoded > 0));
    ck_assert_int_eq(count_made(cases[_i].ladder, cases[_i].force), said.encoded);
}
END_TEST

/* Makes the title anew, each task of pictures (and of sound) in `times` the seconds that the table
 * says. */
static void make_in(double times, bool sound) {
    ck_assert_int_eq(fixture_submit(&farm, "t", three_rungs, true), 0);
    while (fixture_lease(&farm, session, 1) == 0 && farm.task_count > 0) {
        const struct task *task = &farm.tasks[0];
        struct task_report report;
        fixture_report(&report, task, 0);
        report.stats.wall_s = 0;
        for (size_t i = 0; i < task->unit_count; i++) {
            bool is_told = task->kind == TASK_VIDEO || (task->kind == TASK_AUDIO && sound);
            double table_s = fixture_unit(&farm, task->units[i].id).table_s;
            report.stats.wall_s += is_told ? times * table_s : 0;
        }
        ck_assert_int_eq(fixture_complete(&farm, task->fence, &report), ANSWER_ACCEPTED);
        task_report_finish(&report);
    }
}

START_TEST(core_seconds_are_what_the_farm_has_learned) {
    struct question question = {.ladder = three_rungs, .force = true};
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 1, session), 0);
    make_in(0, false);
    struct said guess = ask(question);
    ck_assert(guess.encoded_s > 0);
    ck_assert_double_eq_tol(guess.table_s, guess.encoded_s, 0.01);
    for (int i = 0; i < 6; i++) {
        make_in(4, false);
    }
    struct said part = ask(question);
    ck_assert(part.table_s > 0 && part.table_s < guess.table_s); /* the sound */
    for (int i = 0; i < 6; i++) {
        make_in(4, true);
    }
    struct said known = ask(question);
    ck_assert_double_eq_tol(known.encoded_s, 4 * guess.encoded_s, 0.2 * guess.encoded_s);
    ck_assert_double_eq_tol(known.table_s, 0, 1e-9);
}
END_TEST

START_TEST(a_cancelled_title_goes_on) {
    struct fixture_held video;
    fixture_run_title(&farm, "t", three_rungs, 1, session);
    fixture_take_kind(&farm, &video, session, TASK_VIDEO);
    ck_assert_int_eq(fixture_complete(&farm, video.fence, &video.report), ANSWER_ACCEPTED);
    struct said said = ask((struct question){.ladder = three_rungs});
    ck_assert(said.runs);
    ck_assert_int_eq(said.reused, 1 + (int64_t)video.count);
    ck_assert_int_eq(refuse((struct question){.ladder = one_edited}), ERR_CONFLICT);
    ck_assert_int_eq(fixture_cancel(&farm, "t"), 0);
    said = ask((struct question){.ladder = three_rungs});
    ck_assert(!said.runs);
    ck_assert_int_eq(said.reused, 1 + (int64_t)video.count);
    ck_assert_int_eq(count_made(three_rungs, false), said.encoded);
    fixture_drop(&video);
}
END_TEST

/* Whether the farm has read what its sender sees. */
START_TEST(a_source_is_known_or_sent) {
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 1, session), 0);
    ck_assert_str_eq(ask((struct question){.ladder = three_rungs}).source, "unknown");
    struct said sent = ask((struct question){.ladder = three_rungs, .pin = "pin-1", .sends = true});
    ck_assert_str_eq(sent.source, "sent");
    ck_assert(sent.exact && sent.checked && sent.reused == 0);
    ck_assert_int_eq(count_made(three_rungs, false), sent.encoded);
    struct said same = ask((struct question){.ladder = three_rungs, .pin = "pin-1"});
    ck_assert_str_eq(same.source, "recorded");
    ck_assert(same.exact && same.checked && same.encoded == 0);
    struct question other = {.ladder = three_rungs, .pin = "pin-2"};
    ck_assert_str_eq(ask(other).source, "unknown");
    other.sends = true;
    ck_assert(!ask(other).exact); /* nobody knows yet whether it is the same after all */
    other.identity = "sha256:one";
    ck_assert(ask(other).exact && ask(other).encoded == 0);
    other.identity = "sha256:two";
    ck_assert(ask(other).exact && ask(other).reused == 0);
}
END_TEST

/* A ladder that asks for another probe can't go by the old one. */
START_TEST(a_probe_is_of_its_ladder) {
    char *ladder = mem_format("%schunk_s: 8\n", three_rungs);
    make_title();
    ck_assert_str_eq(ask((struct question){.ladder = ladder}).source, "unknown");
    mem_free(ladder);
}
END_TEST

START_TEST(what_would_fail_is_refused) {
    ck_assert_int_eq(refuse((struct question){.ladder = three_rungs, .sends = true}), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(farm.err.message, "no worker has the encoder"));
}
END_TEST

Suite *dry_run_suite(void) {
    Suite *suite = suite_create("dry_run");
    TCase *tcase = tcase_create("dry run");
    tcase_add_checked_fixture(tcase, open_farm, close_farm);
    tcase_add_loop_test(tcase, it_is_right_to_the_piece, 0, 3);
    tcase_add_test(tcase, core_seconds_are_what_the_farm_has_learned);
    tcase_add_test(tcase, a_cancelled_title_goes_on);
    tcase_add_test(tcase, a_source_is_known_or_sent);
    tcase_add_test(tcase, a_probe_is_of_its_ladder);
    tcase_add_test(tcase, what_would_fail_is_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
