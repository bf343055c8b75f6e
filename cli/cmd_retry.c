/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm retry`: titles that failed, were cancelled or lack something are submitted again as
 * they were. */
#include "client.h"
#include "command.h"
#include "farm_title.h"

static int run(const struct invocation *invocation) {
    return farm_titles_tell(invocation, "retry", "submitted");
}

static const struct option_row options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_retry = {
    .name = "retry",
    .words = "TITLE...",
    .least_words = 1,
    .most_words = MAX_WORDS,
    .summary = "submit titles again that failed, were cancelled or lack something",
    .help =
        "Each as it was submitted last: source, output, ladder, priority, tenant, deadline and\n"
        "labels. It goes on from what is made: a cancelled title's chunks stay, a failed one's\n"
        "were removed. `reelfarm list --state failed` tells which failed, and why. A title that\n"
        "is done without its poster or storyboard (`reelfarm status` says so) gets a new version\n"
        "with them; nothing else is made anew.\n\n"
        "  reelfarm retry movie\n",
    .options = options,
    .run = run,
};
