/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a title goes without: posters and storyboards that could not be made. Nobody needs them to
 * watch, so the title is done without them, tells what is missing and why, and a retry makes it.
 * All calls run inside a transaction; errors are the transaction's.
 */
#ifndef SCHEDULER_MISSING_H
#define SCHEDULER_MISSING_H

#include "farm.h"

struct missing_list {
    struct arena arena;
    size_t count;
    struct missing_rendition *list; /* in `arena` */
    const char **errors;            /* the sentences that go with them */
};

/* Whether a title is done without units of a kind that can't be made. */
bool missing_allows(enum task_kind kind);

/* The unit can't be made, and its run goes on without it: what needed it alone becomes ready.
 * `class` is the name of the failure's class, `sentence` for people. */
void missing_unit(struct tx *tx, const struct unit_row *unit, const char *class,
                  const char *sentence);

/* The ladder asks for images and the plan has none: no worker makes them. */
void missing_images(struct tx *tx, const struct plan *plan);

/* Images that their titles wait for, and nothing else, and whose encoder none of the workers there
 * has any more: where that lasts ten minutes for a build line, the titles go without them. To be
 * called now and then. */
void missing_sweep(struct tx *tx, struct farm *farm);

/* What the title's last run goes without, by ids. `out` is zeroed and owned: missing_finish. */
void missing_read(struct tx *tx, const char *title, struct missing_list *out);
void missing_finish(struct missing_list *missing);

/* Whether the rendition is among them. */
bool missing_has(const struct missing_list *missing, const char *rendition);

/* The array "missing" of what people are told: id, class, error. */
void missing_write(struct tx *tx, const char *title, struct writer *w);

/* The array "missing" of ids, where there is any. */
void missing_write_ids(struct tx *tx, const char *title, struct writer *w);

#endif
