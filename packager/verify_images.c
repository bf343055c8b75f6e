/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Posters and storyboards that title.json tells of. See verify.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/hash.h"
#include "images.h"
#include "verify.h"

static const char document_path[] = "title.json";

enum { IMAGES_MAX = 64, OBJECTS_MAX = 4096, KEPT_MAX = 2 * OBJECTS_MAX };

/* ---- Pictures, each read once ----------------------------------------------------- */

static bool ends_with(const char *text, const char *ending) {
    size_t length = strlen(text);
    size_t tail = strlen(ending);
    return length > tail && strcmp(text + length - tail, ending) == 0;
}

static void read_picture(struct verify *v, struct real_image *image) {
    struct buf data = {0};
    struct err err = {0};
    if (verify_fetch(v, image->path, &data) != 0) {
        return;
    }
    image->there = true;
    image->bytes = (int64_t)data.size;
    sha256_hex_of(data.data, data.size, image->sha256);
    bool is_avif = ends_with(image->path, ".avif");
    int failed = is_avif ? avif_size(data.data, data.size, &image->width, &image->height, &err)
                         : jpeg_size(data.data, data.size, &image->width, &image->height, &err);
    if (failed != 0) {
        image->width = image->height = 0;
        verify_found(v, RULE_IMAGE_FILE, image->path, "%s", err.message);
    } else if (is_avif && !avif_tells_colour(data.data, data.size)) {
        verify_found(v, RULE_IMAGE_COLOUR, image->path, "it has no colr of kind nclx");
    }
    buf_finish(&data);
}

const struct real_image *verify_image_at(struct verify *v, const char *path) {
    for (size_t i = 0; i < v->image_count; i++) {
        if (strcmp(v->images[i].path, path) == 0) {
            return &v->images[i];
        }
    }
    if (v->image_count == KEPT_MAX) {
        verify_found(v, RULE_TITLE_BOUNDS, path, "there are more than %d pictures to look at",
                     KEPT_MAX);
        return NULL;
    }
    if (v->images == NULL) {
        v->images = arena_zero(&v->arena, KEPT_MAX, sizeof(*v->images));
    }
    struct real_image *image = &v->images[v->image_count++];
    image->path = path;
    read_picture(v, image);
    return image;
}

/* ---- What title.json says of a file ------------------------------------------------ */

struct told_object {
    const char *path;
    const char *type;
    const char *sha256;
    int64_t bytes;
    int64_t width; /* 0: not said */
    int64_t height;
};

static void check_told(struct verify *v, const struct told_object *told, const char *folder,
                       int64_t bytes, const char *sha256) {
    size_t length = strlen(folder);
    if (strncmp(told->path, folder, length) != 0 || told->path[length] != '/' ||
        bytes != told->bytes || strcmp(sha256, told->sha256) != 0) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                     "%.120s is not the object that it tells of: that has %" PRId64
                     " bytes of hash %.16s, and %" PRId64 " of %.16s are there",
                     told->path, told->bytes, told->sha256, bytes, sha256);
    }
}

/* Of the size that is told; where none is, a multiple of the rendition's. */
static void check_size(struct verify *v, const struct told_object *told,
                       const struct real_image *image, const struct image_spec *spec) {
    bool good = told->width > 0
                    ? image->width == told->width && image->height == told->height
                    : image->width % spec->width == 0 && image->height % spec->height == 0;
    if (image->width > 0 && !good) {
        verify_found(v, RULE_TITLE_DOCUMENT, image->path,
                     "it is %dx%d, and title.json tells of %" PRId64 "x%" PRId64, image->width,
                     image->height, told->width > 0 ? told->width : spec->width,
                     told->width > 0 ? told->height : spec->height);
    }
}

/* The list of thumbnails is a function of what title.json tells, so it is written again. */
static void check_thumbnails(struct verify *v, const struct told_object *told, const char *path,
                             const char *folder, const struct image_spec *spec) {
    struct buf data = {0};
    struct buf wanted = {0};
    char hex[SHA256_TEXT];
    if (verify_fetch(v, path, &data) != 0) {
        return;
    }
    sha256_hex_of(data.data, data.size, hex);
    check_told(v, told, folder, (int64_t)data.size, hex);
    bool fits = (spec->count - 1) * spec->interval_frames < v->timeline.frames;
    if (v->timeline.frames > 0 && !fits) {
        verify_found(v, RULE_STORYBOARD_CUES, path,
                     "%d pictures, one every %" PRId64 " frames, are more than the title's %" PRId64
                     " frames have",
                     spec->count, spec->interval_frames, v->timeline.frames);
    } else if (spec->kind == IMAGE_STORYBOARD && fits) {
        thumbnails_write(spec, &v->timeline, &wanted);
        size_t same = 0;
        while (same < data.size && same < wanted.size && data.data[same] == wanted.data[same]) {
            same++;
        }
        if (same != data.size || same != wanted.size) {
            verify_found(v, RULE_STORYBOARD_CUES, path,
                         "from byte %zu on it is not the list of %d pictures of %dx%d, %dx%d of "
                         "them on a sheet and one every %" PRId64 " frames",
                         same, spec->count, spec->width, spec->height, spec->columns, spec->rows,
                         spec->interval_frames);
        }
    }
    buf_finish(&wanted);
    buf_finish(&data);
}

static void read_object(struct reader *object, struct told_object *out) {
    *out = (struct told_object){"", "", "", 0, 0, 0};
    reader_string(object, "path", &out->path);
    reader_string(object, "type", &out->type);
    reader_string(object, "sha256", &out->sha256);
    reader_int(object, "bytes", 0, INT64_MAX, &out->bytes);
    if (reader_has(object, "width")) {
        reader_int(object, "width", 1, INT32_MAX, &out->width);
        reader_int(object, "height", 1, INT32_MAX, &out->height);
    }
}

/* `sheet` is its number, from 1; 0 where it is none. */
static void check_object(struct verify *v, struct reader *object, const char *folder,
                         const struct image_spec *spec, size_t sheet) {
    struct told_object told;
    read_object(object, &told);
    const char *path = reader_ok(object) ? verify_resolve(v, document_path, told.path) : NULL;
    if (path == NULL) {
        return;
    }
    if (strcmp(told.type, "text/vtt") == 0) {
        check_thumbnails(v, &told, path, folder, spec);
        return;
    }
    const struct real_image *image = verify_image_at(v, path);
    if (image != NULL && image->there) {
        check_told(v, &told, folder, image->bytes, image->sha256);
        check_size(v, &told, image, spec);
    }
    if (sheet > 0) {
        v->storyboard.sheets[sheet - 1] = path;
        v->storyboard.sheet_count = sheet;
    }
}

/* ---- A poster, a storyboard --------------------------------------------------------- */

static void read_spec(struct reader *entry, struct image_spec *out) {
    const char *kind = "";
    int64_t width = 1, height = 1, count = 1, columns = 1, rows = 1;
    *out = (struct image_spec){.interval_frames = 1};
    reader_string(entry, "kind", &kind);
    reader_int(entry, "width", 1, INT16_MAX, &width);
    reader_int(entry, "height", 1, INT16_MAX, &height);
    out->kind = strcmp(kind, "storyboard") == 0 ? IMAGE_STORYBOARD : IMAGE_POSTER;
    if (out->kind == IMAGE_STORYBOARD) {
        reader_int(entry, "count", 1, OBJECTS_MAX, &count);
        reader_int(entry, "columns", 1, INT8_MAX, &columns);
        reader_int(entry, "rows", 1, INT8_MAX, &rows);
        reader_int(entry, "interval_frames", 1, GRID_FRAMES_MAX, &out->interval_frames);
    }
    out->width = (int)width;
    out->height = (int)height;
    out->count = (int)count;
    out->columns = (int)columns;
    out->rows = (int)rows;
}

static void check_entry(struct verify *v, struct reader *entry) {
    const char *folder = "";
    struct image_spec spec;
    int64_t segments = 0;
    reader_string(entry, "folder", &folder);
    reader_int(entry, "segments", 0, OBJECTS_MAX, &segments);
    read_spec(entry, &spec);
    struct reader objects = reader_array(entry, "objects");
    size_t count = reader_count(&objects);
    if (!reader_ok(entry)) {
        return;
    }
    if ((int64_t)count != segments + 1 ||
        (spec.kind == IMAGE_STORYBOARD && segments != image_sheets(&spec))) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                     "it tells of %zu objects in %.80s, and must of %" PRId64, count, folder,
                     (spec.kind == IMAGE_STORYBOARD ? image_sheets(&spec) : segments) + 1);
    }
    bool first = spec.kind == IMAGE_STORYBOARD && !v->storyboard.told;
    if (first) {
        v->storyboard.told = true;
        v->storyboard.spec = spec;
        v->storyboard.sheets = arena_zero(&v->arena, count, sizeof(*v->storyboard.sheets));
    }
    for (size_t i = 0; i < count && i < OBJECTS_MAX && reader_ok(entry); i++) {
        struct reader object = reader_item(&objects, i);
        check_object(v, &object, folder, &spec, first ? i : 0);
    }
}

static void check_missing(struct verify *v, struct reader *root) {
    if (!reader_has(root, "missing")) {
        return;
    }
    struct reader list = reader_array(root, "missing");
    for (size_t i = 0; i < reader_count(&list) && i < IMAGES_MAX && reader_ok(root); i++) {
        struct reader item = reader_item(&list, i);
        const char *id = "";
        const char *class = "";
        reader_string(&item, "id", &id);
        reader_string(&item, "class", &class);
        if (reader_ok(root)) {
            verify_found(v, RULE_IMAGE_MISSING, document_path,
                         "the title goes without its %.40s, which could not be made (%.40s)", id,
                         class);
        }
    }
}

void verify_images(struct verify *v, struct reader *root) {
    check_missing(v, root);
    if (!reader_has(root, "images")) {
        return;
    }
    struct reader list = reader_array(root, "images");
    for (size_t i = 0; i < reader_count(&list) && i < IMAGES_MAX && reader_ok(root); i++) {
        struct reader entry = reader_item(&list, i);
        check_entry(v, &entry);
    }
}
