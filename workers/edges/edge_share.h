/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes of the origin that several pushes of one version want at the same time. Who comes to an
 * object first reads it; who comes while it is being read, or before it gives way to later ones,
 * takes the same bytes; and who may choose takes first what is there (share_choose). So edges that
 * keep up with each other cost the origin one reading; one that falls behind reads by itself, and
 * none ever waits for another's edge. Nothing is kept for a push that is alone. Used by all threads
 * of a worker.
 */
#ifndef WORKERS_EDGES_EDGE_SHARE_H
#define WORKERS_EDGES_EDGE_SHARE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct share;       /* of a worker */
struct share_group; /* the pushes of one version */
struct share_copy;  /* an object's bytes */

/* Nothing is kept, for those that come later or as a buffer for the next object, where that and
 * what is in use are more bytes. */
struct share *share_create(int64_t bytes_max);

/* Takes NULL. No group is joined any more. */
void share_destroy(struct share *share);

/* Joins those who push what `name` names; borrowed by the caller until share_leave. */
struct share_group *share_join(struct share *share, const char *name);

/* Takes NULL. No copy of the caller's is left. */
void share_leave(struct share_group *group);

/* Reads an object whole into `out`, which is empty. */
typedef int share_read(void *context, struct buf *out, struct err *err);

struct share_object {
    const char *path; /* names it in the group */
    int64_t bytes;    /* -1: not known */
};

/*
 * The object's bytes, in a copy that goes with share_release: those that another of the group read,
 * or what `read` gives, which is then called in this thread. `*shared` says which. `group` NULL: by
 * `read`, for nobody else. Fails as `read` does, of its own call alone, and CANCELLED.
 */
int share_take(struct share_group *group, const struct share_object *object, share_read *read,
               void *context, const atomic_bool *cancel, struct share_copy **out, bool *shared,
               struct err *err);

/* The hash of a path, for share_choose. */
uint64_t share_hash(const char *path);

/* Which of several objects, named by their hashes, is best taken next: the first that another has
 * read, else the first that nobody is reading, else the first. So pushes that each read what the
 * others have not keep together, wherever they began. `group` may be NULL. */
size_t share_choose(struct share_group *group, const uint64_t *hashes, size_t count);

/* Borrowed from the copy, and not to be changed: others read it. */
const struct buf *share_body(const struct share_copy *copy);

/* Takes NULL. */
void share_release(struct share_copy *copy);

#endif
