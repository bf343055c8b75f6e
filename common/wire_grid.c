/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The grid <-> JSON. Nearly all GOPs, segments and chunks of a title are equal, so
 * each list is written as runs of equal lengths: a day's grid is 100 bytes. */
#include "common/wire.h"

/* ---- runs ---------------------------------------------------------------------- */

/* Rising starts, one more than `count` of them, as [how many, how long, ...]. */
static void runs_write(struct writer *w, const char *name, const int64_t *starts, size_t count) {
    writer_array(w, name);
    size_t run = 0;
    for (size_t i = 0; i < count; i++) {
        run++;
        int64_t length = starts[i + 1] - starts[i];
        if (i + 1 == count || starts[i + 2] - starts[i + 1] != length) {
            writer_int(w, NULL, (int64_t)run);
            writer_int(w, NULL, length);
            run = 0;
        }
    }
    writer_array_end(w);
}

/* The starts again, from `first` on: `*count` + 1 of them, owned; NULL after an
 * error. Refuses more than `most` and a sum past INT32_MAX. */
static int64_t *runs_read(struct reader *r, const char *name, int64_t first, size_t *count) {
    struct reader items = reader_array(r, name);
    size_t entries = reader_count(&items);
    int64_t total = 0;
    int64_t length_total = 0;
    for (size_t i = 0; i + 1 < entries; i += 2) {
        int64_t many = 1;
        int64_t length = 1;
        reader_item_int(&items, i, 1, GRID_GOPS_MAX, &many);
        reader_item_int(&items, i + 1, 1, GRID_FRAMES_MAX, &length);
        total += many;
        length_total += many * length;
        if (total > GRID_GOPS_MAX || length_total > GRID_FRAMES_MAX) {
            break;
        }
    }
    if (reader_ok(r) && (entries % 2 != 0 || total < 1 || total > GRID_GOPS_MAX ||
                         length_total > GRID_FRAMES_MAX)) {
        reader_fail(r, name,
                    "must be pairs of a count and a length, at least one and not more "
                    "than %d in all",
                    (int)GRID_GOPS_MAX);
    }
    if (!reader_ok(r)) {
        return NULL;
    }
    int64_t *starts = mem_zero((size_t)total + 1, sizeof(*starts));
    size_t at = 0;
    starts[0] = first;
    for (size_t i = 0; i < entries; i += 2) {
        int64_t many = 0;
        int64_t length = 0;
        reader_item_int(&items, i, 1, GRID_GOPS_MAX, &many);
        reader_item_int(&items, i + 1, 1, GRID_FRAMES_MAX, &length);
        for (; many > 0; many--, at++) {
            starts[at + 1] = starts[at] + length;
        }
    }
    *count = (size_t)total;
    return starts;
}

/* The same for lists of indexes. */
static void index_runs_write(struct writer *w, const char *name, const size_t *starts,
                             size_t count) {
    int64_t *wide = mem_zero(count + 1, sizeof(*wide));
    for (size_t i = 0; i <= count; i++) {
        wide[i] = (int64_t)starts[i];
    }
    runs_write(w, name, wide, count);
    mem_free(wide);
}

static size_t *index_runs_read(struct reader *r, const char *name, size_t *count) {
    int64_t *wide = runs_read(r, name, 0, count);
    if (wide == NULL) {
        return NULL;
    }
    size_t *starts = mem_zero(*count + 1, sizeof(*starts));
    for (size_t i = 0; i <= *count; i++) {
        starts[i] = (size_t)wide[i];
    }
    mem_free(wide);
    return starts;
}

/* ---- the title's ------------------------------------------------------------- */

void grid_write(const struct grid *grid, struct writer *w, const char *name) {
    writer_object(w, name);
    rational_write(w, "rate", grid->rate);
    runs_write(w, "gops", grid->gops, grid->gop_count);
    index_runs_write(w, "segments", grid->segments, grid->segment_count);
    index_runs_write(w, "chunks", grid->chunks, grid->chunk_count);
    writer_object_end(w);
}

void grid_read(struct grid **out, struct reader *r, const char *name) {
    struct reader below = reader_object(r, name);
    struct grid *grid = mem_zero(1, sizeof(*grid));
    rational_read(&grid->rate, &below, "rate");
    grid->gops = runs_read(&below, "gops", 0, &grid->gop_count);
    grid->segments = index_runs_read(&below, "segments", &grid->segment_count);
    grid->chunks = index_runs_read(&below, "chunks", &grid->chunk_count);
    if (reader_ok(&below) && (grid->segments[grid->segment_count] != grid->gop_count ||
                              grid->chunks[grid->chunk_count] != grid->segment_count)) {
        reader_fail(&below, NULL, "has chunks, segments and GOPs that do not fit one another");
    }
    if (!reader_ok(&below)) {
        grid_destroy(grid);
        return;
    }
    grid->frames = grid->gops[grid->gop_count];
    *out = grid;
}

/* ---- a chunk's --------------------------------------------------------------- */

void chunk_grid_write(const struct chunk_grid *chunk, struct writer *w, const char *name) {
    int64_t *segments = mem_zero(chunk->segment_count + 1, sizeof(*segments));
    for (size_t i = 0; i < chunk->segment_count; i++) {
        segments[i + 1] = segments[i] + chunk->segment_gops[i];
    }
    writer_object(w, name);
    writer_int(w, "first", chunk->first);
    writer_int(w, "tail", chunk->tail);
    writer_int(w, "first_gop", chunk->first_gop);
    writer_int(w, "first_segment", chunk->first_segment);
    runs_write(w, "gops", chunk->gops, chunk->gop_count);
    runs_write(w, "segments", segments, chunk->segment_count);
    writer_object_end(w);
    mem_free(segments);
}

void chunk_grid_read(struct chunk_grid *out, struct reader *r, const char *name) {
    struct reader below = reader_object(r, name);
    reader_int(&below, "first", 0, GRID_FRAMES_MAX, &out->first);
    reader_int(&below, "tail", 0, GRID_FRAMES_MAX, &out->tail);
    reader_int(&below, "first_gop", 0, GRID_GOPS_MAX, &out->first_gop);
    reader_int(&below, "first_segment", 1, GRID_GOPS_MAX, &out->first_segment);
    out->gops = runs_read(&below, "gops", out->first, &out->gop_count);
    int64_t *segments = runs_read(&below, "segments", 0, &out->segment_count);
    if (!reader_ok(&below) || segments[out->segment_count] != (int64_t)out->gop_count) {
        reader_fail(&below, NULL, "has segments and GOPs that do not fit one another");
        mem_free(segments);
        return;
    }
    out->end = out->gops[out->gop_count];
    out->segment_gops = mem_zero(out->segment_count, sizeof(*out->segment_gops));
    for (size_t i = 0; i < out->segment_count; i++) {
        out->segment_gops[i] = (int)(segments[i + 1] - segments[i]);
    }
    mem_free(segments);
}
