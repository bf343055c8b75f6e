/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thin driver over SQLite: see store_driver.h. */
#include "store_driver.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"

enum { APPLICATION_ID = 0x52656c66 }; /* "Relf": tells our file from another program's */

struct driver {
    sqlite3 *db;
    char *path;
    sqlite3_stmt *statements[SQL_COUNT];
    bool started[SQL_COUNT];
    sqlite3_stmt *words[DRIVER_WORD_COUNT];
};

static const struct {
    int result;
    enum err_code code;
    const char *advice;
} results[] = {
    {SQLITE_CORRUPT, ERR_CORRUPT, "it is damaged; move it away and run again"},
    {SQLITE_NOTADB, ERR_CORRUPT, "it is no database; move it away and run again"},
    {SQLITE_FULL, ERR_NO_SPACE, "the disk is full; free some space and run again"},
    {SQLITE_BUSY, ERR_CONFLICT, "another reelfarm has it open; wait for it or stop it"},
    {SQLITE_LOCKED, ERR_CONFLICT, "another reelfarm has it open; wait for it or stop it"},
    {SQLITE_CANTOPEN, ERR_INVALID, "it can't be opened; is its folder there and writable?"},
    {SQLITE_READONLY, ERR_INVALID, "it can't be written; check its permissions"},
    {SQLITE_PERM, ERR_INVALID, "it can't be written; check its permissions"},
    {SQLITE_IOERR, ERR_UNAVAILABLE, "the disk does not work; check the system's log"},
};

static int fail_saying(const struct driver *driver, int result, const char *what,
                       const char *message, struct err *err) {
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        if (results[i].result == (result & 0xff)) {
            return err_set(err, results[i].code, "the store %s: %s (%s)", driver->path,
                           results[i].advice, message);
        }
    }
    return err_set(err, ERR_INTERNAL, "the store %s refused '%.60s': %s", driver->path, what,
                   message);
}

static int fail(const struct driver *driver, int result, const char *what, struct err *err) {
    return fail_saying(driver, result, what, sqlite3_errmsg(driver->db), err);
}

int driver_script(struct driver *driver, const char *sql, struct err *err) {
    int result = sqlite3_exec(driver->db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? 0 : fail(driver, result, sql, err);
}

static int prepare(struct driver *driver, const char *sql, sqlite3_stmt **out, struct err *err) {
    int result = sqlite3_prepare_v3(driver->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return result == SQLITE_OK ? 0 : fail(driver, result, sql, err);
}

/* The one value of a pragma's answer, at most 200 bytes of it. */
static int pragma(struct driver *driver, const char *sql, char out[200], struct err *err) {
    sqlite3_stmt *statement = NULL;
    int result = prepare(driver, sql, &statement, err);
    if (result != 0) {
        return result;
    }
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        snprintf(out, 200, "%s", (const char *)sqlite3_column_text(statement, 0));
    } else {
        out[0] = '\0';
        result = step == SQLITE_DONE ? 0 : fail(driver, step, sql, err);
    }
    sqlite3_finalize(statement);
    return result;
}

/* An empty file becomes ours; one with tables of somebody else's is refused. */
static int claim(struct driver *driver, struct err *err) {
    char text[200], mine[200], sql[64];
    int result = pragma(driver, "SELECT count(*) FROM sqlite_schema", text, err);
    if (result == 0) {
        result = pragma(driver, "PRAGMA application_id", mine, err);
    }
    if (result != 0) {
        return result;
    }
    snprintf(sql, sizeof(sql), "%d", APPLICATION_ID);
    if (strcmp(mine, sql) == 0) {
        return 0;
    }
    if (strcmp(text, "0") != 0) {
        return err_set(err, ERR_INVALID, "%s is a database of another program; name another path",
                       driver->path);
    }
    snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", APPLICATION_ID);
    return driver_script(driver, sql, err);
}

static int check(struct driver *driver, struct err *err) {
    char text[200];
    int result = pragma(driver, "PRAGMA quick_check(1)", text, err);
    if (result == 0 && strcmp(text, "ok") != 0) {
        result = err_set(err, ERR_CORRUPT,
                         "the store %s: it is damaged; move it away and run again (%s)",
                         driver->path, text);
    }
    return result;
}

int driver_open(struct driver **out, const char *path, struct err *err) {
    struct driver *driver = mem_zero(1, sizeof(*driver));
    driver->path = mem_string(path);
    int opened = sqlite3_open_v2(
        path, &driver->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_extended_result_codes(driver->db, 1);
    int result = opened == SQLITE_OK ? 0 : fail(driver, opened, path, err);
    if (result == 0) {
        result = claim(driver, err);
    }
    if (result == 0) {
        /* EXCLUSIVE: one process a store, and WAL without shared memory. */
        result = driver_script(driver,
                               "PRAGMA locking_mode = EXCLUSIVE; "
                               "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                               "PRAGMA cache_size = -4096; PRAGMA trusted_schema = OFF; "
                               "BEGIN IMMEDIATE; COMMIT",
                               err);
    }
    if (result == 0) {
        result = check(driver, err);
    }
    if (result != 0) {
        driver_close(driver);
        return result;
    }
    *out = driver;
    return 0;
}

void driver_close(struct driver *driver) {
    if (driver == NULL) {
        return;
    }
    for (int i = 0; i < SQL_COUNT; i++) {
        sqlite3_finalize(driver->statements[i]);
    }
    for (int i = 0; i < DRIVER_WORD_COUNT; i++) {
        sqlite3_finalize(driver->words[i]);
    }
    sqlite3_close(driver->db);
    mem_free(driver->path);
    mem_free(driver);
}

/* Positions follow first appearance in the text ("SELECT $2, $1"), so parameters
 * are bound by name. */
static int bind(struct driver *driver, sqlite3_stmt *statement, const struct value *values,
                size_t count, struct err *err) {
    for (size_t i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof(name), "$%zu", i + 1);
        int at = sqlite3_bind_parameter_index(statement, name);
        assert(at > 0);
        int result;
        if (values[i].type == VALUE_INTEGER) {
            result = sqlite3_bind_int64(statement, at, values[i].integer);
        } else if (values[i].type == VALUE_REAL) {
            result = sqlite3_bind_double(statement, at, values[i].real);
        } else {
            result = sqlite3_bind_text(statement, at, values[i].text, -1, SQLITE_TRANSIENT);
        }
        if (result != SQLITE_OK) {
            return fail(driver, result, sqlite3_sql(statement), err);
        }
    }
    return 0;
}

int driver_start(struct driver *driver, int id, const char *sql, const struct value *values,
                 size_t count, struct err *err) {
    assert(!driver->started[id]);
    if (driver->statements[id] == NULL) {
        int result = prepare(driver, sql, &driver->statements[id], err);
        if (result != 0) {
            return result;
        }
    }
    assert(sqlite3_bind_parameter_count(driver->statements[id]) == (int)count);
    driver->started[id] = true;
    int result = bind(driver, driver->statements[id], values, count, err);
    if (result != 0) {
        driver_reset(driver, id);
    }
    return result;
}

int driver_step(struct driver *driver, int id, struct err *err) {
    assert(driver->started[id]);
    int result = sqlite3_step(driver->statements[id]);
    if (result == SQLITE_ROW) {
        return 1;
    }
    int failure =
        result == SQLITE_DONE ? 0 : fail(driver, result, sqlite3_sql(driver->statements[id]), err);
    driver_reset(driver, id);
    return failure;
}

void driver_reset(struct driver *driver, int id) {
    sqlite3_reset(driver->statements[id]);
    sqlite3_clear_bindings(driver->statements[id]);
    driver->started[id] = false;
}

int64_t driver_changes(struct driver *driver) {
    return sqlite3_changes64(driver->db);
}

int64_t driver_integer(struct driver *driver, int id, int column) {
    return sqlite3_column_int64(driver->statements[id], column);
}

double driver_real(struct driver *driver, int id, int column) {
    return sqlite3_column_double(driver->statements[id], column);
}

const char *driver_text(struct driver *driver, int id, int column) {
    const unsigned char *text = sqlite3_column_text(driver->statements[id], column);
    return text == NULL ? "" : (const char *)text;
}

int driver_transact(struct driver *driver, enum driver_word word, struct err *err) {
    static const char *const texts[DRIVER_WORD_COUNT] = {
        [DRIVER_BEGIN] = "BEGIN IMMEDIATE", [DRIVER_SAVE] = "SAVEPOINT call",
        [DRIVER_KEEP] = "RELEASE call",     [DRIVER_UNDO] = "ROLLBACK TO call",
        [DRIVER_COMMIT] = "COMMIT",         [DRIVER_ROLLBACK] = "ROLLBACK",
    };
    if (driver->words[word] == NULL) {
        int result = prepare(driver, texts[word], &driver->words[word], err);
        if (result != 0) {
            return result;
        }
    }
    int step = sqlite3_step(driver->words[word]);
    int result = step == SQLITE_DONE ? 0 : fail(driver, step, texts[word], err);
    sqlite3_reset(driver->words[word]);
    return result;
}

bool driver_in_transaction(struct driver *driver) {
    return sqlite3_get_autocommit(driver->db) == 0;
}

/* ---- Copies ------------------------------------------------------------------ */

struct driver_copy {
    struct driver to; /* its database alone */
    sqlite3_backup *backup;
};

int driver_copy_open(struct driver_copy **out, struct driver *driver, const char *path,
                     struct err *err) {
    struct driver_copy *copy = mem_zero(1, sizeof(*copy));
    copy->to.path = mem_string(path);
    int opened = sqlite3_open_v2(
        path, &copy->to.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    int result = opened == SQLITE_OK ? 0 : fail(&copy->to, opened, path, err);
    if (result == 0) {
        copy->backup = sqlite3_backup_init(copy->to.db, "main", driver->db, "main");
        result = copy->backup != NULL
                     ? 0
                     : fail(&copy->to, sqlite3_errcode(copy->to.db), "a backup", err);
    }
    if (result != 0) {
        driver_copy_close(copy);
        return result;
    }
    *out = copy;
    return 0;
}

int driver_copy_step(struct driver_copy *copy, int pages, int64_t *done, int64_t *total,
                     struct err *err) {
    int step = sqlite3_backup_step(copy->backup, pages);
    *total = sqlite3_backup_pagecount(copy->backup);
    *done = *total - sqlite3_backup_remaining(copy->backup);
    if (step != SQLITE_DONE) {
        return step == SQLITE_OK
                   ? 1
                   : fail_saying(&copy->to, step, "a backup", sqlite3_errstr(step), err);
    }
    int finished = sqlite3_backup_finish(copy->backup);
    copy->backup = NULL;
    return finished == SQLITE_OK
               ? 0
               : fail_saying(&copy->to, finished, "a backup", sqlite3_errstr(finished), err);
}

void driver_copy_close(struct driver_copy *copy) {
    if (copy != NULL) {
        sqlite3_backup_finish(copy->backup);
        sqlite3_close(copy->to.db);
        mem_free(copy->to.path);
        mem_free(copy);
    }
}
