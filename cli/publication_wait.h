/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title on its way to its edges and catalogs, or from there. Private to cli/. */
#ifndef CLI_PUBLICATION_WAIT_H
#define CLI_PUBLICATION_WAIT_H

#include "client.h"
#include "command.h"

/*
 * Shows how it goes until each endpoint holds what it is to hold of the title, or can't for now:
 * one that is dead, shut or has failed three times is not waited for. Then tells what is where,
 * and names those that are behind, with EXIT_DONE: they are caught up by themselves. A title
 * without endpoints ends at once and tells nothing. `version`, if not NULL, is one to which the
 * title goes back: EXIT_FAILED where it did not. Answers the exit code.
 */
int publication_wait(struct client *client, const struct invocation *invocation, const char *title,
                     const char *version);

#endif
