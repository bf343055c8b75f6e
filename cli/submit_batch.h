/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `submit --from`: titles of a file to a farm. Private to cli/. */
#ifndef CLI_SUBMIT_BATCH_H
#define CLI_SUBMIT_BATCH_H

#include "command.h"

/* Checks all titles of the file that the invocation names, sends them many at a time, and tells
 * what came of them; with --wait, shows them to their ends. Returns the exit code. */
int submit_batch(const struct invocation *invocation);

#endif
