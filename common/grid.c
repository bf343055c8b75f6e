/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where GOPs, segments and chunks of a title start: see grid.h. */
#include "common/grid.h"

#include <assert.h>
#include <inttypes.h>

#include "common/mem.h"

struct grid_options grid_options_default(void) {
    return (struct grid_options){.gop_ms = 2000, .segment_gops = 2, .chunk_ms = 16000};
}

static int options_check(const struct grid_options *o, struct err *err) {
    if (o->frames < 1 || o->frames > GRID_FRAMES_MAX) {
        return err_set(err, ERR_INVALID,
                       "a title of %" PRId64 " frames is not within 1 to %" PRId64, o->frames,
                       (int64_t)GRID_FRAMES_MAX);
    }
    if (o->rate.num < 1 || o->rate.den < 1 || o->rate.den > INT32_MAX ||
        o->rate.num / o->rate.den > 1000) {
        return err_set(err, ERR_INVALID,
                       "a frame rate of %" PRId64 "/%" PRId64 " is not within 1/2147483647 to 1000",
                       o->rate.num, o->rate.den);
    }
    if (o->gop_ms < 1 || o->segment_gops < 1 || o->chunk_ms < 1 || o->segment_gops > 1000) {
        return err_set(err, ERR_INVALID,
                       "GOPs of %d ms, segments of %d GOPs and chunks of %d ms make no grid",
                       o->gop_ms, o->segment_gops, o->chunk_ms);
    }
    return 0;
}

static int make_gops(struct grid *grid, const struct grid_options *o, struct err *err) {
    int64_t gop = ticks_scale(o->gop_ms, o->rate.num, o->rate.den * 1000, ROUND_NEAR);
    if (gop < 1) {
        gop = 1;
    }
    int64_t count = o->frames / gop;
    int64_t rest = o->frames % gop;
    if (rest * 2 >= gop || count == 0) {
        count++;
    }
    if (count > GRID_GOPS_MAX) {
        return err_set(err, ERR_INVALID, "a title of %" PRId64 " GOPs is longer than %d GOPs",
                       count, (int)GRID_GOPS_MAX);
    }
    grid->gop_count = (size_t)count;
    grid->gops = mem_zero(grid->gop_count + 1, sizeof(*grid->gops));
    for (size_t i = 0; i < grid->gop_count; i++) {
        grid->gops[i] = (int64_t)i * gop;
    }
    grid->gops[grid->gop_count] = o->frames;
    return 0;
}

static void make_segments(struct grid *grid, const struct grid_options *o) {
    size_t step = (size_t)o->segment_gops;
    grid->segment_count = (grid->gop_count + step - 1) / step;
    grid->segments = mem_zero(grid->segment_count + 1, sizeof(*grid->segments));
    for (size_t i = 0; i < grid->segment_count; i++) {
        grid->segments[i] = i * step;
    }
    grid->segments[grid->segment_count] = grid->gop_count;
}

/* Frames from which decoding is exact, read along with rising chunk starts. */
struct access_cursor {
    const int64_t *access;
    size_t count;
    size_t at;
    int64_t last; /* the last one at or before the chunk's start; frame 0 where there is none */
};

static int64_t run_in(struct access_cursor *cursor, int64_t first) {
    while (cursor->at < cursor->count && cursor->access[cursor->at] <= first) {
        cursor->last = cursor->access[cursor->at++];
    }
    return cursor->access == NULL ? 0 : first - cursor->last;
}

static size_t body_segments(const struct grid *grid, const struct grid_options *o) {
    size_t most = (size_t)o->chunk_ms / ((size_t)o->segment_gops * (size_t)o->gop_ms);
    size_t body = grid->segment_count / 12;
    body = body < most ? body : most;
    return body > 1 ? body : 1;
}

static void make_chunks(struct grid *grid, const struct grid_options *o) {
    static const size_t head[] = {1, 1, 2, 4};
    size_t body = body_segments(grid, o);
    struct access_cursor cursor = {.access = o->access, .count = o->access_count};
    grid->chunks = mem_zero(grid->segment_count + 1, sizeof(*grid->chunks));
    size_t segment = 0;
    while (segment < grid->segment_count) {
        size_t size = body;
        if (grid->chunk_count < sizeof(head) / sizeof(head[0]) && head[grid->chunk_count] < body) {
            size = head[grid->chunk_count];
        }
        int64_t first = grid_segment_frame(grid, segment);
        int64_t needed = run_in(&cursor, first);
        size_t end = segment + size;
        while (end < grid->segment_count && grid_segment_frame(grid, end) - first < needed) {
            end++;
        }
        end = end < grid->segment_count ? end : grid->segment_count;
        /* A last chunk that can't grow to its run-in is joined to the one before. */
        if (grid->chunk_count == 0 || grid_segment_frame(grid, end) - first >= needed) {
            grid->chunks[grid->chunk_count++] = segment;
        }
        segment = end;
    }
    grid->chunks[grid->chunk_count] = grid->segment_count;
}

int grid_create(struct grid **out, const struct grid_options *options, struct err *err) {
    int rc = options_check(options, err);
    if (rc < 0) {
        return rc;
    }
    struct grid *grid = mem_zero(1, sizeof(*grid));
    grid->frames = options->frames;
    grid->rate = options->rate;
    rc = make_gops(grid, options, err);
    if (rc < 0) {
        grid_destroy(grid);
        return rc;
    }
    make_segments(grid, options);
    make_chunks(grid, options);
    *out = grid;
    return 0;
}

void grid_destroy(struct grid *grid) {
    if (grid != NULL) {
        mem_free(grid->gops);
        mem_free(grid->segments);
        mem_free(grid->chunks);
        mem_free(grid);
    }
}

int64_t grid_segment_frame(const struct grid *grid, size_t segment) {
    assert(segment <= grid->segment_count);
    return grid->gops[grid->segments[segment]];
}

int64_t grid_chunk_frame(const struct grid *grid, size_t chunk) {
    assert(chunk <= grid->chunk_count);
    return grid_segment_frame(grid, grid->chunks[chunk]);
}

int64_t grid_longest_gop(const struct grid *grid) {
    int64_t longest = 0;
    for (size_t i = 0; i < grid->gop_count; i++) {
        int64_t frames = grid->gops[i + 1] - grid->gops[i];
        longest = frames > longest ? frames : longest;
    }
    return longest;
}

int64_t grid_longest_segment(const struct grid *grid) {
    int64_t longest = 0;
    for (size_t i = 0; i < grid->segment_count; i++) {
        int64_t frames = grid_segment_frame(grid, i + 1) - grid_segment_frame(grid, i);
        longest = frames > longest ? frames : longest;
    }
    return longest;
}

void grid_chunk(const struct grid *grid, size_t chunk, int64_t tail, struct chunk_grid *out) {
    assert(chunk < grid->chunk_count && tail >= 0);
    size_t segment = grid->chunks[chunk];
    size_t segment_end = grid->chunks[chunk + 1];
    size_t gop = grid->segments[segment];
    size_t gop_end = grid->segments[segment_end];
    int64_t left = grid->frames - grid->gops[gop_end];
    *out = (struct chunk_grid){
        .first = grid->gops[gop],
        .end = grid->gops[gop_end],
        .tail = tail < left ? tail : left,
        .first_gop = (int64_t)gop,
        .gop_count = gop_end - gop,
        .gops = mem_zero(gop_end - gop + 1, sizeof(*out->gops)),
        .first_segment = (int64_t)segment + 1,
        .segment_count = segment_end - segment,
        .segment_gops = mem_zero(segment_end - segment, sizeof(*out->segment_gops)),
    };
    for (size_t i = gop; i <= gop_end; i++) {
        out->gops[i - gop] = grid->gops[i];
    }
    for (size_t i = segment; i < segment_end; i++) {
        out->segment_gops[i - segment] = (int)(grid->segments[i + 1] - grid->segments[i]);
    }
}

void chunk_grid_finish(struct chunk_grid *chunk) {
    mem_free(chunk->gops);
    mem_free(chunk->segment_gops);
    *chunk = (struct chunk_grid){0};
}
