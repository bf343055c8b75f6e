/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies at outputs and no version names: see leftovers.h. */
#include "leftovers.h"

#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "common/mem.h"
#include "metrics.h"
#include "session.h"
#include "task_make.h"
#include "titles.h"

enum {
    ATTEMPTS_MAX = 12,
    LOOKS = 8,            /* for one request */
    AGAIN_MS = 60 * 1000, /* after the first that did not end well; twice as long each time */
    AGAIN_MOST_MS = 60 * 60 * 1000,
    LATE_PARTS = 2, /* lease times in which what a worker sent last has arrived */
};

struct leftover {
    char title[WIRE_TITLE_TEXT];
    char output[PLACE_TEXT];
    int64_t attempts;
    bool ended; /* its title */
    bool busy;
};

static void expect(struct tx *tx, const char *title, const char *session, int64_t from_ms,
                   bool parked) {
    sql_put(tx, SQL_LEFTOVER_EXPECT,
            VALUES(TEXT(title), TEXT(session), INTEGER(from_ms), INTEGER(parked ? 1 : 0)));
}

void leftovers_expect_of_lease(struct tx *tx, const struct farm *farm,
                               const struct lease_row *lease) {
    if (kind_is_media(lease->kind)) {
        expect(tx, lease->title, lease->session, tx_now(tx) + LATE_PARTS * farm->ttl_ms, false);
    }
}

void leftovers_expect_of_run(struct tx *tx, const struct farm *farm, const char *title) {
    struct lease_list leases = {0};
    lease_list_read(tx, &leases, SQL_LEASES_OF_TITLE, TEXT(title));
    for (size_t i = 0; i < leases.count; i++) {
        leftovers_expect_of_lease(tx, farm, &leases.rows[i]);
    }
    lease_list_finish(&leases);
}

void leftovers_expect(struct tx *tx, const char *title) {
    expect(tx, title, "", tx_now(tx), true);
}

void leftovers_title_ended(struct tx *tx, const char *title) {
    if (sql_run(tx, SQL_LEFTOVERS_UNPARK, VALUES(TEXT(title))) > 0) {
        tx_wake(tx, TOPIC_LEASES);
    }
}

void leftovers_removed(struct tx *tx, const char *title, const char *output) {
    sql_put(tx, SQL_LEFTOVERS_DROP_DUE, VALUES(TEXT(title), TEXT(output), INTEGER(tx_now(tx))));
}

void leftovers_forget(struct tx *tx, const char *title) {
    sql_put(tx, SQL_LEFTOVERS_DROP, VALUES(TEXT(title)));
}

static bool read_due(struct tx *tx, struct leftover *out) {
    struct query query = sql_query(tx, SQL_LEFTOVER_DUE, VALUES(INTEGER(tx_now(tx))));
    bool found = query_next(&query);
    if (found) {
        snprintf(out->title, sizeof(out->title), "%s", query_text(&query, 0));
        snprintf(out->output, sizeof(out->output), "%s", query_text(&query, 1));
        out->attempts = query_integer(&query, 2);
        out->ended = query_integer(&query, 3) != 0;
        out->busy = query_integer(&query, 4) != 0;
    }
    query_close(&query);
    return found;
}

/* What can't be done now does not stand in the way of others. */
static bool find_due(struct tx *tx, struct leftover *out) {
    for (int i = 0; i < LOOKS && tx_ok(tx) && read_due(tx, out); i++) {
        if (out->ended && !out->busy) {
            return true;
        }
        if (out->ended) {
            sql_put(tx, SQL_LEFTOVER_LATER,
                    VALUES(TEXT(out->title), TEXT(out->output), INTEGER(tx_now(tx) + AGAIN_MS)));
        } else {
            sql_put(tx, SQL_LEFTOVER_PARK, VALUES(TEXT(out->title), TEXT(out->output)));
        }
    }
    return false;
}

static int64_t again_ms(int64_t attempts) {
    int64_t pause = (int64_t)AGAIN_MS << attempts;
    return pause < AGAIN_MOST_MS ? pause : AGAIN_MOST_MS;
}

/* A run that is to come may count on nothing that is removed. */
static void take_lease(struct tx *tx, const struct leftover *leftover, struct task *task,
                       const struct session_row *session) {
    task->attempt = (int)leftover->attempts + 1;
    lease_add(tx, task, task->title, session, NULL);
    sql_put(tx, SQL_LEFTOVER_TAKEN,
            VALUES(TEXT(leftover->title), TEXT(leftover->output), INTEGER(task->fence),
                   INTEGER(tx_now(tx) + again_ms(leftover->attempts))));
    sql_put(tx, SQL_PRODUCTS_DROP_UNPUBLISHED, VALUES(TEXT(leftover->title)));
}

/* The output refuses it, or is no more. After the last lease of a title that is gone. */
static void give_up(struct tx *tx, const struct leftover *leftover) {
    log_warn("what a title left at its output can't be removed, and is given up; look at its "
             "permissions, and for workers that fail there",
             "title=%s output=\"%s\"", leftover->title, leftover->output);
    sql_put(tx, SQL_LEFTOVER_DROP, VALUES(TEXT(leftover->title), TEXT(leftover->output)));
    sql_put(tx, SQL_LEASES_DROP_OF_GONE, VALUES(TEXT(leftover->title)));
}

int leftovers_grant(struct tx *tx, const struct session_row *session, int64_t *memory_left,
                    struct writer *w) {
    struct leftover *leftover = mem_zero(1, sizeof(*leftover));
    struct task task = {0};
    bool granted = false;
    if (find_due(tx, leftover) && session_knows(tx, session->id, KNOWS_IMAGES_LINE)) {
        task_make_removal(&task, leftover->title, leftover->output);
        if (leftover->attempts >= ATTEMPTS_MAX) {
            give_up(tx, leftover);
        } else if (task.reserve_bytes <= *memory_left) {
            take_lease(tx, leftover, &task, session);
            task_write(&task, w, NULL);
            *memory_left -= task.reserve_bytes;
            granted = tx_ok(tx);
        }
    }
    task_finish(&task);
    mem_free(leftover);
    return granted ? 1 : 0;
}

int64_t leftovers_next_at(struct tx *tx) {
    return sql_integer(tx, SQL_LEFTOVER_NEXT_AT, VALUES(INTEGER(tx_now(tx))), 0);
}

bool leftovers_have_lease(struct tx *tx, const struct lease_row *lease) {
    return lease->kind == TASK_REMOVE && lease->state == LEASE_LIVE &&
           sql_integer(tx, SQL_LEFTOVER_OF_FENCE, VALUES(INTEGER(lease->fence)), 0) > 0;
}

enum answer leftovers_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease) {
    lease_move(tx, lease->fence, LEASE_LIVE, LEASE_COMPLETE);
    farm_progress_drop(farm, lease->fence);
    tx_wake(tx, TOPIC_LEASES);
    metric_add(tx, METRIC_LEASES_COMPLETED, (int)lease->kind, 0, 1);
    metric_observe(tx, METRIC_LEASE_SECONDS, (int)lease->kind,
                   (double)(tx_now(tx) - lease->at) / 1000);
    sql_put(tx, SQL_LEFTOVER_DROP_FENCE, VALUES(INTEGER(lease->fence)));
    sql_put(tx, SQL_LEASES_DROP_OF_GONE, VALUES(TEXT(lease->title)));
    title_settle(tx, lease->title); /* a new run waits for it */
    return ANSWER_ACCEPTED;
}
