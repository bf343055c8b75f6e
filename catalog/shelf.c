/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The catalog's store over the thin driver: see shelf.h. */
#include "shelf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/mem.h"
#include "database/driver.h"
#include "shelf_parts.h"

enum {
    APPLICATION_ID = 0x52656c43, /* "RelC": tells our file from another program's */
    STATE_LETTERS = 24,
};

static const char settings[] = "PRAGMA temp_store = MEMORY";

/* More of the file in memory than who changes it has: searches read widely. */
static const char reader_settings[] = "PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY";

/* ---- statements ---------------------------------------------------------------------- */

int shelf_start(struct shelf *shelf, enum shelf_sql_id id, const struct value *values, size_t count,
                struct err *err) {
    return driver_start(shelf->driver, (int)id, shelf_sql(id), values, count, err);
}

static int run(struct shelf *shelf, enum shelf_sql_id id, const struct value *values, size_t count,
               struct err *err) {
    int step = shelf_start(shelf, id, values, count, err);
    if (step == 0) {
        step = driver_step(shelf->driver, (int)id, err);
    }
    if (step > 0) {
        driver_reset(shelf->driver, (int)id);
    }
    return step < 0 ? step : 0;
}

int shelf_first(struct shelf *shelf, enum shelf_sql_id id, const struct value *values, size_t count,
                struct err *err) {
    int failed = shelf_start(shelf, id, values, count, err);
    return failed != 0 ? failed : driver_step(shelf->driver, (int)id, err);
}

/* ---- open ------------------------------------------------------------------------------ */

static int migrate_by(struct shelf *shelf, int number, struct err *err) {
    char *set = mem_format("PRAGMA user_version = %d", number);
    int failed = shelf_begin(shelf, err);
    if (failed == 0) {
        failed = driver_script(shelf->driver, shelf_migration(number), err);
    }
    if (failed == 0) {
        failed = driver_script(shelf->driver, set, err);
    }
    if (failed == 0) {
        failed = shelf_commit(shelf, err);
    }
    shelf_undo(shelf);
    mem_free(set);
    return failed;
}

static int migrate(struct shelf *shelf, struct err *err) {
    int row = shelf_first(shelf, SHELF_SCHEMA, NULL, 0, err);
    int number = row > 0 ? (int)driver_integer(shelf->driver, SHELF_SCHEMA, 0) : 0;
    if (row > 0) {
        driver_reset(shelf->driver, SHELF_SCHEMA);
    }
    int failed = row < 0 ? row : 0;
    if (failed == 0 && number > 0 && shelf_migration(number) == NULL) {
        failed = err_set(err, ERR_UNSUPPORTED,
                         "the catalog's store is by a later version of reelfarm; start that");
    }
    while (failed == 0 && shelf_migration(number + 1) != NULL) {
        number++;
        failed = migrate_by(shelf, number, err);
    }
    return failed;
}

static struct shelf *create(void) {
    struct shelf *shelf = mem_zero(1, sizeof(*shelf));
    shelf->few = SHELF_FEW;
    return shelf;
}

int shelf_open(struct shelf **out, const char *path, struct err *err) {
    struct shelf *shelf = create();
    struct driver_options options = {
        .statement_count = SHELF_SQL_COUNT, .application_id = APPLICATION_ID, .has_readers = true};
    int failed = driver_open(&shelf->driver, path, &options, err);
    if (failed == 0) {
        failed = driver_script(shelf->driver, settings, err);
    }
    if (failed == 0) {
        failed = migrate(shelf, err);
    }
    if (failed != 0) {
        shelf_close(shelf);
        return failed;
    }
    *out = shelf;
    return 0;
}

int shelf_open_reader(struct shelf **out, const struct shelf *of, struct err *err) {
    struct shelf *shelf = create();
    int failed = driver_open_reader(&shelf->driver, of->driver, err);
    if (failed == 0) {
        failed = driver_script(shelf->driver, reader_settings, err);
    }
    if (failed != 0) {
        shelf_close(shelf);
        return failed;
    }
    *out = shelf;
    return 0;
}

void shelf_close(struct shelf *shelf) {
    if (shelf != NULL) {
        driver_close(shelf->driver);
        mem_free(shelf);
    }
}

/* ---- changes ---------------------------------------------------------------------------- */

int shelf_begin(struct shelf *shelf, struct err *err) {
    return driver_transact(shelf->driver, DRIVER_BEGIN, err);
}

int shelf_commit(struct shelf *shelf, struct err *err) {
    int failed = driver_transact(shelf->driver, DRIVER_COMMIT, err);
    shelf_undo(shelf);
    return failed;
}

void shelf_undo(struct shelf *shelf) {
    if (driver_in_transaction(shelf->driver)) {
        driver_transact(shelf->driver, DRIVER_ROLLBACK, NULL);
    }
}

int64_t shelf_log_bytes(struct shelf *shelf) {
    int64_t file = 0;
    int64_t log = 0;
    driver_size(shelf->driver, &file, &log);
    return log;
}

int shelf_fold(struct shelf *shelf, struct err *err) {
    return driver_script(shelf->driver, "PRAGMA wal_checkpoint(TRUNCATE)", err);
}

bool shelf_is_broken(const struct shelf *shelf) {
    return !driver_in_transaction(shelf->driver);
}

bool shelf_is_lost(const struct shelf *shelf) {
    return driver_is_lost(shelf->driver);
}

/* Ends the savepoint of one change: keeps it, or undoes it where it failed. */
static int end_change(struct shelf *shelf, int failed, struct err *err) {
    if (failed != 0 && driver_in_transaction(shelf->driver)) {
        driver_transact(shelf->driver, DRIVER_UNDO, NULL);
    }
    if (driver_in_transaction(shelf->driver)) {
        int ended = driver_transact(shelf->driver, DRIVER_KEEP, err);
        failed = failed != 0 ? failed : ended;
    }
    return failed;
}

/* What is kept of a title. */
struct kept {
    int64_t number;
    int64_t revision; /* -1: it was never told of */
    char version[VERSION_TEXT];
    char published_at[ENTRY_TIME_TEXT];
    char digest[WIRE_HASH_TEXT];
    bool gone;
};

/* What is kept of it, after a row was made where there is none. */
static int look(struct shelf *shelf, const char *title, struct kept *out, struct err *err) {
    struct driver *driver = shelf->driver;
    int row = shelf_first(shelf, SHELF_KEPT, VALUES(TEXT(title)), err);
    if (row == 0) {
        row = run(shelf, SHELF_ADD, VALUES(TEXT(title)), err);
        row = row == 0 ? shelf_first(shelf, SHELF_KEPT, VALUES(TEXT(title)), err) : row;
    }
    if (row < 0) {
        return row;
    }
    out->number = driver_integer(driver, SHELF_KEPT, 0);
    out->revision = driver_integer(driver, SHELF_KEPT, 1);
    snprintf(out->version, sizeof(out->version), "%s", driver_text(driver, SHELF_KEPT, 2));
    snprintf(out->published_at, sizeof(out->published_at), "%s",
             driver_text(driver, SHELF_KEPT, 3));
    snprintf(out->digest, sizeof(out->digest), "%s", driver_text(driver, SHELF_KEPT, 4));
    out->gone = driver_integer(driver, SHELF_KEPT, 5) != 0;
    driver_reset(driver, SHELF_KEPT);
    return 0;
}

/* 1: it is new; 0: it is what is kept; else CONFLICT. */
static int judge(const struct kept *kept, const char *title, int64_t revision, const char *digest,
                 struct err *err) {
    if (revision > kept->revision) {
        return 1;
    }
    if (revision < kept->revision) {
        return err_set(err, ERR_CONFLICT,
                       "title %s is at revision %" PRId64 " here, and %" PRId64 " came late", title,
                       kept->revision, revision);
    }
    if (strcmp(digest, kept->digest) != 0) {
        return err_set(err, ERR_CONFLICT,
                       "title %s has other content of revision %" PRId64
                       " here; what changes needs a higher one",
                       title, revision);
    }
    return 0;
}

/* The state is a chain of all changes, so that no two states of a store, nor of a copy of it that
 * was put back, have one tag. */
static int turn_state(struct shelf *shelf, const char *title, int64_t revision, const char *digest,
                      struct err *err) {
    char state[SHELF_TAG_TEXT];
    char hex[SHA256_TEXT];
    int failed = shelf_tag(shelf, state, err);
    if (failed != 0) {
        return failed;
    }
    char *text = mem_format("%s %s %" PRId64 " %s", state, title, revision, digest);
    sha256_hex_of(text, strlen(text), hex);
    hex[STATE_LETTERS] = '\0';
    mem_free(text);
    return run(shelf, SHELF_STATE_SET, VALUES(TEXT(hex)), err);
}

/* Takes away what is kept of a title but its row. */
static int clear(struct shelf *shelf, const char *title, const struct kept *kept, struct err *err) {
    if (kept->gone) {
        return 0;
    }
    int failed = run(shelf, SHELF_WORDS_DROP, VALUES(INTEGER(kept->number)), err);
    if (failed == 0) {
        failed = run(shelf, SHELF_MARKS_DROP, VALUES(TEXT(title)), err);
    }
    if (failed == 0) {
        failed = run(shelf, SHELF_FACT_DROP, VALUES(INTEGER(kept->number)), err);
    }
    return failed == 0 ? run(shelf, SHELF_TEXT_DROP, VALUES(INTEGER(kept->number)), err) : failed;
}

static int add_mark(struct shelf *shelf, const struct entry *entry, const char *kind,
                    const char *value, struct err *err) {
    return run(shelf, SHELF_MARK_ADD, VALUES(TEXT(kind), TEXT(value), TEXT(entry->title)), err);
}

/* A label by all of it, and by its name. */
static int add_label(struct shelf *shelf, const struct entry *entry, const char *label,
                     struct err *err) {
    char *name = mem_format("%.*s", (int)strcspn(label, "="), label);
    int failed = add_mark(shelf, entry, "label", label, err);
    failed = failed == 0 ? add_mark(shelf, entry, "label", name, err) : failed;
    mem_free(name);
    return failed;
}

static int add_marks(struct shelf *shelf, const struct entry *entry, struct err *err) {
    int failed = 0;
    for (size_t i = 0; i < entry->label_count && failed == 0; i++) {
        failed = add_label(shelf, entry, entry->labels[i], err);
    }
    for (size_t i = 0; i < entry->language_count && failed == 0; i++) {
        failed = add_mark(shelf, entry, "language", entry->languages[i], err);
    }
    for (size_t i = 0; i < entry->rendition_count && failed == 0; i++) {
        failed = add_mark(shelf, entry, "codec", entry->renditions[i].codec, err);
    }
    return entry->tenant[0] != '\0' && failed == 0
               ? add_mark(shelf, entry, "tenant", entry->tenant, err)
               : failed;
}

static int add_words(struct shelf *shelf, int64_t number, const struct entry *entry,
                     struct err *err) {
    struct buf labels = {0};
    struct buf languages = {0};
    struct buf made = {0};
    entry_label_words(entry, &labels);
    entry_language_words(entry, &languages);
    entry_made_words(entry, &made);
    int failed = run(shelf, SHELF_WORDS_ADD,
                     VALUES(INTEGER(number), TEXT(entry->title), TEXT(buf_text(&labels)),
                            TEXT(buf_text(&languages)), TEXT(entry->tenant), TEXT(buf_text(&made))),
                     err);
    buf_finish(&labels);
    buf_finish(&languages);
    buf_finish(&made);
    return failed;
}

static int write_entry(struct shelf *shelf, const struct entry *entry, const struct kept *kept,
                       const char *published_at, int64_t now_ms, struct err *err) {
    char now[CLOCK_TEXT];
    struct buf text = {0};
    struct buf summary = {0};
    clock_text(now_ms, now);
    entry_write(entry, published_at, &text);
    entry_write_summary(entry, published_at, now, &summary);
    int failed =
        run(shelf, SHELF_TEXT_PUT, VALUES(INTEGER(kept->number), TEXT(buf_text(&text))), err);
    if (failed == 0) {
        failed = run(shelf, SHELF_SET,
                     VALUES(INTEGER(kept->number), INTEGER(entry->revision), TEXT(entry->version),
                            TEXT(published_at), TEXT(entry->digest), INTEGER(0),
                            TEXT(buf_text(&summary))),
                     err);
    }
    if (failed == 0) {
        failed = run(shelf, SHELF_FACT_PUT,
                     VALUES(INTEGER(kept->number), TEXT(entry->title), INTEGER(entry->height),
                            INTEGER(now_ms)),
                     err);
    }
    buf_finish(&text);
    buf_finish(&summary);
    return failed;
}

/* The changes of a put, in their savepoint. */
static int put(struct shelf *shelf, const struct entry *entry, int64_t now_ms,
               enum shelf_change *change, int64_t *kept_revision, struct err *err) {
    struct kept kept = {0};
    char now[CLOCK_TEXT];
    int failed = look(shelf, entry->title, &kept, err);
    int is_new = failed == 0 ? judge(&kept, entry->title, entry->revision, entry->digest, err) : 0;
    *kept_revision = kept.revision;
    *change = is_new <= 0 ? SHELF_SAME : kept.gone ? SHELF_ADDED : SHELF_CHANGED;
    if (failed != 0 || is_new <= 0) {
        return failed != 0 ? failed : is_new;
    }
    clock_text(now_ms, now);
    bool is_known = strcmp(kept.version, entry->version) == 0 && !kept.gone;
    const char *published_at = entry->published_at[0] != '\0' ? entry->published_at
                               : is_known                     ? kept.published_at
                                                              : now;
    failed = clear(shelf, entry->title, &kept, err);
    if (failed == 0) {
        failed = write_entry(shelf, entry, &kept, published_at, now_ms, err);
    }
    if (failed == 0) {
        failed = add_marks(shelf, entry, err);
    }
    if (failed == 0) {
        failed = add_words(shelf, kept.number, entry, err);
    }
    return failed == 0 ? turn_state(shelf, entry->title, entry->revision, entry->digest, err)
                       : failed;
}

int shelf_put(struct shelf *shelf, const struct entry *entry, int64_t now_ms,
              enum shelf_change *change, int64_t *kept, struct err *err) {
    int failed = driver_transact(shelf->driver, DRIVER_SAVE, err);
    return failed != 0 ? failed
                       : end_change(shelf, put(shelf, entry, now_ms, change, kept, err), err);
}

static int drop(struct shelf *shelf, const char *title, int64_t revision, int64_t *kept_revision,
                struct err *err) {
    struct kept kept = {0};
    int failed = look(shelf, title, &kept, err);
    int is_new = failed == 0 ? judge(&kept, title, revision, "", err) : 0;
    *kept_revision = kept.revision;
    if (failed != 0 || is_new <= 0) {
        return failed != 0 ? failed : is_new;
    }
    failed = clear(shelf, title, &kept, err);
    if (failed == 0) {
        failed = run(shelf, SHELF_SET,
                     VALUES(INTEGER(kept.number), INTEGER(revision), TEXT(""), TEXT(""), TEXT(""),
                            INTEGER(1), TEXT("")),
                     err);
    }
    return failed == 0 && !kept.gone ? turn_state(shelf, title, revision, "", err) : failed;
}

int shelf_drop(struct shelf *shelf, const char *title, int64_t revision, int64_t *kept,
               struct err *err) {
    int failed = driver_transact(shelf->driver, DRIVER_SAVE, err);
    return failed != 0 ? failed : end_change(shelf, drop(shelf, title, revision, kept, err), err);
}

/* ---- reading ----------------------------------------------------------------------------- */

int shelf_tag(struct shelf *shelf, char out[SHELF_TAG_TEXT], struct err *err) {
    int row = shelf_first(shelf, SHELF_STATE, NULL, 0, err);
    if (row <= 0) {
        return row < 0 ? row : err_set(err, ERR_CORRUPT, "the catalog's store has no state");
    }
    snprintf(out, SHELF_TAG_TEXT, "\"%.*s\"", (int)STATE_LETTERS,
             driver_text(shelf->driver, SHELF_STATE, 0));
    driver_reset(shelf->driver, SHELF_STATE);
    return 0;
}

int shelf_get(struct shelf *shelf, const char *title, char tag[SHELF_TAG_TEXT], struct buf *out,
              struct err *err) {
    int row = shelf_first(shelf, SHELF_GET, VALUES(TEXT(title)), err);
    if (row <= 0) {
        return row < 0 ? row : err_set(err, ERR_NOT_FOUND, "the catalog has no title '%s'", title);
    }
    snprintf(tag, SHELF_TAG_TEXT, "\"%" PRId64 "-%.*s\"",
             driver_integer(shelf->driver, SHELF_GET, 0), (int)STATE_LETTERS,
             driver_text(shelf->driver, SHELF_GET, 1));
    buf_string(out, driver_text(shelf->driver, SHELF_GET, 2));
    driver_reset(shelf->driver, SHELF_GET);
    return 0;
}
