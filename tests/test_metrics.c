/* SPDX-License-Identifier: GPL-2.0-or-later */
/* /metrics and /readyz: the text format, and numbers that tell what the store holds. */
#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "common/http.h"
#include "common/mem.h"
#include "fixture.h"
#include "scheduler/api/routes.h"
#include "scheduler/exposition.h"
#include "scheduler/metrics.h"
#include "scheduler/scheduler.h"
#include "scheduler_fixture.h"

Suite *metrics_suite(void);

/* ---- the text -------------------------------------------------------------------- */

START_TEST(samples_are_written_by_the_format) {
    struct buf out = {0};
    exposition_family(&out, "x_total", EXPOSITION_COUNTER, "Things.");
    exposition_sample(&out, "x_total", &(struct labels){{{"a", "one"}, {"b", "\"\\\n"}}}, 3);
    exposition_single(&out, "y_bytes", EXPOSITION_GAUGE, "Size.", 1099511627776);
    exposition_single(&out, "z_seconds", EXPOSITION_GAUGE, "Time.", 0.25);
    ck_assert_str_eq(buf_text(&out), "# HELP x_total Things.\n"
                                     "# TYPE x_total counter\n"
                                     "x_total{a=\"one\",b=\"\\\"\\\\\\n\"} 3\n"
                                     "# HELP y_bytes Size.\n"
                                     "# TYPE y_bytes gauge\n"
                                     "y_bytes 1099511627776\n"
                                     "# HELP z_seconds Time.\n"
                                     "# TYPE z_seconds gauge\n"
                                     "z_seconds 0.25\n");
    buf_finish(&out);
}
END_TEST

START_TEST(buckets_of_a_histogram_add_up) {
    static const histogram_bounds bounds = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    static const double values[] = {0, 1, 1.5, 11, 12, 1000};
    struct histogram histogram = {0};
    struct buf out = {0};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        histogram_observe(&histogram, bounds, values[i]);
    }
    exposition_histogram(&out, "h", &(struct labels){{{"k", "v"}}}, bounds, &histogram);
    const char *text = buf_text(&out);
    ck_assert_ptr_nonnull(strstr(text, "h_bucket{k=\"v\",le=\"1\"} 2\n")); /* a bound is within */
    ck_assert_ptr_nonnull(strstr(text, "h_bucket{k=\"v\",le=\"2\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "h_bucket{k=\"v\",le=\"10\"} 3\n"));
    ck_assert_ptr_nonnull(strstr(text, "h_bucket{k=\"v\",le=\"11\"} 4\n"));
    ck_assert_ptr_nonnull(strstr(text, "h_bucket{k=\"v\",le=\"+Inf\"} 6\n"));
    ck_assert_ptr_nonnull(strstr(text, "h_sum{k=\"v\"} 1025.5\nh_count{k=\"v\"} 6\n"));
    buf_finish(&out);
}
END_TEST

/* ---- what is counted --------------------------------------------------------------- */

static struct fixture_farm farm;
static struct routes routes;
static struct buf text; /* of the last look */

static void load(struct tx *tx, void *context) {
    (void)context;
    metrics_load(tx);
}

static void write_all(struct tx *tx, void *context) {
    (void)context;
    buf_clear(&text);
    metrics_write(tx, &routes, &text);
}

static const char *look(void) {
    routes.store = farm.store;
    routes.farm = &farm.farm;
    ck_assert_int_eq(store_call(farm.store, write_all, NULL, NULL), 0);
    return buf_text(&text);
}

static void open_farm(void) {
    fixture_farm_open(&farm);
    traffic_init(&routes.traffic);
}

static void close_farm(void) {
    buf_finish(&text);
    traffic_finish(&routes.traffic);
    fixture_farm_close(&farm);
}

/* The value of a sample, by its name and labels. */
static double sample(const char *name) {
    char *line = mem_format("\n%s ", name);
    const char *at = strstr(look(), line);
    ck_assert_msg(at != NULL, "no %s in %s", name, buf_text(&text));
    double value = strtod(at + strlen(line), NULL);
    mem_free(line);
    return value;
}

/* The lines of the gauges that follow states, owned. */
static char *gauges(void) {
    struct buf out = {0};
    for (const char *at = look(); *at != '\0'; at += strcspn(at, "\n") + 1) {
        if (strncmp(at, "reelfarm_titles{", 16) == 0 || strncmp(at, "reelfarm_units{", 15) == 0) {
            buf_format(&out, "%.*s\n", (int)strcspn(at, "\n"), at);
        }
    }
    char *copy = mem_string(buf_text(&out));
    buf_finish(&out);
    return copy;
}

/* What was counted on the way must be what a new start finds in the store. */
static void check_gauges(void) {
    char *before = gauges();
    fixture_farm_restart(&farm);
    ck_assert_int_eq(store_call(farm.store, load, NULL, NULL), 0);
    char *after = gauges();
    ck_assert_str_eq(before, after);
    mem_free(before);
    mem_free(after);
}

START_TEST(gauges_follow_the_store) {
    char session[ID_TEXT], error[256];
    check_gauges();
    fixture_submit(&farm, "waits", "fast", false);
    ck_assert_double_eq(sample("reelfarm_titles{state=\"submitted\"}"), 1);
    ck_assert_double_eq(sample("reelfarm_units{kind=\"probe\",state=\"ready\"}"), 1);
    check_gauges();
    ck_assert_int_eq(fixture_cancel(&farm, "waits"), 0);
    fixture_run_title(&farm, "t", "fast", 1, session);
    check_gauges();
    ck_assert_int_gt(fixture_work(&farm, session), 3);
    ck_assert_str_eq(fixture_state(&farm, "t", error, sizeof(error)), "done");
    ck_assert_double_eq(sample("reelfarm_titles{state=\"done\"}"), 1);
    ck_assert_double_eq(sample("reelfarm_titles{state=\"cancelled\"}"), 1);
    ck_assert_double_eq(sample("reelfarm_units{kind=\"swap\",state=\"done\"}"), 1);
    check_gauges();
    fixture_submit(&farm, "t", "fast", false); /* all of it is made before */
    fixture_work(&farm, session);
    ck_assert_double_gt(sample("reelfarm_unit_events_total{event=\"reuse\"}"), 3);
    check_gauges();
    fixture_submit(&farm, "t", "fast", true);
    fixture_lease_one(&farm, session);
    fixture_fail(&farm, farm.tasks[0].fence, FAILURE_UNSUPPORTED, "no");
    check_gauges();
}
END_TEST

START_TEST(counters_tell_of_work) {
    char session[ID_TEXT];
    fixture_run_title(&farm, "t", "fast", 1, session);
    ck_assert_double_eq(sample("reelfarm_slots"), 1);
    fixture_lease_one(&farm, session);
    farm.now_ms += 20000;
    fixture_beat(&farm, session, &farm.tasks[0].fence, 1);
    ck_assert_double_eq(sample("reelfarm_slots_busy"), 1);
    fixture_make(&farm, &farm.tasks[0]);
    ck_assert_double_eq(sample("reelfarm_leases_granted_total{kind=\"video\"}") +
                            sample("reelfarm_leases_granted_total{kind=\"audio\"}"),
                        1);
    ck_assert_double_eq(sample("reelfarm_leases_completed_total{kind=\"probe\"}"), 1);
    fixture_lease_one(&farm, session);
    fixture_fail(&farm, farm.tasks[0].fence, FAILURE_IO, "gone");
    ck_assert_double_eq(sample("reelfarm_leases_failed_total{class=\"io\"}"), 1);
    farm.now_ms += 2000;
    fixture_lease_one(&farm, session);
    fixture_lose(&farm);
    ck_assert_double_eq(sample("reelfarm_leases_lost_total"), 1);
    fixture_join(&farm, "w2", "h2", 1, session);
    fixture_lease_one(&farm, session);
    fixture_leave(&farm, session);
    ck_assert_double_eq(sample("reelfarm_leases_returned_total"), 1);
    fixture_join(&farm, "w2", "h2", 1, session);
    fixture_work(&farm, session);
    ck_assert_double_eq(sample("reelfarm_title_events_total{event=\"finish\"}"), 1);
    /* Each of 2 x 14 video units says two segments of 96 pictures, and the sound likewise. */
    ck_assert_double_gt(sample("reelfarm_frames_encoded_total{codec=\"h264\"}"), 1000);
    ck_assert_double_eq(sample("reelfarm_frames_encoded_total{codec=\"aac\"}"), 192);
    ck_assert_double_gt(sample("reelfarm_task_cpu_seconds_total{kind=\"video\"}"), 10);
    ck_assert_double_eq(sample("reelfarm_lease_duration_seconds_sum{kind=\"probe\"}"), 0);
    ck_assert_double_ge(sample("reelfarm_lease_duration_seconds_sum{kind=\"audio\"}") +
                            sample("reelfarm_lease_duration_seconds_sum{kind=\"video\"}"),
                        20);
}
END_TEST

START_TEST(what_is_leased_ahead_takes_no_slot) {
    char session[ID_TEXT];
    fixture_run_title(&farm, "t", "fast", 1, session);
    fixture_lease_one(&farm, session);
    farm.ahead = true;
    fixture_lease_one(&farm, session);
    ck_assert_double_eq(sample("reelfarm_slots_busy"), 1);
}
END_TEST

START_TEST(the_oldest_that_is_ready_has_an_age) {
    char session[ID_TEXT];
    ck_assert_double_eq(sample("reelfarm_ready_oldest_seconds"), 0);
    fixture_run_title(&farm, "t", "fast", 1, session);
    farm.now_ms += 7000;
    ck_assert_double_eq(sample("reelfarm_ready_oldest_seconds"), 7);
    struct fixture_held held;
    fixture_take_kind(&farm, &held, session, TASK_PACKAGE);
    farm.now_ms += 9000; /* the last unit is blocked: it waits for nobody's slot */
    ck_assert_double_eq(sample("reelfarm_ready_oldest_seconds"), 0);
    fixture_complete(&farm, held.fence, &held.report);
    farm.now_ms += 3000;
    ck_assert_double_eq(sample("reelfarm_ready_oldest_seconds"), 3); /* ready since then alone */
    fixture_drop(&held);
}
END_TEST

static void count_and_fail(struct tx *tx, void *context) {
    metric_add(tx, METRIC_LEASES_LOST, 0, 0, 1);
    if (context != NULL) {
        err_set(tx_err(tx), ERR_CONFLICT, "undone");
    }
}

START_TEST(what_is_undone_is_not_counted) {
    ck_assert_int_eq(store_call(farm.store, count_and_fail, &farm, NULL), ERR_CONFLICT);
    ck_assert_double_eq(sample("reelfarm_leases_lost_total"), 0);
    ck_assert_int_eq(store_call(farm.store, count_and_fail, NULL, NULL), 0);
    ck_assert_double_eq(sample("reelfarm_leases_lost_total"), 1);
}
END_TEST

/* ---- over HTTP ------------------------------------------------------------------------ */

static char *folder;
static struct scheduler *scheduler;
static struct http_client *client;
static struct http_response answer;

static void start(void) {
    struct scheduler_options options = scheduler_options_default();
    struct err err = {0};
    char *path = mem_format("%s/store.db", folder);
    options.store_path = path;
    ck_assert_msg(scheduler_start(&scheduler, &options, &err) == 0, "%s", err.message);
    ck_assert_int_eq(http_client_create(&client, NULL), 0);
    mem_free(path);
}

static void stop(void) {
    http_response_finish(&answer);
    http_client_destroy(client);
    scheduler_stop(scheduler);
}

static int get(const char *path, const char *token) {
    struct http_request request = http_request_default();
    struct err err = {0};
    char *url = mem_format("%s%s", scheduler_url(scheduler), path);
    request.url = url;
    request.bearer = token;
    ck_assert_msg(http_send(client, &request, &answer, &err) == 0, "%s", err.message);
    mem_free(url);
    return answer.status;
}

START_TEST(the_api_counts_its_answers) {
    folder = fixture_folder();
    start();
    const char *token = scheduler_token(scheduler);
    ck_assert_int_eq(get("/metrics", NULL), 401);
    ck_assert_int_eq(get("/v1/titles/none", token), 404);
    ck_assert_int_eq(get("/v1/titles/other", token), 404);
    ck_assert_int_eq(get("/nowhere", token), 404);
    ck_assert_int_eq(get("/v1/events?wait_ms=300", token), 200);
    ck_assert_int_eq(get("/healthz", NULL), 200);
    ck_assert_int_eq(get("/metrics", token), 200);
    ck_assert_str_eq(http_response_header(&answer, "content-type"), EXPOSITION_TYPE);
    static const char *const lines[] = {
        "reelfarm_http_requests_total{method=\"GET\",route=\"/metrics\",status=\"401\"} 1\n",
        "reelfarm_http_requests_total{method=\"GET\",route=\"/v1/titles/*\",status=\"404\"} 2\n",
        "reelfarm_http_requests_total{method=\"other\",route=\"other\",status=\"404\"} 1\n",
        "reelfarm_http_requests_total{method=\"GET\",route=\"/healthz\",status=\"200\"} 1\n",
        /* The wait for news is no work. */
        "reelfarm_http_request_duration_seconds_bucket{method=\"GET\",route=\"/v1/events\","
        "le=\"0.25\"} 1\n",
        "reelfarm_build_info{version=\"" REELFARM_VERSION "\"} 1\n",
    };
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        ck_assert_msg(strstr(buf_text(&answer.body), lines[i]) != NULL, "no %s in %s", lines[i],
                      buf_text(&answer.body));
    }
    stop();
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(a_full_scheduler_is_not_ready) {
    folder = fixture_folder();
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", 0, "size=1m") != 0) {
        printf("SKIP metrics a_full_scheduler_is_not_ready: no small disk can be mounted\n");
        fixture_folder_drop(folder);
        return;
    }
    start();
    ck_assert_int_eq(get("/readyz", NULL), 200);
    ck_assert_str_eq(buf_text(&answer.body), "{\"status\":\"ready\"}");
    char *path = mem_format("%s/rest", folder);
    FILE *rest = fopen(path, "we");
    char block[4096] = {0};
    ck_assert_ptr_nonnull(rest);
    while (fwrite(block, 1, sizeof(block), rest) == sizeof(block) && fflush(rest) == 0) {
    }
    fclose(rest);
    int status = 200;
    for (int i = 0; i < 20 && status == 200; i++) { /* what the log has room for goes on */
        struct timespec pause = {.tv_sec = 0, .tv_nsec = 200000000};
        nanosleep(&pause, NULL);
        status = get("/readyz", NULL);
    }
    ck_assert_int_eq(status, 503);
    ck_assert_str_eq(http_response_header(&answer, "content-type"), "application/problem+json");
    ck_assert_ptr_nonnull(strstr(buf_text(&answer.body), "the disk is full"));
    ck_assert_int_eq(get("/healthz", NULL), 200);
    ck_assert_int_eq(get("/readyz", NULL), 503); /* it does not become well by waiting */
    remove(path);
    ck_assert_int_eq(get("/readyz", NULL), 200);
    stop();
    mem_free(path);
    umount(folder);
    fixture_folder_drop(folder);
}
END_TEST

Suite *metrics_suite(void) {
    Suite *suite = suite_create("metrics");
    TCase *words = tcase_create("text");
    tcase_add_test(words, samples_are_written_by_the_format);
    tcase_add_test(words, buckets_of_a_histogram_add_up);
    suite_add_tcase(suite, words);
    TCase *counts = tcase_create("counts");
    tcase_add_checked_fixture(counts, open_farm, close_farm);
    tcase_add_test(counts, gauges_follow_the_store);
    tcase_add_test(counts, counters_tell_of_work);
    tcase_add_test(counts, what_is_leased_ahead_takes_no_slot);
    tcase_add_test(counts, the_oldest_that_is_ready_has_an_age);
    tcase_add_test(counts, what_is_undone_is_not_counted);
    suite_add_tcase(suite, counts);
    TCase *http = tcase_create("http");
    tcase_add_test(http, the_api_counts_its_answers);
    tcase_add_test(http, a_full_scheduler_is_not_ready);
    suite_add_tcase(suite, http);
    return suite;
}
