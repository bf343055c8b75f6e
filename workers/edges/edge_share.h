/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of the origin that several pushes of one version want at the same time. Who comes to an
 * object first reads it; who comes while it is being read or sent, or before it gives way to later
 * ones, takes the same bytes; and who may choose takes first what is there (share_choose). What is
 * there is kept for those that have not had it yet. So edges that keep up with each other cost the
 * origin one reading.
 *
 * Who is so far ahead that what others still want would have to give way lets them come for it, as
 * long as it has patience and they are trusted to come: each push has a little of both when it
 * joins; patience grows by an eighth of the time, trust so only in one that comes for what others
 * read. So no push is held back for more than that, and for one that is dead or much slower hardly
 * at all: such a one reads by itself in the end. Who takes what another is reading just now waits
 * for that besides, as it would for a reading of its own.
 *
 * Say that there is room for thirty objects, A has had 0 to 39 and B 0 to 9: then 10 to 39 are kept
 * for B, and 10 would have to give way to what A reads next. So A waits, and asks again and again:
 * as B has had 10, A reads 40. If B has hung, that has cost A patience and B trust. When either is
 * used up, A reads 40 all the same; and B, should it come, reads 10 by itself.
 *
 * Nothing is kept for a push that is alone. Used by all threads of a worker.
 */
#ifndef WORKERS_EDGES_EDGE_SHARE_H
#define WORKERS_EDGES_EDGE_SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct share;        /* of a worker */
struct share_member; /* a push, among those of its version */
struct share_copy;   /* an object's bytes */

enum {
    SHARE_PATIENCE_MS = 50, /* of who has just joined; and trust in it */
    SHARE_PATIENCE_MOST_MS = 500,
    SHARE_PATIENCE_PART = 8, /* of the time */
    SHARE_ASK_MS = 5,        /* who is held back asks again so soon */
};

/* Nothing is kept, for those that come later or as a buffer for the next object, where that and
 * what is in use are more bytes. */
struct share *share_create(int64_t bytes_max);

/* Takes NULL. No group is joined any more. */
void share_destroy(struct share *share);

/* Joins those who push what `name` names; borrowed by the caller until share_leave. NULL where they
 * are as many as there can be (TAKERS_MAX): such a one reads by itself. */
struct share_member *share_join(struct share *share, const char *name);

/* Takes NULL. No copy of the caller's is left. */
void share_leave(struct share_member *member);

/* Reads an object whole into `out`, which is empty. */
typedef int share_read(void *context, struct buf *out, struct err *err);

struct share_object {
    const char *path; /* names it in the group */
    int64_t bytes;    /* -1: not known */
};

/*
 * The object's bytes, in a copy that goes with share_release: those that another of the group read,
 * or what `read` gives, which is then called in this thread. `*shared` says which. `member` NULL:
 * by `read`, for nobody else. Fails as `read` does, of its own call alone, and CANCELLED.
 */
int share_take(struct share_member *member, const struct share_object *object, share_read *read,
               void *context, const atomic_bool *cancel, struct share_copy **out, bool *shared,
               struct err *err);

/* The hash of a path: an object, for those below. */
uint64_t share_hash(const char *path);

/* Whether no other pushes what it does. `member` may be NULL. */
bool share_is_alone(const struct share_member *member);

/* The push will not come for that object, or not any more: nobody needs to keep it for it. */
void share_pass(struct share_member *member, uint64_t hash);

struct share_wish {
    uint64_t hash;
    int64_t bytes; /* -1: not known */
};

/*
 * Which of several objects is best taken next, in this order: what another has read, the oldest
 * first; what nobody has and there is room for; what is being read; and what nobody has, for which
 * others give way. So pushes that each read what the others have not keep together, wherever they
 * began. `count`: instead of the last, none just now, since others are to come for what is there
 * first; to be asked again after SHARE_ASK_MS. `member` may be NULL.
 */
size_t share_choose(struct share_member *member, const struct share_wish *wishes, size_t count);

/* Borrowed from the copy, and not to be changed: others read it. */
const struct buf *share_body(const struct share_copy *copy);

/* Takes NULL. */
void share_release(struct share_copy *copy);

#endif
