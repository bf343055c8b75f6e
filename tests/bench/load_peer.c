/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bare loop over the store: see load_peer.h. */
#include "load_peer.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/id.h"
#include "common/mem.h"
#include "database/driver.h"
#include "scheduler/store.h"

static const char detail[] = "{\"worker\":\"w1\",\"host\":\"h1\",\"fence\":12345678,"
                             "\"attempt\":1,\"session\":\"abcdefghijklmnopqrstuvwxyz\"}";
static const char trace[] = "0123456789abcdef0123456789abcdef";
static const char *report;

enum { WORKERS = 64, BUILDS = 3 };

struct unit {
    int64_t id;
    char title[64];
};

/* One of those that call in turn. */
struct worker {
    char session[ID_TEXT];
    char name[16];
    char host[16];
};

static struct worker workers[WORKERS];

static struct driver *driver;
static struct err err;
static int64_t fence = INT64_C(1) << 60, event = INT64_C(1) << 60;

/* Runs a statement to its end, reading all its rows. */
static void run(enum sql_id id, const struct value *values, size_t count) {
    int step = driver_start(driver, (int)id, store_sql(id), values, count, &err);
    while (step == 0 && (step = driver_step(driver, (int)id, &err)) > 0) {
        step = 0;
    }
    if (err.code != ERR_NONE) {
        fprintf(stderr, "bench-load: %s\n", err.message);
        exit(1);
    }
}

/* The same of one that nobody waits for. */
static void put(enum sql_id id, const struct value *values, size_t count) {
    if (driver_post(driver, (int)id, store_sql(id), values, count, &err) != 0) {
        fprintf(stderr, "bench-load: %s\n", err.message);
        exit(1);
    }
}

static void add_event(const struct unit *unit, const char *kind) {
    run(SQL_TITLE_TRACE, VALUES(TEXT(unit->title)));
    put(SQL_EVENT_ADD, VALUES(INTEGER(event++), INTEGER(1), TEXT(unit->title), INTEGER(unit->id),
                              TEXT(kind), TEXT(detail), TEXT(trace)));
}

/* The next ready unit that the worker may be given; whether there is one. */
static bool find_unit(const struct worker *worker, struct unit *unit) {
    bool found = false;
    const struct value kinds = TEXT("video");
    run(SQL_SESSION_GET, VALUES(TEXT(worker->session)));
    run(SQL_DRAINS, VALUES(TEXT(worker->name)));
    run(SQL_ENCODER_BUILDS, VALUES(TEXT(worker->session)));
    for (int build = 0; build < BUILDS && !found; build++) {
        const int id = SQL_UNITS_READY;
        int step = driver_start(driver, id, store_sql(SQL_UNITS_READY),
                                VALUES(TEXT(""), INTEGER(0), INTEGER(build), INTEGER(INT64_MAX),
                                       INTEGER(1), kinds, kinds, kinds, kinds, kinds, kinds, kinds,
                                       kinds, kinds, kinds),
                                &err);
        while (step == 0 && driver_step(driver, id, &err) > 0) {
            unit->id = driver_integer(driver, id, 0);
            snprintf(unit->title, sizeof(unit->title), "%s", driver_text(driver, id, 1));
            found = true;
        }
    }
    return found;
}

static bool lease(const struct worker *worker, struct unit *unit) {
    if (!find_unit(worker, unit)) {
        return false;
    }
    run(SQL_TITLE_GET, VALUES(TEXT(unit->title)));
    put(SQL_LEASE_ADD, VALUES(INTEGER(fence), TEXT(worker->session), TEXT(worker->name),
                              TEXT(worker->host), TEXT(unit->title), TEXT("video"), TEXT("live"),
                              INTEGER(1), INTEGER(1), REAL(1), INTEGER(1 << 28), INTEGER(1 << 28),
                              INTEGER(30000), INTEGER(fence), INTEGER(0), INTEGER(1)));
    put(SQL_LEASE_UNIT_ADD, VALUES(INTEGER(fence++), INTEGER(unit->id)));
    put(SQL_UNIT_COUNT_ATTEMPT, VALUES(INTEGER(unit->id)));
    run(SQL_UNIT_MOVE, VALUES(INTEGER(unit->id), TEXT("ready"), TEXT("leased"), INTEGER(1)));
    add_event(unit, "unit.lease");
    return true;
}

static void complete(const struct unit *unit, int64_t of) {
    run(SQL_LEASE_GET, VALUES(INTEGER(of)));
    run(SQL_LEASE_UNITS, VALUES(INTEGER(of)));
    put(SQL_PRODUCT_PUT, VALUES(INTEGER(unit->id), TEXT(report), INTEGER(0), INTEGER(0)));
    put(SQL_UNIT_SET_MADE, VALUES(INTEGER(unit->id), INTEGER(0), INTEGER(0), INTEGER(0)));
    run(SQL_UNIT_MOVE, VALUES(INTEGER(unit->id), TEXT("leased"), TEXT("done"), INTEGER(1)));
    add_event(unit, "unit.complete");
    run(SQL_UNITS_NEEDED_BY_DONE, VALUES(INTEGER(unit->id)));
    run(SQL_LEASE_MOVE, VALUES(INTEGER(of), TEXT("live"), TEXT("ended")));
    put(SQL_TITLE_ADD_STATS, VALUES(TEXT(unit->title), INTEGER(100), INTEGER(0), REAL(2), REAL(0),
                                    REAL(0), REAL(0), REAL(1), INTEGER(1 << 20)));
    run(SQL_TITLE_GET, VALUES(TEXT(unit->title)));
    for (int row = 1; row <= 2; row++) { /* of the task's class, and of its host */
        put(SQL_MODEL_SET, VALUES(INTEGER(row), INTEGER(1), REAL(1), REAL(1), REAL(1), REAL(1),
                                  REAL(1), REAL(1), REAL(1), REAL(1)));
    }
}

/* Workers as load.c has them, with an encoder of each build line. */
static void join_all(void) {
    for (int i = 0; i < WORKERS; i++) {
        struct worker *worker = &workers[i];
        id_make(worker->session);
        snprintf(worker->name, sizeof(worker->name), "w%d", i);
        snprintf(worker->host, sizeof(worker->host), "h%d", i);
        put(SQL_SESSION_ADD, VALUES(TEXT(worker->session), TEXT(worker->name), TEXT(worker->host),
                                    INTEGER(1), INTEGER(1), INTEGER(INT64_C(8) << 30), INTEGER(1),
                                    INTEGER(1), INTEGER(0), INTEGER(0)));
        for (int build = 1; build < BUILDS; build++) {
            put(SQL_ENCODER_ADD,
                VALUES(TEXT(worker->session), TEXT(build == 1 ? "x264" : "aac"),
                       TEXT(build == 1 ? "h264" : "aac"), INTEGER(build), INTEGER(0)));
        }
    }
}

static void commit(void) {
    put(SQL_NUMBER_SET, VALUES(TEXT("event"), INTEGER(event)));
    driver_transact(driver, DRIVER_COMMIT, &err);
}

/* One transaction of leases and one of their completions; whether there was enough to lease. */
static bool work_group(struct unit *units, int group) {
    static int next;
    int64_t first = fence;
    int count = 0;
    driver_transact(driver, DRIVER_BEGIN, &err);
    while (count < group && lease(&workers[next++ % WORKERS], &units[count])) {
        count++;
    }
    put(SQL_NUMBER_SET, VALUES(TEXT("fence"), INTEGER(fence)));
    commit();
    driver_transact(driver, DRIVER_BEGIN, &err);
    for (int i = 0; i < count; i++) {
        complete(&units[i], first + i);
    }
    commit();
    return count == group;
}

/* CPU seconds of this process until now. */
static double cpu_now(void) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           1e-6 * (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

int load_peer(const char *store, double seconds, int group, const char *unit_report) {
    struct unit *units = mem_zero((size_t)group, sizeof(*units));
    int64_t pairs = 0;
    bool enough = true;
    report = unit_report;
    struct driver_options how = store_driver_options();
    if (driver_open(&driver, store, &how, &err) != 0) {
        fprintf(stderr, "bench-load: %s\n", err.message);
        return 1;
    }
    join_all();
    double cpu_s = cpu_now();
    int64_t began = clock_monotonic_ns();
    int64_t end = began + (int64_t)(seconds * 1e9);
    while (clock_monotonic_ns() < end && enough) {
        enough = work_group(units, group);
        pairs += group;
    }
    double took = 1e-9 * (double)(clock_monotonic_ns() - began);
    cpu_s = cpu_now() - cpu_s;
    driver_close(driver);
    mem_free(units);
    if (err.code != ERR_NONE || !enough) {
        fprintf(stderr, "bench-load: %s\n", enough ? err.message : "the store has too few units");
        return 1;
    }
    printf("{\"pairs_per_s\": %.1f, \"pairs\": %lld, \"cpu_s\": %.3f}\n", (double)pairs / took,
           (long long)pairs, cpu_s);
    return 0;
}
