/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How leases end: see outcome.h. */
#include "outcome.h"

#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"
#include "early.h"
#include "estimate.h"
#include "leftovers.h"
#include "metrics.h"
#include "outcome_parts.h"
#include "probes.h"
#include "removal.h"
#include "scheduler/publishing/hooks.h"
#include "scheduler/publishing/orphans.h"
#include "scheduler/publishing/publication.h"
#include "scheduler/publishing/push.h"
#include "titles.h"
#include "versions.h"

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
    outcome_move_unit(tx, lease, unit, event, NULL);
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
        outcome_fail_units(tx, farm, &lease, &units, failure);
        unit_list_finish(&units);
    }
    title_settle(tx, lease.title);
    return wanted ? ANSWER_ACCEPTED : ANSWER_DROPPED;
}

/* ---- losses ------------------------------------------------------------------ */

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
                outcome_lose_unit(tx, lease, unit);
            } else {
                outcome_leave_unit(tx, lease, unit, UNIT_RETURN, NULL);
            }
        }
        unit_list_finish(&units);
        if (event == LEASE_LOSE) {
            sql_put(tx, SQL_TITLE_COUNT_LOSS, VALUES(TEXT(lease->title)));
        }
    }
    title_settle(tx, lease->title);
}
