/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bulkhead between endpoints: however many pushes one of them holds, each other has a slot of
 * every worker at once. And what one endpoint's pushes may take of its bandwidth together. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "publish_fixture.h"
#include "scheduler/publishing/push_lane.h"

Suite *push_lane_suite(void);

enum { TITLES = 7, ENDPOINTS = 3, SHARED = 2, LANE = ENDPOINTS + SHARED };

static struct world world;

static void close_world(void) {
    world_close(&world);
}

static void open_world(void) {
    static const char file[] =
        "endpoints:\n"
        "  - {name: e1, driver: dav, url: 'http://e1.example', fill: on-demand}\n"
        "  - {name: e2, driver: dav, url: 'http://e2.example', fill: on-demand}\n"
        "  - {name: e3, driver: dav, url: 'http://e3.example', fill: on-demand,\n"
        "     pushes: 3, bandwidth_bps: 10000}\n";
    char title[16];
    world_open(&world, file);
    world.check_order = false;
    for (int i = 0; i < TITLES; i++) {
        snprintf(title, sizeof(title), "t%d", i);
        world_run(&world, title, 0, PUBLISH_A);
    }
}

static void publish(int from, int count, const char *endpoint) {
    char title[16];
    for (int i = from; i < from + count; i++) {
        snprintf(title, sizeof(title), "t%d", i);
        ck_assert_int_eq(world_call(&world, ask_publish, title, endpoint, NULL), 0);
    }
}

/* How many of what was leased go to an endpoint. */
static int count_to(const char *endpoint) {
    int count = 0;
    for (int i = 0; i < world.farm.task_count; i++) {
        count += strcmp(world.farm.tasks[i].push.endpoint.name, endpoint) == 0;
    }
    return count;
}

/* Until its limit lets it have four at a time, as one that answers well does; then it hangs. */
static void let_it_grow(const char *endpoint) {
    publish(0, 2, endpoint);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(world_lease_pushes(&world, 1), 1);
        fixture_make(&world.farm, &world.farm.tasks[0]);
    }
}

static const struct {
    struct push_lane lane;
    int64_t has;
    bool fits;
} lanes[] = {
    {{.slots = 5, .free = 5, .bare = 3}, 0, true},
    {{.slots = 5, .free = 4, .bare = 2}, 1, true}, /* of what is shared */
    {{.slots = 5, .free = 3, .bare = 2}, 2, true},
    {{.slots = 5, .free = 2, .bare = 2}, 3, false}, /* the others' */
    {{.slots = 5, .free = 2, .bare = 2}, 0, true},
    {{.slots = 5, .free = 1, .bare = 0}, 1, true}, /* all have one */
    {{.slots = 5, .free = 0, .bare = 2}, 0, false},
    {{.slots = 2, .free = 2, .bare = 9}, 1, true}, /* too small for all: one for whatever comes */
    {{.slots = 2, .free = 1, .bare = 9}, 1, false},
    {{.slots = 2, .free = 1, .bare = 9}, 0, true},
    {{.slots = 1, .free = 1, .bare = 9}, 1, true},
    {{.slots = 0, .free = 0, .bare = 9}, 1, false},
};

START_TEST(each_endpoint_has_a_slot_of_its_own) {
    ck_assert_int_eq(push_lane_fits(&lanes[_i].lane, lanes[_i].has), lanes[_i].fits);
}
END_TEST

/* One that hangs gets its own slot and what is shared, and no other ever waits for it: nor on
 * another worker, which keeps slots of its own. */
START_TEST(one_that_hangs_takes_no_slot_of_another) {
    char other[ID_TEXT];
    let_it_grow("e1");
    publish(2, 5, "e1");
    ck_assert_int_eq(world_lease_pushes(&world, LANE), 1 + SHARED);
    ck_assert_int_eq(count_to("e1"), 1 + SHARED);
    ck_assert_int_eq(world_lease_pushes(&world, ENDPOINTS - 1), 0);
    publish(0, 3, "e2");
    ck_assert_int_eq(world_lease_pushes(&world, ENDPOINTS - 1), 1);
    ck_assert_int_eq(count_to("e2"), 1);
    ck_assert_int_eq(world_lease_pushes(&world, 1), 0); /* the last one is the third's */
    publish(0, 1, "e3");
    ck_assert_int_eq(world_lease_pushes(&world, 1), 1);
    ck_assert_int_eq(count_to("e3"), 1);
    ck_assert_int_eq(fixture_join(&world.farm, "w2", "host2", 4, other), 0);
    memcpy(world.session, other, sizeof(other));
    ck_assert_int_eq(world_lease_pushes(&world, LANE), 2);
    ck_assert_int_eq(count_to("e1"), 1); /* its limit is four */
    ck_assert_int_eq(count_to("e2"), 1); /* also as slow */
}
END_TEST

/* A small worker's memory is shared out as its slots are. */
START_TEST(memory_is_slots_too) {
    let_it_grow("e1");
    publish(2, 5, "e1");
    world.farm.memory_bytes = INT64_C(3) * (64 << 20);
    ck_assert_int_eq(world_lease_pushes(&world, LANE), 1);
    publish(0, 1, "e2");
    publish(0, 1, "e3");
    world.farm.memory_bytes = INT64_C(2) * (64 << 20);
    ck_assert_int_eq(world_lease_pushes(&world, LANE - 1), 2);
    ck_assert_int_eq(count_to("e2") + count_to("e3"), 2);
}
END_TEST

/* An older worker has fewer slots than endpoints: all but one go to those that have none there,
 * also while some are taken. */
START_TEST(a_lane_that_is_too_small_keeps_to_first_pushes) {
    let_it_grow("e1");
    publish(2, 5, "e1");
    ck_assert_int_eq(world_lease_pushes(&world, 2), 1);
    ck_assert_int_eq(world_lease_pushes(&world, 1), 0);
    publish(0, 2, "e2");
    ck_assert_int_eq(world_lease_pushes(&world, 1), 1);
    ck_assert_int_eq(count_to("e2"), 1);
}
END_TEST

/* Nor is a slot kept for an endpoint that the file has no more. */
START_TEST(who_is_in_the_file_no_more_has_no_slot) {
    world_list(
        &world,
        "endpoints:\n  - {name: e1, driver: dav, url: 'http://e1.example', fill: on-demand}\n");
    let_it_grow("e1");
    publish(2, 5, "e1");
    ck_assert_int_eq(world_lease_pushes(&world, 4), 4); /* its limit */
}
END_TEST

struct lane_look {
    struct push_lane lane;
    int64_t of_hook;
};

static void run_look(struct tx *tx, void *context) {
    struct lane_look *look = context;
    struct endpoint_list list = {0};
    struct session_row session;
    ck_assert(session_get(tx, world.session, &session));
    const struct push_request request = {
        .session = &session, .slots = 2, .memory_bytes = world.farm.memory_bytes};
    endpoint_list_read(tx, &world.farm.farm, &list);
    push_lane_read(tx, &request, &list, &look->lane);
    look->of_hook = endpoint_list_find(&list, "hook")->here;
    endpoint_list_finish(&list);
}

/* What is told to a webhook is in its slot. */
START_TEST(a_webhook_has_a_slot_too) {
    struct lane_look look = {0};
    world_list(
        &world,
        "endpoints:\n  - {name: e1, driver: dav, url: 'http://e1.example', fill: on-demand}\n"
        "  - {name: hook, driver: webhook, url: 'http://hook.example'}\n");
    publish(0, 1, "e1");
    world_submit(&world, "new", 0, PUBLISH_A);
    world_lease_pushes(&world, LANE);
    ck_assert_int_eq(count_to("hook"), 1);
    ck_assert_int_eq(store_call(world.farm.store, run_look, &look, NULL), 0);
    ck_assert_int_eq(look.of_hook, 1);
    ck_assert_int_eq(look.lane.slots, 2 + world.farm.task_count);
    ck_assert_int_eq(look.lane.bare, 0);
}
END_TEST

/* However many pushes an endpoint gets at a time, on however many workers: together they have no
 * more than it may be sent. */
START_TEST(pushes_of_one_endpoint_share_its_bandwidth) {
    int64_t sum = 0;
    let_it_grow("e3");
    publish(2, 5, "e3");
    ck_assert_int_eq(world_lease_pushes(&world, 64), 3);
    for (int i = 0; i < world.farm.task_count; i++) {
        sum += world.farm.tasks[i].push.endpoint.bandwidth_bps;
    }
    ck_assert_int_gt(sum, 9000);
    ck_assert_int_le(sum, 10000);
}
END_TEST

Suite *push_lane_suite(void) {
    Suite *suite = suite_create("push_lane");
    TCase *tests = tcase_create("push_lane");
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, each_endpoint_has_a_slot_of_its_own, 0,
                        sizeof(lanes) / sizeof(lanes[0]));
    suite_add_tcase(suite, tests);
    TCase *grants = tcase_create("grants");
    tcase_add_checked_fixture(grants, open_world, close_world);
    tcase_set_timeout(grants, 60);
    tcase_add_test(grants, one_that_hangs_takes_no_slot_of_another);
    tcase_add_test(grants, memory_is_slots_too);
    tcase_add_test(grants, a_lane_that_is_too_small_keeps_to_first_pushes);
    tcase_add_test(grants, who_is_in_the_file_no_more_has_no_slot);
    tcase_add_test(grants, a_webhook_has_a_slot_too);
    tcase_add_test(grants, pushes_of_one_endpoint_share_its_bandwidth);
    suite_add_tcase(suite, grants);
    return suite;
}
