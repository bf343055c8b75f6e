/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pool of an edge's connections: how much goes at a time, in what order it counts, what pools
 * share, and that nothing begins once the lease has run out. */
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "edge_fixture.h"
#include "fixture.h"
#include "workers/edges/edge_flow.h"
#include "workers/edges/edge_pool.h"

Suite *edge_pool_suite(void);

#define SEGMENT "video/h264-720p-aaaaaaaaaa/00001.m4s"

static char *folder;
static struct err err;

static void setup(void) {
    folder = fixture_folder();
    err = (struct err){0};
}

static void teardown(void) {
    fixture_folder_drop(folder);
}

/* ---- How much at a time ----------------------------------------------------------------- */

static void note_many(struct flow_limit *limit, int count, int64_t busy_ms) {
    for (int i = 0; i < count; i++) {
        flow_limit_note(limit, 0, 1, busy_ms, false);
    }
}

START_TEST(connections_grow_while_answers_come_in_time) {
    struct flow_limit limit;
    flow_limit_init(&limit, 16);
    ck_assert_int_eq(flow_limit_now(&limit), FLOW_FIRST);
    note_many(&limit, 500, 10);
    ck_assert_int_eq(flow_limit_now(&limit), 16);
    note_many(&limit, 40, 200); /* as an endpoint that has more than it can do */
    ck_assert_int_lt(flow_limit_now(&limit), 8);
    ck_assert_int_ge(flow_limit_now(&limit), 2);
    note_many(&limit, 2000, 200); /* it is slower for good */
    ck_assert_int_eq(flow_limit_now(&limit), 16);
}
END_TEST

/* A request is one of it, and each 256 KiB as much. */
START_TEST(what_is_brought_has_its_cost) {
    ck_assert_double_eq(flow_cost(0, 4, 10), 2.5);
    ck_assert_double_eq(flow_cost(1 << 20, 4, 80), 10);
    ck_assert_double_eq(flow_cost(1 << 20, 0, 80), 0);
}
END_TEST

START_TEST(failures_halve_the_connections_once_a_round) {
    struct flow_limit limit;
    flow_limit_init(&limit, 16);
    note_many(&limit, 500, 10);
    flow_limit_note(&limit, 0, 1, 10, true);
    ck_assert_int_eq(flow_limit_now(&limit), 8);
    for (int i = 0; i < 7; i++) { /* of those that were on their way */
        flow_limit_note(&limit, 0, 1, 10, true);
    }
    ck_assert_int_eq(flow_limit_now(&limit), 8);
    for (int i = 0; i < 100; i++) {
        flow_limit_note(&limit, 0, 1, 10, true);
    }
    ck_assert_int_eq(flow_limit_now(&limit), 1);
    flow_limit_init(&limit, 1);
    note_many(&limit, 100, 10);
    ck_assert_int_eq(flow_limit_now(&limit), 1);
}
END_TEST

START_TEST(a_line_has_no_more_than_its_bytes) {
    struct flow_line line = {.bytes_s = 1000};
    ck_assert_int_eq(flow_line_take(&line, 5000, 2000), 0);
    ck_assert_int_eq(flow_line_take(&line, 5000, 500), 2000);
    ck_assert_int_eq(flow_line_take(&line, 7000, 500), 500);
    ck_assert_int_eq(flow_line_take(&line, 9000, 500), 0); /* what was not used is not kept */
    ck_assert_int_eq(flow_line_take(&line, 9000, 500), 500);
    line = (struct flow_line){0};
    ck_assert_int_eq(flow_line_take(&line, 9000, INT64_MAX / 4), 0);
    ck_assert_int_eq(flow_line_take(&line, 9000, 1), 0);
}
END_TEST

/* ---- The pool --------------------------------------------------------------------------- */

enum { OBJECTS = 600 };

static _Atomic int64_t done;
static atomic_int acted[OBJECTS];
static atomic_bool cancel;
static struct pool_memory memory = {.bytes = 1000};

/* The first of each ten takes longest, so that others are done before it. */
static int act(void *context, struct edge *edge, const struct edge_object *object,
               struct err *problem) {
    int number = (int)strtol(object->path, NULL, 10);
    (void)edge;
    if (context != NULL && number == *(int *)context) {
        return err_set(problem, ERR_UNAVAILABLE, "number %d", number);
    }
    if (number % 10 == 0) {
        clock_sleep_ms(1, NULL);
    }
    atomic_fetch_add(&acted[number], 1);
    ck_assert_int_le(atomic_load(&done), number); /* none counts before those in front of it */
    return 0;
}

static int add_all(struct pool *pool) {
    int failed = 0;
    for (int i = 0; i < OBJECTS && failed == 0; i++) {
        char *path = mem_format("%d", i);
        const struct edge_object object = {.path = path, .sha256 = "", .bytes = 100};
        failed = pool_add(pool, &object, NULL);
        mem_free(path);
    }
    return failed;
}

static struct pool *pool_of(struct push_endpoint *endpoint) {
    *endpoint = edge_fixture_endpoint("dav", "http://127.0.0.1:1");
    const struct pool_options options = {
        .target = edge_fixture_target(endpoint, folder), .cancel = &cancel, .memory = &memory};
    atomic_store(&done, 0);
    memset(acted, 0, sizeof(acted));
    return pool_create(&options);
}

START_TEST(a_pool_does_each_object_once_and_counts_from_the_head) {
    struct push_endpoint endpoint;
    struct pool *pool = pool_of(&endpoint);
    pool_begin(pool, act, NULL, &done);
    ck_assert_int_eq(add_all(pool), 0);
    ck_assert_int_eq(pool_wait(pool, &err), 0);
    ck_assert_int_eq(atomic_load(&done), OBJECTS);
    for (int i = 0; i < OBJECTS; i++) {
        ck_assert_int_eq(atomic_load(&acted[i]), 1);
    }
    pool_destroy(pool);
}
END_TEST

enum { PACED = 12, PACED_BYTES = 2000, PACED_BYTES_S = 100000 };

static _Atomic int64_t began_ms[PACED];

static int note_begin(void *context, struct edge *edge, const struct edge_object *object,
                      struct err *problem) {
    (void)context;
    (void)edge;
    (void)problem;
    atomic_store(&began_ms[strtol(object->path, NULL, 10)], clock_monotonic_ms());
    return 0;
}

/* Whatever the driver does with an object, none begins before those in front of it may have gone
 * through: eight connections, and no call of any of them knows of a limit. */
START_TEST(a_pool_keeps_to_its_endpoint_s_bandwidth) {
    static const char *const names[] = {"dav", "pull"};
    struct push_endpoint endpoint = edge_fixture_endpoint(names[_i], "http://127.0.0.1:1");
    endpoint.bandwidth_bps = INT64_C(8) * PACED_BYTES_S;
    const struct pool_options options = {
        .target = edge_fixture_target(&endpoint, folder), .cancel = &cancel, .memory = &memory};
    struct pool *pool = pool_create(&options);
    memory.bytes = INT64_C(10) * PACED * PACED_BYTES;
    int64_t from_ms = clock_monotonic_ms();
    pool_begin(pool, note_begin, NULL, NULL);
    for (int i = 0; i < PACED; i++) {
        char path[16];
        snprintf(path, sizeof(path), "%d", i);
        const struct edge_object object = {.path = path, .sha256 = "", .bytes = PACED_BYTES};
        ck_assert_int_eq(pool_add(pool, &object, NULL), 0);
    }
    ck_assert_int_eq(pool_wait(pool, &err), 0);
    for (int i = 0; i < PACED; i++) {
        int64_t least_ms = INT64_C(1000) * i * PACED_BYTES / PACED_BYTES_S;
        ck_assert_int_ge(atomic_load(&began_ms[i]) - from_ms, least_ms);
    }
    pool_destroy(pool);
}
END_TEST

START_TEST(a_pool_stops_at_its_first_failure) {
    struct push_endpoint endpoint;
    struct pool *pool = pool_of(&endpoint);
    int bad = 300;
    pool_begin(pool, act, &bad, &done);
    int added = add_all(pool);
    ck_assert_int_eq(pool_wait(pool, &err), ERR_UNAVAILABLE);
    ck_assert_str_eq(err.message, "number 300");
    ck_assert(added == 0 || added == ERR_UNAVAILABLE);
    ck_assert_int_eq(atomic_load(&done), 300);
    ck_assert_int_eq(atomic_load(&acted[OBJECTS - 1]), 0);
    pool_destroy(pool);
}
END_TEST

/* ---- Memory that pools share ----------------------------------------------------------------- */

enum { HEAVY = 250, POOLS = 2 }; /* bytes of an object: four of them are all that there is */

static atomic_int at_work;
static atomic_int most_at_work;
static atomic_bool all_go;

/* Stays until it is told to go, so that as many are here as may. */
static int act_heavily(void *context, struct edge *edge, const struct edge_object *object,
                       struct err *problem) {
    (void)context;
    (void)edge;
    (void)object;
    (void)problem;
    int now = atomic_fetch_add(&at_work, 1) + 1;
    int most = atomic_load(&most_at_work);
    while (now > most && !atomic_compare_exchange_weak(&most_at_work, &most, now)) {
    }
    while (!atomic_load(&all_go)) {
        clock_sleep_ms(1, NULL);
    }
    atomic_fetch_sub(&at_work, 1);
    return 0;
}

static void begin_heavily(struct pool *pool, int64_t bytes) {
    const struct edge_object object = {.path = "x", .sha256 = "", .bytes = bytes};
    pool_begin(pool, act_heavily, NULL, NULL);
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(pool_add(pool, &object, NULL), 0);
    }
}

/* So many are at work, and no more come. */
static void expect_at_work(int count) {
    while (atomic_load(&at_work) < count) {
        clock_sleep_ms(1, NULL);
    }
    clock_sleep_ms(50, NULL);
    ck_assert_int_eq(atomic_load(&most_at_work), count);
}

START_TEST(pools_share_their_memory_in_equal_parts) {
    struct push_endpoint endpoints[POOLS];
    struct pool *pools[POOLS];
    atomic_store(&at_work, 0);
    atomic_store(&most_at_work, 0);
    atomic_store(&all_go, false);
    for (int i = 0; i < POOLS; i++) {
        pools[i] = pool_of(&endpoints[i]);
    }
    begin_heavily(pools[0], HEAVY);
    expect_at_work(2); /* its half of what there is, though nobody uses the other */
    begin_heavily(pools[1], 100 * HEAVY);
    expect_at_work(3); /* one object of any size goes in any case */
    atomic_store(&all_go, true);
    for (int i = 0; i < POOLS; i++) {
        ck_assert_int_eq(pool_wait(pools[i], &err), 0);
        pool_destroy(pools[i]);
    }
    struct pool *alone = pool_of(&endpoints[0]);
    atomic_store(&all_go, false);
    begin_heavily(alone, HEAVY);
    expect_at_work(4);
    atomic_store(&all_go, true);
    ck_assert_int_eq(pool_wait(alone, &err), 0);
    pool_destroy(alone);
}
END_TEST

/* ---- Pushes of one version ------------------------------------------------------------------ */

enum { TOGETHER = 3, SHARED = 400, SHARED_BYTES = 1000, SHARED_ROOM = 40 };

static atomic_int readings;
static atomic_bool let_go;

/* A push of them: one that hangs, or that takes so long for each object, by chance. */
struct push_of {
    struct push_endpoint endpoint;
    struct share_member *member;
    struct pool *pool;
    pthread_t thread;
    bool hangs;
    atomic_uint drawn;
};

static int read_shared(void *context, struct buf *out, struct err *problem) {
    (void)context;
    (void)problem;
    atomic_fetch_add(&readings, 1);
    buf_reserve_exact(out, SHARED_BYTES);
    buf_zero(out, SHARED_BYTES);
    return 0;
}

static int act_shared(void *context, struct edge *edge, const struct edge_object *object,
                      struct err *problem) {
    const struct share_object shared_as = {object->path, object->bytes};
    struct push_of *push = context;
    bool shared = false;
    int failed = share_take(edge->target->share, &shared_as, read_shared, NULL, NULL, &edge->copy,
                            &shared, problem);
    while (push->hangs && !atomic_load(&let_go)) {
        clock_sleep_ms(1, NULL);
    }
    push->drawn = push->drawn * 1103515245 + 12345; /* its connections may lose a step */
    clock_sleep_ms(1 + push->drawn / 65536 % 4, NULL);
    return failed;
}

static struct pool_memory shared_memory = {.bytes = INT64_C(24) * SHARED_BYTES};

static void *push_run(void *context) {
    struct push_of *push = context;
    pool_begin(push->pool, act_shared, push, NULL);
    for (int i = 0; i < SHARED; i++) {
        char path[16];
        snprintf(path, sizeof(path), "%d", i);
        const struct edge_object object = {.path = path, .sha256 = "", .bytes = SHARED_BYTES};
        ck_assert_int_eq(pool_add(push->pool, &object, NULL), 0);
    }
    ck_assert_int_eq(pool_wait(push->pool, NULL), 0);
    return NULL;
}

/* All have joined before any begins, as where one answer gives a worker pushes to several edges. */
static void pushes_begin(struct push_of pushes[TOGETHER], struct share *share) {
    atomic_store(&readings, 0);
    atomic_store(&let_go, false);
    for (int i = 0; i < TOGETHER; i++) {
        struct push_of *push = &pushes[i];
        push->endpoint = edge_fixture_endpoint("dav", "http://127.0.0.1:1");
        push->member = share_join(share, "t 1");
        push->drawn = (unsigned)i;
        struct pool_options options = {.target = edge_fixture_target(&push->endpoint, folder),
                                       .cancel = &cancel,
                                       .memory = &shared_memory};
        options.target.share = push->member;
        push->pool = pool_create(&options);
    }
    for (int i = 0; i < TOGETHER; i++) {
        pthread_create(&pushes[i].thread, NULL, push_run, &pushes[i]);
    }
}

static void push_end(struct push_of *push) {
    pthread_join(push->thread, NULL);
    pool_destroy(push->pool);
    share_leave(push->member);
}

/* However long each of them takes for an object, by chance. */
START_TEST(pushes_of_one_version_read_it_about_once) {
    struct share *share = share_create(SHARED_ROOM * SHARED_BYTES);
    struct push_of pushes[TOGETHER] = {0};
    pushes_begin(pushes, share);
    for (int i = 0; i < TOGETHER; i++) {
        push_end(&pushes[i]);
    }
    ck_assert_int_ge(atomic_load(&readings), SHARED);
    ck_assert_int_lt(atomic_load(&readings), SHARED + SHARED / 5);
    share_destroy(share);
}
END_TEST

/* Nor for one that is there and never done. */
START_TEST(pushes_wait_for_none_that_hangs) {
    struct share *share = share_create(SHARED_ROOM * SHARED_BYTES);
    struct push_of pushes[TOGETHER] = {{.hangs = true}};
    pushes_begin(pushes, share);
    for (int i = 1; i < TOGETHER; i++) {
        push_end(&pushes[i]);
    }
    atomic_store(&let_go, true);
    push_end(&pushes[0]);
    share_destroy(share);
}
END_TEST

static atomic_int passed;

static int act_or_pass(void *context, struct edge *edge, const struct edge_object *object,
                       struct err *problem) {
    (void)context;
    (void)edge;
    (void)problem;
    atomic_fetch_add(object->unread ? &passed : &readings, 1);
    return 0;
}

/* What is taken away, or read back, is no reason to wait for another push, though what is to be
 * read is: until that leaves, here. */
START_TEST(what_needs_no_reading_waits_for_no_other_push) {
    enum { UNREAD = 100, PATIENCE_MS = 30000 };
    struct share *share = share_create(SHARED_BYTES);
    struct share_copy *kept = NULL;
    bool shared = false;
    clock_test_begin(0, 0); /* so that nobody's patience ends */
    struct share_member *member = share_join(share, "t 1");
    struct share_member *other = share_join(share, "t 1");
    const struct share_object first = {"first", SHARED_BYTES};
    ck_assert_int_eq(share_take(member, &first, read_shared, NULL, NULL, &kept, &shared, &err), 0);
    share_release(kept);
    atomic_store(&readings, 0);
    atomic_store(&passed, 0);
    struct push_endpoint endpoint = edge_fixture_endpoint("dav", "http://127.0.0.1:1");
    struct pool_options options = {.target = edge_fixture_target(&endpoint, folder),
                                   .cancel = &cancel,
                                   .memory = &shared_memory};
    options.target.share = member;
    struct pool *pool = pool_create(&options);
    pool_begin(pool, act_or_pass, NULL, NULL);
    const struct edge_object wanted = {.path = "next", .sha256 = "", .bytes = SHARED_BYTES};
    const struct edge_object gone = {.path = "old", .sha256 = "", .unread = true};
    ck_assert_int_eq(pool_add(pool, &wanted, NULL), 0);
    for (int i = 0; i < UNREAD; i++) {
        ck_assert_int_eq(pool_add(pool, &gone, NULL), 0);
    }
    for (int i = 0; i < PATIENCE_MS && atomic_load(&passed) < UNREAD; i++) {
        poll(NULL, 0, 1);
    }
    ck_assert_int_eq(atomic_load(&passed), UNREAD);
    ck_assert_int_eq(atomic_load(&readings), 0);
    share_leave(other);
    ck_assert_int_eq(pool_wait(pool, &err), 0);
    ck_assert_int_eq(atomic_load(&readings), 1);
    pool_destroy(pool);
    share_leave(member);
    share_destroy(share);
    clock_test_end();
}
END_TEST

static int act_for_ever(void *context, struct edge *edge, const struct edge_object *object,
                        struct err *problem) {
    (void)context;
    (void)object;
    while (!atomic_load(edge->target->cancel)) {
        clock_sleep_ms(10, edge->target->cancel);
    }
    return err_set(problem, ERR_CANCELLED, "stopped");
}

START_TEST(a_pool_ends_when_its_time_is_over) {
    struct push_endpoint endpoint = edge_fixture_endpoint("dav", "http://127.0.0.1:1");
    const struct pool_options options = {.target = edge_fixture_target(&endpoint, folder),
                                         .cancel = &cancel,
                                         .until_ms = clock_monotonic_ms() + 50,
                                         .memory = &memory};
    const struct edge_object object = {.path = "x", .sha256 = "", .bytes = 1};
    struct pool *pool = pool_create(&options);
    pool_begin(pool, act_for_ever, NULL, NULL);
    ck_assert_int_eq(pool_add(pool, &object, NULL), 0);
    ck_assert_int_eq(pool_wait(pool, &err), ERR_TIMEOUT);
    ck_assert_int_eq(pool_failure(pool), FAILURE_TIMEOUT);
    pool_destroy(pool);
}
END_TEST

/* ---- A lease that has run out ------------------------------------------------------------ */

static _Atomic int64_t ours_until;

static int act_and_lose(void *context, struct edge *edge, const struct edge_object *object,
                        struct err *problem) {
    long number = strtol(object->path, NULL, 10);
    if (number == 100) {
        atomic_store(&ours_until, 1);
    }
    while (number > 100 && atomic_load(&ours_until) != 1) { /* however slow that one is */
        clock_sleep_ms(1, NULL);
    }
    return act(context, edge, object, problem);
}

/* Whoever was stopped, and wakes when another has the push, begins with no object more. */
START_TEST(a_pool_ends_with_its_lease) {
    struct push_endpoint endpoint = edge_fixture_endpoint("dav", "http://127.0.0.1:1");
    struct pool_options options = {
        .target = edge_fixture_target(&endpoint, folder), .cancel = &cancel, .memory = &memory};
    options.target.until_ms = &ours_until;
    atomic_store(&ours_until, INT64_MAX);
    atomic_store(&done, 0);
    memset(acted, 0, sizeof(acted));
    struct pool *pool = pool_create(&options);
    pool_begin(pool, act_and_lose, NULL, &done);
    add_all(pool);
    ck_assert_int_eq(pool_wait(pool, &err), ERR_CANCELLED);
    ck_assert_int_eq(atomic_load(&acted[99]), 1);
    for (int i = 100 + 2 * endpoint.connections; i < OBJECTS; i++) {
        ck_assert_int_eq(atomic_load(&acted[i]), 0);
    }
    pool_destroy(pool);
}
END_TEST

/* Nor does it send what it was about to send, for the first time or once more. */
START_TEST(an_edge_is_sent_nothing_after_its_lease) {
    struct fixture_answer answer = {"HTTP/1.1 201 So\r\nContent-Length: 0\r\n\r\n", 0};
    struct fixture_stub stub;
    struct edge *edge = NULL;
    fixture_write(folder, "t/" SEGMENT, "media", 5);
    fixture_stub_start(&stub, &answer, 1);
    struct push_endpoint endpoint = edge_fixture_endpoint("dav", stub.url);
    struct edge_target target = edge_fixture_target(&endpoint, folder);
    const struct edge_object object = {.path = SEGMENT, .sha256 = "", .bytes = 5};
    target.until_ms = &ours_until;
    atomic_store(&ours_until, clock_monotonic_ms() - 1);
    ck_assert_int_eq(edge_open(&edge, &target, &err), 0);
    ck_assert_int_eq(edge_bring(edge, &object, &err), ERR_CANCELLED);
    ck_assert_int_eq(edge->traffic.requests, 0);
    edge_close(edge);
    fixture_stub_stop(&stub);
}
END_TEST

Suite *edge_pool_suite(void) {
    Suite *suite = suite_create("edge_pool");
    TCase *tcase = tcase_create("edge_pool");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 300); /* under sanitizers too */
    tcase_add_test(tcase, connections_grow_while_answers_come_in_time);
    tcase_add_test(tcase, failures_halve_the_connections_once_a_round);
    tcase_add_test(tcase, what_is_brought_has_its_cost);
    tcase_add_test(tcase, a_line_has_no_more_than_its_bytes);
    tcase_add_test(tcase, a_pool_does_each_object_once_and_counts_from_the_head);
    tcase_add_loop_test(tcase, a_pool_keeps_to_its_endpoint_s_bandwidth, 0, 2);
    tcase_add_test(tcase, a_pool_stops_at_its_first_failure);
    tcase_add_test(tcase, pools_share_their_memory_in_equal_parts);
    tcase_add_test(tcase, pushes_of_one_version_read_it_about_once);
    tcase_add_test(tcase, pushes_wait_for_none_that_hangs);
    tcase_add_test(tcase, what_needs_no_reading_waits_for_no_other_push);
    tcase_add_test(tcase, a_pool_ends_when_its_time_is_over);
    tcase_add_test(tcase, a_pool_ends_with_its_lease);
    tcase_add_test(tcase, an_edge_is_sent_nothing_after_its_lease);
    suite_add_tcase(suite, tcase);
    return suite;
}
