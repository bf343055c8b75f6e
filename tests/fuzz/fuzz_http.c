/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes that a client sends, to a true HTTP server over loopback. What its handler gets must be
 * what http_server.h promises. A byte 0xff stands for a good token. */
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/http_server.h"
#include "harness.h"

enum { BODY_MAX = 4096, WAIT_MS = 10 };

static const char good[] = "good-token";
static struct http_server *server;

static bool authorise(void *context, const char *token, char caller[HTTP_CALLER_TEXT]) {
    (void)context;
    snprintf(caller, HTTP_CALLER_TEXT, "somebody");
    return strcmp(token, good) == 0;
}

static void handle(void *context, struct exchange *exchange) {
    struct buf text = {0};
    (void)context;
    bool holds = strchr(exchange->path, '?') == NULL && exchange->body.size <= BODY_MAX &&
                 (exchange->authorised || exchange->body.size == 0);
    for (const char *at = exchange->path; *at != '\0'; at++) {
        holds = holds && *at > ' ' && *at <= '~' && *at != '%';
    }
    const char *value = exchange_header(exchange, "Authorization");
    holds = holds && (!exchange->authorised || (value != NULL && strstr(value, good) != NULL));
    if (!holds) {
        fprintf(stderr, "%s %s with %zu bytes\n", exchange->method, exchange->path,
                exchange->body.size);
        abort();
    }
    const char *wait = exchange_query(exchange, "wait_ms");
    buf_format(&text, "%s", wait != NULL ? wait : "");
    http_answer(exchange, 200, "text/plain", &text);
}

static void leave(void) {
    http_server_stop(server);
}

static void begin(void) {
    struct http_server_options options = http_server_options_default();
    struct err err = {0};
    options.handle = handle;
    options.authorise = authorise;
    options.max_body = BODY_MAX;
    options.request_ms = 1000;
    if (http_server_start(&server, &options, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    atexit(leave);
}

static void send_all(int fd, const uint8_t *data, size_t size) {
    while (size > 0) {
        ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
        if (sent <= 0) {
            return; /* it was ended: fine */
        }
        data += sent;
        size -= (size_t)sent;
    }
}

/* An answer comes soon or not at all: the request may go on. */
static void read_some(int fd) {
    char answer[4096];
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (poll(&readable, 1, WAIT_MS) > 0 && recv(fd, answer, sizeof(answer), 0) > 0) {
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct buf text = {0};
    struct linger at_once = {.l_onoff = 1}; /* leaves no port behind that waits */
    if (server == NULL) {
        begin();
    }
    for (size_t i = 0; i < size; i++) {
        if (data[i] == 0xff) {
            buf_string(&text, good);
        } else {
            buf_append(&text, &data[i], 1);
        }
    }
    struct sockaddr_in address = {.sin_family = AF_INET};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)http_server_port(server));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        send_all(fd, text.data, text.size);
        read_some(fd);
    }
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    buf_finish(&text);
    return 0;
}
