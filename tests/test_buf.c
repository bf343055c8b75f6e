/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buffers and the bounded reader; memory that can't be had; arenas. */
#include <check.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "common/wrap.h"

Suite *buf_suite(void);

START_TEST(numbers_are_big_endian) {
    struct buf buf = {0};
    buf_u8(&buf, 0x01);
    buf_u16(&buf, 0x0203);
    buf_u24(&buf, 0xff040506);
    buf_u32(&buf, 0x0708090a);
    buf_u64(&buf, UINT64_C(0x0b0c0d0e0f101112));
    ck_assert_uint_eq(buf.size, 18);
    for (size_t i = 0; i < buf.size; i++) {
        ck_assert_uint_eq(buf.data[i], i + 1);
    }
    struct bytes bytes = bytes_of(buf.data, buf.size);
    ck_assert_uint_eq(bytes_u8(&bytes), 0x01);
    ck_assert_uint_eq(bytes_u16(&bytes), 0x0203);
    ck_assert_uint_eq(bytes_u24(&bytes), 0x040506);
    ck_assert_uint_eq(bytes_u32(&bytes), 0x0708090a);
    ck_assert_uint_eq(bytes_u64(&bytes), UINT64_C(0x0b0c0d0e0f101112));
    ck_assert(!bytes.short_read && bytes_left(&bytes) == 0);
    buf_finish(&buf);
}
END_TEST

START_TEST(reading_past_the_end_gives_zeros) {
    struct bytes bytes = bytes_of("\xff\xff\xff", 3);
    ck_assert_uint_eq(bytes_u32(&bytes), 0);
    ck_assert(bytes.short_read);
    ck_assert_uint_eq(bytes_u8(&bytes), 0); /* nothing is left, not even what was there */
    ck_assert_ptr_null(bytes_take(&bytes, 1));
    struct bytes whole = bytes_of("abc", 3);
    ck_assert_ptr_nonnull(bytes_take(&whole, 3));
    ck_assert_ptr_null(bytes_take(&whole, SIZE_MAX));
}
END_TEST

START_TEST(growing_keeps_what_is_there) {
    struct buf buf = {0};
    for (uint32_t i = 0; i < 100000; i++) {
        buf_u32(&buf, i);
    }
    buf_put_u32(&buf, 4 * 777, 5);
    struct bytes bytes = bytes_of(buf.data, buf.size);
    for (uint32_t i = 0; i < 100000; i++) {
        ck_assert_uint_eq(bytes_u32(&bytes), i == 777 ? 5 : i);
    }
    buf_clear(&buf);
    buf_zero(&buf, 3);
    ck_assert(buf.size == 3 && memcmp(buf.data, "\0\0\0", 3) == 0);
    buf_finish(&buf);
    buf_finish(&buf);
}
END_TEST

START_TEST(what_will_not_grow_takes_no_more_than_it_needs) {
    struct buf buf = {0};
    struct buf from = {0};
    buf_reserve_exact(&buf, 1000);
    ck_assert_uint_eq(buf.capacity, 1000);
    const uint8_t *data = buf.data;
    buf_zero(&buf, 1000);
    buf_reserve_exact(&buf, 0);
    ck_assert(buf.capacity == 1000 && buf.data == data);
    buf_reserve_exact(&from, 0);
    ck_assert_ptr_null(from.data);
    buf_move(&from, &buf); /* without a copy */
    ck_assert(from.data == data && from.size == 1000 && buf.data == NULL && buf.size == 0);
    buf_string(&buf, "end");
    buf_move(&from, &buf);
    buf_swap(&from, &buf);
    ck_assert(from.data == NULL && buf.size == 1003);
    buf_swap(&from, &buf);
    ck_assert(from.size == 1003 && memcmp(from.data + 999, "\0end", 4) == 0 && buf.data == NULL);
    buf_finish(&from);
}
END_TEST

START_TEST(text_ends_with_nul_uncounted) {
    struct buf buf = {0};
    ck_assert_str_eq(buf_text(&buf), "");
    buf_format(&buf, "%s-%05d", "rung", 42);
    buf_string(&buf, ".m4s");
    buf_append(&buf, NULL, 0);
    ck_assert_str_eq(buf_text(&buf), "rung-00042.m4s");
    ck_assert_uint_eq(buf.size, strlen("rung-00042.m4s"));
    buf_finish(&buf);
}
END_TEST

START_TEST(writing_outside_stops_the_program) {
    struct buf buf = {0};
    buf_zero(&buf, 7);
    buf_put_u32(&buf, 4, 1);
}
END_TEST

START_TEST(a_size_that_overflows_stops_the_program) {
    mem_resize(NULL, SIZE_MAX / 2, 3);
}
END_TEST

START_TEST(an_arena_size_that_overflows_stops_the_program) {
    struct arena arena = {0};
    arena_zero(&arena, SIZE_MAX / 8, 16);
}
END_TEST

START_TEST(an_arena_gives_zeroed_aligned_memory) {
    struct arena arena = {0};
    for (size_t size = 1; size < 5000; size += 37) {
        unsigned char *memory = arena_zero(&arena, size, 1);
        ck_assert_uint_eq((uintptr_t)memory % _Alignof(max_align_t), 0);
        ck_assert(memory[0] == 0 && memcmp(memory, memory + 1, size - 1) == 0);
        memset(memory, 0xff, size);
    }
    ck_assert_ptr_nonnull(arena_zero(&arena, 0, 8));
    ck_assert_ptr_nonnull(arena_zero(&arena, 100000, 1)); /* more than a block */
    char *text = arena_format(&arena, "%s/%d", "a", 7);
    ck_assert_str_eq(arena_string(&arena, text), "a/7");
    arena_finish(&arena);
    arena_finish(&arena);
}
END_TEST

START_TEST(strings_are_copies) {
    char text[] = "one";
    char *copy = mem_string(text);
    text[0] = 'x';
    ck_assert_str_eq(copy, "one");
    ck_assert_ptr_null(mem_string(NULL));
    mem_free(copy);
    mem_free(NULL);
}
END_TEST

START_TEST(texts_are_wrapped_at_words) {
    static const char wide[] =
        "  a  word and 0123456789012345678901234567890123456789012345678901234567"
        "890123456789012345678901234567890 end";
    struct buf buf = {0};
    buf_string(&buf, "--x");
    wrap_text(&buf, wide, 3, 4);
    ck_assert_str_eq(buf_text(&buf), "--xa word and\n    "
                                     "0123456789012345678901234567890123456789012345678901234567"
                                     "890123456789012345678901234567890\n    end\n");
    buf_clear(&buf);
    buf_string(&buf, "--longer");
    wrap_text(&buf, "one", 8, 4);
    wrap_text(&buf, "", 0, 4);
    ck_assert_str_eq(buf_text(&buf), "--longer\n    one\n\n");
    buf_finish(&buf);
}
END_TEST

START_TEST(foreign_words_are_made_plain) {
    struct buf buf = {0};
    buf_plain(&buf, "a\x1b[31mb\nc\x7f\xc3\xa9");
    ck_assert_str_eq(buf_text(&buf), "a [31mb c \xc3\xa9");
    buf_finish(&buf);
}
END_TEST

Suite *buf_suite(void) {
    Suite *suite = suite_create("buf");
    TCase *tcase = tcase_create("buf");
    tcase_add_test(tcase, numbers_are_big_endian);
    tcase_add_test(tcase, reading_past_the_end_gives_zeros);
    tcase_add_test(tcase, growing_keeps_what_is_there);
    tcase_add_test(tcase, what_will_not_grow_takes_no_more_than_it_needs);
    tcase_add_test(tcase, text_ends_with_nul_uncounted);
    tcase_add_test_raise_signal(tcase, writing_outside_stops_the_program, SIGABRT);
    tcase_add_test_raise_signal(tcase, a_size_that_overflows_stops_the_program, SIGABRT);
    tcase_add_test_raise_signal(tcase, an_arena_size_that_overflows_stops_the_program, SIGABRT);
    tcase_add_test(tcase, an_arena_gives_zeroed_aligned_memory);
    tcase_add_test(tcase, texts_are_wrapped_at_words);
    tcase_add_test(tcase, foreign_words_are_made_plain);
    tcase_add_test(tcase, strings_are_copies);
    suite_add_tcase(suite, tcase);
    return suite;
}
