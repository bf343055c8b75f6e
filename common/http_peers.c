/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections and their deadlines: see http_peers.h. */
#include "http_peers.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <time.h>

#include "common/clock.h"
#include "common/mem.h"

enum { SWEEP_MS = 250 };

struct peer {
    struct peers *peers;
    int fd;
    int64_t deadline_ms; /* monotonic; 0: none */
    struct peer *next;
    struct peer **link; /* what points to this */
};

struct peers {
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows, and all deadlines */
    pthread_cond_t wake;
    struct peer *first;
    bool stopping;
};

/* The library's own time limit is of inactivity alone: a byte now and then would
 * hold a connection for ever. */
static void *sweep(void *context) {
    struct peers *peers = context;
    pthread_mutex_lock(&peers->mutex);
    while (!peers->stopping) {
        int64_t now = clock_monotonic_ms();
        for (struct peer *peer = peers->first; peer != NULL; peer = peer->next) {
            if (peer->deadline_ms != 0 && now > peer->deadline_ms) {
                shutdown(peer->fd, SHUT_RDWR); /* the library then closes it */
                peer->deadline_ms = 0;
            }
        }
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += SWEEP_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&peers->wake, &peers->mutex, &until);
    }
    pthread_mutex_unlock(&peers->mutex);
    return NULL;
}

int peers_start(struct peers **out, struct err *err) {
    struct peers *peers = mem_zero(1, sizeof(*peers));
    pthread_mutex_init(&peers->mutex, NULL);
    pthread_cond_init(&peers->wake, NULL);
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

struct peer *peer_add(struct peers *peers, int fd, int64_t deadline_ms) {
    struct peer *peer = mem_zero(1, sizeof(*peer));
    *peer = (struct peer){.peers = peers, .fd = fd, .deadline_ms = deadline_ms};
    pthread_mutex_lock(&peers->mutex);
    peer->next = peers->first;
    peer->link = &peers->first;
    if (peer->next != NULL) {
        peer->next->link = &peer->next;
    }
    peers->first = peer;
    pthread_mutex_unlock(&peers->mutex);
    return peer;
}

void peer_set_deadline(struct peer *peer, int64_t deadline_ms) {
    pthread_mutex_lock(&peer->peers->mutex);
    peer->deadline_ms = deadline_ms;
    pthread_mutex_unlock(&peer->peers->mutex);
}

int peer_fd(const struct peer *peer) {
    return peer->fd;
}

void peer_drop(struct peer *peer) {
    struct peers *peers = peer->peers;
    pthread_mutex_lock(&peers->mutex);
    *peer->link = peer->next;
    if (peer->next != NULL) {
        peer->next->link = peer->link;
    }
    pthread_mutex_unlock(&peers->mutex);
    mem_free(peer);
}
