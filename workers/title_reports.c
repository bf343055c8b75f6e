/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a title's units have made: see title_reports.h. No media byte is read; each rendition's
 * objects are listed once against their reported sizes. */
#include "title_reports.h"

#include <inttypes.h>
#include <string.h>

#include "common/mem.h"

struct part *title_reports_parts(const struct title_reports *reports, size_t rendition,
                                 size_t *count) {
    *count = reports->plan.renditions[rendition].is_video ? reports->part_count : 1;
    return reports->parts + rendition * reports->part_count;
}

static bool is_missing(const struct title_plan *plan, const char *rendition) {
    for (size_t i = 0; i < plan->missing_count; i++) {
        if (strcmp(plan->missing[i].id, rendition) == 0) {
            return true;
        }
    }
    return false;
}

/* What the title goes without is no part of it from here on. */
static void leave_out_missing(struct title_plan *plan) {
    size_t kept = 0;
    for (size_t i = 0; i < plan->rendition_count; i++) {
        if (!is_missing(plan, plan->renditions[i].id)) {
            plan->renditions[kept++] = plan->renditions[i];
        }
    }
    plan->rendition_count = kept;
}

static int unit_take(void *context, const struct api_unit *unit, struct err *err) {
    struct title_reports *reports = context;
    if (is_missing(&reports->plan, unit->rendition)) {
        return 0;
    }
    if (unit->kind != TASK_VIDEO && unit->kind != TASK_AUDIO && unit->kind != TASK_IMAGES) {
        return 0;
    }
    for (size_t i = 0; i < reports->plan.rendition_count; i++) {
        size_t count = 0;
        struct part *parts = title_reports_parts(reports, i, &count);
        size_t chunk = unit->kind == TASK_VIDEO ? (size_t)unit->chunk : 0;
        if (strcmp(reports->plan.renditions[i].id, unit->rendition) == 0 && chunk < count) {
            parts[chunk] = (struct part){unit->id, unit->has_report, unit->report};
            return 0;
        }
    }
    return err_set(err, ERR_CORRUPT, "unit %" PRId64 " is in no rendition of the plan", unit->id);
}

int title_reports_fetch(struct title_reports *out, struct task_run *run, struct err *err) {
    const char *title = run->task->title;
    int failed = api_plan(run->tools->api, title, &out->plan, err);
    if (failed == 0) {
        leave_out_missing(&out->plan);
        out->part_count = out->plan.grid->chunk_count;
        size_t count = out->plan.rendition_count * out->part_count;
        out->parts = arena_zero(&out->arena, count, sizeof(*out->parts));
        failed = api_units(run->tools->api, title, &out->arena, unit_take, out, err);
    }
    return failed == 0 ? 0 : task_fail(run, FAILURE_IO, failed);
}

void title_reports_finish(struct title_reports *reports) {
    title_plan_finish(&reports->plan);
    arena_finish(&reports->arena);
}

static void miss(struct task_run *run, int64_t unit) {
    for (size_t i = 0; i < run->missing_count; i++) {
        if (run->missing[i] == unit) {
            return;
        }
    }
    run->missing = mem_resize(run->missing, run->missing_count + 1, sizeof(*run->missing));
    run->missing[run->missing_count++] = unit;
}

/* A listing of one rendition's folder: which of the objects that reports tell of are there
 * with their sizes. */
struct listing {
    const char *folder;
    size_t prefix; /* bytes of a key before the object's name */
    size_t count;  /* segments */
    int64_t init_bytes;
    int64_t *bytes; /* by number - 1; 0: not there */
};

static int object_take(void *context, const char *key, int64_t size, struct err *err) {
    struct listing *listing = context;
    int64_t number = rendition_object_number(listing->folder, key + listing->prefix);
    (void)err;
    if (number == 0) {
        listing->init_bytes = size;
    } else if (number >= 1 && (size_t)number <= listing->count) {
        listing->bytes[number - 1] = size;
    }
    return 0;
}

/* An init segment that is gone is made again by one chunk, the first, though each tells of it. */
static bool has_init(const struct listing *listing, const struct part *parts, size_t index) {
    return listing->init_bytes == parts[index].report.init_bytes ||
           (index > 0 && listing->init_bytes == 0);
}

int title_reports_list(const struct title_reports *reports, struct task_run *run, size_t rendition,
                       size_t chunks, struct err *err) {
    size_t count = 0;
    const struct part *parts = title_reports_parts(reports, rendition, &count);
    char *prefix =
        mem_format("%s/%s/", run->task->title, reports->plan.renditions[rendition].folder);
    const struct rendition_plan *plan = &reports->plan.renditions[rendition];
    struct listing listing = {.folder = plan->folder, .prefix = strlen(prefix)};
    listing.count = plan->is_image ? (size_t)image_sheets(&plan->image)
                                   : reports->plan.grid->segment_count;
    listing.bytes = mem_zero(listing.count, sizeof(*listing.bytes));
    int failed = blob_list(run->output, prefix, object_take, &listing, err);
    for (size_t c = 0; c < count && c < chunks && failed == 0; c++) {
        bool whole = parts[c].present && has_init(&listing, parts, c);
        for (size_t s = 0; whole && s < parts[c].report.segment_count; s++) {
            const struct segment_report *segment = &parts[c].report.segments[s];
            whole = (size_t)segment->number <= listing.count &&
                    listing.bytes[segment->number - 1] == segment->bytes;
            run->report.output_bytes += segment->bytes;
        }
        if (!whole) {
            miss(run, parts[c].unit);
        }
    }
    run->report.output_bytes += listing.init_bytes;
    mem_free(listing.bytes);
    mem_free(prefix);
    return failed == 0 ? 0 : task_fail(run, output_failure(run->output, failed, err), failed);
}

int title_reports_missing(struct task_run *run, struct err *err) {
    if (run->missing_count == 0) {
        return 0;
    }
    err_set(err, ERR_NOT_FOUND, "objects of %zu units are not in '%s'; they are made again",
            run->missing_count, blob_name(run->output));
    return task_fail(run, FAILURE_MISSING, ERR_NOT_FOUND);
}

static bool is_same_track(const struct unit_report *a, const struct unit_report *b) {
    return a->record_size == b->record_size && memcmp(a->record, b->record, a->record_size) == 0 &&
           a->reorder_frames == b->reorder_frames && a->priming == b->priming &&
           strcmp(a->init_sha256, b->init_sha256) == 0;
}

int title_reports_join(struct title_reports *reports, size_t rendition, size_t chunks,
                       struct rendition_report *joined, struct err *err) {
    size_t count = 0;
    size_t segments = 0;
    const struct rendition_plan *plan = &reports->plan.renditions[rendition];
    const struct part *parts = title_reports_parts(reports, rendition, &count);
    struct unit_report *report = &joined->joined;
    count = count < chunks ? count : chunks;
    for (size_t c = 0; c < count; c++) {
        if (!is_same_track(&parts[0].report, &parts[c].report)) {
            return err_set(err, ERR_CORRUPT, "%s: chunks 1 and %zu have different codec headers",
                           plan->id, c + 1);
        }
        segments += parts[c].report.segment_count;
    }
    *report = parts[0].report;
    report->segments = arena_zero(&reports->arena, segments, sizeof(*report->segments));
    report->segment_count = 0;
    for (size_t c = 0; c < count; c++) {
        memcpy(report->segments + report->segment_count, parts[c].report.segments,
               parts[c].report.segment_count * sizeof(*report->segments));
        report->segment_count += parts[c].report.segment_count;
    }
    /* a chunk is decoded for all rungs alike, so each shows the same repaired frames */
    joined->frames_repaired = plan->is_video ? reports->plan.frames_repaired : 0;
    return 0;
}
