/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client against a real nginx, and against peers that misbehave as they are told. */
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/address.h"
#include "common/clock.h"
#include "common/http.h"
#include "common/mem.h"
#include "common/urls.h"
#include "fixture.h"

Suite *http_suite(void);

static struct http_client *client;
static struct http_request request;
static struct http_response response;
static struct fixture_stub stub;
static struct err err;

static void setup(void) {
    client = NULL;
    response = (struct http_response){0};
    err = (struct err){0};
    request = http_request_default();
    ck_assert_int_eq(http_client_create(&client, NULL), 0);
}

static void teardown(void) {
    http_client_destroy(client);
    http_response_finish(&response);
}

static int send_to_stub(const struct fixture_answer *answers, int count, const char *path) {
    fixture_stub_start(&stub, answers, count);
    char *url = mem_format("%s%s", stub.url, path);
    request.url = url;
    int code = http_send(client, &request, &response, &err);
    fixture_stub_stop(&stub);
    mem_free(url);
    return code;
}

#define SEND(path, ...)                                                                            \
    send_to_stub((const struct fixture_answer[]){__VA_ARGS__},                                     \
                 sizeof((const struct fixture_answer[]){__VA_ARGS__}) /                            \
                     sizeof(struct fixture_answer),                                                \
                 path)

#define UNAVAILABLE "HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"
#define FINE        "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"

/* ---- Answers -------------------------------------------------------------------------- */

START_TEST(status_headers_and_body_are_taken) {
    ck_assert_int_eq(SEND("/a", {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-One:  two words \r\n"
                                 "etag: \"x\"\r\nEmpty:\r\n\r\nhello",
                                 0}),
                     0);
    ck_assert_int_eq(response.status, 200);
    ck_assert_str_eq(buf_text(&response.body), "hello");
    ck_assert_str_eq(http_response_header(&response, "x-one"), "two words");
    ck_assert_str_eq(http_response_header(&response, "ETag"), "\"x\"");
    ck_assert_str_eq(http_response_header(&response, "empty"), "");
    ck_assert_ptr_null(http_response_header(&response, "one"));
    ck_assert_int_eq(http_check(&request, &response, &err), 0);
}
END_TEST

START_TEST(a_request_carries_what_was_asked) {
    const struct http_header headers[] = {{"Content-Type", "application/json"}, {"X-Y", "z"}};
    request.method = "POST";
    request.headers = headers;
    request.header_count = 2;
    request.bearer = "secret-token";
    request.body = "{\"a\":1}";
    request.body_size = 7;
    ck_assert_int_eq(SEND("/v1/leases", {"HTTP/1.1 204 No Content\r\n\r\n", 0}), 0);
    const char *sent = stub.requests[0];
    ck_assert(strncmp(sent, "POST /v1/leases HTTP/1.1\r\n", 26) == 0);
    ck_assert_ptr_nonnull(strstr(sent, "\r\nAuthorization: Bearer secret-token\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "\r\nContent-Type: application/json\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "\r\nContent-Length: 7\r\n"));
    ck_assert_ptr_nonnull(strstr(sent, "\r\nUser-Agent: reelfarm/"));
    ck_assert_ptr_nonnull(strstr(sent, "\r\n\r\n{\"a\":1}"));
    ck_assert_ptr_null(strstr(sent, "Expect:"));
    ck_assert_int_eq(response.status, 204);
}
END_TEST

/* Gives what `context` has; nothing past `LASTS` bytes. */
enum { LASTS = 6 };

static bool give(void *context, int64_t offset, void *out, size_t size) {
    if (offset + (int64_t)size > LASTS) {
        return false;
    }
    memcpy(out, (const char *)context + offset, size);
    return true;
}

START_TEST(a_body_is_given_as_it_is_sent) {
    request.method = "PUT";
    request.give = give;
    request.give_context = "abcdef";
    request.body_size = LASTS;
    ck_assert_int_eq(SEND("/x", {"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 0}), 0);
    ck_assert(strncmp(stub.requests[0], "PUT /x HTTP/1.1\r\n", 17) == 0);
    ck_assert_ptr_nonnull(strstr(stub.requests[0], "\r\nContent-Length: 6\r\n"));
    ck_assert_ptr_nonnull(strstr(stub.requests[0], "\r\n\r\nabcdef"));
    ck_assert_ptr_null(strstr(stub.requests[0], "Expect:"));
    request.body_size = LASTS + 1;
    ck_assert_int_eq(SEND("/x", {FINE, 0}), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, "its body can't be read") != NULL, "%s", err.message);
    request.body_size = 0;
    ck_assert_int_eq(SEND("/x", {FINE, 0}), 0);
    ck_assert_ptr_nonnull(strstr(stub.requests[0], "\r\nContent-Length: 0\r\n"));
}
END_TEST

/* What was sent over a connection that the server had closed goes again over another. */
START_TEST(a_body_is_given_again_where_a_connection_is_dead) {
    static const struct fixture_answer answers[] = {
        {"HTTP/1.1 201 So\r\nContent-Length: 0\r\n\r\n", 0}, /* and closes */
    };
    fixture_stub_start(&stub, answers, 1);
    request.method = "PUT";
    request.url = stub.url;
    request.give = give;
    request.give_context = "abcdef";
    request.body_size = LASTS;
    for (int i = 0; i < 2; i++) {
        ck_assert_msg(http_send(client, &request, &response, &err) == 0, "%s", err.message);
        ck_assert_ptr_nonnull(strstr(stub.requests[i], "\r\n\r\nabcdef"));
    }
    fixture_stub_stop(&stub);
    ck_assert_int_eq(stub.taken, 2);
}
END_TEST

START_TEST(a_put_without_a_body_says_so) {
    request.method = "PUT";
    ck_assert_int_eq(SEND("/x", {"HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", 0}), 0);
    ck_assert(strncmp(stub.requests[0], "PUT /x HTTP/1.1\r\n", 17) == 0);
    ck_assert_ptr_nonnull(strstr(stub.requests[0], "\r\nContent-Length: 0\r\n"));
    ck_assert_ptr_null(strstr(stub.requests[0], "Content-Type"));
}
END_TEST

START_TEST(a_body_over_the_bound_is_refused) {
    request.max_body = 4;
    ck_assert_int_eq(SEND("/a", {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0}),
                     ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "larger than the 4 bytes allowed"));
    err_clear(&err);
    request.max_body = 5;
    ck_assert_int_eq(SEND("/a", {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 0}), 0);
}
END_TEST

START_TEST(endless_headers_are_refused) {
    struct buf text = {0};
    buf_string(&text, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 9000; i++) {
        buf_format(&text, "X-%d: abcdefgh\r\n", i);
    }
    buf_string(&text, "Content-Length: 0\r\n\r\n");
    ck_assert_int_ne(SEND("/a", {buf_text(&text), 0}), 0);
    buf_finish(&text);
}
END_TEST

/* ---- Failures ------------------------------------------------------------------------- */

static const struct {
    struct fixture_answer answer;
    enum err_code code;
} faults[] = {
    {{NULL, 0}, ERR_UNAVAILABLE},                                              /* closes */
    {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", 0}, ERR_UNAVAILABLE}, /* cut */
    {{"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal", 9000}, ERR_TIMEOUT},  /* stalls */
    {{NULL, 9000}, ERR_TIMEOUT},                                               /* silent */
    {{"SSH-2.0-OpenSSH_9.2\r\n", 0}, ERR_INVALID},                             /* not HTTP */
};

START_TEST(a_peer_that_fails_is_classed) {
    request.stall_s = 1;
    int64_t from = clock_monotonic_ms();
    int code = send_to_stub(&faults[_i].answer, 1, "/a?key=secret");
    ck_assert_int_lt(clock_monotonic_ms() - from, 5000);
    ck_assert_msg(code == (int)faults[_i].code, "%d: %s", code, err.message);
    ck_assert_int_eq(http_may_retry(code), code != ERR_INVALID);
    char *begin = mem_format("GET %s/a: ", stub.url);
    ck_assert_msg(strncmp(err.message, begin, strlen(begin)) == 0, "%s", err.message);
    mem_free(begin);
}
END_TEST

START_TEST(what_arrived_before_a_cut_is_kept) {
    ck_assert_int_eq(SEND("/a", {"HTTP/1.1 206 Partial\r\nContent-Length: 9\r\n"
                                 "Content-Range: bytes 0-8/9\r\n\r\nhal",
                                 0}),
                     ERR_UNAVAILABLE);
    ck_assert_int_eq(response.status, 206);
    ck_assert_str_eq(buf_text(&response.body), "hal");
    ck_assert_str_eq(http_response_header(&response, "content-range"), "bytes 0-8/9");
}
END_TEST

START_TEST(the_total_time_is_bounded) {
    request.total_ms = 300;
    int64_t from = clock_monotonic_ms();
    ck_assert_int_eq(SEND("/a", {NULL, 9000}), ERR_TIMEOUT);
    ck_assert_int_lt(clock_monotonic_ms() - from, 3000);
}
END_TEST

START_TEST(nobody_listening_is_unavailable) {
    char *url = mem_format("http://127.0.0.1:%d/x", fixture_free_port());
    request.url = url;
    ck_assert_int_eq(http_send(client, &request, &response, &err), ERR_UNAVAILABLE);
    ck_assert_int_eq(response.status, 0);
    mem_free(url);
}
END_TEST

static const char *const wrong_urls[] = {
    "ftp://127.0.0.1/x",
    "file:///etc/passwd",
    "http://",
    "127.0.0.1:9x/",
    "gopher://h/x",
    "http://a b/",
    "http://h:99999/",
    "dict://127.0.0.1:1/d:x",
    "",
    "http://127.0.0.1/\r\nX: y",
};

START_TEST(a_url_that_will_not_do_is_invalid) {
    request.url = wrong_urls[_i];
    ck_assert_msg(http_send(client, &request, &response, &err) == ERR_INVALID, "%s", err.message);
}
END_TEST

static void *cancel_soon(void *context) {
    clock_sleep_ms(200, NULL);
    *(atomic_bool *)context = true;
    return NULL;
}

START_TEST(a_request_can_be_stopped) {
    atomic_bool cancel = false;
    pthread_t thread;
    request.cancel = &cancel;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
    int64_t from = clock_monotonic_ms();
    ck_assert_int_eq(SEND("/a", {NULL, 9000}), ERR_CANCELLED);
    ck_assert_int_lt(clock_monotonic_ms() - from, 1500);
    pthread_join(thread, NULL);
    ck_assert(!http_may_retry(ERR_CANCELLED));
}
END_TEST

START_TEST(a_client_goes_on_after_a_failure) {
    ck_assert_int_ne(SEND("/a", {NULL, 0}), 0);
    err_clear(&err);
    ck_assert_int_eq(SEND("/a", {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0}), 0);
    ck_assert_str_eq(buf_text(&response.body), "ok");
}
END_TEST

/* ---- Redirects and secrets ------------------------------------------------------------ */

START_TEST(a_redirect_loop_ends) {
    ck_assert_int_eq(
        SEND("/a", {"HTTP/1.1 302 Found\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n", 0}),
        ERR_INVALID);
    ck_assert_int_eq(stub.taken, 6);
}
END_TEST

START_TEST(a_redirect_to_another_scheme_is_not_followed) {
    ck_assert_int_eq(SEND("/a", {"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
                                 "Content-Length: 0\r\n\r\n",
                                 0}),
                     ERR_INVALID);
    ck_assert_uint_eq(response.body.size, 0);
}
END_TEST

START_TEST(a_post_is_not_sent_elsewhere) {
    request.method = "POST";
    request.body = "x";
    request.body_size = 1;
    ck_assert_int_eq(
        SEND("/a", {"HTTP/1.1 307 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", 0}), 0);
    ck_assert_int_eq(response.status, 307);
    ck_assert_int_eq(stub.taken, 1);
}
END_TEST

START_TEST(a_token_stays_with_its_host) {
    struct fixture_stub other;
    const struct fixture_answer end = {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0};
    fixture_stub_start(&other, &end, 1);
    char *redirect = mem_format("HTTP/1.1 302 Found\r\nLocation: http://localhost:%d/b\r\n"
                                "Content-Length: 0\r\n\r\n",
                                other.port);
    request.bearer = "secret-token";
    ck_assert_int_eq(SEND("/a", {redirect, 0}), 0);
    ck_assert_str_eq(buf_text(&response.body), "ok");
    ck_assert_ptr_nonnull(strstr(stub.requests[0], "secret-token"));
    ck_assert_ptr_null(strstr(other.requests[0], "secret-token"));
    fixture_stub_stop(&other);
    mem_free(redirect);
}
END_TEST

static bool admits_one(const struct sockaddr *address) {
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    return address->sa_family == AF_INET && four->sin_addr.s_addr == htonl(INADDR_LOOPBACK);
}

START_TEST(an_address_that_is_not_admitted_is_not_asked) {
    request.admits = address_is_public;
    ck_assert_int_eq(SEND("/a", {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0}),
                     ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "127.0.0.1, which may not be asked"));
    ck_assert_int_eq(stub.taken, 0);
    err_clear(&err);
    request.admits = admits_one;
    ck_assert_int_eq(SEND("/a", {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0}), 0);
}
END_TEST

START_TEST(a_redirect_to_an_address_that_is_not_admitted_is_not_followed) {
    char *redirect = mem_format("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.2:9/b\r\n"
                                "Content-Length: 0\r\n\r\n");
    request.admits = admits_one;
    ck_assert_int_eq(SEND("/a", {redirect, 0}), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "127.0.0.2, which may not be asked"));
    mem_free(redirect);
}
END_TEST

/* Ways to write what is not public, each of which would reach the stub where it listens. */
static const char *const private_hosts[] = {
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "localhost",
    "LocalHost.",
    "any.localhost",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::127.0.0.1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "169.254.169.254",
    "0xa9fea9fe",
    "[::ffff:169.254.169.254]",
    "8.8.8.8@127.0.0.1",
    "8.8.8.8:80@localhost",
    "8.8.8.8%2f@127.0.0.1",
    "127.0.0.1%00.example",
    "8.8.8.8\\@127.0.0.1",
};

START_TEST(a_private_host_is_not_asked_however_it_is_written) {
    static const struct fixture_answer fine = {FINE, 0};
    fixture_stub_start(&stub, &fine, 1);
    char *url = mem_format("http://%s:%d/a", private_hosts[_i], stub.port);
    request.url = url;
    request.connect_ms = 2000;
    request.admits = address_is_public;
    ck_assert_int_ne(http_send(client, &request, &response, &err), 0);
    fixture_stub_stop(&stub);
    ck_assert_msg(stub.taken == 0, "%s: %s", url, err.message);
    mem_free(url);
}
END_TEST

static const struct {
    const char *location; /* $ stands for the stub's port */
    bool followed;
} redirects[] = {
    {"/films/b", true},
    {"b?key=1", true},
    {"http://127.0.0.1:$/films/b", true},
    {"//127.0.0.1:$/films/b", true},
    {"/", false},
    {"/filmsb", false},
    {"/films/../b", false},
    {"../b", false},
    {"%2e%2e/b", false},
    {"//localhost:$/films/b", false},
    {"http://localhost:$/films/b", false},
    {"http://127.1:$/films/b", true},
    {"http://x@127.0.0.1:$/films/b", false},
    {"http://127.0.0.1:$@localhost:$/films/b", false},
    {"http://[::ffff:127.0.0.1]:$/films/b", false},
    {"https://127.0.0.1:$/films/b", false},
};

START_TEST(a_redirect_stays_within_the_places) {
    const char *location = redirects[_i].location;
    struct fixture_answer answers[] = {{NULL, 0}, {FINE, 0}};
    struct buf text = {0};
    fixture_stub_start(&stub, answers, 2);
    buf_string(&text, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: ");
    for (; *location != '\0'; location++) {
        buf_format(&text, *location == '$' ? "%d" : "%c",
                   *location == '$' ? stub.port : (int)*location);
    }
    buf_string(&text, "\r\n\r\n");
    answers[0].text = buf_text(&text);
    char *url = mem_format("%s/films/a", stub.url);
    char *places = mem_format("s3://masters, %s/films", stub.url);
    request.url = url;
    request.places = places;
    int code = http_send(client, &request, &response, &err);
    fixture_stub_stop(&stub);
    ck_assert_int_eq(stub.taken, redirects[_i].followed ? 2 : 1);
    ck_assert_int_eq(code, redirects[_i].followed ? 0 : ERR_INVALID);
    ck_assert_msg(code == 0 || strstr(err.message, "it redirects to") != NULL, "%s", err.message);
    buf_finish(&text);
    mem_free(url);
    mem_free(places);
}
END_TEST

START_TEST(a_proxy_is_not_asked_for_loopback) {
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    ck_assert_int_eq(SEND("/a", {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 0}), 0);
}
END_TEST

static const struct {
    const char *url;
    const char *shown;
} shown_urls[] = {
    {"https://h.example/p/q.mp4", "https://h.example/p/q.mp4"},
    {"https://user:pass@h.example:8/p?sig=1#x", "https://h.example:8/p"},
    {"http://a@b@h/p@q", "http://h/p@q"},
    {"http://h?token=1", "http://h"},
    {"/plain/path?x", "/plain/path"},
    {"/plain?sig=s1gn://x", "/plain"},
};

START_TEST(messages_name_urls_without_secrets) {
    char text[512];
    http_public_url(shown_urls[_i].url, text, sizeof(text));
    ck_assert_str_eq(text, shown_urls[_i].shown);
}
END_TEST

START_TEST(no_failure_names_a_secret) {
    char *url = mem_format("http://me:pa55@127.0.0.1:%d/x?sig=s1gn", fixture_free_port());
    request.url = url;
    request.bearer = "t0ken";
    ck_assert_int_ne(http_send(client, &request, &response, &err), 0);
    ck_assert_msg(strstr(err.message, "pa55") == NULL && strstr(err.message, "s1gn") == NULL &&
                      strstr(err.message, "t0ken") == NULL,
                  "%s", err.message);
    mem_free(url);
}
END_TEST

/* ---- Statuses and retries --------------------------------------------------------------- */

static const struct {
    int status;
    enum err_code code;
} statuses[] = {
    {200, ERR_NONE},     {206, ERR_NONE},        {304, ERR_INVALID},     {400, ERR_INVALID},
    {401, ERR_INVALID},  {404, ERR_NOT_FOUND},   {408, ERR_UNAVAILABLE}, {409, ERR_CONFLICT},
    {412, ERR_CONFLICT}, {418, ERR_INVALID},     {429, ERR_UNAVAILABLE}, {500, ERR_UNAVAILABLE},
    {501, ERR_INVALID},  {502, ERR_UNAVAILABLE}, {503, ERR_UNAVAILABLE}, {504, ERR_UNAVAILABLE},
    {507, ERR_NO_SPACE},
};

START_TEST(a_status_has_its_class) {
    request.url = "http://h/p?q";
    response.status = statuses[_i].status;
    int code = http_check(&request, &response, &err);
    ck_assert_int_eq(code, statuses[_i].code);
    ck_assert_int_eq(http_may_retry(code), statuses[_i].code == ERR_UNAVAILABLE);
    if (code != 0) {
        ck_assert(strncmp(err.message, "GET http://h/p: the server answered ", 36) == 0);
    }
}
END_TEST

static uint64_t draw_most(uint64_t bound) {
    return bound - 1;
}

static uint64_t draw_least(uint64_t bound) {
    (void)bound;
    return 0;
}

START_TEST(pauses_double_up_to_the_most_with_full_jitter) {
    static const int64_t most[] = {200, 400, 800, 1600, 3200, 6400, 10000, 10000, 10000};
    struct http_retry retry = http_retry_default();
    for (int i = 0; i < 9; i++) {
        ck_assert_int_eq(http_retry_pause_ms(&retry, i + 1, 0, draw_most), most[i]);
        ck_assert_int_eq(http_retry_pause_ms(&retry, i + 1, 0, draw_least), 0);
    }
    ck_assert_int_eq(http_retry_pause_ms(&retry, 2000000000, 0, draw_most), 10000);
    ck_assert_int_eq(http_retry_pause_ms(&retry, 1, 7, draw_least), 7000);
    ck_assert_int_eq(http_retry_pause_ms(&retry, 1, INT64_MAX, draw_least), 60000);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_le(http_retry_pause_ms(&retry, 1, 0, NULL), 200);
    }
}
END_TEST

START_TEST(what_stalls_is_tried_twice) {
    const struct http_retry retry = http_retry_default(), once = {.attempts = 1};
    ck_assert(http_retry_goes_on(&retry, 1, ERR_TIMEOUT));
    ck_assert(!http_retry_goes_on(&retry, 2, ERR_TIMEOUT));
    ck_assert(http_retry_goes_on(&retry, 4, ERR_UNAVAILABLE));
    ck_assert(!http_retry_goes_on(&retry, 5, ERR_UNAVAILABLE));
    ck_assert(!http_retry_goes_on(&retry, 1, ERR_NOT_FOUND));
    ck_assert(!http_retry_goes_on(&once, 1, ERR_TIMEOUT));
}
END_TEST

static int retry_on_stub(const struct fixture_answer *answers, int count) {
    struct http_retry retry = {.attempts = 4, .first_ms = 1, .most_ms = 2};
    fixture_stub_start(&stub, answers, count);
    request.url = stub.url;
    int code = http_send_retrying(client, &request, &retry, &response, &err);
    fixture_stub_stop(&stub);
    return code;
}

START_TEST(a_passing_failure_is_tried_again) {
    const struct fixture_answer answers[] = {{UNAVAILABLE, 0}, {NULL, 0}, {FINE, 0}};
    ck_assert_msg(retry_on_stub(answers, 3) == 0, "%s", err.message);
    ck_assert_str_eq(buf_text(&response.body), "fine");
    ck_assert_int_eq(stub.taken, 3);
    ck_assert_int_eq(err.code, 0);
}
END_TEST

START_TEST(attempts_are_counted) {
    const struct fixture_answer answers[] = {{UNAVAILABLE, 0}};
    ck_assert_int_eq(retry_on_stub(answers, 1), ERR_UNAVAILABLE);
    ck_assert_int_eq(stub.taken, 4);
    ck_assert_ptr_nonnull(strstr(err.message, "503"));
}
END_TEST

START_TEST(a_lasting_failure_is_not_tried_again) {
    const struct fixture_answer answers[] = {
        {"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 0}};
    ck_assert_int_eq(retry_on_stub(answers, 1), ERR_NOT_FOUND);
    ck_assert_int_eq(stub.taken, 1);
}
END_TEST

START_TEST(a_post_is_sent_once) {
    const struct fixture_answer answers[] = {{UNAVAILABLE, 0}};
    request.method = "POST";
    ck_assert_int_eq(retry_on_stub(answers, 1), ERR_UNAVAILABLE);
    ck_assert_int_eq(stub.taken, 1);
}
END_TEST

START_TEST(retry_after_is_kept_to) {
    const struct fixture_answer answers[] = {
        {"HTTP/1.1 429 Slow\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", 0}, {FINE, 0}};
    int64_t from = clock_monotonic_ms();
    ck_assert_int_eq(retry_on_stub(answers, 2), 0);
    ck_assert_int_ge(clock_monotonic_ms() - from, 999);
}
END_TEST

START_TEST(a_pause_can_be_stopped) {
    const struct fixture_answer answers[] = {
        {"HTTP/1.1 503 Busy\r\nRetry-After: 50\r\nContent-Length: 0\r\n\r\n", 0}};
    atomic_bool cancel = false;
    pthread_t thread;
    request.cancel = &cancel;
    ck_assert_int_eq(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
    int64_t from = clock_monotonic_ms();
    ck_assert_int_eq(retry_on_stub(answers, 1), ERR_CANCELLED);
    ck_assert_int_lt(clock_monotonic_ms() - from, 2000);
    pthread_join(thread, NULL);
}
END_TEST

/* ---- A real server ---------------------------------------------------------------------- */

START_TEST(nginx_is_read_by_ranges_on_one_connection) {
    struct fixture_web web;
    if (!fixture_web_start(&web, "nginx_is_read_by_ranges_on_one_connection",
                           "location /status { return 200 $connection; }")) {
        return;
    }
    fixture_write(web.folder, "www/f", "0123456789", 10);
    char *url = mem_format("%s/f", web.url);
    char *status = mem_format("%s/status", web.url);
    request.url = status;
    ck_assert_int_eq(http_send(client, &request, &response, &err), 0);
    char *connection = mem_string(buf_text(&response.body));
    request.url = url;
    request.range_first = 3;
    request.range_last = 5;
    ck_assert_int_eq(http_send(client, &request, &response, &err), 0);
    ck_assert_int_eq(response.status, 206);
    ck_assert_str_eq(buf_text(&response.body), "345");
    char *etag = mem_string(http_response_header(&response, "ETag"));
    request.if_match = etag;
    ck_assert_int_eq(http_send(client, &request, &response, &err), 0);
    ck_assert_int_eq(response.status, 206);
    request = http_request_default();
    request.url = url;
    request.method = "HEAD";
    ck_assert_int_eq(http_send(client, &request, &response, &err), 0);
    ck_assert_str_eq(http_response_header(&response, "Content-Length"), "10");
    ck_assert_uint_eq(response.body.size, 0);
    request.method = "GET";
    request.url = status;
    ck_assert_int_eq(http_send(client, &request, &response, &err), 0);
    ck_assert_str_eq(buf_text(&response.body), connection);
    request.url = url;
    request.if_match = "\"another\"";
    ck_assert_int_eq(http_send(client, &request, &response, &err), 0);
    ck_assert_int_eq(response.status, 412);
    mem_free(connection);
    mem_free(etag);
    mem_free(status);
    mem_free(url);
    fixture_web_stop(&web);
}
END_TEST

/* ---- addresses ---------------------------------------------------------------- */

START_TEST(addresses_are_tried_in_turn) {
    static const struct {
        const char *list;
        const char *asked[3];
        bool loopback;
    } cases[] = {
        {"http://127.0.0.1:1", {"http://127.0.0.1:1", "http://127.0.0.1:1"}, true},
        {"http://a/, http://b//", {"http://a", "http://b", "http://a"}, false},
        {",http://localhost,,http://10.0.0.5:7430,",
         {"http://localhost", "http://10.0.0.5:7430", "http://localhost"},
         false},
        {"http://127.0.0.1:1/,http://[::1]:2", {"http://127.0.0.1:1", "http://[::1]:2"}, true},
        {"", {"", ""}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct urls urls;
        urls_init(&urls, cases[i].list);
        for (int j = 0; j < 3 && cases[i].asked[j] != NULL; j++) {
            ck_assert_str_eq(urls_now(&urls), cases[i].asked[j]);
            urls_go_on(&urls);
        }
        urls_finish(&urls);
        ck_assert_int_eq(urls_are_loopback(cases[i].list), cases[i].loopback);
    }
}
END_TEST

Suite *http_suite(void) {
    Suite *suite = suite_create("http");
    TCase *tcase = tcase_create("http");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 30);
    tcase_add_test(tcase, status_headers_and_body_are_taken);
    tcase_add_test(tcase, a_request_carries_what_was_asked);
    tcase_add_test(tcase, a_body_is_given_as_it_is_sent);
    tcase_add_test(tcase, a_body_is_given_again_where_a_connection_is_dead);
    tcase_add_test(tcase, a_put_without_a_body_says_so);
    tcase_add_test(tcase, a_body_over_the_bound_is_refused);
    tcase_add_test(tcase, endless_headers_are_refused);
    tcase_add_loop_test(tcase, a_peer_that_fails_is_classed, 0, sizeof(faults) / sizeof(faults[0]));
    tcase_add_test(tcase, what_arrived_before_a_cut_is_kept);
    tcase_add_test(tcase, the_total_time_is_bounded);
    tcase_add_test(tcase, nobody_listening_is_unavailable);
    tcase_add_loop_test(tcase, a_url_that_will_not_do_is_invalid, 0,
                        sizeof(wrong_urls) / sizeof(wrong_urls[0]));
    tcase_add_test(tcase, a_request_can_be_stopped);
    tcase_add_test(tcase, a_client_goes_on_after_a_failure);
    tcase_add_test(tcase, a_redirect_loop_ends);
    tcase_add_test(tcase, a_redirect_to_another_scheme_is_not_followed);
    tcase_add_test(tcase, a_post_is_not_sent_elsewhere);
    tcase_add_test(tcase, a_token_stays_with_its_host);
    tcase_add_test(tcase, a_proxy_is_not_asked_for_loopback);
    tcase_add_loop_test(tcase, messages_name_urls_without_secrets, 0,
                        sizeof(shown_urls) / sizeof(shown_urls[0]));
    tcase_add_test(tcase, no_failure_names_a_secret);
    tcase_add_loop_test(tcase, a_status_has_its_class, 0, sizeof(statuses) / sizeof(statuses[0]));
    tcase_add_test(tcase, pauses_double_up_to_the_most_with_full_jitter);
    tcase_add_test(tcase, a_passing_failure_is_tried_again);
    tcase_add_test(tcase, attempts_are_counted);
    tcase_add_test(tcase, a_lasting_failure_is_not_tried_again);
    tcase_add_test(tcase, a_post_is_sent_once);
    tcase_add_test(tcase, what_stalls_is_tried_twice);
    tcase_add_test(tcase, retry_after_is_kept_to);
    tcase_add_test(tcase, a_pause_can_be_stopped);
    tcase_add_test(tcase, an_address_that_is_not_admitted_is_not_asked);
    tcase_add_test(tcase, a_redirect_to_an_address_that_is_not_admitted_is_not_followed);
    tcase_add_loop_test(tcase, a_private_host_is_not_asked_however_it_is_written, 0,
                        sizeof(private_hosts) / sizeof(private_hosts[0]));
    tcase_add_loop_test(tcase, a_redirect_stays_within_the_places, 0,
                        sizeof(redirects) / sizeof(redirects[0]));
    tcase_add_test(tcase, addresses_are_tried_in_turn);
    tcase_add_test(tcase, nginx_is_read_by_ranges_on_one_connection);
    suite_add_tcase(suite, tcase);
    return suite;
}
