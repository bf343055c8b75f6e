/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How leases end: by a result, a failure or a loss (ARCHITECTURE sections 5 and 7).
 * Failures are the task's fault and have budgets by class; losses are the worker's
 * and are counted apart. All calls run inside a transaction.
 */
#ifndef SCHEDULER_OUTCOME_H
#define SCHEDULER_OUTCOME_H

#include "farm.h"

enum answer {
    ANSWER_ACCEPTED, /* at least one unit took the result */
    ANSWER_DROPPED,  /* an equal duplicate, or nobody wants it any more */
    ANSWER_CONFLICT, /* another result than the accepted one, or the lease is not live */
};

/* A result. NOT_FOUND for a fence never given in this run of the title; INVALID for
 * a report that does not fit the lease. What it changed stays in every answer. */
enum answer outcome_complete(struct tx *tx, struct farm *farm, int64_t fence,
                             const struct task_report *report);

/* Whether a task that failed so may be tried again. */
bool outcome_may_retry(enum failure_class class);

struct failure {
    enum failure_class class;
    const char *message;  /* a sentence */
    const int64_t *units; /* missing, or to blame; may be NULL */
    size_t unit_count;
};

/* A failure. Errors as above. */
enum answer outcome_fail(struct tx *tx, struct farm *farm, int64_t fence,
                         const struct failure *failure);

/* Ends a lease without a word from its task: by LEASE_LOSE, which is counted, or
 * LEASE_RETURN, LEASE_QUIET, which are not. Units of a live one are ready again. */
void outcome_drop(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                  enum lease_event event);

/* Detail of an event about a lease: fence, worker, host, attempt and, where given,
 * class and message. Appends a JSON object. */
void outcome_detail(struct buf *out, const struct lease_row *lease, const char *failure,
                    const char *message);

#endif
