/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Versions of titles: which is current, which were and are kept, and the end of those whose time
 * is past, with the renditions that none names any more. All calls run inside a transaction;
 * errors are the transaction's.
 *
 * Versions are dropped by a task, of a title at rest alone: none of its tasks runs, and a run that
 * is submitted meanwhile stops it and waits for its end. What it removes is forgotten in the
 * transaction that gives it out, so that no run counts on it. A version at another output than
 * the title's is never dropped: the title was published there for its own sake.
 */
#ifndef SCHEDULER_VERSIONS_H
#define SCHEDULER_VERSIONS_H

#include "farm.h"

/* What the title's run has packaged is current, at the title's output. */
void versions_publish(struct tx *tx, const char *title);

/* Sees to the versions whose time is past, of a few titles, at the output and at each edge that can
 * be reached; and to what attempts at images left of titles that are done without them. */
void versions_sweep(struct tx *tx, const struct farm *farm);

/* What a task that drops versions is told; texts live in its arena. */
void versions_fill(struct tx *tx, struct task *task, const char *title);

/* They are dropped; or can't be, and are let be for an hour. */
void versions_dropped(struct tx *tx, const char *title);
void versions_refused(struct tx *tx, const char *title);

/*
 * Gives out the task that makes a kept version current again at the title's output: `asked`, or
 * (NULL) the one that was replaced last; `version` becomes which. CONFLICT where the title does
 * not rest, or the version is current, is being dropped or lies elsewhere; NOT_FOUND.
 */
void versions_roll_back(struct tx *tx, const char *title, const char *asked,
                        char version[VERSION_TEXT]);

/* Whether such a task is to run, or runs. */
bool versions_rolling_back(struct tx *tx, const char *title);

/* That is done. */
void versions_rolled_back(struct tx *tx, struct farm *farm, const char *title);

/* Where a rendition lies below its title's folder: the last two parts of its place, borrowed. */
const char *version_folder_of(const char *place);

/* The title's versions, the current one first, then the one that was replaced last; and what edges
 * have of others than they are to have. */
void versions_write(struct tx *tx, const struct farm *farm, const char *title, struct writer *w);

#endif
