/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random structs of the wire: see wire_fixture.h. */
#include "wire_fixture.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"

int64_t any(int64_t min, int64_t max) {
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

void any_hash(char out[WIRE_HASH_TEXT]) {
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

void any_source(struct source_document *d) {
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
    d->header_count = (size_t)any(0, 9);
    d->header = arena_zero(arena, d->header_count, sizeof(*d->header));
    for (size_t i = 0; i < d->header_count; i++) {
        d->header[i].offset = (int64_t)i * (INT64_C(1) << 40);
        d->header[i].size = any(1, HEADER_BYTES_MAX / 9);
    }
}

void any_video_spec(struct video_spec *s) {
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

void any_audio_spec(struct audio_spec *s) {
    s->codec = (enum codec_id)any(CODEC_AAC, CODEC_OPUS);
    any_name(s->encoder, sizeof(s->encoder));
    s->sample_rate = any(0, 1) ? 48000 : 44100;
    s->channels = (int)any(1, 2);
    s->bitrate_bps = any(1000, 500000);
    any_name(s->language, sizeof(s->language));
}

static bool any_loudness(struct loudness *l) {
    if (any(0, 1)) {
        return false;
    }
    l->integrated_lufs = (double)any(-7000, 0) / 100;
    l->range_lu = (double)any(0, 5000) / 100;
    l->true_peak_dbtp = (double)any(-15000, 600) / 100;
    return true;
}

static void any_unit_report(struct unit_report *u, struct arena *arena) {
    u->record_size = (size_t)any(0, sizeof(u->record));
    for (size_t i = 0; i < u->record_size; i++) {
        u->record[i] = (uint8_t)any(0, 255);
    }
    u->reorder_frames = (int)any(0, 16);
    u->priming = (int)any(0, 4096);
    u->has_loudness = any_loudness(&u->loudness);
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
    int failed = grid_create(&grid, &options, NULL);
    assert(failed == 0);
    return grid;
}

static void any_image_spec(struct image_spec *s) {
    s->kind = (enum image_kind)any(IMAGE_POSTER, IMAGE_STORYBOARD);
    s->width = (int)any(2, 1280);
    s->height = (int)any(2, 1280);
    s->deinterlace = (enum deinterlace)any(DEINTERLACE_NONE, DEINTERLACE_FIELD);
    s->interval_frames = any(1, 100000);
    s->count = (int)any(1, s->kind == IMAGE_POSTER ? IMAGE_POSTER_SIZES : 200);
    s->columns = (int)any(1, 5);
    s->rows = (int)any(1, 5);
}

void any_child_spec(struct child_spec *s, enum task_kind kind, struct arena *arena) {
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
    if (kind == TASK_IMAGES) {
        any_image_spec(&s->image);
        return;
    }
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

static void any_push(struct push *p, struct arena *arena) {
    any_name(p->endpoint.name, sizeof(p->endpoint.name));
    p->endpoint.driver = "dav";
    p->endpoint.url = any_string(arena);
    p->endpoint.serves = any_string(arena);
    p->endpoint.connections = (int)any(1, 256);
    p->endpoint.bandwidth_bps = any(0, INT64_C(1) << 40);
    p->endpoint.max_height = (int)any(0, 4320);
    p->endpoint.falls_back = any(0, 1) == 1;
    p->endpoint.verify_segments = (int)any(0, 99);
    p->has_listing = any(0, 1) == 1;
    if (p->has_listing) {
        static const char *labels[] = {"show=news", "lang=en"};
        any_name(p->listing.tenant, sizeof(p->listing.tenant));
        p->listing.label_count = (size_t)any(0, 2);
        p->listing.labels = labels;
    }
    p->revision = any(0, INT64_MAX);
    p->skip = any(0, INT64_MAX);
    p->old_version_count = (size_t)any(0, 3);
    p->old_versions = arena_zero(arena, p->old_version_count, sizeof(*p->old_versions));
    for (size_t i = 0; i < p->old_version_count; i++) {
        static const char *renditions[] = {"h264-720p", "audio-und-aac-2"};
        any_name(p->old_versions[i].version, sizeof(p->old_versions[i].version));
        p->old_versions[i].rendition_count = 2;
        p->old_versions[i].renditions = renditions;
    }
    p->old_folder_count = (size_t)any(0, 3);
    p->old_folders = arena_zero(arena, p->old_folder_count, sizeof(*p->old_folders));
    for (size_t i = 0; i < p->old_folder_count; i++) {
        snprintf(p->old_folders[i].folder, sizeof(p->old_folders[i].folder),
                 "video/h264-%dp-0123456789", (int)any(1, 999));
        p->old_folders[i].segments = any(0, 3600);
    }
    p->has_sweep = any(0, 1) == 1;
    if (p->has_sweep) {
        p->sweep = (struct push_sweep){p->old_version_count, p->old_versions, p->old_folder_count,
                                       p->old_folders};
    }
}

static void any_hook(struct hook_task *h, struct arena *arena) {
    h->event_count = (size_t)any(0, 3);
    if (h->event_count > 0) { /* nothing is told of one without */
        h->batch = any(0, 1) == 1;
        h->timeout_ms = (int)any(0, 60000);
        h->has_leave = any(0, 1) == 1;
    }
    if (h->has_leave) {
        h->leave = (struct hook_leave){"farm.example.com", any(0, 1) == 1, (int)any(0, 1000)};
    }
    h->events = arena_zero(arena, h->event_count, sizeof(*h->events));
    for (size_t i = 0; i < h->event_count; i++) {
        h->events[i].event = any(0, INT64_MAX);
        h->events[i].title = "my-title";
        h->events[i].body = "{\"specversion\":\"1.0\",\"subject\":\"a \\\"b\\\"\"}";
    }
}

static void any_sweep(struct sweep_task *s, struct arena *arena) {
    struct push push = {.skip = 0};
    any_push(&push, arena);
    s->endpoint = push.endpoint;
    s->removes = any(0, 1) == 1;
    s->group_count = (size_t)any(0, 3);
    s->groups = arena_zero(arena, s->group_count, sizeof(*s->groups));
    for (size_t i = 0; i < s->group_count; i++) {
        snprintf(s->groups[i].title, sizeof(s->groups[i].title), "title-%d", (int)any(0, 99));
        snprintf(s->groups[i].path, sizeof(s->groups[i].path), "video/h264-720p-0123456789");
        s->groups[i].objects = any(0, INT64_MAX);
        s->groups[i].bytes = any(0, INT64_MAX);
    }
}

void any_task(struct task *t) {
    static const enum task_kind kinds[] = {TASK_PROBE,  TASK_VIDEO,  TASK_AUDIO, TASK_PACKAGE,
                                           TASK_SWAP,   TASK_REMOVE, TASK_PUSH,  TASK_EARLY,
                                           TASK_IMAGES, TASK_SWEEP};
    t->fence = any(0, INT64_MAX);
    t->kind = kinds[any(0, 9)];
    snprintf(t->title, sizeof(t->title), "my-title.%d", (int)any(0, 99));
    trace_make(t->trace);
    t->attempt = (int)any(1, 9);
    t->source.url = any_string(&t->arena);
    t->source.size = any(-1, INT64_C(1) << 50);
    t->source.pin = any_string(&t->arena);
    t->source.identity = any_string(&t->arena);
    t->source.places = any_string(&t->arena);
    t->output = any_string(&t->arena);
    t->memory_bytes = any(0, INT64_C(1) << 40);
    t->reserve_bytes = any(0, t->memory_bytes);
    t->wall_limit_s = (double)any(0, 1000000) / 7;
    t->version = any_string(&t->arena);
    if (t->kind == TASK_PROBE || t->kind == TASK_VIDEO || t->kind == TASK_AUDIO ||
        t->kind == TASK_IMAGES) {
        any_child_spec(&t->spec, t->kind, &t->arena);
    }
    if (t->kind == TASK_PUSH) {
        any_push(&t->push, &t->arena);
        any_hook(&t->hook, &t->arena);
    }
    if (t->kind == TASK_SWEEP) {
        any_sweep(&t->sweep, &t->arena);
    }
    if (t->kind == TASK_EARLY || t->kind == TASK_REMOVE) {
        t->early.run = any(0, INT64_MAX);
        t->early.chunks = any(0, 10000);
        t->early.run_count = (size_t)any(0, 3);
        t->early.runs = arena_zero(&t->arena, t->early.run_count, sizeof(*t->early.runs));
        for (size_t i = 0; i < t->early.run_count; i++) {
            t->early.runs[i] = any_string(&t->arena);
        }
        t->early.top = any(0, 1);
        t->early.alone = any(0, 1);
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

static void any_hook_report(struct hook_report *h, struct arena *arena) {
    h->result_count = (size_t)any(0, 3);
    h->retry_after_s = h->result_count > 0 ? any(0, 1 << 20) : 0;
    h->has_grant = h->result_count > 0 && any(0, 1) == 1;
    h->grant.rate = h->has_grant ? (int)any(0, 1000) : 0;
    h->results = arena_zero(arena, h->result_count, sizeof(*h->results));
    for (size_t i = 0; i < h->result_count; i++) {
        h->results[i] = (struct hook_result){.event = any(0, INT64_MAX),
                                             .verdict = (enum hook_verdict)any(0, 4),
                                             .status = (int)any(0, 599),
                                             .error = any_string(arena)};
    }
}

void any_stats(struct task_stats *s) {
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
    s->has_loudness = any_loudness(&s->loudness);
}

void any_task_report(struct task_report *t) {
    any_stats(&t->stats);
    t->push.objects = any(1, INT64_MAX);
    t->push.bytes = any(0, INT64_MAX);
    t->push.request_ms = (double)any(0, 1000000) / 7;
    t->push.cost_ms = (double)any(0, 1000000) / 7;
    t->push.fetches = any(0, 1) == 1;
    t->push.refused = any(0, INT64_MAX);
    any_hook_report(&t->hook, &t->arena);
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
    t->early_chunks = any(0, 10000);
}

void any_title_plan(struct title_plan *p) {
    p->title = arena_string(&p->arena, "a-title");
    p->ladder = any_string(&p->arena);
    p->identity = any_string(&p->arena);
    any_source(&p->source);
    p->gop_ms = (int)any(1, 10000);
    p->segment_gops = (int)any(1, 10);
    p->chunk_ms = (int)any(1, 100000);
    p->waived_count = (size_t)any(0, 3);
    p->waived = arena_zero(&p->arena, p->waived_count, sizeof(*p->waived));
    for (size_t i = 0; i < p->waived_count; i++) {
        p->waived[i] = any_string(&p->arena);
    }
    p->grid = any_grid(&p->source);
    p->rendition_count = (size_t)any(0, 4);
    p->renditions = arena_zero(&p->arena, p->rendition_count, sizeof(*p->renditions));
    for (size_t i = 0; i < p->rendition_count; i++) {
        struct rendition_plan *r = &p->renditions[i];
        any_name(r->id, sizeof(r->id));
        snprintf(r->folder, sizeof(r->folder), "audio/%d", (int)any(0, 99));
        any_hash(r->key);
        r->is_video = any(0, 1);
        r->is_image = !r->is_video && any(0, 1);
        if (r->is_image) {
            any_image_spec(&r->image);
        } else if (r->is_video) {
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
