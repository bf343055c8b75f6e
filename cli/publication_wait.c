/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waits for edges and catalogs: see publication_wait.h. */
#include "publication_wait.h"

#include <inttypes.h>
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "display.h"
#include "interrupt.h"
#include "publication_text.h"

enum { LOOK_MS = 200, LOOK_MOST_MS = 1000 };

static const char answer_name[] = "the scheduler's answer";

static bool is_settled(const char *state) {
    return strcmp(state, "held") == 0 || strcmp(state, "gone") == 0 ||
           strcmp(state, "fetches") == 0;
}

int publication_standing_read(struct publication_standing *out, const struct json *answer,
                              struct err *err) {
    struct reader r = reader_of(answer, answer_name, err);
    *out = (struct publication_standing){.version = ""};
    reader_string(&r, "version", &out->version);
    if (!reader_has(&r, "publications")) { /* of an older scheduler */
        return err->code;
    }
    reader_bool(&r, "published", &out->published);
    reader_bool(&r, "rolling_back", &out->rolls_back);
    struct reader list = reader_array(&r, "publications");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *state = "";
        bool pending = false, catalog = false, listed = true;
        reader_string(&item, "state", &state);
        reader_bool(&item, "pending", &pending);
        reader_bool(&item, "catalog", &catalog);
        if (reader_has(&item, "listed")) {
            reader_bool(&item, "listed", &listed);
        }
        if (!listed) { /* nothing is done there */
            continue;
        }
        out->count++;
        out->pending += pending ? 1 : 0;
        out->behind += is_settled(state) ? 0 : 1;
        out->catalogs_behind += catalog && !is_settled(state) ? 1 : 0;
        out->fetching += strcmp(state, "fetches") == 0 ? 1 : 0;
    }
    return err->code;
}

/* ---- On the way ----------------------------------------------------------------------------- */

static void progress_json(const char *title, const struct publication_standing *standing,
                          struct buf *out) {
    struct writer w = writer_of(out);
    writer_object(&w, NULL);
    writer_string(&w, "event", "publishing");
    writer_string(&w, "title", title);
    writer_int(&w, "endpoints", (int64_t)standing->count);
    writer_int(&w, "behind", (int64_t)standing->behind);
    writer_object_end(&w);
    buf_string(out, "\n");
}

static void show(struct display *display, const char *title, const struct json *answer,
                 const struct publication_standing *standing) {
    struct buf text = {0};
    struct err err = {0};
    if (!display_is_due(display, clock_monotonic_ms())) {
        return;
    }
    if (display->kind == DISPLAY_JSON) {
        progress_json(title, standing, &text);
    } else {
        buf_format(&text, "%s: %zu of %zu endpoints are as they are to be\n", title,
                   standing->count - standing->behind, standing->count);
    }
    if (display->kind == DISPLAY_LIVE) {
        struct reader r = reader_of(answer, answer_name, &err);
        publications_text(&r, &text);
    }
    int lines = 0;
    for (size_t i = 0; display->kind != DISPLAY_JSON && i < text.size; i++) {
        lines += text.data[i] == '\n' ? 1 : 0;
    }
    display_print(display, &text, lines);
}

/* ---- The end -------------------------------------------------------------------------------- */

static int tell(const struct invocation *invocation, const char *title, const struct json *answer,
                const struct publication_standing *standing) {
    struct buf text = {0};
    struct err err = {0};
    struct reader r = reader_of(answer, answer_name, &err);
    struct reader list = reader_array(&r, "publications");
    if (wants_json(invocation)) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_string(&w, "event", "published");
        writer_string(&w, "title", title);
        writer_string(&w, "version", standing->version);
        writer_bool(&w, "published", standing->published);
        writer_int(&w, "behind", (int64_t)standing->behind);
        writer_node(&w, "publications", list.node);
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else {
        buf_format(&text, "%s: %s\n", title,
                   standing->behind > 0 ? "these endpoints are behind, and are caught up when "
                                          "they can be:"
                   : standing->fetching > 0
                       ? "all is done, but some give on from the output what was taken from them:"
                       : "all endpoints are as they are to be");
        publications_text(&r, &text);
    }
    return command_print(&text);
}

/* Looks until nothing is pending; the last answer is the caller's. */
static int look(struct client *client, const struct invocation *invocation, const char *title,
                struct json **answer, struct publication_standing *standing, struct err *err) {
    const atomic_bool *interrupted = interrupt_catch();
    struct display display;
    char *path = mem_format("/v1/titles/%s", title);
    int failed = 0;
    display_init(&display, wants_json(invocation));
    for (int pause_ms = LOOK_MS;; pause_ms += pause_ms < LOOK_MOST_MS ? LOOK_MS : 0) {
        json_tree_destroy(*answer);
        *answer = NULL;
        failed = client_call_again(client, "GET", path, NULL, answer, err);
        if (failed == 0) {
            failed = publication_standing_read(standing, *answer, err);
        }
        if (failed != 0 || (standing->pending == 0 && !standing->rolls_back)) {
            break;
        }
        show(&display, title, *answer, standing);
        if (!clock_sleep_ms(pause_ms, interrupted)) {
            failed = err_set(err, ERR_CANCELLED, "stopped as asked");
            break;
        }
    }
    display_erase(&display);
    mem_free(path);
    return failed;
}

int publication_wait(struct client *client, const struct invocation *invocation, const char *title,
                     const char *version) {
    struct json *answer = NULL;
    struct publication_standing standing;
    struct err err = {0};
    int code = EXIT_DONE;
    int failed = look(client, invocation, title, &answer, &standing, &err);
    if (failed == ERR_CANCELLED) { /* by Ctrl-C: also one in the middle of a call */
        err_clear(&err);
        err_set(&err, ERR_CANCELLED, "the waiting has ended, and publishing %s goes on", title);
    }
    if (failed != 0) {
        code = client_fail(client, invocation, &err);
    } else if (version != NULL && strcmp(version, standing.version) != 0) {
        err_set(&err, ERR_CONFLICT,
                "%s did not go back to version %s; `reelfarm why %s` says what happened", title,
                version, title);
        code = command_fail(invocation, EXIT_FAILED, &err);
    } else if (standing.count > 0) {
        code = tell(invocation, title, answer, &standing);
    }
    json_tree_destroy(answer);
    return code;
}
