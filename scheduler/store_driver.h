/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thin driver under store.c: open, prepare, bind by name, step, and the six
 * words of transactions. One file a database; store_sqlite.c for now. Not thread
 * safe: the store's thread alone uses it.
 */
#ifndef SCHEDULER_STORE_DRIVER_H
#define SCHEDULER_STORE_DRIVER_H

#include "store.h"

struct driver;

/* Opens or makes the database, alone: CONFLICT where another process has it.
 * CORRUPT where its check finds damage. */
int driver_open(struct driver **out, const char *path, struct err *err);
void driver_close(struct driver *driver);

/* Runs a text of several statements without parameters. */
int driver_script(struct driver *driver, const char *sql, struct err *err);

/* Starts statement `id`, whose text is `sql`, prepared at its first use. It ends
 * with driver_reset, or by itself where a step says that there are no more rows. */
int driver_start(struct driver *driver, int id, const char *sql, const struct value *values,
                 size_t count, struct err *err);

/* 1: a row is there; 0: no more rows; negative: an error. */
int driver_step(struct driver *driver, int id, struct err *err);
void driver_reset(struct driver *driver, int id);

int64_t driver_changes(struct driver *driver); /* rows changed by the last statement */
int64_t driver_integer(struct driver *driver, int id, int column);
double driver_real(struct driver *driver, int id, int column);
const char *driver_text(struct driver *driver, int id, int column);

/* BEGIN for writing, SAVEPOINT, RELEASE, ROLLBACK TO + RELEASE, COMMIT, ROLLBACK. */
enum driver_word {
    DRIVER_BEGIN,
    DRIVER_SAVE,
    DRIVER_KEEP,
    DRIVER_UNDO,
    DRIVER_COMMIT,
    DRIVER_ROLLBACK,
    DRIVER_WORD_COUNT
};
int driver_transact(struct driver *driver, enum driver_word word, struct err *err);

/* Whether a transaction is open: a full disk may have ended it. */
bool driver_in_transaction(struct driver *driver);

/* A copy of the database to a new file, made in steps while the driver is used on. */
struct driver_copy;

int driver_copy_open(struct driver_copy **out, struct driver *driver, const char *path,
                     struct err *err);

/* Copies about so many pages, outside of a transaction: 1, more is to do; 0, the copy is whole
 * and on the disk; negative, an error. Tells how many of how many are done. */
int driver_copy_step(struct driver_copy *copy, int pages, int64_t *done, int64_t *total,
                     struct err *err);

/* Takes NULL. A copy that is not whole is left as it is. */
void driver_copy_close(struct driver_copy *copy);

#endif
