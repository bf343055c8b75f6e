/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm cancel`: stops the work on titles. */
#include <stdio.h>

#include "client.h"
#include "command.h"
#include "common/mem.h"
#include "farm_title.h"

static int cancel(struct client *client, const char *title, struct err *err) {
    struct json *answer = NULL;
    char *path = mem_format("/v1/titles/%s/cancel", title);
    int failed = client_call(client, "POST", path, NULL, &answer, err);
    json_tree_destroy(answer);
    mem_free(path);
    return failed;
}

/* All titles, whatever comes of one; the worst exit code. */
static int cancel_all(struct client *client, const struct invocation *invocation) {
    struct buf text = {0};
    struct writer w = writer_of(&text);
    int code = EXIT_DONE;
    writer_object(&w, NULL);
    writer_array(&w, "titles");
    for (int i = 0; i < invocation->word_count && code != EXIT_INTERRUPTED; i++) {
        const char *title = invocation->words[i];
        struct err err = {0};
        cancel(client, title, &err);
        writer_object(&w, NULL);
        writer_string(&w, "title", title);
        writer_bool(&w, "cancelled", err.code == ERR_NONE);
        writer_string(&w, "error", err.message);
        writer_object_end(&w);
        if (err.code != ERR_NONE) {
            code = client_tell(client, &err);
        } else if (!wants_json(invocation)) {
            printf("%s: cancelled\n", title);
        }
    }
    writer_array_end(&w);
    writer_object_end(&w);
    buf_string(&text, "\n");
    if (!wants_json(invocation)) {
        buf_finish(&text);
        return code;
    }
    int printed = command_print(&text);
    return code != EXIT_DONE ? code : printed;
}

static int run(const struct invocation *invocation) {
    struct client *client = NULL;
    struct err err = {0};
    int code = EXIT_DONE;
    for (int i = 0; i < invocation->word_count && code == EXIT_DONE; i++) {
        code = farm_title_check(invocation, invocation->words[i]);
    }
    if (code == EXIT_DONE && client_connect(&client, invocation, &err) != 0) {
        code = client_fail(client, invocation, &err);
    } else if (code == EXIT_DONE) {
        code = cancel_all(client, invocation);
    }
    client_destroy(client);
    return code;
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
