/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All SQL of the catalog: see shelf_sql.h. */
#include "shelf_sql.h"

#include <assert.h>
#include <stddef.h>

/* An entry whose title is gone keeps its number and revision, so that what comes late is known to
 * be late. Its long text lies apart, so that lists need not step over it. */
static const char *const migrations[] = {
    "CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), changes TEXT NOT NULL);"
    "INSERT INTO state (id, changes) VALUES (1, '');"
    "CREATE TABLE entry ("
    " number INTEGER PRIMARY KEY,"
    " title TEXT NOT NULL UNIQUE,"
    " revision INTEGER NOT NULL DEFAULT -1,"
    " version TEXT NOT NULL DEFAULT '',"
    " published_at TEXT NOT NULL DEFAULT '',"
    " digest TEXT NOT NULL DEFAULT '',"
    " gone INTEGER NOT NULL DEFAULT 1,"
    " summary TEXT NOT NULL DEFAULT '');"
    "CREATE TABLE entry_text (number INTEGER PRIMARY KEY, text TEXT NOT NULL);"
    "CREATE TABLE mark (kind TEXT NOT NULL, value TEXT NOT NULL, title TEXT NOT NULL,"
    " PRIMARY KEY (kind, value, title)) WITHOUT ROWID;"
    "CREATE INDEX mark_title ON mark (title);"
    "CREATE VIRTUAL TABLE words USING fts5 (title, labels, languages, tenant, made,"
    " prefix = '1 2 3', tokenize = 'unicode61 remove_diacritics 2');",
};

enum { MIGRATIONS = sizeof(migrations) / sizeof(migrations[0]) };

static const char *const texts[SHELF_SQL_COUNT] = {
    [SHELF_SCHEMA] = "PRAGMA user_version",
    [SHELF_STATE] = "SELECT changes FROM state WHERE id = 1",
    [SHELF_STATE_SET] = "UPDATE state SET changes = $1 WHERE id = 1",
    [SHELF_KEPT] = "SELECT number, revision, version, published_at, digest, gone FROM entry "
                   "WHERE title = $1",
    [SHELF_ADD] = "INSERT INTO entry (title) VALUES ($1)",
    [SHELF_SET] = "UPDATE entry SET revision = $2, version = $3, published_at = $4, digest = $5, "
                  "gone = $6, summary = $7 WHERE number = $1",
    [SHELF_TEXT_PUT] = "INSERT OR REPLACE INTO entry_text (number, text) VALUES ($1, $2)",
    [SHELF_TEXT_DROP] = "DELETE FROM entry_text WHERE number = $1",
    [SHELF_MARK_ADD] = "INSERT OR IGNORE INTO mark (kind, value, title) VALUES ($1, $2, $3)",
    [SHELF_MARKS_DROP] = "DELETE FROM mark WHERE title = $1",
    [SHELF_WORDS_ADD] = "INSERT INTO words (rowid, title, labels, languages, tenant, made) "
                        "VALUES ($1, $2, $3, $4, $5, $6)",
    [SHELF_WORDS_DROP] = "DELETE FROM words WHERE rowid = $1",
    [SHELF_GET] = "SELECT e.revision, e.digest, t.text FROM entry e "
                  "JOIN entry_text t ON t.number = e.number WHERE e.title = $1 AND e.gone = 0",
    [SHELF_LIST] = "SELECT summary, title FROM entry WHERE title > $1 AND gone = 0 "
                   "ORDER BY title LIMIT $2",
    [SHELF_LIST_MARKED] =
        "SELECT e.summary, e.title FROM mark m CROSS JOIN entry e ON e.title = m.title "
        "WHERE m.kind = $1 AND m.value = $2 AND m.title > $3 "
        "AND ($5 = '' OR EXISTS (SELECT 1 FROM mark o WHERE o.kind = $4 AND o.value = $5 "
        "AND o.title = m.title)) "
        "AND ($7 = '' OR EXISTS (SELECT 1 FROM mark o WHERE o.kind = $6 AND o.value = $7 "
        "AND o.title = m.title)) "
        "ORDER BY m.title LIMIT $8",
    [SHELF_LAST] = "SELECT coalesce(max(number), 0) FROM entry",
    /* To rank all of a common word's titles takes long, and tells little: the newest are ranked.
     * A title whose id was typed comes first, however old. */
    [SHELF_SEARCH] =
        "WITH found AS (SELECT * FROM (SELECT rowid AS number,"
        " bm25(words, 10.0, 5.0, 2.0, 2.0, 1.0) AS score FROM words WHERE words MATCH $1"
        " AND rowid <= $5 ORDER BY rowid DESC LIMIT $2)"
        " UNION ALL SELECT number, -1e9 FROM entry WHERE title = $3 AND gone = 0"
        " AND +number <= $5), "
        "ranked AS MATERIALIZED (SELECT number, row_number() OVER"
        " (ORDER BY min(score), number DESC) AS place FROM found GROUP BY number), "
        "page AS (SELECT number, place FROM ranked WHERE place > coalesce("
        "(SELECT place FROM ranked WHERE number = $6), $7) ORDER BY place LIMIT $4) "
        "SELECT e.summary, p.number FROM page p CROSS JOIN entry e ON e.number = p.number "
        "ORDER BY p.place",
};

const char *shelf_sql(enum shelf_sql_id id) {
    assert(texts[id] != NULL);
    return texts[id];
}

const char *shelf_migration(int number) {
    return number >= 1 && number <= MIGRATIONS ? migrations[number - 1] : NULL;
}
