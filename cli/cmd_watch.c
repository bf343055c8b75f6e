/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm watch`: a title of the farm until it has ended, or all that are under way. */
#include <inttypes.h>
#include <stdio.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "encode_display.h"
#include "farm_title.h"
#include "farm_view.h"
#include "interrupt.h"

enum { LOOK_MS = 1000, AWAY_MS = 60000 };

struct farm_watch {
    const struct invocation *invocation;
    struct client *client;
    struct farm_view view;
    struct display display;
    int64_t heard_ms; /* monotonic */
    bool failed;      /* some title did */
};

/* What became of a title that is under way no more. */
static void tell_end(struct farm_watch *watch, const struct title_status *status, struct buf *out) {
    if (!title_status_ended(status)) {
        return; /* removed, or submitted anew */
    }
    watch->failed = watch->failed || status->state == TITLE_FAILED;
    if (watch->display.kind == DISPLAY_JSON) {
        struct writer w = writer_of(out);
        writer_object(&w, NULL);
        writer_string(&w, "event", title_state_name(status->state));
        writer_string(&w, "title", status->title);
        writer_string(&w, "version", status->version);
        writer_string(&w, "error", status->error);
        writer_object_end(&w);
        buf_string(out, "\n");
        return;
    }
    buf_format(out, "%s: %s", status->title, title_state_name(status->state));
    if (status->state == TITLE_DONE) {
        buf_format(out, ", %" PRId64 " frames (%.1f s), version %s", status->frames,
                   status->seconds, status->version);
    } else if (status->error[0] != '\0') {
        buf_string(out, ": ");
        buf_plain(out, status->error);
    }
    buf_string(out, "\n");
}

static int tell_ends(struct farm_watch *watch) {
    struct buf text = {0};
    for (size_t i = 0; i < watch->view.count; i++) {
        if (!watch->view.rows[i].listed) {
            tell_end(watch, &watch->view.rows[i].status, &text);
        }
    }
    farm_view_prune(&watch->view);
    if (text.size == 0) {
        buf_finish(&text);
        return EXIT_DONE;
    }
    display_erase(&watch->display);
    return command_print(&text);
}

static void show(struct farm_watch *watch) {
    int64_t now = clock_monotonic_ms();
    struct buf text = {0};
    if (!display_is_due(&watch->display, now)) {
        return;
    }
    if (watch->display.kind == DISPLAY_JSON) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_string(&w, "event", "farm");
        farm_view_write(&watch->view, now, &w);
        writer_object_end(&w);
        buf_string(&text, "\n");
        display_print(&watch->display, &text, 0);
    } else {
        int columns = watch->display.kind == DISPLAY_LIVE ? display_columns() : 0;
        int lines = farm_view_draw(&watch->view, now, columns, &text);
        display_print(&watch->display, &text, lines);
    }
}

/* A scheduler that does not answer is asked again for a minute. */
static int look(struct farm_watch *watch, struct err *err) {
    struct err why = {0};
    int64_t now = clock_monotonic_ms();
    int failed = farm_view_look(&watch->view, watch->client, &why);
    if (failed == 0) {
        watch->heard_ms = now;
        return 0;
    }
    bool away = failed == ERR_UNAVAILABLE || failed == ERR_TIMEOUT;
    if (!away || watch->heard_ms == 0 || now - watch->heard_ms > AWAY_MS) {
        return err_set(err, why.code, "%s", why.message);
    }
    return failed;
}

static bool is_over(const struct farm_view *view) {
    return view->count == 0 && view->waiting == 0 && !view->more;
}

static int watch_farm(struct farm_watch *watch) {
    const atomic_bool *interrupted = interrupt_catch();
    struct err err = {0};
    int code = EXIT_DONE;
    bool was_any = false;
    while (code == EXIT_DONE && err.code == ERR_NONE) {
        if (atomic_load(interrupted)) {
            err_set(&err, ERR_CANCELLED, "stopped as asked");
        } else if (look(watch, &err) == 0) {
            code = tell_ends(watch);
            if (is_over(&watch->view)) {
                break;
            }
            was_any = true;
            show(watch);
        }
        clock_sleep_ms(LOOK_MS, interrupted);
    }
    display_erase(&watch->display);
    if (err.code == ERR_CANCELLED) { /* by Ctrl-C: also one in the middle of a call */
        err_clear(&err);
        err_set(&err, ERR_CANCELLED, "the watching has ended, and the farm goes on");
    }
    if (err.code != ERR_NONE) {
        return client_fail(watch->client, watch->invocation, &err);
    }
    if (!was_any && code == EXIT_DONE && watch->display.kind != DISPLAY_JSON) {
        fputs("no title is under way; `reelfarm list` shows all\n", stderr);
    }
    return code == EXIT_DONE && watch->failed ? EXIT_FAILED : code;
}

static int run_farm(const struct invocation *invocation, struct client *client) {
    struct farm_watch watch = {.invocation = invocation, .client = client};
    display_init(&watch.display, wants_json(invocation));
    int code = watch_farm(&watch);
    farm_view_finish(&watch.view);
    return code;
}

static int run(const struct invocation *invocation) {
    struct client *client = NULL;
    struct err err = {0};
    const char *title = invocation->word_count > 0 ? invocation->words[0] : NULL;
    int code = title != NULL ? farm_title_check(invocation, title) : EXIT_DONE;
    if (code != EXIT_DONE) {
        return code;
    }
    if (client_connect(&client, invocation, &err) != 0) {
        return client_fail(client, invocation, &err);
    }
    code = title != NULL ? farm_title_watch(client, invocation, title)
                         : run_farm(invocation, client);
    client_destroy(client);
    return code;
}

static const struct option_row options[] = {CONNECTION_OPTIONS, {NULL, NULL, NULL}};

const struct command command_watch = {
    .name = "watch",
    .words = "[TITLE]",
    .most_words = 1,
    .summary = "show how a title of the farm goes, or all of them, to the end",
    .help = "Ends with 0 where the title is done, 1 where it failed or was cancelled; where there\n"
            "are edges and catalogs, when they have it, as far as they can. Without a\n"
            "title: shows all that are under way, until none is; 1 where one of them failed.\n"
            "Ctrl-C ends the watching; the titles go on.\n\n"
            "  reelfarm watch movie\n"
            "  reelfarm watch\n",
    .options = options,
    .run = run,
};
