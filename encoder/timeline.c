/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rate, start and frames of the normalised timeline: see timeline.h. */
#include "timeline.h"

#include <math.h>
#include <stdlib.h>

#include "common/mem.h"

__extension__ typedef __int128 wide;

/* The standard rates, rising. Pairs are those that differ by 1000/1001. */
static const struct {
    struct rational rate;
    bool opens_pair;
} standard[] = {
    {{24000, 1001}, true}, {{24, 1}, false},      {{25, 1}, false},
    {{30000, 1001}, true}, {{30, 1}, false},      {{48, 1}, false},
    {{50, 1}, false},      {{60000, 1001}, true}, {{60, 1}, false},
};

enum {
    STANDARD_COUNT = sizeof(standard) / sizeof(standard[0]),
    HOLE_PERCENT = 5,        /* more frames without a picture than that: a variable rate */
    LOSS_PERCENT = 1,        /* of its pictures a variable rate may lose */
    MAX_RATE_TERM = 1000000, /* of an own rate: it becomes a track's timescale */
};

static const double standard_within = 0.001;
static const double hold_after_s = 0.5;      /* sound earlier than that is not cut */
static const double hold_at_most_s = 3600;   /* sound earlier than that is on no clock of ours */
static const double stamp_jitter_s = 0.0022; /* of stamps that were rounded to milliseconds */

/* ---- Frames of timestamps -------------------------------------------------- */

static wide floor_div(wide a, wide b) {
    wide quotient = a / b;
    return a % b < 0 ? quotient - 1 : quotient;
}

/* In lowest terms; of terms that do not fit the nearest that do. */
static struct rational rational_of_wide(wide num, wide den) {
    wide a = num < 0 ? -num : num;
    wide b = den;
    while (b != 0) {
        wide rest = a % b;
        a = b;
        b = rest;
    }
    if (a != 0) {
        num /= a;
        den /= a;
    }
    while (num > INT64_MAX || num < -INT64_MAX || den > INT64_MAX) {
        if (den < INT32_MAX) {
            num /= den; /* a large value: its whole part is near enough */
            den = 1;
            break;
        }
        num /= 2;
        den /= 2;
    }
    return (struct rational){(int64_t)num, (int64_t)den};
}

static struct rational rational_multiply(struct rational a, struct rational b) {
    return rational_of_wide((wide)a.num * b.num, (wide)a.den * b.den);
}

static struct rational rational_invert(struct rational r) {
    return rational_of(r.den, r.num);
}

/* Rounds to the nearest frame, halves up. */
static int64_t slot_at(struct rational rate_per_tick, struct rational start, int64_t pts) {
    wide distance = (wide)pts * start.den - start.num;
    wide num = distance * rate_per_tick.num;
    wide den = (wide)start.den * rate_per_tick.den;
    return (int64_t)floor_div(2 * num + den, 2 * den);
}

struct frame_clock frame_clock_of(const struct timeline *timeline, struct rational time_base,
                                  struct rational source_rate, bool variable, int64_t finer) {
    struct rational tick = rational_of(time_base.num, time_base.den * finer);
    struct frame_clock clock = {.divide = 1};
    struct rational rate = timeline->rate;
    struct rational ratio = rational_multiply(source_rate, rational_invert(rate));
    if (!variable && ratio.den == 1 && ratio.num > 1) {
        rate = source_rate;
        clock.divide = ratio.num;
    }
    clock.rate_per_tick = rational_multiply(rate, tick);
    clock.start = rational_multiply(timeline->start, rational_invert(tick));
    return clock;
}

int64_t frame_clock_slot(const struct frame_clock *clock, int64_t pts) {
    int64_t slot = slot_at(clock->rate_per_tick, clock->start, pts);
    /* Frame n of a divided rate shows picture n * divide, the one on screen at its time. */
    return (int64_t)floor_div((wide)slot + clock->divide - 1, clock->divide);
}

/* ---- Does a rate fit? ------------------------------------------------------ */

static int compare_pts(const void *a, const void *b) {
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

void timeline_sort(int64_t *pts, size_t count) {
    bool sorted = true;
    for (size_t i = 1; i < count && sorted; i++) {
        sorted = pts[i - 1] <= pts[i];
    }
    if (!sorted) {
        qsort(pts, count, sizeof(*pts), compare_pts);
    }
}

struct fit {
    bool fits;
    int64_t holes;
    double spread; /* of pts against the rate's grid, frames */
};

/* Whether each picture gets a frame of its own, with few frames left over. */
static struct fit fit_rate(const struct timeline_input *input, struct rational rate) {
    struct fit fit = {false, 0, 0};
    struct rational per_tick = rational_multiply(rate, input->time_base);
    struct rational start = {input->pts[0], 1};
    double frames_per_tick = rational_value(per_tick);
    double low = 0;
    double high = 0;
    int64_t last = 0;
    for (size_t i = 1; i < input->count; i++) {
        int64_t slot = slot_at(per_tick, start, input->pts[i]);
        if (slot <= last) {
            return fit;
        }
        last = slot;
        double off = (double)(input->pts[i] - input->pts[0]) * frames_per_tick - (double)slot;
        low = off < low ? off : low;
        high = off > high ? off : high;
    }
    fit.holes = last + 1 - (int64_t)input->count;
    fit.spread = high - low;
    /* A rate that drifts through all phases makes holes too, but no real ones. */
    fit.fits = fit.holes * 100 <= (last + 1) * HOLE_PERCENT &&
               (fit.holes == 0 || fit.spread <= 0.75);
    return fit;
}

/* ---- Constant rates -------------------------------------------------------- */

static int64_t median_gap(const struct timeline_input *input) {
    size_t count = input->count - 1;
    int64_t *gaps = mem_zero(count, sizeof(*gaps));
    for (size_t i = 0; i < count; i++) {
        gaps[i] = input->pts[i + 1] - input->pts[i];
    }
    timeline_sort(gaps, count);
    int64_t median = gaps[count / 2];
    mem_free(gaps);
    return median;
}

/* Frames a second, with gaps counted as the frames that they hold. */
static double estimate_rate(const struct timeline_input *input, int64_t median) {
    double frames = 0;
    for (size_t i = 1; i < input->count; i++) {
        frames += floor((double)(input->pts[i] - input->pts[i - 1]) / (double)median + 0.5);
    }
    double ticks = (double)(input->pts[input->count - 1] - input->pts[0]);
    return ticks <= 0 ? 0 : frames / (ticks * rational_value(input->time_base));
}

/* The fraction with the smallest terms in [low, high], by continued fractions. */
static struct rational simplest_between(double low, double high) {
    int64_t whole[32];
    int depth = 0;
    while (depth < 31) {
        double floor_low = floor(low);
        if (floor_low == low || floor_low + 1 <= high) {
            whole[depth++] = floor_low == low ? (int64_t)floor_low : (int64_t)floor_low + 1;
            break;
        }
        whole[depth++] = (int64_t)floor_low;
        double next_low = 1 / (high - floor_low);
        high = 1 / (low - floor_low);
        low = next_low;
    }
    struct rational value = {whole[depth - 1], 1};
    for (int i = depth - 2; i >= 0; i--) {
        value = (struct rational){whole[i] * value.num + value.den, value.num};
        if (value.num > MAX_RATE_TERM || value.den > MAX_RATE_TERM) {
            return (struct rational){0, 1};
        }
    }
    return value;
}

/* The standard rate that fits best, of those within 0.1 % of the estimate. */
static bool choose_standard(const struct timeline_input *input, double estimate,
                            struct rational *rate, struct fit *fit) {
    bool found = false;
    double nearest = 0;
    /* In a short title a tick is a thousandth, and so is part of a picture. */
    double within = standard_within + 1 / (double)(input->pts[input->count - 1] - input->pts[0]) +
                    (double)input->cuts / (double)input->count;
    for (int i = 0; i < STANDARD_COUNT; i++) {
        double off = fabs(rational_value(standard[i].rate) / estimate - 1);
        if (off > within) {
            continue;
        }
        struct fit candidate = fit_rate(input, standard[i].rate);
        /* In a short title both of a pair may fit: the claimed one, else the nearer. */
        if (rational_compare(standard[i].rate, input->hint) == 0) {
            off = 0;
        }
        if (candidate.fits && (!found || off < nearest)) {
            *rate = standard[i].rate;
            *fit = candidate;
            nearest = off;
            found = true;
        }
    }
    return found;
}

/* How far stamps may lie off a grid that they keep to, in frames. */
static double allowed_spread(const struct timeline_input *input, struct rational rate) {
    double ticks_s = 2 * rational_value(input->time_base);
    double spread = (ticks_s > stamp_jitter_s ? ticks_s : stamp_jitter_s) * rational_value(rate);
    return spread < 0.5 ? spread : 0.5;
}

static bool keeps_to(const struct timeline_input *input, struct rational rate, struct fit *fit) {
    /* Slower than a picture a second is a variable rate: no GOP shall last for hours. */
    if (rate.num < rate.den || rate.num > INT32_MAX || rate.den > INT32_MAX) {
        return false;
    }
    *fit = fit_rate(input, rate);
    return fit->fits && fit->spread <= allowed_spread(input, rate);
}

/* The exact rate of a source that keeps to one, within the rounding of its stamps: what
 * equal gaps tell, what it claims, a rate of simple terms, or the simplest that is near
 * enough to the estimate for every picture. */
static bool choose_own(const struct timeline_input *input, int64_t median, double estimate,
                       struct rational *rate, struct fit *fit) {
    static const int64_t simple[][2] = {{1, 1}, {1, 2},       {1, 3},     {1, 4},
                                        {1, 5}, {1000, 1001}, {500, 1001}};
    enum { SIMPLE = sizeof(simple) / sizeof(simple[0]) };
    struct rational candidates[SIMPLE + 3] = {{0, 1}};
    if (input->pts[input->count - 1] - input->pts[0] == median * (int64_t)(input->count - 1)) {
        candidates[0] =
            rational_invert(rational_multiply(input->time_base, (struct rational){median, 1}));
    }
    candidates[1] = fabs(rational_value(input->hint) / estimate - 1) < 0.005
                        ? input->hint
                        : (struct rational){0, 1};
    for (int i = 0; i < SIMPLE; i++) {
        double steps = floor(estimate * (double)simple[i][1] / (double)simple[i][0] + 0.5);
        candidates[2 + i] = steps < MAX_RATE_TERM
                                ? rational_of((int64_t)steps * simple[i][0], simple[i][1])
                                : (struct rational){0, 1};
    }
    double slack = 0.2 * stamp_jitter_s * estimate / (double)input->count;
    candidates[SIMPLE + 2] = simplest_between(estimate * (1 - slack), estimate * (1 + slack));
    for (int i = 0; i < SIMPLE + 3; i++) {
        if (keeps_to(input, candidates[i], fit)) {
            *rate = candidates[i];
            return true;
        }
    }
    return false;
}

/* ---- Variable rates -------------------------------------------------------- */

struct loss {
    int64_t lost;   /* pictures that share a frame with a later one */
    int64_t single; /* pictures that stay for just one frame */
    double spread;  /* of pts against the rate's grid, frames */
};

static struct loss loss_at(const struct timeline_input *input, struct rational rate) {
    struct rational per_tick = rational_multiply(rate, input->time_base);
    struct rational start = {input->pts[0], 1};
    double frames_per_tick = rational_value(per_tick);
    struct loss loss = {0, 0, 0};
    double low = 0;
    double high = 0;
    int64_t last = 0;
    for (size_t i = 1; i < input->count; i++) {
        int64_t slot = slot_at(per_tick, start, input->pts[i]);
        double off = (double)(input->pts[i] - input->pts[0]) * frames_per_tick - (double)slot;
        low = off < low ? off : low;
        high = off > high ? off : high;
        loss.lost += slot == last;
        loss.single += slot == last + 1;
        last = slot;
    }
    loss.spread = high - low;
    return loss;
}

/* The pictures that a frame's half or more parts from the one before: no rate under the
 * cap can show the others. Owned by the caller. */
static struct timeline_input separable(const struct timeline_input *input, int64_t *pts) {
    struct timeline_input result = *input;
    double least = 0.5 / (rational_value(input->max_rate) * rational_value(input->time_base));
    result.pts = pts;
    result.count = 0;
    for (size_t i = 0; i < input->count; i++) {
        if (result.count == 0 || (double)(input->pts[i] - pts[result.count - 1]) >= least) {
            pts[result.count++] = input->pts[i];
        }
    }
    return result;
}

/* The lowest standard rate on whose grid all stamps lie, and some pictures one frame
 * apart: a constant rate of which pictures were left out. */
static bool choose_grid(const struct timeline_input *input, struct rational *rate) {
    for (int i = 0; i < STANDARD_COUNT; i++) {
        struct rational candidate = standard[i].rate;
        struct loss loss = loss_at(input, candidate);
        if (rational_compare(candidate, input->max_rate) <= 0 && loss.lost == 0 &&
            loss.spread <= allowed_spread(input, candidate) && loss.spread < 0.25 &&
            loss.single * 10 >= (int64_t)input->count) {
            *rate = candidate;
            return true;
        }
    }
    return false;
}

/* The lowest standard rate that loses at most 1 % of the pictures; of a pair the one that
 * loses less, or has a grid nearer to the stamps. The highest under the cap where all
 * lose more. */
static struct rational choose_lowest(const struct timeline_input *input) {
    struct rational best = input->max_rate;
    for (int i = 0; i < STANDARD_COUNT; i++) {
        struct rational rate = standard[i].rate;
        if (rational_compare(rate, input->max_rate) > 0) {
            break;
        }
        best = rate;
        struct loss loss = loss_at(input, rate);
        if (loss.lost * 100 > (int64_t)input->count * LOSS_PERCENT) {
            continue;
        }
        if (standard[i].opens_pair &&
            rational_compare(standard[i + 1].rate, input->max_rate) <= 0) {
            struct loss other = loss_at(input, standard[i + 1].rate);
            if (other.lost < loss.lost || (other.lost == loss.lost && other.spread < loss.spread)) {
                best = standard[i + 1].rate;
            }
        }
        break;
    }
    return best;
}

static struct rational choose_variable(const struct timeline_input *input) {
    int64_t *pts = mem_zero(input->count, sizeof(*pts));
    struct timeline_input parted = separable(input, pts);
    struct rational rate = {0, 1};
    if (!choose_grid(&parted, &rate)) {
        rate = choose_lowest(&parted);
    }
    mem_free(pts);
    return rate;
}

/* ---- The choice ------------------------------------------------------------ */

/* The largest whole fraction of the rate under the cap. */
static struct rational cap_rate(struct rational rate, struct rational cap) {
    int64_t divide = 1;
    while (rational_compare((struct rational){rate.num, rate.den * divide}, cap) > 0) {
        divide++;
    }
    return rational_of(rate.num, rate.den * divide);
}

/* Frames to hold the first picture while early sound plays. */
static int64_t frames_before(const struct timeline_input *input, struct rational rate) {
    double first = (double)input->pts[0] * rational_value(input->time_base);
    double early = first - rational_value(input->sound_start);
    if (!input->has_sound || early <= hold_after_s || early > hold_at_most_s) {
        return 0;
    }
    return (int64_t)ceil(early * rational_value(rate) - 1e-6);
}

static void set_start(struct timeline *timeline, const struct timeline_input *input,
                      int64_t before) {
    struct rational first =
        rational_multiply((struct rational){input->pts[0], 1}, input->time_base);
    struct rational hold =
        rational_multiply((struct rational){before, 1}, rational_invert(timeline->rate));
    timeline->start = rational_of_wide((wide)first.num * hold.den - (wide)hold.num * first.den,
                                       (wide)first.den * hold.den);
}

static int set_frames(struct timeline_choice *choice, const struct timeline_input *input,
                      struct err *err) {
    struct timeline *timeline = &choice->timeline;
    struct frame_clock clock =
        frame_clock_of(timeline, input->time_base, choice->source_rate, choice->variable, 1);
    int64_t last = input->pts[input->count - 1];
    int64_t slot = frame_clock_slot(&clock, last);
    if (choice->variable) {
        int64_t end = frame_clock_slot(&clock, last + input->last_duration);
        timeline->frames = end > slot ? end : slot + 1;
    } else if (clock.divide > 1) {
        struct frame_clock undivided = clock;
        undivided.divide = 1;
        timeline->frames = frame_clock_slot(&undivided, last) / clock.divide + 1;
    } else {
        timeline->frames = slot + (input->fields ? 2 : 1);
    }
    if (timeline->frames > input->max_frames) {
        return err_set(err, ERR_UNSUPPORTED,
                       "its timestamps span %.1f hours, which are %lld frames and more than the "
                       "%lld that are allowed; check its timestamps, or cut it into parts",
                       (double)timeline->frames / rational_value(timeline->rate) / 3600,
                       (long long)timeline->frames, (long long)input->max_frames);
    }
    return 0;
}

int timeline_choose(struct timeline_choice *out, const struct timeline_input *input,
                    struct err *err) {
    struct timeline_choice choice = {.variable = false};
    struct fit fit = {false, 0, 0};
    int64_t median = input->count > 1 ? median_gap(input) : 0;
    double estimate = median > 0 ? estimate_rate(input, median) : 0;
    struct rational rate = {0, 1};
    if (input->count == 1) {
        rate = input->hint.num > 0 ? input->hint : (struct rational){25, 1};
        choice.source_rate = rate;
    } else if (estimate > 0 && (choose_standard(input, estimate, &rate, &fit) ||
                                choose_own(input, median, estimate, &rate, &fit))) {
        choice.source_rate = rate;
        choice.variable = fit.holes > 0 && input->exact_times;
        choice.holes = choice.variable ? 0 : fit.holes;
    } else {
        rate = choose_variable(input);
        choice.variable = true;
        int64_t ticks = input->pts[input->count - 1] - input->pts[0] + input->last_duration;
        choice.source_rate = rational_invert(rational_multiply(
            (struct rational){ticks > 0 ? ticks : 1, (int64_t)input->count}, input->time_base));
    }
    choice.timeline.rate = cap_rate(rate, input->max_rate);
    struct rational twice = rational_multiply(choice.timeline.rate, (struct rational){2, 1});
    struct timeline_input bounded = *input;
    bounded.fields = input->fields && rational_compare(twice, input->max_rate) <= 0;
    bounded.last_duration = input->last_duration > 0 ? input->last_duration : median;
    if (bounded.fields) {
        choice.timeline.rate = twice;
    }
    set_start(&choice.timeline, input, frames_before(input, choice.timeline.rate));
    int status = set_frames(&choice, &bounded, err);
    if (status == 0) {
        *out = choice;
    }
    return status;
}
