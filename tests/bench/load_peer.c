/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bare loop over the store: see load_peer.h. */
#include "load_peer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/err.h"
#include "common/mem.h"
#include "database/driver.h"
#include "scheduler/store.h"

static const char detail[] = "{\"worker\":\"w1\",\"host\":\"h1\",\"fence\":12345678,"
                             "\"attempt\":1,\"session\":\"abcdefghijklmnopqrstuvwxyz\"}";
static const char session[] = "abcdefghijklmnopqrstuvwxyz";
static const char trace[] = "0123456789abcdef0123456789abcdef";
static char report[1400];

struct unit {
    int64_t id;
    char title[64];
};

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

static void add_event(const struct unit *unit, const char *kind) {
    run(SQL_NUMBERS, VALUES(TEXT("event"), INTEGER(1)));
    run(SQL_TITLE_TRACE, VALUES(TEXT(unit->title)));
    run(SQL_EVENT_ADD, VALUES(INTEGER(event++), INTEGER(1), TEXT(unit->title), INTEGER(unit->id),
                              TEXT(kind), TEXT(detail), TEXT(trace)));
}

static void lease(const struct unit *unit) {
    run(SQL_SESSION_GET, VALUES(TEXT(session)));
    run(SQL_TITLE_GET, VALUES(TEXT(unit->title)));
    run(SQL_NUMBERS, VALUES(TEXT("fence"), INTEGER(1)));
    run(SQL_LEASE_ADD,
        VALUES(INTEGER(fence), TEXT(session), TEXT("w1"), TEXT("h1"), TEXT(unit->title),
               TEXT("video"), TEXT("live"), INTEGER(1), INTEGER(1), REAL(1), INTEGER(1 << 28),
               INTEGER(1 << 28), INTEGER(30000), INTEGER(30001), INTEGER(0)));
    run(SQL_LEASE_UNIT_ADD, VALUES(INTEGER(fence++), INTEGER(unit->id)));
    run(SQL_UNIT_COUNT_ATTEMPT, VALUES(INTEGER(unit->id)));
    run(SQL_UNIT_MOVE, VALUES(INTEGER(unit->id), TEXT("ready"), TEXT("leased"), INTEGER(1)));
    add_event(unit, "unit.lease");
}

static void complete(const struct unit *unit, int64_t of) {
    run(SQL_LEASE_GET, VALUES(INTEGER(of)));
    run(SQL_LEASE_UNITS, VALUES(INTEGER(of)));
    run(SQL_PRODUCT_PUT, VALUES(INTEGER(unit->id), TEXT(report), INTEGER(0), INTEGER(0)));
    run(SQL_UNIT_SET_MADE, VALUES(INTEGER(unit->id), INTEGER(0), INTEGER(0), INTEGER(0)));
    run(SQL_UNIT_MOVE, VALUES(INTEGER(unit->id), TEXT("leased"), TEXT("done"), INTEGER(1)));
    add_event(unit, "unit.complete");
    run(SQL_UNITS_NEEDED_BY_DONE, VALUES(INTEGER(unit->id)));
    run(SQL_LEASE_MOVE, VALUES(INTEGER(of), TEXT("live"), TEXT("ended")));
    run(SQL_TITLE_ADD_STATS, VALUES(TEXT(unit->title), INTEGER(100), INTEGER(0), REAL(2), REAL(0),
                                    REAL(0), REAL(0), REAL(1), INTEGER(1 << 20)));
    run(SQL_TITLE_GET, VALUES(TEXT(unit->title)));
    for (int row = 1; row <= 2; row++) { /* of the task's class, and of its host */
        run(SQL_MODEL_SET, VALUES(INTEGER(row), INTEGER(1), REAL(1), REAL(1), REAL(1), REAL(1),
                                  REAL(1), REAL(1), REAL(1), REAL(1)));
    }
}

/* The next ready units of the queue. */
static int find_units(struct unit *units, int count) {
    int found = 0;
    struct value kinds = TEXT("video");
    for (int build = 0; build < 3 && found < count; build++) {
        int id = SQL_UNITS_READY;
        const struct value values[] = {TEXT(""),
                                       INTEGER(0),
                                       INTEGER(build),
                                       INTEGER(INT64_MAX),
                                       INTEGER(count - found),
                                       kinds,
                                       kinds,
                                       kinds,
                                       kinds,
                                       kinds,
                                       kinds};
        int step = driver_start(driver, id, store_sql(SQL_UNITS_READY), values,
                                sizeof(values) / sizeof(values[0]), &err);
        while (step == 0 && driver_step(driver, id, &err) > 0) {
            units[found].id = driver_integer(driver, id, 0);
            snprintf(units[found].title, sizeof(units[found].title), "%s",
                     driver_text(driver, id, 1));
            found++;
        }
    }
    return found;
}

int load_peer(const char *store, double seconds, int group) {
    struct unit *units = mem_zero((size_t)group, sizeof(*units));
    int64_t pairs = 0;
    memset(report, 'x', sizeof(report) - 1);
    struct driver_options how = store_driver_options();
    if (driver_open(&driver, store, &how, &err) != 0) {
        fprintf(stderr, "bench-load: %s\n", err.message);
        return 1;
    }
    int64_t began = clock_monotonic_ns();
    int64_t end = began + (int64_t)(seconds * 1e9);
    while (clock_monotonic_ns() < end && err.code == ERR_NONE) {
        driver_transact(driver, DRIVER_BEGIN, &err);
        int count = find_units(units, group);
        int64_t first = fence;
        for (int i = 0; i < count; i++) {
            lease(&units[i]);
        }
        driver_transact(driver, DRIVER_COMMIT, &err);
        driver_transact(driver, DRIVER_BEGIN, &err);
        for (int i = 0; i < count; i++) {
            complete(&units[i], first + i);
        }
        driver_transact(driver, DRIVER_COMMIT, &err);
        pairs += count;
        if (count < group) {
            fprintf(stderr, "bench-load: the store has too few units\n");
            return 1;
        }
    }
    printf("{\"pairs_per_s\": %.1f}\n",
           (double)pairs / (1e-9 * (double)(clock_monotonic_ns() - began)));
    driver_close(driver);
    mem_free(units);
    return 0;
}
