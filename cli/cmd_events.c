/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm events`: what happened on the farm, in order. */
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/mem.h"
#include "farm_title.h"
#include "interrupt.h"

enum { WAIT_MS = 2000, LOOK_MS = 500, AWAY_MS = 60000 };

static void event_text(struct reader *item, struct buf *out) {
    const char *title = "";
    const char *kind = "";
    int64_t at = 0;
    char time[CLOCK_TEXT];
    reader_string(item, "title", &title);
    reader_string(item, "kind", &kind);
    reader_int(item, "at", 0, INT64_MAX, &at);
    if (!reader_ok(item)) {
        return;
    }
    clock_text(at, time);
    buf_format(out, "%s  %-16s %s", time, kind, title);
    if (reader_has(item, "detail")) {
        struct reader detail = reader_object(item, "detail");
        buf_string(out, "  ");
        json_tree_write(detail.node, out);
    }
    buf_string(out, "\n");
}

/* The call for what comes after an event, as an owned path. A title's name needs no escape. */
static char *path_after(const char *title, int64_t after, int wait_ms) {
    return mem_format("/v1/events?after=%" PRId64 "&wait_ms=%d%s%s", after, wait_ms,
                      title == NULL ? "" : "&title=", title == NULL ? "" : title);
}

/* Takes one answer; `after` goes on, and stays where there is nothing more. */
static int take(struct client *client, const struct invocation *invocation, int64_t *after,
                int wait_ms, struct err *err) {
    struct json *answer = NULL;
    struct buf text = {0};
    struct err wrong = {0};
    char *path = path_after(option_value(invocation, "title"), *after, wait_ms);
    int failed = client_call(client, "GET", path, NULL, &answer, err);
    mem_free(path);
    if (failed != 0) {
        return failed;
    }
    struct reader r = reader_of(answer, "the scheduler's answer", &wrong);
    struct reader list = reader_array(&r, "events");
    reader_int(&r, "next", 0, INT64_MAX, after);
    for (size_t i = 0; i < reader_count(&list) && reader_ok(&r); i++) {
        struct reader item = reader_item(&list, i);
        if (wants_json(invocation)) {
            json_tree_write(item.node, &text);
            buf_string(&text, "\n");
        } else {
            event_text(&item, &text);
        }
    }
    json_tree_destroy(answer);
    if (wrong.code != ERR_NONE) {
        buf_finish(&text);
        return err_set(err, wrong.code, "%s", wrong.message);
    }
    return command_print(&text) == EXIT_DONE
               ? 0
               : err_set(err, ERR_INTERNAL, "the events could not be written");
}

/* Whether somebody still reads what is written; nobody does behind `| head` that has enough. */
static bool is_read(void) {
    struct pollfd output = {.fd = STDOUT_FILENO};
    return poll(&output, 1, 0) <= 0 || (output.revents & POLLERR) == 0;
}

/* Until all is told, or nobody listens, or for ever; a scheduler that is away for a moment is
 * waited for. */
static int tell_all(struct client *client, const struct invocation *invocation,
                    const atomic_bool *interrupted, struct err *err) {
    bool follows = option_value(invocation, "follow") != NULL;
    int64_t heard_ms = 0;
    int64_t before = -1, after = 0;
    while (after > before || (follows && is_read())) {
        struct err why = {0};
        before = after;
        int failed = take(client, invocation, &after, follows ? WAIT_MS : 0, &why);
        int64_t now = clock_monotonic_ms();
        bool away = failed == ERR_UNAVAILABLE || failed == ERR_TIMEOUT;
        if (failed == 0) {
            heard_ms = now;
        } else if (!follows || !away || heard_ms == 0 || now - heard_ms > AWAY_MS) {
            return err_set(err, why.code, "%s", why.message);
        }
        if (!clock_sleep_ms(failed != 0 ? LOOK_MS : 0, interrupted) || *interrupted) {
            return err_set(err, ERR_CANCELLED, "stopped as asked");
        }
    }
    return 0;
}

static int run(const struct invocation *invocation) {
    const char *title = option_value(invocation, "title");
    const atomic_bool *interrupted = interrupt_catch();
    struct client *client = NULL;
    struct err err = {0};
    if (title != NULL && farm_title_check(invocation, title) != EXIT_DONE) {
        return EXIT_USAGE;
    }
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = tell_all(client, invocation, interrupted, &err);
    }
    int code = failed == ERR_CANCELLED ? EXIT_INTERRUPTED /* the way in which following ends */
               : failed != 0           ? client_fail(client, invocation, &err)
                                       : EXIT_DONE;
    client_destroy(client);
    return code;
}

static const struct option_row options[] = {
    {"follow", NULL, "go on with what happens from now on, until Ctrl-C"},
    {"title", "ID", "of this title alone"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_events = {
    .name = "events",
    .words = "",
    .summary = "what happened on the farm, in order",
    .help = "When, what, of which title, and what else there is to know. The last 200,000 are\n"
            "kept. With --json each is a document on a line of its own.\n\n"
            "  reelfarm events --title movie\n"
            "  reelfarm events --follow | grep title.fail\n"
            "  reelfarm events --follow --json\n",
    .options = options,
    .run = run,
};
