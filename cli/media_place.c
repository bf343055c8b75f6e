/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder or a store of titles: see media_place.h. */
#include "media_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/blob.h"
#include "common/hash.h"
#include "common/mem.h"
#include "common/wire.h"
#include "title_name.h"

static const char master[] = "master.m3u8";
static const char early[] = "early.m3u8";

enum {
    OBJECT_BYTES_MAX = 256 << 20, /* far beyond any segment or manifest */
    ETAG_BYTES_MAX = 60,
};

struct media_place {
    int folder;        /* owned descriptor; -1 for a store */
    struct blob *blob; /* owned; NULL for a folder */
    char *single;      /* owned; NULL where titles lie below it */
};

/* ---- Folders ---------------------------------------------------------------------- */

static bool folder_has(int folder, const char *path) {
    struct media_file file;
    if (media_file_open(&file, folder, path, NULL) != 0) {
        return false;
    }
    close(file.fd);
    return true;
}

static bool folder_has_title(const struct media_place *place, const char *title) {
    char path[WIRE_TITLE_TEXT + sizeof(master)];
    if (!title_id_valid(title)) {
        return false;
    }
    snprintf(path, sizeof(path), "%s/%s", title, master);
    if (folder_has(place->folder, path)) {
        return true;
    }
    snprintf(path, sizeof(path), "%s/%s", title, early);
    return folder_has(place->folder, path);
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void folder_titles(const struct media_place *place, struct output_titles *titles) {
    int fd = openat(place->folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (folder_has_title(place, entry->d_name)) {
            output_titles_add(titles, entry->d_name);
        }
    }
    if (folder != NULL) {
        closedir(folder);
    }
    if (titles->count > 0) {
        qsort(titles->names, titles->count, sizeof(*titles->names), by_name);
    }
}

static int open_folder(struct media_place *place, const char *path, struct err *err) {
    place->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (place->folder < 0) {
        return err_set_errno(err, errno, "cannot play %s, which must be a folder of titles", path);
    }
    if (folder_has(place->folder, master) || folder_has(place->folder, early)) {
        char *whole = realpath(path, NULL);
        const char *slash = whole != NULL ? strrchr(whole, '/') : NULL;
        const char *name = slash != NULL ? slash + 1 : path;
        char title[WIRE_TITLE_TEXT];
        title_name_of(name, title);
        place->single = mem_string(title_id_valid(name) ? name : title);
        mem_free(whole);
    }
    return 0;
}

/* ---- Stores ----------------------------------------------------------------------- */

static int open_store(struct media_place *place, const char *url, const atomic_bool *cancel,
                      struct err *err) {
    struct blob_options options = blob_options_default();
    options.cancel = cancel;
    char *root = NULL;
    int64_t size = 0;
    int failed = output_resolve(&root, url, err);
    if (failed == 0) {
        failed = blob_open(&place->blob, root, &options, err);
    }
    if (failed == 0) {
        failed = blob_stat(place->blob, master, &size, err);
        if (failed == 0) {
            char title[WIRE_TITLE_TEXT];
            const char *name = strrchr(root, '/') + 1;
            title_name_of(name, title);
            place->single = mem_string(title_id_valid(name) ? name : title);
        } else if (failed == ERR_NOT_FOUND) {
            err_clear(err);
            failed = 0;
        }
    }
    mem_free(root);
    return failed;
}

/* The store's own ETag, where it is a strong one that fits; else the bytes' hash. */
static void name_bytes(struct media_object *object, const char *etag) {
    char *out = object->file.etag;
    if (etag != NULL && etag[0] == '"' && strlen(etag) <= ETAG_BYTES_MAX) {
        snprintf(out, sizeof(object->file.etag), "%s", etag);
        return;
    }
    char hash[SHA256_TEXT];
    sha256_hex_of(object->bytes.data, object->bytes.size, hash);
    snprintf(out, sizeof(object->file.etag), "\"%.40s\"", hash);
}

static int get_from_store(struct media_place *place, const char *key, struct media_object *out,
                          struct err *err) {
    int failed = blob_get(place->blob, key, OBJECT_BYTES_MAX, &out->bytes, err);
    if (failed == 0) {
        out->file.fd = -1;
        out->file.size = (int64_t)out->bytes.size;
        name_bytes(out, blob_got_header(place->blob, "ETag"));
    }
    return failed;
}

/* ---- Both ------------------------------------------------------------------------- */

int media_place_open(struct media_place **out, const char *url, const atomic_bool *cancel,
                     struct err *err) {
    struct media_place *place = mem_zero(1, sizeof(*place));
    place->folder = -1;
    int failed = output_is_remote(url) ? open_store(place, url, cancel, err)
                                       : open_folder(place, url, err);
    if (failed != 0) {
        media_place_close(place);
        return failed;
    }
    *out = place;
    return 0;
}

void media_place_close(struct media_place *place) {
    if (place == NULL) {
        return;
    }
    if (place->folder >= 0) {
        close(place->folder);
    }
    blob_close(place->blob);
    mem_free(place->single);
    mem_free(place);
}

const char *media_place_single(const struct media_place *place) {
    return place->single;
}

int media_place_titles(struct media_place *place, struct output_titles *titles, struct err *err) {
    if (place->single != NULL) {
        output_titles_add(titles, place->single);
        return 0;
    }
    if (place->blob != NULL) {
        return output_titles_list(titles, place->blob, err);
    }
    folder_titles(place, titles);
    return 0;
}

int media_place_get(struct media_place *place, const char *title, const char *path,
                    struct media_object *out, struct err *err) {
    bool known = place->single != NULL ? strcmp(title, place->single) == 0
                 : place->blob != NULL ? title_id_valid(title)
                                       : folder_has_title(place, title);
    if (!known || !media_path_valid(path)) {
        return err_set(err, ERR_NOT_FOUND, "there is no %s of a title %s", path, title);
    }
    char *key = place->single != NULL ? mem_string(path) : mem_format("%s/%s", title, path);
    int failed = place->blob != NULL ? get_from_store(place, key, out, err)
                                     : media_file_open(&out->file, place->folder, key, err);
    mem_free(key);
    return failed;
}
