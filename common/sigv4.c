/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The canonical request, the string to sign, the key and the signature, in the order and
 * under the names of the Amazon S3 API Reference: see sigv4.h. */
#include "common/sigv4.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/hash.h"
#include "common/mem.h"

#define ALGORITHM "AWS4-HMAC-SHA256"

enum {
    OWN_PAIRS = 7, /* what we add to a query, and more than what we add to headers */
    PAIRS_MAX = SIGV4_PAIRS_MAX + OWN_PAIRS,
    DATE_BYTES = 8, /* of a time: its day */
};

/* Pairs on their way into the canonical request. */
struct pairs {
    size_t count;
    struct pair {
        char *name;  /* owned */
        char *value; /* owned */
    } items[PAIRS_MAX];
};

/* Adds a pair and takes both texts. */
static void pairs_add(struct pairs *pairs, char *name, char *value) {
    assert(pairs->count < PAIRS_MAX);
    pairs->items[pairs->count].name = name;
    pairs->items[pairs->count++].value = value;
}

static int compare(const void *a, const void *b) {
    const struct pair *one = a;
    const struct pair *other = b;
    int order = strcmp(one->name, other->name);
    return order != 0 ? order : strcmp(one->value, other->value);
}

static void pairs_sort(struct pairs *pairs) {
    qsort(pairs->items, pairs->count, sizeof(pairs->items[0]), compare);
}

static void pairs_finish(struct pairs *pairs) {
    for (size_t i = 0; i < pairs->count; i++) {
        mem_free(pairs->items[i].name);
        mem_free(pairs->items[i].value);
    }
}

/* ---- Encoding ------------------------------------------------------------------- */

/* All but the unreserved bytes of RFC 3986 section 2.3, and those in `besides`. */
static char *encode(const char *text, const char *besides) {
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    struct buf out = {0};
    for (; *text != '\0'; text++) {
        bool stays = strchr(plain, *text) != NULL || strchr(besides, *text) != NULL;
        buf_format(&out, stays ? "%c" : "%%%02X", (unsigned char)*text);
    }
    char *encoded = mem_string(buf_text(&out));
    buf_finish(&out);
    return encoded;
}

static char *lower_case(const char *text) {
    char *lower = mem_string(text);
    for (char *c = lower; *c != '\0'; c++) {
        *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + ('a' - 'A')) : *c;
    }
    return lower;
}

/* Without blanks at its ends, and one for several within. */
static char *trim(const char *text) {
    char *out = mem_string(text);
    char *to = out;
    for (const char *from = text; *from != '\0'; from++) {
        bool is_double = *from == ' ' && (to == out || to[-1] == ' ');
        if (!is_double) {
            *to++ = *from;
        }
    }
    while (to > out && to[-1] == ' ') {
        to--;
    }
    *to = '\0';
    return out;
}

static void append_path(const struct sigv4_request *request, struct buf *out) {
    char *path = encode(request->path, "/");
    buf_string(out, path);
    mem_free(path);
}

static void append_query(const struct pairs *query, struct buf *out) {
    for (size_t i = 0; i < query->count; i++) {
        buf_format(out, "%s%s=%s", i > 0 ? "&" : "", query->items[i].name, query->items[i].value);
    }
}

static void add_query_pair(struct pairs *query, const char *name, const char *value) {
    pairs_add(query, encode(name, ""), encode(value, ""));
}

static void query_of(const struct sigv4_request *request, struct pairs *query) {
    for (size_t i = 0; i < request->query_count; i++) {
        add_query_pair(query, request->query[i].name, request->query[i].value);
    }
    pairs_sort(query);
}

void sigv4_target(const struct sigv4_request *request, struct buf *out) {
    struct pairs query = {0};
    append_path(request, out);
    query_of(request, &query);
    buf_string(out, query.count > 0 ? "?" : "");
    append_query(&query, out);
    pairs_finish(&query);
}

void sigv4_time(int64_t time_s, char out[SIGV4_TIME_TEXT]) {
    struct tm parts;
    time_t time = (time_t)time_s;
    size_t written = gmtime_r(&time, &parts) != NULL
                         ? strftime(out, SIGV4_TIME_TEXT, "%Y%m%dT%H%M%SZ", &parts)
                         : 0;
    assert(written == SIGV4_TIME_TEXT - 1);
}

/* ---- Signing -------------------------------------------------------------------- */

static void add_header(struct pairs *headers, const char *name, const char *value) {
    pairs_add(headers, lower_case(name), trim(value));
}

static void headers_of(const struct sigv4_request *request, struct pairs *headers) {
    add_header(headers, "host", request->host);
    for (size_t i = 0; i < request->header_count; i++) {
        add_header(headers, request->headers[i].name, request->headers[i].value);
    }
}

/* Appends "host;x-amz-date". */
static void append_names(const struct pairs *headers, struct buf *out) {
    for (size_t i = 0; i < headers->count; i++) {
        buf_format(out, "%s%s", i > 0 ? ";" : "", headers->items[i].name);
    }
}

static void append_canonical(const struct sigv4_request *request, const struct pairs *query,
                             const struct pairs *headers, struct buf *out) {
    buf_format(out, "%s\n", request->method);
    append_path(request, out);
    buf_string(out, "\n");
    append_query(query, out);
    buf_string(out, "\n");
    for (size_t i = 0; i < headers->count; i++) {
        buf_format(out, "%s:%s\n", headers->items[i].name, headers->items[i].value);
    }
    buf_string(out, "\n");
    append_names(headers, out);
    buf_format(out, "\n%s", request->payload);
}

static void append_scope(const struct sigv4_request *request, struct buf *out) {
    char time[SIGV4_TIME_TEXT];
    sigv4_time(request->time_s, time);
    buf_format(out, "%.*s/%s/%s/aws4_request", DATE_BYTES, time, request->region, request->service);
}

static void signing_key(const struct sigv4_request *request, const char *secret,
                        uint8_t out[SHA256_BYTES]) {
    char time[SIGV4_TIME_TEXT];
    char *first = mem_format("AWS4%s", secret);
    sigv4_time(request->time_s, time);
    sha256_code_of(first, strlen(first), time, DATE_BYTES, out);
    sha256_code_of(out, SHA256_BYTES, request->region, strlen(request->region), out);
    sha256_code_of(out, SHA256_BYTES, request->service, strlen(request->service), out);
    sha256_code_of(out, SHA256_BYTES, "aws4_request", strlen("aws4_request"), out);
    explicit_bzero(first, strlen(first));
    mem_free(first);
}

/* Appends the signature of the request, as hex. */
static void append_signature(const struct sigv4_request *request, const char *secret,
                             const struct pairs *query, const struct pairs *headers,
                             struct buf *out) {
    char time[SIGV4_TIME_TEXT];
    char hex[SHA256_TEXT];
    uint8_t code[SHA256_BYTES];
    struct buf text = {0};
    append_canonical(request, query, headers, &text);
    sha256_hex_of(text.data, text.size, hex);
    buf_clear(&text);
    sigv4_time(request->time_s, time);
    buf_format(&text, ALGORITHM "\n%s\n", time);
    append_scope(request, &text);
    buf_format(&text, "\n%s", hex);
    signing_key(request, secret, code);
    sha256_code_of(code, SHA256_BYTES, text.data, text.size, code);
    sha256_hex(code, hex);
    buf_string(out, hex);
    buf_finish(&text);
}

void sigv4_sign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                struct buf *out) {
    char time[SIGV4_TIME_TEXT];
    struct pairs query = {0};
    struct pairs headers = {0};
    query_of(request, &query);
    headers_of(request, &headers);
    sigv4_time(request->time_s, time);
    add_header(&headers, "x-amz-date", time);
    if (strcmp(request->service, "s3") == 0) {
        add_header(&headers, "x-amz-content-sha256", request->payload);
    }
    if (credentials->session_token != NULL) {
        add_header(&headers, "x-amz-security-token", credentials->session_token);
    }
    pairs_sort(&headers);
    buf_format(out, ALGORITHM " Credential=%s/", credentials->access_key);
    append_scope(request, out);
    buf_string(out, ", SignedHeaders=");
    append_names(&headers, out);
    buf_string(out, ", Signature=");
    append_signature(request, credentials->secret_key, &query, &headers, out);
    pairs_finish(&query);
    pairs_finish(&headers);
}

void sigv4_presign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                   int expires_s, struct buf *out) {
    char time[SIGV4_TIME_TEXT];
    char expires[16];
    struct pairs query = {0};
    struct pairs headers = {0};
    struct buf text = {0};
    headers_of(request, &headers);
    pairs_sort(&headers);
    sigv4_time(request->time_s, time);
    snprintf(expires, sizeof(expires), "%d", expires_s);
    query_of(request, &query);
    add_query_pair(&query, "X-Amz-Algorithm", ALGORITHM);
    buf_format(&text, "%s/", credentials->access_key);
    append_scope(request, &text);
    add_query_pair(&query, "X-Amz-Credential", buf_text(&text));
    add_query_pair(&query, "X-Amz-Date", time);
    add_query_pair(&query, "X-Amz-Expires", expires);
    if (credentials->session_token != NULL) {
        add_query_pair(&query, "X-Amz-Security-Token", credentials->session_token);
    }
    buf_clear(&text);
    append_names(&headers, &text);
    add_query_pair(&query, "X-Amz-SignedHeaders", buf_text(&text));
    pairs_sort(&query);
    append_path(request, out);
    buf_string(out, "?");
    append_query(&query, out);
    buf_string(out, "&X-Amz-Signature=");
    append_signature(request, credentials->secret_key, &query, &headers, out);
    buf_finish(&text);
    pairs_finish(&query);
    pairs_finish(&headers);
}
