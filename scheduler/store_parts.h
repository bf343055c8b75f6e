/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What store.c (the thread) and transaction.c (what calls see of it) share. Private to these. */
#ifndef SCHEDULER_STORE_PARTS_H
#define SCHEDULER_STORE_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "backup.h"
#include "numbers.h"
#include "store.h"

struct tx {
    struct store *store;
    struct err err;
    int64_t now_ms;
    unsigned topics;
};

/* What a call adds to a number; kept until its group is on the disk. */
struct change {
    size_t index;
    double delta;
};

/* A line of the log, likewise. Owned. */
struct line {
    char *message;
    char *pairs;
};

struct store {
    struct driver *driver;
    struct store_options options;
    char *path;      /* options.path, owned */
    double *numbers; /* of tx_count */
    size_t number_count;
    struct change *changes; /* of this group */
    size_t change_count;
    size_t change_capacity;
    int64_t tally;
    struct numbers given;
    struct line *lines; /* of this group */
    size_t line_count;
    struct backup backup;
    int64_t failures; /* groups */
    struct histogram commit_seconds;
    int64_t wall_base_ms; /* the store's clock = this + monotonic time since the base */
    int64_t monotonic_base_ms;
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t wake;
    struct call *first;
    struct call **last;
    bool closing;
    atomic_int_fast64_t commits;
    atomic_int_fast64_t calls;
    bool wrote;       /* this group has changed something */
    atomic_bool full; /* what was last written, or was to be, had no space */
    struct err loss;  /* why; set before `lost`, and never after */
    atomic_bool lost; /* the database can be used no more */
};

/* How far a group has come in memory, so that what is undone in the database is undone here too. */
struct mark {
    size_t changes;
    size_t lines;
    struct numbers given;
    bool wrote;
};

/* Copies it; no memory is owned. */
struct mark store_mark(const struct store *store);

/* Goes back to it: what was counted, logged and given since is as if it had not been. */
void store_go_back(struct store *store, const struct mark *mark);

/* Takes the lines behind the first `kept` away, and writes them first where they are true. */
void store_drop_lines(struct store *store, size_t kept, bool write);

#endif
