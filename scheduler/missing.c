/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a title goes without: see missing.h. */
#include "missing.h"

#include <stdio.h>
#include <string.h>

#include "titles.h"

enum {
    MISSING_MAX = 16,
    SWEPT_MAX = 50,             /* units of a build line in one sweep */
    UNMADE_MS = 10 * 60 * 1000, /* that nobody can make them: longer than workers start anew */
};

bool missing_allows(enum task_kind kind) {
    return kind == TASK_IMAGES;
}

/* `unit`: whose attempts may have left files; 0: none was made. */
static void add(struct tx *tx, const char *title, const char *rendition, const char *class,
                const char *sentence, int64_t unit) {
    sql_run(tx, SQL_MISSING_ADD,
            VALUES(TEXT(title), TEXT(rendition), TEXT(class), TEXT(sentence), INTEGER(unit)));
}

void missing_unit(struct tx *tx, const struct unit_row *unit, const char *class,
                  const char *sentence) {
    add(tx, unit->title, unit->rendition_id, class, sentence, unit->id);
    title_unit_done(tx, unit);
}

void missing_images(struct tx *tx, const struct plan *plan) {
    for (size_t i = 0; i < plan->title.rendition_count; i++) {
        if (plan->title.renditions[i].is_image) {
            return;
        }
    }
    for (int kind = 0; kind < IMAGE_KIND_COUNT; kind++) {
        add(tx, plan->title.title, plan_image_id((enum image_kind)kind),
            failure_class_name(FAILURE_UNSUPPORTED),
            "no worker here makes posters and storyboards; start one that does, of this version",
            0);
    }
}

static void leave_unmade(struct tx *tx, int64_t id) {
    static const char sentence[] = "no worker is left that has its encoder, which the plan has "
                                   "pinned, and nothing else was to do";
    struct unit_row unit;
    struct buf detail = {0};
    if (!unit_find(tx, id, &unit)) {
        return;
    }
    struct writer w = writer_of(&detail);
    writer_object(&w, NULL);
    writer_string(&w, "kind", task_kind_name(unit.kind));
    writer_string(&w, "class", failure_class_name(FAILURE_UNSUPPORTED));
    writer_string(&w, "message", sentence);
    writer_object_end(&w);
    const struct state_note note = {.title = unit.title, .detail = buf_text(&detail)};
    unit_move(tx, id, UNIT_READY, UNIT_FAIL, &note);
    missing_unit(tx, &unit, failure_class_name(FAILURE_UNSUPPORTED), sentence);
    buf_finish(&detail);
}

static void leave_line(struct tx *tx, int64_t build) {
    int64_t ids[SWEPT_MAX];
    size_t count = 0;
    struct query query =
        sql_query(tx, SQL_UNITS_UNMADE, VALUES(INTEGER(build), INTEGER(SWEPT_MAX)));
    while (query_next(&query)) {
        ids[count++] = query_integer(&query, 0);
    }
    for (size_t i = 0; i < count; i++) {
        leave_unmade(tx, ids[i]);
    }
}

/* Since when all sweeps have found the line so. */
static int64_t unmade_since(struct tx *tx, const struct farm *farm, int64_t build) {
    for (size_t i = 0; i < farm->unmade_count; i++) {
        if (farm->unmade[i].build == build) {
            return farm->unmade[i].since;
        }
    }
    return tx_now(tx);
}

void missing_sweep(struct tx *tx, struct farm *farm) {
    struct unmade_line lines[FARM_UNMADE] = {{0}};
    size_t count = 0;
    struct query query = sql_query(tx, SQL_BUILDS_UNMADE, VALUES(INTEGER(FARM_UNMADE)));
    while (query_next(&query)) {
        int64_t build = query_integer(&query, 0);
        lines[count++] = (struct unmade_line){build, unmade_since(tx, farm, build)};
    }
    memcpy(farm->unmade, lines, sizeof(lines));
    farm->unmade_count = count;
    for (size_t i = 0; i < count; i++) {
        if (tx_now(tx) - lines[i].since > UNMADE_MS) {
            leave_line(tx, lines[i].build);
        }
    }
}

void missing_read(struct tx *tx, const char *title, struct missing_list *out) {
    out->list = arena_zero(&out->arena, MISSING_MAX, sizeof(*out->list));
    out->errors = arena_zero(&out->arena, MISSING_MAX, sizeof(*out->errors));
    struct query query = sql_query(tx, SQL_MISSING, VALUES(TEXT(title), INTEGER(MISSING_MAX)));
    while (query_next(&query)) {
        struct missing_rendition *row = &out->list[out->count];
        snprintf(row->id, sizeof(row->id), "%s", query_text(&query, 0));
        snprintf(row->class, sizeof(row->class), "%s", query_text(&query, 1));
        out->errors[out->count++] = arena_string(&out->arena, query_text(&query, 2));
    }
}

void missing_finish(struct missing_list *missing) {
    arena_finish(&missing->arena);
    *missing = (struct missing_list){0};
}

bool missing_has(const struct missing_list *missing, const char *rendition) {
    for (size_t i = 0; i < missing->count; i++) {
        if (strcmp(missing->list[i].id, rendition) == 0) {
            return true;
        }
    }
    return false;
}

void missing_write(struct tx *tx, const char *title, struct writer *w) {
    struct missing_list missing = {0};
    missing_read(tx, title, &missing);
    writer_array(w, "missing");
    for (size_t i = 0; i < missing.count; i++) {
        writer_object(w, NULL);
        writer_string(w, "id", missing.list[i].id);
        writer_string(w, "class", missing.list[i].class);
        writer_string(w, "error", missing.errors[i]);
        writer_object_end(w);
    }
    writer_array_end(w);
    missing_finish(&missing);
}

void missing_write_ids(struct tx *tx, const char *title, struct writer *w) {
    struct missing_list missing = {0};
    missing_read(tx, title, &missing);
    if (missing.count > 0) {
        writer_array(w, "missing");
        for (size_t i = 0; i < missing.count; i++) {
            writer_string(w, NULL, missing.list[i].id);
        }
        writer_array_end(w);
    }
    missing_finish(&missing);
}
