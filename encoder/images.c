/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pictures of a title to look at: a poster, or sheets of small pictures. Each is of a random
 * access point near the wanted time, so no more than a few pictures are decoded for it.
 */
#include <libavutil/frame.h>
#include <stdlib.h>
#include <string.h>

#include "common/mem.h"
#include "cpu.h"
#include "encoder/encoder.h"
#include "image_avif.h"
#include "image_jpeg.h"
#include "picture.h"
#include "source.h"
#include "upright.h"

enum {
    CANDIDATES = 12,      /* for a poster */
    CANDIDATES_FROM = 10, /* percent of the title */
    CANDIDATES_TO = 40,
    POSTER_QUALITY = 3, /* of image_jpeg.h */
    SHEET_QUALITY = 5,
    LOOK_STEP = 2, /* every so many samples of a picture are looked at */
    BLACK = 0,
    NEUTRAL = 128,
    JPEG_CHROMA = 1, /* in the centre: H.264's chroma_sample_loc_type */
    BT_601 = 6,
};

struct images {
    const struct encode_images_task *task;
    const struct source_io *io;
    struct upright *upright;       /* owned */
    struct image_format made_from; /* that `picture` converts */
    struct picture *picture;       /* owned; NULL before the first */
    struct image_format format;    /* of what `picture` gives */
    struct encode_stats stats;
};

/* ---- One picture ------------------------------------------------------------------ */

/* The random access point nearest to a frame; the frame itself where none is near. */
static int64_t nearest_access(const struct source_document *source, int64_t wanted) {
    int64_t best = source->access[0].frame;
    for (size_t i = 1; i < source->access_count; i++) {
        int64_t frame = source->access[i].frame;
        if (llabs(frame - wanted) < llabs(best - wanted)) {
            best = frame;
        }
    }
    int64_t last = source->timeline.frames - 1;
    return best < 0 ? 0 : best < last ? best : last;
}

/* What JFIF asks for; AVIF tells it. */
static struct image_format format_of(int width, int height, const struct image_format *from) {
    struct image_format format = {
        .width = width,
        .height = height,
        .stored_width = width,
        .stored_height = height,
        .chroma = CHROMA_420,
        .bit_depth = 8,
        .colour = from->colour,
    };
    format.colour.matrix = BT_601;
    format.colour.full_range = true;
    format.colour.chroma_location = JPEG_CHROMA;
    return format;
}

static int convert(struct images *images, const AVFrame *decoded, struct image *out,
                   struct err *err) {
    const struct image_format *from;
    struct image image;
    int rc = upright_convert(images->upright, decoded, false, &from, &image, err);
    if (rc < 0) {
        return rc;
    }
    if (images->picture == NULL || !image_format_equal(from, &images->made_from)) {
        picture_destroy(images->picture);
        images->picture = NULL;
        images->format = format_of(images->task->spec.width, images->task->spec.height, from);
        rc = picture_create(&images->picture, from, &images->format, err);
        if (rc < 0) {
            return rc;
        }
        images->made_from = *from;
    }
    return picture_convert(images->picture, &image, out, err);
}

/* The picture of a frame; `*out` is borrowed until the next call. */
static int take_picture(struct images *images, int64_t frame, struct image *out, struct err *err) {
    const struct picture_source_options options = {
        .document = images->task->source,
        .io = images->io,
        .first = frame,
        .end = frame + 1,
        .deinterlace = images->task->spec.deinterlace,
    };
    struct picture_source *source = NULL;
    const AVFrame *decoded;
    bool same = false;
    int rc = picture_source_open(&source, &options, err);
    if (rc == 0) {
        rc = picture_source_next(source, &decoded, &same, err);
    }
    if (rc == 1) {
        double before = cpu_seconds();
        rc = convert(images, decoded, out, err);
        images->stats.scale_cpu_s += cpu_seconds() - before;
    } else if (rc == 0) {
        rc = err_set(err, ERR_INTERNAL, "the source has no frame %lld", (long long)frame);
    }
    if (source != NULL) {
        struct picture_source_stats read = picture_source_stats(source);
        images->stats.frames_decoded += read.decoded;
        images->stats.packets_read += read.packets;
        images->stats.decode_cpu_s += read.decode_cpu_s;
    }
    picture_source_close(source);
    return rc;
}

static int report(const struct images *images, int64_t done, int64_t total, struct err *err) {
    const struct encode_images_task *task = images->task;
    if (task->progress != NULL && task->progress(task->progress_context, done, total) != 0) {
        return err_set(err, ERR_CANCELLED, "making images was cancelled");
    }
    return 0;
}

/* ---- Poster ----------------------------------------------------------------------- */

static int64_t root_of(int64_t value) {
    int64_t root = 0;
    while ((root + 1) * (root + 1) <= value) {
        root++;
    }
    return root;
}

/* How much there is to see: many different levels (one level is 0: black, white, a fade's end),
 * and sharp edges, by the second difference, which blur flattens. Whole numbers, the same on every
 * processor. */
static int64_t worth_of(const struct image *image, int width, int height) {
    int64_t counts[256] = {0};
    int64_t samples = 0;
    int64_t edges = 0;
    for (int y = 0; y < height; y += LOOK_STEP) {
        const uint8_t *row = image->plane[0] + y * image->stride[0];
        for (int x = 1; x + 1 < width; x += LOOK_STEP) {
            int64_t bend = 2 * row[x] - row[x - 1] - row[x + 1];
            counts[row[x]]++;
            edges += bend * bend;
            samples++;
        }
    }
    int64_t alike = 0; /* of a million pairs of samples, those of one level */
    for (int i = 0; i < 256; i++) {
        int64_t share = counts[i] * 1000 / (samples > 0 ? samples : 1);
        alike += share * share;
    }
    return (1000000 - alike) * root_of(edges * 16 / (samples > 0 ? samples : 1));
}

static void copy_planes(const struct image *from, const struct image_format *format,
                        struct image *to) {
    for (int i = 0; i < 3; i++) {
        size_t size = (size_t)from->stride[i] * (size_t)image_rows(format, i);
        to->stride[i] = from->stride[i];
        memcpy((uint8_t *)to->plane[i], from->plane[i], size);
    }
}

/* Planes for a copy of an image that picture_convert made; owned by `*memory`. */
static struct image planes_like(const struct image *image, const struct image_format *format,
                                uint8_t **memory) {
    struct image out = {0};
    size_t sizes[3];
    size_t total = 0;
    for (int i = 0; i < 3; i++) {
        sizes[i] = (size_t)image->stride[i] * (size_t)image_rows(format, i);
        total += sizes[i];
    }
    *memory = mem_zero(total + IMAGE_ALIGN, 1);
    size_t offset = IMAGE_ALIGN - (uintptr_t)*memory % IMAGE_ALIGN;
    for (size_t i = 0; i < 3; offset += sizes[i++]) { /* strides are aligned, and so are sizes */
        out.plane[i] = *memory + offset;
    }
    return out;
}

static int choose_poster(struct images *images, struct image *best, uint8_t **memory,
                         struct err *err) {
    const struct encode_images_task *task = images->task;
    int64_t frames = task->source->timeline.frames;
    int64_t before = -1;
    int64_t most = -1;
    for (int i = 0; i < CANDIDATES; i++) {
        int percents = CANDIDATES_FROM * (CANDIDATES - 1) + (CANDIDATES_TO - CANDIDATES_FROM) * i;
        int64_t wanted = ticks_scale(frames, percents, 100 * (CANDIDATES - 1), ROUND_DOWN);
        int64_t frame = nearest_access(task->source, wanted);
        struct image image;
        if (frame == before) {
            continue;
        }
        before = frame;
        int rc = take_picture(images, frame, &image, err);
        if (rc == 0) {
            rc = report(images, i, CANDIDATES, err);
        }
        if (rc < 0) {
            return rc;
        }
        int64_t worth = worth_of(&image, task->spec.width, task->spec.height);
        if (worth > most) {
            most = worth;
            *best = *memory != NULL ? *best : planes_like(&image, &images->format, memory);
            copy_planes(&image, &images->format, best);
        }
    }
    return 0;
}

/* The two files of one size: objects `number` and the next. */
static int emit_poster(const struct image_format *format, const struct image *image, int64_t number,
                       image_fn emit, void *context, struct err *err) {
    struct buf file = {0};
    int rc = image_avif_write(format, image, &file, err);
    if (rc == 0) {
        rc = emit(context, number, file.data, file.size, err);
    }
    buf_clear(&file);
    if (rc == 0) {
        rc = image_jpeg_write(format->width, format->height, image, POSTER_QUALITY, &file, err);
    }
    if (rc == 0) {
        rc = emit(context, number + 1, file.data, file.size, err);
    }
    buf_finish(&file);
    return rc;
}

/* Smaller ones are made from the largest, so that all show one picture. */
static int emit_smaller(const struct images *images, const struct image *best, int64_t number,
                        image_fn emit, void *context, struct err *err) {
    struct picture *picture = NULL;
    struct image image;
    int width = 0, height = 0;
    image_object_size(&images->task->spec, number, &width, &height);
    struct image_format format = format_of(width, height, &images->format);
    int rc = picture_create(&picture, &images->format, &format, err);
    if (rc == 0) {
        rc = picture_convert(picture, best, &image, err);
    }
    if (rc == 0) {
        rc = emit_poster(&format, &image, number, emit, context, err);
    }
    picture_destroy(picture);
    return rc;
}

static int make_poster(struct images *images, image_fn emit, void *context, struct err *err) {
    struct image best = {0};
    uint8_t *memory = NULL;
    int rc = choose_poster(images, &best, &memory, err);
    double before = cpu_seconds();
    if (rc == 0) {
        rc = emit_poster(&images->format, &best, 0, emit, context, err);
    }
    for (int i = 1; i < images->task->spec.count && rc == 0; i++) {
        rc = emit_smaller(images, &best, 2 * i, emit, context, err);
    }
    images->stats.encode_cpu_s += cpu_seconds() - before;
    mem_free(memory);
    return rc;
}

/* ---- Storyboard --------------------------------------------------------------------- */

struct sheet {
    int width, height;
    uint8_t *memory; /* owned */
    struct image image;
};

static void sheet_create(struct sheet *sheet, const struct image_spec *spec) {
    sheet->width = spec->width * spec->columns;
    sheet->height = spec->height * spec->rows;
    size_t luma = (size_t)sheet->width * (size_t)sheet->height;
    sheet->memory = mem_zero(luma / 2 * 3, 1);
    sheet->image = (struct image){
        .plane = {sheet->memory, sheet->memory + luma, sheet->memory + luma / 4 * 5},
        .stride = {sheet->width, sheet->width / 2, sheet->width / 2},
    };
}

static void sheet_clear(struct sheet *sheet) {
    size_t luma = (size_t)sheet->width * (size_t)sheet->height;
    memset(sheet->memory, BLACK, luma);
    memset(sheet->memory + luma, NEUTRAL, luma / 2);
}

static void sheet_put(struct sheet *sheet, const struct image_spec *spec, int place,
                      const struct image *picture) {
    int column = place % spec->columns;
    int row = place / spec->columns;
    for (int i = 0; i < 3; i++) {
        int shift = i > 0;
        size_t width = (size_t)(spec->width >> shift);
        uint8_t *to = (uint8_t *)sheet->image.plane[i] +
                      sheet->image.stride[i] * ((ptrdiff_t)row * (spec->height >> shift)) +
                      (ptrdiff_t)((size_t)column * width);
        for (int y = 0; y < spec->height >> shift; y++) {
            memcpy(to + y * sheet->image.stride[i], picture->plane[i] + y * picture->stride[i],
                   width);
        }
    }
}

static int sheet_emit(struct images *images, const struct sheet *sheet, int64_t number,
                      image_fn emit, void *context, struct err *err) {
    struct buf file = {0};
    double before = cpu_seconds();
    int rc =
        image_jpeg_write(sheet->width, sheet->height, &sheet->image, SHEET_QUALITY, &file, err);
    images->stats.encode_cpu_s += cpu_seconds() - before;
    if (rc == 0) {
        rc = emit(context, number, file.data, file.size, err);
    }
    buf_finish(&file);
    return rc;
}

static int make_storyboard(struct images *images, image_fn emit, void *context, struct err *err) {
    const struct image_spec *spec = &images->task->spec;
    struct sheet sheet = {0};
    struct image picture = {0};
    int64_t before = -1;
    int rc = 0;
    sheet_create(&sheet, spec);
    sheet_clear(&sheet);
    int places = spec->columns * spec->rows;
    for (int i = 0; i < spec->count && rc == 0; i++) {
        int64_t frame = nearest_access(images->task->source, i * spec->interval_frames);
        if (frame != before) { /* else its planes hold it still */
            rc = take_picture(images, frame, &picture, err);
        }
        if (rc < 0) {
            break;
        }
        before = frame;
        sheet_put(&sheet, spec, i % places, &picture);
        if ((i + 1) % places == 0 || i + 1 == spec->count) {
            rc = sheet_emit(images, &sheet, i / places + 1, emit, context, err);
            sheet_clear(&sheet);
        }
        rc = rc < 0 ? rc : report(images, i + 1, spec->count, err);
    }
    mem_free(sheet.memory);
    return rc;
}

/* ---- The task ------------------------------------------------------------------------ */

int encoder_make_images(const struct encode_images_task *task, const struct source_io *io,
                        image_fn emit, void *context, struct encode_stats *stats, struct err *err) {
    const struct image_spec *spec = &task->spec;
    if (!task->source->has_video || task->source->access_count == 0 || spec->width < 2 ||
        spec->height < 2 || spec->width % 2 != 0 || spec->height % 2 != 0) {
        return err_set(err, ERR_INVALID, "the task's images make no sense");
    }
    struct images images = {.task = task, .io = io};
    cpu_use_common();
    images.upright = upright_create(&task->source->video);
    int rc = spec->kind == IMAGE_POSTER ? make_poster(&images, emit, context, err)
                                        : make_storyboard(&images, emit, context, err);
    if (rc == 0) {
        *stats = images.stats;
    }
    picture_destroy(images.picture);
    upright_destroy(images.upright);
    return rc;
}
