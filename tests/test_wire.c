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
#include "wire_fixture.h"

Suite *wire_suite(void);

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
           a->access_unit_bytes == b->access_unit_bytes && a->header_count == b->header_count &&
           (a->header_count == 0 ||
            memcmp(a->header, b->header, a->header_count * sizeof(*a->header)) == 0);
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
           memcmp(&a->audio, &b->audio, sizeof(a->audio)) == 0 &&
           memcmp(&a->image, &b->image, sizeof(a->image)) == 0 && grid_equal(a->grid, b->grid);
}

static bool unit_report_equal(const struct unit_report *a, const struct unit_report *b) {
    if (a->record_size != b->record_size || memcmp(a->record, b->record, sizeof(a->record)) != 0 ||
        a->reorder_frames != b->reorder_frames || a->priming != b->priming ||
        a->has_loudness != b->has_loudness ||
        memcmp(&a->loudness, &b->loudness, sizeof(a->loudness)) != 0 ||
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
    ck_assert(
        again.fence == task.fence && again.kind == task.kind &&
        strcmp(again.title, task.title) == 0 && again.attempt == task.attempt &&
        strcmp(again.source.url, task.source.url) == 0 && again.source.size == task.source.size &&
        strcmp(again.source.pin, task.source.pin) == 0 &&
        strcmp(again.source.identity, task.source.identity) == 0 &&
        strcmp(again.source.places, task.source.places) == 0 &&
        strcmp(again.output, task.output) == 0 && again.memory_bytes == task.memory_bytes &&
        again.reserve_bytes == task.reserve_bytes && again.wall_limit_s == task.wall_limit_s &&
        strcmp(again.version, task.version) == 0 && again.unit_count == task.unit_count);
    for (size_t i = 0; i < task.unit_count; i++) {
        ck_assert(again.units[i].id == task.units[i].id &&
                  strcmp(again.units[i].rendition, task.units[i].rendition) == 0 &&
                  strcmp(again.units[i].folder, task.units[i].folder) == 0 &&
                  again.units[i].may_replace == task.units[i].may_replace);
    }
    if (task.kind == TASK_PROBE || task.kind == TASK_VIDEO || task.kind == TASK_AUDIO ||
        task.kind == TASK_IMAGES) {
        ck_assert(spec_equal(&again.spec, &task.spec));
    }
    ck_assert(task.kind != TASK_PUSH ||
              (again.push.endpoint.falls_back == task.push.endpoint.falls_back &&
               again.push.endpoint.max_height == task.push.endpoint.max_height));
    ck_assert(again.sweep.removes == task.sweep.removes &&
              again.sweep.group_count == task.sweep.group_count);
    for (size_t i = 0; i < task.sweep.group_count; i++) {
        const struct sweep_group *one = &task.sweep.groups[i], *same = &again.sweep.groups[i];
        ck_assert(strcmp(one->title, same->title) == 0 && strcmp(one->path, same->path) == 0 &&
                  one->objects == same->objects && one->bytes == same->bytes);
    }
    task_finish(&again);
    task_finish(&task);
    json_tree_destroy(root);
    buf_finish(&text);
}
END_TEST

/* An older scheduler says by the height alone that an edge falls back. */
START_TEST(an_older_push_is_understood) {
    static const int heights[] = {0, 720};
    static const char said[] = ",\"falls_back\":false";
    struct push push = {.endpoint = {.name = "e",
                                     .driver = "dav",
                                     .url = "http://e",
                                     .serves = "",
                                     .connections = 1,
                                     .max_height = heights[_i]}};
    struct push again = {0};
    struct arena arena = {0};
    struct buf text = {0};
    struct writer w = writer_of(&text);
    struct err err = {0};
    push_write(&push, &w, NULL);
    char *at = strstr(buf_text(&text), said);
    ck_assert_ptr_nonnull(at);
    memmove(at, at + strlen(said), strlen(at + strlen(said)) + 1);
    struct json *root = parse(buf_text(&text), strlen(buf_text(&text)));
    struct reader r = reader_of(root, "test", &err);
    push_read(&again, &arena, &r);
    ck_assert_msg(reader_ok(&r), "%s", err.message);
    ck_assert_int_eq(again.endpoint.falls_back, heights[_i] > 0);
    json_tree_destroy(root);
    arena_finish(&arena);
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
              again.waived_count == plan.waived_count &&
              strings_equal(plan.waived_count, again.waived, plan.waived) &&
              grid_equal(again.grid, plan.grid) && again.rendition_count == plan.rendition_count &&
              again.frames_repaired == plan.frames_repaired &&
              again.frames_concealed == plan.frames_concealed);
    for (size_t i = 0; i < plan.rendition_count; i++) {
        const struct rendition_plan *a = &again.renditions[i];
        const struct rendition_plan *b = &plan.renditions[i];
        ck_assert(strcmp(a->id, b->id) == 0 && strcmp(a->folder, b->folder) == 0 &&
                  strcmp(a->key, b->key) == 0 && a->is_video == b->is_video &&
                  a->is_image == b->is_image &&
                  memcmp(&a->image, &b->image, sizeof(a->image)) == 0 &&
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
    tcase_add_loop_test(tc, an_older_push_is_understood, 0, 2);
    tcase_add_loop_test(tc, reports_come_back, 0, 40);
    tcase_add_loop_test(tc, plans_come_back, 0, 40);
    tcase_add_loop_test(tc, broken_text_is_survived, 0, 20);
    tcase_add_test(tc, long_reports_are_small_and_quick);
    suite_add_tcase(suite, tc);
    return suite;
}
