/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of kinds and failures, rationals, and what a source is: see wire.h. */
#include "common/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire_fields.h"

enum {
    PIXELS_MAX = 1 << 17, /* of one side */
    TRACKS_MAX = 256,
    SENTENCES_MAX = 1000,
    ACCESS_MAX = 1 << 23,
    IMAGE_SIDE_MAX = 4096,
    IMAGES_MAX = 10000,
    IMAGES_A_SIDE_MAX = 16,
    OBJECT_DIGITS = 5,
    OBJECT_DIGITS_MAX = 12,
};

static const int64_t count_max = INT64_C(1) << 56;

bool title_id_valid(const char *text) {
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t length = strlen(text);
    return length > 0 && length < WIRE_TITLE_TEXT && strchr(first, text[0]) != NULL &&
           strspn(text, rest) == length;
}

static const char word_letters[] =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

bool title_label_valid(const char *label) {
    size_t name = strspn(label, word_letters);
    size_t value = label[name] == '=' ? strspn(label + name + 1, word_letters) : 0;
    return name > 0 && value > 0 && label[name + 1 + value] == '\0' && strlen(label) <= LABEL_MAX;
}

bool tenant_name_valid(const char *name) {
    size_t length = strlen(name);
    return length > 0 && length < TENANT_TEXT && strspn(name, word_letters) == length;
}

static const char *const failure_names[FAILURE_COUNT + 1] = {
    [FAILURE_BAD_SOURCE] = "bad_source",
    [FAILURE_UNSUPPORTED] = "unsupported",
    [FAILURE_FRAME_COUNT] = "frame_count",
    [FAILURE_REFUSED] = "refused",
    [FAILURE_IO] = "io",
    [FAILURE_KILLED] = "killed",
    [FAILURE_TIMEOUT] = "timeout",
    [FAILURE_OOM] = "oom",
    [FAILURE_CRASH] = "crash",
    [FAILURE_LIES] = "lies",
    [FAILURE_NONDETERMINISTIC] = "nondeterministic",
    [FAILURE_MISSING] = "missing",
    [FAILURE_ENDPOINT] = "endpoint",
};

const char *const wire_kind_names[TASK_KIND_COUNT + 1] = {
    [TASK_PROBE] = "probe",     [TASK_VIDEO] = "video", [TASK_AUDIO] = "audio",
    [TASK_PACKAGE] = "package", [TASK_SWAP] = "swap",   [TASK_REMOVE] = "remove",
    [TASK_PUSH] = "push",       [TASK_EARLY] = "early", [TASK_IMAGES] = "images",
    [TASK_SWEEP] = "sweep",
};

const char *const sandbox_level_names[] = {"full", "no-landlock", "none", NULL};

enum sandbox_level sandbox_level_find(const char *name) {
    int level = 0;
    while (level < SANDBOX_LEVEL_COUNT && strcmp(sandbox_level_names[level], name) != 0) {
        level++;
    }
    return (enum sandbox_level)level;
}

const char *const wire_codec_names[CODEC_COUNT + 1] = {
    [CODEC_NONE] = "none", [CODEC_H264] = "h264", [CODEC_AV1] = "av1",
    [CODEC_AAC] = "aac",   [CODEC_OPUS] = "opus",
};

const char *const wire_deinterlace_names[] = {
    [DEINTERLACE_NONE] = "none",
    [DEINTERLACE_FRAME] = "frame",
    [DEINTERLACE_FIELD] = "field",
    NULL,
};

static const char *const chroma_names[] = {
    [CHROMA_400] = "4:0:0",
    [CHROMA_420] = "4:2:0",
    [CHROMA_422] = "4:2:2",
    [CHROMA_444] = "4:4:4",
    NULL,
};

static const char *const scan_names[] = {
    [SCAN_PROGRESSIVE] = "progressive",
    [SCAN_TOP_FIRST] = "top",
    [SCAN_BOTTOM_FIRST] = "bottom",
    NULL,
};

static int index_of(const char *const *names, const char *name) {
    for (int i = 0; names[i] != NULL; i++) {
        if (strcmp(names[i], name) == 0) {
            return i;
        }
    }
    return -1;
}

const char *failure_class_name(enum failure_class failure) {
    return failure_names[failure];
}

int failure_class_from_name(const char *name) {
    return index_of(failure_names, name);
}

const char *task_kind_name(enum task_kind kind) {
    return wire_kind_names[kind];
}

int task_kind_from_name(const char *name) {
    return index_of(wire_kind_names, name);
}

/* ---- rationals --------------------------------------------------------------- */

void rational_write(struct writer *w, const char *name, struct rational value) {
    value = rational_of(value.num, value.den); /* a zeroed struct becomes 0/1 */
    char text[48];
    snprintf(text, sizeof(text), "%" PRId64 "/%" PRId64, value.num, value.den);
    writer_string(w, name, text);
}

void rational_read(struct rational *out, struct reader *r, const char *name) {
    const char *text = NULL;
    reader_string(r, name, &text);
    if (text == NULL) {
        return;
    }
    char *slash = NULL;
    char *end = NULL;
    errno = 0;
    int64_t num = strtoll(text, &slash, 10);
    int64_t den = *slash == '/' ? strtoll(slash + 1, &end, 10) : 0;
    if (errno != 0 || slash == text || den < 1 || *end != '\0' ||
        strspn(text, "-0123456789/") != strlen(text)) {
        reader_fail(r, name, "must be a fraction such as \"24000/1001\", not '%.40s'", text);
        return;
    }
    *out = rational_of(num, den);
}

/* ---- colour ------------------------------------------------------------------- */

static void primaries_write(const void *from, struct writer *w, const char *name) {
    const struct mastering_display *m = from;
    writer_array(w, name);
    for (int i = 0; i < 6; i++) {
        writer_int(w, NULL, m->primaries[i / 2][i % 2]);
    }
    writer_int(w, NULL, m->white[0]);
    writer_int(w, NULL, m->white[1]);
    writer_array_end(w);
}

static void primaries_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    (void)arena;
    struct mastering_display *m = to;
    struct reader items = reader_array(r, name);
    int64_t values[8] = {0};
    for (size_t i = 0; i < 8; i++) {
        reader_item_int(&items, i, 0, UINT16_MAX, &values[i]);
    }
    for (int i = 0; i < 6; i++) {
        m->primaries[i / 2][i % 2] = (uint16_t)values[i];
    }
    m->white[0] = (uint16_t)values[6];
    m->white[1] = (uint16_t)values[7];
}

static const struct field mastering_fields[] = {
    OTHER("primaries", primaries_write, primaries_read), /* green, blue, red, white */
    NUMBER(struct mastering_display, max_luminance, 0, UINT32_MAX),
    NUMBER(struct mastering_display, min_luminance, 0, UINT32_MAX),
    END,
};

static const struct field colour_fields[] = {
    NUMBER(struct colour, primaries, 0, 255),
    NUMBER(struct colour, transfer, 0, 255),
    NUMBER(struct colour, matrix, 0, 255),
    FLAG(struct colour, full_range),
    NUMBER(struct colour, chroma_location, -1, 5),
    OPTIONAL(struct colour, mastering, has_mastering, mastering_fields),
    FLAG(struct colour, has_light_level),
    NUMBER(struct colour, max_content_light, 0, UINT16_MAX),
    NUMBER(struct colour, max_frame_average_light, 0, UINT16_MAX),
    END,
};

/* ---- the source document ---------------------------------------------------- */

static const struct field timeline_fields[] = {
    RATIONAL(struct timeline, rate, 1, INT32_MAX),
    NUMBER(struct timeline, frames, 1, GRID_FRAMES_MAX),
    RATIONAL(struct timeline, start, -count_max, count_max),
    END,
};

static const struct field video_facts_fields[] = {
    NUMBER(struct video_facts, stream, 0, INT16_MAX),
    TEXT(struct video_facts, codec),
    NUMBER(struct video_facts, coded_width, 1, PIXELS_MAX),
    NUMBER(struct video_facts, coded_height, 1, PIXELS_MAX),
    RATIONAL(struct video_facts, sample_aspect, 1, INT32_MAX),
    NUMBER(struct video_facts, rotation, 0, 270),
    FLAG(struct video_facts, mirrored),
    NUMBER(struct video_facts, width, 1, PIXELS_MAX),
    NUMBER(struct video_facts, height, 1, PIXELS_MAX),
    TEXT(struct video_facts, pixel_format),
    CHOICE(struct video_facts, chroma, 0, chroma_names),
    NUMBER(struct video_facts, bit_depth, 1, 16),
    CHOICE(struct video_facts, scan, 0, scan_names),
    OBJECT(struct video_facts, colour, colour_fields),
    FLAG(struct video_facts, colour_assumed),
    RATIONAL(struct video_facts, source_rate, 0, INT32_MAX),
    FLAG(struct video_facts, variable_rate),
    RATIONAL(struct video_facts, time_base, 0, INT32_MAX),
    NUMBER(struct video_facts, bit_rate, 0, count_max),
    END,
};

static const struct field audio_facts_fields[] = {
    NUMBER(struct audio_facts, stream, 0, INT16_MAX),
    TEXT(struct audio_facts, codec),
    NUMBER(struct audio_facts, sample_rate, 1, 10000000),
    NUMBER(struct audio_facts, channels, 1, 255),
    TEXT(struct audio_facts, layout),
    NAME(struct audio_facts, language, 0),
    RATIONAL(struct audio_facts, start, -count_max, count_max),
    RATIONAL(struct audio_facts, duration, 0, count_max),
    END,
};

/* Four numbers a point in one list: an index may hold 100,000 of them. */
static void access_write(const void *from, struct writer *w, const char *name) {
    const struct source_document *document = from;
    writer_array(w, name);
    for (size_t i = 0; i < document->access_count; i++) {
        writer_int(w, NULL, document->access[i].frame);
        writer_int(w, NULL, document->access[i].pts);
        writer_int(w, NULL, document->access[i].dts);
        writer_int(w, NULL, document->access[i].position);
    }
    writer_array_end(w);
}

static void access_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct source_document *document = to;
    struct reader items = reader_array(r, name);
    size_t count = reader_count(&items) / 4;
    if (reader_count(&items) % 4 != 0 || count > ACCESS_MAX) {
        reader_fail(r, name, "must be up to %d times frame, pts, dts, position", (int)ACCESS_MAX);
        return;
    }
    document->access = arena_zero(arena, count, sizeof(*document->access));
    document->access_count = count;
    int64_t before = -count_max;
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        struct random_access *access = &document->access[i];
        reader_item_int(&items, 4 * i, before, count_max, &access->frame);
        reader_item_int(&items, 4 * i + 1, INT64_MIN, INT64_MAX, &access->pts);
        reader_item_int(&items, 4 * i + 2, INT64_MIN, INT64_MAX, &access->dts);
        reader_item_int(&items, 4 * i + 3, -1, INT64_MAX, &access->position);
        before = access->frame;
    }
}

/* Two numbers a range, as above. Documents of older probes have none. */
static void header_write(const void *from, struct writer *w, const char *name) {
    const struct source_document *document = from;
    if (document->header_count == 0) {
        return;
    }
    writer_array(w, name);
    for (size_t i = 0; i < document->header_count; i++) {
        writer_int(w, NULL, document->header[i].offset);
        writer_int(w, NULL, document->header[i].size);
    }
    writer_array_end(w);
}

static void header_read(void *to, struct arena *arena, struct reader *r, const char *name) {
    struct source_document *document = to;
    if (!reader_has(r, name)) {
        return;
    }
    struct reader items = reader_array(r, name);
    size_t count = reader_count(&items) / 2;
    if (reader_count(&items) % 2 != 0 || count > HEADER_RANGES_MAX) {
        reader_fail(r, name, "must be up to %d times offset, size", (int)HEADER_RANGES_MAX);
        return;
    }
    document->header = arena_zero(arena, count, sizeof(*document->header));
    document->header_count = count;
    int64_t end = 0;
    int64_t left = HEADER_BYTES_MAX;
    for (size_t i = 0; i < count && reader_ok(r); i++) {
        struct byte_range *range = &document->header[i];
        reader_item_int(&items, 2 * i, end, count_max, &range->offset);
        reader_item_int(&items, 2 * i + 1, 1, left, &range->size);
        end = range->offset + range->size;
        left -= range->size;
    }
}

static const struct field source_fields[] = {
    STRING(struct source_document, container, 256),
    NUMBER(struct source_document, size, 0, count_max),
    OBJECT(struct source_document, timeline, timeline_fields),
    OPTIONAL(struct source_document, video, has_video, video_facts_fields),
    LIST(struct source_document, audio, audio_count, TRACKS_MAX, audio_facts_fields),
    STRINGS(struct source_document, left_out, left_out_count, SENTENCES_MAX),
    STRINGS(struct source_document, defects, defect_count, SENTENCES_MAX),
    NUMBER(struct source_document, missing, 0, GRID_FRAMES_MAX),
    OTHER("access", access_write, access_read),
    NUMBER(struct source_document, access_unit_bytes, 0, count_max),
    OTHER("header", header_write, header_read),
    END,
};

void source_document_write(const struct source_document *document, struct writer *w,
                           const char *name) {
    object_write(source_fields, document, w, name);
}

void source_document_read(struct source_document *out, struct reader *r) {
    *out = (struct source_document){0};
    fields_read(source_fields, out, &out->arena, r);
    if (reader_ok(r) && out->video.rotation % 90 != 0) {
        reader_fail(r, "video", "has a rotation of %d, not of 0, 90, 180 or 270",
                    out->video.rotation);
    }
}

/* ---- specs --------------------------------------------------------------------- */

static const struct field video_spec_fields[] = {
    CHOICE(struct video_spec, codec, CODEC_H264, wire_codec_names),
    NAME(struct video_spec, encoder, 1),
    NUMBER(struct video_spec, width, 1, PIXELS_MAX),
    NUMBER(struct video_spec, height, 1, PIXELS_MAX),
    CHOICE(struct video_spec, chroma, 0, chroma_names),
    NUMBER(struct video_spec, bit_depth, 1, 16),
    OBJECT(struct video_spec, colour, colour_fields),
    RATIONAL(struct video_spec, rate, 1, INT32_MAX),
    CHOICE(struct video_spec, deinterlace, 0, wire_deinterlace_names),
    FLAG(struct video_spec, lossless),
    NUMBER(struct video_spec, crf_hundredths, 0, 6300),
    NUMBER(struct video_spec, maxrate_bps, 0, INT32_MAX),
    NUMBER(struct video_spec, bufsize_bits, 0, INT32_MAX),
    NUMBER(struct video_spec, vbv_init_percent, 0, 100),
    NAME(struct video_spec, preset, 0),
    NAME(struct video_spec, tune, 0),
    NAME(struct video_spec, profile, 0),
    NUMBER(struct video_spec, level, 0, 255),
    NUMBER(struct video_spec, gop_frames, 1, GRID_FRAMES_MAX),
    NUMBER(struct video_spec, threads, 1, 64),
    END,
};

void video_spec_write(const struct video_spec *spec, struct writer *w, const char *name) {
    object_write(video_spec_fields, spec, w, name);
}

void video_spec_read(struct video_spec *out, struct reader *r) {
    *out = (struct video_spec){0};
    fields_read(video_spec_fields, out, NULL, r);
    if (reader_ok(r) && !codec_is_video(out->codec)) {
        reader_fail(r, "codec", "must be one of pictures, not %s", codec_name(out->codec));
    }
}

static const struct field audio_spec_fields[] = {
    CHOICE(struct audio_spec, codec, CODEC_H264, wire_codec_names),
    NAME(struct audio_spec, encoder, 1),
    NUMBER(struct audio_spec, sample_rate, 8000, 192000),
    NUMBER(struct audio_spec, channels, 1, 8),
    NUMBER(struct audio_spec, bitrate_bps, 1, 10000000),
    NAME(struct audio_spec, language, 1),
    END,
};

void audio_spec_write(const struct audio_spec *spec, struct writer *w, const char *name) {
    object_write(audio_spec_fields, spec, w, name);
}

void audio_spec_read(struct audio_spec *out, struct reader *r) {
    *out = (struct audio_spec){0};
    fields_read(audio_spec_fields, out, NULL, r);
    if (reader_ok(r) && codec_is_video(out->codec)) {
        reader_fail(r, "codec", "must be one of sound, not %s", codec_name(out->codec));
    }
}

static const char *const image_kind_names[] = {
    [IMAGE_POSTER] = "poster",
    [IMAGE_STORYBOARD] = "storyboard",
    NULL,
};

static const struct field image_spec_fields[] = {
    CHOICE(struct image_spec, kind, 0, image_kind_names),
    NUMBER(struct image_spec, width, 2, IMAGE_SIDE_MAX),
    NUMBER(struct image_spec, height, 2, IMAGE_SIDE_MAX),
    CHOICE(struct image_spec, deinterlace, 0, wire_deinterlace_names),
    NUMBER(struct image_spec, interval_frames, 1, GRID_FRAMES_MAX),
    NUMBER(struct image_spec, count, 1, IMAGES_MAX),
    NUMBER(struct image_spec, columns, 1, IMAGES_A_SIDE_MAX),
    NUMBER(struct image_spec, rows, 1, IMAGES_A_SIDE_MAX),
    END,
};

void image_spec_write(const struct image_spec *spec, struct writer *w, const char *name) {
    object_write(image_spec_fields, spec, w, name);
}

void image_spec_read(struct image_spec *out, struct reader *r) {
    *out = (struct image_spec){0};
    fields_read(image_spec_fields, out, NULL, r);
    if (reader_ok(r) && out->kind == IMAGE_POSTER && out->count > IMAGE_POSTER_SIZES) {
        reader_fail(r, "count", "of a poster's sizes is %d, and can be %d", out->count,
                    IMAGE_POSTER_SIZES);
    }
}

/* ---- objects ------------------------------------------------------------------- */

/* By what a folder's name begins with; video and audio come last. */
static const struct {
    const char *folder;
    const char *names[2 * IMAGE_POSTER_SIZES]; /* of the first objects; NULL: no more */
    const char *ending;                        /* of the others, by number; NULL: there are none */
} object_names[] = {
    {"images/poster-",
     {"poster.avif", "poster.jpg", "poster-320.avif", "poster-320.jpg", "poster-640.avif",
      "poster-640.jpg"},
     NULL},
    {"images/storyboard-", {"thumbnails.vtt"}, ".jpg"},
    {"", {"init.mp4"}, ".m4s"},
};

enum { OBJECT_NAMES_MAX = 2 * IMAGE_POSTER_SIZES };

static size_t object_row(const char *folder) {
    size_t row = 0;
    while (strncmp(folder, object_names[row].folder, strlen(object_names[row].folder)) != 0) {
        row++;
    }
    return row;
}

void rendition_object_name(const char *folder, int64_t number, char out[WIRE_OBJECT_TEXT]) {
    size_t row = object_row(folder);
    const char *name = number < OBJECT_NAMES_MAX ? object_names[row].names[number] : NULL;
    out[0] = '\0';
    if (name != NULL) {
        snprintf(out, WIRE_OBJECT_TEXT, "%s", name);
    } else if (object_names[row].ending != NULL) {
        snprintf(out, WIRE_OBJECT_TEXT, "%05" PRId64 "%s", number, object_names[row].ending);
    }
}

int64_t rendition_object_number(const char *folder, const char *name) {
    size_t row = object_row(folder);
    for (int i = 0; i < OBJECT_NAMES_MAX && object_names[row].names[i] != NULL; i++) {
        if (strcmp(name, object_names[row].names[i]) == 0) {
            return i;
        }
    }
    if (object_names[row].ending == NULL) {
        return -1;
    }
    size_t digits = strspn(name, "0123456789");
    bool numbered = digits >= OBJECT_DIGITS && digits < OBJECT_DIGITS_MAX &&
                    strcmp(name + digits, object_names[row].ending) == 0;
    int64_t number = numbered ? strtoll(name, NULL, 10) : -1;
    return number > 0 ? number : -1;
}
