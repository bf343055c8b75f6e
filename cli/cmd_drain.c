/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm drain`: workers that shall take nothing new, and again take work. */
#include <string.h>

#include "client.h"
#include "command.h"
#include "common/mem.h"
#include "each_word.h"

static int drain(struct client *client, const struct invocation *invocation, const char *worker,
                 const void *context, struct each_result *out, struct err *err) {
    bool undo = option_value(invocation, "undo") != NULL;
    struct json *answer = NULL;
    char *path = mem_format("/v1/workers/%s/drain", worker);
    (void)context;
    int failed = client_call(client, undo ? "DELETE" : "POST", path, NULL, &answer, err);
    out->flag = (failed == 0) != undo;
    out->said = undo ? "takes work again" : "takes nothing new";
    json_tree_destroy(answer);
    mem_free(path);
    return failed;
}

static int run(const struct invocation *invocation) {
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "._-";
    static const struct each_word each = {
        .list = "workers", .item = "worker", .flag = "drain", .act = drain};
    for (int i = 0; i < invocation->word_count; i++) {
        const char *worker = invocation->words[i];
        if (worker[0] == '\0' || worker[strspn(worker, allowed)] != '\0') {
            return command_usage(invocation,
                                 "'%.200s' is no worker's name, which is letters, digits, '.', "
                                 "'_' and '-'",
                                 worker);
        }
    }
    return each_word(invocation, &each);
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
        "scheduler's. `reelfarm workers` shows when it is no longer busy. Titles that come\n"
        "meanwhile are planned for the encoders of the others, where those have them. To empty\n"
        "a machine and stop it at once, send its worker SIGTERM: it finishes within its grace\n"
        "time and leaves.\n\n"
        "  reelfarm drain node7          before work on the machine\n"
        "  reelfarm drain node7 --undo   after it\n",
    .options = options,
    .run = run,
};
