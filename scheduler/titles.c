/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Titles from submission to their end: see titles.h. */
#include "titles.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "early.h"
#include "estimate.h"
#include "events.h"
#include "leftovers.h"
#include "metrics.h"
#include "missing.h"
#include "removal.h"
#include "scheduler/publishing/publication.h"
#include "versions.h"

enum {
    REPAIRED_PERCENT_MAX = 5, /* of the title's frames */
    ERROR_TEXT = 1024,        /* bytes of a title's sentence with its NUL, as in struct err */
};

/* ---- submitting -------------------------------------------------------------- */

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

/* How many tasks run that remove what players read of the title, or write it early: a new run
 * waits for those of the run before. */
static size_t count_others(struct tx *tx, const char *title) {
    struct lease_list leases = {0};
    size_t count = 0;
    lease_list_read(tx, &leases, SQL_LEASES_OF_TITLE, TEXT(title));
    for (size_t i = 0; i < leases.count; i++) {
        count += leases.rows[i].kind == TASK_REMOVE || leases.rows[i].kind == TASK_EARLY;
    }
    lease_list_finish(&leases);
    return count;
}

/* The first step of a run, which waits for what has not stopped yet. */
static void add_probe(struct tx *tx, const char *id, int64_t submission) {
    struct title_row title = {.id = id, .submission = submission};
    title_add_unit(tx, &title, POSITION_PROBE, TASK_PROBE,
                   count_others(tx, id) > 0 ? UNIT_BLOCKED : UNIT_READY);
    tx_wake(tx, TOPIC_LEASES | TOPIC_TITLES);
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

static bool is_same(const struct title_request *request, const struct title_row *row) {
    return !request->force && strcmp(request->source, row->source) == 0 &&
           strcmp(request->output, row->output) == 0 && strcmp(request->ladder, row->ladder) == 0;
}

/* "" where a submission leaves it out. */
static const char *word_of(const char *word) {
    return word != NULL ? word : "";
}

bool title_has_key(struct tx *tx, const struct title_request *request, bool *is_own) {
    const char *key = word_of(request->key), *sender = word_of(request->sender);
    bool found = false;
    *is_own = false;
    if (key[0] == '\0') {
        return false;
    }
    struct query query =
        sql_query(tx, SQL_TITLE_SENDER, VALUES(TEXT(request->title), TEXT(key), TEXT(sender)));
    if (query_next(&query)) {
        found = true;
        *is_own = sender[0] != '\0' && query_integer(&query, 0) != 0;
    }
    query_close(&query);
    return found;
}

static void set_labels(struct tx *tx, const struct title_request *request) {
    if (request->labels == NULL) {
        return;
    }
    sql_put(tx, SQL_LABELS_DROP, VALUES(TEXT(request->title)));
    for (size_t i = 0; i < request->label_count; i++) {
        sql_put(tx, SQL_LABEL_ADD, VALUES(TEXT(request->title), TEXT(request->labels[i])));
    }
}

/* What places the title in the queue, and its labels. Whether its place is another now. */
static bool set_order(struct tx *tx, const struct title_request *request) {
    int64_t priority = 0;
    int64_t deadline = 0;
    char tenant[TENANT_TEXT] = "";
    struct query query = sql_query(tx, SQL_TITLE_ORDER, VALUES(TEXT(request->title)));
    if (query_next(&query)) {
        priority = query_integer(&query, 0);
        snprintf(tenant, sizeof(tenant), "%s", query_text(&query, 1));
        deadline = query_integer(&query, 2);
    }
    query_close(&query);
    int64_t new_priority = request->names_priority ? request->priority : priority;
    int64_t new_deadline = request->names_deadline ? request->deadline : deadline;
    const char *new_tenant = request->tenant != NULL ? request->tenant : tenant;
    sql_put(tx, SQL_TITLE_SET_ORDER,
            VALUES(TEXT(request->title), INTEGER(new_priority), TEXT(new_tenant),
                   INTEGER(new_deadline)));
    set_labels(tx, request);
    return new_priority != priority || new_deadline != deadline || strcmp(new_tenant, tenant) != 0;
}

/* The same of a title that runs: its units move in the queue. */
static void change_order(struct tx *tx, const struct title_request *request) {
    if (set_order(tx, request)) {
        tx_tally(tx, sql_run(tx, SQL_UNITS_SET_ORDER, VALUES(TEXT(request->title))));
        tx_wake(tx, TOPIC_LEASES);
    }
}

/* Before the run's first event. */
static void set_trace(struct tx *tx, const struct title_request *request) {
    char made[TRACE_TEXT];
    if (request->trace == NULL) {
        trace_make(made);
    }
    sql_put(tx, SQL_TITLE_SET_TRACE,
            VALUES(TEXT(request->title), TEXT(request->trace != NULL ? request->trace : made)));
}

/* Whether a worker makes an older version current: nobody knows how far it is, so that a run that
 * fails would leave it unknown which one is. */
static bool is_rolled_back(struct tx *tx, const char *title) {
    struct unit_row unit;
    int64_t id = sql_integer(tx, SQL_UNIT_AT, VALUES(TEXT(title), INTEGER(POSITION_ROLLBACK)), 0);
    return id != 0 && unit_find(tx, id, &unit) && unit.state == UNIT_LEASED;
}

bool title_check_submission(struct tx *tx, const struct title_request *request,
                            const struct title_row *title) {
    bool runs = title->state == TITLE_SUBMITTED || title->state == TITLE_RUNNING;
    if (runs && is_same(request, title)) {
        return true;
    }
    if (state_next(MACHINE_TITLE, (int)title->state, TITLE_SUBMIT) < 0) {
        err_set(tx_err(tx), ERR_CONFLICT, "title %s is %s; wait for its end%s", request->title,
                state_name(MACHINE_TITLE, (int)title->state),
                title->state == TITLE_REMOVING ? "" : " or cancel it first");
    } else if (is_rolled_back(tx, request->title)) {
        err_set(tx_err(tx), ERR_CONFLICT, "title %s is being rolled back; wait for its end",
                request->title);
    }
    return false;
}

/* A new run of a title that is known; false where that is what runs. */
static bool submit_again(struct tx *tx, const struct farm *farm,
                         const struct title_request *request, const struct title_row *old,
                         int64_t submission) {
    bool runs = old->state == TITLE_SUBMITTED || old->state == TITLE_RUNNING;
    bool is_own = false;
    bool known = old->state != TITLE_REMOVING && title_has_key(tx, request, &is_own);
    if (known || title_check_submission(tx, request, old)) {
        if (runs) {
            change_order(tx, request);
        }
        return false;
    }
    if (!tx_ok(tx)) {
        return false;
    }
    title_stop_work(tx, request->title); /* of a title that is done, versions may be dropped */
    leftovers_expect_of_run(tx, farm, request->title); /* a worker that is cut off does not hear */
    title_drop_run(tx, request->title);
    set_trace(tx, request);
    sql_put(tx, SQL_TITLE_DROP_PLAN, VALUES(TEXT(request->title)));
    sql_put(tx, SQL_TITLE_RESET,
            VALUES(TEXT(request->title), INTEGER(submission), TEXT(request->source),
                   TEXT(request->output), TEXT(request->ladder)));
    set_order(tx, request);
    title_move(tx, request->title, old->state, TITLE_SUBMIT, "");
    if (request->force) {
        sql_put(tx, SQL_PRODUCTS_DROP, VALUES(TEXT(request->title)));
        early_leave(tx, request->title);
    }
    return true;
}

bool title_submit(struct tx *tx, const struct farm *farm, const struct title_request *request) {
    int64_t submission = tx_numbers(tx, "submission", 1);
    struct title_row old = {0};
    bool is_new = true;
    if (title_find(tx, request->title, &old)) {
        is_new = submit_again(tx, farm, request, &old, submission);
    } else {
        sql_put(tx, SQL_TITLE_ADD,
                VALUES(TEXT(request->title), TEXT(state_name(MACHINE_TITLE, TITLE_SUBMITTED)),
                       INTEGER(submission), TEXT(request->source), TEXT(request->output),
                       TEXT(request->ladder)));
        set_trace(tx, request);
        set_order(tx, request); /* by which its events find who is to hear of them */
        event_add(tx, request->title, 0, "title", state_event_name(MACHINE_TITLE, TITLE_SUBMIT),
                  "");
        metric_add(tx, METRIC_TITLES, TITLE_SUBMITTED, 0, 1);
        metric_add(tx, METRIC_TITLE_EVENTS, TITLE_SUBMIT, 0, 1);
    }
    if (is_new) {
        sql_put(tx, SQL_TITLE_SET_KEY,
                VALUES(TEXT(request->title), TEXT(word_of(request->key)),
                       TEXT(word_of(request->sender))));
        sql_put(tx, SQL_TITLE_SET_EARLY,
                VALUES(TEXT(request->title), INTEGER(request->early ? 1 : 0)));
        add_probe(tx, request->title, submission);
    }
    title_row_finish(&old);
    return is_new;
}

void title_retry(struct tx *tx, const struct farm *farm, const char *id, const char *trace) {
    struct title_row title = {0};
    if (!tx_ok(tx) || !title_get(tx, id, &title)) {
        return;
    }
    bool lacks = title.state == TITLE_DONE &&
                 sql_integer(tx, SQL_MISSING_COUNT, VALUES(TEXT(id)), 0) > 0;
    if (title.state != TITLE_FAILED && title.state != TITLE_CANCELLED && !lacks) {
        err_set(tx_err(tx), ERR_CONFLICT,
                "title %s is %s; only one that failed, was cancelled or lacks something is tried "
                "again",
                id, state_name(MACHINE_TITLE, (int)title.state));
    } else {
        struct title_request request = {.title = id,
                                        .source = title.source,
                                        .output = title.output,
                                        .ladder = title.ladder,
                                        .trace = trace};
        int64_t submission = tx_numbers(tx, "submission", 1);
        submit_again(tx, farm, &request, &title, submission);
        add_probe(tx, id, submission);
    }
    title_row_finish(&title);
}

/* ---- planning ---------------------------------------------------------------- */

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
static int make_plan(struct tx *tx, const struct title_row *title, const struct task_report *report,
                     struct plan **out, struct err *err) {
    struct ladder ladder;
    int result = farm_ladder(title, &ladder, err);
    if (result == 0) {
        struct plan_options options = {.title = title->id,
                                       .output = title->output,
                                       .identity = report->identity,
                                       .ladder = &ladder,
                                       .source = &report->source};
        result = farm_plan_make(tx, &options, out, err);
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
    if (make_plan(tx, title, report, &plan, &err) != 0) {
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
        if (title.state == TITLE_SUBMITTED && count_others(tx, id) == 0) {
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

void title_add_stats(struct tx *tx, const char *title, const struct task_stats *stats) {
    sql_put(tx, SQL_TITLE_ADD_STATS,
            VALUES(TEXT(title), INTEGER(stats->frames_decoded), INTEGER(stats->source_bytes),
                   REAL(stats->cpu_s), REAL(stats->decode_cpu_s), REAL(stats->scale_cpu_s),
                   REAL(stats->encode_cpu_s), REAL(stats->wall_s), INTEGER(stats->peak_memory)));
}
