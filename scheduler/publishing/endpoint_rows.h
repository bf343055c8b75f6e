/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How each endpoint is, as the store has it for all schedulers to come: its breaker, its limit,
 * what was brought there. All calls run inside a transaction; errors are the transaction's.
 */
#ifndef SCHEDULER_PUBLISHING_ENDPOINT_ROWS_H
#define SCHEDULER_PUBLISHING_ENDPOINT_ROWS_H

#include "breaker.h"
#include "endpoints.h"
#include "scheduler/farm.h"

enum { ENDPOINT_ERROR_TEXT = 513 };

struct endpoint_row {
    char name[ENDPOINT_TEXT];
    const struct endpoint *file; /* as the file has it, borrowed; NULL: it has it no more */
    bool is_catalog;
    bool listed;    /* it stood in the file when that was last looked at */
    bool reachable; /* closed and open for filling, when that was last looked at */
    struct breaker breaker;
    struct limit limit;
    char error[ENDPOINT_ERROR_TEXT]; /* of the last failure; "" since a success */
    int64_t granted_at;
    int64_t brought; /* pushes that were done; failed ones; what the former brought */
    int64_t failed;
    int64_t objects;
    int64_t bytes;
    int64_t gone_at;     /* a webhook that said it is no more; 0: it did not */
    int64_t pause_until; /* it asked for a pause till then */
    int64_t leave_until; /* a webhook gave leave to send till then; 0: it did not */
    int64_t leave_rate;  /* requests a minute; 0: any */
    int64_t taken;       /* events, as are the next two */
    int64_t died;
    int64_t lost;    /* dead ones that there was no room for */
    int64_t running; /* pushes, as of endpoint_list_read */
    int64_t here;    /* of them on the worker that asks, as of push_lane_read */
};

struct endpoint_list {
    size_t count;
    struct endpoint_row *rows; /* owned; by name */
};

/* Reads all of them, those too that the file has no more. */
void endpoint_list_read(struct tx *tx, const struct farm *farm, struct endpoint_list *out);
void endpoint_list_finish(struct endpoint_list *list);

/* The row of that name, borrowed; NULL where there is none. */
struct endpoint_row *endpoint_list_find(const struct endpoint_list *list, const char *name);

/* Writes down its breaker, limit and error. */
void endpoint_save(struct tx *tx, const struct endpoint_row *row);

/* Brings the store's endpoints to what the file has; `moved` (ENDPOINTS_MAX) gets which of them is
 * at another place than it was, where nothing is of what was brought, and nothing failed. Whether
 * titles must be looked at again: one is new, is back, has gone, has other rules or has moved. */
bool endpoint_rows_begin(struct tx *tx, const struct farm *farm, bool *moved);

/* Wakes breakers whose pause is over, and looks which endpoints can be reached. Whether that is
 * other than it was for any. */
bool endpoint_rows_look(struct tx *tx, const struct farm *farm);

/* What became of a push. All borrowed. */
struct endpoint_result {
    const struct push_report *push;
    const char *error;  /* "": it succeeded */
    bool failed_before; /* by the endpoint, when the same was tried last */
    bool refused;       /* it answered, and will not have it */
};

/* Takes the result of a push: its breaker goes by it (breaker_counts) and its limit. */
void endpoint_report(struct tx *tx, const struct farm *farm, const char *name,
                     const struct endpoint_result *result);

/* Closes its breaker by hand, and takes up one that was gone; what waits after a failure is tried
 * at once. NOT_FOUND. */
void endpoint_reset(struct tx *tx, const struct farm *farm, const char *name);

/* NOT_FOUND of the transaction, which says what to do of one that the file had, unless the file has
 * such an endpoint; borrowed. */
const struct endpoint *endpoint_get(struct tx *tx, const struct farm *farm, const char *name);

/* Writes all as an array called "endpoints". */
void endpoint_rows_write(struct tx *tx, const struct farm *farm, struct writer *w);

/* Writes their metrics. */
void endpoint_rows_metrics(struct tx *tx, const struct farm *farm, struct buf *out);

#endif
