/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The thin driver over SQLite, one file and one process a store: see driver.h. */
#include "driver.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/fs.h"
#include "common/mem.h"

enum {
    PARAMETERS_MAX = 32,  /* of a statement */
    UNDO_BYTES = 0x1ffff, /* of a savepoint that are kept in memory: SQLite can write no more of
                             them at once to the file where they go if there are more */
};

struct sqlite {
    struct driver driver;
    sqlite3 *db;
    char *path;
    struct fs_lock lock; /* where there are readers: SQLite's own lock would keep them out */
    int statement_count;
    sqlite3_stmt **statements;
    unsigned char (*places)[PARAMETERS_MAX]; /* of $1, $2 ... among the parameters */
    bool *started;
    sqlite3_stmt *words[DRIVER_WORD_COUNT];
    bool damaged; /* it was met */
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

/* The library tells a full disk from a broken one where it writes pages; not where it makes the
 * file that the log is indexed in, and not of a quota. */
static int told_apart(const struct sqlite *sqlite, int result) {
    int cause = (result & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(sqlite->db) : 0;
    return cause == ENOSPC || cause == EDQUOT ? SQLITE_FULL : result & 0xff;
}

static int fail_saying(struct sqlite *sqlite, int result, const char *what, const char *message,
                       struct err *err) {
    int kind = told_apart(sqlite, result);
    sqlite->damaged = sqlite->damaged || kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB;
    for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
        if (results[i].result == kind) {
            return err_set(err, results[i].code, "the store %s: %s (%s)", sqlite->path,
                           results[i].advice, message);
        }
    }
    return err_set(err, ERR_INTERNAL, "the store %s refused '%.60s': %s", sqlite->path, what,
                   message);
}

static int fail(struct sqlite *sqlite, int result, const char *what, struct err *err) {
    return fail_saying(sqlite, result, what, sqlite3_errmsg(sqlite->db), err);
}

static int script(struct sqlite *sqlite, const char *sql, struct err *err) {
    int result = sqlite3_exec(sqlite->db, sql, NULL, NULL, NULL);
    return result == SQLITE_OK ? 0 : fail(sqlite, result, sql, err);
}

static int prepare(struct sqlite *sqlite, const char *sql, sqlite3_stmt **out, struct err *err) {
    int result = sqlite3_prepare_v3(sqlite->db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL);
    return result == SQLITE_OK ? 0 : fail(sqlite, result, sql, err);
}

static int sqlite_script(struct driver *driver, const char *sql, struct err *err) {
    return script((struct sqlite *)driver, sql, err);
}

/* The one value of a pragma's answer, at most 200 bytes of it. */
static int pragma(struct sqlite *sqlite, const char *sql, char out[200], struct err *err) {
    sqlite3_stmt *statement = NULL;
    int result = prepare(sqlite, sql, &statement, err);
    if (result != 0) {
        return result;
    }
    int step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        snprintf(out, 200, "%s", (const char *)sqlite3_column_text(statement, 0));
    } else {
        out[0] = '\0';
        result = step == SQLITE_DONE ? 0 : fail(sqlite, step, sql, err);
    }
    sqlite3_finalize(statement);
    return result;
}

/* An empty file becomes ours; one with tables of somebody else's is refused. */
static int claim(struct sqlite *sqlite, int application_id, struct err *err) {
    char text[200], mine[200], sql[64];
    int result = pragma(sqlite, "SELECT count(*) FROM sqlite_schema", text, err);
    if (result == 0) {
        result = pragma(sqlite, "PRAGMA application_id", mine, err);
    }
    if (result != 0) {
        return result;
    }
    snprintf(sql, sizeof(sql), "%d", application_id);
    if (strcmp(mine, sql) == 0) {
        return 0;
    }
    if (strcmp(text, "0") != 0) {
        return err_set(err, ERR_INVALID, "%s is a database of another program; name another path",
                       sqlite->path);
    }
    snprintf(sql, sizeof(sql), "PRAGMA application_id = %d", application_id);
    return script(sqlite, sql, err);
}

static int check(struct sqlite *sqlite, struct err *err) {
    char text[200];
    int result = pragma(sqlite, "PRAGMA quick_check(1)", text, err);
    if (result == 0 && strcmp(text, "ok") != 0) {
        result = err_set(err, ERR_CORRUPT,
                         "the store %s: it is damaged; move it away and run again (%s)",
                         sqlite->path, text);
    }
    return result;
}

static void sqlite_close(struct driver *driver) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    for (int i = 0; i < sqlite->statement_count; i++) {
        sqlite3_finalize(sqlite->statements[i]);
    }
    for (int i = 0; i < DRIVER_WORD_COUNT; i++) {
        sqlite3_finalize(sqlite->words[i]);
    }
    sqlite3_close(sqlite->db);
    mem_free(sqlite->statements);
    mem_free(sqlite->places);
    fs_lock_release(&sqlite->lock);
    mem_free(sqlite->started);
    mem_free(sqlite->path);
    mem_free(sqlite);
}

/* A connection without a database yet. */
static struct sqlite *create(const char *path, int statement_count) {
    struct sqlite *sqlite = mem_zero(1, sizeof(*sqlite));
    sqlite->driver.kind = &driver_sqlite;
    sqlite->path = mem_string(path);
    sqlite->lock.fd = -1;
    sqlite->statement_count = statement_count;
    sqlite->statements = mem_zero((size_t)statement_count, sizeof(*sqlite->statements));
    sqlite->places = mem_zero((size_t)statement_count, sizeof(*sqlite->places));
    sqlite->started = mem_zero((size_t)statement_count, sizeof(*sqlite->started));
    return sqlite;
}

static int connect(struct sqlite *sqlite, int flags, struct err *err) {
    int opened = sqlite3_open_v2(sqlite->path, &sqlite->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
    sqlite3_extended_result_codes(sqlite->db, 1);
    return opened == SQLITE_OK ? 0 : fail(sqlite, opened, sqlite->path, err);
}

static int lock_beside(struct sqlite *sqlite, struct err *err) {
    char *path = mem_format("%s-lock", sqlite->path);
    int result = fs_lock_take(&sqlite->lock, path, err);
    mem_free(path);
    return result;
}

static int sqlite_open(struct driver **out, const char *path, const struct driver_options *options,
                       struct err *err) {
    struct sqlite *sqlite = create(path, options->statement_count);
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* its statistics lock each allocation */
    sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, UNDO_BYTES);
    int result = options->has_readers ? lock_beside(sqlite, err) : 0;
    if (result == 0) {
        result = connect(sqlite, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err);
    }
    if (result == 0) {
        result = claim(sqlite, options->application_id, err);
    }
    if (result == 0 && !options->has_readers) {
        /* One process a store, and WAL without shared memory. */
        result = script(sqlite, "PRAGMA locking_mode = EXCLUSIVE", err);
    }
    if (result == 0) {
        result = script(sqlite,
                        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; "
                        "PRAGMA cache_size = -4096; PRAGMA trusted_schema = OFF; "
                        "BEGIN IMMEDIATE; COMMIT",
                        err);
    }
    if (result == 0) {
        result = check(sqlite, err);
    }
    if (result != 0) {
        sqlite_close(&sqlite->driver);
        return result;
    }
    *out = &sqlite->driver;
    return 0;
}

static int sqlite_open_reader(struct driver **out, const struct driver *of, struct err *err) {
    const struct sqlite *writer = (const struct sqlite *)of;
    struct sqlite *sqlite = create(writer->path, writer->statement_count);
    int result = connect(sqlite, SQLITE_OPEN_READONLY, err);
    if (result == 0) {
        result = script(sqlite, "PRAGMA trusted_schema = OFF", err);
    }
    if (result != 0) {
        sqlite_close(&sqlite->driver);
        return result;
    }
    *out = &sqlite->driver;
    return 0;
}

/* Positions follow first appearance in the text ("SELECT $2, $1"), so parameters are found by
 * name, once. */
static void find_places(struct sqlite *sqlite, int id) {
    int count = sqlite3_bind_parameter_count(sqlite->statements[id]);
    assert(count <= PARAMETERS_MAX);
    for (int i = 0; i < count; i++) {
        char name[24];
        snprintf(name, sizeof(name), "$%d", i + 1);
        int at = sqlite3_bind_parameter_index(sqlite->statements[id], name);
        assert(at > 0);
        sqlite->places[id][i] = (unsigned char)at;
    }
}

static int bind(struct sqlite *sqlite, int id, const struct value *values, size_t count,
                struct err *err) {
    sqlite3_stmt *statement = sqlite->statements[id];
    for (size_t i = 0; i < count; i++) {
        int at = sqlite->places[id][i];
        int result;
        if (values[i].type == VALUE_INTEGER) {
            result = sqlite3_bind_int64(statement, at, values[i].integer);
        } else if (values[i].type == VALUE_REAL) {
            result = sqlite3_bind_double(statement, at, values[i].real);
        } else {
            result = sqlite3_bind_text(statement, at, values[i].text, -1, SQLITE_TRANSIENT);
        }
        if (result != SQLITE_OK) {
            return fail(sqlite, result, sqlite3_sql(statement), err);
        }
    }
    return 0;
}

static void sqlite_reset(struct driver *driver, int id) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    sqlite3_reset(sqlite->statements[id]);
    sqlite3_clear_bindings(sqlite->statements[id]);
    sqlite->started[id] = false;
}

static int sqlite_start(struct driver *driver, int id, const char *sql, const struct value *values,
                        size_t count, struct err *err) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    assert(!sqlite->started[id]);
    if (sqlite->statements[id] == NULL) {
        int result = prepare(sqlite, sql, &sqlite->statements[id], err);
        if (result != 0) {
            return result;
        }
        find_places(sqlite, id);
    }
    assert(sqlite3_bind_parameter_count(sqlite->statements[id]) == (int)count);
    sqlite->started[id] = true;
    int result = bind(sqlite, id, values, count, err);
    if (result != 0) {
        sqlite_reset(driver, id);
    }
    return result;
}

static int sqlite_step(struct driver *driver, int id, struct err *err) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    assert(sqlite->started[id]);
    int result = sqlite3_step(sqlite->statements[id]);
    if (result == SQLITE_ROW) {
        return 1;
    }
    int failure =
        result == SQLITE_DONE ? 0 : fail(sqlite, result, sqlite3_sql(sqlite->statements[id]), err);
    sqlite_reset(driver, id);
    return failure;
}

static int64_t sqlite_changes(struct driver *driver) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    return sqlite3_changes64(sqlite->db);
}

static int64_t sqlite_integer(struct driver *driver, int id, int column) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    return sqlite3_column_int64(sqlite->statements[id], column);
}

static double sqlite_real(struct driver *driver, int id, int column) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    return sqlite3_column_double(sqlite->statements[id], column);
}

static const char *sqlite_text(struct driver *driver, int id, int column) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    const unsigned char *text = sqlite3_column_text(sqlite->statements[id], column);
    return text == NULL ? "" : (const char *)text;
}

static int sqlite_transact(struct driver *driver, enum driver_word word, struct err *err) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    static const char *const texts[DRIVER_WORD_COUNT] = {
        [DRIVER_BEGIN] = "BEGIN IMMEDIATE", [DRIVER_SAVE] = "SAVEPOINT call",
        [DRIVER_KEEP] = "RELEASE call",     [DRIVER_UNDO] = "ROLLBACK TO call",
        [DRIVER_COMMIT] = "COMMIT",         [DRIVER_ROLLBACK] = "ROLLBACK",
    };
    if (sqlite->words[word] == NULL) {
        int result = prepare(sqlite, texts[word], &sqlite->words[word], err);
        if (result != 0) {
            return result;
        }
    }
    int step = sqlite3_step(sqlite->words[word]);
    int result = step == SQLITE_DONE ? 0 : fail(sqlite, step, texts[word], err);
    sqlite3_reset(sqlite->words[word]);
    return result;
}

static bool sqlite_is_lost(const struct driver *driver) {
    return ((const struct sqlite *)driver)->damaged;
}

static bool sqlite_in_transaction(struct driver *driver) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    return sqlite3_get_autocommit(sqlite->db) == 0;
}

static int64_t size_of_file(const char *path) {
    struct stat info;
    return stat(path, &info) == 0 ? (int64_t)info.st_size : 0;
}

static void sqlite_size(struct driver *driver, int64_t *database, int64_t *log) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    char *path = mem_format("%s-wal", sqlite->path);
    *database = size_of_file(sqlite->path);
    *log = size_of_file(path);
    mem_free(path);
}

/* ---- Copies ------------------------------------------------------------------ */

struct sqlite_copy {
    struct driver_copy copy;
    struct sqlite to; /* its database alone */
    sqlite3_backup *backup;
};

static void sqlite_copy_close(struct driver_copy *driver_copy) {
    struct sqlite_copy *copy = (struct sqlite_copy *)driver_copy;
    sqlite3_backup_finish(copy->backup);
    sqlite3_close(copy->to.db);
    mem_free(copy->to.path);
    mem_free(copy);
}

static int sqlite_copy_open(struct driver_copy **out, struct driver *driver, const char *path,
                            struct err *err) {
    struct sqlite *sqlite = (struct sqlite *)driver;
    struct sqlite_copy *copy = mem_zero(1, sizeof(*copy));
    copy->copy.kind = &driver_sqlite;
    copy->to.path = mem_string(path);
    int opened = sqlite3_open_v2(
        path, &copy->to.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    int result = opened == SQLITE_OK ? 0 : fail(&copy->to, opened, path, err);
    if (result == 0) {
        copy->backup = sqlite3_backup_init(copy->to.db, "main", sqlite->db, "main");
        result = copy->backup != NULL
                     ? 0
                     : fail(&copy->to, sqlite3_errcode(copy->to.db), "a backup", err);
    }
    if (result != 0) {
        sqlite_copy_close(&copy->copy);
        return result;
    }
    *out = &copy->copy;
    return 0;
}

static int sqlite_copy_step(struct driver_copy *driver_copy, int pages, int64_t *done,
                            int64_t *total, struct err *err) {
    struct sqlite_copy *copy = (struct sqlite_copy *)driver_copy;
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

const struct driver_kind driver_sqlite = {
    .open = sqlite_open,
    .open_reader = sqlite_open_reader,
    .close = sqlite_close,
    .script = sqlite_script,
    .start = sqlite_start,
    .step = sqlite_step,
    .reset = sqlite_reset,
    .changes = sqlite_changes,
    .integer = sqlite_integer,
    .real = sqlite_real,
    .text = sqlite_text,
    .transact = sqlite_transact,
    .in_transaction = sqlite_in_transaction,
    .is_lost = sqlite_is_lost,
    .size = sqlite_size,
    .copy_open = sqlite_copy_open,
    .copy_step = sqlite_copy_step,
    .copy_close = sqlite_copy_close,
};
