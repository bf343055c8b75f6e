/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order of leasing: see order.h. */
#include "order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

enum {
    TENANT_ROWS_MIN = 64, /* read of a tenant at least: two tasks of many rungs */
    TENANTS_READ = 16,    /* that have something for the session */
};

void order_finish(struct order *order) {
    mem_free(order->tenants);
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

void order_add_running(struct order *order, const char *tenant) {
    take_tenant(order, tenant)->running++;
}

static bool is_full(const struct order_tenant *tenant) {
    return tenant->cap > 0 && tenant->running >= tenant->cap;
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

/* ---- their units ------------------------------------------------------------- */

static int compare_units(const void *left, const void *right) {
    const struct unit_row *a = left;
    const struct unit_row *b = right;
    int result = compare_integers(b->priority, a->priority);
    result = result != 0 ? result : compare_integers(a->due, b->due);
    result = result != 0 ? result : compare_integers(a->submission, b->submission);
    return result != 0 ? result : compare_integers(a->position, b->position);
}

/* The build lines that a session may be given units of; the first is 0, of units that need
 * none. Owned. */
static int64_t *list_builds(struct tx *tx, const char *session, size_t *count) {
    int64_t *builds = mem_zero(1, sizeof(*builds));
    *count = 1;
    struct query query = sql_query(tx, SQL_ENCODER_BUILDS, VALUES(TEXT(session)));
    while (query_next(&query)) {
        builds = mem_resize(builds, *count + 1, sizeof(*builds));
        builds[(*count)++] = query_integer(&query, 0);
    }
    return builds;
}

bool order_has_plenty(const struct order *order, struct tx *tx, const char *session, size_t count) {
    size_t build_count = 0;
    int64_t *builds = list_builds(tx, session, &build_count);
    bool plenty = false;
    for (size_t i = 0; i < order->count && i < TENANTS_READ && !plenty; i++) {
        const struct order_tenant *tenant = &order->tenants[i];
        for (size_t j = 0; j < build_count && tenant->has_ready && !is_full(tenant) && !plenty;
             j++) {
            plenty = sql_integer(tx, SQL_UNITS_READY_PAST,
                                 VALUES(TEXT(tenant->name), INTEGER(tenant->priority),
                                        INTEGER(builds[j]), INTEGER((int64_t)count)),
                                 0) != 0;
        }
    }
    mem_free(builds);
    return plenty;
}

/* Reads at least `limit` units of a tenant, where it has so many, and the next in order; keeps
 * the first `limit`. */
static void read_tenant(struct tx *tx, const struct order_tenant *tenant,
                        const struct order_request *request, const int64_t *builds,
                        size_t build_count, size_t limit, struct unit_list *out) {
    static const int64_t none = INT64_MIN;
    struct value kinds[TASK_KIND_COUNT];
    for (int i = 0; i < TASK_KIND_COUNT; i++) {
        kinds[i] = TEXT(request->kinds[i] ? task_kind_name((enum task_kind)i) : NULL);
    }
    size_t first = out->count;
    int64_t priority = tenant->priority;
    while (priority != none && out->count - first < limit && tx_ok(tx)) {
        for (size_t i = 0; i < build_count; i++) {
            struct query query =
                sql_query(tx, SQL_UNITS_READY,
                          VALUES(TEXT(tenant->name), INTEGER(priority), INTEGER(builds[i]),
                                 INTEGER(tx_now(tx)), INTEGER((int64_t)limit), kinds[0], kinds[1],
                                 kinds[2], kinds[3], kinds[4], kinds[5], kinds[6], kinds[7]));
            unit_list_read(out, &query);
        }
        priority = sql_integer(tx, SQL_UNITS_NEXT_PRIORITY,
                               VALUES(TEXT(tenant->name), INTEGER(priority)), none);
    }
    if (out->count > first) {
        qsort(&out->rows[first], out->count - first, sizeof(*out->rows), compare_units);
    }
    out->count = out->count - first > limit ? first + limit : out->count;
}

bool order_read(const struct order *order, struct tx *tx, const struct order_request *request,
                struct unit_list *out) {
    size_t candidates = 0;
    for (size_t i = 0; i < order->count; i++) {
        candidates += order->tenants[i].has_ready && !is_full(&order->tenants[i]) ? 1 : 0;
    }
    size_t each = request->limit / (candidates > 0 ? candidates : 1);
    each = each > TENANT_ROWS_MIN || candidates <= 1 ? each : TENANT_ROWS_MIN;
    size_t build_count = 0;
    int64_t *builds = list_builds(tx, request->session, &build_count);
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
        read_tenant(tx, tenant, request, builds, build_count, each, out);
        more = more || out->count - before == each;
        read += out->count > before ? 1 : 0;
    }
    mem_free(builds);
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
