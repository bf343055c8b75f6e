/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the scheduler counts: see metrics.h. */
#include "metrics.h"

#include <assert.h>

#include "common/wire.h"
#include "exposition.h"
#include "scheduler/api/routes.h"
#include "scheduler/publishing/endpoint_rows.h"
#include "state.h"

/* ---- names of labels' values --------------------------------------------------- */

static const char *title_state(int value) {
    return state_name(MACHINE_TITLE, value);
}

static const char *title_event(int value) {
    return state_event_name(MACHINE_TITLE, value);
}

static const char *unit_state(int value) {
    return state_name(MACHINE_UNIT, value);
}

static const char *unit_event(int value) {
    return state_event_name(MACHINE_UNIT, value);
}

static const char *kind(int value) {
    return task_kind_name((enum task_kind)value);
}

static const char *class(int value) {
    return failure_class_name((enum failure_class)value);
}

/* CODEC_NONE is no codec. */
static const char *codec(int value) {
    return value == CODEC_NONE ? NULL : codec_name((enum codec_id)value);
}

/* ---- the families ----------------------------------------------------------------- */

struct label {
    const char *name;                 /* NULL: none */
    int count;                        /* of its values */
    const char *(*value)(int number); /* NULL for a number that has no sample */
};

static const struct family {
    const char *name;
    const char *help;
    enum exposition_kind kind;
    struct label first, second;
} families[METRIC_COUNT] = {
    [METRIC_TITLES] = {"reelfarm_titles",
                       "Titles, by state.",
                       EXPOSITION_GAUGE,
                       {"state", TITLE_STATE_COUNT, title_state},
                       {0}},
    [METRIC_TITLE_EVENTS] = {"reelfarm_title_events_total",
                             "What happened to titles.",
                             EXPOSITION_COUNTER,
                             {"event", TITLE_EVENT_COUNT, title_event},
                             {0}},
    [METRIC_UNITS] = {"reelfarm_units",
                      "Units of the titles' latest runs, by kind and state.",
                      EXPOSITION_GAUGE,
                      {"kind", TASK_KIND_COUNT, kind},
                      {"state", UNIT_STATE_COUNT, unit_state}},
    [METRIC_UNIT_EVENTS] = {"reelfarm_unit_events_total",
                            "What happened to units.",
                            EXPOSITION_COUNTER,
                            {"event", UNIT_EVENT_COUNT, unit_event},
                            {0}},
    [METRIC_LEASES_GRANTED] = {"reelfarm_leases_granted_total",
                               "Tasks given to workers.",
                               EXPOSITION_COUNTER,
                               {"kind", TASK_KIND_COUNT, kind},
                               {0}},
    [METRIC_LEASES_COMPLETED] = {"reelfarm_leases_completed_total",
                                 "Tasks whose results count.",
                                 EXPOSITION_COUNTER,
                                 {"kind", TASK_KIND_COUNT, kind},
                                 {0}},
    [METRIC_LEASES_FAILED] = {"reelfarm_leases_failed_total",
                              "Tasks that failed, by class of failure.",
                              EXPOSITION_COUNTER,
                              {"class", FAILURE_COUNT, class},
                              {0}},
    [METRIC_LEASES_RETURNED] = {"reelfarm_leases_returned_total",
                                "Tasks that workers handed back or never received.",
                                EXPOSITION_COUNTER,
                                {0},
                                {0}},
    [METRIC_LEASES_LOST] = {"reelfarm_leases_lost_total",
                            "Tasks whose workers fell silent.",
                            EXPOSITION_COUNTER,
                            {0},
                            {0}},
    [METRIC_HEDGES] = {"reelfarm_hedges_total",
                       "Tasks that were given to a second worker, their first being slow.",
                       EXPOSITION_COUNTER,
                       {0},
                       {0}},
    [METRIC_HEDGES_WON] = {"reelfarm_hedges_won_total",
                           "Of those, tasks of which the second worker was the quicker.",
                           EXPOSITION_COUNTER,
                           {0},
                           {0}},
    [METRIC_LEASE_SECONDS] = {"reelfarm_lease_duration_seconds",
                              "Time from a task's lease to its result.",
                              EXPOSITION_HISTOGRAM,
                              {"kind", TASK_KIND_COUNT, kind},
                              {0}},
    [METRIC_FRAMES] = {"reelfarm_frames_encoded_total",
                       "Pictures (packets of sound) that were coded and accepted.",
                       EXPOSITION_COUNTER,
                       {"codec", CODEC_COUNT, codec},
                       {0}},
    [METRIC_ENCODE_CPU] = {"reelfarm_encode_cpu_seconds_total",
                           "CPU time of encoders, from accepted results.",
                           EXPOSITION_COUNTER,
                           {"codec", CODEC_COUNT, codec},
                           {0}},
    [METRIC_TASK_CPU] = {"reelfarm_task_cpu_seconds_total",
                         "CPU time of whole tasks, from accepted results.",
                         EXPOSITION_COUNTER,
                         {"kind", TASK_KIND_COUNT, kind},
                         {0}},
    [METRIC_SOURCE_BYTES] = {"reelfarm_source_read_bytes_total",
                             "Bytes of sources that tasks read, from accepted results.",
                             EXPOSITION_COUNTER,
                             {0},
                             {0}},
};

static const histogram_bounds lease_bounds = {0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1200, 3600};
static int values_of(const struct label *label) {
    return label->name == NULL ? 1 : label->count;
}

/* Cells of one value of the first label: a histogram's buckets and then its sum. */
static int width_of(const struct family *family) {
    return family->kind == EXPOSITION_HISTOGRAM ? HISTOGRAM_BUCKETS + 1
                                                : values_of(&family->second);
}

/* The number under which the store keeps a cell. */
static size_t cell(enum metric metric, int first, int second) {
    size_t before = 0;
    for (int i = 0; i < (int)metric; i++) {
        before += (size_t)values_of(&families[i].first) * (size_t)width_of(&families[i]);
    }
    int width = width_of(&families[metric]);
    assert(first >= 0 && first < values_of(&families[metric].first));
    assert(second >= 0 && second < width);
    return before + (size_t)first * (size_t)width + (size_t)second;
}

void metric_add(struct tx *tx, enum metric metric, int first, int second, double delta) {
    tx_count(tx, cell(metric, first, second), delta);
}

void metric_observe(struct tx *tx, enum metric metric, int first, double value) {
    tx_count(tx, cell(metric, first, histogram_bucket(lease_bounds, value)), 1);
    tx_count(tx, cell(metric, first, HISTOGRAM_BUCKETS), value);
}

void metrics_load(struct tx *tx) {
    struct query titles = sql_query(tx, SQL_TITLES_BY_STATE, NULL, 0);
    while (query_next(&titles)) {
        int state = state_from_name(MACHINE_TITLE, query_text(&titles, 0));
        metric_add(tx, METRIC_TITLES, state, 0, (double)query_integer(&titles, 1));
    }
    struct query units = sql_query(tx, SQL_UNITS_BY_STATE, NULL, 0);
    while (query_next(&units)) {
        int of_kind = task_kind_from_name(query_text(&units, 0));
        int state = state_from_name(MACHINE_UNIT, query_text(&units, 1));
        metric_add(tx, METRIC_UNITS, of_kind, state, (double)query_integer(&units, 2));
    }
}

/* ---- writing ------------------------------------------------------------------------ */

static void write_histogram(struct tx *tx, enum metric metric, int first,
                            const struct labels *labels, struct buf *out) {
    struct histogram histogram = {.sum = tx_counted(tx, cell(metric, first, HISTOGRAM_BUCKETS))};
    for (int i = 0; i < HISTOGRAM_BUCKETS; i++) {
        histogram.counts[i] = tx_counted(tx, cell(metric, first, i));
    }
    exposition_histogram(out, families[metric].name, labels, lease_bounds, &histogram);
}

static void write_family(struct tx *tx, enum metric metric, struct buf *out) {
    const struct family *family = &families[metric];
    const struct label *first = &family->first, *second = &family->second;
    exposition_family(out, family->name, family->kind, family->help);
    for (int i = 0; i < values_of(first); i++) {
        struct labels labels = {{{0}}};
        if (first->name != NULL) {
            labels.pairs[0].name = first->name;
            labels.pairs[0].value = first->value(i);
            if (labels.pairs[0].value == NULL) {
                continue;
            }
        }
        if (family->kind == EXPOSITION_HISTOGRAM) {
            write_histogram(tx, metric, i, &labels, out);
            continue;
        }
        for (int j = 0; j < values_of(second); j++) {
            if (second->name != NULL) {
                labels.pairs[1].name = second->name;
                labels.pairs[1].value = second->value(j);
            }
            exposition_sample(out, family->name, &labels, tx_counted(tx, cell(metric, i, j)));
        }
    }
}

static void write_workers(struct tx *tx, struct buf *out) {
    int64_t workers = 0, slots = 0, busy = 0;
    struct query query = sql_query(tx, SQL_SESSIONS, NULL, 0);
    while (query_next(&query)) {
        workers++;
        int64_t has = query_integer(&query, 4), takes = query_integer(&query, 6);
        slots += has;
        busy += takes < has ? takes : has;
    }
    exposition_single(out, "reelfarm_workers", EXPOSITION_GAUGE, "Workers that are registered.",
                      (double)workers);
    exposition_single(out, "reelfarm_slots", EXPOSITION_GAUGE,
                      "Tasks that the workers can run at a time.", (double)slots);
    exposition_single(out, "reelfarm_slots_busy", EXPOSITION_GAUGE, "Slots that tasks take.",
                      (double)busy);
}

static void write_queue(struct tx *tx, struct buf *out) {
    int64_t now = tx_now(tx);
    int64_t oldest = sql_integer(tx, SQL_UNITS_OLDEST_READY, NULL, 0, 0);
    exposition_single(out, "reelfarm_ready_oldest_seconds", EXPOSITION_GAUGE,
                      "How long the oldest of the ready units is ready.",
                      oldest == 0 || oldest > now ? 0 : (double)(now - oldest) / 1000);
}

static void write_store(struct routes *routes, struct buf *out) {
    struct store_facts facts;
    int64_t groups = 0, calls = 0;
    store_look(routes->store, &facts);
    store_counts(routes->store, &groups, &calls);
    exposition_family(out, "reelfarm_store_commit_duration_seconds", EXPOSITION_HISTOGRAM,
                      "Time to bring a group of calls to the disk.");
    exposition_histogram(out, "reelfarm_store_commit_duration_seconds", &(struct labels){0},
                         store_commit_bounds, &facts.commit_seconds);
    exposition_single(out, "reelfarm_store_calls_total", EXPOSITION_COUNTER,
                      "Calls that were committed, many in a group.", (double)calls);
    exposition_single(out, "reelfarm_store_groups_failed_total", EXPOSITION_COUNTER,
                      "Groups of calls that the disk did not take.", (double)facts.failures);
    exposition_family(out, "reelfarm_store_bytes", EXPOSITION_GAUGE,
                      "Size of the store's database and of its write-ahead log.");
    exposition_sample(out, "reelfarm_store_bytes", &(struct labels){{{"file", "database"}}},
                      (double)facts.database_bytes);
    if (facts.log_bytes >= 0) {
        exposition_sample(out, "reelfarm_store_bytes", &(struct labels){{{"file", "log"}}},
                          (double)facts.log_bytes);
    }
}

void metrics_write(struct tx *tx, struct routes *routes, struct buf *out) {
    for (int i = 0; i < METRIC_COUNT; i++) {
        write_family(tx, (enum metric)i, out);
    }
    write_workers(tx, out);
    write_queue(tx, out);
    endpoint_rows_metrics(tx, routes->farm, out);
    write_store(routes, out);
    routes_write_traffic(routes, out);
    exposition_single(out, "reelfarm_feed_followers", EXPOSITION_GAUGE,
                      "Clients that follow the feed as server-sent events.", routes->followers);
    exposition_family(out, "reelfarm_build_info", EXPOSITION_GAUGE, "The version that runs.");
    exposition_sample(out, "reelfarm_build_info", &(struct labels){{{"version", REELFARM_VERSION}}},
                      1);
    metrics_write_process(out);
}
