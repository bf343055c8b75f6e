/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The planner: the same plan from the same facts, keys that change when bytes would
 * and not otherwise, and tasks that hold what their chunk needs. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scheduler/plan.h"

Suite *plan_suite(void);

static const struct announced_encoder x264 = {.name = "x264",
                                              .codec = CODEC_H264,
                                              .build_line = "encoder=x264 r3095 media=1",
                                              .tail_frames = 50,
                                              .slots = 1};
static const struct announced_encoder x264_new = {.name = "x264",
                                                  .codec = CODEC_H264,
                                                  .build_line = "encoder=x264 r3108 media=1",
                                                  .tail_frames = 60,
                                                  .slots = 1};
static const struct announced_encoder aac = {
    .name = "aac", .codec = CODEC_AAC, .build_line = "encoder=aac 59.37 media=1", .slots = 1};

/* A 720p24 source with sound and a random access point every `gap` frames. */
struct setting {
    struct source_document source;
    struct audio_facts track;
    struct random_access *access;
    struct ladder ladder;
    struct announced_encoder encoders[8];
    struct plan_options options;
};

static struct byte_range header[] = {{0, 500}, {40000, 3000}, {123000000, 900}};

static void set_up(struct setting *s, const char *ladder, int64_t frames, int64_t gap) {
    *s = (struct setting){
        .track = {.sample_rate = 48000, .channels = 2, .language = "en"},
        .encoders = {x264, aac},
    };
    size_t count = (size_t)((frames + gap - 1) / gap);
    s->access = mem_zero(count, sizeof(*s->access));
    for (size_t i = 0; i < count; i++) {
        s->access[i] = (struct random_access){.frame = (int64_t)i * gap,
                                              .pts = (int64_t)i * gap * 512,
                                              .dts = (int64_t)i * gap * 512 - 1024,
                                              .position = (int64_t)i * 100000};
    }
    s->source = (struct source_document){
        .container = "mov,mp4",
        .size = 123456789,
        .timeline = {.rate = {24, 1}, .frames = frames, .start = {0, 1}},
        .has_video = true,
        .video = {.coded_width = 1280,
                  .coded_height = 720,
                  .sample_aspect = {1, 1},
                  .width = 1280,
                  .height = 720,
                  .chroma = CHROMA_420,
                  .bit_depth = 8,
                  .colour = {.primaries = 1, .transfer = 1, .matrix = 1},
                  .source_rate = {24, 1},
                  .time_base = {1, 12288}},
        .audio_count = 1,
        .audio = &s->track,
        .access_count = count,
        .access = s->access,
        .header_count = 3,
        .header = header,
    };
    s->track.start = (struct rational){0, 1};
    s->track.duration = (struct rational){frames, 24};
    ck_assert_int_eq(ladder_load(&s->ladder, ladder, NULL), 0);
    s->options = (struct plan_options){
        .title = "a-title",
        .output = "file:///out/",
        .identity = "sha256:1234",
        .ladder = &s->ladder,
        .source = &s->source,
        .encoders = s->encoders,
        .encoder_count = 2,
    };
}

static void tear_down(struct setting *s) {
    mem_free(s->access);
}

static struct plan *make(const struct setting *s) {
    struct plan *plan = NULL;
    struct err err = {0};
    ck_assert_msg(plan_create(&plan, &s->options, &err) == 0, "%s", err.message);
    return plan;
}

static const struct rendition_plan *rendition_of(const struct plan *plan, const char *id) {
    for (size_t i = 0; i < plan->title.rendition_count; i++) {
        if (strcmp(plan->title.renditions[i].id, id) == 0) {
            return &plan->title.renditions[i];
        }
    }
    ck_abort_msg("no rendition %s", id);
}

static void text_of(const struct plan *plan, struct buf *text) {
    struct writer w = writer_of(text);
    title_plan_write(&plan->title, &w, NULL);
    for (size_t i = 0; i < plan->unit_count; i++) {
        const struct unit_plan *unit = &plan->units[i];
        buf_format(text, "\n%d %d %d %.9g %lld %s %s", (int)unit->kind, unit->rendition,
                   unit->chunk, unit->cost_s, (long long)unit->memory_bytes, unit->place,
                   unit->key);
        for (size_t k = 0; k < unit->need_count; k++) {
            buf_format(text, " %u", unit->needs[k]);
        }
    }
}

static bool same_plan(const struct plan *a, const struct plan *b) {
    struct buf text_a = {0};
    struct buf text_b = {0};
    text_of(a, &text_a);
    text_of(b, &text_b);
    bool same = text_a.size == text_b.size && memcmp(text_a.data, text_b.data, text_a.size) == 0;
    buf_finish(&text_a);
    buf_finish(&text_b);
    return same;
}

/* ---- units ---------------------------------------------------------------------- */

START_TEST(units_are_in_order) {
    struct setting s;
    set_up(&s, "h264", 200 * 24, 48);
    struct plan *plan = make(&s);
    size_t chunks = plan->title.grid->chunk_count;
    ck_assert_int_eq(chunks, 15);
    ck_assert_int_eq(plan->title.rendition_count, 5);
    ck_assert_int_eq(plan->unit_count, 1 + 4 * chunks + 2);
    ck_assert_int_eq(plan->units[0].kind, TASK_AUDIO);
    ck_assert_int_eq(plan->units[0].rendition, 4);
    for (size_t i = 0; i < 4 * chunks; i++) {
        ck_assert_int_eq(plan->units[1 + i].kind, TASK_VIDEO);
        ck_assert_int_eq(plan->units[1 + i].chunk, i / 4);
        ck_assert_int_eq(plan->units[1 + i].rendition, i % 4);
        ck_assert_int_eq(plan->units[1 + i].need_count, 0);
    }
    const struct unit_plan *package = &plan->units[plan->unit_count - 2];
    const struct unit_plan *swap = &plan->units[plan->unit_count - 1];
    ck_assert_int_eq(package->kind, TASK_PACKAGE);
    ck_assert_int_eq(package->need_count, plan->unit_count - 2);
    for (size_t i = 0; i < package->need_count; i++) {
        ck_assert_int_eq(package->needs[i], i);
    }
    ck_assert_int_eq(swap->kind, TASK_SWAP);
    ck_assert_int_eq(swap->need_count, 1);
    ck_assert_int_eq(swap->needs[0], plan->unit_count - 2);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

static const struct announced_encoder svt = {.name = "svt",
                                             .codec = CODEC_AV1,
                                             .build_line = "encoder=svt 2.3 media=1",
                                             .tail_frames = 8,
                                             .slots = 1};

/* What every player can play is made first, however the ladder lists its rungs: behind the sound
 * all of H.264 in title order, then all of AV1. */
START_TEST(h264_goes_before_av1) {
    struct setting s;
    set_up(&s, "standard", 200 * 24, 48);
    s.encoders[2] = svt;
    s.options.encoder_count = 3;
    s.ladder.images = false;
    for (int i = 0, k = s.ladder.video_count - 1; i < k; i++, k--) {
        struct ladder_video_rung rung = s.ladder.video[i];
        s.ladder.video[i] = s.ladder.video[k];
        s.ladder.video[k] = rung;
    }
    struct plan *plan = make(&s);
    size_t chunks = plan->title.grid->chunk_count;
    ck_assert_int_eq(plan->unit_count, 1 + (4 + 3) * chunks + 2);
    ck_assert_int_eq(plan->units[0].kind, TASK_AUDIO);
    for (size_t i = 0; i < (4 + 3) * chunks; i++) {
        const struct unit_plan *unit = &plan->units[1 + i];
        bool is_h264 = i < 4 * chunks;
        ck_assert_int_eq(unit->kind, TASK_VIDEO);
        ck_assert_int_eq(plan->title.renditions[unit->rendition].video.codec,
                         is_h264 ? CODEC_H264 : CODEC_AV1);
        ck_assert_int_eq(unit->chunk, is_h264 ? i / 4 : (i - 4 * chunks) / 3);
    }
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

static const struct announced_encoder images = {
    .name = "posters", .codec = CODEC_AV1, .build_line = "encoder=posters media=1", .slots = 1};

/* Of how many frames a storyboard has a picture for so many, and how its sheets look. */
static const struct {
    int64_t frames;
    int64_t interval;
    int count, columns, rows, sheets;
} boards[] = {
    {24, 240, 1, 1, 1, 1},          {240, 240, 1, 1, 1, 1},       {241, 240, 2, 2, 1, 1},
    {60 * 24, 240, 6, 5, 2, 1},     {600 * 24, 240, 60, 5, 5, 3}, {2000 * 24, 240, 200, 5, 5, 8},
    {2001 * 24, 264, 182, 5, 5, 8}, /* whole seconds */
    {7200 * 24, 864, 200, 5, 5, 8},
};

START_TEST(images_are_of_few_pictures) {
    struct setting s;
    set_up(&s, "h264", boards[_i].frames, 48);
    s.encoders[2] = images;
    s.options.encoder_count = 3;
    s.ladder.images = false;
    struct plan *plan = make(&s);
    ck_assert_int_eq(plan->title.rendition_count, 5); /* the ladder does not ask for them */
    plan_destroy(plan);
    s.ladder.images = true;
    plan = make(&s);
    ck_assert_int_eq(plan->title.rendition_count, 7);
    const struct rendition_plan *poster = &plan->title.renditions[5];
    const struct rendition_plan *board = &plan->title.renditions[6];
    ck_assert(poster->is_image && poster->image.kind == IMAGE_POSTER);
    ck_assert(poster->image.width == 1280 && poster->image.height == 720);
    ck_assert_int_eq(poster->image.count, 3); /* sizes */
    ck_assert(board->is_image && board->image.kind == IMAGE_STORYBOARD);
    ck_assert(board->image.width == 320 && board->image.height == 180);
    ck_assert_int_eq(board->image.interval_frames, boards[_i].interval);
    ck_assert_int_eq(board->image.count, boards[_i].count);
    ck_assert_int_eq(board->image.columns, boards[_i].columns);
    ck_assert_int_eq(board->image.rows, boards[_i].rows);
    ck_assert_int_eq(image_sheets(&board->image), boards[_i].sheets);
    ck_assert_int_eq(strncmp(board->folder, "images/storyboard-", 18), 0);
    ck_assert_int_eq(strncmp(board->folder + 18, board->key, 10), 0);
    const struct unit_plan *last = &plan->units[plan->unit_count - 3];
    ck_assert(last->kind == TASK_IMAGES && last->rendition == 6 && last->chunk == -1);
    ck_assert_str_ne(last->place, "");
    ck_assert_int_eq(last[1].need_count, plan->unit_count - 2);
    struct arena arena = {0};
    struct child_spec spec = {0};
    ck_assert_int_eq(plan_task_spec(&spec, &arena, &plan->title, last, 1, NULL), 0);
    ck_assert_int_eq(spec.image.count, boards[_i].count);
    ck_assert_uint_eq(spec.source.access_count, plan->title.source.access_count);
    child_spec_finish(&spec);
    arena_finish(&arena);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

/* Never larger than the source, of its shape; small ones are not made where the largest is. */
static const struct {
    int width, height;
    int poster_width, poster_height, sizes;
    int board_width, board_height;
} shapes[] = {
    {3840, 2160, 1280, 720, 3, 320, 180}, {1080, 1920, 720, 1280, 3, 180, 320},
    {4096, 1716, 1280, 536, 3, 320, 134}, {640, 360, 640, 360, 2, 320, 180},
    {398, 224, 398, 224, 1, 320, 180},    {160, 90, 160, 90, 1, 160, 90},
};

START_TEST(images_have_the_shape_of_their_source) {
    struct setting s;
    set_up(&s, "h264", 2400, 48);
    s.encoders[2] = images;
    s.options.encoder_count = 3;
    s.ladder.images = true;
    s.source.video.width = s.source.video.coded_width = shapes[_i].width;
    s.source.video.height = s.source.video.coded_height = shapes[_i].height;
    struct plan *plan = make(&s);
    const struct image_spec *poster = &rendition_of(plan, "poster")->image;
    const struct image_spec *board = &rendition_of(plan, "storyboard")->image;
    ck_assert_int_eq(poster->width, shapes[_i].poster_width);
    ck_assert_int_eq(poster->height, shapes[_i].poster_height);
    ck_assert_int_eq(poster->count, shapes[_i].sizes);
    ck_assert_int_eq(board->width, shapes[_i].board_width);
    ck_assert_int_eq(board->height, shapes[_i].board_height);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(images_that_nobody_makes_are_left_out) {
    struct setting s;
    set_up(&s, "h264", 2400, 48);
    s.ladder.images = true;
    struct plan *plan = make(&s);
    ck_assert_int_eq(plan->title.rendition_count, 5);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(names_and_places_are_the_designs) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    struct plan *plan = make(&s);
    const struct rendition_plan *video = rendition_of(plan, "h264-720p");
    const struct rendition_plan *audio = rendition_of(plan, "audio-en-aac-2");
    char want[128];
    snprintf(want, sizeof(want), "video/h264-720p-%.10s", video->key);
    ck_assert_str_eq(video->folder, want);
    snprintf(want, sizeof(want), "audio/en-aac-2-%.10s", audio->key);
    ck_assert_str_eq(audio->folder, want);
    snprintf(want, sizeof(want), "file:///out/a-title/audio/en-aac-2-%.10s", audio->key);
    ck_assert_str_eq(plan->units[0].place, want);
    ck_assert_str_eq(plan->units[plan->unit_count - 1].place, "file:///out/a-title");
    ck_assert_str_eq(video->build_line, x264.build_line);
    ck_assert_str_eq(audio->build_line, aac.build_line);
    ck_assert_int_eq(video->tail_frames, 50);
    ck_assert_int_eq(video->video.gop_frames, 48);
    ck_assert_str_eq(plan->title.ladder, "h264");
    ck_assert_int_eq(plan->dropped_count, 1);
    ck_assert_str_eq(plan->dropped[0].name, "h264-1080p");
    for (size_t i = 0; i < plan->unit_count; i++) {
        ck_assert_int_eq(strlen(plan->units[i].key), 64);
        for (size_t k = 0; k < i; k++) {
            ck_assert(strcmp(plan->units[i].key, plan->units[k].key) != 0);
        }
    }
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

/* Chunks of 30 s, 200 s and 2 h by the formula of ARCHITECTURE section 4. */
static const struct {
    int seconds;
    size_t chunks;
    int64_t first_frames[5];
} lengths[] = {
    {30, 8, {96, 96, 96, 96, 96}},
    {200, 15, {96, 96, 192, 384, 384}},
    {7200, 452, {96, 96, 192, 384, 384}},
};

START_TEST(chunks_follow_the_formula) {
    struct setting s;
    set_up(&s, "fast", lengths[_i].seconds * 24, 48);
    struct plan *plan = make(&s);
    const struct grid *grid = plan->title.grid;
    ck_assert_int_eq(grid->chunk_count, lengths[_i].chunks);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_int_eq(grid_chunk_frame(grid, i + 1) - grid_chunk_frame(grid, i),
                         lengths[_i].first_frames[i]);
    }
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(rare_access_points_lengthen_chunks) {
    struct setting s;
    set_up(&s, "fast", 200 * 24, 2000);
    struct plan *plan = make(&s);
    ck_assert_int_lt(plan->title.grid->chunk_count, 15);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

/* ---- encoders -------------------------------------------------------------------- */

START_TEST(the_order_of_announcements_is_nothing) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    const struct announced_encoder rows[] = {x264, x264_new, aac, x264_new, aac, x264, x264_new};
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    s.options.encoder_count = ROWS;
    memcpy(s.encoders, rows, sizeof(rows));
    struct plan *plan = make(&s);
    ck_assert_str_eq(plan->title.renditions[0].build_line, x264_new.build_line); /* 3 to 2 */
    ck_assert_int_eq(plan->title.renditions[0].tail_frames, 60);
    for (int round = 0; round < 30; round++) {
        for (int i = ROWS - 1; i > 0; i--) {
            int k = rand() % (i + 1);
            struct announced_encoder other = s.encoders[i];
            s.encoders[i] = s.encoders[k];
            s.encoders[k] = other;
        }
        struct plan *again = make(&s);
        ck_assert(same_plan(plan, again));
        plan_destroy(again);
    }
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(equal_votes_go_to_the_greatest_line) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    s.encoders[2] = x264_new;
    s.options.encoder_count = 3;
    struct plan *plan = make(&s);
    ck_assert_str_eq(plan->title.renditions[0].build_line, x264_new.build_line);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(slots_are_votes) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    const struct announced_encoder rows[] = {x264_new, aac, x264_new, x264};
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    s.options.encoder_count = ROWS;
    memcpy(s.encoders, rows, sizeof(rows));
    s.encoders[3].slots = 3;
    struct plan *plan = make(&s);
    ck_assert_str_eq(plan->title.renditions[0].build_line, x264.build_line);
    plan_destroy(plan);
    s.encoders[3].slots = 1;
    plan = make(&s);
    ck_assert_str_eq(plan->title.renditions[0].build_line, x264_new.build_line);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(idle_rows_count_where_there_is_no_other) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    const struct announced_encoder rows[] = {x264_new, aac, x264_new, x264};
    enum { ROWS = sizeof(rows) / sizeof(rows[0]) };
    s.options.encoder_count = ROWS;
    memcpy(s.encoders, rows, sizeof(rows));
    s.encoders[0].idle = s.encoders[1].idle = s.encoders[2].idle = true;
    struct plan *plan = make(&s);
    ck_assert_str_eq(plan->title.renditions[0].build_line, x264.build_line); /* of 2 to 1 */
    ck_assert_str_eq(rendition_of(plan, "audio-en-aac-2")->build_line, aac.build_line);
    plan_destroy(plan);
    s.encoders[3].idle = true;
    plan = make(&s);
    ck_assert_str_eq(plan->title.renditions[0].build_line, x264_new.build_line);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(a_missing_encoder_is_a_sentence) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    s.options.encoder_count = 1; /* no aac */
    struct plan *plan = NULL;
    struct err err = {0};
    ck_assert_int_eq(plan_create(&plan, &s.options, &err), ERR_UNAVAILABLE);
    ck_assert_ptr_null(plan);
    ck_assert_ptr_nonnull(strstr(err.message, "aac"));
    ck_assert_ptr_nonnull(strstr(err.message, "audio-en-aac-2"));
    err = (struct err){0};
    s.encoders[0].codec = CODEC_AV1; /* the name alone is not enough */
    s.options.encoder_count = 2;
    ck_assert_int_eq(plan_create(&plan, &s.options, &err), ERR_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(err.message, "x264"));
    tear_down(&s);
}
END_TEST

START_TEST(what_a_ladder_cannot_serve_is_refused) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    s.source.video.colour.transfer = 16;
    struct plan *plan = NULL;
    struct err err = {0};
    ck_assert_int_eq(plan_create(&plan, &s.options, &err), ERR_UNSUPPORTED);
    s.source.video.colour.transfer = 1;
    s.options.title = "../etc";
    err = (struct err){0};
    ck_assert_int_eq(plan_create(&plan, &s.options, &err), ERR_INVALID);
    ck_assert_ptr_null(plan);
    tear_down(&s);
}
END_TEST

/* ---- keys ------------------------------------------------------------------------- */

static bool keys_equal(const struct setting *a, const struct setting *b, const char *id) {
    struct plan *plan_a = make(a);
    struct plan *plan_b = make(b);
    bool equal = strcmp(rendition_of(plan_a, id)->key, rendition_of(plan_b, id)->key) == 0;
    plan_destroy(plan_a);
    plan_destroy(plan_b);
    return equal;
}

/* What they are picked from is where a source has key pictures, of which sound and film know
 * nothing. */
START_TEST(images_are_keyed_by_what_they_are_picked_from) {
    struct setting a, b;
    set_up(&a, "h264", 2400, 48);
    set_up(&b, "h264", 2400, 24);
    a.ladder.images = b.ladder.images = true;
    a.encoders[2] = b.encoders[2] = images;
    a.options.encoder_count = b.options.encoder_count = 3;
    ck_assert(!keys_equal(&a, &b, "poster"));
    ck_assert(!keys_equal(&a, &b, "storyboard"));
    ck_assert(keys_equal(&a, &b, "h264-720p"));
    ck_assert(keys_equal(&a, &b, "audio-en-aac-2"));
    ck_assert(keys_equal(&a, &a, "poster"));
    tear_down(&a);
    tear_down(&b);
}
END_TEST

START_TEST(one_rung_fewer_leaves_the_others) {
    struct setting a, b;
    set_up(&a, "h264", 30 * 24, 48);
    set_up(&b, "h264", 30 * 24, 48);
    b.ladder.video[2] = b.ladder.video[3]; /* without 540 */
    b.ladder.video[3] = b.ladder.video[4];
    b.ladder.video_count = 4;
    snprintf(b.ladder.name, sizeof(b.ladder.name), "other-name");
    ck_assert(keys_equal(&a, &b, "h264-720p"));
    ck_assert(keys_equal(&a, &b, "h264-360p"));
    ck_assert(keys_equal(&a, &b, "h264-240p"));
    ck_assert(keys_equal(&a, &b, "audio-en-aac-2"));
    struct plan *plan_a = make(&a);
    struct plan *plan_b = make(&b);
    ck_assert_str_eq(plan_a->units[1].key, plan_b->units[1].key);
    ck_assert_str_ne(plan_a->units[plan_a->unit_count - 1].key,
                     plan_b->units[plan_b->unit_count - 1].key); /* other manifests */
    plan_destroy(plan_a);
    plan_destroy(plan_b);
    tear_down(&a);
    tear_down(&b);
}
END_TEST

static void other_crf(struct setting *s) {
    s->ladder.video[1].crf_hundredths++;
}
static void other_sound(struct setting *s) {
    s->ladder.audio[0].bitrate_bps++;
}
static void other_title(struct setting *s) {
    s->options.title = "another";
}
static void other_output(struct setting *s) {
    s->options.output = "/elsewhere";
}
static void other_identity(struct setting *s) {
    s->options.identity = "sha256:1235";
}
static void other_build(struct setting *s) {
    s->encoders[0].build_line = "encoder=x264 r3096 media=1";
}
static void other_tail(struct setting *s) {
    s->encoders[0].tail_frames = 51;
}
static void other_chunks(struct setting *s) {
    s->ladder.chunk_ms = 4000;
}
static void other_segments(struct setting *s) {
    s->ladder.segment_gops = 3;
}
static void other_start(struct setting *s) {
    s->source.timeline.start = (struct rational){1, 24};
}
static void other_length(struct setting *s) {
    s->source.timeline.frames++;
}
static void other_sentences(struct setting *s) {
    static const char *sentence = "one track is left out";
    s->source.left_out = &sentence;
    s->source.left_out_count = 1;
}

/* What each change does to the keys of pictures and of sound. */
static const struct {
    void (*change)(struct setting *s);
    bool video_stays, audio_stays;
} changes[] = {
    {other_crf, false, true},    {other_sound, true, false},     {other_title, true, true},
    {other_output, true, true},  {other_identity, false, false}, {other_build, false, true},
    {other_tail, false, true},   {other_chunks, false, false},   {other_segments, false, false},
    {other_start, false, false}, {other_length, false, false},   {other_sentences, true, true},
};

START_TEST(keys_change_with_the_bytes) {
    struct setting a, b;
    set_up(&a, "h264", 200 * 24, 48);
    set_up(&b, "h264", 200 * 24, 48);
    changes[_i].change(&b);
    ck_assert_int_eq(keys_equal(&a, &b, "h264-720p"), changes[_i].video_stays);
    ck_assert_int_eq(keys_equal(&a, &b, "audio-en-aac-2"), changes[_i].audio_stays);
    tear_down(&a);
    tear_down(&b);
}
END_TEST

START_TEST(identity_may_come_later) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    struct plan *whole = make(&s);
    s.options.identity = "";
    struct plan *plan = make(&s);
    ck_assert_str_eq(plan->title.renditions[0].key, "");
    ck_assert_str_eq(plan->title.renditions[0].folder, "");
    ck_assert_str_eq(plan->units[3].key, "");
    ck_assert_str_eq(plan->units[3].place, "");
    plan_identify(plan, "sha256:1234");
    ck_assert(same_plan(plan, whole));
    plan_identify(plan, "sha256:1234");
    ck_assert(same_plan(plan, whole));
    plan_identify(plan, "sha256:9999"); /* another source: nothing stays */
    for (size_t i = 0; i < plan->unit_count; i++) {
        ck_assert_str_ne(plan->units[i].key, whole->units[i].key);
    }
    plan_destroy(plan);
    plan_destroy(whole);
    tear_down(&s);
}
END_TEST

START_TEST(a_stored_plan_is_the_same_plan) {
    struct setting s;
    set_up(&s, "h264", 200 * 24, 48);
    s.options.identity = _i == 0 ? "" : "sha256:1234";
    struct plan *plan = make(&s);
    struct buf text = {0};
    struct writer w = writer_of(&text);
    title_plan_write(&plan->title, &w, NULL);
    struct json *root = NULL;
    struct err err = {0};
    ck_assert_int_eq(json_tree_parse(&root, text.data, text.size, &err), 0);
    struct reader r = reader_of(root, "stored plan", &err);
    struct title_plan title;
    title_plan_read(&title, &r);
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    struct plan *again = NULL;
    ck_assert_int_eq(plan_restore(&again, &title, "file:///out", &err), 0);
    ck_assert_ptr_null(title.grid);
    ck_assert(same_plan(plan, again));
    plan_identify(again, "sha256:5678");
    plan_identify(plan, "sha256:5678");
    ck_assert(same_plan(plan, again));
    plan_destroy(plan);
    plan_destroy(again);
    json_tree_destroy(root);
    buf_finish(&text);
    struct title_plan empty = {0};
    ck_assert_int_eq(plan_restore(&again, &empty, "", &err), ERR_CORRUPT);
    tear_down(&s);
}
END_TEST

/* ---- tasks ------------------------------------------------------------------------ */

START_TEST(a_task_has_the_slice_that_it_needs) {
    struct setting s;
    set_up(&s, "h264", 200 * 24, 60); /* chunks do not begin at access points */
    struct plan *plan = make(&s);
    const struct grid *grid = plan->title.grid;
    for (size_t chunk = 0; chunk < grid->chunk_count; chunk++) {
        const struct unit_plan *units = &plan->units[1 + 4 * chunk];
        struct arena arena = {0};
        struct child_spec spec = {0};
        ck_assert_int_eq(plan_task_spec(&spec, &arena, &plan->title, units, 4, NULL), 0);
        ck_assert(spec.kind == TASK_VIDEO && spec.rung_count == 4);
        ck_assert_int_eq(spec.chunk.first, grid_chunk_frame(grid, chunk));
        ck_assert_int_eq(spec.chunk.end, grid_chunk_frame(grid, chunk + 1));
        ck_assert_int_eq(spec.rungs[1].height, 540);
        ck_assert_int_eq(spec.source_size, s.source.size);
        ck_assert_int_eq(spec.source.video.width, 1280);
        ck_assert_uint_eq(spec.source.header_count, 3);
        ck_assert_int_eq(memcmp(spec.source.header, header, sizeof(header)), 0);
        int64_t first = spec.chunk.first;
        int64_t end = spec.chunk.end + spec.chunk.tail;
        const struct random_access *access = spec.source.access;
        size_t count = spec.source.access_count;
        ck_assert_int_ge(count, 1);
        int64_t lead = first < CHUNK_LEAD_MAX ? 0 : first - CHUNK_LEAD_MAX;
        ck_assert_int_eq(access[0].frame, lead < 60 ? 0 : lead / 60 * 60 - 60);
        int64_t behind = (end + 59) / 60 * 60;
        ck_assert_int_eq(access[count - 1].frame, behind < 200 * 24 ? behind : 200 * 24 - 60);
        for (size_t i = 1; i < count; i++) {
            ck_assert_int_eq(access[i].frame, access[i - 1].frame + 60);
            ck_assert_int_eq(access[i].position, access[i].frame / 60 * 100000);
        }
        child_spec_finish(&spec);
        arena_finish(&arena);
    }
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(a_late_first_access_point_is_no_trouble) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    for (size_t i = 0; i < s.source.access_count; i++) {
        s.access[i].frame += 100; /* the source begins with damage */
    }
    struct plan *plan = make(&s);
    struct arena arena = {0};
    struct child_spec spec = {0};
    ck_assert_int_eq(plan_task_spec(&spec, &arena, &plan->title, &plan->units[1], 1, NULL), 0);
    ck_assert_int_ge(spec.source.access_count, 1);
    ck_assert_int_eq(spec.source.access[0].frame, 100);
    child_spec_finish(&spec);
    arena_finish(&arena);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(sound_gets_the_whole_grid) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    struct plan *plan = make(&s);
    struct arena arena = {0};
    struct child_spec spec = {0};
    ck_assert_int_eq(plan_task_spec(&spec, &arena, &plan->title, &plan->units[0], 1, NULL), 0);
    plan_destroy(plan); /* the spec owns what it has */
    ck_assert_int_eq(spec.kind, TASK_AUDIO);
    ck_assert_int_eq(spec.grid->frames, 720);
    ck_assert_int_eq(spec.grid->segment_count, 8);
    ck_assert_int_eq(spec.audio.bitrate_bps, 128000);
    ck_assert_int_eq(spec.source.audio_count, 1);
    ck_assert_str_eq(spec.source.audio[0].language, "en");
    child_spec_finish(&spec);
    arena_finish(&arena);
    tear_down(&s);
}
END_TEST

START_TEST(what_makes_no_task_is_refused) {
    struct setting s;
    set_up(&s, "h264", 30 * 24, 48);
    struct plan *plan = make(&s);
    const struct unit_plan *u = plan->units;
    const struct unit_plan wrong[][2] = {
        {u[0], u[1]}, /* sound and pictures */
        {u[1], u[5]}, /* two chunks */
        {u[plan->unit_count - 1], u[1]},
        {{.kind = TASK_VIDEO, .rendition = 9, .chunk = 0}, u[1]},
        {{.kind = TASK_VIDEO, .rendition = 0, .chunk = 99}, {.kind = TASK_VIDEO, .chunk = 99}},
        {{.kind = TASK_VIDEO, .rendition = 4, .chunk = 0}, u[1]},
    };
    struct arena arena = {0};
    struct child_spec spec = {0};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_int_eq(plan_task_spec(&spec, &arena, &plan->title, wrong[i], 2, NULL),
                         ERR_INVALID);
    }
    ck_assert_int_eq(plan_task_spec(&spec, &arena, &plan->title, u, 0, NULL), ERR_INVALID);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(a_probe_is_told_of_the_ladder) {
    struct ladder ladder;
    ck_assert_int_eq(ladder_load(&ladder, "lossless", NULL), 0);
    struct plan_limits limits = plan_limits_default();
    struct child_spec spec;
    plan_probe_spec(&spec, &ladder, -1, &limits);
    ck_assert(spec.kind == TASK_PROBE && spec.source_size == -1 && spec.max_width == 16384 &&
              spec.max_frames == 20000000 && spec.max_rate.num == 60 &&
              spec.deinterlace == DEINTERLACE_NONE && spec.long_gop_ms == 16000);
}
END_TEST

START_TEST(memory_and_cost_go_with_the_pictures) {
    struct setting s;
    set_up(&s, "h264", 200 * 24, 48);
    struct plan *plan = make(&s);
    const struct unit_plan *units = &plan->units[1];
    int64_t one = plan_task_memory(&plan->title, units, 1);
    int64_t all = plan_task_memory(&plan->title, units, 4);
    ck_assert_int_eq(one, units[0].memory_bytes);
    ck_assert(one > INT64_C(256) << 20 && one < INT64_C(1) << 30);
    ck_assert(all > one && all < INT64_C(3) << 29);
    ck_assert(units[0].cost_s > units[1].cost_s && units[3].cost_s > 0);
    ck_assert(units[4 * 3].cost_s > units[0].cost_s); /* a longer chunk */
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

START_TEST(sources_of_key_frames_alone_have_small_plans) {
    struct setting s;
    set_up(&s, "h264", 7200 * 24, 1);
    struct plan *plan = make(&s);
    ck_assert_int_eq(plan->title.source.access_count, 7200 * 24 / 6);
    ck_assert_int_eq(plan->title.grid->chunk_count, 452);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

/* ---- for people -------------------------------------------------------------------- */

START_TEST(a_plan_can_be_read) {
    struct setting s;
    set_up(&s, "h264", 200 * 24, 48);
    s.options.identity = "";
    s.options.output = "";
    struct plan *plan = make(&s);
    struct buf text = {0};
    plan_describe_text(plan, &text);
    static const char *const parts[] = {
        "1280x720, 4800 frames at 24 a second, 200 s",
        "h264-720p",
        "crf 22, at most 4000 kb/s",
        "high@3.1",
        "stereo",
        "h264-1080p",
        "larger than the source",
        "100 GOPs of 2 s in 50 segments",
        "15: 2 x 4 s, 8 s, 11 x 16 s, 8 s",
        "60 of pictures, 1 of sound",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        ck_assert_msg(strstr(buf_text(&text), parts[i]) != NULL, "no '%s' in\n%s", parts[i],
                      buf_text(&text));
    }
    if (getenv("REELFARM_SHOW") != NULL) {
        printf("%s", buf_text(&text));
    }
    buf_clear(&text);
    struct writer w = writer_of(&text);
    plan_describe_json(plan, &w, NULL);
    struct json *root = NULL;
    struct err err = {0};
    ck_assert_int_eq(json_tree_parse(&root, text.data, text.size, &err), 0);
    struct reader r = reader_of(root, "plan", &err);
    struct reader units = reader_array(&r, "units");
    ck_assert_int_eq(reader_count(&units), plan->unit_count);
    struct reader dropped = reader_array(&r, "dropped");
    ck_assert_int_eq(reader_count(&dropped), 1);
    json_tree_destroy(root);
    buf_finish(&text);
    plan_destroy(plan);
    tear_down(&s);
}
END_TEST

Suite *plan_suite(void) {
    Suite *suite = suite_create("plan");
    TCase *tc = tcase_create("units");
    tcase_add_test(tc, units_are_in_order);
    tcase_add_test(tc, h264_goes_before_av1);
    tcase_add_test(tc, names_and_places_are_the_designs);
    tcase_add_loop_test(tc, images_are_of_few_pictures, 0, sizeof(boards) / sizeof(boards[0]));
    tcase_add_loop_test(tc, images_have_the_shape_of_their_source, 0,
                        sizeof(shapes) / sizeof(shapes[0]));
    tcase_add_test(tc, images_are_keyed_by_what_they_are_picked_from);
    tcase_add_test(tc, images_that_nobody_makes_are_left_out);
    tcase_add_loop_test(tc, chunks_follow_the_formula, 0, sizeof(lengths) / sizeof(lengths[0]));
    tcase_add_test(tc, rare_access_points_lengthen_chunks);
    suite_add_tcase(suite, tc);
    tc = tcase_create("encoders");
    tcase_add_test(tc, the_order_of_announcements_is_nothing);
    tcase_add_test(tc, equal_votes_go_to_the_greatest_line);
    tcase_add_test(tc, slots_are_votes);
    tcase_add_test(tc, idle_rows_count_where_there_is_no_other);
    tcase_add_test(tc, a_missing_encoder_is_a_sentence);
    tcase_add_test(tc, what_a_ladder_cannot_serve_is_refused);
    suite_add_tcase(suite, tc);
    tc = tcase_create("keys");
    tcase_add_test(tc, one_rung_fewer_leaves_the_others);
    tcase_add_loop_test(tc, keys_change_with_the_bytes, 0, sizeof(changes) / sizeof(changes[0]));
    tcase_add_test(tc, identity_may_come_later);
    tcase_add_loop_test(tc, a_stored_plan_is_the_same_plan, 0, 2);
    suite_add_tcase(suite, tc);
    tc = tcase_create("tasks");
    tcase_add_test(tc, a_task_has_the_slice_that_it_needs);
    tcase_add_test(tc, a_late_first_access_point_is_no_trouble);
    tcase_add_test(tc, sound_gets_the_whole_grid);
    tcase_add_test(tc, what_makes_no_task_is_refused);
    tcase_add_test(tc, a_probe_is_told_of_the_ladder);
    tcase_add_test(tc, memory_and_cost_go_with_the_pictures);
    tcase_add_test(tc, sources_of_key_frames_alone_have_small_plans);
    suite_add_tcase(suite, tc);
    tc = tcase_create("people");
    tcase_add_test(tc, a_plan_can_be_read);
    suite_add_tcase(suite, tc);
    return suite;
}
