/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store's thread, group commit and migrations: see store.h. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/condition.h"
#include "common/log.h"
#include "common/mem.h"
#include "store_parts.h"

enum {
    APPLICATION_ID = 0x52656c66, /* "Relf": tells our file from another program's */
    GROUP_MAX = 64,              /* calls in one transaction */
    IDLE_MS = 60000,
    AHEAD_MS = 60000, /* a last event further ahead of the wall's clock is told of */
};

struct call {
    store_run *run;
    store_done *done;
    void *context;
    struct call *next;
    struct err err;
};

const histogram_bounds store_commit_bounds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                              0.05,   0.1,   0.25,   1,     5};

/* ---- The thread -------------------------------------------------------------- */

/* What the group counted holds from now on. */
static void apply_changes(struct store *store) {
    for (size_t i = 0; i < store->change_count; i++) {
        size_t index = store->changes[i].index;
        if (index >= store->number_count) {
            store->numbers = mem_resize(store->numbers, index + 1, sizeof(*store->numbers));
            memset(&store->numbers[store->number_count], 0,
                   (index + 1 - store->number_count) * sizeof(*store->numbers));
            store->number_count = index + 1;
        }
        store->numbers[index] += store->changes[i].delta;
    }
}

static int64_t store_now(struct store *store) {
    if (store->options.now_ms != NULL) {
        return store->options.now_ms(store->options.context);
    }
    return store->wall_base_ms + clock_monotonic_ms() - store->monotonic_base_ms;
}

/* Runs one call in its savepoint. Returns the topics it woke. */
static unsigned run_call(struct store *store, struct call *call) {
    struct tx tx = {.store = store, .now_ms = store_now(store)};
    struct mark mark = store_mark(store);
    if (driver_transact(store->driver, DRIVER_SAVE, &tx.err) == 0) {
        call->run(&tx, call->context);
        if (tx_ok(&tx)) { /* what it posted may have failed */
            driver_transact(store->driver, DRIVER_KEEP, &tx.err);
        }
        if (!tx_ok(&tx) && driver_in_transaction(store->driver)) {
            driver_transact(store->driver, DRIVER_UNDO, NULL);
            driver_transact(store->driver, DRIVER_KEEP, NULL);
        }
    }
    store->wrote = driver_posted(store->driver) > 0 || store->wrote;
    if (tx.err.code != ERR_NONE) {
        store_go_back(store, &mark);
    }
    call->err = tx.err;
    return tx.err.code == ERR_NONE ? tx.topics : 0;
}

/* What was done in this group is lost: every call that thought itself well fails. */
static void fail_group(struct call *group, const struct err *err) {
    for (struct call *call = group; call != NULL; call = call->next) {
        err_pass(&call->err, err);
    }
}

static void commit(struct store *store, struct err *err) {
    int64_t since = clock_monotonic_ns();
    struct tx tx = {.store = store};
    numbers_write(&store->given, &tx);
    *err = tx.err;
    if (err->code == ERR_NONE) {
        driver_transact(store->driver, DRIVER_COMMIT, err);
    }
    store->wrote = driver_posted(store->driver) > 0 || store->wrote;
    histogram_observe(&store->commit_seconds, store_commit_bounds,
                      1e-9 * (double)(clock_monotonic_ns() - since));
}

/* Keeps the reason, the first time that the database turns out to be lost. */
static void note_loss(struct store *store, const struct err *why) {
    if (!store->lost && driver_is_lost(store->driver)) {
        err_set(&store->loss, why->code, "%s", why->message);
        store->lost = true;
        if (store->options.on_loss != NULL) {
            store->options.on_loss(store->options.context);
        }
    }
}

static unsigned run_group(struct store *store, struct call *group) {
    unsigned topics = 0;
    int count = 0;
    struct err err = {0};
    store->change_count = 0;
    store->wrote = false;
    if (store_loss(store, &err) == 0) {
        driver_transact(store->driver, DRIVER_BEGIN, &err);
    }
    for (struct call *call = group; call != NULL && err.code == ERR_NONE; call = call->next) {
        topics |= run_call(store, call);
        count++;
        if (!driver_in_transaction(store->driver) || driver_is_lost(store->driver)) {
            err = call->err; /* a full or broken disk: the database has undone all of it; or damage:
                                nobody knows what is true of the rest */
            if (err.code == ERR_NONE) { /* which a call passed over */
                err_set(&err, ERR_CORRUPT, "the store %s is damaged", store->options.path);
            }
        }
    }
    if (err.code == ERR_NONE) {
        commit(store, &err);
    }
    if (err.code != ERR_NONE) {
        store->failures++;
        store->given = (struct numbers){0};
        store_drop_lines(store, 0, false);
        if (driver_in_transaction(store->driver)) {
            driver_transact(store->driver, DRIVER_ROLLBACK, NULL);
        }
        store->full = err.code == ERR_NO_SPACE;
        note_loss(store, &err);
        fail_group(group, &err);
        return 0;
    }
    store->full = store->full && !store->wrote;
    apply_changes(store);
    store_drop_lines(store, 0, true);
    store->commits++;
    store->calls += count;
    return topics;
}

static void end_group(struct call *group) {
    while (group != NULL) {
        struct call *call = group;
        group = call->next;
        if (call->done != NULL) {
            call->done(call->context, &call->err);
        }
        mem_free(call);
    }
}

/* Takes up to GROUP_MAX calls off the queue. Under the mutex. */
static struct call *take_group(struct store *store) {
    struct call *group = store->first;
    struct call **end = &store->first;
    for (int i = 0; i < GROUP_MAX && *end != NULL; i++) {
        end = &(*end)->next;
    }
    store->first = *end;
    *end = NULL;
    if (store->first == NULL) {
        store->last = &store->first;
    }
    return group;
}

/* Nobody has called: is the database still there? */
static unsigned idle(struct store *store) {
    struct err err = {0};
    if (!store->lost && driver_watch(store->driver, &err) != 0) {
        log_error("the store does not answer", "error=\"%s\"", err.message);
        note_loss(store, &err);
    }
    return 0;
}

static void *store_thread(void *context) {
    struct store *store = context;
    const struct err out_of_reach = {ERR_UNAVAILABLE, "the store is out of reach"};
    int64_t watch_ms = driver_watch_ms(store->driver);
    int64_t wait_ms = IDLE_MS; /* `after` is first asked when a first call has ended */
    for (;;) {
        const struct timespec deadline = condition_deadline(wait_ms);
        pthread_mutex_lock(&store->mutex);
        bool early = true;
        while (store->first == NULL && !store->closing && early) {
            early = condition_wait_until(&store->wake, &store->mutex, &deadline);
        }
        struct call *group = store->first == NULL ? NULL : take_group(store);
        bool last = group == NULL && store->closing;
        pthread_mutex_unlock(&store->mutex);
        if (last) {
            return NULL;
        }
        unsigned topics = group == NULL ? idle(store) : run_group(store, group);
        note_loss(store, &out_of_reach);
        end_group(group);
        wait_ms = store->options.after == NULL
                      ? IDLE_MS
                      : store->options.after(store->options.context, topics);
        wait_ms = watch_ms > 0 && watch_ms < wait_ms ? watch_ms : wait_ms;
        if (store->backup.state == BACKUP_RUNNING) {
            backup_step(&store->backup);
            wait_ms = 0;
        }
    }
}

void store_submit(struct store *store, store_run *run, store_done *done, void *context) {
    struct call *call = mem_zero(1, sizeof(*call));
    call->run = run;
    call->done = done;
    call->context = context;
    pthread_mutex_lock(&store->mutex);
    *store->last = call;
    store->last = &call->next;
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->mutex);
}

struct waiter {
    store_run *run;
    void *context;
    struct err *err;
    int result;
    bool ended;
    pthread_mutex_t mutex;
    pthread_cond_t wake;
};

static void waiter_run(struct tx *tx, void *context) {
    struct waiter *waiter = context;
    waiter->run(tx, waiter->context);
}

static void waiter_done(void *context, const struct err *err) {
    struct waiter *waiter = context;
    pthread_mutex_lock(&waiter->mutex);
    waiter->result = (int)err->code;
    err_pass(waiter->err, err);
    waiter->ended = true;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->mutex);
}

int store_call(struct store *store, store_run *run, void *context, struct err *err) {
    struct waiter waiter = {.run = run, .context = context, .err = err};
    pthread_mutex_init(&waiter.mutex, NULL);
    pthread_cond_init(&waiter.wake, NULL);
    store_submit(store, waiter_run, waiter_done, &waiter);
    pthread_mutex_lock(&waiter.mutex);
    while (!waiter.ended) {
        pthread_cond_wait(&waiter.wake, &waiter.mutex);
    }
    pthread_mutex_unlock(&waiter.mutex);
    pthread_cond_destroy(&waiter.wake);
    pthread_mutex_destroy(&waiter.mutex);
    return waiter.result;
}

void store_counts(struct store *store, int64_t *commits, int64_t *calls) {
    *commits = store->commits;
    *calls = store->calls;
}

void store_look(const struct store *store, struct store_facts *out) {
    *out = (struct store_facts){
        .failures = store->failures,
        .commit_seconds = store->commit_seconds,
    };
    driver_size(store->driver, &out->database_bytes, &out->log_bytes);
}

bool store_is_full(const struct store *store) {
    return store->full;
}

int store_loss(const struct store *store, struct err *err) {
    return store->lost ? err_set(err, store->loss.code, "%s", store->loss.message) : 0;
}

/* ---- Opening ----------------------------------------------------------------- */

static int migrate_one(struct store *store, int number, struct err *err) {
    struct driver *driver = store->driver;
    struct err failure = {0};
    driver_transact(driver, DRIVER_BEGIN, &failure);
    if (failure.code == ERR_NONE) {
        driver_script(driver, store_migration(number), &failure);
    }
    if (failure.code == ERR_NONE) {
        struct tx tx = {.store = store};
        sql_run(&tx, SQL_SCHEMA_ADD, VALUES(INTEGER(number), INTEGER(store_now(store))));
        failure = tx.err;
    }
    if (failure.code == ERR_NONE) {
        driver_transact(driver, DRIVER_COMMIT, &failure);
    }
    if (failure.code == ERR_NONE) {
        return 0;
    }
    if (driver_in_transaction(driver)) {
        driver_transact(driver, DRIVER_ROLLBACK, NULL);
    }
    return err_set(err, failure.code, "schema step %d: %s", number, failure.message);
}

/* Applies the migrations that the store lacks. */
static int migrate(struct store *store, struct err *err) {
    int result = driver_script(store->driver, store_migration_table, err);
    if (result != 0) {
        return result;
    }
    struct tx tx = {.store = store};
    int have = (int)sql_integer(&tx, SQL_SCHEMA_NUMBER, NULL, 0, 0);
    if (tx.err.code != ERR_NONE) {
        return err_pass(err, &tx.err);
    }
    int known = 0;
    while (store_migration(known + 1) != NULL) {
        known++;
    }
    if (have > known) {
        return err_set(err, ERR_UNSUPPORTED,
                       "the store %s was written by a newer reelfarm (schema %d, this one knows "
                       "%d); use that one, or move the store away",
                       store->options.path, have, known);
    }
    for (int number = have + 1; number <= known && result == 0; number++) {
        result = migrate_one(store, number, err);
    }
    return result;
}

/* The clock starts no earlier than the last time that was written. */
static int start_clock(struct store *store, struct err *err) {
    struct tx tx = {.store = store};
    int64_t last = sql_integer(&tx, SQL_EVENT_LAST_AT, NULL, 0, 0);
    int64_t wall = clock_wall_ms();
    if (last - wall > AHEAD_MS) {
        char at[CLOCK_TEXT];
        clock_text(last, at);
        log_warn("the store's last event is in the future: is this machine's clock right, or was "
                 "it wrong then? The store's clock goes on from there, and so do its times",
                 "store=\"%s\" last=%s ahead_s=%" PRId64, store->options.path, at,
                 (last - wall) / 1000);
    }
    store->wall_base_ms = wall > last ? wall : last;
    store->monotonic_base_ms = clock_monotonic_ms();
    return err_pass(err, &tx.err);
}

static int start_thread(struct store *store, struct err *err) {
    pthread_mutex_init(&store->mutex, NULL);
    condition_init(&store->wake);
    int failure = pthread_create(&store->thread, NULL, store_thread, store);
    return failure == 0 ? 0 : err_set_errno(err, failure, "the store's thread can't be started");
}

struct driver_options store_driver_options(void) {
    return (struct driver_options){.statement_count = SQL_COUNT,
                                   .application_id = APPLICATION_ID,
                                   .first_table = store_migration_table};
}

bool store_is_shared(const char *path) {
    return driver_kind_of(path)->is_shared;
}

int store_open(struct store **out, const struct store_options *options, struct err *err) {
    struct store *store = mem_zero(1, sizeof(*store));
    store->options = *options;
    store->path = mem_string(options->path);
    store->options.path = store->path;
    store->last = &store->first;
    struct driver_options how = store_driver_options();
    int result = driver_open(&store->driver, options->path, &how, err);
    if (result == 0) {
        result = migrate(store, err);
    }
    if (result == 0) {
        result = start_clock(store, err);
    }
    if (result == 0) {
        result = start_thread(store, err);
    }
    if (result != 0) {
        driver_close(store->driver);
        mem_free(store->path);
        mem_free(store);
        return result;
    }
    *out = store;
    return 0;
}

void store_close(struct store *store) {
    if (store == NULL) {
        return;
    }
    pthread_mutex_lock(&store->mutex);
    store->closing = true;
    pthread_cond_signal(&store->wake);
    pthread_mutex_unlock(&store->mutex);
    pthread_join(store->thread, NULL);
    backup_finish(&store->backup);
    driver_close(store->driver);
    pthread_cond_destroy(&store->wake);
    pthread_mutex_destroy(&store->mutex);
    mem_free(store->path);
    mem_free(store->numbers);
    mem_free(store->changes);
    mem_free(store->lines);
    mem_free(store);
}
