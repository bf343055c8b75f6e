/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Workers as the scheduler sees them: see session.h. */
#include "session.h"

#include <stdio.h>
#include <string.h>

#include "common/id.h"
#include "common/mem.h"
#include "outcome.h"
#include "scheduler/publishing/publication.h"

enum { SEEN_PARTS = 6 };

/* How old seen_at may be though a heartbeat has come since: each write is one of the disk's,
 * and heartbeats that are more frequent than this part of the lease time are not all written. */
static int64_t unwritten_ms(const struct farm *farm) {
    int64_t part_ms = farm->ttl_ms / SEEN_PARTS;
    return farm->heartbeat_ms < part_ms ? part_ms : 0;
}

void session_add(struct tx *tx, struct farm *farm, const struct session_request *request,
                 char id[ID_TEXT]) {
    id_make(id);
    farm_slots_forget(farm);
    sql_put(tx, SQL_SESSION_ADD,
            VALUES(TEXT(id), TEXT(request->worker), TEXT(request->host), INTEGER(request->pid),
                   INTEGER(request->slots), INTEGER(request->memory_bytes), INTEGER(tx_now(tx)),
                   INTEGER(request->cores), INTEGER((int64_t)request->sandbox),
                   INTEGER(request->keep_ms)));
    for (size_t i = 0; i < request->encoder_count; i++) {
        const struct session_encoder *encoder = &request->encoders[i];
        int64_t build = farm_build_number(tx, encoder->build_line);
        sql_put(tx, SQL_ENCODER_ADD,
                VALUES(TEXT(id), TEXT(encoder->name), TEXT(encoder->codec), INTEGER(build),
                       INTEGER(encoder->tail_frames)));
    }
    tx_wake(tx, TOPIC_LEASES);
}

/* ---- ends -------------------------------------------------------------------- */

static void end_session(struct tx *tx, struct farm *farm, const char *session,
                        enum lease_event event) {
    struct lease_list leases = {0};
    lease_list_read(tx, &leases, SQL_LEASES_OF_SESSION, TEXT(session));
    for (size_t i = 0; i < leases.count; i++) {
        outcome_drop(tx, farm, &leases.rows[i], event);
    }
    lease_list_finish(&leases);
    farm_slots_forget(farm);
    sql_put(tx, SQL_SESSION_DROP, VALUES(TEXT(session)));
    sql_put(tx, SQL_SESSION_DROP_ENCODERS, VALUES(TEXT(session)));
    tx_wake(tx, TOPIC_LEASES);
}

void session_leave(struct tx *tx, struct farm *farm, const char *session) {
    struct session_row row;
    if (session_get(tx, session, &row)) {
        end_session(tx, farm, session, LEASE_RETURN);
    }
}

void session_leave_worker(struct tx *tx, struct farm *farm, const char *worker) {
    char(*ids)[ID_TEXT] = NULL;
    size_t count = 0;
    struct query query = sql_query(tx, SQL_SESSIONS, NULL, 0);
    while (query_next(&query)) {
        if (worker == NULL || strcmp(query_text(&query, 1), worker) == 0) {
            ids = mem_resize(ids, count + 1, sizeof(*ids));
            snprintf(ids[count++], ID_TEXT, "%s", query_text(&query, 0));
        }
    }
    for (size_t i = 0; i < count; i++) {
        end_session(tx, farm, ids[i], LEASE_RETURN);
    }
    mem_free(ids);
}

/* Sessions that were last seen before then are lost. */
static int64_t silent_since(struct tx *tx, const struct farm *farm) {
    return tx_now(tx) - farm->ttl_ms - unwritten_ms(farm);
}

size_t session_silent(struct tx *tx, const struct farm *farm, char ids[][ID_TEXT]) {
    size_t count = 0;
    struct value since = INTEGER(silent_since(tx, farm)), most = INTEGER(SESSIONS_SILENT_MAX);
    struct query query = sql_query(tx, SQL_SESSIONS_SILENT, VALUES(since, most));
    while (query_next(&query)) {
        snprintf(ids[count++], ID_TEXT, "%s", query_text(&query, 0));
    }
    return count;
}

void session_lose(struct tx *tx, struct farm *farm, const char *id) {
    int64_t seen_at = sql_integer(tx, SQL_SESSION_SEEN_AT, VALUES(TEXT(id)), INT64_MAX);
    if (seen_at < silent_since(tx, farm)) {
        end_session(tx, farm, id, LEASE_LOSE);
    }
}

void session_keep_all(struct tx *tx) {
    sql_put(tx, SQL_SESSIONS_SEEN_ALL, VALUES(INTEGER(tx_now(tx))));
}

/* ---- heartbeats -------------------------------------------------------------- */

static const struct heard_task *find_task(const struct heartbeat *beat, int64_t fence) {
    for (size_t i = 0; i < beat->count; i++) {
        if (beat->tasks[i].fence == fence) {
            return &beat->tasks[i];
        }
    }
    return NULL;
}

/* An open lease of the session that the heartbeat does not list: stopped, or on its
 * way to the worker, or lost on that way. */
static void miss_lease(struct tx *tx, struct farm *farm, const struct lease_row *lease) {
    const struct progress *progress = farm_progress(farm, lease->fence);
    int64_t heard_at = progress == NULL ? lease->at : progress->heard_at;
    bool overdue = tx_now(tx) - heard_at > farm->ttl_ms;
    if (lease->state == LEASE_STOPPING && (progress != NULL || overdue)) {
        outcome_drop(tx, farm, lease, LEASE_QUIET);
    } else if (lease->state == LEASE_LIVE && overdue) {
        outcome_drop(tx, farm, lease, LEASE_RETURN);
    }
}

static void hear_lease(struct tx *tx, struct farm *farm, const struct heard_task *task) {
    struct progress *progress = farm_progress_make(farm, task->fence);
    progress->done = task->done;
    progress->total = task->total;
    progress->heard_at = tx_now(tx);
}

/* A listed task whose lease has ended: its worker was lost and is back. Adopts it
 * where nobody else has its units by now; not where it failed (no session any more), since a
 * heartbeat may be overtaken by that news. Whether the worker shall stop it. */
static bool meet_again(struct tx *tx, const struct session_row *session, int64_t fence) {
    struct lease_row lease;
    struct unit_list units = {0};
    size_t ready = 0, wanted = 0;
    if (!lease_find(tx, fence, &lease) || !kind_is_pure(lease.kind) || lease.session[0] == '\0' ||
        strcmp(lease.worker, session->worker) != 0 || strcmp(lease.host, session->host) != 0) {
        return true;
    }
    lease_units(tx, fence, &units);
    for (size_t i = 0; i < units.count; i++) {
        enum unit_state state = units.rows[i].state;
        ready += state == UNIT_READY ? 1 : 0;
        wanted += state == UNIT_READY || state == UNIT_LEASED ? 1 : 0;
    }
    if (ready == units.count && lease.state == LEASE_ENDED) {
        struct buf detail = {0};
        outcome_detail(&detail, &lease, NULL, NULL);
        struct state_note note = {.title = lease.title, .detail = buf_text(&detail)};
        lease_move(tx, fence, LEASE_ENDED, LEASE_ADOPT);
        sql_put(tx, SQL_LEASE_SET_SESSION,
                VALUES(INTEGER(fence), TEXT(session->id), INTEGER(tx_now(tx))));
        for (size_t i = 0; i < units.count; i++) {
            unit_move(tx, units.rows[i].id, UNIT_READY, UNIT_ADOPT, &note);
        }
        buf_finish(&detail);
    }
    unit_list_finish(&units);
    return wanted == 0;
}

bool session_heartbeat(struct tx *tx, struct farm *farm, const char *id,
                       const struct heartbeat *beat, struct writer *w) {
    struct session_row session;
    if (!session_get(tx, id, &session)) {
        return false;
    }
    sql_put(tx, SQL_SESSION_SEEN,
            VALUES(TEXT(id), INTEGER(tx_now(tx)), INTEGER(tx_now(tx) - unwritten_ms(farm))));
    if (beat->stopping && !session.stopping) {
        sql_put(tx, SQL_SESSION_STOPS, VALUES(TEXT(id)));
        farm_slots_forget(farm);
        tx_wake(tx, TOPIC_LEASES); /* what was kept for it is for others now */
    }
    struct lease_list leases = {0};
    lease_list_read(tx, &leases, SQL_LEASES_OF_SESSION, TEXT(id));
    for (size_t i = 0; i < leases.count; i++) {
        if (find_task(beat, leases.rows[i].fence) == NULL) {
            miss_lease(tx, farm, &leases.rows[i]);
        }
    }
    for (size_t i = 0; i < beat->count && tx_ok(tx); i++) {
        bool stop = true;
        size_t at = 0;
        while (at < leases.count && leases.rows[at].fence != beat->tasks[i].fence) {
            at++;
        }
        if (at < leases.count) {
            hear_lease(tx, farm, &beat->tasks[i]);
            stop = leases.rows[at].state == LEASE_STOPPING;
        } else {
            stop = meet_again(tx, &session, beat->tasks[i].fence);
        }
        if (stop) {
            writer_int(w, NULL, beat->tasks[i].fence);
        }
    }
    lease_list_finish(&leases);
    return session_is_drained(tx, session.worker);
}

/* ---- for people -------------------------------------------------------------- */

bool session_is_drained(struct tx *tx, const char *worker) {
    return sql_integer(tx, SQL_DRAINS, VALUES(TEXT(worker)), 0) > 0;
}

void session_drain(struct tx *tx, struct farm *farm, const char *worker, bool drains) {
    farm_slots_forget(farm);
    bool is_there = sql_integer(tx, SQL_SESSIONS_OF_WORKER, VALUES(TEXT(worker)), 0) > 0;
    if (!is_there && (drains || !session_is_drained(tx, worker))) {
        err_set(tx_err(tx), ERR_NOT_FOUND,
                "there is no worker '%s'; `reelfarm workers` lists who is there", worker);
    } else if (drains) {
        sql_put(tx, SQL_DRAIN_ADD, VALUES(TEXT(worker), INTEGER(tx_now(tx))));
    } else {
        sql_put(tx, SQL_DRAIN_DROP, VALUES(TEXT(worker)));
    }
    tx_wake(tx, TOPIC_LEASES); /* what it has failed is no longer kept from it, or for it */
}

bool session_is_walled(const struct farm *farm, const struct session_row *session) {
    return session->sandbox <= farm->sandbox_required;
}

bool session_knows(struct tx *tx, const char *session, const char *line) {
    return sql_integer(tx, SQL_SESSION_KNOWS, VALUES(TEXT(line), TEXT(session)), 0) > 0;
}

/* The codecs of a session, each once. */
static void write_codecs(struct tx *tx, const char *session, struct writer *w) {
    struct query query = sql_query(tx, SQL_SESSION_CODECS, VALUES(TEXT(session)));
    rows_write_texts(&query, w, "codecs");
}

/* Why a worker is given no sources; "" where it is. */
static void write_refusal(const struct farm *farm, enum sandbox_level level, struct writer *w) {
    struct buf text = {0};
    if (level > farm->sandbox_required) {
        buf_format(&text,
                   "its sandbox is '%s', and the scheduler's option sandbox_required asks for '%s'",
                   sandbox_level_names[level], sandbox_level_names[farm->sandbox_required]);
    }
    writer_string(w, "refused", buf_text(&text));
    buf_finish(&text);
}

/* What a session runs. */
/* The title that a lease is about; "" for none. */
static const char *title_of(struct tx *tx, const struct lease_row *lease,
                            struct publication_row *row) {
    if (lease->kind == TASK_PUSH) {
        return publication_find(tx, publication_of_place(lease->title), row) ? row->title : "";
    }
    return title_id_valid(lease->title) ? lease->title : "";
}

static void write_tasks(struct tx *tx, struct farm *farm, const char *session, struct writer *w) {
    struct lease_list leases = {0};
    lease_list_read(tx, &leases, SQL_LEASES_OF_SESSION, TEXT(session));
    writer_array(w, "tasks");
    for (size_t i = 0; i < leases.count; i++) {
        const struct lease_row *lease = &leases.rows[i];
        const struct progress *progress = farm_progress(farm, lease->fence);
        struct publication_row row;
        if (lease->state != LEASE_LIVE) {
            continue;
        }
        writer_object(w, NULL);
        writer_int(w, "fence", lease->fence);
        writer_string(w, "title", title_of(tx, lease, &row));
        writer_string(w, "kind", task_kind_name(lease->kind));
        writer_int(w, "running_ms", tx_now(tx) - lease->at);
        writer_int(w, "done", progress == NULL ? 0 : progress->done);
        writer_int(w, "total", progress == NULL ? 0 : progress->total);
        writer_object_end(w);
    }
    writer_array_end(w);
    lease_list_finish(&leases);
}

void sessions_write(struct tx *tx, struct farm *farm, struct writer *w) {
    writer_array(w, "workers");
    struct query query = sql_query(tx, SQL_SESSIONS, NULL, 0);
    while (query_next(&query)) {
        writer_object(w, NULL);
        writer_string(w, "session", query_text(&query, 0));
        writer_string(w, "worker", query_text(&query, 1));
        writer_string(w, "host", query_text(&query, 2));
        writer_int(w, "pid", query_integer(&query, 3));
        writer_int(w, "slots", query_integer(&query, 4));
        int64_t slots = query_integer(&query, 4), busy = query_integer(&query, 6);
        writer_int(w, "busy", busy < slots ? busy : slots); /* one may wait for another's end */
        writer_int(w, "memory_bytes", query_integer(&query, 8));
        writer_int(w, "cores", query_integer(&query, 9));
        enum sandbox_level level = sandbox_level_of(query_integer(&query, 10));
        writer_string(w, "sandbox", sandbox_level_names[level]);
        write_codecs(tx, query_text(&query, 0), w);
        writer_bool(w, "drain", query_integer(&query, 7) != 0);
        writer_bool(w, "stopping", query_integer(&query, 11) != 0);
        write_refusal(farm, level, w);
        write_tasks(tx, farm, query_text(&query, 0), w);
        writer_int(w, "seen_ms_ago", tx_now(tx) - query_integer(&query, 5));
        writer_object_end(w);
    }
    writer_array_end(w);
}
