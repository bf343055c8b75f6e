/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The threads under the catalog: changes that wait are one transaction, changes and reads hold none
 * of each other up, a read sees one state, what was told of its end is seen, a log of changes ends
 * however many read, and damage ends all.
 */
#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/desk.h"
#include "catalog/words.h"
#include "catalog_fixture.h"
#include "common/mem.h"
#include "fixture.h"

Suite *desk_suite(void);

enum { NOW_MS = 1700000000, PADDING = 800000, PADDED = 48, LOG_SLACK = 2 << 20 };

static char *folder;
static char *path;
static struct desk *desk;
static atomic_int turn;   /* counts what errands come to */
static atomic_int losses; /* that were told of */

static void note_loss(void *context) {
    ck_assert_ptr_eq(context, &losses);
    atomic_fetch_add(&losses, 1);
}

static void open_desk(void) {
    struct err err = {0};
    ck_assert_msg(desk_open(&desk, path, note_loss, &losses, &err) == 0, "%s", err.message);
}

static void set_up(void) {
    folder = fixture_folder();
    path = mem_format("%s/catalog.db", folder);
    atomic_store(&losses, 0);
    open_desk();
}

static void tear_down(void) {
    desk_close(desk);
    desk = NULL;
    mem_free(path);
    fixture_folder_drop(folder);
}

/* A job of a test, which waits for its end. */
struct errand {
    struct job job; /* first */
    struct json *body;
    struct entry entry;
    const char *title;
    sem_t *begun;                 /* posted by its run; NULL: nobody waits for that */
    sem_t *hold;                  /* its run waits for it; NULL: for nothing */
    char tags[2][SHELF_TAG_TEXT]; /* before and after it was held */
    int ran, told;                /* turns at which it was; 0: it was not */
    sem_t ended;
};

static void errand_done(struct job *job) {
    struct errand *errand = (struct errand *)job;
    errand->told = atomic_fetch_add(&turn, 1) + 1;
    sem_post(&errand->ended);
}

static void pause_run(struct errand *errand) {
    errand->ran = atomic_fetch_add(&turn, 1) + 1;
    if (errand->begun != NULL) {
        sem_post(errand->begun);
    }
    if (errand->hold != NULL) {
        sem_wait(errand->hold);
    }
}

static void run_put(struct job *job, struct shelf *shelf) {
    struct errand *errand = (struct errand *)job;
    enum shelf_change change;
    int64_t kept;
    pause_run(errand);
    shelf_put(shelf, &errand->entry, NOW_MS, &change, &kept, &job->err);
}

/* As a disk does that is full in the middle. */
static void run_break(struct job *job, struct shelf *shelf) {
    pause_run((struct errand *)job);
    shelf_undo(shelf);
    err_set(&job->err, ERR_NO_SPACE, "the disk is full");
}

static void run_tags(struct job *job, struct shelf *shelf) {
    struct errand *errand = (struct errand *)job;
    shelf_tag(shelf, errand->tags[0], &job->err);
    pause_run(errand);
    shelf_tag(shelf, errand->tags[1], &job->err);
}

static void run_get(struct job *job, struct shelf *shelf) {
    struct errand *errand = (struct errand *)job;
    struct buf text = {0};
    shelf_get(shelf, errand->title, errand->tags[0], &text, &job->err);
    buf_finish(&text);
}

static void run_search(struct job *job, struct shelf *shelf) {
    struct errand *errand = (struct errand *)job;
    struct buf expression = {0};
    struct buf text = {0};
    if (words_expression(errand->title, &expression, &job->err) == 0) {
        struct search search = {
            .expression = buf_text(&expression), .title = errand->title, .limit = 10};
        shelf_search(shelf, &search, &text, &job->err);
    }
    buf_finish(&expression);
    buf_finish(&text);
}

/* Passes over what it meets. */
static void run_past_damage(struct job *job, struct shelf *shelf) {
    run_get(job, shelf);
    err_clear(&job->err);
}

static void start(struct errand *errand, void (*run)(struct job *job, struct shelf *shelf)) {
    errand->job.changes = run == run_put || run == run_break || run == run_past_damage;
    errand->job.run = run;
    errand->job.done = errand_done;
    sem_init(&errand->ended, 0, 0);
    desk_submit(desk, &errand->job);
}

static void start_put(struct errand *errand, const struct said *said) {
    errand->body = said_body(said);
    ck_assert_int_eq(entry_read(&errand->entry, errand->body, said->title, NULL), 0);
    start(errand, run_put);
}

/* Waits for its end, and wants it to be this one. */
static void finish_with(struct errand *errand, enum err_code code) {
    sem_wait(&errand->ended);
    ck_assert_msg(errand->job.err.code == code, "%d: %s", (int)errand->job.err.code,
                  errand->job.err.message);
    sem_destroy(&errand->ended);
    json_tree_destroy(errand->body);
    errand->body = NULL;
}

static void finish(struct errand *errand) {
    finish_with(errand, ERR_NONE);
}

static void put(const char *title, int64_t revision) {
    struct errand errand = {0};
    start_put(&errand, &(struct said){.title = title, .revision = revision});
    finish(&errand);
}

static void look_for(const char *title, enum err_code code) {
    struct errand read = {.title = title};
    start(&read, run_get);
    finish_with(&read, code);
}

/* ---- changes that wait ------------------------------------------------------------------ */

/* A change that is held, so that those behind it wait. */
struct holding {
    struct errand change;
    sem_t begun, hold;
};

static void holding_begin(struct holding *holding) {
    sem_init(&holding->begun, 0, 0);
    sem_init(&holding->hold, 0, 0);
    holding->change = (struct errand){.begun = &holding->begun, .hold = &holding->hold};
    start_put(&holding->change, &(struct said){.title = "a", .revision = 1});
    sem_wait(&holding->begun);
}

static void holding_end(struct holding *holding) {
    sem_post(&holding->hold);
    finish(&holding->change);
    sem_destroy(&holding->begun);
    sem_destroy(&holding->hold);
}

/* None is told of its end before all of them are on the disk; more than a group wait once more. */
START_TEST(changes_that_wait_are_one_transaction) {
    enum { CHANGES = DESK_GROUP + 6 };
    static struct errand changes[CHANGES];
    struct holding first;
    memset(changes, 0, sizeof(changes));
    holding_begin(&first);
    for (int i = 0; i < CHANGES; i++) {
        start_put(&changes[i], &(struct said){.title = "b", .revision = 1 + i});
    }
    holding_end(&first);
    for (int i = 0; i < CHANGES; i++) {
        finish(&changes[i]);
        ck_assert(i == 0 ||
                  (changes[i].ran > changes[i - 1].ran && changes[i].told > changes[i - 1].told));
    }
    ck_assert_int_lt(changes[DESK_GROUP - 1].ran, changes[0].told);
    ck_assert_int_gt(changes[DESK_GROUP].ran, changes[DESK_GROUP - 1].told);
}
END_TEST

START_TEST(one_that_is_refused_leaves_the_others) {
    struct errand before = {0}, late = {0}, after = {0};
    struct holding first;
    holding_begin(&first);
    start_put(&before, &(struct said){.title = "b", .revision = 1});
    start_put(&late, &(struct said){.title = "a", .revision = 0});
    start_put(&after, &(struct said){.title = "c", .revision = 1});
    holding_end(&first);
    finish(&before);
    finish_with(&late, ERR_CONFLICT);
    finish(&after);
    look_for("b", ERR_NONE);
    look_for("c", ERR_NONE);
}
END_TEST

/* All of its transaction is undone, and told so; nothing of it is done outside. */
START_TEST(one_that_breaks_the_transaction_undoes_it) {
    struct errand before = {0}, breaking = {0}, after = {0};
    struct holding first;
    holding_begin(&first);
    start_put(&before, &(struct said){.title = "b", .revision = 1});
    start(&breaking, run_break);
    start_put(&after, &(struct said){.title = "c", .revision = 1});
    holding_end(&first);
    finish_with(&before, ERR_NO_SPACE);
    finish_with(&breaking, ERR_NO_SPACE);
    finish_with(&after, ERR_NO_SPACE);
    ck_assert_int_eq(after.ran, 0);
    look_for("a", ERR_NONE);
    look_for("b", ERR_NOT_FOUND);
    look_for("c", ERR_NOT_FOUND);
    put("b", 1);
    look_for("b", ERR_NONE);
}
END_TEST

/* ---- beside each other ------------------------------------------------------------------ */

START_TEST(a_change_that_takes_long_holds_no_read_up) {
    sem_t begun, hold;
    struct errand change = {.begun = &begun, .hold = &hold};
    struct errand reads[2 * DESK_READERS] = {0};
    sem_init(&begun, 0, 0);
    sem_init(&hold, 0, 0);
    start_put(&change, &(struct said){.title = "a", .revision = 1});
    sem_wait(&begun);
    for (int i = 0; i < 2 * DESK_READERS; i++) {
        start(&reads[i], run_tags);
    }
    for (int i = 0; i < 2 * DESK_READERS; i++) {
        finish(&reads[i]);
    }
    sem_post(&hold);
    finish(&change);
    sem_destroy(&begun);
    sem_destroy(&hold);
}
END_TEST

START_TEST(reads_that_take_long_hold_nothing_up) {
    sem_t begun, hold;
    struct errand reads[DESK_READERS] = {0};
    sem_init(&begun, 0, 0);
    sem_init(&hold, 0, 0);
    for (int i = 0; i < DESK_READERS - 1; i++) {
        reads[i].begun = &begun;
        reads[i].hold = &hold;
        start(&reads[i], run_tags);
        sem_wait(&begun);
    }
    put("a", 1);
    put("a", 2); /* nor does a log that is short, after the first */
    struct errand read = {.title = "a"};
    start(&read, run_get);
    finish(&read);
    for (int i = 0; i < DESK_READERS - 1; i++) {
        sem_post(&hold);
    }
    for (int i = 0; i < DESK_READERS - 1; i++) {
        finish(&reads[i]);
    }
    sem_destroy(&begun);
    sem_destroy(&hold);
}
END_TEST

/* Else the tag of an answer might be of another state than what it says. */
START_TEST(a_read_sees_one_state) {
    sem_t begun, hold;
    struct errand read = {.begun = &begun, .hold = &hold};
    struct errand later = {0};
    sem_init(&begun, 0, 0);
    sem_init(&hold, 0, 0);
    start(&read, run_tags);
    sem_wait(&begun);
    put("a", 1);
    sem_post(&hold);
    finish(&read);
    start(&later, run_tags);
    finish(&later);
    ck_assert_str_eq(read.tags[0], read.tags[1]);
    ck_assert_str_ne(read.tags[0], later.tags[0]);
    sem_destroy(&begun);
    sem_destroy(&hold);
}
END_TEST

START_TEST(what_was_told_of_its_end_is_seen) {
    for (int64_t revision = 1; revision <= 40; revision++) {
        char wanted[32];
        struct errand read = {.title = "a"};
        snprintf(wanted, sizeof(wanted), "\"%lld-", (long long)revision);
        put("a", revision);
        start(&read, run_get);
        finish(&read);
        ck_assert_msg(strncmp(read.tags[0], wanted, strlen(wanted)) == 0, "%s", read.tags[0]);
    }
}
END_TEST

/* ---- many ------------------------------------------------------------------------------ */

static void *do_many(void *context) {
    int number = *(const int *)context;
    for (int round = 1; round <= 12; round++) {
        struct errand errands[4] = {0};
        char *own = mem_format("title-%d", number);
        start_put(&errands[0], &(struct said){.title = own, .revision = round});
        for (int i = 1; i < 4; i++) {
            errands[i].title = "title";
        }
        start(&errands[1], run_search);
        start(&errands[2], run_tags);
        start(&errands[3], run_search);
        for (int i = 0; i < 4; i++) {
            finish(&errands[i]);
        }
        mem_free(own);
    }
    return NULL;
}

START_TEST(many_ask_and_tell_at_once) {
    pthread_t threads[4];
    int numbers[4] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, do_many, &numbers[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < 4; i++) {
        char title[32];
        struct errand read = {.title = title};
        snprintf(title, sizeof(title), "title-%d", i);
        start(&read, run_get);
        finish(&read);
        ck_assert_int_eq(strncmp(read.tags[0], "\"12-", 4), 0);
    }
}
END_TEST

START_TEST(all_that_was_handed_over_is_done_before_it_closes) {
    enum { JOBS = 100 };
    static struct errand errands[JOBS];
    memset(errands, 0, sizeof(errands));
    for (int i = 0; i < JOBS; i++) {
        if (i % 2 == 0) {
            start_put(&errands[i], &(struct said){.title = "a", .revision = 1 + i});
        } else {
            start(&errands[i], run_tags);
        }
    }
    desk_close(desk);
    desk = NULL;
    for (int i = 0; i < JOBS; i++) {
        ck_assert_int_eq(sem_trywait(&errands[i].ended), 0);
        sem_post(&errands[i].ended);
        finish(&errands[i]);
    }
}
END_TEST

/* ---- the log ---------------------------------------------------------------------------- */

/* Reads again and again, so that there is hardly a moment in which nobody does. */
struct readers {
    pthread_mutex_t mutex;
    bool enough;
    sem_t ended;
};

struct reading {
    struct job job; /* first */
    struct readers *readers;
};

static void run_slowly(struct job *job, struct shelf *shelf) {
    char tag[SHELF_TAG_TEXT];
    shelf_tag(shelf, tag, &job->err);
    usleep(3000);
}

static void read_again(struct job *job) {
    struct readers *readers = ((struct reading *)job)->readers;
    pthread_mutex_lock(&readers->mutex);
    bool enough = readers->enough;
    pthread_mutex_unlock(&readers->mutex);
    if (enough) {
        sem_post(&readers->ended);
    } else {
        desk_submit(desk, job);
    }
}

static int64_t log_bytes(void) {
    struct stat info = {0};
    char *log = mem_format("%s-wal", path);
    int failed = stat(log, &info);
    mem_free(log);
    ck_assert_int_eq(failed, 0);
    return info.st_size;
}

START_TEST(the_log_ends_however_many_read) {
    enum { READING = 2 * DESK_READERS };
    struct readers readers = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct reading reading[READING] = {0};
    char *padding = mem_zero(1, PADDING + 1);
    memset(padding, 'x', PADDING);
    char *more = mem_format("\"note\":\"%s\",\"renditions\":[{", padding);
    sem_init(&readers.ended, 0, 0);
    for (int i = 0; i < READING; i++) {
        reading[i] = (struct reading){{.run = run_slowly, .done = read_again}, &readers};
        desk_submit(desk, &reading[i].job);
    }
    for (int i = 0; i < PADDED; i++) {
        struct errand errand = {0};
        start_put(
            &errand,
            &(struct said){.title = "a", .revision = i, .find = "\"renditions\":[{", .put = more});
        finish(&errand);
        ck_assert_int_lt(log_bytes(), DESK_LOG_BYTES + LOG_SLACK);
    }
    pthread_mutex_lock(&readers.mutex);
    readers.enough = true;
    pthread_mutex_unlock(&readers.mutex);
    for (int i = 0; i < READING; i++) {
        sem_wait(&readers.ended);
    }
    sem_destroy(&readers.ended);
    mem_free(more);
    mem_free(padding);
}
END_TEST

/* ---- damage ----------------------------------------------------------------------------- */

/* More than the one that changes has in memory, on the disk; then all but the first page is
 * overwritten. */
static void damage_beneath(void) {
    enum { BIG = 10 };
    char *padding = mem_zero(1, PADDING + 1);
    struct stat info = {0};
    memset(padding, 'x', PADDING);
    char *more = mem_format("\"note\":\"%s\",\"renditions\":[{", padding);
    for (int i = 0; i < BIG; i++) {
        char title[16];
        struct errand errand = {0};
        snprintf(title, sizeof(title), "big-%d", i);
        start_put(&errand,
                  &(struct said){
                      .title = title, .revision = 1, .find = "\"renditions\":[{", .put = more});
        finish(&errand);
    }
    desk_close(desk); /* the log is in the file then */
    open_desk();
    ck_assert_int_eq(stat(path, &info), 0);
    memset(padding, 0xa5, PADDING);
    int fd = open(path, O_WRONLY);
    ck_assert_int_ge(fd, 0);
    for (off_t at = 4096; at < info.st_size; at += PADDING) {
        size_t left = (size_t)(info.st_size - at);
        size_t size = left < PADDING ? left : PADDING;
        ck_assert_int_eq(pwrite(fd, padding, size, at), (ssize_t)size);
    }
    close(fd);
    mem_free(more);
    mem_free(padding);
}

/* Met by a read, by a change, or by one that makes nothing of it; and everything fails after it. */
START_TEST(damage_ends_all) {
    struct errand meets = {.title = "big-0"}, after = {0};
    struct err err = {0};
    damage_beneath();
    ck_assert_int_eq(desk_loss(desk, NULL), 0);
    if (_i == 0) {
        start(&meets, run_get);
    } else if (_i == 1) {
        start_put(&meets, &(struct said){.title = "big-0", .revision = 2});
    } else {
        start(&meets, run_past_damage);
    }
    finish_with(&meets, ERR_CORRUPT);
    start_put(&after, &(struct said){.title = "c", .revision = 1});
    finish_with(&after, ERR_CORRUPT);
    ck_assert_int_eq(after.ran, 0);
    look_for("big-1", ERR_CORRUPT);
    ck_assert_int_eq(desk_loss(desk, &err), ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "damaged"));
    ck_assert(_i == 2 || strstr(err.message, path) != NULL);
    ck_assert_int_eq(atomic_load(&losses), 1);
}
END_TEST

Suite *desk_suite(void) {
    Suite *suite = suite_create("desk");
    TCase *tests = tcase_create("desk");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_set_timeout(tests, 240);
    tcase_add_test(tests, changes_that_wait_are_one_transaction);
    tcase_add_test(tests, one_that_is_refused_leaves_the_others);
    tcase_add_test(tests, one_that_breaks_the_transaction_undoes_it);
    tcase_add_test(tests, a_change_that_takes_long_holds_no_read_up);
    tcase_add_test(tests, reads_that_take_long_hold_nothing_up);
    tcase_add_test(tests, a_read_sees_one_state);
    tcase_add_test(tests, what_was_told_of_its_end_is_seen);
    tcase_add_test(tests, many_ask_and_tell_at_once);
    tcase_add_test(tests, all_that_was_handed_over_is_done_before_it_closes);
    tcase_add_test(tests, the_log_ends_however_many_read);
    tcase_add_loop_test(tests, damage_ends_all, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}
