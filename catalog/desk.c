/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store's threads and their queues: see desk.h. */
#include "desk.h"

#include <pthread.h>

#include "common/mem.h"

struct queue {
    struct job *first;
    struct job **last;
    pthread_cond_t wake;
};

/* One thread, and the shelf that it alone uses. */
struct clerk {
    struct desk *desk;
    struct shelf *shelf;
    pthread_t thread;
    bool started;
};

struct desk {
    struct clerk writer;
    struct clerk readers[DESK_READERS];
    pthread_mutex_t mutex; /* guards what follows */
    struct queue changes;
    struct queue reads;
    int reading;         /* readers at work */
    bool folding;        /* no reader may begin */
    pthread_cond_t idle; /* none is at work */
    bool closing;
    struct err loss; /* why the shelf can be used no more */
    desk_on_loss *on_loss;
    void *context; /* of on_loss */
};

/* ---- queues ------------------------------------------------------------------------- */

static void queue_add(struct queue *queue, struct job *job) {
    job->next = NULL;
    *queue->last = job;
    queue->last = &job->next;
    pthread_cond_signal(&queue->wake);
}

/* Takes up to `most` jobs off, as a list. */
static struct job *queue_take(struct queue *queue, int most) {
    struct job *list = queue->first;
    struct job **end = &queue->first;
    for (int i = 0; i < most && *end != NULL; i++) {
        end = &(*end)->next;
    }
    queue->first = *end;
    *end = NULL;
    if (queue->first == NULL) {
        queue->last = &queue->first;
    }
    return list;
}

/* ---- damage -------------------------------------------------------------------------- */

int desk_loss(struct desk *desk, struct err *err) {
    pthread_mutex_lock(&desk->mutex);
    struct err loss = desk->loss;
    pthread_mutex_unlock(&desk->mutex);
    return err_pass(err, &loss);
}

/* Keeps the reason, the first time that a clerk has met damage, and tells of it. Whoever has met it
 * has failed, even where nothing but this says so. */
static void look_for_damage(struct clerk *clerk, struct err *err) {
    struct desk *desk = clerk->desk;
    if (!shelf_is_lost(clerk->shelf)) {
        return;
    }
    if (err->code != ERR_CORRUPT) {
        err_clear(err);
        err_set(err, ERR_CORRUPT, "the catalog's store is damaged");
    }
    pthread_mutex_lock(&desk->mutex);
    bool is_first = desk->loss.code == ERR_NONE;
    if (is_first) {
        desk->loss = *err;
    }
    pthread_mutex_unlock(&desk->mutex);
    if (is_first && desk->on_loss != NULL) {
        desk->on_loss(desk->context);
    }
}

/* ---- the writer ---------------------------------------------------------------------- */

static void run_changes(struct clerk *clerk, struct job *list) {
    struct shelf *shelf = clerk->shelf;
    struct err err = {0};
    if (desk_loss(clerk->desk, &err) == 0) {
        shelf_begin(shelf, &err);
    }
    for (struct job *job = list; job != NULL && err.code == ERR_NONE; job = job->next) {
        job->run(job, shelf);
        if (shelf_is_broken(shelf) || shelf_is_lost(shelf)) {
            err = job->err;
            look_for_damage(clerk, &err);
        }
    }
    if (err.code == ERR_NONE) {
        shelf_commit(shelf, &err);
    }
    shelf_undo(shelf);
    look_for_damage(clerk, &err);
    while (list != NULL) {
        struct job *job = list;
        list = job->next;
        if (err.code != ERR_NONE) {
            job->err = err;
        }
        job->done(job);
    }
}

/* Has the log begun anew, where it has grown long, while no reader is at work. */
static void fold_log(struct clerk *clerk) {
    struct desk *desk = clerk->desk;
    struct err err = {0};
    if (shelf_log_bytes(clerk->shelf) <= DESK_LOG_BYTES) {
        return;
    }
    pthread_mutex_lock(&desk->mutex);
    desk->folding = true;
    while (desk->reading > 0) {
        pthread_cond_wait(&desk->idle, &desk->mutex);
    }
    pthread_mutex_unlock(&desk->mutex);
    shelf_fold(clerk->shelf, &err); /* what it can't do now is tried after the next group */
    look_for_damage(clerk, &err);
    pthread_mutex_lock(&desk->mutex);
    desk->folding = false;
    pthread_cond_broadcast(&desk->reads.wake);
    pthread_mutex_unlock(&desk->mutex);
}

static void *writer_thread(void *context) {
    struct clerk *clerk = context;
    struct desk *desk = clerk->desk;
    struct job *list = NULL;
    do {
        pthread_mutex_lock(&desk->mutex);
        while (desk->changes.first == NULL && !desk->closing) {
            pthread_cond_wait(&desk->changes.wake, &desk->mutex);
        }
        list = queue_take(&desk->changes, DESK_GROUP);
        pthread_mutex_unlock(&desk->mutex);
        if (list != NULL) {
            run_changes(clerk, list);
            fold_log(clerk);
        }
    } while (list != NULL);
    return NULL;
}

/* ---- readers -------------------------------------------------------------------------- */

/* The next read; NULL at the end. */
static struct job *begin_read(struct desk *desk) {
    pthread_mutex_lock(&desk->mutex);
    while (desk->folding || (desk->reads.first == NULL && !desk->closing)) {
        pthread_cond_wait(&desk->reads.wake, &desk->mutex);
    }
    struct job *job = queue_take(&desk->reads, 1);
    desk->reading += job != NULL;
    pthread_mutex_unlock(&desk->mutex);
    return job;
}

static void end_read(struct desk *desk) {
    pthread_mutex_lock(&desk->mutex);
    desk->reading--;
    if (desk->reading == 0) {
        pthread_cond_signal(&desk->idle);
    }
    pthread_mutex_unlock(&desk->mutex);
}

static void *reader_thread(void *context) {
    struct clerk *clerk = context;
    struct job *job;
    while ((job = begin_read(clerk->desk)) != NULL) {
        if (desk_loss(clerk->desk, &job->err) == 0 && shelf_begin(clerk->shelf, &job->err) == 0) {
            job->run(job, clerk->shelf);
        }
        shelf_undo(clerk->shelf);
        look_for_damage(clerk, &job->err);
        end_read(clerk->desk);
        job->done(job);
    }
    return NULL;
}

/* ---- open, close ------------------------------------------------------------------------ */

static int start_thread(struct clerk *clerk, void *(*run)(void *context), struct err *err) {
    int number = pthread_create(&clerk->thread, NULL, run, clerk);
    clerk->started = number == 0;
    return number == 0 ? 0 : err_set_errno(err, number, "a thread of the store can't be started");
}

static int start_all(struct desk *desk, const char *path, struct err *err) {
    desk->writer.desk = desk;
    int failed = shelf_open(&desk->writer.shelf, path, err);
    for (int i = 0; i < DESK_READERS && failed == 0; i++) {
        desk->readers[i].desk = desk;
        failed = shelf_open_reader(&desk->readers[i].shelf, desk->writer.shelf, err);
    }
    for (int i = 0; i < DESK_READERS && failed == 0; i++) {
        failed = start_thread(&desk->readers[i], reader_thread, err);
    }
    return failed == 0 ? start_thread(&desk->writer, writer_thread, err) : failed;
}

int desk_open(struct desk **out, const char *path, desk_on_loss *on_loss, void *context,
              struct err *err) {
    struct desk *desk = mem_zero(1, sizeof(*desk));
    struct queue *queues[] = {&desk->changes, &desk->reads};
    for (int i = 0; i < 2; i++) {
        queues[i]->last = &queues[i]->first;
        pthread_cond_init(&queues[i]->wake, NULL);
    }
    pthread_mutex_init(&desk->mutex, NULL);
    pthread_cond_init(&desk->idle, NULL);
    desk->on_loss = on_loss;
    desk->context = context;
    int failed = start_all(desk, path, err);
    if (failed != 0) {
        desk_close(desk);
        return failed;
    }
    *out = desk;
    return 0;
}

static void end_clerk(struct clerk *clerk) {
    if (clerk->started) {
        pthread_join(clerk->thread, NULL);
    }
    shelf_close(clerk->shelf);
}

void desk_close(struct desk *desk) {
    if (desk == NULL) {
        return;
    }
    pthread_mutex_lock(&desk->mutex);
    desk->closing = true;
    pthread_cond_broadcast(&desk->changes.wake);
    pthread_cond_broadcast(&desk->reads.wake);
    pthread_mutex_unlock(&desk->mutex);
    for (int i = 0; i < DESK_READERS; i++) {
        end_clerk(&desk->readers[i]);
    }
    end_clerk(&desk->writer);
    pthread_cond_destroy(&desk->idle);
    pthread_cond_destroy(&desk->reads.wake);
    pthread_cond_destroy(&desk->changes.wake);
    pthread_mutex_destroy(&desk->mutex);
    mem_free(desk);
}

void desk_submit(struct desk *desk, struct job *job) {
    pthread_mutex_lock(&desk->mutex);
    queue_add(job->changes ? &desk->changes : &desk->reads, job);
    pthread_mutex_unlock(&desk->mutex);
}
