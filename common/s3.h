/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests to a store that speaks S3: addressed, signed, sent, and their answers read
 * ("Amazon S3 API Reference", REST). Repeats by itself what the answer alone tells how to
 * do right: another region, another clock, credentials that expired. Messages say the
 * store's own code and request id, and never a secret.
 */
#ifndef COMMON_S3_H
#define COMMON_S3_H

#include "common/http.h"
#include "common/sigv4.h"
#include "s3_account.h"

enum { S3_CODE_TEXT = 64 };

struct s3_client; /* for one bucket; used by one thread at a time */

/* Splits "s3://bucket/some/key", which is taken as it is, not decoded. `*key` is behind the
 * slash in `url`, "" where there is none. `bucket` is owned. INVALID for what is no bucket. */
int s3_split(const char *url, char **bucket, const char **key, struct err *err);

/* Finds account and credentials (`choice` as in s3_account.h, borrowed for the client's life);
 * sends nothing, but to the metadata service where that is to be asked. */
int s3_client_create(struct s3_client **out, const char *bucket, const struct s3_choice *choice,
                     struct err *err);

/* Closes; takes NULL. */
void s3_client_destroy(struct s3_client *client);

/* "endpoint/bucket": tells buckets apart. Borrowed. */
const char *s3_client_place(const struct s3_client *client);

/* Whether both are reached by one address as one account: what one's bucket has the other's store
 * can copy. */
bool s3_client_is_kin(const struct s3_client *a, const struct s3_client *b);

/* What is asked for. All borrowed. */
struct s3_call {
    const char *key;                /* of the object; "" for the bucket itself */
    const struct sigv4_pair *query; /* not encoded */
    size_t query_count;
    const char *sha256; /* of the request's body, in hex; NULL: it is made for each sending */
};

/* A URL that needs no credentials. */
struct s3_link {
    const char *method; /* the caller's: what it is good for */
    char *url;          /* owned */
    int64_t expires_s;  /* since 1970 */
};

/* Fills in the rest of a link to an object, good for `span_s` seconds (at most SIGV4_EXPIRY_MAX_S),
 * or until the credentials end. Nothing is sent. */
void s3_presign(const struct s3_client *client, const char *key, int span_s, struct s3_link *link);

/* Takes a zeroed one. */
void s3_link_finish(struct s3_link *link);

/*
 * Sends `request`, of which URL and signature are filled in here (its `headers`, at most
 * eight, are signed too), and takes the answer, whatever it is: as http_send. The request's
 * URL is valid until the next call.
 */
int s3_send(struct s3_client *client, const struct s3_call *call, struct http_request *request,
            struct http_response *response, struct err *err);

/* 0 for a status from 200 to 299; else an error with method, bucket, key, status, the
 * store's code and request id, and what to do where that is known. */
int s3_check(const struct s3_client *client, const struct s3_call *call,
             const struct http_request *request, const struct http_response *response,
             struct err *err);

/* s3_send and s3_check, tried again as `retry` says: as http_send_retrying, but that POST is
 * repeated where the store said that it did nothing (503, 429), and that what stalls is tried
 * twice. */
int s3_send_retrying(struct s3_client *client, const struct s3_call *call,
                     struct http_request *request, const struct http_retry *retry,
                     struct http_response *response, struct err *err);

/* The code of an answer that is an <Error>: "NoSuchKey"; "" for another. A 200 may hold one,
 * where the store found out too late (CompleteMultipartUpload). */
void s3_error_code(const struct http_response *response, char out[S3_CODE_TEXT]);

#endif
