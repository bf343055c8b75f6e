/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Webhooks without HTTP: which events, as which CloudEvents, how soon again; and the outbox, with
 * receivers that are made up. Real ones: tests/edges/hooks. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "publish_fixture.h"
#include "scheduler/events.h"
#include "scheduler/publishing/hook_events.h"
#include "scheduler/publishing/hooks.h"
#include "scheduler/removal.h"

Suite *hooks_suite(void);

/* ---- pure ----------------------------------------------------------------------------------- */

START_TEST(each_event_has_a_bit_and_a_name) {
    int64_t seen = 0;
    for (size_t i = 0; hook_event_at(i) != NULL; i++) {
        int64_t bit = hook_event_parse(hook_event_at(i));
        ck_assert(bit != 0 && (bit & (bit - 1)) == 0 && (seen & bit) == 0);
        seen |= bit;
    }
    ck_assert_int_eq(hook_event_bit("title.finish"), hook_event_parse("title.done"));
    ck_assert_str_eq(hook_event_name("title.drop"), "title.removed");
    ck_assert_int_eq(hook_event_bit("unit.lease") | hook_event_parse("title.finish"), 0);
    ck_assert_ptr_null(hook_event_name("unit.lease"));
    ck_assert_int_eq(hook_events_default() & hook_event_parse("publication.held"), 0);
    ck_assert_int_ne(hook_events_default() & hook_event_parse("title.published"), 0);
    ck_assert_int_eq(hook_events_default() & ~seen, 0);
}
END_TEST

START_TEST(a_cloud_event_has_all_that_it_must) {
    static const char *const labels[] = {"show=\"news\"", "lang=en"};
    const struct hook_facts facts = {.event = 41,
                                     .title = "movie",
                                     .tenant = "studio",
                                     .labels = labels,
                                     .label_count = 2,
                                     .trace = "0123456789abcdef0123456789abcdef",
                                     .detail = "{\"version\":\"aaaaaaaaaaaaaaaa\"}"};
    struct buf data = {0}, text = {0};
    hook_data_write(&facts, &data);
    const struct cloud_event event = {.event = 41,
                                      .at = INT64_C(1790000000123),
                                      .source = HOOK_SOURCE,
                                      .title = "movie",
                                      .kind = "title.finish",
                                      .data = buf_text(&data)};
    cloud_event_write(&event, &text);
    ck_assert_str_eq(
        buf_text(&text),
        "{\"specversion\":\"1.0\",\"id\":\"41-1790000000123\",\"source\":\"urn:reelfarm:farm\","
        "\"type\":\"org.reelfarm.title.done\",\"subject\":\"movie\","
        "\"time\":\"2026-09-21T14:13:20.123Z\",\"sequence\":\"00000000000000000041\","
        "\"datacontenttype\":\"application/json\",\"data\":{\"event\":41,\"title\":\"movie\","
        "\"tenant\":\"studio\",\"labels\":[\"show=\\\"news\\\"\",\"lang=en\"],"
        "\"trace\":\"0123456789abcdef0123456789abcdef\","
        "\"detail\":{\"version\":\"aaaaaaaaaaaaaaaa\"}}}");
    buf_finish(&data);
    buf_finish(&text);
}
END_TEST

static uint64_t draw_least(uint64_t bound) {
    (void)bound;
    return 0;
}

static uint64_t draw_most(uint64_t bound) {
    return bound - 1;
}

/* How long after so many failures, at least and at most. */
static const struct {
    int64_t failures;
    int64_t retry_after_s;
    int64_t least_ms;
    int64_t most_ms;
} pauses[] = {
    {1, 0, 2500, 5000},        {2, 0, 5000, 10000},       {5, 0, 40000, 80000},
    {10, 0, 1280000, 2560000}, {11, 0, 1800000, 3600000}, {1000000, 0, 1800000, 3600000},
    {1, 3, 3000, 5000},        {1, 60, 60000, 60000},     {1, INT64_MAX, 3600000, 3600000},
};

START_TEST(what_failed_waits_longer_each_time) {
    int64_t least = hook_pause_ms(pauses[_i].failures, pauses[_i].retry_after_s, draw_least);
    int64_t most = hook_pause_ms(pauses[_i].failures, pauses[_i].retry_after_s, draw_most);
    ck_assert_int_eq(least, pauses[_i].least_ms);
    ck_assert_int_eq(most, pauses[_i].most_ms);
}
END_TEST

static const struct {
    int status;
    enum hook_verdict verdict;
} answers[] = {
    {200, HOOK_TAKEN}, {202, HOOK_TAKEN}, {204, HOOK_TAKEN},   {299, HOOK_TAKEN},
    {0, HOOK_DOWN},    {302, HOOK_DOWN},  {400, HOOK_REFUSED}, {401, HOOK_DOWN},
    {404, HOOK_DOWN},  {410, HOOK_GONE},  {415, HOOK_REFUSED}, {422, HOOK_REFUSED},
    {429, HOOK_BUSY},  {500, HOOK_DOWN},  {503, HOOK_DOWN},
};

START_TEST(an_answer_means_one_thing) {
    ck_assert_int_eq(hook_judge(answers[_i].status), answers[_i].verdict);
}
END_TEST

static const struct {
    const char *origin; /* as the receiver answers; NULL: without it */
    const char *rate;
    int allows; /* requests a minute; 0: any; -1: none */
} leaves[] = {
    {"farm.example.com", "120", 120},
    {"FARM.example.com", "1", 1},
    {"*", "*", 0},
    {"*", NULL, 0},
    {"*", "99999999999999999999", HOOK_RATE_MAX},
    {NULL, NULL, -1},
    {NULL, "*", -1},
    {"", "*", -1},
    {"example.com", "*", -1},
    {"farm.example.com, *", "*", -1},
    {"*", "0", -1},
    {"*", "-1", -1},
    {"*", "", -1},
    {"*", " 7", -1},
    {"*", "7 a minute", -1},
};

START_TEST(leave_is_what_the_headers_say) {
    int rate = -1;
    const char *refused =
        hook_leave_refused("farm.example.com", leaves[_i].origin, leaves[_i].rate, &rate);
    ck_assert_int_eq(refused == NULL ? rate : -1, leaves[_i].allows);
}
END_TEST

START_TEST(a_farm_asks_by_a_dns_name) {
    static const char *const names[] = {"", ".", "-a", "a..b", "http://a", "a b", "a\r\nB: c", "*"};
    ck_assert(hook_origin_valid("farm.example.com") && hook_origin_valid("farm"));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        ck_assert_msg(!hook_origin_valid(names[i]), "%s", names[i]);
    }
}
END_TEST

/* ---- the outbox ------------------------------------------------------------------------------ */

#define HOOK(more)                                                                                 \
    "endpoints:\n"                                                                                 \
    "  - {name: h, driver: webhook, url: 'http://h.example/events?key=1'" more "}\n"

static struct world world;

static void close_world(void) {
    world_close(&world);
}

static void open_world(void) {
    world_open(&world, HOOK(""));
}

struct happening {
    const char *title;
    const char *event;
    int count;
};

static void run_happen(struct tx *tx, void *context) {
    const struct happening *happening = context;
    for (int i = 0; i < happening->count; i++) {
        event_add(tx, happening->title, 0, "title", happening->event, "");
    }
}

static void happen(const char *title, const char *event, int count) {
    struct happening happening = {title, event, count};
    ck_assert_int_eq(store_call(world.farm.store, run_happen, &happening, NULL), 0);
}

/* Leases what is due; how many events it has, 0 where nothing is. */
static size_t lease(void) {
    return world_lease_pushes(&world, 1) == 0 ? 0 : world.farm.tasks[0].hook.event_count;
}

static void answer_with(const struct hook_report *told, size_t count, enum hook_verdict verdict) {
    const struct task *task = &world.farm.tasks[0];
    struct task_report report = {.hook = *told};
    report.hook.results = arena_zero(&report.arena, count + 1, sizeof(*report.hook.results));
    for (size_t i = 0; i < count; i++) {
        report.hook.results[report.hook.result_count++] =
            (struct hook_result){.event = task->hook.events[i].event,
                                 .verdict = verdict,
                                 .status = verdict == HOOK_TAKEN ? 204 : 500,
                                 .error = verdict == HOOK_TAKEN ? "" : "it answers so"};
    }
    ck_assert_int_eq(fixture_complete(&world.farm, task->fence, &report), ANSWER_ACCEPTED);
    task_report_finish(&report);
}

static void answer_some(size_t count, enum hook_verdict verdict, int64_t retry_after_s) {
    answer_with(&(struct hook_report){.retry_after_s = retry_after_s}, count, verdict);
}

/* The first of them was answered so, and no more was sent. */
static void answer(enum hook_verdict verdict) {
    answer_some(1, verdict, 0);
}

static void take_all(void) {
    size_t count = 0;
    while ((count = lease()) > 0) {
        answer_some(count, HOOK_TAKEN, 0);
    }
}

struct looking {
    int64_t number;
    const char *state;
};

static void run_count(struct tx *tx, void *context) {
    struct looking *looking = context;
    struct query query = sql_query(tx, SQL_DELIVERIES_COUNT, NULL, 0);
    while (query_next(&query)) {
        if (strcmp(query_text(&query, 1), looking->state) == 0) {
            looking->number += query_integer(&query, 2);
        }
    }
}

static void run_attempts(struct tx *tx, void *context) {
    struct looking *looking = context;
    struct query query =
        sql_query(tx, SQL_DELIVERIES_PAGE,
                  VALUES(TEXT("h"), INTEGER(0), TEXT(looking->state), INTEGER(HOOK_PAGE)));
    while (query_next(&query)) {
        looking->number += query_integer(&query, 5);
    }
}

static int64_t rows(const char *state) {
    struct looking looking = {.state = state};
    ck_assert_int_eq(store_call(world.farm.store, run_count, &looking, NULL), 0);
    return looking.number;
}

struct replaying {
    struct hook_replay replay;
    int64_t count;
};

static void run_replay(struct tx *tx, void *context) {
    struct replaying *replaying = context;
    replaying->count = hooks_replay(tx, &world.farm.farm, "h", &replaying->replay);
}

static int64_t replay(struct hook_replay asked) {
    struct replaying replaying = {.replay = asked};
    int failed = store_call(world.farm.store, run_replay, &replaying, &world.farm.err);
    return failed != 0 ? failed : replaying.count;
}

static void run_sweep(struct tx *tx, void *context) {
    (void)context;
    hooks_sweep(tx);
}

static void sweep(void) {
    ck_assert_int_eq(store_call(world.farm.store, run_sweep, NULL, NULL), 0);
}

static bool tells(size_t index, const char *type) {
    return strstr(world.farm.tasks[0].hook.events[index].body, type) != NULL;
}

/* Takes what it was leased, and notes of what type it was. */
static void hear(struct buf *heard) {
    const struct task *task = &world.farm.tasks[0];
    ck_assert_str_eq(task->push.endpoint.url, "http://h.example/events?key=1");
    ck_assert_str_eq(task->push.endpoint.driver, "webhook");
    for (size_t i = 0; i < task->hook.event_count; i++) {
        const char *type = strstr(task->hook.events[i].body, "org.reelfarm.");
        buf_format(heard, "%.*s ", (int)strcspn(type, "\""), type);
        bool has_version = tells(i, "\"detail\":{\"version\":\"" PUBLISH_A "\"}");
        ck_assert(has_version == (tells(i, "title.done") || tells(i, "title.published")));
    }
    answer_some(task->hook.event_count, HOOK_TAKEN, 0);
}

/* An edge of that name is told of nothing, and nothing waits for it. */
START_TEST(a_webhook_that_becomes_an_edge_leaves_no_events) {
    happen("t", "finish", 3);
    ck_assert_int_eq(rows("waiting"), 3);
    if (_i != 0) {
        ck_assert_uint_eq(lease(), 3);
    }
    world_list(&world, "endpoints:\n  - {name: h, driver: dav, url: 'http://h.example'}\n");
    ck_assert_int_eq(rows("waiting") + rows("running"), 0);
    if (_i != 0) {
        struct task_report report = {.pin = "", .source_size = -1};
        ck_assert_int_ne(fixture_complete(&world.farm, world.farm.tasks[0].fence, &report),
                         ANSWER_ACCEPTED);
    }
    ck_assert_int_eq(world_lease_pushes(&world, 1), 0);
}
END_TEST

/* All that becomes of a title, in order, once. */
START_TEST(a_title_is_told_of_from_start_to_end) {
    struct buf heard = {0};
    world_submit(&world, "t", 0, PUBLISH_A);
    while (fixture_lease(&world.farm, world.session, 1) == 0 && world.farm.task_count > 0) {
        if (world.farm.tasks[0].kind == TASK_PUSH) {
            hear(&heard);
        } else {
            world_do(&world, &world.farm.tasks[0]);
        }
    }
    ck_assert_str_eq(buf_text(&heard), "org.reelfarm.title.submitted org.reelfarm.title.planned "
                                       "org.reelfarm.title.done org.reelfarm.title.published ");
    buf_finish(&heard);
}
END_TEST

START_TEST(nothing_is_lost_by_kills) {
    happen("t", "finish", 3);
    world_kill(&world, false);
    ck_assert_uint_eq(lease(), 3);
    world_kill(&world, true); /* with the worker that had them */
    ck_assert_uint_eq(lease(), 3);
    answer_some(2, HOOK_TAKEN, 0); /* and stopped then */
    world_kill(&world, false);
    ck_assert_uint_eq(lease(), 1);
    answer(HOOK_TAKEN);
    ck_assert_int_eq(rows("delivered"), 3);
    ck_assert_uint_eq(lease(), 0);
}
END_TEST

/* Its events are another's by now, whose word counts. */
START_TEST(a_worker_that_was_lost_has_no_say) {
    struct task_report report = {0};
    happen("t", "finish", 2);
    ck_assert_uint_eq(lease(), 2);
    int64_t lost = world.farm.tasks[0].fence;
    report.hook.results = arena_zero(&report.arena, 2, sizeof(*report.hook.results));
    for (int i = 0; i < 2; i++) {
        report.hook.results[report.hook.result_count++] = (struct hook_result){
            .event = world.farm.tasks[0].hook.events[i].event, .verdict = HOOK_TAKEN, .error = ""};
    }
    fixture_lose(&world.farm);
    ck_assert_int_eq(fixture_join(&world.farm, "w2", "host2", 1, world.session), 0);
    ck_assert_uint_eq(lease(), 2);
    ck_assert_int_ne(fixture_complete(&world.farm, lost, &report), ANSWER_ACCEPTED);
    ck_assert_int_ne(fixture_fail(&world.farm, lost, FAILURE_IO, "late"), ANSWER_ACCEPTED);
    ck_assert_int_eq(rows("delivered"), 0);
    ck_assert_int_eq(rows("waiting"), 0); /* nor is what runs given out again */
    /* nor has anybody a say of what is not his */
    happen("u", "finish", 1);
    struct task first = world.farm.tasks[0];
    world.farm.task_count = 0;
    ck_assert_uint_eq(lease(), 1);
    report.hook.results[0].verdict = HOOK_REFUSED;
    ck_assert_int_eq(fixture_complete(&world.farm, world.farm.tasks[0].fence, &report),
                     ANSWER_ACCEPTED);
    ck_assert_int_eq(rows("delivered"), 0);
    ck_assert_int_eq(rows("waiting"), 1); /* u, of which nothing was told */
    task_finish(&world.farm.tasks[0]);
    world.farm.tasks[0] = first;
    answer_some(2, HOOK_TAKEN, 0);
    ck_assert_int_eq(rows("delivered"), 2);
    ck_assert_uint_eq(lease(), 1); /* u */
    task_report_finish(&report);
}
END_TEST

START_TEST(one_that_fails_holds_up_its_own_title_alone) {
    happen("t", "finish", 2);
    happen("u", "finish", 2);
    ck_assert_uint_eq(lease(), 4);
    answer(HOOK_REFUSED);
    ck_assert_uint_eq(lease(), 2);
    ck_assert_str_eq(world.farm.tasks[0].hook.events[0].title, "u");
    answer_some(2, HOOK_TAKEN, 0);
    ck_assert_uint_eq(lease(), 0);
    ck_assert_int_gt(world.farm.retry_at, world.farm.now_ms);
    world.farm.now_ms = world.farm.retry_at;
    ck_assert_uint_eq(lease(), 2);
    ck_assert_str_eq(world.farm.tasks[0].hook.events[0].title, "t");
}
END_TEST

/* While one of a title is on its way, what happens meanwhile waits. */
START_TEST(order_holds_between_leases) {
    happen("t", "finish", 1);
    ck_assert_uint_eq(lease(), 1);
    struct task first = world.farm.tasks[0];
    world.farm.task_count = 0;
    happen("t", "fail", 1);
    happen("u", "fail", 1);
    ck_assert_uint_eq(lease(), 1);
    ck_assert_str_eq(world.farm.tasks[0].hook.events[0].title, "u");
    answer(HOOK_TAKEN);
    ck_assert_uint_eq(lease(), 0);
    world.farm.tasks[0] = first;
    world.farm.task_count = 1;
    answer(HOOK_TAKEN);
    ck_assert_uint_eq(lease(), 1);
    ck_assert(tells(0, "title.failed"));
}
END_TEST

START_TEST(after_so_many_attempts_it_is_dead_and_can_be_replayed) {
    char *body = NULL;
    world_list(&world, HOOK(", attempts: 3"));
    happen("t", "finish", 1);
    happen("t", "fail", 1);
    for (int i = 0; i < 3; i++) {
        ck_assert_uint_eq(lease(), 2);
        mem_free(body);
        body = mem_string(world.farm.tasks[0].hook.events[0].body);
        answer(HOOK_REFUSED);
        world.farm.now_ms += 3600000;
    }
    ck_assert_int_eq(rows("dead"), 1);
    ck_assert_uint_eq(lease(), 1); /* what it held up goes on */
    ck_assert(tells(0, "title.failed"));
    answer(HOOK_TAKEN);
    ck_assert_int_eq(replay((struct hook_replay){.dead = true}), 1);
    ck_assert_uint_eq(lease(), 1);
    ck_assert_str_eq(world.farm.tasks[0].hook.events[0].body, body);
    answer(HOOK_TAKEN);
    ck_assert_int_eq(replay((struct hook_replay){.dead = true}), 0);
    mem_free(body);
}
END_TEST

START_TEST(what_waits_too_long_is_dead) {
    world_list(&world, HOOK(", max_age_s: 100"));
    happen("t", "finish", 2);
    world.farm.now_ms += 99000;
    sweep();
    ck_assert_int_eq(rows("waiting"), 2);
    world.farm.now_ms += 2000;
    sweep();
    ck_assert_int_eq(rows("dead"), 2);
    ck_assert_int_eq(replay((struct hook_replay){.dead = true}), 2);
    sweep();
    ck_assert_uint_eq(lease(), 2);
    answer_some(2, HOOK_TAKEN, 0);
    world.farm.now_ms += HOOK_KEEP_MS + 1;
    sweep();
    ck_assert_int_eq(rows("delivered"), 0);
}
END_TEST

START_TEST(one_that_is_down_is_left_alone_and_caught_up) {
    happen("t", "finish", 1);
    happen("u", "finish", 1);
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        while (lease() == 0) {
            ck_assert_int_gt(world.farm.retry_at, world.farm.now_ms);
            world.farm.now_ms = world.farm.retry_at;
        }
        answer(HOOK_DOWN);
    }
    happen("v", "finish", 1);
    ck_assert_uint_eq(lease(), 0);
    for (int i = 0; i < BREAKER_MENDS; i++) {
        world.farm.now_ms += i == 0 ? BREAKER_PAUSE_MOST_MS : 0;
        happen("w", "finish", 1);
        ck_assert_uint_ge(lease(), 1);
        answer_some(world.farm.tasks[0].hook.event_count, HOOK_TAKEN, 0);
    }
    take_all(); /* without a pause, now that it is well */
    ck_assert_int_eq(rows("waiting") + rows("dead"), 0);
}
END_TEST

START_TEST(one_that_asks_for_a_pause_has_it) {
    happen("t", "finish", 1);
    happen("u", "finish", 1);
    ck_assert_uint_eq(lease(), 2);
    answer_some(1, HOOK_BUSY, 90);
    ck_assert_uint_eq(lease(), 0);
    ck_assert_int_eq(world.farm.retry_at, world.farm.now_ms + 90000);
    world.farm.now_ms += 90000;
    ck_assert_uint_eq(lease(), 2);
}
END_TEST

static void run_reset(struct tx *tx, void *context) {
    (void)context;
    endpoint_reset(tx, &world.farm.farm, "h");
}

START_TEST(one_that_is_gone_is_sent_nothing_until_it_is_asked_again) {
    happen("t", "finish", 2);
    ck_assert_uint_eq(lease(), 2);
    answer(HOOK_GONE);
    happen("u", "finish", 1);
    ck_assert_int_eq(rows("dead"), 3);
    world.farm.now_ms += HOOK_PAUSE_MOST_MS;
    ck_assert_uint_eq(lease(), 0);
    ck_assert_int_eq(replay((struct hook_replay){.dead = true}), ERR_CONFLICT);
    ck_assert_int_eq(store_call(world.farm.store, run_reset, NULL, NULL), 0);
    ck_assert_int_eq(replay((struct hook_replay){.dead = true}), 3);
    ck_assert_uint_eq(lease(), 3);
}
END_TEST

START_TEST(what_was_taken_can_be_replayed_by_time_or_number) {
    happen("t", "finish", 2);
    take_all();
    world.farm.now_ms += 5000;
    int64_t later = world.farm.now_ms;
    happen("t", "fail", 1);
    happen("t", "lease", 1); /* of which no webhook hears */
    take_all();
    ck_assert_int_eq(replay((struct hook_replay){.since = later}), 1);
    ck_assert_uint_eq(lease(), 1);
    ck_assert(tells(0, "title.failed"));
    int64_t event = world.farm.tasks[0].hook.events[0].event;
    answer(HOOK_TAKEN);
    ck_assert_int_eq(replay((struct hook_replay){.event = event}), 1);
    ck_assert_int_eq(replay((struct hook_replay){.event = event}), 0); /* it waits already */
    ck_assert_int_eq(replay((struct hook_replay){.event = event + 1}), ERR_INVALID);
    ck_assert_int_eq(replay((struct hook_replay){.event = event + 1000000}), ERR_NOT_FOUND);
    take_all();
    ck_assert_int_eq(replay((struct hook_replay){.since = 1}), 3);
}
END_TEST

#define ASKED HOOK(", handshake: farm.example.com")

/* Whether the lease has it asked first; it goes with leave in any case. */
static bool asks(int rate) {
    const struct hook_task *hook = &world.farm.tasks[0].hook;
    ck_assert(hook->has_leave);
    ck_assert_str_eq(hook->leave.origin, "farm.example.com");
    ck_assert_int_eq(hook->leave.rate, rate);
    return hook->leave.ask;
}

static void grant(int rate, size_t count) {
    answer_with(&(struct hook_report){.has_grant = true, .grant = {rate}}, count, HOOK_TAKEN);
}

static void look_at_endpoints(struct tx *tx, struct farm *farm, const char *title,
                              struct writer *w) {
    (void)title;
    writer_object(w, NULL);
    endpoint_rows_write(tx, farm, w);
    writer_object_end(w);
}

/* What people are told of an endpoint; borrowed until the next call. */
static const char *error_of(const char *name) {
    static char error[256];
    struct err err = {0};
    struct json *tree = fixture_look(&world.farm, look_at_endpoints, "");
    struct reader whole = reader_of(tree, "endpoints", &err);
    struct reader list = reader_array(&whole, "endpoints");
    error[0] = '\0';
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader row = reader_item(&list, i);
        const char *its = "", *says = "";
        reader_string(&row, "name", &its);
        reader_string(&row, "error", &says);
        if (strcmp(its, name) == 0) {
            snprintf(error, sizeof(error), "%s", says);
        }
    }
    ck_assert_msg(reader_ok(&whole), "%s", err.message);
    json_tree_destroy(tree);
    return error;
}

START_TEST(leave_is_asked_first_and_kept_for_a_day) {
    happen("t", "finish", 1);
    ck_assert_uint_eq(lease(), 1);
    ck_assert(!world.farm.tasks[0].hook.has_leave);
    answer(HOOK_TAKEN);
    world_list(&world, ASKED);
    happen("t", "finish", 1);
    ck_assert_uint_eq(lease(), 1);
    ck_assert(asks(0));
    happen("u", "finish", 1); /* who asks, asks alone */
    struct task asking = world.farm.tasks[0];
    world.farm.task_count = 0;
    ck_assert_uint_eq(lease(), 0);
    world.farm.tasks[0] = asking;
    world.farm.task_count = 1;
    grant(0, 1);
    for (int i = 0; i < 2; i++) {
        ck_assert_uint_eq(lease(), 1);
        ck_assert(!asks(0));
        answer(HOOK_TAKEN);
        world.farm.now_ms += INT64_C(23) * 60 * 60 * 1000;
        world_kill(&world, false);
        happen("t", "finish", 1);
    }
    ck_assert_uint_eq(lease(), 1);
    ck_assert(asks(0));
    grant(0, 1);
    world_list(&world, "endpoints:\n  - {name: h, driver: webhook, url: 'http://other.example', "
                       "handshake: farm.example.com}\n");
    happen("t", "finish", 1);
    ck_assert_uint_eq(lease(), 1);
    ck_assert(asks(0)); /* of another place */
}
END_TEST

/* An older worker would send without asking; what is not to be asked it is given all the same. */
START_TEST(workers_that_do_not_ask_are_given_what_needs_no_leave) {
    char old[ID_TEXT], new[ID_TEXT];
    memcpy(new, world.session, sizeof(new));
    world.farm.old = true;
    fixture_join(&world.farm, "old", "old", 1, old);
    world_list(&world, ASKED "  - {name: free, driver: webhook, url: 'http://free.example'}\n");
    fixture_leave(&world.farm, new);
    memcpy(world.session, old, sizeof(old));
    ck_assert_str_eq(error_of("h"), ""); /* nothing waits */
    happen("t", "finish", 1);
    ck_assert_int_eq(world_lease_pushes(&world, 2), 1);
    ck_assert_str_eq(world.farm.tasks[0].push.endpoint.name, "free");
    ck_assert_ptr_nonnull(strstr(error_of("h"), "no worker is there that asks webhooks for leave"));
    ck_assert_str_eq(error_of("free"), "");
    world.farm.old = false;
    fixture_join(&world.farm, "new", "new", 1, world.session);
    ck_assert_str_eq(error_of("h"), "");
    ck_assert_uint_eq(lease(), 1);
    ck_assert(asks(0));
}
END_TEST

START_TEST(no_more_is_sent_than_a_receiver_lets) {
    world_list(&world, ASKED);
    happen("t", "finish", 1);
    ck_assert_uint_eq(lease(), 1);
    grant(4, 1);
    happen("t", "finish", 1);
    happen("u", "finish", 1);
    ck_assert_uint_eq(lease(), 0);
    ck_assert_int_eq(world.farm.retry_at, world.farm.now_ms + 15000);
    world.farm.now_ms += 15000;
    ck_assert_uint_eq(lease(), 2);
    ck_assert(!asks(4));
    struct task first = world.farm.tasks[0];
    happen("v", "finish", 1);
    world.farm.task_count = 0;
    ck_assert_uint_eq(lease(), 0); /* one worker alone keeps the pace */
    world.farm.tasks[0] = first;
    world.farm.task_count = 1;
    answer_some(2, HOOK_TAKEN, 0);
    ck_assert_uint_eq(lease(), 0);
    world.farm.now_ms += 15000;
    ck_assert_uint_eq(lease(), 1);
}
END_TEST

static int64_t attempts(void) {
    struct looking looking = {.state = "waiting"};
    ck_assert_int_eq(store_call(world.farm.store, run_attempts, &looking, NULL), 0);
    return looking.number;
}

START_TEST(one_that_gives_no_leave_is_told_of_and_costs_no_event) {
    world_list(&world, ASKED);
    happen("t", "finish", 2);
    for (int i = 0; i < BREAKER_ROW_FAILS; i++) {
        while (lease() == 0) {
            ck_assert_int_gt(world.farm.retry_at, world.farm.now_ms);
            world.farm.now_ms = world.farm.retry_at;
        }
        ck_assert(asks(0));
        ck_assert_int_eq(fixture_fail(&world.farm, world.farm.tasks[0].fence, FAILURE_REFUSED,
                                      "it gives no leave"),
                         ANSWER_ACCEPTED);
        ck_assert_uint_eq(lease(), 0); /* nor is it asked without a pause */
    }
    ck_assert_int_eq(rows("waiting"), 2);
    ck_assert_int_eq(attempts(), 0);
    world.farm.now_ms += BREAKER_PAUSE_MOST_MS;
    ck_assert_uint_eq(lease(), 2);
    ck_assert(asks(0));
    grant(0, 2);
    ck_assert_int_eq(rows("delivered"), 2);
}
END_TEST

/* A receiver that is new hears of what was before it only when that is asked for. */
START_TEST(one_that_is_new_can_be_told_of_the_past) {
    world_list(&world, "endpoints: []\n");
    happen("t", "finish", 2);
    world_list(&world, HOOK(", events: [title.done]"));
    ck_assert_uint_eq(lease(), 0);
    ck_assert_int_eq(replay((struct hook_replay){.since = 1}), 2);
    ck_assert_uint_eq(lease(), 2);
}
END_TEST

START_TEST(each_hears_of_its_own) {
    struct title_request request = {
        .title = "t", .tenant = "news", .label_count = 1, .labels = (const char *[]){"show=a"}};
    world_list(&world,
               "endpoints:\n"
               "  - {name: a, driver: webhook, url: 'http://a.example', tenant: news}\n"
               "  - {name: b, driver: webhook, url: 'http://b.example', tenant: sport}\n"
               "  - {name: c, driver: webhook, url: 'http://c.example', label: show=a}\n"
               "  - {name: d, driver: webhook, url: 'http://d.example', label: show=b}\n"
               "  - {name: e, driver: webhook, url: 'http://e.example', events: [title.failed]}\n");
    ck_assert_int_eq(fixture_submit_as(&world.farm, &request, "standard"), 0);
    ck_assert_int_eq(rows("waiting"), 2); /* of its submission, a and c */
    happen("t", "fail", 1);
    struct buf heard = {0};
    while (world_lease_pushes(&world, 1) > 0) {
        buf_string(&heard, world.farm.tasks[0].push.endpoint.name);
        answer_some(world.farm.tasks[0].hook.event_count, HOOK_TAKEN, 0);
    }
    ck_assert_str_eq(buf_text(&heard), "ace");
    ck_assert(fixture_remove(&world.farm, "t", true));
    buf_clear(&heard);
    while (world_lease_pushes(&world, 1) > 0) {
        const struct hook_task *hook = &world.farm.tasks[0].hook;
        ck_assert(strstr(hook->events[hook->event_count - 1].body, "title.removed") != NULL);
        buf_string(&heard, world.farm.tasks[0].push.endpoint.name);
        answer_some(hook->event_count, HOOK_TAKEN, 0);
    }
    ck_assert_str_eq(buf_text(&heard), "ac");
    buf_finish(&heard);
}
END_TEST

/* It holds no titles: nobody's choice makes it one that does. */
START_TEST(no_title_is_published_there) {
    world_list(&world, HOOK(", events: [title.failed]"));
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_int_eq(world_call(&world, ask_publish, "t", "h", NULL), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(world.farm.err.message, "is a webhook"));
    ck_assert_int_eq(world_call(&world, ask_unpublish, "t", "h", NULL), ERR_CONFLICT);
    ck_assert_ptr_nonnull(strstr(world.farm.err.message, "is a webhook"));
    ck_assert_str_eq(world_state(&world, "t", "h"), "none");
    ck_assert_uint_eq(lease(), 0);
}
END_TEST

static void run_remove(struct tx *tx, void *context) {
    (void)context;
    title_remove(tx, "t", false);
}

/* What an edge had by the name that is a webhook's by now is nobody's to take away. */
START_TEST(one_that_was_an_edge_holds_up_no_removal) {
    world_list(&world, "endpoints:\n  - {name: h, driver: dav, url: 'http://h.example'}\n");
    world_run(&world, "t", 0, PUBLISH_A);
    ck_assert_str_eq(world_state(&world, "t", "h"), "held");
    world_list(&world, HOOK(", events: [title.failed]"));
    world.check_order = false;
    ck_assert_int_eq(store_call(world.farm.store, run_remove, NULL, &world.farm.err), 0);
    ck_assert(world_work(&world));
    ck_assert(!world_has(&world, "t"));
    ck_assert_str_eq(world.origin.stable, "");
}
END_TEST

START_TEST(rows_are_bounded_and_what_has_no_room_is_told) {
    happen("t", "finish", HOOK_ROWS_MAX + 2 * HOOK_ROWS_STEP);
    int64_t waiting = rows("waiting");
    ck_assert_int_ge(waiting, HOOK_ROWS_MAX);
    ck_assert_int_le(waiting, HOOK_ROWS_MAX + HOOK_ROWS_STEP);
    ck_assert_int_eq(waiting + rows("dead"), HOOK_ROWS_MAX + 2 * HOOK_ROWS_STEP);
    ck_assert_int_gt(waiting, HOOK_ROWS_MAX);
    sweep(); /* time bounds what events do not */
    ck_assert_int_eq(rows("waiting"), HOOK_ROWS_MAX);
}
END_TEST

Suite *hooks_suite(void) {
    Suite *suite = suite_create("hooks");
    TCase *pure = tcase_create("pure");
    tcase_add_test(pure, each_event_has_a_bit_and_a_name);
    tcase_add_test(pure, a_cloud_event_has_all_that_it_must);
    tcase_add_loop_test(pure, what_failed_waits_longer_each_time, 0,
                        sizeof(pauses) / sizeof(pauses[0]));
    tcase_add_loop_test(pure, an_answer_means_one_thing, 0, sizeof(answers) / sizeof(answers[0]));
    tcase_add_loop_test(pure, leave_is_what_the_headers_say, 0, sizeof(leaves) / sizeof(leaves[0]));
    tcase_add_test(pure, a_farm_asks_by_a_dns_name);
    suite_add_tcase(suite, pure);
    TCase *outbox = tcase_create("outbox");
    tcase_add_checked_fixture(outbox, open_world, close_world);
    tcase_add_loop_test(outbox, a_webhook_that_becomes_an_edge_leaves_no_events, 0, 2);
    tcase_set_timeout(outbox, 120);
    tcase_add_test(outbox, a_title_is_told_of_from_start_to_end);
    tcase_add_test(outbox, nothing_is_lost_by_kills);
    tcase_add_test(outbox, a_worker_that_was_lost_has_no_say);
    tcase_add_test(outbox, one_that_fails_holds_up_its_own_title_alone);
    tcase_add_test(outbox, order_holds_between_leases);
    tcase_add_test(outbox, after_so_many_attempts_it_is_dead_and_can_be_replayed);
    tcase_add_test(outbox, what_waits_too_long_is_dead);
    tcase_add_test(outbox, one_that_is_down_is_left_alone_and_caught_up);
    tcase_add_test(outbox, one_that_asks_for_a_pause_has_it);
    tcase_add_test(outbox, one_that_is_gone_is_sent_nothing_until_it_is_asked_again);
    tcase_add_test(outbox, what_was_taken_can_be_replayed_by_time_or_number);
    tcase_add_test(outbox, leave_is_asked_first_and_kept_for_a_day);
    tcase_add_test(outbox, workers_that_do_not_ask_are_given_what_needs_no_leave);
    tcase_add_test(outbox, no_more_is_sent_than_a_receiver_lets);
    tcase_add_test(outbox, one_that_gives_no_leave_is_told_of_and_costs_no_event);
    tcase_add_test(outbox, one_that_is_new_can_be_told_of_the_past);
    tcase_add_test(outbox, each_hears_of_its_own);
    tcase_add_test(outbox, no_title_is_published_there);
    tcase_add_test(outbox, one_that_was_an_edge_holds_up_no_removal);
    tcase_add_test(outbox, rows_are_bounded_and_what_has_no_room_is_told);
    suite_add_tcase(suite, outbox);
    return suite;
}
