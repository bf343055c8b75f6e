/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signatures of requests to object stores that speak S3: AWS Signature Version 4
 * ("Signature Calculations for the Authorization Header" and "Authenticating Requests:
 * Using Query Parameters" of the Amazon S3 API Reference). Pure: what is signed comes
 * in, text comes out, and the time is the caller's.
 *
 * libcurl's own signer is not used: 7.88, that of Debian 12, makes wrong signatures in
 * six cases that were tried (unsorted queries, headers that are taken out, ...).
 */
#ifndef COMMON_SIGV4_H
#define COMMON_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

/* The word in the place of a body's hash that leaves the body out of the signature. */
#define SIGV4_UNSIGNED "UNSIGNED-PAYLOAD"

enum {
    SIGV4_TIME_TEXT = 17, /* "20130524T000000Z" and a NUL */
    SIGV4_PAIRS_MAX = 16, /* of a query, and of headers: the caller's */
    SIGV4_EXPIRY_MAX_S = 7 * 24 * 3600,
};

/* All borrowed. */
struct sigv4_credentials {
    const char *access_key;
    const char *secret_key;
    const char *session_token; /* of temporary credentials; NULL for none */
};

struct sigv4_pair {
    const char *name;
    const char *value;
};

/* What is signed. All borrowed, all as the user of the store would write it: nothing is
 * percent-encoded yet. */
struct sigv4_request {
    const char *method;
    const char *host; /* as in the Host header: with the port where it has one */
    const char *path; /* from "/"; taken as it is, without normalisation, as S3 does */
    const struct sigv4_pair *query; /* in any order */
    size_t query_count;
    const struct sigv4_pair *headers; /* to be signed besides Host and those of sigv4_sign */
    size_t header_count;
    const char *payload; /* hex SHA-256 of the body, or SIGV4_UNSIGNED */
    const char *region;
    const char *service; /* "s3", which wants the payload's hash in a header too */
    int64_t time_s;      /* since 1970, UTC; of the years 1000 to 9999 */
};

/* Appends path and query as they stand in the request line: percent-encoded after RFC 3986
 * and sorted. This is the text that the signature holds for; no other may be sent. */
void sigv4_target(const struct sigv4_request *request, struct buf *out);

/* The value of the X-Amz-Date header. */
void sigv4_time(int64_t time_s, char out[SIGV4_TIME_TEXT]);

/* Appends the value of the Authorization header. The request must then be sent with Host,
 * with X-Amz-Date of its time, with X-Amz-Security-Token where the credentials have one,
 * with X-Amz-Content-Sha256 of its payload where the service is "s3", and with all
 * `headers`. */
void sigv4_sign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                struct buf *out);

/* Appends path and query with a signature in them, good for `expires_s` seconds (at most
 * SIGV4_EXPIRY_MAX_S) from the request's time: who has it needs no credentials. The query
 * must leave room for seven pairs more. */
void sigv4_presign(const struct sigv4_request *request, const struct sigv4_credentials *credentials,
                   int expires_s, struct buf *out);

#endif
