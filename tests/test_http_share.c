/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many connections a server sees at once from clients that share them. */
#include <check.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/address.h"
#include "common/blob.h"
#include "common/clock.h"
#include "common/http.h"
#include "common/mem.h"
#include "fixture.h"

Suite *http_share_suite(void);

enum { CONNECTIONS_MAX = 64, REQUEST_BYTES = 4096, CLIENTS = 12, REQUESTS = 5 };

/* ---- A server that counts -------------------------------------------------------------- */

struct counter {
    int listener;
    char url[64];
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t connections[CONNECTIONS_MAX];
    int fds[CONNECTIONS_MAX];
    int accepted;
    int open; /* connections now */
    int most; /* at once so far */
    int asked;
    int waiting;  /* requests without an answer */
    int together; /* none is answered before so many were there at once */
    int met;      /* at once so far */
};

struct place {
    struct counter *counter;
    int fd;
};

/* Whether a whole head has come. */
static bool hear(int fd) {
    char text[REQUEST_BYTES];
    size_t size = 0;
    for (;;) {
        ssize_t got = recv(fd, text + size, sizeof(text) - 1 - size, 0);
        if (got <= 0) {
            return false;
        }
        size += (size_t)got;
        text[size] = '\0';
        if (strstr(text, "\r\n\r\n") != NULL) {
            return true;
        }
    }
}

static void *answer(void *context) {
    static const char text[] = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-3/4\r\n"
                               "ETag: \"x\"\r\nContent-Length: 4\r\n\r\nfine";
    struct place *place = context;
    struct counter *c = place->counter;
    while (hear(place->fd)) {
        pthread_mutex_lock(&c->lock);
        c->asked++;
        c->waiting++;
        c->met = c->waiting > c->met ? c->waiting : c->met;
        pthread_cond_broadcast(&c->changed);
        while (c->met < c->together) {
            pthread_cond_wait(&c->changed, &c->lock);
        }
        c->waiting--;
        pthread_mutex_unlock(&c->lock);
        send(place->fd, text, sizeof(text) - 1, MSG_NOSIGNAL);
    }
    pthread_mutex_lock(&c->lock);
    c->open--;
    pthread_mutex_unlock(&c->lock);
    mem_free(place);
    return NULL;
}

static void *accept_all(void *context) {
    struct counter *c = context;
    for (;;) {
        int fd = accept4(c->listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            return NULL;
        }
        struct place *place = mem_zero(1, sizeof(*place));
        *place = (struct place){c, fd};
        pthread_mutex_lock(&c->lock);
        ck_assert_int_lt(c->accepted, CONNECTIONS_MAX);
        c->fds[c->accepted] = fd;
        ck_assert_int_eq(pthread_create(&c->connections[c->accepted], NULL, answer, place), 0);
        c->accepted++;
        c->open++;
        c->most = c->open > c->most ? c->open : c->most;
        pthread_mutex_unlock(&c->lock);
    }
}

static struct counter *counter_start(int together) {
    struct counter *c = mem_zero(1, sizeof(*c));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    c->together = together;
    c->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(c->listener, (struct sockaddr *)&address, size), 0);
    ck_assert_int_eq(listen(c->listener, CONNECTIONS_MAX), 0);
    ck_assert_int_eq(getsockname(c->listener, (struct sockaddr *)&address, &size), 0);
    snprintf(c->url, sizeof(c->url), "http://127.0.0.1:%d", ntohs(address.sin_port));
    ck_assert_int_eq(pthread_create(&c->thread, NULL, accept_all, c), 0);
    return c;
}

/* Answers from now on when so many are there, or were. */
static void counter_let(struct counter *c, int together) {
    pthread_mutex_lock(&c->lock);
    c->together = together;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
}

static void counter_await(struct counter *c, int asked) {
    pthread_mutex_lock(&c->lock);
    while (c->asked < asked) {
        pthread_cond_wait(&c->changed, &c->lock);
    }
    pthread_mutex_unlock(&c->lock);
}

static void counter_stop(struct counter *c) {
    counter_let(c, 0);
    shutdown(c->listener, SHUT_RDWR);
    pthread_join(c->thread, NULL);
    for (int i = 0; i < c->accepted; i++) {
        shutdown(c->fds[i], SHUT_RDWR);
        pthread_join(c->connections[i], NULL);
        close(c->fds[i]);
    }
    close(c->listener);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

/* ---- Clients ---------------------------------------------------------------------------- */

struct asking {
    const struct counter *counter;
    bool (*admits)(const struct sockaddr *address);
    const atomic_bool *cancel;
    int total_ms;
    int count;
    int failed; /* how the last one ended */
    bool reached;
};

static void *ask(void *context) {
    struct asking *asking = context;
    struct http_client *client = http_client_create_sharing();
    struct http_response response = {0};
    struct http_request request = http_request_default();
    request.url = asking->counter->url;
    request.admits = asking->admits;
    request.cancel = asking->cancel;
    request.total_ms = asking->total_ms;
    for (int i = 0; i < asking->count && asking->failed == 0; i++) {
        asking->failed = http_send(client, &request, &response, NULL);
        asking->reached = response.reached;
        ck_assert(asking->failed != 0 || strcmp(buf_text(&response.body), "fine") == 0);
    }
    http_response_finish(&response);
    http_client_destroy(client);
    return NULL;
}

static int ask_once(const struct counter *counter, bool (*admits)(const struct sockaddr *address)) {
    struct asking asking = {.counter = counter, .admits = admits, .count = 1};
    ask(&asking);
    return asking.failed;
}

START_TEST(a_server_sees_as_many_at_once_as_it_may) {
    struct counter *counter = counter_start(3);
    pthread_t threads[CLIENTS];
    struct asking askings[CLIENTS];
    http_share_limit(3);
    for (int i = 0; i < CLIENTS; i++) {
        askings[i] = (struct asking){.counter = counter, .count = REQUESTS};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, ask, &askings[i]), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
        ck_assert_int_eq(askings[i].failed, 0);
    }
    ck_assert_int_eq(counter->asked, CLIENTS * REQUESTS);
    ck_assert_int_eq(counter->most, 3);
    ck_assert_int_eq(counter->accepted, 3);
    counter_stop(counter);
}
END_TEST

START_TEST(a_connection_is_used_again_by_others) {
    struct counter *counter = counter_start(0);
    for (int i = 0; i < REQUESTS; i++) {
        ck_assert_int_eq(ask_once(counter, NULL), 0);
    }
    ck_assert_int_eq(counter->asked, REQUESTS);
    ck_assert_int_eq(counter->accepted, 1);
    counter_stop(counter);
}
END_TEST

/* Else a source's URL would lead to what another request has opened in a private network. */
START_TEST(a_connection_is_not_used_by_who_could_not_have_opened_it) {
    for (int most = 1; most <= 2; most++) {
        struct counter *counter = counter_start(0);
        http_share_limit(most);
        ck_assert_int_eq(ask_once(counter, NULL), 0);
        ck_assert_int_eq(ask_once(counter, address_is_public), ERR_INVALID);
        ck_assert_int_eq(counter->asked, 1);
        ck_assert_int_eq(ask_once(counter, NULL), 0);
        ck_assert_int_eq(counter->asked, 2);
        counter_stop(counter);
    }
}
END_TEST

static void *cancel_soon(void *context) {
    clock_sleep_ms(150, NULL);
    atomic_store((atomic_bool *)context, true);
    return NULL;
}

START_TEST(who_waits_can_be_stopped_and_others_go_on) {
    struct counter *counter = counter_start(2);
    struct counter *other = counter_start(0);
    atomic_bool cancel = false;
    pthread_t first, canceller;
    struct asking held = {.counter = counter, .count = 1};
    struct asking stopped = {.counter = counter, .count = 1, .cancel = &cancel};
    struct asking late = {.counter = counter, .count = 1, .total_ms = 100};
    http_share_limit(1);
    ck_assert_int_eq(pthread_create(&first, NULL, ask, &held), 0);
    counter_await(counter, 1);
    ck_assert_int_eq(ask_once(other, NULL), 0); /* another server has its own */
    ck_assert_int_eq(pthread_create(&canceller, NULL, cancel_soon, &cancel), 0);
    ask(&stopped);
    pthread_join(canceller, NULL);
    ck_assert_int_eq(stopped.failed, ERR_CANCELLED);
    ck_assert(!stopped.reached);
    ask(&late);
    ck_assert_int_eq(late.failed, ERR_TIMEOUT);
    ck_assert(!late.reached);
    ck_assert_int_eq(counter->accepted, 1);
    counter_let(counter, 1);
    pthread_join(first, NULL);
    ck_assert_int_eq(held.failed, 0);
    ck_assert_int_eq(ask_once(counter, NULL), 0);
    ck_assert_int_eq(counter->accepted, 1);
    counter_stop(other);
    counter_stop(counter);
}
END_TEST

/* ---- Stores ------------------------------------------------------------------------------ */

static void *use_stores(void *context) {
    const struct counter *counter = context;
    struct blob_options options = blob_options_default();
    const char *const roots[] = {counter->url, "s3://bucket/videos"};
    struct blob_source *source = NULL;
    struct err err = {0};
    char *url = mem_format("%s/clip.mp4", counter->url);
    ck_assert_msg(blob_source_open(&source, url, &options, &err) == 0, "%s", err.message);
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        struct blob *blob = NULL;
        struct buf got = {0};
        ck_assert_msg(blob_open(&blob, roots[i], &options, &err) == 0, "%s", err.message);
        ck_assert_msg(blob_get(blob, "title/a", 100, &got, &err) == 0, "%s", err.message);
        ck_assert_str_eq(buf_text(&got), "fine");
        buf_finish(&got);
        blob_close(blob);
    }
    blob_source_close(source);
    mem_free(url);
    return NULL;
}

/* Sources and roots alike, though each is open at the same time as others. */
START_TEST(stores_are_asked_by_few_connections) {
    struct counter *counter = counter_start(2);
    char *folder = fixture_folder();
    pthread_t threads[CLIENTS];
    fixture_store_unknown(folder);
    setenv("AWS_ENDPOINT_URL", counter->url, 1);
    setenv("AWS_ACCESS_KEY_ID", "key", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    http_share_limit(2);
    for (int i = 0; i < CLIENTS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, use_stores, counter), 0);
    }
    for (int i = 0; i < CLIENTS; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(counter->asked, 3 * CLIENTS);
    ck_assert_int_eq(counter->most, 2);
    counter_stop(counter);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- Names of servers --------------------------------------------------------------------- */

static const struct {
    const char *url;
    const char *server;
} servers[] = {
    {"http://user:secret@Host.Example/a?b", "http://host.example:80"},
    {"HTTPS://host.example:443/", "https://host.example:443"},
    {"https://host.example", "https://host.example:443"},
    {"http://[::1]:81/a", "http://[::1]:81"},
    {"http://a b/", ""},
    {"", ""},
};

START_TEST(a_server_is_one_however_it_is_written) {
    char server[HTTP_SERVER_TEXT] = "x";
    http_server_of(servers[_i].url, server);
    ck_assert_str_eq(server, servers[_i].server);
}
END_TEST

Suite *http_share_suite(void) {
    Suite *suite = suite_create("http_share");
    TCase *tcase = tcase_create("http_share");
    tcase_add_test(tcase, a_server_sees_as_many_at_once_as_it_may);
    tcase_add_test(tcase, a_connection_is_used_again_by_others);
    tcase_add_test(tcase, a_connection_is_not_used_by_who_could_not_have_opened_it);
    tcase_add_test(tcase, who_waits_can_be_stopped_and_others_go_on);
    tcase_add_test(tcase, stores_are_asked_by_few_connections);
    tcase_add_loop_test(tcase, a_server_is_one_however_it_is_written, 0,
                        sizeof(servers) / sizeof(servers[0]));
    suite_add_tcase(suite, tcase);
    return suite;
}
