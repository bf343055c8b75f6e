/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm why`: what a title of the farm waits for, and why. */
#include "client.h"
#include "command.h"
#include "common/mem.h"
#include "farm_title.h"

/* A sentence a line. */
static void sentences_text(struct reader *answer, struct buf *out) {
    struct reader list = reader_array(answer, "sentences");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *sentence = "";
        reader_string(&item, "text", &sentence);
        buf_string(out, i == 0 ? "" : "  ");
        buf_plain(out, sentence);
        buf_string(out, "\n");
    }
}

static int run(const struct invocation *invocation) {
    const char *title = invocation->words[0];
    int code = farm_title_check(invocation, title);
    if (code == EXIT_DONE) {
        char *path = mem_format("/v1/titles/%s/why", title);
        code = client_show(invocation, path, sentences_text);
        mem_free(path);
    }
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
