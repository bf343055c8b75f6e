/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP requests told apart: see request.h. */
#include "request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char end_of_head[] = "\r\n\r\n";

/* The value of a header of the head; NULL where it has none of that name. */
static const char *header_of(const struct request *request, const char *name) {
    size_t length = strlen(name);
    const char *line = strstr(request->head, "\r\n");
    while (line != NULL && line[2] != '\r') {
        line += 2;
        if (strncasecmp(line, name, length) == 0 && line[length] == ':') {
            return line + length + 1 + strspn(line + length + 1, " ");
        }
        line = strstr(line, "\r\n");
    }
    return NULL;
}

bool request_is_between(const struct request *request) {
    return request->in_body ? request->body_left == 0 : request->head_size == 0;
}

static void head_end(struct request *request) {
    const char *length = header_of(request, "Content-Length");
    request->in_body = true;
    request->body_size = length != NULL ? strtoll(length, NULL, 10) : 0;
    request->body_left = request->body_size;
}

/* A head that is too long ends where it is full: the server refuses it, not we. */
static size_t head_take(struct request *request, const uint8_t *data, size_t size) {
    size_t taken = 0;
    bool ended = false;
    while (taken < size && !ended) {
        request->head[request->head_size++] = (char)data[taken++];
        request->head[request->head_size] = '\0';
        size_t tail = strlen(end_of_head);
        ended = request->head_size == REQUEST_HEAD_MAX ||
                (request->head_size >= tail &&
                 memcmp(request->head + request->head_size - tail, end_of_head, tail) == 0);
    }
    if (ended) {
        head_end(request);
    }
    return taken;
}

size_t request_take(struct request *request, const uint8_t *data, size_t size) {
    if (request->in_body && request->body_left == 0) { /* the one before has ended */
        request->in_body = false;
        request->head_size = 0;
    }
    if (!request->in_body) {
        return head_take(request, data, size);
    }
    size_t taken = request->body_left < (int64_t)size ? (size_t)request->body_left : size;
    request->body_left -= (int64_t)taken;
    return taken;
}

bool request_is_known(const struct request *request) {
    return request->in_body;
}

bool request_is_put(const struct request *request) {
    return request->in_body && strncmp(request->head, "PUT ", 4) == 0 && request->body_size > 0;
}

bool request_is_part(const struct request *request) {
    static const char parameter[] = "partNumber=";
    size_t target = strcspn(request->head, "\r\n");
    return request_is_put(request) &&
           memmem(request->head, target, parameter, strlen(parameter)) != NULL;
}

bool request_is_whole_get(const struct request *request) {
    size_t target = strcspn(request->head, "\r\n");
    return request->in_body && strncmp(request->head, "GET ", 4) == 0 &&
           memchr(request->head, '?', target) == NULL && header_of(request, "Range") == NULL;
}
