/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Prometheus' text format: see exposition.h. */
#include "exposition.h"

#include <stdio.h>

void exposition_family(struct buf *out, const char *name, enum exposition_kind kind,
                       const char *help) {
    static const char *const kinds[] = {
        [EXPOSITION_COUNTER] = "counter",
        [EXPOSITION_GAUGE] = "gauge",
        [EXPOSITION_HISTOGRAM] = "histogram",
    };
    buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kinds[kind]);
}

static void write_value(struct buf *out, const char *value) {
    for (; *value != '\0'; value++) {
        if (*value == '\n') {
            buf_string(out, "\\n");
        } else {
            buf_format(out, "%s%c", *value == '\\' || *value == '"' ? "\\" : "", *value);
        }
    }
}

/* A line; `suffix` goes to the name and `bound`, where there is one, is the label "le". */
static void write_line(struct buf *out, const char *name, const char *suffix,
                       const struct labels *labels, const char *bound, double value) {
    char before = '{';
    buf_format(out, "%s%s", name, suffix);
    for (int i = 0; i < EXPOSITION_LABELS && labels->pairs[i].name != NULL; i++) {
        buf_format(out, "%c%s=\"", before, labels->pairs[i].name);
        write_value(out, labels->pairs[i].value);
        buf_string(out, "\"");
        before = ',';
    }
    if (bound != NULL) {
        buf_format(out, "%cle=\"%s\"", before, bound);
        before = ',';
    }
    buf_format(out, "%s %.15g\n", before == ',' ? "}" : "", value);
}

void exposition_sample(struct buf *out, const char *name, const struct labels *labels,
                       double value) {
    write_line(out, name, "", labels, NULL, value);
}

void exposition_single(struct buf *out, const char *name, enum exposition_kind kind,
                       const char *help, double value) {
    exposition_family(out, name, kind, help);
    exposition_sample(out, name, &(struct labels){0}, value);
}

/* ---- histograms ---------------------------------------------------------------- */

int histogram_bucket(const histogram_bounds bounds, double value) {
    int bucket = 0;
    while (bucket < HISTOGRAM_BUCKETS - 1 && value > bounds[bucket]) {
        bucket++;
    }
    return bucket;
}

void histogram_observe(struct histogram *histogram, const histogram_bounds bounds, double value) {
    histogram->counts[histogram_bucket(bounds, value)]++;
    histogram->sum += value;
}

void exposition_histogram(struct buf *out, const char *name, const struct labels *labels,
                          const histogram_bounds bounds, const struct histogram *histogram) {
    double count = 0;
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        char bound[32] = "+Inf";
        if (i < HISTOGRAM_BUCKETS - 1) {
            snprintf(bound, sizeof(bound), "%.15g", bounds[i]);
        }
        count += histogram->counts[i];
        write_line(out, name, "_bucket", labels, bound, count);
    }
    write_line(out, name, "_sum", labels, NULL, histogram->sum);
    write_line(out, name, "_count", labels, NULL, count);
}
