/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API calls about titles and the feed. */
#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "common/mem.h"
#include "common/places.h"
#include "packager/packager.h"
#include "scheduler/dry_run.h"
#include "scheduler/events.h"
#include "scheduler/removal.h"
#include "scheduler/titles.h"
#include "scheduler/versions.h"
#include "scheduler/why.h"
#include "view.h"

/* Of a deadline: the year 9999's end, ms since 1970. */
static const int64_t deadline_max = INT64_C(253402300799999);

enum {
    UNITS_PAGE = 100,
    UNITS_PAGE_MAX = 500,
    UNITS_BARE_PAGE_MAX = 5000,
    TITLES_PAGE = 100,
    TITLES_PAGE_MAX = 1000,
    URL_MAX = 8192,
    KEY_MAX = 64,
    BATCH_TITLES = 200,
    BATCH_LADDERS = 64,
    RETRY_MS = 3000, /* after which a client of the feed comes back */
};

/* Who the title is for: the tenant that its caller is bound to, or any. */
static void read_tenant(struct reader *r, struct tx *tx, struct call *call, const char **tenant) {
    const char *bound = call->caller.tenant;
    *tenant = bound[0] != '\0' ? bound : NULL;
    if (reader_has(r, "tenant")) {
        reader_string(r, "tenant", tenant);
    }
    if (*tenant == NULL) {
        return;
    }
    if (reader_ok(r) && (*tenant)[0] != '\0' && !tenant_name_valid(*tenant)) {
        reader_fail(r, "tenant", "must be at most 64 letters, digits, '.', '_' and '-'");
    } else if (reader_ok(r) && bound[0] != '\0' && strcmp(*tenant, bound) != 0) {
        err_set(tx_err(tx), ERR_FORBIDDEN,
                "this token submits for tenant %s alone; leave the tenant out", bound);
    }
}

static size_t read_labels(struct reader *r, const char *labels[LABELS_MAX]) {
    if (!reader_has(r, "labels")) {
        return 0;
    }
    struct reader list = reader_array(r, "labels");
    size_t count = reader_count(&list);
    if (count > LABELS_MAX) {
        reader_fail(r, "labels", "has more than %d entries", LABELS_MAX);
        return 0;
    }
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        labels[i] = "";
        reader_item_string(&list, i, &labels[i]);
        if (reader_ok(r) && !title_label_valid(labels[i])) {
            reader_fail(r, "labels",
                        "must be NAME=VALUE of letters, digits, '.', '_' and '-', at most %d "
                        "bytes",
                        LABEL_MAX);
        }
        for (size_t j = 0; j < i && reader_ok(r); j++) {
            size_t name = strcspn(labels[i], "=") + 1;
            if (strncmp(labels[i], labels[j], name) == 0) {
                reader_fail(r, "labels", "names '%.*s' twice", (int)name - 1, labels[i]);
            }
        }
    }
    return count;
}

/* What places the title in the queue; all of it may be left out. */
static void read_order(struct reader *r, struct tx *tx, struct call *call,
                       struct title_request *request) {
    if (reader_has(r, "priority")) {
        request->names_priority = true;
        reader_int(r, "priority", PRIORITY_MIN, PRIORITY_MAX, &request->priority);
    }
    if (reader_has(r, "deadline")) {
        request->names_deadline = true;
        reader_int(r, "deadline", 1, deadline_max, &request->deadline);
    }
    read_tenant(r, tx, call, &request->tenant);
}

/* A name that another tenant's title has is not to be had, whatever became of that title. */
static void check_name(struct tx *tx, struct call *call, const char *title) {
    const char *bound = call->caller.tenant;
    struct title_row row = {0};
    if (bound[0] != '\0' && title_find(tx, title, &row) &&
        sql_integer(tx, SQL_TITLE_IS_OF, VALUES(TEXT(title), TEXT(bound)), 0) == 0) {
        err_set(tx_err(tx), ERR_CONFLICT, "the name %s is taken; choose another", title);
    }
    title_row_finish(&row);
}

/* What a submission says; its texts are borrowed from the body. */
struct submission {
    struct title_request request;
    struct ladder ladder;
    struct buf text; /* the ladder's, owned */
    const char *labels[LABELS_MAX];
    char trace[TRACE_TEXT];
};

/* All that a submission says but its ladder; `out` is zeroed. */
static void read_request(struct reader *r, struct tx *tx, struct call *call,
                         struct submission *out) {
    const struct farm *farm = call->routes->farm;
    struct title_request *request = &out->request;
    const char *asked = exchange_header(call->exchange, "traceparent");
    *out = (struct submission){.request = {.title = "", .source = "", .output = ""}};
    request->trace = trace_read(out->trace, asked) ? out->trace : NULL;
    reader_string(r, "title", &request->title);
    reader_string(r, "source", &request->source);
    reader_string(r, "output", &request->output);
    reader_bool(r, "force", &request->force);
    if (reader_has(r, "early")) {
        reader_bool(r, "early", &request->early);
    }
    read_order(r, tx, call, request);
    request->labels = reader_has(r, "labels") ? out->labels : NULL;
    request->label_count = read_labels(r, out->labels);
    if (reader_has(r, "key")) {
        reader_string(r, "key", &request->key);
        call_check_word(r, "key", request->key);
        call_check_length(r, "key", request->key, KEY_MAX);
    }
    if (reader_has(r, "sender")) {
        reader_string(r, "sender", &request->sender);
        call_check_word(r, "sender", request->sender);
        call_check_length(r, "sender", request->sender, KEY_MAX);
    }
    call_check_length(r, "source", request->source, URL_MAX);
    call_check_length(r, "output", request->output, PLAN_PLACE_TEXT / 2);
    if (reader_ok(r) && !title_id_valid(request->title)) {
        reader_fail(r, "title",
                    "must be 1 to 128 of a-z, 0-9, '.', '_', '-', the first a "
                    "letter or digit");
    }
    if (reader_ok(r)) {
        places_check(farm->sources, "source", request->source, tx_err(tx));
        places_check(farm->outputs, "output", request->output, tx_err(tx));
    }
    if (reader_ok(r)) {
        check_name(tx, call, request->title);
    }
}

/* A ladder as the store keeps it. What it waives would break a rule itself where it is no advice,
 * as soon as all is encoded. */
static void read_ladder(struct reader *below, struct ladder *ladder, struct buf *text,
                        struct err *err) {
    struct writer writer = writer_of(text);
    int failed = err->code != ERR_NONE ? err->code : ladder_read(ladder, below, err);
    for (int i = 0; failed == 0 && i < ladder->waive_count; i++) {
        failed = verify_check_waivable(ladder->waive[i], err);
        if (failed != 0) {
            err_wrap(err, "ladder.waive");
        }
    }
    if (failed == 0) {
        ladder_write(ladder, &writer, NULL);
    }
}

/* What is watched early is H.264. */
static void check_early(struct tx *tx, const struct title_request *request,
                        const struct ladder *ladder) {
    bool has_rung = false;
    for (int i = 0; i < ladder->video_count; i++) {
        has_rung = has_rung || ladder->video[i].codec == CODEC_H264;
    }
    if (tx_ok(tx) && request->early && !has_rung) {
        err_set(tx_err(tx), ERR_INVALID,
                "title %s can't be watched early: ladder %s has no rung of H.264; add one, or "
                "submit it without early",
                request->title, ladder->name);
    }
}

/* Reads and checks all of it; `out` is the caller's to finish, whether or not it will do. */
static bool read_submission(struct reader *r, struct tx *tx, struct call *call,
                            struct submission *out) {
    read_request(r, tx, call, out);
    struct reader below = reader_object(r, "ladder");
    read_ladder(&below, &out->ladder, &out->text, tx_err(tx));
    out->request.ladder = buf_text(&out->text);
    check_early(tx, &out->request, &out->ladder);
    return tx_ok(tx);
}

/* Submits, and tells what came of it in the object that is open in `w`. */
static bool submit(struct tx *tx, const struct farm *farm, const struct title_request *request,
                   struct writer *w) {
    struct title_row row = {0};
    char trace[TRACE_TEXT];
    bool is_own = false;
    bool is_repeated = title_has_key(tx, request, &is_own);
    bool is_new = title_submit(tx, farm, request);
    if (tx_ok(tx) && title_get(tx, request->title, &row)) {
        title_trace(tx, row.id, trace);
        writer_string(w, "title", row.id);
        writer_bool(w, "new", is_new);
        writer_bool(w, "repeated", is_repeated);
        writer_bool(w, "own", is_new || is_own);
        writer_string(w, "state", state_name(MACHINE_TITLE, (int)row.state));
        writer_string(w, "trace", trace);
    }
    title_row_finish(&row);
    return is_new;
}

void call_submit_title(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    struct submission submission;
    if (read_submission(&r, tx, call, &submission)) {
        writer_object(&call->writer, NULL);
        bool is_new = submit(tx, call->routes->farm, &submission.request, &call->writer);
        call->status = is_new ? 201 : 200;
        writer_object_end(&call->writer);
    }
    buf_finish(&submission.text);
}

void call_plan_title(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    struct submission submission;
    struct source_document document = {0};
    bool has_document = reader_has(&r, "document");
    struct dry_run run = {.request = &submission.request,
                          .ladder = &submission.ladder,
                          .size = -1,
                          .pin = "",
                          .identity = ""};
    if (reader_has(&r, "pin")) {
        reader_int(&r, "size", 0, INT64_MAX, &run.size);
        reader_string(&r, "pin", &run.pin);
        reader_string(&r, "identity", &run.identity);
    }
    if (has_document) {
        struct reader below = reader_object(&r, "document");
        source_document_read(&document, &below);
        run.document = &document;
    }
    if (read_submission(&r, tx, call, &submission)) {
        dry_run_write(tx, call->routes->farm, &run, &call->writer);
    }
    buf_finish(&submission.text);
    source_document_finish(&document);
}

/* Those that are built in, as a submission has them. */
void call_list_ladders(struct tx *tx, struct call *call) {
    const char *name = NULL;
    writer_object(&call->writer, NULL);
    writer_array(&call->writer, "ladders");
    for (size_t i = 0; (name = ladder_builtin_at(i)) != NULL && tx_ok(tx); i++) {
        struct ladder ladder;
        if (ladder_load(&ladder, name, tx_err(tx)) == 0) {
            ladder_write(&ladder, &call->writer, NULL);
        }
    }
    writer_array_end(&call->writer);
    writer_object_end(&call->writer);
}

/* ---- many at once ------------------------------------------------------------- */

/* One title of a batch. */
struct entry {
    struct call *call;
    struct reader r;
    const struct buf *ladders; /* as texts */
    const struct ladder *kinds;
    size_t ladder_count;
    struct writer *writer; /* of what came of it */
};

static void submit_entry(struct tx *tx, void *context) {
    struct entry *entry = context;
    struct submission submission;
    int64_t ladder = 0;
    read_request(&entry->r, tx, entry->call, &submission);
    reader_int(&entry->r, "ladder", 0, (int64_t)entry->ladder_count - 1, &ladder);
    check_early(tx, &submission.request, &entry->kinds[ladder]);
    if (tx_ok(tx)) {
        submission.request.ladder = (const char *)entry->ladders[ladder].data;
        submit(tx, entry->call->routes->farm, &submission.request, entry->writer);
    }
}

/* The result of one title, in the order of the request. */
static void take_entry(struct tx *tx, struct entry *entry, struct writer *w) {
    struct buf said = {0};
    struct writer within = writer_of(&said);
    struct err err = {0};
    entry->writer = &within;
    writer_object(&within, NULL);
    if (tx_try(tx, submit_entry, entry, &err) != 0) {
        buf_clear(&said);
        within = writer_of(&said);
        writer_object(&within, NULL);
        writer_string(&within, "code", err_code_name(err.code));
        writer_string(&within, "detail", err.message);
    }
    writer_object_end(&within);
    writer_raw(w, NULL, buf_text(&said), said.size);
    buf_finish(&said);
}

/* The batch's ladders, and as texts, each ended by a NUL; their titles name them by number. */
static size_t read_ladders(struct tx *tx, struct reader *r, struct ladder kinds[BATCH_LADDERS],
                           struct buf ladders[BATCH_LADDERS]) {
    struct reader list = reader_array(r, "ladders");
    size_t count = reader_count(&list);
    if (tx_ok(tx) && (count < 1 || count > BATCH_LADDERS)) {
        reader_fail(r, "ladders", "must have 1 to %d entries", BATCH_LADDERS);
    }
    for (size_t i = 0; i < count && tx_ok(tx); i++) {
        struct reader below = reader_item(&list, i);
        read_ladder(&below, &kinds[i], &ladders[i], tx_err(tx));
        buf_text(&ladders[i]);
    }
    return count;
}

void call_submit_titles(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    struct buf ladders[BATCH_LADDERS] = {0};
    struct ladder *kinds = mem_zero(BATCH_LADDERS, sizeof(*kinds)); /* large for a stack */
    size_t ladder_count = read_ladders(tx, &r, kinds, ladders);
    struct reader list = reader_array(&r, "titles");
    size_t count = reader_count(&list);
    if (tx_ok(tx) && (count < 1 || count > BATCH_TITLES)) {
        reader_fail(&r, "titles", "must have 1 to %d entries", BATCH_TITLES);
    }
    writer_object(&call->writer, NULL);
    writer_array(&call->writer, "results");
    for (size_t i = 0; i < count && tx_ok(tx); i++) {
        struct entry entry = {.call = call,
                              .r = reader_item(&list, i),
                              .ladders = ladders,
                              .kinds = kinds,
                              .ladder_count = ladder_count};
        if (tx_ok(tx)) {
            take_entry(tx, &entry, &call->writer);
        }
    }
    writer_array_end(&call->writer);
    writer_object_end(&call->writer);
    for (size_t i = 0; i < BATCH_LADDERS; i++) {
        buf_finish(&ladders[i]);
    }
    mem_free(kinds);
}

/* A word of the query; "" where there is none. */
static const char *query_word(struct call *call, const char *name) {
    const char *word = exchange_query(call->exchange, name);
    return word == NULL ? "" : word;
}

/* Labels that titles are to have: of each parameter, with commas between. */
static void read_labels_asked(struct tx *tx, struct call *call, struct titles_page *page) {
    struct buf asked = {0};
    bool is_good = true;
    int count = 0;
    exchange_query_list(call->exchange, "label", &asked);
    const char *at = buf_text(&asked);
    while (*at != '\0' && is_good) {
        size_t size = strcspn(at, ",");
        is_good = count < TITLES_PAGE_LABELS && size <= LABEL_MAX && strcmp(at + size, ",") != 0;
        if (is_good) {
            memcpy(page->labels[count], at, size);
            is_good = title_label_valid(page->labels[count++]);
        }
        at += size;
        at += *at == ',';
    }
    if (!is_good) {
        err_set(tx_err(tx), ERR_INVALID,
                "label must be 1 to %d of NAME=VALUE, with commas between, of letters, digits, "
                "'.', '_' and '-', at most %d bytes each",
                (int)TITLES_PAGE_LABELS, (int)LABEL_MAX);
    }
    buf_finish(&asked);
}

void call_list_titles(struct tx *tx, struct call *call) {
    const char *state = query_word(call, "state");
    const char *bound = call->caller.tenant;
    int64_t limit = call_number(call, "limit", TITLES_PAGE, TITLES_PAGE_MAX);
    if (state[0] != '\0' && state_from_name(MACHINE_TITLE, state) < 0) {
        err_set(tx_err(tx), ERR_INVALID,
                "'%.40s' is no state of a title; write submitted, running, done, failing, failed, "
                "cancelled or removing",
                state);
        return;
    }
    struct titles_page page = {.before = call_number(call, "before", INT64_MAX, INT64_MAX),
                               .state = state,
                               .tenant = bound[0] != '\0' ? bound : query_word(call, "tenant"),
                               .limit = (int)(limit < 1 ? 1 : limit)};
    read_labels_asked(tx, call, &page);
    if (tx_ok(tx)) {
        view_titles(tx, &page, &call->writer);
    }
}

void call_show_title(struct tx *tx, struct call *call) {
    struct title_row title = {0};
    view_title_to(tx, call->routes->farm, call->argument, call->caller.tenant, &call->writer);
    if (tx_ok(tx) && title_get(tx, call->argument, &title) && title.state != TITLE_DONE &&
        title.state != TITLE_FAILED && title.state != TITLE_CANCELLED) {
        call_wait(call, TOPIC_TITLES, call_number(call, "wait_ms", 0, CALL_WAIT_MS_MAX), 0);
    }
    title_row_finish(&title);
}

void call_show_versions(struct tx *tx, struct call *call) {
    versions_write(tx, call->routes->farm, call->argument, &call->writer);
}

void call_show_plan(struct tx *tx, struct call *call) {
    view_plan(tx, call->routes->farm, call->argument, &call->writer);
}

void call_show_why(struct tx *tx, struct call *call) {
    why_title_to(tx, call->routes->farm, call->argument, call->caller.tenant, &call->writer);
}

void call_show_units(struct tx *tx, struct call *call) {
    bool has_reports = strcmp(query_word(call, "reports"), "false") != 0;
    int64_t most = has_reports ? UNITS_PAGE_MAX : UNITS_BARE_PAGE_MAX;
    int64_t limit = call_number(call, "limit", UNITS_PAGE, most);
    struct units_page page = {.after = call_number(call, "after", 0, INT64_MAX),
                              .limit = (int)(limit < 1 ? 1 : limit),
                              .has_reports = has_reports};
    view_units(tx, call->argument, &page, &call->writer);
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

/* The farm's rules may be others than when the title was submitted. */
static void check_places_again(struct tx *tx, struct call *call) {
    const struct farm *farm = call->routes->farm;
    struct title_row row = {0};
    if (title_get(tx, call->argument, &row)) {
        places_check(farm->sources, "source", row.source, tx_err(tx));
        places_check(farm->outputs, "output", row.output, tx_err(tx));
    }
    title_row_finish(&row);
}

void call_retry_title(struct tx *tx, struct call *call) {
    check_places_again(tx, call);
    char trace[TRACE_TEXT];
    bool is_traced = trace_read(trace, exchange_header(call->exchange, "traceparent"));
    title_retry(tx, call->routes->farm, call->argument, is_traced ? trace : NULL);
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "state", state_name(MACHINE_TITLE, TITLE_SUBMITTED));
    writer_object_end(&call->writer);
}

void call_remove_title(struct tx *tx, struct call *call) {
    bool keep_files = strcmp(query_word(call, "keep_files"), "true") == 0;
    bool is_gone = title_remove(tx, call->argument, keep_files);
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "title", call->argument);
    writer_bool(&call->writer, "gone", is_gone);
    writer_object_end(&call->writer);
}

/* ---- the feed ---------------------------------------------------------------- */

/* What a stream begins with. */
static void begin_following(struct call *call) {
    const char *last = exchange_header(call->exchange, "Last-Event-ID");
    int64_t seen = last == NULL ? -1 : strtoll(last, NULL, 10);
    call->follows = true;
    call->seen = seen >= 0 ? seen : call_number(call, "after", 0, INT64_MAX);
    buf_format(&call->answer, "retry: %d\n\n", RETRY_MS);
}

/* The next piece of a stream; nothing, which ends it, where the scheduler stops or the token
 * is good no more. */
static void follow_events(struct tx *tx, struct call *call) {
    struct event_page page = {.title = query_word(call, "title"), .tenant = call->caller.tenant};
    bool is_first = !call->follows;
    if (is_first) {
        begin_following(call);
    } else if (call->routes->stopping ||
               !auth_find(call->routes->auth, call->caller.token, &call->caller)) {
        return; /* it was revoked, or has run out, since */
    }
    page.after = call->seen;
    events_stream(tx, &page, &call->answer);
    call->seen = page.next;
    if (page.count == 0 && !is_first) {
        buf_string(&call->answer, ":\n\n"); /* a comment: is the client there? */
        if (!page.more) {
            call_wait(call, TOPIC_EVENTS, call->routes->comment_ms, 0);
        }
    }
}

void call_list_events(struct tx *tx, struct call *call) {
    const char *accept = exchange_header(call->exchange, "Accept");
    if (call->follows || (accept != NULL && strstr(accept, "text/event-stream") != NULL)) {
        follow_events(tx, call);
        return;
    }
    struct event_page page = {.after = call_number(call, "after", 0, INT64_MAX),
                              .title = query_word(call, "title"),
                              .tenant = call->caller.tenant};
    writer_object(&call->writer, NULL);
    events_write(tx, &page, &call->writer);
    writer_int(&call->writer, "next", page.next);
    writer_object_end(&call->writer);
    if (page.count == 0 && !page.more) {
        call_wait(call, TOPIC_EVENTS, call_number(call, "wait_ms", 0, CALL_WAIT_MS_MAX), 0);
    }
}
