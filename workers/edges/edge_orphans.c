/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an edge holds in vain: see edge_orphans.h. */
#include "edge_orphans.h"

#include <string.h>

#include "common/log.h"
#include "common/mem.h"

enum { LISTED_MAX = 1000000 }; /* objects of a title that are looked through */

static int take(void *context, const char *path, int64_t size, struct err *err) {
    struct edge_orphans *orphans = context;
    (void)size;
    if (orphans->count == EDGE_ORPHANS_MAX || ++orphans->seen > LISTED_MAX) {
        return err_set(err, ERR_CONFLICT, "enough for this time");
    }
    if (strlen(path) < PUSH_PATH_TEXT && push_is_orphan(orphans->version, orphans->sweep, path)) {
        orphans->paths[orphans->count++] = mem_string(path);
    }
    return 0;
}

void edge_orphans_find(struct edge_orphans *orphans, struct edge *edge) {
    struct err why = {0};
    if (edge->driver->list(edge, take, orphans, &why) != 0) {
        log_info("an endpoint was not listed to its end", "endpoint=%s why=\"%s\"",
                 edge->target->endpoint->name, why.message);
    }
    for (size_t i = 0; i < orphans->count; i++) {
        log_warn("an endpoint holds what is of no version; removing it", "endpoint=%s object=%s",
                 edge->target->endpoint->name, orphans->paths[i]);
    }
}

void edge_orphans_finish(struct edge_orphans *orphans) {
    for (size_t i = 0; i < orphans->count; i++) {
        mem_free(orphans->paths[i]);
    }
    orphans->count = 0;
}
