/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Object stores: how requests look, and what a store answers that a real one can't be made to.
 * tests/test_s3_store.c meets real ones. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blob.h"
#include "common/clock.h"
#include "common/mem.h"
#include "fixture.h"

Suite *s3_suite(void);

#define EMPTY   "Content-Length: 0\r\n\r\n"
#define OK      "HTTP/1.1 200 OK\r\n" EMPTY
#define MISSING "HTTP/1.1 404 Not Found\r\n" EMPTY

static struct fixture_stub stub;
static char *folder;
static struct blob *blob;
static struct blob_source *source;
static struct blob_options options;
static struct err err;

static void setup(void) {
    folder = fixture_folder();
    fixture_store_unknown(folder);
    options = blob_options_default();
    options.attempts = 3;
    options.stall_s = 2;
    blob = NULL;
    source = NULL;
    err = (struct err){0};
}

static void teardown(void) {
    blob_source_close(source);
    blob_close(blob);
    fixture_folder_drop(folder);
}

/* A store that gives these answers, and keys for it. */
static void start(const struct fixture_answer *answers, int count) {
    fixture_stub_start(&stub, answers, count);
    setenv("AWS_ENDPOINT_URL", stub.url, 1);
    setenv("AWS_ACCESS_KEY_ID", "KEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
    ck_assert_msg(blob_open(&blob, "s3://bucket/out/", &options, &err) == 0, "%s", err.message);
}

static void check_said(const char *part) {
    ck_assert_msg(strstr(err.message, part) != NULL, "'%s' is not in '%s'", part, err.message);
    ck_assert_msg(strstr(err.message, "hush") == NULL, "%s", err.message);
}

static void check_asked(int request, const char *part) {
    ck_assert_msg(strstr(stub.requests[request], part) != NULL, "'%s' is not in '%s'", part,
                  stub.requests[request]);
}

/* ---- Addresses ------------------------------------------------------------------- */

static const struct {
    const char *url;
    const char *message;
} wrong_urls[] = {
    {"s3://", "names no bucket; write s3://bucket/key"},
    {"s3://ab/key", "3 to 63"},
    {"s3://Bucket/key", "a-z 0-9"},
    {"s3://bucket-/key", "names no bucket"},
    {"s3://-bucket/key", "names no bucket"},
    {"s3://bu_cket/key", "names no bucket"},
    {"s3://KEY:hush@bucket/key", "'s3://' names no bucket"},
    {"s3://bucket", "name an object in it"},
    {"s3://bucket/", "name an object in it"},
};

START_TEST(a_url_without_a_bucket_is_refused) {
    ck_assert_int_eq(blob_source_open(&source, wrong_urls[_i].url, &options, &err), ERR_INVALID);
    check_said(wrong_urls[_i].message);
}
END_TEST

START_TEST(requests_are_addressed_and_signed) {
    const struct fixture_answer answers[] = {{OK, 0}};
    int64_t size = -1;
    setenv("AWS_SESSION_TOKEN", "session", 1);
    start(answers, 1);
    ck_assert_msg(blob_stat(blob, "a b+c%.mp4", &size, &err) == 0, "%s", err.message);
    ck_assert_int_eq(size, 0);
    check_asked(0, "HEAD /bucket/out/a%20b%2Bc%25.mp4 HTTP/1.1\r\n");
    check_asked(0, "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=KEY/");
    check_asked(0, "/us-east-1/s3/aws4_request, "
                   "SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, ");
    check_asked(0, "\r\nx-amz-security-token: session\r\n");
    check_asked(0, "\r\nx-amz-content-sha256: e3b0c442");
    fixture_stub_stop(&stub);
}
END_TEST

START_TEST(a_bucket_may_be_in_the_hosts_name) {
    const struct fixture_answer answers[] = {{OK, 0}};
    char host[64];
    char *endpoint = NULL;
    int64_t size = 0;
    fixture_stub_start(&stub, answers, 1);
    endpoint = mem_format("http://localhost:%d/gate/", stub.port);
    snprintf(host, sizeof(host), "\r\nHost: bucket.localhost:%d\r\n", stub.port);
    setenv("AWS_ENDPOINT_URL", endpoint, 1);
    setenv("AWS_ACCESS_KEY_ID", "KEY", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
    setenv("REELFARM_S3_STYLE", "host", 1);
    ck_assert_int_eq(blob_open(&blob, "s3://bucket", &options, &err), 0);
    ck_assert_msg(blob_stat(blob, "key", &size, &err) == 0, "%s", err.message);
    check_asked(0, "HEAD /gate/key HTTP/1.1\r\n");
    check_asked(0, host);
    fixture_stub_stop(&stub);
    mem_free(endpoint);
}
END_TEST

/* ---- Answers --------------------------------------------------------------------- */

#define ERROR(status, headers, code)                                                               \
    "HTTP/1.1 " status "\r\n" headers "Connection: close\r\n\r\n<?xml version=\"1.0\"?><Error>"    \
    "<Code>" code "</Code><Message>It says so</Message><RequestId>r-1</RequestId></Error>"

static const struct {
    const char *answer;
    enum err_code code;
    const char *message;
    int taken;
} refusals[] = {
    {ERROR("404 No", "", "NoSuchKey"), ERR_NOT_FOUND,
     "GET s3://bucket/out/k: the store answered 404 NoSuchKey, 'It says so' (request r-1)", 1},
    {ERROR("404 No", "", "NoSuchBucket"), ERR_NOT_FOUND, "; check the bucket's name", 1},
    {ERROR("403 No", "", "AccessDenied"), ERR_INVALID, "; give these credentials the right", 1},
    {ERROR("403 No", "", "SignatureDoesNotMatch"), ERR_INVALID, "; check AWS_SECRET_ACCESS_KEY", 1},
    {ERROR("403 No", "", "QuotaExceeded"), ERR_NO_SPACE, "; make room there", 1},
    {ERROR("418 No", "", "Other"), ERR_INVALID, "answered 418 Other", 1},
    {ERROR("503 No", "", "SlowDown"), ERR_UNAVAILABLE, "answered 503 SlowDown", 3},
    {ERROR("500 No", "", "InternalError"), ERR_UNAVAILABLE, "answered 500 InternalError", 3},
    {ERROR("400 No", "", "RequestTimeout"), ERR_UNAVAILABLE, "answered 400 RequestTimeout", 3},
    {ERROR("501 No", "", "NotImplemented"), ERR_UNSUPPORTED, "answered 501 NotImplemented", 1},
    {"HTTP/1.1 403 No\r\nx-amz-request-id: r\x1b[2J\r\n" EMPTY, ERR_INVALID,
     "answered 403 (request r [2J); check the credentials", 1},
    {"HTTP/1.1 502 No\r\nContent-Length: 6\r\n\r\n<html>", ERR_UNAVAILABLE, "answered 502", 3},
};

START_TEST(a_refusal_says_code_and_request) {
    const struct fixture_answer answers[] = {{refusals[_i].answer, 0}};
    struct buf out = {0};
    start(answers, 1);
    ck_assert_int_eq(blob_get(blob, "k", 100, &out, &err), refusals[_i].code);
    check_said(refusals[_i].message);
    ck_assert_int_eq(stub.taken, refusals[_i].taken);
    ck_assert_uint_eq(out.size, 0);
    fixture_stub_stop(&stub);
}
END_TEST

START_TEST(another_region_is_gone_to) {
    const struct fixture_answer answers[] = {
        {ERROR("301 Moved", "x-amz-bucket-region: eu-west-1\r\n", "PermanentRedirect"), 0},
        {OK, 0}};
    struct buf out = {0};
    start(answers, 2);
    ck_assert_msg(blob_get(blob, "k", 100, &out, &err) == 0, "%s", err.message);
    check_asked(0, "/us-east-1/s3/");
    check_asked(1, "/eu-west-1/s3/");
    fixture_stub_stop(&stub);
}
END_TEST

START_TEST(a_region_named_in_the_body_is_gone_to) {
    const struct fixture_answer answers[] = {
        {"HTTP/1.1 400 No\r\nConnection: close\r\n\r\n<Error><Code>AuthorizationHeaderMalformed"
         "</Code><Region>garage</Region></Error>",
         0},
        {OK, 0}};
    struct buf out = {0};
    start(answers, 2);
    ck_assert_msg(blob_get(blob, "k", 100, &out, &err) == 0, "%s", err.message);
    check_asked(1, "/garage/s3/");
    fixture_stub_stop(&stub);
}
END_TEST

static const char *const wrong_regions[] = {"", "evil.example/", "us-east-1"};

START_TEST(a_region_that_is_none_is_not_gone_to) {
    char *answer =
        mem_format("HTTP/1.1 301 Moved\r\nx-amz-bucket-region: %s\r\n" EMPTY, wrong_regions[_i]);
    const struct fixture_answer answers[] = {{answer, 0}};
    struct buf out = {0};
    start(answers, 1);
    ck_assert_int_eq(blob_get(blob, "k", 100, &out, &err), ERR_INVALID);
    ck_assert_int_eq(stub.taken, 1);
    fixture_stub_stop(&stub);
    mem_free(answer);
}
END_TEST

/* Of the same token another try makes no better one. */
START_TEST(a_token_that_expired_is_not_sent_again) {
    const struct fixture_answer answers[] = {{ERROR("400 No", "", "ExpiredToken"), 0}};
    struct buf out = {0};
    setenv("AWS_SESSION_TOKEN", "old", 1);
    start(answers, 1);
    ck_assert_int_eq(blob_get(blob, "k", 100, &out, &err), ERR_INVALID);
    check_said("; take new temporary credentials");
    ck_assert_int_eq(stub.taken, 1);
    fixture_stub_stop(&stub);
}
END_TEST

/* The store's time is taken once, and kept. */
START_TEST(a_clock_that_is_wrong_is_set_right) {
    const struct fixture_answer answers[] = {
        {ERROR("403 No", "Date: Wed, 01 Jan 2070 00:00:00 GMT\r\n", "RequestTimeTooSkewed"), 0},
        {OK, 0},
        {OK, 0}};
    struct buf out = {0};
    start(answers, 3);
    ck_assert_msg(blob_get(blob, "k", 100, &out, &err) == 0, "%s", err.message);
    ck_assert_msg(blob_get(blob, "k", 100, &out, &err) == 0, "%s", err.message);
    ck_assert_int_eq(stub.taken, 3);
    check_asked(1, "x-amz-date: 20700101T0000");
    check_asked(2, "x-amz-date: 20700101T0000");
    fixture_stub_stop(&stub);
}
END_TEST

static const char *const wrong_dates[] = {
    ERROR("403 No", "", "RequestTimeTooSkewed"),
    ERROR("403 No", "Date: Fri, 31 Dec 9999 23:59:59 GMT\r\n", "RequestTimeTooSkewed"),
    ERROR("403 No", "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n", "RequestTimeTooSkewed"),
    ERROR("403 No", "Date: yesterday\r\n", "RequestTimeTooSkewed"),
};

/* And ours is kept. */
START_TEST(a_clock_that_no_time_of_the_store_helps_is_named) {
    const struct fixture_answer answers[] = {{wrong_dates[_i], 0}, {OK, 0}};
    struct buf out = {0};
    char today[32];
    start(answers, 2);
    ck_assert_int_eq(blob_get(blob, "k", 100, &out, &err), ERR_INVALID);
    check_said("; set this machine's clock");
    ck_assert_int_eq(stub.taken, 1);
    clock_text(clock_wall_ms(), today);
    ck_assert_int_eq(blob_get(blob, "k", 100, &out, NULL), 0);
    char *year = mem_format("x-amz-date: %.4s", today);
    check_asked(1, year);
    mem_free(year);
    fixture_stub_stop(&stub);
}
END_TEST

/* ---- Bytes that change on their way ----------------------------------------------- */

#define HASH_OF_X "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
#define SAYS_X(body)                                                                               \
    "HTTP/1.1 200 OK\r\nConnection: close\r\nx-amz-meta-sha256: " HASH_OF_X "\r\n\r\n" body

START_TEST(a_byte_changed_on_its_way_is_asked_for_again) {
    const struct fixture_answer answers[] = {{SAYS_X("y"), 0}, {SAYS_X("x"), 0}};
    struct buf out = {0};
    start(answers, 2);
    ck_assert_msg(blob_get(blob, "k", 100, &out, &err) == 0, "%s", err.message);
    ck_assert_str_eq(buf_text(&out), "x");
    ck_assert_int_eq(stub.taken, 2);
    buf_finish(&out);
    fixture_stub_stop(&stub);
}
END_TEST

START_TEST(bytes_that_are_not_those_put_are_refused) {
    const struct fixture_answer answers[] = {{SAYS_X("y"), 0}};
    struct buf out = {0};
    start(answers, 1);
    ck_assert_int_eq(blob_get(blob, "k", 100, &out, &err), ERR_CORRUPT);
    check_said("has other bytes than were put there");
    ck_assert_uint_eq(out.size, 0);
    fixture_stub_stop(&stub);
}
END_TEST

START_TEST(an_object_is_put_with_its_hash) {
    const struct fixture_answer answers[] = {{OK, 0}};
    start(answers, 1);
    ck_assert_int_eq(blob_put(blob, "k", "x", 1, BLOB_REPLACE, &err), 0);
    check_asked(0, "\r\nx-amz-meta-sha256: " HASH_OF_X "\r\n");
    fixture_stub_stop(&stub);
}
END_TEST

/* What is handed down is signed and kept, and not made here: of the body it would be another. */
START_TEST(a_hash_that_is_known_is_not_made_again) {
    const struct fixture_answer answers[] = {{OK, 0}};
    start(answers, 1);
    ck_assert_int_eq(blob_put_known(blob, "k", "not x", 5, HASH_OF_X, BLOB_REPLACE, &err), 0);
    check_asked(0, "\r\nx-amz-content-sha256: " HASH_OF_X "\r\n");
    check_asked(0, "\r\nx-amz-meta-sha256: " HASH_OF_X "\r\n");
    ck_assert_int_eq(blob_put_known(blob, "k", "x", 1, "", BLOB_REPLACE, &err), 0);
    check_asked(1, "\r\nx-amz-content-sha256: " HASH_OF_X "\r\n");
    fixture_stub_stop(&stub);
}
END_TEST

/* But for what goes in parts, of which the store looks at each alone. */
START_TEST(bytes_of_another_hash_do_not_go_in_parts) {
    enum { SIZE = 33 << 20 };
    const struct fixture_answer answers[] = {{OK, 0}};
    char *body = mem_zero(1, SIZE);
    start(answers, 1);
    ck_assert_int_eq(blob_put_known(blob, "k", body, SIZE, HASH_OF_X, BLOB_REPLACE, &err),
                     ERR_UNAVAILABLE);
    check_said("'k' has changed on its way to ");
    ck_assert_int_eq(stub.taken, 0);
    mem_free(body);
    fixture_stub_stop(&stub);
}
END_TEST

/* Each try costs stall_s, which is half a minute. */
START_TEST(a_store_that_says_nothing_is_asked_twice) {
    const struct fixture_answer answers[] = {{NULL, 20000}};
    start(answers, 1);
    ck_assert_int_eq(blob_put(blob, "k", "x", 1, BLOB_REPLACE, &err), ERR_TIMEOUT);
    ck_assert_int_eq(stub.taken, 2);
    fixture_stub_stop(&stub);
}
END_TEST

/* ---- Writing --------------------------------------------------------------------- */

#define TAKEN ERROR("412 No", "", "PreconditionFailed")

/* By whether the store keeps to If-None-Match: what it answers and what a put comes to. */
static const struct {
    struct fixture_answer answers[6];
    int count;
    int code;
    const char *last; /* request */
} creations[] = {
    /* It does: look, put, and once more to know. */
    {{{MISSING, 0}, {OK, 0}, {TAKEN, 0}}, 3, 0, "If-None-Match: *\r\n"},
    {{{OK, 0}}, 1, ERR_CONFLICT, "HEAD /bucket/out/k"},
    /* And another was quicker, or the answer to our first try was lost. */
    {{{MISSING, 0}, {TAKEN, 0}}, 2, ERR_CONFLICT, "If-None-Match: *\r\n"},
    {{{MISSING, 0}, {NULL, 0}, {TAKEN, 0}}, 3, ERR_CONFLICT, "If-None-Match: *\r\n"},
    /* It says that it can't: look, put, put. */
    {{{MISSING, 0}, {ERROR("501 No", "", "NotImplemented"), 0}, {OK, 0}},
     3,
     0,
     "PUT /bucket/out/k"},
    /* It takes no notice: look, put, and once more the same. */
    {{{MISSING, 0}, {OK, 0}, {OK, 0}}, 3, 0, "PUT /bucket/out/k"},
    /* It breaks off after the first: what is put is put. */
    {{{MISSING, 0}, {OK, 0}, {ERROR("403 No", "", "AccessDenied"), 0}}, 3, 0, "PUT /bucket/out/k"},
};

START_TEST(a_name_is_taken_once_whatever_the_store_can) {
    start(creations[_i].answers, creations[_i].count);
    int code = blob_put(blob, "k", "x", 1, BLOB_CREATE, &err);
    ck_assert_msg(code == creations[_i].code, "%d: %s", code, err.message);
    ck_assert_int_eq(stub.taken, creations[_i].count);
    check_asked(creations[_i].count - 1, creations[_i].last);
    fixture_stub_stop(&stub);
}
END_TEST

START_TEST(what_a_store_can_is_asked_once) {
    const struct fixture_answer answers[] = {{MISSING, 0}, {OK, 0}, {TAKEN, 0}, {OK, 0}};
    start(answers, 4);
    ck_assert_int_eq(
        blob_put(blob, "t/video/h264-720p-0123456789/00001.m4s", "x", 1, BLOB_CREATE, &err), 0);
    ck_assert_int_eq(blob_put(blob, "two", "x", 1, BLOB_CREATE, &err), 0);
    ck_assert_int_eq(blob_put(blob, "live-0123456789/master.m3u8", "x", 1, BLOB_CREATE, &err), 0);
    ck_assert_int_eq(stub.taken, 5);
    for (int i = 1; i <= 2; i++) { /* nothing else is ever put there */
        check_asked(i, "PUT /bucket/out/t/video/h264-720p-0123456789/00001.m4s");
        check_asked(i, "\r\nContent-Type: video/mp4\r\n");
        check_asked(i, "\r\nCache-Control: public, max-age=31536000, immutable\r\n");
    }
    check_asked(3, "\r\nCache-Control: no-cache\r\n");
    check_asked(4, "\r\nCache-Control: no-cache\r\n"); /* whatever the title is called */
    fixture_stub_stop(&stub);
}
END_TEST

START_TEST(where_a_store_can_not_each_creation_looks) {
    const struct fixture_answer answers[] = {{MISSING, 0}, {OK, 0}, {OK, 0}, {MISSING, 0}, {OK, 0}};
    start(answers, 5);
    ck_assert_int_eq(blob_put(blob, "one", "x", 1, BLOB_CREATE, &err), 0);
    ck_assert_int_eq(blob_put(blob, "two", "x", 1, BLOB_CREATE, &err), 0);
    ck_assert_int_eq(stub.taken, 5);
    check_asked(3, "HEAD /bucket/out/two");
    fixture_stub_stop(&stub);
}
END_TEST

#define BEGUN                                                                                      \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"                                                 \
    "<InitiateMultipartUploadResult><UploadId>up</UploadId></InitiateMultipartUploadResult>"
#define LATE_ERROR                                                                                 \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n   \n <?xml version=\"1.0\"?>"                    \
    "<Error><Code>SlowDown</Code></Error>"
#define COMPLETED                                                                                  \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n \n<?xml version=\"1.0\"?>"                       \
    "<CompleteMultipartUploadResult></CompleteMultipartUploadResult>"
#define PART "HTTP/1.1 200 OK\r\nETag: \"part\"\r\n" EMPTY

static const struct {
    struct fixture_answer answers[8];
    int count;
    const char *message;
    const char *last;
} uploads[] = {
    {{{BEGUN, 0},
      {PART, 0},
      {PART, 0},
      {PART, 0},
      {ERROR("200 OK", "", "InternalError"), 0},
      {OK, 0}},
     6,
     "answered 200 and then InternalError, so it is not known to be stored",
     "DELETE /bucket/out/k?uploadId=up HTTP"},
    {{{BEGUN, 0}, {PART, 0}, {OK, 0}, {OK, 0}},
     4,
     "gave no ETag",
     "DELETE /bucket/out/k?uploadId=up "},
    {{{BEGUN, 0}, {ERROR("403 No", "", "AccessDenied"), 0}, {OK, 0}},
     3,
     "403 AccessDenied",
     "DELETE /bucket/out/k?uploadId=up "},
    {{{BEGUN, 0}, {ERROR("404 No", "", "NoSuchUpload"), 0}, {OK, 0}},
     3,
     "404 NoSuchUpload",
     "DELETE /bucket/out/k?uploadId=up "},
    {{{OK, 0}}, 1, "at byte 0", "POST /bucket/out/k?uploads= HTTP"},
    {{{ERROR("500 No", "", "InternalError"), 0}}, 1, "500 InternalError", "POST "},
};

enum { SIZE = 33 << 20 };

START_TEST(a_large_object_goes_in_parts) {
    const struct fixture_answer answers[] = {{MISSING, 0}, {BEGUN, 0}, {PART, 0},
                                             {PART, 0},    {PART, 0},  {COMPLETED, 0}};
    unsigned char *data = fixture_bytes(SIZE);
    start(answers, 6);
    ck_assert_msg(blob_put(blob, "k", data, SIZE, BLOB_CREATE, &err) == 0, "%s", err.message);
    ck_assert_int_eq(stub.taken, 6);
    check_asked(1, "POST /bucket/out/k?uploads= HTTP");
    check_asked(4, "PUT /bucket/out/k?partNumber=3&uploadId=up HTTP");
    check_asked(4, "\r\nContent-Length: 1048576\r\n");
    check_asked(5,
                "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"part\"</ETag>");
    fixture_stub_stop(&stub);
    mem_free(data);
}
END_TEST

/* Another may have been quicker since we looked. */
START_TEST(a_large_object_is_created_once_where_the_store_can) {
    const struct fixture_answer answers[] = {{MISSING, 0}, {OK, 0},   {TAKEN, 0}, {MISSING, 0},
                                             {BEGUN, 0},   {PART, 0}, {PART, 0},  {PART, 0},
                                             {TAKEN, 0},   {OK, 0}};
    unsigned char *data = fixture_bytes(SIZE);
    start(answers, 10);
    ck_assert_int_eq(blob_put(blob, "small", "x", 1, BLOB_CREATE, &err), 0);
    ck_assert_int_eq(blob_put(blob, "k", data, SIZE, BLOB_CREATE, &err), ERR_CONFLICT);
    check_asked(8, "POST /bucket/out/k?uploadId=up HTTP");
    check_asked(8, "\r\nIf-None-Match: *\r\n");
    check_asked(9, "DELETE /bucket/out/k?uploadId=up HTTP");
    fixture_stub_stop(&stub);
    mem_free(data);
}
END_TEST

START_TEST(an_upload_that_fails_is_taken_back) {
    unsigned char *data = fixture_bytes(SIZE);
    start(uploads[_i].answers, uploads[_i].count);
    ck_assert_int_ne(blob_put(blob, "k", data, SIZE, BLOB_REPLACE, &err), 0);
    check_said(uploads[_i].message);
    ck_assert_int_eq(stub.taken, uploads[_i].count);
    check_asked(uploads[_i].count - 1, uploads[_i].last);
    fixture_stub_stop(&stub);
    mem_free(data);
}
END_TEST

#define UPLOADS(cut, entries)                                                                      \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListMultipartUploadsResult><IsTruncated>" cut    \
    "</IsTruncated>" entries "</ListMultipartUploadsResult>"
#define UPLOAD(key, id) "<Upload><Key>" key "</Key><UploadId>" id "</UploadId></Upload>"

START_TEST(uploads_of_the_dead_are_taken_back) {
    const struct fixture_answer answers[] = {
        {UPLOADS("true", UPLOAD("out/t/a", "one") UPLOAD("out/t/b", "two")), 0},
        {OK, 0},
        {ERROR("404 No", "", "NoSuchUpload"), 0}, /* its own has just done so */
        {UPLOADS("false", UPLOAD("out/t/c", "three")), 0},
        {OK, 0},
    };
    start(answers, 5);
    ck_assert_msg(blob_abandon(blob, "t/", &err) == 0, "%s", err.message);
    ck_assert_int_eq(stub.taken, 5);
    check_asked(0, "GET /bucket/?prefix=out%2Ft%2F&uploads= HTTP");
    check_asked(1, "DELETE /bucket/out/t/a?uploadId=one HTTP");
    check_asked(2, "DELETE /bucket/out/t/b?uploadId=two HTTP");
    check_asked(4, "DELETE /bucket/out/t/c?uploadId=three HTTP");
    fixture_stub_stop(&stub);
}
END_TEST

START_TEST(an_upload_that_another_took_back_begins_anew) {
    const struct fixture_answer answers[] = {
        {BEGUN, 0}, {ERROR("404 No", "", "NoSuchUpload"), 0}, {OK, 0}};
    unsigned char *data = fixture_bytes(SIZE);
    start(answers, 3);
    int code = blob_put(blob, "k", data, SIZE, BLOB_REPLACE, &err);
    ck_assert(err_is_transient((enum err_code)code));
    fixture_stub_stop(&stub);
    mem_free(data);
}
END_TEST

START_TEST(a_store_that_keeps_its_uploads_to_itself_is_named) {
    const struct fixture_answer answers[] = {{ERROR("403 No", "", "AccessDenied"), 0}};
    start(answers, 1);
    ck_assert_int_eq(blob_abandon(blob, "t/", &err), ERR_INVALID);
    check_said("403 AccessDenied");
    fixture_stub_stop(&stub);
}
END_TEST

/* ---- Listing --------------------------------------------------------------------- */

static int collect(void *context, const char *key, int64_t size, struct err *why) {
    (void)why;
    buf_format(context, "%s %lld\n", key, (long long)size);
    return 0;
}

#define PAGE(body)                                                                                 \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListBucketResult>" body "</ListBucketResult>"
#define ENTRY(key) "<Contents><Key>" key "</Key><Size>7</Size></Contents>"

START_TEST(a_listing_goes_on_from_page_to_page) {
    const struct fixture_answer answers[] = {
        {PAGE("<EncodingType>url</EncodingType><NextContinuationToken>a/+=</"
              "NextContinuationToken>" ENTRY("out/a+b%2Bc%C3%A9") ENTRY("out/.reelfarm-probe-1")
                  ENTRY("out/d/")),
         0},
        {PAGE("<IsTruncated>false</IsTruncated><NextContinuationToken>b</"
              "NextContinuationToken>" ENTRY("out/e%2B") ENTRY("elsewhere/f")),
         0}};
    struct buf out = {0};
    start(answers, 2);
    ck_assert_msg(blob_list(blob, "", collect, &out, &err) == 0, "%s", err.message);
    ck_assert_str_eq(buf_text(&out), "a b+c\xc3\xa9 7\ne%2B 7\n");
    check_asked(0, "GET /bucket/?encoding-type=url&list-type=2&prefix=out%2F HTTP");
    check_asked(1, "GET /bucket/?continuation-token=a%2F%2B%3D&encoding-type=url&list-type=2&");
    buf_finish(&out);
    fixture_stub_stop(&stub);
}
END_TEST

enum { BROKEN_PAGES = 5 };

/* Else what is missing of it would be taken for what is not there, and removed. */
START_TEST(a_broken_listing_is_named) {
    static const char *const pages[BROKEN_PAGES] = {
        PAGE("<Contents><Key>out/a</Key></Contents>"),
        PAGE("<IsTruncated>true</IsTruncated>" ENTRY("out/a")),
        PAGE("<IsTruncated>true</IsTruncated><NextContinuationToken>same</NextContinuationToken>"),
        "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n<List",
    };
    const struct fixture_answer answers[] = {{pages[_i], 0}};
    struct buf out = {0};
    start(answers, 1);
    ck_assert_int_eq(blob_list(blob, "", collect, &out, &err), ERR_CORRUPT);
    check_said("the store's listing of 'bucket'");
    fixture_stub_stop(&stub);
}
END_TEST

Suite *s3_suite(void) {
    Suite *suite = suite_create("s3");
    TCase *requests = tcase_create("requests");
    tcase_add_checked_fixture(requests, setup, teardown);
    tcase_set_timeout(requests, 30);
    tcase_add_loop_test(requests, a_url_without_a_bucket_is_refused, 0,
                        sizeof(wrong_urls) / sizeof(wrong_urls[0]));
    tcase_add_test(requests, requests_are_addressed_and_signed);
    tcase_add_test(requests, a_bucket_may_be_in_the_hosts_name);
    tcase_add_loop_test(requests, a_refusal_says_code_and_request, 0,
                        sizeof(refusals) / sizeof(refusals[0]));
    tcase_add_test(requests, another_region_is_gone_to);
    tcase_add_test(requests, a_region_named_in_the_body_is_gone_to);
    tcase_add_loop_test(requests, a_region_that_is_none_is_not_gone_to, 0, 3);
    tcase_add_test(requests, a_token_that_expired_is_not_sent_again);
    tcase_add_test(requests, a_clock_that_is_wrong_is_set_right);
    tcase_add_loop_test(requests, a_clock_that_no_time_of_the_store_helps_is_named, 0, 4);
    tcase_add_loop_test(requests, a_name_is_taken_once_whatever_the_store_can, 0,
                        sizeof(creations) / sizeof(creations[0]));
    tcase_add_test(requests, what_a_store_can_is_asked_once);
    tcase_add_test(requests, where_a_store_can_not_each_creation_looks);
    tcase_add_test(requests, a_large_object_goes_in_parts);
    tcase_add_test(requests, a_large_object_is_created_once_where_the_store_can);
    tcase_add_loop_test(requests, an_upload_that_fails_is_taken_back, 0,
                        sizeof(uploads) / sizeof(uploads[0]));
    tcase_add_test(requests, uploads_of_the_dead_are_taken_back);
    tcase_add_test(requests, a_byte_changed_on_its_way_is_asked_for_again);
    tcase_add_test(requests, bytes_that_are_not_those_put_are_refused);
    tcase_add_test(requests, an_object_is_put_with_its_hash);
    tcase_add_test(requests, a_hash_that_is_known_is_not_made_again);
    tcase_add_test(requests, bytes_of_another_hash_do_not_go_in_parts);
    tcase_add_test(requests, a_store_that_says_nothing_is_asked_twice);
    tcase_add_test(requests, an_upload_that_another_took_back_begins_anew);
    tcase_add_test(requests, a_store_that_keeps_its_uploads_to_itself_is_named);
    tcase_add_test(requests, a_listing_goes_on_from_page_to_page);
    tcase_add_loop_test(requests, a_broken_listing_is_named, 0, BROKEN_PAGES);
    suite_add_tcase(suite, requests);
    return suite;
}
