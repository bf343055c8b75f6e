/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The thin driver under a daemon's store: open, prepare, bind by name, step, and the six
 * words of transactions. One file a kind of database: sqlite.c, postgres.c; driver.c has
 * their table and passes calls on. Not thread safe: one thread uses a connection; others
 * may have readers of their own.
 */
#ifndef DATABASE_DRIVER_H
#define DATABASE_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* ---- Parameters -------------------------------------------------------------- */

enum value_type { VALUE_INTEGER, VALUE_REAL, VALUE_TEXT };

/* A parameter: $1 is the first. Text is borrowed during the call; NULL is SQL's NULL. */
struct value {
    enum value_type type;
    int64_t integer;
    double real;
    const char *text;
};

#define INTEGER(x) ((struct value){.type = VALUE_INTEGER, .integer = (x)})
#define REAL(x)    ((struct value){.type = VALUE_REAL, .real = (x)})
#define TEXT(x)    ((struct value){.type = VALUE_TEXT, .text = (x)})
#define VALUES(...)                                                                                \
    (const struct value[]){__VA_ARGS__},                                                           \
        sizeof((const struct value[]){__VA_ARGS__}) / sizeof(struct value)

/* ---- A database --------------------------------------------------------------- */

struct driver_kind;
struct driver_copy;

/* What every kind's own begins with. */
struct driver {
    const struct driver_kind *kind;
    int64_t posted; /* of driver_posted */
};

/* What a daemon says of its database. */
struct driver_options {
    int statement_count;     /* ids of driver_start are below */
    int application_id;      /* SQLite: tells its file from another program's */
    bool has_readers;        /* driver_open_reader will be asked for some */
    const char *first_table; /* PostgreSQL: makes the table `migration`, by whose comment an
                                empty database is claimed; NULL: it may be no PostgreSQL */
};

/* Opens or makes the database, alone: CONFLICT where another process has it.
 * CORRUPT where its check finds damage; UNAVAILABLE where its server can't be reached;
 * UNSUPPORTED for a PostgreSQL without `first_table`. `options` is borrowed during the call. */
int driver_open(struct driver **out, const char *path, const struct driver_options *options,
                struct err *err);
void driver_close(struct driver *driver);

/* Another connection to the database of `of`, which was opened with has_readers: for one thread,
 * which only reads by it, beside whatever `of` does. From DRIVER_BEGIN to DRIVER_ROLLBACK it sees
 * one state, with all that was committed before. Closed before `of`. Errors as driver_open;
 * UNSUPPORTED where this kind has none. */
int driver_open_reader(struct driver **out, const struct driver *of, struct err *err);

/* Runs a text of several statements without parameters. */
int driver_script(struct driver *driver, const char *sql, struct err *err);

/* Starts statement `id`, whose text is `sql`, prepared at its first use. It ends
 * with driver_reset, or by itself where a step says that there are no more rows. */
int driver_start(struct driver *driver, int id, const char *sql, const struct value *values,
                 size_t count, struct err *err);

/* Runs a statement whose rows and number of changes nobody wants: at once, or together with what
 * must be waited for next, so that many take one round trip. An error of it may then be told by
 * that call, in its stead; by DRIVER_KEEP and DRIVER_COMMIT at the latest, before which none of a
 * transaction's part is known to be well. DRIVER_UNDO undoes it with the rest. */
int driver_post(struct driver *driver, int id, const char *sql, const struct value *values,
                size_t count, struct err *err);

/* How many rows posted statements have changed since this was last asked, of those whose end is
 * known: all of them after DRIVER_KEEP and DRIVER_COMMIT. */
int64_t driver_posted(struct driver *driver);

/* 1: a row is there; 0: no more rows; negative: an error. */
int driver_step(struct driver *driver, int id, struct err *err);
void driver_reset(struct driver *driver, int id);

int64_t driver_changes(struct driver *driver); /* rows changed by the last statement */
int64_t driver_integer(struct driver *driver, int id, int column);
double driver_real(struct driver *driver, int id, int column);
const char *driver_text(struct driver *driver, int id, int column);

/* BEGIN for writing (of a reader: for reading), SAVEPOINT, RELEASE, ROLLBACK TO (before RELEASE),
 * COMMIT, ROLLBACK. Where KEEP fails, its part is still to be undone. */
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

/* How often an idle database wants to be asked whether it is still there; 0: never. */
int64_t driver_watch_ms(const struct driver *driver);

/* Asks. UNAVAILABLE where not. */
int driver_watch(struct driver *driver, struct err *err);

/* Whether the database is to be used no more: it is out of reach for good, and may be another's by
 * now, or damage was met in it. Only a new driver_open can tell more. */
bool driver_is_lost(const struct driver *driver);

/* The bytes of the database and of the log that is written ahead of it; -1: not known. */
void driver_size(struct driver *driver, int64_t *database, int64_t *log);

/* A copy of the database to a new file, made in steps while the driver is used on. UNSUPPORTED
 * where this kind's copies are made by other means, which is so before any file is touched. */
int driver_copy_check(const struct driver *driver, struct err *err);
int driver_copy_open(struct driver_copy **out, struct driver *driver, const char *path,
                     struct err *err);

/* Copies about so many pages, outside of a transaction: 1, more is to do; 0, the copy is whole
 * and on the disk; negative, an error. Tells how many of how many are done. */
int driver_copy_step(struct driver_copy *copy, int pages, int64_t *done, int64_t *total,
                     struct err *err);

/* Takes NULL. A copy that is not whole is left as it is. */
void driver_copy_close(struct driver_copy *copy);

/* ---- Kinds ------------------------------------------------------------------- */

struct driver_kind {
    const char *prefixes[2]; /* of its paths; none: all that are nobody else's */
    bool is_shared;          /* several daemons may name it, of which one has it */
    int64_t watch_ms;
    const char *copies; /* what to do for a copy, where it has no copy_open */
    int (*open)(struct driver **out, const char *path, const struct driver_options *options,
                struct err *err);
    int (*open_reader)(struct driver **out, const struct driver *of, struct err *err); /* or NULL */
    void (*close)(struct driver *driver);
    int (*script)(struct driver *driver, const char *sql, struct err *err);
    int (*start)(struct driver *driver, int id, const char *sql, const struct value *values,
                 size_t count, struct err *err);
    int (*post)(struct driver *driver, int id, const char *sql, const struct value *values,
                size_t count, struct err *err); /* NULL: at once, by the others */
    int (*step)(struct driver *driver, int id, struct err *err);
    void (*reset)(struct driver *driver, int id);
    int64_t (*changes)(struct driver *driver);
    int64_t (*integer)(struct driver *driver, int id, int column);
    double (*real)(struct driver *driver, int id, int column);
    const char *(*text)(struct driver *driver, int id, int column);
    int (*transact)(struct driver *driver, enum driver_word word, struct err *err);
    bool (*in_transaction)(struct driver *driver);
    int (*watch)(struct driver *driver, struct err *err); /* NULL with watch_ms 0 */
    bool (*is_lost)(const struct driver *driver);         /* NULL: never */
    void (*size)(struct driver *driver, int64_t *database, int64_t *log);
    int (*copy_open)(struct driver_copy **out, struct driver *driver, const char *path,
                     struct err *err);
    int (*copy_step)(struct driver_copy *copy, int pages, int64_t *done, int64_t *total,
                     struct err *err);
    void (*copy_close)(struct driver_copy *copy);
};

/* What a kind's copy begins with. */
struct driver_copy {
    const struct driver_kind *kind;
};

extern const struct driver_kind driver_sqlite;
extern const struct driver_kind driver_postgres;

/* The kind of database that a path names. */
const struct driver_kind *driver_kind_of(const char *path);

#endif
