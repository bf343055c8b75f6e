/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What edges and catalogs are to hold of each title (ARCHITECTURE section 8), as desired state: a
 * row for each title and endpoint says which version is wanted there and which is held, and
 * push.h gives out pushes until both are one. So nothing is lost by a kill at any step, an
 * endpoint that is away is caught up when it is back, and a title that was taken away leaves its
 * rows behind until the last endpoint is clean.
 *
 * A publication's stages: settled (nothing to do); due; behind (others of its title come first:
 * edges before a catalog, and where it goes, catalogs before edges); running (a push has it).
 * Others that can't be reached, that fail again and again, or that refuse, so that somebody must do
 * something first, are not waited for.
 *
 * All calls run inside a transaction; errors are the transaction's.
 */
#ifndef SCHEDULER_PUBLISHING_PUBLICATION_H
#define SCHEDULER_PUBLISHING_PUBLICATION_H

#include "endpoint_rows.h"
#include "scheduler/farm.h"

enum {
    PUBLICATION_PATIENCE = 3, /* failures after which others wait for it no longer */
    PUBLICATION_TEXT = 24,    /* bytes of publication_place's text */
};

enum publication_stage { STAGE_SETTLED, STAGE_DUE, STAGE_BEHIND, STAGE_RUNNING, STAGE_COUNT };

struct publication_row {
    int64_t id;
    char title[WIRE_TITLE_TEXT];
    char endpoint[ENDPOINT_TEXT];
    int choice;                /* 1: somebody wants it there, -1: not; 0: the rules decide */
    char wanted[VERSION_TEXT]; /* "": none */
    char held[VERSION_TEXT];   /* "": none */
    int64_t revision;          /* of what is wanted */
    enum publication_stage stage;
    char pushed[VERSION_TEXT]; /* of the push that runs */
    int64_t pushed_revision;
    int64_t skip;  /* objects that are there; -1: forget what the push tells */
    int64_t total; /* of how many; 0: not known */
    int64_t failures;
    char failure[32]; /* class of the last one */
    char error[ENDPOINT_ERROR_TEXT];
    int64_t next_at;
    bool is_catalog;
    bool reachable;    /* its endpoint */
    bool listed;       /* its endpoint, in the file */
    bool fetches;      /* it is gone from there, and players are given it from the output */
    int64_t unsure_at; /* when it is brought once more, since a worker was lost; 0: never */
};

struct publication_list {
    size_t count;
    struct publication_row *rows; /* owned; by endpoint */
};

/* Whether there is such a one; and the row of a query whose columns are those of
 * SQL_PUBLICATION_GET. */
bool publication_find(struct tx *tx, int64_t id, struct publication_row *out);
void publication_read(struct query *query, struct publication_row *row);

/* All of a title. */
void publication_list_read(struct tx *tx, const char *title, struct publication_list *out);
void publication_list_finish(struct publication_list *list);

/* Where its push stands in the tables of units and leases in place of a title, so that no run of
 * the title, nor its end, touches it; and back: 0 for what is none. */
void publication_place(int64_t id, char out[PUBLICATION_TEXT]);
int64_t publication_of_place(const char *place);

/* ---- what is wanted ------------------------------------------------------------------- */

/* At a start: follows the file of endpoints. */
void publication_begin(struct tx *tx, struct farm *farm);

/* Goes on with what time alone changes, and with titles that endpoints new in the file are to
 * hold: a part each time. Whether there is more to do soon. */
bool publication_sweep(struct tx *tx, struct farm *farm);

/* A version of the title is current now: notes what it is made of, and wants it everywhere that
 * the rules say. */
void publication_current(struct tx *tx, struct farm *farm, const char *title);

/* The same for a title whose version was noted: its popularity or other facts changed. */
void publication_follow(struct tx *tx, const struct farm *farm, const char *title, bool is_new);

/* The title is being taken away: nothing of it is wanted anywhere. */
void publication_leave(struct tx *tx, const char *title);

/* It is forgotten, and what endpoints hold of it stays there. */
void publication_forget(struct tx *tx, const char *title);

/* Its row is gone: what nobody needs any more goes too. */
void publication_clean(struct tx *tx, const char *title);

/* How many endpoints a removal at the origin waits for. */
int64_t publication_holding(struct tx *tx, const char *title);

/* The origin drops versions: edges that hold them do too, each when it has had another one for as
 * long as versions are kept. */
void publication_versions_go(struct tx *tx, const char *title);

/* The origin has dropped versions, or the title: caches that fetch by themselves, which were told
 * before, may have taken them again till then, and are told once more. */
void publication_origin_went(struct tx *tx, const char *title);

/* One of its publications ended a push: decides which is next. */
void publication_order(struct tx *tx, const char *title);

/* What a version is made of may have been noted wrongly, or not at all, by a scheduler that knew of
 * no endpoints: notes it by the renditions that the version is kept with, and their reports. One
 * whose reports are not there stays as it is. */
void publication_note_older(struct tx *tx, const char *title, const char *version);

/* ---- what people ask for ----------------------------------------------------------------- */

/* Brings the current version to an endpoint whatever its rules say, or (NULL) to all that the
 * rules name, once more where it is there; where a push runs, once more after it. CONFLICT without
 * a version, or where the endpoint is to hold nothing. */
void publication_publish(struct tx *tx, const struct farm *farm, const char *title,
                         const char *endpoint);

/* Takes the title from an endpoint, or (NULL) from all, until it is published again; its origin
 * stays. With a version, that one alone, and (without an endpoint) from the origin too. NOT_FOUND;
 * CONFLICT of the current version, and while one can't be dropped. */
void publication_unpublish(struct tx *tx, const struct farm *farm, const char *title,
                           const char *endpoint, const char *version);

/* Forgets an endpoint that the file has no more: what it holds and was to hold, or to be told; what
 * lies there stays. Of how many titles. NOT_FOUND; CONFLICT while a scheduler's file has it. */
int64_t publication_forget_endpoint(struct tx *tx, const struct farm *farm, const char *endpoint);

/* How popular a title is; one that is not there is passed over. Whether it is there. */
bool publication_score(struct tx *tx, const struct farm *farm, const char *title, double score);

/* ---- what people see ------------------------------------------------------------------------ */

/* "waiting", "running", "held", "withdrawing", "gone"; or "fetches": it is gone from there, but the
 * endpoint fetches from the output, which has it, what players ask for. */
const char *publication_state(const struct publication_row *row);

/* Writes all of a title as an array "publications", and whether it is "published": the origin
 * and all catalogs that are to list it have its version. `shown_to`: a tenant's caller, who is told
 * of no other title; "": one who sees the whole farm. */
void publications_write(struct tx *tx, struct farm *farm, const struct title_row *title,
                        const char *shown_to, struct writer *w);

/* Writes which title it is, its state, and all of it as that array; of one that is removed, what is
 * still to be taken from endpoints. NOT_FOUND where there is neither, and for a tenant's caller
 * (not "") where it is, or was last, another's. */
void publications_show(struct tx *tx, struct farm *farm, const char *title, const char *tenant,
                       struct writer *w);

#endif
