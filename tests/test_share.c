/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes of the origin that several pushes want: read once by those that keep up, by themselves by
 * those that don't, kept for nobody longer than there is room, and waited for no longer than there
 * is patience. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "workers/edges/edge_share.h"
#include "workers/edges/takers.h"

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

/* The same by a clock that tests alone move. */
static void setup_clock(void) {
    setup();
    clock_test_begin(0, 0);
}

static void teardown_clock(void) {
    clock_test_end();
    teardown();
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
static bool take(struct share_member *member, const char *path) {
    struct share_copy *copy = NULL;
    bool shared = false;
    ck_assert_int_eq(share_take(member, &(struct share_object){path, -1}, read_object, NULL, NULL,
                                &copy, &shared, &err),
                     0);
    ck_assert_int_eq(share_body(copy)->size, OBJECT);
    share_release(copy);
    return shared;
}

START_TEST(who_keeps_up_takes_what_another_read) {
    struct share_member *members[MEMBERS];
    for (int i = 0; i < MEMBERS; i++) {
        members[i] = share_join(share, "t 1");
    }
    for (int i = 0; i < OBJECTS; i++) {
        char *path = mem_format("%d", i);
        for (int k = 0; k < MEMBERS; k++) {
            ck_assert_int_eq(take(members[k], path), k > 0);
        }
        mem_free(path);
    }
    ck_assert_int_eq(atomic_load(&reads), OBJECTS);
    take(members[0], "0"); /* all that were to come for it have been there */
    ck_assert_int_eq(atomic_load(&reads), OBJECTS + 1);
    for (int i = 0; i < MEMBERS; i++) {
        share_leave(members[i]);
    }
}
END_TEST

START_TEST(what_is_alone_or_another_s_is_not_kept) {
    struct share_member *one = share_join(share, "t 1");
    ck_assert(!take(one, "a") && !take(one, "a"));
    struct share_member *other = share_join(share, "t 2");
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

static void take_many(struct share_member *member) {
    for (int i = 1; i < OBJECTS; i++) {
        char *path = mem_format("%d", i);
        ck_assert(!take(member, path));
        mem_free(path);
    }
}

/* Fewer than ROOM would hold, since a buffer may be twice its bytes. */
START_TEST(older_objects_give_way) {
    struct share_member *fast = share_join(share, "t 1");
    struct share_member *slow = share_join(share, "t 1");
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
    struct share_member *fast = share_join(share, "t 1");
    struct share_member *slow = share_join(share, "t 1");
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
    ck_assert(!take(slow, last)); /* which it has had */
    mem_free(last);
    last = mem_format("%d", OBJECTS - 2);
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

static const void *take_large(struct share_member *member, size_t size, struct share_copy **held) {
    char *path = mem_format("of %zu", size);
    const struct share_object object = {path, (int64_t)size};
    struct share_copy *copy = NULL;
    bool shared = false;
    ck_assert_int_eq(share_take(member, &object, read_large, &size, NULL, &copy, &shared, &err), 0);
    mem_free(path);
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
    struct share_member *alone = share_join(large, "t 1");
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

/* ---- For whom it is kept -------------------------------------------------------------------- */

static size_t choose(struct share_member *member, const char *path) {
    const struct share_wish wish = {share_hash(path), OBJECT};
    return share_choose(member, &wish, 1);
}

static bool is_held(struct share_member *member) {
    return choose(member, "new") == 1;
}

/* What one that fell behind reads by itself has been had by the others: it takes no room of what is
 * kept for them. */
START_TEST(what_all_others_have_had_is_not_kept) {
    struct share_member *one = share_join(share, "t 1");
    struct share_member *other = share_join(share, "t 1");
    take_many(one);
    for (int i = 1; i < OBJECTS; i++) {
        char *path = mem_format("%d", i);
        share_pass(other, share_hash(path));
        mem_free(path);
    }
    struct share_member *behind = share_join(share, "t 1");
    ck_assert(!take(one, "kept"));
    take_many(behind);
    ck_assert(take(other, "kept") && take(behind, "kept"));
    share_leave(behind);
    share_leave(other);
    share_leave(one);
}
END_TEST

/* Nor is it kept for one that does not come for it. */
START_TEST(what_is_passed_by_is_kept_for_nobody) {
    struct share_member *one = share_join(share, "t 1");
    struct share_member *other = share_join(share, "t 1");
    share_pass(NULL, share_hash("a"));
    share_pass(other, share_hash("a"));
    ck_assert(!take(one, "a") && !take(one, "a"));
    ck_assert(!take(one, "b") && take(one, "b"));
    share_pass(other, share_hash("b"));
    ck_assert(!take(one, "b"));
    share_leave(other);
    share_leave(one);
}
END_TEST

START_TEST(who_is_alone_is_told_so) {
    struct share_member *one = share_join(share, "t 1");
    struct share_member *else_where = share_join(share, "t 2");
    ck_assert(share_is_alone(NULL) && share_is_alone(one));
    struct share_member *other = share_join(share, "t 1");
    ck_assert(!share_is_alone(one) && !share_is_alone(other) && share_is_alone(else_where));
    share_leave(one);
    ck_assert(share_is_alone(other));
    share_leave(other);
    share_leave(else_where);
}
END_TEST

START_TEST(who_comes_late_takes_what_is_being_sent) {
    struct share_member *alone = share_join(share, "t 1");
    struct share_copy *held = NULL;
    bool shared = false;
    ck_assert_int_eq(share_take(alone, &(struct share_object){"a", -1}, read_object, NULL, NULL,
                                &held, &shared, &err),
                     0);
    struct share_member *late = share_join(share, "t 1");
    ck_assert(take(late, "a"));
    share_release(held);
    ck_assert(!take(late, "a"));
    share_leave(late);
    share_leave(alone);
}
END_TEST

/* ---- Choosing ------------------------------------------------------------------------------- */

/* What is there first, then what nobody reads. */
START_TEST(who_may_choose_takes_what_is_there) {
    static const char *const paths[] = {"a", "b", "c"};
    struct share_wish wishes[] = {
        {share_hash("a"), -1}, {share_hash("b"), OBJECT}, {share_hash("c"), -1}};
    struct share_member *one = share_join(share, "t 1");
    ck_assert_uint_eq(share_choose(NULL, wishes, 3), 0);
    ck_assert_uint_eq(share_choose(one, wishes, 3), 0);
    struct share_member *other = share_join(share, "t 1");
    struct share_member *stranger = share_join(share, "t 2");
    ck_assert_uint_eq(share_choose(one, wishes, 3), 0);
    take(other, paths[1]);
    ck_assert_uint_eq(share_choose(one, wishes, 3), 1);
    ck_assert_uint_eq(share_choose(stranger, wishes, 3), 0);
    take(other, paths[0]); /* later: it stays longer */
    ck_assert_uint_eq(share_choose(one, wishes, 3), 1);
    ck_assert(take(one, paths[1])); /* nobody else comes for it */
    ck_assert_uint_eq(share_choose(one, wishes, 3), 0);
    share_leave(stranger);
    share_leave(other);
    share_leave(one);
}
END_TEST

/* Takes new objects until it is held back; the last is `path`. */
static void take_until_held(struct share_member *member, int *number, char path[32]) {
    int from = *number;
    while (!is_held(member)) {
        ck_assert_int_le(*number - from, ROOM / OBJECT);
        snprintf(path, 32, "%d", (*number)++);
        ck_assert(!take(member, path));
    }
    ck_assert_int_gt(*number, from);
}

/* For how many ms it is held back, if nobody comes. */
static int held_ms(struct share_member *member) {
    int ms = 0;
    while (is_held(member)) {
        clock_test_advance_ms(SHARE_ASK_MS);
        ms += SHARE_ASK_MS;
        ck_assert_int_le(ms, 2 * SHARE_PATIENCE_MOST_MS);
    }
    return ms;
}

/* Until another comes; for one that does not come once, and no more then. */
START_TEST(who_is_ahead_waits_for_those_who_come) {
    enum { EARNED_MS = 40 };
    char path[32];
    int number = 0;
    struct share_member *fast = share_join(share, "t 1");
    struct share_member *slow = share_join(share, "t 1");
    take_until_held(fast, &number, path);
    ck_assert(take(slow, "0"));
    take_until_held(fast, &number, path);
    ck_assert(!is_held(slow)); /* there is enough for it */
    int waited_ms = held_ms(fast);
    ck_assert_int_ge(waited_ms, SHARE_PATIENCE_MS);
    for (int i = 0; i < OBJECTS; i++) {
        snprintf(path, sizeof(path), "%d", number++);
        ck_assert(!is_held(fast) && !take(fast, path));
        clock_test_advance_ms(SHARE_ASK_MS);
    }
    ck_assert(!take(slow, "1"));
    ck_assert(!is_held(fast));
    ck_assert(take(slow, path)); /* in time: it is waited for again */
    take_until_held(fast, &number, path);
    waited_ms += held_ms(fast);
    clock_test_advance_ms(EARNED_MS * SHARE_PATIENCE_PART);
    ck_assert(take(slow, path));
    take_until_held(fast, &number, path);
    int again_ms = held_ms(fast);
    ck_assert_int_ge(again_ms, EARNED_MS);
    ck_assert_int_le(waited_ms + again_ms, SHARE_PATIENCE_MS + 3 * 2 * SHARE_ASK_MS +
                                               (int)clock_monotonic_ms() / SHARE_PATIENCE_PART);
    share_leave(slow);
    share_leave(fast);
}
END_TEST

/* One that has hung costs the others what they trusted it once, and no patience with each other. */
START_TEST(one_that_hangs_is_waited_for_once) {
    enum { ROUNDS = 1000 };
    char path[32];
    int number = 0;
    int waited_ms = 0;
    struct share_member *fast = share_join(share, "t 1");
    struct share_member *other = share_join(share, "t 1");
    struct share_member *hung = share_join(share, "t 1");
    for (int i = 0; i < ROUNDS; i++) {
        waited_ms += held_ms(fast);
        snprintf(path, sizeof(path), "%d", number++);
        ck_assert(!take(fast, path) && take(other, path));
        clock_test_advance_ms(SHARE_ASK_MS);
    }
    ck_assert_int_ge(waited_ms, SHARE_PATIENCE_MS);
    ck_assert_int_le(waited_ms, SHARE_PATIENCE_MS + 2 * SHARE_ASK_MS);
    take_until_held(fast, &number, path);
    ck_assert_int_gt(held_ms(fast), SHARE_PATIENCE_MS + 2 * SHARE_ASK_MS); /* for the other */
    share_leave(hung);
    share_leave(other);
    share_leave(fast);
}
END_TEST

/* Nor do those who wait for it at the same time take twice from that trust. */
START_TEST(two_that_wait_at_once_cost_trust_once) {
    char path[32];
    int number = 0;
    struct share_member *fast = share_join(share, "t 1");
    struct share_member *other = share_join(share, "t 1");
    struct share_member *hung = share_join(share, "t 1");
    while (!is_held(fast)) {
        snprintf(path, sizeof(path), "%d", number++);
        ck_assert(!take(fast, path) && take(other, path));
    }
    int waited_ms = 0;
    while (is_held(fast) && is_held(other)) {
        clock_test_advance_ms(SHARE_ASK_MS);
        waited_ms += SHARE_ASK_MS;
        ck_assert_int_le(waited_ms, SHARE_PATIENCE_MOST_MS);
    }
    ck_assert_int_ge(waited_ms, SHARE_PATIENCE_MS);
    ck_assert_int_le(waited_ms, SHARE_PATIENCE_MS + 2 * SHARE_ASK_MS);
    share_leave(hung);
    share_leave(other);
    share_leave(fast);
}
END_TEST

/* However much another is trusted. */
START_TEST(no_push_waits_beyond_its_patience) {
    char path[32];
    int number = 0;
    struct share_member *other = share_join(share, "t 1");
    struct share_member *trusted = share_join(share, "t 1");
    for (int i = 0; i < OBJECTS; i++) {
        snprintf(path, sizeof(path), "%d", number++);
        ck_assert(!take(other, path) && take(trusted, path));
        clock_test_advance_ms(SHARE_PATIENCE_MOST_MS);
    }
    struct share_member *fast = share_join(share, "t 1");
    share_leave(other);
    take_until_held(fast, &number, path);
    int waited_ms = held_ms(fast);
    ck_assert_int_ge(waited_ms, SHARE_PATIENCE_MS);
    ck_assert_int_le(waited_ms, 2 * SHARE_PATIENCE_MS);
    share_leave(fast);
    share_leave(trusted);
}
END_TEST

/* Waits that end before it asks again; at most so many. */
enum { SHORT_MS = SHARE_ASK_MS - 1, SHORT_WAITS = 1000 };

/* As far as any is trusted. */
static struct share_member *join_trusted(void) {
    struct share_member *other = share_join(share, "t 1");
    struct share_member *trusted = share_join(share, "t 1");
    clock_test_advance_ms(SHARE_PATIENCE_MOST_MS * SHARE_PATIENCE_PART);
    ck_assert(!take(other, "first") && take(trusted, "first"));
    share_leave(other);
    return trusted;
}

/* Where another comes each time before it asks again. */
START_TEST(short_waits_cost_patience_too) {
    char path[32];
    int number = 0, behind = 0, waited_ms = 0;
    struct share_member *trusted = join_trusted();
    struct share_member *fast = share_join(share, "t 1");
    for (int i = 0; i < SHORT_WAITS; i++) {
        if (is_held(fast)) {
            clock_test_advance_ms(SHORT_MS);
            waited_ms += SHORT_MS;
            snprintf(path, sizeof(path), "%d", behind++);
            ck_assert(take(trusted, path));
        }
        ck_assert(!is_held(fast));
        snprintf(path, sizeof(path), "%d", number++);
        ck_assert(!take(fast, path));
    }
    ck_assert_int_ge(waited_ms, SHARE_PATIENCE_MS);
    ck_assert_int_le(waited_ms, SHARE_PATIENCE_MS + SHORT_MS + waited_ms / SHARE_PATIENCE_PART);
    share_leave(fast);
    share_leave(trusted);
}
END_TEST

/* Where another reads each time what there is no room for, while a third hangs. */
START_TEST(short_waits_cost_trust_too) {
    char path[32];
    int number = 0, waited_ms = 0;
    struct share_member *fast = share_join(share, "t 1");
    struct share_member *other = share_join(share, "t 1");
    clock_test_advance_ms(SHARE_PATIENCE_MOST_MS * SHARE_PATIENCE_PART);
    struct share_member *hung = share_join(share, "t 1");
    for (int i = 0; i < SHORT_WAITS; i++) {
        bool held = is_held(fast);
        clock_test_advance_ms(held ? SHORT_MS : 0);
        waited_ms += held ? SHORT_MS : 0;
        snprintf(path, sizeof(path), "%d", number++);
        ck_assert(!take(other, path));
        ck_assert_uint_eq(choose(fast, path), 0);
        ck_assert(take(fast, path));
    }
    ck_assert_int_ge(waited_ms, SHARE_PATIENCE_MS);
    ck_assert_int_le(waited_ms, SHARE_PATIENCE_MS + SHORT_MS);
    share_leave(hung);
    share_leave(other);
    share_leave(fast);
}
END_TEST

/* As where all that it has at work takes long. */
START_TEST(a_gap_in_which_nobody_asks_is_no_wait) {
    char path[32];
    int number = 0;
    struct share_member *fast = share_join(share, "t 1");
    struct share_member *slow = share_join(share, "t 1");
    take_until_held(fast, &number, path);
    clock_test_advance_ms(20 * SHARE_PATIENCE_MOST_MS);
    ck_assert(is_held(fast));
    ck_assert_int_ge(held_ms(fast), SHARE_PATIENCE_MS / 2);
    share_leave(slow);
    share_leave(fast);
}
END_TEST

/* One for which somebody waits may leave, and all of its version with it. */
START_TEST(who_leaves_is_waited_for_no_more) {
    char path[32];
    int number = 0;
    struct share_member *one = share_join(share, "t 1");
    struct share_member *other = share_join(share, "t 1");
    struct share_member *stranger = share_join(share, "t 2");
    struct share_member *friend = share_join(share, "t 2");
    take_until_held(one, &number, path);
    ck_assert(is_held(stranger)); /* since what is kept for the other takes all room */
    share_leave(one);
    share_leave(other);
    clock_test_advance_ms(SHARE_ASK_MS);
    ck_assert(!is_held(stranger));
    share_leave(friend);
    share_leave(stranger);
}
END_TEST

struct chooser {
    struct share_member *member;
    size_t chosen;
};

/* Another chooses while this is being read: between that and what is new. */
static int read_and_choose(void *context, struct buf *out, struct err *problem) {
    const struct share_wish wishes[] = {{share_hash("new"), OBJECT}, {share_hash("x"), OBJECT}};
    struct chooser *chooser = context;
    chooser->chosen = share_choose(chooser->member, wishes, 2);
    return read_object(NULL, out, problem);
}

static size_t choose_while_read(struct share_member *one, struct share_member *other) {
    struct chooser chooser = {.member = other};
    struct share_copy *copy = NULL;
    bool shared = false;
    ck_assert_int_eq(share_take(one, &(struct share_object){"x", OBJECT}, read_and_choose, &chooser,
                                NULL, &copy, &shared, &err),
                     0);
    share_release(copy);
    share_pass(other, share_hash("x"));
    return chooser.chosen;
}

/* Where what is new would take the place of what a third wants, one reading is enough for two. */
START_TEST(without_room_who_chooses_waits_for_what_is_being_read) {
    char path[32];
    int number = 0;
    struct share_member *one = share_join(share, "t 1");
    struct share_member *other = share_join(share, "t 1");
    ck_assert_uint_eq(choose_while_read(one, other), 0);
    struct share_member *third = share_join(share, "t 1");
    take_until_held(one, &number, path);
    while (number > 0) {
        snprintf(path, sizeof(path), "%d", --number);
        ck_assert(take(other, path));
    }
    ck_assert_uint_eq(choose_while_read(one, other), 1);
    share_leave(third);
    share_leave(other);
    share_leave(one);
}
END_TEST

START_TEST(takers_are_as_many_as_they_have_bits) {
    enum { MANY = 3000 };
    struct takers takers = {0};
    ck_assert_uint_eq(takers_of(&takers, 7), 0);
    takers_drop(&takers, 1);
    for (uint64_t i = 0; i < MANY; i++) {
        takers_add(&takers, i * 4096, 1 | (i % 3 == 0 ? 4 : 0));
        takers_add(&takers, i, 0);
    }
    takers_drop(&takers, 1);
    for (uint64_t i = 0; i < MANY; i++) {
        ck_assert_uint_eq(takers_of(&takers, i * 4096), i % 3 == 0 ? 4 : 0);
    }
    takers_finish(&takers);
    struct share_member *members[TAKERS_MAX];
    for (int i = 0; i < TAKERS_MAX; i++) {
        members[i] = share_join(share, "t 1");
        ck_assert_ptr_nonnull(members[i]);
    }
    ck_assert_ptr_null(share_join(share, "t 1"));
    for (int i = 0; i < TAKERS_MAX; i++) {
        ck_assert_int_eq(take(members[i], "a"), i > 0);
    }
    for (int i = 0; i < TAKERS_MAX; i++) {
        share_leave(members[i]);
    }
}
END_TEST

/* ---- Threads -------------------------------------------------------------------------------- */

static atomic_bool begun;
static atomic_bool go_on;

static int read_slowly(void *context, struct buf *out, struct err *problem) {
    (void)context;
    atomic_store(&begun, true);
    while (!atomic_load(&go_on)) {
        clock_sleep_ms(1, NULL);
    }
    return read_object(context, out, problem);
}

struct taker {
    struct share_member *member;
    share_read *read;
    int bad; /* the reading that fails */
    bool shared;
    int code;
};

static void *taker_run(void *context) {
    struct taker *taker = context;
    struct share_copy *copy = NULL;
    taker->code = share_take(taker->member, &(struct share_object){"x", -1}, taker->read,
                             &taker->bad, &cancel, &copy, &taker->shared, NULL);
    share_release(copy);
    return NULL;
}

/* Two that want what a third is reading; `bad`: which reading fails, -1 for none. */
static void take_at_once(struct taker takers[MEMBERS], int bad, bool stop) {
    pthread_t threads[MEMBERS];
    atomic_store(&begun, false);
    atomic_store(&go_on, false);
    for (int i = 0; i < MEMBERS; i++) {
        takers[i] = (struct taker){share_join(share, "t 1"), i == 0 ? read_slowly : read_object,
                                   bad, false, 0};
    }
    for (int i = 0; i < MEMBERS; i++) {
        pthread_create(&threads[i], NULL, taker_run, &takers[i]);
        do {
            clock_sleep_ms(20, NULL);
        } while (!atomic_load(&begun));
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
        share_leave(takers[i].member);
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
    tcase_add_test(tcase, what_all_others_have_had_is_not_kept);
    tcase_add_test(tcase, what_is_passed_by_is_kept_for_nobody);
    tcase_add_test(tcase, who_is_alone_is_told_so);
    tcase_add_test(tcase, who_comes_late_takes_what_is_being_sent);
    tcase_add_test(tcase, who_may_choose_takes_what_is_there);
    tcase_add_test(tcase, takers_are_as_many_as_they_have_bits);
    tcase_add_test(tcase, who_comes_while_it_is_read_waits_for_it);
    tcase_add_test(tcase, a_reading_that_fails_fails_its_own_push_alone);
    tcase_add_test(tcase, a_push_that_is_stopped_waits_no_more);
    suite_add_tcase(suite, tcase);
    TCase *waits = tcase_create("waits");
    tcase_add_checked_fixture(waits, setup_clock, teardown_clock);
    tcase_add_test(waits, who_is_ahead_waits_for_those_who_come);
    tcase_add_test(waits, one_that_hangs_is_waited_for_once);
    tcase_add_test(waits, two_that_wait_at_once_cost_trust_once);
    tcase_add_test(waits, no_push_waits_beyond_its_patience);
    tcase_add_test(waits, short_waits_cost_patience_too);
    tcase_add_test(waits, short_waits_cost_trust_too);
    tcase_add_test(waits, a_gap_in_which_nobody_asks_is_no_wait);
    tcase_add_test(waits, who_leaves_is_waited_for_no_more);
    tcase_add_test(waits, without_room_who_chooses_waits_for_what_is_being_read);
    suite_add_tcase(suite, waits);
    return suite;
}
