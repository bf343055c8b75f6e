/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sources read by ranges over HTTP, whoever answers: through the block cache, with
 * retries, and every byte of the version that was opened. A backend gives what asks its
 * server; the functions here are its row of blob_backend.h.
 */
#ifndef COMMON_BLOB_RANGES_H
#define COMMON_BLOB_RANGES_H

#include "blob_backend.h"
#include "common/http.h"

struct ranges_server {
    /* Sends a request of which all but the URL and who asks is filled in: as http_send. */
    int (*send)(void *context, struct http_request *request, struct http_response *response,
                struct err *err);
    /* What the answer means: as http_check. */
    int (*check)(void *context, const struct http_request *request,
                 const struct http_response *response, struct err *err);
    void (*close)(void *context);
};

/* Opens; takes `context`, on failure too. Where strong ETags tell contents apart wherever they
 * lie, `store` names whose they are, and an object is known by that, its ETag and size; else
 * (NULL, or no such ETag) by URL, validator and size. */
int ranges_open(struct blob_source *source, const struct ranges_server *server, void *context,
                const char *store, const char *url, struct err *err);

/* Reads all of these bytes, by the cache, and begins to fetch what is likely to come next. Errors
 * are the server's. */
int ranges_read(struct blob_source *source, int64_t offset, void *out, size_t size,
                struct err *err);

/* Asks for these bytes alone, unless the cache has them; it keeps none. */
int ranges_read_alone(struct blob_source *source, int64_t offset, void *out, size_t size,
                      struct err *err);

/* Takes what a failed open left. */
void ranges_close(struct blob_source *source);

#endif
