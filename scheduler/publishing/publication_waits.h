/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What keeps a push from being given out, for people: told beside each publication of a title, and
 * in the sentences of why.h. All calls run inside a transaction.
 */
#ifndef SCHEDULER_PUBLISHING_PUBLICATION_WAITS_H
#define SCHEDULER_PUBLISHING_PUBLICATION_WAITS_H

#include "endpoint_rows.h"
#include "publication.h"

enum publication_wait {
    WAITS_NOT,     /* there is nothing to do, it is being done, or the file has no such endpoint */
    WAITS_WINDOW,  /* nothing is brought there at this time of the day */
    WAITS_OTHERS,  /* edges come before catalogs; where it goes, catalogs before edges */
    WAITS_WORKER,  /* nobody is there who could do it */
    WAITS_BREAKER, /* the endpoint is broken off, and given nothing for a while */
    WAITS_TRIAL,   /* it was, and is given one push at a time to see whether it is well */
    WAITS_SWEEP,   /* what lies there in vain is being taken away */
    WAITS_PAUSE,   /* it failed, and is not tried again yet */
    WAITS_TURN,    /* for a worker to ask */
    WAIT_COUNT
};

struct publication_waits {
    enum publication_wait what;
    int64_t since;                    /* 0: not known */
    int64_t until;                    /* when it may go on at the earliest; 0: not known */
    const char *unknown;              /* what no worker that is there knows; NULL: nothing */
    char reason[ENDPOINT_ERROR_TEXT]; /* "": there is none to tell */
};

/* `endpoint` is the publication's, NULL where there is none. What fails at an endpoint names the
 * title that it failed with: `shown_to`, a tenant (not ""), is told of this title's failures alone.
 */
void publication_waits_read(struct tx *tx, const struct farm *farm,
                            const struct publication_row *row, const struct endpoint_row *endpoint,
                            const char *shown_to, struct publication_waits *out);

/* Writes it as an object "waits"; null where it waits not. */
void publication_waits_write(const struct publication_waits *waits, struct writer *w);

#endif
