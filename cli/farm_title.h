/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands do with a title of a farm. Private to cli/. */
#ifndef CLI_FARM_TITLE_H
#define CLI_FARM_TITLE_H

#include "client.h"
#include "command.h"

/* EXIT_DONE for a word that can be a title's id; else tells that it is none: EXIT_USAGE. */
int farm_title_check(const struct invocation *invocation, const char *word);

/* Shows the title until it has ended, tells how it did, and answers the exit code. */
int farm_title_watch(struct client *client, const struct invocation *invocation, const char *title);

#endif
