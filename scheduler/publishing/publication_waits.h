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
    WAITS_SWEEP,   /* what lies there in vain is taken away, or who did so was lost just now */
    WAITS_PAUSE,   /* it failed, and is not tried again yet */
    WAITS_TURN,    /* for a worker to ask */
    WAIT_COUNT
};

/* Whom it is told to, and what is known for all publications of one title, which is read when it is
 * asked for first. `farm`, `title` and `shown_to` are the caller's, borrowed; the rest is zero. */
struct waits_facts {
    const struct farm *farm;
    const char *title;
    /* A tenant (not ""), who is told of no other title: what fails at an endpoint names the one
     * that it failed with. "": anybody. */
    const char *shown_to;
    bool known;          /* those below are: */
    bool workers;        /* there are some, */
    bool taking;         /* that take tasks; */
    const char *unknown; /* what none of these knows of the title; NULL: nothing */
    bool falls_back;     /* one of these knows edges that fall back */
};

struct publication_waits {
    enum publication_wait what;
    int64_t since;                    /* 0: not known */
    int64_t until;                    /* when it may go on at the earliest; 0: now, or not known */
    const char *unknown;              /* what no worker that is there knows; NULL: nothing */
    char reason[ENDPOINT_ERROR_TEXT]; /* "": there is none to tell */
};

/* `endpoint` is the publication's, NULL where there is none. */
void publication_waits_read(struct tx *tx, struct waits_facts *facts,
                            const struct publication_row *row, const struct endpoint_row *endpoint,
                            struct publication_waits *out);

/* Writes it as an object "waits"; null where it waits not. */
void publication_waits_write(const struct publication_waits *waits, struct writer *w);

#endif
