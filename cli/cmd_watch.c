/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm watch`: a title of the farm until it has ended. */
#include "client.h"
#include "command.h"
#include "farm_title.h"

static int run(const struct invocation *invocation) {
    struct client *client = NULL;
    struct err err = {0};
    int code = farm_title_check(invocation, invocation->words[0]);
    if (code != EXIT_DONE) {
        return code;
    }
    if (client_connect(&client, invocation, &err) != 0) {
        return client_fail(client, invocation, &err);
    }
    code = farm_title_watch(client, invocation, invocation->words[0]);
    client_destroy(client);
    return code;
}

static const struct option_row options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_watch = {
    .name = "watch",
    .words = "TITLE",
    .least_words = 1,
    .most_words = 1,
    .summary = "show how a title of the farm goes, until it has ended",
    .help = "Ends with 0 where the title is done, 1 where it failed or was cancelled. Ctrl-C ends\n"
            "the watching; the title goes on.\n\n"
            "  reelfarm watch movie\n",
    .options = options,
    .run = run,
};
