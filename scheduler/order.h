/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which order ready units are leased: by priority; then the tenant that has the
 * smallest part of the farm for its weight; then by deadline, age and the plan's order.
 * A cap on a tenant's running tasks is kept, whatever stands idle; a share is not.
 */
#ifndef SCHEDULER_ORDER_H
#define SCHEDULER_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "farm.h"

/* A tenant that runs something or has something ready. */
struct order_tenant {
    char name[TENANT_TEXT];
    double weight;
    int64_t cap;     /* of running tasks; 0: none */
    int64_t running; /* tasks */
    bool has_ready;
    int64_t priority; /* the highest of its ready units */
};

struct order {
    const struct tenant_rules *rules; /* borrowed */
    struct order_tenant *tenants;
    size_t count;
    int64_t *builds; /* lines that a session may be given units of; the first is 0, of units
                        that need none */
    size_t build_count;
};

/* Frees the lists; takes a zeroed one. */
void order_finish(struct order *order);

/* Notes one more running task of the tenant. */
void order_add_running(struct order *order, const char *tenant);

/* Finds the tenants that have ready units. */
void order_load(struct order *order, struct tx *tx);

/* Finds what the session may be given, before units are asked for. */
void order_load_builds(struct order *order, struct tx *tx, const char *session);

/* Whether the tenant runs as many tasks as it may. */
bool order_is_full(const struct order *order, const char *tenant);

/* Whether what runs plays a part: of several tenants, or of one that has a cap. */
bool order_needs_running(const struct order *order);

/* Puts the tenants in the order of leasing, after what runs was added. */
void order_sort(struct order *order);

/* Whether some tenant surely has more than `count` ready units that the session could run. By
 * what was counted before, less all that left the queue since; else by an index alone, which is
 * much less work than to read them. */
bool order_has_plenty(const struct order *order, struct tx *tx, struct farm *farm, size_t count);

/* Whether some tenant that has ready units runs as many tasks as it may. */
bool order_is_capped(const struct order *order);

struct order_request {
    const bool *kinds; /* that are wanted, by enum task_kind */
    size_t limit;      /* rows wanted at most */
    size_t tasks;      /* of each tenant, wanted at most, whole; 0: as many as there are */
};

/*
 * Appends ready units that the session could run, in lists tenant by tenant, each in the order
 * of leasing; tenants at their cap are left out. Whether there is more than was read. The time
 * that it takes depends on the limit, not on how many units are ready.
 */
bool order_read(const struct order *order, struct tx *tx, const struct order_request *request,
                struct unit_list *out);

/* The index of the unit that is next, of units as order_read lists them; `count` where all are
 * of tenants at their cap. */
size_t order_next(const struct order *order, const struct unit_row *units, size_t count);

#endif
