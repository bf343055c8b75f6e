/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tasks are told and what they cost: see plan.h. */
#include <string.h>

#include "plan_parts.h"

/* ---- cost and memory --------------------------------------------------------------
 * Measured on one 2 GHz core over film: CPU by preset less decoding, and memory less that of
 * decoding alone: of x264 and libaom the largest resident set, of SVT-AV1, which takes all at
 * its start, the address space, of version 2.3. Presets between those that were measured are
 * interpolated. */

static const struct preset_cost {
    const char *encoder;
    const char *preset;
    double ns_a_pixel;
    int bytes_a_pixel; /* of the encoded picture's size: lookahead and references */
} costs[] = {
    {"x264", "ultrafast", 5, 30},  {"x264", "superfast", 8, 60}, {"x264", "veryfast", 12, 90},
    {"x264", "faster", 18, 130},   {"x264", "fast", 24, 160},    {"x264", "medium", 30, 200},
    {"x264", "slow", 42, 250},     {"x264", "slower", 90, 320},  {"x264", "veryslow", 155, 420},
    {"x264", "placebo", 400, 450}, {"svt", "0", 9000, 1000},     {"svt", "1", 4700, 1000},
    {"svt", "2", 2500, 1000},      {"svt", "3", 1400, 800},      {"svt", "4", 750, 640},
    {"svt", "5", 370, 600},        {"svt", "6", 180, 560},       {"svt", "7", 130, 520},
    {"svt", "8", 94, 520},         {"svt", "9", 70, 520},        {"svt", "10", 50, 440},
    {"svt", "11", 32, 440},        {"svt", "12", 20, 440},       {"svt", "13", 15, 440},
    {"aom", "0", 10000, 450},      {"aom", "1", 3500, 450},      {"aom", "2", 1600, 450},
    {"aom", "3", 870, 450},        {"aom", "4", 530, 420},       {"aom", "5", 300, 420},
    {"aom", "6", 180, 420},
};

static const struct preset_cost unknown_cost = {"", "", 100, 420};

static const double decode_ns_a_pixel = 3;
static const double deinterlace_ns_a_pixel = 6;
static const double sound_s_a_second = 0.01;
static const double step_s = 0.05;
static const double image_s = 0.15;     /* of each picture: opening the source, decoding to it */
static const double poster_s = 2;       /* its candidates, and AVIF */
static const int image_memory_mib = 96; /* sheets, scaling, AVIF */

static const int64_t mebibyte = INT64_C(1) << 20;

enum {
    BASE_MEMORY_MIB = 480,   /* address space of code, libraries, stacks and heaps' reserves */
    PROBE_MEMORY_MIB = 1024, /* a day's sample tables */
    THREAD_MEMORY_MIB = 16,
    SVT_MEMORY_MIB = 160,     /* stacks of the 16 threads that it starts for a rung */
    INDEX_BYTES_A_FRAME = 64, /* libavformat's, of pictures and sound */
    DECODED_PICTURES = 28,    /* reference pictures, reordering, deinterlacing */
    MOST_MEMORY_MIB = 64 * 1024,
};

static const struct preset_cost *cost_of(const struct video_spec *spec) {
    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        if (strcmp(costs[i].encoder, spec->encoder) == 0 &&
            strcmp(costs[i].preset, spec->preset) == 0) {
            return &costs[i];
        }
    }
    return &unknown_cost;
}

/* Bytes of a picture's samples, in halves of those of its luma at 8 bits: 4:2:0 is 3. */
static int64_t weight(enum chroma chroma, int bit_depth) {
    static const int samples[] = {
        [CHROMA_400] = 2, [CHROMA_420] = 3, [CHROMA_422] = 4, [CHROMA_444] = 6};
    return samples[chroma] * (bit_depth > 8 ? 2 : 1);
}

static int64_t source_pixels(const struct title_plan *title) {
    const struct video_facts *video = &title->source.video;
    return (int64_t)video->coded_width * video->coded_height;
}

static int64_t spec_pixels(const struct video_spec *spec) {
    return (int64_t)spec->width * spec->height;
}

static double video_cost(const struct title_plan *title, const struct unit_plan *unit) {
    const struct rendition_plan *rendition = &title->renditions[unit->rendition];
    const struct video_spec *spec = &rendition->video;
    int sharing = 0; /* rungs that are made from one decode */
    for (size_t i = 0; i < title->rendition_count; i++) {
        sharing += title->renditions[i].is_video && title->renditions[i].video.codec == spec->codec;
    }
    double decode = decode_ns_a_pixel;
    decode += spec->deinterlace != DEINTERLACE_NONE ? deinterlace_ns_a_pixel : 0;
    int64_t first = grid_chunk_frame(title->grid, (size_t)unit->chunk);
    int64_t end = grid_chunk_frame(title->grid, (size_t)unit->chunk + 1);
    int64_t left = title->grid->frames - end;
    int64_t tail = rendition->tail_frames < left ? rendition->tail_frames : left;
    double frames = (double)(end - first) + (double)tail / 4; /* a tail is looked at, not coded */
    double ns = cost_of(spec)->ns_a_pixel * (double)spec_pixels(spec) *
                (double)weight(spec->chroma, 8) / 3;
    return frames * (ns + decode * (double)source_pixels(title) / sharing) / 1e9;
}

double plan_unit_cost(const struct title_plan *title, const struct unit_plan *unit) {
    const struct timeline *timeline = &title->source.timeline;
    switch (unit->kind) {
    case TASK_VIDEO:
        return video_cost(title, unit);
    case TASK_AUDIO:
        return (double)timeline->frames / rational_value(timeline->rate) * sound_s_a_second;
    case TASK_IMAGES: {
        const struct image_spec *spec = &title->renditions[unit->rendition].image;
        return spec->kind == IMAGE_POSTER ? poster_s : spec->count * image_s;
    }
    default:
        return step_s;
    }
}

static int64_t fixed_memory_mib(const struct video_spec *spec) {
    return strcmp(spec->encoder, "svt") == 0 ? SVT_MEMORY_MIB
                                             : (int64_t)spec->threads * THREAD_MEMORY_MIB;
}

int64_t plan_task_memory(const struct title_plan *title, const struct unit_plan *units,
                         size_t count) {
    const struct video_facts *video = &title->source.video;
    int64_t bytes = title->source.timeline.frames * INDEX_BYTES_A_FRAME;
    int64_t fixed_mib = 0; /* of encoders */
    for (size_t i = 0; i < count; i++) {
        fixed_mib += units[i].kind == TASK_IMAGES ? image_memory_mib : 0;
        if (units[i].kind != TASK_VIDEO) {
            continue;
        }
        const struct video_spec *spec = &title->renditions[units[i].rendition].video;
        bytes += spec_pixels(spec) * cost_of(spec)->bytes_a_pixel *
                 weight(spec->chroma, spec->bit_depth) / 3;
        fixed_mib += fixed_memory_mib(spec);
    }
    if (fixed_mib > 0) {
        bytes += source_pixels(title) * DECODED_PICTURES * weight(video->chroma, video->bit_depth) /
                 2;
    }
    bytes = bytes / 4 * 5 + (BASE_MEMORY_MIB + fixed_mib) * mebibyte;
    return bytes < MOST_MEMORY_MIB * mebibyte ? bytes : MOST_MEMORY_MIB * mebibyte;
}

bool plan_probes_alike(const struct ladder *one, const struct ladder *other) {
    return one->chunk_ms == other->chunk_ms && one->deinterlace == other->deinterlace &&
           one->max_rate.num == other->max_rate.num && one->max_rate.den == other->max_rate.den;
}

int64_t plan_probe_memory(void) {
    return PROBE_MEMORY_MIB * mebibyte;
}

/* ---- the source --------------------------------------------------------------------- */

static const char **copy_sentences(struct arena *arena, const char **list, size_t count) {
    const char **copy = arena_zero(arena, count, sizeof(*copy));
    for (size_t i = 0; i < count; i++) {
        copy[i] = arena_string(arena, list[i]);
    }
    return copy;
}

void plan_copy_source(struct source_document *out, const struct source_document *source,
                      size_t from, size_t to, bool sentences) {
    *out = *source;
    out->arena = (struct arena){0};
    struct arena *arena = &out->arena;
    out->container = arena_string(arena, source->container != NULL ? source->container : "");
    out->audio = arena_zero(arena, source->audio_count, sizeof(*out->audio));
    for (size_t i = 0; i < source->audio_count; i++) {
        out->audio[i] = source->audio[i];
    }
    out->left_out_count = sentences ? source->left_out_count : 0;
    out->left_out = copy_sentences(arena, source->left_out, out->left_out_count);
    out->defect_count = sentences ? source->defect_count : 0;
    out->defects = copy_sentences(arena, source->defects, out->defect_count);
    out->access_count = to - from;
    out->access = arena_zero(arena, out->access_count, sizeof(*out->access));
    for (size_t i = from; i < to; i++) {
        out->access[i - from] = source->access[i];
    }
    out->header = arena_zero(arena, source->header_count, sizeof(*out->header));
    for (size_t i = 0; i < source->header_count; i++) {
        out->header[i] = source->header[i];
    }
}

/* The slice of the index for frames [first, end) and a lead: from the access point before the last
 * one at or before the lead's start, since a child may have to go one back, to the first one at or
 * behind the end, which tells how much of the source is read. */
static void copy_slice(struct source_document *out, const struct source_document *source,
                       int64_t first, int64_t end) {
    first = first > CHUNK_LEAD_MAX ? first - CHUNK_LEAD_MAX : 0;
    size_t from = 0;
    size_t to = source->access_count; /* halved down to the first one after `first` */
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (source->access[middle].frame <= first) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    while (to < source->access_count && source->access[to].frame < end) {
        to++;
    }
    to += to < source->access_count;
    if (from > 0) {
        int64_t start = source->access[--from].frame;
        while (from > 0 && source->access[from].frame == start) {
            from--;
        }
    }
    plan_copy_source(out, source, from, to, false);
}

static struct grid *copy_grid(const struct grid *grid) {
    struct grid *copy = mem_zero(1, sizeof(*copy));
    *copy = *grid;
    copy->gops = mem_zero(grid->gop_count + 1, sizeof(*copy->gops));
    copy->segments = mem_zero(grid->segment_count + 1, sizeof(*copy->segments));
    copy->chunks = mem_zero(grid->chunk_count + 1, sizeof(*copy->chunks));
    memcpy(copy->gops, grid->gops, (grid->gop_count + 1) * sizeof(*copy->gops));
    memcpy(copy->segments, grid->segments, (grid->segment_count + 1) * sizeof(*copy->segments));
    memcpy(copy->chunks, grid->chunks, (grid->chunk_count + 1) * sizeof(*copy->chunks));
    return copy;
}

/* ---- specs -------------------------------------------------------------------------- */

struct plan_limits plan_limits_default(void) {
    return (struct plan_limits){.max_width = 16384, .max_height = 16384, .max_frames = 20000000};
}

void plan_probe_spec(struct child_spec *out, const struct ladder *ladder, int64_t source_size,
                     const struct plan_limits *limits) {
    *out = (struct child_spec){
        .kind = TASK_PROBE,
        .source_size = source_size,
        .max_width = limits->max_width,
        .max_height = limits->max_height,
        .max_frames = limits->max_frames,
        .max_rate = ladder->max_rate,
        .deinterlace = ladder->deinterlace,
        .long_gop_ms = ladder->chunk_ms,
    };
}

/* Whether the title has these units and one task can carry them. */
static bool is_task(const struct title_plan *title, const struct unit_plan *units, size_t count) {
    if (count < 1 || count > 32 || (units[0].kind != TASK_VIDEO && count > 1)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const struct unit_plan *unit = &units[i];
        if (unit->rendition < 0 || (size_t)unit->rendition >= title->rendition_count ||
            unit->kind != units[0].kind || unit->chunk != units[0].chunk) {
            return false;
        }
        const struct rendition_plan *first = &title->renditions[units[0].rendition];
        const struct rendition_plan *rendition = &title->renditions[unit->rendition];
        bool video = unit->kind == TASK_VIDEO && rendition->is_video && unit->chunk >= 0 &&
                     (size_t)unit->chunk < title->grid->chunk_count &&
                     rendition->video.codec == first->video.codec &&
                     rendition->tail_frames == first->tail_frames;
        bool audio = unit->kind == TASK_AUDIO && !rendition->is_video && !rendition->is_image;
        bool image = unit->kind == TASK_IMAGES && rendition->is_image;
        if (!video && !audio && !image) {
            return false;
        }
    }
    return true;
}

int plan_task_spec(struct child_spec *out, struct arena *arena, const struct title_plan *title,
                   const struct unit_plan *units, size_t count, struct err *err) {
    if (!is_task(title, units, count)) {
        return err_set(err, ERR_INVALID, "%zu units of title %s do not make one task", count,
                       title->title);
    }
    const struct rendition_plan *rendition = &title->renditions[units[0].rendition];
    *out = (struct child_spec){.kind = units[0].kind, .source_size = title->source.size};
    if (out->kind == TASK_AUDIO) {
        plan_copy_source(&out->source, &title->source, 0, 0, false);
        out->audio_track = rendition->audio_track;
        out->audio = rendition->audio;
        out->grid = copy_grid(title->grid);
        return 0;
    }
    if (out->kind == TASK_IMAGES) {
        plan_copy_source(&out->source, &title->source, 0, title->source.access_count, false);
        out->image = rendition->image;
        return 0;
    }
    grid_chunk(title->grid, (size_t)units[0].chunk, rendition->tail_frames, &out->chunk);
    copy_slice(&out->source, &title->source, out->chunk.first, out->chunk.end + out->chunk.tail);
    out->rungs = arena_zero(arena, count, sizeof(*out->rungs));
    out->rung_count = (int)count;
    for (size_t i = 0; i < count; i++) {
        out->rungs[i] = title->renditions[units[i].rendition].video;
    }
    return 0;
}
