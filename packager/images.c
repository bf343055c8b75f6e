/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Posters and storyboards: see images.h and packager.h. */
#include "images.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- Bytes ------------------------------------------------------------------------ */

static unsigned u16_at(const uint8_t *data) {
    return (unsigned)data[0] << 8 | data[1];
}

static uint32_t u32_at(const uint8_t *data) {
    return (uint32_t)u16_at(data) << 16 | u16_at(data + 2);
}

/* More than 16 bits are no picture of ours; 0 lines would be told behind the picture. */
static int size_take(uint32_t across, uint32_t down, int *width, int *height, struct err *err) {
    if (across == 0 || across > UINT16_MAX || down == 0 || down > UINT16_MAX) {
        return err_set(err, ERR_CORRUPT, "it is of %" PRIu32 "x%" PRIu32 " pixels", across, down);
    }
    *width = (int)across;
    *height = (int)down;
    return 0;
}

int jpeg_size(const uint8_t *data, size_t size, int *width, int *height, struct err *err) {
    enum { SOI = 0xffd8, EOI = 0xffd9, SOF_BASELINE = 0xffc0, SOS = 0xffda, SOF_BYTES = 11 };
    bool whole = size > 4 && u16_at(data) == SOI && u16_at(data + size - 2) == EOI;
    for (size_t at = 2; whole && at + 4 <= size;) {
        unsigned marker = u16_at(data + at);
        size_t length = u16_at(data + at + 2);
        if (marker == SOF_BASELINE && at + SOF_BYTES <= size) {
            return size_take(u16_at(data + at + 7), u16_at(data + at + 5), width, height, err);
        }
        if (marker >> 8 != 0xff || marker == SOS) {
            break;
        }
        at += 2 + length;
    }
    return err_set(err, ERR_CORRUPT, "it is no whole baseline JPEG");
}

/* By its brand, and the size in its only `ispe` property (ISO/IEC 23008-12 6.5.3). */
int avif_size(const uint8_t *data, size_t size, int *width, int *height, struct err *err) {
    const uint8_t *box = size > 32 && memcmp(data + 4, "ftypavif", 8) == 0
                             ? memmem(data, size - 16, "ispe", 4)
                             : NULL;
    if (box == NULL) {
        return err_set(err, ERR_CORRUPT, "it is no AVIF picture");
    }
    return size_take(u32_at(box + 8), u32_at(box + 12), width, height, err);
}

/* A property colr of kind nclx (ISO/IEC 14496-12 12.1.5). */
bool avif_tells_colour(const uint8_t *data, size_t size) {
    return memmem(data, size, "colrnclx", 8) != NULL;
}

static void time_write(int64_t millis, struct buf *out) {
    buf_format(out, "%02" PRId64 ":%02" PRId64 ":%02" PRId64 ".%03" PRId64, millis / 3600000,
               millis / 60000 % 60, millis / 1000 % 60, millis % 1000);
}

void thumbnails_write(const struct image_spec *spec, const struct timeline *timeline,
                      struct buf *out) {
    const struct rational rate = timeline->rate;
    int places = spec->columns * spec->rows;
    buf_string(out, "WEBVTT\n");
    for (int i = 0; i < spec->count; i++) {
        int64_t first = i * spec->interval_frames;
        int64_t end = first + spec->interval_frames;
        end = end < timeline->frames ? end : timeline->frames;
        buf_string(out, "\n");
        time_write(ticks_scale(first * 1000, rate.den, rate.num, ROUND_NEAR), out);
        buf_string(out, " --> ");
        time_write(ticks_scale(end * 1000, rate.den, rate.num, ROUND_NEAR), out);
        buf_format(out, "\n%05d.jpg#xywh=%d,%d,%d,%d\n", i / places + 1,
                   i % spec->columns * spec->width, i % places / spec->columns * spec->height,
                   spec->width, spec->height);
    }
}

int image_object_check(const struct image_spec *spec, const struct timeline *timeline,
                       int64_t number, const uint8_t *data, size_t size, struct err *err) {
    int width = 0;
    int height = 0;
    int failed = 0;
    if (number == 0 && spec->kind == IMAGE_STORYBOARD) {
        struct buf wanted = {0};
        thumbnails_write(spec, timeline, &wanted);
        bool same = wanted.size == size && memcmp(wanted.data, data, size) == 0;
        buf_finish(&wanted);
        return same ? 0 : err_set(err, ERR_CORRUPT, "its thumbnails.vtt is another one");
    }
    bool is_avif = spec->kind == IMAGE_POSTER && number % 2 == 0;
    failed = is_avif ? avif_size(data, size, &width, &height, err)
                     : jpeg_size(data, size, &width, &height, err);
    int wanted_width = 0, wanted_height = 0;
    image_object_size(spec, number, &wanted_width, &wanted_height);
    if (failed == 0 && (width != wanted_width || height != wanted_height)) {
        failed = err_set(err, ERR_CORRUPT, "an image is %dx%d, and must be %dx%d", width, height,
                         wanted_width, wanted_height);
    }
    return failed;
}

/* ---- What is told ------------------------------------------------------------------ */

int images_check(const struct image_spec *spec, const struct unit_report *report, struct err *err) {
    bool whole = report->init_bytes > 0 && report->segment_count == (size_t)image_sheets(spec);
    for (size_t i = 0; i < report->segment_count; i++) {
        whole = whole && report->segments[i].number == (int64_t)i + 1;
    }
    return whole ? 0 : err_set(err, ERR_CORRUPT, "not all of its images were reported");
}

static void object_write(const struct rendition_plan *rendition, int64_t number, int64_t bytes,
                         const char *sha256, struct writer *w) {
    char name[WIRE_OBJECT_TEXT];
    char path[WIRE_FOLDER_TEXT + WIRE_OBJECT_TEXT + 1];
    rendition_object_name(rendition->folder, number, name);
    snprintf(path, sizeof(path), "%s/%s", rendition->folder, name);
    const char *dot = strrchr(name, '.');
    writer_object(w, NULL);
    writer_string(w, "path", path);
    writer_string(w, "type",
                  strcmp(dot, ".avif") == 0  ? "image/avif"
                  : strcmp(dot, ".vtt") == 0 ? "text/vtt"
                                             : "image/jpeg");
    if (strcmp(dot, ".vtt") != 0) {
        int width = 0, height = 0;
        image_object_size(&rendition->image, number, &width, &height);
        writer_int(w, "width", width);
        writer_int(w, "height", height);
    }
    writer_int(w, "bytes", bytes);
    writer_string(w, "sha256", sha256);
    writer_object_end(w);
}

void images_write(const struct rendition_plan *rendition, const struct unit_report *report,
                  struct writer *w) {
    const struct image_spec *spec = &rendition->image;
    writer_string(w, "id", rendition->id);
    writer_string(w, "kind", spec->kind == IMAGE_POSTER ? "poster" : "storyboard");
    writer_string(w, "folder", rendition->folder);
    writer_int(w, "width", spec->width);
    writer_int(w, "height", spec->height);
    if (spec->kind == IMAGE_STORYBOARD) {
        writer_int(w, "count", spec->count);
        writer_int(w, "columns", spec->columns);
        writer_int(w, "rows", spec->rows);
        writer_int(w, "interval_frames", spec->interval_frames);
    }
    writer_int(w, "segments", (int64_t)report->segment_count);
    writer_string(w, "key", rendition->key);
    writer_string(w, "build_line", rendition->build_line);
    writer_array(w, "objects");
    object_write(rendition, 0, report->init_bytes, report->init_sha256, w);
    for (size_t i = 0; i < report->segment_count; i++) {
        object_write(rendition, report->segments[i].number, report->segments[i].bytes,
                     report->segments[i].sha256, w);
    }
    writer_array_end(w);
}
