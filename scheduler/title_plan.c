/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a probe tells of a title, and its plan as units: see titles.h. */
#include "titles.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "early.h"
#include "estimate.h"
#include "metrics.h"
#include "missing.h"

enum { REPAIRED_PERCENT_MAX = 5 }; /* of the title's frames */

static void store_plan(struct tx *tx, const struct plan *plan, const char *identity) {
    struct buf text = {0};
    struct writer writer = writer_of(&text);
    title_plan_write(&plan->title, &writer, NULL);
    sql_put(tx, SQL_TITLE_SET_PLAN, VALUES(TEXT(plan->title.title), TEXT(buf_text(&text))));
    sql_put(tx, SQL_TITLE_SET_IDENTITY, VALUES(TEXT(plan->title.title), TEXT(identity)));
    buf_finish(&text);
}

/* By what the store knows a rendition's build line, and the class of its units. */
struct numbers {
    int64_t build;
    int64_t model;
};

/* Of a title with images the plan can be read, and packaged, by workers alone that know them. */
static struct numbers numbers_of_step(struct tx *tx, const struct plan *plan, enum task_kind kind) {
    struct numbers numbers = {0};
    for (size_t i = 0; i < plan->title.rendition_count && kind == TASK_PACKAGE; i++) {
        if (plan->title.renditions[i].is_image) {
            numbers.build = farm_build_number(tx, KNOWS_IMAGES_LINE);
            break;
        }
    }
    return numbers;
}

static void add_unit(struct tx *tx, const struct plan *plan, size_t index, int64_t first_id,
                     int64_t submission, const struct numbers *numbers) {
    const struct unit_plan *unit = &plan->units[index];
    bool media = unit->rendition >= 0;
    struct numbers own = media ? numbers[unit->rendition] : numbers_of_step(tx, plan, unit->kind);
    const struct rendition_plan *rendition = media ? &plan->title.renditions[unit->rendition]
                                                   : NULL;
    int64_t frames = 0;
    if (unit->kind == TASK_VIDEO) {
        frames = grid_chunk_frame(plan->title.grid, (size_t)unit->chunk + 1) -
                 grid_chunk_frame(plan->title.grid, (size_t)unit->chunk);
    }
    enum unit_state state = unit->need_count > 0 ? UNIT_BLOCKED : UNIT_READY;
    sql_put(tx, SQL_UNIT_ADD,
            VALUES(INTEGER(first_id + (int64_t)index), TEXT(plan->title.title), INTEGER(submission),
                   INTEGER((int64_t)index), TEXT(task_kind_name(unit->kind)),
                   INTEGER(unit->rendition), TEXT(media ? rendition->id : ""), INTEGER(unit->chunk),
                   INTEGER(own.build), TEXT(state_name(MACHINE_UNIT, (int)state)),
                   INTEGER((int64_t)unit->need_count), REAL(unit->cost_s), INTEGER(frames),
                   INTEGER(tx_now(tx)), INTEGER(own.model)));
    metric_add(tx, METRIC_UNITS, (int)unit->kind, (int)state, 1);
    for (size_t i = 0; i < unit->need_count; i++) {
        sql_put(tx, SQL_UNIT_NEED_ADD,
                VALUES(INTEGER(first_id + (int64_t)index), INTEGER(first_id + unit->needs[i])));
    }
}

static void add_units(struct tx *tx, struct farm *farm, const struct plan *plan,
                      int64_t submission) {
    struct numbers *numbers = mem_zero(plan->title.rendition_count + 1, sizeof(*numbers));
    for (size_t i = 0; i < plan->title.rendition_count; i++) {
        const struct rendition_plan *rendition = &plan->title.renditions[i];
        numbers[i].build = farm_build_number(tx, rendition->build_line);
        numbers[i].model = estimate_class(tx, farm, rendition);
    }
    int64_t first_id = tx_numbers(tx, "unit", (int64_t)plan->unit_count);
    for (size_t i = 0; i < plan->unit_count && tx_ok(tx); i++) {
        add_unit(tx, plan, i, first_id, submission, numbers);
    }
    mem_free(numbers);
}

/* Plans from the title's ladder, the source document and the encoders at hand. */
static int make_plan(struct tx *tx, const struct farm *farm, const struct title_row *title,
                     const struct task_report *report, struct plan **out, struct err *err) {
    struct ladder ladder;
    int result = farm_ladder(title, &ladder, err);
    if (result == 0) {
        struct plan_options options = {.title = title->id,
                                       .output = title->output,
                                       .identity = report->identity,
                                       .ladder = &ladder,
                                       .source = &report->source};
        result = farm_plan_make(tx, farm, &options, out, err);
    }
    if (result == 0 && ladder.images) {
        missing_images(tx, *out);
    }
    return result;
}

static const char *class_of_plan_error(enum err_code code) {
    if (code == ERR_INVALID || code == ERR_CORRUPT) {
        return failure_class_name(FAILURE_BAD_SOURCE);
    }
    return failure_class_name(FAILURE_UNSUPPORTED);
}

bool title_is_too_damaged(int64_t repaired, int64_t frames) {
    return repaired * 100 > frames * REPAIRED_PERCENT_MAX;
}

static void fail_damaged(struct tx *tx, const char *title, const char *source, int64_t repaired,
                         int64_t frames) {
    char name[PLACE_TEXT];
    place_public(source, name);
    char *sentence = mem_format("%s is too damaged: %" PRId64 " of its %" PRId64
                                " frames have no picture of their own, "
                                "and more than %d %% is refused; get an undamaged copy",
                                name, repaired, frames, REPAIRED_PERCENT_MAX);
    title_fail(tx, title, failure_class_name(FAILURE_BAD_SOURCE), sentence);
    mem_free(sentence);
}

/* Keys, folders and places follow from the identity; then reuse. */
static void place_units(struct tx *tx, const struct title_row *title, const struct plan *plan) {
    for (size_t i = 0; i < plan->unit_count && tx_ok(tx); i++) {
        const struct unit_plan *unit = &plan->units[i];
        sql_put(tx, SQL_UNIT_SET_PLACE,
                VALUES(TEXT(title->id), INTEGER((int64_t)i), TEXT(unit->place), TEXT(unit->key)));
    }
    unit_move_set(tx, title->id, UNITS_MADE_BEFORE, UNIT_READY, UNIT_REUSE);
    early_begin(tx, title, plan);
    title_units_redone(tx, title->id);
    unit_move_set(tx, title->id, UNITS_NEEDLESS, UNIT_BLOCKED, UNIT_UNBLOCK);
    early_advance(tx, title->id);
}

static void remember_source(struct tx *tx, const struct title_row *title,
                            const struct task_report *report) {
    sql_put(tx, SQL_SOURCE_PUT,
            VALUES(TEXT(title->source), INTEGER(report->source_size), TEXT(report->pin),
                   TEXT(report->identity)));
}

static void plan_title(struct tx *tx, struct farm *farm, const struct title_row *title,
                       const struct task_report *report) {
    struct plan *plan = NULL;
    struct err err = {0};
    if (title_is_too_damaged(report->source.missing, report->source.timeline.frames)) {
        fail_damaged(tx, title->id, title->source, report->source.missing,
                     report->source.timeline.frames);
        return;
    }
    if (make_plan(tx, farm, title, report, &plan, &err) != 0) {
        char source[PLACE_TEXT];
        place_public(title->source, source);
        char *sentence = mem_format("%s: %s", source, err.message);
        title_fail(tx, title->id, class_of_plan_error(err.code), sentence);
        mem_free(sentence);
        return;
    }
    sql_put(tx, SQL_TITLE_SET_SOURCE,
            VALUES(TEXT(title->id), TEXT(report->pin), INTEGER(report->source_size)));
    store_plan(tx, plan, report->identity);
    add_units(tx, farm, plan, title->submission);
    title_move(tx, title->id, TITLE_SUBMITTED, TITLE_PLAN, "");
    if (report->identity[0] != '\0') {
        remember_source(tx, title, report);
        place_units(tx, title, plan);
        title_check_repairs(tx, farm, title->id);
    }
    tx_wake(tx, TOPIC_LEASES);
    plan_destroy(plan);
}

static void identify_title(struct tx *tx, struct farm *farm, const struct title_row *title,
                           const struct task_report *report) {
    struct plan *plan = farm_plan_load(tx, title);
    if (plan == NULL) {
        return;
    }
    plan_identify(plan, report->identity);
    store_plan(tx, plan, report->identity);
    remember_source(tx, title, report);
    place_units(tx, title, plan);
    title_check_repairs(tx, farm, title->id);
    tx_wake(tx, TOPIC_TITLES);
    plan_destroy(plan);
}

static bool is_other_source(const struct title_row *title, const struct task_report *report) {
    return strcmp(title->pin, report->pin) != 0 || title->source_size != report->source_size ||
           (title->identity[0] != '\0' && report->identity[0] != '\0' &&
            strcmp(title->identity, report->identity) != 0);
}

void title_source(struct tx *tx, struct farm *farm, const char *id,
                  const struct task_report *report) {
    struct title_row title = {0};
    if (!title_get(tx, id, &title)) {
        return;
    }
    if (title.state == TITLE_SUBMITTED) {
        plan_title(tx, farm, &title, report);
    } else if (title.state == TITLE_RUNNING && is_other_source(&title, report)) {
        char source[PLACE_TEXT];
        place_public(title.source, source);
        char *sentence = mem_format("%s changed while it was read; run again when nothing writes "
                                    "to it any more",
                                    source);
        title_fail(tx, id, failure_class_name(FAILURE_BAD_SOURCE), sentence);
        mem_free(sentence);
    } else if (title.state == TITLE_RUNNING && title.identity[0] == '\0' &&
               report->identity[0] != '\0') {
        identify_title(tx, farm, &title, report);
    }
    title_row_finish(&title);
}

void title_check_repairs(struct tx *tx, struct farm *farm, const char *id) {
    int64_t repaired = sql_integer(tx, SQL_UNITS_REPAIRED, VALUES(TEXT(id)), 0);
    struct title_row title = {0};
    if (repaired > 0 && title_get(tx, id, &title) && title.state == TITLE_RUNNING) {
        const struct plan *plan = farm_plan(tx, farm, &title);
        if (plan != NULL && title_is_too_damaged(repaired, plan->title.grid->frames)) {
            fail_damaged(tx, id, title.source, repaired, plan->title.grid->frames);
        }
    }
    title_row_finish(&title);
}
