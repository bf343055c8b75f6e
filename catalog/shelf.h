/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The catalog's store: a file of SQLite with what each title's entry says, and the index of words.
 * One thread uses one; of one file there may be a shelf that changes it and some that only read.
 * Nothing is changed but between shelf_begin and shelf_commit. Private to catalog/.
 *
 * Order: of each title the highest revision is kept, that of its end too; what says a lower one
 * came late and is refused, and the same one said again changes nothing.
 */
#ifndef CATALOG_SHELF_H
#define CATALOG_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"
#include "cursor.h"
#include "entry.h"
#include "filter.h"

struct shelf;

enum {
    SHELF_CANDIDATES = 2000, /* of a search: so many of the newest that fit are ranked */
    SHELF_FEW = 2000,        /* titles that an index names, to which a search then keeps */
    SHELF_PAGE_MAX = 200,    /* titles of one answer */
    SHELF_TAG_TEXT = 72,     /* an entity tag with its quotes */
};

/* Opens or makes the file, alone. Errors as driver_open; UNSUPPORTED for one by a later version. */
int shelf_open(struct shelf **out, const char *path, struct err *err);

/* A shelf that reads the file of `of`, for another thread; closed before it. Errors as
 * driver_open_reader. */
int shelf_open_reader(struct shelf **out, const struct shelf *of, struct err *err);
void shelf_close(struct shelf *shelf);

/* A group of changes, on the disk when shelf_commit has returned 0, and undone by it where not.
 * shelf_undo undoes all since shelf_begin. Within, each change is whole or not there. Of a reader:
 * what is read from shelf_begin to shelf_undo is of one state, that of shelf_begin. */
int shelf_begin(struct shelf *shelf, struct err *err);
int shelf_commit(struct shelf *shelf, struct err *err);
void shelf_undo(struct shelf *shelf);

enum shelf_change { SHELF_SAME, SHELF_ADDED, SHELF_CHANGED };

/* Takes an entry in, or the end of one, at the time `now_ms` of the wall clock. CONFLICT where a
 * higher revision is kept, or the same one of other content; `*kept` is then that revision. */
int shelf_put(struct shelf *shelf, const struct entry *entry, int64_t now_ms,
              enum shelf_change *change, int64_t *kept, struct err *err);
int shelf_drop(struct shelf *shelf, const char *title, int64_t revision, int64_t *kept,
               struct err *err);

/* Writes the entity tag of all that lists and searches may say. */
int shelf_tag(struct shelf *shelf, char out[SHELF_TAG_TEXT], struct err *err);

/* Appends a title's entry, and writes its tag. NOT_FOUND for one that is not there. */
int shelf_get(struct shelf *shelf, const char *title, char tag[SHELF_TAG_TEXT], struct buf *out,
              struct err *err);

/* Appends a page of such titles, by rising id, that come after `after` (""):
 * {"titles":[...],"next": the id to go on after, or null}. At most `limit` of them, which is at
 * most SHELF_PAGE_MAX. */
int shelf_list(struct shelf *shelf, const struct filter *filter, const char *after, int limit,
               struct buf *out, struct err *err);

/* What is looked for. Texts are borrowed. */
struct search {
    const char *expression; /* of words.h; "": all that the filter lets through */
    const char *title;      /* comes first where there is one of that id, and it has words */
    struct filter filter;
    struct cursor from;
    int limit; /* at most SHELF_PAGE_MAX */
};

/* Appends a page of what a search finds, the best first; without words the titles that were told of
 * last. "next" is the next page's cursor: titles that come, go or change between pages make none of
 * the others come twice, or not at all; but where the page's last title goes together with others
 * before it, as many as those are passed over, if there are words, and where SHELF_FEW that a
 * filter lets through have become four times as many, they are ranked anew. */
int shelf_search(struct shelf *shelf, const struct search *search, struct buf *out,
                 struct err *err);

/* Bytes of the log of changes that are not in the file itself yet: it grows for as long as there
 * is always somebody who reads. */
int64_t shelf_log_bytes(struct shelf *shelf);

/* Moves the log into the file, and empties it. Nobody may read meanwhile, nor may a change be
 * under way. */
int shelf_fold(struct shelf *shelf, struct err *err);

/* Whether a change has failed so that the group's earlier ones are undone too: a full disk. */
bool shelf_is_broken(const struct shelf *shelf);

/* Whether damage was met in the file: nobody knows what is true of the rest of it. */
bool shelf_is_lost(const struct shelf *shelf);

#endif
