/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the API is used: answers by route and status, and how long they took. Any thread. */
#ifndef SCHEDULER_TRAFFIC_H
#define SCHEDULER_TRAFFIC_H

#include <pthread.h>
#include <stdint.h>

#include "common/buf.h"
#include "exposition.h"

enum { TRAFFIC_ROUTES_MAX = 64, TRAFFIC_STATUSES_MAX = 16 };

/* A route's name for people: the method, and the path with '*' for what varies. */
struct traffic_route {
    const char *method;
    const char *path;
};

struct traffic {
    pthread_mutex_t mutex; /* guards what follows */
    struct {
        int statuses[TRAFFIC_STATUSES_MAX]; /* up to the first 0 */
        double answers[TRAFFIC_STATUSES_MAX];
        struct histogram seconds;
    } routes[TRAFFIC_ROUTES_MAX];
};

void traffic_init(struct traffic *traffic);
void traffic_finish(struct traffic *traffic);

/* Counts an answer. `route` is in [0, TRAFFIC_ROUTES_MAX); `seconds` are those of work, not
 * those that the call waited for news. */
void traffic_count(struct traffic *traffic, int route, int status, double seconds);

/* Writes the families of the first `count` routes. */
void traffic_write(struct traffic *traffic, const struct traffic_route *routes, int count,
                   struct buf *out);

#endif
