/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm page`: the address of the scheduler's page. */
#include "client.h"
#include "command.h"
#include "page_link.h"

static int run(const struct invocation *invocation) {
    struct client *client = NULL;
    struct buf link = {0};
    struct buf text = {0};
    struct err err = {0};
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = page_link_write(client, &link, &err);
    }
    if (failed == 0 && wants_json(invocation)) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_string(&w, "farm", buf_text(&link));
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else if (failed == 0) {
        buf_format(&text, "%s\n", buf_text(&link));
    }
    int code = failed == 0 ? command_print(&text) : client_fail(client, invocation, &err);
    buf_finish(&link);
    client_destroy(client);
    return code;
}

static const struct option_row options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_page = {
    .name = "page",
    .words = "",
    .summary = "an address to watch the farm at, in a browser",
    .help = "  reelfarm page\n"
            "  xdg-open \"$(reelfarm page)\"\n\n"
            "Whoever opens it first, within ten minutes, is signed in for twelve hours, as an\n"
            "admin; after that it is worth nothing. A token that may make no others gets the\n"
            "address alone, where people sign in by a token of their own.\n",
    .options = options,
    .run = run,
};
