/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of the store as structs: see rows.h. */
#include "rows.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/http.h"
#include "metrics.h"

const char **rows_texts(struct query *query, struct arena *arena,
                        const char *(*part)(const char *text), size_t *count) {
    struct buf all = {0};
    *count = 0;
    while (query_next(query)) {
        const char *text = query_text(query, 0);
        const char *kept = arena_string(arena, part != NULL ? part(text) : text);
        buf_append(&all, &kept, sizeof(kept));
        (*count)++;
    }
    const char **list = arena_zero(arena, *count + 1, sizeof(*list));
    if (*count > 0) {
        memcpy(list, all.data, *count * sizeof(*list));
    }
    buf_finish(&all);
    return list;
}

size_t rows_write_texts(struct query *query, struct writer *w, const char *name) {
    size_t count = 0;
    writer_array(w, name);
    for (; query_next(query); count++) {
        writer_string(w, NULL, query_text(query, 0));
    }
    writer_array_end(w);
    return count;
}

static void copy_text(struct query *query, int column, char *out, size_t size) {
    const char *text = query_text(query, column);
    size_t length = strnlen(text, size - 1);
    memcpy(out, text, length);
    out[length] = '\0';
}

/* A state by the name that the store holds; the store's own error where it is none. */
static int read_state(struct query *query, enum machine machine, int column) {
    int state = state_from_name(machine, query_text(query, column));
    if (state < 0) {
        err_set(tx_err(query->tx), ERR_CORRUPT, "the store holds an unknown state '%s'",
                query_text(query, column));
        return 0;
    }
    return state;
}

static enum task_kind read_kind(struct query *query, int column) {
    int kind = task_kind_from_name(query_text(query, column));
    if (kind < 0) {
        err_set(tx_err(query->tx), ERR_CORRUPT, "the store holds an unknown kind '%s'",
                query_text(query, column));
        return TASK_PROBE;
    }
    return (enum task_kind)kind;
}

bool title_find(struct tx *tx, const char *id, struct title_row *out) {
    struct query query = sql_query(tx, SQL_TITLE_GET, VALUES(TEXT(id)));
    bool found = query_next(&query);
    if (found) {
        struct title_row row = {.source_size = query_integer(&query, 7)};
        const struct {
            const char **to;
            int column;
        } texts[] = {{&row.source, 2},   {&row.output, 3},   {&row.ladder, 4},
                     {&row.identity, 5}, {&row.pin, 6},      {&row.packaged, 8},
                     {&row.version, 9},  {&row.failure, 10}, {&row.error, 11}};
        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
            *texts[i].to = arena_string(&row.arena, query_text(&query, texts[i].column));
        }
        row.id = arena_string(&row.arena, id);
        row.state = (enum title_state)read_state(&query, MACHINE_TITLE, 0);
        row.submission = query_integer(&query, 1);
        row.redone = (int)query_integer(&query, 12);
        row.early = query_integer(&query, 13) != 0;
        *out = row;
    }
    query_close(&query);
    return found;
}

void title_not_found(struct tx *tx, const char *id) {
    err_set(tx_err(tx), ERR_NOT_FOUND, "there is no title '%s'; submit it first", id);
}

bool title_get(struct tx *tx, const char *id, struct title_row *out) {
    bool found = title_find(tx, id, out);
    if (!found) {
        title_not_found(tx, id);
    }
    return found;
}

void title_trace(struct tx *tx, const char *id, char out[TRACE_TEXT]) {
    struct query query = sql_query(tx, SQL_TITLE_TRACE, VALUES(TEXT(id)));
    out[0] = '\0';
    if (query_next(&query)) {
        copy_text(&query, 0, out, TRACE_TEXT);
    }
    query_close(&query);
}

void title_row_finish(struct title_row *title) {
    arena_finish(&title->arena);
}

void place_public(const char *place, char out[PLACE_TEXT]) {
    if (strncasecmp(place, "http://", 7) == 0 || strncasecmp(place, "https://", 8) == 0) {
        http_public_url(place, out, PLACE_TEXT);
    } else {
        snprintf(out, PLACE_TEXT, "%s", place);
    }
}

static void read_unit(struct query *query, struct unit_row *row) {
    row->id = query_integer(query, 0);
    copy_text(query, 1, row->title, sizeof(row->title));
    row->position = query_integer(query, 2);
    row->kind = read_kind(query, 3);
    row->rendition = (int)query_integer(query, 4);
    copy_text(query, 5, row->rendition_id, sizeof(row->rendition_id));
    row->chunk = (int)query_integer(query, 6);
    row->build = query_integer(query, 7);
    row->state = (enum unit_state)read_state(query, MACHINE_UNIT, 8);
    row->has_key = query_integer(query, 9) != 0;
    row->cost_s = row->table_s = query_real(query, 10);
    row->ready_at = query_integer(query, 11);
    row->attempts = (int)query_integer(query, 12);
    row->failures = (int)query_integer(query, 13);
    row->crashes = (int)query_integer(query, 14);
    row->doublings = (int)query_integer(query, 15);
    row->alone = query_integer(query, 16) != 0;
    row->may_replace = query_integer(query, 17) != 0;
    copy_text(query, 18, row->avoid, sizeof(row->avoid));
    copy_text(query, 19, row->tenant, sizeof(row->tenant));
    row->priority = query_integer(query, 20);
    row->due = query_integer(query, 21);
    row->submission = query_integer(query, 22);
    row->model = query_integer(query, 23);
    row->early = query_integer(query, 24) != 0;
}

bool unit_list_next(struct unit_list *list, struct query *query) {
    if (!query_next(query)) {
        return false;
    }
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
        list->rows = mem_resize(list->rows, list->capacity, sizeof(*list->rows));
    }
    read_unit(query, &list->rows[list->count++]);
    return true;
}

void unit_list_read(struct unit_list *list, struct query *query) {
    while (unit_list_next(list, query)) {
    }
}

void unit_list_finish(struct unit_list *list) {
    mem_free(list->rows);
    *list = (struct unit_list){0};
}

bool unit_find(struct tx *tx, int64_t id, struct unit_row *out) {
    struct query query = sql_query(tx, SQL_UNIT_GET, VALUES(INTEGER(id)));
    bool found = query_next(&query);
    if (found) {
        read_unit(&query, out);
    }
    query_close(&query);
    return found;
}

static void read_lease(struct query *query, struct lease_row *row) {
    row->fence = query_integer(query, 0);
    copy_text(query, 1, row->session, sizeof(row->session));
    copy_text(query, 2, row->worker, sizeof(row->worker));
    copy_text(query, 3, row->host, sizeof(row->host));
    copy_text(query, 4, row->title, sizeof(row->title));
    row->kind = read_kind(query, 5);
    row->state = (enum lease_state)read_state(query, MACHINE_LEASE, 6);
    row->attempt = (int)query_integer(query, 7);
    row->at = query_integer(query, 8);
    row->expected_s = query_real(query, 9);
    row->table_bytes = query_integer(query, 10);
    row->reserve_bytes = query_integer(query, 11);
    row->hedge_at = query_integer(query, 12);
    row->hedges = query_integer(query, 13);
}

bool lease_find(struct tx *tx, int64_t fence, struct lease_row *out) {
    struct query query = sql_query(tx, SQL_LEASE_GET, VALUES(INTEGER(fence)));
    bool found = query_next(&query);
    if (found) {
        read_lease(&query, out);
    }
    query_close(&query);
    return found;
}

bool lease_list_next(struct lease_list *list, struct query *query) {
    if (!query_next(query)) {
        return false;
    }
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 8 : 2 * list->capacity;
        list->rows = mem_resize(list->rows, list->capacity, sizeof(*list->rows));
    }
    read_lease(query, &list->rows[list->count++]);
    return true;
}

void lease_list_read(struct tx *tx, struct lease_list *list, enum sql_id id, struct value value) {
    struct query query = sql_query(tx, id, VALUES(value));
    while (lease_list_next(list, &query)) {
    }
}

void lease_list_finish(struct lease_list *list) {
    mem_free(list->rows);
    *list = (struct lease_list){0};
}

void lease_units(struct tx *tx, int64_t fence, struct unit_list *out) {
    struct query query = sql_query(tx, SQL_LEASE_UNITS, VALUES(INTEGER(fence)));
    unit_list_read(out, &query);
}

void lease_add(struct tx *tx, struct task *task, const char *title,
               const struct session_row *session, const struct lease_terms *terms) {
    const struct lease_terms bare = {.table_bytes = task->memory_bytes, .slots = 1};
    const struct lease_terms *t = terms != NULL ? terms : &bare;
    task->fence = tx_numbers(tx, "fence", 1);
    sql_put(tx, SQL_LEASE_ADD,
            VALUES(INTEGER(task->fence), TEXT(session->id), TEXT(session->worker),
                   TEXT(session->host), TEXT(title), TEXT(task_kind_name(task->kind)),
                   TEXT(state_name(MACHINE_LEASE, LEASE_LIVE)), INTEGER(task->attempt),
                   INTEGER(tx_now(tx)), REAL(t->expected_s), INTEGER(t->table_bytes),
                   INTEGER(task->reserve_bytes), INTEGER(t->hedge_ms), INTEGER(t->hedge_at),
                   INTEGER(t->hedges), INTEGER(t->slots)));
    metric_add(tx, METRIC_LEASES_GRANTED, (int)task->kind, 0, 1);
}

enum sandbox_level sandbox_level_of(int64_t number) {
    return number >= 0 && number < SANDBOX_LEVEL_COUNT ? (enum sandbox_level)number : SANDBOX_NONE;
}

bool session_get(struct tx *tx, const char *id, struct session_row *out) {
    struct query query = sql_query(tx, SQL_SESSION_GET, VALUES(TEXT(id)));
    bool found = query_next(&query);
    if (found) {
        copy_text(&query, 0, out->id, sizeof(out->id));
        copy_text(&query, 1, out->worker, sizeof(out->worker));
        copy_text(&query, 2, out->host, sizeof(out->host));
        out->pid = query_integer(&query, 3);
        out->slots = (int)query_integer(&query, 4);
        out->memory_bytes = query_integer(&query, 5);
        out->seen_at = query_integer(&query, 6);
        out->sandbox = sandbox_level_of(query_integer(&query, 7));
        out->stopping = query_integer(&query, 8) != 0;
    } else {
        err_set(tx_err(tx), ERR_NOT_FOUND, "the session '%.64s' is gone; register anew", id);
    }
    query_close(&query);
    return found;
}

bool kind_is_pure(enum task_kind kind) {
    return kind == TASK_PROBE || kind_is_media(kind);
}

bool kind_is_media(enum task_kind kind) {
    return kind == TASK_VIDEO || kind == TASK_AUDIO || kind == TASK_IMAGES;
}
