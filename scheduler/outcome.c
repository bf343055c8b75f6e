/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How leases end: see outcome.h. */
#include "outcome.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "early.h"
#include "estimate.h"
#include "hedge.h"
#include "leftovers.h"
#include "metrics.h"
#include "missing.h"
#include "probes.h"
#include "removal.h"
#include "scheduler/publishing/hooks.h"
#include "scheduler/publishing/orphans.h"
#include "scheduler/publishing/publication.h"
#include "scheduler/publishing/push.h"
#include "titles.h"
#include "versions.h"

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

/* Leases that are of no title's run end with whoever gave them out. */
static const struct owner {
    bool (*has_lease)(const struct lease_row *lease);
    enum answer (*complete)(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                            const struct task_report *report);
    enum answer (*fail)(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                        const struct failure *failure);
    void (*drop)(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                 enum lease_event event);
} owners[] = {
    {hooks_have_lease, hooks_complete, hooks_fail, hooks_drop},
    {push_has_lease, push_complete, push_fail, push_drop},
    {orphans_have_lease, orphans_complete, orphans_fail, orphans_drop},
    {probe_has_lease, probe_complete, probe_fail, probe_drop},
};

/* NULL where it is of a title. */
static const struct owner *owner_of(const struct lease_row *lease) {
    for (size_t i = 0; i < sizeof(owners) / sizeof(owners[0]); i++) {
        if (owners[i].has_lease(lease)) {
            return &owners[i];
        }
    }
    return NULL;
}

bool outcome_may_retry(enum failure_class class) {
    return policies[class].fate != FATE_FAIL;
}

/* These see whether all is there that they list. */
static bool writes_manifests(enum task_kind kind) {
    return kind == TASK_PACKAGE || kind == TASK_EARLY;
}

void outcome_detail(struct buf *out, const struct lease_row *lease, const char *failure,
                    const char *message) {
    struct writer writer = writer_of(out);
    writer_object(&writer, NULL);
    writer_int(&writer, "fence", lease->fence);
    writer_string(&writer, "kind", task_kind_name(lease->kind));
    writer_string(&writer, "worker", lease->worker);
    writer_string(&writer, "host", lease->host);
    writer_int(&writer, "attempt", lease->attempt);
    if (failure != NULL) {
        writer_string(&writer, "class", failure);
        writer_string(&writer, "message", message);
    }
    writer_object_end(&writer);
}

static void move_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit,
                      enum unit_event event, const struct failure *failure) {
    struct buf detail = {0};
    outcome_detail(&detail, lease, failure == NULL ? NULL : failure_class_name(failure->class),
                   failure == NULL ? NULL : failure->message);
    struct state_note note = {.title = lease->title, .detail = buf_text(&detail)};
    unit->state = (enum unit_state)unit_move(tx, unit->id, unit->state, event, &note);
    buf_finish(&detail);
}

/* A lease of the unit has ended without a result. Where another goes on, it stays leased. */
static void leave_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit,
                       enum unit_event event, const struct failure *failure) {
    if (hedge_goes_on(tx, unit)) {
        hedge_rearm(tx, unit);
        event = UNIT_YIELD;
    }
    move_unit(tx, lease, unit, event, failure);
}

static void end_lease(struct tx *tx, struct farm *farm, struct lease_row *lease,
                      enum lease_event event) {
    lease->state = (enum lease_state)lease_move(tx, lease->fence, lease->state, event);
    farm_progress_drop(farm, lease->fence);
    tx_wake(tx, TOPIC_LEASES);
}

static bool get_lease(struct tx *tx, int64_t fence, struct lease_row *lease) {
    if (!lease_find(tx, fence, lease)) {
        err_set(tx_err(tx), ERR_NOT_FOUND,
                "there is no lease %" PRId64 "; its title has a new run by now", fence);
        return false;
    }
    return true;
}

/* ---- results ----------------------------------------------------------------- */

/* Whether two reports of a unit name the same bytes. */
static bool same_bytes(struct tx *tx, int64_t unit, const struct unit_report *report) {
    bool same = false;
    struct query query = sql_query(tx, SQL_PRODUCT_GET, VALUES(INTEGER(unit)));
    if (query_next(&query)) {
        const char *text = query_text(&query, 0);
        struct err err = {0};
        struct json *tree = NULL;
        struct arena arena = {0};
        struct unit_report kept = {0};
        if (json_tree_parse(&tree, text, strlen(text), &err) == 0) {
            struct reader reader = reader_of(tree, "the stored report", &err);
            unit_report_read(&kept, &arena, &reader);
        }
        same = err.code == ERR_NONE && kept.segment_count == report->segment_count &&
               strcmp(kept.init_sha256, report->init_sha256) == 0;
        for (size_t i = 0; same && i < kept.segment_count; i++) {
            same = strcmp(kept.segments[i].sha256, report->segments[i].sha256) == 0;
        }
        arena_finish(&arena);
        json_tree_destroy(tree);
    }
    query_close(&query);
    return same;
}

static void keep_report(struct tx *tx, int64_t unit, const struct unit_report *report,
                        const struct task_stats *stats) {
    struct value repaired = INTEGER(stats->frames_repaired);
    struct value concealed = INTEGER(stats->frames_concealed);
    struct buf text = {0};
    struct writer writer = writer_of(&text);
    unit_report_write(report, &writer, NULL);
    sql_put(tx, SQL_PRODUCT_PUT, VALUES(INTEGER(unit), TEXT(buf_text(&text)), repaired, concealed));
    sql_put(tx, SQL_UNIT_SET_MADE, VALUES(INTEGER(unit), repaired, concealed, INTEGER(0)));
    buf_finish(&text);
}

/* Others that run a unit which is done by now: those with nothing left to do stop. */
static void stop_others(struct tx *tx, int64_t unit, int64_t fence) {
    struct lease_list leases = {0};
    lease_list_read(tx, &leases, SQL_LEASES_OF_UNIT, INTEGER(unit));
    for (size_t i = 0; i < leases.count; i++) {
        if (leases.rows[i].fence == fence || leases.rows[i].state != LEASE_LIVE) {
            continue;
        }
        struct unit_list units = {0};
        bool wanted = false;
        lease_units(tx, leases.rows[i].fence, &units);
        for (size_t j = 0; j < units.count; j++) {
            wanted = wanted || units.rows[j].state == UNIT_LEASED;
        }
        if (!wanted) {
            lease_move(tx, leases.rows[i].fence, LEASE_LIVE, LEASE_STOP);
        }
        unit_list_finish(&units);
    }
    lease_list_finish(&leases);
}

/* One unit's result, and what it means for the unit. `report` is NULL for kinds without. */
static enum answer complete_unit(struct tx *tx, const struct lease_row *lease,
                                 struct unit_row *unit, enum unit_event event,
                                 const struct unit_report *report, const struct task_stats *stats) {
    if (unit->state == UNIT_DONE && report != NULL && !same_bytes(tx, unit->id, report)) {
        return ANSWER_CONFLICT;
    }
    if (state_next(MACHINE_UNIT, (int)unit->state, (int)event) < 0) {
        return ANSWER_DROPPED;
    }
    if (report != NULL && !unit->has_key) {
        err_set(tx_err(tx), ERR_INVALID,
                "a result of %s came before the source's identity was known; ask for it first",
                unit->rendition_id);
        return ANSWER_DROPPED;
    }
    if (report != NULL) {
        keep_report(tx, unit->id, report, stats);
    }
    move_unit(tx, lease, unit, event, NULL);
    if (event == UNIT_COMPLETE) {
        title_unit_done(tx, unit);
    }
    if (unit->attempts > 1) { /* else this lease is the only one that it ever had */
        stop_others(tx, unit->id, lease->fence);
    }
    return ANSWER_ACCEPTED;
}

/* `event` is what the result means for its units: more of early playlists may be still to
 * come. */
static bool fits_lease(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                       size_t units, const struct task_report *report, enum unit_event *event) {
    bool whole = true;
    bool media = kind_is_media(lease->kind);
    const char *wrong = NULL;
    if (media && report->unit_count != units) {
        wrong = "has another number of units than the task";
    } else if (lease->kind == TASK_PROBE && (!report->has_source || report->identity[0] == '\0')) {
        wrong = "lacks the source document or the identity";
    } else if (lease->kind == TASK_PACKAGE && report->version[0] == '\0') {
        wrong = "lacks the version";
    } else if (lease->kind == TASK_EARLY &&
               !early_fits(tx, farm, lease->title, report->early_chunks, &whole)) {
        wrong = "tells of fewer chunks than are listed, or of more than there are";
    }
    *event = whole ? UNIT_COMPLETE : UNIT_BLOCK;
    if (wrong != NULL) {
        err_set(tx_err(tx), ERR_INVALID, "the report of %s task %" PRId64 " %s",
                task_kind_name(lease->kind), lease->fence, wrong);
    }
    return wrong == NULL;
}

/* The codec of a task's units, which all have the same. */
static enum codec_id codec_of(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                              const struct unit_row *unit) {
    struct title_row title = {0};
    enum codec_id codec = CODEC_NONE;
    const struct plan *plan = farm_plan_kept(farm, lease->title, unit->submission, unit->has_key);
    if (unit->rendition >= 0 && plan == NULL && title_get(tx, lease->title, &title)) {
        plan = farm_plan(tx, farm, &title);
    }
    if (unit->rendition >= 0 && plan != NULL) {
        const struct rendition_plan *rendition = &plan->title.renditions[unit->rendition];
        codec = rendition->is_video ? rendition->video.codec : rendition->audio.codec;
    }
    title_row_finish(&title);
    return codec;
}

/* Counts what a result tells of the work. */
static void measure(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                    const struct unit_list *units, const struct task_report *report) {
    int64_t samples = 0;
    for (size_t i = 0; i < report->unit_count; i++) {
        for (size_t j = 0; j < report->units[i].segment_count; j++) {
            samples += report->units[i].segments[j].samples;
        }
    }
    metric_add(tx, METRIC_LEASES_COMPLETED, (int)lease->kind, 0, 1);
    metric_add(tx, METRIC_HEDGES_WON, 0, 0, lease->hedges != 0 ? 1 : 0);
    metric_observe(tx, METRIC_LEASE_SECONDS, (int)lease->kind,
                   (double)(tx_now(tx) - lease->at) / 1000);
    metric_add(tx, METRIC_TASK_CPU, (int)lease->kind, 0, report->stats.cpu_s);
    metric_add(tx, METRIC_SOURCE_BYTES, 0, 0, (double)report->stats.source_bytes);
    if (lease->kind == TASK_VIDEO || lease->kind == TASK_AUDIO) {
        enum codec_id codec = codec_of(tx, farm, lease, &units->rows[0]);
        metric_add(tx, METRIC_FRAMES, (int)codec, 0, (double)samples);
        metric_add(tx, METRIC_ENCODE_CPU, (int)codec, 0, report->stats.encode_cpu_s);
    }
    if (kind_is_media(lease->kind)) {
        estimate_learn(tx, farm, lease, units, &report->stats);
    }
}

/* What follows from a result for the title as a whole. */
static void after_complete(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                           const struct unit_list *units, const struct task_report *report) {
    title_add_stats(tx, lease->title, &report->stats);
    switch (lease->kind) {
    case TASK_PROBE:
        title_source(tx, farm, lease->title, report);
        break;
    case TASK_VIDEO:
        if (report->stats.frames_repaired > 0) { /* the sum of all units takes long */
            title_check_repairs(tx, farm, lease->title);
        }
        early_advance(tx, lease->title);
        break;
    case TASK_AUDIO:
        early_advance(tx, lease->title);
        break;
    case TASK_EARLY:
        early_listed(tx, farm, lease, &units->rows[0], report->early_chunks);
        break;
    case TASK_PACKAGE:
        sql_put(tx, SQL_TITLE_SET_PACKAGED, VALUES(TEXT(lease->title), TEXT(report->version)));
        break;
    case TASK_SWAP:
        if (units->rows[0].position == POSITION_ROLLBACK) {
            versions_rolled_back(tx, farm, lease->title);
        } else {
            title_done(tx, lease->title);
            publication_current(tx, farm, lease->title);
        }
        break;
    case TASK_REMOVE:
        removal_done(tx, lease->title, units->rows[0].position);
        break;
    default:
        break;
    }
}

enum answer outcome_complete(struct tx *tx, struct farm *farm, int64_t fence,
                             const struct task_report *report) {
    struct lease_row lease;
    struct unit_list units = {0};
    enum answer answer = ANSWER_DROPPED;
    enum unit_event event = UNIT_COMPLETE;
    if (!get_lease(tx, fence, &lease)) {
        return answer;
    }
    const struct owner *owner = owner_of(&lease);
    if (owner != NULL) {
        return owner->complete(tx, farm, &lease, report);
    }
    if (leftovers_have_lease(tx, &lease)) {
        return leftovers_complete(tx, farm, &lease);
    }
    lease_units(tx, fence, &units);
    bool counts = kind_is_pure(lease.kind) || lease.state == LEASE_LIVE;
    if (!counts) {
        answer = ANSWER_CONFLICT;
    } else if (fits_lease(tx, farm, &lease, units.count, report, &event)) {
        bool media = kind_is_media(lease.kind);
        for (size_t i = 0; i < units.count; i++) {
            enum answer one = complete_unit(tx, &lease, &units.rows[i], event,
                                            media ? &report->units[i] : NULL, &report->stats);
            if (one == ANSWER_CONFLICT || answer == ANSWER_DROPPED) {
                answer = one;
            }
        }
    }
    if (lease.state != LEASE_ENDED) {
        end_lease(tx, farm, &lease, LEASE_COMPLETE);
    }
    if (answer == ANSWER_ACCEPTED) {
        measure(tx, farm, &lease, &units, report);
        after_complete(tx, farm, &lease, &units, report);
    }
    title_settle(tx, lease.title);
    unit_list_finish(&units);
    return answer;
}

/* ---- failures ---------------------------------------------------------------- */

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
    move_unit(tx, lease, unit, UNIT_FAIL, failure);
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
        leave_unit(tx, lease, unit, UNIT_RETRY, failure);
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
        move_unit(tx, lease, &unit, UNIT_REDO, failure);
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
            move_unit(tx, lease, &units->rows[i], UNIT_BLOCK, failure);
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
        move_unit(tx, lease, &units->rows[i], UNIT_BLOCK, failure);
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
            leave_unit(tx, lease, unit, UNIT_RETURN, NULL);
            continue;
        }
        if (pause_ms < 0) {
            pause_ms = back_off(farm, unit->failures + 1);
        }
        fail_unit(tx, lease, unit, failure, pause_ms);
    }
}

enum answer outcome_fail(struct tx *tx, struct farm *farm, int64_t fence,
                         const struct failure *failure) {
    struct lease_row lease;
    if (!get_lease(tx, fence, &lease)) {
        return ANSWER_DROPPED;
    }
    const struct owner *owner = owner_of(&lease);
    if (owner != NULL) {
        return owner->fail(tx, farm, &lease, failure);
    }
    if (lease.state == LEASE_ENDED) {
        return ANSWER_CONFLICT;
    }
    bool wanted = lease.state == LEASE_LIVE;
    bool of_run = !leftovers_have_lease(tx, &lease);
    end_lease(tx, farm, &lease, LEASE_FAIL);
    /* its worker's next heartbeat may list it still, and must not bring it back to life */
    sql_put(tx, SQL_LEASE_SET_SESSION, VALUES(INTEGER(fence), TEXT(""), INTEGER(lease.at)));
    if (wanted) {
        struct unit_list units = {0};
        metric_add(tx, METRIC_LEASES_FAILED, (int)failure->class, 0, 1);
        lease_units(tx, fence, &units);
        if (of_run) {
            sql_put(tx, SQL_TITLE_COUNT_FAILURE, VALUES(TEXT(lease.title)));
        }
        bool remade = policies[failure->class].fate == FATE_REMAKE &&
                      remake(tx, &lease, &units, failure);
        if (!remade && !wait_for_remade(tx, &lease, &units, failure)) {
            fail_units(tx, farm, &lease, &units, failure);
        }
        unit_list_finish(&units);
    }
    title_settle(tx, lease.title);
    return wanted ? ANSWER_ACCEPTED : ANSWER_DROPPED;
}

/* ---- losses ------------------------------------------------------------------ */

static void lose_unit(struct tx *tx, const struct lease_row *lease, struct unit_row *unit) {
    sql_put(tx, SQL_UNIT_COUNT_LOSS, VALUES(INTEGER(unit->id)));
    sql_put(tx, SQL_UNIT_LOSS_ADD, VALUES(INTEGER(unit->id), TEXT(lease->host)));
    int64_t hosts = sql_integer(tx, SQL_UNIT_LOSS_HOSTS, VALUES(INTEGER(unit->id)), 0);
    if (hosts < LOSS_HOSTS_MAX || unit->kind == TASK_REMOVE || hedge_goes_on(tx, unit)) {
        leave_unit(tx, lease, unit, UNIT_RETURN, NULL);
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

void outcome_drop(struct tx *tx, struct farm *farm, const struct lease_row *lease,
                  enum lease_event event) {
    const struct owner *owner = owner_of(lease);
    if (owner != NULL) {
        owner->drop(tx, farm, lease, event);
        return;
    }
    struct lease_row ending = *lease;
    end_lease(tx, farm, &ending, event);
    if (event == LEASE_LOSE) {
        leftovers_expect_of_lease(tx, farm, lease);
    }
    if (lease->state == LEASE_LIVE) {
        metric_add(tx, event == LEASE_LOSE ? METRIC_LEASES_LOST : METRIC_LEASES_RETURNED, 0, 0, 1);
        struct unit_list units = {0};
        lease_units(tx, lease->fence, &units);
        for (size_t i = 0; i < units.count; i++) {
            struct unit_row *unit = &units.rows[i];
            if (!unit_find(tx, unit->id, unit) || unit->state != UNIT_LEASED) {
                continue;
            }
            if (event == LEASE_LOSE) {
                lose_unit(tx, lease, unit);
            } else {
                leave_unit(tx, lease, unit, UNIT_RETURN, NULL);
            }
        }
        unit_list_finish(&units);
        if (event == LEASE_LOSE) {
            sql_put(tx, SQL_TITLE_COUNT_LOSS, VALUES(TEXT(lease->title)));
        }
    }
    title_settle(tx, lease->title);
}
