/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Segments of real H.264 and AAC, as others read them: ffmpeg makes the coded media,
 * and reads our init and media segments joined: same packets, same pictures, time 0,
 * and nothing to complain about.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/buf.h"
#include "common/fs.h"
#include "common/grid.h"
#include "common/mem.h"
#include "packager/packager.h"

Suite *segment_media_suite(void);

static char folder[] = "/tmp/reelfarm-test-segments-XXXXXX";

static void make_folder(void) {
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_int_eq(chdir(folder), 0);
}

static void remove_folder(void) {
    ck_assert_int_eq(chdir("/"), 0);
    fs_remove_tree(folder, NULL);
}

/* ---- The other side: ffmpeg and files ------------------------------------------------ */

/* Runs a command line; its output, owned. Fails the test where the command fails. */
static struct buf output_of(const char *format, ...) {
    char command[1024];
    va_list args;
    va_start(args, format);
    int size = vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    ck_assert_int_lt(size, (int)sizeof(command));
    struct buf out = {0};
    FILE *pipe = popen(command, "r");
    ck_assert_ptr_nonnull(pipe);
    char part[4096];
    for (size_t got; (got = fread(part, 1, sizeof(part), pipe)) > 0;) {
        buf_append(&out, part, got);
    }
    ck_assert_msg(pclose(pipe) == 0, "failed: %s: %s", command, buf_text(&out));
    return out;
}

static struct buf file_of(const char *path) {
    struct buf out = {0};
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "no %s", path);
    char part[65536];
    for (size_t got; (got = fread(part, 1, sizeof(part), file)) > 0;) {
        buf_append(&out, part, got);
    }
    fclose(file);
    return out;
}

static void put_file(const char *path, const struct buf *a, const void *data, size_t size) {
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(a->data, 1, a->size, file), a->size);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

struct packet {
    long long pts, dts, size, position;
    bool key;
};

struct packets {
    struct packet *list; /* owned */
    size_t count;
};

static struct packets packets_of(const char *path) {
    struct buf text = output_of("ffprobe -v error -show_entries packet=pts,dts,size,pos,flags"
                                " -of compact=p=0:nk=0 %s 2>&1",
                                path);
    struct packets packets = {mem_zero(text.size / 8 + 1, sizeof(struct packet)), 0};
    char *rest = NULL;
    buf_text(&text);
    for (char *line = strtok_r((char *)text.data, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        struct packet *packet = &packets.list[packets.count];
        char flags[8];
        if (sscanf(line, "pts=%lld|dts=%lld|size=%lld|pos=%lld|flags=%7s", &packet->pts,
                   &packet->dts, &packet->size, &packet->position, flags) == 5) {
            packet->key = flags[0] == 'K';
            packets.count++;
        }
    }
    buf_finish(&text);
    return packets;
}

/* MD5 and time of every decoded picture, or of all sound; warnings fail the test. */
static struct buf decoded(const char *input, const char *how) {
    struct buf warnings =
        output_of("ffmpeg -nostdin -v warning %s -f null - 2>&1 >/dev/null", input);
    ck_assert_msg(warnings.size == 0, "%s: %s", input, buf_text(&warnings));
    buf_finish(&warnings);
    return output_of("ffmpeg -nostdin -v error %s %s - | grep -v '^#'", input, how);
}

/* The payload of the first box of this type: the files are ffmpeg's, not hostile. */
static size_t payload_of(const struct buf *file, const char *type, uint8_t out[512]) {
    const uint8_t *at = memmem(file->data, file->size, type, 4);
    ck_assert_ptr_nonnull(at);
    size_t size = (size_t)at[-2] << 8 | at[-1];
    ck_assert_uint_gt(size, 8);
    memcpy(out, at + 4, size - 8);
    return size - 8;
}

/* ---- Ours ---------------------------------------------------------------------------- */

struct joined {
    const struct track_config *track;
    const struct chunk_grid *chunk;
    struct buf bytes; /* of all segments */
    struct buf init;
    int64_t segments;
    struct fragment_report gops[256]; /* offsets in `bytes` */
    size_t gop_count;
};

static int join(void *context, const struct segment_report *report, const uint8_t *data,
                size_t size, struct err *err) {
    struct joined *joined = context;
    int failed = segment_check(data, size, joined->track, joined->chunk, report, err);
    ck_assert_int_eq(report->number, ++joined->segments);
    for (size_t g = 0; g < report->fragment_count; g++) {
        struct fragment_report gop = report->fragments[g];
        gop.offset += (uint32_t)joined->bytes.size;
        joined->gops[joined->gop_count++] = gop;
    }
    buf_append(&joined->bytes, data, size);
    return failed;
}

static const struct {
    const char *name;
    struct rational rate;
    int64_t frames;
    int reorder;
    const char *options; /* of x264, beside the grid's */
} videos[] = {
    {"23.976, B-pyramid", {24000, 1001}, 240, 2, "bframes=3"},
    {"25, no B-frames", {25, 1}, 138, 0, "bframes=0"},
    {"59.94, one B-frame deep", {60000, 1001}, 300, 1, "bframes=2:b-pyramid=none"},
    {"10, sixteen B-frames, slices", {10, 1}, 77, 2, "bframes=16:b-adapt=0:slices=3"},
};

static void make_video(int index, int64_t gop) {
    struct buf none = output_of(
        "ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=s=320x180:r=%lld/%lld -frames:v %lld"
        " -c:v libx264 -preset veryfast -pix_fmt yuv420p -profile:v high -level 30 -x264-params"
        " keyint=%lld:min-keyint=%lld:scenecut=0:open-gop=0:colorprim=bt709:transfer=bt709"
        ":colormatrix=bt709:%s -video_track_timescale %lld v.mp4 2>&1",
        (long long)videos[index].rate.num, (long long)videos[index].rate.den,
        (long long)videos[index].frames, (long long)gop, (long long)gop, videos[index].options,
        (long long)videos[index].rate.num);
    buf_finish(&none);
}

static void write_chunk(struct joined *joined, const struct buf *file,
                        const struct packets *packets) {
    struct segment_writer *writer = NULL;
    struct err err = {0};
    ck_assert_msg(
        segment_writer_create_video(&writer, joined->track, joined->chunk, join, joined, &err) == 0,
        "%s", err.message);
    for (int64_t i = joined->chunk->first; i < joined->chunk->end; i++) {
        const struct packet *packet = &packets->list[i];
        const uint8_t *data = file->data + packet->position;
        size_t last = 0; /* the last NAL unit is a slice */
        for (size_t at = 0; at < (size_t)packet->size;) {
            last = at + 4;
            at = last + ((size_t)data[at] << 24 | (size_t)data[at + 1] << 16 |
                         (size_t)data[at + 2] << 8 | data[at + 3]);
        }
        struct sample sample = {
            .data = data,
            .size = (size_t)packet->size,
            .frame = packet->pts / joined->track->video->rate.den,
            .key = packet->key,
            .disposable = (data[last] & 0x60) == 0,
        };
        ck_assert_msg(segment_writer_sample(writer, &sample, &err) == 0, "%s", err.message);
    }
    ck_assert_msg(segment_writer_end(writer, &err) == 0, "%s", err.message);
    segment_writer_destroy(writer);
}

static void check_packets(const struct packets *packets, const char *path) {
    struct packets ours = packets_of(path);
    ck_assert_uint_eq(ours.count, packets->count);
    for (size_t i = 0; i < ours.count; i++) {
        ck_assert_int_eq(ours.list[i].pts, packets->list[i].pts);
        ck_assert_int_eq(ours.list[i].dts, packets->list[i].dts);
        ck_assert_int_eq(ours.list[i].size, packets->list[i].size);
        ck_assert_int_eq(ours.list[i].key, packets->list[i].key);
    }
    mem_free(ours.list);
}

/* An I-frame byte range, behind the init segment, is one picture at its GOP's time. */
static void check_iframes(const struct joined *joined, const struct grid *grid) {
    ck_assert_uint_eq(joined->gop_count, grid->gop_count);
    for (size_t g = 0; g < joined->gop_count; g += joined->gop_count - 1) {
        put_file("i.mp4", &joined->init, joined->bytes.data + joined->gops[g].offset,
                 joined->gops[g].idr_size);
        struct packets packets = packets_of("i.mp4");
        ck_assert_uint_eq(packets.count, 1);
        ck_assert(packets.list[0].key);
        ck_assert_int_eq(packets.list[0].pts, grid->gops[g] * grid->rate.den);
        mem_free(packets.list);
        struct buf picture = decoded("-i i.mp4", "-f framemd5");
        ck_assert_int_eq(
            memchr(picture.data, '\n', picture.size) == picture.data + picture.size - 1, true);
        buf_finish(&picture);
    }
}

START_TEST(test_video) {
    struct video_spec spec = {
        .codec = CODEC_H264,
        .width = 320,
        .height = 180,
        .chroma = CHROMA_420,
        .bit_depth = 8,
        .colour = {.primaries = 1, .transfer = 1, .matrix = 1, .chroma_location = -1},
        .rate = videos[_i].rate,
        .profile = "high",
        .level = 30,
    };
    struct grid_options options = grid_options_default();
    options.frames = videos[_i].frames;
    options.rate = spec.rate;
    options.gop_ms = 1000;
    struct grid *grid = NULL;
    struct err err = {0};
    ck_assert_int_eq(grid_create(&grid, &options, &err), 0);
    make_video(_i, grid->gops[1]);
    struct buf file = file_of("v.mp4");
    struct packets packets = packets_of("v.mp4");
    ck_assert_uint_eq(packets.count, (size_t)grid->frames);
    struct track_config track = {.video = &spec, .reorder_frames = videos[_i].reorder};
    track.record_size = payload_of(&file, "avcC", track.record);

    struct joined joined = {.track = &track};
    for (size_t c = 0; c < grid->chunk_count; c++) {
        struct chunk_grid chunk;
        grid_chunk(grid, c, 0, &chunk);
        joined.chunk = &chunk;
        write_chunk(&joined, &file, &packets);
        chunk_grid_finish(&chunk);
    }
    ck_assert_int_eq(joined.segments, (int64_t)grid->segment_count);
    ck_assert_uint_gt(grid->chunk_count, 1);
    ck_assert_msg(init_segment_write(&track, &joined.init, &err) == 0, "%s", err.message);
    put_file("ours.mp4", &joined.init, joined.bytes.data, joined.bytes.size);

    check_packets(&packets, "ours.mp4");
    struct buf wanted = decoded("-i v.mp4", "-f framemd5");
    struct buf got = decoded("-i ours.mp4", "-f framemd5");
    ck_assert_str_eq(buf_text(&got), buf_text(&wanted));
    struct buf start =
        output_of("ffprobe -v warning -show_entries stream=start_time,codec_tag_string"
                  ",profile,level,color_primaries,sample_aspect_ratio"
                  " -of default=nw=1 ours.mp4 2>&1");
    ck_assert_str_eq(buf_text(&start), "profile=High\ncodec_tag_string=avc1\n"
                                       "sample_aspect_ratio=1:1\nlevel=30\ncolor_primaries=bt709\n"
                                       "start_time=0.000000\n");
    check_iframes(&joined, grid);
    buf_finish(&start);
    buf_finish(&wanted);
    buf_finish(&got);
    buf_finish(&joined.bytes);
    buf_finish(&joined.init);
    mem_free(packets.list);
    buf_finish(&file);
    grid_destroy(grid);
}
END_TEST

static const struct {
    int sample_rate, channels;
    struct rational rate;
    int64_t frames;
} sounds[] = {{48000, 2, {24000, 1001}, 240}, {44100, 1, {25, 1}, 130}, {44100, 2, {60, 1}, 333}};

static void write_sound(struct joined *joined, const struct grid *grid, const struct buf *file,
                        const struct packets *packets) {
    struct segment_writer *writer = NULL;
    struct err err = {0};
    ck_assert_msg(segment_writer_create_audio(&writer, joined->track, grid, join, joined, &err) ==
                      0,
                  "%s", err.message);
    for (size_t i = 0; i < packets->count; i++) {
        struct sample sample = {.data = file->data + packets->list[i].position,
                                .size = (size_t)packets->list[i].size,
                                .duration = 1024};
        ck_assert_msg(segment_writer_sample(writer, &sample, &err) == 0, "%s", err.message);
    }
    ck_assert_msg(segment_writer_end(writer, &err) == 0, "%s", err.message);
    segment_writer_destroy(writer);
}

/* Without the frames before time 0: in a fragmented file ffmpeg 5 decodes the priming
 * too, which the edit list puts there. */
static const char *from_time_0(struct buf *lines) {
    const char *line = buf_text(lines);
    while (line != NULL && strncmp(line, "0,      -1024,", 14) == 0) {
        line = strchr(line, '\n') + 1;
    }
    return line;
}

START_TEST(test_sound) {
    struct audio_spec spec = {.codec = CODEC_AAC,
                              .sample_rate = sounds[_i].sample_rate,
                              .channels = sounds[_i].channels,
                              .bitrate_bps = 96000,
                              .language = "und"};
    struct timeline timeline = {.rate = sounds[_i].rate, .frames = sounds[_i].frames};
    int64_t samples = title_audio_samples(&timeline, spec.sample_rate);
    struct grid_options options = grid_options_default();
    options.frames = timeline.frames;
    options.rate = timeline.rate;
    struct grid *grid = NULL;
    struct err err = {0};
    ck_assert_int_eq(grid_create(&grid, &options, &err), 0);
    struct buf none = output_of(
        "ffmpeg -nostdin -v error -y -f lavfi -i"
        " 'aevalsrc=sin(t*(2000+800*t)):s=%d,atrim=end_sample=%lld' -ac %d -c:a aac -b:a 96k a.mp4"
        " 2>&1",
        spec.sample_rate, (long long)samples, spec.channels);
    buf_finish(&none);
    struct buf file = file_of("a.mp4");
    struct packets packets = packets_of("a.mp4");
    struct track_config track = {.audio = &spec, .priming = 1024, .duration = samples};
    uint8_t esds[512];
    size_t esds_size = payload_of(&file, "esds", esds);
    track.record_size = 5; /* ffmpeg's, with the flag that there is no SBR */
    memcpy(track.record, esds + esds_size - 6 - 5, track.record_size);

    struct joined joined = {.track = &track};
    write_sound(&joined, grid, &file, &packets);
    ck_assert_msg(init_segment_write(&track, &joined.init, &err) == 0, "%s", err.message);
    put_file("ours.mp4", &joined.init, joined.bytes.data, joined.bytes.size);
    check_packets(&packets, "ours.mp4");
    struct buf wanted = decoded("-i a.mp4", "-f framemd5");
    struct buf got = decoded("-copyts -i ours.mp4", "-f framemd5");
    ck_assert_str_eq(from_time_0(&got), buf_text(&wanted));
    struct buf facts = output_of("ffprobe -v warning -show_entries stream=channels,sample_rate"
                                 ",profile,codec_tag_string -of default=nw=1 ours.mp4 2>&1");
    char text[200];
    snprintf(text, sizeof(text), "profile=LC\ncodec_tag_string=mp4a\nsample_rate=%d\nchannels=%d\n",
             spec.sample_rate, spec.channels);
    ck_assert_str_eq(buf_text(&facts), text);
    buf_finish(&facts);
    buf_finish(&wanted);
    buf_finish(&got);
    buf_finish(&joined.bytes);
    buf_finish(&joined.init);
    mem_free(packets.list);
    buf_finish(&file);
    grid_destroy(grid);
}
END_TEST

Suite *segment_media_suite(void) {
    Suite *suite = suite_create("segment_media");
    TCase *tests = tcase_create("media");
    tcase_add_unchecked_fixture(tests, make_folder, remove_folder);
    tcase_add_loop_test(tests, test_video, 0, sizeof(videos) / sizeof(videos[0]));
    tcase_add_loop_test(tests, test_sound, 0, sizeof(sounds) / sizeof(sounds[0]));
    suite_add_tcase(suite, tests);
    return suite;
}
