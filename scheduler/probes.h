/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources that somebody wants to know before a title is submitted: each is a probe that a worker
 * leases before anything else, and what it found is kept for an hour. They are soft: kept in
 * memory, lost with the scheduler, and asked for again then. A lease of one has no unit and no
 * title; its row names the probe. Where nobody asks for a minute what became of one that has not
 * ended, it is given up. All calls run inside a transaction.
 */
#ifndef SCHEDULER_PROBES_H
#define SCHEDULER_PROBES_H

#include "farm.h"
#include "outcome.h"

struct probe_request {
    const char *source;          /* checked: places.h */
    const char *tenant;          /* for whom; "": for nobody's titles in particular */
    const struct ladder *ladder; /* as which it is read */
};

/* Asks for a probe, or finds the one of the same that has not ended. Fills its id. UNAVAILABLE
 * where too many of the tenant, or of all, have not ended. */
void probe_ask(struct tx *tx, struct farm *farm, const struct probe_request *request,
               char id[ID_TEXT]);

/* Writes what became of it, as the members of GET /v1/probes/ID; whether it has ended. NOT_FOUND
 * where there is none of the tenant's ("": whoever's). */
bool probe_write(struct tx *tx, struct farm *farm, const char *id, const char *tenant,
                 struct writer *w);

/* Whether one waits for a worker. */
bool probes_any_waiting(const struct farm *farm);

struct probe_grant {
    const struct session_row *session;
    int slots;            /* probes at most */
    int64_t *memory_left; /* bytes that are free on the worker, of which these take theirs */
};

/* Leases probes and writes them as elements of the array that is open in `w`; returns how many. */
int probes_grant(struct tx *tx, struct farm *farm, const struct probe_grant *grant,
                 struct writer *w);

/* Whether a lease is of one of these, and of no title. */
bool probe_has_lease(const struct lease_row *lease);

/* A source document, before its lease ends: nobody needs more of it, so its worker is stopped. */
void probe_found(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                 const struct task_report *report);

/* The end of such a lease: as outcome.h has them. */
enum answer probe_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                           const struct task_report *report);
enum answer probe_fail(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                       const struct failure *failure);
void probe_drop(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                enum lease_event event);

/* Frees the book of them; NULL is allowed. */
struct probe_book;
void probe_book_destroy(struct probe_book *book);

#endif
