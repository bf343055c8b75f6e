/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How each endpoint is, as the store has it: see endpoint_rows.h. */
#include "endpoint_rows.h"

#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "common/mem.h"
#include "hook_events.h"
#include "hooks.h"
#include "scheduler/exposition.h"
#include "scheduler/session.h"

enum { LEAVING_SHOWN = 20 };

static const struct endpoint *in_file(const struct farm *farm, const char *name) {
    return farm->endpoints == NULL ? NULL : endpoints_find(farm->endpoints, name);
}

/* ---- rows --------------------------------------------------------------------------- */

static void read_row(struct query *query, const struct farm *farm, struct endpoint_row *row) {
    int state = breaker_state_from_name(query_text(query, 5));
    *row = (struct endpoint_row){
        .file = in_file(farm, query_text(query, 0)),
        .is_catalog = query_integer(query, 1) != 0,
        .listed = query_integer(query, 2) != 0,
        .reachable = query_integer(query, 4) != 0,
        .breaker = {.state = state < 0 ? BREAKER_CLOSED : (enum breaker_state)state,
                    .results = query_integer(query, 6),
                    .row = (int)query_integer(query, 7),
                    .mends = (int)query_integer(query, 8),
                    .pause_ms = query_integer(query, 9),
                    .opened_at = query_integer(query, 10),
                    .retry_at = query_integer(query, 11),
                    .failing_at = query_integer(query, 26),
                    .by_time = query_integer(query, 27) != 0},
        .limit = {.pushes = query_real(query, 12),
                  .best_ms = query_real(query, 13),
                  .last_ms = query_real(query, 14)},
        .granted_at = query_integer(query, 16),
        .brought = query_integer(query, 17),
        .failed = query_integer(query, 18),
        .objects = query_integer(query, 19),
        .bytes = query_integer(query, 20),
        .gone_at = query_integer(query, 21),
        .pause_until = query_integer(query, 22),
        .taken = query_integer(query, 23),
        .died = query_integer(query, 24),
        .lost = query_integer(query, 25),
        .leave_until = query_integer(query, 28),
        .leave_rate = query_integer(query, 29),
    };
    snprintf(row->name, sizeof(row->name), "%s", query_text(query, 0));
    snprintf(row->error, sizeof(row->error), "%s", query_text(query, 15));
}

void endpoint_list_read(struct tx *tx, const struct farm *farm, struct endpoint_list *out) {
    struct query query = sql_query(tx, SQL_ENDPOINTS, NULL, 0);
    while (query_next(&query)) {
        out->rows = mem_resize(out->rows, out->count + 1, sizeof(*out->rows));
        read_row(&query, farm, &out->rows[out->count++]);
    }
    struct query running = sql_query(tx, SQL_PUBLICATIONS_RUNNING, NULL, 0);
    while (query_next(&running)) {
        struct endpoint_row *row = endpoint_list_find(out, query_text(&running, 0));
        if (row != NULL) {
            row->running = query_integer(&running, 1);
        }
    }
}

void endpoint_list_finish(struct endpoint_list *list) {
    mem_free(list->rows);
    *list = (struct endpoint_list){0};
}

struct endpoint_row *endpoint_list_find(const struct endpoint_list *list, const char *name) {
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->rows[i].name, name) == 0) {
            return &list->rows[i];
        }
    }
    return NULL;
}

void endpoint_save(struct tx *tx, const struct endpoint_row *row) {
    const struct breaker *breaker = &row->breaker;
    sql_run(tx, SQL_ENDPOINT_SET_HEALTH,
            VALUES(TEXT(row->name), TEXT(breaker_state_name(breaker->state)),
                   INTEGER(breaker->results), INTEGER(breaker->row), INTEGER(breaker->mends),
                   INTEGER(breaker->pause_ms), INTEGER(breaker->opened_at),
                   INTEGER(breaker->retry_at), REAL(row->limit.pushes), REAL(row->limit.best_ms),
                   REAL(row->limit.last_ms), TEXT(row->error), INTEGER(breaker->failing_at),
                   INTEGER(breaker->by_time ? 1 : 0)));
}

/* ---- what changes ---------------------------------------------------------------------- */

/* Whether it is at another place than the store has noted, which notes it. */
static bool follow_place(struct tx *tx, const struct farm *farm, const struct endpoint *file,
                         const char *noted) {
    bool same = strcmp(noted, file->place) == 0;
    bool moved = !same && noted[0] != '\0';
    if (!same) {
        sql_run(tx, SQL_ENDPOINT_SET_PLACE, VALUES(TEXT(file->push.name), TEXT(file->place)));
    }
    if (moved) {
        endpoint_reset(tx, farm, file->push.name);
    }
    return moved;
}

/* Whether the store's endpoint is other than the file's; it is made so. */
static bool follow_file(struct tx *tx, const struct farm *farm, const struct endpoint *file,
                        bool *moved) {
    struct query query = sql_query(tx, SQL_ENDPOINTS, NULL, 0);
    bool found = false, same = false;
    char place[SHA256_TEXT] = "";
    while (!found && query_next(&query)) {
        if (strcmp(query_text(&query, 0), file->push.name) == 0) {
            found = true;
            same = query_integer(&query, 2) != 0 && strcmp(query_text(&query, 3), file->rules) == 0;
            snprintf(place, sizeof(place), "%s", query_text(&query, 30));
        }
    }
    query_close(&query);
    if (found && !same) { /* a webhook's leave was another's, or for another place */
        sql_run(tx, SQL_ENDPOINT_SET_LEAVE, VALUES(TEXT(file->push.name), INTEGER(0), INTEGER(0)));
    }
    if (found) {
        sql_run(tx, SQL_ENDPOINT_SET_LISTED,
                VALUES(TEXT(file->push.name), INTEGER(1), INTEGER(file->is_catalog ? 1 : 0),
                       TEXT(file->rules)));
    } else {
        sql_run(tx, SQL_ENDPOINT_ADD,
                VALUES(TEXT(file->push.name), INTEGER(file->is_catalog ? 1 : 0), TEXT(file->rules),
                       REAL(limit_default(file->pushes).pushes)));
    }
    sql_run(tx, SQL_ENDPOINT_SET_HOOK,
            VALUES(TEXT(file->push.name), INTEGER(file->hook.events), TEXT(file->label),
                   TEXT(file->tenant), INTEGER(file->hook.max_age_ms)));
    *moved = follow_place(tx, farm, file, place);
    return !same || *moved;
}

bool endpoint_rows_begin(struct tx *tx, const struct farm *farm, bool *moved) {
    struct endpoint_list list = {0};
    bool changed = false;
    endpoint_list_read(tx, farm, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct endpoint_row *row = &list.rows[i];
        if (row->file == NULL && row->listed) {
            sql_run(
                tx, SQL_ENDPOINT_SET_LISTED,
                VALUES(TEXT(row->name), INTEGER(0), INTEGER(row->is_catalog ? 1 : 0), TEXT("")));
            changed = true; /* what waited for it alone is published */
        }
    }
    endpoint_list_finish(&list);
    for (size_t i = 0; farm->endpoints != NULL && i < farm->endpoints->count; i++) {
        changed = follow_file(tx, farm, &farm->endpoints->list[i], &moved[i]) || changed;
    }
    endpoint_rows_look(tx, farm);
    return changed;
}

bool endpoint_rows_look(struct tx *tx, const struct farm *farm) {
    struct endpoint_list list = {0};
    bool changed = false;
    endpoint_list_read(tx, farm, &list);
    for (size_t i = 0; i < list.count; i++) {
        struct endpoint_row *row = &list.rows[i];
        if (row->file != NULL && breaker_wake(&row->breaker, tx_now(tx))) {
            endpoint_save(tx, row);
            tx_wake(tx, TOPIC_PUSHES);
        }
        bool reachable = row->file != NULL && !row->file->is_hook &&
                         row->breaker.state == BREAKER_CLOSED &&
                         endpoint_window_open(row->file, tx_now(tx));
        if (reachable != row->reachable) {
            sql_run(tx, SQL_ENDPOINT_SET_REACHABLE,
                    VALUES(TEXT(row->name), INTEGER(reachable ? 1 : 0)));
            tx_wake(tx, TOPIC_PUSHES);
            changed = true;
        }
    }
    endpoint_list_finish(&list);
    return changed;
}

void endpoint_report(struct tx *tx, const struct farm *farm, const char *name,
                     const struct endpoint_result *result) {
    struct endpoint_list list = {0};
    const struct push_report *push = result->push;
    bool success = result->error[0] == '\0';
    endpoint_list_read(tx, farm, &list);
    struct endpoint_row *row = endpoint_list_find(&list, name);
    if (row != NULL) {
        int most = row->file == NULL ? 1 : row->file->pushes;
        bool was_closed = row->breaker.state == BREAKER_CLOSED;
        bool counts = breaker_counts(&row->breaker, result->failed_before);
        if (success || counts || !result->refused) { /* what refuses a title again is there */
            breaker_report(&row->breaker, success, result->failed_before, tx_now(tx));
        }
        if (success || counts) {
            limit_report(&row->limit, success, (struct pace){push->request_ms, push->cost_ms},
                         most);
        }
        if (row->breaker.state == BREAKER_CLOSED && !was_closed) { /* what waits goes at once */
            sql_run(tx, SQL_PUBLICATIONS_RETRY, VALUES(TEXT(name), INTEGER(tx_now(tx))));
            tx_wake(tx, TOPIC_PUSHES);
        }
        snprintf(row->error, sizeof(row->error), "%s", result->error);
        endpoint_save(tx, row);
        sql_run(tx, SQL_ENDPOINT_COUNT,
                VALUES(TEXT(name), INTEGER(success ? 1 : 0), INTEGER(success ? 0 : 1),
                       INTEGER(push->objects), INTEGER(push->bytes)));
    }
    endpoint_list_finish(&list);
}

void endpoint_reset(struct tx *tx, const struct farm *farm, const char *name) {
    struct endpoint_list list = {0};
    const struct endpoint *file = endpoint_get(tx, farm, name);
    endpoint_list_read(tx, farm, &list);
    struct endpoint_row *row = endpoint_list_find(&list, name);
    if (file != NULL && row != NULL) {
        breaker_reset(&row->breaker);
        row->limit = limit_default(file->pushes);
        row->error[0] = '\0';
        endpoint_save(tx, row);
        sql_run(tx, SQL_PUBLICATIONS_RETRY, VALUES(TEXT(name), INTEGER(tx_now(tx))));
        sql_run(tx, SQL_ENDPOINT_SET_GONE, VALUES(TEXT(name), INTEGER(0)));
        sql_run(tx, SQL_ENDPOINT_SET_PAUSE, VALUES(TEXT(name), INTEGER(0)));
        sql_run(tx, SQL_ENDPOINT_SET_LEAVE, VALUES(TEXT(name), INTEGER(0), INTEGER(0)));
        hooks_retry(tx, name);
        tx_wake(tx, TOPIC_PUSHES);
    }
    endpoint_list_finish(&list);
}

const struct endpoint *endpoint_get(struct tx *tx, const struct farm *farm, const char *name) {
    const struct endpoint *found = in_file(farm, name);
    struct endpoint_list list = {0};
    if (found != NULL) {
        return found;
    }
    endpoint_list_read(tx, farm, &list);
    bool was_there = endpoint_list_find(&list, name) != NULL;
    endpoint_list_finish(&list);
    err_set(tx_err(tx), ERR_NOT_FOUND,
            was_there
                ? "endpoint '%.64s' is no longer in the scheduler's file of endpoints: put it "
                  "back there, or `reelfarm endpoints forget` it"
                : "there is no endpoint '%.64s' in the scheduler's file of endpoints; "
                  "`reelfarm endpoints` lists them",
            name);
    return NULL;
}

/* ---- what people see ----------------------------------------------------------------------- */

/* How many publications or deliveries of each wait, and are dead, in the order of the list; as an
 * owned array. */
static struct hook_counts *count_waiting(struct tx *tx, const struct endpoint_list *list) {
    struct hook_counts *counts = mem_zero(list->count + 1, sizeof(*counts));
    struct query query = sql_query(tx, SQL_PUBLICATIONS_WAITING, NULL, 0);
    while (query_next(&query)) {
        const struct endpoint_row *row = endpoint_list_find(list, query_text(&query, 0));
        if (row != NULL) {
            counts[row - list->rows].waiting = query_integer(&query, 1);
        }
    }
    hooks_count(tx, list, counts);
    return counts;
}

/* Titles that are still to be taken from there, some of them by name. */
static void write_leaving(struct tx *tx, const char *name, struct writer *w) {
    struct query query =
        sql_query(tx, SQL_PUBLICATIONS_LEAVING, VALUES(TEXT(name), INTEGER(LEAVING_SHOWN)));
    rows_write_texts(&query, w, "leaving");
}

/* What a webhook hears of, and what became of it. */
static void write_hook(const struct endpoint_row *row, const struct hook_counts *counts,
                       struct writer *w) {
    writer_array(w, "events");
    for (size_t i = 0; hook_event_at(i) != NULL; i++) {
        if ((row->file->hook.events & hook_event_parse(hook_event_at(i))) != 0) {
            writer_string(w, NULL, hook_event_at(i));
        }
    }
    writer_array_end(w);
    writer_int(w, "dead", counts->dead);
    writer_int(w, "delivered", row->taken);
    writer_int(w, "lost", row->lost);
    writer_positive(w, "gone_at", row->gone_at);
    if (hooks_need_leave(row->file)) {
        writer_object(w, "leave");
        writer_string(w, "origin", row->file->hook.origin);
        writer_positive(w, "until", row->leave_until);
        writer_int(w, "rate", row->leave_rate);
        writer_object_end(w);
    }
}

/* What failed last there, or why nothing is tried. */
static const char *error_of(struct tx *tx, const struct endpoint_row *row, int64_t waiting) {
    bool waits = row->file != NULL && waiting > 0;
    if (waits && hooks_need_leave(row->file) && !session_knows(tx, "", KNOWS_LEAVE_LINE)) {
        return "no worker is there that asks webhooks for leave first; put this version on one, "
               "or start another";
    }
    return waits && row->file->tells_falls_back && !session_knows(tx, "", KNOWS_FALLS_BACK_LINE)
               ? "no worker is there that knows of edges that fall back; put this version on one, "
                 "or start another"
               : row->error;
}

static void write_row(struct tx *tx, const struct endpoint_row *row,
                      const struct hook_counts *counts, struct writer *w) {
    char url[PLACE_TEXT] = "", fill[64] = "";
    if (row->file != NULL) {
        place_public(row->file->push.url, url);
        if (!row->file->is_hook) {
            endpoint_fill_text(row->file, fill, sizeof(fill));
        }
    }
    writer_object(w, NULL);
    writer_string(w, "name", row->name);
    writer_string(w, "driver", row->file == NULL ? "" : row->file->push.driver);
    writer_string(w, "url", url);
    writer_string(w, "fill", fill);
    writer_bool(w, "listed", row->file != NULL);
    writer_bool(w, "catalog", row->is_catalog);
    writer_bool(w, "lists", row->file != NULL && row->file->lists);
    writer_string(w, "state", breaker_state_name(row->breaker.state));
    writer_int(w, "failures", row->breaker.row);
    writer_positive(w, "failing_at", row->breaker.failing_at);
    writer_positive(w, "opened_at", row->breaker.opened_at);
    writer_positive(w, "retry_at", row->breaker.state == BREAKER_OPEN ? row->breaker.retry_at : 0);
    writer_int(w, "limit", breaker_allows(&row->breaker, &row->limit));
    writer_int(w, "running", row->running);
    writer_int(w, "backlog", counts->waiting);
    writer_number(w, "request_ms", row->limit.last_ms);
    writer_string(w, "error", error_of(tx, row, counts->waiting));
    writer_bool(w, "window_open", row->file != NULL && endpoint_window_open(row->file, tx_now(tx)));
    writer_positive(w, "window_turns_at",
                    row->file == NULL ? 0 : endpoint_window_turns(row->file, tx_now(tx)));
    writer_int(w, "pushes", row->brought);
    writer_int(w, "pushes_failed", row->failed);
    writer_int(w, "bytes", row->bytes);
    write_leaving(tx, row->name, w);
    if (row->file != NULL && row->file->is_hook) {
        writer_object(w, "webhook");
        write_hook(row, counts, w);
        writer_object_end(w);
    }
    writer_object_end(w);
}

void endpoint_rows_write(struct tx *tx, const struct farm *farm, struct writer *w) {
    struct endpoint_list list = {0};
    endpoint_list_read(tx, farm, &list);
    struct hook_counts *counts = count_waiting(tx, &list);
    writer_array(w, "endpoints");
    for (size_t i = 0; i < list.count; i++) {
        write_row(tx, &list.rows[i], &counts[i], w);
    }
    writer_array_end(w);
    mem_free(counts);
    endpoint_list_finish(&list);
}

/* Of one endpoint, what a family has of it. */
static double sample_of(const struct endpoint_row *row, const struct hook_counts *counts,
                        int family) {
    const double samples[] = {
        (double)row->breaker.state, (double)breaker_allows(&row->breaker, &row->limit),
        (double)row->running,       (double)counts->waiting,
        row->limit.last_ms / 1000,  (double)row->brought,
        (double)row->failed,        (double)row->bytes,
        (double)counts->dead,       (double)row->taken,
        (double)row->died,          (double)row->lost};
    return samples[family];
}

void endpoint_rows_metrics(struct tx *tx, const struct farm *farm, struct buf *out) {
    static const struct {
        const char *name;
        enum exposition_kind kind;
        const char *help;
    } families[] = {
        {"reelfarm_endpoint_breaker", EXPOSITION_GAUGE,
         "State of an endpoint's breaker: 0 closed, 1 open, 2 half open."},
        {"reelfarm_endpoint_push_limit", EXPOSITION_GAUGE,
         "Pushes that an endpoint is given at a time."},
        {"reelfarm_endpoint_pushes_running", EXPOSITION_GAUGE, "Pushes that run."},
        {"reelfarm_endpoint_backlog", EXPOSITION_GAUGE,
         "Titles that wait to be pushed, or events that wait to be told."},
        {"reelfarm_endpoint_request_seconds", EXPOSITION_GAUGE,
         "Mean time of a request to an endpoint, in its last push."},
        {"reelfarm_endpoint_pushes_total", EXPOSITION_COUNTER, "Pushes that were done."},
        {"reelfarm_endpoint_pushes_failed_total", EXPOSITION_COUNTER,
         "Pushes that failed by the endpoint."},
        {"reelfarm_endpoint_bytes_total", EXPOSITION_COUNTER, "Bytes that were brought."},
        {"reelfarm_endpoint_events_dead", EXPOSITION_GAUGE,
         "Events that a webhook did not take in their time, and that are kept."},
        {"reelfarm_endpoint_events_delivered_total", EXPOSITION_COUNTER,
         "Events that a webhook took."},
        {"reelfarm_endpoint_events_dead_total", EXPOSITION_COUNTER,
         "Events that a webhook did not take in their time."},
        {"reelfarm_endpoint_events_lost_total", EXPOSITION_COUNTER,
         "Dead events that went since there were too many."},
    };
    struct endpoint_list list = {0};
    endpoint_list_read(tx, farm, &list);
    struct hook_counts *counts = count_waiting(tx, &list);
    for (int family = 0; family < (int)(sizeof(families) / sizeof(families[0])); family++) {
        exposition_family(out, families[family].name, families[family].kind, families[family].help);
        for (size_t i = 0; i < list.count; i++) {
            struct labels labels = {{{"endpoint", list.rows[i].name}}};
            exposition_sample(out, families[family].name, &labels,
                              sample_of(&list.rows[i], &counts[i], family));
        }
    }
    mem_free(counts);
    endpoint_list_finish(&list);
}
