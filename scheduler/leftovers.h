/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies at an output and no version of its title names. A worker that was lost may go on with
 * what it had for as long as it said (ARCHITECTURE section 7), and put segments of a title that has
 * failed or is gone by then; and what a run made that was cancelled is of no use where the next
 * one makes something else. So such titles are remembered, beyond their own end, and a task that
 * stands in no queue removes what no kept version names, as soon as nobody works at it: from then
 * on no run may count on what the title has made and not published. Early playlists stay. All calls
 * run inside a transaction.
 */
#ifndef SCHEDULER_LEFTOVERS_H
#define SCHEDULER_LEFTOVERS_H

#include "farm.h"
#include "outcome.h"

/* A lease was lost whose worker may go on, while its session is still known. */
void leftovers_expect_of_lease(struct tx *tx, const struct farm *farm,
                               const struct lease_row *lease);

/* The same of all that is leased of a title whose run is about to be forgotten for another one:
 * nobody would hear of their loss. To be called while its output is the old one. */
void leftovers_expect_of_run(struct tx *tx, const struct farm *farm, const char *title);

/* The title's run ends, and what it made stays for the next one's end. */
void leftovers_expect(struct tx *tx, const char *title);

/* The title is done, has failed or is gone: what waited for that goes on. */
void leftovers_title_ended(struct tx *tx, const char *title);

/* What no version names has been removed from that output; what workers may still put there that
 * were lost is not forgotten. */
void leftovers_removed(struct tx *tx, const char *title, const char *output);

/* All that it has is to stay where it is. */
void leftovers_forget(struct tx *tx, const char *title);

/* Leases one task that removes such things, if there is one to do that `memory_left` holds, and
 * writes it as an element of the array that is open in `w`; returns how many that are. */
int leftovers_grant(struct tx *tx, const struct session_row *session, int64_t *memory_left,
                    struct writer *w);

/* When there may be one though nothing happens; 0: never. */
int64_t leftovers_next_at(struct tx *tx);

/* Whether it is the lease of such a task. Where it ends otherwise than by its completion, as
 * outcome.h has it, it is given out once more later. */
bool leftovers_have_lease(struct tx *tx, const struct lease_row *lease);
enum answer leftovers_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease);

#endif
