/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes of the origin that several pushes want: read once by those that keep up, by themselves by
 * those that don't, and kept for nobody longer than there is room. */
#include <check.h>
#include <pthread.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "workers/edges/edge_share.h"

Suite *share_suite(void);

enum { ROOM = 8192, OBJECT = 1024, MEMBERS = 3, OBJECTS = 200 };

static struct share *share;
static struct err err;
static atomic_int reads;
static atomic_bool cancel;

static void setup(void) {
    err = (struct err){0};
    atomic_store(&reads, 0);
    atomic_store(&cancel, false);
    share = share_create(ROOM);
}

static void teardown(void) {
    share_destroy(share);
}

/* Its first byte says which reading it was. */
static int read_object(void *context, struct buf *out, struct err *problem) {
    int number = atomic_fetch_add(&reads, 1);
    if (context != NULL && number == *(int *)context) {
        return err_set(problem, ERR_UNAVAILABLE, "number %d", number);
    }
    buf_u8(out, (uint8_t)number);
    buf_zero(out, OBJECT - 1);
    return 0;
}

/* Takes and gives back; whether another had read it. */
static bool take(struct share_group *group, const char *path) {
    struct share_copy *copy = NULL;
    bool shared = false;
    ck_assert_int_eq(share_take(group, &(struct share_object){path, -1}, read_object, NULL, NULL,
                                &copy, &shared, &err),
                     0);
    ck_assert_int_eq(share_body(copy)->size, OBJECT);
    share_release(copy);
    return shared;
}

START_TEST(who_keeps_up_takes_what_another_read) {
    struct share_group *groups[MEMBERS];
    for (int i = 0; i < MEMBERS; i++) {
        groups[i] = share_join(share, "t 1");
        ck_assert_ptr_eq(groups[i], groups[0]);
    }
    for (int i = 0; i < OBJECTS; i++) {
        char *path = mem_format("%d", i);
        for (int k = 0; k < MEMBERS; k++) {
            ck_assert_int_eq(take(groups[k], path), k > 0);
        }
        mem_free(path);
    }
    ck_assert_int_eq(atomic_load(&reads), OBJECTS);
    take(groups[0], "0"); /* all that were to come for it have been there */
    ck_assert_int_eq(atomic_load(&reads), OBJECTS + 1);
    for (int i = 0; i < MEMBERS; i++) {
        share_leave(groups[i]);
    }
}
END_TEST

START_TEST(what_is_alone_or_another_s_is_not_kept) {
    struct share_group *one = share_join(share, "t 1");
    ck_assert(!take(one, "a") && !take(one, "a"));
    struct share_group *other = share_join(share, "t 2");
    ck_assert(!take(one, "a") && !take(other, "a"));
    ck_assert(!take(NULL, "a"));
    share_leave(other);
    other = share_join(share, "t 1");
    ck_assert(!take(one, "b"));
    share_leave(other); /* nobody comes for it now */
    ck_assert(!take(one, "b"));
    share_leave(one);
    ck_assert_int_eq(atomic_load(&reads), 7);
}
END_TEST

static void take_many(struct share_group *group) {
    for (int i = 1; i < OBJECTS; i++) {
        char *path = mem_format("%d", i);
        ck_assert(!take(group, path));
        mem_free(path);
    }
}

/* Fewer than ROOM would hold, since a buffer may be twice its bytes. */
START_TEST(older_objects_give_way) {
    struct share_group *fast = share_join(share, "t 1");
    struct share_group *slow = share_join(share, "t 1");
    take_many(fast);
    ck_assert(!take(slow, "1"));
    char *last = mem_format("%d", OBJECTS - 1);
    ck_assert(take(slow, last));
    mem_free(last);
    share_leave(slow);
    share_leave(fast);
}
END_TEST

/* What is in use is there anyway, so it is for those who come later too, and takes the room of what
 * is kept for them: with it there are never more bytes than the larger of the two. */
START_TEST(what_is_in_use_has_its_room_first) {
    enum { HELD = ROOM / OBJECT };
    struct share_group *fast = share_join(share, "t 1");
    struct share_group *slow = share_join(share, "t 1");
    struct share_copy *held[HELD];
    bool shared = false;
    for (int i = 0; i < HELD; i++) {
        char *path = mem_format("held %d", i);
        ck_assert_int_eq(share_take(fast, &(struct share_object){path, -1}, read_object, NULL, NULL,
                                    &held[i], &shared, &err),
                         0);
        mem_free(path);
    }
    take_many(fast);
    ck_assert(take(slow, "held 0"));
    ck_assert_int_eq(share_body(held[0])->data[0], 0); /* and goes to nobody else */
    char *last = mem_format("%d", OBJECTS - 1);
    ck_assert(!take(slow, last)); /* for which there was no room */
    for (int i = 0; i < HELD; i++) {
        share_release(held[i]);
    }
    take_many(fast);
    ck_assert(!take(slow, "held 1"));
    ck_assert(take(slow, last));
    mem_free(last);
    share_leave(slow);
    share_leave(fast);
}
END_TEST

static const void *given; /* the buffer that was last read into */

static int read_large(void *context, struct buf *out, struct err *problem) {
    size_t size = *(const size_t *)context;
    (void)problem;
    given = out->data;
    ck_assert_uint_gt(out->capacity, size);
    ck_assert_uint_lt(out->capacity, 2 * size + 2);
    buf_zero(out, size);
    return 0;
}

static const void *take_large(struct share_group *group, size_t size, struct share_copy **held) {
    const struct share_object object = {"x", (int64_t)size};
    struct share_copy *copy = NULL;
    bool shared = false;
    ck_assert_int_eq(share_take(group, &object, read_large, &size, NULL, &copy, &shared, &err), 0);
    if (held != NULL) {
        *held = copy;
    } else {
        share_release(copy);
    }
    return given;
}

/* Large buffers are used again, by what is not much smaller, as long as there is room for them. */
START_TEST(a_large_buffer_serves_the_next_object) {
    enum { MIB = 1 << 20 };
    struct share *large = share_create(8 * MIB);
    struct share_group *alone = share_join(large, "t 1");
    struct share_copy *held[2];
    const void *first = take_large(alone, 3 * MIB, NULL);
    ck_assert_ptr_eq(take_large(alone, 3 * MIB, &held[0]), first);
    const void *second = take_large(alone, 4 * MIB, &held[1]);
    ck_assert_ptr_ne(second, first);
    share_release(held[0]);
    share_release(held[1]);
    ck_assert_ptr_eq(take_large(alone, 2 * MIB, NULL), first); /* the smaller */
    take_large(alone, MIB, NULL);                              /* for which both are too large */
    share_leave(alone);
    share_destroy(large);
}
END_TEST

/* What is there first, then what nobody reads. */
START_TEST(who_may_choose_takes_what_is_there) {
    static const char *const paths[] = {"a", "b", "c"};
    uint64_t hashes[] = {share_hash("a"), share_hash("b"), share_hash("c")};
    struct share_group *one = share_join(share, "t 1");
    ck_assert_uint_eq(share_choose(NULL, hashes, 3), 0);
    ck_assert_uint_eq(share_choose(one, hashes, 3), 0);
    struct share_group *other = share_join(share, "t 1");
    struct share_group *stranger = share_join(share, "t 2");
    ck_assert_uint_eq(share_choose(one, hashes, 3), 0);
    take(other, paths[1]);
    ck_assert_uint_eq(share_choose(one, hashes, 3), 1);
    ck_assert_uint_eq(share_choose(stranger, hashes, 3), 0);
    ck_assert(take(one, paths[1])); /* nobody else comes for it */
    ck_assert_uint_eq(share_choose(one, hashes, 3), 0);
    share_leave(stranger);
    share_leave(other);
    share_leave(one);
}
END_TEST

/* ---- Threads -------------------------------------------------------------------------------- */

static atomic_bool go_on;

static int read_slowly(void *context, struct buf *out, struct err *problem) {
    (void)context;
    while (!atomic_load(&go_on)) {
        clock_sleep_ms(1, NULL);
    }
    return read_object(context, out, problem);
}

struct taker {
    struct share_group *group;
    share_read *read;
    int bad; /* the reading that fails */
    bool shared;
    int code;
};

static void *taker_run(void *context) {
    struct taker *taker = context;
    struct share_copy *copy = NULL;
    taker->code = share_take(taker->group, &(struct share_object){"x", -1}, taker->read,
                             &taker->bad, &cancel, &copy, &taker->shared, NULL);
    share_release(copy);
    return NULL;
}

/* Two that want what a third is reading; `bad`: which reading fails, -1 for none. */
static void take_at_once(struct taker takers[MEMBERS], int bad, bool stop) {
    pthread_t threads[MEMBERS];
    atomic_store(&go_on, false);
    for (int i = 0; i < MEMBERS; i++) {
        takers[i] = (struct taker){share_join(share, "t 1"), i == 0 ? read_slowly : read_object,
                                   bad, false, 0};
    }
    for (int i = 0; i < MEMBERS; i++) {
        pthread_create(&threads[i], NULL, taker_run, &takers[i]);
        clock_sleep_ms(20, NULL);
    }
    ck_assert_int_eq(atomic_load(&reads), 0);
    atomic_store(&cancel, stop);
    for (int i = stop ? 1 : 0; i < MEMBERS; i++) {
        atomic_store(&go_on, !stop);
        pthread_join(threads[i], NULL);
    }
    if (stop) {
        atomic_store(&go_on, true);
        pthread_join(threads[0], NULL);
    }
    for (int i = 0; i < MEMBERS; i++) {
        share_leave(takers[i].group);
    }
}

START_TEST(who_comes_while_it_is_read_waits_for_it) {
    struct taker takers[MEMBERS];
    take_at_once(takers, -1, false);
    ck_assert_int_eq(atomic_load(&reads), 1);
    ck_assert(!takers[0].shared && takers[1].shared && takers[2].shared);
}
END_TEST

START_TEST(a_reading_that_fails_fails_its_own_push_alone) {
    struct taker takers[MEMBERS];
    take_at_once(takers, 0, false);
    ck_assert_int_eq(takers[0].code, ERR_UNAVAILABLE);
    ck_assert(takers[1].code == 0 && takers[2].code == 0);
    ck_assert_int_eq(atomic_load(&reads), 2);
}
END_TEST

START_TEST(a_push_that_is_stopped_waits_no_more) {
    struct taker takers[MEMBERS];
    take_at_once(takers, -1, true);
    ck_assert_int_eq(takers[0].code, 0);
    ck_assert_int_eq(takers[1].code, ERR_CANCELLED);
    ck_assert_int_eq(takers[2].code, ERR_CANCELLED);
}
END_TEST

Suite *share_suite(void) {
    Suite *suite = suite_create("share");
    TCase *tcase = tcase_create("share");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, who_keeps_up_takes_what_another_read);
    tcase_add_test(tcase, what_is_alone_or_another_s_is_not_kept);
    tcase_add_test(tcase, older_objects_give_way);
    tcase_add_test(tcase, what_is_in_use_has_its_room_first);
    tcase_add_test(tcase, a_large_buffer_serves_the_next_object);
    tcase_add_test(tcase, who_may_choose_takes_what_is_there);
    tcase_add_test(tcase, who_comes_while_it_is_read_waits_for_it);
    tcase_add_test(tcase, a_reading_that_fails_fails_its_own_push_alone);
    tcase_add_test(tcase, a_push_that_is_stopped_waits_no_more);
    suite_add_tcase(suite, tcase);
    return suite;
}
