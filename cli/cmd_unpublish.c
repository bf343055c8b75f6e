/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm unpublish`: takes a title, or a version of it, from edges and catalogs. */
#include "client.h"
#include "command.h"
#include "publication_text.h"

static int run(const struct invocation *invocation) {
    return publication_tell(invocation, "unpublish", "is taken away");
}

static const struct option_row options[] = {
    {"endpoint", "NAME", "from this edge or catalog alone"},
    {"edge", "NAME", "the same"},
    {"version", "VERSION", "this version alone, which is not the current one"},
    {"wait", NULL, "end when the endpoints have followed, as far as they can"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_unpublish = {
    .name = "unpublish",
    .words = "TITLE",
    .least_words = 1,
    .most_words = 1,
    .summary = "take a title from the edges and catalogs; its origin stays",
    .help =
        "First from the catalogs, then from the edges; one that can't be reached is tried until\n"
        "it is clean, and `reelfarm endpoints` names what is still to go. The title stays away\n"
        "until `reelfarm publish`, also when it is made anew. Its origin stays: an edge that "
        "fetches\n"
        "from there what it lacks gives the title on to whoever asks (`fetches` in `status`), "
        "until\n"
        "`reelfarm remove` takes it away there too, or the edge blocks it. An old version goes "
        "from\n"
        "the origin too; the current one does not go alone: see `reelfarm rollback`.\n\n"
        "  reelfarm unpublish movie --wait\n"
        "  reelfarm unpublish movie --edge edge-2\n"
        "  reelfarm unpublish movie --version 0123456789abcdef    see `reelfarm versions movie`\n",
    .options = options,
    .run = run,
};
