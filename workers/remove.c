/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Removing what no kept version names, or is wanted no more: see remove.h. */
#include "remove.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/mem.h"

enum { VERSION_DIGITS = 16, KEY_DIGITS = 10, DOCUMENT_BYTES = 64 << 20 };

/* What a key is, in the order of removal: nothing is listed when it goes. */
enum rank {
    RANK_STABLE,     /* master.m3u8, manifest.mpd, title.json */
    RANK_EARLY,      /* early.m3u8 */
    RANK_VERSION,    /* VERSION.m3u8, .mpd, .json */
    RANK_PLAYLIST,   /* VERSION/NAME.m3u8 */
    RANK_EARLY_LIST, /* early/RUN/NAME.m3u8 */
    RANK_RENDITION,  /* video/NAME-KEY/init.mp4, 00001.m4s, ... */
    RANK_FOREIGN,    /* not ours, whatever the folder is called: stays */
};

struct object {
    const char *name; /* below the title's folder */
    enum rank rank;
};

struct names {
    struct arena arena;
    const char **list;
    size_t count;
};

enum scope { SCOPE_UNNAMED, SCOPE_VERSIONS, SCOPE_EARLY, SCOPE_EVERYTHING };

struct removal {
    struct blob *output;
    const char *title;
    enum scope scope;
    const struct dropped_versions *dropped; /* of SCOPE_VERSIONS */
    const struct early_task *early;         /* whose early playlists go; NULL: all of them */
    struct arena arena;
    struct object *objects; /* owned */
    size_t count;
    bool published;
    bool ours;             /* there is more than names that anybody could choose */
    struct names versions; /* kept */
    struct names folders;  /* named by a kept version, with a slash at their end */
};

/* `text` lives in names->arena. */
static void names_add(struct names *names, const char *text) {
    names->list = mem_resize(names->list, names->count + 1, sizeof(*names->list));
    names->list[names->count++] = text;
}

static void names_finish(struct names *names) {
    arena_finish(&names->arena);
    mem_free(names->list);
}

static bool starts_with(const char *text, const char *head) {
    return strncmp(text, head, strlen(head)) == 0;
}

static const char hexadecimal[] = "0123456789abcdef";
static const char early_folder[] = "early/";

static bool is_version(const char *name) {
    return strspn(name, hexadecimal) == VERSION_DIGITS;
}

static bool is_playlist(const char *file) {
    const char *extension = strrchr(file, '.');
    return extension != NULL && strchr(file, '/') == NULL && strcmp(extension, ".m3u8") == 0;
}

/* Whether early/RUN/FILE is a playlist; tells how long RUN is. */
static bool is_early_list(const char *name, size_t *digits) {
    const char *run = name + strlen(early_folder);
    if (strncmp(name, early_folder, strlen(early_folder)) != 0) {
        return false;
    }
    *digits = strspn(run, "0123456789");
    return *digits > 0 && run[*digits] == '/' && is_playlist(run + *digits + 1);
}

/* Whether KIND/NAME-KEY/FILE is what a task of a rendition puts (ARCHITECTURE section 8). */
static bool is_of_rendition(const char *name) {
    const char *folder = strchr(name, '/') + 1;
    const char *end = strchr(folder, '/');
    const char *key = end == NULL ? NULL : memrchr(folder, '-', (size_t)(end - folder));
    if (key == NULL || strspn(key + 1, hexadecimal) != KEY_DIGITS || key + 1 + KEY_DIGITS != end) {
        return false;
    }
    return rendition_object_number(name, end + 1) >= 0;
}

static enum rank rank_of(const char *name) {
    static const char *const stable[] = {"master.m3u8", "manifest.mpd", "title.json"};
    static const char *const extensions[] = {".m3u8", ".mpd", ".json"};
    static const char *const kinds[] = {"video/", "audio/", "images/"};
    for (size_t i = 0; i < sizeof(stable) / sizeof(stable[0]); i++) {
        if (strcmp(name, stable[i]) == 0) {
            return RANK_STABLE;
        }
    }
    for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++) {
        if (is_version(name) && strcmp(name + VERSION_DIGITS, extensions[i]) == 0) {
            return RANK_VERSION;
        }
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (starts_with(name, kinds[i]) && is_of_rendition(name)) {
            return RANK_RENDITION;
        }
    }
    size_t digits = 0;
    if (strcmp(name, "early.m3u8") == 0) {
        return RANK_EARLY;
    }
    if (is_early_list(name, &digits)) {
        return RANK_EARLY_LIST;
    }
    bool below = is_version(name) && name[VERSION_DIGITS] == '/';
    return below && is_playlist(name + VERSION_DIGITS + 1) ? RANK_PLAYLIST : RANK_FOREIGN;
}

static int object_take(void *context, const char *key, int64_t size, struct err *err) {
    struct removal *removal = context;
    const char *name = key + strlen(removal->title) + 1;
    enum rank rank = rank_of(name);
    (void)size;
    (void)err;
    removal->objects = mem_resize(removal->objects, removal->count + 1, sizeof(*removal->objects));
    removal->objects[removal->count++] = (struct object){arena_string(&removal->arena, name), rank};
    removal->ours = removal->ours || (rank != RANK_STABLE && rank != RANK_EARLY &&
                                      rank != RANK_EARLY_LIST && rank != RANK_FOREIGN);
    removal->published = removal->published || strcmp(name, "title.json") == 0;
    return 0;
}

static void names_read(struct removal *removal, const char *list, struct reader *r) {
    struct reader items = reader_array(r, list);
    for (size_t i = 0; i < reader_count(&items) && reader_ok(r); i++) {
        struct reader item = reader_item(&items, i);
        const char *folder = "";
        reader_string(&item, "folder", &folder);
        names_add(&removal->folders, arena_format(&removal->folders.arena, "%s/", folder));
    }
}

/* Notes the folders that a title document names. */
static int document_read(struct removal *removal, const char *name, struct err *err) {
    struct buf text = {0};
    struct json *tree = NULL;
    struct err unread = {0};
    char *key = mem_format("%s/%s", removal->title, name);
    int failed = blob_get(removal->output, key, DOCUMENT_BYTES, &text, err);
    if (failed == 0) {
        failed = json_tree_parse(&tree, text.data, text.size, &unread);
    }
    if (tree != NULL) {
        struct reader r = reader_of(tree, name, &unread);
        names_read(removal, "renditions", &r);
        if (reader_has(&r, "images")) {
            names_read(removal, "images", &r);
        }
    }
    if (unread.code != ERR_NONE) {
        failed = err_set(err, ERR_CORRUPT,
                         "'%s' in '%s' can't be read, so nothing is removed: %s; delete it where "
                         "that version is not wanted",
                         key, blob_name(removal->output), unread.message);
    }
    json_tree_destroy(tree);
    buf_finish(&text);
    mem_free(key);
    return failed;
}

static bool is_among(const char *const *list, size_t count, const char *name, size_t length) {
    for (size_t i = 0; i < count; i++) {
        if (strlen(list[i]) == length && strncmp(list[i], name, length) == 0) {
            return true;
        }
    }
    return false;
}

/* Whether an object of a version is of one that is dropped. */
static bool is_of_dropped(const struct removal *removal, const char *name) {
    const struct dropped_versions *dropped = removal->dropped;
    return removal->scope == SCOPE_VERSIONS &&
           is_among(dropped->versions, dropped->version_count, name, VERSION_DIGITS);
}

static int versions_read(struct removal *removal, struct err *err) {
    int failed = removal->published ? document_read(removal, "title.json", err) : 0;
    for (size_t i = 0; i < removal->count && removal->published && failed == 0; i++) {
        const struct object *object = &removal->objects[i];
        if (object->rank == RANK_VERSION && strcmp(object->name + VERSION_DIGITS, ".json") == 0 &&
            !is_of_dropped(removal, object->name)) {
            names_add(&removal->versions,
                      arena_format(&removal->versions.arena, "%.16s", object->name));
            failed = document_read(removal, object->name, err);
        }
    }
    return failed;
}

static bool is_named(const struct names *names, const char *name) {
    for (size_t i = 0; i < names->count; i++) {
        if (starts_with(name, names->list[i])) {
            return true;
        }
    }
    return false;
}

/* The same of one version after another. */
static bool stays(const struct removal *removal, const struct object *object) {
    const struct dropped_versions *dropped = removal->dropped;
    switch (object->rank) {
    case RANK_VERSION:
    case RANK_PLAYLIST:
        return !is_of_dropped(removal, object->name);
    case RANK_RENDITION:
        return is_named(&removal->folders, object->name) ||
               !is_among(dropped->folders, dropped->folder_count, object->name,
                         (size_t)(strrchr(object->name, '/') - object->name));
    default:
        return true;
    }
}

static bool early_stays(const struct removal *removal, const struct object *object) {
    const struct early_task *early = removal->early;
    size_t digits = 0;
    if (early == NULL || object->rank == RANK_EARLY) {
        return early != NULL && !early->top;
    }
    is_early_list(object->name, &digits);
    return !is_among(early->runs, early->run_count, object->name + strlen(early_folder), digits);
}

static bool is_kept(const struct removal *removal, const struct object *object) {
    bool early = object->rank == RANK_EARLY || object->rank == RANK_EARLY_LIST;
    if (removal->scope == SCOPE_EARLY) {
        return !early || early_stays(removal, object);
    }
    if (removal->scope == SCOPE_VERSIONS) {
        return stays(removal, object);
    }
    if (removal->scope == SCOPE_EVERYTHING) {
        return object->rank == RANK_FOREIGN;
    }
    switch (object->rank) {
    case RANK_STABLE:
        return removal->published;
    case RANK_VERSION:
    case RANK_PLAYLIST:
        return is_named(&removal->versions, object->name);
    case RANK_RENDITION:
        return is_named(&removal->folders, object->name);
    case RANK_EARLY:
    case RANK_EARLY_LIST:
        return early_stays(removal, object);
    case RANK_FOREIGN:
        break;
    }
    return true;
}

static int by_rank(const void *a, const void *b) {
    const struct object *x = a;
    const struct object *y = b;
    return x->rank != y->rank ? (int)x->rank - (int)y->rank : strcmp(x->name, y->name);
}

static int objects_remove(struct removal *removal, int64_t *removed, struct err *err) {
    qsort(removal->objects, removal->count, sizeof(*removal->objects), by_rank);
    for (size_t i = 0; i < removal->count; i++) {
        if (!is_kept(removal, &removal->objects[i])) {
            char *key = mem_format("%s/%s", removal->title, removal->objects[i].name);
            int failed = blob_remove(removal->output, key, err);
            mem_free(key);
            if (failed != 0) {
                return failed;
            }
            (*removed)++;
        }
    }
    return 0;
}

/* Frees what the removal owns. */
static int perform(struct removal *removal, int64_t *removed, struct err *err) {
    struct err why = {0};
    char *prefix = mem_format("%s/", removal->title);
    *removed = 0;
    int failed = blob_list(removal->output, prefix, object_take, removal, &why);
    if (failed == ERR_NOT_FOUND) { /* the output is no folder at all: nothing is in it */
        failed = 0;
    } else if (failed != 0) {
        err_pass(err, &why);
    }
    bool judges = removal->scope == SCOPE_UNNAMED || removal->scope == SCOPE_VERSIONS;
    if (failed == 0 && removal->ours && judges) {
        failed = versions_read(removal, err);
    }
    if (failed == 0 && removal->ours) {
        failed = objects_remove(removal, removed, err);
    }
    names_finish(&removal->versions);
    names_finish(&removal->folders);
    arena_finish(&removal->arena);
    mem_free(removal->objects);
    mem_free(prefix);
    return failed;
}

int remove_unnamed(struct blob *output, const char *title, const struct early_task *early,
                   int64_t *removed, struct err *err) {
    struct removal removal = {.output = output, .title = title, .early = early};
    return perform(&removal, removed, err);
}

int remove_early(struct blob *output, const char *title, const struct early_task *early,
                 int64_t *removed, struct err *err) {
    struct removal removal = {
        .output = output, .title = title, .scope = SCOPE_EARLY, .early = early};
    return perform(&removal, removed, err);
}

int remove_everything(struct blob *output, const char *title, int64_t *removed, struct err *err) {
    struct removal removal = {.output = output, .title = title, .scope = SCOPE_EVERYTHING};
    return perform(&removal, removed, err);
}

int remove_versions(struct blob *output, const char *title, const struct dropped_versions *dropped,
                    int64_t *removed, struct err *err) {
    struct removal removal = {
        .output = output, .title = title, .scope = SCOPE_VERSIONS, .dropped = dropped};
    return perform(&removal, removed, err);
}
