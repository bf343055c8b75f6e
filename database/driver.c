/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kinds of database, and calls passed on to them: see driver.h. */
#include "driver.h"

#include <string.h>

/* The last one takes every path. */
static const struct driver_kind *const kinds[] = {&driver_postgres, &driver_sqlite};

enum { KIND_COUNT = sizeof(kinds) / sizeof(kinds[0]) };

const struct driver_kind *driver_kind_of(const char *path) {
    for (int i = 0; i < KIND_COUNT; i++) {
        for (int j = 0; j < 2 && kinds[i]->prefixes[j] != NULL; j++) {
            if (strncmp(path, kinds[i]->prefixes[j], strlen(kinds[i]->prefixes[j])) == 0) {
                return kinds[i];
            }
        }
    }
    return kinds[KIND_COUNT - 1];
}

int driver_open(struct driver **out, const char *path, const struct driver_options *options,
                struct err *err) {
    return driver_kind_of(path)->open(out, path, options, err);
}

int driver_open_reader(struct driver **out, const struct driver *of, struct err *err) {
    return of->kind->open_reader != NULL
               ? of->kind->open_reader(out, of, err)
               : err_set(err, ERR_UNSUPPORTED, "this kind of store has no readers of their own");
}

void driver_close(struct driver *driver) {
    if (driver != NULL) {
        driver->kind->close(driver);
    }
}

int driver_script(struct driver *driver, const char *sql, struct err *err) {
    return driver->kind->script(driver, sql, err);
}

int driver_start(struct driver *driver, int id, const char *sql, const struct value *values,
                 size_t count, struct err *err) {
    return driver->kind->start(driver, id, sql, values, count, err);
}

int driver_post(struct driver *driver, int id, const char *sql, const struct value *values,
                size_t count, struct err *err) {
    if (driver->kind->post != NULL) {
        return driver->kind->post(driver, id, sql, values, count, err);
    }
    int failed = driver_start(driver, id, sql, values, count, err);
    int step = failed == 0 ? driver_step(driver, id, err) : failed;
    if (step > 0) {
        driver_reset(driver, id);
    }
    driver->posted += step >= 0 ? driver_changes(driver) : 0;
    return step < 0 ? step : 0;
}

int64_t driver_posted(struct driver *driver) {
    int64_t posted = driver->posted;
    driver->posted = 0;
    return posted;
}

int driver_step(struct driver *driver, int id, struct err *err) {
    return driver->kind->step(driver, id, err);
}

void driver_reset(struct driver *driver, int id) {
    driver->kind->reset(driver, id);
}

int64_t driver_changes(struct driver *driver) {
    return driver->kind->changes(driver);
}

int64_t driver_integer(struct driver *driver, int id, int column) {
    return driver->kind->integer(driver, id, column);
}

double driver_real(struct driver *driver, int id, int column) {
    return driver->kind->real(driver, id, column);
}

const char *driver_text(struct driver *driver, int id, int column) {
    return driver->kind->text(driver, id, column);
}

int driver_transact(struct driver *driver, enum driver_word word, struct err *err) {
    return driver->kind->transact(driver, word, err);
}

bool driver_in_transaction(struct driver *driver) {
    return driver->kind->in_transaction(driver);
}

int64_t driver_watch_ms(const struct driver *driver) {
    return driver->kind->watch_ms;
}

int driver_watch(struct driver *driver, struct err *err) {
    return driver->kind->watch == NULL ? 0 : driver->kind->watch(driver, err);
}

bool driver_is_lost(const struct driver *driver) {
    return driver->kind->is_lost != NULL && driver->kind->is_lost(driver);
}

void driver_size(struct driver *driver, int64_t *database, int64_t *log) {
    driver->kind->size(driver, database, log);
}

int driver_copy_check(const struct driver *driver, struct err *err) {
    return driver->kind->copy_open != NULL
               ? 0
               : err_set(err, ERR_UNSUPPORTED, "%s", driver->kind->copies);
}

int driver_copy_open(struct driver_copy **out, struct driver *driver, const char *path,
                     struct err *err) {
    int failed = driver_copy_check(driver, err);
    return failed != 0 ? failed : driver->kind->copy_open(out, driver, path, err);
}

int driver_copy_step(struct driver_copy *copy, int pages, int64_t *done, int64_t *total,
                     struct err *err) {
    return copy->kind->copy_step(copy, pages, done, total, err);
}

void driver_copy_close(struct driver_copy *copy) {
    if (copy != NULL) {
        copy->kind->copy_close(copy);
    }
}
