/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256, random ids and the clocks. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/id.h"
#include "common/mem.h"
#include "fixture.h"

Suite *hash_suite(void);

/* ---- SHA-256: examples of FIPS 180-4's companion page and RFC 6234 ---------------- */

static const struct {
    const char *text;
    const char *hex;
} vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

START_TEST(published_vectors_hold) {
    char hex[SHA256_TEXT];
    sha256_hex_of(vectors[_i].text, strlen(vectors[_i].text), hex);
    ck_assert_str_eq(hex, vectors[_i].hex);
}
END_TEST

START_TEST(pieces_hash_like_the_whole) {
    enum { SIZE = 100000 };
    unsigned char *data = fixture_bytes(SIZE);
    uint8_t whole[SHA256_BYTES];
    uint8_t pieces[SHA256_BYTES];
    struct sha256 hash;
    sha256_of(data, SIZE, whole);
    sha256_init(&hash);
    for (size_t at = 0, step = 1; at < SIZE; at += step, step = step * 2 % 977 + 1) {
        sha256_add(&hash, data + at, at + step <= SIZE ? step : SIZE - at);
    }
    sha256_end(&hash, pieces);
    sha256_finish(&hash);
    ck_assert_mem_eq(whole, pieces, sizeof(whole));
    mem_free(data);
}
END_TEST

static int stop_after_two(void *context, int64_t done) {
    int64_t *last = context;
    ck_assert_int_gt(done, *last);
    *last = done;
    return done >= 2 * 1024 * 1024 ? 1 : 0;
}

START_TEST(a_file_is_hashed_whole_or_until_stopped) {
    enum { SIZE = 3 * 1024 * 1024 + 5 };
    unsigned char *data = fixture_bytes(SIZE);
    uint8_t expected[SHA256_BYTES];
    uint8_t found[SHA256_BYTES];
    struct err err = {0};
    int64_t last = 0;
    char *folder = fixture_folder();
    fixture_write(folder, "f", data, SIZE);
    char *path = mem_format("%s/f", folder);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    lseek(fd, 77, SEEK_SET);
    sha256_of(data, SIZE, expected);
    ck_assert_int_eq(sha256_file(fd, found, NULL, NULL, &err), 0);
    ck_assert_mem_eq(found, expected, sizeof(found));
    ck_assert_int_eq(lseek(fd, 0, SEEK_CUR), 77);
    ck_assert_int_eq(sha256_file(fd, found, stop_after_two, &last, &err), ERR_CANCELLED);
    ck_assert_int_eq(last, 2 * 1024 * 1024);
    err_clear(&err);
    close(fd);
    ck_assert_int_ne(sha256_file(fd, found, NULL, NULL, &err), 0);
    ck_assert_ptr_nonnull(strstr(err.message, strerror(EBADF)));
    mem_free(path);
    fixture_folder_drop(folder);
    mem_free(data);
}
END_TEST

/* ---- Ids ------------------------------------------------------------------------- */

START_TEST(ids_differ_and_keep_to_their_letters) {
    char first[ID_TEXT];
    char second[ID_TEXT];
    char token[ID_TOKEN_TEXT];
    id_make(first);
    id_make(second);
    id_token(token);
    ck_assert_str_ne(first, second);
    ck_assert_uint_eq(strlen(first), 26);
    ck_assert_uint_eq(strspn(first, "0123456789abcdefghjkmnpqrstvwxyz"), 26);
    ck_assert_uint_eq(strlen(token), 64);
    ck_assert_uint_eq(strspn(token, "0123456789abcdef"), 64);
}
END_TEST

START_TEST(numbers_stay_in_bounds_and_reach_all) {
    int seen[7] = {0};
    for (int i = 0; i < 7000; i++) {
        uint64_t number = id_number(7);
        ck_assert_uint_lt(number, 7);
        seen[number]++;
    }
    for (int i = 0; i < 7; i++) {
        ck_assert_int_gt(seen[i], 700); /* 1,000 expected; ten deviations away */
    }
    ck_assert_uint_eq(id_number(1), 0);
}
END_TEST

START_TEST(hex_is_lower_case) {
    char text[7];
    id_hex("\x00\xAf\x7F", 3, text);
    ck_assert_str_eq(text, "00af7f");
}
END_TEST

/* ---- Clocks ---------------------------------------------------------------------- */

static const struct {
    int64_t wall_ms;
    const char *text;
} times[] = {
    {0, "1970-01-01T00:00:00.000Z"},
    {1795244789005, "2026-11-21T07:06:29.005Z"},
    {951782400999, "2000-02-29T00:00:00.999Z"},
    {-1, "1969-12-31T23:59:59.999Z"},
    {253402300799999, "9999-12-31T23:59:59.999Z"},
};

START_TEST(wall_times_are_written_in_utc) {
    char text[CLOCK_TEXT];
    clock_text(times[_i].wall_ms, text);
    ck_assert_str_eq(text, times[_i].text);
}
END_TEST

START_TEST(the_test_clock_stands_until_moved) {
    clock_test_begin(5000000, 1000);
    ck_assert_int_eq(clock_monotonic_ms(), 5);
    clock_test_advance_ms(20);
    ck_assert(clock_sleep_ms(3600 * 1000, NULL));
    ck_assert_int_eq(clock_monotonic_ms(), 3600025);
    ck_assert_int_eq(clock_wall_ms(), 3601020);
    clock_test_end();
    ck_assert_int_gt(clock_wall_ms(), INT64_C(1700000000000));
}
END_TEST

START_TEST(a_sleep_takes_its_time_or_ends_when_cancelled) {
    atomic_bool cancel = false;
    int64_t from = clock_monotonic_ms();
    ck_assert(clock_sleep_ms(120, &cancel));
    ck_assert_int_ge(clock_monotonic_ms() - from, 119);
    cancel = true;
    from = clock_monotonic_ms();
    ck_assert(!clock_sleep_ms(60 * 1000, &cancel));
    ck_assert_int_lt(clock_monotonic_ms() - from, 1000);
    ck_assert(clock_sleep_ms(0, NULL) && clock_sleep_ms(-5, NULL));
}
END_TEST

Suite *hash_suite(void) {
    Suite *suite = suite_create("hash");
    TCase *tcase = tcase_create("hash");
    tcase_add_loop_test(tcase, published_vectors_hold, 0, sizeof(vectors) / sizeof(vectors[0]));
    tcase_add_test(tcase, pieces_hash_like_the_whole);
    tcase_add_test(tcase, a_file_is_hashed_whole_or_until_stopped);
    tcase_add_test(tcase, ids_differ_and_keep_to_their_letters);
    tcase_add_test(tcase, numbers_stay_in_bounds_and_reach_all);
    tcase_add_test(tcase, hex_is_lower_case);
    tcase_add_loop_test(tcase, wall_times_are_written_in_utc, 0, sizeof(times) / sizeof(times[0]));
    tcase_add_test(tcase, the_test_clock_stands_until_moved);
    tcase_add_test(tcase, a_sleep_takes_its_time_or_ends_when_cancelled);
    suite_add_tcase(suite, tcase);
    return suite;
}
