/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What else is in a source: sound to the sample, facts of its tracks, and what is no
 * title at all. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "fixture.h"
#include "source_fixture.h"

Suite *source_tracks_suite(void);

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
    source_open(&source, folder, sounds[_i].file);
    source_probe(&document, &source, DEINTERLACE_FRAME);
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
    source_open(&source, folder, "a.mp4");
    source_probe(&document, &source, DEINTERLACE_FRAME);
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
    source_open(&source, folder, "a.mkv");
    source_probe(&document, &source, DEINTERLACE_FRAME);
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
    {"ffmpeg -f lavfi -i \"$CLIP\" -frames:v 10 -vf setfield=tff -c:v libx265 -x265-params "
     "interlace=tff:pools=1:log-level=none a.mp4; mv a.mp4 f",
     ERR_UNSUPPORTED, "single fields"},
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
    source_open(&source, folder, "f");
    int status = encoder_probe(&document, &source.io, &options, NULL, NULL, &err);
    ck_assert_msg(status == refusals[_i].code, "%s: %d %s", refusals[_i].command, status,
                  err.message);
    ck_assert_msg(strstr(err.message, refusals[_i].says) != NULL, "%s", err.message);
    file_source_close(&source);
    fixture_folder_drop(folder);
}
END_TEST

Suite *source_tracks_suite(void) {
    Suite *suite = suite_create("source_tracks");
    TCase *tracks = tcase_create("tracks");
    tcase_set_timeout(tracks, 180);
    tcase_add_loop_test(tracks, sound_keeps_to_its_picture, 0, sizeof(sounds) / sizeof(sounds[0]));
    tcase_add_test(tracks, geometry_and_colour_are_told);
    tcase_add_test(tracks, tracks_that_stay_behind_are_named);
    tcase_add_loop_test(tracks, what_is_no_title_is_refused, 0,
                        sizeof(refusals) / sizeof(refusals[0]));
    suite_add_tcase(suite, tracks);
    return suite;
}
