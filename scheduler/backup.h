/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A copy of the database, made beside the work on it: the store's thread copies some of it
 * after each group of calls, and what they change meanwhile is copied too. The copy gets its
 * name when it is whole; under that name there is never a part of one.
 */
#ifndef SCHEDULER_BACKUP_H
#define SCHEDULER_BACKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "database/driver.h"

enum backup_state { BACKUP_NONE, BACKUP_RUNNING, BACKUP_DONE, BACKUP_FAILED };

/* The latest backup of a store. Starts zeroed, ends with backup_finish. */
struct backup {
    enum backup_state state;
    char *path;         /* owned; what it is or becomes; NULL for BACKUP_NONE */
    int64_t pages;      /* of the database, some kB each, as last seen */
    int64_t pages_done; /* of them */
    struct err err;     /* of BACKUP_FAILED */
    struct driver_copy *copy;
    char *part; /* owned; the file while it is made */
};

/* "none", "running", "done", "failed" */
const char *backup_state_name(enum backup_state state);

/* Begins one to a new file, whose folder is made where it is not there. CONFLICT where one runs
 * or the file is there already. */
int backup_begin(struct backup *backup, struct driver *driver, const char *path, struct err *err);

/* Goes on with one that runs, outside of any transaction. */
void backup_step(struct backup *backup);

/* Gives up one that runs, and frees everything. */
void backup_finish(struct backup *backup);

#endif
