/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces on their way from the child to storage: a bounded queue and one thread that
 * checks and puts them, so that a child never waits for a disk or a network while
 * there is room. While there is none, the broker holds the child's pipe back.
 */
#ifndef WORKERS_PUT_QUEUE_H
#define WORKERS_PUT_QUEUE_H

#include <stdbool.h>

#include "broker.h"
#include "common/err.h"

struct put_queue;

/* Called in the queue's thread with each piece in order; another answer than 0 ends
 * the queue with that error. */
typedef int (*put_fn)(void *context, const struct made *made, struct err *err);

/* `*out` is owned. */
int put_queue_create(struct put_queue **out, put_fn put, void *context, struct err *err);

/* Takes the piece, always; drops it once the queue has failed. */
void put_queue_push(struct put_queue *queue, struct made *made);

/* Whether so many bytes wait that no more should come; false once the queue failed. */
bool put_queue_full(struct put_queue *queue);

/* Whether a put failed. */
bool put_queue_failed(struct put_queue *queue);

/* Readable whenever a piece has left or a put has failed since put_queue_wake_clear. */
int put_queue_wake_fd(const struct put_queue *queue);
void put_queue_wake_clear(struct put_queue *queue);

/* Waits until all is put, or drops what waits where `drop` is set, and ends the thread:
 * 0, or the first put's error. Call it once. */
int put_queue_finish(struct put_queue *queue, bool drop, struct err *err);

/* After put_queue_finish; takes NULL. */
void put_queue_destroy(struct put_queue *queue);

#endif
