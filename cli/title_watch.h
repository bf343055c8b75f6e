/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title from submission to its end, as its user sees it. Private to cli/. */
#ifndef CLI_TITLE_WATCH_H
#define CLI_TITLE_WATCH_H

#include "client.h"
#include "status.h"

struct title_watch {
    struct client *client; /* borrowed */
    const char *title;
    bool json;
    int workers; /* of the farm, for the display */
    /* Called before each look; another answer than 0 ends the watch with its error; NULL: none. */
    int (*tend)(void *context, struct err *err);
    void *context;
};

/* Reads how the title stands. */
int title_status_get(struct client *client, const char *title, struct title_status *out,
                     struct err *err);

/* Shows how it goes until it has ended: 0 with its last status, whatever that is. CANCELLED on
 * Ctrl-C; a scheduler that is away for a moment is waited for. */
int title_watch(const struct title_watch *watch, struct title_status *out, struct err *err);

#endif
