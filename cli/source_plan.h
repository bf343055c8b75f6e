/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a source would get from a ladder, without making it. Private to cli/. */
#ifndef CLI_SOURCE_PLAN_H
#define CLI_SOURCE_PLAN_H

#include "command.h"

/* Runs `reelfarm ladder plan SOURCE`: words[1] is the source. */
int source_plan_run(const struct invocation *invocation);

#endif
