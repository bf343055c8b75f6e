/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * webhook: is told of events, each as a CloudEvent in one POST, or many as a batch ("HTTP Protocol
 * Binding for CloudEvents", 3.2 and 3.3), signed as a catalog's requests are. One try each: when
 * it is tried again the scheduler decides. A status is an answer, whatever follows it: a receiver
 * that says 200 and then cuts the line has taken the event. Where it is to be asked first, by
 * OPTIONS ("HTTP 1.1 Web Hooks for Event Delivery", 4), the answer's headers say whether it gives
 * leave, and its status nothing.
 */
#include <string.h>

#include "common/clock.h"
#include "common/mem.h"
#include "common/signature.h"
#include "edge.h"

enum { ANSWER_BYTES_MAX = 64 * 1024, HEADERS_MAX = 3 };

static const char origin_header[] = "WebHook-Request-Origin";

static int webhook_open(struct edge *edge, struct err *err) {
    const char *secret = edge->target->secret->hmac;
    if (secret == NULL || strlen(secret) < SIGNATURE_SECRET_MIN) {
        return err_set(err, ERR_INVALID,
                       "endpoint '%s': endpoint_secrets must have its webhook's secret, as `hmac`, "
                       "of at least %d bytes",
                       edge->target->endpoint->name, (int)SIGNATURE_SECRET_MIN);
    }
    return 0;
}

/* Path and query of a URL as they stand in the request line, as an owned string. */
static char *target_of(const char *url) {
    const char *host = strstr(url, "://");
    const char *rest = host != NULL ? host + 3 + strcspn(host + 3, "/?") : "";
    return mem_format("%s%s", rest[0] == '/' ? "" : "/", rest);
}

static int send_once(struct edge *edge, struct http_request *request, struct err *err) {
    request->max_body = ANSWER_BYTES_MAX;
    http_response_clear(&edge->response);
    int64_t began = clock_monotonic_ms();
    int failed = http_send(edge->client, request, &edge->response, err);
    edge->traffic.requests++;
    edge->traffic.busy_ms += clock_monotonic_ms() - began;
    return failed;
}

/* Whether a status is of one who failed, rather than of one who has heard what was asked, or knows
 * nothing of such questions (501). */
static bool is_down(int status) {
    return status == 0 || status == 408 || status == 429 || (status >= 500 && status != 501);
}

static int webhook_ask(struct edge *edge, const struct edge_asking *asking, int *rate,
                       struct err *err) {
    const char *name = edge->target->endpoint->name;
    const struct http_response *response = &edge->response;
    const struct http_header header = {origin_header, asking->origin};
    struct http_request request = edge_request(edge, "OPTIONS", edge->target->endpoint->url);
    struct err why = {0};
    request.headers = &header;
    request.header_count = 1;
    request.total_ms = asking->timeout_ms;
    int failed = send_once(edge, &request, &why);
    const char *refused =
        hook_leave_refused(asking->origin, http_response_header(response, "WebHook-Allowed-Origin"),
                           http_response_header(response, "WebHook-Allowed-Rate"), rate);
    if (response->status != 0 && refused == NULL) {
        return 0;
    }
    failed = failed == 0 ? http_check(&request, response, &why) : failed;
    if (failed != 0 && is_down(response->status)) {
        edge->failure = FAILURE_ENDPOINT;
        return err_set(err, (enum err_code)failed, "endpoint '%s': %s", name, why.message);
    }
    edge->failure = FAILURE_REFUSED;
    return err_set(err, ERR_INVALID,
                   "endpoint '%s' gives no leave to send it events: to OPTIONS it answered %d, and "
                   "its answer %s; let it allow '%s' there, or leave `handshake` out",
                   name, response->status, refused, asking->origin);
}

static int webhook_post(struct edge *edge, const struct edge_post *post, struct err *err) {
    const char *url = edge->target->endpoint->url;
    const char *secret = edge->target->secret->hmac;
    char signature[SIGNATURE_TEXT];
    struct err why = {0};
    struct http_request request = edge_request(edge, "POST", url);
    char *target = target_of(url);
    const struct signature_request is_signed = {request.method, target, post->body,
                                                post->body_size};
    signature_make(&is_signed, secret, strlen(secret), clock_wall_ms() / 1000, signature);
    const struct http_header headers[HEADERS_MAX] = {
        {SIGNATURE_HEADER, signature},
        {"Content-Type", post->is_batch ? "application/cloudevents-batch+json; charset=UTF-8"
                                        : "application/cloudevents+json; charset=UTF-8"},
        {origin_header, post->origin}};
    request.headers = headers;
    request.header_count = post->origin != NULL ? HEADERS_MAX : HEADERS_MAX - 1;
    request.body = post->body;
    request.body_size = post->body_size;
    request.total_ms = post->timeout_ms;
    int failed = send_once(edge, &request, &why);
    if (failed == 0 || edge->response.status != 0) {
        err_clear(&why);
        failed = http_check(&request, &edge->response, &why);
    }
    mem_free(target);
    return failed == 0 ? 0
                       : err_set(err, (enum err_code)failed, "endpoint '%s': %s",
                                 edge->target->endpoint->name, why.message);
}

const struct edge_driver edge_webhook = {
    .name = "webhook",
    .caps = EDGE_EVENTS,
    .open = webhook_open,
    .post = webhook_post,
    .ask = webhook_ask,
};
