/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts with clocks of their own, joined: see join.h. */
#include "join.h"

static const double back_s = 0.5;
static const double ahead_s = 10;

struct join_clock join_clock_of(double tick_s, double rate) {
    return (struct join_clock){
        .back = (int64_t)(back_s / tick_s),
        .ahead = (int64_t)(ahead_s / tick_s),
        .gap = (int64_t)(1 / (rate * tick_s) + 0.5),
    };
}

bool join_clock_jumps(const struct join_clock *clock, int64_t last, int64_t time) {
    return time < last - clock->back || time > last + clock->ahead;
}

int64_t join_clock_see(struct join_clock *clock, int64_t pts, int64_t dts) {
    int64_t time = dts != INT64_MIN ? dts : pts;
    if (time == INT64_MIN) {
        return clock->shift;
    }
    if (clock->started && join_clock_jumps(clock, clock->last, time)) {
        clock->shift = clock->newest + clock->gap - (pts != INT64_MIN ? pts : time);
        clock->joins++;
    }
    int64_t shown = (pts != INT64_MIN ? pts : time) + clock->shift;
    clock->newest = !clock->started || shown > clock->newest ? shown : clock->newest;
    clock->last = time;
    clock->started = true;
    return clock->shift;
}
