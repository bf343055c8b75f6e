/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections and their deadlines: see http_peers.h. */
#include "http_peers.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "common/clock.h"
#include "common/condition.h"
#include "common/mem.h"

enum { SWEEP_MS = 250 }; /* between two looks at all of them, at least */

struct peer {
    struct peers *peers;
    int fd;
    int64_t deadline_ms; /* monotonic; 0: none */
    struct peer *next;
    struct peer **link; /* what points to this */
    /* of a stranger */
    bool is_stranger;
    uint64_t network; /* its address */
    struct peer *older, *newer;
};

struct peers {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows, and all deadlines */
    pthread_cond_t wake;
    struct peer *first;
    int64_t wakes_ms; /* when the thread will look again; INT64_MAX: when it is told */
    bool stopping;
    int strangers_max;
    int per_address_max;
    int strangers;
    struct peer *oldest, *newest; /* strangers */
};

/* Until the next deadline is past; without any until there is one. */
static void rest(struct peers *peers, int64_t now, int64_t next) {
    peers->wakes_ms = INT64_MAX;
    if (next == INT64_MAX) {
        pthread_cond_wait(&peers->wake, &peers->mutex);
        return;
    }
    int64_t ms = next - now < SWEEP_MS ? SWEEP_MS : next - now + 1;
    peers->wakes_ms = now + ms;
    condition_wait_ms(&peers->wake, &peers->mutex, ms);
}

/* Wakes the thread where it would sleep past it. Under the mutex. */
static void see_deadline(struct peers *peers, int64_t deadline_ms) {
    if (deadline_ms != 0 && deadline_ms < peers->wakes_ms) {
        peers->wakes_ms = deadline_ms;
        pthread_cond_signal(&peers->wake);
    }
}

/* The library's own time limit is of inactivity alone: a byte now and then would
 * hold a connection for ever. */
static void *sweep(void *context) {
    struct peers *peers = context;
    pthread_mutex_lock(&peers->mutex);
    while (!peers->stopping) {
        int64_t now = clock_monotonic_ms();
        int64_t next = INT64_MAX;
        for (struct peer *peer = peers->first; peer != NULL; peer = peer->next) {
            if (peer->deadline_ms != 0 && now > peer->deadline_ms) {
                shutdown(peer->fd, SHUT_RDWR); /* the library then closes it */
                peer->deadline_ms = 0;
            } else if (peer->deadline_ms != 0 && peer->deadline_ms < next) {
                next = peer->deadline_ms;
            }
        }
        rest(peers, now, next);
    }
    pthread_mutex_unlock(&peers->mutex);
    return NULL;
}

int peers_start(struct peers **out, int strangers, int per_address, struct err *err) {
    struct peers *peers = mem_zero(1, sizeof(*peers));
    peers->strangers_max = strangers;
    peers->per_address_max = per_address;
    pthread_mutex_init(&peers->mutex, NULL);
    condition_init(&peers->wake);
    int failure = pthread_create(&peers->thread, NULL, sweep, peers);
    if (failure != 0) {
        pthread_cond_destroy(&peers->wake);
        pthread_mutex_destroy(&peers->mutex);
        mem_free(peers);
        return err_set_errno(err, failure, "the HTTP server's thread can't be started");
    }
    *out = peers;
    return 0;
}

void peers_stop(struct peers *peers) {
    if (peers == NULL) {
        return;
    }
    pthread_mutex_lock(&peers->mutex);
    peers->stopping = true;
    pthread_cond_broadcast(&peers->wake);
    pthread_mutex_unlock(&peers->mutex);
    pthread_join(peers->thread, NULL);
    pthread_cond_destroy(&peers->wake);
    pthread_mutex_destroy(&peers->mutex);
    mem_free(peers);
}

/* ---- strangers ---------------------------------------------------------------------- */

/* What one client can't choose freely: its IPv4 address, or its IPv6 network. */
static uint64_t network_of(int fd) {
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    uint64_t network = 0;
    if (getpeername(fd, (struct sockaddr *)&address, &size) != 0) {
        return 0;
    }
    if (address.ss_family != AF_INET6) {
        return ((struct sockaddr_in *)&address)->sin_addr.s_addr;
    }
    const struct in6_addr *in6 = &((struct sockaddr_in6 *)&address)->sin6_addr;
    bool is_four = IN6_IS_ADDR_V4MAPPED(in6);
    memcpy(&network, in6->s6_addr + (is_four ? 12 : 0), is_four ? 4 : 8);
    return network;
}

/* Under the mutex, as all of these. */
static void leave_strangers(struct peer *peer) {
    struct peers *peers = peer->peers;
    if (!peer->is_stranger) {
        return;
    }
    *(peer->older != NULL ? &peer->older->newer : &peers->oldest) = peer->newer;
    *(peer->newer != NULL ? &peer->newer->older : &peers->newest) = peer->older;
    peer->is_stranger = false;
    peers->strangers--;
}

static void join_strangers(struct peer *peer) {
    struct peers *peers = peer->peers;
    peer->is_stranger = true;
    peer->older = peers->newest;
    *(peer->older != NULL ? &peer->older->newer : &peers->oldest) = peer;
    peers->newest = peer;
    peers->strangers++;
}

static void drive_out(struct peer *peer) {
    leave_strangers(peer);
    shutdown(peer->fd, SHUT_RDWR); /* the library then closes it */
    peer->deadline_ms = 0;
}

/* Makes room for one more of the network. */
static void make_room(struct peers *peers, uint64_t network) {
    struct peer *oldest = NULL;
    int count = 0;
    for (struct peer *peer = peers->newest; peer != NULL; peer = peer->older) {
        if (peer->network == network) {
            oldest = peer;
            count++;
        }
    }
    if (count >= peers->per_address_max) {
        drive_out(oldest);
    } else if (peers->strangers >= peers->strangers_max) {
        drive_out(peers->oldest);
    }
}

void peer_know(struct peer *peer) {
    pthread_mutex_lock(&peer->peers->mutex);
    leave_strangers(peer);
    pthread_mutex_unlock(&peer->peers->mutex);
}

/* ---- all of them -------------------------------------------------------------------- */

struct peer *peer_add(struct peers *peers, int fd, int64_t deadline_ms) {
    struct peer *peer = mem_zero(1, sizeof(*peer));
    *peer = (struct peer){
        .peers = peers, .fd = fd, .deadline_ms = deadline_ms, .network = network_of(fd)};
    pthread_mutex_lock(&peers->mutex);
    make_room(peers, peer->network);
    join_strangers(peer);
    peer->next = peers->first;
    peer->link = &peers->first;
    if (peer->next != NULL) {
        peer->next->link = &peer->next;
    }
    peers->first = peer;
    see_deadline(peers, deadline_ms);
    pthread_mutex_unlock(&peers->mutex);
    return peer;
}

void peer_set_deadline(struct peer *peer, int64_t deadline_ms) {
    pthread_mutex_lock(&peer->peers->mutex);
    peer->deadline_ms = deadline_ms;
    see_deadline(peer->peers, deadline_ms);
    pthread_mutex_unlock(&peer->peers->mutex);
}

int peer_fd(const struct peer *peer) {
    return peer->fd;
}

void peer_drop(struct peer *peer) {
    struct peers *peers = peer->peers;
    pthread_mutex_lock(&peers->mutex);
    leave_strangers(peer);
    *peer->link = peer->next;
    if (peer->next != NULL) {
        peer->next->link = peer->link;
    }
    pthread_mutex_unlock(&peers->mutex);
    mem_free(peer);
}
