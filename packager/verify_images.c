/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Posters and storyboards that title.json tells of. See verify.h. */
#include <inttypes.h>
#include <string.h>

#include "common/hash.h"
#include "images.h"
#include "verify.h"

static const char document_path[] = "title.json";

enum { IMAGES_MAX = 64, OBJECTS_MAX = 4096 };

/* A whole picture, of a size that is a multiple of the one that is told. */
static void check_picture(struct verify *v, const char *path, const struct buf *bytes,
                          int64_t width, int64_t height) {
    struct err err = {0};
    int real_width = 0;
    int real_height = 0;
    if (jpeg_size(bytes->data, bytes->size, &real_width, &real_height, &err) != 0) {
        verify_found(v, RULE_TITLE_DOCUMENT, path, "%s", err.message);
    } else if (real_width % width != 0 || real_height % height != 0) {
        verify_found(v, RULE_TITLE_DOCUMENT, path,
                     "it is %dx%d, and title.json tells of pictures of %" PRId64 "x%" PRId64,
                     real_width, real_height, width, height);
    }
}

static void check_object(struct verify *v, struct reader *object, const char *folder, int64_t width,
                         int64_t height) {
    const char *path = "";
    const char *type = "";
    const char *sha256 = "";
    int64_t bytes = 0;
    char hex[SHA256_TEXT];
    struct buf data = {0};
    reader_string(object, "path", &path);
    reader_string(object, "type", &type);
    reader_string(object, "sha256", &sha256);
    reader_int(object, "bytes", 0, INT64_MAX, &bytes);
    if (!reader_ok(object)) {
        return;
    }
    size_t length = strlen(folder);
    const char *kept = verify_resolve(v, document_path, path);
    if (kept == NULL || verify_fetch(v, kept, &data) != 0) {
        return;
    }
    sha256_hex_of(data.data, data.size, hex);
    if (strncmp(path, folder, length) != 0 || path[length] != '/' || (int64_t)data.size != bytes ||
        strcmp(hex, sha256) != 0) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                     "%.120s is not the object that it tells of: that has %" PRId64
                     " bytes of hash %.16s, and %zu of %.16s are there",
                     path, bytes, sha256, data.size, hex);
    } else if (strcmp(type, "image/jpeg") == 0) {
        check_picture(v, kept, &data, width, height);
    }
    buf_finish(&data);
}

static void check_entry(struct verify *v, struct reader *entry) {
    const char *folder = "";
    int64_t width = 0;
    int64_t height = 0;
    int64_t segments = 0;
    reader_string(entry, "folder", &folder);
    reader_int(entry, "width", 1, INT32_MAX, &width);
    reader_int(entry, "height", 1, INT32_MAX, &height);
    reader_int(entry, "segments", 0, OBJECTS_MAX, &segments);
    struct reader objects = reader_array(entry, "objects");
    size_t count = reader_count(&objects);
    if (reader_ok(entry) && (int64_t)count != segments + 1) {
        verify_found(v, RULE_TITLE_DOCUMENT, document_path,
                     "it tells of %zu objects in %.80s, and must of %" PRId64, count, folder,
                     segments + 1);
    }
    for (size_t i = 0; i < count && i < OBJECTS_MAX && reader_ok(entry); i++) {
        struct reader object = reader_item(&objects, i);
        check_object(v, &object, folder, width, height);
    }
}

void verify_images(struct verify *v, struct reader *root) {
    if (!reader_has(root, "images")) {
        return;
    }
    struct reader list = reader_array(root, "images");
    for (size_t i = 0; i < reader_count(&list) && i < IMAGES_MAX && reader_ok(root); i++) {
        struct reader entry = reader_item(&list, i);
        check_entry(v, &entry);
    }
}
