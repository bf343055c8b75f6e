/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A thread that fetches one piece at a time: see read_ahead.h. */
#include "read_ahead.h"

#include <pthread.h>
#include <signal.h>

#include "common/condition.h"
#include "common/mem.h"

enum { LOOK_MS = 50 }; /* how often a reader that waits looks whether it is to stop */

struct read_ahead {
    read_ahead_fetch *fetch;
    void *context;
    pthread_t thread;
    bool has_thread;
    bool begun; /* the reader's */
    int64_t offset;
    size_t size;
    atomic_bool stop;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool wanted; /* under the lock, as what follows */
    bool whole;
    bool ending;
};

struct read_ahead *read_ahead_create(read_ahead_fetch *fetch, void *context) {
    struct read_ahead *ahead = mem_zero(1, sizeof(*ahead));
    ahead->fetch = fetch;
    ahead->context = context;
    condition_init(&ahead->changed);
    pthread_mutex_init(&ahead->lock, NULL);
    return ahead;
}

static void *ahead_run(void *context) {
    struct read_ahead *ahead = context;
    pthread_mutex_lock(&ahead->lock);
    while (!ahead->ending) {
        if (!ahead->wanted) {
            pthread_cond_wait(&ahead->changed, &ahead->lock);
            continue;
        }
        pthread_mutex_unlock(&ahead->lock);
        bool whole = ahead->fetch(ahead->context, ahead->offset, ahead->size, &ahead->stop);
        pthread_mutex_lock(&ahead->lock);
        ahead->whole = whole;
        ahead->wanted = false;
        pthread_cond_broadcast(&ahead->changed);
    }
    pthread_mutex_unlock(&ahead->lock);
    return NULL;
}

/* Signals are other threads'. */
static bool start(struct read_ahead *ahead) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    ahead->has_thread = pthread_create(&ahead->thread, NULL, ahead_run, ahead) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ahead->has_thread;
}

void read_ahead_destroy(struct read_ahead *ahead) {
    if (ahead == NULL) {
        return;
    }
    atomic_store(&ahead->stop, true);
    pthread_mutex_lock(&ahead->lock);
    ahead->ending = true;
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
    if (ahead->has_thread) {
        pthread_join(ahead->thread, NULL);
    }
    pthread_cond_destroy(&ahead->changed);
    pthread_mutex_destroy(&ahead->lock);
    mem_free(ahead);
}

void read_ahead_begin(struct read_ahead *ahead, int64_t offset, size_t size) {
    if (!ahead->has_thread && !start(ahead)) {
        return;
    }
    pthread_mutex_lock(&ahead->lock);
    ahead->offset = offset;
    ahead->size = size;
    ahead->whole = false;
    ahead->wanted = true;
    atomic_store(&ahead->stop, false);
    pthread_cond_broadcast(&ahead->changed);
    pthread_mutex_unlock(&ahead->lock);
    ahead->begun = true;
}

bool read_ahead_is_begun(const struct read_ahead *ahead) {
    return ahead->begun;
}

bool read_ahead_is_running(struct read_ahead *ahead) {
    pthread_mutex_lock(&ahead->lock);
    bool running = ahead->wanted;
    pthread_mutex_unlock(&ahead->lock);
    return running;
}

bool read_ahead_take(struct read_ahead *ahead, const atomic_bool *cancel, int64_t *offset,
                     size_t *size) {
    pthread_mutex_lock(&ahead->lock);
    while (ahead->wanted) {
        condition_wait_ms(&ahead->changed, &ahead->lock, LOOK_MS);
        if (cancel != NULL && atomic_load(cancel)) {
            atomic_store(&ahead->stop, true);
        }
    }
    bool whole = ahead->whole;
    pthread_mutex_unlock(&ahead->lock);
    ahead->begun = false;
    *offset = ahead->offset;
    *size = ahead->size;
    return whole;
}
