/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects in a store that speaks S3: s3://bucket/key. Sources are read as blob_ranges.h says;
 * their identity is ETag and size, wherever they lie. A small object is put by one request
 * whose signature holds for its bytes, a large one in parts (s3_parts.h).
 *
 * BLOB_CREATE is If-None-Match: * where the store keeps to it, which the first creation of a
 * process in a bucket finds out; else, and for what goes in parts, it is a look before the write,
 * and two writers at one time are kept apart by who gives out the work (ARCHITECTURE section 5).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "blob_backend.h"
#include "blob_ranges.h"
#include "common/clock.h"
#include "common/delivery.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/xml.h"
#include "s3.h"
#include "s3_parts.h"

enum {
    ONE_PUT_BYTES_MAX = BLOB_WHOLE_BYTES,
    PLACES_MAX = 64, /* buckets whose ways are remembered */
    LIST_BYTES_MAX = 8 << 20,
};

/* What an object says of its own bytes, in hex: written with it, read back by blob_get. */
#define CONTENT_HASH "x-amz-meta-sha256"

/* By which a cache before the store forgets a title: title-TITLE (workers/edges/edge_pull.c). */
#define SURROGATE_KEY "x-amz-meta-surrogate-key"

/* ---- Sources ------------------------------------------------------------------- */

struct s3_source {
    char *bucket;
    char *key;
    struct s3_client *client;
};

static int send_range(void *context, struct http_request *request, struct http_response *response,
                      struct err *err) {
    const struct s3_source *state = context;
    const struct s3_call call = {.key = state->key};
    return s3_send(state->client, &call, request, response, err);
}

static int check_range(void *context, const struct http_request *request,
                       const struct http_response *response, struct err *err) {
    const struct s3_source *state = context;
    const struct s3_call call = {.key = state->key};
    return s3_check(state->client, &call, request, response, err);
}

static void close_source(void *context) {
    struct s3_source *state = context;
    s3_client_destroy(state->client);
    mem_free(state->bucket);
    mem_free(state->key);
    mem_free(state);
}

static const struct ranges_server server = {send_range, check_range, close_source};

static int s3_source_open(struct blob_source *source, const char *url, struct err *err) {
    const char *key = NULL;
    struct s3_source *state = mem_zero(1, sizeof(*state));
    int failed = s3_split(url, &state->bucket, &key, err);
    if (failed == 0 && key[0] == '\0') {
        failed = err_set(err, ERR_INVALID, "'%.200s' names a bucket; name an object in it", url);
    }
    if (failed == 0) {
        state->key = mem_string(key);
        failed = s3_client_create(&state->client, state->bucket, source->options.s3, err);
    }
    if (failed != 0) {
        close_source(state);
        return failed;
    }
    return ranges_open(source, &server, state, "s3", url, err);
}

/* ---- Roots --------------------------------------------------------------------- */

struct s3_root {
    char *bucket;
    char *prefix; /* with a slash at its end, or "" */
    struct s3_client *client;
    struct http_response response;
};

static int s3_open(struct blob *blob, const char *url, struct err *err) {
    const char *prefix = NULL;
    struct s3_root *state = mem_zero(1, sizeof(*state));
    blob->state = state;
    int failed = s3_split(url, &state->bucket, &prefix, err);
    if (failed != 0) {
        return failed;
    }
    size_t length = strlen(prefix);
    while (length > 0 && prefix[length - 1] == '/') {
        length--;
    }
    state->prefix = mem_format("%.*s%s", (int)length, prefix, length > 0 ? "/" : "");
    return s3_client_create(&state->client, state->bucket, blob->options.s3, err);
}

static void s3_close(struct blob *blob) {
    struct s3_root *state = blob->state;
    if (state != NULL) {
        s3_client_destroy(state->client);
        http_response_finish(&state->response);
        mem_free(state->bucket);
        mem_free(state->prefix);
        mem_free(state);
    }
}

static bool s3_is_same(const struct blob *a, const struct blob *b) {
    const struct s3_root *one = a->state;
    const struct s3_root *other = b->state;
    return strcmp(s3_client_place(one->client), s3_client_place(other->client)) == 0 &&
           strcmp(one->prefix, other->prefix) == 0;
}

static struct http_request request_of(const struct blob *blob, const char *method) {
    struct http_request request = http_request_default();
    request.method = method;
    request.stall_s = blob->options.stall_s;
    request.cancel = blob->options.cancel;
    request.trace = blob->options.trace;
    return request;
}

/* Sends a request for a key below the root, with retries. `sha256` is its body's, or NULL. */
static int send_known(struct blob *blob, const char *key, const char *sha256,
                      struct http_request *request, struct err *err) {
    struct s3_root *state = blob->state;
    struct http_retry retry = http_retry_default();
    char *full = mem_format("%s%s", state->prefix, key);
    const struct s3_call call = {.key = full, .sha256 = sha256};
    retry.attempts = blob->options.attempts;
    int failed = s3_send_retrying(state->client, &call, request, &retry, &state->response, err);
    mem_free(full);
    return failed;
}

static int send_for_key(struct blob *blob, const char *key, struct http_request *request,
                        struct err *err) {
    return send_known(blob, key, NULL, request, err);
}

/* Whether the body is what was put, as far as the object tells: TCP's sums miss a changed byte
 * in some millions of damaged packets, and documents are copied from here to stable names. */
static bool is_as_put(const struct http_response *response) {
    const char *put = http_response_header(response, CONTENT_HASH);
    char got[SHA256_TEXT];
    sha256_hex_of(response->body.data, response->body.size, got);
    return put == NULL || strcmp(put, got) == 0;
}

static int s3_get(struct blob *blob, const char *key, size_t max, struct buf *out,
                  struct err *err) {
    struct s3_root *state = blob->state;
    const struct http_retry retry = http_retry_default();
    struct http_request request = request_of(blob, "GET");
    request.max_body = max;
    if (out->size == 0) { /* its room is read into */
        buf_finish(&state->response.body);
        buf_swap(out, &state->response.body);
    }
    for (int failures = 1;; failures++) {
        int failed = send_for_key(blob, key, &request, err);
        if (failed != 0) {
            return failed;
        }
        if (is_as_put(&state->response)) {
            break;
        }
        if (failures >= blob->options.attempts ||
            !clock_sleep_ms(http_retry_pause_ms(&retry, failures, 0, NULL), request.cancel)) {
            return err_set(err, ERR_CORRUPT, "'%s' in '%s' has other bytes than were put there",
                           key, blob->name);
        }
    }
    buf_move(out, &state->response.body);
    return 0;
}

static const char *s3_got_header(const struct blob *blob, const char *name) {
    const struct s3_root *state = blob->state;
    const char *value = http_response_header(&state->response, name);
    return value != NULL ? value : "";
}

static int s3_stat(struct blob *blob, const char *key, int64_t *size, struct err *err) {
    const struct s3_root *state = blob->state;
    struct http_request request = request_of(blob, "HEAD");
    int failed = send_for_key(blob, key, &request, err);
    if (failed != 0) {
        return failed;
    }
    const char *length = http_response_header(&state->response, "Content-Length");
    if (length == NULL) {
        return err_set(err, ERR_UNSUPPORTED, "the store of '%s' doesn't say how large '%s' is",
                       blob->name, key);
    }
    *size = strtoll(length, NULL, 10);
    return 0;
}

static int s3_remove(struct blob *blob, const char *key, struct err *err) {
    struct err why = {0};
    struct http_request request = request_of(blob, "DELETE");
    int failed = send_for_key(blob, key, &request, &why);
    char code[S3_CODE_TEXT];
    s3_error_code(&((struct s3_root *)blob->state)->response, code);
    if (failed == ERR_NOT_FOUND && strcmp(code, "NoSuchBucket") != 0) {
        return 0;
    }
    return failed == 0 ? 0 : err_pass(err, &why);
}

/* ---- Writing --------------------------------------------------------------------- */

enum { HEADERS_MAX = 5, TITLE_TEXT = 256 };

/* What is put, and under which name. All borrowed. */
struct body {
    const char *key;
    const void *data;
    size_t size;
    const char *sha256; /* NULL: not known */
};

/* Of one object. */
struct description {
    char hash[SHA256_TEXT];
    char surrogate[TITLE_TEXT];
    struct http_header headers[HEADERS_MAX]; /* borrow from here, and from the key */
    size_t count;
};

/* Keys of a root are TITLE/path (ARCHITECTURE section 8), and a title may be called anything. */
static void describe(struct description *out, const struct body *body, bool only_new) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    const char *key = body->key;
    const char *slash = strchr(key, '/');
    const char *type = delivery_type(key);
    struct http_header *headers = out->headers;
    size_t count = 0;
    if (body->sha256 != NULL) {
        snprintf(out->hash, sizeof(out->hash), "%s", body->sha256);
    } else {
        sha256_hex_of(body->data, body->size, out->hash);
    }
    headers[count++] =
        (struct http_header){"Content-Type", type != NULL ? type : "application/octet-stream"};
    headers[count++] =
        (struct http_header){"Cache-Control", delivery_caching(slash != NULL ? slash + 1 : key)};
    headers[count++] = (struct http_header){CONTENT_HASH, out->hash};
    size_t title = strspn(key, plain);
    if (key[title] == '/' && title < TITLE_TEXT - sizeof("title-")) {
        snprintf(out->surrogate, sizeof(out->surrogate), "title-%.*s", (int)title, key);
        headers[count++] = (struct http_header){SURROGATE_KEY, out->surrogate};
    }
    if (only_new) {
        headers[count++] = (struct http_header){"If-None-Match", "*"};
    }
    out->count = count;
}

/* What the object says of itself is what the signature holds for. */
static int put_whole(struct blob *blob, const struct body *body, bool only_new, struct err *err) {
    struct description description;
    struct http_request request = request_of(blob, "PUT");
    describe(&description, body, only_new);
    request.headers = description.headers;
    request.header_count = description.count;
    request.body = body->data != NULL ? body->data : "";
    request.body_size = body->size;
    return send_known(blob, body->key, description.hash, &request, err);
}

static int put_parts(struct blob *blob, const struct body *body, bool only_new, struct err *err) {
    const struct s3_root *state = blob->state;
    struct description description;
    char *full = mem_format("%s%s", state->prefix, body->key);
    struct http_request request = request_of(blob, "POST");
    struct http_retry retry = http_retry_default();
    describe(&description, body, false);
    request.headers = description.headers;
    request.header_count = description.count;
    retry.attempts = blob->options.attempts;
    int failed =
        s3_parts_put(state->client, full, &request, &retry, body->data, body->size, only_new, err);
    mem_free(full);
    return failed;
}

/* Which buckets keep to If-None-Match, for the whole process. */
static pthread_mutex_t places_mutex = PTHREAD_MUTEX_INITIALIZER;
static struct {
    char *place;
    bool conditional;
} places[PLACES_MAX];
static int place_count;

static bool recall(const char *place, bool *conditional) {
    bool known = false;
    pthread_mutex_lock(&places_mutex);
    for (int i = 0; i < place_count && !known; i++) {
        known = strcmp(places[i].place, place) == 0;
        *conditional = known ? places[i].conditional : *conditional;
    }
    pthread_mutex_unlock(&places_mutex);
    return known;
}

static void remember(const char *place, bool conditional) {
    pthread_mutex_lock(&places_mutex);
    if (place_count < PLACES_MAX) {
        places[place_count].place = mem_string(place);
        places[place_count++].conditional = conditional;
    }
    pthread_mutex_unlock(&places_mutex);
}

static int refuse_present(struct blob *blob, const char *key, struct err *err) {
    struct err why = {0};
    int64_t size = 0;
    int failed = s3_stat(blob, key, &size, &why);
    if (failed == 0) {
        return err_set(err, ERR_CONFLICT, "'%s' is there already in '%s'", key, blob->name);
    }
    return failed == ERR_NOT_FOUND ? 0 : err_pass(err, &why);
}

/* The first creation in a bucket tells what its store can: put twice, the second must be refused.
 * So nothing but the object itself is ever there, whenever we are killed. A store that doesn't
 * know the header refuses the first (501) or takes both, which are equal. */
static int create_first(struct blob *blob, const struct body *body, struct err *err) {
    const struct s3_root *state = blob->state;
    const char *place = s3_client_place(state->client);
    struct err why = {0};
    int failed = put_whole(blob, body, true, &why);
    if (failed == 0) {
        int again = put_whole(blob, body, true, NULL);
        if (again == 0 || again == ERR_CONFLICT) {
            remember(place, again == ERR_CONFLICT);
        }
        return 0;
    }
    if (failed == ERR_UNSUPPORTED || state->response.status == 501) {
        remember(place, false);
        return put_whole(blob, body, false, err);
    }
    if (failed == ERR_CONFLICT) { /* another was quicker, or our own first try was heard */
        remember(place, true);
    }
    return err_pass(err, &why);
}

/* Of what goes in parts the store is told each part's hash, which says nothing of the whole. */
static int check_hash(const struct blob *blob, const struct body *body, struct err *err) {
    char hash[SHA256_TEXT] = "";
    if (body->sha256 == NULL || body->sha256[0] == '\0') {
        return 0;
    }
    sha256_hex_of(body->data, body->size, hash);
    return strcmp(hash, body->sha256) == 0
               ? 0
               : err_set(err, ERR_UNAVAILABLE, "'%s' has changed on its way to '%s'", body->key,
                         blob->name);
}

static int s3_put(struct blob *blob, const char *key, const void *data, size_t size,
                  const char *sha256, enum blob_put_mode mode, struct err *err) {
    const struct s3_root *state = blob->state;
    const struct body body = {key, data, size, sha256};
    bool is_large = size > ONE_PUT_BYTES_MAX;
    bool conditional = false;
    bool known = recall(s3_client_place(state->client), &conditional);
    bool creates = mode == BLOB_CREATE;
    int failed = is_large ? check_hash(blob, &body, err) : 0;
    if (failed == 0 && creates && (is_large || !conditional)) {
        failed = refuse_present(blob, key, err);
    }
    if (failed != 0) {
        return failed;
    }
    if (creates && !is_large && !known) {
        return create_first(blob, &body, err);
    }
    bool only_new = creates && conditional;
    return is_large ? put_parts(blob, &body, only_new, err) : put_whole(blob, &body, only_new, err);
}

/* CopyObject, which keeps what was said of the object when it was put. It may find out too late
 * that it fails, and says so in a 200. */
static int s3_copy(struct blob *blob, const char *key, const struct blob *from,
                   const char *from_key, struct err *err) {
    const struct s3_root *state = blob->state;
    const struct s3_root *origin = from->state;
    struct buf source = {0};
    char code[S3_CODE_TEXT];
    if (!s3_client_is_kin(state->client, origin->client)) {
        return err_set(err, ERR_UNSUPPORTED, "'%s' and '%s' are not of one store and account",
                       from->name, blob->name);
    }
    char *path = mem_format("/%s/%s%s", origin->bucket, origin->prefix, from_key);
    const struct sigv4_request named = {.path = path};
    sigv4_target(&named, &source);
    const struct http_header header = {"x-amz-copy-source", buf_text(&source)};
    struct http_request request = request_of(blob, "PUT");
    request.headers = &header;
    request.header_count = 1;
    int failed = send_for_key(blob, key, &request, err);
    s3_error_code(&state->response, code);
    if (failed == 0 && code[0] != '\0') {
        failed = err_set(err, ERR_UNAVAILABLE, "the store could not copy '%s' to '%s': %s", path,
                         blob->name, code);
    }
    buf_finish(&source);
    mem_free(path);
    return failed;
}

/* ---- Listing --------------------------------------------------------------------- */

struct listing {
    const struct s3_root *state;
    blob_visit *visit;
    void *context;
    char *next; /* owned: the token of the next page; NULL: none */
};

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

/* Of encoding-type=url, in place: some stores write a blank as "+", none leaves one so. */
static void decode(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0'; from++, to++) {
        int high = *from == '%' ? hex_digit(from[1]) : -1;
        int low = high >= 0 ? hex_digit(from[2]) : -1;
        *to = *from == '+' ? ' ' : *from;
        if (low >= 0) {
            *to = (char)(high * 16 + low);
            from += 2;
        }
    }
    *to = '\0';
}

static int visit_entry(const struct listing *listing, const struct xml_node *entry, bool encoded,
                       struct err *err) {
    const struct xml_node *key = xml_child(entry, "Key");
    const struct xml_node *size = xml_child(entry, "Size");
    size_t prefix = strlen(listing->state->prefix);
    if (key == NULL || size == NULL) {
        return err_set(err, ERR_CORRUPT, "the store's listing of '%s' has an entry without a key",
                       listing->state->bucket);
    }
    char *name = mem_string(key->text);
    if (encoded) {
        decode(name);
    }
    int failed = 0;
    bool below = strncmp(name, listing->state->prefix, prefix) == 0;
    const char *rest = below ? name + prefix : "";
    size_t length = strlen(rest);
    /* hidden names and what some tools put for a folder are no objects of ours */
    bool hidden = rest[0] == '.' || strstr(rest, "/.") != NULL;
    if (length > 0 && rest[length - 1] != '/' && !hidden) {
        failed = listing->visit(listing->context, rest, strtoll(size->text, NULL, 10), err);
    }
    mem_free(name);
    return failed;
}

/* A page is the last where the store says so; one that is not must say how to go on, else what
 * is missing would be taken for what is not there. */
static int find_next(struct listing *listing, const struct xml_node *root, struct err *err) {
    const struct xml_node *cut = xml_child(root, "IsTruncated");
    const struct xml_node *token = xml_child(root, "NextContinuationToken");
    const char *next = token != NULL ? token->text : "";
    bool goes_on = cut != NULL ? strcmp(cut->text, "true") == 0 : next[0] != '\0';
    bool is_list = strcmp(root->name, "ListBucketResult") == 0;
    bool repeats = listing->next != NULL && strcmp(listing->next, next) == 0;
    if (!is_list || (goes_on && (next[0] == '\0' || repeats))) {
        return err_set(err, ERR_CORRUPT,
                       "the store's listing of '%s' %s; it must know ListObjectsV2",
                       listing->state->bucket,
                       is_list ? "breaks off and doesn't say how to go on" : "is none");
    }
    mem_free(listing->next);
    listing->next = goes_on ? mem_string(next) : NULL;
    return 0;
}

static int visit_page(struct listing *listing, struct err *err) {
    const struct http_response *response = &listing->state->response;
    struct arena arena = {0};
    struct xml_node *root = NULL;
    int failed = xml_read(&root, &arena, response->body.data, response->body.size, err);
    if (failed != 0) {
        err_wrap(err, "the store's listing of '%s'", listing->state->bucket);
    } else {
        bool encoded = xml_child(root, "EncodingType") != NULL;
        failed = find_next(listing, root, err);
        for (const struct xml_node *entry = xml_child(root, "Contents");
             failed == 0 && entry != NULL; entry = xml_again(entry)) {
            failed = visit_entry(listing, entry, encoded, err);
        }
    }
    arena_finish(&arena);
    return failed;
}

static int s3_list(struct blob *blob, const char *prefix, blob_visit *visit, void *context,
                   struct err *err) {
    struct s3_root *state = blob->state;
    struct http_retry retry = http_retry_default();
    struct listing listing = {state, visit, context, NULL};
    char *full = mem_format("%s%s", state->prefix, prefix);
    int failed = 0;
    retry.attempts = blob->options.attempts;
    do {
        const struct sigv4_pair query[] = {
            {"list-type", "2"},
            {"encoding-type", "url"},
            {"prefix", full},
            {"continuation-token", listing.next},
        };
        const struct s3_call call = {
            .key = "", .query = query, .query_count = listing.next != NULL ? 4 : 3};
        struct http_request request = request_of(blob, "GET");
        request.max_body = LIST_BYTES_MAX;
        failed = s3_send_retrying(state->client, &call, &request, &retry, &state->response, err);
        if (failed == 0) {
            failed = visit_page(&listing, err);
        }
    } while (failed == 0 && listing.next != NULL);
    mem_free(listing.next);
    mem_free(full);
    return failed;
}

static int s3_abandon(struct blob *blob, const char *prefix, struct err *err) {
    const struct s3_root *state = blob->state;
    struct http_request request = request_of(blob, "GET");
    struct http_retry retry = http_retry_default();
    char *full = mem_format("%s%s", state->prefix, prefix);
    retry.attempts = blob->options.attempts;
    request.max_body = LIST_BYTES_MAX;
    int failed = s3_parts_abandon(state->client, full, &request, &retry, err);
    mem_free(full);
    return failed;
}

static const char *const schemes[] = {"s3", NULL};

const struct blob_backend blob_s3_backend = {
    .schemes = schemes,
    .source_open = s3_source_open,
    .source_read = ranges_read,
    .source_read_alone = ranges_read_alone,
    .source_close = ranges_close,
    .open = s3_open,
    .close = s3_close,
    .is_same = s3_is_same,
    .get = s3_get,
    .got_header = s3_got_header,
    .stat = s3_stat,
    .put = s3_put,
    .copy = s3_copy,
    .list = s3_list,
    .remove = s3_remove,
    .abandon = s3_abandon,
};
