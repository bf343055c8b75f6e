/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sources that are probed before a title is submitted: who is given them and when, each way that
 * one ends, and that nothing of them stays. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/lease.h"
#include "scheduler/probes.h"
#include "scheduler_fixture.h"

Suite *probes_suite(void);

static const char place[] = "/media/new.mp4";

static struct fixture_farm farm;
static char session[ID_TEXT];

static void open_farm(void) {
    fixture_farm_open(&farm);
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 2, session), 0);
}

static void close_farm(void) {
    fixture_farm_close(&farm);
}

/* A question, and what was said. */
struct question {
    const char *source;
    const char *tenant;
    const char *ladder;
    char id[ID_TEXT];
    bool ended;
    char state[16];
    char error[256];
    bool has_document;
};

static void run_ask(struct tx *tx, void *context) {
    struct question *question = context;
    struct ladder ladder;
    struct json *tree = NULL;
    struct err err = {0};
    char *text = fixture_ladder(question->ladder);
    ck_assert_int_eq(json_tree_parse(&tree, text, strlen(text), &err), 0);
    struct reader r = reader_of(tree, "ladder", &err);
    ck_assert_int_eq(ladder_read(&ladder, &r, &err), 0);
    struct probe_request request = {
        .source = question->source, .tenant = question->tenant, .ladder = &ladder};
    probe_ask(tx, &farm.farm, &request, question->id);
    json_tree_destroy(tree);
    mem_free(text);
}

static int ask_as(struct question *question) {
    farm.err = (struct err){0};
    return store_call(farm.store, run_ask, question, &farm.err);
}

static struct question ask(const char *source) {
    struct question question = {.source = source, .tenant = "", .ladder = "fast"};
    ck_assert_msg(ask_as(&question) == 0, "%s", farm.err.message);
    return question;
}

static void run_look(struct tx *tx, void *context) {
    struct question *question = context;
    struct buf text = {0};
    struct json *tree = NULL;
    struct err err = {0};
    const char *state = "", *error = "";
    struct writer w = writer_of(&text);
    writer_object(&w, NULL);
    question->ended = probe_write(tx, &farm.farm, question->id, question->tenant, &w);
    writer_object_end(&w);
    if (tx_ok(tx)) {
        ck_assert_int_eq(json_tree_parse(&tree, text.data, text.size, &err), 0);
        struct reader r = reader_of(tree, "probe", &err);
        reader_string(&r, "state", &state);
        reader_string(&r, "error", &error);
        ck_assert_msg(reader_ok(&r), "%s", err.message);
        question->has_document = reader_has(&r, "document");
        snprintf(question->state, sizeof(question->state), "%s", state);
        snprintf(question->error, sizeof(question->error), "%s", error);
        json_tree_destroy(tree);
    }
    buf_finish(&text);
}

/* Its state; "gone". */
static const char *look(struct question *question) {
    farm.err = (struct err){0};
    int failed = store_call(farm.store, run_look, question, &farm.err);
    ck_assert(failed == 0 || failed == ERR_NOT_FOUND);
    return failed == 0 ? question->state : "gone";
}

static void run_any(struct tx *tx, void *context) {
    (void)tx;
    *(bool *)context = probes_any_waiting(&farm.farm);
}

static bool any_waiting(void) {
    bool any = false;
    ck_assert_int_eq(store_call(farm.store, run_any, &any, &farm.err), 0);
    return any;
}

/* What is in the table of leases, in whatever state. */
static void run_count(struct tx *tx, void *context) {
    struct lease_row lease;
    for (int64_t fence = 1; fence < 100; fence++) {
        *(int *)context += lease_find(tx, fence, &lease) && probe_has_lease(&lease);
    }
}

static int count_leases(void) {
    int count = 0;
    ck_assert_int_eq(store_call(farm.store, run_count, &count, &farm.err), 0);
    return count;
}

struct finding {
    int64_t fence;
    const struct task_report *report;
};

static void run_found(struct tx *tx, void *context) {
    struct finding *finding = context;
    struct lease_row lease;
    ck_assert(lease_find(tx, finding->fence, &lease) && probe_has_lease(&lease));
    probe_found(tx, &farm.farm, &lease, finding->report);
}

/* Before anything else that is ready, though it came last. */
START_TEST(it_is_leased_first_and_kept) {
    struct task_report report;
    ck_assert_int_eq(fixture_submit(&farm, "t", "fast", false), 0);
    struct question question = ask(place);
    ck_assert(any_waiting());
    ck_assert_str_eq(look(&question), "waiting");
    ck_assert(!question.ended && !question.has_document);
    const struct task *task = fixture_lease_one(&farm, session);
    ck_assert_int_eq(task->kind, TASK_PROBE);
    ck_assert_str_eq(task->source.url, place);
    ck_assert_uint_eq(task->unit_count, 0);
    ck_assert(!any_waiting());
    ck_assert_str_eq(look(&question), "running");
    fixture_report(&report, task, 0);
    ck_assert_int_eq(fixture_complete(&farm, task->fence, &report), ANSWER_ACCEPTED);
    ck_assert_str_eq(look(&question), "done");
    ck_assert(question.ended && question.has_document);
    ck_assert_int_eq(count_leases(), 0);
    ck_assert_str_eq(fixture_lease_one(&farm, session)->title, "t"); /* its own is still to do */
    task_report_finish(&report);
}
END_TEST

/* Of a file's hash nobody has need: its worker is told to stop once the document is there. */
START_TEST(the_document_is_enough) {
    struct task_report report;
    struct question question = ask(place);
    const struct task *task = fixture_lease_one(&farm, session);
    struct finding finding = {.fence = task->fence, .report = &report};
    fixture_report(&report, task, 0);
    ck_assert_int_eq(fixture_beat(&farm, session, &finding.fence, 1), 0);
    ck_assert_int_eq(farm.stop_count, 0);
    ck_assert_int_eq(store_call(farm.store, run_found, &finding, &farm.err), 0);
    ck_assert_str_eq(look(&question), "done");
    ck_assert_int_eq(fixture_beat(&farm, session, &finding.fence, 1), 0);
    ck_assert_int_eq(farm.stop_count, 1);
    ck_assert_int_eq(fixture_fail(&farm, finding.fence, FAILURE_IO, "stopped"), ANSWER_DROPPED);
    ck_assert_str_eq(look(&question), "done");
    ck_assert_int_eq(count_leases(), 0);
    task_report_finish(&report);
}
END_TEST

START_TEST(a_failure_is_told_or_tried_again) {
    static const struct {
        enum failure_class class;
        int attempts;
    } cases[] = {{FAILURE_BAD_SOURCE, 1}, {FAILURE_UNSUPPORTED, 1}, {FAILURE_IO, 3}};
    struct question question = ask(place);
    for (int i = 1; i <= cases[_i].attempts; i++) {
        const struct task *task = fixture_lease_one(&farm, session);
        ck_assert_int_eq(task->attempt, i);
        ck_assert_int_eq(fixture_fail(&farm, task->fence, cases[_i].class, "it is a poem"),
                         ANSWER_ACCEPTED);
        ck_assert_str_eq(look(&question), i < cases[_i].attempts ? "waiting" : "failed");
    }
    ck_assert_str_eq(question.error, "it is a poem");
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.task_count, 0);
    ck_assert_int_eq(count_leases(), 0);
}
END_TEST

START_TEST(a_lost_worker_costs_nothing) {
    struct question question = ask(place);
    fixture_lease_one(&farm, session);
    fixture_lose(&farm);
    question = ask(place); /* who asks no more waits for nothing */
    ck_assert_str_eq(look(&question), "waiting");
    ck_assert_int_eq(count_leases(), 0);
    ck_assert_int_eq(fixture_join(&farm, "w2", "host2", 1, session), 0);
    ck_assert_str_eq(fixture_lease_one(&farm, session)->source.url, place);
}
END_TEST

START_TEST(the_same_is_asked_for_once) {
    struct question first = ask(place), again = ask(place), other = ask("/media/other.mp4");
    struct question news = {.source = place, .tenant = "news", .ladder = "fast"};
    struct question long_gops = {.source = place,
                                 .tenant = "",
                                 .ladder = "rungs: [{height: 180, maxrate: 450k}]\n"
                                           "codec: h264\ncrf: 25\nchunk_s: 8\n"};
    ck_assert_int_eq(ask_as(&news), 0);
    ck_assert_int_eq(ask_as(&long_gops), 0);
    ck_assert_str_eq(first.id, again.id);
    ck_assert_str_ne(first.id, other.id);
    ck_assert_str_ne(first.id, news.id);
    ck_assert_str_ne(first.id, long_gops.id);
    ck_assert_str_eq(look(&news), "waiting");
    snprintf(news.id, sizeof(news.id), "%s", first.id);
    ck_assert_str_eq(look(&news), "gone"); /* another's */
}
END_TEST

/* Of a tenant; others are let in. */
START_TEST(they_are_bounded) {
    char source[32];
    struct question news = {.source = place, .tenant = "news", .ladder = "fast"};
    for (int i = 0; i < 4; i++) {
        snprintf(source, sizeof(source), "/media/%d.mp4", i);
        ask(source);
    }
    struct question fifth = {.source = place, .tenant = "", .ladder = "fast"};
    ck_assert_int_eq(ask_as(&fifth), ERR_UNAVAILABLE);
    ck_assert_int_eq(ask_as(&news), 0);
    const struct task *task = fixture_lease_one(&farm, session);
    fixture_fail(&farm, task->fence, FAILURE_BAD_SOURCE, "it is a poem");
    ck_assert_int_eq(ask_as(&fifth), 0);
}
END_TEST

/* One that nobody asks for is given up, and its worker stopped; what was found goes later. */
START_TEST(it_is_forgotten) {
    struct task_report report;
    struct question left = ask(place);
    int64_t fence = fixture_lease_one(&farm, session)->fence;
    ck_assert_int_eq(fixture_beat(&farm, session, &fence, 1), 0);
    farm.now_ms += 59000;
    ck_assert_str_eq(look(&left), "running"); /* which counts as asking */
    farm.now_ms += 59000;
    ck_assert_str_eq(look(&left), "running");
    farm.now_ms += 61000;
    ck_assert_str_eq(look(&left), "gone");
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(fixture_beat(&farm, session, &fence, 1), 0);
    ck_assert_int_eq(farm.stop_count, 1);
    fixture_fail(&farm, fence, FAILURE_IO, "stopped");
    struct question kept = ask(place);
    const struct task *task = fixture_lease_one(&farm, session);
    fixture_report(&report, task, 0);
    ck_assert_int_eq(fixture_complete(&farm, task->fence, &report), ANSWER_ACCEPTED);
    farm.now_ms += 3599000;
    ck_assert_str_eq(look(&kept), "done");
    farm.now_ms += 2000;
    ck_assert_str_eq(look(&kept), "gone");
    ck_assert_int_eq(count_leases(), 0);
    task_report_finish(&report);
}
END_TEST

/* It is in memory alone; the lease of one that nobody knows ends as any does. */
START_TEST(a_restart_forgets) {
    struct task_report report;
    struct question question = ask(place);
    const struct task *task = fixture_lease_one(&farm, session);
    fixture_report(&report, task, 0);
    int64_t fence = task->fence;
    fixture_farm_restart(&farm);
    ck_assert_str_eq(look(&question), "gone");
    ck_assert_int_eq(count_leases(), 1);
    ck_assert_int_eq(fixture_complete(&farm, fence, &report), ANSWER_DROPPED);
    ck_assert_int_eq(count_leases(), 0);
    task_report_finish(&report);
}
END_TEST

Suite *probes_suite(void) {
    Suite *suite = suite_create("probes");
    TCase *tcase = tcase_create("probes");
    tcase_add_checked_fixture(tcase, open_farm, close_farm);
    tcase_add_test(tcase, it_is_leased_first_and_kept);
    tcase_add_test(tcase, the_document_is_enough);
    tcase_add_loop_test(tcase, a_failure_is_told_or_tried_again, 0, 3);
    tcase_add_test(tcase, a_lost_worker_costs_nothing);
    tcase_add_test(tcase, the_same_is_asked_for_once);
    tcase_add_test(tcase, they_are_bounded);
    tcase_add_test(tcase, it_is_forgotten);
    tcase_add_test(tcase, a_restart_forgets);
    suite_add_tcase(suite, tcase);
    return suite;
}
