/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --sandbox, for every command that starts decoders itself. Private to cli/. */
#ifndef CLI_SANDBOX_OPTION_H
#define CLI_SANDBOX_OPTION_H

#include "command.h"

/* The row in a command's table. */
#define SANDBOX_OPTION                                                                             \
    {                                                                                              \
        "sandbox", "LEVEL",                                                                        \
            "what walls in decoders: full (default), no-landlock (seccomp alone), none"            \
    }

/* The level by --sandbox, else by REELFARM_SANDBOX, else "full"; borrowed. EXIT_DONE, or, having
 * told what to do, EXIT_USAGE for what is no level and EXIT_FAILED where this system lacks it. */
int sandbox_option(const struct invocation *invocation, const char **level);

#endif
