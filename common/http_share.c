/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A client a connection, lent for a request: see http_share.h. */
#include "http_share.h"

#include <pthread.h>
#include <string.h>

#include "common/clock.h"
#include "common/condition.h"
#include "common/mem.h"

enum {
    CONNECTIONS_MAX = 64,
    LOOK_MS = 100,       /* how often one that waits looks whether it shall go on */
    IDLE_MS = 30 * 1000, /* what nobody wanted for so long is closed */
    URL_TEXT = 512,
};

struct http_lent {
    char server[HTTP_SERVER_TEXT];
    /* Whom it was let connect to: an open connection is not asked about again, so that one which
     * was opened for another's request is none for this. */
    bool (*admits)(const struct sockaddr *address);
    struct http_client *client; /* owned; NULL before its first request */
    bool is_lent;
    int64_t since_ms; /* when it was given back */
    struct http_lent *next;
};

struct waiter {
    const char *server;
    struct http_lent *given;
    pthread_cond_t called;
    struct waiter *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct http_lent *all;  /* owned */
static struct waiter *waiters; /* in the order of asking; each in the stack of its thread */
static int most = CONNECTIONS_MAX;

void http_share_limit(int connections) {
    pthread_mutex_lock(&lock);
    most = connections;
    pthread_mutex_unlock(&lock);
}

/* Closes what nobody wanted for long, to whatever server. */
static void close_idle(void) {
    struct http_lent *idle = NULL;
    pthread_mutex_lock(&lock);
    int64_t before_ms = clock_monotonic_ms() - IDLE_MS;
    for (struct http_lent **at = &all; *at != NULL;) {
        struct http_lent *lent = *at;
        if (lent->is_lent || lent->since_ms > before_ms) {
            at = &lent->next;
            continue;
        }
        *at = lent->next;
        lent->next = idle;
        idle = lent;
    }
    pthread_mutex_unlock(&lock);
    while (idle != NULL) {
        struct http_lent *next = idle->next;
        http_client_destroy(idle->client);
        mem_free(idle);
        idle = next;
    }
}

/* Under the lock, as the next three. One that is free: what may connect where this request may,
 * else a new one or any other; none is free while somebody waits for it. NULL where all are at
 * work. */
static struct http_lent *find(const char *server, const struct http_request *request) {
    struct http_lent *other = NULL;
    int count = 0;
    for (struct http_lent *lent = all; lent != NULL; lent = lent->next) {
        if (strcmp(lent->server, server) != 0) {
            continue;
        }
        count++;
        if (!lent->is_lent && lent->admits == request->admits) {
            return lent;
        }
        other = lent->is_lent ? other : lent;
    }
    if (count >= most) {
        return other;
    }
    struct http_lent *made = mem_zero(1, sizeof(*made));
    memcpy(made->server, server, sizeof(made->server));
    made->admits = request->admits;
    made->next = all;
    all = made;
    return made;
}

static void leave(struct waiter *waiter) {
    struct waiter **at = &waiters;
    while (*at != waiter) {
        at = &(*at)->next;
    }
    *at = waiter->next;
}

/* Whether neither its caller nor its time ends it. */
static bool may_wait(const struct http_request *request, int64_t since_ms) {
    bool stopped = request->cancel != NULL && atomic_load(request->cancel);
    bool late = request->total_ms > 0 && clock_monotonic_ms() - since_ms >= request->total_ms;
    return !stopped && !late;
}

/* NULL where it was stopped, or its time was over, before its turn came. */
static struct http_lent *wait_for(const char *server, const struct http_request *request) {
    struct waiter own = {.server = server};
    int64_t since_ms = clock_monotonic_ms();
    struct waiter **last = &waiters;
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = &own;
    condition_init(&own.called);
    while (own.given == NULL && may_wait(request, since_ms)) {
        condition_wait_ms(&own.called, &lock, LOOK_MS);
    }
    if (own.given == NULL) {
        leave(&own);
    }
    pthread_cond_destroy(&own.called);
    return own.given;
}

static int fail(const struct http_request *request, struct err *err) {
    char url[URL_TEXT];
    http_public_url(request->url, url, sizeof(url));
    if (request->cancel != NULL && atomic_load(request->cancel)) {
        return err_set(err, ERR_CANCELLED, "%s %s: stopped as asked", request->method, url);
    }
    return err_set(err, ERR_TIMEOUT, "%s %s: no connection there was free within %d ms",
                   request->method, url, request->total_ms);
}

int http_share_take(struct http_lent **out, const struct http_request *request, struct err *err) {
    char server[HTTP_SERVER_TEXT] = {0};
    http_server_of(request->url, server);
    close_idle();
    pthread_mutex_lock(&lock);
    struct http_lent *lent = find(server, request);
    if (lent == NULL) {
        lent = wait_for(server, request);
    } else {
        lent->is_lent = true;
    }
    pthread_mutex_unlock(&lock);
    if (lent == NULL) {
        return fail(request, err);
    }
    if (lent->admits != request->admits) {
        http_client_destroy(lent->client);
        lent->client = NULL;
    }
    lent->admits = request->admits;
    int failed = lent->client == NULL ? http_client_create(&lent->client, err) : 0;
    if (failed != 0) {
        http_share_give(lent);
        return failed;
    }
    *out = lent;
    return 0;
}

struct http_client *http_share_client(const struct http_lent *lent) {
    return lent->client;
}

void http_share_give(struct http_lent *lent) {
    pthread_mutex_lock(&lock);
    struct waiter *next = waiters;
    while (next != NULL && strcmp(next->server, lent->server) != 0) {
        next = next->next;
    }
    if (next != NULL) {
        leave(next);
        next->given = lent;
        pthread_cond_signal(&next->called);
    } else {
        lent->is_lent = false;
        lent->since_ms = clock_monotonic_ms();
    }
    pthread_mutex_unlock(&lock);
}
