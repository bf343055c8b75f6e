/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands do with a title of a farm. Private to cli/. */
#ifndef CLI_FARM_TITLE_H
#define CLI_FARM_TITLE_H

#include "client.h"
#include "command.h"

/* EXIT_DONE for a word that can be a title's id; else tells that it is none: EXIT_USAGE. */
int farm_title_check(const struct invocation *invocation, const char *word);

/* Shows the title until it has ended and, where there are endpoints, until it is published
 * (publication_wait.h); tells how it did, and answers the exit code. */
int farm_title_watch(struct client *client, const struct invocation *invocation, const char *title);

/*
 * Makes the call POST /v1/titles/T/`verb` for each title that the invocation names, whatever
 * comes of one, and tells of each that it is `done`: "movie: cancelled", or with --json a member
 * of that name. Returns the exit code.
 */
int farm_titles_tell(const struct invocation *invocation, const char *verb, const char *done);

/* EXIT_DONE where all words can be titles' ids. */
int farm_titles_check(const struct invocation *invocation);

#endif
