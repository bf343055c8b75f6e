/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm deliveries`: what a webhook was told, is to be told, and did not take. */
#include <inttypes.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/wire.h"

static void delivery_text(struct reader *item, struct buf *out) {
    const char *title = "", *name = "", *state = "", *error = "";
    int64_t event = 0, at = 0, attempts = 0;
    char time[CLOCK_TEXT];
    reader_int(item, "event", 0, INT64_MAX, &event);
    reader_int(item, "at", 0, INT64_MAX, &at);
    reader_int(item, "attempts", 0, INT64_MAX, &attempts);
    reader_string(item, "title", &title);
    reader_string(item, "name", &name);
    reader_string(item, "state", &state);
    reader_string(item, "error", &error);
    clock_text(at, time);
    buf_format(out, "%8" PRId64 "  %s  %-9s  %-18s ", event, time, state, name);
    buf_plain(out, title);
    if (error[0] != '\0') {
        buf_format(out, "\n          tried %" PRId64 " times; ", attempts);
        buf_plain(out, error);
    }
    buf_string(out, "\n");
}

/* Takes one page; `after` goes on, and is 0 after the last. */
static int take(struct client *client, const struct invocation *invocation, int64_t *after,
                struct err *err) {
    const char *state = option_value(invocation, "state");
    char *path = mem_format("/v1/endpoints/%s/deliveries?after=%" PRId64 "%s%s",
                            invocation->words[0], *after,
                            state == NULL ? "" : "&state=", state == NULL ? "" : state);
    *after = 0;
    int failed = client_page(client, invocation, path, "deliveries", delivery_text, after, err);
    mem_free(path);
    return failed;
}

static int run(const struct invocation *invocation) {
    const char *state = option_value(invocation, "state");
    struct client *client = NULL;
    struct err err = {0};
    int64_t after = 0;
    if (!endpoint_name_valid(invocation->words[0])) {
        return command_usage(invocation, "'%.200s' is no endpoint's name", invocation->words[0]);
    }
    if (state != NULL && strspn(state, "abcdefghijklmnopqrstuvwxyz") != strlen(state)) {
        return command_usage(invocation, "--state is waiting, running, delivered or dead");
    }
    int failed = client_connect(&client, invocation, &err);
    do {
        failed = failed != 0 ? failed : take(client, invocation, &after, &err);
    } while (failed == 0 && after > 0);
    int code = failed != 0 ? client_fail(client, invocation, &err) : EXIT_DONE;
    client_destroy(client);
    return code;
}

static const struct option_row options[] = {
    {"state", "STATE", "of these alone: waiting, running, delivered or dead"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_deliveries = {
    .name = "deliveries",
    .words = "ENDPOINT",
    .least_words = 1,
    .most_words = 1,
    .summary = "what a webhook was told, is to be told, and did not take",
    .help =
        "Delivered ones are kept for a day, dead ones for 30 days; `reelfarm replay` sends them\n"
        "once more.\n\n"
        "  reelfarm deliveries billing --state dead\n"
        "  reelfarm deliveries billing --json        one document a line\n",
    .options = options,
    .run = run,
};
