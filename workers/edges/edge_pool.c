/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The connections of one push at work: see edge_pool.h. */
#include "edge_pool.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/condition.h"
#include "common/hash.h"
#include "common/mem.h"
#include "edge_flow.h"

enum {
    QUEUE = 256, /* objects that wait, are at work, or are done out of turn */
    PATH_TEXT = 256,
    LOOK_MS = 100,          /* how often a stop and the end of time are looked for */
    SIZE_UNKNOWN = 2 << 20, /* bytes that an object of no known size counts for */
};

enum stage { WAITING, WORKING, DONE };

struct item {
    enum stage stage;
    struct edge_object object; /* its texts are those below */
    char path[PATH_TEXT];
    char from[PATH_TEXT];
    char sha256[SHA256_TEXT];
    uint64_t hash; /* of where its bytes lie (edge_share.h) */
};

struct pool {
    struct pool_options options;
    atomic_bool stop; /* the edges' cancel */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t *threads;
    size_t thread_count;
    size_t working;
    int64_t memory;
    struct flow_limit limit;
    struct flow_line line;
    struct item items[QUEUE]; /* number n of the pool's objects is at n % QUEUE */
    size_t first;             /* the first that is not done */
    size_t next;              /* none before it waits */
    size_t end;               /* behind the last that was added */
    pool_act *act;
    void *context;
    _Atomic int64_t *done;
    bool ending;
    struct err err; /* the first failure */
    enum failure_class failure;
    struct edge_traffic traffic;
};

struct pool *pool_create(const struct pool_options *options) {
    struct pool *pool = mem_zero(1, sizeof(*pool));
    const struct push_endpoint *endpoint = options->target.endpoint;
    pool->options = *options;
    pool->options.target.cancel = &pool->stop;
    pool->options.target.send_bps = (endpoint->bandwidth_bps + 7) / 8;
    pool->line.bytes_s = pool->options.target.send_bps;
    pool->failure = FAILURE_ENDPOINT;
    atomic_fetch_add(&options->memory->pools, 1);
    pool->threads = mem_zero((size_t)endpoint->connections, sizeof(*pool->threads));
    flow_limit_init(&pool->limit, endpoint->connections);
    pthread_mutex_init(&pool->lock, NULL);
    condition_init(&pool->changed);
    return pool;
}

/* ---- A connection ------------------------------------------------------------------------- */

static int64_t memory_of(const struct edge_object *object) {
    return object->bytes >= 0 ? object->bytes : SIZE_UNKNOWN;
}

/* Under the lock: the object to begin with next, which waits: one for which nothing is read, else
 * of those whose bytes others want too the one that costs least. NULL where there is none, or
 * `*is_held`: none just now. */
static struct item *choose(struct pool *pool, bool *is_held) {
    struct share_wish wishes[QUEUE];
    struct item *waiting[QUEUE];
    size_t count = 0;
    size_t chosen = 0;
    while (pool->next < pool->end && pool->items[pool->next % QUEUE].stage != WAITING) {
        pool->next++;
    }
    for (size_t i = pool->next; i < pool->end; i++) {
        struct item *item = &pool->items[i % QUEUE];
        if (item->stage == WAITING && item->object.unread) {
            return item;
        }
        if (item->stage == WAITING) {
            waiting[count] = item;
            wishes[count++] = (struct share_wish){item->hash, item->object.bytes};
        }
    }
    if (count > 0) {
        chosen = share_choose(pool->options.target.share, wishes, count);
    }
    *is_held = count > 0 && chosen == count;
    return chosen < count ? waiting[chosen] : NULL;
}

/* What a pool that has gone leaves is taken when one looks next. */
static int64_t memory_part(const struct pool_memory *memory) {
    return memory->bytes / atomic_load(&memory->pools);
}

/* Under the lock: the next object, if it may begin now; else NULL, and whether it may soon, of
 * which nobody tells. */
static struct item *find_next(struct pool *pool, bool *is_held) {
    *is_held = false;
    if (pool->err.code != ERR_NONE || edge_is_late(&pool->options.target) ||
        pool->working >= (size_t)flow_limit_now(&pool->limit)) {
        return NULL;
    }
    struct item *item = choose(pool, is_held);
    bool fits = item != NULL && (pool->memory == 0 || pool->memory + memory_of(&item->object) <=
                                                          memory_part(pool->options.memory));
    return fits ? item : NULL;
}

/* Under the lock. */
static void fail(struct pool *pool, enum failure_class failure, const struct err *why) {
    if (pool->err.code == ERR_NONE) {
        pool->err = *why;
        pool->failure = failure;
    }
}

static int work(struct pool *pool, struct edge **edge, const struct item *item, int64_t wait_ms,
                struct err *err) {
    if (wait_ms > 0 && !clock_sleep_ms(wait_ms, &pool->stop)) {
        return err_set(err, ERR_CANCELLED, "stopped as asked");
    }
    int failed = *edge == NULL ? edge_open(edge, &pool->options.target, err) : 0;
    return failed == 0 ? pool->act(pool->context, *edge, &item->object, err) : failed;
}

/* Under the lock: what the object cost, and that it is done. */
static void settle(struct pool *pool, struct item *item, const struct edge_traffic *before,
                   const struct edge *edge, bool failed) {
    struct edge_traffic now = edge != NULL ? edge->traffic : *before;
    int64_t requests = now.requests - before->requests;
    int64_t busy_ms = now.busy_ms - before->busy_ms;
    int64_t refused = now.refused - before->refused;
    pool->traffic.requests += requests;
    pool->traffic.busy_ms += busy_ms;
    pool->traffic.refused += refused;
    pool->traffic.origin_bytes += now.origin_bytes - before->origin_bytes;
    pool->traffic.shared_bytes += now.shared_bytes - before->shared_bytes;
    if (item->object.bytes < 0) { /* known now: what comes next waits for it */
        flow_line_take(&pool->line, clock_monotonic_ms(),
                       now.origin_bytes - before->origin_bytes + now.shared_bytes -
                           before->shared_bytes);
    }
    flow_limit_note(&pool->limit, item->object.bytes > 0 ? item->object.bytes : 0, requests,
                    busy_ms, failed || refused > 0);
    item->stage = failed ? WORKING : DONE; /* a failed one is never passed */
    share_pass(pool->options.target.share, item->hash);
    while (pool->first < pool->end && pool->items[pool->first % QUEUE].stage == DONE) {
        pool->first++;
        if (pool->done != NULL) {
            atomic_fetch_add(pool->done, 1);
        }
    }
}

/* Under the lock: the next object; NULL where the pool ends. */
static struct item *wait_for_item(struct pool *pool) {
    struct item *item = NULL;
    bool is_held = false;
    while (!pool->ending && (item = find_next(pool, &is_held)) == NULL) {
        if (is_held) {
            condition_wait_ms(&pool->changed, &pool->lock, SHARE_ASK_MS);
        } else {
            pthread_cond_wait(&pool->changed, &pool->lock);
        }
    }
    return pool->ending ? NULL : item;
}

static void *connection_run(void *context) {
    struct pool *pool = context;
    struct edge *edge = NULL;
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct item *item = wait_for_item(pool);
        if (item == NULL) {
            break;
        }
        int64_t memory = memory_of(&item->object);
        int64_t bytes = item->object.bytes > 0 ? item->object.bytes : 0;
        int64_t wait_ms = flow_line_take(&pool->line, clock_monotonic_ms(), bytes);
        struct edge_traffic before = edge != NULL ? edge->traffic : (struct edge_traffic){0};
        struct err err = {0};
        item->stage = WORKING;
        pool->working++;
        pool->memory += memory;
        pthread_mutex_unlock(&pool->lock);
        int failed = work(pool, &edge, item, wait_ms, &err);
        if (edge != NULL) {
            edge_relax(edge);
        }
        pthread_mutex_lock(&pool->lock);
        pool->working--;
        pool->memory -= memory;
        if (failed != 0) {
            fail(pool, edge != NULL ? edge->failure : FAILURE_REFUSED, &err);
        }
        settle(pool, item, &before, edge, failed != 0);
        pthread_cond_broadcast(&pool->changed);
    }
    pthread_mutex_unlock(&pool->lock);
    edge_close(edge);
    return NULL;
}

/* Under the lock: one thread more where there is work for it. */
static void thread_add(struct pool *pool) {
    size_t limit = (size_t)flow_limit_now(&pool->limit);
    size_t wanted = pool->working + (pool->end - pool->next);
    sigset_t all;
    sigset_t before;
    if (pool->thread_count >= limit || pool->thread_count >= wanted) {
        return;
    }
    sigfillset(&all); /* signals are the main thread's */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&pool->threads[pool->thread_count], NULL, connection_run, pool);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0) {
        pool->thread_count++;
    } else if (pool->thread_count == 0) {
        struct err why = {0};
        err_set_errno(&why, failed, "cannot start the thread of a connection");
        fail(pool, FAILURE_IO, &why);
    }
}

/* ---- Adding and waiting ---------------------------------------------------------------------- */

/* Under the lock. A stop reaches the connections here, from where they are waited for. */
static void wait_for_change(struct pool *pool) {
    condition_wait_ms(&pool->changed, &pool->lock, LOOK_MS);
    int64_t end = pool->options.until_ms;
    bool late = end > 0 && clock_monotonic_ms() >= end;
    bool lost = edge_is_late(&pool->options.target);
    if (late || lost || atomic_load(pool->options.cancel)) {
        struct err why = {0};
        err_set(&why, late ? ERR_TIMEOUT : ERR_CANCELLED,
                late ? "endpoint '%s' was not done in the time that a push has"
                     : "the push to endpoint '%s' was stopped",
                pool->options.target.endpoint->name);
        fail(pool, late ? FAILURE_TIMEOUT : FAILURE_ENDPOINT, &why);
        atomic_store(&pool->stop, true);
    }
}

void pool_begin(struct pool *pool, pool_act *act, void *context, _Atomic int64_t *done) {
    pthread_mutex_lock(&pool->lock);
    pool->act = act;
    pool->context = context;
    pool->done = done;
    pthread_mutex_unlock(&pool->lock);
}

/* Under the lock. */
static int answer(const struct pool *pool, struct err *err) {
    return err_pass(err, &pool->err);
}

int pool_add(struct pool *pool, const struct edge_object *object, struct err *err) {
    pthread_mutex_lock(&pool->lock);
    while (pool->end - pool->first >= QUEUE && pool->err.code == ERR_NONE) {
        wait_for_change(pool);
    }
    if (pool->err.code == ERR_NONE) {
        struct item *item = &pool->items[pool->end++ % QUEUE];
        *item = (struct item){.stage = WAITING, .object = *object};
        snprintf(item->path, sizeof(item->path), "%s", object->path);
        snprintf(item->from, sizeof(item->from), "%s", object->from != NULL ? object->from : "");
        snprintf(item->sha256, sizeof(item->sha256), "%s", object->sha256);
        item->object.path = item->path;
        item->object.from = object->from != NULL ? item->from : NULL;
        item->object.sha256 = item->sha256;
        item->hash = share_hash(object->from != NULL ? object->from : object->path);
        thread_add(pool);
        pthread_cond_signal(&pool->changed);
    }
    int failed = answer(pool, err);
    pthread_mutex_unlock(&pool->lock);
    return failed;
}

int pool_wait(struct pool *pool, struct err *err) {
    pthread_mutex_lock(&pool->lock);
    while (pool->working > 0 || (pool->err.code == ERR_NONE && pool->first < pool->end)) {
        wait_for_change(pool);
    }
    int failed = answer(pool, err);
    pthread_mutex_unlock(&pool->lock);
    return failed;
}

enum failure_class pool_failure(const struct pool *pool) {
    return pool->failure;
}

struct edge_traffic pool_traffic(const struct pool *pool) {
    return pool->traffic;
}

void pool_destroy(struct pool *pool) {
    if (pool == NULL) {
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pool->ending = true;
    atomic_store(&pool->stop, true);
    pthread_cond_broadcast(&pool->changed);
    pthread_mutex_unlock(&pool->lock);
    for (size_t i = 0; i < pool->thread_count; i++) {
        pthread_join(pool->threads[i], NULL);
    }
    atomic_fetch_sub(&pool->options.memory->pools, 1);
    pthread_mutex_destroy(&pool->lock);
    pthread_cond_destroy(&pool->changed);
    mem_free(pool->threads);
    mem_free(pool);
}
