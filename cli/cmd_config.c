/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm config`: what the daemons would work by, and who said so. They say it themselves. */
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "common/mem.h"

static const struct command *const daemons[] = {&command_scheduler, &command_worker,
                                                &command_catalog};

enum { DAEMONS = sizeof(daemons) / sizeof(daemons[0]) };

static const char help[] =
    "what a daemon would work by: each option, its value, and where that came from\n\n"
    "Usage: reelfarm config scheduler | worker | catalog [--json] [options of the daemon]\n\n"
    "  reelfarm config scheduler\n"
    "  reelfarm config worker --config worker.yaml --slots 4\n"
    "  REELFARM_SLOTS=4 reelfarm config worker --json\n\n"
    "Values come from the default, the daemon's file (/etc/reelfarm/scheduler.yaml,\n"
    "worker.yaml or catalog.yaml, or --config FILE), variables and flags; later ones win.\n"
    "`reelfarm scheduler --help`, and the others', explain the options.\n";

static bool is_help(int argc, char **argv) {
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            return true;
        }
    }
    return false;
}

/* Its own arguments, --json being the daemon's --show-config-json. */
static int show(const struct command *command, int argc, char **argv) {
    char **words = mem_zero((size_t)argc + 2, sizeof(*words));
    char table[] = "--show-config";
    char json[] = "--show-config-json";
    int count = 0;
    words[count++] = table;
    for (int i = 0; i < argc; i++) {
        words[count++] = strcmp(argv[i], "--json") == 0 ? json : argv[i];
    }
    int status = command->daemon(count, words);
    mem_free(words);
    return status;
}

static int run_config(int argc, char **argv) {
    if (is_help(argc, argv)) {
        return fputs(help, stdout) < 0 || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_DONE;
    }
    for (int i = 0; argc > 0 && i < DAEMONS; i++) {
        if (strcmp(argv[0], daemons[i]->name) == 0) {
            return show(daemons[i], argc - 1, argv + 1);
        }
    }
    fprintf(stderr,
            "reelfarm: config is of `scheduler`, `worker` or `catalog`%s%.40s; see `reelfarm "
            "config --help`\n",
            argc > 0 ? ", not of " : "", argc > 0 ? argv[0] : "");
    return EXIT_USAGE;
}

const struct command command_config = {
    .name = "config",
    .summary = "what a daemon would work by, and where each value comes from",
    .daemon = run_config,
};
