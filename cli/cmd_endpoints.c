/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm endpoints`: the edges, catalogs and webhooks, and how they are. */
#include <inttypes.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/mem.h"
#include "endpoint_sweep.h"

static void leaving_text(struct reader *item, struct buf *out) {
    struct reader list = reader_array(item, "leaving");
    for (size_t i = 0; i < reader_count(&list); i++) {
        const char *title = "";
        reader_item_string(&list, i, &title);
        buf_string(out, i == 0 ? "    still to be taken from there: " : ", ");
        buf_plain(out, title);
    }
    buf_string(out, reader_count(&list) > 0 ? "\n" : "");
}

/* What became of what a webhook was to be told. */
static void webhook_text(struct reader *item, const char *name, struct buf *out) {
    if (!reader_has(item, "webhook")) {
        return;
    }
    struct reader webhook = reader_object(item, "webhook");
    int64_t dead = 0, delivered = 0, lost = 0, gone_at = 0;
    reader_int(&webhook, "dead", 0, INT64_MAX, &dead);
    reader_int(&webhook, "delivered", 0, INT64_MAX, &delivered);
    reader_int(&webhook, "lost", 0, INT64_MAX, &lost);
    if (reader_has(&webhook, "gone_at")) {
        reader_int(&webhook, "gone_at", 0, INT64_MAX / 2, &gone_at);
    }
    buf_format(out, "    %" PRId64 " events delivered, %" PRId64 " dead", delivered, dead);
    if (lost > 0) {
        buf_format(out, ", %" PRId64 " more were not kept", lost);
    }
    if (gone_at > 0) {
        char text[CLOCK_TEXT];
        clock_text(gone_at, text);
        buf_format(out,
                   "; it wants nothing more since %s: `reelfarm endpoints --reset %s` asks "
                   "it again",
                   text, name);
    } else if (dead > 0) {
        buf_format(out, "; `reelfarm replay %s --dead` sends them once more", name);
    }
    buf_string(out, "\n");
}

/* When it may be filled, where not now. */
static void window_text(struct reader *item, struct buf *out) {
    int64_t turns_at = 0;
    bool open = false;
    reader_bool(item, "window_open", &open);
    buf_string(out, open ? "" : "  its window is shut");
    if (!open && reader_has(item, "window_turns_at")) {
        char text[CLOCK_TEXT];
        reader_int(item, "window_turns_at", 0, INT64_MAX / 2, &turns_at);
        clock_text(turns_at, text);
        buf_format(out, " until %s", text);
    }
}

static void endpoint_text(struct reader *item, struct buf *out) {
    const char *name = "", *driver = "", *state = "", *fill = "", *error = "";
    int64_t limit = 0, running = 0, backlog = 0, retry_at = 0;
    double request_ms = 0;
    bool listed = false;
    reader_string(item, "name", &name);
    reader_string(item, "driver", &driver);
    reader_string(item, "state", &state);
    reader_string(item, "fill", &fill);
    reader_string(item, "error", &error);
    reader_int(item, "limit", 0, INT64_MAX, &limit);
    reader_int(item, "running", 0, INT64_MAX, &running);
    reader_int(item, "backlog", 0, INT64_MAX, &backlog);
    reader_number(item, "request_ms", 0, 1e12, &request_ms);
    reader_bool(item, "listed", &listed);
    if (reader_has(item, "retry_at")) {
        reader_int(item, "retry_at", 0, INT64_MAX / 2, &retry_at);
    }
    if (!reader_ok(item)) {
        return;
    }
    bool fails = error[0] != '\0' && strcmp(state, "closed") == 0; /* too seldom to break off */
    buf_format(out,
               "%-20s %-8s %-10s %" PRId64 "/%" PRId64 " pushes  %" PRId64 " waiting  %.1f ms  %s",
               name, driver, fails ? "failing" : state, running, limit, backlog, request_ms,
               listed ? fill : "no longer in the scheduler's file");
    if (listed) {
        window_text(item, out);
    }
    buf_string(out, "\n");
    if (error[0] != '\0') {
        char text[CLOCK_TEXT];
        clock_text(retry_at, text);
        buf_string(out, "    ");
        buf_plain(out, error);
        buf_format(out, retry_at > 0 ? "; tried again after %s\n" : "\n", text);
    }
    leaving_text(item, out);
    webhook_text(item, name, out);
}

static void endpoints_text(struct reader *answer, struct buf *out) {
    struct reader list = reader_array(answer, "endpoints");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        endpoint_text(&item, out);
    }
    buf_string(out, out->size == 0
                        ? "no endpoints; the scheduler's option `endpoints` names a file of them\n"
                        : "");
}

static int reset(const struct invocation *invocation, const char *name) {
    struct client *client = NULL;
    struct json *answer = NULL;
    struct buf text = {0};
    struct err err = {0};
    if (name[0] == '\0' ||
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != strlen(name)) {
        return command_usage(invocation, "'%.200s' is no endpoint's name", name);
    }
    char *path = mem_format("/v1/endpoints/%s/reset", name);
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = client_call(client, "POST", path, NULL, &answer, &err);
    }
    if (failed == 0 && wants_json(invocation)) {
        json_tree_write(answer, &text);
        buf_string(&text, "\n");
    } else if (failed == 0) {
        buf_format(&text, "%s: its breaker is closed\n", name);
    }
    int code = failed != 0 ? client_fail(client, invocation, &err) : command_print(&text);
    json_tree_destroy(answer);
    client_destroy(client);
    buf_finish(&text);
    mem_free(path);
    return code;
}

static int run(const struct invocation *invocation) {
    const char *name = option_value(invocation, "reset");
    bool sweeps = invocation->word_count > 0;
    if (sweeps && (strcmp(invocation->words[0], "sweep") != 0 || name != NULL)) {
        return command_usage(invocation, "endpoints are listed, --reset, or `endpoints sweep`");
    }
    if (!sweeps && (option_value(invocation, "remove") != NULL ||
                    option_value(invocation, "unknown") != NULL ||
                    option_value(invocation, "dry-run") != NULL)) {
        return command_usage(invocation, "--remove, --unknown and --dry-run are of `endpoints "
                                         "sweep`");
    }
    if (sweeps) {
        return endpoint_sweep(invocation);
    }
    return name != NULL ? reset(invocation, name)
                        : client_show(invocation, "/v1/endpoints", endpoints_text);
}

static const struct option_row options[] = {
    {"reset", "NAME",
     "close its breaker, and try at once what waits there; also of one that is gone"},
    {"remove", NULL, "sweep: take away what lies there in vain, once it is listed"},
    {"unknown", NULL, "sweep: also what is of titles that this farm never heard of"},
    {"dry-run", NULL, "sweep: list alone, as without --remove"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_endpoints = {
    .name = "endpoints",
    .words = "[sweep [EDGE...]]",
    .least_words = 0,
    .most_words = MAX_WORDS,
    .summary = "the edges, catalogs and webhooks of the farm, and how they are",
    .help =
        "One that fails again and again, or for a minute without a success, is given nothing\n"
        "for a while (open), then one push to see (half-open); what it missed is brought when\n"
        "it is well. Nobody else waits for it.\n\n"
        "  reelfarm endpoints\n"
        "  reelfarm endpoints --reset edge-2     it is repaired, and need not be waited for\n\n"
        "sweep has a worker list what lies at edges (all that can be listed, or those named) and\n"
        "says what of it no version names: of pushes that were killed, of titles and stores that\n"
        "are no more. Only what is named as reelfarm's is looked at. Nothing goes without "
        "--remove,\n"
        "and what is of titles unknown here, which may be another farm's, only with --unknown.\n\n"
        "  reelfarm endpoints sweep              all edges\n"
        "  reelfarm endpoints sweep edge-2 --remove\n",
    .options = options,
    .run = run,
};
