/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers of a store that speaks S3, to what reads the tree of XML: listings, uploads and their
 * ends, copies, errors, regions. The first byte says what is asked for, the second the status, the
 * rest is the body of the first answers; then the store knows nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blob.h"
#include "common/clock.h"
#include "common/mem.h"
#include "common/s3_parts.h"
#include "harness.h"

enum { SAME_MAX = 4, UNKNOWN = 404, LATER = 200 };

static const int statuses[] = {200, 204, 301, 400, 403, 404, 409, 412, 500, 501, 503};

enum { STATUSES = sizeof(statuses) / sizeof(statuses[0]) };

static const char etag[] = "ETag\0\"0\"";
static const uint8_t *answer;
static size_t answer_size;
static int status;
static int asked;

/* In the place of the client's function, by the linker: there is no network here. */
int __wrap_http_send(struct http_client *client, const struct http_request *request,
                     struct http_response *response, struct err *err);
int __wrap_http_send(struct http_client *client, const struct http_request *request,
                     struct http_response *response, struct err *err) {
    (void)client;
    (void)request;
    (void)err;
    bool is_known = asked++ < SAME_MAX;
    http_response_clear(response);
    response->reached = true;
    response->status = is_known ? (asked == 1 ? status : LATER) : UNKNOWN;
    buf_append(&response->headers, etag, sizeof(etag));
    if (is_known) {
        buf_append(&response->body, answer, answer_size);
    }
    return 0;
}

static void hold(bool holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "it gave %s\n", what);
        abort();
    }
}

static int visit(void *context, const char *key, int64_t size, struct err *err) {
    (void)context;
    (void)size;
    (void)err;
    size_t length = strlen(key);
    hold(length > 0 && key[0] != '.' && strstr(key, "/.") == NULL && key[length - 1] != '/', key);
    return 0;
}

static int list(struct blob *blob, struct err *err) {
    return blob_list(blob, "t/", visit, NULL, err);
}

static int abandon(struct blob *blob, struct err *err) {
    return blob_abandon(blob, "t/", err);
}

static int copy(struct blob *blob, struct err *err) {
    return blob_copy(blob, "t/b", blob, "t/a", err);
}

static int create(struct blob *blob, struct err *err) {
    return blob_put(blob, "t/a", "x", 1, BLOB_CREATE, err);
}

/* In parts, however short it is. */
static int put_parts(struct blob *blob, struct err *err) {
    static const struct s3_choice choice = {.access_key = "KEY", .secret_key = "secret"};
    struct http_request template = http_request_default();
    struct http_retry retry = http_retry_default();
    struct s3_client *client = NULL;
    (void)blob;
    retry.attempts = 1;
    int failed = s3_client_create(&client, "bucket", &choice, err);
    if (failed == 0) {
        failed = s3_parts_put(client, "t/a", &template, &retry, "x", 1, true, err);
    }
    s3_client_destroy(client);
    return failed;
}

static int (*const calls[])(struct blob *blob, struct err *err) = {list, abandon, copy, create,
                                                                   put_parts};

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct blob_options options = blob_options_default();
    struct blob *blob = NULL;
    struct err err = {0};
    if (size < 2) {
        return 0;
    }
    setenv("AWS_ACCESS_KEY_ID", "KEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "secret", 1);
    setenv("AWS_REGION", "us-east-1", 1);
    clock_test_begin(0, 1700000000000); /* pauses of retries take no time */
    status = statuses[data[1] % STATUSES];
    answer = data + 2;
    answer_size = size - 2;
    asked = 0;
    options.attempts = 2;
    hold(blob_open(&blob, "s3://bucket/out/", &options, &err) == 0, err.message);
    int failed = calls[data[0] % CALLS](blob, &err);
    hold((failed != 0) == (err.code != ERR_NONE), "an error without a word, or the other way");
    for (const char *c = err.message; *c != '\0'; c++) { /* it goes to a terminal */
        hold((unsigned char)*c >= ' ' && *c != 0x7f, err.message);
    }
    blob_close(blob);
    clock_test_end();
    return 0;
}
