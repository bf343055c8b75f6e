/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pictures over files made with ffmpeg: each shows its number, so every frame of every
 * chunk can be told. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "fixture.h"
#include "source_fixture.h"

Suite *source_suite(void);

/* ---- Every frame of every chunk -------------------------------------------- */

#define MPEG2 "-c:v mpeg2video -g 12 -bf 2 -b:v "
#define HEVC                                                                                       \
    "-c:v libx265 -preset ultrafast -x265-params keyint=24:open-gop=1:bframes=3:pools=1:"          \
    "log-level=none"
#define FRAGMENTS "$X264 -movflags frag_keyframe+empty_moov+default_base_moof"
#define HIDDEN    "-c:v libvpx -deadline realtime -auto-alt-ref 1 -lag-in-frames 16 -g 24 -b:v 600k"
#define FIELDS    "-vf tinterlace=interleave_top,setfield=tff "
#define REFRESH   "$X264 -bf 0 -x264-params intra-refresh=1:scenecut=0"

/* Frame n shows picture first + n * step, after the first has been held. */
static const struct {
    const char *file;
    const char *input_rate;
    const char *options; /* of ffmpeg, from pictures that show their number to the file */
    int64_t frames;
    struct rational rate;
    int64_t accesses;    /* at least; of the index */
    const char *whole;   /* the options make this file of 120 pictures, */
    const char *command; /* and this command the file from it */
    int first;
    int step; /* 0: 1 */
    int held;
    enum deinterlace deinterlace; /* NONE: FRAME */
    double start_s;               /* on the source's clock */
    bool any_start;
} clips[] = {
    {"closed.mp4", "24", "$X264", 120, {24, 1}, .accesses = 5},
    {"ntsc.mp4", "24000/1001", "$X264", 120, {24000, 1001}, .accesses = 5},
    {"open.mp4", "25", "$X264 $OPEN", 120, {25, 1}, .accesses = 5},
    {"open.ts", "25", "$X264 $OPEN", 120, {25, 1}, .accesses = 5, .any_start = true},
    {"cues.mkv", "30000/1001", "$X264", 120, {30000, 1001}, .accesses = 5},
    {"live.mkv", "25", "$X264 $OPEN -f matroska -live 1 - >", 120, {25, 1}, .accesses = 5},
    {"a.flv", "30", "$X264", 120, {30, 1}, .accesses = 5, .any_start = true},
    {"fragments.mp4", "30", FRAGMENTS, 120, {30, 1}, .accesses = 5, .any_start = true},
    {"refresh.ts", "25", REFRESH, 120, {25, 1}, .accesses = 1, .any_start = true},
    {"refresh.mp4", "25", REFRESH, 120, {25, 1}, .accesses = 1},
    {"mpeg2.ts", "25", MPEG2 "1M", 120, {25, 1}, .accesses = 10, .any_start = true},
    {"mpeg2.mpg", "25", MPEG2 "400k", 120, {25, 1}, .accesses = 3, .any_start = true},
    {"mpeg2.m2v", "25", MPEG2 "1M", 120, {25, 1}, .accesses = 10},
    {"raw.h264", "25", "$X264", 120, {25, 1}, .accesses = 5},
    {"h264.avi", "25", "$X264", 120, {25, 1}, .accesses = 5},
    {"mpeg4.avi", "25", "-c:v mpeg4 -g 12 -bf 2 -b:v 1M", 120, {25, 1}, .accesses = 10},
    {"a.mxf", "25", MPEG2 "1M", 60, {25, 1}, .accesses = 5},
    {"a.y4m", "25", "", 30, {25, 1}, .accesses = 3},
    {"hevc.mp4", "24", HEVC, 120, {24, 1}, .accesses = 5},
    {"hevc.ts", "24", HEVC, 120, {24, 1}, .accesses = 5, .any_start = true},
    {"hidden.webm", "25", HIDDEN, 60, {25, 1}, .accesses = 3},
    {"ten.mkv", "10", "$X264", 60, {10, 1}, .accesses = 3},
    {"half.mkv", "25/2", "$X264", 60, {25, 2}, .accesses = 3},
    {"fast.mkv", "120", "$X264", 120, {60, 1}, .accesses = 4, .step = 2},
    /* An edit list that begins within a GOP. */
    {"edit.mp4",
     "25",
     "$X264 $OPEN",
     87,
     {25, 1},
     .accesses = 3,
     .first = 33,
     .whole = "all.mp4",
     .command = "ffmpeg -ss 1.32 -i all.mp4 -c copy edit.mp4"},
    /* An edit list that begins with ten seconds of nothing. */
    {"late.mp4",
     "25",
     "$X264",
     120,
     {25, 1},
     .accesses = 5,
     .start_s = 10,
     .whole = "all.mp4",
     .command = "ffmpeg -itsoffset 10 -i all.mp4 -c copy late.mp4"},
    /* The 33-bit clock wraps after 3.7 seconds. */
    {"wrap.ts",
     "25",
     "$X264 -output_ts_offset 95440 -muxdelay 0",
     200,
     {25, 1},
     .accesses = 8,
     .any_start = true},
    /* A recording that begins in the middle of an open GOP. */
    {"middle.ts",
     "25",
     "$X264 $OPEN",
     72,
     {25, 1},
     .accesses = 3,
     .first = 48,
     .whole = "all.ts",
     .command = "tail -c +40001 all.ts >middle.ts",
     .any_start = true},
    /* Sound begins two seconds before the first picture, which is held. */
    {"held.mp4",
     "24",
     "$X264",
     168,
     {24, 1},
     .accesses = 5,
     .held = 48,
     .whole = "all.mp4",
     .command = "ffmpeg -itsoffset 2 -i all.mp4 -f lavfi -i sine=d=4 -map 0 -map 1 -c:v copy "
                "-c:a aac held.mp4"},
    /* Each field is a picture of its own. */
    {"fields.mp4",
     "50",
     FIELDS "$X264 -x264-params tff=1",
     120,
     {50, 1},
     .accesses = 2,
     .deinterlace = DEINTERLACE_FIELD},
    {"fields.ts",
     "50",
     FIELDS MPEG2 "2M -flags +ilme+ildct",
     120,
     {50, 1},
     .accesses = 2,
     .deinterlace = DEINTERLACE_FIELD,
     .any_start = true},
};

static void make_clip(int clip, const char *folder) {
    bool straight = clips[clip].whole == NULL;
    int64_t pictures = straight ? clips[clip].frames : 120;
    if (clips[clip].step > 1) {
        pictures *= clips[clip].step;
    } else if (clips[clip].deinterlace == DEINTERLACE_FIELD) {
        pictures /= 2;
    }
    char *command = mem_format("ffmpeg -f lavfi -i \"$CLIP\" -frames:v %lld %s %s\n%s",
                               (long long)pictures, clips[clip].options,
                               straight ? clips[clip].file : clips[clip].whole,
                               straight ? "" : clips[clip].command);
    source_shell(folder, clips[clip].input_rate, command);
    mem_free(command);
}

static int expected_counter(int clip, int64_t frame) {
    int64_t since = frame < clips[clip].held ? 0 : frame - clips[clip].held;
    return clips[clip].first + (int)since * (clips[clip].step > 1 ? clips[clip].step : 1);
}

START_TEST(each_frame_shows_its_picture) {
    static const int64_t chunks[] = {1000, 23, 7};
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct shown whole = {0};
    enum deinterlace deinterlace = clips[_i].deinterlace == DEINTERLACE_FIELD ? DEINTERLACE_FIELD
                                                                              : DEINTERLACE_FRAME;
    make_clip(_i, folder);
    source_open(&source, folder, clips[_i].file);
    source_probe(&document, &source, deinterlace);
    ck_assert_msg(document.timeline.frames == clips[_i].frames, "%s has %lld frames",
                  clips[_i].file, (long long)document.timeline.frames);
    ck_assert_msg(rational_compare(document.timeline.rate, clips[_i].rate) == 0,
                  "%s runs at %lld/%lld", clips[_i].file, (long long)document.timeline.rate.num,
                  (long long)document.timeline.rate.den);
    ck_assert_int_eq(document.missing, 0);
    ck_assert_msg((int64_t)document.access_count >= clips[_i].accesses,
                  "%s has %zu random access points", clips[_i].file, document.access_count);
    if (!clips[_i].any_start) {
        ck_assert_double_eq_tol(rational_value(document.timeline.start), clips[_i].start_s, 1e-6);
    }
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        struct shown shown;
        source_read(&shown, &document, &source, 0, clips[_i].frames, chunks[i], deinterlace);
        ck_assert_int_eq(shown.stats.repaired, 0);
        ck_assert_int_eq(shown.stats.concealed, 0);
        for (int64_t frame = 0; frame < shown.count; frame++) {
            ck_assert_msg(shown.counters[frame] == expected_counter(_i, frame),
                          "%s in chunks of %lld: frame %lld shows picture %d, not %d",
                          clips[_i].file, (long long)chunks[i], (long long)frame,
                          shown.counters[frame], expected_counter(_i, frame));
            ck_assert_msg(i == 0 || strcmp(shown.hashes[frame], whole.hashes[frame]) == 0,
                          "%s: frame %lld differs in chunks of %lld", clips[_i].file,
                          (long long)frame, (long long)chunks[i]);
        }
        if (i == 0) {
            whole = shown;
        } else {
            shown_finish(&shown);
        }
    }
    shown_finish(&whole);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- Timelines ------------------------------------------------------------- */

/* Pictures 0, 1, 2, ... stand for 1, 2, 1 and 4 frames of 30 a second, in turn. */
START_TEST(variable_rate_shows_what_is_on_screen) {
    static const int hold[] = {1, 2, 1, 4};
    static const char *const files[] = {"vfr.mp4", "vfr.mkv"};
    char *folder = fixture_folder();
    source_shell(folder, "30",
                 "ffmpeg -f lavfi -i \"$CLIP,setpts='round((8*floor(N/4)+gte(mod(N,4),1)+"
                 "2*gte(mod(N,4),2)+gte(mod(N,4),3))/30/TB)'\" -frames:v 80 -fps_mode passthrough "
                 "-enc_time_base 1/90000 $X264 vfr.mp4\n"
                 "ffmpeg -i vfr.mp4 -c copy vfr.mkv");
    for (int file = 0; file < 2; file++) {
        struct source_document document = {0};
        struct file_source source;
        struct shown shown;
        source_open(&source, folder, files[file]);
        source_probe(&document, &source, DEINTERLACE_FRAME);
        ck_assert(document.video.variable_rate);
        ck_assert_int_eq(document.timeline.rate.num, 30);
        ck_assert_int_eq(document.timeline.rate.den, 1);
        ck_assert_int_ge(document.timeline.frames, 157);
        ck_assert_int_le(document.timeline.frames, 160);
        source_read(&shown, &document, &source, 0, document.timeline.frames, 17, DEINTERLACE_FRAME);
        ck_assert_int_eq(shown.stats.repaired, 0);
        ck_assert_int_eq(shown.stats.concealed, 0);
        int64_t frame = 0;
        for (int picture = 0; frame < shown.count; picture++) {
            for (int i = 0; i < hold[picture % 4] && frame < shown.count; i++) {
                ck_assert_msg(shown.counters[frame] == picture, "%s: frame %lld shows %d, not %d",
                              files[file], (long long)frame, shown.counters[frame], picture);
                frame++;
            }
        }
        shown_finish(&shown);
        source_document_finish(&document);
        file_source_close(&source);
    }
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(joined_recordings_follow_one_another) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    source_shell(folder, "25",
                 "ffmpeg -f lavfi -i \"$CLIP\" -f lavfi -i sine=d=4 -t 4 $X264 -c:a aac a.ts\n"
                 "ffmpeg -i a.ts -c copy -output_ts_offset 1000 b.ts\n"
                 "cat a.ts a.ts b.ts a.ts >joined.ts");
    source_open(&source, folder, "joined.ts");
    source_probe(&document, &source, DEINTERLACE_FRAME);
    ck_assert_int_eq(document.timeline.frames, 400);
    ck_assert_int_eq(document.defect_count, 1);
    ck_assert_ptr_nonnull(strstr(document.defects[0], "jumps 3 times"));
    for (int64_t chunk = 23; chunk <= 1000; chunk += 977) {
        struct shown shown;
        source_read(&shown, &document, &source, 0, 400, chunk, DEINTERLACE_FRAME);
        for (int64_t frame = 0; frame < 400; frame++) {
            ck_assert_int_eq(shown.counters[frame], frame % 100);
        }
        shown_finish(&shown);
    }
    /* Sound of each part begins as far from its pictures as in the first. */
    struct sound_source *sound = NULL;
    struct err err = {0};
    ck_assert_int_eq(sound_source_open(&sound, &document, 0, &source.io, &err), 0);
    double end = 0;
    double first = NAN;
    int jumps = 0;
    const AVFrame *samples = NULL;
    struct rational start;
    while (sound_source_next(sound, &samples, &start, &err) == 1) {
        double at = rational_value(start);
        first = isnan(first) ? at : first;
        if (jumps < 3 && fabs(at - end) > 0.001 && end > 0) {
            jumps++;
            ck_assert_double_eq_tol(at, first + 4.0 * jumps, 0.0005);
        }
        end = at + (double)samples->nb_samples / samples->sample_rate;
    }
    ck_assert_double_ge(end, 15.5);
    ck_assert_double_le(end, 16.5);
    sound_source_close(sound);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

Suite *source_suite(void) {
    Suite *suite = suite_create("source");
    TCase *frames = tcase_create("frames");
    tcase_set_timeout(frames, 180);
    tcase_add_loop_test(frames, each_frame_shows_its_picture, 0, sizeof(clips) / sizeof(clips[0]));
    tcase_add_test(frames, variable_rate_shows_what_is_on_screen);
    tcase_add_test(frames, joined_recordings_follow_one_another);
    suite_add_tcase(suite, frames);
    return suite;
}
