/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signatures against the published ones: the examples of the Amazon S3 API Reference
 * ("Signature Calculations", "Using Query Parameters") and of the Signature Version 4 test
 * suite; the rest of the encoding rules by hand. */
#include <check.h>
#include <string.h>

#include "common/buf.h"
#include "common/hash.h"
#include "common/sigv4.h"

Suite *sigv4_suite(void);

enum { PAIRS = 4, DAY_S = 86400 };

static const int64_t s3_day = 1369353600;    /* 2013-05-24T00:00:00Z */
static const int64_t suite_day = 1440938160; /* 2015-08-30T12:36:00Z */

static const struct sigv4_credentials s3_keys = {"AKIAIOSFODNN7EXAMPLE",
                                                 "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", NULL};
static const struct sigv4_credentials suite_keys = {
    "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", NULL};

/* One published case. The body's hash is made here. */
struct vector {
    const char *method;
    const char *path;
    struct sigv4_pair query[PAIRS];
    struct sigv4_pair headers[PAIRS];
    const char *body;
    const char *target;
    const char *signed_headers;
    const char *signature;
};

static size_t count_of(const struct sigv4_pair pairs[PAIRS]) {
    size_t count = 0;
    while (count < PAIRS && pairs[count].name != NULL) {
        count++;
    }
    return count;
}

static struct sigv4_request request_of(const struct vector *vector, char hash[SHA256_TEXT]) {
    sha256_hex_of(vector->body, strlen(vector->body), hash);
    return (struct sigv4_request){
        .method = vector->method,
        .host = "examplebucket.s3.amazonaws.com",
        .path = vector->path,
        .query = vector->query,
        .query_count = count_of(vector->query),
        .headers = vector->headers,
        .header_count = count_of(vector->headers),
        .payload = hash,
        .region = "us-east-1",
        .service = "s3",
        .time_s = s3_day,
    };
}

static void check_vector(const struct vector *vector, const struct sigv4_request *request,
                         const struct sigv4_credentials *keys, const char *scope) {
    struct buf got = {0};
    struct buf wanted = {0};
    sigv4_target(request, &got);
    ck_assert_str_eq(buf_text(&got), vector->target);
    buf_clear(&got);
    sigv4_sign(request, keys, &got);
    buf_format(&wanted, "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s",
               keys->access_key, scope, vector->signed_headers, vector->signature);
    ck_assert_str_eq(buf_text(&got), buf_text(&wanted));
    buf_finish(&got);
    buf_finish(&wanted);
}

static const struct vector s3_vectors[] = {
    {"GET",
     "/test.txt",
     {{0}},
     {{"Range", "bytes=0-9"}},
     "",
     "/test.txt",
     "host;range;x-amz-content-sha256;x-amz-date",
     "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
    {"PUT",
     "/test$file.text",
     {{0}},
     {{"x-amz-storage-class", "REDUCED_REDUNDANCY"}, {"Date", "Fri, 24 May 2013 00:00:00 GMT"}},
     "Welcome to Amazon S3.",
     "/test%24file.text",
     "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
     "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
    {"GET",
     "/",
     {{"lifecycle", ""}},
     {{0}},
     "",
     "/?lifecycle=",
     "host;x-amz-content-sha256;x-amz-date",
     "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
    {"GET",
     "/",
     {{"prefix", "J"}, {"max-keys", "2"}},
     {{0}},
     "",
     "/?max-keys=2&prefix=J",
     "host;x-amz-content-sha256;x-amz-date",
     "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
};

START_TEST(test_s3) {
    char hash[SHA256_TEXT];
    struct sigv4_request request = request_of(&s3_vectors[_i], hash);
    check_vector(&s3_vectors[_i], &request, &s3_keys, "20130524/us-east-1/s3/aws4_request");
}
END_TEST

/* get-vanilla, get-vanilla-query-order-key-case, post-vanilla */
static const struct vector suite_vectors[] = {
    {"GET",
     "/",
     {{0}},
     {{0}},
     "",
     "/",
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"GET",
     "/",
     {{"Param2", "value2"}, {"Param1", "value1"}},
     {{0}},
     "",
     "/?Param1=value1&Param2=value2",
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"POST",
     "/",
     {{0}},
     {{0}},
     "",
     "/",
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
};

START_TEST(test_suite) {
    char hash[SHA256_TEXT];
    struct sigv4_request request = request_of(&suite_vectors[_i], hash);
    request.host = "example.amazonaws.com";
    request.service = "service";
    request.time_s = suite_day;
    check_vector(&suite_vectors[_i], &request, &suite_keys,
                 "20150830/us-east-1/service/aws4_request");
}
END_TEST

START_TEST(test_presigned) {
    static const struct vector get = {.method = "GET", .path = "/test.txt", .body = ""};
    char hash[SHA256_TEXT];
    struct buf got = {0};
    struct sigv4_request request = request_of(&get, hash);
    request.payload = SIGV4_UNSIGNED;
    sigv4_presign(&request, &s3_keys, DAY_S, &got);
    ck_assert_str_eq(
        buf_text(&got),
        "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F"
        "20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires="
        "86400&X-Amz-SignedHeaders=host&X-Amz-Signature="
        "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
    buf_finish(&got);
}
END_TEST

/* A token is signed and, in a query, encoded; the signature is another one for it. */
START_TEST(test_token) {
    static const struct vector get = {.method = "GET", .path = "/k", .body = ""};
    struct sigv4_credentials keys = s3_keys;
    char hash[SHA256_TEXT];
    struct buf got = {0};
    keys.session_token = "FwoG/+=";
    struct sigv4_request request = request_of(&get, hash);
    sigv4_sign(&request, &keys, &got);
    ck_assert_ptr_nonnull(
        strstr(buf_text(&got),
               ", SignedHeaders=host;x-amz-content-sha256;x-amz-date;x-amz-security-token, "));
    buf_clear(&got);
    sigv4_presign(&request, &keys, 60, &got);
    ck_assert_ptr_nonnull(
        strstr(buf_text(&got), "&X-Amz-Security-Token=FwoG%2F%2B%3D&X-Amz-SignedHeaders=host&"));
    buf_finish(&got);
}
END_TEST

static const struct {
    const char *path;
    const char *target;
} targets[] = {
    {"/a b+c=d&e", "/a%20b%2Bc%3Dd%26e"},
    {"//a/./../b//", "//a/./../b//"},
    {"/\xe1\x88\xb4~-._", "/%E1%88%B4~-._"},
    {"/%2f", "/%252f"},
    {"/a?b#c", "/a%3Fb%23c"},
};

START_TEST(test_target) {
    struct buf got = {0};
    struct sigv4_request request = {.path = targets[_i].path};
    sigv4_target(&request, &got);
    ck_assert_str_eq(buf_text(&got), targets[_i].target);
    buf_finish(&got);
}
END_TEST

/* Sorted by encoded name, then by encoded value; slashes are encoded too. */
START_TEST(test_query) {
    static const struct sigv4_pair query[] = {{"prefix", "a/b c"}, {"list-type", "2"}, {"p", "b"},
                                              {"p", "+"},          {"uploads", ""},    {"P", "x"}};
    struct buf got = {0};
    struct sigv4_request request = {.path = "/b", .query = query, .query_count = 6};
    sigv4_target(&request, &got);
    ck_assert_str_eq(buf_text(&got), "/b?P=x&list-type=2&p=%2B&p=b&prefix=a%2Fb%20c&uploads=");
    buf_finish(&got);
}
END_TEST

/* RFC 4231, cases 1 and 2. */
START_TEST(test_codes) {
    uint8_t code[SHA256_BYTES];
    char hex[SHA256_TEXT];
    uint8_t key[20];
    memset(key, 0x0b, sizeof(key));
    sha256_code_of(key, sizeof(key), "Hi There", 8, code);
    sha256_hex(code, hex);
    ck_assert_str_eq(hex, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    sha256_code_of("Jefe", 4, "what do ya want for nothing?", 28, code);
    sha256_hex(code, hex);
    ck_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}
END_TEST

Suite *sigv4_suite(void) {
    Suite *suite = suite_create("sigv4");
    TCase *vectors = tcase_create("published");
    tcase_add_loop_test(vectors, test_s3, 0, sizeof(s3_vectors) / sizeof(s3_vectors[0]));
    tcase_add_loop_test(vectors, test_suite, 0, sizeof(suite_vectors) / sizeof(suite_vectors[0]));
    tcase_add_test(vectors, test_presigned);
    tcase_add_test(vectors, test_codes);
    suite_add_tcase(suite, vectors);
    TCase *rules = tcase_create("rules");
    tcase_add_test(rules, test_token);
    tcase_add_loop_test(rules, test_target, 0, sizeof(targets) / sizeof(targets[0]));
    tcase_add_test(rules, test_query);
    suite_add_tcase(suite, rules);
    return suite;
}
