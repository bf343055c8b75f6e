/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks of units: see task_make.h. */
#include "task_make.h"

#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "early.h"
#include "forming.h"
#include "removal.h"
#include "titles.h"

/* Limits of an attempt, generous: they end a hang, not slow work. */
static const struct {
    double base_s;
    double per_cost;      /* seconds for each expected CPU second */
    int64_t memory_bytes; /* of kinds that run in the worker's daemon */
} kinds[TASK_KIND_COUNT] = {
    [TASK_PROBE] = {3600, 0, 0}, /* a pass over all packets, perhaps over http */
    [TASK_VIDEO] = {120, 30, 0},
    [TASK_AUDIO] = {600, 30, 0},
    [TASK_PACKAGE] = {600, 0, 64 << 20},
    [TASK_SWAP] = {120, 0, 16 << 20},
    [TASK_REMOVE] = {600, 0, 16 << 20},
    [TASK_PUSH] = {6 * 3600, 0, 64 << 20},
    [TASK_EARLY] = {120, 0, 64 << 20},
    [TASK_IMAGES] = {600, 30, 0},
    [TASK_SWEEP] = {6 * 3600, 0, 64 << 20},
};

/* Fills what the child is told and how much it may take. 0 or the error of the plan. */
static int fill_spec(struct farm *farm, struct task *task, const struct title_row *title,
                     const struct plan *plan, const struct unit_row *units, size_t count,
                     struct err *err) {
    if (task->kind == TASK_PROBE) {
        struct ladder ladder;
        int result = farm_ladder(title, &ladder, err);
        if (result == 0) {
            plan_probe_spec(&task->spec, &ladder, task->source.size, &farm->limits);
            task->memory_bytes = plan_probe_memory();
        }
        return result;
    }
    task->memory_bytes = kinds[task->kind].memory_bytes;
    if (!kind_is_pure(task->kind)) {
        return 0;
    }
    struct unit_plan nodes[FORM_RUNGS_MAX];
    for (size_t i = 0; i < count; i++) {
        nodes[i] = (struct unit_plan){
            .kind = units[i].kind, .rendition = units[i].rendition, .chunk = units[i].chunk};
    }
    task->memory_bytes = plan_task_memory(&plan->title, nodes, count);
    return plan_task_spec(&task->spec, &task->arena, &plan->title, nodes, count, err);
}

/* The source as the title's probe pinned it; before that as it was last time. */
static void fill_source(struct tx *tx, const struct farm *farm, struct task *task,
                        const struct title_row *title) {
    task->source = (struct task_source){.url = title->source,
                                        .size = title->source_size,
                                        .pin = title->pin,
                                        .identity = title->identity};
    if (strncmp(title->source, "http", 4) == 0) {
        task->source.places = farm->sources;
    }
    if (task->kind != TASK_PROBE) {
        return;
    }
    struct query query = sql_query(tx, SQL_SOURCE_GET, VALUES(TEXT(title->source)));
    if (query_next(&query)) {
        task->source.size = query_integer(&query, 0);
        task->source.pin = arena_string(&task->arena, query_text(&query, 1));
        task->source.identity = arena_string(&task->arena, query_text(&query, 2));
    }
    query_close(&query);
}

static void fill_units(struct task *task, const struct plan *plan, const struct unit_row *units,
                       size_t count) {
    task->unit_count = count;
    task->units = arena_zero(&task->arena, count, sizeof(*task->units));
    for (size_t i = 0; i < count; i++) {
        struct task_unit *unit = &task->units[i];
        unit->id = units[i].id;
        unit->may_replace = units[i].may_replace;
        memcpy(unit->rendition, units[i].rendition_id, sizeof(unit->rendition));
        if (units[i].rendition >= 0) {
            memcpy(unit->folder, plan->title.renditions[units[i].rendition].folder,
                   sizeof(unit->folder));
        }
        task->attempt = task->attempt > units[i].attempts ? task->attempt : units[i].attempts + 1;
    }
}

int task_make(struct task *out, struct estimate *estimate, struct tx *tx, struct farm *farm,
              const struct title_row *title, const struct unit_row *units, size_t count,
              const struct estimate_place *place, struct err *err) {
    const struct plan *plan = NULL;
    int doublings = 0;
    double cost = 0;
    for (size_t i = 0; i < count; i++) {
        doublings = doublings > units[i].doublings ? doublings : units[i].doublings;
        cost += units[i].table_s;
    }
    if (units[0].rendition >= 0) {
        plan = farm_plan(tx, farm, title);
        if (plan == NULL) {
            return err_pass(err, tx_err(tx));
        }
    }
    out->kind = units[0].kind;
    memcpy(out->title, units[0].title, sizeof(out->title));
    out->output = title->output;
    title_trace(tx, title->id, out->trace);
    out->version = out->kind == TASK_SWAP ? title->packaged : "";
    if (out->kind == TASK_REMOVE) {
        removal_fill(tx, out, title, units[0].position);
    }
    if (out->kind == TASK_REMOVE || out->kind == TASK_EARLY) {
        early_fill(tx, out, title, units[0].position);
    }
    fill_source(tx, farm, out, title);
    fill_units(out, plan, units, count);
    int result = fill_spec(farm, out, title, plan, units, count, err);
    *estimate = estimate_task(tx, farm, units, count, place, out->memory_bytes);
    cost = cost > estimate->wall_s ? cost : estimate->wall_s;
    out->wall_limit_s = kinds[out->kind].base_s + kinds[out->kind].per_cost * cost;
    out->reserve_bytes = estimate->reserve_bytes << doublings;
    out->memory_bytes <<= doublings;
    return result;
}

void task_make_probe(struct task *task, const struct farm *farm, const struct task_source *source,
                     const struct ladder *ladder) {
    task->kind = TASK_PROBE;
    task->source = *source;
    if (strncmp(source->url, "http", 4) == 0) {
        task->source.places = farm->sources;
    }
    task->output = task->version = "";
    plan_probe_spec(&task->spec, ladder, source->size, &farm->limits);
    task->memory_bytes = task->reserve_bytes = plan_probe_memory();
    task->wall_limit_s = kinds[TASK_PROBE].base_s;
}

void task_make_push(struct task *task) {
    task->kind = TASK_PUSH;
    task->memory_bytes = task->reserve_bytes = kinds[TASK_PUSH].memory_bytes;
    task->wall_limit_s = kinds[TASK_PUSH].base_s;
}

/* Of what runs in the worker's daemon and is of no run of a title. */
static void make_bare(struct task *task, enum task_kind kind) {
    task->kind = kind;
    task->source = (struct task_source){.url = "", .size = -1, .pin = "", .identity = ""};
    task->output = task->version = "";
    task->memory_bytes = task->reserve_bytes = kinds[kind].memory_bytes;
    task->wall_limit_s = kinds[kind].base_s;
}

void task_make_sweep(struct task *task) {
    make_bare(task, TASK_SWEEP);
}

void task_make_removal(struct task *task, const char *title, const char *output) {
    make_bare(task, TASK_REMOVE);
    snprintf(task->title, sizeof(task->title), "%s", title);
    task->output = output;
    trace_make(task->trace);
}
