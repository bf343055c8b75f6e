/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan as people and programs read it (`reelfarm ladder plan`): see plan.h. */
#include <inttypes.h>
#include <stdio.h>

#include "plan_parts.h"

static double seconds_of(const struct title_plan *title, int64_t frames) {
    return (double)frames / rational_value(title->source.timeline.rate);
}

static int64_t chunk_frames(const struct grid *grid, size_t chunk) {
    return grid_chunk_frame(grid, chunk + 1) - grid_chunk_frame(grid, chunk);
}

static size_t units_of(const struct plan *plan, enum task_kind kind) {
    size_t count = 0;
    for (size_t i = 0; i < plan->unit_count; i++) {
        count += plan->units[i].kind == kind;
    }
    return count;
}

static double cost_of(const struct plan *plan) {
    double cost = 0;
    for (size_t i = 0; i < plan->unit_count; i++) {
        cost += plan->units[i].cost_s;
    }
    return cost;
}

/* ---- JSON ------------------------------------------------------------------------ */

static void rendition_json(const struct rendition_plan *rendition, struct writer *w) {
    writer_object(w, NULL);
    writer_string(w, "id", rendition->id);
    if (rendition->folder[0] != '\0') {
        writer_string(w, "folder", rendition->folder);
    }
    if (rendition->is_image) {
        image_spec_write(&rendition->image, w, "image");
    } else if (rendition->is_video) {
        video_spec_write(&rendition->video, w, "video");
    } else {
        audio_spec_write(&rendition->audio, w, "audio");
    }
    writer_string(w, "build", rendition->build_line);
    writer_int(w, "tail_frames", rendition->tail_frames);
    writer_object_end(w);
}

static void chunk_json(const struct title_plan *title, size_t chunk, struct writer *w) {
    const struct grid *grid = title->grid;
    writer_object(w, NULL);
    writer_int(w, "first", grid_chunk_frame(grid, chunk));
    writer_int(w, "frames", chunk_frames(grid, chunk));
    writer_int(w, "segments", (int64_t)(grid->chunks[chunk + 1] - grid->chunks[chunk]));
    writer_object_end(w);
}

static void unit_json(const struct plan *plan, const struct unit_plan *unit, struct writer *w) {
    writer_object(w, NULL);
    writer_string(w, "kind", task_kind_name(unit->kind));
    if (unit->rendition >= 0) {
        writer_string(w, "rendition", plan->title.renditions[unit->rendition].id);
    }
    if (unit->chunk >= 0) {
        writer_int(w, "chunk", unit->chunk);
    }
    writer_number(w, "cost_s", (double)(int64_t)(unit->cost_s * 1000 + 0.5) / 1000);
    writer_int(w, "memory_bytes", unit->memory_bytes);
    writer_object_end(w);
}

void plan_describe_dropped(const struct plan *plan, struct writer *w) {
    writer_array(w, "dropped");
    for (size_t i = 0; i < plan->dropped_count; i++) {
        writer_object(w, NULL);
        writer_string(w, "name", plan->dropped[i].name);
        writer_string(w, "reason", plan->dropped[i].reason);
        writer_object_end(w);
    }
    writer_array_end(w);
}

void plan_describe_json(const struct plan *plan, struct writer *w, const char *name) {
    const struct title_plan *title = &plan->title;
    writer_object(w, name);
    writer_string(w, "ladder", title->ladder);
    rational_write(w, "rate", title->source.timeline.rate);
    writer_int(w, "frames", title->source.timeline.frames);
    writer_int(w, "gops", (int64_t)title->grid->gop_count);
    writer_int(w, "segments", (int64_t)title->grid->segment_count);
    writer_array(w, "renditions");
    for (size_t i = 0; i < title->rendition_count; i++) {
        rendition_json(&title->renditions[i], w);
    }
    writer_array_end(w);
    plan_describe_dropped(plan, w);
    writer_array(w, "chunks");
    for (size_t i = 0; i < title->grid->chunk_count; i++) {
        chunk_json(title, i, w);
    }
    writer_array_end(w);
    writer_array(w, "units");
    for (size_t i = 0; i < plan->unit_count; i++) {
        unit_json(plan, &plan->units[i], w);
    }
    writer_array_end(w);
    writer_object_end(w);
}

/* ---- text ------------------------------------------------------------------------- */

static void video_text(const struct rendition_plan *rendition, struct buf *out) {
    const struct video_spec *spec = &rendition->video;
    char size[32];
    snprintf(size, sizeof(size), "%dx%d", spec->width, spec->height);
    buf_format(out, "  %-18s %-10s %s %s, ", rendition->id, size, spec->encoder, spec->preset);
    if (spec->lossless) {
        buf_string(out, "lossless");
    } else {
        buf_format(out, "crf %g%s", spec->crf_hundredths / 100.0,
                   spec->bit_depth > 8 ? ", 10 bits" : "");
    }
    if (spec->maxrate_bps > 0) {
        buf_format(out, ", at most %g kb/s over %g s", (double)spec->maxrate_bps / 1000,
                   (double)spec->bufsize_bits / (double)spec->maxrate_bps);
    }
    if (spec->tune[0] != '\0') {
        buf_format(out, ", tune %s", spec->tune);
    }
    buf_format(out, ", %s", spec->profile);
    if (spec->level > 0) {
        buf_format(out, "@%d.%d", spec->level / 10, spec->level % 10);
    }
    buf_string(out, "\n");
}

static void audio_text(const struct rendition_plan *rendition, struct buf *out) {
    const struct audio_spec *spec = &rendition->audio;
    buf_format(out, "  %-18s %-10s %s, %g kHz, %g kb/s\n", rendition->id,
               spec->channels == 1 ? "mono" : "stereo", spec->encoder, spec->sample_rate / 1000.0,
               (double)spec->bitrate_bps / 1000);
}

static void image_text(const struct title_plan *title, const struct rendition_plan *rendition,
                       struct buf *out) {
    const struct image_spec *spec = &rendition->image;
    char size[32];
    snprintf(size, sizeof(size), "%dx%d", spec->width, spec->height);
    buf_format(out, "  %-18s %-10s ", rendition->id, size);
    if (spec->kind == IMAGE_POSTER) {
        buf_string(out, "AVIF and JPEG\n");
    } else {
        buf_format(out, "JPEG, %d pictures, one for %.4g s\n", spec->count,
                   seconds_of(title, spec->interval_frames));
    }
}

/* "4 s, 4 s, 8 s, then 447 of 16 s, 12 s": runs of equal chunks. */
static void chunks_text(const struct title_plan *title, struct buf *out) {
    const struct grid *grid = title->grid;
    size_t run = 0;
    for (size_t i = 0; i < grid->chunk_count; i++) {
        run++;
        if (i + 1 < grid->chunk_count && chunk_frames(grid, i + 1) == chunk_frames(grid, i)) {
            continue;
        }
        buf_string(out, i + 1 > run ? ", " : "");
        if (run > 1) {
            buf_format(out, "%zu x ", run);
        }
        buf_format(out, "%.4g s", seconds_of(title, chunk_frames(grid, i)));
        run = 0;
    }
}

void plan_describe_text(const struct plan *plan, struct buf *out) {
    const struct title_plan *title = &plan->title;
    const struct timeline *timeline = &title->source.timeline;
    const struct video_facts *video = &title->source.video;
    buf_format(out, "Source    %dx%d, %" PRId64 " frames at %.6g a second, %.6g s\n", video->width,
               video->height, timeline->frames, rational_value(timeline->rate),
               seconds_of(title, timeline->frames));
    buf_format(out, "Ladder    %s\n", title->ladder);
    for (size_t i = 0; i < title->rendition_count; i++) {
        const struct rendition_plan *rendition = &title->renditions[i];
        if (rendition->is_image) {
            image_text(title, rendition, out);
        } else if (rendition->is_video) {
            video_text(rendition, out);
        } else {
            audio_text(rendition, out);
        }
    }
    if (plan->dropped_count > 0) {
        buf_string(out, "Left out\n");
    }
    for (size_t i = 0; i < plan->dropped_count; i++) {
        buf_format(out, "  %-18s %s\n", plan->dropped[i].name, plan->dropped[i].reason);
    }
    buf_format(out, "Grid      %zu GOPs of %.4g s in %zu segments\n", title->grid->gop_count,
               seconds_of(title, title->grid->gops[1]), title->grid->segment_count);
    buf_format(out, "Chunks    %zu: ", title->grid->chunk_count);
    chunks_text(title, out);
    buf_format(out,
               "\nUnits     %zu of pictures, %zu of sound, then package and swap; about "
               "%.3g s of CPU\n",
               units_of(plan, TASK_VIDEO), units_of(plan, TASK_AUDIO), cost_of(plan));
}
