/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm publish`: brings a title to its edges and catalogs. */
#include "client.h"
#include "command.h"
#include "publication_text.h"

static int run(const struct invocation *invocation) {
    return publication_tell(invocation, "publish", "is wanted there");
}

static const struct option_row options[] = {
    {"endpoint", "NAME", "this edge or catalog alone, whatever its rules say"},
    {"edge", "NAME", "the same"},
    {"wait", NULL, "end when the endpoints have followed, as far as they can"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_publish = {
    .name = "publish",
    .words = "TITLE",
    .least_words = 1,
    .most_words = 1,
    .summary = "bring a title to the edges and catalogs, or bring it once more",
    .help =
        "A title that is done is published by itself to all endpoints that the scheduler's file\n"
        "lists for it. This takes back what `unpublish` did, brings it to an endpoint that is\n"
        "filled on demand, and brings it anew where it is: an edge may have lost what it had.\n"
        "`reelfarm status TITLE` shows how far it is; --wait ends when all endpoints that can "
        "have\n"
        "it, and names those that are behind.\n\n"
        "  reelfarm publish movie --wait\n"
        "  reelfarm publish movie --edge edge-2\n",
    .options = options,
    .run = run,
};
