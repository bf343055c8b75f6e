/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm rollback`: makes an older version of a title current again. */
#include "client.h"
#include "command.h"
#include "publication_text.h"

static int run(const struct invocation *invocation) {
    return publication_tell(invocation, "rollback", "goes back to an older version");
}

static const struct option_row options[] = {
    {"version", "VERSION", "this one (default: the one that was replaced last)"},
    {"wait", NULL, "end when the endpoints have followed, as far as they can"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_rollback = {
    .name = "rollback",
    .words = "TITLE",
    .least_words = 1,
    .most_words = 1,
    .summary = "make a version that is kept current again, everywhere",
    .help =
        "Three small files at the origin, and then at each edge: nothing is encoded or sent\n"
        "again. The version that was current is kept in its place, for as long as others are.\n\n"
        "  reelfarm rollback movie --wait\n"
        "  reelfarm rollback movie --version 0123456789abcdef    see `reelfarm versions movie`\n",
    .options = options,
    .run = run,
};
