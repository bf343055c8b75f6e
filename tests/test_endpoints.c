/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of endpoints: what it may say, and what its rules come to. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "common/mem.h"
#include "fixture.h"
#include "scheduler/publishing/endpoints.h"
#include "scheduler/publishing/hook_events.h"
#include "scheduler/scheduler.h"

Suite *endpoints_suite(void);

static struct endpoints endpoints;
static struct err err;

static int parse(const char *text) {
    err = (struct err){0};
    return endpoints_parse(&endpoints, text, strlen(text), "edges.yaml", &err);
}

static void finish(void) {
    endpoints_finish(&endpoints);
}

START_TEST(all_that_it_may_say) {
    static const char text[] = "endpoints:\n"
                               "  - name: edge-1\n"
                               "    driver: dav\n"
                               "    url: https://edge-1.example/vod/\n"
                               "  - name: edge-2\n"
                               "    driver: pull\n"
                               "    url: http://varnish.example:6081/vod\n"
                               "    serves: https://cdn.example/vod/\n"
                               "    fill: score >= 0.25\n"
                               "    label: kind=film\n"
                               "    tenant: news\n"
                               "    max_height: 720\n"
                               "    pushes: 9\n"
                               "    connections: 30\n"
                               "    bandwidth_bps: 50000000\n"
                               "    window: 22:30-06:00\n"
                               "    verify_segments: 0\n"
                               "  - {name: copy, driver: s3, url: 's3://copy/vod', fill: never,\n"
                               "     max_height: 480, falls_back: true, bandwidth_bps: 1000}\n"
                               "  - {name: cat, driver: catalog, url: 'https://catalog.example', "
                               "serves: 'https://play.example'}\n";
    ck_assert_msg(parse(text) == 0, "%s", err.message);
    ck_assert_uint_eq(endpoints.count, 4);
    const struct endpoint *first = endpoints_find(&endpoints, "edge-1");
    ck_assert_str_eq(first->push.url, "https://edge-1.example/vod");
    ck_assert_str_eq(first->push.serves, "");
    ck_assert_int_eq(first->fill, FILL_ALWAYS);
    ck_assert_int_eq(first->pushes, ENDPOINT_PUSHES);
    ck_assert_int_eq(first->push.connections, ENDPOINT_CONNECTIONS);
    ck_assert_int_eq(first->push.verify_segments, ENDPOINT_VERIFY_SEGMENTS);
    ck_assert(!first->is_catalog && !first->has_window);
    const struct endpoint *second = endpoints_find(&endpoints, "edge-2");
    ck_assert_str_eq(second->push.driver, "pull");
    ck_assert_str_eq(second->push.serves, "https://cdn.example/vod");
    ck_assert_int_eq(second->fill, FILL_SCORE);
    ck_assert_double_eq(second->score, 0.25);
    ck_assert_str_eq(second->label, "kind=film");
    ck_assert_str_eq(second->tenant, "news");
    ck_assert_int_eq(second->push.max_height, 720);
    ck_assert(second->push.falls_back); /* a cache always does */
    ck_assert_int_eq(second->pushes, 9);
    ck_assert_int_eq(second->push.connections, 30);
    ck_assert_int_eq(second->push.bandwidth_bps, 50000000);
    ck_assert_int_eq(second->push.verify_segments, 0);
    ck_assert_int_eq(second->opens_ms, (22 * 60 + 30) * 60000);
    ck_assert_int_eq(second->closes_ms, 6 * 60 * 60000);
    ck_assert_int_eq(endpoints_find(&endpoints, "copy")->fill, FILL_NEVER);
    ck_assert_int_eq(endpoints_find(&endpoints, "copy")->pushes, 1); /* has all the bandwidth */
    ck_assert_int_eq(endpoints_find(&endpoints, "copy")->push.max_height, 480);
    ck_assert(endpoints_find(&endpoints, "cat")->is_catalog);
    ck_assert_ptr_null(endpoints_find(&endpoints, "edge"));
    char fill[32];
    endpoint_fill_text(second, fill, sizeof(fill));
    ck_assert_str_eq(fill, "score >= 0.25");
}
END_TEST

#define EDGE "endpoints:\n  - name: e\n    driver: dav\n    url: http://e.example\n"

/* Workers must know, though it is brought all rungs. */
START_TEST(an_edge_that_falls_back_says_so) {
    static const struct {
        const char *text;
        bool falls_back;
    } cases[] = {{EDGE "    falls_back: true\n", true},
                 {EDGE "    falls_back: false\n", false},
                 {EDGE, false}};
    ck_assert_int_eq(parse(cases[_i].text), 0);
    ck_assert_int_eq(endpoints_find(&endpoints, "e")->push.falls_back, cases[_i].falls_back);
    ck_assert_int_eq(endpoints_find(&endpoints, "e")->push.max_height, 0);
}
END_TEST

/* What is removed there would be the only copy; a cache before it keeps nothing. */
START_TEST(an_edge_at_the_output_s_own_address_is_refused) {
    static const struct {
        const char *rest;
        int code;
    } cases[] = {{"driver: dav}\n", ERR_INVALID},
                 {"driver: dav, falls_back: true}\n", ERR_INVALID},
                 {"driver: pull}\n", 0}};
    struct scheduler_options options = scheduler_options_default();
    struct scheduler *scheduler = NULL;
    char *folder = fixture_folder();
    char *store = fixture_store(folder);
    char *path = mem_format("%s/edges.yaml", folder);
    char *text = mem_format("endpoints:\n  - {name: e, url: 'http://vod.example/films/', %s",
                            cases[_i].rest);
    fixture_write(folder, "edges.yaml", text, strlen(text));
    options.store_path = store;
    options.endpoints = path;
    options.public_outputs = "/srv/films=http://vod.example/films";
    err = (struct err){0};
    ck_assert_int_eq(scheduler_start(&scheduler, &options, &err), cases[_i].code);
    ck_assert(cases[_i].code == 0 || strstr(err.message, "is the output itself") != NULL);
    scheduler_stop(scheduler);
    mem_free(text);
    mem_free(path);
    mem_free(store);
    fixture_folder_drop(folder);
}
END_TEST

/* What was brought to another place, or is read elsewhere, is not there. */
START_TEST(a_place_is_where_it_is_and_how_it_is_spoken_to) {
    static const struct {
        const char *text;
        bool same;
    } cases[] = {{EDGE, true},
                 {EDGE "    serves: http://e.example/\n    pushes: 7\n    fill: never\n", true},
                 {EDGE "    serves: http://other.example\n", false},
                 {"endpoints:\n  - name: e\n    driver: pull\n    url: http://e.example\n", false},
                 {"endpoints:\n  - name: e\n    driver: dav\n    url: http://f.example\n", false}};
    char place[SHA256_TEXT];
    ck_assert_int_eq(parse(EDGE), 0);
    snprintf(place, sizeof(place), "%s", endpoints_find(&endpoints, "e")->place);
    endpoints_finish(&endpoints);
    ck_assert_msg(parse(cases[_i].text) == 0, "%s", err.message);
    ck_assert_int_eq(strcmp(endpoints_find(&endpoints, "e")->place, place) == 0, cases[_i].same);
}
END_TEST

#define HOOK(url, more) "endpoints:\n  - {name: h, driver: webhook, url: '" url "'" more "}\n"

START_TEST(a_webhook_has_rules_of_its_own) {
    ck_assert_msg(parse(HOOK("https://h.example/a/?key=1", ", batch: true, tenant: news, "
                                                           "max_age_s: 60, attempts: 3, "
                                                           "timeout_s: 2, source: /farm, "
                                                           "handshake: farm.example.com, "
                                                           "events: [title.done, title.failed]")) ==
                      0,
                  "%s", err.message);
    const struct endpoint *hook = &endpoints.list[0];
    ck_assert(hook->is_hook && hook->hook.batch);
    ck_assert_str_eq(hook->push.url, "https://h.example/a/?key=1"); /* as it stands */
    ck_assert_int_eq(hook->hook.events,
                     hook_event_parse("title.done") | hook_event_parse("title.failed"));
    ck_assert_int_eq(hook->hook.max_age_ms, 60000);
    ck_assert_int_eq(hook->hook.timeout_ms, 2000);
    ck_assert_int_eq(hook->hook.attempts, 3);
    ck_assert_str_eq(hook->hook.source, "/farm");
    ck_assert_str_eq(hook->hook.origin, "farm.example.com");
    ck_assert_str_eq(hook->tenant, "news");
    const struct wanting wanting = {.tenant = "news"};
    ck_assert(!endpoint_wants(hook, &wanting)); /* of titles it holds none */
    finish();
    ck_assert_int_eq(parse(HOOK("http://h.example", "")), 0);
    ck_assert_int_eq(endpoints.list[0].hook.events, hook_events_default());
    ck_assert_str_eq(endpoints.list[0].hook.origin, "");
}
END_TEST

/* Files that are refused, and what the sentence has. */
static const struct {
    const char *text;
    const char *says;
} lies[] = {
    {"edges: []\n", "edges"},
    {"endpoints: 3\n", "endpoints"},
    {"endpoints:\n  - {name: E, driver: dav, url: 'http://e'}\n",
     "edges.yaml:2: endpoints[0].name"},
    {"endpoints:\n  - {name: e, driver: ftp, url: 'http://e'}\n", "dav"},
    {"endpoints:\n  - {name: e, driver: dav, url: 'ftp://e'}\n", "http://"},
    {"endpoints:\n  - {name: e, driver: dav}\n", "url"},
    {"endpoints:\n  - {name: e, driver: dav, url: 'http://'}\n", "must have a host"},
    {"endpoints:\n  - {name: e, driver: dav, url: 'http://:80/a'}\n", "must have a host"},
    {"endpoints:\n  - {name: e, driver: dav, url: 'http://e/a?b=c'}\n", "titles lie below it"},
    {"endpoints:\n  - {name: e, driver: dav, url: 'http://e/a#b'}\n", "titles lie below it"},
    {"endpoints:\n  - {name: e, driver: dav, url: \"http://e/\\x01\"}\n", "titles lie below it"},
    {EDGE "    serves: 'http://p/a?token=b'\n", "serves"},
    {"endpoints:\n  - {name: e, driver: dav, url: 'http://me:secret@e/'}\n", "no user or password"},
    {EDGE "    password: x\n", "password"},
    {EDGE "    fill: sometimes\n", "score >= NUMBER"},
    {EDGE "    fill: score >= much\n", "score >= NUMBER"},
    {EDGE "    fill: score >= -1\n", "score >= NUMBER"},
    {EDGE "    label: film\n", "NAME=VALUE"},
    {EDGE "    tenant: a b\n", "tenant"},
    {EDGE "    max_height: 720\n", "falls_back: true"},
    {"endpoints: [{name: a, driver: pull, url: 'http://a', lists: true}]\n", "dav or s3"},
    {"endpoints:\n  - {name: c, driver: catalog, url: 'http://c', serves: 'http://p', max_height: "
     "9, falls_back: "
     "true}\n",
     "max_height"},
    {"endpoints:\n  - {name: c, driver: catalog, url: 'http://c'}\n", "serves"},
    {EDGE "    pushes: 0\n", "pushes"},
    {EDGE "    connections: 1000\n", "connections"},
    {EDGE "    bandwidth_bps: 0\n", "bandwidth_bps"},
    {EDGE "    window: 22-6\n", "22:00-06:00"},
    {EDGE "    window: 22:00-22:00\n", "22:00-06:00"},
    {EDGE "    window: 22:61-06:00\n", "22:00-06:00"},
    {EDGE "    window: 25:00-06:00\n", "22:00-06:00"},
    {EDGE "  - {name: e, driver: dav, url: 'http://f'}\n", "twice"},
    {HOOK("s3://e/a", ""), "of a webhook"},
    {HOOK("http://", ""), "of a webhook"},
    {HOOK("http://e/a#b", ""), "of a webhook"},
    {HOOK("http://me:secret@e/", ""), "no user or password"},
    {HOOK("http://e", ", fill: always"), "fill"},
    {HOOK("http://e", ", events: []"), "at least one"},
    {HOOK("http://e", ", events: [title.finish]"), "title.done"},
    {HOOK("http://e", ", source: 'a b'"), "source"},
    {HOOK("http://e", ", attempts: 0"), "attempts"},
    {HOOK("http://e", ", timeout_s: 1000"), "timeout_s"},
    {HOOK("http://e", ", handshake: true"), "handshake"},
    {HOOK("http://e", ", handshake: 'http://farm.example'"), "a DNS name"},
    {EDGE "    batch: true\n", "batch"},
};

START_TEST(what_is_wrong_is_said_in_a_sentence) {
    ck_assert_int_eq(parse(lies[_i].text), ERR_INVALID);
    ck_assert_msg(strncmp(err.message, "edges.yaml", 10) == 0, "%s", err.message);
    ck_assert_msg(strstr(err.message, lies[_i].says) != NULL, "%s", err.message);
    ck_assert_ptr_null(strstr(err.message, "me:secret"));
}
END_TEST

START_TEST(no_file_has_none_and_a_missing_one_is_told) {
    ck_assert_int_eq(endpoints_load(&endpoints, NULL, &err), 0);
    ck_assert_uint_eq(endpoints.count, 0);
    ck_assert_int_eq(endpoints_load(&endpoints, "/nonexistent/edges.yaml", &err), ERR_NOT_FOUND);
}
END_TEST

/* Fill rules and filters, and whether a title of tenant news, labels kind=film and hd=yes, of
 * such a score is wanted. */
static const struct {
    const char *rules;
    double score;
    bool wanted;
} rules[] = {
    {"    fill: always\n", 0, true},
    {"    fill: on-demand\n", 9, false},
    {"    fill: never\n", 9, false},
    {"    fill: score >= 0.5\n", 0.5, true},
    {"    fill: score >= 0.5\n", 0.49, false},
    {"    fill: score >= 0\n", 0, true},
    {"    label: hd=yes\n", 0, true},
    {"    label: hd=no\n", 0, false},
    {"    tenant: news\n", 0, true},
    {"    tenant: films\n", 0, false},
    {"    label: kind=film\n    tenant: films\n", 0, false},
    {"    label: kind=film\n    tenant: news\n    fill: score >= 2\n", 1, false},
};

START_TEST(rules_say_what_is_wanted) {
    static const char *const labels[] = {"kind=film", "hd=yes"};
    char text[512] = EDGE;
    struct wanting wanting = {
        .tenant = "news", .labels = labels, .label_count = 2, .score = rules[_i].score};
    strncat(text, rules[_i].rules, sizeof(text) - strlen(text) - 1);
    ck_assert_msg(parse(text) == 0, "%s", err.message);
    ck_assert_int_eq(endpoint_wants(&endpoints.list[0], &wanting), rules[_i].wanted);
}
END_TEST

/* Windows, a time of the day in minutes, whether it is open, and minutes until it is not so. */
static const struct {
    const char *window;
    int at, open, turns_in;
} windows[] = {
    {"08:00-10:00", 7 * 60, 0, 60},       {"08:00-10:00", 8 * 60, 1, 120},
    {"08:00-10:00", 10 * 60, 0, 22 * 60}, {"22:00-06:00", 23 * 60, 1, 7 * 60},
    {"22:00-06:00", 5 * 60, 1, 60},       {"22:00-06:00", 6 * 60, 0, 16 * 60},
    {"22:00-06:00", 21 * 60 + 59, 0, 1},  {"00:00-24:00", 12 * 60, 1, 12 * 60},
};

START_TEST(windows_open_and_close) {
    static const int64_t day = INT64_C(20000) * DAY_MS;
    char text[512] = EDGE "    window: ";
    strncat(text, windows[_i].window, sizeof(text) - strlen(text) - 1);
    ck_assert_msg(parse(text) == 0, "%s", err.message);
    int64_t now = day + windows[_i].at * INT64_C(60000);
    ck_assert_int_eq(endpoint_window_open(&endpoints.list[0], now), windows[_i].open);
    ck_assert_int_eq(endpoint_window_turns(&endpoints.list[0], now) - now,
                     windows[_i].turns_in * INT64_C(60000));
}
END_TEST

Suite *endpoints_suite(void) {
    Suite *suite = suite_create("endpoints");
    TCase *tests = tcase_create("endpoints");
    tcase_add_checked_fixture(tests, NULL, finish);
    tcase_add_test(tests, all_that_it_may_say);
    tcase_add_loop_test(tests, an_edge_that_falls_back_says_so, 0, 3);
    tcase_add_loop_test(tests, an_edge_at_the_output_s_own_address_is_refused, 0, 3);
    tcase_add_loop_test(tests, a_place_is_where_it_is_and_how_it_is_spoken_to, 0, 5);
    tcase_add_test(tests, a_webhook_has_rules_of_its_own);
    tcase_add_loop_test(tests, what_is_wrong_is_said_in_a_sentence, 0,
                        sizeof(lies) / sizeof(lies[0]));
    tcase_add_test(tests, no_file_has_none_and_a_missing_one_is_told);
    tcase_add_loop_test(tests, rules_say_what_is_wanted, 0, sizeof(rules) / sizeof(rules[0]));
    tcase_add_loop_test(tests, windows_open_and_close, 0, sizeof(windows) / sizeof(windows[0]));
    suite_add_tcase(suite, tests);
    return suite;
}
