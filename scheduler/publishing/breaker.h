/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether an endpoint is given pushes, and how many at a time. Pure: a breaker by a table of
 * allowed moves (ARCHITECTURE section 8), which opens by how many fail and, where few titles are
 * there to tell, by how long nothing has succeeded; and a limit that grows by one with each success
 * and is halved by what goes wrong or becomes slow.
 */
#ifndef SCHEDULER_PUBLISHING_BREAKER_H
#define SCHEDULER_PUBLISHING_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum breaker_state {
    BREAKER_CLOSED,    /* it is given pushes */
    BREAKER_OPEN,      /* none until a pause is over */
    BREAKER_HALF_OPEN, /* one at a time, to see whether it is well */
    BREAKER_STATE_COUNT
};

enum breaker_event {
    BREAKER_SUCCEED, /* a push was brought */
    BREAKER_FAIL,    /* one was not, which is no reason to stop yet */
    BREAKER_TRIP,    /* one was not, which is */
    BREAKER_WAKE,    /* the pause is over */
    BREAKER_MEND,    /* a push was brought, and enough were */
    BREAKER_RESET,   /* somebody closes it by hand */
    BREAKER_EVENT_COUNT
};

enum {
    BREAKER_WINDOW = 20,       /* results that are looked back on */
    BREAKER_WINDOW_FAILS = 10, /* of them, which open it */
    BREAKER_ROW_FAILS = 5,     /* in a row, which open it */
    BREAKER_MENDS = 3,         /* successes that close it */
    BREAKER_SILENT_MS = 60000, /* of failures and no success, which open it: one success closes it
                                  then, since few have told of it */
    BREAKER_PAUSE_FIRST_MS = 5000,
    BREAKER_PAUSE_MOST_MS = 300000,
    BREAKER_PAUSE_SILENT_MS = 60000, /* at most, where it opened by time alone */
};

/* The state after `event` in `state`, or -1 where it is not allowed. */
int breaker_next(enum breaker_state state, enum breaker_event event);

/* Names as in the store and the API; the state of a name, -1 unknown. */
const char *breaker_state_name(enum breaker_state state);
int breaker_state_from_name(const char *name);

/* Times are ms of one clock. A zeroed one is closed and remembers nothing. */
struct breaker {
    enum breaker_state state;
    int64_t results;    /* a bit each, the last one lowest; 1: it failed */
    int row;            /* failures in a row */
    int mends;          /* successes since it was half open */
    int64_t pause_ms;   /* the last one; 0 since it was closed */
    int64_t opened_at;  /* 0: it is closed */
    int64_t retry_at;   /* when an open one is tried again */
    int64_t failing_at; /* since when all has failed; 0: the last result was a success */
    bool by_time;       /* it opened by that alone */
};

/* Whether a failure says something of the endpoint. That of a title which failed there before may
 * be the title's: it counts alone where the endpoint is tried and nothing succeeded yet. So one
 * title, tried for ever, shuts a healthy endpoint for no other. */
bool breaker_counts(const struct breaker *breaker, bool failed_before);

/* Takes the result of a push. One that comes in while it is open was begun before, and says
 * nothing. A failure that does not count still tells that nothing has succeeded since. */
void breaker_report(struct breaker *breaker, bool success, bool failed_before, int64_t now);

/* Moves on an open one whose pause is over. Whether it did. */
bool breaker_wake(struct breaker *breaker, int64_t now);

void breaker_reset(struct breaker *breaker);

/* ---- how many at a time --------------------------------------------------------- */

struct limit {
    double pushes;  /* at a time; its whole part counts */
    double best_ms; /* about the smallest cost; 0: not known */
    double last_ms; /* mean time of a request of the last push, for people; 0: not known */
};

/* What a new endpoint begins with, at most `most`. */
struct limit limit_default(int most);

/* Times of a push's requests: wire.h, struct push_report. */
struct pace {
    double request_ms;
    double cost_ms; /* by which pushes are compared; 0: this one can't be */
};

/* Takes the result of a push. The limit stays from 1 to `most`. */
void limit_report(struct limit *limit, bool success, struct pace pace, int most);

/* How many pushes there may be now. */
int breaker_allows(const struct breaker *breaker, const struct limit *limit);

#endif
