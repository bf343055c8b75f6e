/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses, signatures and answers of object stores: see s3.h. */
#include "s3.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/clock.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/xml.h"

static const int64_t YEAR_2000_S = 946684800;
static const int64_t YEAR_2200_S = 7258118400;

enum {
    HEADERS_MAX = 8, /* the caller's */
    OWN_HEADERS = 5,
    BUCKET_BYTES_MIN = 3, /* "General purpose bucket naming rules" */
    BUCKET_BYTES_MAX = 63,
    CORRECTIONS = 3, /* of region, clock and credentials, for one call */
    ERROR_TEXT_MAX = 300,
    SKEW_ALLOWED_S = 300, /* stores take 900 */
};

struct s3_client {
    char *bucket;
    char *place;
    const struct s3_choice *choice; /* borrowed */
    struct s3_account account;
    struct s3_credentials credentials;
    struct http_client *http;
    int64_t skew_s; /* the store's clock less ours */
    char *url;      /* of the latest request */
};

/* ---- Addresses -------------------------------------------------------------------- */

int s3_split(const char *url, char **bucket, const char **key, struct err *err) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char all[] = "abcdefghijklmnopqrstuvwxyz0123456789.-";
    const char *name = strstr(url, "://") + strlen("://");
    size_t length = strcspn(name, "/");
    if (length < BUCKET_BYTES_MIN || length > BUCKET_BYTES_MAX || strspn(name, all) < length ||
        strspn(name, letters) == 0 || strchr(letters, name[length - 1]) == NULL) {
        return err_set(
            err, ERR_INVALID,
            "'s3://%.*s' names no bucket; write s3://bucket/key, the bucket's name being "
            "3 to 63 of a-z 0-9 . -",
            memchr(name, '@', length) != NULL ? 0 : (int)length, name);
    }
    *bucket = mem_format("%.*s", (int)length, name);
    *key = name[length] == '/' ? name + length + 1 : name + length;
    return 0;
}

/* Name, and port where it is not the scheme's own: the Host header. */
static char *host_of(const struct s3_client *client) {
    const struct s3_account *account = &client->account;
    const char *bucket = account->path_style ? "" : client->bucket;
    const char *dot = account->path_style ? "" : ".";
    if (account->endpoint[0] == '\0') {
        return mem_format("%s%ss3.%s.amazonaws.com%s", bucket, dot, account->region,
                          strncmp(account->region, "cn-", 3) == 0 ? ".cn" : "");
    }
    const char *host = strstr(account->endpoint, "://") + strlen("://");
    size_t length = strcspn(host, "/");
    const char *usual = strncmp(account->endpoint, "https", 5) == 0 ? ":443" : ":80";
    size_t port = strlen(usual);
    if (length > port && strncmp(host + length - port, usual, port) == 0) {
        length -= port;
    }
    return mem_format("%s%s%.*s", bucket, dot, (int)length, host);
}

/* The path of a gateway before the store, if it has one; the bucket; the key. */
static char *path_of(const struct s3_client *client, const char *key) {
    const struct s3_account *account = &client->account;
    const char *host = strstr(account->endpoint, "://");
    const char *base = host != NULL ? strchr(host + strlen("://"), '/') : NULL;
    return mem_format("%s%s%s/%s", base != NULL ? base : "", account->path_style ? "/" : "",
                      account->path_style ? client->bucket : "", key);
}

static const char *scheme_of(const struct s3_client *client) {
    return strncmp(client->account.endpoint, "http:", 5) == 0 ? "http" : "https";
}

/* ---- Life ----------------------------------------------------------------------- */

int s3_client_create(struct s3_client **out, const char *bucket, const struct s3_choice *choice,
                     struct err *err) {
    struct s3_client *client = mem_zero(1, sizeof(*client));
    client->bucket = mem_string(bucket);
    client->choice = choice;
    int failed = s3_account_find(&client->account, choice, err);
    if (failed == 0) {
        client->place = mem_format("%s/%s", client->account.endpoint, bucket);
        /* no certificate is good for a name with more dots than the store's own has */
        client->account.path_style = client->account.path_style ||
                                     (!client->account.style_chosen && strchr(bucket, '.') != NULL);
        failed = s3_credentials_find(&client->credentials, choice, false, err);
    }
    if (failed != 0) {
        s3_client_destroy(client);
        return failed;
    }
    client->http = http_client_create_sharing();
    *out = client;
    return 0;
}

void s3_client_destroy(struct s3_client *client) {
    if (client != NULL) {
        http_client_destroy(client->http);
        s3_account_finish(&client->account);
        s3_credentials_finish(&client->credentials);
        mem_free(client->bucket);
        mem_free(client->place);
        mem_free(client->url);
        mem_free(client);
    }
}

const char *s3_client_place(const struct s3_client *client) {
    return client->place;
}

bool s3_client_is_kin(const struct s3_client *a, const struct s3_client *b) {
    return strcmp(a->account.endpoint, b->account.endpoint) == 0 &&
           strcmp(a->credentials.access_key, b->credentials.access_key) == 0;
}

/* ---- One request ---------------------------------------------------------------- */

/* Looks for other credentials: where those at hand are about to end, or at once where they did
 * (`refused`). Whether there are others; while there are none, the old ones are as good as any. */
static bool renew_credentials(struct s3_client *client, bool refused) {
    const struct s3_credentials *old = &client->credentials;
    int64_t now_s = clock_wall_ms() / 1000 + client->skew_s;
    if (!refused && (old->expires_s == 0 || old->expires_s > now_s + S3_RENEW_S)) {
        return false;
    }
    struct s3_credentials fresh = {0};
    bool other = s3_credentials_find(&fresh, client->choice, refused, NULL) == 0 &&
                 (strcmp(fresh.access_key, old->access_key) != 0 ||
                  strcmp(fresh.secret_key, old->secret_key) != 0);
    if (other) {
        s3_credentials_finish(&client->credentials);
        client->credentials = fresh;
    } else {
        s3_credentials_finish(&fresh);
    }
    return other;
}

/* Signs for this moment and sends. */
static int send_signed(struct s3_client *client, const struct s3_call *call,
                       const struct http_request *asked, struct http_response *response,
                       struct err *err) {
    struct http_header headers[HEADERS_MAX + OWN_HEADERS];
    struct sigv4_pair pairs[HEADERS_MAX];
    char time[SIGV4_TIME_TEXT];
    char hash[SHA256_TEXT];
    struct buf text = {0};
    struct buf authorization = {0};
    char *host = host_of(client);
    char *path = path_of(client, call->key);
    struct sigv4_credentials keys = {client->credentials.access_key, client->credentials.secret_key,
                                     client->credentials.session_token};
    struct http_request request = *asked;
    assert(asked->header_count <= HEADERS_MAX);
    for (size_t i = 0; i < asked->header_count; i++) {
        headers[i] = asked->headers[i];
        pairs[i] = (struct sigv4_pair){asked->headers[i].name, asked->headers[i].value};
    }
    if (call->sha256 == NULL) {
        sha256_hex_of(asked->body, asked->body != NULL ? asked->body_size : 0, hash);
    }
    const char *payload = call->sha256 != NULL ? call->sha256 : hash;
    const struct sigv4_request to_sign = {
        .method = asked->method,
        .host = host,
        .path = path,
        .query = call->query,
        .query_count = call->query_count,
        .headers = pairs,
        .header_count = asked->header_count,
        .payload = payload,
        .region = client->account.region,
        .service = "s3",
        .time_s = clock_wall_ms() / 1000 + client->skew_s,
    };
    sigv4_time(to_sign.time_s, time);
    sigv4_sign(&to_sign, &keys, &authorization);
    size_t count = asked->header_count;
    headers[count++] = (struct http_header){"Host", host}; /* as signed, not as rewritten */
    headers[count++] = (struct http_header){"x-amz-date", time};
    headers[count++] = (struct http_header){"x-amz-content-sha256", payload};
    headers[count++] = (struct http_header){"Authorization", buf_text(&authorization)};
    if (keys.session_token != NULL) {
        headers[count++] = (struct http_header){"x-amz-security-token", keys.session_token};
    }
    buf_format(&text, "%s://%s", scheme_of(client), host);
    sigv4_target(&to_sign, &text);
    mem_free(client->url);
    client->url = mem_string(buf_text(&text));
    request.url = client->url;
    request.headers = headers;
    request.header_count = count;
    request.trust.ca_file = client->account.ca_file;
    request.redirects = 0; /* a signature holds for one host */
    int failed = http_send(client->http, &request, response, err);
    buf_finish(&text);
    buf_finish(&authorization);
    mem_free(host);
    mem_free(path);
    return failed;
}

void s3_presign(const struct s3_client *client, const char *key, int span_s, struct s3_link *link) {
    const struct s3_credentials *keys = &client->credentials;
    const struct sigv4_credentials signer = {keys->access_key, keys->secret_key,
                                             keys->session_token};
    struct buf url = {0};
    char *host = host_of(client);
    char *path = path_of(client, key);
    const struct sigv4_request request = {
        .method = link->method,
        .host = host,
        .path = path,
        .payload = SIGV4_UNSIGNED,
        .region = client->account.region,
        .service = "s3",
        .time_s = clock_wall_ms() / 1000 + client->skew_s,
    };
    buf_format(&url, "%s://%s", scheme_of(client), host);
    sigv4_presign(&request, &signer, span_s, &url);
    link->url = mem_string(buf_text(&url));
    link->expires_s = request.time_s + span_s;
    if (keys->expires_s > 0 && keys->expires_s < link->expires_s) {
        link->expires_s = keys->expires_s;
    }
    buf_finish(&url);
    mem_free(host);
    mem_free(path);
}

void s3_link_finish(struct s3_link *link) {
    mem_free(link->url);
    *link = (struct s3_link){0};
}

/* ---- Answers -------------------------------------------------------------------- */

/* What an <Error> says; "" where it does not. */
struct answer {
    char code[S3_CODE_TEXT];
    char message[ERROR_TEXT_MAX];
    char request[S3_CODE_TEXT];
};

/* Foreign words on their way to a terminal: without control bytes. */
static void copy_text(char *out, size_t size, const char *text) {
    snprintf(out, size, "%s", text);
    for (char *c = out; *c != '\0'; c++) {
        *c = (unsigned char)*c < 0x20 || *c == 0x7f ? ' ' : *c;
    }
}

static void take_text(const struct xml_node *root, const char *name, char *out, size_t size) {
    const struct xml_node *node = xml_child(root, name);
    copy_text(out, size, node != NULL ? node->text : "");
}

static void read_answer(const struct http_response *response, struct answer *out) {
    struct arena arena = {0};
    struct xml_node *root = NULL;
    *out = (struct answer){0};
    if (response->body.size > 0 &&
        xml_read(&root, &arena, response->body.data, response->body.size, NULL) == 0 &&
        strcmp(root->name, "Error") == 0) {
        take_text(root, "Code", out->code, sizeof(out->code));
        take_text(root, "Message", out->message, sizeof(out->message));
        take_text(root, "RequestId", out->request, sizeof(out->request));
    }
    arena_finish(&arena);
    const char *id = http_response_header(response, "x-amz-request-id");
    if (out->request[0] == '\0' && id != NULL) {
        copy_text(out->request, sizeof(out->request), id);
    }
}

void s3_error_code(const struct http_response *response, char out[S3_CODE_TEXT]) {
    struct answer answer;
    read_answer(response, &answer);
    memcpy(out, answer.code, S3_CODE_TEXT);
}

/* "Sun, 29 Nov 2026 12:00:00 GMT"; 0 for another text and for a time that can't be. */
static int64_t date_of(const struct http_response *response) {
    const char *text = http_response_header(response, "Date");
    struct tm parts = {0};
    const char *end = text != NULL ? strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &parts) : NULL;
    int64_t time_s = end != NULL && *end == '\0' ? (int64_t)timegm(&parts) : 0;
    return time_s >= YEAR_2000_S && time_s < YEAR_2200_S ? time_s : 0;
}

/* Where the bucket is, as a refusal tells; "" where it does not. */
static void read_region(const struct http_response *response, char out[S3_CODE_TEXT]) {
    const char *header = http_response_header(response, "x-amz-bucket-region");
    struct arena arena = {0};
    struct xml_node *root = NULL;
    out[0] = '\0';
    if (header != NULL) {
        snprintf(out, S3_CODE_TEXT, "%s", header);
    } else if (response->body.size > 0 &&
               xml_read(&root, &arena, response->body.data, response->body.size, NULL) == 0) {
        take_text(root, "Region", out, S3_CODE_TEXT);
    }
    arena_finish(&arena);
}

static bool take_region(struct s3_client *client, const struct http_response *response) {
    char region[S3_CODE_TEXT];
    bool may_tell = response->status == 301 || response->status == 307 || response->status == 400 ||
                    response->status == 403;
    if (may_tell) {
        read_region(response, region);
    }
    if (!may_tell || !s3_region_valid(region) || strcmp(region, client->account.region) == 0) {
        return false;
    }
    mem_free(client->account.region);
    client->account.region = mem_string(region);
    return true;
}

/* An answer to HEAD has no body: there its time alone can tell. */
static bool take_time(struct s3_client *client, const struct http_response *response,
                      const char *code) {
    int64_t date_s = date_of(response);
    int64_t skew_s = date_s - clock_wall_ms() / 1000;
    int64_t change_s = skew_s > client->skew_s ? skew_s - client->skew_s : client->skew_s - skew_s;
    bool is_cause = strcmp(code, "RequestTimeTooSkewed") == 0 || code[0] == '\0';
    if (!is_cause || date_s == 0 || change_s <= SKEW_ALLOWED_S) {
        return false;
    }
    client->skew_s = skew_s;
    return true;
}

/* Takes from a refusal what makes the next try right; false where there is nothing. */
static bool correct(struct s3_client *client, const struct http_response *response) {
    char code[S3_CODE_TEXT];
    if (take_region(client, response)) {
        return true;
    }
    if (response->status != 403 && response->status != 400) {
        return false;
    }
    s3_error_code(response, code);
    if (strcmp(code, "ExpiredToken") == 0) {
        return renew_credentials(client, true);
    }
    return take_time(client, response, code);
}

int s3_send(struct s3_client *client, const struct s3_call *call, struct http_request *request,
            struct http_response *response, struct err *err) {
    int failed = 0;
    http_response_clear(response);
    renew_credentials(client, false);
    for (int i = 0; failed == 0 && i <= CORRECTIONS; i++) {
        failed = send_signed(client, call, request, response, err);
        request->url = client->url;
        if (failed != 0 || !correct(client, response)) {
            break;
        }
    }
    return failed;
}

/* What codes mean for us ("Error responses" of the API Reference; the last are RGW's and
 * Swift's) and what to do about them. */
static const struct meaning {
    const char *code;
    enum err_code means;
    const char *advice;
} meanings[] = {
    {"NoSuchBucket", ERR_NOT_FOUND, "check the bucket's name and AWS_ENDPOINT_URL"},
    {"NoSuchKey", ERR_NOT_FOUND, NULL},
    {"NoSuchUpload", ERR_NOT_FOUND, NULL},
    {"AccessDenied", ERR_INVALID, "give these credentials the right to it"},
    {"InvalidAccessKeyId", ERR_INVALID, "check AWS_ACCESS_KEY_ID and the profile"},
    {"SignatureDoesNotMatch", ERR_INVALID, "check AWS_SECRET_ACCESS_KEY and the profile"},
    {"InvalidToken", ERR_INVALID, "check AWS_SESSION_TOKEN"},
    {"ExpiredToken", ERR_INVALID, "take new temporary credentials"},
    {"RequestTimeTooSkewed", ERR_INVALID, "set this machine's clock"},
    {"EntityTooLarge", ERR_INVALID, NULL},
    {"PreconditionFailed", ERR_CONFLICT, NULL},
    {"ConditionalRequestConflict", ERR_UNAVAILABLE, NULL},
    {"OperationAborted", ERR_UNAVAILABLE, NULL},
    {"RequestTimeout", ERR_UNAVAILABLE, NULL},
    {"SlowDown", ERR_UNAVAILABLE, NULL},
    {"ServiceUnavailable", ERR_UNAVAILABLE, NULL},
    {"InternalError", ERR_UNAVAILABLE, NULL},
    {"BadDigest", ERR_UNAVAILABLE, NULL},
    {"XAmzContentSHA256Mismatch", ERR_UNAVAILABLE, NULL},
    {"IncompleteBody", ERR_UNAVAILABLE, NULL},
    {"NotImplemented", ERR_UNSUPPORTED, NULL},
    {"QuotaExceeded", ERR_NO_SPACE, "make room there or raise the quota"},
};

static const struct meaning *meaning_of(const char *code) {
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strcmp(meanings[i].code, code) == 0) {
            return &meanings[i];
        }
    }
    return NULL;
}

int s3_check(const struct s3_client *client, const struct s3_call *call,
             const struct http_request *request, const struct http_response *response,
             struct err *err) {
    struct answer answer;
    struct err plain = {0};
    struct buf text = {0};
    bool is_fine = response->status >= 200 && response->status <= 299;
    if (is_fine) {
        return 0;
    }
    http_check(request, response, &plain);
    read_answer(response, &answer);
    const struct meaning *meaning = meaning_of(answer.code);
    buf_format(&text, "%s s3://%s/%s: the store answered %d", request->method, client->bucket,
               call->key, response->status);
    buf_format(&text, answer.code[0] != '\0' ? " %s" : "%s", answer.code);
    buf_format(&text, answer.message[0] != '\0' ? ", '%s'" : "%s", answer.message);
    buf_format(&text, answer.request[0] != '\0' ? " (request %s)" : "%s", answer.request);
    const char *advice = meaning != NULL ? meaning->advice : NULL;
    if (answer.code[0] == '\0' && response->status == 403) { /* HEAD: no word of why */
        advice = "check the credentials and their rights there";
    }
    buf_format(&text, advice != NULL ? "; %s" : "%s", advice != NULL ? advice : "");
    int failed = err_set(err, meaning != NULL ? meaning->means : plain.code, "%s", buf_text(&text));
    buf_finish(&text);
    return failed;
}

/* Whether the store may be asked again: for POST only where it said that it did nothing. */
static bool may_repeat(const struct http_request *request, const struct http_response *response) {
    bool refused = response->status == 503 || response->status == 429;
    return strcmp(request->method, "POST") != 0 || refused;
}

int s3_send_retrying(struct s3_client *client, const struct s3_call *call,
                     struct http_request *request, const struct http_retry *retry,
                     struct http_response *response, struct err *err) {
    for (int failures = 1;; failures++) {
        struct err attempt = {0};
        int code = s3_send(client, call, request, response, &attempt);
        if (code == 0) {
            code = s3_check(client, call, request, response, &attempt);
        }
        if (code == 0) {
            return 0;
        }
        if (!http_retry_goes_on(retry, failures, code) || !may_repeat(request, response)) {
            return err_set(err, (enum err_code)code, "%s", attempt.message);
        }
        int64_t pause = http_retry_pause_ms(retry, failures, response->retry_after_s, NULL);
        if (!clock_sleep_ms(pause, request->cancel)) {
            return err_set(err, ERR_CANCELLED, "%s; stopped as asked", attempt.message);
        }
    }
}
