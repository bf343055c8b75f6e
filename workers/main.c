/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reelfarm-worker: the daemon on an encode node, and the task child that it executes. */
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "child_announce.h"
#include "common/log.h"
#include "options.h"

enum { EXIT_USAGE = 2 };

static int daemon_main(int argc, char **argv) {
    struct daemon_options options = {0};
    struct config config = {0};
    struct announcement announcement = {0};
    bool told = false;
    struct err err = {0};
    int status = EXIT_USAGE;
    if (options_load(&options, &config, argc, argv, &err) != 0) {
        fprintf(stderr, "reelfarm-worker: %s\n", err.message);
    } else if (config_tell(&config, options_help, &told)) {
        status = told ? 0 : 1;
    } else {
        announcement_make(&announcement);
        status = daemon_run(&options, announcement.encoders, announcement.count);
    }
    announcement_finish(&announcement);
    config_finish(&config);
    return status;
}

/* A level that it does not know is none that it could leave out. */
static int task_main(int argc, char **argv) {
    enum sandbox_level level = argc > 0 ? sandbox_level_find(argv[0]) : SANDBOX_FULL;
    bool mask_cpu = argc > 1 && strcmp(argv[1], "--mask-cpu") == 0;
    return child_main(level == SANDBOX_LEVEL_COUNT ? SANDBOX_FULL : level, mask_cpu);
}

int main(int argc, char **argv) {
    if (argc >= 2 && strcmp(argv[1], "--task") == 0) {
        return task_main(argc - 2, argv + 2);
    }
    if (argc == 2 && strcmp(argv[1], "--versions") == 0) {
        return versions_print();
    }
    return daemon_main(argc - 1, argv + 1);
}
