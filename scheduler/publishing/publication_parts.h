/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of publications share. Private to publication*.c. */
#ifndef SCHEDULER_PUBLISHING_PUBLICATION_PARTS_H
#define SCHEDULER_PUBLISHING_PUBLICATION_PARTS_H

#include "publication.h"

/* That at an endpoint, borrowed from the list; NULL where there is none. */
struct publication_row *publication_of(const struct publication_list *list, const char *endpoint);

/* Whether one is waited for: it has something to do, and can. */
bool publication_goes_on(const struct publication_row *row);

/* A new one, of which nothing is wanted yet. */
void publication_add(struct tx *tx, const char *title, const struct endpoint *endpoint,
                     struct publication_row *out);

/* Something else is wanted there, or the same once more. A push that runs goes on to its end,
 * so that an endpoint gets somewhere however often a title is published anew; where nothing is
 * wanted any more, it is told to stop. So many objects of the version as `skip` are there. */
void publication_want(struct tx *tx, const struct publication_row *row, const char *version,
                      int64_t rank, int64_t skip);

/* Tells all pushes that bring something to an endpoint to stop. */
void publication_stop_bringing(struct tx *tx, const char *endpoint);

/* Drops all that is known of what an endpoint holds. How many titles there were. */
int64_t publication_drop_endpoint(struct tx *tx, const char *endpoint);

/* Whether it is a catalog that is to list the title's version, and does not yet. One that the file
 * has no more, or that is not to hold the title, is none. */
bool publication_lacks(const struct publication_row *row, const char *version);

/* Notes what the current version is made of, by the plan of the run that made it, if that was the
 * last. */
void publication_note(struct tx *tx, struct farm *farm, const char *title);

/* What is known of a title for the rules. */
struct publication_facts {
    struct wanting wanting;
    char version[VERSION_TEXT]; /* "": none is to be published */
    bool withheld;
    int64_t rank;
    char tenant[TENANT_TEXT];
    char texts[LABELS_MAX][LABEL_MAX + 1];
    const char *labels[LABELS_MAX];
};

/* `is_new`: goes before what endpoints are caught up with. */
void publication_facts_read(struct tx *tx, const char *title, bool is_new,
                            struct publication_facts *out);

#endif
