/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Remote bytes in blocks of 256 KiB: the latest 96 are kept, and reading on in
 * order is fetched ahead in pieces that double up to 4 MiB, for up to 8 places of
 * the file at once (a file whose sound and pictures lie apart is read at two). One
 * window instead can cost a hundred times the bytes (measured in the design). Which piece such a
 * place will want next is foreseen, so that it can be fetched while this one is read.
 */
#ifndef COMMON_BLOCK_CACHE_H
#define COMMON_BLOCK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

enum { BLOCK_BYTES = 256 * 1024, BLOCK_AHEAD_MAX = 16, BLOCKS_KEPT = 96, BLOCK_STREAMS = 8 };

/* Gives `size` bytes from `offset`, both inside the file, borrowed until the next
 * call. */
typedef int block_fetch(void *context, int64_t offset, size_t size, const uint8_t **data,
                        struct err *err);

struct block_cache;

/* A cache for a file of `size` bytes. Returns owned. */
struct block_cache *block_cache_create(int64_t size, block_fetch *fetch, void *context);

void block_cache_destroy(struct block_cache *cache);

/* Puts in what is known already: `size` bytes from the start of the file; only
 * whole blocks, or up to the end of the file, are kept. */
void block_cache_seed(struct block_cache *cache, const uint8_t *data, size_t size);

/* The largest piece from now on, 1 to BLOCK_AHEAD_MAX blocks: what is read ahead in vain is about
 * one such. A piece goes no further than `sure`, up to where the file is read for sure, and one
 * from there on begins small again and grows with what was read past it. INT64_MAX: to its end. */
void block_cache_limit(struct block_cache *cache, int64_t blocks, int64_t sure);

/* What whoever has just read up to `offset` will want next, where it reads in order there and is
 * past the middle of the piece it has. False: nothing, or it is here. */
bool block_cache_foresee(struct block_cache *cache, int64_t offset, int64_t *from, size_t *size);

/* Puts in a piece that was foreseen. */
void block_cache_put(struct block_cache *cache, int64_t from, const uint8_t *data, size_t size);

/* Whether all of this is here. */
bool block_cache_has(struct block_cache *cache, int64_t offset, size_t size);

/* Reads `size` bytes from `offset`; both must lie inside the file. */
int block_cache_read(struct block_cache *cache, int64_t offset, void *out, size_t size,
                     struct err *err);

#endif
