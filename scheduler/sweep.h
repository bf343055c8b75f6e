/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done from time to time without being asked for: lost workers, versions whose time is
 * past, tokens that another process made. Each part is a call of its own on the store, and so is
 * each lost session, so that one that fails undoes no other. To add a part: its function and its
 * row in sweep.c.
 */
#ifndef SCHEDULER_SWEEP_H
#define SCHEDULER_SWEEP_H

#include "auth.h"
#include "farm.h"
#include "session.h"
#include "store.h"

enum { SWEEP_PARTS_MAX = 8 };

struct sweep_call {
    struct sweep *sweep;
    size_t part;
};

struct sweep_loss {
    struct sweep *sweep;
    char session[ID_TEXT];
};

/* Zeroed but for the first three, which are borrowed. */
struct sweep {
    struct store *store;
    struct farm *farm;
    struct auth *auth;
    struct sweep_call calls[SWEEP_PARTS_MAX];
    struct sweep_loss losses[SESSIONS_SILENT_MAX];
    size_t under_way; /* calls that have not ended */
};

/* Submits all parts; nothing while the last sweep is under way. On the store's thread. What
 * fails is logged. */
void sweep_begin(struct sweep *sweep);

#endif
