/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The facts of why a title waits, out of the store: see why.h. */
#include <string.h>

#include "order.h"
#include "scheduler/publishing/publication.h"
#include "session.h"
#include "why.h"

enum { TROUBLE_READ = 1000 }; /* failures of a title that are looked at, the latest */

/* Where a ready unit stands, as SQL_UNITS_STANDING tells. */
enum standing { STANDS_OTHERWISE, STANDS_PAUSED, STANDS_UNNAMED, STANDS_READY };

void why_finish(struct why *why) {
    arena_finish(&why->arena);
    missing_finish(&why->missing);
    *why = (struct why){0};
}

/* ---- who could run it -------------------------------------------------------- */

static void load_workers(struct why *why, struct tx *tx, int64_t build, enum sandbox_level sandbox,
                         struct why_workers *out) {
    struct query query =
        sql_query(tx, SQL_SESSIONS_ABLE, VALUES(INTEGER(build), INTEGER((int64_t)sandbox)));
    if (query_next(&query)) {
        *out = (struct why_workers){
            .count = query_integer(&query, 0),
            .drained = query_integer(&query, 1),
            .drained_worker = arena_string(&why->arena, query_text(&query, 2)),
            .slots = query_integer(&query, 3),
            .free_slots = query_integer(&query, 4),
            .memory_bytes = query_integer(&query, 5),
            .weak = query_integer(&query, 6),
            .weak_worker = arena_string(&why->arena, query_text(&query, 7)),
        };
    }
    query_close(&query);
}

/* What a worker's sandbox must be for tasks of a kind. */
static enum sandbox_level sandbox_for(const struct why *why, enum task_kind kind) {
    return kind_is_pure(kind) ? why->sandbox_required : SANDBOX_NONE;
}

/* The line of a build, added where it is not there; NULL where there are too many. */
static struct why_line *take_line(struct why *why, struct tx *tx, int64_t build,
                                  enum task_kind kind) {
    for (size_t i = 0; i < why->line_count; i++) {
        if (why->lines[i].build == build) {
            return &why->lines[i];
        }
    }
    if (why->line_count == WHY_LINES_MAX) {
        return NULL;
    }
    struct why_line *line = &why->lines[why->line_count++];
    *line = (struct why_line){.build = build, .line = ""};
    struct query query = sql_query(tx, SQL_BUILD_LINE, VALUES(INTEGER(build)));
    if (query_next(&query)) {
        line->line = arena_string(&why->arena, query_text(&query, 0));
    }
    query_close(&query);
    load_workers(why, tx, build, sandbox_for(why, kind), &line->able);
    return line;
}

/* ---- its units --------------------------------------------------------------- */

/* Units of a title that stand alike: a row of SQL_UNITS_STANDING. */
struct alike {
    enum task_kind kind;
    int rendition;
    int64_t build;
    int64_t count;
    int chunk; /* of one of them */
    int doublings;
};

/* What one of the units takes; 0 where that is little. */
static int64_t memory_of(const struct alike *alike, const struct plan *plan) {
    if (alike->kind == TASK_PROBE) {
        return plan_probe_memory() << alike->doublings;
    }
    if (plan == NULL || !kind_is_pure(alike->kind)) {
        return 0;
    }
    struct unit_plan unit = {
        .kind = alike->kind, .rendition = alike->rendition, .chunk = alike->chunk};
    return plan_task_memory(&plan->title, &unit, 1) << alike->doublings;
}

/* How many slots one of the units takes where a worker has so many. */
static int64_t slots_of(const struct alike *alike, const struct plan *plan) {
    bool encodes = plan != NULL && alike->kind == TASK_VIDEO && alike->rendition >= 0;
    return encodes ? plan->title.renditions[alike->rendition].video.threads : 1;
}

static void add_ready(struct why *why, struct tx *tx, const struct alike *alike,
                      const struct plan *plan) {
    struct why_line *line = take_line(why, tx, alike->build, alike->kind);
    if (line == NULL) {
        return;
    }
    int64_t memory = memory_of(alike, plan);
    int64_t slots = slots_of(alike, plan);
    line->units += alike->count;
    line->slots = line->slots == 0 || slots < line->slots ? slots : line->slots;
    line->memory_bytes = line->memory_bytes > memory ? line->memory_bytes : memory;
}

static void load_units(struct why *why, struct tx *tx, const struct plan *plan) {
    struct query query =
        sql_query(tx, SQL_UNITS_STANDING, VALUES(TEXT(why->title), INTEGER(tx_now(tx))));
    while (query_next(&query)) {
        int kind = task_kind_from_name(query_text(&query, 0));
        int state = state_from_name(MACHINE_UNIT, query_text(&query, 3));
        if (kind < 0 || state < 0) {
            continue;
        }
        struct alike alike = {
            .kind = (enum task_kind)kind,
            .rendition = (int)query_integer(&query, 1),
            .build = query_integer(&query, 2),
            .count = query_integer(&query, 5),
            .chunk = (int)query_integer(&query, 7),
            .doublings = (int)query_integer(&query, 8),
        };
        int64_t pause = query_integer(&query, 6) - tx_now(tx);
        why->units[state] += alike.count;
        switch ((enum standing)query_integer(&query, 4)) {
        case STANDS_PAUSED:
            why->paused += alike.count;
            why->pause_ms = why->pause_ms > pause ? why->pause_ms : pause;
            break;
        case STANDS_UNNAMED:
            why->unnamed += alike.count;
            break;
        case STANDS_READY:
            add_ready(why, tx, &alike, plan);
            break;
        default:
            break;
        }
    }
}

/* ---- its tasks --------------------------------------------------------------- */

static const char *list_renditions(struct why *why, const struct unit_list *units) {
    struct buf text = {0};
    for (size_t i = 0; i < units->count; i++) {
        if (units->rows[i].rendition >= 0) {
            buf_format(&text, "%s%s", text.size > 0 ? ", " : "", units->rows[i].rendition_id);
        }
    }
    const char *list = arena_string(&why->arena, buf_text(&text));
    buf_finish(&text);
    return list;
}

/* Who runs the lease of a fence; "" where none of these is it. */
static const char *worker_of(struct why *why, const struct lease_list *leases, int64_t fence) {
    for (size_t i = 0; i < leases->count; i++) {
        if (leases->rows[i].fence == fence && leases->rows[i].state == LEASE_LIVE) {
            return arena_string(&why->arena, leases->rows[i].worker);
        }
    }
    return "";
}

/* How many workers could be given a task of these units. */
static int64_t count_able(struct why *why, struct tx *tx, const struct unit_list *units,
                          enum task_kind kind) {
    struct why_workers able = {0};
    load_workers(why, tx, units->count > 0 ? units->rows[0].build : 0, sandbox_for(why, kind),
                 &able);
    return able.count - able.drained - able.weak;
}

static void load_tasks(struct why *why, struct tx *tx, struct farm *farm) {
    struct lease_list leases = {0};
    lease_list_read(tx, &leases, SQL_LEASES_OF_TITLE, TEXT(why->title));
    for (size_t i = 0; i < leases.count; i++) {
        const struct lease_row *lease = &leases.rows[i];
        if (lease->state != LEASE_LIVE || why->task_count++ >= WHY_TASKS_SHOWN) {
            continue;
        }
        struct unit_list units = {0};
        lease_units(tx, lease->fence, &units);
        why->tasks[why->task_count - 1] = (struct why_task){
            .kind = lease->kind,
            .worker = arena_string(&why->arena, lease->worker),
            .for_ms = tx_now(tx) - lease->at,
            .chunk = units.count > 0 ? units.rows[0].chunk : -1,
            .renditions = list_renditions(why, &units),
            .share = farm_progress_share(farm, lease->fence),
            .expected_s = lease->expected_s,
            .reserve_bytes = lease->reserve_bytes,
            .able = count_able(why, tx, &units, lease->kind),
            .hedges = worker_of(why, &leases, lease->hedges),
        };
        unit_list_finish(&units);
    }
    lease_list_finish(&leases);
}

/* ---- who comes first --------------------------------------------------------- */

static bool has_smaller_share(const struct order_tenant *tenant, const struct why *why,
                              double weight) {
    bool full = tenant->cap > 0 && tenant->running >= tenant->cap;
    return tenant->has_ready && !full && strcmp(tenant->name, why->tenant) != 0 &&
           (double)tenant->running * weight < (double)why->tenant_running * tenant->weight;
}

static void load_tenants(struct why *why, struct tx *tx, struct farm *farm, int64_t priority) {
    struct order order = {.rules = &farm->tenants};
    struct tenant_rule rule = tenant_rules_find(&farm->tenants, why->tenant);
    struct query query = sql_query(tx, SQL_LEASES_OPEN, NULL, 0);
    while (query_next(&query)) {
        order_add_running(&order, query_text(&query, 2), query_integer(&query, 4));
    }
    order_load(&order, tx);
    order_sort(&order);
    why->tenant_cap = rule.cap;
    for (size_t i = 0; i < order.count; i++) {
        if (strcmp(order.tenants[i].name, why->tenant) == 0) {
            why->tenant_running = order.tenants[i].running;
        }
    }
    for (size_t i = 0; i < order.count; i++) {
        if (has_smaller_share(&order.tenants[i], why, rule.weight)) {
            why->smaller += sql_integer(tx, SQL_TITLES_OF_TENANT,
                                        VALUES(INTEGER(priority), TEXT(order.tenants[i].name)), 0);
        }
    }
    order_finish(&order);
}

static void load_queue(struct why *why, struct tx *tx, struct farm *farm, int64_t submission) {
    int64_t priority = 0, deadline = 0;
    struct query query = sql_query(tx, SQL_TITLE_ORDER, VALUES(TEXT(why->title)));
    if (query_next(&query)) {
        priority = query_integer(&query, 0);
        why->tenant = arena_string(&why->arena, query_text(&query, 1));
        deadline = query_integer(&query, 2);
    }
    query_close(&query);
    why->above = sql_integer(tx, SQL_TITLES_ABOVE, VALUES(INTEGER(priority)), 0);
    why->earlier =
        sql_integer(tx, SQL_TITLES_EARLIER,
                    VALUES(INTEGER(priority), TEXT(why->tenant),
                           INTEGER(deadline == 0 ? INT64_MAX : deadline), INTEGER(submission)),
                    0);
    load_tenants(why, tx, farm, priority);
}

/* ---- what failed ------------------------------------------------------------- */

static struct why_failures *take_failures(struct why *why, const char *worker) {
    for (size_t i = 0; i < why->failure_count; i++) {
        if (strcmp(why->failures[i].worker, worker) == 0) {
            return &why->failures[i];
        }
    }
    if (why->failure_count == WHY_WORKERS_SHOWN) {
        return NULL;
    }
    struct why_failures *failures = &why->failures[why->failure_count++];
    *failures = (struct why_failures){
        .worker = arena_string(&why->arena, worker), .class = "", .message = ""};
    return failures;
}

/* Counts an event of a unit, whose task is counted once, as failed where one of its units did.
 * Events come from the last to the first. What a push ran into is told at its endpoint. */
static void count_trouble(struct why *why, struct reader *r, int64_t ago_ms) {
    const char *worker = "", *kind = "", *class = "", *message = "";
    int64_t fence = 0;
    reader_string(r, "kind", &kind);
    if (strcmp(kind, task_kind_name(TASK_PUSH)) == 0) {
        return;
    }
    reader_int(r, "fence", 0, INT64_MAX, &fence);
    reader_string(r, "worker", &worker);
    bool failed = reader_has(r, "class");
    if (failed) {
        reader_string(r, "class", &class);
        reader_string(r, "message", &message);
    }
    struct why_failures *failures = reader_ok(r) ? take_failures(why, worker) : NULL;
    if (failures == NULL || (failures->fence == fence && !(failed && failures->fence_returned))) {
        return;
    }
    failures->returned -= failures->fence == fence ? 1 : 0;
    failures->fence = fence;
    failures->fence_returned = !failed;
    failures->failed += failed ? 1 : 0;
    failures->returned += failed ? 0 : 1;
    if (failed && failures->class[0] == '\0') {
        failures->ago_ms = ago_ms;
        failures->class = arena_string(&why->arena, class);
        failures->message = arena_string(&why->arena, message);
    }
}

static void load_failures(struct why *why, struct tx *tx) {
    struct query query =
        sql_query(tx, SQL_EVENTS_OF_TROUBLE, VALUES(TEXT(why->title), INTEGER(TROUBLE_READ)));
    while (query_next(&query)) {
        const char *detail = query_text(&query, 2);
        struct json *tree = NULL;
        struct err err = {0};
        if (strcmp(query_text(&query, 1), "title.submit") == 0) {
            break; /* what failed in an earlier run is of no interest */
        }
        if (detail[0] != '\0' && json_tree_parse(&tree, detail, strlen(detail), &err) == 0) {
            struct reader r = reader_of(tree, "an event", &err);
            count_trouble(why, &r, tx_now(tx) - query_integer(&query, 0));
        }
        json_tree_destroy(tree);
    }
    query_close(&query);
}

static void load_publication(struct why *why, struct tx *tx, struct waits_facts *facts,
                             const struct publication_row *row,
                             const struct endpoint_row *endpoint) {
    struct why_publication *out = &why->publications[why->publication_count++];
    *out = (struct why_publication){
        .endpoint = arena_string(&why->arena, row->endpoint),
        .leaves = row->wanted[0] == '\0',
        .listed = endpoint != NULL && endpoint->file != NULL,
        .failures = row->failures,
        .error = arena_string(&why->arena, row->error),
    };
    publication_waits_read(tx, facts, row, endpoint, &out->waits);
    out->for_ms = out->waits.since > 0 ? tx_now(tx) - out->waits.since : 0;
    out->again_ms = out->waits.until > 0 ? out->waits.until - tx_now(tx) : 0;
}

static void load_publications(struct why *why, struct tx *tx, const struct farm *farm) {
    struct publication_list list = {0};
    struct endpoint_list endpoints = {0};
    struct waits_facts facts = {.farm = farm, .title = why->title, .shown_to = why->shown_to};
    publication_list_read(tx, why->title, &list);
    endpoint_list_read(tx, farm, &endpoints);
    for (size_t i = 0; i < list.count && why->publication_count < WHY_PUBLICATIONS_SHOWN; i++) {
        bool is_left_alone = !list.rows[i].listed && list.rows[i].wanted[0] != '\0';
        if (list.rows[i].stage != STAGE_SETTLED && !is_left_alone) {
            load_publication(why, tx, &facts, &list.rows[i],
                             endpoint_list_find(&endpoints, list.rows[i].endpoint));
        }
    }
    endpoint_list_finish(&endpoints);
    publication_list_finish(&list);
}

/* ---- all of it --------------------------------------------------------------- */

void why_load(struct why *out, struct tx *tx, struct farm *farm, const char *id) {
    struct title_row title = {0};
    if (!title_get(tx, id, &title)) {
        return;
    }
    out->title = arena_string(&out->arena, id);
    out->state = title.state;
    out->version = arena_string(&out->arena, title.version);
    out->class = arena_string(&out->arena, title.failure);
    out->error = arena_string(&out->arena, title.error);
    out->tenant = "";
    missing_read(tx, id, &out->missing);
    load_failures(out, tx);
    load_publications(out, tx, farm);
    bool open = title.state == TITLE_SUBMITTED || title.state == TITLE_RUNNING ||
                title.state == TITLE_FAILING || title.state == TITLE_REMOVING;
    if (open) {
        out->sandbox_required = farm->sandbox_required;
        load_workers(out, tx, 0, SANDBOX_NONE, &out->workers);
        load_units(out, tx, title.source_size >= 0 ? farm_plan(tx, farm, &title) : NULL);
        load_tasks(out, tx, farm);
        load_queue(out, tx, farm, title.submission);
    }
    title_row_finish(&title);
}

void why_title(struct tx *tx, struct farm *farm, const char *title, struct writer *w) {
    why_title_to(tx, farm, title, "", w);
}

void why_title_to(struct tx *tx, struct farm *farm, const char *title, const char *tenant,
                  struct writer *w) {
    struct why why = {.shown_to = tenant};
    why_load(&why, tx, farm, title);
    if (tx_ok(tx)) {
        why_write(&why, w);
    }
    why_finish(&why);
}
