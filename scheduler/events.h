/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The feed: what happened, in order. An event is written in the transaction of
 * what it tells, so that nobody sees event n before all below it are committed.
 */
#ifndef SCHEDULER_EVENTS_H
#define SCHEDULER_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/json.h"
#include "store.h"

/* Appends an event of kind "thing.event". `unit` is 0 for the title as a whole;
 * `detail` is a JSON object or "". */
void event_add(struct tx *tx, const char *title, int64_t unit, const char *thing, const char *event,
               const char *detail);

/* A part of the feed. */
struct event_page {
    int64_t after;      /* events with a larger number */
    const char *title;  /* of this title alone; "" for all */
    const char *tenant; /* of this tenant's titles alone; "" for all */
    /* filled in */
    int count; /* events that were written, at most 500 */
    /* The number to go on after: with a title, past events of others too; less than `after` where
     * that was beyond the last event, since an older copy of the store was put back. */
    int64_t next;
    bool more; /* there are events beyond `next` */
};

/* Writes a page as an array called "events". */
void events_write(struct tx *tx, struct event_page *page, struct writer *w);

/* Writes a page as server-sent events: id, and the same object as data. */
void events_stream(struct tx *tx, struct event_page *page, struct buf *out);

#endif
