/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify over what ffmpeg packages: of all that is told of it, and there is some, nothing is about
 * codecs, their records and their samples, nor about how it is encrypted.
 */
#include <check.h>
#include <dirent.h>
#include <string.h>

#include "common/fs.h"
#include "common/mem.h"
#include "fixture.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_ffmpeg_suite(void);

static const struct {
    const char *video, *tag, *sound, *options;
    bool sealed;
} makings[] = {
    {"libx265", "hvc1", "eac3", "movflags=+cmaf", false},
    {"libx265", "hev1", "libopus", "movflags=+cmaf", false},
    {"libx264", "avc1", "ac3", "movflags=+cmaf", false},
    {"libx264", "avc1", "flac", "movflags=+cmaf", false},
    {"libx264", "avc1", "aac",
     "movflags=+cmaf:encryption_scheme=cenc-aes-ctr:"
     "encryption_key=00112233445566778899aabbccddeeff:"
     "encryption_kid=112233445566778899aabbccddeeff00",
     true},
};

static void run_ffmpeg(const char *folder, int making) {
    const char *const words[] = {"ffmpeg",
                                 "-nostdin",
                                 "-v",
                                 "error",
                                 "-f",
                                 "lavfi",
                                 "-i",
                                 "testsrc2=size=160x90:rate=24",
                                 "-f",
                                 "lavfi",
                                 "-i",
                                 "sine=sample_rate=48000",
                                 "-t",
                                 "4",
                                 "-g",
                                 "48",
                                 "-c:v",
                                 makings[making].video,
                                 "-preset",
                                 "ultrafast",
                                 "-tag:v",
                                 makings[making].tag,
                                 "-ac",
                                 "2",
                                 "-c:a",
                                 makings[making].sound,
                                 "-strict",
                                 "-2",
                                 "-f",
                                 "dash",
                                 "-dash_segment_type",
                                 "mp4",
                                 "-hls_playlist",
                                 "1",
                                 "-format_options",
                                 makings[making].options,
                                 "manifest.mpd",
                                 NULL};
    title_fixture_run(folder, "log", words);
}

static void read_folder(struct title_fixture *title, const char *folder) {
    DIR *files = opendir(folder);
    ck_assert_ptr_nonnull(files);
    for (struct dirent *file = readdir(files); file != NULL; file = readdir(files)) {
        struct buf bytes = {0};
        char *path = mem_format("%s/%s", folder, file->d_name);
        if (file->d_name[0] != '.' && fs_read(&bytes, path, 1 << 24, NULL) == 0) {
            title_fixture_add(title, file->d_name, bytes.data, bytes.size);
        }
        buf_finish(&bytes);
        mem_free(path);
    }
    closedir(files);
}

START_TEST(test_ffmpeg) {
    static const char *const wrong[] = {
        "cmaf-init",    "cmaf-segment",      "codec-record",         "codec-sample",
        "codec-level",  "cmaf-protection",   "cmaf-sample-duration", "unchecked-codec",
        "audio-config", "cmaf-sample-flags", "cmaf-index",           "dash-audio"};
    struct title_fixture title = {0};
    struct verdict verdict;
    char *folder = fixture_folder();
    run_ffmpeg(folder, _i);
    read_folder(&title, folder);
    ck_assert_int_eq(verdict_of(&verdict, &title), 0);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        ck_assert_msg(!verdict_tells(&verdict, wrong[i]), "%s:\n%.3000s", makings[_i].sound,
                      verdict_lines(&verdict));
    }
    bool hev1 = strcmp(makings[_i].tag, "hev1") == 0;
    ck_assert_msg(verdict_tells(&verdict, "codec-parameter-sets") == hev1 &&
                      verdict_tells(&verdict, "unchecked-encryption") == makings[_i].sealed,
                  "%.3000s", verdict_lines(&verdict));
    verdict_finish(&verdict);
    title_fixture_finish(&title);
    fixture_folder_drop(folder);
}
END_TEST

Suite *verify_ffmpeg_suite(void) {
    Suite *suite = suite_create("verify_ffmpeg");
    TCase *titles = tcase_create("titles of ffmpeg");
    tcase_set_timeout(titles, 120);
    tcase_add_loop_test(titles, test_ffmpeg, 0, sizeof(makings) / sizeof(makings[0]));
    suite_add_tcase(suite, titles);
    return suite;
}
