/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the scheduler counts of its own work, for GET /metrics. The numbers are kept in
 * memory by the store (tx_count), so that a number tells only of what is on the disk and
 * a scrape reads no table of titles or units. Counters begin at 0 with each start.
 */
#ifndef SCHEDULER_METRICS_H
#define SCHEDULER_METRICS_H

#include "store.h"

struct routes;

enum metric {
    METRIC_TITLES,           /* gauge: state */
    METRIC_TITLE_EVENTS,     /* event */
    METRIC_UNITS,            /* gauge: kind, state */
    METRIC_UNIT_EVENTS,      /* event */
    METRIC_LEASES_GRANTED,   /* kind */
    METRIC_LEASES_COMPLETED, /* kind */
    METRIC_LEASES_FAILED,    /* class of failure */
    METRIC_LEASES_RETURNED,
    METRIC_LEASES_LOST,
    METRIC_HEDGES,
    METRIC_HEDGES_WON,
    METRIC_LEASE_SECONDS, /* histogram: kind */
    METRIC_FRAMES,        /* codec */
    METRIC_ENCODE_CPU,    /* codec */
    METRIC_TASK_CPU,      /* kind */
    METRIC_SOURCE_BYTES,
    METRIC_COUNT
};

/* Adds to a metric, once the transaction is on the disk. `first` and `second` number the
 * values of its labels, as in the enums that they come from; 0 where there is none. */
void metric_add(struct tx *tx, enum metric metric, int first, int second, double delta);

/* The same for a value of a histogram. */
void metric_observe(struct tx *tx, enum metric metric, int first, double value);

/* Sets the gauges from what the store holds: once, at the start. */
void metrics_load(struct tx *tx);

/* Writes all families, these and those of HTTP, the store and the process. */
void metrics_write(struct tx *tx, struct routes *routes, struct buf *out);

/* Writes those of the process; Linux's /proc tells. */
void metrics_write_process(struct buf *out);

#endif
