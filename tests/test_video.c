/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chunks through the encoders: the grid, the count, equal parameter sets, tails, exact
 * pictures back out of ffmpeg, and what is refused. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/buf.h"
#include "common/mem.h"
#include "encoder/h264_config.h"
#include "encoder/video.h"
#include "fixture.h"
#include "video_fixture.h"

Suite *video_suite(void);

/* Lines of a text file that ffmpeg's framemd5 wrote: hashes alone. Returns owned. */
static char *frame_hashes(const char *folder, const char *name) {
    char *path = mem_format("%s/%s", folder, name);
    FILE *file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    struct buf out = {0};
    char line[512];
    while (fgets(line, sizeof(line), file) != NULL) {
        const char *comma = strrchr(line, ',');
        if (line[0] != '#' && comma != NULL) {
            buf_string(&out, comma + 1);
        }
    }
    fclose(file);
    mem_free(path);
    char *text = mem_string(buf_text(&out));
    buf_finish(&out);
    return text;
}

/* ---- The grid ---------------------------------------------------------------------- */

static const struct {
    const char *encoder;
    const char *preset;
    int reorder;
} encoders[] = {
    {"x264", "ultrafast", 0}, {"x264", "superfast", 2}, {"x264", "medium", 2},
    {"x264", "slower", 2},    {"svt", "8", 0},          {"svt", "12", 0},
    {"aom", "6", 0},          {"null", "", 0},
};

START_TEST(keys_lie_on_the_grid_and_nowhere_else) {
    static const struct {
        int64_t gops[10];
        size_t count;
        int64_t tail;
    } grids[] = {
        {{0, 24, 48, 72, 96}, 4, 64},      /* regular */
        {{48, 72, 96, 120, 131}, 4, 0},    /* a short end of the title */
        {{96, 120, 156}, 2, 0},            /* an end that took the runt before it */
        {{10, 11, 12, 40, 41, 47}, 5, 64}, /* cuts anywhere */
        {{30, 31}, 1, 64},                 /* one frame */
        {{0, 200}, 1, 0},                  /* one GOP, with shots that x264 would cut at */
    };
    char *folder = fixture_folder();
    struct opened opened;
    source_shell(folder, "24",
                 "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 200 -vf \"hue=h=floor(n/40)*90\" $X264 "
                 "a.mp4");
    opened_open(&opened, folder, "a.mp4");
    struct video_spec spec = video_spec_of(encoders[_i].encoder, 160, 96, encoders[_i].preset);
    struct coded_config config = {.record_size = 0};
    for (size_t g = 0; g < sizeof(grids) / sizeof(grids[0]); g++) {
        struct made made = {0};
        struct err err = {0};
        int rc = video_encode_chunk(&made, &opened, &spec, 1, grids[g].gops, grids[g].count,
                                    grids[g].tail, &err);
        ck_assert_msg(rc == 0, "grid %zu: %s", g, err.message);
        video_check_order(&made.rungs[0], grids[g].gops, grids[g].count);
        ck_assert_int_eq(made.rungs[0].config.reorder_frames, encoders[_i].reorder);
        if (g > 0) { /* whatever the grid, the parameter sets are the same */
            ck_assert_uint_eq(config.record_size, made.rungs[0].config.record_size);
            ck_assert_int_eq(memcmp(config.record, made.rungs[0].config.record, config.record_size),
                             0);
        }
        config = made.rungs[0].config;
        made_finish(&made);
    }
    opened_close(&opened);
    fixture_folder_drop(folder);
}
END_TEST

/* Joined chunks decode to each frame once, in order, without a complaint. */
START_TEST(joined_chunks_decode_without_a_seam) {
    char *folder = fixture_folder();
    struct opened opened;
    struct made made;
    source_shell(folder, "24", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 150 $X264 a.mp4");
    opened_open(&opened, folder, "a.mp4");
    struct video_spec spec = video_spec_of("x264", 160, 96, "medium");
    spec.crf_hundredths = 1000;
    spec.maxrate_bps = 0;
    video_encode_title(&made, &opened, &spec, 1, 48, 24, 64);
    fixture_write(folder, "out.h264", made.stream.data, made.stream.size);
    source_shell(folder, "24",
                 "ffmpeg -err_detect explode -i out.h264 -c:v ffv1 out.mkv 2>complaints\n"
                 "test ! -s complaints\n");
    struct opened decoded;
    struct shown shown;
    opened_open(&decoded, folder, "out.mkv");
    ck_assert_int_eq(decoded.document.timeline.frames, 150);
    source_read(&shown, &decoded.document, &decoded.source, 0, 150, 150, DEINTERLACE_NONE);
    for (int i = 0; i < 150; i++) {
        ck_assert_int_eq(shown.counters[i], i);
    }
    shown_finish(&shown);
    opened_close(&decoded);
    made_finish(&made);
    opened_close(&opened);
    fixture_folder_drop(folder);
}
END_TEST

/* Pictures past the title's end do not exist, and those of the tail are never written;
 * more tail than the table asks for changes nothing. */
START_TEST(the_tail_of_the_table_is_enough) {
    static const char *const presets[] = {"ultrafast", "veryfast", "medium", "slow", "placebo"};
    static const int64_t gops[] = {24, 48, 72};
    char *folder = fixture_folder();
    struct opened opened;
    source_shell(folder, "24", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 240 $X264 a.mp4");
    opened_open(&opened, folder, "a.mp4");
    struct video_spec spec = video_spec_of("x264", 160, 96, presets[_i]);
    struct made row = {0};
    struct made more = {0};
    struct err err = {0};
    ck_assert_int_eq(
        video_encode_chunk(&row, &opened, &spec, 1, gops, 2, video_x264.tail_frames, &err), 0);
    ck_assert_int_eq(video_encode_chunk(&more, &opened, &spec, 1, gops, 2, 160, &err), 0);
    ck_assert(video_bytes_equal(&row.rungs[0].bytes, &more.rungs[0].bytes));
    ck_assert_int_eq(row.rungs[0].packets, 48);
    ck_assert_int_le(row.stats.frames_decoded, 72 + video_x264.tail_frames);
    made_finish(&row);
    made_finish(&more);
    opened_close(&opened);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- The same bytes ------------------------------------------------------------------ */

START_TEST(bytes_are_a_function_of_source_and_rung) {
    const struct video_spec rungs[] = {video_spec_of("x264", 320, 180, "medium"),
                                       video_spec_of("x264", 240, 136, "fast"),
                                       video_spec_of("x264", 160, 90, "veryfast")};
    video_check_repeatable(rungs, 100, 64);
}
END_TEST

/* ---- Without loss ---------------------------------------------------------------------- */

static const struct {
    const char *pixel_format;
    enum chroma chroma;
    int depth;
} exact[] = {
    {"yuv420p", CHROMA_420, 8},      {"yuv422p", CHROMA_422, 8},
    {"yuv444p", CHROMA_444, 8},      {"yuv420p10le", CHROMA_420, 10},
    {"yuv422p10le", CHROMA_422, 10}, {"yuv444p10le", CHROMA_444, 10},
    {"gbrp", CHROMA_444, 8},
};

START_TEST(lossless_gives_every_picture_back) {
    char *folder = fixture_folder();
    struct opened opened;
    struct made made;
    char *command =
        mem_format("ffmpeg -f lavfi -i \"testsrc2=s=162x98:r=24,noise=alls=30:all_seed=2\" "
                   "-frames:v 60 -pix_fmt %s -c:v ffv1 a.mkv\n"
                   "ffmpeg -i a.mkv -pix_fmt %s -f framemd5 a.md5",
                   exact[_i].pixel_format, exact[_i].pixel_format);
    source_shell(folder, "24", command);
    mem_free(command);
    opened_open(&opened, folder, "a.mkv");
    struct video_spec spec = video_spec_of("x264", 162, 98, "veryfast");
    bool rgb = strcmp(exact[_i].pixel_format, "gbrp") == 0;
    spec.lossless = true;
    spec.chroma = exact[_i].chroma;
    spec.bit_depth = exact[_i].depth;
    spec.colour = opened.document.video.colour;
    ck_assert_int_eq(spec.colour.matrix == 0, rgb);
    video_encode_title(&made, &opened, &spec, 1, 24, 24, 64);
    fixture_write(folder, "out.h264", made.stream.data, made.stream.size);
    command =
        mem_format("ffmpeg -i out.h264 -pix_fmt %s -f framemd5 out.md5", exact[_i].pixel_format);
    source_shell(folder, "24", command);
    mem_free(command);
    char *want = frame_hashes(folder, "a.md5");
    char *found = frame_hashes(folder, "out.md5");
    ck_assert_uint_eq(strlen(want), (size_t)60 * 34); /* a space, 32 digits and a line's end */
    ck_assert_str_eq(found, want);
    mem_free(want);
    mem_free(found);
    made_finish(&made);
    opened_close(&opened);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- Facts in the stream ----------------------------------------------------------------- */

START_TEST(the_stream_says_what_the_spec_says) {
    char *folder = fixture_folder();
    struct opened opened;
    struct made made;
    source_shell(folder, "30000/1001", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 48 $X264 a.mp4");
    opened_open(&opened, folder, "a.mp4");
    struct video_spec spec = video_spec_of("x264", 160, 96, "medium");
    spec.rate = (struct rational){30000, 1001};
    spec.level = 31;
    spec.colour = (struct colour){
        .primaries = 5, .transfer = 6, .matrix = 5, .full_range = true, .chroma_location = 1};
    video_encode_title(&made, &opened, &spec, 1, 48, 24, 64);
    const uint8_t *record = made.rungs[0].config.record;
    size_t size = made.rungs[0].config.record_size;
    const uint8_t head[] = {1, 100, 0, 31, 0xff, 0xe1};
    ck_assert_int_eq(memcmp(record, head, sizeof(head)), 0);
    const uint8_t high[] = {0xfd, 0xf8, 0xf8, 0};
    ck_assert_int_eq(memcmp(record + size - sizeof(high), high, sizeof(high)), 0);
    fixture_write(folder, "out.h264", made.stream.data, made.stream.size);
    source_shell(folder, "24",
                 "facts=$(ffprobe -v error -of csv=p=0 -show_entries stream=codec_name,profile,"
                 "width,height,has_b_frames,sample_aspect_ratio,pix_fmt,level,color_range,"
                 "color_space,color_transfer,color_primaries,chroma_location,r_frame_rate "
                 "out.h264)\n"
                 "case $facts in # ffprobe 7 tells the rate of fields\n"
                 "h264,High,160,96,2,1:1,yuvj420p,31,pc,bt470bg,smpte170m,bt470bg,center,"
                 "[36]0000/1001) ;;\n*) echo \"$facts\" >&2; exit 1 ;;\nesac\n"
                 "! grep -aq x264 out.h264\n");
    made_finish(&made);
    opened_close(&opened);
    fixture_folder_drop(folder);
}
END_TEST

/* ---- Stopping ------------------------------------------------------------------------------ */

START_TEST(encoding_stops_when_told) {
    static const int64_t gops[] = {0, 24, 48, 72, 96};
    char *folder = fixture_folder();
    struct opened opened;
    source_shell(folder, "24", "ffmpeg -f lavfi -i \"$CLIP\" -frames:v 200 $X264 a.mp4");
    opened_open(&opened, folder, "a.mp4");
    struct video_spec spec = video_spec_of("x264", 160, 96, "veryfast");
    struct err err = {0};
    struct made full = {.fail_at = 30};
    ck_assert_int_eq(video_encode_chunk(&full, &opened, &spec, 1, gops, 4, 64, &err), ERR_NO_SPACE);
    ck_assert_str_eq(err.message, "the sink is full");
    ck_assert_int_eq(full.rungs[0].packets, 30);
    made_finish(&full);
    err_clear(&err);
    struct made cancelled = {.cancel_at = 50};
    ck_assert_int_eq(video_encode_chunk(&cancelled, &opened, &spec, 1, gops, 4, 64, &err),
                     ERR_CANCELLED);
    ck_assert_int_le(cancelled.rungs[0].packets, 50);
    made_finish(&cancelled);
    err_clear(&err);
    opened.source.fail_at = 0;
    struct made away = {0};
    ck_assert_int_eq(video_encode_chunk(&away, &opened, &spec, 1, gops, 4, 64, &err),
                     ERR_UNAVAILABLE);
    made_finish(&away);
    opened_close(&opened);
    fixture_folder_drop(folder);
}
END_TEST

START_TEST(tasks_without_sense_are_refused) {
    static const struct {
        int64_t gops[4];
        size_t count;
        int64_t tail;
        int rungs;
    } tasks[] = {
        {{0, 24}, 1, 0, 0},   {{0, 24}, 1, -1, 1}, {{24, 24}, 1, 0, 1},   {{0, 48, 24}, 2, 0, 1},
        {{-24, 24}, 1, 0, 1}, {{0}, 0, 0, 1},      {{0, 24}, 1, 0, 1000},
    };
    struct opened opened = {0};
    struct video_spec spec = video_spec_of("x264", 160, 96, "veryfast");
    for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
        struct made made = {0};
        struct err err = {0};
        ck_assert_msg(video_encode_chunk(&made, &opened, &spec, tasks[i].rungs, tasks[i].gops,
                                         tasks[i].count, tasks[i].tail, &err) == ERR_INVALID,
                      "task %zu", i);
    }
}
END_TEST

/* ---- Specs ----------------------------------------------------------------------------------- */

/* Each is the good spec with one thing changed. */
static const struct {
    const char *what;
    struct {
        const char *encoder, *preset, *tune, *profile;
        enum codec_id codec;
        int width, height, chroma, depth, level, lossless;
        int64_t rate_num, maxrate;
    } change;
    int code;
    const char *word; /* of the sentence */
} specs[] = {
    {"good", {.level = 30}, 0, NULL},
    {"no such encoder", {.encoder = "x265"}, ERR_UNSUPPORTED, "x265"},
    {"another codec", {.codec = CODEC_AV1}, ERR_INVALID, "av1"},
    {"no such preset", {.preset = "quick"}, ERR_INVALID, "quick"},
    {"no such tune", {.tune = "loud"}, ERR_INVALID, "loud"},
    {"a tune", {.tune = "film"}, 0, NULL},
    {"no lookahead", {.tune = "zerolatency"}, 0, NULL},
    {"no such profile", {.profile = "highest"}, ERR_INVALID, "highest"},
    {"a profile too low", {.profile = "high", .depth = 10}, ERR_INVALID, "high"},
    {"main", {.profile = "main"}, 0, NULL},
    {"odd width", {.width = 161}, ERR_INVALID, "161x96"},
    {"odd height", {.height = 97}, ERR_INVALID, "160x97"},
    {"no width", {.width = -1}, ERR_INVALID, "-1x96"},
    {"too wide", {.width = 20000}, ERR_INVALID, "20000x96"},
    {"9 bits", {.depth = 9}, ERR_UNSUPPORTED, "9 bits"},
    {"12 bits", {.depth = 12}, ERR_UNSUPPORTED, "12 bits"},
    {"lossless fake", {.encoder = "null", .lossless = 1}, ERR_UNSUPPORTED, "null"},
    {"4:4:4 fake", {.encoder = "null", .chroma = CHROMA_444}, ERR_UNSUPPORTED, "null"},
    {"no level", {.level = 99}, ERR_INVALID, "9.9"},
    {"a level too low", {.width = 1920, .height = 1080, .level = 30}, ERR_INVALID, "1920x1080"},
    {"a level too slow",
     {.width = 1280, .height = 720, .level = 31, .rate_num = 60},
     ERR_INVALID,
     "60.000"},
    {"a level just right", {.width = 1280, .height = 720, .level = 31, .rate_num = 30}, 0, NULL},
    {"references cut to the level",
     {.width = 1280, .height = 720, .level = 31, .preset = "placebo"},
     0,
     NULL},
    {"a rate past 32 bits", {.rate_num = INT64_MAX}, ERR_INVALID, "frames a second"},
    {"no cap", {.maxrate = -1}, 0, NULL},
    {"10 bits lossless", {.depth = 10, .lossless = 1}, 0, NULL},
    {"grey lossless", {.chroma = CHROMA_400 + 100, .lossless = 1}, 0, NULL},
};

START_TEST(specs_are_checked) {
    struct video_spec spec = video_spec_of("x264", 160, 96, "veryfast");
    const char *text;
    if ((text = specs[_i].change.encoder) != NULL) {
        snprintf(spec.encoder, sizeof(spec.encoder), "%s", text);
    }
    if ((text = specs[_i].change.preset) != NULL) {
        snprintf(spec.preset, sizeof(spec.preset), "%s", text);
    }
    if ((text = specs[_i].change.tune) != NULL) {
        snprintf(spec.tune, sizeof(spec.tune), "%s", text);
    }
    if ((text = specs[_i].change.profile) != NULL) {
        snprintf(spec.profile, sizeof(spec.profile), "%s", text);
    }
    spec.codec = specs[_i].change.codec != CODEC_NONE ? specs[_i].change.codec : spec.codec;
    spec.width = specs[_i].change.width != 0 ? specs[_i].change.width : spec.width;
    spec.height = specs[_i].change.height != 0 ? specs[_i].change.height : spec.height;
    spec.bit_depth = specs[_i].change.depth != 0 ? specs[_i].change.depth : spec.bit_depth;
    spec.level = specs[_i].change.level != 0 ? specs[_i].change.level : spec.level;
    spec.lossless = specs[_i].change.lossless != 0;
    if (specs[_i].change.chroma != 0) {
        spec.chroma = (enum chroma)(specs[_i].change.chroma % 100);
    }
    if (specs[_i].change.rate_num != 0) {
        spec.rate.num = specs[_i].change.rate_num;
    }
    if (specs[_i].change.maxrate != 0) {
        spec.maxrate_bps = 0;
    }
    const struct video_options options = {&spec, 24};
    struct video_encoder *encoder = NULL;
    struct err err = {0};
    int rc = video_encoder_open(&encoder, &options, &err);
    ck_assert_msg(rc == specs[_i].code, "%s: %d %s", specs[_i].what, rc, err.message);
    if (rc < 0) {
        ck_assert_ptr_null(encoder);
        ck_assert_msg(strstr(err.message, specs[_i].word) != NULL, "%s: %s", specs[_i].what,
                      err.message);
    }
    video_encoder_close(encoder);
}
END_TEST

START_TEST(tables_say_what_is_there) {
    size_t rows = 0;
    bool has_x264 = false;
    bool has_aac = false;
    const struct encoder_info *info;
    for (; (info = encoder_info_at(rows)) != NULL; rows++) {
        const char *line = encoder_build_line(info->name);
        const char *version = strrchr(info->library, ' ');
        ck_assert_ptr_nonnull(version);
        ck_assert_ptr_nonnull(line);
        ck_assert_ptr_nonnull(strstr(line, version + 1));
        ck_assert_ptr_nonnull(strstr(line, "media="));
        ck_assert_ptr_nonnull(strstr(line, " libc="));
        ck_assert_ptr_nonnull(strstr(line, " libzimg="));
        ck_assert_ptr_null(strchr(line, '\n'));
        ck_assert_str_ne(info->name, "null");
        has_x264 = has_x264 || (strcmp(info->name, "x264") == 0 && info->tail_frames > 40 &&
                                strncmp(info->library, "libx264 0.", 10) == 0);
        has_aac = has_aac || (strcmp(info->name, "aac") == 0 && info->tail_frames == 0);
    }
    ck_assert(has_x264 && has_aac);
    ck_assert_ptr_nonnull(encoder_build_line("null"));
    ck_assert_ptr_null(encoder_build_line("x265"));
    ck_assert_ptr_null(encoder_build_line(""));
    size_t libraries = 0;
    while (encoder_library_at(libraries) != NULL) {
        libraries++;
    }
    ck_assert_uint_ge(libraries, 5);
}
END_TEST

/* ---- Parameter sets ---------------------------------------------------------------------------
 */

static const uint8_t good_pps[] = {0x68, 0xeb, 0xe3, 0xcb};

/* The SPS that the fake encoder makes. */
static size_t good_sps(uint8_t out[64]) {
    struct video_spec spec = video_spec_of("x264", 160, 96, "");
    struct coded_config config;
    struct err err = {0};
    void *state = NULL;
    const struct video_options options = {&spec, 24};
    ck_assert_int_eq(video_null.open(&state, &options, &config, &err), 0);
    video_null.close(state);
    size_t size = (size_t)config.record[6] << 8 | config.record[7];
    ck_assert_uint_le(size, 64);
    memcpy(out, config.record + 8, size);
    return size;
}

START_TEST(broken_parameter_sets_are_refused) {
    uint8_t sps[64];
    size_t size = good_sps(sps);
    struct coded_config config;
    struct err err = {0};
    ck_assert_int_eq(h264_config_make(&config, sps, size, good_pps, sizeof(good_pps), &err), 0);
    for (size_t cut = 0; cut < size; cut++) { /* the last byte may hold its end alone */
        uint8_t *copy = mem_zero(1, cut + 1);
        memcpy(copy, sps, cut);
        err_clear(&err);
        int rc = h264_config_make(&config, copy, cut, good_pps, sizeof(good_pps), &err);
        ck_assert(rc == ERR_CORRUPT || (rc == 0 && cut == size - 1));
        mem_free(copy);
    }
    for (size_t bit = 0; bit < size * 8; bit++) { /* any answer, but no harm */
        uint8_t copy[64];
        memcpy(copy, sps, size);
        copy[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        err_clear(&err);
        int rc = h264_config_make(&config, copy, size, good_pps, sizeof(good_pps), &err);
        ck_assert(rc == 0 || rc == ERR_CORRUPT);
    }
    err_clear(&err);
    ck_assert_int_eq(h264_config_make(&config, good_pps, 4, sps, size, &err), ERR_CORRUPT);
    err_clear(&err);
    uint8_t large[300] = {0x67, 100, 0, 30};
    ck_assert_int_eq(h264_config_make(&config, large, sizeof(large), good_pps, 4, &err),
                     ERR_CORRUPT);
}
END_TEST

/* From fuzz_config: a delta_scale near INT_MAX, in a scaling list. */
START_TEST(a_scaling_list_of_absurd_steps_is_no_overflow) {
    static const uint8_t sps[] = {
        0x67, 0x9c, 0xff, 0xd7, 0x53, 0x26, 0xbf, 0x87, 0xfd, 0x27, 0xe5, 0xc0, 0x44,
        0x00, 0x00, 0xff, 0xff, 0xff, 0x04, 0x08, 0x00, 0x00, 0x53, 0x30, 0x00, 0x00,
        0x00, 0xfd, 0x07, 0x00, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0x04,
    };
    struct coded_config config;
    ck_assert_int_eq(h264_config_make(&config, sps, sizeof(sps), good_pps, sizeof(good_pps), NULL),
                     ERR_CORRUPT);
}
END_TEST

#define ADD_ALL(tcase, test, table)                                                                \
    tcase_add_loop_test(tcase, test, 0, sizeof(table) / sizeof((table)[0]))

Suite *video_suite(void) {
    Suite *suite = suite_create("video");
    TCase *chunks = tcase_create("chunks");
    ADD_ALL(chunks, keys_lie_on_the_grid_and_nowhere_else, encoders);
    tcase_add_test(chunks, joined_chunks_decode_without_a_seam);
    tcase_add_loop_test(chunks, the_tail_of_the_table_is_enough, 0, 5);
    tcase_add_test(chunks, bytes_are_a_function_of_source_and_rung);
    ADD_ALL(chunks, lossless_gives_every_picture_back, exact);
    tcase_add_test(chunks, the_stream_says_what_the_spec_says);
    tcase_add_test(chunks, encoding_stops_when_told);
    tcase_add_test(chunks, tasks_without_sense_are_refused);
    suite_add_tcase(suite, chunks);
    TCase *tables = tcase_create("tables");
    ADD_ALL(tables, specs_are_checked, specs);
    tcase_add_test(tables, tables_say_what_is_there);
    tcase_add_test(tables, broken_parameter_sets_are_refused);
    tcase_add_test(tables, a_scaling_list_of_absurd_steps_is_no_overflow);
    suite_add_tcase(suite, tables);
    return suite;
}
