/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames between worker and child: whole, in pieces, and as a hostile child sends them. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/mem.h"
#include "workers/pipe.h"

Suite *pipe_suite(void);

enum { MUCH = 1 << 20 };

static int ends[2]; /* 0: reads, does not block; 1: writes */
static struct pipe_inbox inbox;

static void setup(void) {
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    inbox = (struct pipe_inbox){.from = PIPE_CHILD};
}

static void teardown(void) {
    pipe_inbox_finish(&inbox);
    close(ends[0]);
    close(ends[1]);
}

static void send_bytes(const void *data, size_t size) {
    ck_assert_int_eq(write(ends[1], data, size), (ssize_t)size);
}

START_TEST(a_frame_of_parts_arrives_whole) {
    struct pipe_part parts[] = {{"ab", 2}, {NULL, 0}, {"cdefghijklmnopqr", 16}};
    ck_assert_int_eq(pipe_send(ends[1], PIPE_INIT, parts, 3, NULL), 0);
    ck_assert_int_eq(pipe_inbox_fill(&inbox, ends[0], NULL), 1);
    ck_assert_int_eq(inbox.type, PIPE_INIT);
    ck_assert_uint_eq(inbox.size, 18);
    ck_assert_mem_eq(inbox.payload, "abcdefghijklmnopqr", 18);
    pipe_inbox_next(&inbox);
    ck_assert_int_eq(pipe_inbox_fill(&inbox, ends[0], NULL), 0);
}
END_TEST

START_TEST(a_frame_arrives_byte_by_byte_and_the_next_is_left_alone) {
    uint8_t bytes[PIPE_HEADER + 16 + PIPE_HEADER] = {16, 0, 0, 0, PIPE_PROGRESS};
    pipe_put_u64(bytes + 5, 7);
    pipe_put_u64(bytes + 13, UINT64_C(1) << 60);
    bytes[21] = 12;
    bytes[25] = PIPE_READ;
    for (size_t i = 0; i < PIPE_HEADER + 15; i++) {
        send_bytes(bytes + i, 1);
        ck_assert_int_eq(pipe_inbox_fill(&inbox, ends[0], NULL), 0);
    }
    send_bytes(bytes + PIPE_HEADER + 15, 1 + PIPE_HEADER);
    ck_assert_int_eq(pipe_inbox_fill(&inbox, ends[0], NULL), 1);
    ck_assert_uint_eq(pipe_get_u64(inbox.payload), 7);
    ck_assert_uint_eq(pipe_get_u64(inbox.payload + 8), UINT64_C(1) << 60);
    pipe_inbox_next(&inbox);
    ck_assert_int_eq(pipe_inbox_fill(&inbox, ends[0], NULL), 0);
    ck_assert_uint_eq(inbox.header_used, PIPE_HEADER);
}
END_TEST

static const struct {
    const char *what;
    uint32_t size;
    uint8_t type;
} hostile[] = {
    {"no such type", 0, 0},
    {"no such type", 4, PIPE_TYPE_COUNT},
    {"no such type", 4, 255},
    {"only the worker says spec", 2, PIPE_SPEC},
    {"only the worker says data", 2, PIPE_DATA},
    {"a read is 12 bytes", 11, PIPE_READ},
    {"a read is 12 bytes", 13, PIPE_READ},
    {"a giant", UINT32_MAX, PIPE_SEGMENT},
    {"just too large", PIPE_SEGMENT_BYTES + 1, PIPE_SEGMENT},
    {"just too large", PIPE_FAIL_BYTES + 1, PIPE_FAIL},
    {"nothing in it", 0, PIPE_DONE},
};

START_TEST(a_hostile_header_is_corrupt) {
    uint8_t header[PIPE_HEADER];
    pipe_put_u32(header, hostile[_i].size);
    header[4] = hostile[_i].type;
    send_bytes(header, sizeof(header));
    struct err err = {0};
    ck_assert_msg(pipe_inbox_fill(&inbox, ends[0], &err) == ERR_CORRUPT, "%s", hostile[_i].what);
    ck_assert_ptr_null(inbox.payload);
}
END_TEST

START_TEST(an_end_in_a_frame_is_told) {
    uint8_t bytes[] = {12, 0, 0, 0, PIPE_READ, 1, 2};
    send_bytes(bytes, sizeof(bytes));
    ck_assert_int_eq(pipe_inbox_fill(&inbox, ends[0], NULL), 0);
    shutdown(ends[1], SHUT_WR);
    ck_assert_int_eq(pipe_inbox_fill(&inbox, ends[0], NULL), ERR_UNAVAILABLE);
}
END_TEST

START_TEST(a_child_takes_only_the_answer_it_waits_for) {
    uint8_t number[4];
    struct pipe_part part = {"\1\2\3\4", 4};
    fcntl(ends[0], F_SETFL, 0);
    ck_assert_int_eq(pipe_send(ends[1], PIPE_DATA, &part, 1, NULL), 0);
    ck_assert_int_eq(pipe_receive(ends[0], PIPE_DATA, number, sizeof(number), NULL), 4);
    ck_assert_uint_eq(pipe_get_u32(number), 0x04030201);
    ck_assert_int_eq(pipe_send(ends[1], PIPE_DATA, &part, 1, NULL), 0);
    ck_assert_int_eq(pipe_receive(ends[0], PIPE_SPEC, number, sizeof(number), NULL), ERR_CORRUPT);
    shutdown(ends[1], SHUT_WR);
    uint8_t rest[4];
    ck_assert_int_eq(read(ends[0], rest, sizeof(rest)), 4);
    ck_assert_int_eq(pipe_receive(ends[0], PIPE_DATA, number, sizeof(number), NULL),
                     ERR_UNAVAILABLE);
}
END_TEST

/* A megabyte is more than the socket takes at once. */
START_TEST(an_outbox_goes_on_where_it_stopped) {
    struct pipe_outbox outbox = {0};
    uint8_t *room = pipe_outbox_begin(&outbox, MUCH);
    for (size_t i = 0; i < MUCH; i++) {
        room[i] = (uint8_t)(i * 31 >> 3);
    }
    pipe_outbox_end(&outbox, PIPE_SPEC, MUCH);
    inbox.from = PIPE_WORKER;
    ck_assert_int_eq(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    int rounds = 0;
    int got = 0;
    while (got == 0) {
        int sent = pipe_outbox_flush(&outbox, ends[1], NULL);
        ck_assert_int_ge(sent, 0);
        got = pipe_inbox_fill(&inbox, ends[0], NULL);
        ck_assert_int_lt(rounds++, 10000);
    }
    ck_assert_int_eq(got, 1);
    ck_assert_int_gt(rounds, 1);
    ck_assert(!pipe_outbox_busy(&outbox));
    ck_assert_uint_eq(inbox.size, MUCH);
    for (size_t i = 0; i < MUCH; i++) {
        ck_assert_uint_eq(inbox.payload[i], (uint8_t)(i * 31 >> 3));
    }
    pipe_outbox_finish(&outbox);
}
END_TEST

START_TEST(writing_to_nobody_is_an_error_and_no_signal) {
    close(ends[0]);
    struct pipe_part part = {"0123456789abcdef", 16};
    struct err err = {0};
    ck_assert_int_eq(pipe_send(ends[1], PIPE_PROGRESS, &part, 1, &err), ERR_UNAVAILABLE);
    ends[0] = dup(ends[1]); /* for teardown */
}
END_TEST

START_TEST(too_much_is_refused_before_it_is_sent) {
    uint8_t *much = mem_zero(1, PIPE_FAIL_BYTES + 1);
    struct pipe_part part = {much, PIPE_FAIL_BYTES + 1};
    ck_assert_int_eq(pipe_send(ends[1], PIPE_FAIL, &part, 1, NULL), ERR_INTERNAL);
    ck_assert_int_eq(pipe_inbox_fill(&inbox, ends[0], NULL), 0);
    ck_assert_uint_eq(inbox.header_used, 0);
    mem_free(much);
}
END_TEST

START_TEST(errors_cross_the_pipe) {
    struct err said = {0};
    struct err heard = {0};
    struct buf text = {0};
    err_set(&said, ERR_UNSUPPORTED, "it is \"encrypted\"; ask for a \\ clear one");
    pipe_error_write(&said, &text);
    ck_assert_int_eq(pipe_error_read(text.data, text.size, &heard), ERR_UNSUPPORTED);
    ck_assert_str_eq(heard.message, said.message);
    buf_finish(&text);
}
END_TEST

static const struct {
    const char *text;
    enum err_code code;
} errors[] = {
    {"{}", ERR_CORRUPT},
    {"[1]", ERR_CORRUPT},
    {"\xff\xfe", ERR_CORRUPT},
    {"{\"code\":\"none\",\"message\":\"x\"}", ERR_INTERNAL}, /* a failure is never none */
    {"{\"code\":\"whatever\",\"message\":\"x\"}", ERR_INTERNAL},
};

START_TEST(a_hostile_error_is_still_an_error) {
    struct err heard = {0};
    const uint8_t *text = (const uint8_t *)errors[_i].text;
    ck_assert_int_eq(pipe_error_read(text, strlen(errors[_i].text), &heard), errors[_i].code);
    ck_assert_int_ne(heard.message[0], '\0');
}
END_TEST

Suite *pipe_suite(void) {
    Suite *suite = suite_create("pipe");
    TCase *frames = tcase_create("frames");
    tcase_add_checked_fixture(frames, setup, teardown);
    tcase_add_test(frames, a_frame_of_parts_arrives_whole);
    tcase_add_test(frames, a_frame_arrives_byte_by_byte_and_the_next_is_left_alone);
    tcase_add_loop_test(frames, a_hostile_header_is_corrupt, 0,
                        (int)(sizeof(hostile) / sizeof(hostile[0])));
    tcase_add_test(frames, an_end_in_a_frame_is_told);
    tcase_add_test(frames, a_child_takes_only_the_answer_it_waits_for);
    tcase_add_test(frames, an_outbox_goes_on_where_it_stopped);
    tcase_add_test(frames, writing_to_nobody_is_an_error_and_no_signal);
    tcase_add_test(frames, too_much_is_refused_before_it_is_sent);
    tcase_add_test(frames, errors_cross_the_pipe);
    tcase_add_loop_test(frames, a_hostile_error_is_still_an_error, 0,
                        (int)(sizeof(errors) / sizeof(errors[0])));
    suite_add_tcase(suite, frames);
    return suite;
}
