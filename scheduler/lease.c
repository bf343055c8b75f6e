/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving out work: see lease.h. */
#include "lease.h"

#include <inttypes.h>
#include <string.h>

#include "common/mem.h"
#include "estimate.h"
#include "forming.h"
#include "hedge.h"
#include "leftovers.h"
#include "metrics.h"
#include "order.h"
#include "outcome.h"
#include "probes.h"
#include "scheduler/api/call.h"
#include "scheduler/publishing/orphans.h"
#include "scheduler/publishing/push.h"
#include "scheduler/publishing/push_lane.h"
#include "session.h"
#include "task_make.h"
#include "titles.h"

enum {
    READY_MAX = 1024, /* units looked at for one request */
    CAPPED_MS = 1000, /* after which a tenant at its cap may run less, if nobody tells */
    AMPLE = 3,        /* tasks for each slot, all as near as the next one, above which that may be
                         leased ahead */
    AVOID_MS = 60000, /* a worker that failed a unit gets it again after so long at the latest */
};

/* What one request works with. */
struct granting {
    struct tx *tx;
    struct farm *farm;
    struct session_row session;
    int64_t memory_left;
    int slots_left; /* of those that were asked for; the last task may take more than there are */
    const struct lease_request *request;
    bool refused;     /* what is next may not be leased ahead */
    bool idle;        /* the worker runs nothing: it gets what is larger than its memory, rather
                         than nobody */
    size_t slots;     /* of all sessions */
    bool plenty;      /* there is more ready than was looked at */
    bool loaded;      /* the order */
    bool busy_loaded; /* what runs */
    bool held_back;   /* a ready task waits for more of the worker's memory to be free */
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

/* Once for a request. */
static void load_busy(struct granting *g) {
    if (g->busy_loaded) {
        return;
    }
    g->busy_loaded = true;
    struct query query = sql_query(g->tx, SQL_LEASES_OPEN, NULL, 0);
    while (query_next(&query)) {
        int64_t fence = query_integer(&query, 0), slots = query_integer(&query, 4);
        int kind = task_kind_from_name(query_text(&query, 1));
        if (g->request->ahead && fence == g->request->ends) {
            order_add_ending(&g->order, query_text(&query, 2), slots);
            continue; /* the next task's slot is this one's */
        }
        order_add_running(&g->order, query_text(&query, 2), slots);
        if (kind >= 0 && kind_is_pure((enum task_kind)kind)) {
            double left = 1 - farm_progress_share(g->farm, fence);
            for (int64_t slot = 0; slot < slots; slot++) {
                add_busy(g, query_real(&query, 3) * left);
            }
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
        sql_integer(g->tx, SQL_ENCODERS_ABLE,
                    VALUES(INTEGER(unit->build), TEXT(g->session.worker),
                           INTEGER((int64_t)g->farm->sandbox_required)),
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

static void load_ready(struct granting *g, const bool *wanted, size_t limit, size_t tasks) {
    struct order_request request = {.kinds = wanted, .limit = limit, .tasks = tasks};
    g->ready.count = 0;
    g->plenty = order_read(&g->order, g->tx, &request, &g->ready);
    size_t kept = 0;
    for (size_t i = 0; i < g->ready.count; i++) {
        if (!is_kept_for_others(g, &g->ready.rows[i])) {
            g->ready.rows[kept++] = g->ready.rows[i];
        }
    }
    g->ready.count = kept;
    estimate_costs(g->tx, g->farm, &g->ready);
}

static void forget_ready(struct granting *g, size_t first, size_t count) {
    struct unit_row *rows = g->ready.rows;
    memmove(&rows[first], &rows[first + count], (g->ready.count - first - count) * sizeof(*rows));
    g->ready.count -= count;
}

/* ---- one task ---------------------------------------------------------------- */

/* How many of the worker's slots it takes: an encoder's threads are cores at work. */
static int slots_of(const struct granting *g, const struct task *task) {
    int threads = child_spec_threads(&task->spec);
    return threads < g->session.slots ? threads : g->session.slots;
}

/* Writes down who runs what, under a new fence. `straggler` is what it doubles, or NULL. */
static void take_lease(struct granting *g, struct task *task, const struct estimate *estimate,
                       const struct unit_row *units, const struct lease_row *straggler) {
    struct lease_row lease = {.kind = task->kind, .attempt = task->attempt};
    memcpy(lease.worker, g->session.worker, sizeof(lease.worker));
    memcpy(lease.host, g->session.host, sizeof(lease.host));
    int64_t hedge_ms = hedge_delay_ms(g->farm, task->kind, estimate);
    int64_t hedge_at = hedge_ms > 0 && straggler == NULL ? tx_now(g->tx) + hedge_ms : 0;
    const struct lease_terms terms = {.expected_s = estimate->wall_s,
                                      .table_bytes = estimate->table_bytes,
                                      .hedge_ms = hedge_ms,
                                      .hedge_at = hedge_at,
                                      .hedges = straggler == NULL ? 0 : straggler->fence,
                                      .slots = slots_of(g, task)};
    lease_add(g->tx, task, task->title, &g->session, &terms);
    lease.fence = task->fence;
    if (straggler != NULL) {
        hedge_begin(g->tx, straggler);
        metric_add(g->tx, METRIC_HEDGES, 0, 0, 1);
    }
    struct buf detail = {0};
    outcome_detail(&detail, &lease, NULL, NULL);
    struct state_note note = {.title = task->title, .detail = buf_text(&detail)};
    for (size_t i = 0; i < task->unit_count; i++) {
        sql_put(g->tx, SQL_LEASE_UNIT_ADD, VALUES(INTEGER(task->fence), INTEGER(units[i].id)));
        sql_put(g->tx, SQL_UNIT_COUNT_ATTEMPT, VALUES(INTEGER(units[i].id)));
        unit_move(g->tx, units[i].id, units[i].state, straggler == NULL ? UNIT_LEASE : UNIT_HEDGE,
                  &note);
    }
    if (task->kind == TASK_PROBE || (hedge_at > 0 && hedge_ms < CALL_WAIT_MS_MAX)) {
        /* what waits for the identity may be leased again; and who waits for work hears when
         * there may be a straggler, as it does by asking again where that is later */
        tx_wake(g->tx, TOPIC_LEASES);
    }
    buf_finish(&detail);
}

/* Leases these units if the worker's memory holds them; whether it did. */
static bool grant_units(struct granting *g, const struct unit_row *units, size_t count,
                        const struct lease_row *straggler, struct writer *w) {
    struct title_row title = {0};
    struct task task = {0};
    struct estimate estimate = {0};
    struct estimate_place place = {.host = g->session.host, .worker = g->session.worker};
    struct err err = {0};
    bool granted = false;
    if (title_get(g->tx, units[0].title, &title)) {
        if (task_make(&task, &estimate, g->tx, g->farm, &title, units, count, &place, &err) != 0) {
            title_fail(g->tx, title.id, failure_class_name(FAILURE_UNSUPPORTED), err.message);
        } else if (!order_has_room(&g->order, units[0].tenant, slots_of(g, &task))) {
            granted = false; /* a smaller one of the tenant does not go by */
        } else if (task.reserve_bytes <= g->memory_left || g->idle) {
            take_lease(g, &task, &estimate, units, straggler);
            task_write(&task, w, NULL);
            g->memory_left -= task.reserve_bytes;
            g->slots_left -= slots_of(g, &task);
            g->idle = false;
            granted = tx_ok(g->tx);
            order_add_running(&g->order, units[0].tenant, slots_of(g, &task));
            for (int slot = 0; kind_is_pure(task.kind) && slot < slots_of(g, &task); slot++) {
                add_busy(g, estimate.wall_s);
            }
        } else {
            g->held_back = true;
        }
    }
    task_finish(&task);
    title_row_finish(&title);
    return granted;
}

/* Of what is watched first: shared by all slots, though it is decoded more than once. */
static double head_budget(const struct unit_row *units, size_t count, size_t slots) {
    double work = 0;
    for (size_t i = 0; i < count; i++) {
        work += units[i].cost_s;
    }
    return work / (double)slots;
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
    if (units->early && units->chunk == 0) {
        budget = head_budget(units, group->count, slots);
    }
    size_t chosen[FORM_RUNGS_MAX];
    struct unit_row task[FORM_RUNGS_MAX];
    size_t count = forming_share(units, group->count, budget, chosen);
    for (size_t i = 0; i < count; i++) {
        task[i] = units[chosen[i]];
    }
    if (!grant_units(g, task, count, NULL, w)) {
        return false;
    }
    for (size_t i = count; i > 0; i--) {
        forget_ready(g, group->first + chosen[i - 1], 1);
    }
    return true;
}

/* The group to lease next: a probe among those of the next unit's tenant and priority, since
 * all else of a title hangs on it; else one of the next unit's title. `count` where none may be
 * leased. The rule for the end of all work, longest first, is for a title that is the last, and
 * not for what is watched meanwhile. */
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
    if (units[next].kind == TASK_EARLY) {
        return first; /* somebody may be waiting for it before a screen */
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
    bool is_last = end - first == count && !g->plenty && !units[next].early;
    return first + forming_next(units, &groups[first], end - first, is_last ? g->slots : 0);
}

/* Whether what is next may wait for a slot that is not free yet. It is what that slot would be
 * given, so that shares, caps and priorities are those of the moment; and there are so many more
 * like it that others which are free before find enough, and nobody misses this one. */
static bool may_wait(const struct granting *g, const struct unit_row *unit) {
    return g->request->kinds[unit->kind] && unit->kind == TASK_VIDEO && !unit->alone &&
           order_has_more_like(g->tx, unit, AMPLE * g->slots);
}

/* The next task, or false where nothing more fits this worker. */
static bool grant_one(struct granting *g, struct writer *w) {
    bool granted = false;
    struct form_group *groups = mem_zero(g->ready.count + 1, sizeof(*groups));
    while (!granted && !g->refused && g->ready.count > 0 && tx_ok(g->tx)) {
        size_t count = forming_groups(g->ready.rows, g->ready.count, groups);
        size_t chosen = choose_group(g, groups, count);
        if (chosen == count) {
            break;
        }
        bool waits = g->request->ahead;
        granted = (!waits || may_wait(g, &g->ready.rows[groups[chosen].first])) &&
                  grant_share(g, &groups[chosen], w);
        if (!granted) {
            g->refused = waits; /* what comes behind is not for the slot that will be free */
            forget_ready(g, groups[chosen].first, groups[chosen].count);
        }
    }
    mem_free(groups);
    return granted;
}

/* Tasks of what was looked at, for the slots that are left; returns how many. */
static int grant_looked_at(struct granting *g, struct writer *w) {
    int granted = 0;
    while (g->slots_left > 0 && grant_one(g, w)) {
        granted++;
    }
    return granted;
}

/* What orders the units, and what runs where that plays a part: once for a request. */
static void load_order(struct granting *g) {
    if (g->loaded) {
        return;
    }
    load_slots(g);
    order_load(&g->order, g->tx);
    order_load_builds(&g->order, g->tx, g->session.id);
    g->plenty = order_has_plenty(&g->order, g->tx, g->farm, many(g));
    if (!g->plenty || order_needs_running(&g->order)) {
        load_busy(g);
    }
    order_sort(&g->order);
    g->loaded = true;
}

/* Tasks of the first units alone, where there are so many more that the rest plays no part. */
static int grant_first(struct granting *g, const bool *kinds, struct writer *w) {
    size_t tasks = (size_t)g->slots_left + 1;
    size_t first = tasks * FORM_RUNGS_MAX;
    if (!g->plenty || first >= many(g)) {
        return 0;
    }
    load_ready(g, kinds, first, tasks);
    g->plenty = true;
    return grant_looked_at(g, w);
}

static int grant_all(struct granting *g, const bool *kinds, struct writer *w) {
    int granted = 0, more = 0;
    do { /* once more where a request wants more than one look shows */
        load_ready(g, kinds, many(g), 0);
        more = grant_looked_at(g, w);
        granted += more;
    } while (more > 0 && g->slots_left > 0 && g->plenty && tx_ok(g->tx));
    return granted;
}

bool lease_any_ready(struct tx *tx) {
    return sql_integer(tx, SQL_UNITS_ANY_READY, VALUES(INTEGER(tx_now(tx))), 0) != 0;
}

/* Whether the task that ends is of a title that is watched meanwhile: playlists that list it are
 * next. */
static bool ends_early(struct granting *g) {
    struct unit_list units = {0};
    bool early = false;
    lease_units(g->tx, g->request->ends, &units);
    for (size_t i = 0; i < units.count; i++) {
        early = early || units.rows[i].early;
    }
    unit_list_finish(&units);
    return early;
}

/* Tasks of what is ready, for the slots that are left; returns how many. */
static int grant_ready(struct granting *g, const bool *kinds, struct writer *w) {
    int granted = 0;
    if (!lease_any_ready(g->tx)) {
        return 0;
    }
    load_order(g);
    if (g->request->ahead &&
        (probes_any_waiting(g->farm) || order_waits_for_end(&g->order) || ends_early(g))) {
        return 0; /* the slot may be theirs when it is free */
    }
    granted = grant_first(g, kinds, w);
    granted += granted == 0 && !g->refused ? grant_all(g, kinds, w) : 0;
    retry_by(g, order_is_capped(&g->order) ? tx_now(g->tx) + CAPPED_MS : 0);
    return granted;
}

/* Stragglers of others, where nothing else is to do; returns how many. */
static int grant_hedges(struct granting *g, const bool *kinds, struct writer *w) {
    struct lease_list stragglers = {0};
    int granted = 0;
    if (g->farm->hedge_after <= 0) {
        return 0;
    }
    load_order(g);
    load_busy(g);
    struct hedge_request request = {.session = &g->session, .kinds = kinds, .order = &g->order};
    hedge_list(g->tx, &request, &stragglers);
    for (size_t i = 0; i < stragglers.count && g->slots_left > 0 && tx_ok(g->tx); i++) {
        const struct lease_row *straggler = &stragglers.rows[i];
        struct unit_list units = {0};
        if (hedge_units(g->tx, straggler, &units) &&
            !order_is_full(&g->order, units.rows[0].tenant) &&
            grant_units(g, units.rows, units.count, straggler, w)) {
            granted++;
        }
        unit_list_finish(&units);
    }
    lease_list_finish(&stragglers);
    return granted;
}

/* Probes that people wait for; returns how many. */
static int grant_probes(struct granting *g, struct writer *w) {
    struct probe_grant grant = {
        .session = &g->session, .slots = g->slots_left, .memory_left = &g->memory_left};
    int granted = probes_grant(g->tx, g->farm, &grant, w);
    g->slots_left -= granted;
    return granted;
}

/* Sweeps of edges that people wait for; returns how many. */
static int grant_sweeps(struct granting *g, struct writer *w) {
    struct push_request request = {
        .session = &g->session, .slots = g->slots_left, .memory_bytes = g->memory_left};
    bool any = orphans_next_at(g->tx, g->farm) > 0;
    request.slots = any ? push_lane_spare(g->tx, g->farm, &request) : 0;
    int granted = orphans_grant(g->tx, g->farm, &request, &g->memory_left, w);
    g->slots_left -= granted;
    return granted;
}

/* What lies at outputs in vain; returns how many tasks. */
static int grant_leftovers(struct granting *g, struct writer *w) {
    int granted = leftovers_grant(g->tx, &g->session, &g->memory_left, w);
    g->slots_left -= granted;
    return granted;
}

/* Pushes, which stand in no queue; returns how many. */
static int grant_pushes(struct granting *g, struct writer *w) {
    struct push_request request = {
        .session = &g->session, .slots = g->slots_left, .memory_bytes = g->memory_left};
    return g->slots_left > 0 && tx_ok(g->tx) ? push_grant(g->tx, g->farm, &request, w) : 0;
}

int lease_grant(struct tx *tx, struct farm *farm, const struct lease_request *request,
                struct writer *w, int64_t *retry_at) {
    struct granting g = {.tx = tx,
                         .farm = farm,
                         .memory_left = request->memory_bytes,
                         .slots_left = request->slots,
                         .request = request,
                         .order = {.rules = &farm->tenants}};
    int granted = 0;
    bool kinds[TASK_KIND_COUNT], queued = false; /* whether it asks for what stands in the queue */
    struct value now = INTEGER(tx_now(tx));
    for (int i = 0; i < TASK_KIND_COUNT; i++) {
        queued = queued || (request->kinds[i] && i != TASK_PUSH && i != TASK_SWEEP);
    }
    if (session_get(tx, request->session, &g.session) && !g.session.stopping &&
        !session_is_drained(tx, g.session.worker)) {
        for (int i = 0; i < TASK_KIND_COUNT; i++) { /* pure ones read the source */
            kinds[i] = (request->kinds[i] || request->ahead) && i != TASK_PUSH &&
                       (!kind_is_pure((enum task_kind)i) || session_is_walled(farm, &g.session));
        }
        granted = kinds[TASK_PROBE] && !request->ahead ? grant_probes(&g, w) : 0;
        if (request->kinds[TASK_REMOVE] && !request->ahead && g.slots_left > 0 && tx_ok(tx)) {
            granted += grant_leftovers(&g, w); /* few and soon done, and a busy farm has no end */
        }
        granted += queued && g.slots_left > 0 ? grant_ready(&g, kinds, w) : 0;
        if (queued && !request->ahead && g.slots_left > 0 && !g.held_back && tx_ok(tx)) {
            granted += grant_hedges(&g, kinds, w);
        }
        granted += request->kinds[TASK_SWEEP] && g.slots_left > 0 ? grant_sweeps(&g, w) : 0;
        granted += request->kinds[TASK_PUSH] ? grant_pushes(&g, w) : 0;
    }
    if (granted == 0) {
        retry_by(&g, queued ? sql_integer(tx, SQL_UNITS_NEXT_READY_AT, VALUES(now), 0) : 0);
        /* Also for a worker that may get none: others that wait go by what it found. */
        retry_by(&g, queued && farm->hedge_after > 0 ? hedge_next_at(tx) : 0);
        retry_by(&g, request->kinds[TASK_PUSH] ? push_next_at(tx, farm) : 0);
        retry_by(&g, queued ? leftovers_next_at(tx) : 0);
        retry_by(&g, request->kinds[TASK_SWEEP] ? orphans_next_at(tx, farm) : 0);
    }
    *retry_at = g.retry_at;
    order_finish(&g.order);
    unit_list_finish(&g.ready);
    mem_free(g.busy_s);
    return granted;
}
