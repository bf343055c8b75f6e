/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The maths of the normalised timeline (ARCHITECTURE section 4), pure: which rate a
 * list of timestamps has, and which frame a timestamp belongs to.
 */
#ifndef ENCODER_TIMELINE_H
#define ENCODER_TIMELINE_H

#include "common/err.h"
#include "common/media.h"

struct timeline_input {
    const int64_t *pts; /* of the pictures that are shown, in any order; sorted in place by
                           timeline_choose's caller with timeline_sort */
    size_t count;       /* > 0 */
    struct rational time_base;
    int64_t cuts;          /* places where the stamps may leave their grid, by part of a picture */
    int64_t last_duration; /* of the last picture, ticks; 0 unknown */
    struct rational hint;  /* the rate that container or codec claim; {0, 1} unknown */
    struct rational max_rate;
    bool fields;      /* one frame for each field: twice the rate, where max_rate allows */
    bool exact_times; /* gaps are the author's, not damage */
    bool has_sound;
    struct rational sound_start; /* seconds on the source's clock */
    int64_t max_frames;
};

struct timeline_choice {
    struct timeline timeline;
    struct rational source_rate; /* CFR: exact; VFR: the average */
    bool variable;
    int64_t holes; /* CFR: frames without a picture of their own */
};

void timeline_sort(int64_t *pts, size_t count);

/*
 * Chooses rate, start and number of frames. A standard rate is taken where each
 * picture then has its own frame; else the source's exact rate, where its stamps keep
 * to it within their rounding; else it is variable. UNSUPPORTED for more than
 * max_frames.
 */
int timeline_choose(struct timeline_choice *out, const struct timeline_input *input,
                    struct err *err);

/* Maps timestamps to frames. */
struct frame_clock {
    struct rational rate_per_tick; /* frames a tick, before division */
    struct rational start;         /* ticks */
    int64_t divide;                /* source pictures a frame: 1, or n where a rate above the cap
                                      was divided by n */
};

/* The clock of a source: of its timeline, time base and own rate. `ticks_scale` makes
 * ticks finer (2 for times of fields). */
struct frame_clock frame_clock_of(const struct timeline *timeline, struct rational time_base,
                                  struct rational source_rate, bool variable, int64_t finer);

/* The frame whose turn a picture with this timestamp is: frame n shows the last
 * picture with a slot <= n. */
int64_t frame_clock_slot(const struct frame_clock *clock, int64_t pts);

#endif
