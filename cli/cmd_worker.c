/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm worker`: the daemon on an encode node, which is another executable. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "common/mem.h"
#include "workers/workers.h"

static int run_worker(int argc, char **argv) {
    struct err err = {0};
    char *program = NULL;
    if (worker_program(&program, &err) == 0) {
        char **words = mem_zero((size_t)argc + 2, sizeof(*words));
        words[0] = program;
        memcpy(words + 1, argv, (size_t)argc * sizeof(*words));
        execv(program, words);
        err_set_errno(&err, errno, "cannot run %s", program);
        mem_free(words);
    }
    fprintf(stderr, "reelfarm: %s\n", err.message);
    mem_free(program);
    return EXIT_FAILED;
}

const struct command command_worker = {
    .name = "worker",
    .summary = "the daemon on an encode node, which takes work from a scheduler",
    .daemon = run_worker,
};
