/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The API's calls: one table of method, path and function. A call is taken apart on
 * the HTTP server's thread, done on the store's, and may wait there for news.
 */
#ifndef SCHEDULER_API_ROUTES_H
#define SCHEDULER_API_ROUTES_H

#include "common/buf.h"
#include "common/http_server.h"
#include "scheduler/farm.h"
#include "scheduler/store.h"
#include "scheduler/traffic.h"

struct auth;
struct call;

/* All calls of one scheduler. But for routes_handle, its fields are the store
 * thread's. */
struct routes {
    struct store *store;
    struct farm *farm;
    const char *backups;    /* folder of backups; borrowed */
    struct auth *auth;      /* any thread's */
    bool vouches_workers;   /* their calls need a certificate */
    struct buf page_policy; /* page.h; set before the first call */
    int comment_ms;         /* who follows the feed hears something so often at least */
    struct call *waiting;   /* for news; see routes_after */
    _Atomic bool stopping;  /* no call waits any more; set by any thread */
    _Atomic int followers;  /* streams of the feed */
    uint64_t lease_news;    /* how often TOPIC_LEASES was woken, from 1 */
    uint64_t idle_news;     /* that of when nothing at all was ready; 0: not known */
    int64_t idle_until;     /* monotonic ms: when something is; 0: not by itself */
    unsigned awaited;       /* topics that calls wait for, or did */
    bool lease_owed;        /* calls wait for a task that have not looked since there was news */
    int64_t due_ms;         /* monotonic; no waiting call's time is up before */
    int64_t proved_ms;      /* monotonic; when call_show_ready last wrote; 0 after any error */
    struct traffic traffic;
};

/* How long a body the caller may send by this call: struct http_server_options' `most_body`, with
 * the routes as context. Negative where it is none, or not the caller's to make. */
int64_t routes_most_body(void *context, const struct exchange *exchange);

/* Takes one exchange: struct http_server_options' `handle`, with the routes as context. */
void routes_handle(void *context, struct exchange *exchange);

/* Goes on with waiting calls whose topic was woken or whose time is up; answers how
 * many ms from now the next one's is. On the store's thread, after each group. */
int64_t routes_after(struct routes *routes, unsigned topics);

/* Whether nothing was ready when it was last looked for, and nothing has come since. */
bool routes_are_idle(const struct routes *routes, int64_t now_ms);

/* Writes the metrics of the API's use. */
void routes_write_traffic(struct routes *routes, struct buf *out);

#endif
