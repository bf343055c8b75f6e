/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real clips: what the probe says of each against what their manifest knows, and a few
 * pictures and all sound of each. Damaged ones give a document or a sentence. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "source_fixture.h"

Suite *source_media_suite(void);

enum { COLUMN_FILE = 0, COLUMN_PACKETS = 16, COLUMN_FRAMES = 17, COLUMNS = 24, LINE_BYTES = 8192 };

/* Its edit begins in a picture's middle, which is shown; the manifest's tool hides it. */
#define CUT_INTO "awkward/iphone_hlg_hevc10_rot_editlist.mp4"

/* ---- What is known of some --------------------------------------------------- */

static const struct {
    const char *file;
    int64_t frames;
    struct rational rate;
    struct rational start;
    int width; /* upright, square pixels */
    int height;
    int rotation;
    bool mirrored;
    bool variable;
    enum scan scan;
    int transfer;
    bool full_range;
} facts[] = {
    {"awkward/tos_ts_pts_rollover.ts",
     480,
     {24, 1},
     {-233, 24},
     640,
     360,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     6,
     false},
    {"awkward/sony_a7m3_1080i_avchd.mts",
     13,
     {25, 1},
     {26, 25},
     1920,
     1080,
     0,
     false,
     false,
     SCAN_TOP_FIRST,
     1,
     false},
    {CUT_INTO,
     78,
     {30000, 1001},
     {-13, 600},
     1080,
     1920,
     90,
     false,
     false,
     SCAN_PROGRESSIVE,
     18,
     false},
    {"awkward/iphone_rot90_gps.mov",
     120,
     {30, 1},
     {0, 1},
     320,
     568,
     90,
     false,
     false,
     SCAN_PROGRESSIVE,
     1,
     false},
    {"awkward/phone_rot90_ftyp3gp5.mp4",
     39,
     {30, 1},
     {0, 1},
     720,
     1280,
     90,
     false,
     false,
     SCAN_PROGRESSIVE,
     1,
     false},
    {"awkward/sample_rotate_and_reflect.mp4",
     30,
     {30000, 1001},
     {0, 1},
     720,
     1080,
     270,
     true,
     false,
     SCAN_PROGRESSIVE,
     1,
     false},
    {"awkward/bbb_800x640_sar_start10s.mp4",
     120,
     {30, 1},
     {10, 1},
     1137,
     640,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     6,
     false},
    {"awkward/sar_2x1.mp4",
     150,
     {30, 1},
     {0, 1},
     1280,
     360,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     6,
     false},
    {"awkward/weird_aspect.small.mpg",
     37,
     {25, 1},
     {11, 50},
     501,
     288,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     6,
     false},
    {"awkward/edit_list_positive_shift.mp4",
     300,
     {30, 1},
     {0, 1},
     1920,
     1080,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     1,
     false},
    {"awkward/fragmented_15s_60fps.mp4",
     932,
     {60, 1},
     {1, 30},
     320,
     240,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     6,
     true},
    {"awkward/bear-vp9-odd-dimensions.webm",
     30,
     {30000, 1001},
     {0, 1},
     161,
     121,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     6,
     false},
    {"awkward/hdr10-hevc-1080p.mp4",
     31,
     {30, 1},
     {0, 1},
     1920,
     1080,
     0,
     false,
     true,
     SCAN_PROGRESSIVE,
     16,
     false},
    {"awkward/cursed-vfr.mp4",
     524,
     {60, 1},
     {0, 1},
     3026,
     1386,
     0,
     false,
     true,
     SCAN_PROGRESSIVE,
     1,
     false},
    {"awkward/nasa_13013_2v_2a_2sub.mp4",
     390,
     {30000, 1001},
     {0, 1},
     480,
     270,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     1,
     false},
    {"awkward/webcam_640x360.flv",
     569,
     {30, 1},
     {67, 1000},
     640,
     360,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     6,
     false},
    {"film/karma.mp4",
     362,
     {30000, 1001},
     {0, 1},
     854,
     480,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     1,
     true},
    {"film/one-by-one-person-detection.mp4",
     1394,
     {10, 1},
     {0, 1},
     768,
     432,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     6,
     false},
    {"film/bezos_vogels_720p.mkv",
     546,
     {30000, 1001},
     {417, 500},
     1280,
     720,
     0,
     false,
     false,
     SCAN_PROGRESSIVE,
     1,
     false},
    {"film/mixed-content.webm",
     450,
     {30, 1},
     {0, 1},
     480,
     270,
     0,
     false,
     true,
     SCAN_PROGRESSIVE,
     6,
     false},
};

/* Sources that are refused: code, and the sentence's heart. All others are documents. */
static const struct {
    const char *file;
    int code;
    const char *says;
} refused[] = {
    {"awkward/multiple-51-aac-tracks.mp4", ERR_UNSUPPORTED, "no video stream"},
    {"awkward/svt_stereo_plus_ac3_51.mp4", ERR_UNSUPPORTED, "no video stream"},
    {"broken/clusterfuzz-mp4-6093954524250112.mp4", ERR_CORRUPT, "header"},
    {"broken/fuzzed_isom_10028.mp4", ERR_UNSUPPORTED, "no video stream"},
    {"broken/fuzzed_mp42_586018.mp4", ERR_CORRUPT, "header"},
    {"broken/gif_named.mp4", ERR_UNSUPPORTED, "GIF"},
    {"broken/invalid-bitstream.webm", ERR_CORRUPT, "can be decoded"},
    {"broken/large_stbl_truncated_after_moov.m4b", ERR_UNSUPPORTED, "no video stream"},
    {"broken/lfs_pointer_not_media.mp4", ERR_CORRUPT, "nothing in it looks like a video"},
    {"broken/sample_malformed_free_box.mp4", ERR_CORRUPT, "no header"},
    {"broken/trunc_no_moov.mp4", ERR_CORRUPT, "cut off"},
    {"broken/widevine_encrypted.mp4", ERR_UNSUPPORTED, "encrypted"},
    {"broken/zero-frame.ts", ERR_CORRUPT, "no pictures"},
    {"broken/zero_byte_chunk.m4a", ERR_CORRUPT, "empty"},
    {"broken/zero_empty_stsc.mp4", ERR_CORRUPT, "can be decoded"},
};

static int refusal_of(const char *name) {
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        if (strcmp(refused[i].file, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

/* Splits a line at tabs; an empty cell stays. */
static int split(char *line, char *cells[COLUMNS]) {
    int count = 0;
    line[strcspn(line, "\r\n")] = '\0';
    for (char *at = line; at != NULL && count < COLUMNS; count++) {
        cells[count] = at;
        at = strchr(at, '\t');
        if (at != NULL) {
            *at++ = '\0';
        }
    }
    return count;
}

static int probe(struct source_document *document, struct file_source *source, struct err *err) {
    struct probe_options options = probe_options_default();
    return encoder_probe(document, &source->io, &options, NULL, NULL, err);
}

/* The first and the last frames, which no damage may keep from coming. */
static void read_ends(const struct source_document *document, struct file_source *source) {
    int64_t frames = document->timeline.frames;
    int64_t starts[] = {0, frames > 4 ? frames - 4 : 0};
    for (int i = 0; i < 2; i++) {
        struct picture_source *pictures = NULL;
        struct err err = {0};
        int64_t end = starts[i] + 4 < frames ? starts[i] + 4 : frames;
        const struct picture_source_options options = {document, &source->io, starts[i], end,
                                                       DEINTERLACE_FRAME};
        int status = picture_source_open(&pictures, &options, &err);
        for (int64_t frame = starts[i]; status == 0 && frame < end; frame++) {
            const AVFrame *picture = NULL;
            bool same = false;
            int got = picture_source_next(pictures, &picture, &same, &err);
            status = got == 1 ? 0 : got;
            ck_assert(got != 1 || picture->width == document->video.coded_width);
        }
        ck_assert_msg(status == 0, "%s", err.message);
        picture_source_close(pictures);
    }
}

static void read_sound(const struct source_document *document, struct file_source *source) {
    struct sound_source *sound = NULL;
    struct err err = {0};
    if (document->audio_count == 0) {
        return;
    }
    ck_assert_msg(sound_source_open(&sound, document, 0, &source->io, &err) == 0, "%s",
                  err.message);
    const AVFrame *samples = NULL;
    struct rational start;
    double end = -1e9;
    int status = 0;
    while ((status = sound_source_next(sound, &samples, &start, &err)) == 1) {
        double at = rational_value(start);
        ck_assert_msg(at > end - 1, "sound goes back from %f to %f", end, at);
        end = at + (double)samples->nb_samples / samples->sample_rate;
    }
    ck_assert_int_eq(status, 0);
    sound_source_close(sound);
}

/* One line of a manifest. */
static void check_clip(const char *media, const char *folder, char *cells[COLUMNS]) {
    char *name = mem_format("%s/%s", folder, cells[COLUMN_FILE]);
    char *path = mem_format("%s/%s", media, name);
    struct file_source source;
    struct source_document document = {0};
    struct err err = {0};
    ck_assert_msg(file_source_open(&source, path), "%s is not there", path);
    int status = probe(&document, &source, &err);
    int refusal = refusal_of(name);
    if (refusal >= 0) {
        ck_assert_msg(status == refused[refusal].code, "%s: %d %s", name, status, err.message);
        ck_assert_msg(strstr(err.message, refused[refusal].says) != NULL, "%s: %s", name,
                      err.message);
    } else {
        ck_assert_msg(status == 0, "%s: %s", name, err.message);
        int64_t decoded = strtoll(cells[COLUMN_FRAMES], NULL, 10);
        decoded += strcmp(name, CUT_INTO) == 0;
        int64_t held = document.access[0].frame > 0 ? document.access[0].frame : 0;
        bool one_track = strchr(cells[COLUMN_PACKETS], '|') == NULL;
        /* What decodes without damage at a constant rate has a frame for each picture. */
        if (strcmp(folder, "broken") != 0 && !document.video.variable_rate && one_track) {
            ck_assert_msg(document.timeline.frames - held - document.missing == decoded,
                          "%s has %lld frames, %lld missing, and %lld pictures", name,
                          (long long)document.timeline.frames, (long long)document.missing,
                          (long long)decoded);
        }
        read_ends(&document, &source);
        read_sound(&document, &source);
        source_document_finish(&document);
    }
    file_source_close(&source);
    mem_free(path);
    mem_free(name);
}

static const char *const folders[] = {"film", "awkward", "broken"};

START_TEST(every_clip_of_a_manifest) {
    char *media = source_media("source_media every_clip_of_a_manifest");
    if (media == NULL) {
        return;
    }
    char *path = mem_format("%s/%s/MANIFEST.tsv", media, folders[_i]);
    FILE *manifest = fopen(path, "r");
    char line[LINE_BYTES];
    int clips = 0;
    ck_assert_msg(manifest != NULL, "no %s", path);
    while (fgets(line, sizeof(line), manifest) != NULL) {
        char *cells[COLUMNS];
        if (split(line, cells) > COLUMN_FRAMES && strcmp(cells[COLUMN_FILE], "file") != 0) {
            check_clip(media, folders[_i], cells);
            clips++;
        }
    }
    ck_assert_int_gt(clips, 5);
    fclose(manifest);
    mem_free(path);
    mem_free(media);
}
END_TEST

START_TEST(what_is_known_of_a_clip) {
    char *media = source_media("source_media what_is_known_of_a_clip");
    if (media == NULL) {
        return;
    }
    char *path = mem_format("%s/%s", media, facts[_i].file);
    struct file_source source;
    struct source_document document = {0};
    struct err err = {0};
    ck_assert_msg(file_source_open(&source, path), "%s is not there", path);
    ck_assert_msg(probe(&document, &source, &err) == 0, "%s", err.message);
    const struct video_facts *video = &document.video;
    ck_assert_int_eq(document.timeline.frames, facts[_i].frames);
    ck_assert_int_eq(rational_compare(document.timeline.rate, facts[_i].rate), 0);
    ck_assert_int_eq(rational_compare(document.timeline.start, facts[_i].start), 0);
    ck_assert_int_eq(video->width, facts[_i].width);
    ck_assert_int_eq(video->height, facts[_i].height);
    ck_assert_int_eq(video->rotation, facts[_i].rotation);
    ck_assert_int_eq(video->mirrored, facts[_i].mirrored);
    ck_assert_int_eq(video->variable_rate, facts[_i].variable);
    ck_assert_int_eq(video->scan, facts[_i].scan);
    ck_assert_int_eq(video->colour.transfer, facts[_i].transfer);
    ck_assert_int_eq(video->colour.full_range, facts[_i].full_range);
    source_document_finish(&document);
    file_source_close(&source);
    mem_free(path);
    mem_free(media);
}
END_TEST

/* The same bytes give the same document: no clock, no address, no order of chance. */
START_TEST(a_probe_repeats_itself) {
    char *media = source_media("source_media a_probe_repeats_itself");
    if (media == NULL) {
        return;
    }
    char *path = mem_format("%s/awkward/tos_ts_pts_rollover.ts", media);
    struct source_document documents[2] = {{.container = NULL}};
    struct file_source source;
    struct err err = {0};
    ck_assert(file_source_open(&source, path));
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(probe(&documents[i], &source, &err), 0);
    }
    ck_assert_uint_eq(documents[0].access_count, documents[1].access_count);
    ck_assert_mem_eq(documents[0].access, documents[1].access,
                     documents[0].access_count * sizeof(documents[0].access[0]));
    ck_assert_mem_eq(&documents[0].video, &documents[1].video, sizeof(documents[0].video));
    ck_assert_mem_eq(&documents[0].timeline, &documents[1].timeline, sizeof(documents[0].timeline));
    source_document_finish(&documents[0]);
    source_document_finish(&documents[1]);
    file_source_close(&source);
    mem_free(path);
    mem_free(media);
}
END_TEST

Suite *source_media_suite(void) {
    Suite *suite = suite_create("source_media");
    TCase *clips = tcase_create("clips");
    tcase_set_timeout(clips, 300);
    tcase_add_loop_test(clips, every_clip_of_a_manifest, 0, 3);
    tcase_add_loop_test(clips, what_is_known_of_a_clip, 0, sizeof(facts) / sizeof(facts[0]));
    tcase_add_test(clips, a_probe_repeats_itself);
    suite_add_tcase(suite, clips);
    return suite;
}
