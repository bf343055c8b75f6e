/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What becomes of units whose lease ends without a result: see outcome_parts.h. */
#include "outcome_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "early.h"
#include "hedge.h"
#include "missing.h"
#include "removal.h"
#include "titles.h"

enum {
    ATTEMPTS_MAX = 4,   /* failures of a unit before its title fails */
    CRASHES_MAX = 3,    /* children a unit may kill before it is poison */
    LOSS_HOSTS_MAX = 4, /* hosts that may be lost with a unit before it is poison */
    BACK_OFF_FIRST_MS = 1000,
    BACK_OFF_MOST_MS = 60000,
};

enum fate {
    FATE_FAIL,    /* fails the title at once */
    FATE_RETRY,   /* again after a pause */
    FATE_REPLACE, /* once more, alone, with leave to replace what is there */
    FATE_REMAKE,  /* the units that it names run again */
};

static const struct {
    enum fate fate;
    bool crash;   /* counts towards poison */
    bool doubles; /* the next attempt gets twice the memory */
    bool alone;   /* the next attempt is by itself, so that blame is exact */
} policies[FAILURE_COUNT] = {
    [FAILURE_BAD_SOURCE] = {.fate = FATE_FAIL},
    [FAILURE_UNSUPPORTED] = {.fate = FATE_FAIL},
    [FAILURE_FRAME_COUNT] = {.fate = FATE_FAIL},
    [FAILURE_REFUSED] = {.fate = FATE_FAIL},
    [FAILURE_IO] = {.fate = FATE_RETRY},
    [FAILURE_KILLED] = {.fate = FATE_RETRY},
    [FAILURE_TIMEOUT] = {.fate = FATE_RETRY},
    [FAILURE_OOM] = {.fate = FATE_RETRY, .doubles = true, .alone = true},
    [FAILURE_CRASH] = {.fate = FATE_RETRY, .crash = true, .alone = true},
    [FAILURE_LIES] = {.fate = FATE_RETRY, .crash = true, .alone = true},
    [FAILURE_NONDETERMINISTIC] = {.fate = FATE_REPLACE},
    [FAILURE_MISSING] = {.fate = FATE_REMAKE},
    [FAILURE_ENDPOINT] = {.fate = FATE_RETRY},
};

bool outcome_may_retry(enum failure_class class) {
    return policies[class].fate != FATE_FAIL;
}

/* These see whether all is there that they list. */
static bool writes_manifests(enum task_kind kind) {
    return kind == TASK_PACKAGE || kind == TASK_EARLY;
}

void outcome_move_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit,
                       enum unit_event event, const struct failure *failure) {
    struct buf detail = {0};
    outcome_detail(&detail, lease, failure == NULL ? NULL : failure_class_name(failure->class),
                   failure == NULL ? NULL : failure->message);
    struct state_note note = {.title = lease->title, .detail = buf_text(&detail)};
    unit->state = (enum unit_state)unit_move(tx, unit->id, unit->state, event, &note);
    buf_finish(&detail);
}

void outcome_leave_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit,
                        enum unit_event event, const struct failure *failure) {
    if (hedge_goes_on(tx, unit)) {
        hedge_rearm(tx, unit);
        event = UNIT_YIELD;
    }
    outcome_move_unit(tx, lease, unit, event, failure);
}

static int64_t back_off(struct farm *farm, int failures) {
    int64_t most = BACK_OFF_FIRST_MS;
    for (int i = 1; i < failures && most < BACK_OFF_MOST_MS; i++) {
        most *= 2;
    }
    most = most < BACK_OFF_MOST_MS ? most : BACK_OFF_MOST_MS;
    return most / 2 + (int64_t)farm->draw((uint64_t)(most / 2 + 1));
}

/* "chunk 3 of h264-720p", for people, who count from 1; what has no chunk by its kind or
 * rendition. */
static void name_unit(const struct unit_row *unit, char *out, size_t size) {
    if (unit->chunk >= 0) {
        snprintf(out, size, "chunk %d of %s", unit->chunk + 1, unit->rendition_id);
    } else if (unit->rendition >= 0) {
        snprintf(out, size, "%s", unit->rendition_id);
    } else {
        snprintf(out, size, "the %s task", task_kind_name(unit->kind));
    }
}

/* The unit can't be made: its title fails, or goes on without it; a removal that can't be done is
 * given up. */
static void give_up(struct tx *tx, const struct lease_row *lease, struct unit_row *unit,
                    const struct failure *failure, const char *class_name, const char *sentence) {
    outcome_move_unit(tx, lease, unit, UNIT_FAIL, failure);
    if (missing_allows(unit->kind)) {
        missing_unit(tx, unit, class_name, sentence);
        return;
    }
    if (unit->kind != TASK_REMOVE) {
        title_fail(tx, lease->title, class_name, sentence);
        return;
    }
    struct buf detail = {0};
    outcome_detail(&detail, lease, class_name, sentence);
    removal_refused(tx, unit, class_name, sentence, buf_text(&detail));
    buf_finish(&detail);
}

/* Why a failure that may be retried is the last one, as an owned sentence; NULL
 * where there is an attempt left. `class_name` becomes the class to record. */
static char *last_straw(const struct unit_row *unit, const struct failure *failure, int failures,
                        int crashes, const char **class_name) {
    char name[96];
    name_unit(unit, name, sizeof(name));
    if (crashes >= CRASHES_MAX) {
        *class_name = "poison";
        return mem_format("%s broke %d encoder processes, the last one so: %s", name, crashes,
                          failure->message);
    }
    if (failures >= ATTEMPTS_MAX) {
        *class_name = failure_class_name(failure->class);
        return mem_format("%s failed %d times, the last time so: %s", name, failures,
                          failure->message);
    }
    return NULL;
}

static void retry_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit,
                       const struct failure *failure, int64_t pause_ms) {
    enum failure_class class = failure->class;
    bool replace = policies[class].fate == FATE_REPLACE;
    bool crash = policies[class].crash;
    int failures = unit->failures + (replace ? 0 : 1);
    int crashes = unit->crashes + (crash ? 1 : 0);
    const char *class_name = NULL;
    char *sentence =
        hedge_goes_on(tx, unit) ? NULL : last_straw(unit, failure, failures, crashes, &class_name);
    sql_put(tx, SQL_UNIT_COUNT_FAILURE,
            VALUES(INTEGER(unit->id), INTEGER(replace ? 0 : 1), INTEGER(crash ? 1 : 0),
                   INTEGER(policies[class].doubles ? 1 : 0),
                   INTEGER(policies[class].alone || replace ? 1 : 0), INTEGER(replace ? 1 : 0),
                   TEXT(lease->worker), INTEGER(tx_now(tx) + (replace ? 0 : pause_ms))));
    if (sentence != NULL) {
        give_up(tx, lease, unit, failure, class_name, sentence);
    } else {
        outcome_leave_unit(tx, lease, unit, UNIT_RETRY, failure);
    }
    mem_free(sentence);
}

static void fail_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit,
                      const struct failure *failure, int64_t pause_ms) {
    enum fate fate = policies[failure->class].fate;
    bool again = (fate == FATE_REPLACE && unit->may_replace) ||
                 (fate == FATE_REMAKE && writes_manifests(unit->kind));
    bool is_last = again && !hedge_goes_on(tx, unit);
    if ((fate != FATE_FAIL && !is_last) || unit->kind == TASK_REMOVE) {
        retry_unit(tx, lease, unit, failure, pause_ms);
        return;
    }
    char name[96];
    name_unit(unit, name, sizeof(name));
    char *sentence = unit->rendition < 0 ? mem_string(failure->message)
                                         : mem_format("%s: %s", name, failure->message);
    give_up(tx, lease, unit, failure, failure_class_name(failure->class), sentence);
    mem_free(sentence);
}

static bool is_blamed(const struct failure *failure, int64_t unit) {
    bool blamed = failure->unit_count == 0;
    for (size_t i = 0; i < failure->unit_count; i++) {
        blamed = blamed || failure->units[i] == unit;
    }
    return blamed;
}

/* Sends units whose objects are gone back to ready. Returns how many there were, with those that
 * are being made again already: early and package may find out at one time. */
static int remake_units(struct tx *tx, const struct lease_row *lease,
                        const struct failure *failure) {
    int count = 0;
    for (size_t i = 0; i < failure->unit_count; i++) {
        struct unit_row unit;
        if (!unit_find(tx, failure->units[i], &unit) || strcmp(unit.title, lease->title) != 0 ||
            unit.rendition < 0) {
            continue;
        }
        if (unit.state == UNIT_READY || unit.state == UNIT_LEASED) {
            count++;
            continue;
        }
        if (state_next(MACHINE_UNIT, (int)unit.state, UNIT_REDO) < 0) {
            continue;
        }
        sql_put(tx, SQL_PRODUCT_DROP, VALUES(INTEGER(unit.id)));
        sql_put(tx, SQL_UNIT_SET_MADE,
                VALUES(INTEGER(unit.id), INTEGER(0), INTEGER(0), INTEGER(0)));
        outcome_move_unit(tx, lease, &unit, UNIT_REDO, failure);
        count++;
    }
    return count;
}

/* Who writes manifests found that objects are gone: once in a run they are made again.
 * Whether that was done. */
static bool remake(struct tx *tx, const struct lease_row *lease, struct unit_list *units,
                   const struct failure *failure) {
    struct title_row title = {0};
    bool done = false;
    if (writes_manifests(lease->kind) && title_get(tx, lease->title, &title) &&
        title.redone < (title.early ? 2 : 1) && /* one each */
        remake_units(tx, lease, failure) > 0) {
        for (size_t i = 0; i < units->count; i++) {
            outcome_move_unit(tx, lease, &units->rows[i], UNIT_BLOCK, failure);
        }
        sql_put(tx, SQL_TITLE_COUNT_REDONE, VALUES(TEXT(lease->title)));
        title_units_redone(tx, lease->title);
        done = true;
    }
    title_row_finish(&title);
    return done;
}

/* Another found that objects are gone, and what early playlists list is made again: that takes as
 * long as it takes, and is no failure of the task that can't go on meanwhile. */
static bool wait_for_remade(struct tx *tx, const struct lease_row *lease, struct unit_list *units,
                            const struct failure *failure) {
    if (lease->kind != TASK_EARLY || failure->class != FAILURE_IO ||
        !early_waits(tx, lease->title)) {
        return false;
    }
    for (size_t i = 0; i < units->count; i++) {
        outcome_move_unit(tx, lease, &units->rows[i], UNIT_BLOCK, failure);
    }
    return true;
}

static void fail_units(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                       struct unit_list *units, const struct failure *failure) {
    int64_t pause_ms = -1; /* one for all, so that they stay one task */
    for (size_t i = 0; i < units->count && tx_ok(tx); i++) {
        struct unit_row *unit = &units->rows[i];
        if (!unit_find(tx, unit->id, unit) || unit->state != UNIT_LEASED) {
            continue; /* done by another, or the title failed by the one before */
        }
        if (lease->kind == TASK_VIDEO && !is_blamed(failure, unit->id)) {
            outcome_leave_unit(tx, lease, unit, UNIT_RETURN, NULL);
            continue;
        }
        if (pause_ms < 0) {
            pause_ms = back_off(farm, unit->failures + 1);
        }
        fail_unit(tx, lease, unit, failure, pause_ms);
    }
}

void outcome_fail_units(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                        struct unit_list *units, const struct failure *failure) {
    bool remade = policies[failure->class].fate == FATE_REMAKE && remake(tx, lease, units, failure);
    if (!remade && !wait_for_remade(tx, lease, units, failure)) {
        fail_units(tx, farm, lease, units, failure);
    }
}

void outcome_lose_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit) {
    sql_put(tx, SQL_UNIT_COUNT_LOSS, VALUES(INTEGER(unit->id)));
    sql_put(tx, SQL_UNIT_LOSS_ADD, VALUES(INTEGER(unit->id), TEXT(lease->host)));
    int64_t hosts = sql_integer(tx, SQL_UNIT_LOSS_HOSTS, VALUES(INTEGER(unit->id)), 0);
    if (hosts < LOSS_HOSTS_MAX || unit->kind == TASK_REMOVE || hedge_goes_on(tx, unit)) {
        outcome_leave_unit(tx, lease, unit, UNIT_RETURN, NULL);
        return;
    }
    char name[96];
    name_unit(unit, name, sizeof(name));
    char *sentence = mem_format("%s was running on %" PRId64 " hosts when each of them was lost, "
                                "the last on %s; is there enough memory for it?",
                                name, hosts, lease->host);
    give_up(tx, lease, unit, NULL, "poison", sentence);
    mem_free(sentence);
}
