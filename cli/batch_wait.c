/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many titles to their ends: see batch_wait.h. */
#include "batch_wait.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "display.h"
#include "interrupt.h"
#include "publication_wait.h"
#include "status.h"

enum { LOOK_MS = 200, LOOK_MOST_MS = 1000 };

static const char answer_name[] = "the scheduler's answer";

struct waiting {
    struct client *client;
    const struct invocation *invocation;
    const atomic_bool *interrupted;
    struct display display;
    size_t count; /* of titles, and of those that have come to their end */
    size_t ended;
    size_t failed;
    size_t published;
    size_t unpublished; /* that are done, and that a catalog does not know */
    size_t behind;      /* that an edge does not hold yet */
};

/* One title as the last look found it. */
struct look {
    struct title_status status;
    struct publication_standing standing;
    struct json *answer; /* owned; the standing's */
};

static int look_at(struct waiting *waiting, const char *title, struct look *look, struct err *err) {
    char *path = mem_format("/v1/titles/%s", title);
    json_tree_destroy(look->answer);
    look->answer = NULL;
    int failed = client_call_again(waiting->client, "GET", path, NULL, &look->answer, err);
    if (failed == 0) {
        struct reader r = reader_of(look->answer, answer_name, err);
        look->status = (struct title_status){0};
        title_status_read(&look->status, &r);
        failed = publication_standing_read(&look->standing, look->answer, err);
    }
    mem_free(path);
    return failed;
}

static bool is_over(const struct look *look) {
    bool done = look->status.state == TITLE_DONE;
    bool published = look->standing.pending == 0 && !look->standing.rolls_back;
    return done ? published : title_status_ended(&look->status);
}

/* ---- What is shown -------------------------------------------------------------------------- */

static void counts_write(const struct waiting *waiting, const char *event, struct writer *w) {
    writer_object(w, NULL);
    writer_string(w, "event", event);
    writer_int(w, "titles", (int64_t)waiting->count);
    writer_int(w, "ended", (int64_t)waiting->ended);
    writer_int(w, "failed", (int64_t)waiting->failed);
    writer_int(w, "published", (int64_t)waiting->published);
    writer_int(w, "unpublished", (int64_t)waiting->unpublished);
    writer_int(w, "behind", (int64_t)waiting->behind);
    writer_object_end(w);
}

static void show(struct waiting *waiting, const struct look *look) {
    const struct title_status *status = &look->status;
    struct buf text = {0};
    if (!display_is_due(&waiting->display, clock_monotonic_ms())) {
        return;
    }
    if (waiting->display.kind == DISPLAY_JSON) {
        struct writer w = writer_of(&text);
        counts_write(waiting, "waiting", &w);
    } else {
        buf_format(&text, "%zu of %zu titles have ended, %zu failed; %s ", waiting->ended,
                   waiting->count, waiting->failed, status->title);
        if (status->state == TITLE_DONE) {
            buf_format(&text, "is at %zu of %zu endpoints",
                       look->standing.count - look->standing.behind, look->standing.count);
        } else if (status->encoded_total > 0) {
            buf_format(&text, "is encoded to %d %%",
                       (int)(100 * status->encoded_frames / status->encoded_total));
        } else {
            buf_string(&text, "waits");
        }
    }
    buf_string(&text, "\n");
    display_print(&waiting->display, &text, 1);
}

static void title_text(const struct look *look, struct buf *out) {
    const struct title_status *status = &look->status;
    if (status->state != TITLE_DONE) {
        buf_format(out, "%s: %s%s", status->title, title_state_name(status->state),
                   status->error[0] != '\0' ? ": " : "");
        buf_plain(out, status->error);
        buf_string(out, "\n");
        return;
    }
    buf_format(out, "%s: done, version %s", status->title, status->version);
    if (look->standing.behind > 0) {
        buf_format(out, "; %zu of %zu endpoints are behind%s", look->standing.behind,
                   look->standing.count,
                   look->standing.catalogs_behind > 0 ? ", so it is not published" : "");
    } else if (look->standing.published && look->standing.count > 0) {
        buf_string(out, ", published");
    }
    buf_string(out, "\n");
}

static void title_json(const struct look *look, struct buf *out) {
    const struct title_status *status = &look->status;
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    writer_string(&w, "event", "ended");
    writer_string(&w, "title", status->title);
    writer_string(&w, "state", title_state_name(status->state));
    writer_string(&w, "error", status->state == TITLE_DONE ? "" : status->error);
    writer_string(&w, "version", status->version);
    writer_bool(&w, "published", look->standing.published);
    writer_int(&w, "behind", (int64_t)look->standing.behind);
    writer_object_end(&w);
    buf_string(out, "\n");
}

/* Counts a title that has come to its end, and tells of it. */
static int tell(struct waiting *waiting, const struct look *look) {
    struct buf text = {0};
    bool done = look->status.state == TITLE_DONE;
    waiting->ended++;
    waiting->failed += done ? 0 : 1;
    waiting->published += done && look->standing.published ? 1 : 0;
    waiting->unpublished += done && look->standing.catalogs_behind > 0 ? 1 : 0;
    waiting->behind += done && look->standing.behind > look->standing.catalogs_behind ? 1 : 0;
    display_erase(&waiting->display);
    if (wants_json(waiting->invocation)) {
        title_json(look, &text);
    } else {
        title_text(look, &text);
    }
    return command_print(&text);
}

static int tell_sums(const struct waiting *waiting) {
    struct buf text = {0};
    if (wants_json(waiting->invocation)) {
        struct writer w = writer_of(&text);
        counts_write(waiting, "ended-all", &w);
        buf_string(&text, "\n");
        return command_print(&text);
    }
    buf_format(&text, "%zu titles: %zu done, %zu failed; %zu published", waiting->count,
               waiting->ended - waiting->failed, waiting->failed, waiting->published);
    if (waiting->unpublished > 0) {
        buf_format(&text, ", %zu not yet in each catalog", waiting->unpublished);
    }
    if (waiting->behind > 0) {
        buf_format(&text, ", %zu not yet at each edge", waiting->behind);
    }
    buf_string(&text, "\n");
    return command_print(&text);
}

/* ---- Waiting -------------------------------------------------------------------------------- */

/* One title to its end. One that is not there any more has failed, too. */
static int wait_for(struct waiting *waiting, const char *title, struct look *look,
                    struct err *err) {
    int failed = look_at(waiting, title, look, err);
    for (int pause_ms = LOOK_MS; failed == 0 && !is_over(look);
         pause_ms += pause_ms < LOOK_MOST_MS ? LOOK_MS : 0) {
        show(waiting, look);
        failed = clock_sleep_ms(pause_ms, waiting->interrupted)
                     ? look_at(waiting, title, look, err)
                     : err_set(err, ERR_CANCELLED, "stopped as asked");
    }
    if (failed == ERR_NOT_FOUND) {
        err_clear(err);
        look->status = (struct title_status){.state = TITLE_REMOVING};
        look->standing = (struct publication_standing){.version = ""};
        snprintf(look->status.title, sizeof(look->status.title), "%s", title);
        snprintf(look->status.error, sizeof(look->status.error), "it was removed");
        failed = 0;
    }
    return failed;
}

int batch_wait(struct client *client, const struct invocation *invocation,
               const char *const *titles, size_t count) {
    struct waiting waiting = {.client = client,
                              .invocation = invocation,
                              .interrupted = interrupt_catch(),
                              .count = count};
    struct look look = {.answer = NULL};
    struct err err = {0};
    int failed = 0;
    int code = EXIT_DONE;
    display_init(&waiting.display, wants_json(invocation));
    for (size_t i = 0; i < count && failed == 0 && code == EXIT_DONE; i++) {
        failed = wait_for(&waiting, titles[i], &look, &err);
        code = failed == 0 ? tell(&waiting, &look) : code;
    }
    display_erase(&waiting.display);
    if (failed == ERR_CANCELLED) { /* by Ctrl-C: also one in the middle of a call */
        err_clear(&err);
        err_set(&err, ERR_CANCELLED, "the waiting has ended, and the titles go on");
    }
    if (failed != 0) {
        code = client_fail(client, invocation, &err);
    } else if (code == EXIT_DONE) {
        code = tell_sums(&waiting);
        code = waiting.failed + waiting.unpublished > 0 ? EXIT_FAILED : code;
    }
    json_tree_destroy(look.answer);
    return code;
}
