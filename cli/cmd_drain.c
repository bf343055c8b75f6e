/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm drain`: workers that shall take nothing new, and again take work. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "common/mem.h"

static int drain(struct client *client, const char *worker, bool undo, struct err *err) {
    struct json *answer = NULL;
    char *path = mem_format("/v1/workers/%s/drain", worker);
    int failed = client_call(client, undo ? "DELETE" : "POST", path, NULL, &answer, err);
    json_tree_destroy(answer);
    mem_free(path);
    return failed;
}

/* All workers, whatever comes of one; the last exit code that is not EXIT_DONE. */
static int drain_all(struct client *client, const struct invocation *invocation) {
    bool undo = option_value(invocation, "undo") != NULL;
    struct buf text = {0};
    struct writer w = writer_of(&text);
    int code = EXIT_DONE;
    writer_object(&w, NULL);
    writer_array(&w, "workers");
    for (int i = 0; i < invocation->word_count && code != EXIT_INTERRUPTED; i++) {
        const char *worker = invocation->words[i];
        struct err err = {0};
        drain(client, worker, undo, &err);
        writer_object(&w, NULL);
        writer_string(&w, "worker", worker);
        writer_bool(&w, "drain", (err.code == ERR_NONE) != undo);
        writer_string(&w, "error", err.message);
        writer_object_end(&w);
        if (err.code != ERR_NONE) {
            code = client_tell(client, &err);
        } else if (!wants_json(invocation)) {
            printf(undo ? "%s: takes work again\n" : "%s: takes nothing new\n", worker);
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
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    struct client *client = NULL;
    struct err err = {0};
    for (int i = 0; i < invocation->word_count; i++) {
        const char *worker = invocation->words[i];
        if (worker[0] == '\0' || worker[strspn(worker, allowed)] != '\0') {
            return command_usage(invocation,
                                 "'%.200s' is no worker's name, which is letters, digits, '.', "
                                 "'_' and '-'",
                                 worker);
        }
    }
    int code = client_connect(&client, invocation, &err) != 0
                   ? client_fail(client, invocation, &err)
                   : drain_all(client, invocation);
    client_destroy(client);
    return code;
}

static const struct option_row options[] = {
    {"undo", NULL, "let them take work again"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_drain = {
    .name = "drain",
    .words = "WORKER...",
    .least_words = 1,
    .most_words = MAX_WORDS,
    .summary = "let workers finish what they run, and take nothing new",
    .help =
        "A drained worker stays up, finishes what it runs and then waits, idle, until it is\n"
        "stopped or the drain is undone; it stays drained through restarts, its own and the\n"
        "scheduler's. `reelfarm workers` shows when it is no longer busy. To empty a machine and\n"
        "stop it at once, send its worker SIGTERM: it finishes within its grace time and "
        "leaves.\n\n"
        "  reelfarm drain node7          before work on the machine\n"
        "  reelfarm drain node7 --undo   after it\n",
    .options = options,
    .run = run,
};
