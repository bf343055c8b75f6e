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
    /* What is asked of very many titles lies close together; what was there is told by its
     * summary. */
    "CREATE TABLE fact ("
    " number INTEGER PRIMARY KEY,"
    " title TEXT NOT NULL UNIQUE,"
    " height INTEGER NOT NULL,"
    " updated_at INTEGER NOT NULL);"
    "INSERT INTO fact (number, title, height, updated_at) SELECT number, title,"
    " json_extract(summary, '$.height'),"
    " 1000 * coalesce(CAST(strftime('%s', published_at) AS INTEGER), 0)"
    " FROM entry WHERE gone = 0;"
    "CREATE INDEX fact_height ON fact (height);"
    "INSERT OR IGNORE INTO mark (kind, value, title) SELECT 'codec', c.value, e.title"
    " FROM entry e, json_each(e.summary, '$.codecs') c WHERE e.gone = 0;"
    "INSERT OR IGNORE INTO mark (kind, value, title)"
    " SELECT kind, substr(value, 1, instr(value, '=') - 1), title FROM mark"
    " WHERE kind = 'label' AND instr(value, '=') > 0;"
    "UPDATE entry SET summary = json_insert(summary, '$.updated_at', (SELECT"
    " strftime('%Y-%m-%dT%H:%M:%fZ', f.updated_at / 1000, 'unixepoch') FROM fact f"
    " WHERE f.number = entry.number)) WHERE gone = 0;",
    "CREATE INDEX fact_updated_at ON fact (updated_at);",
};

enum { MIGRATIONS = sizeof(migrations) / sizeof(migrations[0]) };

/* Whether title `f` has a mark, where that is not "". */
#define MARKED(kind, value)                                                                        \
    " AND (" value " = '' OR EXISTS (SELECT 1 FROM mark o WHERE o.kind = '" kind                   \
    "' AND o.value = " value " AND o.title = f.title))"

/* Whether fact `f` is as a filter wants it, whose parameters are $1 to $9. */
#define FITS                                                                                       \
    "f.height >= $8 AND f.updated_at >= $9" MARKED("label", "$1") MARKED("label", "$2")            \
        MARKED("label", "$3") MARKED("label", "$4") MARKED("language", "$5") MARKED("codec", "$6") \
            MARKED("tenant", "$7")

/* The numbers of the titles that one index names, of which what fits are a part. */
#define SIDE(kind, value)                                                                          \
    "side AS MATERIALIZED (SELECT f.number AS number"                                              \
    " FROM mark m CROSS JOIN fact f ON f.title = m.title"                                          \
    " WHERE m.kind = " kind " AND m.value = " value                                                \
    " UNION ALL SELECT number FROM fact WHERE " kind " = 'height' AND height >= $8"                \
    " UNION ALL SELECT number FROM fact WHERE " kind " = 'since' AND updated_at >= $9)"
#define PAGE_SIDE   SIDE("$12", "$13")
#define SEARCH_SIDE SIDE("$17", "$18")

/* The best of what has the words, numbers up to `most`, and is `such`. To rank all of a common
 * word's titles takes long, and tells little: the newest are ranked. A title whose id was typed
 * comes first, however old. */
#define SEARCH(most, such)                                                                         \
    "found AS (SELECT * FROM (SELECT f.number AS number,"                                          \
    " bm25(words, 10.0, 5.0, 2.0, 2.0, 1.0) AS score"                                              \
    " FROM words CROSS JOIN fact f ON f.number = words.rowid WHERE words MATCH $10"                \
    " AND words.rowid <= " most " AND " such FITS " ORDER BY words.rowid DESC LIMIT $11)"          \
    " UNION ALL SELECT f.number, -1e9 FROM fact f WHERE f.title = $12 AND +f.number <= $14"        \
    " AND " FITS "), "                                                                             \
    "ranked AS MATERIALIZED (SELECT number, row_number() OVER"                                     \
    " (ORDER BY min(score), number DESC) AS place FROM found GROUP BY number), "                   \
    "page AS (SELECT number, place FROM ranked WHERE place > coalesce("                            \
    "(SELECT place FROM ranked WHERE number = $15), $16) ORDER BY place LIMIT $13) "               \
    "SELECT e.summary, p.number FROM page p CROSS JOIN entry e ON e.number = p.number "            \
    "ORDER BY p.place"

/* The index of words goes from one end of the few to the other, once; for `rowid IN` it would begin
 * anew with each of them. */
#define UP_TO_FEW "(SELECT min($14, max(number)) FROM side)"
#define AMONG_FEW                                                                                  \
    "words.rowid >= (SELECT min(number) FROM side) AND +words.rowid IN (SELECT number FROM side)"  \
    " AND "

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
    [SHELF_FACT_PUT] = "INSERT OR REPLACE INTO fact (number, title, height, updated_at) "
                       "VALUES ($1, $2, $3, $4)",
    [SHELF_FACT_DROP] = "DELETE FROM fact WHERE number = $1",
    [SHELF_HEIGHTS] =
        "WITH RECURSIVE above (height) AS (SELECT min(height) FROM fact WHERE height > $1 UNION ALL"
        " SELECT (SELECT min(f.height) FROM fact f WHERE f.height > a.height) FROM above a"
        " WHERE a.height IS NOT NULL LIMIT $2) SELECT height FROM above WHERE height IS NOT NULL",
    [SHELF_COUNT_MARKED] = "SELECT count(*) FROM (SELECT 1 FROM mark"
                           " WHERE kind = $1 AND value = $2 LIMIT $3)",
    [SHELF_COUNT_TALL] = "SELECT count(*) FROM (SELECT 1 FROM fact WHERE height >= $1 LIMIT $2)",
    [SHELF_COUNT_SINCE] =
        "SELECT count(*) FROM (SELECT 1 FROM fact WHERE updated_at >= $1 LIMIT $2)",
    [SHELF_LIST] =
        "SELECT e.summary, f.title FROM fact f CROSS JOIN entry e ON e.number = f.number "
        "WHERE f.title > $10 AND " FITS " ORDER BY f.title LIMIT $11",
    [SHELF_LIST_MARKED] =
        "SELECT e.summary, f.title FROM mark m CROSS JOIN fact f ON f.title = m.title "
        "CROSS JOIN entry e ON e.number = f.number "
        "WHERE m.kind = $12 AND m.value = $13 AND m.title > $10 AND " FITS
        " ORDER BY m.title LIMIT $11",
    [SHELF_LIST_FEW] = "WITH " PAGE_SIDE " SELECT e.summary, f.title FROM fact f "
                       "CROSS JOIN entry e ON e.number = f.number "
                       "WHERE f.number IN (SELECT number FROM side) AND +f.title > $10 AND " FITS
                       " ORDER BY +f.title LIMIT $11",
    [SHELF_FIND] =
        "SELECT e.summary, f.number FROM fact f CROSS JOIN entry e ON e.number = f.number "
        "WHERE f.number < $10 AND " FITS " ORDER BY f.number DESC LIMIT $11",
    [SHELF_FIND_WORDS] =
        "SELECT e.summary, f.number FROM words CROSS JOIN fact f ON f.number = words.rowid "
        "CROSS JOIN entry e ON e.number = f.number "
        "WHERE words MATCH $12 AND words.rowid < $10 AND " FITS
        " ORDER BY words.rowid DESC LIMIT $11",
    [SHELF_FIND_FEW] = "WITH " PAGE_SIDE " SELECT e.summary, f.number FROM fact f "
                       "CROSS JOIN entry e ON e.number = f.number "
                       "WHERE f.number IN (SELECT number FROM side) AND +f.number < $10 AND " FITS
                       " ORDER BY f.number DESC LIMIT $11",
    [SHELF_LAST] = "SELECT coalesce(max(number), 0) FROM entry",
    [SHELF_SEARCH] = "WITH " SEARCH("$14", ""),
    [SHELF_SEARCH_FEW] = "WITH " SEARCH_SIDE ", " SEARCH(UP_TO_FEW, AMONG_FEW),
};

const char *shelf_sql(enum shelf_sql_id id) {
    assert(texts[id] != NULL);
    return texts[id];
}

const char *shelf_migration(int number) {
    return number >= 1 && number <= MIGRATIONS ? migrations[number - 1] : NULL;
}
