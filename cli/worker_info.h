/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the worker executable says of its codecs and its options. Private to cli/. */
#ifndef CLI_WORKER_INFO_H
#define CLI_WORKER_INFO_H

#include "common/json.h"
#include "common/proc.h"
#include "scheduler/scheduler.h"

struct worker_run {
    const char *program;
    const char *const *argv;
    int from;     /* its descriptor that is heard */
    int limit_ms; /* until it has said all and ended */
};

/* Runs the program to its end and appends what it says. TIMEOUT, with a sentence that tells what to
 * do, where that takes longer than it may: it is killed then. */
int worker_run(const struct worker_run *run, struct buf *out, struct proc_result *result,
               struct err *err);

/* Runs `reelfarm-worker --versions`; `*out` is the owned tree of its JSON. */
int worker_info_load(struct json **out, struct err *err);

enum { WORKER_ENCODERS = 16 };

/* Its encoders, for planning; strings are borrowed from the tree. */
int worker_info_encoders(const struct json *info, struct announced_encoder *out, size_t *count,
                         struct err *err);

/* Whether a worker would begin by the options of this file, and by this of a token if it is not
 * NULL; INVALID with its own sentence. */
int worker_options_check(const char *file, const char *token, struct err *err);

#endif
