/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of leasing: see order.h. */
#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "forming.h"

enum {
    TENANT_ROWS_MIN = 64, /* read of a tenant at least: two tasks of many rungs */
    TENANTS_READ = 16,    /* that have something for the session */
    FLOOR_PARTS = 4,      /* times what is asked for, counted at once, so that it lasts */
};

void order_finish(struct order *order) {
    mem_free(order->tenants);
    mem_free(order->builds);
    *order = (struct order){0};
}

/* ---- tenants ----------------------------------------------------------------- */

static const struct order_tenant *find_tenant(const struct order *order, const char *name) {
    for (size_t i = 0; i < order->count; i++) {
        if (strcmp(order->tenants[i].name, name) == 0) {
            return &order->tenants[i];
        }
    }
    return NULL;
}

/* The tenant, added where it is not there. */
static struct order_tenant *take_tenant(struct order *order, const char *name) {
    const struct order_tenant *found = find_tenant(order, name);
    if (found != NULL) {
        return &order->tenants[found - order->tenants];
    }
    struct tenant_rule rule = tenant_rules_find(order->rules, name);
    order->tenants = mem_resize(order->tenants, order->count + 1, sizeof(*order->tenants));
    struct order_tenant *tenant = &order->tenants[order->count++];
    *tenant = (struct order_tenant){.weight = rule.weight, .cap = rule.cap};
    snprintf(tenant->name, sizeof(tenant->name), "%s", name);
    return tenant;
}

void order_add_running(struct order *order, const char *tenant, int64_t slots) {
    take_tenant(order, tenant)->running += slots;
}

void order_add_ending(struct order *order, const char *tenant, int64_t slots) {
    take_tenant(order, tenant)->ending += slots;
}

static bool is_full(const struct order_tenant *tenant) {
    return tenant->cap > 0 && (tenant->waits || tenant->running + tenant->ending >= tenant->cap);
}

bool order_has_room(struct order *order, const char *name, int64_t slots) {
    struct order_tenant *tenant = take_tenant(order, name);
    int64_t taken = tenant->running + tenant->ending;
    tenant->waits = tenant->waits || (tenant->cap > 0 && taken > 0 && taken + slots > tenant->cap);
    return !tenant->waits;
}

bool order_waits_for_end(const struct order *order) {
    for (size_t i = 0; i < order->count; i++) {
        const struct order_tenant *tenant = &order->tenants[i];
        if (tenant->has_ready && tenant->ending > 0 && is_full(tenant)) {
            return true;
        }
    }
    return false;
}

static int compare_integers(int64_t a, int64_t b) {
    return (a > b) - (a < b);
}

/* Below 0 where the first tenant has less of the farm for its weight. */
static int compare_shares(const struct order_tenant *a, const struct order_tenant *b) {
    double left = (double)a->running * b->weight;
    double right = (double)b->running * a->weight;
    return (left > right) - (left < right);
}

static int compare_tenants(const void *left, const void *right) {
    const struct order_tenant *a = left;
    const struct order_tenant *b = right;
    int result = compare_integers(b->priority, a->priority);
    result = result != 0 ? result : compare_shares(a, b);
    return result != 0 ? result : strcmp(a->name, b->name);
}

void order_load(struct order *order, struct tx *tx) {
    struct query query = sql_query(tx, SQL_UNITS_TENANTS, NULL, 0);
    while (query_next(&query)) {
        struct order_tenant *tenant = take_tenant(order, query_text(&query, 0));
        tenant->has_ready = true;
        tenant->priority = query_integer(&query, 1);
    }
}

static void add_build(struct order *order, int64_t build) {
    for (size_t i = 0; i < order->build_count; i++) {
        if (order->builds[i] == build) {
            return;
        }
    }
    order->builds = mem_resize(order->builds, order->build_count + 1, sizeof(*order->builds));
    order->builds[order->build_count++] = build;
}

void order_load_builds(struct order *order, struct tx *tx, const char *session) {
    add_build(order, 0);
    struct query query = sql_query(tx, SQL_ENCODER_BUILDS, VALUES(TEXT(session)));
    while (query_next(&query)) {
        add_build(order, query_integer(&query, 0));
    }
}

bool order_needs_running(const struct order *order) {
    return order->count > 1 || (order->count == 1 && order->tenants[0].cap > 0);
}

void order_sort(struct order *order) {
    if (order->count > 0) {
        qsort(order->tenants, order->count, sizeof(*order->tenants), compare_tenants);
    }
}

bool order_is_full(const struct order *order, const char *tenant) {
    const struct order_tenant *found = find_tenant(order, tenant);
    return found != NULL && is_full(found);
}

bool order_is_capped(const struct order *order) {
    for (size_t i = 0; i < order->count; i++) {
        if (order->tenants[i].has_ready && is_full(&order->tenants[i])) {
            return true;
        }
    }
    return false;
}

/* ---- how many there are ------------------------------------------------------- */

/* So many of a tenant, priority and build line are ready at least. */
static int64_t floor_now(struct tx *tx, const struct ready_floor *floor) {
    return floor->count - (tx_tally(tx, 0) - floor->tally);
}

static struct ready_floor *find_floor(struct farm *farm, const struct order_tenant *tenant,
                                      int64_t build) {
    for (int i = 0; i < FARM_FLOORS; i++) {
        struct ready_floor *floor = &farm->floors[i];
        if (floor->build == build && floor->priority == tenant->priority &&
            strcmp(floor->tenant, tenant->name) == 0) {
            return floor;
        }
    }
    return NULL;
}

static void keep_floor(struct tx *tx, struct farm *farm, const struct order_tenant *tenant,
                       int64_t build, int64_t count) {
    struct ready_floor *floor = find_floor(farm, tenant, build);
    if (floor == NULL) {
        floor = &farm->floors[farm->floor_next++ % FARM_FLOORS];
    }
    *floor = (struct ready_floor){
        .build = build, .priority = tenant->priority, .count = count, .tally = tx_tally(tx, 0)};
    snprintf(floor->tenant, sizeof(floor->tenant), "%s", tenant->name);
}

/* Whether more than `count` are ready, by what is kept or, where `looks`, by the store. */
static bool has_more(struct tx *tx, struct farm *farm, const struct order_tenant *tenant,
                     int64_t build, int64_t count, bool looks) {
    if (!looks) {
        const struct ready_floor *floor = find_floor(farm, tenant, build);
        return floor != NULL && floor_now(tx, floor) > count;
    }
    int64_t found = sql_integer(tx, SQL_UNITS_COUNT_READY,
                                VALUES(TEXT(tenant->name), INTEGER(tenant->priority),
                                       INTEGER(build), INTEGER(FLOOR_PARTS * (count + 1))),
                                0);
    if (found > count) {
        keep_floor(tx, farm, tenant, build, found);
    }
    return found > count;
}

static bool any_has_more(const struct order *order, struct tx *tx, struct farm *farm, int64_t count,
                         bool looks) {
    for (size_t i = 0; i < order->count && i < TENANTS_READ; i++) {
        const struct order_tenant *tenant = &order->tenants[i];
        for (size_t j = 0; j < order->build_count && tenant->has_ready && !is_full(tenant); j++) {
            if (has_more(tx, farm, tenant, order->builds[j], count, looks)) {
                return true;
            }
        }
    }
    return false;
}

bool order_has_plenty(const struct order *order, struct tx *tx, struct farm *farm, size_t count) {
    return any_has_more(order, tx, farm, (int64_t)count, false) ||
           any_has_more(order, tx, farm, (int64_t)count, true);
}

bool order_has_more_like(struct tx *tx, const struct unit_row *unit, size_t count) {
    return sql_integer(tx, SQL_UNITS_COUNT_TASKS,
                       VALUES(TEXT(unit->tenant), INTEGER(unit->priority), INTEGER(unit->build),
                              INTEGER(tx_now(tx)), INTEGER((int64_t)count + 1)),
                       0) > (int64_t)count;
}

/* ---- their units ------------------------------------------------------------- */

static int compare_units(const void *left, const void *right) {
    const struct unit_row *a = left;
    const struct unit_row *b = right;
    int result = compare_integers(b->priority, a->priority);
    result = result != 0 ? result : compare_integers(a->due, b->due);
    result = result != 0 ? result : compare_integers(a->submission, b->submission);
    return result != 0 ? result : compare_integers(a->position, b->position);
}

/* How many tasks the list has from `first` on, and where so many of them end; its end where there
 * are no more. */
static size_t count_tasks(const struct unit_list *list, size_t first, size_t tasks, size_t *end) {
    size_t count = 0;
    *end = list->count;
    for (size_t i = first; i < list->count; i++) {
        if (i == first || !forming_same_task(&list->rows[i - 1], &list->rows[i])) {
            *end = count == tasks ? i : *end;
            count++;
        }
    }
    return count;
}

/* Whether a tenant's list is as long as was asked. */
static bool is_enough(const struct unit_list *list, size_t first, size_t limit, size_t tasks) {
    size_t end = 0;
    return list->count - first >= limit ||
           (tasks > 0 && count_tasks(list, first, tasks, &end) >= tasks);
}

/* Reads units until so many tasks are whole. */
static void read_tasks(struct unit_list *out, struct query *query, size_t tasks) {
    size_t last = out->count; /* of the row that was read last; before: where it will be */
    size_t count = 0;
    while ((tasks == 0 || count <= tasks) && unit_list_next(out, query)) {
        bool begins = count == 0 ||
                      !forming_same_task(&out->rows[last], &out->rows[out->count - 1]);
        count += begins ? 1 : 0;
        last = out->count - 1;
    }
    out->count -= tasks > 0 && count > tasks ? 1 : 0;
    query_close(query);
}

/* Reads at least `limit` units of a tenant, or the tasks asked for, where it has so many, and the
 * next in order; keeps the first of them. */
static void read_tenant(struct tx *tx, const struct order *order, const struct order_tenant *tenant,
                        const struct order_request *request, size_t limit, struct unit_list *out) {
    static const int64_t none = INT64_MIN;
    struct value kinds[TASK_KIND_COUNT];
    for (int i = 0; i < TASK_KIND_COUNT; i++) {
        kinds[i] = TEXT(request->kinds[i] ? task_kind_name((enum task_kind)i) : NULL);
    }
    size_t first = out->count;
    int64_t priority = tenant->priority;
    while (priority != none && tx_ok(tx)) {
        for (size_t i = 0; i < order->build_count; i++) {
            struct query query = sql_query(
                tx, SQL_UNITS_READY,
                VALUES(TEXT(tenant->name), INTEGER(priority), INTEGER(order->builds[i]),
                       INTEGER(tx_now(tx)), INTEGER((int64_t)limit), kinds[0], kinds[1], kinds[2],
                       kinds[3], kinds[4], kinds[5], kinds[6], kinds[7], kinds[8], kinds[9]));
            read_tasks(out, &query, request->tasks);
        }
        priority = is_enough(out, first, limit, request->tasks)
                       ? none
                       : sql_integer(tx, SQL_UNITS_NEXT_PRIORITY,
                                     VALUES(TEXT(tenant->name), INTEGER(priority)), none);
    }
    if (out->count > first) {
        qsort(&out->rows[first], out->count - first, sizeof(*out->rows), compare_units);
    }
    out->count = out->count - first > limit ? first + limit : out->count;
    if (request->tasks > 0) {
        count_tasks(out, first, request->tasks, &out->count);
    }
}

bool order_read(const struct order *order, struct tx *tx, const struct order_request *request,
                struct unit_list *out) {
    size_t candidates = 0;
    for (size_t i = 0; i < order->count; i++) {
        candidates += order->tenants[i].has_ready && !is_full(&order->tenants[i]) ? 1 : 0;
    }
    size_t each = request->limit / (candidates > 0 ? candidates : 1);
    each = each > TENANT_ROWS_MIN || candidates <= 1 ? each : TENANT_ROWS_MIN;
    bool more = false;
    size_t read = 0;
    for (size_t i = 0; i < order->count && tx_ok(tx); i++) {
        const struct order_tenant *tenant = &order->tenants[i];
        if (!tenant->has_ready || is_full(tenant)) {
            continue;
        }
        if (read == TENANTS_READ) {
            more = true;
            break;
        }
        size_t before = out->count;
        read_tenant(tx, order, tenant, request, each, out);
        more = more || out->count - before == each;
        read += out->count > before ? 1 : 0;
    }
    return more;
}

size_t order_next(const struct order *order, const struct unit_row *units, size_t count) {
    size_t next = count;
    const struct order_tenant *of_next = NULL;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(units[i].tenant, units[i - 1].tenant) == 0) {
            continue; /* not the first of its tenant's list */
        }
        const struct order_tenant *tenant = find_tenant(order, units[i].tenant);
        if (tenant == NULL || is_full(tenant)) {
            continue;
        }
        int result = next == count ? -1 : compare_integers(units[next].priority, units[i].priority);
        result = result != 0 ? result : compare_shares(tenant, of_next);
        if (result == 0) {
            result = compare_units(&units[i], &units[next]);
        }
        if (result < 0) {
            next = i;
            of_next = tenant;
        }
    }
    return next;
}
