/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Webhooks' outbox: see hooks.h. */
#include "hooks.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "hook_events.h"

const int64_t hook_keep_dead_ms = INT64_C(30) * 24 * 60 * 60 * 1000;

static const char too_old[] = "it was not tried before its time was over";

/* ---- events --------------------------------------------------------------------------------- */

/* An event of the feed. */
struct event_row {
    int64_t event;
    int64_t at;
    char title[WIRE_TITLE_TEXT];
    char kind[48];
    char trace[TRACE_TEXT];
    char *detail; /* owned */
};

static void read_tenant(struct tx *tx, const struct event_row *row, char tenant[TENANT_TEXT]) {
    struct query query =
        sql_query(tx, SQL_EVENT_TENANT, VALUES(TEXT(row->title), INTEGER(row->event)));
    snprintf(tenant, TENANT_TEXT, "%s", query_next(&query) ? query_text(&query, 0) : "");
    query_close(&query);
}

static void write_data(struct tx *tx, const struct event_row *row, const char *tenant,
                       struct buf *out) {
    char texts[LABELS_MAX][LABEL_MAX + 1];
    const char *labels[LABELS_MAX];
    struct hook_facts facts = {.event = row->event,
                               .title = row->title,
                               .tenant = tenant,
                               .labels = labels,
                               .trace = row->trace,
                               .detail = row->detail};
    struct query query = sql_query(tx, SQL_LABELS, VALUES(TEXT(row->title)));
    while (facts.label_count < LABELS_MAX && query_next(&query)) {
        size_t at = facts.label_count++;
        snprintf(texts[at], sizeof(texts[at]), "%s", query_text(&query, 0));
        labels[at] = texts[at];
    }
    query_close(&query);
    hook_data_write(&facts, out);
}

/* Notes it for all that listen, or (not "") for one. Returns for how many. */
static int64_t add(struct tx *tx, const struct event_row *row, const char *endpoint) {
    char tenant[TENANT_TEXT] = "";
    struct buf data = {0};
    read_tenant(tx, row, tenant);
    write_data(tx, row, tenant, &data);
    int64_t added =
        sql_run(tx, SQL_DELIVERIES_ADD,
                VALUES(INTEGER(row->event), INTEGER(row->at), TEXT(row->title), TEXT(row->kind),
                       TEXT(buf_text(&data)), INTEGER(hook_event_bit(row->kind)), TEXT(tenant),
                       TEXT(endpoint), INTEGER(tx_now(tx))));
    buf_finish(&data);
    return added;
}

/* The number before which rows of a state are too many; 0: none are. */
static int64_t too_many(struct tx *tx, const char *endpoint, const char *state) {
    return sql_integer(tx, SQL_DELIVERIES_NTH,
                       VALUES(TEXT(endpoint), TEXT(state), INTEGER(HOOK_ROWS_MAX)), 0);
}

static void bound_one(struct tx *tx, const char *endpoint) {
    char sentence[160];
    int64_t last = too_many(tx, endpoint, "waiting");
    snprintf(sentence, sizeof(sentence),
             "%d events that came after it wait for this endpoint, and no more are kept waiting",
             HOOK_ROWS_MAX);
    int64_t died = last == 0 ? 0
                             : sql_run(tx, SQL_DELIVERIES_DIE,
                                       VALUES(TEXT(endpoint), INTEGER(last), TEXT(sentence),
                                              INTEGER(tx_now(tx))));
    last = too_many(tx, endpoint, "dead");
    int64_t lost = last == 0 ? 0
                             : sql_run(tx, SQL_DELIVERIES_TRIM,
                                       VALUES(TEXT(endpoint), TEXT("dead"), INTEGER(last)));
    last = too_many(tx, endpoint, "delivered");
    if (last != 0) {
        sql_run(tx, SQL_DELIVERIES_TRIM, VALUES(TEXT(endpoint), TEXT("delivered"), INTEGER(last)));
    }
    if (died > 0 || lost > 0) {
        sql_run(tx, SQL_ENDPOINT_COUNT_EVENTS,
                VALUES(TEXT(endpoint), INTEGER(0), INTEGER(died), INTEGER(lost)));
    }
}

static void bound(struct tx *tx) {
    char names[ENDPOINTS_MAX][ENDPOINT_TEXT];
    size_t count = 0;
    struct query query = sql_query(tx, SQL_ENDPOINTS, NULL, 0);
    while (count < ENDPOINTS_MAX && query_next(&query)) {
        snprintf(names[count++], ENDPOINT_TEXT, "%s", query_text(&query, 0));
    }
    query_close(&query);
    for (size_t i = 0; i < count; i++) {
        bound_one(tx, names[i]);
    }
}

void hooks_event(struct tx *tx, int64_t event, const char *title, const char *kind,
                 const char *trace, const char *detail) {
    int64_t bit = hook_event_bit(kind);
    if (bit == 0 || sql_integer(tx, SQL_ENDPOINTS_LISTENING, VALUES(INTEGER(bit)), 0) == 0) {
        return;
    }
    struct event_row row = {.event = event, .at = tx_now(tx), .detail = mem_string(detail)};
    snprintf(row.title, sizeof(row.title), "%s", title);
    snprintf(row.kind, sizeof(row.kind), "%s", kind);
    snprintf(row.trace, sizeof(row.trace), "%s", trace);
    if (add(tx, &row, "") > 0) {
        tx_wake(tx, TOPIC_PUSHES);
        if (tx_numbers(tx, "delivery", 1) % HOOK_ROWS_STEP == 0) {
            bound(tx);
        }
    }
    mem_free(row.detail);
}

/* ---- time ------------------------------------------------------------------------------------ */

void hooks_sweep(struct tx *tx) {
    char names[ENDPOINTS_MAX][ENDPOINT_TEXT];
    int64_t counts[ENDPOINTS_MAX];
    size_t count = 0;
    struct value now = INTEGER(tx_now(tx));
    struct query query = sql_query(tx, SQL_DELIVERIES_EXPIRED, VALUES(now));
    while (count < ENDPOINTS_MAX && query_next(&query)) {
        snprintf(names[count], ENDPOINT_TEXT, "%s", query_text(&query, 0));
        counts[count++] = query_integer(&query, 1);
    }
    query_close(&query);
    for (size_t i = 0; i < count; i++) {
        sql_run(tx, SQL_ENDPOINT_COUNT_EVENTS,
                VALUES(TEXT(names[i]), INTEGER(0), INTEGER(counts[i]), INTEGER(0)));
    }
    if (count > 0) {
        sql_run(tx, SQL_DELIVERIES_EXPIRE, VALUES(now, TEXT(too_old)));
    }
    sql_run(tx, SQL_DELIVERIES_FORGET,
            VALUES(INTEGER(tx_now(tx) - HOOK_KEEP_MS), INTEGER(tx_now(tx) - hook_keep_dead_ms)));
    bound(tx);
}

void hooks_die(struct tx *tx, const char *endpoint, const char *sentence) {
    int64_t died =
        sql_run(tx, SQL_DELIVERIES_DIE,
                VALUES(TEXT(endpoint), INTEGER(INT64_MAX), TEXT(sentence), INTEGER(tx_now(tx))));
    sql_run(tx, SQL_ENDPOINT_COUNT_EVENTS,
            VALUES(TEXT(endpoint), INTEGER(0), INTEGER(died), INTEGER(0)));
}

void hooks_retry(struct tx *tx, const char *endpoint) {
    sql_run(tx, SQL_DELIVERIES_RETRY, VALUES(TEXT(endpoint), INTEGER(tx_now(tx))));
    tx_wake(tx, TOPIC_PUSHES);
}

/* ---- once more --------------------------------------------------------------------------------
 */

static const struct endpoint *get_hook(struct tx *tx, const struct farm *farm, const char *name) {
    const struct endpoint *found = endpoint_get(tx, farm, name);
    if (found != NULL && !found->is_hook) {
        err_set(tx_err(tx), ERR_INVALID,
                "endpoint %s is no webhook: it holds titles, and `reelfarm publish` brings them "
                "there once more",
                name);
        return NULL;
    }
    return found;
}

static bool is_gone(struct tx *tx, const struct farm *farm, const char *name) {
    struct endpoint_list list = {0};
    endpoint_list_read(tx, farm, &list);
    const struct endpoint_row *row = endpoint_list_find(&list, name);
    bool gone = row != NULL && row->gone_at > 0;
    endpoint_list_finish(&list);
    return gone;
}

static void read_event(struct query *query, struct event_row *row) {
    *row = (struct event_row){.event = query_integer(query, 0), .at = query_integer(query, 1)};
    snprintf(row->title, sizeof(row->title), "%s", query_text(query, 2));
    snprintf(row->kind, sizeof(row->kind), "%s", query_text(query, 3));
    row->detail = mem_string(query_text(query, 4));
    snprintf(row->trace, sizeof(row->trace), "%s", query_text(query, 5));
}

/* Whether it waits now that did not. */
static bool replay_kept(struct tx *tx, const struct endpoint *endpoint, int64_t event) {
    return sql_run(tx, SQL_DELIVERY_REPLAY,
                   VALUES(TEXT(endpoint->push.name), INTEGER(event), INTEGER(tx_now(tx)),
                          INTEGER(tx_now(tx) + endpoint->hook.max_age_ms))) > 0;
}

/* The same, of an event that may never have been noted for this endpoint. */
static bool replay_row(struct tx *tx, const struct endpoint *endpoint,
                       const struct event_row *row) {
    bool hears = (endpoint->hook.events & hook_event_bit(row->kind)) != 0;
    return replay_kept(tx, endpoint, row->event) ||
           (hears && add(tx, row, endpoint->push.name) > 0);
}

static int64_t replay_since(struct tx *tx, const struct endpoint *endpoint, int64_t since) {
    struct event_row rows[64];
    int64_t after = 0, replayed = 0;
    size_t count = sizeof(rows) / sizeof(rows[0]);
    while (count == sizeof(rows) / sizeof(rows[0]) && replayed < HOOK_REPLAY_MAX && tx_ok(tx)) {
        count = 0;
        struct query query = sql_query(tx, SQL_EVENTS_SINCE,
                                       VALUES(INTEGER(after), INTEGER(since),
                                              INTEGER((int64_t)(sizeof(rows) / sizeof(rows[0])))));
        while (query_next(&query)) {
            read_event(&query, &rows[count++]);
        }
        for (size_t i = 0; i < count; i++) {
            after = rows[i].event;
            replayed += replay_row(tx, endpoint, &rows[i]) ? 1 : 0;
            mem_free(rows[i].detail);
        }
    }
    return replayed;
}

static int64_t replay_event(struct tx *tx, const struct endpoint *endpoint, int64_t event) {
    struct event_row row;
    if (replay_kept(tx, endpoint, event)) {
        return 1;
    }
    struct query query = sql_query(tx, SQL_EVENT_GET, VALUES(INTEGER(event)));
    bool found = query_next(&query);
    if (found) {
        read_event(&query, &row);
    }
    query_close(&query);
    if (!found) {
        err_set(tx_err(tx), ERR_NOT_FOUND, "event %" PRId64 " is not kept, or never was", event);
        return 0;
    }
    bool hears = (endpoint->hook.events & hook_event_bit(row.kind)) != 0;
    int64_t replayed = replay_row(tx, endpoint, &row) ? 1 : 0;
    if (!hears && tx_ok(tx)) {
        err_set(tx_err(tx), ERR_INVALID,
                "event %" PRId64 " is %s, of which endpoint %s is told nothing", event, row.kind,
                endpoint->push.name);
    }
    mem_free(row.detail);
    return replayed;
}

int64_t hooks_replay(struct tx *tx, const struct farm *farm, const char *name,
                     const struct hook_replay *replay) {
    const struct endpoint *endpoint = get_hook(tx, farm, name);
    int64_t replayed = 0;
    if (endpoint == NULL) {
        return 0;
    }
    if (is_gone(tx, farm, name)) {
        err_set(tx_err(tx), ERR_CONFLICT,
                "endpoint %s is gone: it answered 410; `reelfarm endpoints --reset %s` takes it up "
                "again",
                name, name);
    } else if (replay->dead) {
        replayed = sql_run(tx, SQL_DELIVERIES_REPLAY_DEAD,
                           VALUES(TEXT(name), INTEGER(tx_now(tx)),
                                  INTEGER(tx_now(tx) + endpoint->hook.max_age_ms)));
    } else if (replay->event > 0) {
        replayed = replay_event(tx, endpoint, replay->event);
    } else {
        replayed = replay_since(tx, endpoint, replay->since);
    }
    tx_wake(tx, TOPIC_PUSHES);
    return replayed;
}

/* ---- what people see ----------------------------------------------------------------------- */

static void write_row(struct query *query, struct writer *w) {
    const char *state = query_text(query, 4);
    const char *name = hook_event_name(query_text(query, 3));
    writer_object(w, NULL);
    writer_int(w, "event", query_integer(query, 0));
    writer_int(w, "at", query_integer(query, 1));
    writer_string(w, "title", query_text(query, 2));
    writer_string(w, "name", name == NULL ? "" : name);
    writer_string(w, "state", state);
    writer_int(w, "attempts", query_integer(query, 5));
    writer_int(w, "status", query_integer(query, 6));
    writer_string(w, "error", query_text(query, 7));
    writer_positive(w, "retry_at", strcmp(state, "waiting") == 0 ? query_integer(query, 8) : 0);
    writer_positive(w, "ended_at", query_integer(query, 9));
    writer_object_end(w);
}

void hooks_write(struct tx *tx, const struct farm *farm, const struct hook_page *page,
                 struct writer *w) {
    static const char *const states[] = {"", "waiting", "running", "delivered", "dead"};
    bool known = false;
    int64_t count = 0, last = 0;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        known = known || strcmp(states[i], page->state) == 0;
    }
    if (get_hook(tx, farm, page->endpoint) == NULL) {
        return;
    }
    if (!known) {
        err_set(tx_err(tx), ERR_INVALID,
                "state: is '%.20s'; write waiting, running, delivered or dead", page->state);
        return;
    }
    struct query query = sql_query(
        tx, SQL_DELIVERIES_PAGE,
        VALUES(TEXT(page->endpoint), INTEGER(page->after), TEXT(page->state), INTEGER(HOOK_PAGE)));
    writer_object(w, NULL);
    writer_array(w, "deliveries");
    for (; query_next(&query); count++) {
        last = query_integer(&query, 0);
        write_row(&query, w);
    }
    writer_array_end(w);
    writer_positive(w, "next", count == HOOK_PAGE ? last : 0);
    writer_object_end(w);
}

void hooks_count(struct tx *tx, const struct endpoint_list *list, struct hook_counts *out) {
    struct query query = sql_query(tx, SQL_DELIVERIES_COUNT, NULL, 0);
    while (query_next(&query)) {
        const struct endpoint_row *row = endpoint_list_find(list, query_text(&query, 0));
        const char *state = query_text(&query, 1);
        if (row != NULL && strcmp(state, "dead") == 0) {
            out[row - list->rows].dead += query_integer(&query, 2);
        } else if (row != NULL && strcmp(state, "delivered") != 0) {
            out[row - list->rows].waiting += query_integer(&query, 2);
        }
    }
}
