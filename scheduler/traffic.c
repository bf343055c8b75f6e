/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How the API is used: see traffic.h. */
#include "traffic.h"

#include <assert.h>
#include <stdio.h>

static const histogram_bounds bounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                        0.1,   0.25,   0.5,   1,    5};

void traffic_init(struct traffic *traffic) {
    *traffic = (struct traffic){0};
    pthread_mutex_init(&traffic->mutex, NULL);
}

void traffic_finish(struct traffic *traffic) {
    pthread_mutex_destroy(&traffic->mutex);
}

void traffic_count(struct traffic *traffic, int route, int status, double seconds) {
    assert(route >= 0 && route < TRAFFIC_ROUTES_MAX);
    pthread_mutex_lock(&traffic->mutex);
    int *statuses = traffic->routes[route].statuses;
    int at = 0;
    while (at < TRAFFIC_STATUSES_MAX - 1 && statuses[at] != 0 && statuses[at] != status) {
        at++;
    }
    statuses[at] = status;
    traffic->routes[route].answers[at]++;
    histogram_observe(&traffic->routes[route].seconds, bounds, seconds);
    pthread_mutex_unlock(&traffic->mutex);
}

static void write_answers(struct traffic *traffic, const struct traffic_route *routes, int count,
                          struct buf *out) {
    exposition_family(out, "reelfarm_http_requests_total", EXPOSITION_COUNTER,
                      "Answers of the API, by route and status.");
    for (int i = 0; i < count; i++) {
        const int *statuses = traffic->routes[i].statuses;
        for (int j = 0; j < TRAFFIC_STATUSES_MAX && statuses[j] != 0; j++) {
            char status[16];
            snprintf(status, sizeof(status), "%d", statuses[j]);
            struct labels labels = {
                {{"method", routes[i].method}, {"route", routes[i].path}, {"status", status}}};
            exposition_sample(out, "reelfarm_http_requests_total", &labels,
                              traffic->routes[i].answers[j]);
        }
    }
}

void traffic_write(struct traffic *traffic, const struct traffic_route *routes, int count,
                   struct buf *out) {
    static const char seconds[] = "reelfarm_http_request_duration_seconds";
    pthread_mutex_lock(&traffic->mutex);
    write_answers(traffic, routes, count, out);
    exposition_family(out, seconds, EXPOSITION_HISTOGRAM,
                      "Time from a whole request to its answer, less what it waited for news.");
    for (int i = 0; i < count; i++) {
        if (traffic->routes[i].statuses[0] != 0) {
            struct labels labels = {{{"method", routes[i].method}, {"route", routes[i].path}}};
            exposition_histogram(out, seconds, &labels, bounds, &traffic->routes[i].seconds);
        }
    }
    pthread_mutex_unlock(&traffic->mutex);
}
