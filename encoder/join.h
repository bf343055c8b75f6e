/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Streams that were joined from parts, each with a clock of its own, pure: a part goes
 * on a picture after the one before. The pictures' clock decides, and sound follows it.
 */
#ifndef ENCODER_JOIN_H
#define ENCODER_JOIN_H

#include <stdbool.h>
#include <stdint.h>

struct join_clock {
    int64_t back;   /* ticks: a step back further than this is a new part */
    int64_t ahead;  /* and a step ahead further than this */
    int64_t gap;    /* from one picture to the next */
    int64_t shift;  /* of the present part, added to its times */
    int64_t last;   /* newest decode time, as stored */
    int64_t newest; /* latest presentation time, shifted */
    int joins;
    bool started;
};

/* `tick_s`: seconds a tick; `rate`: pictures a second. */
struct join_clock join_clock_of(double tick_s, double rate);

/* Tells of the next picture in decode order, with its times as stored; INT64_MIN where
 * it has none. Returns the shift for it. */
int64_t join_clock_see(struct join_clock *clock, int64_t pts, int64_t dts);

/* Whether a stream of its own has jumped likewise: `last` and `time` as stored. */
bool join_clock_jumps(const struct join_clock *clock, int64_t last, int64_t time);

#endif
