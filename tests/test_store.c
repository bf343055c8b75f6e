/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The store: groups, savepoints, schema versions, damage, full disks and sudden ends. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/fs.h"
#include "common/mem.h"
#include "fixture.h"
#include "scheduler/store.h"
#include "scheduler/store_sql.h"

Suite *store_suite(void);

static char *folder;
static char *path;

static void make_folder(void) {
    folder = fixture_folder();
    path = fixture_store(folder);
}

static void drop_folder(void) {
    mem_free(path);
    fixture_folder_drop(folder);
}

static struct store *open_store(void) {
    struct store *store = NULL;
    struct err err = {0};
    struct store_options options = {.path = path};
    ck_assert_msg(store_open(&store, &options, &err) == 0, "%s", err.message);
    return store;
}

/* A server frees the store of a process that was killed a moment later. */
static struct store *open_after_kill(void) {
    struct store *store = NULL;
    struct err err;
    struct store_options options = {.path = path};
    do {
        err = (struct err){0};
    } while (store_open(&store, &options, &err) == ERR_CONFLICT && store_is_shared(path));
    ck_assert_msg(err.code == ERR_NONE, "%s", err.message);
    return store;
}

/* Fails to open: the code, with the sentence in `err`. */
static int refused(struct err *err) {
    struct store *store = NULL;
    struct store_options options = {.path = path};
    *err = (struct err){0};
    int result = store_open(&store, &options, err);
    ck_assert_ptr_null(store);
    return result;
}

/* Some rows to work with: sources and what is known of them. */
static void put(struct tx *tx, const char *url, int64_t size) {
    sql_put(tx, SQL_SOURCE_PUT, VALUES(TEXT(url), INTEGER(size), TEXT("pin"), TEXT("id")));
}

struct look {
    const char *url;
    int64_t size; /* -1: not there */
};

static void get(struct tx *tx, void *context) {
    struct look *look = context;
    look->size = sql_integer(tx, SQL_SOURCE_GET, VALUES(TEXT(look->url)), -1);
}

static int64_t size_of(struct store *store, const char *url) {
    struct look look = {.url = url};
    ck_assert_int_eq(store_call(store, get, &look, NULL), 0);
    return look.size;
}

/* ---- calls and groups -------------------------------------------------------- */

static void put_one(struct tx *tx, void *context) {
    put(tx, context, 1);
}

static void put_and_fail(struct tx *tx, void *context) {
    put(tx, context, 1);
    err_set(tx_err(tx), ERR_CONFLICT, "no, not %s", (const char *)context);
    put(tx, "after the error", 1); /* does nothing */
}

START_TEST(calls_keep_or_undo_what_they_wrote) {
    struct store *store = open_store();
    struct err err = {0};
    ck_assert_int_eq(store_call(store, put_one, "a", &err), 0);
    ck_assert_int_eq(store_call(store, put_and_fail, "b", &err), ERR_CONFLICT);
    ck_assert_str_eq(err.message, "no, not b");
    ck_assert_int_eq(size_of(store, "a"), 1);
    ck_assert_int_eq(size_of(store, "b"), -1);
    ck_assert_int_eq(size_of(store, "after the error"), -1);
    store_close(store);
    store = open_store(); /* and after a restart */
    ck_assert_int_eq(size_of(store, "a"), 1);
    ck_assert_int_eq(size_of(store, "b"), -1);
    store_close(store);
}
END_TEST

static void put_parts(struct tx *tx, void *context) {
    struct err *err = context;
    put(tx, "before", 1);
    ck_assert_int_eq(tx_try(tx, put_and_fail, "part", err), ERR_CONFLICT);
    ck_assert(tx_ok(tx));
    ck_assert_int_eq(tx_try(tx, put_one, "other part", NULL), 0);
    put(tx, "behind", 1);
}

static void put_and_break(struct tx *tx, void *context) {
    put_and_fail(tx, context);
    err_clear(tx_err(tx));
    err_set(tx_err(tx), ERR_NO_SPACE, "the disk is full");
}

static void put_part_of_broken(struct tx *tx, void *context) {
    put(tx, "lost", 1);
    ck_assert_int_eq(tx_try(tx, put_and_break, context, NULL), ERR_NO_SPACE);
    ck_assert(!tx_ok(tx)); /* it is the store's, not the part's */
}

START_TEST(a_part_of_a_call_may_fail_alone) {
    struct store *store = open_store();
    struct err err = {0};
    ck_assert_int_eq(store_call(store, put_parts, &err, NULL), 0);
    ck_assert_str_eq(err.message, "no, not part");
    ck_assert_int_eq(size_of(store, "before"), 1);
    ck_assert_int_eq(size_of(store, "part"), -1);
    ck_assert_int_eq(size_of(store, "other part"), 1);
    ck_assert_int_eq(size_of(store, "behind"), 1);
    ck_assert_int_eq(store_call(store, put_part_of_broken, "part", NULL), ERR_NO_SPACE);
    ck_assert_int_eq(size_of(store, "lost"), -1);
    ck_assert_int_eq(size_of(store, "part"), -1);
    store_close(store);
}
END_TEST

struct hold {
    pthread_mutex_t mutex;
    atomic_bool is_inside;
    atomic_int ended;
    atomic_int failed;
};

static void wait_inside(struct tx *tx, void *context) {
    struct hold *hold = context;
    (void)tx;
    atomic_store(&hold->is_inside, true);
    pthread_mutex_lock(&hold->mutex);
    pthread_mutex_unlock(&hold->mutex);
}

/* Its thread is at a call until the mutex is given back: those that come meanwhile are one group.
 */
static void hold_store(struct store *store, struct hold *hold) {
    pthread_mutex_lock(&hold->mutex);
    store_submit(store, wait_inside, NULL, hold);
    while (!atomic_load(&hold->is_inside)) {
        clock_sleep_ms(1, NULL);
    }
}

struct numbered {
    struct hold *hold;
    int number;
    char url[16];
};

static void put_numbered(struct tx *tx, void *context) {
    struct numbered *numbered = context;
    put(tx, numbered->url, numbered->number);
    if (numbered->number % 10 == 3) {
        err_set(tx_err(tx), ERR_INVALID, "threes fail");
    }
}

static void numbered_done(void *context, const struct err *err) {
    struct numbered *numbered = context;
    ck_assert_int_eq(err->code, numbered->number % 10 == 3 ? ERR_INVALID : ERR_NONE);
    numbered->hold->ended++;
    numbered->hold->failed += err->code != ERR_NONE ? 1 : 0;
}

START_TEST(calls_that_wait_together_are_one_transaction) {
    enum { COUNT = 50 };
    struct store *store = open_store();
    struct hold hold = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct numbered calls[COUNT];
    int64_t commits = 0, before = 0, runs = 0;
    hold_store(store, &hold);
    for (int i = 0; i < COUNT; i++) {
        calls[i] = (struct numbered){.hold = &hold, .number = i};
        snprintf(calls[i].url, sizeof(calls[i].url), "n%d", i);
        store_submit(store, put_numbered, numbered_done, &calls[i]);
    }
    store_counts(store, &before, &runs);
    pthread_mutex_unlock(&hold.mutex);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(size_of(store, calls[i].url), i % 10 == 3 ? -1 : i);
    }
    store_counts(store, &commits, &runs);
    ck_assert_int_eq(hold.ended, COUNT);
    ck_assert_int_eq(hold.failed, COUNT / 10);
    /* the held one, the group of 50, and 50 reads by size_of */
    ck_assert_int_le(commits - before, 1 + 1 + COUNT);
    ck_assert_int_eq(runs, 1 + COUNT + COUNT);
    store_close(store);
}
END_TEST

/* The second of two equal rows fails, of which the call is told at its end at the latest. */
static void put_twice(struct tx *tx) {
    for (int i = 0; i < 2; i++) {
        sql_put(tx, SQL_LEASE_UNIT_ADD, VALUES(INTEGER(1), INTEGER(1)));
    }
}

static void put_twice_in_part(struct tx *tx, void *context) {
    put(tx, context, 2);
    put_twice(tx);
}

static void put_wrongly(struct tx *tx, void *context) {
    struct numbered *numbered = context;
    int way = numbered->number % 5;
    put(tx, numbered->url, numbered->number);
    if (way == 1 || way == 2 || way == 3) {
        put_twice(tx);
    }
    if (way == 2) { /* it goes on, as who does not look */
        put(tx, numbered->url, sql_integer(tx, SQL_SOURCE_GET, VALUES(TEXT("n0")), -1));
    } else if (way == 3) {
        tx_try(tx, put_one, numbered->url, NULL);
    } else if (way == 4) {
        tx_try(tx, put_twice_in_part, numbered->url, NULL);
    }
}

static void wrongly_done(void *context, const struct err *err) {
    struct numbered *numbered = context;
    ck_assert_int_eq(err->code, numbered->number % 5 == 0 ? ERR_NONE : ERR_INTERNAL);
    numbered->hold->ended++;
}

/* Whatever a call's own writes do, the others' of its group are kept. */
START_TEST(a_call_whose_writes_fail_is_undone_alone) {
    enum { COUNT = 20 };
    struct store *store = open_store();
    struct hold hold = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct numbered calls[COUNT];
    hold_store(store, &hold);
    for (int i = 0; i < COUNT; i++) {
        calls[i] = (struct numbered){.hold = &hold, .number = i};
        snprintf(calls[i].url, sizeof(calls[i].url), "n%d", i);
        store_submit(store, put_wrongly, wrongly_done, &calls[i]);
    }
    pthread_mutex_unlock(&hold.mutex);
    for (int i = 0; i < COUNT; i++) {
        ck_assert_int_eq(size_of(store, calls[i].url), i % 5 == 0 ? i : -1);
    }
    ck_assert_int_eq(hold.ended, COUNT);
    store_close(store);
}
END_TEST

static void count_up(void *context, const struct err *err) {
    ck_assert_int_eq(err->code, ERR_NONE);
    (*(atomic_int *)context)++;
}

static void write_event(struct tx *tx, void *context) {
    (void)context;
    tx_numbers(tx, "event", 1);
    tx_wake(tx, TOPIC_EVENTS);
}

START_TEST(closing_runs_what_was_submitted) {
    atomic_int ended = 0;
    struct store *store = open_store();
    for (int i = 0; i < 500; i++) {
        store_submit(store, write_event, count_up, &ended);
    }
    store_close(store);
    ck_assert_int_eq(ended, 500);
}
END_TEST

static void *many_calls(void *context) {
    for (int i = 0; i < 200; i++) {
        ck_assert_int_eq(store_call(context, write_event, NULL, NULL), 0);
    }
    return NULL;
}

static void take_number(struct tx *tx, void *context) {
    *(int64_t *)context = tx_numbers(tx, "event", 10);
}

START_TEST(numbers_are_given_once_whoever_asks) {
    struct store *store = open_store();
    pthread_t threads[4];
    int64_t next = 0;
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, many_calls, store), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    store_call(store, take_number, &next, NULL);
    ck_assert_int_eq(next, 801); /* of a block of ten the first */
    store_call(store, take_number, &next, NULL);
    ck_assert_int_eq(next, 811);
    store_close(store);
}
END_TEST

static void take_and_fail(struct tx *tx, void *context) {
    take_number(tx, context);
    err_set(tx_err(tx), ERR_CONFLICT, "no");
}

static void take_parts(struct tx *tx, void *context) {
    int64_t *numbers = context;
    take_number(tx, &numbers[0]);
    tx_try(tx, take_and_fail, &numbers[1], NULL);
    take_number(tx, &numbers[2]);
}

START_TEST(numbers_of_what_was_undone_are_given_again) {
    struct store *store = open_store();
    int64_t numbers[3] = {0}, next = 0;
    ck_assert_int_eq(store_call(store, take_and_fail, &next, NULL), ERR_CONFLICT);
    ck_assert_int_eq(next, 1);
    store_call(store, take_parts, numbers, NULL);
    ck_assert_int_eq(numbers[0], 1);
    ck_assert_int_eq(numbers[1], 11);
    ck_assert_int_eq(numbers[2], 11);
    store_close(store);
    store = open_store(); /* and after a restart */
    store_call(store, take_number, &next, NULL);
    ck_assert_int_eq(next, 21);
    store_close(store);
}
END_TEST

/* Each part changes rows of many pages, which are kept to be undone. */
static void put_many(struct tx *tx, void *context) {
    int64_t *size = context;
    for (int i = 0; i < 4000; i++) {
        char url[300];
        snprintf(url, sizeof(url), "%0250d", i);
        put(tx, url, *size);
    }
}

static void put_many_and_fail(struct tx *tx, void *context) {
    put_many(tx, context);
    err_set(tx_err(tx), ERR_CONFLICT, "no");
}

static void put_many_parts(struct tx *tx, void *context) {
    int64_t kept = 2, undone = 3;
    (void)context;
    ck_assert_int_eq(tx_try(tx, put_many, &kept, NULL), 0);
    ck_assert_int_eq(tx_try(tx, put_many_and_fail, &undone, NULL), ERR_CONFLICT);
}

START_TEST(much_is_undone_as_well_as_little) {
    struct store *store = open_store();
    int64_t first = 1;
    char url[300];
    snprintf(url, sizeof(url), "%0250d", 3999);
    ck_assert_int_eq(store_call(store, put_many, &first, NULL), 0);
    ck_assert_int_eq(store_call(store, put_many_parts, NULL, NULL), 0);
    ck_assert_int_eq(size_of(store, url), 2);
    store_close(store);
}
END_TEST

static atomic_int woken_topics;

static int64_t after(void *context, unsigned topics) {
    (void)context;
    woken_topics |= (int)topics;
    return 1000;
}

static void wake_and_fail(struct tx *tx, void *context) {
    (void)context;
    tx_wake(tx, TOPIC_TITLES);
    err_set(tx_err(tx), ERR_INVALID, "no");
}

START_TEST(only_what_was_kept_wakes_anybody) {
    struct store *store = NULL;
    struct store_options options = {.path = path, .after = after};
    woken_topics = 0;
    ck_assert_int_eq(store_open(&store, &options, NULL), 0);
    store_call(store, wake_and_fail, NULL, NULL);
    store_call(store, write_event, NULL, NULL);
    store_close(store);
    ck_assert_int_eq(woken_topics, TOPIC_EVENTS);
}
END_TEST

/* Stands in for libc's, which SQLite calls: how often bytes were sent to the disk. */
static atomic_int syncs;

int fdatasync(int fd) {
    syncs++;
    return (int)syscall(SYS_fdatasync, fd);
}

START_TEST(what_is_answered_is_on_the_disk) {
    struct store *store = open_store();
    store_call(store, write_event, NULL, NULL);
    int before = syncs;
    for (int i = 1; i <= 5; i++) {
        store_call(store, write_event, NULL, NULL);
        ck_assert_int_ge(syncs, before + i);
    }
    before = syncs;
    for (int i = 1; i <= 5; i++) {
        size_of(store, "a"); /* writes nothing */
    }
    ck_assert_int_eq(syncs, before);
    store_close(store);
}
END_TEST

/* ---- the clock --------------------------------------------------------------- */

static void read_clock(struct tx *tx, void *context) {
    *(int64_t *)context = tx_now(tx);
    sql_run(tx, SQL_EVENT_ADD,
            VALUES(INTEGER(tx_numbers(tx, "event", 1)), INTEGER(tx_now(tx) + 3600000), TEXT("t"),
                   INTEGER(0), TEXT("k"), TEXT(""), TEXT("")));
}

START_TEST(the_clock_never_goes_back) {
    int64_t first = 0, second = 0;
    struct store *store = open_store();
    store_call(store, read_clock, &first, NULL);
    store_close(store);
    ck_assert_int_ge(first, 1600000000000);
    fixture_log_begin();
    store = open_store(); /* its last event is an hour ahead, as if the clock was set back */
    store_call(store, read_clock, &second, NULL);
    store_close(store);
    const char *said = fixture_log_end();
    ck_assert_int_ge(second, first + 3600000);
    ck_assert_msg(strstr(said, "level=warn msg=\"the store's last event is in the future") !=
                          NULL &&
                      strstr(said, "ahead_s=3") != NULL,
                  "it said '%s'", said);
}
END_TEST

/* ---- schema and damage ------------------------------------------------------- */

/* By each kind of database, since there is one text for all. */
START_TEST(every_statement_is_understood) {
    struct driver *driver = NULL;
    struct err err = {0};
    bool is_file = path[0] == '/';
    struct driver_options how = store_driver_options();
    store_close(open_store()); /* makes the tables */
    ck_assert_msg(driver_open(&driver, path, &how, &err) == 0, "%s", err.message);
    for (int id = 0; id < SQL_COUNT; id++) {
        char *text = is_file ? mem_format("EXPLAIN %s", store_sql((enum sql_id)id))
                             : mem_format("PREPARE asked AS %s", store_sql((enum sql_id)id));
        ck_assert_msg(driver_script(driver, text, &err) == 0, "%s: %s", text, err.message);
        mem_free(text);
        if (!is_file) {
            ck_assert_int_eq(driver_script(driver, "DEALLOCATE asked", &err), 0);
        }
    }
    driver_close(driver);
}
END_TEST

static void write_from_the_future(struct tx *tx, void *context) {
    (void)context;
    sql_run(tx, SQL_SCHEMA_ADD, VALUES(INTEGER(99), INTEGER(0)));
}

START_TEST(a_newer_store_is_refused) {
    struct err err;
    struct store *store = open_store();
    ck_assert_int_eq(store_call(store, write_from_the_future, NULL, NULL), 0);
    store_close(store);
    ck_assert_int_eq(refused(&err), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "written by a newer reelfarm (schema 99"));
    if (!store_is_shared(path)) {
        ck_assert_ptr_nonnull(strstr(err.message, path));
    }
}
END_TEST

struct submitted {
    const char *title;
    int64_t at;
};

static void get_submitted(struct tx *tx, void *context) {
    struct submitted *submitted = context;
    struct query query = sql_query(tx, SQL_TITLE_ORDER, VALUES(TEXT(submitted->title)));
    ck_assert(query_next(&query));
    submitted->at = query_integer(&query, 3);
    query_close(&query);
}

/* Of a store that was written before it was kept, the feed says of each title when its last run was
 * submitted; of one that is older than the feed, nothing does. */
START_TEST(an_older_store_learns_when_titles_were_submitted) {
    enum { BEFORE = 24 };
    static const char rows[] =
        "INSERT INTO title (id, state, submission, source, output, ladder) VALUES "
        "('a', 'done', 1, 's', 'o', '{}'), ('b', 'done', 2, 's', 'o', '{}');"
        "INSERT INTO event (seq, at, title, unit, kind, detail) VALUES "
        "(1, 1000, 'a', 0, 'title.submit', ''), (2, 2000, 'a', 0, 'title.cancel', ''), "
        "(3, 3000, 'a', 0, 'title.submit', ''), (4, 4000, 'a', 7, 'unit.retry', ''), "
        "(5, 5000, 'b', 8, 'unit.retry', '')";
    struct submitted known = {.title = "a"}, unknown = {.title = "b"};
    struct driver *driver = NULL;
    struct err err = {0};
    struct driver_options how = store_driver_options();
    ck_assert_msg(driver_open(&driver, path, &how, &err) == 0, "%s", err.message);
    ck_assert_int_eq(driver_script(driver, store_migration_table, &err), 0);
    for (int number = 1; number < BEFORE; number++) {
        char *note = mem_format("INSERT INTO migration (number, at) VALUES (%d, 0)", number);
        ck_assert_msg(driver_script(driver, store_migration(number), &err) == 0 &&
                          driver_script(driver, note, &err) == 0,
                      "%s", err.message);
        mem_free(note);
    }
    ck_assert_msg(driver_script(driver, rows, &err) == 0, "%s", err.message);
    driver_close(driver);
    struct store *store = open_store();
    ck_assert_int_eq(store_call(store, get_submitted, &known, NULL), 0);
    ck_assert_int_eq(store_call(store, get_submitted, &unknown, NULL), 0);
    ck_assert_int_eq(known.at, 3000);
    ck_assert_int_eq(unknown.at, 0);
    store_close(store);
}
END_TEST

START_TEST(a_store_is_opened_by_one) {
    struct err err;
    int status = 0, begins[2];
    ck_assert_int_eq(pipe(begins), 0);
    pid_t child = fork(); /* another process: locks are between processes; and before the store has
                             a thread, whose locks within this one nobody would open there */
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        char byte;
        bool begun = read(begins[0], &byte, 1) == 1;
        _exit(begun && refused(&err) == ERR_CONFLICT && strstr(err.message, "another") != NULL ? 0
                                                                                               : 1);
    }
    struct store *store = open_store();
    ck_assert_int_eq(write(begins[1], "", 1), 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
    close(begins[0]);
    close(begins[1]);
    ck_assert_int_eq(refused(&err), ERR_CONFLICT);
    store_close(store);
    store = open_store(); /* free again */
    store_close(store);
}
END_TEST

/* Overwrites a part of the store's file. */
static void damage(off_t at, size_t size) {
    char bytes[4096];
    memset(bytes, 0xa5, sizeof(bytes));
    int fd = open(path, O_WRONLY);
    ck_assert_int_ge(fd, 0);
    for (size_t done = 0; done < size; done += sizeof(bytes)) {
        ck_assert_int_eq(pwrite(fd, bytes, sizeof(bytes), at + (off_t)done), sizeof(bytes));
    }
    close(fd);
}

START_TEST(damage_is_said_in_a_sentence) {
    static const struct {
        off_t at;
        size_t size;
    } places[] = {{0, 4096}, {8192, 16384}};
    struct err err;
    store_close(open_store());
    damage(places[_i].at, places[_i].size);
    ck_assert_int_eq(refused(&err), ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    ck_assert_ptr_nonnull(strstr(err.message, "move it away and run again"));
}
END_TEST

static void put_much(struct tx *tx, void *context) {
    char *text = mem_zero(200001, 1);
    memset(text, 'x', 200000);
    sql_run(tx, SQL_SOURCE_PUT, VALUES(TEXT(context), INTEGER(1), TEXT("pin"), TEXT(text)));
    mem_free(text);
}

/* More than is kept in memory, so that it is read from the file again. */
enum { MUCH = 40 };

static void put_numbered_well(struct tx *tx, void *context) {
    struct numbered *numbered = context;
    put(tx, numbered->url, numbered->number);
}

static void damaged_done(void *context, const struct err *err) {
    struct numbered *numbered = context;
    ck_assert_int_eq(err->code, ERR_CORRUPT);
    numbered->hold->ended++;
}

static void meet_damage(struct tx *tx, void *context) {
    for (int i = 0; i < MUCH; i++) {
        char url[16];
        snprintf(url, sizeof(url), "big%d", i);
        sql_integer(tx, SQL_SOURCE_GET, VALUES(TEXT(url)), -1);
    }
    put_numbered_well(tx, context); /* does nothing */
}

/* Neither the call that meets it nor the others of its group are kept, and nothing after it. */
START_TEST(damage_under_an_open_store_ends_it) {
    enum { COUNT = 3 };
    struct store *store = open_store();
    struct hold hold = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct numbered calls[COUNT];
    struct stat info;
    struct err err = {0};
    char url[16];
    for (int i = 0; i < MUCH; i++) {
        snprintf(url, sizeof(url), "big%d", i);
        ck_assert_int_eq(store_call(store, put_much, url, NULL), 0);
    }
    ck_assert_int_eq(store_loss(store, NULL), 0);
    ck_assert_int_eq(stat(path, &info), 0);
    damage(4096, (size_t)info.st_size - 4096);
    hold_store(store, &hold);
    for (int i = 0; i < COUNT; i++) {
        calls[i] = (struct numbered){.hold = &hold, .number = i};
        snprintf(calls[i].url, sizeof(calls[i].url), "n%d", i);
        store_submit(store, i == 1 ? meet_damage : put_numbered_well, damaged_done, &calls[i]);
    }
    pthread_mutex_unlock(&hold.mutex);
    ck_assert_int_eq(store_call(store, put_one, "later", &err), ERR_CORRUPT);
    ck_assert_int_eq(hold.ended, COUNT);
    err_clear(&err);
    ck_assert_int_eq(store_loss(store, &err), ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    ck_assert_ptr_nonnull(strstr(err.message, "it is damaged; move it away and run again"));
    ck_assert(!store_is_full(store));
    store_close(store);
}
END_TEST

START_TEST(a_cut_store_is_refused) {
    struct err err;
    store_close(open_store());
    ck_assert_int_eq(truncate(path, 3 * 4096), 0);
    ck_assert_int_eq(refused(&err), ERR_CORRUPT);
}
END_TEST

START_TEST(what_can_not_be_a_store_is_refused) {
    struct err err;
    mem_free(path);
    path = mem_format("%s/missing/store.db", folder);
    ck_assert_int_eq(refused(&err), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, path));
    mem_free(path);
    path = mem_string(folder); /* a folder */
    ck_assert_int_eq(refused(&err), ERR_INVALID);
}
END_TEST

/* A scheduler would not begin, and says why; secrets are not repeated. */
START_TEST(an_address_of_no_store_is_refused) {
    static const struct {
        const char *url;
        enum err_code code;
        const char *says;
    } cases[] = {
        {"postgresql://farm:sesame@127.0.0.1/farm", ERR_INVALID, "has a password in it"},
        {"postgresql://127.0.0.1/farm?sslpassword=sesame", ERR_INVALID, "has a password in it"},

        {"postgresql://127.0.0.1:1/farm", ERR_UNAVAILABLE, "can't be reached"},
        {"postgresql://127.0.0.1/farm?sesame=1", ERR_INVALID, "no URL as postgresql://"},
    };
    struct err err;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mem_free(path);
        path = mem_string(cases[i].url);
        ck_assert_msg(refused(&err) == (int)cases[i].code, "%s: %s", path, err.message);
        ck_assert_msg(strstr(err.message, cases[i].says) != NULL, "%s: %s", path, err.message);
        ck_assert_ptr_null(strstr(err.message, "sesame"));
    }
}
END_TEST

/* ---- a full disk ------------------------------------------------------------- */

static void fill_disk(void) {
    char *filler = mem_format("%s/filler", folder);
    FILE *file = fopen(filler, "w");
    ck_assert_ptr_nonnull(file);
    while (fputc('x', file) != EOF) {
    }
    fclose(file);
    mem_free(filler);
}

START_TEST(a_full_disk_is_said_and_survived) {
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", folder, "tmpfs", 0, "size=2m") != 0) {
        printf("SKIP store a_full_disk_is_said_and_survived: no small disk can be mounted (%s)\n",
               strerror(errno));
        return;
    }
    struct store *store = open_store();
    struct err err = {0};
    int kept = 0;
    char url[16];
    while (err.code == ERR_NONE && kept < 100) {
        snprintf(url, sizeof(url), "big%d", kept);
        kept += store_call(store, put_much, url, &err) == 0 ? 1 : 0;
    }
    ck_assert_int_eq(err.code, ERR_NO_SPACE);
    ck_assert_ptr_nonnull(strstr(err.message, "the disk is full"));
    ck_assert_int_gt(kept, 0);
    ck_assert(store_is_full(store));
    for (int i = 0; i <= kept; i++) { /* what was promised is there, what failed is not */
        snprintf(url, sizeof(url), "big%d", i);
        ck_assert_int_eq(size_of(store, url), i < kept ? 1 : -1);
    }
    ck_assert_int_eq(mount("none", folder, "tmpfs", MS_REMOUNT, "size=16m"), 0);
    ck_assert(store_is_full(store)); /* for all that was read since */
    ck_assert_int_eq(store_call(store, put_much, "after", NULL), 0);
    ck_assert(!store_is_full(store));
    store_close(store);
    store = open_store();
    ck_assert_int_eq(size_of(store, "after"), 1);
    store_close(store);
    fill_disk();
    ck_assert_int_eq(refused(&err), ERR_NO_SPACE);
    ck_assert_ptr_nonnull(strstr(err.message, "the disk is full"));
    umount(folder);
}
END_TEST

/* ---- sudden ends ------------------------------------------------------------- */

struct writing {
    int fd;
    int number;
    char url[16];
};

static void writing_run(struct tx *tx, void *context) {
    struct writing *writing = context;
    put(tx, writing->url, writing->number);
    sql_run(tx, SQL_SOURCE_PUT, VALUES(TEXT("last"), INTEGER(writing->number), TEXT(""), TEXT("")));
}

/* Promises the number to the parent, once it is on the disk. */
static void writing_done(void *context, const struct err *err) {
    struct writing *writing = context;
    if (err->code != ERR_NONE ||
        write(writing->fd, &writing->number, sizeof(writing->number)) < 0) {
        _exit(1);
    }
    mem_free(writing);
}

static void write_until_killed(int fd) {
    struct store *store = open_store();
    for (int i = 0; i < 1000000; i++) {
        struct writing *writing = mem_zero(1, sizeof(*writing));
        *writing = (struct writing){.fd = fd, .number = i};
        snprintf(writing->url, sizeof(writing->url), "w%d", i);
        store_submit(store, writing_run, writing_done, writing);
        if (i % 7 == 0) {
            usleep(300);
        }
    }
    _exit(2);
}

START_TEST(promises_survive_a_kill) {
    int pipes[2];
    ck_assert_int_eq(pipe(pipes), 0);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        close(pipes[0]);
        write_until_killed(pipes[1]);
    }
    close(pipes[1]);
    int status = 0, number = 0, promised = -1;
    while (promised < 1 && read(pipes[0], &number, sizeof(number)) == sizeof(number)) {
        ck_assert_int_eq(number, promised + 1);
        promised = number;
    }
    clock_sleep_ms(37 * _i, NULL);
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    while (read(pipes[0], &number, sizeof(number)) == sizeof(number)) {
        ck_assert_int_eq(number, promised + 1); /* in the order of submission */
        promised = number;
    }
    close(pipes[0]);
    struct store *store = open_after_kill();
    int64_t last = size_of(store, "last");
    ck_assert_int_ge(last, promised); /* more may be on the disk than was said */
    for (int i = 0; i <= last; i++) {
        char url[16];
        snprintf(url, sizeof(url), "w%d", i);
        ck_assert_int_eq(size_of(store, url), i);
    }
    ck_assert_int_gt(promised, 0);
    store_close(store);
}
END_TEST

/* What is of SQLite alone. */
static TCase *files_cases(void) {
    TCase *files = tcase_create("files");
    tcase_add_checked_fixture(files, make_folder, drop_folder);
    tcase_add_test(files, what_is_answered_is_on_the_disk);
    tcase_add_loop_test(files, damage_is_said_in_a_sentence, 0, 2);
    tcase_add_test(files, damage_under_an_open_store_ends_it);
    tcase_add_test(files, a_cut_store_is_refused);
    tcase_add_test(files, what_can_not_be_a_store_is_refused);
    tcase_add_test(files, a_full_disk_is_said_and_survived);
    return files;
}

Suite *store_suite(void) {
    Suite *suite = suite_create("store");
    TCase *calls = tcase_create("calls");
    tcase_add_checked_fixture(calls, make_folder, drop_folder);
    tcase_add_test(calls, calls_keep_or_undo_what_they_wrote);
    tcase_add_test(calls, a_part_of_a_call_may_fail_alone);
    tcase_add_test(calls, calls_that_wait_together_are_one_transaction);
    tcase_add_test(calls, a_call_whose_writes_fail_is_undone_alone);
    tcase_add_test(calls, closing_runs_what_was_submitted);
    tcase_add_test(calls, numbers_are_given_once_whoever_asks);
    tcase_add_test(calls, numbers_of_what_was_undone_are_given_again);
    tcase_add_test(calls, much_is_undone_as_well_as_little);
    tcase_add_test(calls, only_what_was_kept_wakes_anybody);
    tcase_add_test(calls, the_clock_never_goes_back);
    tcase_add_test(calls, every_statement_is_understood);
    tcase_add_test(calls, a_newer_store_is_refused);
    tcase_add_test(calls, an_older_store_learns_when_titles_were_submitted);
    tcase_add_test(calls, a_store_is_opened_by_one);
    tcase_add_test(calls, an_address_of_no_store_is_refused);
    tcase_add_loop_test(calls, promises_survive_a_kill, 0, 5);
    suite_add_tcase(suite, calls);
    if (getenv("REELFARM_TEST_STORE") == NULL) {
        suite_add_tcase(suite, files_cases());
    }
    return suite;
}
