/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one thread that uses the shelf. Others hand it jobs, which it does in the order in which
 * they came; changes that wait one behind another are one transaction, and are told of their end
 * when that is on the disk. Private to catalog/.
 */
#ifndef CATALOG_DESK_H
#define CATALOG_DESK_H

#include <stdbool.h>

#include "common/err.h"
#include "shelf.h"

/* What a job begins with. */
struct job {
    bool changes; /* it writes, by shelf_put and shelf_drop alone */
    /* On the desk's thread. Sets job->err where it fails. */
    void (*run)(struct job *job, struct shelf *shelf);
    /* On the desk's thread, when all is on the disk or undone: owns the job. */
    void (*done)(struct job *job);
    struct err err;
    struct job *next;
};

struct desk;

/* Opens the shelf, and starts the thread. Errors as shelf_open. */
int desk_open(struct desk **out, const char *path, struct err *err);

/* Does all that was handed over, and ends. Takes NULL. */
void desk_close(struct desk *desk);

/* Hands a job over. Any thread. */
void desk_submit(struct desk *desk, struct job *job);

#endif
