/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What work really takes, learned from reports: how far the clock and the memory of a class of
 * units (encoder, preset, size of picture) lie from the table of plan_task.c, how much
 * faster or slower a host is than others, and a worker than others on its host. Pure: logarithms of
 * ratios, exponentially weighted, of which one wild report moves little. estimate.h has it in the
 * store.
 */
#ifndef SCHEDULER_MODEL_H
#define SCHEDULER_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_NAME_TEXT = 320 };

/* Logarithms of measured over expected. A zeroed one knows nothing. */
struct model_fit {
    double weight; /* of reports, the old ones less: at most MODEL_WEIGHT_MAX */
    double mean;
    double variance;
    double most; /* the largest of late */
};

enum {
    MODEL_WEIGHT_MAX = 30,     /* reports that count: what was long ago is forgotten */
    MODEL_MEMORY_REPORTS = 12, /* before the table's memory is doubted */
};

/* A class of units, a host or a worker. */
struct model_row {
    int64_t id;
    char name[MODEL_NAME_TEXT];
    struct model_fit wall; /* seconds by the clock */
    struct model_fit
        memory; /* largest resident set of tasks whose costliest unit is of the class */
};

/* All of them; free with model_finish. */
struct model {
    bool loaded;
    size_t count;
    struct model_row *rows; /* by rising id */
    size_t *places;         /* of rows by their names' hashes, from 1; 0: free */
    size_t place_count;     /* a power of 2, at least twice the count */
};

void model_finish(struct model *model);

/* The row of an id, NULL where there is none. Borrowed until the next change. */
struct model_row *model_find(const struct model *model, int64_t id);
struct model_row *model_find_name(const struct model *model, const char *name);

/* Adds a row, whose id is larger than all before. Borrowed as above. */
struct model_row *model_add(struct model *model, int64_t id, const char *name);

/* Names of rows: of pictures by encoder, preset and size to the next power of two; of a
 * host; of a worker. */
void model_class_name(char out[MODEL_NAME_TEXT], const char *encoder, const char *preset,
                      int64_t pixels);
void model_host_name(char out[MODEL_NAME_TEXT], const char *host);
void model_worker_name(char out[MODEL_NAME_TEXT], const char *worker);

/* Takes a report in: `measured` over `expected`, of which `share` (0 to 1) is this row's. One
 * that is not above 0 is no report. */
void model_learn(struct model_fit *fit, double measured, double expected, double share);

/* By how much to multiply what the table says: 1 where nothing is known, and the nearer to what
 * was measured the more reports there are. NULL knows nothing. */
double model_factor(const struct model_fit *fit);

/* Within which factor most tasks are: 3 where nothing is known, less as reports agree. */
double model_spread(const struct model_fit *fit);

/*
 * Memory to set aside for a task of which the table says `table_bytes`, at most so much: the
 * table's own until there are MODEL_MEMORY_REPORTS; then above the largest peak of late and
 * three times the usual spread, and a quarter more.
 */
int64_t model_memory(const struct model_fit *fit, int64_t table_bytes);

#endif
