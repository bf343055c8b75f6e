/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Periodic work: see sweep.h. */
#include "sweep.h"

#include <assert.h>
#include <string.h>

#include "common/log.h"
#include "early.h"
#include "missing.h"
#include "scheduler/publishing/hooks.h"
#include "session.h"
#include "tokens.h"
#include "versions.h"

/* A call of a sweep has ended. */
static void ended(struct sweep *sweep, const char *what, const char *session,
                  const struct err *err) {
    sweep->under_way--;
    if (err->code != ERR_NONE) {
        farm_forget(sweep->farm);
        log_error("a sweep failed", "part=\"%s\" session=%s error=\"%s\"", what, session,
                  err->message);
    }
}

static void lose(struct tx *tx, void *context) {
    const struct sweep_loss *loss = context;
    session_lose(tx, loss->sweep->farm, loss->session);
    if (!tx_ok(tx)) {
        farm_forget(loss->sweep->farm);
    }
}

static void lose_done(void *context, const struct err *err) {
    const struct sweep_loss *loss = context;
    ended(loss->sweep, "a lost worker", loss->session, err);
}

static void lost_workers(struct tx *tx, struct sweep *sweep) {
    char ids[SESSIONS_SILENT_MAX][ID_TEXT];
    size_t count = session_silent(tx, sweep->farm, ids);
    for (size_t i = 0; i < count; i++) {
        struct sweep_loss *loss = &sweep->losses[i];
        loss->sweep = sweep;
        memcpy(loss->session, ids[i], sizeof(loss->session));
        sweep->under_way++;
        store_submit(sweep->store, lose, lose_done, loss);
    }
}

static void old_early_playlists(struct tx *tx, struct sweep *sweep) {
    early_sweep(tx, sweep->farm);
}

static void old_versions(struct tx *tx, struct sweep *sweep) {
    versions_sweep(tx, sweep->farm);
}

static void images_nobody_makes(struct tx *tx, struct sweep *sweep) {
    missing_sweep(tx, sweep->farm);
}

static void old_deliveries(struct tx *tx, struct sweep *sweep) {
    (void)sweep;
    hooks_sweep(tx);
}

/* Others may share the store; and some expire. */
static void good_tokens(struct tx *tx, struct sweep *sweep) {
    tokens_load(tx, sweep->auth);
}

static const struct {
    const char *what;
    void (*run)(struct tx *tx, struct sweep *sweep);
} parts[] = {
    {"lost workers", lost_workers},
    {"early playlists", old_early_playlists}, /* before what they list */
    {"old versions", old_versions},
    {"images that nobody makes", images_nobody_makes},
    {"deliveries to webhooks", old_deliveries},
    {"tokens", good_tokens},
};

#define PARTS (sizeof(parts) / sizeof(parts[0]))
static_assert(PARTS <= SWEEP_PARTS_MAX, "SWEEP_PARTS_MAX holds all parts");

static void run_part(struct tx *tx, void *context) {
    const struct sweep_call *call = context;
    parts[call->part].run(tx, call->sweep);
    if (!tx_ok(tx)) {
        farm_forget(call->sweep->farm);
    }
}

static void part_done(void *context, const struct err *err) {
    const struct sweep_call *call = context;
    ended(call->sweep, parts[call->part].what, "", err);
}

void sweep_begin(struct sweep *sweep) {
    if (sweep->under_way > 0) {
        return;
    }
    sweep->under_way = PARTS;
    for (size_t i = 0; i < PARTS; i++) {
        sweep->calls[i] = (struct sweep_call){.sweep = sweep, .part = i};
        store_submit(sweep->store, run_part, part_done, &sweep->calls[i]);
    }
}
