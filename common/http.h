/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An HTTP/1.1 client (RFC 9110, 9112): one request after another on kept-alive
 * connections. Messages name a URL without its credentials, query and fragment;
 * bearer tokens appear nowhere. For loopback hosts a proxy in the environment is
 * not used.
 */
#ifndef COMMON_HTTP_H
#define COMMON_HTTP_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"
#include "common/err.h"

struct sockaddr;
struct http_client; /* used by one thread at a time */

/* `*out` is owned, and keeps some connections open. INTERNAL where the library can't start. */
int http_client_create(struct http_client **out, struct err *err);

/* One that has no connection of its own, for what stores are asked; returns owned. Each request
 * goes by one of those that all such clients of this process share, of which there are so many at
 * most to one server (scheme, host and port; the target of a redirect counts as who was asked) as
 * http_share_limit says. Where all of them are at work, http_send waits for its turn, in the order
 * of asking, until `cancel` or for total_ms (TIMEOUT). `take` must wait for no other request. */
struct http_client *http_client_create_sharing(void);

/* So many connections to one server from now on; at least 1; 64 where it is not called. */
void http_share_limit(int connections);

/* Closes its connections; takes NULL. */
void http_client_destroy(struct http_client *client);

struct http_header {
    const char *name;
    const char *value;
};

/* Whom a TLS connection trusts, and who it says it is. PEM files; NULL: the system's
 * authorities, and nobody. Borrowed. */
struct http_trust {
    const char *ca_file; /* authorities in the place of the system's */
    const char *certificate;
    const char *key_file; /* of the certificate */
};

/* All pointers are borrowed for the time of the call. */
struct http_request {
    const char *method; /* default "GET" */
    const char *url;    /* http or https */
    const struct http_header *headers;
    size_t header_count;
    const char *bearer;   /* a token for Authorization; NULL: none; never sent to another host */
    const char *user;     /* HTTP basic, likewise; NULL: none */
    const char *password; /* of the user */
    const void *body;     /* NULL: none */
    size_t body_size;     /* bytes, of that or of what `give` gives */
    int64_t range_first;  /* first byte wanted; default -1: all */
    int64_t range_last;   /* last byte wanted, inclusive */
    const char *if_match; /* a strong ETag with its quotes; NULL: none */
    const char *trace; /* an id that is sent as traceparent (trace.h); NULL or none: nothing is */
    size_t max_body;   /* bytes of an answer; a longer one is INVALID; default 16 MiB; error
                          pages may have 64 KiB in any case */
    int connect_ms;    /* default 5,000 */
    int total_ms;      /* default 0: as long as bytes flow; waiting for a connection is apart */
    int stall_bytes_s; /* slower than this for stall_s is a stall; default 16 KiB/s */
    int stall_s;       /* default 30 */
    int64_t speed_bytes_s; /* either way at most; default 0: any */
    int redirects;         /* followed by GET and HEAD, http and https only; default 5 */
    struct http_trust trust;
    /* Asked of every address before it is connected to, whatever name or redirect led there;
     * one that it refuses is INVALID. Proxies, which would connect in our place, are then not
     * used. NULL: all will do. */
    bool (*admits)(const struct sockaddr *address);
    /* Where redirects may lead, as places.h has it; another place is INVALID. NULL or "": anywhere
     * that is http or https. */
    const char *places;
    bool direct; /* past any proxy of the environment; default no */
    /* Takes a success's body piece by piece in the place of response->body; `max_body` does not
     * bound it. False ends the request with CORRUPT: the taker knows why. NULL: nobody. */
    bool (*take)(void *context, const void *bytes, size_t size);
    void *take_context;
    /* Gives the body in the place of `body`, piece by piece as it is sent: exactly `size` bytes of
     * it from `offset`, some of them again where a connection turns out to be dead. False ends the
     * request with CORRUPT: the giver knows why. NULL: nobody. */
    bool (*give)(void *context, int64_t offset, void *out, size_t size);
    void *give_context;
    bool gzip; /* asks for that, and unpacks it; `max_body` counts what comes out; default no */
    const atomic_bool *cancel; /* NULL: none; looked at at least every 100 ms */
};

struct http_request http_request_default(void);

/* Starts zeroed, may be used again and again, ends with http_response_finish. */
struct http_response {
    int status;            /* of the last answer; 0 where there was none */
    struct buf body;       /* owned */
    struct buf headers;    /* owned; of the last answer; see http_response_header */
    int64_t retry_after_s; /* as the server asked; 0: it did not */
    bool reached;          /* there was a connection: the request may have arrived */
};

/* The value of a header, its name in any case; NULL where it is not there.
 * Borrowed. */
const char *http_response_header(const struct http_response *response, const char *name);

/* Forgets what an earlier answer said. */
void http_response_clear(struct http_response *response);

void http_response_finish(struct http_response *response);

/*
 * Sends a request and takes the answer, whatever its status. UNAVAILABLE or TIMEOUT
 * where trying again may help (no connection, cut, stalled, too slow), CANCELLED,
 * INVALID for a URL or certificate that will not do. After a failure `response`
 * holds what had arrived by then.
 */
int http_send(struct http_client *client, const struct http_request *request,
              struct http_response *response, struct err *err);

/* 0 for a status from 200 to 299; else an error that names request and status:
 * NOT_FOUND 404 and 410, CONFLICT 409 and 412, UNAVAILABLE 408, 429, 500, 502, 503,
 * 504, NO_SPACE 507, INVALID the rest. */
int http_check(const struct http_request *request, const struct http_response *response,
               struct err *err);

/* How often and with which pauses a request is tried. */
struct http_retry {
    int attempts;     /* in all */
    int64_t first_ms; /* the first pause is at most this; each next at most twice the one before */
    int64_t most_ms;
};

/* 5 attempts, 200 ms, 10 s. */
struct http_retry http_retry_default(void);

/* Whether a failure of http_send or http_check may go away by itself. */
bool http_may_retry(int code);

/* Whether to try once more after so many failures (from 1), the last of which has this code: one
 * that may go away. What stalls is tried twice at most: each more keeps the caller waiting for
 * stall_s. */
bool http_retry_goes_on(const struct http_retry *retry, int failures, int code);

/* The pause after so many failures (from 1): full jitter, a random time from 0 to
 * min(most, first * 2^(failures - 1)); with a Retry-After at least what it asks, at
 * most 60 s. `draw` gives a random number in [0, bound); NULL: id_number. */
int64_t http_retry_pause_ms(const struct http_retry *retry, int failures, int64_t retry_after_s,
                            uint64_t (*draw)(uint64_t bound));

/* http_send and http_check, tried again as `retry` says where that may help and the
 * method is idempotent (not POST, not PATCH). 0 only for a status from 200 to 299. */
int http_send_retrying(struct http_client *client, const struct http_request *request,
                       const struct http_retry *retry, struct http_response *response,
                       struct err *err);

/* Whether the URL's host is this machine itself, by name or number. */
bool http_is_loopback(const char *url);

enum { HTTP_SERVER_TEXT = 300 };

/* "https://host:443": whom a URL leads to, whichever way it is written; "" where it is none. */
void http_server_of(const char *url, char out[HTTP_SERVER_TEXT]);

/* The URL without credentials, query and fragment, for messages. */
void http_public_url(const char *url, char *out, size_t size);

#endif
