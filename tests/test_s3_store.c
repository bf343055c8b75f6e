/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our client against a real object store, which tests/s3/run starts: where no
 * REELFARM_S3_STORE names its kind, this suite is empty. Each test has a bucket of its own. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blob.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/id.h"
#include "common/mem.h"
#include "common/s3.h"
#include "common/s3_account.h"
#include "common/xml.h"
#include "fixture.h"

Suite *s3_store_suite(void);

enum { MIB = 1 << 20, LARGE = 40 * MIB + 17, WRITERS = 8, MANY = 1101 };

static char *bucket;
static char *root; /* s3://bucket/out */
static struct s3_client *client;
static struct blob *blob;
static struct blob_source *source;
static struct blob_options options;
static struct err err;

/* One request on the bucket itself. */
static void ask(const char *method, const struct sigv4_pair *query, size_t count,
                struct http_response *response) {
    const struct s3_call call = {.key = "", .query = query, .query_count = count};
    struct http_request request = http_request_default();
    struct http_retry retry = http_retry_default();
    request.method = method;
    int failed = s3_send_retrying(client, &call, &request, &retry, response, &err);
    ck_assert_msg(failed == 0, "%s", err.message);
}

static void setup(void) {
    struct http_response response = {0};
    char id[ID_TEXT];
    id_make(id);
    bucket = mem_format("reelfarm-%s", id);
    root = mem_format("s3://%s/out", bucket);
    options = blob_options_default();
    err = (struct err){0};
    blob = NULL;
    source = NULL;
    ck_assert_msg(s3_client_create(&client, bucket, NULL, &err) == 0, "%s", err.message);
    ask("PUT", NULL, 0, &response);
    ck_assert_msg(blob_open(&blob, root, &options, &err) == 0, "%s", err.message);
    http_response_finish(&response);
}

static void teardown(void) {
    blob_source_close(source);
    blob_close(blob);
    s3_client_destroy(client);
    mem_free(root);
    mem_free(bucket);
}

static void put(const char *key, const void *data, size_t size, enum blob_put_mode mode) {
    ck_assert_msg(blob_put(blob, key, data, size, mode, &err) == 0, "%s", err.message);
}

static int collect(void *context, const char *key, int64_t size, struct err *why) {
    (void)why;
    buf_format(context, "%s %lld\n", key, (long long)size);
    return 0;
}

static void check_list(const char *prefix, const char *wanted) {
    struct buf out = {0};
    ck_assert_msg(blob_list(blob, prefix, collect, &out, &err) == 0, "%s", err.message);
    ck_assert_str_eq(buf_text(&out), wanted);
    buf_finish(&out);
}

static const char *const keys[] = {
    "title/master.m3u8", "a b+c%41.mp4", "x=1&y?z#w;v:@!$'()*,", "\xc3\xa9/\xe6\x97\xa5/~.json",
    "p%2Fq/\"<>&.m4s",
};

START_TEST(an_object_is_put_got_listed_and_removed) {
    const char *key = keys[_i];
    struct buf out = {0};
    int64_t size = 0;
    char *line = mem_format("%s 5\n", key);
    ck_assert_int_eq(blob_stat(blob, key, &size, NULL), ERR_NOT_FOUND);
    ck_assert_int_eq(blob_get(blob, key, 100, &out, NULL), ERR_NOT_FOUND);
    put(key, "first", 5, BLOB_CREATE);
    ck_assert_int_eq(blob_put(blob, key, "other", 5, BLOB_CREATE, NULL), ERR_CONFLICT);
    ck_assert_msg(blob_get(blob, key, 100, &out, &err) == 0, "%s", err.message);
    ck_assert_str_eq(buf_text(&out), "first");
    ck_assert_msg(blob_stat(blob, key, &size, &err) == 0, "%s", err.message);
    ck_assert_int_eq(size, 5);
    check_list("", line);
    put(key, "again", 5, BLOB_REPLACE);
    buf_clear(&out);
    ck_assert_int_eq(blob_get(blob, key, 100, &out, NULL), 0);
    ck_assert_str_eq(buf_text(&out), "again");
    ck_assert_int_eq(blob_get(blob, key, 4, &out, NULL), ERR_INVALID);
    ck_assert_msg(blob_remove(blob, key, &err) == 0, "%s", err.message);
    ck_assert_msg(blob_remove(blob, key, &err) == 0, "%s", err.message);
    check_list("", "");
    mem_free(line);
    buf_finish(&out);
}
END_TEST

START_TEST(players_are_told_what_an_object_is) {
    struct buf out = {0};
    put("one/video/h264-720p-0123456789/init.mp4", "x", 1, BLOB_CREATE);
    ck_assert_int_eq(blob_get(blob, "one/video/h264-720p-0123456789/init.mp4", 9, &out, NULL), 0);
    ck_assert_str_eq(blob_got_header(blob, "Content-Type"), "video/mp4");
    ck_assert_str_eq(blob_got_header(blob, "Cache-Control"), "public, max-age=31536000, immutable");
    ck_assert_uint_eq(strlen(blob_got_header(blob, "x-amz-meta-sha256")), SHA256_TEXT - 1);
    buf_finish(&out);
}
END_TEST

/* ---- One of several -------------------------------------------------------------- */

struct writer_thread {
    pthread_t thread;
    int code;
    char text[32];
};

static void *write_it(void *context) {
    struct writer_thread *writer = context;
    struct blob *own = NULL;
    writer->code = blob_open(&own, root, &options, NULL);
    if (writer->code == 0) {
        writer->code =
            blob_put(own, "raced", writer->text, strlen(writer->text), BLOB_CREATE, NULL);
    }
    blob_close(own);
    return NULL;
}

START_TEST(one_of_several_writers_wins) {
    struct writer_thread writers[WRITERS];
    struct buf out = {0};
    int won = -1;
    put("first", "x", 1, BLOB_CREATE); /* what the store can is known from here on */
    for (int i = 0; i < WRITERS; i++) {
        snprintf(writers[i].text, sizeof(writers[i].text), "writer %d", i);
        ck_assert_int_eq(pthread_create(&writers[i].thread, NULL, write_it, &writers[i]), 0);
    }
    for (int i = 0; i < WRITERS; i++) {
        pthread_join(writers[i].thread, NULL);
        ck_assert_msg(writers[i].code == 0 || writers[i].code == ERR_CONFLICT, "%d",
                      writers[i].code);
        ck_assert_msg(writers[i].code != 0 || won < 0, "two won");
        won = writers[i].code == 0 ? i : won;
    }
    ck_assert_int_ge(won, 0);
    ck_assert_int_eq(blob_get(blob, "raced", 100, &out, NULL), 0);
    ck_assert_str_eq(buf_text(&out), writers[won].text);
    buf_finish(&out);
}
END_TEST

/* ---- Large objects and many ------------------------------------------------------- */

static size_t uploads_left(void) {
    static const struct sigv4_pair query[] = {{"uploads", ""}};
    struct http_response response = {0};
    struct arena arena = {0};
    struct xml_node *list = NULL;
    size_t count = 0;
    ask("GET", query, 1, &response);
    ck_assert_int_eq(xml_read(&list, &arena, response.body.data, response.body.size, &err), 0);
    for (const struct xml_node *one = xml_child(list, "Upload"); one != NULL;
         one = xml_again(one)) {
        count++;
    }
    arena_finish(&arena);
    http_response_finish(&response);
    return count;
}

START_TEST(a_large_object_goes_in_parts_and_comes_back) {
    unsigned char *data = fixture_bytes(LARGE);
    unsigned char *back = mem_zero(LARGE, 1);
    char *url = mem_format("%s/large.bin", root);
    size_t got = 0;
    put("large.bin", data, LARGE, BLOB_CREATE);
    ck_assert_int_eq(blob_put(blob, "large.bin", data, LARGE, BLOB_CREATE, NULL), ERR_CONFLICT);
    ck_assert_msg(blob_source_open(&source, url, &options, &err) == 0, "%s", err.message);
    ck_assert_int_eq(blob_source_facts(source)->size, LARGE);
    ck_assert_ptr_nonnull(strstr(blob_source_facts(source)->pin, "-3\""));
    ck_assert_msg(blob_read_at(source, 0, back, LARGE, &got, &err) == 0, "%s", err.message);
    ck_assert_uint_eq(got, LARGE);
    ck_assert_int_eq(memcmp(data, back, LARGE), 0);
    ck_assert_uint_eq(uploads_left(), 0);
    mem_free(url);
    mem_free(back);
    mem_free(data);
}
END_TEST

static atomic_bool cancel;

START_TEST(a_large_object_that_is_stopped_leaves_nothing) {
    unsigned char *data = fixture_bytes(LARGE);
    int64_t size = 0;
    blob_close(blob);
    options.cancel = &cancel;
    cancel = true; /* seen once the upload has begun */
    ck_assert_int_eq(blob_open(&blob, root, &options, &err), 0);
    ck_assert_int_eq(blob_put(blob, "large.bin", data, LARGE, BLOB_REPLACE, &err), ERR_CANCELLED);
    cancel = false;
    ck_assert_int_eq(blob_stat(blob, "large.bin", &size, NULL), ERR_NOT_FOUND);
    ck_assert_uint_eq(uploads_left(), 0);
    mem_free(data);
}
END_TEST

/* As of a sender that was killed. */
START_TEST(an_upload_that_nobody_ends_is_taken_back) {
    static const struct sigv4_pair query[] = {{"uploads", ""}};
    const struct s3_call call = {.key = "out/t/left", .query = query, .query_count = 1};
    const struct http_retry retry = http_retry_default();
    struct http_request request = http_request_default();
    struct http_response response = {0};
    request.method = "POST";
    ck_assert_int_eq(s3_send_retrying(client, &call, &request, &retry, &response, &err), 0);
    ck_assert_uint_eq(uploads_left(), 1);
    ck_assert_msg(blob_abandon(blob, "other/", &err) == 0, "%s", err.message);
    ck_assert_uint_eq(uploads_left(), 1);
    ck_assert_msg(blob_abandon(blob, "t/", &err) == 0, "%s", err.message);
    ck_assert_uint_eq(uploads_left(), 0);
    http_response_finish(&response);
}
END_TEST

START_TEST(many_objects_are_listed_in_order) {
    struct buf wanted = {0};
    char key[32];
    for (int i = 0; i < MANY; i++) {
        snprintf(key, sizeof(key), "many/%05d", i);
        put(key, "", 0, BLOB_REPLACE);
        buf_format(&wanted, "%s 0\n", key);
    }
    put("manyother", "x", 1, BLOB_REPLACE);
    check_list("many/", buf_text(&wanted));
    check_list("manyo", "manyother 1\n");
    check_list("none", "");
    buf_finish(&wanted);
}
END_TEST

/* ---- Sources --------------------------------------------------------------------- */

START_TEST(a_source_that_is_replaced_is_noticed) {
    unsigned char *data = fixture_bytes(3 * MIB);
    char *url = mem_format("%s/s.mp4", root);
    char identity[BLOB_IDENTITY_TEXT];
    unsigned char out[8];
    size_t got = 0;
    put("s.mp4", data, 3 * MIB, BLOB_REPLACE);
    ck_assert_msg(blob_source_open(&source, url, &options, &err) == 0, "%s", err.message);
    snprintf(identity, sizeof(identity), "%s", blob_source_facts(source)->identity);
    ck_assert_int_eq(strncmp(identity, "etag:", 5), 0);
    data[0] ^= 1;
    put("s.mp4", data, 3 * MIB, BLOB_REPLACE);
    ck_assert_int_eq(blob_read_at(source, 2 * MIB, out, 8, &got, &err), ERR_CORRUPT);
    ck_assert_ptr_nonnull(strstr(err.message, "changed while it was read"));
    data[0] ^= 1;
    put("copy.mp4", data, 3 * MIB, BLOB_REPLACE);
    blob_source_close(source);
    mem_free(url);
    url = mem_format("%s/copy.mp4", root);
    ck_assert_int_eq(blob_source_open(&source, url, &options, NULL), 0);
    ck_assert_str_eq(blob_source_facts(source)->identity, identity); /* by content, not by name */
    mem_free(url);
    mem_free(data);
}
END_TEST

START_TEST(an_empty_source_opens) {
    char *url = mem_format("%s/empty", root);
    put("empty", "", 0, BLOB_REPLACE);
    ck_assert_msg(blob_source_open(&source, url, &options, &err) == 0, "%s", err.message);
    ck_assert_int_eq(blob_source_facts(source)->size, 0);
    mem_free(url);
}
END_TEST

/* ---- Refusals -------------------------------------------------------------------- */

static const struct {
    const char *variable;
    const char *value;
    const char *messages[2]; /* of one store or another */
} wrong[] = {
    {"AWS_SECRET_ACCESS_KEY", "wrong", {"check AWS_SECRET_ACCESS_KEY"}},
    {"AWS_ACCESS_KEY_ID", "nobody", {"InvalidAccessKeyId", "SignatureDoesNotMatch"}},
};

START_TEST(wrong_keys_are_refused_and_named) {
    struct buf out = {0};
    setenv(wrong[_i].variable, wrong[_i].value, 1);
    blob_close(blob);
    ck_assert_int_eq(blob_open(&blob, root, &options, &err), 0);
    ck_assert_int_eq(blob_get(blob, "k", 9, &out, &err), ERR_INVALID);
    bool named = false;
    for (int i = 0; i < 2 && wrong[_i].messages[i] != NULL; i++) {
        named = named || strstr(err.message, wrong[_i].messages[i]) != NULL;
    }
    ck_assert_msg(named, "%s", err.message);
}
END_TEST

START_TEST(a_bucket_that_is_not_there_is_named) {
    struct buf out = {0};
    blob_close(blob);
    ck_assert_int_eq(blob_open(&blob, "s3://reelfarm-none/out", &options, &err), 0);
    ck_assert_int_eq(blob_get(blob, "k", 9, &out, &err), ERR_NOT_FOUND);
    ck_assert_msg(strstr(err.message, "NoSuchBucket") != NULL, "%s", err.message);
    err_clear(&err);
    ck_assert_int_ne(blob_put(blob, "k", "x", 1, BLOB_CREATE, &err), 0);
    ck_assert_msg(strstr(err.message, "NoSuchBucket") != NULL, "%s", err.message);
}
END_TEST

/* Stores refuse what is signed more than 15 minutes off. */
START_TEST(a_clock_an_hour_off_is_set_right) {
    struct buf out = {0};
    int64_t size = 0;
    put("k", "x", 1, BLOB_REPLACE);
    clock_test_begin(clock_monotonic_ns(), clock_wall_ms() + (_i == 0 ? 3600000 : -3600000));
    ck_assert_msg(blob_stat(blob, "k", &size, &err) == 0, "%s", err.message);
    ck_assert_msg(blob_get(blob, "k", 9, &out, &err) == 0, "%s", err.message);
    clock_test_end();
    buf_finish(&out);
}
END_TEST

/* ---- Presigned ------------------------------------------------------------------- */

static int fetch(const char *method, const char *url, const char *body) {
    struct http_client *http = NULL;
    struct http_request request = http_request_default();
    struct http_response response = {0};
    request.method = method;
    request.url = url;
    request.body = body;
    request.body_size = body != NULL ? strlen(body) : 0;
    ck_assert_int_eq(http_client_create(&http, NULL), 0);
    ck_assert_msg(http_send(http, &request, &response, &err) == 0, "%s", err.message);
    http_client_destroy(http);
    http_response_finish(&response);
    return response.status;
}

static char *presign(const char *method, int64_t time_s) {
    struct s3_account account;
    struct s3_credentials who;
    struct buf url = {0};
    ck_assert_int_eq(s3_account_find(&account, NULL, &err), 0);
    ck_assert_int_eq(s3_credentials_find(&who, NULL, false, &err), 0);
    char *path = mem_format("/%s/given", bucket);
    const struct sigv4_credentials signer = {who.access_key, who.secret_key, NULL};
    const struct sigv4_request request = {
        .method = method,
        .host = account.endpoint + strlen("http://"),
        .path = path,
        .payload = SIGV4_UNSIGNED,
        .region = account.region,
        .service = "s3",
        .time_s = time_s,
    };
    buf_string(&url, account.endpoint);
    sigv4_presign(&request, &signer, 60, &url);
    char *text = mem_string(buf_text(&url));
    buf_finish(&url);
    mem_free(path);
    s3_account_finish(&account);
    s3_credentials_finish(&who);
    return text;
}

START_TEST(a_presigned_url_is_good_for_a_while) {
    int64_t now_s = clock_wall_ms() / 1000;
    char *to_put = presign("PUT", now_s);
    char *to_get = presign("GET", now_s);
    char *expired = presign("GET", now_s - 120);
    ck_assert_int_eq(fetch("PUT", to_put, "given"), 200);
    ck_assert_int_eq(fetch("GET", to_get, NULL), 200);
    ck_assert_int_eq(fetch("PUT", to_get, "x"), 403);
    ck_assert_int_eq(fetch("GET", expired, NULL), 403);
    to_get[strlen(to_get) - 1] ^= 1;
    ck_assert_int_eq(fetch("GET", to_get, NULL), 403);
    mem_free(to_put);
    mem_free(to_get);
    mem_free(expired);
}
END_TEST

Suite *s3_store_suite(void) {
    Suite *suite = suite_create("s3_store");
    const char *kind = getenv("REELFARM_S3_STORE");
    if (kind == NULL) {
        return suite;
    }
    TCase *tcase = tcase_create(kind);
    tcase_set_timeout(tcase, 120);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, an_object_is_put_got_listed_and_removed, 0,
                        sizeof(keys) / sizeof(keys[0]));
    tcase_add_test(tcase, players_are_told_what_an_object_is);
    if (strcmp(kind, "ceph") == 0) { /* Swift has no conditional put to win by */
        tcase_add_test(tcase, one_of_several_writers_wins);
    }
    tcase_add_test(tcase, a_large_object_goes_in_parts_and_comes_back);
    tcase_add_test(tcase, a_large_object_that_is_stopped_leaves_nothing);
    tcase_add_test(tcase, an_upload_that_nobody_ends_is_taken_back);
    tcase_add_test(tcase, many_objects_are_listed_in_order);
    tcase_add_test(tcase, a_source_that_is_replaced_is_noticed);
    tcase_add_test(tcase, an_empty_source_opens);
    tcase_add_loop_test(tcase, wrong_keys_are_refused_and_named, 0,
                        sizeof(wrong) / sizeof(wrong[0]));
    tcase_add_test(tcase, a_bucket_that_is_not_there_is_named);
    tcase_add_loop_test(tcase, a_clock_an_hour_off_is_set_right, 0, 2);
    tcase_add_test(tcase, a_presigned_url_is_good_for_a_while);
    suite_add_tcase(suite, tcase);
    return suite;
}
