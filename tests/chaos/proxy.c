/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A TCP proxy on loopback that does to connections what bad networks and bad stores do.
 *   chaos-proxy SEED PORT=TARGET[=RATE]...
 * Commands come on stdin, one a line: PORT FAULT [AMOUNT [EXTRA]], FAULT being a word of
 * connection.c's table ("clear" for none); connection.h says what the numbers mean. One fault
 * holds on a line until the next; RATE is how many bytes a second each of its connections carries
 * without one. It ends with stdin. What it did, and when, goes to stdout, and so does each part of
 * an object that is put in parts.
 *
 * What it draws (jitter, where to cut, which byte to change) follows from the seed, the line and
 * the number of the connection. It changes bytes of bodies that their receiver can check:
 * objects put, and objects got whole. Ranges of a source and JSON have nothing but TCP's own
 * checksums, or TLS, against a changed byte: no farm can find it, so that is not asked of one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"
#include "connection.h"

enum { LINES_MAX = 16, EVENTS = 64, COMMANDS_BYTES = 4096 };

struct proxy {
    int epoll;
    struct line lines[LINES_MAX];
    size_t line_count;
    struct connection **connections; /* owned, in the order of their coming */
    size_t connection_count;
    char commands[COMMANDS_BYTES]; /* of stdin, what is no whole line yet */
    size_t command_size;
    bool ended;
};

static void add(struct proxy *proxy, struct connection *connection) {
    size_t count = proxy->connection_count + 1;
    proxy->connections = mem_resize(proxy->connections, count, sizeof(struct connection *));
    proxy->connections[proxy->connection_count++] = connection;
}

static void accept_all(struct proxy *proxy, struct line *line) {
    for (;;) {
        int client = accept4(line->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0) {
            return;
        }
        struct connection *connection = connection_create(line, client, proxy->epoll);
        if (connection != NULL) {
            add(proxy, connection);
        }
    }
}

/* Duplicates that begin here come last, and have their turn in the same round. */
static void step_all(struct proxy *proxy) {
    size_t kept = 0;
    for (size_t i = 0; i < proxy->connection_count; i++) {
        struct connection *connection = proxy->connections[i];
        struct connection *begun = NULL;
        bool goes_on = connection_step(connection, &begun);
        if (begun != NULL) {
            add(proxy, begun);
        }
        if (goes_on) {
            proxy->connections[kept++] = connection;
        } else {
            connection_destroy(connection);
        }
    }
    proxy->connection_count = kept;
}

static int pause_ms(const struct proxy *proxy) {
    int64_t now = clock_monotonic_ms();
    int64_t due = now + 60000;
    for (size_t i = 0; i < proxy->connection_count; i++) {
        int64_t own = connection_due_ms(proxy->connections[i]);
        due = own < due ? own : due;
    }
    return due > now ? (int)(due - now) : 0;
}

/* ---- Commands --------------------------------------------------------------------- */

static void follow(struct proxy *proxy, const char *command) {
    char name[32] = "";
    long long amount = 0;
    long long extra = 0;
    int port = 0;
    int fault = -1;
    struct line *line = NULL;
    if (sscanf(command, "%d %31s %lld %lld", &port, name, &amount, &extra) >= 2) {
        fault = fault_from_name(name);
    }
    for (size_t i = 0; i < proxy->line_count; i++) {
        line = proxy->lines[i].port == port ? &proxy->lines[i] : line;
    }
    bool wants_amount = fault == FAULT_CUT || fault == FAULT_THROTTLE || fault == FAULT_DRIP;
    if (line == NULL || fault < 0 || amount < (wants_amount ? 1 : 0) || extra < 0) {
        fprintf(stderr, "chaos-proxy: '%s' is no command\n", command);
        return;
    }
    line->fault = (enum fault)fault;
    line->amount = amount;
    line->extra = extra;
    chaos_log(line, "%s %lld %lld", fault_name(line->fault), amount, extra);
}

static void read_commands(struct proxy *proxy) {
    char *text = proxy->commands;
    ssize_t got = read(STDIN_FILENO, text + proxy->command_size,
                       sizeof(proxy->commands) - 1 - proxy->command_size);
    if (got <= 0) {
        proxy->ended = got == 0 || (errno != EAGAIN && errno != EINTR);
        return;
    }
    proxy->command_size += (size_t)got;
    text[proxy->command_size] = '\0';
    for (char *end = strchr(text, '\n'); end != NULL; end = strchr(text, '\n')) {
        *end = '\0';
        follow(proxy, text);
        proxy->command_size -= (size_t)(end + 1 - text);
        memmove(text, end + 1, proxy->command_size + 1);
    }
    proxy->ended = proxy->command_size == sizeof(proxy->commands) - 1;
}

/* ---- Beginning and end ------------------------------------------------------------ */

static int listen_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
                    bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
                    listen(fd, SOMAXCONN) != 0)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* data.ptr of an event: the line that listens, NULL for stdin, the connection else. */
static bool line_open(struct proxy *proxy, uint64_t seed, const char *word) {
    struct line *line = &proxy->lines[proxy->line_count];
    long long rate = 0;
    int end = 0; /* of what was understood */
    int count = sscanf(word, "%d=%d%n=%lld%n", &line->port, &line->target, &end, &rate, &end);
    if (proxy->line_count == LINES_MAX || count < 2 || word[end] != '\0' || rate < 0) {
        fprintf(stderr, "chaos-proxy: '%s' is no PORT=TARGET[=RATE]\n", word);
        return false;
    }
    line->rate = rate;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = line};
    line->fd = listen_on(line->port);
    if (line->fd < 0 || epoll_ctl(proxy->epoll, EPOLL_CTL_ADD, line->fd, &event) != 0) {
        fprintf(stderr, "chaos-proxy: port %d can't be listened on: %s\n", line->port,
                strerror(errno));
        return false;
    }
    line->seed = seed * 1000003u + ++proxy->line_count;
    return true;
}

static void serve(struct proxy *proxy) {
    struct epoll_event events[EVENTS];
    while (!proxy->ended) {
        int count = epoll_wait(proxy->epoll, events, EVENTS, pause_ms(proxy));
        for (int i = 0; i < count; i++) {
            struct line *line = events[i].data.ptr;
            if (line == NULL) {
                read_commands(proxy);
            } else if (line >= proxy->lines && line < proxy->lines + LINES_MAX) {
                accept_all(proxy, line);
            }
        }
        step_all(proxy);
    }
    for (size_t i = 0; i < proxy->connection_count; i++) {
        connection_destroy(proxy->connections[i]);
    }
    mem_free(proxy->connections);
}

int main(int argc, char **argv) {
    struct proxy proxy = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
    struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
    if (argc < 3) {
        fprintf(stderr, "usage: chaos-proxy SEED PORT=TARGET[=RATE]...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        if (!line_open(&proxy, strtoull(argv[1], NULL, 10), argv[i])) {
            return 1;
        }
    }
    signal(SIGPIPE, SIG_IGN);
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_NONBLOCK);
    if (epoll_ctl(proxy.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &commands) != 0) {
        fprintf(stderr, "chaos-proxy: stdin must be a pipe or a terminal\n");
        return 1;
    }
    serve(&proxy);
    return 0;
}
