/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many titles to their ends, and to their endpoints. Private to cli/. */
#ifndef CLI_BATCH_WAIT_H
#define CLI_BATCH_WAIT_H

#include <stddef.h>

#include "client.h"
#include "command.h"

/*
 * Waits until each of the titles has ended and, where there are endpoints, is published as far as
 * that can be now (publication_wait.h). Shows how many are, tells of each in the order of the list,
 * and of them all. EXIT_FAILED where one failed, was cancelled or removed, or where a catalog does
 * not know one; edges that are behind are told, and caught up by themselves.
 */
int batch_wait(struct client *client, const struct invocation *invocation,
               const char *const *titles, size_t count);

#endif
