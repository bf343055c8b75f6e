/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the worker executable says of its codecs and its options. Private to cli/. */
#ifndef CLI_WORKER_INFO_H
#define CLI_WORKER_INFO_H

#include "common/json.h"
#include "scheduler/scheduler.h"

/* Runs `reelfarm-worker --versions`; `*out` is the owned tree of its JSON. */
int worker_info_load(struct json **out, struct err *err);

enum { WORKER_ENCODERS = 16 };

/* Its encoders, for planning; strings are borrowed from the tree. */
int worker_info_encoders(const struct json *info, struct announced_encoder *out, size_t *count,
                         struct err *err);

/* Whether a worker would begin by the options of this file; INVALID with its own sentence. */
int worker_options_check(const char *file, struct err *err);

#endif
