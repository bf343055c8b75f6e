/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All SQL of the scheduler, by name. What is shared by databases stands here once;
 * parameters are $1, $2, ... bound by name; times and ids come in as parameters.
 */
#ifndef SCHEDULER_STORE_SQL_H
#define SCHEDULER_STORE_SQL_H

enum sql_id {
    /* the store's own */
    SQL_SCHEMA_NUMBER,
    SQL_SCHEMA_ADD,
    SQL_NUMBERS,
    SQL_NUMBERS_RAISE,
    SQL_PROOF_PUT,
    /* the feed */
    SQL_EVENT_ADD,
    SQL_EVENT_LAST_AT,
    SQL_EVENTS_BOUNDS,
    SQL_EVENTS_BETWEEN,
    SQL_EVENTS_DROP,
    /* titles */
    SQL_TITLE_ADD,
    SQL_TITLE_SET_ORDER,
    SQL_TITLE_ORDER,
    SQL_LABEL_ADD,
    SQL_LABELS,
    SQL_LABELS_DROP,
    SQL_TITLE_RESET,
    SQL_TITLE_GET,
    SQL_TITLE_IS_OF,
    SQL_TITLE_STATS,
    SQL_TITLE_PLAN,
    SQL_TITLE_MOVE,
    SQL_TITLE_SET_SOURCE,
    SQL_TITLE_SET_PLAN,
    SQL_TITLE_SET_PACKAGED,
    SQL_TITLE_SET_VERSION,
    SQL_TITLE_SET_ERROR,
    SQL_TITLE_COUNT_REDONE,
    SQL_TITLE_COUNT_FAILURE,
    SQL_TITLE_COUNT_LOSS,
    SQL_TITLE_ADD_STATS,
    SQL_TITLES_UNFINISHED,
    SQL_TITLES_PAGE,
    SQL_TITLES_BY_STATE,
    /* units */
    SQL_UNIT_ADD,
    SQL_UNIT_NEED_ADD,
    SQL_UNIT_GET,
    SQL_UNIT_MOVE,
    SQL_UNIT_SET_PLACE,
    SQL_UNIT_COUNT_ATTEMPT,
    SQL_UNIT_COUNT_FAILURE,
    SQL_UNIT_COUNT_LOSS,
    SQL_UNIT_SET_MADE,
    SQL_UNIT_LOSS_ADD,
    SQL_UNIT_LOSS_HOSTS,
    SQL_UNITS_DROP,
    SQL_UNITS_DROP_NEEDS,
    SQL_UNITS_DROP_LOSSES,
    SQL_UNITS_MOVE_ALL,
    SQL_UNITS_MOVE_MADE,
    SQL_UNITS_MOVE_NEEDLESS,
    SQL_UNITS_NEEDED_BY_DONE,
    SQL_UNITS_COUNT_NEEDS,
    SQL_UNITS_NEED_NOTHING,
    SQL_UNITS_SET_ORDER,
    SQL_UNITS_READY,
    SQL_UNITS_TENANTS,
    SQL_UNITS_NEXT_PRIORITY,
    SQL_UNITS_NEXT_READY_AT,
    SQL_UNITS_ANY_READY,
    SQL_UNITS_OLDEST_READY,
    SQL_UNITS_BY_STATE,
    SQL_UNITS_OF_TITLE_BY_STATE,
    SQL_UNITS_PAGE,
    SQL_UNITS_PROGRESS,
    SQL_UNITS_PROBING,
    SQL_UNITS_REPAIRED,
    SQL_UNITS_CONCEALED,
    /* accepted results */
    SQL_PRODUCT_GET,
    SQL_PRODUCT_PUT,
    SQL_PRODUCT_DROP,
    SQL_PRODUCTS_DROP,
    SQL_PRODUCTS_DROP_UNPUBLISHED,
    SQL_PRODUCTS_PUBLISH,
    /* leases */
    SQL_LEASE_ADD,
    SQL_LEASE_UNIT_ADD,
    SQL_LEASE_GET,
    SQL_LEASE_MOVE,
    SQL_LEASE_SET_SESSION,
    SQL_LEASE_UNITS,
    SQL_LEASES_OF_SESSION,
    SQL_LEASES_OF_TITLE,
    SQL_LEASES_OF_UNIT,
    SQL_LEASES_OPEN,
    SQL_LEASES_DROP_UNITS,
    SQL_LEASES_DROP,
    /* sessions */
    SQL_SESSION_ADD,
    SQL_SESSION_GET,
    SQL_SESSION_SEEN,
    SQL_SESSION_DROP,
    SQL_SESSION_DROP_ENCODERS,
    SQL_SESSIONS,
    SQL_SESSIONS_SILENT,
    SQL_SESSIONS_OF_WORKER,
    SQL_DRAIN_ADD,
    SQL_DRAIN_DROP,
    SQL_DRAINS,
    SQL_SESSIONS_SEEN_ALL,
    SQL_BUILD_GET,
    SQL_BUILD_ADD,
    SQL_ENCODER_ADD,
    SQL_ENCODERS,
    SQL_ENCODER_BUILDS,
    SQL_ENCODERS_ABLE,
    /* tokens */
    SQL_TOKEN_ADD,
    SQL_TOKEN_COUNT,
    SQL_TOKEN_REVOKE,
    SQL_TOKENS,
    SQL_TOKENS_GOOD,
    /* sources */
    SQL_SOURCE_GET,
    SQL_SOURCE_PUT,
    SQL_COUNT
};

/* The text of a statement. */
const char *store_sql(enum sql_id id);

/* The migrations: the schema's history, numbered from 1; NULL past the last. Made
 * by the build from schema/NNNN_name.sql. */
const char *store_migration(int number);

/* Makes the table that remembers which migrations were applied. */
extern const char store_migration_table[];

#endif
