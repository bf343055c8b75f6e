/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has had what: see takers.h. */
#include "takers.h"

#include "common/mem.h"

enum { CAPACITY_FIRST = 256 };

/* One whom nobody has had is a free place. */
struct takers_entry {
    uint64_t hash;
    uint64_t who;
};

void takers_finish(struct takers *takers) {
    mem_free(takers->entries);
    *takers = (struct takers){0};
}

/* The place of that object, or the free one where it is to be. There is always a free one. */
static struct takers_entry *place(const struct takers *takers, uint64_t hash) {
    size_t mask = takers->capacity - 1;
    size_t at = (size_t)(hash ^ hash >> 32) & mask;
    while (takers->entries[at].who != 0 && takers->entries[at].hash != hash) {
        at = (at + 1) & mask;
    }
    return &takers->entries[at];
}

/* Into a table of so many places, without those of which nobody is left. */
static void move(struct takers *takers, size_t capacity) {
    struct takers old = *takers;
    *takers = (struct takers){.capacity = capacity,
                              .entries = mem_zero(capacity, sizeof(*takers->entries))};
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.entries[i].who != 0) {
            *place(takers, old.entries[i].hash) = old.entries[i];
            takers->count++;
        }
    }
    takers_finish(&old);
}

void takers_add(struct takers *takers, uint64_t hash, uint64_t who) {
    if (who == 0) {
        return;
    }
    if (2 * (takers->count + 1) > takers->capacity) {
        move(takers, takers->capacity == 0 ? CAPACITY_FIRST : 2 * takers->capacity);
    }
    struct takers_entry *entry = place(takers, hash);
    takers->count += entry->who == 0 ? 1 : 0;
    entry->hash = hash;
    entry->who |= who;
}

uint64_t takers_of(const struct takers *takers, uint64_t hash) {
    return takers->capacity == 0 ? 0 : place(takers, hash)->who;
}

void takers_drop(struct takers *takers, uint64_t who) {
    for (size_t i = 0; i < takers->capacity; i++) {
        takers->entries[i].who &= ~who;
    }
    if (takers->capacity > 0) { /* a free place within a run would end it too soon */
        move(takers, takers->capacity);
    }
}
