/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stragglers (ARCHITECTURE section 7): a pure task that runs for several times as long as it
 * should is leased a second time, to another worker whose slots are idle. Its first result
 * wins, the other lease is told to stop. A unit has two live leases at most: the first of them
 * is not a straggler any more, until one of the two ends without a result.
 */
#ifndef SCHEDULER_HEDGE_H
#define SCHEDULER_HEDGE_H

#include "estimate.h"
#include "farm.h"
#include "order.h"

/* After how many ms a task is a straggler; 0: never. */
int64_t hedge_delay_ms(const struct farm *farm, enum task_kind kind,
                       const struct estimate *estimate);

struct hedge_request {
    const struct session_row *session;
    const bool *kinds;         /* that are wanted, by enum task_kind */
    const struct order *order; /* what tenants run */
};

/* Appends the oldest stragglers that a session could run too: of other workers, of build lines
 * that it has, that its worker has not failed, and of tenants that may run more. */
void hedge_list(struct tx *tx, const struct hedge_request *request, struct lease_list *out);

/* Appends the units of a straggler for which its lease is the only one; false where there are
 * none. */
bool hedge_units(struct tx *tx, const struct lease_row *straggler, struct unit_list *out);

/* Whether there is a straggler, whoever may run it. */
bool hedge_any(struct tx *tx);

/* When the next task becomes a straggler; 0: none will. */
int64_t hedge_next_at(struct tx *tx);

/* It is hedged: it is a straggler no more. */
void hedge_begin(struct tx *tx, const struct lease_row *straggler);

/* Whether a live lease has the unit; asked when another has ended. */
bool hedge_goes_on(struct tx *tx, const struct unit_row *unit);

/* Of two leases of a unit one ended without a result: the other may be hedged, in its time. */
void hedge_rearm(struct tx *tx, const struct unit_row *unit);

#endif
