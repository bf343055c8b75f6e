/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that read for a server: see readers.h. */
#include "readers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "common/mem.h"

enum { READERS = 4 }; /* a player asks for pictures, sound and a playlist at once */

struct waiting {
    struct waiting *next;
    struct exchange *exchange;
};

struct reader {
    struct readers *readers;   /* borrowed */
    struct media_place *place; /* owned */
    pthread_t thread;
};

struct readers {
    readers_answer *answer;
    void *context; /* borrowed */
    atomic_bool cancelled;
    pthread_mutex_t mutex; /* guards what follows, up to the threads */
    pthread_cond_t came;
    struct waiting *first; /* owned list */
    struct waiting **end;
    bool stopping;
    struct reader reader[READERS];
    int running;
};

/* Waits for one; NULL at the end. */
static struct exchange *take(struct readers *readers) {
    pthread_mutex_lock(&readers->mutex);
    while (readers->first == NULL && !readers->stopping) {
        pthread_cond_wait(&readers->came, &readers->mutex);
    }
    struct waiting *taken = readers->first;
    if (taken != NULL) {
        readers->first = taken->next;
        if (readers->first == NULL) {
            readers->end = &readers->first;
        }
    }
    pthread_mutex_unlock(&readers->mutex);
    struct exchange *exchange = taken != NULL ? taken->exchange : NULL;
    mem_free(taken);
    return exchange;
}

static void *read_on(void *context) {
    struct reader *reader = context;
    struct readers *readers = reader->readers;
    struct exchange *exchange = NULL;
    while ((exchange = take(readers)) != NULL) {
        readers->answer(readers->context, reader->place, exchange);
    }
    return NULL;
}

static int start_one(struct readers *readers, const char *url, struct err *err) {
    struct reader *reader = &readers->reader[readers->running];
    reader->readers = readers;
    int failed = media_place_open(&reader->place, url, &readers->cancelled, err);
    if (failed != 0) {
        return failed;
    }
    int failure = pthread_create(&reader->thread, NULL, read_on, reader);
    if (failure != 0) {
        media_place_close(reader->place);
        return err_set_errno(err, failure, "cannot start a thread");
    }
    readers->running++;
    return 0;
}

int readers_start(struct readers **out, const char *url, readers_answer *answer, void *context,
                  struct err *err) {
    struct readers *readers = mem_zero(1, sizeof(*readers));
    readers->answer = answer;
    readers->context = context;
    readers->end = &readers->first;
    pthread_mutex_init(&readers->mutex, NULL);
    pthread_cond_init(&readers->came, NULL);
    int failed = 0;
    for (int i = 0; i < READERS && failed == 0; i++) {
        failed = start_one(readers, url, err);
    }
    if (failed != 0) {
        readers_stop(readers);
        return failed;
    }
    *out = readers;
    return 0;
}

void readers_give(struct readers *readers, struct exchange *exchange) {
    struct waiting *waiting = mem_zero(1, sizeof(*waiting));
    waiting->exchange = exchange;
    pthread_mutex_lock(&readers->mutex);
    *readers->end = waiting;
    readers->end = &waiting->next;
    pthread_cond_signal(&readers->came);
    pthread_mutex_unlock(&readers->mutex);
}

void readers_cancel(struct readers *readers) {
    atomic_store(&readers->cancelled, true);
}

void readers_stop(struct readers *readers) {
    if (readers == NULL) {
        return;
    }
    pthread_mutex_lock(&readers->mutex);
    readers->stopping = true;
    pthread_cond_broadcast(&readers->came);
    pthread_mutex_unlock(&readers->mutex);
    for (int i = 0; i < readers->running; i++) {
        pthread_join(readers->reader[i].thread, NULL);
        media_place_close(readers->reader[i].place);
    }
    pthread_cond_destroy(&readers->came);
    pthread_mutex_destroy(&readers->mutex);
    mem_free(readers);
}
