/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each range proves that it is of the version that was opened: If-Match where the server
 * gives a strong ETag, and the validator and the total of Content-Range of every answer
 * (RFC 9110 sections 8.8, 13.1.1, 14.4). See blob_ranges.h.
 */
#include "blob_ranges.h"

#include <stdio.h>
#include <string.h>

#include "block_cache.h"
#include "common/clock.h"
#include "common/hash.h"
#include "common/mem.h"
#include "read_ahead.h"

enum { SPAN_PIECES = 10 /* of what a reader wants, a piece is one: a tenth may be read in vain */ };

struct ranges {
    const struct ranges_server *server;
    void *context; /* owned: the server's */
    char *store;   /* owned; NULL: ETags mean nothing without the URL */
    char *url;     /* owned */
    struct http_response response;
    struct block_cache *cache;
    struct buf window; /* what the cache asked for, so far as it has arrived */
    /* What is above, but the cache, is the reader's while no piece is on its way. */
    struct read_ahead *ahead;
    int64_t refused_at; /* where the last such piece would begin that did not come; -1: it came */
    int64_t run_from;   /* where the reader is going on in order: since, */
    int64_t run_to;     /* and up to where */
    const atomic_bool *cancel;   /* of requests */
    struct blob_traffic traffic; /* of such pieces, not counted yet */
    struct blob_traffic *counts; /* what requests count in */
};

/* ---- What an answer says about itself ------------------------------------------- */

/* "bytes 0-99/1234". A total of "*" is no total. */
static bool read_content_range(const struct http_response *response, int64_t *first, int64_t *last,
                               int64_t *total) {
    const char *text = http_response_header(response, "Content-Range");
    long long numbers[3];
    int end = 0;
    if (text == NULL ||
        sscanf(text, "bytes %lld-%lld/%lld%n", &numbers[0], &numbers[1], &numbers[2], &end) != 3 ||
        text[end] != '\0') {
        return false;
    }
    *first = numbers[0];
    *last = numbers[1];
    *total = numbers[2];
    return *first >= 0 && *last >= *first && *total > *last;
}

static bool is_strong(const char *etag) {
    return etag != NULL && etag[0] == '"';
}

/* The best validator of an answer as a pin: what is equal while the object is. */
static void read_pin(const struct http_response *response, char out[BLOB_PIN_TEXT]) {
    const char *etag = http_response_header(response, "ETag");
    const char *modified = http_response_header(response, "Last-Modified");
    if (is_strong(etag)) {
        snprintf(out, BLOB_PIN_TEXT, "etag:%s", etag);
    } else if (modified != NULL) {
        snprintf(out, BLOB_PIN_TEXT, "modified:%s", modified);
    } else {
        snprintf(out, BLOB_PIN_TEXT, "%s%s", etag != NULL ? "etag:" : "", etag != NULL ? etag : "");
    }
}

static void make_identity(const struct ranges *state, struct blob_facts *facts) {
    if (facts->pin[0] == '\0') {
        return;
    }
    bool by_content = state->store != NULL && strncmp(facts->pin, "etag:\"", 6) == 0;
    const char *of = by_content ? state->store : state->url;
    char hash[SHA256_TEXT];
    char *text = mem_format("%s\n%s\n%lld", of, facts->pin, (long long)facts->size);
    sha256_hex_of(text, strlen(text), hash);
    snprintf(facts->identity, sizeof(facts->identity), "etag:%s", hash);
    mem_free(text);
}

/* ---- Sources ------------------------------------------------------------------- */

static struct http_request range_request(const struct blob_source *source, int64_t offset,
                                         size_t size) {
    struct http_request request = http_request_default();
    request.range_first = offset;
    request.range_last = offset + (int64_t)size - 1;
    request.max_body = size;
    request.stall_s = source->options.stall_s;
    request.cancel = ((const struct ranges *)source->state)->cancel;
    request.trace = source->options.trace;
    return request;
}

static int no_ranges(const struct blob_source *source, struct err *err) {
    return err_set(err, ERR_UNSUPPORTED,
                   "the server of '%s' doesn't answer byte ranges, which reading from there needs; "
                   "turn them on there, or download the file first",
                   source->name);
}

/* Whether the answer is a piece from where it was asked for, of the version that is
 * open, and how many bytes it promises. */
static int check_piece(const struct blob_source *source, const struct http_request *request,
                       int64_t *promised, struct err *err) {
    const struct ranges *state = source->state;
    const struct http_response *response = &state->response;
    int64_t first = 0;
    int64_t last = 0;
    int64_t total = 0;
    char pin[BLOB_PIN_TEXT];
    if (response->status == 412 || response->status == 416) {
        return blob_changed(source, err);
    }
    if (response->status != 206) {
        struct err why = {0};
        return state->server->check(state->context, request, response, &why) != 0
                   ? blob_cannot_read("the source", &why, err)
                   : no_ranges(source, err);
    }
    if (!read_content_range(response, &first, &last, &total) || first != request->range_first ||
        last > request->range_last) {
        return err_set(err, ERR_CORRUPT,
                       "cannot read the source: the server of '%s' answered a byte range that was "
                       "not asked for; download the file first",
                       source->name);
    }
    *promised = last - first + 1;
    read_pin(response, pin);
    return blob_source_expect(source, total, pin, err);
}

/* Sends a request and counts it. The error is put off: what has arrived may say more. */
static int send_counted(struct blob_source *source, struct http_request *request,
                        struct err *put_off) {
    struct ranges *state = source->state;
    int code = state->server->send(state->context, request, &state->response, put_off);
    state->counts->requests++;
    state->counts->bytes += (int64_t)state->response.body.size;
    return code;
}

/* One try to fetch what is missing of a window; an answer that breaks off leaves what
 * it brought, so that the next try goes on from there. */
static int fetch_rest(struct blob_source *source, int64_t offset, size_t size, struct err *err) {
    struct ranges *state = source->state;
    const struct buf *body = &state->response.body;
    struct http_request request =
        range_request(source, offset + (int64_t)state->window.size, size - state->window.size);
    if (strncmp(source->facts.pin, "etag:\"", 6) == 0) {
        request.if_match = source->facts.pin + strlen("etag:");
    }
    struct err put_off = {0};
    int64_t promised = 0;
    int sent = send_counted(source, &request, &put_off);
    int status = state->response.status;
    if (sent == 0 || status == 206 || status == 200) { /* a 200 may break off as too large */
        int code = check_piece(source, &request, &promised, err);
        if (code != 0) {
            return code;
        }
        buf_append(&state->window, body->data, body->size);
    }
    if (sent != 0) {
        return blob_cannot_read("the source", &put_off, err);
    }
    return (int64_t)body->size == promised
               ? 0
               : err_set(err, ERR_CORRUPT,
                         "cannot read the source: the server of '%s' gave %zu bytes for %lld; "
                         "download the file first",
                         source->name, body->size, (long long)promised);
}

/* 0 to try once more after a failure, having waited; else the error of giving up. */
static int go_on(const struct blob_source *source, int failures, const struct err *attempt,
                 struct err *err) {
    const struct ranges *state = source->state;
    struct http_retry retry = http_retry_default();
    retry.attempts = source->options.attempts;
    if (!http_retry_goes_on(&retry, failures, attempt->code)) {
        return err_pass(err, attempt);
    }
    int64_t pause = http_retry_pause_ms(&retry, failures, state->response.retry_after_s, NULL);
    if (!clock_sleep_ms(pause, source->options.cancel)) {
        return err_set(err, ERR_CANCELLED, "reading '%s' was stopped as asked", source->name);
    }
    return 0;
}

static int fetch_blocks(void *context, int64_t offset, size_t size, const uint8_t **data,
                        struct err *err) {
    struct blob_source *source = context;
    struct ranges *state = source->state;
    int failures = 0;
    buf_clear(&state->window);
    while (state->window.size < size) {
        struct err attempt = {0};
        size_t before = state->window.size;
        if (fetch_rest(source, offset, size, &attempt) != 0) {
            /* What breaks off but moves begins anew; what stalls moves too little. */
            bool moves = state->window.size > before && attempt.code != ERR_TIMEOUT;
            failures = moves ? 1 : failures + 1;
            int code = go_on(source, failures, &attempt, err);
            if (code != 0) {
                return code;
            }
        }
    }
    *data = state->window.data;
    return 0;
}

/* One try to fetch the first block, which tells size and validator. A 200 that ends
 * within a block is the whole object. */
static int fetch_first(struct blob_source *source, struct err *err) {
    struct ranges *state = source->state;
    const struct http_response *response = &state->response;
    int64_t first = 0;
    int64_t last = 0;
    struct http_request request = range_request(source, 0, BLOCK_BYTES);
    struct err put_off = {0};
    int sent = send_counted(source, &request, &put_off);
    if (response->status == 200 && sent == ERR_INVALID) {
        return no_ranges(source, err);
    }
    const char *range = http_response_header(response, "Content-Range");
    /* only of an empty object are the first bytes out of range (RFC 9110 14.1.2) */
    bool is_empty = response->status == 416 && (range == NULL || strcmp(range, "bytes */0") == 0);
    if (sent == 0 && !is_empty) {
        sent = state->server->check(state->context, &request, response, &put_off);
    }
    if (sent != 0) {
        return blob_cannot_read("the source", &put_off, err);
    }
    source->facts = (struct blob_facts){.size = is_empty ? 0 : (int64_t)response->body.size};
    if (response->status == 206 &&
        (!read_content_range(response, &first, &last, &source->facts.size) || first != 0 ||
         last + 1 != (int64_t)response->body.size)) {
        return err_set(err, ERR_CORRUPT,
                       "cannot read the source: the server of '%s' doesn't say how large it is; "
                       "download the file first",
                       source->name);
    }
    read_pin(response, source->facts.pin);
    make_identity(state, &source->facts);
    return 0;
}

/* In the thread of read_ahead: one try, since who waits for the piece tries again, and says why. */
static bool fetch_ahead(void *context, int64_t offset, size_t size, const atomic_bool *stop) {
    struct blob_source *source = context;
    struct ranges *state = source->state;
    state->cancel = stop;
    state->counts = &state->traffic;
    buf_clear(&state->window);
    bool whole = fetch_rest(source, offset, size, NULL) == 0;
    state->cancel = source->options.cancel;
    state->counts = &source->traffic;
    return whole;
}

int ranges_open(struct blob_source *source, const struct ranges_server *server, void *context,
                const char *store, const char *url, struct err *err) {
    struct ranges *state = mem_zero(1, sizeof(*state));
    source->state = state;
    state->server = server;
    state->context = context;
    state->store = mem_string(store);
    state->url = mem_string(url);
    state->ahead = read_ahead_create(fetch_ahead, source);
    state->cancel = source->options.cancel;
    state->counts = &source->traffic;
    for (int failures = 1;; failures++) {
        struct err attempt = {0};
        int code = fetch_first(source, &attempt);
        if (code == 0) {
            break;
        }
        code = go_on(source, failures, &attempt, err);
        if (code != 0) {
            return code;
        }
    }
    state->cache = block_cache_create(source->facts.size, fetch_blocks, source);
    block_cache_seed(state->cache, state->response.body.data, state->response.body.size);
    return 0;
}

/* Takes a piece that was fetched beside. */
static void take_ahead(struct blob_source *source) {
    struct ranges *state = source->state;
    int64_t offset = 0;
    size_t size = 0;
    bool is_whole = read_ahead_take(state->ahead, source->options.cancel, &offset, &size);
    if (is_whole) {
        block_cache_put(state->cache, offset, state->window.data, size);
    }
    state->refused_at = is_whole ? -1 : offset;
    source->traffic.requests += state->traffic.requests;
    source->traffic.bytes += state->traffic.bytes;
    state->traffic = (struct blob_traffic){0};
}

/* Sees where the reader is, and what it is still sure to want there. */
static void follow(struct blob_source *source, int64_t offset, size_t size) {
    struct ranges *state = source->state;
    int64_t end = offset + (int64_t)size;
    if (offset < state->run_from || offset > state->run_to + BLOCK_BYTES) {
        state->run_from = offset;
        state->run_to = end;
    }
    state->run_to = end > state->run_to ? end : state->run_to;
    if (source->span > 0) {
        block_cache_limit(state->cache, source->span / BLOCK_BYTES / SPAN_PIECES,
                          state->run_from + source->sure);
    } else {
        block_cache_limit(state->cache, BLOCK_AHEAD_MAX, INT64_MAX);
    }
}

int ranges_read(struct blob_source *source, int64_t offset, void *out, size_t size,
                struct err *err) {
    struct ranges *state = source->state;
    if (read_ahead_is_begun(state->ahead) &&
        (!read_ahead_is_running(state->ahead) || !block_cache_has(state->cache, offset, size))) {
        take_ahead(source);
    }
    follow(source, offset, size);
    int code = block_cache_read(state->cache, offset, out, size, err);
    int64_t next = 0;
    size_t next_size = 0;
    if (code == 0 && !read_ahead_is_begun(state->ahead) &&
        block_cache_foresee(state->cache, offset + (int64_t)size, &next, &next_size) &&
        next != state->refused_at) { /* whoever needs it asks with pauses between tries */
        read_ahead_begin(state->ahead, next, next_size);
    }
    return code;
}

int ranges_read_alone(struct blob_source *source, int64_t offset, void *out, size_t size,
                      struct err *err) {
    struct ranges *state = source->state;
    if (read_ahead_is_begun(state->ahead)) {
        take_ahead(source);
    }
    if (block_cache_has(state->cache, offset, size)) {
        return block_cache_read(state->cache, offset, out, size, err);
    }
    const uint8_t *data = NULL;
    int code = fetch_blocks(source, offset, size, &data, err);
    if (code == 0) {
        memcpy(out, data, size);
    }
    return code;
}

void ranges_close(struct blob_source *source) {
    struct ranges *state = source->state;
    if (state != NULL) {
        read_ahead_destroy(state->ahead);
        block_cache_destroy(state->cache);
        http_response_finish(&state->response);
        buf_finish(&state->window);
        state->server->close(state->context);
        mem_free(state->store);
        mem_free(state->url);
        mem_free(state);
    }
}
