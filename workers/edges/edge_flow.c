/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much at a time an endpoint is asked: see edge_flow.h. */
#include "edge_flow.h"

static const double unit_bytes = 256.0 * 1024; /* of one cost: a request costs one at least */
static const double mean_share = 0.2;          /* of the newest in the mean */
static const double least_drift = 1.005;       /* an endpoint that became slower for good */
static const double late = 4;                  /* times the least: it is busy */
static const double late_ms = 5;               /* under that nobody is */

void flow_limit_init(struct flow_limit *limit, int most) {
    *limit = (struct flow_limit){.now = most < FLOW_FIRST ? most : FLOW_FIRST, .most = most};
}

int flow_limit_now(const struct flow_limit *limit) {
    return (int)limit->now;
}

static void cut(struct flow_limit *limit, double share, double least) {
    if (limit->since_cut > limit->now) { /* once a round: those on their way met the same */
        double now = limit->now * share;
        limit->now = now > least ? now : limit->now < least ? limit->now : least;
        limit->since_cut = 0;
    }
}

double flow_cost(int64_t bytes, int64_t requests, int64_t busy_ms) {
    double units = (double)requests + (double)bytes / unit_bytes;
    return requests > 0 ? (double)busy_ms / units : 0;
}

void flow_limit_note(struct flow_limit *limit, int64_t bytes, int64_t requests, int64_t busy_ms,
                     bool failed) {
    limit->since_cut++;
    if (failed) {
        cut(limit, 0.5, 1);
        return;
    }
    if (requests <= 0) {
        return;
    }
    double cost = flow_cost(bytes, requests, busy_ms);
    bool first = limit->least_ms <= 0;
    limit->mean_ms = first ? cost : limit->mean_ms + mean_share * (cost - limit->mean_ms);
    double drifted = limit->least_ms * least_drift;
    limit->least_ms = first || limit->mean_ms < drifted ? limit->mean_ms : drifted;
    limit->least_ms = limit->least_ms > 0.01 ? limit->least_ms : 0.01;
    if (limit->mean_ms > late_ms && limit->mean_ms > late * limit->least_ms) {
        cut(limit, 0.8, 2);
    } else if (limit->now < limit->most) {
        limit->now += 1 / limit->now;
        limit->now = limit->now < limit->most ? limit->now : limit->most;
    }
}

int64_t flow_line_take(struct flow_line *line, int64_t now_ms, int64_t bytes) {
    if (line->bytes_s <= 0) {
        return 0;
    }
    int64_t begins = line->free_ms > now_ms ? line->free_ms : now_ms;
    line->free_ms = begins + bytes * 1000 / line->bytes_s;
    return begins - now_ms;
}
