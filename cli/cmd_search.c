/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm search`: titles of a catalog that have all the words, and are as filters want them. */
#include <ctype.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/mem.h"

enum { PAGE = 200, DEFAULT_COUNT = 20, CURSOR_MAX = 256, TITLE_COLUMNS = 32 };

/* As a value of a query, or a part of one. */
static void escape(const char *text, struct buf *out) {
    for (const char *at = text; *at != '\0'; at++) {
        bool is_plain = isalnum((unsigned char)*at) || strchr("._-", *at) != NULL;
        buf_format(out, is_plain ? "%c" : "%%%02X", (unsigned char)*at);
    }
}

/* One more parameter of a query. */
static void add_parameter(const char *name, const char *value, struct buf *out) {
    buf_format(out, "&%s=", name);
    escape(value, out);
}

/* All words as one value of a query. */
static void add_words(const struct invocation *invocation, struct buf *out) {
    buf_string(out, invocation->word_count > 0 ? "&q=" : "");
    for (int i = 0; i < invocation->word_count; i++) {
        buf_string(out, i > 0 ? "+" : "");
        escape(invocation->words[i], out);
    }
}

/* The options that filter, which the catalog checks but for the time. */
static int add_filters(const struct invocation *invocation, struct buf *out, struct err *err) {
    static const char *const names[][2] = {{"label", "label"},
                                           {"language", "language"},
                                           {"codec", "codec"},
                                           {"tenant", "tenant"},
                                           {"min-height", "min_height"}};
    const char *since = option_value(invocation, "updated-since");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = option_value(invocation, names[i][0]);
        if (value != NULL) {
            add_parameter(names[i][1], value, out);
        }
    }
    if (since != NULL) {
        char time[CLOCK_TEXT];
        int64_t ms = command_since(since);
        if (ms < 0) {
            return err_set(err, ERR_INVALID,
                           "--updated-since must be a time such as 2026-12-01T18:00:00Z, or 7d, "
                           "12h or 30m ago");
        }
        clock_text(ms, time);
        add_parameter("updated_since", time, out);
    }
    return 0;
}

static void strings_text(struct reader *item, const char *name, struct buf *out) {
    struct reader list = reader_array(item, name);
    for (size_t i = 0; i < reader_count(&list); i++) {
        const char *word = "";
        reader_item_string(&list, i, &word);
        buf_string(out, i > 0 ? " " : "  ");
        buf_plain(out, word);
    }
}

/* One title, and where it plays. */
static void title_text(struct reader *item, struct buf *out) {
    const char *title = "";
    const char *hls = "";
    int64_t duration_ms = 0;
    int64_t height = 0;
    reader_string(item, "title", &title);
    reader_int(item, "duration_ms", 0, INT64_MAX / 2, &duration_ms);
    reader_int(item, "height", 0, INT_MAX, &height);
    struct reader manifests = reader_object(item, "manifests");
    reader_string(&manifests, "hls", &hls);
    if (!reader_ok(item)) {
        return;
    }
    int64_t seconds = (duration_ms + 500) / 1000;
    size_t begin = out->size;
    buf_plain(out, title);
    size_t columns = out->size - begin;
    buf_format(out, "%*s  %" PRId64 ":%02" PRId64 ":%02" PRId64 "  %" PRId64 "p",
               columns < TITLE_COLUMNS ? (int)(TITLE_COLUMNS - columns) : 0, "", seconds / 3600,
               seconds / 60 % 60, seconds % 60, height);
    strings_text(item, "codecs", out);
    strings_text(item, "languages", out);
    strings_text(item, "labels", out);
    buf_string(out, "\n  ");
    buf_plain(out, hls);
    buf_string(out, "\n");
}

/* What is asked, and how far it is. */
struct asking {
    struct client *client;
    bool json;
    struct buf query;
    char cursor[CURSOR_MAX]; /* "": of the first page */
    bool more;               /* pages are left */
    int taken;
};

static int take_page(struct asking *asking, int count, struct writer *w, struct buf *out,
                     struct err *err) {
    struct json *answer = NULL;
    struct err wrong = {0};
    struct buf path = {0};
    buf_format(&path, "/search?limit=%d%s", count, buf_text(&asking->query));
    if (asking->cursor[0] != '\0') {
        add_parameter("cursor", asking->cursor, &path);
    }
    int failed = client_call(asking->client, "GET", buf_text(&path), NULL, &answer, err);
    buf_finish(&path);
    if (failed != 0) {
        return failed;
    }
    struct reader r = reader_of(answer, "the catalog's answer", &wrong);
    struct reader list = reader_array(&r, "titles");
    for (size_t i = 0; i < reader_count(&list) && reader_ok(&r); i++) {
        struct reader item = reader_item(&list, i);
        if (asking->json && reader_ok(&item)) {
            writer_node(w, NULL, item.node);
        } else {
            title_text(&item, out);
        }
        asking->taken++;
    }
    asking->more = reader_count(&list) > 0 && reader_has(&r, "next");
    if (asking->more) {
        reader_text(&r, "next", asking->cursor, sizeof(asking->cursor));
    }
    json_tree_destroy(answer);
    return err_pass(err, &wrong);
}

/* Takes pages until there are enough, as text or JSON. */
static int take_pages(struct asking *asking, int most, struct buf *text, struct err *err) {
    struct writer w = writer_of(text);
    int failed = 0;
    if (asking->json) {
        writer_object(&w, NULL);
        writer_array(&w, "titles");
    }
    while (failed == 0 && asking->more && asking->taken < most) {
        int count = most - asking->taken < PAGE ? most - asking->taken : PAGE;
        failed = take_page(asking, count, &w, text, err);
    }
    if (asking->json) {
        writer_array_end(&w);
        writer_object_end(&w);
        buf_string(text, "\n");
    } else if (failed == 0 && asking->more) {
        buf_string(text, "... and more; --limit N shows them\n");
    } else if (failed == 0 && asking->taken == 0) {
        buf_string(text, "no title is like that\n");
    }
    return failed;
}

static int run(const struct invocation *invocation) {
    struct asking asking = {.json = wants_json(invocation), .more = true};
    struct buf text = {0};
    struct err err = {0};
    int most = 0;
    int code = EXIT_USAGE;
    int failed = option_int(invocation, "limit", 1, INT_MAX, DEFAULT_COUNT, &most, &err);
    add_words(invocation, &asking.query);
    if (failed == 0) {
        failed = add_filters(invocation, &asking.query, &err);
    }
    if (failed == 0 && asking.query.size == 0) {
        failed = err_set(&err, ERR_INVALID, "it wants words or a filter");
    }
    if (failed != 0) {
        command_usage(invocation, "%s", err.message);
        goto out;
    }
    failed = client_connect_catalog(&asking.client, invocation, &err);
    if (failed == 0) {
        failed = take_pages(&asking, most, &text, &err);
    }
    code = failed != 0 ? client_fail(asking.client, invocation, &err) : command_print(&text);
out:
    client_destroy(asking.client);
    buf_finish(&asking.query);
    buf_finish(&text);
    return code;
}

static const struct option_row options[] = {
    {"label", "NAME=VALUE,...",
     "only titles with all of these labels, of each --label; of a NAME alone, any VALUE"},
    {"language", "TAG", "only titles with sound of that language, such as en"},
    {"codec", "NAME", "only titles with a rendition of that codec, such as av1"},
    {"tenant", "NAME", "only titles of that tenant"},
    {"min-height", "N", "only titles whose largest rung has so many lines"},
    {"updated-since", "TIME",
     "only titles that the catalog was last told of since: 2026-12-01T18:00:00Z, or 7d, 12h, 30m "
     "ago"},
    {"limit", "N", "at most so many (default 20)"},
    {"catalog", "URL", "the catalog (default: REELFARM_CATALOG, http://127.0.0.1:7440)"},
    {"token-file", "FILE", "where it wants one (default: REELFARM_CATALOG_TOKEN_FILE, none)"},
    {"ca-file", "FILE", "PEM file of who vouches for it (default: REELFARM_CA_FILE, system's)"},
    {NULL, NULL, NULL},
};

const struct command command_search = {
    .name = "search",
    .words = "[WORD...]",
    .least_words = 0,
    .most_words = MAX_WORDS,
    .summary = "titles of a catalog that have all the words, the best first",
    .help =
        "Words are looked for in ids, labels, languages, tenants, codecs, heights and ladders of\n"
        "what a catalog was told of (`reelfarm catalog`); the last may be only begun. Filters are\n"
        "exact, and all of them count; without words the titles that were new last come first.\n\n"
        "  reelfarm search big buck\n"
        "  reelfarm search show=news de 1080p\n"
        "  reelfarm search big --language en --label genre=film --min-height 720\n"
        "  reelfarm search --label show=news --label season=2    as show=news,season=2\n"
        "  reelfarm search --codec av1 --updated-since 7d\n"
        "  reelfarm search bunn --catalog https://catalog.example.org --json\n",
    .options = options,
    .run = run,
};
