/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HTTP server alone, by raw sockets: who only holds connections, or sends too slowly. */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/http_server.h"
#include "common/mem.h"

Suite *http_server_suite(void);

enum { WAIT_MS = 10000, SHORT_MS = 400 };

static struct http_server *server;
static struct http_server_options options;

static bool authorise(void *context, const char *token, char caller[HTTP_CALLER_TEXT]) {
    (void)context;
    snprintf(caller, HTTP_CALLER_TEXT, "somebody");
    return strcmp(token, "good") == 0;
}

/* Answers how many bytes the body has. */
static void handle(void *context, struct exchange *exchange) {
    struct buf text = {0};
    (void)context;
    buf_format(&text, "%zu", exchange->body.size);
    http_answer(exchange, exchange->authorised ? 200 : 401, "text/plain", &text);
}

static void set_up(void) {
    options = http_server_options_default();
    options.handle = handle;
    options.authorise = authorise;
}

static void start(void) {
    struct err err = {0};
    ck_assert_msg(http_server_start(&server, &options, &err) == 0, "%s", err.message);
}

static void tear_down(void) {
    http_server_stop(server);
    server = NULL;
}

/* From 127.0.0.`from`. */
static int open_from(int from) {
    struct sockaddr_in local = {.sin_family = AF_INET};
    struct sockaddr_in address = {.sin_family = AF_INET};
    local.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)from);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)http_server_port(server));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&local, sizeof(local)), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_text(int fd, const char *text) {
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* The status of an answer; 0 where the connection ends without one. */
static int answer_of(int fd) {
    char text[2048];
    int status = 0;
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    ck_assert_int_eq(poll(&readable, 1, WAIT_MS), 1);
    ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
    text[got < 0 ? 0 : got] = '\0';
    return sscanf(text, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

/* Whether it has been ended by the server: now, not later. */
static bool is_over(int fd) {
    char byte;
    ssize_t got = recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
    return got == 0 || (got < 0 && errno != EAGAIN);
}

static int ask(int fd, const char *token) {
    char *text =
        mem_format("GET /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n", token);
    send_text(fd, text);
    mem_free(text);
    return answer_of(fd);
}

/* A connection that is asked on is one that the server has seen, and all before it. */
static int open_good(int from) {
    int fd = open_from(from);
    ck_assert_int_eq(ask(fd, "good"), 200);
    return fd;
}

static void close_all(int *fds, int count) {
    for (int i = 0; i < count; i++) {
        close(fds[i]);
    }
}

/* ---- who only holds connections ---------------------------------------------------- */

START_TEST(strangers_of_one_address_drive_out_their_own) {
    int fds[8];
    options.strangers_per_address = 4;
    start();
    int worker = open_good(1); /* behind the same address */
    int other = open_from(2);
    for (int i = 0; i < 8; i++) {
        fds[i] = open_from(1);
        if (i % 2 == 0) { /* a head that is begun is no title to a place */
            send_text(fds[i], "GET / HTTP/1.1\r\nHost:");
        }
    }
    close(open_good(3));
    for (int i = 0; i < 8; i++) {
        ck_assert_msg(is_over(fds[i]) == (i < 4), "stranger %d", i);
    }
    ck_assert(!is_over(other));
    ck_assert_int_eq(ask(worker, "good"), 200);
    ck_assert_int_eq(ask(fds[7], "bad"), 401); /* the young are served */
    close_all(fds, 8);
    close(worker);
    close(other);
}
END_TEST

START_TEST(strangers_of_many_addresses_drive_out_the_oldest) {
    int fds[12];
    options.strangers = 8;
    options.strangers_per_address = 4;
    start();
    int worker = open_good(1);
    for (int i = 0; i < 12; i++) {
        fds[i] = open_from(2 + i);
    }
    close(open_good(1));
    for (int i = 0; i < 12; i++) { /* and one more, before it showed its token */
        ck_assert_msg(is_over(fds[i]) == (i < 5), "stranger %d", i);
    }
    ck_assert_int_eq(ask(worker, "good"), 200);
    close_all(fds, 12);
    close(worker);
}
END_TEST

START_TEST(who_has_a_token_is_no_stranger) {
    int fds[20];
    options.strangers_per_address = 2;
    options.strangers = 2;
    start();
    for (int i = 0; i < 20; i++) {
        fds[i] = open_good(1);
    }
    for (int i = 0; i < 20; i++) {
        ck_assert_int_eq(ask(fds[i], "good"), 200);
    }
    close_all(fds, 20);
}
END_TEST

START_TEST(a_wrong_token_makes_no_acquaintance) {
    int fds[6];
    options.strangers_per_address = 3;
    start();
    for (int i = 0; i < 6; i++) {
        fds[i] = open_from(1);
        ck_assert_int_eq(ask(fds[i], "bad"), 401);
    }
    for (int i = 0; i < 6; i++) {
        ck_assert_msg(is_over(fds[i]) == (i < 3), "stranger %d", i);
    }
    close_all(fds, 6);
}
END_TEST

/* Places come back: as many again, and again. */
START_TEST(strangers_that_leave_are_forgotten) {
    options.strangers = 4;
    options.strangers_per_address = 4;
    start();
    for (int round = 0; round < 10; round++) {
        int fds[4];
        for (int i = 0; i < 4; i++) {
            fds[i] = open_from(1);
            ck_assert_int_eq(ask(fds[i], "bad"), 401);
        }
        for (int i = 0; i < 4; i++) {
            ck_assert(!is_over(fds[i]));
            shutdown(fds[i], SHUT_WR);
            ck_assert_int_eq(answer_of(fds[i]), 0); /* the server has closed it */
        }
        close_all(fds, 4);
    }
}
END_TEST

/* ---- who is slow ------------------------------------------------------------------- */

/* A byte now and then, so that inactivity alone would never end it. Returns after how long the
 * server has ended it; INT64_MAX: not in time. */
static int64_t drip(int fd) {
    int64_t since = clock_monotonic_ms();
    while (clock_monotonic_ms() - since < WAIT_MS) {
        if (send(fd, "x", 1, MSG_NOSIGNAL) < 0 || is_over(fd)) {
            return clock_monotonic_ms() - since;
        }
        clock_sleep_ms(20, NULL);
    }
    return INT64_MAX;
}

static const char *const begun[] = {
    "",
    "G",
    "GET /x HTTP/1.1\r\nHost: x\r\nX: ",
    "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nContent-Length: 9999\r\n\r\n",
    "POST /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\nTransfer-Encoding: "
    "chunked\r\n\r\n"
    "ffff\r\n",
};

START_TEST(a_request_that_drips_is_ended) {
    options.request_ms = SHORT_MS;
    options.max_body = 32 << 10; /* no time more for a body of unknown length */
    start();
    int fd = open_from(1);
    send_text(fd, begun[_i]);
    int64_t took_ms = drip(fd);
    ck_assert_msg(took_ms > SHORT_MS / 2 && took_ms < WAIT_MS, "%lld", (long long)took_ms);
    close(fd);
}
END_TEST

/* Its deadline comes before the one that the connection began with. */
START_TEST(a_second_request_that_drips_is_ended) {
    options.request_ms = 2 * WAIT_MS;
    options.idle_ms = SHORT_MS;
    start();
    int fd = open_good(1);
    send_text(fd, "G");
    ck_assert_int_lt(drip(fd), WAIT_MS);
    close(fd);
}
END_TEST

START_TEST(an_idle_connection_is_ended) {
    options.idle_ms = SHORT_MS;
    start();
    int fd = open_good(1);
    ck_assert_int_eq(answer_of(fd), 0);
    close(fd);
}
END_TEST

/* A long body of somebody has the time that a slow line needs. */
START_TEST(a_long_body_has_more_time) {
    static char part[128 << 10];
    options.request_ms = SHORT_MS;
    start();
    int fd = open_from(1);
    send_text(fd, "POST /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
                  "Content-Length: 131072\r\n\r\n");
    memset(part, 'x', sizeof(part));
    ck_assert_int_eq(send(fd, part, 1000, MSG_NOSIGNAL), 1000);
    clock_sleep_ms(2 * SHORT_MS, NULL);
    for (size_t sent = 1000; sent < sizeof(part);) {
        ssize_t now = send(fd, part + sent, sizeof(part) - sent, MSG_NOSIGNAL);
        ck_assert_int_gt(now, 0);
        sent += (size_t)now;
    }
    ck_assert_int_eq(answer_of(fd), 200);
    close(fd);
}
END_TEST

/* Bytes of nobody are read and not kept, up to the bound and no further. */
START_TEST(a_chunked_body_over_the_bound_is_refused) {
    static char part[64 << 10];
    options.max_body = 16 << 10;
    start();
    int fd = open_from(1);
    send_text(fd, "POST /x HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n10000\r\n");
    memset(part, 'x', sizeof(part));
    for (size_t sent = 0; sent < sizeof(part);) {
        ssize_t now = send(fd, part + sent, sizeof(part) - sent, MSG_NOSIGNAL);
        if (now <= 0) {
            break;
        }
        sent += (size_t)now;
    }
    send(fd, "\r\n0\r\n\r\n", 7, MSG_NOSIGNAL);
    ck_assert_int_eq(answer_of(fd), 413);
    close(fd);
}
END_TEST

/* ---- bodies of strangers, and queries ------------------------------------------------ */

static int post(int fd, int length, int sent) {
    char *text = mem_format("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%0*d", length,
                            sent, 0);
    send_text(fd, text);
    mem_free(text);
    return sent < length ? 0 : answer_of(fd);
}

/* Where they are kept, so many bytes of all together: who leaves makes room. */
START_TEST(bodies_of_strangers_are_kept_up_to_a_bound) {
    options.stranger_bytes = 100;
    start();
    int fds[2] = {open_from(1), open_from(2)};
    ck_assert_int_eq(post(fds[0], 60, 60), 401); /* the handler's own */
    ck_assert_int_eq(post(fds[0], 80, 60), 0);
    ck_assert_int_eq(ask(open_from(3), "good"), 200); /* what came before it is read */
    ck_assert_int_eq(post(fds[1], 60, 60), 503);
    close_all(fds, 2);
    int status = 503;
    while (status == 503) { /* until the server has seen them go */
        fds[1] = open_from(2);
        status = post(fds[1], 60, 60);
        close(fds[1]);
    }
    ck_assert_int_eq(status, 401);
}
END_TEST

/* What was held of a body that is refused is free before the rest of it has come. */
START_TEST(a_body_that_is_refused_holds_nothing) {
    options.stranger_bytes = 100;
    start();
    int fds[2] = {open_from(1), open_from(2)};
    ck_assert_int_eq(post(fds[0], 200, 60), 0);
    close(open_good(3)); /* what came before it is read */
    ck_assert_int_eq(post(fds[1], 60, 60), 503);
    char *more = mem_format("%070d", 0); /* of 200 */
    send_text(fds[0], more);
    close(open_good(3));
    close(fds[1]);
    fds[1] = open_from(2);
    ck_assert_int_eq(post(fds[1], 60, 60), 401);
    send_text(fds[0], more);
    mem_free(more);
    ck_assert_int_eq(answer_of(fds[0]), 503);
    close_all(fds, 2);
}
END_TEST

/* Sends a head and so many bytes of its body, by a good token. */
static void begin_body(int fd, const char *path, int length, int sent) {
    char *text = mem_format("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
                            "Content-Length: %d\r\n\r\n%*s",
                            path, length, sent, "");
    send_text(fd, text);
    mem_free(text);
}

/* Who has a token may not fill the memory either; what is small goes on all the same. */
START_TEST(all_bodies_together_are_bounded) {
    enum { HELD = 30000, ROOM = 1000, MORE = 20000, LITTLE = 5000 };
    char text[2048];
    options.body_bytes = HELD + ROOM;
    start();
    int first = open_good(1), second = open_good(1);
    begin_body(first, "/x", HELD + 1, HELD);
    close(open_good(1)); /* what came before it is read */
    begin_body(second, "/x", MORE, MORE);
    ssize_t got = recv(second, text, sizeof(text) - 1, 0);
    text[got < 0 ? 0 : got] = '\0';
    ck_assert_msg(strncmp(text, "HTTP/1.1 503 ", 13) == 0 && strstr(text, "\r\nRetry-After: 1\r\n"),
                  "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "\"code\":\"unavailable\""));
    close(second);
    second = open_good(1);
    for (int i = 0; i < 10; i++) {
        begin_body(second, "/x", LITTLE, LITTLE);
        ck_assert_int_eq(answer_of(second), 200);
    }
    send_text(first, "x"); /* it was held, and is well; what it held is free again */
    ck_assert_int_eq(answer_of(first), 200);
    ck_assert_int_eq(ask(first, "good"), 200); /* that before it is over */
    begin_body(second, "/x", MORE, MORE);
    ck_assert_int_eq(answer_of(second), 200);
    close(first);
    close(second);
}
END_TEST

static int64_t most_body(void *context, const struct exchange *exchange) {
    (void)context;
    ck_assert_str_eq(exchange->method, "POST");
    ck_assert_str_eq(exchange->caller, "somebody");
    return strcmp(exchange->path, "/ten") == 0    ? 10
           : strcmp(exchange->path, "/none") == 0 ? -1
                                                  : INT64_MAX;
}

/* A body is measured by what its call takes, before it is sent; nobody's is not kept. */
START_TEST(each_call_has_a_bound_of_its_own) {
    static const struct {
        const char *path;
        int length;
        int sent;
        int status;
        const char *bytes; /* that the handler saw */
    } cases[] = {
        {"/ten", 10, 10, 200, "\r\n\r\n10"},  {"/ten", 11, 0, 413, ""},
        {"/none", 11, 11, 200, "\r\n\r\n0"},  {"/none", 101, 0, 413, ""},
        {"/x", 100, 100, 200, "\r\n\r\n100"}, {"/x", 101, 0, 413, ""},
    };
    options.max_body = 100;
    options.most_body = most_body;
    start();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[2048];
        int status = 0, fd = open_from(1);
        begin_body(fd, cases[i].path, cases[i].length, cases[i].sent);
        ssize_t got = recv(fd, text, sizeof(text) - 1, 0);
        text[got < 0 ? 0 : got] = '\0';
        sscanf(text, "HTTP/1.1 %d", &status);
        ck_assert_msg(status == cases[i].status && strstr(text, cases[i].bytes) != NULL,
                      "%s of %d: %s", cases[i].path, cases[i].length, text);
        close(fd);
    }
    int fd = open_from(1);
    send_text(fd, "POST /ten HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer good\r\n"
                  "Transfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n5\r\n12345\r\n0\r\n\r\n");
    ck_assert_int_eq(answer_of(fd), 413);
    close(fd);
}
END_TEST

static const struct {
    const char *target;
    bool escapes;
    int status;
} targets[] = {
    {"/x?q=%C3%A9+b", true, 401}, {"/x?q=%C3%A9+b", false, 400}, {"/x%41?q=b", true, 400},
    {"/x?q=%0a", true, 400},      {"/x?q=%1F", true, 400},       {"/x?q=%7f", true, 400},
    {"/x?q=%00", true, 400},      {"/x?q=%4", true, 400},        {"/x?q=%zz", true, 400},
    {"/x?q=%", true, 400},        {"/x?q=%20%25", true, 401},    {"/x?q=b", false, 401},
};

START_TEST(escapes_are_taken_in_queries_alone_and_where_asked_for) {
    options.escapes = targets[_i].escapes;
    start();
    int fd = open_from(1);
    char *text = mem_format("GET %s HTTP/1.1\r\nHost: x\r\n\r\n", targets[_i].target);
    send_text(fd, text);
    ck_assert_int_eq(answer_of(fd), targets[_i].status);
    mem_free(text);
    close(fd);
}
END_TEST

/* The library keeps parameters in little memory, and where that was full it said nothing. */
static const struct {
    int count, status;
} parameters[] = {{64, 401}, {65, 400}, {500, 400}, {1000, 400}, {1900, 400}, {5000, 414}};

START_TEST(however_many_parameters_it_is_answered) {
    struct buf text = {0};
    start();
    int fd = open_from(1);
    buf_string(&text, "GET /x?a");
    for (int i = 1; i < parameters[_i].count; i++) {
        buf_string(&text, "&a");
    }
    buf_string(&text, " HTTP/1.1\r\nHost: x\r\n\r\n");
    send_text(fd, buf_text(&text));
    ck_assert_int_eq(answer_of(fd), parameters[_i].status);
    buf_finish(&text);
    close(fd);
}
END_TEST

/* ---- who answers wrongly ------------------------------------------------------------ */

static void answer_twice(void *context, struct exchange *exchange) {
    (void)context;
    http_answer(exchange, 200, NULL, NULL);
    http_answer(exchange, 200, NULL, NULL);
}

static void more_twice(void *context) {
    struct buf piece = {0};
    buf_string(&piece, "x");
    http_stream_write(context, &piece);
    buf_string(&piece, "y");
    http_stream_write(context, &piece);
}

static void end_nothing(void *context) {
    (void)context;
}

static void stream(void *context, struct exchange *exchange) {
    struct http_stream stream = {.more = more_twice, .end = end_nothing, .context = exchange};
    struct buf piece = {0};
    (void)context;
    buf_string(&piece, "first");
    http_answer_stream(exchange, &(struct http_reply){.status = 200}, &stream, &piece);
}

/* A connection that is resumed twice, or suspended twice, does what it likes: better none. */
START_TEST(a_second_answer_ends_the_process) {
    static void (*const wrong[])(void *context, struct exchange *exchange) = {answer_twice, stream};
    options.handle = wrong[_i];
    start();
    int fd = open_from(1);
    send_text(fd, "GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
    clock_sleep_ms(WAIT_MS, NULL);
    close(fd);
}
END_TEST

Suite *http_server_suite(void) {
    Suite *suite = suite_create("http_server");
    TCase *holders = tcase_create("holders");
    tcase_add_checked_fixture(holders, set_up, tear_down);
    tcase_add_test(holders, strangers_of_one_address_drive_out_their_own);
    tcase_add_test(holders, strangers_of_many_addresses_drive_out_the_oldest);
    tcase_add_test(holders, who_has_a_token_is_no_stranger);
    tcase_add_test(holders, a_wrong_token_makes_no_acquaintance);
    tcase_add_test(holders, strangers_that_leave_are_forgotten);
    suite_add_tcase(suite, holders);
    TCase *slow = tcase_create("slow");
    tcase_add_checked_fixture(slow, set_up, tear_down);
    tcase_add_loop_test(slow, a_request_that_drips_is_ended, 0, sizeof(begun) / sizeof(begun[0]));
    tcase_add_test(slow, a_second_request_that_drips_is_ended);
    tcase_add_test(slow, an_idle_connection_is_ended);
    tcase_add_test(slow, a_long_body_has_more_time);
    tcase_add_test(slow, a_chunked_body_over_the_bound_is_refused);
    suite_add_tcase(suite, slow);
    TCase *taken = tcase_create("taken");
    tcase_add_checked_fixture(taken, set_up, tear_down);
    tcase_add_test(taken, bodies_of_strangers_are_kept_up_to_a_bound);
    tcase_add_test(taken, a_body_that_is_refused_holds_nothing);
    tcase_add_test(taken, all_bodies_together_are_bounded);
    tcase_add_test(taken, each_call_has_a_bound_of_its_own);
    tcase_add_loop_test(taken, escapes_are_taken_in_queries_alone_and_where_asked_for, 0,
                        sizeof(targets) / sizeof(targets[0]));
    tcase_add_loop_test(taken, however_many_parameters_it_is_answered, 0,
                        sizeof(parameters) / sizeof(parameters[0]));
    suite_add_tcase(suite, taken);
    TCase *wrong = tcase_create("wrong");
    tcase_add_checked_fixture(wrong, set_up, tear_down);
    tcase_set_timeout(wrong, 3 * WAIT_MS / 1000.0);
    tcase_add_loop_test_raise_signal(wrong, a_second_answer_ends_the_process, SIGABRT, 0, 2);
    suite_add_tcase(suite, wrong);
    return suite;
}
