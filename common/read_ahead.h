/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One piece of a source fetched beside its reader, so that who reads in order need not wait: a
 * thread, begun with the first piece, that has one piece to fetch at a time.
 */
#ifndef COMMON_READ_AHEAD_H
#define COMMON_READ_AHEAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Fetches a piece, in the thread; returns soon once `stop` is true. Whether it has all of it. */
typedef bool read_ahead_fetch(void *context, int64_t offset, size_t size, const atomic_bool *stop);

struct read_ahead; /* all calls by the reader's thread */

/* Returns owned; starts nothing yet. */
struct read_ahead *read_ahead_create(read_ahead_fetch *fetch, void *context);

/* Stops what is being fetched and ends the thread; takes NULL. */
void read_ahead_destroy(struct read_ahead *ahead);

/* Has a piece fetched; none may be on its way. Does nothing where no thread can be had. */
void read_ahead_begin(struct read_ahead *ahead, int64_t offset, size_t size);

/* Whether a piece was begun and not yet taken. */
bool read_ahead_is_begun(const struct read_ahead *ahead);

/* Whether such a piece is still being fetched. */
bool read_ahead_is_running(struct read_ahead *ahead);

/* Waits for the piece, which it stops where `cancel` (may be NULL) becomes true, and takes it: its
 * place, and whether it is all there. What the fetch did is seen from here on. */
bool read_ahead_take(struct read_ahead *ahead, const atomic_bool *cancel, int64_t *offset,
                     size_t *size);

#endif
