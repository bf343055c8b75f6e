/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a submission would make: planned as a run of the title would be, set against what is
 * made already, and nothing of it kept. Runs inside a transaction and writes nothing.
 */
#ifndef SCHEDULER_DRY_RUN_H
#define SCHEDULER_DRY_RUN_H

#include "titles.h"

/* A submission, and what its sender knows of the source. */
struct dry_run {
    const struct title_request *request;
    const struct ladder *ladder;
    int64_t size;         /* of the source as it is now; -1: the sender can't see it */
    const char *pin;      /* likewise; "" */
    const char *identity; /* "": not known */
    const struct source_document *document; /* as probed by the sender; NULL: not probed */
};

/*
 * Writes what would be encoded, piece by piece, with the expected core-seconds, and what would
 * be reused. Those are what the farm's reports say of such pieces, or else the planner's table. The
 * source is as the title's last run found it, where the sender sees just that or nothing at all;
 * else as the sender has probed it; else the answer says that it is unknown. CONFLICT where the
 * submission would be refused, or where the title would fail: why.
 */
void dry_run_write(struct tx *tx, struct farm *farm, const struct dry_run *run, struct writer *w);

#endif
