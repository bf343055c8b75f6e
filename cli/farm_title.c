/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watching and telling: see farm_title.h. */
#include "farm_title.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "each_word.h"
#include "publication_wait.h"
#include "title_watch.h"

int farm_title_check(const struct invocation *invocation, const char *word) {
    return title_id_valid(word) ? EXIT_DONE
                                : command_usage(invocation, "'%.200s' is no title's id", word);
}

/* How many tasks the farm can run at a time; 0 where that is not known. */
static int count_slots(struct client *client) {
    struct json *answer = NULL;
    struct err err = {0};
    int64_t sum = 0;
    if (client_call(client, "GET", "/v1/workers", NULL, &answer, &err) == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", &err);
        struct reader list = reader_array(&r, "workers");
        for (size_t i = 0; i < reader_count(&list); i++) {
            struct reader item = reader_item(&list, i);
            int64_t slots = 0;
            reader_int(&item, "slots", 0, 100000, &slots);
            sum += slots;
        }
    }
    json_tree_destroy(answer);
    return (int)sum;
}

static int tell_done(const struct invocation *invocation, const struct title_status *status) {
    struct buf text = {0};
    if (wants_json(invocation)) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_string(&w, "event", "done");
        writer_string(&w, "title", status->title);
        writer_string(&w, "version", status->version);
        writer_array(&w, "missing");
        for (size_t i = 0; i < status->missing_count; i++) {
            writer_string(&w, NULL, status->missing[i].id);
        }
        writer_array_end(&w);
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else {
        buf_format(&text, "%s: done, %" PRId64 " frames (%.1f s), version %s\n", status->title,
                   status->frames, status->seconds, status->version);
        missing_text(status, "  ", &text);
    }
    return command_print(&text);
}

int farm_title_watch(struct client *client, const struct invocation *invocation,
                     const char *title) {
    const struct title_watch watch = {
        .client = client,
        .title = title,
        .json = wants_json(invocation),
        .workers = count_slots(client),
    };
    struct title_status status;
    struct err err = {0};
    int failed = title_watch(&watch, &status, &err);
    if (failed == ERR_CANCELLED) { /* by Ctrl-C: also one in the middle of a call */
        err_clear(&err);
        err_set(&err, ERR_CANCELLED, "the watching has ended, and %s goes on", title);
    }
    if (failed != 0) {
        return client_fail(client, invocation, &err);
    }
    if (status.state == TITLE_DONE) {
        int code = tell_done(invocation, &status);
        return code == EXIT_DONE ? publication_wait(client, invocation, title, NULL) : code;
    }
    err_set(&err, status.state == TITLE_CANCELLED ? ERR_CANCELLED : ERR_CORRUPT, "%s: %s", title,
            status.error);
    return command_fail(invocation, EXIT_FAILED, &err);
}

struct title_verb {
    const char *name; /* of the call */
    const char *done; /* what is said then */
};

static int post(struct client *client, const struct invocation *invocation, const char *title,
                const void *context, struct each_result *out, struct err *err) {
    const struct title_verb *verb = context;
    struct json *answer = NULL;
    char *path = mem_format("/v1/titles/%s/%s", title, verb->name);
    (void)invocation;
    int failed = client_call(client, "POST", path, NULL, &answer, err);
    out->flag = failed == 0;
    out->said = verb->done;
    json_tree_destroy(answer);
    mem_free(path);
    return failed;
}

int farm_titles_check(const struct invocation *invocation) {
    int code = EXIT_DONE;
    for (int i = 0; i < invocation->word_count && code == EXIT_DONE; i++) {
        code = farm_title_check(invocation, invocation->words[i]);
    }
    return code;
}

int farm_titles_tell(const struct invocation *invocation, const char *verb, const char *done) {
    const struct title_verb call = {verb, done};
    const struct each_word each = {
        .list = "titles", .item = "title", .flag = done, .act = post, .context = &call};
    int code = farm_titles_check(invocation);
    return code == EXIT_DONE ? each_word(invocation, &each) : code;
}
