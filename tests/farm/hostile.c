/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hostile clients of an HTTP server on loopback, as many as are asked for, at all times: who
 * is thrown out comes back. Some say nothing, some drip heads or bodies, some talk garbage or
 * too much, some show wrong tokens and stay. They come from many addresses, the first of them
 * 127.0.0.1.
 *   farm-hostile PORT CONNECTIONS ADDRESSES SECONDS [OPENED A SECOND]
 * In the end it says: opened=N ended=N answered=N most=N (of those open at a time).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/mem.h"

enum {
    TICK_MS = 10,
    DRIP_TICKS = 30,
    EVENTS = 512,
    FLOOD = 40000,
    FLOOD_MORE = 4000,
    OPENED_PER_S = 4000
};

/* What a kind says at first, and then again and again, a byte at a time. */
static const struct {
    const char *first;
    const char *drip;
    bool floods;
} kinds[] = {
    {"", "", false},
    {"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ", "a", false},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{", " ", false},
    {"POST /v1/leases HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", "1", false},
    {"\x16\x03\x01\x02\xfe\x01\xff garbage \x01\x02\x03\r\n\r\n", "\xfe", false},
    {"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: ", "", true},
    {"GET /", "", true},
    {"POST /v1/titles HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n", "", true},
    {"POST /v1/leases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer wrong\r\nContent-Length: 2\r\n"
     "\r\n{}",
     "", false},
    {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", "", false},
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

struct client {
    int fd; /* -1: to be opened */
    size_t kind;
    size_t address;
    bool greeted;
};

struct crowd {
    int epoll;
    uint16_t port;
    size_t addresses;
    struct client *clients;
    size_t count;
    size_t open, most;
    long long opened, ended, answered;
};

static void end(struct crowd *crowd, struct client *client) {
    close(client->fd);
    client->fd = -1;
    client->greeted = false;
    crowd->open--;
    crowd->ended++;
}

/* Whether the machine has a socket for one more. */
static bool begin(struct crowd *crowd, struct client *client) {
    struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET};
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                .data.ptr = client};
    struct linger at_once = {.l_onoff = 1}; /* no port stays behind */
    int on = 1;
    from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)client->address);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(crowd->port);
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (client->fd < 0) {
        return false;
    }
    setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    setsockopt(client->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    bool is_begun =
        bind(client->fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
        (connect(client->fd, (struct sockaddr *)&to, sizeof(to)) == 0 || errno == EINPROGRESS) &&
        epoll_ctl(crowd->epoll, EPOLL_CTL_ADD, client->fd, &event) == 0;
    if (!is_begun) {
        close(client->fd);
        client->fd = -1;
        return false;
    }
    crowd->opened++;
    crowd->open++;
    crowd->most = crowd->open > crowd->most ? crowd->open : crowd->most;
    return true;
}

/* Only so much at a time: all of a flood would leave the others no time. */
static void flood(struct client *client, size_t bytes) {
    static char much[FLOOD];
    if (kinds[client->kind].floods) {
        memset(much, 'a', sizeof(much));
        send(client->fd, much, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
}

static void greet(struct client *client) {
    const char *first = kinds[client->kind].first;
    client->greeted = true;
    send(client->fd, first, strlen(first), MSG_NOSIGNAL | MSG_DONTWAIT);
    flood(client, FLOOD);
}

static void hear(struct crowd *crowd, struct client *client, uint32_t events) {
    char answer[4096];
    while ((events & EPOLLIN) != 0 && recv(client->fd, answer, sizeof(answer), 0) > 0) {
        crowd->answered += memcmp(answer, "HTTP/1.", 7) == 0;
    }
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) {
        end(crowd, client);
    } else if (!client->greeted && (events & EPOLLOUT) != 0) {
        greet(client);
    }
}

static void drip(struct crowd *crowd) {
    for (size_t i = 0; i < crowd->count; i++) {
        struct client *client = &crowd->clients[i];
        const char *more = kinds[client->kind].drip;
        if (client->fd >= 0 && client->greeted) {
            send(client->fd, more, strlen(more), MSG_NOSIGNAL | MSG_DONTWAIT);
            flood(client, FLOOD_MORE);
        }
    }
}

static void come_back(struct crowd *crowd, size_t at_most) {
    for (size_t i = 0; i < crowd->count && at_most > 0; i++) {
        if (crowd->clients[i].fd < 0) {
            if (!begin(crowd, &crowd->clients[i])) {
                return;
            }
            at_most--;
        }
    }
}

static void wait_and_hear(struct crowd *crowd) {
    struct epoll_event events[EVENTS];
    int64_t until = clock_monotonic_ms() + TICK_MS;
    int64_t left = TICK_MS;
    do {
        int count = epoll_wait(crowd->epoll, events, EVENTS, (int)left);
        for (int i = 0; i < count; i++) {
            struct client *client = events[i].data.ptr;
            if (client->fd >= 0) {
                hear(crowd, client, events[i].events);
            }
        }
        left = until - clock_monotonic_ms();
    } while (left > 0);
}

static long number(char **argv, int index, int argc, long otherwise) {
    return index < argc ? strtol(argv[index], NULL, 10) : otherwise;
}

int main(int argc, char **argv) {
    struct rlimit limit;
    if (argc < 5) {
        fprintf(stderr, "usage: farm-hostile PORT CONNECTIONS ADDRESSES SECONDS [PER_S]\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    struct crowd crowd = {.epoll = epoll_create1(EPOLL_CLOEXEC),
                          .port = (uint16_t)number(argv, 1, argc, 0),
                          .count = (size_t)number(argv, 2, argc, 0),
                          .addresses = (size_t)number(argv, 3, argc, 1)};
    int64_t until = clock_monotonic_ms() + 1000 * number(argv, 4, argc, 1);
    size_t per_tick = (size_t)number(argv, 5, argc, OPENED_PER_S) * TICK_MS / 1000 + 1;
    crowd.clients = mem_zero(crowd.count + 1, sizeof(*crowd.clients));
    for (size_t i = 0; i < crowd.count; i++) {
        crowd.clients[i] =
            (struct client){.fd = -1, .kind = i % KINDS, .address = i / KINDS % crowd.addresses};
    }
    for (int tick = 0; clock_monotonic_ms() < until; tick++) {
        come_back(&crowd, per_tick);
        wait_and_hear(&crowd);
        if (tick % DRIP_TICKS == 0) {
            drip(&crowd);
        }
    }
    printf("opened=%lld ended=%lld answered=%lld most=%zu\n", crowd.opened, crowd.ended,
           crowd.answered, crowd.most);
    mem_free(crowd.clients);
    return 0;
}
