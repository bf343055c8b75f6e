/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Threads that answer requests whose answer must be waited for, each with a place of its own
 * to read from, so that the server's thread never waits. Private to cli/.
 */
#ifndef CLI_READERS_H
#define CLI_READERS_H

#include "common/err.h"
#include "common/http_server.h"
#include "media_place.h"

struct readers;

/* Answers one exchange from a place; called on one of the threads. */
typedef void readers_answer(void *context, struct media_place *place, struct exchange *exchange);

/* Opens `url` once a thread. `*out` is owned. Fails as media_place_open. */
int readers_start(struct readers **out, const char *url, readers_answer *answer, void *context,
                  struct err *err);

/* Owns the exchange until it is answered. Any thread. */
void readers_give(struct readers *readers, struct exchange *exchange);

/* What is being read ends early from now on: answers of failure. */
void readers_cancel(struct readers *readers);

/* Once all exchanges are answered. Takes NULL. */
void readers_stop(struct readers *readers);

#endif
