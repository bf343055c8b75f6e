/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm cancel`: stops the work on titles. */
#include "client.h"
#include "command.h"
#include "farm_title.h"

static int run(const struct invocation *invocation) {
    return farm_titles_tell(invocation, "cancel", "cancelled");
}

static const struct option_row options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_cancel = {
    .name = "cancel",
    .words = "TITLE...",
    .least_words = 1,
    .most_words = MAX_WORDS,
    .summary = "stop the work on titles",
    .help = "What was made stays, and is used again when the title is submitted once more; no\n"
            "manifest names it. A version that was published before stays as it is.\n\n"
            "  reelfarm cancel movie\n",
    .options = options,
    .run = run,
};
