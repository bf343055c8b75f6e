/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm replay`: has a webhook told of events once more. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "common/mem.h"
#include "common/wire.h"

static int64_t parse_event(const char *text) {
    char *end = NULL;
    long long event = text[0] >= '0' && text[0] <= '9' ? strtoll(text, &end, 10) : 0;
    return event > 0 && event < INT64_MAX / 2 && *end == '\0' ? event : -1;
}

/* What is asked for, as a body; false where that is not one thing, or none that is known. */
static bool write_body(const struct invocation *invocation, struct buf *out) {
    const char *since = option_value(invocation, "since");
    const char *event = option_value(invocation, "event");
    bool dead = option_value(invocation, "dead") != NULL;
    int64_t at = since == NULL ? 0 : command_since(since);
    int64_t number = event == NULL ? 0 : parse_event(event);
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    if (dead) {
        writer_bool(&w, "dead", true);
    } else if (since != NULL) {
        writer_int(&w, "since", at);
    } else {
        writer_int(&w, "event", number);
    }
    writer_object_end(&w);
    return (dead ? 1 : 0) + (since != NULL ? 1 : 0) + (event != NULL ? 1 : 0) == 1 && at >= 0 &&
           number >= 0;
}

static int tell(const struct invocation *invocation, const char *path, struct buf *body) {
    struct client *client = NULL;
    struct json *answer = NULL;
    struct buf text = {0};
    struct err err = {0};
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = client_call(client, "POST", path, body, &answer, &err);
    }
    if (failed == 0 && wants_json(invocation)) {
        json_tree_write(answer, &text);
        buf_string(&text, "\n");
    } else if (failed == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", &err);
        int64_t events = 0;
        reader_int(&r, "events", 0, INT64_MAX, &events);
        buf_format(&text, "%s is told of %" PRId64 " event%s once more\n", invocation->words[0],
                   events, events == 1 ? "" : "s");
    }
    int code = err.code != ERR_NONE ? client_fail(client, invocation, &err) : command_print(&text);
    json_tree_destroy(answer);
    client_destroy(client);
    buf_finish(&text);
    return code;
}

static int run(const struct invocation *invocation) {
    const char *name = invocation->words[0];
    struct buf body = {0};
    int code = EXIT_USAGE;
    char *path = mem_format("/v1/endpoints/%s/replay", name);
    if (!endpoint_name_valid(name)) {
        code = command_usage(invocation, "'%.200s' is no endpoint's name", name);
    } else if (!write_body(invocation, &body)) {
        code = command_usage(invocation, "say which events: --dead, --since 2h (or a time as "
                                         "2026-12-01T18:00:00Z), or --event NUMBER");
    } else {
        code = tell(invocation, path, &body);
    }
    buf_finish(&body);
    mem_free(path);
    return code;
}

static const struct option_row options[] = {
    {"dead", NULL, "those that it did not take in their time"},
    {"since", "TIME", "all that it hears of since then: 2h, 3d, 2026-12-01T18:00:00Z"},
    {"event", "NUMBER", "this one of the feed"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_replay = {
    .name = "replay",
    .words = "ENDPOINT",
    .least_words = 1,
    .most_words = 1,
    .summary = "tell a webhook of events once more",
    .help =
        "Each has the id that it had, so a receiver that knows it may pass it over. What is kept\n"
        "can be replayed: the dead for 30 days, others for as long as the feed has them.\n"
        "`reelfarm deliveries ENDPOINT` lists them.\n\n"
        "  reelfarm replay billing --dead          the receiver is repaired\n"
        "  reelfarm replay billing --since 2h      it lost what it had taken\n"
        "  reelfarm replay billing --event 4711\n",
    .options = options,
    .run = run,
};
