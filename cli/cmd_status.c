/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm status`: how one title stands. */
#include <inttypes.h>

#include "client.h"
#include "command.h"
#include "common/mem.h"
#include "status.h"

static const char *state_text(const struct title_status *status) {
    static const char *const texts[] = {
        [TITLE_SUBMITTED] = "its source is looked at",
        [TITLE_RUNNING] = "running",
        [TITLE_DONE] = "done",
        [TITLE_FAILING] = "failing: what was made is removed",
        [TITLE_FAILED] = "failed",
        [TITLE_CANCELLED] = "cancelled",
    };
    return texts[status->state];
}

static void rendition_text(const struct rendition_status *rendition, struct buf *out) {
    buf_format(out, "  %-20s %" PRId64 "/%" PRId64 " tasks", rendition->id, rendition->units_done,
               rendition->units);
    if (rendition->video) {
        buf_format(out, ", %" PRId64 "/%" PRId64 " frames", rendition->frames_done,
                   rendition->frames);
    }
    buf_string(out, rendition->reused ? ", some reused\n" : "\n");
}

static void status_text(const struct title_status *status, struct buf *out) {
    buf_format(out, "%s: %s\n", status->title, state_text(status));
    if (status->error[0] != '\0') {
        buf_format(out, "  why: %s\n", status->error);
    }
    if (status->encoded_total > 0) {
        buf_format(out, "  %.0f %% encoded, %" PRId64 " workers on it\n",
                   100.0 * (double)status->encoded_frames / (double)status->encoded_total,
                   status->workers_busy);
    }
    for (size_t i = 0; i < status->rendition_count; i++) {
        rendition_text(&status->renditions[i], out);
    }
    if (status->version[0] != '\0') {
        buf_format(out, "  published as version %s\n", status->version);
    }
}

static int run(const struct invocation *invocation) {
    struct client *client = NULL;
    struct json *answer = NULL;
    struct buf text = {0};
    struct err err = {0};
    char *path = mem_format("/v1/titles/%s", invocation->words[0]);
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = client_call(client, "GET", path, NULL, &answer, &err);
    }
    if (failed == 0 && wants_json(invocation)) {
        struct writer w = writer_of(&text);
        writer_node(&w, NULL, answer);
        buf_string(&text, "\n");
    } else if (failed == 0) {
        struct title_status status = {0};
        struct reader r = reader_of(answer, "the scheduler's answer", &err);
        title_status_read(&status, &r);
        status_text(&status, &text);
        failed = err.code;
    }
    int code = EXIT_DONE;
    if (failed != 0) {
        buf_finish(&text);
        code = client_fail(client, invocation, &err);
    } else {
        code = command_print(&text);
    }
    mem_free(path);
    json_tree_destroy(answer);
    client_destroy(client);
    return code;
}

static const struct option_row options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_status = {
    .name = "status",
    .words = "TITLE",
    .least_words = 1,
    .most_words = 1,
    .summary = "how a title of the farm stands",
    .help = "  reelfarm status movie\n"
            "  reelfarm status movie --json      with its running tasks and what it cost\n",
    .options = options,
    .run = run,
};
