/* SPDX-License-Identifier: GPL-2.0-or-later */
/* package: from the plan and the reports of all units to a version's documents. No media
 * byte is read; each rendition's objects are listed once against their reported sizes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "gate.h"
#include "packager/packager.h"
#include "task.h"

enum { KEY_TEXT = 512 };

/* What came for one chunk of a rendition (sound: for all of it). */
struct part {
    int64_t unit; /* its id */
    bool present;
    struct unit_report report;
};

struct package {
    struct arena arena; /* reports */
    struct title_plan plan;
    size_t part_count;  /* of a video rendition: the grid's chunks */
    struct part *parts; /* by rendition, then chunk */
    struct rendition_report *joined;
    struct presentation presentation;
    struct buf text;
};

static struct part *parts_of(const struct package *package, size_t rendition, size_t *count) {
    *count = package->plan.renditions[rendition].is_video ? package->part_count : 1;
    return package->parts + rendition * package->part_count;
}

static int plan_fetch(struct task_run *run, struct err *err) {
    struct package *package = mem_zero(1, sizeof(*package));
    run->state = package;
    int failed = api_plan(run->tools->api, run->task->title, &package->plan, err);
    if (failed == 0) {
        package->part_count = package->plan.grid->chunk_count;
        size_t count = package->plan.rendition_count * package->part_count;
        package->parts = arena_zero(&package->arena, count, sizeof(*package->parts));
        package->joined =
            arena_zero(&package->arena, package->plan.rendition_count, sizeof(*package->joined));
    }
    return failed == 0 ? 0 : task_fail(run, FAILURE_IO, failed);
}

static int unit_take(void *context, const struct api_unit *unit, struct err *err) {
    struct package *package = context;
    if (unit->kind != TASK_VIDEO && unit->kind != TASK_AUDIO) {
        return 0;
    }
    for (size_t i = 0; i < package->plan.rendition_count; i++) {
        size_t count = 0;
        struct part *parts = parts_of(package, i, &count);
        size_t chunk = unit->kind == TASK_VIDEO ? (size_t)unit->chunk : 0;
        if (strcmp(package->plan.renditions[i].id, unit->rendition) == 0 && chunk < count) {
            parts[chunk] = (struct part){unit->id, unit->has_report, unit->report};
            return 0;
        }
    }
    return err_set(err, ERR_CORRUPT, "unit %" PRId64 " is in no rendition of the plan", unit->id);
}

static int reports_fetch(struct task_run *run, struct err *err) {
    struct package *package = run->state;
    int failed =
        api_units(run->tools->api, run->task->title, &package->arena, unit_take, package, err);
    return failed == 0 ? 0 : task_fail(run, FAILURE_IO, failed);
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
    size_t prefix; /* bytes of a key before the object's name */
    size_t count;  /* segments */
    int64_t init_bytes;
    int64_t *bytes; /* by number - 1; 0: not there */
};

static int object_take(void *context, const char *key, int64_t size, struct err *err) {
    struct listing *listing = context;
    const char *name = key + listing->prefix;
    char *end = NULL;
    long long number = strtoll(name, &end, 10);
    char expected[GATE_NAME];
    (void)err;
    if (strcmp(name, "init.mp4") == 0) {
        listing->init_bytes = size;
    } else if (number >= 1 && (size_t)number <= listing->count) {
        snprintf(expected, sizeof(expected), "%05lld.m4s", number);
        if (strcmp(name, expected) == 0) {
            listing->bytes[number - 1] = size;
        }
    }
    return 0;
}

/* Every object of a rendition, with its size, and nothing of its bytes. */
static int rendition_list(struct task_run *run, size_t index, struct err *err) {
    struct package *package = run->state;
    size_t count = 0;
    struct part *parts = parts_of(package, index, &count);
    char *prefix = mem_format("%s/%s/", run->task->title, package->plan.renditions[index].folder);
    struct listing listing = {strlen(prefix), package->plan.grid->segment_count, 0, NULL};
    listing.bytes = mem_zero(listing.count, sizeof(*listing.bytes));
    int failed = blob_list(run->output, prefix, object_take, &listing, err);
    for (size_t c = 0; c < count && failed == 0; c++) {
        bool whole = parts[c].present && listing.init_bytes == parts[c].report.init_bytes;
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

static int objects_list(struct task_run *run, struct err *err) {
    const struct package *package = run->state;
    for (size_t i = 0; i < package->plan.rendition_count; i++) {
        int failed = rendition_list(run, i, err);
        if (failed != 0) {
            return failed;
        }
    }
    if (run->missing_count > 0) {
        err_set(err, ERR_NOT_FOUND, "objects of %zu units are not in '%s'; they are made again",
                run->missing_count, blob_name(run->output));
        return task_fail(run, FAILURE_MISSING, ERR_NOT_FOUND);
    }
    return 0;
}

static bool is_same_track(const struct unit_report *a, const struct unit_report *b) {
    return a->record_size == b->record_size && memcmp(a->record, b->record, a->record_size) == 0 &&
           a->reorder_frames == b->reorder_frames && a->priming == b->priming &&
           strcmp(a->init_sha256, b->init_sha256) == 0;
}

static int rendition_join(struct package *package, size_t index, struct err *err) {
    size_t count = 0;
    size_t segments = 0;
    const struct part *parts = parts_of(package, index, &count);
    struct unit_report *joined = &package->joined[index].joined;
    for (size_t c = 0; c < count; c++) {
        if (!is_same_track(&parts[0].report, &parts[c].report)) {
            return err_set(err, ERR_CORRUPT, "%s: chunks 0 and %zu have different codec headers",
                           package->plan.renditions[index].id, c);
        }
        segments += parts[c].report.segment_count;
    }
    *joined = parts[0].report;
    joined->segments = arena_zero(&package->arena, segments, sizeof(*joined->segments));
    joined->segment_count = 0;
    for (size_t c = 0; c < count; c++) {
        memcpy(joined->segments + joined->segment_count, parts[c].report.segments,
               parts[c].report.segment_count * sizeof(*joined->segments));
        joined->segment_count += parts[c].report.segment_count;
    }
    /* a chunk is decoded for all rungs alike, so each shows the same repaired frames */
    package->joined[index].frames_repaired =
        package->plan.renditions[index].is_video ? package->plan.frames_repaired : 0;
    return 0;
}

/* The gate for manifests. */
static int presentation_make(struct task_run *run, struct err *err) {
    struct package *package = run->state;
    int failed = 0;
    for (size_t i = 0; i < package->plan.rendition_count && failed == 0; i++) {
        failed = rendition_join(package, i, err);
    }
    if (failed == 0) {
        failed = presentation_build(&package->presentation, &package->plan, package->joined, err);
    }
    if (failed != 0) {
        err_wrap(err, "title '%s' can't be packaged", run->task->title);
        return task_fail(run, FAILURE_LIES, failed);
    }
    presentation_name_version(&package->presentation, &package->plan, package->joined);
    return 0;
}

static int document_put(struct task_run *run, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int document_put(struct task_run *run, struct err *err, const char *format, ...) {
    struct package *package = run->state;
    char name[KEY_TEXT];
    va_list args;
    va_start(args, format);
    vsnprintf(name, sizeof(name), format, args);
    va_end(args);
    char *key = mem_format("%s/%s", run->task->title, name);
    /* a version is named by its content: what lies there and differs is damaged */
    int failed =
        task_put_document(run, key, package->text.data, package->text.size, BLOB_REPLACE, err);
    run->report.output_bytes += (int64_t)package->text.size;
    buf_clear(&package->text);
    mem_free(key);
    return failed;
}

static int playlists_put(struct task_run *run, struct err *err) {
    struct package *package = run->state;
    const struct presentation *p = &package->presentation;
    int failed = 0;
    for (size_t i = 0; i < p->period_count; i++) {
        for (size_t t = 0; t < p->periods[i].track_count && failed == 0; t++) {
            const struct presented_track *track = &p->periods[i].tracks[t];
            hls_media_write(p, track, &package->text);
            failed = document_put(run, err, "%s/%s.m3u8", p->version, track->id);
            if (failed == 0 && track->video) {
                hls_iframes_write(p, track, &package->text);
                failed = document_put(run, err, "%s/%s-iframes.m3u8", p->version, track->id);
            }
        }
    }
    return failed;
}

/* The JSON comes last: a version is kept from then on (remove.c). */
static int version_put(struct task_run *run, struct err *err) {
    struct package *package = run->state;
    const struct presentation *p = &package->presentation;
    hls_multivariant_write(p, &package->text);
    int failed = document_put(run, err, "%s.m3u8", p->version);
    if (failed == 0) {
        dash_write(p, &package->text);
        failed = document_put(run, err, "%s.mpd", p->version);
    }
    if (failed == 0) {
        title_document_write(p, &package->plan, package->joined, &package->text);
        failed = document_put(run, err, "%s.json", p->version);
    }
    memcpy(run->report.version, p->version, sizeof(run->report.version));
    return failed;
}

static void package_finish(struct task_run *run) {
    struct package *package = run->state;
    if (package != NULL) {
        presentation_finish(&package->presentation);
        title_plan_finish(&package->plan);
        arena_finish(&package->arena);
        buf_finish(&package->text);
        mem_free(package);
    }
    run->state = NULL;
}

static const struct step steps[] = {
    {"fetch plan", plan_fetch},        {"fetch reports", reports_fetch},
    {"open output", task_open_output}, {"list objects", objects_list},
    {"build", presentation_make},      {"put playlists", playlists_put},
    {"put version", version_put},      {NULL, NULL},
};

const struct task_kind_row task_package_row = {steps, package_finish};
