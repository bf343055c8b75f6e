/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm remove`: takes titles away, with what they published. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/mem.h"
#include "each_word.h"
#include "farm_title.h"
#include "interrupt.h"
#include "publication_text.h"
#include "title_watch.h"

enum { LOOK_MS = 200 };

/* Asks where somebody sits who can answer; true for yes, and where nobody is asked. */
static bool is_agreed(const struct invocation *invocation) {
    if (option_value(invocation, "yes") != NULL || !isatty(STDIN_FILENO)) {
        return true;
    }
    bool keeps = option_value(invocation, "keep-files") != NULL;
    char answer[16] = "";
    for (int i = 0; i < invocation->word_count; i++) {
        fprintf(stderr, "%s%s",
                i == 0                           ? ""
                : i + 1 < invocation->word_count ? ", "
                                                 : " and ",
                invocation->words[i]);
    }
    fprintf(stderr, keeps ? ": forget, and leave the files? [y/N] "
                          : ": remove for good, with all that was published? [y/N] ");
    return fgets(answer, sizeof(answer), stdin) != NULL && (answer[0] == 'y' || answer[0] == 'Y');
}

static int ask_removal(struct client *client, const struct invocation *invocation,
                       const char *title, bool *gone, struct err *err) {
    bool keeps = option_value(invocation, "keep-files") != NULL;
    char *path = mem_format("/v1/titles/%s%s", title, keeps ? "?keep_files=true" : "");
    struct json *answer = NULL;
    int failed = client_call(client, "DELETE", path, NULL, &answer, err);
    if (failed == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", err);
        reader_bool(&r, "gone", gone);
        failed = err->code;
    }
    json_tree_destroy(answer);
    mem_free(path);
    return failed;
}

/* Until there is no such title; its error where the removal was given up. */
static int wait_gone(struct client *client, const char *title, struct err *err) {
    const atomic_bool *interrupted = interrupt_catch();
    struct title_status status = {.state = TITLE_REMOVING};
    int failed = 0;
    while (failed == 0 && status.state == TITLE_REMOVING) {
        struct err why = {0};
        clock_sleep_ms(LOOK_MS, interrupted);
        failed =
            atomic_load(interrupted)
                ? err_set(&why, ERR_CANCELLED, "the waiting has ended, and the removal goes on")
                : title_status_get(client, title, &status, &why);
        if (failed == ERR_NOT_FOUND) {
            return 0;
        }
        if (failed != 0) {
            return err_pass(err, &why);
        }
    }
    return err_set(err, ERR_CONFLICT, "%s: %s; try again, or forget it with --keep-files", title,
                   status.error[0] != '\0' ? status.error : "it was submitted again meanwhile");
}

/* Endpoints that could not be reached hold it still, though the farm has forgotten it. */
static int remove_one(struct client *client, const struct invocation *invocation, const char *title,
                      const void *context, struct each_result *out, struct err *err) {
    bool waits = option_value(invocation, "wait") != NULL;
    bool gone = false;
    (void)context;
    if (ask_removal(client, invocation, title, &gone, err) == 0 && waits && !gone) {
        gone = wait_gone(client, title, err) == 0;
    }
    if (gone) {
        publications_left(client, title, waits, &out->answer, err);
    }
    out->flag = gone && out->answer == NULL && err->code == ERR_NONE;
    out->said = out->answer != NULL ? "removed; these endpoints are not rid of it yet, and it is "
                                      "taken from them as soon as they can be reached:"
                : gone              ? "removed"
                                    : "is being removed";
    return (int)err->code;
}

static int run(const struct invocation *invocation) {
    static const struct each_word each = {
        .list = "titles", .item = "title", .flag = "gone", .act = remove_one};
    int code = farm_titles_check(invocation);
    if (code == EXIT_DONE && !is_agreed(invocation)) {
        struct err err = {0};
        err_set(&err, ERR_CANCELLED, "nothing was removed");
        return command_fail(invocation, EXIT_REFUSED, &err);
    }
    return code == EXIT_DONE ? each_word(invocation, &each) : code;
}

static const struct option_row options[] = {
    {"yes", NULL, "do not ask"},
    {"keep-files", NULL, "forget the title in the farm, and leave its files where they are"},
    {"wait", NULL, "end when it is gone, or only endpoints that can't be reached have it still"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_remove = {
    .name = "remove",
    .words = "TITLE...",
    .least_words = 1,
    .most_words = MAX_WORDS,
    .summary = "take titles away, with what they published",
    .help =
        "A title that runs is stopped. A worker then removes what it published, at every output\n"
        "that it had: first master.m3u8, manifest.mpd and title.json, so that no player is\n"
        "sent to what is going, then the documents of its versions, then pictures and sound.\n"
        "Files in its folder that reelfarm did not make stay. On a terminal it asks first.\n"
        "Before that it goes from catalogs and edges. One that can't be reached keeps nobody\n"
        "waiting: --wait names it, as do `status TITLE` and `endpoints` until it is clean, and\n"
        "--json says `gone` of a title when no endpoint has it any more.\n\n"
        "  reelfarm remove movie --wait           gone when it ends\n"
        "  reelfarm remove movie --yes            asks nobody, and goes on by itself\n"
        "  reelfarm remove movie --keep-files     the farm forgets it, the streams stay\n",
    .options = options,
    .run = run,
};
