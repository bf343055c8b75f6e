/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections of an HTTP server and when each must have said what it has to say: past
 * that it is shut down by a thread of its own. Private to http_server. Any thread.
 */
#ifndef COMMON_HTTP_PEERS_H
#define COMMON_HTTP_PEERS_H

#include <stdint.h>

#include "common/err.h"

struct peers; /* all of a server */
struct peer;  /* one connection */

/* Starts the thread. `*out` is owned. */
int peers_start(struct peers **out, struct err *err);

/* Ends it, when all connections have been dropped. Takes NULL. */
void peers_stop(struct peers *peers);

/* A connection by its socket, borrowed, with a deadline by the monotonic clock. Owned. */
struct peer *peer_add(struct peers *peers, int fd, int64_t deadline_ms);

/* Moves the deadline; 0: there is none. */
void peer_set_deadline(struct peer *peer, int64_t deadline_ms);

int peer_fd(const struct peer *peer);

/* The connection is about to be closed. */
void peer_drop(struct peer *peer);

#endif
