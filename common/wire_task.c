/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks: what a lease carries, and what a child is told. See wire.h. */
#include "common/wire.h"

#include <string.h>

#include "wire_fields.h"

enum {
    UNITS_MAX = 64,
    URL_MAX = 8192,
    TEXT_MAX = 1024,
    VERSIONS_MAX = 64,
    FOLDERS_MAX = 16384,
    EARLY_RUNS_MAX = 64,
    PLACES_MAX = 65536,
};

static const int64_t count_max = INT64_C(1) << 56;

/* ---- what a child is told ---------------------------------------------------- */

static const struct field probe_fields[] = {
    NUMBER(struct child_spec, max_width, 1, INT32_MAX),
    NUMBER(struct child_spec, max_height, 1, INT32_MAX),
    NUMBER(struct child_spec, max_frames, 1, GRID_FRAMES_MAX),
    RATIONAL(struct child_spec, max_rate, 1, INT32_MAX),
    CHOICE(struct child_spec, deinterlace, 0, wire_deinterlace_names),
    NUMBER(struct child_spec, long_gop_ms, 1, INT32_MAX),
    END,
};

static void spec_source_write(const void *from, struct writer *w, const char *name) {
    const struct child_spec *spec = from;
    source_document_write(&spec->source, w, name);
}

static void spec_source_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct child_spec *spec = to;
    struct reader below = reader_object(r, name);
    source_document_read(&spec->source, &below);
}

static void spec_chunk_write(const void *from, struct writer *w, const char *name) {
    const struct child_spec *spec = from;
    chunk_grid_write(&spec->chunk, w, name);
}

static void spec_chunk_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct child_spec *spec = to;
    chunk_grid_read(&spec->chunk, r, name);
}

static void rungs_write(const void *from, struct writer *w, const char *name) {
    const struct child_spec *spec = from;
    writer_array(w, name);
    for (int i = 0; i < spec->rung_count; i++) {
        video_spec_write(&spec->rungs[i], w, NULL);
    }
    writer_array_end(w);
}

static void rungs_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct child_spec *spec = to;
    struct reader items = reader_array(r, name);
    size_t count = reader_count(&items);
    if (count < 1 || count > UNITS_MAX) {
        reader_fail(r, name, "has %zu entries; 1 to %d are allowed", count, (int)UNITS_MAX);
        return;
    }
    spec->rungs = arena_zero(arena, count, sizeof(*spec->rungs));
    spec->rung_count = (int)count;
    for (size_t i = 0; i < count; i++) {
        struct reader item = reader_item(&items, i);
        video_spec_read(&spec->rungs[i], &item);
    }
}

static const struct field video_fields[] = {
    OTHER("source", spec_source_write, spec_source_read),
    OTHER("chunk", spec_chunk_write, spec_chunk_read),
    OTHER("rungs", rungs_write, rungs_read),
    END,
};

static void spec_audio_write(const void *from, struct writer *w, const char *name) {
    const struct child_spec *spec = from;
    audio_spec_write(&spec->audio, w, name);
}

static void spec_audio_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct child_spec *spec = to;
    struct reader below = reader_object(r, name);
    audio_spec_read(&spec->audio, &below);
}

static void spec_grid_write(const void *from, struct writer *w, const char *name) {
    const struct child_spec *spec = from;
    grid_write(spec->grid, w, name);
}

static void spec_grid_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct child_spec *spec = to;
    grid_read(&spec->grid, r, name);
}

static const struct field audio_fields[] = {
    OTHER("source", spec_source_write, spec_source_read),
    NUMBER(struct child_spec, audio_track, 0, INT16_MAX),
    OTHER("audio", spec_audio_write, spec_audio_read),
    OTHER("grid", spec_grid_write, spec_grid_read),
    END,
};

static void spec_image_write(const void *from, struct writer *w, const char *name) {
    const struct child_spec *spec = from;
    image_spec_write(&spec->image, w, name);
}

static void spec_image_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct child_spec *spec = to;
    struct reader below = reader_object(r, name);
    image_spec_read(&spec->image, &below);
}

static const struct field image_fields[] = {
    OTHER("source", spec_source_write, spec_source_read),
    OTHER("image", spec_image_write, spec_image_read),
    END,
};

static const struct field spec_fields[] = {
    CHOICE(struct child_spec, kind, 0, wire_kind_names),
    NUMBER(struct child_spec, source_size, -1, count_max),
    END,
};

/* The kinds that have a child, and what more it is told. */
static const struct field *const kind_fields[TASK_KIND_COUNT] = {
    [TASK_PROBE] = probe_fields,
    [TASK_VIDEO] = video_fields,
    [TASK_AUDIO] = audio_fields,
    [TASK_IMAGES] = image_fields,
};

void child_spec_write(const struct child_spec *spec, struct writer *w, const char *name) {
    writer_object(w, name);
    fields_write(spec_fields, spec, w);
    if (kind_fields[spec->kind] != NULL) {
        fields_write(kind_fields[spec->kind], spec, w);
    }
    writer_object_end(w);
}

void child_spec_read(struct child_spec *out, struct arena *arena, struct reader *r) {
    *out = (struct child_spec){0};
    fields_read(spec_fields, out, arena, r);
    if (!reader_ok(r)) {
        return;
    }
    if (kind_fields[out->kind] == NULL) {
        reader_fail(r, "kind", "must be probe, video, audio or images, not %s",
                    task_kind_name(out->kind));
        return;
    }
    fields_read(kind_fields[out->kind], out, arena, r);
    if (reader_ok(r) && out->kind == TASK_AUDIO &&
        (size_t)out->audio_track >= out->source.audio_count) {
        reader_fail(r, "audio_track", "is %d; the source has %zu tracks of sound", out->audio_track,
                    out->source.audio_count);
    }
}

void child_spec_finish(struct child_spec *spec) {
    source_document_finish(&spec->source);
    chunk_grid_finish(&spec->chunk);
    grid_destroy(spec->grid);
    *spec = (struct child_spec){0};
}

/* ---- what a lease carries ---------------------------------------------------- */

/* Not there where redirects are free, nor from schedulers that do not know of it. */
static void places_write(const void *from, struct writer *w, const char *name) {
    const struct task_source *source = from;
    if (source->places != NULL && source->places[0] != '\0') {
        writer_string(w, name, source->places);
    }
}

static void places_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct task_source *source = to;
    const char *places = "";
    if (reader_has(r, name)) {
        reader_string(r, name, &places);
    }
    if (strlen(places) > PLACES_MAX) {
        reader_fail(r, name, "has more than %d bytes", (int)PLACES_MAX);
        return;
    }
    source->places = arena_string(arena, places);
}

static const struct field source_fields[] = {
    STRING(struct task_source, url, URL_MAX),   NUMBER(struct task_source, size, -1, count_max),
    STRING(struct task_source, pin, TEXT_MAX),  STRING(struct task_source, identity, TEXT_MAX),
    OTHER("places", places_write, places_read), END,
};

static const struct field unit_fields[] = {
    NUMBER(struct task_unit, id, 0, INT64_MAX),
    NAME(struct task_unit, rendition, 0),
    PATH(struct task_unit, folder),
    FLAG(struct task_unit, may_replace),
    END,
};

static void task_spec_write(const void *from, struct writer *w, const char *name) {
    const struct task *task = from;
    if (kind_fields[task->kind] != NULL) {
        child_spec_write(&task->spec, w, name);
    }
}

static void task_spec_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct task *task = to;
    if (kind_fields[task->kind] != NULL) {
        struct reader below = reader_object(r, name);
        child_spec_read(&task->spec, arena, &below);
    }
}

static const struct field removal_fields[] = {
    FLAG(struct task, everything),
    STRINGS(struct task, versions, version_count, VERSIONS_MAX),
    STRINGS(struct task, folders, folder_count, FOLDERS_MAX),
    END,
};

static void removal_write(const void *from, struct writer *w, const char *name) {
    const struct task *task = from;
    if (task->kind == TASK_REMOVE) {
        object_write(removal_fields, task, w, name);
    }
}

static void removal_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct task *task = to;
    if (task->kind == TASK_REMOVE) {
        struct reader below = reader_object(r, name);
        fields_read(removal_fields, task, arena, &below);
    }
}

static void task_push_write(const void *from, struct writer *w, const char *name) {
    const struct task *task = from;
    if (task->kind == TASK_PUSH) {
        push_write(&task->push, w, name);
    }
}

static void task_push_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct task *task = to;
    if (task->kind == TASK_PUSH) {
        struct reader below = reader_object(r, name);
        push_read(&task->push, arena, &below);
    }
}

static void task_hook_write(const void *from, struct writer *w, const char *name) {
    const struct task *task = from;
    if (task->hook.event_count > 0) {
        hook_task_write(&task->hook, w, name);
    }
}

static void task_hook_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct task *task = to;
    if (reader_has(r, name)) {
        struct reader below = reader_object(r, name);
        hook_task_read(&task->hook, arena, &below);
    }
}

static void task_sweep_write(const void *from, struct writer *w, const char *name) {
    const struct task *task = from;
    if (task->kind == TASK_SWEEP) {
        sweep_task_write(&task->sweep, w, name);
    }
}

static void task_sweep_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct task *task = to;
    if (task->kind == TASK_SWEEP) {
        struct reader below = reader_object(r, name);
        sweep_task_read(&task->sweep, arena, &below);
    }
}

static const struct field early_fields[] = {
    NUMBER(struct early_task, run, 0, INT64_MAX),
    NUMBER(struct early_task, chunks, 0, GRID_FRAMES_MAX),
    STRINGS(struct early_task, runs, run_count, EARLY_RUNS_MAX),
    FLAG(struct early_task, top),
    FLAG(struct early_task, alone),
    END,
};

static void early_write(const void *from, struct writer *w, const char *name) {
    const struct task *task = from;
    if (task->kind == TASK_EARLY || task->kind == TASK_REMOVE) {
        object_write(early_fields, &task->early, w, name);
    }
}

/* Schedulers before it told nothing of early playlists. */
static void early_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct task *task = to;
    if (reader_has(r, name)) {
        struct reader below = reader_object(r, name);
        fields_read(early_fields, &task->early, arena, &below);
    }
}

static void reserve_write(const void *from, struct writer *w, const char *name) {
    writer_int(w, name, ((const struct task *)from)->reserve_bytes);
}

/* Schedulers before it tell the limit alone. */
static void reserve_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct task *task = to;
    (void)arena;
    task->reserve_bytes = task->memory_bytes;
    if (reader_has(r, name)) {
        reader_int(r, name, 0, task->memory_bytes, &task->reserve_bytes);
    }
}

static const struct field task_fields[] = {
    NUMBER(struct task, fence, 0, INT64_MAX),
    CHOICE(struct task, kind, 0, wire_kind_names),
    NAME(struct task, title, 1),
    NAME(struct task, trace, 0),
    NUMBER(struct task, attempt, 1, INT32_MAX),
    OBJECT(struct task, source, source_fields),
    STRING(struct task, output, URL_MAX),
    LIST(struct task, units, unit_count, UNITS_MAX, unit_fields),
    NUMBER(struct task, memory_bytes, 0, count_max),
    OTHER("reserve_bytes", reserve_write, reserve_read),
    NUMBER(struct task, wall_limit_s, 0, INT32_MAX),
    OTHER("spec", task_spec_write, task_spec_read),
    STRING(struct task, version, TEXT_MAX),
    OTHER("removal", removal_write, removal_read),
    OTHER("push", task_push_write, task_push_read),
    OTHER("hook", task_hook_write, task_hook_read),
    OTHER("early", early_write, early_read),
    OTHER("sweep", task_sweep_write, task_sweep_read),
    END,
};

void task_write(const struct task *task, struct writer *w, const char *name) {
    object_write(task_fields, task, w, name);
}

void task_read(struct task *out, struct reader *r) {
    *out = (struct task){0};
    fields_read(task_fields, out, &out->arena, r);
    if (!reader_ok(r)) {
        return;
    }
    if (!title_id_valid(out->title)) {
        reader_fail(r, "title", "must be a title id, not '%s'", out->title);
    } else if (kind_fields[out->kind] != NULL && out->spec.kind != out->kind) {
        reader_fail(r, "spec", "is for a task of kind %s, not %s", task_kind_name(out->spec.kind),
                    task_kind_name(out->kind));
    } else if (out->kind == TASK_VIDEO && (size_t)out->spec.rung_count != out->unit_count) {
        reader_fail(r, "units", "are %zu for %d rungs", out->unit_count, out->spec.rung_count);
    }
}

int child_spec_threads(const struct child_spec *spec) {
    int threads = 1;
    for (int i = 0; spec->kind == TASK_VIDEO && i < spec->rung_count; i++) {
        threads = spec->rungs[i].threads > threads ? spec->rungs[i].threads : threads;
    }
    return threads;
}

void task_finish(struct task *task) {
    child_spec_finish(&task->spec);
    arena_finish(&task->arena);
    *task = (struct task){0};
}
