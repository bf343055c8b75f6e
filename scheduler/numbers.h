/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers that are given once, of the store's counters: kept in memory from group to group, and
 * written once for all that a group took.
 */
#ifndef SCHEDULER_NUMBERS_H
#define SCHEDULER_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store.h"

enum { NUMBERS_COUNTERS = 16 };

/* Zeroed, it knows none yet. A copy from before a call takes back what the call took. */
struct numbers {
    size_t count;
    struct {
        char name[16];
        int64_t last; /* that was given */
        bool changed; /* since it was written */
    } counters[NUMBERS_COUNTERS];
};

/* The first of `count` new numbers of a counter. */
int64_t numbers_take(struct numbers *numbers, struct tx *tx, const char *counter, int64_t count);

/* Writes what was taken, before the group is committed. */
void numbers_write(struct numbers *numbers, struct tx *tx);

#endif
