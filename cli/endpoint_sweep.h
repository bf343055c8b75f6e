/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies at edges and nothing names. Private to cli/. */
#ifndef CLI_ENDPOINT_SWEEP_H
#define CLI_ENDPOINT_SWEEP_H

#include "command.h"

/*
 * `endpoints sweep [EDGE...]`: has workers list each edge, of those that can be listed, and tells
 * what lies there in vain; with --remove that is then taken away, with --unknown also what is of
 * titles that the farm never heard of. Shows how it goes meanwhile. One edge that fails holds up no
 * other. Returns the exit code: EXIT_FAILED where an edge could not be listed or swept.
 */
int endpoint_sweep(const struct invocation *invocation);

#endif
