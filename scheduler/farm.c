/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the store's thread keeps in memory: see farm.h. */
#include "farm.h"

#include <stdio.h>
#include <string.h>

#include "common/id.h"
#include "common/json.h"
#include "common/mem.h"
#include "probes.h"
#include "scheduler/publishing/orphans.h"

void farm_init(struct farm *farm) {
    *farm = (struct farm){
        .heartbeat_ms = 10000,
        .ttl_ms = 30000,
        .keep_versions_ms = INT64_MAX,
        .limits = plan_limits_default(),
        .draw = id_number,
        .sandbox_required = SANDBOX_NONE,
        .slots = -1,
    };
}

void farm_finish(struct farm *farm) {
    farm_forget(farm);
    probe_book_destroy(farm->probes);
    farm->probes = NULL;
    orphan_book_destroy(farm->orphans);
    farm->orphans = NULL;
    mem_free(farm->progress);
    farm->progress = NULL;
    farm->progress_count = farm->progress_capacity = 0;
}

/* Where the lease's progress is, or where it goes: they lie in the order of fences. */
static size_t find_progress(const struct farm *farm, int64_t fence) {
    size_t first = 0, end = farm->progress_count;
    while (first < end) {
        size_t middle = first + (end - first) / 2;
        if (farm->progress[middle].fence < fence) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return first;
}

struct progress *farm_progress(struct farm *farm, int64_t fence) {
    size_t at = find_progress(farm, fence);
    bool found = at < farm->progress_count && farm->progress[at].fence == fence;
    return found ? &farm->progress[at] : NULL;
}

struct progress *farm_progress_make(struct farm *farm, int64_t fence) {
    size_t at = find_progress(farm, fence);
    if (at < farm->progress_count && farm->progress[at].fence == fence) {
        return &farm->progress[at];
    }
    if (farm->progress_count == farm->progress_capacity) {
        farm->progress_capacity = farm->progress_capacity == 0 ? 16 : 2 * farm->progress_capacity;
        farm->progress =
            mem_resize(farm->progress, farm->progress_capacity, sizeof(*farm->progress));
    }
    struct progress *place = &farm->progress[at];
    memmove(place + 1, place, (farm->progress_count - at) * sizeof(*place));
    farm->progress_count++;
    *place = (struct progress){.fence = fence};
    return place;
}

void farm_progress_drop(struct farm *farm, int64_t fence) {
    struct progress *found = farm_progress(farm, fence);
    if (found != NULL) {
        size_t at = (size_t)(found - farm->progress);
        farm->progress_count--;
        memmove(found, found + 1, (farm->progress_count - at) * sizeof(*found));
    }
}

double farm_progress_share(struct farm *farm, int64_t fence) {
    const struct progress *found = farm_progress(farm, fence);
    if (found == NULL || found->total <= 0) {
        return 0;
    }
    return found->done >= found->total ? 1 : (double)found->done / (double)found->total;
}

static int read_plan(const char *text, const char *output, struct plan **out, struct err *err) {
    struct json *tree = NULL;
    int result = json_tree_parse(&tree, text, strlen(text), err);
    if (result == 0) {
        struct title_plan title = {0};
        struct reader reader = reader_of(tree, "the stored plan", err);
        title_plan_read(&title, &reader);
        if (reader_ok(&reader)) {
            result = plan_restore(out, &title, output, err);
        } else {
            title_plan_finish(&title);
            result = (int)err->code;
        }
    }
    json_tree_destroy(tree);
    return result;
}

struct plan *farm_plan_load(struct tx *tx, const struct title_row *title) {
    struct plan *plan = NULL;
    struct query query = sql_query(tx, SQL_TITLE_PLAN, VALUES(TEXT(title->id)));
    if (query_next(&query)) {
        struct err err = {0};
        if (read_plan(query_text(&query, 0), title->output, &plan, &err) != 0) {
            err_set(tx_err(tx), ERR_CORRUPT, "the plan of title %s can't be read: %s", title->id,
                    err.message);
        }
    }
    query_close(&query);
    return plan;
}

const struct plan *farm_plan_kept(struct farm *farm, const char *title, int64_t submission,
                                  bool identified) {
    for (int i = 0; i < FARM_PLANS; i++) {
        struct farm_plan *plan = &farm->plans[i];
        if (plan->plan != NULL && plan->submission == submission &&
            plan->identified == identified && strcmp(plan->title, title) == 0) {
            plan->used = ++farm->uses;
            return plan->plan;
        }
    }
    return NULL;
}

const struct plan *farm_plan(struct tx *tx, struct farm *farm, const struct title_row *title) {
    bool identified = title->identity[0] != '\0';
    const struct plan *kept = farm_plan_kept(farm, title->id, title->submission, identified);
    struct plan *plan = kept == NULL ? farm_plan_load(tx, title) : NULL;
    if (plan != NULL) {
        struct farm_plan *slot = &farm->plans[0];
        for (int i = 1; i < FARM_PLANS; i++) {
            slot = farm->plans[i].used < slot->used ? &farm->plans[i] : slot;
        }
        plan_destroy(slot->plan);
        *slot = (struct farm_plan){.submission = title->submission,
                                   .identified = identified,
                                   .plan = plan,
                                   .used = ++farm->uses};
        snprintf(slot->title, sizeof(slot->title), "%s", title->id);
    }
    return kept != NULL ? kept : plan;
}

/* All encoders that sessions announce; strings live in the arena. */
static struct announced_encoder *list_encoders(struct tx *tx, const struct farm *farm,
                                               struct arena *arena, size_t *count) {
    struct announced_encoder *list = NULL;
    size_t capacity = 0;
    *count = 0;
    struct query query =
        sql_query(tx, SQL_ENCODERS, VALUES(INTEGER((int64_t)farm->sandbox_required)));
    while (query_next(&query)) {
        if (*count == capacity) {
            capacity = capacity == 0 ? 16 : 2 * capacity;
            list = mem_resize(list, capacity, sizeof(*list));
        }
        list[(*count)++] = (struct announced_encoder){
            .name = arena_string(arena, query_text(&query, 0)),
            .codec = codec_from_name(query_text(&query, 1)),
            .build_line = arena_string(arena, query_text(&query, 2)),
            .tail_frames = query_integer(&query, 3),
            .idle = query_integer(&query, 4) != 0,
            .slots = query_integer(&query, 5),
        };
    }
    return list;
}

int farm_plan_make(struct tx *tx, const struct farm *farm, const struct plan_options *options,
                   struct plan **out, struct err *err) {
    struct arena arena = {0};
    struct plan_options whole = *options;
    struct announced_encoder *encoders = list_encoders(tx, farm, &arena, &whole.encoder_count);
    whole.encoders = encoders;
    int result = plan_create(out, &whole, err);
    mem_free(encoders);
    arena_finish(&arena);
    return result;
}

void farm_forget(struct farm *farm) {
    model_finish(&farm->model);
    for (int i = 0; i < FARM_PLANS; i++) {
        plan_destroy(farm->plans[i].plan);
        farm->plans[i] = (struct farm_plan){0};
    }
    memset(farm->floors, 0, sizeof(farm->floors));
    farm_slots_forget(farm);
}

size_t farm_slots(struct tx *tx, struct farm *farm) {
    if (farm->slots < 0) {
        farm->slots = sql_integer(tx, SQL_SESSIONS_SLOTS, NULL, 0, 0);
    }
    return (size_t)farm->slots;
}

void farm_slots_forget(struct farm *farm) {
    farm->slots = -1;
}

int64_t farm_build_number(struct tx *tx, const char *line) {
    int64_t id = sql_integer(tx, SQL_BUILD_GET, VALUES(TEXT(line)), 0);
    if (id == 0 && tx_ok(tx)) {
        id = tx_numbers(tx, "build", 1);
        sql_run(tx, SQL_BUILD_ADD, VALUES(INTEGER(id), TEXT(line)));
    }
    return id;
}

int farm_ladder(const struct title_row *title, struct ladder *out, struct err *err) {
    struct json *tree = NULL;
    int result = json_tree_parse(&tree, title->ladder, strlen(title->ladder), err);
    if (result == 0) {
        struct reader reader = reader_of(tree, "the stored ladder", err);
        result = ladder_read(out, &reader, err);
    }
    json_tree_destroy(tree);
    return result;
}
