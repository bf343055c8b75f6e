/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Headers of sources: what every child of a title reads to open its container, wherever that lies
 * (source_document). Each piece is fetched once, by itself, by the first task that wants it, and
 * kept for those that follow on this worker. Used by all its slots.
 */
#ifndef WORKERS_HEADERS_H
#define WORKERS_HEADERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/media.h"

struct headers; /* of a worker */
struct header;  /* of one version of a source */

/* Those that nobody uses give way where all would have more bytes. Returns owned. */
struct headers *headers_create(int64_t bytes_max);

/* Takes NULL. No header is in use any more. */
void headers_destroy(struct headers *headers);

/* The header of the document's source, which has this identity and so many bytes; in use until
 * header_give. NULL where nothing can be kept: the document knows of none, the identity is "", or
 * those in use leave no room. */
struct header *headers_take(struct headers *headers, const char *identity,
                            const struct source_document *document, int64_t size);

/* Takes NULL. */
void header_give(struct header *header);

/* Reads bytes of the source from a network: all of them, or an error. */
typedef int header_fetch(void *context, int64_t offset, void *out, size_t size, struct err *err);

/* Up to `size` bytes from `offset` on, as far as they are of the header: how many. 0 where none
 * are, or a task could not have them just now: read them otherwise. Negative where `fetch`, which
 * is called in this thread, failed, or CANCELLED. `header` may be NULL. */
int64_t header_read(struct header *header, int64_t offset, void *out, size_t size,
                    header_fetch *fetch, void *context, const atomic_bool *cancel, struct err *err);

#endif
