/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A title on its way to its edges and catalogs, or from there. Private to cli/. */
#ifndef CLI_PUBLICATION_WAIT_H
#define CLI_PUBLICATION_WAIT_H

#include "client.h"
#include "command.h"

/* What an answer about a title says of all its endpoints. */
struct publication_standing {
    size_t count;           /* of those that the scheduler's file lists, as are these */
    size_t pending;         /* waited for */
    size_t behind;          /* not as they are to be, for now */
    size_t catalogs_behind; /* catalogs among them: it is not published */
    size_t fetching;        /* edges that give it to players from the output */
    bool rolls_back;
    bool published;
    const char *version; /* borrowed from the answer */
};

/* Reads the answer of GET /v1/titles/T; the code of `err`, CORRUPT. */
int publication_standing_read(struct publication_standing *out, const struct json *answer,
                              struct err *err);

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
