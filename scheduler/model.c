/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What work really takes: see model.h. */
#include "model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

/* ln 3: the table is right within a factor of 3. Counts as so many reports. */
static const double first_deviation = 1.0986;
static const double first_weight = 2;
static const double least_deviation = 0.05;
static const double farthest = 7;      /* a ratio of 1,100 is a fault of the clock */
static const double most_sinks = 0.02; /* of its distance to the mean, with each report */

static const int64_t memory_room = INT64_C(64) << 20;

void model_finish(struct model *model) {
    mem_free(model->rows);
    mem_free(model->places);
    *model = (struct model){0};
}

struct model_row *model_find(const struct model *model, int64_t id) {
    size_t from = 0;
    size_t to = model->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (model->rows[middle].id == id) {
            return &model->rows[middle];
        }
        if (model->rows[middle].id < id) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return NULL;
}

/* Where the row of a name is, or would be. */
static size_t *find_place(const struct model *model, const char *name) {
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (const char *at = name; *at != '\0'; at++) {
        hash = (hash ^ (unsigned char)*at) * UINT64_C(1099511628211);
    }
    size_t at = (size_t)hash & (model->place_count - 1);
    while (model->places[at] != 0 && strcmp(model->rows[model->places[at] - 1].name, name) != 0) {
        at = (at + 1) & (model->place_count - 1);
    }
    return &model->places[at];
}

struct model_row *model_find_name(const struct model *model, const char *name) {
    size_t place = model->place_count == 0 ? 0 : *find_place(model, name);
    return place == 0 ? NULL : &model->rows[place - 1];
}

static void make_places(struct model *model) {
    mem_free(model->places);
    model->place_count = model->place_count == 0 ? 16 : 2 * model->place_count;
    model->places = mem_zero(model->place_count, sizeof(*model->places));
    for (size_t i = 0; i < model->count; i++) {
        *find_place(model, model->rows[i].name) = i + 1;
    }
}

struct model_row *model_add(struct model *model, int64_t id, const char *name) {
    model->rows = mem_resize(model->rows, model->count + 1, sizeof(*model->rows));
    struct model_row *row = &model->rows[model->count++];
    *row = (struct model_row){.id = id};
    snprintf(row->name, sizeof(row->name), "%s", name);
    if (2 * model->count > model->place_count) {
        make_places(model);
    } else {
        *find_place(model, row->name) = model->count;
    }
    return row;
}

void model_class_name(char out[MODEL_NAME_TEXT], const char *encoder, const char *preset,
                      int64_t pixels) {
    int power = 0;
    while (power < 62 && (INT64_C(1) << power) < pixels) {
        power++;
    }
    snprintf(out, MODEL_NAME_TEXT, "class %.60s %.60s %d", encoder, preset, power);
}

void model_host_name(char out[MODEL_NAME_TEXT], const char *host) {
    snprintf(out, MODEL_NAME_TEXT, "host %.255s", host);
}

void model_worker_name(char out[MODEL_NAME_TEXT], const char *worker) {
    snprintf(out, MODEL_NAME_TEXT, "worker %.255s", worker);
}

/* The deviation of the logarithms, the first guess counted in. */
static double deviation(const struct model_fit *fit) {
    double first = first_deviation * first_deviation * first_weight;
    double result = sqrt((first + fit->variance * fit->weight) / (first_weight + fit->weight));
    return result > least_deviation ? result : least_deviation;
}

void model_learn(struct model_fit *fit, double measured, double expected, double share) {
    if (!(measured > 0) || !(expected > 0) || !(share > 0)) {
        return;
    }
    double ratio = fmax(-farthest, fmin(farthest, log(measured / expected)));
    double bound = 3 * deviation(fit); /* a wild one is news, but not all of the news */
    double news = fmax(-bound, fmin(bound, ratio - fit->mean));
    double weight = fmin(fit->weight + share, MODEL_WEIGHT_MAX);
    double rate = fmin(share / weight, 1);
    bool is_first = fit->weight == 0;
    fit->weight = weight;
    fit->mean += rate * news;
    fit->variance = is_first ? 0 : (1 - rate) * (fit->variance + rate * news * news);
    fit->most -= most_sinks * share * (fit->most - fit->mean);
    fit->most = is_first ? ratio : fmax(fit->most, ratio);
}

double model_factor(const struct model_fit *fit) {
    return fit == NULL ? 1 : exp(fit->mean * fit->weight / (fit->weight + 1));
}

double model_spread(const struct model_fit *fit) {
    static const struct model_fit nothing;
    return exp(deviation(fit == NULL ? &nothing : fit));
}

int64_t model_memory(const struct model_fit *fit, int64_t table_bytes) {
    if (fit == NULL || fit->weight < MODEL_MEMORY_REPORTS) {
        return table_bytes;
    }
    double log_ratio = fmax(fit->most, fit->mean + 3 * sqrt(fit->variance));
    double bytes = (double)table_bytes * exp(log_ratio) * 1.25 + (double)memory_room;
    return bytes < (double)table_bytes ? (int64_t)bytes : table_bytes;
}
