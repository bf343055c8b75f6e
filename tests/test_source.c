/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probe, pictures and sound over files made with ffmpeg: each picture shows its number,
 * so every frame of every chunk can be told. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "fixture.h"
#include "source_fixture.h"

static void probe(struct source_document *document, struct file_source *source,
                  enum deinterlace deinterlace) {
    struct probe_options options = probe_options_default();
    struct err err = {0};
    options.deinterlace = deinterlace;
    int status = encoder_probe(document, &source->io, &options, NULL, NULL, &err);
    ck_assert_msg(status == 0, "%s", err.message);
}

static void open_source(struct file_source *source, const char *folder, const char *name) {
    char *path = mem_format("%s/%s", folder, name);
    ck_assert_msg(file_source_open(source, path), "%s", path);
    mem_free(path);
}

/* ---- Every frame of every chunk -------------------------------------------- */

/* Frame n shows picture first + n * step, after the first has been held for `held`. */
static const struct {
    const char *file;
    const char *input_rate;
    const char *command; /* makes `file` */
    int64_t frames;
    struct rational rate;
    int first;
    int step;
    int held;
    int64_t fewest_accesses; /* of the index, half a second apart at least */
    enum deinterlace deinterlace;
    double start_s; /* on the source's clock; NAN: any */
} clips[] = {
    {"closed.mp4",
     "24",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 closed.mp4",
     120,
     {24, 1},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     0},
    {"ntsc.mp4",
     "24000/1001",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 ntsc.mp4",
     120,
     {24000, 1001},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     0},
    {"open.mp4",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 -x264-params open-gop=1:scenecut=0 open.mp4",
     120,
     {25, 1},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     0},
    {"open.ts",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 -x264-params open-gop=1:scenecut=0 open.ts",
     120,
     {25, 1},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     NAN},
    {"cues.mkv",
     "30000/1001",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 cues.mkv",
     120,
     {30000, 1001},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     0},
    {"live.mkv",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 -x264-params open-gop=1:scenecut=0 "
     "-f matroska -live 1 - >live.mkv",
     120,
     {25, 1},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     0},
    {"a.flv",
     "30",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 a.flv",
     120,
     {30, 1},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     NAN},
    {"fragments.mp4",
     "30",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 -movflags "
     "frag_keyframe+empty_moov+default_base_moof fragments.mp4",
     120,
     {30, 1},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     NAN},
    {"refresh.ts",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 -bf 0 -x264-params "
     "intra-refresh=1:scenecut=0 refresh.ts",
     120,
     {25, 1},
     0,
     1,
     0,
     1,
     DEINTERLACE_FRAME,
     NAN},
    {"refresh.mp4",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 -bf 0 -x264-params "
     "intra-refresh=1:scenecut=0 refresh.mp4",
     120,
     {25, 1},
     0,
     1,
     0,
     1,
     DEINTERLACE_FRAME,
     0},
    {"mpeg2.ts",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 -c:v mpeg2video -g 12 -bf 2 -b:v 1M mpeg2.ts",
     120,
     {25, 1},
     0,
     1,
     0,
     10,
     DEINTERLACE_FRAME,
     NAN},
    {"mpeg2.mpg",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 -c:v mpeg2video -g 12 -bf 2 -b:v 400k mpeg2.mpg",
     120,
     {25, 1},
     0,
     1,
     0,
     3,
     DEINTERLACE_FRAME,
     NAN},
    {"mpeg2.m2v",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 -c:v mpeg2video -g 12 -bf 2 -b:v 1M mpeg2.m2v",
     120,
     {25, 1},
     0,
     1,
     0,
     10,
     DEINTERLACE_FRAME,
     0},
    {"raw.h264",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 raw.h264",
     120,
     {25, 1},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     0},
    {"h264.avi",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 h264.avi",
     120,
     {25, 1},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     0},
    {"mpeg4.avi",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 -c:v mpeg4 -g 12 -bf 2 -b:v 1M mpeg4.avi",
     120,
     {25, 1},
     0,
     1,
     0,
     10,
     DEINTERLACE_FRAME,
     0},
    {"hevc.mp4",
     "24",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 -c:v libx265 -preset ultrafast -x265-params "
     "keyint=24:open-gop=1:bframes=3:pools=1:log-level=none hevc.mp4",
     120,
     {24, 1},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     0},
    {"hevc.ts",
     "24",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 -c:v libx265 -preset ultrafast -x265-params "
     "keyint=24:open-gop=1:bframes=3:pools=1:log-level=none hevc.ts",
     120,
     {24, 1},
     0,
     1,
     0,
     5,
     DEINTERLACE_FRAME,
     NAN},
    {"hidden.webm",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 60 -c:v libvpx -deadline realtime -auto-alt-ref 1 "
     "-lag-in-frames 16 -g 24 -b:v 600k hidden.webm",
     60,
     {25, 1},
     0,
     1,
     0,
     3,
     DEINTERLACE_FRAME,
     0},
    {"ten.mkv",
     "10",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 60 $X264 ten.mkv",
     60,
     {10, 1},
     0,
     1,
     0,
     3,
     DEINTERLACE_FRAME,
     0},
    {"half.mkv",
     "25/2",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 60 $X264 half.mkv",
     60,
     {25, 2},
     0,
     1,
     0,
     3,
     DEINTERLACE_FRAME,
     0},
    {"fast.mkv",
     "120",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 240 $X264 fast.mkv",
     120,
     {60, 1},
     0,
     2,
     0,
     4,
     DEINTERLACE_FRAME,
     0},
    /* An edit list that begins within a GOP. */
    {"edit.mp4",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 -x264-params open-gop=1:scenecut=0 all.mp4\n"
     "ffmpeg -ss 1.32 -i all.mp4 -c copy edit.mp4",
     87,
     {25, 1},
     33,
     1,
     0,
     3,
     DEINTERLACE_FRAME,
     0},
    /* An edit list that begins with ten seconds of nothing. */
    {"late.mp4",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 60 $X264 all.mp4\n"
     "ffmpeg -itsoffset 10 -i all.mp4 -c copy late.mp4",
     60,
     {25, 1},
     0,
     1,
     0,
     2,
     DEINTERLACE_FRAME,
     10},
    /* The 33-bit clock wraps after 3.7 seconds. */
    {"wrap.ts",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 200 $X264 -output_ts_offset 95440 -muxdelay 0 wrap.ts",
     200,
     {25, 1},
     0,
     1,
     0,
     8,
     DEINTERLACE_FRAME,
     NAN},
    /* A recording that begins in the middle of an open GOP. */
    {"middle.ts",
     "25",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 -x264-params open-gop=1:scenecut=0 all.ts\n"
     "tail -c +40001 all.ts >middle.ts",
     72,
     {25, 1},
     48,
     1,
     0,
     3,
     DEINTERLACE_FRAME,
     NAN},
    /* Sound begins two seconds before the first picture, which is held. */
    {"held.mp4",
     "24",
     "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 60 $X264 all.mp4\n"
     "ffmpeg -itsoffset 2 -i all.mp4 -f lavfi -i sine=d=4 -map 0 -map 1 -c:v copy -c:a aac "
     "held.mp4",
     108,
     {24, 1},
     0,
     1,
     48,
     2,
     DEINTERLACE_FRAME,
     0},
    /* Each field is a picture of its own. */
    {"fields.mp4",
     "50",
     "ffmpeg -f lavfi -i \"$CLIP,tinterlace=interleave_top\" -vf setfield=tff -frames:v 60 $X264 "
     "-x264-params "
     "tff=1 fields.mp4",
     120,
     {50, 1},
     0,
     1,
     0,
     2,
     DEINTERLACE_FIELD,
     0},
    {"fields.ts",
     "50",
     "ffmpeg -f lavfi -i \"$CLIP,tinterlace=interleave_top\" -frames:v 60 -c:v mpeg2video "
     "-flags +ilme+ildct -top 1 -g 12 -bf 2 -b:v 2M fields.ts",
     120,
     {50, 1},
     0,
     1,
     0,
     2,
     DEINTERLACE_FIELD,
     NAN},
};

static int expected_counter(int clip, int64_t frame) {
    int64_t since = frame < clips[clip].held ? 0 : frame - clips[clip].held;
    return clips[clip].first + (int)since * clips[clip].step;
}

START_TEST(each_frame_shows_its_picture) {
    static const int64_t chunks[] = {1000, 23, 7};
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct shown whole = {0};
    source_shell(folder, clips[_i].input_rate, clips[_i].command);
    open_source(&source, folder, clips[_i].file);
    probe(&document, &source, clips[_i].deinterlace);
    ck_assert_msg(document.timeline.frames == clips[_i].frames, "%s has %lld frames",
                  clips[_i].file, (long long)document.timeline.frames);
    ck_assert_msg(rational_compare(document.timeline.rate, clips[_i].rate) == 0,
                  "%s runs at %lld/%lld", clips[_i].file, (long long)document.timeline.rate.num,
                  (long long)document.timeline.rate.den);
    ck_assert_int_eq(document.missing, 0);
    ck_assert_msg((int64_t)document.access_count >= clips[_i].fewest_accesses,
                  "%s has %zu random access points", clips[_i].file, document.access_count);
    if (!isnan(clips[_i].start_s)) {
        ck_assert_double_eq_tol(rational_value(document.timeline.start), clips[_i].start_s, 1e-6);
    }
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        struct shown shown;
        source_read(&shown, &document, &source, 0, clips[_i].frames, chunks[i],
                    clips[_i].deinterlace);
        ck_assert_int_eq(shown.stats.repaired, 0);
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
        open_source(&source, folder, files[file]);
        probe(&document, &source, DEINTERLACE_FRAME);
        ck_assert(document.video.variable_rate);
        ck_assert_int_eq(document.timeline.rate.num, 30);
        ck_assert_int_eq(document.timeline.rate.den, 1);
        ck_assert_int_ge(document.timeline.frames, 157);
        ck_assert_int_le(document.timeline.frames, 160);
        source_read(&shown, &document, &source, 0, document.timeline.frames, 17, DEINTERLACE_FRAME);
        ck_assert_int_eq(shown.stats.repaired, 0);
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
    open_source(&source, folder, "joined.ts");
    probe(&document, &source, DEINTERLACE_FRAME);
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

/* ---- Damage ---------------------------------------------------------------- */

START_TEST(a_file_cut_short_says_what_is_missing) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct shown shown;
    source_shell(folder, "24",
                 "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 120 $X264 -movflags +faststart all.mp4\n"
                 "head -c $(($(stat -c %s all.mp4) / 2)) all.mp4 >cut.mp4");
    open_source(&source, folder, "cut.mp4");
    probe(&document, &source, DEINTERLACE_FRAME);
    ck_assert_int_eq(document.timeline.frames, 120);
    ck_assert_int_gt(document.missing, 30);
    ck_assert_int_lt(document.missing, 90);
    ck_assert_int_eq(document.defect_count, 1);
    ck_assert_ptr_nonnull(strstr(document.defects[0], "ends early"));
    source_read(&shown, &document, &source, 0, 120, 24, DEINTERLACE_FRAME);
    int64_t present = 120 - document.missing;
    for (int64_t frame = 0; frame < 120; frame++) {
        /* The last pictures that are there may lack those they refer to. */
        if (frame < present - 3) {
            ck_assert_int_eq(shown.counters[frame], frame);
        } else if (frame > present + 3) {
            ck_assert_str_eq(shown.hashes[frame], shown.hashes[frame - 1]);
        }
    }
    ck_assert_int_ge(shown.stats.repaired, document.missing);
    ck_assert_int_le(shown.stats.repaired, document.missing + 3);
    shown_finish(&shown);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

/* Reads all that can be read; whatever comes is fine, but a sentence with each error. */
static void exercise(const struct source_io *io) {
    struct source_document document = {0};
    struct probe_options options = probe_options_default();
    struct err err = {0};
    int status = encoder_probe(&document, io, &options, NULL, NULL, &err);
    if (status != 0) {
        ck_assert_int_eq(status, err.code);
        ck_assert_uint_gt(strlen(err.message), 10);
        return;
    }
    ck_assert_int_gt(document.timeline.frames, 0);
    ck_assert_uint_gt(document.access_count, 0);
    int64_t end = document.timeline.frames < 60 ? document.timeline.frames : 60;
    struct picture_source *pictures = NULL;
    const struct picture_source_options chunk = {&document, io, 0, end, DEINTERLACE_FRAME};
    status = picture_source_open(&pictures, &chunk, &err);
    const AVFrame *picture = NULL;
    bool same = false;
    while (status >= 0 && (status = picture_source_next(pictures, &picture, &same, &err)) == 1) {
        ck_assert_int_gt(picture->width, 0);
    }
    ck_assert(status == 0 || strlen(err.message) > 10);
    picture_source_close(pictures);
    struct sound_source *sound = NULL;
    err_clear(&err);
    if (document.audio_count > 0 && sound_source_open(&sound, &document, 0, io, &err) == 0) {
        struct rational start;
        const AVFrame *samples = NULL;
        while (sound_source_next(sound, &samples, &start, &err) == 1) {
            ck_assert_int_gt(samples->nb_samples, 0);
        }
        sound_source_close(sound);
    }
    source_document_finish(&document);
}

static int64_t read_memory(void *context, int64_t offset, void *data, size_t size,
                           struct err *err) {
    const struct buf *buf = context;
    (void)err;
    int64_t left = (int64_t)buf->size - offset;
    size_t got = left <= 0 ? 0 : (size_t)left < size ? (size_t)left : size;
    memcpy(data, buf->data + (got > 0 ? offset : 0), got);
    return (int64_t)got;
}

/* Bytes are overwritten and the end is cut at places that a fixed sequence names. */
START_TEST(damage_gives_a_picture_or_a_sentence) {
    static const char *const files[] = {"a.mp4", "f.mp4", "a.mkv", "a.ts",
                                        "a.flv", "a.avi", "a.mpg"};
    enum { TURNS = 16 };
    char *folder = fixture_folder();
    source_shell(folder, "25",
                 "for f in a.mp4 a.mkv a.ts a.flv; do ffmpeg -f lavfi -i \"$CLIP\" -f lavfi -i "
                 "sine=d=1 -frames:v 30 -s 64x48 $X264 -c:a aac $f; done\n"
                 "ffmpeg -i a.mp4 -c copy -movflags frag_keyframe+empty_moov f.mp4\n"
                 "for f in a.avi a.mpg; do ffmpeg -i a.mp4 -c:v mpeg2video -c:a mp2 $f; done");
    unsigned state = 1 + (unsigned)_i;
    char *path = mem_format("%s/%s", folder, files[_i]);
    FILE *file = fopen(path, "rb");
    struct buf whole = {0};
    uint8_t block[4096];
    size_t got;
    ck_assert_ptr_nonnull(file);
    while ((got = fread(block, 1, sizeof(block), file)) > 0) {
        buf_append(&whole, block, got);
    }
    fclose(file);
    for (int turn = 0; turn < TURNS; turn++) {
        struct buf bad = {0};
        buf_append(&bad, whole.data, whole.size);
        int flips = 1 << turn % 7;
        for (int i = 0; i < flips; i++) {
            state = state * 1103515245u + 12345u;
            size_t at = (state >> 8) % bad.size;
            /* Half of them where headers are. */
            at = turn % 2 == 0 ? at % 2048 % bad.size : at;
            state = state * 1103515245u + 12345u;
            bad.data[at] = (uint8_t)(state >> 16);
        }
        if (turn % 4 == 3) {
            bad.size = bad.size * (size_t)(turn + 1) / (TURNS + 1);
        }
        const struct source_io io = {read_memory, (int64_t)bad.size, &bad};
        exercise(&io);
        buf_finish(&bad);
    }
    buf_finish(&whole);
    mem_free(path);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- Reading --------------------------------------------------------------- */

START_TEST(a_chunk_reads_its_own_bytes) {
    static const char *const files[] = {"a.mp4", "f.mp4", "a.mkv", "a.ts", "a.flv"};
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct shown shown;
    source_shell(
        folder, "25",
        "ffmpeg -f lavfi -i \"$CLIP,noise=c0s=40:allf=t\" -frames:v 480 $X264 -b:v 4M a.mp4\n"
        "ffmpeg -i a.mp4 -c copy -movflags frag_keyframe+empty_moov f.mp4\n"
        "for f in a.mkv a.ts a.flv; do ffmpeg -i a.mp4 -c copy $f; done");
    open_source(&source, folder, files[_i]);
    probe(&document, &source, DEINTERLACE_FRAME);
    int64_t probed = source.bytes_read;
    if (_i == 0) {
        ck_assert_msg(probed < source.io.size / 4, "the probe of an MP4 read %lld of %lld bytes",
                      (long long)probed, (long long)source.io.size);
    } else {
        /* And at most 5 MB to find out what the streams are. */
        ck_assert_msg(probed < source.io.size * 5 / 4 + 5000000,
                      "the probe read %lld of %lld bytes", (long long)probed,
                      (long long)source.io.size);
    }
    source_read(&shown, &document, &source, 240, 288, 48, DEINTERLACE_FRAME);
    /* A tenth of the title, a run-in of at most one GOP, and buffers at the start, for the
     * header, at the access point and at the end. */
    int64_t most = source.io.size * (48 + 24 + 4) / 480 + 6 * 65536;
    ck_assert_msg(shown.largest_read < most, "48 of 480 frames of %s read %lld of %lld bytes",
                  files[_i], (long long)shown.largest_read, (long long)source.io.size);
    ck_assert_int_le(shown.stats.decoded, 48 + 24 + 4);
    ck_assert_int_eq(shown.counters[0], 240);
    shown_finish(&shown);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(a_failing_read_is_no_end) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct probe_options options = probe_options_default();
    struct file_source source;
    source_shell(
        folder, "25",
        "ffmpeg -f lavfi -i \"$CLIP,noise=c0s=40:allf=t\" -f lavfi -i sine=d=5 -frames:v 120 "
        "$X264 -b:v 4M -c:a aac a.ts");
    open_source(&source, folder, "a.ts");
    probe(&document, &source, DEINTERLACE_FRAME);
    source.fail_at = source.io.size / 2;
    struct err err = {0};
    struct source_document other = {0};
    ck_assert_int_eq(encoder_probe(&other, &source.io, &options, NULL, NULL, &err),
                     ERR_UNAVAILABLE);
    ck_assert_str_eq(err.message, "the storage is away");
    ck_assert_ptr_null(other.container);
    err_clear(&err);
    struct picture_source *pictures = NULL;
    const struct picture_source_options chunk = {&document, &source.io, 0, 120, DEINTERLACE_FRAME};
    int status = picture_source_open(&pictures, &chunk, &err);
    const AVFrame *picture = NULL;
    bool same = false;
    while (status >= 0 && (status = picture_source_next(pictures, &picture, &same, &err)) == 1) {
    }
    ck_assert_int_eq(status, ERR_UNAVAILABLE);
    picture_source_close(pictures);
    err_clear(&err);
    struct sound_source *sound = NULL;
    ck_assert_int_eq(sound_source_open(&sound, &document, 0, &source.io, &err), 0);
    const AVFrame *samples = NULL;
    struct rational start;
    while ((status = sound_source_next(sound, &samples, &start, &err)) == 1) {
    }
    ck_assert_int_eq(status, ERR_UNAVAILABLE);
    sound_source_close(sound);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

static int stop_at_once(void *context, int64_t done, int64_t total) {
    int64_t *seen = context;
    ck_assert_int_le(done, total);
    *seen = done;
    return 1;
}

START_TEST(a_probe_can_be_cancelled) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct probe_options options = probe_options_default();
    struct file_source source;
    struct err err = {0};
    int64_t seen = -1;
    source_shell(folder, "25", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 1100 $X264 a.ts");
    open_source(&source, folder, "a.ts");
    ck_assert_int_eq(encoder_probe(&document, &source.io, &options, stop_at_once, &seen, &err),
                     ERR_CANCELLED);
    ck_assert_int_ge(seen, 0);
    ck_assert_ptr_null(document.container);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(bounds_are_kept) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct err err = {0};
    source_shell(folder, "25", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 100 $X264 a.mp4");
    open_source(&source, folder, "a.mp4");
    struct probe_options options = probe_options_default();
    options.max_frames = 99;
    ck_assert_int_eq(encoder_probe(&document, &source.io, &options, NULL, NULL, &err),
                     ERR_UNSUPPORTED);
    err_clear(&err);
    options.max_frames = 100;
    ck_assert_int_eq(encoder_probe(&document, &source.io, &options, NULL, NULL, &err), 0);
    source_document_finish(&document);
    options.max_height = 95;
    ck_assert_int_eq(encoder_probe(&document, &source.io, &options, NULL, NULL, &err),
                     ERR_UNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(err.message, "160x96"));
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- Sound ----------------------------------------------------------------- */

/* A click sounds as picture 50 comes up, after 2 s. */
static const struct {
    const char *file;
    const char *command;
    double tolerance_s;
} sounds[] = {
    {"pcm.mov", "ffmpeg -i av.mov -c copy pcm.mov", 0.00003},
    {"aac.mp4", "ffmpeg -i av.mov -c:v copy -c:a aac -b:a 192k aac.mp4", 0.0005},
    {"aac.ts", "ffmpeg -i av.mov -c:v copy -c:a aac -b:a 192k aac.ts", 0.0005},
    {"aac.mkv", "ffmpeg -i av.mov -c:v copy -c:a aac -b:a 192k aac.mkv", 0.001},
    /* ffmpeg 5.1 moves the pictures alone by the codec's delay of 7 ms. */
    {"opus.mkv", "ffmpeg -i av.mov -c:v copy -c:a libopus -b:a 192k opus.mkv", 0.0085},
    {"aac.flv", "ffmpeg -i av.mov -c:v copy -c:a aac -b:a 192k aac.flv", 0.001},
    {"fragments.mp4",
     "ffmpeg -i av.mov -c:v copy -c:a aac -b:a 192k -movflags frag_keyframe+empty_moov "
     "fragments.mp4",
     0.0005},
    {"ac3.ts", "ffmpeg -i av.mov -c:v copy -c:a ac3 -b:a 384k ac3.ts", 0.0085},
    /* Edit lists count in milliseconds here. */
    {"late.mp4", "ffmpeg -itsoffset 7 -i av.mov -c:v copy -c:a aac -b:a 192k late.mp4", 0.001},
    {"wrap.ts", "ffmpeg -i av.mov -c:v copy -c:a aac -b:a 192k -output_ts_offset 95441 wrap.ts",
     0.0005},
};

START_TEST(sound_keeps_to_its_picture) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    struct err err = {0};
    struct sound_source *sound = NULL;
    struct shown shown;
    source_shell(folder, "25",
                 "ffmpeg -f lavfi -i \"$CLIP\" -f lavfi -i \"aevalsrc=exprs='0.9*between(t,2,2.02)*"
                 "sin(2*PI*1000*t)':s=48000:d=4\" -t 4 $X264 -c:a pcm_s16le av.mov");
    source_shell(folder, "25", sounds[_i].command);
    open_source(&source, folder, sounds[_i].file);
    probe(&document, &source, DEINTERLACE_FRAME);
    ck_assert_uint_eq(document.audio_count, 1);
    source_read(&shown, &document, &source, 0, document.timeline.frames, 1000, DEINTERLACE_FRAME);
    int64_t flash = 0;
    while (shown.counters[flash] != 50) {
        flash++;
    }
    double picture_s = (double)flash / rational_value(document.timeline.rate);
    ck_assert_int_eq(sound_source_open(&sound, &document, 0, &source.io, &err), 0);
    double click_s = -1;
    double end = NAN;
    const AVFrame *samples = NULL;
    struct rational start;
    while (sound_source_next(sound, &samples, &start, &err) == 1) {
        double at = rational_value(start);
        /* Before the start ffmpeg may leave the encoder's priming by itself. */
        ck_assert_msg(isnan(end) || end < 0 || fabs(at - end) < 1e-6, "a gap from %f to %f", end,
                      at);
        for (int i = 0; i < samples->nb_samples && click_s < 0; i++) {
            double level = samples->format == AV_SAMPLE_FMT_FLTP
                               ? (double)((const float *)samples->extended_data[0])[i]
                               : ((const int16_t *)samples->extended_data[0])[i] / 32768.0;
            /* A quarter of a sine at 1 kHz rises past half in 1/12 ms. */
            if (fabs(level) > 0.45) {
                click_s = at + (double)i / samples->sample_rate - 1.0 / 12000;
            }
        }
        end = at + (double)samples->nb_samples / samples->sample_rate;
    }
    ck_assert_msg(fabs(click_s - picture_s) <= sounds[_i].tolerance_s,
                  "%s: the click is at %.6f s, its picture at %.6f s", sounds[_i].file, click_s,
                  picture_s);
    ck_assert_double_ge(end, 3.9);
    sound_source_close(sound);
    shown_finish(&shown);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- Facts ----------------------------------------------------------------- */

START_TEST(geometry_and_colour_are_told) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    source_shell(
        folder, "25",
        "ffmpeg -f lavfi -i \"$CLIP\" -vf setparams=color_primaries=bt2020:color_trc=smpte2084:"
        "colorspace=bt2020nc -frames:v 10 $X264 -aspect 4:1 a.mp4");
    open_source(&source, folder, "a.mp4");
    probe(&document, &source, DEINTERLACE_FRAME);
    const struct video_facts *video = &document.video;
    ck_assert_int_eq(video->coded_width, 160);
    ck_assert_int_eq(video->coded_height, 96);
    ck_assert_int_eq(video->sample_aspect.num, 12);
    ck_assert_int_eq(video->sample_aspect.den, 5);
    ck_assert_int_eq(video->colour.primaries, 9);
    ck_assert_int_eq(video->colour.transfer, 16);
    ck_assert_int_eq(video->colour.matrix, 9);
    ck_assert(!video->colour_assumed);
    ck_assert(colour_is_hdr(&video->colour));
    ck_assert_str_eq(video->codec, "h264");
    ck_assert_str_eq(video->pixel_format, "yuv420p");
    ck_assert_int_eq(video->bit_depth, 8);
    ck_assert_int_eq(video->chroma, CHROMA_420);
    ck_assert_int_eq(video->scan, SCAN_PROGRESSIVE);
    ck_assert_int_eq(video->width, 384);
    ck_assert_int_eq(video->height, 96);
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(tracks_that_stay_behind_are_named) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct file_source source;
    source_shell(
        folder, "25",
        "printf '1\\n00:00:00,000 --> 00:00:01,000\\nhello\\n' >s.srt\n"
        "ffmpeg -f lavfi -i \"$CLIP\" -f lavfi -i \"$CLIP,scale=80:48\" -f lavfi -i sine=d=1 "
        "-f lavfi -i sine=d=1 -i s.srt -map 1 -map 0 -map 2 -map 3 -map 4 -frames:v 25 $X264 "
        "-c:a aac -c:s srt -metadata:s:a:0 language=ger -metadata:s:a:1 language=eng "
        "-disposition:a:1 default -disposition:a:0 0 -disposition:v:0 0 "
        "-disposition:v:1 0 a.mkv");
    open_source(&source, folder, "a.mkv");
    probe(&document, &source, DEINTERLACE_FRAME);
    ck_assert_int_eq(document.video.coded_width, 160);
    ck_assert_int_eq(document.video.stream, 1);
    ck_assert_uint_eq(document.audio_count, 2);
    ck_assert_str_eq(document.audio[0].language, "en");
    ck_assert_str_eq(document.audio[1].language, "de");
    ck_assert_uint_eq(document.left_out_count, 3);
    ck_assert_ptr_nonnull(strstr(document.left_out[0], "video"));
    ck_assert_ptr_nonnull(strstr(document.left_out[1], "audio, aac, de"));
    ck_assert_ptr_nonnull(strstr(document.left_out[2], "subtitle"));
    source_document_finish(&document);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

/* What is no title, made in the shell, and the sentence's heart. */
static const struct {
    const char *command; /* makes `f` */
    int code;
    const char *says;
} refusals[] = {
    {": >f", ERR_CORRUPT, "empty"},
    {"printf 'hello, this is a letter and no film at all\\n' >f", ERR_CORRUPT,
     "nothing in it looks like a video"},
    {"head -c 300000 /dev/zero >f", ERR_CORRUPT, "nothing in it looks like a video"},
    {"ffmpeg -f lavfi -i sine=d=1 -c:a aac a.mp4; mv a.mp4 f", ERR_UNSUPPORTED, "no video stream"},
    {"ffmpeg -f lavfi -i sine=d=1 a.mp3; mv a.mp3 f", ERR_UNSUPPORTED, "sound without pictures"},
    {"ffmpeg -f lavfi -i \"$CLIP\" -frames:v 5 a.gif; mv a.gif f", ERR_UNSUPPORTED, "GIF"},
    {"ffmpeg -f lavfi -i \"$CLIP\" -frames:v 1 a.png; mv a.png f", ERR_UNSUPPORTED, "an image"},
    {"printf '#EXTM3U\\n#EXT-X-TARGETDURATION:4\\n#EXTINF:4,\\n/etc/passwd\\n' >f", ERR_UNSUPPORTED,
     "other files"},
    {"ffmpeg -f lavfi -i \"$CLIP\" -frames:v 30 $X264 a.mp4; head -c 9000 a.mp4 >f", ERR_CORRUPT,
     "cut off"},
    {"ffmpeg -f lavfi -i \"$CLIP\" -frames:v 5 $X264 -encryption_scheme cenc-aes-ctr "
     "-encryption_key 00112233445566778899aabbccddeeff "
     "-encryption_kid 00112233445566778899aabbccddeeff a.mp4; mv a.mp4 f",
     ERR_UNSUPPORTED, "encrypted"},
};

START_TEST(what_is_no_title_is_refused) {
    char *folder = fixture_folder();
    struct source_document document = {0};
    struct probe_options options = probe_options_default();
    struct file_source source;
    struct err err = {0};
    source_shell(folder, "25", refusals[_i].command);
    open_source(&source, folder, "f");
    int status = encoder_probe(&document, &source.io, &options, NULL, NULL, &err);
    ck_assert_msg(status == refusals[_i].code, "%s: %d %s", refusals[_i].command, status,
                  err.message);
    ck_assert_msg(strstr(err.message, refusals[_i].says) != NULL, "%s", err.message);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

Suite *source_suite(void);

Suite *source_suite(void) {
    Suite *suite = suite_create("source");
    TCase *frames = tcase_create("frames");
    tcase_set_timeout(frames, 180);
    tcase_add_loop_test(frames, each_frame_shows_its_picture, 0, sizeof(clips) / sizeof(clips[0]));
    tcase_add_test(frames, variable_rate_shows_what_is_on_screen);
    tcase_add_test(frames, joined_recordings_follow_one_another);
    suite_add_tcase(suite, frames);
    TCase *damage = tcase_create("damage");
    tcase_set_timeout(damage, 180);
    tcase_add_test(damage, a_file_cut_short_says_what_is_missing);
    tcase_add_loop_test(damage, damage_gives_a_picture_or_a_sentence, 0, 7);
    suite_add_tcase(suite, damage);
    TCase *reading = tcase_create("reading");
    tcase_set_timeout(reading, 180);
    tcase_add_loop_test(reading, a_chunk_reads_its_own_bytes, 0, 5);
    tcase_add_test(reading, a_failing_read_is_no_end);
    tcase_add_test(reading, a_probe_can_be_cancelled);
    tcase_add_test(reading, bounds_are_kept);
    suite_add_tcase(suite, reading);
    TCase *sound = tcase_create("sound");
    tcase_set_timeout(sound, 180);
    tcase_add_loop_test(sound, sound_keeps_to_its_picture, 0, sizeof(sounds) / sizeof(sounds[0]));
    suite_add_tcase(suite, sound);
    TCase *facts = tcase_create("facts");
    tcase_add_test(facts, geometry_and_colour_are_told);
    tcase_add_test(facts, tracks_that_stay_behind_are_named);
    tcase_add_loop_test(facts, what_is_no_title_is_refused, 0,
                        sizeof(refusals) / sizeof(refusals[0]));
    suite_add_tcase(suite, facts);
    return suite;
}
