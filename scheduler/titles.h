/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Titles from submission to their end: probe, plan, identity, failure, cancel.
 * All calls run inside a transaction; errors are the transaction's.
 */
#ifndef SCHEDULER_TITLES_H
#define SCHEDULER_TITLES_H

#include "farm.h"

/* ---- submitting (title_submit.c) ------------------------------------------------- */

struct title_request {
    const char *title;
    const char *source; /* path or URL */
    const char *output; /* URL or path of the folder above the title's */
    const char *ladder; /* JSON, normalised */
    bool force;         /* reuse nothing */
    bool early;         /* to be watched while it is encoded */
    const char *trace;  /* of whoever asks for it; NULL: one is made */
    const char *key;    /* by which its repetition is known; NULL or "": none */
    const char *sender; /* who makes it, among those that have its key; NULL or "": not told */
    /* What is not named stays as it is of a title that is known, and is 0, "" or none of a new
     * one. */
    bool names_priority;
    int64_t priority;   /* larger goes first */
    const char *tenant; /* NULL: not named; "": none */
    bool names_deadline;
    int64_t deadline;          /* ms since 1970; 0: none */
    const char *const *labels; /* "NAME=VALUE", none twice; NULL: not named */
    size_t label_count;
};

/* A new title, or a new run of one that has ended. False where just this runs already, or where
 * the title was last submitted with this key, whatever became of it since: so a submission may be
 * repeated by whoever did not hear its answer. CONFLICT where the title
 * runs from another source, to another output or by another ladder. What priority, tenant,
 * deadline and labels it names are the title's from then on, of one that runs too. */
bool title_submit(struct tx *tx, const struct farm *farm, const struct title_request *request);

/* Whether this very submission, by its key, was the title's last; never without a key. `is_own`:
 * and it was this sender's, who makes it again since the answer was lost. */
bool title_has_key(struct tx *tx, const struct title_request *request, bool *is_own);

/* Whether just this runs already; CONFLICT where the title can't have a new run now. */
bool title_check_submission(struct tx *tx, const struct title_request *request,
                            const struct title_row *title);

/* A new run of a title that failed, was cancelled or is done without something (missing.h), with
 * all as it was last submitted; `trace` as in a request. CONFLICT where it is in another state. */
void title_retry(struct tx *tx, const struct farm *farm, const char *title, const char *trace);

/* ---- planning (title_plan.c) --------------------------------------------------- */

/*
 * A probe's news, early or at its end: the first plans the title, units become
 * ready; the first with the identity fills in keys and places, and what an earlier
 * run made is reused. A source that can't be planned, or that is another than the
 * first news told, fails the title. Does nothing where the title has ended.
 */
void title_source(struct tx *tx, struct farm *farm, const char *title,
                  const struct task_report *report);

/* Whether so many of the frames have no picture of their own that the title is refused. */
bool title_is_too_damaged(int64_t repaired, int64_t frames);

/* Fails the title where more of its pictures than may be are repeats of others. */
void title_check_repairs(struct tx *tx, struct farm *farm, const char *title);

/* ---- units and ends (titles.c) --------------------------------------------------- */

/* Where units stand that are not in the plan. */
enum {
    POSITION_PROBE = -1,
    POSITION_REMOVE = -2,    /* what a failed run made */
    POSITION_TAKE_AWAY = -3, /* all of the title */
    POSITION_DROP_VERSIONS = -4,
    POSITION_ROLLBACK = -5, /* an older version is made current again */
    POSITION_PUSH = -6,     /* of a publication: see push.h */
    POSITION_EARLY = -7,    /* playlists of what is done */
    POSITION_DROP_EARLY = -8,
};

/* Gives the title up: its units are cancelled, its leases told to stop, what it
 * made removed. `failure` is the class's name; `sentence` for people. Does nothing
 * where it fails already or has ended: the first reason stands. */
void title_fail(struct tx *tx, const char *title, const char *failure, const char *sentence);

/* Goes on with a title whose leases may all have ended by now: what a failing one made is
 * removed, or all of one that is taken away; one that waits for a removal's end begins. */
void title_settle(struct tx *tx, const char *title);

/* The removal is done (or has given up: why): the title has failed. */
void title_clear(struct tx *tx, const char *title, const char *detail);

/* Stops all work; nothing is removed. CONFLICT where the title does not run. */
void title_cancel(struct tx *tx, const char *title, const char *why);

/* Adds a unit that is not in the plan, ready or blocked; returns its id. */
int64_t title_add_unit(struct tx *tx, const struct title_row *title, int64_t position,
                       enum task_kind kind, enum unit_state state);

/* Drops such a unit, where it is there. */
void title_drop_unit(struct tx *tx, const char *title, int64_t position);

/* How many tasks run that remove what players read of the title, or write it early: a new run
 * waits for those of the run before. */
size_t title_count_others(struct tx *tx, const char *title);

/* Cancels all units that are not done and tells the leases to stop. */
void title_stop_work(struct tx *tx, const char *title);

/* Drops its units and the leases that have ended, whatever state they are in. */
void title_drop_run(struct tx *tx, const char *title);

/* Its version is current. */
void title_done(struct tx *tx, const char *title);

/* A unit of the title has its result, or the title goes without it: what needed it alone becomes
 * ready. */
void title_unit_done(struct tx *tx, const struct unit_row *unit);

/* Units went back from done: counts again what waits for what. */
void title_units_redone(struct tx *tx, const char *title);

/* Adds a task's figures to the run's. */
void title_add_stats(struct tx *tx, const char *title, const struct task_stats *stats);

#endif
