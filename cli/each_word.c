/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call a word: see each_word.h. */
#include "each_word.h"

#include <stdio.h>

/* One word; its exit code. */
static int act(struct client *client, const struct invocation *invocation,
               const struct each_word *each, const char *word, struct writer *w) {
    struct err err = {0};
    const char *said = "";
    bool flag = false;
    each->act(client, invocation, word, each->context, &flag, &said, &err);
    writer_object(w, NULL);
    writer_string(w, each->item, word);
    writer_bool(w, each->flag, flag);
    writer_string(w, "error", err.message);
    writer_object_end(w);
    if (err.code != ERR_NONE) {
        return client_tell(client, &err);
    }
    if (!wants_json(invocation)) {
        printf("%s: %s\n", word, said);
    }
    return EXIT_DONE;
}

static int act_on_all(struct client *client, const struct invocation *invocation,
                      const struct each_word *each) {
    struct buf text = {0};
    struct writer w = writer_of(&text);
    int code = EXIT_DONE;
    writer_object(&w, NULL);
    writer_array(&w, each->list);
    for (int i = 0; i < invocation->word_count && code != EXIT_INTERRUPTED; i++) {
        int one = act(client, invocation, each, invocation->words[i], &w);
        code = one != EXIT_DONE ? one : code;
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

int each_word(const struct invocation *invocation, const struct each_word *each) {
    struct client *client = NULL;
    struct err err = {0};
    int code = client_connect(&client, invocation, &err) != 0
                   ? client_fail(client, invocation, &err)
                   : act_on_all(client, invocation, each);
    client_destroy(client);
    return code;
}
