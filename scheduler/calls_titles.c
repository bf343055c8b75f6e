/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API calls about titles and the feed. */
#include <string.h>

#include "call.h"
#include "events.h"
#include "titles.h"
#include "view.h"

enum {
    UNITS_PAGE = 100,
    UNITS_PAGE_MAX = 500,
    TITLES_PAGE = 100,
    TITLES_PAGE_MAX = 1000,
    URL_MAX = 8192,
};

void call_submit_title(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    struct title_request request = {.title = "", .source = "", .output = ""};
    struct ladder ladder;
    struct buf text = {0};
    reader_string(&r, "title", &request.title);
    reader_string(&r, "source", &request.source);
    reader_string(&r, "output", &request.output);
    reader_bool(&r, "force", &request.force);
    call_check_length(&r, "source", request.source, URL_MAX);
    call_check_length(&r, "output", request.output, PLAN_PLACE_TEXT / 2);
    if (reader_ok(&r) && !title_id_valid(request.title)) {
        reader_fail(&r, "title",
                    "must be 1 to 128 of a-z, 0-9, '.', '_', '-', the first a "
                    "letter or digit");
    }
    struct reader below = reader_object(&r, "ladder");
    if (reader_ok(&r) && ladder_read(&ladder, &below, tx_err(tx)) == 0) {
        struct writer writer = writer_of(&text);
        ladder_write(&ladder, &writer, NULL);
        request.ladder = buf_text(&text);
        bool is_new = title_submit(tx, &request);
        call->status = is_new ? 201 : 200;
        writer_object(&call->writer, NULL);
        writer_string(&call->writer, "title", request.title);
        writer_bool(&call->writer, "new", is_new);
        writer_object_end(&call->writer);
    }
    buf_finish(&text);
}

void call_list_titles(struct tx *tx, struct call *call) {
    const char *state = exchange_query(call->exchange, "state");
    int64_t limit = call_number(call, "limit", TITLES_PAGE, TITLES_PAGE_MAX);
    if (state != NULL && state_from_name(MACHINE_TITLE, state) < 0) {
        err_set(
            tx_err(tx), ERR_INVALID,
            "'%.40s' is no state of a title; write submitted, running, done, failing, failed or "
            "cancelled",
            state);
        return;
    }
    view_titles(tx, call_number(call, "before", INT64_MAX, INT64_MAX), state != NULL ? state : "",
                (int)(limit < 1 ? 1 : limit), &call->writer);
}

void call_show_title(struct tx *tx, struct call *call) {
    view_title(tx, call->routes->farm, call->argument, &call->writer);
}

void call_show_plan(struct tx *tx, struct call *call) {
    view_plan(tx, call->routes->farm, call->argument, &call->writer);
}

void call_show_units(struct tx *tx, struct call *call) {
    int64_t limit = call_number(call, "limit", UNITS_PAGE, UNITS_PAGE_MAX);
    view_units(tx, call->argument, call_number(call, "after", 0, INT64_MAX),
               (int)(limit < 1 ? 1 : limit), &call->writer);
}

void call_show_identity(struct tx *tx, struct call *call) {
    if (!view_identity(tx, call->routes->farm, call->argument, &call->writer) && tx_ok(tx)) {
        if (call->expired && !call->routes->stopping &&
            sql_integer(tx, SQL_UNITS_PROBING, VALUES(TEXT(call->argument)), 0) == 0) {
            err_set(tx_err(tx), ERR_CONFLICT, "nobody reads the source of %s at the moment",
                    call->argument);
            return;
        }
        call->status = 204;
        call_wait(call, TOPIC_TITLES, call_number(call, "wait_ms", 0, CALL_WAIT_MS_MAX), 0);
    }
}

void call_cancel_title(struct tx *tx, struct call *call) {
    title_cancel(tx, call->argument, "it was cancelled");
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "state", state_name(MACHINE_TITLE, TITLE_CANCELLED));
    writer_object_end(&call->writer);
}

void call_list_events(struct tx *tx, struct call *call) {
    writer_object(&call->writer, NULL);
    int count = events_write(tx, call_number(call, "after", 0, INT64_MAX), &call->writer);
    writer_object_end(&call->writer);
    if (count == 0) {
        call_wait(call, TOPIC_EVENTS, call_number(call, "wait_ms", 0, CALL_WAIT_MS_MAX), 0);
    }
}
