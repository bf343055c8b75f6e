/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads that use the store. Others hand them jobs: changes are made by one thread in the
 * order in which they came, those that wait one behind another as one transaction, and are told
 * of their end when that is on the disk; what only reads is done beside them, by a few threads.
 * A read sees all changes that were told of their end before it was handed over. Private to
 * catalog/.
 */
#ifndef CATALOG_DESK_H
#define CATALOG_DESK_H

#include <stdbool.h>

#include "common/err.h"
#include "shelf.h"

enum {
    DESK_GROUP = 64,                /* changes of one transaction at most */
    DESK_READERS = 4,               /* threads, each with some 16 MiB of the file in memory */
    DESK_LOG_BYTES = 32 * (1 << 20) /* a log of changes that is longer makes readers pause, since it
                                       can't be begun anew while one of them is at work */
};

/* What a job begins with. */
struct job {
    bool changes; /* it writes, by shelf_put and shelf_drop alone */
    /* On a thread of the desk, within shelf_begin. Sets job->err where it fails. */
    void (*run)(struct job *job, struct shelf *shelf);
    /* On the same thread, when all is on the disk or undone: owns the job. */
    void (*done)(struct job *job);
    struct err err;
    struct job *next;
};

struct desk;

/* Called once, on a thread of the desk, when desk_loss has something to say; it must not wait. */
typedef void desk_on_loss(void *context);

/* Opens the shelf, and starts the threads. `on_loss` may be NULL. Errors as shelf_open. */
int desk_open(struct desk **out, const char *path, desk_on_loss *on_loss, void *context,
              struct err *err);

/* Does all that was handed over, and ends. Takes NULL. */
void desk_close(struct desk *desk);

/* Hands a job over. Any thread. */
void desk_submit(struct desk *desk, struct job *job);

/* 0, or why the shelf can be used no more: it is damaged (CORRUPT), which a job has met. Nothing is
 * kept of that one's transaction, and every job fails from then on. Any thread. */
int desk_loss(struct desk *desk, struct err *err);

#endif
