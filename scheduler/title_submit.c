/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Titles that are submitted, and their new runs: see titles.h. */
#include "titles.h"

#include <stdio.h>
#include <string.h>

#include "early.h"
#include "events.h"
#include "leftovers.h"
#include "metrics.h"

/* The first step of a run, which waits for what has not stopped yet. */
static void add_probe(struct tx *tx, const char *id, int64_t submission) {
    struct title_row title = {.id = id, .submission = submission};
    title_add_unit(tx, &title, POSITION_PROBE, TASK_PROBE,
                   title_count_others(tx, id) > 0 ? UNIT_BLOCKED : UNIT_READY);
    tx_wake(tx, TOPIC_LEASES | TOPIC_TITLES);
}

static bool is_same(const struct title_request *request, const struct title_row *row) {
    return !request->force && strcmp(request->source, row->source) == 0 &&
           strcmp(request->output, row->output) == 0 && strcmp(request->ladder, row->ladder) == 0;
}

/* "" where a submission leaves it out. */
static const char *word_of(const char *word) {
    return word != NULL ? word : "";
}

bool title_has_key(struct tx *tx, const struct title_request *request, bool *is_own) {
    const char *key = word_of(request->key), *sender = word_of(request->sender);
    bool found = false;
    *is_own = false;
    if (key[0] == '\0') {
        return false;
    }
    struct query query =
        sql_query(tx, SQL_TITLE_SENDER, VALUES(TEXT(request->title), TEXT(key), TEXT(sender)));
    if (query_next(&query)) {
        found = true;
        *is_own = sender[0] != '\0' && query_integer(&query, 0) != 0;
    }
    query_close(&query);
    return found;
}

static void set_labels(struct tx *tx, const struct title_request *request) {
    if (request->labels == NULL) {
        return;
    }
    sql_put(tx, SQL_LABELS_DROP, VALUES(TEXT(request->title)));
    for (size_t i = 0; i < request->label_count; i++) {
        sql_put(tx, SQL_LABEL_ADD, VALUES(TEXT(request->title), TEXT(request->labels[i])));
    }
}

/* What places the title in the queue, and its labels. Whether its place is another now. */
static bool set_order(struct tx *tx, const struct title_request *request) {
    int64_t priority = 0;
    int64_t deadline = 0;
    char tenant[TENANT_TEXT] = "";
    struct query query = sql_query(tx, SQL_TITLE_ORDER, VALUES(TEXT(request->title)));
    if (query_next(&query)) {
        priority = query_integer(&query, 0);
        snprintf(tenant, sizeof(tenant), "%s", query_text(&query, 1));
        deadline = query_integer(&query, 2);
    }
    query_close(&query);
    int64_t new_priority = request->names_priority ? request->priority : priority;
    int64_t new_deadline = request->names_deadline ? request->deadline : deadline;
    const char *new_tenant = request->tenant != NULL ? request->tenant : tenant;
    sql_put(tx, SQL_TITLE_SET_ORDER,
            VALUES(TEXT(request->title), INTEGER(new_priority), TEXT(new_tenant),
                   INTEGER(new_deadline)));
    set_labels(tx, request);
    return new_priority != priority || new_deadline != deadline || strcmp(new_tenant, tenant) != 0;
}

/* The same of a title that runs: its units move in the queue. */
static void change_order(struct tx *tx, const struct title_request *request) {
    if (set_order(tx, request)) {
        tx_tally(tx, sql_run(tx, SQL_UNITS_SET_ORDER, VALUES(TEXT(request->title))));
        tx_wake(tx, TOPIC_LEASES);
    }
}

/* Before the run's first event. */
static void set_trace(struct tx *tx, const struct title_request *request) {
    char made[TRACE_TEXT];
    if (request->trace == NULL) {
        trace_make(made);
    }
    sql_put(tx, SQL_TITLE_SET_TRACE,
            VALUES(TEXT(request->title), TEXT(request->trace != NULL ? request->trace : made)));
}

/* Whether a worker makes an older version current: nobody knows how far it is, so that a run that
 * fails would leave it unknown which one is. */
static bool is_rolled_back(struct tx *tx, const char *title) {
    struct unit_row unit;
    int64_t id = sql_integer(tx, SQL_UNIT_AT, VALUES(TEXT(title), INTEGER(POSITION_ROLLBACK)), 0);
    return id != 0 && unit_find(tx, id, &unit) && unit.state == UNIT_LEASED;
}

bool title_check_submission(struct tx *tx, const struct title_request *request,
                            const struct title_row *title) {
    bool runs = title->state == TITLE_SUBMITTED || title->state == TITLE_RUNNING;
    if (runs && is_same(request, title)) {
        return true;
    }
    if (state_next(MACHINE_TITLE, (int)title->state, TITLE_SUBMIT) < 0) {
        err_set(tx_err(tx), ERR_CONFLICT, "title %s is %s; wait for its end%s", request->title,
                state_name(MACHINE_TITLE, (int)title->state),
                title->state == TITLE_REMOVING ? "" : " or cancel it first");
    } else if (is_rolled_back(tx, request->title)) {
        err_set(tx_err(tx), ERR_CONFLICT, "title %s is being rolled back; wait for its end",
                request->title);
    }
    return false;
}

/* A new run of a title that is known; false where that is what runs. */
static bool submit_again(struct tx *tx, const struct farm *farm,
                         const struct title_request *request, const struct title_row *old,
                         int64_t submission) {
    bool runs = old->state == TITLE_SUBMITTED || old->state == TITLE_RUNNING;
    bool is_own = false;
    bool known = old->state != TITLE_REMOVING && title_has_key(tx, request, &is_own);
    if (known || title_check_submission(tx, request, old)) {
        if (runs) {
            change_order(tx, request);
        }
        return false;
    }
    if (!tx_ok(tx)) {
        return false;
    }
    title_stop_work(tx, request->title); /* of a title that is done, versions may be dropped */
    leftovers_expect_of_run(tx, farm, request->title); /* a worker that is cut off does not hear */
    title_drop_run(tx, request->title);
    set_trace(tx, request);
    sql_put(tx, SQL_TITLE_DROP_PLAN, VALUES(TEXT(request->title)));
    sql_put(tx, SQL_TITLE_RESET,
            VALUES(TEXT(request->title), INTEGER(submission), TEXT(request->source),
                   TEXT(request->output), TEXT(request->ladder), INTEGER(tx_now(tx))));
    set_order(tx, request);
    title_move(tx, request->title, old->state, TITLE_SUBMIT, "");
    if (request->force) {
        sql_put(tx, SQL_PRODUCTS_DROP, VALUES(TEXT(request->title)));
        early_leave(tx, request->title);
    }
    return true;
}

bool title_submit(struct tx *tx, const struct farm *farm, const struct title_request *request) {
    int64_t submission = tx_numbers(tx, "submission", 1);
    struct title_row old = {0};
    bool is_new = true;
    if (title_find(tx, request->title, &old)) {
        is_new = submit_again(tx, farm, request, &old, submission);
    } else {
        sql_put(tx, SQL_TITLE_ADD,
                VALUES(TEXT(request->title), TEXT(state_name(MACHINE_TITLE, TITLE_SUBMITTED)),
                       INTEGER(submission), TEXT(request->source), TEXT(request->output),
                       TEXT(request->ladder), INTEGER(tx_now(tx))));
        set_trace(tx, request);
        set_order(tx, request); /* by which its events find who is to hear of them */
        event_add(tx, request->title, 0, "title", state_event_name(MACHINE_TITLE, TITLE_SUBMIT),
                  "");
        metric_add(tx, METRIC_TITLES, TITLE_SUBMITTED, 0, 1);
        metric_add(tx, METRIC_TITLE_EVENTS, TITLE_SUBMIT, 0, 1);
    }
    if (is_new) {
        sql_put(tx, SQL_TITLE_SET_KEY,
                VALUES(TEXT(request->title), TEXT(word_of(request->key)),
                       TEXT(word_of(request->sender))));
        sql_put(tx, SQL_TITLE_SET_EARLY,
                VALUES(TEXT(request->title), INTEGER(request->early ? 1 : 0)));
        add_probe(tx, request->title, submission);
    }
    title_row_finish(&old);
    return is_new;
}

void title_retry(struct tx *tx, const struct farm *farm, const char *id, const char *trace) {
    struct title_row title = {0};
    if (!tx_ok(tx) || !title_get(tx, id, &title)) {
        return;
    }
    bool lacks = title.state == TITLE_DONE &&
                 sql_integer(tx, SQL_MISSING_COUNT, VALUES(TEXT(id)), 0) > 0;
    if (title.state != TITLE_FAILED && title.state != TITLE_CANCELLED && !lacks) {
        err_set(tx_err(tx), ERR_CONFLICT,
                "title %s is %s; only one that failed, was cancelled or lacks something is tried "
                "again",
                id, state_name(MACHINE_TITLE, (int)title.state));
    } else {
        struct title_request request = {.title = id,
                                        .source = title.source,
                                        .output = title.output,
                                        .ladder = title.ladder,
                                        .trace = trace};
        int64_t submission = tx_numbers(tx, "submission", 1);
        submit_again(tx, farm, &request, &title, submission);
        add_probe(tx, id, submission);
    }
    title_row_finish(&title);
}
