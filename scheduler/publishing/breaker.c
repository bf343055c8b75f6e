/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether an endpoint is given pushes: see breaker.h. */
#include "breaker.h"

#include <assert.h>
#include <string.h>

enum { NO = -1 }; /* not allowed */

static const signed char next[BREAKER_STATE_COUNT][BREAKER_EVENT_COUNT] = {
    [BREAKER_CLOSED] =
        {
            [BREAKER_SUCCEED] = BREAKER_CLOSED, /* as it should be */
            [BREAKER_FAIL] = BREAKER_CLOSED,    /* counted */
            [BREAKER_TRIP] = BREAKER_OPEN,      /* too many */
            [BREAKER_WAKE] = NO,                /* it pauses not */
            [BREAKER_MEND] = NO,                /* it is well */
            [BREAKER_RESET] = BREAKER_CLOSED,   /* forgets what was counted */
        },
    [BREAKER_OPEN] =
        {
            [BREAKER_SUCCEED] = BREAKER_OPEN,   /* begun before it opened */
            [BREAKER_FAIL] = BREAKER_OPEN,      /* likewise */
            [BREAKER_TRIP] = NO,                /* it is */
            [BREAKER_WAKE] = BREAKER_HALF_OPEN, /* one push tells */
            [BREAKER_MEND] = NO,                /* it is tried first */
            [BREAKER_RESET] = BREAKER_CLOSED,   /* who does that knows */
        },
    [BREAKER_HALF_OPEN] =
        {
            [BREAKER_SUCCEED] = BREAKER_HALF_OPEN, /* not yet enough */
            [BREAKER_FAIL] = NO,                   /* one is too many */
            [BREAKER_TRIP] = BREAKER_OPEN,         /* for twice as long */
            [BREAKER_WAKE] = NO,                   /* it is */
            [BREAKER_MEND] = BREAKER_CLOSED,       /* it is well */
            [BREAKER_RESET] = BREAKER_CLOSED,      /* who does that knows */
        },
};

static const char *const names[BREAKER_STATE_COUNT] = {"closed", "open", "half-open"};

int breaker_next(enum breaker_state state, enum breaker_event event) {
    assert((unsigned)state < BREAKER_STATE_COUNT && (unsigned)event < BREAKER_EVENT_COUNT);
    return next[state][event];
}

const char *breaker_state_name(enum breaker_state state) {
    assert((unsigned)state < BREAKER_STATE_COUNT);
    return names[state];
}

int breaker_state_from_name(const char *name) {
    for (int i = 0; i < BREAKER_STATE_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

static void move(struct breaker *breaker, enum breaker_event event) {
    int state = breaker_next(breaker->state, event);
    assert(state >= 0);
    breaker->state = (enum breaker_state)state;
}

static int failures(const struct breaker *breaker) {
    int count = 0;
    for (int i = 0; i < BREAKER_WINDOW; i++) {
        count += (breaker->results >> i & 1) != 0 ? 1 : 0;
    }
    return count;
}

static bool fail_enough(const struct breaker *breaker) {
    return breaker->row >= BREAKER_ROW_FAILS || failures(breaker) >= BREAKER_WINDOW_FAILS;
}

static void trip(struct breaker *breaker, int64_t now) {
    bool by_time = breaker->opened_at == 0 || breaker->by_time;
    breaker->by_time = by_time && !fail_enough(breaker);
    int64_t most = breaker->by_time ? BREAKER_PAUSE_SILENT_MS : BREAKER_PAUSE_MOST_MS;
    int64_t pause = breaker->pause_ms == 0 ? BREAKER_PAUSE_FIRST_MS : 2 * breaker->pause_ms;
    move(breaker, BREAKER_TRIP);
    breaker->pause_ms = pause < most ? pause : most;
    breaker->opened_at = breaker->opened_at == 0 ? now : breaker->opened_at;
    breaker->retry_at = now + breaker->pause_ms;
    breaker->mends = 0;
}

void breaker_reset(struct breaker *breaker) {
    move(breaker, BREAKER_RESET);
    *breaker = (struct breaker){.state = breaker->state};
}

bool breaker_counts(const struct breaker *breaker, bool failed_before) {
    return !failed_before || (breaker->state == BREAKER_HALF_OPEN && breaker->failing_at != 0);
}

static void succeed(struct breaker *breaker) {
    breaker->results = breaker->results << 1 & ((1 << BREAKER_WINDOW) - 1);
    breaker->row = 0;
    breaker->failing_at = 0;
    int enough = breaker->by_time ? 1 : BREAKER_MENDS;
    if (breaker->state == BREAKER_HALF_OPEN && ++breaker->mends >= enough) {
        move(breaker, BREAKER_MEND);
        *breaker = (struct breaker){.state = breaker->state};
    } else {
        move(breaker, BREAKER_SUCCEED);
    }
}

static void fail(struct breaker *breaker, bool failed_before, int64_t now) {
    bool counts = breaker_counts(breaker, failed_before);
    if (!failed_before) {
        breaker->results = (breaker->results << 1 | 1) & ((1 << BREAKER_WINDOW) - 1);
        breaker->row++;
    }
    if (breaker->failing_at == 0 && (counts || breaker->state == BREAKER_CLOSED)) {
        breaker->failing_at = now;
    }
    bool silent = now - breaker->failing_at >= BREAKER_SILENT_MS;
    if (breaker->state == BREAKER_HALF_OPEN ? counts : silent || fail_enough(breaker)) {
        trip(breaker, now);
    } else if (breaker->state == BREAKER_CLOSED) {
        move(breaker, BREAKER_FAIL);
    }
}

void breaker_report(struct breaker *breaker, bool success, bool failed_before, int64_t now) {
    if (breaker->state == BREAKER_OPEN) {
        move(breaker, success ? BREAKER_SUCCEED : BREAKER_FAIL);
    } else if (success) {
        succeed(breaker);
    } else {
        fail(breaker, failed_before, now);
    }
}

bool breaker_wake(struct breaker *breaker, int64_t now) {
    if (breaker->state != BREAKER_OPEN || now < breaker->retry_at) {
        return false;
    }
    move(breaker, BREAKER_WAKE);
    return true;
}

/* ---- how many at a time --------------------------------------------------------- */

static const double first_pushes = 2;
static const double slow = 2;          /* times the best, which is slow */
static const double slow_ms = 5;       /* under that nobody is */
static const double forgetting = 1.02; /* of the best with each push: a road may become longer */

struct limit limit_default(int most) {
    return (struct limit){.pushes = most < first_pushes ? most : first_pushes};
}

static double within(double pushes, int most) {
    pushes = pushes > most ? most : pushes;
    return pushes < 1 ? 1 : pushes;
}

void limit_report(struct limit *limit, bool success, struct pace pace, int most) {
    bool is_slow = false;
    if (success && pace.cost_ms > 0) {
        double best = limit->best_ms * forgetting;
        is_slow = limit->best_ms > 0 && pace.cost_ms > slow * limit->best_ms &&
                  pace.cost_ms > slow_ms;
        limit->best_ms = limit->best_ms == 0 || pace.cost_ms < best ? pace.cost_ms : best;
    }
    if (success && pace.request_ms > 0) {
        limit->last_ms = pace.request_ms;
    }
    limit->pushes = within(success && !is_slow ? limit->pushes + 1 : limit->pushes / 2, most);
}

int breaker_allows(const struct breaker *breaker, const struct limit *limit) {
    static const int trials[BREAKER_STATE_COUNT] = {[BREAKER_OPEN] = 0, [BREAKER_HALF_OPEN] = 1};
    return breaker->state == BREAKER_CLOSED ? (int)limit->pushes : trials[breaker->state];
}
