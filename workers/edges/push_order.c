/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a version is made of and in which order it goes: see push_order.h. */
#include "push_order.h"

#include <stdio.h>
#include <string.h>

#include "common/delivery.h"
#include "common/json.h"

enum { RENDITIONS_MAX = 256, LINES_MAX = 65535 };

static const int64_t segments_max = INT64_C(1) << 32;

static const struct {
    const char *extension;
    const char *stable;
} documents[] = {
    {"m3u8", "master.m3u8"},
    {"mpd", "manifest.mpd"},
    {"json", "title.json"},
};

enum { DOCUMENTS = sizeof(documents) / sizeof(documents[0]) };

/* ---- Reading -------------------------------------------------------------------------------- */

static bool is_name(const char *text, size_t length) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return length > 0 && text[0] != '.' && strspn(text, allowed) >= length;
}

/* KIND/NAME: it becomes a part of a URL. */
static bool is_folder(const char *text) {
    const char *slash = strchr(text, '/');
    return slash != NULL && strlen(text) < WIRE_FOLDER_TEXT &&
           is_name(text, (size_t)(slash - text)) && is_name(slash + 1, strlen(slash + 1));
}

static void rendition_read(struct push_version *out, struct push_rendition *rendition,
                           int max_height, struct reader *r) {
    const char *id = "";
    const char *folder = "";
    const char *kind = "";
    int64_t height = 0;
    reader_string(r, "id", &id);
    reader_string(r, "folder", &folder);
    reader_string(r, "kind", &kind);
    reader_int(r, "segments", 0, segments_max, &rendition->segments);
    if (reader_ok(r) && (!is_name(id, strlen(id)) || strlen(id) >= WIRE_RENDITION_TEXT)) {
        reader_fail(r, "id", "is no name of a rendition");
    }
    if (reader_ok(r) && !is_folder(folder)) {
        reader_fail(r, "folder", "is no folder of a rendition");
    }
    rendition->video = strcmp(kind, "video") == 0;
    if (rendition->video && max_height > 0) {
        struct reader spec = reader_object(r, "spec");
        reader_int(&spec, "height", 0, LINES_MAX, &height);
    }
    rendition->left_out = height > max_height;
    rendition->id = arena_string(&out->arena, id);
    rendition->folder = arena_string(&out->arena, folder);
    out->objects += rendition->segments + 1;
}

/* Pictures to look at: objects of a folder, that no playlist lists. */
static void image_read(struct push_version *out, struct push_rendition *rendition,
                       struct reader *r) {
    const char *folder = "";
    reader_string(r, "folder", &folder);
    reader_int(r, "segments", 0, segments_max, &rendition->segments);
    if (reader_ok(r) && !is_folder(folder)) {
        reader_fail(r, "folder", "is no folder of images");
    }
    rendition->image = true;
    rendition->folder = arena_string(&out->arena, folder);
    out->objects += rendition->segments + 1;
}

static void version_read(struct push_version *out, int max_height, struct reader *r) {
    const char *name = "";
    reader_string(r, "version", &name);
    if (reader_ok(r) && strcmp(name, out->name) != 0) {
        reader_fail(r, "version", "is another: '%s'", name);
    }
    struct reader items = reader_array(r, "renditions");
    size_t count = reader_count(&items);
    if (reader_ok(r) && (count == 0 || count > RENDITIONS_MAX)) {
        reader_fail(r, "renditions", "must be 1 to %d", RENDITIONS_MAX);
    }
    struct reader pictures = {.err = r->err};
    if (reader_has(r, "images")) {
        pictures = reader_array(r, "images");
    }
    size_t images = reader_count(&pictures);
    if (!reader_ok(r) || images > RENDITIONS_MAX) {
        reader_fail(r, "images", "must be at most %d", RENDITIONS_MAX);
        return;
    }
    out->renditions = arena_zero(&out->arena, count + images, sizeof(*out->renditions));
    for (size_t i = 0; i < count + images && reader_ok(r); i++) {
        struct reader item = reader_item(i < count ? &items : &pictures, i < count ? i : i - count);
        if (i < count) {
            rendition_read(out, &out->renditions[i], max_height, &item);
        } else {
            image_read(out, &out->renditions[i], &item);
        }
        out->count++;
    }
}

int push_version_read(struct push_version *out, const char *version, const void *text, size_t size,
                      int max_height, struct err *err) {
    struct json *tree = NULL;
    struct err unread = {0};
    *out = (struct push_version){0};
    snprintf(out->name, sizeof(out->name), "%s", version);
    if (json_tree_parse(&tree, text, size, &unread) == 0) {
        struct reader r = reader_of(tree, "title document", &unread);
        version_read(out, max_height, &r);
    }
    json_tree_destroy(tree);
    return unread.code == ERR_NONE ? 0 : err_set(err, ERR_CORRUPT, "%s", unread.message);
}

void push_version_finish(struct push_version *version) {
    arena_finish(&version->arena);
    *version = (struct push_version){0};
}

/* ---- Media ---------------------------------------------------------------------------------- */

static const char *below(const char *path, const char *folder) {
    size_t length = strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/' ? path + length + 1 : NULL;
}

bool push_place(const struct push_version *version, const char *path, size_t *rendition,
                int64_t *number) {
    for (size_t i = 0; i < version->count; i++) {
        const char *folder = version->renditions[i].folder;
        const char *file = below(path, folder);
        if (file != NULL) {
            *rendition = i;
            *number = rendition_object_number(folder, file);
            return *number >= 0;
        }
    }
    return false;
}

bool push_sampled(int64_t number, int64_t segments, int64_t wanted) {
    if (number == 0 || wanted >= segments) {
        return number == 0 || wanted > 0;
    }
    return number * wanted / segments != (number - 1) * wanted / segments;
}

/* ---- Documents ------------------------------------------------------------------------------ */

bool push_document(const struct push_version *version, enum push_rank rank, size_t index,
                   char path[PUSH_PATH_TEXT], char from[PUSH_PATH_TEXT]) {
    if (rank != PUSH_PLAYLISTS) {
        if (index >= DOCUMENTS) {
            return false;
        }
        snprintf(from, PUSH_PATH_TEXT, "%s.%s", version->name, documents[index].extension);
        snprintf(path, PUSH_PATH_TEXT, "%s", rank == PUSH_NAMES ? documents[index].stable : from);
        return true;
    }
    for (size_t i = 0; i < version->count; i++) {
        const struct push_rendition *rendition = &version->renditions[i];
        size_t lists = rendition->left_out || rendition->image ? 0 : rendition->video ? 2 : 1;
        if (index < lists) {
            snprintf(from, PUSH_PATH_TEXT, "%s/%s%s.m3u8", version->name, rendition->id,
                     index == 0 ? "" : "-iframes");
            snprintf(path, PUSH_PATH_TEXT, "%s", from);
            return true;
        }
        index -= lists;
    }
    return false;
}

bool push_old_document(const struct push_old_version *version, enum push_rank rank, size_t index,
                       char path[PUSH_PATH_TEXT]) {
    if (rank == PUSH_DOCUMENTS && index < DOCUMENTS) {
        snprintf(path, PUSH_PATH_TEXT, "%s.%s", version->version, documents[index].extension);
        return true;
    }
    if (rank == PUSH_PLAYLISTS && index < 2 * version->rendition_count) {
        snprintf(path, PUSH_PATH_TEXT, "%s/%s%s.m3u8", version->version,
                 version->renditions[index / 2], index % 2 == 0 ? "" : "-iframes");
        return true;
    }
    return false;
}

bool push_old_object(const struct push_old_folder *folder, int64_t index,
                     char path[PUSH_PATH_TEXT]) {
    if (index > folder->segments) {
        return false;
    }
    char name[WIRE_OBJECT_TEXT];
    rendition_object_name(folder->folder, index == folder->segments ? 0 : index + 1, name);
    snprintf(path, PUSH_PATH_TEXT, "%s/%s", folder->folder, name);
    return true;
}

/* "VERSION.json", "VERSION/h264-720p.m3u8" */
static bool is_of_version(const char *path, const char *version) {
    size_t length = strlen(version);
    return strncmp(path, version, length) == 0 && (path[length] == '/' || path[length] == '.');
}

bool push_is_orphan(const struct push_version *version, const struct push_sweep *sweep,
                    const char *path) {
    bool known = is_of_version(path, version->name);
    for (size_t i = 0; i < sweep->version_count; i++) {
        known = known || is_of_version(path, sweep->versions[i].version);
    }
    for (size_t i = 0; i < version->count; i++) {
        known = known || below(path, version->renditions[i].folder) != NULL;
    }
    for (size_t i = 0; i < sweep->folder_count; i++) {
        known = known || below(path, sweep->folders[i].folder) != NULL;
    }
    return !known && delivery_is_immutable(path) && delivery_type(path) != NULL &&
           strstr(path, "/.") == NULL; /* another tool's, on its way */
}

bool push_names_folder(const struct push_version *version, const char *folder) {
    for (size_t i = 0; i < version->count; i++) {
        if (strcmp(version->renditions[i].folder, folder) == 0) {
            return true;
        }
    }
    return false;
}
