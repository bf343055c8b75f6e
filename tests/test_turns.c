/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many slots are taken by threads, when the next task is asked for before one is free, and how
 * a lane grows. */
#include <check.h>
#include <string.h>

#include "common/http_server.h"
#include "common/mem.h"
#include "workers/lane.h"
#include "workers/turns.h"

Suite *turns_suite(void);

enum { SLOTS = 4, THREADS = SLOTS + 1, NOW_MS = 10000 };

static struct task tasks[THREADS];
static struct video_spec specs[THREADS];
static struct slot slots[THREADS];
static struct slot_turns turns;

static void setup(void) {
    memset(slots, 0, sizeof(slots));
    turns = (struct slot_turns){.most = SLOTS};
    for (int i = 0; i < THREADS; i++) {
        slots[i].turns = &turns;
    }
}

/* Puts a chunk of so many encoder threads into a slot, of which so many frames of 100 are made
 * after 9 s; -1: it waits for its turn. */
static void put(int slot, int threads, int done) {
    specs[slot] = (struct video_spec){.threads = threads};
    tasks[slot] =
        (struct task){.fence = 100 + slot,
                      .kind = TASK_VIDEO,
                      .spec = {.kind = TASK_VIDEO, .rung_count = 1, .rungs = &specs[slot]}};
    slots[slot].task = &tasks[slot];
    slots[slot].began_ms = done < 0 ? 0 : NOW_MS - 9000;
    atomic_store(&slots[slot].progress.done, done < 0 ? 0 : done);
    atomic_store(&slots[slot].progress.total, 100);
}

START_TEST(threads_are_slots) {
    static const struct {
        int threads[THREADS]; /* of the tasks there */
        size_t taken;
    } cases[] = {
        {{0}, 0},      {{1}, 1},    {{1, 1, 1, 1}, 4}, {{2, 1}, 3},    {{4}, 4},
        {{16}, SLOTS}, {{2, 2}, 4}, {{2, 2, 2}, 6},    {{0, 0, 3}, 3}, {{1, 1, 1, 1, 1}, 5}};
    for (int i = 0; i < THREADS; i++) {
        if (cases[_i].threads[i] > 0) {
            put(i, cases[_i].threads[i], 0);
        }
    }
    ck_assert_uint_eq(turns_taken(slots, THREADS), cases[_i].taken);
}
END_TEST

/* Sound, and whatever has no encoder with threads, is one slot; so is each push. */
START_TEST(what_encodes_no_pictures_is_one_slot) {
    put(0, 4, 0);
    tasks[0].spec.rung_count = 0;
    ck_assert_uint_eq(turns_taken(slots, THREADS), 1);
    put(0, 4, 0);
    slots[0].turns = NULL;
    ck_assert_uint_eq(turns_taken(slots, THREADS), 1);
}
END_TEST

START_TEST(an_end_is_foreseen_where_it_frees_a_slot) {
    static const struct {
        struct {
            int threads, done; /* percent after 9 s */
        } tasks[THREADS];
        int64_t fence; /* of which it is foreseen */
    } cases[] = {
        {{{1, 50}, {1, 50}, {1, 50}, {1, 95}}, 103}, /* half a second is left */
        {{{1, 50}, {1, 50}, {1, 50}, {1, 85}}, 0},   /* more than one */
        {{{1, 50}, {1, 50}, {1, 50}, {1, 0}}, 0},    /* nobody knows */
        {{{1, 95}, {1, 50}, {1, 50}}, 0},            /* a slot is free */
        {{{4, 95}}, 100},                            /* all four slots are its */
        {{{2, 50}, {2, 95}}, 101},
        {{{2, 95}}, 0},                                     /* two are free */
        {{{3, 50}, {2, 95}}, 101},                          /* five of four: one is free then */
        {{{3, 50}, {1, 50}, {1, 95}}, 0},                   /* five of four: none */
        {{{1, 95}, {1, 50}, {1, 50}, {1, 50}, {1, -1}}, 0}, /* one waits already */
        {{{4, 95}, {4, -1}}, 0},
    };
    for (int i = 0; i < THREADS; i++) {
        if (cases[_i].tasks[i].threads > 0) {
            put(i, cases[_i].tasks[i].threads, cases[_i].tasks[i].done);
        }
    }
    ck_assert_int_eq(turns_foresee(slots, THREADS, NOW_MS), cases[_i].fence);
    ck_assert_int_eq(turns_foresee(slots, THREADS, NOW_MS), 0); /* once */
}
END_TEST

/* ---- the lane of pushes --------------------------------------------------------------------- */

enum { ENDPOINTS_MOST = 2, LANE_MOST = 1 + ENDPOINTS_MOST };

static struct node node;
static atomic_bool leaving;
static atomic_int asked_slots; /* by the lane's first call */

static bool authorise(void *context, const char *token, char caller[HTTP_CALLER_TEXT]) {
    (void)context;
    (void)token;
    caller[0] = '\0';
    return true;
}

/* A scheduler that has nothing to do; a second call is of a worker that leaves. */
static void handle(void *context, struct exchange *exchange) {
    struct json *tree = NULL;
    struct buf none = {0};
    struct err err = {0};
    int64_t asked = 0;
    (void)context;
    ck_assert_str_eq(exchange->path, "/v1/leases");
    ck_assert_int_eq(json_tree_parse(&tree, exchange->body.data, exchange->body.size, &err), 0);
    struct reader r = reader_of(tree, "leases", &err);
    reader_int(&r, "slots", 0, 100, &asked);
    json_tree_destroy(tree);
    atomic_store(&asked_slots, (int)asked);
    atomic_store(&leaving, true);
    buf_string(&none, "{\"tasks\":[]}");
    http_answer(exchange, 200, "application/json", &none);
}

/* One slot for all, which hangs with its task; the farm has got endpoints meanwhile. What lanes ask
 * for is then for them, though nothing was free: as far as there may be slots. */
START_TEST(a_lane_that_is_full_grows_with_the_endpoints) {
    static const struct {
        size_t endpoints, more;
    } cases[] = {{1, 1}, {ENDPOINTS_MOST, ENDPOINTS_MOST}, {64, ENDPOINTS_MOST}};
    struct http_server_options options = http_server_options_default();
    struct http_server *server = NULL;
    struct slot own[LANE_MOST];
    struct task hangs = {.fence = 1, .kind = TASK_PUSH};
    struct err err = {0};
    options.handle = handle;
    options.authorise = authorise;
    ck_assert_int_eq(http_server_start(&server, &options, &err), 0);
    char *url = mem_format("http://127.0.0.1:%d", http_server_port(server));
    memset(own, 0, sizeof(own));
    node = (struct node){.slots = own,
                         .slot_count = 1,
                         .slot_most = LANE_MOST,
                         .endpoints = cases[_i].endpoints,
                         .session = {.id = "s", .heartbeat_ms = 1000, .ttl_ms = 3000},
                         .has_session = true,
                         .listed = true,
                         .worker = {.memory_bytes = INT64_C(1) << 30},
                         .shared = {.access = {.url = url, .token = "x"}}};
    node_init(&node);
    struct lane lane = {.node = &node,
                        .leaving = &leaving,
                        .name = "pushing",
                        .kinds = 1U << TASK_PUSH,
                        .slots = own,
                        .slot_count = 1,
                        .thread_count = 1,
                        .shared = 1,
                        .endpoints = ENDPOINTS_MOST};
    for (int i = 0; i < LANE_MOST; i++) {
        own[i].childless = own[i].late = true;
    }
    own[0].task = &hangs;
    atomic_store(&leaving, false);
    ck_assert_int_eq(api_create(&lane.api, &node.shared.access, &leaving, &err), 0);
    lane_run(&lane);
    ck_assert_int_eq(atomic_load(&asked_slots), (int)cases[_i].more);
    ck_assert_uint_eq(lane.slot_count, 1 + cases[_i].more);
    ck_assert_uint_eq(lane.thread_count, 1 + cases[_i].more); /* may be given tasks */
    ck_assert_uint_eq(node.slot_count, 1 + cases[_i].more);   /* and heartbeats tell of those */
    pthread_mutex_lock(&node.shared.lock);
    node.shared.ending = true;
    pthread_cond_broadcast(&node.shared.changed);
    pthread_mutex_unlock(&node.shared.lock);
    for (size_t i = 1; i < lane.slot_count; i++) {
        slot_join(&own[i]);
    }
    api_destroy(lane.api);
    http_server_stop(server);
    mem_free(url);
}
END_TEST

Suite *turns_suite(void) {
    Suite *suite = suite_create("turns");
    TCase *tests = tcase_create("slots");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_loop_test(tests, threads_are_slots, 0, 10);
    tcase_add_test(tests, what_encodes_no_pictures_is_one_slot);
    tcase_add_loop_test(tests, an_end_is_foreseen_where_it_frees_a_slot, 0, 11);
    suite_add_tcase(suite, tests);
    TCase *lanes = tcase_create("lanes");
    tcase_set_timeout(lanes, 60); /* one that does not grow asks for nothing */
    tcase_add_loop_test(lanes, a_lane_that_is_full_grows_with_the_endpoints, 0, 3);
    suite_add_tcase(suite, lanes);
    return suite;
}
