/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies at an edge and nothing names, for whoever asks: a worker lists the whole edge, the
 * scheduler says what of it is of no version that the edge is to hold, and only what a listing
 * showed can be taken away. The answers are soft: kept in memory for an hour, one for each edge.
 * While orphans are taken away, no push goes to that place: what was in vain a moment ago may be
 * wanted by the next. All calls run inside a transaction.
 */
#ifndef SCHEDULER_PUBLISHING_ORPHANS_H
#define SCHEDULER_PUBLISHING_ORPHANS_H

#include "push.h"
#include "scheduler/farm.h"
#include "scheduler/outcome.h"

struct orphans_wish {
    bool removes;    /* what the last listing showed; else it is listed anew */
    bool unknown;    /* also of titles that this farm never heard of: they may be another farm's */
    int64_t listing; /* which one showed it; 0: whichever was the last */
};

/* Has the edge listed, or its orphans removed; a listing that has not ended is the same one.
 * NOT_FOUND; CONFLICT where it can't be listed, is not listed yet, or is being swept. */
void orphans_ask(struct tx *tx, struct farm *farm, const char *endpoint,
                 const struct orphans_wish *wish);

/* Writes what is known, as the members of GET /v1/endpoints/NAME/sweep; whether it has ended.
 * NOT_FOUND where nobody asked. */
bool orphans_write(struct tx *tx, struct farm *farm, const char *endpoint, struct writer *w);

/* Leases what waits, and writes it as elements of the array that is open in `w`; returns how
 * many. `*memory_left` is what the worker has free. */
int orphans_grant(struct tx *tx, struct farm *farm, const struct push_request *request,
                  int64_t *memory_left, struct writer *w);

/* When a worker may ask again though nothing happens; 0: never. */
int64_t orphans_next_at(struct tx *tx, const struct farm *farm);

/* Whether no push may go to the endpoint now. */
bool orphans_hold(struct tx *tx, const struct farm *farm, const struct endpoint *endpoint);

/* Whether a lease is of one of these, and of no title. */
bool orphans_have_lease(const struct lease_row *lease);

/* A page of what a listing found. CONFLICT where nobody waits for it any more. */
void orphans_found(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                   const struct sweep_page *page);

/* The end of such a lease: as outcome.h has them. */
enum answer orphans_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                             const struct task_report *report);
enum answer orphans_fail(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                         const struct failure *failure);
void orphans_drop(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                  enum lease_event event);

/* Frees the book of them; NULL is allowed. */
struct orphan_book;
void orphan_book_destroy(struct orphan_book *book);

#endif
