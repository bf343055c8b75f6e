/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm cancel`: stops the work on titles. */
#include "client.h"
#include "command.h"
#include "common/mem.h"

static int cancel(struct client *client, const char *title, struct err *err) {
    char *path = mem_format("/v1/titles/%s/cancel", title);
    int failed = client_call(client, "POST", path, NULL, NULL, err);
    mem_free(path);
    return failed;
}

static int run(const struct invocation *invocation) {
    struct client *client = NULL;
    struct buf text = {0};
    struct writer w = writer_of(&text);
    struct err err = {0};
    int failed = client_connect(&client, invocation, &err);
    writer_object(&w, NULL);
    writer_array(&w, "cancelled");
    for (int i = 0; i < invocation->word_count && failed == 0; i++) {
        failed = cancel(client, invocation->words[i], &err);
        if (failed == 0) {
            writer_string(&w, NULL, invocation->words[i]);
        }
    }
    writer_array_end(&w);
    writer_object_end(&w);
    buf_string(&text, "\n");
    int code = failed != 0 ? client_fail(client, invocation, &err) : EXIT_DONE;
    client_destroy(client);
    if (code != EXIT_DONE || !wants_json(invocation)) {
        buf_finish(&text);
        return code;
    }
    return command_print(&text);
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
