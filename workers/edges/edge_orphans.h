/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What lies at an edge and is of no version that may: left by a push that was killed, by an earlier
 * farm, by a store that was restored.
 */
#ifndef WORKERS_EDGES_EDGE_ORPHANS_H
#define WORKERS_EDGES_EDGE_ORPHANS_H

#include "edge.h"
#include "push_order.h"

enum { EDGE_ORPHANS_MAX = 1000 }; /* that one push takes away */

struct edge_orphans {
    const struct push_version *version; /* borrowed, as what may stay beside it */
    const struct push_sweep *sweep;
    int64_t seen; /* objects of any kind */
    size_t count;
    char *paths[EDGE_ORPHANS_MAX]; /* owned; below the title's folder */
};

/* Lists the title's folder and adds its orphans, until there are enough. A listing that fails is no
 * error: what it did not say is left for another push. */
void edge_orphans_find(struct edge_orphans *orphans, struct edge *edge);

/* Takes a zeroed one. */
void edge_orphans_finish(struct edge_orphans *orphans);

#endif
