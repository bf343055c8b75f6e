/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects behind a web server, read only. Sources are read as blob_ranges.h says. */
#include <stdlib.h>
#include <string.h>

#include "blob_backend.h"
#include "blob_ranges.h"
#include "common/address.h"
#include "common/http.h"
#include "common/mem.h"

/* ---- Sources ------------------------------------------------------------------- */

struct http_source {
    char *url; /* owned, with all that a message must not name */
    struct http_client *client;
    bool public_only;
    char *places; /* owned; NULL: any */
};

static int send_range(void *context, struct http_request *request, struct http_response *response,
                      struct err *err) {
    struct http_source *state = context;
    request->url = state->url;
    request->admits = state->public_only ? address_is_public : NULL;
    request->places = state->places;
    return http_send(state->client, request, response, err);
}

static int check_range(void *context, const struct http_request *request,
                       const struct http_response *response, struct err *err) {
    (void)context;
    return http_check(request, response, err);
}

static void close_source(void *context) {
    struct http_source *state = context;
    http_client_destroy(state->client);
    mem_free(state->places);
    mem_free(state->url);
    mem_free(state);
}

static const struct ranges_server server = {send_range, check_range, close_source};

static int http_source_open(struct blob_source *source, const char *url, struct err *err) {
    struct http_source *state = mem_zero(1, sizeof(*state));
    state->url = mem_string(url);
    state->public_only = source->options.public_only;
    state->places = source->options.places == NULL ? NULL : mem_string(source->options.places);
    state->client = http_client_create_sharing();
    return ranges_open(source, &server, state, NULL, url, err);
}

/* ---- Roots --------------------------------------------------------------------- */

struct http_root {
    char *path;  /* owned: the URL up to its query, no slash at its end */
    char *query; /* owned: with its '?', or "" */
    struct http_client *client;
    struct http_response response;
};

static int http_open(struct blob *blob, const char *url, struct err *err) {
    struct http_root *state = mem_zero(1, sizeof(*state));
    (void)err;
    blob->state = state;
    size_t length = strcspn(url, "?#");
    state->query = mem_format("%.*s", (int)strcspn(url + length, "#"), url + length);
    while (length > 0 && url[length - 1] == '/') {
        length--;
    }
    state->path = mem_format("%.*s", (int)length, url);
    state->client = http_client_create_sharing();
    return 0;
}

static void http_close(struct blob *blob) {
    struct http_root *state = blob->state;
    if (state != NULL) {
        http_client_destroy(state->client);
        http_response_finish(&state->response);
        mem_free(state->path);
        mem_free(state->query);
        mem_free(state);
    }
}

/* Percent-encodes all but the unreserved bytes and slashes (RFC 3986 section 2). */
static char *url_of(const struct http_root *state, const char *key) {
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    struct buf url = {0};
    buf_format(&url, "%s/", state->path);
    for (; *key != '\0'; key++) {
        buf_format(&url, strchr(plain, *key) != NULL ? "%c" : "%%%02X", (unsigned char)*key);
    }
    buf_string(&url, state->query);
    char *text = mem_string(buf_text(&url));
    buf_finish(&url);
    return text;
}

static int send_for_key(struct blob *blob, const char *method, const char *key, size_t max,
                        struct err *err) {
    struct http_root *state = blob->state;
    char *url = url_of(state, key);
    struct http_header origin = {"Origin", blob->options.origin};
    struct http_request request = http_request_default();
    struct http_retry retry = http_retry_default();
    retry.attempts = blob->options.attempts;
    request.method = method;
    request.url = url;
    request.max_body = max;
    request.gzip = strcmp(method, "GET") == 0;
    request.stall_s = blob->options.stall_s;
    request.cancel = blob->options.cancel;
    request.trace = blob->options.trace;
    if (blob->options.origin != NULL) {
        request.headers = &origin;
        request.header_count = 1;
    }
    int code = http_send_retrying(state->client, &request, &retry, &state->response, err);
    mem_free(url);
    return code;
}

static int http_get(struct blob *blob, const char *key, size_t max, struct buf *out,
                    struct err *err) {
    struct http_root *state = blob->state;
    if (out->size == 0) { /* its room is read into */
        buf_finish(&state->response.body);
        buf_swap(out, &state->response.body);
    }
    int code = send_for_key(blob, "GET", key, max, err);
    if (code == 0) {
        buf_move(out, &state->response.body);
    }
    return code;
}

static const char *http_got_header(const struct blob *blob, const char *name) {
    const struct http_root *state = blob->state;
    const char *value = http_response_header(&state->response, name);
    return value != NULL ? value : "";
}

static int http_stat(struct blob *blob, const char *key, int64_t *size, struct err *err) {
    const struct http_root *state = blob->state;
    int code = send_for_key(blob, "HEAD", key, 0, err);
    if (code != 0) {
        return code;
    }
    const char *length = http_response_header(&state->response, "Content-Length");
    if (length == NULL) {
        return err_set(err, ERR_UNSUPPORTED, "the server of '%s' doesn't say how large '%s' is",
                       blob->name, key);
    }
    *size = strtoll(length, NULL, 10);
    return 0;
}

static const char *const schemes[] = {"http", "https", NULL};

const struct blob_backend blob_http_backend = {
    .schemes = schemes,
    .source_open = http_source_open,
    .source_read = ranges_read,
    .source_read_alone = ranges_read_alone,
    .source_close = ranges_close,
    .open = http_open,
    .close = http_close,
    .get = http_get,
    .got_header = http_got_header,
    .stat = http_stat,
};
