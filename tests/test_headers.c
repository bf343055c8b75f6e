/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Headers of sources that a worker keeps: each piece fetched once, whoever wants it, and none kept
 * beyond the room that there is. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "workers/headers.h"

Suite *headers_suite(void);

enum {
    MIB = 1 << 20,
    ROOM = 4 * MIB,
    HALF = ROOM / 2 - 4096,
    SIZE = 1 << 30,
    APART = 10 * MIB,
    PIECES = 60,
    SLOTS = 4
};

static struct headers *headers;
static struct err err;
static atomic_int fetches;
static atomic_int failures; /* of fetches to come */
static atomic_int slow_ms;
static atomic_int running; /* fetches, at this moment */
static atomic_bool beside; /* two were, once */
static atomic_int wrong;   /* reads */

static void setup(void) {
    err = (struct err){0};
    atomic_store(&fetches, 0);
    atomic_store(&failures, 0);
    atomic_store(&slow_ms, 0);
    atomic_store(&running, 0);
    atomic_store(&beside, false);
    atomic_store(&wrong, 0);
    headers = headers_create(ROOM);
}

static void teardown(void) {
    headers_destroy(headers);
}

static uint8_t byte_at(int64_t offset) {
    return (uint8_t)(offset * 7 + offset / APART);
}

static int fetch(void *context, int64_t offset, void *out, size_t size, struct err *problem) {
    (void)context;
    ck_assert_uint_le(size, MIB);
    atomic_fetch_add(&fetches, 1);
    if (atomic_fetch_add(&running, 1) > 0) {
        atomic_store(&beside, true);
    }
    clock_sleep_ms(atomic_load(&slow_ms), NULL);
    atomic_fetch_sub(&running, 1);
    if (atomic_load(&failures) > 0) {
        atomic_fetch_sub(&failures, 1);
        return err_set(problem, ERR_UNAVAILABLE, "the network is away");
    }
    for (size_t i = 0; i < size; i++) {
        ((uint8_t *)out)[i] = byte_at(offset + (int64_t)i);
    }
    return 0;
}

static int64_t read_at(struct header *header, int64_t offset, uint8_t *out, size_t size) {
    return header_read(header, offset, out, size, fetch, NULL, NULL, &err);
}

/* A document whose header is one range. */
static struct source_document document_of(struct byte_range *range, int64_t offset, int64_t size) {
    *range = (struct byte_range){offset, size};
    return (struct source_document){.header = range, .header_count = 1};
}

START_TEST(a_piece_is_fetched_once_for_all_tasks) {
    struct byte_range ranges[] = {{0, 1000}, {APART, 3000}};
    struct source_document document = {.header = ranges, .header_count = 2};
    uint8_t out[4096];
    for (int task = 0; task < 3; task++) {
        struct header *header = headers_take(headers, "etag:1", &document, SIZE);
        ck_assert_ptr_nonnull(header);
        ck_assert_int_eq(read_at(header, APART + 10, out, sizeof(out)), 2990); /* to its end */
        for (int i = 0; i < 2990; i++) {
            ck_assert_uint_eq(out[i], byte_at(APART + 10 + i));
        }
        ck_assert_int_eq(read_at(header, APART + 2999, out, 5), 1);
        ck_assert_int_eq(read_at(header, APART, out, 20), 20);
        ck_assert_int_eq(atomic_load(&fetches), 1);
        header_give(header);
    }
    struct header *header = headers_take(headers, "etag:1", &document, SIZE);
    static const int64_t others[] = {1000, APART - 1, APART + 3000, SIZE - 1};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        ck_assert_int_eq(read_at(header, others[i], out, 10), 0);
    }
    ck_assert_int_eq(read_at(NULL, 0, out, 10), 0);
    ck_assert_int_eq(atomic_load(&fetches), 1);
    header_give(header);
}
END_TEST

START_TEST(another_source_or_header_is_another) {
    struct byte_range range;
    struct source_document document = document_of(&range, 0, 1000);
    uint8_t out[8];
    struct header *one = headers_take(headers, "etag:1", &document, SIZE);
    struct header *same = headers_take(headers, "etag:1", &document, SIZE);
    struct header *other = headers_take(headers, "etag:2", &document, SIZE);
    range.size = 999;
    struct header *anew = headers_take(headers, "etag:1", &document, SIZE);
    ck_assert_ptr_eq(one, same);
    ck_assert(one != other && one != anew && other != anew);
    ck_assert_int_eq(read_at(one, 0, out, 8), 8);
    ck_assert_int_eq(read_at(other, 0, out, 8), 8);
    ck_assert_int_eq(atomic_load(&fetches), 2);
    header_give(one);
    header_give(same);
    header_give(other);
    header_give(anew);
}
END_TEST

START_TEST(nothing_is_kept_of_what_nobody_knows) {
    struct byte_range range;
    struct source_document document = document_of(&range, 100, 50);
    struct source_document empty = {0};
    ck_assert_ptr_null(headers_take(headers, "etag:1", &empty, SIZE));
    ck_assert_ptr_null(headers_take(headers, "", &document, SIZE)); /* a file */
    ck_assert_ptr_null(headers_take(headers, "etag:1", &document, 149));
    ck_assert_ptr_null(headers_take(NULL, "etag:1", &document, SIZE));
    header_give(headers_take(headers, "etag:1", &document, 150));
    header_give(NULL);
}
END_TEST

START_TEST(those_not_in_use_give_way) {
    struct byte_range range;
    struct source_document document = document_of(&range, 0, HALF);
    uint8_t out[8];
    struct header *one = headers_take(headers, "etag:1", &document, SIZE);
    struct header *two = headers_take(headers, "etag:2", &document, SIZE);
    ck_assert_int_eq(read_at(one, 0, out, 8), 8);
    ck_assert_int_eq(read_at(two, 0, out, 8), 8);
    ck_assert_int_eq(read_at(two, HALF - 1, out, 8), 1); /* in pieces of a MiB */
    ck_assert_int_eq(atomic_load(&fetches), 3);
    ck_assert_ptr_null(headers_take(headers, "etag:3", &document, SIZE)); /* no room */
    header_give(one);
    header_give(two);
    header_give(headers_take(headers, "etag:1", &document, SIZE));
    header_give(headers_take(headers, "etag:3", &document, SIZE)); /* for which two gave way */
    one = headers_take(headers, "etag:1", &document, SIZE);
    ck_assert_int_eq(read_at(one, 0, out, 8), 8);
    ck_assert_int_eq(atomic_load(&fetches), 3);
    two = headers_take(headers, "etag:2", &document, SIZE);
    ck_assert_int_eq(read_at(two, 0, out, 8), 8);
    ck_assert_int_eq(atomic_load(&fetches), 4);
    header_give(one);
    header_give(two);
    range.size = ROOM + 1;
    ck_assert_ptr_null(headers_take(headers, "etag:4", &document, SIZE));
}
END_TEST

START_TEST(what_could_not_be_fetched_is_tried_again) {
    struct byte_range range;
    struct source_document document = document_of(&range, 0, 1000);
    struct header *header = headers_take(headers, "etag:1", &document, SIZE);
    uint8_t out[8];
    atomic_store(&failures, 1);
    ck_assert_int_eq(read_at(header, 0, out, 8), ERR_UNAVAILABLE);
    ck_assert_str_eq(err.message, "the network is away");
    err_clear(&err);
    ck_assert_int_eq(read_at(header, 0, out, 8), 0); /* which others are to read by themselves */
    ck_assert_int_eq(atomic_load(&fetches), 1);
    struct header *next = headers_take(headers, "etag:1", &document, SIZE);
    ck_assert_int_eq(read_at(next, 0, out, 8), 8);
    ck_assert_int_eq(atomic_load(&fetches), 2);
    header_give(next);
    atomic_bool cancel = true;
    ck_assert_int_eq(header_read(header, 0, out, 8, fetch, NULL, &cancel, &err), ERR_CANCELLED);
    header_give(header);
}
END_TEST

static void *reader_run(void *context) {
    uint8_t out[8];
    struct err why = {0};
    return (void *)(intptr_t)header_read(context, 0, out, 8, fetch, NULL, NULL, &why);
}

/* Nor does one wait for another's attempts to make them all once more. */
START_TEST(what_fails_is_tried_by_one) {
    struct byte_range range;
    struct source_document document = document_of(&range, 0, 1000);
    struct header *header = headers_take(headers, "etag:1", &document, SIZE);
    pthread_t threads[SLOTS];
    int failed = 0;
    atomic_store(&failures, SLOTS);
    atomic_store(&slow_ms, 100);
    for (int i = 0; i < SLOTS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, reader_run, header), 0);
    }
    for (int i = 0; i < SLOTS; i++) {
        void *got = NULL;
        pthread_join(threads[i], &got);
        failed += (intptr_t)got == ERR_UNAVAILABLE;
        ck_assert((intptr_t)got == ERR_UNAVAILABLE || got == NULL);
    }
    ck_assert_int_eq(failed, 1);
    ck_assert_int_eq(atomic_load(&fetches), 1);
    header_give(header);
}
END_TEST

/* A file may name many that are tiny. */
START_TEST(what_tells_of_pieces_counts_too) {
    static struct byte_range ranges[HEADER_RANGES_MAX];
    struct source_document document = {.header = ranges, .header_count = HEADER_RANGES_MAX};
    struct header *taken[ROOM / HEADER_RANGES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < HEADER_RANGES_MAX; i++) {
        ranges[i] = (struct byte_range){(int64_t)i * 5000, 1};
    }
    for (; count < sizeof(taken) / sizeof(taken[0]); count++) {
        char identity[32];
        snprintf(identity, sizeof(identity), "etag:%zu", count);
        taken[count] = headers_take(headers, identity, &document, SIZE);
        if (taken[count] == NULL) {
            break;
        }
    }
    ck_assert_uint_ge(count, 1);
    ck_assert_uint_le(count, ROOM / (HEADER_RANGES_MAX * (sizeof(struct byte_range) + 1)));
    while (count > 0) {
        header_give(taken[--count]);
    }
}
END_TEST

static void *slot_run(void *context) {
    uint8_t out[16];
    for (int i = PIECES - 1; i >= 0; i--) { /* as an MXF is gone through */
        int64_t offset = (int64_t)i * APART;
        struct err why = {0};
        if (header_read(context, offset, out, 16, fetch, NULL, NULL, &why) != 16 ||
            out[3] != byte_at(offset + 3)) {
            atomic_fetch_add(&wrong, 1);
        }
    }
    return NULL;
}

/* Slots that begin together fetch each piece once, and not one after the other. */
START_TEST(slots_share_the_round_trips) {
    struct byte_range ranges[PIECES];
    struct source_document document = {.header = ranges, .header_count = PIECES};
    pthread_t slots[SLOTS];
    for (int i = 0; i < PIECES; i++) {
        ranges[i] = (struct byte_range){(int64_t)i * APART, 4096};
    }
    struct header *header = headers_take(headers, "etag:1", &document, SIZE);
    atomic_store(&slow_ms, 5);
    for (int i = 0; i < SLOTS; i++) {
        ck_assert_int_eq(pthread_create(&slots[i], NULL, slot_run, header), 0);
    }
    for (int i = 0; i < SLOTS; i++) {
        pthread_join(slots[i], NULL);
    }
    ck_assert_int_eq(atomic_load(&wrong), 0);
    ck_assert_int_eq(atomic_load(&fetches), PIECES);
    ck_assert(atomic_load(&beside));
    header_give(header);
}
END_TEST

Suite *headers_suite(void) {
    Suite *suite = suite_create("headers");
    TCase *tc = tcase_create("headers");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_piece_is_fetched_once_for_all_tasks);
    tcase_add_test(tc, what_fails_is_tried_by_one);
    tcase_add_test(tc, what_tells_of_pieces_counts_too);
    tcase_add_test(tc, another_source_or_header_is_another);
    tcase_add_test(tc, nothing_is_kept_of_what_nobody_knows);
    tcase_add_test(tc, those_not_in_use_give_way);
    tcase_add_test(tc, what_could_not_be_fetched_is_tried_again);
    tcase_add_test(tc, slots_share_the_round_trips);
    suite_add_tcase(suite, tc);
    return suite;
}
