/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of outcome share: units, by how their lease ended. Private to outcome*.c. */
#ifndef SCHEDULER_OUTCOME_PARTS_H
#define SCHEDULER_OUTCOME_PARTS_H

#include "outcome.h"

/* Moves a unit of the lease, and tells the feed why where it failed; `failure` may be NULL. */
void outcome_move_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit,
                       enum unit_event event, const struct failure *failure);

/* The same where a lease of the unit has ended without a result: where another goes on, it stays
 * leased. */
void outcome_leave_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit,
                        enum unit_event event, const struct failure *failure);

/* The lease has failed: by the class's policy its units are tried again, or given up, or what they
 * found missing is made again first. */
void outcome_fail_units(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                        struct unit_list *units, const struct failure *failure);

/* The lease's worker was lost: the unit is ready again, or poison where that was so on too many
 * hosts. */
void outcome_lose_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit);

#endif
