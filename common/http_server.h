/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The HTTP server: one thread of its own takes requests apart, refuses those that
 * break the rules, and hands whole ones to a handler, which answers when it likes,
 * from any thread. A request that waits for its answer costs some 33 kB and no
 * thread.
 *
 * Refused before any handler sees them: targets that are not printable ASCII or
 * hold a '%' (no path of ours needs one, and what follows one may be a control
 * byte; queries may be let have some), Content-Length together with Transfer-Encoding (RFC
 * 9112 6.3: smuggling), bodies and headers that are too long, requests that are not complete in
 * time, and tokens that are wrong. Who shows no good token holds few connections, and not for long.
 */
#ifndef COMMON_HTTP_SERVER_H
#define COMMON_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

enum { HTTP_CALLER_TEXT = 32 };

/* One request and its answer. */
struct exchange {
    const char *method;            /* "GET", "POST", "DELETE", ... */
    const char *path;              /* "/v1/titles/x": no query */
    const char *query;             /* what came after the '?', undecoded; "" */
    bool authorised;               /* it bore a good token */
    bool vouched;                  /* its TLS client certificate is by `client_ca` */
    char caller[HTTP_CALLER_TEXT]; /* the token's name, by `authorise`; else "" */
    struct buf body;               /* of the request */
    const char *allow;             /* set by the handler with status 405: "GET, POST"; borrowed */
};

struct http_server;

struct http_server_options {
    const char *host; /* numeric address */
    int port;         /* 0: any free one */
    /* Whether a bearer token is good, whose name it writes. Called on the server's thread with
     * `context`; NULL: no token is. */
    bool (*authorise)(void *context, const char *token, char caller[HTTP_CALLER_TEXT]);
    const char *certificate; /* PEM text: speak TLS 1.2 and 1.3 alone; NULL: no TLS */
    const char *key;         /* PEM text of its key */
    const char *client_ca;   /* PEM text of who vouches for clients, whose certificates are then
                                asked for and not demanded; NULL: nobody is asked */
    size_t max_body;         /* bytes; default 32 MiB: the source document of a very long title */
    int request_ms;  /* default 10000: a head must be complete so soon after its connection, a
                        body so soon after its head (with a token: and 1 s each 64 KiB) */
    int idle_ms;     /* a next head so soon after the answer before it; default 30000 */
    int connections; /* at most, each some 33 kB; default 8192 */
    int strangers;   /* of them, without a good token yet; default 2048. One more makes the oldest
                        of them go */
    int strangers_per_address; /* likewise, of one address (in IPv6 of one /64); default 256 */
    int64_t body_bytes;        /* of all bodies that are held at a time; one that is longer than
                                  16 KiB and goes past it is refused (503); default 128 MiB */
    int64_t stranger_bytes;    /* of bodies without a good token, all that are held at a time; one
                                  past it is refused (503); default 0: none is kept at all */
    bool escapes;              /* queries may hold %XX of bytes that are no controls; default no */
    /* How many bytes a request may have behind its head, which is there: a longer one is refused
     * (413), most before it is sent. Negative: what comes is read up to max_body and not kept. At
     * most max_body, which is also that of all where this is NULL. On the server's thread. */
    int64_t (*most_body)(void *context, const struct exchange *exchange);
    /* Called on the server's thread; owns `exchange` until it gives it to http_answer. */
    void (*handle)(void *context, struct exchange *exchange);
    void *context;
};

struct http_server_options http_server_options_default(void);

/* `*out` is owned; texts of `options` are borrowed during the call. UNAVAILABLE where the
 * address can't be listened on, INVALID for a certificate or key that will not do. */
int http_server_start(struct http_server **out, const struct http_server_options *options,
                      struct err *err);

/* The port that it listens on. */
int http_server_port(const struct http_server *server);

/* Waits until every exchange has been answered, ends streams, then ends. Takes NULL. */
void http_server_stop(struct http_server *server);

/* A parameter of the query, borrowed; NULL where it is not there. */
const char *exchange_query(const struct exchange *exchange, const char *name);

/* Appends each parameter of that name, in their order, with commas between; empty ones are none. */
void exchange_query_list(const struct exchange *exchange, const char *name, struct buf *out);

/* A header of the request, borrowed; NULL where it is not there. */
const char *exchange_header(const struct exchange *exchange, const char *name);

/* Whether the client has closed its connection: an answer would be lost. */
bool exchange_gone(const struct exchange *exchange);

/* Answers and gives the exchange up. Takes `body`'s bytes. `type` is the content
 * type, NULL for an answer without a body. Once for each exchange; any thread. */
void http_answer(struct exchange *exchange, int status, const char *type, struct buf *body);

/* The same with an RFC 9457 problem document; a 503 asks to come back in a second. */
void http_answer_problem(struct exchange *exchange, int status, const struct err *err);

enum { HTTP_REPLY_HEADERS = 8 };

/* The head of an answer that says more. Strings are borrowed during the call. */
struct http_reply {
    int status;
    const char *type;          /* content type; NULL for an answer without a body */
    const char *cache_control; /* default (NULL) "no-store" */
    struct {
        const char *name;
        const char *value;
    } headers[HTTP_REPLY_HEADERS]; /* more of them, up to the first without a name */
};

/* As http_answer. Takes `body`'s bytes; NULL for none. */
void http_answer_reply(struct exchange *exchange, const struct http_reply *reply, struct buf *body);

/* The same with `size` bytes of a regular file from `offset` as the body: none of them
 * pass through our memory. Takes the descriptor. With status 304 and to HEAD only the
 * head goes out. */
void http_answer_file(struct exchange *exchange, const struct http_reply *reply, int fd,
                      int64_t offset, int64_t size);

/*
 * An answer without an end: bytes as they come, of which only one piece at a time is
 * kept, however slow its reader is. Both functions are called on the server's thread
 * and must not block.
 */
struct http_stream {
    /* The client has taken all bytes so far: http_stream_write is owed, once, at once or
     * later. A client that has gone meanwhile is noticed at a later write: write every
     * 10-15 s, be it only a comment. */
    void (*more)(void *context);
    /* The connection is over and nothing is owed: the exchange must not be used again. */
    void (*end)(void *context);
    void *context;
};

/* Answers as http_answer_reply, with `bytes` (taken) as the first piece of a stream. The
 * exchange lives until `end`. */
void http_answer_stream(struct exchange *exchange, const struct http_reply *reply,
                        const struct http_stream *stream, struct buf *bytes);

/* The next piece, which `more` asked for. Takes the bytes; none of them ends the stream.
 * Any thread. */
void http_stream_write(struct exchange *exchange, struct buf *bytes);

#endif
