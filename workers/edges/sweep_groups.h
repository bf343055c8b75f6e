/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies at an edge, by what stands or falls together: a version's documents, a rendition's
 * folder, a stable name. What is not named as ours is of another tool, and none of our business.
 * Pure.
 */
#ifndef WORKERS_EDGES_SWEEP_GROUPS_H
#define WORKERS_EDGES_SWEEP_GROUPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/wire.h"

/* Which group of its title an object is of, by its path below the title's folder; false for what is
 * not named as ours. */
bool sweep_group_of(const char *path, char group[WIRE_FOLDER_TEXT]);

/* The title of an object, by its path from the folder of all titles on, and the rest of that, which
 * is borrowed; NULL for what lies below no title's name. */
const char *sweep_title_of(const char *path, char title[WIRE_TITLE_TEXT]);

/* How early a group goes: what players begin with, 0, before what that lists, 2. */
int sweep_rank(const char *group);

enum { SWEEP_RANKS = 3 };

/* Groups as they are found, title after title. Zeroed at first. */
struct sweep_groups {
    size_t count;
    size_t first; /* of the title that is being listed */
    struct sweep_group list[SWEEP_PAGE_MAX];
};

/* Counts an object. False where there is no room for its group: tell of them, and clear. */
bool sweep_groups_add(struct sweep_groups *groups, const char *title, const char *group,
                      int64_t bytes);

/* A title is listed to its end: where it has nothing but stable names it is another tool's, and is
 * forgotten. */
void sweep_groups_close(struct sweep_groups *groups);

#endif
