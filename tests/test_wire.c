/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wire: every struct comes back as it went, a broken one breaks nothing, and the
 * reports of a long title are small and quick to read. */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/mem.h"
#include "common/wire.h"

Suite *wire_suite(void);

/* ---- random structs -------------------------------------------------------------
 * Every member is set to some legal value. Structs are zeroed first, so that plain
 * ones may be compared byte by byte. */

static int64_t any(int64_t min, int64_t max) {
    uint64_t wide = (uint64_t)rand() << 33 ^ (uint64_t)rand() << 15 ^ (uint64_t)rand();
    uint64_t span = (uint64_t)max - (uint64_t)min;
    return span == UINT64_MAX ? (int64_t)wide : (int64_t)((uint64_t)min + wide % (span + 1));
}

static void any_name(char *out, size_t size) {
    static const char letters[] = "abcXYZ019._-";
    size_t length = (size_t)any(1, (int64_t)size - 1);
    memset(out, 0, size);
    out[0] = 'n';
    for (size_t i = 1; i < length; i++) {
        out[i] = letters[any(0, sizeof(letters) - 2)];
    }
}

static void any_hash(char out[WIRE_HASH_TEXT]) {
    for (int i = 0; i < WIRE_HASH_TEXT - 1; i++) {
        out[i] = "0123456789abcdef"[any(0, 15)];
    }
    out[WIRE_HASH_TEXT - 1] = '\0';
}

static const char *any_string(struct arena *arena) {
    static const char *const texts[] = {
        "",
        "plain",
        "with \"quotes\" and \\",
        "Gr\xc3\xbc\xc3\x9f \xe4\xbd\xa0\xe5\xa5\xbd",
        "https://host.example/a%20b?c=d&e#f",
        "</script>",
    };
    return arena_string(arena, texts[any(0, 5)]);
}

static struct rational any_rational(int64_t min) {
    return rational_of(any(min, 100000), any(1, 100000));
}

static void any_colour(struct colour *c) {
    c->primaries = (int)any(0, 255);
    c->transfer = (int)any(0, 255);
    c->matrix = (int)any(0, 255);
    c->full_range = any(0, 1);
    c->chroma_location = (int)any(-1, 5);
    c->has_mastering = any(0, 1);
    if (c->has_mastering) {
        for (int i = 0; i < 8; i++) {
            uint16_t value = (uint16_t)any(0, UINT16_MAX);
            *(i < 6 ? &c->mastering.primaries[i / 2][i % 2] : &c->mastering.white[i - 6]) = value;
        }
        c->mastering.max_luminance = (uint32_t)any(0, UINT32_MAX);
        c->mastering.min_luminance = (uint32_t)any(0, UINT32_MAX);
    }
    c->has_light_level = any(0, 1);
    c->max_content_light = (uint16_t)any(0, UINT16_MAX);
    c->max_frame_average_light = (uint16_t)any(0, UINT16_MAX);
}

static void any_video_facts(struct video_facts *v) {
    v->stream = (int)any(0, 100);
    any_name(v->codec, sizeof(v->codec));
    v->coded_width = (int)any(1, 8192);
    v->coded_height = (int)any(1, 8192);
    v->sample_aspect = any_rational(1);
    v->rotation = (int)any(0, 3) * 90;
    v->mirrored = any(0, 1);
    v->width = (int)any(1, 8192);
    v->height = (int)any(1, 8192);
    any_name(v->pixel_format, sizeof(v->pixel_format));
    v->chroma = (enum chroma)any(CHROMA_400, CHROMA_444);
    v->bit_depth = (int)any(8, 16);
    v->scan = (enum scan)any(SCAN_PROGRESSIVE, SCAN_BOTTOM_FIRST);
    any_colour(&v->colour);
    v->colour_assumed = any(0, 1);
    v->source_rate = any_rational(0);
    v->variable_rate = any(0, 1);
    v->time_base = any_rational(1);
    v->bit_rate = any(0, 1 << 30);
}

static void any_source(struct source_document *d) {
    struct arena *arena = &d->arena;
    d->container = any_string(arena);
    d->size = any(0, INT64_C(1) << 50);
    d->timeline.rate = any_rational(1);
    d->timeline.frames = any(1, GRID_FRAMES_MAX);
    d->timeline.start = any_rational(-100000);
    d->has_video = any(0, 3) > 0;
    if (d->has_video) {
        any_video_facts(&d->video);
    }
    d->audio_count = (size_t)any(1, 3);
    d->audio = arena_zero(arena, d->audio_count, sizeof(*d->audio));
    for (size_t i = 0; i < d->audio_count; i++) {
        d->audio[i].stream = (int)any(0, 100);
        any_name(d->audio[i].codec, sizeof(d->audio[i].codec));
        d->audio[i].sample_rate = (int)any(8000, 192000);
        d->audio[i].channels = (int)any(1, 16);
        snprintf(d->audio[i].layout, sizeof(d->audio[i].layout), "%s", "5.1(side)");
        any_name(d->audio[i].language, sizeof(d->audio[i].language));
        d->audio[i].start = any_rational(-100000);
        d->audio[i].duration = any_rational(0);
    }
    d->left_out_count = (size_t)any(0, 3);
    d->left_out = arena_zero(arena, d->left_out_count, sizeof(*d->left_out));
    for (size_t i = 0; i < d->left_out_count; i++) {
        d->left_out[i] = any_string(arena);
    }
    d->defect_count = (size_t)any(0, 3);
    d->defects = arena_zero(arena, d->defect_count, sizeof(*d->defects));
    for (size_t i = 0; i < d->defect_count; i++) {
        d->defects[i] = any_string(arena);
    }
    d->missing = any(0, 1000);
    d->access_count = (size_t)any(0, 9);
    d->access = arena_zero(arena, d->access_count, sizeof(*d->access));
    for (size_t i = 0; i < d->access_count; i++) {
        d->access[i].frame = (int64_t)i * 50 - 30;
        d->access[i].pts = any(INT64_MIN, INT64_MAX);
        d->access[i].dts = any(INT64_MIN, INT64_MAX);
        d->access[i].position = any(-1, INT64_MAX);
    }
    d->access_unit_bytes = any(0, INT64_C(1) << 50);
}

static void any_video_spec(struct video_spec *s) {
    s->codec = (enum codec_id)any(CODEC_H264, CODEC_AV1);
    any_name(s->encoder, sizeof(s->encoder));
    s->width = (int)any(2, 8192);
    s->height = (int)any(2, 8192);
    s->chroma = (enum chroma)any(CHROMA_400, CHROMA_444);
    s->bit_depth = (int)any(8, 12);
    any_colour(&s->colour);
    s->rate = any_rational(1);
    s->deinterlace = (enum deinterlace)any(DEINTERLACE_NONE, DEINTERLACE_FIELD);
    s->lossless = any(0, 1);
    s->crf_hundredths = (int)any(0, 5100);
    s->maxrate_bps = any(0, INT32_MAX);
    s->bufsize_bits = any(0, INT32_MAX);
    s->vbv_init_percent = (int)any(0, 100);
    any_name(s->preset, sizeof(s->preset));
    any_name(s->tune, sizeof(s->tune));
    any_name(s->profile, sizeof(s->profile));
    s->level = (int)any(10, 62);
    s->gop_frames = (int)any(1, 1000);
    s->threads = (int)any(1, 64);
}

static void any_audio_spec(struct audio_spec *s) {
    s->codec = (enum codec_id)any(CODEC_AAC, CODEC_OPUS);
    any_name(s->encoder, sizeof(s->encoder));
    s->sample_rate = any(0, 1) ? 48000 : 44100;
    s->channels = (int)any(1, 2);
    s->bitrate_bps = any(1000, 500000);
    any_name(s->language, sizeof(s->language));
}

static void any_unit_report(struct unit_report *u, struct arena *arena) {
    u->record_size = (size_t)any(0, sizeof(u->record));
    for (size_t i = 0; i < u->record_size; i++) {
        u->record[i] = (uint8_t)any(0, 255);
    }
    u->reorder_frames = (int)any(0, 16);
    u->priming = (int)any(0, 4096);
    u->init_bytes = any(0, 4096);
    any_hash(u->init_sha256);
    u->segment_count = (size_t)any(0, 5);
    u->segments = arena_zero(arena, u->segment_count, sizeof(*u->segments));
    for (size_t i = 0; i < u->segment_count; i++) {
        struct segment_report *s = &u->segments[i];
        s->number = any(1, 100000);
        s->bytes = any(0, INT64_C(1) << 40);
        s->samples = any(0, 100000);
        s->decode_time = any(0, INT64_C(1) << 50);
        s->duration = any(0, INT64_C(1) << 40);
        if (any(0, 1)) {
            any_hash(s->sha256);
        }
        s->fragment_count = (size_t)any(0, 3);
        s->fragments = arena_zero(arena, s->fragment_count, sizeof(*s->fragments));
        for (size_t k = 0; k < s->fragment_count; k++) {
            s->fragments[k].offset = (uint32_t)any(0, UINT32_MAX);
            s->fragments[k].size = (uint32_t)any(0, UINT32_MAX);
            s->fragments[k].idr_size = (uint32_t)any(0, UINT32_MAX);
        }
    }
}

static struct grid *any_grid(struct source_document *source) {
    struct grid_options options = grid_options_default();
    options.frames = any(1, 100000);
    options.rate = any(0, 1) ? (struct rational){24000, 1001} : (struct rational){50, 1};
    options.segment_gops = (int)any(1, 3);
    source->timeline.frames = options.frames;
    source->timeline.rate = options.rate;
    struct grid *grid = NULL;
    ck_assert_int_eq(grid_create(&grid, &options, NULL), 0);
    return grid;
}

static void any_child_spec(struct child_spec *s, enum task_kind kind, struct arena *arena) {
    s->kind = kind;
    s->source_size = any(-1, INT64_C(1) << 50);
    if (kind == TASK_PROBE) {
        s->max_width = (int)any(1, 16384);
        s->max_height = (int)any(1, 16384);
        s->max_frames = any(1, 20000000);
        s->max_rate = any_rational(1);
        s->deinterlace = (enum deinterlace)any(DEINTERLACE_NONE, DEINTERLACE_FIELD);
        s->long_gop_ms = any(1, 100000);
        return;
    }
    any_source(&s->source);
    struct grid *grid = any_grid(&s->source);
    if (kind == TASK_AUDIO) {
        s->audio_track = (int)any(0, (int64_t)s->source.audio_count - 1);
        any_audio_spec(&s->audio);
        s->grid = grid;
        return;
    }
    grid_chunk(grid, (size_t)any(0, (int64_t)grid->chunk_count - 1), any(0, 60), &s->chunk);
    grid_destroy(grid);
    s->rung_count = (int)any(1, 4);
    s->rungs = arena_zero(arena, (size_t)s->rung_count, sizeof(*s->rungs));
    for (int i = 0; i < s->rung_count; i++) {
        any_video_spec(&s->rungs[i]);
    }
}

static void any_task(struct task *t) {
    static const enum task_kind kinds[] = {TASK_PROBE,   TASK_VIDEO, TASK_AUDIO,
                                           TASK_PACKAGE, TASK_SWAP,  TASK_REMOVE};
    t->fence = any(0, INT64_MAX);
    t->kind = kinds[any(0, 5)];
    snprintf(t->title, sizeof(t->title), "my-title.%d", (int)any(0, 99));
    t->attempt = (int)any(1, 9);
    t->source.url = any_string(&t->arena);
    t->source.size = any(-1, INT64_C(1) << 50);
    t->source.pin = any_string(&t->arena);
    t->source.identity = any_string(&t->arena);
    t->output = any_string(&t->arena);
    t->memory_bytes = any(0, INT64_C(1) << 40);
    t->wall_limit_s = (double)any(0, 1000000) / 7;
    t->version = any_string(&t->arena);
    if (t->kind == TASK_PROBE || t->kind == TASK_VIDEO || t->kind == TASK_AUDIO) {
        any_child_spec(&t->spec, t->kind, &t->arena);
    }
    t->unit_count = t->kind == TASK_VIDEO ? (size_t)t->spec.rung_count : 1;
    t->units = arena_zero(&t->arena, t->unit_count, sizeof(*t->units));
    for (size_t i = 0; i < t->unit_count; i++) {
        t->units[i].id = any(0, INT64_MAX);
        any_name(t->units[i].rendition, sizeof(t->units[i].rendition));
        snprintf(t->units[i].folder, sizeof(t->units[i].folder), "video/h264-%dp-0123456789",
                 (int)any(1, 999));
        t->units[i].may_replace = any(0, 1);
    }
}

static void any_stats(struct task_stats *s) {
    s->frames_decoded = any(0, 1 << 30);
    s->frames_repaired = any(0, 1 << 20);
    s->frames_concealed = any(0, 1 << 20);
    s->source_bytes = any(0, INT64_C(1) << 50);
    s->cpu_s = (double)any(0, 1000000) / 3;
    s->decode_cpu_s = (double)any(0, 1000000) / 7;
    s->scale_cpu_s = (double)any(0, 1000000) / 11;
    s->encode_cpu_s = (double)any(0, 1000000) / 13;
    s->wall_s = (double)any(0, 1000000) / 17;
    s->peak_memory = any(0, INT64_C(1) << 40);
}

static void any_task_report(struct task_report *t) {
    any_stats(&t->stats);
    t->unit_count = (size_t)any(0, 4);
    t->units = arena_zero(&t->arena, t->unit_count, sizeof(*t->units));
    for (size_t i = 0; i < t->unit_count; i++) {
        any_unit_report(&t->units[i], &t->arena);
    }
    t->has_source = any(0, 1);
    if (t->has_source) {
        any_source(&t->source);
    }
    snprintf(t->identity, sizeof(t->identity), "etag:\"%d\"", (int)any(0, 9999));
    t->pin = any_string(&t->arena);
    t->source_size = any(-1, INT64_C(1) << 50);
    any_name(t->version, sizeof(t->version));
    t->output_bytes = any(0, INT64_C(1) << 50);
}

static void any_title_plan(struct title_plan *p) {
    p->title = arena_string(&p->arena, "a-title");
    p->ladder = any_string(&p->arena);
    p->identity = any_string(&p->arena);
    any_source(&p->source);
    p->gop_ms = (int)any(1, 10000);
    p->segment_gops = (int)any(1, 10);
    p->chunk_ms = (int)any(1, 100000);
    p->grid = any_grid(&p->source);
    p->rendition_count = (size_t)any(0, 4);
    p->renditions = arena_zero(&p->arena, p->rendition_count, sizeof(*p->renditions));
    for (size_t i = 0; i < p->rendition_count; i++) {
        struct rendition_plan *r = &p->renditions[i];
        any_name(r->id, sizeof(r->id));
        snprintf(r->folder, sizeof(r->folder), "audio/%d", (int)any(0, 99));
        any_hash(r->key);
        r->is_video = any(0, 1);
        if (r->is_video) {
            any_video_spec(&r->video);
        } else {
            any_audio_spec(&r->audio);
        }
        r->audio_track = (int)any(0, 5);
        r->build_line = any_string(&p->arena);
        r->tail_frames = any(0, 100);
    }
    p->frames_repaired = any(0, 1000);
    p->frames_concealed = any(0, 1000);
}

/* ---- comparing ------------------------------------------------------------------ */

static bool strings_equal(size_t count, const char **a, const char **b) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(a[i], b[i]) != 0) {
            return false;
        }
    }
    return true;
}

static bool source_equal(const struct source_document *a, const struct source_document *b) {
    return strcmp(a->container, b->container) == 0 && a->size == b->size &&
           memcmp(&a->timeline, &b->timeline, sizeof(a->timeline)) == 0 &&
           a->has_video == b->has_video && memcmp(&a->video, &b->video, sizeof(a->video)) == 0 &&
           a->audio_count == b->audio_count &&
           memcmp(a->audio, b->audio, a->audio_count * sizeof(*a->audio)) == 0 &&
           a->left_out_count == b->left_out_count &&
           strings_equal(a->left_out_count, a->left_out, b->left_out) &&
           a->defect_count == b->defect_count &&
           strings_equal(a->defect_count, a->defects, b->defects) && a->missing == b->missing &&
           a->access_count == b->access_count &&
           memcmp(a->access, b->access, a->access_count * sizeof(*a->access)) == 0 &&
           a->access_unit_bytes == b->access_unit_bytes;
}

static bool grid_equal(const struct grid *a, const struct grid *b) {
    return (a == NULL) == (b == NULL) &&
           (a == NULL ||
            (a->frames == b->frames && rational_compare(a->rate, b->rate) == 0 &&
             a->gop_count == b->gop_count && a->segment_count == b->segment_count &&
             a->chunk_count == b->chunk_count &&
             memcmp(a->gops, b->gops, (a->gop_count + 1) * sizeof(*a->gops)) == 0 &&
             memcmp(a->segments, b->segments, (a->segment_count + 1) * sizeof(*a->segments)) == 0 &&
             memcmp(a->chunks, b->chunks, (a->chunk_count + 1) * sizeof(*a->chunks)) == 0));
}

static bool chunk_equal(const struct chunk_grid *a, const struct chunk_grid *b) {
    return a->first == b->first && a->end == b->end && a->tail == b->tail &&
           a->first_gop == b->first_gop && a->first_segment == b->first_segment &&
           a->gop_count == b->gop_count && a->segment_count == b->segment_count &&
           (a->gops == NULL ||
            (memcmp(a->gops, b->gops, (a->gop_count + 1) * sizeof(*a->gops)) == 0 &&
             memcmp(a->segment_gops, b->segment_gops,
                    a->segment_count * sizeof(*a->segment_gops)) == 0));
}

static bool spec_equal(const struct child_spec *a, const struct child_spec *b) {
    return a->kind == b->kind && a->source_size == b->source_size && a->max_width == b->max_width &&
           a->max_height == b->max_height && a->max_frames == b->max_frames &&
           a->deinterlace == b->deinterlace &&
           memcmp(&a->max_rate, &b->max_rate, sizeof(a->max_rate)) == 0 &&
           a->long_gop_ms == b->long_gop_ms && chunk_equal(&a->chunk, &b->chunk) &&
           (a->kind == TASK_PROBE || source_equal(&a->source, &b->source)) &&
           a->rung_count == b->rung_count &&
           (a->rungs == NULL ||
            memcmp(a->rungs, b->rungs, (size_t)a->rung_count * sizeof(*a->rungs)) == 0) &&
           a->audio_track == b->audio_track &&
           memcmp(&a->audio, &b->audio, sizeof(a->audio)) == 0 && grid_equal(a->grid, b->grid);
}

static bool unit_report_equal(const struct unit_report *a, const struct unit_report *b) {
    if (a->record_size != b->record_size || memcmp(a->record, b->record, sizeof(a->record)) != 0 ||
        a->reorder_frames != b->reorder_frames || a->priming != b->priming ||
        a->init_bytes != b->init_bytes || strcmp(a->init_sha256, b->init_sha256) != 0 ||
        a->segment_count != b->segment_count) {
        return false;
    }
    for (size_t i = 0; i < a->segment_count; i++) {
        const struct segment_report *s = &a->segments[i];
        const struct segment_report *t = &b->segments[i];
        if (s->number != t->number || s->bytes != t->bytes || s->samples != t->samples ||
            s->decode_time != t->decode_time || s->duration != t->duration ||
            strcmp(s->sha256, t->sha256) != 0 || s->fragment_count != t->fragment_count ||
            memcmp(s->fragments, t->fragments, s->fragment_count * sizeof(*s->fragments)) != 0) {
            return false;
        }
    }
    return true;
}

/* ---- round trips ----------------------------------------------------------------- */

static struct json *parse(const char *text, size_t size) {
    struct json *root = NULL;
    struct err err = {0};
    ck_assert_msg(json_tree_parse(&root, text, size, &err) == 0, "%s", err.message);
    return root;
}

START_TEST(specs_come_back) {
    srand((unsigned)_i + 1);
    struct video_spec video;
    struct audio_spec audio;
    struct task_stats stats;
    memset(&video, 0, sizeof(video));
    memset(&audio, 0, sizeof(audio));
    memset(&stats, 0, sizeof(stats));
    any_video_spec(&video);
    any_audio_spec(&audio);
    any_stats(&stats);
    struct buf text = {0};
    struct writer w = writer_of(&text);
    writer_object(&w, NULL);
    video_spec_write(&video, &w, "video");
    audio_spec_write(&audio, &w, "audio");
    task_stats_write(&stats, &w, "stats");
    writer_object_end(&w);
    struct json *root = parse((const char *)text.data, text.size);
    struct err err = {0};
    struct reader r = reader_of(root, "test", &err);
    struct video_spec video_again;
    struct audio_spec audio_again;
    struct task_stats stats_again;
    struct reader below = reader_object(&r, "video");
    video_spec_read(&video_again, &below);
    below = reader_object(&r, "audio");
    audio_spec_read(&audio_again, &below);
    below = reader_object(&r, "stats");
    task_stats_read(&stats_again, &below);
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    ck_assert_int_eq(memcmp(&video, &video_again, sizeof(video)), 0);
    ck_assert_int_eq(memcmp(&audio, &audio_again, sizeof(audio)), 0);
    ck_assert_int_eq(memcmp(&stats, &stats_again, sizeof(stats)), 0);
    json_tree_destroy(root);
    buf_finish(&text);
}
END_TEST

START_TEST(tasks_come_back) {
    srand((unsigned)_i + 1);
    struct task task = {0};
    any_task(&task);
    struct buf text = {0};
    struct writer w = writer_of(&text);
    task_write(&task, &w, NULL);
    struct json *root = parse((const char *)text.data, text.size);
    struct err err = {0};
    struct reader r = reader_of(root, "test", &err);
    struct task again = {0};
    task_read(&again, &r);
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    ck_assert(again.fence == task.fence && again.kind == task.kind &&
              strcmp(again.title, task.title) == 0 && again.attempt == task.attempt &&
              strcmp(again.source.url, task.source.url) == 0 &&
              again.source.size == task.source.size &&
              strcmp(again.source.pin, task.source.pin) == 0 &&
              strcmp(again.source.identity, task.source.identity) == 0 &&
              strcmp(again.output, task.output) == 0 && again.memory_bytes == task.memory_bytes &&
              again.wall_limit_s == task.wall_limit_s && strcmp(again.version, task.version) == 0 &&
              again.unit_count == task.unit_count);
    for (size_t i = 0; i < task.unit_count; i++) {
        ck_assert(again.units[i].id == task.units[i].id &&
                  strcmp(again.units[i].rendition, task.units[i].rendition) == 0 &&
                  strcmp(again.units[i].folder, task.units[i].folder) == 0 &&
                  again.units[i].may_replace == task.units[i].may_replace);
    }
    if (task.kind == TASK_PROBE || task.kind == TASK_VIDEO || task.kind == TASK_AUDIO) {
        ck_assert(spec_equal(&again.spec, &task.spec));
    }
    task_finish(&again);
    task_finish(&task);
    json_tree_destroy(root);
    buf_finish(&text);
}
END_TEST

START_TEST(reports_come_back) {
    srand((unsigned)_i + 1);
    struct task_report report = {0};
    any_task_report(&report);
    struct buf text = {0};
    struct writer w = writer_of(&text);
    task_report_write(&report, &w, NULL);
    struct json *root = parse((const char *)text.data, text.size);
    struct err err = {0};
    struct reader r = reader_of(root, "test", &err);
    struct task_report again = {0};
    task_report_read(&again, &r);
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    ck_assert(memcmp(&again.stats, &report.stats, sizeof(report.stats)) == 0 &&
              again.unit_count == report.unit_count && again.has_source == report.has_source &&
              strcmp(again.identity, report.identity) == 0 && strcmp(again.pin, report.pin) == 0 &&
              again.source_size == report.source_size &&
              strcmp(again.version, report.version) == 0 &&
              again.output_bytes == report.output_bytes);
    for (size_t i = 0; i < report.unit_count; i++) {
        ck_assert(unit_report_equal(&again.units[i], &report.units[i]));
    }
    ck_assert(!report.has_source || source_equal(&again.source, &report.source));
    task_report_finish(&again);
    task_report_finish(&report);
    json_tree_destroy(root);
    buf_finish(&text);
}
END_TEST

START_TEST(plans_come_back) {
    srand((unsigned)_i + 1);
    struct title_plan plan = {0};
    any_title_plan(&plan);
    struct buf text = {0};
    struct writer w = writer_of(&text);
    title_plan_write(&plan, &w, NULL);
    struct json *root = parse((const char *)text.data, text.size);
    struct err err = {0};
    struct reader r = reader_of(root, "test", &err);
    struct title_plan again = {0};
    title_plan_read(&again, &r);
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    ck_assert(strcmp(again.title, plan.title) == 0 && strcmp(again.ladder, plan.ladder) == 0 &&
              strcmp(again.identity, plan.identity) == 0 &&
              source_equal(&again.source, &plan.source) && again.gop_ms == plan.gop_ms &&
              again.segment_gops == plan.segment_gops && again.chunk_ms == plan.chunk_ms &&
              grid_equal(again.grid, plan.grid) && again.rendition_count == plan.rendition_count &&
              again.frames_repaired == plan.frames_repaired &&
              again.frames_concealed == plan.frames_concealed);
    for (size_t i = 0; i < plan.rendition_count; i++) {
        const struct rendition_plan *a = &again.renditions[i];
        const struct rendition_plan *b = &plan.renditions[i];
        ck_assert(strcmp(a->id, b->id) == 0 && strcmp(a->folder, b->folder) == 0 &&
                  strcmp(a->key, b->key) == 0 && a->is_video == b->is_video &&
                  memcmp(&a->video, &b->video, sizeof(a->video)) == 0 &&
                  memcmp(&a->audio, &b->audio, sizeof(a->audio)) == 0 &&
                  a->audio_track == b->audio_track && strcmp(a->build_line, b->build_line) == 0 &&
                  a->tail_frames == b->tail_frames);
    }
    title_plan_finish(&again);
    title_plan_finish(&plan);
    json_tree_destroy(root);
    buf_finish(&text);
}
END_TEST

/* ---- damage ---------------------------------------------------------------------- */

/* A report in which one byte was changed is read or refused, and nothing worse. */
START_TEST(broken_text_is_survived) {
    srand((unsigned)_i + 1);
    struct task_report report = {0};
    any_task_report(&report);
    struct buf text = {0};
    struct writer w = writer_of(&text);
    task_report_write(&report, &w, NULL);
    for (int i = 0; i < 200; i++) {
        uint8_t *byte = &text.data[any(0, (int64_t)text.size - 1)];
        uint8_t before = *byte;
        *byte = (uint8_t)("0123456789-{}[]\",:x\\"[any(0, 19)]);
        struct json *root = NULL;
        struct err err = {0};
        if (json_tree_parse(&root, text.data, text.size, &err) == 0) {
            struct reader r = reader_of(root, "report", &err);
            struct task_report again = {0};
            task_report_read(&again, &r);
            task_report_finish(&again);
            json_tree_destroy(root);
        }
        *byte = before;
    }
    task_report_finish(&report);
    buf_finish(&text);
}
END_TEST

/* ---- size and speed ------------------------------------------------------------------ */

START_TEST(long_reports_are_small_and_quick) {
    struct task_report report = {.pin = ""};
    report.unit_count = 6;
    report.units = arena_zero(&report.arena, 6, sizeof(*report.units));
    for (size_t u = 0; u < 6; u++) { /* 2 hours of 4 s segments in six rungs */
        struct unit_report *unit = &report.units[u];
        unit->record_size = 40;
        unit->segment_count = 1800;
        unit->segments = arena_zero(&report.arena, 1800, sizeof(*unit->segments));
        for (int64_t i = 0; i < 1800; i++) {
            struct segment_report *s = &unit->segments[i];
            *s = (struct segment_report){.number = i + 1,
                                         .bytes = 1500000,
                                         .samples = 96,
                                         .decode_time = i * 96096,
                                         .duration = 96096,
                                         .fragment_count = 2};
            any_hash(s->sha256);
            s->fragments = arena_zero(&report.arena, 2, sizeof(*s->fragments));
            s->fragments[0] = (struct fragment_report){24, 750000, 90000};
            s->fragments[1] = (struct fragment_report){750024, 749976, 90000};
        }
    }
    struct buf text = {0};
    struct writer w = writer_of(&text);
    task_report_write(&report, &w, NULL);
    ck_assert_int_lt(text.size, 3 << 20);
    clock_t began = clock();
    struct json *root = parse((const char *)text.data, text.size);
    struct err err = {0};
    struct reader r = reader_of(root, "report", &err);
    struct task_report again = {0};
    task_report_read(&again, &r);
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    double spent = (double)(clock() - began) / CLOCKS_PER_SEC;
    if (getenv("REELFARM_SHOW") != NULL) {
        printf("6 rungs of 2 hours: %zu bytes, read in %.3f s of CPU\n", text.size, spent);
    }
    ck_assert(spent < 2.0); /* tens of ms in a release build; sanitizers take ten times that */
    json_tree_destroy(root);
    task_report_finish(&again);
    task_report_finish(&report);
    buf_finish(&text);
}
END_TEST

Suite *wire_suite(void) {
    Suite *suite = suite_create("wire");
    TCase *tc = tcase_create("round trips");
    tcase_add_loop_test(tc, specs_come_back, 0, 40);
    tcase_add_loop_test(tc, tasks_come_back, 0, 80);
    tcase_add_loop_test(tc, reports_come_back, 0, 40);
    tcase_add_loop_test(tc, plans_come_back, 0, 40);
    tcase_add_loop_test(tc, broken_text_is_survived, 0, 20);
    tcase_add_test(tc, long_reports_are_small_and_quick);
    suite_add_tcase(suite, tc);
    return suite;
}
