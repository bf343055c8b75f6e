/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Titles that are taken away: see removal.h. */
#include "removal.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "early.h"
#include "leftovers.h"
#include "scheduler/publishing/publication.h"
#include "titles.h"
#include "versions.h"

/* What people must no longer see waits for nobody's encoding, and takes hardly any of a slot's
 * time. */
static void add_removal(struct tx *tx, const struct title_row *title) {
    title_drop_unit(tx, title->id, POSITION_TAKE_AWAY);
    int64_t unit = title_add_unit(tx, title, POSITION_TAKE_AWAY, TASK_REMOVE, UNIT_BLOCKED);
    sql_run(tx, SQL_UNIT_SET_PRIORITY, VALUES(INTEGER(unit), INTEGER(PRIORITY_MAX + 1)));
}

/* Whoever is bound to its tenant sees its events for as long as they are kept, and those of a
 * later title of its name are none of theirs. `kept`: its files stay, and are no orphans. */
static void leave_feed(struct tx *tx, const char *title, const char *tenant, bool kept) {
    int64_t last = tx_numbers(tx, "event", 0) - 1;
    sql_run(tx, SQL_TITLE_GONE_ADD,
            VALUES(TEXT(title), INTEGER(last), TEXT(tenant), INTEGER(kept ? 1 : 0)));
}

static void drop_title(struct tx *tx, const char *title, bool kept) {
    static const enum sql_id drops[] = {
        SQL_PRODUCTS_DROP,    SQL_VERSIONS_DROP, SQL_VERSIONS_DROP_RENDITIONS, SQL_TITLE_UNWITHHOLD,
        SQL_TITLE_DROP_SCORE, SQL_EARLY_DROP,    SQL_TITLE_DROP_PLAN};
    char tenant[TENANT_TEXT] = "";
    struct query query = sql_query(tx, SQL_TITLE_ORDER, VALUES(TEXT(title)));
    if (query_next(&query)) {
        snprintf(tenant, sizeof(tenant), "%s", query_text(&query, 1));
    }
    query_close(&query);
    title_drop_run(tx, title);
    if (kept) {
        leftovers_forget(tx, title);
    }
    leftovers_title_ended(tx, title);
    for (size_t i = 0; i < sizeof(drops) / sizeof(drops[0]); i++) {
        sql_run(tx, drops[i], VALUES(TEXT(title)));
    }
    publication_origin_went(tx, title);
    publication_clean(tx, title);
    title_move(tx, title, TITLE_REMOVING, TITLE_DROP, "");
    leave_feed(tx, title, tenant, kept);
    sql_run(tx, SQL_LABELS_DROP, VALUES(TEXT(title))); /* by which its last event found its way, */
    sql_run(tx, SQL_TITLE_DROP_TRACE, VALUES(TEXT(title))); /* which has this */
}

bool title_remove(struct tx *tx, const char *id, bool keep_files) {
    struct title_row title = {0};
    if (!title_get(tx, id, &title)) {
        return false;
    }
    bool is_new = title.state != TITLE_REMOVING;
    if (is_new) {
        title_move(tx, id, title.state, TITLE_REMOVE, keep_files ? "{\"keep_files\":true}" : "");
    }
    if (is_new || keep_files) {
        title_stop_work(tx, id);
        sql_run(tx, SQL_PRODUCTS_DROP, VALUES(TEXT(id)));
        sql_run(tx, SQL_TITLE_FORGET_VERSION, VALUES(TEXT(id)));
    }
    if (keep_files) {
        title_drop_unit(tx, id, POSITION_TAKE_AWAY);
        publication_forget(tx, id);
    } else if (is_new) {
        add_removal(tx, &title);
        publication_leave(tx, id);
    }
    title_settle(tx, id);
    title_row_finish(&title);
    struct title_row left = {0};
    bool is_gone = tx_ok(tx) && !title_find(tx, id, &left);
    title_row_finish(&left);
    return is_gone;
}

void removal_settle(struct tx *tx, const struct title_row *title) {
    int64_t unit =
        sql_integer(tx, SQL_UNIT_AT, VALUES(TEXT(title->id), INTEGER(POSITION_TAKE_AWAY)), 0);
    if (unit == 0 && tx_ok(tx)) {
        drop_title(tx, title->id, true);
    }
}

/* Where the title's objects are removed next: its own output comes last. */
static char *next_output(struct tx *tx, const struct title_row *title) {
    struct query query =
        sql_query(tx, SQL_VERSIONS_OTHER_OUTPUT, VALUES(TEXT(title->id), TEXT(title->output)));
    char *output = mem_string(query_next(&query) ? query_text(&query, 0) : title->output);
    query_close(&query);
    return output;
}

void removal_fill(struct tx *tx, struct task *task, const struct title_row *title,
                  int64_t position) {
    if (position == POSITION_TAKE_AWAY) {
        char *output = next_output(tx, title);
        task->everything = true;
        task->output = arena_string(&task->arena, output);
        mem_free(output);
    } else if (position == POSITION_DROP_VERSIONS) {
        versions_fill(tx, task, title->id);
    }
}

static void taken_away(struct tx *tx, const struct title_row *title) {
    char *output = next_output(tx, title);
    bool is_last = strcmp(output, title->output) == 0;
    sql_run(tx, SQL_VERSIONS_DROP_OUTPUT, VALUES(TEXT(title->id), TEXT(output)));
    leftovers_removed(tx, title->id, output);
    mem_free(output);
    if (is_last) {
        drop_title(tx, title->id, false);
    } else {
        add_removal(tx, title);
        title_settle(tx, title->id);
    }
}

void removal_done(struct tx *tx, const char *id, int64_t position) {
    struct title_row title = {0};
    if (title_get(tx, id, &title)) {
        early_removed(tx, &title, position);
        if (position == POSITION_REMOVE) {
            leftovers_removed(tx, id, title.output);
            title_clear(tx, id, "");
        } else if (position == POSITION_TAKE_AWAY) {
            taken_away(tx, &title);
        } else if (position == POSITION_DROP_VERSIONS) {
            versions_dropped(tx, id);
        }
    }
    title_row_finish(&title);
}

void removal_refused(struct tx *tx, const struct unit_row *unit, const char *failure,
                     const char *sentence, const char *detail) {
    if (unit->position == POSITION_REMOVE) {
        title_clear(tx, unit->title, detail);
    } else if (unit->position == POSITION_TAKE_AWAY) {
        char *error = mem_format("its files can't be removed: %s", sentence);
        sql_run(tx, SQL_TITLE_SET_ERROR, VALUES(TEXT(unit->title), TEXT(failure), TEXT(error)));
        title_move(tx, unit->title, TITLE_REMOVING, TITLE_FAIL, detail);
        leftovers_title_ended(tx, unit->title);
        mem_free(error);
    } else if (unit->position == POSITION_DROP_EARLY) {
        early_refused(tx, unit->title);
    } else {
        versions_refused(tx, unit->title);
    }
}
