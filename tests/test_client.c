/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls of the command line where one of several schedulers does not answer. */
#include <arpa/inet.h>
#include <check.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/client.h"
#include "common/http_server.h"
#include "common/mem.h"

Suite *client_suite(void);

enum { SHORT_MS = 300 };

static struct http_server *server;
static struct client *client;
static int hung; /* takes connections and says nothing */
static atomic_int calls;
static struct err err;

static bool authorise(void *context, const char *token, char caller[HTTP_CALLER_TEXT]) {
    (void)context;
    caller[0] = '\0';
    return strcmp(token, "good") == 0;
}

static void handle(void *context, struct exchange *exchange) {
    struct buf text = {0};
    (void)context;
    calls++;
    buf_string(&text, "{\"well\":true}");
    http_answer(exchange, exchange->authorised ? 200 : 401, "application/json", &text);
}

/* Where it listens. */
static int hang(void) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof(address);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    hung = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(hung, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(hung, 16), 0);
    ck_assert_int_eq(getsockname(hung, (struct sockaddr *)&address, &size), 0);
    return ntohs(address.sin_port);
}

/* The hung one is the first of two. */
static void set_up(void) {
    struct http_server_options options = http_server_options_default();
    options.handle = handle;
    options.authorise = authorise;
    err = (struct err){0};
    calls = 0;
    ck_assert_msg(http_server_start(&server, &options, &err) == 0, "%s", err.message);
    char *url =
        mem_format("http://127.0.0.1:%d,http://127.0.0.1:%d", hang(), http_server_port(server));
    struct client_options own = client_options_default();
    own.url = url;
    own.token = "good";
    own.call_ms = SHORT_MS;
    ck_assert_msg(client_create(&client, &own, &err) == 0, "%s", err.message);
    mem_free(url);
}

static void tear_down(void) {
    client_destroy(client);
    http_server_stop(server);
    close(hung);
}

static int call(const char *method) {
    struct json *answer = NULL;
    struct buf body = {0};
    bool well = false;
    err = (struct err){0};
    buf_string(&body, "{}");
    int failed = client_call(client, method, "/v1/x", &body, &answer, &err);
    if (failed == 0) {
        struct reader r = reader_of(answer, "the answer", &err);
        reader_bool(&r, "well", &well);
        ck_assert(well);
    }
    json_tree_destroy(answer);
    buf_finish(&body);
    return failed;
}

START_TEST(a_question_goes_to_the_next) {
    ck_assert_msg(call("GET") == 0, "%s", err.message);
    ck_assert_int_eq(calls, 1);
    ck_assert_int_eq(call("GET"), 0); /* and those after it go there at once */
    ck_assert_int_eq(calls, 2);
}
END_TEST

/* It may have been heard: not by this call, but by the next. */
START_TEST(an_order_is_not_given_twice) {
    ck_assert_int_eq(call("POST"), ERR_TIMEOUT);
    ck_assert_int_eq(calls, 0);
    ck_assert_msg(call("POST") == 0, "%s", err.message);
    ck_assert_int_eq(calls, 1);
}
END_TEST

Suite *client_suite(void) {
    Suite *suite = suite_create("client");
    TCase *several = tcase_create("several");
    tcase_add_checked_fixture(several, set_up, tear_down);
    tcase_add_test(several, a_question_goes_to_the_next);
    tcase_add_test(several, an_order_is_not_given_twice);
    suite_add_tcase(suite, several);
    return suite;
}
