/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * verify over the title of the folder $FUZZ_TITLE, with objects damaged as the input says, a
 * list of {u8 object, u8 kind, u24 place, u8 count, count bytes}.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/blob.h"
#include "common/mem.h"
#include "harness.h"
#include "packager/packager.h"

enum { OBJECTS_MAX = 64, OBJECT_BYTES_MAX = 1 << 20, DAMAGES_MAX = 16 };

enum damage { DAMAGE_OVERWRITE, DAMAGE_INSERT, DAMAGE_CUT, DAMAGE_END, DAMAGE_REMOVE, DAMAGES };

struct object {
    char *path;
    struct buf whole;
    struct buf bytes; /* as damaged */
    bool gone;
};

static struct object objects[OBJECTS_MAX];
static size_t object_count;

static int note(void *context, const char *key, int64_t size, struct err *err) {
    (void)size;
    assert(object_count < OBJECTS_MAX);
    struct object *object = &objects[object_count++];
    object->path = mem_string(key);
    return blob_get(context, key, OBJECT_BYTES_MAX, &object->whole, err);
}

static void load(void) {
    struct blob *blob = NULL;
    struct blob_options options = blob_options_default();
    struct err err = {0};
    const char *folder = getenv("FUZZ_TITLE");
    if (folder == NULL || blob_open(&blob, folder, &options, &err) != 0 ||
        blob_list(blob, "", note, blob, &err) != 0 || object_count == 0) {
        fprintf(stderr, "FUZZ_TITLE must be the folder of a title: %s\n", err.message);
        exit(1);
    }
    blob_close(blob);
}

static void restore(void) {
    for (size_t i = 0; i < object_count; i++) {
        objects[i].gone = false;
        buf_clear(&objects[i].bytes);
        buf_append(&objects[i].bytes, objects[i].whole.data, objects[i].whole.size);
    }
}

static void damage(struct object *object, enum damage kind, size_t at, const uint8_t *data,
                   size_t size) {
    struct buf *bytes = &object->bytes;
    struct buf rest = {0};
    at = bytes->size > 0 ? at % bytes->size : 0;
    size_t skip = kind == DAMAGE_OVERWRITE || kind == DAMAGE_CUT ? size : 0;
    if (at + skip < bytes->size && kind != DAMAGE_END) {
        buf_append(&rest, bytes->data + at + skip, bytes->size - at - skip);
    }
    bytes->size = at;
    if (kind != DAMAGE_CUT) {
        buf_append(bytes, data, size);
    }
    buf_append(bytes, rest.data, rest.size);
    buf_finish(&rest);
    object->gone = kind == DAMAGE_REMOVE;
}

/* As a file: the input damages the objects, and not what is said of them. */
static int fetch(void *context, const char *path, struct buf *out, struct served *served,
                 struct err *err) {
    (void)context;
    (void)served;
    for (size_t i = 0; i < object_count; i++) {
        if (!objects[i].gone && strcmp(objects[i].path, path) == 0) {
            buf_append(out, objects[i].bytes.data, objects[i].bytes.size);
            return 0;
        }
    }
    return err_set(err, ERR_NOT_FOUND, "%s is not there", path);
}

/* Texts are printable, as packager.h promises. */
static void found(void *context, const struct finding *finding) {
    (void)context;
    const char *const texts[] = {finding->path, finding->message};
    for (int i = 0; i < 2; i++) {
        for (const char *at = texts[i]; *at != '\0'; at++) {
            assert(*at >= 0x20 && *at <= 0x7e);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct bytes bytes = bytes_of(data, size);
    struct verify_summary summary;
    if (object_count == 0) {
        load();
    }
    restore();
    for (int i = 0; i < DAMAGES_MAX && bytes_left(&bytes) > 0; i++) {
        struct object *object = &objects[bytes_u8(&bytes) % object_count];
        enum damage kind = (enum damage)(bytes_u8(&bytes) % DAMAGES);
        size_t at = bytes_u24(&bytes);
        size_t count = bytes_u8(&bytes);
        const uint8_t *put = bytes_take(&bytes, count);
        damage(object, kind, at, put, put != NULL ? count : 0);
    }
    verify_title(fetch, NULL, found, NULL, &summary, NULL);
    return 0;
}
