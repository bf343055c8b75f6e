/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm status`: how one title stands. */
#include <inttypes.h>

#include "client.h"
#include "command.h"
#include "common/mem.h"
#include "farm_title.h"
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
    buf_string(out, rendition->reused ? ", reused\n" : "\n");
}

static void status_text(const struct title_status *status, struct buf *out) {
    buf_format(out, "%s: %s\n", status->title, state_text(status));
    if (status->error[0] != '\0') {
        buf_string(out, "  why: ");
        buf_plain(out, status->error);
        buf_string(out, "\n");
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

/* What the scheduler answered, read as what it must be. */
static int write_answer(const struct invocation *invocation, const struct json *answer,
                        struct buf *text, struct err *err) {
    struct title_status status = {0};
    struct reader r = reader_of(answer, "the scheduler's answer", err);
    title_status_read(&status, &r);
    if (err->code == ERR_NONE && wants_json(invocation)) {
        struct writer w = writer_of(text);
        writer_node(&w, NULL, answer);
        buf_string(text, "\n");
    } else if (err->code == ERR_NONE) {
        status_text(&status, text);
    }
    return err->code;
}

static int run(const struct invocation *invocation) {
    const char *title = invocation->words[0];
    struct client *client = NULL;
    struct json *answer = NULL;
    struct buf text = {0};
    struct err err = {0};
    int code = farm_title_check(invocation, title);
    if (code != EXIT_DONE) {
        return code;
    }
    char *path = mem_format("/v1/titles/%s", title);
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = client_call(client, "GET", path, NULL, &answer, &err);
    }
    if (failed == 0) {
        failed = write_answer(invocation, answer, &text, &err);
    }
    code = failed != 0 ? client_fail(client, invocation, &err) : command_print(&text);
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
