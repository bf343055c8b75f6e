/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In which order ready units are leased: by priority; then the tenant that has the
 * smallest part of the farm for its weight; then by deadline, age and the plan's order.
 * A part is counted in slots, of which a task takes as many as its encoders have threads.
 * A cap on a tenant's slots is kept, whatever stands idle; a share is not. What alone takes
 * more than the cap runs when nothing else of the tenant does.
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
    int64_t cap;     /* of slots; 0: none */
    int64_t running; /* slots that its tasks take */
    int64_t ending;  /* more, which are about to be free: no part of its share, but of its cap */
    bool waits;      /* its next task takes more than its cap leaves: nothing is before that */
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

/* Notes one more running task of the tenant and the slots that it takes. */
void order_add_running(struct order *order, const char *tenant, int64_t slots);

/* The same of a task that is about to end. */
void order_add_ending(struct order *order, const char *tenant, int64_t slots);

/* Finds the tenants that have ready units. */
void order_load(struct order *order, struct tx *tx);

/* Finds what the session may be given, before units are asked for. */
void order_load_builds(struct order *order, struct tx *tx, const char *session);

/* Whether the tenant takes as many slots as it may. */
bool order_is_full(const struct order *order, const char *tenant);

/* Whether the tenant may run a task that takes so many slots. Where not, it is full until the
 * order is made anew: were smaller tasks let by, a larger one might wait for ever. */
bool order_has_room(struct order *order, const char *tenant, int64_t slots);

/* Whether some tenant that has ready units will be full no more when a task ends that is about to.
 */
bool order_waits_for_end(const struct order *order);

/* Whether what runs plays a part: of several tenants, or of one that has a cap. */
bool order_needs_running(const struct order *order);

/* Puts the tenants in the order of leasing, after what runs was added. */
void order_sort(struct order *order);

/* Whether some tenant surely has more than `count` ready units that the session could run. By
 * what was counted before, less all that left the queue since; else by an index alone, which is
 * much less work than to read them. */
bool order_has_plenty(const struct order *order, struct tx *tx, struct farm *farm, size_t count);

/* Whether more than `count` tasks of video are ready that are as near as this unit: of its tenant,
 * priority and build line. */
bool order_has_more_like(struct tx *tx, const struct unit_row *unit, size_t count);

/* Whether some tenant that has ready units takes as many slots as it may. */
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
