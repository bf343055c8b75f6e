/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shelf's thread and its queue: see desk.h. */
#include "desk.h"

#include <pthread.h>

#include "common/mem.h"

enum { GROUP_MAX = 64 };

struct desk {
    struct shelf *shelf;
    pthread_t thread;
    bool started;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    struct job *first;
    struct job **last;
    bool closing;
};

/* Runs the changes at the head of a list, up to the next job that makes none; returns that. */
static struct job *run_changes(struct desk *desk, struct job *head) {
    struct err err = {0};
    struct job *end = head;
    shelf_begin(desk->shelf, &err);
    for (int i = 0; i < GROUP_MAX && end != NULL && end->changes; i++, end = end->next) {
        if (err.code == ERR_NONE) {
            end->run(end, desk->shelf);
        }
        if (err.code == ERR_NONE && shelf_is_broken(desk->shelf)) {
            err = end->err;
        }
    }
    if (err.code == ERR_NONE) {
        shelf_commit(desk->shelf, &err);
    }
    shelf_undo(desk->shelf);
    for (struct job *job = head; job != end;) {
        struct job *next = job->next;
        if (err.code != ERR_NONE) {
            job->err = err;
        }
        job->done(job);
        job = next;
    }
    return end;
}

static void run_all(struct desk *desk, struct job *list) {
    while (list != NULL) {
        if (list->changes) {
            list = run_changes(desk, list);
        } else {
            struct job *next = list->next;
            list->run(list, desk->shelf);
            list->done(list);
            list = next;
        }
    }
}

static void *desk_thread(void *context) {
    struct desk *desk = context;
    struct job *list = NULL;
    do {
        pthread_mutex_lock(&desk->mutex);
        while (desk->first == NULL && !desk->closing) {
            pthread_cond_wait(&desk->wake, &desk->mutex);
        }
        list = desk->first;
        desk->first = NULL;
        desk->last = &desk->first;
        pthread_mutex_unlock(&desk->mutex);
        run_all(desk, list);
    } while (list != NULL);
    return NULL;
}

int desk_open(struct desk **out, const char *path, struct err *err) {
    struct desk *desk = mem_zero(1, sizeof(*desk));
    desk->last = &desk->first;
    pthread_mutex_init(&desk->mutex, NULL);
    pthread_cond_init(&desk->wake, NULL);
    int failed = shelf_open(&desk->shelf, path, err);
    if (failed == 0) {
        int number = pthread_create(&desk->thread, NULL, desk_thread, desk);
        desk->started = number == 0;
        failed = number == 0 ? 0
                             : err_set_errno(err, number, "the store's thread can't be started");
    }
    if (failed != 0) {
        desk_close(desk);
        return failed;
    }
    *out = desk;
    return 0;
}

void desk_close(struct desk *desk) {
    if (desk == NULL) {
        return;
    }
    pthread_mutex_lock(&desk->mutex);
    desk->closing = true;
    pthread_cond_signal(&desk->wake);
    pthread_mutex_unlock(&desk->mutex);
    if (desk->started) {
        pthread_join(desk->thread, NULL);
    }
    shelf_close(desk->shelf);
    pthread_cond_destroy(&desk->wake);
    pthread_mutex_destroy(&desk->mutex);
    mem_free(desk);
}

void desk_submit(struct desk *desk, struct job *job) {
    job->next = NULL;
    pthread_mutex_lock(&desk->mutex);
    *desk->last = job;
    desk->last = &job->next;
    pthread_cond_signal(&desk->wake);
    pthread_mutex_unlock(&desk->mutex);
}
