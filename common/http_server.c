/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The HTTP server over libmicrohttpd: see http_server.h. */
#include "common/http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/condition.h"
#include "common/json.h"
#include "common/mem.h"
#include "common/tls.h"
#include "http_peers.h"

static const char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2";

enum {
    TLS_OPTIONS = 5,
    HEADER_BYTES_MAX = 32 << 10,
    TARGET_BYTES_MAX = 4096,
    PARAMETERS_MAX = 64,         /* of a query */
    BODY_BYTES_PER_S = 64 << 10, /* slower than that is too slow */
    BODY_BYTES_SMALL = 16 << 10, /* taken however much is held: heartbeats go on */
    FLUSH_MS = 500,              /* for last answers to reach their clients */
    STREAM_BLOCK_BYTES = 16 << 10,
};

/* A request with what the library knows of it. */
struct request {
    struct exchange exchange; /* first: exchanges are handed out */
    struct http_server *server;
    struct MHD_Connection *connection;
    struct peer *peer;
    char *target; /* raw, owned; path and query point into it */
    int refused;  /* status of a refusal found early; 0: none */
    const char *why;
    struct MHD_Response *response;
    int status;
    bool handed; /* to the handler */
    atomic_bool suspended;
    int lengths;       /* Content-Length headers seen */
    size_t held;       /* bytes of the body that were kept */
    int64_t most_body; /* as the option says */
    struct http_stream stream;
    struct buf piece; /* of the stream */
    size_t taken;     /* bytes of the piece */
    bool streams;
};

struct http_server {
    struct MHD_Daemon *daemon;
    struct http_server_options options;
    struct peers *peers;
    int64_t body_bytes;     /* held; used by the server's thread alone */
    int64_t stranger_bytes; /* of them; likewise */
    pthread_mutex_t mutex;  /* guards what follows */
    pthread_cond_t wake;    /* of stop */
    int unanswered;         /* exchanges with the handler, and pieces of streams that are owed */
    int unsent;             /* exchanges that were handed out and have not ended */
    bool closing;           /* streams end, pieces are asked for no more */
    bool asks_clients;      /* for certificates; never changes */
};

struct http_server_options http_server_options_default(void) {
    return (struct http_server_options){
        .host = "127.0.0.1",
        .max_body = 32 << 20,
        .request_ms = 10000,
        .idle_ms = 30000,
        .connections = 8192,
        .body_bytes = 128 << 20,
        .strangers = 2048,
        .strangers_per_address = 256,
    };
}

/* ---- connections ------------------------------------------------------------------- */

static struct peer *add_peer(struct http_server *server, struct MHD_Connection *connection) {
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    /* A host that has vanished says nothing: what is sent to it must be acknowledged. */
    unsigned unheard_ms = (unsigned)server->options.idle_ms;
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unheard_ms, sizeof(unheard_ms));
    return peer_add(server->peers, fd, clock_monotonic_ms() + server->options.request_ms);
}

static void on_connection(void *context, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = add_peer(context, connection);
    } else if (*socket_context != NULL) {
        peer_drop(*socket_context);
        *socket_context = NULL;
    }
}

/* Waits for the handler. The library does not bear it twice. */
static void suspend(struct request *request) {
    bool was = atomic_exchange(&request->suspended, true);
    assert(!was);
    MHD_suspend_connection(request->connection);
}

/* What the handler owed has come; from here on the request may be freed. */
static void resume(struct request *request) {
    bool was = atomic_exchange(&request->suspended, false);
    assert(was); /* it was owed, once */
    MHD_resume_connection(request->connection);
}

/* ---- a request comes in ---------------------------------------------------------- */

static void refuse(struct request *request, int status, const char *why) {
    if (request->refused == 0) {
        request->refused = status;
        request->why = why;
    }
}

/* Whether it begins with %XX of a byte that is no control. */
static bool is_escape(const char *text) {
    static const char digits[] = "0123456789ABCDEFabcdef";
    return strspn(text + 1, digits) >= 2 && strchr("01", text[1]) == NULL &&
           strncasecmp(text + 1, "7f", 2) != 0;
}

/* The library keeps each parameter in the connection's memory, and when that is full it neither
 * answers nor closes: so of a query that is refused for their number it sees one alone. */
static void join_parameters(struct request *request, const char *target) {
    int count = 0;
    for (const char *at = target; *at != '\0'; at++) {
        count += *at == '&' ? 1 : 0;
    }
    if (count >= PARAMETERS_MAX) {
        refuse(request, 400, "the request's query has too many parameters");
        for (char *at = strchr(target, '&'); at != NULL; at = strchr(at, '&')) {
            *at = '+'; /* in the library's buffer, which is no constant */
        }
    }
}

/* The target as it came, before any decoding: made the request's first. */
static void *on_target(void *context, const char *target, struct MHD_Connection *connection) {
    struct request *request = mem_zero(1, sizeof(*request));
    request->server = context;
    request->connection = connection;
    request->exchange.query = "";
    bool is_long = strnlen(target, TARGET_BYTES_MAX + 1) > TARGET_BYTES_MAX;
    if (is_long) {
        refuse(request, 414, "the request's target is too long");
    }
    join_parameters(request, target);
    if (is_long) {
        target = "/";
    }
    request->target = mem_string(target);
    char *mark = strchr(request->target, '?');
    for (const char *at = request->target; *at != '\0'; at++) {
        bool may_escape = request->server->options.escapes && mark != NULL && at > mark;
        if (*at <= ' ' || *at > '~' || (*at == '%' && !(may_escape && is_escape(at)))) {
            refuse(request, 400, "the request's target holds a byte that no call needs");
        }
    }
    if (mark != NULL) {
        *mark = '\0';
        request->exchange.query = mark + 1;
    }
    request->exchange.path = request->target;
    return request;
}

static enum MHD_Result check_header(void *context, enum MHD_ValueKind kind, const char *name,
                                    const char *value) {
    (void)kind;
    struct request *request = context;
    request->lengths += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ? 1 : 0;
    for (const char *at = value == NULL ? "" : value; *at != '\0'; at++) {
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f) {
            refuse(request, 400, "a header holds a control byte");
        }
    }
    return MHD_YES;
}

static const char *header(const struct request *request, const char *name) {
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static bool has_token(struct request *request) {
    static const char scheme[] = "Bearer ";
    const struct http_server_options *options = &request->server->options;
    const char *value = header(request, MHD_HTTP_HEADER_AUTHORIZATION);
    return options->authorise != NULL && value != NULL &&
           strncasecmp(value, scheme, sizeof(scheme) - 1) == 0 &&
           options->authorise(options->context, value + sizeof(scheme) - 1,
                              request->exchange.caller);
}

static bool is_vouched(const struct request *request) {
    if (!request->server->asks_clients) {
        return false;
    }
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    return info != NULL && tls_peer_is_vouched(info->tls_session);
}

/* How many bytes of its body are read. */
static size_t most_body(const struct request *request) {
    size_t most = request->server->options.max_body;
    bool is_less = request->most_body >= 0 && (size_t)request->most_body < most;
    return is_less ? (size_t)request->most_body : most;
}

static void ask_most_body(struct request *request) {
    const struct http_server_options *options = &request->server->options;
    request->most_body = options->most_body == NULL || request->refused != 0
                             ? (int64_t)options->max_body
                             : options->most_body(options->context, &request->exchange);
}

static void check_headers(struct request *request, const char *method) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    request->peer = info->socket_context;
    request->exchange.method = method;
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND, check_header, request);
    const char *length = header(request, MHD_HTTP_HEADER_CONTENT_LENGTH);
    const char *coding = header(request, MHD_HTTP_HEADER_TRANSFER_ENCODING);
    if ((length != NULL && coding != NULL) || request->lengths > 1) {
        refuse(request, 400, "the request gives its length in two ways");
    }
    if (coding != NULL && strcasecmp(coding, "chunked") != 0) {
        refuse(request, 501, "the only transfer coding is chunked");
    }
    request->exchange.authorised = has_token(request);
    request->exchange.vouched = is_vouched(request);
    ask_most_body(request);
    size_t most = most_body(request);
    if (length != NULL && (strlen(length) > 12 || strtoull(length, NULL, 10) > most)) {
        refuse(request, 413, "the request's body is too long");
    }
    int64_t extra_s = 0;
    if (request->exchange.authorised) {
        peer_know(request->peer);
    }
    if (request->exchange.authorised && request->refused == 0 && request->most_body >= 0) {
        int64_t size = length != NULL ? strtoll(length, NULL, 10) : (int64_t)most;
        extra_s = size / BODY_BYTES_PER_S;
    }
    peer_set_deadline(request->peer,
                      clock_monotonic_ms() + request->server->options.request_ms + 1000 * extra_s);
}

/* Whether so many bytes more may be held, of all requests and of this one. */
static bool has_room(const struct request *request, size_t size) {
    const struct http_server *server = request->server;
    bool is_small = request->held + size <= BODY_BYTES_SMALL;
    bool is_stranger = !request->exchange.authorised;
    return (is_small || server->body_bytes + (int64_t)size <= server->options.body_bytes) &&
           (!is_stranger ||
            server->stranger_bytes + (int64_t)size <= server->options.stranger_bytes);
}

static void drop_body(struct request *request) {
    struct http_server *server = request->server;
    server->body_bytes -= (int64_t)request->held;
    server->stranger_bytes -= request->exchange.authorised ? 0 : (int64_t)request->held;
    request->held = 0;
    buf_finish(&request->exchange.body);
}

/* What is refused holds nothing while the rest of it comes. */
static void refuse_body(struct request *request, int status, const char *why) {
    refuse(request, status, why);
    drop_body(request);
}

static void take_body(struct request *request, const char *data, size_t size) {
    struct http_server *server = request->server;
    bool is_stranger = !request->exchange.authorised;
    if (request->held + size > most_body(request)) {
        refuse_body(request, 413, "the request's body is too long");
    }
    if (request->refused != 0 || request->most_body < 0 ||
        (is_stranger && server->options.stranger_bytes == 0)) {
        return; /* bytes of nobody are not kept */
    }
    if (!has_room(request, size)) {
        refuse_body(request, 503, "too many bodies are on their way; try again later");
        return;
    }
    request->held += size;
    server->body_bytes += (int64_t)size;
    server->stranger_bytes += is_stranger ? (int64_t)size : 0;
    buf_append(&request->exchange.body, data, size);
}

static enum MHD_Result send_answer(struct request *request) {
    enum MHD_Result result =
        MHD_queue_response(request->connection, (unsigned)request->status, request->response);
    MHD_destroy_response(request->response);
    request->response = NULL;
    return result;
}

/* ---- answers --------------------------------------------------------------------- */

static struct MHD_Response *make_response(struct buf *body) {
    struct buf empty = {0};
    body = body == NULL ? &empty : body;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(body->size, body->data, MHD_RESPMEM_MUST_COPY);
    buf_finish(body);
    return response;
}

static void add_headers(struct MHD_Response *response, const struct http_reply *reply) {
    if (reply->type != NULL) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
    }
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL,
                            reply->cache_control != NULL ? reply->cache_control : "no-store");
    for (int i = 0; i < HTTP_REPLY_HEADERS && reply->headers[i].name != NULL; i++) {
        MHD_add_response_header(response, reply->headers[i].name, reply->headers[i].value);
    }
}

static void write_problem(struct buf *body, int status, const char *detail, const char *code) {
    struct writer writer = writer_of(body);
    const char *title = MHD_get_reason_phrase_for((unsigned)status);
    writer_object(&writer, NULL);
    writer_string(&writer, "type", "about:blank");
    writer_string(&writer, "title", title);
    writer_int(&writer, "status", status);
    writer_string(&writer, "detail", detail);
    writer_string(&writer, "code", code);
    writer_object_end(&writer);
}

/* An answer to a request that no handler sees; its connection ends with it, since
 * what follows on it can't be trusted to be a request. */
static enum MHD_Result send_refusal(struct request *request) {
    struct buf body = {0};
    bool is_late = request->refused == 503;
    struct http_reply reply = {.type = "application/problem+json",
                               .headers = {{MHD_HTTP_HEADER_CONNECTION, "close"},
                                           {is_late ? MHD_HTTP_HEADER_RETRY_AFTER : NULL, "1"}}};
    write_problem(&body, request->refused, request->why, is_late ? "unavailable" : "invalid");
    request->status = request->refused;
    request->response = make_response(&body);
    add_headers(request->response, &reply);
    return send_answer(request);
}

static void answer(struct exchange *exchange, const struct http_reply *reply,
                   struct MHD_Response *response) {
    struct request *request = (struct request *)exchange;
    request->status = reply->status;
    request->response = response;
    add_headers(response, reply);
    if (reply->status == 401) {
        MHD_add_response_header(request->response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer");
    }
    if (exchange->allow != NULL) {
        MHD_add_response_header(request->response, MHD_HTTP_HEADER_ALLOW, exchange->allow);
    }
    struct http_server *server = request->server;
    pthread_mutex_lock(&server->mutex);
    server->unanswered--;
    pthread_mutex_unlock(&server->mutex);
    resume(request);
}

void http_answer_reply(struct exchange *exchange, const struct http_reply *reply,
                       struct buf *body) {
    answer(exchange, reply, make_response(body));
}

void http_answer_file(struct exchange *exchange, const struct http_reply *reply, int fd,
                      int64_t offset, int64_t size) {
    answer(exchange, reply,
           MHD_create_response_from_fd_at_offset64((uint64_t)size, fd, (uint64_t)offset));
}

void http_answer(struct exchange *exchange, int status, const char *type, struct buf *body) {
    http_answer_reply(exchange, &(struct http_reply){.status = status, .type = type}, body);
}

void http_answer_problem(struct exchange *exchange, int status, const struct err *err) {
    struct buf body = {0};
    write_problem(&body, status, err->message, err_code_name(err->code));
    struct http_reply reply = {.status = status, .type = "application/problem+json"};
    if (status == 503) {
        reply.headers[0].name = "Retry-After";
        reply.headers[0].value = "1";
    }
    http_answer_reply(exchange, &reply, &body);
}

/* ---- streams ------------------------------------------------------------------------ */

/* Counts a piece as owed, which keeps the server from stopping; whether it may be. */
static bool owe_piece(struct http_server *server) {
    pthread_mutex_lock(&server->mutex);
    bool may = !server->closing;
    server->unanswered += may ? 1 : 0;
    pthread_mutex_unlock(&server->mutex);
    return may;
}

/* The library wants bytes of a stream. While a piece is owed the connection is suspended,
 * so that it can't end under who writes it. */
static ssize_t read_stream(void *context, uint64_t position, char *out, size_t size) {
    (void)position;
    struct request *request = context;
    size_t left = request->piece.size - request->taken;
    if (left > 0) {
        size = size < left ? size : left;
        memcpy(out, request->piece.data + request->taken, size);
        request->taken += size;
        return (ssize_t)size;
    }
    bool is_last = request->piece.size == 0;
    if (is_last || !owe_piece(request->server)) {
        return MHD_CONTENT_READER_END_OF_STREAM;
    }
    buf_finish(&request->piece);
    request->taken = 0;
    suspend(request);
    request->stream.more(request->stream.context);
    return 0;
}

void http_answer_stream(struct exchange *exchange, const struct http_reply *reply,
                        const struct http_stream *stream, struct buf *bytes) {
    struct request *request = (struct request *)exchange;
    request->stream = *stream;
    request->streams = true;
    request->piece = *bytes;
    *bytes = (struct buf){0};
    answer(exchange, reply,
           MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, STREAM_BLOCK_BYTES, read_stream,
                                             request, NULL));
}

void http_stream_write(struct exchange *exchange, struct buf *bytes) {
    struct request *request = (struct request *)exchange;
    struct http_server *server = request->server;
    request->piece = *bytes;
    *bytes = (struct buf){0};
    pthread_mutex_lock(&server->mutex);
    server->unanswered--;
    pthread_mutex_unlock(&server->mutex);
    resume(request);
}

/* ---- the library's calls ------------------------------------------------------------ */

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **request_context) {
    (void)context;
    (void)connection;
    (void)url;
    (void)version;
    struct request *request = *request_context;
    if (request->exchange.method == NULL) {
        check_headers(request, method);
        /* A refusal goes out before the body is taken. */
        return request->refused != 0 ? send_refusal(request) : MHD_YES;
    }
    if (*size > 0) {
        take_body(request, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (request->refused != 0) {
        return send_refusal(request);
    }
    if (request->handed) {
        return send_answer(request);
    }
    request->handed = true;
    peer_set_deadline(request->peer, 0);
    pthread_mutex_lock(&request->server->mutex);
    request->server->unanswered++;
    request->server->unsent++;
    pthread_mutex_unlock(&request->server->mutex);
    suspend(request);
    request->server->options.handle(request->server->options.context, &request->exchange);
    return MHD_YES;
}

static void on_end(void *context, struct MHD_Connection *connection, void **request_context,
                   enum MHD_RequestTerminationCode code) {
    (void)connection;
    (void)code;
    struct http_server *server = context;
    struct request *request = *request_context;
    if (request == NULL) {
        return;
    }
    if (request->peer != NULL) {
        peer_set_deadline(request->peer, clock_monotonic_ms() + server->options.idle_ms);
    }
    if (request->handed) {
        pthread_mutex_lock(&server->mutex);
        server->unsent--;
        pthread_cond_broadcast(&server->wake);
        pthread_mutex_unlock(&server->mutex);
    }
    if (request->response != NULL) {
        MHD_destroy_response(request->response);
    }
    if (request->streams) {
        request->stream.end(request->stream.context);
    }
    buf_finish(&request->piece);
    drop_body(request);
    mem_free(request->target);
    mem_free(request);
    *request_context = NULL;
}

const char *exchange_query(const struct exchange *exchange, const char *name) {
    const struct request *request = (const struct request *)exchange;
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND, name);
}

struct query_list {
    const char *name;
    struct buf *out;
};

static enum MHD_Result add_parameter(void *context, enum MHD_ValueKind kind, const char *name,
                                     const char *value) {
    const struct query_list *list = context;
    (void)kind;
    if (strcmp(name, list->name) == 0 && value != NULL && value[0] != '\0') {
        buf_format(list->out, "%s%s", list->out->size > 0 ? "," : "", value);
    }
    return MHD_YES;
}

void exchange_query_list(const struct exchange *exchange, const char *name, struct buf *out) {
    const struct request *request = (const struct request *)exchange;
    struct query_list list = {.name = name, .out = out};
    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, add_parameter, &list);
}

const char *exchange_header(const struct exchange *exchange, const char *name) {
    return header((const struct request *)exchange, name);
}

bool exchange_gone(const struct exchange *exchange) {
    const struct request *request = (const struct request *)exchange;
    struct pollfd peer = {.fd = peer_fd(request->peer), .events = POLLRDHUP};
    return poll(&peer, 1, 0) > 0; /* bytes that wait, such as TLS's farewell, hide nothing */
}

/* ---- start and stop ----------------------------------------------------------------- */

static int parse_address(const struct http_server_options *options, struct sockaddr_storage *out,
                         struct err *err) {
    struct sockaddr_in *four = (struct sockaddr_in *)out;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    *out = (struct sockaddr_storage){0};
    if (inet_pton(AF_INET, options->host, &four->sin_addr) == 1) {
        four->sin_family = AF_INET;
        four->sin_port = htons((uint16_t)options->port);
    } else if (inet_pton(AF_INET6, options->host, &six->sin6_addr) == 1) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons((uint16_t)options->port);
    } else {
        return err_set(err, ERR_INVALID,
                       "'%s' is no numeric address to listen on; give one such "
                       "as 127.0.0.1",
                       options->host);
    }
    return 0;
}

/* The library's options of TLS; none where the server speaks plainly. */
static void list_tls(const struct http_server *server, struct MHD_OptionItem out[TLS_OPTIONS]) {
    const struct http_server_options *options = &server->options;
    int count = 0;
    if (options->certificate != NULL) {
        out[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)options->certificate};
        out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)options->key};
        out[count++] = (struct MHD_OptionItem){MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)priorities};
    }
    if (server->asks_clients) {
        out[count++] =
            (struct MHD_OptionItem){MHD_OPTION_HTTPS_MEM_TRUST, 0, (void *)options->client_ca};
    }
    out[count] = (struct MHD_OptionItem){MHD_OPTION_END, 0, NULL};
}

static int start_daemon(struct http_server *server, struct err *err) {
    struct sockaddr_storage address;
    int result = parse_address(&server->options, &address, err);
    if (result != 0) {
        return result;
    }
    bool is_tls = server->options.certificate != NULL;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME |
                     (address.ss_family == AF_INET6 ? MHD_USE_IPv6 : 0) |
                     (is_tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem tls[TLS_OPTIONS];
    list_tls(server, tls);
    errno = 0;
    server->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, server, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_URI_LOG_CALLBACK, on_target, server, MHD_OPTION_NOTIFY_COMPLETED, on_end, server,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, server, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEADER_BYTES_MAX, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)server->options.connections, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned)(server->options.idle_ms / 1000 + 1), MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
    if (server->daemon == NULL) {
        return err_set(err, ERR_UNAVAILABLE,
                       "can't listen on %s port %d: %s; choose a port that is free",
                       server->options.host, server->options.port, strerror(errno));
    }
    return 0;
}

int http_server_start(struct http_server **out, const struct http_server_options *options,
                      struct err *err) {
    struct http_server *server = mem_zero(1, sizeof(*server));
    server->options = *options;
    server->asks_clients = options->certificate != NULL && options->client_ca != NULL;
    pthread_mutex_init(&server->mutex, NULL);
    condition_init(&server->wake);
    int result = options->certificate == NULL
                     ? 0
                     : tls_check(options->certificate, options->key, options->client_ca, err);
    if (result == 0) {
        result =
            peers_start(&server->peers, options->strangers, options->strangers_per_address, err);
    }
    if (result == 0) {
        result = start_daemon(server, err);
    }
    if (result != 0) {
        http_server_stop(server);
        return result;
    }
    *out = server;
    return 0;
}

int http_server_port(const struct http_server *server) {
    return MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

/* Waits for a change, at most so long. Under the mutex. */
static void wait_ms(struct http_server *server, long ms) {
    condition_wait_ms(&server->wake, &server->mutex, ms);
}

void http_server_stop(struct http_server *server) {
    if (server == NULL) {
        return;
    }
    pthread_mutex_lock(&server->mutex);
    server->closing = true;
    int64_t flushed_ms = clock_monotonic_ms() + FLUSH_MS;
    while (server->unanswered > 0 || (server->unsent > 0 && clock_monotonic_ms() < flushed_ms)) {
        wait_ms(server, 20);
    }
    pthread_mutex_unlock(&server->mutex);
    if (server->daemon != NULL) {
        MHD_stop_daemon(server->daemon);
    }
    peers_stop(server->peers);
    pthread_cond_destroy(&server->wake);
    pthread_mutex_destroy(&server->mutex);
    mem_free(server);
}
