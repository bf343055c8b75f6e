/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The plan of a title: see wire.h. */
#include "common/wire.h"
#include "wire_fields.h"

enum {
    RENDITIONS_MAX = 64,
    WAIVED_MAX = 64,
    TEXT_MAX = 1024,
};

/* ---- renditions ---------------------------------------------------------------- */

static void spec_write(const void *from, struct writer *w, const char *name) {
    const struct rendition_plan *rendition = from;
    if (rendition->is_image) {
        image_spec_write(&rendition->image, w, name);
    } else if (rendition->is_video) {
        video_spec_write(&rendition->video, w, name);
    } else {
        audio_spec_write(&rendition->audio, w, name);
    }
}

static void spec_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct rendition_plan *rendition = to;
    struct reader below = reader_object(r, name);
    if (rendition->is_image) {
        image_spec_read(&rendition->image, &below);
    } else if (rendition->is_video) {
        video_spec_read(&rendition->video, &below);
    } else {
        audio_spec_read(&rendition->audio, &below);
    }
}

/* Not there for what is played: plans of before images stay as they are, and so do hashes. */
static void is_image_write(const void *from, struct writer *w, const char *name) {
    if (((const struct rendition_plan *)from)->is_image) {
        writer_bool(w, name, true);
    }
}

static void is_image_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    if (reader_has(r, name)) {
        reader_bool(r, name, &((struct rendition_plan *)to)->is_image);
    }
}

static const struct field rendition_fields[] = {
    NAME(struct rendition_plan, id, 1),
    PATH(struct rendition_plan, folder),
    HASH(struct rendition_plan, key),
    FLAG(struct rendition_plan, is_video),
    OTHER("is_image", is_image_write, is_image_read),
    OTHER("spec", spec_write, spec_read),
    NUMBER(struct rendition_plan, audio_track, 0, INT16_MAX),
    STRING(struct rendition_plan, build_line, TEXT_MAX),
    NUMBER(struct rendition_plan, tail_frames, 0, 100000),
    END,
};

/* ---- the plan ------------------------------------------------------------------ */

static void source_write(const void *from, struct writer *w, const char *name) {
    const struct title_plan *plan = from;
    source_document_write(&plan->source, w, name);
}

static void source_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct title_plan *plan = to;
    struct reader below = reader_object(r, name);
    source_document_read(&plan->source, &below);
}

static void plan_grid_write(const void *from, struct writer *w, const char *name) {
    const struct title_plan *plan = from;
    grid_write(plan->grid, w, name);
}

static void plan_grid_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct title_plan *plan = to;
    grid_read(&plan->grid, r, name);
}

static const struct field missing_fields[] = {
    NAME(struct missing_rendition, id, 1),
    NAME(struct missing_rendition, class, 1),
    END,
};

static const struct field missing_list[] = {
    LIST(struct title_plan, missing, missing_count, RENDITIONS_MAX, missing_fields),
    END,
};

/* Not there where nothing is missing: stored plans never have it, and hashes stay. */
static void missing_write(const void *from, struct writer *w, const char *name) {
    (void)name;
    if (((const struct title_plan *)from)->missing_count > 0) {
        fields_write(missing_list, from, w);
    }
}

static void missing_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    if (reader_has(r, name)) {
        fields_read(missing_list, to, arena, r);
    }
}

static const struct field plan_fields[] = {
    STRING(struct title_plan, title, WIRE_TITLE_TEXT - 1),
    STRING(struct title_plan, ladder, TEXT_MAX),
    STRING(struct title_plan, identity, TEXT_MAX),
    OTHER("source", source_write, source_read),
    NUMBER(struct title_plan, gop_ms, 1, INT32_MAX),
    NUMBER(struct title_plan, segment_gops, 1, INT32_MAX),
    NUMBER(struct title_plan, chunk_ms, 1, INT32_MAX),
    STRINGS(struct title_plan, waived, waived_count, WAIVED_MAX),
    OTHER("grid", plan_grid_write, plan_grid_read),
    LIST(struct title_plan, renditions, rendition_count, RENDITIONS_MAX, rendition_fields),
    NUMBER(struct title_plan, frames_repaired, 0, GRID_FRAMES_MAX),
    NUMBER(struct title_plan, frames_concealed, 0, GRID_FRAMES_MAX),
    OTHER("missing", missing_write, missing_read),
    END,
};

void title_plan_write(const struct title_plan *plan, struct writer *w, const char *name) {
    object_write(plan_fields, plan, w, name);
}

void title_plan_read(struct title_plan *out, struct reader *r) {
    *out = (struct title_plan){0};
    fields_read(plan_fields, out, &out->arena, r);
    if (!reader_ok(r)) {
        return;
    }
    if (!title_id_valid(out->title)) {
        reader_fail(r, "title", "must be a title id, not '%s'", out->title);
    } else if (out->grid->frames != out->source.timeline.frames ||
               rational_compare(out->grid->rate, out->source.timeline.rate) != 0) {
        reader_fail(r, "grid", "is not that of the source's timeline");
    }
}

void title_plan_finish(struct title_plan *plan) {
    source_document_finish(&plan->source);
    grid_destroy(plan->grid);
    arena_finish(&plan->arena);
    *plan = (struct title_plan){0};
}
