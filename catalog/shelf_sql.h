/* SPDX-License-Identifier: GPL-2.0-or-later */
/* All SQL of the catalog, by name. Parameters are $1, $2, ... bound by name. Private to catalog/.
 */
#ifndef CATALOG_SHELF_SQL_H
#define CATALOG_SHELF_SQL_H

enum shelf_sql_id {
    SHELF_SCHEMA,       /* -> number of the schema; 0: there are no tables */
    SHELF_STATE,        /* -> text that changes with each change */
    SHELF_STATE_SET,    /* (state) */
    SHELF_KEPT,         /* (title) -> number, revision, version, published_at, digest, gone */
    SHELF_ADD,          /* (title) */
    SHELF_SET,          /* (number, revision, version, published_at, digest, gone, summary) */
    SHELF_TEXT_PUT,     /* (number, text) */
    SHELF_TEXT_DROP,    /* (number) */
    SHELF_MARK_ADD,     /* (kind, value, title) */
    SHELF_MARKS_DROP,   /* (title) */
    SHELF_WORDS_ADD,    /* (number, title, labels, languages, tenant, made) */
    SHELF_WORDS_DROP,   /* (number) */
    SHELF_GET,          /* (title) -> revision, digest, text */
    SHELF_FACT_PUT,     /* (number, title, height, updated_at) */
    SHELF_FACT_DROP,    /* (number) */
    SHELF_HEIGHTS,      /* (height, limit) -> those above it that titles have, each once, rising */
    SHELF_COUNT_MARKED, /* (kind, value, limit) -> how many titles have the mark, up to the limit */
    SHELF_COUNT_TALL,   /* (height, limit) -> how many are as high or higher, likewise */
    SHELF_COUNT_SINCE,  /* (time, limit) -> how many were told of since, likewise */
    /* What follows has a filter's parameters first: 4 labels, language, codec, tenant, each "" for
       any; least height, and time. Those of few titles have last whose index names them: a mark's
       kind and value, or "height" or "since", and "". */
    SHELF_LIST,        /* (.., after, limit) -> summary, title */
    SHELF_LIST_MARKED, /* (.., after, limit, kind, value): found by that mark */
    SHELF_LIST_FEW,    /* (.., after, limit, kind, value) */
    SHELF_FIND,        /* (.., below, limit) -> summary, number: of lower numbers, the highest
                          first */
    SHELF_FIND_WORDS,  /* (.., below, limit, expression) -> likewise */
    SHELF_FIND_FEW,    /* (.., below, limit, kind, value) -> likewise */
    SHELF_SEARCH,      /* (.., expression, candidates, title, limit, bound, last, taken) -> summary,
                          number: of numbers up to `bound`, what comes after title `last`; where
                          that is not among them, after the first `taken` */
    SHELF_SEARCH_FEW,  /* (.., expression, candidates, title, limit, bound, last, taken, kind,
                          value) -> likewise */
    SHELF_LAST,        /* -> the highest number that a title has; 0: there is none */
    SHELF_SQL_COUNT
};

/* The text of a statement. */
const char *shelf_sql(enum shelf_sql_id id);

/* The schema's history, numbered from 1; NULL past the last. */
const char *shelf_migration(int number);

#endif
