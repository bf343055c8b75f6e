/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deliveries to webhooks on their way: see hooks.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "hook_events.h"
#include "hooks.h"
#include "push.h"
#include "scheduler/metrics.h"
#include "scheduler/session.h"
#include "scheduler/task_make.h"
#include "scheduler/titles.h"

enum {
    EVENTS_OF_LEASE = 50,
    BYTES_OF_LEASE = 1 << 20, /* and of their bodies */
    PLACE_MARK = '@',         /* its number follows: see publication_place */
    MINUTE_MS = 60000,
    LEAVE_MS = 24 * 60 * 60 * 1000, /* that a receiver gave is asked for again after it */
};

bool hooks_have_lease(const struct lease_row *lease) {
    return lease->title[0] == PLACE_MARK;
}

int64_t hooks_next_at(struct tx *tx, const char *endpoint) {
    return sql_integer(tx, SQL_DELIVERIES_NEXT_AT, VALUES(TEXT(endpoint), INTEGER(tx_now(tx))), 0);
}

/* ---- giving out --------------------------------------------------------------------------- */

bool hooks_need_leave(const struct endpoint *endpoint) {
    return endpoint->is_hook && endpoint->hook.origin[0] != '\0';
}

static bool must_ask(const struct endpoint_row *row, int64_t now) {
    return hooks_need_leave(row->file) && row->leave_until <= now;
}

int hooks_at_a_time(const struct endpoint_row *row, int64_t now) {
    return must_ask(row, now) || row->leave_rate > 0 ? 1 : row->file->pushes;
}

/* What is due there, in the arena of the task. */
static void fill_events(struct tx *tx, struct task *task, const struct endpoint *endpoint) {
    struct hook_task *hook = &task->hook;
    size_t bytes = 0;
    hook->events = arena_zero(&task->arena, EVENTS_OF_LEASE, sizeof(*hook->events));
    struct query query =
        sql_query(tx, SQL_DELIVERIES_DUE,
                  VALUES(TEXT(endpoint->push.name), INTEGER(tx_now(tx)), INTEGER(EVENTS_OF_LEASE)));
    while (bytes < BYTES_OF_LEASE && hook->event_count < EVENTS_OF_LEASE && query_next(&query)) {
        struct buf body = {0};
        struct hook_event *event = &hook->events[hook->event_count++];
        event->event = query_integer(&query, 0);
        event->title = arena_string(&task->arena, query_text(&query, 2));
        const struct cloud_event cloud_event = {.event = event->event,
                                                .at = query_integer(&query, 1),
                                                .source = endpoint->hook.source,
                                                .title = event->title,
                                                .kind = query_text(&query, 3),
                                                .data = query_text(&query, 4)};
        cloud_event_write(&cloud_event, &body);
        event->body = arena_string(&task->arena, buf_text(&body));
        bytes += body.size;
        buf_finish(&body);
    }
    query_close(&query);
}

bool hooks_grant(struct tx *tx, const struct session_row *session, int64_t *memory_left,
                 const struct endpoint_row *row, struct writer *w) {
    const struct endpoint *endpoint = row->file;
    struct task task = {.attempt = 1};
    char place[PUBLICATION_TEXT];
    if (hooks_need_leave(endpoint) && !session_knows(tx, session->id, KNOWS_LEAVE_LINE)) {
        return false; /* it would send without asking */
    }
    task_make_push(&task);
    task.source = (struct task_source){.url = "", .size = -1, .pin = "", .identity = ""};
    task.output = task.version = "";
    task.push.endpoint = endpoint->push;
    task.hook.batch = endpoint->hook.batch;
    task.hook.timeout_ms = endpoint->hook.timeout_ms;
    task.hook.has_leave = hooks_need_leave(endpoint);
    task.hook.leave = (struct hook_leave){.origin = endpoint->hook.origin,
                                          .ask = must_ask(row, tx_now(tx)),
                                          .rate = (int)row->leave_rate};
    if (task.reserve_bytes <= *memory_left) {
        fill_events(tx, &task, endpoint);
    }
    bool any = task.hook.event_count > 0;
    if (any) {
        snprintf(task.title, sizeof(task.title), "%s", task.hook.events[0].title);
        snprintf(place, sizeof(place), "%c%" PRId64, PLACE_MARK, tx_numbers(tx, "delivery", 1));
        push_take_lease(tx, &task, place, session);
        for (size_t i = 0; i < task.hook.event_count; i++) {
            sql_run(
                tx, SQL_DELIVERY_BEGIN,
                VALUES(TEXT(row->name), INTEGER(task.hook.events[i].event), INTEGER(task.fence)));
        }
        sql_run(tx, SQL_ENDPOINT_SET_GRANTED, VALUES(TEXT(row->name), INTEGER(tx_now(tx))));
        task_write(&task, w, NULL);
        *memory_left -= task.reserve_bytes;
    }
    task_finish(&task);
    return any && tx_ok(tx);
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* What a lease's results come to. */
struct tally {
    int64_t taken;
    int64_t died;
    bool verdicts[HOOK_VERDICT_COUNT]; /* that there were */
    const char *error;                 /* of the last that was not taken; "" for none */
};

/* Where a lease goes, and a title of which it carries something. */
struct way {
    char endpoint[ENDPOINT_TEXT];
    char title[WIRE_TITLE_TEXT];
};

static void find_way(struct tx *tx, int64_t fence, struct way *out) {
    *out = (struct way){.endpoint = ""};
    struct query query = sql_query(tx, SQL_DELIVERIES_WAY, VALUES(INTEGER(fence)));
    if (query_next(&query)) {
        snprintf(out->endpoint, sizeof(out->endpoint), "%s", query_text(&query, 0));
        snprintf(out->title, sizeof(out->title), "%s", query_text(&query, 1));
    }
    query_close(&query);
}

void hooks_find_endpoint(struct tx *tx, int64_t fence, char endpoint[ENDPOINT_TEXT]) {
    struct way way;
    find_way(tx, fence, &way);
    memcpy(endpoint, way.endpoint, sizeof(way.endpoint));
}

/* One that was not taken: again after a pause, or dead. */
static void not_taken(struct tx *tx, struct farm *farm, const char *endpoint,
                      const struct hook_result *result, int64_t attempts, int64_t retry_after_s,
                      struct tally *tally) {
    const struct endpoint *file =
        farm->endpoints == NULL ? NULL : endpoints_find(farm->endpoints, endpoint);
    int64_t most = file == NULL || !file->is_hook ? HOOK_ATTEMPTS : file->hook.attempts;
    bool dies = attempts + 1 >= most || result->verdict == HOOK_GONE;
    int64_t pause = hook_pause_ms(attempts + 1, retry_after_s, farm->draw);
    sql_run(tx, SQL_DELIVERY_FAILED,
            VALUES(TEXT(endpoint), INTEGER(result->event), TEXT(dies ? "dead" : "waiting"),
                   INTEGER(result->status), TEXT(result->error), INTEGER(tx_now(tx) + pause),
                   INTEGER(dies ? tx_now(tx) : 0)));
    tally->died += dies ? 1 : 0;
    tally->error = result->error;
}

static void take_result(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                        const char *endpoint, const struct hook_report *report, size_t index,
                        struct tally *tally) {
    const struct hook_result *result = &report->results[index];
    int64_t attempts =
        sql_integer(tx, SQL_DELIVERY_ATTEMPTS,
                    VALUES(TEXT(endpoint), INTEGER(result->event), INTEGER(lease->fence)), -1);
    if (attempts < 0) { /* it is not of this lease */
        return;
    }
    tally->verdicts[result->verdict] = true;
    if (result->verdict == HOOK_TAKEN) {
        sql_run(tx, SQL_DELIVERY_TAKEN,
                VALUES(TEXT(endpoint), INTEGER(result->event), INTEGER(lease->fence),
                       INTEGER(result->status), INTEGER(tx_now(tx))));
        tally->taken++;
    } else {
        int64_t retry_after_s = result->verdict == HOOK_REFUSED ? 0 : report->retry_after_s;
        not_taken(tx, farm, endpoint, result, attempts, retry_after_s, tally);
    }
}

/* How long nothing is sent now: as the receiver asked, and as many a minute as it lets. */
static int64_t pause_of(const struct farm *farm, const struct hook_report *report,
                        const struct tally *tally, int64_t rate) {
    int64_t asked_s = report->retry_after_s;
    bool asks = tally->verdicts[HOOK_BUSY] || (tally->verdicts[HOOK_DOWN] && asked_s > 0);
    int64_t turn = rate > 0 && report->result_count > 0 ? MINUTE_MS / rate : 0;
    int64_t pause = !asks         ? 0
                    : asked_s > 0 ? hook_asked_ms(asked_s)
                                  : hook_pause_ms(1, 0, farm->draw);
    return pause > turn ? pause : turn;
}

/* Notes the leave that was given, if it was asked for; the rate that holds. */
static int64_t keep_leave(struct tx *tx, const struct endpoint_row *row,
                          const struct hook_report *report) {
    if (!report->has_grant) {
        return row->leave_rate;
    }
    sql_run(tx, SQL_ENDPOINT_SET_LEAVE,
            VALUES(TEXT(row->name), INTEGER(tx_now(tx) + LEAVE_MS), INTEGER(report->grant.rate)));
    return report->grant.rate;
}

/* What the results tell of the endpoint: one that takes anything is well; one that refuses what it
 * was sent, or asks for a pause, is no reason to break off. */
static void judge_endpoint(struct tx *tx, const struct farm *farm, const char *name,
                           const struct task_report *report, const struct tally *tally) {
    struct endpoint_list list = {0};
    endpoint_list_read(tx, farm, &list);
    struct endpoint_row *row = endpoint_list_find(&list, name);
    if (row == NULL) {
        endpoint_list_finish(&list);
        return;
    }
    bool was_open = row->breaker.state != BREAKER_CLOSED;
    bool fails = tally->verdicts[HOOK_DOWN] && tally->taken == 0;
    int most = row->file == NULL ? 1 : row->file->pushes;
    if (tally->taken > 0 || fails) {
        breaker_report(&row->breaker, !fails, false, tx_now(tx));
    }
    double request_ms = report->push.request_ms; /* one is as the other there */
    limit_report(&row->limit, !fails && !tally->verdicts[HOOK_BUSY],
                 (struct pace){request_ms, request_ms}, most);
    snprintf(row->error, sizeof(row->error), "%s", tally->error);
    endpoint_save(tx, row);
    sql_run(tx, SQL_ENDPOINT_COUNT,
            VALUES(TEXT(name), INTEGER(fails ? 0 : 1), INTEGER(fails ? 1 : 0),
                   INTEGER(report->push.objects), INTEGER(report->push.bytes)));
    sql_run(tx, SQL_ENDPOINT_COUNT_EVENTS,
            VALUES(TEXT(name), INTEGER(tally->taken), INTEGER(tally->died), INTEGER(0)));
    int64_t pause = pause_of(farm, &report->hook, tally, keep_leave(tx, row, &report->hook));
    if (pause > 0) {
        sql_run(tx, SQL_ENDPOINT_SET_PAUSE, VALUES(TEXT(name), INTEGER(tx_now(tx) + pause)));
    }
    if (tally->verdicts[HOOK_GONE]) {
        sql_run(tx, SQL_ENDPOINT_SET_GONE, VALUES(TEXT(name), INTEGER(tx_now(tx))));
    }
    if (was_open && row->breaker.state == BREAKER_CLOSED) {
        hooks_retry(tx, name); /* what failed while it was away goes at once */
    }
    endpoint_list_finish(&list);
}

/* Ends the lease; what it carried and was not tried waits as before. */
static void end(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                enum lease_event of_lease, enum unit_event of_unit, const struct way *way) {
    sql_run(tx, SQL_DELIVERIES_LEFT, VALUES(INTEGER(lease->fence)));
    push_end_lease(tx, farm, lease, of_lease, of_unit, way->title);
    tx_wake(tx, TOPIC_PUSHES);
}

enum answer hooks_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                           const struct task_report *report) {
    struct way way;
    struct tally tally = {.error = ""};
    if (lease->state != LEASE_LIVE) {
        hooks_drop(tx, farm, lease, LEASE_COMPLETE);
        return ANSWER_CONFLICT;
    }
    find_way(tx, lease->fence, &way);
    for (size_t i = 0; i < report->hook.result_count && tx_ok(tx); i++) {
        take_result(tx, farm, lease, way.endpoint, &report->hook, i, &tally);
    }
    end(tx, farm, lease, LEASE_COMPLETE, UNIT_COMPLETE, &way);
    metric_add(tx, METRIC_LEASES_COMPLETED, TASK_PUSH, 0, 1);
    metric_observe(tx, METRIC_LEASE_SECONDS, TASK_PUSH, (double)(tx_now(tx) - lease->at) / 1000);
    judge_endpoint(tx, farm, way.endpoint, report, &tally);
    if (tally.verdicts[HOOK_GONE]) {
        hooks_die(tx, way.endpoint, tally.error);
    }
    endpoint_rows_look(tx, farm);
    return ANSWER_ACCEPTED;
}

/* Nothing was sent: this worker lacks what it needs for it, or it was given no leave. */
enum answer hooks_fail(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                       const struct failure *failure) {
    struct way way;
    if (lease->state != LEASE_LIVE) {
        hooks_drop(tx, farm, lease, LEASE_FAIL);
        return lease->state == LEASE_ENDED ? ANSWER_CONFLICT : ANSWER_DROPPED;
    }
    find_way(tx, lease->fence, &way);
    end(tx, farm, lease, LEASE_FAIL, UNIT_RETRY, &way);
    metric_add(tx, METRIC_LEASES_FAILED, (int)failure->class, 0, 1);
    const struct endpoint_result result = {.push = &(struct push_report){0},
                                           .error = failure->message};
    endpoint_report(tx, farm, way.endpoint, &result);
    sql_run(tx, SQL_ENDPOINT_SET_PAUSE,
            VALUES(TEXT(way.endpoint), INTEGER(tx_now(tx) + hook_pause_ms(1, 0, farm->draw))));
    endpoint_rows_look(tx, farm);
    return ANSWER_ACCEPTED;
}

void hooks_drop(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                enum lease_event event) {
    struct way way;
    if (lease->state != LEASE_ENDED) {
        metric_add(tx, event == LEASE_LOSE ? METRIC_LEASES_LOST : METRIC_LEASES_RETURNED, 0, 0,
                   lease->state == LEASE_LIVE ? 1 : 0);
        find_way(tx, lease->fence, &way);
        end(tx, farm, lease, event, UNIT_RETURN, &way);
    }
}
