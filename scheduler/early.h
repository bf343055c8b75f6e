/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Titles that can be watched while they are encoded (ARCHITECTURE section 8): when a task writes
 * their early playlists anew, and when these go. A title's unit for it is blocked while nothing
 * is new, ready once more chunks from the start on are done of all early renditions, and done
 * with the last of them; only then may the version be swapped in. So there is never more than
 * one such task of a title, and none after its end. All calls run inside a transaction.
 */
#ifndef SCHEDULER_EARLY_H
#define SCHEDULER_EARLY_H

#include "farm.h"

/* A run's units have their places, and what an earlier run made is reused: begins its early
 * playlists where it was submitted for them and makes any. Those of the run before are gone on
 * with where they list the same and did not end, else left. */
void early_begin(struct tx *tx, const struct title_row *title, const struct plan *plan);

/* Nothing is added any more to what the title has. */
void early_leave(struct tx *tx, const char *title);

/* Units are done, or it may be: gives out the task where playlists would list more. */
void early_advance(struct tx *tx, const char *title);

/* Whether chunks that are listed, or the first, are being made again: nothing can be written until
 * they are, and early_advance gives out the task then. */
bool early_waits(struct tx *tx, const char *title);

/* How many chunks a task may say that it listed: from what is listed on to all. */
bool early_fits(struct tx *tx, struct farm *farm, const char *title, int64_t chunks, bool *whole);

/* They list so many chunks now, and the unit has moved as that means. */
void early_listed(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                  const struct unit_row *unit, int64_t chunks);

/* What the task is told. Texts live in its arena. */
void early_fill(struct tx *tx, struct task *task, const struct title_row *title, int64_t position);

/* The playlists that a removal at `position` was to take are gone; or can't be removed. */
void early_removed(struct tx *tx, const struct title_row *title, int64_t position);
void early_refused(struct tx *tx, const char *title);

/* Gives out the removal of those whose time is past: that ended, were replaced or, of a title
 * that was cancelled, last changed so long ago as replaced versions are kept. */
void early_sweep(struct tx *tx, const struct farm *farm);

/* How far they are, as the member "early"; null of a title that was not submitted for them. */
void early_write(struct tx *tx, const struct title_row *title, const struct plan *plan,
                 struct writer *w);

#endif
