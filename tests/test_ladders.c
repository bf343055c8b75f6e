/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ladder files: what they may say, and the messages when they say something else. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "ladders/ladders.h"

Suite *ladders_suite(void);

static int parse(struct ladder *out, const char *text, struct err *err) {
    return ladder_parse(out, "dir/mine.yaml", text, strlen(text), err);
}

/* ---- the built-in ones -------------------------------------------------------- */

enum { BUILTIN = 6 };

START_TEST(builtin_ladders_are_good) {
    const char *name = ladder_builtin_at((size_t)_i);
    ck_assert_ptr_nonnull(name);
    struct ladder ladder;
    struct err err = {0};
    ck_assert_msg(ladder_load(&ladder, name, &err) == 0, "%s", err.message);
    ck_assert_str_eq(ladder.name, name);
    ck_assert_int_gt(strlen(ladder.description), 10);
    ck_assert_int_eq(ladder.gop_ms, 2000);
    ck_assert_int_eq(ladder.segment_gops, 2);
    ck_assert_int_eq(ladder.chunk_ms, 16000);
    ck_assert_int_eq(ladder.max_rate.num, 60);
    ck_assert_int_eq(ladder.audio_count, 1);
    ck_assert_ptr_null(ladder_builtin_at(BUILTIN));
    ck_assert_ptr_null(ladder_builtin_text("none"));
}
END_TEST

START_TEST(h264_is_the_everyday_ladder) {
    static const int heights[] = {1080, 720, 540, 360, 240};
    struct ladder ladder;
    ck_assert_int_eq(ladder_load(&ladder, "h264", NULL), 0);
    ck_assert_int_eq(ladder.video_count, 5);
    int64_t above = 12000000;
    for (int i = 0; i < 5; i++) {
        const struct ladder_video_rung *rung = &ladder.video[i];
        ck_assert_int_eq(rung->height, heights[i]);
        ck_assert_int_eq(rung->codec, CODEC_H264);
        ck_assert_str_eq(rung->encoder, "x264");
        ck_assert_str_eq(rung->preset, "medium");
        ck_assert_int_eq(rung->bufsize_bits, 2 * rung->maxrate_bps);
        ck_assert_int_eq(rung->vbv_init_percent, 50);
        ck_assert_int_eq(rung->threads, 1);
        /* HLS wants rungs 1.5 to 2 times apart; the small ones a little more. */
        ck_assert(rung->maxrate_bps * 3 < above * 2 && rung->maxrate_bps * 5 >= above * 2);
        above = rung->maxrate_bps;
    }
    ck_assert_int_eq(ladder.deinterlace, DEINTERLACE_FRAME);
    ck_assert_int_eq(ladder.audio[0].bitrate_bps, 128000);
    ck_assert_int_eq(ladder.audio[0].channels, 2);
}
END_TEST

START_TEST(lossless_has_no_rate) {
    struct ladder ladder;
    ck_assert_int_eq(ladder_load(&ladder, "lossless", NULL), 0);
    const struct ladder_video_rung *rung = &ladder.video[0];
    ck_assert(ladder.video_count == 1 && rung->lossless && rung->height == 0);
    ck_assert(rung->crf_hundredths == 0 && rung->maxrate_bps == 0 && rung->bufsize_bits == 0);
    ck_assert_str_eq(rung->profile, "high444");
    ck_assert_int_eq(ladder.deinterlace, DEINTERLACE_NONE);
}
END_TEST

/* ---- files --------------------------------------------------------------------- */

START_TEST(rungs_override_the_top) {
    static const char text[] = "description: mine\n"
                               "gop_s: 1.5\n"
                               "segment_gops: 3\n"
                               "chunk_s: 30\n"
                               "max_rate: 30\n"
                               "deinterlace: field\n"
                               "waive: [rung-peak, http-gzip]\n"
                               "preset: slow\n"
                               "tune: film\n"
                               "crf: 21.5\n"
                               "maxrate: 4.5M\n"
                               "bufsize_s: 1.5\n"
                               "vbv_init_percent: 60\n"
                               "threads: 2\n"
                               "rungs:\n"
                               "  - height: 720\n"
                               "  - height: 360\n"
                               "    preset: fast\n"
                               "    tune: none\n"
                               "    profile: main\n"
                               "    crf: 24\n"
                               "    maxrate: 812.5k\n"
                               "    threads: 1\n"
                               "  - {height: source, lossless: true}\n"
                               "  - {height: 180, maxrate: none}\n";
    struct ladder ladder;
    struct err err = {0};
    ck_assert_msg(parse(&ladder, text, &err) == 0, "%s", err.message);
    ck_assert_str_eq(ladder.name, "mine");
    ck_assert_int_eq(ladder.gop_ms, 1500);
    ck_assert_int_eq(ladder.segment_gops, 3);
    ck_assert_int_eq(ladder.chunk_ms, 30000);
    ck_assert_int_eq(ladder.max_rate.num, 30);
    ck_assert_int_eq(ladder.deinterlace, DEINTERLACE_FIELD);
    ck_assert_int_eq(ladder.waive_count, 2);
    ck_assert_str_eq(ladder.waive[1], "http-gzip");
    ck_assert_int_eq(ladder.audio_count, 0);
    const struct ladder_video_rung *rung = ladder.video;
    ck_assert(strcmp(rung[0].preset, "slow") == 0 && strcmp(rung[0].tune, "film") == 0);
    ck_assert(rung[0].crf_hundredths == 2150 && rung[0].maxrate_bps == 4500000);
    ck_assert(rung[0].bufsize_bits == 6750000 && rung[0].vbv_init_percent == 60);
    ck_assert_int_eq(rung[0].threads, 2);
    ck_assert(strcmp(rung[1].preset, "fast") == 0 && strcmp(rung[1].tune, "") == 0);
    ck_assert(strcmp(rung[1].profile, "main") == 0 && rung[1].maxrate_bps == 812500);
    ck_assert(rung[1].crf_hundredths == 2400 && rung[1].threads == 1);
    ck_assert(rung[2].lossless && rung[2].maxrate_bps == 0 && rung[2].crf_hundredths == 0);
    ck_assert(strcmp(rung[2].tune, "") == 0 && strcmp(rung[2].profile, "high444") == 0);
    ck_assert(rung[3].maxrate_bps == 0 && rung[3].bufsize_bits == 0);
    ck_assert(!rung[3].lossless && strcmp(rung[3].profile, "high") == 0);
}
END_TEST

#define RUNG "rungs: [{height: 360}]\n"

static const struct {
    const char *text;
    const char *names[3]; /* what the message must name */
} bad[] = {
    {"", {"mine.yaml"}},
    {"just words\n", {"mine.yaml"}},
    {"[1, 2]\n", {"mine.yaml"}},
    {"gop_s: 2\n", {"rungs", "missing"}},
    {"rungs: []\n", {"mine.yaml:1", "rungs", "1 to 32"}},
    {"rungs: 7\n", {"mine.yaml:1", "rungs"}},
    {RUNG "speed: 3\n", {"mine.yaml:2", "speed", "preset"}},
    {"rungs:\n  - {height: 360, colour: red}\n", {"mine.yaml:2", "rungs[0].colour", "height"}},
    {"rungs:\n  - {crf: 22}\n", {"mine.yaml:2", "height", "missing"}},
    {"rungs:\n  - {height: 361}\n", {"mine.yaml:2", "rungs[0].height", "even"}},
    {"rungs:\n  - {height: tall}\n", {"mine.yaml:2", "height", "source"}},
    {"rungs:\n  - {height: -2}\n", {"height", "16 to 4320"}},
    {"rungs:\n  - {height: 99999}\n", {"height", "16 to 4320"}},
    {"rungs:\n  - {height: 360}\n  - {height: 360}\n",
     {"mine.yaml:3", "rungs[1].height", "rungs[0]"}},
    {"rungs:\n  - {height: source}\n  - {height: source}\n", {"mine.yaml:3", "rungs[0]"}},
    {"crf: 0\n" RUNG, {"mine.yaml:1", "crf", "1 to 51"}},
    {"crf: lots\n" RUNG, {"mine.yaml:1", "crf", "number"}},
    {"crf: .nan\n" RUNG, {"mine.yaml:1", "crf"}},
    {"preset: warp\n" RUNG, {"mine.yaml:1", "preset", "placebo"}},
    {"tune: zerolatency\n" RUNG, {"tune", "film"}},
    {"profile: high10\n" RUNG, {"profile", "baseline, main or high"}},
    {"codec: mpeg2\n" RUNG, {"mine.yaml:1", "codec", "h264"}},
    {"codec: aac\n" RUNG, {"codec", "h264"}},
    {"encoder: aac\n" RUNG, {"encoder", "x264"}},
    {"codec: av1\nencoder: x264\n" RUNG, {"mine.yaml:2", "encoder", "svt"}},
    {"codec: av1\npreset: 14\n" RUNG, {"mine.yaml:2", "preset", "0 to 13"}},
    {"codec: av1\npreset: medium\n" RUNG, {"mine.yaml:2", "preset", "13"}},
    {"preset: 8\n" RUNG, {"mine.yaml:1", "preset", "ultrafast"}},
    {"codec: av1\nencoder: aom\npreset: 7\n" RUNG, {"mine.yaml:3", "preset", "0 to 6"}},
    {"codec: av1\ncrf: 30.5\n" RUNG, {"mine.yaml:2", "crf", "whole"}},
    {"codec: av1\ncrf: 64\n" RUNG, {"mine.yaml:2", "crf", "1 to 63"}},
    {"codec: av1\nmaxrate: 2M\n" RUNG, {"mine.yaml:2", "maxrate", "svt"}},
    {"codec: av1\nlossless: true\n" RUNG, {"mine.yaml:2", "lossless", "svt"}},
    {"codec: av1\nthreads: 2\n" RUNG, {"mine.yaml:2", "threads", "1"}},
    {"codec: av1\nprofile: high\n" RUNG, {"mine.yaml:2", "profile", "main"}},
    {"codec: av1\ntune: film\n" RUNG, {"mine.yaml:2", "tune", "visual"}},
    {"codec: av1\nbit_depth: 9\n" RUNG, {"mine.yaml:2", "bit_depth", "8 or 10"}},
    {"bit_depth: 10\n" RUNG, {"mine.yaml:1", "bit_depth", "8"}},
    {"maxrate: 4500\n" RUNG, {"mine.yaml:1", "maxrate", "4500k"}},
    {"maxrate: 4500kb\n" RUNG, {"maxrate", "4500k"}},
    {"maxrate: 4.k\n" RUNG, {"maxrate", "4500k"}},
    {"maxrate: -4k\n" RUNG, {"maxrate", "4500k"}},
    {"maxrate: 1k\n" RUNG, {"maxrate", "8k"}},
    {"maxrate: 900000M\n" RUNG, {"maxrate", "800M"}},
    {"maxrate: 99999999999999999999M\n" RUNG, {"maxrate", "4500k"}},
    {"bufsize_s: 0\n" RUNG, {"bufsize_s", "0.5 to 10"}},
    {"vbv_init_percent: 95\n" RUNG, {"vbv_init_percent", "10 to 90"}},
    {"threads: 0\n" RUNG, {"threads", "1 to 16"}},
    {"lossless: 1\n" RUNG, {"lossless", "true or false"}},
    {"lossless: true\ncrf: 20\n" RUNG, {"mine.yaml:2", "crf", "lossless"}},
    {"lossless: true\nrungs:\n  - {height: 360, maxrate: 1M}\n", {"mine.yaml:3", "maxrate"}},
    {"gop_s: 0.1\n" RUNG, {"gop_s", "0.5 to 10"}},
    {"segment_gops: 11\n" RUNG, {"segment_gops", "1 to 10"}},
    {"waive: rung-peak\n" RUNG, {"mine.yaml:1", "waive"}},
    {"waive: [rung peak]\n" RUNG, {"mine.yaml:1", "waive", "'rung peak'"}},
    {"waive: [5]\n" RUNG, {"mine.yaml:1", "waive"}},
    {"chunk_s: 3\n" RUNG, {"mine.yaml:1", "chunk_s", "segment"}},
    {"max_rate: 500\n" RUNG, {"max_rate", "10 to 120"}},
    {"deinterlace: yes\n" RUNG, {"deinterlace", "none, frame or field"}},
    {RUNG "audio: [{codec: mp3}]\n", {"mine.yaml:2", "audio[0].codec", "aac"}},
    {RUNG "audio: [{bitrate: 9k}]\n", {"bitrate", "24k"}},
    {RUNG "audio: [{channels: 6}]\n", {"channels", "1 to 2"}},
    {RUNG "audio:\n  - {channels: 2}\n  - {channels: 2}\n",
     {"mine.yaml:4", "channels", "audio[0]"}},
    {RUNG "audio: [{volume: 11}]\n", {"volume", "bitrate"}},
};

/* What stands at the top for one codec says nothing about a rung of another. */
START_TEST(rungs_of_another_codec_begin_anew) {
    static const char text[] = "preset: slow\ntune: film\ncrf: 20\nmaxrate: 3M\nthreads: 4\n"
                               "rungs:\n"
                               "  - {height: 720}\n"
                               "  - {height: 720, codec: av1}\n"
                               "  - {height: 540, codec: av1, encoder: aom, preset: 5, "
                               "bit_depth: 10, crf: 28, threads: 2}\n";
    struct ladder ladder;
    struct err err = {0};
    ck_assert_msg(parse(&ladder, text, &err) == 0, "%s", err.message);
    ck_assert_int_eq(ladder.video_count, 3);
    const struct ladder_video_rung *x264 = &ladder.video[0];
    const struct ladder_video_rung *svt = &ladder.video[1];
    const struct ladder_video_rung *aom = &ladder.video[2];
    ck_assert_str_eq(x264->encoder, "x264");
    ck_assert_int_eq(x264->maxrate_bps, 3000000);
    ck_assert_int_eq(x264->threads, 4);
    ck_assert_int_eq(svt->codec, CODEC_AV1);
    ck_assert_str_eq(svt->encoder, "svt");
    ck_assert_str_eq(svt->preset, "8");
    ck_assert_str_eq(svt->tune, "");
    ck_assert_str_eq(svt->profile, "main");
    ck_assert_int_eq(svt->crf_hundredths, 3500);
    ck_assert_int_eq(svt->maxrate_bps, 0);
    ck_assert_int_eq(svt->bufsize_bits, 0);
    ck_assert_int_eq(svt->vbv_init_percent, 0);
    ck_assert_int_eq(svt->threads, 1);
    ck_assert_int_eq(svt->bit_depth, 8);
    ck_assert_str_eq(aom->encoder, "aom");
    ck_assert_str_eq(aom->preset, "5");
    ck_assert_int_eq(aom->bit_depth, 10);
    ck_assert_int_eq(aom->crf_hundredths, 2800);
    ck_assert_int_eq(aom->threads, 2);
}
END_TEST

START_TEST(bad_ladders_name_the_place) {
    struct ladder ladder = {.video_count = 77};
    struct err err = {0};
    ck_assert_msg(parse(&ladder, bad[_i].text, &err) == ERR_INVALID, "%s", bad[_i].text);
    for (int i = 0; i < 3 && bad[_i].names[i] != NULL; i++) {
        ck_assert_msg(strstr(err.message, bad[_i].names[i]) != NULL, "no '%s' in '%s'",
                      bad[_i].names[i], err.message);
    }
    ck_assert_int_eq(ladder.video_count, 77);
}
END_TEST

/* Whatever a byte is changed to, the text is read or refused, and nothing worse. */
START_TEST(broken_text_is_survived) {
    static const char bytes[] = "{}[]:,-#&*!|>'\"%@`\n \t0159kM.eE~\xff";
    const char *good = ladder_builtin_text(ladder_builtin_at((size_t)_i));
    size_t size = strlen(good);
    char *text = mem_string(good);
    srand((unsigned)_i + 1);
    for (int i = 0; i < 1500; i++) {
        size_t at = (size_t)rand() % size;
        size_t end = rand() % 20 == 0 ? at : size; /* now and then cut short too */
        text[at] = bytes[(size_t)rand() % (sizeof(bytes) - 1)];
        struct ladder ladder;
        struct err err = {0};
        int rc = ladder_parse(&ladder, "mine.yaml", text, end, &err);
        if (rc != 0 && (rc != ERR_INVALID || strstr(err.message, "mine.yaml") == NULL)) {
            ck_abort_msg("%d: %s", rc, err.message);
        }
        text[at] = good[at];
    }
    mem_free(text);
}
END_TEST

START_TEST(missing_ladders_are_told_of) {
    struct ladder ladder;
    struct err err = {0};
    ck_assert_int_eq(ladder_load(&ladder, "h265", &err), ERR_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "h265"));
    ck_assert_ptr_nonnull(strstr(err.message, "standard, h264, av1, av1-slow, fast, lossless"));
    ck_assert_int_eq(ladder_load(&ladder, "/", NULL), ERR_INVALID);
}
END_TEST

START_TEST(files_are_loaded_and_bounded) {
    char path[] = "/tmp/ladder-XXXXXX.yaml";
    int fd = mkstemps(path, 5);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_gt(dprintf(fd, RUNG), 0);
    struct ladder ladder;
    ck_assert_int_eq(ladder_load(&ladder, path, NULL), 0);
    ck_assert_int_eq(strncmp(ladder.name, "ladder-", 7), 0);
    ck_assert_ptr_null(strstr(ladder.name, ".yaml"));
    ck_assert_int_eq(ftruncate(fd, 100000), 0);
    struct err err = {0};
    ck_assert_int_eq(ladder_load(&ladder, path, &err), ERR_INVALID);
    close(fd);
    unlink(path);
}
END_TEST

/* ---- JSON ----------------------------------------------------------------------- */

START_TEST(ladders_come_back_from_json) {
    struct ladder ladder;
    memset(&ladder, 0, sizeof(ladder));
    ck_assert_int_eq(ladder_load(&ladder, ladder_builtin_at((size_t)_i), NULL), 0);
    struct buf text = {0};
    struct writer w = writer_of(&text);
    ladder_write(&ladder, &w, NULL);
    /* ladders of before there were images are compared with new ones, as texts */
    ck_assert_int_eq(strstr(buf_text(&text), "\"images\"") != NULL, ladder.images);
    struct json *root = NULL;
    ck_assert_int_eq(json_tree_parse(&root, text.data, text.size, NULL), 0);
    struct err err = {0};
    struct reader r = reader_of(root, "ladder", &err);
    struct ladder again;
    ck_assert_msg(ladder_read(&again, &r, &err) == 0, "%s", err.message);
    struct buf second = {0};
    w = writer_of(&second);
    ladder_write(&again, &w, NULL);
    ck_assert_str_eq(buf_text(&second), buf_text(&text));
    ck_assert_int_eq(again.video_count, ladder.video_count);
    ck_assert_int_eq(
        memcmp(again.video, ladder.video, sizeof(again.video[0]) * (size_t)again.video_count), 0);
    ck_assert_str_eq(again.description, ladder.description);
    json_tree_destroy(root);
    buf_finish(&text);
    buf_finish(&second);
}
END_TEST

START_TEST(json_without_rungs_is_refused) {
    static const char text[] =
        "{\"name\":\"x\",\"description\":\"\",\"gop_ms\":2000,\"segment_gops\":2,"
        "\"chunk_ms\":16000,\"max_rate\":\"60/1\",\"deinterlace\":\"frame\",\"video\":[],"
        "\"audio\":[]}";
    struct json *root = NULL;
    ck_assert_int_eq(json_tree_parse(&root, text, sizeof(text) - 1, NULL), 0);
    struct err err = {0};
    struct reader r = reader_of(root, "request", &err);
    struct ladder ladder;
    ck_assert_int_eq(ladder_read(&ladder, &r, &err), ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "video"));
    json_tree_destroy(root);
}
END_TEST

Suite *ladders_suite(void) {
    Suite *suite = suite_create("ladders");
    TCase *tc = tcase_create("built in");
    tcase_add_loop_test(tc, builtin_ladders_are_good, 0, BUILTIN);
    tcase_add_test(tc, h264_is_the_everyday_ladder);
    tcase_add_test(tc, rungs_of_another_codec_begin_anew);
    tcase_add_test(tc, lossless_has_no_rate);
    suite_add_tcase(suite, tc);
    tc = tcase_create("files");
    tcase_add_test(tc, rungs_override_the_top);
    tcase_add_loop_test(tc, bad_ladders_name_the_place, 0, sizeof(bad) / sizeof(bad[0]));
    tcase_add_loop_test(tc, broken_text_is_survived, 0, BUILTIN);
    tcase_add_test(tc, missing_ladders_are_told_of);
    tcase_add_test(tc, files_are_loaded_and_bounded);
    suite_add_tcase(suite, tc);
    tc = tcase_create("JSON");
    tcase_add_loop_test(tc, ladders_come_back_from_json, 0, BUILTIN);
    tcase_add_test(tc, json_without_rungs_is_refused);
    suite_add_tcase(suite, tc);
    return suite;
}
