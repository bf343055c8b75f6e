/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose account and credentials are taken for object storage. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "common/s3_account.h"
#include "fixture.h"

Suite *s3_account_suite(void);

#define EMPTY "Content-Length: 0\r\n\r\n"

static struct fixture_stub stub;
static char *folder;
static struct err err;

static void setup(void) {
    folder = fixture_folder();
    fixture_store_unknown(folder);
    err = (struct err){0};
}

static void teardown(void) {
    fixture_folder_drop(folder);
}

static void check_said(const char *part) {
    ck_assert_msg(strstr(err.message, part) != NULL, "'%s' is not in '%s'", part, err.message);
    ck_assert_msg(strstr(err.message, "hush") == NULL, "%s", err.message);
}

static void check_asked(int request, const char *part) {
    ck_assert_msg(strstr(stub.requests[request], part) != NULL, "'%s' is not in '%s'", part,
                  stub.requests[request]);
}

static const char config[] = "# both of AWS's files\n"
                             "[default]\n"
                             "region = eu-central-1\n"
                             "s3 =\n"
                             "  addressing_style = path\n"
                             "[profile other]\n"
                             "region=us-west-2\r\n"
                             "endpoint_url = https://store.example:443/\n"
                             "[profile third]\n"
                             "ec2 =\n"
                             "    endpoint_url = http://wrong\n"
                             "s3 =\n"
                             "    endpoint_url = http://right:9000/gate\n"
                             "    addressing_style = virtual\n";

static const struct {
    const char *variable;
    const char *value;
    const char *endpoint;
    const char *region;
    bool path_style;
} accounts[] = {
    {"AWS_PROFILE", "", "", "eu-central-1", true},
    {"AWS_PROFILE", "other", "https://store.example:443", "us-west-2", true},
    {"AWS_PROFILE", "third", "http://right:9000/gate", "us-east-1", false},
    {"AWS_CONFIG_FILE", "/dev/null", "", "us-east-1", false},
    {"AWS_REGION", "RegionOne", "", "RegionOne", true},
    {"AWS_REGION", "ap-south-1", "", "ap-south-1", true},
    {"AWS_ENDPOINT_URL", "http://a:1//", "http://a:1", "eu-central-1", true},
    {"AWS_ENDPOINT_URL_S3", "http://b:1", "http://b:1", "eu-central-1", true},
    {"REELFARM_S3_STYLE", "host", "", "eu-central-1", false},
};

START_TEST(an_account_is_found_as_others_find_it) {
    struct s3_account account;
    fixture_write(folder, ".aws/config", config, strlen(config));
    setenv(accounts[_i].variable, accounts[_i].value, 1);
    ck_assert_msg(s3_account_find(&account, NULL, &err) == 0, "%s", err.message);
    ck_assert_str_eq(account.endpoint, accounts[_i].endpoint);
    ck_assert_str_eq(account.region, accounts[_i].region);
    ck_assert_int_eq(account.path_style, accounts[_i].path_style);
    s3_account_finish(&account);
}
END_TEST

static const struct {
    const char *variable;
    const char *value;
    const char *message;
} wrong_accounts[] = {
    {"AWS_ENDPOINT_URL", "store:9000", "'store:9000' is no http(s) URL"},
    {"AWS_ENDPOINT_URL", "https://KEY:hush@store", "'' is no http(s) URL"},
    {"AWS_REGION", "us east", "'us east' is no name"},
    {"REELFARM_S3_STYLE", "both", "'both' is not known; write path or host"},
    {"AWS_PROFILE", "nobody", "the profile 'nobody' is in none of AWS's files; check AWS_PROFILE"},
    {"AWS_CONFIG_FILE", "/nowhere/config", "set AWS_CONFIG_FILE to another file"},
    {"AWS_SHARED_CREDENTIALS_FILE", "/tmp", "set AWS_SHARED_CREDENTIALS_FILE to another file"},
};

START_TEST(a_wrong_account_is_named) {
    struct s3_account account;
    setenv(wrong_accounts[_i].variable, wrong_accounts[_i].value, 1);
    ck_assert_int_eq(s3_account_find(&account, NULL, &err), ERR_INVALID);
    check_said(wrong_accounts[_i].message);
}
END_TEST

static const struct {
    struct s3_choice choice;
    const char *endpoint;
    const char *region;
    const char *access_key; /* NULL: refused, and this is what the sentence has: */
    const char *words;
} choices[] = {
    {{.access_key = "C", .secret_key = "hush"}, "", "us-east-1", "C", ""},
    {{.access_key = "C", .secret_key = "hush", .region = "eu-south-1", .endpoint = "http://c:1/"},
     "http://c:1",
     "eu-south-1",
     "C",
     ""},
    {{.profile = "other"}, "https://store.example:443", "us-west-2", "B", ""},
    {{.profile = "other", .region = "x"}, "https://store.example:443", "x", "B", ""},
    {{.profile = "third"}, "http://right:9000/gate", "us-east-1", NULL, "no aws_access_key_id"},
    {{.profile = "nobody"}, "", "", NULL, "'nobody' is in none of AWS's files; check its name"},
    {{.access_key = "C", .secret_key = "hush", .endpoint = "c:1"}, "", "", NULL, "no http(s) URL"},
};

/* What the environment says is of the worker's own store. */
START_TEST(a_chosen_account_takes_nothing_of_the_environment_s) {
    static const char keys[] = "[other]\naws_access_key_id = B\naws_secret_access_key = hush\n";
    const struct s3_choice *choice = &choices[_i].choice;
    struct s3_account account = {0};
    struct s3_credentials found = {0};
    fixture_write(folder, ".aws/config", config, strlen(config));
    fixture_write(folder, ".aws/credentials", keys, strlen(keys));
    setenv("AWS_ENDPOINT_URL", "http://a:1", 1);
    setenv("AWS_REGION", "RegionOne", 1);
    setenv("AWS_PROFILE", "default", 1);
    setenv("AWS_ACCESS_KEY_ID", "A", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "hush", 1);
    int failed = s3_account_find(&account, choice, &err);
    if (failed == 0) {
        ck_assert_str_eq(account.endpoint, choices[_i].endpoint);
        ck_assert_str_eq(account.region, choices[_i].region);
        failed = s3_credentials_find(&found, choice, false, &err);
    }
    ck_assert_int_eq(failed, choices[_i].access_key != NULL ? 0 : ERR_INVALID);
    if (failed == 0) {
        ck_assert_str_eq(found.access_key, choices[_i].access_key);
        ck_assert_str_eq(found.secret_key, "hush");
    }
    check_said(choices[_i].words);
    s3_credentials_finish(&found);
    s3_account_finish(&account);
}
END_TEST

START_TEST(credentials_are_of_the_environment_then_of_the_profile) {
    static const char keys[] = "[default]\naws_access_key_id = A\naws_secret_access_key = a=b/+\n"
                               "[other]\naws_access_key_id = B\naws_secret_access_key = b\n"
                               "aws_session_token = t\n";
    struct s3_credentials found;
    ck_assert_int_eq(s3_credentials_find(&found, NULL, false, &err), ERR_INVALID);
    check_said("there are no credentials for object storage; set AWS_ACCESS_KEY_ID");
    fixture_write(folder, ".aws/credentials", keys, strlen(keys));
    ck_assert_int_eq(s3_credentials_find(&found, NULL, false, NULL), 0);
    ck_assert_str_eq(found.access_key, "A");
    ck_assert_str_eq(found.secret_key, "a=b/+");
    ck_assert_ptr_null(found.session_token);
    s3_credentials_finish(&found);
    setenv("AWS_PROFILE", "other", 1);
    ck_assert_int_eq(s3_credentials_find(&found, NULL, false, NULL), 0);
    ck_assert_str_eq(found.session_token, "t");
    s3_credentials_finish(&found);
    setenv("AWS_ACCESS_KEY_ID", "C", 1);
    setenv("AWS_SECRET_ACCESS_KEY", "c", 1);
    ck_assert_int_eq(s3_credentials_find(&found, NULL, false, NULL), 0);
    ck_assert_str_eq(found.access_key, "C");
    ck_assert_ptr_null(found.session_token);
    s3_credentials_finish(&found);
}
END_TEST

static const struct {
    const char *variable; /* set besides the file */
    const char *credentials;
    const char *config;
    int code;
    const char *message;
} half_keys[] = {
    {"AWS_ACCESS_KEY_ID", "", "", ERR_INVALID,
     "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both"},
    {"AWS_SECRET_ACCESS_KEY", "", "", ERR_INVALID,
     "AWS_SECRET_ACCESS_KEY is set and AWS_ACCESS_KEY_ID is not; set both"},
    {NULL, "[default]\naws_access_key_id = A\n", "[default]\naws_secret_access_key = b\n",
     ERR_INVALID, "'default' has only one of"},
    {NULL, "", "[default]\nrole_arn = r\nsource_profile = s\n", ERR_UNSUPPORTED,
     "'default' wants 'role_arn', which reelfarm doesn't follow"},
    {NULL, "", "[default]\ncredential_process = /bin/x\n", ERR_UNSUPPORTED, "'credential_process'"},
};

START_TEST(half_of_a_key_is_no_other_key) {
    struct s3_credentials found = {0};
    fixture_write(folder, ".aws/credentials", half_keys[_i].credentials,
                  strlen(half_keys[_i].credentials));
    fixture_write(folder, ".aws/config", half_keys[_i].config, strlen(half_keys[_i].config));
    if (half_keys[_i].variable != NULL) {
        setenv(half_keys[_i].variable, "hush", 1);
    }
    ck_assert_int_eq(s3_credentials_find(&found, NULL, false, &err), half_keys[_i].code);
    check_said(half_keys[_i].message);
    ck_assert_ptr_null(found.access_key);
}
END_TEST

#define TOKEN "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ntoken"
#define ROLE  "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nencoder"

/* The role's answer with that time of expiry. */
static char *role_answer(const char *expires) {
    char *body = mem_format("{\"Code\": \"Success\", \"AccessKeyId\": \"ROLEKEY\", "
                            "\"SecretAccessKey\": \"hush\", \"Token\": \"session\", "
                            "\"Expiration\": \"%s\"}",
                            expires);
    char *answer =
        mem_format("HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
    mem_free(body);
    return answer;
}

START_TEST(a_role_is_asked_for_and_kept_until_it_expires) {
    char *late = role_answer("2999-01-01T00:00:00Z");
    char *soon = role_answer("2001-01-01T00:00:00Z");
    const struct fixture_answer answers[] = {{TOKEN, 0}, {ROLE, 0}, {soon, 0},
                                             {TOKEN, 0}, {ROLE, 0}, {late, 0},
                                             {TOKEN, 0}, {ROLE, 0}, {late, 0}};
    struct s3_credentials found;
    fixture_stub_start(&stub, answers, 9);
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", stub.url, 1);
    for (int i = 0; i < 4; i++) {
        ck_assert_msg(s3_credentials_find(&found, NULL, false, &err) == 0, "%s", err.message);
        ck_assert_str_eq(found.access_key, "ROLEKEY");
        ck_assert_str_eq(found.session_token, "session");
        s3_credentials_finish(&found);
    }
    ck_assert_int_eq(stub.taken, 6);
    check_asked(0, "PUT /latest/api/token HTTP/1.1\r\n");
    check_asked(1, "\r\nX-aws-ec2-metadata-token: token\r\n");
    check_asked(2, "GET /latest/meta-data/iam/security-credentials/encoder HTTP/1.1\r\n");
    ck_assert_int_eq(s3_credentials_find(&found, NULL, true, NULL), 0); /* asked for anew */
    s3_credentials_finish(&found);
    ck_assert_int_eq(stub.taken, 9);
    fixture_stub_stop(&stub);
    mem_free(late);
    mem_free(soon);
}
END_TEST

/* A service that is there and fails is worth another try; none is not. */
START_TEST(a_role_that_fails_for_now_is_not_a_missing_one) {
    const struct fixture_answer answers[] = {{"HTTP/1.1 503 No\r\n" EMPTY, 0}};
    struct s3_credentials found;
    fixture_stub_start(&stub, answers, 1);
    unsetenv("AWS_EC2_METADATA_DISABLED");
    setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", stub.url, 1);
    ck_assert_int_eq(s3_credentials_find(&found, NULL, false, &err), ERR_UNAVAILABLE);
    check_said("can't be had");
    fixture_stub_stop(&stub);
    err_clear(&err);
    ck_assert_int_eq(s3_credentials_find(&found, NULL, false, &err), ERR_INVALID);
    check_said("there are no credentials for object storage, and the instance has no role");
}
END_TEST

Suite *s3_account_suite(void) {
    Suite *suite = suite_create("s3_account");
    TCase *account = tcase_create("account");
    tcase_add_checked_fixture(account, setup, teardown);
    tcase_add_loop_test(account, an_account_is_found_as_others_find_it, 0,
                        sizeof(accounts) / sizeof(accounts[0]));
    tcase_add_loop_test(account, a_wrong_account_is_named, 0,
                        sizeof(wrong_accounts) / sizeof(wrong_accounts[0]));
    tcase_add_loop_test(account, a_chosen_account_takes_nothing_of_the_environment_s, 0,
                        sizeof(choices) / sizeof(choices[0]));
    tcase_add_test(account, credentials_are_of_the_environment_then_of_the_profile);
    tcase_add_loop_test(account, half_of_a_key_is_no_other_key, 0,
                        sizeof(half_keys) / sizeof(half_keys[0]));
    tcase_add_test(account, a_role_that_fails_for_now_is_not_a_missing_one);
    tcase_add_test(account, a_role_is_asked_for_and_kept_until_it_expires);
    suite_add_tcase(suite, account);
    return suite;
}
