/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Webhooks' outbox: for each endpoint that listens, a row of its own for each event that it is to
 * hear, written in the transaction of the event. So nothing that happened is lost, and what is
 * tried again is tried from here. A delivery waits, runs (a lease carries it), is delivered, or
 * dead: it was not taken in its time. The last two are kept for a while, and can be replayed.
 * Deliveries of one title go to an endpoint in the order of the feed; one that is not taken holds
 * up those behind it of its own title alone, until it is dead.
 *
 * All calls run inside a transaction; errors are the transaction's.
 */
#ifndef SCHEDULER_PUBLISHING_HOOKS_H
#define SCHEDULER_PUBLISHING_HOOKS_H

#include "endpoint_rows.h"
#include "scheduler/farm.h"
#include "scheduler/outcome.h"

enum {
    HOOK_ROWS_MAX = 20000, /* of an endpoint: that wait, are dead, are delivered: so many each */
    HOOK_ROWS_STEP = 256,  /* of all; it is looked so often whether there are more */
    HOOK_KEEP_MS = 24 * 60 * 60 * 1000, /* what is delivered */
    HOOK_REPLAY_MAX = HOOK_ROWS_MAX,    /* events that one call replays */
    HOOK_PAGE = 500,
};

/* What is dead is kept so long. */
extern const int64_t hook_keep_dead_ms;

/* ---- the outbox (hooks.c) -------------------------------------------------------------- */

/* An event of the feed, which happens now: notes it for all that are to hear it. */
void hooks_event(struct tx *tx, int64_t event, const char *title, const char *kind,
                 const char *trace, const char *detail);

/* What time alone brings about: what waited too long is dead, what was kept long enough goes. */
void hooks_sweep(struct tx *tx);

/* Which events of an endpoint are delivered once more: those that are dead, or of the feed since
 * a time (ms since 1970), or the one of this number; whatever is not asked for is false or 0. */
struct hook_replay {
    bool dead;
    int64_t since;
    int64_t event;
};

/* Returns how many wait by it. NOT_FOUND for an endpoint that is not in the file, and for an event
 * that is kept no more; INVALID where it is no webhook, or is not to hear of the event; CONFLICT
 * for one that is gone. */
int64_t hooks_replay(struct tx *tx, const struct farm *farm, const char *endpoint,
                     const struct hook_replay *replay);

/* A part of an endpoint's deliveries. */
struct hook_page {
    const char *endpoint;
    const char *state; /* of those alone; "": of all */
    int64_t after;     /* events with a larger number */
};

/* Writes it as an array "deliveries", and the number to go on after as "next", or null. NOT_FOUND,
 * INVALID as above, also for a state that there is not. */
void hooks_write(struct tx *tx, const struct farm *farm, const struct hook_page *page,
                 struct writer *w);

/* Adds how many of an endpoint wait or run, and are dead; by the index of the list's rows. */
struct hook_counts {
    int64_t waiting;
    int64_t dead;
};
void hooks_count(struct tx *tx, const struct endpoint_list *list, struct hook_counts *out);

/* All that waits there is dead, with this sentence, and counted. */
void hooks_die(struct tx *tx, const char *endpoint, const char *sentence);

/* It is tried again what pauses after a failure. */
void hooks_retry(struct tx *tx, const char *endpoint);

/* ---- on the way (hook_push.c) ------------------------------------------------------------ */

/* Whether it is sent nothing before it gave leave. */
bool hooks_need_leave(const struct endpoint *endpoint);

/* Leases what is due at a webhook with room, for a session with so much memory, and writes it as
 * an element of the array that is open in `w`; whether there was anything that its worker knows
 * how to send. */
bool hooks_grant(struct tx *tx, const struct session_row *session, int64_t *memory_left,
                 const struct endpoint_row *endpoint, struct writer *w);

/* When something that pauses there is due; 0: never. */
int64_t hooks_next_at(struct tx *tx, const char *endpoint);

/* How many leases a webhook may have at a time: one of which leave is to be asked, or which lets so
 * many requests be sent a minute, has one. */
int hooks_at_a_time(const struct endpoint_row *row, int64_t now);

/* Where a lease with this fence carries deliveries to; "" where there is none. */
void hooks_find_endpoint(struct tx *tx, int64_t fence, char endpoint[ENDPOINT_TEXT]);

/* Whether a lease carries deliveries, and its end as outcome.h has it. */
bool hooks_have_lease(const struct lease_row *lease);
enum answer hooks_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                           const struct task_report *report);
enum answer hooks_fail(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                       const struct failure *failure);
void hooks_drop(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                enum lease_event event);

#endif
