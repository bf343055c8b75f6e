/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has had what: a set of objects, named by their hashes, and for each of them those of up to 64
 * takers that have had it, a bit each. Pure.
 */
#ifndef WORKERS_EDGES_TAKERS_H
#define WORKERS_EDGES_TAKERS_H

#include <stddef.h>
#include <stdint.h>

enum { TAKERS_MAX = 64 };

/* Zeroed is empty; 16 bytes for each object, at most four times as many. */
struct takers {
    struct takers_entry *entries;
    size_t count;
    size_t capacity; /* a power of two */
};

/* Takes a zeroed one. */
void takers_finish(struct takers *takers);

/* These have had it too. */
void takers_add(struct takers *takers, uint64_t hash, uint64_t who);

/* Those that have had it. */
uint64_t takers_of(const struct takers *takers, uint64_t hash);

/* These have had nothing: their bits are others' from now on. */
void takers_drop(struct takers *takers, uint64_t who);

#endif
