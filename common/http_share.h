/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The connections that clients of http_client_create_sharing share: so many at most to one server,
 * by whichever threads. One is lent for one request and is back before its answer is looked at, so
 * that nobody who holds one waits for another.
 */
#ifndef COMMON_HTTP_SHARE_H
#define COMMON_HTTP_SHARE_H

#include "common/http.h"

struct http_lent;

/* Lends what a request may go by, waiting in the order of asking where all of its server are at
 * work: CANCELLED as the request says, TIMEOUT after its total_ms. Give it back with
 * http_share_give. */
int http_share_take(struct http_lent **out, const struct http_request *request, struct err *err);

/* Borrowed, until it is given back. */
struct http_client *http_share_client(const struct http_lent *lent);

/* Gives it back; takes what http_share_take lent. */
void http_share_give(struct http_lent *lent);

#endif
