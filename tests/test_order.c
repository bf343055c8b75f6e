/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of leasing: priority, shares and caps of tenants, deadlines, age. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/buf.h"
#include "scheduler/order.h"
#include "scheduler/tenants.h"
#include "scheduler_fixture.h"

Suite *order_suite(void);

static struct fixture_farm farm;
static char session[ID_TEXT];

static void open_farm(void) {
    fixture_farm_open(&farm);
    fixture_join(&farm, "w1", "host1", 8, session);
}

static void close_farm(void) {
    fixture_farm_close(&farm);
}

static void submit(const char *title, int priority, const char *tenant, int64_t deadline) {
    struct title_request request = {.title = title,
                                    .names_priority = true,
                                    .priority = priority,
                                    .tenant = tenant,
                                    .names_deadline = true,
                                    .deadline = deadline};
    ck_assert_int_eq(fixture_submit_as(&farm, &request, "h264"), 0);
}

/* Titles of a tenant, all of one priority. */
static void submit_many(const char *tenant, int count) {
    for (int i = 0; i < count; i++) {
        char title[WIRE_TITLE_TEXT];
        snprintf(title, sizeof(title), "%s%d", tenant, i);
        submit(title, 0, tenant, 0);
    }
}

/* Leases so many tasks at once; their titles, each with a space. Borrowed. */
static const char *lease(int slots) {
    static struct buf titles;
    titles.size = 0;
    ck_assert_int_eq(fixture_lease(&farm, session, slots), 0);
    for (int i = 0; i < farm.task_count; i++) {
        buf_format(&titles, "%s ", farm.tasks[i].title);
    }
    buf_string(&titles, "");
    return buf_text(&titles);
}

/* How many of the tasks just leased are of the tenant. */
static int count_of(const char *tenant) {
    int count = 0;
    for (int i = 0; i < farm.task_count; i++) {
        count += strncmp(farm.tasks[i].title, tenant, strlen(tenant)) == 0 ? 1 : 0;
    }
    return count;
}

static void set_tenants(const char *text) {
    ck_assert_int_eq(tenant_rules_parse(&farm.farm.tenants, text, &farm.err), 0);
}

START_TEST(priority_then_deadline_then_age) {
    submit("old", 0, "", 0);
    submit("late", 0, "", 2000000000000);
    submit("soon", 0, "", 1900000000000);
    submit("new", 0, "", 0);
    submit("least", -100, "", 1);
    submit("most", 100, "", 0);
    ck_assert_str_eq(lease(8), "most soon late old new least ");
}
END_TEST

START_TEST(one_by_one_is_the_same_order) {
    submit("a", 0, "", 0);
    submit("b", 1, "", 0);
    submit("c", 0, "", 1900000000000);
    ck_assert_str_eq(lease(1), "b ");
    ck_assert_str_eq(lease(1), "c ");
    ck_assert_str_eq(lease(1), "a ");
    ck_assert_str_eq(lease(1), "");
}
END_TEST

START_TEST(tenants_share_by_weight) {
    set_tenants("x=3, y=1");
    submit_many("x", 12);
    submit_many("y", 12);
    lease(8);
    ck_assert_int_eq(farm.task_count, 8);
    ck_assert_int_eq(count_of("x"), 6);
    lease(1); /* what runs counts, over requests too */
    lease(3);
    ck_assert_int_eq(count_of("x"), 2);
    lease(64); /* the rest: a share holds nobody back where slots are free */
    ck_assert_int_eq(farm.task_count, 12);
}
END_TEST

START_TEST(who_runs_less_is_next) {
    submit_many("x", 4);
    ck_assert_str_eq(lease(2), "x0 x1 ");
    submit_many("y", 4);
    ck_assert_str_eq(lease(4), "y0 y1 x2 y2 ");
}
END_TEST

START_TEST(priority_is_above_shares) {
    submit_many("x", 2);
    lease(2);
    submit("x-urgent", 1, "x", 0);
    submit_many("y", 1);
    ck_assert_str_eq(lease(2), "x-urgent y0 ");
}
END_TEST

START_TEST(caps_hold_though_slots_are_free) {
    struct fixture_held held;
    set_tenants("x=1:2");
    submit_many("x", 4);
    fixture_take(&farm, &held, session);
    ck_assert_str_eq(lease(8), "x1 ");
    ck_assert_str_eq(lease(8), "");
    ck_assert_int_gt(farm.retry_at, farm.now_ms); /* and it is tried again */
    submit_many("y", 1);
    ck_assert_str_eq(lease(8), "y0 ");
    ck_assert_int_eq(fixture_fail(&farm, held.fence, FAILURE_BAD_SOURCE, "no"), ANSWER_ACCEPTED);
    ck_assert_str_eq(lease(8), "x2 ");
    fixture_drop(&held);
}
END_TEST

static void submit_with_threads(const char *title, int priority, const char *tenant, int threads) {
    struct title_request request = {
        .title = title, .names_priority = true, .priority = priority, .tenant = tenant};
    ck_assert_int_eq(fixture_submit_threads(&farm, &request, threads), 0);
}

/* A farm so small that the sound of a title goes before its chunks. */
static void shrink(void) {
    ck_assert_int_eq(fixture_leave(&farm, session), 0);
    ck_assert_int_eq(fixture_join(&farm, "w1", "host1", 4, session), 0);
}

/* Makes the probes and the sound of so many titles. */
static void run_to_chunks(int titles) {
    for (int step = 0; step < 2; step++) {
        lease(titles);
        ck_assert_int_eq(farm.task_count, titles);
        for (int i = 0; i < titles; i++) {
            ck_assert_int_ne(farm.tasks[i].kind, TASK_VIDEO);
            fixture_make(&farm, &farm.tasks[i]);
        }
    }
}

/* A task with four threads weighs as much as four with one. */
START_TEST(shares_are_of_slots) {
    submit_with_threads("x", 0, "x", 4);
    submit_with_threads("y", 0, "y", 1);
    run_to_chunks(2);
    lease(8);
    ck_assert_int_eq(count_of("x"), 1);
    ck_assert_int_eq(count_of("y"), 4);
    lease(8); /* what runs counts, over requests too */
    ck_assert_int_eq(count_of("x"), 1);
    ck_assert_int_eq(count_of("y"), 4);
}
END_TEST

/* Up to a cap, and what is larger than all of it when nothing else runs. */
START_TEST(caps_are_of_slots) {
    static const struct {
        const char *rule;
        int tasks;
    } cases[] = {{"x=1:7", 3}, {"x=1:6", 3}, {"x=1:5", 2}, {"x=1:2", 1}, {"x=1:1", 1}};
    shrink();
    submit_with_threads("x", 0, "x", 2);
    run_to_chunks(1);
    set_tenants(cases[_i].rule);
    lease(8);
    ck_assert_int_eq(farm.task_count, cases[_i].tasks);
    fixture_make(&farm, &farm.tasks[0]);
    ck_assert_str_eq(lease(8), "x ");
    ck_assert_str_eq(lease(8), "");
}
END_TEST

/* Smaller tasks do not go by one that its tenant's cap has no room for. */
START_TEST(a_large_task_comes_to_its_turn) {
    struct fixture_held held;
    shrink();
    submit_with_threads("small", 0, "x", 1);
    run_to_chunks(1);
    fixture_take(&farm, &held, session);
    submit_with_threads("large", 1, "x", 4);
    run_to_chunks(1);
    set_tenants("x=1:4");
    ck_assert_str_eq(lease(8), "");
    ck_assert_int_gt(farm.retry_at, farm.now_ms);
    ck_assert_int_eq(fixture_complete(&farm, held.fence, &held.report), ANSWER_ACCEPTED);
    ck_assert_str_eq(lease(8), "large ");
    fixture_drop(&held);
}
END_TEST

START_TEST(others_are_served_where_the_first_needs_another_encoder) {
    char other[ID_TEXT];
    struct title_request first = {
        .title = "first", .names_priority = true, .priority = 50, .tenant = "x"};
    ck_assert_int_eq(fixture_submit_as(&farm, &first, "h264"), 0);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    fixture_join_with(&farm, "w2", "x264 another layout=1", other);
    submit("second", 0, "x", 0);
    submit("third", 0, "y", 0);
    memcpy(session, other, sizeof(session));
    ck_assert_str_eq(lease(3), "first third second "); /* of the first its sound */
    ck_assert_int_eq(farm.tasks[0].kind, TASK_AUDIO);
    ck_assert_str_eq(lease(1), "");
}
END_TEST

START_TEST(many_tenants_are_all_served) {
    for (int i = 0; i < 40; i++) {
        char tenant[16];
        snprintf(tenant, sizeof(tenant), "t%02d-", i);
        submit_many(tenant, 1);
    }
    lease(FIXTURE_TASKS_MAX);
    ck_assert_int_eq(farm.task_count, 40);
}
END_TEST

START_TEST(a_title_that_runs_moves_in_the_queue) {
    submit("a", 0, "", 0);
    submit("b", 0, "", 0);
    submit("b", 1, "", 0);
    ck_assert_str_eq(lease(1), "b ");
    submit("c", 0, "", 0);
    submit("c", 0, "", 1900000000000);
    ck_assert_str_eq(lease(1), "c ");
    ck_assert_str_eq(lease(1), "a ");
}
END_TEST

START_TEST(within_a_tenant_a_title_is_finished_first) {
    submit("a", 0, "", 0);
    fixture_make(&farm, fixture_lease_one(&farm, session));
    submit("b", 0, "", 0);
    submit("urgent", 5, "", 0);
    ck_assert_str_eq(lease(3),
                     "urgent b a "); /* a probe of like rank first: its title hangs on it */
}
END_TEST

/* ---- how many there are --------------------------------------------------------- */

struct look {
    size_t count;
    bool found;
};

static void look_for_plenty(struct tx *tx, void *context) {
    struct look *look = context;
    struct order order = {.rules = &farm.farm.tenants};
    order_load(&order, tx);
    order_load_builds(&order, tx, session);
    look->found = order_has_plenty(&order, tx, &farm.farm, look->count);
    order_finish(&order);
}

/* Whether more than so many units are ready. */
static bool has_more_than(size_t count) {
    struct look look = {.count = count};
    ck_assert_int_eq(store_call(farm.store, look_for_plenty, &look, &farm.err), 0);
    return look.found;
}

static void lease_x0(void) {
    ck_assert_str_eq(lease(1), "x0 ");
}

static void cancel_x0(void) {
    ck_assert_int_eq(fixture_cancel(&farm, "x0"), 0);
}

static void remove_x0(void) {
    ck_assert(fixture_remove(&farm, "x0", true));
}

static void delay_x0(void) {
    submit("x0", -1, "x", 0);
}

static void give_x0_away(void) {
    submit("x0", 0, "y", 0);
}

START_TEST(what_left_the_queue_is_not_plenty) {
    static void (*const ways[])(void) = {lease_x0, cancel_x0, remove_x0, delay_x0, give_x0_away};
    submit_many("x", 8);
    ck_assert(has_more_than(7));
    ck_assert(!has_more_than(8));
    ways[_i]();
    ck_assert(!has_more_than(7));
    ck_assert(has_more_than(6));
    submit("x8", 0, "x", 0);
    ck_assert(has_more_than(7)); /* what came is counted anew */
}
END_TEST

START_TEST(rules_are_read) {
    static const struct {
        const char *text;
        const char *wrong; /* in the sentence; NULL: it is right */
        double weight;     /* of tenant a */
        int64_t cap;
    } cases[] = {
        {NULL, NULL, 1, 0},
        {"", NULL, 1, 0},
        {"a=2", NULL, 2, 0},
        {"b=1:3, a=0.5:7", NULL, 0.5, 7},
        {"b=1:3,a=4", NULL, 4, 0},
        {"a", "tenants has 'a'", 0, 0},
        {"a=0", "a weight above 0", 0, 0},
        {"a=nan", "a weight above 0", 0, 0},
        {"a=1:0", "a cap of 1", 0, 0},
        {"a=1:", "a cap of 1", 0, 0},
        {"=1", "tenants has '=1'", 0, 0},
        {"a=1;b=2", "tenants has 'a=1;b=2'", 0, 0},
        {"a=1, a=2", "names a twice", 0, 0},
    };
    struct tenant_rules rules = {.count = 0};
    struct err err = {0};
    int result = tenant_rules_parse(&rules, cases[_i].text, &err);
    if (cases[_i].wrong != NULL) {
        ck_assert_int_eq(result, ERR_INVALID);
        ck_assert_msg(strstr(err.message, cases[_i].wrong) != NULL, "%s", err.message);
        return;
    }
    ck_assert_int_eq(result, 0);
    ck_assert_double_eq(tenant_rules_find(&rules, "a").weight, cases[_i].weight);
    ck_assert_int_eq(tenant_rules_find(&rules, "a").cap, cases[_i].cap);
}
END_TEST

Suite *order_suite(void) {
    Suite *suite = suite_create("order");
    TCase *tests = tcase_create("order");
    tcase_add_checked_fixture(tests, open_farm, close_farm);
    tcase_add_test(tests, priority_then_deadline_then_age);
    tcase_add_test(tests, one_by_one_is_the_same_order);
    tcase_add_test(tests, tenants_share_by_weight);
    tcase_add_test(tests, who_runs_less_is_next);
    tcase_add_test(tests, priority_is_above_shares);
    tcase_add_test(tests, caps_hold_though_slots_are_free);
    tcase_add_test(tests, shares_are_of_slots);
    tcase_add_loop_test(tests, caps_are_of_slots, 0, 5);
    tcase_add_test(tests, a_large_task_comes_to_its_turn);
    tcase_add_test(tests, others_are_served_where_the_first_needs_another_encoder);
    tcase_add_test(tests, many_tenants_are_all_served);
    tcase_add_test(tests, a_title_that_runs_moves_in_the_queue);
    tcase_add_test(tests, within_a_tenant_a_title_is_finished_first);
    tcase_add_loop_test(tests, what_left_the_queue_is_not_plenty, 0, 5);
    suite_add_tcase(suite, tests);
    TCase *pure = tcase_create("pure");
    tcase_add_loop_test(pure, rules_are_read, 0, 13);
    suite_add_tcase(suite, pure);
    return suite;
}
