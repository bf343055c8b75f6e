/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How much at a time an endpoint is asked: how many connections (grown by one a round, halved by a
 * failure, cut where answers come late: AIMD), and how many bytes a second. Pure.
 */
#ifndef WORKERS_EDGES_EDGE_FLOW_H
#define WORKERS_EDGES_EDGE_FLOW_H

#include <stdbool.h>
#include <stdint.h>

/* How many connections at a time. */
struct flow_limit {
    double now; /* at least 1 */
    int most;
    double least_ms; /* the smallest cost of late: what the endpoint takes when it is not busy */
    double mean_ms;  /* of late */
    int since_cut;   /* objects since it was last made smaller */
};

/* Begins with at most FLOW_FIRST of `most`. */
enum { FLOW_FIRST = 4 };
void flow_limit_init(struct flow_limit *limit, int most);

/* How many connections may be at work now. */
int flow_limit_now(const struct flow_limit *limit);

/* What so many bytes, brought by `requests` in `busy_ms` of them together, cost: ms of a request,
 * or of 256 KiB, which count as one more. 0 where nothing was asked. */
double flow_cost(int64_t bytes, int64_t requests, int64_t busy_ms);

/* Notes an object of so many bytes that was brought by `requests` in `busy_ms` of them together.
 * `failed`: some request had to be made again, or all failed. */
void flow_limit_note(struct flow_limit *limit, int64_t bytes, int64_t requests, int64_t busy_ms,
                     bool failed);

/* A line of so many bytes a second. */
struct flow_line {
    int64_t bytes_s; /* 0: any */
    int64_t free_ms; /* when it has sent what was last put on it */
};

/* Puts so many bytes on the line; returns how long to wait before they are sent. */
int64_t flow_line_take(struct flow_line *line, int64_t now_ms, int64_t bytes);

#endif
