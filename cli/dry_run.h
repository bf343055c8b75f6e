/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `submit --dry-run`: what would be made of titles. Private to cli/. */
#ifndef CLI_DRY_RUN_H
#define CLI_DRY_RUN_H

#include "client.h"
#include "command.h"
#include "common/wire.h"
#include "ladders/ladders.h"

struct dry_run {
    struct client *client;
    const struct invocation *invocation;
    const struct ladder *ladder;
    const char *out; /* as workers find it */
};

/*
 * Asks the scheduler what it would make of a title from this source (path or URL), which
 * where the farm has not read it as it is now is probed: here, in a boxed child, if it can be read
 * here, else by a worker of the farm. Prints the answer
 * and returns the exit code. Nothing is submitted.
 */
int dry_run_title(const struct dry_run *run, const char *title, const char *source);

#endif
