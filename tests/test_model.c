/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What work takes, as learned: the pure part, then over the store. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "scheduler/estimate.h"
#include "scheduler/model.h"
#include "scheduler/session.h"
#include "scheduler_fixture.h"

Suite *model_suite(void);

/* ---- one fit ----------------------------------------------------------------- */

START_TEST(nothing_known_is_the_table) {
    struct model_fit fit = {0};
    ck_assert_double_eq(model_factor(&fit), 1);
    ck_assert_double_eq(model_factor(NULL), 1);
    ck_assert_double_eq_tol(model_spread(&fit), 3, 0.01);
    ck_assert_double_eq_tol(model_spread(NULL), 3, 0.01);
    ck_assert_int_eq(model_memory(&fit, 1000), 1000);
    ck_assert_int_eq(model_memory(NULL, 1000), 1000);
    model_learn(&fit, 0, 1, 1); /* which are no reports */
    model_learn(&fit, 1, 0, 1);
    model_learn(&fit, 1, 1, 0);
    ck_assert_double_eq(fit.weight, 0);
}
END_TEST

START_TEST(reports_that_agree_are_believed) {
    struct model_fit fit = {0};
    model_learn(&fit, 4, 1, 1);
    ck_assert_double_eq_tol(model_factor(&fit), 2, 0.01); /* half believed */
    for (int i = 0; i < 50; i++) {
        model_learn(&fit, 4, 1, 1);
    }
    ck_assert_double_eq_tol(model_factor(&fit), 4, 0.3);
    ck_assert(model_spread(&fit) < 1.4);
    ck_assert_double_eq(fit.weight, MODEL_WEIGHT_MAX);
}
END_TEST

START_TEST(a_wild_report_moves_little_and_a_change_is_followed) {
    struct model_fit fit = {0};
    for (int i = 0; i < 40; i++) {
        model_learn(&fit, i % 2 == 0 ? 0.9 : 1.1, 1, 1);
    }
    model_learn(&fit, 1000, 1, 1);
    ck_assert(model_factor(&fit) < 1.05);
    for (int i = 0; i < 150; i++) {
        model_learn(&fit, 5, 1, 1);
    }
    ck_assert_double_eq_tol(model_factor(&fit), 5, 0.5);
}
END_TEST

START_TEST(a_part_of_a_task_weighs_less) {
    struct model_fit whole = {0}, part = {0};
    for (int i = 0; i < 4; i++) {
        model_learn(&whole, 2, 1, 1);
        model_learn(&part, 2, 1, 0.1);
    }
    ck_assert(model_factor(&part) < model_factor(&whole));
    ck_assert_double_eq_tol(part.weight, 0.4, 1e-9);
}
END_TEST

START_TEST(memory_is_never_guessed_below_a_peak_of_late) {
    const int64_t table = INT64_C(4) << 30;
    struct model_fit fit = {0};
    for (int i = 0; i < MODEL_MEMORY_REPORTS - 1; i++) {
        model_learn(&fit, 1, 4, 1);
        ck_assert_int_eq(model_memory(&fit, table), table); /* too few to doubt it */
    }
    model_learn(&fit, 1, 4, 1);
    int64_t bytes = model_memory(&fit, table);
    ck_assert(bytes < table / 2 && bytes > table / 4 * 5 / 4);
    model_learn(&fit, 3, 4, 1); /* one peak that is far above the rest */
    for (int i = 0; i < 5; i++) {
        model_learn(&fit, 1, 4, 1);
    }
    ck_assert(model_memory(&fit, table) > table / 4 * 3);
    for (int i = 0; i < 20; i++) {
        model_learn(&fit, 8, 4, 1);
    }
    ck_assert_int_eq(model_memory(&fit, table), table); /* its child is limited to so much */
}
END_TEST

START_TEST(rows_are_found_by_number_and_name) {
    struct model model = {0};
    char name[MODEL_NAME_TEXT], other[MODEL_NAME_TEXT];
    for (int64_t id = 2; id < 40; id += 3) {
        snprintf(other, sizeof(other), "node%d", (int)id);
        model_host_name(name, other);
        model_add(&model, id, name);
    }
    for (int64_t id = 0; id < 45; id++) {
        bool is_there = id >= 2 && id < 40 && id % 3 == 2;
        ck_assert(is_there == (model_find(&model, id) != NULL));
    }
    for (int64_t id = 2; id < 40; id += 3) {
        snprintf(other, sizeof(other), "node%d", (int)id);
        model_host_name(name, other);
        ck_assert_int_eq(model_find_name(&model, name)->id, id);
        model_worker_name(name, other);
        ck_assert_ptr_null(model_find_name(&model, name));
    }
    model_class_name(name, "x264", "fast", 1280 * 720);
    ck_assert_ptr_null(model_find_name(&model, name));
    model_class_name(other, "x264", "fast", 1 << 20);
    ck_assert_str_eq(name, other);
    model_class_name(other, "x264", "fast", (1 << 20) + 1);
    ck_assert_str_ne(name, other);
    model_finish(&model);
}
END_TEST

/* ---- over the store ---------------------------------------------------------- */

static struct fixture_farm farm;
static char session[ID_TEXT];

static void open_farm(void) {
    fixture_farm_open(&farm);
}

static void close_farm(void) {
    fixture_farm_close(&farm);
}

/* Does so many video tasks of a session, each in `times` the seconds that the table says, with a
 * peak of that part of its limit. */
static void make_videos_by(const char *by, int count, double times, double memory) {
    for (int i = 0; i < count; i++) {
        struct fixture_held held;
        fixture_take_kind(&farm, &held, by, TASK_VIDEO);
        double table_s = 0;
        for (size_t j = 0; j < held.count; j++) {
            table_s += fixture_unit(&farm, held.units[j]).table_s;
        }
        held.report.stats.wall_s = times * table_s;
        held.report.stats.peak_memory = (int64_t)(memory * (double)held.memory_bytes);
        ck_assert_int_eq(fixture_complete(&farm, held.fence, &held.report), ANSWER_ACCEPTED);
        fixture_drop(&held);
    }
}

static void make_videos(int count, double times, double memory) {
    make_videos_by(session, count, times, memory);
}

struct asking {
    int64_t unit;
    const char *host, *worker;
    struct estimate estimate;
};

static void run_estimate(struct tx *tx, void *context) {
    struct asking *asking = context;
    struct unit_row unit;
    ck_assert(unit_find(tx, asking->unit, &unit));
    struct estimate_place place = {.host = asking->host, .worker = asking->worker};
    asking->estimate = estimate_task(tx, &farm.farm, &unit, 1, &place, INT64_C(1) << 32);
}

static struct estimate estimate_at(int64_t unit, const char *host, const char *worker) {
    struct asking asking = {.unit = unit, .host = host, .worker = worker};
    ck_assert_int_eq(store_call(farm.store, run_estimate, &asking, NULL), 0);
    return asking.estimate;
}

/* Of a worker that has not run anything. */
static struct estimate estimate(int64_t unit, const char *host) {
    return estimate_at(unit, host, "new");
}

START_TEST(reports_correct_what_is_expected_and_outlive_the_scheduler) {
    struct fixture_held held;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_take_kind(&farm, &held, session, TASK_VIDEO);
    int64_t unit = held.units[0];
    double table_s = fixture_unit(&farm, unit).table_s;
    ck_assert_double_eq_tol(estimate(unit, "host1").wall_s, table_s, 1e-9);
    ck_assert_int_eq(estimate(unit, "host1").reserve_bytes, INT64_C(1) << 32);
    make_videos(8, 3, 0.25);
    struct estimate after = estimate(unit, "host1");
    ck_assert(after.wall_s > 2 * table_s && after.wall_s < 4 * table_s);
    ck_assert(after.spread < 3);
    ck_assert(estimate(unit, "host2").wall_s < after.wall_s); /* a part of it is the host's */
    fixture_farm_restart(&farm);
    ck_assert_double_eq_tol(estimate(unit, "host1").wall_s, after.wall_s, 1e-9);
    fixture_drop(&held);
}
END_TEST

START_TEST(memory_that_is_known_lets_more_in) {
    struct fixture_held held;
    fixture_run_title(&farm, "a", "h264", 1, session);
    make_videos(14, 1, 0.25); /* all of them */
    fixture_work(&farm, session);
    fixture_submit(&farm, "t", "h264", true);
    fixture_take_kind(&farm, &held, session, TASK_VIDEO);
    make_videos(2, 1, 0.25);
    ck_assert_int_eq(fixture_lease(&farm, session, 1), 0);
    ck_assert_int_eq(farm.tasks[0].kind, TASK_VIDEO);
    ck_assert(farm.tasks[0].reserve_bytes < farm.tasks[0].memory_bytes);
    ck_assert(farm.tasks[0].reserve_bytes >= farm.tasks[0].memory_bytes / 4);
    ck_assert_int_eq(farm.tasks[0].memory_bytes, held.memory_bytes); /* its limit stays */
    fixture_drop(&held);
}
END_TEST

START_TEST(a_slow_worker_is_told_from_its_host) {
    char slow[ID_TEXT];
    struct fixture_held held;
    fixture_run_title(&farm, "t", "h264", 1, session);
    fixture_join(&farm, "slow", "host1", 1, slow);
    fixture_take_kind(&farm, &held, session, TASK_VIDEO);
    int64_t unit = held.units[0];
    double table_s = fixture_unit(&farm, unit).table_s;
    for (int i = 0; i < 12; i++) {
        char name[16];
        snprintf(name, sizeof(name), "t%d", i);
        fixture_submit(&farm, name, "h264", false);
        make_videos_by(session, 3, 1, 0.25);
        make_videos_by(slow, 3, 4, 0.25);
    }
    double usual_s = estimate_at(unit, "host1", "w1").wall_s;
    double slow_s = estimate_at(unit, "host1", "slow").wall_s;
    double new_s = estimate_at(unit, "host1", "new").wall_s;
    ck_assert_msg(usual_s > 0.7 * table_s && usual_s < 1.4 * table_s, "%f", usual_s / table_s);
    ck_assert_msg(slow_s > 2.8 * table_s && slow_s < 5.6 * table_s, "%f", slow_s / table_s);
    ck_assert(new_s > usual_s && new_s < slow_s); /* as its host */
    fixture_drop(&held);
}
END_TEST

static const char pictured[] = "rungs:\n"
                               "  - {height: 240, maxrate: 500k}\n"
                               "codec: h264\n"
                               "crf: 25\n"
                               "images: true\n";

static void run_join(struct tx *tx, void *context) {
    const struct session_encoder encoders[] = {
        {.name = "x264", .codec = "h264", .build_line = FIXTURE_BUILD, .tail_frames = 40},
        {.name = PLAN_IMAGES_ENCODER, .codec = "av1", .build_line = "images test"},
    };
    const struct session_request request = {.worker = "w1",
                                            .host = "host1",
                                            .pid = 1,
                                            .slots = 1,
                                            .memory_bytes = INT64_C(1) << 36,
                                            .encoders = encoders,
                                            .encoder_count = 2};
    (void)context;
    session_add(tx, &farm.farm, &request, session);
}

/* Posters and storyboards are learned of as film and sound are. */
START_TEST(images_teach_what_they_take) {
    struct fixture_held held = {0};
    double table_s = 0;
    ck_assert_int_eq(store_call(farm.store, run_join, NULL, NULL), 0);
    for (int i = 0; i < 16; i++) { /* of each title a poster, and a storyboard */
        char name[16];
        snprintf(name, sizeof(name), "t%d", i / 2);
        if (i % 2 == 0) {
            ck_assert_int_eq(fixture_submit(&farm, name, pictured, false), 0);
        }
        fixture_drop(&held);
        fixture_take_kind(&farm, &held, session, TASK_IMAGES);
        table_s = fixture_unit(&farm, held.units[0]).table_s;
        held.report.stats.wall_s = 3 * table_s;
        ck_assert_int_eq(fixture_complete(&farm, held.fence, &held.report), ANSWER_ACCEPTED);
    }
    double expected_s = estimate(held.units[0], "host1").wall_s;
    ck_assert_msg(expected_s > 2 * table_s && expected_s < 4 * table_s, "%f of %f", expected_s,
                  table_s);
    fixture_drop(&held);
}
END_TEST

Suite *model_suite(void) {
    Suite *suite = suite_create("model");
    TCase *fit = tcase_create("fit");
    suite_add_tcase(suite, fit);
    tcase_add_test(fit, nothing_known_is_the_table);
    tcase_add_test(fit, reports_that_agree_are_believed);
    tcase_add_test(fit, a_wild_report_moves_little_and_a_change_is_followed);
    tcase_add_test(fit, a_part_of_a_task_weighs_less);
    tcase_add_test(fit, memory_is_never_guessed_below_a_peak_of_late);
    tcase_add_test(fit, rows_are_found_by_number_and_name);
    TCase *stored = tcase_create("stored");
    suite_add_tcase(suite, stored);
    tcase_add_checked_fixture(stored, open_farm, close_farm);
    tcase_add_test(stored, reports_correct_what_is_expected_and_outlive_the_scheduler);
    tcase_add_test(stored, memory_that_is_known_lets_more_in);
    tcase_add_test(stored, images_teach_what_they_take);
    tcase_add_test(stored, a_slow_worker_is_told_from_its_host);
    return suite;
}
