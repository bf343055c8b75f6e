/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The true scheduler on loopback: calls that wait, and bad clients. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api_fixture.h"
#include "common/clock.h"
#include "common/http.h"
#include "common/json.h"
#include "common/mem.h"

Suite *api_waits_suite(void);

/* ---- waiting calls ----------------------------------------------------------- */

struct waiting {
    const char *method;
    char *path;
    char *body;
    struct http_response response;
    int64_t took_ms;
    pthread_t thread;
};

static void *wait_for_answer(void *context) {
    struct waiting *waiting = context;
    struct http_client *own = NULL;
    ck_assert_int_eq(http_client_create(&own, NULL), 0);
    int64_t since = clock_monotonic_ms();
    api_call_by(own, &waiting->response, waiting->method, waiting->path,
                scheduler_token(api_scheduler), waiting->body);
    waiting->took_ms = clock_monotonic_ms() - since;
    http_client_destroy(own);
    return NULL;
}

/* Starts a call that shall wait, and lets it get there. */
static void begin_wait(struct waiting *waiting, const char *method, char *path, char *body) {
    *waiting = (struct waiting){.method = method, .path = path, .body = body};
    ck_assert_int_eq(pthread_create(&waiting->thread, NULL, wait_for_answer, waiting), 0);
    clock_sleep_ms(200, NULL);
}

/* Its api_answer's text, borrowed until end_wait. */
static const char *end_wait(struct waiting *waiting) {
    pthread_join(waiting->thread, NULL);
    ck_assert_int_ge(waiting->took_ms, 150);  /* it did wait */
    ck_assert_int_lt(waiting->took_ms, 5000); /* and was woken */
    return buf_text(&waiting->response.body);
}

static void drop_wait(struct waiting *waiting) {
    http_response_finish(&waiting->response);
    mem_free(waiting->path);
    mem_free(waiting->body);
}

START_TEST(waiting_calls_are_woken) {
    struct waiting lease_wait, identity_wait, event_wait;
    struct task probe = {0};
    api_join("w1");
    begin_wait(&lease_wait, "POST", mem_string("/v1/leases"), api_lease_body(20000));
    api_submit("t");
    ck_assert_ptr_nonnull(strstr(end_wait(&lease_wait), "\"kind\":\"probe\""));

    struct json *tree = NULL;
    ck_assert_int_eq(
        json_tree_parse(&tree, lease_wait.response.body.data, lease_wait.response.body.size, NULL),
        0);
    struct err err = {0};
    struct reader reader = reader_of(tree, "answer", &err);
    struct reader list = reader_array(&reader, "tasks");
    struct reader item = reader_item(&list, 0);
    task_read(&probe, &item);
    json_tree_destroy(tree);

    begin_wait(&identity_wait, "GET", mem_string("/v1/titles/t/identity?wait_ms=20000"), NULL);
    api_call("GET", "/v1/events?after=0", NULL);
    char *path = mem_format("/v1/events?after=%zu&wait_ms=20000", api_count_of("events"));
    begin_wait(&event_wait, "GET", path, NULL);
    ck_assert_int_eq(api_complete(&probe), 200);
    ck_assert_ptr_nonnull(strstr(end_wait(&identity_wait), "sha256:one"));
    ck_assert_ptr_nonnull(strstr(end_wait(&event_wait), "unit.complete"));
    drop_wait(&lease_wait);
    drop_wait(&identity_wait);
    drop_wait(&event_wait);
    task_finish(&probe);
}
END_TEST

START_TEST(the_end_of_a_title_is_waited_for) {
    struct waiting waiting;
    api_join("w1");
    api_submit("t");
    int64_t since = clock_monotonic_ms();
    ck_assert_int_eq(api_call("GET", "/v1/titles/t?wait_ms=300", NULL), 200);
    ck_assert_int_ge(clock_monotonic_ms() - since, 300);
    begin_wait(&waiting, "GET", mem_string("/v1/titles/t?wait_ms=20000"), NULL);
    ck_assert_int_eq(api_call("POST", "/v1/titles/t/cancel", NULL), 200);
    ck_assert_ptr_nonnull(strstr(end_wait(&waiting), "\"state\":\"cancelled\""));
    drop_wait(&waiting);
    since = clock_monotonic_ms();
    ck_assert_int_eq(api_call("GET", "/v1/titles/t?wait_ms=20000", NULL), 200);
    ck_assert_int_lt(clock_monotonic_ms() - since, 15000); /* it has ended: nothing to wait for */
}
END_TEST

START_TEST(waits_run_out) {
    struct task task = {0};
    api_join("w1");
    int64_t since = clock_monotonic_ms();
    ck_assert(!api_lease_task(&task, 300));
    ck_assert_int_ge(clock_monotonic_ms() - since, 300);
    ck_assert_int_lt(clock_monotonic_ms() - since, 3000);
    api_submit("t");
    since = clock_monotonic_ms();
    /* nobody has leased its probe */
    ck_assert_int_eq(api_call("GET", "/v1/titles/t/identity?wait_ms=200", NULL), 409);
    ck_assert_int_ge(clock_monotonic_ms() - since, 200);
}
END_TEST

/* ---- by raw sockets ---------------------------------------------------------- */

static int open_socket(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port =
        htons((uint16_t)strtol(strrchr(scheduler_url(api_scheduler), ':') + 1, NULL, 10));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return fd;
}

static void send_text(int fd, const char *text) {
    ck_assert_int_eq(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* Reads until the server closes or `ms` pass; returns the status, 0 for none. */
static int status_from(int fd, int ms) {
    char text[4096];
    size_t have = 0;
    int64_t until = clock_monotonic_ms() + ms;
    while (have < sizeof(text) - 1 && clock_monotonic_ms() < until) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (poll(&poll_fd, 1, 50) > 0) {
            ssize_t got = recv(fd, text + have, sizeof(text) - 1 - have, 0);
            if (got <= 0) {
                break;
            }
            have += (size_t)got;
            text[have] = '\0';
            if (strstr(text, "\r\n\r\n") != NULL) {
                break;
            }
        }
    }
    text[have] = '\0';
    int status = 0;
    return sscanf(text, "HTTP/1.1 %d", &status) == 1 ? status : 0;
}

static char *lease_request(int wait_ms) {
    char *body = api_lease_body(wait_ms);
    char *text = mem_format("POST /v1/leases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                            "Content-Length: %zu\r\n\r\n%s",
                            scheduler_token(api_scheduler), strlen(body), body);
    mem_free(body);
    return text;
}

START_TEST(two_hundred_calls_wait_at_no_cost) {
    enum { COUNT = 200 };
    int fds[COUNT];
    struct rusage before, after;
    api_join("w1");
    char *text = lease_request(20000);
    for (int i = 0; i < COUNT; i++) {
        fds[i] = open_socket();
        send_text(fds[i], text);
    }
    clock_sleep_ms(500, NULL);
    getrusage(RUSAGE_SELF, &before);
    clock_sleep_ms(1000, NULL);
    getrusage(RUSAGE_SELF, &after);
    int64_t used_us = (after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                      (after.ru_utime.tv_usec - before.ru_utime.tv_usec);
    ck_assert_int_lt(used_us, 200000);
    int64_t since = clock_monotonic_ms();
    ck_assert_int_eq(api_call("GET", "/v1/workers", NULL), 200);
    ck_assert_int_lt(clock_monotonic_ms() - since, 1000);
    api_submit("t"); /* one of them gets the probe, the others wait on */
    int served = 0;
    for (int i = 0; i < COUNT; i++) {
        served += status_from(fds[i], i == 0 ? 1000 : 0) == 200 ? 1 : 0;
    }
    struct pollfd polls[COUNT];
    for (int i = 0; i < COUNT; i++) {
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    served += poll(polls, COUNT, 0);
    ck_assert_int_eq(served, 1);
    scheduler_stop(api_scheduler); /* answers them all */
    for (int i = 0; i < COUNT; i++) {
        polls[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
    }
    ck_assert_int_eq(poll(polls, COUNT, 1000), COUNT);
    for (int i = 0; i < COUNT; i++) {
        close(fds[i]);
    }
    api_start(false, 30000);
    mem_free(text);
}
END_TEST

START_TEST(who_hangs_up_gets_no_lease) {
    struct task task = {0};
    api_join("w1");
    char *text = lease_request(20000);
    int fd = open_socket();
    send_text(fd, text);
    clock_sleep_ms(200, NULL);
    close(fd);
    clock_sleep_ms(50, NULL);
    api_submit("t");
    ck_assert(api_lease_task(&task, 2000));
    ck_assert_int_eq(task.attempt, 1);
    mem_free(text);
    task_finish(&task);
}
END_TEST

static const struct {
    const char *request; /* $ stands for the token */
    int status;          /* 0: closed without a word, or 400 */
} unruly[] = {
    {"\x16\x03\x01\x02\x01\x01\xfc\x03\x03 not TLS here\r\n\r\n", 0},
    {"GET\r\n\r\n", 0},
    {"GET /healthz%00 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"GET /v1/titles/%2e%2e HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\n\r\n", 400},
    {"GET /v1/\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
    {"GET /v1/workers HTTP/1.1\r\nHost: x\r\nX: a\x07"
     "b\r\n\r\n",
     400},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\nContent-Length: 5\r\n"
     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     400},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\nContent-Length: 2\r\n"
     "Content-Length: 3\r\n\r\n{}",
     400},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\n"
     "Content-Length: 99999999999\r\n\r\n",
     413},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\n"
     "Content-Length: -1\r\n\r\n",
     400},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\n"
     "Transfer-Encoding: gzip\r\n\r\n",
     501},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer $\r\n"
     "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
     400},
    {"GET /v1/workers HTTP/1.1\r\nHost: x\r\nAuthorization: Basic $\r\n\r\n", 401},
};

START_TEST(unruly_requests_are_refused) {
    const char *template = unruly[_i].request;
    const char *mark = strchr(template, '$');
    char *text = mark == NULL ? mem_string(template)
                              : mem_format("%.*s%s%s", (int)(mark - template), template,
                                           scheduler_token(api_scheduler), mark + 1);
    int fd = open_socket();
    send_text(fd, text);
    int status = status_from(fd, 3000);
    /* libmicrohttpd 1.0 knows some of them before we do, as bad requests. */
    bool known_before = status == 400 && (unruly[_i].status == 0 || unruly[_i].status == 501);
    if (!known_before) {
        ck_assert_int_eq(status, unruly[_i].status);
    }
    close(fd);
    mem_free(text);
    ck_assert_int_eq(api_call("GET", "/healthz", NULL), 200);
}
END_TEST

START_TEST(long_heads_and_targets_are_refused) {
    char *much = mem_zero(70001, 1);
    memset(much, 'a', 70000);
    char *header = mem_format("GET /healthz HTTP/1.1\r\nHost: x\r\nX: %s\r\n\r\n", much);
    char *target = mem_format("GET /%.6000s HTTP/1.1\r\nHost: x\r\n\r\n", much);
    int fd = open_socket();
    send(fd, header, strlen(header), MSG_NOSIGNAL);
    ck_assert_int_eq(status_from(fd, 3000), 431);
    close(fd);
    fd = open_socket();
    send_text(fd, target);
    ck_assert_int_eq(status_from(fd, 3000), 414);
    close(fd);
    mem_free(header);
    mem_free(target);
    mem_free(much);
}
END_TEST

START_TEST(garbage_does_no_harm) {
    unsigned state = 12345;
    for (int round = 0; round < 60; round++) {
        char bytes[600];
        int fd = open_socket();
        size_t size = 1 + (size_t)round * 9;
        for (size_t i = 0; i < size; i++) {
            state = state * 1103515245u + 12345u;
            bytes[i] = (char)(state >> 16);
        }
        if (round % 3 == 0) { /* a good beginning */
            memcpy(bytes, "POST /v1/leases HTTP/1.1\r\n", size < 26 ? size : 26);
        }
        send(fd, bytes, size, MSG_NOSIGNAL);
        if (round % 2 == 0) {
            shutdown(fd, SHUT_WR);
        }
        close(fd);
    }
    ck_assert_int_eq(api_call("GET", "/healthz", NULL), 200);
    ck_assert_int_eq(api_submit("t"), 201);
}
END_TEST

START_TEST(a_head_that_drips_is_cut) {
    /* The library's limit is of inactivity: this one never is inactive for long. */
    static const char head[] = "GET /healthz HTTP/1.1\r\nHost: abcdefghijklmnopqrstuvwxyz";
    int fd = open_socket();
    int64_t since = clock_monotonic_ms();
    bool cut = false;
    for (size_t i = 0; i < sizeof(head) - 1 && !cut; i++) {
        char byte;
        cut = send(fd, &head[i], 1, MSG_NOSIGNAL) < 0 || recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
        clock_sleep_ms(300, NULL);
    }
    ck_assert(cut);
    ck_assert_int_gt(clock_monotonic_ms() - since, 9000);
    ck_assert_int_lt(clock_monotonic_ms() - since, 13000);
    close(fd);
}
END_TEST

Suite *api_waits_suite(void) {
    Suite *suite = suite_create("api_waits");
    TCase *waits = tcase_create("waits");
    tcase_add_checked_fixture(waits, api_set_up, api_tear_down);
    tcase_add_test(waits, waiting_calls_are_woken);
    tcase_add_test(waits, the_end_of_a_title_is_waited_for);
    tcase_add_test(waits, waits_run_out);
    tcase_add_test(waits, two_hundred_calls_wait_at_no_cost);
    tcase_add_test(waits, who_hangs_up_gets_no_lease);
    suite_add_tcase(suite, waits);
    TCase *clients = tcase_create("clients");
    tcase_add_checked_fixture(clients, api_set_up, api_tear_down);
    tcase_add_loop_test(clients, unruly_requests_are_refused, 0,
                        (int)(sizeof(unruly) / sizeof(unruly[0])));
    tcase_add_test(clients, long_heads_and_targets_are_refused);
    tcase_add_test(clients, garbage_does_no_harm);
    tcase_add_test(clients, a_head_that_drips_is_cut);
    suite_add_tcase(suite, clients);
    return suite;
}
