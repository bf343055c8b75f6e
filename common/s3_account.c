/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AWS's environment variables, files and metadata service: see s3_account.h. */
#include "common/s3_account.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/fs.h"
#include "common/http.h"
#include "common/json.h"
#include "common/mem.h"

enum {
    FILE_BYTES_MAX = 1 << 20,
    METADATA_BYTES_MAX = 64 * 1024,
    METADATA_MS = 2000,
};

static const char default_region[] = "us-east-1";

/* ---- Files ---------------------------------------------------------------------- */

/* Both files of the profile; empty where there is none. */
struct profile {
    const char *name;
    struct buf credentials;
    struct buf config;
};

/* The first of the variables that is set to something; NULL. */
static const char *environment(const char *first, const char *second) {
    const char *value = getenv(first);
    if ((value == NULL || value[0] == '\0') && second != NULL) {
        value = getenv(second);
    }
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int read_file(struct buf *out, const char *variable, const char *usual, struct err *err) {
    const char *named = environment(variable, NULL);
    const char *home = environment("HOME", NULL);
    if ((named == NULL && home == NULL) || (named != NULL && strcmp(named, "/dev/null") == 0)) {
        return 0;
    }
    char *path = named != NULL ? mem_string(named) : mem_format("%s/.aws/%s", home, usual);
    struct err why = {0};
    int failed = fs_read(out, path, FILE_BYTES_MAX, &why);
    mem_free(path);
    if (failed == 0 || named == NULL) { /* one that nobody named may be another user's */
        return 0;
    }
    return err_set(err, ERR_INVALID,
                   "cannot read the credentials of object storage: %s; mend it, or set %s to "
                   "another file",
                   why.message, variable);
}

static void profile_finish(struct profile *profile) {
    if (profile->credentials.data != NULL) {
        explicit_bzero(profile->credentials.data, profile->credentials.capacity);
    }
    buf_finish(&profile->credentials);
    buf_finish(&profile->config);
}

/* One line of a file, without blanks at its ends. */
struct line {
    const char *text;
    size_t length;
    bool indented;
};

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

static bool next_line(const char **at, struct line *out) {
    if (**at == '\0') {
        return false;
    }
    size_t length = strcspn(*at, "\n");
    const char *end = *at + length;
    out->text = *at;
    out->indented = is_blank(**at);
    while (out->text < end && is_blank(*out->text)) {
        out->text++;
    }
    *at = *end == '\n' ? end + 1 : end;
    while (end > out->text && is_blank(end[-1])) {
        end--;
    }
    out->length = (size_t)(end - out->text);
    return true;
}

/* "[name]", "[profile name]" */
static bool is_section(const struct line *line, const char *name) {
    static const char word[] = "profile";
    const char *at = line->text + 1;
    const char *end = line->text + line->length - 1;
    if (line->length < 2 || *end != ']') {
        return false;
    }
    if ((size_t)(end - at) > strlen(word) && strncmp(at, word, strlen(word)) == 0 &&
        is_blank(at[strlen(word)])) {
        at += strlen(word);
    }
    while (at < end && is_blank(*at)) {
        at++;
    }
    return (size_t)(end - at) == strlen(name) && strncmp(at, name, strlen(name)) == 0;
}

static bool has_section(struct buf *file, const char *name) {
    const char *at = buf_text(file);
    struct line line;
    bool found = false;
    while (!found && next_line(&at, &line)) {
        found = line.length > 0 && line.text[0] == '[' && is_section(&line, name);
    }
    return found;
}

/* Keys need no file. */
static int profile_read(struct profile *profile, const struct s3_choice *choice, struct err *err) {
    const char *name = choice != NULL ? choice->profile : environment("AWS_PROFILE", NULL);
    profile->name = name != NULL ? name : "default";
    if (choice != NULL && name == NULL) {
        return 0;
    }
    int failed =
        read_file(&profile->credentials, "AWS_SHARED_CREDENTIALS_FILE", "credentials", err);
    if (failed == 0) {
        failed = read_file(&profile->config, "AWS_CONFIG_FILE", "config", err);
    }
    if (failed == 0 && name != NULL && !has_section(&profile->credentials, name) &&
        !has_section(&profile->config, name)) {
        failed = err_set(err, ERR_INVALID,
                         "the profile '%.100s' is in none of AWS's files; check %s", name,
                         choice != NULL ? "its name" : "AWS_PROFILE");
    }
    return failed;
}

/* The value of "key = value" where the line is that; returns owned, or NULL. */
static char *value_of(const struct line *line, const char *key) {
    const char *equals = memchr(line->text, '=', line->length);
    if (equals == NULL) {
        return NULL;
    }
    const char *end = equals;
    while (end > line->text && is_blank(end[-1])) {
        end--;
    }
    if ((size_t)(end - line->text) != strlen(key) ||
        strncasecmp(line->text, key, strlen(key)) != 0) {
        return NULL;
    }
    const char *value = equals + 1;
    const char *last = line->text + line->length;
    while (value < last && is_blank(*value)) {
        value++;
    }
    return value < last ? mem_format("%.*s", (int)(last - value), value) : NULL;
}

/* The profile's value for a key, of its own or below `s3 =`; returns owned, or NULL. */
static char *find_value(struct buf *file, const char *section, const char *key) {
    const char *at = buf_text(file);
    struct line line;
    bool inside = false;
    bool below_s3 = false;
    char *found = NULL;
    while (found == NULL && next_line(&at, &line)) {
        if (line.length == 0 || line.text[0] == '#' || line.text[0] == ';') {
            continue;
        }
        if (line.text[0] == '[') {
            inside = is_section(&line, section);
            below_s3 = false;
        } else if (inside && (!line.indented || below_s3)) {
            found = value_of(&line, key);
        }
        if (!line.indented) {
            below_s3 = line.length >= 2 && strncmp(line.text, "s3", 2) == 0 &&
                       line.text[line.length - 1] == '=';
        }
    }
    return found;
}

static char *profile_value(struct profile *profile, const char *key) {
    char *value = find_value(&profile->credentials, profile->name, key);
    return value != NULL ? value : find_value(&profile->config, profile->name, key);
}

/* ---- Where ---------------------------------------------------------------------- */

/* By the environment, or what was chosen; else by the profile. */
static char *setting(struct profile *profile, const char *value, const char *key) {
    return value != NULL ? mem_string(value) : profile_value(profile, key);
}

bool s3_region_valid(const char *region) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    return region[0] != '\0' && region[strspn(region, allowed)] == '\0';
}

static int check_account(const struct s3_account *account, const char *style, struct err *err) {
    bool is_url = strncmp(account->endpoint, "http://", 7) == 0 ||
                  strncmp(account->endpoint, "https://", 8) == 0;
    if (account->endpoint[0] != '\0' && (!is_url || strpbrk(account->endpoint, "@?# ") != NULL)) {
        return err_set(err, ERR_INVALID,
                       "the endpoint of object storage '%.200s' is no http(s) URL; write it like "
                       "https://store.example:9000",
                       is_url ? "" : account->endpoint);
    }
    if (!s3_region_valid(account->region)) {
        return err_set(err, ERR_INVALID,
                       "the region of object storage '%.100s' is no name; write it like us-east-1",
                       account->region);
    }
    if (style != NULL && strcmp(style, "path") != 0 && strcmp(style, "host") != 0 &&
        strcmp(style, "virtual") != 0 && strcmp(style, "auto") != 0) {
        return err_set(err, ERR_INVALID,
                       "the style of object storage '%.100s' is not known; write path or host",
                       style);
    }
    return 0;
}

int s3_account_find(struct s3_account *out, const struct s3_choice *choice, struct err *err) {
    bool own = choice == NULL;
    struct profile profile = {0};
    char *style = NULL;
    struct s3_account account = {0};
    int failed = profile_read(&profile, choice, err);
    if (failed != 0) {
        goto out;
    }
    account.endpoint = setting(
        &profile, own ? environment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL") : choice->endpoint,
        "endpoint_url");
    account.region = setting(
        &profile, own ? environment("AWS_REGION", "AWS_DEFAULT_REGION") : choice->region, "region");
    account.ca_file = setting(&profile, environment("AWS_CA_BUNDLE", NULL), "ca_bundle");
    style =
        setting(&profile, own ? environment("REELFARM_S3_STYLE", NULL) : NULL, "addressing_style");
    account.endpoint = account.endpoint != NULL ? account.endpoint : mem_string("");
    account.region = account.region != NULL ? account.region : mem_string(default_region);
    for (size_t end = strlen(account.endpoint); end > 0 && account.endpoint[end - 1] == '/';) {
        account.endpoint[--end] = '\0';
    }
    failed = check_account(&account, style, err);
    if (failed != 0) {
        goto out;
    }
    bool chosen = style != NULL && strcmp(style, "auto") != 0;
    account.style_chosen = chosen;
    account.path_style = chosen ? strcmp(style, "path") == 0 : account.endpoint[0] != '\0';
    *out = account;
    account = (struct s3_account){0};
out:
    mem_free(style);
    s3_account_finish(&account);
    profile_finish(&profile);
    return failed;
}

void s3_account_finish(struct s3_account *account) {
    mem_free(account->endpoint);
    mem_free(account->region);
    mem_free(account->ca_file);
    *account = (struct s3_account){0};
}

/* ---- The instance's role ---------------------------------------------------------- */

/* What the whole process knows of its role, so that not every task asks. */
static pthread_mutex_t role_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct s3_credentials role_credentials;

/* One request to the metadata service; "" as path is none. */
static int ask_metadata(struct http_client *client, const char *method, const char *path,
                        const struct http_header *header, struct http_response *response,
                        struct err *err) {
    const char *base = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT", NULL);
    base = base != NULL ? base : "http://169.254.169.254";
    size_t length = strlen(base);
    length -= length > 0 && base[length - 1] == '/' ? 1 : 0;
    char *url = mem_format("%.*s/latest/%s", (int)length, base, path);
    struct http_request request = http_request_default();
    struct http_retry retry = http_retry_default();
    request.method = method;
    request.url = url;
    request.headers = header;
    request.header_count = 1;
    request.max_body = METADATA_BYTES_MAX;
    request.connect_ms = METADATA_MS;
    request.total_ms = METADATA_MS;
    request.redirects = 0;
    request.direct = true; /* a proxy must not learn the role's secret */
    retry.attempts = 2;
    int failed = http_send_retrying(client, &request, &retry, response, err);
    mem_free(url);
    return failed;
}

/* "2026-11-29T18:00:00Z"; 0 for another text. */
static int64_t time_of(const char *text) {
    struct tm parts = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return end != NULL && *end == '\0' ? (int64_t)timegm(&parts) : 0;
}

static int read_role(struct s3_credentials *out, const struct buf *body, struct err *err) {
    struct json *tree = NULL;
    int failed = json_tree_parse(&tree, body->data, body->size, err);
    if (failed != 0) {
        return failed;
    }
    const char *access_key = "";
    const char *secret_key = "";
    const char *token = "";
    const char *expires = "";
    struct reader r = reader_of(tree, "the metadata service's answer", err);
    reader_string(&r, "AccessKeyId", &access_key);
    reader_string(&r, "SecretAccessKey", &secret_key);
    reader_string(&r, "Token", &token);
    reader_string(&r, "Expiration", &expires);
    if (reader_ok(&r) && time_of(expires) == 0) {
        err_set(err, ERR_CORRUPT, "the metadata service says no time at which they expire");
    }
    if (reader_ok(&r)) {
        *out = (struct s3_credentials){mem_string(access_key), mem_string(secret_key),
                                       mem_string(token), time_of(expires)};
    }
    failed = err->code;
    json_tree_destroy(tree);
    return failed;
}

/* A session token first, then the role's name, then what it may sign with (IMDSv2). `is_there`
 * tells whether anything answers at all. */
static int ask_role(struct s3_credentials *out, bool *is_there, struct err *err) {
    static const char roles[] = "meta-data/iam/security-credentials/";
    struct http_client *client = NULL;
    struct http_response response = {0};
    char *token = NULL;
    char *path = NULL;
    int failed = http_client_create(&client, err);
    if (failed == 0) {
        struct http_header lifetime = {"X-aws-ec2-metadata-token-ttl-seconds", "300"};
        failed = ask_metadata(client, "PUT", "api/token", &lifetime, &response, err);
    }
    if (failed == 0) {
        token = mem_string(buf_text(&response.body));
        struct http_header header = {"X-aws-ec2-metadata-token", token};
        failed = ask_metadata(client, "GET", roles, &header, &response, err);
        if (failed == 0) {
            const char *name = buf_text(&response.body);
            path = mem_format("%s%.*s", roles, (int)strcspn(name, "\r\n"), name);
            failed = ask_metadata(client, "GET", path, &header, &response, err);
        }
    }
    *is_there = token != NULL || response.status > 0;
    if (failed == 0) {
        failed = read_role(out, &response.body, err);
    }
    mem_free(token);
    mem_free(path);
    http_response_finish(&response);
    http_client_destroy(client);
    return failed;
}

static void copy(struct s3_credentials *out, const struct s3_credentials *from) {
    *out = (struct s3_credentials){mem_string(from->access_key), mem_string(from->secret_key),
                                   mem_string(from->session_token), from->expires_s};
}

/* The role that the process knows, or a fresh one. */
static int take_role(struct s3_credentials *out, bool anew, bool *is_there, struct err *err) {
    struct s3_credentials fresh = {0};
    struct err why = {0};
    int64_t left_s = role_credentials.expires_s - clock_wall_ms() / 1000;
    int failed = 0;
    if (anew || left_s < S3_RENEW_S) {
        failed = ask_role(&fresh, is_there, &why);
    }
    if (fresh.access_key != NULL) {
        s3_credentials_finish(&role_credentials);
        role_credentials = fresh;
    } else if (failed != 0 && (anew || left_s <= 0)) {
        return err_pass(err, &why);
    }
    copy(out, &role_credentials); /* which may be good for some minutes still */
    return 0;
}

static int find_role(struct s3_credentials *out, bool anew, struct err *err) {
    const char *disabled = environment("AWS_EC2_METADATA_DISABLED", NULL);
    struct err why = {0};
    bool is_there = false;
    int failed = ERR_NOT_FOUND;
    if (disabled == NULL || strcasecmp(disabled, "true") != 0) {
        pthread_mutex_lock(&role_mutex);
        failed = take_role(out, anew, &is_there, &why);
        pthread_mutex_unlock(&role_mutex);
    }
    if (failed == 0) {
        return 0;
    }
    if (is_there && http_may_retry(failed)) {
        return err_set(err, ERR_UNAVAILABLE,
                       "the instance's role, whose credentials object storage needs, can't be had: "
                       "%s; try again later",
                       why.message);
    }
    return err_set(err, ERR_INVALID,
                   "there are no credentials for object storage%s%s; set AWS_ACCESS_KEY_ID and "
                   "AWS_SECRET_ACCESS_KEY, or write them to ~/.aws/credentials",
                   why.message[0] != '\0' ? ", and the instance has no role: " : "", why.message);
}

/* ---- Who ------------------------------------------------------------------------ */

/* What would give keys by a way that is not ours. */
static int check_followed(struct profile *profile, struct err *err) {
    static const char *const keys[] = {"role_arn", "sso_session", "sso_start_url",
                                       "web_identity_token_file", "credential_process"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        char *value = profile_value(profile, keys[i]);
        mem_free(value);
        if (value != NULL) {
            return err_set(err, ERR_UNSUPPORTED,
                           "the profile '%.100s' wants '%s', which reelfarm doesn't follow; give "
                           "keys, or run it where the instance has the role",
                           profile->name, keys[i]);
        }
    }
    return 0;
}

/* All three of one file; `out` is left alone where the file has none of them. */
static int take_keys(struct buf *file, const char *name, struct s3_credentials *out,
                     struct err *err) {
    struct s3_credentials found = {
        .access_key = find_value(file, name, "aws_access_key_id"),
        .secret_key = find_value(file, name, "aws_secret_access_key"),
        .session_token = find_value(file, name, "aws_session_token"),
    };
    if (found.access_key != NULL && found.secret_key != NULL) {
        *out = found;
        return 0;
    }
    bool is_half = found.access_key != NULL || found.secret_key != NULL;
    s3_credentials_finish(&found);
    return !is_half ? 0
                    : err_set(err, ERR_INVALID,
                              "the profile '%.100s' has only one of aws_access_key_id and "
                              "aws_secret_access_key; write both",
                              name);
}

static int find_in_profile(struct s3_credentials *out, const struct s3_choice *choice,
                           struct err *err) {
    struct profile profile = {0};
    int failed = profile_read(&profile, choice, err);
    if (failed == 0) {
        failed = take_keys(&profile.credentials, profile.name, out, err);
    }
    if (failed == 0 && out->access_key == NULL) {
        failed = take_keys(&profile.config, profile.name, out, err);
    }
    if (failed == 0 && out->access_key == NULL) {
        failed = check_followed(&profile, err);
    }
    profile_finish(&profile);
    return failed;
}

static int find_chosen(struct s3_credentials *out, const struct s3_choice *choice,
                       struct err *err) {
    if (choice->access_key != NULL) {
        *out = (struct s3_credentials){mem_string(choice->access_key),
                                       mem_string(choice->secret_key), NULL, 0};
        return 0;
    }
    struct s3_credentials found = {0};
    int failed = find_in_profile(&found, choice, err);
    if (failed == 0 && found.access_key == NULL) {
        return err_set(err, ERR_INVALID,
                       "the profile '%.100s' has no aws_access_key_id; write its keys to "
                       "~/.aws/credentials",
                       choice->profile);
    }
    if (failed == 0) {
        *out = found;
    }
    return failed;
}

int s3_credentials_find(struct s3_credentials *out, const struct s3_choice *choice, bool anew,
                        struct err *err) {
    if (choice != NULL) {
        return find_chosen(out, choice, err);
    }
    const char *access_key = environment("AWS_ACCESS_KEY_ID", NULL);
    const char *secret_key = environment("AWS_SECRET_ACCESS_KEY", NULL);
    struct s3_credentials found = {0};
    if ((access_key == NULL) != (secret_key == NULL)) {
        return err_set(err, ERR_INVALID, "%s is set and %s is not; set both or none",
                       access_key != NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
                       access_key != NULL ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    }
    if (access_key != NULL) {
        *out = (struct s3_credentials){mem_string(access_key), mem_string(secret_key),
                                       mem_string(environment("AWS_SESSION_TOKEN", NULL)), 0};
        return 0;
    }
    int failed = find_in_profile(&found, NULL, err);
    if (failed == 0 && found.access_key == NULL) {
        return find_role(out, anew, err);
    }
    if (failed == 0) {
        *out = found;
    }
    return failed;
}

void s3_credentials_finish(struct s3_credentials *credentials) {
    if (credentials->secret_key != NULL) {
        explicit_bzero(credentials->secret_key, strlen(credentials->secret_key));
    }
    mem_free(credentials->access_key);
    mem_free(credentials->secret_key);
    mem_free(credentials->session_token);
    *credentials = (struct s3_credentials){0};
}
