/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Titles that are taken away: their work is stopped, a task removes what they published, what
 * lists before what is listed, and then the store forgets them. All calls run inside a
 * transaction; errors are the transaction's.
 */
#ifndef SCHEDULER_REMOVAL_H
#define SCHEDULER_REMOVAL_H

#include "farm.h"

/*
 * Takes the title away, from whatever state; once more, nothing new comes of it. What it made is
 * forgotten here and now, so that no later run counts on it. With `keep_files` its objects stay
 * as they are, also of a title whose removal waits for something. True where the title is gone
 * already.
 */
bool title_remove(struct tx *tx, const char *title, bool keep_files);

/* Goes on with a title that is being removed and of which nothing runs. */
void removal_settle(struct tx *tx, const struct title_row *title);

/* What a task of a title's unit outside of the plan, that at `position`, removes and where.
 * Texts live in the task's arena. */
void removal_fill(struct tx *tx, struct task *task, const struct title_row *title,
                  int64_t position);

/* A removal is done: the failing title has failed, the one that is taken away goes, or what is
 * left of it at another output is next. */
void removal_done(struct tx *tx, const char *title, int64_t position);

/* It can't be done; `detail` is the event's, a JSON object. */
void removal_refused(struct tx *tx, const struct unit_row *unit, const char *failure,
                     const char *sentence, const char *detail);

#endif
