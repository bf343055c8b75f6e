/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bounded queue and its thread: see put_queue.h. */
#include "put_queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/mem.h"

enum { QUEUE_BYTES = 48 << 20 }; /* a little over one 4 s segment of each rung at high rates */

struct put_queue {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct made *first; /* owned list */
    struct made **last;
    size_t bytes; /* of pieces in the list and of the one being put */
    bool closing;
    bool failed;
    int wake;
    struct err err;
    put_fn put;
    void *context;
};

static void wake(struct put_queue *queue) {
    uint64_t one = 1;
    ssize_t wrote = write(queue->wake, &one, sizeof(one));
    (void)wrote; /* a full counter is awake already */
}

static struct made *next_locked(struct put_queue *queue) {
    while (queue->first == NULL && !queue->closing) {
        pthread_cond_wait(&queue->changed, &queue->lock);
    }
    struct made *made = queue->first;
    if (made != NULL) {
        queue->first = made->next;
        queue->last = queue->first != NULL ? queue->last : &queue->first;
    }
    return made;
}

static void *queue_run(void *context) {
    struct put_queue *queue = context;
    pthread_mutex_lock(&queue->lock);
    for (struct made *made = next_locked(queue); made != NULL; made = next_locked(queue)) {
        struct err err = {0};
        bool skip = queue->failed;
        pthread_mutex_unlock(&queue->lock);
        int failed = skip ? 0 : queue->put(queue->context, made, &err);
        size_t size = made->size;
        made_destroy(made);
        pthread_mutex_lock(&queue->lock);
        queue->bytes -= size;
        if (failed != 0) {
            queue->failed = true;
            queue->err = err;
        }
        wake(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

int put_queue_create(struct put_queue **out, put_fn put, void *context, struct err *err) {
    struct put_queue *queue = mem_zero(1, sizeof(*queue));
    queue->put = put;
    queue->context = context;
    queue->last = &queue->first;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_cond_init(&queue->changed, NULL);
    queue->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int failed = queue->wake >= 0 ? 0 : errno;
    if (failed == 0) {
        failed = pthread_create(&queue->thread, NULL, queue_run, queue);
    }
    if (failed != 0) {
        put_queue_destroy(queue);
        return err_set_errno(err, failed, "cannot start the thread that puts segments");
    }
    *out = queue;
    return 0;
}

void put_queue_push(struct put_queue *queue, struct made *made) {
    pthread_mutex_lock(&queue->lock);
    made->next = NULL;
    *queue->last = made;
    queue->last = &made->next;
    queue->bytes += made->size;
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

bool put_queue_full(struct put_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    bool full = queue->bytes >= QUEUE_BYTES && !queue->failed;
    pthread_mutex_unlock(&queue->lock);
    return full;
}

bool put_queue_failed(struct put_queue *queue) {
    pthread_mutex_lock(&queue->lock);
    bool failed = queue->failed;
    pthread_mutex_unlock(&queue->lock);
    return failed;
}

int put_queue_wake_fd(const struct put_queue *queue) {
    return queue->wake;
}

void put_queue_wake_clear(struct put_queue *queue) {
    uint64_t count = 0;
    ssize_t got = read(queue->wake, &count, sizeof(count));
    (void)got; /* none waiting is fine */
}

int put_queue_finish(struct put_queue *queue, bool drop, struct err *err) {
    pthread_mutex_lock(&queue->lock);
    queue->closing = true;
    if (drop && !queue->failed) {
        queue->failed = true;
        err_set(&queue->err, ERR_CANCELLED, "the task was stopped");
    }
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    pthread_join(queue->thread, NULL);
    return queue->failed ? err_pass(err, &queue->err) : 0;
}

void put_queue_destroy(struct put_queue *queue) {
    if (queue == NULL) {
        return;
    }
    if (queue->wake >= 0) {
        close(queue->wake);
    }
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    mem_free(queue);
}
