/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The store: one thread that owns the database and on which all of the
 * scheduler's decisions are made. Others hand it calls; calls that wait together
 * are one transaction, each in a savepoint of its own (group commit), and a call
 * is told of its end only when the transaction is on the disk.
 *
 * A call sees the database through `struct tx`, which threads one error through
 * many statements, as json.h's reader does: once an error is met, statements do
 * nothing, and the call's savepoint is rolled back.
 */
#ifndef SCHEDULER_STORE_H
#define SCHEDULER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "database/driver.h"
#include "exposition.h"
#include "store_sql.h"

struct store;
struct tx;

/* ---- Statements ------------------------------------------------------------- */

/* Runs a statement that gives no rows; returns how many it changed. */
int64_t sql_run(struct tx *tx, enum sql_id id, const struct value *values, size_t count);

/* The same of one whose number nobody asks for. With the other such statements and calls' ends it
 * goes to a server when something must be waited for, and only then is it known to be well: tx_ok
 * may be true though it was not, until the call's end, which is undone then all the same. */
void sql_put(struct tx *tx, enum sql_id id, const struct value *values, size_t count);

/* A statement that gives rows. One query of an id may be open at a time. */
struct query {
    struct tx *tx;
    enum sql_id id;
    bool open;
};

/* Starts it; where the call holds an error it is closed, and gives no row. */
struct query sql_query(struct tx *tx, enum sql_id id, const struct value *values, size_t count);

/* Goes to the next row. At false the query is closed. */
bool query_next(struct query *query);

/* Closes a query whose rows are not all wanted; takes a closed one. */
void query_close(struct query *query);

/* Columns of the row, from 0. NULL reads as 0 and "". Text is borrowed until the
 * next call for this query. */
int64_t query_integer(struct query *query, int column);
double query_real(struct query *query, int column);
const char *query_text(struct query *query, int column);

/* The single integer of a query's first row; `otherwise` where it has none. */
int64_t sql_integer(struct tx *tx, enum sql_id id, const struct value *values, size_t count,
                    int64_t otherwise);

/* ---- A transaction ----------------------------------------------------------- */

/* The call's error: set it to undo all that the call wrote. */
struct err *tx_err(struct tx *tx);
bool tx_ok(struct tx *tx);

/* The store's clock, ms since 1970, which never goes back, across restarts too;
 * one reading a call. */
int64_t tx_now(struct tx *tx);

/* Runs a part of a call that may fail without the call: where it sets an error that is about what
 * was asked for, all that it wrote is undone and the error goes to `err`. Errors of the store
 * itself stay those of the call. Returns 0 or the error's code. */
int tx_try(struct tx *tx, void (*run)(struct tx *tx, void *context), void *context,
           struct err *err);

/* What calls may wait for. Woken once the transaction is on the disk. */
enum topic {
    TOPIC_LEASES = 1, /* units became ready, or sessions, which share them, changed */
    TOPIC_TITLES = 2, /* a title's state or identity changed */
    TOPIC_EVENTS = 4,
    TOPIC_PUSHES = 8, /* an endpoint may be given a push */
};
void tx_wake(struct tx *tx, unsigned topics);

/* `count` numbers that no call has had before; returns the first. Counters:
 * those of the table `counter`. */
int64_t tx_numbers(struct tx *tx, const char *counter, int64_t count);

/* So that all later numbers of a counter are larger than this one. */
void tx_numbers_pass(struct tx *tx, const char *counter, int64_t number);

/* Adds to number `index` of those that the store keeps in memory, from 0 on, once the
 * transaction is on the disk. See metrics.h. */
void tx_count(struct tx *tx, size_t index, double delta);

/* Such a number, without what this group of calls adds. */
double tx_counted(struct tx *tx, size_t index);

/* Adds to a count of rows that left a queue, at once and for good, even where the call is undone;
 * returns it. For what is kept in memory and holds while few have left: see order.h. */
int64_t tx_tally(struct tx *tx, int64_t count);

/* Logs a line at level info, as log_info, once the transaction is on the disk. */
void tx_log(struct tx *tx, const char *message, const char *pairs);

/* The store's backup, of which there is one at a time. See backup.h. */
struct backup;
const struct backup *tx_backup(struct tx *tx);

/* Begins one to this path, which goes on whether or not the transaction is kept. */
void tx_backup_begin(struct tx *tx, const char *path);

/* ---- The thread --------------------------------------------------------------- */

struct store_options {
    const char *path;                 /* the database's file, or its postgresql:// URL */
    int64_t (*now_ms)(void *context); /* the clock, for tests; NULL: the real one */
    /* Called on the store's thread after each group and each wait, with the topics
     * that the group woke: answers how many ms from now it wants to be called again
     * at the latest. May submit calls. NULL: none. */
    int64_t (*after)(void *context, unsigned topics);
    /* Called once, on the store's thread, when store_loss has something to say. NULL: none. */
    void (*on_loss)(void *context);
    void *context;
};

/* Opens (makes, checks, migrates) the database; starts the thread. Errors as
 * scheduler_start says. */
int store_open(struct store **out, const struct store_options *options, struct err *err);

/* As what its database is opened. */
struct driver_options store_driver_options(void);

/* Runs all calls that were submitted, ends the thread and closes the database.
 * Takes NULL. */
void store_close(struct store *store);

/* On the store's thread, inside the call's savepoint. */
typedef void store_run(struct tx *tx, void *context);

/* On the store's thread, when all is on the disk or undone: `err` holds no error,
 * or why nothing of the call was kept. */
typedef void store_done(void *context, const struct err *err);

/* Hands over a call. Any thread. `context` is borrowed until `done`, which may be NULL. */
void store_submit(struct store *store, store_run *run, store_done *done, void *context);

/* The same, and waits for its end. Not on the store's thread. */
int store_call(struct store *store, store_run *run, void *context, struct err *err);

/* Whether the disk had no room for what was last written, or was to be: reads change nothing of
 * that. Any thread. */
bool store_is_full(const struct store *store);

/* 0, or why the database can be used no more: it is out of reach for good, and may be another
 * scheduler's by now, or it is damaged (CORRUPT). Every call fails from then on. Any thread. */
int store_loss(const struct store *store, struct err *err);

/* Whether such a path names a database that several schedulers may have, one after another. */
bool store_is_shared(const char *path);

/* How many transactions were committed and how many calls they held. */
void store_counts(struct store *store, int64_t *commits, int64_t *calls);

struct store_facts {
    int64_t failures; /* transactions that were not */
    int64_t database_bytes;
    int64_t log_bytes; /* of the write-ahead log; -1: not known, as the other may be */
    struct histogram commit_seconds;
};
extern const histogram_bounds store_commit_bounds;

/* On the store's thread. */
void store_look(const struct store *store, struct store_facts *out);

#endif
