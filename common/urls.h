/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One service at several addresses, of which one answers at a time: "URL,URL", tried in turn. */
#ifndef COMMON_URLS_H
#define COMMON_URLS_H

#include <stdbool.h>
#include <stddef.h>

struct urls {
    char **items; /* without slashes at their ends */
    size_t count; /* at least 1 */
    size_t at;    /* the one that is asked */
};

/* Takes the list apart; empty items are none. Ends with urls_finish. */
void urls_init(struct urls *urls, const char *list);

/* Takes a zeroed one. */
void urls_finish(struct urls *urls);

/* The one to ask, borrowed. */
const char *urls_now(const struct urls *urls);

/* Goes on to the next one, after the last to the first. */
void urls_go_on(struct urls *urls);

/* Whether all of a list are on this machine. */
bool urls_are_loopback(const char *list);

#endif
