/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The client on libcurl, which no other file knows: see http.h. */
#include "common/http.h"

#include <curl/curl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/id.h"
#include "common/mem.h"
#include "common/places.h"
#include "common/trace.h"
#include "http_share.h"

enum {
    URL_TEXT = 512,
    HEADER_BYTES_MAX = 64 * 1024,
    POLL_MS = 100,
    RECEIVE_BYTES = 512 * 1024,
    RESERVE_BYTES_MAX = 16 << 20, /* for a body before it is there */
    CONNECTIONS_KEPT = 8,
    CONNECTION_S = 300, /* then a name is looked up anew, which may lead elsewhere by now */
    TRUST_S = 60,       /* files of authorities are read again after so long */
    RETRY_AFTER_MS_MAX = 60 * 1000,
    STALLS = 2,                 /* tries that may stall */
    ERROR_BODY_MIN = 64 * 1024, /* an error page may be larger than the answer hoped for */
};

/* A multi handle with one easy handle in it: the wait can be cut short, and the
 * connections live in the multi handle. One that shares has neither. */
struct http_client {
    CURLM *multi;
    CURL *easy;
    char error[CURL_ERROR_SIZE];
    char refused[URL_TEXT]; /* address or redirect that was not admitted last; or "" */
};

/* One request on its way. */
struct exchange {
    struct http_client *client;
    const struct http_request *request;
    struct http_response *response;
    bool is_success;
    bool is_redirect;
    bool too_large;
    int64_t given; /* bytes of the body, by request->give */
    bool giver_failed;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void init_curl(void) {
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

int http_client_create(struct http_client **out, struct err *err) {
    pthread_once(&curl_once, init_curl);
    struct http_client *client = mem_zero(1, sizeof(*client));
    client->multi = curl_multi_init();
    client->easy = curl_easy_init();
    if (client->multi == NULL || client->easy == NULL) {
        http_client_destroy(client);
        return err_set(err, ERR_INTERNAL, "libcurl can't start");
    }
    curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    *out = client;
    return 0;
}

struct http_client *http_client_create_sharing(void) {
    return mem_zero(1, sizeof(struct http_client));
}

void http_client_destroy(struct http_client *client) {
    if (client != NULL) {
        curl_easy_cleanup(client->easy);
        curl_multi_cleanup(client->multi);
        mem_free(client);
    }
}

struct http_request http_request_default(void) {
    return (struct http_request){
        .method = "GET",
        .range_first = -1,
        .max_body = 16 * 1024 * 1024,
        .connect_ms = 5000,
        .stall_bytes_s = 16 * 1024,
        .stall_s = 30,
        .redirects = 5,
    };
}

void http_public_url(const char *url, char *out, size_t size) {
    const char *scheme_end = url + strcspn(url, ":/?#");
    const char *host = strncmp(scheme_end, "://", 3) == 0 ? scheme_end + 3 : url;
    size_t host_length = strcspn(host, "/?#");
    const char *at = memrchr(host, '@', host_length);
    const char *rest = at != NULL ? at + 1 : host;
    snprintf(out, size, "%.*s%.*s", (int)(host - url), url, (int)strcspn(rest, "?#"), rest);
}

/* ---- Answers ------------------------------------------------------------------ */

const char *http_response_header(const struct http_response *response, const char *name) {
    if (response->headers.size == 0) {
        return NULL;
    }
    const char *at = (const char *)response->headers.data;
    const char *end = at + response->headers.size;
    while (at < end) { /* name NUL value NUL */
        const char *value = at + strlen(at) + 1;
        if (strcasecmp(at, name) == 0) {
            return value;
        }
        at = value + strlen(value) + 1;
    }
    return NULL;
}

void http_response_clear(struct http_response *response) {
    buf_clear(&response->body);
    buf_clear(&response->headers);
    response->status = 0;
    response->retry_after_s = 0;
}

void http_response_finish(struct http_response *response) {
    buf_finish(&response->body);
    buf_finish(&response->headers);
}

/* Where a redirect leads, resolved as libcurl will do it; owned by it, NULL where nowhere. */
static char *target_of(CURL *easy, const char *location) {
    const unsigned flags = CURLU_URLENCODE | CURLU_ALLOW_SPACE | CURLU_PATH_AS_IS;
    char *from = NULL, *to = NULL;
    CURLU *parts = curl_url();
    if (parts != NULL && curl_easy_getinfo(easy, CURLINFO_EFFECTIVE_URL, &from) == CURLE_OK &&
        from != NULL && curl_url_set(parts, CURLUPART_URL, from, CURLU_PATH_AS_IS) == CURLUE_OK &&
        curl_url_set(parts, CURLUPART_URL, location, flags) == CURLUE_OK) {
        curl_url_get(parts, CURLUPART_URL, &to, 0);
    }
    curl_url_cleanup(parts);
    return to;
}

/* Whether the header may stand there: no redirect out of the places allowed. */
static bool may_go_on(struct exchange *exchange, const char *name, const char *value) {
    struct http_client *client = exchange->client;
    const char *places = exchange->request->places;
    if (!exchange->is_redirect || places == NULL || strcasecmp(name, "location") != 0) {
        return true;
    }
    char *to = target_of(client->easy, value);
    bool may = to != NULL && places_check(places, "source", to, NULL) == 0;
    if (!may) {
        http_public_url(to != NULL ? to : value, client->refused, sizeof(client->refused));
    }
    curl_free(to);
    return may;
}

/* libcurl gives one whole line a call; a status line starts the headers anew, since
 * redirects and 100 Continue come with headers of their own. */
static size_t take_header(char *line, size_t one, size_t size, void *context) {
    struct exchange *exchange = context;
    struct buf *headers = &exchange->response->headers;
    if (size >= 5 && strncmp(line, "HTTP/", 5) == 0) {
        const char *status = memchr(line, ' ', size);
        exchange->is_success = status != NULL && status[1] == '2';
        exchange->is_redirect = status != NULL && status[1] == '3';
        buf_clear(headers);
        return one * size;
    }
    const char *colon = memchr(line, ':', size);
    if (colon == NULL || memchr(line, '\0', size) != NULL) {
        return one * size;
    }
    if (headers->size + size + 2 > HEADER_BYTES_MAX) {
        exchange->too_large = true;
        return 0;
    }
    const char *value = colon + 1;
    const char *end = line + size;
    while (value < end && (*value == ' ' || *value == '\t')) {
        value++;
    }
    while (end > value && strchr(" \t\r\n", end[-1]) != NULL) {
        end--;
    }
    size_t name_at = headers->size;
    buf_append(headers, line, (size_t)(colon - line));
    buf_u8(headers, 0);
    size_t value_at = headers->size;
    buf_append(headers, value, (size_t)(end - value));
    buf_u8(headers, 0);
    const char *kept = (const char *)headers->data;
    return may_go_on(exchange, kept + name_at, kept + value_at) ? one * size : 0;
}

/* Room for what the server says it sends, as far as that is believed. */
static void reserve_body(struct exchange *exchange, size_t most) {
    curl_off_t length = -1;
    curl_easy_getinfo(exchange->client->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length > 0 && length <= RESERVE_BYTES_MAX && (size_t)length <= most) {
        buf_reserve_exact(&exchange->response->body, (size_t)length);
    }
}

static size_t take_body(char *data, size_t one, size_t size, void *context) {
    struct exchange *exchange = context;
    struct buf *body = &exchange->response->body;
    size_t most = exchange->request->max_body;
    if (exchange->is_success && exchange->request->take != NULL) {
        return exchange->request->take(exchange->request->take_context, data, size) ? one * size
                                                                                    : 0;
    }
    if (!exchange->is_success && most < ERROR_BODY_MIN) {
        most = ERROR_BODY_MIN;
    }
    if (size > most - body->size) {
        exchange->too_large = true;
        return 0;
    }
    if (body->size == 0) {
        reserve_body(exchange, most);
    }
    buf_append(body, data, size);
    return one * size;
}

/* ---- Requests ----------------------------------------------------------------- */

static struct curl_slist *add_line(struct curl_slist *list, const char *name, const char *value) {
    char *line = mem_format("%s: %s", name, value);
    struct curl_slist *longer = curl_slist_append(list, line);
    mem_free(line);
    return longer != NULL ? longer : list;
}

static struct curl_slist *make_header_list(const struct http_request *request) {
    /* no pause for a 100 Continue, and no form type that libcurl makes up */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");
    bool typed = false;
    for (size_t i = 0; i < request->header_count; i++) {
        list = add_line(list, request->headers[i].name, request->headers[i].value);
        typed = typed || strcasecmp(request->headers[i].name, "Content-Type") == 0;
    }
    if (!typed) {
        list = curl_slist_append(list, "Content-Type:");
    }
    if (request->bearer != NULL) {
        char *value = mem_format("Bearer %s", request->bearer);
        list = add_line(list, "Authorization", value);
        mem_free(value);
    }
    if (request->if_match != NULL) {
        list = add_line(list, "If-Match", request->if_match);
    }
    if (request->trace != NULL && trace_valid(request->trace)) {
        char parent[TRACE_PARENT_TEXT];
        trace_parent(parent, request->trace);
        list = add_line(list, "traceparent", parent);
    }
    return list;
}

bool http_is_loopback(const char *url) {
    char *host = NULL;
    bool loopback = false;
    CURLU *parts = curl_url();
    if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK) {
        loopback = strcasecmp(host, "localhost") == 0 || strncmp(host, "127.", 4) == 0 ||
                   strcmp(host, "[::1]") == 0;
    }
    curl_free(host);
    curl_url_cleanup(parts);
    return loopback;
}

void http_server_of(const char *url, char out[HTTP_SERVER_TEXT]) {
    char *scheme = NULL, *host = NULL, *port = NULL;
    CURLU *parts = curl_url();
    out[0] = '\0';
    if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        snprintf(out, HTTP_SERVER_TEXT, "%s://%s:%s", scheme, host, port);
    }
    for (char *at = out; *at != '\0'; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_url_cleanup(parts);
}

static size_t give_body(char *out, size_t one, size_t size, void *context) {
    struct exchange *exchange = context;
    const struct http_request *request = exchange->request;
    size_t left = request->body_size - (size_t)exchange->given;
    size_t piece = one * size < left ? one * size : left;
    if (piece > 0 && !request->give(request->give_context, exchange->given, out, piece)) {
        exchange->giver_failed = true;
        return CURL_READFUNC_ABORT;
    }
    exchange->given += (int64_t)piece;
    return piece;
}

static int give_from(void *context, curl_off_t offset, int origin) {
    struct exchange *exchange = context;
    exchange->given = offset;
    return origin == SEEK_SET ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

static void set_giver(CURL *easy, struct exchange *exchange) {
    const struct http_request *request = exchange->request;
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->body_size);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, give_body);
    curl_easy_setopt(easy, CURLOPT_READDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, give_from);
    curl_easy_setopt(easy, CURLOPT_SEEKDATA, exchange);
}

static void set_method(CURL *easy, struct exchange *exchange) {
    const struct http_request *request = exchange->request;
    bool is_get = strcmp(request->method, "GET") == 0;
    bool is_head = strcmp(request->method, "HEAD") == 0;
    bool sends = request->body != NULL || strcmp(request->method, "POST") == 0 ||
                 strcmp(request->method, "PUT") == 0;
    if (request->give != NULL) {
        set_giver(easy, exchange);
    } else if (sends) {
        const void *body = request->body != NULL ? request->body : "";
        curl_off_t size = request->body != NULL ? (curl_off_t)request->body_size : 0;
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, size);
        curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    } else if (is_head) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    if (!is_head && (!is_get || sends)) {
        curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    }
    bool follow = (is_get || is_head) && request->redirects > 0;
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, follow ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)request->redirects);
}

static void set_limits(CURL *easy, const struct http_request *request) {
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)request->connect_ms);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)request->total_ms);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)request->stall_bytes_s);
    curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)request->stall_s);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    if (request->speed_bytes_s > 0) {
        curl_easy_setopt(easy, CURLOPT_MAX_SEND_SPEED_LARGE, (curl_off_t)request->speed_bytes_s);
        curl_easy_setopt(easy, CURLOPT_MAX_RECV_SPEED_LARGE, (curl_off_t)request->speed_bytes_s);
    }
}

static void set_transport(CURL *easy, const struct http_request *request) {
    /* one HTTP/2 connection would share one window among all ranges, and storage
     * speaks 1.1 anyhow */
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_S);
    curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)RECEIVE_BYTES);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "reelfarm/" REELFARM_VERSION);
    if (request->direct || http_is_loopback(request->url)) {
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
    if (request->gzip) {
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "gzip");
    }
    if (request->user != NULL) {
        curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(easy, CURLOPT_USERNAME, request->user);
        curl_easy_setopt(easy, CURLOPT_PASSWORD, request->password);
    }
    if (request->range_first >= 0) {
        char range[48];
        snprintf(range, sizeof(range), "%lld-%lld", (long long)request->range_first,
                 (long long)request->range_last);
        curl_easy_setopt(easy, CURLOPT_RANGE, range); /* copied */
    }
}

static void set_trust(CURL *easy, const struct http_trust *trust) {
    if (trust->ca_file != NULL) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, trust->ca_file);
        curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (trust->certificate != NULL) {
        curl_easy_setopt(easy, CURLOPT_SSLCERT, trust->certificate);
        curl_easy_setopt(easy, CURLOPT_SSLKEY, trust->key_file);
    }
    curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, (long)TRUST_S);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
}

/* Opens the socket of a connection, if its address is admitted. */
static curl_socket_t open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *to) {
    struct exchange *exchange = context;
    struct http_client *client = exchange->client;
    (void)purpose;
    if (exchange->request->admits(&to->addr)) {
        return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
    }
    if (getnameinfo(&to->addr, to->addrlen, client->refused, sizeof(client->refused), NULL, 0,
                    NI_NUMERICHOST) != 0) {
        snprintf(client->refused, sizeof(client->refused), "unknown");
    }
    return CURL_SOCKET_BAD;
}

static void set_admission(CURL *easy, struct exchange *exchange) {
    exchange->client->refused[0] = '\0';
    if (exchange->request->admits != NULL) {
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
        curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, exchange);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
    }
}

static void prepare(struct http_client *client, struct exchange *exchange,
                    struct curl_slist *headers) {
    CURL *easy = client->easy;
    curl_easy_reset(easy);
    client->error[0] = '\0';
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, client->error);
    curl_easy_setopt(easy, CURLOPT_URL, exchange->request->url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    set_method(easy, exchange);
    set_limits(easy, exchange->request);
    set_transport(easy, exchange->request);
    set_trust(easy, &exchange->request->trust);
    set_admission(easy, exchange);
}

/* Runs the transfer to its end. CURLE_ABORTED_BY_CALLBACK where it was cancelled. */
static CURLcode perform(struct http_client *client, const atomic_bool *cancel) {
    CURLcode result = CURLE_OK;
    if (curl_multi_add_handle(client->multi, client->easy) != CURLM_OK) {
        return CURLE_FAILED_INIT;
    }
    int running = 1;
    while (running > 0 && result == CURLE_OK) {
        if (curl_multi_perform(client->multi, &running) != CURLM_OK) {
            result = CURLE_FAILED_INIT;
        } else if (cancel != NULL && *cancel && running > 0) {
            result = CURLE_ABORTED_BY_CALLBACK;
        } else if (running > 0) {
            curl_multi_poll(client->multi, NULL, 0, POLL_MS, NULL);
        }
    }
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(client->multi, &left);
    if (result == CURLE_OK && message != NULL && message->msg == CURLMSG_DONE) {
        result = message->data.result;
    }
    curl_multi_remove_handle(client->multi, client->easy);
    return result;
}

/* Only those of the first rows are worth another try (measured and listed in the
 * design); what is not here is INTERNAL. */
static const struct {
    CURLcode result;
    enum err_code code;
} result_codes[] = {
    {CURLE_COULDNT_RESOLVE_HOST, ERR_UNAVAILABLE},
    {CURLE_COULDNT_CONNECT, ERR_UNAVAILABLE},
    {CURLE_PARTIAL_FILE, ERR_UNAVAILABLE},
    {CURLE_OPERATION_TIMEDOUT, ERR_TIMEOUT},
    {CURLE_SSL_CONNECT_ERROR, ERR_UNAVAILABLE},
    {CURLE_GOT_NOTHING, ERR_UNAVAILABLE},
    {CURLE_SEND_ERROR, ERR_UNAVAILABLE},
    {CURLE_RECV_ERROR, ERR_UNAVAILABLE},
    {CURLE_HTTP2_STREAM, ERR_UNAVAILABLE},
    {CURLE_ABORTED_BY_CALLBACK, ERR_CANCELLED},
    {CURLE_UNSUPPORTED_PROTOCOL, ERR_INVALID},
    {CURLE_URL_MALFORMAT, ERR_INVALID},
    {CURLE_COULDNT_RESOLVE_PROXY, ERR_INVALID},
    {CURLE_TOO_MANY_REDIRECTS, ERR_INVALID},
    {CURLE_PEER_FAILED_VERIFICATION, ERR_INVALID},
    {CURLE_SSL_CACERT_BADFILE, ERR_INVALID},
    {CURLE_SSL_CERTPROBLEM, ERR_INVALID},
    {CURLE_WEIRD_SERVER_REPLY, ERR_CORRUPT},
    {CURLE_WRITE_ERROR, ERR_CORRUPT},
    {CURLE_BAD_CONTENT_ENCODING, ERR_CORRUPT},
};

static int fail(const struct http_client *client, const struct exchange *exchange, CURLcode result,
                struct err *err) {
    char url[URL_TEXT];
    const char *method = exchange->request->method;
    http_public_url(exchange->request->url, url, sizeof(url));
    if (exchange->too_large) {
        return err_set(err, ERR_INVALID, "%s %s: the answer is larger than the %zu bytes allowed",
                       method, url, exchange->request->max_body);
    }
    if (exchange->giver_failed) {
        return err_set(err, ERR_CORRUPT, "%s %s: its body can't be read", method, url);
    }
    if (result == CURLE_ABORTED_BY_CALLBACK) {
        return err_set(err, ERR_CANCELLED, "%s %s: stopped as asked", method, url);
    }
    if (client->refused[0] != '\0' && exchange->is_redirect && result == CURLE_WRITE_ERROR) {
        return err_set(err, ERR_INVALID,
                       "%s %s: it redirects to %s, which is not within %s, where this farm's "
                       "sources are",
                       method, url, client->refused, exchange->request->places);
    }
    if (client->refused[0] != '\0' && result == CURLE_COULDNT_CONNECT) {
        return err_set(err, ERR_INVALID,
                       "%s %s: it leads to the address %s, which may not be asked", method, url,
                       client->refused);
    }
    enum err_code code = ERR_INTERNAL;
    for (size_t i = 0; i < sizeof(result_codes) / sizeof(result_codes[0]); i++) {
        code = result_codes[i].result == result ? result_codes[i].code : code;
    }
    const char *detail = client->error[0] != '\0' ? client->error : curl_easy_strerror(result);
    return err_set(err, code, "%s %s: %s", method, url, detail);
}

/* By a client's own connections. */
static int send_by(struct http_client *client, const struct http_request *request,
                   struct http_response *response, struct err *err) {
    struct exchange exchange = {.client = client, .request = request, .response = response};
    struct curl_slist *headers = make_header_list(request);
    prepare(client, &exchange, headers);
    CURLcode result = perform(client, request->cancel);
    long status = 0;
    curl_off_t retry_after = 0;
    curl_off_t ready_us = 0; /* when the request could be sent; 0: never */
    curl_easy_getinfo(client->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(client->easy, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(client->easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
    response->status = (int)status;
    response->reached = ready_us > 0;
    response->retry_after_s = retry_after;
    int code = result == CURLE_OK ? 0 : fail(client, &exchange, result, err);
    curl_easy_reset(client->easy); /* it must not hold what we free */
    curl_slist_free_all(headers);
    return code;
}

int http_send(struct http_client *client, const struct http_request *request,
              struct http_response *response, struct err *err) {
    struct http_lent *lent = NULL;
    http_response_clear(response);
    response->reached = false;
    if (client->multi != NULL) {
        return send_by(client, request, response, err);
    }
    int code = http_share_take(&lent, request, err);
    if (code == 0) {
        code = send_by(http_share_client(lent), request, response, err);
        http_share_give(lent);
    }
    return code;
}

/* ---- Statuses and retries ------------------------------------------------------ */

static const struct {
    int status;
    enum err_code code;
    const char *meaning;
} statuses[] = {
    {400, ERR_INVALID, "it finds the request wrong"},
    {401, ERR_INVALID, "it wants credentials"},
    {403, ERR_INVALID, "it forbids this"},
    {404, ERR_NOT_FOUND, "there is no such thing"},
    {408, ERR_UNAVAILABLE, "it waited too long for the request"},
    {405, ERR_INVALID, "it does not take this method there"},
    {409, ERR_CONFLICT, "it is there already or in use"},
    {410, ERR_NOT_FOUND, "it is gone for good"},
    {412, ERR_CONFLICT, "it is not in the state expected"},
    {413, ERR_INVALID, "the body is larger than it takes"},
    {416, ERR_INVALID, "it has no such range"},
    {429, ERR_UNAVAILABLE, "too many requests"},
    {500, ERR_UNAVAILABLE, "it failed inside"},
    {502, ERR_UNAVAILABLE, "what stands behind it failed"},
    {503, ERR_UNAVAILABLE, "it is overloaded or down"},
    {504, ERR_UNAVAILABLE, "what stands behind it is too slow"},
    {507, ERR_NO_SPACE, "it is full"},
};

int http_check(const struct http_request *request, const struct http_response *response,
               struct err *err) {
    if (response->status >= 200 && response->status <= 299) {
        return 0;
    }
    char url[URL_TEXT];
    http_public_url(request->url, url, sizeof(url));
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (statuses[i].status == response->status) {
            return err_set(err, statuses[i].code, "%s %s: the server answered %d, %s",
                           request->method, url, response->status, statuses[i].meaning);
        }
    }
    return err_set(err, ERR_INVALID, "%s %s: the server answered %d", request->method, url,
                   response->status);
}

struct http_retry http_retry_default(void) {
    return (struct http_retry){.attempts = 5, .first_ms = 200, .most_ms = 10 * 1000};
}

bool http_may_retry(int code) {
    return code == ERR_UNAVAILABLE || code == ERR_TIMEOUT;
}

bool http_retry_goes_on(const struct http_retry *retry, int failures, int code) {
    bool stalls_again = code == ERR_TIMEOUT && failures >= STALLS;
    return http_may_retry(code) && failures < retry->attempts && !stalls_again;
}

int64_t http_retry_pause_ms(const struct http_retry *retry, int failures, int64_t retry_after_s,
                            uint64_t (*draw)(uint64_t bound)) {
    int64_t most = retry->first_ms;
    for (int i = 1; i < failures && most < retry->most_ms; i++) {
        most *= 2;
    }
    most = most < retry->most_ms ? most : retry->most_ms;
    uint64_t (*number)(uint64_t) = draw != NULL ? draw : id_number;
    int64_t pause = (int64_t)number((uint64_t)most + 1);
    if (retry_after_s > 0) {
        int64_t asked = retry_after_s < RETRY_AFTER_MS_MAX / 1000 ? retry_after_s * 1000
                                                                  : RETRY_AFTER_MS_MAX;
        pause = pause > asked ? pause : asked;
    }
    return pause;
}

int http_send_retrying(struct http_client *client, const struct http_request *request,
                       const struct http_retry *retry, struct http_response *response,
                       struct err *err) {
    bool repeats = strcmp(request->method, "POST") != 0 && strcmp(request->method, "PATCH") != 0;
    for (int failures = 1;; failures++) {
        struct err attempt = {0};
        int code = http_send(client, request, response, &attempt);
        if (code == 0) {
            code = http_check(request, response, &attempt);
        }
        if (code == 0) {
            return 0;
        }
        if (!repeats || !http_may_retry(code) || failures >= retry->attempts) {
            return err_set(err, (enum err_code)code, "%s", attempt.message);
        }
        int64_t pause = http_retry_pause_ms(retry, failures, response->retry_after_s, NULL);
        if (!clock_sleep_ms(pause, request->cancel)) {
            return err_set(err, ERR_CANCELLED, "%s; stopped as asked", attempt.message);
        }
    }
}
