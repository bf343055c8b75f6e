/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm token`: makes, lists and revokes the tokens by which a farm is called. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"
#include "command.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/mem.h"

/* ---- create ------------------------------------------------------------------ */

static int check_create(const struct invocation *invocation) {
    const char *expires = option_value(invocation, "expires");
    const char *out = option_value(invocation, "out");
    if (option_value(invocation, "role") == NULL) {
        return command_usage(invocation,
                             "token create needs --role: viewer, submitter, worker or admin");
    }
    if (expires != NULL && command_span(expires) < 0) {
        return command_usage(invocation,
                             "--expires '%.40s' must be minutes, hours or days such as 90d, at "
                             "most ten years",
                             expires);
    }
    if (out != NULL && access(out, F_OK) == 0) {
        return command_usage(invocation,
                             "--out %.200s is there already; name a new file, or remove it", out);
    }
    return EXIT_DONE;
}

static void write_request(const struct invocation *invocation, struct buf *body) {
    static const char *const texts[] = {"role", "name", "tenant"};
    const char *expires = option_value(invocation, "expires");
    struct writer w = writer_of(body);
    writer_object(&w, NULL);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        const char *value = option_value(invocation, texts[i]);
        if (value != NULL) {
            writer_string(&w, texts[i], value);
        }
    }
    if (expires != NULL) {
        writer_int(&w, "expires_in_ms", command_span(expires));
    }
    writer_object_end(&w);
}

static int drop(struct client *client, const char *id, struct err *err) {
    char *path = mem_format("/v1/tokens/%s", id);
    int failed = client_call(client, "DELETE", path, NULL, NULL, err);
    mem_free(path);
    return failed;
}

/* Writes the token to a file that its user alone may read. A token that nobody has is revoked. */
static int keep(struct client *client, const char *path, const char *id, const char *token,
                struct err *err) {
    struct buf line = {0};
    buf_format(&line, "%s\n", token);
    int failed = fs_create(path, line.data, line.size, 0600, err);
    if (failed != 0) {
        bool is_revoked = drop(client, id, NULL) == 0;
        err_wrap(err,
                 is_revoked ? "the new token %s was revoked again, since it can't be kept"
                            : "the new token %s can't be kept, and is good still: revoke it",
                 id);
    }
    explicit_bzero(line.data, line.size);
    buf_finish(&line);
    return failed;
}

static void tell(const struct invocation *invocation, const char *id, const char *token,
                 const struct json *answer, struct buf *text) {
    const char *out = option_value(invocation, "out");
    struct writer w = writer_of(text);
    if (out != NULL && wants_json(invocation)) {
        writer_object(&w, NULL);
        writer_string(&w, "id", id);
        writer_string(&w, "file", out);
        writer_object_end(&w);
    } else if (out != NULL) {
        buf_format(text, "%s: token %s\n", out, id);
    } else if (wants_json(invocation)) {
        writer_node(&w, NULL, answer);
    } else {
        buf_format(text, "%s\n", token);
    }
    buf_string(text, wants_json(invocation) ? "\n" : "");
}

static int create_token(const struct invocation *invocation) {
    struct client *client = NULL;
    struct buf body = {0};
    struct buf text = {0};
    struct json *answer = NULL;
    struct err err = {0};
    const char *out = option_value(invocation, "out");
    const char *id = "";
    const char *token = "";
    write_request(invocation, &body);
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = client_call(client, "POST", "/v1/tokens", &body, &answer, &err);
    }
    if (failed == 0) {
        struct reader r = reader_of(answer, "the scheduler's answer", &err);
        reader_string(&r, "id", &id);
        reader_string(&r, "token", &token);
        failed = err.code;
    }
    if (failed == 0 && out != NULL) {
        failed = keep(client, out, id, token, &err);
    }
    if (failed == 0) {
        tell(invocation, id, token, answer, &text);
    }
    int code = failed != 0 ? client_fail(client, invocation, &err) : command_print(&text);
    json_tree_destroy(answer);
    client_destroy(client);
    buf_finish(&body);
    return code;
}

/* ---- list -------------------------------------------------------------------- */

/* "good", "until 2026-11-21", "expired" or "revoked". */
static void state_text(int64_t expires, int64_t revoked, struct buf *out) {
    char time[CLOCK_TEXT];
    if (revoked != 0) {
        buf_string(out, "revoked");
    } else if (expires == 0) {
        buf_string(out, "good");
    } else if (expires <= clock_wall_ms()) {
        buf_string(out, "expired");
    } else {
        clock_text(expires, time);
        buf_format(out, "until %.10s", time);
    }
}

static void token_text(struct reader *item, struct buf *out) {
    static const char *const texts[] = {"id", "role", "tenant", "name"};
    const char *values[4] = {"", "", "", ""};
    int64_t expires = 0;
    int64_t revoked = 0;
    for (int i = 0; i < 4; i++) {
        reader_string(item, texts[i], &values[i]);
    }
    reader_int(item, "expires", 0, INT64_MAX, &expires);
    reader_int(item, "revoked", 0, INT64_MAX, &revoked);
    if (reader_ok(item)) {
        struct buf state = {0};
        state_text(expires, revoked, &state);
        buf_format(out, "%-26s  %-9s  %-16s  %-16s ", values[0], values[1], buf_text(&state),
                   values[2]);
        buf_plain(out, values[3]);
        buf_string(out, "\n");
        buf_finish(&state);
    }
}

static void tokens_text(struct reader *answer, struct buf *out) {
    struct reader tokens = reader_array(answer, "tokens");
    for (size_t i = 0; i < reader_count(&tokens); i++) {
        struct reader item = reader_item(&tokens, i);
        token_text(&item, out);
    }
    buf_string(out, out->size == 0 ? "no tokens but the operator's\n" : "");
}

static int list_tokens(const struct invocation *invocation) {
    return client_show(invocation, "/v1/tokens", tokens_text);
}

/* ---- revoke ------------------------------------------------------------------ */

static int revoke_token(const struct invocation *invocation) {
    struct client *client = NULL;
    struct err err = {0};
    struct buf text = {0};
    const char *id = invocation->words[1];
    int failed = client_connect(&client, invocation, &err);
    if (failed == 0) {
        failed = drop(client, id, &err);
    }
    int code = failed != 0 ? client_fail(client, invocation, &err) : EXIT_DONE;
    client_destroy(client);
    if (failed != 0) {
        return code;
    }
    struct writer w = writer_of(&text);
    if (wants_json(invocation)) {
        writer_object(&w, NULL);
        writer_string(&w, "id", id);
        writer_bool(&w, "revoked", true);
        writer_object_end(&w);
        buf_string(&text, "\n");
    } else {
        buf_format(&text, "%s: revoked\n", id);
    }
    return command_print(&text);
}

static int check_revoke(const struct invocation *invocation) {
    const char *id = invocation->words[1];
    return id[strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz")] == '\0'
               ? EXIT_DONE
               : command_usage(invocation,
                               "'%.40s' is no token's id; `reelfarm token list` "
                               "shows them",
                               id);
}

/* ---- the command ------------------------------------------------------------- */

static const struct {
    const char *name;
    int words; /* with the action itself */
    const char *usage;
    int (*check)(const struct invocation *invocation); /* NULL: nothing to check */
    int (*run)(const struct invocation *invocation);
} actions[] = {
    {"create", 1, "token create --role ROLE", check_create, create_token},
    {"list", 1, "token list", NULL, list_tokens},
    {"revoke", 2, "token revoke ID", check_revoke, revoke_token},
};

static int run(const struct invocation *invocation) {
    size_t i = 0;
    size_t count = sizeof(actions) / sizeof(actions[0]);
    while (i < count && strcmp(actions[i].name, invocation->words[0]) != 0) {
        i++;
    }
    if (i == count) {
        return command_usage(invocation, "there is no `token %.40s`: it is create, list or revoke",
                             invocation->words[0]);
    }
    if (invocation->word_count != actions[i].words) {
        return command_usage(invocation, "usage: reelfarm %s", actions[i].usage);
    }
    int code = actions[i].check == NULL ? EXIT_DONE : actions[i].check(invocation);
    return code == EXIT_DONE ? actions[i].run(invocation) : code;
}

static const struct option_row options[] = {
    {"role", "ROLE", "create: viewer, submitter, worker or admin"},
    {"tenant", "T", "create: bind a viewer or submitter to this tenant's titles"},
    {"name", "TEXT", "create: what it is for, for people"},
    {"expires", "TIME", "create: good so long, such as 90d or 12h (default: for ever)"},
    {"out", "FILE", "create: write it to this new file, which you alone may read"},
    CONNECTION_OPTIONS,
    {NULL, NULL, NULL},
};

const struct command command_token = {
    .name = "token",
    .words = "create | list | revoke ID",
    .least_words = 1,
    .most_words = 2,
    .summary = "make, list and revoke the tokens by which the farm is called",
    .help =
        "Every call to a scheduler bears a token. The one that it makes at its first start is the\n"
        "operator's and may do everything; give others no more than they need:\n\n"
        "  viewer      sees titles, events and workers\n"
        "  submitter   also submits, retries and cancels\n"
        "  worker      leases tasks and brings results: for `reelfarm worker`\n"
        "  admin       everything, tokens too\n\n"
        "  reelfarm token create --role worker --name node7 --out node7.token\n"
        "  reelfarm token create --role submitter --tenant news --expires 90d --out news.token\n"
        "  reelfarm token list\n"
        "  reelfarm token revoke ID           at once, for all calls that begin from then on\n\n"
        "A token is shown once; the scheduler keeps its hash alone.\n",
    .options = options,
    .run = run,
};
