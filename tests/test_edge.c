/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Drivers of edges against servers that say what a test wants: what is known of an object goes with
 * it, what lies there and is wrong is not relied on. Suite push has what all drivers share. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/blob.h"
#include "common/mem.h"
#include "edge_fixture.h"
#include "fixture.h"

Suite *edge_suite(void);

#define PATH           "video/h264-720p-aaaaaaaaaa/00001.m4s"
#define HASH_OF_MEDIA  "721c9525ade2ea8903d343ef25cf68b9bf4ab0aad56bb7b01fbe48d09bc7fcf4"
#define HASH_OF_OTHERS "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define EMPTY          "HTTP/1.1 200 So\r\nContent-Length: 0\r\n\r\n"
#define MEDIA          "HTTP/1.1 200 So\r\nContent-Length: 5\r\n\r\nmedia"
#define MISMATCH                                                                                   \
    "HTTP/1.1 400 So\r\nContent-Length: 53\r\n\r\n"                                                \
    "<Error><Code>XAmzContentSHA256Mismatch</Code></Error>"

static char *folder;
static struct err err;
static struct fixture_stub stub;
static struct push_endpoint endpoint;
static struct edge_target target;
static struct edge_object object;
static struct edge *edge;

static void setup(void) {
    folder = fixture_folder();
    fixture_store_unknown(folder);
    fixture_write(folder, "t/" PATH, "media", 5);
    err = (struct err){0};
    edge = NULL;
    endpoint = edge_fixture_endpoint(NULL, NULL);
    target = edge_fixture_target(&endpoint, folder);
    object = (struct edge_object){.path = PATH, .sha256 = "", .bytes = 5};
}

static void teardown(void) {
    edge_close(edge);
    fixture_stub_stop(&stub);
    fixture_folder_drop(folder);
}

/* An edge whose server gives these answers, the last again and again. */
static void start_with(const char *driver, const struct fixture_answer *answers, int count) {
    fixture_stub_start(&stub, answers, count);
    setenv("AWS_ENDPOINT_URL", stub.url, 1);
    setenv("AWS_ACCESS_KEY_ID", "A", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "a", 1);
    endpoint.driver = driver;
    endpoint.url = strcmp(driver, "s3") == 0 ? "s3://films" : stub.url;
    ck_assert_msg(edge_open(&edge, &target, &err) == 0, "%s", err.message);
}

static void start(const char *driver, const char *text) {
    static struct fixture_answer answer;
    answer = (struct fixture_answer){text, 0};
    start_with(driver, &answer, 1);
}

static void check_asked(int request, const char *words) {
    ck_assert_msg(strstr(stub.requests[request], words) != NULL, "'%s' is not in '%s'", words,
                  stub.requests[request]);
}

/* What players may not read is told so, whatever the worker itself is known by. */
START_TEST(what_players_may_not_read_is_told) {
    start("s3", "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n");
    endpoint.serves = stub.url;
    ck_assert_int_ne(edge_verify(edge, &object, &err), 0);
    ck_assert_int_eq(edge->failure, FAILURE_REFUSED);
    ck_assert_msg(strstr(err.message, "let everybody read it") != NULL, "%s", err.message);
    ck_assert_ptr_null(strstr(err.message, "endpoint_secrets"));
    ck_assert_ptr_null(strstr(stub.requests[0], "Authorization"));
}
END_TEST

/* The hash of the reports is what is signed: of these bytes it would be another. A store that looks
 * refuses them then, and it is found out whose fault that is. */
static const struct {
    const char *answer;
    const char *sha256;
    int code;
    enum failure_class failure;
    const char *words;
} handed_down[] = {
    {EMPTY, HASH_OF_OTHERS, 0, FAILURE_ENDPOINT, ""},
    {MISMATCH, HASH_OF_OTHERS, ERR_CORRUPT, FAILURE_IO, "has other bytes than were put there"},
    {MISMATCH, HASH_OF_MEDIA, ERR_UNAVAILABLE, FAILURE_ENDPOINT, "XAmzContentSHA256Mismatch"},
};

START_TEST(a_bucket_is_told_the_hash_of_the_reports) {
    char *line = mem_format("\r\nx-amz-content-sha256: %s\r\n", handed_down[_i].sha256);
    start("s3", handed_down[_i].answer);
    object.sha256 = handed_down[_i].sha256;
    ck_assert_int_eq(edge_bring(edge, &object, &err), handed_down[_i].code);
    ck_assert_int_eq(edge->failure, handed_down[_i].failure);
    ck_assert_msg(strstr(err.message, handed_down[_i].words) != NULL, "%s", err.message);
    check_asked(0, line);
    mem_free(line);
}
END_TEST

#define UPLOADS                                                                                    \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListMultipartUploadsResult><IsTruncated>false"   \
    "</IsTruncated><Upload><Key>t/old/1.m4s</Key><UploadId>up</UploadId></Upload>"                 \
    "</ListMultipartUploadsResult>"
#define NO_OBJECTS                                                                                 \
    "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<ListBucketResult><IsTruncated>false"             \
    "</IsTruncated></ListBucketResult>"
#define DENIED                                                                                     \
    "HTTP/1.1 403 No\r\nConnection: close\r\n\r\n<Error><Code>AccessDenied</Code></Error>"

/* What a push that was killed left in parts goes with its folder; a store that lets nobody list
 * such holds nothing up. */
START_TEST(a_folder_goes_with_what_was_half_put) {
    static const struct fixture_answer tells[] = {{NO_OBJECTS, 0}, {UPLOADS, 0}, {EMPTY, 0}};
    static const struct fixture_answer denies[] = {{NO_OBJECTS, 0}, {DENIED, 0}};
    bool is_denied = _i == 1;
    start_with("s3", is_denied ? denies : tells, is_denied ? 2 : 3);
    ck_assert_msg(edge->driver->remove_folder(edge, "old", &err) == 0, "%s", err.message);
    ck_assert_int_eq(stub.taken, is_denied ? 2 : 3);
    check_asked(1, "GET /films/?prefix=t%2Fold%2F&uploads= HTTP");
    if (!is_denied) {
        check_asked(2, "DELETE /films/t/old/1.m4s?uploadId=up HTTP");
    }
}
END_TEST

/* And before the same is put in parts anew: that of this object alone. */
START_TEST(what_goes_in_parts_begins_anew) {
    start("s3", DENIED);
    object.bytes = BLOB_WHOLE_BYTES;
    edge_bring(edge, &object, &err);
    ck_assert_ptr_null(strstr(stub.requests[0], "uploads="));
    int before = stub.taken;
    object.bytes++;
    edge_bring(edge, &object, &err);
    check_asked(before, "GET /films/?prefix=t%2F");
    check_asked(before, "&uploads= HTTP");
}
END_TEST

/* What a cache holds is asked for, but where it was read back and is wrong. */
START_TEST(a_cache_that_holds_other_bytes_fetches_anew) {
    start("pull", MEDIA);
    ck_assert_int_eq(edge_bring(edge, &object, &err), 0);
    check_asked(0, "GET /t/" PATH);
    object.damaged = true;
    ck_assert_int_eq(edge_bring(edge, &object, &err), 0);
    check_asked(1, "WARM /t/" PATH);
}
END_TEST

/* It says of all that the origin has that it has it too. */
START_TEST(an_edge_that_falls_back_is_not_asked_what_it_has) {
    bool falls_back = _i != 0;
    bool has = falls_back;
    endpoint.falls_back = falls_back;
    start("dav", "HTTP/1.1 200 So\r\nContent-Length: 5\r\n\r\n");
    ck_assert_int_eq(edge->driver->has(edge, &object, &has, &err), 0);
    ck_assert_int_eq(has, !falls_back);
    ck_assert_int_eq(stub.taken, falls_back ? 0 : 1);
}
END_TEST

/* The object's bytes go as they are read, or, where another push may want them, are read whole. */
START_TEST(an_edge_gets_the_output_s_bytes) {
    bool is_alone = _i == 0;
    struct share *share = share_create(1 << 20);
    struct share_member *own = share_join(share, "t");
    struct share_member *other = is_alone ? NULL : share_join(share, "t");
    target.share = own;
    start("dav", EMPTY);
    object.bytes = 4;
    ck_assert_int_eq(edge_bring(edge, &object, &err), ERR_CORRUPT);
    ck_assert_int_eq(edge->failure, FAILURE_IO);
    ck_assert_msg(strstr(err.message, "has 5 bytes, not the 4") != NULL, "%s", err.message);
    ck_assert_int_eq(stub.taken, 0);
    object.bytes = 5;
    int64_t before = edge->traffic.origin_bytes;
    ck_assert_msg(edge_bring(edge, &object, &err) == 0, "%s", err.message);
    check_asked(0, "PUT /t/" PATH);
    check_asked(0, "\r\n\r\nmedia");
    ck_assert_int_eq(edge->traffic.origin_bytes - before, 5);
    ck_assert(is_alone == (edge->copy == NULL));
    edge_close(edge);
    edge = NULL;
    share_leave(other);
    share_leave(own);
    share_destroy(share);
}
END_TEST

/* One of sysfs, which tells a page of bytes and has few. */
START_TEST(an_output_that_ends_too_soon_is_not_the_edge_s_fault) {
    char *path = mem_format("%s/t/" PATH, folder);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(symlink("/sys/kernel/uevent_seqnum", path), 0);
    object.bytes = -1;
    start("dav", EMPTY);
    ck_assert_int_eq(edge_bring(edge, &object, &err), ERR_CORRUPT);
    ck_assert_int_eq(edge->failure, FAILURE_IO);
    ck_assert_msg(strstr(err.message, "'t/" PATH "': it ends at byte") != NULL, "%s", err.message);
    mem_free(path);
}
END_TEST

/* Looked at where an edge gives other bytes than the reports know. */
static const struct {
    const char *sha256;
    int code;
} origins[] = {
    {HASH_OF_MEDIA, 0},
    {HASH_OF_OTHERS, ERR_CORRUPT},
    {"", 0},
};

START_TEST(an_output_that_is_damaged_is_not_the_edge_s_fault) {
    start("dav", EMPTY);
    object.sha256 = origins[_i].sha256;
    ck_assert_int_eq(edge_origin_check(edge, &object, &err), origins[_i].code);
    ck_assert_int_eq(edge->failure, origins[_i].code == 0 ? FAILURE_ENDPOINT : FAILURE_IO);
    object.path = "video/h264-720p-aaaaaaaaaa/00002.m4s"; /* that is another's to tell */
    edge->failure = FAILURE_ENDPOINT;
    ck_assert_int_eq(edge_origin_check(edge, &object, &err), 0);
    ck_assert_int_eq(edge->failure, FAILURE_ENDPOINT);
}
END_TEST

/* A title was taken from an edge, which may get it from the output when a player asks. */
#define MANIFEST       "HTTP/1.1 200 So\r\nContent-Length: 8\r\n\r\n#EXTM3U\n"
#define ANSWER(status) "HTTP/1.1 " status " No\r\nContent-Length: 0\r\n\r\n"
#define REDIRECT       "HTTP/1.1 302 So\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"
static const struct {
    const char *answer;
    bool kept; /* at the output */
    int code;
    bool fetches;
    enum failure_class failure;
} given_on[] = {
    {ANSWER("404"), true, 0, false, FAILURE_ENDPOINT},
    {ANSWER("403"), true, 0, false, FAILURE_ENDPOINT}, /* it is blocked there */
    {MEDIA, true, 0, false, FAILURE_ENDPOINT}, /* a page that says what people want to read */
    {MANIFEST, true, 0, true, FAILURE_ENDPOINT},
    {MANIFEST, false, ERR_CORRUPT, false, FAILURE_ENDPOINT},
    {MANIFEST, true, ERR_CANCELLED, false, FAILURE_ENDPOINT},   /* it is too late to ask */
    {ANSWER("401"), true, ERR_INVALID, false, FAILURE_REFUSED}, /* who may read it gets it */
    {ANSWER("405"), true, ERR_INVALID, false, FAILURE_REFUSED},
    {REDIRECT, true, ERR_INVALID, false, FAILURE_REFUSED},
    {MANIFEST, false, ERR_NOT_FOUND, false, FAILURE_IO}, /* no output is mounted here */
};

START_TEST(an_edge_that_gives_on_what_went_is_told_of) {
    const struct edge_object manifest = {.path = "master.m3u8", .sha256 = "", .bytes = -1};
    static const _Atomic int64_t over = 0;
    bool fetches = !given_on[_i].fetches, asks = given_on[_i].code != ERR_CANCELLED;
    target.until_ms = asks ? NULL : &over;
    endpoint.falls_back = true;
    if (given_on[_i].kept) {
        fixture_write(folder, "t/master.m3u8", "#EXTM3U\n", 8);
    }
    if (given_on[_i].code == ERR_NOT_FOUND) {
        target.origin = "/no/such/output";
    }
    start("pull", given_on[_i].answer);
    ck_assert_int_eq(edge_verify_gone(edge, &manifest, &fetches, &err), given_on[_i].code);
    ck_assert_int_eq(fetches, given_on[_i].fetches);
    ck_assert(given_on[_i].code == 0 || edge->failure == given_on[_i].failure);
    check_asked(0, asks ? "GET /t/master.m3u8" : "");
    ck_assert(given_on[_i].code != ERR_CORRUPT || strstr(err.message, "empty its cache") != NULL);
}
END_TEST

/* What a whole edge lists, or a title's folder: nothing before the first push, which is no failure;
 * but nobody is taken at his word who is not let in, or has no such bucket. */
#define NO_BUCKET                                                                                  \
    "HTTP/1.1 404 No\r\nContent-Length: 40\r\n\r\n<Error><Code>NoSuchBucket</Code></Error>"
static const struct {
    const char *driver;
    const char *title;
    const char *answer;
    int code;
} listings[] = {
    {"dav", "", ANSWER("404"), 0},           {"dav", "t", ANSWER("404"), 0},
    {"dav", "", ANSWER("401"), ERR_INVALID}, {"dav", "", ANSWER("403"), ERR_INVALID},
    {"dav", "", MEDIA, ERR_UNSUPPORTED}, /* a page in the place of a listing */
    {"s3", "", NO_BUCKET, ERR_NOT_FOUND},    {"s3", "t", NO_BUCKET, ERR_NOT_FOUND},
};

static int count_visit(void *context, const char *path, int64_t size, struct err *why) {
    (void)path;
    (void)size;
    (void)why;
    ++*(int *)context;
    return 0;
}

START_TEST(an_edge_that_has_nothing_lists_nothing) {
    int visits = 0;
    target.title = listings[_i].title;
    start(listings[_i].driver, listings[_i].answer);
    int failed = edge->driver->list(edge, count_visit, &visits, &err);
    ck_assert_msg(failed == listings[_i].code, "%d: %s", failed, err.message);
    ck_assert_int_eq(err.code, listings[_i].code);
    ck_assert(failed == 0 || strstr(err.message, "endpoint 'paris'") != NULL);
    ck_assert_int_eq(visits, 0);
}
END_TEST

#define LOOP(tcase, test, table)                                                                   \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof(*(table)))

Suite *edge_suite(void) {
    Suite *suite = suite_create("edge");
    TCase *tcase = tcase_create("edge");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    LOOP(tcase, a_bucket_is_told_the_hash_of_the_reports, handed_down);
    tcase_add_loop_test(tcase, an_edge_gets_the_output_s_bytes, 0, 2);
    tcase_add_test(tcase, an_output_that_ends_too_soon_is_not_the_edge_s_fault);
    tcase_add_loop_test(tcase, a_folder_goes_with_what_was_half_put, 0, 2);
    tcase_add_test(tcase, what_goes_in_parts_begins_anew);
    tcase_add_test(tcase, a_cache_that_holds_other_bytes_fetches_anew);
    tcase_add_test(tcase, what_players_may_not_read_is_told);
    tcase_add_loop_test(tcase, an_edge_that_falls_back_is_not_asked_what_it_has, 0, 2);
    LOOP(tcase, an_output_that_is_damaged_is_not_the_edge_s_fault, origins);
    LOOP(tcase, an_edge_that_gives_on_what_went_is_told_of, given_on);
    LOOP(tcase, an_edge_that_has_nothing_lists_nothing, listings);
    suite_add_tcase(suite, tcase);
    return suite;
}
