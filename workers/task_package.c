/* SPDX-License-Identifier: GPL-2.0-or-later */
/* package: from the plan and the reports of all units to a version's documents. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "packager/packager.h"
#include "task.h"
#include "title_reports.h"

enum { KEY_TEXT = 512 };

struct package {
    struct title_reports reports;
    struct rendition_report *joined; /* by rendition */
    struct presentation presentation;
    struct buf text;
};

static int reports_fetch(struct task_run *run, struct err *err) {
    struct package *package = mem_zero(1, sizeof(*package));
    struct title_reports *reports = &package->reports;
    run->state = package;
    int failed = title_reports_fetch(reports, run, err);
    if (failed == 0) {
        package->joined =
            arena_zero(&reports->arena, reports->plan.rendition_count, sizeof(*package->joined));
    }
    return failed;
}

static int objects_list(struct task_run *run, struct err *err) {
    const struct package *package = run->state;
    for (size_t i = 0; i < package->reports.plan.rendition_count; i++) {
        int failed = title_reports_list(&package->reports, run, i, SIZE_MAX, err);
        if (failed != 0) {
            return failed;
        }
    }
    return title_reports_missing(run, err);
}

/* The gate for manifests. */
static int presentation_make(struct task_run *run, struct err *err) {
    struct package *package = run->state;
    int failed = 0;
    for (size_t i = 0; i < package->reports.plan.rendition_count && failed == 0; i++) {
        failed = title_reports_join(&package->reports, i, SIZE_MAX, &package->joined[i], err);
    }
    if (failed == 0) {
        failed = presentation_build(&package->presentation, &package->reports.plan, package->joined,
                                    err);
    }
    if (failed != 0) {
        err_wrap(err, "title '%s' can't be packaged", run->task->title);
        return task_fail(run, FAILURE_LIES, failed);
    }
    presentation_name_version(&package->presentation, &package->reports.plan, package->joined);
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
        title_document_write(p, &package->reports.plan, package->joined, &package->text);
        failed = document_put(run, err, "%s.json", p->version);
    }
    memcpy(run->report.version, p->version, sizeof(run->report.version));
    return failed;
}

static void package_finish(struct task_run *run) {
    struct package *package = run->state;
    if (package != NULL) {
        presentation_finish(&package->presentation);
        title_reports_finish(&package->reports);
        buf_finish(&package->text);
        mem_free(package);
    }
    run->state = NULL;
}

static const struct step steps[] = {
    {"fetch reports", reports_fetch},
    {"open output", task_open_output},
    {"list objects", objects_list},
    {"build", presentation_make},
    {"put playlists", playlists_put},
    {"put version", version_put},
    {NULL, NULL},
};

const struct task_kind_row task_package_row = {steps, package_finish};
