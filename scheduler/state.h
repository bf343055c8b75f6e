/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The three state machines of the farm as data, and the one gate through which a
 * state changes. The gate's SQL is guarded by the old state and it writes the
 * event in the same transaction, so the table, the store and the feed can't
 * disagree.
 */
#ifndef SCHEDULER_STATE_H
#define SCHEDULER_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"

enum title_state {
    TITLE_SUBMITTED, /* its probe is to run or runs */
    TITLE_RUNNING,   /* planned */
    TITLE_FAILING,   /* given up; what it made is being removed */
    TITLE_FAILED,
    TITLE_CANCELLED,
    TITLE_DONE,
    TITLE_REMOVING, /* its objects are being removed, and then its row */
    TITLE_STATE_COUNT,
    TITLE_GONE = TITLE_STATE_COUNT /* what comes of an event that ends the row: no state */
};

enum title_event {
    TITLE_SUBMIT, /* somebody asks for a new run */
    TITLE_PLAN,   /* its source document is here */
    TITLE_FINISH, /* its version is current */
    TITLE_FAIL,   /* a unit can't be made */
    TITLE_CLEAR,  /* what it made is removed, or nothing more can be done about it */
    TITLE_CANCEL, /* somebody asks to stop */
    TITLE_REMOVE, /* somebody asks to take it away, with what it published */
    TITLE_DROP,   /* that is done */
    TITLE_EVENT_COUNT
};

enum unit_state {
    UNIT_BLOCKED, /* waits for units that it needs */
    UNIT_READY,
    UNIT_LEASED, /* has a live lease */
    UNIT_DONE,   /* its result is accepted */
    UNIT_FAILED, /* its title failed by it, or goes without it: missing.h */
    UNIT_CANCELLED,
    UNIT_STATE_COUNT
};

enum unit_event {
    UNIT_UNBLOCK,  /* the last unit that it needs is done */
    UNIT_BLOCK,    /* a unit that it needs must be made again */
    UNIT_LEASE,    /* given to a worker */
    UNIT_HEDGE,    /* given to a second worker, the first being slow */
    UNIT_YIELD,    /* one of two workers has failed or gone; the other goes on */
    UNIT_ADOPT,    /* a worker that was lost is back and still runs it */
    UNIT_COMPLETE, /* the first valid result is here */
    UNIT_REUSE,    /* an earlier result has its place and key */
    UNIT_RETRY,    /* its task failed, and it may be tried again */
    UNIT_RETURN,   /* its worker has gone or gave it back */
    UNIT_REDO,     /* its objects are not there any more */
    UNIT_FAIL,     /* its task failed for good */
    UNIT_CANCEL,   /* its title failed or was cancelled */
    UNIT_EVENT_COUNT
};

enum lease_state {
    LEASE_LIVE,
    LEASE_STOPPING, /* nobody wants its result; its worker has not yet said that it stopped */
    LEASE_ENDED,
    LEASE_STATE_COUNT
};

enum lease_event {
    LEASE_COMPLETE, /* its worker brought a result */
    LEASE_FAIL,     /* its worker reported a failure */
    LEASE_STOP,     /* its result is not wanted any more */
    LEASE_QUIET,    /* its worker does not list it any more */
    LEASE_RETURN,   /* its worker leaves, died before its parent's eyes, or never heard of it */
    LEASE_LOSE,     /* its session fell silent */
    LEASE_ADOPT,    /* its worker came back in a new session, still running it */
    LEASE_EVENT_COUNT
};

enum machine { MACHINE_TITLE, MACHINE_UNIT, MACHINE_LEASE, MACHINE_COUNT };

/* The state after `event` in `state`, TITLE_GONE where it ends the title, or -1 where it is not
 * allowed. */
int state_next(enum machine machine, int state, int event);

/* Names as in the store, the API and the feed; the state of a name, -1 unknown. */
const char *state_name(enum machine machine, int state);
const char *state_event_name(enum machine machine, int event);
int state_from_name(enum machine machine, const char *name);

/* What an event of the feed says besides its kind. */
struct state_note {
    const char *title;  /* id */
    const char *detail; /* JSON object; "" for none */
};

/*
 * The gate: moves one title (by name), unit or lease (by id) on. A move that the
 * table forbids, or a row that is not in `state`, is an INTERNAL error of the
 * transaction. Returns the new state (`state` itself on an error). A title that is gone has no
 * row any more; what hangs on it is the caller's to drop.
 */
int title_move(struct tx *tx, const char *title, enum title_state state, enum title_event event,
               const char *detail);
int unit_move(struct tx *tx, int64_t unit, enum unit_state state, enum unit_event event,
              const struct state_note *note);
int lease_move(struct tx *tx, int64_t fence, enum lease_state state, enum lease_event event);

/*
 * The same for all units of a title that are in `state` and that the set picks:
 * one statement, one event {"count": n}. Returns how many were moved.
 */
enum unit_set {
    UNITS_ALL,
    UNITS_MADE_BEFORE, /* a product has their place and key */
    UNITS_NEEDLESS,    /* all that they need is done */
};
int64_t unit_move_set(struct tx *tx, const char *title, enum unit_set set, enum unit_state state,
                      enum unit_event event);

#endif
