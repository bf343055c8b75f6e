/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One call a word: see each_word.h. */
#include "each_word.h"

#include <stdio.h>

#include "publication_text.h"

static void write_result(const struct each_word *each, const char *word,
                         const struct each_result *result, const struct err *err,
                         struct writer *w) {
    struct err unread = {0};
    struct reader r = reader_of(result->answer, "the scheduler's answer", &unread);
    writer_object(w, NULL);
    writer_string(w, each->item, word);
    writer_bool(w, each->flag, result->flag);
    if (result->answer != NULL) {
        writer_node(w, "publications", reader_array(&r, "publications").node);
    }
    writer_string(w, "error", err->message);
    writer_object_end(w);
}

static void tell_result(const char *word, const struct each_result *result) {
    struct buf text = {0};
    struct err unread = {0};
    struct reader r = reader_of(result->answer, "the scheduler's answer", &unread);
    buf_format(&text, "%s: %s\n", word, result->said);
    if (result->answer != NULL) {
        publications_text(&r, &text);
    }
    fwrite(text.data, 1, text.size, stdout);
    buf_finish(&text);
}

/* One word; its exit code. */
static int act(struct client *client, const struct invocation *invocation,
               const struct each_word *each, const char *word, struct writer *w) {
    struct err err = {0};
    struct each_result result = {.said = ""};
    each->act(client, invocation, word, each->context, &result, &err);
    write_result(each, word, &result, &err, w);
    int code = err.code != ERR_NONE ? client_tell(client, &err) : EXIT_DONE;
    if (code == EXIT_DONE && !wants_json(invocation)) {
        tell_result(word, &result);
    }
    json_tree_destroy(result.answer);
    return code;
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
