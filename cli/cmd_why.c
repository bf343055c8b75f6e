/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm why`: what a title of the farm waits for, and why. */
#include "client.h"
#include "command.h"
#include "common/mem.h"
#include "farm_title.h"

/* What the scheduler answered, a sentence a line. */
static int write_answer(const struct invocation *invocation, const struct json *answer,
                        struct buf *text, struct err *err) {
    struct buf lines = {0};
    struct reader r = reader_of(answer, "the scheduler's answer", err);
    struct reader list = reader_array(&r, "sentences");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *sentence = "";
        reader_string(&item, "text", &sentence);
        buf_string(&lines, i == 0 ? "" : "  ");
        buf_plain(&lines, sentence);
        buf_string(&lines, "\n");
    }
    if (err->code == ERR_NONE && wants_json(invocation)) {
        struct writer w = writer_of(text);
        writer_node(&w, NULL, answer);
        buf_string(text, "\n");
    } else if (err->code == ERR_NONE) {
        buf_append(text, lines.data, lines.size);
    }
    buf_finish(&lines);
    return err->code;
}

static int run(const struct invocation *invocation) {
    const char *title = invocation->words[0];
    struct client *client = NULL;
    struct json *answer = NULL;
    struct buf text = {0};
    struct err err = {0};
    int code = farm_title_check(invocation, title);
    if (code != EXIT_DONE) {
        return code;
    }
    char *path = mem_format("/v1/titles/%s/why", title);
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = client_call(client, "GET", path, NULL, &answer, &err);
    }
    if (failed == 0) {
        failed = write_answer(invocation, answer, &text, &err);
    }
    code = failed != 0 ? client_fail(client, invocation, &err) : command_print(&text);
    mem_free(path);
    json_tree_destroy(answer);
    client_destroy(client);
    return code;
}

static const struct option_row options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_why = {
    .name = "why",
    .words = "TITLE",
    .least_words = 1,
    .most_words = 1,
    .summary = "what a title of the farm waits for, and what would help",
    .help = "Says in sentences what holds a title up: no worker, an encoder that nobody has any\n"
            "more, drained workers, memory, the queue, its tenant's cap, a pause after a failure;\n"
            "what failed on which worker, and what runs where.\n\n"
            "  reelfarm why movie\n"
            "  reelfarm why movie --json      each with what it is about\n",
    .options = options,
    .run = run,
};
