/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of an HTTP/1.1 connection, told apart as their bytes pass: where each begins and
 * ends, and what it asks for. It knows Content-Length alone, which is all that our clients send.
 */
#ifndef TESTS_CHAOS_REQUEST_H
#define TESTS_CHAOS_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { REQUEST_HEAD_MAX = 32 * 1024 };

/* Zeroed: before the first request. */
struct request {
    char head[REQUEST_HEAD_MAX + 1]; /* request line and headers so far */
    size_t head_size;
    bool in_body;
    int64_t body_size;
    int64_t body_left;
};

/* Whether the next byte is the first of a request. */
bool request_is_between(const struct request *request);

/* Takes bytes up to the end of the request's head, or up to its end; returns how many, at least
 * one of `size` > 0. A request without a body has ended when its head has. */
size_t request_take(struct request *request, const uint8_t *data, size_t size);

/* Whether the head is whole. What is asked below holds until the next request's first byte. */
bool request_is_known(const struct request *request);

/* PUT with a body. */
bool request_is_put(const struct request *request);

/* PUT of one part of a large object. */
bool request_is_part(const struct request *request);

/* GET of a whole object: no query, no range. */
bool request_is_whole_get(const struct request *request);

#endif
