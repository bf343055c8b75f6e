/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Verify over a title whose renditions lie in one file each, with an index, as other packagers
 * write them; and over segments with boxes that ours never have.
 */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/mem.h"
#include "packager/mp4_box.h"
#include "title_fixture.h"
#include "verify_fixture.h"

Suite *verify_index_suite(void);

enum { SEGMENTS = 3, ENTRY_BYTES = 12 };

/* ---- The title in files ---------------------------------------------------------- */

static const struct track {
    const char *id, *folder, *file;
    bool video;
    uint32_t timescale;
    uint32_t first;  /* composition time of what is decoded first */
    uint32_t offset; /* that of what is shown first */
    uint32_t ticks[SEGMENTS];
} tracks[] = {
    {"h264-180p", PICTURES, "video/h264-180p.mp4", true, 24000, 2002, 2002, {48048, 48048, 48048}},
    {"h264-90p", SMALL, "video/h264-90p.mp4", true, 24000, 2002, 2002, {48048, 48048, 48048}},
    {"audio-und-aac-2", SOUND, "audio/und.mp4", false, 48000, 0, 1024, {0}},
};

enum { TRACKS = sizeof(tracks) / sizeof(tracks[0]) };

/* Where the pieces of a track lie in its file. */
struct places {
    size_t header, index_end;
    size_t starts[SEGMENTS + 1];
};

static struct places places[TRACKS];

static const struct buf *segment_of(const struct track *track, int segment) {
    char *path = mem_format("%s%05d.m4s", track->folder, segment + 1);
    const struct buf *bytes = title_fixture_bytes(&whole, path);
    ck_assert_ptr_nonnull(bytes);
    mem_free(path);
    return bytes;
}

/* The ticks of a segment of sound, by its packets: its one trun's count. */
static uint32_t sound_ticks(const struct track *track, int segment) {
    char *path = mem_format("%s%05d.m4s", track->folder, segment + 1);
    uint32_t packets = get_u32(box_of(&whole, path, "trun", 0) + 4);
    mem_free(path);
    return 1024 * packets;
}

static void write_index(const struct track *track, struct buf *out) {
    size_t box = mp4_full_open(out, "sidx", 0, 0);
    buf_u32(out, 1);
    buf_u32(out, track->timescale);
    buf_u32(out, track->first);
    buf_u32(out, 0);
    buf_u32(out, SEGMENTS);
    for (int i = 0; i < SEGMENTS; i++) {
        buf_u32(out, (uint32_t)segment_of(track, i)->size);
        buf_u32(out, track->video ? track->ticks[i] : sound_ticks(track, i));
        buf_u32(out, 0x90000000);
    }
    mp4_close(out, box);
}

static void write_file(const struct track *track, struct places *place) {
    char *path = mem_format("%sinit.mp4", track->folder);
    const struct buf *init = title_fixture_bytes(&whole, path);
    struct buf file = {0};
    buf_append(&file, init->data, init->size);
    place->header = file.size;
    write_index(track, &file);
    place->index_end = file.size;
    for (int i = 0; i < SEGMENTS; i++) {
        const struct buf *segment = segment_of(track, i);
        place->starts[i] = file.size;
        buf_append(&file, segment->data, segment->size);
    }
    place->starts[SEGMENTS] = file.size;
    title_fixture_add(&whole, track->file, file.data, file.size);
    buf_finish(&file);
    mem_free(path);
}

/* Each entry of the playlist names bytes of the file; those of I-frames begin in it. */
static void rewrite_playlist(const struct track *track, const struct places *place,
                             const char *ending) {
    char *path = mem_format("$V/%s%s", track->id, ending);
    struct buf *bytes = title_fixture_bytes(&whole, path);
    struct buf out = {0};
    size_t size = 0, offset = 0;
    bool ranged = false;
    ck_assert_ptr_nonnull(bytes);
    char *rest = NULL;
    char *text = mem_string(buf_text(bytes));
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        if (strncmp(line, "#EXT-X-MAP", 10) == 0) {
            buf_format(&out, "#EXT-X-MAP:URI=\"../%s\",BYTERANGE=\"%zu@0\"\n", track->file,
                       place->header);
        } else if (sscanf(line, "#EXT-X-BYTERANGE:%zu@%zu", &size, &offset) == 2) {
            ranged = true;
        } else if (line[0] != '#') {
            int segment = strrchr(line, '/')[5] - '1'; /* of .../00001.m4s */
            size_t start = place->starts[segment];
            buf_format(&out, "#EXT-X-BYTERANGE:%zu@%zu\n../%s\n",
                       ranged ? size : place->starts[segment + 1] - start,
                       ranged ? start + offset : start, track->file);
        } else {
            buf_format(&out, "%s\n", line);
        }
    }
    buf_finish(bytes);
    *bytes = out;
    mem_free(text);
    mem_free(path);
}

/* In place of the template a SegmentBase in each Representation. */
static void rewrite_mpd(void) {
    struct buf *mpd = title_fixture_bytes(&whole, MPD);
    ck_assert(text_replace(mpd, "profile:isoff-live:2011", "profile:isoff-on-demand:2011", false));
    struct buf out = {0};
    char *rest = NULL;
    char *text = mem_string(buf_text(mpd));
    bool skipped = false;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        skipped = skipped || strstr(line, "<SegmentTemplate") != NULL;
        if (!skipped) {
            buf_format(&out, "%s\n", line);
        }
        skipped = skipped && strstr(line, "</SegmentTemplate") == NULL;
    }
    mem_free(text);
    buf_finish(mpd);
    *mpd = out;
    for (size_t t = 0; t < TRACKS; t++) {
        char *find = mem_format("<BaseURL>%s</BaseURL>", tracks[t].folder);
        char *put = mem_format(
            "<BaseURL>%s</BaseURL><SegmentBase timescale=\"%" PRIu32 "\" indexRange=\"%zu-%zu\" "
            "presentationTimeOffset=\"%" PRIu32 "\"><Initialization range=\"0-%zu\"/>"
            "</SegmentBase>",
            tracks[t].file, tracks[t].timescale, places[t].header, places[t].index_end - 1,
            tracks[t].offset, places[t].header - 1);
        ck_assert(text_replace(mpd, find, put, false));
        mem_free(find);
        mem_free(put);
    }
}

static void make(void) {
    whole_make();
    for (size_t t = 0; t < TRACKS; t++) {
        write_file(&tracks[t], &places[t]);
    }
    for (size_t t = 0; t < TRACKS; t++) {
        rewrite_playlist(&tracks[t], &places[t], ".m3u8");
        if (tracks[t].video) {
            rewrite_playlist(&tracks[t], &places[t], "-iframes.m3u8");
        }
    }
    rewrite_mpd();
    title_fixture_bytes(&whole, "title.json")->size = 0;
}

/* ---- Damage to the index --------------------------------------------------------- */

/* The fields of the index behind its version, in the first file. */
static uint8_t *sidx(void) {
    return box_of(&damaged, tracks[0].file, "sidx", 0) + 4;
}

static uint8_t *entry(int index) {
    return sidx() + 20 + (size_t)index * ENTRY_BYTES;
}

static void index_clock(void) {
    put_u32(sidx() + 4, 90000);
}

static void index_size(void) {
    put_u32(entry(1), get_u32(entry(1)) - 1);
}

static void index_times(void) {
    put_u32(entry(0) + 4, 48047);
    put_u32(entry(1) + 4, 48049);
}

/* Of centuries, by a clock that ticks once a second. */
static void index_endless(void) {
    for (int i = 0; i < SEGMENTS; i++) {
        put_u32(entry(i) + 4, UINT32_MAX);
    }
    ck_assert(text_replace(title_fixture_bytes(&damaged, MPD), "<SegmentBase timescale=\"24000\"",
                           "<SegmentBase timescale=\"1\"", true));
}

static void index_no_key(void) {
    put_u32(entry(1) + 8, 0);
}

/* Access points of a type that is not told, as ffmpeg writes them, and boxes behind all. */
static void index_of_others(void) {
    struct buf more = {0};
    for (int i = 0; i < SEGMENTS; i++) {
        put_u32(entry(i) + 8, 0x80000000);
    }
    mp4_close(&more, mp4_open(&more, "free"));
    mp4_close(&more, mp4_open(&more, "mfra"));
    struct buf *file = title_fixture_bytes(&damaged, tracks[0].file);
    buf_append(file, more.data, more.size);
    buf_finish(&more);
}

static void index_of_indexes(void) {
    put_u32(entry(1), get_u32(entry(1)) | 0x80000000);
}

static void index_twice(void) {
    struct buf more = {0};
    write_index(&tracks[0], &more);
    struct buf *file = title_fixture_bytes(&damaged, tracks[0].file);
    buf_append(file, more.data, more.size);
    buf_finish(&more);
}

static void file_cut(void) {
    title_fixture_bytes(&damaged, tracks[0].file)->size -= 100;
}

/* Of what follows where the segments of DASH are not those of HLS. */
#define APART " hls-dash-agree cmaf-segment cmaf-decode-time cmaf-sequence video-boundaries "

/* An I-frame playlist of two stretches beside media of one: its ranges lie in the same file. */
static void keys_cut(void) {
    static const char entry[] = "../video/h264-180p.mp4\n";
    struct buf *bytes = title_fixture_bytes(&damaged, IFRAMES);
    struct buf out = {0};
    const char *text = buf_text(bytes);
    const char *second = strstr(strstr(text, entry) + strlen(entry), entry) + strlen(entry);
    buf_append(&out, text, (size_t)(second - text));
    buf_string(&out, "#EXT-X-DISCONTINUITY\n");
    buf_string(&out, second);
    buf_finish(bytes);
    *bytes = out;
}

const struct damage index_damages[] = {
    {"dash-index", "", index_twice, NULL, NULL, NULL, false},
    {"dash-index", "", index_no_key, NULL, NULL, NULL, false},
    {"dash-index", APART, index_clock, NULL, NULL, NULL, false},
    {"dash-index", APART, index_size, NULL, NULL, NULL, false},
    {"dash-index", APART, index_of_indexes, NULL, NULL, NULL, false},
    {"dash-index", APART "dash-timescale dash-coverage ", index_endless, NULL, NULL, NULL, false},
    {"dash-timeline", "", index_times, NULL, NULL, NULL, false},
    {"dash-index", "", NULL, MPD, "<Initialization range=\"*-*\"/>", "", false},
    {"dash-index", " hls-dash-agree ", NULL, MPD, "indexRange=\"*-", "indexRange=\"0-", false},
    {"dash-index", " hls-dash-agree ", NULL, MPD, "indexRange=", "range=", false},
    {"cmaf-init", " hls-dash-agree dash-coverage ", NULL, MPD, "<Initialization range=\"0",
     "<Initialization range=\"4", false},
    {"dash-timescale", " dash-index dash-coverage ", NULL, MPD, "<SegmentBase timescale=\"24000\"",
     "<SegmentBase timescale=\"24001\"", false},
    {"dash-profile", "", NULL, MPD, "isoff-on-demand", "isoff-live", false},
    {"dash-syntax", "", NULL, MPD, "indexRange=\"", "indexRange=\"x", false},
    {"dash-addressing", " dash-set hls-dash-agree ", NULL, MPD, "<SegmentBase ",
     "<SegmentTemplate media=\"a\" duration=\"5\"/><SegmentBase ", false},
    {"dash-set", " dash-addressing hls-dash-agree object-missing object-reference ", NULL, MPD,
     "<SegmentBase timescale=\"24000\" indexRange=\"*-*\" presentationTimeOffset=\"2002\">"
     "<Initialization range=\"*-*\"/></SegmentBase>",
     "<SegmentTemplate media=\"a\" duration=\"6\"/>", false},
    {"object-missing", " dash-index hls-dash-agree hls-iframe-list ", file_cut, NULL, NULL, NULL,
     false},
    {"cmaf-init", " hls-dash-agree cmaf-segment ", NULL, PLAYLIST, "@0\"", "@8\"", false},
    {"hls-syntax", " hls-dash-agree cmaf-segment ", NULL, PLAYLIST, "@0\"", "@x\"", false},
    {"object-missing", " hls-dash-agree ", NULL, PLAYLIST,
     "#EXT-X-BYTERANGE:", "#EXT-X-BYTERANGE:9", false},
    {"object-missing", "", NULL, IFRAMES, "#EXT-X-BYTERANGE:*@", "#EXT-X-BYTERANGE:900000@", false},
    {"hls-iframe-range", "", NULL, IFRAMES, "#EXT-X-BYTERANGE:*@", "#EXT-X-BYTERANGE:100@", false},
    {"hls-sequence", " hls-discontinuity hls-iframe-missing ", keys_cut, NULL, NULL, NULL, false},
};

const size_t index_damage_count = sizeof(index_damages) / sizeof(index_damages[0]);

static void check_files(void) {
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_int_eq(verdict.summary.advice, 0);
    ck_assert_msg(verdict.summary.musts == 1 && verdict_tells(&verdict, "title-document"), "%s",
                  verdict_lines(&verdict));
    ck_assert_int_eq(verdict.summary.segments, 9);
    verdict_finish(&verdict);
}

/* In files of one rendition each there is no title.json, which is ours alone. */
START_TEST(test_files) {
    check_files();
    index_of_others();
    check_files();
}
END_TEST

/* The MPD's one Period becomes two, after the second segment of the pictures: each shows its part
 * of the same files, the segment of sound over the border on both sides. */
static void cut_files(void) {
    static const char end[] = "</Period>";
    struct buf *mpd = title_fixture_bytes(&damaged, MPD);
    struct buf second = {0};
    struct buf out = {0};
    ck_assert(text_replace(mpd, "duration=\"PT6.017S\">", "duration=\"PT4.004S\">", false));
    const char *text = buf_text(mpd);
    const char *from = strstr(text, "<Period");
    const char *to = strstr(from, end) + strlen(end);
    buf_append(&second, from, (size_t)(to - from));
    ck_assert(text_replace(&second, "id=\"1\" start=\"PT0S\" duration=\"PT4.004S\"",
                           "id=\"2\" start=\"PT4.004S\" duration=\"PT2.013S\"", false));
    ck_assert(text_replace(&second, "Offset=\"2002\"", "Offset=\"98098\"", true));
    ck_assert(text_replace(&second, "Offset=\"1024\"", "Offset=\"193216\"", true));
    buf_append(&out, text, (size_t)(to - text));
    buf_append(&out, second.data, second.size);
    buf_string(&out, to);
    buf_finish(&second);
    buf_finish(mpd);
    *mpd = out;
}

START_TEST(test_cut_files) {
    cut_files();
    check_files();
    struct verdict verdict;
    ck_assert(text_replace(title_fixture_bytes(&damaged, MPD), "Offset=\"98098\"",
                           "Offset=\"50050\"", true));
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(strstr(verdict_lines(&verdict), "must dash-coverage " MPD ": Representation "
                                                  "h264-90p of Period 2 covers") != NULL,
                  "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* However many Periods have parts of a file, its index is read once, and its faults are told so. */
START_TEST(test_index_once) {
    struct verdict verdict;
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    int64_t objects = verdict.summary.objects;
    verdict_finish(&verdict);
    cut_files();
    index_no_key();
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_int_eq(verdict.summary.objects, objects);
    const char *told = strstr(verdict_lines(&verdict), "must dash-index ");
    ck_assert_msg(told != NULL && strstr(told + 1, "must dash-index ") == NULL, "%s",
                  verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* The second Period's Representation names other bytes of its file than the first one's. */
START_TEST(test_other_index) {
    struct verdict verdict;
    cut_files();
    ck_assert(text_replace(title_fixture_bytes(&damaged, MPD),
                           "-*\" presentationTimeOffset=\"98098\"",
                           "-99999\" presentationTimeOffset=\"98098\"", false));
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(strstr(verdict_lines(&verdict),
                         "must dash-index " MPD ": Representation h264-90p of Period 2 has another "
                         "@indexRange than Representation h264-90p of Period 1 of its file") !=
                      NULL,
                  "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* Sound by a template beside pictures with an index: no profile but that of all is of both. */
START_TEST(test_mixed) {
    struct verdict verdict;
    struct buf *mpd = title_fixture_bytes(&damaged, MPD);
    ck_assert(text_replace(mpd, "profile:isoff-on-demand:2011", "profile:full:2011", false));
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert(verdict_tells(&verdict, "dash-profile"));
    verdict_finish(&verdict);
    ck_assert(
        text_replace(mpd,
                     "<BaseURL>audio/und.mp4</BaseURL><SegmentBase timescale=\"48000\" "
                     "indexRange=\"*-*\" presentationTimeOffset=\"1024\"><Initialization "
                     "range=\"*-*\"/></SegmentBase>",
                     "<BaseURL>" SOUND "</BaseURL><SegmentTemplate timescale=\"48000\" "
                     "initialization=\"init.mp4\" media=\"$Number%05d$.m4s\"><SegmentTimeline>"
                     "<S t=\"0\" d=\"96256\" r=\"2\"/></SegmentTimeline></SegmentTemplate>",
                     false));
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(!verdict_tells(&verdict, "dash-profile"), "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

/* Nearly the whole file, range by range, more often than anyone would need. */
START_TEST(test_ranges) {
    struct verdict verdict;
    struct buf more = {0};
    size_t size = title_fixture_bytes(&damaged, tracks[0].file)->size;
    for (size_t i = 0; i < 8; i++) {
        buf_format(&more, "#EXTINF:2.002000,\n#EXT-X-BYTERANGE:%zu@%zu\n../%s\n", size - 8, i,
                   tracks[0].file);
    }
    buf_format(&more, "#EXT-X-ENDLIST");
    ck_assert(text_replace(title_fixture_bytes(&damaged, PLAYLIST), "#EXT-X-ENDLIST",
                           buf_text(&more), false));
    buf_finish(&more);
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(verdict_tells(&verdict, "title-bounds"), "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

START_TEST(test_damage) {
    struct damage damage = index_damages[_i];
    char *also = mem_format("%s title-document ", damage.also);
    damage.also = also;
    damage_check(&damage, _i);
    mem_free(also);
}
END_TEST

/* ---- Boxes in segments ----------------------------------------------------------- */

static const char boxed[] = PICTURES "00002.m4s";

/* Puts a box before the nth moof of a segment, the end for -1. */
static void put_box(const struct buf *box, int nth) {
    struct buf *bytes = title_fixture_bytes(&damaged, boxed);
    const uint8_t *at = nth < 0 ? bytes->data + bytes->size
                                : box_of(&damaged, boxed, "moof", nth) - 8;
    box_insert(&damaged, boxed, at, box->data, box->size);
}

/* An index of all that follows; each of its fields as told. */
static void put_index(uint32_t timescale, uint32_t first, uint32_t ticks, uint32_t less) {
    struct buf box = {0};
    const struct buf *bytes = title_fixture_bytes(&damaged, boxed);
    size_t head = (size_t)(box_of(&damaged, boxed, "moof", 0) - 8 - bytes->data);
    size_t mark = mp4_full_open(&box, "sidx", 0, 0);
    buf_u32(&box, 1);
    buf_u32(&box, timescale);
    buf_u32(&box, first);
    buf_u32(&box, 0);
    buf_u32(&box, 1);
    buf_u32(&box, (uint32_t)(bytes->size - head) - less);
    buf_u32(&box, ticks);
    buf_u32(&box, 0x90000000);
    mp4_close(&box, mark);
    put_box(&box, 0);
    buf_finish(&box);
}

static void index_true(void) {
    put_index(24000, 48048 + 2002, 48048, 0);
}

static void index_other_clock(void) {
    put_index(90000, 48048 + 2002, 48048, 0);
}

static void index_other_time(void) {
    put_index(24000, 7, 48048, 0);
}

static void index_other_ticks(void) {
    put_index(24000, 48048 + 2002, 48047, 0);
}

static void index_too_short(void) {
    put_index(24000, 48048 + 2002, 48048, 8);
}

static void index_again(void) {
    index_true();
    index_true();
}

static void put_event(uint8_t version, int nth) {
    static const uint8_t zeros[40];
    struct buf box = {0};
    size_t mark = mp4_full_open(&box, "emsg", version, 0);
    buf_append(&box, zeros, sizeof(zeros));
    mp4_close(&box, mark);
    put_box(&box, nth);
    buf_finish(&box);
}

static void event_true(void) {
    put_event(1, 2);
}

static void event_old(void) {
    put_event(0, 0);
}

static void event_behind(void) {
    put_event(1, -1);
}

static void made_then(void) {
    static const uint8_t zeros[20];
    struct buf box = {0};
    size_t mark = mp4_full_open(&box, "prft", 0, 0);
    buf_append(&box, zeros, sizeof(zeros));
    mp4_close(&box, mark);
    put_box(&box, 0);
    buf_finish(&box);
}

static void other_box(void) {
    struct buf box = {0};
    mp4_close(&box, mp4_open(&box, "free"));
    put_box(&box, 0);
    buf_finish(&box);
}

/* What follows from a segment that is longer than title.json and I-frame playlists say. */
#define LONGER " title-document hls-iframe-range hls-bandwidth dash-bandwidth dash-buffer "

const struct damage box_damages[] = {
    {"cmaf-index", LONGER, index_other_clock, NULL, NULL, NULL, false},
    {"cmaf-index", LONGER, index_other_time, NULL, NULL, NULL, false},
    {"cmaf-index", LONGER, index_other_ticks, NULL, NULL, NULL, false},
    {"cmaf-index", LONGER, index_too_short, NULL, NULL, NULL, false},
    {"cmaf-index", LONGER, index_again, NULL, NULL, NULL, false},
    {"cmaf-event", LONGER, event_old, NULL, NULL, NULL, false},
    {"cmaf-event", LONGER, event_behind, NULL, NULL, NULL, false},
    {"cmaf-producer-time", LONGER, made_then, NULL, NULL, NULL, false},
    {"cmaf-segment", LONGER " hls-dash-agree ", other_box, NULL, NULL, NULL, false},
};

const size_t box_damage_count = sizeof(box_damages) / sizeof(box_damages[0]);

START_TEST(test_boxes) {
    damage_check(&box_damages[_i], _i);
}
END_TEST

/* An index that tells the truth and an event where it belongs are no fault. */
START_TEST(test_good_boxes) {
    struct verdict verdict;
    event_true();
    index_true();
    ck_assert_int_eq(verdict_of(&verdict, &damaged), 0);
    ck_assert_msg(!verdict_tells(&verdict, "cmaf-index") &&
                      !verdict_tells(&verdict, "cmaf-event") &&
                      !verdict_tells(&verdict, "cmaf-segment"),
                  "%s", verdict_lines(&verdict));
    verdict_finish(&verdict);
}
END_TEST

Suite *verify_index_suite(void) {
    Suite *suite = suite_create("verify_index");
    TCase *files = tcase_create("titles in files");
    tcase_set_timeout(files, 120);
    tcase_add_unchecked_fixture(files, make, whole_drop);
    tcase_add_checked_fixture(files, damaged_make, damaged_drop);
    tcase_add_test(files, test_files);
    tcase_add_test(files, test_cut_files);
    tcase_add_test(files, test_index_once);
    tcase_add_test(files, test_other_index);
    tcase_add_test(files, test_mixed);
    tcase_add_test(files, test_ranges);
    tcase_add_loop_test(files, test_damage, 0, (int)index_damage_count);
    suite_add_tcase(suite, files);
    TCase *boxes = tcase_create("boxes of others");
    tcase_set_timeout(boxes, 120);
    tcase_add_unchecked_fixture(boxes, whole_make, whole_drop);
    tcase_add_checked_fixture(boxes, damaged_make, damaged_drop);
    tcase_add_loop_test(boxes, test_boxes, 0, (int)box_damage_count);
    tcase_add_test(boxes, test_good_boxes);
    suite_add_tcase(suite, boxes);
    return suite;
}
