/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tasks are expected to take, over the store: see estimate.h. */
#include "estimate.h"

enum { HOST_KEPT_MS = 30 * 86400 * 1000LL }; /* without a report: spot nodes come and go */

static void read_fit(struct query *query, int column, struct model_fit *out) {
    out->weight = query_real(query, column);
    out->mean = query_real(query, column + 1);
    out->variance = query_real(query, column + 2);
    out->most = query_real(query, column + 3);
}

static struct model *load(struct tx *tx, struct farm *farm) {
    struct model *model = &farm->model;
    if (model->loaded) {
        return model;
    }
    struct query query = sql_query(tx, SQL_MODEL, NULL, 0);
    while (query_next(&query)) {
        struct model_row *row = model_add(model, query_integer(&query, 0), query_text(&query, 1));
        read_fit(&query, 2, &row->wall);
        read_fit(&query, 6, &row->memory);
    }
    model->loaded = tx_ok(tx);
    return model;
}

/* The row of a name, added where it is not there; NULL where the store can't. */
static struct model_row *take_row(struct tx *tx, struct farm *farm, const char *name) {
    struct model *model = load(tx, farm);
    struct model_row *found = model_find_name(model, name);
    if (found != NULL || !tx_ok(tx)) {
        return found;
    }
    if (sql_run(tx, SQL_MODEL_DROP_HOSTS, VALUES(INTEGER(tx_now(tx) - HOST_KEPT_MS))) > 0) {
        model_finish(model);
        load(tx, farm);
    }
    int64_t id = tx_numbers(tx, "model", 1);
    sql_put(tx, SQL_MODEL_ADD, VALUES(INTEGER(id), TEXT(name), INTEGER(tx_now(tx))));
    return tx_ok(tx) ? model_add(model, id, name) : NULL;
}

static void keep_row(struct tx *tx, const struct model_row *row) {
    const struct model_fit *wall = &row->wall, *memory = &row->memory;
    sql_put(tx, SQL_MODEL_SET,
            VALUES(INTEGER(row->id), INTEGER(tx_now(tx)), REAL(wall->weight), REAL(wall->mean),
                   REAL(wall->variance), REAL(wall->most), REAL(memory->weight), REAL(memory->mean),
                   REAL(memory->variance), REAL(memory->most)));
}

static void name_class(char name[MODEL_NAME_TEXT], const struct rendition_plan *rendition) {
    if (rendition->is_image) {
        model_class_name(name, PLAN_IMAGES_ENCODER, rendition->id, 0);
    } else if (rendition->is_video) {
        const struct video_spec *spec = &rendition->video;
        model_class_name(name, spec->encoder, spec->preset, (int64_t)spec->width * spec->height);
    } else {
        model_class_name(name, rendition->audio.encoder, "-", 0);
    }
}

int64_t estimate_class(struct tx *tx, struct farm *farm, const struct rendition_plan *rendition) {
    char name[MODEL_NAME_TEXT];
    name_class(name, rendition);
    const struct model_row *row = take_row(tx, farm, name);
    return row == NULL ? 0 : row->id;
}

static double wall_factor(const struct model *model, const struct unit_row *unit) {
    const struct model_row *row = model_find(model, unit->model);
    return model_factor(row == NULL ? NULL : &row->wall);
}

void estimate_costs(struct tx *tx, struct farm *farm, struct unit_list *units) {
    const struct model *model = load(tx, farm);
    for (size_t i = 0; i < units->count; i++) {
        units->rows[i].cost_s = units->rows[i].table_s * wall_factor(model, &units->rows[i]);
    }
}

static double factor_of(const struct model *model, const char *name) {
    const struct model_row *row = model_find_name(model, name);
    return model_factor(row == NULL ? NULL : &row->wall);
}

static double host_factor(const struct model *model, const char *host) {
    char name[MODEL_NAME_TEXT];
    model_host_name(name, host);
    return factor_of(model, name);
}

/* Of a host whose workers are not all alike: one may have fewer cores, or busy neighbours. A new
 * one is as its host. */
static double place_factor(const struct model *model, const struct estimate_place *place) {
    char name[MODEL_NAME_TEXT];
    model_worker_name(name, place->worker);
    return host_factor(model, place->host) * factor_of(model, name);
}

bool estimate_rendition(double *factor, struct tx *tx, struct farm *farm,
                        const struct rendition_plan *rendition, double slow) {
    char name[MODEL_NAME_TEXT];
    name_class(name, rendition);
    const struct model_row *row = model_find_name(load(tx, farm), name);
    bool is_known = row != NULL && row->wall.weight > 0;
    *factor = is_known ? model_factor(&row->wall) * slow : 1;
    return is_known;
}

double estimate_farm_slowness(struct tx *tx, struct farm *farm) {
    const struct model *model = load(tx, farm);
    double slots = 0, speed = 0; /* a slow one gets the fewer tasks for it */
    struct query query = sql_query(tx, SQL_SESSIONS_PLACES, NULL, 0);
    while (query_next(&query)) {
        struct estimate_place place = {.host = query_text(&query, 0),
                                       .worker = query_text(&query, 1)};
        double there = query_real(&query, 2);
        slots += there;
        speed += there / place_factor(model, &place);
    }
    return speed > 0 ? slots / speed : 1;
}

/* The unit of a task by which its memory goes: that of all together is told once. */
static size_t costliest(const struct unit_row *units, size_t count) {
    size_t most = 0;
    for (size_t i = 1; i < count; i++) {
        most = units[i].table_s > units[most].table_s ? i : most;
    }
    return most;
}

struct estimate estimate_task(struct tx *tx, struct farm *farm, const struct unit_row *units,
                              size_t count, const struct estimate_place *place,
                              int64_t table_bytes) {
    const struct model *model = load(tx, farm);
    struct estimate out = {.spread = 1, .table_bytes = table_bytes};
    for (size_t i = 0; i < count; i++) {
        const struct model_row *row = model_find(model, units[i].model);
        double spread = model_spread(row == NULL ? NULL : &row->wall);
        out.wall_s += units[i].table_s * wall_factor(model, &units[i]);
        out.spread = out.spread > spread ? out.spread : spread;
    }
    const struct model_row *row = model_find(model, units[costliest(units, count)].model);
    out.reserve_bytes = model_memory(row == NULL ? NULL : &row->memory, table_bytes);
    out.wall_s *= place_factor(model, place);
    return out;
}

static double class_seconds(const struct model *model, const struct unit_list *units) {
    double seconds = 0;
    for (size_t i = 0; i < units->count; i++) {
        seconds += units->rows[i].table_s * wall_factor(model, &units->rows[i]);
    }
    return seconds;
}

static void learn_classes(struct tx *tx, const struct model *model, const struct lease_row *lease,
                          const struct unit_list *units, const struct task_stats *stats,
                          double place) {
    double table_s = 0;
    for (size_t i = 0; i < units->count; i++) {
        table_s += units->rows[i].table_s;
    }
    size_t largest = costliest(units->rows, units->count);
    for (size_t i = 0; i < units->count && tx_ok(tx); i++) {
        struct model_row *row = model_find(model, units->rows[i].model);
        double share = units->rows[i].table_s / table_s;
        if (row != NULL) {
            model_learn(&row->wall, stats->wall_s, table_s * place, share);
            if (i == largest) {
                model_learn(&row->memory, (double)stats->peak_memory, (double)lease->table_bytes,
                            1);
            }
            keep_row(tx, row);
        }
    }
}

static void learn_wall(struct tx *tx, struct farm *farm, const char *name, double measured,
                       double expected) {
    struct model_row *row = take_row(tx, farm, name);
    if (row != NULL) {
        model_learn(&row->wall, measured, expected, 1);
        keep_row(tx, row);
    }
}

/* What the class of the units and the host do not explain is the worker's. */
void estimate_learn(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                    const struct unit_list *units, const struct task_stats *stats) {
    const struct model *model = load(tx, farm);
    char host[MODEL_NAME_TEXT], worker[MODEL_NAME_TEXT];
    model_host_name(host, lease->host);
    model_worker_name(worker, lease->worker);
    double of_host = factor_of(model, host), of_worker = factor_of(model, worker);
    double class_s = class_seconds(model, units);
    learn_classes(tx, model, lease, units, stats, of_host * of_worker);
    learn_wall(tx, farm, host, stats->wall_s, class_s * of_worker);
    double explained_s = class_seconds(model, units) * factor_of(model, host);
    learn_wall(tx, farm, worker, stats->wall_s, explained_s);
}
