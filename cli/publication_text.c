/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a title is at each edge and catalog: see publication_text.h. */
#include "publication_text.h"

#include <inttypes.h>
#include <string.h>

#include "client.h"
#include "common/clock.h"
#include "common/mem.h"
#include "farm_title.h"
#include "interrupt.h"
#include "publication_wait.h"

enum { LOOK_MS = 200 };

/* Nothing without words: a newer scheduler says times for which there are none here. */
static void time_text(const char *words, int64_t at, struct buf *out) {
    char text[CLOCK_TEXT];
    if (at > 0 && words[0] != '\0') {
        clock_text(at, text);
        buf_format(out, "%s%s", words, text);
    }
}

/* What it waits for; `what` "" where that is nothing, or an older scheduler says nothing of it. */
struct wait {
    const char *what, *reason;
    int64_t since, until;
};

/* What is said of each; of its turn, and of its next attempt, nothing more than when. */
static const struct wait_words {
    const char *what, *said, *since, *until;
    bool is_endpoints; /* its reason is what failed there last, of whatever title: it adds nothing
                          to an error of this one's own */
} wait_words[] = {
    {"window", "its window is shut", "", " until ", false},
    {"others", "edges come first", "", "", false},
    {"worker", "it waits for a worker", "", "", false},
    {"breaker", "that endpoint is broken off", " since ", ", and tried again after ", true},
    {"trial", "that endpoint is on trial, a push at a time", ", broken off since ", "", true},
    {"sweep", "what lies there in vain is taken away first", "", ", and it goes on after ", false},
};

static struct wait read_wait(struct reader *item) {
    struct wait wait = {.what = "", .reason = ""};
    if (reader_has(item, "waits")) {
        struct reader r = reader_object(item, "waits");
        reader_string(&r, "for", &wait.what);
        reader_string(&r, "reason", &wait.reason);
        if (reader_has(&r, "since")) {
            reader_int(&r, "since", 0, INT64_MAX / 2, &wait.since);
        }
        if (reader_has(&r, "until")) {
            reader_int(&r, "until", 0, INT64_MAX / 2, &wait.until);
        }
    }
    return wait;
}

static const struct wait_words *find_words(const struct wait *wait) {
    for (size_t i = 0; i < sizeof(wait_words) / sizeof(wait_words[0]); i++) {
        if (strcmp(wait->what, wait_words[i].what) == 0) {
            return &wait_words[i];
        }
    }
    return NULL;
}

/* `error` is its own, which was said before. */
static void wait_text(const struct wait *wait, const struct wait_words *words, const char *error,
                      bool leaves, struct buf *out) {
    bool catalogs = leaves && strcmp(wait->what, "others") == 0;
    buf_format(out, "; %s", catalogs ? "catalogs come first" : words->said);
    time_text(words->since, wait->since, out);
    time_text(words->until, wait->until, out);
    if (wait->reason[0] != '\0' && !(words->is_endpoints && error[0] != '\0')) {
        buf_string(out, words->is_endpoints ? "; what failed there last: " : ": ");
        buf_plain(out, wait->reason);
    }
}

static void one_text(struct reader *item, struct buf *out) {
    const char *endpoint = "", *state = "", *held = "", *wanted = "", *error = "";
    int64_t done = 0, total = 0, retry_at = 0;
    bool listed = true; /* by an older scheduler it is not said */
    reader_string(item, "endpoint", &endpoint);
    reader_string(item, "state", &state);
    reader_string(item, "held", &held);
    reader_string(item, "wanted", &wanted);
    reader_string(item, "error", &error);
    reader_int(item, "done", 0, INT64_MAX, &done);
    reader_int(item, "total", 0, INT64_MAX, &total);
    if (reader_has(item, "listed")) {
        reader_bool(item, "listed", &listed);
    }
    if (reader_has(item, "retry_at")) {
        reader_int(item, "retry_at", 0, INT64_MAX / 2, &retry_at);
    }
    buf_string(out, "  at ");
    buf_plain(out, endpoint);
    buf_string(out, ": ");
    buf_plain(out, state);
    if (strcmp(state, "running") == 0 && total > 0) {
        buf_format(out, ", %" PRId64 "/%" PRId64 " objects", done, total);
    }
    if (held[0] != '\0' && (strcmp(held, wanted) != 0 || !listed)) {
        buf_string(out, ", has version ");
        buf_plain(out, held);
    }
    if (strcmp(state, "fetches") == 0) {
        buf_string(out, " from the output, which has the title still: `reelfarm remove` it, or "
                        "block it at that edge");
    }
    if (!listed) {
        buf_string(out, "; the scheduler's file lists that endpoint no more: `reelfarm endpoints "
                        "forget ");
        buf_plain(out, endpoint);
        buf_string(out, "` if it is no more");
    }
    if (error[0] != '\0') {
        buf_string(out, "; it failed so: ");
        buf_plain(out, error);
    }
    const struct wait wait = read_wait(item);
    const struct wait_words *words = find_words(&wait);
    if (words == NULL) {
        time_text("; tried again after ", wait.until > 0 ? wait.until : retry_at, out);
    } else {
        wait_text(&wait, words, error, wanted[0] == '\0', out);
    }
    buf_string(out, "\n");
}

void publications_text(struct reader *answer, struct buf *out) {
    if (!reader_has(answer, "publications")) {
        return;
    }
    struct reader list = reader_array(answer, "publications");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        one_text(&item, out);
    }
}

/* How many are not rid of it, and how many of those are about to be; of a title that was submitted
 * again meanwhile none. */
static size_t count_left(const struct json *answer, size_t *pending, struct err *err) {
    struct reader r = reader_of(answer, "the scheduler's answer", err);
    struct reader list = reader_array(&r, "publications");
    const char *of_title = "";
    size_t left = 0;
    reader_string(&r, "state", &of_title);
    bool removed = strcmp(of_title, "removed") == 0;
    for (size_t i = 0; i < reader_count(&list) && removed; i++) {
        struct reader item = reader_item(&list, i);
        const char *state = "";
        bool is_pending = false, is_listed = true;
        reader_string(&item, "state", &state);
        reader_bool(&item, "pending", &is_pending);
        if (reader_has(&item, "listed")) { /* at others nothing is done */
            reader_bool(&item, "listed", &is_listed);
        }
        left += is_listed && strcmp(state, "gone") != 0 ? 1 : 0;
        *pending += is_pending ? 1 : 0;
    }
    return left;
}

int publications_left(struct client *client, const char *title, bool waits, struct json **answer,
                      struct err *err) {
    const atomic_bool *interrupted = interrupt_catch();
    char *path = mem_format("/v1/titles/%s/publications", title);
    struct json *found = NULL;
    struct err why = {0};
    size_t left = 0, pending = 1;
    while (pending > 0 && why.code == ERR_NONE) {
        json_tree_destroy(found);
        found = NULL;
        left = pending = 0;
        if (client_call_again(client, "GET", path, NULL, &found, &why) == 0) {
            left = count_left(found, &pending, &why);
        }
        pending = waits ? pending : 0;
        if (pending > 0 && !clock_sleep_ms(LOOK_MS, interrupted)) {
            err_set(&why, ERR_CANCELLED, "the waiting has ended, and the removal goes on");
        }
    }
    if (why.code == ERR_NONE && left > 0) {
        *answer = found;
        found = NULL;
    } else if (why.code != ERR_NONE && why.code != ERR_NOT_FOUND) {
        err_pass(err, &why);
    }
    json_tree_destroy(found);
    mem_free(path);
    return (int)err->code;
}

/* An edge is an endpoint. */
static void write_body(const struct invocation *invocation, struct buf *body) {
    static const struct {
        const char *option;
        const char *name;
    } names[] = {{"endpoint", "endpoint"}, {"edge", "endpoint"}, {"version", "version"}};
    struct writer w = writer_of(body);
    writer_object(&w, NULL);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = option_value(invocation, names[i].option);
        if (value != NULL) {
            writer_string(&w, names[i].name, value);
        }
    }
    writer_object_end(&w);
}

static void write_answer(const struct invocation *invocation, const struct json *answer,
                         const char *said, struct buf *out, struct err *err) {
    struct reader r = reader_of(answer, "the scheduler's answer", err);
    const char *title = "";
    if (wants_json(invocation)) {
        json_tree_write(answer, out);
        buf_string(out, "\n");
        return;
    }
    reader_string(&r, "title", &title);
    buf_plain(out, title);
    buf_format(out, " %s\n", said);
    publications_text(&r, out);
}

/* The version to which a rollback goes, by its answer; NULL for other calls. Owned. */
static char *version_of(const struct json *answer, const char *verb, struct err *err) {
    struct reader r = reader_of(answer, "the scheduler's answer", err);
    const char *version = "";
    reader_string(&r, "version", &version);
    return strcmp(verb, "rollback") == 0 && reader_ok(&r) ? mem_string(version) : NULL;
}

int publication_tell(const struct invocation *invocation, const char *verb, const char *said) {
    const char *title = invocation->words[0];
    bool waits = option_value(invocation, "wait") != NULL;
    struct client *client = NULL;
    struct json *answer = NULL;
    struct buf body = {0}, text = {0};
    struct err err = {0};
    char *version = NULL;
    int code = farm_title_check(invocation, title);
    if (code != EXIT_DONE) {
        return code;
    }
    if (option_value(invocation, "edge") != NULL && option_value(invocation, "endpoint") != NULL) {
        return command_usage(invocation, "--edge and --endpoint say the same; give one of them");
    }
    char *path = mem_format("/v1/titles/%s/%s", title, verb);
    write_body(invocation, &body);
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = client_call(client, "POST", path, &body, &answer, &err);
    }
    if (failed == 0 && waits) {
        version = version_of(answer, verb, &err);
    } else if (failed == 0) {
        write_answer(invocation, answer, said, &text, &err);
    }
    code = err.code != ERR_NONE ? client_fail(client, invocation, &err)
           : waits              ? publication_wait(client, invocation, title, version)
                                : command_print(&text);
    json_tree_destroy(answer);
    client_destroy(client);
    buf_finish(&body);
    buf_finish(&text);
    mem_free(version);
    mem_free(path);
    return code;
}
