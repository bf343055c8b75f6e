/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Versions that are kept, and the end of others: see versions.h. */
#include "versions.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "events.h"
#include "scheduler/api/view.h"
#include "scheduler/publishing/publication.h"
#include "titles.h"

enum {
    TITLES_MAX = 20,             /* looked after in one sweep */
    VERSIONS_MAX = 50,           /* dropped by one task */
    REFUSED_MS = 60 * 60 * 1000, /* after which it is tried again */
};

void versions_publish(struct tx *tx, const char *title) {
    struct value id = TEXT(title), now = INTEGER(tx_now(tx));
    sql_put(tx, SQL_VERSIONS_REPLACE, VALUES(id, now));
    sql_put(tx, SQL_VERSION_PUT, VALUES(id, now));
    sql_put(tx, SQL_VERSION_DROP_RENDITIONS, VALUES(id));
    sql_put(tx, SQL_VERSION_PUT_RENDITIONS, VALUES(id));
}

/* What is being dropped counts as replaced at 1, whatever the keep time is. */
static int64_t replaced_before(struct tx *tx, const struct farm *farm) {
    int64_t before = tx_now(tx) - farm->keep_versions_ms;
    return before < 1 ? 1 : before;
}

static void give_task(struct tx *tx, const struct title_row *title) {
    title_drop_unit(tx, title->id, POSITION_DROP_VERSIONS);
    title_add_unit(tx, title, POSITION_DROP_VERSIONS, TASK_REMOVE, UNIT_READY);
    tx_wake(tx, TOPIC_LEASES);
}

/* Gives out the task; what it is going to remove can't be reused from here on. */
static void begin_dropping(struct tx *tx, const struct farm *farm, const char *id) {
    struct title_row title = {0};
    if (title_get(tx, id, &title)) {
        sql_put(tx, SQL_VERSIONS_MARK,
                VALUES(TEXT(id), INTEGER(replaced_before(tx, farm)), INTEGER(farm->keep_versions),
                       INTEGER(VERSIONS_MAX), INTEGER(tx_now(tx)), INTEGER(PUBLICATION_PATIENCE)));
        sql_put(tx, SQL_PRODUCTS_DROP_UNKEPT, VALUES(TEXT(id)));
        publication_versions_go(tx, id);
        give_task(tx, &title);
    }
    title_row_finish(&title);
}

/* The first column of a query of at most TITLES_MAX rows. */
static size_t read_titles(struct query *query, char ids[TITLES_MAX][WIRE_TITLE_TEXT]) {
    size_t count = 0;
    while (query_next(query)) {
        snprintf(ids[count++], sizeof(ids[0]), "%s", query_text(query, 0));
    }
    return count;
}

/* Whether a kept version names all folders that may go. */
static bool names_all(struct tx *tx, const char *title) {
    struct query query = sql_query(tx, SQL_VERSIONS_PLACES, VALUES(TEXT(title)));
    bool all = !query_next(&query);
    query_close(&query);
    return all;
}

/* What attempts at images left of titles that are done without them. */
static void sweep_missing(struct tx *tx) {
    char ids[TITLES_MAX][WIRE_TITLE_TEXT];
    struct query query = sql_query(tx, SQL_MISSING_LEFT, VALUES(INTEGER(TITLES_MAX)));
    size_t count = read_titles(&query, ids);
    for (size_t i = 0; i < count; i++) {
        struct title_row title = {0};
        if (names_all(tx, ids[i])) {
            sql_put(tx, SQL_MISSING_SWEPT, VALUES(TEXT(ids[i])));
        } else if (title_get(tx, ids[i], &title)) {
            give_task(tx, &title);
        }
        title_row_finish(&title);
    }
}

void versions_sweep(struct tx *tx, const struct farm *farm) {
    char ids[TITLES_MAX][WIRE_TITLE_TEXT];
    struct query query =
        sql_query(tx, SQL_VERSIONS_DUE,
                  VALUES(INTEGER(replaced_before(tx, farm)), INTEGER(farm->keep_versions),
                         INTEGER(tx_now(tx) - REFUSED_MS), INTEGER(TITLES_MAX), INTEGER(tx_now(tx)),
                         INTEGER(PUBLICATION_PATIENCE)));
    size_t count = read_titles(&query, ids);
    for (size_t i = 0; i < count; i++) {
        begin_dropping(tx, farm, ids[i]);
    }
    sweep_missing(tx);
}

const char *version_folder_of(const char *place) {
    const char *folder = place + strlen(place);
    for (int slashes = 0; folder > place; folder--) {
        if (folder[-1] == '/' && ++slashes == 2) {
            break;
        }
    }
    return folder;
}

void versions_fill(struct tx *tx, struct task *task, const char *title) {
    struct query versions = sql_query(tx, SQL_VERSIONS_DROPPING, VALUES(TEXT(title)));
    task->versions = rows_texts(&versions, &task->arena, NULL, &task->version_count);
    struct query places = sql_query(tx, SQL_VERSIONS_PLACES, VALUES(TEXT(title)));
    task->folders = rows_texts(&places, &task->arena, version_folder_of, &task->folder_count);
}

void versions_dropped(struct tx *tx, const char *title) {
    struct buf detail = {0};
    size_t count = 0;
    struct writer w = writer_of(&detail);
    struct query query = sql_query(tx, SQL_VERSIONS_DROPPING, VALUES(TEXT(title)));
    writer_object(&w, NULL);
    writer_array(&w, "versions");
    while (query_next(&query)) {
        writer_string(&w, NULL, query_text(&query, 0));
        count++;
    }
    writer_array_end(&w);
    writer_object_end(&w);
    sql_put(tx, SQL_MISSING_SWEPT, VALUES(TEXT(title)));
    sql_put(tx, SQL_VERSIONS_DROP_DROPPING, VALUES(TEXT(title)));
    sql_put(tx, SQL_VERSIONS_DROP_RENDITIONS, VALUES(TEXT(title)));
    if (count > 0) {
        event_add(tx, title, 0, "version", "drop", buf_text(&detail));
        publication_origin_went(tx, title);
    }
    buf_finish(&detail);
}

void versions_refused(struct tx *tx, const char *title) {
    sql_put(tx, SQL_VERSIONS_REFUSED, VALUES(TEXT(title), INTEGER(tx_now(tx))));
    sql_put(tx, SQL_MISSING_SWEPT, VALUES(TEXT(title))); /* a few files, which a later run finds */
}

static void write_time(struct writer *w, const char *name, int64_t at) {
    if (at > 0) {
        writer_int(w, name, at);
    } else {
        writer_null(w, name);
    }
}

/* Edges keep versions in their own time. */
static void write_edges(struct tx *tx, const char *title, struct writer *w) {
    struct query query = sql_query(tx, SQL_PUBLICATION_VERSIONS_OLD, VALUES(TEXT(title)));
    writer_array(w, "edges");
    while (query_next(&query)) {
        int64_t kept_until = query_integer(&query, 2);
        writer_object(w, NULL);
        writer_string(w, "endpoint", query_text(&query, 0));
        writer_string(w, "version", query_text(&query, 1));
        write_time(w, "kept_until", kept_until == INT64_MAX ? 0 : kept_until);
        writer_bool(w, "leaving", query_integer(&query, 3) != 0);
        writer_object_end(w);
    }
    writer_array_end(w);
}

void versions_write(struct tx *tx, const struct farm *farm, const char *title, struct writer *w) {
    struct title_row row = {0};
    if (!title_get(tx, title, &row)) {
        return;
    }
    int64_t rank = 0; /* of replaced ones at the title's output */
    writer_object(w, NULL);
    writer_array(w, "versions");
    struct query query = sql_query(tx, SQL_VERSIONS, VALUES(TEXT(title)));
    while (query_next(&query)) {
        char output[PLACE_TEXT];
        int64_t replaced = query_integer(&query, 3);
        bool stays = replaced == 0 || strcmp(query_text(&query, 1), row.output) != 0 ||
                     rank++ < farm->keep_versions || farm->keep_versions_ms > INT64_MAX - replaced;
        place_public(query_text(&query, 1), output);
        writer_object(w, NULL);
        writer_string(w, "version", query_text(&query, 0));
        writer_string(w, "output", output);
        view_media(farm, query_text(&query, 1), title, w);
        writer_bool(w, "current", replaced == 0);
        write_time(w, "since", query_integer(&query, 2));
        write_time(w, "until", replaced);
        write_time(w, "kept_until", stays ? 0 : replaced + farm->keep_versions_ms);
        writer_bool(w, "dropping", query_integer(&query, 4) != 0);
        writer_object_end(w);
    }
    writer_array_end(w);
    write_edges(tx, title, w);
    writer_object_end(w);
    title_row_finish(&row);
}

/* ---- back to an older one ---------------------------------------------------------- */

/* Which version a rollback is to, checked; false with an error where there is none. */
static bool find_older(struct tx *tx, const struct title_row *title, const char *asked,
                       char version[VERSION_TEXT]) {
    const char *output = title->output;
    struct query last = sql_query(tx, SQL_VERSION_LAST, VALUES(TEXT(title->id), TEXT(output)));
    snprintf(version, VERSION_TEXT, "%s", query_next(&last) ? query_text(&last, 0) : "");
    query_close(&last);
    if (asked == NULL) {
        return version[0] != '\0' ||
               err_set(tx_err(tx), ERR_CONFLICT, "title %s has no older version that is kept",
                       title->id) == 0;
    }
    struct query query =
        sql_query(tx, SQL_VERSION_FIND, VALUES(TEXT(title->id), TEXT(asked), TEXT(output)));
    bool found = query_next(&query);
    bool is_current = found && query_integer(&query, 0) == 0;
    bool goes = found && query_integer(&query, 1) != 0;
    bool lies_here = found && strcmp(query_text(&query, 2), output) == 0;
    query_close(&query);
    snprintf(version, VERSION_TEXT, "%s", asked);
    if (!found) {
        err_set(tx_err(tx), ERR_NOT_FOUND,
                "title %s has no version '%.16s'; `reelfarm versions %s` lists those it has",
                title->id, asked, title->id);
    } else if (!lies_here || is_current || goes) {
        err_set(tx_err(tx), ERR_CONFLICT, "version %.16s of title %s %s", asked, title->id,
                !lies_here   ? "lies at another output than the title's"
                : is_current ? "is the current one"
                             : "is being dropped; its files may be gone");
    }
    return tx_ok(tx);
}

bool versions_rolling_back(struct tx *tx, const char *title) {
    struct unit_row unit;
    int64_t id = sql_integer(tx, SQL_UNIT_AT, VALUES(TEXT(title), INTEGER(POSITION_ROLLBACK)), 0);
    return id != 0 && unit_find(tx, id, &unit) &&
           (unit.state == UNIT_READY || unit.state == UNIT_LEASED);
}

void versions_roll_back(struct tx *tx, const char *id, const char *asked,
                        char version[VERSION_TEXT]) {
    struct title_row title = {0};
    if (!title_get(tx, id, &title)) {
        return;
    }
    bool rests = title.state == TITLE_DONE || title.state == TITLE_FAILED ||
                 title.state == TITLE_CANCELLED;
    if (versions_rolling_back(tx, id)) {
        err_set(tx_err(tx), ERR_CONFLICT, "title %s is being rolled back; wait for its end", id);
    } else if (!rests || title.version[0] == '\0') {
        err_set(tx_err(tx), ERR_CONFLICT, "title %s %s", id,
                rests ? "has no version that is current"
                      : "has a run or is being removed; wait for its end, or cancel it first");
    } else if (find_older(tx, &title, asked, version)) {
        title_drop_unit(tx, id, POSITION_ROLLBACK);
        sql_put(tx, SQL_TITLE_SET_PACKAGED, VALUES(TEXT(id), TEXT(version)));
        title_add_unit(tx, &title, POSITION_ROLLBACK, TASK_SWAP, UNIT_READY);
        tx_wake(tx, TOPIC_LEASES);
    }
    title_row_finish(&title);
}

void versions_rolled_back(struct tx *tx, struct farm *farm, const char *title) {
    struct value id = TEXT(title), now = INTEGER(tx_now(tx));
    sql_put(tx, SQL_VERSIONS_REPLACE, VALUES(id, now));
    sql_put(tx, SQL_VERSION_PUT, VALUES(id, now));
    sql_put(tx, SQL_TITLE_SET_VERSION, VALUES(id));
    event_add(tx, title, 0, "version", "rollback", "");
    tx_wake(tx, TOPIC_TITLES);
    publication_follow(tx, farm, title, true);
}
