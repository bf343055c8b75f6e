/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pushes to edges and catalogs: see push.h. */
#include "push.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "hooks.h"
#include "orphans.h"
#include "push_lane.h"
#include "scheduler/events.h"
#include "scheduler/metrics.h"
#include "scheduler/session.h"
#include "scheduler/task_make.h"
#include "scheduler/titles.h"

enum {
    OLD_VERSIONS_MAX = 64,     /* that one push takes away */
    SWEPT_VERSIONS_MAX = 1024, /* that may stay, where orphans are looked for */
    BACK_OFF_FIRST_MS = 5000,
    BACK_OFF_MOST_MS = 300000,
    REFUSED_FIRST_MS = 60000, /* somebody must do something first */
    REFUSED_MOST_MS = 3600000,
    LOST_MS = 1000,
    UNSURE_MS = 180000, /* no edge waits so long for the rest of a body: see API.md */
};

/* ---- what a push is told ----------------------------------------------------------------- */

static void fill_old_versions(struct tx *tx, struct task *task, const struct publication_row *row) {
    struct push *push = &task->push;
    struct query query = sql_query(tx, SQL_PUBLICATION_VERSIONS_TOLD, VALUES(INTEGER(row->id)));
    const char **versions = rows_texts(&query, &task->arena, NULL, &push->old_version_count);
    push->old_versions =
        arena_zero(&task->arena, push->old_version_count + 1, sizeof(*push->old_versions));
    for (size_t i = 0; i < push->old_version_count; i++) {
        struct push_old_version *old = &push->old_versions[i];
        snprintf(old->version, sizeof(old->version), "%s", versions[i]);
        struct query renditions =
            sql_query(tx, SQL_PUBLICATION_RENDITIONS, VALUES(TEXT(row->title), TEXT(versions[i])));
        old->renditions = rows_texts(&renditions, &task->arena, NULL, &old->rendition_count);
    }
}

static struct push_old_folder *read_folders(struct query query, struct arena *arena,
                                            size_t *count) {
    struct buf all = {0};
    *count = 0;
    while (query_next(&query)) {
        struct push_old_folder folder = {.segments = query_integer(&query, 1)};
        snprintf(folder.folder, sizeof(folder.folder), "%s", query_text(&query, 0));
        buf_append(&all, &folder, sizeof(folder));
        (*count)++;
    }
    struct push_old_folder *list = arena_zero(arena, *count + 1, sizeof(*list));
    if (*count > 0) {
        memcpy(list, all.data, all.size);
    }
    buf_finish(&all);
    return list;
}

static void fill_old_folders(struct tx *tx, struct task *task, const struct publication_row *row) {
    struct push *push = &task->push;
    push->old_folders = read_folders(
        sql_query(tx, SQL_PUBLICATION_FOLDERS, VALUES(INTEGER(row->id), TEXT(row->title))),
        &task->arena, &push->old_folder_count);
}

/* What of the title is no orphan there; of one that goes, all goes anyway. */
static void fill_sweep(struct tx *tx, struct task *task, const struct publication_row *row,
                       const struct endpoint *endpoint) {
    struct push_sweep *sweep = &task->push.sweep;
    task->push.has_sweep = row->wanted[0] != '\0' && endpoint->lists;
    if (!task->push.has_sweep) {
        return;
    }
    struct query query = sql_query(tx, SQL_PUBLICATION_VERSIONS_KEPT, VALUES(INTEGER(row->id)));
    const char **versions = rows_texts(&query, &task->arena, NULL, &sweep->version_count);
    if (sweep->version_count > SWEPT_VERSIONS_MAX) {
        task->push.has_sweep = false; /* more than a task may say */
        return;
    }
    sweep->versions = arena_zero(&task->arena, sweep->version_count + 1, sizeof(*sweep->versions));
    for (size_t i = 0; i < sweep->version_count; i++) {
        snprintf(sweep->versions[i].version, sizeof(sweep->versions[i].version), "%s", versions[i]);
    }
    sweep->folders = read_folders(
        sql_query(tx, SQL_PUBLICATION_FOLDERS_KEPT, VALUES(INTEGER(row->id), TEXT(row->title))),
        &task->arena, &sweep->folder_count);
}

/* What an edge may hold from now on, and what it is told to take away: a cache that fetches by
 * itself once more after the origin has, of which it may take it again till then. */
static void begin_versions(struct tx *tx, const struct publication_row *row,
                           const struct endpoint *endpoint) {
    if (row->wanted[0] != '\0' && !row->is_catalog) {
        sql_run(tx, SQL_PUBLICATION_VERSION_ADD, VALUES(INTEGER(row->id), TEXT(row->wanted)));
    }
    sql_run(tx, SQL_PUBLICATION_VERSIONS_UNTOLD, VALUES(INTEGER(row->id)));
    sql_run(tx, SQL_PUBLICATION_VERSIONS_TELL,
            VALUES(INTEGER(row->id), TEXT(row->wanted), TEXT(row->title), INTEGER(tx_now(tx)),
                   INTEGER(OLD_VERSIONS_MAX)));
    if (endpoint->fetches) {
        sql_run(tx, SQL_PUBLICATION_VERSIONS_TWICE, VALUES(INTEGER(row->id), TEXT(row->title)));
    }
}

/* Where the version lies at the origin, or the title, of which nothing is wanted: an edge may not
 * be that place. "" where it does not. */
static const char *find_output(struct tx *tx, struct arena *arena,
                               const struct publication_row *row) {
    struct query query =
        row->wanted[0] != '\0'
            ? sql_query(tx, SQL_VERSION_OUTPUT, VALUES(TEXT(row->title), TEXT(row->wanted)))
            : sql_query(tx, SQL_TITLE_OUTPUT, VALUES(TEXT(row->title)));
    const char *output = arena_string(arena, query_next(&query) ? query_text(&query, 0) : "");
    query_close(&query);
    return output;
}

/* By what a catalog lists the title. */
static void fill_listing(struct tx *tx, struct task *task) {
    struct push_listing *listing = &task->push.listing;
    struct query query = sql_query(tx, SQL_TITLE_ORDER, VALUES(TEXT(task->title)));
    if (query_next(&query)) {
        snprintf(listing->tenant, sizeof(listing->tenant), "%s", query_text(&query, 1));
    }
    query_close(&query);
    listing->labels = arena_zero(&task->arena, LABELS_MAX, sizeof(*listing->labels));
    query = sql_query(tx, SQL_LABELS, VALUES(TEXT(task->title)));
    while (listing->label_count < LABELS_MAX && query_next(&query)) {
        listing->labels[listing->label_count++] = arena_string(&task->arena, query_text(&query, 0));
    }
    query_close(&query);
}

/* Of its bandwidth what one push may take, so that all that may run keep to it. */
static int64_t bandwidth_share(const struct endpoint *endpoint) {
    int64_t all = endpoint->push.bandwidth_bps, share = all / endpoint->pushes;
    return share == 0 && all > 0 ? 1 : share; /* 0 is any */
}

static void fill_task(struct tx *tx, struct task *task, const struct publication_row *row,
                      const struct endpoint *endpoint) {
    struct push *push = &task->push;
    memcpy(task->title, row->title, sizeof(task->title));
    title_trace(tx, row->title, task->trace);
    task->attempt = (int)row->failures + 1;
    task->source = (struct task_source){.url = "", .size = -1, .pin = "", .identity = ""};
    task->version = arena_string(&task->arena, row->wanted);
    push->endpoint = endpoint->push;
    push->endpoint.bandwidth_bps = bandwidth_share(endpoint);
    push->revision = row->revision;
    push->skip = row->skip > 0 ? row->skip : 0;
    fill_old_versions(tx, task, row);
    fill_old_folders(tx, task, row);
    fill_sweep(tx, task, row, endpoint);
    push->has_listing = row->is_catalog && row->wanted[0] != '\0';
    if (push->has_listing) {
        fill_listing(tx, task);
    }
}

/* ---- giving out --------------------------------------------------------------------------- */

static void detail_of(const struct publication_row *row, const struct lease_row *lease,
                      const struct failure *failure, struct buf *out) {
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    writer_string(&w, "endpoint", row->endpoint);
    writer_string(&w, "version", row->pushed);
    writer_int(&w, "fence", lease->fence);
    writer_string(&w, "worker", lease->worker);
    if (failure != NULL) {
        writer_string(&w, "class", failure_class_name(failure->class));
        writer_string(&w, "message", failure->message);
    }
    writer_object_end(&w);
}

void push_take_lease(struct tx *tx, struct task *task, const char *place,
                     const struct session_row *session) {
    struct lease_row lease = {.kind = TASK_PUSH, .attempt = task->attempt};
    int64_t unit = tx_numbers(tx, "unit", 1);
    memcpy(lease.worker, session->worker, sizeof(lease.worker));
    memcpy(lease.host, session->host, sizeof(lease.host));
    task->unit_count = 1;
    task->units = arena_zero(&task->arena, 1, sizeof(*task->units));
    task->units[0].id = unit;
    sql_run(tx, SQL_UNIT_ADD_PUSH,
            VALUES(INTEGER(unit), TEXT(place), INTEGER(POSITION_PUSH), INTEGER(tx_now(tx))));
    metric_add(tx, METRIC_UNITS, TASK_PUSH, UNIT_READY, 1);
    lease_add(tx, task, place, session, NULL);
    lease.fence = task->fence;
    sql_run(tx, SQL_LEASE_UNIT_ADD, VALUES(INTEGER(task->fence), INTEGER(unit)));
    struct buf detail = {0};
    outcome_detail(&detail, &lease, NULL, NULL);
    struct state_note note = {.title = task->title, .detail = buf_text(&detail)};
    unit_move(tx, unit, UNIT_READY, UNIT_LEASE, &note);
    buf_finish(&detail);
}

static void put_off(struct tx *tx, const struct publication_row *row, const char *failure,
                    const char *error, int64_t pause_ms) {
    sql_run(tx, SQL_PUBLICATION_LEFT,
            VALUES(INTEGER(row->id), INTEGER(row->skip > 0 ? row->skip : 0), INTEGER(row->total),
                   INTEGER(row->failures), TEXT(failure), TEXT(error),
                   INTEGER(tx_now(tx) + pause_ms)));
}

enum grant { GRANTED, PUT_OFF, NOT_ABLE };

/* What one request works with. */
struct giving {
    const struct session_row *session;
    int64_t memory_left;
    bool knows_images; /* else titles that have any, which are newer than pushes, are passed over */
    bool knows_falls_back;       /* else edges that tell of it are */
    struct publication_row last; /* that was given */
};

/* Leases one, or puts it off where the origin lacks it. */
static enum grant grant_one(struct tx *tx, struct giving *giving, const struct publication_row *row,
                            const struct endpoint *endpoint, struct writer *w) {
    struct task task = {0};
    char place[PUBLICATION_TEXT];
    enum grant result = NOT_ABLE;
    task.output = find_output(tx, &task.arena, row);
    task_make_push(&task);
    if (row->wanted[0] != '\0' && task.output[0] == '\0') {
        put_off(tx, row, failure_class_name(FAILURE_IO),
                "the origin keeps this version no more; publish the title again", REFUSED_FIRST_MS);
        result = PUT_OFF;
    } else if (task.reserve_bytes <= giving->memory_left) {
        begin_versions(tx, row, endpoint);
        sql_run(tx, SQL_PUBLICATION_BEGIN, VALUES(INTEGER(row->id)));
        fill_task(tx, &task, row, endpoint);
        publication_place(row->id, place);
        push_take_lease(tx, &task, place, giving->session);
        sql_run(tx, SQL_ENDPOINT_SET_GRANTED, VALUES(TEXT(row->endpoint), INTEGER(tx_now(tx))));
        task_write(&task, w, NULL);
        giving->memory_left -= task.reserve_bytes;
        giving->last = *row;
        result = GRANTED;
    }
    task_finish(&task);
    return result;
}

static bool take_row(struct query query, struct publication_row *out) {
    bool found = query_next(&query);
    if (found) {
        publication_read(&query, out);
    }
    query_close(&query);
    return found;
}

/* The next one that is due there and that the worker knows all of, by one of the statements for it.
 */
static bool find_next(struct tx *tx, enum sql_id statement, const struct giving *giving,
                      const char *endpoint, struct publication_row *out) {
    return take_row(sql_query(tx, statement,
                              VALUES(TEXT(endpoint), INTEGER(tx_now(tx)),
                                     INTEGER(giving->knows_images ? 1 : 0))),
                    out);
}

/* An endpoint that a few titles have shut, each failing again and again, is tried at once by one
 * that has not failed: it may be their fault. */
static void try_early(struct tx *tx, const struct giving *giving, struct endpoint_row *row) {
    const struct breaker *breaker = &row->breaker;
    struct publication_row fresh;
    if (breaker->state == BREAKER_OPEN && breaker->by_time && !row->file->is_hook &&
        find_next(tx, SQL_PUBLICATION_NEXT_FRESH, giving, row->name, &fresh)) {
        row->breaker.retry_at = tx_now(tx);
    }
}

/* Whether it may be given a push now. */
static bool has_room(struct tx *tx, const struct farm *farm, const struct giving *giving,
                     struct endpoint_row *row) {
    if (row->file == NULL || row->gone_at > 0 || row->pause_until > tx_now(tx) ||
        (row->file->is_hook && !endpoint_window_open(row->file, tx_now(tx))) ||
        (row->file->tells_falls_back && !giving->knows_falls_back) ||
        orphans_hold(tx, farm, row->file)) {
        return false;
    }
    try_early(tx, giving, row);
    if (breaker_wake(&row->breaker, tx_now(tx))) {
        endpoint_save(tx, row);
    }
    int allowed = breaker_allows(&row->breaker, &row->limit);
    int most = row->file->is_hook ? hooks_at_a_time(row, tx_now(tx)) : row->file->pushes;
    return row->running < (allowed < most ? allowed : most);
}

/* Of those with room, also on this worker, the one that runs fewest, and waits longest; NULL where
 * there is none. */
static struct endpoint_row *choose(const struct endpoint_list *list, const bool *has,
                                   const struct push_lane *lane) {
    struct endpoint_row *chosen = NULL;
    for (size_t i = 0; i < list->count; i++) {
        struct endpoint_row *row = &list->rows[i];
        bool earlier = chosen == NULL || row->running < chosen->running ||
                       (row->running == chosen->running && row->granted_at < chosen->granted_at);
        if (has[i] && earlier && push_lane_fits(lane, row->here)) {
            chosen = row;
        }
    }
    return chosen;
}

/* The next one: what was last given, so that one worker brings it to both and reads the output once
 * (workers/edges/edge_share.h), where it is due here too. An endpoint that is only tried is tried
 * by one that has not failed: what fails for its title's sake would keep it shut for all. Outside
 * of its window nothing is brought there, but what is to go goes. */
static bool find_due(struct tx *tx, const struct endpoint_row *endpoint,
                     const struct giving *giving, struct publication_row *out) {
    const struct publication_row *last = &giving->last;
    bool tried = endpoint->breaker.state == BREAKER_HALF_OPEN;
    if (!endpoint_window_open(endpoint->file, tx_now(tx))) {
        return find_next(tx, SQL_PUBLICATION_NEXT_LEAVING, giving, endpoint->name, out);
    }
    return (tried && find_next(tx, SQL_PUBLICATION_NEXT_FRESH, giving, endpoint->name, out)) ||
           (!tried && last->wanted[0] != '\0' &&
            take_row(sql_query(tx, SQL_PUBLICATION_NEXT_OF,
                               VALUES(TEXT(last->title), TEXT(endpoint->name), TEXT(last->wanted),
                                      INTEGER(tx_now(tx)))),
                     out)) ||
           find_next(tx, SQL_PUBLICATION_NEXT, giving, endpoint->name, out);
}

/* Leases the next of an endpoint that has room, past those that are put off: whether there was
 * one that the worker has memory for. */
static bool grant_next(struct tx *tx, struct giving *giving, struct endpoint_row *endpoint,
                       struct writer *w) {
    struct publication_row row;
    enum grant result = PUT_OFF;
    if (endpoint->file->is_hook) {
        return hooks_grant(tx, giving->session, &giving->memory_left, endpoint, w);
    }
    while (result == PUT_OFF && tx_ok(tx) && find_due(tx, endpoint, giving, &row)) {
        result = grant_one(tx, giving, &row, endpoint->file, w);
    }
    return result == GRANTED && tx_ok(tx);
}

int push_grant(struct tx *tx, struct farm *farm, const struct push_request *request,
               struct writer *w) {
    struct endpoint_list list = {0};
    struct giving giving = {.session = request->session, .memory_left = request->memory_bytes};
    struct push_lane lane;
    int granted = 0;
    if (farm->endpoints == NULL) {
        return 0;
    }
    giving.knows_images = session_knows(tx, request->session->id, KNOWS_IMAGES_LINE);
    giving.knows_falls_back = session_knows(tx, request->session->id, KNOWS_FALLS_BACK_LINE);
    endpoint_list_read(tx, farm, &list);
    push_lane_read(tx, request, &list, &lane);
    bool *has = mem_zero(list.count + 1, sizeof(*has));
    for (size_t i = 0; i < list.count; i++) {
        has[i] = has_room(tx, farm, &giving, &list.rows[i]);
    }
    struct endpoint_row *endpoint = choose(&list, has, &lane);
    while (endpoint != NULL && tx_ok(tx)) {
        bool *it_has = &has[endpoint - list.rows];
        if (grant_next(tx, &giving, endpoint, w)) {
            granted++;
            push_lane_take(&lane, endpoint->here);
            endpoint->here++;
            endpoint->running++;
            endpoint->granted_at = tx_now(tx);
            *it_has = has_room(tx, farm, &giving, endpoint);
        } else {
            *it_has = false;
        }
        endpoint = choose(&list, has, &lane);
    }
    mem_free(has);
    endpoint_list_finish(&list);
    return granted;
}

int64_t push_next_at(struct tx *tx, const struct farm *farm) {
    struct endpoint_list list = {0};
    int64_t next = 0;
    if (farm->endpoints == NULL) {
        return 0;
    }
    endpoint_list_read(tx, farm, &list);
    for (size_t i = 0; i < list.count; i++) {
        const struct endpoint_row *row = &list.rows[i];
        if (row->file == NULL || row->gone_at > 0) {
            continue;
        }
        bool open = endpoint_window_open(row->file, tx_now(tx));
        int64_t due = row->file->is_hook
                          ? hooks_next_at(tx, row->name)
                          : sql_integer(tx, SQL_PUBLICATIONS_NEXT_AT,
                                        VALUES(TEXT(row->name), INTEGER(tx_now(tx))), 0);
        const int64_t times[] = {row->breaker.state == BREAKER_OPEN ? row->breaker.retry_at : 0,
                                 open ? 0 : endpoint_window_turns(row->file, tx_now(tx)),
                                 row->pause_until > tx_now(tx) ? row->pause_until : 0, due};
        for (size_t j = 0; j < sizeof(times) / sizeof(times[0]); j++) {
            next = times[j] > 0 && (next == 0 || times[j] < next) ? times[j] : next;
        }
    }
    endpoint_list_finish(&list);
    return next;
}

/* ---- ends ------------------------------------------------------------------------------------ */

void push_end_lease(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                    enum lease_event of_lease, enum unit_event of_unit, const char *title) {
    struct unit_list units = {0};
    struct buf detail = {0};
    outcome_detail(&detail, lease, NULL, NULL);
    struct state_note note = {.title = title, .detail = buf_text(&detail)};
    lease_move(tx, lease->fence, lease->state, of_lease);
    farm_progress_drop(farm, lease->fence);
    lease_units(tx, lease->fence, &units);
    for (size_t i = 0; i < units.count; i++) {
        unit_move(tx, units.rows[i].id, units.rows[i].state, of_unit, &note);
    }
    unit_list_finish(&units);
    buf_finish(&detail);
    title_drop_run(tx, lease->title);
}

/* Ends the lease and its unit, both of which go. Whether the publication is there still. */
static bool end_push(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                     enum lease_event of_lease, enum unit_event of_unit,
                     struct publication_row *row) {
    const struct progress *progress = farm_progress(farm, lease->fence);
    bool found = publication_find(tx, publication_of_place(lease->title), row);
    if (found && progress != NULL && row->skip >= 0) {
        row->skip = progress->done;
        row->total = progress->total;
    }
    push_end_lease(tx, farm, lease, of_lease, of_unit, found ? row->title : "");
    return found;
}

/* Goes on with what waited for this end. */
static void after_push(struct tx *tx, const struct publication_row *row) {
    publication_clean(tx, row->title);
    publication_order(tx, row->title);
    title_settle(tx, row->title);
}

static void tell(struct tx *tx, const struct publication_row *row, const struct lease_row *lease,
                 const char *event, const struct failure *failure) {
    struct buf detail = {0};
    detail_of(row, lease, failure, &detail);
    event_add(tx, row->title, 0, "publication", event, buf_text(&detail));
    buf_finish(&detail);
}

/* It has what it was to have, unless something else is wanted by now. What that took the place of
 * stays there as long as a version does at the origin, which may have dropped it by then. */
static void brought(struct tx *tx, const struct farm *farm, const struct publication_row *row,
                    bool fetches) {
    struct value id = INTEGER(row->id), title = TEXT(row->title), now = INTEGER(tx_now(tx));
    int64_t keep_ms = farm->keep_versions_ms;
    struct value kept_until =
        INTEGER(keep_ms < INT64_MAX - tx_now(tx) ? tx_now(tx) + keep_ms : INT64_MAX);
    sql_run(tx, SQL_PUBLICATION_VERSIONS_GONE, VALUES(id));
    sql_run(tx, SQL_PUBLICATION_VERSIONS_WAIT, VALUES(id, title));
    sql_run(tx, SQL_PUBLICATION_VERSIONS_LEFT, VALUES(id, TEXT(row->pushed), kept_until));
    sql_run(tx, SQL_PUBLICATION_SET_GOES, VALUES(id, title, now));
    bool more = row->revision != row->pushed_revision ||
                sql_integer(tx, SQL_PUBLICATION_VERSIONS_TO_GO,
                            VALUES(id, TEXT(row->wanted), title, now), 0) > 0;
    bool same = strcmp(row->wanted, row->pushed) == 0;
    int64_t objects =
        sql_integer(tx, SQL_VERSION_FOLDERS_COUNT, VALUES(title, TEXT(row->wanted)), 0);
    sql_run(tx, SQL_PUBLICATION_BROUGHT,
            VALUES(id, TEXT(more ? "due" : "settled"), TEXT(row->pushed), now,
                   INTEGER(same && row->skip >= 0 ? objects : 0), INTEGER(fetches ? 1 : 0)));
}

/* Whether a push failed by its endpoint: also one that was not done in its time. */
static bool is_endpoints(int class) {
    return class == FAILURE_ENDPOINT || class == FAILURE_REFUSED || class == FAILURE_TIMEOUT;
}

/* What the end tells of the endpoint: others may wait for it no longer. */
static void report(struct tx *tx, struct farm *farm, const struct publication_row *row,
                   const struct push_report *told, const struct failure *failure) {
    bool failed_before = is_endpoints(failure_class_from_name(row->failure));
    struct endpoint_result result = {
        .push = told,
        .error = failure == NULL ? "" : failure->message,
        .failed_before = failed_before,
        .refused = failure != NULL && failure->class == FAILURE_REFUSED,
    };
    endpoint_report(tx, farm, row->endpoint, &result);
    if (endpoint_rows_look(tx, farm)) {
        farm->behind_again = true;
        farm->behind_seen = 0;
    }
}

bool push_has_lease(const struct lease_row *lease) {
    return lease->kind == TASK_PUSH && !hooks_have_lease(lease);
}

enum answer push_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                          const struct task_report *told) {
    struct publication_row row;
    if (lease->state != LEASE_LIVE) {
        push_drop(tx, farm, lease, LEASE_COMPLETE);
        return ANSWER_CONFLICT;
    }
    if (!end_push(tx, farm, lease, LEASE_COMPLETE, UNIT_COMPLETE, &row)) {
        return ANSWER_DROPPED;
    }
    metric_add(tx, METRIC_LEASES_COMPLETED, TASK_PUSH, 0, 1);
    metric_observe(tx, METRIC_LEASE_SECONDS, TASK_PUSH, (double)(tx_now(tx) - lease->at) / 1000);
    report(tx, farm, &row, &told->push, NULL);
    brought(tx, farm, &row, told->push.fetches);
    tell(tx, &row, lease,
         row.pushed[0] != '\0' ? "held"
         : told->push.fetches  ? "fetches"
                               : "gone",
         NULL);
    after_push(tx, &row);
    return ANSWER_ACCEPTED;
}

/* How long a publication waits after so many failures: half of it by chance. */
static int64_t back_off(struct farm *farm, enum failure_class class, int64_t failures) {
    bool refused = class == FAILURE_REFUSED;
    int64_t most = refused ? REFUSED_FIRST_MS : BACK_OFF_FIRST_MS;
    int64_t limit = refused ? REFUSED_MOST_MS : BACK_OFF_MOST_MS;
    for (int64_t i = 1; i < failures && most < limit; i++) {
        most *= 2;
    }
    most = most < limit ? most : limit;
    return most / 2 + (int64_t)farm->draw((uint64_t)(most / 2 + 1));
}

enum answer push_fail(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                      const struct failure *failure) {
    struct publication_row row, before;
    if (lease->state != LEASE_LIVE) {
        push_drop(tx, farm, lease, LEASE_FAIL);
        return lease->state == LEASE_ENDED ? ANSWER_CONFLICT : ANSWER_DROPPED;
    }
    bool known = publication_find(tx, publication_of_place(lease->title), &before);
    if (!end_push(tx, farm, lease, LEASE_FAIL, UNIT_RETRY, &row)) {
        return ANSWER_DROPPED;
    }
    metric_add(tx, METRIC_LEASES_FAILED, (int)failure->class, 0, 1);
    bool got_on = known && row.skip > before.skip;
    if (is_endpoints((int)failure->class) && !(failure->class == FAILURE_TIMEOUT && got_on)) {
        report(tx, farm, &row, &(struct push_report){0}, failure);
    }
    if (failure->class == FAILURE_IO && row.wanted[0] != '\0') {
        publication_note_older(tx, row.title, row.wanted);
    }
    /* one that got no further than the last may fail by what that is thought to have brought */
    if (known && !got_on) {
        row.skip = 0;
    }
    row.failures++;
    put_off(tx, &row, failure_class_name(failure->class), failure->message,
            back_off(farm, failure->class, row.failures));
    tell(tx, &row, lease, "fail", failure);
    after_push(tx, &row);
    return ANSWER_ACCEPTED;
}

void push_drop(struct tx *tx, struct farm *farm, const struct lease_row *lease,
               enum lease_event event) {
    struct publication_row row;
    if (lease->state == LEASE_ENDED) {
        return;
    }
    metric_add(tx, event == LEASE_LOSE ? METRIC_LEASES_LOST : METRIC_LEASES_RETURNED, 0, 0,
               lease->state == LEASE_LIVE ? 1 : 0);
    if (end_push(tx, farm, lease, event, UNIT_RETURN, &row)) {
        put_off(tx, &row, row.failure, row.error, event == LEASE_LOSE ? LOST_MS : 0);
        if (event == LEASE_LOSE && !row.is_catalog) { /* a catalog refuses what is late */
            sql_run(tx, SQL_PUBLICATION_SET_UNSURE,
                    VALUES(INTEGER(row.id), INTEGER(tx_now(tx) + UNSURE_MS)));
        }
        after_push(tx, &row);
    }
}
