/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm list`: the farm's titles, newest submission first. */
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/mem.h"

enum { PAGE = 500, DEFAULT_COUNT = 50 };

#define SMALL "abcdefghijklmnopqrstuvwxyz"
#define WORD  SMALL "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

/* Options that leave titles out: as named in the query, of which letters, and what to write. What
 * else is wrong with them the scheduler says. */
static const struct {
    const char *name;
    const char *allowed;
    const char *form;
} filters[] = {{"state", SMALL, "a state, such as failed"},
               {"tenant", WORD, "a tenant's name"},
               {"label", WORD "=,", "NAME=VALUE, or several with commas between"}};

/* To the second; of a title of which nobody knows it, and of an older scheduler, blanks. */
static void submitted_text(struct reader *item, char out[CLOCK_TEXT]) {
    int64_t submitted_at = 0;
    out[0] = '\0';
    if (reader_has(item, "submitted_at")) {
        reader_int(item, "submitted_at", 0, INT64_MAX / 4, &submitted_at);
    }
    if (submitted_at > 0) {
        clock_text(submitted_at, out);
        memcpy(out + strlen("2026-11-21T07:06:29"), "Z", sizeof("Z"));
    }
}

/* One title, and why it failed. */
static void title_text(struct reader *item, struct buf *out) {
    char submitted[CLOCK_TEXT];
    const char *title = "";
    const char *state = "";
    const char *source = "";
    const char *error = "";
    reader_string(item, "title", &title);
    reader_string(item, "state", &state);
    reader_string(item, "source", &source);
    reader_string(item, "error", &error);
    submitted_text(item, submitted);
    if (reader_ok(item)) {
        buf_format(out, "%-9s  %-32s  %-20s  ", state, title, submitted);
        buf_plain(out, source);
        buf_string(out, error[0] != '\0' ? "\n           " : "");
        buf_plain(out, error);
        buf_string(out, "\n");
    }
}

/* One page of at most `count` titles; `before` goes on to the next, -1 past the last. */
static int take_page(struct client *client, const struct invocation *invocation, int count,
                     int64_t *before, int *taken, struct writer *json, struct buf *out,
                     struct err *err) {
    struct json *answer = NULL;
    struct buf query = {0};
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        const char *word = option_value(invocation, filters[i].name);
        if (word != NULL) {
            buf_format(&query, "&%s=%s", filters[i].name, word);
        }
    }
    char *path =
        mem_format("/v1/titles?limit=%d&before=%" PRId64 "%s", count, *before, buf_text(&query));
    buf_finish(&query);
    int failed = client_call(client, "GET", path, NULL, &answer, err);
    mem_free(path);
    if (failed != 0) {
        return failed;
    }
    struct err wrong = {0};
    struct reader r = reader_of(answer, "the scheduler's answer", &wrong);
    struct reader list = reader_array(&r, "titles");
    for (size_t i = 0; i < reader_count(&list) && reader_ok(&r); i++) {
        struct reader item = reader_item(&list, i);
        if (wants_json(invocation) && reader_ok(&item)) {
            writer_node(json, NULL, item.node);
        } else {
            title_text(&item, out);
        }
        (*taken)++;
    }
    int64_t most = *before - 1; /* each page begins before the last one's end */
    *before = -1;
    if (reader_has(&r, "next")) {
        reader_int(&r, "next", 0, most, before);
    }
    json_tree_destroy(answer);
    return err_pass(err, &wrong);
}

static int run(const struct invocation *invocation) {
    struct client *client = NULL;
    struct buf text = {0};
    struct writer w = writer_of(&text);
    struct err err = {0};
    int most = 0;
    int taken = 0;
    int64_t before = INT64_MAX;
    if (option_int(invocation, "limit", 1, INT_MAX, DEFAULT_COUNT, &most, &err) != 0) {
        return command_usage(invocation, "%s", err.message);
    }
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        const char *word = option_value(invocation, filters[i].name);
        if (word != NULL && word[strspn(word, filters[i].allowed)] != '\0') {
            return command_usage(invocation, "--%s '%.40s' must be %s", filters[i].name, word,
                                 filters[i].form);
        }
    }
    int failed = client_connect(&client, invocation, &err);
    if (wants_json(invocation)) {
        writer_object(&w, NULL);
        writer_array(&w, "titles");
    }
    while (failed == 0 && before >= 0 && taken < most) {
        int count = most - taken < PAGE ? most - taken : PAGE;
        failed = take_page(client, invocation, count, &before, &taken, &w, &text, &err);
    }
    if (wants_json(invocation)) {
        writer_array_end(&w);
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else if (failed == 0 && before >= 0) {
        buf_format(&text, "... and more; --limit N shows them\n");
    } else if (failed == 0 && taken == 0) {
        buf_string(&text, "no titles; `reelfarm submit SOURCE --out OUTPUT` adds one\n");
    }
    int code = failed != 0 ? client_fail(client, invocation, &err) : EXIT_DONE;
    client_destroy(client);
    if (code != EXIT_DONE) {
        buf_finish(&text);
        return code;
    }
    return command_print(&text);
}

static const struct option_row options[] = {
    {"state", "STATE",
     "only titles submitted, running, done, failing, failed, cancelled, removing"},
    {"tenant", "NAME", "only titles of that tenant"},
    {"label", "NAME=VALUE,...", "only titles with all of these labels, of each --label"},
    {"limit", "N", "at most so many (default 50)"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_list = {
    .name = "list",
    .words = "",
    .summary = "the farm's titles, newest submission first",
    .help =
        "State, title, when it was submitted, and source of each, and under one that failed the\n"
        "reason.\n\n"
        "  reelfarm list\n"
        "  reelfarm list --state failed --limit 1000 --json\n"
        "  reelfarm list --tenant news --label show=sport\n"
        "  reelfarm list --label show=sport --label season=2    as show=sport,season=2\n",
    .options = options,
    .run = run,
};
