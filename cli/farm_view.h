/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The farm as a whole: the titles that are under way, and who works. Private to cli/. */
#ifndef CLI_FARM_VIEW_H
#define CLI_FARM_VIEW_H

#include "client.h"
#include "command.h"
#include "status.h"

struct farm_row {
    struct title_status status;
    struct progress_clock clock;
    bool listed; /* by the last look */
};

struct farm_view {
    struct farm_row *rows; /* owned; titles under way, in the order in which they were first seen */
    size_t count;
    int64_t waiting; /* more titles that are not yet under way, or not in rows */
    bool more;       /* and more than those */
    int64_t workers;
    int64_t slots;
    int64_t busy; /* of the slots */
};

/* Asks the scheduler, into a view that was zeroed or looked at before: a title that it lists no
 * more keeps its row, not `listed`, with its status as it stands now, if it is still known. */
int farm_view_look(struct farm_view *view, struct client *client, struct err *err);

/* Forgets the rows that are not listed. */
void farm_view_prune(struct farm_view *view);

/* Takes a zeroed one. */
void farm_view_finish(struct farm_view *view);

/* A line a title, at most `columns` wide, and one of the whole; returns how many. `columns` 0:
 * lines for logs and pipes. */
int farm_view_draw(struct farm_view *view, int64_t now_ms, int columns, struct buf *out);

/* The same as members of an open JSON object. */
void farm_view_write(struct farm_view *view, int64_t now_ms, struct writer *w);

#endif
