/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm status`: how one title stands, or the farm. */
#include <inttypes.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/mem.h"
#include "farm_title.h"
#include "farm_view.h"
#include "publication_text.h"
#include "status.h"

static const char *state_text(const struct title_status *status) {
    static const char *const texts[] = {
        [TITLE_SUBMITTED] = "its source is looked at",
        [TITLE_RUNNING] = "running",
        [TITLE_DONE] = "done",
        [TITLE_FAILING] = "failing: what was made is removed",
        [TITLE_FAILED] = "failed",
        [TITLE_CANCELLED] = "cancelled",
        [TITLE_REMOVING] = "being removed, with what it published",
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
    if (rendition->has_loudness) {
        const struct loudness *loudness = &rendition->loudness;
        buf_format(out, ", %.1f LUFS, range %.1f LU, true peak %.1f dBTP",
                   loudness->integrated_lufs, loudness->range_lu, loudness->true_peak_dbtp);
    }
    buf_string(out, rendition->reused ? ", reused\n" : "\n");
}

static void status_text(const struct title_status *status, struct buf *out) {
    buf_format(out, "%s: %s\n", status->title, state_text(status));
    if (status->submitted_at > 0) {
        char text[CLOCK_TEXT];
        clock_text(status->submitted_at, text);
        buf_format(out, "  submitted %s\n", text);
    }
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
    if (status->early.seconds > 0) {
        buf_format(out, "  can be watched%s: ", status->early.whole ? "" : " as far as it is made");
        buf_plain(out, status->early.playlist);
        buf_string(out, "\n");
    }
    missing_text(status, "  ", out);
    if (status->missing_count > 0 && status->state == TITLE_DONE) {
        buf_format(out, "  `reelfarm retry %s` makes what is missing\n", status->title);
    }
    if (status->version[0] != '\0') {
        buf_format(out, "  version %s at its output\n", status->version);
    }
}

static void answer_text(struct reader *answer, struct buf *out) {
    struct title_status status = {0};
    title_status_read(&status, answer);
    if (reader_ok(answer)) {
        status_text(&status, out);
        publications_text(answer, out);
    }
}

static int run_farm(const struct invocation *invocation) {
    struct client *client = NULL;
    struct farm_view view = {0};
    struct buf text = {0};
    struct err err = {0};
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = farm_view_look(&view, client, &err);
    }
    int code = failed != 0 ? client_fail(client, invocation, &err) : EXIT_DONE;
    if (failed == 0 && wants_json(invocation)) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        farm_view_write(&view, clock_monotonic_ms(), &w);
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else if (failed == 0) {
        farm_view_draw(&view, clock_monotonic_ms(), 0, &text);
    }
    farm_view_finish(&view);
    client_destroy(client);
    return failed == 0 ? command_print(&text) : code;
}

/* The farm has forgotten it, and endpoints have not. */
static void removed_text(struct reader *answer, struct buf *out) {
    const char *title = "";
    reader_string(answer, "title", &title);
    buf_plain(out, title);
    buf_string(out, ": removed, but not yet from these endpoints, which are kept at:\n");
    publications_text(answer, out);
}

static int run(const struct invocation *invocation) {
    if (invocation->word_count == 0) {
        return run_farm(invocation);
    }
    const char *title = invocation->words[0];
    int code = farm_title_check(invocation, title);
    if (code == EXIT_DONE) {
        char *path = mem_format("/v1/titles/%s", title);
        char *left = mem_format("%s/publications", path);
        code = client_show_either(invocation, path, answer_text, left, removed_text);
        mem_free(left);
        mem_free(path);
    }
    return code;
}

static const struct option_row options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_status = {
    .name = "status",
    .words = "[TITLE]",
    .most_words = 1,
    .summary = "how a title of the farm stands, or the farm as a whole",
    .help = "  reelfarm status                   titles under way, and how many slots are busy\n"
            "  reelfarm status movie\n"
            "  reelfarm status movie --json      with its running tasks and what it cost\n",
    .options = options,
    .run = run,
};
