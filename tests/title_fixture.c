/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A small whole title in memory: see title_fixture.h. */
#include "title_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "common/fs.h"
#include "common/hash.h"
#include "common/mem.h"
#include "encoder/av1_config.h"
#include "fixture.h"
#include "packager/av1.h"
#include "packager/avc.h"
#include "packager/packager.h"

enum {
    FRAMES = 144,
    SAMPLE_RATE = 48000,
    PRIMING = 1024, /* ffmpeg's AAC encoder */
    FILE_BYTES_MAX = 16 << 20,
};

struct title_fixture_options title_fixture_options_default(void) {
    return (struct title_fixture_options){
        .pictures = "testsrc2=size=%dx%d:rate=24000/1001",
        .rung_count = 2,
        .rungs = {{CODEC_H264, "h264-180p", "video/h264-180p-0123456789", 320, 180, "yuv420p", 26,
                   1, false},
                  {CODEC_H264, "h264-90p", "video/h264-90p-abcdef0123", 160, 90, "yuv420p", 30, 1,
                   false}},
    };
}

struct title_fixture_options title_fixture_options_av1(void) {
    struct title_fixture_options options = title_fixture_options_default();
    options.rungs[options.rung_count++] = (struct title_fixture_rung){
        CODEC_AV1, "av1-180p", "video/av1-180p-9876543210", 320, 180, "yuv420p", 40, 1, false};
    return options;
}

/* ---- Coded media by ffmpeg ------------------------------------------------------- */

#define FFMPEG "ffmpeg -nostdin -v error -y -f lavfi"

/* A coded track in an MP4 file of ffmpeg's, and where its packets lie. */
struct coded {
    struct buf file;
    struct buf packets; /* lines of "pts,size,position" in decode order */
    const char *next;   /* line */
};

static struct coded read_coded(const char *folder) {
    struct coded coded = {0};
    struct err err = {0};
    fixture_shell(folder,
                  "ffprobe -v error -show_entries packet=pts,size,pos -of csv=p=0 coded.mp4 "
                  ">packets");
    char *file = mem_format("%s/coded.mp4", folder);
    char *packets = mem_format("%s/packets", folder);
    ck_assert_msg(fs_read(&coded.file, file, FILE_BYTES_MAX, &err) == 0, "%s", err.message);
    ck_assert_msg(fs_read(&coded.packets, packets, FILE_BYTES_MAX, &err) == 0, "%s", err.message);
    coded.next = buf_text(&coded.packets);
    mem_free(file);
    mem_free(packets);
    return coded;
}

static void coded_finish(struct coded *coded) {
    buf_finish(&coded->file);
    buf_finish(&coded->packets);
}

/* How ffmpeg and x264 call the colours of a rung. */
static const struct colour_names {
    int colour;
    const char *primaries, *transfer, *matrix;
} colour_names[] = {
    {1, "bt709", "bt709", "bt709"},
    {2, "undef", "undef", "undef"},
    {6, "smpte170m", "smpte170m", "smpte170m"},
    {9, "bt2020", "smpte2084", "bt2020nc"},
};

static const struct colour_names *names_of(int colour) {
    size_t i = 0;
    while (colour_names[i].colour != colour) {
        ck_assert_uint_lt(++i, sizeof(colour_names) / sizeof(colour_names[0]));
    }
    return &colour_names[i];
}

static struct coded make_pictures(const char *folder, const struct title_fixture_options *options,
                                  const struct title_fixture_rung *rung) {
    const struct colour_names *names = names_of(rung->colour);
    char source[256];
    char coding[512];
    snprintf(source, sizeof(source), options->pictures, rung->width, rung->height);
    if (rung->codec == CODEC_AV1) {
        snprintf(coding, sizeof(coding),
                 "-c:v libaom-av1 -cpu-used 8 -g 24 -keyint_min 24 "
                 "-vf setparams=color_primaries=%s:color_trc=%s:colorspace=%s:range=limited",
                 names->primaries, names->transfer, names->matrix);
    } else {
        snprintf(coding, sizeof(coding),
                 "-c:v libx264 -preset veryfast -level 30 "
                 "-x264-params keyint=24:min-keyint=24:scenecut=0:open-gop=0:bframes=2:"
                 "colorprim=%s:transfer=%s:colormatrix=%s:fullrange=%s",
                 names->primaries, names->transfer, names->matrix, rung->full_range ? "on" : "off");
    }
    fixture_shell(folder,
                  FFMPEG " -i \"%s\" -frames:v %d -threads 1 -crf %d -pix_fmt %s "
                         "-video_track_timescale 24000 %s coded.mp4",
                  source, FRAMES, rung->crf, rung->pixel_format, coding);
    return read_coded(folder);
}

static struct coded make_sound(const char *folder) {
    fixture_shell(folder, FFMPEG " -i sine=frequency=440:sample_rate=48000:duration=8 -ac 2 "
                                 "-c:a aac -b:a 64k coded.mp4");
    return read_coded(folder);
}

/* The next packet's bytes; its presentation time in `pts`. */
static struct sample next_packet(struct coded *coded, long long *pts) {
    long long size;
    long long position;
    ck_assert_int_eq(sscanf(coded->next, "%lld,%lld,%lld", pts, &size, &position), 3);
    const char *end = strchr(coded->next, '\n');
    ck_assert_ptr_nonnull(end);
    coded->next = end + 1;
    ck_assert_uint_le((size_t)(position + size), coded->file.size);
    return (struct sample){.data = coded->file.data + position, .size = (size_t)size};
}

/* Of the first packet's sequence header: ffmpeg's av1C holds one that libaom told before its
 * tools were settled. */
static void make_record(const struct coded *coded, struct track_config *track) {
    struct coded first = *coded;
    struct coded_config config;
    struct err err = {0};
    long long pts;
    struct sample sample = next_packet(&first, &pts);
    ck_assert_msg(av1_config_make(&config, track->video, sample.data, sample.size, &err) == 0, "%s",
                  err.message);
    memcpy(track->record, config.record, config.record_size);
    track->record_size = config.record_size;
}

/* The payload of ffmpeg's avcC. */
static void find_record(const struct coded *coded, struct track_config *track) {
    const uint8_t *at = memmem(coded->file.data, coded->file.size, "avcC", 4);
    ck_assert_ptr_nonnull(at);
    track->record_size = (size_t)(at[-2] << 8 | at[-1]) - 8;
    ck_assert_uint_le(track->record_size, sizeof(track->record));
    memcpy(track->record, at + 4, track->record_size);
    struct avc_record record;
    struct err err = {0};
    ck_assert_msg(avc_record_read(&record, track->record, track->record_size, &err) == 0, "%s",
                  err.message);
    track->reorder_frames = record.sps.reorder_frames;
}

/* ---- Segments by the packager ---------------------------------------------------- */

struct making {
    struct title_fixture *title;
    struct title_plan *plan;
    const char *folder; /* of the rendition */
    struct unit_report *report;
};

void title_fixture_add(struct title_fixture *title, const char *path, const void *data,
                       size_t size) {
    ck_assert_uint_lt(title->count, TITLE_FIXTURE_OBJECTS_MAX);
    struct title_fixture_object *object = &title->objects[title->count++];
    ck_assert_uint_lt(strlen(path), sizeof(object->path));
    snprintf(object->path, sizeof(object->path), "%s", path);
    buf_append(&object->bytes, data, size);
}

static int take_segment(void *context, const struct segment_report *report, const uint8_t *data,
                        size_t size, struct err *err) {
    struct making *making = context;
    struct arena *arena = &making->plan->arena;
    struct segment_report *copy = &making->report->segments[making->report->segment_count++];
    *copy = *report;
    copy->fragments = arena_zero(arena, report->fragment_count, sizeof(*copy->fragments));
    if (report->fragment_count > 0) {
        memcpy(copy->fragments, report->fragments,
               report->fragment_count * sizeof(*copy->fragments));
    }
    char *path = arena_format(arena, "%s/%05lld.m4s", making->folder, (long long)report->number);
    title_fixture_add(making->title, path, data, size);
    (void)err;
    return 0;
}

static void begin_rendition(struct making *making, struct rendition_plan *rendition,
                            struct unit_report *report, const struct track_config *track) {
    struct buf init = {0};
    struct err err = {0};
    making->folder = rendition->folder;
    making->report = report;
    memcpy(report->record, track->record, sizeof(report->record));
    report->record_size = track->record_size;
    report->reorder_frames = track->reorder_frames;
    report->priming = track->priming;
    report->segments = arena_zero(&making->plan->arena, making->plan->grid->segment_count,
                                  sizeof(*report->segments));
    ck_assert_msg(init_segment_write(track, &init, &err) == 0, "%s", err.message);
    report->init_bytes = (int64_t)init.size;
    title_fixture_add(making->title,
                      arena_format(&making->plan->arena, "%s/init.mp4", making->folder), init.data,
                      init.size);
    buf_finish(&init);
}

static int look_at(struct sample *sample, enum codec_id codec, struct err *err) {
    struct avc_sample avc = {0};
    struct av1_sample av1 = {0};
    int failed = codec == CODEC_AV1 ? av1_sample_read(&av1, sample->data, sample->size, err)
                                    : avc_sample_read(&avc, sample->data, sample->size, 4, err);
    sample->key = avc.idr || av1.key;
    sample->disposable = codec == CODEC_H264 && !avc.reference;
    return failed;
}

static void write_chunk(struct making *making, const struct track_config *track, size_t index,
                        struct coded *coded) {
    struct segment_writer *writer = NULL;
    struct err err = {0};
    struct chunk_grid chunk;
    grid_chunk(making->plan->grid, index, 0, &chunk);
    int failed = segment_writer_create_video(&writer, track, &chunk, take_segment, making, &err);
    for (int64_t i = chunk.first; i < chunk.end && failed == 0; i++) {
        long long pts;
        struct sample sample = next_packet(coded, &pts);
        failed = look_at(&sample, track->video->codec, &err);
        sample.frame = pts / track->video->rate.den;
        failed = failed == 0 ? segment_writer_sample(writer, &sample, &err) : failed;
    }
    failed = failed == 0 ? segment_writer_end(writer, &err) : failed;
    ck_assert_msg(failed == 0, "%s", err.message);
    segment_writer_destroy(writer);
    chunk_grid_finish(&chunk);
}

static void write_pictures(struct making *making, struct rendition_plan *rendition,
                           struct unit_report *report, struct coded *coded) {
    struct track_config track = {.video = &rendition->video};
    if (rendition->video.codec == CODEC_AV1) {
        make_record(coded, &track);
    } else {
        find_record(coded, &track);
    }
    begin_rendition(making, rendition, report, &track);
    for (size_t c = 0; c < making->plan->grid->chunk_count; c++) {
        write_chunk(making, &track, c, coded);
    }
}

static void write_sound(struct making *making, struct rendition_plan *rendition,
                        struct unit_report *report, struct coded *coded) {
    struct track_config track = {
        .audio = &rendition->audio,
        .record = {0x11, 0x90}, /* AAC-LC, 48 kHz, stereo */
        .record_size = 2,
        .priming = PRIMING,
        .duration = title_audio_samples(&making->plan->source.timeline, SAMPLE_RATE),
    };
    struct segment_writer *writer = NULL;
    struct err err = {0};
    begin_rendition(making, rendition, report, &track);
    int failed = segment_writer_create_audio(&writer, &track, making->plan->grid, take_segment,
                                             making, &err);
    for (int64_t at = 0; at < PRIMING + track.duration && failed == 0; at += 1024) {
        long long pts;
        struct sample sample = next_packet(coded, &pts);
        sample.duration = 1024;
        failed = segment_writer_sample(writer, &sample, &err);
    }
    failed = failed == 0 ? segment_writer_end(writer, &err) : failed;
    ck_assert_msg(failed == 0, "%s", err.message);
    segment_writer_destroy(writer);
}

/* ---- Images: heads of files, and no picture in them ------------------------------- */

static void put_u16(struct buf *out, int value) {
    const uint8_t bytes[] = {(uint8_t)(value >> 8), (uint8_t)value};
    buf_append(out, bytes, sizeof(bytes));
}

static void make_jpeg(int width, int height, struct buf *out) {
    static const uint8_t head[] = {0xff, 0xd8, 0xff, 0xc0, 0, 17, 8};
    static const uint8_t tail[] = {3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xff, 0xd9};
    buf_append(out, head, sizeof(head));
    put_u16(out, height);
    put_u16(out, width);
    buf_append(out, tail, sizeof(tail));
}

static void make_avif(int width, int height, struct buf *out) {
    static const uint8_t zeros[20];
    buf_append(out,
               "\0\0\0\x1c"
               "ftypavif",
               12);
    buf_append(out, zeros, 16);
    buf_append(out,
               "\0\0\0\x14"
               "ispe\0\0\0\0\0\0",
               14);
    put_u16(out, width);
    buf_append(out, zeros, 2);
    put_u16(out, height);
    buf_append(out,
               "\0\0\0\x13"
               "colrnclx\0\1\0\1\0\1",
               18);
    buf_append(out, zeros, sizeof(zeros));
}

static void make_image(const struct title_plan *plan, const struct image_spec *spec, int64_t number,
                       struct buf *out) {
    int width = 0, height = 0;
    image_object_size(spec, number, &width, &height);
    if (spec->kind == IMAGE_STORYBOARD && number == 0) {
        thumbnails_write(spec, &plan->source.timeline, out);
    } else if (spec->kind == IMAGE_POSTER && number % 2 == 0) {
        make_avif(width, height, out);
    } else {
        make_jpeg(width, height, out);
    }
}

static void write_images(struct making *making, struct rendition_plan *rendition,
                         struct unit_report *report) {
    struct buf file = {0};
    int64_t last = image_sheets(&rendition->image);
    report->segments = arena_zero(&making->plan->arena, (size_t)last, sizeof(*report->segments));
    for (int64_t number = 0; number <= last; number++) {
        char name[WIRE_OBJECT_TEXT];
        char hex[SHA256_TEXT];
        make_image(making->plan, &rendition->image, number, &file);
        sha256_hex_of(file.data, file.size, hex);
        if (number == 0) {
            report->init_bytes = (int64_t)file.size;
            memcpy(report->init_sha256, hex, sizeof(hex));
        } else {
            struct segment_report *segment = &report->segments[report->segment_count++];
            *segment = (struct segment_report){
                .number = number, .bytes = (int64_t)file.size, .samples = 1};
            memcpy(segment->sha256, hex, sizeof(hex));
        }
        rendition_object_name(rendition->folder, number, name);
        title_fixture_add(making->title,
                          arena_format(&making->plan->arena, "%s/%s", rendition->folder, name),
                          file.data, file.size);
        buf_clear(&file);
    }
    buf_finish(&file);
}

static void plan_images_of(struct title_plan *plan, size_t first) {
    static const struct image_spec specs[] = {
        [IMAGE_POSTER] = {IMAGE_POSTER, 400, 224, DEINTERLACE_FRAME, FRAMES, 2, 1, 1},
        [IMAGE_STORYBOARD] = {IMAGE_STORYBOARD, 64, 36, DEINTERLACE_FRAME, 24, 6, 2, 2},
    };
    static const char *const ids[] = {[IMAGE_POSTER] = "poster", [IMAGE_STORYBOARD] = "storyboard"};
    for (size_t kind = 0; kind < IMAGE_KIND_COUNT; kind++) {
        struct rendition_plan *rendition = &plan->renditions[first + kind];
        *rendition = (struct rendition_plan){
            .is_image = true, .image = specs[kind], .build_line = "encoder=posters layout=1"};
        snprintf(rendition->id, sizeof(rendition->id), "%s", ids[kind]);
        snprintf(rendition->folder, sizeof(rendition->folder), "images/%s-33445566aa", ids[kind]);
    }
}

/* ---- The plan and the manifests -------------------------------------------------- */

static void plan_rung(struct title_plan *plan, size_t index,
                      const struct title_fixture_rung *rung) {
    struct rendition_plan *rendition = &plan->renditions[index];
    bool full_chroma = strcmp(rung->pixel_format, "yuv444p") == 0;
    snprintf(rendition->id, sizeof(rendition->id), "%s", rung->id);
    snprintf(rendition->folder, sizeof(rendition->folder), "%s", rung->folder);
    rendition->build_line = "encoder=x264 layout=1";
    rendition->is_video = true;
    rendition->video = (struct video_spec){
        .codec = rung->codec,
        .encoder = "x264",
        .width = rung->width,
        .height = rung->height,
        .chroma = full_chroma ? CHROMA_444 : CHROMA_420,
        .bit_depth = strcmp(rung->pixel_format, "yuv420p10le") == 0 ? 10 : 8,
        .colour = {.primaries = rung->colour,
                   .transfer = rung->colour == 9 ? 16 : rung->colour,
                   .matrix = rung->colour,
                   .full_range = rung->full_range,
                   .chroma_location = -1},
        .rate = plan->source.timeline.rate,
        .profile = "high444",
        .level = rung->codec == CODEC_AV1 ? 20 : 30,
    };
}

static void plan_title(struct title_plan *plan, const struct title_fixture_options *options) {
    plan->title = "a-title";
    plan->ladder = "h264";
    plan->identity = "sha256:00ff";
    plan->source.container = "mov,mp4";
    plan->source.timeline = (struct timeline){{24000, 1001}, FRAMES, {0, 1}};
    plan->source.has_video = true;
    struct grid_options grid = grid_options_default();
    grid.frames = FRAMES;
    grid.rate = plan->source.timeline.rate;
    grid.gop_ms = 1000;
    struct err err = {0};
    ck_assert_msg(grid_create(&plan->grid, &grid, &err) == 0, "%s", err.message);
    plan->rendition_count = options->rung_count + 1 + (options->images ? IMAGE_KIND_COUNT : 0);
    plan->renditions = arena_zero(&plan->arena, plan->rendition_count, sizeof(*plan->renditions));
    for (size_t i = 0; i < options->rung_count; i++) {
        plan_rung(plan, i, &options->rungs[i]);
    }
    if (options->images) {
        plan_images_of(plan, options->rung_count + 1);
    }
    struct rendition_plan *sound = &plan->renditions[options->rung_count];
    snprintf(sound->id, sizeof(sound->id), "audio-und-aac-2");
    snprintf(sound->folder, sizeof(sound->folder), "audio/und-aac-2-1122334455");
    sound->build_line = "encoder=aac layout=1";
    sound->audio = (struct audio_spec){.codec = CODEC_AAC,
                                       .encoder = "aac",
                                       .sample_rate = SAMPLE_RATE,
                                       .channels = 2,
                                       .bitrate_bps = 64000,
                                       .language = "und"};
}

static void add_text(struct title_fixture *title, const char *path, struct buf *text) {
    title_fixture_add(title, path, text->data, text->size);
    buf_clear(text);
}

/* Adds the document under its stable name and as the version's own. */
static void add_top(struct title_fixture *title, const char *stable, const char *ending,
                    struct buf *text) {
    char own[64];
    snprintf(own, sizeof(own), "%s%s", title->version, ending);
    title_fixture_add(title, own, text->data, text->size);
    add_text(title, stable, text);
}

static void add_manifests(struct title_fixture *title, struct title_plan *plan,
                          const struct rendition_report *reports) {
    struct presentation p;
    struct err err = {0};
    struct buf text = {0};
    ck_assert_msg(presentation_build(&p, plan, reports, &err) == 0, "%s", err.message);
    presentation_name_version(&p, plan, reports);
    memcpy(title->version, p.version, sizeof(title->version));
    hls_multivariant_write(&p, &text);
    add_top(title, "master.m3u8", ".m3u8", &text);
    dash_write(&p, &text);
    add_top(title, "manifest.mpd", ".mpd", &text);
    title_document_write(&p, plan, reports, &text);
    add_top(title, "title.json", ".json", &text);
    for (size_t t = 0; t < p.periods[0].track_count; t++) {
        const struct presented_track *track = &p.periods[0].tracks[t];
        hls_media_write(&p, track, &text);
        add_text(title, arena_format(&plan->arena, "%s/%s.m3u8", p.version, track->id), &text);
        if (track->video) {
            hls_iframes_write(&p, track, &text);
            add_text(title, arena_format(&plan->arena, "%s/%s-iframes.m3u8", p.version, track->id),
                     &text);
        }
    }
    buf_finish(&text);
    presentation_finish(&p);
}

static void add_early(struct title_fixture *title, struct title_plan *plan,
                      const struct rendition_report *reports, size_t chunks) {
    struct rendition_report head[TITLE_FIXTURE_RUNGS_MAX + 1 + IMAGE_KIND_COUNT];
    struct presentation p;
    struct err err = {0};
    struct buf text = {0};
    for (size_t i = 0; i < plan->rendition_count; i++) {
        head[i] = reports[i];
        if (plan->renditions[i].is_video) {
            head[i].joined.segment_count = plan->grid->chunks[chunks];
        }
    }
    ck_assert_msg(early_build(&p, plan, head, chunks, &err) == 0, "%s", err.message);
    early_multivariant_write(&p, "early/1", &text);
    add_text(title, "early.m3u8", &text);
    for (size_t t = 0; t < p.periods[0].track_count; t++) {
        const struct presented_track *track = &p.periods[0].tracks[t];
        early_media_write(&p, track, chunks == plan->grid->chunk_count, &text);
        add_text(title, arena_format(&plan->arena, "early/1/%s.m3u8", track->id), &text);
    }
    buf_finish(&text);
    presentation_finish(&p);
}

void title_fixture_make(struct title_fixture *out, const struct title_fixture_options *options) {
    struct title_plan plan = {0};
    struct rendition_report reports[TITLE_FIXTURE_RUNGS_MAX + 1 + IMAGE_KIND_COUNT] = {0};
    struct making making = {.title = out, .plan = &plan};
    char *folder = fixture_folder();
    *out = (struct title_fixture){0};
    plan_title(&plan, options);
    for (size_t i = 0; i < options->rung_count; i++) {
        struct coded coded = make_pictures(folder, options, &options->rungs[i]);
        write_pictures(&making, &plan.renditions[i], &reports[i].joined, &coded);
        coded_finish(&coded);
    }
    struct coded coded = make_sound(folder);
    write_sound(&making, &plan.renditions[options->rung_count],
                &reports[options->rung_count].joined, &coded);
    coded_finish(&coded);
    for (size_t i = options->rung_count + 1; i < plan.rendition_count; i++) {
        write_images(&making, &plan.renditions[i], &reports[i].joined);
    }
    add_manifests(out, &plan, reports);
    if (options->early_chunks > 0) {
        add_early(out, &plan, reports, options->early_chunks);
    }
    title_plan_finish(&plan);
    fixture_folder_drop(folder);
}

/* ---- Objects --------------------------------------------------------------------- */

void title_fixture_copy(struct title_fixture *out, const struct title_fixture *from) {
    *out = (struct title_fixture){0};
    memcpy(out->version, from->version, sizeof(out->version));
    for (size_t i = 0; i < from->count; i++) {
        const struct title_fixture_object *object = &from->objects[i];
        title_fixture_add(out, object->path, object->bytes.data, object->bytes.size);
    }
}

void title_fixture_finish(struct title_fixture *title) {
    for (size_t i = 0; i < title->count; i++) {
        buf_finish(&title->objects[i].bytes);
    }
    *title = (struct title_fixture){0};
}

struct buf *title_fixture_bytes(struct title_fixture *title, const char *path) {
    char full[128];
    bool versioned = strncmp(path, "$V", 2) == 0;
    snprintf(full, sizeof(full), "%s%s", versioned ? title->version : "",
             versioned ? path + 2 : path);
    for (size_t i = 0; i < title->count; i++) {
        if (strcmp(title->objects[i].path, full) == 0) {
            return &title->objects[i].bytes;
        }
    }
    return NULL;
}

int title_fixture_fetch(void *context, const char *path, struct buf *out, struct served *served,
                        struct err *err) {
    struct title_fixture *title = context;
    const struct buf *bytes = title_fixture_bytes(title, path);
    *served = title->served;
    if (bytes == NULL) {
        return err_set(err, ERR_NOT_FOUND, "there is no object %s", path);
    }
    buf_append(out, bytes->data, bytes->size);
    return 0;
}
