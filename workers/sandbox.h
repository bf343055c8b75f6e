/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a task child may do. It decodes untrusted bytes, so it gives up all that it
 * does not need before it reads the first of them.
 */
#ifndef WORKERS_SANDBOX_H
#define WORKERS_SANDBOX_H

#include "common/err.h"

/* The child's own promise: no capability, no new descriptor, no file, no core; signals
 * for people are left to the worker. INTERNAL where the kernel refuses one of them: the
 * child then does not begin. Real-time priority and new privileges are gone already
 * (proc_options.confined); limits of memory and CPU belong to the task (box_limit). */
int sandbox_child(struct err *err);

#endif
