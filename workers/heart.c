/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The session with the scheduler: see heart.h. */
#include "heart.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/http.h"
#include "common/log.h"
#include "common/mem.h"

enum {
    HEART_NICE = -5,  /* where we may: a heartbeat must not starve */
    ANSWER_PARTS = 3, /* of a lease time a heartbeat's answer may take one */
    WARN_MS = 60000,  /* a scheduler that is away is told of once a minute */
};

static void warn_away(struct heart *h, const struct err *why) {
    int64_t now = clock_monotonic_ms();
    if (h->warned_ms == 0 || now - h->warned_ms > WARN_MS) {
        log_warn("the scheduler can't be reached; trying on", "why=\"%s\"", why->message);
        h->warned_ms = now;
    }
}

static void sleep_beat(struct heart *h, int64_t ms) {
    pthread_mutex_lock(&h->node->shared.lock);
    if (!h->ends) {
        node_wait(h->node, &h->node->beat, ms);
    }
    pthread_mutex_unlock(&h->node->shared.lock);
}

/* After a heartbeat that was heard. Not where there is news: what that one said of leaving is not
 * so any more. */
static void sleep_heard(struct heart *h, bool said_leaving) {
    pthread_mutex_lock(&h->node->shared.lock);
    if (!h->ends && h->leaves == said_leaving) {
        node_wait(h->node, &h->node->beat, h->node->session.heartbeat_ms);
    }
    pthread_mutex_unlock(&h->node->shared.lock);
}

static bool heart_leaves(struct heart *h) {
    pthread_mutex_lock(&h->node->shared.lock);
    bool leaves = h->leaves;
    pthread_mutex_unlock(&h->node->shared.lock);
    return leaves;
}

static bool heart_goes_on(struct heart *h) {
    pthread_mutex_lock(&h->node->shared.lock);
    bool on = !h->ends && !h->node->refused;
    pthread_mutex_unlock(&h->node->shared.lock);
    return on;
}

/* For good: the main loop ends. */
static void refuse(struct heart *h, const struct err *why) {
    pthread_mutex_lock(&h->node->shared.lock);
    h->node->refused = true;
    pthread_cond_broadcast(&h->node->shared.changed);
    pthread_mutex_unlock(&h->node->shared.lock);
    log_error("the scheduler refuses this worker", "why=\"%s\"", why->message);
}

/* Under the node's lock. */
static bool runs_nothing(const struct node *node) {
    for (size_t i = 0; i < node->slot_count; i++) {
        if (node->slots[i].task != NULL) {
            return false;
        }
    }
    return true;
}

/* The scheduler answered what was sent then: leases of the session are ours for their time from
 * there on, and what is pure for longer where all that runs is known to be `wanted` still. */
static void heard(struct heart *h, int64_t sent_ms, bool wanted) {
    struct slot_shared *shared = &h->node->shared;
    int64_t until_ms = sent_ms + h->node->session.ttl_ms;
    h->heard_ms = sent_ms;
    h->warned_ms = 0;
    h->unheard = 0;
    atomic_store(&shared->lease_until_ms, until_ms);
    if (wanted) {
        atomic_store(&shared->keep_until_ms, until_ms + shared->keep_ms);
    }
}

/* `sent_ms`: when it was asked for. */
static void session_take(struct heart *h, const struct api_session *session, int64_t sent_ms) {
    pthread_mutex_lock(&h->node->shared.lock);
    h->node->session = *session;
    h->node->has_session = true;
    h->node->listed = false;
    heard(h, sent_ms, runs_nothing(h->node));
    pthread_cond_broadcast(&h->node->shared.changed);
    pthread_mutex_unlock(&h->node->shared.lock);
    atomic_store(&h->node->shared.ttl_ms, session->ttl_ms);
    log_info("session", "session=%s", session->id);
}

/* Tasks that are not pure end with their lease: another worker may have it by now. So do pure ones
 * when nobody counts on them any more. */
static void stop_late(struct heart *h, bool impure) {
    bool pure = clock_monotonic_ms() >= atomic_load(&h->node->shared.keep_until_ms);
    pthread_mutex_lock(&h->node->shared.lock);
    for (size_t i = 0; i < h->node->slot_count; i++) {
        struct task *task = h->node->slots[i].task;
        if (task != NULL && (task_is_pure(task->kind) ? pure : impure)) {
            atomic_store(&h->node->slots[i].cancel, true);
        }
    }
    pthread_mutex_unlock(&h->node->shared.lock);
}

static void session_open(struct heart *h, struct api *api, int *failures) {
    static const struct http_retry retry = {.first_ms = 200, .most_ms = API_PAUSE_MS};
    struct err err = {0};
    struct api_session session;
    int64_t sent_ms = clock_monotonic_ms();
    int failed = api_session_open(api, &h->node->worker, &session, &err);
    if (failed == 0) {
        *failures = 0;
        session_take(h, &session, sent_ms);
    } else if (!api_is_final(api, failed)) {
        warn_away(h, &err);
        stop_late(h, true);
        sleep_beat(h, http_retry_pause_ms(&retry, ++*failures, 0, NULL));
    } else if (failed != ERR_CANCELLED) {
        refuse(h, &err);
    }
}

static void session_lost(struct heart *h) {
    pthread_mutex_lock(&h->node->shared.lock);
    h->node->has_session = false;
    pthread_mutex_unlock(&h->node->shared.lock);
    stop_late(h, true);
    log_warn("the session is gone; opening another", "");
}

static size_t beats_collect(struct heart *h, struct api_beat *beats) {
    size_t count = 0;
    pthread_mutex_lock(&h->node->shared.lock);
    for (size_t i = 0; i < h->node->slot_count; i++) {
        struct slot *slot = &h->node->slots[i];
        if (slot->task != NULL) {
            beats[count++] = (struct api_beat){slot->task->fence, atomic_load(&slot->progress.done),
                                               atomic_load(&slot->progress.total)};
        }
    }
    pthread_mutex_unlock(&h->node->shared.lock);
    return count;
}

static void orders_follow(struct heart *h, const struct api_orders *orders) {
    pthread_mutex_lock(&h->node->shared.lock);
    h->node->listed = true;
    h->node->endpoints = orders->endpoints;
    pthread_cond_broadcast(&h->node->shared.changed);
    for (size_t i = 0; i < h->node->slot_count; i++) {
        for (size_t k = 0; k < orders->stop_count && h->node->slots[i].task != NULL; k++) {
            if (h->node->slots[i].task->fence == orders->stop[k]) {
                atomic_store(&h->node->slots[i].cancel, true);
            }
        }
    }
    pthread_mutex_unlock(&h->node->shared.lock);
    if (orders->drain != h->is_drained) { /* it is the scheduler that gives nothing then */
        h->is_drained = orders->drain;
        log_info(orders->drain ? "drained: takes nothing new until that is undone"
                               : "takes work again",
                 "");
    }
}

/* What is left of the lease time, of which our clock alone is sure. */
static int64_t time_left(const struct heart *h) {
    int64_t left = h->heard_ms + h->node->session.ttl_ms - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

/* After a heartbeat that got no answer: the next comes sooner than after one that did, since one
 * connection that died may not cost the session. */
static void sleep_unheard(struct heart *h) {
    const struct http_retry retry = {.first_ms = 200, .most_ms = h->node->session.heartbeat_ms};
    int64_t pause = http_retry_pause_ms(&retry, ++h->unheard, 0, NULL);
    int64_t left = time_left(h);
    stop_late(h, left == 0);
    sleep_beat(h, left > 0 && left < pause ? left : pause);
}

static void heart_beat(struct heart *h, struct api *api, struct api_beat *beats) {
    struct api_orders orders = {0};
    struct err err = {0};
    const struct api_heartbeat heartbeat = {
        .beats = beats, .count = beats_collect(h, beats), .stopping = heart_leaves(h)};
    int64_t sent_ms = clock_monotonic_ms();
    int64_t limit = h->node->session.ttl_ms / ANSWER_PARTS;
    int64_t left = time_left(h);
    int failed = api_heartbeat(api, h->node->session.id, &heartbeat,
                               left > 0 && left < limit ? left : limit, &orders, &err);
    if (failed == 0) {
        orders_follow(h, &orders); /* before what it stops gets more time */
        heard(h, sent_ms, true);
        sleep_heard(h, heartbeat.stopping);
    } else if (failed == ERR_NOT_FOUND) {
        session_lost(h);
    } else if (api_refused(api)) {
        refuse(h, &err);
    } else {
        warn_away(h, &err);
        sleep_unheard(h);
    }
}

static void *heart_run(void *context) {
    struct heart *h = context;
    struct err err = {0};
    struct api *api = NULL;
    int failures = 0;
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), HEART_NICE);
    if (api_create(&api, &h->node->shared.access, &h->cancel, &err) != 0) {
        log_error("no heartbeat is possible", "why=\"%s\"", err.message);
        return NULL;
    }
    struct api_beat *beats = mem_zero(h->node->slot_most, sizeof(*beats));
    while (heart_goes_on(h)) {
        if (h->node->has_session) { /* only this thread changes it */
            heart_beat(h, api, beats);
        } else {
            session_open(h, api, &failures);
        }
    }
    mem_free(beats);
    api_destroy(api);
    return NULL;
}

int heart_start(struct heart *heart, struct node *node) {
    heart->node = node;
    int failed = node_thread(&heart->thread, heart_run, heart);
    heart->started = failed == 0;
    return failed;
}

void heart_leave(struct heart *heart) {
    if (heart->node != NULL) {
        pthread_mutex_lock(&heart->node->shared.lock);
        heart->leaves = true;
        pthread_cond_broadcast(&heart->node->beat);
        pthread_mutex_unlock(&heart->node->shared.lock);
    }
}

void heart_end(struct heart *heart) {
    heart->ends = true;
    if (heart->node != NULL) {
        pthread_cond_broadcast(&heart->node->beat);
    }
}

void heart_join(struct heart *heart) {
    atomic_store(&heart->cancel, true);
    if (heart->started) {
        pthread_join(heart->thread, NULL);
    }
}
