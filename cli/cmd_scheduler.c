/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm scheduler`: the daemon of scheduler/. */
#include "command.h"
#include "scheduler/scheduler.h"

const struct command command_scheduler = {
    .name = "scheduler",
    .summary = "the daemon that gives out the work of a farm",
    .daemon = scheduler_daemon,
};
