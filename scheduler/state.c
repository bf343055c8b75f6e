/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Allowed moves of titles, units and leases, and the gate: see state.h. */
#include "state.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/wire.h"
#include "events.h"
#include "metrics.h"
#include "store_sql.h"

enum { NO = -1 }; /* not allowed */

static const signed char title_next[TITLE_STATE_COUNT][TITLE_EVENT_COUNT] = {
    [TITLE_SUBMITTED] =
        {
            [TITLE_SUBMIT] = NO,              /* it runs: 409 */
            [TITLE_PLAN] = TITLE_RUNNING,     /* the early source document, or the probe's end */
            [TITLE_FINISH] = NO,              /* nothing is made before there is a plan */
            [TITLE_FAIL] = TITLE_FAILING,     /* a source that can't be read or planned */
            [TITLE_CLEAR] = NO,               /* only failing clears */
            [TITLE_CANCEL] = TITLE_CANCELLED, /* at any time before the end */
            [TITLE_REMOVE] = TITLE_REMOVING,  /* its work is stopped first */
            [TITLE_DROP] = NO,                /* only removing drops */
        },
    [TITLE_RUNNING] =
        {
            [TITLE_SUBMIT] = NO,              /* it runs: 409 */
            [TITLE_PLAN] = NO,                /* planned once a run */
            [TITLE_FINISH] = TITLE_DONE,      /* the swap is done */
            [TITLE_FAIL] = TITLE_FAILING,     /* a unit has used up what its class allows */
            [TITLE_CLEAR] = NO,               /* only failing clears */
            [TITLE_CANCEL] = TITLE_CANCELLED, /* what it made stays for the next run */
            [TITLE_REMOVE] = TITLE_REMOVING,  /* its work is stopped first */
            [TITLE_DROP] = NO,                /* only removing drops */
        },
    [TITLE_FAILING] =
        {
            [TITLE_SUBMIT] = NO,              /* its removal would race with the new run's writes */
            [TITLE_PLAN] = NO,                /* late news */
            [TITLE_FINISH] = NO,              /* late news */
            [TITLE_FAIL] = NO,                /* the first reason stands */
            [TITLE_CLEAR] = TITLE_FAILED,     /* the remove unit is done or has given up */
            [TITLE_CANCEL] = TITLE_CANCELLED, /* leaves what is not yet removed */
            [TITLE_REMOVE] = TITLE_REMOVING,  /* after the task that removes a part */
            [TITLE_DROP] = NO,                /* only removing drops */
        },
    [TITLE_FAILED] =
        {
            [TITLE_SUBMIT] = TITLE_SUBMITTED, /* a new run */
            [TITLE_PLAN] = NO,                /* it has ended */
            [TITLE_FINISH] = NO,              /* it has ended */
            [TITLE_FAIL] = NO,                /* it has ended */
            [TITLE_CLEAR] = NO,               /* it has ended */
            [TITLE_CANCEL] = NO,              /* it has ended */
            [TITLE_REMOVE] = TITLE_REMOVING,  /* with the versions of earlier runs */
            [TITLE_DROP] = NO,                /* only removing drops */
        },
    [TITLE_CANCELLED] =
        {
            [TITLE_SUBMIT] = TITLE_SUBMITTED, /* a new run goes on from what is made */
            [TITLE_PLAN] = NO,                /* it has ended */
            [TITLE_FINISH] = NO,              /* it has ended */
            [TITLE_FAIL] = NO,                /* it has ended */
            [TITLE_CLEAR] = NO,               /* it has ended */
            [TITLE_CANCEL] = NO,              /* it has ended */
            [TITLE_REMOVE] = TITLE_REMOVING,  /* with what the next run would go on from */
            [TITLE_DROP] = NO,                /* only removing drops */
        },
    [TITLE_DONE] =
        {
            [TITLE_SUBMIT] = TITLE_SUBMITTED, /* a new run makes only what changed */
            [TITLE_PLAN] = NO,                /* it has ended */
            [TITLE_FINISH] = NO,              /* it has ended */
            [TITLE_FAIL] = NO,                /* it has ended */
            [TITLE_CLEAR] = NO,               /* it has ended */
            [TITLE_CANCEL] = NO,              /* it has ended */
            [TITLE_REMOVE] = TITLE_REMOVING,  /* with all its versions */
            [TITLE_DROP] = NO,                /* only removing drops */
        },
    [TITLE_REMOVING] =
        {
            [TITLE_SUBMIT] = NO,         /* its removal would race with the new run's writes */
            [TITLE_PLAN] = NO,           /* late news */
            [TITLE_FINISH] = NO,         /* late news */
            [TITLE_FAIL] = TITLE_FAILED, /* its objects can't be removed */
            [TITLE_CLEAR] = NO,          /* only failing clears */
            [TITLE_CANCEL] = NO,         /* what is gone does not come back */
            [TITLE_REMOVE] = NO,         /* it is being removed */
            [TITLE_DROP] = TITLE_GONE,   /* nothing of it is left */
        },
};

static const signed char unit_next[UNIT_STATE_COUNT][UNIT_EVENT_COUNT] = {
    [UNIT_BLOCKED] =
        {
            [UNIT_UNBLOCK] = UNIT_READY, /* nothing that it needs is missing; early: more is done */
            [UNIT_BLOCK] = NO,           /* it is */
            [UNIT_LEASE] = NO,           /* it can't run yet */
            [UNIT_HEDGE] = NO,           /* it can't run yet */
            [UNIT_YIELD] = NO,           /* it never ran */
            [UNIT_ADOPT] = NO,           /* it never ran: only kinds without needs are adopted */
            [UNIT_COMPLETE] = NO,        /* it never ran */
            [UNIT_REUSE] = NO,           /* units with needs are cheap and always run */
            [UNIT_RETRY] = NO,           /* it never ran */
            [UNIT_RETURN] = NO,          /* it never ran */
            [UNIT_REDO] = NO,            /* it is not made */
            [UNIT_FAIL] = NO,            /* it never ran */
            [UNIT_CANCEL] = UNIT_CANCELLED, /* its title ends */
        },
    [UNIT_READY] =
        {
            [UNIT_UNBLOCK] = NO,            /* it is */
            [UNIT_BLOCK] = NO,              /* what it needs is made again only by its own lease */
            [UNIT_LEASE] = UNIT_LEASED,     /* to the worker that asked */
            [UNIT_HEDGE] = NO,              /* nobody runs it */
            [UNIT_YIELD] = NO,              /* nobody runs it */
            [UNIT_ADOPT] = UNIT_LEASED,     /* its old lease lives again */
            [UNIT_COMPLETE] = UNIT_DONE,    /* a late result under a lost fence */
            [UNIT_REUSE] = UNIT_DONE,       /* made by an earlier run */
            [UNIT_RETRY] = NO,              /* no live lease, no failure */
            [UNIT_RETURN] = NO,             /* no live lease */
            [UNIT_REDO] = NO,               /* it is not made */
            [UNIT_FAIL] = UNIT_FAILED,      /* nobody is left who could make it: missing.h */
            [UNIT_CANCEL] = UNIT_CANCELLED, /* its title ends */
        },
    [UNIT_LEASED] =
        {
            [UNIT_UNBLOCK] = NO,            /* it was */
            [UNIT_BLOCK] = UNIT_BLOCKED,    /* objects are missing, or more is to come for early */
            [UNIT_LEASE] = NO,              /* a second lease is a hedge */
            [UNIT_HEDGE] = UNIT_LEASED,     /* two live leases at most: see hedge.h */
            [UNIT_YIELD] = UNIT_LEASED,     /* and is counted as what it was */
            [UNIT_ADOPT] = NO,              /* somebody else runs it by now */
            [UNIT_COMPLETE] = UNIT_DONE,    /* under its own fence or an older one */
            [UNIT_REUSE] = NO,              /* it runs: its own result comes */
            [UNIT_RETRY] = UNIT_READY,      /* after its pause */
            [UNIT_RETURN] = UNIT_READY,     /* at once */
            [UNIT_REDO] = NO,               /* it is not made */
            [UNIT_FAIL] = UNIT_FAILED,      /* and the title with it, or without it */
            [UNIT_CANCEL] = UNIT_CANCELLED, /* its lease is told to stop */
        },
    [UNIT_DONE] =
        {
            [UNIT_UNBLOCK] = NO,      /* it is done */
            [UNIT_BLOCK] = NO,        /* it is done */
            [UNIT_LEASE] = NO,        /* it is done */
            [UNIT_HEDGE] = NO,        /* it is done */
            [UNIT_YIELD] = NO,        /* it is done */
            [UNIT_ADOPT] = NO,        /* it is done: the worker is told to stop */
            [UNIT_COMPLETE] = NO,     /* the first result won */
            [UNIT_REUSE] = NO,        /* it is done */
            [UNIT_RETRY] = NO,        /* a late failure counts for nothing */
            [UNIT_RETURN] = NO,       /* it is done */
            [UNIT_REDO] = UNIT_READY, /* package did not find its objects */
            [UNIT_FAIL] = NO,         /* a late failure counts for nothing */
            [UNIT_CANCEL] = NO,       /* its result stays for the next run */
        },
    [UNIT_FAILED] =
        {
            [UNIT_UNBLOCK] = NO,  /* it has ended */
            [UNIT_BLOCK] = NO,    /* it has ended */
            [UNIT_LEASE] = NO,    /* it has ended */
            [UNIT_HEDGE] = NO,    /* it has ended */
            [UNIT_YIELD] = NO,    /* it has ended */
            [UNIT_ADOPT] = NO,    /* it has ended */
            [UNIT_COMPLETE] = NO, /* its title is given up */
            [UNIT_REUSE] = NO,    /* it has ended */
            [UNIT_RETRY] = NO,    /* it has ended */
            [UNIT_RETURN] = NO,   /* it has ended */
            [UNIT_REDO] = NO,     /* it has ended */
            [UNIT_FAIL] = NO,     /* the first reason stands */
            [UNIT_CANCEL] = NO,   /* it shows why the title failed */
        },
    [UNIT_CANCELLED] =
        {
            [UNIT_UNBLOCK] = NO,  /* it has ended */
            [UNIT_BLOCK] = NO,    /* it has ended */
            [UNIT_LEASE] = NO,    /* it has ended */
            [UNIT_HEDGE] = NO,    /* it has ended */
            [UNIT_YIELD] = NO,    /* nobody wants it */
            [UNIT_ADOPT] = NO,    /* the worker is told to stop */
            [UNIT_COMPLETE] = NO, /* nobody wants it */
            [UNIT_REUSE] = NO,    /* it has ended */
            [UNIT_RETRY] = NO,    /* nobody wants it */
            [UNIT_RETURN] = NO,   /* nobody wants it */
            [UNIT_REDO] = NO,     /* it has ended */
            [UNIT_FAIL] = NO,     /* nobody wants it */
            [UNIT_CANCEL] = NO,   /* it is */
        },
};

static const signed char lease_next[LEASE_STATE_COUNT][LEASE_EVENT_COUNT] = {
    [LEASE_LIVE] =
        {
            [LEASE_COMPLETE] = LEASE_ENDED, /* accepted, or a duplicate */
            [LEASE_FAIL] = LEASE_ENDED,     /* counted */
            [LEASE_STOP] = LEASE_STOPPING,  /* the next heartbeat says so */
            [LEASE_QUIET] = NO,             /* a live one may be on its way to the worker */
            [LEASE_RETURN] = LEASE_ENDED,   /* its units are ready again */
            [LEASE_LOSE] = LEASE_ENDED,     /* its units are ready again, the loss counted */
            [LEASE_ADOPT] = NO,             /* its session lives */
        },
    [LEASE_STOPPING] =
        {
            [LEASE_COMPLETE] = LEASE_ENDED, /* it was quicker than the stop */
            [LEASE_FAIL] = LEASE_ENDED,     /* not counted */
            [LEASE_STOP] = NO,              /* it is */
            [LEASE_QUIET] = LEASE_ENDED,    /* the worker has stopped it */
            [LEASE_RETURN] = LEASE_ENDED,   /* its worker has gone */
            [LEASE_LOSE] = LEASE_ENDED,     /* its worker has gone */
            [LEASE_ADOPT] = NO,             /* its result is not wanted */
        },
    [LEASE_ENDED] =
        {
            [LEASE_COMPLETE] = NO,      /* a late result moves its units, not the lease */
            [LEASE_FAIL] = NO,          /* 409 */
            [LEASE_STOP] = NO,          /* nothing runs as far as is known */
            [LEASE_QUIET] = NO,         /* it was quiet */
            [LEASE_RETURN] = NO,        /* its units were returned */
            [LEASE_LOSE] = NO,          /* its loss was counted */
            [LEASE_ADOPT] = LEASE_LIVE, /* under the worker's new session */
        },
};

static const char *const title_states[] = {"submitted", "running", "failing", "failed",
                                           "cancelled", "done",    "removing"};
static const char *const title_events[] = {"submit", "plan",   "finish", "fail",
                                           "clear",  "cancel", "remove", "drop"};
static const char *const unit_states[] = {"blocked", "ready",  "leased",
                                          "done",    "failed", "cancelled"};
static const char *const unit_events[] = {"unblock", "block",    "lease", "hedge", "yield",
                                          "adopt",   "complete", "reuse", "retry", "return",
                                          "redo",    "fail",     "cancel"};
static const char *const lease_states[] = {"live", "stopping", "ended"};
static const char *const lease_events[] = {"complete", "fail", "stop", "quiet",
                                           "return",   "lose", "adopt"};

static const struct {
    const char *name;
    int states;
    int events;
    const signed char *next; /* states x events */
    const char *const *state_names;
    const char *const *event_names;
} machines[MACHINE_COUNT] = {
    [MACHINE_TITLE] = {"title", TITLE_STATE_COUNT, TITLE_EVENT_COUNT, &title_next[0][0],
                       title_states, title_events},
    [MACHINE_UNIT] = {"unit", UNIT_STATE_COUNT, UNIT_EVENT_COUNT, &unit_next[0][0], unit_states,
                      unit_events},
    [MACHINE_LEASE] = {"lease", LEASE_STATE_COUNT, LEASE_EVENT_COUNT, &lease_next[0][0],
                       lease_states, lease_events},
};

int state_next(enum machine machine, int state, int event) {
    assert(state >= 0 && state < machines[machine].states);
    assert(event >= 0 && event < machines[machine].events);
    return machines[machine].next[state * machines[machine].events + event];
}

const char *state_name(enum machine machine, int state) {
    assert(state >= 0 && state < machines[machine].states);
    return machines[machine].state_names[state];
}

const char *state_event_name(enum machine machine, int event) {
    assert(event >= 0 && event < machines[machine].events);
    return machines[machine].event_names[event];
}

int state_from_name(enum machine machine, const char *name) {
    for (int i = 0; i < machines[machine].states; i++) {
        if (strcmp(machines[machine].state_names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

/* Refuses what the table forbids; the name of the state to come otherwise. */
static const char *allowed(struct tx *tx, enum machine machine, int state, int event) {
    int next = state_next(machine, state, event);
    if (next < 0) {
        err_set(tx_err(tx), ERR_INTERNAL, "a %s that is %s can't %s", machines[machine].name,
                state_name(machine, state), state_event_name(machine, event));
        return NULL;
    }
    return state_name(machine, next);
}

/* Refuses where a row was not as it was thought to be; the state that it has now. */
static int check_moved(struct tx *tx, enum machine machine, int64_t moved, int state, int event) {
    if (tx_ok(tx) && moved != 1) {
        err_set(tx_err(tx), ERR_INTERNAL, "a %s to %s was not %s in the store",
                machines[machine].name, state_event_name(machine, event),
                state_name(machine, state));
    }
    return tx_ok(tx) ? state_next(machine, state, event) : state;
}

static int move(struct tx *tx, enum machine machine, enum sql_id sql, struct value id, int state,
                int event) {
    const char *next = allowed(tx, machine, state, event);
    if (next == NULL || !tx_ok(tx)) {
        return state;
    }
    int64_t moved = sql_run(tx, sql, VALUES(id, TEXT(state_name(machine, state)), TEXT(next)));
    return check_moved(tx, machine, moved, state, event);
}

/* Ends the row. */
static int drop_title(struct tx *tx, const char *title, enum title_state state,
                      enum title_event event) {
    int64_t dropped = sql_run(tx, SQL_TITLE_DROP,
                              VALUES(TEXT(title), TEXT(state_name(MACHINE_TITLE, (int)state))));
    return check_moved(tx, MACHINE_TITLE, dropped, (int)state, (int)event);
}

int title_move(struct tx *tx, const char *title, enum title_state state, enum title_event event,
               const char *detail) {
    bool drops = state_next(MACHINE_TITLE, (int)state, (int)event) == TITLE_GONE;
    /* while its row is there, which says who is to hear of it */
    event_add(tx, title, 0, "title", state_event_name(MACHINE_TITLE, (int)event), detail);
    int next = drops ? drop_title(tx, title, state, event)
                     : move(tx, MACHINE_TITLE, SQL_TITLE_MOVE, TEXT(title), (int)state, (int)event);
    metric_add(tx, METRIC_TITLES, (int)state, 0, -1);
    if (next != TITLE_GONE) {
        metric_add(tx, METRIC_TITLES, next, 0, 1);
    }
    metric_add(tx, METRIC_TITLE_EVENTS, (int)event, 0, 1);
    tx_wake(tx, TOPIC_LEASES | TOPIC_TITLES);
    return next;
}

/* Moves the units that a statement picks by `key`, and counts them by kind. Returns how many
 * there were. */
static int64_t move_units(struct tx *tx, enum sql_id sql, struct value key, enum unit_state state,
                          enum unit_event event) {
    int64_t moved[TASK_KIND_COUNT] = {0}, sum = 0;
    const char *next = allowed(tx, MACHINE_UNIT, (int)state, (int)event);
    if (next == NULL || !tx_ok(tx)) {
        return 0;
    }
    struct query query = sql_query(
        tx, sql,
        VALUES(key, TEXT(state_name(MACHINE_UNIT, (int)state)), TEXT(next), INTEGER(tx_now(tx))));
    while (query_next(&query)) {
        moved[task_kind_from_name(query_text(&query, 0))]++;
    }
    for (int kind = 0; kind < TASK_KIND_COUNT; kind++) {
        if (moved[kind] > 0) {
            metric_add(tx, METRIC_UNITS, kind, (int)state, -(double)moved[kind]);
            metric_add(tx, METRIC_UNITS, kind, state_next(MACHINE_UNIT, (int)state, (int)event),
                       (double)moved[kind]);
            sum += moved[kind];
        }
    }
    metric_add(tx, METRIC_UNIT_EVENTS, (int)event, 0, (double)sum);
    tx_tally(tx, state == UNIT_READY ? sum : 0);
    return sum;
}

int unit_move(struct tx *tx, int64_t unit, enum unit_state state, enum unit_event event,
              const struct state_note *note) {
    int64_t moved = move_units(tx, SQL_UNIT_MOVE, INTEGER(unit), state, event);
    int next = check_moved(tx, MACHINE_UNIT, moved, (int)state, (int)event);
    event_add(tx, note->title, unit, "unit", state_event_name(MACHINE_UNIT, (int)event),
              note->detail);
    if (next == UNIT_READY) {
        tx_wake(tx, TOPIC_LEASES);
    }
    return next;
}

int lease_move(struct tx *tx, int64_t fence, enum lease_state state, enum lease_event event) {
    return move(tx, MACHINE_LEASE, SQL_LEASE_MOVE, INTEGER(fence), (int)state, (int)event);
}

int64_t unit_move_set(struct tx *tx, const char *title, enum unit_set set, enum unit_state state,
                      enum unit_event event) {
    static const enum sql_id statements[] = {
        [UNITS_ALL] = SQL_UNITS_MOVE_ALL,
        [UNITS_MADE_BEFORE] = SQL_UNITS_MOVE_MADE,
        [UNITS_NEEDLESS] = SQL_UNITS_MOVE_NEEDLESS,
    };
    int64_t moved = move_units(tx, statements[set], TEXT(title), state, event);
    if (moved > 0) {
        char detail[48];
        snprintf(detail, sizeof(detail), "{\"count\":%lld}", (long long)moved);
        event_add(tx, title, 0, "unit", state_event_name(MACHINE_UNIT, (int)event), detail);
        tx_wake(tx, TOPIC_LEASES);
    }
    return moved;
}
