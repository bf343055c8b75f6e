/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prometheus' text format 0.0.4, and histograms. Pure. Families are written one after
 * another: exposition_family, then all its samples.
 */
#ifndef SCHEDULER_EXPOSITION_H
#define SCHEDULER_EXPOSITION_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define EXPOSITION_TYPE "text/plain; version=0.0.4; charset=utf-8"

enum exposition_kind { EXPOSITION_COUNTER, EXPOSITION_GAUGE, EXPOSITION_HISTOGRAM };

/* Labels of a sample, up to the first without a name. Values are any text. */
enum { EXPOSITION_LABELS = 3 };
struct labels {
    struct {
        const char *name;
        const char *value;
    } pairs[EXPOSITION_LABELS];
};

/* The HELP and TYPE lines of a family; `help` is one sentence without a newline. */
void exposition_family(struct buf *out, const char *name, enum exposition_kind kind,
                       const char *help);

/* One sample of a counter or gauge. */
void exposition_sample(struct buf *out, const char *name, const struct labels *labels,
                       double value);

/* A family with a single sample without labels. */
void exposition_single(struct buf *out, const char *name, enum exposition_kind kind,
                       const char *help, double value);

/* ---- histograms ---------------------------------------------------------------- */

enum { HISTOGRAM_BUCKETS = 12 };

/* Upper bounds of all buckets but the last, which has none; rising. */
typedef double histogram_bounds[HISTOGRAM_BUCKETS - 1];

struct histogram {
    double counts[HISTOGRAM_BUCKETS]; /* not summed up */
    double sum;
};

/* The bucket of a value. */
int histogram_bucket(const histogram_bounds bounds, double value);

/* Counts a value in its bucket, and adds it to the sum. */
void histogram_observe(struct histogram *histogram, const histogram_bounds bounds, double value);

/* The samples of one histogram: NAME_bucket, NAME_sum and NAME_count. */
void exposition_histogram(struct buf *out, const char *name, const struct labels *labels,
                          const histogram_bounds bounds, const struct histogram *histogram);

#endif
