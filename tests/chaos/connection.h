/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection through the chaos proxy: two flows of bytes, and what a fault does to them.
 * A fault belongs to a line (a port and where it leads to) and meets all connections of it.
 */
#ifndef TESTS_CHAOS_CONNECTION_H
#define TESTS_CHAOS_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

/* What `amount` and `extra` of a fault mean stands at its name. */
enum fault {
    FAULT_NONE,
    FAULT_DELAY,    /* each piece waits `amount` ms, and up to `extra` ms more by chance */
    FAULT_THROTTLE, /* `amount` bytes a second, each way of each connection */
    FAULT_CUT,      /* reset after 1 to `amount` bytes more of a connection */
    FAULT_SILENCE,  /* what arrives goes nowhere, and that connection is dead for ever: half-open */
    FAULT_DRIP,     /* one byte every `amount` ms, each way of each connection */
    FAULT_CORRUPT,  /* one byte of each PUT's body and of each whole object is changed */
    FAULT_REFUSE,   /* answered 503, or `extra`, with Retry-After: `amount` s; closed */
    FAULT_DUPLICATE, /* each request is sent once more, on a connection of its own */
    FAULT_COUNT,
};

/* The word for it in commands and logs; -1 where a word is none. */
const char *fault_name(enum fault fault);
int fault_from_name(const char *name);

struct line {
    int port;     /* listens, on loopback */
    int target;   /* port there */
    int64_t rate; /* bytes a second, each way of each connection, without a fault; 0: no limit */
    int fd;       /* owned by who opened it */
    enum fault fault;
    int64_t amount;
    int64_t extra;
    uint64_t seed; /* of this line; each connection draws from its own */
    int64_t count; /* connections so far, duplicates too */
};

struct connection;

/* Opens the way on for an accepted client; NULL, with the client closed, where there is none.
 * Takes `client`. Owned: until connection_destroy. */
struct connection *connection_create(struct line *line, int client, int epoll);

/* Resets both sides where anything is still open. Takes NULL. */
void connection_destroy(struct connection *connection);

/* Moves what can be moved. To be called when anything has happened and when it is due. Returns
 * false when it has ended. A duplicate that it began is in `*begun`, owned by the caller; else
 * NULL. */
bool connection_step(struct connection *connection, struct connection **begun);

/* When it has something to do without being told: clock_monotonic_ms, or INT64_MAX. */
int64_t connection_due_ms(const struct connection *connection);

/* A line of the log: milliseconds since the first one, the port, the words. */
void chaos_log(const struct line *line, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
