/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bytes on their way through the chaos proxy, and faults: see connection.h. */
#include "connection.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/clock.h"
#include "common/mem.h"
#include "request.h"

enum {
    PIECE_BYTES = 64 * 1024,
    DUPLICATE_BYTES_MAX = 64 << 20,
    DUPLICATE_MS = 5000, /* a duplicate's answer is waited for, then it is hung up on */
    THROTTLE_PARTS = 20, /* of a second's bytes at a time */
};

/* One way. A piece is read when the one before has gone. */
struct flow {
    uint8_t data[PIECE_BYTES];
    size_t at, size;
    int64_t due_ms; /* nothing more goes earlier */
    bool ended;     /* no more will be read */
    bool shut;      /* and the other side was told */
};

struct connection {
    struct line *line;
    int client; /* -1: a duplicate, whose answer nobody hears */
    int server;
    int epoll;
    uint32_t client_events, server_events; /* asked for */
    struct flow up, down;
    struct request request;
    struct buf copy; /* of the request that passes, where it is to be duplicated */
    bool copies;
    bool refuses;           /* the request that passes is answered by us */
    bool silent;            /* for ever */
    bool corrupts_answer;   /* still to be done */
    bool answer_body;       /* the answer's head has passed */
    int ends_matched;       /* bytes of "\r\n\r\n" that the answer has just had */
    int64_t cut_left;       /* bytes; -1: not drawn */
    const struct flow *cut; /* the connection ends when its piece has gone; NULL: none */
    int64_t corrupt_at;     /* a byte of the body, counted from its first; -1: none */
    int64_t number;
    uint64_t random;
    int64_t dies_ms;
    struct connection *begun; /* a duplicate, until it is handed over */
};

static const char *const names[FAULT_COUNT] = {
    [FAULT_NONE] = "clear",      [FAULT_DELAY] = "delay",     [FAULT_THROTTLE] = "throttle",
    [FAULT_CUT] = "cut",         [FAULT_SILENCE] = "silence", [FAULT_DRIP] = "drip",
    [FAULT_CORRUPT] = "corrupt", [FAULT_REFUSE] = "refuse",   [FAULT_DUPLICATE] = "duplicate",
};

const char *fault_name(enum fault fault) {
    return names[fault];
}

int fault_from_name(const char *name) {
    for (int i = 0; i < FAULT_COUNT; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

void chaos_log(const struct line *line, const char *format, ...) {
    static int64_t first_ms;
    char words[256];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    first_ms = first_ms == 0 ? clock_monotonic_ms() : first_ms;
    printf("%lld %d %s\n", (long long)(clock_monotonic_ms() - first_ms), line->port, words);
    fflush(stdout);
}

/* splitmix64: a connection's numbers depend on seed, line and its own number alone. */
static uint64_t draw(struct connection *connection, uint64_t bound) {
    uint64_t z = connection->random += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % bound;
}

/* ---- Life ------------------------------------------------------------------------- */

static int connect_on(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0 &&
        errno != EINPROGRESS) {
        close(fd);
        fd = -1;
    }
    return fd;
}

static void watch(struct connection *connection, int fd, uint32_t *asked, uint32_t events,
                  int operation) {
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (fd >= 0 && (operation == EPOLL_CTL_ADD || *asked != events)) {
        epoll_ctl(connection->epoll, operation, fd, &event);
        *asked = events;
    }
}

/* Takes `client`, which is -1 for a duplicate. */
static struct connection *begin(struct line *line, int client, int epoll) {
    int one = 1;
    int server = connect_on(line->target);
    if (server < 0) {
        if (client >= 0) {
            close(client);
        }
        return NULL;
    }
    struct connection *connection = mem_zero(1, sizeof(*connection));
    *connection = (struct connection){
        .line = line,
        .client = client,
        .server = server,
        .epoll = epoll,
        .cut_left = -1,
        .corrupt_at = -1,
        .number = ++line->count,
        .dies_ms = INT64_MAX,
    };
    connection->random = line->seed + (uint64_t)connection->number * 0x2545f4914f6cdd1du;
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    watch(connection, client, &connection->client_events, EPOLLIN, EPOLL_CTL_ADD);
    watch(connection, server, &connection->server_events, EPOLLIN, EPOLL_CTL_ADD);
    return connection;
}

struct connection *connection_create(struct line *line, int client, int epoll) {
    int one = 1;
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return begin(line, client, epoll);
}

/* The other side sees a reset, as of a machine that is gone. */
static void reset(int fd) {
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
        close(fd);
    }
}

void connection_destroy(struct connection *connection) {
    if (connection != NULL) {
        bool polite = connection->up.ended && connection->down.ended;
        if (polite) {
            close(connection->server);
            if (connection->client >= 0) {
                close(connection->client);
            }
        } else {
            reset(connection->client);
            reset(connection->server);
        }
        buf_finish(&connection->copy);
        connection_destroy(connection->begun);
        mem_free(connection);
    }
}

/* ---- Requests and answers --------------------------------------------------------- */

static void log_request(const struct connection *connection, const char *what) {
    chaos_log(connection->line, "%s connection %lld: %.*s", what, (long long)connection->number,
              (int)strcspn(connection->request.head, "\r\n"), connection->request.head);
}

static void duplicate(struct connection *connection) {
    struct connection *twin = begin(connection->line, -1, connection->epoll);
    if (twin == NULL) {
        return;
    }
    twin->copy = connection->copy;
    connection->copy = (struct buf){0};
    twin->dies_ms = clock_monotonic_ms() + DUPLICATE_MS;
    connection->begun = twin;
    log_request(connection, "duplicate");
}

static void request_begins(struct connection *connection) {
    enum fault fault = connection->line->fault;
    buf_clear(&connection->copy);
    connection->refuses = fault == FAULT_REFUSE;
    connection->copies = fault == FAULT_DUPLICATE && connection->begun == NULL;
    connection->corrupts_answer = false;
    connection->answer_body = false;
    connection->ends_matched = 0;
    connection->corrupt_at = -1;
}

static void request_known(struct connection *connection) {
    struct request *request = &connection->request;
    if (request_is_part(request)) {
        log_request(connection, "part");
    }
    if (connection->line->fault != FAULT_CORRUPT) {
        return;
    }
    connection->corrupts_answer = request_is_whole_get(request);
    if (request_is_put(request)) {
        connection->corrupt_at = (int64_t)draw(connection, (uint64_t)request->body_size);
    }
}

static void request_ends(struct connection *connection) {
    if (connection->copies) {
        duplicate(connection);
        connection->copies = false;
    }
    if (connection->refuses) {
        struct flow *down = &connection->down;
        int64_t extra = connection->line->extra;
        down->size = (size_t)snprintf((char *)down->data, sizeof(down->data),
                                      "HTTP/1.1 %lld Not Now\r\nRetry-After: %lld\r\n"
                                      "Content-Length: 0\r\nConnection: close\r\n\r\n",
                                      (long long)(extra != 0 ? extra : 503),
                                      (long long)connection->line->amount);
        down->at = 0;
        down->ended = true;
        connection->up.ended = true;
        log_request(connection, "refuse");
    }
}

/* Changes the byte where it lies in the `size` bytes of the body that begin at `from`. */
static void corrupt(struct connection *connection, uint8_t *data, size_t size, int64_t from) {
    int64_t at = connection->corrupt_at - from;
    if (connection->corrupt_at >= 0 && at >= 0 && at < (int64_t)size) {
        data[at] ^= (uint8_t)(1 + draw(connection, 255));
        connection->corrupt_at = -1;
        log_request(connection, "corrupt");
    }
}

/* A piece from the client: what of it goes on stays in the flow. */
static void pass_up(struct connection *connection) {
    struct flow *up = &connection->up;
    struct request *request = &connection->request;
    size_t kept = 0;
    for (size_t at = 0; at < up->size && !up->ended;) {
        if (request_is_between(request)) {
            request_begins(connection);
        }
        bool was_known = request_is_known(request) && !request_is_between(request);
        int64_t body_at = was_known ? request->body_size - request->body_left : 0;
        size_t taken = request_take(request, up->data + at, up->size - at);
        if (was_known) {
            corrupt(connection, up->data + at, taken, body_at);
        } else if (request_is_known(request)) {
            request_known(connection);
        }
        if (connection->copies && connection->copy.size + taken <= DUPLICATE_BYTES_MAX) {
            buf_append(&connection->copy, up->data + at, taken);
        }
        if (!connection->refuses) {
            memmove(up->data + kept, up->data + at, taken);
            kept += taken;
        }
        at += taken;
        if (request_is_between(request)) {
            request_ends(connection);
        }
    }
    up->size = kept;
}

/* A piece from the server. Of a whole object one byte of the first piece of its body is changed. */
static void pass_down(struct connection *connection) {
    static const char end[] = "\r\n\r\n";
    struct flow *down = &connection->down;
    size_t at = 0;
    while (at < down->size && !connection->answer_body) {
        char c = (char)down->data[at++];
        connection->ends_matched = c == end[connection->ends_matched] ? connection->ends_matched + 1
                                                                      : (c == end[0] ? 1 : 0);
        connection->answer_body = connection->ends_matched == (int)strlen(end);
        connection->ends_matched = connection->answer_body ? 0 : connection->ends_matched;
    }
    if (connection->corrupts_answer && at < down->size) {
        connection->corrupt_at = (int64_t)draw(connection, down->size - at);
        corrupt(connection, down->data + at, down->size - at, 0);
        connection->corrupts_answer = false;
    }
}

/* ---- Faults of bytes -------------------------------------------------------------- */

/* What a piece that has just been read waits for, beside what the one before it has used up. */
static void hold(struct connection *connection, struct flow *flow) {
    const struct line *line = connection->line;
    if (line->fault == FAULT_DELAY) {
        int64_t due = clock_monotonic_ms() + line->amount +
                      (int64_t)draw(connection, (uint64_t)line->extra + 1);
        flow->due_ms = due > flow->due_ms ? due : flow->due_ms;
    }
}

/* Shortens a piece after which the connection is cut. */
static void count_down(struct connection *connection, struct flow *flow) {
    const struct line *line = connection->line;
    if (line->fault != FAULT_CUT) {
        connection->cut_left = -1;
        return;
    }
    if (connection->cut_left < 0) {
        connection->cut_left = 1 + (int64_t)draw(connection, (uint64_t)line->amount);
    }
    if ((int64_t)flow->size > connection->cut_left) {
        flow->size = (size_t)connection->cut_left;
        connection->cut = flow;
        chaos_log(line, "cut connection %lld", (long long)connection->number);
    }
    connection->cut_left -= (int64_t)flow->size;
}

/* How many bytes may go at once, and when the next may. */
static size_t allowance(struct connection *connection, struct flow *flow) {
    const struct line *line = connection->line;
    size_t left = flow->size - flow->at;
    int64_t now = clock_monotonic_ms();
    int64_t rate = line->fault == FAULT_THROTTLE ? line->amount : line->rate;
    size_t most = left;
    if (line->fault == FAULT_DRIP) {
        most = 1;
        flow->due_ms = now + line->amount;
    } else if (rate > 0) {
        size_t part = (size_t)(rate / THROTTLE_PARTS) + 1;
        most = part < left ? part : left;
        flow->due_ms = now + ((int64_t)most * 1000 + rate - 1) / rate;
    }
    return most;
}

/* ---- Moving ----------------------------------------------------------------------- */

/* Reads a piece where there is room for one. False: the connection is over. */
static bool take(struct connection *connection, struct flow *flow, int from,
                 void (*pass)(struct connection *)) {
    if (flow->ended || flow->at < flow->size) {
        return true;
    }
    ssize_t got = recv(from, flow->data, sizeof(flow->data), 0);
    if (got < 0) {
        return errno == EAGAIN || errno == EINTR;
    }
    flow->at = 0;
    flow->size = (size_t)got;
    if (got == 0) {
        flow->ended = true;
        return true;
    }
    if (connection->line->fault == FAULT_SILENCE && !connection->silent) {
        connection->silent = true;
        chaos_log(connection->line, "silence connection %lld", (long long)connection->number);
    }
    if (connection->silent) {
        flow->size = 0;
        return true;
    }
    pass(connection);
    hold(connection, flow);
    count_down(connection, flow);
    return true;
}

/* Writes what may go. False: the connection is over. */
static bool give(struct connection *connection, struct flow *flow, int to) {
    while (flow->at < flow->size && clock_monotonic_ms() >= flow->due_ms) {
        size_t most = allowance(connection, flow);
        ssize_t sent = to < 0 ? (ssize_t)most : send(to, flow->data + flow->at, most, MSG_NOSIGNAL);
        if (sent < 0) {
            return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
        }
        flow->at += (size_t)sent;
    }
    if (connection->cut == flow && flow->at == flow->size) {
        return false;
    }
    if (flow->ended && !flow->shut && flow->at == flow->size && !connection->silent) {
        flow->shut = true;
        if (to >= 0) {
            shutdown(to, SHUT_WR);
        }
    }
    return true;
}

/* A duplicate's bytes come from its copy. */
static void take_copy(struct connection *connection) {
    struct flow *up = &connection->up;
    struct buf *copy = &connection->copy;
    if (up->at == up->size && copy->size > 0) {
        size_t size = copy->size < sizeof(up->data) ? copy->size : sizeof(up->data);
        memcpy(up->data, copy->data, size);
        memmove(copy->data, copy->data + size, copy->size - size);
        copy->size -= size;
        up->at = 0;
        up->size = size;
    }
}

static uint32_t wanted(const struct flow *in, const struct flow *out) {
    bool reads = !in->ended && in->at == in->size;
    bool writes = out->at < out->size && out->due_ms <= clock_monotonic_ms();
    return (reads ? (uint32_t)EPOLLIN : 0) | (writes ? (uint32_t)EPOLLOUT : 0);
}

bool connection_step(struct connection *connection, struct connection **begun) {
    struct flow *up = &connection->up;
    struct flow *down = &connection->down;
    bool goes_on = clock_monotonic_ms() < connection->dies_ms;
    *begun = NULL;
    if (connection->client < 0) {
        take_copy(connection);
    } else {
        goes_on = goes_on && take(connection, up, connection->client, pass_up);
    }
    goes_on = goes_on && take(connection, down, connection->server, pass_down) &&
              give(connection, up, connection->server) &&
              give(connection, down, connection->client);
    bool over = connection->silent ? up->ended && down->ended
                                   : down->shut && (up->shut || connection->refuses);
    if (!goes_on || over) {
        return false;
    }
    *begun = connection->begun;
    connection->begun = NULL;
    watch(connection, connection->client, &connection->client_events, wanted(up, down),
          EPOLL_CTL_MOD);
    watch(connection, connection->server, &connection->server_events, wanted(down, up),
          EPOLL_CTL_MOD);
    return true;
}

int64_t connection_due_ms(const struct connection *connection) {
    const struct {
        const struct flow *flow;
        uint32_t events; /* of where it goes to */
    } ways[] = {
        {&connection->up, connection->server_events},
        {&connection->down, connection->client_events},
    };
    int64_t due = connection->dies_ms;
    for (int i = 0; i < 2; i++) {
        bool holds = ways[i].flow->at < ways[i].flow->size && (ways[i].events & EPOLLOUT) == 0;
        due = holds && ways[i].flow->due_ms < due ? ways[i].flow->due_ms : due;
    }
    return due;
}
