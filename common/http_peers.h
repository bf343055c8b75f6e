/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections of an HTTP server and when each must have said what it has to say: past
 * that it is shut down by a thread of its own. Private to http_server. Any thread.
 *
 * A connection that has borne no good token yet is a stranger. There are so many of them and
 * no more, of one address and of all: the next one makes the oldest go. So who only holds
 * connections drives out its own, and who asks at once is never in the way: many
 * behind one address are held up only where more of them come in one moment than have places.
 */
#ifndef COMMON_HTTP_PEERS_H
#define COMMON_HTTP_PEERS_H

#include <stdint.h>

#include "common/err.h"

struct peers; /* all of a server */
struct peer;  /* one connection */

/* Starts the thread; `strangers` may be there at most, `per_address` of them of one address (of
 * one /64 network in IPv6). `*out` is owned. */
int peers_start(struct peers **out, int strangers, int per_address, struct err *err);

/* Ends it, when all connections have been dropped. Takes NULL. */
void peers_stop(struct peers *peers);

/* A stranger by its socket, borrowed, with a deadline by the monotonic clock. Owned. */
struct peer *peer_add(struct peers *peers, int fd, int64_t deadline_ms);

/* It is no stranger any more. */
void peer_know(struct peer *peer);

/* Moves the deadline; 0: there is none. */
void peer_set_deadline(struct peer *peer, int64_t deadline_ms);

/* Its socket, borrowed. */
int peer_fd(const struct peer *peer);

/* The connection is about to be closed. */
void peer_drop(struct peer *peer);

#endif
