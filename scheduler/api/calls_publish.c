/* SPDX-License-Identifier: GPL-2.0-or-later */
/* API calls about endpoints and what is published there. */
#include "call.h"
#include "common/log.h"
#include "scheduler/publishing/endpoint_rows.h"
#include "scheduler/publishing/hooks.h"
#include "scheduler/publishing/objects.h"
#include "scheduler/publishing/orphans.h"
#include "scheduler/publishing/publication.h"
#include "scheduler/versions.h"

enum { SCORES_MAX = 10000 };

static const double score_max = 1e12;

void call_list_endpoints(struct tx *tx, struct call *call) {
    writer_object(&call->writer, NULL);
    endpoint_rows_write(tx, call->routes->farm, &call->writer);
    writer_object_end(&call->writer);
}

void call_reset_endpoint(struct tx *tx, struct call *call) {
    endpoint_reset(tx, call->routes->farm, call->argument);
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "endpoint", call->argument);
    writer_string(&call->writer, "state", breaker_state_name(BREAKER_CLOSED));
    writer_object_end(&call->writer);
}

void call_forget_endpoint(struct tx *tx, struct call *call) {
    int64_t titles = publication_forget_endpoint(tx, call->routes->farm, call->argument);
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "endpoint", call->argument);
    writer_int(&call->writer, "titles", titles);
    writer_object_end(&call->writer);
    if (tx_ok(tx)) {
        log_info("endpoint forgotten", "endpoint=%s by=%s", call->argument, call->caller.token);
    }
}

static void answer_sweep(struct tx *tx, struct call *call, bool waits) {
    writer_object(&call->writer, NULL);
    bool ended = orphans_write(tx, call->routes->farm, call->argument, &call->writer);
    writer_object_end(&call->writer);
    if (waits && !ended && tx_ok(tx)) {
        call_wait(call, TOPIC_TITLES, call_number(call, "wait_ms", 0, CALL_WAIT_MS_MAX), 0);
    }
}

void call_sweep_endpoint(struct tx *tx, struct call *call) {
    static const char *const members[] = {"remove", "unknown", "listing", NULL};
    struct reader r = call_body(tx, call);
    struct orphans_wish wish = {.removes = false};
    reader_only(&r, members);
    if (reader_has(&r, "remove")) {
        reader_bool(&r, "remove", &wish.removes);
    }
    if (reader_has(&r, "unknown")) {
        reader_bool(&r, "unknown", &wish.unknown);
    }
    if (reader_has(&r, "listing")) {
        reader_int(&r, "listing", 1, INT64_MAX / 2, &wish.listing);
    }
    if (reader_ok(&r)) {
        orphans_ask(tx, call->routes->farm, call->argument, &wish);
    }
    if (tx_ok(tx)) {
        call->status = 201;
        answer_sweep(tx, call, false);
    }
}

void call_show_sweep(struct tx *tx, struct call *call) {
    answer_sweep(tx, call, true);
}

void call_list_deliveries(struct tx *tx, struct call *call) {
    const char *state = exchange_query(call->exchange, "state");
    const struct hook_page page = {.endpoint = call->argument,
                                   .state = state == NULL ? "" : state,
                                   .after = call_number(call, "after", 0, INT64_MAX / 2)};
    hooks_write(tx, call->routes->farm, &page, &call->writer);
}

/* One of the three must be said. */
static struct hook_replay read_replay(struct reader *r) {
    static const char *const members[] = {"dead", "since", "event", NULL};
    struct hook_replay replay = {.dead = false};
    int said = 0;
    reader_only(r, members);
    for (size_t i = 0; members[i] != NULL; i++) {
        said += reader_has(r, members[i]) ? 1 : 0;
    }
    if (reader_has(r, "dead")) {
        reader_bool(r, "dead", &replay.dead);
    }
    if (reader_has(r, "since")) {
        reader_int(r, "since", 0, INT64_MAX / 2, &replay.since);
    }
    if (reader_has(r, "event")) {
        reader_int(r, "event", 1, INT64_MAX / 2, &replay.event);
    }
    if (reader_ok(r) && (said != 1 || (reader_has(r, "dead") && !replay.dead))) {
        reader_fail(r, "dead", "must be true, or `since` a time, or `event` a number: one of them");
    }
    return replay;
}

void call_replay_events(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    const struct hook_replay replay = read_replay(&r);
    int64_t count = reader_ok(&r) ? hooks_replay(tx, call->routes->farm, call->argument, &replay)
                                  : 0;
    writer_object(&call->writer, NULL);
    writer_string(&call->writer, "endpoint", call->argument);
    writer_int(&call->writer, "events", count);
    writer_object_end(&call->writer);
}

/* Of a title that is gone too: edges may hold it still. */
void call_show_publications(struct tx *tx, struct call *call) {
    writer_object(&call->writer, NULL);
    publications_show(tx, call->routes->farm, call->argument, call->caller.tenant, &call->writer);
    writer_object_end(&call->writer);
}

/* A member that may be left out: NULL then. */
static const char *optional(struct reader *r, const char *name) {
    const char *text = NULL;
    if (reader_has(r, name)) {
        reader_string(r, name, &text);
        call_check_word(r, name, text == NULL ? "" : text);
    }
    return text;
}

/* What became of the title at its endpoints. */
static void answer_title(struct tx *tx, struct call *call, const char *version) {
    struct title_row title = {0};
    if (tx_ok(tx) && title_get(tx, call->argument, &title)) {
        writer_object(&call->writer, NULL);
        writer_string(&call->writer, "title", title.id);
        writer_string(&call->writer, "version", version == NULL ? title.version : version);
        publications_write(tx, call->routes->farm, &title, call->caller.tenant, &call->writer);
        writer_object_end(&call->writer);
    }
    title_row_finish(&title);
}

void call_publish_title(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    const char *endpoint = optional(&r, "endpoint");
    if (reader_ok(&r)) {
        publication_publish(tx, call->routes->farm, call->argument, endpoint);
    }
    answer_title(tx, call, NULL);
}

void call_unpublish_title(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    const char *endpoint = optional(&r, "endpoint");
    const char *version = optional(&r, "version");
    if (reader_ok(&r)) {
        publication_unpublish(tx, call->routes->farm, call->argument, endpoint, version);
    }
    answer_title(tx, call, NULL);
}

void call_roll_back_title(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    const char *asked = optional(&r, "version");
    char version[VERSION_TEXT] = "";
    if (reader_ok(&r)) {
        versions_roll_back(tx, call->argument, asked, version);
    }
    answer_title(tx, call, version);
}

void call_set_popularity(struct tx *tx, struct call *call) {
    struct reader r = call_body(tx, call);
    struct reader scores = reader_object(&r, "scores");
    int64_t known = 0;
    size_t count = 0;
    const char *title = NULL;
    while (reader_ok(&r) && (title = reader_name(&scores, count)) != NULL) {
        double score = 0;
        reader_number(&scores, title, 0, score_max, &score);
        if (++count > SCORES_MAX) {
            reader_fail(&r, "scores", "has more than %d titles", SCORES_MAX);
        } else if (reader_ok(&r)) {
            known += publication_score(tx, call->routes->farm, title, score) ? 1 : 0;
        }
    }
    writer_object(&call->writer, NULL);
    writer_int(&call->writer, "titles", known);
    writer_object_end(&call->writer);
}

void call_show_objects(struct tx *tx, struct call *call) {
    objects_write(tx, call->argument, call->second, call_number(call, "from", 0, INT64_MAX / 2),
                  &call->writer);
}
