/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Source, ladder and encoders -> renditions, units, edges and keys: see plan.h. */
#include "plan.h"

#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "plan_parts.h"

enum { FOLDER_KEY_DIGITS = 10 }; /* of the rendition's key, in its folder's name */

/* ---- encoders ------------------------------------------------------------------- */

/* Rows that say the same, and the slots of their workers. */
struct vote {
    const struct announced_encoder *row;
    int64_t slots;
};

static bool same_row(const struct announced_encoder *a, const struct announced_encoder *b) {
    return strcmp(a->build_line, b->build_line) == 0 && a->tail_frames == b->tail_frames;
}

/* Whether a goes before b, whatever the order in which they came. */
static bool vote_wins(const struct vote *a, const struct vote *b) {
    if (a->slots != b->slots) {
        return a->slots > b->slots;
    }
    int order = strcmp(a->row->build_line, b->row->build_line);
    return order != 0 ? order > 0 : a->row->tail_frames > b->row->tail_frames;
}

/* The row that workers of the most slots announce for an encoder, of those that are idle or of the
 * others; NULL where none does. */
static const struct announced_encoder *most_announced(const struct plan_options *options,
                                                      const char *name, enum codec_id codec,
                                                      bool idle) {
    struct vote *votes = mem_zero(options->encoder_count, sizeof(*votes));
    size_t count = 0;
    for (size_t i = 0; i < options->encoder_count; i++) {
        const struct announced_encoder *row = &options->encoders[i];
        if (row->idle != idle || row->codec != codec || strcmp(row->name, name) != 0) {
            continue;
        }
        size_t k = 0;
        while (k < count && !same_row(votes[k].row, row)) {
            k++;
        }
        count = k < count ? count : k + 1;
        votes[k].row = row;
        votes[k].slots += row->slots;
    }
    const struct announced_encoder *row = NULL;
    for (size_t i = 0, best = 0; i < count; i++) {
        best = vote_wins(&votes[i], &votes[best]) ? i : best;
        row = votes[best].row;
    }
    mem_free(votes);
    return row;
}

/* In a rolling update a title is not pinned to the many that are drained, since it would wait for
 * them. */
static const struct announced_encoder *choose_encoder(const struct plan_options *options,
                                                      const char *name, enum codec_id codec) {
    const struct announced_encoder *row = most_announced(options, name, codec, false);
    return row != NULL ? row : most_announced(options, name, codec, true);
}

/* ---- renditions ------------------------------------------------------------------ */

static int pin_encoder(struct rendition_plan *rendition, struct plan *plan,
                       const struct plan_options *options, struct err *err) {
    const char *name = rendition->is_video ? rendition->video.encoder : rendition->audio.encoder;
    enum codec_id codec = rendition->is_video ? rendition->video.codec : rendition->audio.codec;
    const struct announced_encoder *row = choose_encoder(options, name, codec);
    if (row == NULL) {
        return err_set(err, ERR_UNAVAILABLE,
                       "no worker has the encoder %s, which ladder %s needs for %s; start a worker "
                       "that has it, or take another ladder",
                       name, options->ladder->name, rendition->id);
    }
    rendition->build_line = arena_string(&plan->title.arena, row->build_line);
    rendition->tail_frames = rendition->is_video ? row->tail_frames : 0;
    return 0;
}

static int make_renditions(struct plan *plan, const struct ladder_selection *selection,
                           const struct plan_options *options, struct err *err) {
    struct title_plan *title = &plan->title;
    size_t count = (size_t)(selection->video_count + selection->audio_count);
    title->renditions =
        arena_zero(&title->arena, count + IMAGE_KIND_COUNT, sizeof(*title->renditions));
    title->rendition_count = count;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        struct rendition_plan *rendition = &title->renditions[i];
        rendition->is_video = i < (size_t)selection->video_count;
        if (rendition->is_video) {
            rendition->video = selection->video[i];
            memcpy(rendition->id, selection->video_names[i], sizeof(selection->video_names[i]));
        } else {
            size_t k = i - (size_t)selection->video_count;
            rendition->audio = selection->audio[k];
            memcpy(rendition->id, selection->audio_names[k], sizeof(selection->audio_names[k]));
        }
        rc = pin_encoder(rendition, plan, options, err);
    }
    if (rc == 0 && options->ladder->images) {
        plan_images(title, options->ladder,
                    choose_encoder(options, PLAN_IMAGES_ENCODER, CODEC_AV1));
    }
    return rc;
}

static void keep_dropped(struct plan *plan, const struct ladder_selection *selection) {
    size_t count = (size_t)selection->dropped_count;
    struct dropped_rung *dropped = arena_zero(&plan->title.arena, count, sizeof(*dropped));
    memcpy(dropped, selection->dropped, count * sizeof(*dropped));
    plan->dropped = dropped;
    plan->dropped_count = count;
}

/* ---- units ------------------------------------------------------------------------- */

static void add_unit(struct plan *plan, enum task_kind kind, int rendition, int chunk) {
    struct unit_plan *unit = &plan->units[plan->unit_count++];
    unit->kind = kind;
    unit->rendition = rendition;
    unit->chunk = chunk;
    unit->place = "";
    unit->cost_s = plan_unit_cost(&plan->title, unit);
    unit->memory_bytes = plan_task_memory(&plan->title, unit, 1);
}

/* The last unit waits for `count` units from the first one on. */
static void add_needs(struct plan *plan, size_t first, size_t count) {
    uint32_t *needs = arena_zero(&plan->title.arena, count, sizeof(*needs));
    for (size_t i = 0; i < count; i++) {
        needs[i] = (uint32_t)(first + i);
    }
    plan->units[plan->unit_count - 1].needs = needs;
    plan->units[plan->unit_count - 1].need_count = count;
}

static void add_codec(struct plan *plan, enum codec_id codec) {
    const struct title_plan *title = &plan->title;
    for (size_t chunk = 0; chunk < title->grid->chunk_count; chunk++) {
        for (size_t i = 0; i < title->rendition_count; i++) {
            if (title->renditions[i].is_video && title->renditions[i].video.codec == codec) {
                add_unit(plan, TASK_VIDEO, (int)i, (int)chunk);
            }
        }
    }
}

/* In the order of ARCHITECTURE section 5: sound, then each codec in title order; then images,
 * since nobody waits for them to watch. */
static void make_units(struct plan *plan) {
    struct title_plan *title = &plan->title;
    size_t most = title->rendition_count * title->grid->chunk_count + 2;
    plan->units = arena_zero(&title->arena, most, sizeof(*plan->units));
    for (size_t i = 0; i < title->rendition_count; i++) {
        if (!title->renditions[i].is_video && !title->renditions[i].is_image) {
            add_unit(plan, TASK_AUDIO, (int)i, -1);
        }
    }
    for (int codec = CODEC_NONE + 1; codec < CODEC_COUNT; codec++) {
        add_codec(plan, (enum codec_id)codec);
    }
    for (size_t i = 0; i < title->rendition_count; i++) {
        if (title->renditions[i].is_image) {
            add_unit(plan, TASK_IMAGES, (int)i, -1);
        }
    }
    size_t media = plan->unit_count;
    add_unit(plan, TASK_PACKAGE, -1, -1);
    add_needs(plan, 0, media);
    add_unit(plan, TASK_SWAP, -1, -1);
    add_needs(plan, media, 1);
}

/* ---- keys ---------------------------------------------------------------------------- */

static void hash_text(struct buf *text, char out[WIRE_HASH_TEXT]) {
    sha256_hex_of(text->data, text->size, out);
    buf_finish(text);
}

static void access_write(const struct source_document *source, struct writer *w) {
    writer_array(w, "access");
    for (size_t i = 0; i < source->access_count; i++) {
        writer_int(w, NULL, source->access[i].frame);
    }
    writer_array_end(w);
}

/* All that a rendition's bytes depend on (ARCHITECTURE section 8); the segment
 * layout's version is part of the build line. */
static void rendition_key(struct rendition_plan *rendition, const struct title_plan *title) {
    const struct timeline *timeline = &title->source.timeline;
    struct buf text = {0};
    struct writer w = writer_of(&text);
    writer_object(&w, NULL);
    writer_string(&w, "identity", title->identity);
    rational_write(&w, "rate", timeline->rate);
    writer_int(&w, "frames", timeline->frames);
    rational_write(&w, "start", timeline->start);
    if (!rendition->is_image) {
        grid_write(title->grid, &w, "grid");
    }
    if (rendition->is_image) {
        image_spec_write(&rendition->image, &w, "spec");
        access_write(&title->source, &w); /* its pictures are the nearest of these */
    } else if (rendition->is_video) {
        video_spec_write(&rendition->video, &w, "spec");
    } else {
        writer_int(&w, "track", rendition->audio_track);
        audio_spec_write(&rendition->audio, &w, "spec");
    }
    writer_int(&w, "tail", rendition->tail_frames);
    writer_string(&w, "build", rendition->build_line);
    writer_object_end(&w);
    hash_text(&text, rendition->key);
}

static const char sound[] = "audio-"; /* in the id, and in the folder above */

static void rendition_name(struct rendition_plan *rendition) {
    const char *id = rendition->id;
    if (!rendition->is_video && strncmp(id, sound, sizeof(sound) - 1) == 0) {
        id += sizeof(sound) - 1;
    }
    snprintf(rendition->folder, sizeof(rendition->folder), "%s/%s-%.*s",
             rendition->is_image   ? "images"
             : rendition->is_video ? "video"
                                   : "audio",
             id, FOLDER_KEY_DIGITS, rendition->key);
}

void plan_rendition_of(const char *folder, char id[WIRE_RENDITION_TEXT]) {
    const char *slash = strchr(folder, '/');
    const char *name = slash != NULL ? slash + 1 : folder;
    size_t whole = strlen(name), key = FOLDER_KEY_DIGITS + 1;
    snprintf(id, WIRE_RENDITION_TEXT, "%s%.*s", strncmp(folder, "audio/", 6) == 0 ? sound : "",
             (int)(whole > key ? whole - key : whole), name);
}

static void media_key(struct unit_plan *unit, const struct title_plan *title) {
    const struct rendition_plan *rendition = &title->renditions[unit->rendition];
    struct buf text = {0};
    struct writer w = writer_of(&text);
    writer_object(&w, NULL);
    writer_string(&w, "rendition", rendition->key);
    if (unit->kind == TASK_VIDEO) {
        struct chunk_grid chunk;
        grid_chunk(title->grid, (size_t)unit->chunk, rendition->tail_frames, &chunk);
        writer_int(&w, "first", chunk.first);
        writer_int(&w, "end", chunk.end);
        writer_int(&w, "tail", chunk.tail);
        chunk_grid_finish(&chunk);
    }
    writer_object_end(&w);
    hash_text(&text, unit->key);
}

/* PACKAGE and SWAP depend on the whole plan. */
static void plan_hash(const struct title_plan *title, char out[WIRE_HASH_TEXT]) {
    struct title_plan bare = *title;
    bare.frames_repaired = 0; /* known only as reports come in */
    bare.frames_concealed = 0;
    struct buf text = {0};
    struct writer w = writer_of(&text);
    title_plan_write(&bare, &w, NULL);
    hash_text(&text, out);
}

static void step_key(struct unit_plan *unit, const char *whole) {
    struct buf text = {0};
    buf_format(&text, "%s %s", task_kind_name(unit->kind), whole);
    hash_text(&text, unit->key);
}

/* Fills in what follows from the identity; keys of renditions that are there stay,
 * since a stored plan has objects under them. */
static void fill_keys(struct plan *plan) {
    struct title_plan *title = &plan->title;
    const char **places = mem_zero(title->rendition_count, sizeof(*places));
    for (size_t i = 0; i < title->rendition_count; i++) {
        struct rendition_plan *rendition = &title->renditions[i];
        if (rendition->key[0] == '\0') {
            rendition_key(rendition, title);
            rendition_name(rendition);
        }
        places[i] =
            arena_format(&title->arena, "%s/%s/%s", plan->output, title->title, rendition->folder);
    }
    const char *above = arena_format(&title->arena, "%s/%s", plan->output, title->title);
    char whole[WIRE_HASH_TEXT];
    plan_hash(title, whole);
    for (size_t i = 0; i < plan->unit_count; i++) {
        struct unit_plan *unit = &plan->units[i];
        if (unit->rendition >= 0) {
            unit->place = places[unit->rendition];
            media_key(unit, title);
        } else {
            unit->place = above;
            step_key(unit, whole);
        }
    }
    mem_free(places);
}

void plan_identify(struct plan *plan, const char *identity) {
    struct title_plan *title = &plan->title;
    if (identity[0] == '\0' || strcmp(title->identity, identity) == 0) {
        return;
    }
    title->identity = arena_string(&title->arena, identity);
    for (size_t i = 0; i < title->rendition_count; i++) {
        title->renditions[i].key[0] = '\0';
    }
    fill_keys(plan);
}

/* ---- the plan ------------------------------------------------------------------------- */

static void set_output(struct plan *plan, const char *output) {
    char *copy = arena_string(&plan->title.arena, output);
    size_t length = strlen(copy);
    if (length > 0 && copy[length - 1] == '/') {
        copy[length - 1] = '\0';
    }
    plan->output = copy;
}

/* A source of key frames alone has an index as long as itself; eight points a GOP
 * are as good, and keep stored plans small. */
static void thin_index(struct title_plan *title) {
    struct source_document *source = &title->source;
    int64_t apart = grid_longest_gop(title->grid) / 8;
    size_t kept = 0;
    for (size_t i = 0; i < source->access_count; i++) {
        if (kept == 0 || source->access[i].frame - source->access[kept - 1].frame >= apart) {
            source->access[kept++] = source->access[i];
        }
    }
    source->access_count = kept;
}

static int make_grid(struct title_plan *title, struct err *err) {
    const struct source_document *source = &title->source;
    int64_t *access = mem_zero(source->access_count, sizeof(*access));
    for (size_t i = 0; i < source->access_count; i++) {
        access[i] = source->access[i].frame;
    }
    struct grid_options options = {
        .frames = source->timeline.frames,
        .rate = source->timeline.rate,
        .gop_ms = title->gop_ms,
        .segment_gops = title->segment_gops,
        .chunk_ms = title->chunk_ms,
        .access = source->access_count > 0 ? access : NULL,
        .access_count = source->access_count,
    };
    int rc = grid_create(&title->grid, &options, err);
    mem_free(access);
    return rc;
}

static void keep_waived(struct title_plan *title, const struct ladder *ladder) {
    title->waived_count = (size_t)ladder->waive_count;
    title->waived = arena_zero(&title->arena, title->waived_count, sizeof(*title->waived));
    for (size_t i = 0; i < title->waived_count; i++) {
        title->waived[i] = arena_string(&title->arena, ladder->waive[i]);
    }
}

static int fill_plan(struct plan *plan, const struct plan_options *options,
                     const struct ladder_selection *selection, struct err *err) {
    struct title_plan *title = &plan->title;
    const struct ladder *ladder = options->ladder;
    title->title = arena_string(&title->arena, options->title);
    title->ladder = arena_string(&title->arena, ladder->name);
    title->identity = "";
    title->gop_ms = ladder->gop_ms;
    title->segment_gops = ladder->segment_gops;
    title->chunk_ms = ladder->chunk_ms;
    keep_waived(title, ladder);
    plan_copy_source(&title->source, options->source, 0, options->source->access_count, true);
    set_output(plan, options->output);
    keep_dropped(plan, selection);
    int rc = make_grid(title, err);
    if (rc == 0) {
        thin_index(title);
        rc = make_renditions(plan, selection, options, err);
    }
    if (rc == 0) {
        make_units(plan);
        plan_identify(plan, options->identity);
    }
    return rc;
}

int plan_create(struct plan **out, const struct plan_options *options, struct err *err) {
    struct ladder_selection *selection = mem_zero(1, sizeof(*selection)); /* large for a stack */
    struct plan *plan = mem_zero(1, sizeof(*plan));
    int rc = 0;
    if (!title_id_valid(options->title)) {
        rc = err_set(err, ERR_INVALID,
                     "'%s' is no title id: it must be of a-z, 0-9 and \"._-\", "
                     "begin with a letter or digit and have at most %d of them",
                     options->title, WIRE_TITLE_TEXT - 1);
    }
    if (rc == 0) {
        rc = ladder_select(selection, options->ladder, options->source, err);
    }
    if (rc == 0) {
        rc = fill_plan(plan, options, selection, err);
    }
    if (rc == 0) {
        *out = plan;
    } else {
        plan_destroy(plan);
    }
    mem_free(selection);
    return rc;
}

int plan_restore(struct plan **out, struct title_plan *title, const char *output, struct err *err) {
    struct plan *plan = mem_zero(1, sizeof(*plan));
    plan->title = *title;
    *title = (struct title_plan){0};
    if (plan->title.grid == NULL || plan->title.rendition_count == 0) {
        plan_destroy(plan);
        return err_set(err, ERR_CORRUPT, "the stored plan has no grid or no renditions");
    }
    set_output(plan, output);
    make_units(plan);
    if (plan->title.identity[0] != '\0') {
        fill_keys(plan);
    }
    *out = plan;
    return 0;
}

void plan_destroy(struct plan *plan) {
    if (plan != NULL) {
        title_plan_finish(&plan->title);
        mem_free(plan);
    }
}
