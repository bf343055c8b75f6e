/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `remove` takes and what it leaves, in real folders. */
#include <check.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "fixture.h"
#include "workers/remove.h"
#include "workers/workers.h"

Suite *remove_suite(void);

#define OLD  "0123456789abcdef"
#define NEW  "fedcba9876543210"
#define HALF "00000000aaaaaaaa"

static char *root;

static void write_file(const char *name, const char *text) {
    fixture_write(root, name, text, strlen(text));
}

static bool is_there(const char *name) {
    char *path = mem_format("%s/%s", root, name);
    bool there = access(path, F_OK) == 0;
    mem_free(path);
    return there;
}

static void setup(void) {
    root = fixture_folder();
}

static void teardown(void) {
    fixture_folder_drop(root);
}

#define DOCUMENT(folders) "{\"title\":\"t\",\"renditions\":[" folders "]}"
#define FOLDER(name)      "{\"id\":\"x\",\"folder\":\"" name "\"}"

/* Two kept versions that share a rendition, one that was never finished, and strangers. */
static void make_title(void) {
    static const char *const objects[] = {
        "t/master.m3u8",
        "t/manifest.mpd",
        "t/" OLD ".m3u8",
        "t/" OLD ".mpd",
        "t/" OLD "/h264-240p.m3u8",
        "t/" NEW ".m3u8",
        "t/" NEW ".mpd",
        "t/" NEW "/h264-240p.m3u8",
        "t/" NEW "/h264-240p-iframes.m3u8",
        "t/" HALF ".m3u8",
        "t/" HALF "/h264-240p.m3u8",
        "t/video/h264-240p-aaaaaaaaaa/init.mp4",
        "t/video/h264-240p-aaaaaaaaaa/00001.m4s",
        "t/video/h264-240p-bbbbbbbbbb/00001.m4s",
        "t/video/h264-240p-cccccccccc/00001.m4s",
        "t/audio/und-aac-2-dddddddddd/00001.m4s",
        "t/audio/und-aac-2-eeeeeeeeee/00001.m4s",
        "t/images/poster-aaaaaaaaaa/poster.avif",
        "t/images/poster-aaaaaaaaaa/mine.jpg",
        "t/notes.txt",
        "t/videos/holiday.mp4",
        "other/video/h264-240p-cccccccccc/00001.m4s",
    };
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        write_file(objects[i], "x");
    }
    write_file(
        "t/" OLD ".json",
        "{\"title\":\"t\",\"renditions\":[" FOLDER(
            "video/h264-240p-aaaaaaaaaa") "],\"images\":[" FOLDER("images/poster-aaaaaaaaaa") "]}");
    write_file("t/images/poster-aaaaaaaaaa/poster.avif", "x");
    write_file("t/images/poster-aaaaaaaaaa/mine.jpg", "x");
    write_file("t/images/storyboard-bbbbbbbbbb/thumbnails.vtt", "x");
    write_file("t/" NEW ".json",
               DOCUMENT(FOLDER("video/h264-240p-aaaaaaaaaa") "," FOLDER(
                   "video/h264-240p-bbbbbbbbbb") "," FOLDER("audio/und-aac-2-dddddddddd")));
}

static int remove_now(int64_t *removed, struct err *err) {
    return worker_remove_unnamed(root, "t", removed, NULL, err);
}

START_TEST(a_published_title_keeps_what_its_versions_name) {
    static const char *const gone[] = {
        "t/" HALF ".m3u8",
        ("t/" HALF),
        "t/video/h264-240p-cccccccccc",
        "t/audio/und-aac-2-eeeeeeeeee",
        "t/images/storyboard-bbbbbbbbbb",
    };
    static const char *const kept[] = {
        "t/master.m3u8",
        "t/manifest.mpd",
        "t/title.json",
        "t/" OLD ".m3u8",
        "t/" OLD ".json",
        "t/" OLD "/h264-240p.m3u8",
        "t/" NEW ".mpd",
        "t/" NEW "/h264-240p-iframes.m3u8",
        "t/video/h264-240p-aaaaaaaaaa/init.mp4",
        "t/video/h264-240p-bbbbbbbbbb/00001.m4s",
        "t/audio/und-aac-2-dddddddddd/00001.m4s",
        "t/notes.txt",
        "t/videos/holiday.mp4",
        "other/video/h264-240p-cccccccccc/00001.m4s",
    };
    struct err err = {0};
    int64_t removed = 0;
    make_title();
    write_file("t/title.json", DOCUMENT(FOLDER("video/h264-240p-aaaaaaaaaa")));
    ck_assert_msg(remove_now(&removed, &err) == 0, "%s", err.message);
    ck_assert_int_eq(removed, 5);
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        ck_assert_msg(!is_there(gone[i]), "%s is still there", gone[i]);
    }
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        ck_assert_msg(is_there(kept[i]), "%s has gone", kept[i]);
    }
    ck_assert_int_eq(remove_now(&removed, &err), 0);
    ck_assert_int_eq(removed, 0);
}
END_TEST

START_TEST(a_title_that_was_never_published_keeps_nothing_of_ours) {
    struct err err = {0};
    make_title();
    ck_assert_msg(remove_now(NULL, &err) == 0, "%s", err.message);
    ck_assert(!is_there("t/video"));
    ck_assert(!is_there("t/audio"));
    ck_assert(!is_there("t/master.m3u8"));
    ck_assert(!is_there("t/" NEW ".json"));
    ck_assert(is_there("t/notes.txt"));
    ck_assert(is_there("t/videos/holiday.mp4"));
    ck_assert(is_there("other/video/h264-240p-cccccccccc/00001.m4s"));
}
END_TEST

/* Folders that are called like ours, and were there before reelfarm came. */
START_TEST(what_others_made_stays) {
    static const char *const kept[] = {
        "t/master.m3u8",
        "t/images/cat.png",
        "t/text/notes.txt",
        "t/audio/song.mp3",
        "t/video/h264-240p-cccccccccc/00001.mp4",
        "t/video/h264-240p-ccccccccc/00001.m4s",
        "t/video/h264-240p-cccccccccc/more/00001.m4s",
        "t/video/00001.m4s",
        "t/" OLD "/readme.txt",
        "t/" OLD "/more/h264-240p.m3u8",
    };
    struct err err = {0};
    int64_t removed = 0;
    for (int ours = 0; ours < 2; ours++) {
        for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
            write_file(kept[i], "x");
        }
        if (ours == 1) {
            write_file("t/video/h264-240p-cccccccccc/00001.m4s", "x");
        }
        ck_assert_msg(remove_now(&removed, &err) == 0, "%s", err.message);
        ck_assert_int_eq(removed, 2 * ours); /* with a segment there the playlist is ours too */
        for (size_t i = ours; i < sizeof(kept) / sizeof(kept[0]); i++) {
            ck_assert_msg(is_there(kept[i]), "%s has gone", kept[i]);
        }
    }
}
END_TEST

START_TEST(an_empty_title_leaves_no_folder) {
    struct err err = {0};
    write_file("t/video/h264-240p-aaaaaaaaaa/00001.m4s", "x");
    ck_assert_msg(remove_now(NULL, &err) == 0, "%s", err.message);
    ck_assert(!is_there("t"));
    ck_assert(is_there(""));
    ck_assert_int_eq(remove_now(NULL, &err), 0); /* nothing there is fine */
}
END_TEST

static const char *const damaged[] = {
    "",
    "{",
    "{\"title\":\"t\"}",
    "{\"renditions\":[{\"id\":\"x\"}]}",
    "{\"renditions\":[{\"folder\":7}]}",
    "{\"renditions\":{}}",
};

/* Better too much kept than something that is named. */
START_TEST(a_version_that_cannot_be_read_stops_it) {
    struct err err = {0};
    int64_t removed = 0;
    make_title();
    write_file("t/title.json", DOCUMENT(FOLDER("video/h264-240p-aaaaaaaaaa")));
    write_file("t/" OLD ".json", damaged[_i]);
    ck_assert_int_eq(remove_now(&removed, &err), ERR_CORRUPT);
    ck_assert_msg(strstr(err.message, OLD ".json") != NULL, "%s", err.message);
    ck_assert_int_eq(removed, 0);
    ck_assert(is_there("t/video/h264-240p-cccccccccc/00001.m4s"));
}
END_TEST

START_TEST(names_of_folders_are_whole) {
    struct err err = {0};
    write_file("t/title.json", DOCUMENT(FOLDER("video/h264-240p-aaaaaaaaaa")));
    write_file("t/video/h264-240p-aaaaaaaaaa/00001.m4s", "x");
    write_file("t/video/h264-240p-aaaaaaaaaa-bbbbbbbbbb/00001.m4s", "x");
    ck_assert_msg(remove_now(NULL, &err) == 0, "%s", err.message);
    ck_assert(is_there("t/video/h264-240p-aaaaaaaaaa/00001.m4s"));
    ck_assert(!is_there("t/video/h264-240p-aaaaaaaaaa-bbbbbbbbbb"));
}
END_TEST

static struct blob *open_root(void) {
    struct blob *blob = NULL;
    struct blob_options options = blob_options_default();
    ck_assert_int_eq(blob_open(&blob, root, &options, NULL), 0);
    return blob;
}

START_TEST(everything_of_ours_goes) {
    struct err err = {0};
    int64_t removed = 0;
    make_title();
    write_file("t/title.json", "not even JSON");
    struct blob *blob = open_root();
    ck_assert_msg(remove_everything(blob, "t", &removed, &err) == 0, "%s", err.message);
    ck_assert_int_eq(removed, 22);
    ck_assert(!is_there("t/master.m3u8") && !is_there("t/title.json") && !is_there("t/video"));
    ck_assert(!is_there("t/" OLD ".json") && !is_there("t/" NEW) && !is_there("t/audio"));
    ck_assert(is_there("t/notes.txt") && is_there("t/videos/holiday.mp4"));
    ck_assert(is_there("other/video/h264-240p-cccccccccc/00001.m4s"));
    blob_close(blob);
}
END_TEST

/* One of two versions: what the other names stays, and so does what no version names yet. */
START_TEST(a_dropped_version_takes_its_own_along) {
    static const char *const versions[] = {NEW};
    static const char *const folders[] = {
        "video/h264-240p-bbbbbbbbbb", "audio/und-aac-2-dddddddddd",
        "video/h264-240p-aaaaaaaaaa", /* which the other names: whoever says so is wrong */
    };
    static const char *const kept[] = {
        "t/master.m3u8",
        "t/title.json",
        "t/" OLD ".m3u8",
        "t/" OLD ".json",
        "t/" OLD "/h264-240p.m3u8",
        "t/" HALF ".m3u8",
        "t/video/h264-240p-aaaaaaaaaa/init.mp4",
        "t/video/h264-240p-cccccccccc/00001.m4s",
        "t/notes.txt",
    };
    static const char *const gone[] = {
        "t/" NEW ".m3u8",
        "t/" NEW ".json",
        ("t/" NEW),
        "t/video/h264-240p-bbbbbbbbbb",
        "t/audio/und-aac-2-dddddddddd",
    };
    const struct dropped_versions dropped = {
        .versions = versions, .version_count = 1, .folders = folders, .folder_count = 3};
    struct err err = {0};
    int64_t removed = 0;
    make_title();
    write_file("t/title.json", DOCUMENT(FOLDER("video/h264-240p-aaaaaaaaaa")));
    struct blob *blob = open_root();
    for (int round = 0; round < 2; round++) {
        ck_assert_msg(remove_versions(blob, "t", &dropped, &removed, &err) == 0, "%s", err.message);
        ck_assert_int_eq(removed, round == 0 ? 7 : 0);
    }
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        ck_assert_msg(is_there(kept[i]), "%s has gone", kept[i]);
    }
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        ck_assert_msg(!is_there(gone[i]), "%s is still there", gone[i]);
    }
    blob_close(blob);
}
END_TEST

/* Early playlists: those of a run, those alone, and all of them. */
START_TEST(early_playlists_go_as_they_are_named) {
    static const struct {
        const char *run;
        bool top, alone, all; /* what is asked for */
        const char *kept, *gone;
    } cases[] = {
        {"7", false, true, false, "t/early/17/h264-240p.m3u8", "t/early/7/h264-240p.m3u8"},
        {"7", false, true, false, "t/early.m3u8", "t/early/7"},
        {"17", true, true, false, "t/early/7/h264-240p.m3u8", "t/early.m3u8"},
        {"17", true, true, false, "t/video/h264-240p-cccccccccc/00001.m4s",
         "t/early/17/h264-240p.m3u8"},
        {"17", true, false, false, "t/early/7/h264-240p.m3u8",
         "t/video/h264-240p-cccccccccc/00001.m4s"},
        {"", false, false, true, "t/early/17/notes.txt", "t/early/7"},
    };
    const char *run = cases[_i].run;
    struct early_task early = {
        .run_count = 1, .runs = &run, .top = cases[_i].top, .alone = cases[_i].alone};
    struct blob_options options = blob_options_default();
    struct blob *blob = NULL;
    struct err err = {0};
    int64_t removed = 0;
    make_title();
    write_file("t/title.json", DOCUMENT(FOLDER("video/h264-240p-aaaaaaaaaa")));
    write_file("t/early.m3u8", "x");
    write_file("t/early/7/h264-240p.m3u8", "x");
    write_file("t/early/17/h264-240p.m3u8", "x");
    write_file("t/early/17/notes.txt", "x");
    ck_assert_int_eq(blob_open(&blob, root, &options, &err), 0);
    int failed = early.alone
                     ? remove_early(blob, "t", &early, &removed, &err)
                     : remove_unnamed(blob, "t", cases[_i].all ? NULL : &early, &removed, &err);
    ck_assert_msg(failed == 0, "%s", err.message);
    ck_assert_msg(is_there(cases[_i].kept), "%s is gone", cases[_i].kept);
    ck_assert_msg(!is_there(cases[_i].gone), "%s is still there", cases[_i].gone);
    ck_assert(is_there("t/master.m3u8") && is_there("t/" NEW ".m3u8"));
    blob_close(blob);
}
END_TEST

Suite *remove_suite(void) {
    Suite *suite = suite_create("remove");
    TCase *tc = tcase_create("remove");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, a_published_title_keeps_what_its_versions_name);
    tcase_add_test(tc, a_title_that_was_never_published_keeps_nothing_of_ours);
    tcase_add_test(tc, an_empty_title_leaves_no_folder);
    tcase_add_test(tc, what_others_made_stays);
    tcase_add_loop_test(tc, a_version_that_cannot_be_read_stops_it, 0,
                        (int)(sizeof(damaged) / sizeof(damaged[0])));
    tcase_add_test(tc, names_of_folders_are_whole);
    tcase_add_test(tc, everything_of_ours_goes);
    tcase_add_test(tc, a_dropped_version_takes_its_own_along);
    tcase_add_loop_test(tc, early_playlists_go_as_they_are_named, 0, 6);
    suite_add_tcase(suite, tc);
    return suite;
}
