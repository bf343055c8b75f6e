/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What lies at edges and nothing names: see endpoint_sweep.h. */
#include "endpoint_sweep.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/wire.h"
#include "display.h"
#include "interrupt.h"

enum { WAIT_MS = 1000, NAMES_MAX = 256 };

static const char answer_name[] = "the scheduler's answer";

struct sweeping {
    const struct invocation *invocation;
    struct client *client;
    bool removes;
    bool unknown;
    struct display display;
    struct writer writer; /* of all edges' answers, with --json */
};

/* What an answer says of the whole. */
struct standing {
    const char *state; /* borrowed from the answer, as `error` */
    const char *error;
    bool removes;
    bool more;
    int64_t objects; /* that were looked at */
    int64_t removed_objects;
    int64_t removed_bytes;
    int64_t listing; /* which it was; 0: not told */
    int64_t found;   /* objects in vain, and their bytes */
    int64_t found_bytes;
    int64_t unknown; /* entries of titles that the farm never heard of */
    size_t entries;
};

static int standing_read(struct standing *out, const struct json *answer, struct err *err) {
    struct reader r = reader_of(answer, answer_name, err);
    *out = (struct standing){.state = "", .error = ""};
    reader_string(&r, "state", &out->state);
    reader_string(&r, "error", &out->error);
    reader_bool(&r, "removes", &out->removes);
    reader_bool(&r, "more", &out->more);
    reader_int(&r, "objects", 0, INT64_MAX, &out->objects);
    reader_int(&r, "removed_objects", 0, INT64_MAX, &out->removed_objects);
    reader_int(&r, "removed_bytes", 0, INT64_MAX, &out->removed_bytes);
    if (reader_has(&r, "listing")) {
        reader_int(&r, "listing", 0, INT64_MAX / 2, &out->listing);
    }
    struct reader list = reader_array(&r, "orphans");
    out->entries = reader_count(&list);
    for (size_t i = 0; i < out->entries && reader_ok(&r); i++) {
        struct reader item = reader_item(&list, i);
        int64_t objects = 0, bytes = 0;
        bool known = false;
        reader_int(&item, "objects", 0, INT64_MAX, &objects);
        reader_int(&item, "bytes", 0, INT64_MAX, &bytes);
        reader_bool(&item, "known", &known);
        out->found += objects;
        out->found_bytes += bytes;
        out->unknown += known ? 0 : 1;
    }
    return err->code;
}

static bool has_ended(const struct standing *standing) {
    return strcmp(standing->state, "done") == 0 || strcmp(standing->state, "failed") == 0;
}

/* ---- On the way ----------------------------------------------------------------------------- */

static void show(struct sweeping *sweeping, const char *name, const struct standing *standing) {
    struct buf text = {0};
    if (wants_json(sweeping->invocation) ||
        !display_is_due(&sweeping->display, clock_monotonic_ms())) {
        return;
    }
    if (strcmp(standing->state, "waiting") == 0) {
        buf_format(&text, "%s: waits for a worker%s\n", name,
                   standing->removes ? ", and for the pushes that run there" : "");
    } else if (standing->removes) {
        buf_format(&text, "%s: %" PRId64 " objects removed\n", name, standing->removed_objects);
    } else {
        buf_format(&text, "%s: %" PRId64 " objects looked at, %" PRId64 " of them in vain so far\n",
                   name, standing->objects, standing->found);
    }
    display_print(&sweeping->display, &text, 1);
}

/* Asks for a listing or a removal, and waits for its end; the last answer is the caller's. */
static int ask_and_wait(struct sweeping *sweeping, const char *name, bool removes,
                        struct json **answer, struct standing *standing, struct err *err) {
    const atomic_bool *interrupted = interrupt_catch();
    struct buf body = {0};
    struct writer w = writer_of(&body);
    char *ask = mem_format("/v1/endpoints/%s/sweep", name);
    char *look = mem_format("/v1/endpoints/%s/sweep?wait_ms=%d", name, WAIT_MS);
    writer_object(&w, NULL);
    writer_bool(&w, "remove", removes);
    writer_bool(&w, "unknown", removes && sweeping->unknown);
    if (removes && standing->listing > 0) {
        writer_int(&w, "listing", standing->listing); /* what was shown, and nothing else */
    }
    writer_object_end(&w);
    json_tree_destroy(*answer);
    *answer = NULL;
    int failed = client_call(sweeping->client, "POST", ask, &body, answer, err);
    failed = failed == 0 ? standing_read(standing, *answer, err) : failed;
    while (failed == 0 && !has_ended(standing)) {
        show(sweeping, name, standing);
        json_tree_destroy(*answer);
        *answer = NULL;
        failed = atomic_load(interrupted)
                     ? err_set(err, ERR_CANCELLED, "stopped as asked")
                     : client_call_again(sweeping->client, "GET", look, NULL, answer, err);
        failed = failed == 0 ? standing_read(standing, *answer, err) : failed;
    }
    display_erase(&sweeping->display);
    buf_finish(&body);
    mem_free(ask);
    mem_free(look);
    return failed;
}

/* ---- What is told --------------------------------------------------------------------------- */

static void entries_text(const struct json *answer, struct buf *out) {
    struct err err = {0};
    struct reader r = reader_of(answer, answer_name, &err);
    struct reader list = reader_array(&r, "orphans");
    for (size_t i = 0; i < reader_count(&list); i++) {
        struct reader item = reader_item(&list, i);
        const char *title = "", *path = "";
        int64_t objects = 0, bytes = 0;
        bool known = false;
        reader_string(&item, "title", &title);
        reader_string(&item, "path", &path);
        reader_int(&item, "objects", 0, INT64_MAX, &objects);
        reader_int(&item, "bytes", 0, INT64_MAX, &bytes);
        reader_bool(&item, "known", &known);
        buf_format(out, "  %-24s %-36s %7" PRId64 " object%s %14" PRId64 " bytes%s\n", title, path,
                   objects, objects == 1 ? " " : "s", bytes,
                   known ? "" : "  of no title that this farm knows");
    }
}

static void found_text(const struct sweeping *sweeping, const char *name, const struct json *answer,
                       const struct standing *standing, struct buf *out) {
    if (standing->entries == 0) {
        buf_format(out, "%s: nothing lies there in vain, of %" PRId64 " objects\n", name,
                   standing->objects);
        return;
    }
    buf_format(out,
               "%s: no version names %s%" PRId64 " of %" PRId64 " objects there, %" PRId64
               " bytes:\n",
               name, standing->more ? "at least " : "", standing->found, standing->objects,
               standing->found_bytes);
    entries_text(answer, out);
    if (!sweeping->removes) {
        buf_format(out, "nothing was removed; `reelfarm endpoints sweep %s --remove%s` does it\n",
                   name, standing->unknown > 0 ? " --unknown" : "");
    } else if (standing->unknown > 0 && !sweeping->unknown) {
        buf_string(out, "what is of no title that this farm knows may be another farm's, and stays "
                        "without --unknown\n");
    }
}

static void removed_text(const char *name, const struct standing *standing, struct buf *out) {
    buf_format(out, "%s: removed %" PRId64 " objects, %" PRId64 " bytes%s\n", name,
               standing->removed_objects, standing->removed_bytes,
               standing->more ? "; there is more: sweep it once more" : "");
}

static int tell(struct sweeping *sweeping, struct buf *text) {
    if (wants_json(sweeping->invocation)) {
        buf_finish(text);
        return EXIT_DONE;
    }
    return command_print(text);
}

/* ---- One edge ------------------------------------------------------------------------------- */

static int sweep_one(struct sweeping *sweeping, const char *name) {
    struct json *answer = NULL;
    struct standing standing = {.state = ""};
    struct buf text = {0};
    struct err err = {0};
    int code = EXIT_DONE;
    int failed = ask_and_wait(sweeping, name, false, &answer, &standing, &err);
    bool listed = failed == 0 && strcmp(standing.state, "done") == 0;
    bool any = listed && standing.entries > (sweeping->unknown ? 0 : (size_t)standing.unknown);
    if (listed) {
        found_text(sweeping, name, answer, &standing, &text);
        code = tell(sweeping, &text);
    }
    if (sweeping->removes && any) {
        failed = ask_and_wait(sweeping, name, true, &answer, &standing, &err);
        if (failed == 0 && strcmp(standing.state, "done") == 0) {
            removed_text(name, &standing, &text);
            code = tell(sweeping, &text);
        }
    }
    if (failed == 0 && strcmp(standing.state, "failed") == 0) {
        failed = err_set(&err, ERR_UNAVAILABLE, "%s: %s", name, standing.error);
        command_tell(&err);
        code = EXIT_FAILED;
    } else if (failed != 0) {
        code = client_tell(sweeping->client, &err);
    }
    if (answer != NULL && failed == 0 && wants_json(sweeping->invocation)) {
        struct buf raw = {0};
        json_tree_write(answer, &raw);
        writer_raw(&sweeping->writer, NULL, buf_text(&raw), raw.size);
        buf_finish(&raw);
    }
    json_tree_destroy(answer);
    return code;
}

/* ---- All of them ---------------------------------------------------------------------------- */

/* The names of edges that can be listed. */
static int find_edges(struct client *client, char names[NAMES_MAX][ENDPOINT_TEXT], size_t *count,
                      struct err *err) {
    struct json *answer = NULL;
    int failed = client_call(client, "GET", "/v1/endpoints", NULL, &answer, err);
    if (failed == 0) {
        struct reader r = reader_of(answer, answer_name, err);
        struct reader list = reader_array(&r, "endpoints");
        for (size_t i = 0; i < reader_count(&list) && *count < NAMES_MAX; i++) {
            struct reader item = reader_item(&list, i);
            const char *name = "";
            bool lists = false;
            reader_string(&item, "name", &name);
            reader_bool(&item, "lists", &lists);
            if (reader_ok(&r) && lists && endpoint_name_valid(name)) {
                memcpy(names[(*count)++], name, strlen(name) + 1);
            }
        }
        failed = err->code;
    }
    json_tree_destroy(answer);
    return failed;
}

static int check_words(const struct invocation *invocation) {
    for (int i = 1; i < invocation->word_count; i++) {
        if (!endpoint_name_valid(invocation->words[i])) {
            return command_usage(invocation, "'%.200s' is no endpoint's name",
                                 invocation->words[i]);
        }
    }
    if (option_value(invocation, "remove") != NULL && option_value(invocation, "dry-run") != NULL) {
        return command_usage(invocation, "--dry-run removes nothing, and --remove does");
    }
    if (option_value(invocation, "unknown") != NULL && option_value(invocation, "remove") == NULL) {
        return command_usage(invocation, "--unknown says what --remove takes away");
    }
    return EXIT_DONE;
}

/* Each edge, whatever comes of one; the last code that is not EXIT_DONE. */
static int sweep_all(struct sweeping *sweeping, char names[NAMES_MAX][ENDPOINT_TEXT],
                     size_t count) {
    struct buf text = {0};
    int code = EXIT_DONE;
    bool json = wants_json(sweeping->invocation);
    sweeping->writer = writer_of(&text);
    writer_object(&sweeping->writer, NULL);
    writer_array(&sweeping->writer, "endpoints");
    for (size_t i = 0; i < count && code != EXIT_INTERRUPTED; i++) {
        int one = sweep_one(sweeping, names[i]);
        code = one != EXIT_DONE ? one : code;
    }
    writer_array_end(&sweeping->writer);
    writer_object_end(&sweeping->writer);
    if (json) {
        buf_string(&text, "\n");
    } else {
        buf_clear(&text);
    }
    if (!json && count == 0) {
        buf_string(&text, "no endpoint says what it holds: buckets do, and edges of driver dav "
                          "with `lists: true`\n");
    }
    int printed = command_print(&text);
    return code != EXIT_DONE ? code : printed;
}

int endpoint_sweep(const struct invocation *invocation) {
    struct sweeping sweeping = {.invocation = invocation,
                                .removes = option_value(invocation, "remove") != NULL,
                                .unknown = option_value(invocation, "unknown") != NULL};
    char(*names)[ENDPOINT_TEXT] = mem_zero(NAMES_MAX, sizeof(*names));
    size_t count = 0;
    struct err err = {0};
    int code = check_words(invocation);
    display_init(&sweeping.display, wants_json(invocation));
    if (code == EXIT_DONE && client_connect(&sweeping.client, invocation, &err) != 0) {
        code = command_fail(invocation, EXIT_FAILED, &err);
    } else if (code == EXIT_DONE) {
        for (int i = 1; i < invocation->word_count; i++) {
            memcpy(names[count++], invocation->words[i], strlen(invocation->words[i]) + 1);
        }
        code = invocation->word_count == 1 && find_edges(sweeping.client, names, &count, &err) != 0
                   ? client_fail(sweeping.client, invocation, &err)
                   : sweep_all(&sweeping, names, count);
    }
    client_destroy(sweeping.client);
    mem_free(names);
    return code;
}
