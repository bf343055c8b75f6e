/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done from time to time without being asked for: lost workers, versions whose time is
 * past, tokens that another process made. Each part is a call of its own on the store, so that
 * one that fails undoes no other. To add a part: its function and its row in sweep.c.
 */
#ifndef SCHEDULER_SWEEP_H
#define SCHEDULER_SWEEP_H

#include "auth.h"
#include "farm.h"
#include "store.h"

enum { SWEEP_PARTS_MAX = 8 };

struct sweep_call {
    struct sweep *sweep;
    size_t part;
};

/* Zeroed but for the first three, which are borrowed. */
struct sweep {
    struct store *store;
    struct farm *farm;
    struct auth *auth;
    struct sweep_call calls[SWEEP_PARTS_MAX];
    size_t under_way; /* parts that have not ended */
};

/* Submits all parts; nothing while the last sweep is under way. On the store's thread. A part
 * that fails is logged. */
void sweep_begin(struct sweep *sweep);

#endif
