/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The feed as clients see it: pages, one title's, and server-sent events by raw sockets. */
#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/http.h"
#include "common/json.h"
#include "common/mem.h"
#include "fixture.h"
#include "scheduler/scheduler.h"
#include "scheduler_fixture.h"

Suite *feed_suite(void);

enum { COMMENT_MS = 500, FOLLOWERS_MAX = 256 };

static char *folder;
static char *store_path;
static char *ladder;
static struct scheduler *scheduler;
static struct http_client *client;
static struct http_response answer; /* of the last call */

static void start(void) {
    struct scheduler_options options = scheduler_options_default();
    struct err err = {0};
    options.store_path = store_path;
    options.comment_ms = COMMENT_MS;
    ck_assert_msg(scheduler_start(&scheduler, &options, &err) == 0, "%s", err.message);
}

static void set_up(void) {
    folder = fixture_folder();
    store_path = fixture_store(folder);
    ladder = fixture_ladder("fast");
    start();
    ck_assert_int_eq(http_client_create(&client, NULL), 0);
}

static void tear_down(void) {
    http_response_finish(&answer);
    http_client_destroy(client);
    scheduler_stop(scheduler);
    mem_free(ladder);
    mem_free(store_path);
    fixture_folder_drop(folder);
}

static int call(const char *method, const char *path, const char *body) {
    struct http_request request = http_request_default();
    char *url = mem_format("%s%s", scheduler_url(scheduler), path);
    struct err err = {0};
    request.method = method;
    request.url = url;
    request.bearer = scheduler_token(scheduler);
    request.body = body;
    request.body_size = body == NULL ? 0 : strlen(body);
    ck_assert_msg(http_send(client, &request, &answer, &err) == 0, "%s", err.message);
    mem_free(url);
    return answer.status;
}

/* One event or more: a title's submission, for a tenant ("": nobody's), or its cancelling. */
static void submit_for(const char *tenant, const char *title) {
    char *body = mem_format("{\"title\":\"%s\",\"source\":\"/media/clip.mp4\",\"output\":\"/out\","
                            "\"tenant\":\"%s\",\"ladder\":%s,\"force\":false}",
                            title, tenant, ladder);
    ck_assert_int_eq(call("POST", "/v1/titles", body), 201);
    mem_free(body);
}

static void submit(const char *title) {
    submit_for("", title);
}

static void cancel(const char *title) {
    char *path = mem_format("/v1/titles/%s/cancel", title);
    ck_assert_int_eq(call("POST", path, NULL), 200);
    mem_free(path);
}

/* ---- a follower -------------------------------------------------------------- */

struct follower {
    int fd;
    struct buf got;
};

/* Asks for a stream with a token; `headers` are whole lines. */
static void follow_by(struct follower *follower, const char *token, const char *query,
                      const char *headers) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    long port = strtol(strrchr(scheduler_url(scheduler), ':') + 1, NULL, 10);
    char *text = mem_format("GET /v1/events%s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n"
                            "Accept: text/event-stream\r\n%s\r\n",
                            query, token, headers);
    int small = 4096; /* so that one who does not read is felt */
    *follower = (struct follower){.fd = socket(AF_INET, SOCK_STREAM, 0)};
    ck_assert_int_ge(follower->fd, 0);
    setsockopt(follower->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)port);
    ck_assert_int_eq(connect(follower->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(send(follower->fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
    mem_free(text);
}

/* The same with the operator's. */
static void follow(struct follower *follower, const char *query, const char *headers) {
    follow_by(follower, scheduler_token(scheduler), query, headers);
}

/* Reads until the text is there, for `ms` at most; whether it is. NULL: until the end. */
static bool hear(struct follower *follower, const char *text, int ms) {
    int64_t until = clock_monotonic_ms() + ms;
    while (text == NULL || strstr(buf_text(&follower->got), text) == NULL) {
        char bytes[4096];
        struct pollfd ready = {.fd = follower->fd, .events = POLLIN};
        int64_t left_ms = until - clock_monotonic_ms();
        if (left_ms <= 0 || poll(&ready, 1, (int)left_ms) <= 0) {
            return false;
        }
        ssize_t got = recv(follower->fd, bytes, sizeof(bytes), 0);
        if (got <= 0) {
            return text == NULL;
        }
        buf_append(&follower->got, bytes, (size_t)got);
    }
    return true;
}

static void leave(struct follower *follower) {
    close(follower->fd);
    buf_finish(&follower->got);
}

static int count_in(struct follower *follower, const char *text) {
    int count = 0;
    const char *at = buf_text(&follower->got);
    while ((at = strstr(at, text)) != NULL) {
        at += strlen(text);
        count++;
    }
    return count;
}

#define ck_assert_hears(follower, text)                                                            \
    ck_assert_msg(hear(follower, text, 5000), "no '%s' in %s", text, buf_text(&(follower)->got))

/* ---- server-sent events ------------------------------------------------------ */

START_TEST(a_follower_hears_the_past_and_the_present) {
    struct follower follower;
    submit("one");
    follow(&follower, "", "");
    ck_assert_hears(&follower, "\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(buf_text(&follower.got), "HTTP/1.1 200 OK\r\n"));
    ck_assert_ptr_nonnull(strstr(buf_text(&follower.got), "Content-Type: text/event-stream\r\n"));
    ck_assert_ptr_nonnull(strstr(buf_text(&follower.got), "Cache-Control: no-store\r\n"));
    ck_assert_hears(&follower, "retry: 3000\n\n");
    ck_assert_hears(&follower, "id: 1\ndata: {\"seq\":1,");
    int64_t since = clock_monotonic_ms();
    submit("two");
    ck_assert_hears(&follower, "\"title\":\"two\"");
    ck_assert_int_lt(clock_monotonic_ms() - since, 400); /* woken, not found at a comment */
    ck_assert_int_eq(count_in(&follower, "\"title\":\"one\""), 1);
    leave(&follower);
}
END_TEST

START_TEST(a_follower_goes_on_where_it_was) {
    struct follower first, second, third;
    submit("one");
    submit("two");
    follow(&first, "", "Last-Event-ID: 1\r\n");
    ck_assert_hears(&first, "id: 2\n");
    ck_assert_int_eq(count_in(&first, "id: 1\n"), 0);
    follow(&second, "?after=1", "");
    ck_assert_hears(&second, "id: 2\n");
    ck_assert_int_eq(count_in(&second, "id: 1\n"), 0);
    /* A browser that comes back asks the same URL: the header counts. */
    follow(&third, "?after=0", "Last-Event-ID: 1\r\n");
    ck_assert_hears(&third, "id: 2\n");
    ck_assert_int_eq(count_in(&third, "id: 1\n"), 0);
    leave(&first);
    leave(&second);
    leave(&third);
}
END_TEST

/* One that had heard more when an older copy of the store was put back. */
START_TEST(a_follower_ahead_of_the_store_hears_what_comes) {
    struct follower follower;
    submit("one");
    follow(&follower, "", "Last-Event-ID: 1000\r\n");
    ck_assert_hears(&follower, "retry");
    ck_assert_int_eq(count_in(&follower, "\"title\":\"one\""), 0);
    submit("two");
    ck_assert_hears(&follower, "\"title\":\"two\"");
    leave(&follower);
    ck_assert_int_eq(call("GET", "/v1/events?after=1000", NULL), 200);
    ck_assert_ptr_null(strstr(buf_text(&answer.body), "\"next\":1000"));
}
END_TEST

START_TEST(a_follower_of_one_title_hears_of_it_alone) {
    struct follower follower;
    submit("one");
    follow(&follower, "?title=two", "");
    ck_assert_hears(&follower, "retry");
    submit("two");
    ck_assert_hears(&follower, "\"title\":\"two\"");
    ck_assert_int_eq(count_in(&follower, "\"title\":\"one\""), 0);
    leave(&follower);
}
END_TEST

START_TEST(a_quiet_feed_sends_comments) {
    struct follower follower;
    struct rusage before, after;
    follow(&follower, "", "");
    ck_assert_hears(&follower, "retry");
    getrusage(RUSAGE_SELF, &before);
    int64_t since = clock_monotonic_ms();
    ck_assert_hears(&follower, "\n:\n\n");
    ck_assert_int_ge(clock_monotonic_ms() - since, COMMENT_MS - 50);
    while (count_in(&follower, ":\n\n") < 3) {
        ck_assert_int_lt(clock_monotonic_ms() - since, 20 * COMMENT_MS);
        hear(&follower, "never", COMMENT_MS / 2);
    }
    getrusage(RUSAGE_SELF, &after); /* a stream that waits must not spin */
    ck_assert_int_lt((after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 +
                         (after.ru_utime.tv_usec - before.ru_utime.tv_usec),
                     200000);
    leave(&follower);
}
END_TEST

START_TEST(a_stop_ends_streams) {
    struct follower follower;
    follow(&follower, "", "");
    ck_assert_hears(&follower, "retry");
    int64_t since = clock_monotonic_ms();
    scheduler_stop(scheduler);
    ck_assert_int_lt(clock_monotonic_ms() - since, 2000);
    ck_assert(hear(&follower, NULL, 1000));
    ck_assert_ptr_nonnull(strstr(buf_text(&follower.got), "\r\n0\r\n")); /* whole, not cut */
    start();
    leave(&follower);
}
END_TEST

/* A text member of the last answer, owned. */
static char *member(const char *name) {
    struct json *tree = NULL;
    struct err err = {0};
    const char *value = "";
    ck_assert_int_eq(json_tree_parse(&tree, answer.body.data, answer.body.size, &err), 0);
    struct reader reader = reader_of(tree, "answer", &err);
    reader_string(&reader, name, &value);
    ck_assert_msg(reader_ok(&reader), "%s", err.message);
    char *copy = mem_string(value);
    json_tree_destroy(tree);
    return copy;
}

START_TEST(a_stream_ends_with_its_token) {
    struct follower follower;
    ck_assert_int_eq(call("POST", "/v1/tokens", "{\"role\":\"viewer\"}"), 201);
    char *token = member("token"), *id = member("id");
    char *path = mem_format("/v1/tokens/%s", id);
    follow_by(&follower, token, "", "");
    ck_assert_hears(&follower, "\n:\n\n"); /* it has gone on so far */
    ck_assert_int_eq(call("DELETE", path, NULL), 204);
    ck_assert_hears(&follower, "\r\n0\r\n");
    leave(&follower);
    mem_free(token);
    mem_free(id);
    mem_free(path);
}
END_TEST

/* What was there before, and what comes. */
START_TEST(a_tenant_follows_its_own_titles_alone) {
    struct follower follower;
    ck_assert_int_eq(call("POST", "/v1/tokens", "{\"role\":\"viewer\",\"tenant\":\"news\"}"), 201);
    char *token = member("token");
    submit("nobodys");
    submit_for("news", "first");
    follow_by(&follower, token, "", "");
    ck_assert_hears(&follower, "\"title\":\"first\"");
    submit_for("films", "theirs");
    submit_for("news", "second");
    ck_assert_hears(&follower, "\"title\":\"second\"");
    ck_assert_int_eq(count_in(&follower, "nobodys") + count_in(&follower, "theirs"), 0);
    leave(&follower);
    mem_free(token);
}
END_TEST

START_TEST(followers_are_bounded_and_their_places_come_back) {
    struct follower followers[FOLLOWERS_MAX], late;
    for (int i = 0; i < FOLLOWERS_MAX; i++) {
        follow(&followers[i], "", "");
        ck_assert_hears(&followers[i], "retry");
    }
    follow(&late, "", "");
    ck_assert_hears(&late, "256 clients follow the feed");
    ck_assert_ptr_nonnull(strstr(buf_text(&late.got), "HTTP/1.1 503 "));
    leave(&late);
    ck_assert_int_eq(call("GET", "/v1/events", NULL), 200); /* pages are still to be had */
    for (int i = 0; i < FOLLOWERS_MAX; i++) {
        leave(&followers[i]);
    }
    /* The dead are noticed by what is written to them: two comments at most. */
    clock_sleep_ms(4 * COMMENT_MS, NULL);
    follow(&late, "", "");
    ck_assert_hears(&late, "retry");
    leave(&late);
}
END_TEST

/* A follower that reads nothing holds a page at a time, and nobody else up. */
START_TEST(a_follower_that_does_not_read_holds_nobody_up) {
    struct follower silent, awake;
    follow(&silent, "", "");
    for (int i = 0; i < 120; i++) {
        char title[16];
        snprintf(title, sizeof(title), "t%d", i);
        submit(title);
        cancel(title);
    }
    follow(&awake, "", "");
    ck_assert_hears(&awake, "\"title\":\"t119\"");
    int64_t since = clock_monotonic_ms();
    scheduler_stop(scheduler); /* nor does it keep the scheduler from its end */
    ck_assert_int_lt(clock_monotonic_ms() - since, 3000);
    start();
    leave(&silent);
    leave(&awake);
}
END_TEST

/* ---- pages ------------------------------------------------------------------- */

/* Follows `next` through the pages of a query; how many events there are. */
static size_t count_events(const char *query, int *pages) {
    size_t count = 0;
    int64_t after = -1, next = 0;
    for (*pages = 0; next > after; (*pages)++) {
        struct json *tree = NULL;
        struct err err = {0};
        after = next;
        char *path = mem_format("/v1/events?after=%lld%s", (long long)after, query);
        ck_assert_int_eq(call("GET", path, NULL), 200);
        ck_assert_int_eq(json_tree_parse(&tree, answer.body.data, answer.body.size, &err), 0);
        struct reader reader = reader_of(tree, "events", &err);
        struct reader list = reader_array(&reader, "events");
        ck_assert_int_le(reader_count(&list), 500);
        count += reader_count(&list);
        reader_int(&reader, "next", after, INT64_MAX, &next);
        ck_assert_msg(reader_ok(&reader), "%s", err.message);
        json_tree_destroy(tree);
        mem_free(path);
    }
    return count;
}

START_TEST(pages_follow_one_another) {
    int pages = 0;
    ck_assert_int_eq(count_events("", &pages), 0);
    ck_assert_int_eq(pages, 1);
    submit("one");
    for (int i = 0; i < 180; i++) {
        submit("two");
        cancel("two");
    }
    size_t all = count_events("", &pages);
    ck_assert_int_gt(all, 500);
    ck_assert_int_ge(pages, 3);
    size_t of_one = count_events("&title=one", &pages);
    ck_assert_int_gt(of_one, 0);
    ck_assert_int_le(pages, 2); /* past the others' in one */
    size_t of_two = count_events("&title=two", &pages);
    ck_assert_int_gt(of_two, 500);
    ck_assert_int_ge(pages, 3);
    ck_assert_int_eq(of_one + of_two, all);
    ck_assert_int_eq(count_events("&title=nobody", &pages), 0);
}
END_TEST

Suite *feed_suite(void) {
    Suite *suite = suite_create("feed");
    TCase *streams = tcase_create("streams");
    tcase_add_checked_fixture(streams, set_up, tear_down);
    tcase_add_test(streams, a_follower_hears_the_past_and_the_present);
    tcase_add_test(streams, a_follower_goes_on_where_it_was);
    tcase_add_test(streams, a_follower_ahead_of_the_store_hears_what_comes);
    tcase_add_test(streams, a_follower_of_one_title_hears_of_it_alone);
    tcase_add_test(streams, a_quiet_feed_sends_comments);
    tcase_add_test(streams, a_stop_ends_streams);
    tcase_add_test(streams, a_stream_ends_with_its_token);
    tcase_add_test(streams, a_tenant_follows_its_own_titles_alone);
    tcase_add_test(streams, followers_are_bounded_and_their_places_come_back);
    tcase_add_test(streams, a_follower_that_does_not_read_holds_nobody_up);
    suite_add_tcase(suite, streams);
    TCase *pages = tcase_create("pages");
    tcase_add_checked_fixture(pages, set_up, tear_down);
    tcase_add_test(pages, pages_follow_one_another);
    suite_add_tcase(suite, pages);
    return suite;
}
