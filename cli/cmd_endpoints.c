/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm endpoints`: the edges, catalogs and webhooks, and how they are. */
#include <inttypes.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/wire.h"
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
    if (!listed) {
        buf_format(out, ": `reelfarm endpoints forget %s` if it is no more", name);
    }
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

/* What is asked of one endpoint: a call, and what is said of its answer, behind its name. */
struct deed {
    const char *method;
    const char *path; /* behind the endpoint's */
    void (*text)(struct reader *answer, struct buf *out);
};

static void reset_text(struct reader *answer, struct buf *out) {
    (void)answer;
    buf_string(out, "its breaker is closed\n");
}

static void forget_text(struct reader *answer, struct buf *out) {
    int64_t titles = 0;
    reader_int(answer, "titles", 0, INT64_MAX, &titles);
    buf_format(out,
               "forgotten, with what was known of %" PRId64 " title%s there; what lies there "
               "stays\n",
               titles, titles == 1 ? "" : "s");
}

static const struct deed reset = {"POST", "/reset", reset_text};
static const struct deed forget = {"DELETE", "", forget_text};

static int ask(const struct invocation *invocation, const struct deed *deed, const char *name) {
    struct client *client = NULL;
    struct json *answer = NULL;
    struct buf text = {0};
    struct err err = {0};
    if (!endpoint_name_valid(name)) {
        return command_usage(invocation, "'%.200s' is no endpoint's name", name);
    }
    char *path = mem_format("/v1/endpoints/%s%s", name, deed->path);
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = client_call(client, deed->method, path, NULL, &answer, &err);
    }
    if (failed == 0 && wants_json(invocation)) {
        json_tree_write(answer, &text);
        buf_string(&text, "\n");
    } else if (failed == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", &err);
        buf_format(&text, "%s: ", name);
        deed->text(&r, &text);
        failed = err.code;
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
    const char *word = invocation->word_count > 0 ? invocation->words[0] : "";
    bool sweeps = strcmp(word, "sweep") == 0;
    bool forgets = strcmp(word, "forget") == 0;
    if (word[0] != '\0' && ((!sweeps && !forgets) || name != NULL)) {
        return command_usage(invocation, "endpoints are listed, --reset, or `endpoints sweep`, or "
                                         "`endpoints forget NAME`");
    }
    if (forgets && invocation->word_count != 2) {
        return command_usage(invocation, "`endpoints forget` takes one endpoint's name");
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
    return forgets        ? ask(invocation, &forget, invocation->words[1])
           : name != NULL ? ask(invocation, &reset, name)
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
    .words = "[sweep [EDGE...] | forget NAME]",
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
        "  reelfarm endpoints sweep edge-2 --remove\n\n"
        "What the scheduler's file lists no more is left as it is, and what it held is "
        "remembered,\n"
        "so that it is right again when it is back. forget ends that: for one that is no more.\n\n"
        "  reelfarm endpoints forget edge-2\n",
    .options = options,
    .run = run,
};
