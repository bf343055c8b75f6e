/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may lie at a place, of the titles of one page of a listing: read of the store at once, since
 * a query for each group takes long where the store is another machine. Then pure.
 */
#ifndef SCHEDULER_PUBLISHING_ORPHAN_NAMES_H
#define SCHEDULER_PUBLISHING_ORPHAN_NAMES_H

#include "common/wire.h"
#include "scheduler/farm.h"

struct orphan_name;

struct orphan_names {
    size_t count;
    size_t capacity;
    struct orphan_name *rows; /* owned; by title */
};

/* Reads what endpoints of the place `url` may hold of the groups' titles, those too that the file
 * has no more, which may be there. Inside a transaction, whose errors are its own. */
void orphan_names_read(struct tx *tx, const struct farm *farm, const char *url,
                       const struct sweep_group *const *groups, size_t count,
                       struct orphan_names *out);
void orphan_names_finish(struct orphan_names *names);

/* Whether a version that may be there has the group: it is no orphan. */
bool orphan_names_have(const struct orphan_names *names, const struct sweep_group *group);

/* Whether this farm has heard of the title. */
bool orphan_names_know(const struct orphan_names *names, const char *title);

#endif
