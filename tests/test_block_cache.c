/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much is fetched for reads in order, at two places at once, and at random. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/block_cache.h"
#include "common/buf.h"
#include "common/id.h"
#include "common/mem.h"

Suite *block_cache_suite(void);

enum { MIB = 1024 * 1024 };

/* A file whose bytes tell their place, and a count of what was asked of it. */
struct origin {
    int64_t size;
    struct buf data;
    int requests;
    int64_t bytes;
    int64_t largest;
    bool broken;
};

static struct origin origin;
static struct block_cache *cache;

static uint8_t byte_at(int64_t offset) {
    uint64_t mixed = (uint64_t)offset * UINT64_C(0x9e3779b97f4a7c15);
    return (uint8_t)(mixed >> 56);
}

static int fetch(void *context, int64_t offset, size_t size, const uint8_t **data,
                 struct err *err) {
    struct origin *from = context;
    ck_assert(offset >= 0 && size > 0 && offset + (int64_t)size <= from->size);
    if (from->broken) {
        return err_set(err, ERR_UNAVAILABLE, "broken");
    }
    from->requests++;
    from->bytes += (int64_t)size;
    from->largest = (int64_t)size > from->largest ? (int64_t)size : from->largest;
    buf_clear(&from->data);
    buf_reserve(&from->data, size);
    for (size_t i = 0; i < size; i++) {
        from->data.data[i] = byte_at(offset + (int64_t)i);
    }
    *data = from->data.data;
    return 0;
}

static void begin(int64_t size) {
    origin = (struct origin){.size = size};
    cache = block_cache_create(size, fetch, &origin);
}

static void end(void) {
    block_cache_destroy(cache);
    buf_finish(&origin.data);
}

static void check_read(int64_t offset, size_t size) {
    static uint8_t out[8 * MIB];
    struct err err = {0};
    memset(out, 0, size);
    ck_assert_msg(block_cache_read(cache, offset, out, size, &err) == 0, "%s", err.message);
    for (size_t i = 0; i < size; i++) {
        if (out[i] != byte_at(offset + (int64_t)i)) {
            ck_abort_msg("byte %lld is wrong", (long long)offset + (long long)i);
        }
    }
}

START_TEST(reading_in_order_doubles_up_to_4_mib) {
    begin(40 * MIB);
    for (int64_t at = 0; at < 40 * MIB; at += 64 * 1024) {
        check_read(at, 64 * 1024);
    }
    ck_assert_int_eq(origin.bytes, 40 * MIB);  /* nothing twice */
    ck_assert_int_eq(origin.largest, 4 * MIB); /* 1/4, 1/2, 1, 2, then pieces of 4 */
    ck_assert_int_eq(origin.requests, 4 + 10);
    end();
}
END_TEST

START_TEST(two_places_are_read_ahead_of_each) {
    begin(200 * MIB);
    for (int64_t at = 0; at < 20 * MIB; at += 32 * 1024) { /* pictures and sound far apart */
        check_read(at, 32 * 1024);
        check_read(100 * MIB + at / 8, 4 * 1024);
    }
    ck_assert_int_le(origin.requests, 20);
    ck_assert_int_le(origin.bytes, 30 * MIB);
    end();
}
END_TEST

START_TEST(reads_here_and_there_cost_a_block_each) {
    begin(200 * MIB);
    for (int i = 0; i < 50; i++) {
        check_read((int64_t)id_number(199) * MIB + 1000, 5000);
    }
    ck_assert_int_le(origin.requests, 50);
    ck_assert_int_le(origin.largest, 2 * BLOCK_BYTES);
    end();
}
END_TEST

START_TEST(a_large_read_is_fetched_in_large_pieces) {
    begin(40 * MIB);
    check_read(100, 8 * MIB - 100);
    ck_assert_int_eq(origin.requests, 2);
    end();
}
END_TEST

START_TEST(head_and_tail_stay) {
    begin(100 * MIB + 3);
    check_read(0, 10);
    check_read(100 * MIB - 1, 4);
    int before = origin.requests;
    for (int64_t at = 10 * MIB; at < 80 * MIB; at += MIB) {
        check_read(at, MIB);
    }
    int between = origin.requests;
    check_read(5, 100);
    check_read(100 * MIB - 1, 4);
    check_read(100 * MIB + 2, 1);
    ck_assert_int_gt(between, before);
    ck_assert_int_eq(origin.requests, between);
    check_read(10 * MIB, 1); /* long forgotten */
    ck_assert_int_eq(origin.requests, between + 1);
    end();
}
END_TEST

START_TEST(what_is_seeded_is_not_fetched) {
    begin(BLOCK_BYTES + 100);
    uint8_t *data = mem_resize(NULL, BLOCK_BYTES + 100, 1);
    for (int64_t i = 0; i < BLOCK_BYTES + 100; i++) {
        data[i] = byte_at(i);
    }
    block_cache_seed(cache, data, BLOCK_BYTES + 50); /* the second block is not whole */
    check_read(0, BLOCK_BYTES);
    ck_assert_int_eq(origin.requests, 0);
    check_read(BLOCK_BYTES, 100);
    ck_assert_int_eq(origin.requests, 1);
    block_cache_seed(cache, data, BLOCK_BYTES + 100);
    check_read(0, BLOCK_BYTES + 100);
    ck_assert_int_eq(origin.requests, 1);
    mem_free(data);
    end();
}
END_TEST

/* Fetches and puts in what is foreseen after a read up to there. Whether anything was. */
static bool follow(int64_t offset) {
    int64_t from = 0;
    size_t size = 0;
    const uint8_t *data = NULL;
    if (!block_cache_foresee(cache, offset, &from, &size)) {
        return false;
    }
    ck_assert(!block_cache_has(cache, from, size));
    ck_assert_int_eq(fetch(&origin, from, size, &data, NULL), 0);
    block_cache_put(cache, from, data, size);
    ck_assert(block_cache_has(cache, from, size));
    return true;
}

START_TEST(what_comes_next_is_foreseen) {
    begin(40 * MIB);
    int asked = 0;
    int foreseen = 0;
    for (int64_t at = 0; at < 40 * MIB; at += 64 * 1024) {
        int before = origin.requests;
        check_read(at, 64 * 1024);
        asked += origin.requests - before;
        foreseen += follow(at + 64 * 1024);
    }
    ck_assert_int_eq(asked, 2); /* that it is read in order is seen by the second piece */
    ck_assert_int_eq(foreseen, 2 + 10);
    ck_assert_int_eq(origin.bytes, 40 * MIB);
    ck_assert_int_eq(origin.largest, 4 * MIB);
    end();
}
END_TEST

START_TEST(nothing_is_foreseen_of_reads_here_and_there) {
    begin(200 * MIB);
    for (int i = 0; i < 50; i++) {
        int64_t at = (i * 37 % 199) * (int64_t)MIB + 1000;
        check_read(at, 5000);
        ck_assert(!follow(at + 5000));
    }
    end();
}
END_TEST

START_TEST(pieces_keep_to_their_limit) {
    begin(40 * MIB);
    block_cache_limit(cache, 2, INT64_MAX);
    for (int64_t at = 0; at < 10 * MIB; at += 64 * 1024) {
        check_read(at, 64 * 1024);
        follow(at + 64 * 1024);
    }
    ck_assert_int_eq(origin.largest, 2 * BLOCK_BYTES);
    ck_assert_int_le(origin.bytes, 10 * MIB + 2 * BLOCK_BYTES);
    end();
}
END_TEST

/* Who stops soon behind what was sure has had little fetched in vain, and who goes on is fetched
 * more for again. */
START_TEST(pieces_end_where_the_reader_may) {
    static const struct {
        int64_t end;
        int64_t vain; /* bytes */
        int64_t requests;
    } cases[] = {{5 * MIB, 2 * BLOCK_BYTES, 9},
                 {6 * MIB, 3 * BLOCK_BYTES, 13},
                 {30 * MIB, 24 * BLOCK_BYTES, 45}};
    begin(40 * MIB);
    block_cache_limit(cache, BLOCK_AHEAD_MAX, 5 * MIB - 1000);
    for (int64_t at = 0; at < cases[_i].end; at += 64 * 1024) {
        check_read(at, 64 * 1024);
        follow(at + 64 * 1024);
    }
    ck_assert_int_le(origin.bytes, cases[_i].end + cases[_i].vain);
    ck_assert_int_le(origin.requests, cases[_i].requests);
    end();
}
END_TEST

START_TEST(a_failure_is_passed_on_and_not_remembered) {
    uint8_t byte;
    struct err err = {0};
    begin(MIB);
    origin.broken = true;
    ck_assert_int_eq(block_cache_read(cache, 5, &byte, 1, &err), ERR_UNAVAILABLE);
    origin.broken = false;
    check_read(5, 1);
    end();
}
END_TEST

START_TEST(random_reads_give_the_right_bytes) {
    begin(60 * MIB + 12345);
    for (int i = 0; i < 300; i++) {
        int64_t offset = (int64_t)id_number((uint64_t)origin.size);
        size_t size = (size_t)id_number(300000) + 1;
        int64_t left = origin.size - offset;
        check_read(offset, (int64_t)size < left ? size : (size_t)left);
    }
    end();
}
END_TEST

Suite *block_cache_suite(void) {
    Suite *suite = suite_create("block_cache");
    TCase *tcase = tcase_create("block_cache");
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, reading_in_order_doubles_up_to_4_mib);
    tcase_add_test(tcase, two_places_are_read_ahead_of_each);
    tcase_add_test(tcase, reads_here_and_there_cost_a_block_each);
    tcase_add_test(tcase, a_large_read_is_fetched_in_large_pieces);
    tcase_add_test(tcase, head_and_tail_stay);
    tcase_add_test(tcase, what_is_seeded_is_not_fetched);
    tcase_add_test(tcase, what_comes_next_is_foreseen);
    tcase_add_test(tcase, nothing_is_foreseen_of_reads_here_and_there);
    tcase_add_test(tcase, pieces_keep_to_their_limit);
    tcase_add_loop_test(tcase, pieces_end_where_the_reader_may, 0, 3);
    tcase_add_test(tcase, a_failure_is_passed_on_and_not_remembered);
    tcase_add_test(tcase, random_reads_give_the_right_bytes);
    suite_add_tcase(suite, tcase);
    return suite;
}
