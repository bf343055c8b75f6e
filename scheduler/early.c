/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Titles that can be watched while they are encoded: see early.h. */
#include "early.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "common/mem.h"
#include "events.h"
#include "titles.h"

enum {
    PACE_MOST_MS = 2000, /* between two tasks of a title */
    PACE_SLOT_MS = 100,  /* the same for each slot: of few slots none may be free soon again */
    PACE_PARTS = 4,      /* and so many times what the last one took */
    TITLES_MAX = 20,     /* looked after in one sweep */
    RUNS_MAX = 50,       /* dropped by one task */
    REFUSED_MS = 60 * 60 * 1000, /* after which it is tried again */
};

/* ---- a run begins ------------------------------------------------------------- */

static bool is_early(const struct rendition_plan *rendition) {
    return !rendition->is_image && (rendition->is_video ? rendition->video.codec == CODEC_H264
                                                        : rendition->audio.codec == CODEC_AAC);
}

/* Marks the units that playlists will list, and hashes what these are; whether there are
 * pictures among them. */
static bool mark_units(struct tx *tx, const struct plan *plan, char key[WIRE_HASH_TEXT]) {
    struct buf text = {0};
    bool has_video = false;
    for (size_t i = 0; i < plan->title.rendition_count; i++) {
        const struct rendition_plan *rendition = &plan->title.renditions[i];
        if (is_early(rendition)) {
            has_video = has_video || rendition->is_video;
            buf_format(&text, "%s %s\n", rendition->id, rendition->key);
            sql_run(tx, SQL_UNITS_SET_EARLY, VALUES(TEXT(plan->title.title), INTEGER((int64_t)i)));
        }
    }
    sha256_hex_of(text.data, text.size, key);
    buf_finish(&text);
    return has_video;
}

/* The run whose playlists may go on growing; -1 for none. */
static int64_t open_run(struct tx *tx, const struct title_row *title, const char *key) {
    return sql_integer(tx, SQL_EARLY_OPEN, VALUES(TEXT(title->id), TEXT(title->output), TEXT(key)),
                       -1);
}

/* The version is swapped in after the last of them. */
static void add_unit(struct tx *tx, const struct title_row *title, const struct plan *plan) {
    struct value swap = INTEGER((int64_t)plan->unit_count - 1);
    int64_t unit = title_add_unit(tx, title, POSITION_EARLY, TASK_EARLY, UNIT_BLOCKED);
    int64_t waits = sql_integer(tx, SQL_UNIT_AT, VALUES(TEXT(title->id), swap), 0);
    sql_run(tx, SQL_UNIT_NEED_ADD, VALUES(INTEGER(waits), INTEGER(unit)));
}

void early_leave(struct tx *tx, const char *title) {
    sql_run(tx, SQL_EARLY_REPLACE, VALUES(TEXT(title), INTEGER(tx_now(tx))));
}

void early_begin(struct tx *tx, const struct title_row *title, const struct plan *plan) {
    char key[WIRE_HASH_TEXT];
    struct value id = TEXT(title->id), now = INTEGER(tx_now(tx));
    struct value submission = INTEGER(title->submission);
    bool wanted = title->early && mark_units(tx, plan, key);
    int64_t run = wanted ? open_run(tx, title, key) : -1;
    if (run >= 0) {
        sql_run(tx, SQL_EARLY_GO_ON, VALUES(id, INTEGER(run), submission, now));
    } else {
        early_leave(tx, title->id);
    }
    if (wanted && run < 0) {
        sql_run(tx, SQL_EARLY_ADD, VALUES(id, submission, TEXT(key), TEXT(title->output), now));
    }
    if (wanted) {
        add_unit(tx, title, plan);
    }
}

/* ---- it goes on --------------------------------------------------------------- */

/* What the title's run has listed; false where it lists nothing early. */
static bool get_run(struct tx *tx, const struct title_row *title, int64_t *run, int64_t *chunks,
                    bool *whole) {
    struct query query =
        sql_query(tx, SQL_EARLY_GET, VALUES(TEXT(title->id), INTEGER(title->submission)));
    bool found = query_next(&query);
    if (found) {
        *run = query_integer(&query, 0);
        *chunks = query_integer(&query, 1);
        *whole = query_integer(&query, 2) != 0;
    }
    query_close(&query);
    return found;
}

void early_advance(struct tx *tx, const char *id) {
    int64_t unit =
        sql_integer(tx, SQL_UNIT_BLOCKED_AT, VALUES(TEXT(id), INTEGER(POSITION_EARLY)), 0);
    struct title_row title = {0};
    if (unit == 0) {
        return; /* of most titles */
    }
    int64_t run = 0, listed = 0;
    bool whole = false;
    int64_t done = sql_integer(tx, SQL_UNITS_EARLY_DONE, VALUES(TEXT(id)), 0);
    if (title_get(tx, id, &title) && title.state == TITLE_RUNNING &&
        get_run(tx, &title, &run, &listed, &whole) && done > listed) {
        struct state_note note = {.title = id, .detail = ""};
        unit_move(tx, unit, UNIT_BLOCKED, UNIT_UNBLOCK, &note);
    }
    title_row_finish(&title);
}

bool early_waits(struct tx *tx, const char *id) {
    struct title_row title = {0};
    int64_t run = 0, listed = 0;
    bool whole = false;
    bool waits = title_get(tx, id, &title) && get_run(tx, &title, &run, &listed, &whole) &&
                 sql_integer(tx, SQL_UNITS_EARLY_DONE, VALUES(TEXT(id)), 0) <= listed;
    title_row_finish(&title);
    return waits;
}

bool early_fits(struct tx *tx, struct farm *farm, const char *id, int64_t chunks, bool *whole) {
    struct title_row title = {0};
    int64_t run = 0, listed = 0;
    bool ended = false, fits = false;
    if (title_get(tx, id, &title) && get_run(tx, &title, &run, &listed, &ended)) {
        const struct plan *plan = farm_plan(tx, farm, &title);
        int64_t all = plan != NULL ? (int64_t)plan->title.grid->chunk_count : 0;
        fits = chunks > 0 && chunks >= listed && chunks <= all;
        *whole = chunks == all;
    }
    title_row_finish(&title);
    return fits;
}

static int64_t pace_ms(struct tx *tx, struct farm *farm, const struct lease_row *lease) {
    int64_t took_ms = tx_now(tx) - lease->at;
    int64_t pace = PACE_SLOT_MS * (int64_t)farm_slots(tx, farm);
    pace = pace < PACE_MOST_MS ? pace : PACE_MOST_MS;
    return pace > PACE_PARTS * took_ms ? pace : PACE_PARTS * took_ms;
}

static void tell(struct tx *tx, const char *title, const char *event, int64_t run) {
    char detail[48];
    snprintf(detail, sizeof(detail), "{\"run\":%" PRId64 "}", run);
    event_add(tx, title, 0, "early", event, detail);
    tx_wake(tx, TOPIC_TITLES);
}

void early_listed(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                  const struct unit_row *unit, int64_t chunks) {
    bool whole = unit->state == UNIT_DONE;
    struct title_row title = {0};
    int64_t run = 0, before = 0;
    bool ended = false;
    if (title_get(tx, lease->title, &title) && get_run(tx, &title, &run, &before, &ended)) {
        sql_run(tx, SQL_EARLY_SET,
                VALUES(TEXT(title.id), INTEGER(run), INTEGER(chunks), INTEGER(whole ? 1 : 0),
                       INTEGER(tx_now(tx))));
        if (before == 0) {
            tell(tx, title.id, "begin", run);
        }
        if (whole) {
            tell(tx, title.id, "end", run);
        } else {
            sql_run(tx, SQL_UNIT_PAUSE,
                    VALUES(INTEGER(unit->id), INTEGER(tx_now(tx) + pace_ms(tx, farm, lease))));
            early_advance(tx, title.id);
        }
    }
    title_row_finish(&title);
}

/* ---- tasks -------------------------------------------------------------------- */

/* The runs that a statement lists, as texts. */
static void fill_runs(struct tx *tx, struct task *task, const struct title_row *title,
                      enum sql_id sql, struct value which) {
    struct early_task *early = &task->early;
    int64_t top = sql_integer(tx, SQL_EARLY_TOP, VALUES(TEXT(title->id), TEXT(title->output)), -1);
    early->runs = arena_zero(&task->arena, RUNS_MAX, sizeof(*early->runs));
    struct query query = sql_query(tx, sql, VALUES(TEXT(title->id), which));
    while (query_next(&query) && early->run_count < RUNS_MAX) {
        int64_t run = query_integer(&query, 0);
        early->runs[early->run_count++] = arena_format(&task->arena, "%" PRId64, run);
        early->top = early->top || run == top;
    }
    query_close(&query);
}

void early_fill(struct tx *tx, struct task *task, const struct title_row *title, int64_t position) {
    struct value submission = INTEGER(title->submission);
    bool whole = false;
    if (position == POSITION_EARLY) {
        get_run(tx, title, &task->early.run, &task->early.chunks, &whole);
        sql_run(tx, SQL_EARLY_BEGUN, VALUES(TEXT(title->id), submission));
    } else if (position == POSITION_REMOVE) {
        fill_runs(tx, task, title, SQL_EARLY_OF_SUBMISSION, submission);
    } else if (position == POSITION_DROP_EARLY) {
        fill_runs(tx, task, title, SQL_EARLY_DROPPING, TEXT(title->output));
        task->early.alone = true;
    }
}

void early_removed(struct tx *tx, const struct title_row *title, int64_t position) {
    if (position == POSITION_REMOVE) {
        sql_run(tx, SQL_EARLY_DROP_SUBMISSION, VALUES(TEXT(title->id), INTEGER(title->submission)));
    } else if (position == POSITION_DROP_EARLY) {
        sql_run(tx, SQL_EARLY_DROP_DROPPING, VALUES(TEXT(title->id), TEXT(title->output)));
    }
}

void early_refused(struct tx *tx, const char *title) {
    sql_run(tx, SQL_EARLY_REFUSED, VALUES(TEXT(title), INTEGER(tx_now(tx))));
}

/* ---- their time is past -------------------------------------------------------- */

static void begin_dropping(struct tx *tx, const char *id, int64_t before) {
    struct title_row title = {0};
    if (title_get(tx, id, &title)) {
        sql_run(tx, SQL_EARLY_MARK,
                VALUES(TEXT(id), TEXT(title.output), INTEGER(before), INTEGER(RUNS_MAX)));
        title_drop_unit(tx, id, POSITION_DROP_EARLY);
        title_add_unit(tx, &title, POSITION_DROP_EARLY, TASK_REMOVE, UNIT_READY);
        tx_wake(tx, TOPIC_LEASES);
    }
    title_row_finish(&title);
}

void early_sweep(struct tx *tx, const struct farm *farm) {
    char ids[TITLES_MAX][WIRE_TITLE_TEXT];
    size_t count = 0;
    int64_t before = tx_now(tx) - farm->keep_versions_ms;
    struct query query =
        sql_query(tx, SQL_EARLY_DUE,
                  VALUES(INTEGER(before), INTEGER(tx_now(tx) - REFUSED_MS), INTEGER(TITLES_MAX)));
    while (query_next(&query)) {
        snprintf(ids[count++], sizeof(ids[0]), "%s", query_text(&query, 0));
    }
    for (size_t i = 0; i < count; i++) {
        begin_dropping(tx, ids[i], before);
    }
}

/* ---- for clients ---------------------------------------------------------------- */

void early_write(struct tx *tx, const struct title_row *title, const struct plan *plan,
                 struct writer *w) {
    int64_t run = 0, chunks = 0;
    bool whole = false;
    if (!title->early) {
        writer_null(w, "early");
        return;
    }
    char output[PLACE_TEXT];
    get_run(tx, title, &run, &chunks, &whole);
    place_public(title->output, output);
    char *playlist = mem_format("%s/%s/early.m3u8", output, title->id);
    struct rational rate = plan != NULL ? plan->title.grid->rate : (struct rational){0, 1};
    bool listed = plan != NULL && chunks > 0 && chunks <= (int64_t)plan->title.grid->chunk_count;
    int64_t frames = listed ? grid_chunk_frame(plan->title.grid, (size_t)chunks) : 0;
    writer_object(w, "early");
    writer_string(w, "playlist", playlist);
    writer_number(w, "seconds", rate.num > 0 ? (double)frames / rational_value(rate) : 0);
    writer_bool(w, "whole", whole);
    writer_object_end(w);
    mem_free(playlist);
}
