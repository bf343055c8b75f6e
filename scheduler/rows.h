/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rows of the store as structs.
 */
#ifndef SCHEDULER_ROWS_H
#define SCHEDULER_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "common/id.h"
#include "common/mem.h"
#include "common/wire.h"
#include "state.h"
#include "store.h"

enum {
    WORKER_TEXT = 129, /* name of a worker with its NUL */
    HOST_TEXT = 256,
};

/* The first column of all rows that are left, as texts in the arena; of each what `part` answers,
 * where it is not NULL. `*count` of them. */
const char **rows_texts(struct query *query, struct arena *arena,
                        const char *(*part)(const char *text), size_t *count);

/* Writes the same as an array of strings; returns how many. */
size_t rows_write_texts(struct query *query, struct writer *w, const char *name);

struct title_row {
    struct arena arena; /* of the strings */
    const char *id;
    enum title_state state;
    int64_t submission;
    const char *source;
    const char *output;
    const char *ladder; /* JSON */
    const char *identity;
    const char *pin;
    int64_t source_size;
    const char *packaged;
    const char *version;
    const char *failure; /* class */
    const char *error;
    int redone;
    bool early; /* it can be watched while it is encoded */
};

/* Whether there is such a title. `out` is owned by the caller: title_row_finish. */
bool title_find(struct tx *tx, const char *id, struct title_row *out);

/* The same, with a NOT_FOUND of the transaction where there is none. */
bool title_get(struct tx *tx, const char *id, struct title_row *out);
/* The NOT_FOUND of title_get. */
void title_not_found(struct tx *tx, const char *id);

/* The trace id of the title's run; "" where an older version made none. */
void title_trace(struct tx *tx, const char *id, char out[TRACE_TEXT]);
void title_row_finish(struct title_row *title);

enum { PLACE_TEXT = 8193 };

/* A source or output for people and logs: without the credentials and the query that a web
 * address may carry. */
void place_public(const char *place, char out[PLACE_TEXT]);

struct unit_row {
    int64_t id;
    char title[WIRE_TITLE_TEXT];
    int64_t position;
    enum task_kind kind;
    int rendition; /* index in the plan; -1 none */
    char rendition_id[WIRE_RENDITION_TEXT];
    int chunk;     /* -1 none */
    int64_t build; /* line that a worker needs; 0 any */
    enum unit_state state;
    bool has_key;
    double cost_s;  /* expected: as read, what the table says; see estimate_costs */
    double table_s; /* what the table says */
    int64_t ready_at;
    int attempts;
    int failures;
    int crashes;
    int doublings;
    bool alone;
    bool may_replace;
    char avoid[WORKER_TEXT];
    char tenant[TENANT_TEXT]; /* the title's, as are these: see order.h */
    int64_t priority;
    int64_t due; /* ms since 1970; INT64_MAX: no deadline */
    int64_t submission;
    int64_t model; /* class of estimate.h; 0: none */
    bool early;    /* early playlists list it */
};

/* A growing list; free with unit_list_finish. */
struct unit_list {
    size_t count;
    size_t capacity;
    struct unit_row *rows;
};

/* Appends the rows of a query whose columns are those of SQL_UNIT_GET. */
void unit_list_read(struct unit_list *list, struct query *query);

/* Appends the next row of such a query; whether there was one. */
bool unit_list_next(struct unit_list *list, struct query *query);
void unit_list_finish(struct unit_list *list);

/* Whether there is such a unit; `out` stays as it is where there is none. */
bool unit_find(struct tx *tx, int64_t id, struct unit_row *out);

struct lease_row {
    int64_t fence;
    char session[ID_TEXT];
    char worker[WORKER_TEXT];
    char host[HOST_TEXT];
    char title[WIRE_TITLE_TEXT];
    enum task_kind kind;
    enum lease_state state;
    int attempt;
    int64_t at;
    double expected_s; /* by the clock */
    int64_t table_bytes;
    int64_t reserve_bytes;
    int64_t hedge_at; /* when it may be hedged; 0: it may not */
    int64_t hedges;   /* fence of the straggler that it doubles; 0: of none */
};

struct lease_list {
    size_t count;
    size_t capacity;
    struct lease_row *rows;
};

/* Whether there is such a lease; `out` stays as it is where there is none. */
bool lease_find(struct tx *tx, int64_t fence, struct lease_row *out);

/* Appends the next lease of a query whose first columns are those of SQL_LEASE_GET; false at its
 * end. */
enum { LEASE_ROW_COLUMNS = 14 };
bool lease_list_next(struct lease_list *list, struct query *query);

/* Appends all leases of a statement that takes one value. */
void lease_list_read(struct tx *tx, struct lease_list *list, enum sql_id id, struct value value);
void lease_list_finish(struct lease_list *list);

/* The units of a lease, in the order of the plan. */
void lease_units(struct tx *tx, int64_t fence, struct unit_list *out);

struct session_row {
    char id[ID_TEXT];
    char worker[WORKER_TEXT];
    char host[HOST_TEXT];
    int64_t pid;
    int slots;
    int64_t memory_bytes;
    int64_t seen_at;
    enum sandbox_level sandbox;
    bool stopping; /* it has been told to end, and takes nothing new */
};

/* A level as the store has it; the weakest for a number that is none. */
enum sandbox_level sandbox_level_of(int64_t number);

/* What a lease of the queue has beyond its task. */
struct lease_terms {
    double expected_s; /* by the clock */
    int64_t table_bytes;
    int64_t hedge_ms; /* after so long a second one may begin; 0: never */
    int64_t hedge_at;
    int64_t hedges; /* as in a row */
    int slots;      /* of the worker's */
};

/* Writes down that the session has the task from now on, for a title or in a place of its own,
 * under a new fence that it gives the task. `terms` is NULL for what stands in no queue: it takes
 * one slot and is never hedged. */
void lease_add(struct tx *tx, struct task *task, const char *title,
               const struct session_row *session, const struct lease_terms *terms);

/* NOT_FOUND of the transaction where it is gone. */
bool session_get(struct tx *tx, const char *id, struct session_row *out);

/* Whether results of the kind are a pure function of spec and source. */
bool kind_is_pure(enum task_kind kind);

/* Whether tasks of this kind put objects of a rendition, and report them. */
bool kind_is_media(enum task_kind kind);

#endif
