/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects as files: plain paths and file:// (RFC 8089): see blob.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "blob_backend.h"
#include "common/fs.h"
#include "common/mem.h"

enum { FOLDER_TRIES = 4 };

/* ---- Paths -------------------------------------------------------------------- */

static int hex_digit(char c) {
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

static bool percent_decode(char *text) {
    char *to = text;
    for (const char *from = text; *from != '\0'; from++, to++) {
        *to = *from;
        if (*from == '%') {
            int high = hex_digit(from[1]);
            int low = high >= 0 ? hex_digit(from[2]) : -1;
            if (low < 0 || high * 16 + low == 0) {
                return false;
            }
            *to = (char)(high * 16 + low);
            from += 2;
        }
    }
    *to = '\0';
    return true;
}

int blob_path_of(char **out, const char *url, struct err *err) {
    if (strncasecmp(url, "file://", 7) != 0) {
        *out = mem_string(url);
        return 0;
    }
    const char *path = url + 7;
    path += strncasecmp(path, "localhost/", 10) == 0 ? 9 : 0;
    if (path[0] != '/') {
        return err_set(err, ERR_INVALID, "'%s' names a file on another machine; write file:///path",
                       url);
    }
    char *decoded = mem_string(path);
    if (!percent_decode(decoded)) {
        mem_free(decoded);
        return err_set(err, ERR_INVALID, "'%s' has a wrong %% escape", url);
    }
    *out = decoded;
    return 0;
}

/* ---- Sources ------------------------------------------------------------------ */

static void read_facts(const struct stat *info, struct blob_facts *out) {
    *out = (struct blob_facts){.size = info->st_size};
    snprintf(out->pin, sizeof(out->pin), "file:%lld.%09ld:%llu", (long long)info->st_mtim.tv_sec,
             info->st_mtim.tv_nsec, (unsigned long long)info->st_ino);
}

static int file_source_open(struct blob_source *source, const char *url, struct err *err) {
    char *path = NULL;
    struct stat info;
    int code = blob_path_of(&path, url, err);
    if (code != 0) {
        return code;
    }
    source->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe must not hold us */
    if (source->fd < 0 || fstat(source->fd, &info) != 0) {
        struct err why = {0};
        err_set_errno(&why, errno, "opening '%s'", path);
        code = blob_cannot_read("the source", &why, err);
    } else if (S_ISDIR(info.st_mode)) {
        code = err_set(err, ERR_INVALID,
                       "cannot read the source: '%s' is a folder; name a file in it", path);
    } else if (!S_ISREG(info.st_mode)) {
        code = err_set(err, ERR_INVALID,
                       "cannot read the source: '%s' is not a regular file; copy what it gives "
                       "into one first",
                       path);
    } else {
        read_facts(&info, &source->facts);
    }
    mem_free(path);
    return code;
}

/* Both the bytes and the proof that they are still of the file that was opened. */
static int file_source_read(struct blob_source *source, int64_t offset, void *out, size_t size,
                            struct err *err) {
    uint8_t *to = out;
    while (size > 0) {
        ssize_t got = pread(source->fd, to, size, offset);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            struct err why = {0};
            err_set_errno(&why, errno, "reading '%s' at byte %lld", source->name,
                          (long long)offset);
            return blob_cannot_read("the source", &why, err);
        }
        if (got == 0) {
            return blob_changed(source, err);
        }
        source->traffic.requests++;
        source->traffic.bytes += got;
        to += got;
        offset += got;
        size -= (size_t)got;
    }
    struct stat info;
    struct blob_facts now;
    if (fstat(source->fd, &info) != 0) {
        return err_set_errno(err, errno, "reading '%s'", source->name);
    }
    read_facts(&info, &now);
    return blob_source_expect(source, now.size, now.pin, err);
}

static void file_source_close(struct blob_source *source) {
    if (source->fd >= 0) {
        close(source->fd);
    }
}

/* ---- Roots: the state is the root's path ---------------------------------------- */

static int file_open(struct blob *blob, const char *url, struct err *err) {
    char *path = NULL;
    int code = blob_path_of(&path, url, err);
    if (code != 0) {
        return code;
    }
    for (size_t length = strlen(path); length > 1 && path[length - 1] == '/'; length--) {
        path[length - 1] = '\0';
    }
    blob->state = path;
    return 0;
}

static void file_close(struct blob *blob) {
    mem_free(blob->state);
}

static char *path_of(const struct blob *blob, const char *key) {
    const char *root = blob->state;
    return mem_format("%s/%s", strcmp(root, "/") == 0 ? "" : root, key);
}

static int put_once(const char *path, const void *data, size_t size, enum blob_put_mode mode,
                    struct err *err) {
    return mode == BLOB_CREATE ? fs_create(path, data, size, 0644, err)
                               : fs_replace(path, data, size, 0644, err);
}

/* Removes the folders above that are empty now, up to the root, which stays. */
static void prune(const struct blob *blob, char *path) {
    size_t root = strlen(blob->state);
    for (char *slash = strrchr(path, '/'); slash != NULL && (size_t)(slash - path) > root;
         slash = strrchr(path, '/')) {
        *slash = '\0';
        if (rmdir(path) != 0) {
            return;
        }
    }
}

/* The folder is made when it turns out to be missing, and again when a remove in
 * another process took it away in between. A put that fails leaves no folder behind. */
static int file_put(struct blob *blob, const char *key, const void *data, size_t size,
                    const char *sha256, enum blob_put_mode mode, struct err *err) {
    (void)sha256; /* a file system keeps none */
    char *path = path_of(blob, key);
    char *folder = mem_format("%.*s", (int)(strrchr(path, '/') - path), path);
    struct err attempt = {0};
    int code = put_once(path, data, size, mode, &attempt);
    for (int i = 0; i < FOLDER_TRIES && code == ERR_NOT_FOUND; i++) {
        err_clear(&attempt);
        code = fs_make_dirs(folder, &attempt);
        if (code == 0) {
            code = put_once(path, data, size, mode, &attempt);
        }
    }
    if (code != 0) {
        err_pass(err, &attempt);
        prune(blob, path);
    }
    mem_free(folder);
    mem_free(path);
    return code;
}

static int file_get(struct blob *blob, const char *key, size_t max, struct buf *out,
                    struct err *err) {
    char *path = path_of(blob, key);
    int code = fs_read(out, path, max, err);
    mem_free(path);
    return code;
}

static int file_open_object(const struct blob *blob, const char *key, int *fd, int64_t *size,
                            struct err *err) {
    char *path = path_of(blob, key);
    int code = fs_open(fd, size, path, err);
    mem_free(path);
    return code;
}

static int file_stat(struct blob *blob, const char *key, int64_t *size, struct err *err) {
    struct stat info;
    char *path = path_of(blob, key);
    int code = 0;
    if (stat(path, &info) != 0) {
        code = err_set_errno(err, errno, "looking for '%s'", path);
    } else if (!S_ISREG(info.st_mode)) {
        code = err_set(err, ERR_NOT_FOUND, "'%s' is not a regular file", path);
    } else {
        *size = info.st_size;
    }
    mem_free(path);
    return code;
}

struct listing {
    const char *folder; /* the whole folders of the prefix, with a slash, or "" */
    const char *prefix;
    blob_visit *visit;
    void *context;
};

static int list_entry(void *context, const struct fs_entry *entry, struct err *err) {
    const struct listing *listing = context;
    bool hidden = entry->path[0] == '.' || strstr(entry->path, "/.") != NULL;
    if (entry->kind != FS_FILE || hidden) {
        return 0;
    }
    char *key = mem_format("%s%s", listing->folder, entry->path);
    int code = 0;
    if (strncmp(key, listing->prefix, strlen(listing->prefix)) == 0) {
        code = listing->visit(listing->context, key, entry->size, err);
    }
    mem_free(key);
    return code;
}

static int file_list(struct blob *blob, const char *prefix, blob_visit *visit, void *context,
                     struct err *err) {
    const char *slash = strrchr(prefix, '/');
    char *folder = mem_format("%.*s", slash != NULL ? (int)(slash + 1 - prefix) : 0, prefix);
    char *path = path_of(blob, folder);
    struct listing listing = {folder, prefix, visit, context};
    struct stat info;
    int code = 0;
    if (stat(path, &info) == 0 || errno != ENOENT) { /* no folder: no objects */
        code = fs_walk(path, list_entry, &listing, err);
    }
    mem_free(path);
    mem_free(folder);
    return code;
}

static int file_remove(struct blob *blob, const char *key, struct err *err) {
    char *path = path_of(blob, key);
    int code = 0;
    if (unlink(path) != 0 && errno != ENOENT && errno != ENOTDIR) {
        code = err_set_errno(err, errno, "removing '%s'", path);
    } else {
        prune(blob, path);
    }
    mem_free(path);
    return code;
}

static const char *const schemes[] = {"", "file", NULL};

const struct blob_backend blob_file_backend = {
    .schemes = schemes,
    .source_open = file_source_open,
    .source_read = file_source_read,
    .source_close = file_source_close,
    .open = file_open,
    .close = file_close,
    .open_file = file_open_object,
    .get = file_get,
    .stat = file_stat,
    .put = file_put,
    .list = file_list,
    .remove = file_remove,
};
