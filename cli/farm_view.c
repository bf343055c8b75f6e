/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is under way in a farm: see farm_view.h. */
#include "farm_view.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "title_watch.h"

enum {
    ROWS_MAX = 30, /* titles whose progress is asked for: the farm runs few at a time */
    LISTED_MAX = 500,
};

static const char answer_name[] = "the scheduler's answer";

/* ---- Looking ----------------------------------------------------------------------- */

static struct farm_row *row_of(struct farm_view *view, const char *title) {
    for (size_t i = 0; i < view->count; i++) {
        if (strcmp(view->rows[i].status.title, title) == 0) {
            return &view->rows[i];
        }
    }
    return NULL;
}

/* A title that is listed gets a row while there is room, else it is counted. */
static void take_title(struct farm_view *view, const char *title, bool gets_row) {
    struct farm_row *row = row_of(view, title);
    if (row == NULL && gets_row && view->count < ROWS_MAX) {
        view->rows = mem_resize(view->rows, view->count + 1, sizeof(*view->rows));
        row = &view->rows[view->count++];
        *row = (struct farm_row){0};
        snprintf(row->status.title, sizeof(row->status.title), "%s", title);
    }
    if (row != NULL) {
        row->listed = true;
    } else {
        view->waiting++;
    }
}

static int list_state(struct farm_view *view, struct client *client, const char *state,
                      bool gets_row, struct err *err) {
    struct json *answer = NULL;
    struct err wrong = {0};
    char *path = mem_format("/v1/titles?state=%s&limit=%d", state, LISTED_MAX);
    int failed = client_call(client, "GET", path, NULL, &answer, err);
    mem_free(path);
    if (failed != 0) {
        return failed;
    }
    struct reader r = reader_of(answer, answer_name, &wrong);
    struct reader list = reader_array(&r, "titles");
    for (size_t i = reader_count(&list); i-- > 0 && reader_ok(&r);) { /* newest first */
        struct reader item = reader_item(&list, i);
        const char *title = "";
        reader_string(&item, "title", &title);
        if (title_id_valid(title)) {
            take_title(view, title, gets_row);
        }
    }
    view->more = view->more || reader_has(&r, "next");
    json_tree_destroy(answer);
    return err_pass(err, &wrong);
}

static int count_workers(struct farm_view *view, struct client *client, struct err *err) {
    struct json *answer = NULL;
    struct err wrong = {0};
    const int64_t most = INT64_MAX / LISTED_MAX / 1000;
    int failed = client_call(client, "GET", "/v1/workers", NULL, &answer, err);
    if (failed != 0) {
        return failed;
    }
    struct reader r = reader_of(answer, answer_name, &wrong);
    struct reader list = reader_array(&r, "workers");
    view->workers = (int64_t)reader_count(&list);
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        int64_t slots = 0;
        int64_t busy = 0;
        reader_int(&item, "slots", 0, most, &slots);
        reader_int(&item, "busy", 0, most, &busy);
        view->slots += slots;
        view->busy += busy;
    }
    json_tree_destroy(answer);
    return err_pass(err, &wrong);
}

static int look_at_rows(struct farm_view *view, struct client *client, struct err *err) {
    int failed = 0;
    for (size_t i = 0; i < view->count && failed == 0; i++) {
        struct farm_row *row = &view->rows[i];
        char title[WIRE_TITLE_TEXT];
        memcpy(title, row->status.title, sizeof(title));
        failed = title_status_get(client, title, &row->status, err);
        if (failed == ERR_NOT_FOUND) { /* removed meanwhile */
            err_clear(err);
            failed = 0;
        }
    }
    return failed;
}

int farm_view_look(struct farm_view *view, struct client *client, struct err *err) {
    static const struct {
        const char *name;
        bool gets_row;
    } states[] = {{"running", true}, {"failing", true}, {"submitted", false}};
    int failed = 0;
    for (size_t i = 0; i < view->count; i++) {
        view->rows[i].listed = false;
    }
    view->waiting = 0;
    view->more = false;
    view->workers = 0;
    view->slots = 0;
    view->busy = 0;
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]) && failed == 0; i++) {
        failed = list_state(view, client, states[i].name, states[i].gets_row, err);
    }
    if (failed == 0) {
        failed = count_workers(view, client, err);
    }
    return failed != 0 ? failed : look_at_rows(view, client, err);
}

void farm_view_prune(struct farm_view *view) {
    size_t kept = 0;
    for (size_t i = 0; i < view->count; i++) {
        if (view->rows[i].listed) {
            view->rows[kept++] = view->rows[i];
        }
    }
    view->count = kept;
}

void farm_view_finish(struct farm_view *view) {
    mem_free(view->rows);
    *view = (struct farm_view){0};
}

/* ---- Showing ----------------------------------------------------------------------- */

/* Of the titles under way. */
static int64_t count_retries(const struct farm_view *view) {
    int64_t retries = 0;
    for (size_t i = 0; i < view->count; i++) {
        retries += view->rows[i].status.retries;
    }
    return retries;
}

static void whole_line(const struct farm_view *view, struct buf *out) {
    int64_t retries = count_retries(view);
    buf_format(out,
               "%zu title%s under way, %" PRId64 "%s wait%s; %" PRId64 " of %" PRId64
               " slots busy on %" PRId64 " worker%s",
               view->count, view->count == 1 ? "" : "s", view->waiting,
               view->more ? " and more" : "", view->waiting == 1 && !view->more ? "s" : "",
               view->busy, view->slots, view->workers, view->workers == 1 ? "" : "s");
    if (retries > 0) {
        buf_format(out, "; retries %" PRId64, retries);
    }
    buf_string(out, "\n");
}

int farm_view_draw(struct farm_view *view, int64_t now_ms, int columns, struct buf *out) {
    for (size_t i = 0; i < view->count; i++) {
        struct farm_row *row = &view->rows[i];
        if (columns > 0) {
            progress_head(&row->status, &row->clock, now_ms, (int)view->slots, columns, out);
        } else {
            progress_line(&row->status, &row->clock, now_ms, (int)view->slots, out);
        }
    }
    whole_line(view, out);
    return (int)view->count + 1;
}

void farm_view_write(struct farm_view *view, int64_t now_ms, struct writer *w) {
    writer_int(w, "workers", view->workers);
    writer_int(w, "slots", view->slots);
    writer_int(w, "busy", view->busy);
    writer_int(w, "retries", count_retries(view));
    writer_int(w, "waiting", view->waiting);
    writer_bool(w, "more", view->more);
    writer_array(w, "titles");
    for (size_t i = 0; i < view->count; i++) {
        struct farm_row *row = &view->rows[i];
        progress_write(&row->status, &row->clock, now_ms, (int)view->slots, NULL, w);
    }
    writer_array_end(w);
}
