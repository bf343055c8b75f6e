/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm versions`: which versions of a title there are, and for how long. */
#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/mem.h"
#include "farm_title.h"

/* A time, or `otherwise` where there is none. */
static void time_text(struct reader *item, const char *name, const char *before,
                      const char *otherwise, struct buf *out) {
    if (reader_has(item, name)) {
        char text[CLOCK_TEXT];
        int64_t at = 0;
        reader_int(item, name, 0, INT64_MAX / 2, &at);
        clock_text(at, text);
        buf_format(out, ", %s%s", before, text);
    } else {
        buf_string(out, otherwise);
    }
}

/* What edges have of versions that were replaced. */
static void edges_text(struct reader *answer, struct buf *out) {
    struct reader list = reader_array(answer, "edges");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *endpoint = "", *version = "";
        bool leaving = false;
        reader_string(&item, "endpoint", &endpoint);
        reader_string(&item, "version", &version);
        reader_bool(&item, "leaving", &leaving);
        buf_plain(out, version);
        buf_format(out, "  %s ", leaving ? "being taken from" : "still at");
        buf_plain(out, endpoint);
        if (!leaving) {
            time_text(&item, "kept_until", "stays there until ", ", until that has another", out);
            buf_string(out, reader_has(&item, "kept_until") ? " or longer" : "");
        }
        buf_string(out, "\n");
    }
}

static void versions_text(struct reader *answer, struct buf *out) {
    struct reader list = reader_array(answer, "versions");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *version = "", *output = "";
        bool current = false, dropping = false;
        reader_string(&item, "version", &version);
        reader_string(&item, "output", &output);
        reader_bool(&item, "current", &current);
        reader_bool(&item, "dropping", &dropping);
        buf_plain(out, version);
        buf_string(out, current ? "  current" : dropping ? "  being dropped" : "  kept");
        time_text(&item, "since", "made ", "", out);
        if (!current && !dropping) {
            time_text(&item, "until", "current until ", "", out);
            time_text(&item, "kept_until", "stays until ", ", stays", out);
            buf_string(out, reader_has(&item, "kept_until") ? " or longer" : "");
        }
        buf_string(out, "  ");
        buf_plain(out, output);
        buf_string(out, "\n");
    }
    if (reader_count(&list) == 0) {
        buf_string(out, "it has published none\n");
    }
    if (reader_has(answer, "edges")) {
        edges_text(answer, out);
    }
}

static int run(const struct invocation *invocation) {
    const char *title = invocation->words[0];
    int code = farm_title_check(invocation, title);
    if (code == EXIT_DONE) {
        char *path = mem_format("/v1/titles/%s/versions", title);
        code = client_show(invocation, path, versions_text);
        mem_free(path);
    }
    return code;
}

static const struct option_row options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_versions = {
    .name = "versions",
    .words = "TITLE",
    .least_words = 1,
    .most_words = 1,
    .summary = "the versions of a title that are kept, and for how long",
    .help =
        "A title that is submitted again with another source or ladder gets a new version; the\n"
        "one before is kept for who plays it, a day where the scheduler's option\n"
        "keep_versions_ms says nothing else, and keep_versions keeps so many longer. It is not\n"
        "dropped sooner, with the renditions that no other version names, but may stay longer:\n"
        "each edge keeps it as long from when that edge itself has another, and lines at the\n"
        "end say which edges still do, be it that the output has dropped it.\n\n"
        "  reelfarm versions movie\n"
        "  reelfarm versions movie --json\n"
        "  reelfarm rollback movie --version 5d0c7d9a41f2e8b3     makes an older one current "
        "again\n",
    .options = options,
    .run = run,
};
