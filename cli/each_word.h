/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that call the scheduler once for each of their words. Private to cli/. */
#ifndef CLI_EACH_WORD_H
#define CLI_EACH_WORD_H

#include "client.h"
#include "command.h"

/* What came of one word. */
struct each_result {
    bool flag;           /* what may be true of it then */
    const char *said;    /* for people: "removed" of "movie: removed" */
    struct json *answer; /* owned; whose "publications" are told too. NULL: none */
};

struct each_word {
    const char *list; /* of the words, as --json names them: "titles" */
    const char *item; /* one of them: "title" */
    const char *flag; /* what may be true of one then: "cancelled" */
    /* Does it to one: 0, or an error. `*out` begins zeroed. */
    int (*act)(struct client *client, const struct invocation *invocation, const char *word,
               const void *context, struct each_result *out, struct err *err);
    const void *context; /* borrowed */
};

/* Connects, and acts on all words, whatever comes of one; tells of each. Returns the last exit code
 * that is not EXIT_DONE. */
int each_word(const struct invocation *invocation, const struct each_word *each);

#endif
