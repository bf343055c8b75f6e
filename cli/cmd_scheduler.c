/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm scheduler`: the daemon of scheduler/, and `reelfarm scheduler backup`. */
#include <string.h>

#include "command.h"
#include "scheduler/scheduler.h"

static int run_scheduler(int argc, char **argv) {
    return argc > 0 && strcmp(argv[0], "backup") == 0
               ? command_run(&command_scheduler_backup, argc - 1, argv + 1)
               : scheduler_daemon(argc, argv);
}

const struct command command_scheduler = {
    .name = "scheduler",
    .summary = "the daemon that gives out the work of a farm",
    .daemon = run_scheduler,
};
