/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pure maths of a source's time: rates, frames of timestamps, order, joined parts. */
#include <check.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "encoder/join.h"
#include "encoder/reorder.h"
#include "encoder/timeline.h"

Suite *timeline_suite(void);

enum stamp_rounding { STAMP_NEAR, STAMP_DOWN };

/* The timestamp of picture `index` at a constant rate. */
static int64_t stamp(int64_t index, struct rational rate, struct rational time_base,
                     enum stamp_rounding rounding) {
    return ticks_scale(index * rate.den, time_base.den, rate.num * time_base.num,
                       rounding == STAMP_NEAR ? ROUND_NEAR : ROUND_DOWN);
}

static struct timeline_input input_of(const int64_t *pts, size_t count, struct rational time_base) {
    return (struct timeline_input){
        .pts = pts,
        .count = count,
        .time_base = time_base,
        .hint = {0, 1},
        .max_rate = {60, 1},
        .exact_times = true,
        .sound_start = {0, 1},
        .max_frames = 20000000,
    };
}

static struct timeline_choice choose(const struct timeline_input *input) {
    struct timeline_choice choice = {0};
    struct err err = {0};
    ck_assert_msg(timeline_choose(&choice, input, &err) == 0, "%s", err.message);
    return choice;
}

static void check_rate(struct rational rate, int64_t num, int64_t den) {
    ck_assert_msg(rate.num == num && rate.den == den, "the rate is %lld/%lld, not %lld/%lld",
                  (long long)rate.num, (long long)rate.den, (long long)num, (long long)den);
}

/* ---- Constant rates -------------------------------------------------------- */

/* Each picture must have a frame of its own, in order, with none left over. */
static const struct {
    struct rational source; /* true rate of the stamps */
    struct rational time_base;
    enum stamp_rounding rounding;
    int64_t count;
    int64_t offset; /* of the first stamp */
    struct rational expected;
} constant[] = {
    {{24, 1}, {1, 24}, STAMP_NEAR, 100, 0, {24, 1}},
    {{24, 1}, {1, 1000}, STAMP_NEAR, 100, 0, {24, 1}},
    {{24, 1}, {1, 1000}, STAMP_NEAR, 172800, 0, {24, 1}}, /* two hours of Matroska */
    {{24, 1}, {1, 1000}, STAMP_DOWN, 172800, 83, {24, 1}},
    {{24000, 1001}, {1, 1000}, STAMP_NEAR, 172800, 0, {24000, 1001}},
    {{24000, 1001}, {1, 1000}, STAMP_DOWN, 172800, 41, {24000, 1001}},
    {{24000, 1001}, {1, 90000}, STAMP_NEAR, 172800, 126000, {24000, 1001}},
    {{25, 1}, {1, 90000}, STAMP_NEAR, 180000, -7, {25, 1}},
    {{30000, 1001}, {1, 1000}, STAMP_NEAR, 216000, 0, {30000, 1001}},
    {{30, 1}, {1, 1000}, STAMP_DOWN, 216000, 67, {30, 1}},
    {{30, 1}, {1, 600}, STAMP_NEAR, 120, 0, {30, 1}},
    {{50, 1}, {1, 12800}, STAMP_NEAR, 360000, 0, {50, 1}},
    {{60000, 1001}, {1, 1000}, STAMP_NEAR, 432000, 0, {60000, 1001}},
    {{60, 1}, {1, 1000}, STAMP_DOWN, 432000, 0, {60, 1}},
    {{10, 1}, {1, 10240}, STAMP_NEAR, 1394, 0, {10, 1}},
    {{25, 2}, {1, 1000}, STAMP_NEAR, 1000, 0, {25, 2}},
    {{15000, 1001}, {1, 1000}, STAMP_NEAR, 50000, 0, {15000, 1001}},
    {{15, 1}, {1, 1000}, STAMP_DOWN, 50000, 0, {15, 1}},
    {{1, 1}, {1, 1000}, STAMP_NEAR, 3600, 0, {1, 1}},
    /* 23.98 is within 0.1 % of 24000/1001: in two minutes it is the same, in two hours not. */
    {{2398, 100}, {1, 2398}, STAMP_NEAR, 2880, 0, {24000, 1001}},
    {{2398, 100}, {1, 2398}, STAMP_NEAR, 172800, 0, {1199, 50}},
    /* A clock that is a little off. */
    {{10000000, 416667}, {1, 10000000}, STAMP_NEAR, 100000, 0, {24, 1}},
    {{1000, 33}, {1, 1000}, STAMP_NEAR, 5000, 0, {1000, 33}},
};

START_TEST(a_constant_rate_keeps_every_picture) {
    int64_t count = constant[_i].count;
    int64_t *pts = mem_zero((size_t)count, sizeof(*pts));
    for (int64_t i = 0; i < count; i++) {
        pts[i] = constant[_i].offset +
                 stamp(i, constant[_i].source, constant[_i].time_base, constant[_i].rounding);
    }
    struct timeline_input input = input_of(pts, (size_t)count, constant[_i].time_base);
    struct timeline_choice choice = choose(&input);
    check_rate(choice.timeline.rate, constant[_i].expected.num, constant[_i].expected.den);
    ck_assert(!choice.variable);
    ck_assert_int_eq(choice.timeline.frames, count);
    ck_assert_int_eq(choice.holes, 0);
    struct frame_clock clock = frame_clock_of(&choice.timeline, constant[_i].time_base,
                                              choice.source_rate, choice.variable, 1);
    for (int64_t i = 0; i < count; i++) {
        ck_assert_int_eq(frame_clock_slot(&clock, pts[i]), i);
    }
    mem_free(pts);
}
END_TEST

/* Over a cap every n-th picture is shown, at its own time. */
static const struct {
    struct rational source;
    struct rational cap;
    struct rational expected;
    int64_t divide;
} capped[] = {
    {{120, 1}, {60, 1}, {60, 1}, 2},
    {{100, 1}, {60, 1}, {50, 1}, 2},
    {{240, 1}, {60, 1}, {60, 1}, 4},
    {{144, 1}, {60, 1}, {48, 1}, 3},
    {{60, 1}, {30, 1}, {30, 1}, 2},
    {{60000, 1001}, {30, 1}, {30000, 1001}, 2},
    {{50, 1}, {30, 1}, {25, 1}, 2},
    {{30, 1}, {25, 1}, {15, 1}, 2},
    {{120000, 1001}, {60, 1}, {60000, 1001}, 2},
};

START_TEST(a_rate_above_the_cap_is_divided) {
    enum { COUNT = 1201 };
    int64_t pts[COUNT];
    struct rational time_base = {1, 1000};
    for (int64_t i = 0; i < COUNT; i++) {
        pts[i] = stamp(i, capped[_i].source, time_base, STAMP_DOWN);
    }
    struct timeline_input input = input_of(pts, COUNT, time_base);
    input.max_rate = capped[_i].cap;
    struct timeline_choice choice = choose(&input);
    check_rate(choice.timeline.rate, capped[_i].expected.num, capped[_i].expected.den);
    ck_assert_int_eq(choice.timeline.frames, (COUNT - 1) / capped[_i].divide + 1);
    struct frame_clock clock =
        frame_clock_of(&choice.timeline, time_base, choice.source_rate, choice.variable, 1);
    for (int64_t i = 0; i < COUNT; i++) {
        /* The last picture with a slot <= n is picture n * divide. */
        int64_t slot = (i + capped[_i].divide - 1) / capped[_i].divide;
        ck_assert_int_eq(frame_clock_slot(&clock, pts[i]), slot);
    }
}
END_TEST

START_TEST(a_claimed_rate_decides_between_twins) {
    /* In one second 24 and 24000/1001 both fit. */
    enum { COUNT = 24 };
    int64_t pts[COUNT];
    for (int64_t i = 0; i < COUNT; i++) {
        pts[i] = stamp(i, (struct rational){24, 1}, (struct rational){1, 1000}, STAMP_NEAR);
    }
    struct timeline_input input = input_of(pts, COUNT, (struct rational){1, 1000});
    check_rate(choose(&input).timeline.rate, 24, 1);
    input.hint = (struct rational){24000, 1001};
    check_rate(choose(&input).timeline.rate, 24000, 1001);
    input.hint = (struct rational){90000, 1}; /* a claim that is no rate */
    check_rate(choose(&input).timeline.rate, 24, 1);
}
END_TEST

START_TEST(fields_double_the_rate_where_the_cap_allows) {
    enum { COUNT = 100 };
    int64_t pts[COUNT];
    for (int64_t i = 0; i < COUNT; i++) {
        pts[i] = 3600 * i;
    }
    struct timeline_input input = input_of(pts, COUNT, (struct rational){1, 90000});
    input.fields = true;
    struct timeline_choice choice = choose(&input);
    check_rate(choice.timeline.rate, 50, 1);
    check_rate(choice.source_rate, 25, 1);
    ck_assert_int_eq(choice.timeline.frames, 2 * COUNT);
    struct frame_clock clock =
        frame_clock_of(&choice.timeline, input.time_base, choice.source_rate, false, 2);
    ck_assert_int_eq(frame_clock_slot(&clock, 2 * 3600 * 7), 14);
    ck_assert_int_eq(frame_clock_slot(&clock, 2 * 3600 * 7 + 3600), 15);
    input.max_rate = (struct rational){30, 1};
    choice = choose(&input);
    check_rate(choice.timeline.rate, 25, 1);
    ck_assert_int_eq(choice.timeline.frames, COUNT);
}
END_TEST

/* ---- Holes and variable rates ---------------------------------------------- */

START_TEST(holes_are_damage_where_times_are_not_exact) {
    enum { COUNT = 97 };
    int64_t pts[COUNT];
    int64_t frame = 0;
    for (int i = 0; i < COUNT; i++, frame++) {
        frame += i == 40 ? 3 : 0;
        pts[i] = 126000 + frame * 3600;
    }
    struct timeline_input input = input_of(pts, COUNT, (struct rational){1, 90000});
    input.exact_times = false;
    struct timeline_choice choice = choose(&input);
    check_rate(choice.timeline.rate, 25, 1);
    ck_assert(!choice.variable);
    ck_assert_int_eq(choice.holes, 3);
    ck_assert_int_eq(choice.timeline.frames, 100);
    input.exact_times = true;
    choice = choose(&input);
    check_rate(choice.timeline.rate, 25, 1);
    ck_assert(choice.variable);
    ck_assert_int_eq(choice.holes, 0);
}
END_TEST

/* A drift makes a hole now and then; those are no damage. */
START_TEST(a_drift_is_no_hole) {
    enum { COUNT = 20000 };
    int64_t *pts = mem_zero(COUNT, sizeof(*pts));
    for (int64_t i = 0; i < COUNT; i++) {
        pts[i] = stamp(i, (struct rational){2997, 100}, (struct rational){1, 1000}, STAMP_NEAR);
    }
    struct timeline_input input = input_of(pts, COUNT, (struct rational){1, 1000});
    input.exact_times = false;
    struct timeline_choice choice = choose(&input);
    check_rate(choice.timeline.rate, 30000, 1001); /* a ten thousandth off: 0.2 frames */
    ck_assert_int_eq(choice.holes, 0);
    for (int64_t i = 0; i < COUNT; i++) {
        pts[i] = stamp(i, (struct rational){2994, 100}, (struct rational){1, 1000}, STAMP_NEAR);
    }
    choice = choose(&input);
    check_rate(choice.timeline.rate, 1497, 50); /* 20 frames off: its own rate */
    ck_assert_int_eq(choice.holes, 0);
    mem_free(pts);
}
END_TEST

/* Some stamp of each picture's time of `gaps`, repeated; ticks of 1/1000 s. */
static const struct {
    int64_t gaps[8]; /* ended by 0 */
    int repeat;
    int64_t jitter; /* +- ms, from a fixed sequence */
    struct rational expected;
    int64_t most_lost; /* of 100 pictures */
} variable[] = {
    {{33, 34, 33, 0}, 200, 9, {30, 1}, 1},          /* a phone round 30 */
    {{67, 66, 67, 0}, 100, 9, {24000, 1001}, 0},    /* slower than any standard rate */
    {{40, 40, 80, 200, 40, 0}, 100, 0, {25, 1}, 0}, /* a slide show at 25 */
    {{17, 17, 16, 50, 0}, 100, 0, {60, 1}, 0},      /* a screen recording at 60 */
    {{100, 1500, 300, 0}, 50, 0, {24, 1}, 0},
    {{3, 9, 3, 3, 14, 0}, 100, 0, {60, 1}, 80},                 /* above every cap */
    {{64, 4, 64, 64, 64, 64, 64, 0}, 30, 0, {24000, 1001}, 15}, /* pairs no rate can part */
};

START_TEST(a_variable_rate_is_the_lowest_that_keeps_its_pictures) {
    int64_t pts[2000];
    size_t count = 0;
    int64_t at = 5000;
    unsigned state = 1;
    for (int turn = 0; turn < variable[_i].repeat; turn++) {
        for (int i = 0; variable[_i].gaps[i] != 0; i++) {
            state = state * 1103515245u + 12345u;
            int64_t jitter = variable[_i].jitter;
            pts[count++] = at +
                           (jitter > 0 ? (int64_t)(state >> 16) % (2 * jitter + 1) - jitter : 0);
            at += variable[_i].gaps[i];
        }
    }
    struct timeline_input input = input_of(pts, count, (struct rational){1, 1000});
    input.last_duration = 40;
    struct timeline_choice choice = choose(&input);
    check_rate(choice.timeline.rate, variable[_i].expected.num, variable[_i].expected.den);
    struct frame_clock clock =
        frame_clock_of(&choice.timeline, input.time_base, choice.source_rate, choice.variable, 1);
    int64_t lost = 0;
    for (size_t i = 1; i < count; i++) {
        int64_t before = frame_clock_slot(&clock, pts[i - 1]);
        int64_t slot = frame_clock_slot(&clock, pts[i]);
        ck_assert_int_ge(slot, before);
        lost += slot == before;
    }
    ck_assert_int_le(lost * 100, variable[_i].most_lost * (int64_t)count);
    ck_assert_int_gt(choice.timeline.frames, frame_clock_slot(&clock, pts[count - 1]));
}
END_TEST

START_TEST(the_last_picture_lasts_as_long_as_it_says) {
    const int64_t pts[] = {0, 40, 80, 500, 520, 900};
    struct timeline_input input = input_of(pts, 6, (struct rational){1, 1000});
    input.last_duration = 1000;
    struct timeline_choice choice = choose(&input);
    ck_assert(choice.variable);
    double seconds = (double)choice.timeline.frames / rational_value(choice.timeline.rate);
    ck_assert_double_ge(seconds, 1.87);
    ck_assert_double_le(seconds, 1.93);
}
END_TEST

START_TEST(one_picture_is_a_title) {
    const int64_t pts[] = {777};
    struct timeline_input input = input_of(pts, 1, (struct rational){1, 1000});
    struct timeline_choice choice = choose(&input);
    ck_assert_int_eq(choice.timeline.frames, 1);
    check_rate(choice.timeline.rate, 25, 1);
    check_rate(choice.timeline.start, 777, 1000);
    input.hint = (struct rational){50, 1};
    check_rate(choose(&input).timeline.rate, 50, 1);
}
END_TEST

START_TEST(pictures_of_one_time_are_one_frame) {
    const int64_t pts[] = {9, 9, 9};
    struct timeline_input input = input_of(pts, 3, (struct rational){1, 1000});
    ck_assert_int_eq(choose(&input).timeline.frames, 1);
}
END_TEST

/* ---- Start and bounds ------------------------------------------------------ */

START_TEST(early_sound_holds_the_first_picture) {
    enum { COUNT = 50 };
    int64_t pts[COUNT];
    for (int64_t i = 0; i < COUNT; i++) {
        pts[i] = 90000 * 10 + 3600 * i;
    }
    struct timeline_input input = input_of(pts, COUNT, (struct rational){1, 90000});
    input.has_sound = true;
    input.sound_start = (struct rational){19, 2}; /* half a second early: cut */
    struct timeline_choice choice = choose(&input);
    check_rate(choice.timeline.start, 10, 1);
    ck_assert_int_eq(choice.timeline.frames, COUNT);
    input.sound_start = (struct rational){8, 1}; /* two seconds: held */
    choice = choose(&input);
    check_rate(choice.timeline.start, 8, 1);
    ck_assert_int_eq(choice.timeline.frames, COUNT + 50);
    struct frame_clock clock =
        frame_clock_of(&choice.timeline, input.time_base, choice.source_rate, false, 1);
    ck_assert_int_eq(frame_clock_slot(&clock, pts[0]), 50);
    input.sound_start = (struct rational){801, 100}; /* no sample of it is lost */
    choice = choose(&input);
    ck_assert_int_eq(choice.timeline.frames, COUNT + 50);
    input.sound_start = (struct rational){15, 1}; /* late: its own affair */
    ck_assert_int_eq(choose(&input).timeline.frames, COUNT);
}
END_TEST

START_TEST(absurd_spans_are_refused) {
    const int64_t pts[] = {0, 40, 80, 120, INT64_C(90000000000)};
    struct timeline_input input = input_of(pts, 5, (struct rational){1, 1000});
    struct timeline_choice choice = {0};
    struct err err = {0};
    ck_assert_int_eq(timeline_choose(&choice, &input, &err), ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "hours"));
    ck_assert_int_eq(choice.timeline.frames, 0);
}
END_TEST

START_TEST(fine_clocks_do_not_overflow) {
    /* A clock of 2^31 ticks a second, years after its zero. */
    enum { COUNT = 500 };
    int64_t pts[COUNT];
    struct rational time_base = {1, INT32_MAX};
    for (int64_t i = 0; i < COUNT; i++) {
        pts[i] = (INT64_C(900000000) * INT32_MAX) +
                 stamp(i, (struct rational){30000, 1001}, time_base, STAMP_NEAR);
    }
    struct timeline_input input = input_of(pts, COUNT, time_base);
    input.has_sound = true;
    input.sound_start = (struct rational){899999998, 1};
    struct timeline_choice choice = choose(&input);
    check_rate(choice.timeline.rate, 30000, 1001);
    ck_assert_int_ge(choice.timeline.frames, COUNT);
}
END_TEST

/* ---- Display order --------------------------------------------------------- */

/* Pictures in decode order, as I P B letters or counts; times that come out. */
static const struct {
    const char *types; /* I, P: after; B: between; NULL: by counts */
    int counts[12];
    int64_t pts[12]; /* as stored; NO_TIME by -1 */
    int64_t dts[12];
    int64_t expected[12];
    int count;
} orders[] = {
    {"IPBBPBB", {0}, {-1, -1, -1, -1, -1, -1, -1}, {0, 1, 2, 3, 4, 5, 6}, {0, 3, 1, 2, 6, 4, 5}, 7},
    {"IPPP", {0}, {-1, -1, -1, -1}, {5, 6, 7, 8}, {5, 6, 7, 8}, 4},
    {"IPPP", {0}, {-1, -1, -1, -1}, {0, 3, 4, 5}, {0, 3, 4, 5}, 4}, /* a step in the clock */
    {"IPBBIBB", {0}, {-1, -1, -1, -1, -1, -1, -1}, {0, 1, 2, 3, 4, 5, 6}, {0, 3, 1, 2, 6, 4, 5}, 7},
    {"IPBBPBB",
     {0},
     {100, -1, -1, -1, -1, -1, -1},
     {-1, -1, -1, -1, -1, -1, -1},
     {100, 130, 110, 120, 160, 140, 150},
     7},
    {"IPBBPBB",
     {0},
     {100, -1, 111, -1, -1, -1, -1},
     {-1, -1, -1, -1, -1, -1, -1},
     {100, 131, 111, 121, 161, 141, 151},
     7},
    {"BBIPBB",
     {0},
     {-1, -1, 100, -1, -1, -1},
     {-1, -1, -1, -1, -1, -1},
     {0, 10, 100, 130, 110, 120},
     6}, /* B before any I have nothing to go by */
    {NULL,
     {0, 8, 4, 2, 6, 16, 12},
     {-1, -1, -1, -1, -1, -1, -1},
     {0, 1, 2, 3, 4, 5, 6},
     {0, 4, 2, 1, 3, 6, 5},
     7},
    {NULL,
     {0, 8, 4, 2, 6, 0, 4, 2},
     {-1, -1, -1, -1, -1, -1, -1, -1},
     {0, 1, 2, 3, 4, 5, 6, 7},
     {0, 4, 2, 1, 3, 5, 7, 6},
     8}, /* counts begin anew */
    {NULL, {0, 8, 4, 2, 6}, {-1, -1, -1, -1, -1}, {-1, -1, -1, -1, -1}, {0, 40, 20, 10, 30}, 5},
    {NULL, {0, 8, 4, 2, 6}, {7, 47, 27, 17, 37}, {-1, -1, -1, -1, -1}, {7, 47, 27, 17, 37}, 5},
};

static int64_t time_of(int64_t value) {
    return value < 0 ? REORDER_NO_TIME : value;
}

START_TEST(times_follow_the_order_of_display) {
    struct reorder reorder = reorder_of(10);
    struct reorder_ticket tickets[12];
    int64_t result[12];
    int given = 0;
    for (int i = 0; i < orders[_i].count; i++) {
        struct reorder_place place = {.kind = REORDER_BY_COUNT, .count = orders[_i].counts[i]};
        place.restarts = orders[_i].counts[i] == 0;
        if (orders[_i].types != NULL) {
            place.kind = orders[_i].types[i] == 'B' ? REORDER_BETWEEN : REORDER_AFTER;
            place.restarts = false;
        }
        tickets[i] =
            reorder_push(&reorder, place, time_of(orders[_i].pts[i]), time_of(orders[_i].dts[i]));
        while (given <= i && reorder_time(&reorder, tickets[given], &result[given])) {
            given++;
        }
    }
    reorder_end(&reorder);
    while (given < orders[_i].count) {
        ck_assert(reorder_time(&reorder, tickets[given], &result[given]));
        given++;
    }
    for (int i = 0; i < orders[_i].count; i++) {
        ck_assert_msg(result[i] == orders[_i].expected[i], "picture %d is shown at %lld, not %lld",
                      i, (long long)result[i], (long long)orders[_i].expected[i]);
    }
}
END_TEST

/* However long the source, and whatever it claims, no picture waits for ever. */
START_TEST(order_is_settled_after_a_few_pictures) {
    struct reorder reorder = reorder_of(10);
    struct reorder_ticket waiting[64];
    int count = 0;
    unsigned state = 3;
    for (int i = 0; i < 5000; i++) {
        state = state * 1103515245u + 12345u;
        struct reorder_place place = {(enum reorder_kind)(state >> 16 & 3), state >> 20 & 63,
                                      (state >> 27 & 7) == 0};
        int64_t dts = (state >> 18 & 1) == 0 ? REORDER_NO_TIME : 10 * i;
        waiting[count++] = reorder_push(&reorder, place, REORDER_NO_TIME, dts);
        int64_t pts = 0;
        while (count > 0 && reorder_time(&reorder, waiting[0], &pts)) {
            memmove(waiting, waiting + 1, (size_t)--count * sizeof(waiting[0]));
        }
        ck_assert_int_le(count, 17);
    }
}
END_TEST

/* ---- Joined parts ---------------------------------------------------------- */

START_TEST(a_part_goes_on_after_the_one_before) {
    struct join_clock clock = join_clock_of(1.0 / 90000, 25);
    ck_assert_int_eq(join_clock_see(&clock, 133200, 126000), 0);
    ck_assert_int_eq(join_clock_see(&clock, 144000, 129600), 0);
    ck_assert_int_eq(join_clock_see(&clock, 136800, 133200), 0);
    ck_assert_int_eq(join_clock_see(&clock, 216000, 205200), 0);
    ck_assert_int_eq(join_clock_see(&clock, INT64_MIN, INT64_MIN), 0);
    ck_assert_int_eq(clock.joins, 0);
    /* Back to the start: one picture after the latest so far. */
    int64_t shift = join_clock_see(&clock, 133200, 126000);
    ck_assert_int_eq(133200 + shift, 216000 + 3600);
    ck_assert_int_eq(join_clock_see(&clock, 144000, 129600), shift);
    ck_assert_int_eq(clock.joins, 1);
    /* Ahead by an hour. */
    int64_t next =
        join_clock_see(&clock, 133200 + INT64_C(3600) * 90000, 126000 + INT64_C(3600) * 90000);
    ck_assert_int_eq(133200 + INT64_C(3600) * 90000 + next, 144000 + shift + 3600);
    ck_assert_int_eq(clock.joins, 2);
}
END_TEST

START_TEST(a_pause_is_no_join) {
    struct join_clock clock = join_clock_of(1.0 / 90000, 25);
    ck_assert_int_eq(join_clock_see(&clock, 0, 0), 0);
    ck_assert_int_eq(join_clock_see(&clock, 9 * 90000, 9 * 90000), 0);
    ck_assert_int_eq(join_clock_see(&clock, 9 * 90000 - 9000, 9 * 90000 - 9000), 0);
    ck_assert_int_eq(clock.joins, 0);
}
END_TEST

Suite *timeline_suite(void) {
    Suite *suite = suite_create("timeline");
    TCase *rates = tcase_create("rates");
    tcase_add_loop_test(rates, a_constant_rate_keeps_every_picture, 0,
                        sizeof(constant) / sizeof(constant[0]));
    tcase_add_loop_test(rates, a_rate_above_the_cap_is_divided, 0,
                        sizeof(capped) / sizeof(capped[0]));
    tcase_add_test(rates, a_claimed_rate_decides_between_twins);
    tcase_add_test(rates, fields_double_the_rate_where_the_cap_allows);
    tcase_add_test(rates, holes_are_damage_where_times_are_not_exact);
    tcase_add_test(rates, a_drift_is_no_hole);
    tcase_add_loop_test(rates, a_variable_rate_is_the_lowest_that_keeps_its_pictures, 0,
                        sizeof(variable) / sizeof(variable[0]));
    tcase_add_test(rates, the_last_picture_lasts_as_long_as_it_says);
    tcase_add_test(rates, one_picture_is_a_title);
    tcase_add_test(rates, pictures_of_one_time_are_one_frame);
    tcase_add_test(rates, early_sound_holds_the_first_picture);
    tcase_add_test(rates, absurd_spans_are_refused);
    tcase_add_test(rates, fine_clocks_do_not_overflow);
    suite_add_tcase(suite, rates);
    TCase *order = tcase_create("order");
    tcase_add_loop_test(order, times_follow_the_order_of_display, 0,
                        sizeof(orders) / sizeof(orders[0]));
    tcase_add_test(order, order_is_settled_after_a_few_pictures);
    tcase_add_test(order, a_part_goes_on_after_the_one_before);
    tcase_add_test(order, a_pause_is_no_join);
    suite_add_tcase(suite, order);
    return suite;
}
