/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --sandbox: see sandbox_option.h. */
#include "sandbox_option.h"

#include <stdlib.h>

#include "workers/workers.h"

int sandbox_option(const struct invocation *invocation, const char **level) {
    struct err err = {0};
    const char *wanted = option_value(invocation, "sandbox");
    if (wanted == NULL) {
        wanted = getenv("REELFARM_SANDBOX");
    }
    if (wanted == NULL || wanted[0] == '\0') {
        wanted = "full";
    }
    int failed = worker_sandbox_try(wanted, NULL, &err);
    if (failed == ERR_INVALID) {
        return command_usage(invocation, "%s", err.message);
    }
    if (failed != 0) {
        return command_fail(invocation, EXIT_FAILED, &err);
    }
    *level = wanted;
    return EXIT_DONE;
}
