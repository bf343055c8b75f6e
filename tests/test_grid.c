/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grid: properties that every title's grid has, and the plans that the design
 * names. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/grid.h"
#include "common/mem.h"

Suite *grid_suite(void);

static struct grid *make(struct rational rate, int64_t frames, const int64_t *access,
                         size_t access_count) {
    struct grid_options options = grid_options_default();
    options.rate = rate;
    options.frames = frames;
    options.access = access;
    options.access_count = access_count;
    struct grid *grid = NULL;
    struct err err = {0};
    ck_assert_msg(grid_create(&grid, &options, &err) == 0, "%s", err.message);
    return grid;
}

/* What holds for every grid: the first rule that it breaks, or NULL. One assertion
 * a grid keeps Check, which writes each one down, fast. */
static const char *broken_rule(const struct grid *grid, int64_t gop, size_t segment_gops) {
    if (grid->gops[0] != 0 || grid->gops[grid->gop_count] != grid->frames) {
        return "GOPs cover the title";
    }
    for (size_t i = 0; i + 1 < grid->gop_count; i++) {
        if (grid->gops[i + 1] - grid->gops[i] != gop) {
            return "all GOPs but the last are equal";
        }
    }
    int64_t last = grid->frames - grid->gops[grid->gop_count - 1];
    if (last < 1 || last * 2 >= gop * 3 || (last * 2 < gop && grid->gop_count > 1)) {
        return "the last GOP is half to one and a half GOPs long";
    }
    if (grid->segments[0] != 0 || grid->segments[grid->segment_count] != grid->gop_count) {
        return "segments cover the GOPs";
    }
    for (size_t i = 0; i < grid->segment_count; i++) {
        size_t gops = grid->segments[i + 1] - grid->segments[i];
        if (gops < 1 || gops > segment_gops ||
            (gops < segment_gops && i + 1 < grid->segment_count)) {
            return "all segments but the last have all their GOPs";
        }
    }
    if (grid->chunks[0] != 0 || grid->chunks[grid->chunk_count] != grid->segment_count) {
        return "chunks cover the segments";
    }
    for (size_t i = 0; i < grid->chunk_count; i++) {
        if (grid->chunks[i + 1] <= grid->chunks[i]) {
            return "chunks rise";
        }
    }
    return NULL;
}

static void check_grid(const struct grid *grid, int64_t gop) {
    const char *broken = broken_rule(grid, gop, 2);
    ck_assert_msg(broken == NULL, "%s (%ld frames)", broken, (long)grid->frames);
}

static const struct {
    struct rational rate;
    int64_t gop;
} rates[] = {
    {{24000, 1001}, 48},  {{24, 1}, 48},  {{25, 1}, 50},  {{30000, 1001}, 60},
    {{30, 1}, 60},        {{50, 1}, 100}, {{60, 1}, 120}, {{10, 1}, 20},
    {{60000, 1001}, 120}, {{25, 2}, 25},  {{1, 10}, 1},
};

START_TEST(every_length_has_a_sound_grid) {
    for (int64_t frames = 1; frames < 3000; frames += frames < 500 ? 1 : 37) {
        struct grid *grid = make(rates[_i].rate, frames, NULL, 0);
        check_grid(grid, rates[_i].gop);
        ck_assert_int_le(grid_longest_gop(grid) * 2, rates[_i].gop * 3);
        grid_destroy(grid);
    }
}
END_TEST

/* Chunk sizes in segments of 4 s at 24 frames a second, ended by 0; "more" counts
 * how often the last but one is repeated in full. */
static const struct {
    int seconds;
    size_t segments;
    size_t chunks;
    size_t first[8];
    size_t last;
} plans[] = {
    {30, 8, 8, {1, 1, 1, 1, 1, 1, 1, 1}, 1},        /* S = 7 and a half: b = 1 */
    {48, 12, 12, {1, 1, 1, 1, 1, 1, 1, 1}, 1},      /* b = 1 */
    {96, 24, 13, {1, 1, 2, 2, 2, 2, 2, 2}, 2},      /* b = 2 */
    {200, 50, 15, {1, 1, 2, 4, 4, 4, 4, 4}, 2},     /* b = 4: 4 + 4 + 10 x 4 + 2 */
    {7200, 1800, 452, {1, 1, 2, 4, 4, 4, 4, 4}, 4}, /* 4 in the head, 449 x 4 */
};

START_TEST(chunk_plan_is_the_designs) {
    static const struct rational near24[] = {{24, 1}, {24000, 1001}};
    for (int k = 0; k < 2; k++) {
        struct grid *grid = make(near24[k], (int64_t)plans[_i].seconds * 24, NULL, 0);
        ck_assert_int_eq(grid->segment_count, plans[_i].segments);
        ck_assert_int_eq(grid->chunk_count, plans[_i].chunks);
        for (size_t i = 0; i < 8; i++) {
            ck_assert_int_eq(grid->chunks[i + 1] - grid->chunks[i], plans[_i].first[i]);
        }
        ck_assert_int_eq(grid->chunks[grid->chunk_count] - grid->chunks[grid->chunk_count - 1],
                         plans[_i].last);
        grid_destroy(grid);
    }
}
END_TEST

START_TEST(a_short_last_gop_joins_the_one_before) {
    struct grid *grid = make((struct rational){24, 1}, 48 * 2 + 23, NULL, 0);
    ck_assert_int_eq(grid->gop_count, 2);
    ck_assert_int_eq(grid_longest_gop(grid), 71);
    ck_assert_int_eq(grid_longest_segment(grid), 119);
    grid_destroy(grid);
    grid = make((struct rational){24, 1}, 48 * 2 + 24, NULL, 0);
    ck_assert_int_eq(grid->gop_count, 3);
    ck_assert_int_eq(grid->segment_count, 2);
    ck_assert_int_eq(grid_segment_frame(grid, 1), 96);
    ck_assert_int_eq(grid_segment_frame(grid, 2), 120);
    grid_destroy(grid);
}
END_TEST

static int64_t run_in(const int64_t *access, size_t count, int64_t first) {
    int64_t last = 0;
    for (size_t i = 0; i < count && access[i] <= first; i++) {
        last = access[i];
    }
    return first - last;
}

START_TEST(chunks_outgrow_their_run_in) {
    srand((unsigned)_i + 1);
    int64_t access[400];
    size_t count = 0;
    int64_t spread = 50 << (_i % 8); /* one each 2 s to one each 5 minutes */
    for (int64_t at = _i % 2 == 0 ? 0 : -30; count < 400; at += 1 + rand() % spread) {
        access[count++] = at;
    }
    struct grid *grid = make((struct rational){25, 1}, 20000 + rand() % 9000, access, count);
    check_grid(grid, 50);
    for (size_t i = 1; i < grid->chunk_count; i++) {
        int64_t first = grid_chunk_frame(grid, i);
        ck_assert_int_le(run_in(access, count, first), grid_chunk_frame(grid, i + 1) - first);
    }
    struct grid *plain = make((struct rational){25, 1}, grid->frames, NULL, 0);
    ck_assert_int_le(grid->chunk_count, plain->chunk_count);
    grid_destroy(plain);
    grid_destroy(grid);
}
END_TEST

START_TEST(one_access_point_makes_chunks_double) {
    static const int64_t access[] = {0};
    struct grid *grid = make((struct rational){25, 1}, 3600 * 25, access, 1);
    ck_assert_int_le(grid->chunk_count, 10);
    for (size_t i = 1; i < grid->chunk_count; i++) {
        int64_t first = grid_chunk_frame(grid, i);
        ck_assert_int_ge(grid_chunk_frame(grid, i + 1) - first, first);
    }
    grid_destroy(grid);
}
END_TEST

START_TEST(a_day_is_quick) {
    size_t count = 24 * 1800;
    int64_t *access = mem_zero(count, sizeof(*access));
    for (size_t i = 0; i < count; i++) {
        access[i] = (int64_t)i * 120;
    }
    for (int i = 0; i < 20; i++) { /* linear work, or Check's timeout ends it */
        struct grid *grid = make((struct rational){60, 1}, 24LL * 3600 * 60, access, count);
        ck_assert_int_eq(grid->gop_count, count);
        ck_assert_int_eq(grid->segment_count, count / 2);
        grid_destroy(grid);
    }
    mem_free(access);
}
END_TEST

START_TEST(chunks_are_slices_of_the_grid) {
    struct grid *grid = make((struct rational){24, 1}, 200 * 24 + 5, NULL, 0);
    int64_t frame = 0;
    int64_t gop = 0;
    int64_t segment = 1;
    for (size_t i = 0; i < grid->chunk_count; i++) {
        struct chunk_grid chunk = {0};
        grid_chunk(grid, i, 50, &chunk);
        ck_assert_int_eq(chunk.first, frame);
        ck_assert_int_eq(chunk.first_gop, gop);
        ck_assert_int_eq(chunk.first_segment, segment);
        ck_assert_int_eq(chunk.gops[0], chunk.first);
        ck_assert_int_eq(chunk.gops[chunk.gop_count], chunk.end);
        size_t gops = 0;
        for (size_t s = 0; s < chunk.segment_count; s++) {
            gops += (size_t)chunk.segment_gops[s];
        }
        ck_assert_int_eq(gops, chunk.gop_count);
        ck_assert_int_eq(chunk.tail, i + 1 == grid->chunk_count ? 0 : 50);
        frame = chunk.end;
        gop += (int64_t)chunk.gop_count;
        segment += (int64_t)chunk.segment_count;
        chunk_grid_finish(&chunk);
        chunk_grid_finish(&chunk);
    }
    ck_assert_int_eq(frame, grid->frames);
    ck_assert_int_eq(segment, (int64_t)grid->segment_count + 1);
    grid_destroy(grid);
    grid_destroy(NULL);
}
END_TEST

START_TEST(the_tail_ends_with_the_title) {
    struct grid *grid = make((struct rational){24, 1}, 96 + 48, NULL, 0);
    struct chunk_grid chunk = {0};
    grid_chunk(grid, 0, 50, &chunk);
    ck_assert_int_eq(chunk.end, 96);
    ck_assert_int_eq(chunk.tail, 48);
    chunk_grid_finish(&chunk);
    grid_destroy(grid);
}
END_TEST

static const struct grid_options bad[] = {
    {.frames = 0, .rate = {24, 1}, .gop_ms = 2000, .segment_gops = 2, .chunk_ms = 16000},
    {.frames = -5, .rate = {24, 1}, .gop_ms = 2000, .segment_gops = 2, .chunk_ms = 16000},
    {.frames = INT64_MAX, .rate = {24, 1}, .gop_ms = 2000, .segment_gops = 2, .chunk_ms = 16000},
    {.frames = 9, .rate = {0, 1}, .gop_ms = 2000, .segment_gops = 2, .chunk_ms = 16000},
    {.frames = 9, .rate = {24, 0}, .gop_ms = 2000, .segment_gops = 2, .chunk_ms = 16000},
    {.frames = 9, .rate = {INT64_MAX, 1}, .gop_ms = 2000, .segment_gops = 2, .chunk_ms = 16000},
    {.frames = 9, .rate = {24, 1}, .gop_ms = 0, .segment_gops = 2, .chunk_ms = 16000},
    {.frames = 9, .rate = {24, 1}, .gop_ms = 2000, .segment_gops = 0, .chunk_ms = 16000},
    {.frames = 9, .rate = {24, 1}, .gop_ms = 2000, .segment_gops = 2, .chunk_ms = 0},
    {.frames = 1 << 30, .rate = {24, 1}, .gop_ms = 1, .segment_gops = 2, .chunk_ms = 16000},
};

START_TEST(bad_options_are_refused) {
    struct grid *grid = NULL;
    struct err err = {0};
    ck_assert_int_eq(grid_create(&grid, &bad[_i], &err), ERR_INVALID);
    ck_assert_ptr_null(grid);
    ck_assert_int_gt(strlen(err.message), 20);
}
END_TEST

Suite *grid_suite(void) {
    Suite *suite = suite_create("grid");
    TCase *tc = tcase_create("grid");
    tcase_add_loop_test(tc, every_length_has_a_sound_grid, 0, sizeof(rates) / sizeof(rates[0]));
    tcase_add_loop_test(tc, chunk_plan_is_the_designs, 0, sizeof(plans) / sizeof(plans[0]));
    tcase_add_test(tc, a_short_last_gop_joins_the_one_before);
    tcase_add_loop_test(tc, chunks_outgrow_their_run_in, 0, 64);
    tcase_add_test(tc, one_access_point_makes_chunks_double);
    tcase_add_test(tc, a_day_is_quick);
    tcase_add_test(tc, chunks_are_slices_of_the_grid);
    tcase_add_test(tc, the_tail_ends_with_the_title);
    tcase_add_loop_test(tc, bad_options_are_refused, 0, sizeof(bad) / sizeof(bad[0]));
    suite_add_tcase(suite, tc);
    return suite;
}
