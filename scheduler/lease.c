/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving out work: see lease.h. */
#include "lease.h"

#include <inttypes.h>
#include <string.h>

#include "common/mem.h"
#include "forming.h"
#include "metrics.h"
#include "order.h"
#include "outcome.h"
#include "session.h"
#include "titles.h"

enum {
    READY_MAX = 1024, /* units looked at for one request */
    CAPPED_MS = 1000, /* after which a tenant at its cap may run less, if nobody tells */
    AVOID_MS = 60000, /* a worker that failed a unit gets it again after so long at the latest */
};

/* Limits of an attempt, generous: they end a hang, not slow work. */
static const struct {
    double base_s;
    double per_cost;      /* seconds for each expected CPU second */
    int64_t memory_bytes; /* of kinds that run in the worker's daemon */
} kinds[TASK_KIND_COUNT] = {
    [TASK_PROBE] = {3600, 0, 0}, /* a pass over all packets, perhaps over http */
    [TASK_VIDEO] = {120, 30, 0},         [TASK_AUDIO] = {600, 30, 0},
    [TASK_PACKAGE] = {600, 0, 64 << 20}, [TASK_SWAP] = {120, 0, 16 << 20},
    [TASK_REMOVE] = {600, 0, 16 << 20},
};

/* What one request works with. */
struct granting {
    struct tx *tx;
    struct farm *farm;
    struct session_row session;
    int64_t memory_left;
    bool idle;    /* the worker runs nothing: it gets what is larger than its memory, rather
                     than nobody */
    size_t slots; /* of all sessions */
    bool plenty;  /* there is more ready than was looked at */
    struct order order;
    struct unit_list ready; /* as order_read lists them */
    double *busy_s;
    size_t busy;
    int64_t retry_at;
};

/* ---- what there is ----------------------------------------------------------- */

static void load_slots(struct granting *g) {
    g->slots = farm_slots(g->tx, g->farm);
    g->idle = sql_integer(g->tx, SQL_SESSION_BUSY, VALUES(TEXT(g->session.id)), 0) == 0;
}

static void add_busy(struct granting *g, double cost_s) {
    g->busy_s = mem_resize(g->busy_s, g->busy + 1, sizeof(*g->busy_s));
    g->busy_s[g->busy++] = cost_s;
}

static void load_busy(struct granting *g) {
    struct query query = sql_query(g->tx, SQL_LEASES_OPEN, NULL, 0);
    while (query_next(&query)) {
        int kind = task_kind_from_name(query_text(&query, 1));
        order_add_running(&g->order, query_text(&query, 2));
        if (kind >= 0 && kind_is_pure((enum task_kind)kind)) {
            double left = 1 - farm_progress_share(g->farm, query_integer(&query, 0));
            add_busy(g, query_real(&query, 3) * left);
        }
    }
}

static void retry_by(struct granting *g, int64_t at) {
    if (at > 0 && (g->retry_at == 0 || at < g->retry_at)) {
        g->retry_at = at;
    }
}

/* Whether a unit that this worker failed is kept for another that could run it. */
static bool is_kept_for_others(struct granting *g, const struct unit_row *unit) {
    if (strcmp(unit->avoid, g->session.worker) != 0 || tx_now(g->tx) >= unit->ready_at + AVOID_MS ||
        sql_integer(g->tx, SQL_ENCODERS_ABLE, VALUES(INTEGER(unit->build), TEXT(g->session.worker)),
                    0) == 0) {
        return false;
    }
    retry_by(g, unit->ready_at + AVOID_MS);
    return true;
}

/* As many units keep all slots at work for a while. */
static size_t many(const struct granting *g) {
    size_t limit = (2 * g->slots + 1) * FORM_RUNGS_MAX;
    return limit < READY_MAX ? limit : READY_MAX;
}

static void load_ready(struct granting *g, const bool *wanted, size_t limit) {
    struct order_request request = {.session = g->session.id, .kinds = wanted, .limit = limit};
    g->ready.count = 0;
    g->plenty = order_read(&g->order, g->tx, &request, &g->ready);
    size_t kept = 0;
    for (size_t i = 0; i < g->ready.count; i++) {
        if (!is_kept_for_others(g, &g->ready.rows[i])) {
            g->ready.rows[kept++] = g->ready.rows[i];
        }
    }
    g->ready.count = kept;
}

static void forget_ready(struct granting *g, size_t first, size_t count) {
    struct unit_row *rows = g->ready.rows;
    memmove(&rows[first], &rows[first + count], (g->ready.count - first - count) * sizeof(*rows));
    g->ready.count -= count;
}

/* ---- one task ---------------------------------------------------------------- */

/* Fills what the child is told and how much it may take. 0 or the error of the plan. */
static int fill_spec(struct granting *g, struct task *task, const struct title_row *title,
                     const struct plan *plan, const struct unit_row *units, size_t count,
                     struct err *err) {
    if (task->kind == TASK_PROBE) {
        struct ladder ladder;
        int result = farm_ladder(title, &ladder, err);
        if (result == 0) {
            plan_probe_spec(&task->spec, &ladder, task->source.size, &g->farm->limits);
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
static void fill_source(struct granting *g, struct task *task, const struct title_row *title) {
    task->source = (struct task_source){.url = title->source,
                                        .size = title->source_size,
                                        .pin = title->pin,
                                        .identity = title->identity};
    if (task->kind != TASK_PROBE) {
        return;
    }
    struct query query = sql_query(g->tx, SQL_SOURCE_GET, VALUES(TEXT(title->source)));
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

/* A task of these units but for its fence. */
static int make_task(struct granting *g, struct task *task, const struct title_row *title,
                     const struct unit_row *units, size_t count, struct err *err) {
    const struct plan *plan = NULL;
    int doublings = 0;
    double cost = 0;
    for (size_t i = 0; i < count; i++) {
        doublings = doublings > units[i].doublings ? doublings : units[i].doublings;
        cost += units[i].cost_s;
    }
    if (units[0].rendition >= 0) {
        plan = farm_plan(g->tx, g->farm, title);
        if (plan == NULL) {
            return err_set(err, tx_err(g->tx)->code, "%s", tx_err(g->tx)->message);
        }
    }
    task->kind = units[0].kind;
    memcpy(task->title, units[0].title, sizeof(task->title));
    task->output = title->output;
    task->version = task->kind == TASK_SWAP ? title->packaged : "";
    task->wall_limit_s = kinds[task->kind].base_s + kinds[task->kind].per_cost * cost;
    fill_source(g, task, title);
    fill_units(task, plan, units, count);
    int result = fill_spec(g, task, title, plan, units, count, err);
    task->memory_bytes <<= doublings;
    return result;
}

/* Writes down who runs what, under a new fence. */
static void take_lease(struct granting *g, struct task *task, const struct unit_row *units) {
    struct lease_row lease = {.kind = task->kind, .attempt = task->attempt};
    lease.fence = task->fence = tx_numbers(g->tx, "fence", 1);
    memcpy(lease.worker, g->session.worker, sizeof(lease.worker));
    memcpy(lease.host, g->session.host, sizeof(lease.host));
    sql_run(g->tx, SQL_LEASE_ADD,
            VALUES(INTEGER(task->fence), TEXT(g->session.id), TEXT(lease.worker), TEXT(lease.host),
                   TEXT(task->title), TEXT(task_kind_name(task->kind)),
                   TEXT(state_name(MACHINE_LEASE, LEASE_LIVE)), INTEGER(task->attempt),
                   INTEGER(tx_now(g->tx))));
    metric_add(g->tx, METRIC_LEASES_GRANTED, (int)task->kind, 0, 1);
    struct buf detail = {0};
    outcome_detail(&detail, &lease, NULL, NULL);
    struct state_note note = {.title = task->title, .detail = buf_text(&detail)};
    for (size_t i = 0; i < task->unit_count; i++) {
        sql_run(g->tx, SQL_LEASE_UNIT_ADD, VALUES(INTEGER(task->fence), INTEGER(units[i].id)));
        sql_run(g->tx, SQL_UNIT_COUNT_ATTEMPT, VALUES(INTEGER(units[i].id)));
        unit_move(g->tx, units[i].id, units[i].state, UNIT_LEASE, &note);
    }
    if (task->kind == TASK_PROBE) {
        tx_wake(g->tx, TOPIC_LEASES); /* what waits for the identity may be leased again */
    }
    buf_finish(&detail);
}

/* Leases these units if the worker's memory holds them; whether it did. */
static bool grant_units(struct granting *g, const struct unit_row *units, size_t count,
                        struct writer *w) {
    struct title_row title = {0};
    struct task task = {0};
    struct err err = {0};
    bool granted = false;
    if (title_get(g->tx, units[0].title, &title)) {
        if (make_task(g, &task, &title, units, count, &err) != 0) {
            title_fail(g->tx, title.id, failure_class_name(FAILURE_UNSUPPORTED), err.message);
        } else if (task.memory_bytes <= g->memory_left || g->idle) {
            take_lease(g, &task, units);
            task_write(&task, w, NULL);
            g->memory_left -= task.memory_bytes;
            g->idle = false;
            granted = tx_ok(g->tx);
        }
    }
    task_finish(&task);
    title_row_finish(&title);
    return granted;
}

/* How much of a group this slot takes, and leases it. */
static bool grant_share(struct granting *g, const struct form_group *group, struct writer *w) {
    const struct unit_row *units = &g->ready.rows[group->first];
    double work = 0;
    for (size_t i = 0; i < g->ready.count; i++) {
        work += kind_is_pure(g->ready.rows[i].kind) ? g->ready.rows[i].cost_s : 0;
    }
    size_t slots = g->slots > g->busy ? g->slots : g->busy + 1;
    double budget = g->plenty ? 1e12 : forming_budget(g->busy_s, g->busy, slots, work);
    size_t chosen[FORM_RUNGS_MAX];
    struct unit_row task[FORM_RUNGS_MAX];
    size_t count = forming_share(units, group->count, budget, chosen);
    double cost = 0;
    for (size_t i = 0; i < count; i++) {
        task[i] = units[chosen[i]];
        cost += task[i].cost_s;
    }
    if (!grant_units(g, task, count, w)) {
        return false;
    }
    order_add_running(&g->order, task[0].tenant);
    if (kind_is_pure(task[0].kind)) {
        add_busy(g, cost);
    }
    for (size_t i = count; i > 0; i--) {
        forget_ready(g, group->first + chosen[i - 1], 1);
    }
    return true;
}

/* The group to lease next: a probe among those of the next unit's tenant and priority, since
 * all else of a title hangs on it; else one of the next unit's title. `count` where none may be
 * leased. The rule for the end of all work, longest first, is for a title that is the last. */
static size_t choose_group(struct granting *g, const struct form_group *groups, size_t count) {
    const struct unit_row *units = g->ready.rows;
    size_t next = order_next(&g->order, units, g->ready.count);
    if (next == g->ready.count) {
        return count;
    }
    size_t first = 0, end = 0;
    while (groups[first].first != next) {
        first++;
    }
    for (size_t i = first; i < count; i++) {
        const struct unit_row *unit = &units[groups[i].first];
        if (strcmp(unit->tenant, units[next].tenant) != 0 ||
            unit->priority != units[next].priority) {
            break;
        }
        if (unit->kind == TASK_PROBE) {
            return i;
        }
    }
    for (end = first; end < count; end++) {
        if (strcmp(units[groups[end].first].title, units[next].title) != 0) {
            break;
        }
    }
    bool is_last = end - first == count && !g->plenty;
    return first + forming_next(units, &groups[first], end - first, is_last ? g->slots : 0);
}

/* The next task, or false where nothing more fits this worker. */
static bool grant_one(struct granting *g, struct writer *w) {
    bool granted = false;
    struct form_group *groups = mem_zero(g->ready.count + 1, sizeof(*groups));
    while (!granted && g->ready.count > 0 && tx_ok(g->tx)) {
        size_t count = forming_groups(g->ready.rows, g->ready.count, groups);
        size_t chosen = choose_group(g, groups, count);
        if (chosen == count) {
            break;
        }
        granted = grant_share(g, &groups[chosen], w);
        if (!granted) {
            forget_ready(g, groups[chosen].first, groups[chosen].count);
        }
    }
    mem_free(groups);
    return granted;
}

/* Up to `slots` tasks of what was looked at; returns how many. */
static int grant_looked_at(struct granting *g, int slots, struct writer *w) {
    int granted = 0;
    while (granted < slots && grant_one(g, w)) {
        granted++;
    }
    return granted;
}

/* What orders the units, and what runs where that plays a part. */
static void load_order(struct granting *g) {
    load_slots(g);
    order_load(&g->order, g->tx);
    g->plenty = order_has_plenty(&g->order, g->tx, g->session.id, many(g));
    if (!g->plenty || order_needs_running(&g->order)) {
        load_busy(g);
    }
    order_sort(&g->order);
}

/* Tasks of the first units alone, where there are so many more that the rest plays no part. */
static int grant_first(struct granting *g, const struct lease_request *request, struct writer *w) {
    size_t first = ((size_t)request->slots + 1) * FORM_RUNGS_MAX;
    if (!g->plenty || first >= many(g)) {
        return 0;
    }
    load_ready(g, request->kinds, first);
    g->plenty = true;
    return grant_looked_at(g, request->slots, w);
}

static int grant_all(struct granting *g, const struct lease_request *request, struct writer *w) {
    int granted = 0, more = 0;
    do { /* once more where a request wants more than one look shows */
        load_ready(g, request->kinds, many(g));
        more = grant_looked_at(g, request->slots - granted, w);
        granted += more;
    } while (more > 0 && granted < request->slots && g->plenty && tx_ok(g->tx));
    return granted;
}

bool lease_any_ready(struct tx *tx) {
    return sql_integer(tx, SQL_UNITS_ANY_READY, VALUES(INTEGER(tx_now(tx))), 0) != 0;
}

int lease_grant(struct tx *tx, struct farm *farm, const struct lease_request *request,
                struct writer *w, int64_t *retry_at) {
    struct granting g = {.tx = tx,
                         .farm = farm,
                         .memory_left = request->memory_bytes,
                         .order = {.rules = &farm->tenants}};
    int granted = 0;
    struct value now = INTEGER(tx_now(tx));
    if (session_get(tx, request->session, &g.session) && lease_any_ready(tx) &&
        !session_is_drained(tx, g.session.worker)) {
        load_order(&g);
        granted = grant_first(&g, request, w);
        granted += granted == 0 ? grant_all(&g, request, w) : 0;
        retry_by(&g, order_is_capped(&g.order) ? tx_now(tx) + CAPPED_MS : 0);
    }
    if (granted == 0) {
        retry_by(&g, sql_integer(tx, SQL_UNITS_NEXT_READY_AT, VALUES(now), 0));
    }
    *retry_at = g.retry_at;
    order_finish(&g.order);
    unit_list_finish(&g.ready);
    mem_free(g.busy_s);
    return granted;
}
