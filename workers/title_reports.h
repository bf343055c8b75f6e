/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a title's units have made, by its plan, for the kinds that write manifests. */
#ifndef WORKERS_TITLE_REPORTS_H
#define WORKERS_TITLE_REPORTS_H

#include "task.h"

/* What came for one chunk of a rendition (sound: for all of it). */
struct part {
    int64_t unit; /* its id */
    bool present;
    struct unit_report report;
};

struct title_reports {
    struct arena arena; /* reports */
    struct title_plan plan;
    size_t part_count;  /* of a video rendition: the grid's chunks */
    struct part *parts; /* by rendition, then chunk */
};

/* The title's plan and the reports of its units, as far as there are any. `out` is zeroed
 * before, and is finished in any case. Errors are the task's, with its class set. */
int title_reports_fetch(struct title_reports *out, struct task_run *run, struct err *err);
void title_reports_finish(struct title_reports *reports);

/* The parts of a rendition, borrowed, and how many it has. */
struct part *title_reports_parts(const struct title_reports *reports, size_t rendition,
                                 size_t *count);

/* Lists the rendition's folder once against the reports of its first `chunks` chunks (sound: of
 * all): notes the units of which an object is not there in run->missing, and adds the bytes of
 * all to the task's report. */
int title_reports_list(const struct title_reports *reports, struct task_run *run, size_t rendition,
                       size_t chunks, struct err *err);

/* Ends a listing: MISSING where units were noted. */
int title_reports_missing(struct task_run *run, struct err *err);

/* The reports of its first `chunks` chunks as one. CORRUPT where they are of different tracks. */
int title_reports_join(struct title_reports *reports, size_t rendition, size_t chunks,
                       struct rendition_report *joined, struct err *err);

#endif
