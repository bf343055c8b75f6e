/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a call sees of the store: statements, and a transaction with its error, counts and lines:
 * see store.h. */
#include <assert.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "store_parts.h"

/* ---- Statements -------------------------------------------------------------- */

int64_t sql_run(struct tx *tx, enum sql_id id, const struct value *values, size_t count) {
    struct driver *driver = tx->store->driver;
    if (tx->err.code != ERR_NONE ||
        driver_start(driver, id, store_sql(id), values, count, &tx->err) != 0) {
        return 0;
    }
    int step = driver_step(driver, id, &tx->err);
    if (step > 0) {
        driver_reset(driver, id);
    }
    int64_t changes = step < 0 ? 0 : driver_changes(driver);
    tx->store->wrote = tx->store->wrote || changes > 0;
    return changes;
}

void sql_put(struct tx *tx, enum sql_id id, const struct value *values, size_t count) {
    if (tx->err.code == ERR_NONE) {
        driver_post(tx->store->driver, (int)id, store_sql(id), values, count, &tx->err);
    }
}

struct query sql_query(struct tx *tx, enum sql_id id, const struct value *values, size_t count) {
    struct query query = {.tx = tx, .id = id};
    query.open = tx->err.code == ERR_NONE &&
                 driver_start(tx->store->driver, id, store_sql(id), values, count, &tx->err) == 0;
    return query;
}

/* Others that give rows have changed each of them. */
static bool is_read(enum sql_id id) {
    const char *sql = store_sql(id);
    return strncmp(sql, "SELECT", 6) == 0 || strncmp(sql, "WITH", 4) == 0;
}

bool query_next(struct query *query) {
    struct tx *tx = query->tx;
    if (query->open && tx->err.code != ERR_NONE) {
        query_close(query);
    }
    if (!query->open) {
        return false;
    }
    query->open = driver_step(tx->store->driver, query->id, &tx->err) > 0;
    tx->store->wrote = tx->store->wrote || (query->open && !is_read(query->id));
    return query->open;
}

void query_close(struct query *query) {
    if (query->open) {
        driver_reset(query->tx->store->driver, query->id);
        query->open = false;
    }
}

int64_t query_integer(struct query *query, int column) {
    assert(query->open);
    return driver_integer(query->tx->store->driver, query->id, column);
}

double query_real(struct query *query, int column) {
    assert(query->open);
    return driver_real(query->tx->store->driver, query->id, column);
}

const char *query_text(struct query *query, int column) {
    assert(query->open);
    return driver_text(query->tx->store->driver, query->id, column);
}

int64_t sql_integer(struct tx *tx, enum sql_id id, const struct value *values, size_t count,
                    int64_t otherwise) {
    struct query query = sql_query(tx, id, values, count);
    int64_t result = query_next(&query) ? query_integer(&query, 0) : otherwise;
    query_close(&query);
    return result;
}

/* ---- A transaction ----------------------------------------------------------- */

struct err *tx_err(struct tx *tx) {
    return &tx->err;
}

bool tx_ok(struct tx *tx) {
    return tx->err.code == ERR_NONE;
}

int64_t tx_now(struct tx *tx) {
    return tx->now_ms;
}

void tx_wake(struct tx *tx, unsigned topics) {
    tx->topics |= topics;
}

void store_drop_lines(struct store *store, size_t kept, bool write) {
    for (size_t i = kept; i < store->line_count; i++) {
        if (write) {
            log_info(store->lines[i].message, "%s", store->lines[i].pairs);
        }
        mem_free(store->lines[i].message);
        mem_free(store->lines[i].pairs);
    }
    store->line_count = kept;
}

/* Whether an error is about what was asked for, rather than the store's. */
static bool is_of_request(enum err_code code) {
    return code == ERR_INVALID || code == ERR_NOT_FOUND || code == ERR_CONFLICT ||
           code == ERR_FORBIDDEN || code == ERR_UNSUPPORTED;
}

struct mark store_mark(const struct store *store) {
    return (struct mark){.changes = store->change_count,
                         .lines = store->line_count,
                         .given = store->given,
                         .wrote = store->wrote};
}

void store_go_back(struct store *store, const struct mark *mark) {
    store->change_count = mark->changes;
    store_drop_lines(store, mark->lines, false);
    store->given = mark->given;
    store->wrote = mark->wrote;
}

int tx_try(struct tx *tx, void (*run)(struct tx *tx, void *context), void *context,
           struct err *err) {
    struct driver *driver = tx->store->driver;
    tx->store->wrote = driver_posted(driver) > 0 || tx->store->wrote;
    struct mark mark = store_mark(tx->store);
    unsigned topics = tx->topics;
    if (!tx_ok(tx) || driver_transact(driver, DRIVER_SAVE, &tx->err) != 0) {
        return (int)tx->err.code;
    }
    run(tx, context);
    if (tx_ok(tx)) {
        driver_transact(driver, DRIVER_KEEP, &tx->err);
    }
    struct err found = tx->err;
    if (found.code != ERR_NONE && driver_in_transaction(driver)) {
        driver_transact(driver, DRIVER_UNDO, NULL);
        driver_transact(driver, DRIVER_KEEP, NULL);
        driver_posted(driver); /* nothing of it is there */
        store_go_back(tx->store, &mark);
        tx->topics = topics;
    }
    if (is_of_request(found.code) && driver_in_transaction(driver)) {
        err_clear(&tx->err);
        err_pass(err, &found);
    }
    return (int)found.code;
}

int64_t tx_numbers(struct tx *tx, const char *counter, int64_t count) {
    return numbers_take(&tx->store->given, tx, counter, count);
}

void tx_numbers_pass(struct tx *tx, const char *counter, int64_t number) {
    int64_t behind = number - (tx_numbers(tx, counter, 0) - 1);
    tx_numbers(tx, counter, behind > 0 ? behind : 0);
}

void tx_count(struct tx *tx, size_t index, double delta) {
    struct store *store = tx->store;
    if (store->change_count == store->change_capacity) {
        store->change_capacity = store->change_capacity == 0 ? 64 : 2 * store->change_capacity;
        store->changes =
            mem_resize(store->changes, store->change_capacity, sizeof(*store->changes));
    }
    store->changes[store->change_count++] = (struct change){.index = index, .delta = delta};
}

int64_t tx_tally(struct tx *tx, int64_t count) {
    return tx->store->tally += count;
}

void tx_log(struct tx *tx, const char *message, const char *pairs) {
    struct store *store = tx->store;
    store->lines = mem_resize(store->lines, store->line_count + 1, sizeof(*store->lines));
    store->lines[store->line_count++] =
        (struct line){.message = mem_string(message), .pairs = mem_string(pairs)};
}

double tx_counted(struct tx *tx, size_t index) {
    return index < tx->store->number_count ? tx->store->numbers[index] : 0;
}

const struct backup *tx_backup(struct tx *tx) {
    return &tx->store->backup;
}

void tx_backup_begin(struct tx *tx, const char *path) {
    if (tx_ok(tx)) {
        backup_begin(&tx->store->backup, tx->store->driver, path, &tx->err);
    }
}
