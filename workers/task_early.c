/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * early: playlists of the head of a title whose chunks are done, for players that watch it while
 * it is encoded. All renditions go on together, media playlists before the multivariant one that
 * names them; each is written in one step, and lists only what is there.
 */
#include <inttypes.h>
#include <string.h>

#include "common/mem.h"
#include "packager/packager.h"
#include "task.h"
#include "title_reports.h"

struct early {
    struct title_reports reports;
    struct rendition_report *joined; /* by rendition */
    size_t chunks;                   /* that are done of every early rendition */
    struct presentation presentation;
    struct buf text;
};

/* How many chunks from the start on are done of all early renditions; none until the sound is,
 * which is one task. */
static size_t count_chunks(const struct title_reports *reports) {
    size_t chunks = reports->part_count;
    for (size_t i = 0; i < reports->plan.rendition_count; i++) {
        const struct rendition_plan *rendition = &reports->plan.renditions[i];
        size_t count = 0;
        size_t done = 0;
        const struct part *parts = title_reports_parts(reports, i, &count);
        if (!early_has(rendition)) {
            continue;
        }
        while (done < count && parts[done].present) {
            done++;
        }
        if (!rendition->is_video && done == 0) {
            return 0;
        }
        chunks = rendition->is_video && done < chunks ? done : chunks;
    }
    return chunks;
}

static int reports_fetch(struct task_run *run, struct err *err) {
    struct early *early = mem_zero(1, sizeof(*early));
    struct title_reports *reports = &early->reports;
    run->state = early;
    int failed = title_reports_fetch(reports, run, err);
    if (failed != 0) {
        return failed;
    }
    early->joined =
        arena_zero(&reports->arena, reports->plan.rendition_count, sizeof(*early->joined));
    early->chunks = count_chunks(reports);
    if (early->chunks == 0 || (int64_t)early->chunks < run->task->early.chunks) {
        err_set(err, ERR_UNAVAILABLE,
                "%zu chunks are done, and the early playlists list %" PRId64
                "; they wait for what is made again",
                early->chunks, run->task->early.chunks);
        return task_fail(run, FAILURE_IO, ERR_UNAVAILABLE);
    }
    return 0;
}

static int objects_list(struct task_run *run, struct err *err) {
    const struct early *early = run->state;
    for (size_t i = 0; i < early->reports.plan.rendition_count; i++) {
        if (early_has(&early->reports.plan.renditions[i])) {
            int failed = title_reports_list(&early->reports, run, i, early->chunks, err);
            if (failed != 0) {
                return failed;
            }
        }
    }
    return title_reports_missing(run, err);
}

static int presentation_make(struct task_run *run, struct err *err) {
    struct early *early = run->state;
    const struct title_plan *plan = &early->reports.plan;
    int failed = 0;
    for (size_t i = 0; i < plan->rendition_count && failed == 0; i++) {
        if (early_has(&plan->renditions[i])) {
            failed = title_reports_join(&early->reports, i, early->chunks, &early->joined[i], err);
        }
    }
    if (failed == 0) {
        failed = early_build(&early->presentation, plan, early->joined, early->chunks, err);
    }
    if (failed != 0) {
        err_wrap(err, "title '%s' can't be watched early", run->task->title);
        return task_fail(run, FAILURE_LIES, failed);
    }
    return 0;
}

static int text_put(struct task_run *run, const char *name, struct err *err) {
    struct early *early = run->state;
    char *key = mem_format("%s/%s", run->task->title, name);
    int failed = task_put_document(run, key, early->text.data, early->text.size, BLOB_REPLACE, err);
    buf_clear(&early->text);
    mem_free(key);
    return failed;
}

static int playlists_put(struct task_run *run, struct err *err) {
    struct early *early = run->state;
    const struct period *period = &early->presentation.periods[0];
    bool ended = early->chunks == early->reports.part_count;
    int failed = 0;
    for (size_t t = 0; t < period->track_count && failed == 0; t++) {
        const struct presented_track *track = &period->tracks[t];
        char *name = mem_format("early/%" PRId64 "/%s.m3u8", run->task->early.run, track->id);
        early_media_write(&early->presentation, track, ended, &early->text);
        failed = text_put(run, name, err);
        mem_free(name);
    }
    return failed;
}

static int multivariant_put(struct task_run *run, struct err *err) {
    struct early *early = run->state;
    char *folder = mem_format("early/%" PRId64, run->task->early.run);
    early_multivariant_write(&early->presentation, folder, &early->text);
    int failed = text_put(run, "early.m3u8", err);
    run->report.early_chunks = (int64_t)early->chunks;
    mem_free(folder);
    return failed;
}

static void early_finish(struct task_run *run) {
    struct early *early = run->state;
    if (early != NULL) {
        presentation_finish(&early->presentation);
        title_reports_finish(&early->reports);
        buf_finish(&early->text);
        mem_free(early);
    }
    run->state = NULL;
}

static const struct step steps[] = {
    {"fetch reports", reports_fetch},
    {"open output", task_open_output},
    {"list objects", objects_list},
    {"build", presentation_make},
    {"put playlists", playlists_put},
    {"put multivariant", multivariant_put},
    {NULL, NULL},
};

const struct task_kind_row task_early_row = {steps, early_finish};
