/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stragglers: who runs them a second time, when, and how the two leases end. */
#include <check.h>
#include <string.h>

#include "common/buf.h"
#include "scheduler/api/view.h"
#include "scheduler/events.h"
#include "scheduler_fixture.h"

Suite *hedge_suite(void);

enum { LEAST_MS = 30000 };

static struct fixture_farm farm;
static char session[ID_TEXT], other[ID_TEXT];
static struct fixture_held first, second;

static void open_farm(void) {
    fixture_farm_open(&farm);
    farm.farm.hedge_after = 3;
    farm.farm.hedge_least_ms = LEAST_MS;
}

static void close_farm(void) {
    fixture_drop(&first);
    fixture_drop(&second);
    fixture_farm_close(&farm);
}

/* w1 runs a video task, w2 has done all else that there is to do. */
static void straggle(void) {
    fixture_run_title(&farm, "t", "h264", 2, session);
    fixture_take_kind(&farm, &first, session, TASK_VIDEO);
    fixture_beat(&farm, session, &first.fence, 1);
    fixture_join(&farm, "w2", "host2", 2, other);
    fixture_work(&farm, other);
}

/* ... and now w2 runs that task too. */
static void hedge(void) {
    straggle();
    farm.now_ms = farm.retry_at;
    fixture_beat(&farm, session, &first.fence, 1);
    fixture_take(&farm, &second, other);
}

static void ck_nothing_for(const char *who) {
    ck_assert_int_eq(fixture_lease(&farm, who, 4), 0);
    ck_assert_int_eq(farm.task_count, 0);
}

static enum unit_state state_of(int64_t unit) {
    return fixture_unit(&farm, unit).state;
}

static void write_feed(struct tx *tx, struct farm *unused, const char *title, struct writer *w) {
    (void)unused;
    for (struct event_page page = {.title = title, .tenant = "", .more = true}; page.more;) {
        writer_object(w, NULL);
        events_write(tx, &page, w);
        writer_object_end(w);
        page.after = page.next;
    }
}

/* How many events of a kind the feed has, in its first page of 500. */
static int count_events(const char *kind) {
    struct json *tree = fixture_look(&farm, write_feed, "t");
    struct reader reader = reader_of(tree, "feed", &farm.err);
    struct reader list = reader_array(&reader, "events");
    int count = 0;
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *found = "";
        reader_string(&item, "kind", &found);
        count += strcmp(found, kind) == 0 ? 1 : 0;
    }
    ck_assert_msg(reader_ok(&reader), "%s", farm.err.message);
    json_tree_destroy(tree);
    return count;
}

static void ck_counters(int64_t failures, int64_t losses) {
    struct json *tree = fixture_look(&farm, view_title, "t");
    struct reader reader = reader_of(tree, "title", &farm.err);
    struct reader stats = reader_object(&reader, "stats");
    int64_t failed = -1, lost = -1;
    reader_int(&stats, "failures", 0, INT64_MAX, &failed);
    reader_int(&stats, "losses", 0, INT64_MAX, &lost);
    ck_assert_msg(reader_ok(&reader), "%s", farm.err.message);
    ck_assert_int_eq(failed, failures);
    ck_assert_int_eq(lost, losses);
    json_tree_destroy(tree);
}

/* ---- when, and to whom ------------------------------------------------------- */

START_TEST(a_straggler_is_run_a_second_time) {
    straggle();
    int64_t due = farm.retry_at; /* of w2, which waits */
    ck_assert_int_ge(due, farm.now_ms + LEAST_MS);
    farm.now_ms = due - 1;
    fixture_beat(&farm, session, &first.fence, 1);
    ck_nothing_for(other);
    farm.now_ms = due;
    fixture_beat(&farm, other, NULL, 0);
    ck_nothing_for(session); /* which runs it */
    fixture_take(&farm, &second, other);
    ck_assert_int_eq(second.count, first.count);
    ck_assert_mem_eq(second.units, first.units, first.count * sizeof(first.units[0]));
    ck_assert_int_eq(second.attempt, 2);
    ck_assert_int_ne(second.fence, first.fence);
    ck_assert_int_eq(count_events("unit.hedge"), (int)first.count);
}
END_TEST

START_TEST(a_long_task_is_given_its_time) {
    straggle();
    double table_s = 0;
    for (size_t i = 0; i < first.count; i++) {
        table_s += fixture_unit(&farm, first.units[i]).table_s;
    }
    farm.farm.hedge_after = 1000; /* of which the next lease hears */
    fixture_submit(&farm, "u", "fast", false);
    struct fixture_held held;
    fixture_take_kind(&farm, &held, session, TASK_VIDEO);
    fixture_work(&farm, other);
    farm.now_ms += LEAST_MS;
    fixture_beat(&farm, session, &held.fence, 1);
    fixture_lease(&farm, other, 4);
    for (int i = 0; i < farm.task_count; i++) {
        ck_assert_str_eq(farm.tasks[i].title, "t");
    }
    ck_assert(table_s > 0);
    fixture_drop(&held);
}
END_TEST

START_TEST(two_leases_and_no_more) {
    char third[ID_TEXT];
    hedge();
    fixture_join(&farm, "w3", "host3", 2, third);
    farm.now_ms += 100 * LEAST_MS;
    fixture_beat(&farm, session, &first.fence, 1);
    fixture_beat(&farm, other, &second.fence, 1);
    ck_nothing_for(third);
    ck_assert_int_eq(farm.retry_at, 0);
}
END_TEST

START_TEST(what_is_ready_comes_before_stragglers) {
    straggle();
    farm.now_ms = farm.retry_at;
    fixture_submit(&farm, "u", "h264", false);
    ck_assert_int_eq(fixture_lease_one(&farm, other)->kind, TASK_PROBE);
    ck_assert_str_eq(farm.tasks[0].title, "u");
}
END_TEST

START_TEST(without_the_option_nothing_is_hedged) {
    farm.farm.hedge_after = 0;
    straggle();
    ck_assert_int_eq(farm.retry_at, 0);
    farm.now_ms += 100 * LEAST_MS;
    ck_nothing_for(other);
}
END_TEST

/* A package counts from a live lease alone: two of them would race. */
START_TEST(kinds_that_are_not_pure_are_never_hedged) {
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &first, session, TASK_PACKAGE);
    fixture_join(&farm, "w2", "host2", 2, other);
    ck_nothing_for(other);
    ck_assert_int_eq(farm.retry_at, 0);
    farm.now_ms += 1000 * LEAST_MS;
    ck_nothing_for(other);
}
END_TEST

START_TEST(a_probe_has_ten_times_as_long) {
    fixture_submit(&farm, "t", "h264", false);
    fixture_join(&farm, "w1", "host1", 1, session);
    fixture_take(&farm, &first, session);
    fixture_join(&farm, "w2", "host2", 1, other);
    ck_nothing_for(other);
    ck_assert_int_eq(farm.retry_at, farm.now_ms + 10 * LEAST_MS);
    farm.now_ms = farm.retry_at;
    fixture_take(&farm, &second, other);
    ck_assert_int_eq(second.kind, TASK_PROBE);
    ck_assert_int_eq(fixture_complete(&farm, second.fence, &second.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(fixture_complete(&farm, first.fence, &first.report), ANSWER_DROPPED);
    fixture_work(&farm, other);
    char error[64];
    ck_assert_str_eq(fixture_state(&farm, "t", error, sizeof(error)), "done");
}
END_TEST

START_TEST(only_who_has_the_build_line_and_may_take_work_hedges) {
    char wrong[ID_TEXT];
    straggle();
    farm.now_ms = farm.retry_at;
    fixture_join_with(&farm, "w3", "x264 other layout=1", wrong);
    ck_nothing_for(wrong);
    fixture_drain(&farm, "w2", true);
    ck_nothing_for(other);
    fixture_drain(&farm, "w2", false);
    fixture_take(&farm, &second, other);
}
END_TEST

/* Others that wait go by what it found. */
START_TEST(a_drained_worker_knows_when_there_will_be_a_straggler) {
    straggle();
    int64_t due = farm.retry_at;
    ck_assert_int_gt(due, farm.now_ms);
    fixture_drain(&farm, "w2", true);
    ck_nothing_for(other);
    ck_assert_int_eq(farm.retry_at, due);
}
END_TEST

START_TEST(a_tenant_at_its_cap_hedges_nothing) {
    straggle();
    farm.now_ms = farm.retry_at;
    ck_assert_int_eq(tenant_rules_parse(&farm.farm.tenants, "x=1:1", &farm.err), 0);
    struct title_request request = {.title = "t", .tenant = "x"};
    ck_assert_int_eq(fixture_submit_as(&farm, &request, "h264"), 0);
    ck_nothing_for(other);
}
END_TEST

/* More stragglers than are listed for one request, all older than another tenant's. */
START_TEST(a_tenant_at_its_cap_hides_nobodys_stragglers) {
    enum { MANY = 18 };
    fixture_run_title(&farm, "t", "h264", MANY, session);
    struct title_request of_x = {.title = "t", .tenant = "x"};
    ck_assert_int_eq(fixture_submit_as(&farm, &of_x, "h264"), 0);
    int64_t fences[MANY + 1];
    ck_assert_int_eq(fixture_lease(&farm, session, MANY), 0);
    ck_assert_int_eq(farm.task_count, MANY);
    for (int i = 0; i < MANY; i++) {
        fences[i] = farm.tasks[i].fence;
    }
    farm.now_ms++; /* the other's is the youngest */
    fixture_submit(&farm, "u", "fast", false);
    fixture_take(&farm, &first, session);
    ck_assert_int_eq(first.kind, TASK_PROBE);
    fences[MANY] = first.fence;
    ck_assert_int_eq(tenant_rules_parse(&farm.farm.tenants, "x=1:1", &farm.err), 0);
    farm.now_ms += 1000 * LEAST_MS;
    fixture_beat(&farm, session, fences, MANY + 1);
    fixture_join(&farm, "w2", "host2", 2, other);
    fixture_take(&farm, &second, other);
    ck_assert_int_eq(second.kind, TASK_PROBE);
    ck_assert_int_eq(second.units[0], first.units[0]);
}
END_TEST

/* ---- how the two end --------------------------------------------------------- */

START_TEST(the_second_may_win) {
    hedge();
    ck_assert_int_eq(fixture_complete(&farm, second.fence, &second.report), ANSWER_ACCEPTED);
    ck_assert_int_eq(state_of(first.units[0]), UNIT_DONE);
    fixture_beat(&farm, session, &first.fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
    ck_assert_int_eq(farm.stop[0], first.fence);
    fixture_beat(&farm, session, NULL, 0); /* it has stopped */
    ck_counters(0, 0);
    ck_assert_int_eq(fixture_complete(&farm, first.fence, &first.report), ANSWER_DROPPED);
    ck_assert_int_eq(farm.err.code, ERR_NONE); /* 200 */
    fixture_work(&farm, other);
    char error[64];
    ck_assert_str_eq(fixture_state(&farm, "t", error, sizeof(error)), "done");
}
END_TEST

START_TEST(the_first_may_win) {
    hedge();
    ck_assert_int_eq(fixture_complete(&farm, first.fence, &first.report), ANSWER_ACCEPTED);
    fixture_beat(&farm, other, &second.fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
    ck_assert_int_eq(farm.stop[0], second.fence);
    ck_assert_int_eq(fixture_fail(&farm, second.fence, FAILURE_KILLED, "it was told to stop"),
                     ANSWER_DROPPED);
    ck_counters(0, 0);
}
END_TEST

START_TEST(other_bytes_are_a_conflict) {
    hedge();
    ck_assert_int_eq(fixture_complete(&farm, first.fence, &first.report), ANSWER_ACCEPTED);
    memcpy(second.report.units[0].segments[0].sha256, "0000", 4);
    ck_assert_int_eq(fixture_complete(&farm, second.fence, &second.report), ANSWER_CONFLICT);
}
END_TEST

START_TEST(a_failure_of_one_leaves_the_other) {
    hedge();
    ck_assert_int_eq(fixture_fail(&farm, second.fence, FAILURE_IO, "it broke"), ANSWER_ACCEPTED);
    ck_assert_int_eq(state_of(first.units[0]), UNIT_LEASED);
    ck_assert_int_eq(fixture_unit(&farm, first.units[0]).failures, 1);
    ck_assert_int_eq(count_events("unit.yield"), (int)first.count);
    ck_counters(1, 0);
    char third[ID_TEXT];
    fixture_join(&farm, "w3", "host3", 2, third);
    ck_nothing_for(third); /* until it is overdue again ... */
    ck_assert_int_gt(farm.retry_at, farm.now_ms);
    farm.now_ms = farm.retry_at;
    fixture_beat(&farm, session, &first.fence, 1);
    ck_nothing_for(other); /* ... and not for the one that failed it */
    struct fixture_held again;
    fixture_take(&farm, &again, third);
    ck_assert_int_eq(again.units[0], first.units[0]);
    fixture_drop(&again);
    ck_assert_int_eq(fixture_complete(&farm, first.fence, &first.report), ANSWER_ACCEPTED);
}
END_TEST

START_TEST(what_one_says_of_the_source_fails_the_title) {
    char error[64];
    hedge();
    fixture_fail(&farm, second.fence, FAILURE_BAD_SOURCE, "it is no film");
    ck_assert_str_eq(fixture_state(&farm, "t", error, sizeof(error)), "failing");
    fixture_beat(&farm, session, &first.fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
}
END_TEST

/* A unit that has used up its attempts is not given up while somebody still makes it. */
START_TEST(the_last_attempt_is_not_the_last_while_another_runs) {
    char error[64];
    char third[ID_TEXT];
    const char *sessions[] = {other, third};
    hedge();
    fixture_join(&farm, "w3", "host3", 2, third);
    fixture_fail(&farm, second.fence, FAILURE_IO, "it broke");
    for (int i = 1; i <= 4; i++) {
        fixture_lease(&farm, sessions[i % 2], 1);
        farm.now_ms = farm.retry_at;
        fixture_beat(&farm, session, &first.fence, 1);
        fixture_beat(&farm, other, NULL, 0);
        fixture_beat(&farm, third, NULL, 0);
        fixture_drop(&second);
        fixture_take(&farm, &second, sessions[i % 2]);
        fixture_fail(&farm, second.fence, FAILURE_IO, "it broke");
    }
    ck_assert_int_eq(fixture_unit(&farm, first.units[0]).failures, 5);
    ck_assert_str_eq(fixture_state(&farm, "t", error, sizeof(error)), "running");
    fixture_fail(&farm, first.fence, FAILURE_IO, "it broke");
    ck_assert_str_eq(fixture_state(&farm, "t", error, sizeof(error)), "failing");
}
END_TEST

START_TEST(a_loss_of_one_leaves_the_other) {
    hedge();
    farm.now_ms += farm.farm.ttl_ms * 7 / 6 + 1;
    fixture_beat(&farm, other, &second.fence, 1);
    fixture_sweep(&farm); /* of w1 */
    ck_assert_int_eq(state_of(first.units[0]), UNIT_LEASED);
    ck_counters(0, 1);
    fixture_join(&farm, "w1", "host1", 2, session); /* w1 is back, and runs it still */
    fixture_beat(&farm, session, &first.fence, 1);
    ck_assert_int_eq(farm.stop_count, 0);
    ck_assert_int_eq(fixture_complete(&farm, first.fence, &first.report), ANSWER_ACCEPTED);
    fixture_beat(&farm, other, &second.fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
}
END_TEST

START_TEST(when_both_are_gone_it_is_ready) {
    hedge();
    fixture_leave(&farm, other);
    ck_assert_int_eq(state_of(first.units[0]), UNIT_LEASED);
    fixture_leave(&farm, session);
    ck_assert_int_eq(state_of(first.units[0]), UNIT_READY);
    ck_counters(0, 0);
}
END_TEST

START_TEST(a_hedge_outlives_the_scheduler) {
    straggle();
    int64_t due = farm.retry_at;
    fixture_farm_restart(&farm);
    farm.farm.hedge_after = 3;
    ck_nothing_for(other);
    ck_assert_int_eq(farm.retry_at, due);
    farm.now_ms = due;
    fixture_take(&farm, &second, other);
    fixture_farm_restart(&farm);
    farm.farm.hedge_after = 3;
    ck_assert_int_eq(fixture_complete(&farm, second.fence, &second.report), ANSWER_ACCEPTED);
    fixture_beat(&farm, session, &first.fence, 1);
    ck_assert_int_eq(farm.stop_count, 1);
}
END_TEST

Suite *hedge_suite(void) {
    Suite *suite = suite_create("hedge");
    TCase *when = tcase_create("when");
    suite_add_tcase(suite, when);
    tcase_add_checked_fixture(when, open_farm, close_farm);
    tcase_add_test(when, a_straggler_is_run_a_second_time);
    tcase_add_test(when, a_long_task_is_given_its_time);
    tcase_add_test(when, two_leases_and_no_more);
    tcase_add_test(when, what_is_ready_comes_before_stragglers);
    tcase_add_test(when, without_the_option_nothing_is_hedged);
    tcase_add_test(when, kinds_that_are_not_pure_are_never_hedged);
    tcase_add_test(when, a_probe_has_ten_times_as_long);
    tcase_add_test(when, only_who_has_the_build_line_and_may_take_work_hedges);
    tcase_add_test(when, a_drained_worker_knows_when_there_will_be_a_straggler);
    tcase_add_test(when, a_tenant_at_its_cap_hedges_nothing);
    tcase_add_test(when, a_tenant_at_its_cap_hides_nobodys_stragglers);
    TCase *ends = tcase_create("ends");
    suite_add_tcase(suite, ends);
    tcase_add_checked_fixture(ends, open_farm, close_farm);
    tcase_add_test(ends, the_second_may_win);
    tcase_add_test(ends, the_first_may_win);
    tcase_add_test(ends, other_bytes_are_a_conflict);
    tcase_add_test(ends, a_failure_of_one_leaves_the_other);
    tcase_add_test(ends, what_one_says_of_the_source_fails_the_title);
    tcase_add_test(ends, the_last_attempt_is_not_the_last_while_another_runs);
    tcase_add_test(ends, a_loss_of_one_leaves_the_other);
    tcase_add_test(ends, when_both_are_gone_it_is_ready);
    tcase_add_test(ends, a_hedge_outlives_the_scheduler);
    return suite;
}
