/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `reelfarm presign`: a link to one object of a store, for somebody who has no key to it. */
#include <string.h>
#include <strings.h>

#include "command.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/s3.h"

static const char default_expiry[] = "1h";

static int print_link(const struct invocation *invocation, const struct s3_link *link) {
    struct buf text = {0};
    if (wants_json(invocation)) {
        struct writer w = writer_of(&text);
        writer_object(&w, NULL);
        writer_string(&w, "url", link->url);
        writer_string(&w, "method", link->method);
        writer_int(&w, "expires", link->expires_s * 1000);
        writer_object_end(&w);
    } else {
        buf_string(&text, link->url);
    }
    buf_string(&text, "\n");
    return command_print(&text);
}

static int make_link(const struct invocation *invocation, const char *method, int64_t span_s) {
    struct s3_client *client = NULL;
    struct s3_link link = {.method = method};
    struct err err = {0};
    char *bucket = NULL;
    const char *key = NULL;
    int failed = s3_split(invocation->words[0], &bucket, &key, &err);
    if (failed == 0 && key[0] == '\0') {
        failed = err_set(&err, ERR_INVALID, "'%s' names no object; write s3://bucket/key",
                         invocation->words[0]);
    }
    if (failed == 0) {
        failed = s3_client_create(&client, bucket, NULL, &err);
    }
    if (failed == 0) {
        s3_presign(client, key, (int)span_s, &link);
    }
    int code = failed != 0 ? command_fail(invocation, EXIT_FAILED, &err)
                           : print_link(invocation, &link);
    s3_link_finish(&link);
    s3_client_destroy(client);
    mem_free(bucket);
    return code;
}

static int run(const struct invocation *invocation) {
    const char *span = option_value(invocation, "expires");
    const char *method = option_value(invocation, "method");
    int64_t span_ms = command_span(span != NULL ? span : default_expiry);
    if (span_ms < 0 || span_ms / 1000 > SIGV4_EXPIRY_MAX_S) {
        return command_usage(invocation,
                             "--expires '%.40s' must be minutes, hours or days such as 12h, at "
                             "most 7d",
                             span);
    }
    if (method != NULL && strcasecmp(method, "get") != 0 && strcasecmp(method, "put") != 0) {
        return command_usage(invocation, "--method '%.40s' must be get or put", method);
    }
    if (strncmp(invocation->words[0], "s3://", 5) != 0) {
        return command_usage(invocation, "'%.200s' is no s3://bucket/key", invocation->words[0]);
    }
    bool puts = method != NULL && strcasecmp(method, "put") == 0;
    return make_link(invocation, puts ? "PUT" : "GET", span_ms / 1000);
}

static const struct option_row options[] = {
    {"expires", "TIME", "good so long, such as 30m, 12h or 7d, the most (default: 1h)"},
    {"method", "get|put", "what it lets do: read the object, or put it (default: get)"},
    {NULL, NULL, NULL},
};

const struct command command_presign = {
    .name = "presign",
    .words = "s3://BUCKET/KEY",
    .least_words = 1,
    .most_words = 1,
    .summary = "a link to one object of a store, good for a while",
    .help =
        "Prints a URL by which whoever has it reads (or puts) that object without a key of\n"
        "their own, until it expires or the key that signed it does. Nothing is asked of the\n"
        "store: a link to what is not there answers 404. Store and key are found as by AWS's\n"
        "tools (AWS_ENDPOINT_URL, AWS_REGION, AWS_PROFILE ...). It is for one object: a\n"
        "playlist's segments need links, or a public bucket, of their own.\n\n"
        "  reelfarm presign s3://masters/movie.mov\n"
        "  reelfarm presign s3://masters/movie.mov --expires 7d --json\n"
        "  reelfarm presign s3://inbox/movie.mov --method put      curl -T movie.mov \"$LINK\"\n"
        "  reelfarm submit \"$(reelfarm presign s3://theirs/movie.mov --expires 1d)\" --title\n"
        "      movie --out s3://streams      for workers that have no key to that bucket\n",
    .options = options,
    .run = run,
};
