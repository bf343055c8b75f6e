/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title's units, and how it ends: see titles.h. */
#include "titles.h"

#include <string.h>

#include "common/json.h"
#include "leftovers.h"
#include "metrics.h"
#include "missing.h"
#include "removal.h"
#include "scheduler/publishing/publication.h"
#include "versions.h"

enum { ERROR_TEXT = 1024 }; /* bytes of a title's sentence with its NUL, as in struct err */

/* ---- units ------------------------------------------------------------------- */

int64_t title_add_unit(struct tx *tx, const struct title_row *title, int64_t position,
                       enum task_kind kind, enum unit_state state) {
    int64_t id = tx_numbers(tx, "unit", 1);
    int64_t build = 0;
    if (kind == TASK_EARLY || kind == TASK_REMOVE) { /* who packages it knows what is in it */
        build = sql_integer(tx, SQL_UNIT_BUILD,
                            VALUES(TEXT(title->id), TEXT(task_kind_name(TASK_PACKAGE))), 0);
    }
    sql_put(tx, SQL_UNIT_ADD,
            VALUES(INTEGER(id), TEXT(title->id), INTEGER(title->submission), INTEGER(position),
                   TEXT(task_kind_name(kind)), INTEGER(-1), TEXT(""), INTEGER(-1), INTEGER(build),
                   TEXT(state_name(MACHINE_UNIT, (int)state)),
                   INTEGER(state == UNIT_BLOCKED ? 1 : 0), REAL(1), INTEGER(0), INTEGER(tx_now(tx)),
                   INTEGER(0)));
    metric_add(tx, METRIC_UNITS, (int)kind, (int)state, 1);
    return id;
}

void title_drop_unit(struct tx *tx, const char *title, int64_t position) {
    struct query query = sql_query(tx, SQL_UNIT_DROP_AT, VALUES(TEXT(title), INTEGER(position)));
    while (query_next(&query)) {
        metric_add(tx, METRIC_UNITS, task_kind_from_name(query_text(&query, 0)),
                   state_from_name(MACHINE_UNIT, query_text(&query, 1)), -1);
        tx_tally(tx, 1);
    }
}

/* The units of a title are about to be dropped. */
static void count_drop(struct tx *tx, const char *title) {
    struct query query = sql_query(tx, SQL_UNITS_OF_TITLE_BY_STATE, VALUES(TEXT(title)));
    while (query_next(&query)) {
        metric_add(tx, METRIC_UNITS, task_kind_from_name(query_text(&query, 0)),
                   state_from_name(MACHINE_UNIT, query_text(&query, 1)),
                   -(double)query_integer(&query, 2));
        tx_tally(tx, query_integer(&query, 2));
    }
}

void title_drop_run(struct tx *tx, const char *title) {
    static const enum sql_id drops[] = {SQL_UNITS_DROP_NEEDS, SQL_UNITS_DROP_LOSSES,
                                        SQL_UNITS_DROP,       SQL_LEASES_DROP_UNITS,
                                        SQL_LEASES_DROP,      SQL_MISSING_DROP};
    count_drop(tx, title);
    for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++) {
        sql_put(tx, drops[i], VALUES(TEXT(title)));
    }
}

size_t title_count_others(struct tx *tx, const char *title) {
    struct lease_list leases = {0};
    size_t count = 0;
    lease_list_read(tx, &leases, SQL_LEASES_OF_TITLE, TEXT(title));
    for (size_t i = 0; i < leases.count; i++) {
        count += leases.rows[i].kind == TASK_REMOVE || leases.rows[i].kind == TASK_EARLY;
    }
    lease_list_finish(&leases);
    return count;
}

/* ---- ends -------------------------------------------------------------------- */

void title_stop_work(struct tx *tx, const char *title) {
    static const enum unit_state states[] = {UNIT_BLOCKED, UNIT_READY, UNIT_LEASED};
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        unit_move_set(tx, title, UNITS_ALL, states[i], UNIT_CANCEL);
    }
    struct lease_list leases = {0};
    lease_list_read(tx, &leases, SQL_LEASES_OF_TITLE, TEXT(title));
    for (size_t i = 0; i < leases.count; i++) {
        if (leases.rows[i].state == LEASE_LIVE) {
            lease_move(tx, leases.rows[i].fence, LEASE_LIVE, LEASE_STOP);
        }
    }
    lease_list_finish(&leases);
}

/* What this run made and no version names goes: from the store now, from the
 * output by a unit that waits for the last task to stop. */
static void remove_made(struct tx *tx, const struct title_row *title) {
    sql_put(tx, SQL_PRODUCTS_DROP_UNPUBLISHED, VALUES(TEXT(title->id)));
    if (title->identity[0] == '\0') {
        title_clear(tx, title->id, ""); /* no folder has had a name, so nothing was put */
        return;
    }
    title_add_unit(tx, title, POSITION_REMOVE, TASK_REMOVE, UNIT_BLOCKED);
    title_settle(tx, title->id);
}

/* A copy that is cut, between two characters of UTF-8, where it is too long. */
static void cut_text(const char *text, char out[ERROR_TEXT]) {
    size_t size = strlen(text);
    if (size >= ERROR_TEXT) {
        size = ERROR_TEXT - 1;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80) {
            size--;
        }
    }
    memcpy(out, text, size);
    out[size] = '\0';
}

void title_fail(struct tx *tx, const char *id, const char *failure, const char *sentence) {
    struct title_row title = {0};
    if (title_get(tx, id, &title) &&
        state_next(MACHINE_TITLE, (int)title.state, TITLE_FAIL) == TITLE_FAILING) {
        struct buf detail = {0};
        struct writer writer = writer_of(&detail);
        char error[ERROR_TEXT];
        cut_text(sentence, error);
        writer_object(&writer, NULL);
        writer_string(&writer, "class", failure);
        writer_string(&writer, "error", error);
        writer_object_end(&writer);
        sql_put(tx, SQL_TITLE_SET_ERROR, VALUES(TEXT(id), TEXT(failure), TEXT(error)));
        title_move(tx, id, title.state, TITLE_FAIL, buf_text(&detail));
        buf_finish(&detail);
        title_stop_work(tx, id);
        remove_made(tx, &title);
    }
    title_row_finish(&title);
}

/* A blocked unit that is not in the plan may go. */
static void release(struct tx *tx, const char *title, int64_t position) {
    sql_put(tx, SQL_UNITS_NEED_NOTHING, VALUES(TEXT(title), INTEGER(position)));
    unit_move_set(tx, title, UNITS_NEEDLESS, UNIT_BLOCKED, UNIT_UNBLOCK);
}

void title_settle(struct tx *tx, const char *id) {
    struct title_row title = {0};
    struct lease_list leases = {0};
    if (title_find(tx, id, &title)) {
        bool ends = title.state == TITLE_FAILING || title.state == TITLE_REMOVING;
        if (ends) {
            lease_list_read(tx, &leases, SQL_LEASES_OF_TITLE, TEXT(id));
        }
        if (title.state == TITLE_SUBMITTED && title_count_others(tx, id) == 0) {
            release(tx, id, POSITION_PROBE);
        } else if (title.state == TITLE_FAILING && leases.count == 0) {
            release(tx, id, POSITION_REMOVE);
        } else if (ends && leases.count == 0 && publication_holding(tx, id) == 0) {
            release(tx, id, POSITION_TAKE_AWAY);
            removal_settle(tx, &title);
        }
    }
    lease_list_finish(&leases);
    title_row_finish(&title);
}

void title_clear(struct tx *tx, const char *id, const char *detail) {
    title_move(tx, id, TITLE_FAILING, TITLE_CLEAR, detail);
    leftovers_title_ended(tx, id);
}

void title_cancel(struct tx *tx, const char *id, const char *why) {
    struct title_row title = {0};
    if (!title_get(tx, id, &title)) {
        return;
    }
    if (state_next(MACHINE_TITLE, (int)title.state, TITLE_CANCEL) < 0) {
        err_set(tx_err(tx), ERR_CONFLICT, "title %s does not run: it is %s", id,
                state_name(MACHINE_TITLE, (int)title.state));
    } else {
        if (title.state != TITLE_FAILING) {
            sql_put(tx, SQL_TITLE_SET_ERROR, VALUES(TEXT(id), TEXT(""), TEXT(why)));
        }
        title_move(tx, id, title.state, TITLE_CANCEL, "");
        title_stop_work(tx, id);
        if (title.identity[0] != '\0') { /* else no folder has had a name */
            leftovers_expect(tx, id);
        }
    }
    title_row_finish(&title);
}

/* {"version": ...}, of the one that is current, and what it goes without. */
static void version_detail(struct tx *tx, const char *id, struct buf *out) {
    struct title_row title = {0};
    struct writer w = writer_of(out);
    if (title_find(tx, id, &title)) {
        writer_object(&w, NULL);
        writer_string(&w, "version", title.version);
        missing_write_ids(tx, id, &w);
        writer_object_end(&w);
    }
    title_row_finish(&title);
}

void title_done(struct tx *tx, const char *id) {
    struct buf detail = {0};
    versions_publish(tx, id);
    sql_put(tx, SQL_TITLE_SET_VERSION, VALUES(TEXT(id)));
    sql_put(tx, SQL_PRODUCTS_PUBLISH, VALUES(TEXT(id)));
    version_detail(tx, id, &detail);
    title_move(tx, id, TITLE_RUNNING, TITLE_FINISH, buf_text(&detail));
    leftovers_title_ended(tx, id);
    buf_finish(&detail);
}

/* ---- on the way -------------------------------------------------------------- */

void title_unit_done(struct tx *tx, const struct unit_row *unit) {
    bool needless = false;
    struct query query = sql_query(tx, SQL_UNITS_NEEDED_BY_DONE, VALUES(INTEGER(unit->id)));
    while (query_next(&query)) {
        needless = needless || query_integer(&query, 0) == 0;
    }
    if (needless) {
        unit_move_set(tx, unit->title, UNITS_NEEDLESS, UNIT_BLOCKED, UNIT_UNBLOCK);
    }
}

void title_units_redone(struct tx *tx, const char *title) {
    sql_put(tx, SQL_UNITS_COUNT_NEEDS, VALUES(TEXT(title)));
}

void title_add_stats(struct tx *tx, const char *title, const struct task_stats *stats) {
    sql_put(tx, SQL_TITLE_ADD_STATS,
            VALUES(TEXT(title), INTEGER(stats->frames_decoded), INTEGER(stats->source_bytes),
                   REAL(stats->cpu_s), REAL(stats->decode_cpu_s), REAL(stats->scale_cpu_s),
                   REAL(stats->encode_cpu_s), REAL(stats->wall_s), INTEGER(stats->peak_memory)));
}
