/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pushes: what brings an endpoint to what publication.h wants there, as tasks. A push is given
 * out the moment a worker asks for one: to whichever endpoint has something due and room by its
 * breaker, its limit and its window, the one with the fewest that run first, and a slot of each
 * worker stays free for every other (push_lane.h). So none stands in any queue, and no endpoint
 * waits on one that is dead or slow. Its unit hangs on the publication and not on the title, and
 * goes with its lease. All calls run inside a transaction.
 */
#ifndef SCHEDULER_PUBLISHING_PUSH_H
#define SCHEDULER_PUBLISHING_PUSH_H

#include "publication.h"
#include "scheduler/farm.h"
#include "scheduler/outcome.h"

struct push_request {
    const struct session_row *session;
    int slots;            /* pushes at most */
    int64_t memory_bytes; /* free on the worker */
};

/* Leases pushes and writes them as elements of the array that is open in `w`; returns how many. */
int push_grant(struct tx *tx, struct farm *farm, const struct push_request *request,
               struct writer *w);

/* When there may be a push though nothing happens; 0: never. */
int64_t push_next_at(struct tx *tx, const struct farm *farm);

/* Whether a lease is a push's, and its end as outcome.h has it. */
bool push_has_lease(const struct lease_row *lease);
enum answer push_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                          const struct task_report *told);
enum answer push_fail(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                      const struct failure *failure);
void push_drop(struct tx *tx, struct farm *farm, const struct lease_row *lease,
               enum lease_event event);

/* ---- for deliveries to webhooks, which are leased as pushes are ---------------------------- */

/* Leases a push that is filled in but for its fence and unit, which it is given; `place` stands
 * for a title in the tables of units and leases. */
void push_take_lease(struct tx *tx, struct task *task, const char *place,
                     const struct session_row *session);

/* Ends its lease and its unit, both of which go; the feed has it as of this title. */
void push_end_lease(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                    enum lease_event of_lease, enum unit_event of_unit, const char *title);

#endif
